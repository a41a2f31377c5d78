//! Separators: whether a line that starts with `From ` starts a message.
//!
//! Deliverers disagree on quoting (mboxo, mboxrd), on framing (mboxcl, mboxcl2) and on the blank
//! line before a From_ line, and a reader cannot know which of them wrote a file. So a candidate is
//! judged by its own form and by the lines around it, never by Content-Length alone: most
//! deliverers pass on the sender's value, whatever it says.
//!
//! Two mistakes are possible, and not equally bad. A line of text taken for a separator cuts a
//! message in two, which a reader sees; a separator taken for text hides a message. So a dated line
//! is still a separator where its deliverer left the blank line out, if a header follows it.

use memchr::memchr;

use super::from_line::FromLine;
use crate::message::parse::fields::{
    self, HeaderLine, MAX_FIELD_NAME, field_name_len, header_line, is_from_line,
};

/// The longest From_ line: a path of RFC 5321 has 256 bytes, list archives write names before it.
pub(in crate::mailbox) const MAX_FROM_LINE: usize = 2048;

/// How many bytes from its start on are enough to judge a candidate: its line with the line end, and
/// the longest field name with its colon.
pub(in crate::mailbox) const LOOKAHEAD: usize = MAX_FROM_LINE + MAX_FIELD_NAME + 2;

/// How many bytes before a line decide whether a blank line precedes it: `\n\r\n`.
pub(in crate::mailbox) const LOOKBEHIND: usize = 3;

/// The judgement of a line that starts with `From `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Candidate {
    /// A separator, whatever Content-Length says: it has a date, a blank line before it, and a header
    /// or an empty line after it.
    Strict,
    /// A separator, unless a Content-Length that was found to be right puts it into a body.
    Weak,
    /// The same, if the header of a message follows it ([`is_message_header`]).
    Undated,
    /// Text.
    Text,
}

/// The kind of the line after a From_ line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextLine {
    /// A header field, or a second, old-style From_ line (`>From user date remote from host`).
    Field,
    /// An empty line, or the end of the file.
    Blank,
    /// Anything else.
    Text,
}

/// Judges the line at the start of `text`, which starts with `From `.
///
/// `text` holds at least [`LOOKAHEAD`] bytes or reaches to the end of the file.
pub(in crate::mailbox) fn judge(text: &[u8], after_blank: bool) -> Candidate {
    let Some((line, rest)) = split_line(text) else {
        return Candidate::Text;
    };
    let next = next_line(rest);
    let Some(from) = FromLine::parse(line).filter(|_| next != NextLine::Text) else {
        return Candidate::Text;
    };
    // A weak candidate may also be the From_ line of a message that somebody quotes in a text, which
    // is why Content-Length, if it proves right, may overrule it.
    match (from.time.is_some(), after_blank, next) {
        (true, true, _) => Candidate::Strict,
        (true, false, NextLine::Field) => Candidate::Weak,
        (false, true, NextLine::Field) if from.is_plausible_without_date() => Candidate::Weak,
        // With neither sign a single field is not enough: people quote such lines in their texts.
        (false, false, NextLine::Field) if from.is_plausible_without_date() => Candidate::Undated,
        _ => Candidate::Text,
    }
}

/// How much of a header is searched for the fields that a message has.
pub(in crate::mailbox) const SEARCHED_HEADER: usize = 64 * 1024;

/// Returns whether `text`, behind an undated From_ line, is the header of a message: at least two
/// fields without a line between them that is none, of which one is `From`, `Date`, `Subject` or
/// `Message-ID`.
///
/// `None` if that depends on what follows the text; with `is_all` nothing does. No line that could be
/// a separator itself is passed, so that all these searches of a file together take linear time.
pub(in crate::mailbox) fn is_message_header(text: &[u8], is_all: bool) -> Option<bool> {
    let is_all = is_all || text.len() >= SEARCHED_HEADER;
    let text = &text[..text.len().min(SEARCHED_HEADER)];
    let (mut at, mut count, mut has_known) = (0, 0, false);
    while at < text.len() {
        let rest = &text[at..];
        if rest.len() < fields::LOOKAHEAD && !is_all {
            return None;
        }
        match header_line(rest, count > 0) {
            HeaderLine::Field => {
                count += 1;
                has_known |= field_name_len(rest).is_some_and(|len| is_known(&rest[..len]));
            }
            HeaderLine::Continuation => {}
            HeaderLine::OldFromLine if rest.starts_with(b">") => {}
            HeaderLine::OldFromLine | HeaderLine::Separator | HeaderLine::Text => {
                return Some(false);
            }
        }
        if count >= 2 && has_known {
            return Some(true);
        }
        match memchr(b'\n', rest) {
            Some(end) => at += end + 1,
            None => break,
        }
    }
    is_all.then_some(false)
}

