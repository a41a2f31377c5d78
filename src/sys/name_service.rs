//! The name service switch, for static builds (`-C target-feature=+crt-static`).
//!
//! glibc looks users and hosts up by modules that `/etc/nsswitch.conf` names. A static program
//! that loads one may crash in it: Debian 12's `passwd: files systemd` ends a static
//! `getpwnam("nobody-of-that-name")` with SIGSEGV. A mail must not get lost that way, so a static
//! build reads passwd and group itself, and asks for a host only what is built into it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::open::{self, Use};
use crate::charset::decode_text;

/// Whether this build has its C library in it and can load no module.
pub(crate) const IS_STATIC: bool = cfg!(all(target_env = "gnu", target_feature = "crt-static"));

/// One row of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PasswdRow {
    /// The login name.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The login group.
    pub gid: u32,
    /// The field of the full name.
    pub gecos: String,
    /// The home directory.
    pub home: PathBuf,
}

/// One row of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupRow {
    /// The group's name.
    pub name: String,
    /// The group id.
    pub gid: u32,
    /// Its members beside those whose login group it is.
    pub members: Vec<String>,
}

/// Returns the first row of `/etc/passwd` that is the one looked for.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn passwd(is_it: impl Fn(&PasswdRow) -> bool) -> io::Result<Option<PasswdRow>> {
    Ok(find(&text_of("/etc/passwd")?, passwd_row, is_it))
}

/// Returns the first row of `/etc/group` that is the one looked for.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn group(is_it: impl Fn(&GroupRow) -> bool) -> io::Result<Option<GroupRow>> {
    Ok(find(&text_of("/etc/group")?, group_row, is_it))
}

/// Reads a file of the user database; one that is not there has no rows.
fn text_of(path: &str) -> io::Result<Vec<u8>> {
    match open::read::bytes(Path::new(path), Use::Users) {
        // A container often has no such file: then no user has a name.
        Err(error) if error.is_absent() => Ok(Vec::new()),
        read => Ok(read?),
    }
}

fn find<Row>(
    text: &[u8],
    parse: impl Fn(&[&[u8]]) -> Option<Row>,
    is_it: impl Fn(&Row) -> bool,
) -> Option<Row> {
    text.split(|&b| b == b'\n')
        // Lines that begin with `+` or `-` belong to the compat mode of NIS (nsswitch.conf(5)).
        .filter(|line| !matches!(line.first(), None | Some(b'#' | b'+' | b'-')))
        .filter_map(|line| parse(&line.split(|&b| b == b':').collect::<Vec<_>>()))
        .find(is_it)
}

fn passwd_row(fields: &[&[u8]]) -> Option<PasswdRow> {
    let [name, _, uid, gid, gecos, home, _] = fields else {
        return None;
    };
    Some(PasswdRow {
        name: str::from_utf8(name).ok()?.to_owned(),
        uid: number(uid)?,
        gid: number(gid)?,
        gecos: decode_text(gecos).into_owned(),
        home: OsStr::from_bytes(home).into(),
    })
}

fn group_row(fields: &[&[u8]]) -> Option<GroupRow> {
    let [name, _, gid, members] = fields else {
        return None;
    };
    let members = str::from_utf8(members).ok()?.split(',');
    Some(GroupRow {
        name: str::from_utf8(name).ok()?.to_owned(),
        gid: number(gid)?,
        members: members
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

fn number(field: &[u8]) -> Option<u32> {
    str::from_utf8(field).ok()?.parse().ok()
}

/// Returns the first module that a look-up of a host would load into a static program.
///
/// A file that cannot be read names none. The C library reads the same file when it looks up a
/// host.
pub(crate) fn module_for_hosts() -> Option<String> {
    let text = open::read::bytes(Path::new("/etc/nsswitch.conf"), Use::Host).ok()?;
    first_module(&String::from_utf8_lossy(&text), "hosts")
}

/// Finds the first service of a database that is not built in, which `files` and `dns` are.
fn first_module(switch: &str, database: &str) -> Option<String> {
    let services = switch.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let (name, services) = line.split_once(':')?;
        (name.trim() == database).then_some(services)
    })?;
    // Brackets hold the action that follows a service, and may hold blanks.
    let outside = services
        .split('[')
        .map(|piece| piece.split_once(']').map_or(piece, |(_, rest)| rest));
    outside
        .flat_map(str::split_whitespace)
        .find(|service| !matches!(*service, "files" | "dns"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_c_library() {
        let ours = passwd(|row| row.uid == 0).unwrap().unwrap();
        let its = nix::unistd::User::from_uid(0.into()).unwrap().unwrap();
        assert_eq!((ours.name, ours.home), (its.name, its.dir));
        assert_eq!((ours.uid, ours.gid), (0, its.gid.as_raw()));
        let ours = group(|row| row.gid == 0).unwrap().unwrap();
        let its = nix::unistd::Group::from_gid(0.into()).unwrap().unwrap();
        assert_eq!((ours.name, ours.members), (its.name, its.mem));
    }

    #[test]
    fn what_is_no_row_is_passed_over() {
        let text =
            b"# root:x:0:0::/:/x\n+::::::\n\nroot:x:zero:0::/:/x\nr:x:0:0\nr:x:0:0:R,,:/h:/s\n";
        let row = find(text, passwd_row, |row| row.uid == 0).unwrap();
        assert_eq!((row.name.as_str(), row.gecos.as_str()), ("r", "R,,"));
        let latin = b"j:x:7:7:J\xf6rg M\xfcller,,:/h:/s\n";
        let row = find(latin, passwd_row, |row| row.uid == 7).unwrap();
        assert_eq!(row.gecos, "J\u{f6}rg M\u{fc}ller,,");
        let row = find(b"g:x:7:a,b\n", group_row, |row| row.name == "g").unwrap();
        assert_eq!((row.gid, row.members.len()), (7, 2));
        assert_eq!(find(b"g:x:7:\n", group_row, |row| row.gid == 8), None);
    }

    #[test]
    fn a_module_is_what_is_not_built_in() {
        let table = [
            ("hosts: files dns", None),
            ("passwd: files systemd\nhosts:\tfiles dns # resolve", None),
            ("", None),
            ("hosts: files [!UNAVAIL = return] dns", None),
            (
                "hosts: files mdns4_minimal [NOTFOUND=return] dns",
                Some("mdns4_minimal"),
            ),
            ("hosts: mymachines resolve files", Some("mymachines")),
            ("hosts: files[SUCCESS=return]resolve", Some("resolve")),
        ];
        for (switch, module) in table {
            assert_eq!(first_module(switch, "hosts").as_deref(), module, "{switch}");
        }
    }
}
