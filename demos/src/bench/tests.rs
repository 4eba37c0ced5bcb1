use serde_json::Value;

use super::*;

/// As little as there is.
const TINY: Plan = Plan { rounds: 3, slice: Duration::from_micros(1), raw_slice: Duration::from_micros(1) };

#[test]
fn the_report_has_every_figure() {
    let folder = tempfile::tempdir().unwrap();

    let report = measure(&TINY, folder.path(), &mut Progress::new(false)).unwrap();

    let json = serde_json::to_value(&report).unwrap();
    let positive = |figure: &Value| assert!(figure.as_f64().is_some_and(|it| it > 0.0), "{json}");
    for figure in ["sign_per_s", "verify_per_s", "limit_per_s"] {
        positive(&json["raw"][figure]);
    }
    for way in ["pure", "actors", "durable_1", "durable_64"] {
        for figure in ["per_s", "p50_us", "p99_us", "ratio"] {
            positive(&json[way][figure]);
        }
    }
    assert_eq!(json["rounds"], 3);
    assert!(json["file_system"].is_string());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the store stayed behind");
}

#[test]
fn the_full_plan_has_rounds_enough_for_a_median() {
    const { assert!(PLAN.rounds >= 31) };
}
