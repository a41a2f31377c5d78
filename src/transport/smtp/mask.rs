//! The mask: removes secrets from the relay's replies.
//!
//! A relay that echoes our AUTH line, or a log of it, must not put the password on standard
//! error, into the log or into a receipt. Every text of the relay passes here when it is taken
//! over (`reply`), so that nothing behind it can forget to.
//!
//! The mask knows the secret, the lines of AUTH that hold it, and what encodings make of both:
//! base64 at each of its three alignments (so any longer text that holds the secret), hex, percent
//! and its kin, backslashes, entities. Case, blanks, line ends and the enhanced status code in front
//! of each line do not count. A part of a secret is masked, too, as soon as it is long enough to be
//! no accident.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::auth::{self, Credentials, Mechanism, Secret};

/// The text that replaces a secret.
const MASKED: &str = "****";

/// How many characters of an encoded secret are no accident.
const ENCODED_PART: usize = 6;

/// How many characters of the secret itself are no accident.
const PLAIN_PART: usize = 6;

/// A secret shorter than this is masked where it is a word of its own, or half the text would go.
const SHORT: usize = 4;

/// Knows the secrets of one relay; without credentials it changes nothing.
#[derive(Default)]
pub(super) struct Mask {
    /// Parts of secrets, folded, by their length; their hashes, so that they lie nowhere in clear.
    parts: Vec<(usize, HashSet<u64>)>,
    hasher: RandomState,
    /// A secret that is masked as a word only, folded.
    word: Option<Zeroizing<String>>,
}

impl Mask {
    /// Returns the mask for the secrets of this relay.
    pub(super) fn of(credentials: Option<&Credentials>, host: &str, port: u16) -> Mask {
        let mut mask = Mask::default();
        let Some(credentials) = credentials else {
            return mask;
        };
        if credentials.secret.reveal().is_empty() {
            return mask;
        }
        mask.learn_secret(&credentials.secret);
        // In LOGIN the encoded name of the user is a line of its own, which the dialogue shows
        // masked. An echo of that line is masked as well; the plain name is no secret.
        mask.learn(&STANDARD_NO_PAD.encode(&credentials.user), ENCODED_PART);
        for mechanism in [Mechanism::Plain, Mechanism::XOAuth2, Mechanism::OAuthBearer] {
            let line = auth::first(mechanism, credentials, host, port);
            if let Some(blob) = line.bytes.trim_end().rsplit(' ').next() {
                let blob = blob.trim_end_matches('=');
                mask.learn(blob, ENCODED_PART);
                // The AUTH line as a whole, encoded once more.
                mask.learn_encoded(blob.as_bytes());
            }
        }
        mask
    }

    /// Returns the mask for secrets that are sent as they are.
    pub(super) fn of_secrets(secrets: &[Secret]) -> Mask {
        let mut mask = Mask::default();
        for secret in secrets {
            mask.learn_secret(secret);
        }
        mask
    }

    /// Learns a secret, and what encodings make of it.
    fn learn_secret(&mut self, secret: &Secret) {
        let secret = secret.reveal();
        let length = secret.chars().count();
        for text in [secret.to_owned(), as_latin1(secret.as_bytes())] {
            let text = Zeroizing::new(text);
            if length < SHORT {
                self.word = Some(folded(&text));
            } else {
                self.learn(&text, PLAIN_PART);
            }
        }
        self.learn_encoded(secret.as_bytes());
    }

