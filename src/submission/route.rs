//! Routes: how each copy is sent, after aliases.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use crate::address::alias::expand;
use crate::address::{EnvelopeAddress, MAX_RECIPIENTS};
use crate::config::aliases::SystemAliases;
use crate::exit::Kind;
use crate::submission::identity::{is_own, qualified};
use crate::submission::mta::Mta;
use crate::submission::relay_list::RelayList;
use crate::transport::{Disposition, Outcome};

/// A route: how a copy leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// By this sendmail.
    Sendmail(PathBuf),
    /// By the first of these relays that takes it.
    Relay(Arc<RelayList>),
    /// Into the mailbox of this account.
    Local(String),
    /// Into a file, or to standard output, as an mbox.
    Test(Option<PathBuf>),
}

/// One copy: whose recipient, where it goes, and why there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutedCopy {
    /// The recipient as it was given, after the aliases of the mailrc.
    pub recipient: EnvelopeAddress,
    /// The recipient in the envelope: qualified for a relay, and expanded by the system's aliases.
    pub target: EnvelopeAddress,
    /// The route, or why there is no route.
    pub route: Result<Arc<Route>, Arc<Outcome>>,
    /// Why this way, as an English clause.
    pub reason: Cow<'static, str>,
}

/// The facts about this host and its configuration that routing needs.
pub(crate) struct RoutingInputs<'a> {
    /// The value of `mta`.
    pub mta: Mta,
    /// The relays for mail that leaves this host, under [`Mta::Auto`].
    pub relay: Option<Arc<RelayList>>,
    /// Whether local names leave too (`local=relay`).
    pub local_leaves: bool,
    /// The domain that is added to bare names in mail that leaves this host.
    pub qualify_domain: String,
    /// This host's own names, in lower case and ASCII.
    pub own_names: Vec<String>,
    /// Finds the sendmail of the usual places.
    pub find_sendmail: &'a dyn Fn() -> Option<PathBuf>,
    /// Whether a name is an account here.
    pub is_account: &'a dyn Fn(&str) -> bool,
    /// Returns the members of an alias in the mailrc, if it is to be followed for a name of this host
    /// that is written with a domain.
    pub mailrc_members: &'a dyn Fn(&str) -> Option<Vec<EnvelopeAddress>>,
    /// Reads the system's aliases.
    pub system_aliases: &'a dyn Fn() -> SystemAliases,
}

/// Returns the copies for these recipients, in order, each target once, and members of system
/// aliases that were left out.
///
/// If there are more than [`MAX_RECIPIENTS`] copies, routing stops there, and the result is incomplete.
pub(crate) fn routes<'a>(
    recipients: impl IntoIterator<Item = &'a EnvelopeAddress>,
    inputs: &RoutingInputs<'_>,
) -> (Vec<RoutedCopy>, Vec<String>) {
    let recipients = recipients.into_iter();
    let mut router = Router {
        inputs,
        sendmail: None,
        aliases: None,
        // There may be a hundred thousand: a list that grows by doubling takes twice the room.
        copies: Vec::with_capacity(recipients.size_hint().0.min(MAX_RECIPIENTS)),
        seen: HashSet::new(),
        ignored: Vec::new(),
    };
    // In the order given: the report lists the copies so, and of two recipients that lead to one
    // target the first is the one that is named.
    for recipient in recipients {
        router.recipient(recipient);
        if router.copies.len() + router.ignored.len() > MAX_RECIPIENTS {
            break;
        }
    }
    (router.copies, router.ignored)
}

struct Router<'a> {
    inputs: &'a RoutingInputs<'a>,
    sendmail: Option<Option<PathBuf>>,
    aliases: Option<Rc<SystemAliases>>,
    copies: Vec<RoutedCopy>,
    /// The targets of the copies, and whether they have a way.
    seen: HashSet<(EnvelopeAddress, bool)>,
    ignored: Vec<String>,
}

