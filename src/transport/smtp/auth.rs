//! AUTH: credentials and what the SASL mechanisms make of them (RFC 4954).
//!
//! These functions do no input or output. The session decides whether credentials may travel at all.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::transport::Outcome;

/// A password or token: cannot be printed, and is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// Returns the secret itself, for sending it and for masking it in replies.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Which SASL mechanism to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// PLAIN, else LOGIN, as the relay offers them.
    #[default]
    Auto,
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN (draft-murchison-sasl-login), which some relays offer alone.
    Login,
    /// XOAUTH2: the secret is a bearer token.
    XOAuth2,
    /// OAUTHBEARER (RFC 7628): the secret is a bearer token.
    OAuthBearer,
    /// XOAUTH2, else OAUTHBEARER, as the relay offers them.
    Token,
}

impl Mechanism {
    /// Returns its name in EHLO and AUTH; those that leave the choice to the relay have none.
    fn name(self) -> &'static str {
        match self {
            Mechanism::Auto | Mechanism::Token => "",
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::XOAuth2 => "XOAUTH2",
            Mechanism::OAuthBearer => "OAUTHBEARER",
        }
    }
}

/// Gets a secret anew that a relay has refused: a token comes to its end.
pub(crate) trait Renewal: fmt::Debug + Send + Sync {
    /// Returns another secret, or the same one where there is no other.
    ///
    /// # Errors
    /// Says why there is none; the outcome is that of every recipient.
    fn renew(&self) -> Result<Secret, Outcome>;
}

/// Who we are to the relay.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user's name there.
    pub user: String,
    /// The password or token.
    pub secret: Secret,
    /// How to present them.
    pub mechanism: Mechanism,
    /// Where another secret comes from, if there is such a place.
    pub(crate) renewal: Option<Arc<dyn Renewal>>,
}

/// Returns the mechanisms to try, in order: those asked for that are offered.
pub(super) fn candidates(asked: Mechanism, offered: &[String]) -> Vec<Mechanism> {
    let wanted: &[Mechanism] = match asked {
        // Without a mechanism in the settings the secret is taken for a password, so those that
        // carry a token are not tried. CRAM-MD5 is not implemented: it protects nothing that TLS
        // does not, and the server would have to keep the password in clear.
        Mechanism::Auto => &[Mechanism::Plain, Mechanism::Login],
        // XOAUTH2 first: the services that began with it (Google, Microsoft) know OAUTHBEARER less
        // well or not at all.
        Mechanism::Token => &[Mechanism::XOAuth2, Mechanism::OAuthBearer],
        Mechanism::Plain => &[Mechanism::Plain],
        Mechanism::Login => &[Mechanism::Login],
        Mechanism::XOAuth2 => &[Mechanism::XOAuth2],
        Mechanism::OAuthBearer => &[Mechanism::OAuthBearer],
    };
    wanted
        .iter()
        .copied()
        .filter(|mechanism| offered.iter().any(|offer| offer == mechanism.name()))
        .collect()
}

/// The line of one step of AUTH, and how it is shown.
pub(super) struct AuthLine {
    /// The line, with CRLF; wiped when dropped.
    pub(super) bytes: Zeroizing<String>,
    /// The same with the secret masked.
    pub(super) shown: String,
}

/// Returns the AUTH command.
pub(super) fn first(
    mechanism: Mechanism,
    credentials: &Credentials,
    host: &str,
    port: u16,
) -> AuthLine {
    let name = mechanism.name();
    let user = &credentials.user;
    let secret = credentials.secret.reveal();
    let initial = Zeroizing::new(match mechanism {
        // In LOGIN the server speaks first: its draft has no initial response.
        Mechanism::Auto | Mechanism::Token | Mechanism::Login => {
            return AuthLine {
                bytes: Zeroizing::new(format!("AUTH {name}\r\n")),
                shown: format!("AUTH {name}"),
            };
        }
        // RFC 4616: authorization identity, NUL, user, NUL, password. The first one is empty: we
        // act as the user who logs in.
        Mechanism::Plain => format!("\0{user}\0{secret}"),
        Mechanism::XOAuth2 => format!("user={user}\x01auth=Bearer {secret}\x01\x01"),
        Mechanism::OAuthBearer => {
            // A GS2 header separates its parts by commas (RFC 5801 section 4).
            let user = user.replace('=', "=3D").replace(',', "=2C");
            format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {secret}\x01\x01")
        }
    });
    // Base64 is no protection: the encoded line is as secret as the password, hence wiped from
    // memory and masked like it.
    let encoded = Zeroizing::new(STANDARD.encode(initial.as_bytes()));
    AuthLine {
        bytes: Zeroizing::new(format!("AUTH {name} {}\r\n", encoded.as_str())),
        shown: format!("AUTH {name} ****"),
    }
}

