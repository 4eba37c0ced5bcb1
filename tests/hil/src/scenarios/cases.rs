//! Which scenarios, and what goes wrong outside.

use std::time::Duration;

use coinop_hardware::{
    plant::{CarSpec, DoorSpec, LampSpec},
    sim::SimFault,
};

use super::{Case, Watched};
use crate::{
    report::{Failure, Report, ensure},
    world::{Kind, Planned, Wrong},
};

/// This kernel's interrupts are late: a meter that pulses less often, with longer pulses.
const SLOW_METER: (&str, &str) = ("capacity = \"40kWh\"", "capacity = \"40kWh\"\nmeter = { pulse = 1000 }");
/// Long enough for one car, in real time.
const ONE_CAR: &[(&str, &str)] = &[SLOW_METER, ("length = \"60s\"", "length = \"30s\"")];
/// Long enough for two of them.
const TWO_CARS: &[(&str, &str)] = &[SLOW_METER, ("length = \"75s\"", "length = \"60s\"")];
/// How long the hang of the runtime has to be seen as darkness: 10 s, less the heartbeat and what is late.
const DARK_MS: u64 = 9_000;
/// What a kilowatt-hour costs at the charger, in bytes, and how many milliwatt-hours that is.
const KILOWATT_HOUR: (u64, u64) = (30_000, 1_000_000);

macro_rules! scenario {
    ($name:literal) => {
        include_str!(concat!("../../../../demos/scenarios/", $name, ".toml"))
    };
}

/// All of them; the long ones together.
pub(super) fn all() -> Vec<Case> {
    vec![
        charger("stuck-relay", scenario!("stuck-relay"), ONE_CAR, &[(SimFault::Stuck, "CONTACTOR")], None),
        charger(
            "bouncing-button",
            scenario!("bouncing-button"),
            BOUNCED,
            &[(SimFault::Bouncing, "METER")],
            Some(3_000),
        ),
        charger(
            "late-edges",
            scenario!("late-edges"),
            ONE_CAR,
            &[(SimFault::Late(200), "METER")],
            Some(2_500),
        ),
        charger(
            "lost-edges",
            scenario!("lost-edges"),
            ONE_CAR,
            &[(SimFault::Lost(20), "METER")],
            Some(2_500),
        ),
        charger(
            "drifting-meter",
            scenario!("drifting-meter"),
            ONE_CAR,
            &[(SimFault::Drifting(-4), "METER")],
            Some(1_500),
        ),
        brown_out(),
        charger("ev-charging", scenario!("ev-charging"), TWO_CARS, &[], None),
        welded(),
        room(),
        hung_runtime(),
        street(),
    ]
}

/// The meter knows that its contact bounces, here for longer.
const BOUNCED: &[(&str, &str)] = &[
    ("meter = { pulse = 10000, debounce = \"16ms\" }", "meter = { pulse = 1000, debounce = \"220ms\" }"),
    ("length = \"60s\"", "length = \"30s\""),
];

/// Tells how each came out, in the order of [`all`].
pub(super) fn judge(report: &mut Report, outcomes: Vec<Result<String, Failure>>) {
    let mut outcomes = outcomes.into_iter();
    let mut next = || outcomes.next().unwrap_or_else(|| Err("it was not played".into()));
    report.check("outside, the relay is stuck: without energy no money", next());
    report.check("outside, a contact bounces: nobody pays for a pulse that was none", next());
    report.check("outside, the meter's edges come late: money and energy agree within a step", next());
    report.check("outside, edges of the meter are lost: money and energy agree within a step", next());
    report.check("outside, the meter drifts: money and energy agree within a step", next());
    report.check("outside, the power browns out: the session goes on, or ends with a right account", next());
    report.check("outside, cars charge by the watt-hour: no payment, no power", next());
    report.check("outside, the contactor is welded: the meter notices, and nobody else pays for it", next());
    report.check("outside, a room opens for the guest who pays, and for nobody else", next());
    report.check("outside, the lamp is dark while the program hangs", next());
    report.check("outside, a whole street is paid for as it is lit", next());
}

/// What shows that it went wrong outside as it was to, or it would be no wonder that all is well.
///
/// `short` is how much more was truly delivered than the accounts say, in bytes.
pub(super) fn evidence(name: &str, watched: &Watched, short: u64) -> Result<String, Failure> {
    let paid = watched.story.accounts().0;
    match name {
        "stuck-relay" => ensure(watched.truths == [0], || "the relay was not stuck".to_owned())?,
        "bouncing-button" => {
            let (pulses, told) = (watched.truths[0] / 1_000, watched.story.lit("METER").len() as u64);
            ensure(told >= pulses + 5, || format!("{told} pulses told of {pulses}: nothing bounced"))?;
            return Ok(format!("; {told} pulses told of {pulses}"));
        }
        "late-edges" => ensure(short >= 10, || "nothing was late".to_owned())?,
        "lost-edges" => ensure(short >= 60, || "nothing was lost".to_owned())?,
        "drifting-meter" => ensure(short >= 20, || "nothing drifted".to_owned())?,
        "brown-out" => ensure(paid <= 1_000, || "the power was always there".to_owned())?,
        "hung-runtime" => {
            let dark = watched.longest_dark("LAMP");
            ensure(dark >= DARK_MS, || format!("dark for {dark} ms while the program hung for 10 s"))?;
            return Ok(format!("; dark for {dark} ms"));
        }
        // What goes wrong there is among the expectations of the scenario.
        _ => {}
    }
    Ok(String::new())
}

