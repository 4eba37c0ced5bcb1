//! Real lines of a Linux machine, through the kernel's GPIO character devices.
//!
//! Lines are found by the names the kernel has for them (`gpioinfo` lists them). When the program ends,
//! whatever the way, SIGKILL included, the kernel releases the lines and they turn back into inputs. Give an
//! actuator an external pull to its safe level: then it is safe without the program, too. The kernels of
//! Raspberry Pi OS release the lines but keep outputs driven, unless they are told not to:
//! [`outputs_outlive_their_owner`].

mod error;
mod find;
mod release;

use std::{collections::BTreeMap, path::PathBuf};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Direction, Edge, Level, LineSpec},
};
use gpiocdev::{
    Request,
    line::{EdgeDetection, EdgeEvent, EdgeKind, Value},
};

use error::{on_line, wrong_direction};

use crate::wiring::{Active, Bias, Wiring};

pub(crate) use error::{at_request, join_the_group, refused};
pub(crate) use find::{Found, find};
pub use release::outputs_outlive_their_owner;
pub(crate) use release::switch_under;

/// The name under which the kernel shows our lines to others.
pub const CONSUMER: &str = "coinop";
/// How many edges the kernel keeps for us; its own upper limit.
const KERNEL_EDGES: u32 = 1024;
/// How many edges are read from the kernel at once.
const EDGES_AT_ONCE: usize = 64;
/// How many edges of a chip one look takes at most; the rest stays with the kernel until the next.
const EDGES_PER_LOOK: usize = 1024;

/// A board of kernel lines, held until it is dropped.
#[derive(Debug)]
pub struct GpioChip {
    specs: Vec<LineSpec>,
    pins: BTreeMap<String, Pin>,
    requests: Vec<Requested>,
}

/// Where a line is.
#[derive(Debug)]
struct Pin {
    direction: Direction,
    request: usize,
    offset: u32,
}

/// Lines of one chip and direction, which the kernel gave us together.
#[derive(Debug)]
struct Requested {
    request: Request,
    /// Names by offset.
    lines: BTreeMap<u32, String>,
    detects_edges: bool,
    last_seqno: u32,
}

impl GpioChip {
    /// Takes `lines` from the kernel: outputs are at their safe level from then on.
    ///
    /// # Errors
    ///
    /// [`BoardError`] saying which line or chip is missing, in use or not permitted, and how to mend it; then
    /// no line is taken.
    pub fn open(wiring: &Wiring, lines: Vec<LineSpec>) -> Result<Self, BoardError> {
        let mut groups: BTreeMap<(PathBuf, bool), Vec<(&LineSpec, u32)>> = BTreeMap::new();
        for (spec, Found { chip, offset }) in find(wiring, &lines)? {
            let is_output = spec.direction == Direction::Output;
            groups.entry((chip, is_output)).or_default().push((spec, offset));
        }
        let mut pins = BTreeMap::new();
        let mut requests = Vec::new();
        for ((chip, is_output), group) in groups {
            let request = request(&chip, &group, wiring)?;
            let here = |(spec, offset): &(&LineSpec, u32)| {
                let pin = Pin { direction: spec.direction, request: requests.len(), offset: *offset };
                (spec.name.clone(), pin)
            };
            pins.extend(group.iter().map(here));
            let lines = group.iter().map(|(spec, offset)| (*offset, spec.name.clone())).collect();
            requests.push(Requested { request, lines, detects_edges: !is_output, last_seqno: 0 });
        }
        Ok(Self { specs: lines, pins, requests })
    }

    fn pin(&self, line: &str) -> Result<&Pin, BoardError> {
        self.pins.get(line).ok_or_else(|| {
            let known: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
            BoardError {
                line: line.to_owned(),
                kind: BoardErrorKind::NoSuchLine,
                message: format!("not on the allow-list, which has {}", known.join(", ")),
            }
        })
    }
}

