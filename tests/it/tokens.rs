//! Tokens that Postrider fetches: from whom, for whom, and what a failure of the service means.
//!
//! Tokens that a relay refuses are in `stale_tokens`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::{Case, Ran};
use crate::launch;
use crate::smtp_server::{Behaviour, Certificate, SmtpServer};
use crate::token_server::{Reply, TokenServer, gives, nowhere};

/// Longer than any of these runs takes.
pub const SOON: Duration = Duration::from_secs(15);

pub const MAILBOX: &str = "alerts@contoso.example";
pub const TOKEN: &str = "eyJ0eXAiOiJKV1Qi.the-good-token.x1y2z3";
pub const STALE: &str = "eyJ0eXAiOiJKV1Qi.the-stale-token.a4b5c6";
const SECRET: &str = "Q8~xK2vPz0wRt.7LmN4";

/// Returns a relay that behaves like Exchange: a token instead of a password, and mail of one mailbox
/// alone.
pub fn exchange() -> SmtpServer {
    SmtpServer::accepting(Behaviour {
        bearer: Some((MAILBOX, TOKEN)),
        sends_as: Some(MAILBOX),
        auth_in_clear: true,
        ..Behaviour::default()
    })
}

/// Returns `mailx -s t ops@example.com` by that relay, with a token from this address.
pub fn by_token(relay: &SmtpServer, url: &str) -> Case {
    private(
        set(Case::new(), relay, url),
        "cwd/secret",
        &format!("{SECRET}\n"),
    )
}

/// Sends it by the three lines that are enough.
pub fn set(case: Case, relay: &SmtpServer, url: &str) -> Case {
    configured(case, relay, url)
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .may_change("home")
        .limit(SOON)
}

/// Sets the three lines that are enough, and where the two services are.
pub fn configured(case: Case, relay: &SmtpServer, url: &str) -> Case {
    case.rc(&format!("set mta=smtp://127.0.0.1:{}", relay.port()))
        .rc(&format!("set from={MAILBOX}"))
        .rc("set oauth=microsoft:contoso.example oauth-client-id=4711-0815 oauth-secret-file=[DIR]/cwd/secret")
        .rc(&format!("set oauth-token-url={url}"))
}

pub fn private(case: Case, path: &str, text: &str) -> Case {
    case.file(path, text).mode(path, 0o600)
}

/// Returns the files of the cache.
pub fn cached(ran: &Ran) -> Vec<PathBuf> {
    let names = fs::read_dir(ran.path("home/.local/state/postrider/tokens"));
    names.map_or_else(
        |_| Vec::new(),
        |names| names.map(|name| name.unwrap().path()).collect(),
    )
}

/// Asserts that no secret is in what the program wrote.
#[track_caller]
pub fn assert_secret(ran: &Ran) {
    for text in [ran.stdout(), ran.stderr()] {
        for secret in [SECRET, TOKEN, STALE] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn three_lines_send_by_a_token_and_the_next_mail_uses_it_again() {
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let ran = by_token(&relay, &service.url())
        .args(["-v", "-v"])
        .stderr_contains("client_secret=****")
        .run();
    assert_secret(&ran);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.line, "POST /token HTTP/1.1");
    let form = |name: &str| request.form.get(name).map(String::as_str);
    assert_eq!(form("grant_type"), Some("client_credentials"));
    assert_eq!(form("client_id"), Some("4711-0815"));
    assert_eq!(form("client_secret"), Some(SECRET));
    assert_eq!(
        form("scope"),
        Some("https://outlook.office365.com/.default")
    );
    assert_eq!(request.form.len(), 4);
    let kind = request.fields.get("content-type").map(String::as_str);
    assert_eq!(kind, Some("application/x-www-form-urlencoded"));
    let messages = relay.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].user.as_deref(), Some(MAILBOX));

    let files = cached(&ran);
    assert_eq!(files.len(), 1);
    assert_eq!(fs::metadata(&files[0]).unwrap().mode() & 0o777, 0o600);
    let ran = set(ran.again(), &relay, &service.url()).run();
    assert_eq!((service.requests().len(), relay.messages().len()), (1, 2));
    // What is no token of ours is replaced.
    fs::write(&files[0], "{\"token\":\"forged\"}").unwrap();
    set(ran.again(), &relay, &service.url()).run();
    assert_eq!((service.requests().len(), relay.messages().len()), (2, 3));
}

