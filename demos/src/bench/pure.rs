//! Payments by the rules alone: no actor, no journal, but all that is decided, signed, written and read.

use std::time::{Duration, Instant};

use coinop::core::{
    Bytes, Decision, Machine as _,
    channel::{Channel, Command, Effect, Event, SignedPackage},
};
use color_eyre::eyre::{bail, ensure};

use super::{
    Way,
    ends::{Ends, PRICE, context},
};

pub(super) struct Pure {
    ends: Ends,
    total: Bytes,
}

impl Pure {
    pub(super) fn new() -> color_eyre::Result<Self> {
        Ok(Self { ends: Ends::open(0)?, total: Bytes::ZERO })
    }

    fn pay(&mut self) -> color_eyre::Result<()> {
        let Ends { payer, receiver, signer, session } = &mut self.ends;
        self.total = self.total.plus(PRICE)?;
        let pay = Command::Pay { session: session.clone(), up_to: self.total };
        let decision = payer.decide(&context(), pay)?;
        let Some(Effect::Send { package, .. }) = record(payer, decision)?.pop() else {
            bail!("a payment without a package");
        };
        let wire = serde_json::to_vec(&signer.sign(package)?)?;

        let package: SignedPackage = serde_json::from_slice(&wire)?;
        let receive = Command::Receive { tag: "tag".to_owned(), package, session: Some(session.clone()) };
        let decision = receiver.decide(&context(), receive)?;
        ensure!(!record(receiver, decision)?.is_empty(), "a payment without an answer");
        Ok(())
    }
}

/// Writes the events down as the journal does, and makes them so.
fn record(channel: &mut Channel, decision: Decision<Event, Effect>) -> color_eyre::Result<Vec<Effect>> {
    for event in &decision.events {
        std::hint::black_box(serde_json::to_vec(event)?);
        channel.apply(event);
    }
    Ok(decision.effects)
}

impl Way for Pure {
    fn run(&mut self, payments: u32, latencies: &mut Vec<Duration>) -> color_eyre::Result<Duration> {
        let began = Instant::now();
        let mut last = began;
        for _ in 0..payments {
            self.pay()?;
            let now = Instant::now();
            latencies.push(now - last);
            last = now;
        }
        Ok(last - began)
    }

    fn check(&mut self) -> color_eyre::Result<()> {
        ensure!(self.ends.payer.mine().spent == self.total, "the payer has not spent what it paid");
        ensure!(self.ends.receiver.peer().spent == self.total, "the receiver has not got what was paid");
        Ok(())
    }
}
