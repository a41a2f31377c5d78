use super::*;

use proptest::prelude::*;

use crate::mailbox::format::quote::Form;
use crate::mailbox::format::quote::tests::copied;

/// A From_ line with a date, without its line end.
const FROM: &str = "From a@x Tue Jan  7 12:09:16 2003";

/// Scans text, and returns the start of each message.
fn starts(text: &[u8]) -> Vec<u64> {
    let scan = scan_with(text, BLOCK).expect("an mbox");
    scan.0
        .messages
        .iter()
        .map(|message| message.offset)
        .collect()
}

/// Scans text with blocks of this size, and returns also the headers that were shown.
fn scan_with(text: &[u8], block: usize) -> Result<(Scan, Vec<Vec<u8>>), ScanError> {
    let mut headers = Vec::new();
    let options = Options {
        block,
        ..Options::default()
    };
    let scan = scan(text, text.len() as u64, options, &mut |index, _, header| {
        assert_eq!(index, headers.len());
        headers.push(header.to_vec());
    })?;
    Ok((scan, headers))
}

/// Scans text in which `|` marks where messages start, and compares.
#[track_caller]
fn check(marked: &str) {
    let marked = marked.replace("FROM", FROM);
    let mut text = Vec::new();
    let mut expected = Vec::new();
    for byte in marked.bytes() {
        if byte == b'|' {
            expected.push(text.len() as u64);
        } else {
            text.push(byte);
        }
    }
    assert_eq!(starts(&text), expected, "{marked:?}");
}

