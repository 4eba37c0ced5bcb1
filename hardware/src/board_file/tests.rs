use std::time::Duration;

use coinop_core::board::{Direction, Level, LineSpec};

use super::{BUILT_IN, BoardFile};
use crate::{
    driver::Driver,
    wiring::{Active, Bias, Spot},
};

const WHOLE: &str = r#"title = "A bench"
driver = "gpiochip"
chip = "gpiochip0"

[[reserved]]
lines = ["GPIO2"]
offsets = [3]
why = "I2C"

[[line]]
name = "LAMP"
kernel = "GPIO17"
direction = "output"
safe = "low"
active = "low"
max-on = "10min"
never-with = ["FAN"]

[[line]]
name = "FAN"
offset = 4
direction = "output"
safe = "high"

[[line]]
name = "LIGHT"
direction = "input"
debounce = "5ms"
bias = "pull-up"
"#;

/// The text of the whole file with one thing changed, read.
fn changed(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    BoardFile::parse("bench.toml", &WHOLE.replacen(from, to, 1)).unwrap_err().to_string()
}

/// Asserts that the file so changed is refused in this line and in these words.
fn is_refused(from: &str, to: &str, line: usize, words: &str) {
    let said = changed(from, to);

    assert!(said.starts_with(&format!("bench.toml:{line}: ")), "{said}");
    assert!(said.contains(words), "not {words:?} in {said:?}");
}

fn whole() -> BoardFile {
    BoardFile::parse("bench.toml", WHOLE).unwrap()
}

#[test]
fn a_file_says_where_lines_are_and_what_holds_on_them() {
    let board = whole();

    let lines: Vec<_> = board.lines().collect();
    let (lamp, lamp_wire) = lines[0];
    assert_eq!((board.title(), board.driver()), ("A bench", Driver::Gpiochip));
    assert_eq!(
        (lamp.name.as_str(), lamp.safe, lamp.max_on),
        ("LAMP", Level::Low, Some(Duration::from_mins(10)))
    );
    assert!(lamp.never_with.contains("FAN"));
    assert_eq!((&lamp_wire.spot, lamp_wire.active), (&Some(Spot::Kernel("GPIO17".to_owned())), Active::Low));
    assert_eq!((lines[1].0.safe, &lines[1].1.spot), (Level::High, &Some(Spot::Offset(4))));
    let (light, light_wire) = lines[2];
    assert_eq!((light.direction, light.debounce), (Direction::Input, Duration::from_millis(5)));
    assert_eq!(
        (light_wire.bias, light_wire.spot("LIGHT")),
        (Some(Bias::PullUp), Spot::Kernel("LIGHT".to_owned()))
    );
}

