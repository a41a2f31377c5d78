//! Header lines in another layout than bsd-mailx's.

use std::borrow::Cow;

use super::column::{HeadlineFacts, column, tree, width_of};
use super::summary::Summary;
use crate::config::colours::Meaning;
use crate::config::headline::{Column, Item, What};
use crate::ui::Display;

/// Appends a header line without its line end.
pub(super) fn append(
    out: &mut String,
    facts: HeadlineFacts,
    summary: &Summary<'_>,
    items: &[Item],
    display: &Display,
) {
    let texts: Vec<Option<Cow<'_, str>>> = items
        .iter()
        .map(|item| match item {
            Item::Text(text) => Some(Cow::Borrowed(&**text)),
            Item::Column(column) if is_flexible(column) => None,
            Item::Column(column) => Some(Cow::Owned(filled(column, facts, summary, display))),
        })
        .collect();
    let used: usize = texts.iter().flatten().map(|text| width_of(text)).sum();
    let mut left = display.edge.saturating_sub(used);
    let is_flexible = |item: &&Item| matches!(item, Item::Column(column) if is_flexible(column));
    let mut flexible = items.iter().filter(is_flexible).count();
    let mut room = display.edge;
    for (item, text) in items.iter().zip(&texts) {
        let start = out.len();
        match (item, text) {
            (_, Some(text)) => column(out, text, room, false),
            (Item::Column(wanted), None) => {
                let text = what(wanted.what, facts, summary, display);
                // Several of them share what is left; the last one gets the rest.
                let share = if flexible > 1 { left / flexible } else { left };
                let is_last = std::ptr::eq(item, &items[items.len() - 1]);
                column(out, &text, share.min(room), !is_last && share <= 1000);
                flexible -= 1;
                left = left.saturating_sub(width_of(&out[start..]));
            }
            (Item::Text(_), None) => {}
        }
        room = room.saturating_sub(width_of(&out[start..]));
        // Colours come last: they take no room.
        if let Item::Column(Column {
            what: What::Mark | What::MarkBehind,
            ..
        }) = item
            && facts.current
        {
            let mark = out.split_off(start);
            display.paint(out, Meaning::Current, &mark);
        }
    }
}

/// Returns whether a column takes what the others leave.
fn is_flexible(column: &Column) -> bool {
    column.width.is_none() && matches!(column.what, What::Subject | What::QuotedSubject)
}

/// Returns the text of a column, cut and filled.
fn filled(
    wanted: &Column,
    facts: HeadlineFacts,
    summary: &Summary<'_>,
    display: &Display,
) -> String {
    let text = what(wanted.what, facts, summary, display);
    let width = match (wanted.what, wanted.width) {
        (What::Number, width) => Some(width.unwrap_or(0).max(display.number_width)),
        // The names get a quarter of the line.
        (What::Sender | What::Recipient, None) => Some((display.columns / 4).clamp(8, 28)),
        (_, width) => width,
    };
    let Some(width) = width else {
        return text.into_owned();
    };
    let is_number = matches!(
        wanted.what,
        What::Number | What::Lines | What::Size | What::ShortSize | What::Depth
    );
    let mut out = String::new();
    // A number that is cut would be another number.
    let shown = if is_number { usize::MAX } else { width };
    column(&mut out, &text, shown, false);
    let blanks = " ".repeat(width.saturating_sub(width_of(&out)));
    if wanted.is_left {
        out.push_str(&blanks)
    } else {
        out.insert_str(0, &blanks)
    }
    out
}

/// Returns what a column shows, safe.
fn what<'a>(
    what: What,
    facts: HeadlineFacts,
    summary: &Summary<'a>,
    display: &Display,
) -> Cow<'a, str> {
    let mark = |mark: &'static str| if facts.current { mark } else { " " };
    match what {
        What::Mark => mark(">").into(),
        What::MarkBehind => mark("<").into(),
        What::Attribute => display.attribute(facts.letter).to_string().into(),
        What::Date => summary.date(display),
        What::Depth => facts.depth.to_string().into(),
        What::Sender => summary.person(display, display.names),
        What::Tree => tree(facts.depth).into(),
        What::Lines => facts.lines.to_string().into(),
        What::Number => facts.number.to_string().into(),
        What::Size => facts.size.to_string().into(),
        What::ShortSize => short(facts.size).into(),
        What::QuotedSubject => format!("\"{}\"", summary.subject_text()).into(),
        What::Subject => summary.subject_text(),
        What::Recipient => summary.recipient(display),
        What::Unknown(text) => text.into(),
    }
}

