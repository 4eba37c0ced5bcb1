use alloc::{
    borrow::Cow,
    string::{String, ToString},
};

use coinop_core::{
    channel::{MAX_SALT, SessionId, SignedPackage, Terms},
    obyte::{Address, Hash, PublicKey, signed::SignedMessage},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::Refusal;

/// The longest tag that is repeated to a peer, in bytes.
const LONGEST_TAG: usize = 64;
/// How many objects and lists a line may hold: a package with everything needs eleven. Each one takes
/// hundreds of bytes of memory, and nested ones take the stack.
const MOST_BRACKETS: usize = 12;
/// How many commas: a package with everything needs seventeen.
const MOST_COMMAS: usize = 40;

/// A request from the wire, its parameters not yet read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Letter<'line> {
    #[serde(borrow)]
    pub(crate) command: Cow<'line, str>,
    #[serde(borrow)]
    params: &'line RawValue,
    #[serde(borrow)]
    pub(crate) tag: Cow<'line, str>,
}

/// What a `pay` request carries.
#[derive(Debug, Deserialize)]
struct Pay<'line> {
    #[serde(borrow)]
    signed_package: &'line RawValue,
    message: Option<About>,
}

/// What a payment is for.
#[derive(Debug, Deserialize)]
struct About {
    session: Option<SessionId>,
}

/// What a `ledger` request carries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ledger {
    package: SignedMessage,
}

/// The owner's word about what the ledger showed: a lamp has no network of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    /// Whom it is said to.
    pub(crate) lamp: String,
    /// Rises with each word, so that none counts twice.
    pub(crate) number: u64,
    /// Whose channel it is about, with the owner as its seller.
    pub(crate) buyer: Address,
    timeout: u64,
    salt: String,
    /// The unit that the agent answered.
    pub(crate) trigger: Hash,
    /// Its author.
    pub(crate) from: Address,
    /// The agent's answer, as it stands on the ledger.
    pub(crate) response: Value,
}

impl<'line> Letter<'line> {
    /// Reads a line.
    pub(crate) fn parse(line: &'line [u8]) -> Result<Self, Refusal> {
        let Parts { brackets, commas } = Parts::of(line);
        if brackets > MOST_BRACKETS || commas > MOST_COMMAS {
            return Err(Refusal::TooManyParts);
        }
        let letter: Self = serde_json::from_slice(line).map_err(|error| misread(&error))?;
        if letter.tag.len() > LONGEST_TAG {
            return Err(Refusal::NotARequest("its tag is too long".to_string()));
        }
        Ok(letter)
    }

    /// The package of a payment, and the session it is for.
    pub(crate) fn payment(&self) -> Result<(SignedPackage, Option<SessionId>), Refusal> {
        let pay: Pay<'_> = self.read()?;
        let text = pay.signed_package.get();
        let package = match serde_json::from_str(text) {
            Ok(package) => package,
            // Slower, but it says what is wrong in the reference's words.
            Err(_shape) => {
                let value: Value = serde_json::from_str(text).map_err(|error| misread(&error))?;
                SignedPackage::read(&value)?
            }
        };
        Ok((package, pay.message.and_then(|about| about.session)))
    }

    /// What the owner says of the ledger.
    pub(crate) fn word(&self, owner: &PublicKey) -> Result<Word, Refusal> {
        let Ledger { package } = self.read()?;
        if !package.is_by(owner) {
            return Err(Refusal::NotByTheOwner(Address::of_key(owner)));
        }
        let word = Word::deserialize(&package.signed_message).map_err(|error| misread(&error))?;
        if word.salt.chars().count() > MAX_SALT {
            return Err(Refusal::NotARequest("its salt is too long".to_string()));
        }
        Ok(word)
    }

    fn read<T: Deserialize<'line>>(&self) -> Result<T, Refusal> {
        serde_json::from_str(self.params.get()).map_err(|error| misread(&error))
    }
}

impl Word {
    /// The terms of the channel between the buyer and the owner.
    pub(crate) fn terms(&self, owner: Address) -> Terms {
        Terms {
            address_a: owner,
            address_b: self.buyer,
            timeout_seconds: self.timeout,
            salt: self.salt.clone(),
        }
    }
}

/// What goes back: `response` or `error`, as the peer expects it, and the reason for people.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<&'a str>,
}

fn misread(error: &serde_json::Error) -> Refusal {
    Refusal::NotARequest(error.to_string())
}

/// What a line is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    brackets: usize,
    commas: usize,
}

impl Parts {
    /// Counted before anything is read; those in texts are none.
    fn of(line: &[u8]) -> Self {
        let (mut parts, mut in_text, mut escaped) = (Self::default(), false, false);
        for byte in line {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'[' | b'{' if !in_text => parts.brackets += 1,
                b',' if !in_text => parts.commas += 1,
                _ => {}
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_commas_in_texts_are_no_parts() {
        let parts = Parts::of(br#"{"a":[[1],[2,3]],"b":"[[\"[[{{,,","c":{}}"#);

        assert_eq!(parts, Parts { brackets: 5, commas: 4 });
    }

    #[test]
    fn a_line_that_would_eat_the_memory_is_refused_before_it_is_read() {
        for line in ["[".repeat(crate::LONGEST), r#"{"":0},"#.repeat(140), "0,".repeat(500)] {
            assert_eq!(Letter::parse(line.as_bytes()).unwrap_err(), Refusal::TooManyParts);
        }
    }
}
