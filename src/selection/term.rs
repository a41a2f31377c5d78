//! One thing that a message is asked: its number, a flag, a text in a field, a date, a size.

use std::cell::OnceCell;
use std::ops::Range;
use std::time::SystemTime;

use super::flags::FlagChoice;
use super::index::{Index, View};
use super::needle::Needle;
use super::when::delivered;
use crate::message::parse::{FieldText, each_searched_text, fields};

/// One thing that a message is asked.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    /// Its place in the order is in one of these ranges, which are sorted and apart from each other.
    Numbers(Vec<Range<usize>>),
    /// It has one of these flags.
    States(Vec<FlagChoice>),
    /// The sender, as header lines show it, contains this.
    Sender(Needle),
    /// The local part of the sender is this (`allnet`).
    LocalSender(String),
    /// One of these fields, in lower case, contains this.
    Field(Vec<String>, Needle),
    /// An address in one of these fields matches this.
    Address(Vec<String>, Needle),
    /// One of these fields is there.
    Exists(Vec<String>),
    /// Any header field, its name included, contains this.
    Header(Needle),
    /// The decoded text contains this.
    Body(Needle),
    /// The header or the decoded text contains this.
    Text(Needle),
    /// It was delivered at the first time or later, and before the second one.
    Delivered(Option<SystemTime>, Option<SystemTime>),
    /// It has more bytes.
    Larger(u64),
    /// It has fewer bytes.
    Smaller(u64),
}

impl Term {
    /// Returns how much the question costs: nothing, the header, or the whole message.
    pub(super) fn cost(&self) -> u8 {
        match self {
            Term::Numbers(_) | Term::States(_) | Term::Larger(_) | Term::Smaller(_) => 0,
            Term::Body(_) | Term::Text(_) => 2,
            _ => 1,
        }
    }

    /// Returns whether it asks for deleted messages, which every other question passes over.
    pub(super) fn asks_for_deleted(&self) -> bool {
        matches!(self, Term::States(choices) if choices.contains(&FlagChoice::Deleted))
    }

    /// Returns whether a message answers the question.
    pub(super) fn matches(&self, seen: &Seen<'_>) -> bool {
        let index = seen.view.index;
        match self {
            Term::Numbers(ranges) => {
                let before = ranges.partition_point(|range| range.end <= seen.place);
                ranges
                    .get(before)
                    .is_some_and(|range| range.contains(&seen.place))
            }
            Term::States(choices) => choices.iter().any(|&choice| {
                // `:d` asks for deleted messages, so it sees what every other word passes over.
                let is_seen = choice == FlagChoice::Deleted || !seen.view.is_hidden(seen.message);
                is_seen && index.has_flags(seen.message, choice)
            }),
            Term::Sender(needle) => needle.is_in(&index.sender(seen.block())),
            Term::LocalSender(wanted) => {
                local(&index.sender(seen.block())).eq_ignore_ascii_case(wanted)
            }
            Term::Field(names, needle) => {
                let text_of = FieldText::of(seen.header());
                let found = seen
                    .fields(names)
                    .any(|field| needle.is_in(&text_of.value(&field)));
                // Without a From field the sender is the one of the From_ line.
                found
                    || names.iter().any(|name| name == "from")
                        && needle.is_in(&index.sender(seen.block()))
            }
            Term::Address(names, needle) => {
                let text_of = FieldText::of(seen.header());
                seen.fields(names).any(|field| {
                    let text = text_of.value(&field);
                    addresses(&text).any(|address| needle.is_in(address))
                })
            }
            Term::Exists(names) => seen.fields(names).next().is_some(),
            Term::Header(needle) => seen.has_in_header(needle),
            Term::Body(needle) => seen.has_in_text(needle),
            Term::Text(needle) => seen.has_in_header(needle) || seen.has_in_text(needle),
            Term::Delivered(since, before) => seen.delivered().is_some_and(|time| {
                since.is_none_or(|since| time >= since) && before.is_none_or(|before| time < before)
            }),
            Term::Larger(size) => index.size(seen.message) > *size,
            Term::Smaller(size) => index.size(seen.message) < *size,
        }
    }
}

/// A message that questions are asked of; what was read for one serves the others.
pub(super) struct Seen<'i> {
    pub(super) view: View<'i>,
    pub(super) message: usize,
    pub(super) place: usize,
    block: OnceCell<Vec<u8>>,
    content: OnceCell<Vec<u8>>,
}

impl<'i> Seen<'i> {
    /// Returns the message at a place.
    pub(super) fn at(view: View<'i>, place: usize) -> Seen<'i> {
        Seen {
            view,
            message: view.at(place),
            place,
            block: OnceCell::new(),
            content: OnceCell::new(),
        }
    }

    /// Returns the From_ line and header block.
    fn block(&self) -> &[u8] {
        let index: &dyn Index = self.view.index;
        self.block.get_or_init(|| index.block(self.message))
    }

    fn header(&self) -> &[u8] {
        fields::split_from_line(self.block()).1
    }

    /// Returns the fields of these names; without names all of them.
    fn fields<'s>(&'s self, names: &'s [String]) -> impl Iterator<Item = fields::Field<'s>> {
        fields::fields(self.header()).filter(|field| names.iter().any(|name| field.is(name)))
    }

    fn has_in_header(&self, needle: &Needle) -> bool {
        let text_of = FieldText::of(self.header());
        fields::fields(self.header()).any(|field| {
            let name = String::from_utf8_lossy(field.name);
            needle.is_in(&format!("{name}: {}", text_of.value(&field)))
        })
    }

    fn has_in_text(&self, needle: &Needle) -> bool {
        let index = self.view.index;
        let content = self.content.get_or_init(|| index.content(self.message));
        let content = fields::split_from_line(content).1;
        each_searched_text(content, &mut |text| needle.is_in(text))
    }

    /// Returns when the message was delivered.
    ///
    /// The From_ line says it, in local time unless it names a zone; the sender's own Date field
    /// counts only where there is no such line.
    fn delivered(&self) -> Option<SystemTime> {
        delivered(self.block())
    }
}

/// Returns the bare addresses of a decoded list: what stands between angle brackets, else the entry.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(|entry| {
        let inner = entry
            .rsplit_once('<')
            .map(|(_, inner)| inner.split('>').next().unwrap_or(inner));
        inner.unwrap_or(entry).trim()
    })
}

/// Returns the part of an address before its domain.
pub(super) fn local(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}
