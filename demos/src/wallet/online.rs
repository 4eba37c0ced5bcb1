//! What needs a hub.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use coinop::{
    agenda::Agenda,
    core::{Bytes, Timestamp, obyte::Address},
    hub::{Hub, HubLedger, State},
    ledger::LedgerError,
};
use color_eyre::eyre::{bail, eyre};
use tokio::time::{sleep, timeout};

use super::keys;
use crate::args::Wallet;

/// How long the first connection may take.
const CONNECTING: Duration = Duration::from_secs(15);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// The most that is paid for the traffic of the moment without being asked for more.
const MAX_TPS_FEE: Bytes = Bytes::new(1_000_000);

/// A wallet's address and its ledger.
pub(super) struct Online {
    pub(super) address: Address,
    pub(super) ledger: HubLedger,
}

/// Does something with a hub.
pub(super) fn run(
    options: &Wallet,
    what: impl AsyncFnOnce(&Wallet, &Online) -> color_eyre::Result<()>,
) -> color_eyre::Result<()> {
    let address = keys::address(options)?;
    block_on(async {
        let ledger = connect(options).await?;
        what(options, &Online { address, ledger }).await
    })
}

/// Runs on this thread.
pub(super) fn block_on<T>(what: impl Future<Output = color_eyre::Result<T>>) -> color_eyre::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, what)
}

/// The ledger behind the hub, once that has said who it is. Nothing here runs on an agenda: what is
/// waited for is simply waited for.
pub(super) async fn connect(options: &Wallet) -> color_eyre::Result<HubLedger> {
    connect_for(options, Agenda::new(Timestamp::default())).await
}

/// The same, for those whose work is on an agenda.
pub(super) async fn connect_for(options: &Wallet, agenda: Agenda) -> color_eyre::Result<HubLedger> {
    let url = options.hub.as_deref().unwrap_or_else(|| options.network.hub());
    let hub = Hub::connect(url, options.network.network())?;
    let mut said = None;
    let waited = timeout(CONNECTING, async {
        loop {
            match hub.state() {
                State::Connected => return Ok(()),
                State::Wrong(why) => bail!("{url}: {why}"),
                State::Away(Some(why)) if said.is_none() => {
                    writeln!(io::stderr(), "{url}: {why}; trying again…")?;
                    said = Some(why);
                }
                State::Away(_) => {}
            }
            sleep(LOOK).await;
        }
    });
    let Ok(connected) = waited.await else {
        let why = said.unwrap_or_else(|| "it says nothing".to_owned());
        bail!("there is no hub at {url} ({why}): start one with `coinop node`, or name another with --hub")
    };
    connected?;
    Ok(HubLedger::new(hub, agenda, MAX_TPS_FEE))
}

/// The ledger's words for people.
pub(super) fn said(error: LedgerError) -> color_eyre::Report {
    match error {
        LedgerError::NoAnswer => eyre!("the hub does not answer: try again, or name another with --hub"),
        LedgerError::Refused(_) => eyre!(error),
    }
}
