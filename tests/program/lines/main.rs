//! The standing invariants, computed once more from the lines that the program prints: by anybody who
//! reads them, with nothing but the rules of Obyte. The program's own summary has to say the same.

mod agreement;
mod channels;
mod money;
#[path = "../play.rs"]
mod play;
mod power;
mod risk;
mod story;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use coinop::core::Bytes;
use serde_json::json;

use channels::Channels;
use money::Books;
use play::coinop;
use story::{Fact, Level, Story};

/// Every scenario there is, played once; the street as the issue asks for it.
static STORIES: LazyLock<BTreeMap<String, Story>> = LazyLock::new(|| {
    let listed = coinop(&["list"]).out;
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.map(|name| (name.to_owned(), tell(name))).collect()
});

fn tell(name: &str) -> Story {
    let mut words = vec!["play", name, "--headless", "--json", "--speed", "max", "--seed", "7"];
    if name == "street" {
        words.extend(["--for", "60s"]);
    }
    let played = coinop(&words);
    assert_eq!((played.code, played.err.as_str()), (0, ""), "{name}");
    Story::read(&played.out)
}

fn story(name: &str) -> &'static Story {
    &STORIES[name]
}

#[test]
fn the_street_is_as_busy_as_promised() {
    let summary = &story("street").summary;

    assert_eq!((summary.scenario.as_str(), summary.seed, summary.things), ("street", 7, 4));
    assert!(summary.channels_opened >= 6, "{summary:?}");
    assert!(summary.channels_closed >= 6, "{summary:?}");
    assert!(summary.payments > 300, "{summary:?}");
    assert!(summary.money_conserved);
    assert_eq!(summary.unleased_on_ms, 0);
    assert!(summary.expectations.iter().all(|it| it["ok"] == json!(true)), "{summary:?}");
}

#[test]
fn money_is_conserved_by_the_units_alone() {
    for (name, story) in &*STORIES {
        let books = Books::replay(story).unwrap_or_else(|what| panic!("{name}: {what}"));

        assert!(books.count() > 10, "{name}: {} units", books.count());
        assert!(story.summary.money_conserved, "{name}");
    }
}

#[test]
fn a_wallet_holds_the_coins_that_the_units_gave_it() {
    for (name, story) in &*STORIES {
        let books = Books::replay(story).unwrap_or_else(|what| panic!("{name}: {what}"));

        for (party, address) in story.parties() {
            let balance = story.lines.iter().rev().find_map(|line| match line.fact {
                Fact::Balance { stable, pending } if line.who == party => Some(stable.get() + pending.get()),
                _ => None,
            });
            assert_eq!(balance, Some(books.holds(&address)), "{name}: {party}");
        }
    }
}

#[test]
fn nobody_risks_more_than_was_agreed() {
    for (name, story) in &*STORIES {
        let risks = risk::risks(story).unwrap_or_else(|what| panic!("{name}: {what}"));

        for risk in &risks.sessions {
            let step = risk.step.get();
            assert!(step > 0 && risk.max_seller_exposure.get() <= step, "{name}: {risk:?}");
            assert!(risk.max_buyer_exposure.get() <= 2 * step, "{name}: {risk:?}");
        }
        assert!(!risks.sessions.is_empty(), "{name}");
        assert_eq!(risks.sessions, story.summary.sessions, "{name}");
        assert_eq!(risks.paid, story.summary.paid.get(), "{name}");
        assert_eq!(risks.delivered, story.summary.delivered_value.get(), "{name}");
    }
}

#[test]
fn nothing_is_on_without_a_lease() {
    for (name, story) in &*STORIES {
        let power = power::power(story);

        assert!(power.on_ms.values().any(|on_ms| *on_ms > 0), "{name}: nothing was on");
        assert_eq!(power.unleased_ms, 0, "{name}");
        assert_eq!(story.summary.unleased_on_ms, 0, "{name}");
    }
}

#[test]
fn what_is_on_out_there_without_a_lease_is_an_alarm_and_nobody_pays_for_it() {
    for (name, story) in &*STORIES {
        let (power, leaks) = (power::power(story), agreement::leaks(story));

        let leaking: BTreeSet<&str> = power.leaking_ms.keys().map(String::as_str).collect();
        assert_eq!(leaking, agreement::alarmed(story), "{name}");
        assert_eq!(leaks.is_empty(), story.summary.alarms == 0, "{name}");
        let value: u64 = leaks.values().map(|(_, value)| value).sum();
        assert_eq!(value, story.summary.leaked_value.get(), "{name}");
    }
    assert!(story("welded-contactor").summary.alarms > 0);
}

