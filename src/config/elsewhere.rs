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

/// Returns whether another program has a command of this name.
pub(super) fn has(name: &str) -> bool {
    ELSEWHERE.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::commands::{RcCommand, all, find_in_rc_files};

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
