//! Variables: what each does, and what becomes of values and names that are none.

use std::path::Path;

use postrider::door::{ROWS, help_of_variable};

use crate::case::{Case, Ran};
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, Certificate, SmtpServer};

/// The ways a setting can come in; `[SET]` is the setting.
const DOORS: &[(&str, &[&str])] = &[
    // Lines of the configuration, and arguments.
    ("set [SET]", &[]),
    ("source [DIR]/cwd/more", &[]),
    ("account work {\nset [SET]\n}", &["-A", "work"]),
    ("if s\nset [SET]\nendif", &[]),
    ("", &["-S", "[SET]"]),
    ("", &["-X", "set [SET]"]),
    ("", &["-E", "set [SET]"]),
];

/// Returns a mail that would leave by the fake sendmail, with this setting by one of the doors.
fn through(door: &(&str, &[&str]), setting: &str) -> Case {
    let fill = |text: &str| text.replace("[SET]", setting);
    Case::send(["-s", "t", "ops@x.org"])
        .file("cwd/more", fill("set [SET]\n"))
        .rc(&fill(door.0))
        .args(door.1.iter().map(|word| fill(word)))
        .stdin("x\n")
}

/// The same for the first door, the configuration.
fn with(setting: &str) -> Case {
    through(&DOORS[0], setting)
}

#[test]
fn a_value_that_is_none_of_the_way_out_sends_nothing_through_any_door() {
    for door in DOORS {
        for setting in [
            "tls=yess",
            "tls-verify=stirct",
            "smtp-timeout=abc",
            "tls-verfy=strict",
        ] {
            let name = setting.split('=').next().unwrap();
            through(door, setting)
                .status(78)
                .says(name)
                .any_stderr()
                .keeps(1)
                .run()
                .nothing_sent();
        }
    }
}

#[test]
fn a_value_that_is_none_of_the_way_out_sends_nothing_by_any_face() {
    let case = |name: &str, args: &[&str]| {
        Case::send([])
            .called(name)
            .args(args)
            .stdin("To: ops@x.org\n\nx\n")
            .status(78)
            .says("tls must be auto")
            .any_stderr()
            .keeps(1)
    };
    let set = ["send", "--set", "tls=yess", "ops@x.org"];
    case("postrider", &set).run().nothing_sent();
    let config = ["send", "--config", "[DIR]/cwd/other", "ops@x.org"];
    case("postrider", &config)
        .file("cwd/other", "set tls=yess\n")
        .run()
        .nothing_sent();
    case("sendmail", &["-t"])
        .rc("set tls=yess")
        .run()
        .nothing_sent();
    case("mail", &["ops@x.org"])
        .rc("set tls=yess")
        .run()
        .nothing_sent();
}

#[test]
fn a_value_that_is_none_elsewhere_is_one_line_and_the_mail_goes() {
    for door in DOORS {
        let ran = through(door, "toplines=many")
            .says("toplines must be a whole number, not \"many\"; the default is used")
            .run();
        assert_eq!(ran.call().recipients(), ["ops@x.org"], "{door:?}");
    }
}

#[test]
fn values_of_the_way_out_are_judged() {
    // The setting, and what the line says beside the variable's name and place.
    for (setting, told) in [
        (
            "tls=maybe",
            "must be auto, require (yes, on, 1, true, starttls, required) or no (off, 0, false), not \"maybe\"",
        ),
        (
            "tls-verify=warn",
            "must be strict (yes, on, 1, true) or ignore (no, off, 0, false), not \"warn\"",
        ),
        ("tls-verify=ask", "strict"),
        ("ssl-verify=warn", "ssl-verify must be strict"),
        ("tls-verify", "must be strict"),
        (
            "smtp-auth=cram-md5",
            "auto (yes, on, 1, true), plain, login, xoauth2, oauthbearer or none",
        ),
        (
            "smtp-use-starttls=maybe",
            "must be yes (on, 1, true) or no (off, 0, false)",
        ),
        ("debug=maybe", "must be yes"),
        ("local=yes", "must be relay or no"),
        ("expandaddr=sometimes", "must be yes, no, or a list"),
        ("smtp-timeout=-1", "must be a time of at least 1 second"),
        ("smtp-timeout=0x10", "must be a time"),
        ("smtp-timeout=0", "at least 1 second"),
        ("smtp-connect-timeout=1e3", "must be a time"),
        (
            "socket-connect-timeout=soon",
            "socket-connect-timeout must be a time",
        ),
        ("smtp-deadline=never", "must be a time"),
        ("sendmail-timeout=-1", "must be a time"),
        (
            "hostname='my host'",
            "hostname must be a host name, not \"my host\"",
        ),
        (
            "qualify-domain=me@x.org",
            "qualify-domain must be a host name",
        ),
        ("smtp-hostname=<x>", "smtp-hostname must be a host name"),
        ("mta=", "has no value"),
        ("smtp=", "has no value"),
        ("password-file=", "has no value"),
        ("tls-ca-file", "has no value"),
        ("tls-fingerprint=", "has no value"),
        ("mta-arguments=-t", "must not contain -t"),
        ("sendmail-arguments='-oi -it'", "must not contain -it"),
        ("mta-arguments=-bp", "is a mode that sends nothing"),
        (
            "mta-aliases=/etc/other",
            "must be /etc/aliases or /etc/mail/aliases",
        ),
        ("tls-fingerprint-digest=md5", "must be sha256"),
        // Names of other programs that we have nothing like.
        ("mta-no-default-arguments", "is not supported"),
        ("tls-ca-dir=/etc/ssl", "is not supported"),
        ("ssl-ca-dir=/etc/ssl", "ssl-ca-dir is not supported"),
        ("tls-crl-file=/x", "is not supported"),
        ("ssl-curves=x", "is not supported"),
        ("tls-cert=", "has no value"),
        ("tls-min-version=1.1", "must be 1.2 (TLSv1.2"),
        ("tls-config-pairs=MinProtocol=TLSv1", "is not supported"),
        ("socks-proxy=localhost:1", "is not supported"),
        ("netrc-pipe=cat", "is not supported"),
        ("smime-sign", "is not supported"),
        ("smime-encrypt-ops@x.org=cert", "is not supported"),
        (
            "smtp-auth-user-me@x.org=you",
            "smtp-auth-user cannot be set for one host or user",
        ),
        (
            "smtp-auth-relay.x.org=login",
            "smtp-auth cannot be set for one host or user",
        ),
        (
            "password-me@x.org=secret",
            "password cannot be set for one host or user",
        ),
        ("TLS=require", "unknown variable TLS"),
        ("smtp_auth=login", "unknown variable smtp_auth"),
        ("oauth-scopes=x", "unknown variable oauth-scopes"),
        ("usestarttls", "unknown variable usestarttls"),
        ("notls=1", "notls takes no value: it unsets tls"),
    ] {
        let ran = with(setting)
            .status(78)
            .says(told)
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert!(ran.stderr().contains("[DIR]/rc:4: "), "{}", ran.stderr());
        assert!(!ran.stderr().contains("secret"), "{}", ran.stderr());
    }
}

