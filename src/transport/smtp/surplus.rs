//! What a relay says of too many recipients in one transaction.

use super::part::DialoguePart;
use super::reply::{Reply, enhanced_code};
use super::verdict::verdict;
use crate::exit::Kind;
use crate::transport::{Disposition, Outcome};

/// Returns whether a relay says that a transaction has too many recipients.
pub(super) fn says_too_many(reply: &Reply, part: DialoguePart) -> bool {
    if !reply.is_temporary() && !reply.is_permanent() {
        return false;
    }
    let words = reply.text().to_ascii_lowercase();
    match enhanced_code(&words) {
        Some("4.5.3" | "5.5.3") => return true,
        // For RCPT alone 452 means this (RFC 5321 section 4.5.3.1.10). With another enhanced code it
        // is a full mailbox or a full disk.
        None if part == DialoguePart::Recipient && reply.code == 452 => return true,
        // Policy: so many in this hour, or from this host (Postfix: "too many recipients from").
        Some(code) if code[1..].starts_with(".7.") => return false,
        _ => {}
    }
    let counts = ["too many", "exceed", "maximum", "limit"];
    let plural = words.contains("recipients") && counts.iter().any(|count| words.contains(count));
    let names = ["recipient count", "recipient limit", "too many rcpt"];
    plural || names.iter().any(|name| words.contains(name))
}

/// Returns with how many recipients a message goes out next that was refused, all of it, because it
/// had too many; always fewer than it had.
pub(super) fn fewer_recipients(reply: &Reply, had: usize) -> Option<usize> {
    if had < 2 || !says_too_many(reply, DialoguePart::Message) {
        return None;
    }
    // "Recipient count exceeds 50": the number is worth more than a guess.
    let text = reply.text();
    let numbers = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let named = numbers
        .skip(1)
        .filter_map(|number| number.trim_end_matches('.').parse().ok())
        .filter(|number| (1..had).contains(number))
        .max();
    Some(named.unwrap_or(had / 2))
}

/// Returns the outcome of recipients that are too many for a transaction, if no further one takes
/// them: also after a 5yz they may be taken later (RFC 5321 section 4.5.3.1.10).
pub(super) fn too_many(reply: &Reply) -> Outcome {
    let mut outcome = verdict(reply, DialoguePart::Recipient);
    outcome.disposition = Disposition::TryLater(Kind::TryLater);
    outcome
}

#[cfg(test)]
mod tests {
    use super::super::reply::Capabilities;
    use super::*;

    fn reply(text: &str) -> Reply {
        let (code, words) = text.split_at(3);
        Reply {
            code: code.parse().expect("a code"),
            lines: vec![words.trim().to_owned()],
            offers: Capabilities::default(),
        }
    }

    #[test]
    fn what_says_too_many_recipients() {
        use DialoguePart::{Message, Recipient};
        let table = [
            (Recipient, "452 4.5.3 Error: too many recipients", true),
            (Recipient, "452 4.5.3 Too many recipients (AS780090)", true),
            (Recipient, "452 no more", true),
            (Recipient, "552 Too many recipients", true),
            (Recipient, "550 5.1.0 too many recipients", true),
            (Recipient, "554 Recipient limit reached", true),
            (
                Message,
                "554 Transaction failed: Recipient count exceeds 50.",
                true,
            ),
            (
                Message,
                "552 5.5.3 Maximum number of recipients is 100",
                true,
            ),
            (Message, "452 insufficient storage", false),
            (Recipient, "452 4.2.2 mailbox full", false),
            (Recipient, "452 4.3.1 Insufficient system storage", false),
            (
                Recipient,
                "552 5.2.2 the recipient has exceeded the limit",
                false,
            ),
            (
                Recipient,
                "450 4.7.1 Error: too many recipients from 192.0.2.1",
                false,
            ),
            (Recipient, "550 5.1.1 User unknown", false),
            (Recipient, "250 too many recipients", false),
        ];
        for (part, text, is_said) in table {
            assert_eq!(says_too_many(&reply(text), part), is_said, "{text}");
        }
    }

    #[test]
    fn always_fewer_than_before() {
        let table = [
            ("554 Recipient count exceeds 50.", 60, Some(50)),
            ("554 Recipient count exceeds 50.", 50, Some(25)),
            ("554 Recipient count exceeds 50.", 2, Some(1)),
            ("554 Recipient count exceeds 50.", 1, None),
            (
                "552 5.5.3 too many recipients (0 of 99999999999999999999999)",
                7,
                Some(3),
            ),
            ("554 5.7.1 no", 60, None),
        ];
        for (text, had, fewer) in table {
            assert_eq!(fewer_recipients(&reply(text), had), fewer, "{text}");
        }
    }
}
