//! Keys as twelve or more English words (BIP 39).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use zeroize::Zeroizing;

/// The words of a wallet; wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Mnemonic(bip39::Mnemonic);

/// Why words are no mnemonic, or bytes no entropy for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mnemonic: {0}")]
pub struct MnemonicError(String);

impl Mnemonic {
    /// The words for 16, 20, 24, 28 or 32 bytes of chance.
    ///
    /// # Errors
    ///
    /// [`MnemonicError`] for any other number of bytes.
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, MnemonicError> {
        bip39::Mnemonic::from_entropy(entropy).map(Self).map_err(|error| MnemonicError(error.to_string()))
    }

    /// The words, with one space between any two.
    pub fn words(&self) -> Zeroizing<String> {
        let words: Vec<&str> = self.0.words().collect();
        Zeroizing::new(words.join(" "))
    }

    /// The seed for [`ExtendedKey::from_seed`](super::bip32::ExtendedKey::from_seed).
    pub fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_seed(passphrase))
    }
}

impl FromStr for Mnemonic {
    type Err = MnemonicError;

    fn from_str(text: &str) -> Result<Self, MnemonicError> {
        bip39::Mnemonic::parse_in(bip39::Language::English, text)
            .map(Self)
            .map_err(|error| MnemonicError(error.to_string()))
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mnemonic(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn words_read_back_and_stay_hidden() {
        let mnemonic = Mnemonic::from_entropy(&[0; 16]).unwrap();
        let again: Mnemonic = mnemonic.words().parse().unwrap();

        assert_eq!(again.words(), mnemonic.words());
        assert_eq!(mnemonic.words().split(' ').count(), 12);
        assert_eq!(format!("{mnemonic:?}"), "Mnemonic(hidden)");
    }

    #[test]
    fn a_wrong_word_and_a_wrong_last_word_are_refused() {
        assert!("coin slot".parse::<Mnemonic>().is_err());
        assert!(format!("{}abandon", "abandon ".repeat(11)).parse::<Mnemonic>().is_err());
        assert!(Mnemonic::from_entropy(&[0; 15]).is_err());
    }
}
