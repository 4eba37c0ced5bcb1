//! Posting a unit: composed, confirmed, recorded, posted, waited for.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use coinop::{
    core::{
        Context, Machine as _, Timestamp,
        obyte::{Address, Hash, SecretKey, unit::Unit},
        wallet::{self, Command, Effect, Policy, Quote, Request, SpendPending},
    },
    hub::HubLedger,
    ledger::{Ledger as _, LedgerError},
};
use color_eyre::eyre::{bail, eyre};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{keys, online, outbox::Outbox};
use crate::args::Wallet;

/// How often it is looked whether a unit is final.
const LOOK: Duration = Duration::from_millis(250);
/// How often that is said.
const SAY: Duration = Duration::from_secs(10);

/// Composes, asks, posts, waits.
pub(super) fn send(options: &Wallet, request: &Request, no_wait: bool) -> color_eyre::Result<()> {
    let key = keys::key(options)?;
    let outbox = Outbox::of(&keys::file(options)?, options.network.network());
    online::block_on(async {
        let ledger = online::connect(options).await?;
        post_what_is_left(options, &ledger, &outbox).await?;
        let hash = post(options, &ledger, &outbox, &key, request).await?;
        if no_wait {
            return report(options, hash, false);
        }
        say(options, format_args!("posted {hash}; waiting until it is final…"))?;
        wait(options, &ledger, Address::of_key(&key.public()), hash).await?;
        report(options, hash, true)
    })
}

/// Pays, and waits until it is final.
pub(super) async fn pay(options: &Wallet, ledger: &HubLedger, request: &Request) -> color_eyre::Result<()> {
    let key = keys::key(options)?;
    let outbox = Outbox::of(&keys::file(options)?, options.network.network());
    post_what_is_left(options, ledger, &outbox).await?;
    let hash = post(options, ledger, &outbox, &key, request).await?;
    wait(options, ledger, Address::of_key(&key.public()), hash).await
}

/// A unit whose fate is not known comes first: it may have been paid already.
async fn post_what_is_left(options: &Wallet, ledger: &HubLedger, outbox: &Outbox) -> color_eyre::Result<()> {
    let Some(unit) = outbox.unit()? else { return Ok(()) };
    let hash = unit["unit"].as_str().unwrap_or_default().to_owned();
    say(options, format_args!("an earlier unit was not answered; posting {hash} again"))?;
    match ledger.post_json(unit).await {
        Ok(()) => say(options, format_args!("it is posted now"))?,
        Err(LedgerError::Refused(error)) => say(options, format_args!("it was never taken: {error}"))?,
        Err(LedgerError::NoAnswer) => {
            bail!(
                "the hub does not answer, and nothing else is sent before it is known what became of {hash}"
            )
        }
    }
    outbox.clear()
}

async fn post(
    options: &Wallet,
    ledger: &HubLedger,
    outbox: &Outbox,
    key: &SecretKey,
    request: &Request,
) -> color_eyre::Result<Hash> {
    let address = Address::of_key(&key.public());
    let mut definition_needed = ledger.definition_needed(address).await.map_err(online::said)?;
    let mut is_asked = options.yes;
    for _ in 0..2 {
        let quote = ledger.quote(address, request).await.map_err(online::said)?;
        let unit = compose(options, ledger, key, request, quote, definition_needed).await?;
        if !is_asked {
            confirm(options, request, &unit)?;
            is_asked = true;
        }
        let hash = unit.unit;
        let value = serde_json::to_value(&unit)?;
        outbox.keep(&value)?;
        match ledger.post_json(value).await {
            Ok(()) => {
                outbox.clear()?;
                return Ok(hash);
            }
            // The ledger knows better whether the definition is known.
            Err(LedgerError::Refused(error)) if is_about_definition(&error) => {
                outbox.clear()?;
                definition_needed = !definition_needed;
            }
            Err(LedgerError::Refused(error)) => {
                outbox.clear()?;
                return Err(eyre!("the ledger refused it, and nothing was paid: {error}"));
            }
            Err(LedgerError::NoAnswer) => bail!(
                "the hub did not answer: whether {hash} was taken is not known. The next `coinop wallet send` posts \
                 it again before anything else; `coinop wallet history` shows it if it was taken"
            ),
        }
    }
    bail!("the ledger wants the definition and does not want it")
}

