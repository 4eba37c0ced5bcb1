use coinop_core::Timestamp;
use embedded_hal::digital::OutputPin;

/// Owns the lamp's pin: on only while a lease lasts.
///
/// It cannot be told "on", only "on until then". Step it from a timer.
#[derive(Debug)]
pub struct Guard<Pin> {
    pin: Pin,
    until: Option<Timestamp>,
    went_dark: Option<Timestamp>,
}

impl<Pin: OutputPin> Guard<Pin> {
    /// Takes the pin and drives it low.
    ///
    /// # Errors
    ///
    /// The pin's own.
    pub fn new(mut pin: Pin) -> Result<Self, Pin::Error> {
        pin.set_low()?;
        Ok(Self { pin, until: None, went_dark: None })
    }

    /// Light until `until`, instead of the lease before; says whether the pin went high by this.
    ///
    /// # Errors
    ///
    /// The pin's own; then there is no lease.
    pub fn lease(&mut self, now: Timestamp, until: Timestamp) -> Result<bool, Pin::Error> {
        if until <= now {
            self.darken(now)?;
            return Ok(false);
        }
        if self.until.is_none() {
            self.pin.set_high()?;
        }
        Ok(self.until.replace(until).is_none())
    }

    /// Drives the pin low when the lease is over.
    ///
    /// # Errors
    ///
    /// The pin's own; the next step tries again.
    pub fn step(&mut self, now: Timestamp) -> Result<(), Pin::Error> {
        if self.until.is_some_and(|until| until <= now) { self.darken(now) } else { Ok(()) }
    }

    /// Drives the pin low, whatever is paid.
    ///
    /// # Errors
    ///
    /// The pin's own.
    pub fn darken(&mut self, now: Timestamp) -> Result<(), Pin::Error> {
        self.pin.set_low()?;
        if self.until.take().is_some() {
            self.went_dark = Some(now);
        }
        Ok(())
    }

    /// When the light went out, if nobody was told yet.
    pub fn take_darkness(&mut self) -> Option<Timestamp> {
        self.went_dark.take()
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;
    use std::{rc::Rc, vec::Vec};

    use core::cell::RefCell;

    use embedded_hal::digital::ErrorType;
    use proptest::prelude::*;

    use super::*;

    /// A pin that remembers what it was driven to.
    #[derive(Clone, Default)]
    struct Recorder(Rc<RefCell<Vec<bool>>>);

    impl ErrorType for Recorder {
        type Error = Infallible;
    }

    impl OutputPin for Recorder {
        fn set_low(&mut self) -> Result<(), Infallible> {
            self.0.borrow_mut().push(false);
            Ok(())
        }

        fn set_high(&mut self) -> Result<(), Infallible> {
            self.0.borrow_mut().push(true);
            Ok(())
        }
    }

    impl Recorder {
        fn level(&self) -> bool {
            self.0.borrow().last() == Some(&true)
        }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn guarded() -> (Guard<Recorder>, Recorder) {
        let pin = Recorder::default();
        let Ok(guard) = Guard::new(pin.clone());
        (guard, pin)
    }

    #[test]
    fn the_pin_is_driven_low_before_anything_else() {
        let (_guard, pin) = guarded();

        assert_eq!(*pin.0.borrow(), [false]);
    }

    #[test]
    fn light_goes_out_at_the_end_of_the_lease_and_is_told_once() {
        let (mut guard, pin) = guarded();

        assert_eq!(guard.lease(at(10), at(20)), Ok(true));
        assert_eq!(guard.step(at(19)), Ok(()));
        assert!(pin.level());
        assert_eq!(guard.step(at(20)), Ok(()));

        assert!(!pin.level());
        assert_eq!(guard.take_darkness(), Some(at(20)));
        assert_eq!(guard.take_darkness(), None);
    }

    #[test]
    fn a_lease_that_is_over_when_it_comes_lights_nothing() {
        let (mut guard, pin) = guarded();

        assert_eq!(guard.lease(at(20), at(20)), Ok(false));

        assert!(!pin.level());
    }

    #[test]
    fn a_longer_lease_does_not_flicker() {
        let (mut guard, pin) = guarded();

        assert_eq!(guard.lease(at(0), at(10)), Ok(true));
        assert_eq!(guard.lease(at(5), at(15)), Ok(false));

        assert_eq!(*pin.0.borrow(), [false, true]);
    }

    proptest! {
        #[test]
        fn after_any_step_the_pin_is_high_only_under_a_lease(
            moves in proptest::collection::vec((0..20_u64, proptest::option::of(0..50_u64)), 1..60)
        ) {
            let (mut guard, pin) = guarded();
            let (mut now, mut until) = (0, 0);
            for (passed, lease) in moves {
                now += passed;
                if let Some(length) = lease {
                    until = now + length;
                    prop_assert!(guard.lease(at(now), at(until)).is_ok());
                }
                prop_assert_eq!(guard.step(at(now)), Ok(()));
                prop_assert_eq!(pin.level(), now < until);
            }
        }
    }
}
