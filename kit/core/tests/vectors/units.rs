//! Units: their hashes, sizes and balls.

use std::{cell::RefCell, collections::BTreeMap};

use coinop_core::obyte::{
    Address, Hash, SecretKey, ball, definition,
    unit::{self, Message, Unit, UnitError},
};
use coinop_tests::Case;
use serde_json::{Map, Value, json};

use crate::support::{compare_error, error_of, hex, secret};

type Keys = BTreeMap<Address, SecretKey>;

/// Compares what a file says of a key, and keeps the key.
fn remember(keys: &RefCell<Keys>, case: &Case<'_>) {
    let secret = secret(case);
    let address = Address::of_key(&secret.public());
    case.compare("address", address.to_string());
    case.compare("definition", definition::sig(&secret.public()));
    if case.has("pubkey") {
        case.compare("pubkey", secret.public().to_base64());
    }
    keys.borrow_mut().insert(address, secret);
}

pub(crate) fn unit(file: &Case<'_>) -> usize {
    let keys = RefCell::default();
    file.each("keys", &[], |case| remember(&keys, case));
    let keys = keys.into_inner();
    file.each("cases", &[("name", "says what the case is about")], |case| {
        let unit = case.input("unit");

        if case.has("string_to_sign") {
            case.compare("string_to_sign", unit::text_to_sign(unit).unwrap());
        }
        case.nested("expect", &[], |expect| compare_unit(expect, unit, &keys));
    })
}

fn compare_unit(expect: &Case<'_>, unit: &Value, keys: &Keys) {
    let hash = unit::unit_hash(unit).unwrap();
    let (headers, payload) = (unit::headers_size(unit).unwrap(), unit::payload_size(unit).unwrap());
    let signatures = signatures(unit, keys);
    let checks = [
        ("unit_hash_ok", unit["unit"] == hash.to_string()),
        ("headers_commission_ok", unit["headers_commission"] == headers),
        ("payload_commission_ok", unit["payload_commission"] == payload),
        ("payload_hashes_ok", payload_hashes_match(unit)),
    ];

    expect.compare("computed_unit_hash", hash.to_string());
    expect.compare("content_hash", unit::content_hash(unit).unwrap().to_string());
    expect.compare("hash_to_sign_hex", hex(unit::hash_to_sign(unit).unwrap()));
    expect.compare("headers_size", headers);
    expect.compare("payload_size", payload);
    compare_payload_hashes(expect, unit);
    for (key, good) in checks {
        expect.compare(key, good);
    }
    expect.compare("valid", checks.iter().all(|(_, good)| *good) && signatures.iter().all(|good| *good));
    expect.compare("signatures_ok", signatures);
}

fn messages(unit: &Value) -> &[Value] {
    unit["messages"].as_array().unwrap()
}

/// `None` where there is no payload.
fn payload_hashes(unit: &Value) -> Vec<Option<Result<Hash, UnitError>>> {
    let version = unit["version"].as_str().unwrap();
    let hash = |message: &Value| unit::message_payload_hash(message, version);
    messages(unit).iter().map(|message| message.get("payload").map(|_| hash(message))).collect()
}

fn payload_hashes_match(unit: &Value) -> bool {
    let stated = messages(unit).iter().map(|message| &message["payload_hash"]);
    stated.zip(payload_hashes(unit)).all(|(stated, hash)| match hash {
        Some(Ok(hash)) => *stated == hash.to_string(),
        Some(Err(_)) | None => false,
    })
}

fn compare_payload_hashes(expect: &Case<'_>, unit: &Value) {
    let recorded = expect.input("payload_hashes").as_array().unwrap();
    let computed = payload_hashes(unit);
    assert_eq!(recorded.len(), computed.len(), "{}", expect.label());
    for (recorded, computed) in recorded.iter().zip(computed) {
        match (error_of(recorded), computed) {
            (Some(recorded), computed) => compare_error(expect, recorded, &computed.unwrap().unwrap_err()),
            (None, Some(computed)) => {
                assert_eq!(*recorded, computed.unwrap().to_string(), "{}", expect.label());
            }
            (None, None) => assert!(recorded.is_null(), "{}", expect.label()),
        }
    }
}

/// Whether each author's signature is good, by the definition in the unit or the one that is known.
fn signatures(unit: &Value, keys: &Keys) -> Vec<bool> {
    let hash = unit::hash_to_sign(unit).unwrap();
    let is_good = |author: &Value| {
        let address = author["address"].as_str().unwrap().parse::<Address>().ok();
        let known =
            address.and_then(|address| keys.get(&address)).map(|secret| definition::sig(&secret.public()));
        let Some(definition) = author.get("definition").cloned().or(known) else { return false };
        let authentifiers: &Map<_, _> = author["authentifiers"].as_object().unwrap();
        definition::is_met(&definition, &hash, authentifiers).is_ok_and(|met| met)
    };
    unit["authors"].as_array().unwrap().iter().map(is_good).collect()
}

