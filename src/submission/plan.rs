//! The plan of a submission: the sender's identity, the ways out that the settings give, and the
//! route of each copy. Nothing is sent here; a failure leaves the message whole.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::address::{EnvelopeAddress, MAX_RECIPIENTS, ReversePath};
use crate::compose::{self, Draft};
use crate::config::aliases::SystemAliases;
use crate::config::{KnownNames, Problem, Settings, Weight};
use crate::exit::{self, Failure, Kind};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::submission::identity::Identity;
use crate::submission::members::AliasMembers;
use crate::submission::mta::Mta;
use crate::submission::relay;
use crate::submission::relay_list::RelayList;
use crate::submission::relay_url::MtaError;
use crate::submission::relayed::{self, Relayed, Rewriting};
use crate::submission::route::{self, Route, RoutedCopy, RoutingInputs};
use crate::submission::secret;
use crate::sys::host::{self, HostUnread};
use crate::sys::{open, user};
use crate::transport::sendmail;

/// Where each copy of a draft goes, before anything is sent.
#[derive(Debug)]
pub struct SubmissionPlan {
    /// The copies.
    pub copies: Vec<RoutedCopy>,
    /// Who we are.
    pub identity: Identity,
    /// What a relay may see of the people, if a copy goes to one.
    pub relayed: Option<Relayed>,
    /// Notices for the user.
    pub notices: Vec<String>,
    /// The next step where the relay refuses the sender.
    pub hint: Option<String>,
}

impl SubmissionPlan {
    /// Returns the envelope sender for the log: the one that a relay sees, so that its own log has the
    /// same; else the one that was asked for.
    pub(super) fn sender(&self, draft: &Draft) -> Option<String> {
        let relayed = self.relayed.as_ref().map(|relayed| &relayed.envelope);
        let sender = relayed.or(draft.envelope_sender.as_ref());
        sender.map(ToString::to_string)
    }

    /// Returns the next step where a relay refuses a sender that was given for this message, although
    /// `from` names one that it may take.
    pub(super) fn hint_of_given_sender(&self) -> Option<String> {
        let given = self.relayed.as_ref()?.given.as_ref()?;
        Some(format!(
            "the message names the sender {given}: if the relay takes mail from from= only, set from-force"
        ))
    }

    /// Returns what a relay sees otherwise than the message says it.
    pub(crate) fn rewritings(&self) -> &[Rewriting] {
        let relayed = self.relayed.as_ref();
        relayed.map_or(&[], |relayed| &relayed.rewritings)
    }

    /// Says for each relay as whom we log in there, and by what secret.
    pub(crate) fn logins(&self, settings: &Settings) -> Vec<String> {
        let relays = self.copies.iter().find_map(relays_of);
        let urls = relays.into_iter().flat_map(RelayList::iter);
        urls.map(|url| secret::describe_login(url, settings))
            .collect()
    }
}

