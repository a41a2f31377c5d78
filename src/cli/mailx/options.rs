//! The options of the mailx face as clap knows them: help, manual and completions come from here.
//! A command line is read by the [`table`](super::table).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::Parser;

/// Send and read mail
///
/// With recipients, mailx reads a message from standard input and sends it. Without recipients, it
/// opens a mailbox. Options of s-nail, bsd-mailx and GNU mail are understood in their own spelling.
/// Options may come after recipients, unless POSIXLY_CORRECT is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Parser)]
#[command(
    name = "mailx",
    version,
    disable_version_flag = true,
    disable_help_flag = true,
    args_override_self = true,
    override_usage = "mailx [OPTION]... RECIPIENT...\n       mailx [OPTION]... [-f [FILE]] [-u USER]"
)]
pub(crate) struct MailxArguments {
    /// Recipients; with -f, the mailbox to read
    ///
    /// One argument may hold several recipients, separated by commas, semicolons or blanks.
    #[arg(value_name = "RECIPIENT")]
    pub operands: Vec<OsString>,

    /// Set the subject
    #[arg(
        short = 's',
        long,
        value_name = "TEXT",
        help_heading = "Sending",
        allow_hyphen_values = true
    )]
    pub subject: Option<OsString>,

    /// Send a copy to these recipients
    #[arg(short = 'c', long, value_name = "RECIPIENT", help_heading = "Sending")]
    pub cc: Vec<OsString>,

    /// Send a copy to these recipients, hidden from the others
    #[arg(short = 'b', long, value_name = "RECIPIENT", help_heading = "Sending")]
    pub bcc: Vec<OsString>,

    /// Attach a file, or add a header field
    ///
    /// If the argument is the name of an existing file, the file is attached. If it is a known header
    /// field (`Reply-To:text`), `X-Name:text`, or `Name: text` with a blank, it is added to the header.
    /// `X-Name:text` counts as a file name if the text contains a slash or ends like a file name, in .gz
    /// for instance. Anything else is a missing file: nothing is sent, and the status is 66. --attach
    /// and --header do not guess.
    #[arg(short = 'a', value_name = "FILE|HEADER", help_heading = "Sending")]
    pub attach_or_header: Vec<OsString>,

    /// Attach a file, or use an account
    ///
    /// If the argument is the name of an existing file, the file is attached. Otherwise it is the name
    /// of an account.
    #[arg(short = 'A', value_name = "FILE|ACCOUNT", help_heading = "Sending")]
    pub attach_or_account: Vec<OsString>,

    /// Attach this file; - is standard input
    #[arg(long, value_name = "FILE", help_heading = "Sending")]
    pub attach: Vec<OsString>,

    /// Add this header field, as `Name: text`
    #[arg(
        long,
        visible_alias = "append",
        alias = "custom-header",
        short = 'C',
        value_name = "FIELD",
        help_heading = "Sending"
    )]
    pub header: Vec<OsString>,

    /// Set the sender in the From field and in the envelope
    #[arg(short = 'r', long, aliases = ["from-address", "return-address"], value_name = "ADDRESS", help_heading = "Sending")]
    pub from: Option<OsString>,

    /// Set the Content-Type of the text, for example text/html
    ///
    /// `html` and `plain` stand for text/html and text/plain. A -M that is followed by anything that is
    /// not a type is GNU mail's switch for MIME, which is always on.
    #[arg(short = 'M', long, value_name = "TYPE", help_heading = "Sending")]
    pub content_type: Option<OsString>,

    /// Set the sender's full name
    ///
    /// It is the name in the From field, in place of any other, wherever the address comes from: -r,
    /// the variable from, a From field of --header or a template, or the login name. If From has
    /// several addresses, a warning says that the name is not used.
    #[arg(long, value_name = "NAME", help_heading = "Sending")]
    pub full_name: Option<OsString>,

    /// Do not send a message without a body
    ///
    /// If the body is empty and there are no attachments, nothing is sent and the exit status is 0.
    /// If a command of the configuration follows -E, that command is executed instead, as in GNU mail.
    #[arg(short = 'E', long = "discard-empty-messages", help_heading = "Sending")]
    pub discard_empty: bool,

    /// Print the message and its routes; send nothing
    ///
    /// The exact message is printed on standard output. The route of each recipient, with the reason,
    /// is printed on standard error.
    #[arg(long, help_heading = "Sending")]
    pub dry_run: bool,

    /// Print the result as one JSON object on standard output
    #[arg(long, help_heading = "Sending")]
    pub json: bool,

    /// Print the route of each recipient, the reasons, and the origin of each setting; send nothing
    #[arg(long, help_heading = "Sending")]
    pub explain: bool,

    /// Print the message and its routes on standard error; send nothing
    #[arg(short = 'd', long, help_heading = "Sending")]
    pub debug: bool,

    /// Recognise tilde escapes even if standard input is not a terminal
    ///
    /// Escapes can run commands, so the text must come from a trusted source. Only this option enables
    /// escapes in piped text.
    #[arg(short = '~', long, visible_short_alias = 'I', help_heading = "Sending")]
    pub enable_cmd_escapes: bool,

    /// Take header fields and recipients from standard input
    ///
    /// The input begins with header fields and an empty line; in that part, lines that begin with # are
    /// comments. Recipients of the command line are added, and Bcc fields are removed. If the header has
    /// the fields MIME-Version and Content-Type, the body is sent unchanged.
    #[arg(short = 't', long, alias = "to", help_heading = "Sending")]
    pub template: bool,

    /// Begin the text with the contents of this file
    ///
    /// A -q that is not followed by a readable file is GNU mail's switch for ending at an interrupt,
    /// which is always on.
    #[arg(short = 'q', long, value_name = "FILE", help_heading = "Sending")]
    pub quote_file: Option<OsString>,

    /// Take the text from this file instead of standard input, with the type of the file
    ///
    /// A -m before another option is HP-UX's switch for a message without MIME fields. It has no
    /// effect; --no-mime is for that.
    #[arg(short = 'm', long, value_name = "FILE", help_heading = "Sending")]
    pub body_file: Option<OsString>,

    /// Add to a field: `to: ADDRESS`, `cc: ADDRESS`, `bcc: ADDRESS` or `fcc: FILE`
    #[arg(
        short = 'T',
        long,
        value_name = "FIELD: ADDRESS",
        help_heading = "Sending"
    )]
    pub target: Vec<OsString>,

    /// Keep a copy in a file named after the first recipient
    #[arg(short = 'F', long, alias = "byname", help_heading = "Sending")]
    pub record_by_name: bool,

    /// Attach the data that can be read from this file descriptor
    #[arg(long, value_name = "N", help_heading = "Sending")]
    pub attach_fd: Vec<OsString>,

    /// Give the next attachment this name
    #[arg(
        long,
        visible_alias = "content-filename",
        value_name = "NAME",
        help_heading = "Sending"
    )]
    pub content_name: Vec<OsString>,

    /// Add this HTML file as an alternative form of the text; - is standard input
    ///
    /// If standard input is empty, the plain text is made from the HTML.
    ///
    /// Pictures that the HTML names by a relative path are attached; see "Pictures in HTML".
    #[arg(long, value_name = "FILE", help_heading = "Sending")]
    pub html: Option<OsString>,

    /// Also send the text as HTML in a fixed-width font, so that tables stay aligned
    #[arg(long, help_heading = "Sending")]
    pub pre: bool,

    /// Remove terminal colours and overwritten progress lines from the text
    #[arg(long, help_heading = "Sending")]
    pub plain: bool,

    /// Refuse a message that is too large, instead of leaving out attachments
    #[arg(long, help_heading = "Sending")]
    pub strict_size: bool,

    /// Leave out empty attachments
    #[arg(long, help_heading = "Sending")]
    pub skip_empty_attachments: bool,

    /// Encode the text in base64 or quoted-printable
    ///
    /// With 7bit or 8bit, and without this option, the encoding is chosen by the bytes. If an
    /// attachment follows, the option is for that attachment and has no effect: attachments are always
    /// sent in base64, because many mail readers change the line ends of a file in another encoding.
    #[arg(long, value_name = "NAME", help_heading = "Sending")]
    pub encoding: Option<OsString>,

    /// Send the attachments as alternative forms of the text; a mail reader shows the last it supports
    #[arg(long, help_heading = "Sending")]
    pub alternative: bool,

    /// Leave out the MIME fields if the message is plain ASCII text that does not need them
    #[arg(long, help_heading = "Sending")]
    pub no_mime: bool,

    /// What the dialect knows of an attachment, as `INDEX:type=TYPE`, `INDEX:name=NAME` or `INDEX:encoding=NAME`
    #[arg(long, hide = true)]
    pub attachment: Vec<OsString>,

    /// Read this mailbox instead of the system mailbox; without a name, ~/mbox
    #[arg(short = 'f', long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Reading")]
    pub file: Option<OsString>,

    /// Read the system mailbox of this user
    #[arg(
        short = 'u',
        long,
        visible_alias = "inbox-of",
        value_name = "USER",
        help_heading = "Reading"
    )]
    pub user: Option<OsString>,

    /// Report by the exit status whether there is mail
    #[arg(short = 'e', long, aliases = ["exist", "check-and-exit"], help_heading = "Reading")]
    pub check: bool,

    /// Print the header summary and exit
    ///
    /// A state of messages may follow directly: :n, :o, :r, :u, :d, :a, :f or :t, as in -H:u.
    #[arg(short = 'H', long, alias = "header-summary", value_name = "LIST", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Reading")]
    pub headers: Option<OsString>,

    /// Print the header summary of the messages in this list and exit; with -e, only set the exit status
    #[arg(short = 'L', long, value_name = "LIST", help_heading = "Reading")]
    pub search: Option<OsString>,

    /// Execute this command after the mailbox is opened, before other commands are read
    #[arg(short = 'Y', long, value_name = "COMMAND", help_heading = "Reading")]
    pub cmd: Vec<OsString>,

    /// Print all messages and exit
    #[arg(short = 'p', long, visible_alias = "read", help_heading = "Reading")]
    pub print: bool,

    /// Do not print the header summary at the start
    #[arg(short = 'N', long, aliases = ["nosum", "no-header-summary"], help_heading = "Reading")]
    pub no_summary: bool,

    /// Open the mailbox read-only
    #[arg(short = 'R', long, help_heading = "Reading")]
    pub read_only: bool,

    /// Use this account of the configuration
    #[arg(long, value_name = "NAME", help_heading = "Both")]
    pub account: Option<OsString>,

    /// Set a variable; -S noNAME unsets it
    #[arg(short = 'S', long, value_name = "NAME[=VALUE]", help_heading = "Both")]
    pub set: Vec<OsString>,

    /// Execute this command of the configuration before anything else
    #[arg(
        short = 'X',
        long,
        visible_aliases = ["exec", "startup-cmd"],
        value_name = "COMMAND",
        help_heading = "Both"
    )]
    pub command: Vec<OsString>,

    /// Do not read the system's configuration files
    #[arg(short = 'n', long, visible_alias = "norc", help_heading = "Both")]
    pub no_system_rc: bool,

    /// Read these configuration files: s the system's, u the user's, / none
    #[arg(short = ':', long, value_name = "LETTERS", help_heading = "Both")]
    pub resource_files: Option<OsString>,

    /// Ignore interrupts while a message is read from standard input
    #[arg(short = 'i', long, help_heading = "Both")]
    pub ignore: bool,

    /// Report what is done, and show the dialogue with the relay
    #[arg(short = 'v', long, action = clap::ArgAction::Count, help_heading = "Both")]
    pub verbose: u8,

    /// Print the version and exit
    #[arg(short = 'V', long, help_heading = "Both")]
    pub version: bool,

    /// Print this help and exit
    #[arg(short = 'h', long, visible_short_alias = '?', help_heading = "Both")]
    pub help: bool,
}

impl MailxArguments {
    /// Takes what `dialect::normalise` makes: glued long options of clap's own names, `--`, and
    /// operands.
    ///
    /// The dialect has checked every name and arity against the [`table`](super::table); to have
    /// clap parse the result once more would be a quarter of the instructions of one mail. A test
    /// of the table holds this against clap for every option there is.
    pub(crate) fn from_normalised(words: Vec<OsString>) -> MailxArguments {
        let mut parsed = MailxArguments::default();
        let mut words = words.into_iter();
        for word in words.by_ref() {
            if word == "--" {
                break;
            }
            let bytes = word.as_bytes();
            // The first `=` ends the name; a value may hold more of them.
            let equals = bytes.iter().position(|&b| b == b'=');
            let name = std::str::from_utf8(&bytes[..equals.unwrap_or(bytes.len())]).unwrap_or("");
            let value = equals.map(|at| OsStr::from_bytes(&bytes[at + 1..]).to_owned());
            parsed.take(name.trim_start_matches("--"), value.unwrap_or_default());
        }
        parsed.operands = words.collect();
        parsed
    }
}
