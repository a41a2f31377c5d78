//! Writing a premade message: the second pass, and a shorter way for a message without parts.

use std::io::{self, Read, Write};

use super::field;
use super::header::{PremadeHeader, RawField};
use super::plan::{DeclaredEntity, EntityPlan, EntityPlanner, has_fit_lines, planned_shape};
use super::walk::{Framing, Nesting, Shape, Visitor, walk};
use crate::message::write::analysis::{Analyser, MAX_LINE};
use crate::message::write::plan::BodyWriter;
use crate::message::{MessageSource, TransferEncoding, Wire, for_each_block};

/// The changes that were made, and whether 8-bit bytes remain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Header fields that were encoded, folded or repaired, those of parts included.
    pub fields: u64,
    /// Bodies and parts that were put into a transfer encoding.
    pub encoded: u64,
    /// Charsets that the bytes proved wrong.
    pub charsets: u64,
    /// Whether bytes over 7F are left although the wire carries seven bits:
    /// in signed or encrypted parts, or in addresses (RFC 6532).
    pub eight_bit_left: bool,
}

/// Writes the message: the header as it is now, and the body of the source.
///
/// Lines end in LF. The source is read up to three times, in constant memory.
///
/// # Errors
/// Fails when the source cannot be read or `out` not be written.
pub fn message(
    header: &PremadeHeader,
    source: &dyn MessageSource,
    wire: Wire,
    out: &mut dyn Write,
) -> io::Result<Changes> {
    let body = || -> io::Result<_> {
        let mut reader = source.reader()?;
        io::copy(
            &mut reader.by_ref().take(header.body_offset()),
            &mut io::sink(),
        )?;
        Ok(reader)
    };
    let mut analyser = Analyser::new("");
    analyser.read(body()?)?;
    let analysis = analyser.finish();
    let described = DeclaredEntity::of(&header.fields, Nesting::default());
    // Most messages are ASCII in short lines: one plan for the whole body, and no search for parts.
    let is_fit = analysis.is_ascii() && has_fit_lines(&analysis);
    let mut out = LineEnds::new(out);
    let mut writer = Writer {
        wire,
        plans: Vec::new(),
        opened: 0,
        out: None,
        leaf: Leaf::default(),
        column: 0,
        changes: Changes::default(),
    };
    if is_fit || described.is_leaf() {
        let plan = described.plan(&analysis, wire);
        writer.out = Some(Out::AsItIs(&mut out));
        writer.plans.push(plan);
        writer.open(&header.fields, Nesting::default())?;
        for_each_block(body()?, |block| writer.content(block))?;
        writer.close(false)?;
    } else {
        let mut planner = EntityPlanner::new(wire);
        walk(&header.fields, body()?, &mut planner)?;
        writer.plans = planner.plans;
        writer.out = Some(Out::AsItIs(&mut out));
        walk(&header.fields, body()?, &mut writer)?;
    }
    let changes = writer.changes;
    out.finish()?;
    Ok(changes)
}

/// The second pass.
struct Writer<'a> {
    wire: Wire,
    plans: Vec<EntityPlan>,
    /// How many entities were opened.
    opened: usize,
    /// `None` only while it changes hands.
    out: Option<Out<'a>>,
    leaf: Leaf,
    /// How long the line around parts is so far.
    column: u64,
    changes: Changes,
}

