//! What holds for any notices at all: no panic, and a bounded size.

use coinop_core::{
    Bytes,
    board::{Direction, Level},
};
use proptest::{collection::vec, prelude::*};

use crate::notice::{AlarmState, ChannelState, Fact, LinkState, Notice, SessionState, ThingLine};

use super::super::words::TEXT_MAX;
use super::{Model, Pace, Panel, text};

/// Names from a small pool, so that notices meet, and now and then anything at all.
fn name() -> BoxedStrategy<String> {
    prop_oneof![8 => "[a-f]", 1 => "\\PC{0,90}", 1 => any::<String>(), 1 => "[A-Z2-7]{32}"].boxed()
}

fn number() -> BoxedStrategy<u64> {
    prop_oneof![0_u64..100_000, any::<u64>(), Just(u64::MAX), Just(0)].boxed()
}

fn bytes() -> BoxedStrategy<Bytes> {
    number().prop_map(|number| Bytes::new(number.min(Bytes::MAX.get()))).boxed()
}

fn level() -> BoxedStrategy<Level> {
    prop_oneof![Just(Level::Low), Just(Level::High)].boxed()
}

fn session_state() -> BoxedStrategy<SessionState> {
    prop::sample::select(vec![
        SessionState::Offered,
        SessionState::Accepted,
        SessionState::Running,
        SessionState::Stopped,
        SessionState::Settled,
        SessionState::Cancelled,
        SessionState::Disputed,
    ])
    .boxed()
}

fn channel_state() -> BoxedStrategy<ChannelState> {
    prop::sample::select(vec![
        ChannelState::Opening,
        ChannelState::Open,
        ChannelState::Closing,
        ChannelState::Closed,
        ChannelState::Punished,
    ])
    .boxed()
}

fn told_at_the_start() -> BoxedStrategy<Fact> {
    let line = (name(), any::<bool>()).prop_map(|(name, is_output)| ThingLine {
        name,
        direction: if is_output { Direction::Output } else { Direction::Input },
    });
    let state = prop_oneof![Just(LinkState::Up), Just(LinkState::Cut)];
    prop_oneof![
        (name(), name()).prop_map(|(address, role)| Fact::Party { address, role }),
        (name(), name(), vec(line, 0..40)).prop_map(|(thing, service, lines)| Fact::Thing {
            thing,
            service,
            lines
        }),
        (name(), name(), state).prop_map(|(one, other, state)| Fact::Link { one, other, state }),
        (name(), name(), bytes()).prop_map(|(thing, service, step)| Fact::Listing { thing, service, step }),
    ]
    .boxed()
}

fn of_money() -> BoxedStrategy<Fact> {
    prop_oneof![
        any::<bool>().prop_map(|money_conserved| Fact::Audit { money_conserved }),
        (bytes(), bytes()).prop_map(|(stable, pending)| Fact::Balance { stable, pending }),
        (name(), name(), number(), channel_state(), bytes()).prop_map(
            |(channel, peer, period, state, deposited)| Fact::Channel {
                channel,
                peer,
                period: period % 4,
                state,
                deposited
            }
        ),
        (name(), number(), name(), bytes(), bytes()).prop_map(
            |(channel, period, session, amount_spent, payment_amount)| Fact::Package {
                channel,
                period: period % 4,
                session,
                amount_spent,
                payment_amount,
                session_total: amount_spent,
                signed_package: serde_json::Value::Null
            }
        ),
        (name(), bytes()).prop_map(|(session, value)| Fact::Paid { session, value }),
    ]
    .boxed()
}

