//! Letters out and in: requests are repeated until answered, answers find their request.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use coinop_core::obyte::{address::Address, hash::sha256_base64};
use serde_json::Value;

use super::{
    Party,
    wire::{Letter, Request},
};
use crate::{
    agenda::{Task, Ticket},
    network,
};

/// How long a request waits for its answer before it is sent again.
const RETRY: Duration = Duration::from_secs(1);
/// How many times a request is sent at most.
const ATTEMPTS: u32 = 8;
/// How many requests may be unanswered at a time; the oldest is given up for a new one.
const MAX_OPEN: usize = 128;

/// What is done with an answer.
pub(super) type Reply = Box<dyn FnOnce(Rc<Party>, Result<Value, String>) -> Task>;

/// The requests of a party that wait for an answer.
#[derive(Default)]
pub(super) struct Mail {
    open: RefCell<BTreeMap<String, Open>>,
}

struct Open {
    to: Address,
    body: Vec<u8>,
    attempts: u32,
    retry: Option<Ticket>,
    reply: Reply,
}

impl Party {
    /// Sends a request and repeats it until it is answered or given up.
    ///
    /// The tag is the hash of the request, so that asking the same again is the same request.
    pub(super) fn call(self: &Rc<Self>, to: Address, request: Request, reply: Reply) {
        let Ok(text) = serde_json::to_string(&(&request, to)) else { return };
        let tag = sha256_base64(text.as_bytes());
        let Ok(body) = serde_json::to_vec(&Letter::Request { request, tag: tag.clone() }) else { return };
        if let Some(old) = self.mail.open.borrow_mut().remove(&tag) {
            self.cancel(old.retry);
        }
        self.make_room();
        self.mail.open.borrow_mut().insert(tag.clone(), Open { to, body, attempts: 0, retry: None, reply });
        self.post(&tag);
    }

    /// Sends something that nobody answers.
    pub(super) fn say(&self, to: Address, request: Request) {
        let tag = sha256_base64(&self.shell.random());
        let Ok(body) = serde_json::to_vec(&Letter::Request { request, tag }) else { return };
        self.send(to, body);
    }

    /// Answers a request.
    pub(super) fn answer(&self, to: Address, tag: String, answer: Result<Value, String>) {
        let letter = match answer {
            Ok(response) => Letter::Answer { response, tag },
            Err(error) => Letter::Failure { error, tag },
        };
        if let Ok(body) = serde_json::to_vec(&letter) {
            self.send(to, body);
        }
    }

    /// Takes a letter in.
    pub(super) async fn receive(self: Rc<Self>, letter: network::Letter) {
        let Ok(from) = letter.from.parse::<Address>() else { return };
        match Letter::parse(&letter.body) {
            Ok(Letter::Request { request, tag }) => self.serve(from, request, tag).await,
            Ok(Letter::Answer { response, tag }) => self.answered(&tag, Ok(response)).await,
            Ok(Letter::Failure { error, tag }) => self.answered(&tag, Err(error)).await,
            Err(error) => {
                self.refuse(format!("a letter from {} makes no sense: {error}", self.call_it(from)));
            }
        }
    }

    async fn answered(self: &Rc<Self>, tag: &str, answer: Result<Value, String>) {
        let open = self.mail.open.borrow_mut().remove(tag);
        // An answer nobody waits for is the repetition of one.
        let Some(open) = open else { return };
        self.cancel(open.retry);
        (open.reply)(Rc::clone(self), answer).await;
    }

    fn post(self: &Rc<Self>, tag: &str) {
        let (to, body) = {
            let mut open = self.mail.open.borrow_mut();
            let Some(entry) = open.get_mut(tag) else { return };
            if entry.attempts == ATTEMPTS {
                open.remove(tag);
                return;
            }
            entry.attempts += 1;
            (entry.to, entry.body.clone())
        };
        self.send(to, body);
        let (party, name) = (Rc::downgrade(self), tag.to_owned());
        let retry = self.shell.agenda().at(self.shell.now().after(RETRY), self.rank, async move {
            if let Some(party) = party.upgrade() {
                party.post(&name);
            }
        });
        if let Some(entry) = self.mail.open.borrow_mut().get_mut(tag) {
            entry.retry = Some(retry);
        }
    }

    fn make_room(&self) {
        let mut open = self.mail.open.borrow_mut();
        if open.len() >= MAX_OPEN {
            let dropped = open.pop_first();
            drop(open);
            self.cancel(dropped.and_then(|(_, entry)| entry.retry));
        }
    }

    fn cancel(&self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.shell.agenda().cancel(ticket);
        }
    }

    pub(super) fn send(&self, to: Address, body: Vec<u8>) {
        if let Err(error) = self.network.send(self.address.as_str(), to.as_str(), body) {
            tracing::warn!(party = self.name, %error, "not sent");
        }
    }
}
