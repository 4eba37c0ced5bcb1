//! Lines that have to do with each other: interlocks, the order of going on and off, the watchdog.

use super::*;

const LIMITS: Limits = Limits {
    longest_lease: Duration::from_mins(1),
    heartbeat: Duration::from_secs(1),
    pause: Duration::from_millis(200),
    early: Duration::ZERO,
    dead_time: Duration::from_millis(20),
};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A shutter's motor, the light of its button, and a line for whoever watches the guard.
fn guard() -> Guard {
    let up =
        LineSpec { never_with: BTreeSet::from(["DOWN".to_owned()]), ..LineSpec::output("UP", Level::Low) };
    let outputs = ["DOWN", "BUTTON", "ALIVE"].map(|name| LineSpec::output(name, Level::Low));
    let lines: Vec<_> = [up].into_iter().chain(outputs).collect();
    Guard::new(&lines, LIMITS, at(0))
}

fn lease(line: &str, until: u64) -> Lease {
    Lease { line: line.to_owned(), until: at(until) }
}

fn drive(line: &str, level: Level) -> Drive {
    Drive { line: line.to_owned(), level }
}

fn watchdog(line: &str) -> Watchdog {
    Watchdog { line: line.to_owned(), every: Duration::from_millis(100) }
}

#[test]
fn an_interlock_holds_both_ways_whichever_line_names_the_other() {
    for (one, other) in [("UP", "DOWN"), ("DOWN", "UP")] {
        let mut guard = guard();
        guard.lease(at(100), &lease(one, 500)).unwrap();

        let refusal = guard.lease(at(100), &lease(other, 500)).unwrap_err();

        assert_eq!(refusal, Refusal::Interlocked { line: other.to_owned(), other: one.to_owned() });
        let words = format!("{other} is never on with {one}, which is on or leased: release {one} first");
        assert_eq!(refusal.to_string(), words);
        assert_eq!(guard.step(at(100)), [drive(one, Level::High)]);
    }
}

#[test]
fn a_line_whose_lease_is_over_keeps_the_other_off_until_it_has_been_driven_safe() {
    let mut guard = guard();
    guard.lease(at(100), &lease("UP", 500)).unwrap();
    let _ = guard.step(at(100));

    guard.release(at(200), "UP");
    assert!(matches!(guard.lease(at(200), &lease("DOWN", 500)), Err(Refusal::Interlocked { .. })));
    let _ = guard.step(at(200));

    assert_eq!(guard.lease(at(200), &lease("DOWN", 500)), Ok(()));
}

#[test]
fn one_breaks_before_the_other_makes_and_there_is_a_dead_time_between() {
    let mut guard = guard();
    guard.lease(at(100), &lease("UP", 500)).unwrap();
    let _ = guard.step(at(100));
    guard.release(at(200), "UP");
    assert_eq!(guard.step(at(200)), [drive("UP", Level::Low)]);

    guard.lease(at(200), &lease("DOWN", 500)).unwrap();

    assert_eq!(guard.step(at(200)), []);
    assert_eq!(guard.next_wake(), Some(at(220)));
    assert_eq!(guard.step(at(219)), []);
    assert_eq!(guard.step(at(220)), [drive("DOWN", Level::High)]);
    assert_eq!(guard.next_wake(), Some(at(500)));
}

#[test]
fn the_dead_time_counts_from_the_start_since_nobody_knows_what_was_on_before() {
    let mut guard = guard();
    guard.lease(at(0), &lease("UP", 500)).unwrap();
    guard.lease(at(0), &lease("BUTTON", 500)).unwrap();

    assert_eq!(guard.step(at(0)), [drive("BUTTON", Level::High)]);
    assert_eq!(guard.step(at(20)), [drive("UP", Level::High)]);
}

