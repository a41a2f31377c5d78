//! The login for a relay and its secret: from the settings to what the SMTP transport presents.
//!
//! A token that is fetched comes from `token`. Any other secret comes from a file, a command,
//! systemd's credentials, a variable, the URL or netrc. `secret_file` reads the files, and refuses one
//! that others can read.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::outcome::outcome_of_failure;
use super::secret_file::{
    SecretError, check_private, first_line, named_file, read_secret, unreadable,
};
use super::token;
use crate::address::parse_people;
use crate::config::{KnownNames, Origin, Settings, words};
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::submission::mta::Mta;
use crate::submission::relay_list::RelayList;
use crate::submission::relay_secret;
use crate::submission::relay_url::RelayUrl;
use crate::sys::child;
use crate::sys::open::{self, Use};
use crate::sys::signals::Signals;
use crate::transport::Outcome;
use crate::transport::smtp::{Credentials, Mechanism, Renewal, Secret};

/// What most of these secrets are, as messages name it.
const PASSWORD: &str = "password";

/// How long a password command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the login name for a relay, if one is set.
///
/// A token is given for a mailbox, and a relay that takes one lets it send from that mailbox: so where
/// a token is asked for, the sender that is set is the login as well.
pub(super) fn login_name(url: &RelayUrl, settings: &Settings) -> Option<String> {
    let set = url.user.as_deref().or(settings.text("smtp-auth-user"));
    let own = || {
        let from = settings
            .text("from")
            .filter(|_| token::is_asked_for(url, settings))?;
        let names = KnownNames::new(settings);
        let from = parse_people(from, &|name| names.ask(name));
        let from = from.into_iter().flatten().next()?;
        Some(from.address().to_string()).filter(|address| address.contains('@'))
    };
    set.map(str::to_owned).or_else(own)
}

/// Returns whether there is a login for this relay.
pub(super) fn has_login(url: &RelayUrl, settings: &Settings) -> bool {
    let is_named = login_name(url, settings).is_some() || token::is_asked_for(url, settings);
    is_named && settings.get("smtp-auth") != Some("none")
}

/// Says as whom and by what secret we log in at a relay; no secret is looked at.
pub(super) fn describe_login(url: &RelayUrl, settings: &Settings) -> String {
    let user = match login_name(url, settings) {
        Some(user) if settings.get("smtp-auth") != Some("none") => user,
        _ => return format!("no login is set for {}", url.host),
    };
    let file = settings.path("password-file").map(sanitize::path);
    let by = if let Some(service) = token::service(url, settings) {
        format!("a token from {service}")
    } else if let Some(file) = file {
        format!("the password in {file}")
    } else if settings.is_set("password-command") {
        "the password that password-command prints".to_owned()
    } else if settings.is_set("password") || url.password.is_some() {
        "the password in the configuration".to_owned()
    } else {
        "the password of a credential or of netrc".to_owned()
    };
    format!("login at {} as {user}, with {by}", url.host)
}

/// Refuses what contradicts itself in the settings of a login.
///
/// # Errors
/// 78 when it does.
pub(super) fn check(url: &RelayUrl, settings: &Settings) -> Result<(), Failure> {
    if settings.get("smtp-auth") == Some("none") {
        return Ok(());
    }
    token::check(url, settings)?;
    if token::is_asked_for(url, settings) && login_name(url, settings).is_none() {
        return Err(Failure::new(
            Kind::Config,
            format!(
                "a token for {} is configured, but not for which mailbox",
                url.host
            ),
        )
        .hint("set from= or smtp-auth-user= to the address of the mailbox"));
    }
    Ok(())
}

