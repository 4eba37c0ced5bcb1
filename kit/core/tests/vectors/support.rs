//! What several files need.

use std::fmt::Display;

use coinop_core::obyte::{
    SecretKey,
    json::{self, JsonError},
};
use coinop_tests::Case;
use serde_json::Value;

/// The answers of the npm library, which are its own affair.
pub(crate) const NPM_ANSWER: (&str, &str) = ("obyte_js", "what the npm library makes of it, right or wrong");

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    let digit = |four_bits: u8| char::from_digit(four_bits.into(), 16).unwrap();
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

pub(crate) fn secret(case: &Case<'_>) -> SecretKey {
    let bytes: [u8; 32] = unhex(case.text("private_key_hex")).try_into().unwrap();
    SecretKey::from_bytes(&bytes).unwrap()
}

/// The case's JSON, read by our parser; `None` when it must not and does not read it.
pub(crate) fn parsed(case: &Case<'_>) -> Option<Value> {
    if let Some(hex) = case.optional("lone_surrogate_json_hex") {
        case.optional("name");
        whole_case_is_refused(case, &String::from_utf8(unhex(hex.as_str().unwrap())).unwrap());
        return None;
    }
    let text = case.text("json");
    match json::parse(text) {
        Ok(value) => {
            assert!(!has_unpaired_surrogate(text), "{}: an unpaired surrogate was read", case.label());
            Some(value)
        }
        Err(_) if case.has("error") => {
            case.waive("what has no text is refused as early as it is read: a number beyond the doubles");
            None
        }
        Err(error) => {
            assert!(has_unpaired_surrogate(text), "{}: {error}", case.label());
            case.waive("text with an unpaired surrogate is refused");
            None
        }
    }
}

/// The case itself is recorded as text, since it holds half a character; so does the JSON inside it.
fn whole_case_is_refused(case: &Case<'_>, text: &str) {
    let (_, rest) = text.split_once("\"json\":").unwrap();
    let inner: String = serde_json::Deserializer::from_str(rest).into_iter().next().unwrap().unwrap();

    for text in [text, &inner] {
        assert!(has_unpaired_surrogate(text), "{}", case.label());
        assert!(matches!(json::parse(text), Err(JsonError::Syntax(_))), "{}", case.label());
    }
}

/// Whether a JSON text escapes half a character.
fn has_unpaired_surrogate(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at..];
        match unit(escape) {
            Some(0xD800..=0xDBFF) if matches!(unit(&escape[6..]), Some(0xDC00..=0xDFFF)) => {
                rest = &escape[12..];
            }
            Some(0xD800..=0xDFFF) => return true,
            Some(_) => rest = &escape[6..],
            None => rest = &escape[2..],
        }
    }
    false
}

/// The code unit of an escape, if that is what the text begins with.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Compares an error: the reason by the letter, and the value it quotes as a value, since the order of
/// keys in the quote is the order in which they came.
pub(crate) fn compare_error(case: &Case<'_>, recorded: &Value, computed: &impl Display) {
    let (recorded, computed) = (recorded.as_str().unwrap(), computed.to_string());
    if recorded == computed {
        return;
    }
    let split =
        |text: &str| text.split_once(" in ").map(|(reason, quote)| (reason.to_owned(), quote.to_owned()));
    let (Some((reason, quote)), Some((our_reason, our_quote))) = (split(recorded), split(&computed)) else {
        panic!("{}: recorded {recorded:?}, computed {computed:?}", case.label());
    };
    assert_eq!(our_reason, reason, "{}", case.label());
    match serde_json::from_str::<Value>(&quote) {
        Ok(quoted) => {
            assert_eq!(serde_json::from_str::<Value>(&our_quote).unwrap(), quoted, "{}", case.label());
        }
        // The recorder cut long texts short.
        Err(_) => assert!(quote.len() < our_quote.len(), "{}: {quote}", case.label()),
    }
}

/// The text of `{"error": …}`.
pub(crate) fn error_of(recorded: &Value) -> Option<&Value> {
    recorded.get("error")
}
