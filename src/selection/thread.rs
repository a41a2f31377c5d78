//! Threads: which message answers which, by References and In-Reply-To, then by subject.
//!
//! Message-IDs are compared by 64-bit hashes, so that a message takes at most some 150 bytes while
//! threads are made. All steps are linear or a sort, whatever the fields claim: circles are cut.

use twox_hash::XxHash3_64;

use super::error::ListError;
use super::index::{Index, each_block};
use super::order::Order;
use super::subject;
use super::when::{seconds, sent};
use crate::message::parse::{FieldText, fields, words};

/// How many references of a message count: the first one, and the last ones.
const MAX_REFERENCES: usize = 8;
/// How much of a field is looked at, in bytes.
const MAX_FIELD: usize = 64 * 1024;
/// No message.
const NONE: u32 = u32::MAX;

/// What threads are made of; the vectors have an entry a message.
struct Facts {
    /// Hashes of the Message-IDs; 0 where there is none.
    ids: Vec<u64>,
    /// Hashes of the references, the nearest last, of all messages one after the other.
    references: Vec<u64>,
    /// Where the references of a message end.
    reference_ends: Vec<u32>,
    /// Hashes of the subjects without `Re:`; 0 for an empty one.
    subjects: Vec<u64>,
    /// Whether the subject has a `Re:`.
    is_answer: Vec<bool>,
    /// When it was sent, in seconds.
    times: Vec<i64>,
}

impl Facts {
    fn of(index: &dyn Index) -> Result<Facts, ListError> {
        // Vectors that grow would take twice their length for a moment.
        let count = index.count();
        let mut facts = Facts {
            ids: Vec::with_capacity(count),
            references: Vec::new(),
            reference_ends: Vec::with_capacity(count),
            subjects: Vec::with_capacity(count),
            is_answer: Vec::with_capacity(count),
            times: Vec::with_capacity(count),
        };
        each_block(index, &mut |block| facts.add(block))?;
        Ok(facts)
    }

    fn add(&mut self, block: &[u8]) {
        let header = fields::split_from_line(block).1;
        let (mut id, mut references, mut parent, mut title) = (None, None, None, None);
        for field in fields::fields(header) {
            let known = match field.name.first() {
                Some(b'M' | b'm') if field.is("message-id") => &mut id,
                Some(b'R' | b'r') if field.is("references") => &mut references,
                Some(b'I' | b'i') if field.is("in-reply-to") => &mut parent,
                Some(b'S' | b's') if field.is("subject") => &mut title,
                _ => continue,
            };
            known.get_or_insert(field.body);
        }
        self.ids
            .push(id.and_then(|body| ids(body).next()).unwrap_or(0));
        let start = self.references.len();
        for reference in ids(references.unwrap_or_default()) {
            if self.references.len() - start == MAX_REFERENCES {
                // The second one gives way: the first one names the thread.
                self.references.remove(start + 1);
            }
            self.references.push(reference);
        }
        // A mailer without References, or one that forgot the last of them.
        if let Some(parent) = ids(parent.unwrap_or_default()).next()
            && !self.references[start..].contains(&parent)
        {
            if self.references.len() - start == MAX_REFERENCES {
                self.references.remove(start + 1);
            }
            self.references.push(parent);
        }
        let end = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        self.reference_ends.push(end);
        let title = title.map(|body| FieldText::of(block).words(words::cut(body, MAX_FIELD)));
        let title = title.unwrap_or_default();
        let (base, is_answer) = subject::base(&title);
        self.subjects.push(match base {
            "" => 0,
            base => XxHash3_64::oneshot(base.to_lowercase().as_bytes()),
        });
        self.is_answer.push(is_answer);
        self.times.push(seconds(sent(block)));
    }

    /// Returns the times alone.
    fn into_times(self) -> Vec<i64> {
        self.times
    }

