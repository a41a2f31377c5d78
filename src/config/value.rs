//! What values a variable takes: one judge for each kind of row.
//!
//! A value is judged when it is set, whichever door it comes through. What is accepted is stored in
//! one spelling: a switch as `""`, a word of a list as the list has it. `None` means that the value
//! says no, and the variable counts as unset.

use std::borrow::Cow;
use std::time::Duration;

use crate::address::ascii_domain;
use crate::config::colours::Palette;
use crate::config::headline::{Layout, date_format};
use crate::config::words;

/// Words that mean yes, in any case; so does a whole number other than 0.
const YES: &[&str] = &["yes", "on", "1", "true", "y"];

/// Words that mean no, in any case.
const NO: &[&str] = &["no", "off", "0", "false", "n"];

/// How much of a wrong value an error repeats, in characters.
const SHOWN: usize = 60;

/// What values a variable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Set or not set.
    Switch,
    /// A switch, or a whole number.
    SwitchOrNumber,
    /// A whole number, at least this one.
    Number(u64),
    /// A time, in seconds or with a unit, at least this one.
    Duration(u64),
    /// A size, in bytes or with a unit.
    Size,
    /// Any text.
    Text,
    /// The format of header lines.
    Headline,
    /// The format of a date, as `strftime` has it.
    DateFormat,
    /// A switch, or the looks of what is coloured.
    Colours,
    /// A text that must not be empty.
    Word,
    /// The name or the address of a host; it must not be empty.
    Host,
    /// A file name; `~` and `+` are expanded.
    Path,
    /// An address, maybe with a name.
    Address,
    /// A URL or path that says how mail leaves.
    Route,
    /// A secret: never shown.
    Secret,
    /// One of these words.
    OneOf(&'static [Choice]),
    /// One of these words, or the name of a file.
    OneOfOrPath(&'static [Choice]),
    /// Words that are passed on as arguments of sendmail.
    Arguments,
    /// The kinds of recipients that are allowed besides addresses.
    Targets,
}

/// A word of a list, with other words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The word, as code asks for it.
    pub word: &'static str,
    /// Other words for the same choice; the empty word is a variable that is set without a value.
    pub also: &'static [&'static str],
}

impl Choice {
    fn is(&self, value: &str) -> bool {
        let mut words = self.also.iter().chain([&self.word]);
        words.any(|word| word.eq_ignore_ascii_case(value))
    }
}

/// What `expandaddr` allows besides addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    /// Recipients that begin with `/` are files.
    pub(crate) files: bool,
    /// Recipients that begin with `|` are commands.
    pub(crate) commands: bool,
}

