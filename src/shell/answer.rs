//! The commands that send: `mail`, replies, followups, forwards, `resend`.
//!
//! What a message says of its answer is for `flow::answering`; the text is read by [`super::text`];
//! the mail goes the way of every mail, by `flow::sending`. In a script the lines behind such a
//! command are its text, also where the command itself fails: they are never commands.

use std::ffi::OsString;

use super::command_line;
use super::complaint::{CommandResult, Complaint};
use super::input::CommandSource;
use super::reader::Reader;
use super::text::Text;
use crate::compose::Request;
use crate::compose::answer::Whom;
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::flow;
use crate::flow::answering::{self, ForwardOptions};
use crate::flow::sending::{self, SendFlow, SendOptions};
use crate::mailbox::Flags;
use crate::sys::spool::Spool;

/// Where the copy of a sent message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Where `record` says.
    Usual,
    /// To a file named after the author of the message that is answered (POSIX `followup`).
    ByAuthor,
    /// To a file named after the first recipient (`-F`).
    ByRecipient,
}

/// A mail before its text is read.
struct Outgoing {
    request: Request,
    /// What stands before the text, such as a quote.
    before: Spool,
    /// What stands behind it, such as a forwarded message.
    behind: Option<Spool>,
    /// The messages that count as answered when it was accepted.
    answered: Vec<usize>,
}

impl Reader<'_, '_> {
    /// Sends a message to the addresses that are given.
    pub(super) fn mail(
        &mut self,
        addresses: &str,
        record: Record,
        source: &mut CommandSource<'_>,
    ) -> CommandResult {
        let request = Request {
            to: Some(addresses)
                .filter(|addresses| !addresses.is_empty())
                .map(OsString::from)
                .into_iter()
                .collect(),
            copy_by_name: record == Record::ByRecipient,
            ..Request::default()
        };
        let outgoing = match addresses {
            // A person is asked.
            "" if !source.is_typed() => Err(Complaint::wrong("mail: the recipients are missing")),
            _ => Ok(Outgoing {
                request,
                before: Spool::new(),
                behind: None,
                answered: Vec::new(),
            }),
        };
        self.write_and_send(outgoing, source)
    }

    /// Replies to messages; with `flipr` the two kinds of replies are swapped.
    pub(super) fn reply(
        &mut self,
        list: &str,
        whom: Whom,
        record: Record,
        source: &mut CommandSource<'_>,
    ) -> CommandResult {
        let whom = match (self.settings.is_set("flipr"), whom) {
            (false, whom) => whom,
            (true, Whom::All) => Whom::Authors,
            (true, Whom::Authors) => Whom::All,
            (true, Whom::Lists) => Whom::Lists,
        };
        self.reply_to(list, whom, record, source)
    }

    /// Replies to messages, whatever `flipr` says.
    pub(super) fn reply_to(
        &mut self,
        list: &str,
        whom: Whom,
        record: Record,
        source: &mut CommandSource<'_>,
    ) -> CommandResult {
        let outgoing = self.reply_before_text(list, whom, record);
        self.write_and_send(outgoing, source)
    }

    fn reply_before_text(
        &mut self,
        list: &str,
        whom: Whom,
        record: Record,
    ) -> Result<Outgoing, Complaint> {
        let messages = self.messages(list)?;
        let contents = self.contents(&messages)?;
        // With the From_ line, which names the author where no field does.
        let blocks: Vec<Vec<u8>> = messages
            .iter()
            .map(|&message| self.block(message))
            .collect();
        let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
        let answer = answering::reply(&blocks, whom, &self.settings).map_err(complaint)?;
        if let Some(notice) = answering::left_out_of(&answer) {
            self.say(&notice);
        }
        let before = match answering::heading(&self.settings) {
            Some(heading) => {
                answering::quoted(&contents, heading, &self.settings).map_err(complaint)?
            }
            None => Spool::new(),
        };
        let mut request = answer.request;
        if record == Record::ByAuthor {
            let name = self.author_name(messages[0]).map_err(complaint)?;
            request.copy_named = Some(name);
        }
        Ok(Outgoing {
            request,
            before,
            behind: None,
            answered: messages,
        })
    }

    /// Forwards messages in one mail.
    pub(super) fn forward_messages(
        &mut self,
        text: &str,
        record: Record,
        source: &mut CommandSource<'_>,
    ) -> CommandResult {
        let outgoing = self.forward_before_text(text, record, source.is_typed());
        self.write_and_send(outgoing, source)
    }

