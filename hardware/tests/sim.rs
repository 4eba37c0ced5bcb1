//! The simulated board keeps the board contract, and breaks where it is told to.

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Level},
};
use coinop_hardware::{
    contract::{self, Bench, Finding, Outcome},
    plant::Wires,
    sim::{SimChip, SimFault},
};

const NOW: Timestamp = Timestamp::from_millis(5);
const HIGH: Level = Level::High;
const LOW: Level = Level::Low;

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

    chip.fault("LIGHT", Some(SimFault::Stuck)).unwrap();
    chip.poke("LIGHT", Level::High).unwrap();
    assert_eq!(board.read("LIGHT"), Ok(Level::Low));
    assert_eq!(board.edges(NOW), Ok(vec![]));

    chip.fault("LIGHT", None).unwrap();
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

/// A chip with its board, and what the program hears of LIGHT when the world makes these changes, one each
/// ten milliseconds, and lets the time pass a millisecond at a time.
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
fn heard(fault: SimFault, changes: &[Level]) -> Vec<(u64, Level)> {
    let chip = chip();
    let mut board = chip.board().unwrap();
    chip.fault("LIGHT", Some(fault)).unwrap();
    let mut heard = Vec::new();
    for now in 0..100 {
        let at = Timestamp::from_millis(now);
        chip.pass(at);
        if now.is_multiple_of(10)
            && let Some(level) = changes.get(usize::try_from(now / 10).unwrap())
        {
            chip.poke("LIGHT", *level).unwrap();
        }
        heard.extend(board.edges(at).unwrap().into_iter().map(|edge| (now, edge.level)));
    }
    heard
}

#[test]
fn a_late_edge_is_heard_later() {
    assert_eq!(heard(SimFault::Late(25), &[HIGH, LOW]), [(25, HIGH), (35, LOW)]);
}

#[test]
fn a_bouncing_contact_makes_a_burst_of_an_edge() {
    assert_eq!(heard(SimFault::Bouncing, &[HIGH]), [(0, HIGH), (1, LOW), (2, HIGH), (3, LOW), (4, HIGH)]);
}

#[test]
fn of_every_third_edge_nothing_is_heard() {
    let edges = heard(SimFault::Lost(3), &[HIGH, LOW, HIGH, LOW, HIGH, LOW]);

    assert_eq!(edges, [(0, HIGH), (10, LOW), (40, HIGH)]);
}

#[test]
fn a_drifting_meter_gives_pulses_too_many_or_too_few() {
    let pulses = |percent| {
        let rises = [HIGH, LOW, HIGH, LOW, HIGH, LOW, HIGH, LOW];
        heard(SimFault::Drifting(percent), &rises).iter().filter(|(_, level)| *level == HIGH).count()
    };

    assert_eq!((pulses(50), pulses(25), pulses(1)), (6, 5, 4));
    assert_eq!((pulses(-50), pulses(-25), pulses(-1)), (2, 3, 4));
}

#[test]
fn a_stuck_relay_is_driven_and_never_closes() {
    let chip = chip();
    let mut board = chip.board().unwrap();
    chip.fault("LAMP", Some(SimFault::Stuck)).unwrap();

    board.drive("LAMP", HIGH).unwrap();

    assert_eq!((board.read("LAMP"), chip.world("LAMP")), (Ok(HIGH), Ok(LOW)));
    chip.fault("LAMP", None).unwrap();
    assert_eq!(chip.world("LAMP"), Ok(HIGH));
}

#[test]
fn welded_contacts_stay_closed_once_they_were() {
    let chip = chip();
    let mut board = chip.board().unwrap();
    chip.fault("LAMP", Some(SimFault::Welded)).unwrap();
    assert_eq!(chip.world("LAMP"), Ok(LOW));

    board.drive("LAMP", HIGH).unwrap();
    board.drive("LAMP", LOW).unwrap();

    assert_eq!((board.read("LAMP"), chip.world("LAMP")), (Ok(LOW), Ok(HIGH)));
    drop(board);
    chip.brown_out();
    assert_eq!(chip.world("LAMP"), Ok(HIGH));
    chip.brown_in();
    chip.fault("LAMP", None).unwrap();
    assert_eq!(chip.world("LAMP"), Ok(LOW));
}

#[test]
fn in_a_brown_out_outputs_fall_and_inputs_read_low_until_the_power_is_back() {
    let chip = chip();
    let mut board = chip.board().unwrap();
    board.drive("LAMP", HIGH).unwrap();
    chip.poke("LIGHT", HIGH).unwrap();
    board.edges(NOW).unwrap();

    chip.brown_out();
    let edges = board.edges(NOW).unwrap();

    assert_eq!((board.read("LIGHT"), chip.world("LAMP")), (Ok(LOW), Ok(LOW)));
    assert_eq!(edges.iter().map(|edge| edge.level).collect::<Vec<_>>(), [LOW]);
    chip.brown_in();
    assert_eq!((board.read("LIGHT"), chip.world("LAMP")), (Ok(HIGH), Ok(HIGH)));
}

#[test]
fn a_fault_that_a_line_cannot_have_is_refused_with_what_it_can() {
    let chip = chip();
    let refused = |line, fault| chip.fault(line, Some(fault)).unwrap_err().to_string();

    assert_eq!(
        refused("LIGHT", SimFault::Welded),
        "LIGHT: only an output can be welded; an input can be stuck"
    );
    assert!(refused("LAMP", SimFault::Bouncing).contains("an output can only be stuck or welded"));
    assert!(refused("LIGHT", SimFault::Lost(1)).contains("at most every second edge"));
    assert!(refused("LIGHT", SimFault::Drifting(-95)).contains("-90 to 100 percent"));
    assert!(refused("LIGHT", SimFault::Late(0)).contains("1 to 10000 ms"));
}
