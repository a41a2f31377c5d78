//! Reading from the command line: the tasks for a mailbox.

use std::ffi::OsStr;
use std::io::{self, BufReader, BufWriter, IsTerminal, Write};

use crate::cli::settings::{self, Inputs};
use crate::config::{Environment, Origin, Settings};
use crate::diagnostics::{self, Diagnostics};
use crate::exit::{Failure, Kind};
use crate::flow;
use crate::flow::reading::{self, FoundMailbox, MailboxChoice, Opening};
use crate::flow::unsent;
use crate::mailbox::{Journals, Mailbox};
use crate::report::selected::{self, Looking};
use crate::report::{self, ReportError, ShowForm, json};
use crate::selection::{FlagChoice, Selection};
use crate::shell::batch::{self, BatchChange};
use crate::shell::extract::{ExtractRequest, extract};
use crate::shell::options::{ReaderContext, plain_display_of};
use crate::shell::{self, CommandInput, Reader};
use crate::sys::output::Output;
use crate::sys::signals::Signals;
use crate::sys::stdin::{HANGUP, Interruptible, has_hung_up};
use crate::ui::{self, Display, Screen};

/// The task that a command line sets for a mailbox.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// Say by the exit status whether there is mail (`-e`).
    Check,
    /// Print the header summary (`-H`), maybe of messages with a flag.
    Headers(Option<FlagChoice>),
    /// Print the header summary of these messages (`-L`); with `silent` only the status counts.
    Search {
        /// The message list.
        list: String,
        /// `-e`: print nothing.
        silent: bool,
    },
    /// Print all messages (`-p`).
    PrintAll,
    /// List for people or programs.
    List {
        /// One JSON object a message.
        json: bool,
        /// Which messages.
        selection: Selection,
    },
    /// Print how many messages there are.
    Count {
        /// One JSON object.
        json: bool,
        /// Which messages.
        selection: Selection,
    },
    /// Show messages.
    Show {
        /// Which one, or which ones.
        selection: Selection,
        /// Only this part.
        part: Option<String>,
        /// In which form.
        form: ShowForm,
    },
    /// Write attachments into files.
    Extract(ExtractRequest),
    /// Change messages.
    Change(BatchChange),
    /// Read commands.
    Shell {
        /// `-N`: no header summary at the start.
        no_summary: bool,
        /// `-R`: nothing may be changed.
        read_only: bool,
        /// `-~`: the texts of messages in a script may hold escapes.
        escapes: bool,
        /// `-d`: no message is sent.
        debug: bool,
        /// `-Y`: commands that come first.
        commands: Vec<String>,
    },
}

impl Task {
    /// Returns whether an object is to say that the task has failed so, where JSON is asked for;
    /// `is_done` if the task has printed its own.
    fn wants_error(&self, kind: Kind, is_done: bool) -> bool {
        match self {
            // A list of a mailbox without mail is complete: it has no object.
            Task::List { json, .. } => *json && kind != Kind::Nothing,
            // The number is the object.
            Task::Count { json, .. } => *json && !is_done,
            Task::Extract(request) => request.json && !is_done,
            Task::Show { form, .. } => *form == ShowForm::Json,
            // The object of a change has the status.
            Task::Change(change) => change.options.json && !is_done,
            _ => false,
        }
    }
}

/// Reads the configuration, finds the mailbox and does the task.
pub(super) fn read(
    choice: &MailboxChoice,
    task: &Task,
    inputs: &Inputs<'_>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let is_done = read_mailbox(choice, task, inputs, environment, diagnostics);
    if let Some(kind) = diagnostics
        .worst()
        .filter(|kind| task.wants_error(*kind, is_done))
    {
        let (error, hint) = diagnostics.told();
        // Without a line of its own it is a notice of the mailbox that has said so.
        let error = error.unwrap_or_else(|| "the mailbox could not be read completely".to_owned());
        let object = json::error(&error, hint.as_deref(), kind.status());
        // Where standard output is what has failed, that was reported.
        let mut out = io::stdout().lock();
        let _ = out.write_all(&object).and_then(|()| out.flush());
    }
}

