//! What must be true, and by when.

use std::time::Duration;

use coinop::core::Bytes;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Amount, Span};
use crate::tally::{LineStory, Tally};

/// One expectation: exactly one of the conditions, and when it is due.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Expect {
    /// When it is looked at; the end of the scenario when nothing is said.
    #[serde(default)]
    pub(crate) by: Option<Spanned<Span>>,
    /// At least so many payments were credited.
    #[serde(default)]
    pub(crate) payments: Option<u64>,
    /// At least so many channels were opened.
    #[serde(default)]
    pub(crate) channels_opened: Option<u64>,
    /// At least so many channels were closed.
    #[serde(default)]
    pub(crate) channels_closed: Option<u64>,
    /// Exactly so many cheaters lost everything.
    #[serde(default)]
    pub(crate) fraud_proofs: Option<u64>,
    /// At least so many sessions were settled.
    #[serde(default)]
    pub(crate) settled: Option<u64>,
    /// Exactly so many sessions ended because their two meters disagreed.
    #[serde(default)]
    pub(crate) disputes: Option<u64>,
    /// Somebody was refused something, and the reason holds these words.
    #[serde(default)]
    pub(crate) refusal: Option<String>,
    /// An output was on for a time within these bounds.
    #[serde(default)]
    pub(crate) on: Option<On>,
    /// A line is at its safe level, low.
    #[serde(default)]
    pub(crate) off: Option<Spanned<String>>,
    /// A buyer truly got services worth this much.
    #[serde(default)]
    pub(crate) got: Option<Got>,
    /// A party's wallet ends with an amount within these bounds.
    #[serde(default)]
    pub(crate) has: Option<Has>,
    /// At this thing money and energy agree: each session that was paid for is settled, for what it truly
    /// got, within one step.
    #[serde(default)]
    pub(crate) agrees: Option<Spanned<String>>,
    /// A thing raised an alarm, and what leaked without a lease is within these bounds.
    #[serde(default)]
    pub(crate) alarm: Option<Alarm>,
}

/// Bounds for what leaked, at the tariff's price.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Alarm {
    /// Which thing.
    pub(crate) thing: Spanned<String>,
    /// At least.
    #[serde(default)]
    pub(crate) at_least: Option<Amount>,
    /// At most.
    #[serde(default)]
    pub(crate) at_most: Option<Amount>,
}

/// Bounds for the time an output was on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct On {
    /// The line's name on the board.
    pub(crate) line: Spanned<String>,
    /// At least.
    #[serde(default)]
    pub(crate) at_least: Option<Span>,
    /// At most.
    #[serde(default)]
    pub(crate) at_most: Option<Span>,
}

/// Bounds for what a buyer truly got.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Got {
    /// Who.
    pub(crate) buyer: Spanned<String>,
    /// At least.
    #[serde(default)]
    pub(crate) at_least: Option<Amount>,
    /// At most.
    #[serde(default)]
    pub(crate) at_most: Option<Amount>,
}

/// Bounds for a balance, pending included.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Has {
    /// Who.
    pub(crate) party: Spanned<String>,
    /// At least.
    #[serde(default)]
    pub(crate) at_least: Option<Amount>,
    /// At most.
    #[serde(default)]
    pub(crate) at_most: Option<Amount>,
}

/// How an expectation came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// The expectation in words, and what was found.
    pub(crate) what: String,
    /// Whether it holds.
    pub(crate) state: Due,
}

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Due {
    /// It does.
    Met,
    /// It does not.
    Failed,
    /// It is too early to tell.
    Pending,
}

