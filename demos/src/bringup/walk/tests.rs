//! Walks over a simulated board, with a real guard on virtual time.

use std::{collections::BTreeSet, time::Duration};

use coinop::core::board::{Board, BoardError, Edge};
use coinop_hardware::{
    guard::{Keeper, Lease, Limits},
    sim::{SimBoard, SimChip},
};

use super::*;
use crate::bringup::outcome::State;

const LIMITS: Limits = Limits {
    longest_lease: Duration::from_mins(1),
    heartbeat: Duration::from_millis(500),
    pause: Duration::from_millis(200),
    early: Duration::ZERO,
    dead_time: Duration::from_millis(50),
};
const ASKS: How = How { asks: true, on: Duration::from_secs(1), wait: Duration::from_secs(10) };
const RIG: How = How { asks: false, ..ASKS };
/// More steps than any of these walks takes.
const MOST_STEPS: u64 = 6_000;

/// A board whose wires may be wrong: what is read of a line, by what the board itself reads.
struct Miswired {
    board: SimBoard,
    read: fn(&mut SimBoard, &str) -> Result<Level, BoardError>,
}

impl Board for Miswired {
    fn lines(&self) -> &[LineSpec] {
        self.board.lines()
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        (self.read)(&mut self.board, line)
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        self.board.drive(line, level)
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        self.board.edges(now)
    }
}

/// A shutter with two directions that exclude each other, its lamp, and a button.
fn lines() -> Vec<LineSpec> {
    let never_with = BTreeSet::from(["DOWN".to_owned()]);
    let max_on = Some(Duration::from_millis(400));
    vec![
        LineSpec { never_with, ..LineSpec::output("UP", Level::Low) },
        LineSpec { max_on, ..LineSpec::output("DOWN", Level::Low) },
        LineSpec::output("ALARM", Level::High),
        LineSpec::input("BUTTON"),
    ]
}

/// A walk with its guard, and everything that became of it.
struct Test {
    chip: SimChip,
    keeper: Keeper,
    walk: Walk,
    now: u64,
    shown: Vec<String>,
    questions: Vec<String>,
    /// Which line was at which level, and from when on.
    driven: Vec<(String, Level, u64)>,
}

impl Test {
    fn new(how: How) -> Self {
        Self::miswired(how, SimBoard::read)
    }

    fn miswired(how: How, read: fn(&mut SimBoard, &str) -> Result<Level, BoardError>) -> Self {
        let chip = SimChip::new(lines());
        let board = Miswired { board: chip.board().unwrap(), read };
        let keeper = Keeper::new(Box::new(board), LIMITS, Timestamp::default());
        let walk = Walk::new(&lines(), how, Timestamp::default());
        Self { chip, keeper, walk, now: 0, shown: vec![], questions: vec![], driven: vec![] }
    }

    /// Walks on until somebody is asked, or the end.
    fn walk(&mut self) -> &mut Self {
        let asked = self.questions.len();
        self.walk_while(|test| test.questions.len() == asked && !test.walk.is_over())
    }

    fn walk_while(&mut self, goes_on: impl Fn(&Self) -> bool) -> &mut Self {
        let begun = self.now;
        while goes_on(self) {
            self.now += 10;
            assert!(self.now - begun < MOST_STEPS * 10, "it walks and walks: {:?}", self.shown);
            let now = Timestamp::from_millis(self.now);
            self.keeper.beat(now);
            for report in self.keeper.step(now) {
                if let Report::Line { line, level, at } = &report {
                    self.driven.push((line.clone(), *level, at.millis()));
                }
                self.walk.hear(now, report);
            }
            let acts = self.walk.step(now);
            self.act(now, acts);
        }
        self
    }

    fn act(&mut self, now: Timestamp, acts: Vec<Act>) {
        for act in acts {
            let reports: Vec<Report> = match act {
                Act::Lease { line, until } => {
                    let lease = Lease { line, until };
                    let refused = self.keeper.lease(now, &lease).err();
                    refused.map(|refusal| Report::Refused { lease, refusal }).into_iter().collect()
                }
                Act::Release { line } => {
                    self.keeper.release(now, &line);
                    vec![]
                }
                Act::Look { line } => self.keeper.look(now, &line),
                Act::Say(text) => {
                    self.shown.push(text);
                    vec![]
                }
                Act::Ask(question) => {
                    self.questions.push(question);
                    vec![]
                }
            };
            for report in reports {
                self.walk.hear(now, report);
            }
        }
    }

