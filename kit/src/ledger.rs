//! What a light wallet needs of a hub, over the embedded node.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use coinop_core::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash, unit::Unit},
    wallet::{Coin, CoinId, Quote, Request},
};
use coinop_node::ledger::{
    Audit, Command, Config, Discrepancy, Effect, Event, GenesisError, Ledger as Node, Notice, Push, Treasury,
};
use serde_json::{Value, json};

use crate::{
    actors::{self, AskError, Birth, Handle, Wiring},
    agenda::{Rank, Task},
    notice::Fact,
    restore::Restored,
    shell::Shell,
};

/// The stream of the node.
pub(crate) const STREAM: &str = "hub/ledger";
/// Its name on the bus.
const HUB: &str = "hub";

/// A connection to the embedded node; cheap to clone.
#[derive(Clone)]
pub struct Ledger(Rc<Inner>);

struct Inner {
    shell: Shell,
    node: Handle<Node>,
    latency: Duration,
    watchers: RefCell<BTreeMap<Address, Vec<(Rank, Watcher)>>>,
}

/// Hears the news of one address.
pub type Watcher = Rc<dyn Fn(News) -> Task>;

/// What the ledger shows of an address that is watched.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A unit that pays an agent, not yet stable.
    Trigger {
        /// The unit.
        unit: Hash,
        /// Its first author.
        from: Address,
        /// What it pays the agent.
        amount: Bytes,
        /// Its data message.
        data: Option<Value>,
    },
    /// An agent answered; final.
    Response {
        /// The unit answered.
        trigger: Hash,
        /// Its first author.
        from: Address,
        /// Why it bounced, if it did.
        bounced: Option<String>,
        /// The data message of the response.
        payload: Option<Value>,
        /// The agent's clock.
        at: Timestamp,
    },
    /// A unit turned out to be a double spend.
    BadSequence {
        /// The unit.
        unit: Hash,
    },
    /// Coins came, went or became stable.
    Coins,
}

/// A unit was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The ledger looked at it and said no; the same again will not help.
    #[error("the ledger refused the unit: {0}")]
    Refused(String),
    /// The ledger did not answer; whether it took the unit is not known, the same again is harmless.
    #[error("the ledger did not answer")]
    NoAnswer,
}