impl ValueKind {
    /// Judges a value; returns it in the one spelling that is stored, `None` if it says no.
    ///
    /// `is_needed`: an empty value is refused, because mail could go the wrong way.
    ///
    /// # Errors
    /// Says what the value must be, as the end of a sentence that begins with the variable.
    pub(crate) fn judge(
        self,
        value: &str,
        is_needed: bool,
    ) -> Result<Option<Cow<'_, str>>, String> {
        let word = value.trim();
        let as_it_is = Ok(Some(Cow::Borrowed(value)));
        match self {
            ValueKind::Switch => match yes_or_no(word) {
                Some(true) => Ok(Some(Cow::Borrowed(""))),
                Some(false) => Ok(None),
                None => Err(self.expects(value)),
            },
            // A number is tried before a switch: `crt=1` means one line, not yes.
            ValueKind::SwitchOrNumber if number(word).is_some() => as_it_is,
            ValueKind::SwitchOrNumber => ValueKind::Switch
                .judge(word, false)
                .map_err(|_| self.expects(value)),
            // `set toplines=` means the default. Where the variable is one of the way out, an empty
            // value is more likely a shell variable that was not set.
            ValueKind::Number(_) | ValueKind::Duration(_) | ValueKind::Size
                if (word.is_empty() && !is_needed) || self.is_measure(word) =>
            {
                as_it_is
            }
            ValueKind::Number(_) | ValueKind::Duration(_) | ValueKind::Size => {
                Err(self.expects(value))
            }
            ValueKind::OneOf(choices) | ValueKind::OneOfOrPath(choices) => {
                match choices.iter().find(|choice| choice.is(word)) {
                    Some(choice) => Ok(Some(Cow::Borrowed(choice.word))),
                    None if matches!(self, ValueKind::OneOfOrPath(_)) => as_it_is,
                    None => Err(self.expects(value)),
                }
            }
            ValueKind::Arguments => argument_that_diverts(value).map_or(as_it_is, Err),
            // The words of a switch come first: s-nail takes `expandaddr` with a list and without
            // one.
            ValueKind::Targets => match (yes_or_no(word), targets(word)) {
                (Some(false), _) => Ok(None),
                (Some(true), _) => Ok(Some(Cow::Borrowed(""))),
                (None, Some(_)) => as_it_is,
                (None, None) => Err(self.expects(value)),
            },
            ValueKind::Host => self.judge_host(value),
            ValueKind::Headline => match Layout::parse(value) {
                Some(_) => as_it_is,
                None if word.is_empty() => as_it_is,
                None => Err(self.expects(value)),
            },
            ValueKind::DateFormat => match date_format(value) {
                Some(_) => as_it_is,
                None => Err(self.expects(value)),
            },
            ValueKind::Colours => match (yes_or_no(word), Palette::parse(word)) {
                (Some(false), _) => Ok(None),
                (Some(true), _) => Ok(Some(Cow::Borrowed(""))),
                (None, Some(_)) => as_it_is,
                (None, None) => Err(self.expects(value)),
            },
            ValueKind::Text => as_it_is,
            // What these name is looked for when it is used: a file may be made after the rc file
            // was read, and an alias may stand for the address.
            ValueKind::Word
            | ValueKind::Path
            | ValueKind::Address
            | ValueKind::Route
            | ValueKind::Secret => match word {
                "" if is_needed => Err("has no value".to_owned()),
                _ => as_it_is,
            },
        }
    }

    /// Judges the name of a host, see [`ValueKind::judge`].
    fn judge_host(self, value: &str) -> Result<Option<Cow<'_, str>>, String> {
        let word = value.trim();
        if !word.bytes().all(is_of_host) {
            return Err(self.expects(value));
        }
        // The name must have an ASCII form, but it is stored as it was typed, so that people find
        // it again in messages; the form is made where the name leaves this host.
        match ascii_domain(word) {
            Ok(_) => Ok(Some(Cow::Borrowed(word))),
            Err(why) => Err(format!("is \"{word}\", which is not a valid host: {why}")),
        }
    }

    /// Returns whether a word is a number, a time or a size, and not less than the row wants.
    fn is_measure(self, word: &str) -> bool {
        match self {
            ValueKind::Number(least) => number(word).is_some_and(|n| n >= least),
            ValueKind::Duration(least) => seconds(word).is_some_and(|n| n >= least),
            ValueKind::Size => size(word).is_some(),
            _ => false,
        }
    }

    /// Returns the error for a value: what it must be, and what it is.
    fn expects(self, value: &str) -> String {
        let shown: String = value.chars().take(SHOWN).collect();
        let rest = if value.chars().count() > SHOWN {
            "…"
        } else {
            ""
        };
        format!("must be {}, not \"{shown}{rest}\"", self.accepted())
    }

    /// Returns what values are accepted, for errors and the manual.
    pub fn accepted(self) -> String {
        match self {
            ValueKind::Switch => "yes (on, 1, true) or no (off, 0, false)".to_owned(),
            ValueKind::SwitchOrNumber => "a whole number, yes (on, true) or no (off, false)".into(),
            ValueKind::Number(0) => "a whole number".to_owned(),
            ValueKind::Number(least) => format!("a whole number of at least {least}"),
            ValueKind::Duration(0) => "a time such as 30, 30s, 5m or 1h".to_owned(),
            ValueKind::Duration(_) => {
                "a time of at least 1 second, such as 30, 30s, 5m or 1h".into()
            }
            ValueKind::Size => "a size such as 500K or 10M, or a number of bytes".to_owned(),
            ValueKind::Text => "any text".to_owned(),
            ValueKind::Headline => {
                "bsd, s-nail, postrider, or a format such as \"%>%a%m %f %s\"".into()
            }
            ValueKind::DateFormat => "a format of strftime, such as \"%d.%m.%Y\"".to_owned(),
            ValueKind::Colours => "yes, no, or a list such as new=bold,quote=bright-blue".into(),
            ValueKind::Word => "a text that is not empty".to_owned(),
            ValueKind::Host => "a host name".to_owned(),
            ValueKind::Path => "a file name".to_owned(),
            ValueKind::Address => "an address".to_owned(),
            ValueKind::Route => "a way to send mail".to_owned(),
            ValueKind::Secret => "a secret".to_owned(),
            ValueKind::OneOf(choices) => list(choices, None),
            ValueKind::OneOfOrPath(choices) => list(choices, Some("a file name")),
            ValueKind::Arguments => "arguments, quoted as in a configuration file".to_owned(),
            ValueKind::Targets => {
                "yes, no, or a list of +file, -file, +pipe, -pipe, +all, -all and restrict".into()
            }
        }
    }
}

