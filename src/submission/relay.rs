//! The relay as configured: from a URL and variables to what the SMTP transport takes.
//!
//! A secret comes from a file, a command, systemd's credentials, a variable, the URL or netrc. A
//! secret in a file that others can read is refused.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::{Origin, Settings, file_name, words};
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::submission::mta::{Mta, RelayUrl, Scheme};
use crate::sys::open::{self, Unread, Use};
use crate::sys::{child, user};
use crate::transport::smtp::{
    Credentials, Mechanism, Relay, Secret, Security, Timeouts, Verify, parse_fingerprint,
};
use crate::transport::{Disposition, Outcome};

/// How long a password command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Builds the relay that the settings describe.
///
/// # Errors
/// 78 when they contradict each other or a secret is not safe; 77 when there is a login name
/// but no password.
pub fn build(url: &RelayUrl, around: &Surroundings<'_>) -> Result<Relay, Failure> {
    let settings = around.settings;
    let mut relay = Relay::new(url.host.clone(), url.port);
    relay.security = security(url, settings)?;
    relay.verify = if ignores_certificates(settings) {
        Verify::Ignore
    } else {
        Verify::Strict
    };
    let ca_file = settings.path("tls-ca-file");
    relay.ca_file = ca_file
        .map(|name| named_file(name, "cannot read the certificates in", around))
        .transpose()?;
    relay.system_ca_file = around.environment.ssl_cert_file.clone();
    if let Some(text) = settings.text("tls-fingerprint") {
        let fingerprint = parse_fingerprint(text).map_err(|error| {
            let what = settings
                .origin("tls-fingerprint")
                .says("tls-fingerprint is not valid");
            Failure::new(Kind::Config, what).because(error)
        })?;
        relay.fingerprint = Some(fingerprint);
    }
    if settings.is_set("tls-ca-no-defaults")
        && relay.ca_file.is_none()
        && relay.fingerprint.is_none()
    {
        let origin = settings.origin("tls-ca-no-defaults");
        let what = format!("{origin}: with tls-ca-no-defaults no certificate is trusted");
        return Err(Failure::new(Kind::Config, what)
            .hint("set tls-ca-file= or tls-fingerprint= to say what is trusted"));
    }
    // The secret is fetched late: a password command may ask a person, who should not be asked in
    // vain because a file of certificates is missing.
    relay.credentials = credentials(url, around)?;
    if relay.credentials.is_some() {
        forbid_clear_login(url, settings)?;
    }
    if relay.credentials.is_some() && relay.verify == Verify::Ignore && !is_loopback(&url.host) {
        // A password is only sent to a relay that is known. A good certificate passes; a bad one is
        // reported with the tls-fingerprint line to write instead (see `distrusted`).
        relay.verify = Verify::Strict;
    }
    relay.helo_name = settings.helo_name();
    relay.timeouts = timeouts(settings, around.terminal);
    Ok(relay)
}

/// Returns how long what may take; a person at a terminal ends a submission by hand.
fn timeouts(settings: &Settings, terminal: bool) -> Timeouts {
    let timeout = |name, default| {
        let set = settings.duration(name);
        set.unwrap_or(Duration::from_secs(default))
    };
    let deadline = settings.duration("smtp-deadline");
    // Without a terminal the caller is cron or a monitoring system, which must not hang on a slow
    // relay. A deadline that was set by hand counts in both cases.
    let is_limited = match settings.origin("smtp-deadline") {
        Origin::Default => !terminal,
        _ => settings.is_set("smtp-deadline"),
    };
    Timeouts {
        connect: timeout("smtp-connect-timeout", 10),
        reply: timeout("smtp-timeout", 60),
        deadline: deadline.filter(|time| is_limited && !time.is_zero()),
        ..Timeouts::default()
    }
}

/// Refuses what contradicts itself in the configuration of a relay, before anything is sent.
///
/// # Errors
/// 78 when `tls=no` meets something that asks for TLS, or a login for another host.
pub fn check(url: &RelayUrl, settings: &Settings) -> Result<(), Failure> {
    security(url, settings)?;
    if has_login(url, settings) {
        forbid_clear_login(url, settings)
    } else {
        Ok(())
    }
}

