//! The format of header lines (`headline`): a name, or text with s-nail's letters.

use chrono::format;

/// How a header line is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// bsd-mailx's columns, which scripts parse.
    Bsd,
    /// Items one behind the other.
    Items(Vec<Item>),
}

/// One item of a header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Text as it is.
    Text(String),
    /// Something of the message, in a column.
    Column(Column),
}

/// A column of a header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// What it shows.
    pub(crate) what: What,
    /// How wide it is; `None`: as wide as it must be, or what is left of the line.
    pub(crate) width: Option<usize>,
    /// Whether it begins at its left edge.
    pub(crate) is_left: bool,
}

/// What a column shows, with its letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// `%>`: `>` for the current message, else a blank.
    Mark,
    /// `%<`: `<` for the current message, else a blank.
    MarkBehind,
    /// `%a`: the flag letter.
    Attribute,
    /// `%d`: the date.
    Date,
    /// `%e`: how deep it is in its thread, as a number.
    Depth,
    /// `%f`: the sender.
    Sender,
    /// `%i`: how deep it is in its thread, as a picture.
    Tree,
    /// `%l`: lines.
    Lines,
    /// `%m` and `%t`: the number.
    Number,
    /// `%o`: bytes.
    Size,
    /// `%z`: the size in a short form, such as `12k`.
    ShortSize,
    /// `%S`: the subject in double quotes.
    QuotedSubject,
    /// `%s`: the subject.
    Subject,
    /// `%T`: the first recipient in the To field.
    Recipient,
    /// `%L`, `%U`, `%$`: what only other programs know: nothing, 0.
    Unknown(&'static str),
}

/// The widest column that a format may ask for: no screen is wider.
const WIDEST: usize = 1000;

/// s-nail's own layout.
const S_NAIL: &str = "%>%a%m %-18f %16d %4l/%-5o %i%-s";

/// The layout for people: short dates and sizes leave more room for the subject.
const POSTRIDER: &str = "%>%a%3m %-f %-11d %4z %i%s";

impl Layout {
    /// Reads the value of `headline`; `None` for a letter that is unknown.
    pub(crate) fn parse(value: &str) -> Option<Layout> {
        match value.trim() {
            "bsd" | "bsd-mailx" => Some(Layout::Bsd),
            "s-nail" | "nail" => items(S_NAIL),
            "postrider" => items(POSTRIDER),
            _ => items(value),
        }
        .filter(|layout| *layout != Layout::Items(Vec::new()))
    }

    /// Returns the layout for people at a terminal.
    pub(crate) fn for_people() -> Layout {
        items(POSTRIDER).unwrap_or(Layout::Bsd)
    }
}

fn items(format: &str) -> Option<Layout> {
    let mut items = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            // Only what takes one place in a line may stand in it.
            text.push(if c.is_control() { ' ' } else { c });
            continue;
        }
        let is_left = rest.next_if_eq(&'-').is_some();
        let mut width = None;
        while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
            rest.next();
            let so_far = width.unwrap_or(0_usize) * 10 + digit as usize;
            width = Some(so_far.min(WIDEST));
        }
        let what = match rest.next()? {
            '%' => {
                text.push('%');
                continue;
            }
            '>' => What::Mark,
            '<' => What::MarkBehind,
            'a' => What::Attribute,
            'd' => What::Date,
            'e' => What::Depth,
            'f' => What::Sender,
            'i' => What::Tree,
            'l' => What::Lines,
            'm' | 't' => What::Number,
            'o' => What::Size,
            'z' => What::ShortSize,
            'S' => What::QuotedSubject,
            's' => What::Subject,
            'T' => What::Recipient,
            'L' => What::Unknown(" "),
            'U' | '$' => What::Unknown("0"),
            _ => return None,
        };
        if !text.is_empty() {
            items.push(Item::Text(std::mem::take(&mut text)));
        }
        // A width of 0 is no width.
        let width = width.filter(|width| *width > 0);
        items.push(Item::Column(Column {
            what,
            width,
            is_left,
        }));
    }
    if !text.is_empty() {
        items.push(Item::Text(text));
    }
    Some(Layout::Items(items))
}

/// Returns a format if every letter of it has a meaning; text within it is one line.
pub(crate) fn date_format(text: &str) -> Option<String> {
    let is_known = format::StrftimeItems::new(text).all(|item| item != format::Item::Error);
    // Formatting fails where a letter is unknown.
    (is_known && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_of_dates_has_letters_that_are_known() {
        for right in ["%Y-%m-%d %H:%M", "", "plain", "%e. %b"] {
            assert_eq!(date_format(right).as_deref(), Some(right));
        }
        for wrong in ["%", "%!", "%Q", "\x1b[1m%d", "a\nb"] {
            assert_eq!(date_format(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_format_has_text_and_columns() {
        let column = |what, width, is_left| {
            Item::Column(Column {
                what,
                width,
                is_left,
            })
        };
        let expected = vec![
            column(What::Mark, None, false),
            column(What::Number, Some(4), false),
            Item::Text(" 100% ".to_owned()),
            column(What::Sender, Some(18), true),
            column(What::Subject, None, false),
            Item::Text("!".to_owned()),
        ];
        let parsed = Layout::parse("%>%4m\t100%% %-18f%s!");
        assert_eq!(parsed, Some(Layout::Items(expected)));
        for name in ["bsd", "s-nail", "postrider"] {
            assert!(Layout::parse(name).is_some(), "{name}");
        }
        for wrong in ["", "%", "%5", "%-", "%q", "%s%q"] {
            assert_eq!(Layout::parse(wrong), None, "{wrong:?}");
        }
        let wide = Layout::parse("%99999999999999999999999f");
        let expected = vec![column(What::Sender, Some(WIDEST), false)];
        assert_eq!(wide, Some(Layout::Items(expected)));
    }
}
