//! `set`: assignments, also those with blanks around the `=`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::way_out::weight_of;
use super::{Interpreter, each_word};
use crate::config::problem::{Origin, Problem, Weight};
use crate::config::settings::Settings;
use crate::config::{text, variables};

/// Applies one `NAME`, `NAME=VALUE` or `noNAME`, as `set` and `-S` take it.
///
/// # Errors Says that the word is not the name of a variable.
pub(crate) fn apply_set(
    settings: &mut Settings,
    word: impl AsRef<OsStr>,
    origin: Origin,
) -> Result<(), String> {
    let bytes = word.as_ref().as_bytes();
    let equals = bytes.iter().position(|&b| b == b'=');
    let (name, value) = match equals {
        Some(equals) => (&bytes[..equals], &bytes[equals + 1..]),
        None => (bytes, &b""[..]),
    };
    // `-S 'mta = smtp://HOST'`: who writes a blank before the `=` means none in the value.
    let value = match name {
        [.., b' ' | b'\t'] => value.trim_ascii_start(),
        _ => value,
    };
    let name = text::decode(name);
    let name = name.trim_end();
    judge_name(name)?;
    // `set noNAME` is `unset NAME` (POSIX), but a variable of the table whose own name begins
    // with `no` is that variable.
    let taken_back = name
        .strip_prefix("no")
        .filter(|rest| !rest.is_empty() && variables::row_of(name).is_none());
    match taken_back {
        Some(rest) if equals.is_none() => settings.unset(rest, origin),
        Some(rest) if variables::row_of(rest).is_some() => {
            return Err(format!("{name} takes no value: it unsets {rest}"));
        }
        _ => settings.set(name, OsStr::from_bytes(value), origin),
    }
    Ok(())
}

/// Judges whether a word can be the name of a variable of any mailx.
fn judge_name(name: &str) -> Result<(), String> {
    // `set mta smtp://USER:SECRET@HOST`, where the `=` was forgotten, is not repeated.
    if name.contains("://") {
        return Err("a URL is not the name of a variable".to_owned());
    }
    // `set smtp=mail .example.org`, `set from=alice @example.org`.
    let is_rest = name.starts_with(['@', '.', ':', '%', '/']);
    if !name.is_empty() && !name.contains(is_of_no_name) && !is_rest {
        return Ok(());
    }
    let what = format!("\"{name}\" is not the name of a variable");
    if is_rest || name.contains(['<', '>', '(', ')']) {
        return Err(format!("{what}; a value with blanks in it needs quotes"));
    }
    Err(what)
}

/// Returns whether a character stands in the name of no variable of any mailx.
fn is_of_no_name(c: char) -> bool {
    // `set from=Alice <a@x.org>` without quotes would set a variable `<a@x.org>`.
    c.is_whitespace() || c.is_control() || "<>(){}\"'\\,;|&$`\u{201c}\u{201d}\u{201e}".contains(c)
}

/// Joins words to assignments: `NAME = VALUE`, `NAME =VALUE`, and `NAME= VALUE` where the value can
/// be no variable.
///
/// POSIX has no blanks there. Its readers set NAME to nothing then, and complain of the rest.
pub(super) fn assignments(words: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut words = words.peekable();
    std::iter::from_fn(move || {
        let mut word = words.next()?;
        if !word.contains('=')
            && let Some(equals) = words.next_if(|next| next.starts_with('='))
        {
            word.push_str(&equals);
            if equals == "=" {
                word.extend(words.next());
            }
        } else if word
            .find('=')
            .is_some_and(|at| at > 0 && at + 1 == word.len())
        {
            word.extend(words.next_if(|next| is_only_a_value(next)));
        }
        Some(word)
    })
}

/// Returns whether a word can be the value of a variable and no variable itself.
fn is_only_a_value(word: &str) -> bool {
    match word.split_once('=') {
        Some((name, _)) => name.contains("://") || name.starts_with(['/', '~', '+', '|', '=']),
        None => !word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')),
    }
}

/// Finds the option behind a value of the way out that has no quotes: `set mta=/usr/bin/msmtp -a
/// work`. `set -e`, which is a shell's, is no such word.
fn cut_short(mut words: impl Iterator<Item = String>) -> Option<String> {
    words.find(|word| word.contains('=') && weight_of([word].into_iter()) == Weight::Route)?;
    let option = words.find(|word| word.starts_with('-'))?;
    let name = option.split('=').next().unwrap_or_default();
    let what = "is not the name of a variable; a value with blanks in it needs quotes";
    Some(format!("\"{name}\" {what}"))
}

impl Interpreter<'_> {
    /// Sets what a line of `set` names.
    pub(super) fn set(&mut self, rest: &str, origin: &Origin) {
        // Of a line with a word that is no variable nothing counts: in `set from=Alice Smith
        // <a@x.org>` the value is cut short.
        let name_of = |word: &str| {
            word.split('=')
                .next()
                .map(|name| judge_name(name.trim_end()))
        };
        let mut words = assignments(each_word(rest));
        let wrong = words.find_map(|word| name_of(&word)?.err());
        let wrong = wrong.or_else(|| cut_short(assignments(each_word(rest))));
        if let Some(what) = wrong {
            let weight = weight_of(each_word(rest));
            let problem = Problem::of_line(origin, what, weight);
            return self.settings.add_problem(problem);
        }
        for word in assignments(each_word(rest)) {
            let word = self.os(&word);
            if let Err(what) = apply_set(self.settings, word, origin.clone()) {
                let weight = weight_of(each_word(rest));
                let problem = Problem::of_line(origin, what, weight);
                self.settings.add_problem(problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_the_equals_sign_are_part_of_no_value() {
        for (line, expected) in [
            ("mta=smtp://h", &["mta=smtp://h"][..]),
            ("mta = smtp://h", &["mta=smtp://h"]),
            ("mta =smtp://h", &["mta=smtp://h"]),
            ("mta= smtp://h", &["mta=smtp://h"]),
            ("mta= smtp://h?a=b", &["mta=smtp://h?a=b"]),
            ("from = 'A B <a@b>' hold", &["from=A B <a@b>", "hold"]),
            ("from= 'A B <a@b>' hold", &["from=A B <a@b>", "hold"]),
            (
                "mta = sendmail smtp= h.example",
                &["mta=sendmail", "smtp=h.example"],
            ),
            ("a = b=c d", &["a=b=c", "d"]),
            ("a =", &["a="]),
            ("a", &["a"]),
            // POSIX: two variables.
            (
                "smtp-hostname= hostname=h",
                &["smtp-hostname=", "hostname=h"],
            ),
            ("crt= dot", &["crt=", "dot"]),
            ("= b", &["=", "b"]),
        ] {
            let found: Vec<String> = assignments(each_word(line)).collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
