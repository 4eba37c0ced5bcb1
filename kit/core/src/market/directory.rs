use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::{convert::Infallible, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Listing, choose::by_price};
use crate::{
    Bytes, Context, Deadline, Decision, Machine, Timestamp,
    machine::Settled,
    obyte::Address,
    session::{self, Name, Signed},
};

/// The listings of a market, by seller and thing.
///
/// A listing that was replaced or taken back cannot come again: its version is remembered for as long
/// as any listing of the thing could still be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    sellers: BTreeMap<Address, BTreeMap<Name, Entry>>,
}

/// A listing with its seller's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The listing.
    pub listing: Listing,
    /// As signed, for those who do not believe the directory.
    pub package: Signed,
}

/// What is known of a thing; without a listing when it was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    version: u64,
    remember_until: Timestamp,
    published: Option<Box<Published>>,
}

/// What a directory is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A seller publishes a signed [`Listing`]; a newer version replaces the older one.
    Publish(Signed),
    /// A seller takes it back with a signed [`Withdrawal`](crate::market::Withdrawal).
    Withdraw(Signed),
    /// The alarm rang.
    Wake,
}

/// What happened in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A listing is published.
    Published {
        /// The listing as signed.
        published: Box<Published>,
        /// How long its version is remembered.
        remember_until: Timestamp,
    },
    /// A listing is taken back.
    Withdrawn {
        /// Whose.
        seller: Address,
        /// Of what.
        thing: Name,
        /// Only newer listings than this are welcome.
        version: u64,
        /// How long that is remembered.
        remember_until: Timestamp,
    },
    /// No listing of the thing can be shown any more.
    Forgotten {
        /// Whose.
        seller: Address,
        /// Of what.
        thing: Name,
    },
}

/// Why a directory says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Altered, signed by somebody else, expired, or unsound in itself.
    #[error(transparent)]
    Statement(#[from] session::Refusal),
    /// Not newer than what is known.
    #[error("version {version} of {thing} is not newer than {known}")]
    Version {
        /// The thing.
        thing: Name,
        /// The version given.
        version: u64,
        /// The version known.
        known: u64,
    },
    /// Nothing to take back.
    #[error("{thing} is not listed")]
    Unknown {
        /// The thing.
        thing: Name,
    },
    /// Valid for too long.
    #[error("a listing valid for {hours} hours where at most {most} are possible")]
    TooLong {
        /// For how long.
        hours: u64,
        /// For how long at most.
        most: u64,
    },
    /// Too many.
    #[error("{what}: {count} where at most {most} are kept")]
    Full {
        /// Of what.
        what: &'static str,
        /// How many there would be.
        count: usize,
        /// How many there may be.
        most: usize,
    },
}

impl Directory {
    /// The most sellers that are kept.
    pub const MAX_SELLERS: usize = 1024;
    /// The most things of one seller that are kept.
    pub const MAX_THINGS: usize = 32;
    /// The longest a listing may hold.
    pub const MAX_LIFETIME: Duration = Duration::from_hours(7 * 24);

    /// What is for sale of a kind, the cheapest first, with the tie rule of
    /// [`choose`](crate::market::choose).
    pub fn find(&self, kind: &Name, now: Timestamp) -> Vec<&Published> {
        let mut found: Vec<&Published> =
            self.shown(now).filter(|published| published.listing.kind == *kind).collect();
        found.sort_by(|a, b| {
            let units = a.listing.tariff.unit().cmp(&b.listing.tariff.unit());
            units.then_with(|| by_price(&a.listing, &b.listing))
        });
        found
    }

    /// Everything that is for sale, by seller and thing.
    pub fn shown(&self, now: Timestamp) -> impl Iterator<Item = &Published> {
        self.entries()
            .filter_map(|(_, _, entry)| entry.published.as_deref())
            .filter(move |published| now < published.listing.expires_at)
    }

    fn entries(&self) -> impl Iterator<Item = (Address, &Name, &Entry)> {
        self.sellers
            .iter()
            .flat_map(|(seller, things)| things.iter().map(|(thing, entry)| (*seller, thing, entry)))
    }

    fn entry(&self, seller: Address, thing: &Name) -> Option<&Entry> {
        self.sellers.get(&seller)?.get(thing)
    }

