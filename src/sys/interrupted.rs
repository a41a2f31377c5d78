//! Calls of the system that a signal may interrupt.

use std::io;

/// Makes a call again as long as a signal interrupts it.
///
/// # Errors
/// Those of the call, but for `EINTR`.
pub(crate) fn until_done<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}
