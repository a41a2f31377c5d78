//! Colours: what a person looks for is seen at a glance.
//!
//! Sequences are added to text that is safe already, so none of them comes from a mail. What is
//! coloured is in the table of `config::colours`.

use super::Display;
use crate::config::colours::{Meaning, Palette};
use crate::config::{Environment, Settings};

/// The sequence that ends a look.
const END: &str = "\x1b[0m";

/// The most of a line that is held until its end is known, in bytes.
const LONGEST: usize = 4096;

/// Returns the colours for a terminal: none if `NO_COLOR`, a dumb terminal or `nocolour` says so.
pub(crate) fn palette_of(settings: &Settings, environment: &Environment) -> Palette {
    let chosen = settings.get("colour");
    // A terminal without sequences shows them as text, whatever was asked for.
    let is_off = environment.is_dumb
        || settings.is_unset("colour")
        || (environment.no_color && chosen.is_none());
    if is_off {
        Palette::default()
    } else {
        Palette::parse(chosen.unwrap_or_default()).unwrap_or_default()
    }
}

impl Display {
    /// Appends text in the look of its meaning.
    pub(crate) fn paint(&self, out: &mut String, meaning: Meaning, text: &str) {
        paint(&self.palette, out, meaning, text);
    }

    /// Gives what was appended since `start` the look of its meaning; what has a look of its own
    /// within it keeps that.
    pub(crate) fn paint_line(&self, out: &mut String, start: usize, meaning: Meaning) {
        let look = self.palette.start(meaning);
        if !look.is_empty() {
            let line = out.split_off(start).replace(END, &format!("{END}{look}"));
            self.paint(out, meaning, &line);
        }
    }
}

fn paint(palette: &Palette, out: &mut String, meaning: Meaning, text: &str) {
    let look = palette.start(meaning);
    if look.is_empty() || text.is_empty() {
        out.push_str(text);
    } else {
        out.extend([look, text, END]);
    }
}

/// Colours the text of one message, which comes in pieces.
pub(crate) struct Painter<'p> {
    palette: &'p Palette,
    /// The beginning of a line whose end has not come yet.
    held: String,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first header field: the number of the message, the From_ line.
    Start,
    /// In the header; whether in the Subject field.
    Header(bool),
    Body,
    /// In a line that is too long to be held.
    Long,
}

