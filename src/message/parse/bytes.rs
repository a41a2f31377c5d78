//! Bytes that parts of a message share, because none of them is copied.

use std::ops::{Deref, Range};
use std::rc::Rc;

/// A range of a message: borrowed from it, or of one that was decoded and has no other owner.
#[derive(Clone, Debug)]
pub enum Bytes<'a> {
    /// The bytes of the message, unchanged.
    Borrowed(&'a [u8]),
    /// A range of a decoded message.
    Shared(Rc<Vec<u8>>, Range<usize>),
}

impl<'a> Bytes<'a> {
    /// Returns a range of them; one that ends before it starts is empty.
    pub fn slice(&self, from: usize, to: usize) -> Bytes<'a> {
        let to = to.min(self.len());
        let from = from.min(to);
        match self {
            Bytes::Borrowed(bytes) => Bytes::Borrowed(&bytes[from..to]),
            Bytes::Shared(all, range) => {
                Bytes::Shared(Rc::clone(all), range.start + from..range.start + to)
            }
        }
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Borrowed(bytes) => bytes,
            Bytes::Shared(all, range) => &all[range.clone()],
        }
    }
}

impl Default for Bytes<'_> {
    fn default() -> Self {
        Bytes::Borrowed(&[])
    }
}

impl From<Vec<u8>> for Bytes<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Bytes::Shared(Rc::new(bytes), range)
    }
}
