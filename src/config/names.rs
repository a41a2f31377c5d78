//! Knowledge about bare names: whether a name is an alias or an account of this host.

use std::cell::OnceCell;

use crate::address::BareName;
use crate::config::Settings;
use crate::config::aliases::SystemAliases;
use crate::sys::user;

/// The names that mail for this host may have. Nothing is read before the first question.
pub(crate) struct KnownNames<'a> {
    settings: &'a Settings,
    /// `None` where the system failed to read them.
    system_aliases: OnceCell<Option<SystemAliases>>,
}

impl<'a> KnownNames<'a> {
    /// Returns the names of the aliases in these settings, of the system's aliases and of accounts.
    pub(crate) fn new(settings: &'a Settings) -> KnownNames<'a> {
        KnownNames {
            settings,
            system_aliases: OnceCell::new(),
        }
    }

    /// Returns what a bare name is.
    pub(crate) fn ask(&self, name: &str) -> BareName {
        let lower = name.to_ascii_lowercase();
        let found = self.is_known(name);
        // Mail systems ignore the case of names, but `Mail` may be the name of a person, too.
        if found == Some(false) && lower != name && self.is_known(&lower) != Some(false) {
            return BareName::Unclear;
        }
        match found {
            Some(true) => BareName::Known,
            Some(false) => BareName::Unknown,
            None => BareName::Unclear,
        }
    }

    /// Returns whether a name is one of this spelling; `None` where it could not be looked up.
    fn is_known(&self, name: &str) -> Option<bool> {
        if self.settings.aliases.contains_key(name) {
            return Some(true);
        }
        let aliases = self
            .system_aliases
            .get_or_init(|| match SystemAliases::read() {
                Ok(aliases) => Some(aliases),
                Err((_, error)) if error.is_failure() => None,
                // Closed to us: those aliases do not count, as where the routes are found.
                Err(_) => Some(SystemAliases::default()),
            });
        let is_alias = aliases.as_ref().map(|aliases| aliases.has(name));
        let is_account = user::by_name(name).ok().map(|account| account.is_some());
        match (is_alias, is_account) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }
}
