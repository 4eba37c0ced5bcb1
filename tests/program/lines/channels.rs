//! What happened to the channels: from the agents' responses and the packages alone.

use std::collections::{BTreeMap, BTreeSet};

use coinop::core::{
    Bytes,
    obyte::{Network, address::Address, definition, signed, unit::Unit},
};
use serde_json::{Value, json};

use super::{
    money,
    story::{Fact, Package, Story},
};

/// A channel's agent, and the period.
pub(crate) type Period = (Address, u64);

/// What the agents did.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    /// Opened, with both balances by address.
    pub(crate) opened: BTreeSet<Period>,
    /// Paid out.
    pub(crate) closed: BTreeMap<Period, Unit>,
    /// Paid out to the one who proved a fraud.
    pub(crate) punished: BTreeMap<Period, Unit>,
    /// What somebody asked to close with: by the payer, what it says to have spent.
    pub(crate) declared: BTreeMap<(Period, Address), Bytes>,
}

impl Channels {
    /// Reads what the agents said.
    pub(crate) fn read(story: &Story) -> Self {
        let mut channels = Self::default();
        for (_, unit) in story.units() {
            let agent = unit.authors[0].address;
            let (true, Some(said)) = (unit.authors[0].authentifiers.is_empty(), money::data(&unit)) else {
                continue;
            };
            let Some(period) = said["period"].as_u64() else { continue };
            channels.hear((agent, period), &said.clone(), unit);
        }
        channels
    }

    fn hear(&mut self, period: Period, said: &Value, unit: Unit) {
        if said["open"] == 1 {
            self.opened.insert(period);
        }
        if said["closing"] == 1 {
            let spent =
                said.as_object().into_iter().flatten().filter_map(|(key, value)| {
                    Some((key.parse().ok()?, Bytes::try_from(value.as_u64()?).ok()?))
                });
            self.declared.extend(spent.map(|(payer, spent)| ((period, payer), spent)));
        }
        if said["fraud_proof"] == 1 {
            self.punished.insert(period, unit.clone());
        }
        if said["closed"] == 1 {
            self.closed.insert(period, unit);
        }
    }
}

/// The packages of each payer in each period of a channel, in the order of their signing.
pub(crate) type Payments<'a> = BTreeMap<(Period, Address), Vec<&'a Package>>;

/// Checks every package for itself and among its like.
///
/// # Errors
///
/// The first thing that is not right, in words.
pub(crate) fn payments(story: &Story) -> Result<Payments<'_>, String> {
    let mut payments = Payments::new();
    for package in story.packages() {
        let payer = signer(package)?;
        let row = payments.entry(((package.channel, package.period), payer)).or_default();
        let last = row.last().map_or(Bytes::ZERO, |last| last.amount_spent);
        // A process that was killed may sign once more what it had signed: the same bytes.
        if row.contains(&package) {
            continue;
        }
        if last.plus(package.payment_amount) != Ok(package.amount_spent) || package.payment_amount.is_zero() {
            return Err(format!("{payer} signs {} after {last}", package.amount_spent));
        }
        row.push(package);
    }
    Ok(payments)
}

/// Who signed a package that says what the line says.
fn signer(package: &Package) -> Result<Address, String> {
    let sent = &package.sent;
    let signer = signed::verify(sent, Network::Devnet).map_err(|error| error.to_string())?;
    let said = &sent["signed_message"];
    let told = json!({
        "aa_address": package.channel,
        "period": package.period,
        "amount_spent": package.amount_spent,
        "payment_amount": package.payment_amount,
    });
    let same = told.as_object().into_iter().flatten().all(|(key, value)| said[key] == *value);
    if !same || definition::single_key(&signer.definition).is_none() {
        return Err(format!("the line says {told}, the package {said}"));
    }
    Ok(signer.address)
}

/// How many payments were credited; each is the sum of the packages of its session so far.
///
/// # Errors
///
/// When one is not.
pub(crate) fn credited(story: &Story) -> Result<usize, String> {
    let mut signed: BTreeMap<&str, Vec<(Address, u64, Bytes)>> = BTreeMap::new();
    let mut totals: BTreeMap<&str, Vec<Bytes>> = BTreeMap::new();
    let mut credited: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in story.facts() {
        match fact {
            Fact::Package(package) => {
                let seen = signed.entry(&package.session).or_default();
                let name = (package.channel, package.period, package.amount_spent);
                if !seen.contains(&name) {
                    seen.push(name);
                    let sums = totals.entry(&package.session).or_default();
                    let sum = sums.last().copied().unwrap_or_default();
                    sums.push(sum.plus(package.payment_amount).map_err(|error| error.to_string())?);
                }
            }
            Fact::Paid { session, value } => {
                let next = credited.entry(session).or_default();
                let sums = totals.get(session.as_str()).map(Vec::as_slice).unwrap_or_default();
                // A seller that was away says again where it stands.
                if *next > 0 && sums.get(*next - 1) == Some(value) {
                    continue;
                }
                if sums.get(*next) != Some(value) {
                    return Err(format!("session {session}: {value} credited, packages {sums:?}"));
                }
                *next += 1;
            }
            _ => {}
        }
    }
    Ok(credited.values().sum())
}
