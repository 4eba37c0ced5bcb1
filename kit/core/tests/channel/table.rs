//! Two parties at a table, with everything between them.

use std::collections::BTreeMap;

use coinop_core::{
    Bytes, Context, Machine, Timestamp,
    channel::{
        Channel, Command, Effect, Event, Limits, Outcome, Package, Refusal, Role, SessionId, Sighting,
        SignedPackage, Signer, Terms,
    },
    obyte::{Address, Hash, SecretKey},
};
use serde_json::Value;

use crate::agent::{Agent, Posted};

pub(crate) const TIMEOUT: u64 = 60;
pub(crate) const SELLER: usize = 0;
pub(crate) const BUYER: usize = 1;

/// A `pay` request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: usize,
    pub(crate) tag: String,
    pub(crate) package: SignedPackage,
    pub(crate) session: SessionId,
}

/// One party and what became of it.
pub(crate) struct Party {
    pub(crate) role: Role,
    pub(crate) signer: Signer,
    pub(crate) channel: Channel,
    start: Channel,
    /// The events as the journal keeps them.
    pub(crate) journal: Vec<String>,
    pub(crate) credited: BTreeMap<SessionId, Bytes>,
    pub(crate) outcomes: BTreeMap<u64, Outcome>,
    pub(crate) ready: Option<(u64, Bytes, Bytes)>,
    pub(crate) failed_deposits: Vec<String>,
    /// What the wallet posted, by reference: never twice.
    pub(crate) posts: BTreeMap<String, Hash>,
    pub(crate) sent_to_agent: u64,
}

