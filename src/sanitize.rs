//! The one gate out: text that is not our own, made harmless before it is shown.
//!
//! A subject line can hold the escape sequence that re-programs a terminal, a
//! file name can hold the character that turns the rest of the line around.
//! Everything that comes from mail, servers, paths or addresses passes here on
//! its way to a terminal, a pipe of human text or an error line.
//! Raw bytes leave by other ways, on request.
//!
//! What is replaced, and by what (each substitute is visible and harmless):
//!
//! | in | out |
//! |---|---|
//! | C0 controls but TAB and LF, DEL | their control picture: `ESC` → `␛` (U+241B), `DEL` → `␡` |
//! | C1 controls U+0080-009F | `<U+009B>` |
//! | bidi controls U+202A-E, U+2066-9, U+200E, U+200F, U+061C | `<U+202E>` |
//! | line and paragraph separators U+2028, U+2029 | `<U+2028>` |
//! | tag characters U+E0000-E007F | `<U+E0041>` |
//! | bytes that are not UTF-8 | `\x9b` |
//!
//! [`line()`] replaces TAB by a blank and LF by `␊` as well. Pure; knows nothing of mail.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// Returns a text of several lines in a form that is safe to show; TAB and LF stay.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    gate::<true>(bytes)
}

/// Returns a text that is decoded already in a form that is safe to show, as [`text`] does.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    gate_text::<true>(text)
}

/// How long a message may be, in characters: what a file or a server says has no bound of its own.
const LONGEST_MESSAGE: usize = 4000;

/// Returns a message in a form that is safe to show in one line, cut where it is very long.
pub(crate) fn message(text: &str) -> String {
    let text = line(text.as_bytes());
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// Returns a text in a form that is safe to show within one line: TAB and LF are replaced as well.
pub(crate) fn line(bytes: &[u8]) -> Cow<'_, str> {
    gate::<false>(bytes)
}

/// Returns a path, or another name that the system gave us, as it is shown within a line.
///
/// Nothing else shows a path: a name may hold a newline, and forge a line with it.
pub(crate) fn path<T: AsRef<OsStr> + ?Sized>(name: &T) -> Cow<'_, str> {
    line(name.as_ref().as_bytes())
}

/// Returns whether a character may not leave by the gate; TAB and LF may.
pub(crate) fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// Makes bytes safe; `LINES` lets TAB and LF pass.
fn gate<const LINES: bool>(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => gate_text::<LINES>(text),
        Err(_) => Cow::Owned(replaced::<LINES>(bytes)),
    }
}

fn gate_text<const LINES: bool>(text: &str) -> Cow<'_, str> {
    if is_safe::<LINES>(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(replaced::<LINES>(text.as_bytes()))
}

/// Whether a text may leave as it is, as nearly all mail does: it is looked at in blocks, without a
/// branch for a byte, and only what may begin a forbidden character is decoded.
fn is_safe<const LINES: bool>(text: &str) -> bool {
    const BLOCK: usize = 256;
    // Controls, and the first bytes of all other characters that `is_forbidden` knows.
    let is_odd = |byte: u8| {
        let is_control = (byte < b' ') | (byte == 0x7f);
        let is_first = (byte == 0xc2) | (byte == 0xd8) | (byte == 0xe2) | (byte == 0xf3);
        (is_control & !(LINES & ((byte == b'\t') | (byte == b'\n')))) | is_first
    };
    let is_clean_at = |at: usize| text[at..].chars().next().is_some_and(is_clean::<LINES>);
    let blocks = text.as_bytes().chunks(BLOCK).enumerate();
    for (number, block) in blocks {
        let odd = block
            .iter()
            .fold(0, |odd, &byte| odd | u8::from(is_odd(byte)));
        if odd == 0 {
            continue;
        }
        let mut places = (0..block.len()).filter(|&at| is_odd(block[at]));
        if !places.all(|at| is_clean_at(number * BLOCK + at)) {
            return false;
        }
    }
    true
}

