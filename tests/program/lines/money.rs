//! The money, counted once more: from the units alone.

use std::collections::{BTreeMap, BTreeSet};

use coinop::core::{
    Bytes,
    obyte::{
        address::Address,
        definition,
        hash::Hash,
        unit::{self, Input, Message, Output, Unit},
    },
};
use serde_json::{Map, Value};

use super::story::Story;

/// A coin's place: the unit, its message, the output there.
type Place = (Hash, u32, u32);

/// Who has what.
#[derive(Debug, Default)]
pub(crate) struct Books {
    coins: BTreeMap<Place, Output>,
    issued: u64,
    /// Commissions and fees that units paid.
    burnt: u64,
    units: BTreeSet<Hash>,
    definitions: BTreeMap<Address, Value>,
}

impl Books {
    /// Goes through all units of a run.
    ///
    /// # Errors
    ///
    /// The first thing that is not right, in words.
    pub(crate) fn replay(story: &Story) -> Result<Self, String> {
        let mut books = Self::default();
        for (value, unit) in story.units() {
            books.add(value, &unit).map_err(|what| format!("unit {}: {what}", unit.unit))?;
        }
        let kept: u64 = books.coins.values().map(|coin| coin.amount.get()).sum();
        if books.issued != kept + books.burnt {
            return Err(format!("{} issued, {kept} in coins, {} in fees", books.issued, books.burnt));
        }
        Ok(books)
    }

    /// What an address holds.
    pub(crate) fn holds(&self, address: &Address) -> u64 {
        let own = self.coins.values().filter(|coin| coin.address == *address);
        own.map(|coin| coin.amount.get()).sum()
    }

    /// How many units there were.
    pub(crate) fn count(&self) -> usize {
        self.units.len()
    }

    fn add(&mut self, value: &Value, unit: &Unit) -> Result<(), String> {
        if unit::unit_hash(value) != Ok(unit.unit) {
            return Err("its hash is another".to_owned());
        }
        self.learn_definitions(unit)?;
        self.check_signatures(value, unit)?;
        if let Some(unknown) = unit.parent_units.iter().find(|parent| !self.units.contains(parent)) {
            return Err(format!("its parent {unknown} is not there"));
        }
        let taken = self.take(unit)?;
        let given = self.give(unit)?;
        if taken != given {
            return Err(format!("takes {taken} and gives {given}"));
        }
        if !self.units.insert(unit.unit) {
            return Err("comes twice".to_owned());
        }
        Ok(())
    }

    /// A definition counts when it is the address's own.
    fn learn_definitions(&mut self, unit: &Unit) -> Result<(), String> {
        let told = unit.authors.iter().filter_map(|author| author.definition.as_ref());
        let agents = unit.messages.iter().filter(|message| message.app == "definition");
        for definition in told.chain(agents.map(|message| &message.payload["definition"])) {
            let address = Address::of_definition(definition).map_err(|error| error.to_string())?;
            self.definitions.insert(address, definition.clone());
        }
        Ok(())
    }

    fn check_signatures(&self, value: &Value, unit: &Unit) -> Result<(), String> {
        let hash = unit::hash_to_sign(value).map_err(|error| error.to_string())?;
        for author in &unit.authors {
            let known = self.definitions.get(&author.address);
            let definition = known.ok_or_else(|| format!("nobody knows who {} is", author.address))?;
            let signatures: Map<String, Value> =
                author.authentifiers.iter().map(|(path, text)| (path.clone(), text.clone().into())).collect();
            let good = match (definition::is_agent(definition), signatures.is_empty()) {
                // An agent's response is signed by nobody: it follows from what triggered it.
                (true, true) => trigger(unit).is_none_or(|trigger| self.units.contains(&trigger)),
                (false, false) => definition::is_met(definition, &hash, &signatures) == Ok(true),
                (true, false) | (false, true) => false,
            };
            if !good {
                return Err(format!("is not signed by {}", author.address));
            }
        }
        Ok(())
    }

    fn take(&mut self, unit: &Unit) -> Result<u64, String> {
        let mut taken = 0;
        for input in payments(unit).flat_map(|(_, payment)| payment.inputs) {
            taken += match input {
                Input::Issue { amount, .. } if unit.parent_units.is_empty() && self.units.is_empty() => {
                    self.issued += amount.get();
                    amount.get()
                }
                Input::Transfer { unit: from, message_index, output_index } => {
                    let place = (from, message_index, output_index);
                    let coin = self.coins.remove(&place).ok_or_else(|| format!("spends {place:?} again"))?;
                    if !unit.authors.iter().any(|author| author.address == coin.address) {
                        return Err(format!("spends what is {}'s", coin.address));
                    }
                    coin.amount.get()
                }
                Input::Issue { .. } | Input::HeadersCommission(_) | Input::Witnessing(_) => {
                    return Err(format!("takes what nobody can count from the lines: {input:?}"));
                }
            };
        }
        Ok(taken)
    }

    fn give(&mut self, unit: &Unit) -> Result<u64, String> {
        let fees = [unit.tps_fee, unit.oversize_fee, unit.burn_fee].into_iter().flatten();
        let commissions = [unit.headers_commission, unit.payload_commission];
        let fees: u64 = fees.chain(commissions).map(Bytes::get).sum();
        self.burnt += fees;
        let mut given = fees;
        for (message, payment) in payments(unit) {
            for (index, output) in (0..).zip(payment.outputs) {
                given += output.amount.get();
                if self.coins.insert((unit.unit, message, index), output).is_some() {
                    return Err("makes a coin twice".to_owned());
                }
            }
        }
        Ok(given)
    }
}

/// The payments of bytes in a unit, with their messages' places.
fn payments(unit: &Unit) -> impl Iterator<Item = (u32, unit::Payment)> {
    (0..).zip(&unit.messages).filter_map(|(index, message)| {
        let payment = message.as_payment().filter(|payment| payment.asset.is_none())?;
        Some((index, payment))
    })
}

/// The unit that an agent says it answers; when it pays out, it does not say.
fn trigger(unit: &Unit) -> Option<Hash> {
    data(unit)?["trigger_unit"].as_str()?.parse().ok()
}

/// What an agent says in its response.
pub(crate) fn data(unit: &Unit) -> Option<&Value> {
    unit.messages.iter().find(|message: &&Message| message.app == "data").map(|message| &message.payload)
}

/// What a unit pays to an address.
pub(crate) fn pays(unit: &Unit, address: &Address) -> u64 {
    let outputs = payments(unit).flat_map(|(_, payment)| payment.outputs);
    outputs.filter(|output| output.address == *address).map(|output| output.amount.get()).sum()
}
