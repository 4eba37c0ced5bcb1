//! A seller, a directory and a buyer who looks around.

use std::{string::ToString, vec::Vec};

use serde_json::json;

use super::{Command, Directory, Event, Listing, Refusal, Withdrawal, choose};
use crate::{
    Bytes, Context, Machine, Timestamp,
    obyte::{Address, SecretKey},
    session::{ChannelTerms, Metering, Signed, Statement},
    tariff::{Price, Quantity, Rate, Tariff, Unit},
};

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).unwrap()
}

fn at(millis: u64) -> Context {
    Context { now: Timestamp::from_millis(millis), random: [0; 32] }
}

fn listing(seller: u8, thing: &str, price: u64) -> Listing {
    Listing {
        seller: Address::of_key(&key(seller).public()),
        thing: thing.parse().unwrap(),
        kind: "light".parse().unwrap(),
        tariff: tariff(price, 500),
        metering: Metering {
            rated: Rate::CLOCK,
            resolution: Quantity::new(1),
            gap_ms: 300,
            error_permille: 0,
            apart_permille: 10,
        },
        terms: ChannelTerms { timeout: 600, salt: "s".to_string(), min_deposit: Bytes::new(100_000) },
        version: 1,
        expires_at: Timestamp::from_millis(10_000),
    }
}

fn tariff(price: u64, step: u64) -> Tariff {
    Tariff::new(Unit::Millisecond, Bytes::new(price), Quantity::new(1_000), Quantity::new(step)).unwrap()
}

fn signed(seller: u8, listing: Listing) -> Signed {
    Signed::sign(&Statement::Listing(listing), &key(seller)).unwrap()
}

fn withdrawal(seller: u8, listing: &Listing) -> Command {
    let Listing { seller: address, thing, version, .. } = listing.clone();
    let withdrawal = Statement::Withdrawal(Withdrawal { seller: address, thing, version });
    Command::Withdraw(Signed::sign(&withdrawal, &key(seller)).unwrap())
}

fn tell(directory: &mut Directory, now: u64, command: Command) -> Result<(), Refusal> {
    let decision = directory.decide(&at(now), command)?;
    for event in &decision.events {
        let text = serde_json::to_string(event).unwrap();
        directory.apply(&serde_json::from_str::<Event>(&text).unwrap());
    }
    assert_eq!(
        serde_json::from_str::<Directory>(&serde_json::to_string(directory).unwrap()).unwrap(),
        *directory
    );
    Ok(())
}

fn publish(directory: &mut Directory, seller: u8, listing: Listing) -> Result<(), Refusal> {
    tell(directory, 1_000, Command::Publish(signed(seller, listing)))
}

fn found(directory: &Directory, now: u64) -> Vec<&str> {
    let kind = "light".parse().unwrap();
    let found = directory.find(&kind, Timestamp::from_millis(now));
    found.into_iter().map(|published| published.listing.thing.as_str()).collect()
}

#[test]
fn the_cheapest_comes_first_until_it_expires() {
    let mut directory = Directory::default();
    publish(&mut directory, 1, listing(1, "dear", 2_000)).unwrap();
    publish(
        &mut directory,
        2,
        Listing { expires_at: Timestamp::from_millis(5_000), ..listing(2, "cheap", 900) },
    )
    .unwrap();
    publish(&mut directory, 3, Listing { kind: "room".parse().unwrap(), ..listing(3, "room", 1) }).unwrap();

    assert_eq!(found(&directory, 4_999), ["cheap", "dear"]);
    assert_eq!(found(&directory, 5_000), ["dear"]);
}

#[test]
fn an_altered_listing_is_refused() {
    let mut package = signed(1, listing(1, "lamp", 1_000)).package().clone();
    package["signed_message"]["tariff"]["price"] = json!(999);

    let refusal = tell(&mut Directory::default(), 1_000, Command::Publish(Signed::new(package))).unwrap_err();

    assert!(refusal.to_string().starts_with("not a valid signed message: "), "{refusal}");
}

#[test]
fn a_listing_for_somebody_else_is_refused() {
    let refusal = publish(&mut Directory::default(), 2, listing(1, "lamp", 1_000)).unwrap_err();

    assert!(refusal.to_string().starts_with("signed by "), "{refusal}");
}

