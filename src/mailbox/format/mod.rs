//! The formats of a file of messages: what separates them, how flags and From_ lines are written,
//! and what a message looks like in it.
//!
//! [`mbox`] and [`mmdf`] are the scanners: they find the messages of a file. [`gzip`] decompresses a
//! file first. [`single`] recognises a file that is one message. [`separator`] judges a line that starts with `From `, [`from_line`] parses it.
//! [`quote`] writes a message as an mbox holds it, [`unquote`] reads it back, [`status`] the fields with its flags. [`header_meter`] finds the
//! end of a header that comes in blocks. [`torn`]
//! recognises an append that broke off.
//! Maildirs have their own folder.
//!
//! Which format a file has is decided here, by its first bytes ([`beginning`]).

pub(in crate::mailbox) mod from_line;
pub(in crate::mailbox) mod gzip;
pub(in crate::mailbox) mod header_meter;
pub(in crate::mailbox) mod mbox;
pub(in crate::mailbox) mod mmdf;
pub(in crate::mailbox) mod quote;
pub(in crate::mailbox) mod separator;
pub(in crate::mailbox) mod single;
pub(in crate::mailbox) mod status;
pub(in crate::mailbox) mod torn;
pub(in crate::mailbox) mod unquote;

use std::io;

use self::mbox::{MessageRef, Scan, ScanError};
use self::separator::{LOOKAHEAD, opens_mbox};
use crate::mailbox::read_at::{ReadAt, read_full};

/// The format of a file, as its first bytes show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Beginning {
    /// Nothing but blank lines and NULs, if anything: a mailbox of any format without messages.
    Blank,
    /// Messages that start with a From_ line.
    Mbox,
    /// Messages between lines of control-A.
    Mmdf,
    /// Something else.
    Other,
}

/// Reads a file up to its first line that is not blank, and returns its format.
pub(in crate::mailbox) fn beginning<S: ReadAt + ?Sized>(
    file: &S,
    size: u64,
) -> io::Result<Beginning> {
    let mut window = vec![0; LOOKAHEAD];
    let mut at = 0;
    while at < size {
        let count = read_full(file, &mut window, at)?;
        let text = &window[..count];
        match torn::blank_before_nuls(text) {
            // Nothing blank stands here, so this line decides.
            0 if opens_mbox(text) => return Ok(Beginning::Mbox),
            0 if text.starts_with(mmdf::DELIMITER) => return Ok(Beginning::Mmdf),
            0 if count == 0 => break,
            0 if text[0] != 0 => return Ok(Beginning::Other),
            // The very first append broke off. Mail of another program may stand behind it.
            0 if torn::is_unfinished_at(file, size, text, at)? => {
                return Ok(match torn::first_message_after(file, size, at)? {
                    Some(_) => Beginning::Mbox,
                    None => Beginning::Blank,
                });
            }
            // A long run of NULs with text behind it is blank like any other.
            0 => at = torn::end_of_nuls(file, size, at)?,
            blank => at += blank as u64,
        }
    }
    Ok(Beginning::Blank)
}

/// Scans a file of either format; lines are counted only for a visitor.
pub(in crate::mailbox) fn scan_any<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    skip_torn: bool,
    visit: Option<mbox::Visit<'_>>,
) -> Result<Scan, ScanError> {
    let options = mbox::Options {
        skip_torn,
        counts_lines: visit.is_some(),
        ..mbox::Options::default()
    };
    let mut silent = |_: usize, _: &MessageRef, _: &[u8]| {};
    scan_with(source, size, options, visit.unwrap_or(&mut silent))
}

/// Returns the fingerprints of all messages of a file of either format: a sixth of what the messages
/// take.
pub(in crate::mailbox) fn fingerprints<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
) -> Result<Vec<u64>, ScanError> {
    let options = mbox::Options {
        counts_lines: false,
        keeps: false,
        ..mbox::Options::default()
    };
    let mut found = Vec::new();
    scan_with(source, size, options, &mut |_, message, _| {
        found.push(message.fingerprint);
    })?;
    Ok(found)
}

fn scan_with<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    options: mbox::Options,
    visit: mbox::Visit<'_>,
) -> Result<Scan, ScanError> {
    match framing(source, size)? {
        0 => mbox::scan(source, size, options, visit),
        _ => Ok(mmdf::scan(source, size, options, visit)?),
    }
}

/// Returns the length of the delimiters before and after each message: 0 in an mbox.
pub(in crate::mailbox) fn framing<S: ReadAt + ?Sized>(source: &S, size: u64) -> io::Result<u64> {
    Ok(match beginning(source, size)? {
        Beginning::Mmdf => mmdf::DELIMITER.len() as u64,
        _ => 0,
    })
}
