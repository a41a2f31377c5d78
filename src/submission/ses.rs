//! The SMTP password of AWS SES, which is made from the secret key of an IAM user.
//!
//! It holds for one region. Keys of the security token service (their id begins with ASIA) have none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

/// The length of every secret key of AWS, in characters.
const LENGTH: usize = 40;

/// Reads the secret key from what was given: one line, with or without a line end.
///
/// # Errors
/// Says what is wrong with it; nothing of it is repeated.
pub(crate) fn secret_key(bytes: &[u8]) -> Result<Zeroizing<String>, String> {
    let text = str::from_utf8(bytes).map_err(|_| "the secret key is not text")?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err("there is no secret key on standard input".to_owned());
    }
    if text.contains(['\r', '\n']) {
        return Err("standard input has several lines, and the secret key is one".to_owned());
    }
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    if let Some(odd) = text.chars().find(|c| !is_of_key(*c)) {
        let odd = match odd {
            c if c.is_whitespace() => "a blank".to_owned(),
            // A character of a mistyped secret is little, and shown escaped it helps.
            c => format!("the character {}", c.escape_default()),
        };
        return Err(format!(
            "the secret key contains {odd}, which no key of AWS has"
        ));
    }
    let length = text.len();
    if length != LENGTH {
        return Err(format!(
            "the secret key has {length} characters, but those of AWS have {LENGTH}"
        ));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Returns whether a text has the form of a region, such as `eu-central-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let mut parts = text.split('-');
    text.bytes().all(of_name)
        && text.contains('-')
        && text.ends_with(|c: char| c.is_ascii_digit())
        && parts.all(|part| !part.is_empty())
}

/// Returns the password for a region.
///
/// As AWS documents it: a chain of HMACs like that of its signatures (version 4), for a date that
/// never comes, behind a byte with the version.
pub(crate) fn smtp_password(secret_key: &str, region: &str) -> Zeroizing<String> {
    const VERSION: u8 = 4;
    let mut key = Zeroizing::new(format!("AWS4{secret_key}").into_bytes());
    for part in ["11111111", region, "ses", "aws4_request", "SendRawEmail"] {
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
        key = Zeroizing::new(signed.as_ref().to_vec());
    }
    key.insert(0, VERSION);
    Zeroizing::new(STANDARD.encode(&*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of AWS's own examples.
    const KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn passwords_are_those_that_other_programs_derive() {
        // The first four are the test of Terraform's provider for AWS; the last one is what the
        // program in the documentation of AWS prints.
        for (region, key, password) in [
            (
                "eu-central-1",
                "some+secret+key",
                "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2",
            ),
            (
                "eu-central-1",
                "another+secret+key",
                "BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh",
            ),
            (
                "us-west-1",
                "some+secret+key",
                "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj",
            ),
            (
                "us-west-1",
                "another+secret+key",
                "BKVmjjMDFk/qqw8EROW99bjCS65PF8WKvK5bSr4Y6EqF",
            ),
            (
                "us-east-1",
                KEY,
                "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9",
            ),
        ] {
            assert_eq!(*smtp_password(key, region), password, "{region} {key}");
        }
    }

    #[test]
    fn what_is_no_secret_key_is_told_and_not_repeated() {
        for good in [KEY.to_owned(), format!("{KEY}\n"), format!("{KEY}\r\n")] {
            assert_eq!(secret_key(good.as_bytes()).unwrap().as_str(), KEY);
        }
        for (bad, told) in [
            ("", "no secret key"),
            ("\n", "no secret key"),
            ("AKIAIOSFODNN7EXAMPLE", "has 20 characters"),
            (
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE",
                "has 39 characters",
            ),
            (" wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE", "a blank"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE\u{1b}", "\\u{1b}"),
            (
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nmore",
                "several lines",
            ),
        ] {
            let why = secret_key(bad.as_bytes()).unwrap_err();
            assert!(why.contains(told), "{why}");
            assert!(!why.contains("wJalr") && !why.contains("AKIA"), "{why}");
        }
        assert!(secret_key(b"\xff").is_err());
    }

    #[test]
    fn regions_have_their_form() {
        for good in [
            "us-east-1",
            "eu-central-1",
            "us-gov-west-1",
            "ap-southeast-12",
        ] {
            assert!(is_region(good), "{good}");
        }
        for bad in [
            "",
            "us",
            "US-EAST-1",
            "us-east-",
            "us--1",
            "us east 1",
            "eu-central",
            "-1",
        ] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
