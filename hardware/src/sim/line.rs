use std::{collections::VecDeque, time::Duration};

use coinop_core::{
    Timestamp,
    board::{BoardError, BoardErrorKind, Direction, Level, LineSpec},
};

use super::SimFault;

/// How long each level of a bounce lasts.
const BOUNCE: Duration = Duration::from_millis(1);
/// How often a bouncing contact shows the wrong level.
const BOUNCES: u32 = 2;
/// How many changes may be on their way; older ones are seen at once.
const COMING: usize = 256;
/// A whole pulse, in percent.
const PULSE: i32 = 100;

/// One line: what is done to it at one end, and what is seen at the other.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) direction: Direction,
    safe: Level,
    /// What the program drives, or what the world does.
    pub(super) level: Level,
    /// What the other end sees while the board has power.
    seen: Level,
    pub(super) fault: Option<SimFault>,
    /// What will be seen, and when.
    coming: VecDeque<(Timestamp, Level)>,
    /// The changes since the fault began.
    changes: u64,
    /// How much of a pulse a drifting meter is ahead, in percent.
    ahead: i32,
    risen: Option<Timestamp>,
    swallows: bool,
    /// Whether reading and driving fail.
    pub(super) broken: bool,
}

impl Line {
    pub(super) fn new(spec: &LineSpec) -> Self {
        let level = match spec.direction {
            Direction::Input => Level::Low,
            Direction::Output => spec.safe,
        };
        Self {
            direction: spec.direction,
            safe: spec.safe,
            level,
            seen: level,
            fault: None,
            coming: VecDeque::new(),
            changes: 0,
            ahead: 0,
            risen: None,
            swallows: false,
            broken: false,
        }
    }

    /// What the other end sees, with or without power.
    pub(super) fn shown(&self, has_power: bool) -> Level {
        match (self.direction, self.fault) {
            // Welded contacts need no power to stay closed.
            (Direction::Output, Some(SimFault::Welded)) => self.seen,
            _ if has_power => self.seen,
            (Direction::Output, _) => self.safe,
            (Direction::Input, _) => Level::Low,
        }
    }

    /// What the program reads: of an output what it drives.
    pub(super) fn read(&self, has_power: bool) -> Level {
        match self.direction {
            Direction::Input => self.shown(has_power),
            Direction::Output => self.level,
        }
    }

    /// The end that drives the line has it at `level` from now on.
    pub(super) fn set(&mut self, level: Level, now: Timestamp) {
        let has_changed = level != self.level;
        self.level = level;
        match self.fault {
            None => self.seen = level,
            // A contact closes once more, and never opens.
            Some(SimFault::Welded) => self.seen = if level == self.safe { self.seen } else { level },
            Some(SimFault::Late(ms)) if has_changed => {
                self.later(now.after(Duration::from_millis(ms)), level);
            }
            Some(SimFault::Bouncing) if has_changed => self.bounce(level, now),
            Some(SimFault::Lost(every)) if has_changed => {
                self.changes += 1;
                if !self.changes.is_multiple_of(u64::from(every)) {
                    self.seen = level;
                }
            }
            Some(SimFault::Drifting(percent)) if has_changed => self.drift(level, now, percent.into()),
            Some(
                SimFault::Stuck
                | SimFault::Late(_)
                | SimFault::Bouncing
                | SimFault::Lost(_)
                | SimFault::Drifting(_),
            ) => {}
        }
    }

    /// Begins a fault, or mends it: then the other end sees what is.
    pub(super) fn suffer(&mut self, fault: Option<SimFault>) {
        self.fault = fault;
        self.coming.clear();
        (self.changes, self.ahead, self.risen, self.swallows) = (0, 0, None, false);
        match (self.direction, fault) {
            (Direction::Output, Some(SimFault::Stuck)) => self.seen = self.safe,
            (Direction::Input, Some(SimFault::Stuck)) | (_, Some(SimFault::Welded)) => {}
            (Direction::Input | Direction::Output, _) => self.seen = self.level,
        }
    }

    /// Shows what is due by now.
    pub(super) fn pass(&mut self, now: Timestamp) {
        if let Some((_, level)) = self.coming.pop_front_if(|(at, _)| *at <= now) {
            self.seen = level;
        }
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.coming.front().map(|(at, _)| *at)
    }

    fn later(&mut self, at: Timestamp, level: Level) {
        if self.coming.len() >= COMING
            && let Some((_, oldest)) = self.coming.pop_front()
        {
            self.seen = oldest;
        }
        self.coming.push_back((at, level));
    }

    fn bounce(&mut self, level: Level, now: Timestamp) {
        self.coming.clear();
        self.seen = level;
        for bounce in 0..BOUNCES {
            self.later(now.after(BOUNCE * (2 * bounce + 1)), !level);
            self.later(now.after(BOUNCE * (2 * bounce + 2)), level);
        }
    }

    /// A meter that is ahead by a whole pulse gives one more, half way to the next; one that is behind
    /// leaves one out.
    fn drift(&mut self, level: Level, now: Timestamp, percent: i32) {
        if level == Level::Low {
            if !std::mem::take(&mut self.swallows) {
                self.seen = level;
            }
            return;
        }
        let since = self.risen.replace(now).map_or(BOUNCE * 4, |risen| now.since(risen));
        self.ahead += percent;
        if self.ahead <= -PULSE {
            self.ahead += PULSE;
            self.swallows = true;
            return;
        }
        self.seen = level;
        if self.ahead >= PULSE {
            self.ahead -= PULSE;
            let half = now.after((since / 2).max(BOUNCE * 2));
            self.later(Timestamp::from_millis(half.millis().saturating_sub(1)), Level::Low);
            self.later(half, Level::High);
            self.later(half.after(BOUNCE), Level::Low);
        }
    }

    pub(super) fn must_be(&self, direction: Direction, name: &str) -> Result<(), BoardError> {
        if self.direction == direction {
            return Ok(());
        }
        let message = match self.direction {
            Direction::Input => "an input, which only the world drives",
            Direction::Output => "an output, which only its board drives",
        };
        Err(BoardError {
            line: name.to_owned(),
            kind: BoardErrorKind::WrongDirection,
            message: message.to_owned(),
        })
    }

    pub(super) fn must_work(&self, name: &str) -> Result<(), BoardError> {
        if !self.broken {
            return Ok(());
        }
        Err(BoardError {
            line: name.to_owned(),
            kind: BoardErrorKind::Io,
            message: "the simulated wire is broken".to_owned(),
        })
    }
}
