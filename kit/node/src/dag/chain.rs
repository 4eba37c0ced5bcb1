use std::collections::{BTreeMap, BTreeSet};

use coinop_core::obyte::{address::Address, hash::Hash};

use super::{Joint, Properties};

/// The units, and the ways to find them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chain {
    joints: BTreeMap<Hash, Joint>,
    order: Vec<Hash>,
    children: BTreeMap<Hash, BTreeSet<Hash>>,
    authored: BTreeMap<Address, Vec<Hash>>,
    free: BTreeSet<Hash>,
    unstable: BTreeSet<Hash>,
    by_mci: BTreeMap<u64, BTreeSet<Hash>>,
    spine: BTreeMap<u64, Hash>,
    last_stable: Option<u64>,
}

impl Chain {
    pub(super) fn add(&mut self, joint: Joint) {
        let hash = joint.facts.hash;
        for parent in &joint.facts.parents {
            self.children.entry(*parent).or_default().insert(hash);
        }
        for author in &joint.facts.authors {
            self.authored.entry(*author).or_default().push(hash);
        }
        self.order.push(hash);
        self.index(hash, &joint.properties);
        self.joints.insert(hash, joint);
    }

    pub(super) fn change(&mut self, unit: &Hash, properties: Properties) -> bool {
        let Some(mut joint) = self.joints.remove(unit) else { return false };
        self.forget(unit, &joint.properties);
        self.index(*unit, &properties);
        joint.properties = properties;
        self.joints.insert(*unit, joint);
        true
    }

    pub(super) fn joint(&self, unit: &Hash) -> Option<&Joint> {
        self.joints.get(unit)
    }

    pub(super) fn joints(&self) -> impl Iterator<Item = &Joint> {
        self.found(&self.order)
    }

    pub(super) fn free_units(&self) -> impl Iterator<Item = &Joint> {
        self.found(&self.free)
    }

    pub(super) fn unstable_units(&self) -> impl Iterator<Item = &Joint> {
        self.found(&self.unstable)
    }

    pub(super) fn units_of(&self, author: &Address) -> impl DoubleEndedIterator<Item = &Joint> {
        self.authored.get(author).into_iter().flatten().filter_map(|unit| self.joint(unit))
    }

    pub(super) fn units_at(&self, mci: u64) -> impl Iterator<Item = &Joint> {
        self.by_mci.get(&mci).into_iter().flatten().filter_map(|unit| self.joint(unit))
    }

    pub(super) fn children(&self, unit: &Hash) -> impl Iterator<Item = &Joint> {
        self.children.get(unit).into_iter().flatten().filter_map(|unit| self.joint(unit))
    }

    pub(super) fn main_chain_unit(&self, mci: u64) -> Option<&Joint> {
        self.joint(self.spine.get(&mci)?)
    }

    pub(super) fn last_stable(&self) -> Option<&Joint> {
        self.main_chain_unit(self.last_stable?)
    }

    fn found<'a>(&'a self, units: impl IntoIterator<Item = &'a Hash>) -> impl Iterator<Item = &'a Joint> {
        units.into_iter().filter_map(|unit| self.joint(unit))
    }

    fn index(&mut self, unit: Hash, properties: &Properties) {
        if properties.is_free {
            self.free.insert(unit);
        }
        if !properties.is_stable {
            self.unstable.insert(unit);
        }
        let Some(mci) = properties.mci else { return };
        self.by_mci.entry(mci).or_default().insert(unit);
        if properties.is_on_main_chain {
            self.spine.insert(mci, unit);
            if properties.is_stable {
                self.last_stable = self.last_stable.max(Some(mci));
            }
        }
    }

    fn forget(&mut self, unit: &Hash, properties: &Properties) {
        self.free.remove(unit);
        self.unstable.remove(unit);
        let Some(mci) = properties.mci else { return };
        if let Some(units) = self.by_mci.get_mut(&mci) {
            units.remove(unit);
        }
        if self.spine.get(&mci) == Some(unit) {
            self.spine.remove(&mci);
        }
    }
}
