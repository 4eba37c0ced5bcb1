//! What the lamp tells the wire besides its answers: lines of JSON, as the program's `--json` writes them.

use core::fmt::{self, Display, Write};

use coinop_core::Timestamp;

use crate::{machine, memory};

/// The wire as a place to write.
struct Wire;

impl Write for Wire {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(machine::send);
        Ok(())
    }
}

/// Writes a line.
pub(crate) fn line(what: &dyn Display) {
    // The wire takes everything.
    let _ = writeln!(Wire, "{what}");
}

/// Writes a line that is there already.
pub(crate) fn text(what: &str) {
    line(&what);
}

/// Tells that the lamp's pin went to a level.
pub(crate) fn level(who: &str, at: Timestamp, level: &str) {
    let at = at.millis();
    line(&format_args!(r#"{{"v":1,"at":{at},"who":"{who}","kind":"line","line":"LAMP","level":"{level}"}}"#));
}

/// Tells how long an answer took and how much memory has been in use since the start at most, in bytes.
pub(crate) fn effort(who: &str, began: Timestamp, ended: Timestamp) {
    let (at, took) = (ended.millis(), ended.since(began).as_millis());
    let memory::Used { fixed, stack, heap, heap_now } = memory::used();
    line(&format_args!(
        r#"{{"v":1,"at":{at},"who":"{who}","kind":"effort","took_ms":{took},"static":{fixed},"stack":{stack},"heap":{heap},"heap_now":{heap_now}}}"#
    ));
}

/// Tells that the firmware gives up.
pub(crate) fn death(of: &dyn Display) {
    line(&format_args!("{{\"v\":1,\"kind\":\"dead\",\"why\":\"{of}\"}}"));
}
