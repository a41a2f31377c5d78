//! Compressed mailboxes (gzip), which are only read.
//!
//! A file is known by its first two bytes, whatever it is called. It is decompressed a block at a
//! time into a temporary file without a name, of which messages are read like those of any mbox;
//! so however much comes out of it fills that disk at most, until it is full, and never memory.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::open::OpenError;
use super::separator::LOOKAHEAD;
use super::source::read_full;

/// The bytes at the start of each member of the archive (RFC 1952, section 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How much is decompressed at once.
const BLOCK: usize = 64 * 1024;

/// Returns whether a file is compressed.
pub(super) fn is_compressed(file: &File) -> io::Result<bool> {
    let mut start = [0; MAGIC.len()];
    let count = read_full(file, &mut start, 0)?;
    Ok(start[..count] == MAGIC)
}

/// Returns a file with what a compressed one holds.
///
/// # Errors
/// When the archive is torn or damaged, or the temporary file cannot be written.
pub(super) fn decompressed(file: &File, path: &Path) -> Result<File, OpenError> {
    let temporary = |source| OpenError::Temporary {
        path: path.to_owned(),
        source,
    };
    let mut out = tempfile::tempfile().map_err(temporary)?;
    let mut archive = MultiGzDecoder::new(file);
    let mut block = vec![0; BLOCK];
    loop {
        match archive.read(&mut block) {
            Ok(0) => return Ok(out),
            Ok(count) => out.write_all(&block[..count]).map_err(temporary)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(damaged(path, source)),
        }
    }
}

/// Returns the first bytes of what a compressed file holds, from its first line on that is not
/// blank; as many as tell whether it is a mailbox with mail.
pub(super) fn first_bytes(file: &File, path: &Path) -> Result<Vec<u8>, OpenError> {
    let mut archive = MultiGzDecoder::new(file);
    let mut text = Vec::new();
    let mut block = vec![0; BLOCK];
    while text.len() < LOOKAHEAD {
        match archive.read(&mut block) {
            Ok(0) => break,
            Ok(count) => {
                let block = &block[..count];
                let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
                let blank = match text.is_empty() {
                    true => block.iter().take_while(|byte| is_line_end(byte)).count(),
                    false => 0,
                };
                text.extend_from_slice(&block[blank..]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(damaged(path, source)),
        }
    }
    Ok(text)
}

/// Tells an archive that is no good from a disk that is not.
fn damaged(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::UnexpectedEof => OpenError::Damaged {
            path,
            why: "its end is missing",
        },
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => OpenError::Damaged {
            path,
            why: "it is damaged",
        },
        _ => OpenError::Io { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::path::PathBuf;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    use crate::exit::Kind;
    use crate::mailbox::lock::LockOptions;
    use crate::mailbox::{Changes, CommitError, CommitOptions, Journals, Mailbox, has_mail};

    const ONE: &str = "From a@x Tue Jan  7 12:09:16 2003\nSubject: one\n\nbody\n\n";

    fn member(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("mbox");
        fs::write(&path, bytes).expect("written");
        (directory, path)
    }

    fn open(path: &Path) -> Result<Mailbox, OpenError> {
        Mailbox::open(path, &Journals::default(), &mut |_, _, _| {})
    }

    #[test]
    fn members_are_read_as_one_mailbox_that_is_never_written() {
        let bytes = [member(ONE), member(""), member(&ONE.replace("one", "two"))].concat();
        let (_directory, path) = written(&bytes);
        let mailbox = open(&path).expect("a mailbox");
        assert!(mailbox.is_compressed() && !mailbox.is_changed());
        assert_eq!(mailbox.messages().len(), 2);
        assert_eq!(mailbox.read(0).expect("bytes"), ONE.as_bytes());
        assert_eq!(mailbox.size(), 2 * ONE.len() as u64);
        assert!(has_mail(&path, &Journals::default()).expect("a mailbox"));
        let mut changes = Changes::default();
        changes.delete(0);
        let options = CommitOptions {
            lock: LockOptions::default(),
            journals: &Journals::default(),
            removes_empty: true,
        };
        let error = mailbox.commit(&changes, &options).expect_err("read-only");
        assert!(matches!(error, CommitError::Refused { .. }));
        assert!(
            error
                .to_string()
                .ends_with("it is compressed, and so read-only")
        );
        assert_eq!(fs::read(&path).expect("bytes"), bytes);
    }

    #[test]
    fn what_is_torn_or_damaged_or_no_mailbox_is_named() {
        let whole = member(&ONE.repeat(100));
        let mut damaged = whole.clone();
        // The first block of the third kind, which is none (RFC 1951, section 3.2.3).
        damaged[10] = 0xff;
        let mut wrong_sum = whole.clone();
        let last = wrong_sum.len() - 1;
        wrong_sum[last] ^= 0xff;
        let rows: [(&[u8], &str); 6] = [
            (
                &whole[..whole.len() - 4],
                "cannot decompress {}: its end is missing",
            ),
            (&whole[..2], "cannot decompress {}: its end is missing"),
            (&damaged, "cannot decompress {}: it is damaged"),
            (&wrong_sum, "cannot decompress {}: it is damaged"),
            (
                &[&whole[..], b"rubbish behind it"].concat(),
                "cannot decompress {}: it is damaged",
            ),
            (&member("hello\n"), "cannot open {}: it is not an mbox"),
        ];
        for (bytes, text) in rows {
            let (_directory, path) = written(bytes);
            let error = open(&path).expect_err(text);
            let text = text.replace("{}", &path.display().to_string());
            assert_eq!(error.to_string(), text);
            assert_eq!(error.kind(), Kind::NoInput);
        }
        for (text, expected) in [("", false), ("\n\n\r\n", false), ("\n\n", false)] {
            let (_directory, path) = written(&member(text));
            assert!(open(&path).expect("a mailbox").messages().is_empty());
            assert_eq!(
                has_mail(&path, &Journals::default()).expect("one"),
                expected
            );
        }
        let (_directory, path) = written(&member("hello\n"));
        assert!(has_mail(&path, &Journals::default()).is_err());
        let blank = "\n".repeat(200_000);
        let (_directory, path) = written(&member(&format!("{blank}{ONE}")));
        assert!(has_mail(&path, &Journals::default()).expect("one"));
    }
}
