//! A seller and a buyer with a bad network between them, a thing with a true delivery, and a clock.

use std::{collections::VecDeque, string::String, vec::Vec};

use super::{
    party::{self, Keys},
    replay::{replayed, snapshot, step},
};
use crate::{
    Bytes, Machine, Timestamp,
    session::{
        ExposureMeter, Offer, Purchase, PurchaseCommand, PurchaseEffect, Reading, Sale, SaleCommand,
        SaleEffect, Signed, Statement,
    },
    tariff::Quantity,
};

/// One turn of the world.
pub(super) const TICK: u64 = 10;
/// How often both meters are read.
const METERED_EVERY: u64 = 50;

/// Who cheats, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cheat {
    Nobody,
    BuyerNeverPays,
    BuyerPaysLate,
    BuyerOverpays,
    BuyerReplays,
    SellerOverReports,
    SellerDeliversNothing,
    SellerDeliversUnasked,
}

/// What goes wrong, or is wanted, at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    CrashSale,
    CrashPurchase,
    BuyerStops,
    SellerEnds,
    BuyerControls,
}

/// What happens to the next message: how late it is, and whether it is lost or doubled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) delay: u64,
    pub(super) kind: u8,
}

/// How late the seller's meter speaks, and in which pulses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    pub(super) lag: u64,
    pub(super) resolution: u64,
}

#[derive(Clone, Debug)]
enum Message {
    Signed(Signed),
    Reading(Reading),
    Payment(Bytes),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Seller,
    Buyer,
}

#[derive(Clone, Debug)]
struct Letter {
    at: u64,
    to: To,
    message: Message,
}

pub(super) struct World {
    pub(super) now: u64,
    pub(super) sale: Sale,
    pub(super) purchase: Purchase,
    pub(super) cheat: Cheat,
    pub(super) exposure: ExposureMeter,
    /// What was truly delivered.
    pub(super) truth: u64,
    /// What the buyer truly got back.
    pub(super) given_back: Bytes,
    pub(super) acts: Vec<u64>,
    keys: Keys,
    fates: Vec<Fate>,
    sent: usize,
    letters: Vec<Letter>,
    meter: VecDeque<(u64, SaleCommand)>,
    gauge: Gauge,
    lit_until: u64,
    old_letters: Vec<Message>,
    sale_journal: Vec<String>,
    purchase_journal: Vec<String>,
}

impl World {
    pub(super) fn new(cheat: Cheat, fates: Vec<Fate>, gauge: Gauge) -> Self {
        let keys = Keys::new();
        let id = party::session();
        let mut world = Self {
            now: 1_000,
            sale: Sale::new(id),
            purchase: Purchase::new(id),
            cheat,
            exposure: ExposureMeter::new(party::tariff().step_price()),
            truth: 0,
            given_back: Bytes::ZERO,
            acts: Vec::new(),
            fates,
            sent: 0,
            letters: Vec::new(),
            meter: VecDeque::new(),
            gauge,
            lit_until: 0,
            old_letters: Vec::new(),
            sale_journal: Vec::new(),
            purchase_journal: Vec::new(),
            keys,
        };
        let quote = party::quote(&world.keys, gauge.resolution);
        world.seller(SaleCommand::Quote(quote.into()));
        world
    }

    pub(super) fn offer(&self) -> &Offer {
        self.sale.offer().expect("made at the start")
    }

    pub(super) fn value(&self) -> Bytes {
        self.offer().tariff.value(Quantity::new(self.truth))
    }

