//! The plan: who we are, which ways there are, and which way each copy goes.

use std::cell::RefCell;
use std::path::PathBuf;

use crate::address::{EnvelopeAddress, MAX_RECIPIENTS};
use crate::compose::Draft;
use crate::config::{Problem, Weight};
use crate::exit::{self, Failure, Kind};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::submission::aliases::SystemAliases;
use crate::submission::identity::Identity;
use crate::submission::mta::{self, Mta, RelayUrl};
use crate::submission::relay;
use crate::submission::route::{self, Route, Step, World};
use crate::sys::host::{self, HostUnread};
use crate::sys::{open, user};
use crate::transport::sendmail;

/// Where each copy of a draft goes, before anything is sent.
#[derive(Debug)]
pub struct Plan {
    /// The copies.
    pub steps: Vec<Step>,
    /// Who we are.
    pub identity: Identity,
    /// The relay, if one is configured.
    pub relay: Option<RelayUrl>,
    /// What else the user should know.
    pub notices: Vec<String>,
    /// The next step if the relay refuses.
    pub hint: Option<String>,
}

/// Finds a route for every recipient of a draft.
///
/// # Errors
/// 78 when the configuration of the way out is wrong; 75 when the system fails where the way is
/// looked for: a sendmail, an account, an alias or a name that cannot be looked up is not absent.
pub fn plan(draft: &Draft, around: &Surroundings<'_>) -> Result<Plan, Failure> {
    let settings = around.settings;
    if let Some(problem) = settings.problems.iter().find(|p| p.weight == Weight::Route) {
        return Err(config_failure(problem));
    }
    let read = |name: &'static str, error: mta::MtaError| {
        let what = format!("{}: {name} is wrong", settings.origin(name));
        Failure::new(Kind::Config, what).because(error)
    };
    let mta = Mta::of(settings).map_err(|e| read("mta", e))?;
    let relay = match (&mta, settings.text("smtp")) {
        (Mta::Relay(url), _) => Some(url.clone()),
        (Mta::Auto, Some(text)) => Some(RelayUrl::parse(text).map_err(|e| read("smtp", e))?),
        _ => None,
    };
    if let Some(url) = &relay {
        relay::check(url, settings)?;
    }
    let unseen = |what: String, error: std::io::Error| {
        Failure::new(open::kind_of(&error, Kind::TryLater), what).because(exit::with_causes(&error))
    };
    if let Mta::Sendmail(Some(path)) = &mta
        && sendmail::is_ourselves(path)
            .map_err(|error| unseen(format!("cannot look at {}", sanitize::path(&path)), error))?
    {
        let what = format!(
            "{}: {} is Postrider itself, no MTA",
            settings.origin("mta"),
            sanitize::path(&path)
        );
        return Err(Failure::new(Kind::Config, what));
    }
    let called_by = |path: &PathBuf| around.environment.was_called_by(path);
    if matches!(&mta, Mta::Sendmail(path) if path.as_ref().is_some_and(called_by)) {
        let what = "the sendmail that was called is Postrider itself, no MTA";
        return Err(Failure::new(Kind::Config, what)
            .hint("set mta= to the path of a real sendmail, to a relay, or to local"));
    }
    let mut identity = Identity::find(settings);
    identity.know_login(relay.as_ref().and_then(|url| url.user.as_deref()));
    let mut notices = Vec::new();
    if let Some((path, unread)) = host::unread() {
        let what = format!("cannot read {path} for this host's name");
        match unread {
            HostUnread::Failed(why) => {
                return Err(Failure::new(Kind::TryLater, what).because(why.as_str()));
            }
            HostUnread::Refused(why) => notices.push(format!("{what}: {why}")),
        }
    }
    if let Some(why) = user::unread() {
        return Err(Failure::new(Kind::TryLater, "cannot read the user database").because(why));
    }
    // The first look-up that failed: its "no" is no answer, so nothing may be sent (D27).
    let trouble = RefCell::new(None);
    let note = |what: &str, error| {
        let failure = unseen(what.to_owned(), error);
        trouble.borrow_mut().get_or_insert(failure);
    };
    let unreadable = RefCell::new(None);
    let find_sendmail = || match sendmail::find() {
        Ok(path) => path.filter(|path| !called_by(path)),
        Err(error) => {
            note("cannot look for sendmail", error);
            None
        }
    };
    let is_account = |name: &str| match user::by_name(name) {
        Ok(account) => account.is_some(),
        Err(error) => {
            note("cannot read the user database", error);
            false
        }
    };
    let system_aliases = || match SystemAliases::read() {
        Ok(aliases) => aliases,
        Err((path, error)) => {
            let what = format!("cannot read {path}");
            if error.is_failure() {
                note(&what, error.into())
            } else {
                let told = format!("{what}: {error}; the system's aliases do not count");
                unreadable.replace(Some(told));
            }
            SystemAliases::default()
        }
    };
    let world = World {
        relay: relay.clone().filter(|_| mta == Mta::Auto),
        mta,
        local_leaves: settings.text("local") == Some("relay"),
        qualify_domain: identity.qualify_domain.clone(),
        own_names: identity.own_names.clone(),
        find_sendmail: &find_sendmail,
        is_account: &is_account,
        system_aliases: &system_aliases,
    };
    let recipients = draft.recipients().map(|named| named.address());
    let (steps, ignored) = route::plan(recipients, &world);
    if let Some(failure) = trouble.into_inner() {
        return Err(failure);
    }
    if steps.len() + ignored.len() > MAX_RECIPIENTS {
        let what = format!(
            "the message has more than {MAX_RECIPIENTS} recipients: the system's aliases lead to them"
        );
        return Err(Failure::new(Kind::Data, what));
    }
    notices.extend(unreadable.into_inner());
    notices.extend(ignored.into_iter().map(|member| {
        format!("the system's aliases lead to {member}, which is no mailbox and was left out")
    }));
    let leaves = steps
        .iter()
        .any(|step| step.route.as_deref() == Ok(&Route::Relay));
    let lacks_domain = || {
        let sender = match &draft.envelope_sender {
            Some(asked) => asked.qualified(&identity.qualify_domain),
            None => identity.default_sender(true),
        };
        let is_bare = |address: &EnvelopeAddress| !address.domain().unwrap_or("").contains('.');
        let targets = steps
            .iter()
            .filter(|step| step.route.as_deref() == Ok(&Route::Relay));
        is_bare(&sender) || targets.map(|step| &step.target).any(is_bare)
    };
    // Sent anyway (design decision D4): it is a relay's refusal that makes it worth a word.
    let hint = (leaves && lacks_domain()).then(|| {
        format!(
            "relays may refuse addresses at {0}: write set hostname={0}.example.org or set from= into /etc/mail.rc",
            identity.qualify_domain
        )
    });
    let is_unchecked = |url: &RelayUrl| relay::is_unchecked(url, settings);
    if leaves && relay.as_ref().is_some_and(is_unchecked) {
        notices.push(format!(
            "{}: the relay's certificate is not checked",
            settings.origin("tls-verify")
        ));
    }
    Ok(Plan {
        steps,
        identity,
        relay,
        notices,
        hint,
    })
}

fn config_failure(problem: &Problem) -> Failure {
    let what = format!("{}: {}", problem.origin, problem.what);
    let failure = Failure::new(Kind::Config, what);
    match &problem.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

/// Returns a route in a word or two.
pub fn name_of(route: &Route, plan: &Plan) -> String {
    match route {
        Route::Sendmail(path) => format!("sendmail {}", sanitize::path(&path)),
        Route::Relay => match &plan.relay {
            Some(url) => format!("relay {url}"),
            None => "relay".to_owned(),
        },
        Route::Local(name) => format!("mailbox of {name}"),
        Route::Test(None) => "test".to_owned(),
        Route::Test(Some(path)) => format!("test {}", sanitize::path(&path)),
    }
}
