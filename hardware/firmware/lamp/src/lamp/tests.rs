use std::{format, string::ToString};

use coinop_core::{
    channel::{Package, SignedPackage, Signer, Terms, VERSION},
    obyte::{Hash, SecretKey, Signature, signed::SignedMessage},
    tariff::{Quantity, Unit},
};

use super::*;

const OWNER: u8 = 1;
const BUYER: u8 = 2;
const STRANGER: u8 = 9;

fn secret(name: u8) -> SecretKey {
    SecretKey::from_bytes(&[name; 32]).unwrap()
}

fn address(name: u8) -> Address {
    Address::of_key(&secret(name).public())
}

fn terms(buyer: u8) -> Terms {
    Terms {
        address_a: address(OWNER),
        address_b: address(buyer),
        timeout_seconds: 60,
        salt: "salt".to_string(),
    }
}

/// The owner's word that the agent's answer to `buyer` was this.
fn word(speaker: u8, lamp: &str, number: u64, buyer: u8, response: &Value) -> SignedMessage {
    let word = json!({
        "lamp": lamp, "number": number, "buyer": address(buyer), "timeout": 60, "salt": "salt",
        "trigger": Hash::of(b"unit"), "from": address(buyer), "response": response,
    });
    let draft = SignedMessage::draft(VERSION, word, &secret(speaker).public());
    let signature = secret(speaker).sign(&draft.hash_to_sign().unwrap());
    draft.signed(signature)
}

fn opened(buyer: u8, event_id: u64, period: u64, deposit: u64) -> Value {
    let (seller, buyer) = (address(OWNER).to_string(), address(buyer).to_string());
    json!({ "open": 1, "event_id": event_id, "period": period, seller: 0, buyer: deposit })
}

fn package(payment: u64, spent: u64) -> Package {
    Package::new(terms(BUYER).aa_address().unwrap(), 1, Bytes::new(payment), Bytes::new(spent))
}

fn signed(package: Package) -> SignedPackage {
    Signer::new(secret(BUYER)).sign(package).unwrap()
}

fn mirrored(signature: Signature) -> Signature {
    let (r, s) = signature.as_bytes().split_at(32);
    let order = [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xBA,
        0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
    ];
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(r);
    let mut borrow = false;
    for place in (0..32).rev() {
        let (difference, first) = u8::overflowing_sub(order[place], s[place]);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        bytes[32 + place] = difference;
        borrow = first || second;
    }
    Signature::from_bytes(bytes)
}

struct Bench(Lamp);

impl Bench {
    /// A lamp at one byte a millisecond that has heard of nobody.
    fn new() -> Self {
        let second = Quantity::new(1_000);
        let tariff = Tariff::new(Unit::Millisecond, Bytes::new(1_000), second, second).unwrap();
        Self(Lamp::new("north", secret(OWNER).public(), tariff, 0))
    }

    /// A lamp with a channel of the buyer's.
    fn open() -> Self {
        let mut bench = Self::new();
        let heard = bench.say(&word(OWNER, "north", 1, BUYER, &opened(BUYER, 1, 1, 100_000)));
        assert!(heard.answer.contains("100000"), "{}", heard.answer);
        bench
    }

    fn hear(&mut self, line: &str) -> Heard {
        self.0.hear(Timestamp::from_millis(0), Some(line.as_bytes()))
    }

    /// Until when what was bought lights from `now`, in milliseconds.
    fn light(&mut self, now: u64, heard: &Heard) -> u64 {
        self.0.light(Timestamp::from_millis(now), heard.bought.unwrap()).millis()
    }

    fn say(&mut self, word: &SignedMessage) -> Heard {
        self.hear(&json!({ "command": "ledger", "params": { "package": word }, "tag": "w" }).to_string())
    }

    fn offer(&mut self, package: &SignedPackage) -> Heard {
        let params = json!({ "signed_package": package, "message": { "session": "light" } });
        self.hear(&json!({ "command": "pay", "params": params, "tag": "p" }).to_string())
    }

    fn pay(&mut self, payment: u64, spent: u64) -> Heard {
        self.offer(&signed(package(payment, spent)))
    }
}

/// What the lamp says to an offer that lights nothing: the peer's words, and the reason.
fn refused(heard: &Heard) -> (String, String) {
    assert_eq!(heard.bought, None, "{}", heard.answer);
    let answer: Value = serde_json::from_str(&heard.answer).unwrap();
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_string();
    (text("error"), text("reason"))
}