#[test]
fn mail_of_cron_passes_with_the_same_three_lines() {
    let cron = "From: root (Cron Daemon)\nTo: root\n\nhi\n";
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let by_cron = |from: &str| {
        let case = Case::new()
            .called("sendmail")
            .rc(&format!("set mta=smtp://127.0.0.1:{}", relay.port()))
            .rc(&format!("set {from} oauth=microsoft:contoso.example oauth-client-id=4711-0815 oauth-secret-file=[DIR]/cwd/secret"))
            .rc("alias root ops@example.com")
            // Where the scripted service is.
            .rc(&format!("set oauth-token-url={}", service.url()))
            .args(["-i", "root"])
            .stdin(cron)
            .may_change("home")
            .limit(SOON);
        private(case, "cwd/secret", &format!("{SECRET}\n"))
    };
    by_cron(&format!("from={MAILBOX}")).run();
    let messages = relay.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].to, ["<ops@example.com>"]);
    assert!(
        messages[0].from.starts_with(&format!("<{MAILBOX}>")),
        "{}",
        messages[0].from
    );
    let text = String::from_utf8_lossy(&messages[0].data).into_owned();
    assert!(
        text.contains(&format!("From: Cron Daemon <{MAILBOX}>")),
        "{text}"
    );
    // Another sender is what Exchange refuses.
    by_cron(&format!(
        "smtp-auth-user={MAILBOX} from=other@contoso.example"
    ))
    .status(69)
    .stderr_contains("5.2.252")
    .lets_keep()
    .run();
    assert_eq!(relay.messages().len(), 1);
}

#[test]
fn a_token_comes_over_tls_from_a_service_that_is_known() {
    let certificate = Certificate::good();
    let relay = exchange();
    let service = TokenServer::secure(vec![gives(TOKEN)], &certificate);
    let known = |case: Case, authority: &Certificate| {
        case.file("cwd/authority.pem", &authority.authority)
            .rc("set oauth-ca-file=[DIR]/cwd/authority.pem")
    };
    known(by_token(&relay, &service.url()), &certificate).run();
    // The system's authorities, as the environment names them.
    by_token(&relay, &service.url())
        .file("cwd/authority.pem", &certificate.authority)
        .env("SSL_CERT_FILE", "[DIR]/cwd/authority.pem")
        .run();
    assert_eq!((service.requests().len(), relay.messages().len()), (2, 2));
    let other = Certificate::self_signed(true);
    known(by_token(&relay, &service.url()), &other)
        .status(77)
        .says("its certificate is not trusted: it is signed by an unknown authority")
        .hints("oauth-ca-file=")
        .queues(1)
        .run();
    for (certificate, why) in [
        (
            Certificate::wrong_host(),
            "it is not for 127.0.0.1 but for other.example",
        ),
        (Certificate::expired(), "it has expired"),
    ] {
        let service = TokenServer::secure(vec![gives(TOKEN)], &certificate);
        known(by_token(&relay, &service.url()), &certificate)
            .status(77)
            .says(&format!("its certificate is not trusted: {why}"))
            .hints("oauth-ca-file=")
            .queues(1)
            .run();
        assert!(service.requests().is_empty());
    }
}

