//! The variable table: every variable Postrider knows, in one place.
//!
//! The manual page is rendered from it. A variable that is not here is accepted silently by `set`,
//! because rc files are shared with other programs, unless its name is one of the
//! way out, or differs only by case from one: then nothing is sent. A name
//! that differs only by case from another row is reported. See [`judge_name`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use crate::config::value::Choice;
pub use crate::config::value::ValueKind;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name, as `set` takes it.
    pub name: &'static str,
    /// Other names with the same meaning; `ssl-NAME` is always one of `tls-NAME`.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub kind: ValueKind,
    /// What holds when it is not set; empty for "not set".
    pub default: &'static str,
    /// Whether it concerns the way out or its safety: if its value is invalid, nothing is sent.
    pub is_way_out: bool,
    /// What it does, for the manual; "Accepted, no effect" where it does nothing.
    pub(crate) doc: &'static str,
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
        is_way_out: false,
        doc,
    }
}

/// A row that concerns the way out or its safety.
const fn way(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: ValueKind,
    default: &'static str,
    doc: &'static str,
) -> Row {
    Row {
        is_way_out: true,
        ..row(name, aliases, kind, default, doc)
    }
}

const fn choice(word: &'static str, also: &'static [&'static str]) -> Choice {
    Choice { word, also }
}

const TLS: &[Choice] = &[
    choice("auto", &[]),
    choice(
        // `set tls` without a value asks for TLS, so it must not mean `auto`, which does without
        // it where the relay offers none.
        "require",
        &["yes", "on", "1", "true", "starttls", "required", ""],
    ),
    choice("no", &["off", "0", "false"]),
];

const VERIFY: &[Choice] = &[
    choice("strict", &["yes", "on", "1", "true"]),
    choice("ignore", &["no", "off", "0", "false"]),
];

const AUTH: &[Choice] = &[
    choice("auto", &["yes", "on", "1", "true", ""]),
    choice("plain", &[]),
    choice("login", &[]),
    choice("xoauth2", &[]),
    choice("oauthbearer", &[]),
    choice("none", &["no", "off", "0", "false"]),
];

const LOCAL: &[Choice] = &[choice("relay", &[]), choice("no", &["off", "0", "false"])];

const LOG: &[Choice] = &[
    choice("syslog", &["yes", "on", "1", "true", ""]),
    choice("off", &["no", "0", "false", "none"]),
];

const ALIASES: &[Choice] = &[
    choice("/etc/aliases", &[]),
    choice("/etc/mail/aliases", &[]),
];

const DIGEST: &[Choice] = &[choice("sha256", &["sha-256"])];

use ValueKind::{
    Address, Arguments, Duration, Host, Number, OneOf, OneOfOrPath, Path, Route, Secret, Size,
    Switch, SwitchOrNumber, Targets, Text, Word,
};

/// The table, sorted by name.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("Sign", &[], Text, "", "The text that `~A` inserts, as sign."),
    row("allnet", &[], Switch, "", "Compare only the local part when a message list names an address."),
    row("append", &[], Switch, "set", "Accepted, no effect: what is moved to MBOX is always put behind what is there."),
    row("askbcc", &[], Switch, "", "Ask for Bcc recipients when a message typed at a terminal is complete."),
    row("askcc", &[], Switch, "", "Ask for Cc recipients when a message typed at a terminal is complete."),
    row("asksub", &["ask"], Switch, "set", "Ask for the subject of a message typed at a terminal, unless -s gave one."),
    way("autobcc", &[], Address, "", "Recipients of every message, unseen by the others."),
    way("autocc", &[], Address, "", "Recipients of a copy of every message."),
    row("autoprint", &[], Switch, "", "Show the next message after `delete`."),
    row("crt", &[], SwitchOrNumber, "", "Show messages longer than this many lines with the pager; without a number, longer than the screen."),
    row("dead", &["DEAD"], Path, "~/dead.letter", "Keep the text of mail that could not be sent in this file; it is appended to, never replaced."),
    way("debug", &[], Switch, "", "Print messages and their routes on standard error and send nothing, as -d."),
    row("display-name", &[], Text, "", "The name beside the default sender, as `%u on %h`: %u the login name, %n the full name, %h the host, %H its full name."),
    row("dot", &[], Switch, "", "End a message typed at a terminal by a line that holds only a dot; piped text is never ended by one."),
    row("editor", &["EDITOR"], Text, "", "The editor of `~e`; without it $EDITOR, else vi at a terminal."),
    row("errexit", &[], Switch, "", "End at the first error of a command that does not come from a terminal, without a change, with the status of the failure or 1."),
    row("escape", &[], Text, "~", "The character that begins an escape in a typed message; with an empty value there are no escapes."),
    way("expandaddr", &[], Targets, "", "Take recipients that start with `|` or `/` for commands and files; unset, they are errors. A list takes some of it away, as s-nail has it: `-all,+addr` takes addresses only."),
    row("folder", &[], Path, "", "The directory that `+NAME` stands for; relative to the home directory."),
    row("from", &["return-address"], Address, "", "The From field, and the envelope sender; without it sendmail decides, and a relay sees user@qualify-domain."),
    row("header", &[], Switch, "set", "Print the header summary when a mailbox is opened."),
    row("hold", &[], Switch, "set", "Leave read messages in the system mailbox; unset, those used in a session go to MBOX."),
    way("hostname", &[], Host, "", "This host's name in Message-IDs, in EHLO, and as the default of qualify-domain."),
    row("ignore", &[], Switch, "", "Ignore interrupts while a message is typed."),
    row("ignoreeof", &[], Switch, "", "Do not end a message typed at a terminal at end-of-file; a line of one dot or `~.` ends it."),
    row("inbox", &["MAIL"], Path, "", "One's own system mailbox, under the rules for $MAIL."),
    row("indentprefix", &[], Text, "\t", "What `~m` puts before each line of a message it inserts."),
    row("keep", &[], Switch, "set", "Leave a mailbox that has become empty as an empty file; unset, it is removed."),
    row("keepsave", &[], Switch, "set", "Leave saved messages in the system mailbox; unset, they go."),
    way("local", &[], OneOf(LOCAL), "", "With the value `relay`, names of accounts on this host go to the relay too, qualified; with `no`, which is the default, they stay here."),
    row("lock-timeout", &[], Duration(0), "30", "How long to wait for the lock of a mailbox that is to be written; 0 tries once. A message that is kept waits 10 seconds at most and gets a file of its own then."),
    row("log", &[], OneOfOrPath(LOG), "syslog", "Write a line for each recipient to `syslog`, to this file, or nowhere with `off`. A file that cannot be written is told, and the mail goes."),
    row("max-size", &[], Size, "", "The largest message to send; larger attachments are replaced by a note that names them, unless --strict-size refuses."),
    row("mbox", &["MBOX"], Path, "", "The file that `&` names and that read messages are moved to; without it $MBOX, else ~/mbox."),
    row("metoo", &[], Switch, "set", "Keep one's own names when an alias that holds them is expanded; unset, they are left out where others remain."),
    way("mta", &["sendmail"], Route, "auto", "How mail leaves: `auto`; a path or file://PATH of a sendmail; `sendmail`; smtp://, smtps://, submission:// or submissions://HOST[:PORT]; `local`; `test` or test:///FILE. Where smtp is set as well, the later of the two counts."),
    way("mta-aliases", &[], OneOf(ALIASES), "", "Accepted, no effect: the aliases of this host are always followed where Postrider carries a message itself; no other file can be named."),
    way("mta-arguments", &["sendmail-arguments"], Arguments, "", "More arguments for sendmail, as `-a work` for msmtp; they stand behind Postrider's -i. Modes that send nothing, -t and -- are refused."),
    way("mta-argv0", &["sendmail-progname"], Word, "", "The name that sendmail is called by, for a wrapper that looks at it."),
    way("mta-bcc-ok", &[], Switch, "", "Accepted, no effect: Bcc recipients stand in the envelope only."),
    way("netrc-lookup", &[], Switch, "set", "Look the relay up in ~/.netrc, or the file that $NETRC names, where no other password is configured."),
    row("nss-config-dir", &[], Path, "", "Accepted, no effect: the authorities that this system trusts count, or tls-ca-file."),
    row("nullbody", &[], Switch, "set", "Send messages without a body; unset, they are not sent, as with -E."),
    row("nullbodymsg", &[], Text, "Null message body; hope that's ok", "What is said when a message without a body is sent."),
    row("outfolder", &[], Switch, "", "Put the copies of record and -F that name no absolute path into folder."),
    row("page", &[], Switch, "", "Print a form feed after each message shown."),
    row("pager", &["PAGER"], Text, "", "The program that shows long messages, run by the shell; without it $PAGER, else more."),
    way("password", &["smtp-auth-password"], Secret, "", "The password for the relay; better is password-file or password-command."),
    way("password-command", &[], Word, "", "A program, with its arguments, whose first line of output is the password; no shell is involved."),
    way("password-file", &[], Path, "", "A file whose first line is the password; others must not be able to read it."),
    row("posix", &[], Switch, "", "Follow POSIX where it changes a mailbox more: hold, keepsave and keep count as not set unless they are, as with POSIXLY_CORRECT."),
    row("prompt", &[], Text, "", "The prompt of the reader; without it `?` and a blank, or `&` and a blank when called mail."),
    way("qualify-domain", &[], Host, "", "The domain put behind bare names where they leave this host; hostname without it."),
    row("quiet", &[], Switch, "", "Do not print the banner when the reader starts."),
    row("record", &[], Path, "", "Append a copy of every message sent to this mbox."),
    row("replyto", &["reply-to", "REPLYTO"], Address, "", "The Reply-To field."),
    row("save", &[], Switch, "set", "Keep the text of mail that could not be sent."),
    row("screen", &[], Number(1), "", "How many lines of the header summary to show at a time."),
    row("sender", &[], Address, "", "The Sender field, and the envelope sender instead of from's."),
    way("sendmail-timeout", &[], Duration(0), "600", "How long to wait for sendmail before its answer counts as uncertain; 0 for no limit."),
    row("sendwait", &[], Switch, "set", "Accepted, no effect: Postrider always waits for its children."),
    row("shell", &["SHELL"], Text, "", "The shell that runs commands; without it $SHELL, else /bin/sh."),
    row("showname", &[], Switch, "", "Show names instead of addresses in the header summary."),
    row("showto", &[], Switch, "", "Show the recipient in the header summary for messages that one has sent: from the login name at this host, from, or alternates."),
    row("sign", &[], Text, "", "The text that `~a` inserts; `\\t` and `\\n` in it are a tab and a new line."),
    row("skipemptybody", &["skipempty"], Switch, "", "Do not send messages that have neither body nor attachments, as -E."),
    way("smtp", &[], Route, "", "The relay for mail that leaves this host: HOST, HOST:PORT or a URL as mta takes it; mail to accounts on this host stays here unless local=relay."),
    way("smtp-auth", &[], OneOf(AUTH), "auto", "The authentication method; `none` logs in nowhere."),
    way("smtp-auth-user", &["user"], Word, "", "The login name for the relay."),
    way("smtp-connect-timeout", &["socket-connect-timeout"], Duration(1), "10", "How long to wait for a connection, for each address of the relay."),
    way("smtp-deadline", &[], Duration(0), "60", "How long a submission may take until the message is handed over; 0 or unset for no limit, the default on a terminal."),
    way("smtp-hostname", &[], Host, "", "The name for EHLO; hostname without it."),
    way("smtp-timeout", &[], Duration(1), "60", "How long to wait for one reply of the relay; that to the end of the message is waited for ten minutes, since a second try may send it twice."),
    way("smtp-use-starttls", &[], Switch, "", "Require TLS, as `tls=require`."),
    way("spool", &[], Path, "", "The directory of system mailboxes; /var/spool/mail or /var/mail without it."),
    way("tls", &[], OneOf(TLS), "auto", "Whether mail goes to the relay over TLS: `auto`, if the relay offers it or the way asks for it; `require`, or nothing is sent; `no`, never, which is refused with a login (but for loopback addresses) and where the way asks for TLS."),
    way("tls-ca-file", &[], Path, "", "Certificates (PEM) to trust for the relay instead of the system's."),
    way("tls-ca-no-defaults", &["tls-no-default-ca"], Switch, "", "Do not trust the system's authorities; tls-ca-file or tls-fingerprint must say what is trusted instead."),
    way("tls-fingerprint", &[], Word, "", "The SHA-256 fingerprint of the relay's certificate, in hex; replaces the check of chain and name."),
    way("tls-fingerprint-digest", &[], OneOf(DIGEST), "", "Accepted, no effect: a fingerprint is always one of SHA-256."),
    row("tls-rand-file", &[], Path, "", "Accepted, no effect: random numbers come from the kernel."),
    way("tls-verify", &[], OneOf(VERIFY), "strict", "With `ignore`, take any certificate where no password is sent."),
    row("toplines", &[], Number(0), "5", "How many lines of a message `top` shows."),
    row("verbose", &[], Switch, "", "Tell what is done, as -v."),
    row("visual", &["VISUAL"], Text, "", "The editor of `~v`; without it $VISUAL, else vi at a terminal."),
];

