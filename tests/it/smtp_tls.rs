//! TLS and logins: whom the program trusts, and that a password reaches nobody else.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::case::{Case, Ran};
use crate::launch;
use crate::smtp_server::{Behaviour, Certificate, Session, SmtpServer, find};

const USER: &str = "tester";
const PASSWORD: &str = "s3cret-pass-word";

/// Longer than any of these runs takes.
const SOON: Duration = Duration::from_secs(15);

/// Returns a relay that wants a login inside TLS.
fn guarded(certificate: &Arc<Certificate>) -> Behaviour {
    Behaviour {
        certificate: Some(Arc::clone(certificate)),
        login: Some((USER, PASSWORD)),
        ..Behaviour::default()
    }
}

/// Returns `mailx -s t ops@example.com` to be sent to `SCHEME://HOST:PORT`, with the password in a file.
fn login(scheme: &str, server: &SmtpServer, certificate: &Certificate) -> Case {
    let case = anonymous(scheme, server, certificate)
        .rc(&format!("set smtp-auth-user={USER}"))
        .rc("set password-file=[DIR]/cwd/secret");
    secret(case, 0o600)
}

fn secret(case: Case, mode: u32) -> Case {
    case.file("cwd/secret", format!("{PASSWORD}\n"))
        .mode("cwd/secret", mode)
}

/// The same without a user.
fn anonymous(scheme: &str, server: &SmtpServer, certificate: &Certificate) -> Case {
    Case::new()
        .rc(&format!("set mta={scheme}://localhost:{}", server.port()))
        .rc("set tls-ca-file=[DIR]/cwd/authority.pem")
        .rc("set hostname=client.example.org")
        .file("cwd/authority.pem", &certificate.authority)
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .limit(SOON)
}

/// Returns the forms in which a password can be seen: as it is, and as AUTH PLAIN and LOGIN say it.
fn traces() -> [String; 3] {
    [
        PASSWORD.to_owned(),
        STANDARD.encode(PASSWORD),
        STANDARD.encode(format!("\0{USER}\0{PASSWORD}")),
    ]
}

/// Asserts that the password is in nothing the program wrote, and went nowhere in clear.
#[track_caller]
fn assert_secret(ran: &Ran, sessions: &[Session]) {
    for trace in traces() {
        assert!(!ran.stdout().contains(&trace), "{}", ran.stdout());
        assert!(!ran.stderr().contains(&trace), "{}", ran.stderr());
        for session in sessions {
            let clear = &session.received[..session.clear];
            assert_eq!(find(clear, trace.as_bytes()), None);
        }
    }
}

#[test]
fn mail_goes_out_over_tls_with_a_login() {
    let certificate = Certificate::good();
    for (scheme, implicit) in [
        ("submission", false),
        ("smtp", false),
        ("submissions", true),
        ("smtps", true),
    ] {
        for mechanisms in ["PLAIN", "LOGIN"] {
            let server = SmtpServer::accepting(Behaviour {
                implicit,
                mechanisms: Some(mechanisms),
                ..guarded(&certificate)
            });
            let ran = login(scheme, &server, &certificate)
                .args(["-v", "-v"])
                .any_stderr()
                .run();
            let messages = server.messages();
            assert_eq!(messages.len(), 1, "{scheme} {mechanisms}");
            assert!(messages[0].tls, "{scheme} {mechanisms}");
            assert_eq!(messages[0].user.as_deref(), Some(USER));
            let sessions = server.ended();
            assert_eq!(sessions[0].server_name.as_deref(), Some("localhost"));
            assert_secret(&ran, &sessions);
        }
    }
}

#[test]
fn a_bad_certificate_is_refused_and_the_hint_is_the_line_that_pins_it() {
    for (certificate, why) in [
        (Certificate::wrong_host(), "other.example"),
        (Certificate::expired(), "expired"),
    ] {
        let server = SmtpServer::accepting(guarded(&certificate));
        let ran = login("submission", &server, &certificate)
            .args(["-v", "-v"])
            .status(77)
            .stderr_contains(why)
            .queues(1)
            .run();
        assert_secret(&ran, &server.ended());
        assert_eq!(server.messages(), []);
        let stderr = ran.stderr();
        let line = stderr
            .lines()
            .find_map(|line| line.strip_prefix("hint: ")?.split_once(": "))
            .unwrap_or_else(|| panic!("no hint in:\n{stderr}"))
            .1;
        assert!(line.starts_with("set tls-fingerprint=sha256:"), "{line}");
        login("submission", &server, &certificate).rc(line).run();
        assert_eq!(server.messages().len(), 1);
    }
}

