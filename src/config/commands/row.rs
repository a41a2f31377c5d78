//! What a row of the table of commands holds.

use crate::config::field_lists::FieldUse;

/// The arguments of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// No arguments; any argument is an error.
    None,
    /// A message list; without one the current message.
    Messages,
    /// One message, as a list that names it.
    Message,
    /// A message list, and then a file name.
    File,
    /// A word that help explains.
    Topic,
    /// A message list, and then a command of the shell.
    Piped,
    /// `+` or `-`, with a number for more than one step.
    Steps,
    /// Recipients.
    Recipients,
    /// A message list, and then recipients in one word.
    Forwarded,
    /// The rest of the line as it is.
    Text,
    /// Words of its own kind, as help shows them.
    Words(&'static str),
}

impl Arguments {
    /// Returns the arguments as help shows them after the name.
    pub fn synopsis(self) -> &'static str {
        match self {
            Arguments::None => "",
            Arguments::Messages => "[messages]",
            Arguments::Message => "[message]",
            Arguments::File => "[[messages] file]",
            Arguments::Topic => "[command]",
            Arguments::Piped => "[[messages] command]",
            Arguments::Steps => "[+|-][number]",
            Arguments::Recipients => "recipients",
            Arguments::Forwarded => "[messages] recipients",
            Arguments::Text => "[text]",
            Arguments::Words(words) => words,
        }
    }
}

/// What `?` says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// What it does, in a line.
    Text(&'static str),
    /// It is another spelling of the row above.
    Alias,
    /// It is not a command of the prompt.
    Hidden,
}

/// The meaning of a row at the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PromptCommand {
    /// Shows the next message.
    Next,
    /// Shows messages.
    Print,
    /// Shows messages with all header fields.
    PrintAllFields,
    /// Shows messages by the pager, however short they are.
    Page,
    /// Shows messages with all header fields by the pager.
    PageAllFields,
    /// Shows messages as they are stored.
    ShowStored,
    /// Lists the parts of messages.
    Structure,
    /// Shows the first lines of messages.
    Top,
    /// Shows the message after the current one.
    StepForward,
    /// Shows the message before the current one.
    StepBack,
    /// Shows a screenful of header lines.
    Headers,
    /// Shows header lines.
    From,
    /// Shows the header lines of what a search finds.
    Search,
    /// Sorts messages.
    Sort,
    /// Shows the order of the mailbox.
    Unsort,
    /// Shows threads.
    Thread,
    /// Tags messages.
    Tag,
    /// Untags messages.
    Untag,
    /// Shows another screenful.
    Scroll,
    /// Shows lines and bytes.
    Size,
    /// Shows the number of the current message.
    Number,
    /// Writes the text.
    Echo,
    /// Changes or shows what is set, as the same command in an rc file does.
    Configure(RcCommand),
    /// Reads commands from a file.
    Source,
    /// Changes the working directory.
    ChangeDirectory,
    /// Leaves without a change.
    Exit,
    /// Leaves and writes the changes.
    Quit,
    /// Shows the table.
    ShowHelp,
    /// Shows the names.
    ListCommands,
    /// Shows the commands that were typed.
    History,
    /// Shows the version.
    Version,
    /// Does nothing.
    Comment,
    /// Deletes messages.
    Delete,
    /// Deletes messages and shows the next one.
    DeleteAndPrint,
    /// Undeletes messages.
    Undelete,
    /// Appends messages to a file and marks them as saved.
    Save,
    /// The same, to a file named after the author.
    SaveByAuthor,
    /// Appends messages to a file.
    Copy,
    /// The same, to a file named after the author.
    CopyByAuthor,
    /// Writes text or attachments.
    Write,
    /// The same, to a file named after the author.
    WriteByAuthor,
    /// Gives copies of messages to the line editor.
    Edit,
    /// Gives copies of messages to the screen editor.
    Visual,
    /// Gives messages to a command of the shell.
    Pipe,
    /// Runs the shell.
    Shell,
    /// Runs a command of the shell.
    ShellCommand,
    /// Keeps messages in the mailbox when leaving.
    Hold,
    /// Moves messages to MBOX when leaving.
    Mbox,
    /// Treats messages as used.
    Touch,
    /// Opens another mailbox.
    File,
    /// Opens a system mailbox.
    OwnMailbox,
    /// Opens another mailbox read-only.
    FileReadOnly,
    /// Lists the files of `folder`.
    Folders,
    /// Looks for new messages.
    Newmail,
    /// Takes back the last marks.
    Undo,
    /// Moves messages to a file.
    Move,
    /// The same, to a file named after the author.
    MoveByAuthor,
    /// Marks messages as not read.
    Unread,
    /// Marks messages as new.
    New,
    /// Marks messages as read.
    Seen,
    /// Flags messages.
    Flagged,
    /// Unflags messages.
    Unflagged,
    /// Sets the mark answered.
    Answered,
    /// Clears the mark answered.
    Unanswered,
    /// Sends a message.
    Mail,
    /// The same, with a copy in a file named after the first recipient.
    MailRecorded,
    /// Replies to the author and the other recipients; `flipr` swaps it with the next one.
    Reply,
    /// Replies to the authors.
    ReplyAuthor,
    /// Replies to all, whatever `flipr` says.
    ReplyAll,
    /// Replies to the authors, whatever `flipr` says.
    ReplySender,
    /// Replies to all, with a copy in a file named after the author.
    Followup,
    /// Replies to the authors, with such a copy.
    FollowupAuthor,
    /// Replies to all with such a copy, whatever `flipr` says.
    FollowupAll,
    /// Replies to the authors with such a copy, whatever `flipr` says.
    FollowupSender,
    /// Replies to the mailing lists of messages.
    ListReply,
    /// The same, with a copy in a file named after the author.
    ListFollowup,
    /// Forwards messages.
    Forward,
    /// The same, with a copy in a file named after the first recipient.
    ForwardRecorded,
    /// Sends messages on as they are, with fields that say so.
    Resend,
    /// Sends messages on as they are.
    ResendPlain,
    /// Sets the mark draft.
    Draft,
    /// Clears the mark draft.
    Undraft,
}

