//! Users and groups, as the passwd and group databases know them.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::OnceLock;

use nix::unistd::{Gid, Group, Uid};

use crate::sys::name_service::{self, GroupRow, IS_STATIC, PasswdRow};

/// One row of the passwd database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The login group.
    pub gid: u32,
    /// The home directory.
    pub home: PathBuf,
    /// The full name: GECOS up to the first comma, `&` replaced by the login name.
    pub full_name: String,
}

impl From<nix::unistd::User> for PasswdRow {
    fn from(row: nix::unistd::User) -> PasswdRow {
        PasswdRow {
            name: row.name,
            uid: row.uid.as_raw(),
            gid: row.gid.as_raw(),
            gecos: String::from_utf8_lossy(row.gecos.to_bytes()).into_owned(),
            home: row.dir,
        }
    }
}

impl From<PasswdRow> for User {
    fn from(row: PasswdRow) -> User {
        let full_name = row.gecos.split(',').next().unwrap_or_default().trim();
        let mut capitalised = row.name.clone();
        if let Some(first) = capitalised.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        User {
            full_name: full_name.replace('&', &capitalised),
            name: row.name,
            uid: row.uid,
            gid: row.gid,
            home: row.home,
        }
    }
}

impl From<Group> for GroupRow {
    fn from(row: Group) -> GroupRow {
        GroupRow {
            name: row.name,
            gid: row.gid.as_raw(),
            members: row.mem,
        }
    }
}

/// Returns the user we act as: the row of the effective uid, looked up once.
pub fn current() -> Option<User> {
    static CURRENT: OnceLock<Option<User>> = OnceLock::new();
    CURRENT.get_or_init(|| by_uid(effective_uid())).clone()
}

/// Returns the login name of the user we act as; a uid without a name is `uid1000`.
pub fn login_name() -> String {
    current().map_or_else(|| format!("uid{}", effective_uid()), |user| user.name)
}

/// Returns the row of this uid.
pub fn by_uid(uid: u32) -> Option<User> {
    let row = if IS_STATIC {
        name_service::passwd(|row| row.uid == uid)
    } else {
        let row = nix::unistd::User::from_uid(Uid::from_raw(uid));
        row.ok().flatten().map(PasswdRow::from)
    };
    row.map(User::from)
}

/// Returns the row of this login name; names that cannot be one (empty, with NUL or `/`) have none.
pub fn by_name(name: &str) -> Option<User> {
    if name.is_empty() || name.contains('/') || CString::new(name).is_err() {
        return None;
    }
    let row = if IS_STATIC {
        name_service::passwd(|row| row.name == name)
    } else {
        let row = nix::unistd::User::from_name(name);
        row.ok().flatten().map(PasswdRow::from)
    };
    row.map(User::from)
}

/// Returns the id of this group.
pub fn group_id(name: &str) -> Option<u32> {
    let row = if IS_STATIC {
        name_service::group(|row| row.name == name)
    } else {
        Group::from_name(name).ok().flatten().map(GroupRow::from)
    };
    row.map(|row| row.gid)
}

/// Returns whether this group is the private group of that user: same name, no other members.
pub fn is_private_group(gid: u32, user: &User) -> bool {
    let is_private = |group: GroupRow| {
        group.name == user.name && group.members.iter().all(|member| *member == user.name)
    };
    gid == user.gid && group_by_id(gid).is_some_and(is_private)
}

fn group_by_id(gid: u32) -> Option<GroupRow> {
    if IS_STATIC {
        return name_service::group(|row| row.gid == gid);
    }
    let row = Group::from_gid(Gid::from_raw(gid));
    row.ok().flatten().map(GroupRow::from)
}

/// Returns the effective uid.
pub fn effective_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}
