//! Encodings of mail: base64, quoted-printable, encoded words, charsets, uuencode.
//!
//! Encoders for sending, each for one form of text, none with a choice to make: the modules of
//! [`write`](super::write) choose. What is received is decoded in [`parse`](super::parse), leniently.

pub(in crate::message) mod base64;
pub(in crate::message) mod charset;
pub(in crate::message) mod encoded_words;
pub(in crate::message) mod quoted_printable;
pub(in crate::message) mod uuencode;
