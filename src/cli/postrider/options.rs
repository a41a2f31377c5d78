//! The subcommands of the postrider face, in one place for parsing, help, manual and completions.

use std::ffi::OsString;

use clap::{ArgGroup, Args, Parser, Subcommand};

use super::answer::{ForwardArguments, ReplyArguments};
use super::common::CommonArguments;
use super::generate::GenerateCommand;
use super::install::InstallArguments;
use super::looking::{
    CountArguments, ExtractArguments, FilterArguments, ListArguments, MailboxArguments,
    ReadArguments, SearchArguments, ShowArguments,
};
use super::outbox::OutboxCommand;
use super::resend::ResendArguments;
use super::ses_password::SesPasswordArguments;
use crate::cli::read::Task;
use crate::cli::send::Sending;
use crate::compose::{AttachRequest, Request};
use crate::flow::sending::SendOptions;
use crate::mailbox::Flags;
use crate::selection::filter::Filter;
use crate::selection::{FlagChoice, Selection};
use crate::shell::batch::{self, Action, BatchChange};

/// A mail user agent that delivers, keeps, or says why not
///
/// When called mailx, mail or sendmail, it takes the command line of that program. Its own command
/// line has subcommands with long options, and JSON, for new scripts.
#[derive(Clone, Debug, Parser)]
#[command(name = "postrider", version, args_override_self = true)]
pub(crate) struct PostriderArguments {
    /// What to do
    #[command(subcommand)]
    pub command: PostriderCommand,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PostriderCommand {
    /// Send a message read from standard input
    Send(SendArguments),
    /// Open the reader
    ///
    /// It is the reader of mailx(1), with its commands.
    Read(ReadArguments),
    /// List the messages of a mailbox
    ///
    /// Without a LIST or a filter these are all messages. The exit status is 1 if there is none.
    List(ListArguments),
    /// List the messages that a search finds
    ///
    /// A search is made of the words of a message list and of `from:TEXT`, `subject:TEXT`, `body:TEXT`,
    /// `since:DATE`, `older:AGE`, `larger:SIZE` and their like, put together by `and`, `or`, `not` and
    /// parentheses; see "Message lists" in mailx(1). The exit status is 1 if nothing is found.
    Search(SearchArguments),
    /// Print the number of messages
    ///
    /// The exit status is 1 if there is none.
    Count(CountArguments),
    /// Show a message of a mailbox
    Show(ShowArguments),
    /// Write the attachments of a message into files
    ///
    /// The files get the names that the sender gave, made safe; no file that is there is changed.
    Extract(ExtractArguments),
    /// Delete messages of a mailbox
    ///
    /// A message is deleted if the LIST names it and every filter matches it. Without a LIST, the
    /// filters apply to all messages. The exit status is 1 if no message matched.
    Delete(DeleteArguments),
    /// Mark messages of a mailbox
    ///
    /// A message is marked if the LIST names it and every filter matches it. Without a LIST, the
    /// filters apply to all messages. The exit status is 1 if no message matched.
    Mark(MarkArguments),
    /// Reply to a message, with a text read from standard input
    ///
    /// The reply goes to the addresses in Reply-To, else to the author. If the reply is accepted, the
    /// message is marked as read and answered.
    Reply(ReplyArguments),
    /// Forward a message, with a text of yours read from standard input
    ///
    /// The text of the message follows yours, and its attachments are sent with it.
    Forward(ForwardArguments),
    /// Look after the messages that wait to be sent
    Outbox {
        /// What to do
        #[command(subcommand)]
        command: OutboxCommand,
    },
    /// Send unsent messages again
    ///
    /// A message that cannot be sent is kept in a dead letter file, with the recipients who did not
    /// get it. This command sends it to them and takes it out of the file. A message of another
    /// program, whose recipients are not named there, goes to those in its header. The exit status
    /// is 1 if there is no unsent message.
    Resend(ResendArguments),
    /// Print the SMTP password of AWS SES
    ///
    /// It is made from the secret access key of an IAM user, which is read from standard input, and
    /// holds for one region. The login name is the id of that access key. Write the password to the
    /// file that password-file names.
    SesPassword(SesPasswordArguments),
    /// Install the program's names, manual pages, completions and units
    ///
    /// It is for those who build Postrider themselves; a package brings all of this. One line is printed
    /// for each file. Nothing that belongs to another program is replaced, and if a file cannot be
    /// written, nothing is installed. Units are installed and not enabled.
    Install(InstallArguments),
    /// Print a manual page, or the completions of a shell
    Generate {
        /// What to print
        #[command(subcommand)]
        command: GenerateCommand,
    },
    /// Take a mailx command line
    #[command(disable_help_flag = true)]
    Mailx(OtherFace),
    /// Take a sendmail command line
    #[command(disable_help_flag = true)]
    Sendmail(OtherFace),
}

/// A command line of another face.
#[derive(Clone, Debug, Args)]
pub(crate) struct OtherFace {
    /// The options and operands of that command line
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Options of `send`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SendArguments {
    /// Recipients; one argument may hold several, separated by commas
    #[arg(value_name = "RECIPIENT")]
    pub recipients: Vec<OsString>,

    /// Set the subject
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub subject: Option<OsString>,

    /// Send a copy to these recipients
    #[arg(long, value_name = "RECIPIENT")]
    pub cc: Vec<OsString>,

    /// Send a copy to these recipients, hidden from the others
    #[arg(long, value_name = "RECIPIENT")]
    pub bcc: Vec<OsString>,

    /// Set the sender in the From field and in the envelope
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<OsString>,

    /// Set the Content-Type of the text, for example text/html
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<OsString>,

    /// Attach this file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<OsString>,

    /// Add this header field, as `Name: text`
    #[arg(long, value_name = "FIELD")]
    pub header: Vec<OsString>,

    /// Add this HTML file as an alternative form of the text; - is standard input
    ///
    /// If standard input is empty, the plain text is made from the HTML.
    ///
    /// Pictures that the HTML names by a relative path are attached; see "Pictures in HTML" in mailx(1).
    #[arg(long, value_name = "FILE")]
    pub html: Option<OsString>,

    /// Also send the text as HTML in a fixed-width font, so that tables stay aligned
    #[arg(long, conflicts_with = "html")]
    pub pre: bool,

    /// Remove terminal colours and overwritten progress lines from the text
    #[arg(long)]
    pub plain: bool,

    /// Refuse a message that is too large, instead of leaving out attachments
    #[arg(long)]
    pub strict_size: bool,

    /// Do not send a message without a body and attachments
    #[arg(long)]
    pub discard_empty_messages: bool,

    /// Print the message and its routes; send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print the result as one JSON object on standard output
    #[arg(long)]
    pub json: bool,

    /// Print the route of each recipient, the reasons, and the origin of each setting; send nothing
    #[arg(long)]
    pub explain: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Which messages to change, and how to tell it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ChoiceArguments {
    /// Messages: numbers, ranges (2-5), last, states (:u), senders, /TEXT in the subject; from:TEXT, older:30d … narrow them
    #[arg(value_name = "LIST", group = "chosen")]
    pub lists: Vec<String>,

    /// Choose all messages
    #[arg(long, group = "chosen")]
    pub all: bool,

    /// Choose messages by what they are
    #[command(flatten)]
    pub filters: FilterArguments,

    /// Print the header lines of the messages that would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to change
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `delete`.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("chosen").required(true).multiple(true))]
pub(crate) struct DeleteArguments {
    /// Choose unread messages
    #[arg(long, group = "chosen", conflicts_with = "read")]
    pub unread: bool,

