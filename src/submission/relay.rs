//! The relay as configured: from a URL and variables to what the SMTP transport takes.
//!
//! The login and its password are found in `secret`.

use std::net::IpAddr;
use std::time::Duration;

use super::client_certificate;
use super::secret::{self, has_login};
use super::secret_file::named_file;
use crate::config::{Origin, Settings};
use crate::exit::{Failure, Kind};
use crate::submission::Surroundings;
use crate::submission::relay_url::{RelayUrl, Scheme};
use crate::transport::smtp::{OldestTls, Relay, Security, Timeouts, Verify, parse_fingerprints};
use crate::transport::{Disposition, Outcome};

/// How long a flush waits for a reply.
const FLUSH_REPLY: Duration = Duration::from_secs(30);

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
        relay.fingerprints = parse_fingerprints(text).map_err(|error| {
            let what = settings
                .origin("tls-fingerprint")
                .says("tls-fingerprint is not valid");
            Failure::new(Kind::Config, what).because(error)
        })?;
    }
    relay.client_certificate = client_certificate::of(around)?;
    if settings.get("tls-min-version") == Some("1.3") {
        relay.oldest_tls = OldestTls::V1_3;
    }
    if settings.is_set("tls-ca-no-defaults")
        && relay.ca_file.is_none()
        && relay.fingerprints.is_empty()
    {
        let origin = settings.origin("tls-ca-no-defaults");
        let what = format!("{origin}: with tls-ca-no-defaults no certificate is trusted");
        return Err(Failure::new(Kind::Config, what)
            .hint("set tls-ca-file= or tls-fingerprint= to say what is trusted"));
    }
    // The secret is fetched late: a password command may ask a person, who should not be asked in
    // vain because a file of certificates is missing.
    relay.credentials = secret::credentials(url, around)?;
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
        final_reply: timeout("smtp-accept-timeout", 600),
        deadline: deadline.filter(|time| is_limited && !time.is_zero()),
    }
}

/// Returns how long what may take in a flush that has so much time left: nobody watches it, but the
/// mail behind this one waits.
pub(crate) fn timeouts_of_flush(settings: &Settings, left: Duration) -> Timeouts {
    let mut timeouts = timeouts(settings, false);
    // Who has set a longer time knows a relay that needs it.
    if settings.origin("smtp-timeout") == Origin::Default {
        timeouts.reply = FLUSH_REPLY;
    }
    let deadline = timeouts
        .deadline
        .filter(|_| settings.origin("smtp-deadline") != Origin::Default);
    timeouts.deadline = Some(deadline.map_or(left, |deadline| deadline.min(left)));
    timeouts
}

/// Refuses what contradicts itself in the configuration of a relay, before anything is sent.
///
/// # Errors
/// 78 when `tls=no` meets something that asks for TLS, or a login for another host.
pub fn check(url: &RelayUrl, settings: &Settings) -> Result<(), Failure> {
    security(url, settings)?;
    secret::check(url, settings)?;
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
        let asking = [
            "smtp-use-starttls",
            "tls-ca-file",
            "tls-cert",
            "tls-fingerprint",
            "tls-key",
            "tls-min-version",
        ];
        // One of them has a default, which asks for nothing.
        let is_asked =
            |name: &&str| settings.is_set(name) && settings.origin(name) != Origin::Default;
        let other = match asking.into_iter().find(is_asked) {
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
        let mut patient = Settings::default();
        let option = || Origin::Option("-S".to_owned());
        assert_eq!(timeouts(&patient, false).final_reply.as_secs(), 600);
        crate::config::mailrc::apply_set(&mut patient, "smtp-accept-timeout=20m", option())
            .unwrap();
        assert_eq!(timeouts(&patient, false).final_reply.as_secs(), 1200);
        let longest = 366 * 24 * 60 * 60;
        assert_eq!(
            times(&["smtp-timeout=99999999999999999999"], false).1,
            longest
        );
    }
}
