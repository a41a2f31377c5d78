//! The parts of a message on the screen: texts are shown, all others told in a line.

use std::collections::HashMap;

use super::calendar;
use super::flowed::Lines;
use super::header::{Chosen, FieldChoice, header};
use super::look::Look;
use super::output::TextOutput;

use crate::charset::Charset;
use crate::message::parse::markup::Markup;
use crate::message::parse::part::TextFormat;
use crate::message::parse::{Content, Part, enriched, fields, html, tnef};

/// How much HTML of a part is read as HTML, in bytes: so much is kept of it.
pub(super) const MAX_HTML: usize = if cfg!(test) { 1_000_000 } else { 64_000_000 };

/// How many attachments are named below the header.
const MAX_NAMED: usize = 5;

/// The fields of a message within that are shown, whatever fields the user retains.
const FIELDS_WITHIN: [&str; 5] = ["date", "from", "to", "cc", "subject"];

/// Whether a part or one within it is a text that can be shown as one form of an alternative.
#[derive(Clone, Copy, Default)]
struct Holds {
    plain: bool,
    html: bool,
}

/// Shows parts, one after another.
pub(super) struct PartsWriter<'o, 'g> {
    out: &'o mut TextOutput<'g>,
    look: Look,
    /// What parts hold, so that each of them is looked into once however deep it is nested.
    holds: HashMap<*const (), Holds>,
    /// Whether an invitation was told: it often comes twice, as a form of the text and attached.
    has_event: bool,
}

impl<'o, 'g> PartsWriter<'o, 'g> {
    pub(super) fn new(out: &'o mut TextOutput<'g>, look: Look) -> PartsWriter<'o, 'g> {
        PartsWriter {
            out,
            look,
            holds: HashMap::new(),
            has_event: false,
        }
    }

    /// Shows a part and those within it.
    pub(super) fn show(&mut self, part: &Part<'_>) {
        match &part.content {
            Content::Multipart(parts) if part.is("multipart/alternative") => {
                let Some(best) = self.preferred(parts) else {
                    return;
                };
                self.show(&parts[best]);
                for (place, other) in parts.iter().enumerate() {
                    if place != best {
                        self.tell_other(other);
                    }
                }
            }
            Content::Multipart(parts) => parts.iter().for_each(|part| self.show(part)),
            Content::Message(block, parts) => {
                self.list(part);
                let shown = FIELDS_WITHIN.map(str::to_owned);
                let choice = FieldChoice::Lists {
                    retain: &shown,
                    ignore: &[],
                };
                let mut chosen = Chosen::new(choice);
                fields::fields(block).for_each(|field| chosen.see(field));
                header(self.out, block, chosen, charset_of(parts));
                if !parts.is_empty() {
                    self.out.separate();
                }
                parts.iter().for_each(|part| self.show(part));
            }
            Content::Leaf if is_event(part) => self.event(part),
            Content::Leaf if is_shown(part) => {
                self.out.separate();
                self.text(part);
            }
            Content::Leaf => self.list(part),
        }
    }

    /// Shows a part that somebody has asked for, which is text even if the sender wanted it saved.
    pub(super) fn show_asked(&mut self, part: &Part<'_>) {
        match part.content {
            Content::Leaf if part.media_type.starts_with("text/") && !is_event(part) => {
                self.text(part);
            }
            _ => self.show(part),
        }
    }

    /// Appends the text of a leaf.
    fn text(&mut self, part: &Part<'_>) {
        if let Some(label) = part.unknown_charset() {
            let guessed = Charset::of(&part.decoded());
            self.out.tell_unknown_charset(label, guessed);
        }
        match Markup::of(part) {
            Markup::Plain => {}
            Markup::Html => {
                if !part.is("text/html") {
                    self.out
                        .push("[-- this text is HTML, though its label does not say so --]\n");
                }
                return self.html(part);
            }
            Markup::Enriched { is_richtext } => {
                let (width, out) = (Some(self.look.width), &mut *self.out);
                let mut emit = |text: &str| out.push(text);
                return enriched::each_of_text(&part.text(), is_richtext, width, &mut emit);
            }
        }
        let embedded = part.embedded();
        if embedded.is_empty() {
            return self.plain(part);
        }
        // The text between files is a part without them; the ranges are those of the decoded text.
        let mut piece = part.clone();
        if part.encoding != Default::default() {
            piece.raw = part.decoded().into_owned().into();
            piece.encoding = Default::default();
        }
        let whole = piece.raw.clone();
        let mut from = 0;
        for (range, file) in &embedded {
            piece.raw = whole.slice(from, range.start);
            self.plain(&piece);
            self.list(file);
            from = range.end;
        }
        piece.raw = whole.slice(from, whole.len());
        if !piece.raw.trim_ascii().is_empty() {
            self.out.separate();
        }
        self.plain(&piece);
    }

