//! The power fails at a thousand moments, on a disk that forgets what was not synced.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use coinop::{
    audit::{self, AuditError, Report},
    core::Bytes,
    journal::{Journal, RedbJournal},
    notice::{Fact, Notice},
    restore::Restored,
};
use serde_json::Value;

use super::{
    disk::{Chance, Cutter, Disk},
    world::{START, World, on_one_thread},
};

/// How often the power fails.
const CUTS: usize = 1_000;
/// Every so many of them, the run goes on afterwards.
const GO_ON_EVERY: usize = 20;
/// How long the run is that is cut.
const LENGTH: Duration = Duration::from_secs(10);
const SEED: u64 = 7;

/// What was told, and how much had been done to the disk by then.
#[derive(Default)]
struct Told {
    /// When the empty store was there: it is made under another name, so nobody opens half of one.
    born: usize,
    notices: Vec<(usize, Notice)>,
}

type Packages = BTreeMap<(String, u64, u64), Value>;

#[test]
fn what_was_told_before_a_cut_is_explained_by_what_the_disk_kept() {
    on_one_thread(cut_a_thousand_times());
}

async fn cut_a_thousand_times() {
    let disk = Disk::default();
    let told = played(&disk).await;
    let (log, mut chance) = (disk.log(), Chance(SEED));
    assert!(told.packages_before(usize::MAX).len() > 20, "too little was paid");
    let mut moments: Vec<usize> =
        (0..CUTS).map(|_| told.born + chance.below(log.len() + 1 - told.born)).collect();
    moments.sort_unstable();

    let (mut cutter, mut repaired) = (Cutter::new(&log), 0);
    for (number, moment) in moments.into_iter().enumerate() {
        let left = cutter.cut(moment, &mut chance);
        let opened = RedbJournal::on(Disk::holding(left.clone()));
        let opened = opened.unwrap_or_else(|error| panic!("seed {SEED}, cut {number} at {moment}: {error}"));
        repaired += usize::from(opened.repaired);
        let entries = opened.journal.entries().unwrap();
        told.is_explained(moment, audit::audit(&Restored::new(entries)));
        if number % GO_ON_EVERY == 0 {
            goes_on(left, told.packages_before(moment)).await;
        }
    }
    eprintln!("seed {SEED}: {CUTS} cuts in {} operations, {repaired} repaired", log.len());
    assert!(repaired > CUTS / 2);
}

/// A whole run on this disk.
async fn played(disk: &Disk) -> Told {
    let told = Rc::new(RefCell::new(Told::default()));
    let (ear, medium) = (Rc::clone(&told), disk.clone());
    drop(RedbJournal::on(disk.clone()).unwrap());
    told.borrow_mut().born = disk.operations();
    let journal = RedbJournal::on(disk.clone()).unwrap().journal;
    let hear = move |notice: &Notice| ear.borrow_mut().notices.push((medium.operations(), notice.clone()));
    let world = World::build(Box::new(journal), hear).await;
    world.play_until(START.after(LENGTH)).await;
    drop(world);
    told.take()
}

/// Goes on from what a cut has left: nothing is signed twice, and all ends well.
async fn goes_on(left: Vec<u8>, before: Packages) {
    let disk = Disk::holding(left);
    let packages = Rc::new(RefCell::new(before));
    let ear = Rc::clone(&packages);
    let journal = RedbJournal::on(disk.clone()).unwrap().journal;
    let world = World::build(Box::new(journal), move |notice| {
        if let Some((key, package)) = package(notice) {
            let mut packages = ear.borrow_mut();
            let first = packages.entry(key).or_insert_with(|| package.clone());
            assert_eq!(*first, package, "two different packages of one amount");
        }
    })
    .await;
    let until = world.shell.now().max(START).after(LENGTH + LENGTH);
    world.play_until(until).await;

    let report = audit::audit(&Restored::new(world.shell.entries().unwrap())).unwrap();
    assert_eq!(report.wrong, Vec::<String>::new());
    let settled = report.channels.iter().all(audit::ChannelAccount::is_settled);
    assert!(settled, "{:?}", report.channels);
    assert_eq!(report.sessions.iter().filter(|session| session.seller.is_some()).count(), 2);
}

fn package(notice: &Notice) -> Option<((String, u64, u64), Value)> {
    match &notice.fact {
        Fact::Package { channel, period, amount_spent, signed_package, .. } => {
            Some(((channel.clone(), *period, amount_spent.get()), signed_package.clone()))
        }
        _ => None,
    }
}

impl Told {
    fn before(&self, moment: usize) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(move |(done, _)| *done <= moment).map(|(_, notice)| notice)
    }

    fn packages_before(&self, moment: usize) -> Packages {
        self.before(moment).filter_map(package).collect()
    }

    /// Every package that was let go and every payment that was credited stands in the books.
    fn is_explained(&self, moment: usize, books: Result<Report, AuditError>) {
        let report = match books {
            Ok(report) => report,
            Err(AuditError::NoLedger) => {
                assert_eq!(self.before(moment).count(), 0, "told, and not one entry kept");
                return;
            }
            Err(error) => panic!("cut at {moment}: {error}"),
        };
        assert_eq!(report.wrong, Vec::<String>::new(), "cut at {moment}");
        for notice in self.before(moment) {
            match &notice.fact {
                Fact::Package { session, session_total, period, amount_spent, channel, .. } => {
                    let known = report.sessions.iter().find(|known| known.id == *session);
                    let paid = known.and_then(|known| known.buyer.as_ref()).map(|(_, paid)| *paid);
                    assert!(paid >= Some(*session_total), "cut at {moment}: {session}");
                    signed(&report, channel, &notice.who, *period, *amount_spent);
                }
                Fact::Paid { session, value } => {
                    let known = report.sessions.iter().find(|known| known.id == *session);
                    let paid = known.and_then(|known| known.seller.as_ref()).map(|(_, paid)| *paid);
                    assert!(paid >= Some(*value), "cut at {moment}: {session}");
                }
                _ => {}
            }
        }
    }
}

/// The payer's own books say that it has signed so much, or that the period is long over.
fn signed(report: &Report, channel: &str, who: &str, period: u64, amount: Bytes) {
    let channel = report.channels.iter().find(|known| known.agent.as_str() == channel).unwrap();
    let end = channel.ends.iter().find(|end| end.party == who).unwrap();
    assert!(end.period > period || end.signed >= amount, "{who}: {amount} told, {end:?}");
}
