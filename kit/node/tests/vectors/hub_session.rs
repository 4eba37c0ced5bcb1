//! A session with a real hub: what was asked there is asked here, and the answers are alike.
//!
//! The ledgers differ, so addresses and units are exchanged for ones that exist here, and what depends on
//! the ledger is compared by its shape: the fields, and what kind of value each holds. Errors are compared
//! to the letter.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coinop_core::{
    Bytes, Context, Machine as _, Timestamp,
    device::TemporaryKey,
    obyte::{Network, address::Address, hash::sha256, key::SecretKey, unit::Output},
    wallet::{self, Coin, CoinId, Policy, Quote, Request, Wallet},
};
use coinop_node::{
    hub::{
        Client, Hub, Reaction,
        mailboxes::{self, Mailboxes},
    },
    ledger::{Command, Config, Effect, Ledger, Purse, Treasury},
};
use coinop_tests::{Case, vectors};
use serde_json::{Value, json};

/// Requests whose answers cannot be alike, and why.
const UNLIKE: &[(&str, &str)] = &[
    ("get_system_var_votes", "nobody votes on this ledger: its values are those of the beginning"),
    ("light/get_aas_by_base_aas", "there is no agent on this ledger"),
    ("light/get_aa_state_vars", "there is no agent on this ledger"),
    ("light/get_aa_balances", "there is no agent on this ledger"),
    ("light/get_aa_responses", "there is no agent on this ledger"),
    ("post_joint", "the unit was signed for another ledger"),
];

pub(crate) fn hub_session(file: &Case<'_>) -> usize {
    let ledger = prepared();
    let client_address = file.input("client")["address"].as_str().unwrap();
    let provider = ledger.address_of(Purse::Provider).to_string();
    let names = BTreeMap::from([
        (client_address.to_owned(), own().to_string()),
        ("7BTYIDTD4NDM3PQRGKCAGT32LHADM2UL".to_owned(), provider.clone()),
        ("3R34WUT5T2COKSY34FGSW67UZ2ONVGS5".to_owned(), own().to_string()),
    ]);
    let (node, client) = invited(ledger);
    let node = RefCell::new(node);
    let said: RefCell<Vec<Value>> = RefCell::default();
    let asked: RefCell<BTreeMap<String, (String, Vec<Value>)>> = RefCell::default();
    let compared = RefCell::new(0);
    let count = file.each("cases", &[], |case| {
        let message = case.input("message");
        let body = &message[1];
        match (case.text("dir"), message[0].as_str().unwrap()) {
            ("out", "request") => {
                let frame = exchanged(message, &names, &node.borrow().ledger);
                let answers = node.borrow_mut().answers(client, &frame);
                let tag = body["tag"].as_str().unwrap().to_owned();
                asked.borrow_mut().insert(tag, (body["command"].as_str().unwrap().to_owned(), answers));
            }
            ("in", "response") => {
                let tag = body["tag"].as_str().unwrap();
                let Some((command, answers)) = asked.borrow_mut().remove(tag) else {
                    panic!("{}: an answer to nothing", case.label())
                };
                if UNLIKE.iter().any(|(unlike, _)| *unlike == command) {
                    return;
                }
                assert_eq!(answers.len(), 1, "{}: {command}", case.label());
                alike(&format!("{} {command}", case.label()), &body["response"], &answers[0][1]["response"]);
                assert_eq!(answers[0][1]["command"], body["command"], "{}", case.label());
                *compared.borrow_mut() += 1;
            }
            ("out", "justsaying") if is_chat(body) => {
                said.borrow_mut().extend(node.borrow_mut().answers(client, &message.to_string()));
            }
            ("in", "justsaying") if is_chat(body) => {
                let mut said = said.borrow_mut();
                let place = said.iter().position(|frame| frame == message);
                said.remove(place.unwrap_or_else(|| panic!("{}: {message} was not said", case.label())));
                *compared.borrow_mut() += 1;
            }
            // What else is said by itself is compared by the tests of the hub.
            _ => {}
        }
    });
    let said = said.into_inner();
    assert!(said.iter().all(|frame| frame[1]["subject"] == "system_vars"), "said here only: {said:?}");
    let unanswered: Vec<String> = asked
        .into_inner()
        .into_values()
        .filter(|(_, answers)| !answers.is_empty())
        .map(|(command, _)| command)
        .collect();
    assert_eq!(unanswered, ["light/get_history"], "answered here, and not there before the recording ended");
    assert!(compared.into_inner() > 25);
    count
}

const NOW: Timestamp = Timestamp::from_millis(1_800_000_060_000);

