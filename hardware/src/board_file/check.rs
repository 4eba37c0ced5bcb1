//! Reads a board file and finds what does not fit together, with the line it stands in.

use std::{collections::BTreeMap, ops::Range};

use coinop_core::{
    board::{Direction, Level, LineSpec},
    written::{Page, Wrong},
};
use toml::Spanned;

use super::{
    BoardFile, Known,
    words::{LineWords, Words},
};
use crate::{
    driver::Driver,
    wiring::{Spot, Wire},
};

/// The most lines, and the most reserved places, of a board.
const MAX_ITEMS: usize = 256;
/// The longest name of a line.
const MAX_NAME: usize = 32;

pub(super) fn read(page: Page<'_>) -> Result<BoardFile, Wrong> {
    let words: Words = toml::from_str(page.text)
        .map_err(|error| page.wrong(&error.span().unwrap_or(0..0), error.message()))?;
    let desk = Desk { page, words: &words };
    desk.sizes()?;
    desk.names()?;
    let mut lines = Vec::new();
    for line in &words.line {
        lines.push(desk.line(line)?);
    }
    desk.places(&lines)?;
    desk.interlocks()?;
    let (file, text) = (page.file.to_owned(), page.text.to_owned());
    Ok(BoardFile { file, text, title: words.title, driver: words.driver, chip: words.chip, lines })
}

/// A file that is being checked.
struct Desk<'a> {
    page: Page<'a>,
    words: &'a Words,
}

