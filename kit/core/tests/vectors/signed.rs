//! Signed messages and payment packages.

use std::collections::BTreeMap;

use coinop_core::obyte::{
    Address, Network, SecretKey,
    signed::{self, SignedMessage},
};
use coinop_tests::Case;
use serde_json::Value;

use crate::support::{compare_error, error_of, hex, secret};

const NOT_COMPARED: &[(&str, &str)] = &[
    ("name", "says what the case is about"),
    ("aa_channels_lib_light_error", "the texts of another library, which nothing here repeats"),
    ("obyte_js_valid", "the npm library's answer, right or wrong"),
];

pub(crate) fn signed_message(file: &Case<'_>) -> usize {
    let keys = keys(file);
    file.each("cases", NOT_COMPARED, |case| {
        let package = case.input("package");

        compare_hash(case, package);
        let verdict = match case.optional("required_signer") {
            None => signed::verify(package, Network::Livenet),
            Some(signer) => {
                signed::verify_by(package, Network::Livenet, &signer.as_str().unwrap().parse().unwrap())
            }
        };
        case.compare("valid", verdict.is_ok());
        match (case.input("ocore_error"), verdict) {
            (Value::Null, signer) => {
                if let Some(secret) = keys.get(&signer.unwrap().address) {
                    signed_alike(package, secret);
                }
            }
            (recorded, verdict) => compare_error(case, recorded, &verdict.unwrap_err()),
        }
    })
}

fn keys(file: &Case<'_>) -> BTreeMap<Address, SecretKey> {
    let keys = std::cell::RefCell::new(BTreeMap::new());
    file.each("keys", &[], |case| {
        let secret = secret(case);
        let address = Address::of_key(&secret.public());
        case.compare("pubkey", secret.public().to_base64());
        case.compare("address", address.to_string());
        keys.borrow_mut().insert(address, secret);
    });
    keys.into_inner()
}

fn compare_hash(case: &Case<'_>, package: &Value) {
    for (key, computed) in [
        ("string_to_sign", signed::text_to_sign(package)),
        ("hash_to_sign_hex", signed::hash_to_sign(package).map(hex)),
    ] {
        match (error_of(case.input(key)), computed) {
            (Some(recorded), computed) => compare_error(case, recorded, &computed.unwrap_err()),
            (None, computed) => case.compare(key, computed.unwrap()),
        }
    }
}

/// The same key signs the same message with the same bytes, and our own type agrees.
fn signed_alike(package: &Value, secret: &SecretKey) {
    let key = secret.public();
    let by = Address::of_key(&key).to_string();
    let hash = signed::hash_to_sign(package).unwrap();
    let signature = secret.sign(&hash);
    let author = package["authors"].as_array().unwrap().iter().find(|author| author["address"] == by);
    assert_eq!(author.unwrap()["authentifiers"]["r"], signature.to_string());

    // Others may say more, or together; our own type is for what we say.
    let Ok(typed) = serde_json::from_value::<SignedMessage>(package.clone()) else { return };
    if typed.authors.len() > 1 {
        return;
    }
    let ours =
        SignedMessage::draft(&typed.version, package["signed_message"].clone(), &key).signed(signature);
    assert_eq!(ours, typed);
    assert_eq!(ours.to_value(), *package);
    assert_eq!(ours.hash_to_sign().unwrap(), hash);
    assert!(ours.is_by(&key));
}
