use std::collections::BTreeSet;

use coinop_core::obyte::hash::Hash;

use super::{Joint, chain::Chain};

impl Chain {
    /// Whether `earlier` is one of `later`, or an ancestor of one of them.
    pub(super) fn is_included(&self, earlier: &Hash, later: &[Hash]) -> bool {
        if later.contains(earlier) {
            return true;
        }
        let Some(earlier) = self.joint(earlier) else { return false };
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Joint> = later.iter().filter_map(|unit| self.joint(unit)).collect();
        while let Some(joint) = open.pop() {
            if reaches_by_main_chain(joint, earlier) || joint.facts.parents.contains(&earlier.facts.hash) {
                return true;
            }
            let parents = joint.facts.parents.iter().filter_map(|unit| self.joint(unit));
            // An ancestor lies on a lower level, so what is not above it cannot lead to it.
            let above = parents.filter(|it| it.properties.level > earlier.properties.level);
            open.extend(above.filter(|it| seen.insert(it.facts.hash)));
        }
        false
    }
}

/// A unit includes everything up to the main chain index it names.
fn reaches_by_main_chain(later: &Joint, earlier: &Joint) -> bool {
    let reach = later.properties.latest_included_mc_index;
    earlier.properties.mci.is_some_and(|mci| reach.is_some_and(|reach| reach >= mci))
}
