//! Composition: from what was asked for to a draft that may leave.
//!
//! Everything is validated here, before anything leaves (design decision D2). What cannot be
//! sent as it stands is a [`Failure`] in the result, never a lost text: the draft that comes
//! back always holds the body, so that it can be kept. How the draft becomes bytes for one
//! route is in [`render`].

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::address::{
    EnvelopeAddress, NamedAddress, Recipient, alias, parse_list, parse_recipients,
};
use crate::config::{Environment, Settings};
use crate::exit::{Failure, Kind};
use crate::message::premade::{PremadeHeader, Reading};
use crate::message::{self, Charset, FileName, HeaderName, HeaderValue, MediaType, MessageSource};
use crate::sanitize;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::{clock, host, random, user};

pub mod attachment;
pub mod escapes;
pub mod input;
pub mod premade;
pub mod render;

pub use attachment::Attached;

/// What was asked for, as typed.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Recipient lists for the To field.
    pub to: Vec<OsString>,
    /// Recipient lists for the Cc field.
    pub cc: Vec<OsString>,
    /// Recipient lists that stand in no field.
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
    /// Refuse a message that is too large instead of leaving attachments out.
    pub strict_size: bool,
    /// Leave out attachments that are empty.
    pub skip_empty_attachments: bool,
    /// The text is a template: it begins with header fields.
    pub template: bool,
    /// Files that get a copy.
    pub copies: Vec<OsString>,
    /// A file named after the first recipient gets a copy.
    pub copy_by_name: bool,
}

/// A file to attach.
#[derive(Clone, Debug, Default)]
pub struct AttachRequest {
    /// The file; `-` is standard input. `FILE=charset` names the charset, too (rule R1).
    pub path: OsString,
    /// The Content-Type, where one is given.
    pub content_type: Option<OsString>,
    /// The name for the recipient, where one is given.
    pub name: Option<OsString>,
}

impl AttachRequest {
    /// Returns whether standard input is attached.
    pub fn is_standard_input(&self) -> bool {
        self.path == "-"
    }
}

/// A mail that is being composed: validated, but not yet bytes.
#[derive(Debug, Default)]
pub struct Draft {
    /// The To field.
    pub to: Vec<NamedAddress>,
    /// The Cc field.
    pub cc: Vec<NamedAddress>,
    /// Recipients in the envelope only.
    pub bcc: Vec<NamedAddress>,
    /// Files to append to, where `expandaddr` is set.
    pub files: Vec<OsString>,
    /// Commands to pipe to, where `expandaddr` is set.
    pub commands: Vec<OsString>,
    /// The From field that was asked for.
    pub from: Vec<NamedAddress>,
    /// The Sender field that was asked for.
    pub sender: Option<NamedAddress>,
    /// The Reply-To field.
    pub reply_to: Vec<NamedAddress>,
    /// The envelope sender that was asked for.
    pub envelope_sender: Option<EnvelopeAddress>,
    /// The sender's full name, where it was asked for.
    pub full_name: Option<HeaderValue>,
    /// The subject.
    pub subject: Option<HeaderValue>,
    /// The Content-Type of the body that was asked for.
    pub content_type: Option<MediaType>,
    /// Further header fields.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// The header of a message that somebody else composed; then `body` is that whole message.
    pub premade: Option<PremadeHeader>,
    /// Whether the envelope sender is the empty `<>` of bounces.
    pub null_sender: bool,
    /// The body, as read.
    pub body: Spool,
    /// The same text as HTML.
    pub html: Option<Spool>,
    /// The attachments.
    pub attachments: Vec<Attached>,
    /// How large the message may be, in bytes; attachments are left out until it is not larger.
    pub max_size: Option<u64>,
    /// Refuse a message that is too large instead.
    pub strict_size: bool,
    /// Files that get a copy of what was sent (`record`, `-F`, Fcc).
    pub copies: Vec<OsString>,
    /// The Date field.
    pub date: String,
    /// The Message-ID field.
    pub message_id: String,
    /// What makes the boundary of a multipart unguessable.
    pub boundary_seed: String,
}