    fn type_in(&mut self, text: &str) -> &mut Self {
        let now = Timestamp::from_millis(self.now);
        self.walk.typed(now, text);
        let acts = self.walk.step(now);
        self.act(now, acts);
        self
    }

    fn poke(&mut self, level: Level) -> &mut Self {
        self.chip.poke("BUTTON", level).unwrap();
        self
    }

    fn states(&self) -> Vec<(&str, State)> {
        let outcomes = self.walk.outcomes().into_iter();
        outcomes.map(|(spec, outcome)| (spec.name.as_str(), outcome.state)).collect()
    }

    fn what(&self, line: &str) -> String {
        let mut outcomes = self.walk.outcomes().into_iter();
        outcomes.find(|(spec, _)| spec.name == line).unwrap().1.what
    }

    /// From when to when an output was away from its safe level.
    fn was_on(&self, line: &str) -> Vec<(u64, u64)> {
        let safe = lines().into_iter().find(|spec| spec.name == line).unwrap().safe;
        let moved: Vec<_> = self.driven.iter().filter(|(of, _, _)| of == line).collect();
        let ons = moved.windows(2).filter(|pair| pair[0].1 != safe && pair[1].1 == safe);
        ons.map(|pair| (pair[0].2, pair[1].2)).collect()
    }
}

#[test]
fn on_a_rig_every_output_goes_on_by_itself_for_its_time_and_is_read_back() {
    let mut test = Test::new(RIG);

    test.walk();

    let expected = [("UP", State::Ok), ("DOWN", State::Ok), ("ALARM", State::Ok), ("BUTTON", State::Silent)];
    assert_eq!(test.states(), expected, "{:?}", test.shown);
    let ons: Vec<_> = ["UP", "DOWN", "ALARM"].iter().flat_map(|line| test.was_on(line)).collect();
    // The guard is a step behind who asks it.
    let mut lasted = ons.iter().zip([1_000, 400, 1_000]);
    assert!(lasted.all(|((from, to), on)| (on - 30..=on).contains(&(to - from))), "{ons:?}");
    assert!(ons.windows(2).all(|pair| pair[0].1 + 50 <= pair[1].0), "one after the other: {ons:?}");
    assert_eq!(ons.len(), 3, "the limit of DOWN holds");
    assert_eq!(test.keeper.unleased_on(), Duration::ZERO);
}

#[test]
fn nothing_goes_on_before_somebody_said_so_and_what_they_saw_counts() {
    let mut test = Test::new(ASKS);

    test.walk().walk_while(|test| test.now < 5_000);
    assert_eq!(test.questions, ["UP goes on for 1 s: [Enter] go, s skip, q quit "]);
    assert_eq!(test.was_on("UP"), []);
    test.type_in("").walk();
    assert_eq!(test.was_on("UP").len(), 1);
    test.type_in("y").walk().type_in("").walk().type_in("n").walk().type_in("s").walk();

    let expected =
        [("UP", State::Ok), ("DOWN", State::Failed), ("ALARM", State::Skipped), ("BUTTON", State::Silent)];
    assert_eq!(test.states(), expected);
    assert!(test.what("DOWN").contains("you saw nothing"), "{}", test.what("DOWN"));
    assert_eq!(test.was_on("ALARM"), []);
}

#[test]
fn what_is_typed_while_nothing_was_asked_puts_nothing_on() {
    let mut test = Test::new(ASKS);
    test.walk().type_in("").walk_while(|test| test.now < 600);

    test.type_in("").type_in("y").walk();

    assert_eq!(test.questions.len(), 2, "{:?}", test.questions);
    assert!(test.questions[1].contains("did it?"), "{:?}", test.questions);
}

#[test]
fn once_more_puts_the_output_on_again() {
    let mut test = Test::new(ASKS);

    test.walk().type_in("").walk().type_in("r").walk().type_in("y");

    assert_eq!(test.was_on("UP").len(), 2);
}