fn is_clean<const LINES: bool>(c: char) -> bool {
    !is_forbidden(c) && (LINES || !matches!(c, '\t' | '\n'))
}

fn replaced<const LINES: bool>(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 8 + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_clean::<LINES>(c) {
                out.push(c);
            } else {
                substitute(&mut out, c);
            }
        }
        // A byte that is not UTF-8 may be a C1 control (0x9b is CSI) to a terminal in another charset.
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn substitute(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        // The control pictures have the order of the controls.
        '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7f}' => out.push('\u{2421}'),
        _ => {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_megabytes_is_cut() {
        let long = message(&"\0é".repeat(1_000_000));
        assert_eq!(long.chars().count(), LONGEST_MESSAGE + 1);
        assert!(long.ends_with('…'), "{long}");
        assert_eq!(message("a\tb"), line(b"a\tb"));
    }

    /// The rule's own list, written a second time so that a slip in the code shows.
    const FORBIDDEN: &[(u32, u32)] = &[
        (0x00, 0x08),
        (0x0b, 0x1f),
        (0x7f, 0x9f),
        (0x61c, 0x61c),
        (0x200e, 0x200f),
        (0x2028, 0x202e),
        (0x2066, 0x2069),
        (0xe0000, 0xe007f),
    ];

    fn holds_forbidden(text: &str, lines: bool) -> bool {
        text.chars().any(|c| {
            let number = u32::from(c);
            (!lines && (number == 9 || number == 10))
                || FORBIDDEN
                    .iter()
                    .any(|&(first, last)| (first..=last).contains(&number))
        })
    }

    #[test]
    fn no_forbidden_character_passes() {
        for number in (0..=0xffff).chain(0xe0000..=0xe01ff) {
            let Some(c) = char::from_u32(number) else {
                continue;
            };
            let given = format!("a{c}b");
            for (shown, lines) in [
                (text(given.as_bytes()), true),
                (line(given.as_bytes()), false),
            ] {
                assert!(!holds_forbidden(&shown, lines), "U+{number:04X}: {shown:?}");
                assert!(shown.starts_with('a') && shown.ends_with('b'));
                if !holds_forbidden(&given, lines) {
                    assert_eq!(shown, given, "U+{number:04X} was clean");
                }
            }
        }
    }

    #[test]
    fn no_single_byte_passes_raw() {
        for byte in 0u8..=255 {
            for given in [vec![byte], vec![b'a', byte, b'b'], vec![0xc3, 0xa9, byte]] {
                assert!(!holds_forbidden(&text(&given), true), "byte {byte:02x}");
                assert!(!holds_forbidden(&line(&given), false), "byte {byte:02x}");
            }
        }
    }

    #[test]
    fn substitutes_are_as_documented() {
        let cases: &[(&[u8], &str, &str)] = &[
            (b"plain\ttext\n", "plain\ttext\n", "plain text\u{240a}"),
            (b"\x1b[2J\x07", "\u{241b}[2J\u{2407}", "\u{241b}[2J\u{2407}"),
            (b"\x7f", "\u{2421}", "\u{2421}"),
            (b"\x9b2J", "\\x9b2J", "\\x9b2J"),
            ("\u{9b}2J".as_bytes(), "<U+009B>2J", "<U+009B>2J"),
            ("a\u{202e}b".as_bytes(), "a<U+202E>b", "a<U+202E>b"),
            ("\u{e0041}".as_bytes(), "<U+E0041>", "<U+E0041>"),
            ("Größe 🙂".as_bytes(), "Größe 🙂", "Größe 🙂"),
        ];
        for (given, lines, one) in cases {
            assert_eq!(text(given), *lines);
            assert_eq!(line(given), *one);
        }
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(text("Größe\n".as_bytes()), Cow::Borrowed(_)));
        assert!(matches!(line(b"Disk almost full"), Cow::Borrowed(_)));
    }
}
