//! Lines that people have in their rc files, and what becomes of each: one table to read.
//!
//! The lines are those of s-nail, heirloom mailx, bsd-mailx (and OpenBSD's mail), GNU mail and AIX's
//! mail, as their manuals have them and as people write them.

use std::panic::catch_unwind;

use postrider::door::Mailrc;

use crate::case::Case;

/// What a line does.
enum Does {
    /// It counts: what `--explain` prints has lines that begin so. Nothing is told.
    Explains(&'static [&'static str]),
    /// A mail to ops@x.org goes to these recipients instead. Nothing is told.
    Reaches(&'static [&'static str]),
    /// It is taken without a word, and changes nothing.
    Nothing,
    /// One line is told, which says this; the mail goes the way it would have gone.
    Told(&'static str),
    /// Nothing is sent (78), and this is said; a mailbox can be listed all the same.
    Stops(&'static str),
}

use Does::{Explains, Nothing, Reaches, Stops, Told};

/// Whose a line is; POSIX: all programs have it.
const POSIX: &str = "POSIX";
const SNAIL: &str = "s-nail";
const HEIRLOOM: &str = "heirloom mailx";
const BSD: &str = "bsd-mailx";
const GNU: &str = "GNU mail";
const AIX: &str = "AIX mail";
/// A slip, or the habit of another program.
const SLIP: &str = "a person";

type Row = (&'static str, &'static str, Does);

#[rustfmt::skip]
const ASSIGNMENTS: &[Row] = &[
    (POSIX, "set from=a@x.org", Explains(&["setting from: a@x.org"])),
    (POSIX, "se from=a@x.org", Explains(&["setting from: a@x.org"])),
    (POSIX, "set from=\"A B <a@x.org>\"", Explains(&["setting from: A B <a@x.org>"])),
    (POSIX, "set from='A \"B\" <a@x.org>'", Explains(&["setting from: A \"B\" <a@x.org>"])),
    (HEIRLOOM, "set from=\"a@x.org (A B)\"", Explains(&["sender a@x.org"])),
    (POSIX, "set folder=mail record=+sent", Explains(&["setting folder: mail", "setting record: +sent"])),
    (POSIX, "set sign=\"Regards\\nAlice\"", Explains(&["setting sign: Regards\\nAlice"])),
    (POSIX, "set prompt=#", Explains(&["setting prompt: #"])),
    (POSIX, "set prompt='& '", Explains(&["setting prompt: &"])),
    (POSIX, "set indentprefix=\"> \"", Explains(&["setting indentprefix: >"])),
    (POSIX, "set crt=24 toplines=10", Explains(&["setting crt: 24", "setting toplines: 10"])),
    (POSIX, "\tset\ttoplines=7\tcrt=9\t", Explains(&["setting toplines: 7", "setting crt: 9"])),
    (POSIX, "set toplines=\\\n7", Explains(&["setting toplines: 7"])),
    (POSIX, "set toplines=7 \\\n    crt=9", Explains(&["setting toplines: 7", "setting crt: 9"])),
    (POSIX, "set noheader", Explains(&["setting header: unset"])),
    (POSIX, "unset header", Explains(&["setting header: unset"])),
    (POSIX, "set toplines=7\nset notoplines", Explains(&["setting toplines: unset"])),
    (POSIX, "set ask askcc append dot save", Explains(&["setting askcc: set", "setting dot: set"])),
    (BSD, "set ask askcc append dot save crt", Explains(&["setting crt: set"])),
    (GNU, "set indentprefix=\"> \" screen=20 save appenddeadletter", Explains(&["setting screen: 20"])),
    (GNU, "set sendmail=\"/usr/sbin/sendmail\"", Explains(&["recipient ops@x.org: sendmail /usr/sbin/sendmail"])),
    (GNU, "set sendmail=\"sendmail:/usr/sbin/sendmail\"", Explains(&["recipient ops@x.org: sendmail /usr/sbin/sendmail"])),
    (GNU, "set sendmail=\"smtp://h.x.org\"", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (GNU, "set return-address=a@x.org", Explains(&["setting from: a@x.org"])),
    (AIX, "set metoo asksub ignoreeof toplines=3 screen=8", Explains(&["setting toplines: 3", "setting screen: 8"])),
    (AIX, "set EDITOR=/usr/bin/ed VISUAL=/usr/bin/vi", Explains(&["setting editor: /usr/bin/ed"])),
    (AIX, "set folder=/home/lance/letters record=letters/mailout", Explains(&["setting folder: /home/lance/letters"])),
    (SLIP, "set mta = smtp://h.x.org", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (SLIP, "set mta =smtp://h.x.org", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (SLIP, "set mta= smtp://h.x.org", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (SLIP, "set from = \"A B <a@x.org>\" toplines = 7", Explains(&["setting from: A B <a@x.org>", "setting toplines: 7"])),
    (SNAIL, "set smtp-hostname= hostname=h.x.org", Explains(&["host h.x.org"])),
    (SLIP, "set toplines=7 # don't scroll", Explains(&["setting toplines: 7"])),
    (SLIP, "set toplines=7 ##<-- lines", Explains(&["setting toplines: 7"])),
    (SLIP, "set record=a#b", Explains(&["setting record: a#b"])),
    (SLIP, "set toplines=7 # it's\nset crt=9 # it's", Explains(&["setting toplines: 7", "setting crt: 9"])),
    (SLIP, "set record=\"# no comment\"", Explains(&["setting record: # no comment"])),
    (SLIP, "set -e", Nothing),
    (SLIP, "set -o allexport +x", Nothing),
    (SLIP, "set nonesuch nonesuch=1 nononesuch", Nothing),
    (SNAIL, "set v15-compat sendcharsets=utf-8,iso-8859-1 reply-in-same-charset fullnames", Nothing),
    (SNAIL, "set mime-counter-evidence=0b1111 history-gabby=all followup-to-honour=ask-yes", Nothing),
    (SNAIL, "set colour-disable line-editor-disable pipe-text/html='?* lynx' folder-hook-/x=f", Nothing),
    (SLIP, "set -smtp=h.x.org", Stops("did you mean smtp?")),
    (SLIP, "set smtp-uth=login", Stops("unknown variable smtp-uth")),
    (SLIP, "set password\u{2013}file=x", Stops("did you mean password-file?")),
    (SLIP, "set mta=\u{201c}smtp://h.x.org\u{201d}", Stops("[DIR]/rc:4: ")),
    (SLIP, "set mta=smtp://h.x.org;", Stops("[DIR]/rc:4: ")),
    (SLIP, "set mta=\"smtp://h.x.org", Stops("a quote is not closed: mta")),
    (SLIP, "set record=\"sent", Told("a quote is not closed: record")),
    (SLIP, "set from=Alice Smith <a@x.org>", Told("\"<a@x.org>\" is not the name of a variable; a value with blanks in it needs quotes")),
    (SLIP, "set smtp=h .x.org", Stops("\".x.org\" is not the name of a variable; a value with blanks in it needs quotes")),
    (SLIP, "set from=a @x.org", Told("\"@x.org\" is not the name of a variable; a value with blanks in it needs quotes")),
    (SLIP, "set toplines=many", Told("toplines must be a whole number")),
    (SLIP, "mta=smtp://h.x.org", Stops("unknown command \"mta=…\"")),
    (SLIP, "mta = smtp://h.x.org", Stops("unknown command \"mta\"")),
    (SLIP, "set mta smtp://me:secret@h.x.org", Stops("a URL is not the name of a variable")),
    (SLIP, "set mta smt'p://me:secret@h.x.org", Stops("a quote is not closed: mta smt'p")),
    (SLIP, "smtp://me:secret@h.x.org", Stops("unknown command \"smtp://…\"")),
    (SLIP, "smtp-auth-password=secret", Stops("unknown command \"smtp-auth-password=…\"")),
    (POSIX, "set record='it\\'s # sent' toplines=7", Explains(&["setting record: it's # sent", "setting toplines: 7"])),
    (SLIP, "setmta=smtp://h.x.org", Stops("unknown command \"setmta=…\"")),
    (SLIP, "relay=smtps://h.x.org", Stops("unknown command \"relay=…\"")),
    (SLIP, "set mta=/usr/bin/msmtp -a work", Stops("\"-a\" is not the name of a variable; a value with blanks in it needs quotes")),
    (SLIP, "set -x mta=smtp://h.x.org", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (SLIP, "export smtp=h.x.org", Stops("unknown command \"export\"")),
];

#[rustfmt::skip]
const RELAYS: &[Row] = &[
    (HEIRLOOM, "set smtp=h.x.org", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (HEIRLOOM, "set smtp=smtp://h.x.org:587", Explains(&["recipient ops@x.org: relay smtp://h.x.org:587"])),
    (HEIRLOOM, "set smtp=smtps://h.x.org:465 ssl-verify=ignore nss-config-dir=/etc/pki/nssdb", Explains(&["recipient ops@x.org: relay smtps://h.x.org:465"])),
    (HEIRLOOM, "set smtp=h.x.org smtp-use-starttls smtp-auth=login smtp-auth-user=a@x.org", Explains(&["setting smtp-auth: login", "setting smtp-auth-user: a@x.org"])),
    (HEIRLOOM, "set smtp-auth-password=secret ##<-- the code", Explains(&["setting password: (secret)"])),
    (SNAIL, "set mta=smtps://a%40x.org:secret@h.x.org:465", Explains(&["recipient ops@x.org: relay smtps://h.x.org:465"])),
    (SNAIL, "set mta=submission://h.x.org tls-verify=strict", Explains(&["recipient ops@x.org: relay submission://h.x.org:587"])),
    (SNAIL, "set tls-ca-file=/etc/ssl/certs/ca-certificates.crt tls-ca-no-defaults", Explains(&["setting tls-ca-no-defaults: set"])),
    (SNAIL, "set ssl-ca-file=/etc/ssl/certs/ca-certificates.crt ssl-no-default-ca", Explains(&["setting tls-ca-no-defaults: set"])),
    (SNAIL, "set tls-verify=warn", Stops("tls-verify must be")),
    (SNAIL, "set ssl-protocol=\"-ALL,+TLSv1.2\"", Stops("ssl-protocol is not supported")),
    (HEIRLOOM, "set ssl-auth=login", Stops("unknown variable ssl-auth")),
    (HEIRLOOM, "set smtp-auth-user-a@h.x.org=b", Stops("smtp-auth-user-a@h.x.org is not supported")),
    (SNAIL, "set password-a@h.x.org=secret", Stops("password-a@h.x.org is not supported")),
    (SLIP, "set smtp-auth-user@h.x.org=a", Stops("smtp-auth-user@h.x.org is not supported")),
    (SNAIL, "set imap-auth=login pop3-keepalive=240 imap-keepalive=240", Nothing),
];

#[rustfmt::skip]
const MODIFIERS: &[Row] = &[
    (SNAIL, "wysh set toplines=7", Explains(&["setting toplines: 7"])),
    (SNAIL, "\\set toplines=7", Explains(&["setting toplines: 7"])),
    (SNAIL, "\\wysh set toplines=7", Explains(&["setting toplines: 7"])),
    (SNAIL, "ignerr wysh set toplines=7", Explains(&["setting toplines: 7"])),
    (SNAIL, "u set toplines=7\nscope set crt=9\nglobal set screen=5", Explains(&["setting toplines: 7", "setting crt: 9", "setting screen: 5"])),
    (SNAIL, "wysh set mta=smtp://h.x.org # it's new", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (SNAIL, "wysh set mta=smtp://h.x.org; set toplines=7", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25", "setting toplines: 7"])),
    (SNAIL, "wysh set toplines=7; ", Explains(&["setting toplines: 7"])),
    (SLIP, ";", Told("unknown command \";\"")),
    (SNAIL, "wysh set record=$'it\\'s # \\x41' indentprefix=' -> '", Explains(&["setting record: it's # A"])),
    (SNAIL, "wysh set record=\"a\\\"b\\$c\" toplines=7", Explains(&["setting record: a\"b$c"])),
    (SNAIL, "wysh set record=$HOME/sent", Explains(&["setting record: [DIR]/home/sent"])),
    (SNAIL, "wysh set record=\"${HOME}/sent\"", Explains(&["setting record: [DIR]/home/sent"])),
    (SNAIL, "wysh set record='$HOME'", Explains(&["setting record: $HOME"])),
    (SNAIL, "set record=$HOME/sent", Explains(&["setting record: $HOME/sent"])),
    (SNAIL, "set v15-compat=yes\nset record=$HOME/sent # it's", Explains(&["setting record: [DIR]/home/sent"])),
    (SNAIL, "wysh set mta=smtp://$RELAY.x.org", Stops("$RELAY is not set")),
    (SNAIL, "wysh set record=$NONESUCH", Told("$NONESUCH is not set")),
    (SNAIL, "wysh set mta='smtp://h.x.org", Stops("a quote is not closed: mta")),
    (SNAIL, "wysh alias ops $'c@x.org'", Explains(&["recipient ops@x.org"])),
    (SNAIL, "local set x=1", Nothing),
    (SNAIL, "local set mta=smtp://me:secret@h.x.org", Stops("has no effect: local is only allowed in an account")),
    (SNAIL, "vput vexpr x + 1 2", Nothing),
    (SNAIL, "vput csop mta trim smtp://h.x.org", Stops("vput is not supported")),
    (SNAIL, "eval set x=$y", Nothing),
    (SNAIL, "eval set $x=y", Stops("eval is not supported")),
    (SNAIL, "eval echo x", Nothing),
    (SNAIL, "eval set mta=smtp://me:secret@h.x.org", Stops("\"eval set mta=…\" has no effect: eval is not supported")),
    (SNAIL, "environ set X=y", Nothing),
    (SNAIL, "ignerr blorb", Told("unknown command \"blorb\"")),
];

#[rustfmt::skip]
const BLOCKS: &[Row] = &[
    (SNAIL, "account w {\nset mta=smtp://w.x.org\n}", Nothing),
    (SNAIL, "account w {\nset mta=smtp://w.x.org\n}\naccount w", Explains(&["recipient ops@x.org: relay smtp://w.x.org:25"])),
    (HEIRLOOM, "account w {\n  set smtp=w.x.org\n  set from=w@x.org\n}\naccount w", Explains(&["recipient ops@x.org: relay smtp://w.x.org:25", "setting from: w@x.org"])),
    (SNAIL, "account w {\nlocalopts yes\nset from=w@x.org\nshortcut i imaps://h\n }\naccount w", Explains(&["setting from: w@x.org"])),
    (SNAIL, "account w {\nlocal set from=w@x.org\n}\naccount w", Explains(&["setting from: w@x.org"])),
    (SNAIL, "account w {\nset from=w@x.org toplines=7\n}\naccount v {\nset from=v@x.org\n}\naccount w\naccount v", Explains(&["setting from: v@x.org", "setting toplines: 5"])),
    (SNAIL, "account w {\nset from=w@x.org toplines=7\n}\naccount w\nset toplines=8\naccount null", Explains(&["setting toplines: 8"])),
    (SNAIL, "account w {\nset from=w@x.org\n} # the end\nset toplines=7", Explains(&["setting toplines: 7"])),
    (SLIP, "account w{\nset from=w@x.org\n}\naccount w", Explains(&["setting from: w@x.org"])),
    (SLIP, "account w\n{\nset from=w@x.org\n}\naccount w", Explains(&["setting from: w@x.org"])),
    (SNAIL, "account", Nothing),
    (SNAIL, "account w", Stops("there is no account \"w\"")),
    (SLIP, "account w { set from=w@x.org }", Told("account needs a name and, at the end of its line, \"{\"")),
    (SLIP, "account w { set from=w@x.org\nset mta=smtp://w.x.org\n}", Told("account needs a name and, at the end of its line, \"{\"")),
    (SLIP, "account {\nset mta=smtp://w.x.org\n}", Told("account needs a name and, at the end of its line, \"{\"")),
    (SLIP, "account my work {\nset mta=smtp://w.x.org\n}", Told("account needs a name and, at the end of its line, \"{\"")),
    (SLIP, "account \"w {\nset mta=smtp://w.x.org\n}", Told("a quote is not closed: \"w {")),
    (SLIP, "account my work\n{\nset mta=smtp://w.x.org\n}", Stops("account needs a name and, at the end of its line, \"{\"")),
    (SLIP, "acount w {\nset mta=smtp://w.x.org\n}", Told("unknown command \"acount\"")),
    (SLIP, "account w {\nset from=w@x.org\n}\nacount w", Stops("unknown command \"acount\"")),
    (SNAIL, "wysh account w {\nset from=w@x.org\n}\naccount w", Explains(&["setting from: w@x.org"])),
    (SNAIL, "account w {\nset from=w@x.org", Told("\"account\" without its closing brace")),
    (SNAIL, "account w {\nset mta=smtp://w.x.org", Stops("\"account\" without its closing brace")),
    (SNAIL, "account w {\naccount v\n}\naccount v {\naccount w\n}\naccount w", Stops("accounts use each other in a loop")),
    (SNAIL, "define f {\nset toplines=7\n}", Nothing),
    (SNAIL, "define f {\nset mta=smtp://f.x.org\n}", Nothing),
    (SNAIL, "define f {\nif t\nset toplines=7\nelse\nset toplines=8\nendif\n}", Nothing),
    (HEIRLOOM, "define f {\nset toplines=7\n}\ncall f", Nothing),
    (SNAIL, "define f {\nset mta=smtp://f.x.org\n}\ncall f", Stops("\"call f\" has no effect")),
    (SNAIL, "define f {\nalias ops c@x.org\n}\ncall f", Stops("\"call f\" has no effect")),
    (SNAIL, "define f {\naccount w\n}\nxcall f", Stops("\"xcall f\" has no effect")),
    (SNAIL, "call f", Told("there is no macro \"f\"")),
    (SNAIL, "call_if f", Nothing),
    (SLIP, "define f{\nset toplines=7\n}", Nothing),
    (SLIP, "define f\nset toplines=7", Told("\"define f\" has no lines in braces after it")),
    (SLIP, "define f", Told("\"define f\" has no lines in braces after it")),
    (SLIP, "define f\n{\nset toplines=7\n}", Nothing),
    (SLIP, "define f {\nset toplines=7\n} # f\nset crt=9", Explains(&["setting crt: 9", "setting toplines: 5"])),
    (SLIP, "define f {\nset toplines=7", Told("\"define\" without its closing brace")),
    (SLIP, "define f {\nset toplines=7\nset mta=smtp://f.x.org", Stops("\"define\" without its closing brace")),
    (SLIP, "define f x {\nset mta=smtp://f.x.org\n}", Told("define needs a name and, at the end of its line, \"{\"")),
    (SLIP, "define f { echo\nset mta=smtp://f.x.org\n}", Told("define needs a name and, at the end of its line, \"{\"")),
    (SLIP, "define f() {\nset mta=smtp://f.x.org\n}", Nothing),
    (SNAIL, "wysh define f {\nset mta=smtp://f.x.org\n}", Nothing),
    (SLIP, "{\nset toplines=7\n}", Told("unknown command \"{\"")),
    (SLIP, "}", Told("unknown command \"}\"")),
    (SNAIL, "commandalias xx 'echo hello,'\nxx you", Nothing),
    (SNAIL, "commandalias go 'set mta=smtp://g.x.org'\ngo", Explains(&["recipient ops@x.org: relay smtp://g.x.org:25"])),
    (SNAIL, "ghost go \"set toplines=7\"\ngo crt=9", Explains(&["setting toplines: 7", "setting crt: 9"])),
    (SNAIL, "commandalias set '\\set toplines=7'\nset crt=9", Explains(&["setting toplines: 7", "setting crt: 9"])),
    (SNAIL, "commandalias ping pong\ncommandalias pong ping\nping", Told("unknown command \"ping\"")),
    (SNAIL, "commandalias go 'set toplines=7'\nuncommandalias go\ngo", Told("unknown command \"go\"")),
];

#[rustfmt::skip]
const CONDITIONS: &[Row] = &[
    (POSIX, "if s\nset toplines=7\nelse\nset toplines=8\nendif", Explains(&["setting toplines: 7"])),
    (POSIX, "if r\nset toplines=7\nelse\nset toplines=8\nendif", Explains(&["setting toplines: 8"])),
    (SNAIL, "if receive\nset toplines=7\nelif send\nset toplines=8\nendif", Explains(&["setting toplines: 8"])),
    (HEIRLOOM, "if t\nset toplines=7\nelse\nset toplines=8\nendif", Explains(&["setting toplines: 8"])),
    (SNAIL, "if terminal\nset toplines=7\nendif", Nothing),
    (BSD, "if S\nset toplines=7\nendif", Explains(&["setting toplines: 7"])),
    (SNAIL, "if !r\nset toplines=7\nendif", Explains(&["setting toplines: 7"])),
    (POSIX, "if r\nif s\nset toplines=7\nelse\nset toplines=8\nendif\nelse\nset toplines=9\nendif", Explains(&["setting toplines: 9"])),
    (POSIX, "if s # when sending, it's\nset toplines=7\nendif # s", Explains(&["setting toplines: 7"])),
    (SNAIL, "if $TERM == xterm\nset toplines=7\nelse\nset toplines=8\nendif", Explains(&["setting toplines: 8"])),
    (SNAIL, "if $TERM != xterm\nset mta=smtp://h.x.org\nendif", Explains(&["recipient ops@x.org: relay smtp://h.x.org:25"])),
    (SNAIL, "if [[ $TERM == xterm ]]\nset toplines=7\nelse\nset toplines=8\nendif", Explains(&["setting toplines: 8"])),
    (SNAIL, "wysh if -z \"$TERM\" && [ \"$HOME\" != '' ]\nset toplines=7\nendif", Explains(&["setting toplines: 7"])),
    (SNAIL, "if -N header\nset toplines=7\nendif", Explains(&["setting toplines: 7"])),
    (SNAIL, "if 0\nblorb\nset mta=smtp://h.x.org\nendif", Nothing),
    (SNAIL, "if true;wysh set toplines=7;else;wysh set toplines=8;endif", Explains(&["setting toplines: 7"])),
    (SNAIL, "if \"$features\" =% ,+tls,\nset toplines=7\nendif", Told("condition \"\"$features\" =% ,+tls,\" is not understood")),
    (SNAIL, "if \"$features\" =% ,+tls,\nset mta=smtp://h.x.org\nendif", Stops("is in a block whose condition is not understood")),
    (SNAIL, "if \"$features\" =% ,+tls,\nset toplines=7\nelse\nset mta=smtp://h.x.org\nendif", Stops("is in a block whose condition is not understood")),
    (SNAIL, "if \"$features\" =% ,+tls,\nalias ops c@x.org\nendif", Stops("is in a block whose condition is not understood")),
    (SNAIL, "if \"$features\" =% ,+tls,\nsource more\nendif", Stops("is in a block whose condition is not understood")),
    (SNAIL, "if $TERM =~ ^xterm\nset toplines=7\nendif\nif x\nset crt\nendif", Told("conditions \"$TERM =~ ^xterm\", \"x\" (line 7) are not understood")),
    (SLIP, "if r\nset toplines=7\nelse if s\nset toplines=8\nendif", Told("condition \"else if s\" is not understood")),
    (SLIP, "if r\nset toplines=7\nelse if s\nset mta=smtp://h.x.org\nendif", Stops("is in a block whose condition is not understood")),
    (SNAIL, "if terminal && \"$features\" =% ,+colour,\nset crt\nendif", Nothing),
    (SNAIL, "if \"$features\" =% ,+colour,\ncolour 256 x y\nif $TERM =~ 256\nbind x y z\nendif\nelse\ncolour 8 x y\nendif", Nothing),
    (SLIP, "if s\nset toplines=7", Told("\"if\" without \"endif\"")),
    (SLIP, "if r\nset mta=smtp://h.x.org", Stops("\"if\" without \"endif\"")),
    (SLIP, "else", Told("\"else\" without \"if\"")),
    (SLIP, "endif", Told("\"endif\" without \"if\"")),
];

#[rustfmt::skip]
const NAMES: &[Row] = &[
    (POSIX, "alias ops@x.org c@x.org", Reaches(&["c@x.org"])),
    (POSIX, "a ops@x.org c@x.org\ng ops@x.org d@x.org", Reaches(&["c@x.org", "d@x.org"])),
    (POSIX, "group ops@x.org c@x.org, d@x.org", Reaches(&["c@x.org", "d@x.org"])),
    (POSIX, "alias ops@x.org 'C C <c@x.org>' \"D <d@x.org>\"", Reaches(&["c@x.org", "d@x.org"])),
    (POSIX, "alias ops@x.org c@x.org,d@x.org \\\n  e@x.org", Reaches(&["c@x.org", "d@x.org", "e@x.org"])),
    (POSIX, "alias ops@x.org carol, dave,d@x.org\nalias carol c@x.org\nalias dave e@x.org,", Reaches(&["c@x.org", "e@x.org", "d@x.org"])),
    (POSIX, "alias ops@x.org team\nalias team c@x.org # it's us", Reaches(&["c@x.org"])),
    (SNAIL, "alias ops@x.org \\ops@x.org c@x.org", Reaches(&["ops@x.org", "c@x.org"])),
    (POSIX, "alias ops@x.org", Nothing),
    (POSIX, "alias", Nothing),
    (SNAIL, "alias ops@x.org c@x.org\nunalias *", Nothing),
    (HEIRLOOM, "alias ops@x.org c@x.org\nungroup ops@x.org", Nothing),
    (SLIP, "alias ops@x.org Carol C. <c@x.org>", Reaches(&["c@x.org"])),
    (SLIP, "alias ops@x.org c@x.org (Carol C.)", Reaches(&["c@x.org"])),
    (SLIP, "alias ops@x.org: c@x.org", Reaches(&["c@x.org"])),
    (SLIP, "alias ops@x.org=c@x.org", Stops("alias needs a name and its recipients")),
    (SLIP, "alias carol c@x.org\nalias team carol D <d@x.org>", Told("each word of \"carol D <d@x.org>\" is a recipient")),
    (POSIX, "alternates me@x.org me@y.org\nalt me@z.org", Nothing),
];

#[rustfmt::skip]
const OTHERS: &[Row] = &[
    (POSIX, "# a comment", Nothing),
    (POSIX, "   # a comment, it's blank in front", Nothing),
    (POSIX, "\n \n\t\n", Nothing),
    (POSIX, "ignore Received Message-Id Status Mail-From Return-Path Via Delivered-To", Nothing),
    (POSIX, "discard Received\nretain from to subject\nunignore *\nunretain from", Nothing),
    (SNAIL, "headerpick type retain from to subject\nunheaderpick save ignore *", Nothing),
    (HEIRLOOM, "fwdretain from to\nfwdignore x\nsaveretain from\nsaveignore x\nunfwdretain from", Nothing),
    (SNAIL, "shortcut mymbo %:+mbox.mbox \\\n  myrec +sent.mbox", Nothing),
    (SNAIL, "bind base $'\\cA',:khome,w 'echo Editable'", Nothing),
    (SNAIL, "bind default a,b,c rm -irf / @  # Also editable", Nothing),
    (SNAIL, "colour 256 sum-dotmark ft=bold,fg=13 dot\ncolor iso x\nuncolour * * *", Nothing),
    (SNAIL, "charsetalias latin15 latin1\nuncharsetalias *", Nothing),
    (SNAIL, "mimetype '@ application/pdf pdf'\nfiletype gz 'gzip -dc' 'gzip -c'", Nothing),
    (SNAIL, "mlist list@x.org\nmlsubscribe '^list@'\nunmlist *", Nothing),
    (SNAIL, "history clear\nnetrc load\nmtaaliases load\nmailcap load\ntls certchain h:25", Nothing),
    (SNAIL, "echo hello\nversion\nvarshow from", Nothing),
    (SNAIL, "spamset\ndigmsg create -\nreadctl create x\nsleep 1", Nothing),
    (HEIRLOOM, "score 1 5\ncache\ndefines\nclassify\nconnect", Nothing),
    (HEIRLOOM, "thread\nsort date\nfolders\nfolder %", Nothing),
    (BSD, "cd /tmp\nfile mbox\nheaders\nsize 1\ninc\nmore 1", Nothing),
    (GNU, "setenv X=y\ndecode\nstruct\nwarranty\nunsetenv X\nsummary\ntag 1", Nothing),
    (SNAIL, "source_if more", Nothing),
    (SLIP, "undo", Nothing),
    (POSIX, "source more", Told("cannot source more: it does not exist")),
    (SNAIL, "source 'cat more |'", Stops("source can read files, but cannot run commands")),
    (POSIX, "source a b", Stops("source needs one file name")),
    (POSIX, "mail a@x.org\nreply 1", Told("\"mail a@x.org\", \"reply 1\" (line 5) are not allowed in this file")),
    (SLIP, "blorb", Told("unknown command \"blorb\"")),
    (SLIP, "blorb\nfoo 1\nset toplines=7\nbar", Told("unknown commands \"blorb\", \"foo\" (line 5), \"bar\" (line 7)")),
    (SLIP, "a1\na2\na3\na4\na5\na6\na7", Told("unknown commands \"a1\", \"a2\" (line 5), \"a3\" (line 6), \"a4\" (line 7), \"a5\" (line 8) and others")),
    (SLIP, "fold mbox", Told("unknown command \"fold\"")),
    (SLIP, "!date", Told("\"!date\" is not allowed in this file")),
];

const ALL: &[&[Row]] = &[
    ASSIGNMENTS,
    RELAYS,
    MODIFIERS,
    BLOCKS,
    CONDITIONS,
    NAMES,
    OTHERS,
];

/// Returns a case of a mail to ops@x.org with this configuration.
fn mail(text: &str) -> Case {
    Case::send(["-s", "t", "ops@x.org"]).rc(text).stdin("x\n")
}

/// Returns what is decided about such a mail.
fn explained(case: Case) -> String {
    let ran = case.args(["--explain", "--dry-run"]).any_stdout().run();
    let text = ran.stdout();
    // The message itself follows, whose Message-ID is always another one.
    let lines = text.lines().take_while(|line| !line.is_empty());
    // What only concerns the reader, and what nothing here asks for.
    let of_reader = ["setting fullnames", "setting followup-to-honour"];
    let lines = lines.filter(|line| {
        !line.contains("is unknown and has no effect")
            && !of_reader.iter().any(|name| line.starts_with(name))
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Runs a row and checks what it must do.
fn check(text: &str, does: &Does, plain: &str) {
    match does {
        Explains(expected) => {
            let found = explained(mail(text));
            for expected in *expected {
                let is_it = |line: &str| {
                    let rest = line.strip_prefix(expected);
                    rest.is_some_and(|rest| rest.starts_with([' ', ':', ',', '\t']))
                };
                assert!(found.lines().any(is_it), "{expected}:\n{found}");
            }
        }
        Reaches(expected) => assert_eq!(mail(text).run().call().recipients(), *expected),
        Nothing => assert_eq!(explained(mail(text)), plain),
        Told(what) => {
            let ran = mail(text).says(what).run();
            assert_eq!(ran.call().recipients(), ["ops@x.org"]);
        }
        Stops(what) => {
            let stopped = mail(text).status(78).stderr_contains(what).keeps(1);
            let ran = stopped.run();
            ran.nothing_sent();
            assert!(!ran.stderr().contains("secret"), "{}", ran.stderr());
            // A person who only reads mail needs no way out.
            let mailbox = "From a Mon Nov 16 09:00:00 2026\nSubject: s\n\nx\n";
            let listing = Case::new().args(["-H", "-f", "box"]);
            let listing = listing.file("cwd/box", mailbox).rc(text);
            listing.stdout_contains("s").any_stderr().run();
        }
    }
}

// K64
#[test]
fn lines_of_other_programs_and_slips_do_what_the_table_says() {
    let plain = explained(mail(""));
    let mut wrong = Vec::new();
    for (of, text, does) in ALL.iter().copied().flatten() {
        // All rows that fail are named, not only the first.
        if catch_unwind(|| check(text, does, &plain)).is_err() {
            wrong.push(format!("{of}: {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_lines_of_every_program() {
    let rows = || ALL.iter().copied().flatten();
    assert!(rows().count() >= 150, "{}", rows().count());
    for of in [POSIX, SNAIL, HEIRLOOM, BSD, GNU, AIX, SLIP] {
        assert!(rows().any(|row| row.0 == of), "{of}");
    }
}

/// Returns what a file sets, and what it complains of.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let read = Mailrc::read(text.as_bytes(), true, false);
    let variables = read
        .changed()
        .map(|(name, value)| format!("{name}={value:?}"));
    let aliases = read.aliases().iter();
    let aliases = aliases.map(|(name, members)| format!("alias {name}={members:?}"));
    let problems = read.problems().map(|(what, _)| what.to_owned());
    (variables.chain(aliases).collect(), problems.collect())
}

#[test]
fn no_line_of_a_block_that_is_passed_over_counts() {
    for (of, text, _) in ALL.iter().copied().flatten() {
        // A brace on a line of its own would end the block.
        if text.lines().any(|line| line.trim_end().starts_with('}')) {
            continue;
        }
        for before in ["define f {", "define f{", "define f\n{", "account w {", "{"] {
            let (set, _) = read(&format!("{before}\n{text}\n}}\n"));
            assert_eq!(set, [""; 0], "{of}: {before}: {text:?}");
        }
        let is_open = |text: &str| {
            let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
            count("if") + count("wysh if") != count("endif") || text.starts_with("else")
        };
        if !is_open(text) && !text.contains(';') {
            let (set, _) = read(&format!("if 0\n{text}\nendif\n"));
            assert_eq!(set, [""; 0], "{of}: {text:?}");
        }
    }
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    for (of, text, _) in ALL.iter().copied().flatten() {
        let plain = read(&format!("{text}\n"));
        assert_eq!(
            read(text),
            plain,
            "{of}: {text:?}: without the last line end"
        );
        let crlf = format!("\u{feff}{}\r\n", text.replace('\n', "\r\n"));
        assert_eq!(read(&crlf), plain, "{of}: {text:?}");
    }
}

#[test]
fn what_is_no_utf_8_is_read_or_named() {
    let case = |rc: &[u8]| {
        let case = Case::new().args(["-S", "mta=test", "-s", "t", "ops@x.org"]);
        let case = case.file("home/rc", rc).env("MAILRC", "[DIR]/home/rc");
        case.stdin("x\n").any_stdout()
    };
    let ran = case(b"set from=\"J\xf6rg <j@x.org>\" # Gr\xfc\xdfe, don't\n").run();
    assert!(
        ran.stdout()
            .contains("From: =?utf-8?Q?J=C3=B6rg?= <j@x.org>"),
        "{}",
        ran.stdout()
    );
    let utf_16 = "\u{feff}set from=j@x.org\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes);
    case(&utf_16.collect::<Vec<u8>>())
        .status(78)
        .says("[DIR]/home/rc: this file is UTF-16 and is ignored; save it as UTF-8")
        .keeps(1)
        .run();
}