/// Does the task of [`read`]; returns whether it was carried out.
fn read_mailbox(
    choice: &MailboxChoice,
    task: &Task,
    inputs: &Inputs<'_>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> bool {
    let settings = match settings::read(inputs, environment, diagnostics) {
        Ok((settings, None)) => settings,
        Ok((_, Some(failure))) | Err(failure) => return failed(&failure, diagnostics),
    };
    let found = match reading::find(choice, &settings, environment) {
        Ok(found) => found,
        Err(failure) => return failed(&failure, diagnostics),
    };
    // `-e` is run from login scripts: it needs no signals, no terminal and no index.
    if let Task::Check = task {
        reading::check(&found, environment, diagnostics);
        return true;
    }
    // Only tasks that may write catch signals: a listing simply dies of them.
    let signals = match task {
        Task::Shell { .. } | Task::Change(_) => match flow::watch_signals(false) {
            Ok(signals) => Some(signals),
            Err(failure) => return failed(&failure, diagnostics),
        },
        _ => None,
    };
    // A script is not watched, and one that is quiet has asked for that.
    let is_typed = io::stdin().is_terminal() || !matches!(task, Task::Shell { .. });
    if is_typed && !settings.is_set("quiet") {
        ui::progress::watch(environment.is_dumb);
    }
    let program = diagnostics.program();
    let around = surroundings(&found, environment, program, signals.as_ref());
    let was_at_terminal = around.stdin_is_terminal;
    let mut out = output(signals.as_ref(), &around);
    let mut err = io::stderr();
    let screen = Screen::new(&mut *out, &mut err, program);
    let result = perform(task, &found, &settings, around, screen);
    let is_done = result.is_ok();
    match result {
        Ok(Some(kind)) => diagnostics.note(kind),
        Ok(None) => {}
        Err(error) => {
            // Scripts ask `-H`, `-L`, `delete` and `mark` for their status, and cron would mail
            // "No mail" every day.
            let quiet = matches!(
                task,
                Task::Headers(_) | Task::Search { .. } | Task::Change(_)
            );
            reading::report_error(&error, &found, quiet, diagnostics);
            // A person who looks for mail hears of unsent mail, where the reader would have said so.
            if let (Task::Shell { .. }, ReportError::NoMail | ReportError::Open(_)) = (task, &error)
                && io::stdin().is_terminal()
            {
                for line in unsent::greeting(&settings, environment) {
                    diagnostics::line(&line);
                }
            }
        }
    }
    if let Some(signals) = &signals {
        diagnostics.note_signal(signals);
        // The signal of a terminal that is gone may come later than the errors that it causes.
        if was_at_terminal && diagnostics.worst().is_some() && has_hung_up() {
            diagnostics.note(Kind::Signal(HANGUP));
        }
    }
    is_done
}

/// Reports why a task is not even begun.
fn failed(failure: &Failure, diagnostics: &mut Diagnostics) -> bool {
    diagnostics.fail(failure);
    false
}

/// Returns standard output: a terminal sees each line, anything else gets blocks.
fn output<'a>(signals: Option<&'a Signals>, around: &ReaderContext<'_>) -> Box<dyn Write + 'a> {
    const BLOCK: usize = 64 * 1024;
    let stdout = io::stdout();
    match signals {
        _ if around.stdout_is_terminal => Box::new(stdout.lock()),
        // A script whose output stands still (a pager that waits, a full pipe) must still end by a
        // signal.
        Some(signals) if !around.stdin_is_terminal => {
            Box::new(BufWriter::with_capacity(BLOCK, Output::new(signals)))
        }
        _ => Box::new(BufWriter::with_capacity(BLOCK, stdout.lock())),
    }
}

