//! The lines of a header block that hold the flags: `Status` and `X-Status`.
//!
//! A change of flags changes these lines only, and no more of them than needed: letters that we do
//! not know stay, a line with the right letters stays byte for byte, and a missing line is added
//! after the last field, where Berkeley mail puts it.

use super::separator::can_follow_from_line;
use crate::mailbox::flags::{Flags, STATUS, X_STATUS, field_body};
use crate::message::parse::fields::split_header;

/// A part of a header block that is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Edit {
    /// Where it starts, from the start of the block.
    pub at: usize,
    /// How many bytes go.
    pub removed: usize,
    /// The bytes that replace them.
    pub text: Vec<u8>,
}

/// Returns the edits, in the order of the block, that give a header block these flags and no others.
///
/// The block has its From_ line and its empty line. `None` if it is no header, so that a field added
/// to it would become text of the message.
pub(in crate::mailbox) fn edits(
    block: &[u8],
    from_line_len: usize,
    flags: Flags,
) -> Option<Vec<Edit>> {
    // A field before a text that begins with a blank would take it for its continuation.
    if block.len() == from_line_len || !can_follow_from_line(&block[from_line_len..]) {
        return None;
    }
    let (fields, end) = FlagField::of_block(block, from_line_len);
    let mut found = Vec::new();
    for field in &fields {
        field.change(&block[..end], from_line_len, flags, &mut found);
    }
    let removed: usize = found.iter().map(|edit| edit.removed).sum();
    let adds = found.iter().any(|edit| !edit.text.is_empty());
    if !adds && end == block.len() && removed == end - from_line_len {
        // Text follows without an empty line. Right behind the From_ line it would hide it: a field
        // stays between them.
        found[0].text = b"Status:\n".to_vec();
    }
    // Both fields may be added at the end. The sort is stable, so that `Status` stays first.
    found.sort_by_key(|edit| edit.at);
    let ends_line = |text: &[u8]| text.last().is_none_or(|byte| *byte == b'\n');
    // A message may end within its header, without a newline: an added line needs one before it,
    // unless the last line is removed.
    let removes_end = found
        .iter()
        .any(|edit| edit.removed > 0 && edit.text.is_empty() && edit.at + edit.removed == end);
    if let Some(first) = found
        .iter_mut()
        .find(|edit| edit.at == end && edit.removed == 0)
        && !ends_line(&block[..end])
        && !removes_end
    {
        first.text.insert(0, b'\n');
    }
    Some(found)
}

/// Returns a copy of a header block, From_ line and empty line included, with these flags and no
/// others; an unchanged copy if it is no header.
pub fn with_flags(block: &[u8], from_line_len: usize, flags: Flags) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len() + 32);
    let mut at = 0;
    for edit in edits(block, from_line_len, flags).unwrap_or_default() {
        out.extend_from_slice(&block[at..edit.at]);
        out.extend_from_slice(&edit.text);
        at = edit.at + edit.removed;
    }
    out.extend_from_slice(&block[at..]);
    out
}

/// A field that holds flags.
struct FlagField<'a> {
    name: &'static [u8],
    /// The name in lower case, with its colon, as [`field_body`] wants it.
    lowered: &'static [u8],
    /// Its letters and their flags.
    table: &'static [(u8, Flags)],
    /// The lines of that name, and where they start in the block.
    lines: Vec<(usize, &'a [u8])>,
}

