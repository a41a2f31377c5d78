//! Messages that somebody else composed, as the sendmail face and templates bring them: their
//! header says who gets them, and only what is missing or wrong is added or mended.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use crate::address::{EnvelopeAddress, NamedAddress, ReversePath};
use crate::compose::{Composed, Composer, RecipientField, Request, unicode};
use crate::config::{Environment, Settings};
use crate::exit::{Failure, Kind};
use crate::message::premade::{PremadeHeader, Reading};
use crate::message::{self, HeaderName, HeaderValue, Repeated};
use crate::sanitize;
use crate::sys::spool::Spool;
use crate::sys::{clock, user};

/// The field that says how many equal messages were not sent because this one waited.
const REPEATED: &str = "X-Postrider-Repeated";

/// More hops than this are a loop.
const MAX_HOPS: usize = 50;

/// The request of a sendmail command line.
#[derive(Clone, Debug, Default)]
pub struct Handover {
    /// The recipients of the command line.
    pub recipients: Vec<OsString>,
    /// Take recipients from the header, too.
    pub from_header: bool,
    /// The envelope sender; `<>` and an empty one are the null sender.
    pub sender: Option<OsString>,
    /// The sender's full name.
    pub full_name: Option<OsString>,
    /// Whether the message is one that we have kept: it was handed over before, and gets no second
    /// trace field.
    pub is_ours: bool,
    /// Whether it comes from the sendmail face: [`Draft::is_handed_over`].
    ///
    /// [`Draft::is_handed_over`]: crate::compose::Draft::is_handed_over
    pub is_of_sendmail: bool,
}

/// What an outbox knows of a message beside its text.
#[derive(Clone, Debug, Default)]
pub struct Resumed {
    /// The recipients, after the aliases of the mailrc.
    pub recipients: Vec<EnvelopeAddress>,
    /// The envelope sender, where one was asked for.
    pub sender: Option<ReversePath>,
    /// The sender's full name, where it was asked for.
    pub full_name: Option<String>,
    /// Whether another program composed the message, and not Postrider.
    pub is_finished: bool,
    /// Whose mail it is.
    pub login: String,
    /// How many equal messages came while it waited.
    pub repeated: u64,
}

/// Makes a draft again of a message that was composed and then kept; the source is its neutral
/// header and its body.
///
/// Its recipients, its Date and its Message-ID are those of then. What the variables give, such as
/// the sender, is what they give now.
///
/// # Errors
/// Fails when the spooled message cannot be read.
pub fn resume(
    kept: Resumed,
    source: Spool,
    settings: &Settings,
    environment: &Environment,
) -> io::Result<Composed> {
    let mut header = PremadeHeader::read(&source, Reading::default())?;
    let mut composer = Composer::new(source, settings, environment);
    composer.is_finished = kept.is_finished;
    let draft = &mut composer.composed.draft;
    draft.is_handed_over = kept.is_finished;
    draft.login = Some(kept.login);
    draft.full_name = kept
        .full_name
        .map(|name| HeaderValue::from_free_text(name.as_bytes()).0);
    if let Some(field) = header.get("Message-ID") {
        draft.message_id = sanitize::line(&field.value()).into_owned();
    }
    // A program that hands over a finished message says in it who sends it.
    if !kept.is_finished {
        composer.sender(&Request::default(), environment);
        let draft = &mut composer.composed.draft;
        if header.contains("From") {
            draft.from.clear();
        }
        // Whom to answer was settled when the message was composed.
        draft.reply_to.clear();
    }
    let draft = &mut composer.composed.draft;
    if kept.sender.is_some() {
        draft.envelope_sender = kept.sender;
    }
    draft.bcc = kept.recipients.into_iter().map(Into::into).collect();
    if kept.repeated > 0 {
        append(&mut header, REPEATED, &kept.repeated.to_string());
    }
    draft.premade = Some(header);
    Ok(composer.composed)
}

