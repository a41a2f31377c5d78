//! Messages on standard error: one line each, sanitised, then a hint. The worst failure that was
//! printed is remembered: it becomes the exit status.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::exit::{self, Failure, Kind};
use crate::sanitize;
use crate::submission::{CopyReport, DeadLetter, Dropped, Kept, Queued, Report};
use crate::sys::signals::Signals;
use crate::sys::{clock, locale, progress};
use crate::transport::{Disposition, Observer};

/// How many recipients of one outcome are named before the rest is counted.
const NAMED: usize = 10;

/// Writes lines to standard error under the program's name, and remembers the worst failure.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostics {
    program: String,
    worst: Option<Kind>,
    /// The line that reported the worst failure, and its hint.
    told: Option<(String, Option<String>)>,
}

impl Diagnostics {
    /// Returns the diagnostics of a program of this name.
    pub(crate) fn new(program: impl Into<String>) -> Diagnostics {
        Diagnostics {
            program: program.into(),
            worst: None,
            told: None,
        }
    }

    /// Returns the program's name.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// Returns the worst failure so far.
    pub(crate) fn worst(&self) -> Option<Kind> {
        self.worst
    }

    /// Returns the line that reported the worst failure, without the program's name, and its hint.
    pub(crate) fn told(&self) -> (Option<String>, Option<String>) {
        match &self.told {
            Some((line, hint)) => (Some(line.clone()), hint.clone()),
            None => (None, None),
        }
    }

    /// Remembers a failure and the line that tells it.
    pub(crate) fn note_line(&mut self, kind: Kind, line: &str, hint: Option<&str>) {
        let before = self.worst;
        self.note(kind);
        // Of several lines of one kind the first counts: the others mostly follow from it.
        if self.told.is_none() || self.worst != before {
            let line = sanitize::message(line);
            let hint = hint.map(|hint| sanitize::line(hint.as_bytes()).into_owned());
            self.told = Some((line, hint));
        }
    }

    /// Remembers a failure without a line.
    pub(crate) fn note(&mut self, kind: Kind) {
        self.worst = Some(kind.or_worse(self.worst));
    }

    /// Remembers the worst failure that others have reported.
    pub(crate) fn absorb(&mut self, other: &Diagnostics) {
        let Some(kind) = other.worst else { return };
        match &other.told {
            Some((line, hint)) => self.note_line(kind, line, hint.as_deref()),
            None => self.note(kind),
        }
    }

    /// Remembers that a signal has ended us, where anything failed since.
    ///
    /// What failed may have another name: the interrupt key ends sendmail as well, and its end may
    /// be seen first. A mail that was accepted all the same was not interrupted.
    pub(crate) fn note_signal(&mut self, signals: &Signals) {
        if let Some(signal) = signals.received()
            && self.worst.is_some()
        {
            self.note(Kind::Signal(signal));
        }
    }

    /// Writes a result for people to standard output, in the charset of the locale; that it could not
    /// be written is a failure.
    pub(crate) fn print(&mut self, text: &str) {
        self.print_bytes(&locale::encode(text));
    }

