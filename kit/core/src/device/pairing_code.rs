use alloc::{borrow::ToOwned as _, string::String};
use core::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::letter::MAX_HUB;
use crate::obyte::{Hash, Network, PublicKey};

/// What one device shows and another reads in: whose key, at which hub, and a secret that only who saw the
/// code can know: `KEY@HUB#SECRET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCode {
    /// The device that shows it.
    pub pubkey: PublicKey,
    /// Its hub, without a scheme: `obyte.org/bb`.
    pub hub: String,
    /// The secret.
    pub secret: Secret,
}

/// The secret of a pairing code, in printable ASCII; wiped from memory when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A fresh secret of 16 characters, from drawn chance: 96 bits.
    pub fn from_random(random: &[u8]) -> Self {
        let mut text = STANDARD.encode(random);
        text.truncate(16);
        Self(Zeroizing::new(text))
    }

    /// The text, for the code and the letter that it is made for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By this it is known again, without being kept.
    pub fn hash(&self) -> Hash {
        Hash::of(self.0.as_bytes())
    }
}

impl FromStr for Secret {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > PairingCode::MAX_SECRET || !printable {
            return Err(CodeError::Secret);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Why a text is no pairing code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not of this form.
    #[error("not a pairing code: KEY@HUB#SECRET wanted, as the other device shows it")]
    Form,
    /// The key is none.
    #[error("the key before the @ is none: 44 characters of base64 wanted; read the code in again")]
    Key,
    /// The hub is no host with a path.
    #[error("the hub between @ and # is none: HOST, HOST:PORT or HOST/PATH wanted")]
    Hub,
    /// The secret is empty, too long or not printable.
    #[error("the secret after the # is empty, longer than {max} characters or not printable", max = PairingCode::MAX_SECRET)]
    Secret,
    /// For a device of another network.
    #[error("a code for {0:?}, which is another network than this device is on")]
    Network(Network),
}

impl PairingCode {
    /// The longest secret, in characters.
    pub const MAX_SECRET: usize = 64;

    /// The link that wallets open, on a network that has one of its own.
    pub fn to_uri(&self, network: Network) -> String {
        let mut uri = prefix(network).to_owned();
        uri.push_str(&self.text());
        uri
    }

    /// The code itself, secret included.
    pub fn text(&self) -> String {
        alloc::format!("{}@{}#{}", self.pubkey, self.hub, self.secret.as_str())
    }

    /// Reads a code with or without the link's prefix; one for another network is refused.
    ///
    /// # Errors
    ///
    /// [`CodeError`] with how to mend it.
    pub fn read(text: &str, network: Network) -> Result<Self, CodeError> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| !scheme.contains('@')) else {
            return text.parse();
        };
        let code_is_for = match scheme {
            "obyte" | "byteball" => Network::Livenet,
            "obyte-tn" | "byteball-tn" => Network::Testnet,
            _ => return Err(CodeError::Form),
        };
        // A network of one's own has no prefix of its own, and takes the public one's.
        if prefix(network) != prefix(code_is_for) {
            return Err(CodeError::Network(code_is_for));
        }
        rest.parse()
    }
}

const fn prefix(network: Network) -> &'static str {
    match network {
        Network::Livenet | Network::Devnet => "obyte:",
        Network::Testnet => "obyte-tn:",
    }
}

impl FromStr for PairingCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let (key, rest) = text.split_once('@').ok_or(CodeError::Form)?;
        let (hub, secret) = rest.split_once('#').ok_or(CodeError::Form)?;
        let pubkey = key.parse().map_err(|_key| CodeError::Key)?;
        if !is_hub(hub) {
            return Err(CodeError::Hub);
        }
        Ok(Self { pubkey, hub: hub.to_owned(), secret: secret.parse()? })
    }
}

/// Whether this is a host, with a port or a path perhaps, and nothing that leads elsewhere.
pub(super) fn is_hub(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
    starts_well && text.len() as u64 <= MAX_HUB && text.bytes().all(allowed) && !text.contains("//")
}

#[cfg(test)]
mod tests {
    use std::format;

    use proptest::prelude::*;

    use super::*;
    use crate::obyte::SecretKey;

    const KEY: &str = "Av3TtHnCv4tajY+HA00DNkKxFBPVrgBJKRUn+k3COhIl";

    #[test]
    fn a_code_reads_back_from_its_text_and_its_link() {
        for hub in ["obyte.org/bb", "127.0.0.1:6611", "[::1]:6611"] {
            let code: PairingCode = format!("{KEY}@{hub}#0a/+").parse().unwrap();

            assert_eq!(PairingCode::read(&code.text(), Network::Devnet).unwrap(), code);
            for network in [Network::Livenet, Network::Testnet, Network::Devnet] {
                assert_eq!(PairingCode::read(&code.to_uri(network), network).unwrap(), code);
            }
        }
    }

    #[test]
    fn a_code_for_another_network_is_refused() {
        let uri = |scheme: &str| PairingCode::read(&format!("{scheme}:{KEY}@h#s"), Network::Testnet);

        assert_eq!(uri("obyte").unwrap_err(), CodeError::Network(Network::Livenet));
        assert_eq!(uri("byteball").unwrap_err(), CodeError::Network(Network::Livenet));
        assert!(uri("obyte-tn").is_ok());
        assert_eq!(uri("https").unwrap_err(), CodeError::Form);
    }

    #[test]
    fn what_is_no_code_says_what_is_wrong() {
        let refused = |text: &str| text.parse::<PairingCode>().unwrap_err();

        assert_eq!(refused(KEY), CodeError::Form);
        assert_eq!(refused("short@hub#secret"), CodeError::Key);
        assert_eq!(refused(&format!("{KEY}@wss://evil#s")), CodeError::Hub);
        assert_eq!(refused(&format!("{KEY}@hub?x#s")), CodeError::Hub);
        assert_eq!(refused(&format!("{KEY}@hub#")), CodeError::Secret);
        assert_eq!(refused(&format!("{KEY}@hub#{}", "s".repeat(65))), CodeError::Secret);
    }

    #[test]
    fn the_secret_is_not_shown() {
        let key = SecretKey::from_bytes(&[7; 32]).unwrap().public();
        let code = PairingCode { pubkey: key, hub: "hub".into(), secret: "geheim".parse().unwrap() };

        assert!(!format!("{code:?}").contains("geheim"));
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,80}") {
            let _ = PairingCode::read(&text, Network::Devnet);
        }
    }
}
