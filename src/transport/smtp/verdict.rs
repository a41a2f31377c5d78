//! The meaning of a reply or a failure: refused or try later, and the kind of failure.

use std::net::IpAddr;
use std::time::Duration;

use super::connection::WireError;
use super::part::DialoguePart;
use super::providers;
use super::relay::{Relay, seconds};
use super::reply::{Reply, enhanced_code};
use super::scope::{is_limit_of_a_day, scope_of};
use super::tls::TlsError;
use super::tls_hints;
use crate::exit::Kind;
use crate::transport::{Disposition, Outcome, Scope};

/// Why a transaction ends before its end.
pub(super) enum Stop {
    /// The relay still listens: QUIT is in order.
    Polite(Outcome),
    /// The connection is of no more use: it is closed, or its replies cannot be matched.
    Broken(Outcome),
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::Polite(outcome) | Stop::Broken(outcome) => outcome,
        }
    }
}

impl Stop {
    /// Says that it is this message that stops: one whose text breaks the connection each time must
    /// not stop the messages behind it. If the network is down, the next connection tells.
    pub(super) fn about_message(self) -> Stop {
        let about_message = |outcome: Outcome| match outcome.scope {
            Scope::Throttled => outcome,
            _ => outcome.scope(Scope::Message),
        };
        match self {
            Stop::Polite(outcome) => Stop::Polite(about_message(outcome)),
            Stop::Broken(outcome) => Stop::Broken(about_message(outcome)),
        }
    }
}

/// Returns the outcome for a negative reply.
pub(super) fn verdict(reply: &Reply, part: DialoguePart) -> Outcome {
    // Only the first digit decides between "later" and "refused" (RFC 5321 section 4.2.1); the
    // enhanced status code in the text is not read, since servers write it inconsistently. But a
    // limit of a day is none of the message: what waits until tomorrow is taken then.
    let disposition = if reply.is_temporary() || is_limit_of_a_day(reply) {
        Disposition::TryLater(Kind::TryLater)
    } else if reply.is_permanent() {
        let kind = match (part, reply.code) {
            // 530, 534, 535 and 538 speak of credentials wherever they come (RFC 4954 section 6;
            // 538 is from RFC 2554): relays send 530 to MAIL when they want a login first.
            (DialoguePart::Authentication, _) | (_, 530 | 534 | 535 | 538) => Kind::NoPermission,
            (DialoguePart::Recipient, _) => Kind::Data,
            _ => Kind::Unavailable,
        };
        Disposition::Refused(kind)
    } else {
        // A 2yz or 3yz where the caller needed another one: the relay and we disagree about where
        // the dialogue is. Nothing is accepted yet, so a later try is safe.
        let text = format!("unexpected reply: {}", reply.text());
        return Outcome::new(Disposition::TryLater(Kind::Protocol), text)
            .code(reply.code)
            .scope(scope_of(reply, part));
    };
    let mut outcome = Outcome::new(disposition, reply.text())
        .code(reply.code)
        .scope(scope_of(reply, part));
    outcome.is_about_sender = is_about_sender(reply, part);
    if let Some(hint) = providers::hint(reply) {
        return outcome.hint(hint);
    }
    if reply.code == 530 && part != DialoguePart::Authentication {
        return outcome.hint(WITH_LOGIN);
    }
    outcome
}

/// The next step where the relay says that it wants a login.
const WITH_LOGIN: &str = "the relay requires a login: set smtp-auth-user= and password-file=";

/// Makes a missing login of it where a relay that offers AUTH has refused every recipient, as those
/// do that relay for their users only: their words are of access, and not of a login.
///
/// To be called with the outcomes of a whole message, if there are no credentials.
pub(super) fn suspect_missing_login(outcomes: &mut [Outcome]) {
    if !outcomes.iter().all(is_refusal_of_access) {
        return;
    }
    for outcome in outcomes {
        outcome.disposition = Disposition::Refused(Kind::NoPermission);
        outcome.scope = Scope::Route;
        let hint = outcome.hint.take().unwrap_or_else(|| {
            "the relay offers a login, and none is set: it may want one for mail to other domains; set smtp-auth-user= and password-file=".to_owned()
        });
        outcome.hint = Some(hint);
    }
}

/// Returns whether a relay refuses who asks, and not the address or the message.
fn is_refusal_of_access(outcome: &Outcome) -> bool {
    if !matches!(outcome.disposition, Disposition::Refused(_)) {
        return false;
    }
    let text = outcome.text.to_ascii_lowercase();
    match (enhanced_code(&text), outcome.code) {
        (Some(enhanced), _) => enhanced.starts_with("5.7."),
        // Exim gives no such code, neither to a stranger nor to an unknown address.
        (None, Some(550 | 554)) => {
            let of_address = [
                "unknown",
                "no such",
                "unrouteable",
                "not exist",
                "not found",
                "mailbox",
            ];
            !of_address.iter().any(|words| text.contains(words))
        }
        _ => false,
    }
}

