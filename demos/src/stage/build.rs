//! Builds the world of a scenario, new or from the journal.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use coinop::{
    agenda::Rank,
    core::{
        Bytes, Timestamp,
        board::Direction,
        obyte::{
            address::Address,
            hash::sha256,
            key::{KeyError, SecretKey},
        },
        session::{ChannelTerms, Metering, Name},
        tariff::{Quantity, Tariff},
    },
    hub::HubLedger,
    journal::JournalError,
    ledger::{Embedded, OpenError},
    network::Network,
    node::ledger::Config,
    notice::{Fact, LinkState, ThingLine},
    party::{Desk, Occupancy, Party, Shop, Surroundings},
    restore::Restored,
    run::{self, Clock, Control, Pace},
    shell::Shell,
};
use coinop_hardware::plant::Plant;

use super::{Demand, FIRST_PARTY, HUB, MARKET, Money, Role, Stage, Thing};
use crate::{
    devices::{self, Built, Device, Setup},
    rig::{self, Rig, RigError},
    scenario::{self, Scenario},
};

/// How long a buyer may be late with a step before its session ends.
const GRACE: Duration = Duration::from_secs(3);
/// The least a buyer has to lock in a channel.
pub(crate) const MIN_DEPOSIT: Bytes = Bytes::new(20_000);

/// When the ledger begins, for a scenario that begins at `start`: long enough before it for
/// everybody's first money to become final.
pub(crate) fn before(start: Timestamp) -> Timestamp {
    Timestamp::from_millis(start.millis().saturating_sub(60_000))
}

/// What a stage begins with.
pub(crate) struct Begin {
    pub(crate) shell: Shell,
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    pub(crate) rig: rig::Kind,
    pub(crate) watchdog: Option<String>,
    pub(crate) restored: Restored,
    /// The ledger, when it is elsewhere.
    pub(crate) elsewhere: Option<HubLedger>,
}

