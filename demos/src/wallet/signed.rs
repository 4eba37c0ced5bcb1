//! Signed messages.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::Path,
    process::ExitCode,
};

use coinop::core::obyte::{
    Address, json,
    signed::{SignedMessage, verify as check, verify_by},
};
use color_eyre::eyre::WrapErr as _;

use super::keys;
use crate::args::Wallet;

/// The longest signed message that is read, in bytes.
const MAX_MESSAGE: u64 = 1_000_000;

/// Signs a text; any wallet of the network can check it.
pub(super) fn sign(options: &Wallet, message: &str) -> color_eyre::Result<()> {
    let key = keys::key(options)?;
    let draft =
        SignedMessage::draft(options.network.network().package_version(), message.into(), &key.public());
    let signature = key.sign(&draft.hash_to_sign()?);
    Ok(writeln!(io::stdout(), "{}", draft.signed(signature).to_value())?)
}

/// Checks a signed message: whose it is, or why it is nobody's.
pub(super) fn verify(
    options: &Wallet,
    file: Option<&Path>,
    by: Option<&Address>,
) -> color_eyre::Result<ExitCode> {
    let mut text = String::new();
    match file {
        Some(file) => {
            let opened =
                fs::File::open(file).wrap_err_with(|| format!("{} cannot be read", file.display()))?;
            opened.take(MAX_MESSAGE).read_to_string(&mut text)?;
        }
        None => {
            io::stdin().lock().take(MAX_MESSAGE).read_to_string(&mut text)?;
        }
    }
    let message = json::parse(&text)?;
    let network = options.network.network();
    let verdict = by.map_or_else(|| check(&message, network), |by| verify_by(&message, network, by));
    match verdict {
        Ok(signer) => {
            writeln!(io::stdout(), "signed by {}", signer.address)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            writeln!(io::stderr(), "not signed: {error}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
