//! Messages: header fields, bodies, MIME; bytes in, bytes out.
//!
//! Pure: no files, no clock, no environment. What is sent arrives here as
//! [`MessageSource`]s and typed values and leaves as bytes; what is read
//! arrives as bytes and leaves as text and structure.
//!
//! A mail out is a [`Composition`]: [`Fields`] of values that cannot hold bad
//! bytes, a body and attachments. It is written in two passes over each source
//! and in constant memory: the first ([`analyse`]) finds charset and transfer
//! encoding, the second encodes. A message that somebody else composed goes
//! through [`premade`].
//!
//! # What is mail-parser's work, and what is ours
//! Of a message that is read ([`parse`]), the crate mail-parser sees dates and
//! the three fields that describe a part (Content-Type, Content-Disposition,
//! Content-Transfer-Encoding), each cut to 16 KiB. The MIME tree is ours
//! (`parse/structure.rs`), as are header fields, encoded words, charsets and
//! transfer encodings. The reason is memory: mail-parser decodes every part and
//! keeps every field, which takes several times the message, and a mailbox may
//! hold a message of any size. In our tree a part is a range of the message,
//! and the number of parts and their depth are limited. Its parser of whole
//! messages judges ours in tests.

use std::io;

pub mod parse;
pub mod premade;

mod encode;
mod field_names;
mod identity;
mod text;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use crate::charset::decode_text;
pub(crate) use field_names::address_field;
pub use field_names::{Repeated, holds_addresses, names_nobody, stands_once};
pub use identity::{date, message_id};
pub use text::html::{plain_of_html, preformatted};
pub use text::pictures::{
    PICTURE_START, PictureReferences, PictureTarget, is_picture_name, picture_type, with_urls,
};
pub use text::plain::strip_terminal_codes;
pub use value::{ContentId, FileName, HeaderName, HeaderValue};
pub(crate) use write::analysis::analyse;
pub use write::attachment::Attachment;
pub use write::composition::{Alternative, Composition, Omitted, Wishes};
pub use write::fields::{FieldBody, Fields, ascii_name};
pub use write::media_type::MediaType;
pub use write::plan::{TransferEncoding, Wire};

/// A finished message that can be read more than once, from its start each time.
///
/// Lines end in LF; the SMTP edge makes CRLF of them.
pub trait MessageSource {
    /// Returns the size in bytes, as stored (LF line ends).
    fn len(&self) -> u64;

    /// Returns whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a reader that starts at the first byte.
    ///
    /// # Errors
    /// Fails when the temporary file behind it cannot be read.
    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>>;
}

/// A source in memory.
impl MessageSource for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>> {
        Ok(Box::new(self))
    }
}

/// A source in memory.
impl MessageSource for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }

    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}

impl<T: MessageSource + ?Sized> MessageSource for &T {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>> {
        (**self).reader()
    }
}

/// How much of a source is in memory at a time.
const BLOCK: usize = 16 * 1024;

/// How much is read at first: most messages are short, and every page that is touched for the
/// first time costs the kernel a fault.
const FIRST_BLOCK: usize = 2 * 1024;

/// Hands a reader's bytes to a function, block by block.
fn for_each_block(
    mut reader: impl io::Read,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = vec![0; FIRST_BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                take(&block[..count])?;
                // A source that fills the first block has more: from here on fewer calls count.
                if count == FIRST_BLOCK {
                    block.resize(BLOCK, 0);
                }
            }
            // A signal came; whether it ends the program is decided by its handler, not here.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
