//! What a relay says is not believed as it stands: it may echo our password, or answer before it is
//! asked.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::case::{Case, Ran};
use crate::smtp_server::{SmtpServer, Step, expect, find, say};

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
    let at = |name: &str, code: u16, usual: &str| match name == place {
        true => reply(code),
        false => say(usual),
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
