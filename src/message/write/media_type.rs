//! Media types: as given, by a file's extension, or by its first bytes.

use std::fmt;

use super::parameter::{is_token_byte, parameter};
use crate::message::value::ValueError;

/// A media type with its parameters (RFC 2045 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype` in lower case.
    name: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Returns `text/plain` without parameters.
    pub fn text_plain() -> MediaType {
        MediaType::known("text/plain")
    }

    /// Returns `text/html` without parameters.
    pub fn text_html() -> MediaType {
        MediaType::known("text/html")
    }

    /// Returns `application/octet-stream`: any bytes.
    pub fn octet_stream() -> MediaType {
        MediaType::known("application/octet-stream")
    }

    /// Returns the type of that name.
    pub(in crate::message) fn known(name: &'static str) -> MediaType {
        MediaType {
            name: name.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// Parses `type/subtype; name=value; name="value"`.
    ///
    /// # Errors
    /// Names the rule that the text breaks; controls are refused everywhere.
    pub fn parse(text: &str) -> Result<MediaType, ValueError> {
        let fault = |reason| ValueError {
            text: text.to_owned(),
            reason,
        };
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return Err(fault("the content type contains a control character"));
        }
        // Controls were refused first: a newline in a parameter would begin a header field.
        let (name, rest) = text.split_once(';').unwrap_or((text, ""));
        // 127 characters: RFC 6838 section 4.2.
        let is_token =
            |part: &str| (1..=127).contains(&part.len()) && part.bytes().all(is_token_byte);
        match name.trim().split_once('/') {
            Some((kind, subtype)) if is_token(kind) && is_token(subtype) => {}
            _ => {
                return Err(fault(
                    "the content type does not have the form type/subtype",
                ));
            }
        }
        let parameters = parse_parameters(rest)
            .filter(|list| {
                list.iter()
                    .all(|(name, _)| is_token(name) && name.len() < 40)
            })
            .ok_or_else(|| {
                fault("a parameter of the content type does not have the form name=value")
            })?;
        Ok(MediaType {
            name: name.trim().to_ascii_lowercase(),
            parameters,
        })
    }

    /// Returns whether it is text.
    pub fn is_text(&self) -> bool {
        self.name.starts_with("text/")
    }

    /// Returns whether it is a picture.
    pub fn is_image(&self) -> bool {
        self.name.starts_with("image/")
    }

    /// Returns whether it is HTML.
    pub fn is_html(&self) -> bool {
        self.name == "text/html"
    }

    /// Returns whether it holds parts or messages, which may not be encoded as a whole (RFC 2045 section 6.4).
    pub fn is_composite(&self) -> bool {
        self.name.starts_with("multipart/") || self.name.starts_with("message/")
    }

    /// Returns the value of a parameter; its name is in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Sets a parameter, in its place if it was there.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> MediaType {
        let name = name.to_ascii_lowercase();
        match self.parameters.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.parameters.push((name, value.to_owned())),
        }
        self
    }

    /// Returns the pieces of the field body; a semicolon goes between them.
    pub(in crate::message) fn pieces(&self) -> Vec<String> {
        let mut pieces = vec![self.name.clone()];
        for (name, value) in &self.parameters {
            pieces.extend(parameter(name, value));
        }
        pieces
    }

    /// Returns the type for a file's extension in lower case.
    pub fn of_extension(extension: &str) -> Option<MediaType> {
        let found = EXTENSIONS
            .iter()
            .find(|(_, list)| list.split(' ').any(|e| e == extension));
        found.map(|(name, _)| MediaType::known(name))
    }

    /// Returns the type that the first bytes of a file announce, if they are characteristic.
    pub fn of_magic(start: &[u8]) -> Option<MediaType> {
        let found = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
        found.map(|(_, name)| MediaType::known(name))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pieces().join("; "))
    }
}