/// Returns whether this is the name of a field that nearly every message has.
fn is_known(name: &[u8]) -> bool {
    [&b"from"[..], b"date", b"subject", b"message-id"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Returns whether the last [`LOOKBEHIND`] bytes before a line are the end of a blank line.
pub(in crate::mailbox) fn ends_with_blank_line(before: &[u8]) -> bool {
    matches!(before, [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n'])
}

/// Returns whether a file whose first line that is not blank starts `text` is an mbox.
///
/// No message before it can be cut in two, so the rule is generous: a From_ line with a date, or any
/// line that starts with `From ` and has a header field after it.
pub(in crate::mailbox) fn opens_mbox(text: &[u8]) -> bool {
    split_line(text).is_some_and(|(line, rest)| {
        FromLine::parse(line)
            .is_some_and(|from| from.time.is_some() || next_line(rest) == NextLine::Field)
    })
}

/// Returns whether a From_ line before this text would be a strict separator.
///
/// `text` holds at least [`MAX_FIELD_NAME`] bytes or all there is.
pub(in crate::mailbox) fn can_follow_from_line(text: &[u8]) -> bool {
    next_line(text) != NextLine::Text
}

/// Splits the first line off; `None` if it is longer than a From_ line may be.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = &text[..text.len().min(MAX_FROM_LINE)];
    match memchr(b'\n', start) {
        Some(end) => Some((&text[..end], &text[end + 1..])),
        // The file ends without a line end.
        None if text.len() < MAX_FROM_LINE => Some((text, &[])),
        None => None,
    }
}

/// Returns the kind of the line at the start of `text`.
fn next_line(text: &[u8]) -> NextLine {
    match text {
        [] | [b'\n', ..] | [b'\r', b'\n', ..] => NextLine::Blank,
        [b'>', ..] if is_from_line(text) => NextLine::Field,
        _ if field_name_len(text).is_some() => NextLine::Field,
        _ => NextLine::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_decide() {
        use Candidate::{Strict, Text, Undated, Weak};
        let dated = "From a@x Tue Jan  7 12:09:16 2003\n";
        // Candidate line, line after it, with a blank line before, without one.
        let rows = [
            (dated, "Subject: x\n", Strict, Weak),
            (dated, "Subject : x\n", Strict, Weak),
            (dated, "\n", Strict, Text),
            (dated, "\r\n", Strict, Text),
            (dated, "", Strict, Text),
            (
                dated,
                ">From b Tue Jan  7 12:09:16 2003 remote from c\n",
                Strict,
                Weak,
            ),
            (dated, "no field\n", Text, Text),
            (dated, ": no name\n", Text, Text),
            (dated, " folded: x\n", Text, Text),
            ("From - \n", "X-Mozilla-Status: 0001\n", Weak, Undated),
            ("From - \n", "\n", Text, Text),
            ("From 12@xxx\r\n", "X-GM-THRID: 12\r\n", Weak, Undated),
            ("From here on\n", "see: below\n", Text, Text),
            ("From perl5-porters:\n", "\n", Text, Text),
        ];
        for (line, next, after_blank, otherwise) in rows {
            let text = format!("{line}{next}");
            assert_eq!(judge(text.as_bytes(), true), after_blank, "{text:?}");
            assert_eq!(judge(text.as_bytes(), false), otherwise, "{text:?}");
        }
    }

    #[test]
    fn an_undated_separator_has_the_header_of_a_message_behind_it() {
        let long = format!("Received: {}\n", "x".repeat(5000)).repeat(3);
        let longer = format!("Received: {}\n", "x".repeat(5000)).repeat(20);
        let rows = [
            ("X-Mozilla-Status: 0001\nSubject: x\n", true),
            ("subject: x\nX: y\n", true),
            ("FROM: a@x\r\n\tfolded\r\nTo: b\r\n", true),
            (">From a\nDate : x\nTo: b", true),
            ("Received: x\n y\nMessage-Id: <z>\n\n", true),
            (&*format!("{long}Subject: x\n"), true),
            // One field; none that a message has; a line between them.
            ("Subject: x\n", false),
            ("Subject: x\n\nTo: b\n", false),
            ("Subject: x\n  folded\n\nDate: y\n", false),
            ("To: b\nCc: c\n\nSubject: x\n", false),
            ("To: b\nCc: c", false),
            ("Subject: x\ntext\nTo: b\n", false),
            ("Subject: x\n> To: b\n", false),
            ("To: b\nFrom - \nSubject: x\nDate: y\n", false),
            ("Subjects: x\nDates: y\n", false),
            ("", false),
            // Nobody's header.
            (&*format!("{longer}Subject: x\n"), false),
        ];
        for (text, expected) in rows {
            let found = is_message_header(text.as_bytes(), true);
            assert_eq!(found, Some(expected), "{text:.80}");
            // With fewer bytes it is the same or not known.
            for len in 0..text.len().min(6000) {
                let part = is_message_header(&text.as_bytes()[..len], false);
                assert!(
                    part.is_none_or(|found| found == expected),
                    "{len} of {text:.80}"
                );
            }
        }
    }

    #[test]
    fn an_endless_line_is_no_separator() {
        let text = format!(
            "From {} Tue Jan  7 12:09:16 2003\nTo: x\n",
            "a".repeat(3000)
        );
        assert_eq!(judge(text.as_bytes(), true), Candidate::Text);
        assert!(!opens_mbox(text.as_bytes()));
    }
}
