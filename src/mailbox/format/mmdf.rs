//! The scanner for MMDF mailboxes: each message is between two lines of four control-A.
//!
//! SCO's mail and old MMDF sites wrote them; mutt and s-nail still read them. No line of a body looks
//! like a delimiter, so nothing has to be judged: the text between two delimiters is a message,
//! unless it is blank. Correct writers put one delimiter before and one behind each message, others
//! a single one between two messages; read by this rule, neither hides a message.

use std::io;

use memchr::{memchr_iter, memmem::Finder};

use super::header_meter::HeaderMeter;
use super::mbox::{BLOCK, MessageRef, Options, SHOWN_HEADER, Scan, Visit, fingerprint_of};
use crate::mailbox::flags::Flags;
use crate::mailbox::read_at::{ReadAt, read_full};
use crate::message::parse::fields;
use crate::sys::progress::{self, Unit};

/// The line before and after each message.
pub(in crate::mailbox) const DELIMITER: &[u8] = b"\x01\x01\x01\x01\n";

/// Scans the first `size` bytes of an MMDF mailbox.
///
/// A message's offset is that of the byte after its first delimiter; a From_ line may be there.
pub(in crate::mailbox) fn scan<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    options: Options,
    visit: Visit<'_>,
) -> io::Result<Scan> {
    let mut found = Scan {
        end: size,
        ..Scan::default()
    };
    let mut start = None;
    let mut count = 0;
    let mut add = |start, end, found: &mut Scan| -> io::Result<()> {
        if let Some((message, head)) = message_at(source, start, end)? {
            visit(count, &message, &head);
            count += 1;
            if options.keeps {
                found.messages.push(message);
            }
        }
        Ok(())
    };
    for_each_delimiter(source, size, |place| {
        if let Some(start) = start {
            add(start, place, &mut found)?;
        }
        start = Some(place + DELIMITER.len() as u64);
        Ok(())
    })?;
    // The last delimiter is missing: a writer is still at work, or forgot it. Only where somebody
    // may be writing (`skip_torn`) is the message left out.
    if let Some(start) = start {
        if options.skip_torn {
            found.is_torn = !is_blank(source, start, size)?;
        } else {
            add(start, size, &mut found)?;
        }
    }
    Ok(found)
}

/// Calls `each` with the offset of every delimiter line.
fn for_each_delimiter<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    mut each: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    let finder = Finder::new(DELIMITER);
    let mut window = vec![0; BLOCK + DELIMITER.len()];
    // A delimiter must start a line, so the byte before the window is remembered.
    let (mut base, mut kept, mut before) = (0_u64, 0_usize, b'\n');
    let progress = progress::begin("reading", Unit::Bytes, size);
    loop {
        let left = usize::try_from(size - base - kept as u64).unwrap_or(usize::MAX);
        let want = left.min(BLOCK);
        let count = read_full(source, &mut window[kept..kept + want], base + kept as u64)?;
        progress.advance(count as u64);
        let filled = kept + count;
        let mut at = 0;
        while let Some(found) = finder.find(&window[at..filled]) {
            let place = at + found;
            let previous = place.checked_sub(1).map_or(before, |index| window[index]);
            if previous == b'\n' {
                each(base + place as u64)?;
                at = place + DELIMITER.len();
            } else {
                at = place + 1;
            }
        }
        if count < want || want == left {
            return Ok(());
        }
        // A delimiter may lie across the border of two blocks, so its length less one is kept; but
        // not bytes of a delimiter that was found, which would be found again.
        let keep = filled - (DELIMITER.len() - 1).min(filled - at);
        if keep > 0 {
            before = window[keep - 1];
        }
        window.copy_within(keep..filled, 0);
        base += keep as u64;
        kept = filled - keep;
    }
}

/// Returns whether there are only line ends between these offsets.
pub(in crate::mailbox) fn is_blank<S: ReadAt + ?Sized>(
    source: &S,
    start: u64,
    end: u64,
) -> io::Result<bool> {
    let mut block = [0; 512];
    let mut at = start;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(block.len());
        let want = want.min(block.len());
        let count = read_full(source, &mut block[..want], at)?;
        if !block[..count].iter().all(is_line_end) {
            return Ok(false);
        }
        if count == 0 {
            break;
        }
        at += count as u64;
    }
    Ok(true)
}

fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Returns the message between these offsets with its header, cut at 64 KiB; none if it is blank.
fn message_at<S: ReadAt + ?Sized>(
    source: &S,
    start: u64,
    end: u64,
) -> io::Result<Option<(MessageRef, Vec<u8>)>> {
    let mut message = MessageRef {
        offset: start,
        len: end - start,
        flags: Flags::NONE,
        is_strict: true,
        ..MessageRef::default()
    };
    let mut head = Vec::new();
    let mut block = vec![0; usize::try_from(message.len).unwrap_or(BLOCK).min(BLOCK)];
    let mut at = start;
    let mut lines = 0_u32;
    let mut last = b'\n';
    let mut is_blank = true;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(BLOCK).min(block.len());
        let count = read_full(source, &mut block[..want], at)?;
        if count == 0 {
            break;
        }
        if head.len() < SHOWN_HEADER {
            head.extend_from_slice(&block[..count.min(SHOWN_HEADER - head.len())]);
        }
        let ends = memchr_iter(b'\n', &block[..count]).count();
        lines = lines.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        last = block[count - 1];
        is_blank = is_blank && block[..count].iter().all(is_line_end);
        at += count as u64;
    }
    if is_blank {
        return Ok(None);
    }
    // A last line without its newline is a line.
    message.lines = Some(lines.saturating_add(u32::from(last != b'\n')));
    read_header(source, &mut message, &head)?;
    head.truncate(message.header_len as usize);
    Ok(Some((message, head)))
}