/// Returns how the channel is made secure.
fn security(url: &RelayUrl, settings: &Settings) -> Result<Security, Failure> {
    let is_required =
        settings.get("tls") == Some("require") || settings.is_set("smtp-use-starttls");
    if is_clear(settings) {
        // A contradiction is not resolved by a rule of precedence: either reading may send
        // something in clear that was to be protected.
        let asking = ["smtp-use-starttls", "tls-ca-file", "tls-fingerprint"];
        let other = match asking.into_iter().find(|name| settings.is_set(name)) {
            Some(name) => format!("{name} ({}) requires TLS", settings.origin(name)),
            None if url.scheme != Scheme::Smtp => format!("{url} requires TLS"),
            None => return Ok(Security::Clear),
        };
        let what = settings.origin("tls").says(&format!("tls=no, but {other}"));
        return Err(Failure::new(Kind::Config, what).hint("remove one of the two settings"));
    }
    Ok(match url.scheme {
        Scheme::Smtps | Scheme::Submissions => Security::Implicit,
        Scheme::Submission => Security::StartTls,
        // Port 587 is for submission by users, who log in (RFC 6409); relays there all have
        // STARTTLS, and one that does not offer it has probably had it removed on the way.
        Scheme::Smtp if is_required || url.port == 587 => Security::StartTls,
        Scheme::Smtp => Security::Opportunistic,
    })
}

/// Returns whether TLS is never used (`tls=no`).
fn is_clear(settings: &Settings) -> bool {
    settings.get("tls") == Some("no")
}

/// Returns whether any certificate is taken (`tls-verify=ignore`).
fn ignores_certificates(settings: &Settings) -> bool {
    settings.get("tls-verify") == Some("ignore")
}

/// Returns whether the relay's certificate really goes unchecked: not where it is pinned, nor where
/// a password would be sent to another host.
pub fn is_unchecked(url: &RelayUrl, settings: &Settings) -> bool {
    let is_checked = settings.is_set("tls-fingerprint")
        || is_clear(settings)
        || (has_login(url, settings) && !is_loopback(&url.host));
    ignores_certificates(settings) && !is_checked
}

/// Returns whether there is a login name for this relay.
fn has_login(url: &RelayUrl, settings: &Settings) -> bool {
    let is_named = url.user.is_some() || settings.text("smtp-auth-user").is_some();
    is_named && settings.get("smtp-auth") != Some("none")
}

/// Refuses to log in without TLS at another host, although the relay might have none.
fn forbid_clear_login(url: &RelayUrl, settings: &Settings) -> Result<(), Failure> {
    if !is_clear(settings) || is_loopback(&url.host) {
        return Ok(());
    }
    let origin = settings.origin("tls");
    let what = origin.says(&format!(
        "tls=no, but the password is never sent without TLS to {}",
        url.host
    ));
    Err(Failure::new(Kind::Config, what)
        .hint("remove tls=no, so that the password is sent over TLS"))
}

/// Makes a configuration error of a certificate that `tls-verify=ignore` would have let pass.
pub fn distrusted(settings: &Settings, outcome: &mut Outcome) {
    let ignores = ignores_certificates(settings);
    // Only a refused certificate has this hint; a refused login has the same kind.
    let names_pin = |hint: &String| hint.contains("tls-fingerprint");
    if ignores
        && outcome.kind() == Some(Kind::NoPermission)
        && outcome.hint.as_ref().is_some_and(names_pin)
    {
        outcome.disposition = Disposition::Refused(Kind::Config);
        outcome.text = format!(
            "{}: the password is not sent, because the relay's certificate is not trusted: {}",
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
    let mechanism = match settings.get("smtp-auth").unwrap_or("auto") {
        "none" => return Ok(None),
        "plain" => Mechanism::Plain,
        "login" => Mechanism::Login,
        "xoauth2" => Mechanism::XOAuth2,
        "oauthbearer" => Mechanism::OAuthBearer,
        _ => Mechanism::Auto,
    };
    let mut user = url
        .user
        .clone()
        .or_else(|| settings.text("smtp-auth-user").map(str::to_owned));
    let mut secret = configured_secret(url, around)?;
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
        })),
        (Some(user), None) => Err(Failure::new(
            Kind::NoPermission,
            format!("there is no password for {user} at {}", url.host),
        )
        .hint("set password-file= to a file of mode 600 that contains it")),
    }
}

