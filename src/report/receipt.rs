//! The receipt of a mail: one JSON object that says what became of it.
//!
//! Keys are stable: `message_id`, `time` (RFC 3339), `recipients` (an array of objects with
//! `recipient`, `target`, `route`, `reason`, `outcome`, `code`, `text`, `queue_id`), `kept`
//! (the file that holds the text of what was not accepted, or null) and `status` (the exit
//! status). `outcome` is `accepted`, `refused`, `try-later` or `uncertain`.

use serde_json::{Value, json};

use crate::compose::BadRecipient;
use crate::exit;
use crate::sanitize;
use crate::submission::{CopyReport, Kept, Report};

/// Returns the receipt as one line.
///
/// `bad` are recipients that could not be, `time` is RFC 3339, `status` the exit status.
pub(crate) fn receipt(report: &Report, bad: &[BadRecipient], time: &str, status: u8) -> String {
    let mut recipients: Vec<Value> = report.entries.iter().map(recipient).collect();
    recipients.extend(bad.iter().map(refused));
    let kept = match &report.kept {
        Kept::DeadLetter(letter) => Value::String(letter.path.to_string_lossy().into_owned()),
        _ => Value::Null,
    };
    let object = json!({
        "message_id": report.message_id,
        "time": time,
        "recipients": recipients,
        "kept": kept,
        "status": status,
    });
    format!("{object}\n")
}

fn recipient(entry: &CopyReport) -> Value {
    json!({
        "recipient": &*entry.recipient,
        "target": &*entry.target,
        "route": &*entry.route,
        "reason": entry.reason,
        "outcome": entry.outcome.disposition.name(),
        "code": entry.outcome.code,
        // The relay chooses this text, and a person may print the receipt on a terminal.
        "text": sanitize::line(entry.outcome.text.as_bytes()),
        "queue_id": queue_id(&entry.outcome.text),
    })
}

fn refused(bad: &BadRecipient) -> Value {
    json!({
        "recipient": bad.text,
        "target": Value::Null,
        "route": "none",
        "reason": "it is no recipient",
        "outcome": "refused",
        "code": Value::Null,
        "text": exit::with_causes(&bad.failure),
        "queue_id": Value::Null,
    })
}

/// Finds the queue id in a relay's reply: Postfix says `queued as ID`, Exim `id=ID`, Sendmail
/// `ID Message accepted for delivery`.
fn queue_id(text: &str) -> Option<&str> {
    // The reply is free text by the relay's rules. A word that is too short or has other characters
    // is more likely prose than an id.
    let is_id = |word: &&str| {
        word.len() >= 5 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if let Some((_, rest)) = text.split_once("queued as ") {
        return rest.split_whitespace().next().filter(is_id);
    }
    if let Some((_, rest)) = text.split_once("id=") {
        return rest.split_whitespace().next().filter(is_id);
    }
    let (before, _) = text.split_once(" Message accepted for delivery")?;
    before.split_whitespace().next_back().filter(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_ids_of_real_servers_are_found() {
        let table = [
            ("2.0.0 Ok: queued as 4F1A2B3C4D", Some("4F1A2B3C4D")),
            ("OK id=1sXyZ0-0001aB-2C", Some("1sXyZ0-0001aB-2C")),
            (
                "2.0.0 5AN1234567 Message accepted for delivery",
                Some("5AN1234567"),
            ),
            ("accepted by /usr/sbin/sendmail", None),
            ("2.0.0 Ok", None),
        ];
        for (text, expected) in table {
            assert_eq!(queue_id(text), expected, "{text}");
        }
    }
}
