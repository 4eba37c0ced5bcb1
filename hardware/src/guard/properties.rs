//! Random leases, beats and steps against a book kept by hand.

use std::collections::BTreeMap;

use coinop_core::board::{Level, LineSpec};
use proptest::prelude::*;

use super::*;

const HEARTBEAT: u64 = 40;
const LONGEST: u64 = 120;
const MAX_ON: u64 = 50;
const PAUSE: u64 = 15;
const DEAD: u64 = 7;
const NAMES: [&str; 5] = ["LAMP", "HEATER", "VALVE", "UP", "DOWN"];

#[derive(Clone, Debug)]
enum Deed {
    Lease { line: usize, ahead: u64 },
    Release { line: usize },
    Beat,
    Wait { millis: u64 },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        3 => (0..NAMES.len(), 0..LONGEST + 20).prop_map(|(line, ahead)| Deed::Lease { line, ahead }),
        1 => (0..NAMES.len()).prop_map(|line| Deed::Release { line }),
        3 => Just(Deed::Beat),
        4 => (0..HEARTBEAT + 10).prop_map(|millis| Deed::Wait { millis }),
    ];
    prop::collection::vec(deed, 1..80)
}

fn specs() -> Vec<LineSpec> {
    vec![
        LineSpec::output("LAMP", Level::Low),
        LineSpec { max_on: Some(Duration::from_millis(MAX_ON)), ..LineSpec::output("HEATER", Level::Low) },
        LineSpec::output("VALVE", Level::High),
        LineSpec { never_with: BTreeSet::from(["DOWN".to_owned()]), ..LineSpec::output("UP", Level::Low) },
        LineSpec::output("DOWN", Level::Low),
    ]
}

/// The one that is never on with it.
fn foe(name: &str) -> Option<&'static str> {
    match name {
        "UP" => Some("DOWN"),
        "DOWN" => Some("UP"),
        _ => None,
    }
}

fn limits(early: u64) -> Limits {
    Limits {
        longest_lease: Duration::from_millis(LONGEST),
        heartbeat: Duration::from_millis(HEARTBEAT),
        pause: Duration::from_millis(PAUSE),
        early: Duration::from_millis(early),
        dead_time: Duration::from_millis(DEAD),
    }
}

/// What an onlooker with paper and pencil knows.
struct Book {
    guard: Guard,
    early: u64,
    now: u64,
    last_beat: u64,
    leases: BTreeMap<&'static str, u64>,
    on: BTreeMap<&'static str, bool>,
    /// What is on, in the order in which it went on.
    order: Vec<&'static str>,
    off_since: BTreeMap<&'static str, u64>,
    unleased: u64,
    /// Of the heater: time on since it last rested for a whole pause, and time off since it went off.
    heated: u64,
    rested: u64,
}

