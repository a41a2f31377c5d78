//! How mail leaves: reads the values of `mta` and `smtp`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Settings;
use crate::submission::relay_list::RelayList;
use crate::submission::relay_url::{MtaError, decode};

/// A value of `mta`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mta {
    /// Local names to sendmail or to their mailboxes, the rest to the relay, else to sendmail.
    Auto,
    /// Everything to this program, or to the one of the usual places.
    Sendmail(Option<PathBuf>),
    /// Everything to the first of these relays that takes it.
    Relay(Arc<RelayList>),
    /// Everything into mailboxes of this host.
    Local,
    /// Everything into a file, or to standard output, as an mbox.
    Test(Option<PathBuf>),
}

impl Mta {
    /// Returns the way that is set; the path of a program keeps the bytes it was written with.
    ///
    /// Of `mta` and `smtp` the one that was set last counts: `-S smtp=…` leaves the `mta` of a file
    /// behind. Only `mta=test` stays: nothing is to leave then.
    ///
    /// # Errors
    /// As [`Mta::parse`].
    pub fn of(settings: &Settings) -> Result<Mta, MtaError> {
        let text = settings.get("mta").unwrap_or("auto");
        // Settings remember when they were set: the files come before the command line.
        let is_relay_later = settings.text("smtp").is_some() && settings.is_later("smtp", "mta");
        if is_relay_later && !matches!(Mta::parse(text), Ok(Mta::Test(_))) {
            return Ok(Mta::Auto);
        }
        match settings.path("mta") {
            Some(path) if text.starts_with('/') => Ok(Mta::Sendmail(Some(PathBuf::from(path)))),
            _ => Mta::parse(text),
        }
    }

    /// Reads a value of `mta`.
    ///
    /// # Errors
    /// Says what is wrong with it; a login in it is not repeated.
    pub fn parse(text: &str) -> Result<Mta, MtaError> {
        match text {
            "" | "auto" => return Ok(Mta::Auto),
            "sendmail" => return Ok(Mta::Sendmail(None)),
            "local" => return Ok(Mta::Local),
            "test" | "test://" => return Ok(Mta::Test(None)),
            _ => {}
        }
        if text.starts_with('/') {
            return Ok(Mta::Sendmail(Some(PathBuf::from(text))));
        }
        let text_of_gnu = text
            .strip_prefix("sendmail:")
            .filter(|path| !path.starts_with("//"));
        if let Some(path) = text_of_gnu {
            return Mta::parse(&format!("sendmail://{path}"));
        }
        match text.split_once("://") {
            Some(("test", path)) => Ok(Mta::Test(Some(PathBuf::from(decode(path)?)))),
            Some(("file", path)) if path.starts_with('/') => {
                Ok(Mta::Sendmail(Some(PathBuf::from(decode(path)?))))
            }
            // GNU mail names the program so; with `sendmail:` alone it takes the one that is installed.
            Some(("sendmail", "")) => Ok(Mta::Sendmail(None)),
            Some(("sendmail", path)) if path.starts_with('/') => {
                Ok(Mta::Sendmail(Some(PathBuf::from(decode(path)?))))
            }
            Some(("file", _)) => Err(MtaError::new("file:// needs an absolute path")),
            Some(_) => RelayList::parse(text).map(|list| Mta::Relay(Arc::new(list))),
            // A login may stand in it: then it is not repeated.
            None if text.contains('@') => Err(MtaError::new(
                "it is not a way to send mail; write a relay as smtp://USER@HOST",
            )),
            None => Err(MtaError::new(format!(
                "\"{text}\" is not a way to send mail; use auto, sendmail, local, test, a path, or a URL"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_read() {
        let path = |path: &str| Some(PathBuf::from(path));
        let table = [
            ("auto", Mta::Auto),
            ("sendmail", Mta::Sendmail(None)),
            ("/usr/lib/sm", Mta::Sendmail(path("/usr/lib/sm"))),
            ("file:///a%20b", Mta::Sendmail(path("/a b"))),
            ("local", Mta::Local),
            ("test", Mta::Test(None)),
            ("test:///tmp/x", Mta::Test(path("/tmp/x"))),
        ];
        for (text, expected) in table {
            assert_eq!(Mta::parse(text), Ok(expected), "{text}");
        }
        for text in [
            "smpt://x",
            "relay.example",
            "file://x",
            "smtp://",
            "smtp://a b",
            "smtp://a..b",
            "smtp://.a",
            "smtp://.",
            "smtps://u:secret.example:465",
            "smtp://x:0",
        ] {
            assert!(Mta::parse(text).is_err(), "{text}");
        }
    }
}
