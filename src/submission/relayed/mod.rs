//! What a relay may see of the people of a mail.
//!
//! Relays of providers take mail from few senders, and often from one. What programs of this host
//! write (`From: root (Cron Daemon)`, `-f root`) is none of them, so `from` and `sender` stand in its
//! place, in the envelope and in the header. An address that somebody gave on purpose stays, unless
//! `from-force` says that the relay takes no other sender.
//!
//! Only decides: [`Header::change`] makes the changes, and `report::explain` tells them.

use std::collections::HashSet;

use super::identity::Identity;
use super::members::AliasMembers;
use crate::address::{EnvelopeAddress, NamedAddress, ReversePath};
use crate::compose::Draft;
use crate::compose::render::{Change, Header, People, PeopleField};
use crate::config::Settings;
use crate::exit::Failure;
use crate::message::{HeaderValue, address_field};

mod senders;

#[cfg(test)]
mod tests;

use senders::Senders;

/// The envelope sender and the changes of the header for mail that goes to a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// The envelope sender.
    pub envelope: ReversePath,
    /// The changes of the header.
    pub changes: Vec<Change>,
    /// Every change and why, for people.
    pub rewritings: Vec<Rewriting>,
    /// A sender that was given for this message and stays beside `from`.
    pub given: Option<EnvelopeAddress>,
}

/// A change and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// What changes: `envelope sender`, or a header field.
    pub what: String,
    /// What it said; empty where there was nothing.
    pub old: String,
    /// What it says now; empty where it is left out.
    pub new: String,
    /// Why, as an English clause.
    pub why: String,
}

/// Finds what a relay may see of a draft. `members` says what the names of this
/// host stand for.
///
/// # Errors
/// As [`Senders::read`].
pub(super) fn relayed(
    draft: &Draft,
    identity: &Identity,
    settings: &Settings,
    members: &AliasMembers<'_>,
) -> Result<Relayed, Failure> {
    let senders = Senders::read(settings, identity)?;
    let header = Header::of(draft);
    let fields = header.people();
    let mut rewriter = Rewriter {
        draft,
        identity,
        senders: &senders,
        members,
        answers: Vec::new(),
        changes: Vec::new(),
        rewritings: Vec::new(),
    };
    let envelope = rewriter.envelope();
    let from = rewriter.from(&fields);
    let given = envelope.address().into_iter();
    let mut given = given.chain(from.iter().map(NamedAddress::address));
    let given = given.find(|address| !senders.from.is_empty() && !rewriter.is_configured(address));
    let given = given.cloned();
    rewriter.sender(&fields, &from, &envelope);
    rewriter.reply_to(&fields);
    for field in &fields {
        rewriter.other(field);
    }
    Ok(Relayed {
        envelope,
        changes: rewriter.changes,
        rewritings: rewriter.rewritings,
        given,
    })
}

struct Rewriter<'a> {
    draft: &'a Draft,
    identity: &'a Identity,
    senders: &'a Senders,
    members: &'a AliasMembers<'a>,
    /// Authors who gave way to `from` and take answers all the same.
    answers: Vec<NamedAddress>,
    changes: Vec<Change>,
    rewritings: Vec<Rewriting>,
}

