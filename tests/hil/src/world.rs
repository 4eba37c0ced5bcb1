use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, SystemTime},
};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, Direction, Level, LineSpec},
};
use coinop_hardware::{
    plant::{Car, CarSpec, Door, DoorSpec, Lamp, LampSpec, Plant, Wires, World, Worlds, sysfs::SysfsWires},
    sim::{SimBoard, SimChip, SimFault},
};
use serde::{Deserialize, Serialize};

use crate::{
    outside::{micros, stop_when_input_closes},
    report::Failure,
};

/// How often the world is stepped.
const STEP: Duration = Duration::from_millis(2);

/// How far two changes of one line are apart at least: this kernel tells closer ones as one.
const APART: Duration = Duration::from_millis(10);

/// A world outside: the kernel's lines, what is behind them, and what goes wrong there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outdoors {
    /// The folders in which the kernel shows the lines, by the names that the plants have for them.
    pub(crate) lines: BTreeMap<String, PathBuf>,
    pub(crate) plants: Vec<Kind>,
    pub(crate) plan: Vec<Planned>,
}

/// What is behind the lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    Lamp(LampSpec),
    Car(CarSpec),
    Door(DoorSpec),
}

/// Something that goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Planned {
    pub(crate) wrong: Wrong,
    /// How long after an output was on for the first time; `None` is from the beginning.
    pub(crate) after_ms: Option<u64>,
    /// For how long; `None` is until the end.
    pub(crate) lasts_ms: Option<u64>,
}

/// What goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Wrong {
    /// A wire between the board and the world.
    Line(String, SimFault),
    /// The power of all of it.
    BrownOut,
}

/// The kernel's lines at one end, the worlds at the other, and between them wires that can be faulty: those
/// of the simulated board.
struct Bridge {
    kernel: SysfsWires,
    chip: SimChip,
    wires: SimBoard,
    worlds: Worlds<SimChip>,
    plants: usize,
    plan: Vec<Due>,
    first_on: Option<Timestamp>,
}

/// Something that goes wrong, and how far it is.
struct Due {
    planned: Planned,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Coming,
    Wrong,
    Over,
}

/// Is the world until its input closes; then says what each plant truly delivered.
pub(crate) fn live(spec: &str) -> Result<ExitCode, Failure> {
    let mut bridge = Bridge::new(serde_json::from_str(spec)?)?;
    bridge.pull()?;
    let stop = stop_when_input_closes();
    while !stop.is_finished() {
        bridge.step(Timestamp::from_millis(micros(SystemTime::now()) / 1_000))?;
        thread::sleep(STEP);
    }
    let truths: Vec<_> = (0..bridge.plants).filter_map(|plant| bridge.worlds.truth(plant)).collect();
    println!("{}", serde_json::to_string(&truths)?);
    Ok(ExitCode::SUCCESS)
}

impl Bridge {
    fn new(Outdoors { lines, plants, plan }: Outdoors) -> Result<Self, Failure> {
        let plants: Vec<Box<dyn Plant>> = plants.into_iter().map(Kind::plant).collect();
        let specs: Vec<LineSpec> = plants.iter().flat_map(|plant| plant.lines()).collect();
        let chip = SimChip::new(specs);
        Ok(Self {
            kernel: SysfsWires::new(lines),
            wires: chip.board()?,
            plants: plants.len(),
            worlds: Worlds::new(plants.into_iter().map(|plant| World::new(chip.clone(), plant)).collect()),
            plan: plan.into_iter().map(|planned| Due { planned, stage: Stage::Coming }).collect(),
            first_on: None,
            chip,
        })
    }

    /// Every input begins as it is here, whatever an earlier world has left.
    fn pull(&self) -> Result<(), BoardError> {
        self.names(Direction::Input)
            .iter()
            .try_for_each(|line| self.kernel.poke(line, self.chip.level(line)?))
    }

    fn names(&self, direction: Direction) -> Vec<String> {
        let specs = self.wires.lines().iter().filter(|spec| spec.direction == direction);
        specs.map(|spec| spec.name.clone()).collect()
    }

    fn step(&mut self, now: Timestamp) -> Result<(), BoardError> {
        for line in self.names(Direction::Output) {
            let level = self.kernel.output(&line)?;
            if level == Level::High {
                self.first_on.get_or_insert(now);
            }
            self.wires.drive(&line, level)?;
        }
        for due in &mut self.plan {
            due.look(now, self.first_on, &self.chip)?;
        }
        self.worlds.step(now)?;
        let mut last = None;
        for edge in self.wires.edges(now)? {
            if last.as_ref() == Some(&edge.line) {
                thread::sleep(APART);
            }
            self.kernel.poke(&edge.line, edge.level)?;
            last = Some(edge.line);
        }
        Ok(())
    }
}

impl Due {
    fn look(
        &mut self,
        now: Timestamp,
        first_on: Option<Timestamp>,
        chip: &SimChip,
    ) -> Result<(), BoardError> {
        let Planned { wrong, after_ms, lasts_ms } = &self.planned;
        let begins = match after_ms {
            None => Some(now),
            Some(after) => first_on.map(|on| on.after(Duration::from_millis(*after))),
        };
        let ends = begins.zip(*lasts_ms).map(|(begins, lasts)| begins.after(Duration::from_millis(lasts)));
        if self.stage == Stage::Coming && begins.is_some_and(|at| at <= now) {
            self.stage = Stage::Wrong;
            match wrong {
                Wrong::Line(line, fault) => chip.fault(line, Some(*fault))?,
                Wrong::BrownOut => chip.brown_out(),
            }
        }
        if self.stage == Stage::Wrong && ends.is_some_and(|at| at <= now) {
            self.stage = Stage::Over;
            match wrong {
                Wrong::Line(line, _) => chip.fault(line, None)?,
                Wrong::BrownOut => chip.brown_in(),
            }
        }
        Ok(())
    }
}

impl Kind {
    fn plant(self) -> Box<dyn Plant> {
        match self {
            Self::Lamp(spec) => Box::new(Lamp::new(spec)),
            Self::Car(spec) => Box::new(Car::new(spec)),
            Self::Door(spec) => Box::new(Door::new(spec)),
        }
    }
}
