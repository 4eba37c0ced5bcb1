//! Carries out what a hand does to a stage, and tells it.

use std::{rc::Rc, time::Duration};

use coinop::{
    core::{
        Timestamp,
        board::{Direction, Level},
    },
    network::Link,
    notice::{AlarmState, Fact},
};
use coinop_hardware::sim::SimFault;

use super::{
    DIRECTOR, Stage,
    intervention::{AWAY_MS, By, Intervention, LONGEST_HANG_MS, MAX_PULSES, SHORTEST_PULSE_MS},
};

impl Stage {
    /// Does it when the stage gets to it, and tells what was done or why not.
    pub(crate) fn intervene_soon(self: &Rc<Self>, by: By, what: Intervention) {
        // A refusal is told on the bus.
        self.intervene_then(by, what, drop);
    }

    /// The same, and says to `then` what came of it.
    pub(crate) fn intervene_then(
        self: &Rc<Self>,
        by: By,
        what: Intervention,
        then: impl FnOnce(Result<String, String>) + 'static,
    ) {
        let stage = Rc::clone(self);
        self.shell.agenda().soon(DIRECTOR, async move { then(stage.intervene(by, &what).await) });
    }

    /// Breaks a line in the next way that it can be broken; after the last it is mended.
    pub(crate) fn next_fault(self: &Rc<Self>, line: String) {
        const INPUT: [SimFault; 5] = [
            SimFault::Stuck,
            SimFault::Bouncing,
            SimFault::Late(200),
            SimFault::Lost(5),
            SimFault::Drifting(5),
        ];
        const OUTPUT: [SimFault; 2] = [SimFault::Stuck, SimFault::Welded];
        let known = match self.direction_of(&line) {
            Ok(Direction::Output) => &OUTPUT[..],
            Ok(Direction::Input) | Err(_) => &INPUT[..],
        };
        let has = self.rig.borrow().chip().and_then(|chip| chip.fault_of(&line).ok().flatten());
        let same =
            |one: &SimFault, other: &SimFault| std::mem::discriminant(one) == std::mem::discriminant(other);
        let next = has.map_or(0, |has| known.iter().position(|one| same(one, &has)).map_or(0, |at| at + 1));
        let what = match known.get(next) {
            Some(fault) => Intervention::Fault { line, fault: *fault, for_ms: None },
            None => Intervention::Mend { line },
        };
        self.intervene_soon(By::Hand, what);
    }

    /// Tells what is done, and does it.
    ///
    /// # Errors
    ///
    /// Why it is refused, in words; it has been told as well.
    pub(crate) async fn intervene(self: &Rc<Self>, by: By, what: &Intervention) -> Result<String, String> {
        let words = match self.words_of(what) {
            Ok(words) => words,
            Err(reason) => {
                self.refuse(&reason);
                return Err(reason);
            }
        };
        let fact = match by {
            By::Scenario => Fact::Fault { what: words.clone() },
            By::Hand => {
                let again = serde_json::to_value(what).unwrap_or_default();
                Fact::Intervention { what: words.clone(), again }
            }
        };
        self.tell("director", fact);
        self.carry_out(what).await;
        Ok(words)
    }

    /// What it is in words, if it can be done.
    fn words_of(&self, what: &Intervention) -> Result<String, String> {
        Ok(match what {
            Intervention::Poke { line, level } => {
                self.must_be_an_input(line)?;
                format!("{line} is poked {level}")
            }
            Intervention::Pulses { line, count, every_ms } => {
                self.must_be_an_input(line)?;
                if *count == 0 || *count > MAX_PULSES || *every_ms < SHORTEST_PULSE_MS {
                    return Err(format!(
                        "at most {MAX_PULSES} pulses at least {SHORTEST_PULSE_MS} ms apart can be given, \
                         not {count} every {every_ms} ms"
                    ));
                }
                format!("{line} gives {count} pulses, one each {every_ms} ms")
            }
            Intervention::Fault { line, fault, for_ms } => {
                let direction = self.must_be_simulated(line, "made faulty")?;
                fault.fits(direction).map_err(|reason| format!("{line}: {reason}"))?;
                format!("{line} is {fault}{}", lasting(*for_ms))
            }
            Intervention::Mend { line } => {
                self.direction_of(line)?;
                format!("{line} is mended")
            }
            Intervention::BrownOut { for_ms } => {
                if self.rig.borrow().chip().is_none() {
                    return Err("a real board has its own power: take it away by hand".to_owned());
                }
                format!("the board browns out for {for_ms} ms")
            }
            Intervention::Cut { one, other, for_ms } => {
                [one, other].into_iter().try_for_each(|name| self.must_take_part(name))?;
                format!("the link {one} to {other} is cut{}", lasting(*for_ms))
            }
            Intervention::Join { one, other } => {
                [one, other].into_iter().try_for_each(|name| self.must_take_part(name))?;
                format!("the link {one} to {other} is mended")
            }
            Intervention::Kill { name, for_ms: _ } => self.about(name, "is killed")?,
            Intervention::Hang { for_ms } if *for_ms > LONGEST_HANG_MS => {
                return Err(format!("a hang lasts at most {LONGEST_HANG_MS} ms, not {for_ms}"));
            }
            Intervention::Hang { for_ms } => format!("the runtime hangs for {for_ms} ms"),
            Intervention::DishonestClose { name } => self.about(name, "closes dishonestly")?,
            Intervention::Replay { name } => self.about(name, "replays packages")?,
        })
    }

