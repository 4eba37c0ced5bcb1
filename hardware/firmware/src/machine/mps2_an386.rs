//! Arm MPS2 with the image AN386 (Cortex-M4): the lamp is user LED 0, a bit of the FPGA's LED register;
//! the wire is UART 0 of the CMSDK.

use super::{cortex_m, register::Register};

/// Where memory begins.
pub(crate) const MEMORY: usize = 0x2000_0000;

/// The board's main clock.
const HERTZ: u32 = 25_000_000;

// Registers of the board, after Arm's application note 386.
// SAFETY: a register of this machine, and no memory.
const LEDS: Register = unsafe { Register::at(0x4002_8000) };
// SAFETY: a register of this machine, and no memory.
const WIRE: Register = unsafe { Register::at(0x4000_4000) };
// SAFETY: a register of this machine, and no memory.
const WIRE_STATE: Register = unsafe { Register::at(0x4000_4004) };
// SAFETY: a register of this machine, and no memory.
const WIRE_CONTROL: Register = unsafe { Register::at(0x4000_4008) };
// SAFETY: a register of this machine, and no memory.
const WIRE_DIVIDER: Register = unsafe { Register::at(0x4000_4010) };

const LAMP: u32 = 1;
const SEND_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 1 << 1;

/// The lamp's pin low, the wire at 115,200 baud.
pub(crate) fn prepare() {
    darken();
    WIRE_DIVIDER.write(HERTZ / 115_200);
    WIRE_CONTROL.write(0b11);
}

/// Starts the tick.
pub(crate) fn start_timer() {
    cortex_m::start_timer(HERTZ);
}

/// Drives the pin high.
pub(crate) fn light() {
    LEDS.set(LAMP);
}

/// Drives the pin low, from wherever.
pub(crate) fn darken() {
    LEDS.clear(LAMP);
}

/// A byte of the wire, if one came.
pub(crate) fn receive() -> Option<u8> {
    (WIRE_STATE.read() & RECEIVE_FULL != 0).then(|| WIRE.read().to_le_bytes()[0])
}

/// Sends a byte, waiting for room.
pub(crate) fn send(byte: u8) {
    while WIRE_STATE.read() & SEND_FULL != 0 {}
    WIRE.write(byte.into());
}