#[test]
fn a_name_of_the_way_out_in_another_case_sends_nothing_through_any_door() {
    for door in DOORS {
        for setting in [
            "DEBUG",
            "Sendmail=/nowhere",
            "AUTOBCC=me@x.org",
            "Netrc-Lookup=no",
        ] {
            let name = setting.split('=').next().unwrap();
            through(door, setting)
                .status(78)
                .says(&format!("unknown variable {name}"))
                .says(&format!("did you mean {}", name.to_ascii_lowercase()))
                .any_stderr()
                .keeps(1)
                .run()
                .nothing_sent();
        }
    }
    Case::send(["-s", "t", "ops@x.org"])
        .rc("set debug\nunset DEBUG\n")
        .stdin("x\n")
        .status(78)
        .says("unknown variable DEBUG")
        .any_stderr()
        .run()
        .nothing_sent();
}

#[test]
fn another_known_name_in_another_case_is_told_and_the_mail_goes() {
    for setting in ["Record=sent", "KEEPSAVE", "Reply_To=me@x.org"] {
        let name = setting.split('=').next().unwrap();
        with(setting)
            .says(&format!("unknown variable {name}"))
            .says("did you mean ")
            .run()
            .call();
    }
    with("USER=me").run().call();
    with("nosuch=x").run().call();
}

#[test]
fn what_people_mean_by_yes_and_no_is_what_they_get() {
    for setting in [
        "tls=auto",
        "tls=Require",
        "tls=STARTTLS",
        "tls=on",
        "tls=1",
        "tls",
        "tls=off",
        "tls=0",
        "tls=FALSE",
        "tls-verify=Strict",
        "tls-verify=yes",
        "smtp-auth=LOGIN",
        "smtp-auth=no",
        "smtp-use-starttls=no",
        "nosmtp-use-starttls",
        "notls",
        "local=no",
        "smtp-timeout=' 10 '",
        "smtp-timeout=10s",
        "smtp-deadline=0",
        "nosmtp-deadline",
        "smtp-timeout=99999999999999999999999",
        "tls-ca-no-defaults=no",
        "debug=no",
        "nodebug",
        "smime-sign=no",
        "nosocks-proxy",
        "mta-no-default-arguments=no",
        "expandaddr=-all,+addr",
        "mta-aliases=/etc/aliases",
        "tls-fingerprint-digest=SHA256",
        "nss-config-dir=/etc/pki",
        "tls-rand-file=/dev/urandom",
        "mta-bcc-ok",
        "log=no",
        "save=1",
        "verbose=0",
    ] {
        let ran = with(setting).run();
        assert_eq!(ran.call().recipients(), ["ops@x.org"], "{setting}");
    }
}

#[test]
fn who_only_reads_is_not_bothered_with_the_way_out() {
    Case::new()
        .args(["-H", "-f", "box"])
        .file(
            "cwd/box",
            "From a Mon Nov 16 09:00:00 2026\nSubject: s\n\nx\n",
        )
        .rc("set tls=yess tls-nonesuch smtp-timeout=abc socks-proxy=x")
        .args(["-X", "set tls-verify=warn", "-S", "smtp-auth=ntlm"])
        .stdout_contains("s")
        .run();
}

#[test]
fn a_later_value_makes_a_bad_one_good() {
    for args in [
        &["-S", "tls=auto", "-S", "toplines=3", "-S", "nosocks-proxy"][..],
        &["-X", "set tls=auto toplines=3", "-X", "unset socks-proxy"],
    ] {
        let ran = with("tls=yess toplines=many socks-proxy=x")
            .args(args)
            .run();
        assert_eq!(ran.call().recipients(), ["ops@x.org"]);
    }
}

