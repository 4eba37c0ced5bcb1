use coinop_core::board::BoardErrorKind;

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

fn lines() -> Vec<LineSpec> {
    vec![
        LineSpec::output("LAMP", Level::Low),
        LineSpec { max_on: Some(Duration::from_millis(500)), ..LineSpec::output("HEATER", Level::Low) },
        // A valve that must stand open when nobody pays for it to be shut.
        LineSpec::output("VALVE", Level::High),
        LineSpec::input("LIGHT"),
    ]
}

fn guard() -> Guard {
    Guard::new(&lines(), LIMITS, at(0))
}

fn lease(line: &str, until: u64) -> Lease {
    Lease { line: line.to_owned(), until: at(until) }
}

fn drive(line: &str, level: Level) -> Drive {
    Drive { line: line.to_owned(), level }
}

fn failure(line: &str) -> BoardError {
    BoardError { line: line.to_owned(), kind: BoardErrorKind::Io, message: "gone".to_owned() }
}

#[test]
fn nothing_moves_without_a_lease() {
    let mut guard = guard();

    assert_eq!(guard.step(at(0)), []);
    assert_eq!(guard.next_wake(), None);
}

#[test]
fn a_lease_puts_its_line_on_and_its_end_puts_it_off() {
    let mut guard = guard();

    guard.lease(at(0), &lease("LAMP", 300)).unwrap();

    assert_eq!(guard.step(at(0)), [drive("LAMP", Level::High)]);
    assert_eq!(guard.next_wake(), Some(at(300)));
    assert_eq!(guard.step(at(299)), []);
    assert_eq!(guard.step(at(300)), [drive("LAMP", Level::Low)]);
    assert_eq!(guard.leases().count(), 0);
    assert_eq!(guard.unleased_on(), Duration::ZERO);
}

#[test]
fn the_unsafe_level_of_a_line_may_be_low() {
    let mut guard = guard();

    guard.lease(at(0), &lease("VALVE", 300)).unwrap();

    assert_eq!(guard.step(at(0)), [drive("VALVE", Level::Low)]);
    assert_eq!(guard.step(at(300)), [drive("VALVE", Level::High)]);
}

#[test]
fn a_later_lease_replaces_the_earlier_one_whether_longer_or_shorter() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 300)).unwrap();
    let _ = guard.step(at(0));

    guard.lease(at(100), &lease("LAMP", 600)).unwrap();
    assert_eq!(guard.step(at(300)), []);
    guard.lease(at(400), &lease("LAMP", 500)).unwrap();

    assert_eq!(guard.leases().collect::<Vec<_>>(), [lease("LAMP", 500)]);
    assert_eq!(guard.step(at(500)), [drive("LAMP", Level::Low)]);
}

#[test]
fn a_lease_that_is_over_ends_the_line_s_lease() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 600)).unwrap();
    let _ = guard.step(at(0));

    guard.lease(at(100), &lease("LAMP", 100)).unwrap();

    assert_eq!(guard.step(at(100)), [drive("LAMP", Level::Low)]);
    assert_eq!(guard.unleased_on(), Duration::ZERO);
}

#[test]
fn a_released_line_goes_safe_at_once() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 600)).unwrap();
    let _ = guard.step(at(0));

    guard.release(at(100), "LAMP");

    assert_eq!(guard.step(at(100)), [drive("LAMP", Level::Low)]);
}

#[test]
fn a_line_goes_off_early_by_as_much_as_the_thread_may_be_late() {
    let mut guard = Guard::new(&lines(), Limits { early: Duration::from_millis(5), ..LIMITS }, at(0));
    guard.lease(at(0), &lease("LAMP", 300)).unwrap();
    let _ = guard.step(at(0));

    assert_eq!(guard.next_wake(), Some(at(295)));
    assert_eq!(guard.step(at(295)), [drive("LAMP", Level::Low)]);
}

#[test]
fn an_unknown_line_is_refused_with_the_outputs_there_are() {
    let refusal = guard().lease(at(0), &lease("FAN", 300)).unwrap_err();

    assert_eq!(refusal.to_string(), "no output FAN; there is HEATER, LAMP, VALVE");
}

#[test]
fn an_input_is_refused() {
    let refusal = guard().lease(at(0), &lease("LIGHT", 300)).unwrap_err();

    assert_eq!(refusal, Refusal::Input { line: "LIGHT".to_owned() });
}

#[test]
fn a_lease_that_is_too_long_is_refused_and_the_line_keeps_the_one_it_had() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 300)).unwrap();

    let refusal = guard.lease(at(100), &lease("LAMP", 60_101)).unwrap_err();

    assert_eq!(refusal.to_string(), "a lease of LAMP until 60.101 is too long; the latest now is 60.100");
    assert_eq!(guard.leases().collect::<Vec<_>>(), [lease("LAMP", 300)]);
}