#[test]
fn messages_start_where_they_start() {
    for marked in [
        "",
        "\n\r\n\n",
        "|FROM\nTo: b\n\nbody\n\n|FROM\nTo: c\n\nbody\n",
        // Leading blank lines, CRLF, no final newline, no body, no empty line after the header.
        "\n\n\n|FROM\nTo: b\n\nbody\n",
        "\r\n|FROM\r\nTo: b\r\n\r\nbody\r\n\r\n|FROM\r\nTo: c\r\n\r\n",
        "|FROM\nTo: b\n\nbody",
        "|FROM\nTo: b\n\n|FROM\nTo: c\n\n",
        "|FROM\nTo: b\n|FROM\nTo: c\n",
        "|FROM\n\n|FROM\n\n|FROM\n",
        "|FROM",
        // Mixed line ends: a mailbox written by two programs.
        "|FROM\r\nTo: b\r\n\r\nbody\r\n\r\n|FROM\nTo: c\n\nbody\n\n|FROM\r\nTo: d\r\n\r\nx\r\n",
        // Text that begins with From, after a blank line and without one.
        "|FROM\nTo: b\n\nFrom the start this was wrong.\n\nFrom here on\nsee: below\n",
        "|FROM\nTo: b\n\nFrom perl5-porters:\n\n==\nFrom: x\n",
        "|FROM\nTo: b\n\n>FROM\nTo: c\n\n>>FROM\n",
        "|FROM\nTo: b\n\n FROM\nTo: c\n",
        "|FROM\nTo: b\n\nx\n\nFROM\nno header here\n",
        // No blank line before: a separator only where a header field follows.
        "|FROM\nTo: b\n\nbody\n|FROM\nTo: c\n\nbody\n",
        "|FROM\nTo: b\n\nbody\nFROM\nbody\n",
        "|FROM\nTo: b\n\nbody\nFROM\n\nbody\n",
        // Archives, Netscape, Takeout, UUCP.
        "|From a at x  Tue Apr 26 00:00:07 2016\nFrom: a\n\nx\n\n|From a at x  Tue Apr 26 00:00:07 2016\nFrom: a\n",
        "|From - Wed Jul 01 20:00:00 1998\nX-Mozilla-Status: 0001\n\nx\n\n|From - \nX-Mozilla-Status: 0001\n\nx\n",
        "|From 12@xxx Mon Jan 06 10:00:00 +0000 2020\r\nX-GM-THRID: 12\r\n\r\nx\r\n\r\n|From 13@xxx\r\nTo: b\r\n",
        "|FROM remote from host\n>From b Tue Jan  7 12:09:16 2003 remote from c\nTo: b\n\nx\n",
        "|From someone without a date\nTo: b\n\nx\n\nFrom someone without a date\nTo: c\n",
        // An undated line needs all its other signs.
        "|FROM\nTo: b\n\nx\nFrom - \nTo: c\n",
        "|FROM\nTo: b\n\nx\n\nFrom - \n\nTo: c\n",
        // With neither a date nor a blank line it needs the header of a message behind it.
        "|FROM\nTo: b\n\nx\n|From - \nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 0\nFrom: c\n\ny\n",
        "|From - \r\nSubject: a\r\nTo: b\r\n\r\nx\r\n|From -\r\nSubject: a\r\nTo: b\r\n\r\ny\r\n",
        "|FROM\nTo: b\n\nx\n|From 13@xxx\nX-GM-THRID: 1\nReceived: x\n y\nMessage-Id: <z>\n\ny\n",
        "|FROM\nTo: b\n\nx\n|From c@x\nDate: y\nTo: c\n\ny\n",
        "|FROM\nTo: b\n|From - \nDate: y\nTo: c\n\ny\n",
        "|FROM\nTo: b\n\nx\nFrom - \nSubject: c\n\nTo: d\n",
        "|FROM\nTo: b\n\nx\nFrom - \nTo: c\nCc: d\n\nSubject: e\n",
        "|FROM\nTo: b\n\nx\nFrom - \nSubject: c\nas he wrote\nDate: d\n",
        "|FROM\nTo: b\n\nx\n> From - \n> Subject: c\n> Date: d\n From - \n Subject: c\n Date: d\n",
        "|FROM\nTo: b\n\nx\n>From - \nSubject: c\nDate: d\n",
        "|FROM\nTo: b\n\nx\nFrom here on\nSubject: c\nDate: d\n",
        // A Content-Length that lands exactly keeps it in the body, a wrong one does not.
        "|FROM\nContent-Length: 30\n\nx\nFrom - \nSubject: s\nTo: c\n\ny\n\n|FROM\nTo: d\n",
        "|FROM\nContent-Length: 31\n\nx\nFrom - \nSubject: s\nTo: c\n\ny\n\n|FROM\nTo: d\n",
        "|FROM\nContent-Length: 25\n\nx\n|From - \nSubject: s\nTo: c\n\ny\n\n|FROM\nTo: d\n",
        // The next message may be undated itself, if it has the header of one.
        "|FROM\nContent-Length: 30\n\nx\nFrom - \nSubject: s\nTo: c\n\ny\n\n|From - \nSubject: z\nTo: d\n",
        "|FROM\nContent-Length: 30\n\nx\nFrom - \nSubject: s\nTo: c\n\ny\n|From - \nSubject: z\nTo: d\n",
        "|FROM\nContent-Length: 30\n\nx\n|From - \nSubject: s\nTo: c\n\ny\n\n|From - \nTo: d\n",
        // Content-Length: too long, too short, exact, not a number.
        "|FROM\nContent-Length: 99999\n\nx\n\n|FROM\nTo: c\n\nx\n",
        "|FROM\nContent-Length: 1\n\nxxxx\nx\n\n|FROM\nTo: c\n\nx\n",
        "|FROM\nContent-Length: 2\n\nx\n\n|FROM\nTo: c\n\nx\n",
        "|FROM\nContent-Length: -7\n\nx\n|FROM\nTo: c\n\nx\n",
        "|FROM\nContent-Length: 18446744073709551615\n\nx\n|FROM\nTo: c\n\nx\n",
        // It hides a weak candidate only where a separator or the end follows it.
        "|FROM\nContent-Length: 44\n\nx\nFROM\nTo: c\n\nx\n\n|FROM\nTo: c\n\nx\n",
        "|FROM\nContent-Length: 45\n\nx\nFROM\nTo: c\n\nx\n",
        "|FROM\nContent-Length: 40\n\nx\n|FROM\nTo: c\n\nx\n\n|FROM\nTo: c\n\nx\n",
        // It never hides a strict one.
        "|FROM\nContent-Length: 45\n\nx\n\n|FROM\nTo: c\n\nx\n\n|FROM\nTo: d\n\nx\n",
        "|FROM\nContent-Length: 45\n\nx\n\n|FROM\nno: field\nFROM\n\n|FROM\nTo: d\n",
        // A weak candidate of the undated kind, inside and behind a proven body.
        "|FROM\nContent-Length: 20\n\nx\n\nFrom -\nTo: c\n\nx\n\n|FROM\nTo: d\n",
        "|FROM\nContent-Length: 2\n\nx\n\n|From -\nTo: c\n\nx\n\n|FROM\nTo: d\n",
        // The body of one message ends where the next one's strict separator stands: CRLF, no blank line.
        "|FROM\r\nTo: b\r\n\r\nx\r\n|FROM\r\nTo: c\r\n\r\nx\r\n",
        "|FROM\r\nTo: b\r\n\r\nx\r\nFROM\r\n\r\nx\r\n",
        // Dates of other makes in the middle of a file.
        "|FROM\nTo: b\n\n|From b Mon Jan  5 08:50:15 +0100 2004\nTo: c\n\n|From b Sat Sep  1 20:58 EDT 2001\nTo: c\n",
        "|FROM\nTo: b\n\nx\n\n|From \"a b\"@x Sun, 11 Nov 2007 06:58:35 +0200\nTo: c\n",
        "|FROM\nTo: b\n\nx\n\nFrom b Mon Feb 30 08:50:15 2004\nTo: c\n",
        "|FROM\nTo: b\n\nx\n\nFrom b, Mon Jan  5 08:50:15 2004, we read:\nTo: c\n",
        // Blank lines with blanks in them are not blank, and folded lines are not fields.
        "|FROM\nTo: b\n\nx\n \n|FROM\nTo: c\n",
        "|FROM\nTo: b\n\nx\n \nFROM\n\nx\n",
        "|FROM\nTo: b\n\nx\n\nFROM\n\tfolded: x\n",
        // Quoted mail, digests, patches, Mbox inside MIME.
        "|FROM\nTo: b\n\n> FROM\n> To: c\n\n--- x\n|FROM\nSubject: [PATCH] y\n\n",
        "|FROM\nTo: b\n\n--=_x\nContent-Type: message/rfc822\n\n>FROM\nTo: c\n\n--=_x--\n",
        // Many blank lines before a separator; a message of nothing but its From_ line between others.
        "|FROM\nTo: b\n\nx\n\n\n\n\n|FROM\nTo: c\n\n\n\n\n",
        "|FROM\n\n|FROM\n\n|FROM\nTo: c\n",
        // NUL, 8-bit, control-A lines, a lone CR.
        "|FROM\nTo: b\n\n\0\u{e9}\r\r\n\x01\x01\x01\x01\n\n|FROM\nTo: c\n\n\0",
    ] {
        check(marked);
    }
}

