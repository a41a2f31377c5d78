//! Users and groups, as the passwd and group databases know them.

use std::ffi::CString;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid};

use crate::charset::decode_text;
use crate::exit;
use crate::sys::name_service::{self, GroupRow, IS_STATIC, PasswdRow};
use crate::sys::platform;

/// One row of the passwd database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
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
            gecos: decode_text(row.gecos.to_bytes()).into_owned(),
            home: row.dir,
        }
    }
}

impl From<PasswdRow> for User {
    fn from(row: PasswdRow) -> User {
        let full_name = row.gecos.split(',').next().unwrap_or_default().trim();
        let mut capitalised = row.name.clone();
        // `&` in GECOS stands for the login name with a capital letter (BSD, finger).
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
///
/// `None` also where the user database cannot be read; [`unread`] says so then.
pub(crate) fn current() -> Option<User> {
    CURRENT
        .get_or_init(|| by_uid(effective_uid()).map_err(|error| exit::with_causes(&error)))
        .clone()
        .unwrap_or_default()
}

static CURRENT: OnceLock<Result<Option<User>, String>> = OnceLock::new();

/// Returns why it is not known who we are, if [`current`] could not read the user database.
pub(crate) fn unread() -> Option<&'static str> {
    CURRENT.get()?.as_ref().err().map(String::as_str)
}

/// Returns the login name of the user we act as; a uid without a name is `uid1000`.
pub(crate) fn login_name() -> String {
    current().map_or_else(|| format!("uid{}", effective_uid()), |user| user.name)
}

/// Returns the login name of this uid; one without a name is `uid1000`.
pub(crate) fn name_of(uid: u32) -> String {
    if uid == effective_uid() {
        return login_name();
    }
    let row = by_uid(uid).ok().flatten();
    row.map_or_else(|| format!("uid{uid}"), |user| user.name)
}

/// Returns the row of this uid.
///
/// # Errors
/// When the user database cannot be read.
pub(crate) fn by_uid(uid: u32) -> io::Result<Option<User>> {
    let asked = || nix::unistd::User::from_uid(Uid::from_raw(uid));
    let row = looked_up(asked, || name_service::passwd(|row| row.uid == uid))?;
    Ok(row.map(User::from))
}

/// Returns the row of this login name; names that cannot be one (empty, with NUL or `/`) have none.
///
/// # Errors
/// When the user database cannot be read.
pub(crate) fn by_name(name: &str) -> io::Result<Option<User>> {
    if name.is_empty() || name.contains('/') || CString::new(name).is_err() {
        return Ok(None);
    }
    let asked = || nix::unistd::User::from_name(name);
    let row = looked_up(asked, || name_service::passwd(|row| row.name == name))?;
    Ok(row.map(User::from))
}

/// Returns the id of this group.
///
/// # Errors
/// When the user database cannot be read.
pub(crate) fn group_id(name: &str) -> io::Result<Option<u32>> {
    let asked = || Group::from_name(name);
    let row = looked_up(asked, || name_service::group(|row| row.name == name))?;
    Ok(row.map(|row| row.gid))
}

/// Returns whether this group is the private group of that user: same name, no other members.
///
/// # Errors
/// When the user database cannot be read.
pub(crate) fn is_private_group(gid: u32, user: &User) -> io::Result<bool> {
    if gid != user.gid {
        return Ok(false);
    }
    Ok(group_by_id(gid)?.is_some_and(|group| {
        group.name == user.name && group.members.iter().all(|member| *member == user.name)
    }))
}

/// Returns whether a user is a member of a group, by the databases: it is the login group, or its
/// row names the user.
///
/// # Errors
/// When the user database cannot be read.
pub(crate) fn is_member(uid: u32, gid: u32) -> io::Result<bool> {
    let Some(user) = by_uid(uid)? else {
        return Ok(false);
    };
    let is_named = |group: GroupRow| group.members.contains(&user.name);
    if user.gid == gid || group_by_id(gid)?.is_some_and(is_named) {
        return Ok(true);
    }
    // A directory service may know the groups of a user and not the members of a group.
    let name = CString::new(user.name).ok().filter(|_| !IS_STATIC);
    let groups = name.map(|name| platform::groups_of(&name, Gid::from_raw(user.gid)));
    Ok(groups
        .transpose()?
        .is_some_and(|groups| groups.contains(&Gid::from_raw(gid))))
}

fn group_by_id(gid: u32) -> io::Result<Option<GroupRow>> {
    let asked = || Group::from_gid(Gid::from_raw(gid));
    looked_up(asked, || name_service::group(|row| row.gid == gid))
}

/// Asks the name service, and the file itself where that knows nobody.
///
/// The C library goes on to the next service when one cannot be read, and says "nobody" in the end
/// although it could not open `/etc/passwd`. So a "nobody" is believed only
/// when the file could be read and says the same.
fn looked_up<Row, Own: From<Row>>(
    ask: impl FnOnce() -> nix::Result<Option<Row>>,
    in_file: impl FnOnce() -> io::Result<Option<Own>>,
) -> io::Result<Option<Own>> {
    if !IS_STATIC {
        match ask() {
            Ok(Some(row)) => return Ok(Some(Own::from(row))),
            // What getpwnam_r(3) and its kin return for "not found" beside success.
            Ok(None) | Err(Errno::ENOENT | Errno::ESRCH | Errno::ENOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    in_file()
}

/// Returns the effective uid.
pub(crate) fn effective_uid() -> u32 {
    // Nothing here changes it, and a listing asks it for each of ten thousand files.
    static UID: OnceLock<u32> = OnceLock::new();
    *UID.get_or_init(|| nix::unistd::geteuid().as_raw())
}