    fn forward_before_text(
        &mut self,
        text: &str,
        record: Record,
        is_asked: bool,
    ) -> Result<Outgoing, Complaint> {
        let (list, recipients) = match split_recipients("forward", text) {
            Ok((list, recipients)) => (list, Some(recipients)),
            // A person is asked for the recipients.
            Err(_) if is_asked => (text, None),
            Err(complaint) => return Err(complaint),
        };
        let messages = self.messages(list)?;
        let contents = self.contents(&messages)?;
        let options = ForwardOptions::of(&self.settings);
        let (mut request, behind) =
            answering::forward(&contents, options, &self.settings).map_err(complaint)?;
        request.to = recipients.into_iter().collect();
        request.copy_by_name = record == Record::ByRecipient;
        self.touch_all(&messages);
        Ok(Outgoing {
            request,
            before: Spool::new(),
            behind: Some(behind).filter(|text| !text.is_empty()),
            answered: Vec::new(),
        })
    }

    /// Sends messages on as they are; `with_fields` adds the fields that say who did so.
    pub(super) fn resend(&mut self, text: &str, with_fields: bool) -> CommandResult {
        let (list, recipients) = split_recipients("resend", text)?;
        let messages = self.messages(list)?;
        for &message in &messages {
            if self.is_interrupted() {
                break;
            }
            let content = self.contents(&[message])?.remove(0);
            let to = [recipients.clone()];
            let sent = self.with_flow(|flow| answering::resend(flow, &content, &to, with_fields));
            match sent {
                Ok(_) => self.touch_all(&[message]),
                Err(failure) => self.fail(&failure),
            }
        }
        Ok(())
    }

    /// Reads the text of a mail and sends it. In a script the text is read also where the mail cannot
    /// be made: it is text, and no commands.
    fn write_and_send(
        &mut self,
        outgoing: Result<Outgoing, Complaint>,
        source: &mut CommandSource<'_>,
    ) -> CommandResult {
        let mut outgoing = match outgoing {
            Ok(outgoing) => outgoing,
            Err(complaint) => return Err(self.without_text(complaint, source)),
        };
        if let Some(&last) = outgoing.answered.last() {
            self.go_to(last);
        }
        let before = std::mem::take(&mut outgoing.before);
        let behind = outgoing.behind.take();
        let Text { input, refusal } = self.read_text(&mut outgoing.request, before, behind, source);
        let request = outgoing.request;
        let sent = self.with_flow(|flow| Ok(flow.send(&request, input, refusal.as_ref())));
        if sent.unwrap_or(false) {
            // Answering a message counts as reading it; an answer that was given up does not.
            for message in outgoing.answered {
                self.marks[message].read();
                self.marks[message].flags.insert(Flags::ANSWERED);
            }
        }
        Ok(())
    }

    /// Runs something that sends, and remembers what it reported for the exit status.
    fn with_flow<T>(
        &mut self,
        send: impl FnOnce(&mut SendFlow<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.screen.flush();
        let own;
        let signals = match self.around.signals {
            Some(signals) => signals,
            None => {
                own = flow::watch_signals(false)?;
                &own
            }
        };
        let options = SendOptions::default();
        let mut diagnostics = Diagnostics::new(&self.around.program);
        let around = sending::surroundings(
            signals,
            &options,
            &self.settings,
            &self.around.environment,
            &diagnostics,
        );
        let mut flow = SendFlow {
            options: &options,
            around: &around,
            diagnostics: &mut diagnostics,
        };
        let sent = send(&mut flow);
        if let Some(kind) = diagnostics.worst() {
            self.has_failed = true;
            self.failure = Some(kind.or_worse(self.failure));
        }
        sent
    }

    /// Returns messages as they were before their mailbox took them.
    fn contents(&mut self, messages: &[usize]) -> Result<Vec<Vec<u8>>, Complaint> {
        let contents = messages.iter().map(|&message| self.content(message));
        contents.collect::<Result<_, Failure>>().map_err(complaint)
    }

    /// Answering a message counts as reading it.
    fn touch_all(&mut self, messages: &[usize]) {
        for &message in messages {
            self.marks[message].read();
        }
        if let Some(&last) = messages.last() {
            self.go_to(last);
        }
    }
}

/// Returns the complaint that a failure is.
fn complaint(failure: Failure) -> Complaint {
    let line = match &failure.hint {
        Some(hint) => format!("{}; {hint}", with_causes(&failure)),
        None => with_causes(&failure),
    };
    Complaint::new(line, Some(failure.kind))
}

/// Splits the recipients, the last word, from the message list before it, as s-nail does.
fn split_recipients<'t>(command: &str, text: &'t str) -> Result<(&'t str, OsString), Complaint> {
    match command_line::words(text)?.last() {
        // `forward 3` forgets the recipients; the account 3 is nobody's.
        Some(word) if !is_list(&word.text) => {
            Ok((text[..word.start].trim_end(), OsString::from(word.text)))
        }
        _ => Err(Complaint::new(
            format!("{command}: the recipients are missing, as in {command} 3 ada@example.org"),
            Some(Kind::Usage),
        )),
    }
}

/// Returns whether a word is a message list and cannot be a recipient: a number, a range, a sign.
fn is_list(word: &str) -> bool {
    let is_number = |c: char| c.is_ascii_digit() || "-.$^*+".contains(c);
    word.chars().all(is_number) || word.starts_with([':', '/'])
}
