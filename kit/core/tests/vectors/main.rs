//! The recorded vectors that need no ledger.
#![expect(
    clippy::unwrap_used,
    reason = "a check stops at the first surprise, and the harness names the case"
)]

mod addresses;
mod device;
mod fees;
mod keys;
mod signed;
mod support;
mod texts;
mod units;

use coinop_tests::{Case, vectors};

#[test]
fn every_recorded_case_comes_out_the_same() {
    vectors::run(env!("CARGO_PKG_NAME"), check);
}

fn check(name: &str, file: &Case<'_>) -> usize {
    match name {
        "number_format" => texts::number_format(file),
        "source_string" => texts::source_string(file),
        "json_source_string" => texts::json_source_string(file),
        "object_length" => texts::object_length(file),
        "chash" => addresses::chash(file),
        "device_address" => addresses::device_address(file),
        "aa_address" => addresses::aa_address(file),
        "keys" => keys::keys(file),
        "wif" => keys::wif(file),
        "mnemonic" => keys::mnemonic(file),
        "unit" => units::unit(file),
        "devnet_unit" => units::devnet_unit(file),
        "ball_hash" => units::ball_hash(file),
        "fees" => fees::fees(file),
        "signed_message" => signed::signed_message(file),
        "device_login" => device::device_login(file),
        "device_message" => device::device_message(file),
        other => panic!("nothing here checks {other}"),
    }
}