pub(crate) fn devnet_unit(file: &Case<'_>) -> usize {
    let keys = RefCell::default();
    file.entries("keys", &[], |_name, case| remember(&keys, case));
    let keys = keys.into_inner();
    let balls = balls(file.input("cases"));
    file.each("cases", &[("kind_of_unit", "says what the case is about")], |case| {
        let unit = case.input("unit");
        let typed: Unit = serde_json::from_value(unit.clone()).unwrap();

        case.compare("mci", json!(typed.main_chain_index));
        case.compare("actual_tps_fee", json!(typed.actual_tps_fee));
        compare_ball(case, &typed, &balls);
        if case.has("hash_to_sign_hex") {
            case.compare("hash_to_sign_hex", hex(unit::hash_to_sign(unit).unwrap()));
            assert!(signatures(unit, &keys).iter().all(|good| *good), "{}", case.label());
            signed_alike(&typed, &keys);
        }
        case.nested("independent_check", &[], |check| {
            check.compare("unit_hash_matches", unit["unit"] == unit::unit_hash(unit).unwrap().to_string());
            check.compare("headers_matches", unit["headers_commission"] == unit::headers_size(unit).unwrap());
            check.compare("payload_matches", unit["payload_commission"] == unit::payload_size(unit).unwrap());
            check.compare("payload_hashes_match", payload_hashes_match(unit));
        });
        reads_back(&typed, unit);
    })
}

fn balls(cases: &Value) -> BTreeMap<Hash, Hash> {
    let hash = |value: &Value| value.as_str().unwrap().parse::<Hash>().unwrap();
    cases.as_array().unwrap().iter().map(|case| (hash(&case["unit"]["unit"]), hash(&case["ball"]))).collect()
}

/// The file holds a few units of a long chain: a ball can be told where all its parents' balls are
/// there, too, and where it has no skip list, which every tenth index has. Whether a unit lost against
/// another is not recorded.
fn compare_ball(case: &Case<'_>, unit: &Unit, balls: &BTreeMap<Hash, Hash>) {
    let parents: Option<Vec<Hash>> =
        unit.parent_units.iter().map(|parent| balls.get(parent).copied()).collect();
    match parents {
        Some(mut parents) if unit.main_chain_index.is_some_and(|index| index % 10 != 0) => {
            parents.sort_unstable();
            let by_fate =
                [false, true].map(|is_nonserial| ball::ball_hash(&unit.unit, &parents, &[], is_nonserial));
            let recorded: Hash = case.text("ball").parse().unwrap();
            assert!(by_fate.contains(&recorded), "{}: ball {recorded}", case.label());
        }
        Some(_) | None => assert!(case.text("ball").parse::<Hash>().is_ok(), "{}", case.label()),
    }
}

/// The keys of the file sign the unit with the same bytes.
fn signed_alike(unit: &Unit, keys: &Keys) {
    let mut again = unit.clone();
    let hash = again.hash_to_sign().unwrap();
    for author in &unit.authors {
        again.sign(&author.address, &keys[&author.address].sign(&hash));
    }
    assert_eq!(again, *unit);
}

/// Our own type holds all that is in a unit, and measures and names it alike.
fn reads_back(typed: &Unit, unit: &Value) {
    let mut without_nulls = unit.clone();
    // What a node adds to an agent's response it adds as null.
    without_nulls.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    assert_eq!(typed.to_value(), without_nulls);
    let mut again = typed.clone();
    again.measure().unwrap();
    again.name().unwrap();
    assert_eq!(again, *typed);
    for message in &typed.messages {
        assert_eq!(Message::new(&message.app, message.payload.clone()).unwrap(), *message);
        let payment = message.as_payment();
        assert_eq!(payment.is_some(), message.app == "payment");
        assert!(payment.is_none_or(|payment| payment.to_value() == message.payload));
    }
}

pub(crate) fn ball_hash(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| {
        let list = |key| -> Vec<Hash> {
            let hashes = case.optional(key).map(|list| serde_json::from_value(list.clone()).unwrap());
            hashes.unwrap_or_default()
        };
        let unit: Hash = case.text("unit").parse().unwrap();
        let is_nonserial = case.input("is_nonserial").as_bool().unwrap();

        let ball = ball::ball_hash(&unit, &list("parent_balls"), &list("skiplist_balls"), is_nonserial);

        case.compare("ball", ball.to_string());
    })
}
