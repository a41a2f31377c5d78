//! The variable table: every variable Postrider knows, told once.
//!
//! The manual page is rendered from it. A variable that is not here is accepted silently by
//! `set`, because rc files are shared with other programs (features.md 5.2).

/// What values a variable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Set or not set.
    Flag,
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// A file name; `~` and `+` are expanded.
    File,
    /// An address, maybe with a name.
    Address,
    /// A URL or path that says how mail leaves.
    Route,
    /// A secret: never shown.
    Secret,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name, as `set` takes it.
    pub name: &'static str,
    /// Other names with the same meaning.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub kind: ValueKind,
    /// What holds when it is not set; empty for "not set".
    pub default: &'static str,
    /// One sentence for the manual.
    pub doc: &'static str,
}

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: ValueKind,
    default: &'static str,
    doc: &'static str,
) -> Row {
    Row {
        name,
        aliases,
        kind,
        default,
        doc,
    }
}

use ValueKind::{Address, File, Flag, Number, Route, Secret, Text};

/// The table, sorted by name.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("Sign", &[], Text, "", "The text that `~A` inserts, as sign."),
    row("allnet", &[], Flag, "", "Compare only the local part when a message list names an address."),
    row("append", &[], Flag, "set", "Accepted and always on: what is moved to MBOX is put behind what is there."),
    row("askbcc", &[], Flag, "", "Ask for Bcc recipients when a message typed at a terminal is complete."),
    row("askcc", &[], Flag, "", "Ask for Cc recipients when a message typed at a terminal is complete."),
    row("asksub", &["ask"], Flag, "set", "Ask for the subject of a message typed at a terminal, unless -s gave one."),
    row("autoprint", &[], Flag, "", "Show the next message after `delete`."),
    row("crt", &[], Number, "", "Show messages longer than this many lines with the pager; without a number, longer than the screen."),
    row("dead", &["DEAD"], File, "~/dead.letter", "Keep the text of mail that could not be sent in this file; it is appended to, never replaced."),
    row("display-name", &[], Text, "", "The name beside the default sender, as `%u on %h`: %u the login name, %n the full name, %h the host, %H its full name."),
    row("dot", &[], Flag, "", "End a message typed at a terminal by a line that holds only a dot; piped text is never ended by one."),
    row("editor", &["EDITOR"], Text, "", "The editor of `~e`; without it $EDITOR, else vi at a terminal."),
    row("errexit", &[], Flag, "", "End at the first error of a command that does not come from a terminal, without a change, with the status of the failure or 1."),
    row("escape", &[], Text, "~", "The character that begins an escape in a typed message; with an empty value there are no escapes."),
    row("expandaddr", &[], Flag, "", "Take recipients that start with `|` or `/` for commands and files; unset, they are errors."),
    row("folder", &[], File, "", "The directory that `+NAME` stands for; relative to the home directory."),
    row("from", &[], Address, "", "The From field, and the envelope sender; without it sendmail decides, and a relay sees user@qualify-domain."),
    row("header", &[], Flag, "set", "Print the header summary when a mailbox is opened."),
    row("hold", &[], Flag, "set", "Leave read messages in the system mailbox; unset, those used in a session go to MBOX."),
    row("hostname", &[], Text, "", "This host's name in Message-IDs, in EHLO, and as the default of qualify-domain."),
    row("ignore", &[], Flag, "", "Ignore interrupts while a message is typed."),
    row("ignoreeof", &[], Flag, "", "Do not end a message typed at a terminal at end-of-file; a line of one dot or `~.` ends it."),
    row("indentprefix", &[], Text, "\t", "What `~m` puts before each line of a message it inserts."),
    row("keep", &[], Flag, "set", "Leave a mailbox that has become empty as an empty file; unset, it is removed."),
    row("keepsave", &[], Flag, "set", "Leave saved messages in the system mailbox; unset, they go."),
    row("local", &[], Text, "", "With the value `relay`, names of accounts on this host go to the relay too, qualified."),
    row("lock-timeout", &[], Number, "30", "How many seconds to wait for the lock of a mailbox that is to be written."),
    row("log", &[], Text, "syslog", "Write a line for each recipient to `syslog`, to this FILE, or nowhere with `off`."),
    row("max-size", &[], Text, "", "The largest message to send, as 10M; larger attachments are replaced by a note that names them, unless --strict-size refuses."),
    row("metoo", &[], Flag, "set", "Keep one's own names when an alias that holds them is expanded; unset, they are left out where others remain."),
    row("mta", &["sendmail"], Route, "auto", "How mail leaves: `auto`; a path or file://PATH of a sendmail; `sendmail`; smtp://, smtps://, submission:// or submissions://HOST[:PORT]; `local`; `test` or test:///FILE."),
    row("page", &[], Flag, "", "Print a form feed after each message shown."),
    row("password", &["smtp-auth-password"], Secret, "", "The password for the relay; better is password-file or password-command."),
    row("password-command", &[], Text, "", "A program, with its arguments, whose first line of output is the password; no shell is involved."),
    row("password-file", &[], File, "", "A file whose first line is the password; others must not be able to read it."),
    row("posix", &[], Flag, "", "Follow POSIX where it changes a mailbox more: hold, keepsave and keep count as not set unless they are, as with POSIXLY_CORRECT."),
    row("prompt", &[], Text, "", "The prompt of the reader; without it `?` and a blank, or `&` and a blank when called mail."),
    row("qualify-domain", &[], Text, "", "The domain put behind bare names where they leave this host; hostname without it."),
    row("quiet", &[], Flag, "", "Do not print the banner when the reader starts."),
    row("record", &[], File, "", "Append a copy of every message sent to this mbox."),
    row("replyto", &["reply-to", "REPLYTO"], Address, "", "The Reply-To field."),
    row("save", &[], Flag, "set", "Keep the text of mail that could not be sent."),
    row("screen", &[], Number, "", "How many lines of the header summary to show at a time."),
    row("sender", &[], Address, "", "The Sender field, and the envelope sender instead of from's."),
    row("sendmail-timeout", &[], Number, "600", "How many seconds to wait for sendmail before its answer counts as uncertain."),
    row("sendwait", &[], Flag, "set", "Accepted and always on: Postrider always waits for its children."),
    row("shell", &["SHELL"], Text, "", "The shell that runs commands; without it $SHELL, else /bin/sh."),
    row("showname", &[], Flag, "", "Show names instead of addresses in the header summary."),
    row("showto", &[], Flag, "", "Show the recipient in the header summary for messages one sent."),
    row("sign", &[], Text, "", "The text that `~a` inserts; `\\t` and `\\n` in it are a tab and a new line."),
    row("smtp", &[], Route, "", "The relay for mail that leaves this host: HOST, HOST:PORT or a URL as mta takes it; mail to accounts on this host stays here unless local=relay."),
    row("smtp-auth", &[], Text, "auto", "The authentication method: auto, plain, login, xoauth2, oauthbearer, or none."),
    row("smtp-auth-user", &["user"], Text, "", "The login name for the relay."),
    row("smtp-connect-timeout", &[], Number, "10", "How many seconds to wait for a connection, for each address of the relay."),
    row("smtp-deadline", &[], Number, "60", "How many seconds a submission may take until the message is handed over; 0 for no limit, the default on a terminal."),
    row("smtp-hostname", &[], Text, "", "The name for EHLO; hostname without it."),
    row("smtp-timeout", &[], Number, "60", "How many seconds to wait for one reply of the relay."),
    row("smtp-use-starttls", &[], Flag, "", "Require STARTTLS, as `tls=require`."),
    row("spool", &[], File, "", "The directory of system mailboxes; /var/spool/mail or /var/mail without it."),
    row("tls", &[], Text, "", "With the value `require`, mail goes to the relay only over verified TLS."),
    row("tls-ca-file", &["ssl-ca-file"], File, "", "Certificates (PEM) to trust for the relay instead of the system's."),
    row("tls-fingerprint", &["ssl-fingerprint"], Text, "", "The SHA-256 fingerprint of the relay's certificate, in hex; replaces the check of chain and name."),
    row("tls-verify", &["ssl-verify"], Text, "strict", "With the value `ignore`, take any certificate where no password is sent."),
    row("toplines", &[], Number, "5", "How many lines of a message `top` shows."),
    row("verbose", &[], Flag, "", "Tell what is done, as -v."),
    row("visual", &["VISUAL"], Text, "", "The editor of `~v`; without it $VISUAL, else vi at a terminal."),
];

/// Returns the row of a name or of another name for it.
pub fn row_of(name: &str) -> Option<&'static Row> {
    ROWS.iter()
        .find(|row| row.name == name || row.aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_names_are_unique() {
        assert!(ROWS.windows(2).all(|pair| pair[0].name < pair[1].name));
        let mut names: Vec<&str> = ROWS
            .iter()
            .flat_map(|row| row.aliases.iter().copied().chain([row.name]))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