/// A charging point with one fault of a line, so long after its first energy.
fn charger(
    name: &'static str,
    text: &'static str,
    changes: &'static [(&'static str, &'static str)],
    faults: &[(SimFault, &str)],
    after_ms: Option<u64>,
) -> Case {
    let wrong = |(fault, line): &(SimFault, &str)| Planned {
        wrong: Wrong::Line((*line).to_owned(), *fault),
        after_ms,
        lasts_ms: None,
    };
    Case {
        name,
        text,
        changes,
        outputs: &["CONTACTOR"],
        inputs: &["METER", "PLUG"],
        plants: vec![Kind::Car(car(11_000, 40_000))],
        plan: faults.iter().map(wrong).collect(),
        hand: None,
        worth: Some(|truths| truths[0] * KILOWATT_HOUR.0 / KILOWATT_HOUR.1),
    }
}

/// Longer steps, and with them longer gaps of the meters: this kernel is late with the edges of nine lines.
const SLOW_STREET: &[(&str, &str)] = &[
    ("capacity = \"60kWh\"", "capacity = \"60kWh\"\nmeter = { pulse = 1000 }"),
    ("step = \"2Wh\"", "step = \"5Wh\""),
    ("step = \"250ms\"", "step = \"500ms\""),
    ("payments = 300", "payments = 150"),
];

/// As the device has it, but for the meter.
fn car(rated_w: u64, capacity_wh: u64) -> CarSpec {
    CarSpec { rated_w, capacity_wh, stored_wh: capacity_wh / 5, pulse_ms: 60, ..CarSpec::default() }
}

fn welded() -> Case {
    let mut case = charger("welded-contactor", scenario!("welded-contactor"), TWO_CARS, &[], None);
    let wrong = Wrong::Line("CONTACTOR".to_owned(), SimFault::Welded);
    case.plan = vec![Planned { wrong, after_ms: Some(4_500), lasts_ms: Some(24_000) }];
    // Somebody has seen to it.
    case.hand = Some((Duration::from_secs(35), &["CONTACTOR", "--mend"]));
    case
}

fn brown_out() -> Case {
    let mut case = charger("brown-out", scenario!("brown-out"), ONE_CAR, &[], None);
    let power =
        |after, lasts| Planned { wrong: Wrong::BrownOut, after_ms: Some(after), lasts_ms: Some(lasts) };
    case.plan = vec![power(4_500, 300), power(8_500, 3_000)];
    case
}

fn hung_runtime() -> Case {
    Case {
        name: "hung-runtime",
        text: scenario!("hung-runtime"),
        changes: &[("length = \"90s\"", "length = \"65s\"")],
        outputs: &["LAMP"],
        inputs: &["LIGHT"],
        plants: vec![Kind::Lamp(LampSpec::default())],
        plan: Vec::new(),
        hand: None,
        // A byte a millisecond.
        worth: Some(|truths| truths[0]),
    }
}

fn room() -> Case {
    Case {
        name: "room",
        text: scenario!("room"),
        changes: &[("length = \"60s\"", "length = \"40s\"")],
        outputs: &["SIGN", "LOCK"],
        inputs: &["DOOR"],
        plants: vec![door()],
        plan: Vec::new(),
        hand: None,
        worth: None,
    }
}

fn door() -> Kind {
    Kind::Door(DoorSpec { stay_ms: 4_000, ..DoorSpec::default() })
}

fn street() -> Case {
    let lamp = |number: u32| {
        Kind::Lamp(LampSpec {
            lamp: format!("LAMP{number}"),
            light: format!("LIGHT{number}"),
            ..LampSpec::default()
        })
    };
    Case {
        name: "street",
        text: scenario!("street"),
        changes: SLOW_STREET,
        outputs: &["LAMP1", "LAMP2", "CONTACTOR", "SIGN", "LOCK"],
        inputs: &["LIGHT1", "LIGHT2", "METER", "PLUG", "DOOR"],
        plants: vec![lamp(1), lamp(2), Kind::Car(car(22_000, 60_000)), door()],
        plan: Vec::new(),
        hand: None,
        worth: None,
    }
}