impl Draft {
    /// Returns all recipients: To, Cc and Bcc.
    pub fn recipients(&self) -> impl Iterator<Item = &NamedAddress> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// A draft, and what is wrong with what was asked for.
#[derive(Debug, Default)]
pub struct Composed {
    /// The draft; its body is whole even where something failed.
    pub draft: Draft,
    /// Why nothing may leave; empty if it may.
    pub failures: Vec<Failure>,
    /// Recipients that cannot be; the others get the mail.
    pub bad_recipients: Vec<BadRecipient>,
    /// What was changed or left out without stopping the mail.
    pub warnings: Vec<String>,
}

impl Composed {
    /// Returns all that is wrong, in the order in which it is told.
    pub fn all_failures(&self) -> impl Iterator<Item = &Failure> {
        let bad = self.bad_recipients.iter().map(|bad| &bad.failure);
        self.failures.iter().chain(bad)
    }
}

/// A recipient that cannot be.
#[derive(Debug)]
pub struct BadRecipient {
    /// What was typed, sanitised and cut.
    pub text: String,
    /// Why it is none.
    pub failure: Failure,
}

/// Validates a request and makes a draft of it, with this body.
///
/// Reads the attachments; waits for FIFOs until `attachment::DEADLINE`.
pub fn compose(
    request: &Request,
    body: Spool,
    settings: &Settings,
    environment: &Environment,
    signals: &Signals,
) -> Composed {
    let mut composer = Composer::new(body, settings, environment);
    if request.template {
        composer.template();
    }
    composer.headers(&request.headers);
    match (&request.content_type, &request.body_file) {
        (Some(content_type), _) => composer.content_type(&content_type.to_string_lossy()),
        (None, Some(path)) => composer.type_of_file(path),
        (None, None) => {}
    }
    composer.sender(request, environment);
    if let Some(subject) = &request.subject {
        composer.subject(subject.as_bytes());
    }
    for (lists, field) in [
        (&request.to, Field::To),
        (&request.cc, Field::Cc),
        (&request.bcc, Field::Bcc),
    ] {
        for list in lists {
            composer.recipients(list.as_bytes(), field);
        }
    }
    for wanted in &request.attachments {
        match attachment::read(wanted, signals) {
            Ok(attached) if request.skip_empty_attachments && attached.source.is_empty() => {}
            Ok(attached) => composer.composed.draft.attachments.push(attached),
            Err(failure) => composer.composed.failures.push(failure),
        }
    }
    composer.text_forms(request, signals);
    composer.size_limit(request);
    composer.copies(request);
    composer.check_recipients();
    composer.composed
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    To,
    Cc,
    Bcc,
}

struct Composer<'a> {
    settings: &'a Settings,
    composed: Composed,
}

