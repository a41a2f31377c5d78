//! `sendmail -bs`: a small SMTP dialogue on standard input and output (RFC 5321), as PHP
//! frameworks and some mail readers call it. Each message is submitted by the same pipeline as
//! every other mail; the reply to its final dot says what became of it.
//!
//! 8BITMIME is the one extension offered: 8-bit text is turned into what the next hop takes.

use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};

use crate::address::MAX_RECIPIENTS;
use crate::compose::premade::Handover;
use crate::sys::spool::Spool;

/// How long a command line may be, in bytes (RFC 5321 section 4.5.3.1.4, with room).
const MAX_LINE: u64 = 4096;

/// The answer to a message: the reply code's class and its text.
pub(super) enum Answer {
    /// Taken.
    Accepted,
    /// A later try may succeed.
    TryLater(String),
    /// Refused.
    Refused(String),
}

/// Speaks SMTP until QUIT or the end of the input.
///
/// `host` is the name we greet with. `submit` is called for every message with its envelope and its
/// text (LF lines, dots taken off).
///
/// # Errors
/// Fails when input cannot be read or output not be written.
pub(super) fn speak(
    host: &str,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    submit: &mut dyn FnMut(Handover, Spool) -> Answer,
) -> io::Result<()> {
    let mut dialogue = Dialogue {
        out,
        envelope: None,
    };
    dialogue.reply(&format!("220 {host} ESMTP Postrider"))?;
    loop {
        let mut line = Vec::new();
        if input.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") && line.len() as u64 == MAX_LINE {
            // The rest of the line is no command of its own.
            skip_line(input)?;
            dialogue.reply("500 5.5.2 the line is too long")?;
            continue;
        }
        let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match verb.to_ascii_uppercase().as_str() {
            // No STARTTLS, no AUTH and no SIZE: the client is a process of this host, and it is us
            // who talk to the relay.
            "EHLO" => dialogue.reply(&format!("250-{host}\r\n250 8BITMIME"))?,
            "HELO" => dialogue.reply(&format!("250 {host}"))?,
            "MAIL" => dialogue.mail(rest)?,
            "RCPT" => dialogue.recipient(rest)?,
            "DATA" => dialogue.data(input, submit)?,
            "RSET" => {
                dialogue.envelope = None;
                dialogue.reply("250 2.0.0 forgotten")?;
            }
            "NOOP" => dialogue.reply("250 2.0.0 ok")?,
            // 252 says nothing about the address, as RFC 5321 section 3.5.3 allows.
            "VRFY" => dialogue.reply("252 2.5.0 cannot verify the user; send the message")?,
            "QUIT" => return dialogue.reply(&format!("221 2.0.0 {host}")),
            _ => dialogue.reply("500 5.5.1 unknown command")?,
        }
    }
}

struct Dialogue<'a> {
    out: &'a mut dyn Write,
    envelope: Option<Handover>,
}

impl Dialogue<'_> {
    fn reply(&mut self, text: &str) -> io::Result<()> {
        write!(self.out, "{text}\r\n")?;
        self.out.flush()
    }

    fn mail(&mut self, rest: &str) -> io::Result<()> {
        if self.envelope.is_some() {
            return self.reply("503 5.5.1 the sender was already given");
        }
        let Some(path) = path_of(rest, "FROM:") else {
            return self.reply("501 5.5.4 write MAIL FROM:<address>");
        };
        // The null reverse-path of a bounce (RFC 5321 section 4.5.5).
        let sender = match path {
            "" => OsString::from("<>"),
            path => OsString::from(path),
        };
        self.envelope = Some(Handover {
            sender: Some(sender),
            is_of_sendmail: true,
            ..Handover::default()
        });
        self.reply("250 2.1.0 ok")
    }

    fn recipient(&mut self, rest: &str) -> io::Result<()> {
        let path = path_of(rest, "TO:").filter(|path| !path.is_empty());
        match (&mut self.envelope, path) {
            (None, _) => self.reply("503 5.5.1 MAIL must come first"),
            (_, None) => self.reply("501 5.5.4 write RCPT TO:<address>"),
            (Some(envelope), Some(path)) => {
                // 452 and not 552: the client sends the others in a second transaction (RFC 5321
                // section 4.5.3.1.10).
                if envelope.recipients.len() >= MAX_RECIPIENTS {
                    return self.reply("452 4.5.3 too many recipients");
                }
                if let Err(error) = crate::address::EnvelopeAddress::new(path) {
                    return self.reply(&format!("553 5.1.3 {error}"));
                }
                envelope.recipients.push(path.into());
                self.reply("250 2.1.5 ok")
            }
        }
    }

    fn data(
        &mut self,
        input: &mut dyn BufRead,
        submit: &mut dyn FnMut(Handover, Spool) -> Answer,
    ) -> io::Result<()> {
        let Some(envelope) = self.envelope.take_if(|e| !e.recipients.is_empty()) else {
            return self.reply("503 5.5.1 RCPT must come first");
        };
        self.reply("354 end the message with a line that contains only a dot")?;
        let Some(message) = read_data(input)? else {
            // The client went away in the middle; half a mail is not submitted, and the client
            // keeps the message, because it has no 250.
            return Ok(());
        };
        match submit(envelope, message) {
            Answer::Accepted => self.reply("250 2.0.0 accepted"),
            Answer::TryLater(text) => self.reply(&format!("451 4.3.0 {text}")),
            Answer::Refused(text) => self.reply(&format!("554 5.0.0 {text}")),
        }
    }
}

