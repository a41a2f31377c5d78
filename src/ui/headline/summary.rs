//! The parts of a header block that header lines are made of.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use memchr::{memchr, memchr_iter};

use crate::message::parse::{FieldText, date, fields, words};
use crate::sanitize;
use crate::ui::Display;

/// How long the usual date at the end of a From_ line is: `Mon Nov 16 09:00:00 2026` and a line
/// end.
const USUAL_DATE: usize = 25;

/// How long a date is shown: `Mon Nov 16 09:00`.
const DATE_WIDTH: usize = 16;

/// The fields of a header block that a header line is made of, undecoded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summary<'a> {
    from_line: Option<&'a [u8]>,
    block: &'a [u8],
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    /// The Subject field.
    pub(super) subject: Option<&'a [u8]>,
}

impl<'a> Summary<'a> {
    /// Finds the fields in one pass, the recipients only if asked; the first of each counts.
    pub(super) fn of(block: &'a [u8], with_to: bool) -> Summary<'a> {
        let (from_line, block) = fields::split_from_line(block);
        let mut summary = Summary {
            from_line,
            block,
            ..Summary::default()
        };
        let mut at = 0;
        while at < block.len() {
            // A glance at the first letter spares most lines a closer look.
            let field = match block[at] {
                b'F' | b'f' if summary.from.is_none() => Some((&mut summary.from, "from")),
                b'T' | b't' if with_to && summary.to.is_none() => Some((&mut summary.to, "to")),
                b'S' | b's' if summary.subject.is_none() => Some((&mut summary.subject, "subject")),
                _ => None,
            };
            if let Some((found, name)) = field
                // The field must be this very line: the iterator passes over old From_ lines, and
                // over thousands of them once for each.
                && fields::field_name_len(&block[at..]).is_some()
                && let Some(first) = fields::fields(&block[at..]).next()
                && first.is(name)
            {
                *found = Some(first.body);
                let complete = summary.to.is_some() || !with_to;
                if complete && summary.from.is_some() && summary.subject.is_some() {
                    break;
                }
            }
            at = memchr(b'\n', &block[at..]).map_or(block.len(), |length| at + length + 1);
        }
        summary
    }

    /// Returns the sender, or the recipient of a message that the user has sent (`showto`).
    pub(super) fn person(&self, display: &Display, names: bool) -> Cow<'a, str> {
        if display.showto
            && let Some(to) = self.to
            && self.is_from(&display.own_addresses)
        {
            return shown(self.block, to, names);
        }
        match self.from {
            Some(from) => shown(self.block, from, names),
            None => self.envelope_sender(),
        }
    }

    /// Returns whether one of these addresses is the sender.
    fn is_from(&self, addresses: &[String]) -> bool {
        let sender = match self.from {
            Some(from) => shown(self.block, from, false),
            None => self.envelope_sender(),
        };
        addresses
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&sender))
    }

    /// Returns the sender that the From_ line names.
    fn envelope_sender(&self) -> Cow<'a, str> {
        let line = self.from_line.unwrap_or_default();
        let sender = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        text_of(b"", sender)
    }

    /// Returns the date of the From_ line in `ctime`'s form, else that of the Date field so.
    pub(super) fn arrival(&self, display: &Display) -> Cow<'a, str> {
        if let Some(date) = self.from_line.and_then(ctime) {
            return Cow::Borrowed(date);
        }
        let sent = self.sent(display);
        sent.map(|sent| sent.format("%a %b %e %H:%M").to_string())
            .unwrap_or_default()
            .into()
    }

    /// Returns the date as `datefield` and the layout have it.
    pub(super) fn date(&self, display: &Display) -> Cow<'a, str> {
        let dates = &display.dates;
        if !dates.is_sent {
            return self.arrival(display);
        }
        // The From_ line's date looks like the others in the column.
        let arrived = || Some(date(self.from_line.and_then(ctime_on)?)?.time);
        match self.sent(display).or_else(arrived) {
            Some(time) => dates.show(time).into(),
            None => self.arrival(display),
        }
    }

    /// Returns the subject, decoded and safe.
    pub(super) fn subject_text(&self) -> Cow<'a, str> {
        self.subject
            .map(|body| text_of(self.block, body))
            .unwrap_or_default()
    }

    /// Returns the first recipient in the To field.
    pub(super) fn recipient(&self, display: &Display) -> Cow<'a, str> {
        let to = fields::find(self.block, "to");
        to.map(|to| shown(self.block, to, display.names))
            .unwrap_or_default()
    }

    /// Returns the time in the Date field, in the user's zone.
    pub(super) fn sent(&self, display: &Display) -> Option<DateTime<FixedOffset>> {
        let field = fields::find(self.block, "date").and_then(date);
        field.map(|sent| (display.zone)(sent.time))
    }
}

