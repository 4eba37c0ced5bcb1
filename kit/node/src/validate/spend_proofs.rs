//! Proofs that stand for inputs which are not shown.

use coinop_core::obyte::address::Address;
use serde_json::Value;

use super::{
    messages::{Message, Used, check_not_spent_below},
    posted::Standing,
};
use crate::{
    dag::Joint,
    js,
    verdict::{Check, Verdict, ensure},
};

const HASH_LENGTH: usize = 44;
const MAX_SPEND_PROOFS: usize = 128;

/// A proof, and who spends.
pub(super) struct Proof<'a> {
    proof: &'a str,
    address: Address,
}

/// The shape of the proofs; each may be used once.
pub(super) fn check<'a>(message: &Message<'a>, used: &mut Used<'a>) -> Check<Vec<Proof<'a>>> {
    let Some(proofs) = message.fields.get("spend_proofs") else { return Ok(Vec::new()) };
    ensure(message.app == "payment", "spend proofs in non-payment message")?;
    ensure(message.location() == "none", "spend proofs in message with payload")?;
    let proofs = js::nonempty_array(Some(proofs)).filter(|proofs| proofs.len() <= MAX_SPEND_PROOFS);
    let wanted =
        || Verdict::unit(format!("spend_proofs must be non-empty array max {MAX_SPEND_PROOFS} elements"));
    let authors = message.authors();
    proofs.ok_or_else(wanted)?.iter().map(|proof| check_proof(proof, &authors, used)).collect()
}

/// A proof may not have been used below.
pub(super) fn check_unspent(message: &Message<'_>, proofs: &[Proof<'_>], _standing: &mut Standing) -> Check {
    for Proof { proof, address } in proofs {
        let uses = |joint: &&Joint| {
            let messages = joint.unit.get("messages").and_then(Value::as_array).into_iter().flatten();
            let used = messages.filter_map(|message| message.get("spend_proofs")?.as_array()).flatten();
            used.into_iter().any(|it| it.get("spend_proof").and_then(Value::as_str) == Some(proof))
        };
        let spenders = message.dag().units_of(address).filter(uses);
        check_not_spent_below(message, "spend proof", spenders)?;
    }
    Ok(())
}

fn check_proof<'a>(proof: &'a Value, authors: &[Address], used: &mut Used<'a>) -> Check<Proof<'a>> {
    let fields = proof.as_object().ok_or_else(|| Verdict::unit("spend_proof must be object"))?;
    ensure(!js::has_other_fields(fields, &["spend_proof", "address"]), "unknown fields in spend_proof")?;
    let text = fields.get("spend_proof");
    let proof = js::base64_of(text, HASH_LENGTH).ok_or_else(|| {
        Verdict::unit(format!("spend proof {} is not a valid base64", js::stringify_optional(text)))
    })?;
    let address = spender(fields.get("address"), authors)?;
    let is_new = used.inputs.insert(proof.to_owned());
    ensure(is_new, format!("spend proof {proof} already used"))?;
    Ok(Proof { proof, address })
}

fn spender(named: Option<&Value>, authors: &[Address]) -> Check<Address> {
    if let [author] = authors {
        ensure(named.is_none(), "when single-authored, must not put address in spend proof")?;
        return Ok(*author);
    }
    let name = named.and_then(Value::as_str);
    let name = name.ok_or_else(|| Verdict::unit("when multi-authored, must put address in spend_proofs"))?;
    let author = authors.iter().find(|author| author.as_str() == name);
    author.copied().ok_or_else(|| Verdict::unit(format!("spend proof address {name} is not an author")))
}
