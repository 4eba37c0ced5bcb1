//! `SiFive`'s U board in 32 bits (hart 0, an E31): the lamp is pin 0 of its GPIO, the wire is UART 0, the
//! tick comes from the core-local interruptor. An FE310 (`HiFive1`) has the same blocks elsewhere.

use riscv::interrupt::{Exception, Interrupt};
use riscv_rt::{TrapFrame, core_interrupt, entry};

use super::register::Register;

/// Where memory begins.
pub(crate) const MEMORY: usize = 0x8000_0000;

/// Counts of the timer in a millisecond.
const MILLISECOND: u64 = 1_000;

// Registers of the chip, after SiFive's manual of the FU540.
// SAFETY: a register of this machine, and no memory.
const PIN_ENABLE: Register = unsafe { Register::at(0x1006_0008) };
// SAFETY: a register of this machine, and no memory.
const PIN_VALUE: Register = unsafe { Register::at(0x1006_000C) };
// SAFETY: a register of this machine, and no memory.
const WIRE_SEND: Register = unsafe { Register::at(0x1001_0000) };
// SAFETY: a register of this machine, and no memory.
const WIRE_RECEIVE: Register = unsafe { Register::at(0x1001_0004) };
// SAFETY: a register of this machine, and no memory.
const WIRE_SEND_CONTROL: Register = unsafe { Register::at(0x1001_0008) };
// SAFETY: a register of this machine, and no memory.
const WIRE_RECEIVE_CONTROL: Register = unsafe { Register::at(0x1001_000C) };
// SAFETY: a register of this machine, and no memory.
const ALARM_LOW: Register = unsafe { Register::at(0x0200_4000) };
// SAFETY: a register of this machine, and no memory.
const ALARM_HIGH: Register = unsafe { Register::at(0x0200_4004) };
// SAFETY: a register of this machine, and no memory.
const TIME_LOW: Register = unsafe { Register::at(0x0200_BFF8) };
// SAFETY: a register of this machine, and no memory.
const TIME_HIGH: Register = unsafe { Register::at(0x0200_BFFC) };

const LAMP: u32 = 1;
/// Nothing to receive; no room to send.
const NOTHING: u32 = 1 << 31;

#[entry]
fn main() -> ! {
    crate::run()
}

/// The lamp's pin low and then an output, the wire on.
pub(crate) fn prepare() {
    darken();
    PIN_ENABLE.set(LAMP);
    WIRE_SEND_CONTROL.set(1);
    WIRE_RECEIVE_CONTROL.set(1);
}

/// Starts the tick.
pub(crate) fn start_timer() {
    alarm(time() + MILLISECOND);
    // SAFETY: the handler below is all that may come, and what it touches is behind critical sections.
    unsafe {
        riscv::interrupt::enable_interrupt(Interrupt::MachineTimer);
    }
    // SAFETY: as above.
    unsafe {
        riscv::interrupt::enable();
    }
}

/// Drives the pin high.
pub(crate) fn light() {
    PIN_VALUE.set(LAMP);
}

/// Drives the pin low, from wherever.
pub(crate) fn darken() {
    PIN_VALUE.clear(LAMP);
}

/// A byte of the wire, if one came.
pub(crate) fn receive() -> Option<u8> {
    let word = WIRE_RECEIVE.read();
    (word & NOTHING == 0).then(|| word.to_le_bytes()[0])
}

/// Sends a byte, waiting for room.
pub(crate) fn send(byte: u8) {
    while WIRE_SEND.read() & NOTHING != 0 {}
    WIRE_SEND.write(byte.into());
}

/// The timer's count; its halves are read until they belong together.
fn time() -> u64 {
    loop {
        let (high, low) = (TIME_HIGH.read(), TIME_LOW.read());
        if high == TIME_HIGH.read() {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Sets the next interrupt; never at a moment in between that is due already.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a register are what is wanted")]
fn alarm(at: u64) {
    let [low, high] = [at, at >> 32].map(|half| half as u32);
    ALARM_HIGH.write(u32::MAX);
    ALARM_LOW.write(low);
    ALARM_HIGH.write(high);
}

fn due() -> u64 {
    u64::from(ALARM_HIGH.read()) << 32 | u64::from(ALARM_LOW.read())
}

/// A millisecond passed, or several, when something held the interrupts up: each is counted.
#[core_interrupt(Interrupt::MachineTimer)]
fn tick() {
    alarm(due() + MILLISECOND);
    crate::clock::tick();
}

/// Any exception: nothing here ever wants one.
#[unsafe(export_name = "ExceptionHandler")]
fn fault(_frame: &TrapFrame) -> ! {
    let cause = riscv::register::mcause::read().cause();
    let cause: Result<riscv::interrupt::Trap<Interrupt, Exception>, _> = cause.try_into();
    super::die(&format_args!("{cause:?} at {:#x}", riscv::register::mepc::read()))
}
