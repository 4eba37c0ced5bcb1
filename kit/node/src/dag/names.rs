use std::collections::BTreeMap;

use coinop_core::obyte::{address::Address, hash::Hash};
use serde_json::Value;

use super::{Facts, InsertError, Joint, Sequence, chain::Chain};

/// What addresses mean: their definitions, the changes of them, and the agents.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Names {
    definitions: BTreeMap<Address, Vec<Definition>>,
    changes: BTreeMap<Address, Vec<(Hash, Address)>>,
    agents: BTreeMap<Address, Vec<Agent>>,
}

/// A definition, as a unit disclosed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The unit that disclosed it.
    pub unit: Hash,
    /// The definition.
    pub definition: Value,
}

/// An autonomous agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// The unit that defined it.
    pub unit: Hash,
    /// `["autonomous agent", {…}]`.
    pub definition: Value,
}

impl Names {
    pub(super) fn add(&mut self, facts: &Facts, unit: &Value) -> Result<(), InsertError> {
        for author in items(unit, "authors") {
            if let Some(definition) = author.get("definition") {
                let address = Address::of_definition(definition)
                    .map_err(|_malformed| InsertError::Field("authors.definition"))?;
                let disclosed = Definition { unit: facts.hash, definition: definition.clone() };
                self.definitions.entry(address).or_default().push(disclosed);
            }
        }
        for message in items(unit, "messages") {
            let Some(payload) = message.get("payload") else { continue };
            match message.get("app").and_then(Value::as_str) {
                Some("address_definition_change") => self.change(facts, payload)?,
                Some("definition") => self.define_agent(facts, payload)?,
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    pub(super) fn definition_of(
        &self,
        address: &Address,
        mci: u64,
        chain: &Chain,
    ) -> Result<&Definition, Address> {
        let chash = self.current_chash(address, mci, chain);
        let disclosed = self.definitions.get(&chash).into_iter().flatten();
        disclosed.into_iter().find(|it| is_good_by(&it.unit, mci, chain)).ok_or(chash)
    }

    pub(super) fn disclosed(&self, address: &Address, chain: &Chain) -> Option<(&Definition, bool)> {
        let chash = self.current_chash(address, u64::MAX, chain);
        let disclosed = self.definitions.get(&chash)?;
        let stable = disclosed.iter().find(|it| is_good_by(&it.unit, u64::MAX, chain));
        stable.map(|it| (it, true)).or_else(|| disclosed.first().map(|it| (it, false)))
    }

    pub(super) fn has_shown_itself(&self, address: &Address, mci: u64, chain: &Chain) -> bool {
        let is_own = |unit: &Hash| chain.joint(unit).is_some_and(|it| it.facts.authors.contains(address));
        let disclosed = self.definitions.get(address).into_iter().flatten();
        disclosed.into_iter().any(|it| is_good_by(&it.unit, mci, chain) && is_own(&it.unit))
    }

    pub(super) fn agent(&self, address: &Address, mci: u64, chain: &Chain) -> Option<&Agent> {
        self.agents.get(address)?.iter().find(|it| is_good_by(&it.unit, mci, chain))
    }

    fn current_chash(&self, address: &Address, mci: u64, chain: &Chain) -> Address {
        let changes = self.changes.get(address).into_iter().flatten();
        let done = changes.filter(|(unit, _)| is_good_by(unit, mci, chain));
        let latest = done.max_by_key(|(unit, _)| {
            chain.joint(unit).map(|joint| (joint.properties.mci, joint.properties.level))
        });
        latest.map_or(*address, |(_, chash)| *chash)
    }

    fn change(&mut self, facts: &Facts, payload: &Value) -> Result<(), InsertError> {
        let chash = address(payload, "definition_chash").ok_or(InsertError::Field("definition_chash"))?;
        let of = address(payload, "address").or_else(|| facts.authors.first().copied());
        let of = of.ok_or(InsertError::Field("authors"))?;
        self.changes.entry(of).or_default().push((facts.hash, chash));
        Ok(())
    }

    fn define_agent(&mut self, facts: &Facts, payload: &Value) -> Result<(), InsertError> {
        let at = address(payload, "address").ok_or(InsertError::Field("address"))?;
        let definition = payload.get("definition").ok_or(InsertError::Field("definition"))?;
        let agent = Agent { unit: facts.hash, definition: definition.clone() };
        self.agents.entry(at).or_default().push(agent);
        Ok(())
    }
}

fn is_good_by(unit: &Hash, mci: u64, chain: &Chain) -> bool {
    let good = |joint: &Joint| {
        let properties = &joint.properties;
        properties.is_stable
            && properties.sequence == Sequence::Good
            && properties.mci.is_some_and(|own| own <= mci)
    };
    chain.joint(unit).is_some_and(good)
}

fn address(object: &Value, field: &str) -> Option<Address> {
    object.get(field)?.as_str()?.parse().ok()
}

fn items<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object.get(field).and_then(Value::as_array).into_iter().flatten()
}
