//! Text frames: JSON arrays of a kind and a body.

use coinop_core::obyte::json;
use serde_json::{Value, json};

/// The longest frame that is read, in bytes.
pub const MAX_FRAME: usize = 6_000_000;
/// The longest tag.
const MAX_TAG: usize = 44;
/// The most values in a frame.
const MAX_VALUES: usize = 200_000;

/// What one end says to the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// It wants an answer with the same tag.
    Request {
        /// What it wants.
        command: String,
        /// With what.
        params: Option<Value>,
        /// Names the request.
        tag: String,
    },
    /// The answer to a request.
    Response {
        /// The request's.
        tag: String,
        /// What came of it; nothing for a heartbeat.
        response: Option<Value>,
    },
    /// It wants no answer.
    Justsaying {
        /// What about.
        subject: String,
        /// What.
        body: Option<Value>,
    },
}

/// A frame that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MAX_FRAME`].
    #[error("a frame of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
    /// More than so many values.
    #[error("a frame of more than {MAX_VALUES} values")]
    TooMany,
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] json::JsonError),
    /// JSON, but no frame.
    #[error("not a frame: {0}")]
    Shape(&'static str),
}

impl Frame {
    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// [`FrameError`] for whatever makes no sense.
    pub fn read(text: &str) -> Result<Self, FrameError> {
        if text.len() > MAX_FRAME {
            return Err(FrameError::TooLong(text.len()));
        }
        let value = json::parse(text)?;
        if values(&value) > MAX_VALUES {
            return Err(FrameError::TooMany);
        }
        let Value::Array(pair) = value else { return Err(FrameError::Shape("no array")) };
        let Ok([Value::String(kind), Value::Object(mut body)]) = <[Value; 2]>::try_from(pair) else {
            return Err(FrameError::Shape("no pair of a kind and an object"));
        };
        let mut text = |name: &str| match body.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(_) | None => None,
        };
        let tag = |tag: Option<String>| {
            let tag = tag.ok_or(FrameError::Shape("no tag"))?;
            if tag.len() > MAX_TAG { Err(FrameError::Shape("the tag is too long")) } else { Ok(tag) }
        };
        match kind.as_str() {
            "request" => {
                let command = text("command").ok_or(FrameError::Shape("no command"))?;
                Ok(Self::Request { command, tag: tag(text("tag"))?, params: body.remove("params") })
            }
            "response" => Ok(Self::Response { tag: tag(text("tag"))?, response: body.remove("response") }),
            "justsaying" => {
                let subject = text("subject").ok_or(FrameError::Shape("no subject"))?;
                Ok(Self::Justsaying { subject, body: body.remove("body") })
            }
            _ => Err(FrameError::Shape("an unknown kind")),
        }
    }

    /// The frame as text.
    pub fn text(&self) -> String {
        let with = |mut object: Value, name: &str, value: Option<&Value>| {
            if let Some(value) = value {
                object[name] = value.clone();
            }
            object
        };
        let frame = match self {
            Self::Request { command, params, tag } => {
                json!(["request", with(json!({ "command": command, "tag": tag }), "params", params.as_ref())])
            }
            Self::Response { tag, response } => {
                json!(["response", with(json!({ "tag": tag }), "response", response.as_ref())])
            }
            Self::Justsaying { subject, body } => {
                json!(["justsaying", with(json!({ "subject": subject }), "body", body.as_ref())])
            }
        };
        frame.to_string()
    }
}

/// How many values there are; the reader bounds how deep they nest.
fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(values).sum(),
        Value::Object(map) => map.values().map(values).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_read_back_from_their_text() {
        for frame in [
            Frame::Request { command: "get_witnesses".into(), params: None, tag: "t".into() },
            Frame::Request { command: "get_joint".into(), params: Some(json!("u")), tag: "t".into() },
            Frame::Response { tag: "t".into(), response: None },
            Frame::Response { tag: "t".into(), response: Some(json!({"error": "no"})) },
            Frame::Justsaying { subject: "light/have_updates".into(), body: None },
            Frame::Justsaying { subject: "info".into(), body: Some(json!("0 messages sent")) },
        ] {
            assert_eq!(Frame::read(&frame.text()), Ok(frame));
        }
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        let refused = |text: &str| Frame::read(text).unwrap_err().to_string();

        assert_eq!(refused("{}"), "not a frame: no array");
        assert_eq!(refused("[1,2]"), "not a frame: no pair of a kind and an object");
        assert_eq!(refused(r#"["request",{"tag":"t"}]"#), "not a frame: no command");
        assert_eq!(refused(r#"["response",{"tag":""}]"#), "not a frame: no tag");
        assert_eq!(
            refused(&format!(r#"["response",{{"tag":"{}"}}]"#, "x".repeat(45))),
            "not a frame: the tag is too long"
        );
        assert_eq!(refused(r#"["shout",{}]"#), "not a frame: an unknown kind");
        assert!(
            refused(&format!(
                r#"["justsaying",{{"subject":"s","body":{}{}}}]"#,
                "[".repeat(110),
                "]".repeat(110)
            ))
            .contains("nested")
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_answered(text in r#"\[?"?(request|response|justsaying)?"?,?\{?("tag":"?[a-z]{0,50}"?)?,?.{0,40}"#) {
            let _ = Frame::read(&text);
        }
    }
}
