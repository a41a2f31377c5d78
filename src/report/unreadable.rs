//! Reading headers where a failure must not end the command: the first one is remembered.

use std::cell::RefCell;
use std::io;

use crate::exit::{Failure, Kind};
use crate::mailbox::Mailbox;

/// The first message whose header could not be read since the last command, and why.
#[derive(Debug, Default)]
pub(crate) struct Unread(RefCell<Option<(usize, io::Error)>>);

impl Unread {
    /// Returns the From_ line and header block of a message; one that cannot be read is empty.
    pub(crate) fn block(&self, mailbox: &Mailbox, message: usize) -> Vec<u8> {
        self.known(message, mailbox.read_header(message))
    }

    /// Returns all bytes of a message, without the quoting of an mbox; one that cannot be read is empty.
    pub(crate) fn content(&self, mailbox: &Mailbox, message: usize) -> Vec<u8> {
        self.known(message, mailbox.read_unquoted(message))
    }

    /// Returns the number of lines of a message; one that cannot be read has none.
    pub(crate) fn lines(&self, mailbox: &Mailbox, message: usize) -> u32 {
        self.known(message, mailbox.lines(message))
    }

    fn known<T: Default>(&self, message: usize, read: io::Result<T>) -> T {
        read.unwrap_or_else(|error| {
            // One line a command is enough: if the disk is broken, a list of a thousand messages
            // has a thousand such errors.
            self.0.borrow_mut().get_or_insert((message, error));
            T::default()
        })
    }

    /// Forgets the first failure and returns it, with its kind; see [`kind`].
    pub(crate) fn take(&self) -> Option<(Failure, Option<Kind>)> {
        let (message, error) = self.0.take()?;
        let kind = kind(&error);
        Some((failure(message, error), kind))
    }
}

/// Returns the failure to read a message, which counts from 0.
pub(crate) fn failure(message: usize, error: io::Error) -> Failure {
    let what = format!("{}: cannot read the message", message + 1);
    Failure::new(kind(&error).unwrap_or(Kind::Io), what).because(error)
}

/// Classifies a read error; `None` if another program has deleted the message.
pub(crate) fn kind(error: &io::Error) -> Option<Kind> {
    match error.kind() {
        io::ErrorKind::NotFound => None,
        // Other programs change the mailbox while it is read: a second try may work.
        io::ErrorKind::ResourceBusy => Some(Kind::TryLater),
        _ => Some(Kind::Io),
    }
}
