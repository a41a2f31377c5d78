//! Identity: the default sender of a mail, and the names of this host.

use crate::address::{EnvelopeAddress, NamedAddress, parse_people};
use crate::config::{KnownNames, Settings};
use crate::sys::{host, user};

/// The names this host and its user go by.
#[derive(Clone, Debug)]
pub struct Identity {
    /// This host's name: fully qualified where it is known.
    pub host: String,
    /// Whether `host` is fully qualified.
    pub is_qualified: bool,
    /// The domain that is added to bare names in mail that leaves this host.
    pub qualify_domain: String,
    /// All names of this host, in lower case and ASCII.
    pub own_names: Vec<String>,
    /// The template of the display name (`display-name`).
    display_name: Option<String>,
    /// The login name for the relay, where it is an address.
    auth_user: Option<EnvelopeAddress>,
}

impl Identity {
    /// Finds the identity from the settings, the passwd file and the host's own files.
    pub fn find(settings: &Settings) -> Identity {
        let node = host::node_name();
        let host = settings.host_name();
        let qualify_domain = settings.text("qualify-domain").unwrap_or(&host).to_owned();
        // These names make an address local. `mydestination` of an MTA here may hold more, but
        // reading its configuration would be guessing.
        let mut own_names = vec![
            host.to_ascii_lowercase(),
            node.to_ascii_lowercase(),
            "localhost".to_owned(),
            "localhost.localdomain".to_owned(),
        ];
        own_names.sort();
        own_names.dedup();
        Identity {
            is_qualified: host.contains('.'),
            host,
            qualify_domain,
            own_names,
            display_name: settings.text("display-name").map(str::to_owned),
            auth_user: settings
                .text("smtp-auth-user")
                .filter(|user| user.contains('@'))
                .and_then(|user| EnvelopeAddress::new(user).ok()),
        }
    }

    /// Returns the user's full name, if the passwd file has one.
    fn full_name() -> String {
        user::current().map_or_else(String::new, |user| user.full_name)
    }

    /// Takes the login name that the relay's URL holds, if it is an address.
    pub fn know_login(&mut self, user: Option<&str>) {
        let address = user
            .filter(|user| user.contains('@'))
            .and_then(|user| EnvelopeAddress::new(user).ok());
        // The URL is more specific than `smtp-auth-user`, so its login wins where both are
        // addresses.
        self.auth_user = address.or(self.auth_user.take());
    }

    /// Returns the sender where none was asked for: the relay's login if it is an address,
    /// else user@qualify-domain.
    pub fn default_sender(&self, for_relay: bool) -> EnvelopeAddress {
        let own = || {
            EnvelopeAddress::new(format!("{}@{}", user::login_name(), self.qualify_domain))
                // A login name or a domain that fits into no address (a blank in it) must not keep
                // an alert from leaving.
                .or_else(|_| EnvelopeAddress::new(user::login_name()))
                .or_else(|_| EnvelopeAddress::new("unknown"))
                .expect("a plain word is an address")
        };
        // Most providers refuse a sender other than the login (553 "not owned by user"), so a login
        // that is an address is the sender that works.
        match &self.auth_user {
            Some(user) if for_relay => user.clone(),
            _ => own(),
        }
    }

    /// Returns the From field where none was asked for.
    pub fn default_from(&self, for_relay: bool, full_name: Option<&str>) -> NamedAddress {
        let name = match (full_name, &self.display_name) {
            (Some(name), _) => name.to_owned(),
            (None, Some(template)) => self.fill(template),
            (None, None) => Identity::full_name(),
        };
        let name = (!name.is_empty()).then_some(name.as_str());
        NamedAddress::new(name, self.default_sender(for_relay))
    }

    /// Fills a template: `%u` the login name, `%n` the full name, `%h` the host up to its first
    /// dot, `%H` all of it, `%%` a percent sign.
    fn fill(&self, template: &str) -> String {
        let mut text = String::new();
        let mut chars = template.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some('u') => text.push_str(&user::login_name()),
                Some('n') => text.push_str(&Identity::full_name()),
                Some('h') => text.push_str(self.host.split('.').next().unwrap_or_default()),
                Some('H') => text.push_str(&self.host),
                Some(other) => text.push(other),
                None => {}
            }
        }
        text
    }
}

/// Returns the addresses that are the user's: the login name, bare and at this host's names, `from`,
/// and `alternates`.
pub fn own_addresses(settings: &Settings) -> Vec<String> {
    let login = user::login_name();
    let identity = Identity::find(settings);
    let domains = identity.own_names.iter().chain([&identity.qualify_domain]);
    let mut own: Vec<String> = domains.map(|domain| format!("{login}@{domain}")).collect();
    let from = settings.text("from").unwrap_or_default();
    let names = KnownNames::new(settings);
    let from = parse_people(from, &|name| names.ask(name))
        .into_iter()
        .flatten();
    own.extend(from.map(|address| address.address().to_string()));
    own.extend(settings.alternates.iter().cloned());
    own.push(login);
    own
}
