//! SMTP replies: from bytes of the relay to a code and its words (RFC 5321 section 4.2).
//!
//! Nothing here reads from a socket. A reply is bounded and read leniently where real
//! servers are sloppy: Latin-1 text, lines that end in LF alone, a code without
//! any text. What could be two readings of one reply is an error.
//!
//! Here the relay's words are taken over: no secret of ours passes, whatever it echoes ([`Mask`]).

use std::error::Error;
use std::fmt;

use super::mask::Mask;

/// The longest reply line we take, its line end included. RFC 5321 allows 512; some servers write more.
pub(super) const MAX_LINE: usize = 4096;

/// The most lines one reply may have.
pub(super) const MAX_LINES: usize = 100;

/// One reply: a code and the text of each of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The code, 200 to 599.
    pub(super) code: u16,
    /// The text of each line, without the code and our secrets; not yet sanitised.
    pub(super) lines: Vec<String>,
    /// What the server offers, if this is its reply to EHLO: read before anything is masked, for a
    /// password may be the name of a keyword.
    pub(super) offers: Capabilities,
}

impl Reply {
    /// Returns the code and the server's words on one line.
    ///
    /// The code comes first, because people look it up and relays often say little else.
    pub(super) fn text(&self) -> String {
        let words: Vec<&str> = self
            .lines
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty())
            .collect();
        if words.is_empty() {
            format!("{} without a text", self.code)
        } else {
            format!("{} {}", self.code, words.join(" "))
        }
    }

    /// Returns whether the command was carried out.
    pub(super) fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Returns whether the same command may succeed later.
    pub(super) fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// Returns whether the command was refused for good.
    pub(super) fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }
}

/// Why a sequence of lines is not a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReplyError {
    /// A line is longer than [`MAX_LINE`].
    LongLine,
    /// There are more lines than [`MAX_LINES`].
    ManyLines,
    /// A line does not begin with a code.
    NoCode(String),
    /// Two lines of one reply have different codes.
    CodesDiffer(u16, u16),
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplyError::LongLine => write!(f, "a reply line is longer than {MAX_LINE} bytes"),
            ReplyError::ManyLines => write!(f, "a reply has more than {MAX_LINES} lines"),
            ReplyError::NoCode(line) => write!(f, "'{line}' is not an SMTP reply"),
            ReplyError::CodesDiffer(one, other) => {
                write!(
                    f,
                    "the lines of one reply have different codes, {one} and {other}"
                )
            }
        }
    }
}

impl Error for ReplyError {}

/// Puts a reply together, line by line.
pub(super) struct Assembly<'a> {
    code: Option<u16>,
    lines: Vec<String>,
    mask: &'a Mask,
}

impl<'a> Assembly<'a> {
    /// Starts with nothing; this mask knows what the reply must not show.
    pub(super) fn new(mask: &'a Mask) -> Assembly<'a> {
        Assembly {
            code: None,
            lines: Vec::new(),
            mask,
        }
    }

    /// Takes one line, with its line end; returns the reply if this was its last line.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        if line.len() > MAX_LINE {
            return Err(ReplyError::LongLine);
        }
        let (code, last, text) = split(line, self.mask)?;
        // RFC 5321 section 4.2.1 demands one code in all lines. With two of them success and
        // refusal would be equally good readings of one reply.
        if let Some(first) = self.code.replace(code)
            && first != code
        {
            return Err(ReplyError::CodesDiffer(first, code));
        }
        if self.lines.len() == MAX_LINES {
            return Err(ReplyError::ManyLines);
        }
        self.lines.push(text);
        if !last {
            return Ok(None);
        }
        // Before masking: a user whose password is `login` still gets AUTH LOGIN.
        let offers = Capabilities::of(&self.lines);
        let mut lines = std::mem::take(&mut self.lines);
        self.mask.lines(&mut lines);
        Ok(Some(Reply {
            code,
            lines,
            offers,
        }))
    }
}

