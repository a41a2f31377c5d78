//! A service account: a signed statement that it acts for a mailbox (RFC 7523), as Google takes it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::transport::https::ServiceUrl;
use crate::transport::smtp::Secret;

/// How long a statement is good, in seconds: what Google allows.
const LIFETIME: u64 = 3600;

/// A service account, as its key file has it.
pub(super) struct ServiceAccount {
    /// Its name, which has the form of an address.
    pub(super) email: String,
    /// Where its tokens come from.
    pub(super) url: Option<ServiceUrl>,
    key_id: Option<String>,
    key: RsaKeyPair,
}

impl ServiceAccount {
    /// Reads a key file.
    ///
    /// # Errors
    /// Says what is wrong with it; nothing of its content is repeated.
    pub(super) fn read(bytes: &[u8]) -> Result<ServiceAccount, &'static str> {
        let file: Value = serde_json::from_slice(bytes).map_err(|_| "it is not JSON")?;
        let field = |name: &str| file.get(name).and_then(Value::as_str);
        let email = field("client_email").ok_or("it has no client_email")?;
        let pem = field("private_key").ok_or("it has no private_key")?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| "its private_key is not in PEM (PKCS #8)")?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der());
        let key = key.map_err(|_| "its private_key is not an RSA key of 2048 to 4096 bits")?;
        let url = field("token_uri").map(ServiceUrl::parse).transpose();
        Ok(ServiceAccount {
            email: email.to_owned(),
            url: url.map_err(|_| "its token_uri does not begin with https://")?,
            key_id: field("private_key_id").map(str::to_owned),
            key,
        })
    }

    /// Returns the statement, signed: this account asks `audience` to act for `subject`.
    ///
    /// `now` is in seconds since the epoch.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(super) fn statement(
        &self,
        subject: &str,
        scope: Option<&str>,
        audience: &str,
        now: u64,
    ) -> Result<Secret, &'static str> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = &self.key_id {
            header["kid"] = json!(id);
        }
        let mut claims = json!({
            "iss": self.email,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME,
        });
        if let Some(scope) = scope {
            claims["scope"] = json!(scope);
        }
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = Zeroizing::new(format!("{}.{}", encoded(&header), encoded(&claims)));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
            .map_err(|_| "its private_key cannot sign")?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Ok(Secret::new(format!("{}.{signature}", text.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// Made for the tests; no account has this key.
    const KEY_FILE: &[u8] = include_bytes!("../../../tests/data/service-account.json");

    #[test]
    fn a_statement_is_signed_by_the_key_and_names_the_mailbox() {
        let account = ServiceAccount::read(KEY_FILE).unwrap();
        let audience = "https://oauth2.googleapis.com/token";
        let scope = Some("https://mail.google.com/");
        let statement = account
            .statement("me@x.org", scope, audience, 1_000)
            .unwrap();
        let (signed, signature) = statement.reveal().rsplit_once('.').unwrap();
        let public = account.key.public();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref())
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(
            parts[0],
            json!({"alg": "RS256", "typ": "JWT", "kid": "0123456789abcdef"})
        );
        assert_eq!(
            parts[1],
            json!({
                "iss": "alerts@tests.iam.gserviceaccount.com",
                "sub": "me@x.org",
                "scope": "https://mail.google.com/",
                "aud": audience,
                "iat": 1_000,
                "exp": 4_600,
            })
        );
    }

    #[test]
    fn what_is_no_key_file_is_told() {
        let good: Value = serde_json::from_slice(KEY_FILE).unwrap();
        let with = |name: &str, value: Value| {
            let mut file = good.clone();
            file[name] = value;
            ServiceAccount::read(file.to_string().as_bytes())
                .err()
                .unwrap_or_default()
        };
        for (bytes, told) in [
            (&b""[..], "not JSON"),
            (b"\xff", "not JSON"),
            (b"[]", "client_email"),
        ] {
            let why = ServiceAccount::read(bytes).err().unwrap_or_default();
            assert!(why.contains(told), "{why}");
        }
        assert!(with("client_email", Value::Null).contains("client_email"));
        assert!(with("private_key", json!(7)).contains("no private_key"));
        assert!(with("private_key", json!("secret")).contains("PEM"));
        let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(with("private_key", json!(broken)).contains("RSA key"));
        assert!(with("token_uri", json!("http://x.example/")).contains("https://"));
        assert_eq!(with("token_uri", json!("https://x.example/")), "");
    }
}
