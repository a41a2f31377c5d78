//! Running a line: the command is found in the table and carried out, and its result is remembered.
//!
//! The rules of scripts hold here: what a failed command holds back is asked
//! before each command that changes something.

use std::borrow::Cow;

use super::answer::Record;
use super::command_line;
use super::complaint::{CommandResult, Complaint};
use super::folder::needs_mailbox;
use super::input::CommandSource;
use super::mark::{Fate, Mark};
use super::reader::Reader;
use super::script::Script;
use super::storing::Storing;
use super::undo::Undo;
use crate::compose::answer::Whom;
use crate::config::commands::{
    Arguments, COMMAND_ALIAS_DEPTH, Command, PromptCommand, RcCommand, at_prompt, find_at_prompt,
};
use crate::config::{elsewhere, nearest};
use crate::exit::{Failure, Kind};
use crate::flow::reading::interrupted;
use crate::mailbox::Flags;
use crate::sanitize;

/// What stands in front of a command whose failure does not count, as in s-nail.
pub(super) const IGNORING: &str = "ignerr";

impl Reader<'_, '_> {
    /// Runs one line if it is a command.
    pub(super) fn run_line(&mut self, line: &str, source: &mut CommandSource<'_>) {
        if self.in_script && self.script.skips(line) {
            return;
        }
        // A line of a block stays as it is until the block is used.
        if self.open.takes(line) {
            return self.carry_out_by(line, source, |reader, source| {
                reader.interpret(line, source);
            });
        }
        let line = self.without_alias(line);
        let (word, arguments) = command_line::split(&line);
        let found = find_at_prompt(word).filter(|_| !word.is_empty());
        // Conditions come before the question whether lines count.
        if let Some(name) = found.filter(|row| is_condition(row)).map(|row| row.name) {
            let line = format!("{name} {arguments}");
            return self.carry_out_by(&line, source, |reader, source| {
                reader.interpret(&line, source);
            });
        }
        if self.open.is_active() {
            self.carry_out(&line, source);
        } else if found.is_some_and(Command::reads_text) {
            // The text of a reply that is not written may look like an `endif`.
            self.skip_text(source);
        }
    }

