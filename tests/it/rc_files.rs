//! Whole rc files as people have them: where mail goes with each, and what is told.
//!
//! They are written after the examples of manuals, wikis and blogs, for hosts of `x.org`.

use crate::case::Case;

/// A file and what is expected of it.
struct File {
    /// Whose file it is.
    of: &'static str,
    text: &'static str,
    /// Options beside `-s t ops@x.org`.
    args: &'static [&'static str],
    /// How lines of `--explain` begin.
    explains: &'static [&'static str],
    /// The lines on standard error, without hints.
    told: &'static [&'static str],
    status: i32,
}

/// Returns a file that is taken without a word.
const fn silent(of: &'static str, text: &'static str, explains: &'static [&'static str]) -> File {
    File {
        of,
        text,
        args: &[],
        explains,
        told: &[],
        status: 0,
    }
}

const SENDMAIL: &str = "recipient ops@x.org: sendmail [DIR]/mta/sendmail, because";

/// The template of a wiki for s-nail, with two accounts.
const SNAIL_ACCOUNTS: &str = r#"# All of this needs v15-compat!
set v15-compat

set sendcharsets=utf-8,iso-8859-1
# A kind option: first try the charset of the one who wrote.
set reply-in-same-charset
set fullnames
set sendwait
set mimetypes-load-control

set folder=mail
set MBOX=+mbox.mbox record=+sent.mbox DEAD=+dead.mbox
set inbox=+system.mbox

# Now one may say: file mymbo
shortcut mymbo %:+mbox.mbox \
         myrec +sent.mbox

set tls-verify=strict
set tls-ca-file=/etc/ssl/certs/ca-certificates.crt tls-ca-no-defaults
set colour-pager crt= followup-to followup-to-honour=ask-yes \
    history-file=+.s-nailhist history-size=-1 history-gabby \
    mime-counter-evidence=0b1111 prompt='?\$?!\$!/\$^ERRNAME? ' \
    reply-to-honour=ask-yes umask=

headerpick type retain from_ date from to cc subject message-id
headerpick forward retain subject date from to cc
mlist '@xyz-editor\.xyz$' '@xyzf\.xyz$'
mlsubscribe '^xfans@xfans\.xyz$'
filetype bz2 'bzip2 -dc' 'bzip2 -zc' \
   gz 'gzip -dc' 'gzip -c'  xz 'xz -dc' 'xz -zc'

account "work" {
   localopts yes
   set from="Your Name <me@work.x.org>"
   wysh set netrc-lookup # netrc-pipe='gpg -qd ~/.netrc.gpg'
   set mta=smtps://me%40work.x.org:secret@smtp.work.x.org:465 \
       smtp-hostname= hostname=work.x.org
   set pop3-keepalive=240
   shortcut pop pop3s://pop.work.x.org
   # Type xp to login to the POP3 account
   commandalias xp 'fi pop'
 }
account home {
   set from='My Name <me@home.x.org>' toplines=9
   set mta=submission://me@mail.home.x.org
}

define trash {
    move "$@" +Trash
}
commandalias del call trash
commandalias lls '!ls ${LS_COLOUR_FLAG} -aFlrS'
bind base $'\cA',:khome,w 'echo An editable binding@'
if terminal && "$features" =% ,+colour,
   colour 256 view-header ft=bold,fg=14 subject
   colour 256 sum-dotmark ft=bold,fg=13 dot
endif
if "$features" =% ,+mle,
   set line-editor-disable
   bind default :kf1 File %
endif
"#;

/// What enterprise Linux has shipped for heirloom mailx, with the lines that blogs add.
const HEIRLOOM: &str = r#"# This is the configuration file for Heirloom mailx (formerly
# known under the name "nail".
# See mailx(1) for further options, which aren't all here.
set hold
set append
set ask
set crt
set dot
set keep
set emptybox
set indentprefix="> "
set quote
set sendcharsets=iso-8859-1,utf-8
set showname
set showto
set newmail=nopoll
set autocollapse
set markanswered
ignore received in-reply-to message-id references
ignore mime-version content-transfer-encoding
fwdretain subject date from to
set bsdcompat
set from=alarm@x.org
set smtp="smtps://smtp.x.org:465"
set smtp-auth-user=alarm@x.org smtp-auth-password=sEcret
set smtp-auth=login
set ssl-verify=ignore
set nss-config-dir=/etc/pki/nssdb/
"#;

