//! A reply: who gets it, under which subject, and what it answers.

use std::ffi::OsString;

use super::people::{Gathered, PeopleRules, entry};
use super::{references, subject};
use crate::address::NamedAddress;
use crate::compose::request::Request;
use crate::message::parse::fields;

/// Who gets a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Those who wrote the messages.
    Authors,
    /// They and all recipients.
    All,
}

/// A reply before its text: the request, and what is to be told.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Recipients, subject and the fields that name what is answered. It has no recipient if the
    /// messages name none.
    pub request: Request,
    /// Entries of the messages' fields that are no addresses, safe to show; the first ones.
    pub left_out: Vec<String>,
    /// How many such entries there are.
    pub left_out_count: usize,
}

/// Returns a reply to messages with these header blocks, each with its From_ line if it has one.
///
/// The subject is that of the first message (POSIX `Reply`). To are the authors, or whom Reply-To
/// names in their place. A reply to all goes to the other people of the To and Cc fields as well, each
/// in the field where they were, without the user; or only to those of Mail-Followup-To. Where
/// nobody would be left the author stays, even if that is the user.
pub(crate) fn reply(blocks: &[&[u8]], whom: Whom, rules: &PeopleRules<'_>) -> Answer {
    let mut gathered = Gathered::new(rules);
    let (mut to, mut cc) = (Vec::new(), Vec::new());
    for block in blocks {
        match whom {
            Whom::Authors => {
                let people = gathered.answered(block);
                to.extend(gathered.take(people));
            }
            Whom::All => all_of(block, rules, &mut gathered, &mut to, &mut cc),
        }
    }
    // A message that all of its own people have left still has an author.
    if to.is_empty() && cc.is_empty() {
        for block in blocks {
            let people = gathered.answered(block);
            to.extend(gathered.take(people));
        }
    }
    // A mail has somebody to go to: who was only to get a copy gets it.
    if to.is_empty() {
        to = std::mem::take(&mut cc);
    }
    let headers: Vec<&[u8]> = blocks
        .iter()
        .map(|block| fields::split_from_line(block).1)
        .collect();
    let entries = |people: &[NamedAddress]| -> Vec<OsString> {
        let entries = people.iter();
        entries
            .map(|person| entry(person, rules.full_names))
            .collect()
    };
    let bare = to.iter().chain(&cc).map(NamedAddress::address);
    let bare = bare.filter(|address| address.is_local_name());
    let request = Request {
        to: entries(&to),
        cc: entries(&cc),
        received_names: bare.map(|address| address.as_str().to_owned()).collect(),
        subject: headers
            .first()
            .map(|header| subject::of_reply(header).into()),
        headers: references::fields_of_reply(&headers)
            .into_iter()
            .map(OsString::from)
            .collect(),
        ..Request::default()
    };
    Answer {
        request,
        left_out: gathered.left_out,
        left_out_count: gathered.left_out_count,
    }
}

/// Adds the recipients of a reply to all.
fn all_of(
    block: &[u8],
    rules: &PeopleRules<'_>,
    gathered: &mut Gathered<'_>,
    to: &mut Vec<NamedAddress>,
    cc: &mut Vec<NamedAddress>,
) {
    let header = fields::split_from_line(block).1;
    if rules.heeds_followup_to {
        let people = gathered.of_fields(header, "mail-followup-to");
        let others = gathered.without_own(people);
        if !others.is_empty() {
            to.extend(gathered.take(others));
            return;
        }
    }
    let authors = gathered.answered(block);
    let authors = gathered.without_own(authors);
    to.extend(gathered.take(authors));
    let direct = gathered.of_fields(header, "to");
    let direct = gathered.without_own(direct);
    let direct = gathered.take(direct);
    if rules.recipients_in_cc {
        cc.extend(direct);
    } else {
        to.extend(direct);
    }
    let copied = gathered.of_fields(header, "cc");
    let copied = gathered.without_own(copied);
    cc.extend(gathered.take(copied));
}

#[cfg(test)]
mod tests;