fn own_key() -> SecretKey {
    SecretKey::from_bytes(&sha256(b"a client")).unwrap()
}

fn own() -> Address {
    Address::of_key(&own_key().public())
}

/// A ledger on which the client has money, and has spent some.
fn prepared() -> Ledger {
    let seed = sha256(b"hub_session");
    let genesis = Timestamp::from_millis(1_800_000_000_000);
    let config = Config { genesis, until_stable: Duration::from_secs(1), proves: true, seed };
    let treasury = Treasury::of_seed(&seed).unwrap();
    let mut ledger = Ledger::new(&config).unwrap();
    let mut now = genesis;
    let mut commands = vec![Command::Fund { address: own(), amount: Bytes::new(2_000_000_000) }];
    let mut has_paid = false;
    loop {
        let command = match (commands.pop(), ledger.deadline()) {
            (Some(command), _) => command,
            (None, Some(deadline)) => {
                now = now.max(deadline.at);
                Command::Wake
            }
            (None, None) if has_paid => return ledger,
            (None, None) => {
                has_paid = true;
                Command::Post { unit: payment(&ledger, now) }
            }
        };
        let decision = ledger.decide(&Context { now, random: [0; 32] }, command).unwrap();
        decision.events.iter().for_each(|event| ledger.apply(event));
        for effect in decision.effects {
            if let Effect::Sign { purse, draft } = effect {
                commands.push(Command::Post { unit: treasury.sign(purse, &draft).unwrap() });
            }
        }
    }
}

/// The client's first unit: it discloses who the client is.
fn payment(ledger: &Ledger, now: Timestamp) -> Value {
    let key = own_key();
    let mut wallet = Wallet::new(Network::Devnet, key.public(), Policy::default());
    let coins = ledger.coins(&own()).into_iter().map(|coin| Coin {
        id: CoinId { unit: coin.unit, message_index: coin.message_index, output_index: coin.output_index },
        amount: coin.amount,
        stable: true,
    });
    let context = Context { now, random: [0; 32] };
    let seen = wallet.decide(&context, wallet::Command::CoinsSeen { coins: coins.collect() }).unwrap();
    seen.events.iter().for_each(|event| wallet.apply(event));
    let quote = ledger.quote(&own(), &[own()], None, now).unwrap();
    let quote = Quote {
        parents: quote.parent_units,
        last_ball: quote.last_ball,
        last_ball_unit: quote.last_ball_unit,
        timestamp: quote.timestamp,
        tps_fee: quote.tps_fee,
    };
    let request =
        Request { outputs: vec![Output { address: own(), amount: Bytes::new(1_000) }], ..Request::default() };
    let reference = "first".to_owned();
    let compose = wallet::Command::Compose { reference, request, quote, definition_needed: true };
    let composed = wallet.decide(&context, compose).unwrap();
    let Some(wallet::Effect::SignAndPost { unit, .. }) = composed.effects.into_iter().next() else {
        panic!("nothing was composed")
    };
    serde_json::to_value(wallet::seal(*unit, &key).unwrap()).unwrap()
}

