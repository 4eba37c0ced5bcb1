//! What bad input gets: the file, the line, the word that is not known, and what is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod play;

use std::{fs, path::PathBuf};

use play::{Played, coinop};

/// A scenario of the folder with one thing changed: what went wrong with it, in one line.
struct Changed {
    /// The line that was changed, from 1.
    line: usize,
    played: Played,
}

fn changed(scenario: &str, from: &str, to: &str) -> Changed {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "scenarios", scenario].iter().collect();
    let text = fs::read_to_string(path).unwrap();
    let before = text.find(from).unwrap_or_else(|| panic!("{scenario} has no {from:?}"));
    let line = text[..before].lines().count() + usize::from(text[..before].ends_with('\n'));
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(&file, text.replacen(from, to, 1)).unwrap();
    let played = coinop(&["play", file.path().to_str().unwrap(), "--headless", "--speed", "max"]);
    Changed { line, played }
}

/// Asserts that a light so changed is refused, with the file and the changed line, in these words.
fn light_is_refused(from: &str, to: &str, words: &str) {
    is_refused("light.toml", from, to, 0, words);
}

fn is_refused(scenario: &str, from: &str, to: &str, below: usize, words: &str) {
    let Changed { line, played } = changed(scenario, from, to);

    let expected = format!(".toml:{}: {words}", line + below);
    assert_ne!(played.code, 0, "{to}: {}", played.out);
    assert!(played.err.contains(&expected), "{to}: not {expected:?} in {:?}", played.err);
    assert!(played.out.is_empty(), "{to}: something was played: {}", played.out);
}

/// Asserts that the command line is refused in these words.
fn words_are_refused(words: &[&str], expected: &[&str]) {
    let played = coinop(words);

    assert_ne!(played.code, 0, "{words:?}");
    for expected in expected {
        assert!(played.err.contains(expected), "{words:?}: not {expected:?} in {:?}", played.err);
    }
    assert!(played.out.is_empty(), "{words:?}: {}", played.out);
}

#[test]
fn what_is_to_be_played_beside_a_benchmark_has_to_be_there_and_a_board_to_be_measured() {
    words_are_refused(&["bench", "--beside", "street"], &["--board <BOARD>"]);
    words_are_refused(
        &["bench", "--board", "sim", "--beside", "boulevard"],
        &["boulevard", "take a scenario with buyers"],
    );
}

#[test]
fn an_unknown_key_is_named_and_so_are_the_known_ones() {
    light_is_refused("length =", "lenght =", "unknown field `lenght`, expected one of `title`, `length`");
    light_is_refused(
        "price =",
        "prise =",
        "unknown field `prise`, expected one of `name`, `kind`, `funds`, `price`",
    );
    light_is_refused("[[buyer]]", "[[byer]]", "unknown field `byer`, expected one of");
    light_is_refused("payments =", "paymnts =", "unknown field `paymnts`, expected one of `by`, `payments`");
    light_is_refused(
        "at-least =",
        "at-lest =",
        "unknown field `at-lest`, expected one of `line`, `at-least`",
    );
    is_refused(
        "cut-link.toml",
        "cut =",
        "cutt =",
        0,
        "unknown field `cutt`, expected one of `at`, `for`, `cut`",
    );
    is_refused(
        "room.toml",
        "action =",
        "acton =",
        0,
        "unknown field `acton`, expected one of `at`, `action`",
    );
}

#[test]
fn what_is_missing_is_named() {
    let untitled = changed("light.toml", "title =", "# title =").played;
    assert!(untitled.err.contains(".toml:1: missing field `title`"), "{}", untitled.err);
    is_refused("light.toml", "[[thing]]\nname = \"lamp\"", "[[thing]]", 0, "missing field `name`");
}

#[test]
fn a_text_that_is_no_toml_is_refused_with_its_line() {
    light_is_refused("title = ", "title = = ", "");
    light_is_refused("name = \"lamp\"", "name = \"lamp", "");
}

