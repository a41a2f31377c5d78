//! The people of a message as recipients of an answer to it.

use std::collections::HashSet;
use std::ffi::OsString;

use crate::address::{BareNames, EnvelopeAddress, MAX_RECIPIENTS, NamedAddress, parse_people};
use crate::message::parse::{FieldText, fields};
use crate::sanitize;

/// How many entries that are no addresses are told of.
const MAX_TOLD: usize = 10;

/// How the people of a message become recipients.
pub(crate) struct PeopleRules<'a> {
    /// The user's own names and addresses; case does not matter.
    pub own: &'a [String],
    /// Keep own addresses among the recipients of a reply to all (`metoo`).
    pub keeps_own: bool,
    /// Heed Reply-To (`reply-to-honour`).
    pub heeds_reply_to: bool,
    /// Heed Mail-Followup-To in replies to all (`followup-to-honour`).
    pub heeds_followup_to: bool,
    /// Keep the names beside the addresses (`fullnames`).
    pub full_names: bool,
    /// Put those of the To field into Cc (`recipients-in-cc`).
    pub recipients_in_cc: bool,
    /// What a bare name is on this host.
    pub names: BareNames<'a>,
    /// Whether an address is that of a mailing list that the user knows (`mlist`).
    pub lists: &'a dyn Fn(&str) -> bool,
}

/// People gathered from fields, each address once.
pub(super) struct Gathered<'a> {
    rules: &'a PeopleRules<'a>,
    own: HashSet<String>,
    /// Who is among the recipients already.
    known: HashSet<String>,
    /// Entries that are no addresses, safe to show.
    pub(super) left_out: Vec<String>,
    /// How many there were altogether.
    pub(super) left_out_count: usize,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(rules: &'a PeopleRules<'a>) -> Gathered<'a> {
        Gathered {
            rules,
            own: rules.own.iter().map(|name| name.to_lowercase()).collect(),
            known: HashSet::new(),
            left_out: Vec::new(),
            left_out_count: 0,
        }
    }

    /// Returns whether an address is the user's own.
    pub(super) fn is_own(&self, person: &NamedAddress) -> bool {
        self.own.contains(&key(person.address()))
    }

    /// Returns the people of all fields of that name.
    pub(super) fn of_fields(&mut self, header: &[u8], name: &str) -> Vec<NamedAddress> {
        let mut people = Vec::new();
        let text_of = FieldText::of(header);
        for field in fields::fields(header).filter(|field| field.is(name)) {
            if people.len() < MAX_RECIPIENTS {
                people.extend(self.of_list(&text_of.addresses(field.body)));
            }
        }
        people
    }

    /// Returns the people of a decoded list.
    pub(super) fn of_list(&mut self, text: &str) -> Vec<NamedAddress> {
        let mut people = Vec::new();
        // An empty field names nobody, and there is nothing to tell.
        if text.trim().is_empty() {
            return people;
        }
        for entry in parse_people(text, self.rules.names) {
            match entry {
                Ok(person) => people.push(person),
                Err(error) => {
                    self.left_out_count += 1;
                    if self.left_out.len() < MAX_TOLD {
                        let start: String = error.text.chars().take(100).collect();
                        let shown = sanitize::line(start.as_bytes()).into_owned();
                        self.left_out.push(shown);
                    }
                }
            }
        }
        people
    }

    /// Returns those who were not recipients before, and makes them such.
    pub(super) fn take(&mut self, people: Vec<NamedAddress>) -> Vec<NamedAddress> {
        let known = &mut self.known;
        people
            .into_iter()
            .filter(|person| known.insert(key(person.address())))
            .collect()
    }

    /// Returns those who are not the user, where own addresses are to be left out.
    pub(super) fn without_own(&self, people: Vec<NamedAddress>) -> Vec<NamedAddress> {
        if self.rules.keeps_own {
            return people;
        }
        people
            .into_iter()
            .filter(|person| !self.is_own(person))
            .collect()
    }

    /// Returns whom a message asks to answer: its Reply-To field if that is heeded and names
    /// somebody, else its author.
    pub(super) fn answered(&mut self, block: &[u8]) -> Vec<NamedAddress> {
        let header = fields::split_from_line(block).1;
        if self.rules.heeds_reply_to {
            let people = self.of_fields(header, "reply-to");
            if !people.is_empty() {
                return people;
            }
        }
        self.authors(block)
    }

    /// Returns the authors of a message; one without a usable From field has the sender of its From_
    /// line, as bsd-mailx takes it.
    pub(super) fn authors(&mut self, block: &[u8]) -> Vec<NamedAddress> {
        let (from_line, header) = fields::split_from_line(block);
        for name in ["from", "sender"] {
            let people = self.of_fields(header, name);
            if !people.is_empty() {
                return people;
            }
        }
        let sender = from_line.and_then(|line| {
            let rest = line.strip_prefix(b"From ")?;
            let word = rest.split(u8::is_ascii_whitespace).next()?;
            EnvelopeAddress::new(String::from_utf8_lossy(word)).ok()
        });
        sender.map(NamedAddress::from).into_iter().collect()
    }
}