    /// Writes a result to standard output as it is, as JSON; that it could not be written is a failure.
    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            match error.kind() {
                // The program behind the pipe has ended: no line is needed, the status says it.
                io::ErrorKind::BrokenPipe => self.note(Kind::Io),
                _ => {
                    let failure = Failure::new(Kind::Io, "cannot write to standard output");
                    self.fail(&failure.because(error));
                }
            }
        }
    }

    /// Writes one line.
    pub(crate) fn say(&self, text: &str) {
        line(&format!("{}: {text}", self.program));
    }

    /// Writes a line and what would help, if that is known.
    pub(crate) fn warn(&self, text: &str, hint: Option<&str>) {
        self.say(text);
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// Writes what would help, on its own line.
    pub(crate) fn hint(&self, hint: &str) {
        line(&format!("hint: {hint}"));
    }

    /// Prints a failure and its causes, and remembers it.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.print_failure(failure);
        let line = exit::with_causes(failure);
        self.note_line(failure.kind, &line, failure.hint.as_deref());
    }

    /// Prints a failure and its causes, without an effect on the exit status.
    pub(crate) fn print_failure(&self, failure: &Failure) {
        self.say(&exit::with_causes(failure));
        if let Some(hint) = &failure.hint {
            self.hint(hint);
        }
    }

    /// Prints an error that is no [`Failure`], with its causes, and remembers its kind.
    pub(crate) fn error(&mut self, kind: Kind, error: &(dyn Error + 'static)) {
        let line = exit::with_causes(error);
        self.say(&line);
        self.note_line(kind, &line, None);
    }

    /// Prints where unsent text is kept, or that it is not.
    pub(crate) fn kept(&mut self, kept: &Kept) {
        match kept {
            Kept::DeadLetter(letter) => self.saved("the message", letter),
            Kept::Nowhere(failure) => self.fail(failure),
            Kept::NotNeeded => {}
        }
    }

    /// Prints where a text is kept of which only a part could be read.
    pub(crate) fn kept_in_part(&mut self, kept: &Kept) {
        match kept {
            Kept::DeadLetter(letter) => self.saved("the incomplete message", letter),
            other => self.kept(other),
        }
    }

    fn saved(&self, what: &str, letter: &DeadLetter) {
        for reason in &letter.passed_over {
            self.say(reason);
        }
        self.say(&format!(
            "{what} is saved in {}, not retried",
            sanitize::path(&letter.path)
        ));
    }

    /// Prints that a message waits in the outbox, and when it is tried next.
    fn queued(&self, queued: &Queued) {
        let id = &queued.id;
        let next = clock::of_seconds(queued.next).format("%H:%M");
        self.say(&match (queued.merged, queued.is_uncertain) {
            (Some(count), _) => format!(
                "an equal message is in the outbox already as {id}, and now counts as {count}; next try {next}"
            ),
            (None, true) => {
                format!("the message is kept in the outbox as {id}; it is sent once more at {next}")
            }
            (None, false) => {
                format!("the message is kept in the outbox as {id}; next try {next}")
            }
        });
    }

    /// Prints that a message is left to root, unless that is no news; and what to do where root's flush
    /// does not come.
    fn dropped(&self, dropped: &Dropped, is_news: bool) {
        let id = &dropped.id;
        if !dropped.is_emptied {
            self.say(&format!(
                "the message is left to root as /var/spool/postrider/drop/{id}, but root's flush has not run in the last 15 minutes"
            ));
            self.hint("as root: systemctl enable --now postrider-outbox.timer; or in /etc/crontab: * * * * * root postrider outbox flush -q");
        } else if is_news {
            self.say(&format!(
                "the message is left to root as /var/spool/postrider/drop/{id}; root's next flush delivers it"
            ));
        }
    }

    /// Prints the outcome of each recipient that was not accepted; with `verbose` also of the others.
    pub(crate) fn report(&mut self, report: &Report, verbose: bool) {
        for notice in &report.notices {
            self.say(notice);
        }
        for entry in report
            .entries
            .iter()
            .filter(|entry| verbose && entry.outcome.is_accepted())
        {
            self.say(&format!("{}: {}", entry.target, entry.outcome.text));
        }
        // Hints come after all lines, each once: a thousand recipients that share a failure share
        // its hint.
        let mut hints: Vec<&str> = Vec::new();
        for group in outcomes(&report.entries) {
            let outcome = &group[0].outcome;
            let names = names(&group);
            let what = match outcome.disposition {
                Disposition::Accepted => continue,
                Disposition::TryLater(kind) if kind.may_pass() => {
                    format!("cannot send to {names} now")
                }
                Disposition::Refused(_) | Disposition::TryLater(_) => {
                    format!("cannot send to {names}")
                }
                Disposition::Uncertain(_) => {
                    format!("it is uncertain whether the message has reached {names}")
                }
            };
            let line = format!("{what}: {}", outcome.text);
            // A mail of cron that root's flush delivers within the minute is no news.
            let is_news = |entry: &&CopyReport| !report.is_left_to_root(entry);
            if verbose || !report.queued_is_sent || group.iter().any(is_news) {
                self.say(&line);
            }
            // Those that wait safely are no failure for programs that want it so.
            let is_sent = report.queued_is_sent && group.iter().all(|entry| entry.outbox.is_some());
            if let Some(kind) = outcome.kind().filter(|_| !is_sent) {
                self.note_line(kind, &line, outcome.hint.as_deref());
            }
            if let Some(hint) = outcome.hint.as_deref().filter(|hint| !hints.contains(hint)) {
                hints.push(hint);
            }
        }
        // Where the text is comes before the hints: it is what the user needs first.
        for queued in &report.queued {
            self.queued(queued);
        }
        if let Some(dropped) = &report.dropped {
            self.dropped(dropped, verbose || !report.queued_is_sent);
        }
        match &report.kept {
            Kept::DeadLetter(letter) if !report.queued.is_empty() || report.dropped.is_some() => {
                self.saved("for the others the message", letter);
            }
            kept => self.kept(kept),
        }
        for failure in &report.copy_failures {
            self.fail(failure);
        }
        for hint in hints {
            self.hint(hint);
        }
    }
}