#[test]
fn all_that_is_wrong_with_the_way_out_is_told_at_once() {
    with("tls=yess smtp-timeout=abc\nset tls-verfy=x")
        .status(78)
        .says("[DIR]/rc:4: tls must be")
        .says("[DIR]/rc:4: smtp-timeout must be")
        .says("[DIR]/rc:5: unknown variable tls-verfy")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn a_slip_in_a_typed_line_takes_nothing_with_it() {
    for line in ["~:set tls=yess", "~:set mta=/nowhere toplines=many"] {
        with("nothing")
            .args(["-~"])
            .stdin(format!("{line}\nx\n"))
            .status(64)
            .any_stderr()
            .keeps(1)
            .run()
            .nothing_sent();
    }
}

// --- the relay --------------------------------------------------------------------------------

/// Returns a mail to a relay on the loopback, which offers TLS if there is a certificate.
fn relayed(server: &SmtpServer, setting: &str) -> Case {
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .args(["-S", setting, "-s", "t", "ops@example.com"])
        .stdin("x\n")
}

// var:smtp-use-starttls
#[test]
fn every_word_for_required_tls_requires_it() {
    for setting in [
        "tls",
        "tls=require",
        "tls=Require",
        "tls=REQUIRED",
        "tls=yes",
        "tls=on",
        "tls=1",
        "tls=true",
        "tls=starttls",
        "smtp-use-starttls",
        "smtp-use-starttls=yes",
    ] {
        let server = SmtpServer::accepting(Behaviour::default());
        relayed(&server, setting)
            .fails()
            .says("STARTTLS")
            .any_stderr()
            .keeps_somewhere(1)
            .run();
        assert_eq!(server.messages(), [], "{setting}");
        let server = SmtpServer::accepting(Behaviour {
            certificate: Some(Certificate::good()),
            ..Behaviour::default()
        });
        relayed(&server, setting).run();
        assert!(server.messages()[0].tls, "{setting}");
    }
}

#[test]
fn without_tls_nothing_is_encrypted_and_auto_takes_what_is_offered() {
    for (setting, tls) in [
        ("tls=no", false),
        ("tls=off", false),
        ("tls=0", false),
        ("tls=False", false),
        ("tls=auto", true),
        ("notls", true),
        ("smtp-use-starttls=no", true),
        ("nothing", true),
    ] {
        let server = SmtpServer::accepting(Behaviour {
            certificate: Some(Certificate::good()),
            ..Behaviour::default()
        });
        relayed(&server, setting).run();
        assert_eq!(server.messages()[0].tls, tls, "{setting}");
    }
}

#[test]
fn tls_that_is_forbidden_and_asked_for_is_a_contradiction() {
    // Nothing listens there: the refusal comes first.
    for (route, settings, told) in [
        ("submission://127.0.0.1:1", "", "requires TLS"),
        ("submissions://127.0.0.1:1", "", "requires TLS"),
        ("smtps://127.0.0.1:1", "", "requires TLS"),
        (
            "smtp://127.0.0.1:1",
            "smtp-use-starttls",
            "smtp-use-starttls ([DIR]/rc:5) requires TLS",
        ),
        (
            "smtp://127.0.0.1:1",
            "tls-ca-file=/x",
            "tls-ca-file ([DIR]/rc:5) requires TLS",
        ),
        (
            "smtp://127.0.0.1:1",
            "tls-fingerprint=00",
            "tls-fingerprint ([DIR]/rc:5) requires TLS",
        ),
        (
            "smtp://relay.invalid",
            "user=me password=p",
            "the password is never sent without TLS",
        ),
        (
            "smtp://me:p@relay.invalid",
            "",
            "the password is never sent without TLS",
        ),
    ] {
        let case = || {
            Case::new()
                .rc(&format!("set mta={route}\nset {settings}"))
                .mode("rc", 0o600)
                .args(["-S", "tls=off", "-s", "t", "ops@example.com"])
                .stdin("x\n")
                .status(78)
        };
        case()
            .says(told)
            .says("-S tls=no")
            .any_stderr()
            .keeps(1)
            .run();
        case()
            .args(["--dry-run"])
            .says("-S tls=no")
            .any_stderr()
            .run();
    }
}

#[test]
fn a_login_on_the_loopback_may_do_without_tls() {
    let server = SmtpServer::accepting(Behaviour {
        certificate: Some(Certificate::good()),
        login: Some(("tester", "s3cret")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    relayed(&server, "tls=no")
        .args(["-S", "user=tester", "-S", "password=s3cret"])
        .run();
    assert_eq!(server.messages()[0].user.as_deref(), Some("tester"));
    assert!(!server.messages()[0].tls);
}

#[test]
fn a_certificate_is_called_unchecked_only_where_it_is() {
    for (settings, told) in [
        (&["tls-verify=ignore"][..], true),
        (&["ssl-verify=no"], true),
        (&["tls-verify=strict"], false),
        (&["tls-verify=ignore", "user=me", "password=p"], false),
        (&["tls-verify=ignore", "tls-fingerprint=sha256:ab"], false),
    ] {
        let mut case = Case::new()
            .rc("set mta=smtp://relay.invalid")
            .args(["--dry-run", "-s", "t", "ops@example.com"])
            .stdin("x\n")
            .any_stdout()
            .any_stderr();
        for setting in settings {
            case = case.args(["-S", setting]);
        }
        let stderr = case.run().stderr();
        assert_eq!(
            stderr.contains("is not checked"),
            told,
            "{settings:?}: {stderr}"
        );
    }
}

// var:mta var:smtp
#[test]
fn the_later_of_mta_and_smtp_is_the_way() {
    let server = SmtpServer::accepting(Behaviour::default());
    let smtp = format!("smtp=127.0.0.1:{}", server.port());
    let ran = with("nothing").args(["-S", &smtp]).run();
    ran.nothing_sent();
    assert_eq!(server.messages().len(), 1);
    let ran = with(&smtp).args(["-S", "mta=[DIR]/mta/sendmail"]).run();
    assert_eq!(ran.call().recipients(), ["ops@x.org"]);
    // What must send nothing sends nothing.
    with("mta=test")
        .args(["-S", &smtp])
        .any_stdout()
        .run()
        .nothing_sent();
    assert_eq!(server.messages().len(), 1);
}

#[test]
fn a_password_in_the_url_is_judged_by_the_file_that_holds_it() {
    with("mta=smtp://me:s3cret@127.0.0.1:1")
        .rc("set from=a@x.org")
        .mode("rc", 0o644)
        .args([
            "-X",
            "set smtp=127.0.0.1:2",
            "-S",
            "mta=smtp://me:s3cret@127.0.0.1:1",
        ])
        .fails()
        .any_stderr()
        .queues(1)
        .run();
    with("smtp=127.0.0.1:1")
        .rc("set mta=smtp://me:s3cret@127.0.0.1:1")
        .mode("rc", 0o644)
        .status(78)
        .says("other users can read the password in [DIR]/rc")
        .any_stderr()
        .keeps(1)
        .run();
}

// --- sendmail ---------------------------------------------------------------------------------

// var:mta-arguments
#[test]
fn arguments_for_sendmail_are_passed_on_or_refused() {
    for name in ["mta-arguments", "sendmail-arguments"] {
        let ran = with(&format!("{name}=\"-a work -X '/tmp/a log'\"")).run();
        let call = ran.call();
        assert_eq!(
            call.argv[..5],
            ["-i", "-a", "work", "-X", "/tmp/a log"],
            "{name}"
        );
        assert_eq!(call.recipients(), ["ops@x.org"]);
    }
}

#[test]
fn a_path_with_arguments_behind_it_is_told_where_they_belong() {
    with("mta='/bin/true -a work'")
        .status(69)
        .says("cannot run /bin/true -a work")
        .hints("mta-arguments= to its arguments")
        .keeps(1)
        .run();
}

// --- what is not to be sent -------------------------------------------------------------------

#[test]
fn debug_shows_and_delivers_nothing_in_every_face() {
    for setting in ["debug", "debug=yes", "debug=1"] {
        for door in DOORS {
            let ran = through(door, setting).any_stderr().run();
            ran.nothing_sent();
            let stderr = ran.stderr();
            assert!(
                stderr.contains("Subject: t") && stderr.contains("ops@x.org: "),
                "{stderr}"
            );
        }
    }
    let nothing_sent = |ran: Ran| {
        ran.nothing_sent();
        assert!(ran.stderr().contains("Subject: t"), "{}", ran.stderr());
    };
    let send = |args: &[&str]| Case::send([]).args(args).rc("set debug").any_stderr();
    nothing_sent(
        send(&["send", "--subject", "t", "ops@x.org"])
            .called("postrider")
            .stdin("x\n")
            .run(),
    );
    nothing_sent(
        send(&["-t"])
            .called("sendmail")
            .stdin("To: ops@x.org\nSubject: t\n\nx\n")
            .run(),
    );
    let dialogue = "EHLO x\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<ops@x.org>\r\nDATA\r\nSubject: t\r\n\r\nx\r\n.\r\nQUIT\r\n";
    let ran = send(&["-bs"])
        .called("sendmail")
        .stdin(dialogue)
        .stdout_contains("451 ")
        .run();
    ran.nothing_sent();
}

// var:nullbody var:nullbodymsg var:skipemptybody
#[test]
fn empty_mail_is_not_sent_where_a_variable_says_so() {
    for door in DOORS {
        for setting in [
            "skipemptybody",
            "skipempty",
            "skipempty=yes",
            "nonullbody",
            "nullbody=no",
        ] {
            through(door, setting).stdin("").run().nothing_sent();
            let ran = through(door, setting).run();
            assert_eq!(ran.call().recipients(), ["ops@x.org"], "{setting}");
        }
    }
    for setting in ["noskipempty", "skipemptybody=no", "nullbody"] {
        let ran = with(setting)
            .stdin("")
            .stderr("Null message body; hope that's ok\n")
            .run();
        ran.call();
    }
    with("nonullbodymsg").stdin("").run().call();
    with("nullbodymsg='Nothing in it'")
        .stdin("")
        .stderr("Nothing in it\n")
        .run()
        .call();
}

// var:expandaddr
#[test]
fn a_list_of_targets_allows_what_it_says() {
    let to = |setting: &str, recipient: &str| {
        Case::send(["-s", "t", "ops@x.org", recipient])
            .args(["-S", setting])
            .stdin("x\n")
    };
    // A line of AIDE's Debian package: addresses only.
    for setting in [
        "expandaddr=-all,+addr,+name",
        "expandaddr=restrict",
        "expandaddr=no",
    ] {
        for recipient in ["[DIR]/cwd/out", "|cat"] {
            let ran = to(setting, recipient)
                .status(65)
                .any_stderr()
                .keeps(1)
                .run();
            assert_eq!(ran.call().recipients(), ["ops@x.org"], "{setting}");
        }
    }
    to("expandaddr=restrict,+file", "[DIR]/cwd/out")
        .may_change("cwd/out")
        .run();
    to("expandaddr=restrict,+file", "|cat")
        .status(65)
        .any_stderr()
        .keeps(1)
        .run();
}

// --- the table ----------------------------------------------------------------------------------

/// The run in which a variable shows.
#[derive(Clone, Copy)]
enum Scene {
    /// `mailx -s t ops@x.org` and these arguments, with this standard input, by the fake sendmail.
    Mail(&'static [&'static str], &'static str),
    /// The same by a sendmail that refuses everything.
    Refused,
    /// The same by a sendmail that does not answer.
    Waiting,
    /// The same by a relay on the loopback that has no TLS and takes the login of `tester`.
    Relay(&'static [&'static str]),
    /// Commands on standard input for `mailx -N -f box`.
    Script(&'static str),
    /// The same for a mailbox that somebody else has locked.
    Locked(&'static str),
    /// The same for `box` as a system mailbox.
    System(&'static str),
    /// The same for the user's own mailbox, wherever that is.
    Own(&'static str),
    /// Keys for `mailx -f box`.
    Keys(&'static str),
    /// What is waited for and then typed for `mailx ops@x.org`.
    Typed(&'static str, &'static str),
}

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// This text on standard output or standard error, or at the terminal.
    Screen(&'static str),
    /// This text among sendmail's arguments, environment and standard input.
    Sent(&'static str),
    /// This text in what the relay got.
    Wire(&'static str),
    /// This user at the relay.
    Login(&'static str),
    /// This file.
    File(&'static str),
    /// This text in this file.
    In(&'static str, &'static str),
}

/// How a row of the table is shown to be true.
#[derive(Clone, Copy)]
enum Proof {
    /// With the setting there is this sign, without it there is not.
    Shows(Scene, Sign),
    /// Without the setting there is this sign, with it there is not.
    Hides(Scene, Sign),
    /// With the setting there is this sign; without it the run would take too long.
    Slowly(Scene, Sign),
    /// This test shows it.
    Test(&'static str),
    /// It has no effect, and the manual says so.
    Nothing,
}

use Proof::{Hides, Nothing, Shows, Slowly, Test};
use Scene::{Keys, Locked, Mail, Own, Refused, Relay, Script, System, Typed, Waiting};
use Sign::{File, In, Login, Screen, Sent, Wire};

const MAIL: Scene = Mail(&[], "x\n");
const EMPTY: Scene = Mail(&[], "");
const RELAY: Scene = Relay(&[]);

/// Each variable, what is set beside it, what it is set to, and what that changes.
#[rustfmt::skip]
const EFFECTS: &[(&str, &[&str], &str, Proof)] = &[
    ("Sign", &[], "Sign=Yours", Shows(Mail(&["-~"], "~A\n"), Sent("Yours"))),
    ("allnet", &[], "allnet", Shows(Script("from alice@other.org\n"), Screen("first subject"))),
    ("append", &[], "", Test("messages_go_behind_those_of_mbox_or_before_them_by_append")),
    ("askatend", &["askcc"], "noaskatend",
        Shows(Typed("Subject:", "s\nc@x.org\nx\n\x04\n"), Sent("Cc: c@x.org"))),
    ("askattach", &[], "askattach", Shows(Typed("Subject:", "s\nx\n\x04\n"), Screen("Attach:"))),
    ("askbcc", &[], "askbcc", Shows(Typed("Subject:", "s\nx\n\x04\n\n"), Screen("Bcc:"))),
    ("askcc", &[], "askcc", Shows(Typed("Subject:", "s\nx\n\x04\n\n"), Screen("Cc:"))),
    ("asksend", &[], "asksend", Shows(Typed("Subject:", "s\nx\n\x04yes\n"), Screen("Send this message"))),
    ("asksub", &[], "noasksub", Hides(Typed("", "s\nx\n\x04"), Screen("Subject:"))),
    ("attrlist", &[], "attrlist=XYZ", Shows(Script("from *\n"), Screen(">X  1"))),
    ("autobcc", &[], "autobcc=archive@x.org", Shows(MAIL, Sent("archive@x.org"))),
    ("autocc", &[], "autocc=boss@x.org", Shows(MAIL, Sent("Cc: boss@x.org"))),
    ("autoinc", &[], "", Test("with_autoinc_new_messages_are_taken_up_before_the_prompt")),
    ("autoprint", &[], "autoprint", Shows(Script("d 1\nx\n"), Screen("second body"))),
    ("autosort", &[], "", Test("sorted_messages_keep_their_numbers")),
    ("bang", &[], "bang", Shows(Mail(&["-~"], "~!echo one\n~!! two\nx\n"), Screen("one two"))),
    ("cmd", &[], "cmd=read -r l; echo \"<$l>\"", Shows(Script("pipe 2\nx\n"), Screen("<From: "))),
    ("colour", &[], "", Test("colours_are_for_terminals_that_have_them")),
    ("crt", &["pager=echo PAGED"], "crt=1", Shows(Keys("p 1\nx\n"), Screen("PAGED"))),
    ("datefield", &[], "", Test("dates_and_letters_are_those_that_were_set")),
    ("datefield-markout-older", &[], "", Test("dates_and_letters_are_those_that_were_set")),
    ("dead", &[], "dead=[DIR]/cwd/kept", Shows(Refused, File("cwd/kept"))),
    ("debug", &[], "debug", Hides(MAIL, Sent("ops@x.org"))),
    ("display-name", &[], "display-name=Robot on %h", Shows(RELAY, Wire("From: Robot on "))),
    ("dot", &[], "dot", Hides(Typed("Subject:", "s\nx\n.\nnext\n\x04"), Sent("next"))),
    ("editalong", &["editor=[DIR]/cwd/ed"], "editalong", Shows(Typed("Subject:", "s\nx\n\x04"), Sent("edited"))),
    ("editheaders", &["editor=f() { while read -r l; do echo \"<$l>\"; done <\"$1\"; }; f"], "editheaders",
        Shows(Mail(&["-~"], "x\n~e\n"), Screen("<Subject: t>"))),
    ("editor", &[], "editor=[DIR]/cwd/ed", Shows(Mail(&["-~"], "x\n~e\n"), Sent("edited"))),
    ("errexit", &[], "errexit", Hides(Script("p 99\nfrom 2\n"), Screen("second subject"))),
    ("escape", &[], "escape=!", Shows(Mail(&["-~"], "!s other\nx\n"), Sent("Subject: other"))),
    ("expandaddr", &[], "expandaddr", Shows(Mail(&["[DIR]/cwd/out"], "x\n"), File("cwd/out"))),
    ("flipr", &[], "flipr", Hides(Script("reply 1\nx\n"), Sent("bob@"))),
    ("folder", &["record=+sent"], "folder=[DIR]/cwd", Shows(MAIL, File("cwd/sent"))),
    ("followup-to", &[], "", Test("a_mail_to_a_known_list_says_where_its_answers_go")),
    ("followup-to-honour", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("forward-as-attachment", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("forward-attachments", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("from", &[], "from=me@x.org", Shows(MAIL, Sent("From: me@x.org"))),
    ("from-force", &[], "", Test("one_sender_only")),
    ("fullnames", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("header", &[], "noheader", Hides(Keys("x\n"), Screen("first subject"))),
    ("headline", &[], "headline=<%m>", Shows(Script("from *\n"), Screen("<  1>"))),
    ("history", &[], "", Test("commands_are_kept_for_later_sessions_and_secrets_are_not")),
    ("hold", &[], "nohold", Shows(System("p 1\nq\n"), In("home/mbox", "first body"))),
    ("hostname", &[], "hostname=h.example.org", Shows(MAIL, Sent("@h.example.org>"))),
    ("ignore", &[], "ignore", Hides(Typed("Subject:", "\x03\x04\x04\x04\x04"), Screen("one more"))),
    ("ignoreeof", &[], "ignoreeof", Shows(Typed("Subject:", "s\nx\n\x04next\n.\n"), Sent("next"))),
    ("inbox", &[], "inbox=[DIR]/cwd/box", Shows(Own("from *\nx\n"), Screen("first subject"))),
    ("indentprefix", &[], "", Test("lines_become_text")),
    ("keep", &[], "nokeep", Hides(System("d *\nq\n"), File("cwd/box"))),
    ("keepsave", &[], "nokeepsave", Hides(System("s 1 saved\nq\n"), In("cwd/box", "first body"))),
    ("lister", &["folder=[DIR]/cwd"], "lister=echo LISTED", Shows(Script("folders\nx\n"), Screen("LISTED"))),
    ("local", &["mta=auto", "smtp=relay.invalid"], "local=relay",
        Shows(Mail(&["-c", "[USER]", "--dry-run"], "x\n"), Screen("mailx: [USER]@"))),
    ("lock-timeout", &[], "lock-timeout=0", Slowly(Locked("d 1\nq\n"), Screen("lock"))),
    ("log", &[], "log=[DIR]/cwd/log", Shows(MAIL, In("cwd/log", "outcome=accepted"))),
    ("max-size", &[], "max-size=10k", Shows(Mail(&["-a", "big"], "x\n"), Screen("too large"))),
    ("mbox", &["nohold"], "mbox=[DIR]/cwd/read", Shows(System("p 1\nq\n"), File("cwd/read"))),
    ("metoo", &[], "nometoo", Test("ones_own_names_leave_a_group_only_without_metoo")),
    ("mta", &[], "mta=test", Shows(MAIL, Screen("Subject: t"))),
    ("mta-aliases", &[], "mta-aliases=/etc/aliases", Nothing),
    ("mta-arguments", &[], "mta-arguments=-a work", Shows(MAIL, Sent("-i -a work -- "))),
    ("mta-argv0", &[], "mta-argv0=wrapped", Shows(MAIL, Sent("CALLED=wrapped"))),
    ("mta-bcc-ok", &[], "mta-bcc-ok", Nothing),
    ("netrc-lookup", &["user=tester"], "netrc-lookup", Shows(RELAY, Login("tester"))),
    ("nss-config-dir", &[], "nss-config-dir=/etc/pki", Nothing),
    ("nullbody", &[], "nonullbody", Hides(EMPTY, Sent("ops@x.org"))),
    ("nullbodymsg", &[], "nullbodymsg=Hollow", Shows(EMPTY, Screen("Hollow"))),
    ("oauth", &[], "oauth=google", Shows(RELAY, Screen("oauth-key-file is not"))),
    ("oauth-ca-file", &[], "", Test("a_token_comes_over_tls_from_a_service_that_is_known")),
    ("oauth-client-id", &[], "", Test("three_lines_send_by_a_token_and_the_next_mail_uses_it_again")),
    ("oauth-key-file", &[], "", Test("a_service_account_signs_for_the_mailbox")),
    ("oauth-refresh-token-file", &[], "",
        Test("a_new_refresh_token_is_written_before_the_token_is_used")),
    ("oauth-scope", &[], "", Test("each_service_has_its_url_its_scope_and_its_grant")),
    ("oauth-secret-file", &[], "", Test("files_with_secrets_that_others_can_read_are_refused")),
    ("oauth-token-url", &[], "", Test("a_secret_follows_no_redirect")),
    ("onehop", &[], "onehop", Nothing),
    ("outbox", &["mta=smtp://127.0.0.1:1"], "nooutbox", Shows(MAIL, Screen("not retried"))),
    ("outbox-lifetime", &[], "", Test("an_old_message_is_tried_once_more_before_it_is_put_away")),
    ("outbox-max-count", &["mta=smtp://127.0.0.1:1"], "outbox-max-count=1", Test("beyond_its_limits_the_outbox_takes_nothing_and_says_which")),
    ("outbox-max-share", &[], "", Test("beyond_its_limits_the_outbox_takes_nothing_and_says_which")),
    ("outbox-max-size", &["mta=smtp://127.0.0.1:1"], "outbox-max-size=10", Shows(MAIL, Screen("(outbox-max-size)"))),
    ("outbox-merge", &[], "", Test("an_equal_message_that_waits_is_counted")),
    ("outbox-notice", &[], "", Test("there_is_one_note_an_hour_in_the_users_own_mailbox")),
    ("outbox-rate", &[], "", Test("a_rate_is_kept")),
    ("outbox-status", &[], "outbox-status=0", Test("what_waits_is_a_success_for_those_who_want_it_so")),
    ("outfolder", &["record=sent", "folder=[DIR]/home"], "outfolder", Shows(MAIL, File("home/sent"))),
    ("page", &[], "page", Shows(Script("p 1\n"), Screen("\x0c"))),
    ("pager", &["crt=1"], "pager=echo PAGED", Shows(Keys("p 1\nx\n"), Screen("PAGED"))),
    ("password", &["user=tester"], "password=s3cret", Shows(RELAY, Login("tester"))),
    ("password-command", &["user=tester"], "password-command=/bin/echo s3cret",
        Shows(RELAY, Login("tester"))),
    ("password-file", &["user=tester"], "password-file=[DIR]/cwd/secret",
        Shows(RELAY, Login("tester"))),
    ("posix", &[], "posix", Shows(System("p 1\nq\n"), File("home/mbox"))),
    ("prompt", &[], "prompt=say>", Shows(Keys("x\n"), Screen("say>"))),
    ("qualify-domain", &[], "qualify-domain=q.example.org", Shows(RELAY, Wire("@q.example.org>"))),
    ("quiet", &[], "quiet", Hides(Keys("x\n"), Screen("2 messages"))),
    ("quote", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("recipients-in-cc", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("record", &[], "record=[DIR]/cwd/sent", Shows(MAIL, In("cwd/sent", "Subject: t"))),
    ("reply-to-honour", &[], "", Test("the_variables_of_answers_do_what_the_table_says")),
    ("replyto", &[], "replyto=desk@x.org", Shows(MAIL, Sent("Reply-To: desk@x.org"))),
    ("resend-uncertain", &[], "", Test("an_uncertain_message_is_left_alone_where_that_is_wanted")),
    ("save", &[], "nosave", Hides(Refused, File("home/dead.letter"))),
    ("screen", &[], "screen=1", Hides(Keys("x\n"), Screen("second subject"))),
    ("searchheaders", &[], "", Test("subjects_and_other_fields_are_searched")),
    ("sender", &[], "sender=desk@x.org", Shows(MAIL, Sent("-f desk@x.org"))),
    ("sendmail-timeout", &[], "sendmail-timeout=1", Slowly(Waiting, Screen("did not answer in time"))),
    ("sendwait", &[], "sendwait", Nothing),
    ("shell", &[], "shell=[DIR]/cwd/ed", Shows(Mail(&["-~"], "~!ignored\nx\n"), File("cwd/-c"))),
    ("showlast", &[], "", Test("showlast_starts_at_the_last_message")),
    ("showname", &[], "showname", Shows(Script("from *\n"), Screen("Alice Example"))),
    ("showto", &["from=root@example.org"], "showto", Shows(Script("from *\n"), Screen("carol@example.org"))),
    ("sign", &[], "sign=Yours", Shows(Mail(&["-~"], "~a\n"), Sent("Yours"))),
    ("skipemptybody", &[], "skipemptybody", Hides(EMPTY, Sent("ops@x.org"))),
    ("smtp", &["mta=auto"], "smtp=127.0.0.1:[PORT]", Shows(RELAY, Wire("RCPT TO:<ops@x.org>"))),
    ("smtp-accept-timeout", &[], "", Test("the_times_of_a_relay_are_those_that_are_set")),
    ("smtp-auth", &["user=tester", "password=s3cret"], "smtp-auth=none", Hides(RELAY, Login("tester"))),
    ("smtp-auth-user", &["password=s3cret"], "smtp-auth-user=tester",
        Shows(RELAY, Login("tester"))),
    ("smtp-connect-timeout", &[], "", Test("the_times_of_a_relay_are_those_that_are_set")),
    ("smtp-deadline", &[], "", Test("the_times_of_a_relay_are_those_that_are_set")),
    ("smtp-hostname", &[], "smtp-hostname=h.example.org", Shows(RELAY, Wire("EHLO h.example.org"))),
    ("smtp-timeout", &[], "", Test("the_times_of_a_relay_are_those_that_are_set")),
    ("smtp-use-starttls", &[], "smtp-use-starttls", Shows(RELAY, Screen("STARTTLS"))),
    ("spool", &[], "spool=[DIR]/cwd/spool", Shows(Own("from *\nx\n"), Screen("first subject"))),
    ("tls", &[], "tls=require", Shows(RELAY, Screen("STARTTLS"))),
    ("tls-ca-file", &[], "tls-ca-file=[DIR]/cwd/none.pem", Shows(RELAY, Screen("STARTTLS"))),
    ("tls-ca-no-defaults", &[], "tls-ca-no-defaults", Shows(RELAY, Screen("no certificate is trusted"))),
    ("tls-cert", &[], "tls-cert=/none.pem", Shows(RELAY, Screen("cannot read the certificate in /none.pem"))),
    ("tls-fingerprint", &[], "tls-fingerprint=zz", Shows(RELAY, Screen("tls-fingerprint is not valid"))),
    ("tls-fingerprint-digest", &[], "tls-fingerprint-digest=sha256", Nothing),
    ("tls-key", &[], "tls-key=/none.key", Shows(RELAY, Screen("tls-key is set without tls-cert"))),
    ("tls-min-version", &[], "tls-min-version=1.3", Shows(RELAY, Screen("offers no STARTTLS"))),
    ("tls-rand-file", &[], "tls-rand-file=/dev/urandom", Nothing),
    ("tls-verify", &[], "tls-verify=ignore", Shows(RELAY, Screen("certificate is not checked"))),
    ("toplines", &[], "toplines=2", Hides(Script("top 1\n"), Screen("Subject: first subject"))),
    ("verbose", &[], "verbose", Shows(MAIL, Sent("-v"))),
    ("visual", &[], "visual=[DIR]/cwd/ed", Shows(Mail(&["-~"], "x\n~v\n"), Sent("edited"))),
];

const BOX: &str = "From alice@example.org Mon Nov 16 09:00:00 2026\n\
    From: Alice Example <alice@example.org>\nTo: root@example.org, bob@example.net\nSubject: first subject\n\n\
    first body\n\n\
    From root@example.org Tue Nov 17 09:00:00 2026\n\
    From: root@example.org\nTo: carol@example.org\nSubject: second subject\n\n\
    second body\n\n";

/// Runs a scene with these settings; returns whether the sign is there.
fn has(scene: Scene, sign: Sign, settings: &[&str]) -> bool {
    let relay = SmtpServer::accepting(Behaviour {
        login: Some(("tester", "s3cret")),
        auth_in_clear: true,
        mail: matches!(sign, Login(_)).then_some("250 OK"),
        ..Behaviour::default()
    });
    let open_relay = SmtpServer::accepting(Behaviour::default());
    let server = if matches!(sign, Login(_)) {
        &relay
    } else {
        &open_relay
    };
    let mta = match scene {
        Refused => FakeSendmail::exiting(69),
        Waiting => FakeSendmail::accepting().step("hang"),
        _ => FakeSendmail::accepting(),
    };
    let case = Case::new().sendmail(mta);
    let user = case.user();
    let fill = |text: &str| {
        text.replace("[USER]", &user)
            .replace("[PORT]", &server.port().to_string())
    };
    let to = ["-s", "t", "ops@x.org"];
    let (args, stdin): (Vec<&str>, &str) = match scene {
        Mail(args, stdin) => ([&to, args].concat(), stdin),
        Refused | Waiting => (to.to_vec(), "x\n"),
        Relay(args) => ([&["-s", "t", "ops@x.org"], args].concat(), "x\n"),
        Script(commands) => (vec!["-N", "-f", "[DIR]/cwd/box"], commands),
        Locked(commands) => (vec!["-N", "-f", "[DIR]/home/box"], commands),
        System(commands) => (vec!["-N", "-f", "%:[DIR]/cwd/box"], commands),
        Own(commands) => (vec!["-N"], commands),
        Keys(_) => (vec!["-f", "[DIR]/cwd/box"], ""),
        Typed(..) => (vec!["ops@x.org"], ""),
    };
    let mut case = case
        .file("cwd/box", BOX)
        .file(&format!("cwd/spool/{user}"), BOX)
        .file("cwd/big", "x".repeat(20_000))
        .file("cwd/secret", "s3cret\n")
        .mode("cwd/secret", 0o600)
        .file("cwd/ed", "#!/bin/sh\necho edited >>\"$1\"\n")
        .mode("cwd/ed", 0o755)
        .file(
            "home/.netrc",
            "machine 127.0.0.1 login tester password s3cret\n",
        )
        .mode("home/.netrc", 0o600);
    if let Locked(_) = scene {
        case = case.file("home/box", BOX).file("home/box.lock", "");
    }
    if let Relay(_) = scene {
        let mta = fill("mta=smtp://127.0.0.1:[PORT]");
        case = case.args(["-S", &mta, "-S", "nonetrc-lookup"]);
    }
    for setting in settings {
        case = case.args(["-S", &fill(setting)]);
    }
    let case = case
        .args(args.iter().map(|word| fill(word)))
        .stdin(stdin)
        .any_status()
        .any_stdout()
        .any_stderr()
        .may_change("home")
        .may_change("cwd")
        .may_change("spool")
        .may_change("mta");
    let ran = match scene {
        Keys(keys) => case.at_terminal(|terminal| terminal.types(keys)),
        Typed(question, keys) => case.at_terminal(|terminal| {
            if !question.is_empty() {
                terminal.sees(question);
            }
            terminal.types(keys);
        }),
        _ => case.run(),
    };
    let file = |name: &str| std::fs::read_to_string(ran.path(name)).ok();
    match sign {
        Screen(text) => {
            let text = fill(text);
            ran.stdout().contains(&text) || ran.stderr().contains(&text)
        }
        Sent(text) => ran.calls().iter().any(|call| {
            let letter = String::from_utf8_lossy(&call.stdin);
            let [argv, env] = [&call.argv, &call.env].map(|words| words.join(" "));
            [argv.as_str(), &env, &letter]
                .iter()
                .any(|part| part.contains(text))
        }),
        Wire(text) => server
            .ended()
            .iter()
            .any(|session| String::from_utf8_lossy(&session.received).contains(text)),
        Login(user) => server
            .messages()
            .iter()
            .any(|message| message.user.as_deref() == Some(user)),
        File(name) => file(name).is_some(),
        In(name, text) => file(name).is_some_and(|content| content.contains(text)),
    }
}

#[test]
fn every_variable_has_the_effect_that_the_table_says() {
    let names: Vec<&str> = EFFECTS.iter().map(|(name, ..)| *name).collect();
    let rows: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    assert_eq!(
        names, rows,
        "a variable without an entry, or an entry without a variable"
    );
    let mut wrong = Vec::new();
    for ((name, beside, setting, proof), row) in EFFECTS.iter().zip(ROWS) {
        let with = [*beside, &[*setting]].concat();
        let says_nothing = help_of_variable(row).starts_with("Accepted, no effect: ");
        assert_eq!(matches!(proof, Nothing), says_nothing, "{name}");
        // Whether the sign is there with the setting, and without it.
        let (seen, expected) = match *proof {
            Shows(scene, sign) => (
                (has(scene, sign, &with), has(scene, sign, beside)),
                (true, false),
            ),
            Hides(scene, sign) => (
                (has(scene, sign, &with), has(scene, sign, beside)),
                (false, true),
            ),
            Slowly(scene, sign) => ((has(scene, sign, &with), true), (true, true)),
            Test(name) => ((is_a_test(name), true), (true, true)),
            Nothing => ((has(MAIL, Sent("ops@x.org"), &with), true), (true, true)),
        };
        if seen != expected {
            wrong.push((*name, seen));
        }
    }
    assert!(wrong.is_empty(), "not as the table says: {wrong:?}");
}

/// Returns whether there is a test of this name.
fn is_a_test(name: &str) -> bool {
    let line = format!("fn {name}() {{");
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    directories.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if std::fs::read_to_string(path).is_ok_and(|text| text.contains(&line)) {
                return true;
            }
        }
    }
    false
}