#[test]
fn every_board_of_the_folder_is_built_in_and_can_be_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/boards");
    let files = std::fs::read_dir(folder).unwrap().count();

    assert_eq!(BUILT_IN.len(), files);
    for (name, _) in BUILT_IN {
        BoardFile::load(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_board_file_in_the_readme_is_one() {
    let readme = include_str!("../../../README.md");
    let begin = readme.find("title = \"A relay on a Pi\"").unwrap();
    let text = readme[begin..].split("```").next().unwrap();

    let board = BoardFile::parse("README.md", text).unwrap();

    assert_eq!(board.lines().count(), 2);
}

#[test]
fn an_unknown_word_is_named_and_so_are_the_known_ones() {
    is_refused("max-on", "max-onn", 16, "unknown field `max-onn`, expected one of `name`");
    is_refused("driver", "drivr", 2, "unknown field `drivr`, expected one of `title`, `driver`");
    is_refused("\"gpiochip\"", "\"arduino\"", 2, "unknown variant `arduino`, expected one of `sim`");
    is_refused("10min", "ten minutes", 16, "\"ten minutes\" is not a time such as");
}

#[test]
fn a_line_that_is_used_twice_is_refused_with_the_other() {
    is_refused("name = \"FAN\"", "name = \"LAMP\"", 20, "line LAMP is used twice, see line 11");
    is_refused(
        "offset = 4",
        "kernel = \"GPIO17\"",
        20,
        "GPIO17 is used twice: it is LAMP's, see line 11; give FAN",
    );
    is_refused(
        "name = \"LIGHT\"\n",
        "name = \"LIGHT\"\noffset = 4\n",
        26,
        "offset 4 is used twice: it is FAN's",
    );
}

#[test]
fn a_pin_that_the_board_reserves_is_refused_with_the_reason() {
    is_refused(
        "kernel = \"GPIO17\"",
        "kernel = \"GPIO2\"",
        11,
        "LAMP is on GPIO2, which this board reserves: I2C (see line 5); choose another line",
    );
    is_refused("offset = 4", "offset = 3", 20, "FAN is on offset 3, which this board reserves: I2C");
    let elsewhere = WHOLE.replacen("offset = 4", "offset = 3\nchip = \"gpiochip1\"", 1);
    assert!(BoardFile::parse("bench.toml", &elsewhere).is_ok(), "the same number of another chip is free");
}

#[test]
fn an_output_without_its_safe_level_is_refused() {
    is_refused(
        "safe = \"low\"\n",
        "",
        11,
        "LAMP is an output without its safe level; add safe = \"low\" (inactive",
    );
}

#[test]
fn what_only_the_other_direction_has_is_refused() {
    is_refused("debounce = \"5ms\"", "safe = \"low\"", 28, "LIGHT is an input, and safe is for outputs");
    is_refused("debounce = \"5ms\"", "max-on = \"5ms\"", 28, "LIGHT is an input, and max-on is for outputs");
    is_refused("debounce = \"5ms\"", "never-with = [\"LAMP\"]", 28, "and never-with is for outputs");
    is_refused(
        "offset = 4",
        "offset = 4\ndebounce = \"5ms\"",
        22,
        "FAN is an output, and debounce is for inputs",
    );
    is_refused(
        "offset = 4",
        "offset = 4\nbias = \"pull-up\"",
        22,
        "FAN is an output, and bias is for inputs",
    );
}

#[test]
fn an_interlock_names_another_output() {
    is_refused(
        "[\"FAN\"]",
        "[\"FUN\"]",
        17,
        "never-with names FUN, which is not a line of this board; the outputs are: LAMP, FAN",
    );
    is_refused(
        "[\"FAN\"]",
        "[\"LIGHT\"]",
        17,
        "never-with names LIGHT, which is an input; the outputs are: LAMP, FAN",
    );
    is_refused("[\"FAN\"]", "[\"LAMP\"]", 17, "LAMP is always on with itself");
}

#[test]
fn a_place_is_said_once_and_whole() {
    is_refused("offset = 4", "offset = 4\nkernel = \"GPIO4\"", 21, "a line has kernel or offset, not both");
    is_refused("chip = \"gpiochip0\"\n", "", 20, "an offset needs its chip; add chip");
    is_refused("driver = \"gpiochip\"", "driver = \"linux\"", 29, "the linux driver cannot set a pull");
    is_refused("10min", "0s", 16, "a max-on of nothing never lets it on");
    is_refused("name = \"LAMP\"", "name = \"\"", 11, "\"\" is no name; a name is 1 to 32 of");
}

#[test]
fn the_registers_of_a_pi_are_counted_as_its_header_is() {
    let rpi = WHOLE.replacen("\"gpiochip\"", "\"rpi\"", 1).replacen(
        "name = \"LIGHT\"",
        "name = \"LIGHT\"\nkernel = \"GPIO27\"",
        1,
    );
    assert!(BoardFile::parse("bench.toml", &rpi).is_ok());

    let said = BoardFile::parse("bench.toml", &rpi.replace("GPIO27", "ID_SD")).unwrap_err().to_string();

    assert!(said.contains("bench.toml:27: the rpi driver knows GPIO0 to GPIO27"), "{said}");
}

#[test]
fn of_two_limits_the_stricter_one_holds() {
    let wanted = [
        LineSpec { max_on: Some(Duration::from_secs(3)), ..LineSpec::output("LAMP", Level::Low) },
        LineSpec { never_with: ["LAMP".to_owned()].into(), ..LineSpec::output("FAN", Level::High) },
        LineSpec { debounce: Duration::from_millis(2), ..LineSpec::input("LIGHT") },
    ];

    let (wiring, lines) = whole().fit(&wanted).unwrap();

    assert_eq!(lines[0].max_on, Some(Duration::from_secs(3)));
    assert!(lines[0].never_with.contains("FAN") && lines[1].never_with.contains("LAMP"));
    assert_eq!(lines[2].debounce, Duration::from_millis(5));
    assert_eq!(wiring.wire("LAMP").chip.as_deref(), Some("gpiochip0"));
}

#[test]
fn a_limit_that_only_the_file_has_holds_as_well() {
    let (_, lines) = whole().fit(&[LineSpec::output("LAMP", Level::Low)]).unwrap();

    assert_eq!(lines[0].max_on, Some(Duration::from_mins(10)));
    assert!(lines[0].never_with.is_empty(), "FAN is not taken, so nothing drives it");
}

#[test]
fn a_device_that_the_board_does_not_fit_is_refused() {
    let refused = |spec| whole().fit(&[spec]).unwrap_err().to_string();

    let missing = refused(LineSpec::output("LOCK", Level::Low));
    let turned = refused(LineSpec::output("LIGHT", Level::Low));
    let unsafe_ = refused(LineSpec::output("FAN", Level::Low));

    assert!(missing.starts_with("bench.toml:1: this board has no line LOCK"), "{missing}");
    assert!(missing.ends_with("lines = { LOCK = \"…\" }; there are: LAMP, FAN, LIGHT"), "{missing}");
    assert!(
        turned.starts_with("bench.toml:26: LIGHT is an input here, and the scenario needs an output"),
        "{turned}"
    );
    assert!(
        unsafe_.starts_with("bench.toml:20: FAN is safe high here, and its device is safe low"),
        "{unsafe_}"
    );
}

#[test]
fn a_board_that_is_not_there_is_told_which_there_are() {
    let unknown = BoardFile::load("pie").unwrap_err().to_string();
    let unreadable = BoardFile::load("no-such.toml").unwrap_err().to_string();

    assert!(
        unknown.contains("no board called \"pie\"") && unknown.contains("pi, relay-hat, gpio-sim"),
        "{unknown}"
    );
    assert_eq!(unreadable, "no-such.toml cannot be read");
}
