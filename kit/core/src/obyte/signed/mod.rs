//! Signed messages: any value, signed by an address; payment packages are such.

mod message;
mod verdict;

use alloc::string::String;

use serde_json::Value;

pub use message::{SignedAuthor, SignedMessage};
pub use verdict::{SignedError, Signer, verify, verify_by};

use super::{
    canonical, hash,
    order::Trim,
    source::{self, SourceError},
};

/// The hash that the authors of a signed message sign.
///
/// # Errors
///
/// [`SourceError`] when the message holds what cannot be hashed.
pub fn hash_to_sign(message: &Value) -> Result<[u8; 32], SourceError> {
    Ok(hash::sha256(text_to_sign(message)?.as_bytes()))
}

/// The text whose hash the authors of a signed message sign.
///
/// # Errors
///
/// [`SourceError`] when the message holds what cannot be hashed.
pub fn text_to_sign(message: &Value) -> Result<String, SourceError> {
    static UNSIGNED: Trim =
        Trim { drop: &[], below: &[("authors", Trim { drop: &["authentifiers"], below: &[] })] };
    let by_source_string = match message.get("version") {
        None => true,
        Some(version) => version.as_str().is_some_and(is_first_version),
    };
    if by_source_string {
        source::trimmed(message, &UNSIGNED)
    } else {
        canonical::trimmed(message, &UNSIGNED)
    }
}

fn is_first_version(version: &str) -> bool {
    matches!(version, "1.0" | "1.0t" | "1.0dev")
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use serde_json::json;

    use super::*;
    use crate::obyte::{Address, Network, definition, key::SecretKey};

    fn secret(name: u8) -> SecretKey {
        SecretKey::from_bytes(&[name; 32]).unwrap()
    }

    fn signed_by(name: u8, version: &str) -> SignedMessage {
        let draft = SignedMessage::draft(version, json!({"amount": 5}), &secret(name).public());
        let signature = secret(name).sign(&draft.hash_to_sign().unwrap());
        draft.signed(signature)
    }

    #[test]
    fn what_one_key_signs_is_good_in_every_version_of_its_network() {
        for network in [Network::Livenet, Network::Testnet, Network::Devnet] {
            for version in network.versions() {
                let message = signed_by(1, version);

                let signer = verify(&message.to_value(), network).unwrap();

                assert_eq!(signer.address, Address::of_key(&secret(1).public()));
                assert!(message.is_by(&secret(1).public()));
            }
        }
    }

    #[test]
    fn what_is_signed_for_one_network_means_nothing_on_another() {
        let message = signed_by(1, "4.0dev").to_value();

        let refusal = verify(&message, Network::Livenet).unwrap_err();

        assert_eq!(refusal.to_string(), "unsupported version: \"4.0dev\"");
    }

    #[test]
    fn the_short_way_refuses_what_the_long_way_refuses() {
        let good = signed_by(1, "4.0");
        let mut changed = good.clone();
        changed.signed_message = json!({"amount": 6});
        let mut doubled = good.clone();
        doubled.authors.push(good.authors[0].clone());
        let mut unsigned = good.clone();
        unsigned.authors[0].authentifiers.clear();
        let mut of_another = good.clone();
        of_another.authors[0].address = Address::of_key(&secret(2).public());
        let mut nothing = good.clone();
        nothing.signed_message = Value::Null;

        assert!(!good.is_by(&secret(2).public()));
        for message in [changed, doubled, unsigned, of_another, nothing] {
            assert!(!message.is_by(&secret(1).public()), "{message:?}");
            assert!(verify(&message.to_value(), Network::Livenet).is_err(), "{message:?}");
        }
    }

    #[test]
    fn of_several_signers_one_can_be_asked_for() {
        let mut message = signed_by(1, "4.0");
        message.authors.extend(signed_by(2, "4.0").authors);
        message.authors.sort_by_key(|author| author.address);
        let hash = message.hash_to_sign().unwrap();
        for author in &mut message.authors {
            let name = if author.definition == definition::sig(&secret(1).public()) { 1 } else { 2 };
            author.authentifiers.insert("r".into(), secret(name).sign(&hash));
        }
        let message = message.to_value();
        let [one, two, three] = [1, 2, 3].map(|name| Address::of_key(&secret(name).public()));

        assert_eq!(verify_by(&message, Network::Livenet, &one).unwrap().address, one);
        assert_eq!(verify_by(&message, Network::Livenet, &two).unwrap().address, two);
        assert_eq!(verify_by(&message, Network::Livenet, &three), Err(SignedError::OtherSigner));
        assert_eq!(verify(&message, Network::Livenet), Err(SignedError::SeveralAuthors));
    }
}
