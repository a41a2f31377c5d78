//! The terminal and what goes to it: settings of the reader, the one writer, header lines.
//!
//! The reader speaks to people through [`Screen`] alone, which lets no text out
//! that did not pass `sanitize`, and remembers when an output could not be
//! written. This module knows messages and their flags, but opens no mailbox and has no commands.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use crate::exit::{Failure, Kind};
use crate::mailbox::Journals;
use crate::sanitize;
use crate::sys::signals::Signals;

pub mod headline;
pub mod page;

/// A program that shows text page by page; gets the whole text, safe for a terminal.
pub type Pager<'a> = Box<dyn FnMut(&[u8]) -> io::Result<()> + 'a>;

/// Finds the file that a name stands for: `+name`, `%`, `&`, `~`, `$name` and the like.
pub type FindFile<'a> = Box<dyn Fn(&str) -> Result<PathBuf, Failure> + 'a>;

/// What becomes of messages when the reader is left (POSIX mailx; design decision D15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuitRules {
    /// POSIX's own rules hold where they differ from what people expect (`posix`).
    pub posix: bool,
    /// Read messages of a system mailbox stay there instead of going to MBOX (`hold`).
    pub hold: bool,
    /// Saved messages of a system mailbox stay there (`keepsave`).
    pub keepsave: bool,
    /// A mailbox that has become empty stays, with no bytes in it (`keep`).
    pub keep: bool,
}

impl Default for QuitRules {
    /// Returns the rules that lose nothing.
    fn default() -> Self {
        QuitRules {
            posix: false,
            hold: true,
            keepsave: true,
            keep: true,
        }
    }
}

/// Everything the reader is told from outside: variables, options, terminal.
///
/// Nothing in the reader looks at the environment; who builds this does.
pub struct ReaderSettings<'a> {
    /// Lines of a header screenful (`screen`), or as many as bsd-mailx shows on 24 rows.
    pub screen: usize,
    /// From how many lines on a message goes to the pager (`crt`); `None`: never.
    pub crt: Option<usize>,
    /// Lines that `top` shows (`toplines`).
    pub toplines: usize,
    /// Whether a form feed follows each message shown (`page`).
    pub page: bool,
    /// Whether header lines show the recipient of messages that the user has sent (`showto`).
    pub showto: bool,
    /// The user's own addresses, in any case: by them `showto` knows who has sent a message.
    pub own_addresses: Vec<String>,
    /// Whether header lines show display names instead of addresses (`showname`).
    pub showname: bool,
    /// Header fields hidden, in lower case (`ignore`).
    pub ignore: Vec<String>,
    /// Header fields shown, in lower case (`retain`); if not empty, `ignore` does not count.
    pub retain: Vec<String>,
    /// The prompt; shown on a terminal only.
    pub prompt: String,
    /// Whether the banner is left out (`quiet`).
    pub quiet: bool,
    /// Whether a header screenful is shown at the start (`header`, `-N`).
    pub header: bool,
    /// Whether a sender in a message list is compared by its local part alone (`allnet`).
    pub allnet: bool,
    /// Whether commands come from a terminal.
    pub stdin_is_terminal: bool,
    /// Whether output goes to a terminal.
    pub stdout_is_terminal: bool,
    /// Columns of a header line: those of the terminal, else 80.
    pub columns: usize,
    /// The pager; `None`: text is written as it is.
    pub pager: Option<Pager<'a>>,
    /// Shows a time in the zone of the user (`sys::clock`); the default keeps the sender's.
    pub zone: fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>,
    /// The program's name, for error lines.
    pub program: String,
    /// Where the journal of a rewrite that broke off may lie.
    pub journals: Journals,
    /// Whether the mailbox is a system mailbox, to which `hold` and `keepsave` apply.
    pub is_system: bool,
    /// Whether nothing may be changed in it (`-R`).
    pub read_only: bool,
    /// What becomes of messages at the end.
    pub rules: QuitRules,
    /// Whether the next message is shown after `delete` (`autoprint`).
    pub autoprint: bool,
    /// Whether commands that do not come from a terminal end at the first error (`errexit`).
    pub errexit: bool,
    /// How long to wait for the lock of a mailbox that is to be written (`lock-timeout`).
    pub lock_patience: Duration,
    /// Finds the file that a name stands for; `None`: names are paths.
    pub find_file: Option<FindFile<'a>>,
    /// The time of From_ lines that are made (`SOURCE_DATE_EPOCH`), if it is fixed.
    pub source_date_epoch: Option<i64>,
    /// The signals that ask us to stop.
    pub signals: Option<&'a Signals>,
}

