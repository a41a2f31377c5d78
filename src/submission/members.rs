//! The members of aliases, as the header of a mail for a relay shows them.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::identity::Identity;
use super::route::RoutedCopy;
use crate::address::alias::expand;
use crate::address::{EnvelopeAddress, NamedAddress};
use crate::compose;
use crate::config::aliases::SystemAliases;
use crate::config::{KnownNames, Settings};

/// What the names of this host stand for.
pub(super) struct AliasMembers<'a> {
    settings: &'a Settings,
    identity: &'a Identity,
    names: KnownNames<'a>,
    /// Where the routes lead for the names among the recipients: what the envelope holds.
    targets: HashMap<&'a EnvelopeAddress, Vec<&'a EnvelopeAddress>>,
    /// For names that are no recipients, such as one in Reply-To.
    system_aliases: OnceCell<SystemAliases>,
}

impl<'a> AliasMembers<'a> {
    /// Returns the members for a mail with these copies.
    pub(super) fn new(
        settings: &'a Settings,
        identity: &'a Identity,
        copies: &'a [RoutedCopy],
    ) -> AliasMembers<'a> {
        let mut targets: HashMap<_, Vec<_>> = HashMap::new();
        let bare = copies
            .iter()
            .filter(|copy| identity.is_bare(&copy.recipient));
        for copy in bare {
            targets
                .entry(&copy.recipient)
                .or_default()
                .push(&copy.target);
        }
        AliasMembers {
            settings,
            identity,
            names: KnownNames::new(settings),
            targets,
            system_aliases: OnceCell::new(),
        }
    }

    /// Returns what an alias of the mailrc or of the system stands for, if this name is one.
    pub(super) fn of(&self, name: &NamedAddress) -> Option<Vec<NamedAddress>> {
        let mailrc =
            |name: &NamedAddress| compose::mailrc_members(name, self.settings, &self.names);
        // As the routes do: root@localhost is root.
        let bare = || {
            let address = name.address();
            let is_own = !address.is_local_name() && self.identity.is_own(address);
            let bare = EnvelopeAddress::new(address.local_part()).ok();
            mailrc(&bare.filter(|_| is_own)?.into())
        };
        let members = mailrc(name).or_else(bare);
        let members = members.unwrap_or_else(|| vec![name.clone()]);
        let mut expanded = Vec::new();
        for member in members {
            let targets = self.targets(member.address());
            match targets.as_slice() {
                [] => expanded.push(member),
                // The name of a person stays with the one address.
                [target] => expanded.push(member.with_address(target.clone())),
                _ => expanded.extend(targets.into_iter().map(NamedAddress::from)),
            }
        }
        let own = self.identity.qualified(name.address());
        let is_alias = expanded
            .iter()
            .any(|member| self.identity.qualified(member.address()) != own);
        is_alias.then_some(expanded)
    }

    /// Returns where mail for a name of this host goes; nothing for another address.
    fn targets(&self, address: &EnvelopeAddress) -> Vec<EnvelopeAddress> {
        if let Some(targets) = self.targets.get(address) {
            return targets.iter().map(|target| (*target).clone()).collect();
        }
        if !self.identity.is_own(address) {
            return Vec::new();
        }
        let aliases = self
            .system_aliases
            // Where they cannot be read the name stays: nobody is waiting for this field.
            .get_or_init(|| SystemAliases::read().unwrap_or_default());
        let members = expand(address.local_part(), |name| aliases.get(name)).members;
        let members = members
            .into_iter()
            .filter(|member| *member != address.local_part());
        members
            .filter_map(|member| EnvelopeAddress::new(member).ok())
            .collect()
    }
}
