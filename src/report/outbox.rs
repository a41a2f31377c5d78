//! The outbox as reports: the list for people, JSON lines, the form of `mailq`, one entry.
//!
//! Everything in an entry came from outside, and so did the replies of relays: what people see
//! passes `sanitize`.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::json;
use crate::sanitize;
use crate::submission::outbox::route_state::RouteState;
use crate::submission::outbox::schedule::UNCERTAIN_WAIT;
use crate::submission::outbox::{Condition, EntryState, Listed, Standing};
use crate::sys::clock;

/// How many recipients of an entry are named in a list; the others are counted.
const NAMED: usize = 10;

/// An entry as it is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Its number in the list, from 1.
    pub number: usize,
    /// The directory of its outbox.
    pub place: &'a Path,
    /// The entry.
    pub listed: &'a Listed,
    /// The state of its route, if that takes no mail now.
    pub route: Option<&'a RouteState>,
}

impl Row<'_> {
    /// Returns when the entry has arrived.
    pub(crate) fn arrival(&self) -> SystemTime {
        UNIX_EPOCH + self.listed.id.arrival()
    }

    /// Returns how long ago the entry has arrived; a clock that was set back makes it no older.
    pub(crate) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.arrival()).unwrap_or_default()
    }

    /// Returns the last words about the entry: why nothing sends it, or the last reply.
    fn reason(&self) -> Option<String> {
        let state = &self.listed.state;
        let last = || state.replies.last().map(|reply| &reply.text);
        let reason = match (&self.listed.condition, &state.held) {
            (Condition::Torn(why), _) => format!("the file {why}"),
            (Condition::Held, Some(why)) if !why.is_empty() => why.clone(),
            _ => state.reason.as_ref().or_else(last)?.clone(),
        };
        Some(reason)
    }

    /// Returns when the entry is tried next, if that is known: a route that takes no mail holds its
    /// entries back.
    fn next(&self) -> Option<SystemTime> {
        let state = &self.listed.state;
        let own = match self.listed.condition {
            Condition::Uncertain => {
                let since = state.uncertain.or(state.last).map(time)?;
                Some(since + UNCERTAIN_WAIT)
            }
            Condition::Waiting | Condition::New => state.next.map(time),
            _ => return None,
        };
        own.into_iter()
            .chain(self.route.map(|route| route.next))
            .max()
    }

    /// Returns the recipients with what became of them: those of the envelope, or the targets that
    /// they have led to.
    fn recipients(&self) -> Vec<Recipient<'_>> {
        let Some(envelope) = &self.listed.envelope else {
            return Vec::new();
        };
        let targets = &self.listed.state.targets;
        let mut all = Vec::new();
        for recipient in &envelope.recipients {
            let known = targets.iter().filter(|to| to.recipient == *recipient);
            let before = all.len();
            all.extend(known.map(|to| Recipient {
                recipient,
                target: Some(&to.target),
                standing: to.standing,
                reply: Some(to.reply.as_str()).filter(|reply| !reply.is_empty()),
                time: Some(to.time),
            }));
            if all.len() == before {
                all.push(Recipient {
                    recipient,
                    target: None,
                    standing: Standing::Waiting,
                    reply: None,
                    time: None,
                });
            }
        }
        all
    }
}

/// A recipient of an entry.
struct Recipient<'a> {
    recipient: &'a str,
    target: Option<&'a str>,
    standing: Standing,
    reply: Option<&'a str>,
    time: Option<u64>,
}

/// Returns a time of a sidecar.
fn time(seconds: u64) -> SystemTime {
    // A time that no clock can show is taken for the first one.
    let after = Duration::from_secs(seconds);
    UNIX_EPOCH.checked_add(after).unwrap_or(UNIX_EPOCH)
}

/// Returns whether a calendar has this time.
fn is_sane(at: SystemTime) -> bool {
    at < UNIX_EPOCH + Duration::from_secs(1 << 37)
}

/// Returns a time in RFC 3339, in the local zone; none where no calendar has it.
fn rfc3339(at: SystemTime) -> Option<String> {
    is_sane(at).then(|| clock::local(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, false))
}

