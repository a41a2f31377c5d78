//! The one table of commands, for rc files and for the prompt of the reader.
//!
//! A row says where a command is allowed and what it is there. The parser of rc files and the
//! reader look their words up here; `?`, `list` and the manual are rendered from it. An abbreviation
//! is any beginning of the name that is at least as long as the row says (POSIX mailx, section
//! "Commands"); the first row that is allowed there and matches wins.

use crate::config::elsewhere;

/// How often a name that `commandalias` gives may stand for another one.
pub(crate) const COMMAND_ALIAS_DEPTH: usize = 8;

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
    /// `+` or `-`, with a number for more than one step.
    Steps,
    /// The rest of the line as it is.
    Text,
}

impl Arguments {
    /// Returns the arguments as help shows them after the name.
    pub fn synopsis(self) -> &'static str {
        match self {
            Arguments::None => "",
            Arguments::Messages => "[messages]",
            Arguments::Message => "[message]",
            Arguments::File => "[[messages] file]",
            Arguments::Steps => "[+|-][number]",
            Arguments::Text => "[text]",
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
    /// Shows another screenful.
    Scroll,
    /// Shows lines and bytes.
    Size,
    /// Shows the number of the current message.
    Number,
    /// Writes the text.
    Echo,
    /// Leaves without a change.
    Exit,
    /// Leaves and writes the changes.
    Quit,
    /// Shows the table.
    ShowHelp,
    /// Shows the names.
    ListCommands,
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
    /// Keeps messages in the mailbox when leaving.
    Hold,
    /// Moves messages to MBOX when leaving.
    Mbox,
    /// Treats messages as used.
    Touch,
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
    /// Sets the mark draft.
    Draft,
    /// Clears the mark draft.
    Undraft,
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
    /// Reads another file.
    Source,
    /// Hides header fields.
    Ignore,
    /// Shows these header fields and no others.
    Retain,
    /// Undoes `ignore`.
    Unignore,
    /// Undoes `retain`.
    Unretain,
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
    /// A command of the reader, or of another mailx ([`elsewhere`]): accepted in a file, and without
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
    /// It only shows something, or leaves; a script goes on with it after a failure.
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
    /// Where it is allowed.
    pub(crate) allowed: Allowed,
}

impl Command {
    const fn in_rc_files(mut self, rc: RcCommand) -> Command {
        self.allowed.rc = Some(rc);
        self
    }

    /// Returns whether a word is the name or an abbreviation of it.
    fn is_named(&self, word: &str) -> bool {
        word.len() >= self.enough && self.name.starts_with(word)
    }
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
        allowed: Allowed { prompt, rc: None },
    }
}

