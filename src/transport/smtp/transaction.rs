//! A mail transaction: MAIL, RCPT, DATA and the message (RFC 5321 section 3.3).
//!
//! Here each recipient is settled, and here is the line from which on the
//! message is the relay's.

use std::io;

use lettre::Address;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

use super::connection::WireError;
use super::data::{Block, Blocks, WireMeasure, measure};
use super::delivery::Delivery;
use super::part::DialoguePart;
use super::reply::Reply;
use super::session::SmtpSession;
use super::surplus::{fewer_recipients, says_too_many, too_many};
use super::verdict::{Stop, unanswered, uncertain, undecided, verdict};
use crate::address::{EnvelopeAddress, ReversePath};
use crate::exit::{Kind, plain};
use crate::transport::{Disposition, Outcome, Scope};

/// How many commands are sent before their replies are read; more could fill the buffers of both
/// sides, each waiting for the other to read (RFC 2920 section 3.1).
const WINDOW: usize = 100;

/// What we do when the message does not get through.
const SENDING: &str = "cannot send the message";

/// A command of the envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EnvelopeCommand {
    Mail,
    Rcpt(usize),
    Data,
}

/// What the relay says to MAIL, RCPT and DATA.
#[derive(Default)]
struct Addressed {
    /// The recipients that it takes.
    accepted: Vec<usize>,
    /// The recipients that are too many for this transaction.
    surplus: Vec<usize>,
    /// What the relay says of them.
    too_many: Option<Outcome>,
    /// How it refuses DATA, where it has taken a recipient.
    refusal: Option<Reply>,
}