#[test]
fn an_unknown_word_is_named_and_so_are_the_known_ones() {
    light_is_refused(
        r#"kind = "light""#,
        r#"kind = "lihgt""#,
        r#""lihgt" is no kind of device; there are: "#,
    );
    light_is_refused(
        r#"buyer = "bob""#,
        r#"buyer = "bop""#,
        r#"there is no buyer "bop"; there are: alice, bob"#,
    );
    light_is_refused(
        r#"off = "LAMP""#,
        r#"off = "LAMB""#,
        r#"there is no line "LAMB"; there are: LAMP, LIGHT"#,
    );
    light_is_refused(
        r#"line = "LAMP""#,
        r#"line = "LAMB""#,
        r#"there is no line "LAMB"; there are: LAMP, LIGHT"#,
    );
    is_refused(
        "cut-link.toml",
        r#"cut = ["alice", "lamp"]"#,
        r#"cut = ["alice", "lamb"]"#,
        0,
        r#"there is no party "lamb"; there are: lamp, alice"#,
    );
    is_refused(
        "stuck-sensor.toml",
        r#"stuck = "lamp.LIGHT""#,
        r#"stuck = "lamp.DARK""#,
        0,
        r#"there is no line "lamp.DARK"; there are: lamp.LAMP, lamp.LIGHT"#,
    );
    is_refused(
        "room.toml",
        r#"action = "open""#,
        r#"action = "shut""#,
        0,
        r#"a room cannot "shut"; it can: open"#,
    );
}

/// Asserts that the charger's meter, written so, is refused in these words.
fn meter_is_refused(meter: &str, words: &str) {
    is_refused("ev-charging-sml.toml", "meter = \"sml\"", meter, 0, words);
}

