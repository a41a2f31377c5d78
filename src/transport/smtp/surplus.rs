//! What a relay says of too many recipients in one transaction.

use super::reply::{Reply, enhanced_code};
use super::verdict::{DialoguePart, verdict};
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
