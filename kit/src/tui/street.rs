//! A small street as notices, for the tests of the picture.

use coinop_core::{
    Bytes,
    board::{Direction, Level},
};

use crate::notice::{ChannelState, Fact, LinkState, Notice, SessionState, ThingLine};

const LAMP_CHANNEL: &str = "LMPQ3XVWN7RDT5SYK2ZB4HCF6JEGAOUI";
const CAR_CHANNEL: &str = "CARW5TSNRQ7MDXZ4KYV2PBH6LFJGCAEO";
const ROOM_CHANNEL: &str = "RUM4ZTVXWQS5NRK7DYB2PHC6LJFGMAEI";
const CHEAT_CHANNEL: &str = "MAL7WQXZT5NVRSD4KYB2PHC6LJFGUAEO";

/// A street up to the middle of its life: the lamp and the charger run, the room was settled, a
/// cheater was punished, and the link to the charger is cut while a payment is on its way.
pub(super) fn street() -> Vec<Notice> {
    let mut street = Street(Vec::new());
    street.open();
    street.room_is_let();
    street.mallory_cheats();
    street.lamp_is_paid();
    street.car_is_charged();
    street.0
}

struct Street(Vec<Notice>);

impl Street {
    fn tell(&mut self, at: u64, who: &str, fact: Fact) {
        self.0.push(Notice { v: 1, at, who: who.to_owned(), fact });
    }

    fn open(&mut self) {
        for (name, role, holds) in [
            ("alice", "buyer", 5_000_000),
            ("bob", "buyer", 25_000_000),
            ("carol", "buyer", 1_250_000),
            ("mallory", "buyer", 400_000),
            ("lamp", "seller", 120_000),
            ("charger", "seller", 90_000),
            ("room", "seller", 1_090_000),
        ] {
            let address = format!("{}{}", name.to_uppercase(), "7".repeat(32 - name.len()));
            self.tell(0, name, Fact::Party { address, role: role.to_owned() });
            let pending = if name == "alice" { 98_500 } else { 0 };
            let fact = Fact::Balance { stable: Bytes::new(holds), pending: Bytes::new(pending) };
            self.tell(0, name, fact);
        }
        self.thing("lamp", "light", &[("LAMP", Direction::Output), ("LIGHT", Direction::Input)], 100);
        let charger =
            [("CONTACTOR", Direction::Output), ("METER", Direction::Input), ("PLUG", Direction::Input)];
        self.thing("charger", "ev-charging", &charger, 2_500);
        self.thing("room", "room", &[("LOCK", Direction::Output), ("DOOR", Direction::Input)], 30_000);
        for (one, other) in [("alice", "lamp"), ("bob", "charger"), ("carol", "room"), ("mallory", "lamp")] {
            self.link(0, one, other, LinkState::Up);
        }
        self.tell(0, "charger", line("PLUG", Level::High));
        self.tell(0, "room", line("DOOR", Level::High));
    }

    fn thing(&mut self, thing: &str, service: &str, lines: &[(&str, Direction)], step: u64) {
        let line = |(name, direction): &(&str, Direction)| ThingLine {
            name: (*name).to_owned(),
            direction: *direction,
        };
        let lines = lines.iter().map(line).collect();
        let (name, service) = (thing.to_owned(), service.to_owned());
        self.tell(0, thing, Fact::Thing { thing: name.clone(), service: service.clone(), lines });
        self.tell(20, thing, Fact::Listing { thing: name, service, step: Bytes::new(step) });
    }

    fn link(&mut self, at: u64, one: &str, other: &str, state: LinkState) {
        let fact = Fact::Link { one: one.to_owned(), other: other.to_owned(), state };
        self.tell(at, one, fact);
    }

    fn room_is_let(&mut self) {
        let carol = Deal::new("s-room-0001", "carol", "room", ROOM_CHANNEL, 30_000);
        self.begin(400, &carol, 400_000);
        self.tell(1_250, "room", line("LOCK", Level::High));
        self.tell(4_300, "room", line("DOOR", Level::Low));
        self.pay(1_200, &carol, 60_000, 60_000);
        self.deliver(5_100, &carol, 30_000, 1);
        self.pay(5_200, &carol, 90_000, 30_000);
        self.tell(9_000, "room", line("LOCK", Level::Low));
        self.deliver(9_000, &carol, 89_500, 2);
        self.session(9_100, &carol, SessionState::Stopped);
        self.channel(9_200, &carol, ChannelState::Closing, 400_000);
        self.channel(10_300, &carol, ChannelState::Closed, 400_000);
        self.session(10_400, &carol, SessionState::Settled);
    }

    fn mallory_cheats(&mut self) {
        let mallory = Deal::new("s-lamp-0007", "mallory", "lamp", CHEAT_CHANNEL, 100);
        self.begin(11_000, &mallory, 50_000);
        self.pay(12_000, &mallory, 200, 200);
        let reason = format!("the package repeats amount_spent 200 of {}", "q3Zx/9".repeat(6));
        self.tell(12_400, "lamp", Fact::Refusal { reason });
        let what = "mallory closes with an old balance".to_owned();
        self.tell(12_500, "mallory", Fact::Intervention { what, again: serde_json::Value::Null });
        self.session(12_500, &mallory, SessionState::Disputed);
        self.channel(12_500, &mallory, ChannelState::Closing, 50_000);
        self.channel(13_600, &mallory, ChannelState::Punished, 50_000);
    }

