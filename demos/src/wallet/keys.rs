//! The keys of a wallet: made, asked for, read.

use std::{
    env,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
};

use coinop::{
    core::obyte::{
        Address, SecretKey,
        bip32::{AddressKind, ExtendedKey, Path},
        mnemonic::Mnemonic,
    },
    keystore::{Keystore, KeystoreError},
};
use color_eyre::eyre::{WrapErr as _, bail, eyre};
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::Wallet;

/// Where a script has the passphrase.
const PASSPHRASE: &str = "COINOP_PASSPHRASE";
/// The shortest passphrase worth the name.
const SHORTEST: usize = 8;
/// The words of a mnemonic, and a little more, in bytes.
const MAX_WORDS: u64 = 1_024;

/// The file of the keys.
pub(super) fn file(options: &Wallet) -> color_eyre::Result<PathBuf> {
    if let Some(file) = &options.keys {
        return Ok(file.clone());
    }
    let var = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data =
        var("XDG_DATA_HOME").or_else(|| var("APPDATA")).or_else(|| Some(var("HOME")?.join(".local/share")));
    let data = data.ok_or_else(|| eyre!("there is no data folder: name the file with --wallet"))?;
    Ok(data.join("coinop/wallet"))
}

/// Makes a wallet and shows its words, once.
pub(super) fn new(options: &Wallet, burner: bool) -> color_eyre::Result<()> {
    let mut entropy = Zeroizing::new([0; 16]);
    getrandom::fill(entropy.as_mut()).map_err(|error| eyre!("this machine gives no chance: {error}"))?;
    let words = Mnemonic::from_entropy(entropy.as_ref())?;
    create(options, &words, burner)?;
    let mut out = io::stdout().lock();
    if options.json {
        let told = json!({ "wallet": file(options)?, "address": of_words(&words)?, "burner": burner, "words": *words.words() });
        return Ok(writeln!(out, "{told}")?);
    }
    writeln!(out, "Write these words down now: they are the money, and they are not shown again.\n")?;
    writeln!(out, "  {}\n", *words.words())?;
    told(&mut out, options, &words, burner)
}

/// Makes a wallet of words from standard input.
pub(super) fn import(options: &Wallet, burner: bool) -> color_eyre::Result<()> {
    let mut text = Zeroizing::new(String::new());
    if io::stdin().is_terminal() {
        text = Zeroizing::new(rpassword::prompt_password("The words: ").wrap_err("nothing can be read")?);
    } else {
        io::stdin().lock().take(MAX_WORDS).read_to_string(&mut text)?;
    }
    let words: Mnemonic = text.split_whitespace().collect::<Vec<_>>().join(" ").parse()?;
    create(options, &words, burner)?;
    let mut out = io::stdout().lock();
    if options.json {
        let told = json!({ "wallet": file(options)?, "address": of_words(&words)?, "burner": burner });
        return Ok(writeln!(out, "{told}")?);
    }
    told(&mut out, options, &words, burner)
}

fn told(
    out: &mut impl io::Write,
    options: &Wallet,
    words: &Mnemonic,
    burner: bool,
) -> color_eyre::Result<()> {
    writeln!(out, "address  {}", of_words(words)?)?;
    writeln!(out, "keys in  {}", file(options)?.display())?;
    if burner {
        writeln!(out, "A burner: not encrypted, for demos and test money only.")?;
    }
    Ok(())
}

fn create(options: &Wallet, words: &Mnemonic, burner: bool) -> color_eyre::Result<()> {
    let path = file(options)?;
    if path.exists() {
        return Err(KeystoreError::Exists(path).into());
    }
    let passphrase = if burner { None } else { Some(new_passphrase()?) };
    Ok(Keystore::create(&path, words, passphrase.as_ref().map(|text| text.as_str()))?)
}

fn new_passphrase() -> color_eyre::Result<Zeroizing<String>> {
    let first = ask_passphrase("A passphrase for the file: ")?;
    if first.chars().count() < SHORTEST {
        bail!("a passphrase has at least {SHORTEST} characters; or make a --burner for a demo");
    }
    if env::var_os(PASSPHRASE).is_none() && *first != *ask_passphrase("The same again: ")? {
        bail!("that was another one: nothing was made");
    }
    Ok(first)
}

fn ask_passphrase(prompt: &str) -> color_eyre::Result<Zeroizing<String>> {
    if let Ok(text) = env::var(PASSPHRASE) {
        return Ok(Zeroizing::new(text));
    }
    if !io::stdin().is_terminal() {
        bail!("nobody is there to say the passphrase: set {PASSPHRASE}, or use a --burner for a demo");
    }
    Ok(Zeroizing::new(rpassword::prompt_password(prompt).wrap_err("the passphrase cannot be read")?))
}

/// The key of the wallet's address.
pub(super) fn key(options: &Wallet) -> color_eyre::Result<SecretKey> {
    let keystore = Keystore::open(&file(options)?)?;
    key_of(&keystore.unlock(|| ask_passphrase("Passphrase: "))?)
}

/// The wallet's address.
pub(super) fn address(options: &Wallet) -> color_eyre::Result<Address> {
    Ok(Address::of_key(&key(options)?.public()))
}

fn of_words(words: &Mnemonic) -> color_eyre::Result<Address> {
    Ok(Address::of_key(&key_of(words)?.public()))
}

/// The first receiving address, as the wallets of Obyte have it.
fn key_of(words: &Mnemonic) -> color_eyre::Result<SecretKey> {
    let root = ExtendedKey::from_seed(words.seed("").as_ref())?;
    Ok(root.derive(&Path::address(0, AddressKind::Receiving, 0))?.key().clone())
}
