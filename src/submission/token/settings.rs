//! The variables of a token: which service gives it, for which right, and what it is shown.
//!
//! Everything but the content of files is judged here, before any mail is planned.

use std::ffi::OsStr;

use super::super::relay_secret;
use super::super::relay_url::RelayUrl;
use crate::config::Settings;
use crate::exit::{Failure, Kind};
use crate::transport::https::ServiceUrl;

/// The variables that say where a token comes from, beside `oauth`.
const VARIABLES: [&str; 7] = [
    "oauth-token-url",
    "oauth-client-id",
    "oauth-secret-file",
    "oauth-refresh-token-file",
    "oauth-key-file",
    "oauth-scope",
    "oauth-ca-file",
];

/// The variables that name a password, which a token takes the place of.
const PASSWORDS: [&str; 3] = ["password-file", "password-command", "password"];

/// What a token is got by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant<'a> {
    /// The secret of an application that may send for the mailbox (RFC 6749 section 4.4).
    ClientCredentials {
        /// The file with the secret.
        secret: &'a OsStr,
    },
    /// A token that somebody got by logging in (RFC 6749 section 6).
    RefreshToken {
        /// The file with that token.
        token: &'a OsStr,
        /// The file with the secret of the application, if it has one.
        secret: Option<&'a OsStr>,
    },
    /// The key of a service account that may act for the mailbox (RFC 7523).
    ServiceAccount {
        /// The key's file, as Google makes it.
        key: &'a OsStr,
    },
}

/// What the settings say of tokens.
#[derive(Debug)]
pub(super) struct TokenSettings<'a> {
    /// Where the token comes from; `None` where the file of the key says it.
    pub(super) url: Option<ServiceUrl>,
    pub(super) grant: Grant<'a>,
    pub(super) client: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
    pub(super) ca_file: Option<&'a OsStr>,
}

/// A service whose addresses and rights are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service<'a> {
    /// Entra ID, of this tenant.
    Microsoft(&'a str),
    Google,
    /// One that `oauth-token-url` names.
    Other,
}

impl Service<'_> {
    fn url(self) -> Option<String> {
        match self {
            Service::Microsoft(tenant) => Some(format!(
                "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
            )),
            Service::Google => Some("https://oauth2.googleapis.com/token".to_owned()),
            Service::Other => None,
        }
    }

    fn scope(self, grant: Grant<'_>) -> Option<&'static str> {
        match (self, grant) {
            // An application asks for all that its administrator has granted (`.default`); a person
            // has granted single rights.
            (Service::Microsoft(_), Grant::ClientCredentials { .. }) => {
                Some("https://outlook.office365.com/.default")
            }
            (Service::Microsoft(_), _) => {
                Some("https://outlook.office.com/SMTP.Send offline_access")
            }
            (Service::Google, Grant::ServiceAccount { .. }) => Some("https://mail.google.com/"),
            // The rights that a refresh token was given for (RFC 6749 section 6).
            (Service::Google | Service::Other, _) => None,
        }
    }
}

/// Returns whether the settings ask for a token.
pub(super) fn are_set(settings: &Settings) -> bool {
    settings.is_set("oauth") || VARIABLES.iter().any(|name| settings.is_set(name))
}

