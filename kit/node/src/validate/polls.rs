//! Polls and votes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{apps::fields, messages::Message, posted::hash};
use crate::{
    dag::Sequence,
    js,
    verdict::{Check, Verdict, ensure},
};

const HASH_LENGTH: usize = 44;
const MAX_CHOICES: usize = 128;
const MAX_CHOICE_LENGTH: usize = 64;

/// A question with its choices.
pub(super) fn check_poll(payload: &Value) -> Check {
    let fields = fields(payload, "poll payload must be a non empty object")?;
    ensure(!js::has_other_fields(fields, &["question", "choices"]), "unknown fields in poll")?;
    let question = fields.get("question").and_then(Value::as_str);
    let question = question.ok_or_else(|| Verdict::unit("no question in poll"))?;
    ensure(question == question.trim(), "question must be trimmed")?;
    let choices = js::nonempty_array(fields.get("choices"));
    let choices = choices.ok_or_else(|| Verdict::unit("no choices in poll"))?;
    ensure(choices.len() <= MAX_CHOICES, "too many choices in poll")?;
    let mut seen = BTreeSet::new();
    for choice in choices {
        let choice = choice.as_str().ok_or_else(|| Verdict::unit("all choices must be strings"))?;
        ensure(!choice.trim().is_empty(), "all choices must be longer than 0 chars")?;
        let is_short = js::utf16_length(choice) <= MAX_CHOICE_LENGTH;
        ensure(is_short, format!("all choices must be {MAX_CHOICE_LENGTH} chars or less"))?;
        ensure(seen.insert(choice), "all choices must be different")?;
    }
    Ok(())
}

/// A choice of a poll that is stable.
pub(super) fn check_vote(message: &Message<'_>, payload: &Value) -> Check {
    let fields = fields(payload, "payload must be a non empty object")?;
    let unit = js::text_of(fields.get("unit"), HASH_LENGTH);
    let unit = unit.ok_or_else(|| Verdict::unit("invalid unit in vote"))?;
    let choice = fields.get("choice").and_then(Value::as_str);
    let choice = choice.ok_or_else(|| Verdict::unit("choice must be string"))?;
    ensure(!js::has_other_fields(fields, &["unit", "choice"]), "unknown fields in vote")?;
    let poll = fields.get("unit").and_then(hash).and_then(|unit| message.dag().joint(&unit));
    let poll = poll.filter(|joint| offers(&joint.unit, choice));
    let poll = poll.ok_or_else(|| Verdict::unit(format!("invalid choice {choice} or poll {unit}")))?;
    ensure(message.base.covers(poll.properties.mci), "poll unit must be before last ball")?;
    ensure(poll.properties.sequence == Sequence::Good, "poll unit is not serial")
}

fn offers(unit: &Value, choice: &str) -> bool {
    let messages = unit.get("messages").and_then(Value::as_array).into_iter().flatten();
    let polls = messages.filter(|message| message.get("app").and_then(Value::as_str) == Some("poll"));
    let choices = polls.filter_map(|poll| poll.get("payload")?.get("choices")?.as_array());
    choices.flatten().any(|offered| offered.as_str() == Some(choice))
}
