//! The sidecar of an entry: what became of it so far.
//!
//! One JSON object. It is replaced as a whole, by a rename; the entry itself is never written again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value, json};

use super::entry::text;

/// How many replies are kept: the first ones and the last.
const MAX_REPLIES: usize = 200;

/// How much of a reply is kept, in bytes.
const MAX_REPLY: usize = 1000;

/// What became of a message for one target of its envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is to be tried again.
    Waiting,
    /// The next hop has it.
    Accepted,
    /// It was refused for good.
    Refused,
    /// It may have arrived.
    Uncertain,
}

impl Standing {
    const ALL: [Standing; 4] = [
        Standing::Waiting,
        Standing::Accepted,
        Standing::Refused,
        Standing::Uncertain,
    ];

    /// Returns the word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Accepted => "accepted",
            Standing::Refused => "refused",
            Standing::Uncertain => "uncertain",
        }
    }

    /// Returns whether nothing more is to be done.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Standing::Accepted | Standing::Refused)
    }
}

/// A target of the envelope: an address that a recipient led to, after all aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetState {
    /// The recipient, as the entry's envelope names it.
    pub recipient: String,
    /// The address in the envelope of the relay, the mailbox, or the like.
    pub target: String,
    /// What became of it.
    pub standing: Standing,
    /// The last reply, or our own reason.
    pub reply: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// A reply of a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplyNote {
    /// When, in seconds since 1970.
    pub time: u64,
    /// The targets that it was about, as they are shown.
    pub about: String,
    /// The words.
    pub text: String,
}

/// To whom nothing is to be sent any more.
#[derive(Debug, Default)]
pub(crate) struct Done<'a> {
    targets: HashMap<&'a str, bool>,
    /// Whether all known targets of a recipient have been dealt with.
    recipients: HashMap<&'a str, bool>,
}

impl Done<'_> {
    /// Returns whether nothing is to be sent to this target of a recipient any more.
    pub(crate) fn has(&self, recipient: &str, target: &str) -> bool {
        // By the target first: an alias may lead to several, of which one waits. Else the settings
        // lead the recipient to another target by now; one that had the message does not get it
        // again.
        let known = self
            .targets
            .get(target)
            .or_else(|| self.recipients.get(recipient));
        known.copied().unwrap_or(false)
    }
}

/// What became of an entry so far. All times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EntryState {
    /// How often it was tried.
    pub attempts: u64,
    /// When it was tried first.
    pub first: Option<u64>,
    /// When it was tried last.
    pub last: Option<u64>,
    /// When it is to be tried next; at once if there is no time.
    pub next: Option<u64>,
    /// Why, in the words of the last failure.
    pub reason: Option<String>,
    /// The route of the last try, as it is shown.
    pub route: Option<String>,
    /// Why nothing sends it by itself; held by a person if this is `""`.
    pub held: Option<String>,
    /// Since when it is uncertain.
    pub uncertain: Option<u64>,
    /// How often it was sent again after it had become uncertain.
    pub resent: u64,
    /// How many equal messages came while it waited.
    pub repeated: u64,
    /// The targets of which anything is known.
    pub targets: Vec<TargetState>,
    /// The replies, with their dates.
    pub replies: Vec<ReplyNote>,
}

