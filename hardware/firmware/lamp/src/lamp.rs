use alloc::{string::String, vec::Vec};

use coinop_core::{
    Bytes, Context, Decision, Machine, Timestamp,
    channel::{Channel, Command, Effect, Event, Limits, Phase, Role, Sighting},
    obyte::{Address, PublicKey},
    tariff::Tariff,
};
use serde_json::{Value, json};

use crate::{
    Paid, Refusal,
    letter::{Answer, Letter, Word},
    refusal::Offer,
};

/// How many sessions a channel may name: memory is short.
const MOST_SESSIONS: usize = 4;

/// A lamp that is paid through one channel at a time.
#[derive(Debug)]
pub struct Lamp {
    name: String,
    owner: PublicKey,
    tariff: Tariff,
    /// The number of the owner's last word.
    heard: u64,
    channel: Option<Channel>,
    paid: Paid,
}

/// What comes of a line: an answer for the wire, and perhaps light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// One line of JSON, without its end.
    pub answer: String,
    /// What was paid: to be turned into light as soon as the lamp is on.
    pub bought: Option<Bytes>,
}

/// A request that was served.
struct Served {
    response: Value,
    reason: Option<String>,
    bought: Option<Bytes>,
}

impl Lamp {
    /// A lamp of this name and owner, whose tariff counts milliseconds. Words of the owner up to the
    /// number `heard` are old: keep the number where a reset does not reach it.
    pub fn new(name: &str, owner: PublicKey, tariff: Tariff, heard: u64) -> Self {
        Self { name: name.into(), owner, tariff, heard, channel: None, paid: Paid::default() }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whom the light is paid to.
    pub fn owner(&self) -> Address {
        Address::of_key(&self.owner)
    }

    /// What it is called, whom it belongs to, and what a second costs.
    pub fn introduction(&self) -> Value {
        json!({
            "v": 1, "at": 0, "who": self.name, "kind": "lamp", "owner": self.owner(),
            "price": self.tariff.price(), "per_ms": self.tariff.per(),
        })
    }

    /// The number of the owner's last word, to be kept.
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// Hears a line; `None` is one that was too long.
    pub fn hear(&mut self, now: Timestamp, line: Option<&[u8]>) -> Heard {
        let letter = line.ok_or(Refusal::TooLong).and_then(Letter::parse);
        let tag = letter.as_ref().ok().map(|letter| letter.tag.as_ref());
        let served = match &letter {
            Ok(letter) => self.serve(now, letter),
            Err(refusal) => Err(refusal.clone()),
        };
        match served {
            Ok(Served { response, reason, bought }) => {
                let answer = Answer { response: Some(&response), reason, tag, error: None };
                Heard { answer: line_of(&answer), bought }
            }
            Err(refusal) => {
                let (error, reason) = (Some(alloc::format!("{refusal}")), Some(refusal.why()));
                Heard { answer: line_of(&Answer { error, reason, tag, response: None }), bought: None }
            }
        }
    }

    /// Until when the lamp is lit for what was bought, from now: to check a signature takes time that
    /// nobody pays for.
    pub fn light(&mut self, now: Timestamp, bought: Bytes) -> Timestamp {
        self.paid = self.paid.with(&self.tariff, now, bought);
        self.paid.until(&self.tariff)
    }

    fn serve(&mut self, now: Timestamp, letter: &Letter<'_>) -> Result<Served, Refusal> {
        match letter.command.as_ref() {
            "pay" => self.take(now, letter),
            "ledger" => self.believe(now, letter),
            other => Err(Refusal::UnknownCommand(other.into())),
        }
    }

    /// A payment. The channel decides; what it records as received is light.
    fn take(&mut self, now: Timestamp, letter: &Letter<'_>) -> Result<Served, Refusal> {
        let (package, session) = letter.payment()?;
        let channel = self.channel.as_mut().ok_or(Refusal::NoChannel)?;
        let offer = Offer::from(&package);
        let command = Command::Receive { tag: letter.tag.as_ref().into(), package, session };
        let decision = channel
            .decide(&at(now), command)
            .map_err(|refusal| Refusal::of_package(refusal, channel, offer))?;
        let received = received(&decision);
        let response = answer(decision.effects);
        if received.is_zero() {
            // The newest package again: the peer may have missed the answer, so it gets it once more.
            let reason = "replay: this package was taken before, it buys no light".into();
            return Ok(Served { response, reason: Some(reason), bought: None });
        }
        decision.events.iter().for_each(|event| channel.apply(event));
        Ok(Served { response, reason: None, bought: Some(received) })
    }

    /// The owner's word of what the ledger showed. What the channel would post is the owner's to post.
    fn believe(&mut self, now: Timestamp, letter: &Letter<'_>) -> Result<Served, Refusal> {
        let word = letter.word(&self.owner)?;
        if word.lamp != self.name {
            return Err(Refusal::AnotherLamp(word.lamp));
        }
        if word.number <= self.heard {
            return Err(Refusal::OldWord { said: word.number, heard: self.heard });
        }
        let mut channel = self.channel_of(&word)?;
        let sighting = Sighting::Response {
            trigger: word.trigger,
            from: word.from,
            bounced: None,
            payload: Some(word.response),
            at: now,
        };
        let decision = channel.decide(&at(now), Command::Saw(sighting))?;
        decision.events.iter().for_each(|event| channel.apply(event));
        let (period, deposit) = (channel.current_period(), channel.peer().deposited);
        let response =
            json!({ "channel": channel.agent(), "period": period, "deposit": deposit, "word": word.number });
        self.channel = Some(channel);
        self.heard = word.number;
        Ok(Served { response, reason: None, bought: None })
    }

    /// The channel a word is about: the present one, or a new one when that is settled.
    fn channel_of(&self, word: &Word) -> Result<Channel, Refusal> {
        let terms = word.terms(self.owner());
        match &self.channel {
            Some(channel) if *channel.terms() == terms => Ok(channel.clone()),
            Some(channel) if channel.phase() != Phase::Closed => Err(Refusal::Occupied(channel.agent())),
            Some(_) | None => {
                let limits = Limits { max_sessions: MOST_SESSIONS, ..Limits::default() };
                Channel::new(terms, Role::Seller, limits)
                    .map_err(|error| Refusal::NotARequest(alloc::format!("{error}")))
            }
        }
    }
}

/// The rules of a channel draw no chance when they are paid.
const fn at(now: Timestamp) -> Context {
    Context { now, random: [0; 32] }
}

fn received(decision: &Decision<Event, Effect>) -> Bytes {
    let package = decision.events.iter().find_map(|event| {
        if let Event::Received { package, .. } = event { Some(package.message.payment_amount) } else { None }
    });
    package.unwrap_or_default()
}

/// The body of the answer, without its frame.
fn answer(effects: Vec<Effect>) -> Value {
    let answer = effects.into_iter().find_map(|effect| {
        if let Effect::Answer { mut answer, .. } = effect {
            answer.get_mut("response").map(Value::take)
        } else {
            None
        }
    });
    answer.unwrap_or_default()
}

fn line_of(answer: &Answer<'_>) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}

#[cfg(test)]
mod tests;