impl Desk<'_> {
    fn sizes(&self) -> Result<(), Wrong> {
        let reserved = self.words.reserved.iter().map(|entry| {
            let entry = entry.get_ref();
            entry.lines.len() + entry.offsets.len()
        });
        for (what, count) in
            [("[[line]] entries", self.words.line.len()), ("reserved places", reserved.sum())]
        {
            if count > MAX_ITEMS {
                return Err(self.page.wrong(&(0..0), &format!("{count} {what}, at most {MAX_ITEMS}")));
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<(), Wrong> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &self.words.line {
            let name = line.name.get_ref();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
                let what =
                    format!("{name:?} is no name; a name is 1 to {MAX_NAME} of A-Z, a-z, 0-9, _ and -");
                return Err(self.at(&line.name, &what));
            }
            if let Some(first) = seen.insert(name, self.page.line(&line.name.span())) {
                let what = format!("line {name} is used twice, see line {first}; take one of them away");
                return Err(self.at(&line.name, &what));
            }
        }
        Ok(())
    }

    fn line(&self, line: &LineWords) -> Result<Known, Wrong> {
        let name = line.name.get_ref().clone();
        let mut spec = match line.direction {
            Direction::Output => LineSpec::output(name, self.safe(line)?),
            Direction::Input => LineSpec::input(name),
        };
        self.fits_direction(line)?;
        spec.max_on = line.max_on.as_ref().map(|span| span.get_ref().0);
        spec.debounce = line.debounce.as_ref().map_or(spec.debounce, |span| span.get_ref().0);
        spec.never_with = line.never_with.iter().map(|other| other.get_ref().clone()).collect();
        let wire = Wire {
            chip: line.chip.as_ref().map(|chip| chip.get_ref().clone()),
            spot: self.spot(line)?,
            active: line.active,
            bias: line.bias.as_ref().map(|bias| *bias.get_ref()),
        };
        Ok(Known { place: line.name.span(), spec, wire })
    }

    fn safe(&self, line: &LineWords) -> Result<Level, Wrong> {
        let what = || {
            format!(
                "{} is an output without its safe level; add safe = \"low\" (inactive: lamp off, door locked) \
                 or safe = \"high\"",
                line.name.get_ref()
            )
        };
        line.safe.as_ref().map(|safe| *safe.get_ref()).ok_or_else(|| self.at(&line.name, &what()))
    }

    /// What only an output, or only an input, has.
    fn fits_direction(&self, line: &LineWords) -> Result<(), Wrong> {
        let place = |word: Option<Range<usize>>, what: &'static str| word.map(|place| (place, what));
        let first_never = line.never_with.first().map(Spanned::span);
        let (found, is, belongs) = match line.direction {
            Direction::Input => (
                place(line.safe.as_ref().map(Spanned::span), "safe")
                    .or(place(line.max_on.as_ref().map(Spanned::span), "max-on"))
                    .or(place(first_never, "never-with")),
                "an input",
                "outputs",
            ),
            Direction::Output => (
                place(line.debounce.as_ref().map(Spanned::span), "debounce")
                    .or(place(line.bias.as_ref().map(Spanned::span), "bias")),
                "an output",
                "inputs",
            ),
        };
        if let Some((place, word)) = found {
            let what = format!("{} is {is}, and {word} is for {belongs}; take it away", line.name.get_ref());
            return Err(self.page.wrong(&place, &what));
        }
        if let Some(none) = line.max_on.as_ref().filter(|span| span.get_ref().0.is_zero()) {
            return Err(self.at(none, "a max-on of nothing never lets it on; say how long it may be on"));
        }
        match &line.bias {
            Some(bias) if self.words.driver == Driver::Linux => Err(self.at(
                bias,
                "the linux driver cannot set a pull; use a resistor and take bias away, or driver = \"gpiochip\"",
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn spot(&self, line: &LineWords) -> Result<Option<Spot>, Wrong> {
        let spot = match (&line.kernel, &line.offset) {
            (Some(_), Some(offset)) => {
                return Err(self.at(offset, "a line has kernel or offset, not both; take one away"));
            }
            (Some(kernel), None) => Some(Spot::Kernel(kernel.get_ref().clone())),
            (None, Some(offset)) => Some(Spot::Offset(*offset.get_ref())),
            (None, None) => None,
        };
        let place = line.kernel.as_ref().map_or_else(|| line.name.span(), Spanned::span);
        let named = Spot::Kernel(line.name.get_ref().clone());
        if self.words.driver == Driver::Rpi && spot.as_ref().unwrap_or(&named).header_pin().is_none() {
            let what = "the rpi driver knows GPIO0 to GPIO27; write kernel = \"GPIO17\" or offset = 17";
            return Err(self.page.wrong(&place, what));
        }
        let has_chip = line.chip.is_some() || self.words.chip.is_some();
        match (&line.offset, self.words.driver) {
            (Some(offset), Driver::Gpiochip | Driver::Linux) if !has_chip => {
                Err(self
                    .at(offset, "an offset needs its chip; add chip = \"gpiochip0\", or use kernel = \"…\""))
            }
            (_, Driver::Rpi | Driver::Sim | Driver::Gpiochip | Driver::Linux) => Ok(spot),
        }
    }

    /// A place is used once, and not against the board's reservation.
    fn places(&self, lines: &[Known]) -> Result<(), Wrong> {
        let mut seen: BTreeMap<(Option<&str>, Spot), &Known> = BTreeMap::new();
        for known in lines {
            let name = &known.spec.name;
            let spot = known.wire.spot(name);
            let chip = known.wire.chip.as_deref().or(self.words.chip.as_deref());
            if let Some((entry, line)) = self.reservation(&spot, known.wire.chip.as_deref()) {
                let what = format!(
                    "{name} is on {spot}, which this board reserves: {entry} (see line {line}); choose another \
                     line, or take {spot} out of that entry when nothing else uses it"
                );
                return Err(self.page.wrong(&known.place, &what));
            }
            if let Some(first) = seen.insert((chip, spot.clone()), known) {
                let what = format!(
                    "{spot} is used twice: it is {}'s, see line {}; give {name} a line of its own",
                    first.spec.name,
                    self.page.line(&first.place)
                );
                return Err(self.page.wrong(&known.place, &what));
            }
        }
        Ok(())
    }

    /// Why a place is reserved, and in which line that stands.
    fn reservation(&self, spot: &Spot, own_chip: Option<&str>) -> Option<(&str, usize)> {
        // Numbers are those of the board's chip; a line on another one is another line.
        let here = own_chip.is_none() || own_chip == self.words.chip.as_deref();
        let holds = |entry: &Spanned<super::words::Reserved>| match spot {
            Spot::Kernel(kernel) => entry.get_ref().lines.contains(kernel),
            Spot::Offset(offset) => here && entry.get_ref().offsets.contains(offset),
        };
        let entry = self.words.reserved.iter().find(|entry| holds(entry))?;
        Some((entry.get_ref().why.as_str(), self.page.line(&entry.span())))
    }

    fn interlocks(&self) -> Result<(), Wrong> {
        let outputs: Vec<&str> = (self.words.line.iter())
            .filter(|line| line.direction == Direction::Output)
            .map(|line| line.name.get_ref().as_str())
            .collect();
        for line in &self.words.line {
            for other in &line.never_with {
                let (name, never) = (line.name.get_ref(), other.get_ref());
                if name == never {
                    return Err(
                        self.at(other, &format!("{name} is always on with itself; name another output"))
                    );
                }
                let is_input = self.words.line.iter().any(|line| line.name.get_ref() == never);
                if !outputs.contains(&never.as_str()) {
                    let what = if is_input { "is an input" } else { "is not a line of this board" };
                    let known = outputs.join(", ");
                    let what = format!("never-with names {never}, which {what}; the outputs are: {known}");
                    return Err(self.at(other, &what));
                }
            }
        }
        Ok(())
    }

    fn at<T>(&self, word: &Spanned<T>, what: &str) -> Wrong {
        self.page.wrong(&word.span(), what)
    }
}
