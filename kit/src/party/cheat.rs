//! What a party can do that its machines would never: for the scenarios in which somebody cheats, and
//! for the tests that show it does not pay.

use std::rc::Rc;

use coinop_core::{
    Bytes,
    channel::{Phase, SessionId, SignedPackage, TRIGGER_BYTES},
    obyte::{address::Address, hash::sha256_base64},
    session::{Control, Name, Statement},
    wallet,
};
use serde_json::json;

use super::{
    Party,
    wire::{Letter, PayMessage, Request},
};

/// How many payments a cheater keeps to send again.
const KEPT: usize = 4;

impl Party {
    /// Asks the agents of all its open channels to close, and declares to have spent nothing.
    pub async fn close_dishonestly(self: &Rc<Self>) {
        let open: Vec<_> = self
            .channels
            .borrow()
            .iter()
            .filter(|(_, slot)| slot.handle.state().phase() == Phase::Open)
            .map(|(agent, slot)| (*agent, slot.handle.state().current_period()))
            .collect();
        for (agent, period) in open {
            let data = json!({ "close": 1, "period": period, "transferredFromMe": Bytes::ZERO });
            let request = wallet::Request::to_agent(agent, TRIGGER_BYTES, Some(data), None);
            self.spend(format!("{agent}/{period}/dishonest"), request).await;
        }
    }

    /// Sends the payments it kept once more: the newest as it was, and the older ones.
    pub fn replay(self: &Rc<Self>) {
        let kept: Vec<_> = self.sent.borrow().iter().cloned().collect();
        for (to, body) in kept {
            self.send(to, body);
        }
    }

    /// Tries to use somebody else's right of access with its own signature.
    pub fn intrude(self: &Rc<Self>, session: coinop_core::session::SessionId, seller: Address, action: &str) {
        let Ok(action) = action.parse::<Name>() else { return };
        let control = Control { session, action, counter: u64::from(u32::MAX) };
        self.tell_statement(seller, &Statement::Control(control));
    }

    /// Keeps a payment, to send it again some day.
    pub(super) fn remember(&self, to: Address, signed: &SignedPackage, session: &SessionId) {
        let tag = sha256_base64(&self.shell.random());
        let message = PayMessage { session: session.to_string() };
        let request = Request::Pay { signed_package: Box::new(signed.clone()), message };
        let Ok(body) = serde_json::to_vec(&Letter::Request { request, tag }) else { return };
        let mut sent = self.sent.borrow_mut();
        sent.push_back((to, body));
        while sent.len() > KEPT {
            sent.pop_front();
        }
    }
}