#[test]
fn an_expired_listing_or_one_without_end_is_refused() {
    let ending = |millis| Listing { expires_at: Timestamp::from_millis(millis), ..listing(1, "lamp", 1_000) };

    let expired = publish(&mut Directory::default(), 1, ending(1_000)).unwrap_err();
    let endless = publish(&mut Directory::default(), 1, ending(3_600_000 * 1_000)).unwrap_err();

    assert_eq!(expired.to_string(), "expired at 1.000, and it is 1.000");
    assert_eq!(endless.to_string(), "a listing valid for 1000 hours where at most 168 are possible");
}

#[test]
fn only_a_newer_version_replaces() {
    let mut directory = Directory::default();
    publish(&mut directory, 1, listing(1, "lamp", 1_000)).unwrap();
    publish(&mut directory, 1, listing(1, "lamp", 1_000)).unwrap();

    let same = publish(&mut directory, 1, listing(1, "lamp", 1)).unwrap_err();
    publish(&mut directory, 1, Listing { version: 2, ..listing(1, "lamp", 500) }).unwrap();
    let older = publish(&mut directory, 1, listing(1, "lamp", 1_000)).unwrap_err();

    assert_eq!(same.to_string(), "version 1 of lamp is not newer than 1");
    assert_eq!(older.to_string(), "version 1 of lamp is not newer than 2");
    assert_eq!(directory.shown(Timestamp::from_millis(1_000)).count(), 1);
}

#[test]
fn what_was_taken_back_cannot_be_published_again_by_others() {
    let mut directory = Directory::default();
    let lamp = listing(1, "lamp", 1_000);
    publish(&mut directory, 1, lamp.clone()).unwrap();

    let stranger = tell(&mut directory, 1_000, withdrawal(2, &lamp)).unwrap_err();
    tell(&mut directory, 1_000, withdrawal(1, &lamp)).unwrap();
    let again = publish(&mut directory, 9, lamp.clone()).unwrap_err();
    let replayed = publish(&mut directory, 1, lamp).unwrap_err();

    assert!(stranger.to_string().starts_with("signed by "), "{stranger}");
    assert!(again.to_string().starts_with("signed by "), "{again}");
    assert_eq!(replayed.to_string(), "version 1 of lamp is not newer than 1");
    assert_eq!(found(&directory, 1_000), [""; 0]);
}

#[test]
fn a_long_listing_replaced_by_a_short_one_does_not_come_back() {
    let mut directory = Directory::default();
    let long = listing(1, "lamp", 1_000);
    let short = Listing { version: 2, expires_at: Timestamp::from_millis(2_000), ..long.clone() };
    publish(&mut directory, 1, long.clone()).unwrap();
    publish(&mut directory, 1, short).unwrap();

    tell(&mut directory, 3_000, Command::Wake).unwrap();
    let replayed = tell(&mut directory, 3_000, Command::Publish(signed(1, long))).unwrap_err();

    assert_eq!(replayed.to_string(), "version 1 of lamp is not newer than 2");
    assert_eq!(directory.deadline().unwrap().at.millis(), 10_000);
    tell(&mut directory, 10_000, Command::Wake).unwrap();
    assert_eq!(directory, Directory::default());
}

#[test]
fn a_seller_has_room_for_so_many_things() {
    let mut directory = Directory::default();
    for number in 0..Directory::MAX_THINGS {
        publish(&mut directory, 1, listing(1, &number.to_string(), 1_000)).unwrap();
    }

    let refusal = publish(&mut directory, 1, listing(1, "one more", 1_000)).unwrap_err();

    assert_eq!(refusal.to_string(), "things of one seller: 33 where at most 32 are kept");
    publish(&mut directory, 2, listing(2, "another's", 1_000)).unwrap();
}

#[test]
fn the_best_within_the_limit_is_chosen_whatever_the_order() {
    let mut offers = [
        listing(1, "dear", 3_000),
        listing(2, "big step", 1_000),
        Listing { tariff: tariff(1_000, 400), ..listing(3, "small step", 1_000) },
        Listing {
            tariff: Tariff::new(Unit::Call, Bytes::new(1), Quantity::new(1), Quantity::new(1)).unwrap(),
            ..listing(4, "calls", 1)
        },
    ];
    let limit = |bytes| Price { bytes: Bytes::new(bytes), per: Quantity::new(2_000) };
    let best = |offers: &[Listing], limit| {
        choose(offers, Unit::Millisecond, limit).map(|listing| listing.thing.to_string())
    };

    assert_eq!(best(&offers, limit(2_000)).as_deref(), Some("small step"));
    assert_eq!(best(&offers, limit(1_999)), None);
    offers.reverse();
    assert_eq!(best(&offers, limit(9_000)).as_deref(), Some("small step"));
}
