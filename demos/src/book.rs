//! The director's book: the tally of a run and the verdicts on its expectations, kept over restarts.

use coinop::{
    journal::Stamp,
    notice::{Fact, Notice},
    restore::Restored,
};
use serde::{Deserialize, Serialize};

use crate::{
    scenario::{Expect, Verdict},
    tally::Tally,
};

/// The stream of the book in the journal.
pub(crate) const STREAM: &str = "director/book";
/// The book is written whole after this many notices.
const WHOLE_EVERY: u32 = 512;

/// What a run came to so far, and which expectations have been judged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Book {
    /// The sums.
    pub(crate) tally: Tally,
    /// What was judged when it was due.
    pub(crate) verdicts: Vec<Option<Verdict>>,
}

impl Book {
    /// The book as the journal holds it; empty at the beginning.
    pub(crate) fn restore(restored: &Restored, expectations: &[Expect]) -> Result<Self, serde_json::Error> {
        let mut book = Self::default();
        for entry in restored.entries(STREAM) {
            match entry.stamp {
                Stamp::State => book = serde_json::from_slice(&entry.body)?,
                Stamp::Event => book.update(&serde_json::from_slice(&entry.body)?, expectations),
            }
        }
        book.verdicts.resize(expectations.len(), None);
        Ok(book)
    }

    /// Judges what is due, then takes note of a notice.
    pub(crate) fn update(&mut self, notice: &Notice, expectations: &[Expect]) {
        self.verdicts.resize(expectations.len(), None);
        for (verdict, expect) in self.verdicts.iter_mut().zip(expectations) {
            if verdict.is_none() && expect.is_due_before(notice.at) {
                self.tally.settle(notice.at);
                *verdict = Some(expect.judge(&self.tally));
            }
        }
        self.tally.update(notice);
    }

    /// What writes the book into the journal, notice by notice.
    pub(crate) fn scribe(
        mut self,
        expectations: Vec<Expect>,
    ) -> impl FnMut(&Notice) -> Option<(Stamp, Vec<u8>)> {
        let mut since = WHOLE_EVERY;
        move |notice| {
            let slim = slim(notice)?;
            self.update(&slim, &expectations);
            since += 1;
            if since > WHOLE_EVERY {
                since = 0;
                return serde_json::to_vec(&self).ok().map(|body| (Stamp::State, body));
            }
            serde_json::to_vec(&slim).ok().map(|body| (Stamp::Event, body))
        }
    }
}

/// What the tally needs of a notice; nothing when it needs nothing.
fn slim(notice: &Notice) -> Option<Notice> {
    let mut slim = match &notice.fact {
        Fact::Unit { .. }
        | Fact::Stable { .. }
        | Fact::Lease { .. }
        | Fact::Link { .. }
        | Fact::Party { .. }
        | Fact::Listing { .. }
        | Fact::Exposure { .. }
        | Fact::World { .. }
        | Fact::LineFault { .. }
        | Fact::Fault { .. }
        | Fact::Intervention { .. } => return None,
        Fact::Thing { .. }
        | Fact::Audit { .. }
        | Fact::Session { .. }
        | Fact::Channel { .. }
        | Fact::Package { .. }
        | Fact::Paid { .. }
        | Fact::Delivered { .. }
        | Fact::Line { .. }
        | Fact::Balance { .. }
        | Fact::Dispute { .. }
        | Fact::Alarm { .. }
        | Fact::Receipt { .. }
        | Fact::Refusal { .. } => notice.clone(),
    };
    if let Fact::Package { signed_package, .. } = &mut slim.fact {
        *signed_package = serde_json::Value::Null;
    }
    if let Fact::Dispute { evidence, .. } = &mut slim.fact {
        *evidence = serde_json::Value::Null;
    }
    Some(slim)
}