/// Writes a list of words with their synonyms: `a, b (c, d) or e`.
fn list(choices: &[Choice], last: Option<&str>) -> String {
    let mut parts: Vec<String> = choices
        .iter()
        .map(|choice| {
            let also: Vec<&str> = choice
                .also
                .iter()
                .copied()
                .filter(|word| !word.is_empty())
                .collect();
            if also.is_empty() {
                choice.word.to_owned()
            } else {
                format!("{} ({})", choice.word, also.join(", "))
            }
        })
        .chain(last.map(str::to_owned))
        .collect();
    match parts.pop() {
        Some(end) if parts.is_empty() => end,
        Some(end) => format!("{} or {end}", parts.join(", ")),
        None => String::new(),
    }
}

/// Returns whether a byte may be part of a host name or of the address of a host.
fn is_of_host(byte: u8) -> bool {
    // Brackets and colons are those of an IPv6 address. RFC 1123 has no `_` in a host name, but
    // hosts have it; a byte above 0x7f is part of an international name.
    byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte) || byte >= 0x80
}

/// Returns what a value of a switch says; nothing at all says yes.
pub(super) fn yes_or_no(word: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    match word {
        "" => Some(true),
        _ if is(YES) => Some(true),
        _ if is(NO) => Some(false),
        // s-nail: any other number is true.
        _ => number(word).map(|number| number != 0),
    }
}

/// Reads a whole number of digits alone; one that is too large counts as the largest.
pub(super) fn number(word: &str) -> Option<u64> {
    // Rust would read `+5` as well, and fail for a number that is too large; a limit as large as
    // that is no limit.
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| word.parse().unwrap_or(u64::MAX))
}

/// Reads a time in seconds: `30`, `30s`, `5m`, `1h`, `2d`.
pub(super) fn seconds(word: &str) -> Option<u64> {
    with_unit(word, |unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    })
}

/// Reads a size in bytes: `500K`, `10M`, `1G`; one that is too large counts as the largest.
pub(crate) fn size(word: &str) -> Option<u64> {
    with_unit(word, |unit| match unit.to_ascii_lowercase() {
        // Units are powers of 1024: `max-size=10M` fits a relay that announces `SIZE 10485760`
        // (RFC 1870).
        'k' => Some(1 << 10),
        'm' => Some(1 << 20),
        'g' => Some(1 << 30),
        _ => None,
    })
}

