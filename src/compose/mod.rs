//! Composition: makes a validated draft from a request.
//!
//! Everything is validated here, before anything leaves. What cannot be
//! sent as it stands is a [`Failure`] in the result, never a lost text: the draft that comes
//! back always holds the body, so that it can be kept. How the draft becomes bytes for one
//! route is in [`render`]; a text that is typed, with its escapes, in [`escapes`]; what a reply or a
//! forwarded message takes from others in [`answer`].

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use spooling::unspooled;

use crate::charset::{self, Label};
use crate::config::{Environment, KnownNames, Settings};
use crate::exit::{Failure, Kind};
use crate::message::premade::{PremadeHeader, Reading};
use crate::message::{
    self, FieldBody, FileName, HeaderName, HeaderValue, MediaType, MessageSource, Wishes,
};
use crate::sanitize;
use crate::sys::open::below::Below;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::{clock, random};

pub(crate) mod answer;
pub mod attachment;
mod draft;
pub mod escapes;
mod followup;
pub mod input;
mod people;
mod pictures;
pub mod premade;
pub mod render;
mod request;
pub(crate) mod spooling;
mod unicode;

pub use attachment::Attached;
pub use draft::{BadRecipient, Composed, Draft, Warning};
pub(crate) use people::mailrc_members;
pub use request::{AttachRequest, Carried, Request};

/// Validates a request and makes a draft of it, with this body.
///
/// Reads the attachments; waits for FIFOs until `open::read::DEADLINE`.
pub fn compose(
    request: &Request,
    body: Spool,
    settings: &Settings,
    environment: &Environment,
    signals: &Signals,
) -> Composed {
    let mut composer = Composer::new(body, settings, environment);
    composer.received_names = request.received_names.clone();
    // The order decides what holds: header fields of the command line come behind those of a
    // template and replace the ones that a message has once; -s replaces the subject of both. A
    // From field stays, and -r is the envelope sender beside it.
    if request.template {
        composer.template();
    }
    composer.headers(&request.headers);
    match (&request.content_type, &request.body_file) {
        (Some(content_type), _) => composer.content_type(&content_type.to_string_lossy()),
        (None, Some(path)) => composer.type_of_file(path),
        (None, None) => {}
    }
    composer.wishes(request);
    composer.sender(request, environment);
    if let Some(subject) = &request.subject {
        composer.subject(subject.as_bytes());
    }
    for (lists, field) in [
        (&request.to, RecipientField::To),
        (&request.cc, RecipientField::Cc),
        (&request.bcc, RecipientField::Bcc),
    ] {
        for list in lists {
            composer.recipients(list.as_bytes(), field);
        }
    }
    composer.followup_to(request);
    // Behind all lists, because a mail that has no other recipient gets no copies either.
    composer.automatic_copies();
    for wanted in &request.attachments {
        // The others are read even where one fails: a person then sees all that is wrong at once.
        match attachment::read(wanted, signals) {
            Ok(attached) if request.skip_empty_attachments && attached.source.is_empty() => {}
            Ok(attached) => {
                composer.warn_of_charset(attached.charset.as_deref());
                composer.warn_of_type(attached.content_type.as_ref());
                composer.composed.draft.attachments.push(attached);
            }
            Err(failure) => {
                composer.composed.is_cut |= wanted.is_standard_input();
                composer.composed.failures.push(failure);
            }
        }
    }
    for part in &request.carried {
        match attachment::carried(part) {
            Ok(attached) => composer.composed.draft.attachments.push(attached),
            Err(failure) => composer.composed.failures.push(failure),
        }
    }
    composer.text_forms(request, signals);
    composer.pictures(request, signals);
    composer.size_limit(request);
    composer.copies(request);
    // Last, because a template, a header field and an alias may all have brought recipients.
    composer.check_recipients();
    composer.composed
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecipientField {
    To,
    Cc,
    Bcc,
}

struct Composer<'a> {
    settings: &'a Settings,
    /// Knowledge about bare names.
    names: KnownNames<'a>,
    /// Whether the message was finished by a program, and not written by a person.
    is_finished: bool,
    /// Bare names that are no aliases, because a received message has them.
    received_names: BTreeSet<String>,
    /// The directory of the HTML file, whose pictures may go along.
    html_directory: Option<Below>,
    composed: Composed,
}

