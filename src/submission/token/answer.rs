//! What a service answers when it is asked for a token (RFC 6749 section 5).
//!
//! Every byte is an outsider's. What it says of an error is shown in one line of bounded length; the
//! caller takes our secrets out of it.

use std::time::Duration;

use serde_json::Value;

use crate::exit::Kind;
use crate::transport::smtp::Secret;

/// How much of the service's words is shown, in characters.
const SHOWN: usize = 300;

/// How long a token is taken for good at most; services give an hour, and some a day.
const LONGEST: u64 = 24 * 60 * 60;

/// A token that a service gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// The token.
    pub(super) token: Secret,
    /// How long it is good; `None` where that is not said, or is nonsense.
    pub(super) lifetime: Option<Duration>,
    /// The refresh token for the next time, where the service gives a new one.
    pub(super) next: Option<Secret>,
}

/// Why a service gave none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denied {
    /// 75 where it may pass, 76 where the answer makes no sense, 77 where it is a no.
    pub(super) kind: Kind,
    /// The service's words and ours. Not yet sanitised.
    pub(super) text: String,
    /// The next step, if the words are known.
    pub(super) hint: Option<&'static str>,
}

/// Reads an answer.
///
/// # Errors
/// Says why it holds no token.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Given, Denied> {
    match status {
        200..=299 => given(body).map_err(|why| Denied {
            kind: Kind::Protocol,
            text: format!("its answer holds no token: {why}"),
            hint: None,
        }),
        _ => Err(denied(status, body)),
    }
}

fn given(body: &[u8]) -> Result<Given, &'static str> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| "it is not JSON")?;
    let token = answer.get("access_token").ok_or("it has no access_token")?;
    let token = token.as_str().ok_or("its access_token is not a text")?;
    // A token ends up between control characters (XOAUTH2) and in a header-like line: it may hold
    // only what RFC 6750 section 2.1 allows, which is less than this.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("its access_token is not a token");
    }
    // The type has to be there (RFC 6749 section 5.1), and some services leave it out.
    let is_bearer = match answer.get("token_type") {
        None => true,
        Some(kind) => kind
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")),
    };
    if !is_bearer {
        return Err("its token_type is not Bearer");
    }
    let next = answer.get("refresh_token").and_then(Value::as_str);
    let is_token = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    Ok(Given {
        token: Secret::new(token),
        lifetime: answer.get("expires_in").and_then(lifetime),
        next: next.filter(is_token).map(Secret::new),
    })
}

fn lifetime(value: &Value) -> Option<Duration> {
    // A number, also with a fraction; a text of digits from the older endpoints of Microsoft.
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // Also excludes what is no number.
    (seconds >= 1.0).then(|| Duration::from_secs((seconds as u64).min(LONGEST)))
}