/// Makes a draft of a finished message; the source is the whole message.
///
/// # Errors
/// Fails when the spooled message cannot be read.
pub fn compose(
    handover: &Handover,
    source: Spool,
    settings: &Settings,
    environment: &Environment,
) -> io::Result<Composed> {
    let source = unicode::without_mark(source)?;
    let mut header = PremadeHeader::read(&source, Reading::default())?;
    let mut composer = Composer::new(source, settings, environment);
    composer.is_finished = true;
    // All recipients go into the envelope only: the header is finished, and what is to be seen of
    // them stands in it.
    for recipient in &handover.recipients {
        composer.recipients(recipient.as_bytes(), RecipientField::Bcc);
    }
    if handover.from_header {
        composer.refuse_cut(&header);
        for value in recipient_values(&header) {
            composer.recipients(&value, RecipientField::Bcc);
        }
    }
    composer.unite_repeated(&mut header);
    // Not before the recipients were taken from it.
    header.remove("Bcc");
    header.remove("Resent-Bcc");
    composer.handed_sender(handover);
    let hops = header.count("Received");
    // Postfix stops at 50 as well, sendmail at 25: a message that came so far comes again.
    if hops > MAX_HOPS {
        let what =
            format!("the message has already passed through {hops} hosts: this is a mail loop");
        let failure = Failure::new(Kind::Unavailable, what);
        composer.composed.failures.push(failure);
    }
    if is_of_cron(&header, handover) && !header.contains("Auto-Submitted") {
        // RFC 3834: so that no vacation program answers cron.
        append(&mut header, "Auto-Submitted", "auto-generated");
    }
    let draft = &mut composer.composed.draft;
    if !header.contains("Date") {
        append(&mut header, "Date", &draft.date);
    }
    match header.get("Message-ID") {
        // The report and the log name the message by the identifier that it has.
        Some(field) => draft.message_id = sanitize::line(&field.value()).into_owned(),
        None => append(&mut header, "Message-ID", &draft.message_id),
    }
    // On top of all others (RFC 5321 section 4.4); the number of these is how a loop is noticed.
    if !handover.is_ours
        && let Ok(received) = HeaderValue::new(received(settings, environment))
    {
        header.prepend(HeaderName::known("Received"), received);
    }
    draft.premade = Some(header);
    composer.check_recipients();
    Ok(composer.composed)
}

/// A message that is sent on as it is (RFC 5322 section 3.6.6).
#[derive(Clone, Debug, Default)]
pub(crate) struct Redirection {
    /// Who gets it.
    pub(crate) recipients: Vec<OsString>,
    /// Who sends it on, for the fields that say so; `None` for no such fields.
    pub(crate) author: Option<NamedAddress>,
}

/// Makes a draft of a finished message for other recipients; the source is the whole message.
///
/// Its header and body stay as they are. In front stands one block of Resent- fields, before those of
/// earlier times, which belong to them. The envelope is the user's.
///
/// # Errors
/// Fails when the spooled message cannot be read.
pub(crate) fn redirect(
    redirection: &Redirection,
    source: Spool,
    settings: &Settings,
    environment: &Environment,
) -> io::Result<Composed> {
    let header = PremadeHeader::read(&source, Reading::default())?;
    let mut composer = Composer::new(source, settings, environment);
    for recipient in &redirection.recipients {
        composer.recipients(recipient.as_bytes(), RecipientField::To);
    }
    composer.sender(&Request::default(), environment);
    let draft = &mut composer.composed.draft;
    // The message has an author already; these would be written for it.
    draft.from.clear();
    draft.reply_to.clear();
    draft.sender = None;
    // The header of the message says who wrote it to whom; these are in the envelope.
    let recipients = std::mem::take(&mut draft.to);
    draft.bcc = recipients.clone();
    let mut header = header;
    if let Some(author) = &redirection.author {
        let (date, message_id) = (draft.date.clone(), draft.message_id.clone());
        // Each goes on top of the one before.
        if let Ok(message_id) = HeaderValue::new(message_id) {
            header.prepend(HeaderName::known("Resent-Message-ID"), message_id);
        }
        header.prepend(HeaderName::known("Resent-To"), recipients);
        header.prepend(HeaderName::known("Resent-From"), vec![author.clone()]);
        if let Ok(date) = HeaderValue::new(date) {
            header.prepend(HeaderName::known("Resent-Date"), date);
        }
    }
    let draft = &mut composer.composed.draft;
    draft.premade = Some(header);
    composer.check_recipients();
    Ok(composer.composed)
}