const FILES: &[File] = &[
    silent("s-nail, a wiki's template", SNAIL_ACCOUNTS, &[SENDMAIL]),
    File {
        args: &["-A", "work"],
        ..silent(
            "s-nail, the account of that template",
            SNAIL_ACCOUNTS,
            &[
                "recipient ops@x.org: relay smtps://smtp.work.x.org:465,",
                "sender me@work.x.org:",
                "setting hostname: work.x.org",
            ],
        )
    },
    silent(
        "heirloom mailx, as shipped and a blog's lines",
        HEIRLOOM,
        &[
            "recipient ops@x.org: relay smtps://smtp.x.org:465,",
            "sender alarm@x.org:",
            "setting smtp-auth: login",
            "setting tls-verify: ignore",
        ],
    ),
    silent(
        "heirloom mailx, a provider's help page, with remarks",
        "# external smtp server\n\
         set smtp-use-starttls #if it's needed\n\
         set ssl-verify=ignore\n\
         set nss-config-dir=/home/user/.certs # if needed\n\
         set smtp=\"smtp://smtp.x.org:587\"   # smtp://mail.x.org:25, don't\n\
         set smtp-auth=login\n\
         set smtp-auth-user=\"user@x.org\"\n\
         set smtp-auth-password=\"S3cr37\" ##<-- the code of the provider\n\
         set from=\"user@x.org(My Name)\"\n",
        &[
            "recipient ops@x.org: relay smtp://smtp.x.org:587,",
            "sender user@x.org:",
            "setting smtp-use-starttls: set",
        ],
    ),
    silent(
        "s-nail, a blog: one account, used at once",
        "set v15-compat\n\
         account mail {\n\
         \x20 localopts yes\n\
         \x20 set from=\"Me <me@x.org>\" folder=imaps://imap.x.org:993 record=+Sent inbox=+INBOX\n\
         \x20 set mta=smtp://smtp.x.org:587 smtp-use-starttls\n\
         \x20 shortcut sent +Sent \\\n\
         \x20     inbox +INBOX\n\
         }\n\
         # use it from the start\n\
         account mail\n",
        &[
            "recipient ops@x.org: relay smtp://smtp.x.org:587,",
            "sender me@x.org:",
        ],
    ),
    silent(
        "Debian's s-nail.rc",
        "set autocollapse\nset append\nset asksend\nset crt\nset editheaders\nset emptystart\n\
         set fullnames\nset history-gabby=all history-gabby-persist\nset hold\n\
         set indentprefix=\"> \"\nset followup-to-honour=ask-yes\nset markanswered\n\
         set mime-counter-evidence=0b1111\nset keep\nset keepsave\nset quote\n\
         set recipients-in-cc\nset reply-to-honour=ask-yes\nset sendcharsets=utf-8,iso-8859-1\n\
         set showname\nset showto\n\
         retain date sender from to cc subject message-id mail-followup-to reply-to\n",
        &[SENDMAIL, "setting showname: set"],
    ),
    silent(
        "bsd-mailx, the system's file and one's own",
        "set ask askcc append dot save crt\n\
         ignore Received Message-Id Resent-Message-Id Status Mail-From Return-Path Via Delivered-To\n\
         alias oncall \"Al Ice <al@x.org>\" bob@x.org\n\
         alias ops@x.org oncall, carol@x.org\n\
         set from=\"Server 7 <server7@x.org>\" PAGER=less REPLYTO=desk@x.org metoo\n\
         if r\nheaders\nelse\nset dead=/dev/null\nendif\n",
        &[
            "recipient al@x.org: sendmail [DIR]/mta/sendmail,",
            "recipient bob@x.org: sendmail [DIR]/mta/sendmail,",
            "recipient carol@x.org: sendmail [DIR]/mta/sendmail,",
            "sender server7@x.org:",
        ],
    ),
    silent(
        "GNU mail, its sample",
        "# Default .mailrc\nset prompt=\"& \"\nset indentprefix=\"> \"\nset screen=20\nset askcc\nset dot\n\
         #set mailx\nset save appenddeadletter\nset hold\nretain from to subject cc reply-to date\n\
         #alt none@none.org\nset sendmail=\"/usr/sbin/sendmail\"\n# End of .mailrc",
        &["recipient ops@x.org: sendmail /usr/sbin/sendmail, because"],
    ),
    silent(
        "AIX, Mail.rc and .mailrc",
        "# Mail.rc\nset ask dot metoo asksub ignoreeof append\nset toplines=10 screen=20 crt=22\n\
         ignore received message-id status resent-message-id resent-date\n\
         set EDITOR=/usr/bin/e VISUAL=/usr/bin/vi PAGER=/usr/bin/pg SHELL=/usr/bin/ksh\n\
         set folder=/home/lance/letters record=/home/lance/sent escape=!\n\
         alias dick rbj@x.org\nalias team dick geo@x.org,mel@x.org\n\
         alias ops@x.org team\nunset askcc\n",
        &[
            "recipient rbj@x.org: sendmail [DIR]/mta/sendmail,",
            "recipient geo@x.org: sendmail [DIR]/mta/sendmail,",
            "recipient mel@x.org: sendmail [DIR]/mta/sendmail,",
            "setting escape: !",
        ],
    ),
    silent(
        "s-nail, a cloud's help page, edited on Windows",
        "\u{feff}set smtp-use-starttls\r\nset v15-compat=yes\r\n\
         set mta=smtp://AKIA5C:BI1A%2FX@email-smtp.eu-1.x.org:587\r\n\
         set smtp-auth=login\r\nset from=root@x.org\r\n",
        &[
            "recipient ops@x.org: relay smtp://email-smtp.eu-1.x.org:587,",
            "sender root@x.org:",
        ],
    ),
    silent(
        "a container that writes its own",
        "set v15-compat\nset hostname=c1.x.org\nset smtp-auth=none\nset mta=smtp://relay.x.org\n",
        &[
            "recipient ops@x.org: relay smtp://relay.x.org:25,",
            "host c1.x.org",
        ],
    ),
    File {
        told: &["mailx: [DIR]/rc:6: unknown commands \"prefix\", \"suffix\" (line 8)"],
        ..silent(
            "an admin who also uses another program",
            "set hold\nset from=admin@x.org\nprefix foo\nset mta=smtp://relay.x.org\nsuffix bar\n",
            &[
                "recipient ops@x.org: relay smtp://relay.x.org:25,",
                "sender admin@x.org:",
            ],
        )
    },
    File {
        told: &["mailx: [DIR]/rc:5: ssl-protocol is not supported"],
        status: 78,
        ..silent(
            "s-nail 14.8, old names",
            "set ssl-ca-file=/etc/ssl/certs/ca-certificates.crt\nset ssl-protocol=\"-ALL,+TLSv1.2\"\n\
             set mta=smtps://a:b@smtp.x.org\n",
            &[],
        )
    },
];

