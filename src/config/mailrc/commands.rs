//! The commands of rc files: their names, their abbreviations, and which belong to the reader.

/// What a name is followed by in an rc file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Set,
    Unset,
    Alias,
    Unalias,
    Alternates,
    Source,
    Ignore,
    Retain,
    Unignore,
    Unretain,
    If,
    Elif,
    Else,
    Endif,
    Account,
    /// A command for the reader, kept for it.
    Reader,
    /// A command that rc files must not hold (features.md K47).
    NotHere,
}

/// The commands by name and the length of their shortest abbreviation, as POSIX has them;
/// the first match counts.
const COMMANDS: &[(&str, usize, Command)] = &[
    ("set", 2, Command::Set),
    ("unset", 3, Command::Unset),
    ("alias", 1, Command::Alias),
    ("group", 1, Command::Alias),
    ("unalias", 3, Command::Unalias),
    ("alternates", 3, Command::Alternates),
    ("source", 2, Command::Source),
    ("ignore", 2, Command::Ignore),
    ("discard", 2, Command::Ignore),
    ("retain", 3, Command::Retain),
    ("unignore", 5, Command::Unignore),
    ("unretain", 5, Command::Unretain),
    ("if", 1, Command::If),
    ("elif", 3, Command::Elif),
    ("else", 2, Command::Else),
    ("endif", 2, Command::Endif),
    ("account", 2, Command::Account),
    ("edit", 1, Command::NotHere),
    ("hold", 2, Command::NotHere),
    ("preserve", 3, Command::NotHere),
    ("mail", 1, Command::NotHere),
    ("reply", 1, Command::NotHere),
    ("respond", 1, Command::NotHere),
    ("Reply", 1, Command::NotHere),
    ("shell", 2, Command::NotHere),
    ("visual", 1, Command::NotHere),
    ("Copy", 1, Command::NotHere),
    ("followup", 2, Command::NotHere),
    ("Followup", 1, Command::NotHere),
];

/// Commands of mailx programs that belong to the reader; kept for it, or known to be harmless.
pub const READER_COMMANDS: &[&str] = &[
    "cd",
    "chdir",
    "charsetalias",
    "colour",
    "commandalias",
    "copy",
    "define",
    "delete",
    "digmsg",
    "echo",
    "environ",
    "exit",
    "file",
    "filetype",
    "folder",
    "folders",
    "from",
    "fwddiscard",
    "fwdignore",
    "fwdretain",
    "headerpick",
    "headers",
    "help",
    "history",
    "list",
    "mbox",
    "mimetype",
    "mlist",
    "mlsubscribe",
    "next",
    "Print",
    "print",
    "quit",
    "save",
    "saveignore",
    "saveretain",
    "savediscard",
    "setenv",
    "shortcut",
    "size",
    "sort",
    "spamham",
    "thread",
    "top",
    "touch",
    "Type",
    "type",
    "unaccount",
    "undelete",
    "unfwdretain",
    "unsetenv",
    "unshortcut",
    "varshow",
    "wysh",
    "write",
    "xit",
    "bind",
    "localopts",
    "call",
    "ghost",
    "memberof",
];

/// Returns whether a word is the name of a command an rc file or `-E 'command'` may hold.
pub fn is_command(word: &str) -> bool {
    command_of(word).is_some()
}

/// Returns the command of a word, which may be an abbreviation.
pub(super) fn command_of(word: &str) -> Option<Command> {
    COMMANDS
        .iter()
        .find(|(name, shortest, _)| word.len() >= *shortest && name.starts_with(word))
        .map(|(_, _, command)| *command)
        .or_else(|| READER_COMMANDS.contains(&word).then_some(Command::Reader))
}