    /// Lets time pass; whatever is due happens, the exposures are watched at each turn.
    pub(super) fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.now < end {
            self.now += TICK;
            self.deliver_light();
            self.watch();
            self.read_meters();
            self.deliver_letters();
            self.wake();
            self.watch();
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::CrashSale => {
                self.lit_until = self.now;
                self.meter.clear();
                self.sale = replayed(Sale::new(self.sale.id()), &self.sale_journal);
                let effects = self.sale.pending();
                for effect in effects {
                    self.seller_does(effect);
                }
                self.seller(SaleCommand::Resumed { until: Timestamp::from_millis(self.now) });
            }
            Fault::CrashPurchase => {
                self.purchase = replayed(Purchase::new(self.purchase.id()), &self.purchase_journal);
                let effects = self.purchase.pending();
                for effect in effects {
                    self.buyer_does(effect);
                }
                self.buyer(PurchaseCommand::Resumed);
            }
            Fault::BuyerStops => self.buyer(PurchaseCommand::Stop),
            Fault::SellerEnds => self.seller(SaleCommand::End { why: super::End::ThingFailed }),
            Fault::BuyerControls => {
                self.buyer(PurchaseCommand::Control { action: "open".parse().unwrap() });
            }
        }
        self.watch();
    }

    /// Both machines are what their journals and their snapshots say.
    pub(super) fn assert_replayable(&self) {
        let id = party::session();
        assert_eq!(replayed(Sale::new(id), &self.sale_journal), self.sale);
        assert_eq!(replayed(Purchase::new(id), &self.purchase_journal), self.purchase);
        assert_eq!(snapshot(&self.sale), self.sale);
        assert_eq!(snapshot(&self.purchase), self.purchase);
    }

    pub(super) fn seller(&mut self, command: SaleCommand) {
        let effects = step(&mut self.sale, &mut self.sale_journal, self.now, command);
        for effect in effects {
            self.seller_does(effect);
        }
    }

    pub(super) fn buyer(&mut self, command: PurchaseCommand) {
        let effects = step(&mut self.purchase, &mut self.purchase_journal, self.now, command);
        for effect in effects {
            self.buyer_does(effect);
        }
    }

    fn seller_does(&mut self, effect: SaleEffect) {
        match effect {
            SaleEffect::Tell { statement, to: _ } => self.tell(To::Buyer, &statement),
            SaleEffect::Read { mut reading, to: _ } => {
                if self.cheat == Cheat::SellerOverReports {
                    reading.delivered = reading.delivered.plus(reading.delivered).plus(Quantity::new(100));
                }
                self.send(To::Buyer, Message::Reading(reading));
            }
            SaleEffect::Entitle { units_left, session: _, up_to: _ } => {
                let lease = self.offer().metering.rated.least_time_for(units_left);
                self.lit_until = Timestamp::from_millis(self.now).after(lease).millis();
            }
            SaleEffect::ReadLast { session: _ } => {
                let last = SaleCommand::Final { units: self.claimed() };
                self.meter.push_back((self.now + self.gauge.lag, last));
            }
            SaleEffect::Act { counter, session: _, action: _ } => self.acts.push(counter),
            SaleEffect::Owe { amount, session: _, to: _ } => {
                self.given_back = self.given_back.max(amount);
                self.seller(SaleCommand::Returned { total: amount });
                self.buyer(PurchaseCommand::Returned { total: amount });
            }
            SaleEffect::Expect { session: _, buyer: _, terms: _ } => {}
        }
    }

    fn buyer_does(&mut self, effect: PurchaseEffect) {
        match effect {
            PurchaseEffect::Tell { statement, to: _ } => self.tell(To::Seller, &statement),
            PurchaseEffect::OpenChannel { deposit, .. } => {
                self.seller(SaleCommand::Ready { deposit });
                self.buyer(PurchaseCommand::Ready { available: deposit });
            }
            PurchaseEffect::Pay { up_to, session: _, to: _ } => self.pay(up_to),
            PurchaseEffect::Done { session: _ } => {}
        }
    }

    fn pay(&mut self, up_to: Bytes) {
        match self.cheat {
            Cheat::BuyerNeverPays if up_to > self.offer().first => {}
            Cheat::BuyerPaysLate => {
                let at = self.now + 700;
                self.letters.push(Letter { at, to: To::Seller, message: Message::Payment(up_to) });
            }
            Cheat::BuyerOverpays => {
                let more = up_to.plus(Bytes::new(1_700)).unwrap();
                self.send(To::Seller, Message::Payment(more));
            }
            Cheat::Nobody
            | Cheat::BuyerNeverPays
            | Cheat::BuyerReplays
            | Cheat::SellerOverReports
            | Cheat::SellerDeliversNothing
            | Cheat::SellerDeliversUnasked => self.send(To::Seller, Message::Payment(up_to)),
        }
    }

    fn tell(&mut self, to: To, statement: &Statement) {
        let key = match to {
            To::Buyer => &self.keys.seller,
            To::Seller => &self.keys.buyer,
        };
        let signed = Signed::sign(statement, key).unwrap();
        self.send(to, Message::Signed(signed));
    }

    fn send(&mut self, to: To, message: Message) {
        let fate = self.fates[self.sent % self.fates.len()];
        self.sent += 1;
        let mut letter = Letter { at: self.now + fate.delay, to, message };
        // A channel does not lose payments, it says them again.
        let lost = fate.kind == 0 && !matches!(letter.message, Message::Payment(_));
        if self.cheat == Cheat::BuyerReplays && to == To::Seller {
            self.old_letters.push(letter.message.clone());
            for (index, old) in self.old_letters.iter().rev().take(4).enumerate() {
                let at = self.now + 40 * index as u64;
                self.letters.push(Letter { at, to, message: old.clone() });
            }
        }
        if fate.kind == 1 {
            self.letters.push(letter.clone());
            letter.at += 130;
        }
        if !lost {
            self.letters.push(letter);
        }
    }

    fn deliver_letters(&mut self) {
        loop {
            let due = self.letters.iter().position(|letter| letter.at <= self.now);
            let Some(index) = due else { return };
            let letter = self.letters.remove(index);
            match (letter.to, letter.message) {
                (To::Seller, Message::Payment(total)) => self.seller(SaleCommand::Paid { total }),
                (To::Seller, Message::Signed(package)) => self.seller_reads(package),
                (To::Buyer, Message::Reading(reading)) => self.buyer(PurchaseCommand::Read(reading)),
                (To::Buyer, Message::Signed(package)) => self.buyer_reads(package),
                (To::Seller, Message::Reading(_)) | (To::Buyer, Message::Payment(_)) => {
                    panic!("nobody sends that")
                }
            }
        }
    }

    fn seller_reads(&mut self, package: Signed) {
        let statement = package.open().unwrap().by(self.keys.buyer_address()).unwrap();
        if matches!(statement, Statement::Accept(_)) {
            self.seller(SaleCommand::Accept(package));
        } else {
            self.seller(SaleCommand::Instruct(package));
        }
    }

    fn buyer_reads(&mut self, package: Signed) {
        let statement = package.open().unwrap().by(self.keys.seller_address()).unwrap();
        if matches!(statement, Statement::Receipt(_)) {
            self.buyer(PurchaseCommand::Receipt(package));
        } else {
            let (buyer, order) = (self.keys.buyer_address(), party::order());
            self.buyer(PurchaseCommand::Buy { offer: package, buyer, order: order.into() });
        }
    }

    fn deliver_light(&mut self) {
        let lit = match self.cheat {
            Cheat::SellerDeliversNothing => false,
            Cheat::SellerDeliversUnasked => self.now > 1_200,
            Cheat::Nobody
            | Cheat::BuyerNeverPays
            | Cheat::BuyerPaysLate
            | Cheat::BuyerOverpays
            | Cheat::BuyerReplays
            | Cheat::SellerOverReports => true,
        };
        let unasked = self.cheat == Cheat::SellerDeliversUnasked;
        let from = self.now - TICK;
        let until = if unasked { self.now } else { self.lit_until.min(self.now) };
        if lit {
            self.truth += until.saturating_sub(from);
        }
    }

    fn read_meters(&mut self) {
        if self.now.is_multiple_of(METERED_EVERY) {
            let command =
                SaleCommand::Metered { units: self.claimed(), at: Timestamp::from_millis(self.now) };
            self.meter.push_back((self.now + self.gauge.lag, command));
            self.buyer(PurchaseCommand::Observed { units: Quantity::new(self.truth) });
        }
        while let Some((at, command)) = self.meter.pop_front() {
            if at > self.now {
                self.meter.push_front((at, command));
                return;
            }
            self.seller(command);
        }
    }

    /// What the seller's meter shows: whole pulses, or what a cheating seller would like.
    fn claimed(&self) -> Quantity {
        let truth = match self.cheat {
            Cheat::SellerDeliversNothing => self.now.saturating_sub(1_200),
            Cheat::Nobody
            | Cheat::BuyerNeverPays
            | Cheat::BuyerPaysLate
            | Cheat::BuyerOverpays
            | Cheat::BuyerReplays
            | Cheat::SellerOverReports
            | Cheat::SellerDeliversUnasked => self.truth,
        };
        let pulse = self.gauge.resolution;
        Quantity::new(truth / pulse * pulse)
    }

    fn wake(&mut self) {
        let now = Timestamp::from_millis(self.now);
        if self.sale.deadline().is_some_and(|deadline| deadline.at <= now) {
            self.seller(SaleCommand::Wake);
        }
        if self.purchase.deadline().is_some_and(|deadline| deadline.at <= now) {
            self.buyer(PurchaseCommand::Wake);
        }
    }

    fn watch(&mut self) {
        self.exposure.feed(self.purchase.paid(), self.sale.paid(), self.value());
    }
}