fn parse_parameters(text: &str) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        // A semicolon within quotes ends nothing: the text cannot be split at semicolons first.
        let (value, left) = match after.strip_prefix('"') {
            Some(inner) => quoted_value(inner)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        parameters.push((name.trim().to_ascii_lowercase(), value));
        let left = left.trim_start();
        rest = match left.strip_prefix(';') {
            Some(more) => more.trim(),
            None if left.is_empty() => left,
            None => return None,
        };
    }
    Some(parameters)
}

/// Returns the text up to the closing quote, and what follows it.
fn quoted_value(inner: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// Types of the files that scripts and people attach, by extension.
const EXTENSIONS: &[(&str, &str)] = &[
    ("application/epub+zip", "epub"),
    ("application/gzip", "gz tgz"),
    ("application/java-archive", "jar"),
    ("application/json", "json"),
    ("application/msword", "doc"),
    ("application/pdf", "pdf"),
    ("application/pgp-encrypted", "pgp"),
    ("application/pgp-keys", "key"),
    ("application/pgp-signature", "asc sig"),
    ("application/pkcs7-mime", "p7m"),
    ("application/pkcs7-signature", "p7s"),
    ("application/postscript", "ps eps"),
    ("application/rtf", "rtf"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    ("application/vnd.oasis.opendocument.presentation", "odp"),
    ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    ("application/vnd.oasis.opendocument.text", "odt"),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pptx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.tcpdump.pcap", "pcap cap"),
    ("application/x-7z-compressed", "7z"),
    ("application/x-bzip2", "bz2 tbz"),
    ("application/x-tar", "tar"),
    ("application/x-xz", "xz txz"),
    ("application/xml", "xml xsd xsl"),
    ("application/zip", "zip"),
    ("application/zstd", "zst"),
    ("audio/flac", "flac"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg oga opus"),
    ("audio/x-wav", "wav"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg jpeg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tif tiff"),
    ("image/webp", "webp"),
    ("image/x-icon", "ico"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/css", "css"),
    ("text/csv", "csv"),
    ("text/html", "html htm"),
    ("text/javascript", "js mjs"),
    ("text/markdown", "md markdown"),
    (
        "text/plain",
        "txt text log conf cfg ini out err list sh py pl rs c h yml yaml toml sql",
    ),
    ("text/tab-separated-values", "tsv"),
    ("text/vcard", "vcf vcard"),
    ("text/x-diff", "diff patch"),
    ("video/mp4", "mp4 m4v"),
    ("video/mpeg", "mpg mpeg"),
    ("video/webm", "webm"),
];

/// First bytes that identify a type where the name does not.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"PK\x03\x04", "application/zip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_as_given() {
        let html = MediaType::parse("Text/HTML; Charset=\"utf-8\"; x=\"a\\\";b\"").unwrap();
        assert_eq!(html.name, "text/html");
        assert_eq!(html.parameter("charset"), Some("utf-8"));
        assert_eq!(html.to_string(), "text/html; charset=utf-8; x=\"a\\\";b\"");
        assert_eq!(
            MediaType::parse("text/plain;").unwrap(),
            MediaType::text_plain()
        );
        for bad in [
            "",
            "text",
            "text/",
            "/x",
            "text/pl ain",
            "a/b; c",
            "a/b; c=\"d",
            "a/b\n; c=d",
            "a/b; c=\"d\"e=f",
        ] {
            assert!(MediaType::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_a_type_and_every_extension_stands_once() {
        let mut seen = std::collections::HashSet::new();
        for (name, extensions) in EXTENSIONS {
            assert!(MediaType::parse(name).is_ok(), "{name}");
            for extension in extensions.split(' ') {
                assert!(seen.insert(extension), "{extension}");
            }
        }
        assert_eq!(MediaType::of_extension("jpeg").unwrap().name, "image/jpeg");
        assert_eq!(MediaType::of_extension("unknown"), None);
    }
}