    /// Returns the line with the command that `commandalias` has its first word stand for.
    ///
    /// A name comes before the commands, as in s-nail: where `d` was made to move messages, it must
    /// not delete them.
    fn without_alias<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let mut line = Cow::Borrowed(line);
        for _ in 0..COMMAND_ALIAS_DEPTH {
            let (word, arguments) = command_line::split(&line);
            let Some(meant) = self.settings.command_alias(word) else {
                break;
            };
            line = Cow::Owned(format!("{meant} {arguments}"));
        }
        line
    }

    /// Runs a command, and then acts on its failure and on a signal that came meanwhile.
    pub(super) fn carry_out(&mut self, line: &str, source: &mut CommandSource<'_>) {
        self.carry_out_by(line, source, |reader, source| reader.execute(line, source));
    }

    /// Runs a line in a way of its own; see [`Reader::carry_out`].
    fn carry_out_by(
        &mut self,
        line: &str,
        source: &mut CommandSource<'_>,
        work: impl FnOnce(&mut Self, &mut CommandSource<'_>),
    ) {
        self.has_failed = false;
        self.failure = None;
        work(self, source);
        if command_line::split(line).0 == IGNORING {
            self.failure = None;
            self.has_failed = false;
        }
        let is_interrupted = self.is_interrupted();
        self.stop_on_signal();
        if is_interrupted || self.failure.is_some() {
            self.leave_sourced(line, source);
        }
        self.record_failure(line);
        // s-nail's `errexit` ends scripts only; a person would lose the session by a typing error.
        if self.has_failed && self.options.errexit && !self.around.stdin_is_terminal {
            self.note(Kind::Nothing);
            self.is_quitting = true;
        }
    }

    /// Leaves the files that `source` reads where a person has watched a command of them fail: what
    /// follows was written for commands that worked. A script holds back its changes instead.
    fn leave_sourced(&mut self, line: &str, source: &mut CommandSource<'_>) {
        if !source.sourced.is_open() || self.in_script || self.options.rules.posix {
            return;
        }
        let place = source.origin();
        let line = line.trim();
        self.say(&format!(
            "{place}: the commands after \"{line}\" are not carried out"
        ));
        while let Some(file) = source.sourced.close() {
            self.open = file.outer;
        }
    }

    /// Remembers that a command of a script has failed, if it has.
    pub(super) fn record_failure(&mut self, line: &str) {
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
    pub(super) fn held_back_by(&self) -> Option<&str> {
        if self.options.rules.posix {
            None
        } else {
            self.script.failed()
        }
    }

    /// Ends the script of `-Y` where a person at a terminal goes on. The marks that a failed script
    /// has made are taken back, because the person has not seen them.
    pub(super) fn end_script_at_terminal(&mut self) {
        if !self.around.stdin_is_terminal {
            return;
        }
        self.in_script = false;
        self.open_again_for_a_person();
        // Marks made before the failure came from a script that was written for other
        // circumstances. A person who types `q` would write them unseen.
        if let Some(failed) = self.held_back_by().map(str::to_owned) {
            let unmarked = Mark::none_in(&self.mailbox);
            if std::mem::replace(&mut self.marks, unmarked) != self.marks {
                self.say(&format!(
                    "no message is marked, because \"{failed}\" failed"
                ));
            }
        }
        self.undo = Undo::default();
        self.script = Script::default();
    }

    /// Quits where a signal asks us to stop; an interrupt at a terminal only ends the command.
    pub(super) fn stop_on_signal(&mut self) {
        match self.around.signals {
            // Ctrl-C at a prompt ends the command, as in a shell. Where no person types, it ends
            // the whole script.
            Some(signals) if self.around.stdin_is_terminal => signals.forget_interrupt(),
            _ => {}
        }
        let Some(signal) = self.around.signal() else {
            return;
        };
        if !self.is_quitting {
            let failure = interrupted(signal, self.mailbox.path());
            self.say(&failure.to_string());
        }
        self.note(Kind::Signal(signal));
        self.is_quitting = true;
    }

    /// Reports changes left undone because the output pipe was closed: a message that could not be
    /// shown is not deleted.
    ///
    /// A pipe that is closed after commands that only show something is no failure (`| head`).
    pub(super) fn report_unfinished(
        &mut self,
        source: &mut CommandSource<'_>,
    ) -> Result<(), Failure> {
        // The script has failed before: that was reported, and it is why nothing changes.
        if self.held_back_by().is_some() {
            return Ok(());
        }
        let mut is_asked = self.marks.iter().any(|mark| mark.fate != Fate::Default);
        // The rest of the script is read and not carried out, to learn whether it asks for a change.
        while !self.around.stdin_is_terminal {
            let Some(line) = source.line(self)? else {
                break;
            };
            let line = self.without_alias(&line);
            match find_at_prompt(command_line::split(&line).0).map(|command| command.name) {
                Some("quit") => break,
                // `x` would have written nothing either.
                Some("exit" | "xit") => return Ok(()),
                _ => is_asked |= command_line::does_more_than_show(&line),
            }
        }
        if is_asked {
            let path = sanitize::path(self.mailbox.path());
            let line = format!("the output was closed; {path} stays as it is");
            self.say(&line);
            self.note(Kind::Io);
        }
        Ok(())
    }

    /// Runs one line; a command may read what stands behind it in the source.
    pub(super) fn execute(&mut self, line: &str, source: &mut CommandSource<'_>) {
        self.refresh();
        self.undo.begin(line);
        let (mut word, mut arguments) = command_line::split(line);
        while word == IGNORING {
            (word, arguments) = command_line::split(arguments);
        }
        // An empty line is `next`, and a message list alone is `print` (POSIX).
        let result = match (word, arguments) {
            ("", _) if self.closed_by.is_some() => self.refuse_without_mailbox("print", line),
            ("", "") => self.next(""),
            ("", messages) => self.print(messages),
            _ => match find_at_prompt(word) {
                None => Err(self.unknown(word, line)),
                Some(found) if found.arguments == Arguments::None && !arguments.is_empty() => {
                    let what = format!("{}: too many arguments", found.name);
                    Err(Complaint::wrong(what))
                }
                // Holding back is no failure of its own: the first failure is the exit status.
                Some(found) if self.is_held_back(found) => {
                    let failed = self.held_back_by().unwrap_or_default().to_owned();
                    self.hold_back(found.name, line, &failed);
                    if found.reads_text() {
                        self.skip_text(source);
                    }
                    Ok(())
                }
                Some(found) if self.closed_by.is_some() && needs_mailbox(found) => {
                    self.refuse_without_mailbox(found.name, line)
                }
                Some(found) => match found.allowed.prompt {
                    Some((command, _)) => self.run_command(command, found.name, arguments, source),
                    None => Err(self.unknown(word, line)),
                },
            },
        };
        if let Err(mut complaint) = result {
            complaint.line = source.origin().says(&complaint.line);
            self.complain(&complaint);
        }
        self.report_unread();
        self.refresh();
    }

    /// Returns the complaint of a command that we do not know.
    pub(super) fn unknown(&mut self, word: &str, line: &str) -> Complaint {
        let following = if self.in_script {
            self.script.skip_lines_of(line)
        } else {
            ""
        };
        // Another program has the command: the nearest name would be a guess.
        let near = match elsewhere::instead(word) {
            Some(instead) => format!("; {instead}"),
            None => {
                let names = at_prompt().map(|command| command.name);
                let near = nearest(word, names).filter(|_| following.is_empty());
                near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
            }
        };
        Complaint::wrong(format!("Unknown command: \"{word}\"{following}{near}"))
    }

    /// Returns whether a command may not be carried out, because one before it has failed.
    pub(super) fn is_held_back(&self, command: &Command) -> bool {
        self.held_back_by().is_some() && command_line::changes(command)
    }

    /// Says that a command is held back because another one has failed, once for each name.
    pub(super) fn hold_back(&mut self, name: &'static str, line: &str, failed: &str) {
        if self.script.hold_back(name) {
            let line = line.trim();
            self.say(&format!(
                "\"{line}\" is not carried out, because \"{failed}\" failed"
            ));
        }
    }

    /// Runs a command of this name; `text` is the rest of the line after it, and `source` has the lines
    /// behind it.
    pub(super) fn run_command(
        &mut self,
        command: PromptCommand,
        name: &str,
        text: &str,
        source: &mut CommandSource<'_>,
    ) -> CommandResult {
        match command {
            PromptCommand::Source => self.source(text, source),
            PromptCommand::ChangeDirectory => self.change_directory(text),
            PromptCommand::Configure(command) => self.configure(command, name, text, source),
            PromptCommand::Next => self.next(text),
            PromptCommand::Print => self.print(text),
            PromptCommand::PrintAllFields => self.print_all_fields(text),
            PromptCommand::Page => self.page_messages(text),
            PromptCommand::PageAllFields => self.page_all_fields(text),
            PromptCommand::ShowStored => self.show_stored(text),
            PromptCommand::Structure => self.show_structure(text),
            PromptCommand::Top => self.top(text),
            PromptCommand::StepForward => self.forward(text),
            PromptCommand::StepBack => self.back(text),
            PromptCommand::Headers => self.headers(text),
            PromptCommand::From => self.from(text),
            PromptCommand::Search => self.search(text),
            PromptCommand::Sort => self.sort(text),
            PromptCommand::Unsort => self.unsort(text),
            PromptCommand::Thread => self.thread(text),
            PromptCommand::Tag => self.tag(text),
            PromptCommand::Untag => self.untag(text),
            PromptCommand::Scroll => self.scroll(text),
            PromptCommand::Size => self.size(text),
            PromptCommand::Number => self.number(text),
            PromptCommand::Echo => self.echo(text),
            PromptCommand::Exit => self.leave(text),
            PromptCommand::Quit => self.quit(text),
            PromptCommand::ShowHelp => self.help(text),
            PromptCommand::ListCommands => self.list_commands(text),
            PromptCommand::History => self.show_history(text),
            PromptCommand::Version => self.version(text),
            PromptCommand::Comment => self.comment(text),
            PromptCommand::Delete => self.delete(text),
            PromptCommand::DeleteAndPrint => self.delete_and_print(text),
            PromptCommand::Undelete => self.undelete(text),
            PromptCommand::Save => self.store_in_file(text, Storing::Save),
            PromptCommand::SaveByAuthor => self.store_by_author(text, Storing::Save),
            PromptCommand::Copy => self.store_in_file(text, Storing::Copy),
            PromptCommand::CopyByAuthor => self.store_by_author(text, Storing::Copy),
            PromptCommand::Write => self.write(text),
            PromptCommand::WriteByAuthor => self.write_by_author(text),
            PromptCommand::Edit => {
                source.drop_typed_ahead();
                self.edit(text)
            }
            PromptCommand::Visual => {
                source.drop_typed_ahead();
                self.visual(text)
            }
            PromptCommand::Pipe => self.pipe(text),
            PromptCommand::Shell => {
                source.drop_typed_ahead();
                self.shell(text)
            }
            PromptCommand::ShellCommand => self.shell_command(text),
            PromptCommand::Mail => self.mail(text, Record::Usual, source),
            PromptCommand::MailRecorded => self.mail(text, Record::ByRecipient, source),
            PromptCommand::Reply => self.reply(text, Whom::All, Record::Usual, source),
            PromptCommand::ReplyAuthor => self.reply(text, Whom::Authors, Record::Usual, source),
            PromptCommand::ReplyAll => self.reply_to(text, Whom::All, Record::Usual, source),
            PromptCommand::ReplySender => self.reply_to(text, Whom::Authors, Record::Usual, source),
            PromptCommand::Followup => self.reply(text, Whom::All, Record::ByAuthor, source),
            PromptCommand::FollowupAuthor => {
                self.reply(text, Whom::Authors, Record::ByAuthor, source)
            }
            PromptCommand::FollowupAll => self.reply_to(text, Whom::All, Record::ByAuthor, source),
            PromptCommand::FollowupSender => {
                self.reply_to(text, Whom::Authors, Record::ByAuthor, source)
            }
            PromptCommand::ListReply => self.reply_to(text, Whom::Lists, Record::Usual, source),
            PromptCommand::ListFollowup => {
                self.reply_to(text, Whom::Lists, Record::ByAuthor, source)
            }
            PromptCommand::Forward => self.forward_messages(text, Record::Usual, source),
            PromptCommand::ForwardRecorded => {
                self.forward_messages(text, Record::ByRecipient, source)
            }
            PromptCommand::Resend => self.resend(text, true),
            PromptCommand::ResendPlain => self.resend(text, false),
            PromptCommand::Hold => self.hold(text),
            PromptCommand::Mbox => self.mbox(text),
            PromptCommand::Touch => self.touch(text),
            PromptCommand::File => self.file(text),
            PromptCommand::OwnMailbox => self.file(&format!("%{text}")),
            PromptCommand::FileReadOnly => self.file_read_only(text),
            PromptCommand::Folders => self.folders(text),
            PromptCommand::Newmail => self.newmail(text),
            PromptCommand::Undo => self.undo(text),
            PromptCommand::Move => self.store_in_file(text, Storing::Move),
            PromptCommand::MoveByAuthor => self.store_by_author(text, Storing::Move),
            PromptCommand::Unread => self.unread(text),
            PromptCommand::New => self.new_again(text),
            PromptCommand::Seen => self.seen(text),
            PromptCommand::Flagged => self.set_flag(text, Flags::FLAGGED, true),
            PromptCommand::Unflagged => self.set_flag(text, Flags::FLAGGED, false),
            PromptCommand::Answered => self.set_flag(text, Flags::ANSWERED, true),
            PromptCommand::Unanswered => self.set_flag(text, Flags::ANSWERED, false),
            PromptCommand::Draft => self.set_flag(text, Flags::DRAFT, true),
            PromptCommand::Undraft => self.set_flag(text, Flags::DRAFT, false),
        }
    }
}

/// Returns whether a command is one of those around other commands.
fn is_condition(command: &Command) -> bool {
    let is_one = |rc| {
        matches!(
            rc,
            RcCommand::If | RcCommand::Elif | RcCommand::Else | RcCommand::Endif
        )
    };
    command.allowed.rc.is_some_and(is_one)
}
