//! Snapshots of the screens, and what holds for any notices at all.

mod any;

use ratatui::{Terminal, backend::TestBackend, style::Color};

use coinop_core::board::Level;

use crate::{
    notice::{AlarmState, Fact, LinkState, Notice},
    run::Pace,
};

use super::{
    Action, Model,
    keys::Command,
    street::street,
    view::{Panel, view},
};

/// The street as it is 40 seconds after its start.
fn played() -> Model {
    let mut model = Model::new("The street");
    let mut notices = street();
    notices.sort_by_key(|notice| notice.at);
    let mut notices = notices.into_iter().peekable();
    for now in (0..=40_000).step_by(100) {
        while let Some(notice) = notices.next_if(|notice| notice.at <= now) {
            model.update(&notice);
        }
        model.tick(now, Pace::Real(1.0));
    }
    model
}

fn screen(model: &Model, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(frame, model)).unwrap();
    terminal
}

fn text(model: &Model, width: u16, height: u16) -> String {
    screen(model, width, height).backend().to_string()
}

#[test]
fn the_street_at_80x24() {
    insta::assert_snapshot!(text(&played(), 80, 24));
}

#[test]
fn the_street_at_160x48() {
    insta::assert_snapshot!(text(&played(), 160, 48));
}

#[test]
fn the_street_on_a_narrow_and_tall_terminal() {
    insta::assert_snapshot!(text(&played(), 80, 40));
}

#[test]
fn sixteen_colours_are_enough() {
    let mut model = played();
    model.obey(Command::Help);

    for (width, height) in [(80, 24), (160, 48)] {
        let terminal = screen(&model, width, height);
        for cell in &terminal.backend().buffer().content {
            for colour in [cell.fg, cell.bg] {
                assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{colour}");
            }
        }
    }
}

#[test]
fn an_empty_street() {
    insta::assert_snapshot!(text(&Model::new("The street"), 80, 24));
}

#[test]
fn each_panel_alone() {
    for (name, panel) in [
        ("things", Panel::Things),
        ("flows", Panel::Flows),
        ("exposures", Panel::Exposures),
        ("log", Panel::Log),
        ("balances", Panel::Balances),
        ("breadboard", Panel::Breadboard),
    ] {
        let mut model = played();
        model.obey(Command::Zoom(panel));

        insta::assert_snapshot!(format!("alone_{name}"), text(&model, 80, 24));
        insta::assert_snapshot!(format!("alone_{name}_wide"), text(&model, 120, 20));
    }
}

#[test]
fn the_help_is_drawn_from_the_table_of_keys() {
    let mut model = played();

    model.obey(Command::Help);

    insta::assert_snapshot!(text(&model, 80, 24));
}

#[test]
fn a_poke_puts_the_selected_input_to_its_other_level() {
    let mut model = played();
    let poke = |model: &mut Model| model.obey(Command::Poke);

    let first = poke(&mut model);
    model.obey(Command::LineBefore);
    let last = poke(&mut model);

    let expected = |line: &str, level| Some(Action::Poke { line: line.to_owned(), level });
    assert_eq!(first, expected("LIGHT", Level::Low));
    assert_eq!(last, expected("DOOR", Level::High));
}

#[test]
fn the_selection_goes_round() {
    let mut model = played();
    let first = model.obey(Command::Poke);

    for _ in 0..4 {
        model.obey(Command::NextLine);
    }

    assert_eq!(model.obey(Command::Poke), first);
}

#[test]
fn a_cut_is_for_the_selected_link() {
    let mut model = played();

    model.obey(Command::NextLink);

    let expected = Action::ToggleLink { one: "bob".to_owned(), other: "charger".to_owned() };
    assert_eq!(model.obey(Command::ToggleLink), Some(expected));
}

/// The street with a welded contactor that is driven off, and a sensor that is stuck.
fn broken() -> Model {
    let mut model = played();
    let line = || "CONTACTOR".to_owned();
    let fault =
        |line: &str, fault: &str| Fact::LineFault { line: line.to_owned(), fault: Some(fault.to_owned()) };
    let leaked = coinop_core::Bytes::new(210);
    for (who, fact) in [
        ("lamp", fault("LIGHT", "stuck")),
        ("charger", fault("CONTACTOR", "welded")),
        ("charger", Fact::Line { line: line(), level: Level::Low }),
        ("charger", Fact::World { line: line(), level: Some(Level::High) }),
        ("charger", Fact::Alarm { line: line(), state: AlarmState::Raised, units: 7, value: leaked }),
    ] {
        model.update(&Notice { v: 1, at: 40_000, who: who.to_owned(), fact });
    }
    model
}

#[test]
fn a_breadboard_with_faults_and_an_alarm() {
    let mut model = broken();
    model.obey(Command::Zoom(Panel::Breadboard));

    insta::assert_snapshot!("broken_80x24", text(&model, 80, 24));
    insta::assert_snapshot!("broken_160x48", text(&model, 160, 48));
}

#[test]
fn an_alarm_is_seen_on_every_screen_until_it_is_mended() {
    let mut model = broken();
    let raised = text(&model, 80, 24);

    let value = coinop_core::Bytes::new(300);
    let fact = Fact::Alarm { line: "CONTACTOR".to_owned(), state: AlarmState::Mended, units: 10, value };
    model.update(&Notice { v: 1, at: 41_000, who: "charger".to_owned(), fact });

    assert!(raised.contains("✗ ALARM CONTACTOR IS NOT OFF"), "{raised}");
    assert!(!text(&model, 80, 24).contains("IS NOT OFF"));
}

