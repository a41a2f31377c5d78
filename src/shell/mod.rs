//! The interactive reader: a loop over commands from a terminal, a pipe or a file.
//!
//! Takes a mailbox that is open already, settings and a screen; knows nothing of
//! where they come from. The reader owns the settings: what they say is looked up again for the
//! command after a change. Commands mark messages in memory; only `save` and its
//! like write at once, and only leaving by `q` changes the mailbox. `x` changes
//! nothing, and nor do the ends that nobody asked for: a signal, a terminal that
//! is gone, an output that is full, a script that has failed. Results
//! go to `out`, complaints to `err` (POSIX), and neither ends the loop; the end of
//! input is `q`.

use std::io::BufRead;
use std::path::PathBuf;

use nix::unistd::{AccessFlags, eaccess};

use crate::config::Settings;
use crate::config::commands::{Arguments, Command, find_at_prompt};
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{Flags, Mailbox, Notice};
use crate::sanitize;
use crate::selection::{self, FlagChoice, Index, ListError, Sight, first_of_interest};
use crate::submission::identity;
use crate::ui::{Display, Screen, headline};

pub(crate) mod batch;
mod command;
mod commit;
pub(crate) mod complaint;
mod file;
mod input;
mod mark;
pub(crate) mod options;
mod quit;
mod script;
mod show;
mod store;
mod unread;

use complaint::Complaint;
use input::Source;
use mark::{Fate, Mark};
use options::{Options, Surroundings};
use script::Script;
use unread::Unread;

/// What a command says: nothing, or what to tell the user.
pub(crate) type Told = Result<(), Complaint>;

/// Where commands come from.
pub(crate) enum Input<'a> {
    /// A pipe, a file or a test; prompts are shown only if the settings speak of a terminal.
    Lines(&'a mut dyn BufRead),
    /// The terminal, with line editing.
    Terminal,
}

/// Shows the header lines of a message list, or only finds out whether it names any (`-L`).
///
/// Returns [`Kind::Nothing`] if it names none.
///
/// # Errors
/// The list cannot be understood (64), or the output cannot be written.
pub(crate) fn search(
    mailbox: Mailbox,
    settings: Settings,
    around: Surroundings<'_>,
    text: &str,
    silent: bool,
    screen: Screen<'_>,
) -> Result<Option<Kind>, Failure> {
    let mut reader = Reader::new(mailbox, settings, around, screen);
    reader.tell_notices();
    let found = match reader.choose(text, Sight::Present) {
        Ok(found) => found,
        Err(error) if error.is_nothing() => Vec::new(),
        Err(error) => {
            let what = format!("-L {text}: {error}");
            return Err(Failure::new(Kind::Usage, what));
        }
    };
    let nothing = found.is_empty().then_some(Kind::Nothing);
    let kind = reader.worst.or(reader.tell_unread()).or(nothing);
    if !silent && !found.is_empty() {
        reader.execute(&format!("from {text}"));
    }
    reader.screen.finish()?;
    Ok(kind)
}

/// Reads and runs commands until one leaves or the input ends.
///
/// `first` are commands that come before those of the input. Returns what went wrong, if anything
/// did that changes the exit status; it was told already.
///
/// # Errors
/// The output cannot be written, or the commands cannot be read ([`Kind::Io`]).
pub(crate) fn run(
    mailbox: Mailbox,
    settings: Settings,
    around: Surroundings<'_>,
    first: &[String],
    input: Input<'_>,
    screen: Screen<'_>,
) -> Result<Option<Kind>, Failure> {
    let mut reader = Reader::new(mailbox, settings, around, screen);
    reader.tell_notices();
    reader.in_script |= !first.is_empty();
    reader.failure = None;
    reader.greet();
    reader.judge("headers");
    for line in first {
        if !reader.left {
            reader.run_line(line);
        }
    }
    reader.hand_over_to_a_person();
    let mut source = Source::new(input, reader.around.signals)?;
    let mut has_ended = false;
    while !reader.left && !reader.screen.is_closed() {
        reader.screen.flush();
        match source.line(&mut reader) {
            Ok(Some(line)) => {
                has_ended = false;
                reader.run_line(&line);
            }
            Ok(None) => {
                reader.carry_out("quit");
                // Where leaving fails a person may try something else; but an input that ends
                // twice has nobody behind it.
                reader.left |= has_ended;
                has_ended = true;
            }
            Err(failure) => {
                reader.heed_signal();
                if !reader.left {
                    return Err(failure);
                }
            }
        }
    }
    if reader.screen.has_lost_its_reader() && !reader.left {
        reader.tell_unfinished(&mut source)?;
    }
    reader.screen.finish()?;
    Ok(reader.worst)
}

