//! What the journal holds is what the machines are.

use std::{collections::BTreeMap, time::Duration};

use coinop::{audit::states, journal::MemoryJournal, restore::Restored};

use super::world::{START, World, on_one_thread};

#[test]
fn every_machine_comes_back_from_the_journal_as_it_was() {
    on_one_thread(compare_at_several_moments());
}

async fn compare_at_several_moments() {
    for seconds in [2, 4, 9] {
        let world = World::build(Box::<MemoryJournal>::default(), |_| {}).await;
        world.play_until(START.after(Duration::from_secs(seconds))).await;

        let parties = [&world.seller, &world.buyer].into_iter().flat_map(|party| party.states().unwrap());
        let live: BTreeMap<_, _> = parties.chain([world.ledger.state().unwrap()]).collect();
        let kept = states(&Restored::new(world.shell.entries().unwrap())).unwrap();

        for (stream, state) in &live {
            assert_eq!(kept.get(stream), Some(state), "{stream} after {seconds} s");
        }
        assert!(live.len() >= 6, "{:?}", live.keys());
    }
}