fn of_sessions() -> BoxedStrategy<Fact> {
    prop_oneof![
        (name(), name(), name(), name(), bytes(), session_state()).prop_map(
            |(id, thing, buyer, channel, step, state)| Fact::Session {
                id,
                thing,
                buyer,
                channel,
                step,
                state
            }
        ),
        (name(), bytes(), number()).prop_map(|(session, value, units)| Fact::Delivered {
            session,
            value,
            units
        }),
        (name(), bytes(), bytes()).prop_map(|(session, buyer, seller)| Fact::Exposure {
            session,
            buyer,
            seller
        }),
        (name(), number()).prop_map(|(line, until)| Fact::Lease { line, until }),
        (name(), level()).prop_map(|(line, level)| Fact::Line { line, level }),
        (name(), number(), number(), number()).prop_map(|(session, seller, buyer, tolerance)| {
            Fact::Dispute { session, seller, buyer, tolerance, evidence: serde_json::Value::Null }
        }),
        (name(), proptest::option::of(level())).prop_map(|(line, level)| Fact::World { line, level }),
        (name(), proptest::option::of(name())).prop_map(|(line, fault)| Fact::LineFault { line, fault }),
        (name(), any::<bool>(), number(), bytes()).prop_map(|(line, is_raised, units, value)| {
            let state = if is_raised { AlarmState::Raised } else { AlarmState::Mended };
            Fact::Alarm { line, state, units, value }
        }),
        (name(), number(), bytes()).prop_map(|(session, units, value)| Fact::Receipt {
            session,
            units,
            value
        }),
        any::<String>().prop_map(|reason| Fact::Refusal { reason }),
        "\\PC{0,900}".prop_map(|what| Fact::Fault { what }),
        name().prop_map(|what| Fact::Intervention { what, again: serde_json::Value::Null }),
    ]
    .boxed()
}

fn notice() -> BoxedStrategy<Notice> {
    let fact = prop_oneof![told_at_the_start(), of_money(), of_sessions()];
    (number(), name(), fact).prop_map(|(at, who, fact)| Notice { v: 1, at, who, fact }).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_notices_on_any_terminal_are_drawn(
        notices in vec(notice(), 0..120),
        (width, height) in (1_u16..200, 1_u16..60),
        now in number(),
    ) {
        let mut model = Model::new("any");
        for notice in &notices {
            model.update(notice);
        }
        model.tick(now, Pace::Max);

        text(&model, width, height);
        text(&model, 20, 5);
        for panel in [
            Panel::Things,
            Panel::Flows,
            Panel::Exposures,
            Panel::Log,
            Panel::Balances,
            Panel::Breadboard,
        ] {
            model.obey(super::Command::Zoom(panel));
            text(&model, width, height);
        }
        model.obey(super::Command::Help);
        text(&model, width, height);
    }

    #[test]
    fn no_text_grows_beyond_its_limit(notices in vec(notice(), 0..120)) {
        let mut model = Model::new("any");

        for notice in &notices {
            model.update(notice);
        }

        for entry in model.story.newest_first() {
            prop_assert!(entry.text.chars().count() <= TEXT_MAX);
        }
    }
}

#[test]
fn however_many_there_are_only_so_many_are_kept() {
    let mut model = Model::new("many");
    let mut at = 0;
    let mut told = |model: &mut Model, who: &str, fact| {
        at += 1;
        model.update(&Notice { v: 1, at, who: who.to_owned(), fact });
    };

    for number in 0..2_000_u64 {
        let name = format!("n{number}");
        let line = ThingLine { name: name.clone(), direction: Direction::Input };
        let own = || name.clone();
        told(&mut model, &name, Fact::Party { address: own(), role: own() });
        told(&mut model, "a", Fact::Thing { thing: own(), service: own(), lines: vec![line.clone()] });
        told(&mut model, "a", Fact::Thing { thing: "one".to_owned(), service: own(), lines: vec![line] });
        told(&mut model, "a", Fact::Link { one: own(), other: own(), state: LinkState::Cut });
        told(&mut model, "a", package(&name, "one", number));
        told(&mut model, "a", package("one", &name, number));
    }

    assert_eq!((model.things.len(), model.wallets.len(), model.links.len()), (64, 64, 128));
    assert_eq!((model.sessions.len(), model.channels.len(), model.story.len()), (128, 96, 200));
    assert!(model.channels.iter().all(|(_, channel)| channel.dots.len() <= 16));
    assert!(model.things.iter().all(|(_, thing)| thing.lines.len() <= 16));
}

fn package(channel: &str, session: &str, spent: u64) -> Fact {
    Fact::Package {
        channel: channel.to_owned(),
        period: 1,
        session: session.to_owned(),
        amount_spent: Bytes::new(spent),
        payment_amount: Bytes::new(1),
        session_total: Bytes::new(spent),
        signed_package: serde_json::Value::Null,
    }
}
