//! What a relay says is not believed as it stands: it may echo our password, or answer before it is
//! asked.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::case::{Case, Ran};
use crate::smtp_server::{Certificate, SmtpServer, Step, expect, find, say};

const USER: &str = "tester";
const SECRET: &str = "s3cret-pass-word";

/// Longer than any of these runs takes.
const SOON: Duration = Duration::from_secs(20);

// --- secrets -----------------------------------------------------------------------------------

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// Returns the lines of AUTH after the first word, as the methods send them.
fn blobs() -> [String; 4] {
    [
        base64(&format!("\0{USER}\0{SECRET}")),
        base64(SECRET),
        base64(&format!("user={USER}\x01auth=Bearer {SECRET}\x01\x01")),
        base64(&format!(
            "n,a={USER},\x01host=127.0.0.1\x01port=1\x01auth=Bearer {SECRET}\x01\x01"
        )),
    ]
}

/// Returns what a relay may put into a line: the secret in every form, all at once.
fn echo() -> String {
    let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
    let percent: String = SECRET.bytes().map(|b| format!("%{b:02X}")).collect();
    let mut words = vec![
        SECRET.to_owned(),
        SECRET.to_uppercase(),
        format!("{USER}:{SECRET}@"),
        hex,
        percent,
        base64(&format!("x{SECRET}y")),
        base64(&format!("xx{SECRET}y")),
    ];
    words.extend(blobs());
    words.extend(blobs().map(|blob| blob.to_lowercase()));
    words.extend(blobs().map(|blob| blob.trim_end_matches('=').to_owned()));
    words.join(" ")
}

/// Returns a reply that holds every form, cut in the middle of each word, too.
fn reply(code: u16) -> Step {
    let echo = echo();
    let mut lines = vec![format!("{code}-5.7.8 you said {echo}")];
    for word in echo.split(' ') {
        let (front, back) = word.split_at(word.len() / 2);
        lines.push(format!("{code}-5.7.8 {front}"));
        lines.push(format!("{code}-5.7.8 {back}"));
    }
    lines.push(format!("{code} 5.7.8 end"));
    say(&lines.join("\r\n"))
}

/// The methods, and what the client sends after `AUTH` for each.
const METHODS: [(&str, &str, usize); 4] = [
    ("plain", "AUTH PLAIN ", 0),
    ("login", "AUTH LOGIN", 2),
    ("xoauth2", "AUTH XOAUTH2 ", 0),
    ("oauthbearer", "AUTH OAUTHBEARER ", 0),
];

/// Returns a script in which the relay echoes at this place.
fn script(place: &str, auth: &'static str, turns: usize) -> Vec<Step> {
    let at = |name: &str, code: u16, usual: &str| {
        if name == place {
            reply(code)
        } else {
            say(usual)
        }
    };
    let ehlo = match place {
        "EHLO" => {
            let Step::Send(bytes) = reply(250) else {
                unreachable!()
            };
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replace("250 5.7.8 end", "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER");
            Step::Send(text.into_bytes())
        }
        _ => say("250-relay.test\r\n250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
    };
    let mut script = vec![at("greeting", 220, "220 relay.test"), expect("EHLO"), ehlo];
    if place == "no mechanism" {
        script.pop();
        script.push(say(&format!("250-relay.test\r\n250 AUTH {SECRET}")));
        script.push(expect("QUIT"));
        return script;
    }
    script.push(expect(auth));
    for _ in 0..turns {
        script.push(at("challenge", 334, "334 VXNlcm5hbWU6"));
        script.push(expect(""));
    }
    match place {
        "AUTH refused" => script.extend([reply(535), expect("QUIT"), say("221 bye")]),
        "AUTH later" => script.extend([reply(454), expect("QUIT"), say("221 bye")]),
        "AUTH closes" => script.push(reply(421)),
        "no reply" => script.push(say(&format!("what is {}", blobs().join(" ")))),
        "two codes" => script.push(say(&format!("235-a {SECRET}\r\n535 {SECRET}"))),
        _ => script.push(at("AUTH accepted", 235, "235 ok")),
    }
    let refused = match place {
        "MAIL" => vec![expect("MAIL"), reply(550), expect("QUIT"), reply(221)],
        "RCPT" => vec![
            expect("MAIL"),
            say("250 ok"),
            expect("RCPT"),
            reply(550),
            expect("QUIT"),
            reply(221),
        ],
        _ => vec![
            expect("MAIL"),
            say("250 ok"),
            expect("RCPT"),
            say("250 ok"),
            expect("DATA"),
            at("DATA", 554, "354 go on"),
        ],
    };
    script.extend(refused);
    match place {
        "end accepted" => script.extend([Step::ExpectData, reply(250)]),
        "end refused" => script.extend([Step::ExpectData, reply(554)]),
        "end later" => script.extend([Step::ExpectData, reply(451)]),
        _ => script.extend([Step::ExpectData, say("250 queued")]),
    }
    script.extend([expect("QUIT"), reply(221)]);
    script
}

/// Asserts that no form of the secret, nor a larger part of one, is in this text.
#[track_caller]
fn assert_holds_none(name: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
    let percent: String = SECRET.bytes().map(|b| format!("%{b:02x}")).collect();
    let mut forms = vec![SECRET.to_owned(), hex, percent];
    for before in 0..3 {
        forms.push(base64(&format!("{}{SECRET}", "x".repeat(before))).replace('=', ""));
    }
    for form in forms {
        let form = form.to_lowercase();
        for part in form.as_bytes().windows(8) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!text.contains(part), "{name}: {part} in {text}");
        }
    }
}

