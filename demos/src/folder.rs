//! The folder of a durable run: the journal, and which scenario it is of.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use coinop::journal::{JournalError, Opened, RedbJournal};
use serde::{Deserialize, Serialize};

/// The file that says which scenario the folder is of.
const MANIFEST: &str = "coinop.json";
/// The file of the journal.
const JOURNAL: &str = "journal.redb";

/// What a folder is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The name the scenario was played by.
    pub(crate) scenario: String,
    /// Its whole text.
    pub(crate) text: String,
    /// The seed of its keys.
    pub(crate) seed: u64,
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It holds another run.
    #[error("{path} holds {there}; it cannot go on as {wanted}: choose another --data-dir")]
    Other {
        /// The folder.
        path: String,
        /// What is there.
        there: String,
        /// What was to be played.
        wanted: String,
    },
    /// It holds no run.
    #[error("{path} holds no run of coinop: there is no {MANIFEST} in it")]
    Empty {
        /// The folder.
        path: String,
    },
    /// It was altered.
    #[error("{path} was altered or cut short; nothing was changed, restore it from a copy")]
    Altered {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The journal is gone.
    #[error("{path} is gone, though {MANIFEST} says that there was a run; restore it from a copy")]
    Gone {
        /// The journal.
        path: String,
    },
    /// It cannot be read or written.
    #[error("{path} cannot be {doing}")]
    Io {
        /// The file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The journal says no.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Opens the folder for this run, or begins it there.
pub(crate) fn open(folder: &Path, wanted: &Manifest) -> Result<Opened, FolderError> {
    fs::create_dir_all(folder).map_err(io(folder, "made"))?;
    let path = folder.join(MANIFEST);
    if path.exists() {
        let there = read(folder)?;
        if there != *wanted {
            let say = |manifest: &Manifest| format!("{} with seed {}", manifest.scenario, manifest.seed);
            let changed = there.scenario == wanted.scenario && there.seed == wanted.seed;
            let there = if changed { format!("another text of {}", say(&there)) } else { say(&there) };
            return Err(FolderError::Other {
                path: folder.display().to_string(),
                there,
                wanted: say(wanted),
            });
        }
        return journal(folder);
    }
    // The journal first: a manifest without one means that somebody took it away.
    let opened = RedbJournal::open(&folder.join(JOURNAL))?;
    write(&path, wanted)?;
    Ok(opened)
}

/// What a folder is of.
pub(crate) fn read(folder: &Path) -> Result<Manifest, FolderError> {
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Err(FolderError::Empty { path: folder.display().to_string() });
    }
    let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
    serde_json::from_str(&text)
        .map_err(|error| FolderError::Altered { path: path.display().to_string(), source: error.into() })
}

/// The journal of a folder that holds a run.
pub(crate) fn journal(folder: &Path) -> Result<Opened, FolderError> {
    let path = folder.join(JOURNAL);
    if !path.exists() {
        return Err(FolderError::Gone { path: path.display().to_string() });
    }
    Ok(RedbJournal::open(&path)?)
}

fn write(path: &Path, manifest: &Manifest) -> Result<(), FolderError> {
    let mut new = PathBuf::from(path);
    new.add_extension("new");
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|error| FolderError::Altered { path: new.display().to_string(), source: error.into() })?;
    let mut file = fs::File::create(&new).map_err(io(&new, "written"))?;
    file.write_all(text.as_bytes()).map_err(io(&new, "written"))?;
    file.sync_all().map_err(io(&new, "written"))?;
    fs::rename(&new, path).map_err(io(path, "written"))
}

fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.display().to_string();
    move |source| FolderError::Io { path, doing, source }
}
