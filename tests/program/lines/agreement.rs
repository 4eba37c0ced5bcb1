//! Whether money and energy agree: from receipts, true deliveries, leases and levels alone.

use std::collections::{BTreeMap, BTreeSet};

use super::story::{Fact, Story};

/// What a session costs its buyer, what it truly got, and the price of a step, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Credited in all; what was too much has gone back.
    pub(crate) paid: u64,
    /// What the signed account says.
    pub(crate) pays: Option<u64>,
    /// What was truly delivered.
    pub(crate) got: u64,
    pub(crate) step: u64,
}

impl Account {
    /// Whether it is settled, for what was delivered within one step.
    pub(crate) fn agrees(&self) -> bool {
        self.pays.is_some_and(|pays| pays.abs_diff(self.got) <= self.step && pays <= self.paid)
    }
}

/// The account of each session that was paid for.
pub(crate) fn accounts(story: &Story) -> BTreeMap<&str, Account> {
    let mut accounts: BTreeMap<&str, Account> = BTreeMap::new();
    for fact in story.facts() {
        match fact {
            Fact::Session { id, step, .. } => accounts.entry(id).or_default().step = step.get(),
            Fact::Paid { session, value } => accounts.entry(session).or_default().paid = value.get(),
            Fact::Delivered { session, value, .. } => accounts.entry(session).or_default().got = value.get(),
            Fact::Receipt { session, value } => {
                accounts.entry(session).or_default().pays = Some(value.get());
            }
            _ => {}
        }
    }
    accounts.retain(|_, account| account.paid > 0);
    accounts
}

/// What leaked at each thing by its alarms: in units, and in bytes.
pub(crate) fn leaks(story: &Story) -> BTreeMap<&str, (u64, u64)> {
    let mut leaks = BTreeMap::new();
    for line in &story.lines {
        if let Fact::Alarm { units, value, .. } = &line.fact {
            leaks.insert(line.who.as_str(), (*units, value.get()));
        }
    }
    leaks
}

/// The lines that an alarm was raised about.
pub(crate) fn alarmed(story: &Story) -> BTreeSet<&str> {
    let raised = story.facts().filter_map(|fact| match fact {
        Fact::Alarm { line, state, .. } if state == "raised" => Some(line.as_str()),
        _ => None,
    });
    raised.collect()
}
