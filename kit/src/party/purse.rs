//! The wallet at work: one unit at a time, quoted, composed, recorded, signed, posted.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use coinop_core::{
    obyte::unit::Unit,
    wallet::{self, Command, Effect, Quote, Request, Wallet},
};

use super::Party;
use crate::{
    actors::{AskError, Handle},
    agenda::Task,
    ledger::LedgerError,
    notice::Fact,
};

/// How long a unit waits that could not be composed, because the ledger did not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many units may wait for their turn.
const MAX_WAITING: usize = 64;

/// The wallet and what waits for it.
pub(super) struct Purse {
    pub(super) wallet: Handle<Wallet>,
    waiting: RefCell<VecDeque<(String, Request)>>,
}

impl Purse {
    pub(super) fn new(wallet: Handle<Wallet>) -> Self {
        Self { wallet, waiting: RefCell::default() }
    }
}

impl Party {
    /// Wants a unit posted; the same reference is posted once.
    pub(super) async fn spend(self: &Rc<Self>, reference: String, request: Request) {
        {
            let mut waiting = self.purse().waiting.borrow_mut();
            if waiting.iter().any(|(known, _)| *known == reference) {
                return;
            }
            if waiting.len() < MAX_WAITING {
                waiting.push_back((reference, request));
            }
        }
        self.spend_next().await;
    }

    async fn spend_next(self: &Rc<Self>) {
        let next = self.purse().waiting.borrow_mut().pop_front();
        let Some((reference, request)) = next else { return };
        let ground = self.ground(&request).await;
        let (quote, definition_needed) = match ground {
            Ok(ground) => ground,
            Err(LedgerError::Refused(error)) => return self.unspent(reference, error).await,
            Err(LedgerError::NoAnswer) => {
                self.purse().waiting.borrow_mut().push_front((reference, request));
                return self.spend_later();
            }
        };
        let command = Command::Compose {
            reference: reference.clone(),
            request: request.clone(),
            quote,
            definition_needed,
        };
        match self.purse().wallet.ask(command).await {
            Ok(()) => {}
            Err(AskError::Refused(wallet::Refusal::Busy { .. })) => {
                self.purse().waiting.borrow_mut().push_front((reference, request));
            }
            Err(error) => self.unspent(reference, error.to_string()).await,
        }
    }

    /// What a unit is composed upon.
    async fn ground(&self, request: &Request) -> Result<(Quote, bool), LedgerError> {
        let quote = self.ledger.quote(self.address, request).await?;
        Ok((quote, self.ledger.definition_needed(self.address).await?))
    }

    /// Tries again when the ledger may answer again.
    fn spend_later(self: &Rc<Self>) {
        let party = Rc::downgrade(self);
        self.shell.agenda().at(self.shell.now().after(PATIENCE), self.rank, async move {
            if let Some(party) = party.upgrade() {
                party.spend_next().await;
            }
        });
    }

    /// Carries out what the wallet wants.
    pub(super) fn wallet_effect(self: &Rc<Self>, effect: Effect) -> Task {
        let party = Rc::clone(self);
        Box::pin(async move {
            match effect {
                Effect::SignAndPost { reference, unit } => party.sign_and_post(reference, *unit).await,
                Effect::Posted { reference, unit } => {
                    party.posted(&reference, Ok(unit)).await;
                    party.spend_next().await;
                }
                Effect::PostFailed { reference, error } => party.unspent(reference, error).await,
            }
        })
    }

    async fn sign_and_post(self: &Rc<Self>, reference: String, unit: Unit) {
        let sealed = match wallet::seal(unit, &self.secret) {
            Ok(sealed) => sealed,
            Err(error) => return self.unspent(reference, error.to_string()).await,
        };
        let hash = sealed.unit;
        let command = match self.ledger.post(&sealed).await {
            Ok(()) => Command::Accepted { reference, unit: hash },
            Err(LedgerError::Refused(error)) => Command::Rejected { reference, error },
            Err(LedgerError::NoAnswer) => Command::Unanswered { reference },
        };
        self.ask(&self.purse().wallet, command).await;
    }

    async fn unspent(self: &Rc<Self>, reference: String, error: String) {
        self.posted(&reference, Err(error)).await;
        if !self.purse().waiting.borrow().is_empty() {
            let party = Rc::clone(self);
            self.shell.hold(self.rank, async move { party.spend_next().await });
        }
    }

    /// Looks at the ledger and tells the wallet what changed.
    pub(super) async fn look_at_coins(self: &Rc<Self>) {
        let shown = match self.ledger.coins(self.address).await {
            Ok(shown) => shown,
            Err(error) => return tracing::debug!(party = self.name, %error, "its coins are as they were"),
        };
        let gone: Vec<_> = {
            let wallet = self.purse().wallet.state();
            wallet.coins().map(|coin| coin.id).filter(|id| !shown.iter().any(|coin| coin.id == *id)).collect()
        };
        if !gone.is_empty() {
            self.ask(&self.purse().wallet, Command::CoinsGone { coins: gone }).await;
        }
        if !shown.is_empty() {
            self.ask(&self.purse().wallet, Command::CoinsSeen { coins: shown }).await;
        }
        let balance = self.purse().wallet.state().balance();
        let fact = Fact::Balance { stable: balance.stable, pending: balance.pending };
        if self.told_balance.replace(Some(fact.clone())).as_ref() != Some(&fact) {
            self.shell.tell(self.rank, &self.name, fact);
        }
        self.spend_next().await;
    }
}