#[test]
fn a_valid_package_is_light_for_what_it_pays() {
    let mut bench = Bench::open();

    let heard = bench.pay(300, 300);

    assert_eq!(heard.bought, Some(Bytes::new(300)));
    assert_eq!(bench.light(50, &heard), 350);
    assert_eq!(heard.answer, r#"{"response":{"paid":300,"total":300},"tag":"p"}"#);
}

#[test]
fn the_next_package_prolongs_the_light() {
    let mut bench = Bench::open();
    let first = bench.pay(300, 300);
    let next = bench.pay(200, 500);

    assert_eq!(bench.light(0, &first), 300);
    assert_eq!(bench.light(100, &next), 500);
}

#[test]
fn a_replay_gets_its_answer_again_and_no_light() {
    let mut bench = Bench::open();
    let first = bench.pay(300, 300);

    let again = bench.pay(300, 300);

    let (error, reason) = refused(&again);
    assert_eq!((error.as_str(), reason.split(':').next()), ("", Some("replay")));
    assert!(again.answer.starts_with(first.answer.trim_end_matches(r#","tag":"p"}"#)));
}

#[test]
fn an_older_package_or_a_lower_amount_is_refused() {
    let mut bench = Bench::open();
    bench.pay(300, 300);
    bench.pay(200, 500);

    for (payment, spent) in [(300, 300), (100, 400)] {
        let (error, reason) = refused(&bench.pay(payment, spent));
        assert_eq!(error, "Payment amount is over your available credit.");
        assert!(reason.starts_with("lower amount: the total went down to"), "{reason}");
    }
    assert!(refused(&bench.pay(1, 500)).1.starts_with("same amount"));
    assert!(refused(&bench.pay(200, 600)).1.starts_with("over credit"));
}

#[test]
fn a_package_for_another_channel_is_refused() {
    let mut bench = Bench::open();
    let elsewhere = Package { aa_address: terms(STRANGER).aa_address().unwrap(), ..package(300, 300) };

    let (error, reason) = refused(&bench.offer(&signed(elsewhere)));

    assert_eq!(error, "unknown channel");
    assert!(reason.starts_with("wrong channel: for"), "{reason}");
}

#[test]
fn a_package_signed_by_somebody_else_is_refused_whatever_name_it_carries() {
    let mut bench = Bench::open();
    let own_name = Signer::new(secret(STRANGER)).sign(package(300, 300)).unwrap();
    let false_name = SignedPackage { signature: own_name.signature, ..signed(package(300, 300)) };

    let (error, reason) = refused(&bench.offer(&own_name));
    assert_eq!(error, format!("package signed by wrong address expected : {}", address(BUYER)));
    assert!(reason.starts_with("wrong key"), "{reason}");
    let (error, reason) = refused(&bench.offer(&false_name));
    assert_eq!(error, "bad signature at path r");
    assert!(reason.starts_with("bad signature"), "{reason}");
}

#[test]
fn a_mirrored_signature_is_refused() {
    let mut bench = Bench::open();
    let good = signed(package(300, 300));
    let mirrored = SignedPackage { signature: mirrored(good.signature), ..good.clone() };

    let (error, reason) = refused(&bench.offer(&mirrored));

    assert_eq!(error, "bad signature at path r");
    assert!(reason.starts_with("high s"), "{reason}");
    assert!(bench.offer(&good).bought.is_some(), "the same package with its own signature is good");
}

#[test]
fn more_than_the_deposit_is_refused() {
    let mut bench = Bench::open();

    assert_eq!(refused(&bench.pay(100_001, 100_001)).0, "AA not funded enough.");
}

#[test]
fn without_the_owners_word_there_is_no_channel() {
    let mut bench = Bench::new();

    assert!(refused(&bench.pay(300, 300)).1.starts_with("wrong channel"));
}

#[test]
fn only_the_owner_is_believed_and_only_what_is_said_to_this_lamp() {
    let mut bench = Bench::new();
    let response = opened(BUYER, 1, 1, 100_000);

    let (error, _) = refused(&bench.say(&word(STRANGER, "north", 1, BUYER, &response)));
    assert!(error.starts_with("not signed by the owner"), "{error}");
    let (error, _) = refused(&bench.say(&word(OWNER, "south", 1, BUYER, &response)));
    assert_eq!(error, "this is said to the lamp \"south\"");
    assert!(refused(&bench.pay(300, 300)).1.starts_with("wrong channel"));
}

#[test]
fn a_word_counts_once_so_that_a_settled_channel_does_not_come_back() {
    let mut bench = Bench::open();
    bench.pay(300, 300);
    let first = word(OWNER, "north", 1, BUYER, &opened(BUYER, 1, 1, 100_000));
    let closed = json!({ "closed": 1, "event_id": 3, "period": 1 });
    bench.say(&word(OWNER, "north", 2, BUYER, &closed));
    bench.say(&word(OWNER, "north", 3, STRANGER, &opened(STRANGER, 1, 1, 50_000)));

    assert_eq!(refused(&bench.say(&first)).0, "word 1 comes after word 3");
    assert!(refused(&bench.pay(300, 300)).1.starts_with("wrong channel"));
}

#[test]
fn a_channel_that_is_not_settled_is_not_dropped_for_another() {
    let mut bench = Bench::open();
    bench.pay(300, 300);

    let (error, _) = refused(&bench.say(&word(OWNER, "north", 2, STRANGER, &opened(STRANGER, 1, 1, 50_000))));

    assert!(error.ends_with("is not closed yet"), "{error}");
    assert!(bench.pay(200, 500).bought.is_some());
}

#[test]
fn a_closing_channel_buys_no_light() {
    let mut bench = Bench::open();
    let (seller, buyer) = (address(OWNER).to_string(), address(BUYER).to_string());
    let closing = json!({
        "closing": 1, "event_id": 2, "period": 1, "initiated_by": buyer, seller: 0, buyer: 0,
    });
    bench.say(&word(OWNER, "north", 2, BUYER, &closing));

    assert_eq!(refused(&bench.pay(300, 300)).0, "closing initiated");
}

#[test]
fn what_is_no_request_is_refused_in_one_line() {
    let mut bench = Bench::open();
    let lines = ["", "{}", "[1,2", "nothing", r#"{"command":"explode","params":{},"tag":"t"}"#];
    for line in lines {
        let heard = bench.hear(line);
        assert!(!refused(&heard).0.is_empty() && !heard.answer.contains('\n'), "{}", heard.answer);
    }
    let (error, _) = refused(&bench.0.hear(Timestamp::from_millis(0), None));
    assert_eq!(error, "the line is too long, at most 1024 B are heard");
}