/// Returns the first 16 characters of the date of a From_ line, as `ctime` writes it (`Mon Nov 16
/// 09:00`).
pub(super) fn ctime(from_line: &[u8]) -> Option<&str> {
    std::str::from_utf8(&ctime_on(from_line)?[..DATE_WIDTH]).ok()
}

/// Returns a From_ line from its date on.
fn ctime_on(from_line: &[u8]) -> Option<&[u8]> {
    const DAYS: &[&[u8]; 7] = &[b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    const MONTHS: &[&[u8]; 12] = &[
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let is_date = |text: &[u8]| {
        // Few places of a line have the blanks.
        [3, 7, 10].iter().all(|&at| text[at] == b' ')
            && DAYS.contains(&&text[..3])
            && MONTHS.contains(&&text[4..7])
            && matches!(text[8], b' ' | b'0'..=b'3')
            && text[9].is_ascii_digit()
            && [11, 12, 14, 15].iter().all(|&at| text[at].is_ascii_digit())
            && text[13] == b':'
    };
    // The usual place is tried first: the sender before it may hold what looks like a date.
    let usual = from_line.len().saturating_sub(USUAL_DATE);
    let mut places = [&from_line[usual..], from_line].into_iter();
    places.find_map(|text| {
        let at = text.windows(DATE_WIDTH).position(is_date)?;
        Some(&text[at..])
    })
}

/// Returns a field's first address as a header line shows it.
fn shown<'a>(block: &[u8], body: &'a [u8], name: bool) -> Cow<'a, str> {
    if let Some(address) = plain_address(body).filter(|_| !name) {
        return Cow::Borrowed(address);
    }
    let found = FieldText::of(block).first_address(body);
    let text = if name { found.shown() } else { &found.address };
    safe(text).into_owned().into()
}

/// Returns the address of `a@b`, `Name <a@b>` and `a@b (Name)` in plain ASCII, the forms nearly all
/// mail has.
pub(super) fn plain_address(body: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b'!'..=b'~') && !b"\"(),:;<>\\".contains(byte);
    let body = body.trim_ascii();
    let body = without_comment(body);
    let address = match memchr(b'<', body) {
        Some(start) => {
            let name = &body[..start];
            let ordinary = |byte: &u8| plain(byte) || *byte == b' ';
            let name = name.trim_ascii();
            let name = name
                .strip_prefix(b"\"")
                .and_then(|name| name.strip_suffix(b"\""))
                .unwrap_or(name);
            if !name.iter().all(ordinary) {
                return None;
            }
            body[start + 1..].strip_suffix(b">")?
        }
        None => body,
    };
    if address.is_empty() || !address.iter().all(plain) || address.starts_with(b"=?") {
        return None;
    }
    std::str::from_utf8(address).ok()
}

/// Returns a field body without the comment at its end, if that has no other comments within.
fn without_comment(body: &[u8]) -> &[u8] {
    let Some(inner) = body.strip_suffix(b")") else {
        return body;
    };
    match memchr(b'(', inner) {
        Some(start) if !inner[start + 1..].iter().any(|byte| b"()\\".contains(byte)) => {
            inner[..start].trim_ascii_end()
        }
        _ => body,
    }
}

/// How much of a field is decoded for a line: no screen shows more, and a subject of megabytes shall not
/// fill the memory.
const MAX_SHOWN: usize = 64 * 1024;

/// Returns a field body decoded and safe to show in one line.
pub(super) fn text_of<'a>(block: &[u8], body: &'a [u8]) -> Cow<'a, str> {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~');
    let mut equals = memchr_iter(b'=', body);
    if body.iter().all(plain)
        && !equals.any(|at| body.get(at + 1) == Some(&b'?'))
        && let Ok(text) = std::str::from_utf8(body.trim_ascii_end())
    {
        return Cow::Borrowed(text);
    }
    let text = FieldText::of(block).words(words::cut(body, MAX_SHOWN));
    safe(&text).into_owned().into()
}

fn safe(text: &str) -> Cow<'_, str> {
    sanitize::line(text.as_bytes())
}
