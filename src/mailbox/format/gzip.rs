//! Compressed mailboxes (gzip), which are only read.
//!
//! A compressed file is recognised by its first two bytes, whatever its name is. It is decompressed a
//! block at a time into a temporary file without a name, from which messages are read as from any
//! mbox, so that no archive can fill the memory. The size of the decompressed file is limited too: an
//! archive of one megabyte may hold a gigabyte of zeros ([`limit_of`]). Where an archive is cut off
//! or damaged, the messages before that place are shown, and a [`Notice`] reports it.
//!
//! The members of an archive are parsed here and not by flate2's reader, which creates a decompressor
//! of 40 kB for each: two million empty members took 25 s.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::separator::LOOKAHEAD;
use super::torn;
use crate::mailbox::error::OpenError;
use crate::mailbox::notice::Notice;
use crate::mailbox::read_at::read_full;

/// The bytes at the start of each member of the archive (RFC 1952, section 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How much is decompressed at once.
const BLOCK: usize = 64 * 1024;

/// The decompressed size that is allowed for any file, however small.
const ALWAYS: u64 = 256_000_000;
/// How many times larger than the file its decompressed mail may be, where that is more than
/// [`ALWAYS`]. Mail is compressed to a tenth of its size, the same mail repeated to a fiftieth.
const RATIO: u64 = 100;

/// Returns how many bytes are decompressed at most from a file of this size.
fn limit_of(compressed: u64) -> u64 {
    compressed.saturating_mul(RATIO).max(ALWAYS)
}

/// Returns whether a file is compressed.
pub(in crate::mailbox) fn is_compressed(file: &File) -> io::Result<bool> {
    let mut start = [0; MAGIC.len()];
    let count = read_full(file, &mut start, 0)?;
    Ok(start[..count] == MAGIC)
}

/// Returns a temporary file with the decompressed mail, and a notice if that is not all of it.
///
/// # Errors
/// When nothing can be decompressed because the archive is cut off or damaged, or when the temporary
/// file cannot be written.
pub(in crate::mailbox) fn decompressed(
    file: &File,
    path: &Path,
) -> Result<(File, Option<Notice>), OpenError> {
    let metadata = file.metadata();
    let metadata = metadata.map_err(|source| OpenError::new(path, source))?;
    decompressed_up_to(limit_of(metadata.len()), file, path)
}

