//! Playing on a ledger that is elsewhere, behind a hub.

use std::{
    cell::RefCell,
    io::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use coinop::{core::Timestamp, hub::HubLedger, shell::Shell};

use super::{Ears, START};
use crate::{args::Play, scenario::Scenario, stage, wallet};

/// When the scenario begins: on a ledger of others, now.
pub(super) fn start(options: &Play) -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    if options.hub.is_some() { Timestamp::from_millis(0).after(since) } else { START }
}

/// When time begins: everybody's first money takes some, unless it is there already.
pub(super) fn before(options: &Play, start: Timestamp) -> Timestamp {
    if options.hub.is_some() { start } else { stage::before(start) }
}

/// On a ledger that stays, every run has keys, and so channels, of its own.
pub(super) fn seed_of_keys(options: &Play, start: Timestamp) -> u64 {
    if options.hub.is_some() { options.seed.wrapping_add(start.millis()) } else { options.seed }
}

/// The ledger behind the hub, with everybody's first money on it.
pub(super) async fn elsewhere(
    options: &Play,
    scenario: &Scenario,
    seed: u64,
    shell: &Shell,
    ears: &RefCell<Ears>,
) -> color_eyre::Result<Option<HubLedger>> {
    let (Some(hub), Some(purse)) = (&options.hub, &options.purse) else { return Ok(None) };
    ears.borrow_mut().book.tally.books_are_elsewhere();
    let funds = stage::funds(scenario, seed)?;
    writeln!(io::stderr(), "{hub}: everybody's first money is paid from {}…", purse.display())?;
    wallet::stake(hub, purse, shell.agenda(), &funds).await.map(Some)
}