    async fn carry_out(self: &Rc<Self>, what: &Intervention) {
        match what {
            Intervention::Poke { line, level } => self.poke(line, *level),
            Intervention::Pulses { line, count, every_ms } => self.pulse(line.clone(), *count, *every_ms),
            Intervention::Fault { line, fault, for_ms } => {
                self.fault(line, Some(*fault));
                let line = line.clone();
                self.later(*for_ms, move |stage| stage.over(Intervention::Mend { line }));
            }
            Intervention::Mend { line } => {
                self.fault(line, None);
                self.see_to_the_alarm(line).await;
            }
            Intervention::BrownOut { for_ms } => {
                self.power(Power::Gone);
                self.later(Some(*for_ms), |stage| stage.power(Power::Back));
            }
            Intervention::Cut { one, other, for_ms } => {
                self.set_link(one, other, Link::Cut);
                let (one, other) = (one.clone(), other.clone());
                self.later(*for_ms, move |stage| stage.set_link(&one, &other, Link::Whole));
            }
            Intervention::Join { one, other } => self.set_link(one, other, Link::Whole),
            Intervention::Kill { name, for_ms } => {
                self.kill(name);
                let (stage, name) = (Rc::clone(self), name.clone());
                let back = self.shell.now().after(Duration::from_millis(for_ms.unwrap_or(AWAY_MS)));
                self.shell.agenda().at(back, DIRECTOR, async move { stage.revive(&name).await });
            }
            Intervention::Hang { for_ms } => self.hang(Duration::from_millis(*for_ms)),
            Intervention::DishonestClose { name } => {
                if let Some(party) = self.party(name) {
                    party.close_dishonestly().await;
                }
            }
            Intervention::Replay { name } => {
                if let Some(party) = self.party(name) {
                    party.replay();
                }
            }
        }
    }

    fn later(self: &Rc<Self>, after_ms: Option<u64>, act: impl FnOnce(&Rc<Self>) + 'static) {
        let Some(after_ms) = after_ms else { return };
        let (stage, at) = (Rc::clone(self), self.shell.now().after(Duration::from_millis(after_ms)));
        self.shell.agenda().at(at, DIRECTOR, async move { act(&stage) });
    }

    /// What ends by itself belongs to what began it.
    fn over(self: &Rc<Self>, what: Intervention) {
        self.intervene_soon(By::Scenario, what);
    }

    fn poke(&self, line: &str, level: Level) {
        self.touch(|chip| chip.poke(line, level));
    }

    /// One pulse, and the rest of them on the agenda.
    fn pulse(self: &Rc<Self>, line: String, left: u32, every_ms: u64) {
        let Some(left) = left.checked_sub(1) else { return };
        self.poke(&line, Level::High);
        let fallen = line.clone();
        self.later(Some(every_ms / 2), move |stage| stage.poke(&fallen, Level::Low));
        self.later(Some(every_ms), move |stage| stage.pulse(line, left, every_ms));
    }

    fn fault(&self, line: &str, fault: Option<SimFault>) {
        if self.rig.borrow().chip().is_none() {
            return;
        }
        self.touch(|chip| chip.fault(line, fault));
        let fault = fault.map(|fault| fault.to_string());
        self.tell_of(self.shell.now(), line, Fact::LineFault { line: line.to_owned(), fault });
    }

    fn power(&self, power: Power) {
        self.touch(|chip| {
            match power {
                Power::Gone => chip.brown_out(),
                Power::Back => chip.brown_in(),
            }
            Ok(())
        });
        if power == Power::Back {
            self.tell("director", Fact::Fault { what: "the board has power again".to_owned() });
        }
        let fault = (power == Power::Gone).then(|| "without power".to_owned());
        let now = self.shell.now();
        for (line, _) in self.lines() {
            let own = self.rig.borrow().chip().and_then(|chip| chip.fault_of(&line).ok().flatten());
            let fault = fault.clone().or(own.map(|fault| fault.to_string()));
            self.tell_of(now, &line, Fact::LineFault { line: line.clone(), fault });
        }
    }

