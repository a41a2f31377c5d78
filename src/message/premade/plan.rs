//! The plan for each part of a premade message, made in the first pass over it.

use std::io;

use super::header::RawField;
use super::structured::Structured;
use super::walk::{Framing, Nesting, Shape, Visitor};
use crate::charset::{Label, look_up};
use crate::message::parse::body::DeclaredEncoding;
use crate::message::parse::structure::MAX_DEPTH;
use crate::message::write::analysis::{Analyser, Analysis, MAX_LINE};
use crate::message::write::label::true_charset;
use crate::message::write::parameter::is_token_byte;
use crate::message::write::plan::encoded;
use crate::message::{TransferEncoding, Wire};

/// The description of an entity in its header.
pub(super) struct DeclaredEntity {
    content_type: Option<Structured>,
    /// Type and subtype in lower case.
    media_type: String,
    declared: DeclaredEncoding,
    shape: DeclaredShape,
}

#[derive(Clone, PartialEq, Eq)]
enum DeclaredShape {
    Leaf,
    Multipart {
        boundary: Vec<u8>,
    },
    Message,
    /// Signed or encrypted parts: a change of a byte would break them.
    Sealed,
}

impl DeclaredEntity {
    pub(super) fn of(header: &[RawField], nesting: Nesting) -> DeclaredEntity {
        let first = |name: &str| header.iter().find(|f| f.is(name)).map(RawField::value);
        let content_type = first("Content-Type").map(|body| Structured::parse(&body));
        let named = content_type.as_ref().map(Structured::value);
        // RFC 2045 section 5.2: without the field, or with one that names no type, the default holds.
        let media_type = named.filter(|name| is_type(name)).unwrap_or_else(|| {
            if nesting.in_digest && content_type.is_none() {
                "message/rfc822".to_owned()
            } else {
                "text/plain".to_owned()
            }
        });
        let declared = first("Content-Transfer-Encoding")
            .map_or(DeclaredEncoding::Identity, |body| {
                DeclaredEncoding::named(&String::from_utf8_lossy(&body))
            });
        let boundary = content_type.as_ref().and_then(|t| t.parameter("boundary"));
        let mut described = DeclaredEntity {
            shape: DeclaredShape::Leaf,
            content_type,
            media_type,
            declared,
        };
        described.shape = described.find_shape(boundary);
        // A part that lies too deep is not looked into, so it cannot be known to be safe to change.
        if nesting.depth >= MAX_DEPTH {
            described.shape = DeclaredShape::Sealed;
        }
        described
    }

    fn find_shape(&self, boundary: Option<String>) -> DeclaredShape {
        match self.media_type.as_str() {
            "multipart/signed" | "multipart/encrypted" => DeclaredShape::Sealed,
            name if name.starts_with("multipart/") => match boundary {
                Some(boundary) if !boundary.is_empty() => DeclaredShape::Multipart {
                    boundary: boundary.trim_end().as_bytes().to_vec(),
                },
                _ => DeclaredShape::Leaf,
            },
            "message/rfc822" | "message/global" | "message/news"
                if self.declared == DeclaredEncoding::Identity =>
            {
                DeclaredShape::Message
            }
            _ => DeclaredShape::Leaf,
        }
    }

    pub(super) fn is_leaf(&self) -> bool {
        matches!(self.shape, DeclaredShape::Leaf | DeclaredShape::Sealed)
    }

    fn walk_shape(&self) -> Shape {
        match &self.shape {
            DeclaredShape::Leaf | DeclaredShape::Sealed => Shape::Leaf,
            DeclaredShape::Message => Shape::Message,
            DeclaredShape::Multipart { boundary } => Shape::Multipart {
                boundary: boundary.clone(),
                digest: self.media_type == "multipart/digest",
            },
        }
    }

    /// Returns whether a change could break a signature or make the part undecipherable.
    fn is_sealed(&self, analysis: &Analysis) -> bool {
        let sealed = [
            "application/pkcs7-",
            "application/x-pkcs7-",
            "application/pgp-",
        ];
        self.shape == DeclaredShape::Sealed
            // Lines that mailers would change break the signature anyway: base64 keeps the bytes.
            || (analysis.has_sound_lines()
                && sealed.iter().any(|start| self.media_type.starts_with(start)))
    }

    /// Plans a leaf, or a multipart in which no delimiter was found.
    pub(super) fn plan(&self, analysis: &Analysis, wire: Wire) -> EntityPlan {
        let is_fit = analysis.is_ascii() && has_fit_lines(analysis);
        // A part that is encoded already is ASCII by its own word; a second encoding would hide it.
        if is_fit || self.declared != DeclaredEncoding::Identity || self.is_sealed(analysis) {
            return EntityPlan::untouched(!analysis.is_ascii());
        }
        let is_text = self.media_type.starts_with("text/");
        let is_broken = self.media_type.starts_with("multipart/");
        let content_type = (is_text || is_broken).then(|| self.labelled(is_broken, analysis));
        let is_wide = content_type
            .as_ref()
            .and_then(|t| t.parameter("charset"))
            .is_some_and(|label| is_wide(&label));
        let eight_bit = wire == Wire::EightBit && analysis.is_utf8() && has_fit_lines(analysis);
        let encoding = if is_text || is_broken || self.media_type.starts_with("message/") {
            match encoded(analysis) {
                _ if eight_bit => TransferEncoding::EightBit,
                // In UTF-16 a byte 0A may be half of another character: lines cannot be told apart.
                _ if is_wide => TransferEncoding::Base64,
                encoding => encoding,
            }
        } else if eight_bit && analysis.crlf == 0 && analysis.ends_with_line_end {
            // Binary data whose line ends the copy neither changes nor adds.
            TransferEncoding::EightBit
        } else {
            TransferEncoding::Base64
        };
        EntityPlan {
            content_type: content_type.filter(|new| Some(new) != self.content_type.as_ref()),
            encoding: Some(encoding),
            eight_bit: encoding == TransferEncoding::EightBit,
            is_leaf: true,
        }
    }

