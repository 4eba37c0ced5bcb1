//! What parties say to each other: requests and answers in the shape aa-channels-lib uses.

use coinop_core::{
    channel::SignedPackage,
    obyte::{address::Address, json},
    session::{Reading, Signed},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest tag taken from a peer, in characters: a hash as base64, or 60 hexadecimal digits.
const MAX_TAG: usize = 64;

/// A letter: a request, or the answer to one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Letter {
    /// Somebody wants something.
    Request {
        /// What.
        #[serde(flatten)]
        request: Request,
        /// Names the request; its answer carries it.
        tag: String,
    },
    /// It was done.
    Answer {
        /// What came of it.
        response: Value,
        /// The request's.
        tag: String,
    },
    /// It was not.
    Failure {
        /// Why.
        error: String,
        /// The request's.
        tag: String,
    },
}

/// What one party can ask of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", content = "params", rename_all = "snake_case")]
pub enum Request {
    /// To a market: keep this listing.
    Publish {
        /// The signed listing.
        package: Signed,
    },
    /// To a market: what is there of this kind?
    Find {
        /// The kind of service.
        kind: String,
    },
    /// To a seller: make me an offer.
    Quote {
        /// The thing that is to serve.
        thing: String,
        /// Who would pay.
        buyer: Address,
    },
    /// Something signed: an offer, an acceptance, a stop, a control, a receipt.
    Statement {
        /// The signed statement.
        package: Signed,
    },
    /// The seller's meter.
    Reading {
        /// What it shows.
        reading: Reading,
    },
    /// To a seller: let us have a channel.
    CreateChannel {
        /// Who asks.
        address: Address,
        /// How long a close may be answered, in seconds.
        timeout: u64,
        /// Always `base`.
        asset: String,
        /// The channel agent's version.
        version: String,
        /// Tells two channels of the same parties apart.
        salt: String,
    },
    /// A payment.
    Pay {
        /// The package that pays.
        signed_package: Box<SignedPackage>,
        /// What it is for.
        message: PayMessage,
    },
}

/// What goes along with a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayMessage {
    /// The session it pays for.
    pub session: String,
}

impl Letter {
    /// Reads a letter.
    ///
    /// # Errors
    ///
    /// What is wrong with one that makes no sense.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let letter = match plain_payment(text) {
            Some(payment) => payment,
            None => Self::read(text)?,
        };
        let (Self::Request { tag, .. } | Self::Answer { tag, .. } | Self::Failure { tag, .. }) = &letter;
        if tag.is_empty() || tag.len() > MAX_TAG {
            return Err(format!("a tag of {} characters, 1 to {MAX_TAG} are allowed", tag.len()));
        }
        Ok(letter)
    }

    fn read(text: &str) -> Result<Self, String> {
        let Value::Object(mut fields) = json::parse(text).map_err(|error| error.to_string())? else {
            return Err("it is no object".into());
        };
        let tag = take_text(&mut fields, "tag")?;
        if fields.contains_key("command") {
            let request = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
            return Ok(Self::Request { request, tag });
        }
        match fields.remove("response") {
            Some(response) => Ok(Self::Answer { response, tag }),
            None => Ok(Self::Failure { error: take_text(&mut fields, "error")?, tag }),
        }
    }
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("its {name} is no text")),
        None => Err(format!("it has no {name}")),
    }
}

/// Reads a plain payment, which is nearly every letter, straight from the text; nothing when it is
/// anything else, were it only written in another way.
fn plain_payment(text: &str) -> Option<Letter> {
    let Plain { command: Pay::Pay, params, tag } = serde_json::from_str(text).ok()?;
    let Params { signed_package, message } = params;
    let package = &signed_package.message;
    if package.channel_parameters.is_some() || !package.extra.is_empty() {
        return None;
    }
    Some(Letter::Request { request: Request::Pay { signed_package, message }, tag })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    command: Pay,
    params: Params,
    tag: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pay {
    Pay,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    signed_package: Box<SignedPackage>,
    message: PayMessage,
}

#[cfg(test)]
mod tests {
    use coinop_core::{
        Bytes,
        channel::{Package, SignedPackage},
        obyte::{Address, SecretKey},
    };

    use super::*;

    fn payment() -> Letter {
        let secret = SecretKey::from_bytes(&[3; 32]).unwrap();
        let package = Package::new(Address::of_key(&secret.public()), 1, Bytes::new(50), Bytes::new(150));
        let signed_package = Box::new(SignedPackage::sign(package, &secret).unwrap());
        let message = PayMessage { session: "a session".into() };
        Letter::Request { request: Request::Pay { signed_package, message }, tag: "tag".into() }
    }

    #[test]
    fn letters_read_back_from_their_text() {
        let letters = [
            payment(),
            Letter::Request { request: Request::Find { kind: "light".into() }, tag: "1".into() },
            Letter::Answer { response: serde_json::json!({ "total": 5 }), tag: "2".into() },
            Letter::Answer { response: Value::Null, tag: "3".into() },
            Letter::Failure { error: "no".into(), tag: "4".into() },
        ];
        for letter in letters {
            assert_eq!(Letter::parse(&serde_json::to_vec(&letter).unwrap()), Ok(letter));
        }
    }

    #[test]
    fn a_payment_is_the_same_whichever_way_it_is_read() {
        let payment = payment();
        let text = serde_json::to_string(&payment).unwrap();

        assert_eq!(plain_payment(&text), Some(payment.clone()));
        assert_eq!(Letter::read(&text), Ok(payment.clone()));
        for unusual in [
            text.replacen('{', r#"{"also":1,"#, 1),
            text.replacen('{', r#"{"tag":"another","#, 1),
            text.replacen(r#""period""#, r#""also":[1],"period""#, 1),
        ] {
            assert_eq!(plain_payment(&unusual), None, "{unusual}");
            assert!(Letter::parse(unusual.as_bytes()).is_ok(), "{unusual}");
        }
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        let refused = |text: &str| Letter::parse(text.as_bytes()).unwrap_err();

        assert_eq!(refused("[]"), "it is no object");
        assert_eq!(refused(r#"{"response":1}"#), "it has no tag");
        assert_eq!(refused(r#"{"error":1,"tag":"t"}"#), "its error is no text");
        assert_eq!(refused(r#"{"tag":"","response":1}"#), "a tag of 0 characters, 1 to 64 are allowed");
        assert!(refused(r#"{"command":"rob","params":{},"tag":"t"}"#).contains("unknown variant `rob`"));
    }
}
