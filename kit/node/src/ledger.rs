//! The embedded ledger: one small, real node as a state machine.
//!
//! It validates and stores units, lets one order provider make them stable, and runs the channel agents.
//! It holds no secret keys: what its order provider and its faucet post is composed here, and signed
//! outside by the [`Treasury`].

mod audit;
mod draft;
mod genesis;
mod live;
mod notice;
mod query;
mod steps;

use std::{collections::BTreeMap, fmt, time::Duration};

use coinop_core::{
    AmountError, Bytes, Context, Deadline, Decision, Machine, Timestamp,
    machine::Settled,
    obyte::{address::Address, hash::Hash, key::PublicKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::{
    audit::{Audit, Discrepancy},
    draft::{Draft, Unfunded},
    genesis::{Config, GenesisError, Treasury},
    live::Due,
    notice::{Notice, Push},
    query::{Balance, Definition, NoQuote, Quote},
};
use crate::{
    agent::{
        Record,
        channel::{Channel, NoChannel},
    },
    dag::{Charged, Dag, Places, Stabilized},
    validate::{Verdict, validate},
};
use live::Live;
pub(crate) use notice::touched;

/// What the faucet keeps for the fees of what it has promised.
const FEES_OF_GIFTS: Bytes = Bytes::new(1_000_000);

/// The embedded node: the graph of units, the agents that live in it, and what is to be done next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    dag: Dag,
    until_stable: Duration,
    proves: bool,
    provider: PublicKey,
    faucet: PublicKey,
    agents: BTreeMap<Address, Live>,
    work: Work,
}

/// What is under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Work {
    /// When something last happened.
    now: Timestamp,
    /// The triggers that are stable and not answered yet, in order.
    triggers: Vec<Due>,
    /// The main chain index whose units are not charged their tps fee yet.
    uncharged: Option<u64>,
    /// What is composed and not posted yet, one for each of the node's own purses.
    drafts: BTreeMap<Purse, Draft>,
    /// Who asked the faucet for how much and did not get it yet.
    requests: Vec<(Address, Bytes)>,
    /// What the faucet gave, or is about to give.
    funded: BTreeMap<Address, Bytes>,
    last_beat: Timestamp,
    /// Since when there has been something for the order provider to make stable.
    waiting_since: Timestamp,
}

/// The node's own money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purse {
    /// Pays for the order provider's heartbeats.
    Provider,
    /// Gives money to whoever asks.
    Faucet,
}

/// What one may ask of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Take this unit. Again is no error, and does nothing.
    Post {
        /// The complete, signed unit.
        unit: Value,
    },
    /// Give money from the faucet.
    Fund {
        /// To whom.
        address: Address,
        /// How much.
        amount: Bytes,
    },
    /// Do the next thing that is due: one at a time.
    Wake,
}

/// What happened on the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A unit was taken.
    Accepted {
        /// When.
        at: Timestamp,
        /// The unit.
        unit: Value,
        /// Its place, and what other places became.
        places: Places,
    },
    /// The units of a main chain index became final.
    Stable {
        /// When.
        at: Timestamp,
        /// The index.
        mci: u64,
        /// The units with their balls, and what was earned.
        stabilized: Stabilized,
        /// The channels they define.
        born: Vec<Channel>,
        /// The triggers among them.
        triggers: Vec<Due>,
    },
    /// An agent answered a trigger.
    Responded {
        /// When.
        at: Timestamp,
        /// The answer.
        record: Record,
        /// The response unit, if any.
        unit: Option<Value>,
        /// Its place, and what other places became.
        places: Places,
    },
    /// The units of a main chain index were charged for their part in the traffic.
    Charged {
        /// When.
        at: Timestamp,
        /// What each was charged.
        charged: Charged,
    },
    /// Somebody asked the faucet for money.
    Requested {
        /// When.
        at: Timestamp,
        /// Who.
        address: Address,
        /// How much this time.
        amount: Bytes,
        /// How much so far.
        total: Bytes,
    },
    /// A unit of the node's own was composed.
    Drafted {
        /// When.
        at: Timestamp,
        /// Out of whose money.
        purse: Purse,
        /// The unit.
        draft: Draft,
    },
}

/// What the shell has to do for the ledger.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Sign this with [`Treasury::sign`] and post it.
    Sign {
        /// With whose key.
        purse: Purse,
        /// What.
        draft: Draft,
    },
    /// Tell whoever watches one of these addresses.
    Push(Push),
}

