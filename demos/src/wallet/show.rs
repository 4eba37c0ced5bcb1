//! What a wallet shows.

use std::{
    io::{self, Write as _},
    sync::atomic::Ordering,
    time::Duration,
};

use coinop::{
    core::{Bytes, obyte::Address, wallet::Coin},
    hub::view::Movement,
    ledger::LedgerError,
};
use qrcode::{QrCode, render::unicode::Dense1x2};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    online::{self, Online},
    uri,
};
use crate::{args::Wallet, signals::stop_on_signal};

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Its address, as text and as a picture that a phone can read.
pub(super) fn address(options: &Wallet, address: Address, amount: Option<Bytes>) -> color_eyre::Result<()> {
    let link = uri::link(options.network.network(), address, amount);
    let mut out = io::stdout().lock();
    if options.json {
        return Ok(writeln!(out, "{}", json!({ "address": address, "link": link }))?);
    }
    // Light on dark: most terminals are dark, and cameras read both.
    let code = QrCode::new(link.as_bytes())?;
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    writeln!(out, "{picture}\n{address}\n{link}")?;
    Ok(())
}

/// What it has.
pub(super) async fn balance(options: &Wallet, online: &Online) -> color_eyre::Result<()> {
    let view = online.ledger.view(online.address).await.map_err(online::said)?;
    let (stable, pending) = sums(&view.coins(online.address));
    let mut out = io::stdout().lock();
    if options.json {
        let told = json!({ "address": online.address, "stable": stable, "pending": pending });
        return Ok(writeln!(out, "{told}")?);
    }
    writeln!(out, "final    {stable:>20} B")?;
    writeln!(out, "pending  {pending:>20} B")?;
    Ok(())
}

/// What came and went.
pub(super) async fn history(options: &Wallet, online: &Online) -> color_eyre::Result<()> {
    let view = online.ledger.view(online.address).await.map_err(online::said)?;
    let movements = view.movements(online.address);
    let mut out = io::stdout().lock();
    if options.json {
        let rows: Vec<Value> = movements.iter().map(row).collect();
        return Ok(writeln!(out, "{}", Value::from(rows))?);
    }
    if movements.is_empty() {
        return Ok(writeln!(out, "nothing came to {} yet", online.address)?);
    }
    for movement in &movements {
        writeln!(out, "{}", line(movement))?;
    }
    Ok(())
}

/// Says what comes and goes, until it is told to stop.
pub(super) async fn watch(options: &Wallet, online: &Online) -> color_eyre::Result<()> {
    let stop = stop_on_signal();
    let mut known: Vec<Movement> = Vec::new();
    let mut is_away = false;
    while !stop.load(Ordering::Relaxed) {
        match online.ledger.view(online.address).await {
            Ok(view) => {
                let movements = view.movements(online.address);
                let mut out = io::stdout().lock();
                for movement in movements.iter().filter(|movement| !known.contains(movement)) {
                    if options.json {
                        writeln!(out, "{}", row(movement))?;
                    } else {
                        writeln!(out, "{}", line(movement))?;
                    }
                }
                out.flush()?;
                (known, is_away) = (movements, false);
            }
            Err(LedgerError::NoAnswer) => {
                if !is_away {
                    writeln!(io::stderr(), "the hub is away; trying again…")?;
                }
                is_away = true;
            }
            Err(error @ LedgerError::Refused(_)) => return Err(online::said(error)),
        }
        sleep(LOOK).await;
    }
    Ok(())
}

fn sums(coins: &[Coin]) -> (u64, u64) {
    let sum =
        |stable: bool| coins.iter().filter(|coin| coin.stable == stable).map(|coin| coin.amount.get()).sum();
    (sum(true), sum(false))
}

fn row(movement: &Movement) -> Value {
    json!({
        "unit": movement.unit,
        "timestamp": movement.timestamp,
        "received": movement.received,
        "spent": movement.spent,
        "final": movement.is_stable,
    })
}

/// One line of at most 80 columns.
fn line(movement: &Movement) -> String {
    let (sign, amount) = match movement.received.checked_sub(movement.spent) {
        Some(more) => ('+', more),
        None => ('-', movement.spent - movement.received),
    };
    let state = if movement.is_stable { "final" } else { "pending" };
    let amount = format!("{sign}{amount}");
    format!("{amount:>20} B  {state:<7}  {}", movement.unit)
}