/// A variable of s-nail or heirloom mailx that would change the way out and that we do not have:
/// with it nothing is sent.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// The name, as `set` takes it; `ssl-NAME` is another for `tls-NAME`.
    pub name: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

const fn refused(name: &'static str, instead: &'static str) -> Refused {
    Refused { name, instead }
}

/// The variables that are refused by name, sorted.
#[rustfmt::skip]
pub const REFUSED: &[Refused] = &[
    refused("expandaddr-domaincheck", "recipients are not compared with a list of domains"),
    refused("mta-no-default-arguments", "mta= a script that calls the program as it wants to be called"),
    refused("mta-no-receiver-arguments", "recipients are always given as arguments"),
    refused("netrc-pipe", "password-command= asks a program for the password"),
    refused("sendmail-no-default-arguments", "mta= a script that calls the program as it wants to be called"),
    refused("smime-encrypt", "Postrider does not encrypt messages"),
    refused("smime-force-encryption", "Postrider does not encrypt messages"),
    refused("smime-sign", "Postrider does not sign messages"),
    refused("smtp-config", "smtp-auth= and tls= say how to speak to the relay"),
    refused("socks-proxy", "Postrider connects directly; mta= a sendmail that uses the proxy"),
    refused("tls-ca-dir", "tls-ca-file= names one file with all certificates"),
    refused("tls-ca-flags", "certificates are always checked strictly"),
    refused("tls-cert", "certificates of clients are not supported; mta= a sendmail that has them"),
    refused("tls-cipher-list", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
    refused("tls-config-file", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
    refused("tls-config-module", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
    refused("tls-config-pairs", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
    refused("tls-crl-dir", "lists of revoked certificates are not supported; tls-fingerprint= names one certificate"),
    refused("tls-crl-file", "lists of revoked certificates are not supported; tls-fingerprint= names one certificate"),
    refused("tls-curves", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
    refused("tls-key", "certificates of clients are not supported; mta= a sendmail that has them"),
    refused("tls-method", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
    refused("tls-protocol", "the protocols and ciphers are chosen by Postrider: TLS 1.2 and 1.3"),
];

/// How names of the way out begin, in lower case and with dashes.
const WAY_OUT: &[&str] = &["tls", "ssl", "smtp", "mta", "oauth-", "from-", "sendmail-"];

/// Returns a name as the tables have it: `ssl-NAME` is `tls-NAME`.
fn canonical(name: &str) -> Cow<'_, str> {
    // s-nail called these variables ssl-NAME before it called them tls-NAME, and rc files have
    // both.
    match name.strip_prefix("ssl-") {
        Some(rest) => Cow::Owned(format!("tls-{rest}")),
        None => Cow::Borrowed(name),
    }
}

/// Returns the row of a name or of another name for it.
pub(crate) fn row_of(name: &str) -> Option<&'static Row> {
    let name = &*canonical(name);
    match ROWS.binary_search_by(|row| row.name.cmp(name)) {
        Ok(at) => ROWS.get(at),
        Err(_) => ROWS.iter().find(|row| row.aliases.contains(&name)),
    }
}

/// Returns whether a name is one of the way out, or a misspelt one.
pub(crate) fn is_way_out(name: &str) -> bool {
    match row_of(name) {
        Some(row) => row.is_way_out,
        None => judge_name(name).is_some_and(|judged| judged.is_way_out),
    }
}

/// What is wrong with the name of a variable that is in no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misnamed {
    /// What is wrong, in lower case.
    pub(crate) what: String,
    /// The next step, if there is one.
    pub(crate) hint: Option<String>,
    /// The variable that was meant: the name differs from its name only by case or by `_` for `-`.
    pub(crate) twin: Option<&'static str>,
    /// Whether it concerns the way out: then nothing is sent.
    pub is_way_out: bool,
}

/// Says what is wrong with a name that is in no row: it may be one of the way out, or one that
/// differs from a known one only by case.
pub(crate) fn judge_name(name: &str) -> Option<Misnamed> {
    let known = canonical(name);
    let of_the_way_out = |what, hint: Option<String>| Misnamed {
        what,
        hint,
        twin: None,
        is_way_out: true,
    };
    // From the most exact answer to the vaguest: a name that is refused has a hint of its own, a
    // name with a host behind it shows what was meant, a twin is only misspelt, and a beginning
    // such as `smtp` alone says no more than that the name concerns the way out.
    if let Some(row) = REFUSED.iter().find(|row| row.name == known) {
        let what = format!("{name} is not supported");
        return Some(of_the_way_out(what, Some(row.instead.to_owned())));
    }
    if let Some(base) = chained(&known) {
        let what = format!("{name} is not supported: there is no {base} for one host or user");
        let hint = "account NAME { set … } holds what belongs to one relay; -A NAME uses it";
        return Some(of_the_way_out(what, Some(hint.to_owned())));
    }
    let what = format!("unknown variable {name}");
    let plain = plain(name);
    if let Some((twin, is_way_out)) = twin(name, &plain) {
        return Some(Misnamed {
            what: format!("{what}: the variable is called {twin}"),
            hint: None,
            twin: Some(twin),
            is_way_out,
        });
    }
    let begins = WAY_OUT.iter().any(|start| plain.starts_with(start));
    if !begins && !plain.contains("starttls") {
        return None;
    }
    let near = nearest(&plain).map(|near| format!("the variable nearest to it is {near}"));
    Some(of_the_way_out(what, near))
}

/// Returns a name in lower case, with dashes.
fn plain(name: &str) -> String {
    canonical(&name.to_ascii_lowercase().replace('_', "-")).into_owned()
}

/// Returns the known name that differs from this one only by case or by `_` for `-`, and whether
/// it is one of the way out.
fn twin(name: &str, plain: &str) -> Option<(&'static str, bool)> {
    // `USER` and `user` are two variables of s-nail; the first has no effect here.
    if name == "USER" {
        return None;
    }
    TWINS.get(plain).copied()
}

/// The known names in lower case and with dashes, each with the name itself and whether it is one of
/// the way out. Made once: a hostile file may have half a million names that are unknown.
static TWINS: LazyLock<HashMap<String, (&'static str, bool)>> = LazyLock::new(|| {
    let rows = ROWS.iter().flat_map(|row| {
        let names = std::iter::once(row.name).chain(row.aliases.iter().copied());
        names.map(|known| (known, row.is_way_out))
    });
    let refused = REFUSED.iter().map(|row| (row.name, true));
    let mut twins = HashMap::new();
    for (known, is_way_out) in rows.chain(refused) {
        // Of two names that are the same in lower case the first of the table counts.
        twins.entry(plain(known)).or_insert((known, is_way_out));
    }
    twins
});

/// Returns the variable of which this is s-nail's form for one host: `NAME-HOST`, `NAME-USER@HOST`.
fn chained(name: &str) -> Option<&'static str> {
    // What follows must look like a host: `smtp-auth-user` is not the `smtp` of a host
    // `auth-user`.
    let is_host = |rest: &str| rest.contains(['@', '.']) || rest == "localhost";
    let of = |base: &'static str| {
        let rest = name.strip_prefix(base)?.strip_prefix('-')?;
        is_host(rest).then_some(base)
    };
    let rows = ROWS
        .iter()
        .filter(|row| row.is_way_out || row.name == "netrc-lookup");
    let names = rows.flat_map(|row| row.aliases.iter().copied().chain([row.name]));
    let refused = REFUSED.iter().map(|row| row.name);
    let found = names.chain(refused).filter_map(of);
    // `smtp-auth-user-mail.example.org` begins with `smtp` and with `smtp-auth` as well: the
    // longest name is the one that was meant.
    found.max_by_key(|base| base.len())
}

