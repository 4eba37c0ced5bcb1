use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    Limits, Outcome, Package, PeerTrigger, PeerTriggerKind, Role, SessionId, SignedPackage, Terms, Trigger,
    signed::KnownKey,
};
use crate::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash, source::SourceError},
};

/// One party's view of one payment channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub(super) terms: Terms,
    pub(super) role: Role,
    pub(super) limits: Limits,
    pub(super) agent: Address,
    pub(super) phase: Phase,
    /// The period the agent opened last; 0 before the first.
    pub(super) period: u64,
    /// The agent's newest response that was seen.
    pub(super) event_id: u64,
    pub(super) mine: Side,
    pub(super) peer: Side,
    /// What the peer's total grew by beyond its payments.
    pub(super) overpayment: Bytes,
    /// What this party gives back at the close.
    pub(super) owed: Bytes,
    pub(super) sent: Option<Sent>,
    pub(super) evidence: Option<Evidence>,
    /// What was paid out of the overpayment since the peer's total last grew: none of it again.
    pub(super) same_total: Vec<Package>,
    pub(super) sessions: BTreeMap<SessionId, Tally>,
    pub(super) postings: BTreeMap<String, Posting>,
    pub(super) postings_made: u64,
    pub(super) peer_triggers: BTreeMap<Hash, PeerTrigger>,
    /// Units of the peer that came to their end lately: seen late, they are no news.
    pub(super) answered: VecDeque<Hash>,
    /// Units of this party that bounced before anybody said which posting they were.
    pub(super) unclaimed: VecDeque<(Hash, String)>,
    pub(super) last: Option<(u64, Outcome)>,
    #[serde(skip)]
    pub(super) peer_key: Cached,
}

/// Where the agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is deposited: before the first period, and between two.
    Closed,
    /// Deposits and payments are welcome.
    Open,
    /// Someone asked for the close.
    Closing(Closing),
}

/// A close that is not yet settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Who asked for it.
    pub by: Role,
    /// What this party has spent, as declared.
    pub spent_mine: Bytes,
    /// What the peer has spent, as declared.
    pub spent_peer: Bytes,
    /// When this party acts next, unless the peer does.
    pub act_at: Timestamp,
}

/// One party's money in the present period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// What the agent holds of it.
    pub deposited: Bytes,
    /// What it has signed away.
    pub spent: Bytes,
}

/// What went from and to one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The period it was last touched in.
    pub period: u64,
    /// Paid to the peer.
    pub paid: Bytes,
    /// Received from the peer.
    pub credited: Bytes,
    /// To be given back to the peer.
    pub owed: Bytes,
}

/// The newest package of this party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) package: Package,
    pub(super) session: SessionId,
    pub(super) total: Bytes,
}

/// The newest package of the peer, and what it was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    pub(super) package: SignedPackage,
    pub(super) session: Option<SessionId>,
    pub(super) total: Bytes,
}

/// A trigger this party asked for, until the agent has answered it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Posting {
    pub(super) trigger: Trigger,
    pub(super) stage: Stage,
}

/// How far a posting got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    Requested,
    Posted(Hash),
    Postponed { error: String, until: Timestamp },
}

/// The peer's key, parsed once; no part of the state proper.
#[derive(Clone, Debug, Default)]
pub(super) struct Cached(pub(super) Option<KnownKey>);

impl PartialEq for Cached {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Channel {
    /// The channel of these terms, as this party sees it before anything happened.
    ///
    /// # Errors
    ///
    /// When the terms have no address: a salt that cannot be hashed.
    pub fn new(terms: Terms, role: Role, limits: Limits) -> Result<Self, SourceError> {
        let agent = terms.aa_address()?;
        Ok(Self {
            terms,
            role,
            limits,
            agent,
            phase: Phase::Closed,
            period: 0,
            event_id: 0,
            mine: Side::default(),
            peer: Side::default(),
            overpayment: Bytes::ZERO,
            owed: Bytes::ZERO,
            sent: None,
            evidence: None,
            same_total: Vec::new(),
            sessions: BTreeMap::new(),
            postings: BTreeMap::new(),
            postings_made: 0,
            peer_triggers: BTreeMap::new(),
            answered: VecDeque::new(),
            unclaimed: VecDeque::new(),
            last: None,
            peer_key: Cached::default(),
        })
    }

    /// What the parties agreed on.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Which end this is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The channel's agent.
    pub const fn agent(&self) -> Address {
        self.agent
    }