    fn plain(&mut self, part: &Part<'_>) {
        let Look { width, breaks, .. } = self.look;
        let out = &mut *self.out;
        let mut emit = |text: &str| out.push(text);
        if part.format == TextFormat::Fixed && !breaks {
            return part.each_text(&mut emit);
        }
        let mut lines = Lines::new(part.format, width, breaks, &mut emit);
        part.each_text(&mut |text| lines.push(text));
        lines.finish();
    }

    /// Appends the text of HTML; after the limit the HTML is shown undecoded, below a line that says
    /// so.
    fn html(&mut self, part: &Part<'_>) {
        // HTML is read as a whole: it is collected up to the limit first.
        let mut html = String::new();
        let mut rest = false;
        let layout = html::Layout {
            width: Some(self.look.width),
            links: true,
        };
        let out = &mut *self.out;
        part.each_text(&mut |text| {
            if rest {
                return out.push(text);
            }
            let space = MAX_HTML - html.len();
            let (first, after) = text.split_at(text.floor_char_boundary(space));
            html.push_str(first);
            if !after.is_empty() {
                rest = true;
                html::each_of_text(&html, &layout, &mut |text| out.push(text));
                out.push(&format!(
                    "\n\n[-- the HTML is longer than {}: the rest is shown undecoded --]\n",
                    size(MAX_HTML)
                ));
                out.push(after);
            }
        });
        if !rest {
            html::each_of_text(&html, &layout, &mut |text| out.push(text));
        }
    }

    /// Appends an invitation in four lines.
    fn event(&mut self, part: &Part<'_>) {
        self.list(part);
        if self.has_event {
            return;
        }
        for line in calendar::summary(&part.text()) {
            self.has_event = true;
            self.out.push(&line);
            self.out.push("\n");
        }
    }

    /// Tells of a form of a text that was shown in another one.
    fn tell_other(&mut self, part: &Part<'_>) {
        match &part.content {
            Content::Multipart(parts) => parts.iter().for_each(|part| self.tell_other(part)),
            Content::Leaf if is_event(part) => self.event(part),
            // An empty form says nothing that was not shown.
            Content::Leaf if is_shown(part) && !part.has_content() => {}
            Content::Leaf if is_shown(part) => {
                self.out.separate_note();
                let size = size(part.decoded_len());
                let Part {
                    number, media_type, ..
                } = part;
                let line = format!("[-- part {number}: the same as {media_type}, {size} --]\n");
                self.out.push(&line);
            }
            _ => self.list(part),
        }
    }

    /// Appends the line that is shown instead of a part.
    pub(super) fn list(&mut self, part: &Part<'_>) {
        self.out.separate_note();
        let size = size(part.decoded_len());
        let name = match &part.file_name {
            Some(name) => format!("{}, ", in_line(name)),
            None => String::new(),
        };
        let hint = if is_tnef(part) {
            package(part)
        } else {
            String::new()
        };
        let Part {
            number, media_type, ..
        } = part;
        let line = format!("[-- part {number}: {name}{media_type}, {size}{hint} --]\n");
        self.out.push(&line);
    }