enum Out<'a> {
    AsItIs(&'a mut dyn Write),
    Encoded(BodyWriter<'a>),
}

/// The leaf that is being written.
#[derive(Default)]
struct Leaf {
    /// How it is encoded, if it is.
    encoding: Option<TransferEncoding>,
    /// Whether the content so far is empty or ends with a line end.
    ends_line: bool,
}

impl<'a> Writer<'a> {
    fn plain(&mut self) -> &mut dyn Write {
        match self.out.as_mut().expect("the output is at hand") {
            Out::AsItIs(out) => *out,
            Out::Encoded(_) => unreachable!("between leaves nothing is encoded"),
        }
    }

    fn start_leaf(&mut self, plan: &EntityPlan) {
        let encoding = plan.encoding.filter(|encoding| {
            matches!(
                encoding,
                TransferEncoding::QuotedPrintable | TransferEncoding::Base64
            )
        });
        self.leaf = Leaf {
            encoding,
            ends_line: true,
        };
        if let Some(encoding) = encoding {
            self.changes.encoded += 1;
            self.out = self.out.take().map(|out| match out {
                Out::AsItIs(out) => Out::Encoded(BodyWriter::new(encoding, true, out)),
                encoded => encoded,
            });
        } else {
            self.changes.eight_bit_left |= plan.eight_bit && self.wire == Wire::SevenBit;
        }
    }

    fn end_leaf(&mut self) -> io::Result<()> {
        if let Some(Out::Encoded(writer)) = self.out.take_if(|out| matches!(out, Out::Encoded(_))) {
            self.out = Some(Out::AsItIs(writer.finish()?));
        }
        Ok(())
    }

    /// Returns a header as it is written, the empty line included.
    fn header(&mut self, fields: &[RawField], plan: &EntityPlan, is_root: bool) -> Vec<u8> {
        let mut header = HeaderWriter {
            bytes: Vec::new(),
            seen: Vec::new(),
        };
        for field in fields {
            match header.field(field, plan, is_root) {
                FieldChange::Unchanged => {}
                FieldChange::Changed => self.changes.fields += 1,
                FieldChange::EightBit => {
                    self.changes.fields += 1;
                    self.changes.eight_bit_left = true;
                }
            }
        }
        self.changes.charsets += u64::from(plan.content_type.is_some());
        header.complete(plan, is_root);
        header.bytes.push(b'\n');
        header.bytes
    }
}

impl Visitor for Writer<'_> {
    fn open(&mut self, fields: &[RawField], nesting: Nesting) -> io::Result<Shape> {
        let plan = self.plans[self.opened].clone();
        let is_root = self.opened == 0;
        self.opened += 1;
        let header = self.header(fields, &plan, is_root);
        self.plain().write_all(&header)?;
        self.column = 0;
        if plan.is_leaf {
            self.start_leaf(&plan);
        }
        Ok(planned_shape(&plan, fields, nesting))
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.leaf.ends_line = bytes.last().map_or(self.leaf.ends_line, |&b| b == b'\n');
        match self.out.as_mut().expect("the output is at hand") {
            Out::AsItIs(out) => out.write_all(bytes),
            Out::Encoded(writer) => writer.push(bytes),
        }
    }

    fn framing(&mut self, bytes: &[u8], kind: Framing) -> io::Result<()> {
        if kind != Framing::Around {
            self.column = 0;
            self.changes.eight_bit_left |= !bytes.is_ascii() && self.wire == Wire::SevenBit;
            return self.plain().write_all(bytes);
        }
        // Preamble and epilogue have no header that could name an encoding, and no reader shows them:
        // their bytes are replaced and their lines cut, until every mailer takes them.
        let mut fit = Vec::with_capacity(bytes.len());
        for (at, &byte) in bytes.iter().enumerate() {
            let ends = byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) == Some(&b'\n'));
            // A character of UTF-8 has up to four bytes: the line is cut before one, never within.
            // A character is not cut; bytes that are none may be.
            let may_break = byte.is_ascii() || byte >= 0xc0 || self.column >= MAX_LINE;
            if !ends && self.column >= MAX_LINE - 3 && may_break {
                fit.push(b'\n');
                self.column = 0;
            }
            self.column = if ends { 0 } else { self.column + 1 };
            fit.push(match byte {
                0 => b'?',
                b'\r' if !ends => b'?',
                0x80.. if self.wire == Wire::SevenBit => b'?',
                byte => byte,
            });
        }
        self.plain().write_all(&fit)
    }

    fn close(&mut self, delimited: bool) -> io::Result<()> {
        let Leaf {
            encoding,
            ends_line,
        } = std::mem::take(&mut self.leaf);
        self.end_leaf()?;
        // An encoder ends its last line itself. Where that line end is no part of the content, it serves
        // as the delimiter's (RFC 2046 section 5.1.1), and a second one would be an empty line too much.
        let needs_one = match encoding {
            None => true,
            Some(TransferEncoding::QuotedPrintable) => ends_line,
            Some(_) => false,
        };
        if delimited && needs_one {
            self.plain().write_all(b"\n")?;
        }
        Ok(())
    }
}

/// What was done with a field.
enum FieldChange {
    Unchanged,
    Changed,
    /// It was changed, and an address in it is not ASCII.
    EightBit,
}

/// A header being written.
struct HeaderWriter {
    bytes: Vec<u8>,
    /// The MIME fields written.
    seen: Vec<&'static str>,
}

/// A field of more bytes gets the room it needs and no more.
const LARGE_FIELD: usize = 64 * 1024;

