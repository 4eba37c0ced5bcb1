use alloc::{
    borrow::ToOwned as _,
    string::{String, ToString as _},
};

use super::{Book, Effect, Event, Over, Refusal, state::Standing, text};
use crate::{
    Decision, Timestamp,
    device::{Letter, Secret, pairing_code::is_hub},
    machine::Settled,
    obyte::DeviceAddress,
    session::Name,
};

/// The longest name that another device may give itself, in characters.
const MAX_NAME: usize = 32;

/// What a pairing letter says.
struct Request {
    secret: Secret,
    name: Name,
    reverse: Option<Secret>,
}

impl Book {
    /// Somebody wants to be known, or answers.
    pub(super) fn pairing(&self, now: Timestamp, letter: &Letter) -> Result<Settled<Self>, Refusal> {
        let request = Request::read(letter)?;
        let secret = request.secret.hash();
        let known = self.find(&letter.address()).map(|peer| peer.standing);
        match known {
            Some(Standing::Asked { reverse, until, .. }) if reverse == secret && now < until => {
                Ok(Self::paired(letter, Request { reverse: None, ..request }))
            }
            // It has not got the answer, or reads the same code in again.
            Some(Standing::Paired { secret: before }) if before == secret => {
                self.check_waiting()?;
                Ok(Self::paired(letter, request))
            }
            Some(Standing::Asked { .. } | Standing::Paired { .. }) | None => {
                self.by_code(now, letter, request)
            }
        }
    }

    fn by_code(&self, now: Timestamp, letter: &Letter, request: Request) -> Result<Settled<Self>, Refusal> {
        let code = self.code.ok_or(Refusal::NoCode)?;
        if code.until <= now {
            return Err(Refusal::Expired(code.until));
        }
        let address = letter.address();
        if code.secret != request.secret.hash() {
            return Ok(Self::guessed(letter, address, code.left.saturating_sub(1)));
        }
        self.check_waiting()?;
        if self.find(&address).is_none() {
            self.check_room()?;
        }
        Ok(Self::paired(letter, request))
    }

    fn paired(letter: &Letter, request: Request) -> Settled<Self> {
        let Request { secret, name, reverse } = request;
        let (pubkey, hub, hash) = (letter.from, letter.hub.clone(), letter.hash);
        let answer = reverse.as_ref().map(|reverse| reverse.as_str().to_owned());
        let event = Event::Paired { pubkey, hub: hub.clone(), name, secret: secret.hash(), hash, answer };
        let mut decision = Decision::event(event);
        if let Some(secret) = reverse {
            decision = decision.then(Effect::Answer { to: pubkey, hub, secret, hash });
        }
        decision.then(Effect::Delete { hash })
    }

    fn guessed(letter: &Letter, address: DeviceAddress, left: u32) -> Settled<Self> {
        let hash = letter.hash;
        let decision = Decision::event(Event::Guessed { address, hash, left }).then(Effect::Delete { hash });
        if left == 0 { decision.and(Event::Over { why: Over::Guessed }) } else { decision }
    }
}

impl Request {
    fn read(letter: &Letter) -> Result<Self, Refusal> {
        let wanted = |wanted| Refusal::Malformed { subject: letter.subject.to_string(), wanted };
        if !is_hub(&letter.hub) {
            return Err(wanted("a hub where answers arrive"));
        }
        let body = &letter.body;
        let secret = text(body, "pairing_secret").and_then(|secret| secret.parse().ok());
        let secret = secret.ok_or_else(|| wanted("pairing_secret"))?;
        let reverse = match body.get("reverse_pairing_secret").filter(|reverse| !reverse.is_null()) {
            None => None,
            Some(reverse) => {
                let reverse = reverse.as_str().and_then(|reverse| reverse.parse().ok());
                Some(reverse.ok_or_else(|| wanted("reverse_pairing_secret"))?)
            }
        };
        Ok(Self { secret, name: tidy(text(body, "device_name").unwrap_or_default()), reverse })
    }
}

/// What another device calls itself, fit to be shown: short, on one line, without what turns a line around
/// or makes a link in a chat.
fn tidy(name: &str) -> Name {
    let is_fit = |letter: &char| {
        !letter.is_control()
            && !matches!(*letter, '[' | ']' | '(' | ')')
            && !matches!(*letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let short: String = name.chars().filter(is_fit).take(MAX_NAME).collect();
    let unnamed = || Name::try_from("unnamed".to_owned()).expect("a word is a name");
    Name::try_from(short.trim().to_owned()).unwrap_or_else(|_empty| unnamed())
}