#[test]
fn files_of_strangers_send_mail_where_they_say() {
    for file in FILES {
        println!("{}", file.of);
        let case = || {
            let case = Case::send(["-s", "t", "ops@x.org"]).args(file.args);
            // The byte order mark stands at the beginning of a file of its own.
            if file.text.starts_with('\u{feff}') {
                case.file("cwd/win", file.text).rc("source win")
            } else {
                case.rc(file.text)
            }
        };
        let told = file.told.join("\n") + if file.told.is_empty() { "" } else { "\n" };
        let ran = case().args(["--explain", "--dry-run"]).status(file.status);
        let ran = ran
            .stdin("x\n")
            .any_stdout()
            .any_stderr()
            .may_change("home")
            .run();
        let said = ran.stderr();
        // Where nothing is sent a line says where the mail is kept.
        let said = said.lines().filter(|line| !line.starts_with("hint: "));
        let said = said.filter(|line| !line.contains("is saved in"));
        let said: String = said.map(|line| format!("{line}\n")).collect();
        assert_eq!(said, told, "{}", file.of);
        let explained = ran.stdout();
        for expected in file.explains {
            let is_it = |line: &str| line.starts_with(expected);
            assert!(
                explained.lines().any(is_it),
                "{}: {expected}:\n{explained}",
                file.of
            );
        }
    }
}
