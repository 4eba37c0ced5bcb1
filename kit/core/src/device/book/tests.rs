//! Who becomes known, and who does not.

use std::{borrow::ToOwned as _, format, string::String, vec::Vec};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    Timestamp,
    device::{Letter, Subject},
    obyte::{Hash, PublicKey, SecretKey},
};

fn key(name: u8) -> PublicKey {
    SecretKey::from_bytes(&[name; 32]).unwrap().public()
}

fn address(name: u8) -> DeviceAddress {
    DeviceAddress::of_key(&key(name))
}

fn letter(from: u8, subject: &str, body: Value) -> Letter {
    let hash = Hash::of(format!("{from} {subject} {body}").as_bytes());
    Letter { hash, from: key(from), hub: "hub".into(), subject: subject.to_owned().into(), body }
}

fn says(from: u8, words: &str) -> Letter {
    letter(from, "text", json!(words))
}

fn pairing(from: u8, secret: &str, reverse: Option<&str>) -> Letter {
    let body = json!({"pairing_secret": secret, "device_name": "phone", "reverse_pairing_secret": reverse});
    letter(from, "pairing", body)
}

/// A device's book, and its journal.
struct Device {
    book: Book,
    events: Vec<Event>,
}

impl Device {
    fn new(name: u8) -> Self {
        Self { book: Book::new(key(name)), events: Vec::new() }
    }

    fn told(&mut self, seconds: u64, command: Command) -> Result<Vec<Effect>, Refusal> {
        let random = [u8::try_from(self.events.len()).unwrap_or(0); 32];
        let context = Context { now: Timestamp::from_millis(seconds * 1000), random };
        let decision = self.book.decide(&context, command)?;
        decision.events.iter().for_each(|event| self.book.apply(event));
        self.events.extend(decision.events);
        Ok(decision.effects)
    }

    fn hears(&mut self, seconds: u64, letter: Letter) -> Result<Vec<Effect>, Refusal> {
        self.told(seconds, Command::Hear(letter))
    }

    fn invites(&mut self, seconds: u64) -> String {
        match self.told(seconds, Command::Invite).unwrap().as_slice() {
            [Effect::Show { secret, .. }] => secret.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn knows(&self, name: u8) -> bool {
        self.book.find(&address(name)).is_some()
    }
}

/// A thing that knows the phone, by a code that was shown.
fn paired() -> Device {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    thing.hears(1, pairing(2, &secret, None)).unwrap();
    thing
}

#[test]
fn two_devices_come_to_know_each_other_by_a_code() {
    let (mut thing, mut phone) = (Device::new(1), Device::new(2));
    let secret = thing.invites(0);
    let code: PairingCode = format!("{}@hub#{secret}", key(1)).parse().unwrap();

    let ask = phone.told(1, Command::Join(code)).unwrap();
    let asked = ask[0].draft(&"phone".parse().unwrap()).unwrap();
    let answered = thing.hears(2, letter(2, "pairing", asked.body)).unwrap();
    let answer = answered[0].draft(&"lamp".parse().unwrap()).unwrap();
    phone.hears(3, letter(1, "pairing", answer.body)).unwrap();

    let (at_thing, at_phone) = (thing.book.find(&address(2)).unwrap(), phone.book.find(&address(1)).unwrap());
    assert_eq!(at_thing.name.as_ref().unwrap().as_str(), "phone");
    assert_eq!(at_phone.name.as_ref().unwrap().as_str(), "lamp");
    assert_eq!(thing.book.fingerprint(at_thing), phone.book.fingerprint(at_phone));
    assert!(thing.hears(4, says(2, "menu")).is_ok() && phone.hears(4, says(1, "hello")).is_ok());
}

#[test]
fn a_stranger_is_not_listened_to() {
    let mut thing = Device::new(1);
    thing.invites(0);

    for letter in
        [says(3, "start"), letter(3, "object", json!({})), letter(3, "removed_paired_device", json!("x"))]
    {
        assert_eq!(thing.hears(1, letter), Err(Refusal::Stranger(address(3))));
    }
}

#[test]
fn a_code_is_good_once() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    thing.hears(1, pairing(2, &secret, None)).unwrap();

    assert_eq!(thing.hears(2, pairing(3, &secret, None)), Err(Refusal::NoCode));
    assert!(thing.knows(2) && !thing.knows(3));
}

#[test]
fn an_expired_code_is_refused_before_and_after_the_alarm() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    let until = thing.book.deadline().unwrap().at;