/// Groups the entries that were not accepted by the text of their outcome.
fn outcomes(entries: &[CopyReport]) -> Vec<Vec<&CopyReport>> {
    let mut groups: Vec<Vec<&CopyReport>> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.outcome.is_accepted()) {
        match groups
            .iter_mut()
            .find(|group| group[0].outcome == entry.outcome)
        {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}

/// Names the recipients of a group, and counts them where they are too many.
fn names(group: &[&CopyReport]) -> String {
    let mut names = group
        .iter()
        .take(NAMED)
        .map(|entry| {
            if entry.target == entry.recipient {
                entry.target.to_string()
            } else {
                format!("{} (for {})", entry.target, entry.recipient)
            }
        })
        .collect::<Vec<_>>()
        .join(", ");
    if group.len() > NAMED {
        let _ = write!(names, " and {} others", group.len() - NAMED);
    }
    names
}

/// Writes a line to standard error, cut where it is very long. A failure is ignored, as there is no other place to report it.
pub(crate) fn line(text: &str) {
    let text = format!("{}\n", sanitize::message(text));
    progress::clear();
    let _ = io::stderr().lock().write_all(&locale::encode(&text));
}

/// Shows what goes on while a mail is submitted: waits for locks always, other waits and the dialogue
/// where they are wanted.
#[derive(Debug)]
pub(crate) struct Verbose {
    /// The program's name.
    pub program: String,
    /// Whether the dialogue is shown.
    pub dialogue: bool,
    /// Whether waits are worth a line: somebody watches, or asked for it.
    pub waits: bool,
}

impl Observer for Verbose {
    fn dialogue(&self, from_us: bool, text: &str) {
        if self.dialogue {
            let mark = if from_us { ">>>" } else { "<<<" };
            line(&format!("{mark} {text}"));
        }
    }

    fn note(&self, text: &str) {
        if self.dialogue {
            line(&format!("{}: {text}", self.program));
        }
    }

    fn waiting(&self, what: &str) {
        if self.waits {
            line(&format!("{}: waiting for {what}", self.program));
        }
    }

    fn waiting_for_lock(&self, what: &str) {
        line(&format!("{}: waiting for {what}", self.program));
    }

    fn locked_by_kernel_only(&self, text: &str) {
        if self.dialogue {
            line(&format!("{}: {text}", self.program));
        }
    }
}