impl<'a> Composer<'a> {
    /// Starts a draft with this body: dated, identified, and nothing else.
    fn new(body: Spool, settings: &'a Settings, environment: &Environment) -> Composer<'a> {
        let mut composer = Composer {
            settings,
            composed: Composed::default(),
        };
        composer.composed.draft.body = body;
        composer.stamp(environment);
        composer
    }

    /// Sets the Date, the Message-ID and the seed of boundaries.
    fn stamp(&mut self, environment: &Environment) {
        let time = clock::message_time(environment.source_date_epoch);
        let host = self
            .settings
            .text("hostname")
            .map(str::to_owned)
            .or_else(host::qualified_name)
            .unwrap_or_else(host::node_name);
        let draft = &mut self.composed.draft;
        draft.date = message::date(time.timestamp(), time.offset().local_minus_utc());
        let now = clock::since_epoch().as_secs() as i64;
        draft.message_id = message::message_id(now, random::number(), &host);
        draft.boundary_seed = format!("{:016x}", random::number());
    }

    /// Takes the header fields of `-a` and `--header` (rule R1).
    fn headers(&mut self, headers: &[OsString]) {
        for header in headers {
            let bytes = header.as_bytes();
            if let Err(failure) = self.header(bytes) {
                self.composed.failures.push(failure);
            }
        }
    }

    fn header(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let shown = sanitize::line(bytes);
        let bad = |reason: String| {
            Failure::new(
                Kind::Data,
                format!("cannot add the header field \"{shown}\""),
            )
            .because(reason)
        };
        let colon = bytes.iter().position(|&b| b == b':').ok_or_else(|| {
            bad("it has no colon".to_owned())
                .hint("write it as 'Name: text'; --attach FILE attaches a file")
        })?;
        let name = String::from_utf8_lossy(trim_blanks(&bytes[..colon])).into_owned();
        let name = HeaderName::new(&name).map_err(|error| bad(error.to_string()))?;
        let value = HeaderValue::from_bytes(trim_blanks(&bytes[colon + 1..]))
            .map_err(|error| bad(error.to_string()))?;
        self.field(name, value, trim_blanks(&bytes[colon + 1..]));
        Ok(())
    }

    /// Puts a header field where it belongs: some replace what we would write, some add to it.
    ///
    /// `bytes` are the value as it was written, for what may name a file.
    fn field(&mut self, name: HeaderName, value: HeaderValue, bytes: &[u8]) {
        match name.as_str().to_ascii_lowercase().as_str() {
            "to" => self.recipients(bytes, Field::To),
            "fcc" => self.composed.draft.copies.push(os_string(bytes)),
            "cc" => self.recipients(bytes, Field::Cc),
            "bcc" => self.recipients(bytes, Field::Bcc),
            "from" => self.composed.draft.from = self.addresses(&name, &value),
            "sender" => {
                self.composed.draft.sender = self.addresses(&name, &value).into_iter().next();
            }
            "reply-to" => self.composed.draft.reply_to = self.addresses(&name, &value),
            "subject" => self.composed.draft.subject = Some(value),
            "content-type" => self.content_type(value.as_str()),
            "date" => self.composed.draft.date = value.as_str().to_owned(),
            "message-id" => self.composed.draft.message_id = value.as_str().to_owned(),
            // How the body is encoded is decided by its bytes (rule R1).
            "mime-version" | "content-transfer-encoding" => {}
            _ => self.composed.draft.fields.push((name, value)),
        }
    }

    /// Takes the header fields off a template; one with a Content-Type of its own is a finished
    /// message and stays as it is (features.md O18).
    fn template(&mut self) {
        let draft = &mut self.composed.draft;
        let header = match PremadeHeader::read(&draft.body, Reading { comments: true }) {
            Ok(header) => header,
            Err(error) => {
                let failure = Failure::new(Kind::Io, "cannot read the template");
                return self.composed.failures.push(failure.because(error));
            }
        };
        let is_finished = header.contains("Content-Type") && header.contains("MIME-Version");
        if !is_finished {
            match draft.body.tail(header.body_offset()) {
                Ok(body) => draft.body = body,
                Err(error) => {
                    let failure = Failure::new(Kind::Io, "cannot read the template");
                    return self.composed.failures.push(failure.because(error));
                }
            }
        }
        for field in header.iter() {
            let name = HeaderName::new(field.name());
            let bytes = field.value();
            let value = HeaderValue::from_bytes(&bytes);
            match (name, value) {
                (Ok(name), Ok(value)) => self.template_field(name, value, &bytes),
                (Err(error), _) | (_, Err(error)) => {
                    let shown = sanitize::line(field.raw());
                    let what = format!(
                        "the header field \"{}\" of the template is wrong",
                        shown.trim()
                    );
                    let failure = Failure::new(Kind::Data, what).because(error);
                    self.composed.failures.push(failure);
                }
            }
        }
        self.composed.draft.premade = is_finished.then_some(header);
    }

    /// Takes one field of a template; an empty one says nothing.
    fn template_field(&mut self, name: HeaderName, value: HeaderValue, bytes: &[u8]) {
        if value.as_str().is_empty() {
            return;
        }
        if name.is("Resent-Bcc") {
            return self.recipients(bytes, Field::Bcc);
        }
        self.field(name, value, bytes.trim_ascii());
    }

    /// Makes the forms of the text that were asked for: stripped, preformatted, HTML.
    fn text_forms(&mut self, request: &Request, signals: &Signals) {
        let result = self.try_text_forms(request, signals);
        if let Err(failure) = result {
            self.composed.failures.push(failure);
        }
    }

    fn try_text_forms(&mut self, request: &Request, signals: &Signals) -> Result<(), Failure> {
        let spooling = |error: io::Error| {
            Failure::new(Kind::CannotCreate, "cannot spool the message").because(error)
        };
        let draft = &mut self.composed.draft;
        if request.plain {
            let mut stripped = Spool::new();
            message::strip_terminal_codes(draft.body.reader(), &mut stripped).map_err(spooling)?;
            draft.body = stripped;
        }
        if let Some(path) = &request.html {
            let input = input::read_file(path, signals);
            if let Some(failure) = input.failure {
                return Err(failure);
            }
            if draft.body.is_empty() {
                let mut html = Vec::new();
                io::Read::read_to_end(&mut input.body.reader(), &mut html).map_err(spooling)?;
                let text = message::plain_of_html(&html, None);
                draft.body = Spool::read_from(&mut text.as_bytes()).map_err(spooling)?;
            }
            draft.html = Some(input.body);
        } else if request.preformatted {
            let mut html = Spool::new();
            message::preformatted(&draft.body, &mut html).map_err(spooling)?;
            draft.html = Some(html);
        }
        Ok(())
    }

    /// Takes the largest size from `max-size`, as `10M`, `500K` or bytes.
    fn size_limit(&mut self, request: &Request) {
        self.composed.draft.strict_size = request.strict_size;
        let Some(text) = self.settings.text("max-size") else {
            return;
        };
        let (digits, factor) = match text.char_indices().last() {
            Some((end, 'k' | 'K')) => (&text[..end], 1 << 10),
            Some((end, 'm' | 'M')) => (&text[..end], 1 << 20),
            Some((end, 'g' | 'G')) => (&text[..end], 1 << 30),
            _ => (text, 1),
        };
        match digits.parse::<u64>() {
            Ok(number) => self.composed.draft.max_size = Some(number.saturating_mul(factor)),
            Err(_) => self.composed.warnings.push(format!(
                "{}: max-size must be a size as 10M, not {}",
                self.settings.origin("max-size"),
                sanitize::line(text.as_bytes())
            )),
        }
    }

    /// Finds the files that get a copy: `record`, `-F`, and those named one by one.
    fn copies(&mut self, request: &Request) {
        let draft = &mut self.composed.draft;
        draft.copies.extend(request.copies.iter().cloned());
        if request.copy_by_name {
            // POSIX: the local part of the first recipient, in the working directory.
            let first = draft.recipients().next();
            let name = first.map(|first| first.address().local_part().into());
            draft.copies.extend(name);
        } else if let Some(record) = self.settings.path("record") {
            draft.copies.push(record.to_owned());
        }
    }

    /// Takes the Content-Type of the text; `html` and `plain` are short for text/…
    fn content_type(&mut self, text: &str) {
        let text = match text {
            "html" => "text/html",
            "plain" => "text/plain",
            other => other,
        };
        match MediaType::parse(text) {
            Ok(media_type) => self.composed.draft.content_type = Some(media_type),
            Err(error) => {
                let what = "cannot use the Content-Type that was given";
                let failure = Failure::new(Kind::Data, what).because(error);
                self.composed.failures.push(failure);
            }
        }
    }

    /// Takes the type of the text from the name of its file (`-m`), if it is one of a text.
    fn type_of_file(&mut self, path: &OsString) {
        let extension = FileName::from_path(path.as_bytes()).extension();
        let by_name = extension.and_then(|extension| MediaType::of_extension(&extension));
        self.composed.draft.content_type = by_name.filter(MediaType::is_text);
    }

    /// Parses the addresses of a field that is no recipient field; a bad one stops the mail.
    fn addresses(&mut self, name: &HeaderName, value: &HeaderValue) -> Vec<NamedAddress> {
        let mut addresses = Vec::new();
        for entry in parse_list(value.as_str()) {
            match entry {
                Ok(address) => addresses.push(address),
                Err(error) => {
                    let shown = sanitize::line(error.text.as_bytes());
                    let what = format!("{name} \"{shown}\" is no address");
                    let failure = Failure::new(Kind::Data, what).because(error);
                    self.composed.failures.push(failure);
                }
            }
        }
        addresses
    }

    /// Finds the sender that was asked for (rule R3): `-r`, a From field, the variables.
    fn sender(&mut self, request: &Request, environment: &Environment) {
        if let Some(name) = &request.full_name {
            let (value, _) = HeaderValue::from_free_text(name.as_bytes());
            self.composed.draft.full_name = Some(value);
        }
        let by_option = request.from.as_ref().map(|from| {
            let from = HeaderValue::from_bytes(from.as_bytes()).map_err(|error| {
                let shown = sanitize::line(from.as_bytes());
                Failure::new(Kind::Data, format!("the sender \"{shown}\" is no address"))
                    .because(error)
            });
            match from {
                Ok(from) => self.one_sender(&from),
                Err(failure) => {
                    self.composed.failures.push(failure);
                    Vec::new()
                }
            }
        });
        let from = self.variable("from");
        let sender = self.variable("sender").into_iter().next();
        let draft = &mut self.composed.draft;
        if draft.from.is_empty() {
            draft.from = by_option.clone().unwrap_or(from);
        }
        if draft.sender.is_none() {
            // RFC 5322 section 3.6.2: of several authors one is the sender.
            let first = draft.from.first().filter(|_| draft.from.len() > 1);
            draft.sender = sender.or(first.cloned());
        }
        draft.envelope_sender = by_option
            .as_deref()
            .and_then(<[NamedAddress]>::first)
            .or(draft.sender.as_ref())
            .or(draft.from.first())
            .map(|address| address.address().clone());
        if draft.reply_to.is_empty() {
            self.composed.draft.reply_to = match self.settings.text("replyto") {
                Some(_) => self.variable("replyto"),
                None => environment
                    .replyto
                    .as_ref()
                    .and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok())
                    .map(|value| self.addresses(&HeaderName::known("Reply-To"), &value))
                    .unwrap_or_default(),
            };
        }
    }