/// Returns the file that a variable of the route names.
///
/// # Errors
/// 78 when the name means no file, as for one that is not there; 75 when the system failed to look.
fn named_file(name: &OsStr, what: &str, around: &Surroundings<'_>) -> Result<PathBuf, Failure> {
    let home = around.environment.home_directory();
    let path = file_name::of_setting(name, around.settings, home.as_deref());
    path.map_err(|error| {
        let mut failure = error.failure(format!("{what} {}", sanitize::path(&name)));
        if matches!(failure.kind, Kind::NoInput | Kind::NoUser) {
            failure.kind = Kind::Config;
        }
        failure
    })
}

/// Finds the secret that the configuration names, the safest way first.
fn configured_secret(url: &RelayUrl, around: &Surroundings<'_>) -> Result<Option<Secret>, Failure> {
    let settings = around.settings;
    // The order is that of safety: a file of its own, a command, systemd's credentials, then what
    // stands in an rc file among other settings. The first one that is set counts, and its failure
    // is an error: trying the next could send a wrong password and lock the account.
    if let Some(name) = settings.path("password-file") {
        let path = named_file(name, "cannot read the password in", around)?;
        return Ok(Some(read_secret(&path, around)?));
    }
    if let Some(command) = settings.text("password-command") {
        return ask_command(command, around).map(Some);
    }
    if let Some(directory) = &around.environment.credentials_directory {
        // LoadCredential=smtp-password:… of a systemd unit.
        let path = directory.join("smtp-password");
        match read_secret(&path, around) {
            Err(SecretError::Absent(_)) => {}
            read => return Ok(Some(read?)),
        }
    }
    if let Some(password) = settings.text("password") {
        check_rc(&settings.origin("password"))?;
        return Ok(Some(Secret::new(password)));
    }
    if let Some(password) = &url.password {
        let variable = match Mta::of(settings) {
            Ok(Mta::Relay(_)) => "mta",
            _ => "smtp",
        };
        check_rc(&settings.origin(variable))?;
        return Ok(Some(Secret::new(password.clone())));
    }
    Ok(None)
}

/// Refuses a password in an rc file that others can read.
fn check_rc(origin: &Origin) -> Result<(), Failure> {
    let Origin::File { path, .. } = origin else {
        return Ok(());
    };
    let file = open::read::open(path, Use::Rc).map_err(|error| unreadable(path, error))?;
    file.metadata()
        .map_or(Ok(()), |metadata| check_private(path, metadata))
}

/// Refuses a file with a secret that anybody but its owner, or a group that is not the owner's
/// login group, can read.
fn check_private(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let mode = metadata.mode();
    // Group root is allowed, and so is a group that is not the owner's login group: somebody gave
    // it the file on purpose (root:mail 0640). The login group is there by itself, and may be
    // `users`. Whoever may write could put in a login of their own, so that counts as well.
    let by_group = mode & 0o040 != 0 && metadata.gid() != 0 && {
        let owner = user::by_uid(metadata.uid());
        let owner = owner.map_err(|error| unreadable(path, error.into()))?;
        owner.is_none_or(|owner| owner.gid == metadata.gid())
    };
    if mode & 0o007 != 0 || mode & 0o020 != 0 || by_group {
        return Err(Failure::new(
            Kind::Config,
            format!(
                "other users can read the password in {}",
                sanitize::path(&path)
            ),
        )
        .hint(format!("chmod 600 {}", sanitize::path(&path))));
    }
    Ok(())
}

fn unreadable(path: &Path, error: Unread) -> Failure {
    Failure::new(
        error.kind(Kind::Config),
        format!("cannot read the password in {}", sanitize::path(&path)),
    )
    .because(error)
}

/// Why there is no secret in a file.
enum SecretError {
    /// There is no such file.
    Absent(Failure),
    /// It cannot be read or must not be used.
    Refused(Failure),
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Failure {
        match error {
            SecretError::Absent(failure) | SecretError::Refused(failure) => failure,
        }
    }
}

/// Reads the first line of a file that only its owner can read.
fn read_secret(path: &Path, around: &Surroundings<'_>) -> Result<Secret, SecretError> {
    let unread = |error: Unread| {
        if error.is_absent() {
            SecretError::Absent(unreadable(path, error))
        } else {
            SecretError::Refused(unreadable(path, error))
        }
    };
    let file = open::read::open(path, Use::Password).map_err(unread)?;
    if let Some(metadata) = file.metadata() {
        check_private(path, metadata).map_err(SecretError::Refused)?;
    }
    // A FIFO or /dev/stdin is allowed, for secrets that come from another program.
    let bytes = file.bytes_or_stream(Use::Password, around.signals);
    let text = Zeroizing::new(bytes.map_err(unread)?);
    let text = str::from_utf8(&text).ok();
    text.and_then(first_line).ok_or_else(|| {
        SecretError::Refused(Failure::new(
            Kind::Config,
            format!("there is no password in {}", sanitize::path(&path)),
        ))
    })
}

