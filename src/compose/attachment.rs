//! Attachments: files, standard input and FIFOs. A change of the file during sending cannot damage
//! the message.
//!
//! What is not a large regular file is spooled; a large one is read where it is, at the length
//! it had when it was opened, and a file that has become shorter since is an error.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::charset::{Label, look_up};
use crate::compose::request::{AttachRequest, Carried};
use crate::exit::{Failure, Kind};
use crate::message::{ContentId, FileName, MediaType, MessageSource, TransferEncoding};
use crate::sanitize;
use crate::sys::open::read::{MAX_STREAM, open, patience_with, spooled_stream};
use crate::sys::open::{Opened, Unread, Use};
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;

/// Regular files up to this size are copied, in bytes.
const COPIED: u64 = 1 << 20;

/// A file that goes with the mail.
#[derive(Debug)]
pub struct Attached {
    /// The name the recipient sees.
    pub name: FileName,
    /// The type, where one is given.
    pub content_type: Option<MediaType>,
    /// The charset, where one is given.
    pub charset: Option<String>,
    /// The identifier by which the HTML of the message shows it, if it does.
    pub content_id: Option<ContentId>,
    /// Whether it is a picture that the HTML shows, and was not attached by the user.
    pub is_taken_along: bool,
    /// Its bytes.
    pub source: Source,
}

/// The bytes of an attachment.
#[derive(Debug)]
pub enum Source {
    /// A copy of our own.
    Spooled(Spool),
    /// A large regular file, where it is, with the length it had.
    InPlace(File, u64),
}

impl MessageSource for Source {
    fn len(&self) -> u64 {
        match self {
            Source::Spooled(spool) => spool.len(),
            Source::InPlace(_, len) => *len,
        }
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        match self {
            Source::Spooled(spool) => Ok(Box::new(spool.reader())),
            Source::InPlace(file, len) => Ok(Box::new(InPlaceReader {
                file,
                offset: 0,
                len: *len,
            })),
        }
    }
}

struct InPlaceReader<'a> {
    file: &'a File,
    offset: u64,
    len: u64,
}

impl Read for InPlaceReader<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let left = (self.len - self.offset).min(block.len() as u64) as usize;
        if left == 0 {
            return Ok(0);
        }
        // Reading at an offset leaves the position of the file alone: the message is rendered
        // once for each route, from the same open file.
        let count = self.file.read_at(&mut block[..left], self.offset)?;
        // The length was used to decide whether the message fits. A file that was cut since, as a
        // log that is rotated, would arrive in half without a word.
        if count == 0 {
            return Err(io::Error::other(
                "the file became shorter while it was read",
            ));
        }
        self.offset += count as u64;
        Ok(count)
    }
}

/// Reads what is to be attached; `-` is standard input, `FILE=charset` a file of that charset.
///
/// # Errors
/// 66 when it cannot be read: missing, unreadable, a directory or device, or a FIFO that does not
/// come to its end in time; 75 when the system fails; 128 + N when signal N interrupts it; 65 when
/// the given type is not a content type.
pub fn read(wanted: &AttachRequest, signals: &Signals) -> Result<Attached, Failure> {
    let (path, charset) = match split_charset(&wanted.path) {
        // A file of exactly this name goes first: `results=utf-8` may be one.
        Some((path, charset)) if !Path::new(&wanted.path).exists() => (path, Some(charset)),
        _ => (wanted.path.as_os_str(), None),
    };
    let fail = |error: Unread| {
        let what = format!("cannot attach {}", sanitize::line(path.as_bytes()));
        let kind = error.kind(Kind::NoInput);
        let failure = Failure::new(kind, what).because(error);
        // `-a 'Name: text'` adds a header field in bsd-mailx and attaches a file in s-nail: a
        // script that comes from the one to the other ends here.
        if path.as_bytes().contains(&b':') {
            failure.hint("to add a header field, use --header 'Name: text'")
        } else {
            failure
        }
    };
    let content_type = wanted.content_type.as_ref().map(|text| {
        MediaType::parse(&text.to_string_lossy()).map_err(|error| {
            let what = format!(
                "cannot use the content type given for {}",
                sanitize::line(path.as_bytes())
            );
            Failure::new(Kind::Data, what).because(error)
        })
    });
    let source = if path == "-" {
        let stdin = io::stdin();
        Source::Spooled(spooled_stream(&stdin, None, signals).map_err(fail)?)
    } else {
        source_of(path.as_ref(), Use::Attachment, signals).map_err(fail)?
    };
    // A name that is none is refused. One that is has no effect: of all encodings only base64 gives every
    // byte back in every reader, and a message or multipart may have none.
    wanted
        .encoding
        .as_deref()
        .map(transfer_encoding)
        .transpose()?;
    Ok(Attached {
        name: FileName::from_path(wanted.name.as_deref().unwrap_or(path).as_bytes()),
        content_type: content_type.transpose()?,
        charset,
        content_id: None,
        is_taken_along: false,
        source,
    })
}