    /// Learns what stays of some bytes in the base64 of every text that holds them, and their hex.
    fn learn_encoded(&mut self, bytes: &[u8]) {
        for offset in 0..3 {
            let mut text = Zeroizing::new(vec![0; offset]);
            text.extend_from_slice(bytes);
            let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*text));
            // The first and the last character also hold bits of what stands beside.
            let start = (offset * 8).div_ceil(6);
            let end = text.len() * 8 / 6;
            self.learn(encoded.get(start..end).unwrap_or_default(), ENCODED_PART);
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.learn(&Zeroizing::new(hex), 2 * SHORT);
    }

    /// Learns a text and all its parts of this length; of a shorter one, all of it.
    fn learn(&mut self, text: &str, part: usize) {
        let text = folded(text);
        let ends: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let count = ends.len() - 1;
        if count < SHORT {
            return;
        }
        let part = part.min(count);
        let place = match self.parts.iter().position(|(length, _)| *length == part) {
            Some(place) => place,
            None => {
                self.parts.push((part, HashSet::new()));
                self.parts.len() - 1
            }
        };
        for start in 0..=count - part {
            let hash = self.hasher.hash_one(&text[ends[start]..ends[start + part]]);
            self.parts[place].1.insert(hash);
        }
    }

    /// Masks one text.
    pub(super) fn text(&self, text: &str) -> String {
        let mut lines = [text.to_owned()];
        self.lines(&mut lines);
        std::mem::take(&mut lines[0])
    }

    /// Masks the lines of one reply, a secret that is split between them included.
    pub(super) fn lines(&self, lines: &mut [String]) {
        if self.parts.is_empty() && self.word.is_none() {
            return;
        }
        // All readings mark the same map before anything is replaced: a replacement would break up
        // a secret that another reading would still have found.
        let mut hidden: Vec<Vec<bool>> = lines.iter().map(|line| vec![false; line.len()]).collect();
        for escaping in Escaping::ALL {
            let seen = view(lines, *escaping);
            for (length, parts) in &self.parts {
                for window in seen.windows(*length) {
                    let text: String = window.iter().map(|glyph| glyph.folded).collect();
                    if parts.contains(&self.hasher.hash_one(text.as_str())) {
                        hide(window, &mut hidden);
                    }
                }
            }
        }
        // A secret of up to three characters would occur inside of ordinary words by chance; it is
        // masked only where it stands alone.
        if let Some(word) = &self.word {
            let seen = view(lines, Escaping::Plain);
            let is_same = |a: &Glyph, b: &Glyph| a.line == b.line && a.end == b.start;
            for glyphs in seen.chunk_by(is_same) {
                for word_of in glyphs.split(|glyph| !glyph.folded.is_alphanumeric()) {
                    let text: String = word_of.iter().map(|glyph| glyph.folded).collect();
                    if text == **word {
                        hide(word_of, &mut hidden);
                    }
                }
                let text: String = glyphs.iter().map(|glyph| glyph.folded).collect();
                if text == **word {
                    hide(glyphs, &mut hidden);
                }
            }
        }
        for (line, hidden) in lines.iter_mut().zip(hidden) {
            if hidden.contains(&true) {
                *line = masked(line, &hidden);
            }
        }
    }
}

/// One character of the relay's text, as it is compared, and its place.
#[derive(Clone, Copy)]
struct Glyph {
    folded: char,
    line: usize,
    start: usize,
    end: usize,
}

/// How a text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escaping {
    /// As it stands.
    Plain,
    /// `%XX`, `=XX` (quoted-printable) or `+XX` (xtext, RFC 3461) is one character.
    Escaped(char),
    /// `\"`, `\xXX`, `\u00XX` and `\ooo` are one character.
    Backslashes,
    /// `&amp;` and its kin, `&#38;`, `&#x26;`.
    Entities,
    /// Only its hexadecimal digits, whatever stands between.
    Hex,
}

impl Escaping {
    const ALL: &[Escaping] = &[
        Escaping::Plain,
        Escaping::Escaped('%'),
        Escaping::Escaped('='),
        Escaping::Escaped('+'),
        Escaping::Backslashes,
        Escaping::Entities,
        Escaping::Hex,
    ];

    /// Reads one character; returns it and the length of what stood for it.
    fn read(self, rest: &str) -> (char, usize) {
        let first = rest.chars().next().unwrap_or_default();
        let plain = (first, first.len_utf8());
        let number = |digits: Option<&str>, radix| {
            let digits = digits.filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)
        };
        let found = match self {
            Escaping::Escaped(mark) if first == mark => {
                number(rest.get(1..3), 16).map(|byte| (byte, 3))
            }
            Escaping::Backslashes if first == '\\' => match rest.get(1..2) {
                Some("x") => number(rest.get(2..4), 16).map(|byte| (byte, 4)),
                Some("u") => number(rest.get(2..6), 16).map(|c| (c, 6)),
                Some(c) if c.starts_with(|c: char| c.is_ascii_digit()) => {
                    number(rest.get(1..4), 8).map(|byte| (byte, 4))
                }
                Some(c) => c.chars().next().map(|c| (c, 2)),
                None => None,
            },
            Escaping::Entities if first == '&' => rest.split_once(';').and_then(|(name, _)| {
                let found = match &name[1..] {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    name => match name.strip_prefix('#') {
                        Some(hex) if hex.starts_with(['x', 'X']) => number(hex.get(1..), 16),
                        digits => number(digits, 10),
                    },
                };
                found.map(|c| (c, name.len() + 1))
            }),
            _ => None,
        };
        found.unwrap_or(plain)
    }

    /// Returns whether a character says something in this escaping.
    fn counts(self, glyph: char) -> bool {
        match self {
            Escaping::Hex => glyph.is_ascii_hexdigit(),
            _ => !glyph.is_whitespace() && !glyph.is_control(),
        }
    }
}