impl<'p> Painter<'p> {
    pub(crate) fn new(palette: &'p Palette) -> Painter<'p> {
        Painter {
            palette,
            held: String::new(),
            place: Place::Start,
        }
    }

    /// Gives a piece, coloured, as far as its lines are complete.
    pub(crate) fn paint(&mut self, piece: &str, give: &mut dyn FnMut(&str)) {
        if !self.palette.is_on() {
            return give(piece);
        }
        let mut out = String::new();
        for line in piece.split_inclusive('\n') {
            if self.held.is_empty() && line.ends_with('\n') && self.place != Place::Long {
                self.line(&mut out, line);
                continue;
            }
            self.held.push_str(line);
            let held = match self.place {
                // The rest of a long line is no beginning of a line.
                Place::Long if !line.ends_with('\n') => {
                    out.push_str(&self.held);
                    self.held.clear();
                    continue;
                }
                Place::Long => {
                    self.place = Place::Body;
                    out.push_str(&self.held);
                    self.held.clear();
                    continue;
                }
                _ if line.ends_with('\n') => std::mem::take(&mut self.held),
                _ if self.held.len() > LONGEST => {
                    self.place = Place::Long;
                    std::mem::take(&mut self.held)
                }
                _ => continue,
            };
            match self.place {
                Place::Long => out.push_str(&held),
                _ => self.line(&mut out, &held),
            }
        }
        give(&out);
    }

    /// Gives what is left when the message has ended.
    pub(crate) fn end(mut self, give: &mut dyn FnMut(&str)) {
        let held = std::mem::take(&mut self.held);
        let mut out = String::new();
        self.line(&mut out, &held);
        give(&out);
    }

    fn line(&mut self, out: &mut String, line: &str) {
        let text = line.strip_suffix('\n').unwrap_or(line);
        let end = &line[text.len()..];
        if self.place == Place::Body {
            self.body(out, text);
        } else if text.is_empty() {
            self.place = Place::Body;
        } else {
            self.header(out, text);
        }
        out.push_str(end);
    }

    fn header(&mut self, out: &mut String, text: &str) {
        let is_subject = match field_name(text) {
            Some(name) => {
                let (name, body) = text.split_at(name);
                // The blank belongs to the name, so that the two are found together.
                let blank = body.len() - body.trim_start_matches(' ').len();
                let (blank, body) = body.split_at(blank);
                paint(self.palette, out, Meaning::Field, &format!("{name}{blank}"));
                let is_subject = name.eq_ignore_ascii_case("subject:");
                self.place = Place::Header(is_subject);
                return if is_subject {
                    paint(self.palette, out, Meaning::Subject, body)
                } else {
                    out.push_str(body)
                };
            }
            None => self.place == Place::Header(true),
        };
        if is_subject && text.starts_with([' ', '\t']) {
            paint(self.palette, out, Meaning::Subject, text)
        } else {
            out.push_str(text)
        }
    }

    fn body(&mut self, out: &mut String, text: &str) {
        let meaning = match depth_of_quote(text) {
            0 => return self.links(out, text),
            1 => Meaning::Quote,
            _ => Meaning::DeepQuote,
        };
        paint(self.palette, out, meaning, text);
    }

    fn links(&mut self, out: &mut String, mut text: &str) {
        while let Some((start, end)) = link(text) {
            out.push_str(&text[..start]);
            paint(self.palette, out, Meaning::Link, &text[start..end]);
            text = &text[end..];
        }
        out.push_str(text);
    }
}

/// Returns where the name of a header field ends, colon included.
fn field_name(line: &str) -> Option<usize> {
    let colon = memchr::memchr(b':', line.as_bytes())?;
    let is_name = |byte: &u8| matches!(byte, b'!'..=b'~');
    (colon > 0 && line.as_bytes()[..colon].iter().all(is_name)).then_some(colon + 1)
}

/// Counts the marks of quoted text at the beginning of a line: `> > `.
fn depth_of_quote(line: &str) -> usize {
    let mut depth = 0;
    for c in line.chars() {
        match c {
            '>' => depth += 1,
            ' ' if depth > 0 => {}
            _ => break,
        }
    }
    depth
}

/// Finds the first link.
fn link(text: &str) -> Option<(usize, usize)> {
    const SCHEMES: [&str; 4] = ["https://", "http://", "ftp://", "mailto:"];
    let mut from = 0;
    // Every link has a colon; a line without one is left at once.
    while let Some(colon) = memchr::memchr(b':', &text.as_bytes()[from..]) {
        let colon = from + colon;
        from = colon + 1;
        for scheme in SCHEMES {
            let name = scheme.trim_end_matches(['/', ':']).len();
            let start = colon.checked_sub(name);
            let Some(start) = start.filter(|start| text.is_char_boundary(*start)) else {
                continue;
            };
            let before = text[..start].chars().next_back();
            if !text[start..].starts_with(scheme)
                || before.is_some_and(|c| c.is_ascii_alphanumeric())
            {
                continue;
            }
            let is_end = |c: char| c.is_whitespace() || "<>\"\u{60}".contains(c);
            let end = text[start..]
                .find(is_end)
                .map_or(text.len(), |at| start + at);
            // What ends a sentence is no part of a link.
            let link =
                text[start..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
            if link.len() > scheme.len() {
                return Some((start, start + link.len()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(pieces: &[&str]) -> String {
        let palette =
            Palette::parse("field=red,subject=green,quote=yellow,quote2=blue,link=magenta")
                .unwrap();
        let mut out = String::new();
        let mut painter = Painter::new(&palette);
        for piece in pieces {
            painter.paint(piece, &mut |text| out.push_str(text));
        }
        painter.end(&mut |text| out.push_str(text));
        let names = [
            ("31", "{f "),
            ("32", "{s "),
            ("33", "{q "),
            ("34", "{qq "),
            ("35", "{l "),
        ];
        for (number, name) in names {
            out = out.replace(&format!("\x1b[{number}m"), name);
        }
        out.replace(END, "}")
    }

    const MESSAGE: &str = "Message 1:\nFrom a@b Mon Nov 16 09:00:00 2026\nFrom: a@b\n\
        Subject: one\n two: three\n\nSubject: no\n> once\n>> twice\n> > twice\n\
        see https://x.org/a?b=c, (http://y.org).\nhttp:// xhttp://z é:\nend";

    const EXPECTED: &str = "Message 1:\nFrom a@b Mon Nov 16 09:00:00 2026\n{f From: }a@b\n\
        {f Subject: }{s one}\n{s  two: three}\n\nSubject: no\n{q > once}\n{qq >> twice}\n{qq > > twice}\n\
        see {l https://x.org/a?b=c}, ({l http://y.org}).\nhttp:// xhttp://z é:\nend";

    #[test]
    fn a_message_is_coloured_whatever_its_pieces() {
        assert_eq!(painted(&[MESSAGE]), EXPECTED);
        for at in (0..MESSAGE.len()).filter(|at| MESSAGE.is_char_boundary(*at)) {
            let (first, second) = MESSAGE.split_at(at);
            assert_eq!(painted(&[first, second]), EXPECTED, "{at}");
        }
    }

    #[test]
    fn a_line_of_megabytes_is_not_held() {
        let long = "x ".repeat(1 << 20);
        let pieces = ["A: b\n\n", &long, &long, "> no\n> yes\n"];
        let shown = painted(&pieces);
        assert!(
            shown.ends_with("> no\n{q > yes}\n"),
            "{}",
            &shown[shown.len() - 40..]
        );
        let plain = shown.replace("{f ", "").replace("{q ", "").replace('}', "");
        assert_eq!(plain, pieces.concat());
    }

    #[test]
    fn what_is_within_a_line_keeps_its_look() {
        let display = Display {
            palette: Palette::parse("new=bold,current=red").unwrap(),
            ..Display::default()
        };
        let mut out = "before ".to_owned();
        display.paint(&mut out, Meaning::Current, ">");
        out.push_str("rest");
        display.paint_line(&mut out, 7, Meaning::New);
        assert_eq!(out, "before \x1b[1m\x1b[31m>\x1b[0m\x1b[1mrest\x1b[0m");
    }
}
