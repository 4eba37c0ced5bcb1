//! A lamp and one who buys its light, twice, through one channel: the smallest street there is.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use coinop::{
    agenda::{Agenda, Rank},
    core::{
        Bytes, Timestamp,
        obyte::{address::Address, hash::sha256, key::SecretKey},
        session::{ChannelTerms, Metering, Order, Patience, SessionId, Witness},
        tariff::{Price, Quantity, Rate, Tariff, Unit},
    },
    journal::Journal,
    ledger::Embedded,
    network::Network,
    node::ledger::Config,
    notice::{Bus, Notice},
    party::{Demand, Desk, Occupancy, Party, Shop, Surroundings, Want},
    restore::Restored,
    run::{self, Clock, Control, Pace},
    shell::Shell,
};

/// When it begins.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// How long before that the ledger begins.
const BEFORE: Duration = Duration::from_secs(10);
const LATENCY: Duration = Duration::from_millis(5);
const TICK: Duration = Duration::from_millis(50);
const FUNDS: Bytes = Bytes::new(1_000_000);
/// When what is bought, in milliseconds.
const PLAN: [(u64, u64); 2] = [(0, 1_500), (5_000, 800)];

/// Runs actors to the end of `story`.
pub(crate) fn on_one_thread(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, story);
}

/// Two parties, a market, a ledger.
pub(crate) struct World {
    pub(crate) shell: Shell,
    pub(crate) ledger: Embedded,
    pub(crate) seller: Rc<Party>,
    pub(crate) buyer: Rc<Party>,
    clock: Clock,
    lamp: Rc<Lamp>,
    _desk: Rc<Desk>,
}

/// What the lamp has shone for each session.
#[derive(Default)]
struct Lamp {
    lights: RefCell<BTreeMap<SessionId, Light>>,
    ticks: Cell<u64>,
}

#[derive(Clone, Copy)]
struct Light {
    shone: u64,
    up_to: u64,
    last: LastWord,
}

#[derive(Clone, Copy, PartialEq)]
enum LastWord {
    NotYet,
    Wanted,
}

impl World {
    /// Builds the world, new or from a journal, and hears every notice.
    pub(crate) async fn build(journal: Box<dyn Journal>, hear: impl FnMut(&Notice) + 'static) -> Self {
        let restored = Restored::new(journal.entries().unwrap());
        let genesis = Timestamp::from_millis(START.millis() - u64::try_from(BEFORE.as_millis()).unwrap());
        let now = restored.latest().unwrap_or(genesis);
        let bus = Bus::default();
        bus.listen(hear);
        let seed = sha256(format!("a small street {}", now.millis()).as_bytes());
        let shell = Shell::new(Agenda::new(now), bus, journal, START, seed);
        let network = Network::new(shell.agenda().clone(), LATENCY);
        let config = Config {
            genesis,
            until_stable: Duration::from_millis(400),
            proves: false,
            seed: sha256(b"a small ledger"),
        };
        let ledger = Embedded::open(&shell, Rank(0), &config, LATENCY, &restored).unwrap();
        let market = Address::of_key(&key("market").public());
        let desk = Desk::open(&shell, &network, Rank(2), market, &restored).unwrap();
        let around = || Surroundings {
            shell: shell.clone(),
            network: network.clone(),
            ledger: Rc::new(ledger.clone()),
            market,
            book: Rc::default(),
        };
        let lamp = Rc::<Lamp>::default();
        let seller = Party::start("lamp", Rank(3), key("lamp"), around(), &restored).await.unwrap();
        seller.sell(shop(&lamp));
        seller.resume(shell.now()).await;
        let buyer = Party::start("alice", Rank(4), key("alice"), around(), &restored).await.unwrap();
        buyer.resume(shell.now()).await;
        for party in [&seller, &buyer] {
            ledger.fund(party.address(), FUNDS).await.unwrap();
        }
        let clock = Clock::new(Pace::Max, now);
        let world = Self { shell, ledger, seller, buyer, clock, lamp, _desk: desk };
        world.play_until(START).await;
        world.plan();
        world
    }