    /// Returns the type with the charset that fits.
    fn labelled(&self, is_broken: bool, analysis: &Analysis) -> Structured {
        let content_type = self.content_type.clone();
        let mut content_type = content_type
            .filter(|found| !is_broken && is_type(&found.value()))
            .unwrap_or_else(|| Structured::of("text/plain"));
        let declared = content_type.parameter("charset");
        let is_html = content_type.value() == "text/html";
        let charset = true_charset(declared.as_deref(), is_html, analysis);
        if declared.as_deref() != Some(&charset) {
            content_type.set("charset", &charset);
        }
        content_type
    }
}

/// Returns whether a label names UTF-16 or UTF-32.
fn is_wide(label: &str) -> bool {
    matches!(look_up(label), Label::Known(charset) if charset.is_wide())
}

fn is_type(name: &str) -> bool {
    let is_token = |part: &str| !part.is_empty() && part.bytes().all(is_token_byte);
    name.split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Returns whether any mailer carries the lines; every CRLF is a line end here, as it is to mailers.
pub(super) fn has_fit_lines(analysis: &Analysis) -> bool {
    !analysis.has_nul && analysis.bare_cr == 0 && analysis.longest_line <= MAX_LINE
}

/// The plan for one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntityPlan {
    /// The Content-Type to write, where it changes.
    pub(super) content_type: Option<Structured>,
    /// The encoding of a leaf, or the label of a multipart; `None` if nothing changes.
    pub(super) encoding: Option<TransferEncoding>,
    /// Whether bytes over 7F are left in the content.
    pub(super) eight_bit: bool,
    /// Whether it is written as content without parts.
    pub(super) is_leaf: bool,
}

impl EntityPlan {
    fn untouched(eight_bit: bool) -> EntityPlan {
        EntityPlan {
            content_type: None,
            encoding: None,
            eight_bit,
            is_leaf: true,
        }
    }

    /// Plans a multipart or message: 8-bit if one of its parts is (RFC 2045 section 6.4).
    fn container(eight_bit: bool) -> EntityPlan {
        EntityPlan {
            content_type: None,
            encoding: Some(if eight_bit {
                TransferEncoding::EightBit
            } else {
                TransferEncoding::SevenBit
            }),
            eight_bit,
            is_leaf: false,
        }
    }
}

/// The first pass: plans in the order in which entities start.
pub(super) struct EntityPlanner {
    wire: Wire,
    pub(super) plans: Vec<EntityPlan>,
    open: Vec<OpenEntity>,
    /// Analyses a leaf, or the bytes of a multipart before its first delimiter.
    analyser: Option<Analyser>,
}

struct OpenEntity {
    index: usize,
    described: DeclaredEntity,
    /// Whether a delimiter was found.
    delimited: bool,
    eight_bit: bool,
}

impl EntityPlanner {
    pub(super) fn new(wire: Wire) -> EntityPlanner {
        EntityPlanner {
            wire,
            plans: Vec::new(),
            open: Vec::new(),
            analyser: None,
        }
    }

    fn analyse(&mut self, bytes: &[u8]) {
        if let Some(analyser) = &mut self.analyser {
            analyser.push(bytes);
        }
    }
}

impl Visitor for EntityPlanner {
    fn open(&mut self, header: &[RawField], nesting: Nesting) -> io::Result<Shape> {
        let described = DeclaredEntity::of(header, nesting);
        let shape = described.walk_shape();
        self.analyser = (!matches!(shape, Shape::Message)).then(|| Analyser::new(""));
        self.open.push(OpenEntity {
            index: self.plans.len(),
            described,
            delimited: matches!(shape, Shape::Message),
            eight_bit: false,
        });
        // The place of the plan is taken now, because entities are written in the order in which they
        // begin; what it says is known when the entity ends.
        self.plans.push(EntityPlan::untouched(false));
        Ok(shape)
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.analyse(bytes);
        Ok(())
    }

    fn framing(&mut self, bytes: &[u8], kind: Framing) -> io::Result<()> {
        self.analyse(bytes);
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        match kind {
            // It is a multipart indeed: it will not be encoded as one text.
            Framing::Delimiter => {
                open.delimited = true;
                self.analyser = None;
            }
            // Preamble and epilogue are made ASCII for a 7-bit wire.
            Framing::Around if self.wire == Wire::SevenBit => {}
            Framing::Around | Framing::Rest => open.eight_bit |= !bytes.is_ascii(),
        }
        Ok(())
    }

    fn close(&mut self, _delimited: bool) -> io::Result<()> {
        let open = self.open.pop().expect("what closes was open");
        let plan = match self.analyser.take() {
            Some(analyser) if !open.delimited => open.described.plan(&analyser.finish(), self.wire),
            _ => EntityPlan::container(open.eight_bit),
        };
        if let Some(parent) = self.open.last_mut() {
            parent.eight_bit |= plan.eight_bit;
        }
        self.plans[open.index] = plan;
        Ok(())
    }
}

/// Returns the shape of an entity in the second pass: a multipart without delimiters is a leaf now.
pub(super) fn planned_shape(plan: &EntityPlan, header: &[RawField], nesting: Nesting) -> Shape {
    if plan.is_leaf {
        Shape::Leaf
    } else {
        DeclaredEntity::of(header, nesting).walk_shape()
    }
}
