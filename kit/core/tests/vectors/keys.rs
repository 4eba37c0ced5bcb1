//! Keys: as numbers, as text, from words.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coinop_core::obyte::{
    Address, DeviceAddress, Network, bip32::ExtendedKey, definition, mnemonic::Mnemonic,
    source::source_string, wif as wif_text,
};
use coinop_tests::Case;

use crate::support::{compare_error, hex, secret};

pub(crate) fn keys(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| {
        let secret = secret(case);
        let key = secret.public();
        let definition = definition::sig(&key);

        case.compare("private_key_base64", STANDARD.encode(secret.to_bytes().as_slice()));
        case.compare("pubkey_base64", key.to_base64());
        case.compare("pubkey_hex", hex(key.as_bytes()));
        case.compare("definition_source_hex", hex(source_string(&definition).unwrap()));
        case.compare("definition", definition);
        case.compare("address", Address::of_key(&key).to_string());
        case.compare("wif_livenet", wif_text::encode(&secret, Network::Livenet).as_str());
        case.compare("wif_testnet", wif_text::encode(&secret, Network::Testnet).as_str());
        case.compare("device_address", DeviceAddress::of_key(&key).to_string());
    })
}

pub(crate) fn wif(file: &Case<'_>) -> usize {
    file.each("cases", &[("why", "says what the case is about")], |case| {
        let on_testnet = case.input("testnet").as_bool().unwrap();
        let network = if on_testnet { Network::Testnet } else { Network::Livenet };

        match (case.optional("error"), wif_text::decode(case.text("wif"), network)) {
            (Some(recorded), computed) => compare_error(case, recorded, &computed.unwrap_err()),
            (None, computed) => {
                let wif = computed.unwrap();
                case.compare("private_key_hex", hex(wif.key.to_bytes().as_slice()));
                case.compare("compressed", wif.is_compressed);
            }
        }
    })
}

pub(crate) fn mnemonic(file: &Case<'_>) -> usize {
    file.each("cases", &[("note", "says what the case is about")], |case| {
        let mnemonic: Mnemonic = case.text("mnemonic").parse().unwrap();
        let seed = mnemonic.seed(case.text("passphrase"));
        let master = ExtendedKey::from_seed(seed.as_slice()).unwrap();

        case.compare("seed_hex", hex(seed.as_slice()));
        case.compare("xprv", master.xprv().as_str());
        case.compare("wallet_id", master.derive(&"m/44'/0'/0'".parse().unwrap()).unwrap().wallet_id());
        case.entries("derived", &[], |path, derived| compare_derived(&master, path, derived));
        compare_with_bip32(&master, case);
    })
}

fn compare_derived(master: &ExtendedKey, path: &str, derived: &Case<'_>) {
    let extended = master.derive(&path.parse().unwrap()).unwrap();
    let key = extended.key().public();

    derived.compare("private_key_hex", hex(extended.key().to_bytes().as_slice()));
    derived.compare("pubkey", key.to_base64());
    for (field, text) in [
        ("xpub", extended.xpub()),
        ("address", Address::of_key(&key).to_string()),
        ("device_address", DeviceAddress::of_key(&key).to_string()),
    ] {
        if derived.has(field) {
            derived.compare(field, text);
        }
    }
}

/// Where the wallets leave the standard, and where they do not.
fn compare_with_bip32(master: &ExtendedKey, case: &Case<'_>) {
    let [(address, standard_address), (device, standard_device)] = ["m/44'/0'/0'/0/0", "m/1'"].map(|path| {
        let path = path.parse().unwrap();
        let by_wallets = master.derive(&path).unwrap();
        let by_bip32 = master.derive_by_bip32(&path).unwrap();
        (hex(by_wallets.key().to_bytes().as_slice()), hex(by_bip32.key().to_bytes().as_slice()))
    });
    let differs = address != standard_address || device != standard_device;

    if case.has("equals_bip32") {
        case.compare("equals_bip32", !differs);
    }
    if case.has("differs_from_bip32") {
        case.compare("differs_from_bip32", differs);
        case.compare("bip32_compliant_private_key_at_m_44_0_0_0_0", standard_address);
        case.compare("bip32_compliant_private_key_at_m_1h", standard_device);
    }
}
