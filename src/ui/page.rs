//! Messages as `print` shows them, and the way of long text to the pager.

use super::{ReaderSettings, Screen};
use crate::message::parse::display::{self, FieldChoice};
use crate::sanitize;

/// Appends a message as `print` shows it: its number, its From_ line, header fields, text.
///
/// Without a number it is the last message, which was found without counting the others.
/// `bytes` is the message as it stands in the mbox; `all` shows hidden header fields too.
pub fn append(
    out: &mut String,
    number: Option<usize>,
    bytes: &[u8],
    all: bool,
    settings: &ReaderSettings<'_>,
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
        Some(number) => out.push_str(&format!("Message {number}:\n")),
        None => out.push_str("Last message:\n"),
    }
    out.push_str(&sanitize::text(display::message(bytes, choice).as_bytes()));
    out.push('\n');
    if settings.page {
        out.push('\u{c}');
    }
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
