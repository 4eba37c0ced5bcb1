//! The connection to a hub: made again whenever it breaks.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

use coinop_core::{Timestamp, obyte::Network};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use super::{
    exchange::{Broken, Exchange, Heard, PATIENCE},
    frame::{Frame, MAX_FRAME},
};
use crate::ledger::LedgerError;

/// The most orders that wait to be sent.
const MAX_ORDERS: usize = 256;
/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(10);
/// The first and the longest pause before the next attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// How often the connection is looked at.
const TICK: Duration = Duration::from_millis(500);

/// A hub, whether there is a connection to it at the moment or not; cheap to clone.
///
/// The connection ends with the last clone.
#[derive(Clone)]
pub struct Hub(Rc<Inner>);

struct Inner {
    url: String,
    network: Network,
    orders: mpsc::Sender<Order>,
    state: RefCell<State>,
    listeners: RefCell<Vec<Listener>>,
}

/// Hears the news of a hub.
pub type Listener = Rc<dyn Fn(&News)>;

/// How things stand with a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no connection yet, or no more; why, when that is known.
    Away(Option<String>),
    /// There is one.
    Connected,
    /// There will never be one: it is another network.
    Wrong(String),
}

/// What a hub says by itself, and what becomes of the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// There is a connection (again): what was watched is to be watched again.
    Up,
    /// It is gone.
    Down(String),
    /// The hub says something.
    Said {
        /// What about.
        subject: String,
        /// What.
        body: Value,
    },
}

/// An address that no connection can be made to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// The address is none.
    #[error("{0:?} is no address of a hub: ws://HOST:PORT or wss://HOST/PATH is wanted")]
    Url(String),
    /// It wants TLS, and this program was built without.
    #[error("{0:?} wants TLS, and this program was built without it: build with the feature tls")]
    NoTls(String),
}

enum Order {
    Ask { command: String, params: Option<Value>, answer: oneshot::Sender<Result<Value, LedgerError>> },
    Say { subject: String, body: Value },
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Hub {
    /// Connects to `url`, and again whenever the connection breaks; must be called inside a tokio
    /// `LocalSet`.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the address is none.
    pub fn connect(url: &str, network: Network) -> Result<Self, HubError> {
        let is_secure = url.starts_with("wss://");
        let is_plain = url.starts_with("ws://");
        if !is_secure && !is_plain || url.parse::<tungstenite::http::Uri>().is_err() {
            return Err(HubError::Url(url.to_owned()));
        }
        if is_secure && !cfg!(feature = "tls") {
            return Err(HubError::NoTls(url.to_owned()));
        }
        install_provider();
        let (orders, taken) = mpsc::channel(MAX_ORDERS);
        let hub = Self(Rc::new(Inner {
            url: url.to_owned(),
            network,
            orders,
            state: RefCell::new(State::Away(None)),
            listeners: RefCell::default(),
        }));
        tokio::task::spawn_local(keep(Rc::downgrade(&hub.0), taken));
        Ok(hub)
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Its network.
    pub fn network(&self) -> Network {
        self.0.network
    }

    /// How things stand.
    pub fn state(&self) -> State {
        self.0.state.borrow().clone()
    }

    /// Tells `listener` the news from now on.
    pub fn listen(&self, listener: Listener) {
        self.0.listeners.borrow_mut().push(listener);
    }

    /// Asks the hub.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] in the hub's words, or when it does not answer in time.
    pub async fn ask(&self, command: &str, params: Option<Value>) -> Result<Value, LedgerError> {
        if let State::Wrong(why) = self.state() {
            return Err(LedgerError::Refused(why));
        }
        let (answer, asked) = oneshot::channel();
        let order = Order::Ask { command: command.to_owned(), params, answer };
        self.0.orders.try_send(order).map_err(|error| {
            tracing::debug!(%error, command, "too much waits for the hub");
            LedgerError::NoAnswer
        })?;
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => match self.state() {
                State::Wrong(why) => Err(LedgerError::Refused(why)),
                State::Away(_) | State::Connected => Err(LedgerError::NoAnswer),
            },
        }
    }

    /// Says something that wants no answer; when there is no connection it is lost.
    pub fn say(&self, subject: &str, body: Value) {
        if let Err(error) = self.0.orders.try_send(Order::Say { subject: subject.to_owned(), body }) {
            tracing::debug!(%error, subject, "too much waits for the hub");
        }
    }
}

impl Inner {
    fn tell(&self, news: &News) {
        let listeners = self.listeners.borrow().clone();
        for listener in listeners {
            listener(news);
        }
    }

