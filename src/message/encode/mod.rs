//! Encodings of mail: base64, quoted-printable, encoded words, uuencode.
//!
//! These are the encoders for sending; the modules of [`write`](super::write) choose among them.
//! Received mail is decoded in [`parse`](super::parse), leniently.

pub(in crate::message) mod base64;
pub(in crate::message) mod encoded_words;
pub(in crate::message) mod quoted_printable;
pub(in crate::message) mod uuencode;
