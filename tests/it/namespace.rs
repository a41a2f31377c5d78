//! Cases about the system's own files: `/etc`, `/usr/sbin/sendmail`, `/var/mail`, `/var/spool`,
//! `/var/tmp`.
//!
//! They run in a private mount namespace, where directories of the case lie over those of the
//! machine. `unshare -rm` needs no root; where it is forbidden the case says loudly that it was
//! left out. Inside, the program sees itself as root.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::launch;

/// Files of the machine's `/etc` that the case's own has too: users, names, the zone.
const KEPT: [&str; 6] = [
    "passwd",
    "group",
    "nsswitch.conf",
    "hosts",
    "hostname",
    "localtime",
];

/// Mounts the case's directories and starts the program with the case's `PATH`.
///
/// `$1` is the case's directory. `/usr/lib/sendmail` and `/usr/bin/sendmail` are covered where they
/// are files of their own.
const SCRIPT: &str = r#"
dir=$1 path=$PATH
shift
PATH=/usr/bin:/bin:/usr/sbin:/sbin
set -e
for place in /usr/lib/sendmail /usr/bin/sendmail; do
    if [ -f $place ] && [ ! -L $place ]; then mount --bind "$dir/sys/nothing" $place; fi
done
mount --bind "$dir/sys/etc" /etc
mount --bind "$dir/sys/spool" /var/spool
for place in /var/mail /var/spool/mail; do
    if [ -d $place ] && [ ! -L $place ]; then mount --bind "$dir/spool" $place; fi
done
mount --bind "$dir/mta" /usr/sbin
mount --bind "$dir/tmp" /var/tmp
PATH=$path
export PATH
exec "$@"
"#;

/// Returns the words to put before the program, or `None` where there is no namespace to have.
pub fn wrapper(directory: &Path) -> Option<Vec<OsString>> {
    let unshare = unshare()?;
    let mut words: Vec<OsString> = vec![unshare.into()];
    words.push(if launch::is_root() { "-m" } else { "-rm" }.into());
    words.extend(["/bin/sh", "-c", SCRIPT, "sh"].map(OsString::from));
    words.push(directory.into());
    Some(words)
}

/// Makes the case's `/etc`.
pub fn furnish(directory: &Path) {
    let etc = directory.join("sys/etc");
    fs::create_dir_all(&etc).unwrap();
    for name in KEPT {
        let _ = fs::copy(Path::new("/etc").join(name), etc.join(name));
    }
    fs::write(directory.join("sys/nothing"), "").unwrap();
    // The places of root's unsent mail would be here; the mailboxes are where Debian has them.
    fs::create_dir_all(directory.join("sys/spool")).unwrap();
    let _ = symlink("/var/mail", directory.join("sys/spool/mail"));
    fs::create_dir_all(directory.join("mta")).unwrap();
    let tmp = directory.join("tmp");
    fs::create_dir_all(&tmp).unwrap();
    fs::set_permissions(tmp, fs::Permissions::from_mode(0o1777)).unwrap();
}

/// Returns the path of `unshare` if it can make a mount namespace here.
fn unshare() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let paths = ["/usr/bin/unshare", "/bin/unshare"].map(PathBuf::from);
        let path = paths.into_iter().find(|path| path.exists())?;
        let mut command = Command::new(&path);
        command.arg(if launch::is_root() { "-m" } else { "-rm" });
        command
            .args(["/bin/sh", "-c", "mount --bind /tmp /tmp"])
            .env_clear();
        command.env("PATH", "/usr/bin:/bin");
        let output = launch::run(
            &mut command,
            launch::Stdin::Null,
            Duration::from_secs(10),
            None,
        );
        output.status.success().then_some(path)
    });
    found.clone()
}