    /// Does something to the simulated board, and lets guard and world see it at this very moment.
    fn touch(
        &self,
        act: impl FnOnce(&coinop_hardware::sim::SimChip) -> Result<(), coinop::core::board::BoardError>,
    ) {
        let now = self.shell.now();
        let before = self.rig.borrow_mut().step(now);
        self.hear_or_stop(before);
        self.count(now);
        let done = self.rig.borrow().chip().map_or(Ok(()), act);
        if let Err(error) = done {
            self.refuse(&error.to_string());
        }
        let after = self.rig.borrow_mut().step(now);
        self.hear_or_stop(after);
    }

    /// The alarm about a line is over: somebody has looked at it.
    async fn see_to_the_alarm(self: &Rc<Self>, line: &str) {
        let now = self.shell.now();
        let mended =
            self.things.borrow_mut().iter_mut().find(|thing| thing.power == line).and_then(|thing| {
                let units = thing.leak.units();
                thing.leak.mend(now).then(|| (thing.name.clone(), units, thing.tariff.value(units)))
            });
        let Some((name, units, value)) = mended else { return };
        let fact =
            Fact::Alarm { line: line.to_owned(), state: AlarmState::Mended, units: units.get(), value };
        self.tell_of(now, line, fact);
        if let Some(party) = self.party(&name) {
            party.out_of_order(None).await;
        }
    }

    /// Every line there is, as the board names it.
    fn lines(&self) -> Vec<(String, Direction)> {
        let things = self.things.borrow();
        let lines = self.scenario.thing.iter().zip(things.iter()).flat_map(|(entry, thing)| {
            thing
                .device
                .lines
                .iter()
                .map(move |line| (entry.line(line.name).to_owned(), line.direction, thing))
        });
        let wired = lines.filter(|(line, _, thing)| thing.has(line));
        wired.map(|(line, direction, _)| (line, direction)).collect()
    }

    fn direction_of(&self, line: &str) -> Result<Direction, String> {
        let lines = self.lines();
        lines.iter().find(|(name, _)| name == line).map(|(_, direction)| *direction).ok_or_else(|| {
            let known: Vec<_> = lines.iter().map(|(name, _)| name.as_str()).collect();
            format!("there is no line {line:?}; there are: {}", known.join(", "))
        })
    }

    fn must_be_simulated(&self, line: &str, done: &str) -> Result<Direction, String> {
        let direction = self.direction_of(line)?;
        if self.rig.borrow().chip().is_none() {
            return Err(format!(
                "{line} is a line of a real board, where only the world acts: it cannot be {done} from here; \
                 use --board sim for that"
            ));
        }
        Ok(direction)
    }

    fn must_be_an_input(&self, line: &str) -> Result<(), String> {
        match self.direction_of(line)? {
            Direction::Input => self.must_be_simulated(line, "poked").map(|_| ()),
            Direction::Output => Err(format!(
                "{line} is an output: only the guard drives it, and only while somebody's payment covers it"
            )),
        }
    }

    fn must_take_part(&self, name: &str) -> Result<(), String> {
        let cast = self.cast.borrow();
        if cast.contains_key(name) {
            return Ok(());
        }
        let known: Vec<_> = cast.keys().map(String::as_str).collect();
        Err(format!("there is no party {name:?}; there are: {}", known.join(", ")))
    }

    fn about(&self, name: &str, what: &str) -> Result<String, String> {
        self.must_take_part(name)?;
        Ok(format!("{name} {what}"))
    }

    /// Tells where the world is not as it is driven, and where it is again.
    pub(super) fn tell_the_world(&self, now: Timestamp) {
        let outputs = self.lines().into_iter().filter(|(_, direction)| *direction == Direction::Output);
        let mut news = Vec::new();
        {
            let rig = self.rig.borrow();
            let (Some(chip), mut deviations) = (rig.chip(), self.deviations.borrow_mut()) else { return };
            for (line, _) in outputs {
                let (Ok(driven), Ok(world)) = (chip.level(&line), chip.world(&line)) else { continue };
                let level = (driven != world).then_some(world);
                if deviations.get(&line).copied().flatten() != level {
                    deviations.insert(line.clone(), level);
                    news.push(Fact::World { line, level });
                }
            }
        }
        for fact in news {
            if let Fact::World { line, .. } = &fact {
                let line = line.clone();
                self.tell_of(now, &line, fact);
            }
        }
    }
}

/// Whether the board has power.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    Gone,
    Back,
}

fn lasting(for_ms: Option<u64>) -> String {
    for_ms.map(|ms| format!(" for {ms} ms")).unwrap_or_default()
}
