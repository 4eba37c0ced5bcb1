use proptest::prelude::*;

use super::*;
use crate::sim::SimChip;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Steps `plant` with its only output at `level`.
fn step(plant: &mut dyn Plant, millis: u64, level: Level) -> Vec<(String, Level)> {
    plant.step(at(millis), &|_| level).into_iter().map(|poke| (poke.line, poke.level)).collect()
}

fn poke(line: &str, level: Level) -> (String, Level) {
    (line.to_owned(), level)
}

/// Steps `plant` to `end` at every moment it wants to be woken, and gives what it set and when.
fn live(plant: &mut dyn Plant, end: u64, level: Level) -> Vec<(u64, String, Level)> {
    let mut seen = Vec::new();
    while let Some(wake) = plant.next_wake().map(Timestamp::millis).filter(|wake| *wake <= end) {
        seen.extend(step(plant, wake, level).into_iter().map(|(line, level)| (wake, line, level)));
    }
    seen.extend(step(plant, end, level).into_iter().map(|(line, level)| (end, line, level)));
    seen
}

#[test]
fn the_light_sensor_follows_the_lamp_a_little_later() {
    let mut lamp = Lamp::new(LampSpec::default());

    assert_eq!(step(&mut lamp, 0, Level::Low), [poke("LIGHT", Level::Low)]);
    assert_eq!(step(&mut lamp, 10, Level::High), []);
    assert_eq!(lamp.next_wake(), Some(at(50)));
    assert_eq!(step(&mut lamp, 49, Level::High), []);
    assert_eq!(step(&mut lamp, 50, Level::High), [poke("LIGHT", Level::High)]);
    assert_eq!(lamp.next_wake(), None);
    assert_eq!(lamp.truth(), 40);
}

#[test]
fn a_lamp_counts_the_time_until_it_goes_out() {
    let mut lamp = Lamp::new(LampSpec::default());
    step(&mut lamp, 0, Level::High);

    step(&mut lamp, 1_000, Level::Low);
    step(&mut lamp, 5_000, Level::Low);

    assert_eq!(lamp.truth(), 1_000);
}

#[test]
fn a_flash_shorter_than_the_sensor_s_delay_is_not_seen() {
    let mut lamp = Lamp::new(LampSpec::default());
    step(&mut lamp, 0, Level::Low);
    step(&mut lamp, 10, Level::High);

    step(&mut lamp, 30, Level::Low);

    assert_eq!(lamp.next_wake(), None);
    assert_eq!(step(&mut lamp, 100, Level::Low), []);
}

#[test]
fn a_car_charges_at_its_rated_power_and_the_meter_pulses_at_each_watt_hour() {
    // 3.6 kW: a watt-hour a second.
    let mut car = Car::new(CarSpec { rated_w: 3_600, ..CarSpec::default() });
    assert_eq!(step(&mut car, 0, Level::High), [poke("PLUG", Level::High)]);

    let seen = live(&mut car, 2_500, Level::High);

    let meter = |at, level| (at, "METER".to_owned(), level);
    let expected = [
        meter(1_000, Level::High),
        meter(1_030, Level::Low),
        meter(2_000, Level::High),
        meter(2_030, Level::Low),
    ];
    assert_eq!(seen, expected);
    assert_eq!(car.truth(), 2_500);
}

#[test]
fn an_open_contactor_delivers_nothing() {
    let mut car = Car::new(CarSpec::default());
    step(&mut car, 0, Level::Low);

    step(&mut car, 60_000, Level::Low);

    assert_eq!(car.truth(), 0);
    assert_eq!(car.next_wake(), None);
}

#[test]
fn a_nearly_full_battery_takes_less_and_less_until_it_is_full() {
    let spec = CarSpec { capacity_wh: 100, stored_wh: 80, rated_w: 36_000, ..CarSpec::default() };
    let mut car = Car::new(spec);
    step(&mut car, 0, Level::High);

    step(&mut car, 1_000, Level::High);
    let first = car.truth();
    step(&mut car, 2_000, Level::High);
    let second = car.truth() - first;
    step(&mut car, 600_000, Level::High);

    assert!(first > second && second > 0, "{first} then {second}");
    assert_eq!(car.truth(), 20_000);
    assert_eq!(car.percent(), 100);
    assert_eq!(car.next_wake().filter(|wake| *wake > at(600_030)), None);
}

#[test]
fn pulses_that_one_step_missed_are_made_up_for() {
    let mut car = Car::new(CarSpec { rated_w: 3_600, ..CarSpec::default() });
    step(&mut car, 0, Level::High);

    let pokes = step(&mut car, 3_000, Level::High);

    assert_eq!(pokes.iter().filter(|poke| poke.1 == Level::High).count(), 3);
    assert_eq!(pokes.iter().filter(|poke| poke.1 == Level::Low).count(), 2);
}