/// The state of the reader between commands; messages count from 0.
pub(crate) struct Reader<'a, 's> {
    mailbox: Mailbox,
    /// What is set. A command may change it; see [`Reader::refresh`].
    settings: Settings,
    around: Surroundings<'s>,
    /// What the settings say of the reader.
    options: Options,
    /// What the settings say of how messages look.
    display: Display,
    /// The revision of the settings that `options` and `display` are of.
    revision: usize,
    screen: Screen<'a>,
    /// What this session has done to each message.
    marks: Vec<Mark>,
    current: usize,
    /// Whether the current message was shown, so that `next` moves on.
    shown: bool,
    /// Which screenful of header lines was last shown.
    page: usize,
    /// The last `/text` of a message list.
    search: String,
    /// Whether nothing may be changed: asked for, or by the rights of the file.
    read_only: bool,
    left: bool,
    /// Whether commands come from where nobody watches: a pipe, a file, `-Y`.
    in_script: bool,
    script: Script,
    /// Whether the last command had something to complain of.
    has_failed: bool,
    /// What kind of failure the last command was, if it was one.
    failure: Option<Kind>,
    /// What is to be the exit status; failures at a terminal are seen and no part of it.
    worst: Option<Kind>,
    unread: Unread,
}

impl<'a, 's> Reader<'a, 's> {
    fn new(
        mailbox: Mailbox,
        settings: Settings,
        around: Surroundings<'s>,
        screen: Screen<'a>,
    ) -> Self {
        let options = Options::of(&settings, &around);
        let messages = mailbox.messages();
        let current = first_of_interest(messages.iter().map(|message| message.flags));
        Reader {
            marks: messages
                .iter()
                .map(|message| Mark::new(message.flags))
                .collect(),
            current,
            shown: false,
            page: current / options.screen,
            search: String::new(),
            read_only: around.read_only || !may_write(&mailbox),
            left: false,
            in_script: !around.stdin_is_terminal,
            script: Script::default(),
            has_failed: false,
            failure: None,
            worst: None,
            unread: Unread::default(),
            options,
            display: display_of(&settings, &around),
            revision: settings.revision(),
            mailbox,
            settings,
            around,
            screen,
        }
    }

    /// Looks up again what the settings say, if they were changed.
    fn refresh(&mut self) {
        let revision = self.settings.revision();
        if std::mem::replace(&mut self.revision, revision) != revision {
            self.options = Options::of(&self.settings, &self.around);
            self.display = display_of(&self.settings, &self.around);
        }
    }

    /// Returns the file that a name stands for.
    fn file_of(&self, name: &str) -> Result<PathBuf, Failure> {
        (self.around.find_file)(name, &self.settings)
    }

    fn greet(&mut self) {
        if !self.options.quiet {
            let version = env!("CARGO_PKG_VERSION");
            self.screen
                .text(&format!("Postrider {version}.  Type ? for help.\n"));
            let banner = self.banner();
            self.screen.text(&banner);
        }
        if self.options.header && !self.mailbox.messages().is_empty() {
            self.show_page();
            self.tell_unread();
        }
    }

