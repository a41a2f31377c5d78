//! The options of a scan, and its result: the index of a mailbox's messages.

use std::io;

use crate::mailbox::flags::Flags;

/// How much is read at once: large enough for the disk, small enough for the processor's cache.
pub(in crate::mailbox) const BLOCK: usize = 256 * 1024;

/// How much of a From_ line and header block a visitor is shown.
pub(in crate::mailbox) const SHOWN_HEADER: usize = 64 * 1024;

/// The place of a message in its mailbox, and the result of scanning its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageRef {
    /// Where the From_ line starts.
    pub offset: u64,
    /// Bytes from the start of the From_ line to the next one or to the end of the mailbox.
    pub len: u64,
    /// Lines in these bytes, the From_ line and the blank line at the end included.
    ///
    /// They are counted where a scan shows the messages ([`Mailbox::open`](crate::mailbox::Mailbox::open));
    /// [`Mailbox::lines`](crate::mailbox::Mailbox::lines) always knows them.
    pub lines: Option<u32>,
    /// Length of the From_ line with its line end; 0 where the mailbox format has none (MMDF).
    pub from_line_len: u32,
    /// Length of From_ line, header block and the empty line that ends it.
    ///
    /// Equal to `len` where the message ends within its header block.
    pub header_len: u32,
    /// The flags in `Status` and `X-Status`.
    pub flags: Flags,
    /// Whether the From_ line is a strict separator (`Candidate::Strict`): after any message that
    /// ends with a blank line it starts a message, whatever that one's Content-Length claims.
    pub(in crate::mailbox) is_strict: bool,
    /// A hash of the From_ line and the header fields that no mail reader changes, by which the
    /// message is found again in a mailbox that another program has rewritten.
    pub(in crate::mailbox) fingerprint: u64,
}

/// The result of a scan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::mailbox) struct Scan {
    /// The messages in the order of the file.
    pub messages: Vec<MessageRef>,
    /// Where the file ended; smaller than the size asked for if another program cut it.
    pub end: u64,
    /// Whether a torn last message was left out.
    pub is_torn: bool,
}

/// Called for each message: its index, its place, and its From_ line and header block, cut at 64 KiB.
pub(in crate::mailbox) type Visit<'a> = &'a mut dyn FnMut(usize, &MessageRef, &[u8]);

/// Why a scan failed.
#[derive(Debug)]
pub(in crate::mailbox) enum ScanError {
    /// The first line that is not blank is not a From_ line.
    NotMbox,
    /// Reading failed.
    Io(io::Error),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> ScanError {
        ScanError::Io(error)
    }
}

/// How a mailbox is scanned.
#[derive(Clone, Copy, Debug)]
pub(in crate::mailbox) struct Options {
    /// How much is read at once.
    pub block: usize,
    /// Whether to leave out a last message that somebody may still be writing: one whose header
    /// block or last line has no end.
    pub skip_torn: bool,
    /// Whether lines are counted.
    pub counts_lines: bool,
    /// Whether the messages are kept, and not only shown to the visitor.
    pub keeps: bool,
    /// Where to start: at a strict separator, or at the start of the file.
    pub start: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            block: BLOCK,
            skip_torn: false,
            counts_lines: true,
            keeps: true,
            start: 0,
        }
    }
}
