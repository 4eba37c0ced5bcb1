//! A coin-operated lamp on a microcontroller.
//!
//! The wire brings packages, [`coinop_lamp`] judges them, and the guard turns what was paid into light. A
//! timer steps the guard every millisecond, whatever the rest is busy with.
#![no_std]
#![no_main]

mod clock;
mod machine;
mod memory;
mod report;

use coinop_core::{
    Bytes,
    obyte::PublicKey,
    tariff::{Quantity, Tariff, Unit},
};
use coinop_lamp::{Intake, Lamp};

/// Runs the lamp for ever.
pub(crate) fn run() -> ! {
    memory::prepare();
    machine::prepare();
    clock::start(machine::Pin);
    let mut lamp = lamp();
    report::line(&lamp.introduction());
    let mut intake = Intake::new();
    loop {
        if let Some(line) = machine::receive().and_then(|byte| intake.push(byte)) {
            serve(&mut lamp, line);
        }
        if let Some(at) = clock::take_darkness() {
            report::level(lamp.name(), at, "low");
        }
    }
}

/// The lamp as it was configured when it was built.
fn lamp() -> Lamp {
    let owner = PublicKey::from_base64(env!("COINOP_LAMP_OWNER")).expect("COINOP_LAMP_OWNER is a public key");
    let price = env!("COINOP_LAMP_PRICE").parse().ok().and_then(|price: u64| Bytes::try_from(price).ok());
    let second = Quantity::new(1_000);
    let tariff = price.and_then(|price| Tariff::new(Unit::Millisecond, price, second, second).ok());
    let tariff = tariff.expect("COINOP_LAMP_PRICE is what a second costs, in bytes");
    Lamp::new(env!("COINOP_LAMP_NAME"), owner, tariff, 0)
}

/// Judges a line, lights what it pays for, then answers.
fn serve(lamp: &mut Lamp, line: Option<&[u8]>) {
    let began = clock::now();
    let heard = lamp.hear(began, line);
    let ended = clock::now();
    let lit = heard.bought.is_some_and(|bought| clock::lease(lamp.light(ended, bought)));
    report::text(&heard.answer);
    if lit {
        report::level(lamp.name(), ended, "high");
    }
    report::effort(lamp.name(), began, ended);
}