impl<'a> Composer<'a> {
    /// Starts a draft with this body: dated, identified, and nothing else.
    fn new(body: Spool, settings: &'a Settings, environment: &Environment) -> Composer<'a> {
        let mut composer = Composer {
            settings,
            names: KnownNames::new(settings),
            is_finished: false,
            received_names: BTreeSet::new(),
            html_directory: None,
            composed: Composed::default(),
        };
        composer.composed.draft.body = body;
        composer.stamp(environment);
        composer
    }

    /// Sets the Date, the Message-ID and the seed of boundaries.
    fn stamp(&mut self, environment: &Environment) {
        let time = clock::message_time(environment.source_date_epoch);
        let host = self.settings.host_name();
        let draft = &mut self.composed.draft;
        draft.date = message::date(time.timestamp(), time.offset().local_minus_utc());
        // The identifier is made from the real time and a random number even where
        // SOURCE_DATE_EPOCH fixes the Date: two messages must never have the same (RFC 5322
        // section 3.6.4).
        let now = clock::since_epoch().as_secs() as i64;
        draft.message_id = message::message_id(now, random::number(), &host);
        draft.boundary_seed = format!("{:016x}", random::number());
    }

    /// Takes the header fields of `-a` and `--header`.
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
        let refusal = |reason: String| {
            Failure::new(
                Kind::Data,
                format!("cannot add the header field \"{shown}\""),
            )
            .because(reason)
        };
        let colon = bytes.iter().position(|&b| b == b':').ok_or_else(|| {
            refusal("it has no colon".to_owned())
                .hint("write it as 'Name: text'; --attach FILE attaches a file")
        })?;
        let name = String::from_utf8_lossy(trim_blanks(&bytes[..colon])).into_owned();
        let name = HeaderName::new(&name).map_err(|error| refusal(error.to_string()))?;
        let value = HeaderValue::from_bytes(trim_blanks(&bytes[colon + 1..]))
            .map_err(|error| refusal(error.to_string()))?;
        self.field(name, value, trim_blanks(&bytes[colon + 1..]));
        Ok(())
    }

    /// Adds a header field; some fields replace the one that we would write.
    ///
    /// `bytes` are the value as it was written, for what may name a file.
    fn field(&mut self, name: HeaderName, value: HeaderValue, bytes: &[u8]) {
        match name.as_str().to_ascii_lowercase().as_str() {
            // A recipient field adds to the lists, as -c and -b do: a recipient that one place
            // names must not be lost because another place names others. The other fields replace
            // what was known.
            "to" => self.recipients(bytes, RecipientField::To),
            // Fcc is for this host alone: it names a file and is not sent.
            "fcc" => self.composed.draft.copies.push(os_string(bytes)),
            "cc" => self.recipients(bytes, RecipientField::Cc),
            // Sent on as a field it would show the blind copies to every recipient.
            "bcc" | "resent-bcc" => self.recipients(bytes, RecipientField::Bcc),
            "from" => self.composed.draft.from = self.addresses(&name, &value),
            "sender" => {
                self.composed.draft.sender = self.addresses(&name, &value).into_iter().next();
            }
            "reply-to" => self.composed.draft.reply_to = self.addresses(&name, &value),
            "subject" => self.composed.draft.subject = Some(value),
            "content-type" => self.content_type(value.as_str()),
            "date" => self.composed.draft.date = value.as_str().to_owned(),
            "message-id" => self.composed.draft.message_id = value.as_str().to_owned(),
            // How the body is encoded is decided by its bytes.
            "mime-version" | "content-transfer-encoding" => {}
            _ => self.other_field(name, value),
        }
    }

    /// Adds a field that is only written into the header.
    fn other_field(&mut self, name: HeaderName, value: HeaderValue) {
        let body = if message::holds_addresses(name.as_str().as_bytes()) {
            self.addresses(&name, &value).into()
        } else {
            FieldBody::Text(value)
        };
        let fields = &mut self.composed.draft.fields;
        if message::stands_once(name.as_str()) {
            fields.retain(|(known, _)| *known != name);
        }
        fields.push((name, body));
    }

    /// Warns that the message has another charset than the given type says.
    fn warn_of_type(&mut self, media_type: Option<&MediaType>) {
        let charset = media_type.filter(|media_type| media_type.is_text());
        self.warn_of_charset(charset.and_then(|media_type| media_type.parameter("charset")));
    }

