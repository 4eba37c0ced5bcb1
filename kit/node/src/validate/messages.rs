//! The messages, payments first.

use std::collections::BTreeSet;

use coinop_core::obyte::{
    address::Address,
    hash::{Hash, sha256_base64},
    source::source_string,
};
use serde_json::{Map, Value};

use super::{
    apps,
    parents::Base,
    posted::{Posted, Standing},
    spend_proofs,
};
use crate::{
    dag::{Dag, Joint, Sequence},
    js,
    verdict::{Check, Verdict, ensure, ensure_joint},
};

const HASH_LENGTH: usize = 44;
const MAX_URI_LENGTH: usize = 500;

const FIELDS: [&str; 7] =
    ["app", "payload_hash", "payload_location", "payload", "payload_uri", "payload_uri_hash", "spend_proofs"];

const INLINE_ONLY: [&str; 12] = [
    "address_definition_change",
    "data_feed",
    "definition_template",
    "asset",
    "asset_attestors",
    "attestation",
    "poll",
    "vote",
    "definition",
    "system_vote",
    "system_vote_count",
    "temp_data",
];

/// One message among the others of its unit.
pub(super) struct Message<'a> {
    pub(super) posted: &'a Posted<'a>,
    pub(super) base: &'a Base<'a>,
    pub(super) fields: &'a Map<String, Value>,
    pub(super) app: &'a str,
}

/// What the messages so far have used up.
#[derive(Default)]
pub(super) struct Used<'a> {
    /// The apps that may come once only.
    pub(super) apps: BTreeSet<&'a str>,
    /// Inputs and spend proofs.
    pub(super) inputs: BTreeSet<String>,
    /// Addresses whose definition changes.
    pub(super) changed: BTreeSet<Address>,
    /// Assets whose attestors change.
    pub(super) attested: BTreeSet<&'a str>,
}

/// Every message; there has to be a payment in bytes.
pub(super) fn check(posted: &Posted<'_>, base: &Base<'_>, standing: &mut Standing) -> Check {
    let mut messages: Vec<&Value> = posted.items("messages").iter().collect();
    messages.sort_by_key(|message| rank(message));
    let mut used = Used::default();
    for message in messages {
        let fields = message.as_object().ok_or_else(|| Verdict::unit("no app"))?;
        let app = fields.get("app").and_then(Value::as_str).ok_or_else(|| Verdict::unit("no app"))?;
        check_message(&Message { posted, base, fields, app }, &mut used, standing)?;
    }
    ensure(used.apps.contains("payment"), "no base payment message")
}

/// Payments in bytes, payments in assets, payments that are not shown, then everything else.
fn rank(message: &Value) -> u8 {
    if message.get("app").and_then(Value::as_str) != Some("payment") {
        return 3;
    }
    match message.get("payload") {
        None => 2,
        Some(payload) => u8::from(js::truthy(payload.get("asset"))),
    }
}

fn check_message<'a>(message: &Message<'a>, used: &mut Used<'a>, standing: &mut Standing) -> Check {
    ensure(!js::has_other_fields(message.fields, &FIELDS), "unknown fields in message")?;
    let proofs = spend_proofs::check(message, used)?;
    check_location(message)?;
    spend_proofs::check_unspent(message, &proofs, standing)?;
    match message.fields.get("payload") {
        Some(payload) if message.location() == "inline" => apps::check(message, payload, used, standing),
        Some(_) | None => {
            let hash = js::base64_of(message.fields.get("payload_hash"), HASH_LENGTH);
            ensure(hash.is_some(), "wrong payload hash")
        }
    }
}

impl<'a> Message<'a> {
    pub(super) fn location(&self) -> &'a str {
        self.fields.get("payload_location").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn authors(&self) -> Vec<Address> {
        self.posted.authors()
    }

    pub(super) fn dag(&self) -> &'a Dag {
        self.posted.dag
    }
}

fn check_location(message: &Message<'_>) -> Check {
    let Message { fields, app, .. } = message;
    let has = |field: &str| fields.contains_key(field);
    let is_hidden = message.location() == "none";
    let says_more = has("payload") || has("payload_uri") || has("payload_uri_hash");
    ensure_joint(!(is_hidden && says_more), "must be no payload")?;
    if message.location() == "uri" {
        check_uri(fields)?;
    } else {
        ensure(!has("payload_uri_hash"), "must not contain payload_uri_hash")?;
        ensure_joint(!has("payload_uri"), "must not contain payload_uri")?;
    }
    if *app == "payment" {
        ensure(message.location() != "uri", "payment location must be inline or none")?;
        ensure(!is_hidden || has("spend_proofs"), "private payment must come with spend proof(s)")?;
    }
    let must_show = INLINE_ONLY.contains(app);
    ensure(!must_show || message.location() == "inline", format!("{app} must be inline"))
}

fn check_uri(fields: &Map<String, Value>) -> Check {
    let uri = fields.get("payload_uri").and_then(Value::as_str);
    let uri = uri.ok_or_else(|| Verdict::joint("no payload uri"))?;
    ensure_joint(uri == uri.trim(), "payload uri must be trimmed")?;
    let hash = js::text_of(fields.get("payload_uri_hash"), HASH_LENGTH);
    let hash = hash.ok_or_else(|| Verdict::unit("wrong length of payload uri hash"))?;
    ensure_joint(js::utf16_length(uri) <= MAX_URI_LENGTH, "payload_uri too long")?;
    let source = source_string(&Value::from(uri));
    let own = source.map(|source| sha256_base64(source.as_bytes()));
    ensure_joint(own.is_ok_and(|own| own == hash), "wrong payload_uri hash")
}

/// What is spent may not be spent below. (Aside it may be; the authors' standing tells.)
pub(super) fn check_not_spent_below<'a>(
    message: &Message<'_>,
    what: &str,
    spenders: impl Iterator<Item = &'a Joint>,
) -> Check {
    let alive = spenders.filter(|joint| joint.properties.sequence != Sequence::FinalBad);
    for joint in alive {
        let unit: &Hash = &joint.facts.hash;
        let is_below = message.dag().is_included(unit, &message.base.parents);
        let own = message.posted.name;
        ensure(!is_below, format!("{own}: conflicting {what} in inner unit {unit}"))?;
    }
    Ok(())
}
