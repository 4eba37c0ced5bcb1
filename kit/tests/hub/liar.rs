//! A hub that knows the truth, and says what it likes.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use coinop::{
    core::{
        Bytes, Context, Machine as _, Timestamp,
        obyte::{Address, SecretKey, hash::sha256},
    },
    node::{
        hub::{Hub, Reaction},
        ledger::{Command, Config, Effect, Ledger, Treasury},
    },
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
    task::spawn_local,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// What the payer has.
pub(crate) const GIFT: Bytes = Bytes::new(5_000_000);
const NOW: Timestamp = Timestamp::from_millis(1_800_000_060_000);

/// Makes the answer to a command out of the true one; nothing hangs up.
type Lie = Rc<dyn Fn(&str, Value) -> Option<Value>>;

/// The hub.
pub(crate) struct Liar {
    pub(crate) url: String,
    inner: Rc<Inner>,
}

struct Inner {
    ledger: Ledger,
    lie: RefCell<Option<Lie>>,
    repeats: Cell<bool>,
    connections: Cell<usize>,
    shouts: broadcast::Sender<String>,
}

pub(crate) fn payer() -> Address {
    address(b"payer")
}

pub(crate) fn payee() -> Address {
    address(b"payee")
}

fn address(name: &[u8]) -> Address {
    Address::of_key(&SecretKey::from_bytes(&sha256(name)).unwrap().public())
}

impl Liar {
    pub(crate) async fn open(lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let inner = Rc::new(Inner {
            ledger: ledger(),
            lie: RefCell::new(Some(lie)),
            repeats: Cell::new(false),
            connections: Cell::new(0),
            shouts: broadcast::channel(16).0,
        });
        let own = Rc::clone(&inner);
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.set(own.connections.get() + 1);
                spawn_local(Rc::clone(&own).serve(stream));
            }
        });
        Self { url, inner }
    }

    /// How often somebody has connected.
    pub(crate) fn connections(&self) -> usize {
        self.inner.connections.get()
    }

    pub(crate) fn tell_the_truth(&self) {
        self.inner.lie.replace(None);
    }

    /// Says everything twice, and something to nobody besides.
    pub(crate) fn repeat_everything(&self) {
        self.inner.repeats.set(true);
    }

    /// Says this to everybody.
    pub(crate) fn say(&self, text: &str) {
        self.inner.shouts.send(text.to_owned()).unwrap();
    }
}

impl Inner {
    async fn serve(self: Rc<Self>, stream: TcpStream) {
        let Ok(mut socket) = accept_async(stream).await else { return };
        let (mut hub, mut shouts) = (Hub::new("0"), self.shouts.subscribe());
        let (client, greeting) = hub.connected(&self.ledger, NOW).unwrap();
        for frame in greeting {
            if socket.send(Message::text(frame)).await.is_err() {
                return;
            }
        }
        loop {
            let frames = tokio::select! {
                shout = shouts.recv() => vec![shout.unwrap()],
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => match self.answers(&mut hub, client, &text) {
                        Some(frames) => frames,
                        None => return,
                    },
                    Some(Ok(_)) => Vec::new(),
                    Some(Err(_)) | None => return,
                },
            };
            for frame in frames {
                if socket.send(Message::text(frame)).await.is_err() {
                    return;
                }
            }
        }
    }

    fn answers(&self, hub: &mut Hub, client: coinop::node::hub::Client, text: &str) -> Option<Vec<String>> {
        let mut frames = Vec::new();
        for reaction in hub.heard(&self.ledger, client, text, NOW) {
            let Reaction::Send { frame, .. } = reaction else { continue };
            let mut frame: Value = serde_json::from_str(&frame).unwrap();
            let lie = self.lie.borrow().clone();
            if let (Some(lie), Some(command)) = (lie, frame[1]["command"].as_str().map(str::to_owned)) {
                let answer = frame[1]["response"].take();
                frame[1]["response"] = lie(&command, answer)?;
            }
            frames.push(frame.to_string());
        }
        if self.repeats.get() {
            frames = frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
            frames.push(r#"["response",{"tag":"nobody","response":1}]"#.to_owned());
        }
        Some(frames)
    }
}

/// A ledger on which the payer was given money, and it is final.
fn ledger() -> Ledger {
    let seed = sha256(b"a liar");
    let genesis = Timestamp::from_millis(1_800_000_000_000);
    let config = Config { genesis, until_stable: Duration::from_secs(1), proves: true, seed };
    let treasury = Treasury::of_seed(&seed).unwrap();
    let mut ledger = Ledger::new(&config).unwrap();
    let mut now = genesis;
    let mut commands = vec![Command::Fund { address: payer(), amount: GIFT }];
    loop {
        let command = match (commands.pop(), ledger.deadline()) {
            (Some(command), _) => command,
            (None, Some(deadline)) => {
                now = now.max(deadline.at);
                Command::Wake
            }
            (None, None) => return ledger,
        };
        let decision = ledger.decide(&Context { now, random: [0; 32] }, command).unwrap();
        decision.events.iter().for_each(|event| ledger.apply(event));
        for effect in decision.effects {
            if let Effect::Sign { purse, draft } = effect {
                commands.push(Command::Post { unit: treasury.sign(purse, &draft).unwrap() });
            }
        }
    }
}
