//! Joints as a hub shows them.

use coinop_core::obyte::unit;
use serde_json::{Value, json};

use crate::dag::{Joint, Sequence};

/// A unit with what the node knows of its place.
pub(super) fn unit(joint: &Joint) -> Value {
    // What lost is kept as a name only.
    let is_void = joint.properties.sequence == Sequence::FinalBad;
    let stripped = is_void.then(|| unit::stripped(&joint.unit).ok()).flatten();
    let mut unit = stripped.unwrap_or_else(|| joint.unit.clone());
    if let Some(mci) = joint.properties.mci {
        unit["main_chain_index"] = json!(mci);
        unit["actual_tps_fee"] = json!(joint.properties.actual_tps_fee);
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

#[cfg(test)]
mod tests {
    use coinop_core::obyte::proof;

    use super::*;
    use crate::{
        dag::{Joint, Properties},
        ledger::{Config, Ledger},
    };

    #[test]
    fn a_unit_that_lost_is_shown_as_a_name_that_can_be_checked() {
        let config = Config {
            genesis: coinop_core::Timestamp::from_millis(1_800_000_000_000),
            until_stable: std::time::Duration::from_secs(2),
            proves: true,
            seed: [7; 32],
        };
        let ledger = Ledger::new(&config).unwrap();
        let known = ledger.dag().last_stable().unwrap();
        let properties = Properties { sequence: Sequence::FinalBad, ..known.properties.clone() };
        let lost = Joint { properties, ..known.clone() };

        let shown = unit(&lost);

        assert_eq!(proof::checked(&shown), Ok(known.facts.hash));
        assert_eq!(shown.get("messages"), None);
    }
}
