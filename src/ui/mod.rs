//! The terminal and what goes to it: the one writer, header lines, how messages look.
//!
//! The reader and the reports speak to people through [`Screen`] alone. What it prints is made
//! harmless by `sanitize`, except `safe` text, for which the caller answers, and `raw` bytes, which are
//! messages and JSON. It remembers when an output could not be written.
//!
//! This module only displays. It knows messages and their flags, but it opens no mailbox, changes
//! none, reads no command and decides nothing about mail; `shell`, `report` and `flow` do.
//! `tests/it/layers.rs` holds it to that.

use std::io::{self, ErrorKind, Write};

use crate::exit::{Failure, Kind, with_causes};
use crate::sanitize;
use crate::sys::{self, locale};

pub(crate) mod colour;
mod dates;
pub(crate) mod display;
pub(crate) mod headline;
pub(crate) mod page;
pub(crate) mod pager;
pub(crate) mod progress;
pub(crate) mod size;

pub(crate) use display::Display;
pub(crate) use size::Size;

/// Where the reader writes: results to one writer, complaints to another.
///
/// After a failed write nothing more is written; [`Screen::finish`] says so.
pub(crate) struct Screen<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// The program's name, for lines about a failure.
    program: String,
    failed: Option<io::Error>,
}

impl<'a> Screen<'a> {
    /// Returns a screen over the two writers, for a program of this name.
    pub(crate) fn new(
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
        program: impl Into<String>,
    ) -> Screen<'a> {
        Screen {
            out,
            err,
            program: program.into(),
            failed: None,
        }
    }

    /// Writes text, made safe; its own line ends stay.
    pub(crate) fn text(&mut self, text: &str) {
        self.safe(&sanitize::text(text.as_bytes()));
    }

    /// Writes text that is safe already, in the charset of the locale.
    pub(crate) fn safe(&mut self, text: &str) {
        self.raw(&locale::encode(text));
    }

    /// Writes bytes as they are: those of a message, and JSON.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        progress::output_begins();
        // After a failure nothing more goes out: output with a hole in it would look complete.
        if self.failed.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.failed = Some(error);
        }
    }

    /// Writes one line for people to stderr, after what was written before it.
    pub(crate) fn complain(&mut self, line: &str) {
        // Results written before the complaint shall be seen before it.
        self.flush();
        sys::progress::clear();
        // A failure to write to standard error cannot be reported anywhere.
        // A subject or a file name in the line may hold line ends or escape sequences. `line` makes
        // them visible, so that mail cannot fake a complaint or control the terminal.
        let line = format!("{}\n", sanitize::message(line));
        let _ = self.err.write_all(&locale::encode(&line));
        let _ = self.err.flush();
    }

    /// Writes one line for people under the program's name.
    pub(crate) fn say(&mut self, line: &str) {
        let line = format!("{}: {line}", self.program);
        self.complain(&line);
    }

    /// Prints whose lock we wait for.
    pub(crate) fn waiting_for(&mut self, what: &str) {
        self.say(&format!("waiting for {what}"));
    }

    /// Writes a hint on its own line.
    pub(crate) fn hint(&mut self, hint: &str) {
        self.complain(&format!("hint: {hint}"));
    }

    /// Writes a failure with its causes and its hint.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.say(&with_causes(failure));
        if let Some(hint) = &failure.hint {
            self.hint(hint);
        }
    }

    /// Flushes the buffer.
    pub(crate) fn flush(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.out.flush()
        {
            self.failed = Some(error);
        }
        progress::output_is_flushed();
    }

    /// Returns whether writing is of no use any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Returns whether the program that read the output has ended (`| head`).
    pub(crate) fn has_lost_its_reader(&self) -> bool {
        let is_pipe = |error: &io::Error| error.kind() == ErrorKind::BrokenPipe;
        self.failed.as_ref().is_some_and(is_pipe)
    }

    /// Flushes, and returns whether everything was written.
    ///
    /// A reader at the other end of a pipe that left early (`| head`) is no failure.
    ///
    /// # Errors
    /// [`Kind::Io`] if the output could not be written.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(Kind::Io, "cannot write the output").because(error))
            }
            _ => Ok(()),
        }
    }
}
