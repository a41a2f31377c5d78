//! The commands of other mailx programs that are accepted in an rc file and have no effect here.
//!
//! They are those of s-nail, heirloom mailx, bsd-mailx, GNU mail, AIX and Solaris that only concern
//! the reader, the terminal, or things that Postrider does by itself. What may change where mail goes
//! has a row in [`commands`](super::commands) instead; `eval` and `environ`, which execute what stands
//! behind them, are looked at closely where they are passed over.

/// The names, sorted.
#[rustfmt::skip]
pub const ELSEWHERE: &[&str] = &[
    "Decrypt", "File", "Folder", "Forward", "Fwd", "Lfollowup", "Lreply", "Mail", "Move",
    "Mv", "New", "Pipe", "Put", "Redirect", "Resend", "Save", "Seen", "Top",
    "Unread", "Write", "Z", "addrcodec", "answered", "bad", "bind", "cache",
    "certsave", "charsetalias", "classify", "collapse", "color", "colour", "connect",
    "csop", "cwd", "decode", "decrypt", "defines", "digmsg", "disconnect", "dotmove", "dp", "draft",
    "dt", "echoerr", "echoerrn", "echon", "environ", "errors", "eval", "field", "file", "filetype",
    "flag", "folder", "folders", "followupall", "followupsender", "forward", "fwd",
    "good", "imap", "imapcodec", "inc", "junk",
    "kill", "load", "localopts", "mailcap", "memberof", "mimetype", "mimetypes", "mimeview",
    "move", "mtaaliases", "mv", "netrc", "new", "newmail", "noop",
    "online", "previous", "probability", "put", "read", "readall", "readctl",
    "readsh", "redirect", "remove", "rename", "replyall", "replysender", "resend", "respondall",
    "respondsender", "return", "score", "search", "seen",
    "setenv", "shcodec", "shift", "shortcut", "sleep", "sort", "spamclear", "spamforget",
    "spamham", "spamrate", "spamset", "spamspam", "struct", "summary", "tag", "thread", "tls",
    "unaccount", "unanswered", "unbind", "uncharsetalias", "uncollapse", "uncolor",
    "uncolour", "undef", "undefine", "undraft", "unfiletype", "unflag",
    "ungood", "unjunk", "unkill", "unmimetype",
    "unread", "unsetenv", "unshortcut", "unsort",
    "untag", "unthread", "urlcodec", "varshow", "verify", "version", "vexpr", "vpospar", "warranty",
    "z",
];

/// The commands of other programs, by what does the same here. Words that mutt, elm, pine and people
/// who know a shell type are among them.
#[rustfmt::skip]
const INSTEAD: &[(&str, &[&str])] = &[
    ("use print, which decodes every message", &["decode", "Decode", "cat"]),
    ("use headers, or from with a message list", &["index", "ls", "limit"]),
    ("use file", &["summary"]),
    ("use +NAME for a mailbox, after set folder=DIRECTORY", &["shortcut", "unshortcut"]),
    ("set it in the shell that starts the reader", &["setenv", "unsetenv", "environ"]),
    ("use pipe", &["Pipe"]),
    ("use newmail", &["incorporate", "check"]),
    ("use resend", &["bounce"]),
    ("use search", &["find", "grep"]),
    ("use top", &["Top"]),
    ("use z, z- and z$", &["Z"]),
    ("use thread, and &3 for the thread of message 3", &["collapse", "uncollapse", "unthread"]),
    ("use save or pipe with the number of a part, such as save 3.2 FILE", &["mimeview", "mailcap", "detach", "export", "extract"]),
    ("use search, and then delete ` or move ` FILE", &["classify", "good", "junk", "kill", "score", "scoring", "spamset", "spamspam", "ungood", "unjunk", "unkill"]),
    ("use pipe with gpg or openssl, such as pipe 3 'gpg --decrypt'", &["decrypt", "Decrypt", "verify", "certsave"]),
    ("macros are not run; put the commands into a file and use source FILE", &["defines", "undefine", "undef", "eval", "localopts", "return", "shift", "vexpr", "vput", "csop", "read", "readall", "readsh", "readctl", "vpospar"]),
    ("use set, or help NAME for one variable", &["varshow", "variable"]),
    ("use set colour=LIST; help colour explains it", &["color", "uncolor", "uncolour"]),
    ("mailboxes are files and directories of this host; file opens them", &["imap", "connect", "disconnect", "cache", "online", "imapcodec", "open"]),
    ("it works in a start-up file only; at the prompt leave it out", &["wysh", "local", "global"]),
    ("write ignerr source FILE, or use it in a start-up file", &["source_if"]),
    ("use !rm FILE", &["remove"]),
    ("use delete", &["rm"]),
    ("use !mv OLD NEW", &["rename"]),
    ("use !pwd", &["cwd", "pwd"]),
    ("use !sleep", &["sleep"]),
    ("use !clear", &["clear"]),
    ("use echo", &["echoerr", "echon", "echoerrn"]),
    ("use quit", &["logout", "bye", "leave", "close", "sync", "expunge", "purge"]),
    ("use help", &["man", "usage"]),
    ("use more", &["less"]),
    ("use mail", &["compose", "send"]),
    ("use + and -", &["dotmove"]),
    ("type ~@ FILE at the beginning of a line of the message", &["attach"]),
    ("the aliases of this host are always followed", &["mtaaliases"]),
    ("keys cannot be bound; commandalias names commands", &["bind", "unbind"]),
];

/// Returns what to do instead of a command that we do not have, if another program has it.
pub(crate) fn instead(name: &str) -> Option<&'static str> {
    let mut rows = INSTEAD.iter();
    rows.find_map(|(instead, names)| names.contains(&name).then_some(*instead))
}

/// Returns whether another program has a command of this name.
pub(super) fn has(name: &str) -> bool {
    ELSEWHERE.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::commands::{RcCommand, all, find_in_rc_files};

    #[test]
    fn what_is_told_of_others_is_no_command_of_ours() {
        let mut seen = std::collections::BTreeSet::new();
        for (instead, names) in INSTEAD {
            for name in *names {
                let ours = crate::config::commands::find_at_prompt(name);
                assert!(ours.is_none(), "{name} is {:?}", ours.map(|row| row.name));
                assert!(seen.insert(name), "{name}: {instead}");
            }
            // A command that is named there exists.
            if let Some(named) = instead.strip_prefix("use ") {
                let end = named.find(|c: char| !c.is_ascii_alphabetic());
                let word = &named[..end.unwrap_or(named.len()).max(1)];
                let found = crate::config::commands::find_at_prompt(word);
                assert!(found.is_some(), "{instead}");
            }
        }
    }

    #[test]
    fn names_are_sorted_and_are_no_rows_of_rc_files() {
        assert!(ELSEWHERE.windows(2).all(|pair| pair[0] < pair[1]));
        for name in ELSEWHERE {
            let is_row = |row: &&'static crate::config::commands::Command| row.name == *name;
            let row = all().find(is_row);
            assert!(row.is_none_or(|row| row.allowed.rc.is_none()), "{name}");
            assert_eq!(find_in_rc_files(name), Some(RcCommand::NoEffect), "{name}");
        }
    }
}
