use std::collections::BTreeSet;

use coinop_core::{
    board::{Direction, LineSpec},
    written::Wrong,
};

use super::{BoardFile, Known};
use crate::wiring::Wiring;

impl BoardFile {
    /// The lines that devices want, as this board has them: where they are, and with the limits of both.
    ///
    /// Of two limits the stricter one holds: the shorter maximum on-time, the longer debounce. What either
    /// says is never on together is never on together.
    ///
    /// # Errors
    ///
    /// [`Wrong`] when the file lacks a line, or has it in another direction or with another safe level.
    pub fn fit(&self, wanted: &[LineSpec]) -> Result<(Wiring, Vec<LineSpec>), Wrong> {
        let mut wiring = Wiring::by_name(self.chip.clone());
        let mut specs = Vec::new();
        for spec in wanted {
            let known = self.known(spec)?;
            wiring.lines.insert(spec.name.clone(), known.wire.clone());
            specs.push(both(spec, &known.spec));
        }
        // A line that nobody takes is never driven, and no guard knows it.
        let taken: BTreeSet<String> = specs.iter().map(|spec| spec.name.clone()).collect();
        for spec in &mut specs {
            spec.never_with.retain(|other| taken.contains(other));
        }
        Ok((wiring, specs))
    }

    fn known(&self, wanted: &LineSpec) -> Result<&Known, Wrong> {
        let name = &wanted.name;
        let Some(known) = self.lines.iter().find(|known| known.spec.name == *name) else {
            let names: Vec<&str> = self.lines.iter().map(|known| known.spec.name.as_str()).collect();
            let what = format!(
                "this board has no line {name}, which the scenario needs; add a [[line]] of that name, or say \
                 in the scenario which to take, lines = {{ {name} = \"…\" }}; there are: {}",
                names.join(", ")
            );
            return Err(self.page().wrong(&(0..0), &what));
        };
        if known.spec.direction != wanted.direction {
            let (is, should_be) = match known.spec.direction {
                Direction::Input => ("an input", "an output"),
                Direction::Output => ("an output", "an input"),
            };
            let what =
                format!("{name} is {is} here, and the scenario needs {should_be}; give it another line");
            return Err(self.page().wrong(&known.place, &what));
        }
        if known.spec.safe != wanted.safe {
            let what = format!(
                "{name} is safe {} here, and its device is safe {}; write safe = \"{}\", and active = \"low\" \
                 or \"high\" for the voltage",
                known.spec.safe, wanted.safe, wanted.safe
            );
            return Err(self.page().wrong(&known.place, &what));
        }
        Ok(known)
    }
}

/// A line under the limits of both.
fn both(device: &LineSpec, board: &LineSpec) -> LineSpec {
    LineSpec {
        max_on: device.max_on.into_iter().chain(board.max_on).min(),
        debounce: device.debounce.max(board.debounce),
        never_with: device.never_with.union(&board.never_with).cloned().collect(),
        ..device.clone()
    }
}
