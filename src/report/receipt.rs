//! The receipt of a mail: one JSON object with the result of sending, or of a dry run.
//!
//! Its keys are in [`schema`](super::schema). It contains every recipient, whatever failed.

use serde_json::{Map, Value, json};

use super::json;
use crate::address::parse_list;
use crate::compose::{BadRecipient, Composed, Request};
use crate::exit;
use crate::message;
use crate::sanitize;
use crate::submission::relayed::Rewriting;
use crate::submission::{self, CopyReport, Kept, Report, SubmissionPlan};

/// The part of a receipt about the whole message.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// RFC 3339.
    pub time: String,
    /// The exit status.
    pub status: u8,
    /// Whether nothing was to be sent.
    pub dry_run: bool,
    /// The line on standard error that the status comes from, and its hint.
    pub error: Option<String>,
    /// The hint of that line.
    pub hint: Option<String>,
}

/// A receipt that still lacks its verdict.
#[derive(Debug)]
pub(crate) struct Receipt {
    message_id: Option<String>,
    recipients: Vec<Value>,
    rewrites: Vec<Value>,
    kept: Map<String, Value>,
}

impl Receipt {
    /// Returns the receipt of a message that was submitted; `bad` are recipients that could not be.
    pub(crate) fn of_report(report: &Report, bad: &[BadRecipient]) -> Receipt {
        let entries = report.entries.iter().map(recipient);
        Receipt {
            message_id: Some(report.message_id.clone()),
            recipients: entries.chain(bad.iter().map(refused)).collect(),
            rewrites: report.rewritings.iter().map(rewrite).collect(),
            kept: kept(&report.kept),
        }
    }

    /// Returns the receipt of a message that was not even tried: why, and where it is kept.
    pub(crate) fn of_unsent(composed: &Composed, why: &str, kept_in: &Kept) -> Receipt {
        let bad = &composed.bad_recipients;
        let others = composed.named().count() - bad.len();
        let named = composed.named().take(others);
        Receipt {
            message_id: Some(composed.draft.message_id.clone()),
            recipients: named
                .map(|name| unsent(&name, why))
                .chain(bad.iter().map(refused))
                .collect(),
            rewrites: Vec::new(),
            kept: kept(kept_in),
        }
    }

    /// Returns the receipt of a message that is not to be sent: where each copy would go.
    pub(crate) fn of_plan(composed: &Composed, plan: &SubmissionPlan) -> Receipt {
        let mut recipients: Vec<Value> = plan
            .copies
            .iter()
            .map(|copy| match &copy.route {
                Ok(route) => Entry {
                    target: Some(copy.target.as_str()),
                    route: &submission::name_of(route),
                    ..Entry::untried(copy.recipient.as_str(), &copy.reason, NOT_SENT, DRY_RUN)
                }
                .value(),
                Err(outcome) => recipient(&CopyReport {
                    recipient: copy.recipient.shared(),
                    target: copy.target.shared(),
                    route: "none".into(),
                    reason: copy.reason.clone(),
                    outcome: outcome.clone(),
                    outbox: None,
                }),
            })
            .collect();
        let addresses = composed.draft.recipients().count();
        let bad = &composed.bad_recipients;
        let others = composed.named().count() - bad.len() - addresses;
        let expanded = composed.named().skip(addresses).take(others);
        recipients.extend(expanded.map(|name| unsent(&name, DRY_RUN)));
        recipients.extend(bad.iter().map(refused));
        Receipt {
            message_id: Some(composed.draft.message_id.clone()),
            recipients,
            rewrites: plan.rewritings().iter().map(rewrite).collect(),
            kept: kept(&Kept::NotNeeded),
        }
    }