/// A row of the prompt that only shows something, or leaves.
const fn shows(
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
const fn changes(
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

/// A row of rc files alone.
const fn of_rc_files(name: &'static str, enough: usize, command: RcCommand) -> Command {
    row(name, enough, None, Arguments::Text, Help::Hidden).in_rc_files(command)
}

/// All commands.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[Command] = {
    use Arguments::{File, Message, Messages, None, Steps, Text as Line};
    use Help::{Alias as Same, Text};
    use PromptCommand::{
        Answered, Comment, Copy, CopyByAuthor, Delete, DeleteAndPrint, Draft, Echo, Exit,
        Flagged, From, Headers, Hold, ListCommands, Mbox, New, Next, Number, Page, PageAllFields, Print,
        PrintAllFields, Quit, Save, SaveByAuthor, Scroll, Seen, ShowHelp, Size, StepBack, StepForward, Top, Touch,
        Unanswered, Undelete, Undraft, Unflagged, Unread, Version, Write,
    };
    use RcCommand::{
        Account, Alias, Alternates, Call, CallIf, CommandAlias, Define, Elif, Else, Endif, If, Ignore,
        NoEffect, NotAllowed, Retain, Set, Source, SourceIf, Unalias, UncommandAlias, Unignore,
        Unretain, Unset,
    };
    &[
        shows("next", 1, Next, Message, Text("Show the next message")).in_rc_files(NoEffect),
        shows("print", 1, Print, Messages, Text("Show messages")).in_rc_files(NoEffect),
        shows("type", 1, Print, Messages, Same).in_rc_files(NoEffect),
        shows("Print", 1, PrintAllFields, Messages, Text("Show messages with all header fields")).in_rc_files(NoEffect),
        shows("Type", 1, PrintAllFields, Messages, Same).in_rc_files(NoEffect),
        shows("more", 2, Page, Messages, Text("Show messages with the pager")).in_rc_files(NoEffect),
        shows("page", 2, Page, Messages, Same).in_rc_files(NoEffect),
        shows("More", 2, PageAllFields, Messages, Text("Show messages with all header fields with the pager")).in_rc_files(NoEffect),
        shows("Page", 2, PageAllFields, Messages, Same).in_rc_files(NoEffect),
        shows("top", 2, Top, Messages, Text("Show the first lines of messages")).in_rc_files(NoEffect),
        shows("+", 1, StepForward, None, Text("Show the next message")),
        shows("-", 1, StepBack, None, Text("Show the previous message")),
        shows("previous", 4, StepBack, None, Same),
        shows("headers", 1, Headers, Message, Text("Show the screen of header lines that contains the message")).in_rc_files(NoEffect),
        shows("from", 1, From, Messages, Text("Show the header lines of messages")).in_rc_files(NoEffect),
        shows("z", 1, Scroll, Steps, Text("Show the next or previous screen of header lines")),
        shows("size", 2, Size, Messages, Text("Show the number of lines and bytes of messages")).in_rc_files(NoEffect),
        shows("=", 1, Number, None, Text("Show the number of the current message")),
        shows("echo", 2, Echo, Line, Text("Print the text")).in_rc_files(NoEffect),
        shows("exit", 2, Exit, None, Text("Leave without changing the mailbox")).in_rc_files(NoEffect),
        shows("xit", 1, Exit, None, Same).in_rc_files(NoEffect),
        shows("quit", 1, Quit, None, Text("Write the changes and leave")).in_rc_files(NoEffect),
        shows("help", 3, ShowHelp, None, Text("Show this list")).in_rc_files(NoEffect),
        shows("?", 1, ShowHelp, None, Same),
        shows("list", 1, ListCommands, None, Text("List the names of all commands (headers lists the messages)")).in_rc_files(NoEffect),
        shows("version", 2, Version, None, Text("Show the version")),
        shows("#", 1, Comment, Line, Text("Ignore the line")),
        changes("delete", 1, Delete, Messages, Text("Delete messages")).in_rc_files(NoEffect),
        changes("dp", 2, DeleteAndPrint, Messages, Text("Delete messages and show the next one")),
        changes("dt", 2, DeleteAndPrint, Messages, Same),
        changes("undelete", 1, Undelete, Messages, Text("Undelete messages")).in_rc_files(NoEffect),
        changes("save", 1, Save, File, Text("Append messages to a file")).in_rc_files(NoEffect),
        changes("Save", 1, SaveByAuthor, Messages, Text("Append messages to a file named after the author")),
        changes("copy", 1, Copy, File, Text("Append messages to a file, without marking them as saved")).in_rc_files(NoEffect),
        changes("Copy", 1, CopyByAuthor, Messages, Text("Append messages to a file named after the author, without marking them as saved")).in_rc_files(NotAllowed),
        changes("write", 1, Write, File, Text("Append the text to a file, or write attachments into a directory")).in_rc_files(NoEffect),
        changes("hold", 2, Hold, Messages, Text("Keep messages in the mailbox when leaving")).in_rc_files(NotAllowed),
        changes("preserve", 3, Hold, Messages, Same).in_rc_files(NotAllowed),
        changes("mbox", 2, Mbox, Messages, Text("Move messages to MBOX when leaving")).in_rc_files(NoEffect),
        changes("touch", 3, Touch, Messages, Text("Mark messages as used in this session")).in_rc_files(NoEffect),
        changes("unread", 6, Unread, Messages, Text("Mark messages as not read")),
        changes("Unread", 1, Unread, Messages, Same),
        changes("new", 3, New, Messages, Text("Mark messages as new")),
        changes("New", 3, New, Messages, Same),
        changes("seen", 4, Seen, Messages, Text("Mark messages as read")),
        changes("flag", 2, Flagged, Messages, Text("Flag messages")),
        changes("unflag", 4, Unflagged, Messages, Text("Unflag messages")),
        changes("answered", 3, Answered, Messages, Text("Mark messages as answered")),
        changes("unanswered", 4, Unanswered, Messages, Text("Mark messages as not answered")),
        changes("draft", 2, Draft, Messages, Text("Mark messages as drafts")),
        changes("undraft", 4, Undraft, Messages, Text("Mark messages as not drafts")),
        // What is set.
        of_rc_files("set", 2, Set),
        of_rc_files("unset", 3, Unset),
        of_rc_files("alias", 1, Alias),
        of_rc_files("group", 1, Alias),
        of_rc_files("unalias", 3, Unalias),
        of_rc_files("ungroup", 7, Unalias),
        of_rc_files("alternates", 3, Alternates),
        of_rc_files("source", 2, Source),
        of_rc_files("ignore", 2, Ignore),
        of_rc_files("discard", 2, Ignore),
        of_rc_files("retain", 3, Retain),
        of_rc_files("unignore", 5, Unignore),
        of_rc_files("unretain", 5, Unretain),
        of_rc_files("if", 1, If),
        of_rc_files("elif", 3, Elif),
        of_rc_files("else", 2, Else),
        of_rc_files("endif", 2, Endif),
        of_rc_files("account", 2, Account),
        // POSIX mailx names the commands that a start-up file must not hold: these, and `Copy`,
        // `hold` and `preserve` above. A message of the mailbox would have to be open for most of
        // them.
        of_rc_files("edit", 1, NotAllowed),
        of_rc_files("mail", 1, NotAllowed),
        of_rc_files("reply", 1, NotAllowed),
        of_rc_files("respond", 1, NotAllowed),
        of_rc_files("Reply", 1, NotAllowed),
        of_rc_files("shell", 2, NotAllowed),
        of_rc_files("visual", 1, NotAllowed),
        of_rc_files("followup", 2, NotAllowed),
        of_rc_files("Followup", 1, NotAllowed),
        // Commands that other commands stand behind, or that stand for others.
        of_rc_files("source_if", 9, SourceIf),
        of_rc_files("define", 6, Define),
        of_rc_files("call", 4, Call),
        of_rc_files("call_if", 7, CallIf),
        of_rc_files("xcall", 5, Call),
        of_rc_files("commandalias", 12, CommandAlias),
        of_rc_files("ghost", 5, CommandAlias),
        of_rc_files("uncommandalias", 14, UncommandAlias),
        of_rc_files("unghost", 7, UncommandAlias),
    ]
};

/// Returns the commands of the prompt.
pub fn at_prompt() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(|row| row.allowed.prompt.is_some())
}

