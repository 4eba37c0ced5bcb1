//! A board with the lines that are to be tried, and the simulated worlds behind them.

use coinop::core::{
    Timestamp,
    board::{Direction, LineSpec},
};
use coinop_hardware::{driver::Driver, plant::Plant, survey::Survey, wiring::Wiring};
use color_eyre::eyre::bail;

use crate::{
    args::BoardChoice,
    board::Plan,
    scenario::{BUILT_IN, Scenario},
    stage,
};

/// The scenarios that have, together, every line that the kit knows by name.
const ALL_LINES: [&str; 2] = ["light", "street"];

/// A board and its lines.
pub(super) struct Bench {
    pub(super) plan: Plan,
    /// The lines it has, with their limits.
    pub(super) lines: Vec<LineSpec>,
    /// Where they are.
    pub(super) wiring: Wiring,
    worlds: Vec<Box<dyn Plant>>,
}

/// What a test takes of a board.
pub(super) struct Taken {
    /// The lines that are tried.
    pub(super) tried: Vec<LineSpec>,
    /// The lines that are held meanwhile, those among them.
    pub(super) held: Vec<LineSpec>,
    /// The simulated worlds behind them.
    pub(super) plants: Vec<Box<dyn Plant>>,
}

impl Bench {
    /// The lines of a file; of a driver those that the kit's scenarios use.
    pub(super) fn of(choice: &BoardChoice) -> color_eyre::Result<Self> {
        let plan = Plan::of(choice)?;
        let (worlds, known) = kit()?;
        let lines: Vec<LineSpec> = match &plan {
            Plan::Names { .. } => known,
            Plan::File(file) => file.lines().map(|(spec, _)| spec.clone()).collect(),
        };
        let (wiring, lines) = plan.fit(&lines)?;
        Ok(Self { plan, lines, wiring, worlds })
    }

    /// The lines of these names; when none is said all of them, as far as a driver's chips have them.
    pub(super) fn take(self, wanted: &[String], survey: &Survey) -> color_eyre::Result<Taken> {
        let names = || self.lines.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", ");
        for line in wanted {
            if !self.lines.iter().any(|spec| spec.name == *line) {
                bail!(
                    "there is no line {line} to test; there are: {}. For other lines write a board file: it \
                     says which way a line points and at which level it is safe",
                    names()
                );
            }
        }
        let is_there = |spec: &&LineSpec| match &self.plan {
            _ if !wanted.is_empty() => wanted.contains(&spec.name),
            Plan::Names { driver: Driver::Gpiochip | Driver::Linux, chip } => {
                has(survey, chip.as_deref(), spec)
            }
            Plan::Names { driver: Driver::Sim | Driver::Rpi, .. } | Plan::File(_) => true,
        };
        let tried: Vec<LineSpec> = self.lines.iter().filter(is_there).cloned().collect();
        if tried.is_empty() {
            bail!(
                "no line here is called as the kit's are ({}); `coinop doctor` shows the lines there are, and a \
                 board file gives them these names",
                names()
            );
        }
        if self.plan.keeps_real_time() {
            let held = self.lines.iter().filter(|spec| is_held(spec, &tried)).cloned().collect();
            return Ok(Taken { tried, held, plants: Vec::new() });
        }
        let has = |line: &LineSpec| self.lines.iter().any(|spec| spec.name == line.name);
        let plants = self.worlds.into_iter().filter(|plant| plant.lines().iter().all(has)).collect();
        Ok(Taken { tried, held: self.lines, plants })
    }
}

/// A line is held that is tried, or that is never on with one that is: nobody else may drive it meanwhile.
fn is_held(spec: &LineSpec, tried: &[LineSpec]) -> bool {
    let excludes =
        |other: &LineSpec| spec.never_with.contains(&other.name) || other.never_with.contains(&spec.name);
    tried.iter().any(|other| other.name == spec.name || excludes(other))
}

fn has(survey: &Survey, chip: Option<&str>, spec: &LineSpec) -> bool {
    survey.chosen(chip).any(|chip| chip.lines.iter().any(|line| line.name == spec.name))
}

