//! One channel whose two ends are actors that write each other letters.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use coinop::{
    actors::{self, Birth, Handle, Wiring},
    agenda::{Rank, Task},
    core::{
        Bytes,
        channel::{Channel, Command, Effect, Package, SessionId, Signer},
        obyte::{Address, hash::sha256_base64},
    },
    network::{self, Network},
    party::wire::{Letter, PayMessage, Request},
    shell::Shell,
};
use color_eyre::eyre::{bail, ensure, eyre};

use super::ends::{Ends, PRICE};

/// All take their turns: first come, first served.
const RANK: Rank = Rank(0);

/// What became of the payments of all lanes.
#[derive(Default)]
pub(super) struct Log {
    pub(super) latencies: RefCell<Vec<Duration>>,
    /// The first thing that went wrong; its lane stopped there.
    pub(super) trouble: RefCell<Option<color_eyre::Report>>,
}

/// One channel, and how far its payments got.
pub(super) struct Lane {
    number: usize,
    payer: Handle<Channel>,
    receiver: Handle<Channel>,
    session: SessionId,
    acknowledged: Cell<Bytes>,
    began: Cell<Instant>,
    left: Cell<u32>,
    log: Rc<Log>,
}

/// How one end reaches the other.
struct Post {
    shell: Shell,
    network: Network,
    own: Address,
    peer: Address,
    log: Rc<Log>,
}

impl Lane {
    /// Opens the channel of this number and starts the actors of its ends.
    pub(super) fn open(
        number: usize,
        shell: &Shell,
        network: &Network,
        log: &Rc<Log>,
    ) -> color_eyre::Result<Rc<Self>> {
        let Ends { payer, receiver, signer, session } = Ends::open(number)?;
        let (buyer, seller) = (payer.own_address(), receiver.own_address());
        let post = |own, peer| {
            let (shell, network, log) = (shell.clone(), network.clone(), Rc::clone(log));
            Rc::new(Post { shell, network, own, peer, log })
        };
        let payer = spawn(shell, payer, stream("payer", number), RANK, paying(post(buyer, seller), signer))?;
        let receiver =
            spawn(shell, receiver, stream("receiver", number), RANK, receiving(post(seller, buyer)))?;
        let lane = Rc::new(Self {
            number,
            payer,
            receiver,
            session,
            acknowledged: Cell::default(),
            began: Cell::new(Instant::now()),
            left: Cell::new(0),
            log: Rc::clone(log),
        });
        network.move_in(buyer.as_str(), RANK, lane.mailbox(Self::answered));
        network.move_in(seller.as_str(), RANK, lane.mailbox(Self::paid));
        Ok(lane)
    }

    /// Pays this many times, one after the other.
    pub(super) async fn pay(self: Rc<Self>, payments: u32) {
        self.left.set(payments);
        if let Err(error) = self.next().await {
            self.log.fail(error);
        }
    }

    /// What was paid and acknowledged, and the streams of both ends.
    pub(super) fn record(&self) -> (Bytes, [String; 2]) {
        (self.acknowledged.get(), [stream("payer", self.number), stream("receiver", self.number)])
    }

    async fn next(&self) -> color_eyre::Result<()> {
        let Some(left) = self.left.get().checked_sub(1) else { return Ok(()) };
        self.left.set(left);
        self.began.set(Instant::now());
        let up_to = self.acknowledged.get().plus(PRICE)?;
        Ok(self.payer.ask(Command::Pay { session: self.session.clone(), up_to }).await?)
    }

    /// The receiver gets a letter.
    async fn paid(self: Rc<Self>, letter: Letter) -> color_eyre::Result<()> {
        let Letter::Request { request: Request::Pay { signed_package, message }, tag } = letter else {
            bail!("the receiver got another letter than a payment");
        };
        let session = Some(SessionId(message.session));
        Ok(self.receiver.ask(Command::Receive { tag, package: *signed_package, session }).await?)
    }

    /// The payer gets a letter.
    async fn answered(self: Rc<Self>, letter: Letter) -> color_eyre::Result<()> {
        let Letter::Answer { response, .. } = letter else { bail!("a payment was turned down") };
        let total = self.acknowledged.get().plus(PRICE)?;
        ensure!(response["total"] == total.get(), "another total was acknowledged");
        self.acknowledged.set(total);
        self.log.latencies.borrow_mut().push(self.began.get().elapsed());
        self.next().await
    }

    fn mailbox<Read>(self: &Rc<Self>, read: fn(Rc<Self>, Letter) -> Read) -> network::Mailbox
    where
        Read: Future<Output = color_eyre::Result<()>> + 'static,
    {
        let lane = Rc::downgrade(self);
        Rc::new(move |letter| -> Task {
            let lane = lane.clone();
            Box::pin(async move {
                let Some(lane) = lane.upgrade() else { return };
                let log = Rc::clone(&lane.log);
                let read = match Letter::parse(&letter.body) {
                    Ok(letter) => read(lane, letter).await,
                    Err(error) => Err(eyre!(error)),
                };
                read.unwrap_or_else(|error| log.fail(error));
            })
        })
    }
}

impl Log {
    fn fail(&self, error: color_eyre::Report) {
        self.trouble.borrow_mut().get_or_insert(error);
    }
}

impl Post {
    fn send(&self, letter: &Letter) -> color_eyre::Result<()> {
        let body = serde_json::to_vec(letter)?;
        Ok(self.network.send(self.own.as_str(), self.peer.as_str(), body)?)
    }

    /// Signs a package and sends it.
    fn pay(&self, signer: &Signer, package: Package, session: SessionId) -> color_eyre::Result<()> {
        let signed_package = Box::new(signer.sign(package)?);
        let request = Request::Pay { signed_package, message: PayMessage { session: session.0 } };
        let tag = sha256_base64(&self.shell.random());
        self.send(&Letter::Request { request, tag })
    }
}

type Outlet = Box<dyn Fn(Effect) -> Task>;

fn paying(post: Rc<Post>, signer: Signer) -> Outlet {
    let signer = Rc::new(signer);
    Box::new(move |effect| {
        let (post, signer) = (Rc::clone(&post), Rc::clone(&signer));
        Box::pin(async move {
            if let Effect::Send { package, session, .. } = effect {
                post.pay(&signer, package, session).unwrap_or_else(|error| post.log.fail(error));
            }
        })
    })
}

fn receiving(post: Rc<Post>) -> Outlet {
    Box::new(move |effect| {
        let post = Rc::clone(&post);
        Box::pin(async move {
            if let Effect::Answer { tag, mut answer } = effect {
                let answer = Letter::Answer { response: answer["response"].take(), tag };
                post.send(&answer).unwrap_or_else(|error| post.log.fail(error));
            }
        })
    })
}

fn spawn(
    shell: &Shell,
    channel: Channel,
    stream: String,
    rank: Rank,
    outlet: Outlet,
) -> color_eyre::Result<Handle<Channel>> {
    let who = stream.clone();
    let wiring = Wiring { stream, who, rank, outlet, narrate: Box::new(|_, _| Vec::new()) };
    Ok(actors::spawn(shell, channel, Birth::New, wiring)?)
}

fn stream(end: &str, number: usize) -> String {
    format!("{end}-{number}/channel/bench")
}
