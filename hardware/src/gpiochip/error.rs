use std::{fmt::Display, io, path::Path};

use coinop_core::board::{BoardError, BoardErrorKind, LineSpec};
use gpiocdev::{Chip, Error};

/// A failure while using a line we hold.
pub(super) fn on_line(line: &str, error: &Error) -> BoardError {
    let kind = kind(error);
    let message = match kind {
        BoardErrorKind::NoSuchChip => format!("its chip is gone; plug it in again and start anew ({error})"),
        // Anything else is the kernel's to explain.
        _ => error.to_string(),
    };
    BoardError { line: line.to_owned(), kind, message }
}

/// A chip that cannot be looked at.
pub(super) fn on_chip(chip: &Path, error: &Error) -> BoardError {
    let path = chip.display();
    let kind = kind(error);
    let message = match kind {
        BoardErrorKind::Permission => format!("{path} may not be opened; {}", join_the_group()),
        BoardErrorKind::NoSuchChip => format!("there is no {path}"),
        // Anything else is the kernel's to explain.
        _ => error.to_string(),
    };
    BoardError { line: path.to_string(), kind, message }
}

/// Lines that the kernel did not give us, with who has them.
pub(crate) fn at_request(chip: &Path, group: &[(&LineSpec, u32)], error: &Error) -> BoardError {
    let path = chip.display();
    let kind = kind(error);
    let all = || group.iter().map(|(spec, _)| spec.name.as_str()).collect::<Vec<_>>().join(", ");
    match kind {
        BoardErrorKind::Busy => busy(chip, group),
        BoardErrorKind::Permission => {
            BoardError { line: all(), kind, message: format!("{path} may not be used; {}", join_the_group()) }
        }
        // Anything else is the kernel's to explain.
        _ => BoardError { line: all(), kind, message: format!("{path}: {error}") },
    }
}

/// A line that another way of asking did not give us, with who has it.
pub(crate) fn refused(chip: &Path, spec: &LineSpec, offset: u32, error: &dyn Display) -> BoardError {
    let group = [(spec, offset)];
    if holder(chip, offset).is_some() {
        return busy(chip, &group);
    }
    let message = format!("{}: {error}", chip.display());
    BoardError { line: spec.name.clone(), kind: BoardErrorKind::Io, message }
}

pub(super) fn wrong_direction(line: &str) -> BoardError {
    BoardError {
        line: line.to_owned(),
        kind: BoardErrorKind::WrongDirection,
        message: "an input, which only the world drives".to_owned(),
    }
}

fn busy(chip: &Path, group: &[(&LineSpec, u32)]) -> BoardError {
    let path = chip.display();
    let held = group.iter().find_map(|(spec, offset)| Some((spec, offset, holder(chip, *offset)?)));
    let Some((spec, offset, consumer)) = held else {
        let line = group.first().map_or_else(String::new, |(spec, _)| spec.name.clone());
        let message = format!("a line of {path} was in use a moment ago; try again");
        return BoardError { line, kind: BoardErrorKind::Busy, message };
    };
    let by = if consumer.is_empty() { "the kernel".to_owned() } else { format!("\"{consumer}\"") };
    BoardError {
        line: spec.name.clone(),
        kind: BoardErrorKind::Busy,
        message: format!("line {offset} of {path} is in use by {by}; stop that first"),
    }
}

/// Who has a line, if anybody has it.
fn holder(chip: &Path, offset: u32) -> Option<String> {
    let info = Chip::from_path(chip).and_then(|chip| chip.line_info(offset)).ok()?;
    info.used.then_some(info.consumer)
}

fn kind(error: &Error) -> BoardErrorKind {
    let errno = match error {
        Error::Os(errno) | Error::Uapi(_, gpiocdev_uapi::Error::Os(errno)) => errno.0,
        Error::GpioChip(..) | Error::NoGpioChips() => return BoardErrorKind::NoSuchChip,
        // The kernel's and the crate's lists are open.
        _ => return BoardErrorKind::Io,
    };
    match io::Error::from_raw_os_error(errno).kind() {
        io::ErrorKind::ResourceBusy => BoardErrorKind::Busy,
        io::ErrorKind::PermissionDenied => BoardErrorKind::Permission,
        io::ErrorKind::NotFound => BoardErrorKind::NoSuchChip,
        // ENODEV and ENXIO have no kind of their own.
        _ if errno == 19 || errno == 6 => BoardErrorKind::NoSuchChip,
        _ => BoardErrorKind::Io,
    }
}

pub(crate) fn join_the_group() -> &'static str {
    "join its group, often by `sudo usermod -aG gpio $USER`, and log in again"
}
