use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use coinop_core::board::{BoardError, BoardErrorKind, LineSpec};
use gpiocdev::{Chip, chip::chips};

use super::error::on_chip;
use crate::wiring::{Spot, Wiring};

/// How many names of other lines a message lists.
const NAMES_SHOWN: usize = 24;

/// Where the kernel has a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) chip: PathBuf,
    pub(crate) offset: u32,
}

/// A line of this machine that has a name.
struct Named {
    name: String,
    found: Found,
}

/// Finds each line where its wiring says; one that is missing, or there twice, is an error, and so are two
/// on one place.
pub(crate) fn find<'a>(
    wiring: &Wiring,
    lines: &'a [LineSpec],
) -> Result<Vec<(&'a LineSpec, Found)>, BoardError> {
    let mut taken: BTreeMap<Found, &str> = BTreeMap::new();
    let mut all = Vec::new();
    for spec in lines {
        let wire = wiring.wire(&spec.name);
        let chips = chosen_chips(wire.chip.as_deref())?;
        let found = match wire.spot(&spec.name) {
            Spot::Kernel(name) => by_name(&spec.name, &name, &chips)?,
            Spot::Offset(offset) => by_number(&spec.name, offset, &chips)?,
        };
        if let Some(other) = taken.insert(found.clone(), &spec.name) {
            let place = format!("line {} of {}", found.offset, found.chip.display());
            let message = format!("{place} is {other}'s as well; give one of them another line");
            return Err(BoardError { line: spec.name.clone(), kind: BoardErrorKind::Busy, message });
        }
        all.push((spec, found));
    }
    Ok(all)
}

fn by_name(line: &str, name: &str, chips: &[PathBuf]) -> Result<Found, BoardError> {
    let named = named_lines(chips)?;
    let mut matching = named.iter().filter(|line| line.name == name);
    let message = match (matching.next(), matching.next()) {
        (Some(line), None) => return Ok(line.found.clone()),
        (None, _) => format!("no line is named {name} on {}; {}", paths(chips), there_are(&named)),
        (Some(one), Some(other)) => format!(
            "{name} is line {} of {} and line {} of {}; name the chip",
            one.found.offset,
            one.found.chip.display(),
            other.found.offset,
            other.found.chip.display()
        ),
    };
    Err(BoardError { line: line.to_owned(), kind: BoardErrorKind::NoSuchLine, message })
}

fn by_number(line: &str, offset: u32, chips: &[PathBuf]) -> Result<Found, BoardError> {
    let [chip] = chips else {
        let message = format!("offset {offset} is on each of {}; name the chip", paths(chips));
        return Err(BoardError { line: line.to_owned(), kind: BoardErrorKind::NoSuchLine, message });
    };
    let info = Chip::from_path(chip).and_then(|chip| chip.info()).map_err(|error| on_chip(chip, &error))?;
    if offset < info.num_lines {
        return Ok(Found { chip: chip.clone(), offset });
    }
    let message =
        format!("{} has {} lines, numbered from 0; there is no {offset}", chip.display(), info.num_lines);
    Err(BoardError { line: line.to_owned(), kind: BoardErrorKind::NoSuchLine, message })
}

fn chosen_chips(wanted: Option<&str>) -> Result<Vec<PathBuf>, BoardError> {
    let all = chips().map_err(|error| on_chip(Path::new("/dev"), &error))?;
    let chosen: Vec<PathBuf> = match wanted {
        None => all.clone(),
        Some(wanted) => all.iter().filter(|path| is_called(path, wanted)).cloned().collect(),
    };
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let line = wanted.unwrap_or("/dev/gpiochip*").to_owned();
    let message = if all.is_empty() {
        "this machine shows no GPIO chip; load its driver, or play with the simulated board".to_owned()
    } else {
        format!("no chip has this path, name or label; there is {}", paths(&all))
    };
    Err(BoardError { line, kind: BoardErrorKind::NoSuchChip, message })
}

fn is_called(path: &Path, wanted: &str) -> bool {
    let has_name = path.file_name().is_some_and(|name| name == wanted);
    let has_label =
        || Chip::from_path(path).and_then(|chip| chip.info()).is_ok_and(|info| info.label == wanted);
    // A path may be a link, such as /dev/gpiochip4 on newer systems of the Pi 5.
    path == Path::new(wanted)
        || has_name
        || Path::new(wanted).canonicalize().is_ok_and(|real| real == *path)
        || has_label()
}

fn named_lines(chips: &[PathBuf]) -> Result<Vec<Named>, BoardError> {
    let mut named = Vec::new();
    let mut unseen = None;
    for path in chips {
        match names_of(path) {
            Ok(lines) => named.extend(lines),
            Err(error) => unseen = unseen.or(Some(on_chip(path, &error))),
        }
    }
    // A chip we may not open is not ours to ask for, as long as others can be opened.
    match unseen {
        Some(error) if named.is_empty() => Err(error),
        Some(_) | None => Ok(named),
    }
}

fn names_of(path: &Path) -> Result<Vec<Named>, gpiocdev::Error> {
    let chip = Chip::from_path(path)?;
    let mut named = Vec::new();
    for info in chip.line_info_iter()? {
        let info = info?;
        if !info.name.is_empty() {
            let found = Found { chip: path.to_owned(), offset: info.offset };
            named.push(Named { name: info.name, found });
        }
    }
    Ok(named)
}

fn there_are(named: &[Named]) -> String {
    if named.is_empty() {
        return "no line there has a name".to_owned();
    }
    let shown: Vec<&str> = named.iter().take(NAMES_SHOWN).map(|line| line.name.as_str()).collect();
    let rest = named.len() - shown.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("there is {}{more}", shown.join(", "))
}

fn paths(chips: &[PathBuf]) -> String {
    chips.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
