//! Users and groups, as the passwd and group databases know them.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::OnceLock;

use nix::unistd::{Gid, Group, Uid};

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

impl From<nix::unistd::User> for User {
    fn from(row: nix::unistd::User) -> User {
        let gecos = String::from_utf8_lossy(row.gecos.to_bytes()).into_owned();
        let full_name = gecos.split(',').next().unwrap_or_default().trim();
        let mut capitalised = row.name.clone();
        if let Some(first) = capitalised.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        User {
            full_name: full_name.replace('&', &capitalised),
            name: row.name,
            uid: row.uid.as_raw(),
            gid: row.gid.as_raw(),
            home: row.dir,
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
    nix::unistd::User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map(User::from)
}

/// Returns the row of this login name; names that cannot be one (empty, with NUL or `/`) have none.
pub fn by_name(name: &str) -> Option<User> {
    if name.is_empty() || name.contains('/') || CString::new(name).is_err() {
        return None;
    }
    nix::unistd::User::from_name(name)
        .ok()
        .flatten()
        .map(User::from)
}

/// Returns the id of this group.
pub fn group_id(name: &str) -> Option<u32> {
    Group::from_name(name)
        .ok()
        .flatten()
        .map(|group| group.gid.as_raw())
}

/// Returns whether this group is the private group of that user: same name, no other members.
pub fn is_private_group(gid: u32, user: &User) -> bool {
    gid == user.gid
        && Group::from_gid(Gid::from_raw(gid))
            .ok()
            .flatten()
            .is_some_and(|group| {
                group.name == user.name && group.mem.iter().all(|member| *member == user.name)
            })
}

/// Returns the effective uid.
pub fn effective_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}
