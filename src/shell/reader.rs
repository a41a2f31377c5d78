//! The state of the reader between two commands, and the small questions that all commands ask of
//! it: which messages a list names, which flags a message has, how a failure is reported and
//! remembered.
//!
//! Commands are methods of [`Reader`] in the other modules, by what they do: `show`, `marking`,
//! `store`, `quit`. They use this module; it knows none of them.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};

use super::complaint::Complaint;
use super::completion::{Names, offered};
use super::history::History;
use super::listing::Listing;
use super::mark::{Fate, Mark};
use super::options::{ReaderContext, ReaderOptions, display_of};
use super::script::Script;
use super::undo::Undo;
use super::unreadable::Unread;
use crate::config::Settings;
use crate::config::mailrc::Open;
use crate::exit::{Failure, Kind, with_causes};
use crate::flow::reading::FoundMailbox;
use crate::mailbox::{Flags, Mailbox, Notice};
use crate::selection::{self, FlagChoice, Index, ListError, Order, Sight, first_of_interest};
use crate::ui::{Display, Screen, headline};

/// Why no mailbox is open.
#[derive(Clone, Debug, Default)]
pub(super) struct Closed {
    /// The command that has failed to open one.
    pub(super) line: String,
    /// Whether the mailbox that was open has been written, so that its index means nothing.
    pub(super) is_stale: bool,
}

/// The state of the reader between commands; messages count from 0.
pub(crate) struct Reader<'a, 's> {
    pub(super) mailbox: Mailbox,
    /// The variables. A command may change them; see [`Reader::refresh`].
    pub(super) settings: Settings,
    pub(super) around: ReaderContext<'s>,
    /// The options of the reader, made of the settings.
    pub(super) options: ReaderOptions,
    /// How messages look, made when it is asked for: a file of settings changes it with each line.
    pub(super) display: OnceCell<Rc<Display>>,
    /// The revision of the settings that `options` and `display` are of.
    pub(super) revision: usize,
    pub(super) screen: Screen<'a>,
    /// The marks that this session has put on the messages.
    pub(super) marks: Vec<Mark>,
    pub(super) current: usize,
    /// What message lists refer to, and the order of the messages.
    pub(super) listing: Listing,
    /// Whether the current message was shown, so that `next` moves on.
    pub(super) shown: bool,
    /// Which screenful of header lines was last shown.
    pub(super) page: usize,
    /// The last `/text` of a message list.
    pub(super) search: String,
    /// Whether nothing may be changed: asked for, or by the rights of the file.
    pub(super) read_only: bool,
    pub(super) is_quitting: bool,
    /// Whether commands come from a script, which no person watches: a pipe, a file, `-Y`.
    pub(super) in_script: bool,
    pub(super) script: Script,
    /// The conditions and the block that are open, as in an rc file.
    pub(super) open: Open,
    /// Whether the last command had something to complain of.
    pub(super) has_failed: bool,
    /// The kind of failure of the last command, if it failed.
    pub(super) failure: Option<Kind>,
    /// The failure that becomes the exit status; a person at a terminal has seen the others.
    pub(super) worst: Option<Kind>,
    pub(super) unread: Unread,
    /// The commands that were typed.
    pub(super) history: History,
    /// The mailbox that was open before this one: `#`.
    pub(super) previous: Option<PathBuf>,
    /// Why commands for messages would mean the wrong ones: another mailbox could not be opened.
    pub(super) closed_by: Option<Closed>,
    /// The size of the mailbox of which the person was told that there is new mail.
    pub(super) announced: u64,
    /// Whether the person knows that a message list is a union.
    pub(super) has_explained_union: bool,
    /// The marks that `undo` can take back.
    pub(super) undo: Undo,
}