#[test]
fn without_a_heartbeat_every_line_goes_safe_and_its_lease_is_void() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 5_000)).unwrap();
    guard.lease(at(0), &lease("VALVE", 5_000)).unwrap();
    let _ = guard.step(at(0));

    assert_eq!(guard.next_wake(), Some(at(1_000)));
    assert_eq!(guard.step(at(1_000)), [drive("VALVE", Level::High), drive("LAMP", Level::Low)]);

    let refusal = guard.lease(at(1_001), &lease("LAMP", 2_000)).unwrap_err();
    assert_eq!(refusal, Refusal::Tripped(Trip::Silent { last: at(0) }));
}

#[test]
fn a_beat_mends_the_silence_but_not_the_leases() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 5_000)).unwrap();
    let _ = guard.step(at(0));

    guard.beat(at(1_500));

    assert_eq!(guard.step(at(1_500)), [drive("LAMP", Level::Low)]);
    guard.lease(at(1_500), &lease("LAMP", 2_000)).unwrap();
    assert_eq!(guard.step(at(1_500)), [drive("LAMP", Level::High)]);
}

#[test]
fn a_beat_at_the_last_moment_is_in_time() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 5_000)).unwrap();
    let _ = guard.step(at(0));

    guard.beat(at(1_000));

    assert_eq!(guard.step(at(1_000)), []);
    assert_eq!(guard.next_wake(), Some(at(2_000)));
}

#[test]
fn after_its_maximum_on_time_a_line_pauses_within_its_lease() {
    let mut guard = guard();
    guard.lease(at(0), &lease("HEATER", 900)).unwrap();
    let _ = guard.step(at(0));

    assert_eq!(guard.next_wake(), Some(at(500)));
    assert_eq!(guard.step(at(500)), [drive("HEATER", Level::Low)]);
    assert_eq!(guard.next_wake(), Some(at(700)));
    assert_eq!(guard.step(at(699)), []);
    assert_eq!(guard.step(at(700)), [drive("HEATER", Level::High)]);
    assert_eq!(guard.step(at(900)), [drive("HEATER", Level::Low)]);
}

#[test]
fn short_leases_add_up_to_the_maximum_on_time() {
    let mut guard = guard();
    guard.lease(at(0), &lease("HEATER", 400)).unwrap();
    let _ = guard.step(at(0));
    let _ = guard.step(at(400));

    guard.lease(at(500), &lease("HEATER", 900)).unwrap();

    assert_eq!(guard.step(at(500)), [drive("HEATER", Level::High)]);
    assert_eq!(guard.next_wake(), Some(at(600)));
    assert_eq!(guard.step(at(600)), [drive("HEATER", Level::Low)]);
}

#[test]
fn a_step_that_comes_too_late_is_booked_as_time_on_without_a_lease() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 300)).unwrap();
    let _ = guard.step(at(0));

    let _ = guard.step(at(307));

    assert_eq!(guard.unleased_on_of("LAMP"), Some(Duration::from_millis(7)));
    assert_eq!(guard.unleased_on_of("VALVE"), Some(Duration::ZERO));
}

#[test]
fn a_failed_line_is_driven_safe_again_and_again_and_counts_as_on_until_it_is() {
    let mut guard = guard();
    guard.lease(at(0), &lease("LAMP", 300)).unwrap();
    let _ = guard.step(at(0));
    guard.fail(at(0), failure("LAMP"));

    assert_eq!(guard.step(at(0)), []);
    assert_eq!(guard.next_wake(), Some(at(50)));
    assert_eq!(guard.step(at(50)), [drive("LAMP", Level::Low)]);
    guard.fail(at(50), failure("LAMP"));
    assert_eq!(guard.step(at(100)), [drive("LAMP", Level::Low)]);

    assert_eq!(guard.next_wake(), None);
    assert_eq!(guard.unleased_on(), Duration::from_millis(100));
}

#[test]
fn one_failed_line_takes_the_others_safe_and_no_beat_brings_them_back() {
    let mut guard = guard();
    guard.lease(at(0), &lease("VALVE", 300)).unwrap();
    let _ = guard.step(at(0));

    guard.fail(at(10), failure("LIGHT"));
    guard.beat(at(20));

    assert_eq!(guard.step(at(20)), [drive("VALVE", Level::High)]);
    let refusal = guard.lease(at(20), &lease("LAMP", 300)).unwrap_err();
    assert_eq!(refusal, Refusal::Tripped(Trip::Board(failure("LIGHT"))));
}

#[test]
fn time_never_goes_back() {
    let mut guard = guard();
    guard.lease(at(100), &lease("LAMP", 300)).unwrap();
    let _ = guard.step(at(100));
    let _ = guard.step(at(300));

    guard.lease(at(50), &lease("LAMP", 200)).unwrap();

    assert_eq!(guard.step(at(60)), []);
}