    /// Returns the receipt of a message that could not even be composed, and why.
    pub(crate) fn of_request(request: &Request, why: &str) -> Receipt {
        let lists = request.to.iter().chain(&request.cc).chain(&request.bcc);
        let recipients = lists.flat_map(|list| {
            let text = message::decode_text(list.as_encoded_bytes()).into_owned();
            let named: Vec<String> = parse_list(&text)
                .into_iter()
                .map(|entry| match entry {
                    Ok(address) => address.address().to_string(),
                    Err(error) => sanitize::line(error.text.as_bytes()).into_owned(),
                })
                .collect();
            named.into_iter().map(|name| unsent(&name, why))
        });
        Receipt {
            message_id: None,
            recipients: recipients.collect(),
            rewrites: Vec::new(),
            kept: kept(&Kept::NotNeeded),
        }
    }

    /// Returns the receipt as one line.
    pub(crate) fn line(self, verdict: &Verdict) -> Vec<u8> {
        let mut object = self.kept;
        let Verdict {
            time,
            status,
            dry_run,
            error,
            hint,
        } = verdict;
        object.insert("message_id".to_owned(), json!(self.message_id));
        object.insert("recipients".to_owned(), Value::Array(self.recipients));
        object.insert("rewrites".to_owned(), Value::Array(self.rewrites));
        object.insert("time".to_owned(), json!(time));
        object.insert("status".to_owned(), json!(status));
        object.insert("dry_run".to_owned(), json!(dry_run));
        object.insert("error".to_owned(), json!(error));
        object.insert("hint".to_owned(), json!(hint));
        json::line(&Value::Object(object))
    }
}

/// The outcome of a recipient for whom nothing was tried.
const NOT_SENT: &str = "not-sent";

/// Why it was not.
const DRY_RUN: &str = "nothing is sent in a dry run";

fn kept(kept: &Kept) -> Map<String, Value> {
    let mut object = Map::new();
    match kept {
        Kept::DeadLetter(letter) => json::insert_path(&mut object, "kept", Some(&letter.path)),
        _ => json::insert_path(&mut object, "kept", None),
    }
    object
}

/// What a receipt says of one recipient.
struct Entry<'a> {
    recipient: &'a str,
    target: Option<&'a str>,
    route: &'a str,
    reason: &'a str,
    outcome: &'a str,
    code: Option<u16>,
    text: &'a str,
    queue_id: Option<&'a str>,
    outbox: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// Returns the entry of a recipient for whom no route was tried.
    fn untried(recipient: &'a str, reason: &'a str, outcome: &'a str, text: &'a str) -> Entry<'a> {
        Entry {
            recipient,
            target: None,
            route: "none",
            reason,
            outcome,
            code: None,
            text,
            queue_id: None,
            outbox: None,
        }
    }

    fn value(&self) -> Value {
        json!({
            "recipient": self.recipient,
            "target": self.target,
            "route": self.route,
            "reason": self.reason,
            "outcome": self.outcome,
            "code": self.code,
            "text": self.text,
            "queue_id": self.queue_id,
            "outbox": self.outbox,
        })
    }
}

fn recipient(entry: &CopyReport) -> Value {
    let outcome = &entry.outcome;
    Entry {
        recipient: &entry.recipient,
        target: Some(&*entry.target),
        route: &entry.route,
        reason: &entry.reason,
        outcome: outcome.disposition.name(),
        code: outcome.code,
        // The relay chooses this text, and a person may print the receipt on a terminal.
        text: &sanitize::line(outcome.text.as_bytes()),
        queue_id: queue_id(&outcome.text),
        outbox: entry.outbox.as_deref(),
    }
    .value()
}

fn unsent(name: &str, why: &str) -> Value {
    Entry::untried(name, "the message was not sent", NOT_SENT, why).value()
}

fn rewrite(rewriting: &Rewriting) -> Value {
    // They hold what the message says, and a person may print the receipt on a terminal.
    let line =
        |text: &str| (!text.is_empty()).then(|| sanitize::line(text.as_bytes()).into_owned());
    json!({
        "what": rewriting.what,
        "old": line(&rewriting.old),
        "new": line(&rewriting.new),
        "reason": line(&rewriting.why),
    })
}

fn refused(bad: &BadRecipient) -> Value {
    let why = exit::with_causes(&bad.failure);
    Entry::untried(&bad.text, "it is not a valid recipient", "refused", &why).value()
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
