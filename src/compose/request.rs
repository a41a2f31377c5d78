//! The request: all options and recipients as typed, before they are validated.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;

/// The options and recipients, as typed.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Recipient lists for the To field.
    pub to: Vec<OsString>,
    /// Recipient lists for the Cc field.
    pub cc: Vec<OsString>,
    /// Recipients of the envelope only, in no header field.
    pub bcc: Vec<OsString>,
    /// The subject.
    pub subject: Option<OsString>,
    /// The sender: From field and envelope.
    pub from: Option<OsString>,
    /// The sender's full name.
    pub full_name: Option<OsString>,
    /// The Content-Type of the body.
    pub content_type: Option<OsString>,
    /// The file that the body comes from, which says its type by its name.
    pub body_file: Option<OsString>,
    /// Header fields, as `Name: text`.
    pub headers: Vec<OsString>,
    /// Files to attach; `-` is standard input.
    pub attachments: Vec<AttachRequest>,
    /// An HTML file that says the same as the text.
    pub html: Option<OsString>,
    /// Send the text in a fixed-width form, too.
    pub preformatted: bool,
    /// Take terminal sequences and overwritten progress lines out of the text.
    pub plain: bool,
    /// Refuse a message that is too large, instead of leaving out attachments.
    pub strict_size: bool,
    /// Leave out empty attachments.
    pub skip_empty_attachments: bool,
    /// The text is a template: it begins with header fields.
    pub template: bool,
    /// The transfer encoding of the text.
    pub encoding: Option<OsString>,
    /// The attachments are other forms of the text.
    pub alternatives: bool,
    /// Leave MIME out where the text needs none.
    pub without_mime: bool,
    /// Files that get a copy.
    pub copies: Vec<OsString>,
    /// A file named after the first recipient gets a copy.
    pub copy_by_name: bool,
    /// The file of this name gets a copy, instead of those of `record` and `copy_by_name`: a plain
    /// name, in the working directory or the folder.
    pub copy_named: Option<String>,
    /// Bare names that a received message has among the recipients: they are no aliases of ours (POSIX
    /// `alias`).
    pub received_names: BTreeSet<String>,
    /// Parts of received messages that go along.
    pub carried: Vec<Carried>,
    /// Mailing lists among the recipients that the answered message names: the mail says where its
    /// answers go, as with `followup-to`.
    pub lists: Vec<String>,
}

/// A part of a received message that is sent on.
#[derive(Clone, Debug)]
pub struct Carried {
    /// The name for the recipient; as the first sender wrote it.
    pub name: String,
    /// Its type, such as `application/pdf`.
    pub media_type: String,
    /// Its charset, where it names one.
    pub charset: Option<String>,
    /// The identifier by which the HTML of its message shows it, if it does.
    pub content_id: Option<String>,
    /// Its bytes, without a transfer encoding.
    pub bytes: Arc<[u8]>,
}

impl Request {
    /// Returns whether anything goes with the text: files, or parts of received messages.
    pub fn has_attachments(&self) -> bool {
        !self.attachments.is_empty() || !self.carried.is_empty()
    }

    /// Returns whether standard input is the HTML.
    pub fn takes_piped_html(&self) -> bool {
        // By its other name it would be read as the text first, and be empty as HTML.
        let names = ["-", "/dev/stdin"];
        self.html
            .as_deref()
            .is_some_and(|file| names.iter().any(|name| file == *name))
    }
}

/// A file to attach.
#[derive(Clone, Debug, Default)]
pub struct AttachRequest {
    /// The file; `-` is standard input. `FILE=charset` names the charset, too.
    pub path: OsString,
    /// The Content-Type, where one is given.
    pub content_type: Option<OsString>,
    /// The name for the recipient, where one is given.
    pub name: Option<OsString>,
    /// The transfer encoding, where one is given.
    pub encoding: Option<OsString>,
}

impl AttachRequest {
    /// Returns whether standard input is attached.
    pub fn is_standard_input(&self) -> bool {
        self.path == "-"
    }
}
