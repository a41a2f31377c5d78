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
    /// The template of the display name (`display-name`); empty where there is to be none.
    display_name: Option<String>,
    /// This host's name up to its first dot, as a display name shows it.
    short_name: String,
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
            display_name: settings.get("display-name").map(str::to_owned),
            // /etc/mailname is often the domain of all hosts; a name is to say which one it was.
            short_name: first_label(settings.text("hostname").unwrap_or(&node)).to_owned(),
            auth_user: settings
                .text("smtp-auth-user")
                .filter(|user| user.contains('@'))
                .and_then(|user| EnvelopeAddress::new(user).ok()),
        }
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
    pub fn default_sender(&self, for_relay: bool, login: &str) -> EnvelopeAddress {
        let own = || {
            EnvelopeAddress::new(format!("{login}@{}", self.qualify_domain))
                // A login name or a domain that fits into no address (a blank in it) must not keep
                // an alert from leaving.
                .or_else(|_| EnvelopeAddress::new(login))
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
    pub fn default_from(
        &self,
        for_relay: bool,
        login: &str,
        full_name: Option<&str>,
    ) -> NamedAddress {
        let name = match (full_name, self.display_name.as_deref()) {
            (Some(name), _) => name.to_owned(),
            (None, Some(template)) if !template.is_empty() => self.fill(template, login),
            (None, _) => full_name_of(login),
        };
        let name = (!name.is_empty()).then_some(name.as_str());
        NamedAddress::new(name, self.default_sender(for_relay, login))
    }

    /// Returns the relay's login, if it is an address.
    pub(super) fn login_address(&self) -> Option<&EnvelopeAddress> {
        self.auth_user.as_ref()
    }

    /// Returns whether an address says no more than a name of this host does: it has no domain, one
    /// without a dot, or a name of this host.
    pub fn is_bare(&self, address: &EnvelopeAddress) -> bool {
        let is_dotless = |domain: &str| {
            // `[IPv6:…]` has no dot either, and is the address of another host.
            !(domain.trim_end_matches('.').contains('.') || domain.starts_with('['))
        };
        self.is_own(address) || address.domain().is_some_and(is_dotless)
    }

    /// Returns whether an address has no domain, or a name of this host.
    pub(super) fn is_own(&self, address: &EnvelopeAddress) -> bool {
        is_own(address, &self.own_names)
    }

    /// Returns an address as it may leave this host: a bare name, or one at a name of this host that
    /// no other host knows, gets `qualify-domain`.
    pub fn qualified(&self, address: &EnvelopeAddress) -> EnvelopeAddress {
        qualified(address, &self.own_names, &self.qualify_domain)
    }

    /// Returns the display name that `display-name` makes for a name of this host; `None` where it
    /// is not set.
    pub(super) fn name_of(&self, login: &str) -> Option<String> {
        let template = self.display_name.as_deref()?;
        Some(self.fill(template, login))
    }

    /// Returns the display name that says which name of which host a mail came from.
    pub(super) fn name_with_host(&self, login: &str) -> String {
        self.fill("%u on %h", login)
    }

    /// Fills a template: `%u` the login name, `%n` the full name, `%h` the host up to its first
    /// dot, `%H` all of it, `%%` a percent sign.
    fn fill(&self, template: &str, login: &str) -> String {
        let mut text = String::new();
        let mut chars = template.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some('u') => text.push_str(login),
                Some('n') => text.push_str(&full_name_of(login)),
                Some('h') => text.push_str(&self.short_name),
                Some('H') => text.push_str(&self.host),
                Some(other) => text.push(other),
                None => {}
            }
        }
        text
    }
}

/// Returns whether an address has no domain, or one of these names of this host.
pub(super) fn is_own(address: &EnvelopeAddress, own_names: &[String]) -> bool {
    // Compared in ASCII and lower case, as `own_names` are: IDN domains have two spellings, and DNS
    // names have no case.
    address.with_ascii_domain().domain().is_none_or(|domain| {
        let domain = domain.trim_end_matches('.').to_ascii_lowercase();
        own_names.contains(&domain)
    })
}

/// Returns an address as it may leave this host, whose names these are.
pub(super) fn qualified(
    address: &EnvelopeAddress,
    own_names: &[String],
    domain: &str,
) -> EnvelopeAddress {
    let own = address.with_ascii_domain();
    match own.domain().map(str::to_ascii_lowercase) {
        // Behind a relay nobody knows `root@db1`. A full name of this host stays: whoever runs the
        // relay may have a way for it.
        Some(name) if !name.contains('.') && own_names.contains(&name) => {
            EnvelopeAddress::new(format!("{}@{domain}", address.local_part()))
                .unwrap_or_else(|_| address.clone())
        }
        _ => address.qualified(domain),
    }
}

fn first_label(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Returns the full name of an account, if the passwd file has one.
fn full_name_of(login: &str) -> String {
    let account = if login == user::login_name() {
        user::current()
    } else {
        user::by_name(login).ok().flatten()
    };
    account.map_or_else(String::new, |account| account.full_name)
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