    /// Plays up to this moment.
    pub(crate) async fn play_until(&self, until: Timestamp) {
        run::run(&self.shell, &self.clock, until, &mut || Control::Continue).await.unwrap();
    }

    fn plan(&self) {
        for (plan, (at, amount)) in (0..).zip(PLAN) {
            let (buyer, at) = (Rc::clone(&self.buyer), START.after(Duration::from_millis(at)));
            self.shell.agenda().at(at, Rank(9), async move { buyer.buy(want(plan, amount)) });
        }
        tick(self.shell.clone(), Rc::clone(&self.lamp), Rc::clone(&self.seller), Rc::clone(&self.buyer));
    }
}

/// One beat of the lamp, and the next.
fn tick(shell: Shell, lamp: Rc<Lamp>, seller: Rc<Party>, buyer: Rc<Party>) {
    let agenda = shell.agenda().clone();
    agenda.at(shell.now().after(TICK), Rank(1), async move {
        lamp.ticks.set(lamp.ticks.get() + 1);
        let sessions: Vec<_> = lamp.lights.borrow().keys().copied().collect();
        for session in sessions {
            let light = lamp.shine(session, buyer.has_observed(session).get());
            let shone = Quantity::new(light.shone);
            seller.metered(session, shone, shell.now()).await;
            buyer.observed(session, shone).await;
            if light.last == LastWord::Wanted {
                seller.metered_finally(session, shone).await;
                lamp.lights.borrow_mut().remove(&session);
            }
        }
        tick(shell, lamp, seller, buyer);
    });
}

impl Lamp {
    fn shine(&self, session: SessionId, seen: u64) -> Light {
        let mut lights = self.lights.borrow_mut();
        let light = lights.get_mut(&session).unwrap();
        let more = u64::try_from(TICK.as_millis()).unwrap();
        light.shone = light.shone.max(seen);
        if light.shone < light.up_to {
            light.shone = (light.shone + more).min(light.up_to);
        }
        *light
    }

    fn hear(&self, demand: &Demand) {
        let mut lights = self.lights.borrow_mut();
        match demand {
            Demand::Entitle { session, units_left, up_to } => {
                let shone = up_to.less(*units_left).get();
                let light =
                    lights.entry(*session).or_insert(Light { shone, up_to: 0, last: LastWord::NotYet });
                light.up_to = if units_left.is_zero() { 0 } else { up_to.get() };
            }
            Demand::ReadLast { session } => {
                if let Some(light) = lights.get_mut(session) {
                    light.last = LastWord::Wanted;
                }
            }
            Demand::Act { .. } => {}
        }
    }
}

fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sha256(name.as_bytes())).unwrap()
}

fn shop(lamp: &Rc<Lamp>) -> Shop {
    let lamp = Rc::clone(lamp);
    Shop {
        thing: "lamp".parse().unwrap(),
        kind: "light".parse().unwrap(),
        tariff: Tariff::new(Unit::Millisecond, Bytes::new(1_000), Quantity::new(1_000), Quantity::new(100))
            .unwrap(),
        metering: Metering {
            rated: Rate::CLOCK,
            resolution: Quantity::new(50),
            gap_ms: 80,
            error_permille: 0,
            apart_permille: 10,
        },
        terms: ChannelTerms { timeout: 1, salt: "small".to_owned(), min_deposit: Bytes::new(20_000) },
        grace_ms: 2_000,
        occupancy: Occupancy::One,
        device: Rc::new(move |demand| lamp.hear(&demand)),
    }
}

fn want(plan: u32, millis: u64) -> Want {
    let deposit = Bytes::new(50_000);
    Want {
        plan,
        kind: "light".to_owned(),
        unit: Unit::Millisecond,
        order: Order {
            wanted: Some(Quantity::new(millis)),
            longest_ms: None,
            budget: deposit,
            unit: Unit::Millisecond,
            limit: Price { bytes: Bytes::new(1_000), per: Quantity::new(1_000) },
            deposit,
            witness: Witness::Own,
            error_permille: 10,
            patience: Patience { retry_ms: 1_000, deposit_ms: 30_000, stall_ms: 5_000, settle_ms: 1_500 },
        },
        from: None,
    }
}