    fn turn(&self, state: State) {
        let news = match &state {
            State::Connected => News::Up,
            State::Away(why) => News::Down(why.clone().unwrap_or_default()),
            State::Wrong(why) => News::Down(why.clone()),
        };
        self.state.replace(state);
        self.tell(&news);
    }
}

/// rustls asks the process for its cryptography; the first one counts.
fn install_provider() {
    #[cfg(feature = "tls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, and that is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Keeps a connection for as long as somebody holds the hub.
async fn keep(hub: Weak<Inner>, mut orders: mpsc::Receiver<Order>) {
    let mut pause = PAUSES[0];
    loop {
        let Some(url) = hub.upgrade().map(|hub| hub.url.clone()) else { return };
        let config =
            WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        let connecting = connect_async_with_config(&url, Some(config), true);
        let ended = match timeout(CONNECTING, connecting).await {
            Ok(Ok((socket, _))) => {
                let (ended, was_greeted) = Connection::new(&hub).serve(socket, &mut orders).await;
                if was_greeted {
                    pause = PAUSES[0];
                }
                ended
            }
            Ok(Err(error)) => Ended::Lost(error.to_string()),
            Err(_) => Ended::Lost("no connection in time".to_owned()),
        };
        let Some(inner) = hub.upgrade() else { return };
        match ended {
            Ended::Lost(why) => {
                tracing::debug!(url, why, "the hub is away");
                inner.turn(State::Away(Some(why)));
            }
            Ended::Wrong(why) => {
                inner.turn(State::Wrong(why));
                return;
            }
            Ended::Unwanted => return,
        }
        drop(inner);
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// Why a connection is over.
enum Ended {
    Lost(String),
    Wrong(String),
    /// Nobody holds the hub any more.
    Unwanted,
}

struct Connection<'a> {
    hub: &'a Weak<Inner>,
    exchange: Exchange,
    began: Instant,
    answers: BTreeMap<u64, oneshot::Sender<Result<Value, LedgerError>>>,
    is_greeted: bool,
}

impl<'a> Connection<'a> {
    fn new(hub: &'a Weak<Inner>) -> Self {
        let network = hub.upgrade().map_or(Network::Devnet, |hub| hub.network);
        let exchange = Exchange::new(network, Timestamp::from_millis(0));
        Self { hub, exchange, began: Instant::now(), answers: BTreeMap::new(), is_greeted: false }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0).after(self.began.elapsed())
    }

    async fn serve(mut self, mut socket: Socket, orders: &mut mpsc::Receiver<Order>) -> (Ended, bool) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            // What is ordered waits until the other end has said who it is.
            let step = tokio::select! {
                message = socket.next() => self.take(message),
                order = orders.recv(), if self.is_greeted => match order {
                    Some(order) => Ok(self.order(order).into_iter().collect()),
                    None => break Ended::Unwanted,
                },
                _ = ticks.tick() => {
                    if self.hub.strong_count() == 0 {
                        break Ended::Unwanted;
                    }
                    let now = self.now();
                    self.exchange.tick(now).map_err(Ended::from).map(|heard| self.act(heard))
                }
            };
            let sent = match step {
                Ok(frames) => send(&mut socket, frames).await,
                Err(ended) => Err(ended),
            };
            if let Err(ended) = sent {
                break ended;
            }
        };
        // Whoever waits for an answer hears that there is none: the senders are dropped.
        self.exchange.end();
        let _ = timeout(TICK, socket.close(None)).await;
        (ended, self.is_greeted)
    }

    fn take(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Result<Vec<Frame>, Ended> {
        let now = self.now();
        match message {
            Some(Ok(Message::Text(text))) => {
                Ok(self.exchange.hear(now, &text).map(|heard| self.act(heard))?)
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {
                Ok(Vec::new())
            }
            Some(Ok(Message::Close(_))) | None => Err(Ended::Lost("the hub hung up".to_owned())),
            Some(Err(error)) => Err(Ended::Lost(error.to_string())),
        }
    }

    fn order(&mut self, order: Order) -> Option<Frame> {
        match order {
            Order::Say { subject, body } => Some(Frame::Justsaying { subject, body: Some(body) }),
            // Nobody waits for it any more.
            Order::Ask { answer, .. } if answer.is_closed() => None,
            Order::Ask { command, params, answer } => {
                let now = self.now();
                let (number, frame) = self.exchange.ask(now, &command, params)?;
                self.answers.insert(number, answer);
                Some(frame)
            }
        }
    }

    fn act(&mut self, heard: Vec<Heard>) -> Vec<Frame> {
        let mut frames = Vec::new();
        for heard in heard {
            match heard {
                Heard::Send(frame) => frames.push(frame),
                Heard::Greeted => {
                    self.is_greeted = true;
                    if let Some(hub) = self.hub.upgrade() {
                        hub.turn(State::Connected);
                    }
                }
                Heard::Answer { number, answer } => {
                    if let Some(waiting) = self.answers.remove(&number) {
                        // Who asked may have given up.
                        let _ = waiting.send(answer.map_err(LedgerError::Refused));
                    }
                }
                Heard::Unanswered { number } => {
                    self.answers.remove(&number);
                }
                Heard::Said { subject, body } => {
                    if let Some(hub) = self.hub.upgrade() {
                        hub.tell(&News::Said { subject, body: body.unwrap_or_default() });
                    }
                }
            }
        }
        frames
    }
}

async fn send(socket: &mut Socket, frames: Vec<Frame>) -> Result<(), Ended> {
    for frame in frames {
        let sending = timeout(CONNECTING, socket.send(Message::text(frame.text())));
        match sending.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Ended::Lost(error.to_string())),
            Err(_) => return Err(Ended::Lost("the hub takes nothing any more".to_owned())),
        }
    }
    Ok(())
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Wrong(why) => Self::Wrong(why),
            Broken::Frame(_) | Broken::Silent => Self::Lost(broken.to_string()),
        }
    }
}
