//! What stands on paper for a Raspberry Pi is what the devices have: each has a wiring card, each line its
//! pin, and a card needs nothing but itself.

use std::{collections::BTreeMap, fs};

use crate::workspace::{root, sources};

/// GPIO numbers of the 40-pin header, by pin; pins without one carry power or ground.
const HEADER: &[(u8, u8)] = &[
    (3, 2),
    (5, 3),
    (7, 4),
    (8, 14),
    (10, 15),
    (11, 17),
    (12, 18),
    (13, 27),
    (15, 22),
    (16, 23),
    (18, 24),
    (19, 10),
    (21, 9),
    (22, 25),
    (23, 11),
    (24, 8),
    (26, 7),
    (27, 0),
    (28, 1),
    (29, 5),
    (31, 6),
    (32, 12),
    (33, 13),
    (35, 19),
    (36, 16),
    (37, 26),
    (38, 20),
    (40, 21),
];

/// Where a line is on the header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    gpio: u8,
    pin: u8,
}

/// The table of pins in docs/raspberry-pi.md, by line.
fn pins() -> BTreeMap<String, Place> {
    let text = fs::read_to_string(root().join("docs/raspberry-pi.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let gpio = cells.get(2)?.strip_prefix("GPIO")?.parse().ok()?;
        Some((cells[1].to_owned(), Place { gpio, pin: cells.get(3)?.parse().ok()? }))
    };
    text.lines().filter_map(row).collect()
}

/// The devices of the program: each kind with its lines, from their sources.
fn devices() -> BTreeMap<String, Vec<String>> {
    let quoted = |code: &str, before: &str| -> Vec<String> {
        let after = code.split(before).skip(1).filter_map(|rest| rest.split('"').next());
        after.map(str::to_owned).collect()
    };
    let sources = sources("demos/src/devices");
    let devices = sources.iter().filter_map(|source| {
        let kind = quoted(&source.text, "    kind: \"").pop()?;
        Some((kind, quoted(&source.text, "Line { name: \"")))
    });
    devices.collect()
}

fn card(kind: &str) -> String {
    let path = format!("hardware/pi/cards/{kind}.svg");
    fs::read_to_string(root().join(&path)).unwrap_or_else(|error| {
        panic!("{path}: {error}; draw it with hardware/pi/cards/draw, in which a device is one function")
    })
}

/// The words of a drawing, text by text.
fn words(svg: &str) -> Vec<&str> {
    let texts = svg.split("<text ").skip(1).filter_map(|text| text.split("</text>").next());
    texts.filter_map(|text| text.split_once('>').map(|(_, words)| words)).collect()
}

/// The lines that a card does not show with their places.
fn missing(svg: &str, lines: &[String], pins: &BTreeMap<String, Place>) -> Vec<String> {
    let words = words(svg);
    let shown = |line: &String| {
        let Place { gpio, pin } = pins.get(line)?;
        let label = format!("{line} · GPIO{gpio} · pin {pin}");
        words.contains(&label.as_str()).then_some(())
    };
    lines.iter().filter(|line| shown(line).is_none()).cloned().collect()
}

#[test]
fn each_device_has_a_wiring_card_with_each_of_its_lines_and_its_pin() {
    let (devices, pins) = (devices(), pins());
    assert!(devices.len() >= 3 && devices.values().all(|lines| !lines.is_empty()), "{devices:?}");

    for (kind, lines) in devices {
        assert_eq!(missing(&card(&kind), &lines, &pins), [""; 0], "of the card {kind}");
    }
}

#[test]
fn a_card_with_another_pin_is_caught() {
    let pins = BTreeMap::from([("LAMP".to_owned(), Place { gpio: 17, pin: 11 })]);
    let lines = ["LAMP".to_owned(), "LIGHT".to_owned()];

    assert_eq!(missing("<text x=\"1\">LAMP · GPIO17 · pin 11</text>", &lines, &pins), ["LIGHT"]);
    assert_eq!(missing("<text x=\"1\">LAMP · GPIO17 · pin 13</text>", &lines, &pins), ["LAMP", "LIGHT"]);
}

#[test]
fn each_line_is_on_the_pin_that_has_its_gpio_and_on_no_other_s() {
    let pins = pins();
    assert!(pins.len() >= 12, "{pins:?}");

    for (line, place) in &pins {
        assert!(HEADER.contains(&(place.pin, place.gpio)), "{line}: {place:?} is not on the header");
        let others = pins.values().filter(|other| *other == place).count();
        assert_eq!(others, 1, "{line} shares {place:?}");
    }
}

#[test]
fn a_card_needs_nothing_from_elsewhere() {
    let strangers =
        ["href", "url(", "@import", "@font-face", "<image", "<script", "<style", "<foreignObject"];
    for kind in devices().keys() {
        let svg = card(kind);
        let found: Vec<_> = strangers.iter().filter(|stranger| svg.contains(**stranger)).collect();

        assert_eq!(found, [&""; 0], "in the card {kind}");
        assert_eq!(svg.matches("font-family").count(), 1);
        assert!(svg.contains("font-family=\"sans-serif\""), "every machine has that one");
    }
}

#[test]
fn a_card_says_that_there_is_no_mains_behind_it() {
    for kind in devices().keys() {
        assert!(words(&card(kind)).iter().any(|words| words.starts_with("Never mains.")), "{kind}");
    }
}