/// Returns the name in the table that is at most two letters away.
fn nearest(name: &str) -> Option<&'static str> {
    let names = ROWS.iter().map(|row| row.name);
    let (changes, near) = names.map(|row| (distance(name, row), row)).min()?;
    // Three changes lead from almost any short name to any other: a hint would be a guess.
    (changes <= 2).then_some(near)
}

/// Counts the letters to be added, taken away or replaced.
fn distance(a: &str, b: &str) -> usize {
    // Levenshtein's table, of which only one row is kept: how far the letters of `a` that were
    // read are from each beginning of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = replaced.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
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
            .chain(REFUSED.iter().map(|row| row.name))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_default_is_a_value_of_its_row() {
        for row in ROWS
            .iter()
            .filter(|row| !["", "set"].contains(&row.default))
        {
            let judged = row.kind.judge(row.default, true);
            assert_eq!(judged, Ok(Some(row.default.into())), "{}", row.name);
        }
        for row in ROWS.iter().filter(|row| row.default == "set") {
            assert_eq!(row.kind, ValueKind::Switch, "{}", row.name);
        }
    }

    #[test]
    fn names_of_the_way_out_are_known_or_refused() {
        for name in [
            "tls-verfy",
            "tls_verify",
            "TLS",
            "ssl-verfy",
            "SMTP",
            "smtp-auth_user",
        ] {
            let judged = judge_name(name).unwrap_or_else(|| panic!("{name}"));
            assert!(judged.what.starts_with("unknown variable"), "{judged:?}");
            assert!(
                (judged.hint.is_some() || judged.twin.is_some()) && judged.is_way_out,
                "{judged:?}"
            );
        }
        for name in [
            "mtaa",
            "use-starttls",
            "oauth-scope",
            "from-address",
            "sendmail-flags",
        ] {
            assert!(judge_name(name).is_some(), "{name}");
        }
        for name in [
            "smtp-auth-me@relay.example",
            "ssl-verify-relay.example:465",
            "password-me@x",
            "user-relay.example",
            "socks-proxy-localhost",
        ] {
            let judged = judge_name(name).unwrap_or_else(|| panic!("{name}"));
            assert!(judged.what.contains("not supported"), "{judged:?}");
        }
        for row in REFUSED {
            assert!(row_of(row.name).is_none());
            assert!(judge_name(row.name).is_some_and(|judged| judged.hint.is_some()));
        }
        for name in [
            "ttycharset",
            "colour-disable",
            "useragent",
            "datefield",
            "fromage",
            "USER",
        ] {
            assert_eq!(judge_name(name), None, "{name}");
        }
        assert_eq!(row_of("ssl-verify").map(|row| row.name), Some("tls-verify"));
    }

    #[test]
    fn a_name_that_differs_by_case_from_a_known_one_is_told() {
        let of_row = |row: &Row| [&[row.name], row.aliases].concat();
        for row in ROWS {
            for known in of_row(row) {
                let dashed = known.replace('-', "_");
                for name in [known.to_ascii_uppercase(), capitalised(known), dashed] {
                    if row_of(&name).is_some() {
                        continue;
                    }
                    match judge_name(&name) {
                        None if name == "USER" => {}
                        Some(judged) => {
                            let meant = judged.twin.expect("a twin");
                            assert_eq!(plain(meant), plain(known), "{name}");
                            assert_eq!(judged.is_way_out, row.is_way_out, "{name}");
                        }
                        None => panic!("{name} passes for an unknown variable"),
                    }
                }
            }
        }
        for row in REFUSED {
            let judged = judge_name(&row.name.to_ascii_uppercase());
            assert!(
                judged.is_some_and(|judged| judged.is_way_out),
                "{}",
                row.name
            );
        }
    }

    fn capitalised(name: &str) -> String {
        name[..1].to_ascii_uppercase() + &name[1..]
    }
}
