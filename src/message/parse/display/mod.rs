//! A message as lines for people: header fields decoded, text shown, other parts listed.
//!
//! The result is text, not yet safe for a terminal: the caller passes it
//! through `sanitize`. Which fields are shown is the caller's choice. The
//! quoting of an mbox is undone before: here nothing is known of mailboxes.

mod calendar;
mod fill;
mod flowed;
mod header;
mod look;
mod output;
mod parts;

#[cfg(test)]
mod tests;

use super::structure::structure_and_fields;
use super::{Part, fields, structure};
use crate::charset;
use header::{Chosen, header};
pub use header::{FieldChoice, IGNORED};
pub use look::Look;
use output::TextOutput;
use parts::{PartsWriter, attachments, charset_of};

/// Hands a message as text to `emit`, a piece at a time: From_ line, if there is one, chosen header
/// fields, a line that names the attachments, an empty line, its parts.
///
/// The quoting of an mbox was undone: the mailbox quoted the finished message, so it comes off
/// before MIME is decoded.
pub fn each_of_message(
    message: &[u8],
    choice: FieldChoice<'_>,
    look: Look,
    emit: &mut dyn FnMut(&str),
) {
    let (from_line, rest) = fields::split_from_line(message);
    let mut out = TextOutput::new(emit);
    if let Some(line) = from_line {
        out.push(&charset::decode_text(line));
        out.push("\n");
    }
    let mut chosen = Chosen::new(choice);
    let found = structure_and_fields(rest, &mut |field| chosen.see(field));
    header(&mut out, found.header, chosen, charset_of(&found.parts));
    attachments(&mut out, &found.parts);
    out.push("\n");
    body(&mut out, &found, look);
}

/// Hands the text of a message to `emit`, its parts listed; `message` begins with its header block.
pub fn each_of_text(message: &[u8], look: Look, emit: &mut dyn FnMut(&str)) {
    body(&mut TextOutput::new(emit), &structure(message), look);
}

/// Hands one part of a message to `emit`: its text whatever the sender wanted, parts within it, or a
/// line that says what it is.
pub fn each_of_part(part: &Part<'_>, look: Look, emit: &mut dyn FnMut(&str)) {
    let mut out = TextOutput::new(emit);
    PartsWriter::new(&mut out, look).show_asked(part);
    out.finish();
}

/// Returns the text of a message, its parts listed; `message` begins with its header block.
pub fn text(message: &[u8], look: Look) -> String {
    let mut text = String::new();
    each_of_text(message, look, &mut |piece| text.push_str(piece));
    text
}

fn body(out: &mut TextOutput<'_>, found: &super::part::Structure<'_>, look: Look) {
    let mut parts = PartsWriter::new(out, look);
    for part in &found.parts {
        parts.show(part);
    }
    if let Some(rest) = &found.rest {
        out.separate();
        out.push("[-- too many parts: the rest is shown undecoded --]\n");
        charset::each_in_charset(rest, None, &mut |text| out.push(text));
    }
    out.finish();
}
