//! Checks the folder of a durable run with nobody running.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use coinop::{
    audit::{self, Report},
    journal::Journal as _,
    restore::Restored,
};
use serde_json::json;

use crate::{args::Audit, folder, play::START};

/// Says who has what, and whether it adds up.
pub(crate) fn audit(options: &Audit) -> color_eyre::Result<ExitCode> {
    let manifest = folder::read(&options.folder)?;
    let opened = folder::journal(&options.folder)?;
    let report = audit::audit(&Restored::new(opened.journal.entries()?))?;
    let mut out = io::stdout().lock();
    if options.json {
        let line = json!({"audit": {
            "scenario": manifest.scenario,
            "seed": manifest.seed,
            "repaired": opened.repaired,
            "money_conserved": report.ledger.is_some(),
            "ok": report.wrong.is_empty(),
            "report": report,
        }});
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    } else {
        let found = if opened.repaired { "not closed by its last run, repaired" } else { "closed" };
        let seconds = report.at.since(START).as_secs_f64();
        writeln!(out, "{} with seed {}, {seconds:.1} s in, {found}", manifest.scenario, manifest.seed)?;
        table(&mut out, &report)?;
    }
    let mut err = io::stderr().lock();
    for what in &report.wrong {
        writeln!(err, "wrong: {what}")?;
    }
    Ok(if report.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let titles = ["stable", "pending", "in channels", "owed to it"];
    let [stable, pending, channels, owed] = titles;
    writeln!(out, "\n{:16} {stable:>12} {pending:>12} {channels:>12} {owed:>12}", "party")?;
    for party in &report.parties {
        let [stable, pending, channels, owed] =
            [party.stable, party.pending, party.in_channels, party.owed].map(coinop::core::Bytes::get);
        writeln!(out, "{:16} {stable:>12} {pending:>12} {channels:>12} {owed:>12}", party.name)?;
    }
    let open = report.channels.iter().filter(|channel| !channel.is_settled()).count();
    let paid = report.sessions.iter().filter(|session| session.seller.is_some()).count();
    writeln!(out, "\n{} channels, {open} open; {paid} sessions paid for", report.channels.len())?;
    let Some(ledger) = &report.ledger else { return writeln!(out, "money is NOT conserved") };
    writeln!(
        out,
        "money is conserved: {} issued = {} of the node + {} in wallets + {} of agents + {} of fees",
        ledger.issued.get(),
        ledger.own.get(),
        ledger.wallets.get(),
        ledger.agents.get(),
        ledger.commissions.get() + ledger.traffic.get()
    )
}
