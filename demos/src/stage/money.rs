//! Where the money of a stage is: on a ledger of its own, or on one behind a hub.

use std::rc::Rc;

use coinop::{
    core::{Bytes, obyte::Address},
    hub::HubLedger,
    ledger::{Embedded, Ledger, LedgerError},
};

/// The ledger of a stage.
#[derive(Clone)]
pub(crate) enum Money {
    /// Inside this program.
    Own(Embedded),
    /// Elsewhere: what everybody begins with was paid before.
    Elsewhere(HubLedger),
}

impl Money {
    /// As parties see it.
    pub(super) fn ledger(&self) -> Rc<dyn Ledger> {
        match self {
            Self::Own(ledger) => Rc::new(ledger.clone()),
            Self::Elsewhere(ledger) => Rc::new(ledger.clone()),
        }
    }

    /// Brings what a party was given up to `total`.
    pub(super) async fn fund(&self, address: Address, total: Bytes) -> Result<(), LedgerError> {
        match self {
            Self::Own(ledger) => ledger.fund(address, total).await,
            Self::Elsewhere(_) => Ok(()),
        }
    }

    /// Why the books are wrong, if they are; nothing is known of another's books.
    pub(super) fn audit(&self) -> Option<Result<(), String>> {
        match self {
            Self::Own(ledger) => {
                Some(ledger.audit().map(drop).map_err(|discrepancy| discrepancy.to_string()))
            }
            Self::Elsewhere(_) => None,
        }
    }
}
