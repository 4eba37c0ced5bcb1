//! The machine: a wire, a timer, and the pin that the lamp hangs on.
//!
//! One file a machine, chosen by the target in `build.rs`. A real board writes its own: `prepare`,
//! `receive`, `send`, `start_timer`, `darken`, `MEMORY`, and a `Pin` that is embedded-hal's `OutputPin`.

mod register;

#[cfg(target_arch = "arm")]
mod cortex_m;

#[cfg_attr(machine = "lm3s6965evb", path = "lm3s6965evb.rs")]
#[cfg_attr(machine = "mps2_an386", path = "mps2_an386.rs")]
#[cfg_attr(machine = "sifive_u", path = "sifive_u.rs")]
mod chosen;

use core::{convert::Infallible, panic::PanicInfo};

pub(crate) use chosen::{MEMORY, darken, prepare, receive, send, start_timer};
use embedded_hal::digital::{ErrorType, OutputPin};

/// The lamp's pin.
pub(crate) struct Pin;

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        darken();
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        chosen::light();
        Ok(())
    }
}

/// Darkness first, then the reason, then nothing more: a lamp that is wrong stays off.
pub(crate) fn die(of: &dyn core::fmt::Display) -> ! {
    critical_section::with(|_| {
        darken();
        crate::report::death(of);
        loop {
            core::hint::spin_loop();
        }
    })
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    die(&info.message())
}