/// Finds a route for every recipient of a draft.
///
/// # Errors
/// 78 when the configuration for sending is wrong; 75 when the system fails during a look-up: a
/// sendmail, an account, an alias or a name that cannot be looked up is not absent.
pub(crate) fn plan(draft: &Draft, around: &Surroundings<'_>) -> Result<SubmissionPlan, Failure> {
    let settings = around.settings;
    // The order of the steps: what the settings say, what cannot work at all (we as our own MTA),
    // who we are, and only then the look-ups, which cost time and may fail.
    let (mta, relay) = way_out(settings)?;
    if let Some(list) = &relay {
        secret::check_list(list, around)?;
    }
    refuse_ourselves(&mta, around)?;
    let mut identity = Identity::find(settings);
    // The first one, as it is the one that takes mail on most days.
    let first = relay.as_ref().map(|list| list.first());
    identity.know_login(first.and_then(|url| url.user.as_deref()));
    let mut notices = Vec::new();
    notices.extend(check_host_files()?);

    let lookups = Lookups::new(around);
    let names = KnownNames::new(settings);
    // Without a configured sender everything goes as it went before there was one.
    let is_named = ["from", "sender"]
        .iter()
        .any(|name| settings.text(name).is_some());
    let mailrc_members = |name: &str| {
        let name = EnvelopeAddress::new(name).ok().filter(|_| is_named)?;
        let members = compose::mailrc_members(&name.into(), settings, &names)?;
        Some(
            members
                .iter()
                .map(|member| member.address().clone())
                .collect(),
        )
    };
    let inputs = RoutingInputs {
        // A relay that `mta` names is in `mta` already.
        relay: relay.filter(|_| mta == Mta::Auto),
        mta,
        local_leaves: settings.text("local") == Some("relay"),
        qualify_domain: identity.qualify_domain.clone(),
        own_names: identity.own_names.clone(),
        find_sendmail: &|| lookups.sendmail(),
        is_account: &|name| lookups.is_account(name),
        mailrc_members: &mailrc_members,
        system_aliases: &|| lookups.system_aliases(),
    };
    let recipients = draft.recipients().map(|named| named.address());
    let (mut copies, ignored) = route::routes(recipients, &inputs);
    if settings.has_closed_file && user::effective_uid() != 0 {
        copies.iter_mut().for_each(ask_root);
    }
    // Looked at before the copies are: a route that was found after a failed look-up is no answer.
    notices.extend(lookups.finish()?);
    // The recipients that were typed are bounded already; only aliases can multiply them. A message
    // to a part of them would be worse than none.
    if copies.len() + ignored.len() > MAX_RECIPIENTS {
        let what = format!(
            "with the system's aliases the message has more than {MAX_RECIPIENTS} recipients"
        );
        return Err(Failure::new(Kind::Data, what));
    }
    notices.extend(ignored.into_iter().map(|member| {
        format!("{member} in the system's aliases is not an address, and is skipped")
    }));
    // All copies for relays go to the same ones, so the first tells whether a certificate will go
    // unchecked.
    let relays = copies.iter().find_map(relays_of);
    if relays.is_some_and(|list| list.iter().any(|url| relay::is_unchecked(url, settings))) {
        notices.push(format!(
            "{}: the relay's certificate is not checked",
            settings.origin("tls-verify")
        ));
    }
    let relayed = match relays {
        Some(_) => {
            let members = AliasMembers::new(settings, &identity, &copies);
            Some(relayed::relayed(draft, &identity, settings, &members)?)
        }
        None => None,
    };
    Ok(SubmissionPlan {
        hint: relayed
            .as_ref()
            .and_then(|relayed| hint_of_domains(&relayed.envelope, &copies, &identity)),
        copies,
        relayed,
        identity,
        notices,
    })
}

/// Says that root may know a way for a copy that has none: the relay may be named in a configuration
/// file that is closed to us.
fn ask_root(copy: &mut RoutedCopy) {
    if let Err(outcome) = &mut copy.route
        && outcome.kind() == Some(Kind::Unavailable)
    {
        Arc::make_mut(outcome).needs_root = true;
    }
}

/// Returns the relays by which a copy goes.
fn relays_of(copy: &RoutedCopy) -> Option<&RelayList> {
    match copy.route.as_deref() {
        Ok(Route::Relay(list)) => Some(list),
        _ => None,
    }
}

