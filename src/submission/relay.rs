//! The relay as configured: from a URL and variables to what the SMTP transport takes.
//!
//! Secrets come from a file, a command, systemd's credentials, netrc, a variable or the URL
//! (design decision D20); one in a file that others can read is refused.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Origin, Settings, mailrc};
use crate::exit::{Failure, Kind};
use crate::submission::identity::Identity;
use crate::submission::mta::{RelayUrl, Scheme};
use crate::submission::{Surroundings, seconds};
use crate::sys::{child, user};
use crate::transport::Outcome;
use crate::transport::smtp::{
    Credentials, Mechanism, Relay, Secret, Security, Timeouts, Verify, parse_fingerprint,
};

/// How large a file or an output with a secret may be, in bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// How long a password command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Builds the relay that the settings describe.
///
/// # Errors
/// 78 when they contradict each other or a secret is not safe; 77 when there is a login name
/// but no password.
pub fn build(
    url: &RelayUrl,
    around: &Surroundings<'_>,
    identity: &Identity,
) -> Result<Relay, Failure> {
    let settings = around.settings;
    let mut relay = Relay::new(url.host.clone(), url.port);
    let required = settings.text("tls") == Some("require") || settings.is_set("smtp-use-starttls");
    relay.security = match url.scheme {
        Scheme::Smtps | Scheme::Submissions => Security::Implicit,
        Scheme::Submission => Security::StartTls,
        Scheme::Smtp if required || url.port == 587 => Security::StartTls,
        Scheme::Smtp => Security::Opportunistic,
    };
    relay.verify = match settings.text("tls-verify") {
        Some("ignore" | "warn" | "no") => Verify::Ignore,
        _ => Verify::Strict,
    };
    relay.ca_file = settings
        .path("tls-ca-file")
        .map(|name| mailrc::expand_home(name, around.environment.home_directory().as_deref()));
    if let Some(text) = settings.text("tls-fingerprint") {
        let fingerprint = parse_fingerprint(text).map_err(|error| {
            let what = format!(
                "{}: tls-fingerprint is wrong",
                settings.origin("tls-fingerprint")
            );
            Failure::new(Kind::Config, what).because(error)
        })?;
        relay.fingerprint = Some(fingerprint);
    }
    relay.credentials = credentials(url, around)?;
    if relay.credentials.is_some() && relay.verify == Verify::Ignore && !is_loopback(&url.host) {
        // A password never goes to just anybody: a good certificate is no hindrance, and a bad
        // one is told with the tls-fingerprint line to write instead (see `distrusted`).
        relay.verify = Verify::Strict;
    }
    relay.helo_name = settings
        .text("smtp-hostname")
        .unwrap_or(&identity.host)
        .to_owned();
    let timeout = |name, default| seconds(settings, name).unwrap_or(Duration::from_secs(default));
    relay.timeouts = Timeouts {
        connect: timeout("smtp-connect-timeout", 10),
        reply: timeout("smtp-timeout", 60),
        deadline: match settings.origin("smtp-deadline") {
            Origin::Default if around.terminal => None,
            _ => seconds(settings, "smtp-deadline"),
        },
        ..Timeouts::default()
    };
    Ok(relay)
}

/// Makes a configuration error of a certificate that `tls-verify=ignore` would have let pass.
pub fn distrusted(settings: &Settings, outcome: &mut Outcome) {
    let ignores = settings
        .text("tls-verify")
        .is_some_and(|value| value != "strict");
    let names_pin = |hint: &String| hint.contains("tls-fingerprint");
    if ignores && outcome.kind == Kind::NoPermission && outcome.hint.as_ref().is_some_and(names_pin)
    {
        outcome.kind = Kind::Config;
        outcome.text = format!(
            "{}: a password is not sent to a relay whose certificate does not check: {}",
            settings.origin("tls-verify"),
            outcome.text
        );
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn credentials(url: &RelayUrl, around: &Surroundings<'_>) -> Result<Option<Credentials>, Failure> {
    let settings = around.settings;
    let mechanism = match settings
        .text("smtp-auth")
        .unwrap_or("auto")
        .to_ascii_lowercase()
        .as_str()
    {
        "none" | "no" => return Ok(None),
        "auto" | "" => Mechanism::Auto,
        "plain" => Mechanism::Plain,
        "login" => Mechanism::Login,
        "xoauth2" => Mechanism::XOAuth2,
        "oauthbearer" => Mechanism::OAuthBearer,
        other => {
            let what = format!(
                "{}: smtp-auth={other} is not known",
                settings.origin("smtp-auth")
            );
            return Err(Failure::new(Kind::Config, what)
                .hint("smtp-auth is auto, plain, login, xoauth2, oauthbearer or none"));
        }
    };
    let mut user = url
        .user
        .clone()
        .or_else(|| settings.text("smtp-auth-user").map(str::to_owned));
    let mut secret = configured_secret(url, around)?;
    if secret.is_none()
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
        })),
        (Some(user), None) => Err(Failure::new(
            Kind::NoPermission,
            format!("there is no password for {user} at {}", url.host),
        )
        .hint("set password-file= to a file of mode 600 that holds it")),
    }
}

