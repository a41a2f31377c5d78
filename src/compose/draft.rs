//! The draft: a validated mail that is not yet encoded, and the errors of the request.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::address::{NamedAddress, ReversePath};
use crate::compose::Attached;
use crate::exit::Failure;
use crate::message::premade::PremadeHeader;
use crate::message::{self, FieldBody, HeaderName, HeaderValue, MediaType, Wishes};
use crate::sys::spool::Spool;
use crate::sys::user;

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
    pub envelope_sender: Option<ReversePath>,
    /// Which of From, Sender and envelope sender the variables `from` and `sender` give.
    pub(crate) by_variable: ByVariable,
    /// The sender's full name, where it was asked for.
    pub full_name: Option<HeaderValue>,
    /// Whether a program handed over a finished message, as to a sendmail: where it names no author,
    /// a relay is told which account of which host it came from.
    pub is_handed_over: bool,
    /// The account whose mail it is, where another one sends it (the outbox).
    pub login: Option<String>,
    /// The subject.
    pub subject: Option<HeaderValue>,
    /// The Content-Type of the body that was asked for.
    pub content_type: Option<MediaType>,
    /// Further header fields.
    pub fields: Vec<(HeaderName, FieldBody)>,
    /// The header of a message that somebody else composed; then `body` is that whole message.
    pub premade: Option<PremadeHeader>,
    /// The body, as read.
    pub body: Spool,
    /// The same text as HTML.
    pub html: Option<Spool>,
    /// The attachments.
    pub attachments: Vec<Attached>,
    /// More options for the MIME structure.
    pub wishes: Wishes,
    /// How large the message may be, in bytes; attachments are left out until it is not larger.
    pub max_size: Option<u64>,
    /// Refuse a message that is too large instead.
    pub strict_size: bool,
    /// Files that get a copy of the sent message (`record`, `-F`, Fcc).
    pub copies: Vec<OsString>,
    /// The Date field.
    pub date: String,
    /// The Message-ID field.
    pub message_id: String,
    /// The random part of the boundary of a multipart.
    pub boundary_seed: String,
}

/// Which senders of a draft come from variables, and not from the one who sends this mail.
///
/// The outbox does not keep such a sender: an entry is sent with the variables as they are then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByVariable {
    /// The From field.
    pub(crate) from: bool,
    /// The Sender field.
    pub(crate) sender: bool,
    /// The envelope sender.
    pub(crate) envelope: bool,
}

impl Draft {
    /// Returns the account whose mail it is.
    pub fn login_name(&self) -> String {
        self.login.clone().unwrap_or_else(user::login_name)
    }

    /// Returns the envelope sender that was given for this mail, and not by a variable.
    pub fn given_sender(&self) -> Option<&ReversePath> {
        let sender = self.envelope_sender.as_ref();
        sender.filter(|_| !self.by_variable.envelope)
    }

    /// Returns the envelope sender as an author, with the full name that was asked for.
    pub fn envelope_author(&self) -> Option<NamedAddress> {
        let sender = self.envelope_sender.as_ref()?.address()?;
        let name = self.full_name.as_ref().map(HeaderValue::as_str);
        Some(NamedAddress::new(name, sender.clone()))
    }

    /// Returns all recipients: To, Cc and Bcc.
    pub fn recipients(&self) -> impl Iterator<Item = &NamedAddress> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// A draft, and the errors of the request.
#[derive(Debug, Default)]
pub struct Composed {
    /// The draft; its body is whole even where something failed.
    pub draft: Draft,
    /// Why nothing may leave; empty if it may.
    pub failures: Vec<Failure>,
    /// Whether there were more recipients than a message may have: the rest was left out.
    pub is_too_many: bool,
    /// Whether the message is incomplete: its text broke off, or standard input was to be attached
    /// and could not be read to its end.
    pub is_cut: bool,
    /// Whether there is no valid recipient.
    pub has_nobody: bool,
    /// Recipients that cannot be; the others get the mail.
    pub bad_recipients: Vec<BadRecipient>,
    /// Warnings: what was changed or left out; the mail is sent all the same.
    pub warnings: Vec<Warning>,
}

/// Warnings: what was changed or left out; the mail is sent all the same.
#[derive(Debug)]
pub struct Warning {
    /// What it is.
    pub text: String,
    /// The correction, if it is known.
    pub hint: Option<&'static str>,
}

impl From<String> for Warning {
    fn from(text: String) -> Warning {
        Warning { text, hint: None }
    }
}

impl Composed {
    /// Returns all that is wrong, in the order in which it is reported.
    pub fn all_failures(&self) -> impl Iterator<Item = &Failure> {
        let bad = self.bad_recipients.iter().map(|bad| &bad.failure);
        self.failures.iter().chain(bad)
    }

    /// Returns why nothing may leave, if it may not: a bad recipient alone does not stop the mail
    /// to the others.
    pub fn obstacle(&self) -> Option<&Failure> {
        let mut failures = self.failures.iter();
        let mut bad = self.bad_recipients.iter().map(|bad| &bad.failure);
        failures
            .next()
            .or_else(|| bad.next().filter(|_| self.has_nobody))
    }

    /// Returns all recipients of the request as text: addresses, files, commands, and invalid ones.
    pub fn named(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let draft = &self.draft;
        let addresses = draft.recipients().map(|to| to.address().as_str().into());
        let text = |name: &OsString| message::decode_text(name.as_bytes()).into_owned();
        let files = draft.files.iter().map(move |file| text(file).into());
        let commands = draft.commands.iter();
        let commands = commands.map(move |command| format!("|{}", text(command)).into());
        let bad = self.bad_recipients.iter().map(|bad| (&*bad.text).into());
        addresses.chain(files).chain(commands).chain(bad)
    }
}

/// A recipient that cannot be.
#[derive(Debug)]
pub struct BadRecipient {
    /// The typed text, sanitised and shortened.
    pub text: String,
    /// Why it is not valid.
    pub failure: Failure,
}
