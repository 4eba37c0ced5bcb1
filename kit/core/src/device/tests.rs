//! What arrives is what was sent, and nothing else is believed.

use std::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::*;
use crate::obyte::{Hash, PublicKey, SecretKey, bip32::ExtendedKey, json};

fn device(name: u8) -> Keys {
    Keys::new(SecretKey::from_bytes(&[name; 32]).unwrap())
}

fn draw(byte: u8) -> Draw {
    Draw::from_random(&Zeroizing::new([byte; 44])).unwrap()
}

/// Bob, with the temporary key that his hub shows.
fn bob() -> (Keys, TemporaryKey) {
    let mut bob = device(2);
    let shown = bob.temporary(0, &Zeroizing::new([20; 32])).unwrap();
    (bob, shown)
}

fn from_alice(draft: &Draft) -> (Keys, Message) {
    let (bob, shown) = bob();
    let message = device(1).seal(draft, &bob.public(), &shown, "hub", draw(9)).unwrap();
    (bob, message)
}

/// What a cheat who holds a key of her own can send: any text, encrypted and signed.
fn forged(plain: &str, by: u8, key: &PublicKey, to: &PublicKey) -> Message {
    let package = Sealed::seal(plain.as_bytes(), key, draw(8)).unwrap();
    Message::sign(&package, to, &SecretKey::from_bytes(&[by; 32]).unwrap()).unwrap()
}

fn plain(from: &Keys, body: &Value) -> String {
    json!({"from": from.address(), "device_hub": "hub", "subject": "text", "body": body}).to_string()
}

#[test]
fn a_devices_key_is_at_its_path_of_the_seed() {
    let master = ExtendedKey::from_seed(&[7; 32]).unwrap();

    let keys = Keys::of_master(&master).unwrap();

    assert_eq!(keys.public(), master.derive(&"m/1'".parse().unwrap()).unwrap().key().public());
    assert_eq!(format!("{keys:?}"), format!("Keys {{ device: \"{}\", temporary: [] }}", keys.address()));
}

#[test]
fn a_login_for_one_challenge_is_none_for_another() {
    let login = json!(device(1).login("one", Pages::default()).unwrap());

    assert!(Login::read(&login, "one").is_ok());
    assert_eq!(Login::read(&login, "two"), Err(Refusal::Challenge("two".to_owned())));
    assert!(device(1).login(&"x".repeat(101), Pages::default()).is_err());
}

#[test]
fn a_temporary_key_of_another_device_is_not_taken() {
    let shown = json!(device(3).temporary(0, &Zeroizing::new([5; 32])).unwrap());
    let (bob, _) = bob();

    assert_eq!(TemporaryKey::read(&shown, &bob.public()), Err(Refusal::Signature));
    let shown: TemporaryKey = serde_json::from_value(shown).unwrap();
    let sealed = device(1).seal(&Draft::text("x"), &bob.public(), &shown, "hub", draw(1));
    assert_eq!(sealed.unwrap_err(), Refusal::Signature);
}

#[test]
fn a_forgotten_key_opens_nothing_any_more() {
    let (mut bob, message) = from_alice(&Draft::text("hello"));
    assert!(bob.open(&message).is_ok());

    bob.temporary(1, &Zeroizing::new([21; 32])).unwrap();
    assert!(bob.open(&message).is_ok(), "the key before is kept");
    bob.forget_below(1);

    assert_eq!(bob.open(&message), Err(Refusal::UnknownKey));
}

#[test]
fn temporary_keys_do_not_pile_up() {
    let mut bob = device(2);
    for number in 0..3 {
        bob.temporary(number, &Zeroizing::new([30; 32])).unwrap();
    }

    assert!(matches!(bob.temporary(3, &Zeroizing::new([30; 32])), Err(Refusal::TooLong { .. })));
    assert_eq!(bob.kept().count(), 3);
}

#[test]
fn a_message_for_another_device_is_refused() {
    let (_, message) = from_alice(&Draft::text("hello"));

    assert_eq!(device(3).open(&message), Err(Refusal::Recipient(message.to())));
}

#[test]
fn a_letter_that_claims_another_sender_is_refused() {
    let (bob, shown) = bob();

    let message = forged(&plain(&device(1), &json!("it is me, alice")), 3, &shown.temp_pubkey, &bob.public());

    assert_eq!(bob.open(&message), Err(Refusal::Sender(device(3).address())));
}

#[test]
fn a_message_taken_from_its_sender_and_signed_by_a_thief_is_refused() {
    let (bob, message) = from_alice(&Draft::text("hello"));
    let thief = SecretKey::from_bytes(&[3; 32]).unwrap();

    let stolen = Message::sign(message.package(), &bob.public(), &thief).unwrap();

    assert_eq!(bob.open(&stolen), Err(Refusal::Sender(device(3).address())));
}

#[test]
fn a_hub_that_names_a_message_wrongly_is_refused() {
    let (_, message) = from_alice(&Draft::text("hello"));
    let mut delivery = message.delivery();
    assert_eq!(Message::delivered(&delivery).unwrap(), message);

    delivery["message_hash"] = json!(Hash::of(b"another"));

    assert_eq!(Message::delivered(&delivery), Err(Refusal::Hash));
}

#[test]
fn three_layers_are_peeled_and_a_fourth_is_refused() {
    let (bob, shown) = bob();
    let mut text = plain(&device(1), &json!("deep inside"));
    for layers in 1..=4 {
        let message = forged(&text, 1, &shown.temp_pubkey, &bob.public());

        match bob.open(&message) {
            Ok(letter) => assert_eq!((letter.body, layers <= 3), (json!("deep inside"), true)),
            Err(refusal) => assert_eq!((refusal, layers), (Refusal::Layers(3), 4)),
        }

        text = json!({"encrypted_package": message.package().to_value()}).to_string();
    }
}

