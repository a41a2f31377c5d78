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
use crate::message::parse::fields::{MAX_FIELD_NAME, field_name_len, is_from_line};

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
        _ => Candidate::Text,
    }
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
        use Candidate::{Strict, Text, Weak};
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
            ("From - \n", "X-Mozilla-Status: 0001\n", Weak, Text),
            ("From - \n", "\n", Text, Text),
            ("From 12@xxx\r\n", "X-GM-THRID: 12\r\n", Weak, Text),
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
    fn an_endless_line_is_no_separator() {
        let text = format!(
            "From {} Tue Jan  7 12:09:16 2003\nTo: x\n",
            "a".repeat(3000)
        );
        assert_eq!(judge(text.as_bytes(), true), Candidate::Text);
        assert!(!opens_mbox(text.as_bytes()));
    }
}
