//! A seller of light by the half second, and a buyer who wants five seconds of it.

use std::string::ToString;

use crate::{
    Bytes, Timestamp,
    obyte::{Address, SecretKey},
    session::{ChannelTerms, Metering, Order, Patience, Quote, SessionId, Witness},
    tariff::{Price, Quantity, Rate, Tariff, Unit},
};

/// How much the buyer wants.
pub(super) const WANTED: u64 = 5_000;

pub(super) struct Keys {
    pub(super) seller: SecretKey,
    pub(super) buyer: SecretKey,
}

impl Keys {
    pub(super) fn new() -> Self {
        let key = |byte| SecretKey::from_bytes(&[byte; 32]).unwrap();
        Self { seller: key(1), buyer: key(2) }
    }

    pub(super) fn seller_address(&self) -> Address {
        Address::of_key(&self.seller.public())
    }

    pub(super) fn buyer_address(&self) -> Address {
        Address::of_key(&self.buyer.public())
    }
}

pub(super) fn session() -> SessionId {
    SessionId::from_random(&[9; 32])
}

/// A byte a millisecond, half a second at a time.
pub(super) fn tariff() -> Tariff {
    Tariff::new(Unit::Millisecond, Bytes::new(1_000), Quantity::new(1_000), Quantity::new(500)).unwrap()
}

pub(super) fn quote(keys: &Keys, resolution: u64) -> Quote {
    Quote {
        thing: "lamp".parse().unwrap(),
        kind: "light".parse().unwrap(),
        seller: keys.seller_address(),
        buyer: keys.buyer_address(),
        tariff: tariff(),
        metering: Metering {
            rated: Rate::CLOCK,
            resolution: Quantity::new(resolution),
            gap_ms: 300,
            error_permille: 0,
            apart_permille: 10,
        },
        terms: ChannelTerms { timeout: 600, salt: "s1".to_string(), min_deposit: Bytes::new(1_000) },
        grace_ms: 1_000,
        expires_at: Timestamp::from_millis(4_000),
    }
}

pub(super) fn order() -> Order {
    Order {
        wanted: Some(Quantity::new(WANTED)),
        longest_ms: None,
        budget: Bytes::new(20_000),
        unit: Unit::Millisecond,
        limit: Price { bytes: Bytes::new(2), per: Quantity::new(1) },
        deposit: Bytes::new(10_000),
        witness: Witness::Own,
        error_permille: 10,
        patience: Patience { retry_ms: 200, deposit_ms: 1_000, stall_ms: 1_500, settle_ms: 3_000 },
    }
}