    fn publish(&self, now: Timestamp, package: Signed) -> Result<Settled<Self>, Refusal> {
        let listing = package.open()?.listing()?;
        listing.check(now)?;
        let lifetime = listing.expires_at.since(now);
        if lifetime > Self::MAX_LIFETIME {
            let hours = |span: Duration| span.as_secs().div_ceil(3600);
            return Err(Refusal::TooLong { hours: hours(lifetime), most: hours(Self::MAX_LIFETIME) });
        }
        let mut remember_until = listing.expires_at;
        if let Some(entry) = self.entry(listing.seller, &listing.thing) {
            if entry.published.as_deref().is_some_and(|known| known.listing == listing) {
                return Ok(Decision::nothing());
            }
            newer(&listing.thing, listing.version, entry.version)?;
            remember_until = remember_until.max(entry.remember_until);
        } else {
            self.check_room(listing.seller)?;
        }
        let published = Box::new(Published { listing, package });
        Ok(Decision::event(Event::Published { published, remember_until }))
    }

    fn check_room(&self, seller: Address) -> Result<(), Refusal> {
        match self.sellers.get(&seller) {
            Some(things) => room("things of one seller", things.len(), Self::MAX_THINGS),
            None => room("sellers", self.sellers.len(), Self::MAX_SELLERS),
        }
    }

    fn withdraw(&self, package: &Signed) -> Result<Settled<Self>, Refusal> {
        let withdrawal = package.open()?.withdrawal()?;
        let (seller, thing, version) = (withdrawal.seller, withdrawal.thing, withdrawal.version);
        let Some(entry) = self.entry(seller, &thing) else { return Err(Refusal::Unknown { thing }) };
        if version < entry.version {
            return Err(Refusal::Version { thing, version, known: entry.version });
        }
        if entry.published.is_none() && entry.version == version {
            return Ok(Decision::nothing());
        }
        let remember_until = entry.remember_until;
        Ok(Decision::event(Event::Withdrawn { seller, thing, version, remember_until }))
    }

    fn forget(&self, now: Timestamp) -> Settled<Self> {
        let over = self.entries().filter(|(_, _, entry)| entry.remember_until <= now);
        let events =
            over.map(|(seller, thing, _)| Event::Forgotten { seller, thing: thing.clone() }).collect();
        Decision { events, effects: Vec::new() }
    }
}

impl Machine for Directory {
    type Command = Command;
    type Event = Event;
    type Effect = Infallible;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Settled<Self>, Refusal> {
        match command {
            Command::Publish(package) => self.publish(context.now, package),
            Command::Withdraw(package) => self.withdraw(&package),
            Command::Wake => Ok(self.forget(context.now)),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Published { published, remember_until } => {
                let Listing { seller, thing, version, .. } = &published.listing;
                let entry = Entry {
                    version: *version,
                    remember_until: *remember_until,
                    published: Some(published.clone()),
                };
                self.sellers.entry(*seller).or_default().insert(thing.clone(), entry);
            }
            Event::Withdrawn { seller, thing, version, remember_until } => {
                let entry = Entry { version: *version, remember_until: *remember_until, published: None };
                self.sellers.entry(*seller).or_default().insert(thing.clone(), entry);
            }
            Event::Forgotten { seller, thing } => {
                if let Some(things) = self.sellers.get_mut(seller) {
                    things.remove(thing);
                }
                self.sellers.retain(|_, things| !things.is_empty());
            }
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        let at = self.entries().map(|(_, _, entry)| entry.remember_until).min()?;
        Some(Deadline { at, reason: "a listing expires" })
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

impl Listing {
    /// Checks that it holds now and is sound: a deposit that holds the first payment, a meter that is
    /// fine and quick enough. Directories and buyers both do, after the signature.
    ///
    /// # Errors
    ///
    /// What is wrong, with the numbers.
    pub fn check(&self, now: Timestamp) -> Result<(), session::Refusal> {
        if self.expires_at <= now {
            return Err(session::Refusal::Expired { at: self.expires_at, now });
        }
        let (needed, available): (Bytes, Bytes) = (self.tariff.first_price(), self.terms.min_deposit);
        if available < needed {
            return Err(session::Refusal::Short { what: "deposit asked for", needed, available });
        }
        self.terms.check()?;
        self.metering.check(&self.tariff)
    }
}

fn newer(thing: &Name, version: u64, known: u64) -> Result<(), Refusal> {
    if version > known { Ok(()) } else { Err(Refusal::Version { thing: thing.clone(), version, known }) }
}

const fn room(what: &'static str, count: usize, most: usize) -> Result<(), Refusal> {
    if count < most { Ok(()) } else { Err(Refusal::Full { what, count: count + 1, most }) }
}