/// Takes flags, From_ line, length and fingerprint from the header of a message that begins with
/// `head`.
fn read_header<S: ReadAt + ?Sized>(
    source: &S,
    message: &mut MessageRef,
    head: &[u8],
) -> io::Result<()> {
    let text = fields::split_from_line(head).1;
    let from_line_len = head.len() - text.len();
    let mut meter = HeaderMeter::default();
    meter.take(text, message.len == head.len() as u64);
    // The header may be longer than the part that is shown.
    let (mut at, end) = (
        message.offset + head.len() as u64,
        message.offset + message.len,
    );
    let mut block = Vec::new();
    while !meter.is_done() {
        block.resize(BLOCK, 0);
        let want = usize::try_from(end - at).unwrap_or(BLOCK).min(BLOCK);
        let count = read_full(source, &mut block[..want], at)?;
        at += count as u64;
        meter.take(&block[..count], count < want || at == end);
    }
    let len = from_line_len as u64 + meter.len();
    message.from_line_len = from_line_len as u32;
    message.header_len = u32::try_from(len).unwrap_or(u32::MAX);
    let header = &head[..head.len().min(message.header_len as usize)];
    message.fingerprint = fingerprint_of(header);
    if len > header.len() as u64 {
        return read_long_flags(source, message);
    }
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        message.flags.read_field(line);
    }
    Ok(())
}

/// Takes flags from a header block that is longer than the part that is shown.
fn read_long_flags<S: ReadAt + ?Sized>(source: &S, message: &mut MessageRef) -> io::Result<()> {
    let end = message.offset + u64::from(message.header_len);
    let mut block = vec![0; BLOCK];
    // The part of the current line that stood in the block before. A field that holds flags is far
    // shorter than the limit.
    let mut line = Vec::new();
    let mut at = message.offset;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(BLOCK).min(BLOCK);
        let count = read_full(source, &mut block[..want], at)?;
        if count == 0 {
            break;
        }
        at += count as u64;
        for piece in block[..count].split_inclusive(|byte| *byte == b'\n') {
            let room = SHOWN_HEADER.saturating_sub(line.len());
            line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                message.flags.read_field(&line);
                line.clear();
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &[u8]) -> Vec<(Vec<u8>, MessageRef)> {
        let mut headers = Vec::new();
        let scan = scan(
            text,
            text.len() as u64,
            Options::default(),
            &mut |_, message, header| {
                headers.push((header.to_vec(), *message));
            },
        );
        assert_eq!(scan.expect("memory").messages.len(), headers.len());
        headers
    }

    #[test]
    fn a_long_header_ends_where_it_ends() {
        for filler in [SHOWN_HEADER - 40, SHOWN_HEADER, 3 * BLOCK] {
            let header = format!("To: c\nX: {}\nStatus: RO\n\n", "x".repeat(filler));
            let text = format!("\x01\x01\x01\x01\n{header}body\n\x01\x01\x01\x01\n");
            let found = messages(text.as_bytes());
            assert_eq!(found[0].1.header_len as usize, header.len());
            assert!(found[0].1.flags.is_read() && found[0].1.flags.is_old());
        }
        let text = format!("\x01\x01\x01\x01\nX: {}", "x".repeat(BLOCK));
        assert_eq!(
            messages(text.as_bytes())[0].1.header_len as usize,
            BLOCK + 3
        );
    }

    #[test]
    fn messages_stand_between_delimiters() {
        let text = b"\x01\x01\x01\x01\nFrom a Tue Jan  7 12:09:16 2003\nStatus: R\n\nFrom b\n\
            \x01\x01\x01\x01\n\x01\x01\x01\x01\nTo: c\n\nmid\x01\x01\x01\x01\nend\n\x01\x01\x01\x01\n";
        let found = messages(text);
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].0,
            b"From a Tue Jan  7 12:09:16 2003\nStatus: R\n\n"
        );
        assert_eq!(found[0].1.from_line_len, 32);
        assert_eq!(found[0].1.lines, Some(4));
        assert!(found[0].1.flags.is_read());
        assert_eq!(found[1].0, b"To: c\n\n");
        assert_eq!(found[1].1.from_line_len, 0);
        assert_eq!(found[1].1.len, 19);
    }

    #[test]
    fn delimiters_across_a_block_border_are_found() {
        for shift in 0..12 {
            let mut text = DELIMITER.to_vec();
            text.extend_from_slice(b"To: a\n\n");
            let fill = BLOCK - text.len() - 6 + shift;
            text.resize(text.len() + fill, b'x');
            text.push(b'\n');
            text.extend_from_slice(DELIMITER);
            text.extend_from_slice(DELIMITER);
            text.extend_from_slice(b"To: b\n\n");
            text.extend_from_slice(DELIMITER);
            let found = messages(&text);
            assert_eq!(found.len(), 2, "shift {shift}");
            assert_eq!(found[1].1.len, 7, "shift {shift}");
        }
    }

    #[test]
    fn a_message_without_its_last_delimiter_is_kept_unless_it_may_be_torn() {
        let text: &[u8] = b"\x01\x01\x01\x01\nTo: a\n\nhalf";
        let found = messages(text);
        assert_eq!((found.len(), found[0].1.lines), (1, Some(3)));
        let torn = Options {
            skip_torn: true,
            ..Options::default()
        };
        let torn = scan(text, text.len() as u64, torn, &mut |_, _, _| {}).expect("memory");
        assert!(torn.is_torn && torn.messages.is_empty());
    }
}