/// Returns a time as people read it: without the day if it is today.
fn shown_time(at: SystemTime, now: SystemTime) -> String {
    if !is_sane(at) {
        return "never".to_owned();
    }
    let (at, now) = (clock::local(at), clock::local(now));
    let form = if at.date_naive() == now.date_naive() {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    at.format(form).to_string()
}

/// Returns a span of time in its largest unit.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Returns when an entry is tried next, as people read it.
fn next_try(row: &Row<'_>, now: SystemTime) -> String {
    match row.listed.condition {
        Condition::Sending => "now".to_owned(),
        Condition::Held | Condition::Failed | Condition::Torn(_) => "-".to_owned(),
        Condition::Waiting | Condition::Uncertain | Condition::New => match row.next() {
            Some(next) if next > now => shown_time(next, now),
            _ => "next flush".to_owned(),
        },
    }
}

/// Names the recipients of an entry, and counts them where they are too many.
fn names(row: &Row<'_>) -> String {
    let all = row.recipients();
    let missing: Vec<&Recipient<'_>> = all
        .iter()
        .filter(|to| to.standing != Standing::Accepted)
        .collect();
    let mut text = missing
        .iter()
        .take(NAMED)
        .map(|to| to.target.unwrap_or(to.recipient))
        .collect::<Vec<_>>()
        .join(", ");
    if missing.len() > NAMED {
        let _ = write!(text, " and {} others", missing.len() - NAMED);
    }
    match all.len() - missing.len() {
        0 => {}
        done => {
            let _ = write!(text, " ({done} others have it)");
        }
    }
    text
}

/// Returns the sender of an entry: the one that was asked for, else the user.
pub(crate) fn sender(listed: &Listed) -> String {
    match &listed.envelope {
        None => String::new(),
        Some(envelope) => match &envelope.sender {
            Some(sender) if sender.is_empty() => "<>".to_owned(),
            Some(sender) => sender.clone(),
            None => envelope.login_name(),
        },
    }
}

/// Appends the entry of a list for people: a line of facts, then who and what, then the last words.
pub(crate) fn append(text: &mut String, row: &Row<'_>, now: SystemTime) {
    let listed = row.listed;
    let _ = writeln!(
        text,
        "{:>3}  {:<36} {:<9} {:>7} {:>9} {:>5}  {}",
        row.number,
        listed.id.as_str(),
        listed.condition.name(),
        span(row.age(now)),
        listed.size,
        listed.state.attempts,
        next_try(row, now),
    );
    if let Some(envelope) = &listed.envelope {
        let subject = envelope.subject.as_deref().unwrap_or("(no subject)");
        let _ = writeln!(text, "     {}", sanitize::line(subject.as_bytes()));
        let line = format!("from {} to {}", sender(listed), names(row));
        let _ = writeln!(text, "     {}", sanitize::message(&line));
    }
    if listed.state.repeated > 0 {
        let count = listed.state.repeated;
        let _ = writeln!(text, "     and {count} equal messages, which are not kept");
    }
    if let Some(route) = &listed.state.route {
        let _ = writeln!(text, "     by {}", sanitize::message(route));
    }
    if let Some(reason) = row.reason() {
        let _ = writeln!(text, "     {}", sanitize::message(&reason));
    }
}

/// Returns the line about a route that takes no mail, for people.
pub(crate) fn route(state: &RouteState, now: SystemTime) -> String {
    let (since, next) = (shown_time(state.since, now), shown_time(state.next, now));
    let line = format!(
        "{} takes no mail since {since}, next try {next}: {}",
        state.route, state.reply
    );
    format!("{}\n", sanitize::message(&line))
}

/// The line above a list for people.
pub(crate) const HEAD: &str =
    "  N  ID                                   STATE         AGE     BYTES TRIES  NEXT TRY\n";

/// Returns the line below a list for people.
pub(crate) fn foot(count: usize, bytes: u64, oldest: Duration) -> String {
    let messages = match count {
        1 => "1 message".to_owned(),
        _ => format!("{count} messages"),
    };
    let bytes = match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{bytes} bytes"),
    };
    format!(
        "{messages}, {bytes}; the oldest is from {} ago\n",
        span(oldest)
    )
}

/// Returns the line of `outbox list --json`.
pub(crate) fn json(row: &Row<'_>, now: SystemTime) -> Vec<u8> {
    let listed = row.listed;
    let EntryState {
        attempts,
        last,
        route,
        repeated,
        ..
    } = &listed.state;
    let envelope = listed.envelope.as_ref();
    let safe = |text: &str| sanitize::line(text.as_bytes()).into_owned();
    let at = |seconds: &Option<u64>| seconds.and_then(|seconds| rfc3339(time(seconds)));
    let recipients: Vec<Value> = row
        .recipients()
        .iter()
        .map(|to| {
            json!({
                "recipient": to.recipient,
                "target": to.target,
                "state": to.standing.name(),
                "reply": to.reply.map(safe),
                "time": to.time.and_then(|seconds| rfc3339(time(seconds))),
            })
        })
        .collect();
    let mut object = Map::new();
    for (key, value) in [
        // A place has a name that is text.
        ("place", json!(row.place.to_string_lossy())),
        ("number", json!(row.number)),
        ("id", json!(listed.id.as_str())),
        ("state", json!(listed.condition.name())),
        ("arrived", json!(rfc3339(row.arrival()))),
        ("age", json!(row.age(now).as_secs())),
        ("size", json!(listed.size)),
        ("attempts", json!(attempts)),
        ("last_try", json!(at(last))),
        ("next_try", json!(row.next().and_then(rfc3339))),
        (
            "route_down_since",
            json!(row.route.and_then(|route| rfc3339(route.since))),
        ),
        (
            "route_reply",
            json!(row.route.map(|route| safe(&route.reply))),
        ),
        ("route", json!(route.as_deref().map(safe))),
        ("reason", json!(row.reason().map(|reason| safe(&reason)))),
        ("repeated", json!(repeated)),
        (
            "user",
            json!(envelope.map(|envelope| envelope.login_name())),
        ),
        (
            "from",
            json!(envelope.and_then(|envelope| envelope.sender.as_deref())),
        ),
        (
            "account",
            json!(envelope.and_then(|envelope| envelope.account.as_deref())),
        ),
        (
            "subject",
            json!(envelope.and_then(|envelope| envelope.subject.as_deref())),
        ),
        (
            "message_id",
            json!(envelope.map(|envelope| &envelope.message_id)),
        ),
        ("recipients", Value::Array(recipients)),
    ] {
        object.insert(key.to_owned(), value);
    }
    json::line(&Value::Object(object))
}

