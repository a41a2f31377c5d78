//! The senders that the settings name for relays.

use crate::address::{AddressError, NamedAddress, parse_people};
use crate::config::{KnownNames, Settings};
use crate::exit::{self, Failure, Kind};
use crate::sanitize;
use crate::submission::identity::Identity;

/// The senders that the configuration names for relays.
#[derive(Debug)]
pub(super) struct Senders {
    /// The addresses of `from`; not empty if there is a sender at all.
    pub(super) from: Vec<NamedAddress>,
    /// The address of `sender`.
    pub(super) sender: Option<NamedAddress>,
    /// Whether the relay takes no other sender (`from-force`).
    pub(super) is_only: bool,
    /// The reason to use them, as an English clause.
    pub(super) why: String,
}

impl Senders {
    /// Reads the senders from the settings.
    ///
    /// # Errors
    /// 78 when one of them is no address, or `from-force` names a sender that does not exist.
    pub(super) fn read(settings: &Settings, identity: &Identity) -> Result<Senders, Failure> {
        let mut from = people(settings, "from")?;
        let sender = people(settings, "sender")?.into_iter().next();
        let is_only = settings.is_set("from-force");
        let mut why = match (from.is_empty(), &sender) {
            (false, _) => format!("from is set ({})", settings.origin("from")),
            (true, Some(_)) => format!("sender is set ({})", settings.origin("sender")),
            (true, None) => String::new(),
        };
        if is_only && from.is_empty() {
            // The sender that a relay surely takes is the one that logs in.
            let known = sender.clone();
            let login = || identity.login_address().cloned().map(NamedAddress::from);
            let Some(only) = known.or_else(login) else {
                let origin = settings.origin("from-force");
                let what = origin.says("from-force needs the sender that the relay takes");
                return Err(Failure::new(Kind::Config, what)
                    .hint("set from= to the address that the relay takes mail from"));
            };
            from.push(only);
        }
        if is_only {
            why = format!("from-force is set ({})", settings.origin("from-force"));
        }
        Ok(Senders {
            from,
            sender,
            is_only,
            why,
        })
    }
}

/// Returns the addresses of a variable.
fn people(settings: &Settings, name: &'static str) -> Result<Vec<NamedAddress>, Failure> {
    let Some(text) = settings.text(name) else {
        return Ok(Vec::new());
    };
    let names = KnownNames::new(settings);
    let entries = parse_people(text, &|name| names.ask(name)).into_iter();
    entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error: AddressError| {
            let shown = sanitize::line(error.text.as_bytes());
            let what = settings
                .origin(name)
                .says(&format!("{name} \"{shown}\" is not an address"));
            Failure::new(Kind::Config, what).because(exit::with_causes(&error))
        })
}
