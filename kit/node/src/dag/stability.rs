use std::collections::BTreeSet;

use coinop_core::obyte::{address::Address, hash::Hash};

use super::{Dag, Joint};

impl Dag {
    /// The next main chain index that has become final in view of the free units, if it has.
    pub fn next_stable(&self) -> Option<u64> {
        let last = self.last_stable()?.properties.mci?;
        let candidate = self.main_chain_unit(last + 1)?;
        let free: Vec<Hash> = self.free_units().map(|joint| joint.facts.hash).collect();
        self.is_stable_in(candidate, &free).then_some(last + 1)
    }

    /// Whether a unit of the main chain is final in view of later units: a majority of order providers
    /// has built on it, and no other branch can overtake.
    pub fn is_stable_in(&self, unit: &Joint, later: &[Hash]) -> bool {
        let Some(best_parent) = unit.properties.best_parent_unit else { return true };
        if unit.properties.is_free || unit.properties.mci.is_none() || !self.reaches(unit, later) {
            return false;
        }
        let Some(below) = self.joint(&best_parent) else { return false };
        let order_providers = self.system_vars.order_providers(below.properties.mci.unwrap_or_default());
        let Some(witnessed) = self.witnessed_above(unit, later, &order_providers) else { return false };
        if witnessed < unit.properties.level {
            return false;
        }
        let rivals: Vec<&Joint> = self
            .best_children(&best_parent)
            .filter(|it| it.facts.hash != unit.facts.hash)
            .filter(|it| self.is_included(&it.facts.hash, later))
            .collect();
        rivals.is_empty() || witnessed >= self.rival_level(&rivals, later).unwrap_or(unit.properties.level)
    }

    fn reaches(&self, unit: &Joint, later: &[Hash]) -> bool {
        let reach = later.iter().filter_map(|it| self.joint(it)?.properties.latest_included_mc_index).max();
        reach >= unit.properties.mci
    }

    /// The lowest witnessed level among the highest units of a majority of order providers on the branch.
    fn witnessed_above(&self, unit: &Joint, later: &[Hash], order_providers: &[Address]) -> Option<u64> {
        let mut levels: Vec<(u64, &Address)> = self
            .branch(&[unit], later)
            .into_iter()
            .flat_map(|joint| {
                joint.facts.authors.iter().map(|author| (joint.properties.witnessed_level, author))
            })
            .filter(|(_, author)| order_providers.contains(author))
            .collect();
        levels.sort_unstable_by(|one, other| other.cmp(one));
        let mut met = BTreeSet::new();
        levels.into_iter().find_map(|(level, author)| {
            met.insert(author);
            (met.len() >= self.params.majority).then_some(level)
        })
    }

    /// The highest level below a unit that raised the witnessed level on a rival branch.
    fn rival_level(&self, rivals: &[&Joint], later: &[Hash]) -> Option<u64> {
        let raised = self.branch(rivals, later).into_iter().filter_map(|joint| {
            let below = self.joint(&joint.properties.best_parent_unit?)?;
            let raises = below.properties.witnessed_level < joint.properties.witnessed_level;
            raises.then_some(below.properties.level)
        });
        raised.max()
    }

    /// The roots with all units that reach them along best parents, as far as `later` includes them.
    fn branch<'a>(&'a self, roots: &[&'a Joint], later: &[Hash]) -> Vec<&'a Joint> {
        let mut branch = Vec::new();
        let mut open = roots.to_vec();
        while let Some(joint) = open.pop() {
            if self.is_included(&joint.facts.hash, later) {
                branch.push(joint);
                open.extend(self.best_children(&joint.facts.hash));
            }
        }
        branch
    }

    fn best_children(&self, unit: &Hash) -> impl Iterator<Item = &Joint> {
        let parent = *unit;
        self.chain.children(unit).filter(move |it| it.properties.best_parent_unit == Some(parent))
    }
}
