//! What every board must do, as rules that any of them can be held to.
//!
//! `cargo test` holds the simulated board to them, the hardware in the loop every board.

use std::{error::Error, fmt};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Edge, Level, LineSpec},
};

use crate::{plant::Wires, sim::SimChip};

/// A board on a bench, with the world's end of its lines in hand.
pub trait Bench: Wires {
    /// Opens a board with the lines of [`lines`].
    ///
    /// # Errors
    ///
    /// The [`BoardError`] of the board under test.
    fn open(&self) -> Result<Box<dyn Board>, BoardError>;

    /// Gives a change time to arrive.
    fn settle(&self);

    /// Why the board does not promise a rule. It is told as not promised, never left out.
    fn excuse(&self, _rule: &str) -> Option<&'static str> {
        None
    }
}

impl Bench for SimChip {
    fn open(&self) -> Result<Box<dyn Board>, BoardError> {
        Ok(Box::new(self.board()?))
    }

    fn settle(&self) {}
}

/// How a board kept one rule.
#[derive(Debug)]
pub struct Finding {
    /// The rule, as a sentence.
    pub rule: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of holding a board to a rule.
#[derive(Debug)]
pub enum Outcome {
    /// It held.
    Held,
    /// It was broken, and how.
    Broken(Breach),
    /// The board does not promise it, and why.
    NotPromised(&'static str),
}

/// How a rule was broken.
#[derive(Debug)]
pub struct Breach(String);

/// The rule that a board which only polls cannot promise.
pub const KEEPS_EDGES: &str = "edges that nobody takes for a while are kept in order, and none is lost";

type Rule = fn(&dyn Bench) -> Result<(), Breach>;

const RULES: &[(&str, Rule)] = &[
    ("a board has the lines it was opened with, in their order", lines_in_order),
    ("an output is at its safe level from the start", safe_from_the_start),
    ("an output follows what it is driven to", outputs_follow),
    ("an input follows the world", inputs_follow),
    ("a line that is not on the allow-list is refused", unknown_lines_are_refused),
    ("an input is not driven", inputs_are_not_driven),
    ("edges are told in order, each once", edges_in_order),
    (KEEPS_EDGES, edges_are_kept),
    ("a second owner is refused, and the first is not disturbed", second_owner_is_refused),
    ("a dropped board leaves its outputs safe", safe_after_drop),
    ("a dropped board can be opened again", opens_again),
];

/// The lines of the contract: an output that is safe low and one that is safe high, each of which the world
/// pulls to its safe level when nobody drives it, and two inputs that start low.
pub fn lines() -> Vec<LineSpec> {
    vec![
        LineSpec::output("LAMP", Level::Low),
        LineSpec::output("VALVE", Level::High),
        LineSpec::input("LIGHT"),
        LineSpec::input("DOOR"),
    ]
}

/// Holds the board on `bench` to every rule.
pub fn hold(bench: &dyn Bench) -> Vec<Finding> {
    RULES.iter().map(|(rule, check)| Finding { rule, outcome: judge(bench, rule, *check) }).collect()
}

fn judge(bench: &dyn Bench, rule: &str, check: Rule) -> Outcome {
    if let Some(why) = bench.excuse(rule) {
        return Outcome::NotPromised(why);
    }
    from_rest(bench, check).map_or_else(Outcome::Broken, |()| Outcome::Held)
}

fn from_rest(bench: &dyn Bench, check: Rule) -> Result<(), Breach> {
    bench.poke("LIGHT", Level::Low)?;
    bench.poke("DOOR", Level::Low)?;
    bench.settle();
    check(bench)
}

fn lines_in_order(bench: &dyn Bench) -> Result<(), Breach> {
    let board = bench.open()?;

    same("lines", &board.lines(), &lines().as_slice())
}

fn safe_from_the_start(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;

    same("LAMP outside", &bench.output("LAMP")?, &Level::Low)?;
    same("VALVE outside", &bench.output("VALVE")?, &Level::High)?;
    same("VALVE as read", &board.read("VALVE")?, &Level::High)
}

fn outputs_follow(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;

    for level in [Level::High, Level::Low, Level::High] {
        board.drive("LAMP", level)?;
        board.drive("VALVE", !level)?;
        same("LAMP outside", &bench.output("LAMP")?, &level)?;
        same("VALVE outside", &bench.output("VALVE")?, &!level)?;
        same("LAMP as read", &board.read("LAMP")?, &level)?;
    }
    Ok(())
}

fn inputs_follow(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;

    for level in [Level::High, Level::Low, Level::High] {
        bench.poke("LIGHT", level)?;
        bench.settle();
        same("LIGHT", &board.read("LIGHT")?, &level)?;
        same("DOOR", &board.read("DOOR")?, &Level::Low)?;
    }
    Ok(())
}

fn unknown_lines_are_refused(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;

    refused("reading FAN", board.read("FAN"), BoardErrorKind::NoSuchLine)?;
    refused("driving FAN", board.drive("FAN", Level::High), BoardErrorKind::NoSuchLine)
}

fn inputs_are_not_driven(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;

    refused("driving LIGHT", board.drive("LIGHT", Level::High), BoardErrorKind::WrongDirection)?;
    same("LIGHT", &board.read("LIGHT")?, &Level::Low)
}

const NOW: Timestamp = Timestamp::from_millis(7_000);

fn edges_in_order(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;

    for level in [Level::High, Level::Low, Level::High, Level::Low] {
        for line in ["LIGHT", "DOOR"] {
            bench.poke(line, level)?;
            bench.settle();
            let made = vec![Edge { line: line.to_owned(), level, at: NOW }];
            same("edges", &board.edges(NOW)?, &made)?;
            same("edges after all were taken", &board.edges(NOW)?, &Vec::new())?;
        }
    }
    Ok(())
}

fn edges_are_kept(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;
    let mut made = Vec::new();
    // More at once than a careless reader takes.
    for level in [Level::High, Level::Low, Level::High, Level::Low, Level::High, Level::Low] {
        for line in ["LIGHT", "DOOR"] {
            bench.poke(line, level)?;
            bench.settle();
            made.push(Edge { line: line.to_owned(), level, at: NOW });
        }
    }

    same("edges", &board.edges(NOW)?, &made)?;
    same("edges after all were taken", &board.edges(NOW)?, &Vec::new())
}

fn second_owner_is_refused(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;
    board.drive("LAMP", Level::High)?;

    refused("a second owner", bench.open().map(|_| ()), BoardErrorKind::Busy)?;
    same("LAMP outside", &bench.output("LAMP")?, &Level::High)
}

fn safe_after_drop(bench: &dyn Bench) -> Result<(), Breach> {
    let mut board = bench.open()?;
    board.drive("LAMP", Level::High)?;
    board.drive("VALVE", Level::Low)?;

    drop(board);

    same("LAMP outside", &bench.output("LAMP")?, &Level::Low)?;
    same("VALVE outside", &bench.output("VALVE")?, &Level::High)
}

fn opens_again(bench: &dyn Bench) -> Result<(), Breach> {
    drop(bench.open()?);

    bench.open()?.drive("LAMP", Level::High)?;
    Ok(())
}

fn same<T: PartialEq + fmt::Debug>(what: &str, is: &T, should_be: &T) -> Result<(), Breach> {
    if is == should_be {
        return Ok(());
    }
    Err(Breach(format!("{what}: {is:?} where {should_be:?} should be")))
}

fn refused<T: fmt::Debug>(
    what: &str,
    answer: Result<T, BoardError>,
    kind: BoardErrorKind,
) -> Result<(), Breach> {
    match answer {
        Err(error) if error.kind == kind => Ok(()),
        other => Err(Breach(format!("{what}: {other:?} where {kind:?} should be"))),
    }
}

impl From<BoardError> for Breach {
    fn from(error: BoardError) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Breach {}