/// The stage cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// The ledger cannot begin or go on.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// A state in the journal is not what it should be.
    #[error("a state in the journal cannot be read")]
    State(#[from] serde_json::Error),
    /// The hardware cannot be had.
    #[error(transparent)]
    Rig(#[from] RigError),
    /// Nothing can be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A key cannot be made.
    #[error("a party's key cannot be made")]
    Key(#[from] KeyError),
    /// The scenario describes something that cannot be.
    #[error("{thing}: {what}")]
    Thing {
        /// Which thing.
        thing: String,
        /// What is wrong.
        what: String,
    },
}

/// The key of a party: of the scenario's seed and the party's name, so that a seed gives one run.
/// Everybody who knows the scenario knows it: this is test money.
pub(crate) fn key(seed: u64, name: &str) -> Result<SecretKey, KeyError> {
    SecretKey::from_bytes(&sha256(format!("coinop {seed} {name}").as_bytes()))
}

impl Stage {
    /// Builds the stage and lets everybody begin.
    pub(crate) async fn build(begin: Begin) -> Result<Rc<Self>, StageError> {
        let Begin { shell, scenario, seed, rig, watchdog, restored, elsewhere } = begin;
        let network = Network::new(shell.agenda().clone(), scenario.latency.0);
        let money = match elsewhere {
            Some(ledger) => Money::Elsewhere(ledger),
            None => Money::Own(own_ledger(&shell, &scenario, seed, &restored)?),
        };
        let market = Address::of_key(&key(seed, "market")?.public());
        let desk = Desk::open(&shell, &network, MARKET, market, &restored)?;
        let (things, plants, lines) = things(&scenario, shell.now().max(shell.start()))?;
        let rig = Rig::new(rig, lines, plants, watchdog.as_deref(), shell.now().max(shell.start()))?;
        let stage = Rc::new(Self {
            shell,
            scenario,
            network,
            money,
            desk,
            market,
            book: Rc::new(RefCell::new(BTreeMap::from([(market, "market".to_owned())]))),
            seed,
            cast: RefCell::default(),
            things: RefCell::new(things),
            rig: RefCell::new(rig),
            trouble: RefCell::default(),
            next_words: std::cell::Cell::default(),
            deviations: RefCell::default(),
        });
        stage.introduce();
        stage.begin(&restored).await?;
        stage.wait_for_funds().await?;
        stage.plan();
        Ok(stage)
    }

    /// Tells who and what is there.
    fn introduce(self: &Rc<Self>) {
        for thing in self.things.borrow().iter() {
            let setup = self.scenario.thing.iter().find(|entry| *entry.name.get_ref() == thing.name);
            let name = |own: &str| setup.map_or_else(|| own.to_owned(), |thing| Setup { thing }.line(own));
            let lines = thing.device.lines.iter();
            let lines = lines.map(|line| ThingLine { name: name(line.name), direction: line.direction });
            let fact = Fact::Thing {
                thing: thing.name.clone(),
                service: thing.device.kind.to_owned(),
                lines: lines.filter(|line| thing.has(&line.name)).collect(),
            };
            self.tell(&thing.name, fact);
        }
    }

    async fn begin(self: &Rc<Self>, restored: &Restored) -> Result<(), StageError> {
        let names: Vec<_> = self
            .scenario
            .thing
            .iter()
            .map(|thing| (thing.name.get_ref().clone(), thing.funds.0))
            .chain(
                self.scenario
                    .buyer
                    .iter()
                    .map(|buyer| (buyer.name.get_ref().clone(), buyer.funds.get_ref().0)),
            )
            .collect();
        // Everybody's name, before anybody tells of others what the journal holds.
        for (name, _) in &names {
            let address = Address::of_key(&key(self.seed, name)?.public());
            self.book.borrow_mut().insert(address, name.clone());
        }
        for (index, (name, funds)) in names.iter().enumerate() {
            let rank = Rank(FIRST_PARTY.saturating_add(u16::try_from(index).unwrap_or(u16::MAX)));
            self.cast.borrow_mut().insert(name.clone(), Role { rank, party: None, killed: None });
            let party = self.enter(name, restored).await?;
            let role = if self.scenario.thing.iter().any(|thing| thing.name.get_ref() == name) {
                "seller"
            } else {
                "buyer"
            };
            let fact = Fact::Party { address: party.address().to_string(), role: role.to_owned() };
            self.tell(name, fact);
            self.tell_links(name);
            if let Err(error) = self.money.fund(party.address(), *funds).await {
                self.tell(name, Fact::Refusal { reason: error.to_string() });
            }
        }
        Ok(())
    }

    /// Tells which links there are: each buyer can reach each thing.
    fn tell_links(&self, name: &str) {
        if self.scenario.buyer.iter().any(|buyer| buyer.name.get_ref() == name) {
            for thing in &self.scenario.thing {
                let other = thing.name.get_ref().clone();
                self.tell(name, Fact::Link { one: name.to_owned(), other, state: LinkState::Up });
            }
        }
    }

    /// Lets the time before the scenario pass, in which everybody's first money becomes final.
    async fn wait_for_funds(&self) -> Result<(), StageError> {
        let (start, mut go_on) = (self.shell.start(), || Control::Continue);
        if self.shell.now() < start {
            run::run(&self.shell, &Clock::new(Pace::Max, self.shell.now()), start, &mut go_on).await?;
        }
        Ok(())
    }

    /// Lets a party in: for the first time, or after it was killed.
    pub(super) async fn enter(
        self: &Rc<Self>,
        name: &str,
        restored: &Restored,
    ) -> Result<Rc<Party>, StageError> {
        let around = Surroundings {
            shell: self.shell.clone(),
            network: self.network.clone(),
            ledger: self.money.ledger(),
            market: self.market,
            book: Rc::clone(&self.book),
        };
        let rank = self.cast.borrow().get(name).map_or(Rank(FIRST_PARTY), |role| role.rank);
        let party = Party::start(name, rank, key(self.seed, name)?, around, restored).await?;
        if let Some(role) = self.cast.borrow_mut().get_mut(name) {
            role.party = Some(Rc::clone(&party));
        }
        if let Some(shop) = self.shop(name)? {
            party.sell(shop);
        }
        self.tell_if_broken(name, &party).await;
        let until = self.cast.borrow().get(name).and_then(|role| role.killed);
        party.resume(until.unwrap_or_else(|| self.shell.now())).await;
        Ok(party)
    }

    /// What a thing sells; nothing for a buyer.
    fn shop(self: &Rc<Self>, name: &str) -> Result<Option<Shop>, StageError> {
        let things = self.things.borrow();
        let Some((index, thing)) = things.iter().enumerate().find(|(_, thing)| thing.name == name) else {
            return Ok(None);
        };
        let entry = self.scenario.thing.iter().find(|entry| entry.name.get_ref() == name);
        let timeout = entry.map_or(10, |entry| entry.timeout.0.as_secs().max(1));
        let wrong = |what: String| StageError::Thing { thing: name.to_owned(), what };
        let word = |text: &str| text.parse::<Name>().map_err(|error| wrong(error.to_string()));
        let stage = Rc::downgrade(self);
        let device = Rc::new(move |demand: Demand| {
            if let Some(stage) = stage.upgrade() {
                stage.demand(index, demand);
            }
        });
        Ok(Some(Shop {
            thing: word(&thing.name)?,
            kind: word(thing.device.kind)?,
            tariff: thing.tariff,
            metering: thing.metering,
            terms: ChannelTerms { timeout, salt: "coinop".to_owned(), min_deposit: MIN_DEPOSIT },
            grace_ms: u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX),
            occupancy: if thing.device.single { Occupancy::One } else { Occupancy::Many },
            device,
        }))
    }
}

fn own_ledger(
    shell: &Shell,
    scenario: &Scenario,
    seed: u64,
    restored: &Restored,
) -> Result<Embedded, OpenError> {
    let config = Config {
        genesis: before(shell.start()),
        until_stable: scenario.stable_after.0,
        proves: false,
        seed: sha256(format!("coinop hub {seed}").as_bytes()),
    };
    Embedded::open(shell, HUB, &config, scenario.latency.0, restored)
}

/// Who takes part with which key, and what they begin with.
pub(crate) fn funds(scenario: &Scenario, seed: u64) -> Result<Vec<(Address, Bytes)>, KeyError> {
    let things = scenario.thing.iter().map(|thing| (thing.name.get_ref(), thing.funds.0));
    let buyers = scenario.buyer.iter().map(|buyer| (buyer.name.get_ref(), buyer.funds.get_ref().0));
    let funds = things.chain(buyers).filter(|(_, funds)| !funds.is_zero());
    funds.map(|(name, funds)| Ok((Address::of_key(&key(seed, name)?.public()), funds))).collect()
}

type World = (Vec<Thing>, Vec<Box<dyn Plant>>, Vec<coinop::core::board::LineSpec>);

/// All the lines that the things of a scenario need.
pub(crate) fn lines(
    scenario: &Scenario,
    now: coinop::core::Timestamp,
) -> Result<Vec<coinop::core::board::LineSpec>, StageError> {
    things(scenario, now).map(|(_, _, lines)| lines)
}

/// The worlds behind things, and all their lines.
pub(crate) type Worlds = (Vec<Box<dyn Plant>>, Vec<coinop::core::board::LineSpec>);

/// The worlds behind the things of a scenario, and all their lines.
pub(crate) fn worlds(scenario: &Scenario, now: coinop::core::Timestamp) -> Result<Worlds, StageError> {
    things(scenario, now).map(|(_, plants, lines)| (plants, lines))
}

/// The things of a scenario, the worlds behind them, and all their lines.
fn things(scenario: &Scenario, now: coinop::core::Timestamp) -> Result<World, StageError> {
    let (mut things, mut plants, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &scenario.thing {
        let name = entry.name.get_ref().clone();
        let wrong = |what: String| StageError::Thing { thing: name.clone(), what };
        let device = devices::of(entry.kind.get_ref()).ok_or_else(|| wrong("no such device".to_owned()))?;
        let setup = Setup { thing: entry };
        let Built { plant, meter, source, metering } = (device.build)(&setup).map_err(wrong)?;
        let tariff = tariff(device, entry).map_err(wrong)?;
        let metering = within_a_step(metering, &tariff);
        metering.check(&tariff).map_err(|refusal| wrong(format!("{refusal}; take a larger step")))?;
        let power = setup.line(device.power);
        lines.extend(plant.lines());
        let gauge = (meter, source, metering);
        let thing = Thing::new(name.clone(), device, tariff, power, plants.len(), gauge, now);
        things.push(thing.wired(plant.lines().into_iter().map(|line| line.name)));
        plants.push(plant);
    }
    debug_assert!(lines.iter().any(|line| line.direction == Direction::Output) || things.is_empty());
    Ok((things, plants, lines))
}

/// A meter that is silent for longer than a step takes would give more than a step away.
fn within_a_step(metering: Metering, tariff: &Tariff) -> Metering {
    let step = metering.rated.least_time_for(tariff.step());
    let most = u64::try_from(step.as_millis()).unwrap_or(u64::MAX) / 5 * 4;
    Metering { gap_ms: metering.gap_ms.min(most), ..metering }
}

/// The tariff of a thing.
pub(crate) fn tariff(device: &Device, entry: &scenario::Thing) -> Result<Tariff, String> {
    let units = |text: &str| devices::quantity(device.unit, text).map(Quantity::new);
    let (per, step) = (units(entry.per.get_ref())?, units(entry.step.get_ref())?);
    Tariff::new(device.unit, entry.price.get_ref().0, per, step).map_err(|error| error.to_string())
}
