//! What the program prints outside the terminal UI.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use coinop::notice::{AlarmState, Fact, Notice, SessionState};

use crate::{
    scenario::{BUILT_IN, Scenario},
    tally::Tally,
};

/// Lists the scenarios that are built in.
pub(crate) fn list() -> color_eyre::Result<ExitCode> {
    let mut out = io::stdout().lock();
    for (name, text) in BUILT_IN {
        let scenario = Scenario::parse(&format!("{name}.toml"), text)?;
        writeln!(out, "{name:18} {}", scenario.title)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One notice as a JSON line.
pub(crate) fn json(out: &mut dyn Write, notice: &Notice) -> io::Result<()> {
    serde_json::to_writer(&mut *out, notice)?;
    out.write_all(b"\n")
}

/// One notice as a line for a person, if it is worth one.
pub(crate) fn plain(out: &mut dyn Write, notice: &Notice) -> io::Result<()> {
    let Some(text) = sentence(&notice.fact) else { return Ok(()) };
    let (seconds, millis) = (notice.at / 1_000, notice.at % 1_000);
    writeln!(out, "{seconds:>5}.{millis:03} {:<12} {text}", notice.who)
}

fn sentence(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Listing { thing, service, step } => {
            Some(format!("offers {thing} ({service}) at {step} a step"))
        }
        Fact::Session { thing, buyer, state, .. } => {
            let what = match state {
                SessionState::Offered => return None,
                SessionState::Accepted => "has",
                SessionState::Running => "is served by",
                SessionState::Stopped => "stops",
                SessionState::Settled => "is settled with",
                SessionState::Cancelled => "does not get",
                SessionState::Disputed => "disagrees with",
            };
            Some(format!("{buyer} {what} {thing}"))
        }
        Fact::Channel { peer, period, state, deposited, .. } => Some(
            format!("channel with {peer}, period {period}: {state:?}, {deposited} deposited").to_lowercase(),
        ),
        Fact::Line { line, level } => Some(format!("{line} {level}")),
        Fact::Refusal { reason } => Some(format!("refuses: {reason}")),
        Fact::Fault { what } => Some(format!("fault: {what}")),
        Fact::Dispute { seller, buyer, tolerance, .. } => Some(format!(
            "dispute: the seller's meter shows {seller}, the buyer's {buyer}; agreed were {tolerance} apart"
        )),
        Fact::Alarm { line, state: AlarmState::Raised, value, .. } => Some(format!(
            "ALARM: {line} is driven off, and its meter runs; {value} leaked so far. Nothing is sold here \
             until it is mended"
        )),
        Fact::Alarm { line, state: AlarmState::Mended, value, .. } => {
            Some(format!("{line} is mended; {value} leaked, which nobody owes"))
        }
        Fact::World { line, level: Some(level) } => Some(format!("{line} is {level} out there")),
        Fact::World { line, level: None } => Some(format!("{line} is out there as it is driven")),
        Fact::Intervention { what, .. } => Some(format!("by hand: {what}")),
        Fact::Party { .. }
        | Fact::Thing { .. }
        | Fact::Link { .. }
        | Fact::Audit { .. }
        | Fact::Unit { .. }
        | Fact::Stable { .. }
        | Fact::Package { .. }
        | Fact::Paid { .. }
        | Fact::Delivered { .. }
        | Fact::Lease { .. }
        | Fact::Exposure { .. }
        | Fact::Receipt { .. }
        | Fact::LineFault { .. }
        | Fact::Balance { .. } => None,
    }
}

/// The summary for a person.
pub(crate) fn summary(
    out: &mut dyn Write,
    tally: &Tally,
    verdicts: &[crate::scenario::Verdict],
    broken: &[String],
) -> io::Result<()> {
    writeln!(
        out,
        "{} payments, {} paid for {} of delivered value; {} channels opened, {} closed, {} fraud proofs",
        tally.payments,
        tally.paid(),
        tally.delivered(),
        tally.channels_opened(),
        tally.channels_closed(),
        tally.fraud_proofs()
    )?;
    for (thing, raised, leaked) in tally.alarms() {
        writeln!(
            out,
            "ALARM   {thing}: {raised} times its meter ran without a lease; {leaked} leaked unpaid"
        )?;
    }
    for verdict in verdicts {
        let mark = match verdict.state {
            crate::scenario::Due::Met => "ok     ",
            crate::scenario::Due::Failed => "FAILED ",
            crate::scenario::Due::Pending => "pending",
        };
        writeln!(out, "{mark} {}", verdict.what)?;
    }
    for what in broken {
        writeln!(out, "BROKEN  {what}")?;
    }
    Ok(())
}