#[test]
fn a_meter_that_is_none_is_refused_with_those_there_are() {
    meter_is_refused(r#"meter = "sms""#, r#""sms" is not a meter: "pulse", "sml" or "ina219""#);
    meter_is_refused("meter = 5", "invalid type: integer `5`, expected a meter: ");
    meter_is_refused(
        r#"meter = { sml = "/dev/ttyUSB0", baud = 300 }"#,
        "unknown field `baud`, expected one of `pulse`, `debounce`, `sml`, `every`, `ina219`",
    );
    meter_is_refused(
        r#"meter = { sml = "/dev/ttyUSB0", address = 0x40 }"#,
        "the words do not belong together; wanted is a meter: ",
    );
    meter_is_refused(
        r#"meter = { ina219 = "/dev/i2c-1", address = 0x50 }"#,
        "an INA219 has an address from 0x40 to 0x4f, not 0x50",
    );
    meter_is_refused(r#"meter = { ina219 = "sim", shunt-milliohm = 0 }"#, "a shunt of 0 mΩ shows no current");
    meter_is_refused("meter = { pulse = 0 }", "invalid value: integer `0`");
    is_refused(
        "light.toml",
        "kind = \"light\"",
        "kind = \"light\"\nmeter = \"sml\"",
        1,
        "a light has no meter to choose; a charger has",
    );
    is_refused(
        "two-meters.toml",
        "meter-error = \"-1%\"",
        "meter-error = \"much\"",
        0,
        "\"much\" is not a drift such as",
    );
}

#[test]
fn a_meter_that_does_not_fit_the_charger_is_refused_with_what_would() {
    let powerful = changed("ev-charging-ina219.toml", "power = \"60W\"", "power = \"11kW\"").played;
    let slow = changed("ev-charging-sml.toml", "step = \"10Wh\"", "step = \"2Wh\"").played;

    for (played, words) in [(powerful, "measures up to 76 W"), (slow, "take a larger step")] {
        assert_ne!(played.code, 0);
        assert!(played.err.contains(words), "{}", played.err);
    }
}

#[test]
fn a_name_or_a_line_that_is_used_twice_is_refused() {
    light_is_refused(
        r#"name = "bob""#,
        r#"name = "alice""#,
        r#""alice" is the name of another party, see line 14"#,
    );
    is_refused(
        "street.toml",
        r#"lines = { LAMP = "LAMP2""#,
        r#"lines = { LAMP = "LAMP1""#,
        0,
        r#"line "LAMP1" is used by lamp-north as well; name it otherwise: lines = "#,
    );
    is_refused(
        "street.toml",
        r#"lines = { LAMP = "LAMP1""#,
        r#"lines = { LAMB = "LAMP1""#,
        0,
        r#"a light has no line "LAMB"; it has LAMP, LIGHT"#,
    );
}

#[test]
fn an_amount_that_cannot_be_is_refused_with_both_numbers() {
    let most = "9000000000000000 B";
    light_is_refused("price = 1000", "price = -5", "an amount cannot be negative, and this is -5");
    light_is_refused("price = 1000", "price = 0", "the price is 0 B; it must be more");
    light_is_refused("funds = \"1MB\"", "funds = 0", "the funds is 0 B; it must be more");
    light_is_refused(
        "price = 1000",
        "price = 9000000000000001",
        &format!("9000000000000001 B is more than the largest amount, {most}"),
    );
    light_is_refused(
        "price = 1000",
        "price = 99999999999999999999",
        &format!("99999999999999999999 is no amount; the largest is {most}"),
    );
    light_is_refused(
        "price = 1000",
        "price = \"99999999999999GB\"",
        &format!("\"99999999999999GB\" is too large; the largest amount is {most}"),
    );
    light_is_refused(
        "price = 1000",
        "price = \"10000000GB\"",
        &format!("10000000000000000 B is more than the largest amount, {most}"),
    );
    light_is_refused(
        "price = 1000",
        "price = 1.5",
        "invalid type: floating point `1.5`, expected an amount such as",
    );
    light_is_refused("price = 1000", "price = \"cheap\"", "\"cheap\" is not an amount such as 500, \"10kB\"");
}

#[test]
fn two_steps_that_cost_more_than_there_is_are_refused() {
    light_is_refused(
        "price = 1000\nper = \"1s\"\nstep = \"500ms\"",
        "price = 9000000000000000\nper = \"1s\"\nstep = \"2s\"",
        "two steps of 2000 units at 9000000000000000 B per 1000 cost more than the largest amount",
    );
}

#[test]
fn a_deposit_or_a_budget_that_does_not_fit_is_refused_with_both_numbers() {
    light_is_refused("deposit = 60000", "deposit = 0", "a deposit of 0 B is less than 20000 B");
    light_is_refused(
        "deposit = 60000",
        "deposit = \"20MB\"",
        "a deposit of 20000000 B and its fees are more than the 1000000 B that alice has",
    );
    is_refused(
        "light.toml",
        "deposit = 60000",
        "deposit = 60000\nbudget = 70000",
        1,
        "a budget of 70000 B is more than the deposit of 60000 B",
    );
}

#[test]
fn a_time_or_an_energy_that_is_none_is_refused_with_what_would_be() {
    let time = r#"is not a time such as "500ms", "2s", "1min" or "1h""#;
    light_is_refused(r#"length = "40s""#, r#"length = "40 parsecs""#, &format!(r#""40 parsecs" {time}"#));
    light_is_refused(r#"length = "40s""#, r#"length = "-1s""#, &format!(r#""-1s" {time}"#));
    light_is_refused(r#"step = "500ms""#, r#"step = "5Wh""#, &format!(r#""5Wh" {time}"#));
    light_is_refused(r#"step = "500ms""#, r#"step = "0s""#, r#""0s" is nothing; it must be more"#);
    let energy = r#""5s" is not an energy such as "500mWh", "5Wh" or "1kWh""#;
    is_refused("ev-charging.toml", r#"step = "5Wh""#, r#"step = "5s""#, 0, energy);
    light_is_refused(r#"length = "40s""#, "length = 40", "invalid type: integer `40`, expected a string");
}

#[test]
fn an_expectation_or_a_fault_has_exactly_one_condition() {
    is_refused(
        "light.toml",
        "[[expect]]\npayments = 20",
        "[[expect]]\npayments = 20\nsettled = 2",
        0,
        "an expectation has exactly one of payments, channels-opened",
    );
    is_refused(
        "cut-link.toml",
        "at = \"4s\"\ncut = ",
        "at = \"4s\"\nkill = \"alice\"\ncut = ",
        0,
        "a fault has exactly one of cut, kill",
    );
}

#[test]
fn a_fault_of_a_line_is_refused_where_it_cannot_be() {
    let refused = |scenario, from, to: &str, words: &str| is_refused(scenario, from, to, 0, words);
    let (late, lost) = ("late-edges.toml", "lost-edges.toml");
    let (contactor, meter) = ("\"charger.CONTACTOR\"", "\"charger.METER\"");
    refused("welded-contactor.toml", contactor, meter, "only an output can be welded; an input can be stuck");
    refused("bouncing-button.toml", meter, contactor, "an output can only be stuck or welded");
    let unknown = "there is no line \"lamp.METER\"; there are: charger";
    refused(late, meter, "\"lamp.METER\"", unknown);
    refused(late, "by = \"200ms\"", "by = \"20s\"", "an edge can be 1 to 10000 ms late, not 20000");
    refused(late, "by = \"200ms\"", "buy = \"200ms\"", "unknown field `buy`, expected `line` or `by`");
    refused(lost, "every = 20", "every = 1", "at most every second edge can be lost");
    refused("drifting-meter.toml", "percent = -4", "percent = 0", "a meter can drift by -90 to 100 percent");
    refused("brown-out.toml", "\"300ms\"", "\"soon\"", "\"soon\" is not a time such as");
    let poke = "poke = { line = \"charger.CONTACTOR\", level = \"high\" }";
    refused(
        "stuck-relay.toml",
        "stuck = \"charger.CONTACTOR\"",
        poke,
        "\"charger.CONTACTOR\" is an output, which only the guard drives",
    );
    let pulses = "pulses = { line = \"charger.METER\", count = 0, every = \"1s\" }";
    refused("stuck-relay.toml", "stuck = \"charger.CONTACTOR\"", pulses, "1 to 10000 pulses can be given");
}

#[test]
fn an_unknown_scenario_is_told_which_there_are() {
    let there_are = "there are: ";
    words_are_refused(
        &["play", "steet"],
        &[r#"no scenario called "steet""#, there_are, "street", "ev-charging"],
    );
    words_are_refused(
        &["play", "no-such.toml"],
        &["no-such.toml cannot be read; `coinop list` shows", "No such file"],
    );
}

#[test]
fn a_wrong_option_is_told_what_is_right() {
    let speed = "a speed is `max` or a number from 0.01 to 1000";
    for wrong in ["fast", "0", "-1", "inf", "NaN"] {
        words_are_refused(&["play", "light", &format!("--speed={wrong}")], &[wrong, speed]);
    }
    words_are_refused(&["play", "light", "--for", "soon"], &["\"soon\" is not a time such as", "\"2s\""]);
    words_are_refused(&["play", "light", "--seed", "lucky"], &["lucky", "a seed is a whole number from 0"]);
    words_are_refused(
        &["play", "light", "--board", "arduino"],
        &["arduino", "a board is `sim`, `gpiochip`", "`pi`"],
    );
    words_are_refused(&["plya"], &["plya", "'play'"]);
}

#[test]
fn a_real_board_keeps_real_time() {
    for speed in ["10", "max", "0.5"] {
        words_are_refused(
            &["play", "light", "--headless", "--board", "gpiochip", "--speed", speed],
            &["a real board plays at speed 1 only: leave --speed out, or use --board sim"],
        );
    }
}

#[test]
fn a_board_that_is_no_file_is_told_how_one_is_named() {
    words_are_refused(&["play", "light", "--board", "no-such.toml"], &["no-such.toml cannot be read"]);
    words_are_refused(&["play", "light", "--board", "rpi:gpiochip0"], &["a board is `sim`", "`relay-hat`"]);
    words_are_refused(
        &["play", "light", "--headless", "--board", "pi", "--speed", "max"],
        &["a real board plays at speed 1 only"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_chip_that_is_not_there_is_named_with_what_to_do() {
    let played = coinop(&["play", "light", "--headless", "--board", "gpiochip:no-such-chip"]);

    let mend = ["load its driver, or play with the simulated board", "name or label; there is"];
    assert_ne!(played.code, 0);
    assert!(played.err.contains("no-such-chip: "), "{}", played.err);
    assert!(mend.iter().any(|words| played.err.contains(words)), "{}", played.err);
}

#[test]
fn an_error_is_for_the_person_at_the_table() {
    let played = coinop(&["play", "steet"]);

    assert!(!played.err.contains('\u{1b}'), "colours for no terminal: {:?}", played.err);
    assert!(!played.err.contains(".rs"), "the source is of no interest: {}", played.err);
    assert!(!played.err.contains("RUST_BACKTRACE"), "nor how to see it: {}", played.err);
}

#[test]
fn help_shows_examples_that_work() {
    let help = coinop(&["--help"]);

    assert_eq!((help.code, help.err.as_str()), (0, ""));
    let (_, examples) = help.out.split_once("Examples:").expect("examples");
    for example in examples.lines().filter_map(|line| line.trim().strip_prefix("coinop play ")) {
        let name = example.split_whitespace().next().unwrap();
        let listed = coinop(&["list"]).out;
        let known = listed.lines().any(|line| line.split_whitespace().next() == Some(name));
        assert!(known || name == "my.toml", "{name} is no scenario");
    }
    for command in ["play", "list", "bench"] {
        assert!(help.out.contains(&format!("\n  {command} ")), "{command}: {}", help.out);
        assert_eq!(coinop(&[command, "--help"]).code, 0, "{command}");
    }
}