#[test]
fn who_quits_while_an_output_is_on_has_it_safe_at_once_and_the_rest_untested() {
    let mut test = Test::new(ASKS);
    test.walk().type_in("").walk_while(|test| test.now < 400);
    assert_eq!(test.chip.level("UP").unwrap(), Level::High);

    test.type_in("q");
    let _ = test.keeper.step(Timestamp::from_millis(410));

    assert!(test.walk.is_over());
    assert_eq!(test.chip.level("UP").unwrap(), Level::Low);
    assert!(test.states().iter().all(|(_, state)| *state == State::Untested), "{:?}", test.states());
}

#[test]
fn a_pin_that_does_not_follow_fails() {
    let mut test = Test::miswired(RIG, |board, line| match line {
        "DOWN" => Ok(Level::Low),
        _ => board.read(line),
    });

    test.walk();

    assert_eq!(test.states()[..2], [("UP", State::Ok), ("DOWN", State::Failed)]);
    assert!(test.what("DOWN").starts_with("driven on and reads off"), "{}", test.what("DOWN"));
}

#[test]
fn a_pin_that_something_outside_holds_is_never_driven() {
    let mut test = Test::miswired(RIG, |board, line| match line {
        "UP" => Ok(Level::High),
        _ => board.read(line),
    });

    test.walk();

    assert_eq!(test.states()[..2], [("UP", State::Failed), ("DOWN", State::Ok)]);
    assert!(test.what("UP").contains("before it is driven on"), "{}", test.what("UP"));
    assert_eq!(test.was_on("UP"), []);
}

#[test]
fn two_outputs_that_are_wired_together_fail_with_each_other_s_name() {
    let mut test = Test::miswired(RIG, |board, line| match line {
        "DOWN" => board.read("UP"),
        _ => board.read(line),
    });

    test.walk();

    assert_eq!(test.states()[..2], [("UP", State::Failed), ("DOWN", State::Failed)]);
    assert_eq!(test.what("UP"), "DOWN went on with it: the two are wired together");
    assert!(test.was_on("UP").iter().all(|(from, to)| to - from < 600), "it does not stay on");
}

#[test]
fn a_board_that_fails_ends_the_walk_and_every_line_is_safe() {
    let mut test = Test::new(RIG);
    test.walk_while(|test| test.now < 300);
    test.chip.break_line("UP").unwrap();

    test.walk();
    test.chip.mend_line("UP").unwrap();
    let _ = test.keeper.step(Timestamp::from_millis(test.now + 100));

    assert_eq!(test.states()[..2], [("UP", State::Failed), ("DOWN", State::Untested)]);
    assert_eq!(test.chip.level("UP").unwrap(), Level::Low);
}

#[test]
fn an_input_that_changed_with_an_output_is_not_waited_for() {
    let mut test = Test::new(RIG);
    test.walk_while(|test| test.now < 500);

    test.poke(Level::High).walk();

    assert_eq!(test.states()[3], ("BUTTON", State::Ok));
    assert_eq!(test.what("BUTTON"), "1 edge, with UP");
    assert!(test.shown.contains(&"      BUTTON on".to_owned()), "{:?}", test.shown);
    assert!(test.now < 5_000, "{}", test.now);
}

#[test]
fn an_input_is_waited_for_and_heard_a_little_longer() {
    let mut test = Test::new(RIG);
    test.walk_while(|test| !test.shown.iter().any(|text| text.starts_with("within 10 s")));
    let begun = test.now;

    test.poke(Level::High).walk_while(|test| test.now < begun + 100);
    test.poke(Level::Low).walk();

    assert_eq!(test.states()[3], ("BUTTON", State::Ok));
    assert_eq!(test.what("BUTTON"), "2 edges");
    assert!(test.now < begun + 1_000);
}

#[test]
fn many_edges_are_counted_and_few_are_shown() {
    let mut test = Test::new(RIG);
    test.walk_while(|test| test.now < 500);

    for _ in 0..50 {
        test.poke(Level::High).poke(Level::Low);
    }
    test.walk();

    assert_eq!(test.what("BUTTON"), "100 edges, with UP");
    assert_eq!(test.shown.iter().filter(|text| text.starts_with("      BUTTON")).count(), 6);
}