impl Book {
    fn new(early: u64) -> Self {
        Self {
            guard: Guard::new(&specs(), limits(early), Timestamp::default()),
            early,
            now: 0,
            last_beat: 0,
            leases: BTreeMap::new(),
            on: NAMES.iter().map(|name| (*name, false)).collect(),
            order: Vec::new(),
            off_since: NAMES.iter().map(|name| (*name, 0)).collect(),
            unleased: 0,
            heated: 0,
            rested: 0,
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn pass_a_millisecond(&mut self) {
        for name in NAMES {
            let leased = self.leases.get(name).is_some_and(|until| *until > self.now);
            if self.on[name] && !leased {
                self.unleased += 1;
            }
        }
        if self.on["HEATER"] {
            (self.heated, self.rested) = (self.heated + 1, 0);
        } else {
            self.rested += 1;
            if self.rested >= PAUSE {
                self.heated = 0;
            }
        }
        self.now += 1;
    }

    fn is_silent(&self) -> bool {
        self.now >= self.last_beat + HEARTBEAT
    }

    fn act(&mut self, deed: &Deed) {
        match *deed {
            Deed::Lease { line, ahead } => self.lease(NAMES[line], ahead),
            Deed::Release { line } => {
                self.guard.release(self.at(), NAMES[line]);
                self.leases.remove(NAMES[line]);
            }
            Deed::Beat => {
                self.guard.beat(self.at());
                if self.now > self.last_beat + HEARTBEAT {
                    self.leases.clear();
                }
                self.last_beat = self.now;
            }
            Deed::Wait { .. } => {}
        }
    }

    fn lease(&mut self, line: &'static str, ahead: u64) {
        let lease = Lease { line: line.to_owned(), until: Timestamp::from_millis(self.now + ahead) };
        let answer = self.guard.lease(self.at(), &lease);
        if self.is_silent() {
            self.leases.clear();
            assert!(matches!(answer, Err(Refusal::Tripped(Trip::Silent { .. }))));
        } else if ahead > LONGEST {
            assert!(matches!(answer, Err(Refusal::TooFar { .. })));
        } else if ahead > 0 && foe(line).is_some_and(|foe| self.on[foe] || self.leases.contains_key(foe)) {
            assert!(matches!(answer, Err(Refusal::Interlocked { .. })), "{answer:?}");
        } else {
            answer.unwrap();
            self.leases.insert(line, self.now + ahead);
        }
    }

    fn step(&mut self) {
        let before = self.order.clone();
        let mut last_off = usize::MAX;
        for Drive { line, level } in self.guard.step(self.at()) {
            let safe = specs().into_iter().find(|spec| spec.name == line).unwrap().safe;
            let name = NAMES.into_iter().find(|name| *name == line).unwrap();
            let was_on = self.on.insert(name, level != safe).unwrap();
            assert_ne!(was_on, level != safe, "{line} was driven to the level it had");
            if level == safe {
                let place = before.iter().position(|on| *on == name).unwrap();
                assert!(place < last_off, "{name} goes off after what went on before it");
                last_off = place;
                self.goes_off(name, &before);
            } else {
                self.goes_on(name);
            }
        }
        if self.is_silent() {
            self.leases.clear();
        }
        let over = self.now + self.early;
        self.leases.retain(|_, until| *until > over);
    }

    /// Nothing has gone on in this step yet.
    fn goes_off(&mut self, name: &'static str, before: &[&str]) {
        assert!(self.order.iter().all(|on| before.contains(on)), "{name} goes off after others went on");
        self.order.retain(|on| *on != name);
        self.off_since.insert(name, self.now);
    }

    fn goes_on(&mut self, name: &'static str) {
        assert!(self.is_free(name), "{name} goes on at {} too early after {:?}", self.now, foe(name));
        self.order.push(name);
    }

    fn is_free(&self, name: &str) -> bool {
        foe(name).is_none_or(|foe| !self.on[foe] && self.now >= self.off_since[foe] + DEAD)
    }

    fn check_after_step(&self) {
        for name in NAMES.into_iter().filter(|name| self.on[name]) {
            assert!(self.leases.contains_key(name), "{name} is on at {} without a lease", self.now);
            assert!(!self.is_silent(), "{name} is on at {} without a heartbeat", self.now);
            assert!(foe(name).is_none_or(|foe| !self.on[foe]), "{name} is on at {} with its foe", self.now);
        }
        assert!(self.guard.next_wake().is_none_or(|wake| wake > self.at()), "a wake-up that is no later");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_punctual_guard_has_no_line_on_without_lease_beat_and_rest(
        deeds in deeds(),
        early in 0..4_u64,
    ) {
        let mut book = Book::new(early);

        for deed in &deeds {
            book.act(deed);
            book.step();
            book.check_after_step();
            let Deed::Wait { millis } = *deed else { continue };
            for _ in 0..millis {
                book.pass_a_millisecond();
                if book.guard.next_wake().is_some_and(|wake| wake <= book.at()) {
                    book.step();
                    book.check_after_step();
                }
                prop_assert!(book.heated <= MAX_ON);
            }
        }

        prop_assert_eq!(book.guard.unleased_on(), Duration::ZERO);
    }

    #[test]
    fn a_line_with_lease_beat_and_rest_is_on(deeds in deeds()) {
        let mut book = Book::new(0);

        for deed in &deeds {
            book.act(deed);
            book.step();
            for name in NAMES {
                let may = book.leases.contains_key(name) && (name != "HEATER" || book.heated < MAX_ON)
                    && (book.on[name] || book.is_free(name));
                prop_assert_eq!(book.on[name], may, "{} at {}", name, book.now);
            }
            let Deed::Wait { millis } = *deed else { continue };
            for _ in 0..millis {
                book.pass_a_millisecond();
                if book.guard.next_wake().is_some_and(|wake| wake <= book.at()) {
                    book.step();
                }
            }
        }
    }

    #[test]
    fn a_late_guard_books_what_it_is_late(deeds in deeds()) {
        let mut book = Book::new(0);

        for deed in &deeds {
            book.act(deed);
            book.step();
            let Deed::Wait { millis } = *deed else { continue };
            // The leases end when they end, whether or not anyone steps.
            for _ in 0..millis {
                book.pass_a_millisecond();
            }
            book.step();
            book.check_after_step();
        }

        prop_assert_eq!(book.guard.unleased_on(), Duration::from_millis(book.unleased));
    }
}
