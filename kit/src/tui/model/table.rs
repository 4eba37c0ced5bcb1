use std::collections::VecDeque;

use crate::tui::words::{NAME_MAX, clip};

/// Something that stands in a table.
pub(in crate::tui) trait Row: Default {
    /// Whether it may be forgotten first when room is needed.
    fn is_over(&self) -> bool;
}

/// Named rows in the order they came, never more than a limit.
pub(in crate::tui) struct Table<R> {
    limit: usize,
    rows: VecDeque<(String, R)>,
}

impl<R: Row> Table<R> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, rows: VecDeque::new() }
    }

    /// The row of `name`, made when there is none; the oldest that is over makes room, else the oldest.
    pub(super) fn row(&mut self, name: &str) -> &mut R {
        let name = clip(name, NAME_MAX);
        let index = self.rows.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            if self.rows.len() >= self.limit {
                let oldest = self.rows.iter().position(|(_, row)| row.is_over()).unwrap_or(0);
                self.rows.remove(oldest);
            }
            self.rows.push_back((name, R::default()));
            self.rows.len() - 1
        });
        &mut self.rows[index].1
    }

    pub(in crate::tui) fn find(&self, name: &str) -> Option<&R> {
        self.rows.iter().find(|(known, _)| known == name).map(|(_, row)| row)
    }

    pub(super) fn find_mut(&mut self, name: &str) -> Option<&mut R> {
        self.rows.iter_mut().find(|(known, _)| known == name).map(|(_, row)| row)
    }

    pub(in crate::tui) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &R)> {
        self.rows.iter().map(|(name, row)| (name.as_str(), row))
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut R> {
        self.rows.iter_mut().map(|(_, row)| row)
    }

    pub(in crate::tui) fn len(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Job {
        over: bool,
    }

    impl Row for Job {
        fn is_over(&self) -> bool {
            self.over
        }
    }

    #[test]
    fn a_full_table_forgets_what_is_over_before_what_is_not() {
        let mut table = Table::<Job>::new(2);
        table.row("a");
        table.row("b").over = true;

        table.row("c");

        assert_eq!(table.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn a_full_table_of_running_jobs_forgets_the_oldest() {
        let mut table = Table::<Job>::new(2);

        for name in ["a", "b", "c", "c"] {
            table.row(name);
        }

        assert_eq!(table.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "c"]);
    }
}