/// Returns an address as it is compared: case does not matter in practice, and a domain has two
/// spellings.
fn key(address: &EnvelopeAddress) -> String {
    address.with_ascii_domain().as_str().to_lowercase()
}

/// Returns a person as an entry of a recipient list, which gives the same person when it is parsed.
pub(super) fn entry(person: &NamedAddress, full_names: bool) -> OsString {
    let address = person.address();
    match person.name().filter(|_| full_names) {
        Some(name) => {
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{name}\" <{address}>").into()
        }
        None => address.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{BareName, parse_list};

    #[test]
    fn an_entry_gives_the_same_person_again() {
        for text in [
            "a@x.org",
            "root",
            "Ada <a@x.org>",
            "\"Doe, John\" <j@x.org>",
            "\"a \\\"b\\\" \\\\c\" <q@x.org>",
            "\"a,b\"@x.org",
            "\"x <y@z>\" <a@x.org>",
            "user@[IPv6:2001:db8::1]",
            "\"( ; :\" <a@x.org>",
            "a!b@x.org",
        ] {
            let parsed = parse_list(text);
            let person = parsed[0].as_ref().expect(text);
            let again = entry(person, true);
            let again = parse_list(again.to_str().unwrap());
            assert_eq!(again, parsed, "{text}");
        }
    }

    #[test]
    fn the_author_is_found_wherever_a_message_names_one() {
        for (block, expected) in [
            ("From: Ada <a@x>\n\n", Some("a@x")),
            (
                "From b@y Mon Nov 16 09:00:00 2026\nSubject: x\n\n",
                Some("b@y"),
            ),
            (
                "From b@y Mon Nov 16 09:00:00 2026\nFrom: a@x\n\n",
                Some("a@x"),
            ),
            ("From: \nSender: s@x\n\n", Some("s@x")),
            ("From: |rm\nSubject: x\n\n", None),
            ("From: undisclosed-recipients:;\n\n", None),
            (
                "From MAILER-DAEMON Mon Nov 16 09:00:00 2026\n\n",
                Some("MAILER-DAEMON"),
            ),
            ("Subject: x\n\n", None),
        ] {
            let rules = PeopleRules {
                own: &[],
                keeps_own: true,
                heeds_reply_to: false,
                heeds_followup_to: false,
                full_names: true,
                recipients_in_cc: false,
                names: &|_| BareName::Unknown,
                lists: &|_| false,
            };
            let authors = Gathered::new(&rules).authors(block.as_bytes());
            let found = authors.first().map(|person| person.address().to_string());
            assert_eq!(found.as_deref(), expected, "{block}");
        }
    }
}