/// Returns the command of the prompt that a word names or abbreviates.
pub(crate) fn find_at_prompt(word: &str) -> Option<&'static Command> {
    at_prompt().find(|row| row.is_named(word))
}

/// Returns the command of an rc file that a word names or abbreviates.
pub(crate) fn find_in_rc_files(word: &str) -> Option<RcCommand> {
    let mut rows = COMMANDS.iter().filter(|row| match row.allowed.rc {
        // An abbreviation would swallow slips without a word: `fold` is no `folder`, and a line
        // that begins with it is reported.
        Some(RcCommand::NoEffect) => row.name == word,
        Some(_) => row.is_named(word),
        None => false,
    });
    match rows.next() {
        Some(row) => row.allowed.rc,
        None => elsewhere::has(word).then_some(RcCommand::NoEffect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_at_the_prompt_are_those_of_posix() {
        let cases = [
            ("n", "next"),
            ("p", "print"),
            ("pr", "print"),
            ("pre", "preserve"),
            ("prev", "previous"),
            ("P", "Print"),
            ("t", "type"),
            ("typ", "type"),
            ("to", "top"),
            ("T", "Type"),
            ("h", "headers"),
            ("hel", "help"),
            ("f", "from"),
            ("si", "size"),
            ("ex", "exit"),
            ("x", "xit"),
            ("d", "delete"),
            ("u", "undelete"),
            ("un", "undelete"),
            ("unread", "unread"),
            ("U", "Unread"),
            ("s", "save"),
            ("S", "Save"),
            ("c", "copy"),
            ("C", "Copy"),
            ("w", "write"),
            ("ho", "hold"),
            ("tou", "touch"),
            ("mb", "mbox"),
            ("fl", "flag"),
            ("q", "quit"),
            ("l", "list"),
            ("z", "z"),
            ("=", "="),
        ];
        for (word, name) in cases {
            assert_eq!(
                find_at_prompt(word).map(|command| command.name),
                Some(name),
                "{word}"
            );
        }
        for word in ["foo", "e", "nextt", "N", ""] {
            assert!(find_at_prompt(word).is_none(), "{word}");
        }
    }

    #[test]
    fn a_word_means_in_an_rc_file_what_its_row_says() {
        use RcCommand::*;
        let rows = [
            ("se", Some(Set)),
            ("set", Some(Set)),
            ("s", None),
            ("uns", Some(Unset)),
            ("a", Some(Alias)),
            ("gr", Some(Alias)),
            ("alt", Some(Alternates)),
            ("una", Some(Unalias)),
            ("so", Some(Source)),
            ("ig", Some(Ignore)),
            ("di", Some(Ignore)),
            ("ret", Some(Retain)),
            ("re", Some(NotAllowed)),
            ("unig", None),
            ("unign", Some(Unignore)),
            ("unret", Some(Unretain)),
            ("i", Some(If)),
            ("eli", Some(Elif)),
            ("el", Some(Else)),
            ("en", Some(Endif)),
            ("e", Some(NotAllowed)),
            ("ac", Some(Account)),
            ("ho", Some(NotAllowed)),
            ("pre", Some(NotAllowed)),
            ("m", Some(NotAllowed)),
            ("r", Some(NotAllowed)),
            ("sh", Some(NotAllowed)),
            ("v", Some(NotAllowed)),
            ("C", Some(NotAllowed)),
            ("F", Some(NotAllowed)),
            ("fo", Some(NotAllowed)),
            ("folder", Some(NoEffect)),
            ("folde", None),
            ("delete", Some(NoEffect)),
            ("d", None),
            ("Print", Some(NoEffect)),
            ("flag", Some(NoEffect)),
            ("fla", None),
            ("headers", Some(NoEffect)),
            ("", None),
            ("no-such", None),
            ("headerpick", Some(NoEffect)),
            ("headerpic", None),
        ];
        for (word, expected) in rows {
            assert_eq!(find_in_rc_files(word), expected, "{word}");
        }
    }

    #[test]
    fn every_row_is_allowed_somewhere_and_its_name_is_told_once() {
        let mut names: Vec<&str> = COMMANDS.iter().map(|row| row.name).collect();
        for row in COMMANDS {
            assert!(row.enough <= row.name.len(), "{}", row.name);
            let Allowed { prompt, rc } = row.allowed;
            assert!(prompt.is_some() || rc.is_some(), "{}", row.name);
            let elsewhere = elsewhere::has(row.name).then_some(RcCommand::NoEffect);
            assert_eq!(rc.or(elsewhere), find_in_rc_files(row.name), "{}", row.name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_row_can_be_reached_and_is_told() {
        for command in at_prompt() {
            let found = find_at_prompt(command.name).unwrap();
            assert_eq!(found.name, command.name);
            assert!(
                !matches!(command.help, Help::Text(text) if text.is_empty() || text.ends_with('.')),
                "{}",
                command.name
            );
        }
    }
}
