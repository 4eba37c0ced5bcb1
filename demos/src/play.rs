//! Plays a scenario: headless or in the terminal UI, in memory or durable.

mod elsewhere;

use std::{
    cell::RefCell,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use coinop::{
    agenda::Agenda,
    core::{Timestamp, obyte::hash::sha256},
    journal::{Apart, Journal, JournalError, MemoryJournal},
    notice::{Bus, Notice},
    restore::Restored,
    run::{self, Clock, Control, Ended, Pace},
    shell::Shell,
    tui::{Action, Screen},
};
use color_eyre::eyre::{WrapErr as _, bail};

use self::elsewhere::{before, elsewhere, seed_of_keys, start};
use crate::{
    args::Play,
    board::Plan,
    book::{self, Book},
    breadboard::{Breadboard, door},
    folder::{self, Manifest},
    rig,
    scenario::{Due, Expect, Place, Scenario, Verdict},
    show, signals,
    stage::{self, Begin, By, Intervention, Stage},
    tally::Tally,
};

/// When every scenario begins: 1 January 2026, so that the same seed gives the same units.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// How long a brown-out by key lasts, in milliseconds.
const BROWN_OUT_MS: u64 = 500;

/// Plays a scenario to its end.
pub(crate) fn play(options: &Play) -> color_eyre::Result<ExitCode> {
    let (scenario, text) = Scenario::load(&options.scenario)?;
    let plan = Plan::of(&options.board)?;
    if plan.keeps_real_time() && options.speed.0 != Pace::Real(1.0) {
        bail!("a real board plays at speed 1 only: leave --speed out, or use --board sim");
    }
    if options.hub.is_some() && options.speed.0 != Pace::Real(1.0) {
        bail!("a ledger behind a hub keeps real time: leave --speed out");
    }
    fitting_meters(options, &plan, &scenario)?;
    plan.fit(&stage::lines(&scenario, START)?)?;
    let (journal, restored) = journal(options, text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, Run { options, scenario, plan, journal, restored }.play())
}

/// A real meter keeps real time, and a simulated one measures the simulated world.
fn fitting_meters(options: &Play, plan: &Plan, scenario: &Scenario) -> color_eyre::Result<()> {
    for place in scenario.meter_places() {
        match place {
            Place::Device(path) if options.speed.0 != Pace::Real(1.0) => {
                bail!("{path} measures at speed 1 only: leave --speed out, or take a simulated meter")
            }
            Place::Simulated if plan.keeps_real_time() => {
                bail!("a simulated meter measures nothing on a real board: say which device it is")
            }
            Place::Device(_) | Place::Simulated => {}
        }
    }
    Ok(())
}

fn journal(options: &Play, text: String) -> color_eyre::Result<(Box<dyn Journal>, Restored)> {
    let Some(path) = &options.data_dir else {
        return Ok((Box::<MemoryJournal>::default(), Restored::default()));
    };
    let manifest = Manifest { scenario: options.scenario.clone(), text, seed: options.seed };
    let opened = folder::open(path, &manifest)?;
    if opened.repaired {
        let mut err = io::stderr().lock();
        writeln!(
            err,
            "{}: the last run was not closed; everything it had committed is there",
            path.display()
        )?;
    }
    let restored = Restored::new(opened.journal.entries()?);
    // When a thread is done is chance: virtual time commits inline.
    if options.speed.0 == Pace::Max {
        return Ok((Box::new(opened.journal), restored));
    }
    Ok((Box::new(Apart::new(opened.journal)?), restored))
}

struct Run<'a> {
    options: &'a Play,
    scenario: Scenario,
    plan: Plan,
    journal: Box<dyn Journal>,
    restored: Restored,
}

/// Falls when a run is over, whatever ends it. What is still on the agenda holds the stage, and with it the
/// guard, whose end drives the lines safe.
struct Curtain(Agenda);