impl<'a> FlagField<'a> {
    /// Finds the lines of `Status` and `X-Status` in a header block, and where its last field ends:
    /// before the empty line, or at the end of the block.
    fn of_block(block: &'a [u8], from_line_len: usize) -> ([FlagField<'a>; 2], usize) {
        let field = |name, lowered, table| FlagField {
            name,
            lowered,
            table,
            lines: Vec::new(),
        };
        let mut fields = [
            field(b"Status", b"status:", &STATUS),
            field(b"X-Status", b"x-status:", &X_STATUS),
        ];
        let header = split_header(&block[from_line_len..]).0;
        let mut at = from_line_len;
        for line in header.split_inclusive(|byte| *byte == b'\n') {
            if let [b'S' | b's' | b'X' | b'x', ..] = line {
                for field in &mut fields {
                    if field_body(line, field.lowered).is_some() {
                        field.lines.push((at, line));
                    }
                }
            }
            at += line.len();
        }
        (fields, at)
    }

    /// Adds the edits of this field: its first line gets the letters, others of its name go.
    fn change(&self, block: &[u8], from_line_len: usize, flags: Flags, edits: &mut Vec<Edit>) {
        let Some(letters) = self.new_letters(flags) else {
            return;
        };
        let Some((first, others)) = self.lines.split_first() else {
            edits.push(Edit {
                at: block.len(),
                removed: 0,
                text: [
                    self.name,
                    b": ",
                    &letters,
                    line_end_of(block, from_line_len),
                ]
                .concat(),
            });
            return;
        };
        edits.push(self.edit_of_line(block, first, &letters));
        // Readers add up the letters of all lines of one name, so that none may keep an old letter.
        for line in others {
            edits.push(self.edit_of_line(block, line, b""));
        }
    }

    /// Returns the letters that the field is to have, unknown ones last; `None` if its flags are
    /// right already.
    fn new_letters(&self, flags: Flags) -> Option<Vec<u8>> {
        let is_known = |letter: &u8| self.table.iter().any(|(known, _)| known == letter);
        let mut has = Flags::NONE;
        let mut unknown = Vec::new();
        for (_, line) in &self.lines {
            has.read_field(line);
            let body = field_body(line, self.lowered).unwrap_or_default();
            let letters = body
                .iter()
                .filter(|b| !b.is_ascii_whitespace() && !is_known(b));
            unknown.extend(letters);
        }
        let is_same = |flag: Flags| has.contains(flag) == flags.contains(flag);
        if self.table.iter().all(|(_, flag)| is_same(*flag)) {
            return None;
        }
        let mut letters: Vec<u8> = self
            .table
            .iter()
            .filter(|(_, flag)| flags.contains(*flag))
            .map(|(letter, _)| *letter)
            .collect();
        letters.append(&mut unknown);
        Some(letters)
    }

    /// Returns the edit that gives one line these letters, or removes it if there are none.
    fn edit_of_line(&self, block: &[u8], (at, line): &(usize, &[u8]), letters: &[u8]) -> Edit {
        // A folded line (RFC 5322, section 2.2.3) stays, emptied: without it the next line would
        // continue the field before.
        let is_folded = matches!(block.get(at + line.len()), Some(b' ' | b'\t'));
        if letters.is_empty() && !is_folded {
            return Edit {
                at: *at,
                removed: line.len(),
                text: Vec::new(),
            };
        }
        replaced_value(*at, line, self.lowered.len(), letters)
    }
}

/// Returns the line end that the lines of this header block have.
fn line_end_of(block: &[u8], from_line_len: usize) -> &'static [u8] {
    if block[..from_line_len].ends_with(b"\r\n") || block.ends_with(b"\r\n") {
        b"\r\n"
    } else {
        b"\n"
    }
}

