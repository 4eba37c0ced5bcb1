use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Context, Deadline, Decision, Machine, Timestamp, machine::Settled};

/// Which temporary key a device shows at its hub, and since when.
///
/// A new key about every hour; the one before is kept for messages that were under way, and older ones
/// are forgotten once the hub has the new one. The machine knows the keys by their numbers only:
/// [`Keys`](super::Keys) holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    shown: Option<Shown>,
    asked: Option<Asked>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    number: u64,
    until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    number: u64,
    again_at: Timestamp,
}

/// What a rotation is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationCommand {
    /// The device has logged in: the hub may not know its key.
    LoggedIn,
    /// The hub has taken a key.
    Taken {
        /// The key's number.
        number: u64,
    },
    /// The alarm rang.
    Wake,
}

/// What happened to the temporary keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationEvent {
    /// A key is to be shown.
    Asked {
        /// Its number.
        number: u64,
        /// When to ask again, unless the hub takes it.
        again_at: Timestamp,
    },
    /// The hub shows the key.
    Shown {
        /// Its number.
        number: u64,
        /// When it is due to be replaced.
        until: Timestamp,
    },
}

/// What is to be done with the temporary keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationEffect {
    /// Show the key of this number, made if need be: `hub/temp_pubkey`.
    Show {
        /// The key's number.
        number: u64,
    },
    /// Wipe the keys below this number.
    ForgetBelow {
        /// The lowest number that stays.
        number: u64,
    },
}

impl Rotation {
    /// How long a key is shown.
    pub const LIFETIME: Duration = Duration::from_hours(1);
    /// How long a hub may take to answer.
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// The number of the key that the hub shows.
    pub fn shown(&self) -> Option<u64> {
        self.shown.map(|shown| shown.number)
    }

    /// The lowest number that is still of use: the key before the one shown.
    fn lowest(number: u64) -> u64 {
        number.saturating_sub(1)
    }

    fn ask(now: Timestamp, number: u64) -> Settled<Self> {
        let again_at = now.after(Self::PATIENCE);
        Decision::event(RotationEvent::Asked { number, again_at }).then(RotationEffect::Show { number })
    }

    /// The number of a key that the hub has not taken yet, or of the one it should show.
    fn due(&self, now: Timestamp) -> u64 {
        match (self.asked, self.shown) {
            (Some(asked), _) => asked.number,
            (None, Some(shown)) if now < shown.until => shown.number,
            (None, Some(shown)) => shown.number.saturating_add(1),
            (None, None) => 0,
        }
    }

    fn taken(&self, now: Timestamp, number: u64) -> Settled<Self> {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return Decision::nothing();
        }
        let until = match self.shown {
            // Shown once more after a login: its hour does not begin anew.
            Some(shown) if shown.number == number => shown.until,
            Some(_) | None => now.after(Self::LIFETIME),
        };
        Decision::event(RotationEvent::Shown { number, until })
            .then(RotationEffect::ForgetBelow { number: Self::lowest(number) })
    }

    fn wake_up(&self, now: Timestamp) -> Settled<Self> {
        match self.deadline() {
            Some(deadline) if deadline.at <= now => Self::ask(now, self.due(now)),
            Some(_) | None => Decision::nothing(),
        }
    }
}

impl Machine for Rotation {
    type Command = RotationCommand;
    type Event = RotationEvent;
    type Effect = RotationEffect;
    type Refusal = core::convert::Infallible;

    fn decide(&self, context: &Context, command: RotationCommand) -> Result<Settled<Self>, Self::Refusal> {
        Ok(match command {
            RotationCommand::LoggedIn => Self::ask(context.now, self.due(context.now)),
            RotationCommand::Taken { number } => self.taken(context.now, number),
            RotationCommand::Wake => self.wake_up(context.now),
        })
    }

    fn apply(&mut self, event: &RotationEvent) {
        match *event {
            RotationEvent::Asked { number, again_at } => self.asked = Some(Asked { number, again_at }),
            RotationEvent::Shown { number, until } => {
                self.shown = Some(Shown { number, until });
                self.asked = None;
            }
        }
    }

