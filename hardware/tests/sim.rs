//! The simulated board keeps the board contract, and breaks where it is told to.

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Level},
};
use coinop_hardware::{
    contract::{self, Bench, Finding, Outcome},
    plant::Wires,
    sim::SimChip,
};

const NOW: Timestamp = Timestamp::from_millis(5);

fn chip() -> SimChip {
    SimChip::new(contract::lines())
}

#[test]
fn the_simulated_board_keeps_the_board_contract() {
    let findings = contract::hold(&chip());

    assert!(findings.len() >= 11);
    for Finding { rule, outcome } in findings {
        assert!(matches!(outcome, Outcome::Held), "{rule}: {outcome:?}");
    }
}

#[test]
fn the_contract_notices_a_board_that_stays_on_after_drop() {
    struct Forgetful(SimChip);
    impl Wires for Forgetful {
        fn output(&self, line: &str) -> Result<Level, BoardError> {
            // The second owner test aside, only a dropped board reads safe here.
            self.0.output(line).map(|level| if self.0.board().is_ok() { !level } else { level })
        }
        fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
            Wires::poke(&self.0, line, level)
        }
    }
    impl Bench for Forgetful {
        fn open(&self) -> Result<Box<dyn Board>, BoardError> {
            self.0.open()
        }
        fn settle(&self) {}
    }

    let findings = contract::hold(&Forgetful(chip()));

    let broken: Vec<_> =
        findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Broken(_))).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].rule, "a dropped board leaves its outputs safe");
}

#[test]
fn a_rule_that_a_board_does_not_promise_is_told_and_not_left_out() {
    struct Modest(SimChip);
    impl Wires for Modest {
        fn output(&self, line: &str) -> Result<Level, BoardError> {
            self.0.output(line)
        }
        fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
            Wires::poke(&self.0, line, level)
        }
    }
    impl Bench for Modest {
        fn open(&self) -> Result<Box<dyn Board>, BoardError> {
            self.0.open()
        }
        fn settle(&self) {}
        fn excuse(&self, rule: &str) -> Option<&'static str> {
            (rule == contract::KEEPS_EDGES).then_some("it polls")
        }
    }

    let findings = contract::hold(&Modest(chip()));

    assert_eq!(findings.len(), contract::hold(&chip()).len());
    let modest = findings.iter().find(|finding| finding.rule == contract::KEEPS_EDGES).unwrap();
    assert!(matches!(modest.outcome, Outcome::NotPromised("it polls")));
}

#[test]
fn a_stuck_sensor_shows_one_level_until_it_is_mended() {
    let chip = chip();
    let mut board = chip.board().unwrap();

    chip.stick("LIGHT", Some(Level::Low)).unwrap();
    chip.poke("LIGHT", Level::High).unwrap();
    assert_eq!(board.read("LIGHT"), Ok(Level::Low));
    assert_eq!(board.edges(NOW), Ok(vec![]));

    chip.stick("LIGHT", None).unwrap();
    assert_eq!(board.read("LIGHT"), Ok(Level::High));
    assert_eq!(board.edges(NOW).unwrap().len(), 1);
}

#[test]
fn a_level_that_stays_is_no_edge() {
    let chip = chip();
    let mut board = chip.board().unwrap();

    chip.poke("LIGHT", Level::Low).unwrap();

    assert_eq!(board.edges(NOW), Ok(vec![]));
}

#[test]
fn edges_that_nobody_takes_are_lost_and_said_to_be() {
    let chip = chip();
    let mut board = chip.board().unwrap();
    for _ in 0..600 {
        chip.poke("LIGHT", Level::High).unwrap();
        chip.poke("LIGHT", Level::Low).unwrap();
    }

    assert_eq!(board.edges(NOW).unwrap_err().kind, BoardErrorKind::EdgesLost);

    chip.poke("LIGHT", Level::High).unwrap();
    assert_eq!(board.edges(NOW).unwrap().len(), 1);
}

#[test]
fn edges_from_before_a_board_was_opened_are_not_its_edges() {
    let chip = chip();
    chip.poke("LIGHT", Level::High).unwrap();

    let mut board = chip.board().unwrap();

    assert_eq!(board.edges(NOW), Ok(vec![]));
    assert_eq!(board.read("LIGHT"), Ok(Level::High));
}

#[test]
fn the_world_does_not_drive_an_output() {
    let error = chip().poke("LAMP", Level::High).unwrap_err();

    assert_eq!(error.kind, BoardErrorKind::WrongDirection);
    assert_eq!(error.to_string(), "LAMP: an output, which only its board drives");
}
