//! What devices and hubs sign, encrypt and read.

use std::cell::Cell;

use coinop_core::{
    device::{Draw, Keys, Login, Message, Sealed, TemporaryKey, signed},
    obyte::{DeviceAddress, SecretKey, hash::sha256, json},
};
use coinop_tests::Case;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{hex, secret, unhex};

pub(crate) fn device_login(file: &Case<'_>) -> usize {
    file.each("cases", &[], |case| {
        let body = case.input("body");
        let pubkey = body["pubkey"].as_str().unwrap().parse().unwrap();
        let is_login = case.text("type").starts_with("hub/login");
        let read = if is_login {
            let challenge = body["challenge"].as_str().unwrap();
            Login::read(body, challenge).map(|login| json!(login))
        } else {
            TemporaryKey::read(body, &pubkey).map(|key| json!(key))
        };

        case.compare("signature_ok", read.is_ok());
        let Ok(read) = read else { return };
        assert_eq!(&read, body, "{}", case.label());
        case.compare("signed_source_hex", hex(signed::text_to_sign(body).unwrap()));
        case.compare("hash_to_sign_hex", hex(signed::hash_to_sign(body).unwrap()));
        if is_login {
            let login: Login = serde_json::from_value(read).unwrap();
            let ours = Keys::new(secret(case)).login(&login.challenge, login.pages).unwrap();
            case.compare("body", json!(ours));
        } else {
            // The key shown is not recorded: its signature is made again of what is.
            let signature = secret(case).sign(&signed::hash_to_sign(body).unwrap());
            assert_eq!(body["signature"], json!(signature), "{}", case.label());
        }
    })
}

pub(crate) fn device_message(file: &Case<'_>) -> usize {
    let recipient = recipient(file);
    let sender = Cell::new(None);
    file.nested("sender", &[], |case| sender.set(Some(compare_identity(case, "private_key_hex"))));
    let sender = sender.into_inner().unwrap();

    file.each("cases", &[("name", "says what the case is about"), ("type", "the fields tell")], |case| {
        let message = case.input("device_message");
        let read = Message::read(message.clone());
        let package = Sealed::read(&message["encrypted_package"]).unwrap();
        let plain = recipient.unseal(&package);

        case.compare("signature_ok", read.is_ok());
        if case.has("decrypts") {
            return case.compare("decrypts", plain.is_ok());
        }
        compare_hashes(case, message);
        compare_ciphers(case, &sender, &recipient, &package);
        let delivery = json!({"message_hash": case.input("message_hash"), "message": message});
        let letter = recipient.open(&Message::delivered(&delivery).unwrap()).unwrap();
        let address = letter.address();
        case.compare(
            "decrypted",
            json!({"from": address, "device_hub": letter.hub, "subject": letter.subject, "body": letter.body}),
        );
    })
}

fn recipient(file: &Case<'_>) -> Keys {
    let keys = Cell::new(None);
    file.nested("recipient", &[], |case| {
        let mut all = Keys::new(compare_identity(case, "permanent_private_key_hex"));
        for (number, field) in [(0, "prev_temp_private_key_hex"), (1, "temp_private_key_hex")] {
            all.temporary(number, &Zeroizing::new(bytes(case.text(field)))).unwrap();
        }
        keys.set(Some(all));
    });
    keys.into_inner().unwrap()
}

fn compare_identity(case: &Case<'_>, field: &str) -> SecretKey {
    let key = key(case.text(field));
    case.compare("pubkey", key.public().to_base64());
    case.compare("device_address", DeviceAddress::of_key(&key.public()).to_string());
    key
}

fn compare_hashes(case: &Case<'_>, message: &Value) {
    case.compare("signed_source_hex", hex(signed::text_to_sign(message).unwrap()));
    case.compare("hash_to_sign_hex", hex(signed::hash_to_sign(message).unwrap()));
    case.compare("message_hash", json!(signed::message_hash(message).unwrap()));
}

/// The same chance gives the same package and the same message, byte for byte; layers inside as well.
fn compare_ciphers(case: &Case<'_>, sender: &SecretKey, recipient: &Keys, package: &Sealed) {
    let plain = case.text("plaintext_utf8");
    let (ephemeral, iv) = (case.text("sender_ephemeral_private_key_hex"), case.text("iv_hex"));
    let theirs = key(case.text("recipient_private_key_hex"));
    let shared = theirs.shared_with(&key(ephemeral).public());

    case.compare("shared_x_hex", hex(shared.as_slice()));
    case.compare("aes128_key_hex", hex(&sha256(shared.as_slice())[..16]));
    case.compare("plaintext_json", json::parse(plain).unwrap());
    assert_eq!(seal(plain, &theirs, ephemeral, iv), *package, "{}", case.label());
    let signed = Message::sign(package, &recipient.public(), sender).unwrap();
    case.compare("device_message", signed.value().clone());
    if case.has("inner_iv_hex") {
        let inner = Sealed::read(&case.input("plaintext_json")["encrypted_package"]).unwrap();
        let theirs = key(case.text("inner_recipient_private_key_hex"));
        let plain = inner.unseal(&theirs).unwrap();
        let plain = std::str::from_utf8(&plain).unwrap();
        let [ephemeral, iv] =
            ["inner_sender_ephemeral_private_key_hex", "inner_iv_hex"].map(|f| case.text(f));
        assert_eq!(seal(plain, &theirs, ephemeral, iv), inner, "{}", case.label());
    }
}

fn seal(plain: &str, theirs: &SecretKey, ephemeral: &str, iv: &str) -> Sealed {
    let draw = Draw::from_random(&Zeroizing::new(bytes(&format!("{ephemeral}{iv}")))).unwrap();
    Sealed::seal(plain.as_bytes(), &theirs.public(), draw).unwrap()
}

fn key(hex: &str) -> SecretKey {
    SecretKey::from_bytes(&bytes(hex)).unwrap()
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    unhex(hex).try_into().unwrap()
}
