//! The subcommands that look into a mailbox: `read`, `list`, `search`, `count`, `show`, `extract`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::common::CommonArguments;
use crate::cli::read::Task;
use crate::flow::reading::MailboxChoice;
use crate::report::ShowForm;
use crate::selection::filter::Filter;
use crate::selection::{FlagChoice, Selection};
use crate::shell::extract::ExtractRequest;

/// Which mailbox to read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct MailboxArguments {
    /// Read this mailbox instead of the system mailbox
    #[arg(long, value_name = "FILE")]
    pub file: Option<OsString>,

    /// Read the system mailbox of this user
    #[arg(long, value_name = "USER", conflicts_with = "file")]
    pub user: Option<OsString>,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Options of `read`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReadArguments {
    /// The mailbox; by default the system mailbox
    #[arg(value_name = "FILE")]
    pub file: Option<OsString>,

    /// Read the system mailbox of this user
    #[arg(long, value_name = "USER", conflicts_with = "file")]
    pub user: Option<OsString>,

    /// Change nothing in the mailbox
    #[arg(long)]
    pub read_only: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Options of `list`.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("chosen").multiple(true))]
pub(crate) struct ListArguments {
    /// Messages: numbers, ranges (2-5), last, states (:u), senders, /TEXT in the subject; from:TEXT, older:30d … narrow them
    #[arg(value_name = "LIST")]
    pub lists: Vec<String>,

    /// Choose messages by what they are
    #[command(flatten)]
    pub filters: FilterArguments,

    /// Choose messages by their states
    #[command(flatten)]
    pub states: StateArguments,

    /// Print one JSON object a message
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `search`.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("chosen").required(true).multiple(true))]
pub(crate) struct SearchArguments {
    /// What to search for, such as: from:cron and not subject:test
    #[arg(value_name = "EXPRESSION", group = "chosen")]
    pub expression: Vec<String>,

    /// Choose messages by what they are
    #[command(flatten)]
    pub filters: FilterArguments,

    /// Choose messages by their states
    #[command(flatten)]
    pub states: StateArguments,

    /// Print one JSON object a message
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `count`.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("chosen").multiple(true))]
pub(crate) struct CountArguments {
    /// Count what this search finds; by default all messages
    #[arg(value_name = "EXPRESSION")]
    pub expression: Vec<String>,

    /// Choose messages by what they are
    #[command(flatten)]
    pub filters: FilterArguments,

    /// Choose messages by their states
    #[command(flatten)]
    pub states: StateArguments,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `show`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ShowArguments {
    /// The number of the message, as `list` shows it; $ or last is the last message; or a search, as `search` takes it
    #[arg(value_name = "N|EXPRESSION", required = true)]
    pub messages: Vec<String>,

    /// Show only this part, decoded; `show --json` lists the parts with their numbers
    #[arg(long, value_name = "PART", conflicts_with = "json", value_parser = part)]
    pub part: Option<String>,

    /// Print one JSON object
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,

    /// Print the bytes exactly as they are in the mailbox
    #[arg(long)]
    pub raw: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `extract`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ExtractArguments {
    /// The number of the message, as `list` shows it; $ or last is the last message
    #[arg(value_name = "N", value_parser = number)]
    pub number: usize,

    /// Write the files into this directory; by default the current one
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,

    /// Write only this part, whatever it is; `show --json` lists the parts with their numbers
    #[arg(long, value_name = "PART", value_parser = part)]
    pub part: Option<String>,

    /// Print one JSON object a file
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// States that a message has to have.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StateArguments {
    /// Choose unread messages
    #[arg(long, group = "chosen", conflicts_with = "read")]
    pub unread: bool,

    /// Choose read messages
    #[arg(long, group = "chosen")]
    pub read: bool,

    /// Choose flagged messages
    #[arg(long, group = "chosen")]
    pub flagged: bool,
}

impl StateArguments {
    /// Returns the filters that are given.
    fn filters(&self) -> impl Iterator<Item = Filter> {
        let all = [
            (self.unread, FlagChoice::Unread),
            (self.read, FlagChoice::Read),
            (self.flagged, FlagChoice::Flagged),
        ];
        let given = all.into_iter().filter(|(is_given, _)| *is_given);
        given.map(|(_, choice)| Filter::state(choice))
    }
}

/// Filters: a message is chosen if every one of them matches it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilterArguments {
    /// Choose messages whose sender contains this text; /TEXT/ is a regular expression, here and below
    #[arg(long, value_name = "TEXT", group = "chosen", value_parser = of_text(&["from"]))]
    pub from: Option<Filter>,

    /// Choose messages that have this text in To, Cc or Bcc
    #[arg(long, value_name = "TEXT", group = "chosen", value_parser = of_text(&["to", "cc", "bcc"]))]
    pub to: Option<Filter>,

    /// Choose messages whose subject contains this text
    #[arg(
        long,
        value_name = "TEXT",
        group = "chosen",
        allow_hyphen_values = true,
        value_parser = of_text(&["subject"])
    )]
    pub subject: Option<Filter>,

    /// Choose messages whose decoded text contains this text
    #[arg(
        long,
        value_name = "TEXT",
        group = "chosen",
        allow_hyphen_values = true,
        value_parser = body
    )]
    pub body: Option<Filter>,

    /// Choose messages delivered on this day or later: 2026-11-30, yesterday, monday, 7d
    ///
    /// The From_ line says when a message was delivered; without one, the Date field counts.
    #[arg(long, value_name = "DATE", group = "chosen", value_parser = Filter::since)]
    pub since: Option<Filter>,

    /// Choose messages delivered before this day
    #[arg(long, value_name = "DATE", group = "chosen", value_parser = Filter::before)]
    pub before: Option<Filter>,

    /// Choose messages delivered longer ago than this: 30d, 12h or 8w
    #[arg(long, value_name = "AGE", group = "chosen", value_parser = Filter::older)]
    pub older_than: Option<Filter>,

    /// Choose messages delivered less long ago than this
    #[arg(long, value_name = "AGE", group = "chosen", value_parser = Filter::newer)]
    pub newer_than: Option<Filter>,

    /// Choose messages of more bytes than this: 500, 10K or 2M
    #[arg(long, value_name = "SIZE", group = "chosen", value_parser = Filter::larger)]
    pub larger_than: Option<Filter>,

    /// Choose messages of fewer bytes than this
    #[arg(long, value_name = "SIZE", group = "chosen", value_parser = Filter::smaller)]
    pub smaller_than: Option<Filter>,
}