#[test]
fn lengths_lines_and_flags_are_right() {
    let text = format!(
        "\n{FROM}\nStatus: RO\nX-Status: A\nSubject: x\n\none\ntwo\n\n{FROM}\r\nTo: b\r\n\r\nlast"
    );
    let (scan, headers) = scan_with(text.as_bytes(), BLOCK).expect("an mbox");
    let [first, second] = scan.messages[..] else {
        panic!("{scan:?}");
    };
    assert_eq!((first.offset, first.from_line_len), (1, 34));
    assert_eq!(
        &headers[0],
        &text.as_bytes()[1..1 + first.header_len as usize]
    );
    assert!(headers[0].ends_with(b"Subject: x\n\n"));
    assert_eq!(first.lines, Some(8));
    assert_eq!(first.offset + first.len, second.offset);
    assert!(first.flags.is_read() && first.flags.is_old() && first.flags.is_answered());
    assert!(second.flags.is_new());
    assert_eq!((second.from_line_len, second.lines), (35, Some(4)));
    assert_eq!(second.offset + second.len, text.len() as u64);
    assert_eq!(scan.end, text.len() as u64);
}

#[test]
fn a_file_that_is_no_mbox_is_refused() {
    for text in [
        "Subject: x\n\nbody\n",
        "From the start\nthis is text\n",
        "\n\n>From a@x Tue Jan  7 12:09:16 2003\n",
        "BABYL OPTIONS:\n",
        "\u{1f}\u{8b}\u{8}",
        "From a@x Tue Jan  7 12:09:16 2003\rTo: a Macintosh has written this\r",
    ] {
        let error = scan_with(text.as_bytes(), BLOCK).expect_err(text);
        assert!(matches!(error, ScanError::NotMbox), "{text:?}");
    }
}

