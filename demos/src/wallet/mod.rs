//! `coinop wallet`: a wallet of one address, for people and for scripts.

mod keys;
mod online;
mod outbox;
mod send;
mod show;
mod signed;
pub(crate) mod uri;

use std::{path::Path, process::ExitCode};

use coinop::{
    agenda::Agenda,
    core::{
        Bytes,
        obyte::{Address, unit::Output},
        wallet::{Attachment, Request},
    },
    hub::HubLedger,
};
use color_eyre::eyre::bail;
use serde_json::{Map, Value};

use self::uri::Payee;
use crate::args::{NetworkName, Wallet, WalletCommand};

/// Does what is asked of a wallet.
pub(crate) fn wallet(options: &Wallet) -> color_eyre::Result<ExitCode> {
    match &options.command {
        WalletCommand::New { burner } => keys::new(options, *burner)?,
        WalletCommand::Import { burner } => keys::import(options, *burner)?,
        WalletCommand::Address { amount } => show::address(options, keys::address(options)?, *amount)?,
        WalletCommand::Sign { message } => signed::sign(options, message)?,
        WalletCommand::Verify { file, by } => return signed::verify(options, file.as_deref(), by.as_ref()),
        WalletCommand::Balance => online::run(options, show::balance)?,
        WalletCommand::History => online::run(options, show::history)?,
        WalletCommand::Watch => online::run(options, show::watch)?,
        WalletCommand::Send { to, amount, no_wait } => {
            let request = payment(options, to, *amount)?;
            send::send(options, &request, *no_wait)?;
        }
        WalletCommand::DataFeed { feeds, no_wait } => {
            let payload = feed(feeds)?;
            let messages = vec![Attachment::DataFeed { payload }];
            send::send(options, &Request { messages, ..Request::default() }, *no_wait)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The ledger behind a devnet's hub, on which the wallet in `purse` has paid everybody's first money.
pub(crate) async fn stake(
    hub: &str,
    purse: &Path,
    agenda: &Agenda,
    funds: &[(Address, Bytes)],
) -> color_eyre::Result<HubLedger> {
    let options = Wallet {
        command: WalletCommand::Balance,
        keys: Some(purse.to_owned()),
        // Keys that are made of a scenario's seed are everybody's: they are for devnets only.
        network: NetworkName::Devnet,
        hub: Some(hub.to_owned()),
        json: true,
        yes: true,
    };
    let ledger = online::connect_for(&options, agenda.clone()).await?;
    let outputs =
        funds.iter().map(|(address, amount)| Output { address: *address, amount: *amount }).collect();
    send::pay(&options, &ledger, &Request { outputs, ..Request::default() }).await?;
    Ok(ledger)
}

fn payment(options: &Wallet, to: &Payee, amount: Option<Bytes>) -> color_eyre::Result<Request> {
    let here = options.network.network();
    let is_elsewhere = to.network.is_some_and(|network| uri::scheme(network) != uri::scheme(here));
    if is_elsewhere {
        bail!("the link is for another network: name it with --network");
    }
    let amount = match (amount, to.amount) {
        (Some(amount), Some(asked)) if amount != asked => {
            bail!("the link asks for {asked}, not for {amount}")
        }
        (Some(amount), _) | (None, Some(amount)) => amount,
        (None, None) => bail!("how much? say it after the address, such as 10kB"),
    };
    Ok(Request { outputs: vec![Output { address: to.address, amount }], ..Request::default() })
}

/// `NAME=VALUE`: a number where it is a whole one; ledgers take no fractions, they are text.
fn feed(feeds: &[String]) -> color_eyre::Result<Value> {
    let mut payload = Map::new();
    for feed in feeds {
        let Some((name, text)) =
            feed.split_once('=').filter(|(name, text)| !name.is_empty() && !text.is_empty())
        else {
            bail!("{feed:?} is no NAME=VALUE");
        };
        let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text).map(Value::from);
        if payload.insert(name.to_owned(), number.unwrap_or_else(|| text.into())).is_some() {
            bail!("{name} is there twice");
        }
    }
    Ok(Value::Object(payload))
}