#[test]
fn the_breadboard_selects_outputs_as_well() {
    let mut model = played();
    model.obey(Command::Zoom(Panel::Breadboard));

    let first = model.obey(Command::NextFault);
    model.obey(Command::LineBefore);
    let last = model.obey(Command::NextFault);

    let expected = |line: &str| Some(Action::NextFault { line: line.to_owned() });
    assert_eq!((first, last), (expected("LAMP"), expected("DOOR")));
    assert_eq!(model.obey(Command::BrownOut), Some(Action::BrownOut));
}

#[test]
fn without_lines_and_links_there_is_nothing_to_touch() {
    let mut model = Model::new("empty");

    for command in [Command::NextLine, Command::LineBefore, Command::NextLink, Command::LinkBefore] {
        assert_eq!(model.obey(command), None);
    }

    assert_eq!(model.obey(Command::Poke), None);
    assert_eq!(model.obey(Command::ToggleLink), None);
}

#[test]
fn a_panel_s_key_again_brings_all_panels_back() {
    let mut model = played();
    let before = text(&model, 80, 24);

    model.obey(Command::Zoom(Panel::Log));
    model.obey(Command::Zoom(Panel::Log));

    assert_eq!(text(&model, 80, 24), before);
}

#[test]
fn a_payment_waits_at_a_cut_link_and_arrives_when_it_is_credited() {
    let mut model = played();
    let waits = |model: &Model| text(model, 80, 24).contains("●╳");
    for frame in 0..60 {
        model.tick(40_000 + frame * 100, Pace::Real(1.0));
    }
    let on_their_way =
        |model: &Model| model.channels.iter().map(|(_, channel)| channel.dots.len()).sum::<usize>();
    let before = (on_their_way(&model), waits(&model));

    let fact = Fact::Paid { session: "s-car-0003".to_owned(), value: coinop_core::Bytes::new(25_000) };
    model.update(&Notice { v: 1, at: 46_000, who: "charger".to_owned(), fact });
    for frame in 0..10 {
        model.tick(46_000 + frame * 100, Pace::Real(1.0));
    }

    assert_eq!(before, (1, true));
    assert_eq!((on_their_way(&model), waits(&model)), (0, false));
}

#[test]
fn nothing_is_drawn_again_while_nothing_changes() {
    let mut model = played();
    model.take_changed();

    model.tick(40_000, Pace::Real(1.0));
    let same = model.take_changed();
    model.tick(40_000, Pace::Paused(1.0));
    let paused = model.take_changed();

    assert!(!same);
    assert!(paused);
}

#[test]
fn an_output_without_a_lease_is_marked() {
    let mut model = played();

    model.tick(60_000, Pace::Real(1.0));

    assert!(text(&model, 80, 24).contains("LAMP ! on"));
}

#[test]
fn exposures_are_reckoned_from_payments_and_true_deliveries() {
    let mut model = played();
    let fact = |value| Fact::Delivered { session: "s-lamp-0009".to_owned(), value, units: 0 };
    let delivered = |value| fact(coinop_core::Bytes::new(value));
    let mut tell = |fact| model.update(&Notice { v: 1, at: 40_000, who: "lamp".to_owned(), fact });

    tell(delivered(2_650));
    tell(delivered(2_800));

    let session = model.sessions.find("s-lamp-0009").unwrap();
    assert_eq!((session.sellers.now, session.sellers.most, session.buyers.now), (200, 200, 0));
    assert!(model.totals.is_beyond);
    assert!(text(&model, 80, 24).contains("FAULT lamp risks 200 B, agreed"));
}

#[test]
fn a_link_that_is_cut_is_told_once_and_so_is_its_mending() {
    let mut model = Model::new("links");
    let entries = model.story.len();

    for (at, state) in (0..).zip([LinkState::Up, LinkState::Cut, LinkState::Cut, LinkState::Up]) {
        let fact = Fact::Link { one: "a".to_owned(), other: "b".to_owned(), state };
        model.update(&Notice { v: 1, at, who: "a".to_owned(), fact });
    }

    assert_eq!(model.story.len() - entries, 2);
}

#[test]
fn a_cut_that_somebody_has_just_told_is_not_told_again() {
    let mut model = Model::new("links");
    let mut tell = |fact| model.update(&Notice { v: 1, at: 7, who: "director".to_owned(), fact });

    tell(Fact::Intervention { what: "the link a to b is cut".to_owned(), again: serde_json::Value::Null });
    tell(Fact::Link { one: "a".to_owned(), other: "b".to_owned(), state: LinkState::Cut });

    let told: Vec<_> = model.story.newest_first().map(|entry| entry.text.as_str()).collect();
    assert_eq!(told, ["the link a to b is cut"]);
}

#[test]
fn a_long_title_gives_way_to_the_clock_and_the_lamp() {
    let mut model = Model::new("A lamp that is lit while somebody pays, by the second");
    model.tick(4_000, Pace::Real(1.0));

    let first = text(&model, 80, 24).lines().next().unwrap().to_owned();

    assert_eq!(first, "\" A lamp that is lit while somebody…   ▶ 1×   0:04.0     ○ money not yet checked \"");
}
