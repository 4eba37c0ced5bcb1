use std::collections::BTreeSet;

use coinop_core::obyte::address::Address;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Dag, InsertError, Params, Properties, SystemVars, bad::Bad, earnings::Earnings};

/// The form a [`Dag`] is kept in: what cannot be derived from the units, and the units.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot {
    params: Params,
    system_vars: SystemVars,
    native: BTreeSet<Address>,
    earnings: Earnings,
    bad: Bad,
    joints: Vec<(Value, Properties)>,
}

impl From<Dag> for Snapshot {
    fn from(dag: Dag) -> Self {
        let joints = dag.joints().map(|joint| (joint.unit.clone(), joint.properties.clone())).collect();
        Self {
            joints,
            params: dag.params,
            system_vars: dag.system_vars,
            native: dag.native,
            earnings: dag.earnings,
            bad: dag.bad,
        }
    }
}

impl TryFrom<Snapshot> for Dag {
    type Error = InsertError;

    fn try_from(snapshot: Snapshot) -> Result<Self, InsertError> {
        let mut dag = Self::new(snapshot.params, snapshot.system_vars);
        dag.native = snapshot.native;
        dag.earnings = snapshot.earnings;
        dag.bad = snapshot.bad;
        for (unit, properties) in snapshot.joints {
            dag.insert(unit, properties)?;
        }
        Ok(dag)
    }
}