#[test]
fn a_header_of_megabytes_is_shown_cut_and_counted_whole() {
    let long = "y".repeat(3 << 20);
    let text = format!("{FROM}\nX-Long: {long}\nStatus: R\n\nx\n\n{FROM}\nTo: b\n\n");
    let (scan, headers) = scan_with(text.as_bytes(), BLOCK).expect("an mbox");
    assert_eq!(scan.messages.len(), 2);
    assert_eq!(headers[0], text.as_bytes()[..SHOWN_HEADER]);
    assert_eq!(
        scan.messages[0].header_len as usize,
        34 + long.len() + 9 + 11
    );
    assert!(scan.messages[0].flags.is_read());
    assert_eq!(scan.messages[0].lines, Some(6));
}

#[test]
fn fields_of_readers_that_do_not_end_in_the_window_do_no_harm() {
    let long = "R".repeat(5000);
    let text = format!("{FROM}\nTo: b\nStatus: {long}\nX-Status: A\nLines: 7\n\nbody\n\n");
    let whole = scan_with(text.as_bytes(), BLOCK).expect("an mbox");
    for block in [1, 7, 100, 1000, 3000, 5000] {
        assert_eq!(scan_with(text.as_bytes(), block).expect("an mbox"), whole);
    }
}

#[test]
fn a_torn_message_is_left_out_only_when_asked() {
    for (tail, is_torn) in [
        ("\n\nbody\n", false),
        ("\n\nbody", true),
        ("\nSubject: x\n", true),
        ("", true),
    ] {
        let text = format!("{FROM}\nTo: b\n\nx\n\n{FROM}\nTo: c{tail}");
        let options = Options {
            skip_torn: true,
            ..Options::default()
        };
        let mut shown = 0;
        let found = scan(
            text.as_bytes(),
            text.len() as u64,
            options,
            &mut |_, _, _| shown += 1,
        );
        let found = found.expect("an mbox");
        assert_eq!(found.is_torn, is_torn, "{tail:?}");
        assert_eq!(found.messages.len(), 2 - usize::from(is_torn), "{tail:?}");
        assert_eq!(shown, found.messages.len(), "{tail:?}");
        assert_eq!(starts(text.as_bytes()).len(), 2, "{tail:?}");
    }
}

#[test]
fn a_file_that_shrinks_ends_where_it_ends() {
    let text = format!("{FROM}\nTo: b\n\nx\n");
    let found = scan(
        text.as_bytes(),
        1 << 40,
        Options::default(),
        &mut |_, _, _| {},
    );
    let found = found.expect("an mbox");
    assert_eq!(found.end, text.len() as u64);
    assert_eq!(found.messages[0].len, text.len() as u64);
}