/// Returns whether a relay refuses the sender, by the address or by this host's name.
fn is_about_sender(reply: &Reply, part: DialoguePart) -> bool {
    let words = reply.text().to_ascii_lowercase();
    let has_code = |codes: &[&str]| words.split_whitespace().any(|word| codes.contains(&word));
    // The size of the message, the room of the relay: no name of ours would change it.
    let is_about_size = matches!(reply.code, 552 | 452)
        || has_code(&["5.3.4", "5.2.3", "4.3.1", "5.2.2"])
        || ["message size", "too large", "too big"]
            .iter()
            .any(|size| words.contains(size));
    if is_about_size {
        return false;
    }
    // Postfix waits for RCPT before it refuses a sender or a name of EHLO (`smtpd_delay_reject`),
    // so that its words have to do: "Sender address rejected", "Helo command rejected",
    // "need fully-qualified address"; or X.1.7 and X.1.8 (RFC 3463 section 3.2).
    let speaks_of_sender = || {
        let names = [
            "sender",
            "helo",
            "ehlo",
            "fully-qualified",
            "fully qualified",
        ];
        names.iter().any(|name| words.contains(name))
            || has_code(&["5.1.7", "5.1.8", "4.1.7", "4.1.8"])
    };
    match part {
        DialoguePart::Hello => true,
        // 530 wants a login first. A 4yz is mostly about the relay itself: an error, or too much mail.
        DialoguePart::Sender => reply.code != 530 && (reply.is_permanent() || speaks_of_sender()),
        DialoguePart::Recipient => speaks_of_sender(),
        DialoguePart::Session
        | DialoguePart::Tls
        | DialoguePart::Authentication
        | DialoguePart::Message => false,
    }
}

/// Says what a failure of the network, of TLS or of the protocol means before the final dot.
pub(super) fn failure(relay: &Relay, doing: &str, error: &WireError) -> Outcome {
    let text = format!("{}: {doing}: {error}", relay.name());
    let disposition = match error {
        WireError::Timeout
        | WireError::Closed
        | WireError::GivenUp
        | WireError::Tls(TlsError::Unread(..)) => Disposition::TryLater(Kind::TryLater),
        // A relay of TLS 1.3 says only after the handshake that it wants a certificate of ours.
        WireError::Io(_) if wants_certificate(relay, error) => {
            Disposition::Refused(Kind::NoPermission)
        }
        WireError::Tls(_) if wants_certificate(relay, error) => {
            Disposition::Refused(Kind::NoPermission)
        }
        WireError::Io(_) => Disposition::TryLater(Kind::TryLater),
        // Garbage and a failed handshake often come from a service that is starting or overloaded,
        // or from a proxy in front of it: the same try may succeed an hour later.
        WireError::Reply(_) | WireError::Tls(TlsError::Handshake(_)) => {
            Disposition::TryLater(Kind::Protocol)
        }
        // Not "later": a script that tries again and again would give an attacker on the way as
        // many attempts as they need.
        WireError::Injected => Disposition::Refused(Kind::Protocol),
        WireError::Tls(TlsError::CaFile(..) | TlsError::Name(_) | TlsError::NoAuthorities) => {
            Disposition::Refused(Kind::Config)
        }
        WireError::Tls(TlsError::Certificate { .. } | TlsError::OtherThanPinned { .. }) => {
            Disposition::Refused(Kind::NoPermission)
        }
    };
    let mut outcome = Outcome::new(disposition, text).scope(Scope::Route);
    outcome.hint = tls_hints::after_failure(relay, error);
    outcome
}

/// Returns the outcome where no connection to this address could be made.
pub(super) fn unconnected(relay: &Relay, address: IpAddr, error: &WireError) -> Outcome {
    let mut outcome = failure(relay, &format!("cannot connect to {address}"), error);
    if matches!(error, WireError::Timeout) {
        outcome.hint = tls_hints::after_no_connection(relay);
    }
    outcome
}

/// Returns whether a relay ended TLS because it wants a certificate of ours, or another one.
fn wants_certificate(relay: &Relay, error: &WireError) -> bool {
    tls_hints::alert_of(error)
        .is_some_and(|alert| tls_hints::is_about_our_certificate(relay, alert))
}

/// Returns the outcome for a missing reply; `what` names the reply that was expected.
pub(super) fn unanswered(relay: &Relay, what: &str, limit: Duration, error: &WireError) -> Outcome {
    let mut outcome = match error {
        WireError::Timeout => {
            let text = format!("{}: no {what} within {}", relay.name(), seconds(limit));
            Outcome::new(Disposition::TryLater(Kind::TryLater), text).scope(Scope::Route)
        }
        WireError::Reply(_) => failure(relay, &format!("bad {what}"), error),
        _ => failure(relay, &format!("no {what}"), error),
    };
    if outcome.hint.is_none() {
        outcome.hint = tls_hints::after_silence(relay, what);
    }
    outcome
}