/// Returns whether cron sends the message: Debian's adds X-Cron-Env fields, cronie calls sendmail with
/// `-FCronDaemon`.
fn is_of_cron(header: &PremadeHeader, handover: &Handover) -> bool {
    let name = handover.full_name.as_ref();
    let is_daemon = |name: &OsString| name.as_bytes().starts_with(b"Cron");
    header.contains("X-Cron-Env") || name.is_some_and(is_daemon)
}

/// Returns the values of the fields that name recipients: the Resent- ones where there are any
/// (RFC 5322 section 3.6.6).
fn recipient_values(header: &PremadeHeader) -> Vec<Vec<u8>> {
    let values = |names: [&str; 3]| -> Vec<Vec<u8>> {
        header
            .iter()
            .filter(|field| names.iter().any(|name| field.is(name)))
            .map(|field| field.value().into_owned())
            .filter(|value| !message::names_nobody(&message::decode_text(value)))
            .collect()
    };
    match values(["Resent-To", "Resent-Cc", "Resent-Bcc"]) {
        resent if !resent.is_empty() => resent,
        _ => values(["To", "Cc", "Bcc"]),
    }
}

fn append(header: &mut PremadeHeader, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::new(text) {
        header.append(HeaderName::known(name), value);
    }
}

/// Returns the trace field that we add (RFC 5321 section 4.4).
fn received(settings: &Settings, environment: &Environment) -> String {
    let host = settings.host_name();
    let time = clock::message_time(environment.source_date_epoch);
    let date = time.format("%a, %d %b %Y %H:%M:%S %z");
    format!(
        "by {host} (Postrider, uid {}); {date}",
        user::effective_uid()
    )
}

impl Composer<'_> {
    /// Keeps one field of each name that a message may have only once, and warns about the others.
    pub(super) fn unite_repeated(&mut self, header: &mut PremadeHeader) {
        for (name, repeated) in header.unite_repeated() {
            let what = match repeated {
                Repeated::Joined(_) => "they are sent as one",
                Repeated::Superseded if !header.contains(&format!("X-Repeated-{name}")) => {
                    "one of them is sent"
                }
                Repeated::Superseded => {
                    &*format!("the first one is used, and the others are sent as X-Repeated-{name}")
                }
            };
            let warnings = &mut self.composed.warnings;
            warnings.push(format!("the message has more than one {name} field: {what}").into());
        }
    }

    /// Takes the envelope sender and the full name of a sendmail command line.
    fn handed_sender(&mut self, handover: &Handover) {
        let draft = &mut self.composed.draft;
        draft.is_handed_over = handover.is_of_sendmail;
        if let Some(name) = &handover.full_name {
            let (value, _) = HeaderValue::from_free_text(name.as_bytes());
            draft.full_name = Some(value);
        }
        let Some(sender) = &handover.sender else {
            return;
        };
        let shown = sanitize::line(sender.as_bytes()).into_owned();
        let inner = sender.to_string_lossy();
        let inner = inner.trim();
        let inner = inner
            .strip_prefix('<')
            .and_then(|inner| inner.strip_suffix('>'))
            .unwrap_or(inner);
        // `-f <>`: a bounce, which must not cause another bounce (RFC 5321 section 4.5.5).
        if inner.is_empty() {
            draft.envelope_sender = Some(ReversePath::Null);
            return;
        }
        match EnvelopeAddress::new(inner) {
            Ok(address) => draft.envelope_sender = Some(ReversePath::Address(address)),
            Err(error) => {
                let what = format!("the sender \"{shown}\" is not an address");
                let failure = Failure::new(Kind::Data, what).because(error);
                self.composed.failures.push(failure);
            }
        }
    }
}