/// Reads the variables for this relay.
///
/// # Errors
/// 78 when they contradict each other, or one is missing.
pub(super) fn read<'a>(
    settings: &'a Settings,
    url: &RelayUrl,
) -> Result<Option<TokenSettings<'a>>, Failure> {
    if !are_set(settings) || !relay_secret::are_tokens_for(url, settings) {
        return Ok(None);
    }
    let wrong = |name: &str, what: &str| {
        Failure::new(
            Kind::Config,
            settings.origin(name).says(&format!("{name} {what}")),
        )
    };
    let service = match settings.text("oauth") {
        Some(text) => service(text).map_err(|(what, hint)| wrong("oauth", what).hint(hint))?,
        None => Service::Other,
    };
    let named = |name: &'static str| settings.text(name).filter(|text| !text.is_empty());
    let file = |name: &'static str| settings.path(name).filter(|path| !path.is_empty());
    // Whoever set one of them asked for a token; another variable of theirs is missing.
    let first = ["oauth"].into_iter().chain(VARIABLES);
    let first = first
        .into_iter()
        .find(|name| settings.is_set(name))
        .unwrap_or("oauth");
    let missing = |name: &str, why: &str| {
        wrong(first, &format!("is set, but {name} is not")).hint(why.to_owned())
    };
    let (secret, refresh, key) = (
        file("oauth-secret-file"),
        file("oauth-refresh-token-file"),
        file("oauth-key-file"),
    );
    let client = named("oauth-client-id");
    let grant = match (key, refresh, secret) {
        (Some(_), Some(_), _) => {
            return Err(wrong(
                "oauth-key-file",
                "and oauth-refresh-token-file are both set",
            )
            .hint("unset one of them"));
        }
        (Some(_), None, _) if matches!(service, Service::Microsoft(_)) => {
            return Err(wrong(
                "oauth-key-file",
                "is set, but oauth=microsoft takes no key file",
            )
            .hint("set oauth-client-id= and oauth-secret-file="));
        }
        (Some(_), None, _) if client.is_some() || secret.is_some() => {
            let other = if client.is_some() {
                "oauth-client-id"
            } else {
                "oauth-secret-file"
            };
            return Err(
                wrong("oauth-key-file", &format!("and {other} are both set")).hint(
                    "the key file of a service account needs neither a client id nor a secret",
                ),
            );
        }
        (Some(key), None, _) => Grant::ServiceAccount { key },
        (None, Some(token), secret) => Grant::RefreshToken { token, secret },
        (None, None, _) if service == Service::Google => {
            return Err(missing(
                "oauth-key-file",
                "set oauth-key-file= to the key file of a service account, or oauth-refresh-token-file=",
            ));
        }
        (None, None, Some(secret)) => Grant::ClientCredentials { secret },
        (None, None, None) => {
            return Err(missing(
                "oauth-secret-file",
                "set oauth-secret-file= to a file of mode 600 that contains the client secret",
            ));
        }
    };
    if client.is_none() && !matches!(grant, Grant::ServiceAccount { .. }) {
        return Err(missing(
            "oauth-client-id",
            "set oauth-client-id= to the application's id",
        ));
    }
    // A set address comes before the service's own: national clouds and tests have others.
    let service_url = match named("oauth-token-url") {
        Some(text) => Some(ServiceUrl::parse(text).map_err(|why| wrong("oauth-token-url", why))?),
        // The file of the key names it.
        None if matches!(grant, Grant::ServiceAccount { .. }) => None,
        None => match service.url() {
            Some(url) => Some(ServiceUrl::parse(&url).map_err(|why| wrong("oauth", why))?),
            None => {
                return Err(missing(
                    "oauth-token-url",
                    "set oauth=microsoft:TENANT or oauth=google, or oauth-token-url= for another service",
                ));
            }
        },
    };
    // Which of the two is meant is not ours to guess: the wrong one could lock the account.
    let is_set = |name: &str| settings.is_set(name) && relay_secret::is_for(name, url, settings);
    let both = PASSWORDS.into_iter().find(|name| is_set(name));
    let in_url = url.password.is_some();
    let both = both.or(in_url.then_some("the password in the URL of the relay"));
    if let Some(other) = both {
        return Err(wrong(first, &format!("is set, but so is {other}"))
            .hint("a token takes the place of the password: unset one of the two"));
    }
    if let Some(auth @ ("plain" | "login")) = settings.get("smtp-auth") {
        return Err(wrong(
            first,
            &format!("is set, but smtp-auth={auth} takes a password"),
        )
        .hint("unset smtp-auth, or set it to xoauth2 or oauthbearer"));
    }
    Ok(Some(TokenSettings {
        url: service_url,
        scope: named("oauth-scope").or(service.scope(grant)),
        grant,
        client,
        ca_file: file("oauth-ca-file"),
    }))
}

/// Reads the value of `oauth`.
fn service(text: &str) -> Result<Service<'_>, (&'static str, &'static str)> {
    const TENANT: &str = "the tenant is a domain or an id, as in oauth=microsoft:contoso.com";
    let (name, tenant) = match text.trim().split_once(':') {
        Some((name, tenant)) => (name, Some(tenant.trim())),
        None => (text.trim(), None),
    };
    match (name.to_ascii_lowercase().as_str(), tenant) {
        ("google", None) => Ok(Service::Google),
        ("microsoft", Some(tenant)) if is_tenant(tenant) => Ok(Service::Microsoft(tenant)),
        ("microsoft", _) => Err(("names no tenant of Microsoft", TENANT)),
        _ => Err((
            "must be microsoft:TENANT or google",
            "for another service set oauth-token-url= and leave oauth unset",
        )),
    }
}