impl PromptCommand {
    /// Returns whether the lines behind it are the text of a message, and no commands.
    pub(crate) fn reads_text(self) -> bool {
        use PromptCommand::{
            Followup, FollowupAll, FollowupAuthor, FollowupSender, Forward, ForwardRecorded,
            ListFollowup, ListReply, Mail, MailRecorded, Reply, ReplyAll, ReplyAuthor, ReplySender,
        };
        matches!(
            self,
            Mail | MailRecorded
                | Reply
                | ReplyAuthor
                | ReplyAll
                | ReplySender
                | Followup
                | FollowupAuthor
                | FollowupAll
                | FollowupSender
                | ListReply
                | ListFollowup
                | Forward
                | ForwardRecorded
        )
    }
}

/// The meaning of a row in an rc file, and after `-X`, `-E` and `~:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RcCommand {
    /// Sets variables.
    Set,
    /// Unsets variables.
    Unset,
    /// Adds recipients to an alias.
    Alias,
    /// Removes aliases.
    Unalias,
    /// Names the user's other addresses.
    Alternates,
    /// Removes some of them.
    Unalternates,
    /// Says something when the reader starts.
    Echo,
    /// Hides or shows header fields, as s-nail has it.
    HeaderPick,
    /// Undoes it.
    UnheaderPick,
    /// Reads another file.
    Source,
    /// Hides header fields, or leaves them out of messages that are saved or forwarded.
    Ignore(FieldUse),
    /// Shows, saves or forwards these header fields and no others.
    Retain(FieldUse),
    /// Undoes `ignore` and its like.
    Unignore(FieldUse),
    /// Undoes `retain` and its like.
    Unretain(FieldUse),
    /// Names mailing lists that the user knows or has subscribed to.
    MailingList {
        /// Whether he has subscribed to them.
        subscribed: bool,
    },
    /// Forgets mailing lists.
    ForgetList,
    /// Takes mailing lists as known ones.
    Unsubscribe,
    /// Begins lines that count under a condition.
    If,
    /// Begins another branch with a condition.
    Elif,
    /// Begins the other branch.
    Else,
    /// Ends the branches.
    Endif,
    /// Begins the block of an account, or uses an account.
    Account,
    /// Reads another file, if it is there.
    SourceIf,
    /// Begins the block of a macro.
    Define,
    /// Calls a macro.
    Call,
    /// Calls a macro, if there is one of this name.
    CallIf,
    /// Gives a command another name.
    CommandAlias,
    /// Removes such names.
    UncommandAlias,
    /// A command of the reader, or of another mailx (`config/elsewhere.rs`): accepted in a file, and without
    /// effect. It counts under its full name only.
    NoEffect,
    /// A command that rc files must not hold.
    NotAllowed,
}