    fn lamp_is_paid(&mut self) {
        let alice = Deal::new("s-lamp-0009", "alice", "lamp", LAMP_CHANNEL, 100);
        self.begin(14_000, &alice, 50_000);
        for second in 0..25_u64 {
            let at = 15_000 + second * 1_000;
            let amount = if second == 0 { 200 } else { 100 };
            self.deliver(at - 10, &alice, 100 * second, second);
            self.pay(at, &alice, 100 * second + 200, amount);
            self.tell(at + 30, "lamp", Fact::Lease { line: "LAMP".to_owned(), until: at + 1_900 });
            if second == 0 {
                self.tell(at + 40, "lamp", line("LAMP", Level::High));
                self.tell(at + 80, "lamp", line("LIGHT", Level::High));
            }
            self.deliver(at + 500, &alice, 100 * second + 50, second);
        }
        self.tell(39_600, "hub", Fact::Audit { money_conserved: true });
    }

    fn car_is_charged(&mut self) {
        let bob = Deal::new("s-car-0003", "bob", "charger", CAR_CHANNEL, 2_500);
        self.begin(20_000, &bob, 250_000);
        for turn in 0..8_u64 {
            let at = 21_000 + turn * 2_000;
            self.deliver(at - 10, &bob, 2_500 * turn, turn);
            self.pay(at, &bob, 2_500 * turn + 5_000, if turn == 0 { 5_000 } else { 2_500 });
            self.tell(at + 30, "charger", Fact::Lease { line: "CONTACTOR".to_owned(), until: at + 6_000 });
            self.tell(at + 40, "charger", line("CONTACTOR", Level::High));
            self.tell(at + 900, "charger", line("METER", Level::High));
            self.deliver(at + 900, &bob, 2_500 * turn + 1_250, turn);
            self.tell(at + 930, "charger", line("METER", Level::Low));
        }
        self.deliver(38_000, &bob, 23_500, 9);
        self.link(38_500, "bob", "charger", LinkState::Cut);
        self.package(38_900, &bob, 25_000, 2_500);
        let what = "no pulse for 900 ms, the meter may be stuck".to_owned();
        self.tell(39_000, "charger", Fact::Fault { what });
    }

    fn begin(&mut self, at: u64, deal: &Deal, deposit: u64) {
        self.session(at, deal, SessionState::Offered);
        self.session(at + 60, deal, SessionState::Accepted);
        self.channel(at + 100, deal, ChannelState::Opening, deposit);
        self.channel(at + 700, deal, ChannelState::Open, deposit);
        self.session(at + 750, deal, SessionState::Running);
    }

    /// Both sides tell, the buyer first.
    fn session(&mut self, at: u64, deal: &Deal, state: SessionState) {
        for who in [&deal.buyer, &deal.thing] {
            let fact = Fact::Session {
                id: deal.id.clone(),
                thing: deal.thing.clone(),
                buyer: deal.buyer.clone(),
                channel: deal.channel.clone(),
                step: Bytes::new(deal.step),
                state,
            };
            self.tell(at, who, fact);
        }
    }

    fn channel(&mut self, at: u64, deal: &Deal, state: ChannelState, deposited: u64) {
        for (who, peer) in [(&deal.buyer, &deal.thing), (&deal.thing, &deal.buyer)] {
            let fact = Fact::Channel {
                channel: deal.channel.clone(),
                peer: peer.clone(),
                period: 1,
                state,
                deposited: Bytes::new(deposited),
            };
            self.tell(at, who, fact);
        }
    }

    fn package(&mut self, at: u64, deal: &Deal, spent: u64, amount: u64) {
        let fact = Fact::Package {
            channel: deal.channel.clone(),
            period: 1,
            session: deal.id.clone(),
            amount_spent: Bytes::new(spent),
            payment_amount: Bytes::new(amount),
            session_total: Bytes::new(spent),
            signed_package: serde_json::json!({}),
        };
        self.tell(at, &deal.buyer, fact);
    }

    fn pay(&mut self, at: u64, deal: &Deal, spent: u64, amount: u64) {
        self.package(at, deal, spent, amount);
        let fact = Fact::Paid { session: deal.id.clone(), value: Bytes::new(spent) };
        self.tell(at + 20, &deal.thing, fact);
    }

    fn deliver(&mut self, at: u64, deal: &Deal, value: u64, units: u64) {
        let fact = Fact::Delivered { session: deal.id.clone(), value: Bytes::new(value), units };
        self.tell(at, &deal.thing, fact);
    }
}

struct Deal {
    id: String,
    buyer: String,
    thing: String,
    channel: String,
    step: u64,
}

impl Deal {
    fn new(id: &str, buyer: &str, thing: &str, channel: &str, step: u64) -> Self {
        let [id, buyer, thing, channel] = [id, buyer, thing, channel].map(str::to_owned);
        Self { id, buyer, thing, channel, step }
    }
}

fn line(name: &str, level: Level) -> Fact {
    Fact::Line { line: name.to_owned(), level }
}
