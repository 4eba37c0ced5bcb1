//! The other process's end: `coinop lines` and `coinop poke`.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use coinop::core::board::{Direction, Level};
use color_eyre::eyre::{Report, bail, eyre};

use super::{ANSWER_MAX, Answer, Ask, place};
use crate::{
    args::{Fault, Lines, Poke, Which},
    breadboard::LineNow,
    stage::Intervention,
};

/// How long a run may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows every line of a running program.
pub(crate) fn lines(options: &Lines) -> color_eyre::Result<ExitCode> {
    let ask = if options.watch { Ask::Watch } else { Ask::Lines };
    let mut answers = BufReader::new(connect(&options.which, &ask)?);
    if options.watch {
        // Nothing may change for hours.
        answers.get_ref().set_read_timeout(None)?;
    }
    let (mut out, mut shown) = (io::stdout().lock(), Vec::new());
    while let Some(answer) = hear(&mut answers)? {
        match answer {
            Answer::Lines(lines) if options.json => {
                serde_json::to_writer(&mut out, &serde_json::json!({ "v": 1, "lines": lines }))?;
                out.write_all(b"\n")?;
            }
            Answer::Lines(lines) => {
                // A watch repeats only what has changed.
                let news = lines.iter().filter(|line| !shown.contains(*line));
                news.into_iter().try_for_each(|line| writeln!(out, "{}", row(line)))?;
                shown = lines;
            }
            Answer::Refused(reason) => bail!("{reason}"),
            Answer::Done(words) => writeln!(out, "{words}")?,
        }
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Pokes, pulses, breaks or mends a line of a running program.
pub(crate) fn poke(options: &Poke) -> color_eyre::Result<ExitCode> {
    let mut answers = BufReader::new(connect(&options.which, &asked(options)?)?);
    match hear(&mut answers)? {
        Some(Answer::Done(words)) => {
            writeln!(io::stdout().lock(), "{words}")?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Answer::Refused(reason)) => bail!("{reason}"),
        Some(Answer::Lines(_)) | None => bail!("the run has ended without an answer"),
    }
}

fn asked(options: &Poke) -> color_eyre::Result<Ask> {
    let line = options.line.clone();
    let for_ms = options.lasts.map(millis);
    if let Some(word) = &options.level {
        return Ok(Ask::Poke { line, word: word.clone() });
    }
    if let Some(count) = options.pulses {
        return Ok(Ask::Do(Intervention::Pulses { line, count, every_ms: millis(options.every) }));
    }
    Ok(Ask::Do(match (options.fault, for_ms) {
        (Some(Fault::Line(fault)), for_ms) => Intervention::Fault { line, fault, for_ms },
        (Some(Fault::BrownOut), Some(for_ms)) => Intervention::BrownOut { for_ms },
        (Some(Fault::BrownOut), None) => bail!("say for how long the board browns out: --for 500ms"),
        (None, _) => Intervention::Mend { line },
    }))
}

/// Asks the run that is meant, or the only one there is.
fn connect(which: &Which, ask: &Ask) -> color_eyre::Result<UnixStream> {
    let socket = find(which)?;
    let mut stream = UnixStream::connect(&socket).map_err(|error| explain(&socket, &error))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    // Who is refused at the door is told why, whether or not the question was heard.
    if let Err(error) = stream.write_all(&line)
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(error.into());
    }
    Ok(stream)
}

fn find(which: &Which) -> color_eyre::Result<PathBuf> {
    if let Some(folder) = &which.data_dir {
        return Ok(folder.join(place::SOCKET));
    }
    if let Some(pid) = which.pid {
        return Ok(place::folder().join(format!("{pid}.sock")));
    }
    let mut running = place::running();
    match (running.len(), running.pop()) {
        (1, Some((_, socket))) => Ok(socket),
        (_, None) => bail!(
            "no coinop of yours is running at a speed that a hand can follow: start one with `coinop play`, or \
             name the folder of one with --data-dir"
        ),
        (count, Some(last)) => {
            running.push(last);
            let name = |(pid, socket): &(String, PathBuf)| {
                let folder = std::fs::read_link(socket).ok();
                let folder =
                    folder.as_deref().and_then(Path::parent).map(|it| format!(" in {}", it.display()));
                format!("--pid {pid}{}", folder.unwrap_or_default())
            };
            let names: Vec<_> = running.iter().map(name).collect();
            bail!("{count} of your coinops are running; say which one: {}", names.join(", "))
        }
    }
}

fn explain(socket: &Path, error: &io::Error) -> Report {
    let at = socket.display();
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            eyre!("the run at {at} belongs to another user: only its owner may see and poke it")
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            eyre!("no coinop is running at {at}: start it with `coinop play`, not at --speed max")
        }
        _ => eyre!("{at}: {error}"),
    }
}

fn hear(answers: &mut BufReader<UnixStream>) -> color_eyre::Result<Option<Answer>> {
    let mut line = String::new();
    match answers.by_ref().take(ANSWER_MAX).read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(serde_json::from_str(&line)?)),
        // It was killed.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn row(line: &LineNow) -> String {
    let (direction, sign) = (
        match line.direction {
            Direction::Input => "input",
            Direction::Output => "output",
        },
        match line.level {
            Level::Low => "○",
            Level::High => "●",
        },
    );
    let lease =
        line.lease_left_ms.map(|left| format!("leased for {}.{} s", left / 1_000, left % 1_000 / 100));
    let world = line.world.map(|world| format!("but {world} out there"));
    let fault = line.fault.as_ref().map(|fault| format!("FAULT {fault}"));
    let alarm = line.alarm.then(|| "ALARM the meter runs without a lease".to_owned());
    let what: Vec<String> = [lease, world, fault, alarm].into_iter().flatten().collect();
    let row = format!(
        "{:<12} {:<12} {direction:<7} {sign} {:<6} {}",
        line.thing,
        line.line,
        line.word,
        what.join(" ")
    );
    row.trim_end().to_owned()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