/// A recorded frame about what exists here.
fn exchanged(message: &Value, names: &BTreeMap<String, String>, ledger: &Ledger) -> String {
    let mut text = message.to_string();
    for (there, here) in names {
        text = text.replace(there, here);
    }
    let known = ledger.dag().last_stable().unwrap().facts.hash.to_string();
    // This chain is shorter.
    let text = text.replace(r#""min_mci":184"#, r#""min_mci":1"#);
    text.replace("CaJ8CCjzwfRKgAIDtTOvrUYmltw1zbLiPCMXkQh5as8=", &known)
}

/// A node with a client that was given the challenge that the recorded client signed.
fn invited(ledger: Ledger) -> (Node, Client) {
    let mut node = Node { hub: Hub::new("0"), boxes: devices(), ledger };
    let (client, _) = node.hub.connected(&node.ledger, NOW).unwrap();
    let challenge = STANDARD.decode("SNL2tisGOQqyrip2y3NZitdDlbwcv3w3ltPiF+zM").unwrap();
    let mut random = [0; 32];
    random[..challenge.len()].copy_from_slice(&challenge);
    node.hub.invite(client, &random).unwrap();
    (node, client)
}

/// What a hub is, and what it keeps.
struct Node {
    hub: Hub,
    boxes: Mailboxes,
    ledger: Ledger,
}

impl Node {
    fn answers(&mut self, client: Client, frame: &str) -> Vec<Value> {
        let reactions = self.hub.heard(&self.ledger, client, frame, NOW);
        self.sent(frame, reactions)
    }

    fn sent(&mut self, about: &str, reactions: Vec<Reaction>) -> Vec<Value> {
        let mut sent = Vec::new();
        for reaction in reactions {
            match reaction {
                Reaction::Send { frame, .. } => sent.push(serde_json::from_str(&frame).unwrap()),
                Reaction::Ask(mut ask) => {
                    if let Some(command) = ask.command(&self.boxes) {
                        tell(&mut self.boxes, command);
                    }
                    let answered = self.hub.answered(&self.boxes, &ask, Ok(()));
                    sent.extend(self.sent(about, answered));
                }
                Reaction::Post { .. } => {}
                Reaction::End { why, .. } => panic!("{about}: {why}"),
            }
        }
        sent
    }
}

fn tell(boxes: &mut Mailboxes, command: mailboxes::Command) {
    let decision = boxes.decide(&Context { now: NOW, random: [0; 32] }, command).unwrap();
    decision.events.iter().for_each(|event| boxes.apply(event));
}

/// The devices that were registered at the recorded hub, with the keys that they showed.
fn devices() -> Mailboxes {
    let mut boxes = Mailboxes::default();
    let session = vectors::load("hub_session");
    let frames = session["cases"].as_array().unwrap().iter().map(|case| &case["message"]);
    let logins = frames.clone().filter(|it| it[1]["subject"] == "hub/login");
    for key in logins.filter_map(|it| it[1]["body"]["pubkey"].as_str()?.parse().ok()) {
        tell(&mut boxes, mailboxes::Command::Enter { pubkey: key, longest: None });
    }
    for shown in frames.filter(|it| it[0] == "response" && it[1]["command"] == "hub/get_temp_pubkey") {
        let shown = &shown[1]["response"];
        let pubkey = shown["pubkey"].as_str().unwrap().parse().unwrap();
        let key = TemporaryKey::read(shown, &pubkey).unwrap();
        tell(&mut boxes, mailboxes::Command::Enter { pubkey, longest: None });
        tell(&mut boxes, mailboxes::Command::Show { key: Box::new(key) });
    }
    boxes
}

/// Whether something said by itself is of the chat, the challenge aside.
fn is_chat(body: &Value) -> bool {
    let subject = body["subject"].as_str().unwrap();
    (subject.starts_with("hub/") && subject != "hub/challenge")
        || ["0 messages sent", "wrong challenge"].iter().any(|text| body["body"] == *text)
}

/// Fields whose values, or whose presence, depend on the ledger, and why.
const VOLATILE: &[(&str, &str)] = &[
    ("witness_list_unit", "units of version 4 have none"),
    ("is_nonserial", "only a double spend has it"),
    ("skiplist_balls", "only every tenth unit has them"),
    ("parent_balls", "all but the first unit have them"),
    ("definition", "only an address's first unit discloses it"),
    ("creation_date", "when a hub's own database took something"),
];

/// The same kind of answer: errors to the letter, fields by name and kind.
fn alike(what: &str, recorded: &Value, here: &Value) {
    match (recorded, here) {
        (Value::Object(recorded), Value::Object(here)) => {
            if recorded.contains_key("error") || recorded.contains_key("joint_not_found") {
                assert_eq!(here, recorded, "{what}");
                return;
            }
            // The names are addresses.
            if recorded.keys().all(|key| key.len() == 32) && !recorded.is_empty() {
                assert!(here.keys().all(|key| key.parse::<Address>().is_ok()), "{what}: {here:?}");
                return alike(what, recorded.values().next().unwrap(), here.values().next().unwrap());
            }
            let is_volatile = |key: &&String| VOLATILE.iter().any(|(volatile, _)| volatile == key);
            let fields = |map: &serde_json::Map<String, Value>| -> Vec<String> {
                map.keys().filter(|key| !is_volatile(key)).cloned().collect()
            };
            let (mut there, mut ours) = (fields(recorded), fields(here));
            there.sort();
            ours.sort();
            assert_eq!(ours, there, "{what}");
            for key in there {
                alike(&format!("{what}.{key}"), &recorded[&key], &here[&key]);
            }
        }
        (Value::Array(recorded), Value::Array(here)) => {
            // Units differ in what they say.
            if let (Some(one), Some(other)) = (recorded.first(), here.first())
                && !what.ends_with("messages")
                && !what.ends_with("authors")
            {
                alike(&format!("{what}[0]"), one, other);
            }
        }
        (recorded, here) => {
            let kind = |value: &Value| {
                json!(value).to_string().chars().next().map(|first| match first {
                    '0'..='9' | '-' => '0',
                    other => other,
                })
            };
            assert_eq!(kind(here), kind(recorded), "{what}: {here} instead of {recorded}");
        }
    }
}