const VERSION: &str = "MIME-Version";
const TYPE: &str = "Content-Type";
const ENCODING: &str = "Content-Transfer-Encoding";

impl HeaderWriter {
    fn field(&mut self, field: &RawField, plan: &EntityPlan, is_root: bool) -> FieldChange {
        if let Some(mime) = [VERSION, TYPE, ENCODING].into_iter().find(|n| field.is(n)) {
            // A second field of the name may contradict the first, and readers differ in which they
            // believe: the first stays.
            if self.seen.contains(&mime) {
                return FieldChange::Changed;
            }
            self.seen.push(mime);
            match (mime, &plan.content_type, plan.encoding) {
                (TYPE, Some(content_type), _) => {
                    self.bytes.extend(content_type.render(TYPE));
                    return FieldChange::Changed;
                }
                (ENCODING, _, Some(encoding)) if !is_said(field, encoding) => {
                    self.encoding(encoding);
                    return FieldChange::Changed;
                }
                _ => {}
            }
        }
        // Hints of mailboxes about the length of the body, which has changed.
        let is_hint = field.is("Content-Length") || field.is("Lines");
        if is_root && is_hint && plan.encoding.is_some() {
            return FieldChange::Changed;
        }
        let written = field::written(field);
        // A field of a hundred thousand recipients must not double the room of all before it.
        if written.bytes.len() > LARGE_FIELD {
            self.bytes.reserve_exact(written.bytes.len());
        }
        self.bytes.extend_from_slice(&written.bytes);
        match written.bytes {
            _ if written.eight_bit => FieldChange::EightBit,
            std::borrow::Cow::Borrowed(_) => FieldChange::Unchanged,
            std::borrow::Cow::Owned(_) => FieldChange::Changed,
        }
    }

    /// Adds the MIME fields that are missing.
    fn complete(&mut self, plan: &EntityPlan, is_root: bool) {
        let is_new = |seen: &[&str], name: &str| !seen.contains(&name);
        let is_mime = !self.seen.is_empty() || plan.encoding.is_some();
        if is_root && is_mime && is_new(&self.seen, VERSION) {
            self.bytes.extend_from_slice(b"MIME-Version: 1.0\n");
        }
        if is_new(&self.seen, TYPE)
            && let Some(content_type) = &plan.content_type
        {
            self.bytes.extend(content_type.render(TYPE));
        }
        match plan.encoding {
            // The default (RFC 2045 section 6.1).
            None | Some(TransferEncoding::SevenBit) => {}
            Some(encoding) if is_new(&self.seen, ENCODING) => self.encoding(encoding),
            Some(_) => {}
        }
    }

    fn encoding(&mut self, encoding: TransferEncoding) {
        let field = format!("{ENCODING}: {encoding}\n");
        self.bytes.extend_from_slice(field.as_bytes());
    }
}

fn is_said(field: &RawField, encoding: TransferEncoding) -> bool {
    field
        .value()
        .eq_ignore_ascii_case(encoding.name().as_bytes())
}

/// Writes LF for CRLF, wherever blocks are cut, and ends the last line.
struct LineEnds<'a> {
    out: &'a mut dyn Write,
    /// A CR whose next byte is not known yet.
    cr: bool,
    last: Option<u8>,
}

impl LineEnds<'_> {
    fn new(out: &mut dyn Write) -> LineEnds<'_> {
        LineEnds {
            out,
            cr: false,
            last: None,
        }
    }

    fn finish(mut self) -> io::Result<()> {
        self.release(b'\0')?;
        match self.last {
            Some(b'\n') | None => Ok(()),
            Some(_) => self.out.write_all(b"\n"),
        }
    }

    /// Writes the CR that was held back unless it turns out to be half of a line end.
    fn release(&mut self, next: u8) -> io::Result<()> {
        if std::mem::take(&mut self.cr) && next != b'\n' {
            self.out.write_all(b"\r")?;
        }
        Ok(())
    }
}

impl Write for LineEnds<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((&first, &last)) = bytes.first().zip(bytes.last()) else {
            return Ok(0);
        };
        self.release(first)?;
        self.last = Some(last);
        // One write a block and not one a line: the spool of a large message is a file.
        let mut lines = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\r', rest) {
            lines.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.first() {
                Some(b'\n') => {}
                Some(_) => lines.push(b'\r'),
                None => self.cr = true,
            }
        }
        lines.extend_from_slice(rest);
        self.out.write_all(&lines)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