impl<'a, 's> Reader<'a, 's> {
    /// Returns a reader of a mailbox; it starts at the first message of interest.
    pub(crate) fn new(
        mailbox: Mailbox,
        mut settings: Settings,
        around: ReaderContext<'s>,
        screen: Screen<'a>,
    ) -> Self {
        // Those of the files were reported when they were read.
        settings.problems_are_told();
        let options = ReaderOptions::of(&settings, &around);
        let current = start_of(&mailbox, &settings);
        Reader {
            marks: Mark::none_in(&mailbox),
            current,
            listing: Listing::default(),
            shown: false,
            // The first screenful is the one with the current message, as in bsd-mailx.
            page: current / options.screen,
            search: String::new(),
            // The rights are looked at once: a banner that says "[Read only]" stays true.
            read_only: around.read_only || !may_write(&mailbox),
            is_quitting: false,
            in_script: !around.stdin_is_terminal,
            script: Script::default(),
            open: Open::default(),
            has_failed: false,
            failure: None,
            worst: None,
            unread: Unread::default(),
            history: History::default(),
            previous: None,
            closed_by: None,
            announced: 0,
            has_explained_union: false,
            undo: Undo::default(),
            options,
            display: OnceCell::new(),
            revision: settings.revision(),
            mailbox,
            settings,
            around,
            screen,
        }
    }

    /// Looks up again what the settings say, if they or the size of the screen were changed.
    pub(super) fn refresh(&mut self) {
        // A terminal may have got another size while its user read or typed.
        let size = if self.around.stdout_is_terminal {
            (self.around.measure)(&self.around.environment)
        } else {
            self.around.size
        };
        let was = std::mem::replace(&mut self.around.size, size);
        let revision = self.settings.revision();
        // The options are made anew only if a command has changed a variable, because they are
        // asked for before and after every command.
        if std::mem::replace(&mut self.revision, revision) != revision || was != size {
            self.options = ReaderOptions::of(&self.settings, &self.around);
            self.display.take();
        }
    }

    /// Returns how messages look.
    pub(super) fn display(&self) -> Rc<Display> {
        let make = || display_of(&self.settings, &self.around, self.mailbox.messages().len());
        Rc::clone(self.display.get_or_init(|| Rc::new(make())))
    }

    /// Returns the file that a name stands for.
    pub(super) fn file_of(&self, name: &str) -> Result<PathBuf, Failure> {
        self.mailbox_of(name).map(|found| found.path)
    }

    /// Returns the mailbox that a name stands for.
    pub(super) fn mailbox_of(&self, name: &str) -> Result<FoundMailbox, Failure> {
        (self.around.find_file)(name, self.previous.as_deref(), &self.settings)
    }

    /// Returns whether a person reads what a command says; what scripts parse is as bsd-mailx has it.
    pub(super) fn is_watched(&self) -> bool {
        !self.in_script && self.around.stdin_is_terminal && self.around.stdout_is_terminal
    }

    /// Returns the names that a tab may complete now.
    pub(super) fn names_to_complete(&self) -> Names {
        let near = self.current.saturating_sub(20)..self.current + 20;
        let senders = self.visible().filter(|message| near.contains(message));
        let senders = senders.map(|message| headline::address(&self.block(message)));
        Names {
            aliases: self.settings.aliases.keys().cloned().collect(),
            addresses: senders.filter_map(|address| offered(&address)).collect(),
            command_aliases: self
                .settings
                .command_aliases()
                .map(|(name, _)| name.to_owned())
                .collect(),
            folder: self.file_of("+").ok(),
            home: self.around.environment.home_directory(),
        }
    }

    /// Returns whether a signal asks a long command to end now.
    pub(super) fn is_interrupted(&self) -> bool {
        self.around.signal().is_some()
    }

    /// Reports what is wrong with a command.
    pub(super) fn complain(&mut self, complaint: &Complaint) {
        self.has_failed = true;
        if let Some(kind) = complaint.kind {
            self.failure = Some(kind.or_worse(self.failure));
        }
        self.screen.complain(&complaint.line);
    }

    /// Says something under the program's name.
    pub(super) fn say(&mut self, line: &str) {
        self.screen.say(line);
    }