/// Returns the answer to a 334 challenge, the `turn`-th of this exchange from 0.
///
/// LOGIN asks for the user, then for the password; in which words varies, so only the order
/// counts. A challenge of the other mechanisms reports an error, which an empty line (a dummy
/// 0x01 for OAUTHBEARER, RFC 7628 section 3.2.3) acknowledges.
pub(super) fn answer(
    mechanism: Mechanism,
    credentials: &Credentials,
    turn: usize,
) -> Option<AuthLine> {
    let plain = match (mechanism, turn) {
        (Mechanism::Login, 0) => credentials.user.as_str(),
        (Mechanism::Login, 1) => credentials.secret.reveal(),
        (Mechanism::OAuthBearer, 0) => "\x01",
        (Mechanism::XOAuth2, 0) => "",
        _ => return None,
    };
    let encoded = Zeroizing::new(STANDARD.encode(plain));
    Some(AuthLine {
        bytes: Zeroizing::new(format!("{}\r\n", encoded.as_str())),
        shown: "****".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            user: "tester".to_owned(),
            secret: Secret::new("s3cret"),
            mechanism: Mechanism::Auto,
            renewal: None,
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let shown = format!("{:?}", credentials());
        assert!(!shown.contains("s3cret"), "{shown}");
        for mechanism in [Mechanism::Plain, Mechanism::XOAuth2, Mechanism::OAuthBearer] {
            let line = first(mechanism, &credentials(), "mx.example", 587);
            assert_eq!(line.shown, format!("AUTH {} ****", mechanism.name()));
            assert!(line.bytes.len() > line.shown.len());
        }
    }

    #[test]
    fn the_lines_of_each_mechanism() {
        let table = [
            (Mechanism::Plain, "AUTH PLAIN AHRlc3RlcgBzM2NyZXQ=\r\n"),
            (Mechanism::Login, "AUTH LOGIN\r\n"),
            (
                Mechanism::XOAuth2,
                "AUTH XOAUTH2 dXNlcj10ZXN0ZXIBYXV0aD1CZWFyZXIgczNjcmV0AQE=\r\n",
            ),
        ];
        for (mechanism, line) in table {
            let built = first(mechanism, &credentials(), "mx.example", 587);
            assert_eq!(built.bytes.as_str(), line);
        }
        let turns: Vec<String> = (0..3)
            .map_while(|turn| answer(Mechanism::Login, &credentials(), turn))
            .map(|line| line.bytes.to_string())
            .collect();
        assert_eq!(turns, ["dGVzdGVy\r\n", "czNjcmV0\r\n"]);
    }

    #[test]
    fn plain_comes_before_login_and_only_what_is_offered() {
        let offered = ["CRAM-MD5", "LOGIN", "PLAIN"].map(str::to_owned);
        assert_eq!(
            candidates(Mechanism::Auto, &offered),
            [Mechanism::Plain, Mechanism::Login]
        );
        assert_eq!(candidates(Mechanism::XOAuth2, &offered), []);
        assert_eq!(candidates(Mechanism::Token, &offered), []);
        let offered = ["OAUTHBEARER", "PLAIN", "XOAUTH2"].map(str::to_owned);
        assert_eq!(
            candidates(Mechanism::Token, &offered),
            [Mechanism::XOAuth2, Mechanism::OAuthBearer]
        );
    }
}
