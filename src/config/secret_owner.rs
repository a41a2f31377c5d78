//! Which relay a secret was set for.
//!
//! A secret belongs to the relay that its own place names: the same file, the same account, or the
//! command line. If its place names none, it belongs to the relay that was in force when it was set,
//! or else to the first that is named later. So `-S mta=…` or another account does not send the
//! password of one relay to another.

use std::path::PathBuf;

use super::problem::Origin;

/// Where something is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The environment, or the command line.
    Outside,
    /// A configuration file, outside of accounts.
    File(PathBuf),
    /// The use of an account, counted.
    Account(usize),
}

impl Place {
    /// Returns the place of a line; `account` counts the account in use.
    pub(super) fn of(origin: &Origin, account: Option<usize>) -> Place {
        match (account, origin) {
            (Some(number), _) => Place::Account(number),
            (None, Origin::File { path, .. }) => Place::File(path.clone()),
            (
                None,
                Origin::Default | Origin::Environment(_) | Origin::Option(_) | Origin::Prompt,
            ) => Place::Outside,
        }
    }
}

/// The relay that a secret belongs to, as `mta` or `smtp` name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecretOwner {
    place: Place,
    relay: Option<String>,
}

impl SecretOwner {
    /// Returns the owner of a secret that is set here, while this relay is in force.
    pub(super) fn new(place: Place, relay: Option<&str>) -> SecretOwner {
        SecretOwner {
            place,
            relay: relay.map(str::to_owned),
        }
    }

    /// Notes that a relay is named here.
    pub(super) fn names_relay(&mut self, place: &Place, relay: &str) {
        if self.relay.is_none() || self.place == *place {
            self.relay = Some(relay.to_owned());
        }
    }

    /// Returns the relay, if one was named.
    pub(super) fn relay(&self) -> Option<&str> {
        self.relay.as_deref()
    }
}

/// Returns whether a variable holds a secret for a relay, or says where one comes from.
pub(super) fn is_secret(name: &str) -> bool {
    matches!(name, "password" | "password-command" | "password-file") || name.starts_with("oauth")
}

/// Returns whether a value of this variable names a relay.
pub(super) fn is_relay(name: &str, value: &str) -> bool {
    let others = ["test:", "file:", "sendmail:"];
    match name {
        "smtp" => !value.is_empty(),
        "mta" => value.contains("://") && !others.iter().any(|other| value.starts_with(other)),
        _ => false,
    }
}