impl ReaderSettings<'_> {
    /// Returns the file that a name stands for.
    ///
    /// # Errors
    /// What the name refers to is not there ([`Kind::NoInput`]).
    pub fn file_of(&self, name: &str) -> Result<PathBuf, Failure> {
        match &self.find_file {
            Some(find) => find(name),
            None => Ok(Path::new(name).to_owned()),
        }
    }

    /// Returns the signal that asks us to stop, if there was one.
    pub fn signal(&self) -> Option<u8> {
        self.signals.and_then(Signals::received)
    }

    /// Returns the line that says for whom we wait.
    pub fn waiting_for(&self, what: &str) -> String {
        format!("{}: waiting for {what}", self.program)
    }
}

impl Default for ReaderSettings<'_> {
    /// Returns what holds where nothing is set and nothing is a terminal.
    fn default() -> Self {
        ReaderSettings {
            screen: 20,
            crt: None,
            toplines: 5,
            page: false,
            showto: false,
            own_addresses: Vec::new(),
            showname: false,
            ignore: crate::message::parse::display::IGNORED
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            retain: Vec::new(),
            prompt: "? ".to_owned(),
            quiet: false,
            header: true,
            allnet: false,
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            columns: 80,
            pager: None,
            zone: |time| time,
            program: "mailx".to_owned(),
            journals: Journals::default(),
            is_system: false,
            read_only: false,
            rules: QuitRules::default(),
            autoprint: false,
            errexit: false,
            lock_patience: Duration::from_secs(30),
            find_file: None,
            source_date_epoch: None,
            signals: None,
        }
    }
}

/// Where the reader writes: results to one writer, complaints to another.
///
/// After a failed write nothing more is written; [`Screen::finish`] says so.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl<'a> Screen<'a> {
    /// Returns a screen over the two writers.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Screen<'a> {
        Screen {
            out,
            err,
            failed: None,
        }
    }

    /// Writes text, made safe; its own line ends stay.
    pub fn text(&mut self, text: &str) {
        self.raw(sanitize::text(text.as_bytes()).as_bytes());
    }

    /// Writes bytes that are safe already, or were asked for as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        if self.failed.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.failed = Some(error);
        }
    }

    /// Writes one line for people to stderr, after what was written before it.
    pub fn complain(&mut self, line: &str) {
        self.flush();
        // Where stderr is gone nobody can be told of it.
        let _ = writeln!(self.err, "{}", sanitize::line(line.as_bytes()));
        let _ = self.err.flush();
    }

    /// Sends out what is buffered.
    pub fn flush(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.out.flush()
        {
            self.failed = Some(error);
        }
    }

    /// Returns whether writing is of no use any more.
    pub fn is_closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Returns whether whoever read the output has left (`| head`).
    pub fn has_lost_its_reader(&self) -> bool {
        let is_pipe = |error: &io::Error| error.kind() == ErrorKind::BrokenPipe;
        self.failed.as_ref().is_some_and(is_pipe)
    }

    /// Flushes and tells whether everything was written.
    ///
    /// A reader at the other end of a pipe that left early (`| head`) is no failure.
    ///
    /// # Errors
    /// [`Kind::Io`] if the output could not be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(Kind::Io, "cannot write the output").because(error))
            }
            _ => Ok(()),
        }
    }
}
