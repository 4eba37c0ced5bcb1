//! What each side stood to lose: from packages, payments and deliveries alone.

use std::collections::{BTreeMap, BTreeSet};

use coinop::core::Bytes;

use super::story::{Fact, Package, Risk, Story};

/// A session, as it goes.
#[derive(Debug, Default)]
struct Session<'a> {
    step: u64,
    signed: u64,
    packages: BTreeSet<(String, u64, Bytes)>,
    paid: u64,
    delivered: u64,
    max_buyer: u64,
    max_seller: u64,
    now: (u64, u64),
    id: &'a str,
}

impl Session<'_> {
    fn sign(&mut self, package: &Package) {
        let name = (package.channel.to_string(), package.period, package.amount_spent);
        if self.packages.insert(name) {
            self.signed += package.payment_amount.get();
        }
    }

    fn look(&mut self) {
        // The buyer has signed but not got; the seller has given but not been paid.
        self.now = (self.signed.saturating_sub(self.delivered), self.delivered.saturating_sub(self.paid));
        self.max_buyer = self.max_buyer.max(self.now.0);
        self.max_seller = self.max_seller.max(self.now.1);
    }

    fn risk(&self) -> Risk {
        Risk {
            id: self.id.to_owned(),
            step: Bytes::new(self.step),
            max_buyer_exposure: Bytes::new(self.max_buyer),
            max_seller_exposure: Bytes::new(self.max_seller),
        }
    }
}

/// The sums of a run.
#[derive(Debug)]
pub(crate) struct Risks {
    /// By session, of those in which anything was signed.
    pub(crate) sessions: Vec<Risk>,
    /// Everything paid.
    pub(crate) paid: u64,
    /// Everything delivered.
    pub(crate) delivered: u64,
}

/// What the buyer and the seller are said to risk.
type Told = (u64, u64);

/// Compares what was told before `now` with what is.
fn settle(
    told: &mut Vec<(u64, &str, Told)>,
    now: u64,
    sessions: &BTreeMap<&str, Session<'_>>,
) -> Result<(), String> {
    let (later, due) = std::mem::take(told).into_iter().partition(|(at, ..)| *at >= now);
    *told = later;
    let due: Vec<_> = due;
    match due.into_iter().find(|(_, session, risk)| sessions[session].now != *risk) {
        None => Ok(()),
        Some((at, session, risk)) => {
            Err(format!("session {session} at {at}: told {risk:?}, found {:?}", sessions[session].now))
        }
    }
}

/// Computes what was at risk in each session.
///
/// # Errors
///
/// When the lines contradict themselves.
pub(crate) fn risks(story: &Story) -> Result<Risks, String> {
    let mut sessions: BTreeMap<&str, Session<'_>> = BTreeMap::new();
    let mut told: Vec<(u64, &str, Told)> = Vec::new();
    for line in &story.lines {
        // What is told at a moment may count what happens later in the same moment.
        settle(&mut told, line.at, &sessions)?;
        let fact = &line.fact;
        let (Fact::Session { id: session, .. }
        | Fact::Package(Package { session, .. })
        | Fact::Paid { session, .. }
        | Fact::Delivered { session, .. }
        | Fact::Exposure { session, .. }) = fact
        else {
            continue;
        };
        let entry = sessions.entry(session).or_default();
        entry.id = session;
        match fact {
            Fact::Session { step, .. } => entry.step = step.get(),
            Fact::Package(package) => entry.sign(package),
            Fact::Paid { value, .. } => entry.paid = value.get(),
            Fact::Delivered { value, .. } => entry.delivered = value.get(),
            Fact::Exposure { buyer, seller, .. } if entry.now != (buyer.get(), seller.get()) => {
                told.push((line.at, session, (buyer.get(), seller.get())));
            }
            _ => {}
        }
        entry.look();
    }
    settle(&mut told, u64::MAX, &sessions)?;
    Ok(Risks {
        paid: sessions.values().map(|session| session.paid).sum(),
        delivered: sessions.values().map(|session| session.delivered).sum(),
        sessions: sessions.values().filter(|session| session.signed > 0).map(Session::risk).collect(),
    })
}
