//! Tokens that Postrider fetches itself: from the variables `oauth…` to what the relay is shown.
//!
//! - `settings`: what the variables say; `account`: a service account's signed statement
//! - `answer`: what a service answers; `refresh`: the file of a refresh token
//! - `cache`: tokens that are still good
//!
//! The one request is [`transport::https`](crate::transport::https). A token comes from the cache, or
//! else from the service; where the relay refuses it, it is fetched once more ([`Renewal`]).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

mod account;
mod answer;
mod cache;
mod refresh;
mod settings;

use account::ServiceAccount;
use answer::Given;
use cache::Cache;
use refresh::RefreshFile;
use settings::Grant;

use super::Surroundings;
use super::outcome::outcome_of_failure;
use super::relay_secret;
use super::relay_url::RelayUrl;
use super::secret_file::{named_file, read_private, read_secret};
use crate::config::Settings;
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::clock;
use crate::transport::https::{self, Post, ServiceUrl};
use crate::transport::smtp::{Renewal, Secret, mask_secrets};
use crate::transport::{Observer, Outcome};

/// How long a request may take at most; `smtp-timeout` may say less.
const LIMIT: Duration = Duration::from_secs(30);

/// Where tokens for one mailbox come from. It owns all that it needs: a token is renewed on the thread
/// of the dialogue.
pub(super) struct TokenSource {
    url: ServiceUrl,
    key: Key,
    client: Option<String>,
    scope: Option<String>,
    user: String,
    ca_file: Option<PathBuf>,
    system_ca_file: Option<PathBuf>,
    limit: Duration,
    cache: Cache,
    observer: Arc<dyn Observer>,
    cancel: Arc<AtomicBool>,
}

/// What the service is shown.
enum Key {
    /// The secret of the application.
    Application(Secret),
    /// A refresh token, and the secret of the application, if it has one.
    Refresh(PathBuf, Option<Secret>),
    /// A signed statement.
    Account(Box<ServiceAccount>),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tokens for {} from {}", self.user, self.url)
    }
}

impl Renewal for TokenSource {
    fn renew(&self) -> Result<Secret, Outcome> {
        self.fetch().map_err(outcome_of_failure)
    }
}

/// Returns whether the settings ask for a token for some relay.
pub(super) fn are_configured(settings: &Settings) -> bool {
    settings::are_set(settings)
}

/// Returns whether the settings ask for a token for this relay.
pub(super) fn is_asked_for(url: &RelayUrl, settings: &Settings) -> bool {
    settings::are_set(settings) && relay_secret::are_tokens_for(url, settings)
}

/// Names the service that gives the tokens, for an explanation.
pub(super) fn service(url: &RelayUrl, settings: &Settings) -> Option<String> {
    let set = settings::read(settings, url).ok()??;
    Some(match set.url {
        Some(url) => url.host().to_owned(),
        None => "the service that the key file names".to_owned(),
    })
}

/// Refuses variables that contradict each other, before anything is sent.
///
/// # Errors
/// 78 when they do, or when one is missing.
pub(super) fn check(url: &RelayUrl, settings: &Settings) -> Result<(), Failure> {
    settings::read(settings, url).map(drop)
}

/// Returns where the token for this mailbox comes from, if the settings ask for one.
///
/// # Errors
/// 78 when the settings contradict each other, or a file with a secret is not there or not safe.
pub(super) fn source(
    url: &RelayUrl,
    user: &str,
    around: &Surroundings<'_>,
) -> Result<Option<TokenSource>, Failure> {
    let Some(set) = settings::read(around.settings, url)? else {
        return Ok(None);
    };
    let file = |name, what: &str| named_file(name, &format!("cannot read the {what} in"), around);
    let secret = |name| -> Result<Secret, Failure> {
        const WHAT: &str = "client secret";
        Ok(read_secret(&file(name, WHAT)?, WHAT, around)?)
    };
    // Secrets are read now and judged now, even where the cache has a token: a file that others can
    // read is told at once, and not when the token has come to its end.
    let key = match set.grant {
        Grant::ClientCredentials { secret: name } => Key::Application(secret(name)?),
        Grant::RefreshToken {
            token,
            secret: name,
        } => Key::Refresh(file(token, refresh::WHAT)?, name.map(secret).transpose()?),
        Grant::ServiceAccount { key } => {
            const WHAT: &str = "key of the service account";
            let path = file(key, WHAT)?;
            let bytes = read_private(&path, WHAT, around)?;
            let account = ServiceAccount::read(&bytes).map_err(|why| {
                let shown = sanitize::path(&path);
                let what = format!("{shown} is not the key file of a service account");
                Failure::new(Kind::Config, what).because(why)
            })?;
            Key::Account(Box::new(account))
        }
    };
    let of_account = match &key {
        Key::Account(account) => account.url.clone(),
        _ => None,
    };
    let url = match set.url.or(of_account) {
        Some(url) => url,
        None => {
            let what = "the key file of the service account has no token_uri";
            return Err(Failure::new(Kind::Config, what).hint("set oauth-token-url="));
        }
    };
    let client = match &key {
        Key::Account(account) => Some(account.email.clone()),
        _ => set.client.map(str::to_owned),
    };
    let scope = set.scope.map(str::to_owned);
    let purpose = [
        key.grant(),
        &url.to_string(),
        client.as_deref().unwrap_or_default(),
        scope.as_deref().unwrap_or_default(),
        user,
    ];
    Ok(Some(TokenSource {
        cache: Cache::of(around.environment, &purpose),
        ca_file: set
            .ca_file
            .map(|name| named_file(name, "cannot read the certificates in", around))
            .transpose()?,
        system_ca_file: around.environment.ssl_cert_file.clone(),
        limit: around
            .settings
            .duration("smtp-timeout")
            .map_or(LIMIT, |limit| limit.min(LIMIT)),
        url,
        key,
        client,
        scope,
        user: user.to_owned(),
        observer: Arc::clone(&around.observer),
        cancel: around.signals.raised(),
    }))
}

