//! The relays of a route: one, or several in the order in which they are tried.
//!
//! Each relay has its own login, its own session and its own state: that one of them is down says
//! nothing of the next.

use std::fmt;
use std::sync::Arc;

use crate::submission::relay_url::{MtaError, RelayUrl};

/// The relays of a route in the order in which they are tried; at least one.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayList(Vec<Arc<RelayUrl>>);

impl fmt::Debug for RelayList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RelayList {
    /// Shows the URLs without their logins.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, url) in self.iter().enumerate() {
            let before = if number == 0 { "" } else { ", else " };
            write!(f, "{before}{url}")?;
        }
        Ok(())
    }
}

impl RelayList {
    /// Returns the list as text that [`RelayList::parse`] reads, without the passwords.
    pub fn without_passwords(&self) -> String {
        let urls: Vec<String> = self.iter().map(|url| url.without_password()).collect();
        urls.join(",")
    }

    /// Reads relays: URLs, or `HOST` or `HOST:PORT`, with commas between them.
    ///
    /// A comma separates where a protocol follows it, and everywhere if no protocol and no login is
    /// named at all. So one in a password stays what it is, as before there were lists; `%2C` always
    /// does.
    ///
    /// # Errors
    /// Says what is wrong with it; a login in it is not repeated.
    pub fn parse(text: &str) -> Result<RelayList, MtaError> {
        let parts: Vec<&str> = if text.contains("://") || text.contains('@') {
            split_before_protocols(text)
        } else {
            text.split(',').collect()
        };
        let relays: Vec<Arc<RelayUrl>> = parts
            .into_iter()
            .map(|part| match part.trim() {
                "" => Err(MtaError::new(
                    "there is an empty place in the list of relays",
                )),
                part => RelayUrl::parse(part).map(Arc::new),
            })
            .collect::<Result<_, _>>()?;
        let is_twice = |(at, url): (usize, &Arc<RelayUrl>)| relays[..at].contains(url);
        if relays.iter().enumerate().any(is_twice) {
            return Err(MtaError::new("a relay is twice in the list"));
        }
        Ok(RelayList(relays))
    }

    /// Returns the relay that is tried first.
    pub fn first(&self) -> &Arc<RelayUrl> {
        self.0.first().expect("a list has a relay")
    }

    /// Returns the relays in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<RelayUrl>> {
        self.0.iter()
    }
}

impl From<Arc<RelayUrl>> for RelayList {
    fn from(url: Arc<RelayUrl>) -> RelayList {
        RelayList(vec![url])
    }
}

/// Splits at the commas that have a protocol after them, or nothing.
fn split_before_protocols(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(',') {
        let rest = text[at + 1..].trim_start();
        let word = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .len();
        let names_protocol = word > 0 && rest[word..].starts_with("://");
        if names_protocol || rest.is_empty() || rest.starts_with(',') {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_relays() {
        let table: &[(&str, &[&str])] = &[
            ("submission://a.example", &["submission://a.example:587"]),
            (
                "submission://a.example,submission://b.example",
                &["submission://a.example:587", "submission://b.example:587"],
            ),
            (
                " submissions://a.example:2465 , smtp://[2001:db8::1]:2525 ,\tSMTPS://[::1] ",
                &[
                    "submissions://a.example:2465",
                    "smtp://[2001:db8::1]:2525",
                    "smtps://[::1]:465",
                ],
            ),
            (
                "submission://me%40a.example:p%2Cq@a.example,submission://you@b.example",
                &["submission://a.example:587", "submission://b.example:587"],
            ),
            // As it was before there were lists.
            ("smtps://u:pa,ss@a.example", &["smtps://a.example:465"]),
            ("u:pa,ss@a.example", &["smtp://a.example:25"]),
            (
                "smtps://u:pa,ss@a.example,smtps://u:x,y@b.example",
                &["smtps://a.example:465", "smtps://b.example:465"],
            ),
            // The same host twice is another port, or another login.
            (
                "submissions://a.example,submission://a.example",
                &["submissions://a.example:465", "submission://a.example:587"],
            ),
            (
                "a.example,b.example:2525",
                &["smtp://a.example:25", "smtp://b.example:2525"],
            ),
        ];
        for (text, urls) in table {
            let list = RelayList::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let shown: Vec<String> = list.iter().map(|url| url.to_string()).collect();
            assert_eq!(shown, *urls, "{text}");
            assert_eq!(list.to_string(), urls.join(", else "));
        }
        let list = RelayList::parse("smtp://u%2Cv:p%2Cq@a.example,smtp://b.example").unwrap();
        assert_eq!(list.first().user.as_deref(), Some("u,v"));
        assert_eq!(list.first().password.as_deref(), Some("p,q"));
    }

    #[test]
    fn what_is_no_list_is_refused_and_no_login_repeated() {
        for text in [
            "submission://a.example,",
            ",submission://a.example",
            "submission://a.example,,submission://b.example",
            "submission://a.example, ,submission://b.example",
            "submission://a.example,b.example",
            "submission://a.example,sendmail",
            "submission://a.example,local://x",
            "submission://u:s3cret@a.example;submission://b.example",
            "submission://a.example submission://b.example",
            "submission://u:s3cret@a.example,submission://",
            "submission://u:s3cret@a.example,submission://u:s3cret@a.example",
            "a.example,",
            "",
        ] {
            let error = RelayList::parse(text).expect_err(text);
            assert!(!error.to_string().contains("s3cret"), "{text}: {error}");
        }
    }
}
