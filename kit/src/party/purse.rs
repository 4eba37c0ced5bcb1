//! The wallet at work: one unit at a time, quoted, composed, recorded, signed, posted.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use coinop_core::{
    obyte::unit::Unit,
    wallet::{self, Command, Effect, Request, Wallet},
};

use super::Party;
use crate::{
    actors::{AskError, Handle},
    agenda::Task,
    ledger::PostError,
    notice::Fact,
};

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
        let quote = match self.ledger.quote(self.address, &request) {
            Ok(quote) => quote,
            Err(error) => return self.unspent(reference, error).await,
        };
        let command = Command::Compose {
            reference: reference.clone(),
            request: request.clone(),
            quote,
            definition_needed: self.ledger.definition_needed(self.address),
        };
        match self.purse().wallet.ask(command).await {
            Ok(()) => {}
            Err(AskError::Refused(wallet::Refusal::Busy { .. })) => {
                self.purse().waiting.borrow_mut().push_front((reference, request));
            }
            Err(error) => self.unspent(reference, error.to_string()).await,
        }
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
            Err(PostError::Refused(error)) => Command::Rejected { reference, error },
            Err(PostError::NoAnswer) => Command::Unanswered { reference },
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
        let shown = self.ledger.coins(self.address);
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