    /// Keys that should have been wiped.
    fn pending(&self) -> alloc::vec::Vec<RotationEffect> {
        let lowest = self.shown().map(Self::lowest);
        lowest.map(|number| RotationEffect::ForgetBelow { number }).into_iter().collect()
    }

    fn deadline(&self) -> Option<Deadline> {
        match (self.asked, self.shown) {
            (Some(asked), _) => {
                Some(Deadline { at: asked.again_at, reason: "the hub has not taken the key" })
            }
            (None, Some(shown)) => Some(Deadline { at: shown.until, reason: "the temporary key is old" }),
            (None, None) => None,
        }
    }

    fn wake(&self) -> Option<RotationCommand> {
        Some(RotationCommand::Wake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Device(Rotation);

    impl Device {
        fn told(&mut self, seconds: u64, command: RotationCommand) -> alloc::vec::Vec<RotationEffect> {
            let context = Context { now: Timestamp::from_millis(seconds * 1000), random: [0; 32] };
            let decision = self.0.decide(&context, command).unwrap();
            decision.events.iter().for_each(|event| self.0.apply(event));
            decision.effects
        }
    }

    fn show(number: u64) -> alloc::vec::Vec<RotationEffect> {
        alloc::vec![RotationEffect::Show { number }]
    }

    #[test]
    fn a_key_is_replaced_after_an_hour_and_the_one_before_is_kept() {
        let mut device = Device(Rotation::default());

        assert_eq!(device.told(0, RotationCommand::LoggedIn), show(0));
        device.told(1, RotationCommand::Taken { number: 0 });
        assert_eq!(device.told(3600, RotationCommand::Wake), []);
        assert_eq!(device.told(3601, RotationCommand::Wake), show(1));
        assert_eq!(
            device.told(3602, RotationCommand::Taken { number: 1 }),
            [RotationEffect::ForgetBelow { number: 0 }]
        );
        device.told(7202, RotationCommand::Wake);
        assert_eq!(
            device.told(7203, RotationCommand::Taken { number: 2 }),
            [RotationEffect::ForgetBelow { number: 1 }]
        );
    }

    #[test]
    fn a_hub_that_is_silent_is_asked_again_for_the_same_key_and_nothing_is_forgotten() {
        let mut device = Device(Rotation::default());
        device.told(0, RotationCommand::LoggedIn);
        device.told(0, RotationCommand::Taken { number: 0 });

        assert_eq!(device.told(3600, RotationCommand::Wake), show(1));
        assert_eq!(device.told(3629, RotationCommand::Wake), []);
        assert_eq!(device.told(3630, RotationCommand::Wake), show(1));
        assert_eq!(device.told(3631, RotationCommand::LoggedIn), show(1));
        assert_eq!(device.0.pending(), [RotationEffect::ForgetBelow { number: 0 }]);
        assert_eq!(device.0.shown(), Some(0));
    }

    #[test]
    fn a_login_shows_the_same_key_again_and_does_not_prolong_its_hour() {
        let mut device = Device(Rotation::default());
        device.told(0, RotationCommand::LoggedIn);
        device.told(0, RotationCommand::Taken { number: 0 });

        assert_eq!(device.told(3000, RotationCommand::LoggedIn), show(0));
        device.told(3001, RotationCommand::Taken { number: 0 });

        assert_eq!(device.0.deadline().unwrap().at, Timestamp::from_millis(3_600_000));
        assert_eq!(device.told(3600, RotationCommand::Wake), show(1));
    }

    #[test]
    fn a_key_that_nobody_asked_for_is_not_taken() {
        let mut device = Device(Rotation::default());
        device.told(0, RotationCommand::LoggedIn);

        assert_eq!(device.told(1, RotationCommand::Taken { number: 7 }), []);
        assert_eq!(device.0.shown(), None);
    }
}
