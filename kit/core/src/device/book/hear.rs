use alloc::{string::ToString as _, vec::Vec};

use super::{Book, Effect, Event, Over, Refusal, state::Standing};
use crate::{
    Decision, Timestamp,
    device::{Letter, Subject},
    machine::Settled,
    obyte::Hash,
};

impl Book {
    /// Judges a letter. Whether it is from who it says it is was checked when it was opened.
    pub(super) fn hear(&self, now: Timestamp, letter: Letter) -> Result<Settled<Self>, Refusal> {
        let address = letter.address();
        let peer = self.find(&address);
        if peer.is_some_and(|peer| peer.seen.contains(&letter.hash)) {
            // It came before: the hub did not hear that it may be deleted.
            return Ok(Decision::effect(Effect::Delete { hash: letter.hash }));
        }
        if letter.subject == Subject::Pairing {
            return self.pairing(now, &letter);
        }
        if peer.is_none() {
            return Err(Refusal::Stranger(address));
        }
        match &letter.subject {
            Subject::RemovedPairedDevice => {
                return Ok(Decision::event(Event::Removed { address, by_peer: true })
                    .then(Effect::Delete { hash: letter.hash }));
            }
            Subject::Text => {
                let words = letter.body.as_str().filter(|words| !words.is_empty());
                sense(
                    &letter,
                    "a text of 1 to 16384 bytes",
                    words.is_some_and(|w| w.len() <= Self::MAX_TEXT),
                )?;
            }
            Subject::Object => sense(&letter, "an object", letter.body.is_object())?,
            Subject::Pairing | Subject::Other(_) => {
                return Err(Refusal::NotSpoken(letter.subject.to_string()));
            }
        }
        self.check_waiting()?;
        let hash = letter.hash;
        Ok(Decision::event(Event::Heard { letter: letter.clone() })
            .then(Effect::Deliver(letter))
            .then(Effect::Delete { hash }))
    }

    pub(super) fn done(&self, hash: Hash) -> Settled<Self> {
        if self.waits(hash) { Decision::event(Event::Done { hash }) } else { Decision::nothing() }
    }

    pub(super) fn wake_up(&self, now: Timestamp) -> Settled<Self> {
        let code = self.code.filter(|code| code.until <= now).map(|_| Event::Over { why: Over::Expired });
        let silent = self.correspondents().filter(|(_, peer)| match peer.standing {
            Standing::Asked { until, .. } => until <= now,
            Standing::Paired { .. } => false,
        });
        let gave_up = silent.map(|(address, _)| Event::GaveUp { address: *address });
        Decision { events: code.into_iter().chain(gave_up).collect(), effects: Vec::new() }
    }
}

fn sense(letter: &Letter, wanted: &'static str, is_good: bool) -> Result<(), Refusal> {
    if is_good { Ok(()) } else { Err(Refusal::Malformed { subject: letter.subject.to_string(), wanted }) }
}