/// Returns the edit that gives a line another value; blanks at its end make room for it.
///
/// Dovecot pads the line with blanks for this: the message keeps its length, so that no byte after
/// the line has to be moved.
fn replaced_value(at: usize, line: &[u8], name_len: usize, letters: &[u8]) -> Edit {
    let body = &line[name_len..];
    let start = body
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(body.len());
    let end_of_line = body.len()
        - body
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'\n' | b'\r'))
            .count();
    let start = start.min(end_of_line);
    let value = &body[start..end_of_line];
    let used = value.trim_ascii_end().len();
    let padding = value.len() - used;
    let removed = used.max(letters.len()).min(used + padding);
    let mut text = letters.to_vec();
    if padding > 0 {
        // The line keeps its length as long as the padding lasts.
        text.resize(removed.max(letters.len()), b' ');
    }
    Edit {
        at: at + name_len + start,
        removed,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(letters: &str) -> Flags {
        let mut flags = Flags::NONE;
        flags.read_field(format!("Status: {letters}").as_bytes());
        flags.read_field(format!("X-Status: {letters}").as_bytes());
        flags
    }

    fn changed(block: &str, letters: &str) -> String {
        let from = block.find('\n').map_or(0, |at| at + 1);
        let changed = with_flags(block.as_bytes(), from, flags(letters));
        String::from_utf8(changed).expect("text")
    }

    #[test]
    fn only_the_lines_of_the_flags_change() {
        let rows = [
            // block, flags wanted, block afterwards
            ("From a\nTo: b\n\n", "O", "From a\nTo: b\nStatus: O\n\n"),
            (
                "From a\nTo: b\n\n",
                "ROA",
                "From a\nTo: b\nStatus: RO\nX-Status: A\n\n",
            ),
            (
                "From a\nTo: b\r\n\r\n",
                "R",
                "From a\nTo: b\r\nStatus: R\r\n\r\n",
            ),
            (
                "From a\nStatus: O\nTo: b\n\n",
                "RO",
                "From a\nStatus: RO\nTo: b\n\n",
            ),
            (
                "From a\nStatus: OR\nTo: b\n\n",
                "RO",
                "From a\nStatus: OR\nTo: b\n\n",
            ),
            (
                "From a\nSTATUS:O\r\nTo: b\n\n",
                "RO",
                "From a\nSTATUS:RO\r\nTo: b\n\n",
            ),
            ("From a\nStatus: RO\nTo: b\n\n", "", "From a\nTo: b\n\n"),
            ("From a\nStatus: RO\n b\n\n", "", "From a\nStatus: \n b\n\n"),
            ("From a\nStatus: NR\n\n", "O", "From a\nStatus: ON\n\n"),
            (
                "From a\nStatus: R\nX: y\nStatus: O\n\n",
                "R",
                "From a\nStatus: R\nX: y\n\n",
            ),
            ("From a\nX-Status: AFx\n\n", "T", "From a\nX-Status: Tx\n\n"),
            // Files that end within the header.
            ("From a\nTo: b", "R", "From a\nTo: b\nStatus: R\n"),
            (
                "From a\nTo: b\nX-Status: F",
                "R",
                "From a\nTo: b\nStatus: R\n",
            ),
            (
                "From a\nX-Status: F\nStatus: O\n\n",
                "ROF",
                "From a\nX-Status: F\nStatus: RO\n\n",
            ),
            (
                "From a\nStatus: O        \n\n",
                "RO",
                "From a\nStatus: RO       \n\n",
            ),
            (
                "From a\nStatus: RO       \n\n",
                "O",
                "From a\nStatus: O        \n\n",
            ),
            (
                "From a\nStatus:   \nTo: b\n\n",
                "RO",
                "From a\nStatus:   RO\nTo: b\n\n",
            ),
            ("From a\nTo: b", "O", "From a\nTo: b\nStatus: O\n"),
            (
                "From a\nTo: b\n",
                "OF",
                "From a\nTo: b\nStatus: O\nX-Status: F\n",
            ),
            ("From a\n\n", "O", "From a\nStatus: O\n\n"),
            ("From a\nTo: b\n\n", "", "From a\nTo: b\n\n"),
            // Text follows without an empty line, or behind one of blanks.
            ("From a\nTo: b\nStatus: O\n", "", "From a\nTo: b\n"),
            ("From a\nStatus: O\n", "", "From a\nStatus:\n"),
            ("From a\nX-Status: A\nStatus: O\n", "", "From a\nStatus:\n"),
            ("From a\nStatus: O\n\n", "", "From a\n\n"),
            ("From a\nTo: b\n \n", "O", "From a\nTo: b\nStatus: O\n \n"),
        ];
        for (block, letters, expected) in rows {
            assert_eq!(changed(block, letters), expected, "{block:?} {letters}");
        }
    }

    #[test]
    fn a_text_without_a_header_gets_no_field() {
        assert_eq!(edits(b"From a\nHello there\n\n", 7, Flags::OLD), None);
        assert_eq!(edits(b"From a\n", 7, Flags::OLD), None);
    }
}
