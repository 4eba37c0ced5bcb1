//! What a hub answers to text frames that post units.

use coinop_core::{Timestamp, obyte::json};
use serde_json::{Value, json};

use crate::{
    dag::Dag,
    js,
    validate::{Valid, validate},
    verdict::Verdict,
};

/// A request to post a unit, as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What the answer has to carry.
    pub tag: Value,
    /// `{unit}`.
    pub joint: Value,
}

/// Why a frame is no request to post a unit. A hub does not answer it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The text is no JSON that may be hashed.
    #[error(transparent)]
    Json(#[from] json::JsonError),
    /// It is JSON, but not this request.
    #[error("not a request to post a unit")]
    NotThis,
}

impl Request {
    /// Reads `["request",{command:"post_joint",params,tag}]`.
    ///
    /// # Errors
    ///
    /// [`FrameError`] for any other text, unpaired surrogates included.
    pub fn read(frame: &str) -> Result<Self, FrameError> {
        let frame = json::parse(&with_infinities(frame))?;
        let body = js::array_of(Some(&frame), 2).filter(|pair| pair[0] == "request");
        let body = body.map(|pair| &pair[1]).filter(|body| body["command"] == "post_joint");
        let body = body.ok_or(FrameError::NotThis)?;
        Ok(Self { tag: body["tag"].clone(), joint: body["params"].clone() })
    }

    /// Validates what was posted.
    ///
    /// # Errors
    ///
    /// The hub's verdict.
    pub fn validate(&self, dag: &Dag, now: Timestamp) -> Result<Valid, Verdict> {
        validate(dag, now, &self.joint)
    }

    /// The frame that answers.
    pub fn answer(&self, verdict: Result<(), &Verdict>) -> String {
        json!(["response", {"tag": self.tag, "response": response(verdict)}]).to_string()
    }
}

/// The response to a posted unit: `"accepted"` or `{error}`.
pub fn response(verdict: Result<(), &Verdict>) -> Value {
    match verdict {
        Ok(()) => json!("accepted"),
        Err(verdict) => json!({ "error": verdict.text }),
    }
}

/// JavaScript reads a number beyond the largest double as infinity, and turns it down later, in the words
/// of a verdict. The same number is marked here instead of being refused by the parser.
fn with_infinities(frame: &str) -> String {
    let mut out = String::with_capacity(frame.len());
    let mut rest = frame;
    while let Some(start) = rest.find(|it: char| it == '"' || it == '-' || it.is_ascii_digit()) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = if rest.starts_with('"') { text_length(rest) } else { number_length(rest) };
        let token = &rest[..length];
        let is_infinite = !token.starts_with('"') && token.parse::<f64>().is_ok_and(f64::is_infinite);
        out.push_str(if is_infinite { "\"\\u0000Infinity\"" } else { token });
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The length of the quoted text at the start, its quotes included.
fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn number_length(text: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}