/// Returns the outcome of a message whose final dot was sent and not answered.
pub(super) fn uncertain(text: String) -> Outcome {
    Outcome::new(Disposition::Uncertain(Kind::TryLater), text)
        .hint("the relay may have accepted the message: a second try may deliver it twice")
}

/// Returns the outcome of recipients that have no other one; it is only printed if this code is wrong.
pub(super) fn undecided(relay: &Relay) -> Outcome {
    let text = format!("{}: no outcome was recorded", relay.name());
    Outcome::new(Disposition::TryLater(Kind::Software), text)
}

#[cfg(test)]
mod tests {
    use super::super::reply::Capabilities;
    use super::*;

    #[test]
    fn what_a_reply_means() {
        use Disposition::{Refused, TryLater};
        let table = [
            (450, DialoguePart::Recipient, TryLater(Kind::TryLater)),
            (550, DialoguePart::Recipient, Refused(Kind::Data)),
            (550, DialoguePart::Message, Refused(Kind::Unavailable)),
            (554, DialoguePart::Session, Refused(Kind::Unavailable)),
            (
                535,
                DialoguePart::Authentication,
                Refused(Kind::NoPermission),
            ),
            (454, DialoguePart::Authentication, TryLater(Kind::TryLater)),
            (530, DialoguePart::Message, Refused(Kind::NoPermission)),
            (250, DialoguePart::Session, TryLater(Kind::Protocol)),
            (354, DialoguePart::Recipient, TryLater(Kind::Protocol)),
        ];
        for (code, part, disposition) in table {
            let reply = Reply {
                code,
                lines: vec!["words".to_owned()],
                offers: Capabilities::default(),
            };
            let outcome = verdict(&reply, part);
            assert_eq!(outcome.disposition, disposition, "{code}");
            assert_eq!(outcome.code, Some(code));
        }
    }

    fn reply(text: &str) -> Reply {
        let (code, words) = text.split_at(3);
        Reply {
            code: code.parse().expect("a code"),
            lines: vec![words.trim().to_owned()],
            offers: Capabilities::default(),
        }
    }

    #[test]
    fn what_is_about_the_sender_and_what_is_not() {
        use DialoguePart::{Hello, Recipient, Sender};
        let table = [
            (
                Sender,
                "550 5.1.8 Sender address rejected: Domain not found",
                true,
            ),
            (Sender, "553 5.1.8 domain of sender does not resolve", true),
            (Sender, "550 not here", true),
            (Sender, "450 4.1.8 <root@vm>: Sender address rejected", true),
            (Sender, "451 4.3.0 queue file write error", false),
            (Sender, "421 4.7.0 slow down", false),
            (Sender, "530 5.7.0 authenticate", false),
            (Sender, "552 5.3.4 Message size exceeds fixed limit", false),
            (Sender, "554 5.3.4 Message too big for the system", false),
            (Sender, "523 Message too large", false),
            (
                Recipient,
                "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname",
                true,
            ),
            (Recipient, "550 5.1.1 User unknown", false),
            (
                Recipient,
                "552 5.3.4 the sender's message size exceeds the limit",
                false,
            ),
            (Hello, "501 5.5.4 what is that name", true),
        ];
        for (part, text, about) in table {
            assert_eq!(is_about_sender(&reply(text), part), about, "{text}");
        }
    }

    #[test]
    fn a_refusal_of_everybody_by_a_relay_with_logins_is_a_missing_login() {
        let outcomes = |texts: &[&str]| -> Vec<Outcome> {
            texts
                .iter()
                .map(|text| verdict(&reply(text), DialoguePart::Recipient))
                .collect()
        };
        let postfix = "554 5.7.1 <x@example.org>: Recipient address rejected: Access denied";
        let relaying = "550 5.7.1 Relaying denied";
        let exim = "550 relay not permitted";
        for texts in [
            &[postfix][..],
            &[postfix, relaying],
            &[exim, exim],
            &["550 administrative prohibition"],
        ] {
            let mut all = outcomes(texts);
            suspect_missing_login(&mut all);
            for outcome in all {
                assert_eq!(
                    outcome.disposition,
                    Disposition::Refused(Kind::NoPermission)
                );
                assert!(
                    outcome
                        .hint
                        .is_some_and(|hint| hint.contains("smtp-auth-user="))
                );
            }
        }
        // An address that does not exist, a message that is refused, one that is taken.
        for texts in [
            &["550 5.1.1 User unknown"][..],
            &[postfix, "550 5.1.1 User unknown"],
            &["550 Unrouteable address"],
            &["550 no such user here"],
            &["552 5.3.4 too big"],
            &[postfix, "450 4.2.0 Greylisted"],
            &["553 5.1.3 bad address"],
        ] {
            let mut all = outcomes(texts);
            let before = all.clone();
            suspect_missing_login(&mut all);
            assert_eq!(all, before, "{texts:?}");
        }
    }
}
