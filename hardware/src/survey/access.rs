//! Who may use a device, and which group to join.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use rustix::{
    fs::{Access as Wish, access},
    process::{getegid, getgroups, getuid},
};

use super::Access;

/// What a group needs to use a device.
const GROUP_MAY_USE: u32 = 0o060;

/// A user, and the groups of this session.
pub(super) struct Session {
    pub(super) user: u32,
    pub(super) groups: Vec<u32>,
}

/// Who owns a file, and what they may.
pub(super) struct Owned {
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
}

/// Whether this process may read and write the file; the names are those of the machine at `root`.
pub(super) fn of(root: &Path, file: &Path) -> Access {
    if access(file, Wish::READ_OK | Wish::WRITE_OK).is_ok() {
        return Access::Granted;
    }
    let owned = fs::metadata(file).map_or(Owned { owner: 0, group: 0, mode: 0 }, |metadata| Owned {
        owner: metadata.uid(),
        group: metadata.gid(),
        mode: metadata.mode(),
    });
    let mut groups: Vec<u32> = getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
    groups.push(getegid().as_raw());
    let read = |file: &str| fs::read_to_string(root.join("etc").join(file)).unwrap_or_default();
    refused(&owned, &Session { user: getuid().as_raw(), groups }, &read("passwd"), &read("group"))
}

/// Why a device is refused, by its owner and the texts of `/etc/passwd` and `/etc/group`.
pub(super) fn refused(owned: &Owned, session: &Session, passwd: &str, group: &str) -> Access {
    let user = name(passwd, session.user);
    let shares = owned.mode & GROUP_MAY_USE == GROUP_MAY_USE;
    // Nobody joins root's group for a device; and who is in the group already is refused by something else.
    if !shares || owned.group == 0 || session.groups.contains(&owned.group) {
        return Access::Owner { owner: name(passwd, owned.owner) };
    }
    let of_group = name(group, owned.group);
    if members(group, owned.group).any(|member| member == user) {
        return Access::Later { group: of_group };
    }
    Access::Group { group: of_group, user }
}

/// The name of a number; both files have it in their third field.
fn name(table: &str, number: u32) -> String {
    entry(table, number)
        .and_then(|mut fields| fields.next())
        .map_or_else(|| number.to_string(), str::to_owned)
}

fn members(group: &str, number: u32) -> impl Iterator<Item = &str> {
    entry(group, number).and_then(|mut fields| fields.nth(3)).into_iter().flat_map(|all| all.split(','))
}

fn entry(table: &str, number: u32) -> Option<std::str::Split<'_, char>> {
    let number = number.to_string();
    table.lines().map(|line| line.split(':')).find(|fields| fields.clone().nth(2) == Some(&number))
}
