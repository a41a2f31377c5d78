//! Addresses: those that an envelope may contain, and lists of recipients as people type them.
//!
//! Pure: text in, values out. Other modules know accounts, aliases and routes.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

pub mod alias;
mod list;
mod named;
mod person;
mod reverse_path;

pub use list::{Recipient, is_rest, parse_list, parse_people, parse_recipients};
pub use named::{NamedAddress, spaces_for_controls};
pub use person::{BareName, BareNames, readings};
pub use reverse_path::ReversePath;

/// How many recipients one message may have, and how many entries of a list are read.
pub const MAX_RECIPIENTS: usize = 100_000;

/// An address or local name that may be in an envelope.
///
/// Holds 1 to 254 bytes of UTF-8 without blanks and controls and without a `-`
/// in front, so that it can be an argument of a program and a path of an SMTP
/// command without quoting. Construction is the only check. Copies share the text: a mail to 60,000
/// has each address in its list, its plan and its report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvelopeAddress(Arc<str>);

impl EnvelopeAddress {
    /// The longest address an envelope takes, in bytes (RFC 5321 section 4.5.3.1.3, without `<>`).
    pub const MAX_LEN: usize = 254;

    /// Checks an address.
    ///
    /// # Errors
    /// Says which rule it breaks.
    pub fn new(text: impl Into<String>) -> Result<EnvelopeAddress, AddressError> {
        let text = text.into();
        // The order decides which reason a person reads where several hold. First comes what
        // no program could take as an argument, then a text that was meant as a file or command,
        // and last the syntax, whose rules have a meaning only for a text without blanks, controls
        // and brackets.
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > EnvelopeAddress::MAX_LEN {
            "it is longer than 254 bytes"
        } else if text.chars().any(char::is_control) {
            "it contains a control character"
        } else if text.chars().any(char::is_whitespace) {
            "it contains a blank"
        // RFC 5321 allows it, but some programs that are called as sendmail take such a recipient
        // for an option, and not all of them know `--`.
        } else if text.starts_with('-') {
            "it starts with '-'"
        } else if text.contains(['<', '>']) {
            "it contains an angle bracket"
        } else if text.starts_with('@') || text.ends_with('@') {
            "a part before or after '@' is missing"
        } else if names_file_or_command(&text) {
            NOT_EXPANDED
        } else if let Some(reason) = syntax_fault(&text).or_else(|| domain_fault(&text)) {
            reason
        } else {
            return Ok(EnvelopeAddress(text.into()));
        };
        Err(AddressError { text, reason })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text, shared with this address.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Returns the part before the last `@`, or all of a local name.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(local, _)| local)
    }

    /// Returns the part after the last `@`; a local name has none.
    pub fn domain(&self) -> Option<&str> {
        self.0.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// Returns the address as it may leave this host: a bare name, or one at `localhost`, gets
    /// this domain; where that would be too long, it stays.
    pub fn qualified(&self, domain: &str) -> EnvelopeAddress {
        match self.domain() {
            // cron and other programs of this host write `root@localhost` where they mean `root`.
            // Behind a relay `localhost` is another host.
            Some("localhost" | "localhost.localdomain") | None => {
                EnvelopeAddress::new(format!("{}@{domain}", self.local_part()))
                    .unwrap_or_else(|_| self.clone())
            }
            Some(_) => self.clone(),
        }
    }

    /// Returns whether there is no domain.
    pub fn is_local_name(&self) -> bool {
        self.domain().is_none()
    }

    /// Returns the address with its domain in the ASCII form of IDNA (`xn--…`, RFC 5890), which
    /// every mail system takes. The local part has no such form and stays.
    pub fn with_ascii_domain(&self) -> EnvelopeAddress {
        match self
            .0
            .rsplit_once('@')
            .map(|(local, domain)| (local, ascii_domain(domain)))
        {
            Some((local, Ok(Cow::Owned(domain)))) => {
                EnvelopeAddress(format!("{local}@{domain}").into())
            }
            _ => self.clone(),
        }
    }

    /// Returns whether only a mail system with SMTPUTF8 can carry the address (RFC 6531): its local
    /// part is not ASCII.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local_part().is_ascii()
    }
}

/// Returns the ASCII form of a domain or host name (IDNA, RFC 5890). This is the only conversion.
///
/// # Errors
/// Returns the reason, as an English clause, if the name has no ASCII form, or one that stands for
/// another name: UTS 46 maps look-alikes, as `™` to `tm`, and no mail may go to another domain
/// than was typed.
pub fn ascii_domain(domain: &str) -> Result<Cow<'_, str>, &'static str> {
    if domain.is_ascii() {
        return Ok(Cow::Borrowed(domain));
    }
    const NO_NAME: &str = "its domain is not a valid internationalized domain name";
    let ascii = idna::domain_to_ascii(domain).map_err(|_| NO_NAME)?;
    // idna leaves ASCII punctuation as it is: `[IPv\u{e9}:1]` would become `xn--[ipv:1]-gva`, which
    // no list of addresses gives back.
    if ascii.contains(SPECIALS) {
        return Err(NO_NAME);
    }
    let (unicode, result) = idna::domain_to_unicode(&ascii);
    // The way back must lead to what was typed. Case alone may differ: domain names ignore it.
    if result.is_err() || unicode != domain.to_lowercase() {
        return Err(
            "its domain contains a character that stands for other characters, such as '™' for 'tm'",
        );
    }
    Ok(Cow::Owned(ascii))
}

