//! Whether a posted unit is valid, check by check in the order of the hubs, in their words.

mod agent;
mod apps;
mod asset;
mod authors;
mod definition;
mod filter;
mod hashes;
mod header;
mod inputs;
mod lookups;
mod messages;
mod outputs;
mod parents;
mod payment;
mod polls;
mod posted;
mod recipients;
mod signatures;
mod spend_proofs;
mod structure;
mod system;
mod tps;
mod triggers;

use coinop_core::Timestamp;
use serde_json::{Map, Value};

pub use crate::verdict::{Class, Verdict};
use crate::{
    dag::{Dag, Facts, Places, Properties, Sequence},
    verdict::Check,
};
use posted::Posted;
pub(crate) use posted::tidy;

/// A unit that may be inserted.
#[derive(Clone, Debug, PartialEq)]
pub struct Valid {
    /// The unit, without the fields nodes add for their readers.
    pub unit: Value,
    /// What it says.
    pub facts: Facts,
    /// Whether it competes with another unit; posted units that do are turned down.
    pub sequence: Sequence,
    /// How many agents it triggers.
    pub count_primary_aa_triggers: u64,
}

impl Valid {
    /// Says how all places change once the unit is inserted, its own among them.
    pub fn places(&self, dag: &Dag) -> Places {
        let own = Properties {
            sequence: self.sequence,
            count_primary_aa_triggers: self.count_primary_aa_triggers,
            ..Properties::default()
        };
        dag.place(&self.facts, &own)
    }
}

/// Validates what was posted: `{unit}`, at the present moment.
///
/// # Errors
///
/// The hub's verdict.
pub fn validate(dag: &Dag, now: Timestamp, joint: &Value) -> Check<Valid> {
    let joint = posted::at_the_door(joint)?;
    dag.turn_away_known(&joint)?;
    check(dag, now, &joint)
}

/// Every check, in order.
fn check(dag: &Dag, now: Timestamp, joint: &Map<String, Value>) -> Check<Valid> {
    let posted = Posted::of(dag, now, joint)?;
    hashes::check_unit_hash(&posted)?;
    structure::check_not_an_agents(&posted)?;
    structure::check_text(&posted)?;
    structure::check_fields(&posted)?;
    structure::check_messages(&posted)?;
    structure::check_sizes(&posted)?;
    header::check(&posted)?;
    recipients::check(&posted)?;
    let base = parents::check(&posted)?;
    let triggers = triggers::count(&posted, &base)?;
    tps::check(&posted, &base, triggers)?;
    let mut sequence = authors::check(&posted, &base)?;
    messages::check(&posted, &base, &mut sequence)?;
    posted::refuse_competitors(&sequence)?;
    let unit = Value::Object(posted.unit.clone());
    let facts = Facts::read(&unit).map_err(|error| Verdict::joint(error.to_string()))?;
    Ok(Valid { unit, facts, sequence: sequence.value, count_primary_aa_triggers: triggers })
}
