//! The unit that was signed and whose fate is not known: it is posted again, and no other in its place.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use coinop::core::obyte::Network;
use color_eyre::eyre::WrapErr as _;
use serde_json::{Value, json};

/// Where it is kept: beside the keys.
pub(super) struct Outbox(PathBuf);

impl Outbox {
    /// The outbox of a wallet on a network.
    pub(super) fn of(wallet: &Path, network: Network) -> Self {
        let mut path = PathBuf::from(wallet);
        path.add_extension(format!("{}.unsent", network.version()));
        Self(path)
    }

    /// What is in it.
    pub(super) fn unit(&self) -> color_eyre::Result<Option<Value>> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).wrap_err_with(|| format!("{} cannot be read", self.0.display())),
        };
        let unit: Value = serde_json::from_str(&text).wrap_err_with(|| {
            format!("{} is damaged: look at the history before you delete it", self.0.display())
        })?;
        Ok(Some(unit["unit"].clone()))
    }

    /// Keeps a unit until its fate is known: on disk before anybody hears of it.
    pub(super) fn keep(&self, unit: &Value) -> color_eyre::Result<()> {
        let what = || format!("{} cannot be written: nothing was sent", self.0.display());
        let folder =
            self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).wrap_err_with(what)?;
        writeln!(file, "{}", json!({ "unit": unit })).wrap_err_with(what)?;
        file.as_file().sync_all().wrap_err_with(what)?;
        file.persist(&self.0).wrap_err_with(what)?;
        // The name is on disk, too.
        #[cfg(unix)]
        fs::File::open(folder).and_then(|folder| folder.sync_all()).wrap_err_with(what)?;
        Ok(())
    }

    /// Its fate is known.
    pub(super) fn clear(&self) -> color_eyre::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).wrap_err_with(|| format!("{} cannot be removed", self.0.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
