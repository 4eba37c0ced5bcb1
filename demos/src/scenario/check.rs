//! Reads a scenario and finds what does not fit together, with the line it stands in.

mod money;

use std::{collections::BTreeMap, ops::Range, time::Duration};

use super::{BUILT_IN, Scenario, quantity};
use crate::devices::{self, Device};
use coinop::core::{
    tariff::Unit,
    written::{self, Wrong},
};
use toml::Spanned;

/// The longest name of a party.
const MAX_NAME: usize = 24;
/// The longest time a fault may stop the whole program.
const LONGEST_HANG: Duration = Duration::from_mins(1);
/// The most parties, purchases or faults in one scenario.
const MAX_ITEMS: usize = 256;

/// A scenario that cannot be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioError {
    /// There is no such scenario.
    #[error("there is no scenario called {name:?}, and no such file; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The file cannot be read.
    #[error("{path} cannot be read; `coinop list` shows the scenarios that need no file")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a scenario.
    #[error(transparent)]
    Wrong(#[from] Wrong),
}

impl Scenario {
    /// The built-in scenario of this name, or the one in this file, with its text.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] with file, line and the word that is not known, and what is.
    pub(crate) fn load(name: &str) -> Result<(Self, String), ScenarioError> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (file, text) = if let Some((known, text)) = built_in {
            (format!("{known}.toml"), (*text).to_owned())
        } else if std::path::Path::new(name).extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(name)
                .map_err(|source| ScenarioError::Unreadable { path: name.to_owned(), source })?;
            (name.to_owned(), text)
        } else {
            let known: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            return Err(ScenarioError::Unknown { name: name.to_owned(), known: known.join(", ") });
        };
        Ok((Self::parse(&file, &text)?, text))
    }

    /// Reads a scenario from the text of `file`.
    ///
    /// # Errors
    ///
    /// As [`Scenario::load`].
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let page = Page(written::Page { file, text });
        let scenario: Self = toml::from_str(text)
            .map_err(|error| page.wrong(error.span().unwrap_or(0..0), error.message()))?;
        page.check(&scenario)?;
        Ok(scenario)
    }
}

/// The text, to find the line of a word in.
struct Page<'a>(written::Page<'a>);

