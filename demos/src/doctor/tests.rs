use std::{collections::BTreeSet, time::Duration};

use coinop_hardware::{
    driver::Driver,
    survey::{Access, Chip, Device, Line, Survey, User},
    wiring::{Spot, Wire, Wiring},
};

use super::{
    facts::{Clock, Demo, Disk, Facts, Machine, On, Terminal, Wanted},
    judge::{Finding, State, Verdict, judge},
};

/// A machine without chips on which everything else is as it should be.
fn laptop() -> Facts {
    Facts {
        board: Wanted { word: "sim".to_owned(), on: On::Memory },
        machine: Machine { system: "linux", survey: Survey::default(), container: None, has_null: true },
        boards: Vec::new(),
        demos: vec![Demo { name: "light".to_owned(), lines: vec!["LAMP".to_owned(), "LIGHT".to_owned()] }],
        clock: Clock { now: Duration::from_hours(500_000), synchronised: Some(true), drift: Duration::ZERO },
        terminal: Terminal { size: Some((80, 24)), colours: true, utf8: true },
        disk: Disk {
            folder: "/tmp".to_owned(),
            asked: false,
            free: Some(1_000_000_000),
            file_system: "ext4 on /dev/sda1".to_owned(),
            commits: Ok(1_000),
        },
    }
}

/// The same machine, asked for the kernel's lines.
fn with_lines(survey: Survey) -> Facts {
    let on = On::Chips { driver: Driver::Gpiochip, wiring: Wiring::default(), known: None };
    let machine = Machine { survey, ..laptop().machine };
    Facts { board: Wanted { word: "gpiochip".to_owned(), on }, machine, ..laptop() }
}

fn chip(access: Access, lines: &[(&str, Option<User>)]) -> Survey {
    let line = |(offset, (name, used_by)): (usize, &(&str, Option<User>))| Line {
        offset: u32::try_from(offset).unwrap_or(u32::MAX),
        name: (*name).to_owned(),
        used_by: used_by.clone(),
    };
    let device = Device { path: "/dev/gpiochip0".to_owned(), access };
    let lines = lines.iter().enumerate().map(line).collect();
    let chip = Chip { device, label: "gpio-sim".to_owned(), lines, trouble: None, links: Vec::new() };
    Survey { chips: vec![chip], ..Survey::default() }
}

