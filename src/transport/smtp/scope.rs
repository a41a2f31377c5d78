//! What a refusal speaks of: the route, our rate, the message, or a recipient.
//!
//! A queue needs to know. One message that is refused says nothing of the next one, a relay that
//! refuses our login refuses all, and one that wants less of us must not be asked again at once.

use super::part::DialoguePart;
use super::reply::{Reply, enhanced_code};
use crate::transport::Scope;

/// Returns what a refusal speaks of.
pub(super) fn scope_of(reply: &Reply, part: DialoguePart) -> Scope {
    match (part, reply.code) {
        // Here 454 says that TLS does not work now (RFC 3207 section 4).
        (DialoguePart::Tls, 454) => Scope::Route,
        // 421 closes the connection, 432 and 454 ask us to slow down: Exchange for connections, SES
        // for messages a second, Google for logins.
        (_, 421 | 432 | 454) => Scope::Throttled,
        _ if is_limit_of_a_day(reply) || speaks_of_rate(reply) => Scope::Throttled,
        // Credentials are missing, wrong, or too weak, whatever command they are missed at.
        (_, 530 | 534 | 535 | 538) => Scope::Route,
        (
            DialoguePart::Session
            | DialoguePart::Tls
            | DialoguePart::Hello
            | DialoguePart::Authentication,
            _,
        ) => Scope::Route,
        // A relay that cannot take mail says so at MAIL: it knows nothing else of the message yet.
        (DialoguePart::Sender, 400..=499) => Scope::Route,
        (DialoguePart::Sender | DialoguePart::Message, _) => Scope::Message,
        (DialoguePart::Recipient, _) => Scope::Recipient,
    }
}

/// Returns whether a relay takes no more of us today, in the words of those that answer with 5yz.
pub(super) fn is_limit_of_a_day(reply: &Reply) -> bool {
    let words = reply.text().to_ascii_lowercase();
    let is_limit = words.contains("limit") || words.contains("quota");
    // Exchange; Google.
    words.contains("submissionquotaexceeded") || enhanced_code(&words) == Some("5.4.5") && is_limit
}

/// Returns whether a temporary refusal speaks of how much or how often we send.
fn speaks_of_rate(reply: &Reply) -> bool {
    // X.7.x is policy (RFC 3463 section 3.8). Without a look at it "too many" could be one message
    // with too many recipients, and "quota" the mailbox of a recipient.
    let words = reply.text().to_ascii_lowercase();
    let is_policy = enhanced_code(&words).is_none_or(|code| code.starts_with("4.7."));
    let names = [
        "too many connections",
        "too many messages",
        "too much mail",
        "too many recipients from",
        "too many auth",
        "too many login",
        "too many new tls sessions",
        "rate limit",
        "sending rate",
        "throttl",
    ];
    reply.is_temporary() && is_policy && names.iter().any(|name| words.contains(name))
}

#[cfg(test)]
mod tests {
    use super::super::reply::Capabilities;
    use super::super::verdict::verdict;
    use super::*;
    use crate::transport::Disposition;

