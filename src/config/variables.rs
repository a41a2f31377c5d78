//! The variable table: every variable Postrider knows, in one place.
//!
//! The manual page is rendered from it. A variable that is not here is accepted silently by `set`,
//! because rc files are shared with other programs, unless its name begins like a variable of the
//! route, or differs only by case from one: then nothing is sent. A name that differs only by case
//! from another row is reported. See [`judge_name`].

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
    /// The value if it is not set; empty for "not set".
    pub default: &'static str,
    /// Whether it decides how mail is sent, or how safely: if its value is invalid, nothing is
    /// sent.
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

/// A row that decides how mail is sent, or how safely.
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

const TLS_VERSION: &[Choice] = &[
    choice("1.2", &["TLSv1.2", "TLS1.2"]),
    choice("1.3", &["TLSv1.3", "TLS1.3"]),
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

const OUTBOX: &[Choice] = &[
    choice("auto", &["yes", "on", "1", "true", ""]),
    choice("off", &["no", "0", "false", "none"]),
];

const STATUS: &[Choice] = &[choice("75", &[]), choice("0", &[])];

const ALIASES: &[Choice] = &[
    choice("/etc/aliases", &[]),
    choice("/etc/mail/aliases", &[]),
];

const DIGEST: &[Choice] = &[choice("sha256", &["sha-256"])];

const QUOTE: &[Choice] = &[
    choice("attribution", &["yes", "on", "1", "true", ""]),
    choice("noheading", &[]),
    choice("headers", &[]),
    choice("allheaders", &[]),
];

const YES_NO: &[Choice] = &[
    // s-nail's `ask-` forms ask a person; the answer that it proposes counts here.
    choice("yes", &["on", "1", "true", "ask-yes", ""]),
    choice("no", &["off", "0", "false", "ask-no"]),
];

const TAKE_UP: &[Choice] = &[
    // heirloom mailx has `nopoll`, which concerns IMAP only.
    choice("yes", &["on", "1", "true", "nopoll", ""]),
    choice("no", &["off", "0", "false"]),
];

use ValueKind::{
    Address, Arguments, Colours, DateFormat, Duration, Headline, Host, Number, OneOf, OneOfOrPath,
    Path, Route, Secret, Size, Switch, SwitchOrNumber, Targets, Text, Word,
};

/// The table, sorted by name.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("Sign", &[], Text, "", "The text that `~A` inserts; see sign."),
    row("allnet", &[], Switch, "", "When a message list names an address, compare only the local part."),
    row("append", &[], Switch, "set", "Put messages that move to MBOX after those that are there. If unset, they are put before them."),
    row("askatend", &[], Switch, "set", "Ask for Cc and Bcc recipients after the text of a message. If unset, they are asked for before it."),
    row("askattach", &[], Switch, "", "Ask for files to attach after a message was typed at a terminal; an empty answer ends the list."),
    row("askbcc", &[], Switch, "", "Ask for Bcc recipients after a message was typed at a terminal."),
    row("askcc", &[], Switch, "", "Ask for Cc recipients after a message was typed at a terminal."),
    row("asksend", &[], Switch, "", "Ask whether a message typed at a terminal is to be sent: `yes` sends it, `no` keeps its text and does not send it, and an empty answer goes back to the text."),
    row("asksub", &["ask"], Switch, "set", "Ask for the subject of a message typed at a terminal, unless -s gave one."),
    row("attrlist", &[], Text, "", "The letters of the header summary instead of `NUR *PMFAT`, in this order: new, unread, read in this session, read, saved, held, moved to MBOX, flagged, answered, draft."),
    way("autobcc", &[], Address, "", "Recipients who get a copy of every message, hidden from the others."),
    way("autocc", &[], Address, "", "Recipients who get a copy of every message."),
    row("autoinc", &["newmail"], OneOf(TAKE_UP), "", "Take up new messages of the open mailbox before each prompt, as `newmail` does. With `no`, or unset, they are only announced."),
    row("autoprint", &[], Switch, "", "Show the next message after `delete`."),
    row("autosort", &["sort"], Text, "", "Sort each mailbox when it is opened: date, from, size, status, subject, thread, to, or one of them with reverse- in front; see sort. mutt's `threads` and `mailbox-order` are known too."),
    row("bang", &[], Switch, "", "In a shell command of `!` or `~!`, replace each `!` by the last such command; `\\!` is a `!`."),
    row("cmd", &[], Text, "", "The command of `pipe` where none is given."),
    row("colour", &["color"], Colours, "", "Colour what the reader shows at a terminal; a list such as `new=bold,quote=bright-blue` changes the looks. If it is not set, colours are used unless NO_COLOR is set; never if TERM is dumb. If unset, they are not used. See COLOURS."),
    row("crt", &[], SwitchOrNumber, "", "At a terminal, use the pager for text with more lines than this; without a number, or if it is not set, for text that is longer than the screen. If unset, no pager is used; this is the default with POSIXLY_CORRECT or posix, and if TERM is dumb."),
    row("datefield", &[], DateFormat, "", "Show the date of the Date field in the header summary, in this format of strftime; without a value `%Y-%m-%d %H:%M`. By default the layout decides: bsd shows the date of the From_ line, others that of the Date field."),
    row("datefield-markout-older", &[], DateFormat, "", "With datefield, the format of dates that are older than half a year, or more than a day in the future; without a value `%Y-%m-%d`."),
    row("dead", &["DEAD"], Path, "~/dead.letter", "The file to which messages that could not be sent are appended."),
    way("debug", &[], Switch, "", "Print messages and their routes on standard error and send nothing, like -d."),
    row("display-name", &[], Text, "", "The display name of the default sender, for example `%u on %h`, and of from where it replaces a sender without a name; for these the default is the name in from, else `%u on %h`. %u is the login name or the name that was replaced, %n the full name of that account, %h the host name, %H the host name with its domain."),
    row("dot", &[], Switch, "", "End a message typed at a terminal when a line contains only a dot. Such a line never ends piped text."),
    row("editalong", &[], Text, "", "Start an editor when a message is typed at a terminal: the editor of `~e`, or that of `~v` if the value begins with v."),
    row("editheaders", &[], Switch, "", "Let the editors of `~e` and `~v` edit the header of the message too."),
    row("editor", &["EDITOR"], Text, "", "The editor of `~e` and `edit`; the default is $EDITOR, else vi at a terminal."),
    row("errexit", &[], Switch, "", "End at the first error of a command that does not come from a terminal. Nothing is changed, and the exit status is that of the failure, or 1."),
    row("escape", &[], Text, "~", "The character that begins an escape in a typed message; an empty value turns escapes off."),
    way("expandaddr", &[], Targets, "", "Allow recipients that begin with `|` (commands) or `/` (files); by default they are errors. A list, as in s-nail, allows some kinds only: `-all,+addr` allows only addresses."),
    row("flipr", &["Replyall"], Switch, "", "Swap `reply` and `Reply`, and `followup` and `Followup`: the commands in lower case then reply to the author only."),
    row("folder", &[], Path, "", "The directory in which `+NAME` is a file; a relative path begins at the home directory."),
    row("followup-to", &[], Switch, "", "A message to a mailing list that `mlist` or `mlsubscribe` names gets the field Mail-Followup-To, so that answers to all go to its recipients; to you as well, at the address in from, if you have not subscribed to each of the lists."),
    row("followup-to-honour", &[], OneOf(YES_NO), "yes", "A reply to all goes only to those whom the field Mail-Followup-To of the message names, if it has one. With `no`, or unset, the field is ignored."),
    row("forward-as-attachment", &[], Switch, "", "`forward` attaches the whole message, instead of adding its text to yours."),
    row("forward-attachments", &[], Switch, "set", "`forward` sends what was attached to the message along with its text. If unset, only the text is forwarded."),
    row("from", &["return-address"], Address, "", "The From field and the envelope sender. In mail to a relay they also replace senders that are only names of this host, such as `root` of cron: the display name stays, or is made by display-name. An address with a full domain that was given for a message stays; see from-force. By default sendmail chooses the sender, and a relay sees user@qualify-domain."),
    way("from-force", &[], Switch, "", "The relay takes mail from one sender only: from replaces every other sender, too, and the address that was replaced becomes the Reply-To field, unless the message has one. Bounces keep their empty envelope sender."),
    row("fullnames", &[], Switch, "set", "Replies keep the names beside the addresses. If unset, only the addresses are taken."),
    row("header", &[], Switch, "set", "Print the header summary when a mailbox is opened."),
    row("headline", &[], Headline, "", "The layout of the header summary: `bsd` (the default, if the output is not a terminal), `s-nail`, `postrider` (the default at a terminal), or a format; see mailx(1)."),
    row("history", &[], Switch, "set", "Keep the commands typed at a terminal, for later sessions too, in postrider/history below $XDG_STATE_HOME or ~/.local/state. Lines that set a secret, or name a URL with a password, are not kept."),
    row("hold", &[], Switch, "set", "Leave read messages in the system mailbox. If unset, messages used in a session move to MBOX."),
    way("hostname", &[], Host, "", "The name of this host in Message-IDs and in EHLO, and the default of qualify-domain."),
    row("ignore", &[], Switch, "", "Ignore interrupts while a message is typed."),
    row("ignoreeof", &[], Switch, "", "End-of-file does not end a message typed at a terminal; a line with a single dot or `~.` does."),
    row("inbox", &["MAIL"], Path, "", "Your system mailbox; the rules for $MAIL apply."),
    row("indentprefix", &[], Text, "\t", "The text that `~m`, and a reply with `quote`, put before each line of a message."),
    row("keep", &[], Switch, "set", "Keep a mailbox that has become empty as an empty file. If unset, it is removed."),
    row("keepsave", &[], Switch, "set", "Leave saved messages in the system mailbox. If unset, they are removed from it."),
    row("lister", &["LISTER"], Text, "", "The program that `folders` runs to list the files of a directory; the shell runs it. The default is $LISTER, else ls."),
    way("local", &[], OneOf(LOCAL), "", "With `relay`, mail for accounts on this host is also sent to the relay, with a domain added to the name. With `no`, which is the default, it stays on this host."),
    row("lock-timeout", &[], Duration(0), "30", "How long to wait for the lock of a mailbox; 0 tries once. For an unsent message Postrider waits at most 10 seconds, and then keeps it in a new file."),
    row("log", &[], OneOfOrPath(LOG), "syslog", "Write a line for each recipient to the system's log (`syslog`) or to this file; with `off`, write none. If the file cannot be written, a warning is printed and the mail is sent."),
    row("max-size", &[], Size, "", "The size of the largest message to send. In a larger message, attachments are replaced by a note that names them; with --strict-size the message is refused."),
    row("mbox", &["MBOX"], Path, "", "The file that `&` names and to which read messages are moved; the default is $MBOX, else ~/mbox."),
    row("metoo", &[], Switch, "set", "Send the message to yourself too, if you are a member of an alias. If unset, your own names are left out of the alias, unless it has no other member. The default is for aliases: a reply to all goes to you too only if you set it."),
    way("mta", &["sendmail"], Route, "auto", "How mail is sent: `auto`; `sendmail`; the path, or file://PATH, of a sendmail; smtp://, smtps://, submission:// or submissions://HOST[:PORT], or a list of these with commas between them, which are tried in this order if a relay cannot be reached or takes no mail now; `local`; `test` or test:///FILE. If smtp is set too, the variable that was set later counts."),
    way("mta-aliases", &[], OneOf(ALIASES), "", "Accepted, no effect: the aliases of this host are always followed if Postrider does not use sendmail; another file cannot be named."),
    way("mta-arguments", &["sendmail-arguments"], Arguments, "", "More arguments for sendmail, for example `-a work` for msmtp; they come after Postrider's own -i. The options -t and --, and modes that send nothing, are refused."),
    way("mta-argv0", &["sendmail-progname"], Word, "", "The name (argv[0]) that sendmail is called by, for a wrapper that depends on it."),
    way("mta-bcc-ok", &[], Switch, "", "Accepted, no effect: Bcc recipients are only in the envelope."),
    way("netrc-lookup", &[], Switch, "set", "If no other password is configured, look for the relay in ~/.netrc, or in the file that $NETRC names."),
    row("nss-config-dir", &[], Path, "", "Accepted, no effect: the authorities in tls-ca-file are trusted, or else those of the system."),
    row("nullbody", &[], Switch, "set", "Send messages without a body. If unset, they are not sent, as with -E."),
    row("nullbodymsg", &[], Text, "Null message body; hope that's ok", "The note that is printed when a message without a body is sent."),
    way("oauth", &[], Word, "", "Fetch a token for the relay and log in with it: `microsoft:TENANT` (Exchange Online; the tenant's domain or id) or `google`. For other services set oauth-token-url. The login is smtp-auth-user, or the address of from. Tokens are kept in the state directory, in files for you alone, until shortly before they expire. The service must answer within smtp-timeout, and within 30 seconds."),
    way("oauth-ca-file", &[], Path, "", "The certificates (PEM) of the authorities to trust for the service that gives tokens, instead of the system's."),
    way("oauth-client-id", &[], Word, "", "The id under which the application is registered with the service that gives tokens."),
    way("oauth-key-file", &[], Path, "", "The key file (JSON) of a service account that may send for the mailbox, as Google makes it. Other users must not be able to read it."),
    way("oauth-refresh-token-file", &[], Path, "", "A file whose first line is a refresh token, which somebody got by logging in. If the service gives a new one, it is written there before the mail is sent. Other users must not be able to read it."),
    way("oauth-scope", &[], Word, "", "The right to ask for. For Microsoft and for a service account of Google, the right to send mail is the default."),
    way("oauth-secret-file", &[], Path, "", "A file whose first line is the client secret of the application. Other users must not be able to read it."),
    way("oauth-token-url", &[], Word, "", "The address of the service that gives tokens. It must begin with https://; http:// is allowed for 127.0.0.1 and [::1]. Redirects are not followed, and proxies of the environment are not used."),
    row("onehop", &[], Switch, "", "Accepted, no effect: mail systems choose the way of a message themselves."),
    row("outbox", &[], OneOfOrPath(OUTBOX), "auto", "Keep a message that no next hop takes now in the outbox, from which it is sent later. `auto` is /var/spool/postrider/outbox for root, and postrider/outbox below $XDG_STATE_HOME or ~/.local/state for others; or it is this directory, which must belong to you alone. With `off`, or unset, such messages are appended to the dead letter file."),
    row("outbox-lifetime", &[], Duration(1), "5d", "How long a message is tried from the outbox. After that time it is moved to the directory failed of the outbox and reported; nothing sends it by itself any more."),
    row("outbox-max-count", &[], Number(1), "1000", "How many messages the outbox may hold. One more is not kept there: if it cannot be sent at once, it is appended to the dead letter file."),
    row("outbox-max-share", &[], Number(1), "20", "How much of the free space of its disk the outbox may take, in percent."),
    row("outbox-max-size", &[], Size, "100M", "How many bytes the outbox may hold."),
    row("outbox-merge", &[], Switch, "set", "Do not keep a message in the outbox that waits there already: the same recipients, sender, subject and body, at most 10 minutes earlier. The first one goes out with the header field `X-Postrider-Repeated`, which says how many more there were. Signed and encrypted messages, and messages with attachments, are always kept."),
    row("outbox-notice", &[], Switch, "set", "Put a note into your own mailbox on this host if messages wait in the outbox for more than 15 minutes, or have failed for good: at most once an hour."),
    row("outbox-rate", &[], Number(0), "", "How many messages a minute leave the outbox; 0 or unset means no limit. Exchange Online takes 30."),
    row("outbox-status", &[], OneOf(STATUS), "75", "The exit status of a mail that waits in the outbox: 75, or that of its failure; with `0` it is 0, as with programs that queue mail. Called as sendmail it is always 0."),
    row("outfolder", &[], Switch, "", "Put the copies of record and -F, and the files that `Save`, `Copy` and `Move` name after an author, into folder, unless their path is absolute."),
    row("page", &[], Switch, "", "Print a form feed after each message that is shown or given to `pipe`."),
    row("pager", &["PAGER"], Text, "", "The program that shows long messages; the shell runs it. The default is $PAGER, else less if it is installed, else more."),
    way("password", &["smtp-auth-password"], Secret, "", "The password for the relay. Use password-file or password-command instead if you can."),
    way("password-command", &[], Word, "", "A program, with its arguments, that prints the password as its first line. It is run without a shell, and once more if the relay refuses what it printed. If it ends with status 75, 69 or 68, is killed, or takes more than 30 seconds, the mail can be sent later (75); any other failure is a refused login (77)."),
    way("password-file", &[], Path, "", "A file whose first line is the password. Other users must not be able to read it. As with password and password-command, it is used only for the relay that is set in the same place (file, account or command line), else for the one that was set before."),
    row("posix", &[], Switch, "", "Follow the rules of POSIX, as with POSIXLY_CORRECT: hold, keepsave, keep and append are unset by default; all header fields are shown that ignore does not name; there is no pager unless crt is set; and a script goes on after a failure."),
    row("prompt", &[], Text, "", "The prompt of the reader. The default is `?` and a blank; if the program is called mail, `&` and a blank."),
    way("qualify-domain", &[], Host, "", "The domain that is added to bare names in mail that leaves this host; the default is hostname."),
    row("quiet", &[], Switch, "", "Do not print the banner when the reader starts, nor how far long work has come."),
    row("quote", &[], OneOf(QUOTE), "", "Replies begin with the text of the message, each line with indentprefix in front (`> ` unless it is set), after a line that says who wrote it. With `noheading` that line is left out; with `headers` or `allheaders` it is replaced by header fields of the message."),
    row("recipients-in-cc", &[], Switch, "", "In a reply to all, put the recipients of the To field into the Cc field, so that To names only the author."),
    row("record", &[], Path, "", "Append a copy of every message that is sent to this mbox. A missing directory is created. If the file cannot be written, nothing is sent."),
    row("reply-to-honour", &[], OneOf(YES_NO), "yes", "Replies go to the addresses in Reply-To instead of the author. With `no`, or unset, the field is ignored."),
    row("replyto", &["reply-to", "REPLYTO"], Address, "", "The Reply-To field."),
    row("resend-uncertain", &[], Switch, "set", "Send a message again, once and after 15 minutes, if it is uncertain whether the relay has accepted it. It may then arrive twice, with the same Message-ID. If unset, it stays in the outbox until you decide."),
    row("save", &[], Switch, "set", "Keep messages that could not be sent."),
    row("screen", &[], Number(1), "", "How many lines of the header summary to show at a time."),
    row("searchheaders", &[], Switch, "", "In message lists, `/field:text` looks into that header field; `/to:text` looks into To, Cc and Bcc."),
    row("sender", &[], Address, "", "The Sender field; it is also the envelope sender, instead of from. In mail to a relay it replaces senders as from does."),
    way("sendmail-timeout", &[], Duration(0), "600", "How long to wait for sendmail; after that time the outcome is uncertain. 0 means no limit."),
    row("sendwait", &[], Switch, "set", "Accepted, no effect: Postrider always waits for its children."),
    row("shell", &["SHELL"], Text, "", "The shell that runs commands; the default is $SHELL, else /bin/sh."),
    row("showlast", &[], Switch, "", "Start at the last message of a mailbox instead of the first new one."),
    row("showname", &[], Switch, "", "Show names instead of addresses in the header summary."),
    row("showto", &[], Switch, "", "In the header summary, show the recipient of messages that you have sent. These are messages from your login name at this host, from the address in from, or from your alternates."),
    row("sign", &[], Text, "", "The text that `~a` inserts; `\\t` stands for a tab and `\\n` for a new line."),
    row("skipemptybody", &["skipempty"], Switch, "", "Do not send messages that have neither a body nor attachments, like -E."),
    way("smtp", &[], Route, "", "The relay for mail that leaves this host: HOST, HOST:PORT, or a URL as for mta, or a list of these. Mail to accounts on this host stays here, unless local=relay is set."),
    way("smtp-accept-timeout", &[], Duration(1), "600", "How long to wait, when the relay has the whole message, for its word that it takes it. If the time is too short, a message may be delivered twice."),
    way("smtp-auth", &[], OneOf(AUTH), "auto", "The authentication method; with `none` Postrider never logs in."),
    way("smtp-auth-user", &["user"], Word, "", "The login name for the relay."),
    way("smtp-connect-timeout", &["socket-connect-timeout"], Duration(1), "10", "How long to wait for a connection to each address of the relay."),
    way("smtp-deadline", &[], Duration(0), "60", "How long it may take until the relay has the whole message. 0 or unset means no limit, which is the default at a terminal."),
    way("smtp-hostname", &[], Host, "", "The name that EHLO sends; the default is hostname."),
    way("smtp-timeout", &[], Duration(1), "60", "How long to wait for a reply of the relay. The reply after the message has a limit of its own, smtp-accept-timeout."),
    way("smtp-use-starttls", &[], Switch, "", "Require TLS, like `tls=require`."),
    way("spool", &[], Path, "", "The directory of system mailboxes; the default is /var/spool/mail or /var/mail."),
    way("tls", &[], OneOf(TLS), "auto", "Whether to use TLS with the relay. `auto`: if the relay offers it or its URL requires it. `require`: always; without TLS nothing is sent. `no`: never; this is refused if there is a login (except at loopback addresses) or if the URL requires TLS."),
    way("tls-ca-file", &[], Path, "", "The certificates (PEM) of the authorities to trust for the relay, instead of the system's."),
    way("tls-ca-no-defaults", &["tls-no-default-ca"], Switch, "", "Do not trust the system's authorities; then tls-ca-file or tls-fingerprint must be set."),
    way("tls-cert", &[], Path, "", "The certificate (PEM) by which a relay recognises this host, with the certificates of its authorities after it. TLS is then required."),
    way("tls-fingerprint", &[], Word, "", "The SHA-256 fingerprint of the relay's certificate, in hexadecimal, or several with commas between them, for several relays. Only these certificates are accepted; their chains and the host names in them are not checked."),
    way("tls-fingerprint-digest", &[], OneOf(DIGEST), "", "Accepted, no effect: fingerprints are always SHA-256."),
    way("tls-key", &[], Path, "", "The private key (PEM, without a passphrase) of tls-cert; the default is the file in tls-cert. Other users must not be able to read it."),
    way("tls-min-version", &[], OneOf(TLS_VERSION), "1.2", "The oldest version of TLS to use with the relay. Older versions than TLS 1.2 are never used."),
    row("tls-rand-file", &[], Path, "", "Accepted, no effect: random numbers come from the kernel."),
    way("tls-verify", &[], OneOf(VERIFY), "strict", "With `ignore`, accept any certificate if no password is sent."),
    row("toplines", &[], Number(0), "5", "How many lines of a message `top` shows."),
    row("verbose", &[], Switch, "", "Report what is done, like -v."),
    row("visual", &["VISUAL"], Text, "", "The editor of `~v` and `visual`; the default is $VISUAL, else vi at a terminal."),
];

