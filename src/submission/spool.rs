//! The directory of system mailboxes (design decision D17).

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::Settings;

/// The usual places, in the order in which they are asked.
const PLACES: [&str; 2] = ["/var/spool/mail", "/var/mail"];

/// Returns the directory that holds this user's system mailbox.
///
/// The variable `spool` names it; else the usual places: one where they are the same directory,
/// else the one that holds the mailbox, else the one that is there.
pub fn directory(settings: &Settings, user: &str) -> PathBuf {
    if let Some(directory) = settings.text("spool") {
        return PathBuf::from(directory);
    }
    let [first, second] = PLACES.map(Path::new);
    let same = match (first.metadata(), second.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    };
    let holds = |directory: &Path| directory.join(user).exists();
    let chosen = match () {
        () if same => second,
        () if holds(first) => first,
        () if holds(second) => second,
        () if second.is_dir() => second,
        () if first.is_dir() => first,
        () => second,
    };
    chosen.to_owned()
}