impl Rewriter<'_> {
    /// Returns the envelope sender.
    fn envelope(&mut self) -> ReversePath {
        let old = self.draft.envelope_sender.as_ref();
        let configured = self.senders.sender.as_ref().or(self.senders.from.first());
        let configured = configured.map(|named| self.identity.qualified(named.address()));
        let new = match (old, &configured) {
            // A report, which must not cause another one: whatever the relay wants.
            (Some(ReversePath::Null), _) => return ReversePath::Null,
            (Some(ReversePath::Address(old)), Some(_)) if !self.gives_way(old) => {
                self.identity.qualified(old)
            }
            (_, Some(configured)) => configured.clone(),
            (Some(ReversePath::Address(old)), None) => self.identity.qualified(old),
            (None, None) => self.identity.default_sender(true, &self.draft.login_name()),
        };
        if let Some(ReversePath::Address(old)) = old
            && *old != new
        {
            let why = self.why(old);
            self.note("envelope sender", old.as_str(), new.as_str(), &why);
        } else if old.is_none() && configured.is_some() {
            let why = format!("none was given, and {}", self.senders.why);
            self.note("envelope sender", "", new.as_str(), &why);
        }
        ReversePath::Address(new)
    }

    /// Returns whether a sender gives way to the configured one.
    fn gives_way(&self, address: &EnvelopeAddress) -> bool {
        let is_bare = self.identity.is_bare(address);
        // A configured sender is right as it is, even if it is a name of this host.
        !self.is_configured(address) && (is_bare || self.senders.is_only)
    }

    fn is_configured(&self, address: &EnvelopeAddress) -> bool {
        let same = |known: &EnvelopeAddress| {
            let of = |one: &EnvelopeAddress| self.identity.qualified(one).with_ascii_domain();
            let (known, found) = (of(known), of(address));
            let domains = (known.domain(), found.domain());
            known.local_part() == found.local_part()
                && matches!(domains, (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
        };
        let configured = self.senders.from.iter().chain(&self.senders.sender);
        configured.map(NamedAddress::address).any(same)
    }

    /// Returns why a sender gives way, or is qualified.
    fn why(&self, old: &EnvelopeAddress) -> String {
        let what = match old.domain() {
            None => "it has no domain",
            Some(_) if self.identity.is_bare(old) => "it names no host but this one",
            Some(_) => return self.senders.why.clone(),
        };
        match self.senders.why.as_str() {
            "" => what.to_owned(),
            why => format!("{what}, and {why}"),
        }
    }

    /// Decides about the From field; returns what it says in the end.
    fn from(&mut self, fields: &[PeopleField<'_>]) -> Vec<NamedAddress> {
        let field = fields.iter().find(|field| field.is("From"));
        let place = field.map(|field| field.place);
        let is_ours = !self.senders.from.is_empty();
        let nobody = (String::new(), Vec::new(), None);
        let (old, list, name) = match field.map(|field| &field.people) {
            None | Some(People::Nobody) => nobody,
            Some(People::List(list)) => (shown(list), list.to_vec(), None),
            // `From: Cron Daemon` is a name, and no list of two accounts.
            Some(People::Words(text, _)) if is_ours => (text.clone(), Vec::new(), Some(text)),
            Some(People::Words(text, list)) => (text.clone(), list.clone(), None),
            // Without a sender to put there it is not ours to mend.
            Some(People::Text(_, list)) if !is_ours => return list.clone(),
            Some(People::Text(text, list)) if text.contains(['@', '<']) => {
                (text.clone(), list.clone(), None)
            }
            Some(People::Text(text, _)) => (text.clone(), Vec::new(), Some(text)),
        };
        let name = name.map(String::as_str);
        let new = if list.is_empty() {
            self.missing_from(name)
        } else {
            self.authors(&list)
        };
        if place.is_none() || new != list {
            let gives_way = list.iter().find(|author| self.gives_way(author.address()));
            let is_bare = || list.iter().find(|one| self.identity.is_bare(one.address()));
            let why = match (gives_way.or_else(is_bare), self.senders.why.as_str()) {
                (Some(author), _) => self.why(author.address()),
                (None, "") => "the message names no author".to_owned(),
                (None, why) => format!("the message names no author, and {why}"),
            };
            self.change(place, "From", &old, Some(new.clone()), &why);
        }
        new
    }

    /// Returns the From field of a message that names no author; `name` is a name in its place.
    fn missing_from(&mut self, name: Option<&str>) -> Vec<NamedAddress> {
        let full_name = self.draft.full_name.as_ref().map(HeaderValue::as_str);
        let name = full_name.or(name);
        // As every sendmail has it, the envelope sender is the author.
        if let Some(author) = self.draft.envelope_author() {
            let author = NamedAddress::new(name, author.address().clone());
            return self.authors(&[author]);
        }
        let is_known = name.is_some() || self.draft.is_handed_over;
        match self.senders.from.as_slice() {
            [] => vec![
                self.identity
                    .default_from(true, &self.draft.login_name(), full_name),
            ],
            [from] if is_known => vec![self.named(name, &self.draft.login_name(), from)],
            from => self.qualified(from),
        }
    }

    /// Returns what becomes of the authors of a message.
    fn authors(&mut self, list: &[NamedAddress]) -> Vec<NamedAddress> {
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for author in list {
            let address = author.address();
            let instead = if !self.gives_way(address) {
                self.qualified(std::slice::from_ref(author))
            } else {
                match self.senders.from.as_slice() {
                    [] => self.qualified(std::slice::from_ref(author)),
                    [from] => {
                        self.take_answers(author);
                        vec![self.named(author.name(), address.local_part(), from)]
                    }
                    from => {
                        self.take_answers(author);
                        self.qualified(from)
                    }
                }
            };
            new.extend(
                instead
                    .into_iter()
                    .filter(|named| seen.insert(named.address().clone())),
            );
        }
        new
    }

    /// Keeps an author who gave way for the Reply-To field, if answers reach that address.
    fn take_answers(&mut self, author: &NamedAddress) {
        let address = author.address();
        let domain = address.domain().unwrap_or_default();
        // A name of this host that is a domain of the configured sender, too, takes mail.
        let is_of_from = self.senders.from.iter().any(|from| {
            let from = from.address().domain();
            from.is_some_and(|from| from.contains('.') && from.eq_ignore_ascii_case(domain))
        });
        if !self.identity.is_bare(address) || is_of_from {
            self.answers.push(author.clone());
        }
    }

    /// Returns a configured sender with the display name for one that gave way to it.
    fn named(&self, name: Option<&str>, login: &str, from: &NamedAddress) -> NamedAddress {
        let name = match (name, self.identity.name_of(login), from.name()) {
            (Some(name), _, _) => name.to_owned(),
            (None, Some(made), _) => made,
            (None, None, Some(name)) => name.to_owned(),
            (None, None, None) => self.identity.name_with_host(login),
        };
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        NamedAddress::new(name, self.identity.qualified(from.address()))
    }

    fn qualified(&self, list: &[NamedAddress]) -> Vec<NamedAddress> {
        let qualified = |named: &NamedAddress| {
            let address = self.identity.qualified(named.address());
            named.clone().with_address(address)
        };
        list.iter().map(qualified).collect()
    }

    /// Decides about the Sender field.
    fn sender(
        &mut self,
        fields: &[PeopleField<'_>],
        from: &[NamedAddress],
        envelope: &ReversePath,
    ) {
        let field = fields.iter().find(|field| field.is("Sender"));
        let place = field.map(|field| field.place);
        let configured = self.senders.sender.as_ref().or(self.senders.from.first());
        let configured = configured.map(|named| self.qualified(std::slice::from_ref(named)));
        let old = match field.map(|field| &field.people) {
            None => None,
            // An empty one is dropped where no other takes its place.
            Some(People::Nobody) => None,
            Some(People::List(list)) => list.first().cloned(),
            Some(People::Words(_, list)) => list.first().cloned(),
            Some(People::Text(..)) if configured.is_none() => return,
            Some(People::Text(_, list)) => list.first().cloned(),
        };
        let is_only_author = |sender: &[NamedAddress]| {
            let address = sender.first().map(NamedAddress::address);
            from.len() == 1 && from.first().map(NamedAddress::address) == address
        };
        let (new, why) = match (&old, configured) {
            (Some(old), Some(configured)) if self.gives_way(old.address()) => {
                let address = old.address();
                let new = match configured.as_slice() {
                    [one] => vec![self.named(old.name(), address.local_part(), one)],
                    _ => configured,
                };
                // RFC 5322 section 3.6.2: a Sender field that repeats the author is not written. Of a
                // name of this host it may tell another one, as the drop directory has it.
                let is_repeated = is_only_author(&new)
                    && (!self.identity.is_bare(address) || new.first() == from.first());
                ((!is_repeated).then_some(new), self.why(address))
            }
            (Some(old), _) => {
                let new = self.qualified(std::slice::from_ref(old));
                (Some(new), self.why(old.address()))
            }
            (None, Some(configured)) if self.senders.sender.is_some() => {
                let why = self.senders.why.clone();
                let is_needed = !is_only_author(&configured);
                (is_needed.then_some(configured), why)
            }
            // RFC 5322 section 3.6.2: of several authors one is the sender.
            (None, Some(_)) if from.len() > 1 => {
                let sender = envelope.address().cloned().map(NamedAddress::from);
                let sender = sender.or_else(|| from.first().cloned());
                let why = "the message has more than one author".to_owned();
                (sender.map(|sender| vec![sender]), why)
            }
            (None, _) => (None, "it is empty".to_owned()),
        };
        let old: Vec<NamedAddress> = old.into_iter().collect();
        let is_changed = match &new {
            Some(new) => *new != old,
            None => place.is_some(),
        };
        if is_changed {
            self.change(place, "Sender", &shown(&old), new, &why);
        }
    }

    /// Lets those authors have the answers who gave way to the configured sender.
    fn reply_to(&mut self, fields: &[PeopleField<'_>]) {
        // A sender of the envelope alone was the author that a sendmail would have written.
        if self.answers.is_empty()
            && let Some(ReversePath::Address(sender)) = &self.draft.envelope_sender
            && self.gives_way(sender)
        {
            let sender = NamedAddress::from(sender.clone());
            self.take_answers(&sender);
        }
        let is_there = fields
            .iter()
            .any(|field| field.is("Reply-To") && !matches!(field.people, People::Nobody));
        // Who wrote a Reply-To field did not want the answers to go to the author.
        if is_there || self.answers.is_empty() {
            return;
        }
        let answers = std::mem::take(&mut self.answers);
        let why = "answers go to the author whom the message named".to_owned();
        self.change(None, "Reply-To", "", Some(answers), &why);
    }

    /// Decides about a field that does not name the sender of this message.
    fn other(&mut self, field: &PeopleField<'_>) {
        let place = Some(field.place);
        if field.is("Return-Path") {
            // RFC 5321 section 4.4: the last host writes it. Some providers judge it as a sender.
            let why = "the host that delivers the message writes it";
            return self.change(place, "Return-Path", &text_of(field), None, why);
        }
        let name = match address_field(field.name.as_bytes()) {
            // The senders are decided about together, and blind copies leave with no message.
            None | Some("From" | "Sender" | "Bcc" | "Resent-Bcc") => return,
            Some(name) => name,
        };
        let list = match &field.people {
            People::Nobody => return self.change(place, name, "", None, "it is empty"),
            // A field that is no list of addresses is not ours to mend.
            People::Text(..) => return,
            People::List(list) => &**list,
            People::Words(_, list) => list,
        };
        let is_sender = matches!(name, "Resent-From" | "Resent-Sender");
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        let mut first_changed = None;
        for named in list.iter() {
            let instead = match self.senders.from.as_slice() {
                [from, ..] if is_sender && self.is_to_replace(named) => {
                    let login = named.address().local_part();
                    vec![self.named(named.name(), login, from)]
                }
                _ if is_sender => self.qualified(std::slice::from_ref(named)),
                _ => self.recipient(named),
            };
            if instead != [named.clone()] {
                first_changed.get_or_insert(named);
            }
            new.extend(instead);
        }
        let Some(changed) = first_changed else {
            return;
        };
        new.retain(|named| seen.insert(named.address().clone()));
        let why = if is_sender {
            self.why(changed.address())
        } else {
            self.why_of_recipient(changed)
        };
        self.change(place, name, &shown(list), Some(new), &why);
    }

    /// Returns whether somebody who sent a message again gives way. Full addresses always stay: the
    /// block may be of another host.
    fn is_to_replace(&self, named: &NamedAddress) -> bool {
        self.identity.is_bare(named.address()) && !self.is_configured(named.address())
    }

    /// Returns whether header fields show the members of aliases: without a configured sender the
    /// header stays as it was before there was one.
    fn follows_aliases(&self) -> bool {
        !self.senders.why.is_empty()
    }

    /// Returns why a recipient is written otherwise.
    fn why_of_recipient(&self, named: &NamedAddress) -> String {
        let address = named.address();
        let members = self.recipient(named);
        let is_alias = match members.as_slice() {
            [member] => member.address().local_part() != address.local_part(),
            _ => true,
        };
        if is_alias {
            format!("{address} is an alias")
        } else if address.is_local_name() {
            "it has no domain".to_owned()
        } else {
            "it names no host but this one".to_owned()
        }
    }

    /// Returns what a relay may see of a recipient.
    fn recipient(&self, named: &NamedAddress) -> Vec<NamedAddress> {
        let address = named.address();
        if !self.identity.is_bare(address) {
            return vec![named.clone()];
        }
        let members = self.follows_aliases().then(|| self.members.of(named));
        match members.flatten() {
            Some(members) => {
                let mut members = self.qualified(&members);
                if let ([member], Some(name)) = (members.as_mut_slice(), named.name())
                    && member.name().is_none()
                {
                    *member = NamedAddress::new(Some(name), member.address().clone());
                }
                members
            }
            None => self.qualified(std::slice::from_ref(named)),
        }
    }

    fn change(
        &mut self,
        place: Option<usize>,
        name: &'static str,
        old: &str,
        people: Option<Vec<NamedAddress>>,
        why: &str,
    ) {
        let new = people.as_deref().map(shown).unwrap_or_default();
        self.note(&format!("{name} field"), old, &new, why);
        self.changes.push(Change {
            place,
            name,
            people,
        });
    }

    fn note(&mut self, what: &str, old: &str, new: &str, why: &str) {
        self.rewritings.push(Rewriting {
            what: what.to_owned(),
            old: shortened(old),
            new: shortened(new),
            why: shortened(why),
        });
    }
}

/// The longest list of addresses that is told whole.
const MAX_SHOWN: usize = 20;

fn shown(list: &[NamedAddress]) -> String {
    let mut text: Vec<String> = list
        .iter()
        .take(MAX_SHOWN)
        .map(ToString::to_string)
        .collect();
    if let Some(more) = list.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        text.push(format!("{more} more"));
    }
    text.join(", ")
}

/// Returns the beginning of a text that the message chooses: a field may have a megabyte.
fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 1000;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn text_of(field: &PeopleField<'_>) -> String {
    match &field.people {
        People::Nobody => "<>".to_owned(),
        People::List(list) => shown(list),
        People::Words(text, _) | People::Text(text, _) => text.clone(),
    }
}