#[test]
fn what_is_too_long_is_refused_on_either_side() {
    let (bob, shown) = bob();
    let long = Draft::text(&"x".repeat(Sealed::MAX_SIZE));

    let refusal = device(1).seal(&long, &bob.public(), &shown, "hub", draw(1)).unwrap_err();

    assert!(matches!(refusal, Refusal::TooLong { .. }), "{refusal}");
    let huge = json!({"a": "x".repeat(400 * 1024 + 1)});
    assert!(matches!(Message::read(huge), Err(Refusal::TooLong { .. })));
}

/// ocore encrypts 2,003 UTF-16 units at a time, each piece turned into UTF-8 by itself.
fn as_ocore_sends(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    units.chunks(2003).flat_map(|piece| String::from_utf16_lossy(piece).into_bytes()).collect()
}

#[test]
fn a_pair_that_ocore_cut_in_two_arrives_as_two_replacement_characters() {
    let (bob, shown) = bob();
    let before = plain(&device(1), &json!("")).find("\"\"").unwrap() + 1;
    let text = plain(&device(1), &json!(format!("{}😀", "x".repeat(2002 - before))));
    let package = Sealed::seal(&as_ocore_sends(&text), &shown.temp_pubkey, draw(1)).unwrap();
    let sender = SecretKey::from_bytes(&[1; 32]).unwrap();

    let theirs = bob.open(&Message::sign(&package, &bob.public(), &sender).unwrap()).unwrap();
    let ours = bob.open(&forged(&text, 1, &shown.temp_pubkey, &bob.public())).unwrap();

    assert!(theirs.body.as_str().unwrap().ends_with("x\u{fffd}\u{fffd}"));
    assert!(ours.body.as_str().unwrap().ends_with("x😀"));
}

#[test]
fn both_sides_show_the_same_fingerprint_and_no_other_pair_does() {
    let [alice, bob, carol] = [1, 2, 3].map(|name| device(name).public());

    assert_eq!(Fingerprint::of(&alice, &bob), Fingerprint::of(&bob, &alice));
    assert_ne!(Fingerprint::of(&alice, &bob), Fingerprint::of(&alice, &carol));
    let shown = format!("{}", Fingerprint::of(&alice, &bob));
    assert_eq!((shown.len(), shown.split(' ').count()), (23, 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_sealed_opens_as_it_was(words in "\\PC{1,300}", seed in 1_u8..) {
        let (bob, shown) = bob();
        let message = device(1).seal(&Draft::text(&words), &bob.public(), &shown, "hub", draw(seed.min(250))).unwrap();

        let letter = bob.open(&Message::delivered(&message.delivery()).unwrap()).unwrap();

        prop_assert_eq!((letter.from, letter.subject), (device(1).public(), Subject::Text));
        prop_assert_eq!(letter.body, json!(words));
    }

    #[test]
    fn a_message_with_any_character_changed_is_refused(at: prop::sample::Index, bit in 0_u8..7) {
        let (_, message) = from_alice(&Draft::text("hello"));
        let mut text = message.delivery().to_string().into_bytes();
        let at = at.index(text.len());
        text[at] ^= 1 << bit;

        let read = String::from_utf8(text).ok().and_then(|text| json::parse(&text).ok());

        prop_assert!(read.is_none_or(|delivery| Message::delivered(&delivery).is_err()));
    }

    #[test]
    fn a_package_with_any_bit_changed_does_not_decrypt(at: prop::sample::Index, bit in 0_u8..8) {
        let (bob, shown) = bob();
        let plain = "any text at all";
        let mut value = Sealed::seal(plain.as_bytes(), &shown.temp_pubkey, draw(1)).unwrap().to_value();
        let field = ["encrypted_message", "iv", "authtag"][at.index(3)];
        let mut bytes = decoded(&value[field]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        value[field] = encoded(&bytes);

        prop_assert_eq!(bob.unseal(&Sealed::read(&value).unwrap()), Err(Refusal::Cipher));
    }

    #[test]
    fn reading_what_is_no_message_never_panics(text in "[\\[\\]{}\",:a-z0-9 ]{0,60}", fields in prop::collection::vec((0_usize..8, "\\PC{0,20}"), 0..6)) {
        let names = ["challenge", "pubkey", "signature", "encrypted_package", "to", "dh", "iv", "message"];
        let made: serde_json::Map<String, Value> =
            fields.into_iter().map(|(name, text)| (names[name].to_owned(), text.into())).collect();
        for value in [json::parse(&text).unwrap_or_default(), Value::Object(made)] {
            prop_assert!(Message::delivered(&value).is_err());
            prop_assert!(Message::read(value.clone()).is_err());
            prop_assert!(Sealed::read(&value).is_err());
            prop_assert!(Login::read(&value, "x").is_err());
            prop_assert!(TemporaryKey::read(&value, &device(1).public()).is_err());
        }
    }

    #[test]
    fn whatever_a_sender_encrypts_is_read_or_refused(text in "\\PC{0,80}", body: bool) {
        let (bob, shown) = bob();
        let text = if body { plain(&device(1), &json!(text)) } else { text };

        let opened = bob.open(&forged(&text, 1, &shown.temp_pubkey, &bob.public()));

        prop_assert_eq!(opened.is_ok(), body);
    }
}

fn decoded(text: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap()
}

fn encoded(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes).into()
}
