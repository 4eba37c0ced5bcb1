use std::time::Duration;

use coinop_core::{
    Timestamp,
    board::{Level, LineSpec},
};
use serde::{Deserialize, Serialize};

use super::{Plant, Poke};

/// A door and its visitor as a scenario describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoorSpec {
    /// The output that releases the lock.
    pub lock: String,
    /// The input of the contact: high while the door is closed.
    pub door: String,
    /// How long the visitor takes to the handle, in milliseconds.
    pub reach_ms: u64,
    /// How long the door stands open when somebody passes, in milliseconds.
    pub swing_ms: u64,
    /// How long the visitor stays, in milliseconds; 0 is until the lock is no longer released.
    pub stay_ms: u64,
}

/// A door with a lock and a contact, and a visitor before it: goes in when the lock is released, and leaves
/// when it no longer is (from inside the door always opens).
///
/// Its truth is in **milliseconds** during which the room was in use with the lock released.
#[derive(Clone, Debug)]
pub struct Door {
    spec: DoorSpec,
    visitor: Visitor,
    lock: Level,
    lock_since: Timestamp,
    now: Option<Timestamp>,
    used_ms: u64,
    opened: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visitor {
    Outside,
    Entering {
        since: Timestamp,
    },
    Inside {
        since: Timestamp,
    },
    Leaving {
        since: Timestamp,
    },
    /// Has been inside, and does not come back before the lock was engaged.
    Gone,
}

impl Default for DoorSpec {
    fn default() -> Self {
        Self { lock: "LOCK".to_owned(), door: "DOOR".to_owned(), reach_ms: 400, swing_ms: 600, stay_ms: 0 }
    }
}

impl Door {
    /// A closed door with a visitor outside.
    pub fn new(spec: DoorSpec) -> Self {
        Self {
            spec,
            visitor: Visitor::Outside,
            lock: Level::Low,
            lock_since: Timestamp::default(),
            now: None,
            used_ms: 0,
            opened: 0,
        }
    }

    /// How many times the door was opened.
    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// Lives until `to` with the lock as it is.
    fn live(&mut self, to: Timestamp, pokes: &mut Vec<Poke>) {
        while let Some(at) = self.next_wake().filter(|at| *at <= to) {
            self.book(at);
            self.turn(at, pokes);
        }
        self.book(to);
    }

    fn book(&mut self, to: Timestamp) {
        let span = to.millis().saturating_sub(self.now.unwrap_or(to).millis());
        if self.in_use() {
            self.used_ms += span;
        }
        self.now = Some(to);
    }

    fn in_use(&self) -> bool {
        match self.visitor {
            Visitor::Entering { .. } | Visitor::Inside { .. } | Visitor::Leaving { .. } => {
                self.lock == Level::High
            }
            Visitor::Outside | Visitor::Gone => false,
        }
    }

    /// What the visitor does next, at the moment `next_wake` named.
    fn turn(&mut self, at: Timestamp, pokes: &mut Vec<Poke>) {
        let (visitor, closed) = match self.visitor {
            Visitor::Outside => (Visitor::Entering { since: at }, Level::Low),
            Visitor::Entering { .. } => (Visitor::Inside { since: at }, Level::High),
            Visitor::Inside { .. } => (Visitor::Leaving { since: at }, Level::Low),
            Visitor::Leaving { .. } | Visitor::Gone => (self.away(), Level::High),
        };
        if closed == Level::Low {
            self.opened += 1;
        }
        self.visitor = visitor;
        pokes.push(Poke { line: self.spec.door.clone(), level: closed });
    }

    const fn away(&self) -> Visitor {
        match self.lock {
            Level::High => Visitor::Gone,
            Level::Low => Visitor::Outside,
        }
    }

    fn look_at_lock(&mut self, now: Timestamp, lock: Level) {
        if lock == self.lock {
            return;
        }
        self.lock = lock;
        self.lock_since = now;
        if self.visitor == Visitor::Gone {
            self.visitor = self.away();
        }
    }
}

impl Plant for Door {
    fn lines(&self) -> Vec<LineSpec> {
        vec![LineSpec::output(&self.spec.lock, Level::Low), LineSpec::input(&self.spec.door)]
    }

    fn step(&mut self, now: Timestamp, output: &dyn Fn(&str) -> Level) -> Vec<Poke> {
        let mut pokes = Vec::new();
        if self.now.is_none() {
            pokes.push(Poke { line: self.spec.door.clone(), level: Level::High });
        }
        self.live(now, &mut pokes);
        self.look_at_lock(now, output(&self.spec.lock));
        self.live(now, &mut pokes);
        pokes
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let (reach, swing) = (self.spec.reach_ms, self.spec.swing_ms);
        let released = self.lock == Level::High;
        let (since, wait) = match self.visitor {
            Visitor::Outside if released => (self.lock_since, reach),
            Visitor::Entering { since } | Visitor::Leaving { since } => (since, swing),
            Visitor::Inside { since } if !released => (since.max(self.lock_since), reach),
            Visitor::Inside { since } if self.spec.stay_ms > 0 => (since, self.spec.stay_ms),
            Visitor::Outside | Visitor::Inside { .. } | Visitor::Gone => return None,
        };
        Some(since.after(Duration::from_millis(wait)))
    }

    fn truth(&self) -> u64 {
        self.used_ms
    }
}