#[test]
fn a_visitor_goes_in_when_the_lock_is_released_and_leaves_when_it_no_longer_is() {
    let mut door = Door::new(DoorSpec::default());
    assert_eq!(step(&mut door, 0, Level::Low), [poke("DOOR", Level::High)]);
    step(&mut door, 100, Level::High);

    let going_in = live(&mut door, 10_000, Level::High);
    step(&mut door, 10_000, Level::Low);
    let leaving = live(&mut door, 20_000, Level::Low);

    let contact = |at, level| (at, "DOOR".to_owned(), level);
    assert_eq!(going_in, [contact(500, Level::Low), contact(1_100, Level::High)]);
    assert_eq!(leaving, [contact(10_400, Level::Low), contact(11_000, Level::High)]);
    assert_eq!(door.opened(), 2);
    assert_eq!(door.truth(), 9_500);
}

#[test]
fn a_locked_door_is_not_opened_from_outside() {
    let mut door = Door::new(DoorSpec::default());
    step(&mut door, 0, Level::Low);

    assert_eq!(step(&mut door, 60_000, Level::Low), []);
    assert_eq!(door.opened(), 0);
    assert_eq!(door.truth(), 0);
}

#[test]
fn a_visitor_who_has_left_comes_back_only_after_the_lock_was_engaged() {
    let mut door = Door::new(DoorSpec { stay_ms: 5_000, ..DoorSpec::default() });
    step(&mut door, 0, Level::High);

    live(&mut door, 60_000, Level::High);
    assert_eq!(door.opened(), 2);
    step(&mut door, 60_000, Level::Low);
    step(&mut door, 61_000, Level::High);
    live(&mut door, 62_000, Level::High);

    assert_eq!(door.opened(), 3);
}

#[test]
fn a_world_moves_the_lines_of_a_simulated_board() {
    let lamp = Lamp::new(LampSpec::default());
    let chip = SimChip::new(lamp.lines());
    let mut board = chip.board().unwrap();
    let mut world = World::new(chip, Box::new(lamp));
    world.step(at(0)).unwrap();

    coinop_core::board::Board::drive(&mut board, "LAMP", Level::High).unwrap();
    world.step(at(10)).unwrap();
    world.step(at(50)).unwrap();

    assert_eq!(coinop_core::board::Board::read(&mut board, "LIGHT"), Ok(Level::High));
    assert_eq!(world.plant().truth(), 40);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_truth_does_not_depend_on_how_often_a_plant_is_stepped(
        changes in prop::collection::vec((1..4_000_u64, any::<bool>()), 1..12),
        grid in 1..700_u64,
    ) {
        let small = CarSpec { capacity_wh: 60, stored_wh: 30, rated_w: 7_200, ..CarSpec::default() };
        let car = || Car::new(small.clone());
        let lamp = Lamp::new(LampSpec::default());
        let door = Door::new(DoorSpec { stay_ms: 1_500, ..DoorSpec::default() });
        let twins: [[Box<dyn Plant>; 2]; 3] = [
            [Box::new(car()), Box::new(car())],
            [Box::new(lamp.clone()), Box::new(lamp)],
            [Box::new(door.clone()), Box::new(door)],
        ];
        for [mut rarely, mut often] in twins {
            let (mut now, mut level) = (0, Level::Low);
            step(&mut *rarely, now, level);
            step(&mut *often, now, level);
            for (wait, is_on) in &changes {
                for between in (now..now + wait).step_by(usize::try_from(grid).unwrap()) {
                    step(&mut *often, between, level);
                }
                now += wait;
                level = if *is_on { Level::High } else { Level::Low };
                step(&mut *rarely, now, level);
                step(&mut *often, now, level);
                prop_assert_eq!(rarely.truth(), often.truth());
            }
        }
    }

    #[test]
    fn the_meter_pulses_as_often_as_watt_hours_went_through(seconds in 1..300_u64, rated_w in 1..50_000_u64) {
        let spec = CarSpec { capacity_wh: 400, stored_wh: 100, rated_w, pulses_per_kwh: 3_000, ..CarSpec::default() };
        let mut car = Car::new(spec);
        step(&mut car, 0, Level::High);

        let seen = live(&mut car, seconds * 1_000, Level::High);

        let pulses = seen.iter().filter(|(_, _, level)| *level == Level::High).count() as u64;
        prop_assert!(pulses <= car.truth() * 3 / 1_000 + 1 && pulses >= car.truth() * 3 / 1_000);
    }
}
