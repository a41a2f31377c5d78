//! Sorting messages by a field, their date or their size.

use super::error::ListError;
use super::flags::FlagChoice;
use super::index::{Index, each_block};
use super::order::Order;
use super::subject;
use super::thread;
use super::when::{seconds, sent};
use crate::message::parse::{FieldText, fields, words};

/// How much of a text counts, in bytes: who sends a subject of a megabyte shall not fill the memory.
const MAX_KEY: usize = 256;

/// What messages are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    /// When they were sent.
    Date,
    /// The sender.
    From,
    /// The size.
    Size,
    /// New ones first, then unread ones, then the others.
    Status,
    /// The subject, without `Re:`.
    Subject,
    /// Threads: answers stand below what they answer.
    Thread,
    /// The first recipient.
    To,
}

impl SortKey {
    /// The names, as `sort` takes them.
    pub(crate) const NAMES: &[(&str, SortKey)] = &[
        ("date", SortKey::Date),
        ("from", SortKey::From),
        ("size", SortKey::Size),
        ("status", SortKey::Status),
        ("subject", SortKey::Subject),
        ("thread", SortKey::Thread),
        ("to", SortKey::To),
    ];

    /// Returns the key of a name; any beginning of it is enough where it is the only such one.
    pub(crate) fn named(name: &str) -> Option<SortKey> {
        let name = name.to_ascii_lowercase();
        // mutt's names.
        let name = match &*name {
            "threads" => "thread",
            "date-sent" => "date",
            name => name,
        };
        let exact = Self::NAMES.iter().find(|&&(known, _)| known == name);
        let mut begun = Self::NAMES
            .iter()
            .filter(|(known, _)| known.starts_with(name));
        let only = match (begun.next(), begun.next()) {
            (Some(only), None) if !name.is_empty() => Some(only),
            _ => None,
        };
        exact.or(only).map(|&(_, key)| key)
    }

    /// Returns the name.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|&&(_, key)| key == self);
        found.map_or("", |&(name, _)| name)
    }
}

/// Returns the order of the messages of an index; equal ones stay as they are in the mailbox.
///
/// # Errors
/// [`ListError::Interrupted`]: a signal asks us to stop.
pub(crate) fn sorted(index: &dyn Index, key: SortKey) -> Result<Order, ListError> {
    let count = u32::try_from(index.count()).unwrap_or(u32::MAX);
    let mut sequence: Vec<u32> = (0..count).collect();
    match key {
        SortKey::Thread => return thread::threads(index),
        SortKey::Size => sequence.sort_by_key(|&message| index.size(message as usize)),
        SortKey::Status => sequence.sort_by_key(|&message| {
            let has = |choice| index.has_flags(message as usize, choice);
            (!has(FlagChoice::New), !has(FlagChoice::Unread))
        }),
        SortKey::Date => {
            let mut times = Vec::with_capacity(index.count());
            each_block(index, &mut |block| times.push(seconds(sent(block))))?;
            sequence.sort_by_key(|&message| times[message as usize]);
        }
        SortKey::From => sort_by_text(index, &mut sequence, &|block| index.sender(block))?,
        SortKey::Subject => sort_by_text(index, &mut sequence, &|block| {
            let header = fields::split_from_line(block).1;
            let body = fields::find(header, "subject").unwrap_or_default();
            let text = FieldText::of(header).words(words::cut(body, MAX_KEY * 4));
            subject::base(&text).0.to_owned()
        })?,
        SortKey::To => sort_by_text(index, &mut sequence, &|block| {
            let header = fields::split_from_line(block).1;
            let to = fields::find(header, "to").unwrap_or_default();
            let to = words::cut(to, MAX_KEY * 4);
            FieldText::of(header).first_address(to).address
        })?,
    }
    Ok(Order::new(sequence, Vec::new()))
}

/// Sorts by a text of the header, in any case.
fn sort_by_text(
    index: &dyn Index,
    sequence: &mut [u32],
    text_of: &dyn Fn(&[u8]) -> String,
) -> Result<(), ListError> {
    // One buffer and the places in it: a string a message would take three times as much.
    let mut texts = String::new();
    let mut ends: Vec<u32> = Vec::with_capacity(sequence.len());
    each_block(index, &mut |block| {
        let text = text_of(block);
        let cut = text.floor_char_boundary(MAX_KEY);
        // Beyond 4 GB of keys the rest is equal.
        if texts.len() < (u32::MAX - 4096) as usize {
            texts.extend(text[..cut].chars().flat_map(char::to_lowercase));
        }
        ends.push(u32::try_from(texts.len()).unwrap_or(u32::MAX));
    })?;
    let key = |message: u32| {
        let at = message as usize;
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        &texts[start as usize..ends[at] as usize]
    };
    sequence.sort_by(|&one, &other| key(one).cmp(key(other)));
    Ok(())
}