/// Returns why a domain has no ASCII form that fits into an envelope, if it has none.
fn domain_fault(text: &str) -> Option<&'static str> {
    let (local, domain) = text.rsplit_once('@')?;
    match ascii_domain(domain) {
        Ok(ascii) if local.len() + 1 + ascii.len() > EnvelopeAddress::MAX_LEN => {
            Some("it is longer than 254 bytes with its domain in ASCII")
        }
        Ok(_) => None,
        Err(reason) => Some(reason),
    }
}

/// Why a leading `|` or `/` is refused.
pub(crate) const NOT_EXPANDED: &str = "it names a command or file, and 'expandaddr' is not set";

/// Returns whether a mailer might take the text for a command or a file, as sendmail's aliases do
/// for what begins with `|` or `/`, and s-nail for every name with a slash and no `@`.
fn names_file_or_command(text: &str) -> bool {
    if !text.contains('@') && text.contains('/') {
        return true;
    }
    text.trim_start_matches('"').starts_with(['|', '/'])
}

/// Returns what is wrong with the parts around the last `@` (RFC 5321 section 4.1.2).
///
/// Laxer than the RFC where mail systems are: dots may stand anywhere, and any
/// character that is not one of the specials may stand in a local part.
fn syntax_fault(text: &str) -> Option<&'static str> {
    // The last `@` divides: a quoted local part may hold others.
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (text, None),
    };
    if let Some(inner) = local.strip_prefix('"') {
        if !is_quoted_string_rest(inner) {
            return Some("the quote in its local part is not closed before '@'");
        }
    } else if local.contains('@') {
        return Some("it contains more than one '@'");
    } else if local.contains(SPECIALS) {
        return Some("its local part contains one of ( ) [ ] : ; , \" \\");
    }
    let domain = domain?;
    let literal = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    match literal {
        // A colon belongs to IPv6; the others would not survive a list of addresses.
        Some(inner) if inner.replace(':', "").contains(SPECIALS) => {
            Some("its domain literal is malformed")
        }
        Some(_) => None,
        None if domain.contains(SPECIALS) => Some("its domain contains one of ( ) [ ] : ; , \" \\"),
        None => None,
    }
}

/// The specials of RFC 5322 section 3.2.3 that other checks do not cover.
const SPECIALS: [char; 9] = ['(', ')', '[', ']', ':', ';', ',', '"', '\\'];

/// Returns whether the text, a quoted string without its first quote, ends with the quote that closes it.
fn is_quoted_string_rest(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next().is_none() => return false,
            b'"' => return bytes.next().is_none(),
            _ => {}
        }
    }
    false
}

impl fmt::Display for EnvelopeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    /// The text that is not an address, as typed.
    pub text: String,
    /// The rule it breaks, as an English clause.
    pub reason: &'static str,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_envelope_takes() {
        for good in [
            "root",
            "a@example.com",
            "first.last+tag@sub.example.com",
            "\"a,b\"@example.com",
            "\"a\\\"b\"@example.com",
            "a!b@example.com",
            "user@[192.0.2.1]",
            "user@[IPv6:2001:db8::1]",
            "jörg@bücher.example",
        ] {
            assert!(EnvelopeAddress::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_an_envelope_refuses() {
        for bad in [
            "",
            "a b@x",
            "a@x\n",
            "a\0@x",
            "-oQ/tmp",
            "a@",
            "@x",
            "<a@x>",
            "a@b@c",
            "a,b@x",
            "a@x,y",
            "a@x;y",
            "\"a@x",
            "\"a\"b@x",
            "a(b)@x",
            "|cmd",
            "/file",
            "\"|cmd\"@x",
            "a\u{7f}@x",
            "a\u{85}@x",
            ":include:/etc/passwd",
            "a@[1",
            "a@[[1]",
            "a@[1;2]",
            "a@[1,2]",
            "a@[1(2]",
            "a@[1\"2]",
        ] {
            assert!(EnvelopeAddress::new(bad).is_err(), "{bad:?}");
        }
        assert!(EnvelopeAddress::new(format!("{}@x", "a".repeat(252))).is_ok());
        assert!(EnvelopeAddress::new(format!("{}@x", "a".repeat(253))).is_err());
    }

    #[test]
    fn no_control_byte_passes_at_any_place() {
        for byte in (0..=0x20u8).chain([0x7f]) {
            for place in 0..=7 {
                let mut text = String::from("a@x.org");
                text.insert(place, char::from(byte));
                assert!(EnvelopeAddress::new(text.clone()).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn domains_become_ascii_and_stay_the_same_domain() {
        for (typed, ascii) in [
            ("a@bücher.example", "a@xn--bcher-kva.example"),
            ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
            ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
            ("jörg@example.com", "jörg@example.com"),
            ("jörg", "jörg"),
        ] {
            let address = EnvelopeAddress::new(typed).unwrap();
            assert_eq!(address.with_ascii_domain().as_str(), ascii);
            assert_eq!(address.needs_smtputf8(), typed.starts_with('j'));
        }
        for mapped in [
            "a@exa™ple.example",
            "a@[IPv\u{e9}:20::1]",
            "a@[192.0.2.\u{e9}]",
            "a@ｅxample.org",
            "a@x\u{3002}org",
            "a@xª.org",
            "a@\u{ad}x.org",
        ] {
            assert!(EnvelopeAddress::new(mapped).is_err(), "{mapped}");
        }
        let long = format!("{}@bücher.example", "a".repeat(236));
        assert!(EnvelopeAddress::new(long).is_err());
    }
}