/// The first line of `mailq`, as Postfix has it.
pub(crate) const QUEUE_HEAD: &str =
    "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";

/// The answer of `mailq` where nothing waits, as Postfix and Sendmail have it.
pub(crate) const QUEUE_EMPTY: &str = "Mail queue is empty\n";

/// Appends an entry in the form of Postfix's `mailq`: `*` is being sent, `!` is held.
pub(crate) fn append_queued(text: &mut String, row: &Row<'_>) {
    let listed = row.listed;
    let mark = match listed.condition {
        Condition::Sending => '*',
        Condition::Held => '!',
        _ => ' ',
    };
    let arrival = clock::local(row.arrival()).format("%a %b %e %H:%M:%S");
    let sender = match &*sender(listed) {
        // As Postfix shows the null sender.
        "<>" => "MAILER-DAEMON".to_owned(),
        sender => sanitize::line(sender.as_bytes()).into_owned(),
    };
    let id = listed.id.as_str();
    let _ = writeln!(text, "{id}{mark} {:>7} {arrival:>20} {sender}", listed.size);
    if let Some(reason) = row.reason() {
        let reason = format!("({})", sanitize::message(&reason));
        let _ = writeln!(text, "{reason:>78}");
    }
    for to in row.recipients() {
        if to.standing != Standing::Accepted {
            let to = to.target.unwrap_or(to.recipient);
            let _ = writeln!(text, "{:41}{}", "", sanitize::line(to.as_bytes()));
        }
    }
    text.push('\n');
}

/// Returns the last line of `mailq`, as Postfix has it.
pub(crate) fn queue_foot(count: usize, bytes: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    // Postfix rounds up as well: a queue with a message in it has no 0 Kbytes.
    format!(
        "-- {} Kbytes in {count} Request{plural}.\n",
        bytes.div_ceil(1024)
    )
}

/// Returns all that is known of one entry, but for its message.
pub(crate) fn facts(row: &Row<'_>, now: SystemTime) -> String {
    let listed = row.listed;
    let state = &listed.state;
    let mut text = String::new();
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(
            text,
            "{:<10} {}",
            format!("{name}:"),
            sanitize::message(value)
        );
    };
    fact("Entry", listed.id.as_str());
    fact("Outbox", &sanitize::path(row.place));
    fact("State", listed.condition.name());
    if let Some(reason) = row.reason() {
        fact("Reason", &reason);
    }
    let arrived = shown_time(row.arrival(), now);
    fact("Arrived", &format!("{arrived}, {} ago", span(row.age(now))));
    let last = state.last.map(|last| shown_time(time(last), now));
    let last = last.map_or(String::new(), |last| format!(", the last one at {last}"));
    fact("Tries", &format!("{}{last}", state.attempts));
    fact("Next try", &next_try(row, now));
    if let Some(route) = &state.route {
        fact("Route", route);
    }
    if let Some(envelope) = &listed.envelope {
        if let Some(account) = &envelope.account {
            fact("Account", account);
        }
        fact("User", &envelope.login_name());
    }
    fact("Sender", &sender(listed));
    if state.repeated > 0 {
        let count = state.repeated;
        fact(
            "Repeated",
            &format!("{count} equal messages came, and are not kept"),
        );
    }
    for to in row.recipients() {
        let target = to.target.filter(|target| *target != to.recipient);
        let target = target.map_or(String::new(), |target| format!(" ({target})"));
        let reply = to.reply.map_or(String::new(), |reply| format!(": {reply}"));
        let standing = to.standing.name();
        fact(
            "Recipient",
            &format!("{}{target}: {standing}{reply}", to.recipient),
        );
    }
    for reply in &state.replies {
        let at = shown_time(time(reply.time), now);
        fact("Reply", &format!("{at} {}: {}", reply.about, reply.text));
    }
    text
}
