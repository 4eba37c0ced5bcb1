use std::collections::VecDeque;

/// The most entries of the log.
pub(in crate::tui) const ENTRIES_MAX: usize = 200;

/// What kind of news it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Tone {
    /// Part of the normal course.
    Plain,
    /// Something began or came to a good end.
    Good,
    /// The rules said no.
    Refused,
    /// Something went wrong.
    Fault,
    /// Somebody cheated and lost.
    Caught,
    /// A hand from outside.
    Hand,
}

/// One thing that happened, in words.
pub(in crate::tui) struct Entry {
    pub(in crate::tui) at: u64,
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) text: String,
    /// How many times in a row.
    pub(in crate::tui) times: u64,
}

/// What happened, newest first, never more than [`ENTRIES_MAX`].
#[derive(Default)]
pub(in crate::tui) struct Story(VecDeque<Entry>);

impl Story {
    pub(super) fn tell(&mut self, at: u64, tone: Tone, text: String) {
        if let Some(last) = self.0.front_mut()
            && last.tone == tone
            && last.text == text
        {
            last.times = last.times.saturating_add(1);
            last.at = at;
            return;
        }
        self.0.truncate(ENTRIES_MAX - 1);
        self.0.push_front(Entry { at, tone, text, times: 1 });
    }

    /// Whether the newest entry, of this same moment, says what a hand or a fault did to all of `names`.
    pub(super) fn explains(&self, at: u64, names: &[String]) -> bool {
        self.0.front().is_some_and(|newest| {
            let is_cause = matches!(newest.tone, Tone::Hand | Tone::Fault);
            newest.at == at && is_cause && names.iter().all(|name| newest.text.contains(name))
        })
    }

    pub(in crate::tui) fn newest_first(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(in crate::tui) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_news_twice_in_a_row_is_one_entry() {
        let mut story = Story::default();

        story.tell(1, Tone::Fault, "the sensor is stuck".to_owned());
        story.tell(2, Tone::Fault, "the sensor is stuck".to_owned());

        let entry = story.newest_first().next().unwrap();
        assert_eq!((entry.at, entry.times, story.len()), (2, 2, 1));
    }
}
