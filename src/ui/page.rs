//! Messages as `print` shows them.

use super::Display;
use crate::message::parse::display::{self, FieldChoice};
use crate::sanitize;

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
    let choice = if all {
        FieldChoice::All
    } else {
        FieldChoice::Lists {
            retain: &display.retain,
            ignore: &display.ignore,
        }
    };
    match number {
        Some(number) => give(&format!("Message {number}:\n")),
        None => give("Last message:\n"),
    }
    display::each_of_message(bytes, choice, &mut |text| {
        give(&sanitize::text(text.as_bytes()));
    });
    give("\n");
    if display.page {
        give("\u{c}");
    }
}