fn denied(status: u16, body: &[u8]) -> Denied {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let field = |name: &str| {
        let text = answer.as_ref()?.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let code = field("error").unwrap_or_default();
    // Microsoft puts trace and correlation ids into further lines.
    let words = field("error_description").unwrap_or_default();
    let words = words.lines().next().unwrap_or_default().trim();
    let said = match (code.as_str(), words) {
        ("", "") => String::new(),
        (code, "") => format!(" {code}"),
        ("", words) => format!(": {words}"),
        (code, words) => format!(" {code}: {words}"),
    };
    let mut text: String = format!("it answered {status}{said}");
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    let passes = matches!(status, 408 | 425 | 429 | 500..=599)
        || ["temporarily_unavailable", "server_error", "slow_down"].contains(&code.as_str());
    let kind = match status {
        _ if passes => Kind::TryLater,
        300..=399 => {
            return Denied {
                kind: Kind::NoPermission,
                text: format!(
                    "it redirects ({status}), and a secret is not sent to another address"
                ),
                hint: Some("set oauth-token-url= to the address of the service itself"),
            };
        }
        _ => Kind::NoPermission,
    };
    let hint = match kind {
        Kind::NoPermission => hint(&code, words),
        _ => None,
    };
    Denied { kind, text, hint }
}

/// What the words of a service mean for the configuration: a part of its description, or else the
/// code of its error; the first row that fits counts.
const HINTS: &[(&str, &str)] = &[
    (
        "AADSTS7000222",
        "the client secret has expired: make a new one in Entra and write it to the secret file",
    ),
    (
        "AADSTS7000215",
        "write the value of the client secret to the secret file, not its id",
    ),
    (
        "AADSTS700016",
        "check oauth-client-id, and that the application is in this tenant",
    ),
    ("AADSTS90002", "check the tenant in oauth=microsoft:TENANT"),
    ("AADSTS900023", "check the tenant in oauth=microsoft:TENANT"),
    (
        "AADSTS700082",
        "the refresh token has expired: log in again and write the new one to oauth-refresh-token-file",
    ),
    (
        "AADSTS70043",
        "the refresh token has expired: log in again and write the new one to oauth-refresh-token-file",
    ),
    (
        "AADSTS50173",
        "the refresh token was revoked: log in again and write the new one to oauth-refresh-token-file",
    ),
    (
        "AADSTS65001",
        "an administrator must consent to the application's right to send (SMTP.SendAsApp or SMTP.Send)",
    ),
    ("reasonable timeframe", "check the clock of this host"),
    (
        "Invalid JWT Signature",
        "the key of the service account was deleted: make a new one and write it to oauth-key-file",
    ),
    (
        "account not found",
        "check the service account in oauth-key-file",
    ),
    (
        "Invalid email or User ID",
        "the login must be a mailbox of this Workspace: check smtp-auth-user or from",
    ),
    (
        "unauthorized_client",
        "the application must be allowed to send for this mailbox (at Google: domain-wide delegation for the scope https://mail.google.com/)",
    ),
    (
        "invalid_client",
        "check oauth-client-id and the client secret",
    ),
    ("invalid_scope", "check oauth-scope"),
    (
        "invalid_grant",
        "the refresh token has expired or was revoked, or the service account may not act for this mailbox",
    ),
];

fn hint(code: &str, words: &str) -> Option<&'static str> {
    let fits = |key: &str| {
        let text = words.find(key).map(|at| &words[at + key.len()..]);
        // One number may begin like another.
        let is_whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_digit());
        code == key || text.is_some_and(is_whole)
    };
    let row = HINTS.iter().find(|(key, _)| fits(key));
    row.map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(body: &str) -> Result<Given, Denied> {
        read(200, body.as_bytes())
    }

    #[test]
    fn a_token_is_taken_with_its_lifetime() {
        let seconds = |text: &str| {
            let given = token(&format!("{{\"access_token\":\"abc\"{text}}}")).unwrap();
            assert_eq!(given.token, Secret::new("abc"), "{text}");
            given.lifetime.map(|time| time.as_secs())
        };
        for (text, expected) in [
            ("", None),
            (",\"expires_in\":3599", Some(3599)),
            (",\"expires_in\":\"3599\"", Some(3599)),
            (",\"expires_in\":3599.9", Some(3599)),
            (",\"expires_in\":0", None),
            (",\"expires_in\":-5", None),
            (",\"expires_in\":1e300", Some(LONGEST)),
            (",\"expires_in\":\"soon\"", None),
            (",\"expires_in\":\"NaN\"", None),
            (",\"expires_in\":null", None),
            (",\"expires_in\":[1]", None),
            (",\"token_type\":\"bearer\",\"expires_in\":60", Some(60)),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        let next = |text: &str| {
            let body = format!("{{\"access_token\":\"abc\",\"refresh_token\":{text}}}");
            token(&body).unwrap().next
        };
        assert_eq!(next("\"r2\""), Some(Secret::new("r2")));
        for text in ["\"\"", "\"a\\nb\"", "7", "null"] {
            assert_eq!(next(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        for body in [
            "",
            "<html>log in</html>",
            "[]",
            "{}",
            "{\"access_token\":7}",
            "{\"access_token\":\"\"}",
            "{\"access_token\":\"a b\"}",
            "{\"access_token\":\"a\\u0001b\"}",
            "{\"access_token\":\"a\\r\\nb\"}",
            "{\"access_token\":\"é\"}",
            "{\"access_token\":\"abc\",\"token_type\":\"mac\"}",
            "{\"access_token\":\"abc\"",
        ] {
            assert_eq!(token(body).unwrap_err().kind, Kind::Protocol, "{body}");
        }
        assert_eq!(read(204, b"").unwrap_err().kind, Kind::Protocol);
        assert_eq!(read(200, b"\xff\xfe").unwrap_err().kind, Kind::Protocol);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid \
                    client secret provided.\\r\\nTrace ID: 1\"}";
        for (status, kind) in [
            (301, Kind::NoPermission),
            (307, Kind::NoPermission),
            (400, Kind::NoPermission),
            (401, Kind::NoPermission),
            (403, Kind::NoPermission),
            (404, Kind::NoPermission),
            (408, Kind::TryLater),
            (429, Kind::TryLater),
            (500, Kind::TryLater),
            (503, Kind::TryLater),
        ] {
            assert_eq!(read(status, b"").unwrap_err().kind, kind, "{status}");
            assert_eq!(
                read(status, body.as_bytes()).unwrap_err().kind,
                kind,
                "{status}"
            );
        }
        let busy = read(400, b"{\"error\":\"temporarily_unavailable\"}").unwrap_err();
        assert_eq!(busy.kind, Kind::TryLater);
    }

    #[test]
    fn the_words_of_a_service_are_shown_in_one_line_with_what_to_do() {
        let said = |code: &str, words: &str| {
            let body = serde_json::json!({"error": code, "error_description": words});
            read(400, body.to_string().as_bytes()).unwrap_err()
        };
        let denied = said(
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1\r\nTimestamp: x",
        );
        assert_eq!(
            denied.text,
            "it answered 400 invalid_client: AADSTS7000215: Invalid client secret provided."
        );
        for (code, words, part) in [
            (
                "invalid_client",
                "AADSTS7000215: Invalid client secret provided.",
                "not its id",
            ),
            (
                "invalid_client",
                "AADSTS7000222: The provided client secret keys are expired.",
                "has expired",
            ),
            (
                "invalid_request",
                "AADSTS90002: Tenant 'x' not found.",
                "check the tenant",
            ),
            ("invalid_request", "AADSTS900021: Something else.", ""),
            (
                "unauthorized_client",
                "AADSTS700016: Application not found.",
                "oauth-client-id",
            ),
            (
                "unauthorized_client",
                "Client is unauthorized.",
                "domain-wide delegation",
            ),
            (
                "invalid_grant",
                "Token has been expired or revoked.",
                "expired or was revoked",
            ),
            (
                "invalid_grant",
                "Invalid JWT: reasonable timeframe.",
                "the clock",
            ),
            ("invalid_scope", "", "oauth-scope"),
            ("other", "", ""),
        ] {
            let hint = said(code, words).hint.unwrap_or_default();
            assert_eq!(hint.is_empty(), part.is_empty(), "{words}: {hint}");
            assert!(hint.contains(part), "{words}: {hint}");
        }
        let long = said("x", &"é".repeat(100_000)).text;
        assert_eq!(long.chars().count(), SHOWN + 1);
    }
}
