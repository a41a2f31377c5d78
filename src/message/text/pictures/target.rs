//! The meaning of a picture's URL, and which files are pictures.

use memchr::memchr;

use crate::message::write::media_type::MediaType;

/// The meaning of a picture's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureTarget {
    /// Something elsewhere, or in the text itself: `https:`, `//host/`, `data:`, an anchor.
    Elsewhere,
    /// A file of some computer by a URL that only works there: `file:`, `C:\`.
    OneComputer,
    /// A part of this message, by this name (`cid:`).
    Part(Vec<u8>),
    /// A file, by its path relative to the HTML. The path is not judged.
    Path(Vec<u8>),
}

impl PictureTarget {
    /// Returns what a URL names, as browsers read it.
    pub fn of(url: &[u8]) -> PictureTarget {
        let url: Vec<u8> = url
            .iter()
            .copied()
            .filter(|b| !matches!(b, b'\t' | b'\n' | b'\r'))
            .collect();
        if let Some((scheme, rest)) = split_scheme(&url) {
            return match scheme.to_ascii_lowercase().as_slice() {
                b"cid" => PictureTarget::Part(percent_decoded(rest)),
                b"file" => PictureTarget::OneComputer,
                // The drive of a Windows path.
                [_] => PictureTarget::OneComputer,
                _ => PictureTarget::Elsewhere,
            };
        }
        let end = url.iter().position(|b| matches!(b, b'?' | b'#'));
        let path = &url[..end.unwrap_or(url.len())];
        // Browsers take a backslash for a slash; pages of Windows programs have them.
        let path: Vec<u8> = path
            .iter()
            .map(|&b| if b == b'\\' { b'/' } else { b })
            .collect();
        if path.is_empty() || path.starts_with(b"//") {
            return PictureTarget::Elsewhere;
        }
        PictureTarget::Path(percent_decoded(&path))
    }
}

/// Splits a URL after its scheme (RFC 3986 section 3.1), if it has one.
fn split_scheme(url: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', url)?;
    let scheme = &url[..colon];
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
    is_scheme.then_some((scheme, &url[colon + 1..]))
}

/// Returns bytes with `%41` as `A`; a `%` before no two digits stays.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let digit = |at: usize| text.get(at).and_then(|&b| char::from(b).to_digit(16));
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                at += 3;
            }
            (byte, ..) => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    bytes
}

/// How many bytes of a picture [`picture_type`] wants to see.
pub const PICTURE_START: u64 = 32;

/// The pictures that readers of mail show, by the extensions of their names.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "webp", "bmp"];

/// Returns whether a path ends as the name of a picture does.
pub fn is_picture_name(path: &[u8]) -> bool {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let Some(dot) = memchr::memrchr(b'.', name) else {
        return false;
    };
    PICTURES
        .iter()
        .any(|known| name[dot + 1..].eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns the type of a picture that readers of mail show, by its first bytes.
///
/// SVG is none of them: most readers do not show it, and its text may hold anything.
pub fn picture_type(start: &[u8]) -> Option<MediaType> {
    match start {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(MediaType::known("image/webp")),
        // `BM` alone may begin any text. Two reserved fields are 0, and the length of the second
        // header tells its version.
        [
            b'B',
            b'M',
            _,
            _,
            _,
            _,
            0,
            0,
            0,
            0,
            _,
            _,
            _,
            _,
            len,
            0,
            0,
            0,
            ..,
        ] => [12, 40, 52, 56, 64, 108, 124]
            .contains(len)
            .then(|| MediaType::known("image/bmp")),
        _ => MediaType::of_magic(start).filter(MediaType::is_image),
    }
}