    /// What large providers and servers answer, where, and what it speaks of.
    #[test]
    fn the_words_of_providers_and_servers() {
        use DialoguePart::{Authentication, Hello, Message, Recipient, Sender, Session, Tls};
        use Scope::{Message as OfMessage, Recipient as OfRecipient, Route, Throttled};
        let table = [
            // AWS SES.
            (
                Session,
                "421 Too many connections from your host",
                Throttled,
            ),
            (
                Message,
                "454 Throttling failure: Maximum sending rate exceeded.",
                Throttled,
            ),
            (
                Message,
                "454 Throttling failure: Daily message quota exceeded.",
                Throttled,
            ),
            (
                Authentication,
                "454 Temporary authentication failure",
                Throttled,
            ),
            (Message, "451 Temporary service failure", OfMessage),
            (Sender, "530 Authentication required", Route),
            (
                Authentication,
                "535 Authentication Credentials Invalid",
                Route,
            ),
            (
                Message,
                "554 Message rejected: Email address is not verified.",
                OfMessage,
            ),
            (
                Message,
                "554 Access denied: User is not authorized to perform ses:SendRawEmail",
                OfMessage,
            ),
            (Message, "552 Message is too long.", OfMessage),
            // Exchange Online.
            (
                Message,
                "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
                Throttled,
            ),
            (
                Sender,
                "432 4.3.2 Concurrent connections limit exceeded",
                Throttled,
            ),
            (
                Message,
                "421 4.4.2 Message submission rate for this client has exceeded the configured limit",
                Throttled,
            ),
            (
                Message,
                "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
                Throttled,
            ),
            (
                Message,
                "554 5.2.252 SendAsDenied; a@example.org not allowed to send as b",
                OfMessage,
            ),
            (
                Authentication,
                "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
                Route,
            ),
            (
                Authentication,
                "550 5.7.30 Basic authentication is not supported for Client Submission",
                Route,
            ),
            // Google.
            (
                Authentication,
                "454 4.7.0 Too many login attempts, please try again later.",
                Throttled,
            ),
            (
                Authentication,
                "451 4.7.0 Too many login attempts",
                Throttled,
            ),
            (
                Sender,
                "421 4.7.0 Try again later, closing connection. (MAIL)",
                Throttled,
            ),
            (
                Message,
                "421 4.7.28 Gmail has detected an unusual rate of mail",
                Throttled,
            ),
            (
                Sender,
                "550 5.4.5 Daily user sending limit exceeded.",
                Throttled,
            ),
            (
                Recipient,
                "450 4.2.1 The user is receiving mail at a rate that prevents more",
                OfRecipient,
            ),
            (
                Authentication,
                "535 5.7.8 Username and Password not accepted",
                Route,
            ),
            // SendGrid, Mailgun.
            (
                Authentication,
                "451 Authentication failed: Maximum credits exceeded",
                Route,
            ),
            (
                Message,
                "550 The from address does not match a verified Sender Identity",
                OfMessage,
            ),
            (Recipient, "550 5.7.1 Relaying denied", OfRecipient),
            // Postfix (anvil), Exim, Sendmail.
            (
                Session,
                "421 4.7.0 mx Error: too many connections from 192.0.2.1",
                Throttled,
            ),
            (
                Sender,
                "450 4.7.1 Error: too much mail from 192.0.2.1",
                Throttled,
            ),
            (
                Recipient,
                "450 4.7.1 Error: too many recipients from 192.0.2.1",
                Throttled,
            ),
            (
                Tls,
                "454 4.7.0 TLS not available due to local problem",
                Route,
            ),
            (Tls, "450 4.7.0 Error: too many new TLS sessions", Throttled),
            (Session, "554 5.7.1 no service", Route),
            (
                Hello,
                "450 4.7.1 Helo command rejected: Host not found",
                Route,
            ),
            (Sender, "452 4.3.1 Insufficient system storage", Route),
            (Sender, "451 4.3.0 Temporary lookup failure", Route),
            (Sender, "550 5.1.8 Sender address rejected", OfMessage),
            (Recipient, "450 4.2.0 Greylisted", OfRecipient),
            (Recipient, "452 4.2.2 Over quota", OfRecipient),
            (Recipient, "550 5.1.1 User unknown", OfRecipient),
            (Message, "451 4.3.0 queue file write error", OfMessage),
            (Message, "552 5.2.2 quota exceeded", OfMessage),
        ];
        for (part, text, scope) in table {
            let (code, words) = text.split_at(3);
            let reply = Reply {
                code: code.parse().expect("a code"),
                lines: vec![words.trim().to_owned()],
                offers: Capabilities::default(),
            };
            let outcome = verdict(&reply, part);
            assert_eq!(outcome.scope, scope, "{text}");
            // Who is asked to wait is not refused for good.
            if scope == Throttled {
                let is_later = matches!(outcome.disposition, Disposition::TryLater(_));
                assert!(is_later, "{text}: {:?}", outcome.disposition);
            }
        }
    }
}
