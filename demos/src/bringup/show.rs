//! `coinop board show`: the lines of a board, where they are, and what holds for them.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use coinop::core::board::{Direction, LineSpec};
use coinop_hardware::wiring::{Active, Bias, Spot, Wire};
use serde_json::{Value, json};

use super::{bench::Bench, words};
use crate::{args::BoardShow, board::Plan, table};

/// Shows every line.
pub(super) fn show(options: &BoardShow) -> color_eyre::Result<ExitCode> {
    let bench = Bench::of(&options.board)?;
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer(
            &mut out,
            &json!({"v": 1, "board": board(&options.board.to_string(), &bench)}),
        )?;
        out.write_all(b"\n")?;
    } else {
        print(&mut out, &options.board.to_string(), &bench)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A board as others read it.
fn board(name: &str, bench: &Bench) -> Value {
    let lines = bench.lines.iter().map(|spec| line(spec, &bench.wiring.wire(&spec.name)));
    let driver = bench.plan.driver();
    json!({
        "name": name, "title": title(&bench.plan), "driver": driver, "danger": driver.danger(),
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn line(spec: &LineSpec, wire: &Wire) -> Value {
    let (kernel, offset) = match wire.spot(&spec.name) {
        Spot::Kernel(name) => (Some(name), None),
        Spot::Offset(offset) => (None, Some(offset)),
    };
    let is_output = spec.direction == Direction::Output;
    json!({
        "name": spec.name, "direction": spec.direction, "chip": wire.chip, "kernel": kernel, "offset": offset,
        "active": wire.active, "safe": is_output.then_some(spec.safe),
        "max_on_ms": spec.max_on.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        "debounce_ms": u64::try_from(spec.debounce.as_millis()).unwrap_or(u64::MAX),
        "never_with": spec.never_with, "bias": wire.bias,
    })
}

fn title(plan: &Plan) -> &str {
    match plan {
        Plan::Names { .. } => "the lines that the kit's scenarios use, by the names they have there",
        Plan::File(file) => file.title(),
    }
}

fn print(out: &mut dyn Write, name: &str, bench: &Bench) -> io::Result<()> {
    let driver = bench.plan.driver();
    writeln!(out, "{name}: {}", title(&bench.plan))?;
    table::row(out, "driver  ", &driver.to_string())?;
    if let Some(danger) = driver.danger() {
        table::row(out, "DANGER  ", &danger)?;
    }
    let rows: Vec<_> = bench.lines.iter().map(|spec| cells(spec, &bench.wiring.wire(&spec.name))).collect();
    let heads = ["line", "way", "where", "active", "safe", "limits"].map(str::to_owned);
    let width = |column: usize| table::widest(rows.iter().chain([&heads]).map(|row| row[column].as_str()));
    let widths: Vec<usize> = (0..5).map(width).collect();
    writeln!(out)?;
    for row in [&heads].into_iter().chain(&rows) {
        let head = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        table::row(out, &head.collect::<String>(), &row[5])?;
    }
    Ok(())
}

/// A row: its name, which way, where, the active and the safe level, and its limits.
fn cells(spec: &LineSpec, wire: &Wire) -> [String; 6] {
    let spot = wire.spot(&spec.name);
    let place = wire.chip.as_ref().map_or_else(|| spot.to_string(), |chip| format!("{chip} {spot}"));
    let active = match wire.active {
        Active::High => "high",
        Active::Low => "low",
    };
    let safe = match spec.direction {
        Direction::Output => words::level(spec.safe),
        Direction::Input => "",
    };
    let (name, way) = (spec.name.clone(), words::way(spec.direction).to_owned());
    [name, way, place, active.to_owned(), safe.to_owned(), limits(spec, wire)]
}

fn limits(spec: &LineSpec, wire: &Wire) -> String {
    let pull = wire.bias.map(|bias| match bias {
        Bias::PullUp => "pulled up".to_owned(),
        Bias::PullDown => "pulled down".to_owned(),
        Bias::None => "no pull".to_owned(),
    });
    let never: Vec<&str> = spec.never_with.iter().map(String::as_str).collect();
    let all = [
        spec.max_on.map(|span| format!("on for {} at most", words::span(span))),
        (!spec.debounce.is_zero()).then(|| format!("debounce {}", words::span(spec.debounce))),
        (!never.is_empty()).then(|| format!("never with {}", never.join(", "))),
        pull,
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use coinop_hardware::board_file::BoardFile;

    use super::*;

    const FILE: &str = r#"
title = "A shutter"
driver = "gpiochip"
chip = "gpiochip0"

[[line]]
name = "UP"
offset = 4
direction = "output"
safe = "low"
active = "low"
max-on = "90s"
never-with = ["DOWN"]

[[line]]
name = "DOWN"
kernel = "GPIO5"
direction = "output"
safe = "low"

[[line]]
name = "STOP"
direction = "input"
debounce = "20ms"
bias = "pull-up"
"#;

    fn shown() -> Vec<[String; 6]> {
        let file = BoardFile::parse("shutter.toml", FILE).unwrap();
        file.lines().map(|(spec, wire)| cells(spec, wire)).collect()
    }

    #[test]
    fn every_line_is_shown_with_its_place_levels_and_limits() {
        let rows: Vec<String> = shown().iter().map(|row| row.join("|")).collect();

        assert_eq!(
            rows,
            [
                "UP|output|offset 4|low|off|on for 90 s at most; never with DOWN",
                "DOWN|output|GPIO5|high|off|",
                "STOP|input|STOP|high||debounce 20 ms; pulled up",
            ]
        );
    }
}