pub(crate) struct Table {
    pub(crate) now: u64,
    pub(crate) agent: Agent,
    pub(crate) parties: [Party; 2],
    /// Triggers that are not yet stable.
    pub(crate) ledger: Vec<Posted>,
    /// Payments on their way.
    pub(crate) wire: Vec<Letter>,
    /// What the ledger and the wallets still have to tell.
    pub(crate) news: Vec<(usize, Command)>,
    pub(crate) answers: BTreeMap<String, Value>,
    pub(crate) every_package: Vec<SignedPackage>,
    /// Whether the deciding process dies before it carries anything out.
    pub(crate) is_dying: bool,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let signers = [signer(1), signer(2)];
        let terms = terms(&signers, "table");
        let party = |role, signer| {
            let channel = Channel::new(terms.clone(), role, limits).unwrap();
            Party {
                role,
                signer,
                start: channel.clone(),
                channel,
                journal: Vec::new(),
                credited: BTreeMap::new(),
                outcomes: BTreeMap::new(),
                ready: None,
                failed_deposits: Vec::new(),
                posts: BTreeMap::new(),
                sent_to_agent: 0,
            }
        };
        let [seller, buyer] = signers;
        Self {
            now: 1_700_000_000_000,
            agent: Agent::new(&terms),
            parties: [party(Role::Seller, seller), party(Role::Buyer, buyer)],
            ledger: Vec::new(),
            wire: Vec::new(),
            news: Vec::new(),
            answers: BTreeMap::new(),
            every_package: Vec::new(),
            is_dying: false,
        }
    }

    /// A channel with a stable deposit of the buyer.
    pub(crate) fn open(deposit: u64) -> Self {
        let mut table = Self::new();
        table.ask(BUYER, Command::Deposit { amount: Bytes::new(deposit) }).unwrap();
        table.settle_down();
        table
    }

    pub(crate) fn address(&self, who: usize) -> Address {
        self.parties[who].signer.address()
    }

    pub(crate) fn channel(&self, who: usize) -> &Channel {
        &self.parties[who].channel
    }

    pub(crate) fn context(&self) -> Context {
        Context { now: Timestamp::from_millis(self.now), random: [0; 32] }
    }

    /// Decides, records and acts; a refusal must change nothing.
    pub(crate) fn ask(&mut self, who: usize, command: Command) -> Result<Vec<Effect>, Refusal> {
        let context = self.context();
        let party = &mut self.parties[who];
        let before = party.channel.clone();
        let decision = match party.channel.decide(&context, command) {
            Ok(decision) => decision,
            Err(refusal) => {
                assert_eq!(party.channel, before, "a refusal changes nothing");
                return Err(refusal);
            }
        };
        for event in &decision.events {
            let text = serde_json::to_string(event).unwrap();
            assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), event);
            party.journal.push(text);
            party.channel.apply(event);
        }
        if !self.is_dying {
            self.carry_out(who, decision.effects.clone());
        }
        Ok(decision.effects)
    }

    pub(crate) fn carry_out(&mut self, who: usize, effects: Vec<Effect>) {
        for effect in effects {
            self.act(who, effect);
        }
    }

    fn act(&mut self, who: usize, effect: Effect) {
        let party = &mut self.parties[who];
        match effect {
            Effect::Post { reference, agent, to_agent, data, definition: _ } => {
                assert_eq!(agent, party.channel.agent());
                self.post(who, reference, to_agent, data);
            }
            Effect::Send { package, session, total: _ } => {
                let package = party.signer.sign(package).unwrap();
                self.every_package.push(package.clone());
                let tag = format!("{}", self.every_package.len());
                self.wire.push(Letter { to: 1 - who, tag, package, session });
            }
            Effect::Answer { tag, answer } => drop(self.answers.insert(tag, answer)),
            Effect::Credited { session, total } => {
                let before = party.credited.insert(session, total).unwrap_or_default();
                assert!(before <= total, "totals only grow");
            }
            Effect::Ready { period, payable, receivable } => {
                party.ready = Some((period, payable, receivable));
            }
            Effect::Closing { .. } => {}
            Effect::Closed { period, outcome } => drop(party.outcomes.insert(period, outcome)),
            Effect::DepositFailed { amount: _, error } => party.failed_deposits.push(error),
        }
    }

    fn post(&mut self, who: usize, reference: String, to_agent: Bytes, data: Option<Value>) {
        let address = self.address(who);
        let party = &mut self.parties[who];
        let unit = Hash::of(reference.as_bytes());
        if party.posts.insert(reference.clone(), unit).is_none() {
            party.sent_to_agent += to_agent.get();
            self.trigger(Posted { unit, from: address, amount: to_agent.get(), data });
        }
        self.news.push((who, Command::Posted { reference, unit }));
    }

    /// Posts a unit, whoever does, and shows it to both.
    pub(crate) fn trigger(&mut self, posted: Posted) {
        let sighting = Sighting::Trigger {
            unit: posted.unit,
            from: posted.from,
            amount: Bytes::new(posted.amount),
            data: posted.data.clone(),
            at: Timestamp::from_millis(self.now),
        };
        self.show(&sighting);
        self.ledger.push(posted);
    }

    pub(crate) fn show(&mut self, sighting: &Sighting) {
        for who in [SELLER, BUYER] {
            self.news.push((who, Command::Saw(sighting.clone())));
        }
    }

    /// The oldest trigger becomes stable, and the agent responds.
    pub(crate) fn stabilise(&mut self) {
        if self.ledger.is_empty() {
            return;
        }
        let posted = self.ledger.remove(0);
        let response = self.agent.respond(&posted, Timestamp::from_millis(self.now));
        self.show(&response);
    }

    /// Delivers all news and payments and stabilises all triggers, until nothing is left.
    pub(crate) fn settle_down(&mut self) {
        loop {
            if !self.news.is_empty() {
                let (who, command) = self.news.remove(0);
                self.ask(who, command).unwrap();
            } else if !self.ledger.is_empty() {
                self.stabilise();
            } else if !self.wire.is_empty() {
                // What a dishonest peer sends may be refused.
                let _ = self.deliver(0);
            } else {
                return;
            }
        }
    }

    /// Time passes, and whoever waits for it is woken.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1000;
        for who in [SELLER, BUYER] {
            let due = self.channel(who).deadline().is_some_and(|deadline| deadline.at.millis() <= self.now);
            if due && let Some(command) = self.channel(who).wake() {
                self.ask(who, command).unwrap();
            }
        }
    }

    pub(crate) fn pay(&mut self, session: &str, up_to: u64) -> Result<Vec<Effect>, Refusal> {
        self.ask(BUYER, Command::Pay { session: session.into(), up_to: Bytes::new(up_to) })
    }

    /// Pays, and the payment arrives.
    pub(crate) fn pay_through(&mut self, session: &str, up_to: u64) -> SignedPackage {
        self.pay(session, up_to).unwrap();
        let package = self.wire.last().unwrap().package.clone();
        self.deliver(self.wire.len() - 1).unwrap();
        package
    }

    pub(crate) fn deliver(&mut self, index: usize) -> Result<Vec<Effect>, Refusal> {
        let Letter { to, tag, package, session } = self.wire.remove(index);
        self.ask(to, Command::Receive { tag, package, session: Some(session) })
    }

    /// Hands a package to the seller as a request of its own.
    pub(crate) fn offer(&mut self, package: &SignedPackage, tag: &str) -> Result<Vec<Effect>, Refusal> {
        let command =
            Command::Receive { tag: tag.into(), package: package.clone(), session: Some("session".into()) };
        self.ask(SELLER, command)
    }

    /// The process of a party dies and comes back with what its journal holds.
    pub(crate) fn restart(&mut self, who: usize) {
        let party = &mut self.parties[who];
        let mut channel = party.start.clone();
        for text in &party.journal {
            channel.apply(&serde_json::from_str(text).unwrap());
        }
        assert_eq!(channel, party.channel, "replaying the journal gives the state");
        let snapshot = serde_json::to_string(&channel).unwrap();
        assert_eq!(serde_json::from_str::<Channel>(&snapshot).unwrap(), channel, "a snapshot, too");
        let effects = channel.pending();
        party.channel = serde_json::from_str(&snapshot).unwrap();
        self.carry_out(who, effects);
    }

    /// A package the buyer signs whatever its machine thinks.
    pub(crate) fn sign(&self, who: usize, period: u64, payment: u64, spent: u64) -> SignedPackage {
        let agent = self.channel(who).agent();
        let package = Package::new(agent, period, Bytes::new(payment), Bytes::new(spent));
        self.parties[who].signer.sign(package).unwrap()
    }

    /// A trigger a party posts whatever its machine thinks.
    pub(crate) fn post_by_hand(&mut self, from: Address, amount: u64, data: Option<Value>) {
        let unit = Hash::of(format!("{from}{amount}{data:?}{}", self.agent.received).as_bytes());
        for party in &mut self.parties {
            if party.signer.address() == from {
                party.sent_to_agent += amount;
            }
        }
        self.trigger(Posted { unit, from, amount, data });
    }
}

pub(crate) fn signer(seed: u8) -> Signer {
    Signer::new(SecretKey::from_bytes(&[seed; 32]).unwrap())
}

pub(crate) fn terms(signers: &[Signer; 2], salt: &str) -> Terms {
    Terms {
        address_a: signers[0].address(),
        address_b: signers[1].address(),
        timeout_seconds: TIMEOUT,
        salt: salt.into(),
    }
}
