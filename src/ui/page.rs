//! Messages as `print` shows them, and the way of long text to the pager.

use super::{ReaderSettings, Screen};
use crate::message::parse::display::{self, FieldChoice};
use crate::sanitize;

/// Gives a message as `print` shows it, a piece at a time: its number, its From_ line, header
/// fields, text.
///
/// Without a number it is the last message, which was found without counting the others.
/// `bytes` is the message as it stands in the mbox; `all` shows hidden header fields too.
pub fn each(
    number: Option<usize>,
    bytes: Vec<u8>,
    all: bool,
    settings: &ReaderSettings<'_>,
    give: &mut dyn FnMut(&str),
) {
    let choice = if all {
        FieldChoice::All
    } else {
        FieldChoice::Lists {
            retain: &settings.retain,
            ignore: &settings.ignore,
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
    if settings.page {
        give("\u{c}");
    }
}

/// Returns whether text may be too long for the screen, and is to be gathered for the pager.
pub fn may_page(settings: &ReaderSettings<'_>) -> bool {
    settings.stdout_is_terminal && settings.crt.is_some() && settings.pager.is_some()
}

/// Shows text that is safe already; through the pager if it is longer than `crt` on a terminal.
pub fn show(screen: &mut Screen<'_>, text: &str, settings: &mut ReaderSettings<'_>) {
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let long = settings.stdout_is_terminal && settings.crt.is_some_and(|crt| lines > crt);
    match settings.pager.as_mut().filter(|_| long) {
        Some(pager) => {
            screen.flush();
            if let Err(error) = pager(text.as_bytes()) {
                screen.complain(&format!("cannot run the pager: {error}"));
                screen.raw(text.as_bytes());
            }
        }
        None => screen.raw(text.as_bytes()),
    }
}