#[test]
fn a_relay_that_echoes_what_we_said_gets_no_secret_shown() {
    let places = [
        "greeting",
        "EHLO",
        "no mechanism",
        "challenge",
        "AUTH refused",
        "AUTH later",
        "AUTH closes",
        "AUTH accepted",
        "no reply",
        "two codes",
        "MAIL",
        "RCPT",
        "DATA",
        "end accepted",
        "end refused",
        "end later",
    ];
    for (method, auth, turns) in METHODS {
        for place in places {
            let name = format!("{method} {place}");
            // Most mechanisms have no turn of LOGIN's: a challenge there is an error they report.
            if place == "challenge" && turns == 0 {
                continue;
            }
            let server = SmtpServer::scripted(script(place, auth, turns));
            let ran = Case::new()
                .called("postrider")
                .args(["send", "--json", "--subject", "t", "ops@example.com"])
                .rc("set verbose")
                .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
                .rc(&format!("set smtp-auth={method} smtp-auth-user={USER}"))
                .rc("set password-file=[DIR]/cwd/secret log=[DIR]/cwd/log")
                .rc("set hostname=client.example.org")
                .file("cwd/secret", format!("{SECRET}\n"))
                .mode("cwd/secret", 0o600)
                .stdin("the text\n")
                .limit(SOON)
                .any_status()
                .any_stdout()
                .any_stderr()
                .may_change("cwd/log")
                .may_change("home/dead.letter")
                .run();
            let sent = &server.ended()[0].received;
            if place != "no mechanism" {
                let is_sent = blobs()[..3]
                    .iter()
                    .any(|b| find(sent, b.as_bytes()).is_some());
                assert!(
                    is_sent || method == "oauthbearer",
                    "{name}: AUTH was not tried"
                );
            }
            assert_tells_no_secret(&name, &ran);
            assert!(ran.stderr().contains("****"), "{name}: {}", ran.stderr());
        }
    }
}

fn assert_tells_no_secret(name: &str, ran: &Ran) {
    assert_holds_none(name, ran.stderr().as_bytes());
    assert_holds_none(name, ran.stdout().as_bytes());
    assert_holds_none(name, &ran.read("cwd/log"));
    if ran.path("home/dead.letter").exists() {
        assert_holds_none(name, &ran.read("home/dead.letter"));
    }
}

// --- answers before the question ----------------------------------------------------------------

/// One place where a relay answers too soon, and how it is reached.
struct Early {
    name: &'static str,
    scheme: &'static str,
    login: Option<&'static str>,
    script: Vec<Step>,
}

/// Returns a dialogue in lock-step, in which the relay gives this reply together with the next.
fn lock_step(together: usize, login: Option<&'static str>) -> Vec<Step> {
    let mut turns = vec![
        ("", "220 relay.test"),
        ("EHLO", "250-relay.test\r\n250 AUTH PLAIN LOGIN"),
    ];
    match login {
        Some("plain") => turns.push(("AUTH PLAIN", "235 ok")),
        Some(_) => turns.extend([
            ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
            ("", "334 UGFzc3dvcmQ6"),
            ("", "235 ok"),
        ]),
        None => {}
    }
    turns.extend([
        ("MAIL", "250 ok"),
        ("RCPT", "250 ok"),
        ("RCPT", "250 ok"),
        ("DATA", "354 go on"),
    ]);
    let mut script = Vec::new();
    for (number, (command, reply)) in turns.iter().enumerate() {
        if number > 0 {
            script.push(expect(command));
        }
        let next = turns
            .get(number + 1)
            .map_or("250 queued", |(_, reply)| reply);
        script.push(if number == together {
            say(&format!("{reply}\r\n{next}"))
        } else {
            say(reply)
        });
        if number == together {
            return script;
        }
    }
    script
}