    /// Returns the line that says what is open: `"/var/mail/root": 4 messages 2 new 3 unread [Read only]`.
    fn banner(&self) -> String {
        let messages = self.mailbox.messages();
        let count = |choice: FlagChoice| {
            messages
                .iter()
                .filter(|message| choice.matches(message.flags))
                .count()
        };
        let path = sanitize::path(self.mailbox.path()).to_string();
        let mut line = format!("\"{}\": ", path.replace('\n', "\u{240a}"));
        match messages.len() {
            1 => line.push_str("1 message"),
            number => line.push_str(&format!("{number} messages")),
        }
        for (choice, name) in [(FlagChoice::New, "new"), (FlagChoice::Unread, "unread")] {
            match count(choice) {
                0 => {}
                number => line.push_str(&format!(" {number} {name}")),
            }
        }
        if self.read_only {
            line.push_str(" [Read only]");
        }
        line.push('\n');
        line
    }

    /// Runs one line, unless it is no command.
    fn run_line(&mut self, line: &str) {
        if !self.in_script || !self.script.leaves_out(line) {
            self.carry_out(line);
        }
    }

    /// Runs a command, and heeds what came of it and meanwhile.
    fn carry_out(&mut self, line: &str) {
        self.has_failed = false;
        self.failure = None;
        self.execute(line);
        self.heed_signal();
        self.judge(line);
        if self.has_failed && self.options.errexit && !self.around.stdin_is_terminal {
            self.note(Kind::Nothing);
            self.left = true;
        }
    }

    /// Takes down that a command of a script has failed, if it has.
    fn judge(&mut self, line: &str) {
        if let Some(kind) = self.failure.take()
            && self.in_script
        {
            self.note(kind);
            self.script.fail(line);
        }
    }

    /// Returns the command whose failure holds back every change that comes later, if there is one.
    ///
    /// POSIX lets scripts go on.
    fn held_back_by(&self) -> Option<&str> {
        if self.options.rules.posix {
            None
        } else {
            self.script.failed()
        }
    }

    /// Ends the script where a person at a terminal goes on; what a failed one has marked is taken
    /// back, as nobody saw it.
    fn hand_over_to_a_person(&mut self) {
        if !self.around.stdin_is_terminal {
            return;
        }
        self.in_script = false;
        if let Some(failed) = self.held_back_by().map(str::to_owned) {
            let messages = self.mailbox.messages();
            let unmarked: Vec<Mark> = messages.iter().map(|m| Mark::new(m.flags)).collect();
            if std::mem::replace(&mut self.marks, unmarked) != self.marks {
                self.tell(&format!(
                    "no message is marked, because \"{failed}\" failed"
                ));
            }
        }
        self.script = Script::default();
    }

    /// Leaves where a signal asks us to stop; an interrupt at a terminal ended the command only.
    fn heed_signal(&mut self) {
        match self.around.signals {
            Some(signals) if self.around.stdin_is_terminal => signals.forget_interrupt(),
            _ => {}
        }
        let Some(signal) = self.around.signal() else {
            return;
        };
        if !self.left {
            let path = sanitize::path(self.mailbox.path());
            let line = format!("interrupted; {path} stays as it is");
            self.tell(&line);
        }
        self.note(Kind::Signal(signal));
        self.left = true;
    }

    /// Says that something was asked for and not done, where the output has lost its reader before
    /// the end: what nobody saw is not deleted.
    ///
    /// That nobody wants to see more of a list is no failure.
    fn tell_unfinished(&mut self, source: &mut Source<'_>) -> Result<(), Failure> {
        if self.held_back_by().is_some() {
            return Ok(());
        }
        let mut is_asked = self.marks.iter().any(|mark| mark.fate != Fate::Ruled);
        while !self.around.stdin_is_terminal {
            let Some(line) = source.line(self)? else {
                break;
            };
            match find_at_prompt(command::split(&line).0).map(|command| command.name) {
                Some("quit") => break,
                // Nothing was to be written.
                Some("exit" | "xit") => return Ok(()),
                _ => is_asked |= command::does_more_than_show(&line),
            }
        }
        if is_asked {
            let path = sanitize::path(self.mailbox.path());
            let line = format!("the output was closed; {path} stays as it is");
            self.tell(&line);
            self.note(Kind::Io);
        }
        Ok(())
    }

