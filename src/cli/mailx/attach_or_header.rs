//! Rule R1: whether the value of `-a` is a file to attach or a header field to add.
//!
//! s-nail, heirloom and NetBSD attach; bsd-mailx and GNU mail add a header field. A file name may
//! look like a field (`dump-2025-01-01T10:00:00.gz`), so a missing attachment must never pass for
//! one: the mail would leave without it. A value that is neither counts as a missing file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::message::MediaType;

/// Names that always count as header fields: of RFC 5322, MIME, lists, and common mail programs.
const KNOWN_FIELDS: &str = "\
accept-language apparently-to approved archive archived-at authentication-results auto-submitted \
autocrypt bcc cc comments content-description content-disposition content-id content-language \
content-location content-md5 content-transfer-encoding content-type date delivered-to \
deferred-delivery delivery-date disposition-notification-to dkim-signature encrypted errors-to \
expires fcc feedback-id followup-to from importance in-reply-to keywords list-archive list-help \
list-id list-owner list-post list-subscribe list-unsubscribe list-unsubscribe-post \
mail-followup-to mail-reply-to message-id mime-version newsgroups openpgp organisation \
organization originator precedence priority received references reply-by reply-to resent-bcc \
resent-cc resent-date resent-from resent-message-id resent-reply-to resent-sender resent-to \
return-path return-receipt-to sender sensitivity subject supersedes thread-index thread-topic to \
user-agent";

/// Extensions of files that have no media type of their own.
const MORE_EXTENSIONS: &str = "\
7zip aes aiff apk arj avi bak bat bin bson bz cab cer class core cpio crt csr dat db dbf deb \
der dmg dump dwg env exe ext gpg heic img iso jsonl lha lock lz lz4 lzh lzma lzo mbox mdb mkv \
mobi mov mp2 mp4v msg msi ndjson numbers old orig ova p12 pages parquet part pem pfx php pid \
pkg ppm prn properties ps1 pst psd qcow2 rar raw rb rej rpm rst run sav save sha1 sha256 snap \
spool sqlite sqlite3 swp tbz2 temp tex tlz tmp toc trace trc ttf tzst vhd vhdx vmdk vsd wim wma \
wmv woff xlsb xlsm xps z";

/// The meaning of a value of `-a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Attach the file of this name; if there is no such file, that is reported and nothing is
    /// sent.
    Attach,
    /// Add this header field.
    Header,
}

/// Decides what a value of `-a` means; `is_file` asks whether a file of that name is there.
pub(super) fn meaning(value: &OsStr, is_file: &dyn Fn(&OsStr) -> bool) -> Meaning {
    let bytes = value.as_bytes();
    let Some((name, text)) = split_field(bytes) else {
        return Meaning::Attach;
    };
    // Before the look for a file: a file that happens to be called `Subject: x` must not keep a
    // script's header out of the mail.
    if is_known(name) {
        return Meaning::Header;
    }
    // `FILE=charset`, as s-nail attaches it.
    let charset = bytes.iter().rposition(|&b| b == b'=');
    let stem = charset.map(|end| OsStr::from_bytes(&bytes[..end]));
    // A file that is there decides for attaching: the caller could hardly mean a header field by
    // its name.
    if is_file(value) || stem.is_some_and(is_file) {
        return Meaning::Attach;
    }
    let is_own = name.len() > 2 && name[..2].eq_ignore_ascii_case(b"x-");
    match text.first() {
        // Header fields are written with a blank behind the colon, and names of files hardly ever
        // have one there.
        Some(b' ' | b'\t') => Meaning::Header,
        _ if is_own && !looks_like_file(text) => Meaning::Header,
        _ => Meaning::Attach,
    }
}

/// Splits `Name:text`, where the name is made as those of header fields are.
fn split_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().position(|&b| b == b':')?;
    let mut name = &bytes[..colon];
    // RFC 5322 section 4.5 allows blanks before the colon in old mail, and callers write `From :
    // root`.
    while let [rest @ .., b' ' | b'\t'] = name {
        name = rest;
    }
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-');
    is_name.then_some((name, &bytes[colon + 1..]))
}