fn decompressed_up_to(
    limit: u64,
    file: &File,
    path: &Path,
) -> Result<(File, Option<Notice>), OpenError> {
    let temporary = |source| OpenError::Temporary {
        path: path.to_owned(),
        source,
    };
    let mut out = tempfile::tempfile().map_err(temporary)?;
    let mut archive = Archive::new(BufReader::with_capacity(BLOCK, file));
    let mut block = vec![0; BLOCK];
    let mut written = 0;
    let why = loop {
        match archive.read(&mut block) {
            Ok(0) => return Ok((out, None)),
            Ok(count) => {
                let count = count.min(usize::try_from(limit - written).unwrap_or(usize::MAX));
                out.write_all(&block[..count]).map_err(temporary)?;
                written += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => match damaged(path, source) {
                // The messages before the damage can be read. A failing disk is no damage: it is
                // reported as an error, and trying again may help.
                OpenError::Damaged { why, .. } if written > 0 => break why.to_owned(),
                error => return Err(error),
            },
        }
        if written == limit {
            break format!(
                "its decompressed size is more than {} MB, which is the limit",
                limit / 1_000_000
            );
        }
    };
    Ok((out, Some(Notice::Incomplete { why })))
}

/// Returns the first decompressed bytes, from the first line on that is not blank: as many as show
/// whether this is a mailbox with mail.
pub(in crate::mailbox) fn first_bytes(file: &File, path: &Path) -> Result<Vec<u8>, OpenError> {
    let mut archive = Archive::new(BufReader::with_capacity(BLOCK, file));
    let mut text = Vec::new();
    let mut block = vec![0; BLOCK];
    let mut passed = 0;
    // An archive of nothing but blank lines must not keep us busy for ever.
    while text.len() < LOOKAHEAD && passed < ALWAYS {
        match archive.read(&mut block) {
            Ok(0) => break,
            Ok(count) => {
                passed += count as u64;
                let block = &block[..count];
                let blank = if text.is_empty() {
                    block.iter().take_while(|byte| torn::is_blank(byte)).count()
                } else {
                    0
                };
                text.extend_from_slice(&block[blank..]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The bytes before the damage decide.
            Err(_) if !text.is_empty() => break,
            Err(source) => return Err(damaged(path, source)),
        }
    }
    Ok(text)
}

/// The members of an archive, one after another (RFC 1952).
struct Archive<R> {
    input: R,
    inflate: Decompress,
    crc: Crc,
    part: ArchivePart,
}

/// The part of an archive that its next bytes belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ArchivePart {
    /// The header of a member, or the end.
    Header,
    /// Compressed data.
    Data,
    /// The end of a member.
    Trailer,
}

impl<R: BufRead> Archive<R> {
    fn new(input: R) -> Archive<R> {
        Archive {
            input,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            part: ArchivePart::Header,
        }
    }

    /// Skips the header of a member (RFC 1952, section 2.3), and checks that we understand it.
    fn skip_header(&mut self) -> io::Result<()> {
        let mut fixed = [0; 10];
        self.input.read_exact(&mut fixed)?;
        let (method, flags) = (fixed[2], fixed[3]);
        // Method 8 is deflate. The three upper flags are reserved: section 2.3.1.2 forbids reading
        // on if one is set, as further fields may follow then.
        if fixed[..2] != MAGIC || method != 8 || flags & 0xe0 != 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // FEXTRA: a field with its length before it.
        if flags & 4 != 0 {
            let mut len = [0; 2];
            self.input.read_exact(&mut len)?;
            let len = u64::from(u16::from_le_bytes(len));
            if io::copy(&mut (&mut self.input).take(len), &mut io::sink())? < len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        // FNAME and FCOMMENT: the file's name and a comment, each ended by a NUL.
        for flag in [8, 16] {
            if flags & flag != 0 {
                self.skip_string()?;
            }
        }
        // FHCRC: a checksum of the header.
        if flags & 2 != 0 {
            self.input.read_exact(&mut [0; 2])?;
        }
        Ok(())
    }

    /// Skips a string and the NUL that ends it.
    fn skip_string(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = memchr::memchr(0, buffer);
            let count = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(count);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// Skips the end of a member, and compares its checksum and its size with what was decompressed.
    fn skip_trailer(&mut self) -> io::Result<()> {
        let mut trailer = [0; 8];
        self.input.read_exact(&mut trailer)?;
        let sums = [
            self.crc.sum().to_le_bytes(),
            self.crc.amount().to_le_bytes(),
        ];
        if trailer == *sums.as_flattened() {
            Ok(())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

impl<R: BufRead> Read for Archive<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.part == ArchivePart::Trailer {
                self.skip_trailer()?;
                self.part = ArchivePart::Header;
            }
            if self.part == ArchivePart::Header {
                if self.input.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.skip_header()?;
                self.inflate.reset(false);
                self.crc.reset();
                self.part = ArchivePart::Data;
            }
            let buffer = self.input.fill_buf()?;
            let is_end = buffer.is_empty();
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(buffer, block, FlushDecompress::None)
                .map_err(|_| io::ErrorKind::InvalidData)?;
            let taken = (self.inflate.total_in() - before.0) as usize;
            let given = (self.inflate.total_out() - before.1) as usize;
            self.input.consume(taken);
            self.crc.update(&block[..given]);
            if status == Status::StreamEnd {
                self.part = ArchivePart::Trailer;
            }
            // A return value of 0 would mean the end. A member may be empty, and the decompressor
            // may take input without giving output, so the loop goes on then.
            if given > 0 {
                return Ok(given);
            }
            if status != Status::StreamEnd && is_end && taken == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Returns the error of a failed read: the archive is cut off or damaged, or the disk fails.
fn damaged(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::UnexpectedEof => OpenError::Damaged {
            path,
            why: "the file is cut off",
        },
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => OpenError::Damaged {
            path,
            why: "the file is damaged",
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
        assert!(mailbox.unchangeable() == Some("compressed") && !mailbox.is_changed());
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
    fn what_came_out_of_a_torn_archive_is_shown_and_the_rest_is_told() {
        let whole = member(&ONE.repeat(100));
        let mut damaged = whole.clone();
        // The first block of the third kind, which is none (RFC 1951, section 3.2.3).
        damaged[10] = 0xff;
        let mut wrong_sum = whole.clone();
        let last = wrong_sum.len() - 1;
        wrong_sum[last] ^= 0xff;
        let cut = [&whole[..], &whole[..whole.len() - 4]].concat();
        let rubbish = [&whole[..], b"rubbish behind it"].concat();
        // How many messages come out, and what is said.
        let rows: [(&[u8], usize, &str); 6] = [
            (&whole, 100, ""),
            (&whole[..whole.len() - 4], 100, "the file is cut off"),
            (&cut, 200, "the file is cut off"),
            (&wrong_sum, 100, "the file is damaged"),
            (&rubbish, 100, "the file is damaged"),
            (&[&whole[..], &damaged].concat(), 100, "the file is damaged"),
        ];
        for (bytes, count, why) in rows {
            let (_directory, path) = written(bytes);
            let mailbox = open(&path).expect("what is there");
            assert_eq!(mailbox.messages().len(), count, "{why}");
            assert_eq!(mailbox.read(count - 1).expect("bytes"), ONE.as_bytes());
            let told: Vec<_> = mailbox.notices().iter().map(Notice::to_string).collect();
            match why {
                "" => assert!(told.is_empty()),
                why => assert_eq!(
                    told,
                    [format!("not all messages of the mailbox are shown: {why}")]
                ),
            }
            assert!(mailbox.notices().iter().all(|n| n.kind() == Some(Kind::Io)));
        }
    }

    #[test]
    fn what_comes_out_of_a_small_file_is_limited() {
        assert_eq!(limit_of(1), ALWAYS);
        assert_eq!(limit_of(10_000_000), 1_000_000_000);
        let (_directory, path) = written(&member(&ONE.repeat(5000)));
        let file = File::open(&path).expect("a file");
        let (out, notice) = decompressed_up_to(200_000, &file, &path).expect("a file");
        assert_eq!(out.metadata().expect("metadata").len(), 200_000);
        let why = "its decompressed size is more than 0 MB, which is the limit".to_owned();
        assert_eq!(notice, Some(Notice::Incomplete { why }));
    }

    #[test]
    fn headers_of_members_have_what_they_may_have() {
        let mut bytes = vec![0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3];
        bytes.extend_from_slice(b"\x05\0extra");
        bytes.extend_from_slice(b"name\0comment\0\0\0");
        bytes.extend_from_slice(&member(ONE)[10..]);
        let (_directory, path) = written(&bytes);
        let mailbox = open(&path).expect("a mailbox");
        assert_eq!(mailbox.messages().len(), 1);
        assert!(mailbox.notices().is_empty());
        // A few bytes may come out that do not look like mail yet.
        for end in 3..bytes.len() {
            let (_directory, path) = written(&bytes[..end]);
            let told = match open(&path) {
                Ok(mailbox) => mailbox.notices()[0].to_string(),
                Err(error) => error.to_string(),
            };
            let expected = ["the file is cut off", "it is not an mbox"];
            assert!(expected.iter().any(|end| told.ends_with(end)), "{told}");
        }
    }

    #[test]
    fn an_archive_of_which_nothing_comes_out_is_named() {
        let whole = member(&ONE.repeat(100));
        let mut damaged = whole.clone();
        damaged[10] = 0xff;
        let rows: [(&[u8], &str); 3] = [
            (&whole[..2], "cannot decompress {}: the file is cut off"),
            (&damaged, "cannot decompress {}: the file is damaged"),
            (&member("hello\n"), "cannot open {}: it is not an mbox"),
        ];
        for (bytes, text) in rows {
            let (_directory, path) = written(bytes);
            let error = open(&path).expect_err(text);
            let text = text.replace("{}", &crate::sanitize::path(&path));
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