#[test]
fn a_certificate_of_nobody_we_know_is_refused() {
    let (certificate, other) = (Certificate::good(), Certificate::self_signed(true));
    let server = SmtpServer::accepting(guarded(&certificate));
    let ran = login("submission", &server, &other)
        .status(77)
        .says("its certificate is not trusted: it is signed by an unknown authority")
        .hints("set tls-fingerprint=sha256:")
        .queues(1)
        .run();
    assert_secret(&ran, &server.ended());
}

// var:tls-fingerprint
#[test]
fn another_fingerprint_is_refused() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(guarded(&certificate));
    login("submission", &server, &certificate)
        .rc(&format!("set tls-fingerprint={}", "ab".repeat(32)))
        .status(77)
        .says("its fingerprint is not the configured one")
        .hints("set tls-fingerprint=sha256:")
        .queues(1)
        .run();
    assert_eq!(server.messages(), []);
}

#[test]
fn required_tls_that_is_not_offered_sends_nothing() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(Behaviour::default());
    anonymous("submission", &server, &certificate)
        .fails()
        .says("STARTTLS")
        .queues(1)
        .run();
    assert_eq!(server.messages(), []);
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let certificate = Certificate::good();
    for mechanisms in ["PLAIN", "LOGIN"] {
        let server = SmtpServer::accepting(Behaviour {
            login: Some((USER, "another")),
            mechanisms: Some(mechanisms),
            ..guarded(&certificate)
        });
        let ran = login("submission", &server, &certificate)
            .args(["-v", "-v"])
            .status(77)
            .stderr_contains("bad user or password")
            .queues(1)
            .run();
        assert_secret(&ran, &server.ended());
        assert_eq!(server.messages(), []);
        let kept = std::fs::read(ran.waiting().path).unwrap();
        assert_eq!(find(&kept, PASSWORD.as_bytes()), None);
    }
}

#[test]
fn a_relay_that_wants_a_login_is_told_from_one_that_does_not() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(guarded(&certificate));
    anonymous("submission", &server, &certificate)
        .status(77)
        .says("authenticate first")
        .hints("smtp-auth-user")
        .queues(1)
        .run();
}

#[test]
fn a_password_that_others_can_read_is_refused() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(guarded(&certificate));
    for mode in [0o644, 0o604, 0o620] {
        secret(login("submission", &server, &certificate), mode)
            .status(78)
            .says("other users can read the password in [DIR]/cwd/secret")
            .hints("chmod 600 [DIR]/cwd/secret")
            .keeps(1)
            .run();
    }
    assert_eq!(server.sessions().len(), 0, "nobody was asked");
}

#[test]
fn a_password_in_a_configuration_that_others_can_read_is_refused() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(guarded(&certificate));
    let case = || {
        anonymous("submission", &server, &certificate)
            .rc(&format!("set smtp-auth-user={USER} password={PASSWORD}"))
    };
    case()
        .mode("rc", 0o644)
        .status(78)
        .says("other users can read the password in [DIR]/rc")
        .hints("chmod 600 [DIR]/rc")
        .keeps(1)
        .run();
    case().mode("rc", 0o600).run();
    assert_eq!(server.messages().len(), 1);
}

#[test]
fn a_password_comes_from_netrc_and_from_a_command() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(guarded(&certificate));
    let netrc = format!("machine localhost login {USER} password {PASSWORD}\n");
    anonymous("submission", &server, &certificate)
        .file("home/.netrc", &netrc)
        .mode("home/.netrc", 0o600)
        .run();
    anonymous("submission", &server, &certificate)
        .file("home/.netrc", &netrc)
        .mode("home/.netrc", 0o644)
        .status(78)
        .says("other users can read the password in [DIR]/home/.netrc")
        .hints("chmod 600")
        .keeps(1)
        .run();
    anonymous("submission", &server, &certificate)
        .rc(&format!("set smtp-auth-user={USER}"))
        .rc("set password-command='/bin/cat [DIR]/cwd/vault'")
        .file("cwd/vault", format!("{PASSWORD}\nsecond line\n"))
        .run();
    let users: Vec<_> = server.messages().into_iter().map(|m| m.user).collect();
    assert_eq!(users, vec![Some(USER.to_owned()); 2]);
}