/// A variable of s-nail or heirloom mailx that changes how mail is sent and that Postrider does not
/// have: if it is set, nothing is sent.
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
    refused("expandaddr-domaincheck", "Postrider does not compare recipients with a list of domains"),
    refused("mta-no-default-arguments", "set mta= to a script that calls the program with the right arguments"),
    refused("mta-no-receiver-arguments", "recipients are always passed as arguments"),
    refused("netrc-pipe", "set password-command= to a program that prints the password"),
    refused("sendmail-no-default-arguments", "set mta= to a script that calls the program with the right arguments"),
    refused("smime-encrypt", "Postrider does not encrypt messages"),
    refused("smime-force-encryption", "Postrider does not encrypt messages"),
    refused("smime-sign", "Postrider does not sign messages"),
    refused("smtp-config", "set smtp-auth= and tls= instead"),
    refused("socks-proxy", "Postrider connects directly; set mta= to a sendmail that uses the proxy"),
    refused("tls-ca-dir", "set tls-ca-file= to one file with all certificates"),
    refused("tls-ca-flags", "certificates are always checked strictly"),
    refused("tls-cipher-list", "Postrider chooses the protocols (TLS 1.2 and 1.3) and ciphers itself"),
    refused("tls-config-file", "Postrider chooses the protocols (TLS 1.2 and 1.3) and ciphers itself"),
    refused("tls-config-module", "Postrider chooses the protocols (TLS 1.2 and 1.3) and ciphers itself"),
    refused("tls-config-pairs", "Postrider chooses the protocols (TLS 1.2 and 1.3) and ciphers itself"),
    refused("tls-crl-dir", "lists of revoked certificates are not supported; tls-fingerprint= accepts one certificate only"),
    refused("tls-crl-file", "lists of revoked certificates are not supported; tls-fingerprint= accepts one certificate only"),
    refused("tls-curves", "Postrider chooses the protocols (TLS 1.2 and 1.3) and ciphers itself"),
    refused("tls-method", "set tls-min-version= to 1.2 or 1.3"),
    refused("tls-protocol", "set tls-min-version= to 1.2 or 1.3"),
];

