//! A wallet of a single address: which coins it has, which are bound, and the units that spend them.
//!
//! It makes whole units of version 4 with their real sizes and fees, but holds no secret key: the
//! shell seals them (see [`seal`]). Whether the ledger took a unit is a state of its own: until that
//! is known the same unit is posted again, and never another one in its place.

mod compose;
mod contract;
mod event;
mod state;

use alloc::{string::String, vec::Vec};

pub use compose::seal;
pub use contract::{Attachment, Balance, Coin, CoinId, CoinIdError, Command, Effect, Quote, Request};
pub use event::{Event, Refusal};
use state::{Held, Spend};
pub use state::{Policy, SpendPending, Wallet};

use crate::{Context, Deadline, Decision, Machine, obyte::hash::Hash};

impl Machine for Wallet {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Decision<Event, Effect>, Refusal> {
        match command {
            Command::Compose { reference, request, quote, definition_needed } => {
                self.compose_once(reference, &request, &quote, definition_needed)
            }
            Command::Accepted { reference, unit } => Ok(self.accepted(reference, unit)),
            Command::Rejected { reference, error } => Ok(self.rejected(reference, error)),
            Command::Unanswered { reference } => Ok(self.unanswered(context, reference)),
            Command::CoinsSeen { coins } => Ok(self.coins_seen(coins)),
            Command::CoinsGone { coins } => Ok(self.coins_gone(coins)),
            Command::Stable { unit } => Ok(self.stable(unit)),
            Command::BadSequence { unit } => Ok(self.bad_sequence(unit)),
            Command::Wake => Ok(self.wake_up(context)),
        }
    }

    fn apply(&mut self, event: &Event) {
        self.record(event);
    }

    /// The unit the ledger has not answered yet.
    fn pending(&self) -> Vec<Effect> {
        self.bound().map(|(reference, spend)| spend.effect(reference)).collect()
    }

    fn deadline(&self) -> Option<Deadline> {
        let retries = self.bound().filter_map(|(_, spend)| match spend {
            Spend::Bound { retry_at, .. } => *retry_at,
            Spend::Accepted { .. } => None,
        });
        retries.min().map(|at| Deadline { at, reason: "the ledger has not said whether it took the unit" })
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

impl Wallet {
    fn compose_once(
        &self,
        reference: String,
        request: &Request,
        quote: &Quote,
        definition_needed: bool,
    ) -> Result<Decision<Event, Effect>, Refusal> {
        if let Some(spend) = self.spend(&reference) {
            return Ok(Decision::effect(spend.effect(&reference)));
        }
        if let Some((other, _)) = self.bound().next() {
            return Err(Refusal::Busy(other.clone()));
        }
        let (unit, inputs) = self.compose(request, quote, definition_needed)?;
        let effect = Effect::SignAndPost { reference: reference.clone(), unit: unit.clone() };
        Ok(Decision::event(Event::Composed { reference, unit, inputs }).then(effect))
    }

    fn accepted(&self, reference: String, unit: Hash) -> Decision<Event, Effect> {
        match self.spend(&reference) {
            Some(Spend::Bound { unit: composed, .. }) => {
                let change = self.own_outputs(composed, unit);
                let told = Effect::Posted { reference: reference.clone(), unit };
                Decision::event(Event::Accepted { reference, unit, change }).then(told)
            }
            Some(Spend::Accepted { .. }) | None => Decision::nothing(),
        }
    }

    fn rejected(&self, reference: String, error: String) -> Decision<Event, Effect> {
        match self.spend(&reference) {
            Some(Spend::Bound { .. }) => {
                let told = Effect::PostFailed { reference: reference.clone(), error: error.clone() };
                Decision::event(Event::Rejected { reference, error }).then(told)
            }
            Some(Spend::Accepted { .. }) | None => Decision::nothing(),
        }
    }

    fn unanswered(&self, context: &Context, reference: String) -> Decision<Event, Effect> {
        match self.spend(&reference) {
            Some(Spend::Bound { .. }) => {
                let retry_at = context.now.after(self.policy.retry());
                Decision::event(Event::Unanswered { reference, retry_at })
            }
            Some(Spend::Accepted { .. }) | None => Decision::nothing(),
        }
    }

    fn wake_up(&self, context: &Context) -> Decision<Event, Effect> {
        let mut decision = Decision::nothing();
        for (reference, spend) in self.bound() {
            match spend {
                Spend::Bound { retry_at: Some(at), .. } if *at <= context.now => {
                    let retry_at = context.now.after(self.policy.retry());
                    decision = decision
                        .and(Event::Unanswered { reference: reference.clone(), retry_at })
                        .then(spend.effect(reference));
                }
                Spend::Bound { .. } | Spend::Accepted { .. } => {}
            }
        }
        decision
    }

    /// Coins that are bound or were spent are no news, whatever the ledger still shows.
    fn coins_seen(&self, coins: Vec<Coin>) -> Decision<Event, Effect> {
        let news: Vec<Coin> = coins
            .into_iter()
            .filter(|coin| !self.is_bound_or_spent(&coin.id))
            .filter(|coin| match self.held(&coin.id) {
                Some(Held { amount, stable, own: _ }) => {
                    // What is stable stays so, whoever shows older news.
                    !stable && (coin.stable || *amount != coin.amount)
                }
                None => true,
            })
            .collect();
        if news.is_empty() { Decision::nothing() } else { Decision::event(Event::CoinsSeen { coins: news }) }
    }

    fn coins_gone(&self, coins: Vec<CoinId>) -> Decision<Event, Effect> {
        let gone: Vec<CoinId> = coins.into_iter().filter(|id| self.knows(id)).collect();
        if gone.is_empty() { Decision::nothing() } else { Decision::event(Event::CoinsGone { coins: gone }) }
    }

    fn stable(&self, unit: Hash) -> Decision<Event, Effect> {
        let is_news = self.coins().any(|coin| coin.id.unit == unit && !coin.stable);
        if is_news { Decision::event(Event::Stable { unit }) } else { Decision::nothing() }
    }

    fn bad_sequence(&self, unit: Hash) -> Decision<Event, Effect> {
        let is_news = self.has_posted(unit) || self.coins().any(|coin| coin.id.unit == unit);
        if is_news { Decision::event(Event::BadSequence { unit }) } else { Decision::nothing() }
    }
}