/// Reads the settings of the route: `mta`, and the relay that it or `smtp` names.
///
/// # Errors
/// 78 when one of them is wrong, or contradicts another.
fn way_out(settings: &Settings) -> Result<(Mta, Option<Arc<RelayList>>), Failure> {
    // A wrong line about the way out may have been meant to forbid the default way (`mta=tset`), so
    // mail must not leave by another one.
    if let Some(problem) = settings.problems.iter().find(|p| p.weight == Weight::Route) {
        return Err(config_failure(problem));
    }
    let wrong = |name: &'static str, error: MtaError| {
        let what = settings.origin(name).says(&format!("{name} is not valid"));
        Failure::new(Kind::Config, what).because(error)
    };
    let mta = Mta::of(settings).map_err(|error| wrong("mta", error))?;
    let relay = match (&mta, settings.text("smtp")) {
        (Mta::Relay(list), _) => Some(Arc::clone(list)),
        // `smtp` is the relay of automatic routing. Beside `mta=local`, a program or `test` it is
        // left aside and not even read.
        (Mta::Auto, Some(text)) => {
            let list = RelayList::parse(text).map_err(|error| wrong("smtp", error))?;
            Some(Arc::new(list))
        }
        _ => None,
    };
    for url in relay.iter().flat_map(|list| list.iter()) {
        // The relay is checked although this message may not need it: a contradiction in the
        // settings is easier to mend now than when the first alert leaves.
        relay::check(url, settings)?;
    }
    Ok((mta, relay))
}

/// Refuses to submit by a sendmail that is Postrider: each would hand the message to the next for ever.
///
/// # Errors
/// 78 when `mta` leads back to us, 75 when the system fails to look at the program.
fn refuse_ourselves(mta: &Mta, around: &Surroundings<'_>) -> Result<(), Failure> {
    let Mta::Sendmail(Some(path)) = mta else {
        return Ok(());
    };
    // Installed as /usr/sbin/sendmail, and with `mta` naming it, we would start ourselves again and
    // again until the host has no process left.
    let is_ourselves = sendmail::is_ourselves(path);
    let shown = sanitize::path(&path);
    if is_ourselves.map_err(|error| lookup_failure(format!("cannot check {shown}"), &error))? {
        let origin = around.settings.origin("mta");
        let what = format!("{origin}: {shown} is Postrider itself and not an MTA");
        return Err(Failure::new(Kind::Config, what));
    }
    // Another build of Postrider is not the same file, but it was started by the program at this path.
    if around.environment.was_called_by(path) {
        let what = "the sendmail that was called is Postrider itself and not an MTA";
        return Err(Failure::new(Kind::Config, what)
            .hint("set mta= to the path of a real sendmail, to a relay, or to local"));
    }
    Ok(())
}

/// Makes sure that the host's name and the user database could be read (D27); returns a notice where
/// a file is only closed to us.
///
/// # Errors
/// 75 when the system failed: the sender's address would be wrong.
fn check_host_files() -> Result<Option<String>, Failure> {
    // The host's name stands in the sender and in Message-ID. A name that is missing because of a
    // failed read would make a wrong sender, which relays refuse and no reply reaches.
    let mut notice = None;
    if let Some((path, unread)) = host::unread() {
        let what = format!("cannot read the name of this host from {path}");
        match unread {
            HostUnread::Failed(why) => {
                return Err(Failure::new(Kind::TryLater, what).because(why.as_str()));
            }
            HostUnread::Refused(why) => notice = Some(format!("{what}: {why}")),
        }
    }
    match user::unread() {
        Some(why) => {
            Err(Failure::new(Kind::TryLater, "cannot read the user database").because(why))
        }
        None => Ok(notice),
    }
}

/// The look-ups of routing on this host, and the first one that failed.
///
/// Routing goes on after a failure, since its questions have no place for one; [`Lookups::finish`]
/// must be asked before any of its answers is used.
struct Lookups<'a> {
    around: &'a Surroundings<'a>,
    failure: RefCell<Option<Failure>>,
    notice: RefCell<Option<String>>,
}