impl Key {
    /// Returns the name of the grant in the request.
    fn grant(&self) -> &'static str {
        match self {
            Key::Application(_) => "client_credentials",
            Key::Refresh(..) => "refresh_token",
            Key::Account(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}

impl TokenSource {
    /// Returns a token: the one of the cache, or a new one.
    ///
    /// # Errors
    /// 75 when the service cannot be reached or is busy, 76 when its answer makes no sense, 77 when it
    /// gives no token, 78 when a file cannot be used.
    pub(super) fn token(&self) -> Result<Secret, Failure> {
        match self.cache.get() {
            Some(token) => Ok(token),
            None => self.fetch(),
        }
    }

    /// Fetches a token, whatever the cache has.
    ///
    /// # Errors
    /// As [`TokenSource::token`].
    pub(super) fn fetch(&self) -> Result<Secret, Failure> {
        let mut fields = vec![("grant_type", Secret::new(self.key.grant()))];
        let mut file = None;
        match &self.key {
            Key::Application(secret) => {
                fields.extend(self.client_fields(Some(secret)));
                fields.extend(self.scope_field());
            }
            Key::Refresh(path, secret) => {
                let locked = RefreshFile::open(path, &self.cancel)?;
                fields.push(("refresh_token", locked.token()?));
                fields.extend(self.client_fields(secret.as_ref()));
                fields.extend(self.scope_field());
                file = Some((path, locked));
            }
            Key::Account(account) => {
                let audience = self.url.to_string();
                let now = clock::since_epoch().as_secs();
                let scope = self.scope.as_deref();
                let statement = account.statement(&self.user, scope, &audience, now);
                let statement = statement.map_err(|why| self.failed(Kind::Config, why))?;
                fields.push(("assertion", statement));
            }
        }
        // Before the service is asked: what it gives must have a place to go to.
        let next = file.as_ref().map(|(path, file)| (path, file.prepare()));
        let given = self.ask(fields)?;
        if let (Some((path, next)), Some(token)) = (next, &given.next) {
            let written = next.and_then(|next| next.write(token));
            written.map_err(|error| refresh::not_kept(path, error))?;
        }
        if let Some(lifetime) = given.lifetime
            && let Err(error) = self.cache.put(&given.token, lifetime)
        {
            // The mail goes out all the same, and the next one asks again.
            let why = crate::exit::plain(&error);
            self.show(
                false,
                &format!("the token cannot be kept for the next mail: {why}"),
            );
        }
        Ok(given.token)
    }

    /// Returns who asks. The secret is in the form (RFC 6749 section 2.3.1), which all these services
    /// take, and not in a header field.
    fn client_fields(&self, secret: Option<&Secret>) -> Vec<(&'static str, Secret)> {
        let client = self
            .client
            .as_deref()
            .map(|id| ("client_id", Secret::new(id)));
        let secret = secret.map(|secret| ("client_secret", secret.clone()));
        client.into_iter().chain(secret).collect()
    }

    fn scope_field(&self) -> Option<(&'static str, Secret)> {
        self.scope
            .as_deref()
            .map(|scope| ("scope", Secret::new(scope)))
    }

    /// Asks the service.
    fn ask(&self, fields: Vec<(&'static str, Secret)>) -> Result<Given, Failure> {
        const SECRET: [&str; 3] = ["client_secret", "refresh_token", "assertion"];
        let is_secret = |name: &str| SECRET.contains(&name);
        let shown = fields.iter().map(|(name, value)| {
            let value = if is_secret(name) {
                "****"
            } else {
                value.reveal()
            };
            format!("{name}={value}")
        });
        let shown = shown.collect::<Vec<_>>().join(" ");
        self.show(true, &format!("POST {} {shown}", self.url));
        let secrets = fields.iter().filter(|(name, _)| is_secret(name));
        let secrets: Vec<Secret> = secrets.map(|(_, value)| value.clone()).collect();
        let post = Post {
            url: self.url.clone(),
            fields,
            ca_file: self.ca_file.clone(),
            system_ca_file: self.system_ca_file.clone(),
            limit: self.limit,
        };
        let failure = |kind, text: &str, hint: Option<&str>| {
            // A service may repeat what it was sent.
            let text = mask_secrets(text, &secrets);
            self.show(false, &text);
            let mut failure = self.failed(kind, text);
            failure.hint = hint.map(str::to_owned);
            failure
        };
        let answer = https::post(&post, &*self.observer, &self.cancel)
            .map_err(|error| failure(error.kind, &error.text, error.hint))?;
        let given = answer::read(answer.status, &answer.body)
            .map_err(|denied| failure(denied.kind, &denied.text, denied.hint))?;
        let lifetime = match given.lifetime {
            Some(lifetime) => format!("for {} s", lifetime.as_secs()),
            None => "of unknown lifetime".to_owned(),
        };
        self.show(false, &format!("{} a token {lifetime}", answer.status));
        Ok(given)
    }

    fn failed(&self, kind: Kind, why: impl Into<String>) -> Failure {
        let what = format!(
            "cannot get a token for {} from {}",
            self.user,
            self.url.host()
        );
        Failure::new(kind, what).because(why.into())
    }

    fn show(&self, from_us: bool, line: &str) {
        self.observer.dialogue(from_us, line);
    }
}
