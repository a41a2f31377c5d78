//! What a certificate says of itself, for `-v` and for hints: names, issuer, end.
//!
//! Nothing is decided by this: certificates are judged by webpki in `tls`. The few fields are read
//! from the DER here (RFC 5280 section 4.1), because a whole parser would bring a dozen crates into
//! the program for three lines of text. What cannot be read is left out.

use std::net::IpAddr;

/// Tags of ASN.1.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const BOOLEAN: u8 = 0x01;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// Object identifiers, as DER encodes them: commonName, organizationName, subjectAltName.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// How many names are shown; a certificate of a large provider has hundreds.
const NAMES: usize = 10;

/// What a certificate says of itself; not yet sanitised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The hosts that it is for: the alternative names, or else the common name of its subject.
    pub(super) names: Vec<String>,
    /// Who signed it: common name and organization.
    pub(super) issuer: String,
    /// When it ends, in UTC.
    pub(super) end: String,
}

impl Facts {
    /// Reads a certificate; empty where it is none.
    pub(super) fn of(der: &[u8]) -> Facts {
        let mut facts = Facts::default();
        // Whatever was read before the first oddity is shown.
        let _ = facts.read(der);
        facts
    }

    fn read(&mut self, der: &[u8]) -> Option<()> {
        let (mut certificate, _) = open(der, SEQUENCE)?;
        let mut fields = take(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            element(&mut fields)?;
        }
        // Serial number and signature algorithm.
        element(&mut fields)?;
        element(&mut fields)?;
        self.issuer = name(take(&mut fields, SEQUENCE)?, &[COMMON_NAME, ORGANIZATION]).join(", ");
        let mut validity = take(&mut fields, SEQUENCE)?;
        element(&mut validity)?;
        self.end = time(element(&mut validity)?)?;
        let subject = name(take(&mut fields, SEQUENCE)?, &[COMMON_NAME]);
        self.names = subject;
        // The public key, and two old identifiers that are mostly absent.
        while let Some((tag, value)) = element(&mut fields) {
            if tag == EXTENSIONS {
                let alternative = alternative_names(value).unwrap_or_default();
                if !alternative.is_empty() {
                    self.names = alternative;
                }
            }
        }
        Some(())
    }
}

/// Takes one element off; returns its tag and its value.
fn element<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Longer ones do not fit into a handshake of TLS.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some((tag, value))
}

/// Takes an element of this tag off; returns its value.
fn take<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    element(bytes)
        .filter(|(found, _)| *found == tag)
        .map(|(_, value)| value)
}

/// Returns the value of the first element, and what follows it.
fn open(mut bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let value = take(&mut bytes, tag)?;
    Some((value, bytes))
}

/// Returns the attributes of these kinds in a distinguished name, in this order.
fn name(rdns: &[u8], kinds: &[&[u8]]) -> Vec<String> {
    let mut found = vec![String::new(); kinds.len()];
    let mut sets = rdns;
    while let Some(mut set) = take(&mut sets, SET) {
        while let Some(mut pair) = take(&mut set, SEQUENCE) {
            let Some(kind) = take(&mut pair, OID) else {
                continue;
            };
            let at = kinds.iter().position(|wanted| *wanted == kind);
            if let (Some(at), Some((_, value))) = (at, element(&mut pair)) {
                found[at] = String::from_utf8_lossy(value).into_owned();
            }
        }
    }
    found.retain(|text| !text.is_empty());
    found
}

/// Returns the host names and addresses of the extension subjectAltName.
fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (mut list, _) = open(extensions, SEQUENCE)?;
    while let Some(mut extension) = take(&mut list, SEQUENCE) {
        if take(&mut extension, OID)? != SUBJECT_ALT_NAME {
            continue;
        }
        if extension.first() == Some(&BOOLEAN) {
            element(&mut extension)?;
        }
        let (mut names, _) = open(take(&mut extension, OCTETS)?, SEQUENCE)?;
        let mut found = Vec::new();
        while let Some((tag, value)) = element(&mut names) {
            match tag {
                DNS_NAME => found.push(String::from_utf8_lossy(value).into_owned()),
                IP_ADDRESS => found.extend(address(value).map(|address| address.to_string())),
                _ => {}
            }
        }
        let count = found.len();
        if count > NAMES {
            found.truncate(NAMES);
            found.push(format!("{} more", count - NAMES));
        }
        return Some(found);
    }
    None
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// Returns a time as `2031-01-02 03:04 UTC` (RFC 5280 section 4.1.2.5).
fn time((tag, value): (u8, &[u8])) -> Option<String> {
    let text = str::from_utf8(value).ok().filter(|text| text.is_ascii())?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            // Two digits are of 1950 to 2049.
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2);
    let (month, day, hour, minute) = (part(0)?, part(2)?, part(4)?, part(6)?);
    Some(format!("{year}-{month}-{day} {hour}:{minute} UTC"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(names: &[&str], year: i32) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params
            .distinguished_name
            .push(DnType::CommonName, "Our Relay");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Ünser Haus");
        params.not_after = date_time_ymd(year, 3, 4);
        let key = KeyPair::generate().expect("a key");
        params
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .to_vec()
    }

    #[test]
    fn names_issuer_and_end_are_read() {
        for (year, end) in [
            (2031, "2031-03-04 00:00 UTC"),
            (1999, "1999-03-04 00:00 UTC"),
            (2077, "2077-03-04 00:00 UTC"),
        ] {
            let facts = Facts::of(&certificate(&["mx.example.org", "10.9.8.7", "::1"], year));
            assert_eq!(facts.names, ["mx.example.org", "10.9.8.7", "::1"]);
            assert_eq!(facts.issuer, "Our Relay, Ünser Haus");
            assert_eq!(facts.end, end);
        }
        assert_eq!(Facts::of(&certificate(&[], 2031)).names, ["Our Relay"]);
        let many: Vec<String> = (0..400).map(|n| format!("mx{n}.example.org")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let facts = Facts::of(&certificate(&many, 2031));
        assert_eq!(facts.names.len(), NAMES + 1);
        assert_eq!(facts.names.last().map(String::as_str), Some("390 more"));
    }

    #[test]
    fn a_damaged_certificate_shows_what_it_can_and_stops_nothing() {
        let whole = certificate(&["mx.example.org"], 2031);
        for cut in 0..whole.len() {
            let _ = Facts::of(&whole[..cut]);
        }
        for at in 0..whole.len() {
            for byte in [0, 0x30, 0x7f, 0x80, 0x83, 0x84, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let _ = Facts::of(&bytes);
            }
        }
        assert_eq!(Facts::of(b""), Facts::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Facts::of(&bytes);
        }
    }
}
