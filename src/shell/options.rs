//! The options of the reader, made of variables, and the surroundings that no variable changes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Environment, Settings};
use crate::exit::Failure;
use crate::mailbox::Journals;
use crate::submission::identity;
use crate::sys::signals::Signals;
use crate::ui::{Display, page};

/// Shows text page by page by a program; gets the whole text, safe for a terminal.
pub(crate) type Pager<'a> = Box<dyn FnMut(&OsStr, &[u8]) -> io::Result<()> + 'a>;

/// Finds the file that a name stands for: `+name`, `%`, `&`, `~`, `$name` and the like.
pub(crate) type FindFile<'a> = Box<dyn Fn(&str, &Settings) -> Result<PathBuf, Failure> + 'a>;

/// The surroundings of a session that no variable can change: terminal, environment, mailbox,
/// signals.
///
/// The reader itself never looks at the environment or the terminal; the caller does, and tests
/// need neither.
pub(crate) struct ReaderContext<'a> {
    /// The program's name, for error lines and for the prompt.
    pub program: String,
    /// The environment variables.
    pub environment: Environment,
    /// Whether commands come from a terminal.
    pub stdin_is_terminal: bool,
    /// Whether output goes to a terminal.
    pub stdout_is_terminal: bool,
    /// Columns of a header line: those of the terminal, else 80.
    pub columns: usize,
    /// Rows of the terminal, else 24.
    pub rows: usize,
    /// Where the journal of an interrupted rewrite may lie.
    pub journals: Journals,
    /// Whether the mailbox is a system mailbox, to which `hold` and `keepsave` apply.
    pub is_system: bool,
    /// Whether nothing may be changed in it (`-R`).
    pub read_only: bool,
    /// Runs the pager.
    pub pager: Pager<'a>,
    /// Finds the file that a name stands for.
    pub find_file: FindFile<'a>,
    /// The signals that ask us to stop.
    pub signals: Option<&'a Signals>,
}

impl ReaderContext<'_> {
    /// Returns the signal that asks us to stop, if there was one.
    pub(crate) fn signal(&self) -> Option<u8> {
        self.signals.and_then(Signals::received)
    }
}

impl Default for ReaderContext<'_> {
    /// Returns what holds where nothing is a terminal, and names are paths.
    fn default() -> Self {
        ReaderContext {
            program: "mailx".to_owned(),
            environment: Environment::default(),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            columns: 80,
            rows: 24,
            journals: Journals::default(),
            is_system: false,
            read_only: false,
            pager: Box::new(page::through),
            find_file: Box::new(|name, _| Ok(name.into())),
            signals: None,
        }
    }
}

/// The rules for messages when the reader is left (POSIX mailx).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuitRules {
    /// POSIX's own rules hold where they differ from what people expect (`posix`).
    pub posix: bool,
    /// Read messages of a system mailbox stay there instead of going to MBOX (`hold`).
    pub hold: bool,
    /// Saved messages of a system mailbox stay there (`keepsave`).
    pub keepsave: bool,
    /// A mailbox that has become empty stays, with no bytes in it (`keep`).
    pub keep: bool,
}

impl QuitRules {
    /// Returns the rules that the settings make.
    ///
    /// Under POSIX's rules a variable counts only if it was set; our own defaults do not.
    fn of(settings: &Settings, environment: &Environment) -> QuitRules {
        let posix = environment.posixly_correct || settings.is_set("posix");
        let holds = |name: &str| {
            if posix {
                settings.any(name).is_some()
            } else {
                settings.is_set(name)
            }
        };
        QuitRules {
            posix,
            hold: holds("hold"),
            keepsave: holds("keepsave"),
            keep: holds("keep"),
        }
    }
}

/// The options of the reader, made of variables.
#[derive(Clone, Debug)]
pub(crate) struct ReaderOptions {
    /// Lines of a header screenful (`screen`), or as many as bsd-mailx shows on 24 rows; at least
    /// 1.
    pub screen: usize,
    /// From how many lines on a message goes to the pager (`crt`); `None`: never, as where the
    /// output is no terminal.
    pub crt: Option<usize>,
    /// The program that shows long messages: `pager`, else `$PAGER`, else `more`.
    pub pager: OsString,
    /// Lines that `top` shows (`toplines`).
    pub toplines: usize,
    /// The prompt; shown on a terminal only.
    pub prompt: String,
    /// Whether the banner is left out (`quiet`).
    pub quiet: bool,
    /// Whether a header screenful is shown at the start (`header`).
    pub header: bool,
    /// Whether a sender in a message list is compared by its local part alone (`allnet`).
    pub allnet: bool,
    /// The rules for messages when the reader is left.
    pub rules: QuitRules,
    /// Whether the next message is shown after `delete` (`autoprint`).
    pub autoprint: bool,
    /// Whether commands that do not come from a terminal end at the first error (`errexit`).
    pub errexit: bool,
    /// How long to wait for the lock of a mailbox that is to be written (`lock-timeout`).
    pub lock_patience: Duration,
    /// Whether progress is reported (`verbose`).
    pub verbose: bool,
}

impl ReaderOptions {
    /// Returns what the settings say in these surroundings.
    pub(crate) fn of(settings: &Settings, around: &ReaderContext<'_>) -> ReaderOptions {
        let number = |name| settings.number(name).map(|number| number as usize);
        let environment = &around.environment;
        // `set crt` without a number is the height of the terminal (POSIX).
        let crt = match settings.get("crt") {
            None => None,
            Some("") => Some(around.rows),
            Some(_) => number("crt"),
        };
        // A variable outranks the environment, as everywhere: it was set for mail alone.
        let pager = settings.path("pager").map(ToOwned::to_owned);
        // POSIX: the prompt of mailx is `? `. The BSD programs called mail have `& `.
        let is_mail = around.program == "mail" || around.program == "Mail";
        ReaderOptions {
            // bsd-mailx leaves four rows for the prompt and what is typed there.
            screen: number("screen")
                .unwrap_or(around.rows.saturating_sub(4))
                .max(1),
            // A pager would wait for keys that a pipe cannot send.
            crt: crt.filter(|_| around.stdout_is_terminal),
            pager: pager
                .or_else(|| environment.pager.clone())
                .unwrap_or_else(|| "more".into()),
            toplines: number("toplines").unwrap_or(5),
            prompt: match settings.get("prompt") {
                Some(prompt) => prompt.to_owned(),
                None if is_mail => "& ".to_owned(),
                None => "? ".to_owned(),
            },
            quiet: settings.is_set("quiet"),
            header: settings.is_set("header"),
            allnet: settings.is_set("allnet"),
            rules: QuitRules::of(settings, environment),
            autoprint: settings.is_set("autoprint"),
            errexit: settings.is_set("errexit"),
            lock_patience: settings.lock_timeout(),
            verbose: settings.is_set("verbose"),
        }
    }
}

/// Returns how messages look to a reader.
pub(super) fn display_of(settings: &Settings, around: &ReaderContext<'_>) -> Display {
    Display::of(settings, around.columns, || {
        identity::own_addresses(settings)
    })
}