/// Why the ledger says no.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The unit is not valid, in the words of the hubs.
    #[error(transparent)]
    Verdict(#[from] Verdict),
    /// The unit defines an agent that does not run here.
    #[error(transparent)]
    Agent(#[from] NoChannel),
    /// The unit defines or pays an asset.
    #[error("this node knows bytes only")]
    BytesOnly,
    /// Nothing was asked of the faucet, or too much.
    #[error("the faucet cannot give {0}: {1}")]
    Amount(Bytes, AmountError),
    /// The unit spends the node's own money, and the node did not compose it.
    #[error("the money of the {0} moves by the node's own drafts only")]
    NotDrafted(Purse),
    /// The node cannot pay what it should.
    #[error(transparent)]
    Unfunded(#[from] Unfunded),
}

impl Machine for Ledger {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Settled<Self>, Refusal> {
        match command {
            Command::Post { unit } => self.post(context.now, &unit),
            Command::Fund { address, amount } => self.fund(context.now, address, amount),
            Command::Wake => self.step(context.now),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Accepted { at, unit, places } => self.accepted(*at, unit, places),
            Event::Stable { at, mci, stabilized, born, triggers } => {
                self.work.now = *at;
                self.dag.apply_stabilized(stabilized);
                for channel in born {
                    self.agents.entry(channel.address).or_insert_with(|| Live::new(*channel));
                }
                self.work.triggers.extend(triggers.iter().copied());
                self.work.uncharged = Some(*mci);
            }
            Event::Responded { at, record, unit, places } => {
                self.responded(*at, record, unit.as_ref(), places);
            }
            Event::Charged { at, charged } => {
                self.work.now = *at;
                self.dag.apply_charged(charged);
                self.work.uncharged = None;
            }
            Event::Requested { at, address, amount, total } => {
                self.work.now = *at;
                self.work.requests.push((*address, *amount));
                self.work.funded.insert(*address, *total);
            }
            Event::Drafted { at, purse, draft } => {
                self.work.now = *at;
                self.work.drafts.insert(*purse, draft.clone());
            }
        }
    }

    fn pending(&self) -> Vec<Effect> {
        let sign = |(purse, draft): (&Purse, &Draft)| Effect::Sign { purse: *purse, draft: draft.clone() };
        self.work.drafts.iter().map(sign).collect()
    }

    fn deadline(&self) -> Option<Deadline> {
        self.due()
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

impl Ledger {
    fn post(&self, now: Timestamp, unit: &Value) -> Result<Settled<Self>, Refusal> {
        if self.knows(unit) {
            return Ok(Decision::nothing());
        }
        if let Some(purse) = self.purse_of(unit)
            && !self.work.drafts.get(&purse).is_some_and(|draft| draft.became(unit))
        {
            return Err(Refusal::NotDrafted(purse));
        }
        let valid = validate(&self.dag, now, &json!({"unit": unit}))?;
        if live::has_assets(&valid.unit) {
            return Err(Refusal::BytesOnly);
        }
        for (address, definition) in live::definitions(&valid.unit) {
            Channel::of_definition(address, definition)?;
        }
        let places = valid.places(&self.dag);
        let push = Push { to: notice::touched(&valid.unit), what: Notice::Joint(valid.unit.clone()) };
        let event = Event::Accepted { at: now, unit: valid.unit, places };
        Ok(Decision::event(event).then(Effect::Push(push)))
    }

    fn knows(&self, unit: &Value) -> bool {
        let hash = unit["unit"].as_str().and_then(|text| text.parse::<Hash>().ok());
        hash.and_then(|hash| self.dag.joint(&hash)).is_some_and(|known| known.unit == *unit)
    }

    fn fund(&self, now: Timestamp, address: Address, amount: Bytes) -> Result<Settled<Self>, Refusal> {
        let wrong = |error| Refusal::Amount(amount, error);
        let given = self.funded(&address);
        let total = given.plus(amount).map_err(wrong)?;
        let waiting = self.work.requests.iter().try_fold(amount, |sum, (_, more)| sum.plus(*more));
        let (stable, pending) = self.dag.balance(&self.address_of(Purse::Faucet));
        let left = stable.plus(pending).map_err(wrong)?;
        let due = waiting.and_then(|waiting| waiting.plus(FEES_OF_GIFTS)).map_err(wrong)?;
        left.minus(due).map_err(wrong)?;
        if amount.is_zero() {
            return Ok(Decision::nothing());
        }
        Ok(Decision::event(Event::Requested { at: now, address, amount, total }))
    }

    fn accepted(&mut self, at: Timestamp, unit: &Value, places: &Places) {
        let purse = self.purse_of(unit);
        if let Some(draft) = purse.and_then(|purse| self.work.drafts.remove(&purse)) {
            self.work.requests.drain(..draft.requests.min(self.work.requests.len()));
        }
        if purse == Some(Purse::Provider) {
            self.work.last_beat = at;
        } else if !self.is_anything_to_order() {
            self.work.waiting_since = at;
        }
        self.work.now = at;
        self.insert(unit, places);
    }

    fn responded(&mut self, at: Timestamp, record: &Record, unit: Option<&Value>, places: &Places) {
        if !self.is_anything_to_order() {
            self.work.waiting_since = at;
        }
        self.work.now = at;
        self.work.triggers.retain(|due| (due.unit, due.agent) != (record.trigger_unit, record.agent));
        if let Some(live) = self.agents.get_mut(&record.agent) {
            live.answered(record);
        }
        match unit {
            Some(unit) => self.insert(unit, places),
            None => self.dag.apply_places(places),
        }
    }

    fn insert(&mut self, unit: &Value, places: &Places) {
        let hash = unit["unit"].as_str().and_then(|text| text.parse::<Hash>().ok());
        let place = hash.and_then(|hash| places.get(&hash));
        // Only what `decide` found shaped like a unit gets here.
        let inserted = place.map(|place| self.dag.insert(unit.clone(), place.clone()));
        debug_assert!(matches!(inserted, Some(Ok(_))), "an accepted unit is inserted");
        self.dag.apply_places(places);
    }

    fn purse_of(&self, unit: &Value) -> Option<Purse> {
        let author = unit["authors"][0]["address"].as_str();
        let purses = [Purse::Provider, Purse::Faucet].into_iter();
        purses.into_iter().find(|purse| author == Some(self.address_of(*purse).as_str()))
    }

    /// The address of the node's own money.
    pub fn address_of(&self, purse: Purse) -> Address {
        match purse {
            Purse::Provider => Address::of_key(&self.provider),
            Purse::Faucet => Address::of_key(&self.faucet),
        }
    }
}

impl fmt::Display for Purse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provider => "order provider",
            Self::Faucet => "faucet",
        })
    }
}
