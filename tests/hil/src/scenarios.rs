//! The program's own scenarios on the kernel's lines, with the world and its faults outside.

mod cases;

use std::{fs, path::Path, process::ExitCode, thread, time::Duration};

use crate::{
    chip::SimulatedChip,
    outside::{Outside, Seen},
    report::{Failure, Report, ensure},
    run::Program,
    story::{Span, Story, seen_lit},
    world::{Kind, Outdoors, Planned},
};

/// How many are played at the same time: they share one processor.
const AT_ONCE: usize = 2;
/// How late a line may be off, each time it was on: the guard's thread wakes late on this kernel.
const LATE_MS: u64 = 50;
/// The same as a witness sees it, who is late as well.
const SEEN_LATE_MS: u64 = 100;
/// How long one may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A scenario, and the world it is played in.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The scenario's file, and what is different here.
    pub(crate) text: &'static str,
    pub(crate) changes: &'static [(&'static str, &'static str)],
    pub(crate) outputs: &'static [&'static str],
    pub(crate) inputs: &'static [&'static str],
    pub(crate) plants: Vec<Kind>,
    pub(crate) plan: Vec<Planned>,
    /// What somebody does to a line by `coinop poke`, and when.
    pub(crate) hand: Option<(Duration, &'static [&'static str])>,
    /// What the truths of its plants cost, in bytes; `None` where the plants do not know all of it.
    pub(crate) worth: Option<fn(&[u64]) -> u64>,
}

/// What came of it.
pub(crate) struct Watched {
    story: Story,
    /// When the witness of each output saw it on.
    seen: Vec<(&'static str, Vec<Span>)>,
    truths: Vec<u64>,
}

/// Plays all of them, some at a time.
pub(crate) fn check(logs: &str, program: &str) -> Result<ExitCode, Failure> {
    fs::create_dir_all(logs)?;
    let program = Program { path: program, logs: Path::new(logs) };
    let mut outcomes = Vec::new();
    for together in cases::all().chunks(AT_ONCE) {
        thread::scope(|scope| {
            let plays: Vec<_> = together.iter().map(|case| scope.spawn(move || case.play(program))).collect();
            outcomes.extend(plays.into_iter().map(|play| {
                play.join().unwrap_or_else(|panic| Err(format!("the check panicked: {panic:?}").into()))
            }));
        });
    }
    let mut report = Report::default();
    cases::judge(&mut report, outcomes);
    Ok(report.end("the world outside"))
}

impl Case {
    fn play(&self, program: Program<'_>) -> Result<String, Failure> {
        let watched = self.watch(program)?;
        let ended = watched.story.ended_well(LATE_MS * watched.times_on())?;
        let leases = watched.leased()?;
        let worth = self.worth.map(|worth| worth(&watched.truths));
        let money = worth.map(|worth| watched.agrees(worth)).transpose()?.unwrap_or_default();
        let short = worth.unwrap_or_default().saturating_sub(watched.story.accounts().0);
        let evidence = cases::evidence(self.name, &watched, short)?;
        Ok(format!("{ended}; {leases}{money}{evidence}"))
    }

    fn watch(&self, program: Program<'_>) -> Result<Watched, Failure> {
        let names = [self.outputs, self.inputs].concat();
        let chip = SimulatedChip::new(&format!("coinop-{}", self.name), &names)?;
        let lines = names.iter().map(|line| ((*line).to_owned(), chip.line(line))).collect();
        let world =
            Outside::world(&Outdoors { lines, plants: self.plants.clone(), plan: self.plan.clone() })?;
        let mut witnesses = Vec::new();
        for output in self.outputs {
            let log = program.log(&format!("{}-{output}", self.name), "witness");
            witnesses.push((*output, Outside::witness(&chip.line(output), &log.to_string_lossy())?, log));
        }
        let scenario = program.log(self.name, "toml");
        fs::write(&scenario, self.text()?)?;
        let (scenario, board) = (scenario.to_string_lossy(), format!("gpiochip:{}", chip.name));
        let words = ["play", &*scenario, "--headless", "--json", "--board", &*board];
        let mut run = program.start(self.name, &words)?;
        if let Some((after, words)) = self.hand {
            thread::sleep(after);
            run.poke(program, words)?;
        }
        let story = run.end(PATIENCE)?;
        let truths = serde_json::from_str(&world.end()?)?;
        let mut seen = Vec::new();
        for (output, witness, log) in witnesses {
            witness.end()?;
            seen.push((output, seen_lit(&Seen::all(&fs::read_to_string(log)?)?)));
        }
        Ok(Watched { story, seen, truths })
    }

    /// The scenario without the faults of its lines, which are outside here, and with what is different.
    fn text(&self) -> Result<String, Failure> {
        let mut text = without_faults_of_lines(self.text);
        for (from, to) in self.changes {
            ensure(text.contains(from), || format!("{}: there is no {from:?} any more", self.name))?;
            text = text.replace(from, to);
        }
        Ok(text)
    }
}

impl Watched {
    fn leased(&self) -> Result<String, Failure> {
        let mut leases = Vec::new();
        for (output, seen) in &self.seen {
            leases.push(format!("{output} {}", self.story.leased(output, seen, SEEN_LATE_MS)?));
        }
        Ok(leases.join(", "))
    }

    /// Whether the signed accounts, and what leaked, are what the world outside truly gave, within a step of
    /// each session.
    fn agrees(&self, worth: u64) -> Result<String, Failure> {
        let leaked = self.story.summary()?["leaked_value"].as_u64().unwrap_or(0);
        let (accounts, step) = self.story.accounts();
        ensure((accounts + leaked).abs_diff(worth) <= step, || {
            format!("{accounts} B in accounts and {leaked} B leaked, for what was truly worth {worth} B")
        })?;
        Ok(format!("; {accounts} B for what was truly worth {worth} B, {leaked} B of it leaked"))
    }

    fn times_on(&self) -> u64 {
        self.seen.iter().map(|(_, seen)| seen.len() as u64).sum()
    }

    /// For how long an output was dark before the last time it was on, at the longest, in milliseconds.
    pub(crate) fn longest_dark(&self, output: &str) -> u64 {
        let seen = self.seen.iter().find(|(name, _)| *name == output).map_or(&[][..], |(_, seen)| seen);
        seen.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].1)).max().unwrap_or(0)
    }
}

/// A paragraph of the file is one entry.
fn without_faults_of_lines(text: &str) -> String {
    let own = ["stuck", "welded", "bouncing", "late", "lost", "drifting", "brown-out"];
    let of_a_line = |entry: &&str| {
        entry.starts_with("[[fault]]")
            && entry.lines().any(|line| own.iter().any(|word| line.starts_with(&format!("{word} ="))))
    };
    text.split("\n\n").filter(|entry| !of_a_line(entry)).collect::<Vec<_>>().join("\n\n")
}