    /// Returns the references of a message, the nearest last.
    fn references_of(&self, message: usize) -> &[u64] {
        let end = self.reference_ends[message] as usize;
        let start = message
            .checked_sub(1)
            .map_or(0, |at| self.reference_ends[at]);
        &self.references[start as usize..end.min(self.references.len())]
    }
}

/// Returns the hashes of the Message-IDs in a field body: what stands between angle brackets.
fn ids(body: &[u8]) -> impl Iterator<Item = u64> {
    let mut rest = words::cut(body, MAX_FIELD);
    std::iter::from_fn(move || {
        let start = memchr::memchr(b'<', rest)? + 1;
        let end = start + memchr::memchr(b'>', &rest[start..])?;
        let id = &rest[start..end];
        rest = &rest[end..];
        Some(XxHash3_64::oneshot(id))
    })
}

/// Returns the messages by threads: each answer below what it answers, the oldest first.
///
/// A thread stands where its first message belongs by date. Answers to a message that is not there
/// are one thread all the same; an answer without references belongs to the oldest message that has its
/// subject without `Re:`, if that is not younger.
///
/// # Errors
/// [`ListError::Interrupted`]: a signal asks us to stop.
pub(super) fn threads(index: &dyn Index) -> Result<Order, ListError> {
    let facts = Facts::of(index)?;
    let mut parents = parents(&facts);
    // The rest is not needed any more, and takes most of the memory.
    let times = facts.into_times();
    cut_circles(&mut parents);
    Ok(ordered(&parents, &times))
}

/// Finds the message that each message answers; [`NONE`] for the first of a thread.
fn parents(facts: &Facts) -> Vec<u32> {
    let count = facts.ids.len() as u32;
    let by_id = sorted_by(count, |message| facts.ids[message], |_| 0);
    let with_id = |id: u64| first_of(&by_id, id, |message| facts.ids[message]);
    // Only what is no answer begins a thread by its subject; the oldest one counts.
    let mut by_subject = sorted_by(
        count,
        |message| facts.subjects[message],
        |message| facts.times[message],
    );
    by_subject.retain(|&message| !facts.is_answer[message as usize]);
    let mut parents = vec![NONE; facts.ids.len()];
    // Answers whose thread is known by the hash of a message that is not there.
    let mut orphans: Vec<u32> = Vec::new();
    for (message, parent) in (0..count).zip(&mut parents) {
        let at = message as usize;
        let references = facts.references_of(at);
        let nearest = references.iter().rev().find_map(|&id| with_id(id));
        *parent = nearest.filter(|&found| found != message).unwrap_or(NONE);
        if *parent != NONE {
            continue;
        }
        if !references.is_empty() {
            orphans.push(message);
        }
        let subject = facts.subjects[at];
        if facts.is_answer[at] && subject != 0 {
            let first = first_of(&by_subject, subject, |other| facts.subjects[other]);
            let is_older = |&first: &u32| facts.times[first as usize] <= facts.times[at];
            *parent = first.filter(is_older).unwrap_or(NONE);
        }
    }
    let root = |message: u32| facts.references_of(message as usize)[0];
    orphans.retain(|&message| parents[message as usize] == NONE);
    orphans
        .sort_unstable_by_key(|&message| (root(message), facts.times[message as usize], message));
    for pair in orphans.chunk_by(|&one, &other| root(one) == root(other)) {
        for &message in &pair[1..] {
            parents[message as usize] = pair[0];
        }
    }
    parents
}

/// Returns the messages sorted by a hash, those of one hash by a second key and as they stand.
fn sorted_by(count: u32, hash: impl Fn(usize) -> u64, then: impl Fn(usize) -> i64) -> Vec<u32> {
    let mut messages: Vec<u32> = (0..count)
        .filter(|&message| hash(message as usize) != 0)
        .collect();
    messages
        .sort_unstable_by_key(|&message| (hash(message as usize), then(message as usize), message));
    messages
}

/// Returns the first message with a hash.
fn first_of(sorted: &[u32], wanted: u64, hash: impl Fn(usize) -> u64) -> Option<u32> {
    let at = sorted.partition_point(|&message| hash(message as usize) < wanted);
    let found = *sorted.get(at)?;
    (hash(found as usize) == wanted).then_some(found)
}