/// Pieces of which mailboxes and traps are made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(format!("{FROM}\n")),
        1 => Just(format!("{FROM}\r\n")),
        2 => Just("From - \n".to_owned()),
        2 => Just("Subject: s\n".to_owned()),
        1 => Just("From here on\n".to_owned()),
        3 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        2 => Just("To: b\n".to_owned()),
        1 => Just("Status: RO\n".to_owned()),
        1 => Just("X-Status: A\n".to_owned()),
        1 => (0..5000_usize).prop_map(|length| format!("X-Keywords: {}\n", "k".repeat(length))),
        1 => (0..400_u32).prop_map(|length| format!("Content-Length: {length}\n")),
        1 => (0..5000_usize).prop_map(|length| format!("{}\n", "x".repeat(length))),
        1 => (0..4000_usize).prop_map(|length| format!("{}: x\n", "n".repeat(length))),
        1 => (0..4000_usize).prop_map(|length| format!("From {}\n", "n".repeat(length))),
        1 => Just("text".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_scanner_panic(
        text in prop::collection::vec(any::<u8>(), 0..2000),
        is_mbox in any::<bool>(),
    ) {
        let start = if is_mbox { format!("{FROM}\n") } else { String::new() };
        let text = [start.as_bytes(), &text].concat();
        match scan_with(&text, 64) {
            Ok((scan, _)) => {
                let total: u64 = scan.messages.iter().map(|message| message.len).sum();
                let first = scan.messages.first().map_or(text.len() as u64, |first| first.offset);
                prop_assert_eq!(first + total, text.len() as u64);
            }
            Err(error) => prop_assert!(!is_mbox, "{error:?}"),
        }
    }

    #[test]
    fn the_result_does_not_depend_on_the_size_of_blocks(
        pieces in prop::collection::vec(piece(), 0..40),
        block in 1..300_usize,
    ) {
        let text = format!("{FROM}\nTo: b\n\n{}", pieces.concat());
        let whole = scan_with(text.as_bytes(), BLOCK).expect("an mbox");
        let pieces = scan_with(text.as_bytes(), block).expect("an mbox");
        prop_assert_eq!(&whole, &pieces);

        for (message, header) in whole.0.messages.iter().zip(&whole.1) {
            prop_assert_eq!(message.fingerprint, fingerprint_of(header));
        }

        // Every byte belongs to exactly one message, and every line is counted once.
        let mut at = 0;
        for message in &whole.0.messages {
            prop_assert_eq!(message.offset, at);
            prop_assert!(u64::from(message.header_len) <= message.len);
            prop_assert!(message.from_line_len <= message.header_len);
            at += message.len;
        }
        prop_assert_eq!(at, text.len() as u64);
        let lines: u32 = whole.0.messages.iter().filter_map(|message| message.lines).sum();
        prop_assert_eq!(lines as usize, text.split_inclusive('\n').count());
    }

    #[test]
    fn a_message_that_was_quoted_stays_one_message(
        pieces in prop::collection::vec(piece(), 0..40),
        has_header in any::<bool>(),
    ) {
        let header = if has_header { "To: b\n\n" } else { "" };
        let message = format!("{header}{}", pieces.concat());
        for form in [Form::Message, Form::Filed] {
            let first = [FROM.as_bytes(), b"\n", &copied(message.as_bytes(), form), b"\n\n"].concat();
            let text = [&first, FROM.as_bytes(), b"\nTo: c\n\n"].concat();
            prop_assert_eq!(starts(&text), [0, first.len() as u64]);
        }
    }

    #[test]
    fn the_end_is_found_as_a_whole_scan_finds_it(
        pieces in prop::collection::vec(piece(), 0..40),
        block in 1..300_usize,
    ) {
        let text = format!("{FROM}\nTo: b\n\n{}", pieces.concat());
        let size = text.len() as u64;
        let whole = scan_with(text.as_bytes(), BLOCK).expect("an mbox").0.messages;
        let strict = whole.iter().rposition(|message| message.is_strict);
        let found = last_separator(text.as_bytes(), size, block).expect("memory");
        prop_assert_eq!(found, strict.map(|index| whole[index].offset));
        if let (Some(start), Some(index)) = (found, strict) {
            let end = scan_from(text.as_bytes(), size, start).expect("an mbox").messages;
            let mut expected = whole[index..].to_vec();
            expected.iter_mut().for_each(|message| message.lines = None);
            prop_assert_eq!(end, expected);
        }
    }
}