impl Board for GpioChip {
    fn lines(&self) -> &[LineSpec] {
        &self.specs
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        let pin = self.pin(line)?;
        let value = self.requests[pin.request].request.value(pin.offset);
        value.map(level).map_err(|error| on_line(line, &error))
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        let pin = self.pin(line)?;
        if pin.direction == Direction::Input {
            return Err(wrong_direction(line));
        }
        let driven = self.requests[pin.request].request.set_value(pin.offset, value(level));
        driven.map_err(|error| on_line(line, &error))
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        let mut events = Vec::new();
        let mut lost = None;
        for requested in self.requests.iter_mut().filter(|requested| requested.detects_edges) {
            lost = requested.take_edges(&mut events)?.or(lost);
        }
        if let Some(lost) = lost {
            return Err(lost);
        }
        // Of several chips each has its own order; the kernel's clock is the common one.
        events.sort_by_key(|(timestamp_ns, _, _)| *timestamp_ns);
        Ok(events.into_iter().map(|(_, line, level)| Edge { line, level, at: now }).collect())
    }
}

impl Drop for GpioChip {
    fn drop(&mut self) {
        let outputs = self.specs.iter().filter(|spec| spec.direction == Direction::Output);
        let safe: Vec<_> = outputs.map(|spec| (spec.name.clone(), spec.safe)).collect();
        for (line, level) in safe {
            // Nobody is left to tell, and the kernel releases the line next.
            let _ = self.drive(&line, level);
        }
    }
}

impl Requested {
    /// Takes what the kernel has kept. A hole in the numbers means that it had no room for some.
    fn take_edges(
        &mut self,
        events: &mut Vec<(u64, String, Level)>,
    ) -> Result<Option<BoardError>, BoardError> {
        let some_line = self.lines.values().next().map_or("", String::as_str);
        let mut buffer = self.request.new_edge_event_buffer(EDGES_AT_ONCE);
        let mut lost = None;
        let mut taken = 0;
        // What the buffer holds is gone from the kernel, so it is always emptied.
        while !buffer.is_empty()
            || taken < EDGES_PER_LOOK
                && self.request.has_edge_event().map_err(|error| on_line(some_line, &error))?
        {
            let event: EdgeEvent = buffer.read_event().map_err(|error| on_line(some_line, &error))?;
            let missing = event.seqno.wrapping_sub(self.last_seqno).wrapping_sub(1);
            self.last_seqno = event.seqno;
            taken += 1;
            let Some(line) = self.lines.get(&event.offset) else { continue };
            if missing > 0 {
                lost = Some(BoardError {
                    line: line.clone(),
                    kind: BoardErrorKind::EdgesLost,
                    message: format!("{missing} edges lost since they were last taken"),
                });
            }
            events.push((event.timestamp_ns, line.clone(), after(event.kind)));
        }
        Ok(lost)
    }
}

fn request(chip: &PathBuf, group: &[(&LineSpec, u32)], wiring: &Wiring) -> Result<Request, BoardError> {
    let mut builder = Request::builder();
    builder.on_chip(chip).with_consumer(CONSUMER).with_kernel_event_buffer_size(KERNEL_EDGES);
    for (spec, offset) in group {
        builder.with_line(*offset);
        let wire = wiring.wire(&spec.name);
        match wire.active {
            Active::High => builder.as_active_high(),
            Active::Low => builder.as_active_low(),
        };
        match spec.direction {
            Direction::Input => builder.as_input().with_edge_detection(EdgeDetection::BothEdges),
            Direction::Output => builder.as_output(value(spec.safe)),
        };
        builder.with_bias(wire.bias.map(bias));
    }
    builder.request().map_err(|error| error::at_request(chip, group, &error))
}

const fn value(level: Level) -> Value {
    match level {
        Level::Low => Value::Inactive,
        Level::High => Value::Active,
    }
}

const fn bias(bias: Bias) -> gpiocdev::line::Bias {
    match bias {
        Bias::PullUp => gpiocdev::line::Bias::PullUp,
        Bias::PullDown => gpiocdev::line::Bias::PullDown,
        Bias::None => gpiocdev::line::Bias::Disabled,
    }
}

const fn level(value: Value) -> Level {
    match value {
        Value::Inactive => Level::Low,
        Value::Active => Level::High,
    }
}

const fn after(kind: EdgeKind) -> Level {
    match kind {
        EdgeKind::Rising => Level::High,
        EdgeKind::Falling => Level::Low,
    }
}