#[test]
fn a_user_without_a_password_is_told_what_to_write() {
    let certificate = Certificate::good();
    let server = SmtpServer::accepting(guarded(&certificate));
    anonymous("submission", &server, &certificate)
        .rc(&format!("set smtp-auth-user={USER}"))
        .status(77)
        .says("there is no password for tester at localhost")
        .hints("set password-file=")
        .queues(1)
        .run();
}

/// Returns an address of this machine that is not the loopback; no packet is sent for it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn a_password_never_travels_in_clear_to_another_host() {
    let what = "no password in clear to an address that is not the loopback";
    let Some(address) = own_address() else {
        return launch::left_out(what, "this machine has no such address");
    };
    let server = SmtpServer::accepting_at(
        address,
        Behaviour {
            login: Some((USER, PASSWORD)),
            auth_in_clear: true,
            ..Behaviour::default()
        },
    );
    let case = Case::new()
        .rc(&format!("set mta=smtp://{}", server.address()))
        .rc(&format!("set smtp-auth-user={USER}"))
        .rc("set password-file=[DIR]/cwd/secret")
        .args(["-v", "-v", "-s", "t", "ops@example.com"])
        .stdin("x\n")
        .limit(SOON);
    let ran = secret(case, 0o600).fails().any_stderr().queues(1).run();
    assert_secret(&ran, &server.ended());
    assert_eq!(server.messages(), []);
}

#[test]
fn the_heirloom_line_with_a_password_names_the_fingerprint_to_write() {
    let what = "ssl-verify=ignore with a password to an address that is not the loopback";
    let Some(address) = own_address() else {
        return launch::left_out(what, "this machine has no such address");
    };
    let certificate = Certificate::self_signed(true);
    let server = SmtpServer::accepting_at(address, guarded(&certificate));
    let heirloom = |case: Case| {
        let ways = [
            format!("smtp=smtp://{}", server.address()),
            "smtp-use-starttls".to_owned(),
            "ssl-verify=ignore".to_owned(),
            "smtp-auth=login".to_owned(),
            format!("smtp-auth-user={USER}"),
            format!("smtp-auth-password={PASSWORD}"),
            "from=app@example.org".to_owned(),
        ];
        let case = ways.iter().fold(case, |case, way| case.args(["-S", way]));
        case.rc("set mta=auto")
            .args(["-v", "-v", "-s", "t", "ops@example.com"])
            .stdin("x\n")
            .limit(SOON)
    };
    let ran = heirloom(Case::new()).status(78).any_stderr().keeps(1).run();
    assert_secret(&ran, &server.ended());
    assert_eq!(server.messages(), []);
    let stderr = ran.stderr();
    assert!(
        stderr.contains("-S ssl-verify: the password is not sent"),
        "{stderr}"
    );
    let line = stderr
        .lines()
        .find_map(|line| Some(line.strip_prefix("hint: ")?.split_once(": ")?.1))
        .filter(|line| line.starts_with("set tls-fingerprint=sha256:"))
        .unwrap_or_else(|| panic!("no line to write in:\n{stderr}"));
    heirloom(Case::new().rc(line)).any_stderr().run();
    assert_eq!(server.messages().len(), 1);
}

#[test]
fn the_names_in_a_certificate_neither_forge_a_line_nor_command_a_terminal() {
    let certificate = Certificate::named("x\nforged: line\u{1b}[2J\u{7f}.example");
    let server = SmtpServer::accepting(Behaviour {
        certificate: Some(Arc::clone(&certificate)),
        ..Behaviour::default()
    });
    let ran = anonymous("submission", &server, &certificate)
        .fails()
        .any_stderr()
        .queues(1)
        .run();
    let told = ran.stderr();
    assert!(told.contains("forged: line"), "{told}");
    let is_odd = |c: char| c.is_control() && c != '\n';
    assert!(!told.contains(is_odd), "{told:?}");
    assert!(
        !told.lines().any(|line| line.starts_with("forged")),
        "{told}"
    );
    assert!(server.messages().is_empty());
}