/// Splits a line into its code, whether it is the last one of its reply, and its text.
fn split(line: &[u8], mask: &Mask) -> Result<(u16, bool, String), ReplyError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let shown = || mask.text(&text_of(line));
    let malformed = || ReplyError::NoCode(shown().chars().take(80).collect());
    let (digits, rest) = line.split_at_checked(3).ok_or_else(malformed)?;
    // 1yz does not exist in SMTP, and no digit above 5 does (RFC 5321 section 4.2.1).
    if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let code = digits
        .iter()
        .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        // RFC 5321 section 4.2 tells clients to take a code alone; some servers leave out even the
        // blank.
        None => Ok((code, true, String::new())),
        Some((b' ', text)) => Ok((code, true, text_of(text))),
        Some((b'-', text)) => Ok((code, false, text_of(text))),
        Some(_) => Err(malformed()),
    }
}

/// Decodes the text of a reply: UTF-8, else Latin-1, which every byte sequence is.
pub(super) fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Returns the first enhanced status code in the text of a refusal, such as `5.7.1` (RFC 3463).
pub(super) fn enhanced_code(text: &str) -> Option<&str> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_whitespace().find(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        matches!(parts[..], ["4" | "5", subject, detail] if is_number(subject) && is_number(detail))
    })
}

/// What a server offers in its reply to EHLO (RFC 5321 section 4.1.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    /// STARTTLS (RFC 3207).
    pub(super) starttls: bool,
    /// PIPELINING (RFC 2920).
    pub(super) pipelining: bool,
    /// SMTPUTF8 (RFC 6531).
    pub(super) smtputf8: bool,
    /// 8BITMIME (RFC 6152).
    pub(super) eight_bit_mime: bool,
    /// SIZE (RFC 1870); `Some(None)` gives no limit, nor does 0.
    pub(super) size: Option<Option<u64>>,
    /// The mechanisms of AUTH (RFC 4954), in upper case.
    pub(super) auth: Vec<String>,
    /// How many recipients one transaction may have (LIMITS, RFC 9422).
    pub(super) rcpt_max: Option<usize>,
    /// How many domains they may have.
    pub(super) rcpt_domain_max: Option<usize>,
    /// How many transactions one connection may have.
    pub(super) mail_max: Option<usize>,
}

