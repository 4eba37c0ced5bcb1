//! What a chip says of itself and its lines.

use std::path::Path;

use super::{Access, Chip, Device, Line, User};

/// The most lines of a chip that are looked at.
const LINES: usize = 1_024;

/// Asks a chip, where it may be asked.
pub(super) fn ask(root: &Path, device: Device) -> Chip {
    let mut chip = Chip { device, label: String::new(), lines: Vec::new(), trouble: None, links: Vec::new() };
    if chip.device.access == Access::Granted {
        let file = root.join(chip.device.path.trim_start_matches('/'));
        match told(&file) {
            Ok((label, lines)) => (chip.label, chip.lines) = (label, lines),
            Err(error) => chip.trouble = Some(error.to_string()),
        }
    }
    chip
}

fn told(file: &Path) -> Result<(String, Vec<Line>), gpiocdev::Error> {
    let chip = gpiocdev::Chip::from_path(file)?;
    let label = chip.info()?.label;
    let lines = chip.line_info_iter()?.take(LINES).map(|info| Ok(line(info?)));
    Ok((label, lines.collect::<Result<_, gpiocdev::Error>>()?))
}

fn line(info: gpiocdev::line::Info) -> Line {
    let user = if info.consumer.is_empty() { User::Nameless } else { User::Named(info.consumer) };
    Line { offset: info.offset, name: info.name, used_by: info.used.then_some(user) }
}