fn with_unit(word: &str, factor: impl Fn(char) -> Option<u64>) -> Option<u64> {
    let unit = word.chars().next_back()?;
    match factor(unit) {
        Some(factor) => number(&word[..word.len() - unit.len_utf8()])
            .map(|number| number.saturating_mul(factor)),
        None => number(word),
    }
}

/// Returns a time as a duration, at most a year, so that times can be added up.
pub(super) fn duration(seconds: u64) -> Duration {
    const YEAR: u64 = 366 * 24 * 60 * 60;
    Duration::from_secs(seconds.min(YEAR))
}

/// Reads a list as s-nail's `expandaddr` has it: all is allowed until a word takes it away.
pub(super) fn targets(word: &str) -> Option<Targets> {
    let mut allowed = Targets {
        files: true,
        commands: true,
    };
    for entry in word
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
    {
        let (yes, name) = match entry.strip_prefix('-') {
            Some(name) => (false, name),
            None => (true, entry.strip_prefix('+').unwrap_or(&entry)),
        };
        match name {
            "all" => {
                allowed = Targets {
                    files: yes,
                    commands: yes,
                };
            }
            "restrict" => allowed = Targets::default(),
            "file" => allowed.files = yes,
            "pipe" => allowed.commands = yes,
            // Addresses and names are always recipients, and a bad one is always an error.
            "" | "fcc" | "name" | "addr" | "fail" | "failinvaddr" | "nametoaddr" | "shquote" => {}
            _ => return None,
        }
    }
    Some(allowed)
}

