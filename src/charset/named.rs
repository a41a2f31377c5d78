//! The charsets that have names: decoding their bytes to text, and encoding text in them.

use std::borrow::Cow;

use encoding_rs::{CoderResult, Decoder, EUC_KR, Encoding, GBK, ISO_2022_JP, UTF_8};

use super::shifted;
use super::tables::Table;
use super::wide::{self, ByteOrder, PIECE, WideDecoder};

/// A charset that we can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedCharset {
    /// Seven bits; mailers name it for texts of eight bits as well.
    Ascii,
    /// A charset of the Encoding Standard.
    Web(&'static Encoding),
    /// An ISO charset, read as the larger Windows charset that the Encoding Standard has for it.
    Iso(&'static Encoding),
    /// A code page.
    Table(&'static Table),
    /// UTF-16; without an order a byte order mark or the text tells it.
    Utf16(Option<ByteOrder>),
    /// UTF-32, likewise.
    Utf32(Option<ByteOrder>),
    /// UTF-7 (RFC 2152).
    Utf7,
    /// The UTF-7 of IMAP's mailbox names (RFC 3501 section 5.1.3).
    Utf7Imap,
    /// GB 2312 in seven bits (RFC 1843).
    Hz,
    /// KS C 5601 in seven bits (RFC 1557).
    Iso2022Kr,
}

impl NamedCharset {
    /// Returns whether it writes every text with bytes below 0x80, so that a byte above proves it wrong.
    pub(crate) fn is_seven_bit(self) -> bool {
        match self {
            NamedCharset::Ascii
            | NamedCharset::Utf7
            | NamedCharset::Utf7Imap
            | NamedCharset::Hz
            | NamedCharset::Iso2022Kr => true,
            NamedCharset::Web(encoding) => encoding == ISO_2022_JP,
            _ => false,
        }
    }

    /// Returns whether each byte below 0x80 is the ASCII character when it is read.
    pub(super) fn is_ascii_compatible(self) -> bool {
        match self {
            NamedCharset::Web(encoding) | NamedCharset::Iso(encoding) => {
                encoding.is_ascii_compatible()
            }
            _ => false,
        }
    }

    /// Returns whether it is UTF-8.
    pub(crate) fn is_utf_8(self) -> bool {
        self == NamedCharset::Web(UTF_8)
    }

    /// Returns whether it is written in units of two or four bytes.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, NamedCharset::Utf16(_) | NamedCharset::Utf32(_))
    }

    /// Returns whether each byte below 0x80 is the ASCII character, as terminals need it.
    pub(crate) fn is_for_terminals(self) -> bool {
        match self {
            NamedCharset::Ascii | NamedCharset::Iso(_) | NamedCharset::Table(_) => true,
            // Charsets with shift states hold ESC, and UTF-16 holds NUL: no terminal has them.
            NamedCharset::Web(encoding) => {
                encoding.output_encoding() == encoding && encoding.is_ascii_compatible()
            }
            _ => false,
        }
    }

    /// Returns a character beyond ASCII in this charset; `None` if it has no such character.
    pub(crate) fn encode(self, c: char) -> Option<Vec<u8>> {
        match self {
            NamedCharset::Web(encoding) => encoded(encoding, c),
            // Bytes from 0x80 to 0x9f are no characters of an ISO charset, but commands to a terminal.
            NamedCharset::Iso(encoding) => {
                encoded(encoding, c).filter(|bytes| bytes.iter().all(|byte| *byte >= 0xa0))
            }
            NamedCharset::Table(table) => {
                let place = table
                    .chars()
                    .position(|own| own == c && own != '\u{fffd}')?;
                Some(vec![0x80 + u8::try_from(place).ok()?])
            }
            _ => None,
        }
    }

    /// Returns bytes as text, as [`each_piece`](NamedCharset::each_piece) hands them on.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            NamedCharset::Web(encoding) if encoding == UTF_8 => {
                UTF_8.decode_with_bom_removal(bytes).0
            }
            NamedCharset::Web(encoding) if encoding == ISO_2022_JP => {
                let bytes = shifted::without_idle_escapes(bytes);
                Cow::Owned(encoding.decode(&bytes).0.into_owned())
            }
            NamedCharset::Web(encoding) | NamedCharset::Iso(encoding) => encoding.decode(bytes).0,
            _ => {
                let mut text = String::with_capacity(bytes.len());
                self.each_piece(bytes, &mut |piece| text.push_str(piece));
                Cow::Owned(text)
            }
        }
    }

    /// Hands bytes to `emit` as text, a piece at a time; invalid bytes become U+FFFD.
    ///
    /// Bytes said to be ASCII are not to be decoded here: nothing is known of those above.
    pub(super) fn each_piece(self, bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        match self {
            NamedCharset::Web(encoding) if encoding == UTF_8 => {
                web_pieces(UTF_8.new_decoder_with_bom_removal(), bytes, emit);
            }
            NamedCharset::Web(encoding) if encoding == ISO_2022_JP => {
                let bytes = shifted::without_idle_escapes(bytes);
                web_pieces(encoding.new_decoder(), &bytes, emit);
            }
            NamedCharset::Web(encoding) | NamedCharset::Iso(encoding) => {
                web_pieces(encoding.new_decoder(), bytes, emit);
            }
            NamedCharset::Table(table) => table_pieces(table, bytes, emit),
            NamedCharset::Utf16(order) => {
                let (order, bytes) = wide::order_of(bytes, 2, order);
                WideDecoder::utf_16(order).push(bytes, true, emit);
            }
            NamedCharset::Utf32(order) => {
                let (order, bytes) = wide::order_of(bytes, 4, order);
                WideDecoder::utf_32(order).push(bytes, true, emit);
            }
            NamedCharset::Utf7 => shifted::utf_7(bytes, emit),
            NamedCharset::Utf7Imap => shifted::utf_7_imap(bytes, emit),
            NamedCharset::Hz => {
                let bytes = shifted::hz_to_gbk(bytes);
                web_pieces(GBK.new_decoder_without_bom_handling(), &bytes, emit);
            }
            NamedCharset::Iso2022Kr => {
                let bytes = shifted::iso_2022_kr_to_euc(bytes);
                web_pieces(EUC_KR.new_decoder_without_bom_handling(), &bytes, emit);
            }
            NamedCharset::Ascii => emit(&String::from_utf8_lossy(bytes)),
        }
    }
}

fn encoded(encoding: &'static Encoding, c: char) -> Option<Vec<u8>> {
    let mut buffer = [0; 4];
    let (bytes, _, is_unmappable) = encoding.encode(c.encode_utf8(&mut buffer));
    (!is_unmappable).then(|| Cow::into_owned(bytes))
}

/// Hands on what a decoder of the web makes of bytes.
pub(super) fn web_pieces(mut decoder: Decoder, bytes: &[u8], emit: &mut dyn FnMut(&str)) {
    // The decoder stops where the piece is full, and never within a character.
    let mut text = String::with_capacity(PIECE);
    let mut rest = bytes;
    loop {
        let (result, read, _) = decoder.decode_to_string(rest, &mut text, true);
        rest = &rest[read..];
        emit(&text);
        text.clear();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

fn table_pieces(table: &Table, bytes: &[u8], emit: &mut dyn FnMut(&str)) {
    let above: Vec<char> = table.chars().collect();
    for piece in bytes.chunks(PIECE) {
        let text: String = piece
            .iter()
            .map(|&byte| match byte.checked_sub(0x80) {
                Some(place) => above[usize::from(place)],
                None => char::from(byte),
            })
            .collect();
        emit(&text);
    }
}
