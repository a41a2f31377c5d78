//! Built-in local delivery: what an MDA does, for hosts that have none.
//!
//! The mailbox engine's one locked, fsynced append does the writing; this module says into which
//! file, on behalf of whom, and what an error means to the sender.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exit::{self, Kind};
use crate::mailbox::{
    self, AppendError, AppendOptions, Holder, Journals, LocationInputs, Waiter, append, is_maildir,
    system_mailbox,
};
use crate::sanitize;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::{open, user};
use crate::transport::{Disposition, Observer, Outcome};

/// Where system mailboxes are, and whose own mailbox lies elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// The directories that may hold system mailboxes.
    pub spools: Vec<PathBuf>,
    /// `$MAIL`: the mailbox of the user we act as, if it is ours or in our own directory.
    pub mail: Option<PathBuf>,
    /// The time that the From_ line shows, if it is fixed.
    pub source_date_epoch: Option<i64>,
}

/// How the lock of a mailbox is waited for while a mail is submitted.
#[derive(Clone, Copy)]
pub(crate) struct Wait<'a> {
    /// How long (`lock-timeout`).
    pub patience: Duration,
    /// A signal ends it.
    pub signals: &'a Signals,
    /// Gets the notice of whose lock we wait for.
    pub observer: &'a dyn Observer,
}

impl Wait<'_> {
    /// Appends a message to a mailbox under its lock.
    ///
    /// # Errors
    /// As [`append`].
    pub(crate) fn append(
        &self,
        path: &Path,
        line: &[u8],
        message: &mut dyn Read,
        options: &AppendOptions<'_>,
    ) -> Result<(), AppendError> {
        let is_over = || self.signals.received().is_some();
        let report = |what: &str| self.observer.waiting_for_lock(what);
        let waiter = Waiter::new(path, &is_over, &report);
        let waits = |holder: &Holder| waiter.waits(holder);
        let mut options = *options;
        options.lock.patience = self.patience;
        options.lock.waiting = Some(&waits);
        let kernel_only = |line: &str| self.observer.locked_by_kernel_only(line);
        options.lock.kernel_only = Some(&kernel_only);
        append(path, line, message, &options)
    }
}

/// Delivers a message into the mailbox of an account.
///
/// An empty sender is the null sender of bounces. Accepted means written and synced to the disk.
pub(crate) fn deliver(
    local: &Local,
    name: &str,
    sender: &str,
    message: &Spool,
    wait: &Wait<'_>,
) -> Outcome {
    let later = |what: &str, error: io::Error| {
        let text = format!("{what}: {}", exit::with_causes(&error));
        Outcome::new(Disposition::TryLater(Kind::TryLater), text)
    };
    // Routing knew the name only; the mailbox needs the account's uid and home, as they are now.
    let account = match user::by_name(name) {
        Ok(Some(account)) => account,
        Ok(None) => {
            let text = format!("there is no user {name} on this host");
            return Outcome::new(Disposition::Refused(Kind::NoUser), text);
        }
        Err(error) => return later("cannot read the user database", error),
    };
    let path = match mailbox_of(local, &account) {
        Ok(Some(path)) => path,
        Ok(None) => {
            // A name such as `..`, or one with a slash, would leave the spool directory.
            let text = format!("{name} cannot have a mailbox");
            return Outcome::new(Disposition::Refused(Kind::NoUser), text);
        }
        Err(error) => return later("cannot check whether the mailbox exists", error),
    };
    let line = mailbox::from_line_now(sender, local.source_date_epoch);
    let options = match options_for(&path, &account) {
        Ok(options) => options,
        Err(error) => return later("cannot find out the owner and mode of the mailbox", error),
    };
    // What the From_ line keeps in an mbox (RFC 5321, section 4.4).
    let return_path = if is_maildir(&path) {
        format!("Return-Path: <{sender}>\n")
    } else {
        String::new()
    };
    let mut reader = return_path.as_bytes().chain(message.reader());
    // From Ok on the mail is safe: it is written under the mailbox's locks, and synced.
    match wait.append(&path, &line, &mut reader, &options) {
        Ok(()) => Outcome::new(
            Disposition::Accepted,
            format!("delivered to {}", sanitize::path(&path)),
        ),
        Err(error) => not_appended(&error, &account),
    }
}

