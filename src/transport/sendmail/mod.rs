//! Submission to the local sendmail.
//!
//! The whole message is spooled before the child is started and that file is its standard input,
//! so that our death never truncates a mail. Recipients are arguments behind `--`, never `-t`:
//! a header field can add none. The child is always waited for and believed by its exit status;
//! where that says too little, `words` reads what it prints.

mod words;

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use crate::address::{EnvelopeAddress, ReversePath};
use crate::exit::{self, Kind};
use crate::sanitize;
use crate::sys::child::{self, End, Finished, SUBMITTING};
use crate::sys::open::{self, Trouble};
use crate::sys::platform;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::transport::{Disposition, Observer, Outcome};

/// Where sendmail is looked for, in this order.
pub(crate) const PATHS: &[&str] = &[
    "/usr/sbin/sendmail",
    "/usr/lib/sendmail",
    "/usr/bin/sendmail",
];

/// How many bytes of recipients one call gets; POSIX grants 4096 for all arguments, Linux 128 KiB
/// for a single one, and every system of today more than this for all.
const BATCH: usize = 96 * 1024;

/// A sendmail to call, and how.
#[derive(Clone, Debug)]
pub(crate) struct Sendmail {
    /// The program.
    pub program: PathBuf,
    /// The name it is called by, if that is not its path (`mta-argv0`).
    pub name: Option<OsString>,
    /// More arguments, after our own first one (`mta-arguments`).
    pub arguments: Vec<String>,
    /// The sender's full name, for `-F`.
    pub full_name: Option<String>,
    /// Whether to ask for its dialogue (`-v`).
    pub verbose: bool,
    /// How long to wait before its answer counts as uncertain.
    pub timeout: Option<Duration>,
}

/// Returns whether this is a program we can run and not ourselves.
///
/// # Errors
/// When the system fails to look, so that it is not known whether there is one.
fn is_usable(path: &Path) -> io::Result<bool> {
    let may_run = access(path, AccessFlags::X_OK).map_err(io::Error::from);
    // `access` is content with a directory as well, hence the second look.
    let file = may_run.and_then(|()| fs::metadata(path));
    match file {
        Ok(file) => Ok(file.is_file() && !is_our_file(path, &file)?),
        // Not there, or not for us to run.
        Err(error) if Trouble::of(&error) != Trouble::Failed => Ok(false),
        Err(error) => Err(error),
    }
}

/// How much of a program shows which build it is, in bytes: the table of contents of an executable
/// and its build id stand at the front.
const FRONT: usize = 4096;

