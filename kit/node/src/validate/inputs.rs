//! The inputs of payments in bytes: transfers, then headers commissions, then witnessing.

use coinop_core::obyte::address::Address;
use serde_json::{Map, Value};

use super::{
    messages::{Message, Used, check_not_spent_below},
    payment::MAX_CAP,
    posted::Standing,
};
use crate::{
    dag::{Coin, Commission, Joint, Sequence, coin_id},
    js,
    verdict::{Check, Verdict, ensure},
};

/// How many inputs a payment may have.
pub(super) const MAX_INPUTS: usize = 128;
const HASH_LENGTH: usize = 44;

/// The kinds in the order they have to come in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Transfers,
    HeadersCommissions,
    Witnessings,
}

/// Every input; gives their sum.
pub(super) fn check(
    message: &Message<'_>,
    inputs: &[Value],
    used: &mut Used<'_>,
    standing: &mut Standing,
) -> Check<u64> {
    let mut stage = Stage::Transfers;
    let mut total = 0_u64;
    for (index, input) in inputs.iter().enumerate() {
        let fields = js::nonempty_object(Some(input));
        let fields = fields.ok_or_else(|| Verdict::unit("input must be a non-empty object"))?;
        let amount = match fields.get("type").map(Value::as_str) {
            None => {
                let in_order = stage == Stage::Transfers;
                ensure(in_order, "all transfers must come before hc and witnessings")?;
                check_transfer(message, input, fields, used, standing)?
            }
            Some(Some("issue")) => return Err(check_issue(message, fields, index)),
            Some(Some("headers_commission")) => {
                let in_order = stage <= Stage::HeadersCommissions;
                ensure(in_order, "all headers commissions must come before witnessings")?;
                stage = Stage::HeadersCommissions;
                check_commission(message, Commission::HeadersCommission, fields, used, standing)?
            }
            Some(Some("witnessing")) => {
                stage = Stage::Witnessings;
                check_commission(message, Commission::Witnessing, fields, used, standing)?
            }
            Some(_) => return Err(Verdict::unit("bad input type")),
        };
        total += amount;
    }
    Ok(total)
}

/// Bytes are issued by genesis alone, which is never posted.
fn check_issue(message: &Message<'_>, fields: &Map<String, Value>, index: usize) -> Verdict {
    let checks = || {
        ensure(index == 0, "issue must come first")?;
        let has_others = js::has_other_fields(fields, &["type", "address", "amount", "serial_number"]);
        ensure(!has_others, "unknown fields in issue input")?;
        let amount =
            js::positive(fields.get("amount")).ok_or_else(|| Verdict::unit("amount must be positive"))?;
        ensure(amount <= MAX_CAP, format!("issue amount too large: {}", js::display(fields.get("amount"))))?;
        let serial = js::positive(fields.get("serial_number"));
        let serial = serial.ok_or_else(|| Verdict::unit("serial_number must be positive"))?;
        ensure(serial == 1, "for capped asset serial_number must be 1")?;
        owner(message, fields, "issue", "issue input address").map(|_| ())
    };
    checks().err().unwrap_or_else(|| Verdict::unit("only genesis can issue base asset"))
}

fn check_transfer(
    message: &Message<'_>,
    input: &Value,
    fields: &Map<String, Value>,
    used: &mut Used<'_>,
    standing: &mut Standing,
) -> Check<u64> {
    let has_others = js::has_other_fields(fields, &["type", "unit", "message_index", "output_index"]);
    ensure(!has_others, "unknown fields in payment input")?;
    let unit = js::text_of(fields.get("unit"), HASH_LENGTH);
    let unit = unit.ok_or_else(|| Verdict::unit("wrong unit length in payment input"))?;
    let index = |field: &str| {
        let index = js::nonnegative(fields.get(field)).map(|_| js::display(fields.get(field)));
        index.ok_or_else(|| Verdict::unit(format!("no {field} in payment input")))
    };
    let key = format!("base-{unit}-{}-{}", index("message_index")?, index("output_index")?);
    let is_new = used.inputs.insert(key.clone());
    ensure(is_new, format!("input {key} already used"))?;
    let source = fields.get("unit").and_then(super::posted::hash).and_then(|unit| message.dag().joint(&unit));
    let source = source.ok_or_else(|| Verdict::unit(format!("input unit {unit} not found")))?;
    check_source(message, source)?;
    let coin = coin_id(input).and_then(|id| Some((id, message.dag().coin(&id)?)));
    let (id, coin) = coin.ok_or_else(|| Verdict::unit(format!("output being spent {unit} not found")))?;
    ensure(coin.asset.is_none(), "asset mismatch")?;
    inherit(standing, source.properties.sequence);
    check_owner(message, coin)?;
    if !message.base.covers(source.properties.mci) {
        let is_below = message.dag().is_included(&id.unit, &message.base.parents);
        ensure(is_below, format!("input {unit} is not in your genes"))?;
    }
    check_not_spent_below(message, "divisible input", message.dag().spenders(&id))?;
    Ok(coin.amount)
}

