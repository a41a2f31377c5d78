//! The program on a machine: its manual pages and completions, and where they are installed.
//!
//! Packages take the pages and completions from `postrider generate`; who builds with cargo gets all
//! of it by `postrider install`. Both have them from [`documents`].
//!
//! # An installation
//! [`plan`] lists what belongs to it. [`place`] puts all of it into place, or nothing: every file is
//! written beside its name first, and gets its name when all are complete. What was there and is an
//! older one of ours is replaced; what is not ours stays. [`manifest`] is the list of what is ours,
//! with checksums; [`remove`] removes what is in that list and was not changed since. Where a
//! package manager rules, nothing is installed ([`packages`]).

pub(crate) mod documents;
mod manifest;
pub(crate) mod packages;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod remove;

use std::io;
use std::path::Path;

use crate::exit::{Failure, Kind};
use crate::sanitize;

/// Returns the failure of a step of an installation: it says what could not be done with which file.
fn failure(what: &str, path: &Path, error: io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => Kind::NoPermission,
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::ReadOnlyFilesystem => Kind::CannotCreate,
        _ => Kind::Io,
    };
    Failure::new(kind, format!("cannot {what} {}", sanitize::path(path))).because(error)
}
