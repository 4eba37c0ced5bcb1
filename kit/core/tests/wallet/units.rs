//! The units a wallet makes are what the protocol wants.

use coinop_core::{
    Bytes,
    channel::{Role, Terms},
    obyte::{
        Address, PublicKey, SecretKey, Signature, fees,
        unit::{self, Message, Unit},
    },
    wallet::{Attachment, Command, Request},
};
use serde_json::json;

use crate::bank::{Bank, shop};

fn sealed(bank: &mut Bank, request: Request, definition_needed: bool) -> Unit {
    let quote = bank.quote();
    bank.ask(Command::Compose { reference: "a".into(), request, quote, definition_needed }).unwrap();
    bank.posts.pop().unwrap().1
}

fn pay_the_shop() -> Request {
    Request {
        outputs: vec![coinop_core::obyte::unit::Output { address: shop(), amount: Bytes::new(1_000) }],
        ..Request::default()
    }
}

#[test]
fn a_simple_payment_has_the_known_sizes() {
    let sizes = |definition_needed| {
        let unit = sealed(&mut Bank::with(&[10_000]), pay_the_shop(), definition_needed);
        (unit.headers_commission.get(), unit.payload_commission.get())
    };

    assert_eq!(sizes(false), (408, 311));
    assert_eq!(sizes(true), (471, 311));
}

#[test]
fn a_unit_is_named_measured_and_signed_as_a_node_checks_it() {
    let mut bank = Bank::with(&[10_000]);
    let address = bank.wallet.address();

    let unit = sealed(&mut bank, pay_the_shop(), true);

    let value = unit.to_value();
    assert_eq!(unit::unit_hash(&value).unwrap(), unit.unit);
    assert_eq!(unit::headers_size(&value).unwrap(), unit.headers_commission.get());
    assert_eq!(unit::payload_size(&value).unwrap(), unit.payload_commission.get());
    let signature: Signature = unit.authors[0].authentifiers["r"].parse().unwrap();
    let definition = unit.authors[0].definition.clone().unwrap();
    let key: PublicKey = definition[1]["pubkey"].as_str().unwrap().parse().unwrap();
    assert!(key.verify(&unit::hash_to_sign(&value).unwrap(), &signature));
    assert_eq!(Address::of_definition(&definition).unwrap(), address);
    assert!(unit.parent_units.is_sorted_by_key(ToString::to_string));
    let outputs = unit.messages.iter().find_map(Message::as_payment).unwrap().outputs;
    assert!(outputs.is_sorted_by_key(|output| (output.address.to_string(), output.amount)));
}

#[test]
fn a_unit_that_defines_its_agent_says_nothing_of_responses_a_later_one_allows_one() {
    let key = SecretKey::from_bytes(&[9; 32]).unwrap();
    let terms = Terms {
        address_a: Address::of_key(&key.public()),
        address_b: shop(),
        timeout_seconds: 60,
        salt: "s".into(),
    };
    let agent = terms.aa_address().unwrap();
    let data = json!({ "close": 1, "period": 1 });
    let request = Request::to_agent(agent, Bytes::new(10_000), Some(data.clone()), Some(terms.definition()));

    let unit = sealed(&mut Bank::with(&[50_000]), request, false);

    let apps: Vec<&str> = unit.messages.iter().map(|message| message.app.as_str()).collect();
    assert_eq!(apps, ["data", "definition", "payment"]);
    assert_eq!(unit.messages[0].payload, data);
    assert_eq!(unit.messages[1].payload, json!({ "address": agent, "definition": terms.definition() }));
    assert_eq!(unit.max_aa_responses, None);
    let later = Request::to_agent(agent, Bytes::new(10_000), None, None);
    assert_eq!(sealed(&mut Bank::with(&[50_000]), later, false).max_aa_responses, Some(1));
    assert_eq!(terms.address(Role::Buyer), shop());
}

#[test]
fn a_large_unit_pays_for_its_size() {
    let payload = json!({ "text": "x".repeat(12_000) });
    let request = Request { messages: vec![Attachment::Data { payload }], ..pay_the_shop() };

    let unit = sealed(&mut Bank::with(&[100_000]), request, false);

    let size = unit.headers_commission.get() + unit.payload_commission.get();
    let expected = fees::oversize_fee(size, fees::THRESHOLD_SIZE).unwrap();
    assert!(!expected.is_zero());
    assert_eq!(unit.oversize_fee, Some(expected));
}

#[test]
fn a_rest_too_small_for_an_output_goes_to_the_load_fee() {
    let fees = 408 + 311 + 10;
    for rest in [0_u64, 1, 30, 52] {
        let mut bank = Bank::with(&[1_000 + fees - 53 + rest]);
        let unit = sealed(&mut bank, pay_the_shop(), false);
        let payment = unit.messages[0].as_payment().unwrap();
        assert_eq!(payment.outputs.len(), 1);
        assert_eq!(unit.tps_fee, Some(Bytes::new(10 + rest)));
        bank.take("a", &unit).unwrap();
    }
    let refusal = Bank::with(&[1_000 + fees - 54]).compose("a", shop(), 1_000).unwrap_err();
    assert_eq!(refusal.to_string(), "1676 B needed with fees but only 1675 B can be spent");
}

#[test]
fn data_alone_is_paid_from_a_coin_that_comes_back() {
    let request =
        Request { messages: vec![Attachment::Data { payload: json!({ "a": 1 }) }], ..Request::default() };
    let mut bank = Bank::with(&[10_000]);

    let unit = sealed(&mut bank, request, false);

    let payment = unit.messages[1].as_payment().unwrap();
    assert_eq!(payment.outputs.len(), 1);
    assert_eq!(payment.outputs[0].address, bank.wallet.address());
    bank.take("a", &unit).unwrap();
}
