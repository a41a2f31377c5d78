//! An invitation (text/calendar, RFC 5545) in four lines: what, when, where, from whom.

/// How much of a calendar is looked at, in bytes.
const MAX_CALENDAR: usize = 256 * 1024;
/// How long a value is shown, in characters.
const MAX_VALUE: usize = 300;

/// Returns the lines for the first event of a calendar; nothing where it has no event.
pub(super) fn summary(text: &str) -> Vec<String> {
    let cut = text.floor_char_boundary(MAX_CALENDAR);
    let mut event = Event::default();
    let mut open: Vec<String> = Vec::new();
    for line in unfolded(&text[..cut]) {
        let Some((name, parameters, value)) = split(&line) else {
            continue;
        };
        match &*name {
            "BEGIN" => open.push(value.trim().to_ascii_uppercase()),
            "END" if open.pop().as_deref() == Some("VEVENT") => {
                break;
            }
            "METHOD" => event.method = value.trim().to_ascii_uppercase(),
            // What stands within an alarm or a zone says nothing of the event.
            _ if open.last().map(String::as_str) == Some("VEVENT") => {
                event.is_found = true;
                event.property(&name, parameters, value);
            }
            _ => {}
        }
    }
    event.lines()
}

/// What is told of an event.
#[derive(Default)]
struct Event {
    is_found: bool,
    method: String,
    summary: String,
    start: String,
    end: String,
    zone: String,
    place: String,
    organizer: String,
    answer: String,
    repeats: bool,
}

impl Event {
    fn property(&mut self, name: &str, parameters: &str, value: &str) {
        match name {
            "SUMMARY" => self.summary = plain(value),
            "LOCATION" => self.place = plain(value),
            "DTSTART" => {
                self.start = time(value);
                self.zone = match parameter(parameters, "TZID") {
                    Some(zone) => plain(zone),
                    None if value.trim().ends_with('Z') => "UTC".to_owned(),
                    None => String::new(),
                };
            }
            "DTEND" => self.end = time(value),
            "RRULE" => self.repeats = true,
            "ORGANIZER" => self.organizer = person(parameters, value),
            "ATTENDEE" if self.method == "REPLY" => {
                let said = parameter(parameters, "PARTSTAT").unwrap_or("answered");
                self.answer = format!(
                    "{} by {}",
                    plain(said).to_ascii_lowercase(),
                    person(parameters, value)
                );
            }
            _ => {}
        }
    }

    fn lines(&self) -> Vec<String> {
        if !self.is_found {
            return Vec::new();
        }
        let what = match &*self.method {
            "CANCEL" => "Cancelled",
            "REPLY" => "Answer",
            "REQUEST" => "Invitation",
            _ => "Event",
        };
        let mut when = match self.end.split_once(' ') {
            _ if self.end.is_empty() || self.end == self.start => self.start.clone(),
            // The day is told once.
            Some((day, end)) if self.start.starts_with(day) => format!("{} - {end}", self.start),
            _ => format!("{} - {}", self.start, self.end),
        };
        if !self.zone.is_empty() {
            when = format!("{when} ({})", self.zone);
        }
        if self.repeats {
            when.push_str(", repeated");
        }
        let who = match &*self.answer {
            "" => &self.organizer,
            answer => answer,
        };
        let title = if self.summary.is_empty() {
            "(without a title)"
        } else {
            &self.summary
        };
        let rows = [
            (what, title),
            ("When", &*when),
            ("Where", &*self.place),
            ("From", who),
        ];
        let told = rows.iter().filter(|(_, value)| !value.is_empty());
        told.map(|(name, value)| format!("{:<12}{value}", format!("{name}:")))
            .collect()
    }
}

/// Returns the lines of a calendar, folds undone (section 3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Splits a line into name, parameters and value; a colon within quotes belongs to a parameter.
fn split(line: &str) -> Option<(String, &str, &str)> {
    let mut quoted = false;
    let colon = line.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    })?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some((name.trim().to_ascii_uppercase(), parameters, value))
}

fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    let mut quoted = false;
    let mut pieces = parameters.split(|c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        let is_wanted = name.trim().eq_ignore_ascii_case(wanted);
        is_wanted.then(|| value.trim_matches('"'))
    })
}

/// Returns a person as `Name <address>`.
fn person(parameters: &str, value: &str) -> String {
    let address = value.trim();
    let address = match address.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &address[7..],
        _ => address,
    };
    match parameter(parameters, "CN") {
        Some(name) if !name.is_empty() && name != address => {
            format!("{} <{}>", plain(name), plain(address))
        }
        _ => plain(address),
    }
}

/// Returns a value in one line, its escapes undone (section 3.3.11), cut where it is very long.
fn plain(value: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars().take(MAX_VALUE);
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => ' ',
                Some(other) => other,
                None => break,
            },
            '\r' | '\n' => ' ',
            c => c,
        });
    }
    out.trim().to_owned()
}

/// Returns `20261120T100000Z` as `2026-11-20 10:00`; anything else as it stands.
fn time(value: &str) -> String {
    let value = value.trim();
    let digits = |range: std::ops::Range<usize>| {
        value
            .get(range)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(4..6), digits(6..8)) else {
        return plain(value);
    };
    match (digits(9..11), digits(11..13)) {
        (Some(hour), Some(minute)) => format!("{year}-{month}-{day} {hour}:{minute}"),
        _ => format!("{year}-{month}-{day}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_in_four_lines() {
        let invitation = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\n\
            DTSTART:19700101T000000\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
            DTSTART;TZID=\"Europe/Berlin\":20261120T100000\r\n\
            DTEND;TZID=\"Europe/Berlin\":20261120T113000\r\nSUMMARY:Team\\, weekly\r\n\
            LOCATION:Room 5\\nsecond\r\n  floor\r\n\
            ORGANIZER;CN=\"Alice: Example\":mailto:alice@example.org\r\n\
            BEGIN:VALARM\r\nSUMMARY:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            summary(invitation),
            [
                "Invitation: Team, weekly",
                "When:       2026-11-20 10:00 - 11:30 (Europe/Berlin)",
                "Where:      Room 5 second floor",
                "From:       Alice: Example <alice@example.org>",
            ]
        );
    }

    #[test]
    fn what_is_missing_or_broken_is_left_out() {
        let rows: [(&str, &[&str]); 5] = [
            ("", &[]),
            ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", &[]),
            (
                "METHOD:CANCEL\nBEGIN:VEVENT\nDTSTART:20261120\nRRULE:FREQ=DAILY\n",
                &[
                    "Cancelled:  (without a title)",
                    "When:       2026-11-20, repeated",
                ],
            ),
            (
                "BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261120T100000Z\nDTEND:soon\n",
                &["Event:      x", "When:       2026-11-20 10:00 - soon (UTC)"],
            ),
            (
                "METHOD:REPLY\nBEGIN:VEVENT\nSUMMARY:x\nATTENDEE;PARTSTAT=DECLINED:mailto:b@c\n",
                &["Answer:     x", "From:       declined by b@c"],
            ),
        ];
        for (given, expected) in rows {
            assert_eq!(summary(given), expected, "{given}");
        }
    }
}