/// Refuses one secret for several hosts: it is not known which of them it is for.
///
/// # Errors
/// 78 when relays of several hosts would get it.
pub(super) fn check_list(list: &RelayList, around: &Surroundings<'_>) -> Result<(), Failure> {
    let settings = around.settings;
    if settings.get("smtp-auth") == Some("none") {
        return Ok(());
    }
    let mut hosts: Vec<&RelayUrl> = Vec::new();
    for url in list.iter() {
        let would_get_it = url.password.is_none() && login_name(url, settings).is_some();
        if would_get_it
            && !hosts
                .iter()
                .any(|known| relay_secret::is_same_host(known, url))
        {
            hosts.push(url);
        }
    }
    if hosts.len() < 2 {
        return Ok(());
    }
    let names = hosts
        .iter()
        .map(|url| url.host.as_str())
        .collect::<Vec<_>>();
    let names = names.join(" and ");
    let set = relay_secret::PASSWORDS
        .into_iter()
        .chain(relay_secret::TOKENS)
        .find(|name| settings.is_set(name));
    let what = match set {
        Some(name) => {
            let is_token = relay_secret::TOKENS.contains(&name) && token::are_configured(settings);
            let secret = if is_token { "token" } else { "password" };
            let what = format!("{name} gives one {secret}, but both {names} would get it");
            settings.origin(name).says(&what)
        }
        None => {
            let directory = around.environment.credentials_directory.as_ref();
            let file = directory.map(|directory| directory.join("smtp-password"));
            if !file.is_some_and(|file| file.exists()) {
                return Ok(());
            }
            format!("the credential smtp-password is one password, but both {names} would get it")
        }
    };
    Err(Failure::new(Kind::Config, what).hint(
        "a password goes to one host only: put the logins into ~/.netrc, with a machine line for each relay, or each password into the URL of its relay",
    ))
}

/// Finds the login for a relay: none where no login name is set.
///
/// # Errors
/// 77 when there is a login name but no password; 78 when a secret is not safe; 75 when a token
/// cannot be had now.
pub(super) fn credentials(
    url: &RelayUrl,
    around: &Surroundings<'_>,
) -> Result<Option<Credentials>, Failure> {
    let settings = around.settings;
    let mechanism = match settings.get("smtp-auth").unwrap_or("auto") {
        "none" => return Ok(None),
        "plain" => Mechanism::Plain,
        "login" => Mechanism::Login,
        "xoauth2" => Mechanism::XOAuth2,
        "oauthbearer" => Mechanism::OAuthBearer,
        _ if token::is_asked_for(url, settings) => Mechanism::Token,
        _ => Mechanism::Auto,
    };
    check(url, settings)?;
    let mut user = login_name(url, settings);
    let source = match &user {
        Some(user) => token::source(url, user, around)?,
        None => None,
    };
    let (mut secret, renewal) = match source {
        Some(source) => {
            let token = source.token()?;
            (Some(token), Some(Arc::new(source) as Arc<dyn Renewal>))
        }
        None => configured_secret(url, around)?,
    };
    if secret.is_none()
        && settings.is_set("netrc-lookup")
        && let Some((login, password)) = netrc(url, user.as_deref(), around)?
    {
        user = user.or(login);
        secret = Some(password);
    }
    match (user, secret) {
        (None, _) => Ok(None),
        (Some(user), Some(secret)) => Ok(Some(Credentials {
            user,
            secret,
            mechanism,
            renewal,
        })),
        (Some(user), None) => {
            let missing = || {
                let what = format!("there is no password for {user} at {}", url.host);
                Failure::new(Kind::NoPermission, what)
                    .hint("set password-file= to a file of mode 600 that contains it")
            };
            Err(relay_secret::of_another(url, settings).unwrap_or_else(missing))
        }
    }
}

/// A secret, if there is one, and where another one comes from.
type FoundSecret = (Option<Secret>, Option<Arc<dyn Renewal>>);