/// How the names of variables of the route begin, in lower case and with dashes.
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

/// Returns whether a name is that of a variable of the route, also if it is misspelt.
pub(crate) fn is_way_out(name: &str) -> bool {
    match row_of(name) {
        Some(row) => row.is_way_out,
        None => judge_name(name).is_some_and(|judged| judged.is_way_out),
    }
}

/// The problem with the name of an unknown variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misnamed {
    /// What is wrong, in lower case.
    pub(crate) what: String,
    /// The next step, if there is one.
    pub(crate) hint: Option<String>,
    /// The variable whose name differs only by case or by `_` for `-`.
    pub(crate) twin: Option<&'static str>,
    /// Whether it concerns the route: then nothing is sent.
    pub is_way_out: bool,
}

/// Judges an unknown name: it may begin like a variable of the route, or differ from a known name
/// only by case.
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
        let what = format!("{name} is not supported: {base} cannot be set for one host or user");
        let hint =
            "put the settings of one relay into account NAME { set … } and use it by -A NAME";
        return Some(of_the_way_out(what, Some(hint.to_owned())));
    }
    let what = format!("unknown variable {name}");
    let plain = plain(name);
    if let Some((twin, is_way_out)) = twin(name, &plain) {
        return Some(Misnamed {
            what: format!("{what}: did you mean {twin}?"),
            hint: None,
            twin: Some(twin),
            is_way_out,
        });
    }
    let begins = WAY_OUT.iter().any(|start| plain.starts_with(start));
    if !begins && !plain.contains("starttls") {
        return None;
    }
    let near = nearest(&plain).map(|near| format!("did you mean {near}?"));
    Some(of_the_way_out(what, near))
}

/// Returns a name in lower case, with dashes, and without those that an option has in front.
fn plain(name: &str) -> String {
    // Web pages and word processors make another dash of a `-`.
    let is_dash = [
        '_', '\u{2010}', '\u{2011}', '\u{2013}', '\u{2014}', '\u{2212}',
    ];
    let name = name.to_ascii_lowercase().replace(is_dash, "-");
    canonical(name.trim_start_matches(['-', '+'])).into_owned()
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
    let (changes, near) = names
        .map(|row| (strsim::levenshtein(name, row), row))
        .min()?;
    // Three changes lead from almost any short name to any other: a hint would be a guess.
    (changes <= 2).then_some(near)
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
            "-tls",
            "password\u{2013}file",
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
            "oauth-scopes",
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
            "-e",
            "+x",
            "ttycharset",
            "colour-disable",
            "useragent",
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
