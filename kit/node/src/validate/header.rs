//! The network, the time, and what a unit points to.

use coinop_core::obyte::chash;
use serde_json::Value;

use super::posted::Posted;
use crate::{
    dag::rounded_seconds,
    js,
    verdict::{Check, Verdict, ensure},
};

const HASH_LENGTH: usize = 44;

/// Version, network, clock, parents' and last ball's shapes, authors' addresses.
pub(super) fn check(posted: &Posted<'_>) -> Check {
    ensure(js::nonempty_array(posted.get("authors")).is_some(), "missing or empty authors array")?;
    check_network(posted)?;
    check_time(posted)?;
    check_base(posted)?;
    let both = posted.get("witness_list_unit").is_some() && posted.get("witnesses").is_some();
    ensure(!both, "ambiguous witnesses")?;
    let is_address =
        |author: &Value| author.get("address").and_then(Value::as_str).is_some_and(chash::is_valid160);
    ensure(posted.items("authors").iter().all(is_address), "invalid author address")
}

fn check_network(posted: &Posted<'_>) -> Check {
    let params = posted.dag.params();
    let is_supported = params.supported_versions.iter().any(|version| version == posted.text("version"));
    ensure(is_supported, "wrong version")?;
    ensure(posted.get("alt").and_then(Value::as_str) == Some(params.alt.as_str()), "wrong alt")
}

fn check_time(posted: &Posted<'_>) -> Check {
    let timestamp = js::positive(posted.get("timestamp"));
    let missing = || Verdict::unit(format!("timestamp required in version {}", posted.text("version")));
    let timestamp = timestamp.ok_or_else(missing)?;
    if timestamp > rounded_seconds(posted.now) + posted.dag.params().max_seconds_ahead {
        return Err(Verdict::transient("timestamp is too far into the future"));
    }
    Ok(())
}

fn check_base(posted: &Posted<'_>) -> Check {
    let parents = js::nonempty_array(posted.get("parent_units"));
    let parents = parents.ok_or_else(|| Verdict::unit("missing or empty parent units array"))?;
    let is_hash = |value: Option<&Value>| js::text_of(value, HASH_LENGTH).is_some();
    ensure(parents.iter().all(|parent| is_hash(Some(parent))), "wrong length of parent unit")?;
    ensure(is_hash(posted.get("last_ball")), "wrong length of last ball")?;
    ensure(is_hash(posted.get("last_ball_unit")), "wrong length of last ball unit")
}
