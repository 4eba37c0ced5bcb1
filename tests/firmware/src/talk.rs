use coinop_core::{channel::SignedPackage, obyte::signed::SignedMessage};
use serde_json::{Value, json};

use crate::{emulator::Emulator, machine::Machine, report::Failure};

/// A conversation with a lamp.
pub(crate) struct Talk<'a> {
    emulator: Emulator,
    machine: &'a Machine,
    /// What the lamp says of itself when it starts.
    pub(crate) introduction: Value,
    /// When the light went out, by the lamp's clock, if it was told and not yet asked for.
    dark: Option<u64>,
    /// The most memory that was in use at once.
    pub(crate) effort: Effort,
}

/// What the lamp needed, as it says itself: bytes, at most so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    pub(crate) fixed: u64,
    pub(crate) stack: u64,
    pub(crate) heap: u64,
    /// What the heap holds now.
    pub(crate) heap_now: u64,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) answer: Value,
    /// Whether the lamp says that its pin went high.
    pub(crate) lit: bool,
    /// When the lamp began and ended with it, by its clock.
    pub(crate) span: (u64, u64),
}

impl Heard {
    /// What the peer is told, and what people are told.
    pub(crate) fn refusal(&self) -> (&str, &str) {
        let text = |field| self.answer.get(field).and_then(Value::as_str).unwrap_or_default();
        (text("error"), text("reason"))
    }

    /// The answer in a line, with the milliseconds it took.
    pub(crate) fn tell(&self) -> String {
        format!("{} ({} ms)", self.answer, self.took())
    }

    pub(crate) fn took(&self) -> u64 {
        self.span.1 - self.span.0
    }
}

impl<'a> Talk<'a> {
    /// Starts the lamp and hears who it is.
    pub(crate) fn start(machine: &'a Machine, firmware: &str, pace: Option<u32>) -> Result<Self, Failure> {
        let mut emulator = Emulator::start(machine, firmware, pace)?;
        let introduction = emulator.hear()?;
        Ok(Self { emulator, machine, introduction, dark: None, effort: Effort::default() })
    }

    /// Whether the lamp's pin is high, seen from outside.
    pub(crate) fn is_lit(&mut self) -> Result<bool, Failure> {
        let (address, bit) = self.machine.pin;
        Ok(self.emulator.register(address)? & bit != 0)
    }

    /// Offers a package.
    pub(crate) fn pay(&mut self, package: &SignedPackage) -> Result<Heard, Failure> {
        self.say(&request(package))
    }

    /// Offers a package and, without waiting for the answer, another.
    pub(crate) fn pay_twice(&mut self, packages: &[SignedPackage; 2]) -> Result<[Heard; 2], Failure> {
        let [first, second] = packages;
        let both = [request(first), request(second), Vec::new()].join(&b'\n');
        self.emulator.send(&both)?;
        Ok([self.hear()?, self.hear()?])
    }

    /// Says what the ledger showed.
    pub(crate) fn vouch(&mut self, word: &SignedMessage) -> Result<Heard, Failure> {
        let line = json!({ "command": "ledger", "params": { "package": word }, "tag": "1" });
        self.say(line.to_string().as_bytes())
    }

    /// Says a line, whatever it is, and hears what comes of it.
    pub(crate) fn say(&mut self, line: &[u8]) -> Result<Heard, Failure> {
        self.emulator.send(line)?;
        self.emulator.send(b"\n")?;
        self.hear()
    }

    /// What comes of one line.
    fn hear(&mut self) -> Result<Heard, Failure> {
        let (mut answer, mut lit) = (None, false);
        loop {
            let said = self.emulator.hear()?;
            match said.get("kind").and_then(Value::as_str) {
                None => answer = Some(said),
                Some("line") => lit |= self.level(&said)?,
                Some("effort") => {
                    let at = number(&said, "at")?;
                    self.effort = Effort {
                        fixed: number(&said, "static")?,
                        stack: number(&said, "stack")?,
                        heap: number(&said, "heap")?,
                        heap_now: number(&said, "heap_now")?,
                    };
                    let answer = answer.ok_or("no answer came before the effort")?;
                    return Ok(Heard { answer, lit, span: (at - number(&said, "took_ms")?, at) });
                }
                Some(_) => return Err(format!("the lamp says {said}").into()),
            }
        }
    }

    /// Waits until the lamp says that its light went out: when that was, by its clock.
    pub(crate) fn darkness(&mut self) -> Result<u64, Failure> {
        while self.dark.is_none() {
            let said = self.emulator.hear()?;
            self.level(&said)?;
        }
        self.dark.take().ok_or_else(|| "it is not dark".into())
    }

    fn level(&mut self, said: &Value) -> Result<bool, Failure> {
        match said.get("level").and_then(Value::as_str) {
            Some("high") => Ok(true),
            Some("low") => {
                self.dark = Some(number(said, "at")?);
                Ok(false)
            }
            _ => Err(format!("the lamp says {said}").into()),
        }
    }
}

fn number(said: &Value, field: &str) -> Result<u64, Failure> {
    said.get(field).and_then(Value::as_u64).ok_or_else(|| format!("no {field} in {said}").into())
}

fn request(package: &SignedPackage) -> Vec<u8> {
    let params = json!({ "signed_package": package, "message": { "session": "light" } });
    json!({ "command": "pay", "params": params, "tag": "1" }).to_string().into_bytes()
}