fn perform(
    task: &Task,
    found: &FoundMailbox,
    settings: &Settings,
    around: ReaderContext<'_>,
    screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let (path, journals) = (&found.path, &around.journals);
    let display = || plain_display_of(settings, &around);
    match task {
        Task::Check => Ok(None),
        Task::Headers(choice) => report::headers(path, *choice, &display(), journals, screen),
        Task::PrintAll => report::print_all(path, &display(), journals, screen),
        Task::List { json, selection } => {
            let display = display();
            let looking = looking(&display, journals, settings, found);
            selected::list(path, selection, *json, &looking, screen)
        }
        Task::Count { json, selection } => {
            let display = display();
            let looking = looking(&display, journals, settings, found);
            selected::count(path, selection, *json, &looking, screen)
        }
        Task::Show {
            selection,
            part,
            form,
        } => {
            let (display, part) = (display(), part.as_deref());
            let looking = looking(&display, journals, settings, found);
            selected::show_selected(path, selection, part, *form, &looking, screen)
        }
        Task::Extract(request) => {
            let mailbox = Mailbox::open_index(path, journals)?;
            if mailbox.messages().is_empty() {
                return Err(ReportError::NoMail);
            }
            Ok(extract(&mailbox, request, screen)?)
        }
        Task::Search { list, silent } => {
            let mailbox = Mailbox::open_index(path, journals)?;
            let reader = Reader::new(mailbox, settings.clone(), around, screen);
            Ok(shell::search(reader, list, *silent)?)
        }
        Task::Change(change) => {
            // The last message is found from the end of the file, unless numbers are shown.
            let options = change.options;
            let shows_numbers = options.json || options.dry_run || around.stdout_is_terminal;
            let mailbox = if change.selection.is_last() && !shows_numbers {
                Mailbox::open_end(path, journals)?
            } else {
                Mailbox::open_index(path, journals)?
            };
            Ok(batch::change(&mailbox, settings, &around, change, screen)?)
        }
        Task::Shell {
            no_summary,
            read_only,
            escapes,
            debug,
            commands,
        } => {
            let mut settings = settings.clone();
            if *no_summary {
                // -N outranks the rc files, as options do: the variable is unset after they were
                // read.
                settings.unset("header", Origin::Option("-N".to_owned()));
            }
            if *debug {
                settings.set("debug", "", Origin::Option("-d".to_owned()));
            }
            let around = ReaderContext {
                read_only: *read_only,
                escapes: *escapes,
                ..around
            };
            converse(found, settings, around, commands, screen)
        }
    }
}

/// Gathers what reports need to know of the surroundings.
fn looking<'a>(
    display: &'a Display,
    journals: &'a Journals,
    settings: &Settings,
    found: &FoundMailbox,
) -> Looking<'a> {
    Looking {
        display,
        journals,
        allnet: settings.is_set("allnet"),
        is_system: found.owner.is_some(),
    }
}

/// Opens the mailbox for the reader, and runs it.
fn converse(
    found: &FoundMailbox,
    settings: Settings,
    around: ReaderContext<'_>,
    commands: &[String],
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let opening = Opening {
        settings: &settings,
        journals: &around.journals,
        signals: around.signals,
        is_watched: around.stdin_is_terminal,
        read_only: around.read_only,
    };
    // The mailbox is opened before a command is read: commands of a script that has no mailbox are
    // not even looked at.
    let mailbox = reading::open(found, &opening, &mut screen)?;
    let mut lines;
    let input = match (around.stdin_is_terminal, around.signals) {
        (false, Some(signals)) => {
            lines = BufReader::new(Interruptible::new(signals));
            CommandInput::Lines(&mut lines)
        }
        (true, Some(_)) if around.environment.is_dumb => CommandInput::PlainTerminal,
        // Not locked for a terminal: on a simple one the line editor locks it itself.
        _ => CommandInput::Terminal,
    };
    let reader = Reader::new(mailbox, settings, around, screen);
    Ok(shell::run(reader, commands, input)?)
}

/// Gathers what the reader needs to know of the terminal, the environment and the mailbox.
fn surroundings<'a>(
    found: &FoundMailbox,
    environment: &'a Environment,
    program: &str,
    signals: Option<&'a Signals>,
) -> ReaderContext<'a> {
    ReaderContext {
        program: program.to_owned(),
        environment: environment.clone(),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout_is_terminal: io::stdout().is_terminal(),
        size: ui::size::measure(environment),
        measure: ui::size::measure,
        journals: reading::journals(environment),
        is_system: found.is_system,
        find_file: Box::new(|name, previous, settings| {
            reading::named(OsStr::new(name), previous, settings, environment)
        }),
        signals,
        ..ReaderContext::default()
    }
}