    /// Parses the address of `-r`: one, for it is the envelope sender too.
    fn one_sender(&mut self, from: &HeaderValue) -> Vec<NamedAddress> {
        let addresses = self.addresses(&HeaderName::known("From"), from);
        if addresses.len() > 1 {
            let shown = sanitize::line(from.as_str().as_bytes());
            let what = format!("the sender \"{shown}\" is more than one address");
            self.composed.failures.push(Failure::new(Kind::Data, what));
        }
        addresses
    }

    /// Parses the addresses that a variable holds.
    fn variable(&mut self, name: &'static str) -> Vec<NamedAddress> {
        let Some(text) = self.settings.text(name) else {
            return Vec::new();
        };
        match HeaderValue::new(text) {
            Ok(value) => self.addresses(&HeaderName::known(name), &value),
            Err(error) => {
                let what = format!("the variable {name} holds no address");
                let failure = Failure::new(Kind::Data, what).because(error);
                self.composed.failures.push(failure);
                Vec::new()
            }
        }
    }

    fn subject(&mut self, bytes: &[u8]) {
        let (value, changed) = HeaderValue::from_free_text(bytes);
        if changed {
            self.composed
                .warnings
                .push("control characters in the subject were replaced by a blank".to_owned());
        }
        self.composed.draft.subject = Some(value);
    }

