//! The field Mail-Followup-To of a mail to mailing lists: where answers to all go.

use std::collections::HashSet;

use super::Composer;
use super::request::Request;
use crate::address::NamedAddress;
use crate::message::{FieldBody, HeaderName};

const NAME: &str = "Mail-Followup-To";

impl Composer<'_> {
    /// Adds the field Mail-Followup-To where the mail goes to a mailing list that the user knows and
    /// `followup-to` is set, or where it replies to a list.
    ///
    /// It names the recipients without the user, who gets the answers by the lists that he has
    /// subscribed to; where he has not subscribed to one of them, he is named too. Without `from` his
    /// address is not known, and such a mail has no field, as in s-nail.
    pub(super) fn followup_to(&mut self, request: &Request) {
        let settings = self.settings;
        if request.lists.is_empty() && !settings.is_set("followup-to") {
            return;
        }
        let lists = settings.lists.finder();
        let replied: HashSet<String> = request.lists.iter().map(|list| key(list)).collect();
        let draft = &self.composed.draft;
        // The reader of the field counts what was asked for by hand.
        if draft.premade.is_some() || draft.fields.iter().any(|(name, _)| name.is(NAME)) {
            return;
        }
        let people = draft.to.iter().chain(&draft.cc);
        let mut is_list = false;
        let mut gets_all = true;
        for person in people.clone() {
            let address = person.address().as_str();
            let known = lists.is_subscribed(address);
            let known = known.or(replied.contains(&key(address)).then_some(false));
            is_list |= known.is_some();
            gets_all &= known != Some(false);
        }
        if !is_list {
            return;
        }
        let alternates = settings.alternates.iter().map(|own| key(own));
        let own: HashSet<String> = draft
            .from
            .iter()
            .map(|author| key(author.address().as_str()))
            .chain(alternates)
            .collect();
        let mut answered: Vec<NamedAddress> = people
            .filter(|person| !own.contains(&key(person.address().as_str())))
            .cloned()
            .collect();
        if !gets_all {
            let Some(author) = draft.from.first() else {
                return;
            };
            answered.push(author.clone());
        }
        let field = FieldBody::Addresses(answered);
        let fields = &mut self.composed.draft.fields;
        fields.push((HeaderName::known(NAME), field));
    }
}

/// Returns an address as it is compared.
fn key(address: &str) -> String {
    address.to_lowercase()
}