    /// This party's address.
    pub const fn own_address(&self) -> Address {
        self.terms.address(self.role)
    }

    /// The other party's address.
    pub const fn peer_address(&self) -> Address {
        self.terms.address(self.role.peer())
    }

    /// Where the agent is, as far as this party has seen.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The period whose packages count now: the open one, or the one to come.
    pub const fn current_period(&self) -> u64 {
        match self.phase {
            Phase::Closed => self.period + 1,
            Phase::Open | Phase::Closing(_) => self.period,
        }
    }

    /// This party's money in the present period.
    pub const fn mine(&self) -> Side {
        self.mine
    }

    /// The peer's money in the present period.
    pub const fn peer(&self) -> Side {
        self.peer
    }

    /// What the peer's total grew by beyond its payments; given back at the close.
    pub const fn overpayment(&self) -> Bytes {
        self.overpayment
    }

    /// What this party gives back at the close.
    pub const fn owed(&self) -> Bytes {
        self.owed
    }

    /// The peer's package with the highest total in the present period.
    pub fn evidence(&self) -> Option<&SignedPackage> {
        self.evidence.as_ref().map(|evidence| &evidence.package)
    }

    /// This party's newest package in the present period.
    pub fn newest_package(&self) -> Option<&Package> {
        self.sent.as_ref().map(|sent| &sent.package)
    }

    /// What went from and to a session.
    pub fn tally(&self, session: &SessionId) -> Tally {
        self.sessions.get(session).copied().unwrap_or_default()
    }

    /// The last settled period and how it ended.
    pub const fn last_outcome(&self) -> Option<(u64, Outcome)> {
        self.last
    }

    /// What this party can pay now.
    pub fn payable(&self) -> Bytes {
        let pending = self.deposit_under_way().unwrap_or_default().min(self.limits.max_unconfirmed);
        let has = u128::from(self.mine.deposited.get() + pending.get() + self.peer.spent.get());
        let gone = u128::from(self.mine.spent.get() + self.owed.get() + self.overpayment.get());
        clamped(has.saturating_sub(gone))
    }

    /// What the peer can still pay, of stable deposits.
    pub fn receivable(&self) -> Bytes {
        clamped(u128::from(self.funded(Bytes::ZERO).get()).saturating_sub(u128::from(self.peer.spent.get())))
    }

    /// What the peer's total may grow to.
    pub(super) fn funded(&self, unconfirmed: Bytes) -> Bytes {
        let deposits = u128::from(self.peer.deposited.get() + unconfirmed.get());
        let counted = if deposits < u128::from(self.limits.min_deposit.get()) { 0 } else { deposits };
        let at_stake = counted.min(u128::from(self.limits.max_at_stake.get()));
        clamped(at_stake + u128::from(self.mine.spent.get()))
    }

    /// What this party has on the way to the agent.
    pub fn deposit_under_way(&self) -> Option<Bytes> {
        self.postings.values().find_map(|posting| match posting.trigger {
            Trigger::Deposit { amount, .. } => Some(amount),
            Trigger::Close { .. } | Trigger::Confirm { .. } | Trigger::FraudProof { .. } => None,
        })
    }

    /// Whether this party has asked for the close of the present period.
    pub(super) fn asked_to_close(&self) -> bool {
        let period = self.current_period();
        self.postings.values().any(|posting| match posting.trigger {
            Trigger::Close { period: closed, .. } => closed == period,
            Trigger::Deposit { .. } | Trigger::Confirm { .. } | Trigger::FraudProof { .. } => false,
        })
    }

    /// Whether this party has answered the close.
    pub(super) fn asked_to_settle(&self) -> bool {
        self.postings.values().any(|posting| match posting.trigger {
            Trigger::Confirm { .. } | Trigger::FraudProof { .. } => true,
            Trigger::Deposit { .. } | Trigger::Close { .. } => false,
        })
    }

    /// Whether the peer's close is on its way to the agent.
    pub(super) fn peer_is_closing(&self) -> bool {
        self.peer_triggers.values().any(|trigger| match trigger.kind {
            PeerTriggerKind::Close => true,
            PeerTriggerKind::Deposit(_) | PeerTriggerKind::Confirm(_) => false,
        })
    }
}

/// An amount, at most the largest there is.
pub(super) fn clamped(amount: u128) -> Bytes {
    u64::try_from(amount).ok().and_then(|amount| Bytes::try_from(amount).ok()).unwrap_or(Bytes::MAX)
}
