//! What all Cortex-M machines have: the timer, and the handlers of the runtime.

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::{ExceptionFrame, entry, exception};

/// Calls [`crate::clock::tick`] every millisecond of a processor with this many cycles a second.
pub(crate) fn start_timer(hertz: u32) {
    let Some(peripherals) = cortex_m::Peripherals::take() else { return };
    let mut timer: SYST = peripherals.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(hertz / 1_000 - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

#[entry]
fn main() -> ! {
    crate::run()
}

#[exception]
fn SysTick() {
    crate::clock::tick();
}

// SAFETY: it is only called by the processor, and does not return.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    super::die(&format_args!("fault at {:#x}", frame.pc()))
}

// SAFETY: it is only called by the processor, and does not return.
#[exception]
unsafe fn DefaultHandler(number: i16) -> ! {
    super::die(&format_args!("unexpected exception {number}"))
}
