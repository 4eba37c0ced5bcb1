//! Which file system a folder is on, and how much room there is.

use std::{fs, path::Path};

/// The type and the device of the file system, such as `ext4 on /dev/sda1`.
pub(crate) fn file_system(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    of(&folder, &mounts).unwrap_or_else(|| "unknown".to_owned())
}

/// The free space of the file system in bytes, where the system says so.
#[cfg(unix)]
pub(crate) fn free(folder: &Path) -> Option<u64> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some(of.f_bavail.saturating_mul(of.f_frsize))
}

/// The free space of the file system in bytes, where the system says so.
#[cfg(not(unix))]
pub(crate) const fn free(_folder: &Path) -> Option<u64> {
    None
}

/// The last and deepest mount that the folder lies in.
fn of(folder: &Path, mounts: &str) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (device, point, kind) = (fields.next()?, fields.next()?, fields.next()?);
        let point = point.replace("\\040", " ");
        folder.starts_with(&point).then(|| (point.len(), format!("{kind} on {device}")))
    });
    mounts.max_by_key(|(depth, _)| *depth).map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str =
        "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/my\\040disk xfs rw 0 0\n";

    #[test]
    fn the_deepest_mount_counts() {
        let on = |folder: &str| of(Path::new(folder), MOUNTS).unwrap();

        assert_eq!(on("/home/me"), "ext4 on /dev/a");
        assert_eq!(on("/tmp/x"), "tmpfs on tmpfs");
        assert_eq!(on("/tmpx"), "ext4 on /dev/a");
        assert_eq!(on("/tmp/my disk/y"), "xfs on /dev/b");
        assert_eq!(of(Path::new("/"), ""), None);
    }
}
