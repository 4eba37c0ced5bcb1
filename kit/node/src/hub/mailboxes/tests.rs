use std::ops::Range;

use coinop_core::{
    device::{Draft, Draw, Keys},
    obyte::SecretKey,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn keys(number: u64) -> Keys {
    let mut bytes = [1; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    Keys::new(SecretKey::from_bytes(&bytes).unwrap())
}

fn temporary(keys: &mut Keys, number: u8) -> TemporaryKey {
    keys.temporary(number.into(), &[number + 9; 32].into()).unwrap()
}

/// A message of about `size` bytes to whoever holds `key`.
fn message(to: &Keys, key: &TemporaryKey, size: usize, number: u8) -> Message {
    let draft = Draft::text(&"x".repeat(size));
    let draw = Draw::from_random(&[number + 1; 44].into()).unwrap();
    keys(77).seal(&draft, &to.public(), key, "hub.example/bb", draw).unwrap()
}

/// Mailboxes whose journal is kept.
#[derive(Default)]
struct Office {
    boxes: Mailboxes,
    journal: Vec<String>,
}

impl Office {
    fn told(&mut self, at: u64, command: Command) -> Result<Vec<Effect>, Refusal> {
        let context = Context { now: Timestamp::from_millis(at), random: [0; 32] };
        let decision = self.boxes.decide(&context, command)?;
        for event in &decision.events {
            self.journal.push(json!(event).to_string());
            self.boxes.apply(event);
        }
        Ok(decision.effects)
    }

    /// A device that entered and shows a temporary key.
    fn with(number: u64) -> (Self, Keys, TemporaryKey) {
        let (mut office, mut keys) = (Self::default(), keys(number));
        let key = temporary(&mut keys, 0);
        office.told(1, Command::Enter { pubkey: keys.public(), longest: None }).unwrap();
        office.told(1, Command::Show { key: key.into() }).unwrap();
        (office, keys, key)
    }

    fn enter_all(&mut self, numbers: Range<u64>) {
        for number in numbers {
            self.told(number, Command::Enter { pubkey: keys(number).public(), longest: None }).unwrap();
        }
    }
}

#[test]
fn a_message_waits_until_it_is_deleted_and_survives_a_restart() {
    let (mut office, bob, key) = Office::with(1);
    let letter = message(&bob, &key, 10, 0);
    let (to, hash) = (bob.address(), letter.hash());

    let effects = office.told(2, Command::Deliver { message: letter.clone().into() }).unwrap();
    assert_eq!(effects, [Effect::Arrived { to, hash }]);
    assert_eq!(office.told(3, Command::Deliver { message: letter.clone().into() }).unwrap(), [], "again");

    let mut again = Mailboxes::default();
    office.journal.iter().for_each(|line| again.apply(&serde_json::from_str(line).unwrap()));
    assert_eq!(again, office.boxes);
    let snapshot = serde_json::to_string(&again).unwrap();
    assert_eq!(serde_json::from_str::<Mailboxes>(&snapshot).unwrap(), again);
    let delivery = json!({"message_hash": hash, "message": serde_json::from_str::<serde_json::Value>(&again.letters(&to)[0].text).unwrap()});
    assert_eq!(Message::delivered(&delivery).unwrap(), letter);

    office.told(4, Command::Delete { device: to, hash }).unwrap();
    assert_eq!(office.boxes.letters(&to), []);
    assert_eq!(office.told(5, Command::Delete { device: to, hash }), Ok(vec![]), "again");
}

#[test]
fn a_message_is_taken_for_the_key_that_is_shown_and_for_the_devices_own() {
    let (mut office, mut bob, old) = Office::with(1);
    let own = TemporaryKey { temp_pubkey: bob.public(), ..old };
    let new = temporary(&mut bob, 1);
    office.told(2, Command::Show { key: new.into() }).unwrap();
    let mut deliver = |key| office.told(3, Command::Deliver { message: message(&bob, key, 10, 0).into() });

    assert_eq!(deliver(&old), Err(Refusal::WrongKey));
    assert!(deliver(&new).is_ok());
    assert!(deliver(&own).is_ok());
}

#[test]
fn who_never_logged_in_gets_nothing_and_shows_nothing() {
    let (mut office, mut carol) = (Office::default(), keys(3));
    let key = temporary(&mut carol, 0);
    let unknown = Err(Refusal::NotRegistered(carol.address()));

    assert_eq!(office.told(1, Command::Deliver { message: message(&carol, &key, 10, 0).into() }), unknown);
    assert_eq!(office.told(1, Command::Show { key: key.into() }), unknown);
    assert_eq!(office.told(1, Command::Collect { device: carol.address(), longest: None }), unknown);
    assert_eq!(office.boxes.shown(&carol.public()), Err(Refusal::UnknownKey));
    office.enter_all(3..4);
    assert_eq!(office.boxes.shown(&carol.public()), Err(Refusal::NotShown));
}

#[test]
fn what_a_device_cannot_read_is_thrown_away_when_it_says_so() {
    let (mut office, bob, key) = Office::with(1);
    for (number, size) in [(0, 10), (1, 5_000)] {
        office.told(2, Command::Deliver { message: message(&bob, &key, size, number).into() }).unwrap();
    }

    office.told(3, Command::Collect { device: bob.address(), longest: Some(2_000) }).unwrap();

    let left = office.boxes.letters(&bob.address());
    assert_eq!(left.len(), 1);
    assert!(left[0].text.len() < 2_000);
}

#[test]
fn a_mailbox_has_an_end_in_number_and_in_size() {
    let (mut office, bob, key) = Office::with(1);
    let full = Err(Refusal::Full(bob.address()));
    let deliver = |office: &mut Office, size, number| {
        office.told(2, Command::Deliver { message: message(&bob, &key, size, number).into() })
    };
    for number in 0..u8::try_from(MAX_LETTERS).unwrap() {
        deliver(&mut office, 1, number).unwrap();
    }
    assert_eq!(deliver(&mut office, 1, 250), full);

    let mut office = Office::with(1).0;
    let taken = (0..30).take_while(|number| deliver(&mut office, 150_000, *number).is_ok()).count();
    assert!((5..15).contains(&taken), "{taken} of 200 kB each");
    let size: usize = office.boxes.letters(&bob.address()).iter().map(|letter| letter.text.len()).sum();
    assert!(size <= MAX_SIZE);
}

#[test]
fn all_mailboxes_together_have_an_end() {
    let mut office = Office::default();
    let mut last = Ok(Vec::new());
    for number in 0..20 {
        let mut device = keys(number);
        let key = temporary(&mut device, 0);
        office.told(1, Command::Enter { pubkey: device.public(), longest: None }).unwrap();
        office.told(1, Command::Show { key: key.into() }).unwrap();
        for part in 0..9 {
            last = office.told(1, Command::Deliver { message: message(&device, &key, 150_000, part).into() });
        }
    }

    assert_eq!(last, Err(Refusal::NoMore));
    assert!(office.boxes.devices.values().map(Mailbox::size).sum::<usize>() <= MAX_TOTAL);
}

#[test]
fn one_device_too_many_takes_the_place_of_the_idlest_without_messages() {
    let (mut office, bob, key) = Office::with(0);
    office.told(1, Command::Deliver { message: message(&bob, &key, 1, 0).into() }).unwrap();
    let most = u64::try_from(MAX_DEVICES).unwrap();
    office.enter_all(2..most + 1);
    office.told(most + 1, Command::Enter { pubkey: keys(2).public(), longest: None }).unwrap();
    let knows = |office: &Office, number| office.boxes.knows(&keys(number).address());

    office.enter_all(most + 2..most + 3);

    assert_eq!(office.boxes.devices.len(), MAX_DEVICES);
    assert!(knows(&office, 0), "a message waits for it");
    assert!(knows(&office, 2), "it came back");
    assert!(!knows(&office, 3), "the idlest");
    assert!(knows(&office, most + 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_asked_the_journal_tells_the_same(asked in prop::collection::vec((0..4_u64, 0..5_u8, 0..4_u8), 0..30)) {
        let mut office = Office::default();
        for (step, (number, what, part)) in asked.into_iter().enumerate() {
            let mut device = keys(number);
            let key = temporary(&mut device, part);
            let letter = message(&device, &key, 20 * usize::from(part), part);
            let (pubkey, device) = (device.public(), device.address());
            let longest = (part > 1).then_some(u32::from(part) * 200);
            let _ = office.told(step as u64, match what {
                0 => Command::Enter { pubkey, longest },
                1 => Command::Collect { device, longest },
                2 => Command::Show { key: key.into() },
                3 => Command::Deliver { message: letter.into() },
                _ => Command::Delete { device, hash: letter.hash() },
            });
        }

        let mut again = Mailboxes::default();
        office.journal.iter().for_each(|line| again.apply(&serde_json::from_str(line).unwrap()));
        prop_assert_eq!(again, office.boxes);
    }
}