#[test]
fn what_a_service_does_decides_between_later_and_no() {
    let answer = |status: u16, body: &str| Reply::Answer(status, body.to_owned());
    let no = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client \
              secret provided.\\r\\nTrace ID: 1\"}";
    let echo = format!("{{\"error\":\"x\",\"error_description\":\"got {SECRET}\\u001b[31m\"}}");
    let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
    let table = [
        (
            answer(400, no),
            77,
            "it answered 400 invalid_client: AADSTS7000215: Invalid client secret",
        ),
        (answer(401, no), 77, "it answered 401 invalid_client"),
        (answer(403, ""), 77, "it answered 403"),
        (answer(404, "<html>"), 77, "it answered 404"),
        (answer(400, &echo), 77, "it answered 400 x: got ****"),
        (answer(408, ""), 75, "it answered 408"),
        (
            answer(429, "{\"error\":\"slow_down\"}"),
            75,
            "it answered 429 slow_down",
        ),
        (answer(500, ""), 75, "it answered 500"),
        (answer(503, no), 75, "it answered 503"),
        (
            answer(400, "{\"error\":\"temporarily_unavailable\"}"),
            75,
            "it answered 400",
        ),
        (
            answer(200, "<html>log in</html>"),
            76,
            "its answer holds no token: it is not JSON",
        ),
        (answer(200, "{}"), 76, "it has no access_token"),
        (
            answer(200, "{\"access_token\":\"a\\u0001b\"}"),
            76,
            "its access_token is not a token",
        ),
        (Reply::Endless, 76, "its answer is longer than 64 KiB"),
        (
            raw("220 mail.example ESMTP\r\n"),
            76,
            "its answer is not HTTP",
        ),
        (
            raw("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"),
            75,
            "it closed the connection",
        ),
        (
            raw(&format!(
                "HTTP/1.1 200 OK\r\nX: {}\r\n",
                "x".repeat(200_000)
            )),
            76,
            "longer than 64 KiB",
        ),
        (Reply::Close, 75, "it closed the connection"),
        (Reply::Silence, 75, "no answer within 1 s"),
        (Reply::Dribble, 75, "no answer within 1 s"),
    ];
    let relay = exchange();
    for (reply, status, why) in table {
        let service = TokenServer::start(vec![reply]);
        let ran = by_token(&relay, &service.url())
            .rc("set smtp-timeout=1")
            .status(status)
            .says(&format!(
                "cannot get a token for {MAILBOX} from 127.0.0.1: "
            ))
            .says(why)
            .any_stderr()
            .queues(1)
            .run();
        assert_secret(&ran);
        assert_eq!(service.requests().len(), 1, "{why}");
        assert!(cached(&ran).is_empty(), "{why}");
    }
    by_token(&relay, &nowhere())
        .status(75)
        .says("from 127.0.0.1: Connection refused")
        .queues(1)
        .run();
    assert!(relay.messages().is_empty());
    // No relay was asked in vain.
    assert!(relay.sessions().is_empty());
}