/// Makes a first message of one in each circle, as forged or broken references have them.
fn cut_circles(parents: &mut [u32]) {
    // 0: not seen. Other numbers: the walk that has seen it.
    let mut seen = vec![0_u32; parents.len()];
    for start in 0..parents.len() as u32 {
        let walk = start + 1;
        let mut at = start;
        while at != NONE && seen[at as usize] == 0 {
            seen[at as usize] = walk;
            at = parents[at as usize];
        }
        if at != NONE && seen[at as usize] == walk {
            parents[at as usize] = NONE;
        }
    }
}

/// Returns the order of threads, each answer below what it answers.
fn ordered(parents: &[u32], times: &[i64]) -> Order {
    let count = parents.len() as u32;
    let mut by_time: Vec<u32> = (0..count).collect();
    by_time.sort_unstable_by_key(|&message| (times[message as usize], message));
    let mut first_child = vec![NONE; parents.len()];
    let mut next = vec![NONE; parents.len()];
    let mut first_root = NONE;
    // The youngest is put in front first, so that the oldest comes to stand in front.
    for &message in by_time.iter().rev() {
        let head = match parents[message as usize] {
            NONE => &mut first_root,
            parent => &mut first_child[parent as usize],
        };
        next[message as usize] = std::mem::replace(head, message);
    }
    drop(by_time);
    let mut sequence = Vec::with_capacity(parents.len());
    let mut depths = Vec::with_capacity(parents.len());
    // The messages on the way down: no recursion, because threads may be as deep as the mailbox.
    let mut depth = 0_usize;
    let mut at = first_root;
    while at != NONE {
        sequence.push(at);
        depths.push(u8::try_from(depth).unwrap_or(u8::MAX));
        if first_child[at as usize] != NONE {
            at = first_child[at as usize];
            depth += 1;
            continue;
        }
        while next[at as usize] == NONE && parents[at as usize] != NONE {
            at = parents[at as usize];
            depth -= 1;
        }
        at = next[at as usize];
    }
    Order::new(sequence, depths)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::selection::FlagChoice;

    /// Header blocks of messages.
    struct Blocks(Vec<String>);

    impl Index for Blocks {
        fn count(&self) -> usize {
            self.0.len()
        }
        fn current(&self) -> usize {
            0
        }
        fn is_hidden(&self, _: usize) -> bool {
            false
        }
        fn has_flags(&self, _: usize, _: FlagChoice) -> bool {
            false
        }
        fn block(&self, message: usize) -> Vec<u8> {
            self.0[message].clone().into_bytes()
        }
        fn content(&self, message: usize) -> Vec<u8> {
            self.block(message)
        }
        fn size(&self, message: usize) -> u64 {
            self.0[message].len() as u64
        }
        fn sender(&self, _: &[u8]) -> String {
            String::new()
        }
        fn allnet(&self) -> bool {
            false
        }
    }

    /// A message of this minute: its id, its subject, the ids it refers to.
    fn message(minute: usize, id: &str, subject: &str, references: &str) -> String {
        let references = match references {
            "" => String::new(),
            ids => {
                let ids: Vec<String> = ids.split(' ').map(|id| format!("<{id}>")).collect();
                format!("References: {}\n", ids.join("\n "))
            }
        };
        format!(
            "Date: Mon, 16 Nov 2026 {:02}:{:02}:00 +0000\nMessage-ID: <{id}>\nSubject: {subject}\n{references}\n",
            minute / 60 % 24,
            minute % 60
        )
    }

    fn shown(messages: Vec<String>) -> String {
        let count = messages.len();
        let order = threads(&Blocks(messages)).unwrap();
        let lines = (0..count).map(|place| {
            let message = order.at(place);
            format!("{}{}", "-".repeat(order.depth(message)), message + 1)
        });
        lines.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn answers_stand_below_what_they_answer() {
        type Message = (&'static str, &'static str, &'static str);
        let rows: [(&[Message], &str); 8] = [
            (
                &[
                    ("a", "x", ""),
                    ("b", "y", ""),
                    ("c", "Re: x", "a"),
                    ("d", "Re: x", "a c"),
                ],
                "1 -3 --4 2",
            ),
            // The nearest one that is there.
            (
                &[
                    ("a", "x", ""),
                    ("d", "Re: x", "a gone"),
                    ("e", "Re: x", "a gone d"),
                ],
                "1 -2 --3",
            ),
            // What is answered is not there: they belong together all the same.
            (
                &[
                    ("a", "Re: x", "gone"),
                    ("b", "y", ""),
                    ("c", "Re: x", "gone lost"),
                ],
                "1 -3 2",
            ),
            // By subject only.
            (
                &[("a", "x", ""), ("b", "y", ""), ("c", "RE: AW: X", "")],
                "1 -3 2",
            ),
            // What has the same subject and is no answer is no answer.
            (&[("a", "x", ""), ("b", "x", "")], "1 2"),
            // An answer older than the only message of its subject.
            (&[("a", "Re: x", ""), ("b", "x", "")], "1 2"),
            // The same id twice: the first one counts; one that names itself is no answer.
            (
                &[
                    ("a", "x", ""),
                    ("a", "y", ""),
                    ("c", "z", "a"),
                    ("d", "w", "d"),
                ],
                "1 -3 2 4",
            ),
            // A circle.
            (
                &[("a", "x", "c"), ("b", "y", "a"), ("c", "z", "b")],
                "1 -2 --3",
            ),
        ];
        for (messages, expected) in rows {
            let messages = messages.iter().enumerate();
            let messages = messages.map(|(at, (id, subject, ids))| message(at, id, subject, ids));
            assert_eq!(shown(messages.collect()), expected);
        }
    }

    #[test]
    fn in_reply_to_is_a_reference() {
        let answer =
            "Date: Mon, 16 Nov 2026 12:00:00 +0000\nIn-Reply-To: Your message <a> of today\n\n";
        assert_eq!(
            shown(vec![answer.to_owned(), message(1, "a", "x", "")]),
            "2 -1"
        );
    }

    #[test]
    fn deep_and_circular_references_take_linear_time() {
        let count = 20_000;
        let chain =
            (0..count).map(|n| message(n % 1440, &format!("{n}"), "x", &format!("{}", n + 1)));
        let started = std::time::Instant::now();
        let order = threads(&Blocks(chain.collect())).unwrap();
        assert_eq!(order.at(0), count - 1);
        let circle =
            (0..count).map(|n| message(0, &format!("{n}"), "x", &format!("{}", (n + 1) % count)));
        threads(&Blocks(circle.collect())).unwrap();
        let long: String = (0..5000).map(|n| format!("id{n} ")).collect();
        threads(&Blocks(vec![message(0, "a", "x", long.trim())])).unwrap();
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }

    proptest! {
        /// Whatever the references are: every message is shown once, below its thread.
        #[test]
        fn every_message_is_shown_once(links in proptest::collection::vec((0..12_usize, 0..12_usize, 0..3_usize), 0..12)) {
            let messages = links.iter().enumerate().map(|(at, (one, other, subject))| {
                let title = ["x", "Re: x", "Re: y"][*subject];
                message(at * 7 % 12, &format!("m{at}"), title, &format!("m{one} m{other}"))
            });
            let count = links.len();
            let order = threads(&Blocks(messages.collect())).unwrap();
            let mut seen: Vec<usize> = (0..count).map(|place| order.at(place)).collect();
            let depths: Vec<usize> = seen.iter().map(|&message| order.depth(message)).collect();
            prop_assert!(depths.first().is_none_or(|&depth| depth == 0));
            prop_assert!(depths.windows(2).all(|pair| pair[1] <= pair[0] + 1));
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
    }
}
