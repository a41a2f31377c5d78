//! The parts of a dialogue.

/// The subject of a command, which decides what a refusal means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DialoguePart {
    Session,
    /// STARTTLS.
    Tls,
    /// EHLO or HELO: this host's name.
    Hello,
    Authentication,
    /// MAIL.
    Sender,
    Recipient,
    Message,
}
