//! The colours of the screen (`colour`): what is coloured, and how.

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The header line of a new message.
    New,
    /// The header line of a message that was seen before and not read.
    Unread,
    /// The header line of a flagged message.
    Flagged,
    /// The header line of a deleted message.
    Deleted,
    /// The mark of the current message.
    Current,
    /// The name of a header field.
    Field,
    /// The subject of a message that is shown.
    Subject,
    /// Quoted text.
    Quote,
    /// Quoted text within quoted text.
    DeepQuote,
    /// A link.
    Link,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name, as `colour` takes it.
    pub name: &'static str,
    meaning: Meaning,
    /// The look by default.
    pub default: &'static str,
    /// What is coloured, for the manual.
    pub doc: &'static str,
}

const fn row(
    name: &'static str,
    meaning: Meaning,
    default: &'static str,
    doc: &'static str,
) -> Row {
    Row {
        name,
        meaning,
        default,
        doc,
    }
}

/// The table of meanings.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("new", Meaning::New, "bold", "the header line of a new message"),
    row("unread", Meaning::Unread, "bold", "the header line of a message that was seen before and not read"),
    row("flagged", Meaning::Flagged, "yellow", "the header line of a flagged message"),
    row("deleted", Meaning::Deleted, "dim", "the header line of a deleted message"),
    row("current", Meaning::Current, "bold green", "the mark of the current message"),
    row("field", Meaning::Field, "cyan", "the name of a header field"),
    row("subject", Meaning::Subject, "bold", "the subject of a message that is shown"),
    row("quote", Meaning::Quote, "green", "quoted text"),
    row("quote2", Meaning::DeepQuote, "magenta", "quoted text within quoted text"),
    row("link", Meaning::Link, "underline", "a link"),
];

/// The names of colours, in the order of their numbers.
const COLOURS: [&str; 8] = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
];

/// The sequences that begin the look of each meaning; empty where it is not coloured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Palette {
    starts: Vec<String>,
}

impl Palette {
    /// Reads a list such as `new=bold,quote=bright-blue`; what it does not name looks as by default.
    ///
    /// Returns `None` if a name or a look is unknown.
    pub(crate) fn parse(value: &str) -> Option<Palette> {
        let mut starts: Vec<String> = ROWS
            .iter()
            .map(|row| sequence(row.default).unwrap_or_default())
            .collect();
        for entry in value.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let (name, look) = entry.split_once('=')?;
            let at = ROWS.iter().position(|row| row.name == name.trim())?;
            starts[at] = sequence(look)?;
        }
        Some(Palette { starts })
    }

    /// Returns the sequence that begins this look; empty where nothing is coloured.
    pub(crate) fn start(&self, meaning: Meaning) -> &str {
        let at = ROWS.iter().position(|row| row.meaning == meaning);
        let start = at.and_then(|at| self.starts.get(at));
        start.map_or("", String::as_str)
    }

    /// Returns whether anything is coloured.
    pub(crate) fn is_on(&self) -> bool {
        !self.starts.is_empty()
    }
}

/// Returns the sequence (ECMA-48, SGR) of a look such as `bold red`; `none` has none.
fn sequence(look: &str) -> Option<String> {
    let mut numbers = Vec::new();
    for word in look.split_ascii_whitespace() {
        let word = word.to_ascii_lowercase();
        let number = match &*word {
            "none" | "default" => continue,
            "bold" => 1,
            "dim" => 2,
            "italic" => 3,
            "underline" => 4,
            "reverse" => 7,
            _ => {
                let (base, name) = match word.strip_prefix("bright-") {
                    Some(name) => (90, name),
                    None => (30, &*word),
                };
                base + COLOURS.iter().position(|colour| *colour == name)?
            }
        };
        numbers.push(number.to_string());
    }
    if numbers.is_empty() {
        Some(String::new())
    } else {
        Some(format!("\x1b[{}m", numbers.join(";")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_made_of_names() {
        let palette = Palette::parse("new=Bold bright-red, quote=none").unwrap();
        assert_eq!(palette.start(Meaning::New), "\x1b[1;91m");
        assert_eq!(palette.start(Meaning::Quote), "");
        assert_eq!(palette.start(Meaning::Link), "\x1b[4m");
        assert_eq!(Palette::default().start(Meaning::New), "");
        for wrong in ["new", "new=pink", "gnu=bold", "new=\x1b[1m", "x"] {
            assert_eq!(Palette::parse(wrong), None, "{wrong}");
        }
        for row in ROWS {
            assert!(sequence(row.default).is_some(), "{}", row.name);
        }
    }
}
