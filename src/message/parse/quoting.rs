//! The quoting of From_ lines in an mbox, undone (mboxrd).
//!
//! Where a message is written, the line `From ` became `>From ` and `>From ` became `>>From `, so
//! that no line of it looks like the start of the next message.

use std::borrow::Cow;

use memchr::memmem;

/// Returns the bytes with one `>` taken from lines that begin with `>From `, `>>From ` and so on.
pub fn unquoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    // Most messages have no such line: they are not copied.
    if memmem::find(bytes, b"\n>").is_none() && !bytes.starts_with(b">") {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::new();
    let mut copied = 0;
    for start in quoted_from_lines(bytes) {
        out.extend_from_slice(&bytes[copied..start]);
        copied = start + 1;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(&bytes[copied..]);
    Cow::Owned(out)
}

/// Takes one `>` from such lines in place; see [`unquoted`].
pub fn unquote(mut bytes: Vec<u8>) -> Vec<u8> {
    let starts: Vec<usize> = quoted_from_lines(&bytes).collect();
    // Bytes only move forward, by one more for each line: a large message needs no second buffer.
    let (mut to, mut from) = (0, 0);
    for start in starts {
        bytes.copy_within(from..start, to);
        to += start - from;
        from = start + 1;
    }
    let end = bytes.len();
    bytes.copy_within(from..end, to);
    bytes.truncate(to + end - from);
    bytes
}

/// Returns where lines of `>`s and `From ` begin.
fn quoted_from_lines(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memmem::find_iter(bytes, b">From ").filter_map(|found| {
        // `>From ` is found once a line, at its last `>`: the line begins before all of them.
        let start = bytes[..found]
            .iter()
            .rposition(|&byte| byte != b'>')
            .map_or(0, |before| before + 1);
        let at_line_start = start == 0 || bytes[start - 1] == b'\n';
        at_line_start.then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_undone_by_one_level_at_line_starts() {
        let cases: &[(&[u8], &[u8])] = &[
            (b">From a\n", b"From a\n"),
            (
                b"x\n>>From a\n>From b\ny >From c\n",
                b"x\n>From a\nFrom b\ny >From c\n",
            ),
            (b"> From a\n>Fromage\n", b"> From a\n>Fromage\n"),
        ];
        for (given, expected) in cases {
            assert_eq!(&*unquoted(given), *expected);
        }
    }

    #[test]
    fn quoting_is_undone_in_place() {
        for given in [
            &b">From a\n>>From b\nx >From c\n\n>From d"[..],
            b"none",
            b"",
            b">From ",
        ] {
            assert_eq!(unquote(given.to_vec()), *unquoted(given));
        }
    }
}