    assert_eq!(thing.hears(300, pairing(2, &secret, None)), Err(Refusal::Expired(until)));
    thing.told(300, Command::Wake).unwrap();
    assert_eq!(thing.hears(301, pairing(2, &secret, None)), Err(Refusal::NoCode));
    assert_eq!(thing.events.last(), Some(&Event::Over { why: Over::Expired }));
}

#[test]
fn a_guesser_voids_the_code_before_the_guess_can_be_right() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    for guess in 0..Book::MAX_TRIES {
        thing.hears(1, pairing(3, &format!("{guess}"), None)).unwrap();
    }

    assert_eq!(thing.events.last(), Some(&Event::Over { why: Over::Guessed }));
    assert_eq!(thing.hears(2, pairing(3, &secret, None)), Err(Refusal::NoCode));
    assert!(!thing.knows(3));
}

#[test]
fn no_fixed_secret_ever_pairs() {
    let mut thing = Device::new(1);

    for secret in ["0000", "*", "AAAA"] {
        assert_eq!(thing.hears(1, pairing(3, secret, None)), Err(Refusal::NoCode));
    }
    assert_ne!(thing.invites(2), thing.invites(3));
}

#[test]
fn a_replayed_message_does_nothing_but_leave_the_hub() {
    let mut thing = paired();
    let start = says(2, "start");
    assert_eq!(thing.hears(2, start.clone()).unwrap().len(), 2);
    thing.told(3, Command::Done { hash: start.hash }).unwrap();
    let before = thing.book.clone();

    let effects = thing.hears(4, start.clone()).unwrap();

    assert_eq!(effects, [Effect::Delete { hash: start.hash }]);
    assert_eq!(thing.book, before);
}

#[test]
fn a_replayed_pairing_of_somebody_removed_is_refused() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    thing.hears(1, pairing(2, &secret, None)).unwrap();
    thing.told(2, Command::Remove { address: address(2) }).unwrap();

    assert_eq!(thing.hears(3, pairing(2, &secret, None)), Err(Refusal::NoCode));
    assert_eq!(thing.hears(4, says(2, "start")), Err(Refusal::Stranger(address(2))));
}

#[test]
fn an_answer_from_another_device_or_with_another_secret_is_none() {
    let mut phone = Device::new(2);
    let code: PairingCode = format!("{}@hub#secret", key(1)).parse().unwrap();
    let effects = phone.told(0, Command::Join(code)).unwrap();
    let Effect::Pair { reverse: Some(reverse), .. } = &effects[0] else { panic!("{effects:?}") };

    assert_eq!(phone.hears(1, pairing(3, reverse.as_str(), None)), Err(Refusal::NoCode));
    assert_eq!(phone.hears(1, pairing(1, "another", None)), Err(Refusal::NoCode));
    assert_eq!(phone.book.find(&address(1)).unwrap().name, None);
}

#[test]
fn who_does_not_answer_is_struck_out() {
    let mut phone = Device::new(2);
    let code: PairingCode = format!("{}@hub#secret", key(1)).parse().unwrap();
    phone.told(0, Command::Join(code)).unwrap();

    phone.told(600, Command::Wake).unwrap();

    assert!(!phone.knows(1));
    assert_eq!(phone.book.deadline(), None);
}

#[test]
fn who_is_known_stays_known_when_it_does_not_answer_once_more() {
    let mut thing = paired();
    let code: PairingCode = format!("{}@hub#old", key(2)).parse().unwrap();
    thing.told(10, Command::Join(code)).unwrap();

    thing.told(700, Command::Wake).unwrap();

    assert_eq!(thing.book.find(&address(2)).unwrap().name.as_ref().unwrap().as_str(), "phone");
    assert_eq!(thing.book.deadline(), None);
    assert!(thing.hears(701, says(2, "start")).is_ok());
}

#[test]
fn who_was_asked_is_listened_to_at_once_since_its_key_stands_in_the_code() {
    let mut phone = Device::new(2);
    let code: PairingCode = format!("{}@hub#secret", key(1)).parse().unwrap();
    phone.told(0, Command::Join(code)).unwrap();

    assert!(phone.hears(1, says(1, "welcome")).is_ok());
    assert_eq!(phone.hears(1, says(3, "welcome")), Err(Refusal::Stranger(address(3))));
}

#[test]
fn a_device_does_not_pair_with_itself() {
    let mut thing = Device::new(1);
    let code: PairingCode = format!("{}@hub#secret", key(1)).parse().unwrap();

    assert_eq!(thing.told(0, Command::Join(code)), Err(Refusal::Myself));
}

#[test]
fn a_lost_answer_is_given_again() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    let first = thing.hears(1, pairing(2, &secret, Some("back"))).unwrap();
    assert!(matches!(&first[0], Effect::Answer { .. }));

    let second = thing.hears(2, pairing(2, &secret, Some("again"))).unwrap();

    assert!(matches!(&second[0], Effect::Answer { secret, .. } if secret.as_str() == "again"));
}