    /// Warns that the message has another charset than the given one.
    fn warn_of_charset(&mut self, label: Option<&str>) {
        if let Some(label) = label
            && charset::look_up(label) == Label::Unknown
        {
            let shown = sanitize::line(label.as_bytes());
            let warning = format!(
                "the charset \"{shown}\" is not known; the message names the one found from the bytes"
            );
            self.composed.warnings.push(warning.into());
        }
    }

    /// Reads the header fields of a template. A template with MIME-Version and Content-Type fields
    /// is a finished message and is not changed.
    fn template(&mut self) {
        let draft = &mut self.composed.draft;
        let header = unicode::without_mark(std::mem::take(&mut draft.body)).and_then(|body| {
            draft.body = body;
            PremadeHeader::read(&draft.body, Reading { comments: true })
        });
        let mut header = match header {
            Ok(header) => header,
            Err(error) => {
                let failure = Failure::new(Kind::Io, "cannot read the template");
                return self.composed.failures.push(failure.because(error));
            }
        };
        // Without MIME-Version a receiver may read the body by local conventions (RFC 2045
        // section 4).
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
        self.refuse_cut(&header);
        self.unite_repeated(&mut header);
        self.is_finished = is_finished;
        for field in header.iter() {
            let name = HeaderName::new(field.name());
            let bytes = field.value();
            let value = HeaderValue::from_bytes(&bytes);
            match (name, value) {
                (Ok(name), Ok(value)) => self.template_field(name, value, &bytes),
                (Err(error), _) | (_, Err(error)) => {
                    let shown = sanitize::line(field.raw());
                    let what = format!(
                        "the header field \"{}\" of the template is not valid",
                        shown.trim()
                    );
                    let failure = Failure::new(Kind::Data, what).because(error);
                    self.composed.failures.push(failure);
                }
            }
        }
        self.is_finished = false;
        self.composed.draft.premade = is_finished.then_some(header);
    }

    /// Refuses a header that names the recipients and is longer than the limit: the recipients
    /// after the limit would silently get nothing.
    fn refuse_cut(&mut self, header: &PremadeHeader) {
        if header.is_cut() {
            let what = "the header is larger than 1 MiB or has more than 50,000 fields, \
            so not all recipients can be read";
            self.composed.failures.push(Failure::new(Kind::Data, what));
        }
    }

