//! `coinop board test`: walks the lines of a board, every output through the guard and under a lease.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, IsTerminal as _, Write},
    path::Path,
    process::ExitCode,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, TryRecvError, sync_channel},
    },
    thread,
    time::Duration,
};

use coinop::{
    core::board::{Direction, Level, LineSpec},
    run::{Clock, Pace},
};
use coinop_hardware::{guard::Report, survey::Survey};
use color_eyre::eyre::bail;
use serde_json::json;

use super::{
    bench::{Bench, Taken},
    outcome::{self, Outcome, State},
    walk::{Act, How, Walk},
};
use crate::{args::BoardTest, play::START, rig, signals, table};

/// How often the guard and the person are heard.
const LOOK: Duration = Duration::from_millis(5);
/// How many typed lines may wait.
const TYPED: usize = 16;

/// Tries the lines, and says how each did; the exit code says whether the board is well.
pub(super) fn test(options: &BoardTest) -> color_eyre::Result<ExitCode> {
    if !options.yes && !io::stdin().is_terminal() {
        bail!(
            "stdin is no terminal, so nobody can answer: run it in one (over ssh: ssh -t), or add --yes, which \
             asks nothing and checks what the board itself can read back"
        );
    }
    let bench = Bench::of(&options.board)?;
    let plan = bench.plan.clone();
    let taken = bench.take(&options.lines, &Survey::of(Path::new("/")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let walked = tokio::task::LocalSet::new().block_on(&runtime, async {
        let stop = signals::stop_on_signal_or_hangup();
        let clock = Clock::new(Pace::Real(1.0), START);
        let kind = if plan.keeps_real_time() {
            rig::Kind::Real(plan, clock.clone())
        } else {
            rig::Kind::Paced(plan, clock.clone(), 1.0)
        };
        let Taken { tried, held, plants } = taken;
        let rig = rig::Rig::new(kind, held.clone(), plants, None, clock.now())?;
        let how = How { asks: !options.yes, on: options.on, wait: options.wait };
        let typed = if options.yes { None } else { Some(typed()?) };
        let walk = Walk::new(&tried, how, clock.now());
        let mut out = Out { quiet: options.json, question: None };
        let mut round = Round { rig, clock, walk, typed, held, levels: BTreeMap::new() };
        round.walk(&stop, &mut out).await?;
        round.end()
    })?;
    conclude(options, &walked)
}

/// What came of it.
struct Walked {
    lines: Vec<(LineSpec, Outcome)>,
    /// The outputs that could not be put back.
    left_on: Vec<String>,
}

/// Says what came of it.
fn conclude(options: &BoardTest, walked: &Walked) -> color_eyre::Result<ExitCode> {
    let Walked { lines, left_on } = walked;
    let states: Vec<State> = lines.iter().map(|(_, outcome)| outcome.state).collect();
    let is_passed = outcome::is_passed(&states, options.strict) && left_on.is_empty();
    let mut out = io::stdout().lock();
    if options.json {
        let told = |(spec, outcome): &(LineSpec, Outcome)| {
            let LineSpec { name, direction, .. } = spec;
            json!({"line": name, "direction": direction, "state": outcome.state, "what": outcome.what})
        };
        let lines: Vec<_> = lines.iter().map(told).collect();
        let board = options.board.to_string();
        let line = json!({"v": 1, "board_test": {
            "board": board, "passed": is_passed, "left_on": left_on, "lines": lines,
        }});
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    } else {
        outcome::print(&mut out, lines)?;
        writeln!(out)?;
        if left_on.is_empty() {
            writeln!(out, "every output is at its safe level")?;
        } else {
            let left_on = left_on.join(", ");
            table::row(&mut out, "DANGER  ", &format!("could not be put back, cut its supply: {left_on}"))?;
        }
        writeln!(out, "{}: {}", options.board, outcome::verdict(&states, is_passed))?;
    }
    Ok(if is_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What somebody types, a line at a time; closed at its end.
fn typed() -> io::Result<Receiver<String>> {
    let (sender, typed) = sync_channel(TYPED);
    // It ends with its input, or with the process: a terminal that is waited for cannot be woken.
    thread::Builder::new().name("typed".to_owned()).spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(typed)
}

/// The hardware, and who walks.
struct Round {
    rig: rig::Rig,
    clock: Clock,
    walk: Walk,
    typed: Option<Receiver<String>>,
    held: Vec<LineSpec>,
    /// The level that each output was driven to last.
    levels: BTreeMap<String, Level>,
}

impl Round {
    async fn walk(&mut self, stop: &AtomicBool, out: &mut Out) -> color_eyre::Result<()> {
        loop {
            let now = self.clock.now();
            for report in self.rig.step(now)? {
                self.note(&report);
                self.walk.hear(now, report);
            }
            self.hear_typed(out);
            if stop.load(Ordering::Relaxed) {
                self.walk.stop("interrupted");
            }
            let acts = self.walk.step(now);
            for act in acts {
                self.act(act, out)?;
            }
            if self.walk.is_over() {
                return Ok(out.end()?);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn hear_typed(&mut self, out: &mut Out) {
        let Some(typed) = &self.typed else { return };
        loop {
            match typed.try_recv() {
                Ok(text) => {
                    out.question = None;
                    self.walk.typed(self.clock.now(), &text);
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.typed = None;
                    self.walk.typed(self.clock.now(), "quit");
                    return;
                }
            }
        }
    }

    fn act(&mut self, act: Act, out: &mut Out) -> color_eyre::Result<()> {
        let now = self.clock.now();
        let reports = match act {
            Act::Lease { line, until } => self.rig.lease(now, &line, until)?,
            Act::Release { line } => self.rig.release(now, &line)?,
            Act::Look { line } => self.rig.look(now, &line),
            Act::Say(text) => return Ok(out.say(&text)?),
            Act::Ask(question) => return Ok(out.ask(question)?),
        };
        for report in reports {
            self.walk.hear(now, report);
        }
        Ok(())
    }

    /// Lets go of the lines before anything more is printed: nobody may be reading.
    fn end(mut self) -> color_eyre::Result<Walked> {
        for report in self.rig.end(self.clock.now())? {
            self.note(&report);
        }
        let Self { rig, walk, held, levels, .. } = self;
        drop(rig);
        let lines = walk.outcomes().into_iter().map(|(spec, outcome)| (spec.clone(), outcome)).collect();
        let is_unsafe = |spec: &LineSpec| levels.get(&spec.name).is_some_and(|level| *level != spec.safe);
        let outputs = held.iter().filter(|spec| spec.direction == Direction::Output);
        let left_on = outputs.filter(|spec| is_unsafe(spec)).map(|spec| spec.name.clone()).collect();
        Ok(Walked { lines, left_on })
    }

    fn note(&mut self, report: &Report) {
        if let Report::Line { line, level, .. } = report {
            self.levels.insert(line.clone(), *level);
        }
    }
}

/// What is shown meanwhile.
struct Out {
    quiet: bool,
    /// The question that nobody has answered yet.
    question: Option<String>,
}

impl Out {
    /// A line; a question that stands there is put again below it.
    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        if self.question.is_some() {
            writeln!(out)?;
        }
        let (indent, text) = text.split_at(text.len() - text.trim_start().len());
        table::row(&mut out, indent, text)?;
        if let Some(question) = &self.question {
            write!(out, "{question}")?;
        }
        out.flush()
    }

    fn ask(&mut self, question: String) -> io::Result<()> {
        let mut out = io::stdout().lock();
        write!(out, "{question}")?;
        self.question = Some(question);
        out.flush()
    }

    fn end(&mut self) -> io::Result<()> {
        if self.question.take().is_some() { writeln!(io::stdout()) } else { Ok(()) }
    }
}