#[test]
fn what_was_not_dealt_with_comes_again_after_a_restart() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    let answer = thing.hears(1, pairing(2, &secret, Some("back"))).unwrap().remove(0);
    let start = thing.hears(2, says(2, "start")).unwrap().remove(0);

    let mut restarted = Device::new(1);
    for event in &thing.events {
        let text = serde_json::to_string(event).unwrap();
        restarted.book.apply(&serde_json::from_str(&text).unwrap());
    }

    assert_eq!(restarted.book, thing.book);
    assert_eq!(restarted.book.pending(), [answer, start]);
    restarted.told(3, Command::Done { hash: says(2, "start").hash }).unwrap();
    assert_eq!(restarted.book.pending().len(), 1);
}

#[test]
fn no_code_that_is_still_good_stands_in_the_journal() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    let mut phone = Device::new(2);
    phone.told(0, Command::Join(format!("{}@hub#{secret}", key(1)).parse().unwrap())).unwrap();

    for device in [&thing, &phone] {
        let journal = serde_json::to_string(&device.events).unwrap();
        let state = serde_json::to_string(&device.book).unwrap();
        assert!(!journal.contains(&secret) && !state.contains(&secret));
    }
}

#[test]
fn a_peer_that_removes_us_is_forgotten() {
    let mut thing = paired();

    thing.hears(2, letter(2, "removed_paired_device", json!("removed"))).unwrap();

    assert!(!thing.knows(2));
    assert_eq!(thing.hears(3, says(2, "start")), Err(Refusal::Stranger(address(2))));
}

#[test]
fn letters_without_sense_are_refused() {
    let mut thing = paired();

    for (subject, body) in
        [("text", json!("")), ("text", json!(5)), ("text", json!("x".repeat(16385))), ("object", json!([1]))]
    {
        assert!(matches!(thing.hears(2, letter(2, subject, body)), Err(Refusal::Malformed { .. })));
    }
    assert_eq!(thing.hears(2, letter(2, "sign", json!({}))), Err(Refusal::NotSpoken("sign".into())));
}

#[test]
fn a_flood_of_letters_waits_at_the_hub() {
    let mut thing = paired();
    for number in 0..Book::MAX_WAITING {
        thing.hears(2, says(2, &format!("{number}"))).unwrap();
    }

    let refusal = thing.hears(3, says(2, "one more")).unwrap_err();

    assert!(refusal == Refusal::Busy(Book::MAX_WAITING) && refusal.is_for_now());
}

#[test]
fn a_name_is_made_fit_to_be_shown() {
    let named = |name: &str| {
        let mut thing = Device::new(1);
        let secret = thing.invites(0);
        let body = json!({"pairing_secret": secret, "device_name": name});
        thing.hears(1, letter(2, "pairing", body)).unwrap();
        thing.book.find(&address(2)).unwrap().name.as_ref().unwrap().as_str().to_owned()
    };

    assert_eq!(named("a\nb\u{202e}[c](command:stop)"), "abccommand:stop");
    assert_eq!(named(" \u{200b} "), "unnamed");
    assert_eq!(named(&"x".repeat(100)), "x".repeat(32));
}

#[test]
fn an_answer_to_nowhere_is_not_promised() {
    let mut thing = Device::new(1);
    let secret = thing.invites(0);
    let mut request = pairing(2, &secret, Some("back"));
    request.hub = "wss://evil/../?".into();

    assert!(matches!(thing.hears(1, request), Err(Refusal::Malformed { .. })));
    assert!(!thing.knows(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_only_who_had_the_code_is_known(
        letters in prop::collection::vec((3_u8..6, 0_usize..5, "[a-z0-9*]{0,8}", any::<bool>()), 0..24),
    ) {
        let mut thing = paired();
        thing.invites(2);
        for (from, subject, words, is_object) in letters {
            let subject = ["text", "object", "pairing", "removed_paired_device", "sign"][subject];
            let body = if is_object { json!({"pairing_secret": words}) } else { json!(words) };
            if let Ok(effects) = thing.hears(3, Letter { subject: Subject::from(subject.to_owned()), ..letter(from, subject, body) }) {
                let only_deleted = effects.iter().all(|effect| matches!(effect, Effect::Delete { .. }));
                prop_assert!(only_deleted);
            }
        }

        prop_assert_eq!(thing.book.correspondents().map(|(address, _)| *address).collect::<Vec<_>>(), [address(2)]);
    }
}
