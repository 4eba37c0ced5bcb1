//! Chashes and the addresses made of them.

use coinop_core::obyte::{
    Address, DeviceAddress,
    canonical::canonical_json,
    chash::{self, OFFSETS_160, OFFSETS_288},
    source::source_string,
};
use coinop_tests::Case;
use serde_json::{Value, json};

use crate::support::{compare_error, error_of, hex, secret};

pub(crate) fn chash(file: &Case<'_>) -> usize {
    file.compare("offsets160", json!(OFFSETS_160));
    file.compare("offsets288", json!(OFFSETS_288));
    file.each("cases", &[("why", "says what the case is about")], |case| match case.text("type") {
        "compute" => compute(case),
        "validate" => validate(case),
        other => panic!("{}: {other} is unknown", case.label()),
    })
}

fn compute(case: &Case<'_>) {
    let data = case.text("data");
    let chash = match case.text("op") {
        "getChash160" => chash::chash160(data),
        "getChash288" => chash::chash288(data),
        other => panic!("{}: {other} is unknown", case.label()),
    };

    case.compare("data_utf8_hex", hex(data));
    case.compare("chash", chash);
}

fn validate(case: &Case<'_>) {
    let text = case.text("address");

    case.compare("isValidAddress", text.parse::<Address>().is_ok());
    case.compare("isValidAddressAnyCase", chash::is_valid160_any_case(text));
    case.compare("isValidDeviceAddress", text.parse::<DeviceAddress>().is_ok());
    match (error_of(case.input("isChashValid")), chash::is_valid(text)) {
        (Some(recorded), computed) => compare_error(case, recorded, &computed.unwrap_err()),
        (None, computed) => case.compare("isChashValid", computed.unwrap()),
    }
}

pub(crate) fn device_address(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| {
        let key = secret(case).public();
        let address = DeviceAddress::of_key(&key).to_string();

        case.compare("pubkey", key.to_base64());
        case.compare("source_hex", hex(source_string(&key.to_base64().into()).unwrap()));
        case.compare("valid", address.parse::<DeviceAddress>().is_ok());
        case.compare("device_address", address);
    })
}

pub(crate) fn aa_address(file: &Case<'_>) -> usize {
    file.each("cases", &[("name", "says what the case is about")], |case| {
        let definition = case.input("definition");
        if let Value::String(description) = definition {
            assert!(description.ends_with("undefined"), "{}: {description}", case.label());
            return case.waive("JavaScript's undefined cannot stand in JSON");
        }

        match (case.optional("error"), Address::of_definition(definition)) {
            (Some(recorded), computed) => compare_error(case, recorded, &computed.unwrap_err()),
            (None, computed) => {
                case.compare("address", computed.unwrap().to_string());
                case.compare("json_source_string", canonical_json(definition).unwrap());
            }
        }
    })
}
