//! Exit statuses: the one table that turns what happened into a number.
//!
//! The numbers are those of `sysexits.h`, which sendmail, msmtp and cron's
//! callers already know. Nothing outside this file holds such a number.

use std::error::Error;
use std::fmt;

/// What kind of trouble a [`Failure`] is; each kind has one exit status.
///
/// The order is from the worst to the least: of several failures in one run
/// the worst one becomes the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A fault of our own (70, `EX_SOFTWARE`).
    Software,
    /// The operating system refused something, in a child (71, `EX_OSERR`).
    System,
    /// A system file is missing, in a child (72, `EX_OSFILE`).
    SystemFile,
    /// The command line was wrong (64, `EX_USAGE`).
    Usage,
    /// The configuration was wrong (78, `EX_CONFIG`).
    Config,
    /// Authentication failed or a right was missing (77, `EX_NOPERM`).
    NoPermission,
    /// An address or header was wrong, or a recipient was refused (65, `EX_DATAERR`).
    Data,
    /// An input file is missing or unreadable (66, `EX_NOINPUT`).
    NoInput,
    /// There is no such local user (67, `EX_NOUSER`).
    NoUser,
    /// The host is unknown (68, `EX_NOHOST`).
    NoHost,
    /// The message was refused, or there is no route (69, `EX_UNAVAILABLE`).
    Unavailable,
    /// The other side broke the protocol (76, `EX_PROTOCOL`).
    Protocol,
    /// An output file cannot be created (73, `EX_CANTCREAT`).
    CannotCreate,
    /// Reading or writing failed (74, `EX_IOERR`).
    Io,
    /// Nothing final: try again later (75, `EX_TEMPFAIL`).
    TryLater,
    /// There is no mail, or no message matched, or a message was cancelled (1).
    Nothing,
    /// The outbox has entries, as its listing says for monitoring (1).
    Waiting,
    /// An entry of the outbox is older than an hour (2).
    Overdue,
    /// Ended by this signal: we die of it. The number is for where we cannot,
    /// and what a shell shows (128 + signal).
    Signal(u8),
}

impl Kind {
    /// Returns the worse of this failure and those before it, which becomes the exit status.
    ///
    /// A signal is why we stop: the first one outranks what came of stopping.
    pub fn or_worse(self, before: Option<Kind>) -> Kind {
        // By the order of the kinds a signal is the least failure; here it outranks the others.
        let is_signal = |kind: Kind| matches!(kind, Kind::Signal(_));
        match before {
            Some(worst) if is_signal(worst) || (worst <= self && !is_signal(self)) => worst,
            _ => self,
        }
    }

    /// Returns the exit status of this kind.
    pub fn status(self) -> u8 {
        match self {
            Kind::Usage => 64,
            Kind::Data => 65,
            Kind::NoInput => 66,
            Kind::NoUser => 67,
            Kind::NoHost => 68,
            Kind::Unavailable => 69,
            Kind::Software => 70,
            Kind::System => 71,
            Kind::SystemFile => 72,
            Kind::CannotCreate => 73,
            Kind::Io => 74,
            Kind::TryLater => 75,
            Kind::Protocol => 76,
            Kind::NoPermission => 77,
            Kind::Config => 78,
            Kind::Nothing | Kind::Waiting => 1,
            Kind::Overdue => 2,
            Kind::Signal(number) => 128u8.wrapping_add(number),
        }
    }

    /// Returns whether what failed may pass by itself: a lock, a full disk, a host that is down or talks nonsense.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Kind::TryLater | Kind::CannotCreate | Kind::Io | Kind::Protocol | Kind::Signal(_)
        )
    }

    /// Returns the kind that a child's exit status stands for, if it is one of `sysexits.h`.
    pub fn from_status(status: i32) -> Option<Kind> {
        Some(match status {
            64 => Kind::Usage,
            65 => Kind::Data,
            66 => Kind::NoInput,
            67 => Kind::NoUser,
            68 => Kind::NoHost,
            69 => Kind::Unavailable,
            70 => Kind::Software,
            71 => Kind::System,
            72 => Kind::SystemFile,
            73 => Kind::CannotCreate,
            74 => Kind::Io,
            75 => Kind::TryLater,
            76 => Kind::Protocol,
            77 => Kind::NoPermission,
            78 => Kind::Config,
            _ => return None,
        })
    }
}

