use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// What a trigger that is no deposit sends to the agent: exactly its bounce fee.
pub const TRIGGER_BYTES: Bytes = Bytes::new(10_000);

/// What a party lets itself in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The smallest deposit worth a channel: made and accepted. Always above 10,000 B.
    pub min_deposit: Bytes,
    /// How much of deposits that are not yet stable counts as money: nothing by default.
    pub max_unconfirmed: Bytes,
    /// How much of the peer's payments may be unsettled: all by default. The agent pays whoever proves
    /// a fraud, also one who proves his own; until the period is closed this much is at stake.
    pub max_at_stake: Bytes,
    /// How long a deposit of the peer must have been seen before it may count, in milliseconds.
    pub min_unconfirmed_age_ms: u64,
    /// How many sessions a channel remembers.
    pub max_sessions: usize,
    /// How long after the agent's timeout a close is confirmed alone, in milliseconds: the
    /// ledger's clock may be behind this one, and a confirmation too early is lost.
    pub confirm_margin_ms: u64,
    /// How long the sessions have to say what they owe before a peer's close is confirmed, in
    /// milliseconds.
    pub owe_grace_ms: u64,
    /// How long after a failed posting it is tried again, in milliseconds.
    pub retry_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_deposit: Bytes::new(20_000),
            max_unconfirmed: Bytes::ZERO,
            max_at_stake: Bytes::MAX,
            min_unconfirmed_age_ms: 5_000,
            max_sessions: 256,
            confirm_margin_ms: 2_000,
            owe_grace_ms: 500,
            retry_ms: 5_000,
        }
    }
}

impl Limits {
    pub(super) const fn confirm_margin(&self) -> Duration {
        Duration::from_millis(self.confirm_margin_ms)
    }

    pub(super) const fn owe_grace(&self) -> Duration {
        Duration::from_millis(self.owe_grace_ms)
    }

    pub(super) const fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }
}