impl Router<'_> {
    fn recipient(&mut self, recipient: &EnvelopeAddress) {
        match &self.inputs.mta {
            // Only here are there several ways. Every other value of `mta` is one way for all
            // recipients, local ones included.
            Mta::Auto => self.automatic(recipient),
            Mta::Sendmail(Some(path)) => {
                let route = Route::Sendmail(path.clone());
                self.push(
                    recipient,
                    recipient.clone(),
                    Ok(route),
                    "mta names this program",
                );
            }
            Mta::Sendmail(None) => {
                let route = self
                    .sendmail()
                    .map(Route::Sendmail)
                    .ok_or_else(|| no_route("no sendmail is installed".to_owned()));
                self.push(recipient, recipient.clone(), route, "mta=sendmail");
            }
            // The system's aliases are expanded here, since a relay elsewhere does not know them; a
            // local name that is no alias is qualified in `member`.
            Mta::Relay(url) => self.carried(recipient, "mta names this relay", |name| {
                (!name.is_local_name()).then(|| Route::Relay(Arc::clone(url)))
            }),
            Mta::Test(path) => {
                let route = Route::Test(path.clone());
                self.push(recipient, recipient.clone(), Ok(route), "mta=test");
            }
            Mta::Local => self.carried(recipient, "mta=local", |_| None),
        }
    }

    /// Local names to sendmail if there is one, else to their mailboxes; the rest to the relay,
    /// else to sendmail.
    fn automatic(&mut self, recipient: &EnvelopeAddress) {
        // First question: does the copy stay on this host? `local=relay` says that nothing does.
        let is_local = self.local_name(recipient).is_some() && !self.inputs.local_leaves;
        let relay = self.inputs.relay.as_ref();
        let account = self
            .local_name(recipient)
            .is_some_and(|name| (self.inputs.is_account)(&name));
        // Second question: who carries it? A real sendmail knows .forward files and filters, which
        // we do not, so it gets the mail for accounts of this host, and everything where no relay
        // is set. A local name without an account may be an alias; `carried` looks.
        let to_sendmail = relay.is_none() || (is_local && account);
        if to_sendmail && let Some(path) = self.sendmail() {
            let reason = if is_local {
                "it is on this host, and sendmail is installed"
            } else {
                "no relay is configured, and sendmail is installed"
            };
            let route = Route::Sendmail(path);
            return self.push(recipient, recipient.clone(), Ok(route), reason);
        }
        let reason = if relay.is_some() {
            "the relay is configured"
        } else {
            "no sendmail is installed"
        };
        // Third: what is left we carry ourselves. A bare name is never given to the relay as it is,
        // since the relay would take it for a name of its own.
        self.carried(recipient, reason, |name| {
            let relay = relay.filter(|_| !name.is_local_name());
            relay.map(|url| Route::Relay(Arc::clone(url)))
        });
    }

    /// Expands the system's aliases and finds a way that we carry ourselves for each member.
    fn carried(
        &mut self,
        recipient: &EnvelopeAddress,
        reason: &'static str,
        way: impl Fn(&EnvelopeAddress) -> Option<Route>,
    ) {
        // Aliases are looked up for names of this host only (aliases(5)); an address elsewhere is
        // that host's business.
        let Some(name) = self.local_name(recipient) else {
            return self.remote(recipient, recipient, reason, &way);
        };
        // The mailrc's aliases of bare words are followed already. Programs that write
        // `root@localhost` mean root, too, and no relay knows such an address.
        let own = (self.leaves() && !recipient.is_local_name())
            .then(|| (self.inputs.mailrc_members)(&name))
            .flatten();
        let mut has_members = false;
        for named in own.unwrap_or_else(|| vec![recipient.clone()]) {
            has_members |= match self.local_name(&named) {
                Some(name) => self.expanded(recipient, &name, reason, &way),
                None => {
                    self.remote(recipient, &named, reason, &way);
                    true
                }
            };
        }
        // A refusal and no silence: without any copy the mail would be gone and the exit status 0.
        if !has_members {
            let text = format!("the alias {name} has no members");
            let outcome = Outcome::new(Disposition::Refused(Kind::NoUser), text);
            self.push(recipient, recipient.clone(), Err(outcome), reason);
        }
    }

    /// Returns whether mail for names of this host leaves it, too.
    fn leaves(&self) -> bool {
        matches!(self.inputs.mta, Mta::Relay(_)) || self.inputs.local_leaves
    }

    /// Finds a way for each member of a system's alias, or for the name; returns whether there was one.
    fn expanded(
        &mut self,
        recipient: &EnvelopeAddress,
        name: &str,
        reason: &'static str,
        way: &dyn Fn(&EnvelopeAddress) -> Option<Route>,
    ) -> bool {
        let aliases = self
            .aliases
            .get_or_insert_with(|| Rc::new((self.inputs.system_aliases)()));
        let aliases = Rc::clone(aliases);
        // `expand` follows aliases of aliases, stops at loops, and leaves out commands, files and
        // includes, which only an MTA with the rights of their owners may use.
        let expansion = expand(name, |name| aliases.get(name));
        let ignored = expansion.ignored.iter().map(ToString::to_string);
        self.ignored.extend(ignored);
        for member in &expansion.members {
            // An alias file is written by hand; a member that is no address is reported and must
            // not keep the mail from the others.
            match EnvelopeAddress::new(*member) {
                Ok(member) => self.member(recipient, &member, reason, way),
                Err(_) => self.ignored.push(ToString::to_string(member)),
            }
        }
        !expansion.members.is_empty()
    }

    fn member(
        &mut self,
        recipient: &EnvelopeAddress,
        member: &EnvelopeAddress,
        reason: &'static str,
        way: &dyn Fn(&EnvelopeAddress) -> Option<Route>,
    ) {
        let Some(name) = self.local_name(member) else {
            return self.remote(recipient, member, reason, way);
        };
        // Where all mail has to leave, a local name leaves too, with this host's domain behind it:
        // the relay's operator has an alias for root@this-host.
        let account = (self.inputs.is_account)(&name);
        // An unknown bare name is for the relay to judge, if there is one.
        if self.leaves() || (!account && self.inputs.relay.is_some()) {
            let inputs = self.inputs;
            let qualified = qualified(member, &inputs.own_names, &inputs.qualify_domain);
            return self.remote(recipient, &qualified, reason, way);
        }
        if account {
            let reason = format!("it is an account on this host, and {reason}");
            self.push(recipient, member.clone(), Ok(Route::Local(name)), reason);
        } else {
            let text = format!("there is no user {name} on this host");
            let outcome = Outcome::new(Disposition::Refused(Kind::NoUser), text);
            self.push(recipient, member.clone(), Err(outcome), reason);
        }
    }

    fn remote(
        &mut self,
        recipient: &EnvelopeAddress,
        target: &EnvelopeAddress,
        reason: &'static str,
        way: &dyn Fn(&EnvelopeAddress) -> Option<Route>,
    ) {
        let route = way(target).ok_or_else(|| {
            let what = match self.inputs.mta {
                Mta::Local => "mta=local delivers only on this host",
                _ => "no relay is configured, and no sendmail is installed",
            };
            no_route(what.to_owned())
        });
        self.push(recipient, target.clone(), route, reason);
    }

    /// Returns the local part of a name of this host: bare, or at one of its own names.
    fn local_name(&self, address: &EnvelopeAddress) -> Option<String> {
        is_own(address, &self.inputs.own_names).then(|| address.local_part().to_owned())
    }

    fn sendmail(&mut self) -> Option<PathBuf> {
        self.sendmail
            .get_or_insert_with(|| (self.inputs.find_sendmail)())
            .clone()
    }

    fn push(
        &mut self,
        recipient: &EnvelopeAddress,
        target: EnvelopeAddress,
        route: Result<Route, Outcome>,
        reason: impl Into<Cow<'static, str>>,
    ) {
        // Two aliases may share a member, who gets one copy. Whether there is a way is part of the
        // key: a refused target must not hide the same target with a way.
        if !self.seen.insert((target.clone(), route.is_ok())) {
            return;
        }
        // Most copies go the way of the one before: a mail to 60,000 has one route.
        let route = match (route, self.copies.last().map(|copy| &copy.route)) {
            (Ok(route), Some(Ok(last))) if **last == route => Ok(Arc::clone(last)),
            (Err(outcome), Some(Err(last))) if **last == outcome => Err(Arc::clone(last)),
            (route, _) => route.map(Arc::new).map_err(Arc::new),
        };
        self.copies.push(RoutedCopy {
            recipient: recipient.clone(),
            target,
            route,
            reason: reason.into(),
        });
    }
}

