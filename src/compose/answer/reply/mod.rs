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
    /// The mailing lists that the messages came by, and nobody else.
    Lists,
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
            Whom::Lists => {
                let lists = lists_of(block, rules, &mut gathered);
                to.extend(gathered.take(lists));
            }
        }
    }
    // A message that all of its own people have left still has an author.
    if to.is_empty() && cc.is_empty() && whom != Whom::Lists {
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
    let lists = match whom {
        Whom::Lists => to.iter().map(|list| list.address().to_string()).collect(),
        Whom::All | Whom::Authors => Vec::new(),
    };
    let request = Request {
        lists,
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

/// Returns the mailing lists of a message: the one that List-Post names (RFC 2369 section 3.4), and
/// those recipients that the user knows as lists.
fn lists_of(
    block: &[u8],
    rules: &PeopleRules<'_>,
    gathered: &mut Gathered<'_>,
) -> Vec<NamedAddress> {
    let header = fields::split_from_line(block).1;
    let posted = fields::find(header, "list-post").and_then(posting_address);
    let posted = posted.map(|address| gathered.of_list(&address));
    let mut lists = posted.unwrap_or_default();
    // A list may want its answers at another address of its own.
    if rules.heeds_reply_to
        && let [list] = &lists[..]
        && let [other] = &gathered.of_fields(header, "reply-to")[..]
    {
        let domain = |person: &NamedAddress| person.address().domain().map(str::to_lowercase);
        if domain(other) == domain(list) {
            lists = vec![other.clone()];
        }
    }
    for name in ["mail-followup-to", "reply-to", "to", "cc"] {
        if name == "mail-followup-to" && !rules.heeds_followup_to
            || name == "reply-to" && !rules.heeds_reply_to
        {
            continue;
        }
        let people = gathered.of_fields(header, name).into_iter();
        lists.extend(people.filter(|person| (rules.lists)(person.address().as_str())));
    }
    lists
}

/// Returns the address of a List-Post field: `<mailto:list@example.org?subject=x>`; `NO` forbids posting.
fn posting_address(body: &[u8]) -> Option<String> {
    // A URL is ASCII, and never an encoded word.
    let text = String::from_utf8_lossy(body);
    let mut urls = text
        .split('<')
        .skip(1)
        .filter_map(|url| url.split_once('>'));
    urls.find_map(|(url, _)| {
        let url = url.trim();
        let scheme = url.get(..7)?;
        let address = url
            .get(7..)
            .filter(|_| scheme.eq_ignore_ascii_case("mailto:"))?;
        let address = address.split('?').next().unwrap_or_default();
        // An escape such as %2B, and a list of addresses, are not taken for one address.
        (!address.contains(['%', ',', '"'])).then(|| address.to_owned())
    })
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