    /// Uses one field of a template; an empty field is ignored.
    fn template_field(&mut self, name: HeaderName, value: HeaderValue, bytes: &[u8]) {
        let holds_addresses = message::holds_addresses(name.as_str().as_bytes());
        if value.as_str().is_empty() || holds_addresses && message::names_nobody(value.as_str()) {
            return;
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
        let draft = &mut self.composed.draft;
        // Terminal sequences go first: the HTML form is made of the text as it is then.
        if request.plain {
            let mut stripped = Spool::new();
            message::strip_terminal_codes(draft.body.reader(), &mut stripped).map_err(unspooled)?;
            draft.body = stripped;
        }
        if let Some(path) = &request.html {
            let is_piped = request.takes_piped_html();
            let (input, directory) = if is_piped {
                (input::read_piped(signals, false), None)
            } else {
                input::read_page(path, signals)
            };
            self.html_directory = directory;
            if let Some(failure) = input.failure {
                // What came of standard input cannot be had again.
                if is_piped {
                    draft.body = input.body;
                    self.composed.is_cut = true;
                }
                return Err(failure);
            }
            // A reader without HTML would see an empty mail: the text is made from the HTML.
            if draft.body.is_empty() {
                let mut html = Vec::new();
                io::Read::read_to_end(&mut input.body.reader(), &mut html).map_err(unspooled)?;
                let text = message::plain_of_html(&html, None);
                draft.body = Spool::read_from(&mut text.as_bytes()).map_err(unspooled)?;
            }
            draft.html = Some(input.body);
        } else if request.preformatted {
            let mut html = Spool::new();
            message::preformatted(&draft.body, &mut html).map_err(unspooled)?;
            draft.html = Some(html);
        }
        Ok(())
    }

    /// Takes the options for the MIME structure.
    fn wishes(&mut self, request: &Request) {
        let asked = request.encoding.as_deref();
        let encoding = match asked.map(attachment::transfer_encoding).transpose() {
            Ok(encoding) => encoding,
            Err(failure) => return self.composed.failures.push(failure),
        };
        self.composed.draft.wishes = Wishes {
            encoding,
            alternatives: request.alternatives,
            without_mime: request.without_mime,
        };
    }

    /// Takes the largest size from `max-size`.
    fn size_limit(&mut self, request: &Request) {
        self.composed.draft.strict_size = request.strict_size;
        self.composed.draft.max_size = self.settings.size("max-size");
    }

    /// Finds the files that get a copy: `record`, `-F`, and those named one by one.
    fn copies(&mut self, request: &Request) {
        let draft = &mut self.composed.draft;
        draft.copies.extend(request.copies.iter().cloned());
        let in_folder = self.settings.is_set("outfolder") && self.settings.text("folder").is_some();
        // The sender of a mail has chosen this name: no `~`, `+` or `%` of it means a file of ours.
        if let Some(name) = &request.copy_named {
            let directory = if in_folder { "+./" } else { "./" };
            return draft.copies.push(format!("{directory}{name}").into());
        }
        let name = if request.copy_by_name {
            // POSIX: the local part of the first recipient, in the working directory.
            let first = draft.recipients().next();
            first.map(|first| first.address().local_part().into())
        } else {
            self.settings.path("record").map(ToOwned::to_owned)
        };
        // POSIX: outfolder refers to the directory of folder; without folder it means nothing.
        let name = name.map(|name| match name.as_bytes() {
            // POSIX: outfolder moves names that are not absolute.
            [b'/' | b'+' | b'~', ..] => name,
            bytes if in_folder => os_string(&[b"+", bytes].concat()),
            _ => name,
        });
        draft.copies.extend(name);
    }

    /// Takes the Content-Type of the text; `html` and `plain` are short for text/…
    fn content_type(&mut self, text: &str) {
        let text = match text {
            "html" => "text/html",
            "plain" => "text/plain",
            other => other,
        };
        match MediaType::parse(text) {
            Ok(media_type) => {
                self.warn_of_type(Some(&media_type));
                self.composed.draft.content_type = Some(media_type);
            }
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
        // The body is a text, whatever the name of its file says; `-m` must not make it an image.
        let by_name = extension.and_then(|extension| MediaType::of_extension(&extension));
        self.composed.draft.content_type = by_name.filter(MediaType::is_text);
    }

    fn subject(&mut self, bytes: &[u8]) {
        // A line end in a subject is replaced and not refused: it comes from a script that puts a
        // line of a log there, and that mail should arrive. In a field of --header it is refused,
        // since it may add another field.
        let (value, changed) = HeaderValue::from_free_text(bytes);
        if changed {
            let text = "control characters in the subject were replaced by a blank".to_owned();
            let content_type = self.composed.draft.content_type.as_ref();
            let is_html = content_type.is_some_and(MediaType::is_html);
            let hint =
                hint_of_smuggled_field(bytes).filter(|hint| !(is_html && *hint == HTML_HINT));
            self.composed.warnings.push(Warning { text, hint });
        }
        self.composed.draft.subject = Some(value);
    }
}

/// What to write instead of `-s "$(echo -e "subject\nContent-Type: text/html")"`.
const HTML_HINT: &str = "to send HTML, write -M text/html or --content-type=text/html; a line of the subject never becomes a field";

/// Returns what to write instead of a header field behind a line end in a subject, a trick that some
/// programs called mail let through.
fn hint_of_smuggled_field(subject: &[u8]) -> Option<&'static str> {
    let end = subject.iter().position(|b| matches!(b, b'\r' | b'\n'))?;
    let rest = message::decode_text(&subject[end..]);
    let fields: Vec<(&str, &str)> = rest
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| HeaderName::new(name).is_ok())
        .collect();
    // Most scripts put `MIME-Version` in front of it.
    let is_html = |(name, value): &(&str, &str)| {
        name.eq_ignore_ascii_case("Content-Type") && value.to_ascii_lowercase().contains("html")
    };
    if fields.iter().any(is_html) {
        return Some(HTML_HINT);
    }
    const FIELD_HINT: &str = "to add a header field, use --header 'Name: text'; a line of the subject never becomes a field";
    (!fields.is_empty()).then_some(FIELD_HINT)
}

fn os_string(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

/// Removes blanks and tabs from both ends; a line end is left, and refused later.
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
