use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use coinop_core::board::Level;
use coinop_hardware::plant::LampSpec;

use crate::{
    bringup,
    chip::SimulatedChip,
    ends, kill,
    outside::{Outside, Seen},
    report::{Failure, Report, ensure},
    run::{Program, Run},
    story::{SLACK_MS, Story, length, seen_lit, slack},
    tools,
    world::{Kind, Outdoors},
};

/// The output of the scenario, and its input.
pub(crate) const LAMP: &str = "LAMP";
pub(crate) const LIGHT: &str = "LIGHT";
/// How long a whole play may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// How long a run may take until its lamp is lit.
pub(crate) const BEGIN: Duration = Duration::from_secs(20);
/// How long the lamp is lit before anything happens to the program.
const LIT_BEFORE: Duration = Duration::from_millis(300);

/// The program under test, and its lines.
pub(crate) struct Stage<'a> {
    pub(crate) chip: SimulatedChip,
    pub(crate) program: Program<'a>,
    pub(crate) arguments: &'a [&'a str],
}

/// A play of the lamp that was watched.
struct Played {
    story: Story,
    seen: Vec<Seen>,
    lit_ms: u64,
}

/// A play whose lamp is lit.
pub(crate) struct Lit {
    pub(crate) run: Run,
    /// What the witness has seen.
    pub(crate) log: PathBuf,
    #[expect(dead_code, reason = "witness and lamp, as long as it plays")]
    outside: (Outside, Outside),
}

/// Lets the real program play on the kernel's lines, with a lamp and a witness outside, then kills it while
/// the lamp is lit, stops it, and takes away what it needs.
pub(crate) fn check(logs: &str, program: &str, arguments: &[&str]) -> Result<ExitCode, Failure> {
    let chip = SimulatedChip::new("coinop-lamp", &[LAMP, LIGHT])?;
    fs::create_dir_all(logs)?;
    let stage = Stage { chip, program: Program { path: program, logs: Path::new(logs) }, arguments };

    let mut report = Report::default();
    let played = stage.play()?;
    report.check("the program plays to its end and all it expects comes true", played.story.ended_well(0));
    report.check("the lamp is seen lit, and dark at the end", played.lamp_was_lit());
    report.check("the light that the outside lamp made is told", played.light_is_told());
    report.check("the program tells the lamp as the witness saw it", played.told_as_seen());
    let leased = played.story.leased(LAMP, &seen_lit(&played.seen), SLACK_MS);
    report.check("the witness never sees the lamp lit without a lease", leased);
    report.check("killed while the lamp is lit, the program lets go of it", stage.kill());
    ends::check(&mut report, &stage);
    tools::check(&mut report, &stage);
    // Another chip has the same names.
    drop(stage);
    bringup::check(&mut report, program)?;
    Ok(report.end("the program"))
}

impl Stage<'_> {
    fn play(&self) -> Result<Played, Failure> {
        let (witness, lamp, log) = self.outside("play")?;
        let story = self.program.start("play", self.arguments)?.end(PATIENCE)?;
        let truths: Vec<u64> = serde_json::from_str(&lamp.end()?)?;
        witness.end()?;
        Ok(Played { story, seen: Seen::all(&fs::read_to_string(log)?)?, lit_ms: truths.iter().sum() })
    }

    fn kill(&self) -> Result<String, Failure> {
        let mut lit = self.lit("kill", self.arguments)?;
        let after = lit.run.kill(&lit.log)?;
        Ok(format!("{} µs from SIGKILL to darkness, as the witness saw it", after.as_micros()))
    }

    /// Plays with these arguments until the lamp has been lit for a moment.
    pub(crate) fn lit(&self, name: &str, arguments: &[&str]) -> Result<Lit, Failure> {
        let (witness, lamp, log) = self.outside(name)?;
        let mut run = self.program.start(name, arguments)?;
        let path = log.to_string_lossy();
        kill::wait_longer(&path, BEGIN, |seen| seen.level == Level::High)?;
        thread::sleep(LIT_BEFORE);
        // The lamp may be dark between two payments just now.
        kill::wait_until(&path, |seen| seen.level == Level::High)?;
        run.must_play()?;
        Ok(Lit { run, log, outside: (witness, lamp) })
    }

    fn outside(&self, run: &str) -> Result<(Outside, Outside, PathBuf), Failure> {
        let log = self.program.log(run, "witness");
        let witness = Outside::witness(&self.chip.line(LAMP), &log.to_string_lossy())?;
        Ok((witness, Outside::world(&lamp(&self.chip, LAMP, LIGHT))?, log))
    }
}

/// A lamp on these lines of a chip.
pub(crate) fn lamp(chip: &SimulatedChip, lamp: &str, light: &str) -> Outdoors {
    let spec = LampSpec { lamp: lamp.to_owned(), light: light.to_owned(), ..LampSpec::default() };
    let lines = [lamp, light].map(|line| (line.to_owned(), chip.line(line))).into();
    Outdoors { lines, plants: vec![Kind::Lamp(spec)], ..Outdoors::default() }
}

impl Played {
    fn lamp_was_lit(&self) -> Result<String, Failure> {
        let last = self.seen.last().ok_or("the witness saw nothing")?;
        ensure(last.level == Level::Low, || "lit at the end".to_owned())?;
        let spans = seen_lit(&self.seen);
        ensure(!spans.is_empty(), || "never lit".to_owned())?;
        let lit: u64 = length(&spans);
        ensure(lit.abs_diff(self.lit_ms) <= slack(&spans), || {
            format!("{lit} ms as the witness saw it, {} ms as the lamp says", self.lit_ms)
        })?;
        Ok(format!("{} times, {lit} ms", spans.len()))
    }

    fn light_is_told(&self) -> Result<String, Failure> {
        let told = self.story.lit(LIGHT).len();
        let times = seen_lit(&self.seen).len();
        ensure(told > 0, || format!("no edge of {LIGHT} was told, and the lamp was lit {times} times"))?;
        Ok(format!("{told} times"))
    }

    fn told_as_seen(&self) -> Result<String, Failure> {
        let (told, seen) = (self.story.lit(LAMP), seen_lit(&self.seen));
        ensure(told.len() == seen.len(), || {
            format!("{} times as told, {} times as seen", told.len(), seen.len())
        })?;
        let (told_ms, seen_ms) = (length(&told), length(&seen));
        ensure(told_ms.abs_diff(seen_ms) <= slack(&seen), || {
            format!("{told_ms} ms as told, {seen_ms} ms as seen")
        })?;
        Ok(format!("{told_ms} ms as told, {seen_ms} ms as seen"))
    }
}