impl SmtpSession<'_> {
    /// Takes the message over for as many recipients as the relay takes at once: MAIL, RCPT, DATA,
    /// the message. What is to be done after that is in `delivery`.
    pub(super) fn transact(&mut self, delivery: &mut Delivery) -> Result<(), Stop> {
        // The message is read twice, once to measure it and once to send it: SIZE and BODY are
        // parameters of MAIL, which is sent before the first byte of the message.
        let measured = match delivery.measured {
            Some(measured) => measured,
            None => *delivery.measured.insert(self.measure()?),
        };
        let mail = self.mail_command(measured)?;
        let portion = delivery.next_portion(&self.offers, self.job.envelope);
        let recipients = self.rcpt_commands(&portion);
        // A transaction without a recipient has nothing to send (RFC 5321 section 3.3): each
        // recipient of this one is settled already.
        if recipients.is_empty() {
            return Ok(());
        }
        let addressed = self.address_envelope(&mail, &recipients);
        let accepts_one = matches!(&addressed, Ok(addressed) if !addressed.accepted.is_empty());
        let has_login = self.job.relay.credentials.is_some();
        if !accepts_one && !has_login && !self.offers.auth.is_empty() {
            self.job.progress.login_may_be_missing();
        }
        let addressed = match addressed {
            Ok(addressed) => addressed,
            Err(stop) => {
                // If the connection was lost before this transaction, another one must find them.
                delivery.put_back(&portion, usize::MAX);
                return Err(stop);
            }
        };
        let Addressed {
            accepted,
            surplus,
            too_many,
            refusal,
        } = addressed;
        if accepted.is_empty() {
            // A relay that takes not even one recipient would say the same of the next portion.
            if let Some(outcome) = too_many {
                return Err(Stop::Polite(outcome));
            }
            delivery.settle(portion);
            return Ok(());
        }
        let (last, is_taken) = match refusal {
            // Whatever it says: nothing was sent.
            Some(refusal) => (refusal, false),
            None => {
                let last = self.send_message(&accepted).map_err(Stop::about_message)?;
                let is_taken = last.is_positive();
                (last, is_taken)
            }
        };
        if !is_taken {
            // Some relays count only at the end, and refuse the message for all of them.
            if let Some(fewer) = fewer_recipients(&last, accepted.len()) {
                self.job.progress.not_taken();
                delivery.put_back(&accepted, fewer);
                delivery.put_back(&surplus, fewer);
                return Ok(());
            }
            // Otherwise a 4yz or 5yz after the final dot is about the message as a whole (RFC 5321
            // section 4.2.5): the relay has not taken responsibility for any recipient, and would
            // not for those who wait either.
            let outcome = verdict(&last, DialoguePart::Message);
            self.job.progress.answered(&outcome);
            return Err(Stop::Polite(outcome));
        }
        // The mail is safe from here on: the relay has taken responsibility for it.
        let outcome = Outcome::new(Disposition::Accepted, last.text()).code(last.code);
        self.job.progress.answered(&outcome);
        if !surplus.is_empty() {
            // RFC 5321 section 4.5.3.1.10: the rest in the next transaction, at once.
            delivery.put_back(&surplus, accepted.len());
        }
        delivery.settle(portion);
        Ok(())
    }

    fn measure(&self) -> Result<WireMeasure, Stop> {
        let read = || measure(&mut *self.job.message.reader()?, self.job.message.len());
        read().map_err(|error| Stop::Polite(unreadable(&error)))
    }

    /// Returns the MAIL command, or why none can be sent.
    fn mail_command(&self, measured: WireMeasure) -> Result<Mail, Stop> {
        // RFC 1870 section 6.1: a message larger than the announced limit is refused with 552, by
        // some relays only after all of it was sent. The limit goes with the outcome, so that the
        // caller can try again without its large attachments.
        if let Some(Some(limit)) = self.offers.size
            && measured.size > limit
        {
            let text = format!(
                "{}: the message has {} bytes, but the relay accepts only {limit}",
                self.job.relay.name(),
                measured.size
            );
            let mut outcome = Outcome::new(Disposition::Refused(Kind::Unavailable), text);
            outcome.size_limit = Some(limit);
            return Err(Stop::Polite(outcome));
        }
        let envelope = self.job.envelope;
        let sender = match &envelope.sender {
            ReversePath::Null => None,
            ReversePath::Address(sender) => match path_of(sender, self.offers.smtputf8) {
                Ok(path) => Some(path),
                Err(why) => {
                    let text = format!("sender {sender}: {why}");
                    let outcome = Outcome::new(Disposition::Refused(Kind::Data), text);
                    return Err(Stop::Polite(outcome));
                }
            },
        };
        let mut parameters = Vec::new();
        // A parameter of an extension that was not offered is a syntax error to the relay (555, RFC
        // 5321 section 4.1.1.11).
        if self.offers.size.is_some() {
            // Only a 32-bit machine has sizes that do not fit; the largest one is announced there.
            let size = usize::try_from(measured.size).unwrap_or(usize::MAX);
            parameters.push(MailParameter::Size(size));
        }
        // RFC 6152 section 3: BODY=8BITMIME is a promise about the message, and only made where it
        // is needed. Messages for relays are composed in 7 bits; 8-bit text comes from a header
        // that only UTF-8 can write.
        if self.offers.eight_bit_mime && measured.eight_bit {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // To a relay without SMTPUTF8 such a header goes all the same: its envelope is good, and an
        // alert that arrives is worth more than a header by the book.
        let mut addresses = envelope
            .sender
            .address()
            .into_iter()
            .chain(&envelope.recipients);
        if self.offers.smtputf8
            && (measured.eight_bit_header || addresses.any(EnvelopeAddress::needs_smtputf8))
        {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        Ok(Mail::new(sender, parameters))
    }

    /// Returns the RCPT commands; settles those recipients that cannot be written for this relay.
    fn rcpt_commands(&self, recipients: &[usize]) -> Vec<(EnvelopeCommand, String)> {
        let mut commands = Vec::new();
        for index in recipients {
            match path_of(&self.job.envelope.recipients[*index], self.offers.smtputf8) {
                Ok(path) => {
                    let command = Rcpt::new(path, Vec::new()).to_string();
                    commands.push((EnvelopeCommand::Rcpt(*index), command));
                }
                Err(why) => {
                    let outcome = Outcome::new(Disposition::Refused(Kind::Data), why);
                    let outcome = outcome.scope(Scope::Recipient);
                    self.job.progress.settle(*index, outcome);
                }
            }
        }
        commands
    }

    /// Sends MAIL, RCPT and DATA, pipelined where that is offered, and settles every recipient that
    /// is refused for its own sake.
    fn address_envelope(
        &mut self,
        mail: &Mail,
        recipients: &[(EnvelopeCommand, String)],
    ) -> Result<Addressed, Stop> {
        if self.is_in_transaction {
            self.reset()?;
        }
        // RFC 2920 section 3.1: without PIPELINING each command waits for its reply. With it DATA
        // may only be the last command of a group.
        let window = if self.offers.pipelining { WINDOW } else { 1 };
        let mut addressed = Addressed::default();
        let mut batch = vec![(EnvelopeCommand::Mail, mail.to_string())];
        let mut waiting = recipients;
        self.transactions += 1;
        loop {
            let (now, later) = waiting.split_at(waiting.len().min(window - batch.len()));
            batch.extend_from_slice(now);
            waiting = later;
            let is_end = waiting.is_empty() && batch.len() < window;
            if is_end {
                // Without pipelining we know before DATA that no recipient was accepted.
                if batch.is_empty() && addressed.accepted.is_empty() {
                    return Ok(addressed);
                }
                batch.push((EnvelopeCommand::Data, Data.to_string()));
            }
            self.exchange_batch(&batch, &mut addressed)?;
            if is_end {
                return Ok(addressed);
            }
            batch.clear();
            // After "too many" no further recipient is shown: relays count such commands as errors,
            // and close the connection after some of them.
            if addressed.too_many.is_some() {
                addressed.surplus.extend(waiting.iter().filter_map(rcpt_of));
                waiting = &[];
            }
        }
    }

    /// Sends one group of commands and reads their replies.
    fn exchange_batch(
        &mut self,
        batch: &[(EnvelopeCommand, String)],
        addressed: &mut Addressed,
    ) -> Result<(), Stop> {
        // One reply is read for each command that was sent, in the same order, even after a
        // refusal: a reply left unread would be taken for the answer to a later command.
        self.send_batch(batch)?;
        let mut mail_refused = None;
        for (kind, command) in batch {
            let reply = self.reply(command)?;
            // A whole reply now and then never lets a slice of the wait end.
            self.still_wanted()?;
            match kind {
                // RFC 5321 section 3.8: with 421 the relay closes the connection, so no further
                // reply of this group will come and QUIT would not be read.
                _ if reply.code == 421 => {
                    return Err(Stop::Broken(verdict(&reply, DialoguePart::Session)));
                }
                EnvelopeCommand::Mail if !reply.is_positive() => {
                    // The replies of the pipelined RCPT and DATA are still to be read. They are
                    // 503 ("MAIL first") and say nothing of their recipients, so the reply to
                    // MAIL is the outcome of all.
                    mail_refused = Some(verdict(&reply, DialoguePart::Sender));
                }
                EnvelopeCommand::Mail => self.is_in_transaction = true,
                EnvelopeCommand::Rcpt(index) if reply.is_positive() => {
                    addressed.accepted.push(*index);
                }
                EnvelopeCommand::Rcpt(_) if mail_refused.is_some() => {}
                EnvelopeCommand::Rcpt(index) if says_too_many(&reply, DialoguePart::Recipient) => {
                    addressed.surplus.push(*index);
                    addressed.too_many.get_or_insert_with(|| too_many(&reply));
                }
                EnvelopeCommand::Rcpt(index) => {
                    let outcome = verdict(&reply, DialoguePart::Recipient);
                    self.job.progress.settle(*index, outcome);
                }
                EnvelopeCommand::Data => {
                    let nobody = addressed.accepted.is_empty() || mail_refused.is_some();
                    match (reply.code, nobody) {
                        // A relay may answer 354 although it accepted no recipient (RFC 2920 section
                        // 3.1); it now waits for a message and would take QUIT for its first line.
                        (354, true) => self.send_nothing()?,
                        // Without a recipient a refusal of DATA is what the RFC asks for, and no news.
                        (354, false) | (_, true) => {}
                        (_, false) => addressed.refusal = Some(reply),
                    }
                }
            }
        }
        match mail_refused {
            Some(outcome) => Err(Stop::Polite(outcome)),
            None => Ok(()),
        }
    }

    /// Ends a transaction that came to no end.
    fn reset(&mut self) -> Result<(), Stop> {
        let reply = self.command(Rset)?;
        if !reply.is_positive() {
            return Err(Stop::Broken(verdict(&reply, DialoguePart::Session)));
        }
        self.is_in_transaction = false;
        Ok(())
    }

    /// Sends some commands, each of which ends in CRLF, in one write.
    fn send_batch(&mut self, batch: &[(EnvelopeCommand, String)]) -> Result<(), Stop> {
        // The whole group leaves in one write: several small packets would each wait for the
        // relay's acknowledgement.
        let mut bytes = String::new();
        for (_, command) in batch {
            self.show_line(true, command.trim_end());
            bytes += command;
        }
        self.send(bytes.as_bytes(), "cannot send the envelope")
    }

    /// Ends DATA that a relay has opened although every recipient was refused: with an empty
    /// message, for which it has no recipient (RFC 2920 section 3.1).
    fn send_nothing(&mut self) -> Result<(), Stop> {
        self.show_line(true, ".");
        self.send(b".\r\n", "cannot end DATA")?;
        self.reply("DATA")?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Sends the message after DATA for these recipients, and reads the reply to its final dot.
    fn send_message(&mut self, recipients: &[usize]) -> Result<Reply, Stop> {
        let job = self.job;
        job.progress.enter("the message to be sent");
        self.is_sending_message = true;
        let broken = |error: io::Error| Stop::Broken(unreadable(&error));
        let mut blocks = Blocks::new(job.message.reader().map_err(broken)?, job.message.len());
        loop {
            // A message that cannot be read to its end leaves without a final dot: the relay drops it.
            match blocks.next().map_err(broken)? {
                // Until the last block the relay has no complete message. A connection that breaks
                // here is "try later": a relay must cancel a transaction whose connection ends before
                // the final dot (RFC 5321 section 4.1.1.10).
                Some(Block::Middle(bytes)) => {
                    self.unasked()?;
                    if let Err(error) = self.wire.send(&bytes, job) {
                        return self.last_words(SENDING, &error);
                    }
                    self.still_wanted()?;
                }
                Some(Block::Last(bytes)) => {
                    self.show_line(true, "(message)");
                    self.show_line(true, ".");
                    self.unasked()?;
                    self.mark_dot(recipients)?;
                    // The mark may have taken its time.
                    self.still_wanted()?;
                    job.progress.claim(recipients);
                    self.wire.watch_peer();
                    if let Err(error) = self.wire.send(&bytes, job) {
                        // The dot is the last of these bytes: it has not left.
                        job.progress.not_taken();
                        return self.last_words(SENDING, &error);
                    }
                    // From here on the message may be the relay's.
                    job.progress.enter("the reply to the message");
                    let reply = self.final_reply()?;
                    self.is_sending_message = false;
                    self.is_in_transaction = false;
                    return Ok(reply);
                }
                None => return Err(Stop::Broken(undecided(job.relay))),
            }
        }
    }

    /// Does what comes before a final dot.
    fn mark_dot(&self, recipients: &[usize]) -> Result<(), Stop> {
        self.job.before_dot(recipients).map_err(|error| {
            let text = format!(
                "cannot note that the message is being sent: {}",
                plain(&error)
            );
            let outcome = Outcome::new(Disposition::TryLater(Kind::Io), text);
            Stop::Broken(outcome)
        })
    }

    /// Reads the reply to the final dot; anything but a reply leaves open what became of the message.
    fn final_reply(&mut self) -> Result<Reply, Stop> {
        let relay = self.job.relay;
        // The deadline does not count here. Giving up early makes duplicates: the relay delivers,
        // and the sender tries again (RFC 1047; RFC 5321 section 4.5.3.2.6).
        let limit = relay.timeouts.final_reply;
        match self.wire.reply(limit, self.job) {
            Ok(reply) => {
                self.show(&reply);
                // A 3yz after the final dot has no meaning. It tells neither that the message was
                // taken nor that it was refused, so it is as uncertain as silence.
                if reply.is_positive() || reply.is_temporary() || reply.is_permanent() {
                    Ok(reply)
                } else {
                    let text = format!("unexpected reply to the message: {}", reply.text());
                    Err(self.unanswered_dot(&text, Some(reply.code)))
                }
            }
            // The job has said why; what is in flight is uncertain.
            Err(WireError::GivenUp) => Err(self.unwanted()),
            Err(error) => {
                // Closed, silent or garbled after the dot: the relay may have stored the message
                // before it failed, and nothing in the protocol lets us ask.
                let outcome = unanswered(relay, "reply to the message", limit, &error);
                Err(self.unanswered_dot(&outcome.text, None))
            }
        }
    }

    /// Settles the recipients whose final dot has no clear answer as uncertain; those of a further
    /// transaction, which the relay has not seen, are tried later.
    fn unanswered_dot(&self, text: &str, code: Option<u16>) -> Stop {
        let mut outcome = uncertain(text.to_owned());
        outcome.code = code;
        self.job.progress.answered(&outcome);
        let later = Outcome::new(Disposition::TryLater(Kind::TryLater), text);
        Stop::Broken(later)
    }
}

/// Returns whose command it is, if it is RCPT.
fn rcpt_of((kind, _): &(EnvelopeCommand, String)) -> Option<usize> {
    match kind {
        EnvelopeCommand::Rcpt(recipient) => Some(*recipient),
        EnvelopeCommand::Mail | EnvelopeCommand::Data => None,
    }
}

fn unreadable(error: &io::Error) -> Outcome {
    let text = format!("cannot read the message: {}", plain(error));
    Outcome::new(Disposition::TryLater(Kind::Io), text)
}

/// Returns an address as it stands in a path; that it is an [`Address`] proves that it has a domain,
/// without which a relay would take it for a name of its own.
///
/// # Errors
/// Returns the reason if it has none, or if it needs SMTPUTF8 and the relay does not offer that.
fn path_of(address: &EnvelopeAddress, smtputf8: bool) -> Result<Address, &'static str> {
    if address.needs_smtputf8() && !smtputf8 {
        return Err("the relay accepts only ASCII addresses (it does not offer SMTPUTF8)");
    }
    let address = address.with_ascii_domain();
    let Some(domain) = address.domain() else {
        return Err("it has no domain, but a relay requires one");
    };
    // `EnvelopeAddress` has checked more than `Address::new` would, which refuses some of the
    // local parts that mail systems have: quoted ones, and those longer than 64 bytes.
    Ok(Address::new_dangerous(address.local_part(), domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_addresses_that_are_not_ascii() {
        let table = [
            ("ops@example.com", false, Ok("ops@example.com")),
            (
                "root",
                false,
                Err("it has no domain, but a relay requires one"),
            ),
            ("\"a,b\"@example.com", false, Ok("\"a,b\"@example.com")),
            ("ops@bücher.example", false, Ok("ops@xn--bcher-kva.example")),
            ("jürgen@example.com", true, Ok("jürgen@example.com")),
            (
                "jürgen@example.com",
                false,
                Err("the relay accepts only ASCII addresses (it does not offer SMTPUTF8)"),
            ),
        ];
        for (address, smtputf8, path) in table {
            let address = EnvelopeAddress::new(address).expect("an address");
            let found = path_of(&address, smtputf8);
            let found = found.as_ref().map(AsRef::<str>::as_ref);
            assert_eq!(found.map_err(|why| *why), path, "{address}");
        }
    }
}
