//! Time, and the guard that it steps.

use core::cell::{Cell, RefCell};

use coinop_core::Timestamp;
use coinop_lamp::Guard;
use critical_section::Mutex;

use crate::machine::{self, Pin};

static MILLIS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
static GUARD: Mutex<RefCell<Option<Guard<Pin>>>> = Mutex::new(RefCell::new(None));

/// Hands the pin to the guard, dark, and starts the timer that steps it.
pub(crate) fn start(pin: Pin) {
    let Ok(guard) = Guard::new(pin);
    critical_section::with(|cs| GUARD.borrow(cs).replace(Some(guard)));
    machine::start_timer();
}

/// A millisecond passed; called by the machine's timer.
pub(crate) fn tick() {
    critical_section::with(|cs| {
        let millis = MILLIS.borrow(cs);
        millis.set(millis.get() + 1);
        let now = Timestamp::from_millis(millis.get());
        if let Some(guard) = GUARD.borrow_ref_mut(cs).as_mut() {
            let Ok(()) = guard.step(now);
        }
    });
}

/// Milliseconds since the start.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(critical_section::with(|cs| MILLIS.borrow(cs).get()))
}

/// Light until `until`; says whether the pin went high by this.
pub(crate) fn lease(until: Timestamp) -> bool {
    critical_section::with(|cs| {
        let now = Timestamp::from_millis(MILLIS.borrow(cs).get());
        GUARD.borrow_ref_mut(cs).as_mut().is_some_and(|guard| {
            let Ok(went_high) = guard.lease(now, until);
            went_high
        })
    })
}

/// When the light went out, if that was not told yet.
pub(crate) fn take_darkness() -> Option<Timestamp> {
    critical_section::with(|cs| GUARD.borrow_ref_mut(cs).as_mut().and_then(Guard::take_darkness))
}