/// Finds the secret that the configuration names, the safest way first, and where another one comes
/// from if the relay refuses it.
fn configured_secret(url: &RelayUrl, around: &Surroundings<'_>) -> Result<FoundSecret, Failure> {
    // Only what a program prints may be another one the next time.
    let lasting = |secret| Ok((Some(secret), None));
    let settings = around.settings;
    let is_for = |name| relay_secret::is_for(name, url, settings);
    // A password in the URL is for this relay, whatever else is set.
    if let Some(password) = &url.password {
        let variable = match Mta::of(settings) {
            Ok(Mta::Relay(_)) => "mta",
            _ => "smtp",
        };
        check_rc(&settings.origin(variable))?;
        return lasting(Secret::new(password.clone()));
    }
    // The order is that of safety: a file of its own, a command, systemd's credentials, then what
    // stands in an rc file among other settings. The first one that is set for this relay counts,
    // and its failure is an error: trying the next could send a wrong password and lock the account.
    if let Some(name) = settings
        .path("password-file")
        .filter(|_| is_for("password-file"))
    {
        let path = named_file(name, "cannot read the password in", around)?;
        return lasting(read_secret(&path, PASSWORD, around)?);
    }
    if let Some(command) = settings
        .text("password-command")
        .filter(|_| is_for("password-command"))
    {
        let command = PasswordCommand {
            text: command.to_owned(),
            signals: around.signals.without_bell(),
        };
        let secret = command.ask(around.signals)?;
        return Ok((Some(secret), Some(Arc::new(command))));
    }
    if let Some(directory) = &around.environment.credentials_directory {
        // LoadCredential=smtp-password:… of a systemd unit.
        let path = directory.join("smtp-password");
        match read_secret(&path, PASSWORD, around) {
            Err(SecretError::Absent(_)) => {}
            read => return lasting(read?),
        }
    }
    if let Some(password) = settings.text("password").filter(|_| is_for("password")) {
        check_rc(&settings.origin("password"))?;
        return lasting(Secret::new(password));
    }
    Ok((None, None))
}

/// Refuses a password in an rc file that others can read.
fn check_rc(origin: &Origin) -> Result<(), Failure> {
    let Origin::File { path, .. } = origin else {
        return Ok(());
    };
    let file = open::read::open(path, Use::Rc);
    let file = file.map_err(|error| unreadable(path, PASSWORD, error))?;
    file.metadata()
        .map_or(Ok(()), |metadata| check_private(PASSWORD, path, metadata))
}

/// The program that `password-command` names.
struct PasswordCommand {
    text: String,
    /// For the time when a relay has refused what it printed.
    signals: Signals,
}

impl fmt::Debug for PasswordCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its arguments may be secret.
        f.write_str("password-command")
    }
}

impl Renewal for PasswordCommand {
    fn renew(&self) -> Result<Secret, Outcome> {
        self.ask(&self.signals).map_err(outcome_of_failure)
    }
}

impl PasswordCommand {
    /// Runs it; its arguments are split as in an rc file, no shell is involved.
    fn ask(&self, signals: &Signals) -> Result<Secret, Failure> {
        let failed = |kind, why: String| {
            Failure::new(kind, "cannot get the password from password-command").because(why)
        };
        let fail = |why: String| failed(Kind::NoPermission, why);
        let mut arguments = words::texts(&self.text).map_err(fail)?;
        let program = arguments
            .next()
            .ok_or_else(|| fail("it is empty".to_owned()))?;
        let not_run = |error: io::Error| {
            let kind = open::kind_of(&error, Kind::NoPermission);
            let program = sanitize::line(program.as_bytes());
            let why = crate::exit::with_causes(&error);
            failed(kind, format!("cannot run {program}: {why}"))
        };
        // The secret comes by the command's standard output and never by an argument or the
        // environment, which other processes can read.
        let mut command = child::command(&program);
        command.args(arguments);
        let stdin = child::no_input().map_err(not_run)?;
        let output =
            child::output(command, stdin, Some(COMMAND_TIMEOUT), signals).map_err(not_run)?;
        let program = sanitize::line(program.as_bytes());
        match output.end {
            child::End::Exited(0) => String::from_utf8(output.output)
                .ok()
                .as_deref()
                .and_then(first_line)
                .ok_or_else(|| fail(format!("{program} printed no password"))),
            end => Err(failed(kind_of_end(end), describe(&program, end))),
        }
    }
}

/// Returns what the failure of a password command means: to be tried again later, or refused.
fn kind_of_end(end: child::End) -> Kind {
    match end {
        // A command that fetches a token ends so while its server cannot be reached, which is
        // usually when the relay cannot be reached either: 75 (try later), 69 (no such service now)
        // and 68 (host unknown). A command that hangs, dies or was stopped with us has not said
        // no, either.
        child::End::Exited(status) => match Kind::from_status(status) {
            Some(Kind::TryLater | Kind::Unavailable | Kind::NoHost) => Kind::TryLater,
            _ => Kind::NoPermission,
        },
        child::End::Killed(_)
        | child::End::TimedOut
        | child::End::Unknown
        | child::End::Interrupted(_) => Kind::TryLater,
    }
}

