use std::collections::BTreeMap;

use coinop_core::{Bytes, obyte::address::Address};
use serde::{Deserialize, Serialize};

use super::Commission;

/// What addresses earned, and what they have left of the tps fees they paid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Earnings {
    tps_fees: BTreeMap<Address, BTreeMap<u64, i64>>,
    headers: BTreeMap<Address, BTreeMap<u64, Bytes>>,
    witnessing: BTreeMap<Address, BTreeMap<u64, Bytes>>,
}

impl Earnings {
    pub(super) fn set_tps_fees_balance(&mut self, address: Address, mci: u64, balance: i64) {
        self.tps_fees.entry(address).or_default().insert(mci, balance);
    }

    pub(super) fn tps_fees_balance(&self, address: &Address, mci: u64) -> i64 {
        let balances = self.tps_fees.get(address);
        let latest = balances.and_then(|it| it.range(..=mci).next_back());
        latest.map_or(0, |(_, balance)| *balance)
    }

    pub(super) fn set(&mut self, kind: Commission, address: Address, mci: u64, amount: Bytes) {
        let book = match kind {
            Commission::HeadersCommission => &mut self.headers,
            Commission::Witnessing => &mut self.witnessing,
        };
        book.entry(address).or_default().insert(mci, amount);
    }

    pub(super) fn of(&self, kind: Commission, address: &Address) -> Option<&BTreeMap<u64, Bytes>> {
        match kind {
            Commission::HeadersCommission => self.headers.get(address),
            Commission::Witnessing => self.witnessing.get(address),
        }
    }
}