/// What each exit status means, for the manual; `None` is success.
///
/// Those that only a child of ours reports are left to its own manual.
pub(crate) const STATUSES: &[(Option<Kind>, &str)] = &[
    (
        None,
        "The next hop accepted the message for every recipient, or the message is written and synced to disk. With -e: there is mail.",
    ),
    (
        Some(Kind::Nothing),
        "There is no mail, or no message matched, or a message was cancelled while it was typed. outbox list: there are entries.",
    ),
    (
        Some(Kind::Overdue),
        "outbox list: an entry is older than an hour.",
    ),
    (
        Some(Kind::Usage),
        "The command line is wrong. Nothing was read.",
    ),
    (
        Some(Kind::Data),
        "An address or header field is wrong, or a recipient was refused. The other recipients got the message.",
    ),
    (
        Some(Kind::NoInput),
        "A file to attach or to read does not exist or cannot be read. Nothing was sent.",
    ),
    (Some(Kind::NoUser), "There is no such user on this host."),
    (Some(Kind::NoHost), "The host is unknown."),
    (
        Some(Kind::Unavailable),
        "The message was refused, or there is no way to send it.",
    ),
    (Some(Kind::Software), "A bug in Postrider."),
    (
        Some(Kind::CannotCreate),
        "A file could not be created, or an unsent message could not be kept.",
    ),
    (
        Some(Kind::Io),
        "Reading or writing failed, for example on a full disk.",
    ),
    (
        Some(Kind::TryLater),
        "A temporary failure: try again later. Or it is uncertain whether the message was accepted.",
    ),
    (
        Some(Kind::Protocol),
        "The relay broke the protocol, or TLS with it failed.",
    ),
    (
        Some(Kind::NoPermission),
        "Permission is missing, the password is missing, the relay refused the login, or its certificate is not trusted.",
    ),
    (
        Some(Kind::Config),
        "The configuration for sending is wrong. Nothing was sent.",
    ),
];

/// One thing that went wrong, as it is reported to the user.
#[derive(Debug)]
pub struct Failure {
    /// What kind it is, and so which exit status.
    pub kind: Kind,
    /// What failed, and on which object; in lower case and without a full stop.
    pub what: String,
    /// Why it failed, with the causes of that.
    pub source: Option<anyhow::Error>,
    /// The next step, if there is one.
    pub hint: Option<String>,
    /// Whether a file is closed to us that root could read.
    pub needs_root: bool,
}

impl Failure {
    /// Returns a failure that needs no further cause.
    pub fn new(kind: Kind, what: impl Into<String>) -> Failure {
        Failure {
            kind,
            what: what.into(),
            source: None,
            hint: None,
            needs_root: false,
        }
    }

    /// Adds why it failed.
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        self.source = Some(anyhow::Error::from_boxed(source.into()));
        self
    }

    /// Adds the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref()?.as_ref())
    }
}

/// Returns a text and all its causes joined by `: `, the form of our error lines.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = anyhow::Chain::new(error).map(plain).collect();
    texts.join(": ")
}

/// Returns an error's text without the `(os error 2)` that std adds to it.
pub(crate) fn plain(error: &(dyn Error + 'static)) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_comes_first_as_d10_lists_them() {
        let order = [
            Kind::Config,
            Kind::NoPermission,
            Kind::Data,
            Kind::NoUser,
            Kind::NoHost,
            Kind::Unavailable,
            Kind::Protocol,
            Kind::CannotCreate,
            Kind::Io,
            Kind::TryLater,
        ];
        assert!(order.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(
            order.map(Kind::status),
            [78, 77, 65, 67, 68, 69, 76, 73, 74, 75]
        );
    }

    #[test]
    fn causes_are_joined_once_and_without_errno() {
        let failure = Failure::new(Kind::Io, "cannot append to /var/mail/root")
            .because(std::io::Error::from_raw_os_error(28));
        assert_eq!(
            with_causes(&failure),
            "cannot append to /var/mail/root: No space left on device"
        );
    }
}