    /// Reports what opening the mailbox has noticed, a torn message for instance.
    pub(super) fn report_notices(&mut self) {
        let notices = self.mailbox.notices().to_vec();
        for notice in &notices {
            self.say(&notice.to_string());
            // The mailbox is open all the same. The exit status still says that not all of it was
            // readable.
            if let Some(kind) = notice.kind() {
                self.note(kind);
            }
        }
    }

    /// Reports what a command could not do; in a script it changes the exit status.
    pub(super) fn fail(&mut self, failure: &Failure) {
        self.has_failed = true;
        self.failure = Some(failure.kind.or_worse(self.failure));
        self.screen.fail(failure);
    }

    /// Remembers a failure for the exit status; a signal is why we stop, and outranks the others.
    pub(super) fn note(&mut self, kind: Kind) {
        self.worst = Some(kind.or_worse(self.worst));
    }

    /// Returns the messages a command applies to: those of the list, or the current one.
    pub(super) fn messages(&mut self, text: &str) -> Result<Vec<usize>, Complaint> {
        Ok(self.listed(text)?)
    }

    pub(super) fn listed(&mut self, text: &str) -> Result<Vec<usize>, ListError> {
        let found = self.choose(text, Sight::Present)?;
        if !found.is_empty() {
            return Ok(found);
        }
        match self.marks.get(self.current) {
            // Without a list a command means the current message, unless that was deleted.
            Some(mark) if mark.fate != Fate::Deleted => Ok(vec![self.current]),
            _ => Err(ListError::NoMatch),
        }
    }

    /// Returns the messages that a list names.
    pub(super) fn choose(&mut self, text: &str, sight: Sight) -> Result<Vec<usize>, ListError> {
        // The parser asks the reader about messages while it changes the search, so the search is
        // taken out of the reader meanwhile.
        let mut search = std::mem::take(&mut self.search);
        let found = selection::messages(text, self, sight, &mut search);
        self.search = search;
        self.remember(&found);
        found
    }

    /// Returns the messages that a search finds: a list that may have `and`, `or` and `not`.
    pub(super) fn find(&mut self, text: &str) -> Result<Vec<usize>, ListError> {
        let mut search = std::mem::take(&mut self.search);
        let found = selection::found(text, self, Sight::Present, &mut search);
        self.search = search;
        self.remember(&found);
        found
    }

    /// Remembers a list, for `` ` ``.
    fn remember(&mut self, found: &Result<Vec<usize>, ListError>) {
        if let Ok(found) = found
            && !found.is_empty()
        {
            self.listing.last.clear();
            let numbers = found
                .iter()
                .filter_map(|&message| u32::try_from(message).ok());
            self.listing.last.extend(numbers);
        }
    }

    /// Returns the messages that a command puts in safety. One that a command before has deleted is
    /// a failure here: the message would go, and be nowhere.
    pub(super) fn messages_to_keep(&mut self, text: &str) -> Result<Vec<usize>, Complaint> {
        self.listed(text).map_err(|error| match error {
            // `d 1` and then `s 1 f`: the script believes that message 1 is in `f`.
            ListError::Hidden(_) => Complaint::wrong(error.to_string()),
            error => error.into(),
        })
    }

    /// Makes a message the current one.
    pub(super) fn go_to(&mut self, message: usize) {
        // A message that was current before stays as it is: what was shown of it is still shown, so
        // that `next` moves on.
        if self.current != message {
            self.listing.former = Some(self.current);
            self.current = message;
            self.shown = false;
        }
    }

    /// Returns the From_ line and header block of a message; one that cannot be read is empty, and
    /// is reported when the command ends.
    pub(super) fn block(&self, message: usize) -> Vec<u8> {
        self.unread.block(&self.mailbox, message)
    }

    /// Returns the number of lines of a message; one that cannot be read has none, and is
    /// reported when the command ends.
    pub(super) fn lines(&self, message: usize) -> u32 {
        self.unread.lines(&self.mailbox, message)
    }

