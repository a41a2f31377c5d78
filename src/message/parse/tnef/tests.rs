//! Packages as Outlook writes them, and what is none.

use super::*;

fn attribute(name: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2];
    bytes.extend(name.to_le_bytes());
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(value);
    bytes.extend([0, 0]);
    bytes
}

fn package(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_le_bytes().to_vec();
    bytes.extend([1, 0]);
    bytes.extend(attributes.concat());
    bytes
}

/// A number, a named property with a name, a list of strings, and the long name in UTF-16.
fn properties(name: &str) -> Vec<u8> {
    let mut bytes = 4u32.to_le_bytes().to_vec();
    bytes.extend([0x03, 0, 0x05, 0x37, 1, 0, 0, 0]);
    bytes.extend([0x0b, 0, 0x01, 0x80]);
    bytes.extend([7; 16]);
    bytes.extend([1, 0, 0, 0, 6, 0, 0, 0]);
    bytes.extend(b"a\0b\0\0\0\0\0");
    bytes.extend([1, 0, 0, 0]);
    bytes.extend([0x1e, 0x10, 0x10, 0x37, 2, 0, 0, 0]);
    bytes.extend(b"\x02\0\0\0x\0\0\0\x01\0\0\0\0\0\0\0");
    let units: Vec<u8> = name
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect();
    bytes.extend([0x1f, 0, 0x07, 0x37, 1, 0, 0, 0]);
    bytes.extend((units.len() as u32).to_le_bytes());
    bytes.extend(&units);
    bytes.extend(vec![0; units.len().wrapping_neg() % 4]);
    bytes
}

fn sample() -> Vec<u8> {
    package(&[
        attribute(0x0006_9007, &[0xe4, 4, 0, 0, 0, 0, 0, 0]),
        attribute(ATTACH_REND_DATA, &[0; 14]),
        attribute(ATTACH_TITLE, b"REPORT~1.PDF\0"),
        attribute(ATTACH_DATA, b"%PDF"),
        attribute(ATTACHMENT, &properties("Größe 2026.pdf")),
        attribute(ATTACH_REND_DATA, &[0; 14]),
        attribute(ATTACH_DATA, &[0; 300]),
        attribute(ATTACH_TITLE, b"caf\xe9.txt\0junk"),
    ])
}

fn named(name: &str, size: usize) -> PackedFile {
    PackedFile {
        name: name.to_owned(),
        size,
    }
}

#[test]
fn the_files_of_a_package_are_listed() {
    let expected = [named("Größe 2026.pdf", 4), named("café.txt", 300)];
    assert_eq!(files(&sample()), expected);
    assert_eq!(files(b""), []);
    assert_eq!(files(b"%PDF-1.7"), []);
}

#[test]
fn a_package_that_is_cut_or_lies_ends_the_list() {
    let sample = sample();
    for end in 0..sample.len() {
        assert!(files(&sample[..end]).len() <= 2);
    }
    for at in 0..sample.len() {
        for byte in [0, 0x7f, 0xff] {
            let mut changed = sample.clone();
            changed[at] = byte;
            assert!(files(&changed).len() <= MAX_FILES);
        }
    }
    let many = package(&vec![attribute(ATTACH_REND_DATA, b""); 5000]);
    assert_eq!(files(&many).len(), MAX_FILES);
    // Four thousand million properties of nothing.
    let endless = attribute(ATTACHMENT, &[0xff; 64]);
    let start = attribute(ATTACH_REND_DATA, b"");
    assert_eq!(files(&package(&[start, endless])), [named("", 0)]);
}
