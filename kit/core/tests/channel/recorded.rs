//! What a real provider of the reference library answered, package by package.

use coinop_core::{
    Bytes, Context, Machine, Timestamp,
    channel::{Channel, Command, Limits, Refusal, Role, Sighting, SignedPackage, Terms},
    obyte::{Address, Hash},
};
use coinop_tests::vectors;
use serde_json::{Value, json};

/// Where this kit says something else, and why.
const OTHERWISE: [(&str, &str); 2] = [
    ("replay same package", "a repeat of the newest package gets its first answer again"),
    ("same package later", "a repeat of the newest package gets its first answer again"),
];

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn provider(recorded: &Value) -> Channel {
    let params = &recorded["aa_definition"][1]["params"];
    let terms = Terms {
        address_a: text(&params["addressA"]).parse().unwrap(),
        address_b: text(&params["addressB"]).parse().unwrap(),
        timeout_seconds: params["timeout"].as_u64().unwrap(),
        salt: text(&params["salt"]).into(),
    };
    assert_eq!(terms.definition(), recorded["aa_definition"]);
    channel(terms)
}

fn channel(terms: Terms) -> Channel {
    let limits =
        Limits { max_unconfirmed: Bytes::new(1_000_000), min_unconfirmed_age_ms: 1_000, ..Limits::default() };
    Channel::new(terms, Role::Seller, limits).unwrap()
}

fn tell(channel: &mut Channel, command: Command) -> Result<(), Refusal> {
    let now = Timestamp::from_millis(1_795_346_620_000);
    let decision = channel.decide(&Context { now, random: [0; 32] }, command)?;
    decision.events.iter().for_each(|event| channel.apply(event));
    Ok(())
}

/// The buyer's deposit of 100,000 bytes becomes stable.
fn open(channel: &mut Channel) {
    let (seller, buyer) = (channel.own_address(), channel.peer_address());
    let payload =
        json!({ "open": 1, "period": 1, "event_id": 1, seller.as_str(): 0, buyer.as_str(): 100_000 });
    let opened = Sighting::Response {
        trigger: Hash::of(b"deposit"),
        from: buyer,
        bounced: None,
        payload: Some(payload),
        at: Timestamp::from_millis(1_795_346_612_000),
    };
    tell(channel, Command::Saw(opened)).unwrap();
}

fn receive(channel: &mut Channel, package: SignedPackage) -> Result<(), Refusal> {
    tell(channel, Command::Receive { tag: "tag".into(), package, session: None })
}

/// What an unknown channel needs: its parameters, and a deposit in sight.
fn announced(package: &SignedPackage, own: Address) -> Result<Channel, Refusal> {
    let mut channel = channel(Terms::announced(package, own)?);
    let deposit = Sighting::Trigger {
        unit: Hash::of(b"second deposit"),
        from: package.signer,
        amount: Bytes::new(50_000),
        data: None,
        at: Timestamp::from_millis(1_795_346_610_000),
    };
    tell(&mut channel, Command::Saw(deposit))?;
    Ok(channel)
}

#[test]
fn a_provider_answers_as_the_reference_does() {
    let recorded = vectors::load("channel_package");
    let mut first = provider(&recorded);
    let mut second = None;
    let mut count = 0;

    for case in recorded["cases"].as_array().unwrap() {
        let (name, request) = (text(&case["name"]), &case["request"]);
        match name {
            "is_ready: open" => open(&mut first),
            "pay after the provider closed" => tell(&mut first, Command::Close).unwrap(),
            _ => {}
        }
        let signed = &request["params"]["signed_package"];
        let is_of_the_transport = signed.is_null() || name == "old timestamp";
        if request["command"] != "pay" || is_of_the_transport {
            continue;
        }
        count += 1;
        let answer = SignedPackage::read(signed).and_then(|package| {
            if package.message.channel_parameters.is_none() {
                return receive(&mut first, package);
            }
            if second.is_none() {
                second = Some(announced(&package, first.own_address())?);
            }
            receive(second.as_mut().unwrap(), package)
        });
        let said = answer.err().map(|refusal| refusal.to_string());
        let expected = case["response"]["body"]["error"].as_str();
        if OTHERWISE.iter().any(|(other, _)| *other == name) {
            assert_eq!((said, expected.is_some()), (None, true), "{name}");
        } else {
            assert_eq!(said.as_deref(), expected, "{name}");
        }
        let is_second = signed["signed_message"].get("channel_parameters").is_some();
        if let Some(spent) =
            case["provider_state_after"]["amount_spent_by_peer"].as_u64().filter(|_| !is_second)
        {
            assert_eq!(first.peer().spent, Bytes::new(spent), "{name}");
        }
    }
    assert!(count >= 25, "{count} cases");
}

#[test]
fn packages_are_hashed_and_written_as_recorded() {
    let recorded = vectors::load("channel_onchain_run");
    let cases = recorded["cases"].as_array().unwrap();
    let packages = cases.iter().filter_map(|case| case["packages"].as_array()).flatten();
    let mut count = 0;

    for case in packages {
        let Ok(package) = SignedPackage::read(&case["package"]) else { continue };
        let hash = package.message.hash_to_sign(&package.version, package.signer, &package.pubkey).unwrap();
        let hex = text(&case["hash_to_sign_hex"]);
        let recorded: Vec<u8> =
            (0..32).map(|byte| u8::from_str_radix(&hex[2 * byte..2 * byte + 2], 16).unwrap()).collect();
        assert_eq!(hash, *recorded);
        assert_eq!(serde_json::to_value(&package).unwrap(), case["package"]);
        count += 1;
    }
    assert!(count > 0);
}