impl Capabilities {
    /// Reads the keywords of a reply to EHLO; its first line is a greeting. Case does not count (RFC 5321 section 2.4).
    fn of(lines: &[String]) -> Capabilities {
        let mut found = Capabilities::default();
        for line in lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => found.starttls = true,
                Some("PIPELINING") => found.pipelining = true,
                Some("SMTPUTF8") => found.smtputf8 = true,
                Some("8BITMIME") => found.eight_bit_mime = true,
                Some("SIZE") => {
                    let limit = words.next().and_then(|number| number.parse().ok());
                    found.size = Some(limit.filter(|limit| *limit > 0));
                }
                Some("LIMITS") => words.for_each(|limit| found.limit(limit)),
                Some("AUTH") => found.auth.extend(words.map(str::to_owned)),
                // The form of servers older than RFC 2554: `AUTH=LOGIN PLAIN`.
                Some(word) if word.starts_with("AUTH=") => {
                    found.auth.push(word["AUTH=".len()..].to_owned());
                    found.auth.extend(words.map(str::to_owned));
                }
                _ => {}
            }
        }
        found
    }

    /// Takes one limit of LIMITS, `NAME=NUMBER`; unknown ones do not concern us (RFC 9422 section 3).
    fn limit(&mut self, text: &str) {
        let Some((name, number)) = text.split_once('=') else {
            return;
        };
        let place = match name {
            "RCPTMAX" => &mut self.rcpt_max,
            "RCPTDOMAINMAX" => &mut self.rcpt_domain_max,
            "MAILMAX" => &mut self.mail_max,
            _ => return,
        };
        // A limit of nothing at all is none that mail could be sent with.
        *place = number.parse().ok().filter(|limit| *limit > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&[u8]]) -> Result<Option<Reply>, ReplyError> {
        let mask = Mask::default();
        let mut assembly = Assembly::new(&mask);
        let mut reply = None;
        for line in lines {
            assert_eq!(reply, None, "lines after the last one");
            reply = assembly.take(line)?;
        }
        Ok(reply)
    }

    #[test]
    fn replies_as_real_servers_write_them() {
        let table: &[(&[&[u8]], u16, &str)] = &[
            (&[b"250 2.1.0 Ok\r\n"], 250, "250 2.1.0 Ok"),
            (&[b"250 bare line feed\n"], 250, "250 bare line feed"),
            (&[b"250\r\n"], 250, "250 without a text"),
            (&[b"250 \r\n"], 250, "250 without a text"),
            (&[b"550 Empf\xe4nger\r\n"], 550, "550 Empf\u{e4}nger"),
            (&["550 Empfänger\r\n".as_bytes()], 550, "550 Empf\u{e4}nger"),
            (
                &[b"550-one\r\n", b"550-\r\n", b"550 two\r\n"],
                550,
                "550 one two",
            ),
        ];
        for (lines, code, text) in table {
            let reply = read(lines).expect("a reply").expect("complete");
            assert_eq!((reply.code, reply.text().as_str()), (*code, *text));
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for line in [
            "HTTP/1.1 400 Bad Request\r\n",
            "25\r\n",
            "\r\n",
            "2500 x\r\n",
            "150 x\r\n",
            "999 x\r\n",
            "25x y\r\n",
            "250_x\r\n",
        ] {
            let result = read(&[line.as_bytes()]);
            assert!(matches!(result, Err(ReplyError::NoCode(_))), "{line:?}");
        }
        assert_eq!(
            read(&[b"250-a\r\n", b"550 b\r\n"]),
            Err(ReplyError::CodesDiffer(250, 550))
        );
    }

    #[test]
    fn a_reply_is_bounded_in_both_directions() {
        let mask = Mask::default();
        let mut assembly = Assembly::new(&mask);
        for _ in 0..MAX_LINES {
            assert_eq!(assembly.take(b"250-x\r\n"), Ok(None));
        }
        assert_eq!(assembly.take(b"250 x\r\n"), Err(ReplyError::ManyLines));
        let long = [b"250 ".as_slice(), &[b'x'; MAX_LINE]].concat();
        assert_eq!(Assembly::new(&mask).take(&long), Err(ReplyError::LongLine));
    }

    #[test]
    fn keywords_count_in_any_case() {
        let lines = [
            "PIPELINING is the host's name here",
            "starttls",
            "Size 1000",
            "auth plain Login",
            "AUTH=XOAUTH2",
            "8bitmime",
            "SmtpUtf8",
            "limits rcptmax=50 MailMax=20 RCPTDOMAINMAX=0 X=1 odd",
            "X-UNKNOWN",
        ]
        .map(str::to_owned);
        assert_eq!(
            Capabilities::of(&lines),
            Capabilities {
                starttls: true,
                pipelining: false,
                smtputf8: true,
                eight_bit_mime: true,
                size: Some(Some(1000)),
                auth: ["PLAIN", "LOGIN", "XOAUTH2"].map(str::to_owned).to_vec(),
                rcpt_max: Some(50),
                rcpt_domain_max: None,
                mail_max: Some(20),
            }
        );
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_a_reply_or_an_error(
            line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
            code in "[0-9]{0,4}[ -]?",
        ) {
            let line = [code.as_bytes(), &line].concat();
            if let Ok(Some(reply)) = Assembly::new(&Mask::default()).take(&line) {
                proptest::prop_assert!((200..600).contains(&reply.code));
                proptest::prop_assert!(!reply.text().is_empty());
            }
        }
    }
}
