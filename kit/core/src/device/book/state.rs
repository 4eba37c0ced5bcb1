use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Event, Refusal};
use crate::{
    Deadline, Timestamp,
    device::{Fingerprint, Letter},
    obyte::{DeviceAddress, Hash, PublicKey},
    session::Name,
};

/// The devices that a device knows. It holds no key and no secret that is still good for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    me: PublicKey,
    pub(super) code: Option<Code>,
    known: BTreeMap<DeviceAddress, Correspondent>,
    waiting: Vec<Waiting>,
}

/// The code that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) secret: Hash,
    pub(super) until: Timestamp,
    pub(super) left: u32,
}

/// A device in the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correspondent {
    /// Its key.
    pub pubkey: PublicKey,
    /// Its hub, without a scheme.
    pub hub: String,
    /// What it calls itself; nothing until it has answered.
    pub name: Option<Name>,
    pub(super) standing: Standing,
    pub(super) seen: VecDeque<Hash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Standing {
    /// Its code was read in, and it is to answer with a secret; if it was known, by which secret before.
    Asked { reverse: Hash, until: Timestamp, before: Option<Hash> },
    /// It is known, since it had this secret.
    Paired { secret: Hash },
}

/// What nobody has dealt with yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Waiting {
    Letter(Letter),
    Answer { hash: Hash, to: PublicKey, hub: String, secret: String },
}

impl Book {
    /// The empty book of a device.
    pub const fn new(me: PublicKey) -> Self {
        Self { me, code: None, known: BTreeMap::new(), waiting: Vec::new() }
    }

    /// The device whose book this is.
    pub const fn me(&self) -> &PublicKey {
        &self.me
    }

    /// A device that is known, or whose code was read in.
    pub fn find(&self, address: &DeviceAddress) -> Option<&Correspondent> {
        self.known.get(address)
    }

    /// Everybody in the book.
    pub fn correspondents(&self) -> impl Iterator<Item = (&DeviceAddress, &Correspondent)> {
        self.known.iter()
    }

    /// What both sides are to show and compare.
    pub fn fingerprint(&self, of: &Correspondent) -> Fingerprint {
        Fingerprint::of(&self.me, &of.pubkey)
    }

    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        if self.known.len() < Self::MAX_KNOWN { Ok(()) } else { Err(Refusal::Full(self.known.len())) }
    }

    pub(super) fn check_waiting(&self) -> Result<(), Refusal> {
        let waiting = self.waiting.len();
        if waiting < Self::MAX_WAITING { Ok(()) } else { Err(Refusal::Busy(waiting)) }
    }

    pub(super) fn waits(&self, hash: Hash) -> bool {
        self.waiting.iter().any(|waiting| waiting.hash() == hash)
    }

    pub(super) fn undone(&self) -> impl Iterator<Item = Effect> {
        self.waiting.iter().filter_map(Waiting::effect)
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let code = self.code.map(|code| Deadline { at: code.until, reason: "the pairing code expires" });
        let asked = self.known.values().filter_map(|peer| match peer.standing {
            Standing::Asked { until, .. } => {
                Some(Deadline { at: until, reason: "a device has not answered to its pairing code" })
            }
            Standing::Paired { .. } => None,
        });
        asked.chain(code).min_by_key(|deadline| deadline.at)
    }

    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::Invited { secret, until, left } => {
                self.code = Some(Code { secret: *secret, until: *until, left: *left });
            }
            Event::Guessed { left, .. } => {
                self.code = self.code.map(|code| Code { left: *left, ..code });
            }
            Event::Over { why: _ } => self.code = None,
            Event::Asked { pubkey, hub, reverse, until } => {
                let before = self.known.get(&DeviceAddress::of_key(pubkey)).and_then(Correspondent::secret);
                let standing = Standing::Asked { reverse: *reverse, until: *until, before };
                self.enter(pubkey, hub, None, standing);
            }
            Event::GaveUp { address } => self.give_up(*address),
            Event::Removed { address, by_peer: _ } => self.strike(*address),
            Event::Paired { pubkey, hub, name, secret, hash, answer } => {
                self.code = self.code.filter(|code| code.secret != *secret);
                self.enter(pubkey, hub, Some(name.clone()), Standing::Paired { secret: *secret });
                self.remember(DeviceAddress::of_key(pubkey), *hash);
                let due = answer.clone().map(|secret| Waiting::Answer {
                    hash: *hash,
                    to: *pubkey,
                    hub: hub.clone(),
                    secret,
                });
                self.waiting.extend(due);
            }
            Event::Heard { letter } => {
                self.remember(letter.address(), letter.hash);
                self.waiting.push(Waiting::Letter(letter.clone()));
            }
            Event::Done { hash } => self.waiting.retain(|waiting| waiting.hash() != *hash),
        }
    }

    fn enter(&mut self, pubkey: &PublicKey, hub: &str, name: Option<Name>, standing: Standing) {
        let address = DeviceAddress::of_key(pubkey);
        let before = self.known.remove(&address);
        let (known_as, seen) = before.map(|peer| (peer.name, peer.seen)).unwrap_or_default();
        let name = name.or(known_as);
        let peer = Correspondent { pubkey: *pubkey, hub: hub.into(), name, standing, seen };
        self.known.insert(address, peer);
    }

    /// Who was known before it was asked again stays known.
    fn give_up(&mut self, address: DeviceAddress) {
        match self.known.get_mut(&address).map(|peer| (peer.secret(), peer)) {
            Some((Some(secret), peer)) => peer.standing = Standing::Paired { secret },
            Some((None, _)) | None => self.strike(address),
        }
    }

    fn strike(&mut self, address: DeviceAddress) {
        self.known.remove(&address);
        self.waiting.retain(|waiting| waiting.from() != address);
    }

    fn remember(&mut self, from: DeviceAddress, hash: Hash) {
        if let Some(peer) = self.known.get_mut(&from) {
            if peer.seen.len() >= Self::MAX_SEEN {
                peer.seen.pop_front();
            }
            peer.seen.push_back(hash);
        }
    }
}

impl Correspondent {
    /// The hash of the secret by which it is known, if it is.
    const fn secret(&self) -> Option<Hash> {
        match self.standing {
            Standing::Asked { before, .. } => before,
            Standing::Paired { secret } => Some(secret),
        }
    }
}

impl Waiting {
    const fn hash(&self) -> Hash {
        match self {
            Self::Letter(letter) => letter.hash,
            Self::Answer { hash, .. } => *hash,
        }
    }

    fn from(&self) -> DeviceAddress {
        match self {
            Self::Letter(letter) => letter.address(),
            Self::Answer { to, .. } => DeviceAddress::of_key(to),
        }
    }

    fn effect(&self) -> Option<Effect> {
        match self {
            Self::Letter(letter) => Some(Effect::Deliver(letter.clone())),
            Self::Answer { hash, to, hub, secret } => {
                Some(Effect::Answer { to: *to, hub: hub.clone(), secret: secret.parse().ok()?, hash: *hash })
            }
        }
    }
}
