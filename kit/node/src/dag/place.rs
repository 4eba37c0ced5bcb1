use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use coinop_core::obyte::{address::Address, hash::Hash};

use super::{Dag, Facts, Properties};

/// Where units lie after something changed: the changed ones only.
pub type Places = BTreeMap<Hash, Properties>;

impl Dag {
    /// Says how all places change once a valid unit is accepted, its own among them.
    ///
    /// `own` gives what only validation knows: the sequence, the triggers, whether an agent made it.
    /// The unit's parents have to be there. The main chain is run anew from the best free unit down to the
    /// last stable one.
    pub fn place(&self, facts: &Facts, own: &Properties) -> Places {
        let mut draft = Draft::of(self);
        draft.add(facts, own);
        draft.run_main_chain();
        draft.set_latest_included();
        draft.changes()
    }

    /// The parent the main chain would take: the highest witnessed level, then the shortest way above it,
    /// then an order provider's, then the smallest hash.
    pub fn best_parent(&self, parents: &[Hash], order_providers: &[Address]) -> Option<Hash> {
        let known = parents.iter().filter_map(|unit| self.joint(unit));
        let best = known.min_by_key(|it| rank(&it.facts, &it.properties, order_providers));
        best.map(|joint| joint.facts.hash)
    }

    /// The level at which the way down along best parents has met a majority of order providers.
    pub fn witnessed_level(&self, best_parent: &Hash, order_providers: &[Address]) -> u64 {
        let mut met: BTreeSet<&Address> = BTreeSet::new();
        let mut next = self.joint(best_parent);
        while let Some(joint) = next {
            met.extend(joint.facts.authors.iter().filter(|author| order_providers.contains(author)));
            if joint.properties.level == 0 || met.len() >= self.params.majority {
                return joint.properties.level;
            }
            next = joint.properties.best_parent_unit.and_then(|unit| self.joint(&unit));
        }
        0
    }

    /// The order providers that a unit with this last ball looks for.
    pub fn order_providers_by(&self, last_ball_unit: Option<&Hash>) -> Vec<Address> {
        let last_ball = last_ball_unit.and_then(|unit| self.joint(unit));
        self.system_vars.order_providers(last_ball.and_then(|it| it.properties.mci).unwrap_or_default())
    }
}

type Rank = (Reverse<u64>, u64, bool, Hash);

fn rank(facts: &Facts, properties: &Properties, order_providers: &[Address]) -> Rank {
    let above = properties.level.saturating_sub(properties.witnessed_level);
    let is_ordinary = !facts.authors.iter().any(|author| order_providers.contains(author));
    (Reverse(properties.witnessed_level), above, is_ordinary, facts.hash)
}

/// The unstable part of the DAG while it is being rearranged.
struct Draft<'a> {
    dag: &'a Dag,
    facts: BTreeMap<Hash, &'a Facts>,
    places: Places,
}

impl<'a> Draft<'a> {
    fn of(dag: &'a Dag) -> Self {
        let mut draft = Self { dag, facts: BTreeMap::new(), places: Places::new() };
        for joint in dag.unstable_units().chain(dag.free_units()) {
            draft.facts.insert(joint.facts.hash, &joint.facts);
            draft.places.insert(joint.facts.hash, joint.properties.clone());
        }
        draft
    }

    fn add(&mut self, facts: &'a Facts, own: &Properties) {
        let order_providers = self.dag.order_providers_by(facts.last_ball_unit.as_ref());
        let best_parent = self.dag.best_parent(&facts.parents, &order_providers);
        let levels = facts.parents.iter().filter_map(|unit| self.place(unit)).map(|it| it.level);
        let place = Properties {
            level: levels.max().map_or(0, |highest| highest + 1),
            witnessed_level: best_parent
                .map_or(0, |parent| self.dag.witnessed_level(&parent, &order_providers)),
            best_parent_unit: best_parent,
            is_free: true,
            ..own.clone()
        };
        for parent in &facts.parents {
            if let Some(parent) = self.places.get_mut(parent) {
                parent.is_free = false;
            }
        }
        self.facts.insert(facts.hash, facts);
        self.places.insert(facts.hash, place);
    }

    fn place(&self, unit: &Hash) -> Option<&Properties> {
        self.places.get(unit).or_else(|| self.dag.joint(unit).map(|joint| &joint.properties))
    }

    /// Follows best parents from the best free unit and numbers what it passes, with all it includes.
    fn run_main_chain(&mut self) {
        let stable = self.dag.last_stable().and_then(|joint| joint.properties.mci);
        for place in self.places.values_mut().filter(|place| !place.is_stable) {
            place.mci = None;
            place.is_on_main_chain = false;
        }
        let mut chain = Vec::new();
        let mut next = self.best_free_unit();
        while let Some(unit) = next.filter(|unit| self.is_unstable(unit)) {
            chain.push(unit);
            next = self.places.get(&unit).and_then(|place| place.best_parent_unit);
        }
        let first = stable.map_or(0, |mci| mci + 1);
        for (mci, unit) in (first..).zip(chain.into_iter().rev()) {
            self.number(unit, mci);
            if let Some(place) = self.places.get_mut(&unit) {
                place.is_on_main_chain = true;
            }
        }
    }

    fn best_free_unit(&self) -> Option<Hash> {
        let stable = self.dag.last_stable().map(|joint| joint.facts.hash);
        let mci = stable.and_then(|unit| self.place(&unit)?.mci).unwrap_or_default();
        let order_providers = self.dag.system_vars.order_providers(mci);
        let free = self.places.iter().filter(|(_, place)| place.is_free);
        let ranked =
            free.filter_map(|(unit, place)| Some(rank(self.facts.get(unit)?, place, &order_providers)));
        ranked.min().map(|(.., unit)| unit)
    }

    fn is_unstable(&self, unit: &Hash) -> bool {
        self.places.get(unit).is_some_and(|place| !place.is_stable)
    }

    fn number(&mut self, unit: Hash, mci: u64) {
        let mut open = vec![unit];
        while let Some(unit) = open.pop() {
            let Some(place) = self.places.get_mut(&unit).filter(|it| it.mci.is_none() && !it.is_stable)
            else {
                continue;
            };
            place.mci = Some(mci);
            open.extend(self.facts.get(&unit).into_iter().flat_map(|facts| &facts.parents));
        }
    }

    fn set_latest_included(&mut self) {
        let mut units: Vec<(u64, Hash)> = self.places.iter().map(|(unit, it)| (it.level, *unit)).collect();
        units.sort_unstable();
        for (_, unit) in units.into_iter().filter(|(_, unit)| self.is_unstable(unit)).collect::<Vec<_>>() {
            let Some(facts) = self.facts.get(&unit) else { continue };
            let reach = facts.parents.iter().filter_map(|parent| self.reach(parent)).max();
            if let Some(place) = self.places.get_mut(&unit) {
                place.latest_included_mc_index = reach;
            }
        }
    }

    fn reach(&self, parent: &Hash) -> Option<u64> {
        let place = self.place(parent)?;
        if place.is_on_main_chain { place.mci } else { place.latest_included_mc_index }
    }

    fn changes(self) -> Places {
        let dag = self.dag;
        let differs =
            |unit: &Hash, place: &Properties| dag.joint(unit).is_none_or(|joint| joint.properties != *place);
        self.places.into_iter().filter(|(unit, place)| differs(unit, place)).collect()
    }
}
