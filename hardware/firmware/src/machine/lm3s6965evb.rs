//! LM3S6965 evaluation board (Cortex-M3, run as thumbv6m): 256 KB of flash, 64 KB of memory. The lamp is
//! the board's user LED at PF0, a PL061 port; the wire is UART 0, a PL011.

use super::{cortex_m, register::Register};

/// Where memory begins.
pub(crate) const MEMORY: usize = 0x2000_0000;

/// After a reset the core runs at an 80 ns cycle in the emulator, at about that on the chip.
const HERTZ: u32 = 12_500_000;

/// Bit 0 in the data register of port F alone, by its masked address.
// Registers of the chip's ports, clocks and wire, after its data sheet.
// SAFETY: a register of this machine, and no memory.
const LAMP: Register = unsafe { Register::at(0x4002_5000 + (1 << 2)) };
// SAFETY: a register of this machine, and no memory.
const LAMP_DIRECTION: Register = unsafe { Register::at(0x4002_5400) };
// SAFETY: a register of this machine, and no memory.
const LAMP_DIGITAL: Register = unsafe { Register::at(0x4002_551C) };
// SAFETY: a register of this machine, and no memory.
const CLOCKS_OF_WIRES: Register = unsafe { Register::at(0x400F_E104) };
// SAFETY: a register of this machine, and no memory.
const CLOCKS_OF_PORTS: Register = unsafe { Register::at(0x400F_E108) };
// SAFETY: a register of this machine, and no memory.
const WIRE: Register = unsafe { Register::at(0x4000_C000) };
// SAFETY: a register of this machine, and no memory.
const WIRE_FLAGS: Register = unsafe { Register::at(0x4000_C018) };
// SAFETY: a register of this machine, and no memory.
const WIRE_FORMAT: Register = unsafe { Register::at(0x4000_C02C) };
// SAFETY: a register of this machine, and no memory.
const WIRE_CONTROL: Register = unsafe { Register::at(0x4000_C030) };

/// Nothing to receive; no room to send.
const EMPTY: u32 = 1 << 4;
const FULL: u32 = 1 << 5;

/// Clocks, the lamp's pin low and then an output, the wire with its queues.
pub(crate) fn prepare() {
    CLOCKS_OF_WIRES.set(1);
    CLOCKS_OF_PORTS.set(1 | 1 << 5);
    darken();
    LAMP_DIGITAL.set(1);
    LAMP_DIRECTION.set(1);
    WIRE_FORMAT.write(0b111 << 4);
    WIRE_CONTROL.write(1 | 0b11 << 8);
}

/// Starts the tick.
pub(crate) fn start_timer() {
    cortex_m::start_timer(HERTZ);
}

/// Drives the pin high.
pub(crate) fn light() {
    LAMP.write(1);
}

/// Drives the pin low, from wherever.
pub(crate) fn darken() {
    LAMP.write(0);
}

/// A byte of the wire, if one came.
pub(crate) fn receive() -> Option<u8> {
    (WIRE_FLAGS.read() & EMPTY == 0).then(|| WIRE.read().to_le_bytes()[0])
}

/// Sends a byte, waiting for room.
pub(crate) fn send(byte: u8) {
    while WIRE_FLAGS.read() & FULL != 0 {}
    WIRE.write(byte.into());
}
