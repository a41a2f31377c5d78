//! In-Reply-To and References: which messages an answer belongs to (RFC 5322 section 3.6.4).

use std::collections::HashSet;

use memchr::memchr;

use crate::message::parse::fields;

/// How many identifiers a References field keeps: the first one, which began the conversation, and
/// the last ones. s-nail keeps as many.
const MAX_IDS: usize = 21;

/// The longest identifier that is taken over; a line of RFC 5322 has 998 bytes.
const MAX_ID: usize = 900;

/// How much of a field is searched for identifiers, in bytes.
const MAX_FIELD: usize = 1 << 20;

/// Returns the header fields by which an answer to messages with these headers names them, as
/// `Name: text`.
pub(super) fn fields_of_reply(headers: &[&[u8]]) -> Vec<String> {
    let parents: Vec<String> = headers
        .iter()
        .filter_map(|header| ids(header, "message-id").into_iter().next())
        .collect();
    let mut fields = Vec::new();
    if !parents.is_empty() {
        fields.push(format!("In-Reply-To: {}", joined(unique(parents))));
    }
    // For several parents the RFC discourages References.
    if let [header] = headers {
        let references = unique(references(header));
        if !references.is_empty() {
            fields.push(format!("References: {}", joined(references)));
        }
    }
    fields
}

/// Returns the identifiers that the References field of a reply to this message has.
fn references(header: &[u8]) -> Vec<String> {
    let mut found = ids(header, "references");
    if found.is_empty() {
        // In-Reply-To stands in for it only if it holds one identifier: others are several parents.
        let parents = ids(header, "in-reply-to");
        if parents.len() == 1 {
            found = parents;
        }
    }
    found.extend(ids(header, "message-id").into_iter().next());
    found
}

/// Returns identifiers without those that stand there twice, and without the middle of a long row.
fn unique(ids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    // The last of two equal ones counts: the parent must stay the last of all.
    let mut ids: Vec<String> = ids
        .into_iter()
        .rev()
        .filter(|id| seen.insert(id.clone()))
        .collect();
    ids.reverse();
    if ids.len() > MAX_IDS {
        let surplus = ids.len() - MAX_IDS;
        ids.drain(1..=surplus);
    }
    ids
}

fn joined(ids: Vec<String>) -> String {
    ids.join(" ")
}

/// Returns the identifiers `<…>` of the first field of that name.
///
/// What old mailers write beside them ("Your message of …") is passed over, and so is what is none: an
/// identifier has no blanks, no controls and only ASCII.
fn ids(header: &[u8], name: &str) -> Vec<String> {
    let body = fields::find(header, name).unwrap_or_default();
    let mut rest = &body[..body.len().min(MAX_FIELD)];
    let mut found = Vec::new();
    while let Some(start) = memchr(b'<', rest) {
        rest = &rest[start + 1..];
        let Some(end) = memchr(b'>', rest) else {
            break;
        };
        let inner = &rest[..end];
        // `<a <b@x>`: the last bracket begins the identifier.
        let inner = match memchr::memrchr(b'<', inner) {
            Some(at) => &inner[at + 1..],
            None => inner,
        };
        rest = &rest[end + 1..];
        let is_id = !inner.is_empty()
            && inner.len() <= MAX_ID
            && inner.iter().all(|byte| matches!(byte, b'!'..=b'~'));
        if is_id {
            // Printable ASCII, as was just seen.
            found.push(format!("<{}>", String::from_utf8_lossy(inner)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_its_parent_and_the_parents_of_that() {
        // s-nail writes both fields; bsd-mailx 8.1.2 too; GNU mailutils writes
        // `In-Reply-To: Your message of "…"`, from which no identifier can be taken.
        let cases: &[(&str, &[&str])] = &[
            (
                "Message-ID: <a@x>\n",
                &["In-Reply-To: <a@x>", "References: <a@x>"],
            ),
            (
                "Message-ID: <c@x>\nReferences: <a@x>\n <b@x>\n",
                &["In-Reply-To: <c@x>", "References: <a@x> <b@x> <c@x>"],
            ),
            (
                "Message-ID: <b@x>\nIn-Reply-To: <a@x>\n",
                &["In-Reply-To: <b@x>", "References: <a@x> <b@x>"],
            ),
            (
                "Message-ID: <c@x>\nIn-Reply-To: <a@x> <b@x>\n",
                &["In-Reply-To: <c@x>", "References: <c@x>"],
            ),
            (
                "Message-ID: <b@x>\nIn-Reply-To: Your message of \"today\" <a@x>\n",
                &["In-Reply-To: <b@x>", "References: <a@x> <b@x>"],
            ),
            ("References: <a@x>\n", &["References: <a@x>"]),
            ("Subject: x\n", &[]),
            ("Message-ID: a@x\n", &[]),
            ("Message-ID: <a b@x>\n", &[]),
            ("Message-ID: <ä@x>\n", &[]),
            ("Message-ID: <>\n", &[]),
            (
                "Message-ID: <b@x>\nReferences: <a@x> <b@x> <a@x>\n",
                &["In-Reply-To: <b@x>", "References: <a@x> <b@x>"],
            ),
            (
                "Message-ID: <x <a@x>\nReferences: <unclosed\n",
                &["In-Reply-To: <a@x>", "References: <a@x>"],
            ),
        ];
        for (header, expected) in cases {
            let found = fields_of_reply(&[format!("{header}\n").as_bytes()]);
            assert_eq!(found, *expected, "{header}");
        }
    }

    #[test]
    fn several_parents_are_named_in_in_reply_to_alone() {
        let (one, two) = (&b"Message-ID: <a@x>\n\n"[..], &b"Message-ID: <b@x>\n\n"[..]);
        assert_eq!(fields_of_reply(&[one, two]), ["In-Reply-To: <a@x> <b@x>"]);
    }

    #[test]
    fn a_long_row_keeps_its_first_and_its_last_ones() {
        let row: Vec<String> = (0..50_000).map(|n| format!("<{n}@x>")).collect();
        let header = format!("References: {}\nMessage-ID: <last@x>\n\n", row.join("\n "));
        let fields = fields_of_reply(&[header.as_bytes()]);
        let ids: Vec<&str> = fields[1].split(' ').skip(1).collect();
        assert_eq!(ids.len(), MAX_IDS);
        assert_eq!((ids[0], ids[MAX_IDS - 1]), ("<0@x>", "<last@x>"));
        assert_eq!(ids[MAX_IDS - 2], "<49999@x>");
    }

    #[test]
    fn brackets_without_end_take_linear_time() {
        let header = format!("References: {}\n\n", "<".repeat(1_000_000));
        assert_eq!(fields_of_reply(&[header.as_bytes()]), Vec::<String>::new());
        let header = format!("References: {}\n\n", "<a".repeat(300_000) + ">");
        assert_eq!(fields_of_reply(&[header.as_bytes()]), ["References: <a>"]);
    }
}