/// Returns a size in at most four characters: `999`, `1.2k`, `34k`, `5.6M`.
fn short(bytes: u64) -> String {
    let mut unit = 1_u64;
    for sign in ["", "k", "M", "G", "T"] {
        // Rounded up, so that the number never says less than there is.
        let tenths = bytes.saturating_mul(10).div_ceil(unit);
        match sign {
            "" if bytes < 1000 => return bytes.to_string(),
            "" => {}
            _ if tenths < 100 => return format!("{}.{}{sign}", tenths / 10, tenths % 10),
            _ if tenths.div_ceil(10) < 1000 => return format!("{}{sign}", tenths.div_ceil(10)),
            _ => {}
        }
        unit *= 1024;
    }
    "huge".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::headline::Layout;
    use crate::ui::dates::Dates;

    const FACTS: HeadlineFacts = HeadlineFacts {
        number: 1,
        letter: 'N',
        current: true,
        lines: 13,
        size: 337,
        depth: 0,
    };

    const BLOCK: &str = "From alice@example.org Mon Nov 16 09:00:00 2026\n\
        From: Alice Example <alice@example.org>\nTo: Root <root@example.org>\n\
        Date: Mon, 16 Nov 2026 09:00:00 +0000\nSubject: Disk almost full\n";

    fn line(format: &str, facts: HeadlineFacts, block: &str, display: &Display) -> String {
        let display = Display {
            dates: Dates {
                is_sent: format != "bsd",
                format: Some("%F".to_owned()),
                ..Dates::default()
            },
            layout: Layout::parse(format).unwrap(),
            names: true,
            ..display.clone()
        };
        let mut out = String::new();
        crate::ui::headline::append(&mut out, facts, block.as_bytes(), &display);
        out
    }

    #[test]
    fn every_letter_shows_its_part() {
        for (format, expected) in [
            (
                "postrider",
                ">N  1 Alice Example        2026-11-16   337 Disk almost full\n",
            ),
            (
                "s-nail",
                ">N  1 Alice Example            2026-11-16   13/337   Disk almost full\n",
            ),
            (
                "bsd",
                ">N  1 Alice Example      Mon Nov 16 09:00   13/337   Disk almost full\n",
            ),
            (
                "%m%%%-4l|%4o|%S%<",
                "  1%13  | 337|\"Disk almost full\"                                               <\n",
            ),
            ("%T %L%U %e%i%5s", "                Root  0 0Disk\n"),
            ("%.", ""),
        ] {
            if Layout::parse(format).is_some() {
                assert_eq!(
                    line(format, FACTS, BLOCK, &Display::default()),
                    expected,
                    "{format}"
                );
            } else {
                assert_eq!(expected, "", "{format}");
            }
        }
    }

    #[test]
    fn a_line_is_never_wider_than_the_screen() {
        let display = Display {
            columns: 30,
            edge: 30,
            ..Display::default()
        };
        let wide = BLOCK
            .replace("Disk", "日本語日本語日本語日本語")
            .replace("Alice Example", "日本語日本語日本語");
        for format in ["postrider", "s-nail", "%s%f%s", "%-40f|%s", "%s %d"] {
            let line = line(format, FACTS, &wide, &display);
            assert!(width_of(line.trim_end()) <= 30, "{format}: {line}");
        }
        let edge = Display {
            edge: usize::MAX,
            ..Display::default()
        };
        assert!(line("%s|", FACTS, BLOCK, &edge).starts_with("Disk almost full|"));
    }

    #[test]
    fn depth_is_a_picture_and_numbers_are_not_cut() {
        let facts = HeadlineFacts {
            number: 123_456,
            depth: 2,
            ..FACTS
        };
        let display = Display::default();
        assert_eq!(
            line("%3m%i%s", facts, BLOCK, &display),
            "123456  -> Disk almost full\n"
        );
        let deep = HeadlineFacts {
            depth: 1_000_000,
            ..FACTS
        };
        assert!(line("%i%s", deep, BLOCK, &display).contains("-> Disk"));
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, shown) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.0k"),
            (1024, "1.0k"),
            (1025, "1.1k"),
            (10_137, "9.9k"),
            (10_200, "10k"),
            (1_000_000, "977k"),
            (1_023_000, "1.0M"),
            (5 << 30, "5.0G"),
            (u64::MAX, "huge"),
        ] {
            assert_eq!(short(bytes), shown, "{bytes}");
            assert!(shown.len() <= 4);
        }
    }
}
