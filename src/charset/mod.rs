//! Charsets: the meaning of labels, the charset of bytes without a label, and decoding bytes to
//! text.
//!
//! This is the one place for both questions. Every door asks here: header fields, bodies and
//! parameters of a mail that is read; texts, subjects and files of a mail that is sent; the values of
//! configuration files; the locale. Pure; knows nothing of mail.
//!
//! The decoders of the web's charsets are those of the crate `encoding_rs`. What it leaves out and mail
//! has are ours: code pages of DOS ([`tables`]), charsets of seven bits ([`shifted`]) and UTF-32
//! ([`wide`]).

mod detect;
mod html;
mod labels;
mod named;
mod shifted;
mod tables;
mod text;
mod wide;

#[cfg(test)]
mod tests;

pub use detect::decode_text;
pub(crate) use detect::{
    Charset, Utf8Count, decode_reversibly, encode_text, is_undefined_in_windows_1252,
};
pub(crate) use html::{SEARCHED, of_html};
pub(crate) use labels::{Label, bare_name, look_up};
pub(crate) use named::NamedCharset;
pub(crate) use text::{each_in_charset, in_charset};
pub(crate) use wide::{Utf16Check, to_utf_8};
