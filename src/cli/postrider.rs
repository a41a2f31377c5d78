//! The subcommands of the postrider face, told once: parsing, help, manual and completions.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::read::Wanted;
use crate::cli::send::Manner;
use crate::compose::{AttachRequest, Request};

/// A mail user agent that delivers, keeps, or says why not
///
/// As mailx, mail or sendmail it takes the command lines of those programs; this face has
/// subcommands with long options and JSON for new scripts.
#[derive(Clone, Debug, Parser)]
#[command(name = "postrider", version, args_override_self = true)]
pub struct PostriderArguments {
    /// What to do
    #[command(subcommand)]
    pub command: PostriderCommand,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum PostriderCommand {
    /// Send a message read from standard input
    Send(SendArguments),
    /// List the messages of a mailbox
    List(ListArguments),
    /// Show one message of a mailbox
    Show(ShowArguments),
    /// Take a mailx command line
    #[command(disable_help_flag = true)]
    Mailx(Rest),
    /// Take a sendmail command line
    #[command(disable_help_flag = true)]
    Sendmail(Rest),
}

/// A command line of another face.
#[derive(Clone, Debug, Args)]
pub struct Rest {
    /// The options and operands of that face
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Options of `send`.
#[derive(Clone, Debug, Default, Args)]
pub struct SendArguments {
    /// Recipients; one operand may hold several, separated by commas
    #[arg(value_name = "RECIPIENT")]
    pub recipients: Vec<OsString>,

    /// Set the subject
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub subject: Option<OsString>,

    /// Send a copy to these recipients
    #[arg(long, value_name = "RECIPIENT")]
    pub cc: Vec<OsString>,

    /// Send a copy to these recipients, unseen by the others
    #[arg(long, value_name = "RECIPIENT")]
    pub bcc: Vec<OsString>,

    /// Set the sender, in the From field and in the envelope
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<OsString>,

    /// Set the Content-Type of the text, as text/html
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<OsString>,

    /// Attach this file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<OsString>,

    /// Add this header field, as `Name: text`
    #[arg(long, value_name = "FIELD")]
    pub header: Vec<OsString>,

    /// Add this HTML file as another form of the text
    ///
    /// Without a text on standard input the text is made from it.
    #[arg(long, value_name = "FILE")]
    pub html: Option<OsString>,

    /// Send the text in fixed width as well, so that tables stay aligned
    #[arg(long, conflicts_with = "html")]
    pub pre: bool,

    /// Take colours and overwritten progress lines of a terminal out of the text
    #[arg(long)]
    pub plain: bool,

    /// Refuse a message that is too large instead of leaving attachments out
    #[arg(long)]
    pub strict_size: bool,

    /// Do not send a message without a body and attachments
    #[arg(long)]
    pub discard_empty_messages: bool,

    /// Print the message and what would become of it, send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print what became of the message as one JSON object on standard output
    #[arg(long)]
    pub json: bool,

    /// Print which way each recipient would go and why, and where settings come from; send nothing
    #[arg(long)]
    pub explain: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Which mailbox to read.
#[derive(Clone, Debug, Default, Args)]
pub struct MailboxArguments {
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

/// Options of `list`.
#[derive(Clone, Debug, Default, Args)]
pub struct ListArguments {
    /// Print one JSON object a message
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `show`.
#[derive(Clone, Debug, Default, Args)]
pub struct ShowArguments {
    /// The number of the message, as `list` shows it; $ or last is the last one
    #[arg(value_name = "N", value_parser = number)]
    pub number: usize,

    /// Print one JSON object
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,

    /// Print the bytes as they stand in the mailbox
    #[arg(long)]
    pub raw: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Reads the number of a message; the last one is `usize::MAX`.
fn number(text: &str) -> Result<usize, String> {
    match text {
        "$" | "last" => Ok(usize::MAX),
        _ => text
            .parse()
            .map_err(|_| "it must be the number of a message, $ or last".to_owned()),
    }
}

/// Options that every subcommand has.
#[derive(Clone, Debug, Default, Args)]
pub struct CommonArguments {
    /// Set a variable; noNAME unsets it
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub set: Vec<OsString>,

    /// Use this account of the configuration
    #[arg(long, value_name = "NAME")]
    pub account: Option<OsString>,

    /// Read this configuration file instead of the user's
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Do not read the system's configuration files
    #[arg(long)]
    pub no_system_rc: bool,

    /// Tell what is done, and show the dialogue with the relay
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl SendArguments {
    /// Returns what is to be sent, and how.
    pub fn into_request(self) -> (Request, Manner) {
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
        let manner = Manner {
            discard_empty: self.discard_empty_messages,
            dry_run: self.dry_run,
            json: self.json,
            explain: self.explain,
            verbose: self.common.verbose,
            ..Manner::default()
        };
        (request, manner)
    }
}

impl MailboxArguments {
    /// Returns which mailbox is wanted.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            file: self.file.clone(),
            user: self.user.clone(),
        }
    }
}