#[test]
fn energy_that_flowed_was_delivered_to_somebody_or_leaked() {
    // 11 kW for a millisecond, in millionths of a milliwatt-hour.
    const A_MILLISECOND: u64 = 3_055_555;
    let story = story("welded-contactor");
    let delivered: BTreeMap<&str, u64> = story
        .facts()
        .filter_map(|fact| match fact {
            Fact::Delivered { session, units, .. } => Some((session.as_str(), *units)),
            _ => None,
        })
        .collect();

    let flowed = power::power(story).world_ms["CONTACTOR"] * A_MILLISECOND / 1_000_000;
    let (leaked, _) = agreement::leaks(story)["charger"];

    // Each side is rounded down to whole units, some times.
    assert!(
        flowed.abs_diff(delivered.values().sum::<u64>() + leaked) <= 5,
        "{flowed} {delivered:?} {leaked}"
    );
}

#[test]
fn every_session_that_was_paid_for_costs_what_it_truly_got_within_a_step() {
    for (name, story) in &*STORIES {
        // The street is cut off while sessions run, and who loses a channel to its lie settles nothing.
        if !["street", "dishonest-close"].contains(&name.as_str()) {
            let accounts = agreement::accounts(story);

            assert!(!accounts.is_empty(), "{name}");
            for (session, account) in accounts {
                assert!(account.agrees(), "{name}: session {session}: {account:?}");
            }
        }
    }
}

#[test]
fn a_lamp_gives_as_much_light_as_its_line_was_on() {
    for (name, story) in &*STORIES {
        let (power, leaks) = (power::power(story), agreement::leaks(story));
        let mut delivered: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        let mut lamps = BTreeMap::new();
        for line in &story.lines {
            match &line.fact {
                Fact::Thing { thing, service, lines } if service == "light" => {
                    let output = lines.iter().find(|wire| wire.direction == "output").unwrap();
                    lamps.insert(thing.as_str(), output.name.as_str());
                }
                Fact::Delivered { session, units, .. } => {
                    delivered.entry(&line.who).or_default().insert(session, *units);
                }
                _ => {}
            }
        }

        for (lamp, output) in lamps {
            let lit: u64 = delivered.get(lamp).into_iter().flatten().map(|(_, units)| units).sum();
            let leaked = leaks.get(lamp).map_or(0, |(units, _)| *units);
            assert_eq!(lit + leaked, power.world_ms[output], "{name}: {lamp}");
        }
    }
}

#[test]
fn channels_open_and_close_as_their_agents_say() {
    for (name, story) in &*STORIES {
        let channels = Channels::read(story);

        assert_eq!(channels.opened.len(), story.summary.channels_opened, "{name}");
        assert_eq!(channels.closed.len(), story.summary.channels_closed, "{name}");
        assert_eq!(channels.punished.len(), story.summary.fraud_proofs, "{name}");
        assert!(channels.closed.keys().all(|period| channels.opened.contains(period)), "{name}");
    }
}

#[test]
fn every_package_is_signed_and_adds_to_the_one_before() {
    for (name, story) in &*STORIES {
        let payments = channels::payments(story).unwrap_or_else(|what| panic!("{name}: {what}"));
        let credited = channels::credited(story).unwrap_or_else(|what| panic!("{name}: {what}"));

        let signed: usize = payments.values().map(Vec::len).sum();
        assert_eq!(credited, story.summary.payments, "{name}");
        assert!(credited <= signed && signed <= credited + payments.len(), "{name}: {signed} signed");
    }
}

#[test]
fn an_honest_close_declares_what_the_newest_package_says() {
    for (name, story) in STORIES.iter().filter(|(name, _)| *name != "dishonest-close") {
        let channels = Channels::read(story);
        let payments = channels::payments(story).unwrap_or_else(|what| panic!("{name}: {what}"));

        for ((period, payer), packages) in payments {
            let newest = packages.last().map(|package| package.amount_spent);
            assert_eq!(channels.declared.get(&(period, payer)).copied(), newest, "{name}: {payer}");
        }
    }
}

#[test]
fn a_cheater_loses_the_whole_channel() {
    let story = story("dishonest-close");
    let (channels, parties) = (Channels::read(story), story.parties());
    let (mallory, lamp) = (parties["mallory"], parties["lamp"]);

    let (period, response) = channels.punished.first_key_value().expect("a fraud proof");

    assert_eq!((channels.punished.len(), story.summary.fraud_proofs), (1, 1));
    // She signed for several seconds of light, and declared that she had not.
    let packages = channels::payments(story).unwrap();
    assert!(packages[&(*period, mallory)].len() > 2);
    assert_eq!(channels.declared[&(*period, mallory)], Bytes::ZERO);
    // She had put in 100,000 B; all of it goes to the lamp, nothing to her.
    assert_eq!(money::pays(response, &mallory), 0);
    assert!(money::pays(response, &lamp) >= 100_000, "{}", money::pays(response, &lamp));
    assert!(money::pays(response, &period.0) < 1_000, "the agent keeps {}", money::pays(response, &period.0));
}

