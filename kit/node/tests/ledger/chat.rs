//! Devices that write to each other over the node.

use coinop_core::{
    Context, Machine,
    device::{Draft, Draw, Keys, Message, Pages, TemporaryKey},
    obyte::{DeviceAddress, SecretKey},
};
use coinop_node::hub::{
    Client, Hub, Reaction,
    mailboxes::{Effect, Mailboxes},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::World;

const HUB: &str = "hub.example/bb";

/// A node with mailboxes, and what it sent.
struct Chat {
    world: World,
    hub: Hub,
    boxes: Mailboxes,
    sent: Vec<(Client, Value)>,
}

/// A device and its connection.
struct Device {
    keys: Keys,
    client: Client,
    challenge: String,
}

impl Chat {
    fn new() -> Self {
        Self { world: World::new(), hub: Hub::new("0"), boxes: Mailboxes::default(), sent: Vec::new() }
    }

    /// A connection, and the challenge it is given.
    fn connect(&mut self, chance: u8) -> (Client, String) {
        let (client, _) = self.hub.connected(&self.world.ledger, self.world.now).unwrap();
        let Some(Reaction::Send { frame, .. }) = self.hub.invite(client, &[chance; 32]) else { panic!() };
        let frame: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(frame[1]["subject"], "hub/challenge");
        (client, frame[1]["body"].as_str().unwrap().to_owned())
    }

    fn device(&mut self, number: u8) -> Device {
        let (client, challenge) = self.connect(number);
        let keys = Keys::new(SecretKey::from_bytes(&[number; 32]).unwrap());
        Device { keys, client, challenge }
    }

    /// Takes a frame and does what follows, as the shell does.
    fn heard(&mut self, from: Client, text: &str) {
        let reactions = self.hub.heard(&self.world.ledger, from, text, self.world.now);
        self.act(reactions);
    }

    fn act(&mut self, reactions: Vec<Reaction>) {
        for reaction in reactions {
            match reaction {
                Reaction::Send { to, frame } => self.sent.push((to, serde_json::from_str(&frame).unwrap())),
                Reaction::Ask(mut ask) => {
                    let command = ask.command(&self.boxes);
                    let context = Context { now: self.world.now, random: [0; 32] };
                    let decided = command.map(|command| self.boxes.decide(&context, command)).transpose();
                    let decision = decided.as_ref().ok().and_then(Option::as_ref);
                    decision.into_iter().flat_map(|it| &it.events).for_each(|event| self.boxes.apply(event));
                    let error = decided.as_ref().err().map(ToString::to_string);
                    let result = error.as_deref().map_or(Ok(()), Err);
                    let mut follows = self.hub.answered(&self.boxes, &ask, result);
                    for effect in decision.into_iter().flat_map(|it| &it.effects) {
                        let Effect::Arrived { to, hash } = effect;
                        follows.extend(self.hub.arrived(&self.boxes, to, hash));
                    }
                    self.act(follows);
                }
                Reaction::Post { .. } | Reaction::End { .. } => {}
            }
        }
    }

    /// What a client was sent since it was last looked at.
    fn take(&mut self, client: Client) -> Vec<Value> {
        self.sent.extract_if(.., |(to, _)| *to == client).map(|(_, frame)| frame).collect()
    }

    fn say(&mut self, client: Client, subject: &str, body: &Value) -> Vec<Value> {
        self.heard(client, &json!(["justsaying", {"subject": subject, "body": body}]).to_string());
        self.take(client).into_iter().map(|frame| json!([frame[1]["subject"], frame[1]["body"]])).collect()
    }

    fn ask(&mut self, client: Client, command: &str, params: &Value) -> Value {
        let frame = json!(["request", {"command": command, "params": params, "tag": "t"}]);
        self.heard(client, &frame.to_string());
        let frames = self.take(client);
        let answer = frames.iter().find(|frame| frame[0] == "response").unwrap();
        assert_eq!((&answer[1]["tag"], &answer[1]["command"]), (&json!("t"), &json!(command)));
        answer[1]["response"].clone()
    }

    fn log_in(&mut self, device: &Device, pages: Pages) -> Vec<Value> {
        let login = device.keys.login(&device.challenge, pages).unwrap();
        self.say(device.client, "hub/login", &json!(login))
    }

    /// A device that is logged in and shows a key.
    fn ready(&mut self, number: u8) -> (Device, TemporaryKey) {
        let mut device = self.device(number);
        self.log_in(&device, Pages::default());
        let key = device.keys.temporary(0, &[number + 100; 32].into()).unwrap();
        assert_eq!(self.ask(device.client, "hub/temp_pubkey", &json!(key)), "updated");
        (device, key)
    }
}

fn letter(from: &Device, to: &Device, key: &TemporaryKey, text: &str, draw: u8) -> Message {
    let draw = Draw::from_random(&[draw + 1; 44].into()).unwrap();
    from.keys.seal(&Draft::text(text), &to.keys.public(), key, HUB, draw).unwrap()
}

fn subjects(said: &[Value]) -> Vec<&str> {
    said.iter().map(|frame| frame[0].as_str().unwrap()).collect()
}

#[test]
fn a_message_is_delivered_read_and_deleted() {
    let mut chat = Chat::new();
    let ((alice, _), (bob, _)) = (chat.ready(1), chat.ready(2));
    let shown = chat.ask(alice.client, "hub/get_temp_pubkey", &json!(bob.keys.public()));
    let key = TemporaryKey::read(&shown, &bob.keys.public()).unwrap();
    let message = letter(&alice, &bob, &key, "hello", 0);

    assert_eq!(chat.ask(alice.client, "hub/deliver", message.value()), "accepted");

    let told = chat.take(bob.client);
    assert_eq!((told.len(), &told[0][1]["subject"]), (1, &json!("hub/message")));
    let delivered = Message::delivered(&told[0][1]["body"]).unwrap();
    assert_eq!(bob.keys.open(&delivered).unwrap().body, "hello");
    let hash = json!(delivered.hash());
    let gone = format!("deleted message {}", delivered.hash());
    assert_eq!(chat.say(bob.client, "hub/delete", &hash), [json!(["info", gone])]);
    let left = chat.say(bob.client, "hub/refresh", &json!(null));
    assert_eq!(left, [json!(["info", "0 messages sent"]), json!(["hub/message_box_status", "empty"])]);
}

#[test]
fn what_comes_for_who_is_away_waits_for_the_next_login() {
    let mut chat = Chat::new();
    let ((alice, _), (bob, key)) = (chat.ready(1), chat.ready(2));
    chat.hub.gone(bob.client);
    for number in 0..3 {
        let message = letter(&alice, &bob, &key, "are you there?", number);
        assert_eq!(chat.ask(alice.client, "hub/deliver", message.value()), "accepted");
    }

    let (client, challenge) = chat.connect(9);
    let bob = Device { client, challenge, ..bob };
    let two = Pages { max_message_count: Some(2), ..Pages::default() };
    let said = chat.log_in(&bob, two);

    assert_eq!(
        subjects(&said),
        [
            "system_vars",
            "hub/push_project_number",
            "hub/message",
            "hub/message",
            "info",
            "hub/message_box_status"
        ]
    );
    assert_eq!(
        said[4..],
        [json!(["info", "2 messages sent"]), json!(["hub/message_box_status", "has_more"])]
    );
    let first = Message::delivered(&said[2][1]).unwrap();
    assert_eq!(first, letter(&alice, &bob, &key, "are you there?", 0), "oldest first");
}

#[test]
fn a_device_that_is_new_is_told_so() {
    let mut chat = Chat::new();
    let device = chat.device(1);

    let first = chat.log_in(&device, Pages::default());
    let again = chat.log_in(&device, Pages::default());

    assert_eq!(first.last(), Some(&json!(["info", "address created"])));
    assert_eq!(again.last(), Some(&json!(["hub/message_box_status", "empty"])));
}

#[test]
fn a_message_is_not_told_to_another_device() {
    let mut chat = Chat::new();
    let ((alice, _), (bob, key), (carol, _)) = (chat.ready(1), chat.ready(2), chat.ready(3));

    chat.ask(alice.client, "hub/deliver", letter(&alice, &bob, &key, "secret", 0).value());

    assert_eq!(chat.take(carol.client), [json!(null); 0]);
    let carols = chat.say(carol.client, "hub/refresh", &json!(null));
    assert_eq!(subjects(&carols), ["info", "hub/message_box_status"]);
}

#[test]
fn logins_that_do_not_hold_are_told_in_the_words_of_the_hubs() {
    let mut chat = Chat::new();
    let (alice, mallory) = (chat.device(1), chat.device(2));
    let good = json!(alice.keys.login(&alice.challenge, Pages::default()).unwrap());
    let other = json!(mallory.keys.login(&mallory.challenge, Pages::default()).unwrap());
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        changed
    };
    let mut error = |body: &Value| chat.say(alice.client, "hub/login", body);

    for (body, text) in [
        (json!({"challenge": "x", "pubkey": "y", "signature": "z"}), "wrong challenge"),
        (other.clone(), "wrong challenge"),
        (with("pubkey", json!(null)), "no login params"),
        (with("pubkey", json!("y")), "wrong pubkey length"),
        (with("signature", json!("z")), "wrong signature length"),
        (with("pubkey", other["pubkey"].clone()), "wrong signature"),
        (with("signature", other["signature"].clone()), "wrong signature"),
        (with("max_message_count", json!(5)), "wrong signature"),
    ] {
        assert_eq!(error(&body), [json!(["error", text])], "{body}");
    }
    for subject in ["hub/refresh", "hub/delete"] {
        let hash = json!("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        assert_eq!(chat.say(alice.client, subject, &hash), [json!(["error", "please log in first"])]);
    }
    assert_eq!(chat.boxes, Mailboxes::default());
}

#[test]
fn one_connection_is_one_device() {
    let mut chat = Chat::new();
    let (alice, _) = chat.ready(1);
    let second = Keys::new(SecretKey::from_bytes(&[50; 32]).unwrap());
    let login = second.login(&alice.challenge, Pages::default()).unwrap();

    let said = chat.say(alice.client, "hub/login", &json!(login));

    assert_eq!(said[0][0], "error");
    assert!(!chat.boxes.knows(&second.address()));
}

#[test]
fn deliveries_that_do_not_hold_are_told_in_the_words_of_the_hubs() {
    let mut chat = Chat::new();
    let ((alice, own), (bob, key)) = (chat.ready(1), chat.ready(2));
    let stranger = chat.device(7);
    let good = letter(&alice, &bob, &key, "hello", 0).value().clone();
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        changed
    };
    let to_stranger = {
        let key = TemporaryKey { pubkey: stranger.keys.public(), ..own };
        letter(&alice, &stranger, &key, "x", 0).value().clone()
    };
    let for_own = {
        let key = TemporaryKey { pubkey: bob.keys.public(), ..own };
        letter(&alice, &bob, &key, "x", 0).value().clone()
    };
    let unknown = format!("address {} not registered here", stranger.keys.address());
    let mut deep = json!(1);
    for _ in 0..6 {
        deep = json!([deep]);
    }

    for (body, text) in [
        (json!({}), "missing fields"),
        (with("encrypted_package", json!({"iv": "x"})), "missing fields"),
        (with("to", json!("nobody")), "invalid to address"),
        (with("x", deep), "device message is too deeply nested or has too many nodes"),
        (with("to", json!(alice.keys.address())), "wrong message signature"),
        (to_stranger, unknown.as_str()),
        (for_own, "wrong recipient ephemeral pubkey"),
    ] {
        assert_eq!(chat.ask(alice.client, "hub/deliver", &body), json!({"error": text}), "{body}");
    }
    let pubkey = json!(stranger.keys.public());
    let unknown = json!({"error": "device with this pubkey is not registered here"});
    assert_eq!(chat.ask(alice.client, "hub/get_temp_pubkey", &pubkey), unknown);
    chat.log_in(&stranger, Pages::default());
    let unset = json!({"error": "temp pub key not set yet"});
    assert_eq!(chat.ask(alice.client, "hub/get_temp_pubkey", &pubkey), unset);
    let short = json!({"error": "wrong permanent_pubkey length"});
    assert_eq!(chat.ask(alice.client, "hub/get_temp_pubkey", &json!("x")), short);
}

