use core::fmt;

use serde::{Deserialize, Serialize};

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The buyer has what it wanted.
    Complete,
    /// The buyer's budget or deposit is used up.
    BudgetSpent,
    /// The buyer's longest duration is over.
    TimeUp,
    /// The buyer's user, or the seller's operator, wanted it so.
    Stopped,
    /// Nobody accepted, or the seller did not answer, before the offer expired.
    Expired,
    /// The deposit or the first payment did not come.
    NoDeposit,
    /// The paid steps are used up and the next one did not come.
    Unpaid,
    /// The meter gave nothing while the power was on.
    MeterSilent,
    /// Paid, but nothing more was delivered.
    Stalled,
    /// The seller claims more than was seen, or more than was paid for.
    Overclaimed,
    /// The seller's and the buyer's meter are further apart than was agreed.
    MetersDisagree,
    /// The thing cannot deliver any more.
    ThingFailed,
    /// The channel is closing or gone.
    ChannelLost,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::BudgetSpent => "budget spent",
            Self::TimeUp => "time is up",
            Self::Stopped => "stopped",
            Self::Expired => "offer expired",
            Self::NoDeposit => "no deposit",
            Self::Unpaid => "unpaid",
            Self::MeterSilent => "meter silent",
            Self::Stalled => "delivery stalled",
            Self::Overclaimed => "seller claims too much",
            Self::MetersDisagree => "the meters disagree",
            Self::ThingFailed => "thing failed",
            Self::ChannelLost => "channel lost",
        })
    }
}