#[test]
fn time_never_goes_back_and_the_format_is_named_in_every_line() {
    for (name, story) in &*STORIES {
        assert!(story.lines.iter().all(|line| line.v == 1), "{name}");
        for pair in story.lines.windows(2) {
            assert!(pair[0].at <= pair[1].at, "{name}: {:?} before {:?}", pair[0], pair[1]);
        }
    }
}

#[test]
fn a_session_is_told_before_its_money_and_names_a_thing_that_stands_there() {
    for (name, story) in &*STORIES {
        let (mut things, mut channels) = (Vec::new(), BTreeMap::new());
        for fact in story.facts() {
            match fact {
                Fact::Thing { thing, .. } => things.push(thing),
                Fact::Session { id, thing, channel, .. } => {
                    assert!(things.contains(&thing), "{name}: {thing}");
                    channels.insert(id, channel);
                }
                Fact::Package(package) => {
                    assert_eq!(channels.get(&package.session), Some(&&package.channel), "{name}");
                }
                Fact::Paid { session, .. } | Fact::Delivered { session, .. } => {
                    assert!(channels.contains_key(session), "{name}: {session}");
                }
                _ => {}
            }
        }
    }
}

/// The checks above are only worth something when they see what is wrong.
mod a_forgery_is_noticed {
    use super::*;

    fn light_with(change: impl FnMut(&mut Fact)) -> Story {
        let mut forged = story("light").clone();
        forged.lines.iter_mut().map(|line| &mut line.fact).for_each(change);
        forged
    }

    #[test]
    fn when_a_unit_gives_more_than_it_takes() {
        let forged = light_with(|fact| {
            if let Fact::Unit { joint } = fact {
                let fee = &mut joint["unit"]["payload_commission"];
                *fee = json!(fee.as_u64().unwrap() - 1);
            }
        });

        assert!(Books::replay(&forged).unwrap_err().contains("gives"));
    }

    #[test]
    fn when_a_leak_is_hidden_or_a_session_pays_for_it() {
        let mut forged = story("welded-contactor").clone();
        for line in &mut forged.lines {
            match &mut line.fact {
                Fact::Alarm { state, .. } => *state = "mended".to_owned(),
                Fact::Receipt { value, .. } => *value = Bytes::new(value.get() + 151),
                _ => {}
            }
        }

        let leaking = power::power(&forged).leaking_ms;
        assert!(leaking.contains_key("CONTACTOR") && agreement::alarmed(&forged).is_empty());
        assert!(agreement::accounts(&forged).values().all(|account| !account.agrees()));
    }

    #[test]
    fn when_an_output_is_altered() {
        let forged = light_with(|fact| {
            if let Fact::Unit { joint } = fact
                && let Some(amount) = joint.pointer_mut("/unit/messages/0/payload/outputs/0/amount")
            {
                *amount = json!(amount.as_u64().unwrap() + 1);
            }
        });

        assert!(Books::replay(&forged).is_err());
    }

    #[test]
    fn when_a_unit_is_missing() {
        let mut forged = story("light").clone();
        let units = |line: &story::Line| matches!(line.fact, Fact::Unit { .. });
        let fifth = forged.lines.iter().enumerate().filter(|(_, line)| units(line)).nth(4).unwrap().0;
        forged.lines.remove(fifth);

        assert!(Books::replay(&forged).is_err());
    }

    #[test]
    fn when_leases_are_shorter_than_the_light() {
        let forged = light_with(|fact| {
            if let Fact::Lease { until, .. } = fact {
                *until = until.saturating_sub(2_000);
            }
        });

        assert!(power::power(&forged).unleased_ms > 0);
    }

    #[test]
    fn when_a_lamp_stays_on() {
        let mut forged = story("light").clone();
        let is_off = |line: &story::Line| matches!(&line.fact, Fact::Line { line, level: Level::Low } if line == "LAMP");
        forged.lines.retain(|line| line.at == 0 || !is_off(line));

        assert!(power::power(&forged).unleased_ms > 0);
    }

    #[test]
    fn when_a_package_says_another_amount_than_its_line() {
        let forged = light_with(|fact| {
            if let Fact::Package(package) = fact {
                package.payment_amount = Bytes::new(1);
            }
        });

        assert!(channels::payments(&forged).unwrap_err().contains("the line says"));
    }

    #[test]
    fn when_a_package_is_altered() {
        let forged = light_with(|fact| {
            if let Fact::Package(package) = fact {
                package.amount_spent = Bytes::new(1);
                package.sent["signed_message"]["amount_spent"] = json!(1);
            }
        });

        assert!(channels::payments(&forged).is_err());
    }

    #[test]
    fn when_more_is_delivered_than_was_paid() {
        let forged = light_with(|fact| {
            if let Fact::Delivered { value, .. } = fact {
                *value = Bytes::new(value.get() + 10_000);
            }
        });

        let exposed = risk::risks(&forged).map(|risks| risks.sessions);
        let safe = |risk: &story::Risk| risk.max_seller_exposure <= risk.step;
        assert!(exposed.is_err() || !exposed.unwrap().iter().all(safe));
    }
}