fn check_source(message: &Message<'_>, source: &Joint) -> Check {
    let is_lost = source.properties.sequence == Sequence::FinalBad;
    let is_settled = message.base.covers(source.properties.mci);
    ensure(!(is_settled && is_lost), format!("spending a stable final-bad output {}", source.facts.hash))
}

/// A unit that spends from a doubtful one is as doubtful.
fn inherit(standing: &mut Standing, of_source: Sequence) {
    if standing.value != Sequence::FinalBad && of_source != Sequence::Good {
        standing.value = of_source;
    }
}

fn check_owner(message: &Message<'_>, coin: &Coin) -> Check {
    ensure(message.authors().contains(&coin.address), "output owner is not among authors")
}

/// The author an input belongs to: named only when there are several.
fn owner(message: &Message<'_>, fields: &Map<String, Value>, kind: &str, words: &str) -> Check<Address> {
    let authors = message.authors();
    let named = fields.get("address");
    if let [author] = authors.as_slice() {
        ensure(named.is_none(), format!("when single-authored, must not put address in {kind} input"))?;
        return Ok(*author);
    }
    let name = named.and_then(Value::as_str);
    let name =
        name.ok_or_else(|| Verdict::unit(format!("when multi-authored, must put address in {kind} input")))?;
    let author = authors.iter().find(|author| author.as_str() == name);
    author.copied().ok_or_else(|| Verdict::unit(format!("{words} {name} is not an author")))
}

fn check_commission(
    message: &Message<'_>,
    kind: Commission,
    fields: &Map<String, Value>,
    used: &mut Used<'_>,
    standing: &Standing,
) -> Check<u64> {
    let word = kind.word();
    let known = ["type", "from_main_chain_index", "to_main_chain_index", "address"];
    ensure(!js::has_other_fields(fields, &known), "unknown fields in witnessing input")?;
    let (from, to) = range(message, fields)?;
    let address = owner(message, fields, word, &format!("{word} input address"))?;
    let key = format!("{word}-{address}");
    let is_new = used.inputs.insert(key.clone());
    ensure(is_new, format!("input {key} already used"))?;
    let collected = message.dag().collected(kind, &address).iter().filter(|range| {
        let joint = message.dag().joint(&range.unit);
        let is_alive = joint.is_some_and(|it| it.properties.sequence != Sequence::FinalBad);
        is_alive && !standing.competitors.contains(&range.unit)
    });
    let next = collected.map(|range| range.to + 1).max().unwrap_or_default();
    ensure(from >= next, format!("{word} ranges must not overlap"))?;
    let margin = match kind {
        Commission::HeadersCommission => 1,
        Commission::Witnessing => 1 + message.dag().params().paid_witnessing_span,
    };
    let is_settled = message.base.mci.checked_sub(margin).is_some_and(|last| to <= last);
    ensure(is_settled, format!("{word} to_main_chain_index is too large"))?;
    let earned = message.dag().commissions(kind, &address);
    let sum: u64 =
        earned.into_iter().flat_map(|it| it.range(from..=to)).map(|(_, amount)| amount.get()).sum();
    ensure(sum > 0, format!("zero {word} commission"))?;
    Ok(sum)
}

fn range(message: &Message<'_>, fields: &Map<String, Value>) -> Check<(u64, u64)> {
    let end = |field: &str| {
        let index = js::nonnegative(fields.get(field));
        index.ok_or_else(|| Verdict::unit(format!("{field} must be nonnegative int")))
    };
    let (from, to) = (end("from_main_chain_index")?, end("to_main_chain_index")?);
    ensure(from <= to, "from_main_chain_index > input.to_main_chain_index")?;
    ensure(to <= message.base.mci, "to_main_chain_index > last_ball_mci")?;
    Ok((from, to))
}