/// Every line that the kit's scenarios know by name, and the worlds behind them.
fn kit() -> color_eyre::Result<stage::Worlds> {
    let (mut plants, mut lines) = (Vec::new(), Vec::new());
    let scenarios = ALL_LINES.iter().filter_map(|wanted| BUILT_IN.iter().find(|(name, _)| name == wanted));
    for (name, text) in scenarios {
        let scenario = Scenario::parse(&format!("{name}.toml"), text)?;
        let (worlds, of_scenario) = stage::worlds(&scenario, Timestamp::default())?;
        plants.extend(worlds);
        lines.extend(of_scenario);
    }
    lines.sort_by_key(|spec: &LineSpec| spec.direction == Direction::Input);
    Ok((plants, lines))
}

#[cfg(test)]
mod tests {
    use coinop_hardware::{
        board_file::BoardFile,
        survey::{Access, Chip, Device, Line},
    };

    use super::*;

    const SHUTTER: &str = r#"
title = "A shutter"
driver = "gpiochip"

[[line]]
name = "UP"
direction = "output"
safe = "low"

[[line]]
name = "DOWN"
direction = "output"
safe = "low"
never-with = ["UP"]

[[line]]
name = "BELL"
direction = "output"
safe = "low"
"#;

    fn chip_with(names: &[&str]) -> Survey {
        let device = Device { path: "/dev/gpiochip0".to_owned(), access: Access::Granted };
        let line = |name: &&str| Line { offset: 0, name: (*name).to_owned(), used_by: None };
        let lines = names.iter().map(line).collect();
        let chip = Chip { device, label: "bench".to_owned(), lines, trouble: None, links: Vec::new() };
        Survey { chips: vec![chip], ..Survey::default() }
    }

    fn shutter() -> Bench {
        let file = BoardFile::parse("shutter.toml", SHUTTER).unwrap();
        let lines: Vec<LineSpec> = file.lines().map(|(spec, _)| spec.clone()).collect();
        let (wiring, lines) = file.fit(&lines).unwrap();
        Bench { plan: Plan::File(Box::new(file)), lines, wiring, worlds: Vec::new() }
    }

    fn names(lines: &[LineSpec]) -> Vec<&str> {
        lines.iter().map(|spec| spec.name.as_str()).collect()
    }

    #[test]
    fn what_is_never_on_with_a_line_is_held_while_that_one_is_tried() {
        for line in ["UP", "DOWN"] {
            let taken = shutter().take(&[line.to_owned()], &Survey::default()).unwrap();

            assert_eq!((names(&taken.tried), names(&taken.held)), (vec![line], vec!["UP", "DOWN"]));
        }
        let bell = shutter().take(&["BELL".to_owned()], &Survey::default()).unwrap();
        assert_eq!(names(&bell.held), ["BELL"]);
    }

    #[test]
    fn a_driver_tries_the_kit_s_lines_that_its_chips_have() {
        let of_chips = || {
            let choice = BoardChoice::Driver { driver: Driver::Gpiochip, chip: None };
            Bench::of(&choice).unwrap()
        };

        let taken = of_chips().take(&[], &chip_with(&["LIGHT", "GPIO4", "LAMP"])).unwrap();
        let none = of_chips().take(&[], &chip_with(&["GPIO17"])).err().unwrap();

        assert_eq!((names(&taken.tried), names(&taken.held)), (vec!["LAMP", "LIGHT"], vec!["LAMP", "LIGHT"]));
        assert!(none.to_string().contains("a board file gives them these names"), "{none}");
    }

    #[test]
    fn the_simulated_board_has_every_line_of_the_kit_and_the_worlds_behind_them() {
        let choice = BoardChoice::Driver { driver: Driver::Sim, chip: None };

        let taken = Bench::of(&choice).unwrap().take(&["LIGHT".to_owned()], &Survey::default()).unwrap();

        assert_eq!(names(&taken.tried), ["LIGHT"]);
        assert!(taken.held.len() == 12 && taken.plants.len() == 5, "{:?}", names(&taken.held));
    }
}