/// Returns why these words cannot be arguments of sendmail, if one of them would divert the mail:
/// to recipients of the header field, to another mode that sends nothing, or past our own words.
fn argument_that_diverts(value: &str) -> Option<String> {
    let words = match words::texts(value) {
        Ok(words) => words,
        Err(_) => return Some("has a quote that is not closed".to_owned()),
    };
    let is_template = |word: &str| {
        // Flags can be written in one word: `-it` holds `-t`. Only flags without a value are
        // looked through, because the `t` of `-ft@example.org` is part of an address.
        let flags = word.strip_prefix('-').unwrap_or_default();
        word == "--read-recipients"
            || (flags.contains('t') && flags.bytes().all(|flag| b"imntv".contains(&flag)))
    };
    let mut words = words;
    words.find_map(|word| {
        let why = match word.as_str() {
            "--" => "ends the options; Postrider itself does that",
            word if is_template(word) => "would take recipients from the header",
            // `-bm` is the mode that sendmail has by default: it takes a message from standard
            // input.
            word if word.starts_with("-b") && word != "-bm" => "is a mode that sends nothing",
            word if word.starts_with("-q") => "is a mode that sends nothing",
            "-I" | "-Q" => "is a mode that sends nothing",
            _ => return None,
        };
        Some(format!("must not contain {word}: it {why}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_none_and_the_largest_is_no_limit() {
        for (word, bytes) in [
            ("0", Some(0)),
            ("500", Some(500)),
            ("10k", Some(10_240)),
            ("2M", Some(2 << 20)),
            ("1G", Some(1 << 30)),
            ("18446744073709551615G", Some(u64::MAX)),
            ("99999999999999999999", Some(u64::MAX)),
            ("", None),
            ("k", None),
            ("-1", None),
            ("+1", None),
            ("1T", None),
            ("1kk", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(size(word), bytes, "{word}");
        }
    }

    const LIST: ValueKind = ValueKind::OneOf(&[
        Choice {
            word: "auto",
            also: &[],
        },
        Choice {
            word: "require",
            also: &["", "yes"],
        },
    ]);

    #[test]
    fn a_value_is_judged_by_its_kind() {
        let rows: &[(ValueKind, &[&str], &[&str])] = &[
            // The kind, what it takes, what it does not take.
            (
                ValueKind::Switch,
                &[
                    "", "yes", "On", "1", "TRUE", " y ", "7", "no", "OFF", "0", "false", "n",
                ],
                &["maybe", "-1", "0x1", "yes no", "ja", "1.0"],
            ),
            (
                ValueKind::SwitchOrNumber,
                &["", "0", "1", "24", "yes", "off"],
                &["-1", "two", "1x"],
            ),
            (
                ValueKind::Number(1),
                &["1", "007", " 20 ", "99999999999999999999999"],
                &["0", "-1", "+1", "1e3", "0x10", "1.5", "abc", "1 2"],
            ),
            (
                ValueKind::Duration(1),
                &["1", "10s", "5m", "1h", "2d", "99999999999999999999d"],
                &["0", "0s", "-5", "5x", "s", "1h30m", "0x10", "soon", "10S"],
            ),
            (
                ValueKind::Headline,
                &["", "bsd", "s-nail", "postrider", "%>%m %s"],
                &["%", "%q", "%5"],
            ),
            (
                ValueKind::DateFormat,
                &["", "%Y", "%d. %b"],
                &["%", "%Q", "\x1b"],
            ),
            (
                ValueKind::Colours,
                &["", "yes", "off", "new=bold", "new=bright-red dim,link=none"],
                &["pink", "new=pink", "gnu=red", "new"],
            ),
            (
                ValueKind::Size,
                &["0", "10", "10k", "10M", "1G"],
                &["big", "-1", "1T", "1.5M", "M"],
            ),
            (
                LIST,
                &["", "AUTO", "require", "Yes", " auto "],
                &["no", "requires"],
            ),
            (
                ValueKind::Arguments,
                &[
                    "",
                    "-a work",
                    "-oi -X '/tmp/a log'",
                    "-bm",
                    "-f x@y",
                    "-O DeliveryMode=b",
                ],
                &[
                    "-t", "-it", "-oi -ti", "--", "-bp", "-bs", "-q", "-q30m", "'-a",
                ],
            ),
            (
                ValueKind::Targets,
                &["", "yes", "no", "-all,+addr", "restrict", "fail,+File"],
                &["maybe", "-all,+nonesuch", "domaincheck"],
            ),
            (
                ValueKind::Host,
                &["", "server7", "a.example.org", "grün.example", "[::1]"],
                &["a b", "a\nBcc: x", "me@x.org", "<x>", "a,b"],
            ),
            (ValueKind::Word, &["x"], &["", "  "]),
            (ValueKind::Text, &["", "x"], &[]),
        ];
        for (kind, taken, refused) in rows {
            for value in *taken {
                assert!(kind.judge(value, true).is_ok(), "{kind:?} {value:?}");
            }
            for value in *refused {
                let told = kind.judge(value, true).unwrap_err();
                assert!(!told.is_empty(), "{kind:?} {value:?}");
            }
        }
    }

    #[test]
    fn what_says_no_is_unset_and_synonyms_are_one_word() {
        assert_eq!(ValueKind::Switch.judge("no", false), Ok(None));
        assert_eq!(ValueKind::Switch.judge("YES", false), Ok(Some("".into())));
        assert_eq!(LIST.judge("yes", false), Ok(Some("require".into())));
        assert_eq!(LIST.accepted(), "auto or require (yes)");
        assert_eq!(
            (seconds("2m"), seconds("2"), seconds("2x")),
            (Some(120), Some(2), None)
        );
        assert_eq!(
            (size("2k"), size("2"), size("k")),
            (Some(2048), Some(2), None)
        );
    }

    #[test]
    fn a_list_of_targets_takes_away_in_its_order() {
        let allowed = |word| targets(word).map(|t| (t.files, t.commands));
        assert_eq!(allowed("-all,+addr,+name"), Some((false, false)));
        assert_eq!(allowed("restrict,+file"), Some((true, false)));
        assert_eq!(allowed("-pipe"), Some((true, false)));
        assert_eq!(allowed("fail"), Some((true, true)));
        assert_eq!(allowed("domaincheck"), None);
    }
}