/// Returns whether a text is a tenant: what it becomes is a part of a URL.
fn is_tenant(text: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(of_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    fn settings(words: &[&str]) -> Settings {
        let mut settings = Settings::default();
        for word in words {
            let origin = Origin::Option("-S".to_owned());
            crate::config::mailrc::apply_set(&mut settings, word, origin).unwrap();
        }
        settings
    }

    fn relay(text: &str) -> RelayUrl {
        RelayUrl::parse(text).unwrap()
    }

    const MICROSOFT: [&str; 3] = [
        "oauth=microsoft:contoso.com",
        "oauth-client-id=4711",
        "oauth-secret-file=/s",
    ];

    #[test]
    fn each_service_has_its_url_its_scope_and_its_grant() {
        let table: [(&[&str], Option<&str>, Option<&str>); 7] = [
            (
                &MICROSOFT,
                Some("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"),
                Some("https://outlook.office365.com/.default"),
            ),
            (
                &[
                    "oauth=microsoft:t",
                    "oauth-client-id=4711",
                    "oauth-refresh-token-file=/r",
                ],
                Some("https://login.microsoftonline.com/t/oauth2/v2.0/token"),
                Some("https://outlook.office.com/SMTP.Send offline_access"),
            ),
            (
                &["oauth=google", "oauth-key-file=/k"],
                None,
                Some("https://mail.google.com/"),
            ),
            (
                &[
                    "oauth=google",
                    "oauth-client-id=x",
                    "oauth-refresh-token-file=/r",
                ],
                Some("https://oauth2.googleapis.com/token"),
                None,
            ),
            (
                &[
                    "oauth-token-url=https://x.example/t",
                    "oauth-client-id=x",
                    "oauth-secret-file=/s",
                ],
                Some("https://x.example/t"),
                None,
            ),
            (
                &[
                    "oauth-token-url=https://x.example/t",
                    "oauth-key-file=/k",
                    "oauth-scope=mail",
                ],
                Some("https://x.example/t"),
                Some("mail"),
            ),
            (
                &[
                    "oauth=google",
                    "oauth-key-file=/k",
                    "oauth-token-url=http://127.0.0.1:1/",
                ],
                Some("http://127.0.0.1:1/"),
                Some("https://mail.google.com/"),
            ),
        ];
        for (words, url, scope) in table {
            let settings = settings(words);
            let read = read(&settings, &relay("submission://x.example"))
                .unwrap()
                .unwrap();
            assert_eq!(
                read.url.map(|url| url.to_string()).as_deref(),
                url,
                "{words:?}"
            );
            assert_eq!(read.scope, scope, "{words:?}");
        }
        assert!(
            read(&Settings::default(), &relay("smtp://u:p@x.example"))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_is_told() {
        let with = |more: &[&'static str]| [&MICROSOFT[..], more].concat();
        let table = [
            (vec!["oauth=microsoft"], "names no tenant"),
            (vec!["oauth=microsoft:"], "names no tenant"),
            (vec!["oauth=microsoft:a/b"], "names no tenant"),
            (
                vec!["oauth=microsoft:..", "oauth-client-id=x"],
                "names no tenant",
            ),
            (vec!["oauth=yahoo"], "must be microsoft:TENANT or google"),
            (vec!["oauth=google:x"], "must be microsoft:TENANT or google"),
            (vec!["oauth=google"], "oauth-key-file is not"),
            (
                vec!["oauth=microsoft:t", "oauth-secret-file=/s"],
                "oauth-client-id is not",
            ),
            (
                vec!["oauth=microsoft:t", "oauth-client-id=x"],
                "oauth-secret-file is not",
            ),
            (
                vec!["oauth=microsoft:t", "oauth-key-file=/k"],
                "takes no key file",
            ),
            (
                vec!["oauth=google", "oauth-key-file=/k", "oauth-client-id=x"],
                "both set",
            ),
            (
                vec![
                    "oauth=google",
                    "oauth-key-file=/k",
                    "oauth-refresh-token-file=/r",
                ],
                "both set",
            ),
            (
                vec!["oauth-client-id=x", "oauth-secret-file=/s"],
                "oauth-token-url is not",
            ),
            (vec!["oauth-scope=x"], "oauth-secret-file is not"),
            (
                with(&["oauth-token-url=http://x.example/"]),
                "must begin with https://",
            ),
            (
                with(&["oauth-token-url=https://u:p@x.example/"]),
                "must not contain a login",
            ),
            (with(&["password=x"]), "so is password"),
            (with(&["password-file=/p"]), "so is password-file"),
            (with(&["password-command=/p"]), "so is password-command"),
            (
                with(&["smtp-auth=plain"]),
                "smtp-auth=plain takes a password",
            ),
        ];
        for (words, told) in table {
            let settings = settings(&words);
            let failure = read(&settings, &relay("submission://x.example")).unwrap_err();
            assert_eq!(failure.kind, Kind::Config, "{words:?}");
            assert!(failure.what.contains(told), "{words:?}: {}", failure.what);
            assert!(!failure.what.contains("u:p"), "{}", failure.what);
        }
        assert!(read(&settings(&MICROSOFT), &relay("smtp://u:p@x.example")).is_err());
    }
    #[test]
    fn a_token_and_a_password_for_two_hosts_are_no_contradiction() {
        let token = [
            "mta=smtp://a.example",
            MICROSOFT[0],
            MICROSOFT[1],
            MICROSOFT[2],
        ];
        let mut settings = settings(&token);
        settings.enter_account();
        for (name, value) in [("mta", "smtp://b.example"), ("password", "x")] {
            settings.set(name, value, Origin::Option("-S".to_owned()));
        }
        settings.end_of_account();
        let is_read = |host: &str| read(&settings, &relay(host)).unwrap().is_some();
        assert!(is_read("smtp://a.example"));
        assert!(!is_read("smtp://b.example"));
    }
}
