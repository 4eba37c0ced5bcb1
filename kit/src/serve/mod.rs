//! The embedded node as a hub for others: WebSocket, status page and faucet on one port.
//!
//! Sockets live on tasks of their own and talk to the one desk by messages; the desk is on the agenda's
//! thread, and asks the ledger's actor like everybody else.

mod desk;
mod http;

use std::net::SocketAddr;

use coinop_core::Bytes;
use tokio::{net::TcpListener, sync::mpsc};

use self::desk::Desk;
use crate::{agenda::Rank, ledger::Embedded, restore::Restored, shell::Shell};

/// How many messages of all clients wait at the desk.
const MAX_WAITING: usize = 1_024;

/// How the node serves others.
#[derive(Clone, Copy, Debug)]
pub struct Serving {
    /// The place of its work in the order of simultaneous work.
    pub rank: Rank,
    /// What the faucet gives an address in all, when it gives.
    pub faucet: Option<Bytes>,
}

/// Serves `ledger` on `listener`, and keeps what waits for the devices that log in; must be called inside a
/// tokio `LocalSet`. It ends with the runtime.
///
/// # Errors
///
/// [`std::io::Error`] when the listener has no address, or when the journal's mailboxes cannot be read.
pub fn serve(
    shell: &Shell,
    ledger: &Embedded,
    restored: &Restored,
    listener: TcpListener,
    serving: Serving,
) -> std::io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let (mail, letters) = mpsc::channel(MAX_WAITING);
    Desk::open(shell, ledger, restored, serving, letters)?;
    let router = http::router(mail);
    tokio::task::spawn_local(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "nobody is served any more");
        }
    });
    Ok(address)
}
