//! Character references: `&amp;`, `&#8364;`, `&eacute` (HTML standard, sections 13.2.5.72 to 13.2.5.80).
//!
//! The names stand in `names.txt` as they are in the standard's section 13.5, in the order of their
//! bytes: the name, with its `;` if it has one, and the code points in hexadecimal. It is searched
//! as it is: a table of pointers would have to be relocated at every start of the program.

/// The names and their code points, a row each.
const NAMES: &[u8] = include_bytes!("names.txt");
/// How many there are.
const COUNT: usize = 2231;
/// The longest name, with its `;`.
const LONGEST: usize = 32;
/// The longest name that is known without a `;`.
const LONGEST_OPEN: usize = 6;
/// Where each row begins.
static STARTS: [u16; COUNT] = starts();

const fn starts() -> [u16; COUNT] {
    assert!(NAMES.len() <= u16::MAX as usize);
    let mut starts = [0; COUNT];
    let (mut row, mut at) = (0, 0);
    while row < COUNT {
        starts[row] = at as u16;
        while NAMES[at] != b'\n' {
            at += 1;
        }
        at += 1;
        row += 1;
    }
    assert!(at == NAMES.len());
    starts
}

/// At which row each first letter begins.
static LETTERS: [u16; 257] = letters();

const fn letters() -> [u16; 257] {
    let starts = starts();
    let mut letters = [COUNT as u16; 257];
    let mut row = COUNT;
    let mut letter = letters.len();
    while letter > 0 {
        letter -= 1;
        while row > 0 && NAMES[starts[row - 1] as usize] as usize >= letter {
            row -= 1;
        }
        letters[letter] = row as u16;
    }
    letters
}

/// What a reference stands for: one character, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    characters: [char; 2],
    count: usize,
    /// How long it is behind its `&`, in bytes.
    pub(super) len: usize,
}

impl Reference {
    fn of(character: char, len: usize) -> Reference {
        Reference {
            characters: [character, '\0'],
            count: 1,
            len,
        }
    }

    /// Returns the characters.
    pub(super) fn characters(&self) -> &[char] {
        &self.characters[..self.count]
    }
}

/// Reads the reference whose `&` stands before `text`; `None` if that is only an ampersand.
///
/// In an attribute, a name without `;` is none before `=` and alphanumerics: mostly that is the query
/// of a link.
pub(super) fn read(text: &[u8], is_attribute: bool) -> Option<Reference> {
    if let Some(number) = text.strip_prefix(b"#") {
        return numeric(number);
    }
    let is_in_name = |b: &&u8| b.is_ascii_alphanumeric();
    let len = text.iter().take(LONGEST).take_while(is_in_name).count();
    if len == 0 {
        return None;
    }
    if text.get(len) == Some(&b';')
        && let Some(found) = named(&text[..=len])
    {
        return Some(found);
    }
    let longest = len.min(LONGEST_OPEN);
    let found = (2..=longest).rev().find_map(|len| named(&text[..len]))?;
    let next = text.get(found.len);
    let is_of_link = next.is_some_and(|next| *next == b'=' || next.is_ascii_alphanumeric());
    (!is_attribute || !is_of_link).then_some(found)
}

/// Looks up a name, with its `;` if it has one.
fn named(name: &[u8]) -> Option<Reference> {
    // The blank behind a name sorts before all that a longer name has there.
    let mut key = [b' '; LONGEST + 1];
    key.get_mut(..name.len())?.copy_from_slice(name);
    let key = &key[..=name.len()];
    let row_of = |start: &u16| {
        let row = &NAMES[usize::from(*start)..];
        row.split_at(key.len().min(row.len()))
    };
    let range = LETTERS[usize::from(name[0])]..LETTERS[usize::from(name[0]) + 1];
    let starts = &STARTS[usize::from(range.start)..usize::from(range.end)];
    let found = starts.binary_search_by(|start| row_of(start).0.cmp(key));
    let (_, points) = row_of(&starts[found.ok()?]);
    let mut reference = Reference::of('\0', name.len());
    reference.count = 0;
    let mut point = 0;
    for &byte in points {
        if let Some(digit) = char::from(byte).to_digit(16) {
            point = point * 16 + digit;
            continue;
        }
        // The end of a code point.
        *reference.characters.get_mut(reference.count)? = char::from_u32(point)?;
        reference.count += 1;
        point = 0;
        if byte == b'\n' {
            break;
        }
    }
    Some(reference)
}