impl EntryState {
    /// Returns who has been dealt with, for many questions.
    pub(crate) fn done(&self) -> Done<'_> {
        let mut done = Done::default();
        for to in &self.targets {
            done.targets.insert(&to.target, to.standing.is_final());
            let of_recipient = done.recipients.entry(&to.recipient).or_insert(true);
            *of_recipient &= to.standing.is_final();
        }
        done
    }

    /// Returns whether nothing is to be sent to any of these recipients any more.
    pub(crate) fn is_all_done<'a>(&self, recipients: impl IntoIterator<Item = &'a str>) -> bool {
        let done = self.done();
        let mut recipients = recipients.into_iter();
        recipients.all(|recipient| done.recipients.contains_key(recipient))
            && self.targets.iter().all(|to| to.standing.is_final())
    }

    /// Sets what became of these targets. There may be a hundred thousand.
    pub(crate) fn set_targets(&mut self, new: impl IntoIterator<Item = TargetState>) {
        let key = |to: &TargetState| (to.recipient.clone(), to.target.clone());
        let known = self.targets.iter().enumerate();
        let mut places: HashMap<_, usize> = known.map(|(at, to)| (key(to), at)).collect();
        for to in new {
            match places.entry(key(&to)) {
                Entry::Occupied(at) => self.targets[*at.get()] = to,
                Entry::Vacant(free) => {
                    free.insert(self.targets.len());
                    self.targets.push(to);
                }
            }
        }
    }

    /// Adds a reply; of very many those in the middle are left out.
    pub(crate) fn note_reply(&mut self, time: u64, about: &str, words: &str) {
        if self.replies.len() >= MAX_REPLIES {
            self.replies.remove(MAX_REPLIES / 2);
        }
        self.replies.push(ReplyNote {
            time,
            about: cut(about).to_owned(),
            text: cut(words).to_owned(),
        });
    }

    /// Returns the state as JSON.
    pub(super) fn encode(&self) -> Vec<u8> {
        let targets = self.targets.iter().map(|to| {
            json!({
                "recipient": to.recipient,
                "target": to.target,
                "state": to.standing.name(),
                "reply": cut(&to.reply),
                "time": to.time,
            })
        });
        let replies = self
            .replies
            .iter()
            .map(|reply| json!({"time": reply.time, "about": reply.about, "text": reply.text}));
        let value = json!({
            "version": 1,
            "attempts": self.attempts,
            "first": self.first,
            "last": self.last,
            "next": self.next,
            "reason": self.reason,
            "route": self.route,
            "held": self.held,
            "uncertain": self.uncertain,
            "resent": self.resent,
            "repeated": self.repeated,
            "targets": targets.collect::<Vec<_>>(),
            "replies": replies.collect::<Vec<_>>(),
        });
        let mut bytes = value.to_string().into_bytes();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a state; `None` for bytes that are none, or of a version that is not ours.
    pub(super) fn decode(bytes: &[u8]) -> Option<EntryState> {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes) else {
            return None;
        };
        if object.get("version")?.as_u64()? != 1 {
            return None;
        }
        let number = |object: &Map<String, Value>, key: &str| object.get(key)?.as_u64();
        Some(EntryState {
            attempts: number(&object, "attempts")?,
            first: number(&object, "first"),
            last: number(&object, "last"),
            next: number(&object, "next"),
            reason: text(&mut object, "reason"),
            route: text(&mut object, "route"),
            held: text(&mut object, "held"),
            uncertain: number(&object, "uncertain"),
            resent: number(&object, "resent")?,
            repeated: number(&object, "repeated")?,
            targets: objects(&mut object, "targets", |mut to| {
                let name = text(&mut to, "state")?;
                let standing = Standing::ALL.into_iter().find(|known| known.name() == name);
                Some(TargetState {
                    recipient: text(&mut to, "recipient")?,
                    target: text(&mut to, "target")?,
                    standing: standing?,
                    reply: text(&mut to, "reply")?,
                    time: number(&to, "time")?,
                })
            })?,
            replies: objects(&mut object, "replies", |mut reply| {
                Some(ReplyNote {
                    time: number(&reply, "time")?,
                    about: text(&mut reply, "about")?,
                    text: text(&mut reply, "text")?,
                })
            })?,
        })
    }
}

fn objects<T>(
    object: &mut Map<String, Value>,
    key: &str,
    read: impl Fn(Map<String, Value>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(Value::Array(values)) = object.remove(key) else {
        return None;
    };
    let read = values.into_iter().map(|value| match value {
        Value::Object(object) => read(object),
        _ => None,
    });
    read.collect()
}

/// Cuts a text that a stranger may have made very long.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_REPLY)]
}
