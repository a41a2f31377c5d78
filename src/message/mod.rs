//! Messages: header fields, bodies, MIME; bytes in, bytes out.
//!
//! Pure: no files, no clock, no environment. What is sent arrives here as
//! [`MessageSource`]s and typed values and leaves as bytes; what is read
//! arrives as bytes and leaves as text and structure.

use std::io;

/// A finished message that can be read more than once, from its start each time.
///
/// Lines end in LF; the SMTP edge makes CRLF of them.
pub trait MessageSource {
    /// Returns the size in bytes, as stored (LF line ends).
    fn len(&self) -> u64;

    /// Returns whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a reader that starts at the first byte.
    ///
    /// # Errors
    /// Fails when the temporary file behind it cannot be read.
    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>>;
}