fn first_line(text: &str) -> Option<Secret> {
    let line = text.lines().next()?;
    (!line.is_empty()).then(|| Secret::new(line))
}

/// Runs the password command; its arguments are split as in an rc file, no shell is involved.
fn ask_command(command: &str, around: &Surroundings<'_>) -> Result<Secret, Failure> {
    let failed = |kind, why: String| {
        Failure::new(kind, "cannot get the password from password-command").because(why)
    };
    let fail = |why: String| failed(Kind::NoPermission, why);
    let words = words::texts(command).map_err(fail)?;
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| fail("it is empty".to_owned()))?;
    let not_run = |error: io::Error| {
        let kind = open::kind_of(&error, Kind::NoPermission);
        let program = sanitize::line(program.as_bytes());
        let why = crate::exit::with_causes(&error);
        failed(kind, format!("cannot run {program}: {why}"))
    };
    // The secret comes by the command's standard output and never by an argument or the
    // environment, which other processes can read.
    let mut command = child::command(program);
    command.args(arguments);
    let stdin = child::no_input().map_err(not_run)?;
    let output =
        child::output(command, stdin, Some(COMMAND_TIMEOUT), around.signals).map_err(not_run)?;
    let program = sanitize::line(program.as_bytes());
    match output.end {
        child::End::Exited(0) => String::from_utf8(output.output)
            .ok()
            .as_deref()
            .and_then(first_line)
            .ok_or_else(|| fail(format!("{program} printed no password"))),
        child::End::Exited(status) => Err(fail(format!("{program} exited with status {status}"))),
        child::End::Killed(signal) => Err(fail(format!("{program} was killed by signal {signal}"))),
        child::End::Unknown => Err(failed(
            Kind::TryLater,
            format!("cannot wait for the end of {program}"),
        )),
        child::End::TimedOut => Err(fail(format!("{program} did not end in 30 seconds"))),
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
    let Some(path) = path else {
        return Ok(None);
    };
    let file = match open::read::open(&path, Use::Netrc) {
        Ok(file) => file,
        // A netrc that is there and cannot be read is a failure: it may hold the login (D27).
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(unreadable(&path, error)),
    };
    let metadata = file.metadata().cloned();
    let bytes = file.bytes(Use::Netrc);
    let bytes = Zeroizing::new(bytes.map_err(|error| unreadable(&path, error))?);
    let text = String::from_utf8_lossy(&bytes);
    // The file's rights are checked only where it holds an entry for this relay: a readable netrc
    // for FTP hosts is none of our business.
    let Some((login, password)) = in_netrc(&text, &url.host, user) else {
        return Ok(None);
    };
    if let Some(metadata) = metadata {
        check_private(&path, &metadata)?;
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
    fn the_times_of_a_relay_are_those_that_are_set() {
        let times = |words: &[&str], terminal| {
            let mut settings = Settings::default();
            for word in words {
                crate::config::mailrc::apply_set(
                    &mut settings,
                    word,
                    Origin::Option("-S".to_owned()),
                )
                .unwrap();
            }
            let times = timeouts(&settings, terminal);
            let deadline = times.deadline.map(|time| time.as_secs());
            (times.connect.as_secs(), times.reply.as_secs(), deadline)
        };
        assert_eq!(times(&[], false), (10, 60, Some(60)));
        assert_eq!(times(&[], true), (10, 60, None));
        assert_eq!(times(&["smtp-connect-timeout=3"], false), (3, 60, Some(60)));
        assert_eq!(
            times(&["socket-connect-timeout=1m"], false),
            (60, 60, Some(60))
        );
        assert_eq!(times(&["smtp-timeout=5m"], false), (10, 300, Some(60)));
        assert_eq!(times(&["smtp-deadline=1h"], true), (10, 60, Some(3600)));
        assert_eq!(times(&["smtp-deadline=0"], false), (10, 60, None));
        assert_eq!(
            times(&["nosmtp-deadline", "nosmtp-timeout"], false),
            (10, 60, None)
        );
        let longest = 366 * 24 * 60 * 60;
        assert_eq!(
            times(&["smtp-timeout=99999999999999999999"], false).1,
            longest
        );
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
