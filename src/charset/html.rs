//! The charset that an HTML document names itself.

use super::detect::Charset;
use super::labels::{Label, look_up};

/// How much of a document is searched, in bytes, as the HTML standard has it.
pub(crate) const SEARCHED: usize = 1024;

/// Returns the charset that an HTML document names in its `meta` element, if its bytes do not say
/// better: `start` is the beginning of the document, `found` the charset of all of it.
pub(crate) fn of_html(start: &[u8], found: Charset) -> Option<String> {
    // Editors and web servers convert documents and leave the element as it was: what is UTF-8 is so.
    if matches!(found, Charset::Utf8 | Charset::Utf16) {
        return None;
    }
    let start = start[..start.len().min(SEARCHED)].to_ascii_lowercase();
    let first = memchr::memmem::find(&start, b"<meta")?;
    let names = memchr::memmem::find_iter(&start[first..], b"charset");
    let label = names
        .map(|at| first + at + b"charset".len())
        .find_map(|end| {
            let value = start[end..].trim_ascii_start().strip_prefix(b"=")?;
            let value = value.trim_ascii_start();
            let value = value
                .strip_prefix(b"\"")
                .or(value.strip_prefix(b"'"))
                .unwrap_or(value);
            let len = value
                .iter()
                .position(|byte| b"\"'>;/ \t\r\n".contains(byte))?;
            std::str::from_utf8(&value[..len])
                .ok()
                .filter(|label| !label.is_empty())
        })?;
    // ASCII is what every charset has, unless it shifts to another one.
    let is_it = match look_up(label) {
        Label::Known(charset) => found != Charset::UsAscii || charset.is_seven_bit(),
        _ => false,
    };
    is_it.then(|| label.to_owned())
}