/// Where a command is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// At the prompt, from a script and after `-Y`, and whether it changes something.
    pub(crate) prompt: Option<(PromptCommand, Effect)>,
    /// In an rc file.
    pub(crate) rc: Option<RcCommand>,
}

/// What a command of the prompt does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It shows something, changes what is set, or leaves; a script goes on with it after a failure.
    Shows,
    /// It changes something, in the mailbox or in another file.
    Changes,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// The full name.
    pub name: &'static str,
    /// How many letters of it are enough.
    pub enough: usize,
    /// What it takes at the prompt.
    pub arguments: Arguments,
    /// What `?` says of it.
    pub help: Help,
    /// What `help NAME` and the manual say besides, in full sentences; lines that begin with four
    /// blanks are examples.
    pub more: &'static str,
    /// Where it is allowed.
    pub(crate) allowed: Allowed,
}

impl Command {
    /// Adds what `help NAME` says besides the help line.
    pub(crate) const fn more(mut self, more: &'static str) -> Command {
        self.more = more;
        self
    }

    pub(super) const fn in_rc_files(mut self, rc: RcCommand) -> Command {
        self.allowed.rc = Some(rc);
        self
    }

    /// Returns whether the lines behind it are the text of a message.
    pub(crate) fn reads_text(&self) -> bool {
        self.allowed
            .prompt
            .is_some_and(|(command, _)| command.reads_text())
    }

    /// Returns whether it is a command of the prompt.
    pub fn is_at_prompt(&self) -> bool {
        self.allowed.prompt.is_some()
    }

    /// Returns whether a word is the name or an abbreviation of it.
    pub(super) fn is_named(&self, word: &str) -> bool {
        word.len() >= self.enough && self.name.starts_with(word)
    }
}

/// Commands of one kind, under the heading that `help` gives them.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The commands.
    pub rows: &'static [Command],
}

const fn row(
    name: &'static str,
    enough: usize,
    prompt: Option<(PromptCommand, Effect)>,
    arguments: Arguments,
    help: Help,
) -> Command {
    Command {
        name,
        enough,
        arguments,
        help,
        more: "",
        allowed: Allowed { prompt, rc: None },
    }
}

/// A row of the prompt that only shows something, or leaves.
pub(super) const fn shows(
    name: &'static str,
    enough: usize,
    command: PromptCommand,
    arguments: Arguments,
    help: Help,
) -> Command {
    row(
        name,
        enough,
        Some((command, Effect::Shows)),
        arguments,
        help,
    )
}

/// A row of the prompt that changes something.
pub(super) const fn changes(
    name: &'static str,
    enough: usize,
    command: PromptCommand,
    arguments: Arguments,
    help: Help,
) -> Command {
    row(
        name,
        enough,
        Some((command, Effect::Changes)),
        arguments,
        help,
    )
}

/// A row that changes what is set, at the prompt as in an rc file.
pub(super) const fn configures(
    name: &'static str,
    enough: usize,
    command: RcCommand,
    arguments: Arguments,
    help: Help,
) -> Command {
    let prompt = Some((PromptCommand::Configure(command), Effect::Shows));
    row(name, enough, prompt, arguments, help).in_rc_files(command)
}

/// A row of rc files alone.
pub(super) const fn of_rc_files(name: &'static str, enough: usize, command: RcCommand) -> Command {
    row(name, enough, None, Arguments::Text, Help::Hidden).in_rc_files(command)
}
