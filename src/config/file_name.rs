//! Names of files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Returns a file name with `~` replaced by the home directory.
pub(crate) fn expand_home(name: impl AsRef<OsStr>, home: Option<&Path>) -> PathBuf {
    let name = name.as_ref();
    match (name.as_bytes().strip_prefix(b"~"), home) {
        (Some(b""), Some(home)) => home.to_owned(),
        (Some([b'/', rest @ ..]), Some(home)) => home.join(OsStr::from_bytes(rest)),
        _ => PathBuf::from(name),
    }
}
