//! A password goes only to the host that it was set for. On the loopback a login may travel in
//! clear, so the two servers, at 127.0.0.1 and at localhost, see what they are given.

use std::net::TcpListener;
use std::time::Duration;

use crate::case::{Case, Ran};
use crate::smtp_server::{Behaviour, SmtpServer, find};

const USER: &str = "tester";
const OURS: &str = "password-of-one";
const THEIRS: &str = "password-of-two";

/// Returns a relay that takes this password, or mail without a login.
fn relay(password: Option<&'static str>) -> SmtpServer {
    SmtpServer::accepting(Behaviour {
        login: password.map(|password| (USER, password)),
        mechanisms: Some("LOGIN"),
        auth_in_clear: true,
        ..Behaviour::default()
    })
}

/// The subject and the recipient, which come after all options.
const TO: [&str; 3] = ["-s", "t", "ops@example.com"];

fn case() -> Case {
    Case::new()
        .rc("set hostname=client.example.org")
        .file("cwd/secret", format!("{OURS}\n"))
        .mode("cwd/secret", 0o600)
        .stdin("x\n")
        .limit(Duration::from_secs(15))
}

/// Returns a netrc with the login of localhost, and maybe one of 127.0.0.1.
fn netrc(case: Case, both: bool) -> Case {
    let mut text = format!("machine localhost login {USER} password {THEIRS}\n");
    if both {
        text += &format!("machine 127.0.0.1 login {USER} password {OURS}\n");
    }
    case.file("home/.netrc", text).mode("home/.netrc", 0o600)
}

/// Asserts that a server was shown this password, or none.
#[track_caller]
fn assert_shown(server: &SmtpServer, password: Option<&str>) {
    use base64::Engine;
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for other in [OURS, THEIRS] {
        let seen = server
            .ended()
            .iter()
            .any(|session| find(&session.received, encoded(other).as_bytes()).is_some());
        assert_eq!(seen, password == Some(other), "{other}");
    }
}

fn refused(case: Case, says: &str) -> Ran {
    case.args(TO)
        .status(78)
        .says(says)
        .hints("~/.netrc")
        .keeps(1)
        .run()
}

#[test]
fn another_relay_on_the_command_line_is_not_shown_the_password_of_the_file() {
    let (own, other) = (relay(Some(OURS)), relay(Some(THEIRS)));
    let configured = || {
        case()
            .rc(&format!("set mta=smtp://127.0.0.1:{}", own.port()))
            .rc(&format!(
                "set smtp-auth-user={USER} password-file=[DIR]/cwd/secret"
            ))
    };
    configured().args(TO).run();
    assert_shown(&own, Some(OURS));
    let elsewhere = format!("mta=smtp://localhost:{}", other.port());
    for name in ["mta", "smtp"] {
        let option = elsewhere.replace("mta=", &format!("{name}="));
        refused(
            configured().args(["-S", &option]),
            "password-file is for 127.0.0.1, and is not used for localhost",
        );
    }
    assert_eq!(other.sessions().len(), 0);
    // With its own login it is served.
    netrc(configured(), false)
        .args(["-S", &elsewhere])
        .args(TO)
        .run();
    assert_shown(&other, Some(THEIRS));
    // The same host at another port is the same host.
    let second = relay(Some(OURS));
    let port = format!("mta=smtp://127.0.0.1:{}", second.port());
    configured().args(["-S", &port]).args(TO).run();
    assert_shown(&second, Some(OURS));
}

#[test]
fn an_account_with_another_relay_is_not_shown_the_password_of_the_first() {
    let (own, other) = (relay(Some(OURS)), relay(Some(THEIRS)));
    let configured = |own_secret: &str| {
        case()
            .rc(&format!("set mta=smtp://127.0.0.1:{}", own.port()))
            .rc(&format!(
                "set smtp-auth-user={USER} password-file=[DIR]/cwd/secret"
            ))
            .rc(&format!(
                "account two {{\nset mta=smtp://localhost:{}{own_secret}\n}}",
                other.port()
            ))
            .file("cwd/other", format!("{THEIRS}\n"))
            .mode("cwd/other", 0o600)
    };
    refused(
        configured("").args(["-A", "two"]),
        "password-file is for 127.0.0.1, and is not used for localhost",
    );
    assert_eq!(other.sessions().len(), 0);
    configured(" password-file=[DIR]/cwd/other")
        .args(["-A", "two"])
        .args(TO)
        .run();
    assert_shown(&other, Some(THEIRS));
    configured("").args(TO).run();
    assert_shown(&own, Some(OURS));
}

#[test]
fn one_password_for_the_relays_of_two_hosts_is_refused() {
    let (one, two) = (relay(Some(OURS)), relay(Some(THEIRS)));
    let list = format!(
        "smtp://127.0.0.1:{},smtp://localhost:{}",
        one.port(),
        two.port()
    );
    let listed = |list: &str| {
        case()
            .rc(&format!("set mta={list}"))
            .rc("set password-file=[DIR]/cwd/secret")
    };
    refused(
        listed(&list).rc(&format!("set smtp-auth-user={USER}")),
        "password-file gives one password, but both 127.0.0.1 and localhost would get it",
    );
    assert_eq!((one.sessions().len(), two.sessions().len()), (0, 0));
}

/// Returns a port on which nothing listens.
fn closed() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

#[test]
fn each_relay_of_a_list_is_shown_its_own_login_or_none() {
    let down = closed();
    // From netrc, by the name of the machine.
    let two = relay(Some(THEIRS));
    netrc(case(), true)
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{down},smtp://localhost:{}",
            two.port()
        ))
        .args(TO)
        .run();
    assert_shown(&two, Some(THEIRS));
    // From the URL, although a file has the password of the others.
    let two = relay(Some(THEIRS));
    case()
        .rc(&format!(
            "set mta=smtp://{USER}@127.0.0.1:{down},smtp://{USER}:{THEIRS}@localhost:{}",
            two.port()
        ))
        .rc("set password-file=[DIR]/cwd/secret")
        .mode("rc", 0o600)
        .args(TO)
        .run();
    assert_shown(&two, Some(THEIRS));
    // A smart host without a login gets mail, and no login.
    let two = relay(None);
    case()
        .rc(&format!(
            "set mta=smtp://{USER}@127.0.0.1:{down},smtp://localhost:{}",
            two.port()
        ))
        .rc("set password-file=[DIR]/cwd/secret")
        .args(TO)
        .run();
    assert_eq!(two.messages().len(), 1);
    assert_shown(&two, None);
    // Two ports of one host may share a password.
    let two = relay(Some(OURS));
    case()
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{down},smtp://127.0.0.1:{}",
            two.port()
        ))
        .rc(&format!(
            "set smtp-auth-user={USER} password-file=[DIR]/cwd/secret"
        ))
        .args(TO)
        .run();
    assert_shown(&two, Some(OURS));
}
