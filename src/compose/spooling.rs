//! What is said where a text has no room in a temporary file.

use std::io;

use crate::exit::{Failure, Kind};

/// Returns the failure of a text that cannot be spooled.
pub(crate) fn unspooled(error: io::Error) -> Failure {
    let what = "cannot write the message to a temporary file";
    Failure::new(Kind::CannotCreate, what).because(error)
}
