//! Messages as `print` shows them.

use super::Display;
use crate::message::parse::Part;
use crate::message::parse::display::{FieldChoice, each_of_message, each_of_part};
use crate::message::parse::fields::split_from_line;
use crate::sanitize;

/// How much of what is not decoded is given at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Gives a message as `print` shows it, a piece at a time: its number, its From_ line, header
/// fields, text.
///
/// Without a number it is the last message, which was found without counting the others.
/// `bytes` is the message without the quoting of an mbox; `all` shows hidden header fields too.
pub(crate) fn each(
    number: Option<usize>,
    bytes: &[u8],
    all: bool,
    display: &Display,
    give: &mut dyn FnMut(&str),
) {
    match number {
        Some(number) => give(&format!("Message {number}:\n")),
        None => give("Last message:\n"),
    }
    let choice = if all {
        FieldChoice::All
    } else {
        FieldChoice::Lists {
            retain: &display.retain,
            ignore: &display.ignore,
        }
    };
    let bytes = if all || display.from_line {
        bytes
    } else {
        split_from_line(bytes).1
    };
    each_of_message(bytes, choice, display.look, &mut |text| {
        give(&sanitize::decoded(text));
    });
    end(display, give);
}

/// Gives a message as it is stored, a piece at a time: nothing is decoded, and nothing hidden.
pub(crate) fn stored(number: usize, bytes: &[u8], display: &Display, give: &mut dyn FnMut(&str)) {
    give(&format!("Message {number}:\n"));
    // The empty line before the next message is the mailbox's.
    let bytes = if bytes.ends_with(b"\n\n") {
        &bytes[..bytes.len() - 1]
    } else {
        bytes
    };
    give_undecoded(bytes, give);
    end(display, give);
}

/// Gives a part of a message as `print` shows it, a piece at a time; or its content, decoded but not
/// laid out.
pub(crate) fn part(
    name: &str,
    part: &Part<'_>,
    laid_out: bool,
    display: &Display,
    give: &mut dyn FnMut(&str),
) {
    give(&format!("Part {name}:\n"));
    if laid_out {
        each_of_part(part, display.look, &mut |text| {
            give(&sanitize::decoded(text));
        });
    } else if part.media_type.starts_with("text/") {
        part.each_text(&mut |text| give(&sanitize::decoded(text)));
    } else {
        give_undecoded(&part.decoded(), give);
    }
    end(display, give);
}

/// Gives bytes that may be anything, made safe, a piece at a time.
fn give_undecoded(bytes: &[u8], give: &mut dyn FnMut(&str)) {
    // Pieces end with a line, so that no character is cut in two.
    let mut rest = bytes;
    while !rest.is_empty() {
        let most = rest.len().min(PIECE);
        let end = match memchr::memrchr(b'\n', &rest[..most]) {
            Some(end) => end + 1,
            None => most,
        };
        let (piece, after) = rest.split_at(end);
        // A line end of CRLF is one of the mailbox, and no character to be shown.
        give(&sanitize::text(piece).replace("\u{240d}\n", "\n"));
        rest = after;
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        give("\n");
    }
}

/// Ends what is shown of a message.
fn end(display: &Display, give: &mut dyn FnMut(&str)) {
    give("\n");
    if display.page {
        give("\u{c}");
    }
}
