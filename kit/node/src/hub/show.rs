//! Joints as a hub shows them.

use serde_json::{Value, json};

use crate::dag::{Joint, Sequence};

/// A unit with what the node knows of its place.
pub(super) fn unit(joint: &Joint) -> Value {
    let mut unit = joint.unit.clone();
    if let Some(mci) = joint.properties.mci {
        unit["main_chain_index"] = json!(mci);
        unit["actual_tps_fee"] = json!(joint.properties.actual_tps_fee);
    }
    if joint.properties.sequence == Sequence::FinalBad
        && let Ok(content) = coinop_core::obyte::unit::content_hash(&joint.unit)
        && let Some(fields) = unit.as_object_mut()
    {
        // What lost is kept as a name only.
        fields.remove("messages");
        fields.insert("content_hash".to_owned(), json!(content));
    }
    unit
}

/// A joint: its unit, and its ball once it is stable.
pub(super) fn joint(joint: &Joint) -> Value {
    let mut shown = json!({ "unit": unit(joint) });
    if let Some(ball) = joint.properties.ball {
        shown["ball"] = json!(ball);
    }
    shown
}