fn is_known(name: &[u8]) -> bool {
    let mut known = KNOWN_FIELDS.split(' ');
    known.any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Returns whether a word is more likely the name of a file than anything else: it holds a `/`, or
/// ends in a known extension, maybe with the number of a rotated file (`.log.1`) or a charset
/// (`.txt=utf-8`) behind it.
pub(crate) fn looks_like_file(word: &[u8]) -> bool {
    if word.contains(&b'/') {
        return true;
    }
    let stem = word
        .iter()
        .rposition(|&b| b == b'=')
        .map(|end| &word[..end]);
    has_extension(word) || stem.is_some_and(has_extension)
}

fn has_extension(word: &[u8]) -> bool {
    let Some(dot) = word.iter().rposition(|&b| b == b'.') else {
        return false;
    };
    let (stem, extension) = (&word[..dot], &word[dot + 1..]);
    // logrotate numbers the files that it keeps: `app.log.1`.
    if !extension.is_empty() && extension.iter().all(u8::is_ascii_digit) {
        return has_extension(stem);
    }
    let Ok(extension) = std::str::from_utf8(extension) else {
        return false;
    };
    let extension = extension.to_ascii_lowercase();
    MediaType::of_extension(&extension).is_some()
        || MORE_EXTENSIONS.split(' ').any(|more| more == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_missing_file_passes_for_a_header_field() {
        use Meaning::{Attach, Header};
        // These files are there.
        let files = [
            "report.pdf",
            "X-Report",
            "X-Odd: name",
            "X-Odd:name",
            "odd: name",
            "odd:name",
            "Subject: file",
            "X-Odd:text",
            "X-Odd:table=x",
        ];
        let rows = [
            // A known field name is always a header, however the rest looks.
            ("Reply-To:a@x.gz", Header),
            ("reply-to:a@x.gz", Header),
            ("REPLY-TO: a@x.org", Header),
            ("Subject:/etc/passwd.txt", Header),
            ("Subject:", Header),
            ("Subject: file", Header),
            ("From:root", Header),
            ("From : root", Header),
            ("Date:2025-01-01T10:00:00.gz", Header),
            ("Content-Type:text/html", Header),
            ("Content-Type: text/html; charset=utf-8", Header),
            ("List-Unsubscribe:<https://example.org/x.html>", Header),
            ("Auto-Submitted:auto-generated", Header),
            ("Importance:high", Header),
            ("Errors-To:ops@example.org", Header),
            // A field of one's own, without a blank.
            ("X-Priority:1", Header),
            ("x-priority:1", Header),
            ("X-Host:web1.example.org", Header),
            ("X-Version:1.2.3", Header),
            ("X-Empty:", Header),
            ("X-Time:10:00:00", Header),
            ("X-Words:two words", Header),
            ("X-Pair:a=b", Header),
            // The same, but it may be a file.
            ("X-Dump:2025.gz", Attach),
            ("X-Dump:2025.GZ", Attach),
            ("X-Dump:2025.sql", Attach),
            ("X-2025-01-01T10:00:00.gz", Attach),
            ("X-Log:messages.log.1", Attach),
            ("X-Log:app.txt=utf-8", Attach),
            ("X-Report:May 2025.csv", Attach),
            ("X-Path:/var/log/messages", Attach),
            ("X-Path:../messages", Attach),
            ("X-Mail:spool.mbox", Attach),
            ("X-Core:x.dump", Attach),
            ("X-:value", Attach),
            // Any name with a blank behind its colon.
            ("dump: 2025.gz", Header),
            ("X-Dump: /tmp/2025.gz", Header),
            ("Foo:\tbar", Header),
            ("Foo : bar", Header),
            ("Job-Id: 42", Header),
            // Anything else is the name of a file.
            ("dump-2025-01-01T10:00:00.gz", Attach),
            ("dump:2025", Attach),
            ("Foo:bar", Attach),
            ("Foo :bar", Attach),
            ("C:report.txt", Attach),
            ("host:/path", Attach),
            ("./X-Dump: x", Attach),
            ("2025: x", Attach),
            ("two words: x", Attach),
            ("X_Dump: x", Attach),
            (": x", Attach),
            ("Gr\u{f6}\u{df}e: x", Attach),
            ("Foo:\nBcc: eve@example.org", Attach),
            ("missing", Attach),
            ("-", Attach),
            ("", Attach),
            ("missing.txt=utf-8", Attach),
            // What is there is attached.
            ("report.pdf", Attach),
            ("report.pdf=utf-8", Attach),
            ("X-Odd: name", Attach),
            ("X-Odd:name", Attach),
            ("odd: name", Attach),
            ("odd:name", Attach),
            ("X-Odd:text=utf-8", Attach),
            ("X-Odd:table=x", Attach),
        ];
        let is_file = |name: &OsStr| files.iter().any(|file| name == *file);
        for (value, expected) in rows {
            assert_eq!(meaning(OsStr::new(value), &is_file), expected, "{value:?}");
        }
        let odd = OsStr::from_bytes(b"X-Odd:\xff\xfe.gz");
        assert_eq!(meaning(odd, &is_file), Attach);
        let odd = OsStr::from_bytes(b"X-Odd:\xff\xfe");
        assert_eq!(meaning(odd, &is_file), Header);
    }

    #[test]
    fn the_tables_are_in_lower_case_and_name_nothing_twice() {
        for table in [KNOWN_FIELDS, MORE_EXTENSIONS] {
            let mut seen = std::collections::HashSet::new();
            for word in table.split(' ') {
                assert!(
                    !word.is_empty() && word == word.to_ascii_lowercase(),
                    "{word}"
                );
                assert!(seen.insert(word), "{word} stands twice");
            }
        }
        for extension in MORE_EXTENSIONS.split(' ') {
            let known = MediaType::of_extension(extension);
            assert!(known.is_none(), "{extension} has a type: it stands there");
        }
    }
}