    /// Parses one recipient list and expands the aliases of the mailrc in it.
    fn recipients(&mut self, bytes: &[u8], field: Field) {
        let text = message::decode_text(bytes);
        let charset = Charset::of(bytes);
        let as_written = |text: &str| OsString::from_vec(message::encode_text(text, charset));
        for entry in parse_recipients(&text, self.settings.is_set("expandaddr")) {
            match entry {
                Ok(Recipient::Address(address)) if self.is_alias(&address) => {
                    self.alias(&address, field);
                }
                Ok(Recipient::Address(address)) => self.recipient(address, field),
                Ok(Recipient::File(path)) => {
                    self.composed.draft.files.push(as_written(&path));
                }
                Ok(Recipient::Command(command)) => {
                    self.composed.draft.commands.push(as_written(&command));
                }
                Err(error) => self.bad_recipient(&error.text, error.reason),
            }
        }
    }

    fn is_alias(&self, address: &NamedAddress) -> bool {
        address.name().is_none()
            && self
                .settings
                .aliases
                .contains_key(address.address().as_str())
    }

    fn alias(&mut self, address: &NamedAddress, field: Field) {
        let name = address.address().as_str();
        let aliases = &self.settings.aliases;
        let mut expansion = alias::expand(name, |name| aliases.get(name).map(Vec::as_slice));
        if !self.settings.is_set("metoo") {
            self.leave_me_out(&mut expansion.members);
        }
        for member in expansion.members {
            for entry in parse_list(&member) {
                match entry {
                    Ok(address) => self.recipient(address, field),
                    Err(error) => self.bad_recipient(&error.text, error.reason),
                }
            }
        }
        for member in expansion.ignored {
            self.bad_recipient(&member, "an alias cannot lead to a command or file");
        }
    }