impl FilterArguments {
    /// Returns the filters that are given.
    pub(super) fn filters(&self) -> Vec<Filter> {
        let all = [
            &self.from,
            &self.to,
            &self.subject,
            &self.body,
            &self.since,
            &self.before,
            &self.older_than,
            &self.newer_than,
            &self.larger_than,
            &self.smaller_than,
        ];
        all.into_iter().flatten().cloned().collect()
    }
}

/// Reads a text to look for. The empty one, as a script's unset variable has it, is in every
/// message.
fn wanted(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("an empty text would match every message; use --all to choose all".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Reads a filter; the empty text, as a script's unset variable has it, is in every message.
fn of_text(
    names: &'static [&'static str],
) -> impl Fn(&str) -> Result<Filter, String> + Clone + Send + Sync + 'static {
    move |text| Filter::field(names, &wanted(text)?)
}

fn body(text: &str) -> Result<Filter, String> {
    Filter::body(&wanted(text)?)
}

/// Reads the number of a message; the last one is `usize::MAX`.
pub(super) fn number(text: &str) -> Result<usize, String> {
    match text {
        "$" | "last" => Ok(usize::MAX),
        _ => text.parse().map_err(|_| {
            "it must be the number of a message, or $ or last for the last one".to_owned()
        }),
    }
}

/// Reads the number of a part, as IMAP counts: `2`, `2.1`.
fn part(text: &str) -> Result<String, String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if text.split('.').all(is_number) {
        Ok(text.to_owned())
    } else {
        Err("it must be the number of a part, such as 2 or 2.1".to_owned())
    }
}

impl ListArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        Task::List {
            json: self.json,
            selection: searched(&self.lists, &self.filters, &self.states),
        }
    }
}

impl ShowArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        let form = match (self.json, self.raw) {
            (true, _) => ShowForm::Json,
            (_, true) => ShowForm::Raw,
            _ => ShowForm::Text,
        };
        Task::Show {
            selection: Selection::of(&self.messages, Vec::new()),
            part: self.part.clone(),
            form,
        }
    }
}

impl SearchArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        Task::List {
            json: self.json,
            selection: searched(&self.expression, &self.filters, &self.states),
        }
    }
}

impl CountArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        Task::Count {
            json: self.json,
            selection: searched(&self.expression, &self.filters, &self.states),
        }
    }
}

fn searched(
    expression: &[String],
    filters: &FilterArguments,
    states: &StateArguments,
) -> Selection {
    let mut filters = filters.filters();
    filters.extend(states.filters());
    Selection::of(expression, filters)
}

impl ExtractArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        Task::Extract(ExtractRequest {
            number: self.number,
            part: self.part.clone(),
            directory: self.to.clone().unwrap_or_else(|| PathBuf::from(".")),
            json: self.json,
        })
    }
}

impl ReadArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        Task::Shell {
            no_summary: false,
            read_only: self.read_only,
            escapes: false,
            debug: false,
            commands: Vec::new(),
        }
    }

    /// Returns which mailbox is wanted.
    pub(in crate::cli) fn mailbox(&self) -> MailboxArguments {
        MailboxArguments {
            file: self.file.clone(),
            user: self.user.clone(),
            common: self.common.clone(),
        }
    }
}

impl MailboxArguments {
    /// Returns which mailbox is wanted.
    pub(crate) fn choice(&self) -> MailboxChoice {
        MailboxChoice {
            file: self.file.clone(),
            user: self.user.clone(),
        }
    }
}
