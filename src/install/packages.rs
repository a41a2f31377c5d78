//! What package managers own: there nothing is installed, and nothing of theirs is replaced.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use memchr::memmem;

use crate::sanitize;

/// The lists of files of dpkg's packages.
const LISTS: &str = "/var/lib/dpkg/info";

/// Package managers, and where each keeps its records.
const MANAGERS: [(&str, &str); 5] = [
    ("/var/lib/dpkg/status", "dpkg"),
    ("/usr/lib/sysimage/rpm", "rpm"),
    ("/var/lib/rpm", "rpm"),
    ("/lib/apk/db/installed", "apk"),
    ("/var/lib/pacman/local", "pacman"),
];

/// Returns who owns the programs below a prefix, in words; `None` if no package manager does.
///
/// `/usr` belongs to the package manager of the machine (Filesystem Hierarchy Standard). Elsewhere
/// the lists of dpkg say it; the records of the others cannot be read as they are, and nothing of
/// theirs is replaced in any case.
pub(crate) fn owner_of_prefix(prefix: &Path) -> Option<String> {
    if prefix == Path::new("/") || prefix == Path::new("/usr") {
        let mut managers = MANAGERS.iter();
        let (_, name) = managers.find(|(records, _)| Path::new(records).exists())?;
        return Some(format!("the package manager {name}"));
    }
    let name = owner_in(Path::new(LISTS), &prefix.join("bin/"))?;
    Some(format!("the package {name}"))
}

/// Returns the package of dpkg that owns this file.
pub(crate) fn owner(path: &Path) -> Option<String> {
    owner_in(Path::new(LISTS), path)
}

/// Returns the package that has this file in its list; a path that ends in a slash is a directory, in
/// which a package has a file.
fn owner_in(lists: &Path, path: &Path) -> Option<String> {
    let wanted = path.as_os_str().as_bytes();
    let finder = memmem::Finder::new(wanted);
    for entry in fs::read_dir(lists).ok()?.flatten() {
        let list = entry.path();
        if list.extension() != Some(OsStr::new("list")) {
            continue;
        }
        let Ok(text) = fs::read(&list) else { continue };
        let is_listed = finder.find_iter(&text).any(|at| {
            let begins = at == 0 || text[at - 1] == b'\n';
            let ends = matches!(text.get(at + wanted.len()), None | Some(b'\n'));
            begins && (ends || wanted.ends_with(b"/"))
        });
        if is_listed {
            // The name of a package of several architectures is NAME:ARCHITECTURE.
            let name = list.file_stem()?.as_bytes();
            let name = name.split(|byte| *byte == b':').next()?;
            return Some(sanitize::line(name).into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_packages_and_no_other() {
        let lists = tempfile::tempdir().expect("a directory");
        let list = |name: &str, text: &str| {
            fs::write(lists.path().join(name), text).expect("written");
        };
        list("exim4.list", "/.\n/usr\n/usr/sbin\n/usr/sbin/sendmail\n");
        list("lib:amd64.list", "/opt/x\n/opt/x/bin\n/opt/x/bin/tool\n");
        list("exim4.md5sums", "0  usr/local/bin/postrider\n");
        for (path, expected) in [
            ("/usr/sbin/sendmail", Some("exim4")),
            ("/usr/sbin/send", None),
            ("/sbin/sendmail", None),
            ("/opt/x/bin/", Some("lib")),
            ("/opt/bin/", None),
            ("/usr/local/bin/", None),
        ] {
            let found = owner_in(lists.path(), Path::new(path));
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        assert_eq!(owner_in(Path::new("/nowhere"), Path::new("/x")), None);
    }
}