/// Every finding of this state, with its mend.
fn told(verdict: &Verdict, state: State) -> String {
    let of_state = verdict.findings.iter().filter(|finding| finding.state == state);
    let lines = of_state
        .map(|finding| [finding.what.as_str(), finding.mend.as_deref().unwrap_or_default()].join(" | "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_machine_without_chips_plays_the_simulated_board() {
    let verdict = judge(&laptop());

    assert!(verdict.would_run());
    assert_eq!((verdict.count(State::Warning), verdict.demo.as_deref()), (0, Some("coinop")));
}

#[test]
fn without_chips_no_demo_runs_on_real_lines_and_the_report_says_what_does() {
    let verdict = judge(&with_lines(Survey::default()));

    assert!(!verdict.would_run());
    assert!(told(&verdict, State::Wrong).contains("--board sim"), "{verdict:?}");
}

#[test]
fn a_chip_with_the_lines_of_a_scenario_plays_it() {
    let verdict = judge(&with_lines(chip(Access::Granted, &[("LAMP", None), ("LIGHT", None)])));

    assert!(verdict.would_run(), "{verdict:?}");
    assert_eq!(verdict.demo.as_deref(), Some("coinop play light --board gpiochip"));
}

#[test]
fn a_line_in_use_is_told_with_its_user_and_plays_nothing() {
    let held = Some(User::Named("other".to_owned()));
    let verdict = judge(&with_lines(chip(Access::Granted, &[("LAMP", held), ("LIGHT", None)])));

    assert!(!verdict.would_run());
    let all: String = verdict.findings.iter().map(|finding| finding.what.clone() + "\n").collect();
    assert!(all.contains("LAMP by \"other\""), "{all}");
}

#[test]
fn a_chip_that_may_not_be_opened_names_the_group_to_join() {
    let access = Access::Group { group: "gpio".to_owned(), user: "pi".to_owned() };
    let verdict = judge(&with_lines(chip(access, &[])));

    assert!(!verdict.would_run());
    assert!(told(&verdict, State::Wrong).contains("usermod -aG gpio pi"), "{verdict:?}");
}

/// Two chips, of which the second may not be used.
fn two_chips() -> Survey {
    let Survey { mut chips, .. } = chip(Access::Granted, &[("LAMP", None), ("LIGHT", None)]);
    let access = Access::Group { group: "gpio".to_owned(), user: "pi".to_owned() };
    let device = Device { path: "/dev/gpiochip1".to_owned(), access };
    chips.push(Chip { device, lines: Vec::new(), ..chips[0].clone() });
    Survey { chips, ..Survey::default() }
}

/// The lines LAMP and LIGHT on these chips.
fn on(chip: Option<&str>, of_lamp: Option<&str>) -> On {
    let mut wiring = Wiring::by_name(chip.map(str::to_owned));
    wiring.lines.insert("LAMP".to_owned(), Wire { chip: of_lamp.map(str::to_owned), ..Wire::default() });
    On::Chips { driver: Driver::Gpiochip, wiring, known: None }
}

#[test]
fn a_chip_is_judged_when_it_was_chosen_and_all_of_them_when_none_was() {
    for (chosen, of_lamp, is_wrong) in [
        (None, None, false),
        (Some("gpiochip0"), None, false),
        (Some("gpiochip1"), None, true),
        (None, Some("gpiochip1"), true),
        (Some("gpiochip0"), Some("/dev/gpiochip1"), true),
        (Some("gpiochip0"), Some("gpiochip7"), true),
    ] {
        let board = Wanted { word: "board.toml".to_owned(), on: on(chosen, of_lamp) };

        let verdict = judge(&Facts { board, ..with_lines(two_chips()) });

        let about = |finding: &&Finding| finding.about == "chips" && finding.state == State::Wrong;
        let wrong: Vec<_> = verdict.findings.iter().filter(about).collect();
        assert_eq!(!wrong.is_empty(), is_wrong, "{chosen:?} {of_lamp:?}: {wrong:?}");
        assert_eq!(verdict.would_run(), !is_wrong, "{chosen:?} {of_lamp:?}");
    }
}

/// A Pi whose registers may be used by whom `access` says; `None` has no such device.
fn pi(model: &str, registers: &[(&str, Access)]) -> Facts {
    let named = [("GPIO17", None), ("GPIO27", None)];
    let device =
        |(path, access): &(&str, Access)| Device { path: (*path).to_owned(), access: access.clone() };
    let registers = registers.iter().map(device).collect();
    let survey = Survey { model: Some(model.to_owned()), registers, ..chip(Access::Granted, &named) };
    let spot = |pin: &str| Wire { spot: Some(Spot::Kernel(pin.to_owned())), ..Wire::default() };
    let lines = [("LAMP".to_owned(), spot("GPIO17")), ("LIGHT".to_owned(), spot("GPIO27"))].into();
    let on = On::Chips { driver: Driver::Rpi, wiring: Wiring { chip: None, lines }, known: None };
    Facts { board: Wanted { word: "rpi".to_owned(), on }, ..with_lines(survey) }
}

#[test]
fn the_registers_of_a_pi_are_looked_at_for_rpi_and_the_group_to_join_is_named() {
    let join = || Access::Group { group: "gpio".to_owned(), user: "pi".to_owned() };
    let granted = judge(&pi("Raspberry Pi 3 Model B Rev 1.2", &[("/dev/gpiomem", Access::Granted)]));
    let refused = judge(&pi("Raspberry Pi 3 Model B Rev 1.2", &[("/dev/gpiomem", join())]));
    // A Pi 5 has its header's registers elsewhere.
    let fifth = [("/dev/gpiomem", Access::Granted), ("/dev/gpiomem0", join())];
    let fifth = judge(&pi("Raspberry Pi 5 Model B Rev 1.0", &fifth));

    assert!(granted.would_run(), "{granted:?}");
    assert!(told(&refused, State::Wrong).contains("/dev/gpiomem may not be used"), "{refused:?}");
    assert!(told(&refused, State::Wrong).contains("usermod -aG gpio pi"), "{refused:?}");
    assert!(told(&fifth, State::Wrong).contains("/dev/gpiomem0 may not be used"), "{fifth:?}");
}

#[test]
fn a_pi_without_its_registers_is_warned_and_a_killed_rpi_is_always_told() {
    let verdict = judge(&pi("Raspberry Pi 3 Model B Rev 1.2", &[]));

    let warned = told(&verdict, State::Warning);
    assert!(warned.contains("there is no /dev/gpiomem"), "{warned}");
    assert!(warned.contains("leaves its pins driven when the program is killed"), "{warned}");
}

#[test]
fn a_container_without_devices_is_told_how_to_be_given_them() {
    let machine = Machine { container: Some("docker".to_owned()), has_null: false, ..laptop().machine };
    let facts = Facts { machine, ..with_lines(Survey::default()) };

    let verdict = judge(&facts);

    assert!(!verdict.would_run());
    assert!(told(&verdict, State::Warning).contains("docker"), "{verdict:?}");
    assert!(told(&verdict, State::Wrong).contains("--device /dev/gpiochip0"), "{verdict:?}");
}

#[test]
fn whatever_is_not_as_it_should_be_has_a_mend() {
    let disk = Disk { asked: true, commits: Err("it is read-only".to_owned()), ..laptop().disk };
    let terminal = Terminal { size: Some((60, 20)), colours: false, utf8: false };
    let clock = Clock { now: Duration::ZERO, synchronised: Some(false), drift: Duration::from_secs(1) };
    let known = Some(BTreeSet::from(["LAMP".to_owned()]));
    let on = On::Chips { driver: Driver::Rpi, wiring: Wiring::default(), known };
    let board = Wanted { word: "rpi".to_owned(), on };

    let verdict = judge(&Facts { board, clock, terminal, disk, ..laptop() });

    assert!(!verdict.would_run());
    assert!(verdict.count(State::Warning) >= 5, "{verdict:?}");
    for finding in verdict.findings.iter().filter(|finding| finding.state != State::Ok) {
        assert!(finding.mend.as_ref().is_some_and(|mend| !mend.is_empty()), "{finding:?}");
    }
}
