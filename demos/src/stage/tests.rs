//! What becomes of a session whose actor panics in the middle of a decision.

use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};

use coinop::{
    agenda::Agenda,
    audit,
    core::{board::Level, obyte::hash::sha256},
    journal::{Journal as _, RedbJournal},
    notice::{Bus, ChannelState, Fact, Notice},
    restore::Restored,
    run::{self, Clock, Control, Pace},
    shell::Shell,
};
use coinop_hardware::driver::Driver;

use super::{Begin, Stage, before};
use crate::{board::Plan, play::START, rig::Kind, scenario::Scenario};

/// One lamp, one buyer, a long session.
const LAMP: &str = r#"title = "A lamp whose seller's actor panics"
length = "40s"
stable_after = "500ms"
[[thing]]
name = "lamp"
kind = "light"
price = 1000
per = "1s"
step = "500ms"
[[buyer]]
name = "alice"
funds = "1MB"
[[buy]]
at = "200ms"
buyer = "alice"
kind = "light"
amount = "20s"
limit = 1500
deposit = 60000
[[expect]]
payments = 1
"#;
/// What a step costs, in bytes.
const STEP: u64 = 500;
/// How often the seller has been paid when its actor panics.
const PAYMENTS: usize = 5;

/// What was told of a run, kept in `folder`, in which the actor of the sale panics.
fn panicking(folder: &Path) -> Vec<Notice> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = Rc::new(RefCell::new(Vec::new()));
    let ear = Rc::clone(&told);
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let (bus, now) = (Bus::default(), before(START));
        bus.listen(move |notice: &Notice| ear.borrow_mut().push(notice.clone()));
        let journal = RedbJournal::open(folder).unwrap().journal;
        let shell = Shell::new(Agenda::new(now), bus, Box::new(journal), START, sha256(b"panic"));
        // Whoever writes down what is told is asked in the middle of the decision, by the actor that decides.
        let mut payments = 0;
        shell.keep(
            "stage/witness",
            Box::new(move |notice| {
                if matches!(notice.fact, Fact::Paid { .. }) {
                    payments += 1;
                    assert_ne!(payments, PAYMENTS, "on purpose");
                }
                None
            }),
        );
        let scenario = Scenario::parse("panic.toml", LAMP).unwrap();
        let (rig, length) =
            (Kind::Virtual(Plan::Names { driver: Driver::Sim, chip: None }), scenario.length.0);
        let begin = Begin {
            shell: shell.clone(),
            scenario,
            seed: 1,
            rig,
            watchdog: None,
            restored: Restored::default(),
            elsewhere: None,
        };
        let stage = Stage::build(begin).await.unwrap();
        let clock = Clock::new(Pace::Max, START);
        run::run(&shell, &clock, START.after(length), &mut || Control::Continue).await.unwrap();
        stage.audit();
        shell.settle().unwrap();
        assert_eq!(stage.unleased_on(), Duration::ZERO);
        shell.close();
        shell.agenda().clear();
    });
    told.take()
}

#[test]
fn a_panic_in_an_actor_ends_its_session_with_the_line_safe_and_the_journal_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");

    let told = panicking(&path);

    let facts = || told.iter().map(|notice| &notice.fact);
    let last = |find: &dyn Fn(&Fact) -> Option<u64>| facts().filter_map(find).last().unwrap();
    let paid = last(&|fact| if let Fact::Paid { value, .. } = fact { Some(value.get()) } else { None });
    let lease = last(&|fact| if let Fact::Lease { until, .. } = fact { Some(*until) } else { None });
    let levels: Vec<_> = told
        .iter()
        .filter_map(|notice| match &notice.fact {
            Fact::Line { line, level } if line == "LAMP" => Some((notice.at, *level)),
            _ => None,
        })
        .collect();
    let [.., (on, Level::High), (off, Level::Low)] = levels[..] else { panic!("{levels:?}") };
    assert_eq!(off, lease, "dark when the last lease ended");
    // A byte a millisecond.
    assert!(off - on <= paid + STEP, "lit for {} ms, and {paid} B were paid", off - on);
    let closed = |fact: &Fact| matches!(fact, Fact::Channel { state: ChannelState::Closed, .. });
    assert!(facts().any(closed), "the channel is still open");

    let entries = RedbJournal::open(&path).unwrap().journal.entries().unwrap();
    let report = audit::audit(&Restored::new(entries)).unwrap();
    assert_eq!(report.wrong, [""; 0]);
    assert!(report.ledger.is_some());
}