fn early_replies(certificate: &Arc<Certificate>) -> Vec<Early> {
    let tls = || Step::Tls(Arc::clone(certificate));
    let all = || {
        say(
            "220 relay.test\r\n250 relay.test\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 queued\r\n221 bye",
        )
    };
    let clear = |name, script| Early {
        name,
        scheme: "smtp",
        login: None,
        script,
    };
    let mut table = vec![
        clear("all replies at once", vec![all()]),
        clear("greeting and EHLO", lock_step(0, None)),
        clear("EHLO and MAIL", lock_step(1, None)),
        clear("MAIL and RCPT", lock_step(2, None)),
        clear("two RCPTs", lock_step(3, None)),
        clear("RCPT and DATA", lock_step(4, None)),
        clear("DATA and the end", lock_step(5, None)),
        clear(
            "half a reply",
            vec![say("220 relay.test\r\n250 rel"), Step::Sleep(SOON)],
        ),
        clear(
            "EHLO and the whole pipeline",
            vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("250-relay.test\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go on"),
            ],
        ),
        clear(
            "the pipeline and the end",
            vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("250-relay.test\r\n250 PIPELINING"),
                expect("MAIL"),
                expect("RCPT"),
                expect("RCPT"),
                expect("DATA"),
                say("250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 queued"),
            ],
        ),
        clear(
            "a greeting in the middle of HELO",
            vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("502 no\r\n250 relay.test"),
            ],
        ),
        Early {
            name: "STARTTLS and EHLO in clear",
            scheme: "submission",
            login: None,
            script: vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("250-relay.test\r\n250 STARTTLS"),
                expect("STARTTLS"),
                say("220 go\r\n250 relay.test"),
            ],
        },
        Early {
            name: "STARTTLS before it is asked for",
            scheme: "submission",
            login: None,
            script: vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("250-relay.test\r\n250 STARTTLS\r\n220 go"),
            ],
        },
        Early {
            name: "EHLO and MAIL inside STARTTLS",
            scheme: "submission",
            login: None,
            script: vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("250-relay.test\r\n250 STARTTLS"),
                expect("STARTTLS"),
                say("220 go"),
                tls(),
                expect("EHLO"),
                say("250 relay.test\r\n250 ok"),
            ],
        },
    ];
    for (method, together) in [
        ("plain", 1),
        ("plain", 2),
        ("login", 2),
        ("login", 3),
        ("login", 4),
    ] {
        table.push(Early {
            name: "AUTH",
            scheme: "smtp",
            login: Some(method),
            script: lock_step(together, Some(method)),
        });
    }
    for (name, together) in [
        ("greeting and EHLO inside TLS", 0),
        ("EHLO and MAIL inside TLS", 1),
        ("two RCPTs inside TLS", 3),
        ("DATA and the end inside TLS", 5),
    ] {
        let mut script = vec![tls()];
        script.extend(lock_step(together, None));
        table.push(Early {
            name,
            scheme: "smtps",
            login: None,
            script,
        });
    }
    table.push(Early {
        name: "all replies at once inside TLS",
        scheme: "smtps",
        login: None,
        script: vec![tls(), all()],
    });
    table
}

/// Returns a mail to two recipients, sent to this server.
fn to_two(scheme: &str, server: &SmtpServer, certificate: &Certificate) -> Case {
    Case::new()
        .rc(&format!("set mta={scheme}://localhost:{}", server.port()))
        .rc("set hostname=client.example.org tls-ca-file=[DIR]/cwd/authority.pem")
        .rc(if scheme == "smtp" {
            "unset tls-ca-file"
        } else {
            ""
        })
        .file("cwd/authority.pem", &certificate.authority)
        .args(["-s", "t", "a@example.com", "b@example.com"])
        .stdin("the text\n")
        .limit(SOON)
}

#[test]
fn a_relay_that_answers_before_it_is_asked_has_accepted_nothing() {
    let certificate = Certificate::good();
    for early in early_replies(&certificate) {
        let name = early.name;
        let server = SmtpServer::scripted(early.script);
        let mut case = to_two(early.scheme, &server, &certificate);
        if let Some(method) = early.login {
            case = case
                .rc(&format!("set smtp-auth={method} smtp-auth-user={USER}"))
                .rc("set password-file=[DIR]/cwd/secret")
                .file("cwd/secret", format!("{SECRET}\n"))
                .mode("cwd/secret", 0o600);
        }
        println!("{name} {:?}", early.login);
        let ran = case.status(76).any_stderr().queues(1).run();
        assert!(
            !ran.stderr().contains("accepted"),
            "{name}: {}",
            ran.stderr()
        );
        let session = &server.sessions()[0];
        let body = find(&session.received, b"the text");
        assert_eq!(body, None, "{name}: the message was sent");
        assert_eq!(ran.unsent()[0].body(), b"the text\n", "{name}");
    }
}

#[test]
fn a_relay_that_closes_while_we_are_silent_is_tried_later() {
    // RFC 5321 section 3.8: 421 may come at any time.
    for (name, script) in [
        ("greeting", vec![say("220 relay.test\r\n421 going down")]),
        (
            "EHLO",
            vec![
                say("220 relay.test"),
                expect("EHLO"),
                say("250 relay.test\r\n421 going down"),
            ],
        ),
    ] {
        let server = SmtpServer::scripted(script);
        println!("{name}");
        to_two("smtp", &server, &Certificate::good())
            .status(75)
            .stderr_contains("going down")
            .queues(1)
            .run();
    }
}

#[test]
fn what_follows_the_reply_to_the_final_dot_changes_nothing() {
    for end in [
        "250 queued\r\n221 bye",
        "250 queued\r\n550 no\r\n550 no",
        "250 queued\r\nnonsense",
    ] {
        let mut script = lock_step(9, None);
        script.extend([Step::ExpectData, say(end), expect("QUIT")]);
        let server = SmtpServer::scripted(script);
        to_two("smtp", &server, &Certificate::good()).run();
        assert_eq!(server.ended()[0].fault, None);
    }
}