    /// Takes one's own names (`alternates` included) out of a group, unless nobody would be left.
    fn leave_me_out(&self, members: &mut Vec<String>) {
        let login = user::login_name();
        let is_me = |member: &String| {
            let mine = self.settings.alternates.iter().chain([&login]);
            mine.into_iter()
                .any(|name| name.eq_ignore_ascii_case(member))
        };
        if members.iter().any(|member| !is_me(member)) {
            members.retain(|member| !is_me(member));
        }
    }

    fn recipient(&mut self, address: NamedAddress, field: Field) {
        if address.is_repaired() {
            let shown = sanitize::line(address.address().as_str().as_bytes()).into_owned();
            self.composed.warnings.push(format!(
                "control characters in the name of {shown} were replaced by a blank"
            ));
        }
        let draft = &mut self.composed.draft;
        match field {
            Field::To => draft.to.push(address),
            Field::Cc => draft.cc.push(address),
            Field::Bcc => draft.bcc.push(address),
        }
    }

    fn bad_recipient(&mut self, text: &str, reason: &'static str) {
        let shown = sanitize::line(text.as_bytes());
        let shown: String = shown.chars().take(200).collect();
        let what = format!("\"{shown}\" is no recipient");
        self.composed.bad_recipients.push(BadRecipient {
            failure: Failure::new(Kind::Data, what).because(reason),
            text: shown,
        });
    }

    /// A mail needs someone to go to: with only bad recipients there is nothing to send.
    fn check_recipients(&mut self) {
        let draft = &self.composed.draft;
        let has_others = !draft.files.is_empty() || !draft.commands.is_empty();
        if draft.recipients().next().is_none() && !has_others {
            let bad = std::mem::take(&mut self.composed.bad_recipients);
            if bad.is_empty() {
                let failure = Failure::new(Kind::Usage, "there is no recipient");
                self.composed.failures.push(failure);
            }
            let bad = bad.into_iter().map(|bad| bad.failure);
            self.composed.failures.extend(bad);
        }
    }
}

fn os_string(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

/// Takes blanks and tabs off both ends; a line end stays, to be refused.
fn trim_blanks(bytes: &[u8]) -> &[u8] {
    let is_text = |b: &u8| *b != b' ' && *b != b'\t';
    let start = bytes.iter().position(is_text).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(is_text).map_or(start, |end| end + 1);
    &bytes[start..end]
}

impl MessageSource for Spool {
    fn len(&self) -> u64 {
        Spool::len(self)
    }

    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>> {
        Ok(Box::new(Spool::reader(self)))
    }
}