    /// Choose read messages
    #[arg(long, group = "chosen")]
    pub read: bool,

    /// Which messages
    #[command(flatten)]
    pub choice: ChoiceArguments,
}

/// Options of `mark`.
#[derive(Clone, Debug, Default, Args)]
#[command(
    group = ArgGroup::new("chosen").required(true).multiple(true),
    group = ArgGroup::new("marks").required(true).multiple(true)
)]
pub(crate) struct MarkArguments {
    /// Mark them as read
    #[arg(long, group = "marks", conflicts_with = "unread")]
    pub read: bool,

    /// Mark them as not read
    #[arg(long, group = "marks")]
    pub unread: bool,

    /// Flag them
    #[arg(long, group = "marks", conflicts_with = "unflag")]
    pub flag: bool,

    /// Unflag them
    #[arg(long, group = "marks")]
    pub unflag: bool,

    /// Mark them as answered
    #[arg(long, group = "marks", conflicts_with = "unanswered")]
    pub answered: bool,

    /// Mark them as not answered
    #[arg(long, group = "marks")]
    pub unanswered: bool,

    /// Which messages
    #[command(flatten)]
    pub choice: ChoiceArguments,
}

impl SendArguments {
    /// Returns the message to send, and the options for sending.
    pub(in crate::cli) fn sending(self) -> Sending {
        let request = Request {
            to: self.recipients,
            cc: self.cc,
            bcc: self.bcc,
            subject: self.subject,
            from: self.from,
            full_name: None,
            content_type: self.content_type,
            headers: self.header,
            attachments: self
                .attach
                .into_iter()
                .map(|path| AttachRequest {
                    path,
                    ..AttachRequest::default()
                })
                .collect(),
            html: self.html,
            preformatted: self.pre,
            plain: self.plain,
            strict_size: self.strict_size,
            ..Request::default()
        };
        let options = SendOptions {
            discard_empty: self.discard_empty_messages,
            dry_run: self.dry_run,
            json: self.json,
            explain: self.explain,
            verbose: self.common.verbose,
            ..SendOptions::default()
        };
        Sending {
            request,
            options,
            ..Sending::default()
        }
    }
}

impl ChoiceArguments {
    /// Returns the selection of messages.
    fn selection(&self, is_read: Option<bool>) -> Selection {
        let mut filters = self.filters.filters();
        filters.extend(is_read.map(|is_read| {
            Filter::state(if is_read {
                FlagChoice::Read
            } else {
                FlagChoice::Unread
            })
        }));
        Selection::of(&self.lists, filters)
    }

    /// Returns the task.
    fn task(&self, is_read: Option<bool>, action: Action) -> Task {
        Task::Change(BatchChange {
            selection: self.selection(is_read),
            action,
            options: batch::ChangeOptions {
                dry_run: self.dry_run,
                json: self.json,
            },
        })
    }
}

impl DeleteArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        // clap refuses both together. Without either the filter is left out.
        let is_read = (self.read || self.unread).then_some(self.read);
        self.choice.task(is_read, Action::Delete)
    }
}

impl MarkArguments {
    /// Returns the task.
    pub(in crate::cli) fn task(&self) -> Task {
        let (mut set, mut cleared) = (Flags::NONE, Flags::NONE);
        // A message that was marked has been seen by somebody, so it is not new any more (`Status:
        // O`).
        if self.read || self.unread {
            set.insert(Flags::OLD);
        }
        for (is_set, is_cleared, flag) in [
            (self.read, self.unread, Flags::READ),
            (self.flag, self.unflag, Flags::FLAGGED),
            (self.answered, self.unanswered, Flags::ANSWERED),
        ] {
            if is_set {
                set.insert(flag);
            }
            if is_cleared {
                cleared.insert(flag);
            }
        }
        self.choice.task(None, Action::Mark(set, cleared))
    }
}