impl Page<'_> {
    fn check(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        self.sizes(scenario)?;
        self.names(scenario)?;
        self.things(scenario)?;
        self.purchases(scenario)?;
        self.money(scenario)?;
        self.faults(scenario)?;
        self.expectations(scenario)
    }

    fn sizes(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        for (what, count) in [
            ("buyer", scenario.buyer.len()),
            ("thing", scenario.thing.len()),
            ("buy", scenario.buy.len()),
            ("fault", scenario.fault.len()),
            ("expect", scenario.expect.len()),
        ] {
            if count > MAX_ITEMS {
                return Err(self.wrong(0..0, &format!("{count} [[{what}]] entries, at most {MAX_ITEMS}")));
            }
        }
        Ok(())
    }

    fn names(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let mut seen = BTreeMap::new();
        let buyers = scenario.buyer.iter().map(|buyer| &buyer.name);
        for name in scenario.thing.iter().map(|thing| &thing.name).chain(buyers) {
            let word = name.get_ref();
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if word.is_empty() || word.len() > MAX_NAME || !word.chars().all(plain) {
                let rule = format!("1 to {MAX_NAME} of a-z, 0-9 and -");
                return Err(self.at(name, &format!("{word:?} is no name; a name is {rule}")));
            }
            if word == "hub" || word == "market" {
                return Err(self.at(name, &format!("{word:?} is taken by the kit")));
            }
            if let Some(first) = seen.insert(word.clone(), self.line(name.span())) {
                return Err(
                    self.at(name, &format!("{word:?} is the name of another party, see line {first}"))
                );
            }
        }
        Ok(())
    }

    fn things(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let mut lines = BTreeMap::new();
        for thing in &scenario.thing {
            let device = self.device(&thing.kind)?;
            for quantity in [&thing.per, &thing.step] {
                self.quantity(device.unit, quantity)?;
            }
            if let Some(power) = &thing.power {
                self.something(power, quantity::power(power.get_ref()))?;
            }
            if let Some(capacity) = &thing.capacity {
                self.something(capacity, quantity::energy(capacity.get_ref()))?;
            }
            if let Some(meter) = thing.meter.as_ref().filter(|_| !device.metered) {
                let what = format!("a {} has no meter to choose; a charger has", device.kind);
                return Err(self.at(meter, &what));
            }
            let own: Vec<_> = device.lines.iter().map(|line| line.name).collect();
            if let Some((name, word)) = thing.lines.iter().find(|(name, _)| !own.contains(&name.as_str())) {
                let has = own.join(", ");
                let what = format!("a {} has no line {name:?}; it has {has}", device.kind);
                return Err(self.at(word, &what));
            }
            for line in &own {
                let name = thing.line(line);
                if let Some(other) = lines.insert(name.to_owned(), thing.name.get_ref().clone()) {
                    let what = format!(
                        "line {name:?} is used by {other} as well; name it otherwise: lines = {{ {line} = \"{name}2\" }}"
                    );
                    return Err(self.at(thing.lines.get(*line).unwrap_or(&thing.name), &what));
                }
            }
        }
        Ok(())
    }

    fn purchases(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        for buy in &scenario.buy {
            self.buyer(scenario, &buy.buyer)?;
            let device = self.device(&buy.kind)?;
            if !scenario.thing.iter().any(|thing| thing.kind.get_ref() == buy.kind.get_ref()) {
                let what = format!("nothing in this scenario sells {:?}", buy.kind.get_ref());
                return Err(self.at(&buy.kind, &what));
            }
            if let Some(from) = &buy.from {
                self.party(scenario, from)?;
            }
            self.quantity(device.unit, &buy.amount)?;
            for control in &buy.control {
                if !device.actions.iter().any(|action| action.name == control.action.get_ref()) {
                    let known: Vec<_> = device.actions.iter().map(|action| action.name).collect();
                    let word = control.action.get_ref();
                    let what = format!("a {} cannot {word:?}; it can: {}", device.kind, known.join(", "));
                    return Err(self.at(&control.action, &what));
                }
                if let Some(by) = &control.by {
                    self.buyer(scenario, by)?;
                }
            }
        }
        Ok(())
    }

    fn faults(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        for fault in &scenario.fault {
            if let Some(pair) = &fault.cut {
                pair.iter().try_for_each(|name| self.party(scenario, name))?;
            }
            if let Some(name) = &fault.kill {
                self.party(scenario, name)?;
            }
            if let Some(span) = &fault.hang
                && (span.get_ref().0.is_zero() || span.get_ref().0 > LONGEST_HANG)
            {
                return Err(self.at(span, "a hang lasts from 1ms to 1min"));
            }
            for name in [&fault.dishonest_close, &fault.replay].into_iter().flatten() {
                self.buyer(scenario, name)?;
            }
            fault.intervention(scenario).map_err(|(span, what)| self.wrong(span, &what))?;
        }
        Ok(())
    }

    fn expectations(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        for entry in &scenario.expect {
            let expect = entry.get_ref();
            expect.words().into_iter().try_for_each(|name| self.party(scenario, name))?;
            expect.lines().into_iter().try_for_each(|line| self.board_line(scenario, line))?;
            expect.kind().map_err(|what| self.at(entry, &what))?;
        }
        Ok(())
    }

    fn device(&self, kind: &Spanned<String>) -> Result<&'static Device, ScenarioError> {
        devices::of(kind.get_ref()).ok_or_else(|| {
            let known: Vec<_> = devices::ALL.iter().map(|device| device.kind).collect();
            self.at(
                kind,
                &format!("{:?} is no kind of device; there are: {}", kind.get_ref(), known.join(", ")),
            )
        })
    }

    fn quantity(&self, unit: Unit, text: &Spanned<String>) -> Result<(), ScenarioError> {
        self.something(text, devices::quantity(unit, text.get_ref()))
    }

    fn something(&self, text: &Spanned<String>, parsed: Result<u64, String>) -> Result<(), ScenarioError> {
        match parsed {
            Ok(0) => Err(self.at(text, &format!("{:?} is nothing; it must be more", text.get_ref()))),
            Ok(_) => Ok(()),
            Err(what) => Err(self.at(text, &what)),
        }
    }

    fn buyer(&self, scenario: &Scenario, name: &Spanned<String>) -> Result<(), ScenarioError> {
        let known: Vec<_> = scenario.buyer.iter().map(|buyer| buyer.name.get_ref().as_str()).collect();
        self.among("buyer", &known, name)
    }

    fn party(&self, scenario: &Scenario, name: &Spanned<String>) -> Result<(), ScenarioError> {
        let buyers = scenario.buyer.iter().map(|buyer| buyer.name.get_ref().as_str());
        let things = scenario.thing.iter().map(|thing| thing.name.get_ref().as_str());
        self.among("party", &things.chain(buyers).collect::<Vec<_>>(), name)
    }

    fn board_line(&self, scenario: &Scenario, line: &Spanned<String>) -> Result<(), ScenarioError> {
        let mut known = Vec::new();
        for thing in &scenario.thing {
            let own = self.device(&thing.kind)?.lines.iter().map(|line| line.name);
            known.extend(own.map(|own| thing.line(own)));
        }
        self.among("line", &known, line)
    }

    fn among(&self, what: &str, known: &[&str], name: &Spanned<String>) -> Result<(), ScenarioError> {
        if known.contains(&name.get_ref().as_str()) {
            return Ok(());
        }
        Err(self
            .at(name, &format!("there is no {what} {:?}; there are: {}", name.get_ref(), known.join(", "))))
    }

    fn at<T>(&self, word: &Spanned<T>, what: &str) -> ScenarioError {
        self.wrong(word.span(), what)
    }

    fn wrong(&self, span: Range<usize>, what: &str) -> ScenarioError {
        self.0.wrong(&span, what).into()
    }

    fn line(&self, span: Range<usize>) -> usize {
        self.0.line(&span)
    }
}