#[test]
fn a_token_goes_to_the_relay_that_it_was_set_for() {
    let relay = exchange();
    let other = SmtpServer::accepting(Behaviour {
        login: Some(("tester", "right-word")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let account = |lines: &str| {
        let port = other.port();
        private(by_token(&relay, &service.url()), "cwd/word", "right-word\n")
            .rc(&format!(
                "account other {{\nset mta=smtp://localhost:{port}\n{lines}\n}}"
            ))
            .args(["-A", "other"])
    };
    // Another relay with a password of its own, another one without, and one without a login.
    account("set smtp-auth-user=tester password-file=[DIR]/cwd/word").run();
    assert_eq!(other.messages().len(), 1);
    account("set smtp-auth-user=tester")
        .status(78)
        .says("oauth is for 127.0.0.1, and is not used for localhost")
        .any_stderr()
        .keeps(1)
        .run();
    account("").status(77).any_stderr().queues(1).run();
    assert!(service.requests().is_empty());
    // The account of the first one again.
    by_token(&relay, &service.url()).run();
    assert_eq!(relay.messages().len(), 1);
}

#[test]
fn a_secret_follows_no_redirect() {
    let relay = exchange();
    for status in [301, 302, 303, 307, 308] {
        let other = TokenServer::start(vec![gives(TOKEN)]);
        let service = TokenServer::start(vec![Reply::Redirect(status, other.url())]);
        by_token(&relay, &service.url())
            .status(77)
            .says(&format!("it redirects ({status})"))
            .hints("set oauth-token-url=")
            .queues(1)
            .run();
        assert!(other.requests().is_empty());
    }
}

#[test]
fn a_token_of_unknown_lifetime_is_used_once() {
    let relay = exchange();
    for lifetime in [
        "",
        ",\"expires_in\":0",
        ",\"expires_in\":-3599",
        ",\"expires_in\":\"x\"",
    ] {
        let body = format!("{{\"access_token\":\"{TOKEN}\"{lifetime}}}");
        let service = TokenServer::start(vec![Reply::Chunked(body)]);
        let ran = by_token(&relay, &service.url()).run();
        assert!(cached(&ran).is_empty(), "{lifetime}");
    }
    assert_eq!(relay.messages().len(), 4);
}

#[test]
fn no_proxy_of_the_environment_sees_a_token() {
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let mut case = by_token(&relay, &service.url());
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        case = case.env(name, nowhere());
    }
    case.run();
    assert_eq!(service.requests()[0].line, "POST /token HTTP/1.1");
}

#[test]
fn files_with_secrets_that_others_can_read_are_refused() {
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let key = include_str!("../data/service-account.json");
    let google = |case: Case| case.rc("unset oauth-client-id oauth-secret-file");
    for (more, path, what) in [
        ("", "cwd/secret", "client secret"),
        (
            "set oauth-refresh-token-file=[DIR]/cwd/refresh",
            "cwd/refresh",
            "refresh token",
        ),
        (
            "set oauth=google oauth-key-file=[DIR]/cwd/key",
            "cwd/key",
            "key of the service account",
        ),
    ] {
        let case = by_token(&relay, &service.url())
            .file("cwd/refresh", "r1\n")
            .file("cwd/key", key)
            .rc(more);
        let case = if path == "cwd/key" {
            google(case)
        } else {
            case
        };
        case.mode(path, 0o644)
            .status(78)
            .says(&format!("other users can read the {what} in [DIR]/{path}"))
            .hints("chmod 600")
            .keeps(1)
            .run();
    }
    by_token(&relay, &service.url())
        .rc("set oauth-secret-file=[DIR]/cwd/none")
        .status(78)
        .says("cannot read the client secret in [DIR]/cwd/none")
        .keeps(1)
        .run();
    assert!(service.requests().is_empty());
}

#[test]
fn what_contradicts_itself_sends_nothing_and_asks_nobody() {
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    for (more, told) in [
        (
            "set oauth-token-url=http://login.example/token",
            "must begin with https://",
        ),
        (
            "set password-file=[DIR]/cwd/secret",
            "but so is password-file",
        ),
        ("set smtp-auth=login", "smtp-auth=login takes a password"),
        ("unset from", "but not for which mailbox"),
        ("set oauth=yahoo", "must be microsoft:TENANT or google"),
        ("set oauth-secret=x", "unknown variable oauth-secret"),
    ] {
        by_token(&relay, &service.url())
            .rc(more)
            .status(78)
            .says(told)
            .any_stderr()
            .keeps(1)
            .run();
    }
    // Without any login no token is needed.
    by_token(&relay, &service.url())
        .rc("set smtp-auth=none")
        .status(77)
        .any_stderr()
        .queues(1)
        .run();
    assert!(service.requests().is_empty());
}

#[test]
fn a_new_refresh_token_is_written_before_the_token_is_used() {
    let relay = exchange();
    let body = |refresh: &str| {
        let refresh = format!("\"refresh_token\":\"{refresh}\"");
        Reply::Answer(200, format!("{{\"access_token\":\"{TOKEN}\",{refresh}}}"))
    };
    let service = TokenServer::start(vec![body("refresh-two"), body("refresh-three")]);
    let refreshing = |case: Case| {
        case.rc("set oauth-refresh-token-file=[DIR]/cwd/refresh")
            .rc("unset oauth-secret-file")
            .may_change("cwd")
    };
    let case = refreshing(by_token(&relay, &service.url()));
    let ran = private(case, "cwd/refresh", "refresh-one\n").run();
    assert_eq!(ran.read("cwd/refresh"), b"refresh-two\n");
    assert_eq!(
        fs::metadata(ran.path("cwd/refresh")).unwrap().mode() & 0o777,
        0o600
    );
    let ran = refreshing(set(ran.again(), &relay, &service.url())).run();
    assert_eq!(ran.read("cwd/refresh"), b"refresh-three\n");
    let shown: Vec<_> = service
        .requests()
        .iter()
        .map(|r| r.form["refresh_token"].clone())
        .collect();
    assert_eq!(shown, ["refresh-one", "refresh-two"]);
    let request = &service.requests()[0];
    assert_eq!(request.form["grant_type"], "refresh_token");
    assert_eq!(
        request.form["scope"],
        "https://outlook.office.com/SMTP.Send offline_access"
    );
    assert!(!request.form.contains_key("client_secret"));
    assert_eq!(relay.messages().len(), 2);
}

#[test]
fn a_refresh_token_that_cannot_be_kept_is_told_and_nothing_is_sent() {
    if !launch::is_root() {
        return launch::left_out("a refresh token in a directory of root", "needs root");
    }
    let relay = exchange();
    let body = format!("{{\"access_token\":\"{TOKEN}\",\"refresh_token\":\"refresh-two\"}}");
    let same = format!("{{\"access_token\":\"{TOKEN}\"}}");
    let service = TokenServer::start(vec![Reply::Answer(200, body), Reply::Answer(200, same)]);
    // The directory is root's: its user can read the file there, and make none.
    let case = by_token(&relay, &service.url())
        .nobody()
        .rc("set oauth-refresh-token-file=[DIR]/locked/refresh")
        .rc("unset oauth-secret-file")
        .directory("locked");
    let case = private(case, "locked/refresh", "refresh-one\n");
    launch::give_to_nobody(&case.path("locked/refresh"));
    let ran = case
        .status(78)
        .says(
            "the service gave a new refresh token, which cannot be written to [DIR]/locked/refresh",
        )
        .hints("make files in [DIR]/locked")
        .keeps(1)
        .run();
    assert!(relay.messages().is_empty());
    // A service that gives none needs no place for it.
    let case = by_token(&relay, &service.url())
        .nobody()
        .rc(&format!(
            "set oauth-refresh-token-file={}",
            ran.path("locked/refresh").display()
        ))
        .rc("unset oauth-secret-file");
    case.run();
    assert_eq!(relay.messages().len(), 1);
}

#[test]
fn a_service_account_signs_for_the_mailbox() {
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let case = by_token(&relay, &service.url())
        .rc("unset oauth-client-id oauth-secret-file")
        .rc("set oauth=google oauth-key-file=[DIR]/cwd/key")
        .args(["-v", "-v"])
        .stderr_contains("assertion=****");
    private(
        case,
        "cwd/key",
        include_str!("../data/service-account.json"),
    )
    .run();
    let request = &service.requests()[0];
    assert_eq!(
        request.form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    assert_eq!(request.form["assertion"].split('.').count(), 3);
    assert_eq!(request.form.len(), 2);
    assert_eq!(relay.messages().len(), 1);
}

#[test]
fn what_sends_nothing_asks_for_no_token() {
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    for option in ["-d", "--dry-run", "--explain"] {
        by_token(&relay, &service.url())
            .args([option])
            .any_stdout()
            .any_stderr()
            .run();
    }
    assert!(service.requests().is_empty());
}

#[test]
fn a_signal_ends_the_wait_for_a_silent_service() {
    let relay = exchange();
    let service = Arc::new(TokenServer::start(vec![Reply::Silence]));
    let waits = Arc::clone(&service);
    let ran = by_token(&relay, &service.url())
        .signal_when(move || !waits.requests().is_empty(), Signal::SIGTERM)
        .status(128 + 15)
        .any_stderr()
        .keeps_somewhere(1)
        .run();
    assert_secret(&ran);
}

#[test]
fn a_home_of_somebody_else_gets_no_token() {
    let what = "a token of root, whose HOME is that of a user";
    if !launch::is_root() {
        return launch::left_out(what, "needs root");
    }
    let relay = exchange();
    let service = TokenServer::start(vec![gives(TOKEN)]);
    let Some(case) = by_token(&relay, &service.url()).private(what) else {
        return;
    };
    launch::give_to_nobody(&case.path("home"));
    let ran = case.may_change("tmp").run();
    assert_eq!(relay.messages().len(), 1);
    assert!(!ran.path("home/.local").exists());
    let place = fs::read_dir(ran.path("tmp/postrider-0/tokens")).unwrap();
    assert_eq!(place.count(), 1);
}