/// The one condition of an expectation.
enum Condition<'a> {
    AtLeast(&'static str, u64, u64),
    Exactly(&'static str, u64, u64),
    Refusal(&'a str, Option<&'a str>),
    Within(String, Option<u64>, Option<u64>, u64, &'static str),
    Off(&'a str, LineStory),
    Agrees(&'a str, Result<usize, String>),
    Alarm(&'a str, Option<Bytes>, (Option<u64>, Option<u64>)),
}

impl Expect {
    /// Makes sure that there is exactly one condition.
    pub(crate) fn kind(&self) -> Result<(), String> {
        match self.conditions(&Tally::default()).len() {
            1 => Ok(()),
            count => Err(format!(
                "an expectation has exactly one of payments, channels-opened, channels-closed, fraud-proofs, \
                 settled, disputes, refusal, on, off, got, has, agrees, alarm; this has {count}"
            )),
        }
    }

    /// The names of parties in it.
    pub(crate) fn words(&self) -> Vec<&Spanned<String>> {
        let got = self.got.as_ref().map(|got| &got.buyer);
        let has = self.has.as_ref().map(|has| &has.party);
        let alarm = self.alarm.as_ref().map(|alarm| &alarm.thing);
        got.into_iter().chain(has).chain(&self.agrees).chain(alarm).collect()
    }

    /// The names of lines in it.
    pub(crate) fn lines(&self) -> Vec<&Spanned<String>> {
        self.on.as_ref().map(|on| &on.line).into_iter().chain(&self.off).collect()
    }

    /// Whether it is looked at before something that happens at `at` milliseconds.
    pub(crate) fn is_due_before(&self, at: u64) -> bool {
        self.by.as_ref().is_some_and(|by| by.get_ref().0.as_millis() < u128::from(at))
    }

    /// Judges at the end of a run that ended `at`, of a scenario that lasts `whole`: what is due later is
    /// pending, also where it looks good so far.
    pub(crate) fn conclude(&self, tally: &Tally, at: Duration, whole: Duration) -> Verdict {
        let due = self.by.as_ref().map_or(whole, |by| by.get_ref().0);
        let verdict = self.judge(tally);
        let state = if at < due { Due::Pending } else { verdict.state };
        Verdict { state, ..verdict }
    }

    /// Compares with what happened.
    pub(crate) fn judge(&self, tally: &Tally) -> Verdict {
        let conditions = self.conditions(tally);
        let what = conditions.iter().map(Condition::words).collect::<Vec<_>>().join(", ");
        let met = conditions.iter().all(Condition::holds);
        Verdict { what, state: if met { Due::Met } else { Due::Failed } }
    }

    fn conditions<'a>(&'a self, tally: &'a Tally) -> Vec<Condition<'a>> {
        let counts = [
            ("payments", self.payments, tally.payments),
            ("channels opened", self.channels_opened, tally.channels_opened()),
            ("channels closed", self.channels_closed, tally.channels_closed()),
            ("sessions settled", self.settled, tally.settled()),
        ];
        let mut found: Vec<_> = counts
            .into_iter()
            .filter_map(|(what, wanted, is)| wanted.map(|wanted| Condition::AtLeast(what, wanted, is)))
            .collect();
        found.extend(
            self.fraud_proofs.map(|wanted| Condition::Exactly("fraud proofs", wanted, tally.fraud_proofs())),
        );
        found.extend(self.disputes.map(|wanted| Condition::Exactly("disputes", wanted, tally.disputes())));
        found.extend(
            self.refusal.as_deref().map(|words| Condition::Refusal(words, tally.refusal_with(words))),
        );
        found.extend(self.on.as_ref().map(|on| {
            let line = on.line.get_ref();
            let is = tally.line(line).on_ms;
            let millis =
                |span: Option<Span>| span.map(|span| u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX));
            Condition::Within(format!("{line} on"), millis(on.at_least), millis(on.at_most), is, "ms")
        }));
        found.extend(self.off.as_ref().map(|line| {
            let line = line.get_ref();
            Condition::Off(line, tally.line(line))
        }));
        let bytes = |amount: Option<Amount>| amount.map(|amount| amount.0.get());
        found.extend(self.got.as_ref().map(|got| {
            let name = got.buyer.get_ref();
            let is = tally.delivered_to(name).get();
            Condition::Within(format!("{name} got"), bytes(got.at_least), bytes(got.at_most), is, "B")
        }));
        found.extend(self.has.as_ref().map(|has| {
            let name = has.party.get_ref();
            let is = tally.balance(name).get();
            Condition::Within(format!("{name} has"), bytes(has.at_least), bytes(has.at_most), is, "B")
        }));
        found.extend(self.agrees.as_ref().map(|thing| {
            let thing = thing.get_ref();
            Condition::Agrees(thing, tally.agreement(thing))
        }));
        found.extend(self.alarm.as_ref().map(|alarm| {
            let thing = alarm.thing.get_ref();
            let bounds = (bytes(alarm.at_least), bytes(alarm.at_most));
            Condition::Alarm(thing, tally.leaked_at(thing), bounds)
        }));
        found
    }
}

impl Condition<'_> {
    fn holds(&self) -> bool {
        match self {
            Self::AtLeast(_, wanted, is) => is >= wanted,
            Self::Exactly(_, wanted, is) => is == wanted,
            Self::Refusal(_, found) => found.is_some(),
            Self::Within(_, least, most, is, _) => {
                least.is_none_or(|least| *is >= least) && most.is_none_or(|most| *is <= most)
            }
            Self::Off(_, story) => story.known && !story.is_on,
            Self::Agrees(_, found) => found.as_ref().is_ok_and(|sessions| *sessions > 0),
            Self::Alarm(_, leaked, (least, most)) => leaked.is_some_and(|leaked| {
                least.is_none_or(|least| leaked.get() >= least)
                    && most.is_none_or(|most| leaked.get() <= most)
            }),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::AtLeast(what, wanted, is) => format!("at least {wanted} {what}: {is}"),
            Self::Exactly(what, wanted, is) => format!("exactly {wanted} {what}: {is}"),
            Self::Refusal(words, Some(found)) => format!("a refusal saying {words:?}: {found}"),
            Self::Refusal(words, None) => format!("a refusal saying {words:?}: none"),
            Self::Within(what, least, most, is, unit) => {
                let least = least.map(|least| format!(" at least {least} {unit}")).unwrap_or_default();
                let most = most.map(|most| format!(" at most {most} {unit}")).unwrap_or_default();
                format!("{what}{least}{most}: {is} {unit}")
            }
            Self::Off(line, story) => {
                let is = match (story.known, story.is_on) {
                    (false, _) => "no such line",
                    (true, true) => "on",
                    (true, false) => "off",
                };
                format!("{line} off: {is}")
            }
            Self::Agrees(thing, Ok(sessions)) => {
                format!("money and delivery at {thing} agree within a step: in {sessions} sessions")
            }
            Self::Agrees(thing, Err(what)) => {
                format!("money and delivery at {thing} agree within a step: {what}")
            }
            Self::Alarm(thing, leaked, (least, most)) => {
                let bound = |word: &str, bound: &Option<u64>| {
                    bound.map(|bound| format!(" {word} {bound} B")).unwrap_or_default()
                };
                let is = leaked.map_or("none".to_owned(), |leaked| leaked.to_string());
                let bounds = format!("{}{}", bound("at least", least), bound("at most", most));
                format!("an alarm at {thing}, leaked{bounds}: {is}")
            }
        }
    }
}
