//! The desk: what clients say becomes work on the agenda, and what is durable is told to them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::{Rc, Weak},
    time::Duration,
};

use coinop_core::{Bytes, obyte::address::Address};
use coinop_node::{
    hub::{
        Ask, Client, Hub, Reaction,
        mailboxes::{Effect, Mailboxes},
    },
    ledger::Push,
};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::interval,
};

use super::Serving;
use crate::{
    actors::{self, AskError, Birth, Handle, Wiring},
    ledger::{Embedded, LedgerError},
    restore::Restored,
    shell::Shell,
};

/// How many frames may wait for a client who reads slowly; then it is dropped.
const MAX_BACKLOG: usize = 512;
/// The stream of what waits for devices.
const MAILBOXES: &str = "hub/mailboxes";
/// How often silent clients are looked at.
const TICK: Duration = Duration::from_secs(1);

/// What a socket says to the desk.
pub(super) enum Letter {
    /// Somebody connected: its number, and what it is to be sent from now on.
    Connected { answer: oneshot::Sender<Option<(Client, mpsc::Receiver<String>)>> },
    /// A frame.
    Heard { client: Client, text: String },
    /// It hung up.
    Gone { client: Client },
    /// How things stand.
    Status { answer: oneshot::Sender<Value> },
    /// Money from the faucet.
    Faucet { address: Address, answer: oneshot::Sender<Result<Bytes, String>> },
}

pub(super) struct Desk {
    shell: Shell,
    ledger: Embedded,
    mailboxes: Handle<Mailboxes>,
    serving: Serving,
    hub: RefCell<Hub>,
    clients: RefCell<BTreeMap<Client, mpsc::Sender<String>>>,
    /// Who is posting at the moment: it is not told of its own unit.
    posting: RefCell<BTreeMap<String, Client>>,
}

impl Desk {
    pub(super) fn open(
        shell: &Shell,
        ledger: &Embedded,
        restored: &Restored,
        serving: Serving,
        mut letters: mpsc::Receiver<Letter>,
    ) -> Result<(), serde_json::Error> {
        let place: Rc<RefCell<Weak<Self>>> = Rc::default();
        let desk = Rc::new(Self {
            shell: shell.clone(),
            ledger: ledger.clone(),
            mailboxes: mailboxes(shell, restored, serving, &place)?,
            serving,
            hub: RefCell::new(Hub::new(env!("CARGO_PKG_VERSION"))),
            clients: RefCell::default(),
            posting: RefCell::default(),
        });
        let own: Weak<Self> = Rc::downgrade(&desk);
        place.replace(Weak::clone(&own));
        ledger.listen(Rc::new(move |push| {
            if let Some(desk) = own.upgrade() {
                desk.pushed(push);
            }
        }));
        tokio::task::spawn_local(async move {
            let mut ticks = interval(TICK);
            loop {
                tokio::select! {
                    letter = letters.recv() => match letter {
                        Some(letter) => desk.take(letter),
                        None => return,
                    },
                    _ = ticks.tick() => {
                        let due = desk.hub.borrow_mut().tick(desk.shell.now());
                        desk.act(due);
                    }
                }
            }
        });
        Ok(())
    }

    fn take(self: &Rc<Self>, letter: Letter) {
        match letter {
            Letter::Connected { answer } => {
                // Who cannot be told is not connected.
                let _ = answer.send(self.connected());
            }
            Letter::Heard { client, text } => {
                let desk = Rc::clone(self);
                self.shell.agenda().soon(self.serving.rank, async move {
                    let now = desk.shell.now();
                    let reactions = {
                        let node = desk.ledger.node();
                        desk.hub.borrow_mut().heard(&node, client, &text, now)
                    };
                    desk.act(reactions);
                });
            }
            Letter::Gone { client } => self.gone(client),
            Letter::Status { answer } => {
                let _ = answer.send(self.status());
            }
            Letter::Faucet { address, answer } => {
                let desk = Rc::clone(self);
                self.shell.agenda().soon(self.serving.rank, async move {
                    let given = desk.give(address).await;
                    desk.shell.hold(desk.serving.rank, async move {
                        let _ = answer.send(given);
                    });
                });
            }
        }
    }

    fn connected(&self) -> Option<(Client, mpsc::Receiver<String>)> {
        let node = self.ledger.node();
        let (client, greeting) = self.hub.borrow_mut().connected(&node, self.shell.now()).ok()?;
        let (sender, receiver) = mpsc::channel(MAX_BACKLOG);
        self.clients.borrow_mut().insert(client, sender);
        let invitation = self.hub.borrow_mut().invite(client, &self.shell.random());
        for frame in greeting {
            self.send(client, frame);
        }
        if let Some(Reaction::Send { to, frame }) = invitation {
            self.send(to, frame);
        }
        Some((client, receiver))
    }