/// Returns whether this is our own executable, or a copy of it: neither is an MTA.
///
/// A link is known by device and inode, a copy by its size and its front; other programs are not
/// even opened. Another build of Postrider finds out when it runs: it sees [`SUBMITTING`].
///
/// # Errors
/// When the system fails to look.
pub(crate) fn is_ourselves(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(file) => is_our_file(path, &file),
        Err(error) if Trouble::of(&error) != Trouble::Failed => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_our_file(path: &Path, file: &Metadata) -> io::Result<bool> {
    // Without /proc our own executable is unknown, and no program can be compared with it.
    let Some(us) = platform::own_program() else {
        return Ok(false);
    };
    let us = us.as_path();
    let Some(own) = open::if_there(fs::metadata(us))? else {
        return Ok(false);
    };
    if (file.dev(), file.ino()) == (own.dev(), own.ino()) {
        return Ok(true);
    }
    // A FIFO of that name would be waited for.
    if !file.is_file() || file.len() != own.len() {
        return Ok(false);
    }
    match front(path) {
        Ok(front) => Ok(front == self::front(us)?),
        // A program that we may run and not read is no copy that we could make.
        Err(error) if Trouble::of(&error) == Trouble::Refused => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads the front of a program.
fn front(path: &Path) -> io::Result<Vec<u8>> {
    let mut front = Vec::with_capacity(FRONT);
    let file = fs::File::open(path)?;
    file.take(FRONT as u64).read_to_end(&mut front)?;
    Ok(front)
}

/// Returns the first sendmail of the usual places.
///
/// # Errors
/// When the system fails to look into one of them: mail must not go another way for that.
pub(crate) fn find() -> io::Result<Option<PathBuf>> {
    for path in PATHS.iter().map(PathBuf::from) {
        if is_usable(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// A message to hand to sendmail, and with whom to talk about it.
pub(crate) struct SendmailCall<'a> {
    /// The sendmail.
    pub sendmail: &'a Sendmail,
    /// The reverse-path; without one sendmail's own rules say who sends.
    pub sender: Option<&'a ReversePath>,
    /// The message.
    pub message: &'a Spool,
    /// A signal ends the waiting.
    pub signals: &'a Signals,
    /// Who sees the dialogue.
    pub observer: &'a dyn Observer,
}

impl SendmailCall<'_> {
    /// Hands the message over, in as many calls as the recipients need.
    ///
    /// Returns one outcome a recipient, in their order.
    pub(crate) fn submit(&self, recipients: &[EnvelopeAddress]) -> Vec<Arc<Outcome>> {
        // Each call is a submission of its own: a batch that sendmail has accepted stays accepted
        // when a later one fails, and only the later one's recipients are reported.
        let mut outcomes = Vec::with_capacity(recipients.len());
        for batch in batches(recipients) {
            let outcome = Arc::new(self.call(batch));
            outcomes.extend(batch.iter().map(|_| Arc::clone(&outcome)));
        }
        outcomes
    }

    /// Returns the command line for these recipients.
    fn command(&self, recipients: &[EnvelopeAddress]) -> Command {
        let sendmail = self.sendmail;
        let mut command = child::command(&sendmail.program);
        if let Some(name) = &sendmail.name {
            command.arg0(name);
        }
        // A line with a single dot in the message must not end it.
        command.arg("-i").args(&sendmail.arguments);
        if let Some(sender) = self.sender {
            command.arg("-f").arg(sender.to_string());
        }
        if let Some(name) = &sendmail.full_name {
            command.args(["-F", name]);
        }
        if sendmail.verbose {
            command.arg("-v");
        }
        // Behind this no recipient is read as an option.
        command.arg("--");
        command.args(recipients.iter().map(EnvelopeAddress::as_str));
        // By this another build of Postrider sees that it is called as the MTA (D6).
        command.env(SUBMITTING, &sendmail.program);
        command
    }

    fn call(&self, recipients: &[EnvelopeAddress]) -> Outcome {
        let sendmail = self.sendmail;
        // A file and no pipe: sendmail can read it at its own pace and to its end, even when we are
        // killed in the middle.
        let stdin = match self.message.to_file() {
            Ok(file) => file,
            Err(error) => return unspooled(&error),
        };
        let command = self.command(recipients);
        if sendmail.verbose {
            self.observer.dialogue(true, &shown(&command));
        }
        // From the child's exit status 0 on, the mail is safe: the MTA has queued or delivered it.
        let finished = match child::run(command, stdin, sendmail.timeout, self.signals) {
            Ok(finished) => finished,
            Err(error) => return not_run(&sendmail.program, &error),
        };
        if sendmail.verbose {
            for line in String::from_utf8_lossy(&finished.output).lines() {
                self.observer.dialogue(false, line);
            }
        }
        let call = Handed {
            program: &sendmail.program,
            size: self.message.len(),
            several: recipients.len() > 1,
        };
        call.outcome(&finished)
    }
}

/// Returns a command as a shell would take it, for `-v`.
fn shown(command: &Command) -> String {
    let word = |word: &OsStr| {
        let text = word.to_string_lossy();
        let is_plain = |c: char| c.is_alphanumeric() || "@%+=:,./_-".contains(c);
        if !text.is_empty() && text.chars().all(is_plain) {
            text.into_owned()
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    };
    let words: Vec<String> = iter::once(command.get_program())
        .chain(command.get_args())
        .map(word)
        .collect();
    words.join(" ")
}

/// Returns the outcome of a sendmail that could not be started.
fn not_run(program: &Path, error: &io::Error) -> Outcome {
    let shown = sanitize::path(&program);
    let text = format!("cannot run {shown}: {}", exit::with_causes(error));
    // No descriptor, process or memory left says nothing of the program.
    match open::kind_of(error, Kind::Unavailable) {
        // The program is not there, or is no program: that does not pass by itself.
        kind @ Kind::Unavailable => Outcome::new(Disposition::Refused(kind), text).hint(
            if program.as_os_str().as_bytes().contains(&b' ') {
                "set mta= to the path only, and mta-arguments= to its arguments"
            } else {
                "set mta= to the path of a sendmail, or to the URL of a relay"
            },
        ),
        kind => Outcome::new(Disposition::TryLater(kind), text),
    }
}

/// Splits recipients so that each call stays below the system's limit for arguments.
fn batches(recipients: &[EnvelopeAddress]) -> Vec<&[EnvelopeAddress]> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut size = 0;
    for (index, recipient) in recipients.iter().enumerate() {
        // Each argument also costs its terminator and a pointer.
        let cost = recipient.as_str().len() + 9;
        if size + cost > BATCH && index > start {
            batches.push(&recipients[start..index]);
            (start, size) = (index, 0);
        }
        size += cost;
    }
    batches.push(&recipients[start..]);
    batches.retain(|batch| !batch.is_empty());
    batches
}

/// Pipes a message to a command, by the shell: only where `set expandaddr` asks for it (D3).
pub(crate) fn pipe(command: &OsStr, message: &Spool, signals: &Signals) -> Outcome {
    let shell = Path::new("/bin/sh");
    let mut child = child::command(shell);
    child.arg("-c").arg(command);
    let stdin = match message.to_file() {
        Ok(stdin) => stdin,
        Err(error) => return unspooled(&error),
    };
    match child::run(child, stdin, None, signals) {
        // A command that reads only a part is its own business: its status counts.
        Ok(finished) => {
            let call = Handed {
                program: Path::new(command),
                size: u64::MAX,
                several: false,
            };
            call.outcome(&finished)
        }
        Err(error) => {
            let command = sanitize::path(&command);
            let text = format!("cannot run {command}: {}", exit::with_causes(&error));
            match open::kind_of(&error, Kind::Unavailable) {
                Kind::Unavailable => Outcome::new(Disposition::Refused(Kind::Unavailable), text),
                kind => Outcome::new(Disposition::TryLater(kind), text),
            }
        }
    }
}

/// Says that there was no place for the bytes that a child was to read.
fn unspooled(error: &io::Error) -> Outcome {
    let text = format!(
        "cannot write the message to a temporary file: {}",
        exit::with_causes(error)
    );
    let kind = open::kind_of(error, Kind::CannotCreate);
    Outcome::new(Disposition::TryLater(kind), text)
}

/// What a child was given, by which its end is judged.
struct Handed<'a> {
    program: &'a Path,
    /// The size of the message.
    size: u64,
    /// Whether it was for more than one recipient.
    several: bool,
}

impl Handed<'_> {
    /// Returns what becomes of a message whose child did not say that it was accepted or refused.
    fn by_what_was_read(&self, finished: &Finished, kind: Kind) -> Disposition {
        // A child that had the whole message may have sent it, whatever its end. One that had only
        // a part cannot have queued it: sendmail reads up to the end of its input before it does.
        if finished.read >= self.size {
            Disposition::Uncertain(kind)
        } else {
            Disposition::TryLater(kind)
        }
    }

    /// Returns what the exit status of a failure and the child's words mean for each recipient.
    fn failed(&self, status: i32, finished: &Finished, words: &str) -> Disposition {
        if let Some(disposition) = words::judge(status, words) {
            return disposition;
        }
        let kind = words::kind_of_refusal(status, words);
        // EX_TEMPFAIL. sendmail(8) returns it both for "not queued" and for "queued, not
        // delivered yet", and only the second one has read the whole message.
        if kind == Kind::TryLater {
            return self.by_what_was_read(finished, kind);
        }
        // Sendmail delivers to those that it can, and its status is that of one that it cannot.
        // Which one that is, nothing says. Handing the message over again, one recipient a call,
        // would find out, and would send it twice to those who have it.
        if self.several && finished.read >= self.size {
            return Disposition::Uncertain(kind);
        }
        Disposition::Refused(kind)
    }

    /// Turns a child's end into an outcome.
    fn outcome(&self, finished: &Finished) -> Outcome {
        let program = sanitize::path(&self.program);
        let words = String::from_utf8_lossy(&finished.output);
        let with_words = |what: String| match words::reason(&words) {
            Some(reason) => format!("{what}: {reason}"),
            None => what,
        };
        let by_what_it_read = |kind| self.by_what_was_read(finished, kind);
        let outcome = match finished.end {
            End::Exited(0) => {
                let text = with_words(format!("accepted by {program}"));
                return Outcome::new(Disposition::Accepted, text).code(0);
            }
            End::Exited(status) => {
                // sendmail's exit statuses are those of sysexits.h. A status outside of them, such
                // as 1, comes from a wrapper or a crash and says no more than "failed".
                let text = with_words(format!("{program} exited with status {status}"));
                let disposition = self.failed(status, finished, &words);
                let outcome = Outcome::new(disposition, text).code(status as u16);
                if matches!(disposition, Disposition::Uncertain(kind) if kind != Kind::TryLater) {
                    return outcome.hint(
                        "sendmail refused at least one of these recipients and may have delivered to the others: see its log or the bounce, then send again only to those who did not get the message",
                    );
                }
                outcome
            }
            End::Killed(signal) => {
                let text = with_words(format!("{program} was killed by signal {signal}"));
                Outcome::new(by_what_it_read(Kind::Unavailable), text)
            }
            End::TimedOut => {
                // The child was killed at its time limit. MTAs queue the message before they exit,
                // so one that had read everything may have done so.
                let text = with_words(format!("{program} did not answer in time and was stopped"));
                Outcome::new(by_what_it_read(Kind::TryLater), text)
            }
            End::Unknown => {
                let text = format!("cannot find out how {program} ended, which had the message");
                Outcome::new(Disposition::Uncertain(Kind::TryLater), text)
            }
            End::Interrupted(signal) => {
                let text = format!("interrupted while {program} had the message");
                // The child runs on and may read the rest, so it is not known what becomes of the
                // message.
                Outcome::new(Disposition::Uncertain(Kind::Signal(signal)), text)
            }
        };
        match outcome.disposition {
            Disposition::Uncertain(_) => outcome.hint(
                "the message may be in sendmail's queue: check with mailq before you send it again",
            ),
            _ => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_recipients_go_in_batches_that_hold_each_once() {
        let recipients: Vec<EnvelopeAddress> = (0..60_000)
            .map(|n| EnvelopeAddress::new(format!("user{n}@example.org")).unwrap())
            .collect();
        let batches = batches(&recipients);
        assert!(batches.len() > 10);
        assert!(batches.concat() == recipients);
        for batch in batches {
            let size: usize = batch.iter().map(|r| r.as_str().len() + 9).sum();
            assert!(size <= BATCH);
        }
        assert!(super::batches(&[]).is_empty());
    }

    #[test]
    fn an_exit_status_becomes_an_outcome() {
        let table = [
            (End::Exited(0), 10, Disposition::Accepted, false),
            (
                End::Exited(67),
                10,
                Disposition::Refused(Kind::NoUser),
                true,
            ),
            (
                End::Exited(1),
                0,
                Disposition::Refused(Kind::Unavailable),
                true,
            ),
            (
                End::Exited(75),
                10,
                Disposition::Uncertain(Kind::TryLater),
                true,
            ),
            (
                End::Exited(75),
                9,
                Disposition::TryLater(Kind::TryLater),
                true,
            ),
            (
                End::Killed(9),
                10,
                Disposition::Uncertain(Kind::Unavailable),
                true,
            ),
            (
                End::Killed(9),
                0,
                Disposition::TryLater(Kind::Unavailable),
                true,
            ),
            (
                End::Unknown,
                10,
                Disposition::Uncertain(Kind::TryLater),
                false,
            ),
            (
                End::TimedOut,
                0,
                Disposition::TryLater(Kind::TryLater),
                true,
            ),
        ];
        for (end, read, disposition, has_words) in table {
            let finished = Finished {
                end,
                output: b"\na warning\nno room\n\n".to_vec(),
                read,
            };
            let call = Handed {
                program: Path::new("/s"),
                size: 10,
                several: false,
            };
            let outcome = call.outcome(&finished);
            assert_eq!(outcome.disposition, disposition, "{end:?}");
            if has_words {
                assert!(outcome.text.ends_with(": no room"), "{}", outcome.text);
            }
            let uncertain = matches!(disposition, Disposition::Uncertain(_));
            assert_eq!(outcome.hint.is_some(), uncertain, "{end:?}");
        }
    }

    #[test]
    fn one_status_for_several_recipients_is_no_refusal_of_each() {
        let judged = |status, read, several| {
            let finished = Finished {
                end: End::Exited(status),
                output: b"User unknown\n".to_vec(),
                read,
            };
            let call = Handed {
                program: Path::new("/s"),
                size: 10,
                several,
            };
            call.outcome(&finished)
        };
        // Every failure of sysexits.h, and one that is none.
        for status in (64..=78).chain([1]).filter(|status| *status != 75) {
            let kind = Kind::from_status(status).unwrap_or(Kind::Unavailable);
            let refused = Disposition::Refused(kind);
            assert_eq!(judged(status, 10, false).disposition, refused, "{status}");
            // It cannot have delivered what it has not read.
            assert_eq!(judged(status, 9, true).disposition, refused, "{status}");
            let outcome = judged(status, 10, true);
            assert_eq!(
                outcome.disposition,
                Disposition::Uncertain(kind),
                "{status}"
            );
            assert!(
                outcome
                    .hint
                    .is_some_and(|hint| hint.contains("at least one"))
            );
        }
    }
}