/// Returns the characters of some lines that count.
fn view(lines: &[String], escaping: Escaping) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let mut at = status_code(line);
        while at < line.len() {
            let rest = &line[at..];
            let has_mark =
                escaping == Escaping::Hex && (rest.starts_with("0x") || rest.starts_with("0X"));
            if has_mark {
                at += 2;
                continue;
            }
            let (read, length) = escaping.read(rest);
            if escaping.counts(read) {
                glyphs.extend(fold(read).map(|folded| Glyph {
                    folded,
                    line: number,
                    start: at,
                    end: at + length,
                }));
            }
            at += length;
        }
    }
    glyphs
}

/// Returns the length of the enhanced status code (RFC 3463) in front of a line, its blank included.
fn status_code(line: &str) -> usize {
    let word = line.split(' ').next().unwrap_or_default();
    let is_code = word.split('.').count() == 3
        && word
            .split('.')
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    if is_code {
        (word.len() + 1).min(line.len())
    } else {
        0
    }
}

/// Returns a character as it is compared: without case, and as in the one alphabet of base64.
fn fold(c: char) -> impl Iterator<Item = char> {
    let c = match c {
        '-' => '+',
        '_' => '/',
        c => c,
    };
    c.to_lowercase()
}

/// Returns a text as it is compared.
fn folded(text: &str) -> Zeroizing<String> {
    let counts = |c: &char| Escaping::Plain.counts(*c);
    Zeroizing::new(text.chars().filter(counts).flat_map(fold).collect())
}

/// Returns bytes as a reply shows them that is not UTF-8 elsewhere.
fn as_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn hide(glyphs: &[Glyph], hidden: &mut [Vec<bool>]) {
    for glyph in glyphs {
        hidden[glyph.line][glyph.start..glyph.end].fill(true);
    }
    // What stands between two of them is a blank of the same secret.
    for pair in glyphs.windows(2) {
        if pair[0].line == pair[1].line && pair[0].end <= pair[1].start {
            hidden[pair[0].line][pair[0].end..pair[1].start].fill(true);
        }
    }
}

