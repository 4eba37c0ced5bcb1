//! Where the sockets of a user's runs are.

use std::{
    env, fs, io,
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

/// The socket in a data folder.
pub(super) const SOCKET: &str = "coinop.sock";
/// Nobody but the owner gets into the folder of sockets.
const OWNER_ONLY: u32 = 0o700;

/// The number of the user that this process runs as.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The folder with a socket, or a link to one, for each run of this user.
pub(super) fn folder() -> PathBuf {
    match env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("coinop"),
        None => env::temp_dir().join(format!("coinop-{}", own_uid())),
    }
}

/// Makes the folder, for its owner alone.
///
/// # Errors
///
/// When it is there and somebody else's, or open to others.
pub(super) fn make_folder() -> io::Result<PathBuf> {
    let folder = folder();
    match fs::DirBuilder::new().mode(OWNER_ONLY).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // Not through a link that somebody else has put there.
    let found = fs::symlink_metadata(&folder)?;
    let is_ours =
        found.is_dir() && found.uid() == own_uid() && found.permissions().mode().trailing_zeros() >= 6;
    if !is_ours {
        let what = format!("{} is not yours alone: remove it, or set XDG_RUNTIME_DIR", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    Ok(folder)
}

/// The runs of this user that answer: their process numbers and sockets.
pub(super) fn running() -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder()) else { return Vec::new() };
    let sockets = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut found: Vec<_> = sockets
        .filter(|path| path.extension().is_some_and(|extension| extension == "sock"))
        .filter(|path| is_live(path))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    found.sort();
    found
}

/// Whether somebody answers there.
pub(super) fn is_live(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}