    /// Returns the place of the alternative to show: the first plain text that is not empty, else
    /// HTML, else the last, which the sender likes best (RFC 2046 section 5.1.4).
    fn preferred(&mut self, parts: &[Part<'_>]) -> Option<usize> {
        let holds: Vec<Holds> = parts.iter().map(|part| self.holds(part)).collect();
        holds
            .iter()
            .position(|holds| holds.plain)
            .or_else(|| holds.iter().position(|holds| holds.html))
            .or(parts.len().checked_sub(1))
    }

    fn holds(&mut self, part: &Part<'_>) -> Holds {
        let key = std::ptr::from_ref(part).cast();
        if let Some(&known) = self.holds.get(&key) {
            return known;
        }
        let found = match &part.content {
            Content::Leaf => {
                let (plain, html) = (part.is("text/plain"), part.is("text/html"));
                let has_content = (plain || html) && !part.attachment && part.has_content();
                Holds {
                    plain: plain && has_content,
                    html: html && has_content,
                }
            }
            Content::Multipart(parts) => parts.iter().fold(Holds::default(), |all, part| {
                let Holds { plain, html } = self.holds(part);
                Holds {
                    plain: all.plain || plain,
                    html: all.html || html,
                }
            }),
            Content::Message(..) => Holds::default(),
        };
        self.holds.insert(key, found);
        found
    }
}

/// Appends the line below a header that names the attachments, if there are any.
pub(super) fn attachments(out: &mut TextOutput<'_>, parts: &[Part<'_>]) {
    let mut names = Vec::new();
    let mut count = 0;
    each_attached(parts, &mut |part| {
        count += 1;
        if let (true, Some(name)) = (names.len() < MAX_NAMED, &part.file_name) {
            names.push(in_line(name));
        }
    });
    if count == 0 {
        return;
    }
    let what = match count {
        1 => "1 attachment".to_owned(),
        _ => format!("{count} attachments"),
    };
    let more = if names.len() < count { " ..." } else { "" };
    let names = if names.is_empty() {
        String::new()
    } else {
        format!(": {}{more}", names.join(", "))
    };
    out.push(&format!("[-- {what}{names} --]\n"));
}

/// Finds the leaves that the sender has attached.
fn each_attached<'p, 'a>(parts: &'p [Part<'a>], see: &mut dyn FnMut(&'p Part<'a>)) {
    for part in parts {
        match &part.content {
            Content::Multipart(parts) => each_attached(parts, see),
            Content::Leaf if part.attachment || (part.file_name.is_some() && !is_shown(part)) => {
                see(part);
            }
            _ => {}
        }
    }
}

/// Returns the charset that the first text names: by it 8-bit header fields are read.
pub(super) fn charset_of<'p>(parts: &'p [Part<'_>]) -> Option<&'p str> {
    parts.iter().find_map(|part| match &part.content {
        Content::Leaf if part.media_type.starts_with("text/") => part.charset.as_deref(),
        Content::Multipart(parts) => charset_of(parts),
        _ => None,
    })
}

/// Returns whether a leaf is shown as text. The machine-readable part of a delivery report is, too:
/// it holds the reason of the failure.
fn is_shown(part: &Part<'_>) -> bool {
    !part.attachment
        && (part.media_type.starts_with("text/")
            || part.is("message/delivery-status")
            || part.is("message/disposition-notification"))
}

fn is_event(part: &Part<'_>) -> bool {
    part.is("text/calendar") || part.is("application/ics")
}

fn is_tnef(part: &Part<'_>) -> bool {
    part.is("application/ms-tnef") || part.is("application/vnd.ms-tnef")
}

/// Returns what is said of a package of Outlook: the files in it.
fn package(part: &Part<'_>) -> String {
    let files = tnef::files(&part.decoded());
    let names: Vec<String> = files
        .iter()
        .map(|file| {
            let name = match file.name.as_str() {
                "" => "a file without a name",
                name => name,
            };
            format!("{}, {}", in_line(name), size(file.size))
        })
        .collect();
    match names.len() {
        0 => ", a package of Outlook's own".to_owned(),
        tnef::MAX_FILES => format!(", a package of Outlook with {} and more", names.join("; ")),
        _ => format!(", a package of Outlook with {}", names.join("; ")),
    }
}

/// Returns a name without line ends, which would begin lines of its own.
fn in_line(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

/// Returns a size as people say it, in decimal units.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} kB", (bytes + 500) / 1000),
        _ => format!("{} MB", (bytes + 500_000) / 1_000_000),
    }
}