/// Takes a part of a received message as an attachment.
///
/// # Errors
/// 73 when its bytes cannot be spooled.
pub(super) fn carried(part: &Carried) -> Result<Attached, Failure> {
    let bytes = Spool::read_from(&mut &part.bytes[..]).map_err(|error| {
        let name = sanitize::line(part.name.as_bytes());
        Failure::new(Kind::CannotCreate, format!("cannot attach {name}")).because(error)
    })?;
    Ok(Attached {
        name: FileName::from_path(part.name.as_bytes()),
        // A type that is none says nothing: it is found by name and content.
        content_type: MediaType::parse(&part.media_type).ok(),
        charset: part.charset.clone(),
        // One that a URL would have to escape is left out, and the file is a plain attachment.
        content_id: part.content_id.as_deref().and_then(ContentId::new),
        is_taken_along: false,
        source: Source::Spooled(bytes),
    })
}

/// Reads the name of a transfer encoding.
///
/// # Errors
/// 65 when it is none.
pub(super) fn transfer_encoding(name: &OsStr) -> Result<TransferEncoding, Failure> {
    let encoding = name.to_str().and_then(TransferEncoding::parse);
    encoding.ok_or_else(|| {
        let shown = sanitize::line(name.as_bytes());
        Failure::new(Kind::Data, format!("unknown transfer encoding {shown}"))
            .hint("use base64, quoted-printable, 7bit or 8bit")
    })
}

/// Splits `FILE=charset` and `FILE=charset#charset` (s-nail), where FILE is there.
fn split_charset(name: &OsStr) -> Option<(&OsStr, String)> {
    let bytes = name.as_bytes();
    // The last one: a name may hold others, no charset does.
    let equals = bytes.iter().rposition(|&b| b == b'=')?;
    let charset = std::str::from_utf8(&bytes[equals + 1..]).ok()?;
    let charset = charset.split('#').next().unwrap_or_default();
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    // `UTF-8//TRANSLIT`: only what is known may hold a slash, because a path may hold `=`, too.
    let is_charset = !charset.is_empty()
        && (charset.bytes().all(is_name) || matches!(look_up(charset), Label::Known(_)));
    let path = OsStr::from_bytes(&bytes[..equals]);
    (is_charset && Path::new(path).exists()).then(|| (path, charset.to_owned()))
}

/// Opens a regular file or reads a FIFO to its end.
///
/// # Errors
/// Fails for what cannot be read and for what this use does not take.
pub(super) fn source_of(path: &Path, purpose: Use, signals: &Signals) -> Result<Source, Unread> {
    source_of_opened(open(path, purpose)?, path, signals)
}

/// Takes what was opened: reads a FIFO to its end.
///
/// # Errors
/// Fails when it cannot be read.
pub(super) fn source_of_opened(
    opened: Opened,
    path: &Path,
    signals: &Signals,
) -> Result<Source, Unread> {
    match opened {
        Opened::Empty => Ok(Source::Spooled(Spool::new())),
        Opened::Stream(file, _) => {
            spooled_stream(&file, patience_with(path), signals).map(Source::Spooled)
        }
        Opened::Regular(file, metadata) if metadata.len() > COPIED => {
            Ok(Source::InPlace(file, metadata.len()))
        }
        // Files of /proc have no length: read what is there.
        Opened::Regular(file, _) => {
            Ok(Spool::read_from(&mut file.take(MAX_STREAM)).map(Source::Spooled)?)
        }
    }
}