/// Reads a reference by number, behind its `#`.
fn numeric(text: &[u8]) -> Option<Reference> {
    let (radix, digits) = match text {
        [b'x' | b'X', digits @ ..] => (16, digits),
        digits => (10, digits),
    };
    let mut number = 0u32;
    let mut len = 0;
    while let Some(digit) = digits.get(len).and_then(|&b| char::from(b).to_digit(radix)) {
        number = number.saturating_mul(radix).saturating_add(digit);
        len += 1;
    }
    if len == 0 {
        return None;
    }
    let has_end = digits.get(len) == Some(&b';');
    // With the `#`, and the `x` if there is one.
    let len = 1 + text.len() - digits.len() + len + usize::from(has_end);
    Some(Reference::of(character(number), len))
}

/// Returns the character of a number (section 13.2.5.80).
fn character(number: u32) -> char {
    match number {
        0 => char::REPLACEMENT_CHARACTER,
        // What C1 controls would be is meant as windows-1252.
        0x80..=0x9f => {
            let byte = [number as u8];
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
            text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use twox_hash::XxHash3_64;

    use super::*;

    #[test]
    fn the_names_are_those_of_the_standard() {
        // `tests/it/html_mail.rs` compares them with another program's.
        assert_eq!(XxHash3_64::oneshot(NAMES), 9921721185188157951);
        let rows: Vec<&[u8]> = NAMES.split_inclusive(|&b| b == b'\n').collect();
        assert_eq!(rows.len(), COUNT);
        assert!(rows.is_sorted());
        for row in rows {
            let name = row.split(|&b| b == b' ').next().expect("a name");
            let is_open = !name.ends_with(b";");
            assert!(name.len() <= if is_open { LONGEST_OPEN } else { LONGEST });
            let found = read(name, false).expect("a known name");
            assert_eq!(found.len, name.len());
            assert_eq!(Some(found), named(name));
        }
    }

    #[test]
    fn references_are_read_with_and_without_their_end() {
        let rows = [
            ("amp;", "&", 4),
            ("amp", "&", 3),
            ("ampx", "&", 3),
            ("notit;", "¬", 3),
            ("notin;", "∉", 6),
            ("NotEqualTilde;", "≂̸", 14),
            ("CounterClockwiseContourIntegral;", "∳", 32),
            ("#8364;", "€", 6),
            ("#x20aC", "€", 6),
            ("#X20AC;x", "€", 7),
            ("#0;", "\u{fffd}", 3),
            ("#149;", "•", 5),
            ("#129;", "\u{81}", 5),
            ("#xd800;", "\u{fffd}", 7),
            ("#99999999999999999999;", "\u{fffd}", 22),
            ("#7;", "\u{7}", 3),
        ];
        for (text, expected, len) in rows {
            let found = read(text.as_bytes(), false).expect(text);
            assert_eq!(found.characters().iter().collect::<String>(), expected);
            assert_eq!(found.len, len, "{text}");
        }
        for text in ["", ";", "#", "#;", "#x;", "#xg", "nope;", "a;", "hearts x"] {
            assert_eq!(read(text.as_bytes(), false), None, "{text}");
        }
    }

    #[test]
    fn the_query_of_a_link_has_no_references() {
        for (text, is_one) in [
            ("copy=1", false),
            ("copy1", false),
            ("copy;=1", true),
            ("copy", true),
            ("copy&amp", true),
            ("#38=", true),
        ] {
            assert_eq!(read(text.as_bytes(), true).is_some(), is_one, "{text}");
        }
    }
}