/// Replaces the secrets by the mask.
fn masked(line: &str, hidden: &[bool]) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut was_hidden = false;
    for (at, c) in line.char_indices() {
        match (hidden[at], was_hidden) {
            (true, false) => shown.push_str(MASKED),
            (true, true) => {}
            (false, _) => shown.push(c),
        }
        was_hidden = hidden[at];
    }
    shown
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;
    use crate::transport::smtp::Secret;

    fn mask(secret: &str) -> Mask {
        let credentials = Credentials {
            user: "tester".to_owned(),
            secret: Secret::new(secret),
            mechanism: Mechanism::Auto,
            renewal: None,
        };
        Mask::of(Some(&credentials), "mx.example", 587)
    }

    /// Returns what a relay may make of a secret that it echoes.
    fn echoes(secret: &str) -> Vec<(&'static str, String)> {
        let bytes = secret.as_bytes();
        let hex = |between: &str| {
            let digits: Vec<String> = bytes.iter().map(|b| format!("{b:02X}")).collect();
            digits.join(between)
        };
        let all = |f: &dyn Fn(u8) -> String| bytes.iter().map(|b| f(*b)).collect::<String>();
        let plain = format!("\0tester\0{secret}");
        let bearer = format!("user=tester\x01auth=Bearer {secret}\x01\x01");
        let line = format!("AUTH PLAIN {}\r\n", STANDARD.encode(&plain));
        let mut echoes = vec![
            ("itself", secret.to_owned()),
            ("upper case", secret.to_uppercase()),
            ("decoded", plain.clone()),
            ("the AUTH line", line.clone()),
            ("its base64", STANDARD.encode(bytes)),
            (
                "its base64 in lower case",
                STANDARD.encode(bytes).to_lowercase(),
            ),
            ("its URL-safe base64", URL_SAFE.encode(bytes)),
            ("PLAIN", STANDARD.encode(&plain)),
            ("XOAUTH2", STANDARD.encode(&bearer)),
            ("base64 of the AUTH line", STANDARD.encode(&line)),
            ("hex", hex("")),
            ("hex with colons", hex(":")),
            ("hex with 0x", format!("0x{}", hex(", 0x"))),
            ("percent", all(&|b| format!("%{b:02x}"))),
            ("quoted-printable", all(&|b| format!("={b:02X}"))),
            ("xtext", all(&|b| format!("+{b:02X}"))),
            ("backslashes", all(&|b| format!("\\x{b:02x}"))),
            ("octal", all(&|b| format!("\\{b:03o}"))),
            ("entities", all(&|b| format!("&#{b};"))),
            (
                "percent of base64",
                STANDARD.encode(&plain).replace('=', "%3D"),
            ),
        ];
        for offset in 0..3 {
            let text = format!("{}{secret}-and-more", "x".repeat(offset));
            echoes.push(("base64 within a longer text", STANDARD.encode(text)));
        }
        echoes
    }

    /// Returns whether a secret can be read from a text, with or without an encoding.
    fn holds(text: &str, secret: &str, encoded: &str) -> bool {
        let text = text.to_lowercase();
        let secret = secret.to_lowercase();
        text.contains(&secret) || text.contains(&encoded.to_lowercase())
    }

    #[test]
    fn no_echo_of_a_secret_passes() {
        for secret in [
            "s3cret",
            "pa%ss w/o+rd=\"\\&<",
            "пароль-Ключ",
            "ya29.A0Af-Hq_longTOKEN9xyz",
        ] {
            let mask = mask(secret);
            for (name, echo) in echoes(secret) {
                if name == "octal" && !secret.is_ascii() {
                    continue;
                }
                let shown = mask.text(&format!("5.7.8 got <{echo}>, bad user or password"));
                assert!(!holds(&shown, secret, &echo), "{name}: {shown}");
                assert!(shown.starts_with("5.7.8 got <"), "{name}: {shown}");
                assert!(
                    shown.ends_with(">, bad user or password"),
                    "{name}: {shown}"
                );
            }
        }
    }

    #[test]
    fn no_secret_passes_in_pieces() {
        let secret = "s3cret-of-many";
        let mask = mask(secret);
        for (name, echo) in echoes(secret) {
            let cuts = echo.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
            for cut in &cuts {
                let (front, back) = echo.split_at(*cut);
                let mut lines = [format!("5.7.8 {front}"), format!("5.7.8 {back}")];
                mask.lines(&mut lines);
                let rest = lines.map(|line| line.replace("5.7.8 ", "").replace(MASKED, ""));
                let rest: String = rest.concat().to_lowercase();
                // What is left is what stood around the secret.
                assert!(!holds(&rest, secret, &echo), "{name} {cut}: {rest}");
                let parts = secret.len() - 5;
                for start in 0..parts {
                    assert!(
                        !rest.contains(&secret[start..start + 6]),
                        "{name} {cut}: {rest}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_piece_of_a_long_secret_passed_that_was_shorter_than_its_half() {
        let secret = "Gr8-secret/PassW0rd/of many.characters";
        let mask = mask(secret);
        for length in 6..secret.len() {
            for start in 0..=secret.len() - length {
                let piece = secret[start..start + length].trim();
                if piece.replace(' ', "").len() < 6 {
                    continue;
                }
                let shown = mask.text(&format!("5.7.8 got <{piece}>"));
                assert_eq!(shown, "5.7.8 got <****>", "{piece}");
            }
        }
    }

    #[test]
    fn a_short_secret_goes_where_it_is_a_word() {
        let mask = mask("abc");
        let table = [
            ("bad password abc", "bad password ****"),
            ("ABC: no", "****: no"),
            ("abcdef is fine", "abcdef is fine"),
            ("AHRlc3RlcgBhYmM=", "****="),
        ];
        for (said, shown) in table {
            assert_eq!(mask.text(said), shown);
        }
    }

    #[test]
    fn words_that_hold_no_secret_stay() {
        let mask = mask("s3cret");
        for text in [
            "2.1.0 Ok",
            "5.7.8 Error: authentication failed: bad user or password",
            "queued as 4XyZ9d0vWcz1kRt",
            "relay.test ESMTP tester welcome",
            "250 Größe %41 &amp; \\x41 =41 +41",
            "",
        ] {
            assert_eq!(mask.text(text), text);
        }
        assert_eq!(Mask::default().text("s3cret"), "s3cret");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_masked_without_a_panic(text in "\\PC{0,60}", secret in "\\PC{0,12}") {
            let shown = mask(&secret).text(&text);
            proptest::prop_assert!(secret.chars().count() < 6 || !shown.contains(&secret)
                || secret.chars().all(|c| c.is_whitespace() || c == '*'));
        }
    }
}