/// Returns the outcome of a message that could not be appended to an account's mailbox.
fn not_appended(error: &AppendError, account: &user::User) -> Outcome {
    let kind = error.kind();
    // A lock that is held or a full disk passes; a mailbox that is a symbolic link, or another
    // user's, does not pass by itself.
    let disposition = if error.is_temporary() {
        Disposition::TryLater(kind)
    } else {
        Disposition::Refused(kind)
    };
    let mut outcome = Outcome::new(disposition, exit::with_causes(error));
    outcome.needs_root = kind == Kind::NoPermission && user::effective_uid() != 0;
    match kind {
        Kind::NoPermission if account.uid == user::effective_uid() => outcome
            .hint("for a mailbox of your own: export MAIL=$HOME/inbox; or set mta= to a relay"),
        Kind::NoPermission => outcome.hint(format!(
            "only root or an MTA can deliver to {}'s mailbox: install an MTA, or set mta= to a relay",
            account.name,
        )),
        _ => match error.hint() {
            Some(hint) => outcome.hint(hint),
            None => outcome,
        },
    }
}

/// Returns the mailbox of an account: our own one where `MAIL` may be believed, else the spool's.
fn mailbox_of(local: &Local, account: &user::User) -> io::Result<Option<PathBuf>> {
    let effective_uid = user::effective_uid();
    let spools: Vec<&Path> = local.spools.iter().map(PathBuf::as_path).collect();
    let mail = local.mail.as_deref().map(Path::as_os_str);
    let place = system_mailbox(&LocationInputs {
        // `MAIL` names the mailbox of the user who set it. Under sudo it may still be that of
        // another one, so it counts only for the account that we act as.
        mail: mail.filter(|_| account.uid == effective_uid),
        effective_uid,
        spools: &spools,
        user: &account.name,
        home: None,
    })?;
    Ok(place.map(|place| place.path))
}

/// Returns how a new mailbox is made: as an MDA makes it, where we may; else as our own file.
fn options_for(path: &Path, account: &user::User) -> io::Result<AppendOptions<'static>> {
    let mail = user::group_id("mail")?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let directory = open::if_there(directory.metadata())?;
    let in_spool = directory.is_some_and(|directory| Some(directory.gid()) == mail);
    // An MDA makes mailboxes of mode 0660 in group mail, owned by the account. Without root's
    // rights, or outside of a spool of group mail, that is not possible, and a file of mode 0600 is
    // the safe form.
    Ok(if user::effective_uid() == 0 || in_spool {
        AppendOptions::system_mailbox(account.uid, mail)
    } else {
        AppendOptions::dead_letters()
    })
}

/// Appends to a file that is an mbox, or becomes one; a file that is not empty and no mbox is left alone.
pub(crate) fn append_to_file(
    path: &Path,
    line: &[u8],
    message: &Spool,
    wait: &Wait<'_>,
) -> Outcome {
    let refused = |text: String| Outcome::new(Disposition::Refused(Kind::CannotCreate), text);
    let is_full = match path.metadata() {
        Ok(file) => file.len() > 0,
        // A file that could not be looked at may be no mbox: nothing is put behind it.
        Err(error) if open::kind_of(&error, Kind::CannotCreate) == Kind::TryLater => {
            let text = format!(
                "cannot check {}: {}",
                sanitize::path(&path),
                exit::with_causes(&error)
            );
            return Outcome::new(Disposition::TryLater(Kind::TryLater), text);
        }
        Err(_) => false,
    };
    // A typing mistake in a file name must not put mail behind the end of a document: an existing
    // file has to begin like an mbox.
    if is_full && let Err(error) = mailbox::has_mail(path, &Journals::default()) {
        return refused(exit::with_causes(&error));
    }
    let mut reader: Box<dyn Read> = Box::new(message.reader());
    match wait.append(path, line, &mut reader, &AppendOptions::folder()) {
        Ok(()) => Outcome::new(
            Disposition::Accepted,
            format!("written to {}", sanitize::path(&path)),
        ),
        Err(error) => {
            let text = exit::with_causes(&error);
            let outcome = if error.is_temporary() {
                Outcome::new(Disposition::TryLater(error.kind()), text)
            } else {
                refused(text)
            };
            match error.hint() {
                Some(hint) => outcome.hint(hint),
                None => outcome,
            }
        }
    }
}