impl<'a> Lookups<'a> {
    fn new(around: &'a Surroundings<'a>) -> Lookups<'a> {
        Lookups {
            around,
            failure: RefCell::default(),
            notice: RefCell::default(),
        }
    }

    /// Returns the sendmail of the usual places, unless it is the one that called us.
    fn sendmail(&self) -> Option<PathBuf> {
        // A sendmail that has started us waits for us; handing the message back to it would be a
        // loop of two programs.
        let is_caller = |path: &Path| self.around.environment.was_called_by(path);
        match sendmail::find() {
            Ok(path) => path.filter(|path| !is_caller(path)),
            Err(error) => {
                self.remember("cannot look for a sendmail", &error);
                None
            }
        }
    }

    fn is_account(&self, name: &str) -> bool {
        match user::by_name(name) {
            Ok(account) => account.is_some(),
            Err(error) => {
                self.remember("cannot read the user database", &error);
                false
            }
        }
    }

    fn system_aliases(&self) -> SystemAliases {
        match SystemAliases::read() {
            Ok(aliases) => aliases,
            Err((path, error)) => {
                let what = format!("cannot read {path}");
                // Closed to us (mode 0600) is an answer that stays: mail goes on without those
                // aliases, with a notice. An I/O error or a lack of memory passes, so the mail
                // waits.
                if error.is_failure() {
                    self.remember(&what, &error.into());
                } else {
                    let notice = format!("{what}: {error}; the system's aliases are ignored");
                    self.notice.replace(Some(notice));
                }
                SystemAliases::default()
            }
        }
    }

    fn remember(&self, what: &str, error: &io::Error) {
        let mut failure = self.failure.borrow_mut();
        // The first failure counts: the later ones mostly follow from it, as with no descriptor
        // left.
        failure.get_or_insert_with(|| lookup_failure(what.to_owned(), error));
    }

    /// Returns the notice of the look-ups.
    ///
    /// # Errors
    /// The first look-up that failed: its "no" is no answer, so nothing may be sent (D27).
    fn finish(&self) -> Result<Option<String>, Failure> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.notice.take()),
        }
    }
}

/// Returns the failure of a look-up: 75 where the system failed, or is short of something.
fn lookup_failure(what: String, error: &io::Error) -> Failure {
    Failure::new(open::kind_of(error, Kind::TryLater), what).because(exit::with_causes(error))
}

/// Returns the hint for mail that a relay may refuse: an address in it has a domain without a dot.
///
/// The mail is sent anyway; only the relay's refusal makes the hint worth a line.
fn hint_of_domains(
    sender: &ReversePath,
    copies: &[RoutedCopy],
    identity: &Identity,
) -> Option<String> {
    let targets = copies
        .iter()
        .filter(|copy| relays_of(copy).is_some())
        .map(|copy| &copy.target);
    let is_bare = |address: &&EnvelopeAddress| !address.domain().unwrap_or("").contains('.');
    let bare = sender.address().into_iter().chain(targets).find(is_bare)?;
    // The name of this host is only one way to such an address; another one was typed so.
    Some(if bare.domain() == Some(&identity.qualify_domain) {
        format!(
            "relays may refuse addresses at {0}: set hostname= (such as {0}.example.org) or from= in /etc/postrider.rc",
            identity.qualify_domain
        )
    } else {
        format!("relays may refuse {bare}: write the full domain")
    })
}

/// Returns the hint for a recipient that a relay has refused, if its domain is one of this host alone.
pub(super) fn hint_of_recipient(target: &EnvelopeAddress) -> Option<String> {
    let domain = target.domain().unwrap_or_default();
    if domain.contains('.') || domain.starts_with('[') {
        return None;
    }
    let name = target.local_part();
    Some(format!(
        "no other host knows {target}: write 'alias {name} NAME@example.org' into /etc/postrider.rc, with the address of who reads it"
    ))
}

fn config_failure(problem: &Problem) -> Failure {
    let what = problem.origin.says(&problem.what);
    let failure = Failure::new(Kind::Config, what);
    match &problem.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

/// Returns a route in a word or two.
pub(crate) fn name_of(route: &Route) -> String {
    match route {
        Route::Sendmail(path) => format!("sendmail {}", sanitize::path(&path)),
        Route::Relay(list) => format!("relay {list}"),
        Route::Local(name) => format!("mailbox of {name}"),
        Route::Test(None) => "test".to_owned(),
        Route::Test(Some(path)) => format!("test {}", sanitize::path(&path)),
    }
}
