//! The people that a header names, and how they change on the way to a relay.
//!
//! [`Header`] is the header of a draft before a route adds to it. [`Header::people`] shows its
//! address fields to those who decide (`submission::relayed`), and [`Header::change`] does what they
//! decided.

use std::borrow::Cow;

use super::fields::{complete, fields};
use crate::address::{NamedAddress, parse_list};
use crate::compose::Draft;
use crate::message::premade::PremadeHeader;
use crate::message::{self, FieldBody, Fields, HeaderName};

/// The header of a draft, before a route adds to it.
pub(crate) enum Header {
    /// Of a message that we compose.
    Made(Fields),
    /// Of a message that somebody else composed, with what it lacks.
    Premade(PremadeHeader),
}

/// An address field, or a field that tells an address.
#[derive(Debug)]
pub(crate) struct PeopleField<'a> {
    /// Its place in the header.
    pub place: usize,
    /// Its name, as it is written.
    pub name: Cow<'a, str>,
    /// What it says.
    pub people: People<'a>,
}

impl PeopleField<'_> {
    /// Returns whether this is the field of that name, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// What an address field says.
#[derive(Debug)]
pub(crate) enum People<'a> {
    /// No address, and no group either.
    Nobody,
    /// These, or a group without members.
    List(Cow<'a, [NamedAddress]>),
    /// Several words and no address, and the names of this host that they are if they are a list:
    /// `root ops`, `Cron Daemon`.
    Words(String, Vec<NamedAddress>),
    /// A text that is no list of addresses, and the addresses in it.
    Text(String, Vec<NamedAddress>),
}

/// A change of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where the field is; `None` for a new one.
    pub place: Option<usize>,
    /// Its name.
    pub name: &'static str,
    /// What it says from now on; `None` where it is left out.
    pub people: Option<Vec<NamedAddress>>,
}

impl Header {
    /// Returns the header of a draft.
    pub(crate) fn of(draft: &Draft) -> Header {
        match &draft.premade {
            Some(own) => {
                let mut header = own.clone();
                complete(&mut header, draft);
                Header::Premade(header)
            }
            None => Header::Made(fields(draft)),
        }
    }

    /// Returns the address fields in order, and Return-Path fields.
    pub(crate) fn people(&self) -> Vec<PeopleField<'_>> {
        match self {
            Header::Made(fields) => fields
                .iter()
                .enumerate()
                .filter_map(|(place, (name, body))| {
                    let people = match body {
                        FieldBody::Addresses(list) => People::List(Cow::Borrowed(list)),
                        FieldBody::Text(text) if name.is("Return-Path") => {
                            People::of(text.as_str())
                        }
                        FieldBody::Text(_) => return None,
                    };
                    let name = Cow::Borrowed(name.as_str());
                    Some(PeopleField {
                        place,
                        name,
                        people,
                    })
                })
                .collect(),
            Header::Premade(header) => header
                .iter()
                .enumerate()
                .filter(|(_, field)| {
                    message::holds_addresses(field.name().as_bytes()) || field.is("Return-Path")
                })
                .map(|(place, field)| PeopleField {
                    place,
                    name: Cow::Borrowed(field.name()),
                    people: People::of(&message::decode_text(&field.value())),
                })
                .collect(),
        }
    }

    /// Makes these changes, which [`Header::people`] was asked for.
    pub(crate) fn change(&mut self, changes: &[Change]) {
        match self {
            Header::Made(fields) => change_made(fields, changes),
            Header::Premade(header) => change_premade(header, changes),
        }
    }
}

impl People<'_> {
    fn of(text: &str) -> People<'static> {
        if message::names_nobody(text) {
            return People::Nobody;
        }
        let entries = parse_list(text);
        let len = entries.len();
        let list: Vec<NamedAddress> = entries.into_iter().flatten().collect();
        if list.len() != len {
            People::Text(text.trim().to_owned(), list)
        } else if len > 1 && !text.contains(['@', '<', '(', ',', ';', ':']) {
            People::Words(text.trim().to_owned(), list)
        } else {
            People::List(Cow::Owned(list))
        }
    }
}

fn change_made(fields: &mut Fields, changes: &[Change]) {
    let made = std::mem::take(fields).into_vec().into_iter();
    let mut made: Vec<Option<(HeaderName, FieldBody)>> = made.map(Some).collect();
    for change in changes {
        if let Some(place) = change.place {
            let name = made[place].take().map(|(name, _)| name);
            made[place] = name.zip(change.people.clone().map(FieldBody::Addresses));
        }
    }
    let mut made: Vec<(HeaderName, FieldBody)> = made.into_iter().flatten().collect();
    for change in changes.iter().filter(|change| change.place.is_none()) {
        let Some(people) = &change.people else {
            continue;
        };
        // The senders stand together, in the order in which they are written otherwise.
        let before = ["From", "Sender", "Reply-To"];
        let before = before.iter().take_while(|name| **name != change.name);
        let before: Vec<&&str> = before.collect();
        let place = made
            .iter()
            .rposition(|(name, _)| before.iter().any(|known| name.is(known)));
        let field = (
            HeaderName::known(change.name),
            FieldBody::Addresses(people.clone()),
        );
        made.insert(place.map_or(0, |place| place + 1), field);
    }
    for (name, body) in made {
        fields.append(name, body);
    }
}

fn change_premade(header: &mut PremadeHeader, changes: &[Change]) {
    for change in changes {
        match (change.place, &change.people) {
            (Some(place), Some(people)) => header.replace(place, people.clone()),
            (None, Some(people)) => header.append(HeaderName::known(change.name), people.clone()),
            (_, None) => {}
        }
    }
    // Last, since they shift the places of the others.
    let removed = changes.iter().filter(|change| change.people.is_none());
    let mut removed: Vec<usize> = removed.filter_map(|change| change.place).collect();
    removed.sort_unstable();
    header.remove_places(&removed);
}