fn no_route(text: String) -> Outcome {
    Outcome::new(Disposition::Refused(Kind::Unavailable), text).hint(
        "to configure a relay, write into ~/.mailrc or /etc/postrider.rc: set mta=submission://USER@HOST password-file=FILE",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Setup {
        mta: &'static str,
        relay: Option<&'static str>,
        sendmail: bool,
        local_leaves: bool,
    }

    fn ways(setup: Setup, recipients: &[&str]) -> Vec<String> {
        let recipients: Vec<EnvelopeAddress> = recipients
            .iter()
            .map(|r| EnvelopeAddress::new(*r).unwrap())
            .collect();
        let find = || setup.sendmail.then(|| PathBuf::from("/sm"));
        let inputs = RoutingInputs {
            mta: Mta::parse(setup.mta).unwrap(),
            relay: setup
                .relay
                .map(|relay| Arc::new(RelayList::parse(relay).unwrap())),
            local_leaves: setup.local_leaves,
            qualify_domain: "corp.example".to_owned(),
            own_names: ["db1.corp.example", "db1", "localhost"]
                .map(str::to_owned)
                .into(),
            find_sendmail: &find,
            is_account: &|name| name == "root" || name == "alice",
            mailrc_members: &|name| {
                let member = EnvelopeAddress::new("ada@x.example").unwrap();
                (name == "ada").then(|| vec![member])
            },
            system_aliases: &|| {
                SystemAliases::parse("postmaster: root\nops: alice, boss@x.example, |/bin/sh\n")
            },
        };
        let (copies, _) = routes(&recipients, &inputs);
        copies
            .iter()
            .map(|copy| match copy.route.as_deref() {
                Ok(Route::Sendmail(_)) => format!("{} sendmail", copy.target),
                Ok(Route::Relay(_)) => format!("{} relay", copy.target),
                Ok(Route::Local(name)) => format!("{} local {name}", copy.target),
                Ok(Route::Test(_)) => format!("{} test", copy.target),
                Err(outcome) => {
                    let status = outcome.kind().map_or(0, Kind::status);
                    format!("{} {status}", copy.target)
                }
            })
            .collect()
    }

    const HERE: Setup = Setup {
        mta: "auto",
        relay: None,
        sendmail: false,
        local_leaves: false,
    };

    #[test]
    fn a_fresh_host_delivers_to_its_accounts_and_says_69_for_the_rest() {
        assert_eq!(
            ways(
                HERE,
                &[
                    "root",
                    "alice@db1.corp.example",
                    "a@x.example",
                    "nobody-here",
                    "ops",
                    "postmaster"
                ]
            ),
            [
                "root local root",
                "alice local alice",
                "a@x.example 69",
                "nobody-here 67",
                "boss@x.example 69",
            ]
        );
    }

    #[test]
    fn sendmail_gets_everything_unexpanded_where_there_is_no_relay() {
        let setup = Setup {
            sendmail: true,
            ..HERE
        };
        assert_eq!(
            ways(setup, &["ops", "a@x.example"]),
            ["ops sendmail", "a@x.example sendmail"]
        );
    }

    #[test]
    fn a_relay_gets_what_leaves_and_local_names_stay() {
        let setup = || Setup {
            relay: Some("mail.corp.example"),
            ..HERE
        };
        let recipients = ["root", "a@x.example", "stranger", "ops"];
        assert_eq!(
            ways(setup(), &recipients),
            [
                "root local root",
                "a@x.example relay",
                "stranger@corp.example relay",
                "alice local alice",
                "boss@x.example relay",
            ]
        );
        let with_sendmail = Setup {
            sendmail: true,
            ..setup()
        };
        assert_eq!(
            ways(with_sendmail, &["root", "a@x.example"]),
            ["root sendmail", "a@x.example relay"]
        );
        let leaving = Setup {
            local_leaves: true,
            ..setup()
        };
        assert_eq!(
            ways(leaving, &["root", "ops"]),
            [
                "root@corp.example relay",
                "alice@corp.example relay",
                "boss@x.example relay"
            ]
        );
    }

    #[test]
    fn mta_is_one_way_for_everything() {
        let setup = Setup {
            mta: "smtp://relay.example",
            sendmail: true,
            ..HERE
        };
        assert_eq!(
            ways(setup, &["root", "alice@localhost", "a@x.example"]),
            [
                "root@corp.example relay",
                "alice@corp.example relay",
                "a@x.example relay"
            ]
        );
        let setup = Setup {
            mta: "smtp://relay.example",
            ..HERE
        };
        let written = [
            "ada@localhost",
            "bob@db1",
            "carol@db1.corp.example",
            "bob@db2",
        ];
        assert_eq!(
            ways(setup, &written),
            [
                "ada@x.example relay",
                "bob@corp.example relay",
                "carol@corp.example relay",
                "bob@db2 relay",
            ]
        );
        let setup = Setup {
            mta: "local",
            sendmail: true,
            ..HERE
        };
        assert_eq!(
            ways(setup, &["root", "a@x.example"]),
            ["root local root", "a@x.example 69"]
        );
    }
}