/// Finds the secret that the configuration names, the safest way first.
fn configured_secret(url: &RelayUrl, around: &Surroundings<'_>) -> Result<Option<Secret>, Failure> {
    let settings = around.settings;
    if let Some(name) = settings.path("password-file") {
        let home = around.environment.home_directory();
        let path = mailrc::expand_home(name, home.as_deref());
        return read_secret(&path).map(Some);
    }
    if let Some(command) = settings.text("password-command") {
        return ask_command(command, around).map(Some);
    }
    if let Some(directory) = &around.environment.credentials_directory {
        // LoadCredential=smtp-password:… of a systemd unit.
        let path = directory.join("smtp-password");
        if path.exists() {
            return read_secret(&path).map(Some);
        }
    }
    if let Some(password) = settings.text("password") {
        check_rc(&settings.origin("password"))?;
        return Ok(Some(Secret::new(password)));
    }
    if let Some(password) = &url.password {
        let variable = if settings.text("smtp").is_some() {
            "smtp"
        } else {
            "mta"
        };
        check_rc(&settings.origin(variable))?;
        return Ok(Some(Secret::new(password.clone())));
    }
    Ok(None)
}

/// Refuses a password in an rc file that others can read.
fn check_rc(origin: &Origin) -> Result<(), Failure> {
    match origin {
        Origin::File { path, .. } => {
            let file = File::open(path).map_err(|error| unreadable(path, error))?;
            check_private(path, &file)
        }
        _ => Ok(()),
    }
}

/// Refuses a file with a secret that anybody but its owner, or a group that is not the owner's
/// login group, can read.
fn check_private(path: &Path, file: &File) -> Result<(), Failure> {
    let metadata = file.metadata().map_err(|error| unreadable(path, error))?;
    let by_group = metadata.mode() & 0o040 != 0
        && user::by_uid(metadata.uid()).is_none_or(|owner| owner.gid == metadata.gid());
    let by_group = by_group && metadata.gid() != 0;
    if metadata.mode() & 0o007 != 0 || metadata.mode() & 0o020 != 0 || by_group {
        return Err(Failure::new(
            Kind::Config,
            format!("the password in {} can be read by others", path.display()),
        )
        .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::new(
        Kind::Config,
        format!("cannot read the password in {}", path.display()),
    )
    .because(error)
}

/// Reads the first line of a file that only its owner can read.
fn read_secret(path: &Path) -> Result<Secret, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    check_private(path, &file)?;
    let mut text = String::new();
    file.take(MAX_SECRET)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(path, error))?;
    first_line(&text).ok_or_else(|| {
        Failure::new(
            Kind::Config,
            format!("there is no password in {}", path.display()),
        )
    })
}

fn first_line(text: &str) -> Option<Secret> {
    let line = text.lines().next()?;
    (!line.is_empty()).then(|| Secret::new(line))
}

/// Runs the password command; its arguments are split as in an rc file, no shell is involved.
fn ask_command(command: &str, around: &Surroundings<'_>) -> Result<Secret, Failure> {
    let fail = |why: String| {
        Failure::new(
            Kind::NoPermission,
            "cannot get the password by password-command",
        )
        .because(why)
    };
    let words = mailrc::words(command).map_err(fail)?;
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| fail("it is empty".to_owned()))?;
    let mut command = child::command(program);
    command.args(arguments);
    let stdin = File::open("/dev/null").map_err(|error| fail(error.to_string()))?;
    let output = child::output(command, stdin, Some(COMMAND_TIMEOUT), around.signals)
        .map_err(|error| fail(crate::exit::with_causes(&error)))?;
    match output.end {
        child::End::Exited(0) => String::from_utf8(output.output)
            .ok()
            .as_deref()
            .and_then(first_line)
            .ok_or_else(|| fail("it printed no password".to_owned())),
        child::End::Exited(status) => Err(fail(format!("it exited with status {status}"))),
        child::End::Killed(signal) => Err(fail(format!("it was killed by signal {signal}"))),
        child::End::TimedOut => Err(fail("it did not end in 30 seconds".to_owned())),
        child::End::Interrupted(_) => Err(fail("interrupted".to_owned())),
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
    let Some(path) = path.filter(|path| path.is_file()) else {
        return Ok(None);
    };
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
    let Some((login, password)) = in_netrc(&text, &url.host, user) else {
        return Ok(None);
    };
    let file = File::open(&path).map_err(|error| unreadable(&path, error))?;
    check_private(&path, &file)?;
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
