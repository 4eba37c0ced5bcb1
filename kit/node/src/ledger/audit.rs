//! Is all the money still there?

use std::collections::BTreeMap;

use coinop_core::{Bytes, obyte::address::Address};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Ledger, Purse};
use crate::dag::{CoinId, Joint, Sequence};

/// What counting votes costs, besides.
const SYSTEM_VOTE_COUNT_FEE: u128 = 1_000_000_000;

/// Where all bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// What genesis issued.
    pub issued: Bytes,
    /// In the coins of the order provider and of the faucet.
    pub own: Bytes,
    /// In the coins of agents.
    pub agents: Bytes,
    /// In the coins of everybody else.
    pub wallets: Bytes,
    /// What units paid for their headers and messages, and nobody has collected.
    pub commissions: Bytes,
    /// What units paid for their part in the traffic and for being large.
    pub traffic: Bytes,
}

/// The money does not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    /// The parts are not the whole.
    #[error("{issued} were issued but {found} are accounted for")]
    Total {
        /// What genesis issued.
        issued: Bytes,
        /// What was found.
        found: u128,
    },
    /// A unit gives out more or less than it takes.
    #[error("the unit {unit} takes {taken} B and gives {given} B")]
    Unit {
        /// The unit.
        unit: String,
        /// From its inputs.
        taken: u128,
        /// To its outputs and in fees.
        given: u128,
    },
    /// A unit spends what is not there, or is spent already.
    #[error("the unit {unit} spends {coin}, which is not there to spend")]
    Coin {
        /// The unit.
        unit: String,
        /// The coin.
        coin: String,
    },
    /// What the balances say differs from what the units say.
    #[error("{address} has {balance} by the balances but {found} by the units")]
    Balance {
        /// Whose.
        address: Address,
        /// By the balances that wallets are shown.
        balance: Bytes,
        /// By the units alone.
        found: u128,
    },
}

/// The units retold, coin by coin.
#[derive(Default)]
struct Tally {
    coins: BTreeMap<CoinId, (Address, u64)>,
    issued: u128,
    collected: u128,
    commissions: u128,
    traffic: u128,
}

impl Ledger {
    /// Counts all money, from the units alone, and compares it with what the ledger believes.
    ///
    /// # Errors
    ///
    /// The first [`Discrepancy`].
    pub fn audit(&self) -> Result<Audit, Discrepancy> {
        let mut tally = Tally::default();
        for joint in self.dag.joints().filter(|joint| joint.properties.sequence != Sequence::FinalBad) {
            tally.add(self, joint)?;
        }
        let mut owned: BTreeMap<Address, u128> = BTreeMap::new();
        for (address, amount) in tally.coins.values() {
            *owned.entry(*address).or_default() += u128::from(*amount);
        }
        let (mut own, mut agents, mut wallets) = (0, 0, 0);
        for (address, found) in owned {
            self.check_balance(address, found)?;
            let is_own =
                [Purse::Provider, Purse::Faucet].iter().any(|purse| self.address_of(*purse) == address);
            let pot = match (is_own, self.agents.contains_key(&address)) {
                (true, _) => &mut own,
                (false, true) => &mut agents,
                (false, false) => &mut wallets,
            };
            *pot += found;
        }
        let commissions = tally.commissions.saturating_sub(tally.collected);
        let found = own + agents + wallets + commissions + tally.traffic;
        let issued = bytes(tally.issued);
        if u128::from(issued.get()) != found || issued.get() != self.dag.params().total_bytes {
            return Err(Discrepancy::Total { issued, found });
        }
        Ok(Audit {
            issued,
            own: bytes(own),
            agents: bytes(agents),
            wallets: bytes(wallets),
            commissions: bytes(commissions),
            traffic: bytes(tally.traffic),
        })
    }

    fn check_balance(&self, address: Address, found: u128) -> Result<(), Discrepancy> {
        let (stable, pending) = self.dag.balance(&address);
        let balance = stable.plus(pending).unwrap_or(Bytes::MAX);
        if u128::from(balance.get()) == found {
            return Ok(());
        }
        Err(Discrepancy::Balance { address, balance, found })
    }
}

impl Tally {
    fn add(&mut self, ledger: &Ledger, joint: &Joint) -> Result<(), Discrepancy> {
        let unit = &joint.unit;
        let (mut taken, mut given, mut traffic) = (0, 0, 0);
        for (message_index, message) in (0..).zip(unit["messages"].as_array().into_iter().flatten()) {
            let payload = &message["payload"];
            if message["app"] == "system_vote_count" {
                traffic += SYSTEM_VOTE_COUNT_FEE;
            }
            if message["app"] != "payment" || !payload["asset"].is_null() {
                continue;
            }
            for input in payload["inputs"].as_array().into_iter().flatten() {
                taken += self.take(ledger, joint, input)?;
            }
            for (output_index, output) in (0..).zip(payload["outputs"].as_array().into_iter().flatten()) {
                let (address, amount) = (output["address"].as_str(), output["amount"].as_u64().unwrap_or(0));
                given += u128::from(amount);
                if let Some(address) = address.and_then(|text| text.parse().ok()) {
                    let id = CoinId { unit: joint.facts.hash, message_index, output_index };
                    self.coins.insert(id, (address, amount));
                }
            }
        }
        let fee = |field: &str| u128::from(unit[field].as_u64().unwrap_or(0));
        let commissions = fee("headers_commission") + fee("payload_commission");
        traffic += fee("tps_fee") + fee("oversize_fee") + fee("burn_fee");
        given += commissions + traffic;
        self.commissions += commissions;
        self.traffic += traffic;
        if taken != given {
            return Err(Discrepancy::Unit { unit: joint.facts.hash.to_string(), taken, given });
        }
        Ok(())
    }

    fn take(&mut self, ledger: &Ledger, joint: &Joint, input: &Value) -> Result<u128, Discrepancy> {
        let missing = || Discrepancy::Coin { unit: joint.facts.hash.to_string(), coin: input.to_string() };
        match input["type"].as_str() {
            None | Some("transfer") => {
                let id: CoinId = serde_json::from_value(input.clone()).map_err(|_error| missing())?;
                let (_, amount) = self.coins.remove(&id).ok_or_else(missing)?;
                Ok(u128::from(amount))
            }
            Some("issue") => {
                let amount = u128::from(input["amount"].as_u64().unwrap_or(0));
                self.issued += amount;
                Ok(amount)
            }
            Some(kind) => {
                let amount = ledger.collected(joint, kind, input).ok_or_else(missing)?;
                self.collected += amount;
                Ok(amount)
            }
        }
    }
}

impl Ledger {
    /// What an input collects of the commissions its author earned.
    fn collected(&self, joint: &Joint, kind: &str, input: &Value) -> Option<u128> {
        use crate::dag::Commission;
        let kinds = [Commission::HeadersCommission, Commission::Witnessing];
        let kind = kinds.into_iter().find(|known| known.word() == kind)?;
        let named = input["address"].as_str().and_then(|text| text.parse().ok());
        let address: Address = named.or_else(|| joint.facts.authors.first().copied())?;
        let (from, to) = (input["from_main_chain_index"].as_u64()?, input["to_main_chain_index"].as_u64()?);
        let earned = self.dag.commissions(kind, &address)?;
        Some(earned.range(from..=to).map(|(_, amount)| u128::from(amount.get())).sum())
    }
}

fn bytes(amount: u128) -> Bytes {
    u64::try_from(amount).ok().and_then(|amount| Bytes::try_from(amount).ok()).unwrap_or(Bytes::MAX)
}