#[test]
fn a_lease_that_is_over_ends_a_lease_whatever_is_on() {
    let mut guard = guard();
    guard.lease(at(100), &lease("UP", 500)).unwrap();

    assert_eq!(guard.lease(at(100), &lease("DOWN", 100)), Ok(()));
    assert_eq!(guard.step(at(100)), [drive("UP", Level::High)]);
    assert_eq!(guard.leases().collect::<Vec<_>>(), [lease("UP", 500)]);
}

#[test]
fn what_goes_on_together_goes_on_in_the_order_of_the_allow_list_and_off_in_its_reverse() {
    let mut guard = guard();
    let _ = guard.step(at(100));
    guard.lease(at(100), &lease("BUTTON", 500)).unwrap();
    guard.lease(at(100), &lease("UP", 500)).unwrap();

    assert_eq!(guard.step(at(100)), [drive("UP", Level::High), drive("BUTTON", Level::High)]);
    assert_eq!(guard.step(at(500)), [drive("BUTTON", Level::Low), drive("UP", Level::Low)]);
}

#[test]
fn what_went_on_last_goes_safe_first_and_what_is_off_follows() {
    let mut guard = guard();
    guard.toggle(&watchdog("ALIVE")).unwrap();
    guard.lease(at(100), &lease("BUTTON", 500)).unwrap();
    let _ = guard.step(at(100));
    guard.lease(at(110), &lease("UP", 500)).unwrap();
    let _ = guard.step(at(110));

    let order: Vec<_> = guard.stop_order().into_iter().map(|drive| drive.line).collect();

    assert_eq!(order, ["UP", "BUTTON", "DOWN", "ALIVE"]);
}

#[test]
fn the_watchdog_moves_no_faster_than_it_is_told_and_needs_no_lease() {
    let mut guard = guard();
    guard.toggle(&watchdog("ALIVE")).unwrap();

    assert_eq!(guard.next_wake(), Some(at(100)));
    assert_eq!(guard.step(at(99)), []);
    assert_eq!(guard.step(at(100)), [drive("ALIVE", Level::High)]);
    assert_eq!(guard.step(at(130)), []);
    assert_eq!(guard.step(at(207)), [drive("ALIVE", Level::Low)]);
    assert_eq!(guard.unleased_on(), Duration::ZERO);
}

#[test]
fn the_watchdog_rests_without_a_beat_and_goes_on_with_the_next() {
    let mut guard = guard();
    guard.toggle(&watchdog("ALIVE")).unwrap();
    let _ = guard.step(at(950));

    assert_eq!(guard.next_wake(), Some(at(1_000)));
    assert_eq!(guard.step(at(1_000)), [drive("ALIVE", Level::Low)]);
    assert_eq!((guard.step(at(5_000)), guard.next_wake()), (vec![], None));
    guard.beat(at(5_010));
    assert_eq!(guard.step(at(5_010)), [drive("ALIVE", Level::High)]);
}

#[test]
fn the_watchdog_rests_for_good_once_the_board_has_failed() {
    let mut guard = guard();
    guard.toggle(&watchdog("ALIVE")).unwrap();
    let _ = guard.step(at(100));

    let kind = coinop_core::board::BoardErrorKind::Io;
    guard.fail(at(110), BoardError { line: "BUTTON".to_owned(), kind, message: "gone".to_owned() });
    guard.beat(at(120));

    let drives: Vec<_> = [120, 200, 300].into_iter().flat_map(|now| guard.step(at(now))).collect();
    assert_eq!(drives, [drive("ALIVE", Level::Low), drive("BUTTON", Level::Low)]);
}

#[test]
fn nobody_leases_the_watchdog_and_only_an_output_is_one() {
    let mut guard = guard();
    guard.toggle(&watchdog("ALIVE")).unwrap();

    let refusal = guard.lease(at(0), &lease("ALIVE", 100)).unwrap_err();

    assert_eq!(refusal.to_string(), "line ALIVE is the guard's watchdog");
    let unknown = guard.toggle(&watchdog("FAN")).unwrap_err();
    assert_eq!(unknown.to_string(), "no output FAN; there is BUTTON, DOWN, UP");
}