    /// Returns whether what takes long is to end now.
    fn is_interrupted(&self) -> bool {
        self.around.signal().is_some()
    }

    /// Says what is wrong with a command.
    fn complain(&mut self, complaint: &Complaint) {
        self.has_failed = true;
        self.failure = worse(self.failure, complaint.kind);
        self.screen.complain(&complaint.line);
    }

    /// Says something under the program's name.
    fn tell(&mut self, line: &str) {
        self.screen.tell(line);
    }

    /// Tells what else is to be known about the mailbox.
    fn tell_notices(&mut self) {
        let notices = self.mailbox.notices().to_vec();
        for notice in &notices {
            self.tell(&notice.to_string());
            if let Some(kind) = notice.kind() {
                self.note(kind);
            }
        }
    }

    /// Tells what a command could not do; in a script it changes the exit status.
    fn fail(&mut self, failure: &Failure) {
        self.has_failed = true;
        self.failure = worse(self.failure, Some(failure.kind));
        self.screen.fail(failure);
    }

    /// Remembers a failure for the exit status; a signal is why we stop, and outranks the others.
    fn note(&mut self, kind: Kind) {
        self.worst = Some(kind.or_worse(self.worst));
    }

    /// Runs one line.
    fn execute(&mut self, line: &str) {
        self.refresh();
        let (word, arguments) = command::split(line);
        let told = match (word, arguments) {
            ("", "") => self.next(""),
            ("", messages) => self.print(messages),
            _ => match find_at_prompt(word) {
                None => Err(self.unknown(word, line)),
                Some(found) if found.arguments == Arguments::None && !arguments.is_empty() => {
                    let what = format!("{}: too many arguments", found.name);
                    Err(Complaint::wrong(what))
                }
                Some(found) if self.is_held_back(found) => {
                    self.hold_back(found, line);
                    Ok(())
                }
                Some(found) => match found.allowed.prompt {
                    Some((command, _)) => self.run_command(command, arguments),
                    None => Err(self.unknown(word, line)),
                },
            },
        };
        if let Err(complaint) = told {
            self.complain(&complaint);
        }
        self.tell_unread();
        self.refresh();
    }

    /// Returns the complaint of a command that we do not know.
    fn unknown(&mut self, word: &str, line: &str) -> Complaint {
        let behind = if self.in_script {
            self.script.meet_unknown(line)
        } else {
            ""
        };
        Complaint::wrong(format!("Unknown command: \"{word}\"{behind}"))
    }

    /// Returns whether a command may not be carried out, because one before it has failed.
    fn is_held_back(&self, command: &Command) -> bool {
        self.held_back_by().is_some() && command::changes(command)
    }

    /// Says that a command is held back, once for each name.
    fn hold_back(&mut self, command: &Command, line: &str) {
        if self.script.hold_back(command.name) {
            let failed = self.held_back_by().unwrap_or_default();
            let line = line.trim();
            let line = format!("\"{line}\" is not done, because \"{failed}\" failed");
            self.tell(&line);
        }
    }

    /// Returns the messages a command applies to: those of the list, or the current one.
    fn messages(&mut self, text: &str) -> Result<Vec<usize>, Complaint> {
        Ok(self.listed(text)?)
    }

    fn listed(&mut self, text: &str) -> Result<Vec<usize>, ListError> {
        let found = self.choose(text, Sight::Present)?;
        if !found.is_empty() {
            return Ok(found);
        }
        match self.marks.get(self.current) {
            Some(mark) if mark.fate != Fate::Deleted => Ok(vec![self.current]),
            _ => Err(ListError::NoMatch),
        }
    }

