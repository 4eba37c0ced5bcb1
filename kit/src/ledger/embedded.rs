//! The embedded node as a ledger.

use std::{
    cell::{Ref, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use coinop_core::{
    Bytes,
    obyte::{address::Address, unit::Unit},
    wallet::{Coin, CoinId, Quote, Request},
};
use coinop_node::ledger::{
    Audit, Command, Config, Discrepancy, Effect, Event, GenesisError, Ledger as Node, Push, Treasury,
};
use serde_json::{Value, json};

use super::{Answer, Ledger, LedgerError, News, Watcher, news};
use crate::{
    actors::{self, AskError, Birth, Handle, Wiring},
    agenda::Rank,
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
pub struct Embedded(Rc<Inner>);

struct Inner {
    shell: Shell,
    node: Handle<Node>,
    latency: Duration,
    watchers: RefCell<BTreeMap<Address, Vec<(Rank, Watcher)>>>,
    listeners: RefCell<Vec<Listener>>,
}

/// Hears everything that is pushed.
pub(crate) type Listener = Rc<dyn Fn(&Push)>;

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

impl Embedded {
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
        let ledger = Self(Rc::new(Inner {
            shell: shell.clone(),
            node,
            latency,
            watchers: RefCell::default(),
            listeners: RefCell::default(),
        }));
        *own.borrow_mut() = Some(ledger.clone());
        if birth == Birth::New {
            for joint in ledger.0.node.state().dag().joints() {
                shell.tell(rank, HUB, unit(&joint.unit));
            }
        }
        Ok(ledger)
    }

    /// The state of the node; not across an `await`.
    pub(crate) fn node(&self) -> Ref<'_, Node> {
        self.0.node.state()
    }

    /// Tells `listener` everything that is pushed from now on.
    pub(crate) fn listen(&self, listener: Listener) {
        self.0.listeners.borrow_mut().push(listener);
    }

    pub(crate) async fn post_raw(&self, unit: Value) -> Result<(), LedgerError> {
        match self.0.node.ask(Command::Post { unit }).await {
            Ok(()) => Ok(()),
            Err(AskError::Refused(refusal)) => Err(LedgerError::Refused(refusal.to_string())),
            Err(AskError::Encoding(_) | AskError::Gone) => Err(LedgerError::NoAnswer),
        }
    }

    /// Asks the faucet to bring what it gave an address up to `total`.
    ///
    /// # Errors
    ///
    /// In the ledger's words, when it cannot.
    pub async fn fund(&self, address: Address, total: Bytes) -> Result<(), LedgerError> {
        let amount = total.less(self.0.node.state().funded(&address));
        if amount.is_zero() {
            return Ok(());
        }
        match self.0.node.ask(Command::Fund { address, amount }).await {
            Ok(()) => Ok(()),
            Err(AskError::Refused(refusal)) => Err(LedgerError::Refused(refusal.to_string())),
            Err(AskError::Encoding(_) | AskError::Gone) => Err(LedgerError::NoAnswer),
        }
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
        let listeners = self.0.listeners.borrow().clone();
        for listener in listeners {
            listener(push);
        }
        let watchers = self.0.watchers.borrow();
        for (address, (rank, watcher)) in push
            .to
            .iter()
            .flat_map(|to| watchers.get(to).into_iter().flatten().map(move |watcher| (to, watcher)))
        {
            for news in news::of_push(*address, &push.what) {
                let at = self.0.shell.now().after(self.0.latency);
                let watcher = Rc::clone(watcher);
                self.0.shell.agenda().at(at, *rank, async move { watcher(news).await });
            }
        }
    }
}

impl Ledger for Embedded {
    fn quote(&self, from: Address, request: &Request) -> Answer<Quote> {
        let outputs: Vec<Address> = request.outputs.iter().map(|output| output.address).collect();
        let quote = self.0.node.state().quote(&from, &outputs, request.max_aa_responses, self.0.shell.now());
        let quote = quote.map(|quote| Quote {
            parents: quote.parent_units,
            last_ball: quote.last_ball,
            last_ball_unit: quote.last_ball_unit,
            timestamp: quote.timestamp,
            tps_fee: quote.tps_fee,
        });
        at_once(quote.map_err(|error| LedgerError::Refused(error.to_string())))
    }

    fn definition_needed(&self, address: Address) -> Answer<bool> {
        at_once(Ok(self.0.node.state().definition_for(&address).needed()))
    }

    fn post(&self, unit: &Unit) -> Answer<()> {
        let unit = serde_json::to_value(unit).map_err(|error| LedgerError::Refused(error.to_string()));
        let ledger = self.clone();
        Box::pin(async move { ledger.post_raw(unit?).await })
    }

    fn coins(&self, address: Address) -> Answer<Vec<Coin>> {
        let node = self.0.node.state();
        let coins = node.coins(&address).into_iter().map(|coin| Coin {
            id: CoinId {
                unit: coin.unit,
                message_index: coin.message_index,
                output_index: coin.output_index,
            },
            amount: coin.amount,
            stable: node.is_stable(&coin.unit),
        });
        at_once(Ok(coins.collect()))
    }

    fn history(&self, agent: Address) -> Answer<Vec<News>> {
        let node = self.0.node.state();
        let records = node.responses(&agent);
        let answered = records.iter().map(|record| {
            let unit = record.response_unit.and_then(|unit| node.joint(&unit)).map(|joint| &joint.unit);
            news::response(&record.event(unit))
        });
        let waiting = node
            .history(&agent)
            .into_iter()
            .filter(|joint| !records.iter().any(|record| record.trigger_unit == joint.facts.hash))
            .map(|joint| news::trigger(agent, &joint.unit));
        at_once(Ok(answered.chain(waiting).flatten().collect()))
    }

    fn watch(&self, address: Address, rank: Rank, watcher: Watcher) {
        self.0.watchers.borrow_mut().entry(address).or_default().push((rank, watcher));
    }

    fn unwatch(&self, rank: Rank) {
        for watchers in self.0.watchers.borrow_mut().values_mut() {
            watchers.retain(|(of, _)| *of != rank);
        }
    }
}

/// What needs no waiting.
fn at_once<T: 'static>(answer: Result<T, LedgerError>) -> Answer<T> {
    Box::pin(std::future::ready(answer))
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