fn describe(program: &str, end: child::End) -> String {
    match end {
        child::End::Exited(status) => format!("{program} exited with status {status}"),
        child::End::Killed(signal) => format!("{program} was killed by signal {signal}"),
        child::End::TimedOut => format!(
            "{program} did not end in {} seconds",
            COMMAND_TIMEOUT.as_secs()
        ),
        child::End::Unknown => format!("cannot wait for the end of {program}"),
        child::End::Interrupted(_) => "interrupted".to_owned(),
    }
}

/// Looks the relay up in `$NETRC` or `~/.netrc`.
fn netrc(
    url: &RelayUrl,
    user: Option<&str>,
    around: &Surroundings<'_>,
) -> Result<Option<(Option<String>, Secret)>, Failure> {
    let environment = around.environment;
    let path: Option<PathBuf> = environment
        .netrc
        .clone()
        .or_else(|| Some(environment.home.as_ref()?.join(".netrc")));
    let Some(path) = path else {
        return Ok(None);
    };
    let file = match open::read::open(&path, Use::Netrc) {
        Ok(file) => file,
        // A netrc that is there and cannot be read is a failure: it may hold the login (D27).
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(unreadable(&path, PASSWORD, error)),
    };
    let metadata = file.metadata().cloned();
    let bytes = file.bytes(Use::Netrc);
    let bytes = Zeroizing::new(bytes.map_err(|error| unreadable(&path, PASSWORD, error))?);
    let text = String::from_utf8_lossy(&bytes);
    // The file's rights are checked only where it holds an entry for this relay: a readable netrc
    // for FTP hosts is none of our business.
    let Some((login, password)) = in_netrc(&text, &url.host, user) else {
        return Ok(None);
    };
    if let Some(metadata) = metadata {
        check_private(PASSWORD, &path, &metadata)?;
    }
    Ok(Some((login, Secret::new(password))))
}

/// Finds login and password of a machine in the text of a netrc file.
fn in_netrc(text: &str, host: &str, user: Option<&str>) -> Option<(Option<String>, String)> {
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace)
        .peekable();
    while let Some(word) = words.next() {
        let matches = match word {
            "machine" => words
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(host)),
            "default" => true,
            _ => continue,
        };
        let (mut login, mut password) = (None, None);
        while let Some(word) =
            words.next_if(|word| !["machine", "default", "macdef"].contains(word))
        {
            match word {
                "login" => login = words.next().map(str::to_owned),
                "password" => password = words.next().map(str::to_owned),
                _ => {}
            }
        }
        // netrc(5): the first entry that fits counts. An entry for another login of the same host
        // does not fit.
        let is_users = user.is_none() || login.is_none() || login.as_deref() == user;
        if let (true, true, Some(password)) = (matches, is_users, password) {
            return Some((login, password));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_command_that_cannot_reach_its_server_is_tried_again_later() {
        for status in 0..256 {
            let expected = match status {
                75 | 69 | 68 => Kind::TryLater,
                _ => Kind::NoPermission,
            };
            assert_eq!(
                kind_of_end(child::End::Exited(status)),
                expected,
                "{status}"
            );
        }
        for end in [
            child::End::Killed(9),
            child::End::TimedOut,
            child::End::Unknown,
            child::End::Interrupted(15),
        ] {
            assert_eq!(kind_of_end(end), Kind::TryLater, "{end:?}");
        }
    }

    #[test]
    fn netrc_gives_the_login_of_the_machine() {
        let text = "# mine\nmachine a.example login me password one\n\
                    machine b.example\n login you\n password two\ndefault login any password three\n";
        let found = |host, user| {
            in_netrc(text, host, user)
                .map(|(login, password)| (login.unwrap_or_default(), password))
        };
        let pair = |login: &str, password: &str| Some((login.to_owned(), password.to_owned()));
        assert_eq!(found("a.example", None), pair("me", "one"));
        assert_eq!(found("B.example", Some("you")), pair("you", "two"));
        assert_eq!(found("a.example", Some("other")), None);
        assert_eq!(found("c.example", None), pair("any", "three"));
    }
}
