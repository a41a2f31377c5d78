//! Files that old mail holds within its text: blocks of uuencode (POSIX uuencode).

use std::ops::Range;

use super::fields::trim_line_end;

/// A file within a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its lines, from `begin` to `end`.
    pub(super) range: Range<usize>,
    /// The name that the sender gave it.
    pub(super) name: String,
}

/// Returns the blocks of a text, in linear time; lines that only look like a beginning are text.
pub(super) fn blocks(text: &[u8]) -> Vec<Block> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, b"begin ") {
        if at < from || (at > 0 && text[at - 1] != b'\n') {
            continue;
        }
        let first = line(text, at);
        let Some(name) = name_of(trim_line_end(&text[first.clone()])) else {
            continue;
        };
        let (end, is_closed) = data_end(text, first.end);
        // What was looked at holds no other `begin`: that is no line of data.
        from = end;
        if is_closed {
            let range = at..end;
            found.push(Block { range, name });
        }
    }
    found
}

/// Returns the file name of `begin 644 name`.
fn name_of(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"begin ")?;
    let (mode, name) = rest.split_at(rest.iter().position(|&byte| byte == b' ')?);
    let is_mode =
        (3..=4).contains(&mode.len()) && mode.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let name = name.trim_ascii();
    let is_name = is_mode && !name.is_empty() && name.len() <= 1024;
    is_name.then(|| crate::charset::decode_text(name).into_owned())
}

/// Returns where the lines of data end, and whether `end` closes them.
fn data_end(text: &[u8], start: usize) -> (usize, bool) {
    let mut at = start;
    let mut is_last = false;
    while at < text.len() {
        let range = line(text, at);
        let content = trim_line_end(&text[range.clone()]);
        if content.trim_ascii_end() == b"end" {
            return (range.end, is_last || at == start);
        }
        if is_last {
            return (at, false);
        }
        match content.first() {
            // A length of nothing: the last line. Some mailers lose the blank that it consists of.
            None | Some(b'`' | b' ') => is_last = true,
            Some(&first) => {
                let chars = length(first).div_ceil(3) * 4;
                let is_data = (b'!'..=b'`').contains(&first)
                    && content.iter().all(|byte| (b' '..=b'`').contains(byte))
                    // Blanks at the end may be lost, and a check byte may follow.
                    && (1..=chars + 2).contains(&content.len());
                if !is_data {
                    return (at, false);
                }
            }
        }
        at = range.end;
    }
    (at, false)
}

/// Decodes the lines of a block, from `begin` on; what is missing at the end of a line is zero.
pub(super) fn decode(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len() / 4 * 3);
    for whole in block.split_inclusive(|&byte| byte == b'\n') {
        let content = trim_line_end(whole);
        let Some((&first, data)) = content.split_first() else {
            continue;
        };
        if content.starts_with(b"begin ") || !(b'!'..=b'`').contains(&first) {
            continue;
        }
        if content.trim_ascii_end() == b"end" {
            break;
        }
        let wanted = out.len() + length(first);
        for group in data.chunks(4) {
            let value = |place: usize| {
                let byte = group.get(place).copied().unwrap_or(b' ');
                u32::from(byte.wrapping_sub(b' ') & 0x3f)
            };
            let bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
        }
        out.resize(wanted, 0);
    }
    out
}

/// Returns how many bytes a line holds, by its first character.
fn length(first: u8) -> usize {
    usize::from(first.wrapping_sub(b' ') & 0x3f)
}

/// Returns the line that begins there.
fn line(text: &[u8], start: usize) -> Range<usize> {
    let end = memchr::memchr(b'\n', &text[start..]);
    start..end.map_or(text.len(), |length| start + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_and_decoded() {
        let text =
            b"see\nbegin 644 a.txt\n#86)C\n`\nend\nmore\nbegin 0600 b c\r\n#86)C\r\n \r\nend\r\n";
        let found = blocks(text);
        let names: Vec<&str> = found.iter().map(|block| &*block.name).collect();
        assert_eq!(names, ["a.txt", "b c"]);
        for block in &found {
            assert_eq!(decode(&text[block.range.clone()]), b"abc");
        }
        assert_eq!(
            &text[found[0].range.clone()],
            b"begin 644 a.txt\n#86)C\n`\nend\n"
        );
    }

    #[test]
    fn text_that_looks_like_a_beginning_stays_text() {
        for text in [
            "begin 644 \nend\n",
            "begin with a word\nend\n",
            "begin 644 a\n#86)C\n`\n",
            "begin 644 a\nsome text\nend\n",
            "x begin 644 a\n#86)C\n`\nend\n",
            "begin 999 a\n`\nend\n",
        ] {
            assert_eq!(blocks(text.as_bytes()), [], "{text}");
        }
        let many = "begin 644 a\n#86)C\n".repeat(200_000);
        assert_eq!(blocks(many.as_bytes()), []);
    }

    #[test]
    fn a_missing_end_of_a_line_is_zero() {
        assert_eq!(decode(b"begin 644 a\n#86\n`\nend\n"), b"a`\0");
        assert_eq!(decode(b"M\n"), [0; 45]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(text: Vec<u8>) {
            decode(&text);
            blocks(&[b"begin 644 x\n", &*text].concat());
        }
    }
}