/// The embedded node could not begin, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its first units could not be made.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// Its state cannot be read or written.
    #[error("the ledger's state cannot be read")]
    State(#[from] serde_json::Error),
    /// Its keys cannot be made.
    #[error("the ledger's keys cannot be made")]
    Keys(#[from] coinop_core::obyte::key::KeyError),
}

impl Ledger {
    /// Starts the embedded node, or lets it go on from what the journal holds; letters to and from it
    /// take `latency`.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when it cannot begin.
    pub fn open(
        shell: &Shell,
        rank: Rank,
        config: &Config,
        latency: Duration,
        restored: &Restored,
    ) -> Result<Self, OpenError> {
        let treasury = Rc::new(Treasury::of_seed(&config.seed)?);
        let (node, birth) = match restored.machine::<Node>(STREAM)? {
            Some(node) => (node, Birth::Restored),
            None => (Node::new(config)?, Birth::New),
        };
        let own: Rc<RefCell<Option<Self>>> = Rc::default();
        let hub = Rc::clone(&own);
        let wiring = Wiring {
            stream: STREAM.to_owned(),
            who: HUB.to_owned(),
            rank,
            outlet: Box::new(move |effect| {
                // What is pending after a restart is asked for before there is a hub: look when it is due.
                let (hub, treasury) = (Rc::clone(&hub), Rc::clone(&treasury));
                Box::pin(async move {
                    let hub = hub.borrow().clone();
                    if let Some(hub) = hub {
                        hub.carry_out(effect, &treasury).await;
                    }
                })
            }),
            narrate: Box::new(narrate),
        };
        let node = actors::spawn(shell, node, birth, wiring)?;
        let ledger =
            Self(Rc::new(Inner { shell: shell.clone(), node, latency, watchers: RefCell::default() }));
        *own.borrow_mut() = Some(ledger.clone());
        if birth == Birth::New {
            for joint in ledger.0.node.state().dag().joints() {
                shell.tell(rank, HUB, unit(&joint.unit));
            }
        }
        Ok(ledger)
    }

    /// What a new unit of `from` should look like.
    ///
    /// # Errors
    ///
    /// In words, when there is nothing to build on.
    pub fn quote(&self, from: Address, request: &Request) -> Result<Quote, String> {
        let outputs: Vec<Address> = request.outputs.iter().map(|output| output.address).collect();
        let quote = self.0.node.state().quote(&from, &outputs, request.max_aa_responses, self.0.shell.now());
        let quote = quote.map_err(|error| error.to_string())?;
        Ok(Quote {
            parents: quote.parent_units,
            last_ball: quote.last_ball,
            last_ball_unit: quote.last_ball_unit,
            timestamp: quote.timestamp,
            tps_fee: quote.tps_fee,
        })
    }

    /// Whether a unit of this address has to carry its definition.
    pub fn definition_needed(&self, address: Address) -> bool {
        self.0.node.state().definition_for(&address).needed()
    }

    /// Posts a unit; one that is known already is fine.
    ///
    /// # Errors
    ///
    /// [`PostError`] in the ledger's own words.
    pub async fn post(&self, unit: &Unit) -> Result<(), PostError> {
        let unit = serde_json::to_value(unit).map_err(|error| PostError::Refused(error.to_string()))?;
        self.post_raw(unit).await
    }

    /// Posts a unit as JSON.
    ///
    /// # Errors
    ///
    /// As [`Ledger::post`].
    pub async fn post_raw(&self, unit: Value) -> Result<(), PostError> {
        match self.0.node.ask(Command::Post { unit }).await {
            Ok(()) => Ok(()),
            Err(AskError::Refused(refusal)) => Err(PostError::Refused(refusal.to_string())),
            Err(AskError::Encoding(_) | AskError::Gone) => Err(PostError::NoAnswer),
        }
    }

    /// Asks the faucet to bring what it gave an address up to `total`.
    ///
    /// # Errors
    ///
    /// In the ledger's words, when it cannot.
    pub async fn fund(&self, address: Address, total: Bytes) -> Result<(), PostError> {
        let amount = total.less(self.0.node.state().funded(&address));
        if amount.is_zero() {
            return Ok(());
        }
        match self.0.node.ask(Command::Fund { address, amount }).await {
            Ok(()) => Ok(()),
            Err(AskError::Refused(refusal)) => Err(PostError::Refused(refusal.to_string())),
            Err(AskError::Encoding(_) | AskError::Gone) => Err(PostError::NoAnswer),
        }
    }

    /// The coins of an address.
    pub fn coins(&self, address: Address) -> Vec<Coin> {
        let node = self.0.node.state();
        let coins = node.coins(&address).into_iter();
        coins
            .map(|coin| Coin {
                id: CoinId {
                    unit: coin.unit,
                    message_index: coin.message_index,
                    output_index: coin.output_index,
                },
                amount: coin.amount,
                stable: node.is_stable(&coin.unit),
            })
            .collect()
    }

    /// Where all the money is.
    ///
    /// # Errors
    ///
    /// [`Discrepancy`] says what does not add up.
    pub fn audit(&self) -> Result<Audit, Discrepancy> {
        self.0.node.state().audit()
    }

    /// The state of the node, and the stream it is recorded in.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] when it cannot be written down.
    pub fn state(&self) -> Result<(String, Value), serde_json::Error> {
        self.0.node.written()
    }

    /// Tells `watcher` the news of `address` from now on.
    pub fn watch(&self, address: Address, rank: Rank, watcher: Watcher) {
        self.0.watchers.borrow_mut().entry(address).or_default().push((rank, watcher));
    }

    /// Tells the watchers of `rank` nothing any more.
    pub fn unwatch(&self, rank: Rank) {
        for watchers in self.0.watchers.borrow_mut().values_mut() {
            watchers.retain(|(of, _)| *of != rank);
        }
    }

    /// Everything that happened to an agent: its answers, and the triggers that wait for one.
    pub fn history(&self, agent: Address) -> Vec<News> {
        let node = self.0.node.state();
        let records = node.responses(&agent);
        let answered = records.iter().map(|record| {
            let unit = record.response_unit.and_then(|unit| node.joint(&unit)).map(|joint| &joint.unit);
            response(&record.event(unit))
        });
        let waiting = node
            .history(&agent)
            .into_iter()
            .filter(|joint| !records.iter().any(|record| record.trigger_unit == joint.facts.hash))
            .map(|joint| trigger(agent, &joint.unit));
        answered.chain(waiting).flatten().collect()
    }

    async fn carry_out(&self, effect: Effect, treasury: &Treasury) {
        match effect {
            Effect::Sign { purse, draft } => match treasury.sign(purse, &draft) {
                Ok(unit) => {
                    if let Err(error) = self.post_raw(unit).await {
                        tracing::error!(%error, "the node's own unit was not taken");
                    }
                }
                Err(error) => tracing::error!(%error, "the node's own unit cannot be signed"),
            },
            Effect::Push(push) => self.push(&push),
        }
    }

    fn push(&self, push: &Push) {
        let watchers = self.0.watchers.borrow();
        for (address, (rank, watcher)) in push
            .to
            .iter()
            .flat_map(|to| watchers.get(to).into_iter().flatten().map(move |watcher| (to, watcher)))
        {
            for news in news(*address, &push.what) {
                let at = self.0.shell.now().after(self.0.latency);
                let watcher = Rc::clone(watcher);
                self.0.shell.agenda().at(at, *rank, async move { watcher(news).await });
            }
        }
    }
}

/// What a push says to one who watches `address`.
fn news(address: Address, notice: &Notice) -> Vec<News> {
    match notice {
        Notice::Joint(unit) => trigger(address, unit).into_iter().chain([News::Coins]).collect(),
        Notice::Stable(_) => vec![News::Coins],
        Notice::Response(body) => {
            let about = body["aa_address"] == address.as_str();
            response(body).filter(|_| about).into_iter().chain([News::Coins]).collect()
        }
    }
}

fn trigger(agent: Address, unit: &Value) -> Option<News> {
    let messages = unit["messages"].as_array()?;
    let outputs = messages
        .iter()
        .filter(|message| message["app"] == "payment")
        .flat_map(|message| message["payload"]["outputs"].as_array().into_iter().flatten());
    let amount: u64 = outputs
        .filter(|output| output["address"] == agent.as_str())
        .filter_map(|output| output["amount"].as_u64())
        .sum();
    let data =
        messages.iter().find(|message| message["app"] == "data").map(|message| message["payload"].clone());
    (amount > 0).then_some(())?;
    Some(News::Trigger {
        unit: unit["unit"].as_str()?.parse().ok()?,
        from: unit["authors"][0]["address"].as_str()?.parse().ok()?,
        amount: Bytes::try_from(amount).ok()?,
        data,
    })
}

fn response(body: &Value) -> Option<News> {
    let messages = body["objResponseUnit"]["messages"].as_array();
    let payload = messages
        .into_iter()
        .flatten()
        .find(|message| message["app"] == "data")
        .map(|message| message["payload"].clone());
    let error = &body["response"]["error"];
    let bounced = body["bounced"]
        .as_bool()
        .unwrap_or(false)
        .then(|| error["message"].as_str().or_else(|| error.as_str()).unwrap_or("bounced").to_owned());
    Some(News::Response {
        trigger: body["trigger_unit"].as_str()?.parse().ok()?,
        from: body["trigger_address"].as_str()?.parse().ok()?,
        bounced,
        payload,
        at: Timestamp::from_millis(body["timestamp"].as_u64()?.saturating_mul(1000)),
    })
}

fn unit(unit: &Value) -> Fact {
    Fact::Unit { joint: json!({ "unit": unit }) }
}

fn narrate(_: &Node, event: &Event) -> Vec<Fact> {
    match event {
        Event::Accepted { unit: accepted, .. } => vec![unit(accepted)],
        Event::Responded { unit: Some(response), .. } => vec![unit(response)],
        Event::Stable { stabilized, .. } => {
            stabilized.places.keys().map(|hash| Fact::Stable { unit: hash.to_string() }).collect()
        }
        Event::Responded { unit: None, .. }
        | Event::Charged { .. }
        | Event::Requested { .. }
        | Event::Drafted { .. } => Vec::new(),
    }
}