impl Drop for Curtain {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// What listens to the bus.
struct Ears {
    book: Book,
    broken_pipe: bool,
}

impl Run<'_> {
    async fn play(self) -> color_eyre::Result<ExitCode> {
        let Self { options, scenario, plan, journal, restored } = self;
        let start = start(options);
        let now = restored.latest().unwrap_or(before(options, start));
        let begun = now.max(start);
        let whole = scenario.length.0;
        let until = begun.after(options.length.unwrap_or(whole));
        let clock = Clock::new(Pace::Paused(1.0), begun);
        let bus = Bus::default();
        let expectations = expectations(&scenario);
        let book = Book::restore(&restored, &expectations)?;
        let ears = Rc::new(RefCell::new(Ears { book: book.clone(), broken_pipe: false }));
        let seed = sha256(format!("coinop chance {} {}", options.seed, now.millis()).as_bytes());
        let shell = Shell::new(Agenda::new(now), bus.clone(), journal, start, seed);
        let curtain = Curtain(shell.agenda().clone());
        let rig = rig_kind(&plan, options, &clock);
        if options.data_dir.is_some() {
            shell.keep(book::STREAM, Box::new(book.scribe(expectations.clone())));
        }
        let name = options.scenario.clone();
        let seed = seed_of_keys(options, start);
        let elsewhere = elsewhere(options, &scenario, seed, &shell, &ears).await?;
        // Before the screen: a signal from now on gives it back.
        let stop = signals::stop_on_signal();
        let screen = screen(options, &scenario, &bus)?;
        listen(&bus, &ears, &scenario, options, screen.is_some());
        let watchdog = options.watchdog.clone();
        let opening = Begin { shell: shell.clone(), scenario, seed, rig, watchdog, restored, elsewhere };
        let breadboard = Breadboard::listening_to(&bus);
        let stage = Stage::build(opening).await?;
        let door = door(options, &stage, &breadboard);
        clock.set_pace(options.speed.0);
        let frame = Frame { stage: &stage, ears: &ears, stop: &stop, clock: &clock, plan: &plan };
        let ended = run_to_the_end(&shell, until, &frame, screen, options)
            .await
            .wrap_err("nothing more can be recorded")?;
        if ended == Ended::Quit {
            stage.end();
        }
        stage.audit();
        shell.settle()?;
        shell.close();
        if let Some(error) = stage.take_trouble() {
            return Err(error.into());
        }
        let unleased = stage.unleased_on().as_millis();
        // The lines are safe before anything is printed: nobody may be reading.
        drop((door, stage, curtain));
        let at = shell.now().since(start);
        let mut ears = ears.borrow_mut();
        ears.book.tally.settle(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        let verdicts: Vec<Verdict> = expectations
            .iter()
            .zip(&ears.book.verdicts)
            .map(|(expect, judged)| {
                judged.clone().unwrap_or_else(|| expect.conclude(&ears.book.tally, at, whole))
            })
            .collect();
        finish(options, &name, &ears.book.tally, unleased, &verdicts)
    }
}

/// The terminal UI, unless it is not wanted or there is no terminal.
fn screen(options: &Play, scenario: &Scenario, bus: &Bus) -> color_eyre::Result<Option<Screen>> {
    if options.headless || options.json || !io::stdout().is_terminal() {
        return Ok(None);
    }
    let screen =
        Screen::open(&scenario.title).wrap_err("this terminal cannot show the picture; add --headless")?;
    bus.listen(screen.listener());
    Ok(Some(screen))
}

/// Runs until the time is up or somebody has seen enough. The last picture stays until a key takes it
/// away, unless a time was asked for.
async fn run_to_the_end(
    shell: &Shell,
    until: Timestamp,
    frame: &Frame<'_>,
    screen: Option<Screen>,
    options: &Play,
) -> Result<Ended, JournalError> {
    let Some(mut screen) = screen else {
        return run::run(shell, frame.clock, until, &mut || frame.headless()).await;
    };
    let ended = run::run(shell, frame.clock, until, &mut || frame.on_screen(&mut screen)).await?;
    if ended == Ended::TimeUp && options.length.is_none() {
        // On a real board time goes on, and without beats the guard drives what is still on safe.
        if !frame.keeps_real_time() {
            frame.clock.set_pace(Pace::Paused(1.0));
        }
        while frame.on_screen(&mut screen) != Control::Quit {
            tokio::time::sleep(run::FRAME).await;
        }
    }
    Ok(ended)
}

fn finish(
    options: &Play,
    name: &str,
    tally: &Tally,
    unleased_on_ms: u128,
    verdicts: &[Verdict],
) -> color_eyre::Result<ExitCode> {
    let broken = tally.broken_invariants(unleased_on_ms);
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer(&mut out, &tally.summary(name, options.seed, unleased_on_ms, verdicts))?;
        out.write_all(b"\n")?;
    } else {
        show::summary(&mut out, tally, verdicts, &broken)?;
    }
    let failed = verdicts.iter().any(|verdict| verdict.state == Due::Failed);
    if failed || !broken.is_empty() {
        let mut err = io::stderr().lock();
        for what in &broken {
            writeln!(err, "broken: {what}")?;
        }
        for verdict in verdicts.iter().filter(|verdict| verdict.state == Due::Failed) {
            writeln!(err, "failed: {}", verdict.what)?;
        }
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Folds every notice into the tally, judges what is due, and prints.
fn listen(bus: &Bus, ears: &Rc<RefCell<Ears>>, scenario: &Scenario, options: &Play, quiet: bool) {
    let (ears, expectations) = (Rc::clone(ears), expectations(scenario));
    let json = options.json;
    bus.listen(move |notice: &Notice| {
        let mut ears = ears.borrow_mut();
        ears.book.update(notice, &expectations);
        if quiet || ears.broken_pipe {
            return;
        }
        let mut out = io::stdout().lock();
        let printed = if json { show::json(&mut out, notice) } else { show::plain(&mut out, notice) };
        ears.broken_pipe = printed.is_err();
    });
}

fn expectations(scenario: &Scenario) -> Vec<Expect> {
    scenario.expect.iter().map(|expect| expect.get_ref().clone()).collect()
}

fn rig_kind(plan: &Plan, options: &Play, clock: &Clock) -> rig::Kind {
    match options.speed.0 {
        _ if plan.keeps_real_time() => rig::Kind::Real(plan.clone(), clock.clone()),
        Pace::Max => rig::Kind::Virtual(plan.clone()),
        Pace::Real(speed) | Pace::Paused(speed) => rig::Kind::Paced(plan.clone(), clock.clone(), speed),
    }
}

/// What happens about thirty times a second.
struct Frame<'a> {
    stage: &'a Rc<Stage>,
    ears: &'a Rc<RefCell<Ears>>,
    stop: &'a Arc<AtomicBool>,
    clock: &'a Clock,
    plan: &'a Plan,
}

impl Frame<'_> {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.ears.borrow().broken_pipe || self.stage.is_in_trouble()
    }

    fn headless(&self) -> Control {
        if self.is_over() { Control::Quit } else { Control::Continue }
    }

    /// Shows the picture and does what the keys say.
    fn on_screen(&self, screen: &mut Screen) -> Control {
        if self.is_over() {
            return Control::Quit;
        }
        let at = self.stage.shell.now().since(self.stage.shell.start());
        let actions = screen.frame(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), self.clock.pace());
        // A terminal that is gone shows nothing to nobody.
        let Ok(actions) = actions else { return Control::Quit };
        actions.into_iter().fold(Control::Continue, |control, action| match self.act(action) {
            Control::Continue => control,
            other @ (Control::Pace(_) | Control::Quit) => other,
        })
    }

    fn keeps_real_time(&self) -> bool {
        self.plan.keeps_real_time() || self.stage.scenario.measures_reality()
    }

    /// Goes on at another pace, where that can be.
    fn repaced(&self, pace: Pace) -> Control {
        if self.keeps_real_time() {
            self.stage
                .refuse("a real board or meter keeps real time: it cannot be paused, hurried or slowed down");
            return Control::Continue;
        }
        Control::Pace(pace)
    }

    fn act(&self, action: Action) -> Control {
        let pace = self.clock.pace();
        match action {
            Action::Quit => Control::Quit,
            Action::Pause => self.repaced(paused_or_not(pace)),
            Action::Faster => self.repaced(changed(pace, 2.0)),
            Action::Slower => self.repaced(changed(pace, 0.5)),
            Action::Poke { line, level } => {
                self.stage.intervene_soon(By::Hand, Intervention::Poke { line, level });
                Control::Continue
            }
            Action::NextFault { line } => {
                self.stage.next_fault(line);
                Control::Continue
            }
            Action::BrownOut => {
                self.stage.intervene_soon(By::Hand, Intervention::BrownOut { for_ms: BROWN_OUT_MS });
                Control::Continue
            }
            Action::ToggleLink { one, other } => {
                self.stage.toggle_link(&one, &other);
                Control::Continue
            }
        }
    }
}

fn paused_or_not(pace: Pace) -> Pace {
    match pace {
        Pace::Max => Pace::Max,
        Pace::Real(speed) => Pace::Paused(speed),
        Pace::Paused(speed) => Pace::Real(speed),
    }
}

fn changed(pace: Pace, factor: f64) -> Pace {
    let new = |speed: f64| (speed * factor).clamp(0.125, rig::FASTEST.max(speed));
    match pace {
        Pace::Max => Pace::Max,
        Pace::Real(speed) => Pace::Real(new(speed)),
        Pace::Paused(speed) => Pace::Paused(new(speed)),
    }
}
