//! Transports: our code for handing a message to sendmail, to a relay, or to a mailbox.
//!
//! A transport gets a finished message, an envelope and a plain description of
//! where to go; it knows no variables and prints nothing. It returns one
//! [`Outcome`] for each recipient. `submission` keeps mail that was not accepted.

use std::sync::Arc;

use crate::address::{EnvelopeAddress, ReversePath};
use crate::exit::Kind;
pub(crate) use crate::message::MessageSource;

pub(crate) mod https;
pub(crate) mod local;
pub(crate) mod sendmail;
pub(crate) mod smtp;

/// Who a message is from and who gets it, beside its bytes (RFC 5321 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The reverse-path.
    pub sender: ReversePath,
    /// The forward-paths.
    pub recipients: Vec<EnvelopeAddress>,
}

/// The result of a message for one recipient; if it was not accepted, with the kind for the exit
/// status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The next hop has taken responsibility.
    Accepted,
    /// Refused for good.
    Refused(Kind),
    /// Not taken now; a later try may succeed.
    TryLater(Kind),
    /// It may have been accepted: a second copy is possible if it is sent again.
    Uncertain(Kind),
}

impl Disposition {
    /// Returns the name that it has in the log and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Disposition::Accepted => "accepted",
            Disposition::Refused(_) => "refused",
            Disposition::TryLater(_) => "try-later",
            Disposition::Uncertain(_) => "uncertain",
        }
    }

    /// Returns what the exit status says of it; nothing where the message was accepted.
    pub(crate) fn kind(self) -> Option<Kind> {
        match self {
            Disposition::Accepted => None,
            Disposition::Refused(kind)
            | Disposition::TryLater(kind)
            | Disposition::Uncertain(kind) => Some(kind),
        }
    }
}

/// What an outcome speaks of, and so what may be tried next by the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The way to the next hop: the network, TLS, the login, a relay that takes no mail now. Another
    /// message would fare no better.
    Route,
    /// The next hop wants less of us: fewer connections, messages or logins for a while.
    Throttled,
    /// This message, for all its recipients.
    #[default]
    Message,
    /// This recipient alone.
    Recipient,
}

/// The result of a message for one recipient, with the words of the next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Accepted, refused, try later or uncertain.
    pub disposition: Disposition,
    /// The SMTP reply code or the child's exit status.
    pub code: Option<u16>,
    /// The next hop's own words, or our own reason. Not yet sanitised; without a line end.
    pub text: String,
    /// The next step for the user, if there is one.
    pub hint: Option<String>,
    /// The relay that gave it, as reports name a route, where the route has several.
    pub relay: Option<Arc<str>>,
    /// The largest message that the next hop takes, where this one was refused for its size.
    pub size_limit: Option<u64>,
    /// Whether the next hop refuses who the message is from: the sender, or this host's name.
    pub is_about_sender: bool,
    /// What it speaks of.
    pub scope: Scope,
    /// Whether we lack a right that root has: to write to a mailbox, or to read the password.
    pub needs_root: bool,
}

impl Outcome {
    /// Returns an outcome without a code or hint.
    pub fn new(disposition: Disposition, text: impl Into<String>) -> Outcome {
        Outcome {
            disposition,
            code: None,
            text: text.into(),
            hint: None,
            relay: None,
            size_limit: None,
            is_about_sender: false,
            scope: Scope::default(),
            needs_root: false,
        }
    }

    /// Says what the outcome speaks of.
    pub fn scope(mut self, scope: Scope) -> Outcome {
        self.scope = scope;
        self
    }

    /// Adds the SMTP reply code or the child's exit status.
    pub fn code(mut self, code: u16) -> Outcome {
        self.code = Some(code);
        self
    }

    /// Adds the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Outcome {
        self.hint = Some(hint.into());
        self
    }

    /// Returns what the exit status says of it; nothing where the message was accepted.
    pub fn kind(&self) -> Option<Kind> {
        self.disposition.kind()
    }

    /// Returns whether the next hop has the message for sure.
    pub fn is_accepted(&self) -> bool {
        self.disposition == Disposition::Accepted
    }
}

/// Is called while a transport works: with the dialogue for `-v`, and with long waits.
pub(crate) trait Observer: Send + Sync {
    /// Shows one line of a dialogue, in which secrets are masked already.
    fn dialogue(&self, from_us: bool, line: &str) {
        let _ = (from_us, line);
    }

    /// Reports a fact about the way to the next hop, for `-v`.
    fn note(&self, line: &str) {
        let _ = line;
    }

    /// Reports that the transport waits for something.
    fn waiting(&self, what: &str) {
        let _ = what;
    }

    /// Reports whose lock of a mailbox the transport waits for.
    fn waiting_for_lock(&self, what: &str) {
        let _ = what;
    }

    /// Reports a mailbox that is locked without a dot-lock.
    fn locked_by_kernel_only(&self, line: &str) {
        let _ = line;
    }
}

/// An observer that prints nothing: of mail that its caller does not wait for.
#[derive(Debug, Default)]
pub(crate) struct Silent;

impl Observer for Silent {}