#[test]
fn a_temporary_key_is_shown_by_its_own_device_only() {
    let mut chat = Chat::new();
    let ((alice, own), (bob, _)) = (chat.ready(1), chat.ready(2));
    let guest = chat.device(3);
    let mut error = |client, body: &Value| chat.ask(client, "hub/temp_pubkey", body)["error"].clone();

    assert_eq!(error(guest.client, &json!(own)), "please log in first");
    assert_eq!(error(bob.client, &json!(own)), "signed by another pubkey");
    assert_eq!(error(alice.client, &json!({"temp_pubkey": "x"})), "no temp_pubkey params");
    let mut more = json!(own);
    more["x"] = json!(1);
    assert_eq!(error(alice.client, &more), "unexpected fields in temp_pubkey package");
    let mut other = json!(own);
    other["temp_pubkey"] = json!(bob.keys.public());
    assert_eq!(error(alice.client, &other), "wrong signature");
}

#[test]
fn without_an_invitation_no_chat_is_served() {
    let mut chat = Chat::new();
    let (client, _) = chat.hub.connected(&chat.world.ledger, chat.world.now).unwrap();

    assert_eq!(chat.say(client, "hub/refresh", &json!(null)), [json!(null); 0]);
    chat.heard(client, r#"["request",{"command":"hub/deliver","params":{},"tag":"t"}]"#);
    assert_eq!(chat.take(client), [json!(null); 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_a_device_says_is_answered_or_not_but_never_harms(
        subject in "hub/(login|refresh|delete|temp_pubkey|deliver|get_temp_pubkey)",
        field in "(challenge|pubkey|signature|max_message_count|temp_pubkey|to|encrypted_package|x)",
        value in r#"(null|0|-1|1e99|"x"|\[\]|\{\}|\[null\]|\{"dh":\{\}\}|true|"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")"#,
        whole: bool,
    ) {
        let mut chat = Chat::new();
        let (alice, key) = chat.ready(1);
        let before = chat.boxes.clone();
        let value: Value = serde_json::from_str(&value).unwrap();
        let mut body = match subject.as_str() {
            "hub/login" => json!(alice.keys.login(&alice.challenge, Pages::default()).unwrap()),
            "hub/temp_pubkey" => json!(key),
            _ => letter(&alice, &alice, &key, "x", 0).value().clone(),
        };
        if whole { body = value } else { body[field] = value }

        chat.say(alice.client, &subject, &body);
        chat.heard(alice.client, &json!(["request", {"command": subject, "params": body, "tag": "t"}]).to_string());

        prop_assert!(chat.take(alice.client).len() < 8);
        prop_assert!(chat.boxes.knows(&DeviceAddress::of_key(&alice.keys.public())));
        // A field that is not part of the message is signed as well, and so nothing new is stored.
        prop_assert!(chat.boxes == before || subject == "hub/deliver" || subject == "hub/login");
    }
}