    /// Returns the messages that a list names.
    fn choose(&mut self, text: &str, sight: Sight) -> Result<Vec<usize>, ListError> {
        let mut search = std::mem::take(&mut self.search);
        let found = selection::messages(text, self, sight, &mut search);
        self.search = search;
        found
    }

    /// Returns the messages that a command puts in safety. One that a command before has deleted is
    /// a failure here: the message would go, and be nowhere.
    fn messages_to_keep(&mut self, text: &str) -> Result<Vec<usize>, Complaint> {
        self.listed(text).map_err(|error| match error {
            ListError::Hidden(_) => Complaint::wrong(error.to_string()),
            error => error.into(),
        })
    }

    /// Makes a message the current one.
    fn go_to(&mut self, message: usize) {
        if self.current != message {
            self.current = message;
            self.shown = false;
        }
    }

    /// Returns the From_ line and header block of a message; one that cannot be read is empty, and
    /// told when the command ends.
    fn block(&self, message: usize) -> Vec<u8> {
        self.unread.block(&self.mailbox, message)
    }

    /// Returns the number of lines of a message; one that cannot be read has none, and is told when
    /// the command ends.
    fn lines(&self, message: usize) -> u32 {
        self.unread.lines(&self.mailbox, message)
    }

    /// Tells that a header could not be read, which a search or a list had to do without; returns
    /// what kind of failure that is, if it is one.
    fn tell_unread(&mut self) -> Option<Kind> {
        let (failure, kind) = self.unread.take()?;
        match kind {
            None => self.tell(&with_causes(&failure)),
            Some(_) => self.fail(&failure),
        }
        kind
    }

    /// Returns the flags of a message as this session has them.
    fn flags(&self, message: usize) -> Flags {
        let mark = &self.marks[message];
        let mut flags = mark.flags;
        if mark.fate == Fate::Deleted {
            flags.insert(Flags::DELETED);
        }
        flags
    }

    /// Returns the messages that are not deleted, in order.
    fn visible(&self) -> impl Iterator<Item = usize> + '_ {
        let marks = self.marks.iter().enumerate();
        marks
            .filter(|(_, mark)| mark.fate != Fate::Deleted)
            .map(|(message, _)| message)
    }
}

impl Index for Reader<'_, '_> {
    fn count(&self) -> usize {
        self.mailbox.messages().len()
    }

    fn current(&self) -> usize {
        self.current
    }

    fn is_hidden(&self, message: usize) -> bool {
        // What another program marked as deleted is still there to be read.
        self.marks[message].fate == Fate::Deleted
    }

    fn has_flags(&self, message: usize, choice: FlagChoice) -> bool {
        choice.matches(self.flags(message))
    }

    fn sender(&self, message: usize) -> String {
        headline::sender(&self.block(message), &self.display)
    }

    fn subject(&self, message: usize) -> String {
        headline::subject(&self.block(message))
    }

    fn allnet(&self) -> bool {
        self.options.allnet
    }
}

/// Returns how messages look to a reader.
fn display_of(settings: &Settings, around: &Surroundings<'_>) -> Display {
    Display::of(settings, around.columns, || {
        identity::own_addresses(settings)
    })
}

/// Returns the worse of two failures.
fn worse(one: Option<Kind>, other: Option<Kind>) -> Option<Kind> {
    one.into_iter().chain(other).min()
}

/// Returns whether we may change a mailbox: its file, or the directories of a Maildir.
fn may_write(mailbox: &Mailbox) -> bool {
    let path = mailbox.path();
    let places = if path.is_dir() {
        vec![path.join("cur"), path.join("new")]
    } else {
        vec![path.to_owned()]
    };
    let is_open = |place: &PathBuf| eaccess(place, AccessFlags::W_OK).is_ok();
    // Who changes it must first complete a change that broke off.
    let is_whole = |notice: &Notice| !matches!(notice, Notice::Unreadable { .. });
    !mailbox.is_compressed() && mailbox.notices().iter().all(is_whole) && places.iter().all(is_open)
}

#[cfg(test)]
mod tests;
