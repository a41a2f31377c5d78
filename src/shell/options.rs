//! The options of the reader, made of variables, and the surroundings that no variable changes.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::config::{Environment, Settings};
use crate::exit::Failure;
use crate::flow::reading::FoundMailbox;
use crate::mailbox::Journals;
use crate::submission::identity;
use crate::sys::locale;
use crate::sys::signals::Signals;
use crate::ui::pager::{Limit, Program};
use crate::ui::{Display, Size, colour};

/// Finds the file that a name stands for: `+name`, `%`, `&`, `~`, `$name` and the like. The path is
/// that of the mailbox which was open before, `#`.
pub(crate) type FindFile<'a> =
    Box<dyn Fn(&str, Option<&Path>, &Settings) -> Result<FoundMailbox, Failure> + 'a>;

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
    /// Columns and rows of the screen.
    pub size: Size,
    /// Measures the screen again, which may have another size now.
    pub measure: fn(&Environment) -> Size,
    /// Where the journal of an interrupted rewrite may lie.
    pub journals: Journals,
    /// Whether the mailbox is a system mailbox, to which `hold` and `keepsave` apply.
    pub is_system: bool,
    /// Whether nothing may be changed in it (`-R`).
    pub read_only: bool,
    /// Whether the text of a message in a script may hold tilde escapes (`-~`).
    pub escapes: bool,
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
            size: Size::default(),
            measure: |_| Size::default(),
            journals: Journals::default(),
            is_system: false,
            read_only: false,
            escapes: false,
            find_file: Box::new(|name, _, _| Ok(FoundMailbox::file(name))),
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
    /// Messages are put behind those of MBOX, and not before them (`append`).
    pub append: bool,
}

impl QuitRules {
    /// Returns the rules that the settings make.
    ///
    /// Under POSIX's rules a variable counts only if it was set; our own defaults do not.
    fn of(settings: &Settings, environment: &Environment) -> QuitRules {
        let posix = is_posix(settings, environment);
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
            append: holds("append"),
        }
    }
}

/// The options of the reader, made of variables.
#[derive(Clone, Debug)]
pub(crate) struct ReaderOptions {
    /// Lines of a header screenful (`screen`), or as many as bsd-mailx shows on 24 rows; at least
    /// 1.
    pub screen: usize,
    /// From how much text on it goes to the pager (`crt`): never where the output is no terminal.
    pub crt: Limit,
    /// The program that shows long text: `pager`, else `$PAGER`, else `more`.
    pub pager: Program,
    /// The program that lists the files of a directory: `lister`, else `$LISTER`, else `ls`.
    pub lister: OsString,
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
    /// Whether new messages are taken up before a prompt (`autoinc`).
    pub autoinc: bool,
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
        // A variable outranks the environment, as everywhere: it was set for mail alone.
        let pager = settings.path("pager").map(ToOwned::to_owned);
        // POSIX: the prompt of mailx is `? `. The BSD programs called mail have `& `.
        let is_mail = around.program == "mail" || around.program == "Mail";
        ReaderOptions {
            // bsd-mailx leaves four rows for the prompt and what is typed there.
            screen: number("screen")
                .unwrap_or(around.size.rows.saturating_sub(4))
                .max(1),
            crt: limit_of(settings, around),
            pager: Program {
                command: pager
                    .or_else(|| environment.pager.clone())
                    .unwrap_or_else(|| default_pager(around).into()),
                environment: for_pager(environment),
            },
            lister: (settings.path("lister").map(ToOwned::to_owned))
                .or_else(|| environment.lister.clone())
                .unwrap_or_else(|| "ls".into()),
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
            autoinc: settings.get("autoinc") == Some("yes"),
            errexit: settings.is_set("errexit"),
            lock_patience: settings.lock_timeout(),
            verbose: settings.is_set("verbose"),
        }
    }
}

/// Returns the pager where none is named: `less`, which goes back and shows colours, or `more`, which
/// every POSIX system has. POSIX lets mailx choose.
fn default_pager(around: &ReaderContext<'_>) -> &'static str {
    // Where the output is no terminal none is run, and nothing is looked for.
    if around.stdout_is_terminal && around.environment.has_command("less") {
        "less"
    } else {
        "more"
    }
}

/// Returns from how much text on the pager is used (`crt`).
fn limit_of(settings: &Settings, around: &ReaderContext<'_>) -> Limit {
    // A pager would wait for keys that a pipe cannot send.
    if !around.stdout_is_terminal {
        return Limit::Never;
    }
    let screenful = Limit::Rows {
        // The prompt takes a row.
        rows: around.size.rows.saturating_sub(1),
        columns: around.size.columns,
    };
    let posix = is_posix(settings, &around.environment);
    match settings.get("crt") {
        // `set crt` without a number is the height of the terminal (POSIX).
        Some("") => screenful,
        Some(_) => settings
            .number("crt")
            .map_or(screenful, |lines| Limit::Lines(lines as usize)),
        // POSIX has no pager by default, and a terminal without sequences often has none to be of
        // use: the shell of an editor.
        None if posix || around.environment.is_dumb || settings.is_unset("crt") => Limit::Never,
        None => screenful,
    }
}

/// Returns what a pager finds in its environment, where the user has not chosen it.
fn for_pager(environment: &Environment) -> Vec<(&'static str, &'static str)> {
    let mut variables = Vec::new();
    // Quit where all of it fits, show colours, leave the text on the screen: as git and s-nail.
    if !environment.has_less {
        variables.push(("LESS", "FRX"));
    }
    // less asks the locale, and shows UTF-8 as hexadecimal numbers in the locale C, where our text
    // is UTF-8.
    if !environment.has_less_charset && locale::is_utf_8() {
        variables.push(("LESSCHARSET", "utf-8"));
    }
    variables
}

/// Returns how messages look to a reader of a mailbox with so many.
pub(super) fn display_of(settings: &Settings, around: &ReaderContext<'_>, count: usize) -> Display {
    let mut display = plain_display_of(settings, around);
    display.number_width = count.to_string().len().max(3);
    if around.stdout_is_terminal {
        display.palette = colour::palette_of(settings, &around.environment);
    }
    display
}

/// Returns how messages look without a dialogue: in no colours.
pub(crate) fn plain_display_of(settings: &Settings, around: &ReaderContext<'_>) -> Display {
    let own = || identity::own_addresses(settings);
    let posix = is_posix(settings, &around.environment);
    Display::of(settings, around.size, own).suited(around.stdout_is_terminal, posix, settings)
}

/// Returns whether POSIX's own rules hold where they differ from what people expect.
fn is_posix(settings: &Settings, environment: &Environment) -> bool {
    environment.posixly_correct || settings.is_set("posix")
}
