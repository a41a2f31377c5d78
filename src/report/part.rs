//! One part of a message.

use crate::exit::{Failure, Kind};
use crate::message::parse::{Content, Part, display, fields, structure};
use crate::ui::Screen;

/// Writes one part: its text, or with `is_raw` and for what is no text its decoded bytes.
pub(super) fn show(
    index: usize,
    bytes: &[u8],
    number: &str,
    look: display::Look,
    is_raw: bool,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let found = structure(fields::split_from_line(bytes).1);
    let part = find(&found.parts, number).ok_or_else(|| missing(index, number))?;
    let is_text =
        part.media_type.starts_with("text/") || matches!(part.content, Content::Message(..));
    if is_text && !is_raw {
        display::each_of_part(&part, look, &mut |text| screen.text(text));
    } else {
        screen.raw(&part.decoded());
    }
    Ok(())
}

/// Returns the failure that a message has no such part; `index` counts from 0.
pub(crate) fn missing(index: usize, part: &str) -> Failure {
    let number = index + 1;
    Failure::new(Kind::Nothing, format!("{number}: there is no part {part}"))
        .hint(format!("postrider show {number} --json lists the parts"))
}

/// Returns the part of this number; files within texts are parts, too.
pub(crate) fn find<'a>(parts: &[Part<'a>], number: &str) -> Option<Part<'a>> {
    for part in parts {
        if part.number == number {
            // The content of a message has the message's number where it is a multipart: the
            // message is meant.
            return Some(part.clone());
        }
        let is_on_the_way = match number.strip_prefix(&*part.number) {
            Some(rest) => part.number.is_empty() || rest.starts_with('.'),
            None => false,
        };
        if !is_on_the_way {
            continue;
        }
        let found = match &part.content {
            Content::Multipart(parts) | Content::Message(_, parts) => find(parts, number),
            Content::Leaf => {
                let mut files = part.embedded().into_iter();
                files.find_map(|(_, file)| (file.number == number).then_some(file))
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