    /// Reports that a search or a list had to do without a header, because it could not be read;
    /// returns what kind of failure that is, if it is one.
    pub(super) fn report_unread(&mut self) -> Option<Kind> {
        let (failure, kind) = self.unread.take()?;
        match kind {
            // Another program has deleted the message: that is news, and no failure.
            None => self.say(&with_causes(&failure)),
            Some(_) => self.fail(&failure),
        }
        kind
    }

    /// Returns the flags of a message as this session has them.
    pub(super) fn flags(&self, message: usize) -> Flags {
        let mark = &self.marks[message];
        let mut flags = mark.flags;
        // The flag exists in the session only. The mailbox is changed when the reader is left.
        if mark.fate == Fate::Deleted {
            flags.insert(Flags::DELETED);
        }
        flags
    }

    /// Returns the messages that are not deleted, in the order in which they are shown.
    pub(super) fn visible(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let messages = (0..self.marks.len()).map(|place| self.at(place));
        messages.filter(|&message| self.marks[message].fate != Fate::Deleted)
    }

    /// Returns the message at a place of the order.
    pub(super) fn at(&self, place: usize) -> usize {
        self.listing
            .order
            .as_ref()
            .map_or(place, |order| order.at(place))
    }

    /// Returns the place of a message in the order.
    pub(super) fn place(&self, message: usize) -> usize {
        let order = self.listing.order.as_ref();
        order.map_or(message, |order| order.place(message))
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
        // Only a deletion of this session hides a message: one that another program has marked as
        // deleted is still there to be read.
        self.marks[message].fate == Fate::Deleted
    }

    fn has_flags(&self, message: usize, choice: FlagChoice) -> bool {
        match choice {
            FlagChoice::Saved => self.marks[message].is_saved,
            FlagChoice::Tagged => self.marks[message].is_tagged,
            choice => choice.matches(self.flags(message)),
        }
    }

    fn previous(&self) -> Option<usize> {
        self.listing.former
    }

    fn last_list(&self) -> &[u32] {
        &self.listing.last
    }

    fn order(&self) -> Option<&Order> {
        self.listing.order.as_ref()
    }

    fn block(&self, message: usize) -> Vec<u8> {
        self.unread.block(&self.mailbox, message)
    }

    fn content(&self, message: usize) -> Vec<u8> {
        self.unread.content(&self.mailbox, message)
    }

    fn size(&self, message: usize) -> u64 {
        self.mailbox.messages()[message].len
    }

    fn sender(&self, block: &[u8]) -> String {
        headline::sender(block, &self.display())
    }

    fn is_interrupted(&self) -> bool {
        self.around.signal().is_some()
    }

    fn searches_headers(&self) -> bool {
        self.settings.is_set("searchheaders")
    }

    fn allnet(&self) -> bool {
        self.options.allnet
    }
}

/// Returns the message that is current where a mailbox was just opened.
pub(super) fn start_of(mailbox: &Mailbox, settings: &Settings) -> usize {
    let messages = mailbox.messages();
    if settings.is_set("showlast") {
        messages.len().saturating_sub(1)
    } else {
        first_of_interest(messages.iter().map(|message| message.flags))
    }
}

/// Returns whether we may change a mailbox: its file, or the directories of a Maildir.
pub(super) fn may_write(mailbox: &Mailbox) -> bool {
    let path = mailbox.path();
    // A Maildir changes by renaming and removing files, so the rights of its directories count and
    // not those of the files.
    let places = if path.is_dir() {
        vec![path.join("cur"), path.join("new")]
    } else {
        vec![path.to_owned()]
    };
    // access(2) would ask for the real user. A set-group-id `mail` program writes with its
    // effective rights.
    let is_open = |place: &PathBuf| {
        faccessat(AT_FDCWD, place, AccessFlags::W_OK, AtFlags::AT_EACCESS).is_ok()
    };
    // A change that broke off must be completed before the next one, and cannot be if its journal
    // cannot be read.
    let is_whole = |notice: &Notice| !matches!(notice, Notice::Unreadable { .. });
    mailbox.unchangeable().is_none()
        && mailbox.notices().iter().all(is_whole)
        && places.iter().all(is_open)
}
