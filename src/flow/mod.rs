//! The two flows of the program: a mail on its way out, and a mailbox that is opened.
//!
//! [`sending`] composes, submits, keeps and reports; every face sends through it, and a `reply` of the
//! reader would too. [`reading`] finds and opens a mailbox. Neither needs a command line, and neither
//! starts the reader, so that the reader can send a mail and open another mailbox. [`resend`] sends
//! dead letters again; [`outbox`] lists and changes what waits there.

pub(crate) mod answering;
pub(crate) mod flushing;
pub(crate) mod outbox;
pub(crate) mod reading;
pub(crate) mod resend;
pub(crate) mod sending;
pub(crate) mod unsent;

use crate::exit::{Failure, Kind};
use crate::sys::signals::Signals;

/// Starts to watch for signals; with `ignore` the interrupt key has no effect.
///
/// # Errors
/// 70 when the system refuses it.
pub(crate) fn watch_signals(ignore: bool) -> Result<Signals, Failure> {
    Signals::watch(ignore)
        .map_err(|error| Failure::new(Kind::Software, "cannot watch for signals").because(error))
}