    /// Puts to the mailboxes what a device asks, and answers when what follows from it is durable.
    fn ask(self: &Rc<Self>, mut ask: Ask) {
        let desk = Rc::clone(self);
        self.shell.agenda().soon(self.serving.rank, async move {
            let command = ask.command(&desk.mailboxes.state());
            let result = match command {
                Some(command) => desk.mailboxes.ask(command).await,
                None => Ok(()),
            };
            let own = Rc::clone(&desk);
            desk.shell.hold(desk.serving.rank, async move {
                let refused = match &result {
                    Ok(()) => None,
                    Err(AskError::Refused(refusal)) => Some(refusal.to_string()),
                    // Without an answer the device asks again.
                    Err(AskError::Encoding(_) | AskError::Gone) => return,
                };
                let result = refused.as_deref().map_or(Ok(()), Err);
                let reactions = own.hub.borrow().answered(&own.mailboxes.state(), &ask, result);
                own.act(reactions);
            });
        });
    }

    fn carry_out(self: &Rc<Self>, effect: &Effect) {
        let Effect::Arrived { to, hash } = effect;
        let reactions = self.hub.borrow().arrived(&self.mailboxes.state(), to, hash);
        self.act(reactions);
    }

    fn gone(&self, client: Client) {
        self.hub.borrow_mut().gone(client);
        self.clients.borrow_mut().remove(&client);
    }

    fn act(self: &Rc<Self>, reactions: Vec<Reaction>) {
        for reaction in reactions {
            match reaction {
                Reaction::Send { to, frame } => self.send(to, frame),
                Reaction::End { client, why } => {
                    tracing::debug!(client = client.0, why, "a client is let go");
                    self.gone(client);
                }
                Reaction::Post { from, tag, unit } => self.post(from, tag, unit),
                Reaction::Ask(ask) => self.ask(*ask),
            }
        }
    }

    /// Posts, and answers when what follows from it is durable.
    fn post(self: &Rc<Self>, from: Client, tag: String, unit: Value) {
        let desk = Rc::clone(self);
        self.shell.agenda().soon(self.serving.rank, async move {
            let name = unit["unit"].as_str().unwrap_or_default().to_owned();
            desk.posting.borrow_mut().insert(name.clone(), from);
            let result = desk.ledger.post_raw(unit).await;
            let own = Rc::clone(&desk);
            desk.shell.hold(desk.serving.rank, async move {
                own.posting.borrow_mut().remove(&name);
                let result = match &result {
                    Ok(()) => Ok(()),
                    Err(LedgerError::Refused(error)) => Err(error.as_str()),
                    // Without an answer the client asks again.
                    Err(LedgerError::NoAnswer) => return,
                };
                let reaction = own.hub.borrow().posted(from, &tag, result);
                own.act(vec![reaction]);
            });
        });
    }

    fn pushed(self: &Rc<Self>, push: &Push) {
        let but = match &push.what {
            coinop_node::ledger::Notice::Joint(unit) => {
                unit["unit"].as_str().and_then(|unit| self.posting.borrow().get(unit).copied())
            }
            coinop_node::ledger::Notice::Stable(_) | coinop_node::ledger::Notice::Response(_) => None,
        };
        let frames = {
            let node = self.ledger.node();
            self.hub.borrow_mut().pushed(&node, push, but)
        };
        self.act(frames);
    }

    fn send(&self, to: Client, frame: String) {
        let sent = self.clients.borrow().get(&to).is_none_or(|client| client.try_send(frame).is_ok());
        if !sent {
            tracing::debug!(client = to.0, "a client reads too slowly, or is gone");
            self.gone(to);
        }
    }

    async fn give(&self, address: Address) -> Result<Bytes, String> {
        let most = self.serving.faucet.ok_or("this node gives nothing: start it with --faucet")?;
        self.ledger.fund(address, most).await.map_err(|error| error.to_string())?;
        Ok(most)
    }

    fn status(&self) -> Value {
        let node = self.ledger.node();
        let dag = node.dag();
        let last = dag.last_stable();
        json!({
            "network": "devnet",
            "units": dag.joints().count(),
            "unstable": dag.unstable_units().count(),
            "last_stable_unit": last.map(|joint| joint.facts.hash),
            "last_stable_mci": last.and_then(|joint| joint.properties.mci),
            "order_providers": dag.system_vars().order_providers(0),
            "clients": self.hub.borrow().clients(),
            "faucet": self.serving.faucet,
        })
    }
}

/// The mailboxes of the devices that log in here, as the journal has them.
fn mailboxes(
    shell: &Shell,
    restored: &Restored,
    serving: Serving,
    desk: &Rc<RefCell<Weak<Desk>>>,
) -> Result<Handle<Mailboxes>, serde_json::Error> {
    let (mailboxes, birth) = match restored.machine::<Mailboxes>(MAILBOXES)? {
        Some(mailboxes) => (mailboxes, Birth::Restored),
        None => (Mailboxes::default(), Birth::New),
    };
    let desk = Rc::clone(desk);
    let wiring = Wiring {
        stream: MAILBOXES.to_owned(),
        who: "hub".to_owned(),
        rank: serving.rank,
        outlet: Box::new(move |effect| {
            let desk = desk.borrow().upgrade();
            Box::pin(async move {
                if let Some(desk) = desk {
                    desk.carry_out(&effect);
                }
            })
        }),
        // Who writes to whom is nobody else's business.
        narrate: Box::new(|_, _| Vec::new()),
    };
    actors::spawn(shell, mailboxes, birth, wiring)
}