fn is_about_definition(error: &str) -> bool {
    error.contains("not found before last ball") || error.starts_with("duplicate definition of address")
}

async fn compose(
    options: &Wallet,
    ledger: &HubLedger,
    key: &SecretKey,
    request: &Request,
    quote: Quote,
    definition_needed: bool,
) -> color_eyre::Result<Unit> {
    let address = Address::of_key(&key.public());
    let view = ledger.view(address).await.map_err(online::said)?;
    // Final coins, and what is left of own payments.
    let coins =
        view.coins(address).into_iter().filter(|coin| coin.stable || view.is_by(&coin.id.unit, &address));
    let policy = Policy { spend_pending: SpendPending::All, ..Policy::default() };
    let mut wallet = wallet::Wallet::new(options.network.network(), key.public(), policy);
    let context = Context { now: Timestamp::default(), random: [0; 32] };
    let seen = wallet.decide(&context, Command::CoinsSeen { coins: coins.collect() })?;
    seen.events.iter().for_each(|event| wallet.apply(event));
    let reference = "send".to_owned();
    let command = Command::Compose { reference, request: request.clone(), quote, definition_needed };
    let composed = wallet.decide(&context, command)?;
    let unit = composed.effects.into_iter().find_map(|effect| match effect {
        Effect::SignAndPost { unit, .. } => Some(*unit),
        Effect::Posted { .. } | Effect::PostFailed { .. } => None,
    });
    Ok(wallet::seal(unit.ok_or_else(|| eyre!("nothing was composed"))?, key)?)
}

/// Shows what is about to be paid, and asks.
fn confirm(options: &Wallet, request: &Request, unit: &Unit) -> color_eyre::Result<()> {
    if !io::stdin().is_terminal() {
        bail!("nobody is there to confirm: add --yes");
    }
    let mut err = io::stderr().lock();
    writeln!(err, "network  {:?}", options.network.network())?;
    for output in &request.outputs {
        writeln!(err, "pay      {} to {}", output.amount, output.address)?;
    }
    for message in &request.messages {
        writeln!(err, "post     {}", serde_json::to_string(message)?)?;
    }
    writeln!(err, "fee      {}", unit.fees()?)?;
    write!(err, "Send it? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => bail!("nothing was sent"),
    }
}

async fn wait(options: &Wallet, ledger: &HubLedger, address: Address, hash: Hash) -> color_eyre::Result<()> {
    let began = Instant::now();
    let mut said = began;
    loop {
        match ledger.view(address).await {
            Ok(view) if view.is_stable(&hash) => return Ok(()),
            Ok(_) | Err(LedgerError::NoAnswer) => {}
            Err(error @ LedgerError::Refused(_)) => return Err(online::said(error)),
        }
        if said.elapsed() >= SAY {
            said = Instant::now();
            say(
                options,
                format_args!(
                    "not final yet after {} s; Ctrl-C stops the waiting only",
                    began.elapsed().as_secs()
                ),
            )?;
        }
        sleep(LOOK).await;
    }
}

/// Says how far it is, to a person.
fn say(options: &Wallet, what: std::fmt::Arguments<'_>) -> io::Result<()> {
    if options.json { Ok(()) } else { writeln!(io::stderr(), "{what}") }
}

fn report(options: &Wallet, hash: Hash, is_final: bool) -> color_eyre::Result<()> {
    let mut out = io::stdout().lock();
    let told: Value = json!({ "unit": hash, "final": is_final });
    match (options.json, is_final) {
        (true, _) => writeln!(out, "{told}")?,
        (false, true) => writeln!(out, "final: {hash}")?,
        (false, false) => writeln!(out, "posted: {hash}")?,
    }
    Ok(())
}
