use std::{collections::BTreeMap, time::Duration};

use coinop_core::{
    Timestamp,
    board::{Direction, Edge, Level, LineSpec},
};

/// Lets a change of an input through once it has lasted as long as the line's debounce.
///
/// It is told as of the moment it has lasted that long. So both ends of a pulse are late by the same time,
/// how long it took stays exact, and edges stay in order. Without a debounce each edge passes as it is.
#[derive(Clone, Debug)]
pub(super) struct Debounce {
    inputs: BTreeMap<String, Bouncing>,
}

/// An input that bounces.
#[derive(Clone, Debug)]
struct Bouncing {
    lasts: Duration,
    /// What is known outside.
    told: Level,
    /// Since when it has the other level.
    since: Option<Timestamp>,
}

impl Debounce {
    pub(super) fn new(lines: &[LineSpec]) -> Self {
        let inputs =
            lines.iter().filter(|spec| spec.direction == Direction::Input && !spec.debounce.is_zero());
        let bouncing = |spec: &LineSpec| Bouncing { lasts: spec.debounce, told: Level::Low, since: None };
        Self { inputs: inputs.map(|spec| (spec.name.clone(), bouncing(spec))).collect() }
    }

    /// Says what level of a line has been told.
    pub(super) fn told(&mut self, line: &str, level: Level) {
        if let Some(input) = self.inputs.get_mut(line) {
            (input.told, input.since) = (level, None);
        }
    }

    /// The lines whose edges it holds back.
    pub(super) fn lines(&self) -> Vec<String> {
        self.inputs.keys().cloned().collect()
    }

    /// Takes edges, oldest first, and gives those that are certain by `now`, oldest first.
    pub(super) fn pass(&mut self, edges: Vec<Edge>, now: Timestamp) -> Vec<Edge> {
        let mut passed = Vec::new();
        for edge in edges {
            self.ripen(edge.at, &mut passed);
            match self.inputs.get_mut(&edge.line) {
                None => passed.push(edge),
                // The same level again: what lay between was lost, so it has not lasted.
                Some(input) => input.since = (edge.level != input.told).then_some(edge.at),
            }
        }
        self.ripen(now, &mut passed);
        passed
    }

    /// When a change becomes certain.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.inputs.values().filter_map(Bouncing::certain_at).min()
    }

    /// Lets through what has lasted long enough by `now`.
    fn ripen(&mut self, now: Timestamp, passed: &mut Vec<Edge>) {
        let mut ripe: Vec<_> = self
            .inputs
            .iter_mut()
            .filter_map(|(line, input)| {
                let at = input.certain_at().filter(|at| *at <= now)?;
                (input.told, input.since) = (!input.told, None);
                Some(Edge { line: line.clone(), level: input.told, at })
            })
            .collect();
        ripe.sort_by_key(|edge| edge.at);
        passed.extend(ripe);
    }
}

impl Bouncing {
    fn certain_at(&self) -> Option<Timestamp> {
        self.since.map(|since| since.after(self.lasts))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LASTS: u64 = 10;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn edge(line: &str, level: Level, millis: u64) -> Edge {
        Edge { line: line.to_owned(), level, at: at(millis) }
    }

    fn debounce() -> Debounce {
        let door = LineSpec { debounce: Duration::from_millis(LASTS), ..LineSpec::input("DOOR") };
        Debounce::new(&[door, LineSpec::input("METER")])
    }

    #[test]
    fn a_change_is_told_once_it_has_lasted() {
        let mut debounce = debounce();

        assert_eq!(debounce.pass(vec![edge("DOOR", Level::High, 5)], at(5)), []);
        assert_eq!(debounce.next_wake(), Some(at(15)));
        assert_eq!(debounce.pass(vec![], at(14)), []);
        assert_eq!(debounce.pass(vec![], at(15)), [edge("DOOR", Level::High, 15)]);
        assert_eq!(debounce.next_wake(), None);
    }

    #[test]
    fn a_bounce_is_not_told_and_starts_the_time_again() {
        let mut debounce = debounce();
        let bounces =
            vec![edge("DOOR", Level::High, 0), edge("DOOR", Level::Low, 4), edge("DOOR", Level::High, 6)];

        assert_eq!(debounce.pass(bounces, at(15)), []);
        assert_eq!(debounce.pass(vec![], at(30)), [edge("DOOR", Level::High, 16)]);
    }

    #[test]
    fn a_step_that_comes_late_tells_what_lasted_before_it_in_order() {
        let mut debounce = debounce();
        let edges = vec![
            edge("DOOR", Level::High, 0),
            edge("METER", Level::High, 3),
            edge("METER", Level::Low, 12),
            edge("DOOR", Level::Low, 20),
        ];

        let expected = [
            edge("METER", Level::High, 3),
            edge("DOOR", Level::High, 10),
            edge("METER", Level::Low, 12),
            edge("DOOR", Level::Low, 30),
        ];
        assert_eq!(debounce.pass(edges, at(100)), expected);
    }

    #[test]
    fn what_lies_between_two_equal_edges_was_lost_and_the_time_starts_again() {
        let mut debounce = debounce();
        let edges = vec![edge("DOOR", Level::High, 0), edge("DOOR", Level::High, 8)];

        assert_eq!(debounce.pass(edges, at(100)), [edge("DOOR", Level::High, 18)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// An onlooker samples the line each millisecond and tells a level that it has seen for long enough.
        #[test]
        fn what_is_told_is_what_lasted_however_it_is_stepped(
            gaps in prop::collection::vec((1..25_u64, 1..4_usize), 0..60),
        ) {
            let mut debounce = debounce();
            let (mut now, mut level, mut told) = (0, Level::Low, Level::Low);
            let (mut waiting, mut passed, mut expected) = (Vec::new(), Vec::new(), Vec::new());
            for (index, (gap, batch)) in gaps.iter().enumerate() {
                level = !level;
                waiting.push(edge("DOOR", level, now));
                if level != told && (*gap >= LASTS || index + 1 == gaps.len()) {
                    told = level;
                    expected.push(edge("DOOR", level, now + LASTS));
                }
                now += gap;
                if waiting.len() >= *batch {
                    passed.extend(debounce.pass(std::mem::take(&mut waiting), at(now)));
                }
            }
            passed.extend(debounce.pass(waiting, at(now + 100)));

            prop_assert!(passed.is_sorted_by_key(|edge| edge.at));
            prop_assert_eq!(passed, expected);
        }
    }
}