/// Reads `FROM:<path>` and what may follow it; returns the path.
fn path_of<'a>(rest: &'a str, keyword: &str) -> Option<&'a str> {
    let start = rest.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest[keyword.len()..].trim_start();
    match rest.strip_prefix('<') {
        Some(rest) => Some(rest.split_once('>')?.0),
        // RFC 5321 wants angle brackets; some clients leave them out.
        None => rest.split_ascii_whitespace().next(),
    }
}

/// Reads lines up to the one of one dot; returns nothing when the input ends before it.
fn read_data(input: &mut dyn BufRead) -> io::Result<Option<Spool>> {
    let mut message = Spool::new();
    let mut at_start = true;
    loop {
        let mut piece = Vec::new();
        if input.take(64 * 1024).read_until(b'\n', &mut piece)? == 0 {
            return Ok(None);
        }
        let is_whole = piece.ends_with(b"\n");
        // The dot ends the message only at the start of a line. A long line comes in pieces, and a
        // later piece may begin with a dot.
        if at_start && matches!(piece.as_slice(), b".\r\n" | b".\n") {
            return Ok(Some(message));
        }
        // RFC 5321 section 4.5.2: a dot at the start of a line was doubled by the client.
        let stuffed = at_start && piece.first() == Some(&b'.');
        // The pipeline works on LF; each transport writes the line ends that it needs.
        if piece.ends_with(b"\r\n") {
            piece.truncate(piece.len() - 2);
            piece.push(b'\n');
        }
        message.write_all(&piece[usize::from(stuffed)..])?;
        at_start = is_whole;
    }
}

fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let mut piece = Vec::new();
        let count = input.take(64 * 1024).read_until(b'\n', &mut piece)?;
        if count == 0 || piece.ends_with(b"\n") {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(input: &str) -> (String, Vec<(Handover, String)>) {
        let mut out = Vec::new();
        let mut got = Vec::new();
        let host = "client.example.org";
        speak(
            host,
            &mut input.as_bytes(),
            &mut out,
            &mut |envelope, message| {
                let mut text = String::new();
                message.reader().read_to_string(&mut text).unwrap();
                got.push((envelope, text));
                Answer::Accepted
            },
        )
        .unwrap();
        (String::from_utf8(out).unwrap(), got)
    }

    #[test]
    fn a_message_goes_through_with_its_dots_taken_off() {
        let (said, got) = spoken(
            "EHLO php\r\nMAIL FROM:<a@x> BODY=8BITMIME\r\nRCPT TO:<b@x>\r\nrcpt to: c@x\r\nDATA\r\n\
             Subject: t\r\n\r\n..one\r\ntwo\r\n.\r\nQUIT\r\n",
        );
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].1, "Subject: t\n\n.one\ntwo\n");
        assert_eq!(got[0].0.recipients, ["b@x", "c@x"]);
        let codes: Vec<&str> = said.lines().map(|line| &line[..3]).collect();
        assert_eq!(
            codes,
            [
                "220", "250", "250", "250", "250", "250", "354", "250", "221"
            ]
        );
    }

    #[test]
    fn what_is_out_of_order_or_cut_off_sends_nothing() {
        for input in [
            "DATA\r\n",
            "RCPT TO:<a@x>\r\n",
            "MAIL FROM:<a@x>\r\nDATA\r\n",
            "MAIL FROM:<a@x>\r\nRCPT TO:<-x@y>\r\nDATA\r\n",
            "MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhalf a mail\r\n",
        ] {
            let (_, got) = spoken(input);
            assert!(got.is_empty(), "{input}");
        }
        let (said, _) = spoken(&format!("{}\r\nNOOP\r\n", "x".repeat(10_000)));
        assert!(
            said.contains("500 5.5.2") && said.contains("250 2.0.0 ok"),
            "{said}"
        );
    }
}
