//! Which board is played on: a driver with the lines by their names, or what a file says.

use coinop::core::{
    board::{Board, BoardError, LineSpec},
    written::Wrong,
};
use coinop_hardware::{
    board_file::{BoardFile, BoardFileError},
    driver::Driver,
    wiring::Wiring,
};

use crate::args::BoardChoice;

/// A board that can be had.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Lines by their own names.
    Names {
        /// What drives them.
        driver: Driver,
        /// The one chip they are on, if it is said.
        chip: Option<String>,
    },
    /// What a file says.
    File(Box<BoardFile>),
}

/// A board that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// The file does not have what the scenario needs.
    #[error(transparent)]
    Fit(#[from] Wrong),
    /// A line or chip cannot be had.
    #[error(transparent)]
    Board(#[from] BoardError),
}

impl Plan {
    /// Reads the file, if one was named.
    pub(crate) fn of(choice: &BoardChoice) -> Result<Self, BoardFileError> {
        match choice {
            BoardChoice::Driver { driver, chip } => Ok(Self::Names { driver: *driver, chip: chip.clone() }),
            BoardChoice::File(name) => Ok(Self::File(Box::new(BoardFile::load(name)?))),
        }
    }

    /// Whether the world behind it is real and does not wait.
    pub(crate) fn keeps_real_time(&self) -> bool {
        self.driver() != Driver::Sim
    }

    /// The lines with the limits that hold on this board.
    pub(crate) fn fit(&self, lines: &[LineSpec]) -> Result<(Wiring, Vec<LineSpec>), Wrong> {
        match self {
            Self::Names { chip, .. } => Ok((Wiring::by_name(chip.clone()), lines.to_vec())),
            Self::File(file) => file.fit(lines),
        }
    }

    /// Takes the lines, and warns of what the board does when the program is killed.
    pub(crate) fn open(&self, lines: &[LineSpec]) -> Result<Box<dyn Board>, PlanError> {
        let (wiring, lines) = self.fit(lines)?;
        if let Some(danger) = self.driver().danger() {
            tracing::warn!("{danger}");
        }
        Ok(self.driver().open(&wiring, lines)?)
    }

    /// What drives its lines.
    pub(crate) fn driver(&self) -> Driver {
        match self {
            Self::Names { driver, .. } => *driver,
            Self::File(file) => file.driver(),
        }
    }
}
