//! `Line`: a shell line as scripts have it, run by `/bin/sh` with the program as `mail` and `mailx`
//! in its `PATH`, and what sendmail must be given then.
//!
//! What a line does not mention is as for the plainest mail: the body is the case's standard input,
//! sendmail gets `-i` and the recipients, nothing is on standard error, the status is 0.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::case::{Case, Ran};
use crate::letters::Letter;
use crate::sendmail::FakeSendmail;

/// The standard input of a line that names no other.
pub const BODY: &str = "a line\n";

/// A shell line and what is expected of it.
pub struct Line {
    text: String,
    case: Case,
    options: Vec<String>,
    to: Vec<String>,
    fields: Vec<(&'static str, String)>,
    absent: Vec<&'static str>,
    body: Option<Vec<u8>>,
    attachments: Vec<(&'static str, &'static [u8])>,
    mime: bool,
}

impl Line {
    /// Returns a line that is expected to send nothing and to exit 0, until it is said otherwise.
    pub fn new(text: &str) -> Line {
        let names = ["mail", "mailx", "Mail", "sendmail", "postrider"];
        let name = text
            .split(|letter: char| letter.is_whitespace() || "|;(&".contains(letter))
            .find(|word| names.contains(word))
            .expect("the line calls the program");
        let case = Case::new()
            .called(name)
            .sendmail(FakeSendmail::accepting())
            .within(text)
            .env("PATH", "[DIR]/bin:/usr/bin:/bin")
            .stdin(BODY);
        Line {
            text: text.to_owned(),
            case,
            options: vec!["-i".to_owned()],
            to: Vec::new(),
            fields: Vec::new(),
            absent: Vec::new(),
            body: None,
            attachments: Vec::new(),
            mime: true,
        }
    }

    /// Changes the world of the line, or what is expected beyond sendmail.
    pub fn with(mut self, change: impl FnOnce(Case) -> Case) -> Line {
        self.case = change(self.case);
        self
    }

    /// Puts a file into the current directory.
    pub fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Line {
        self.with(|case| case.file(&format!("cwd/{name}"), bytes))
    }

    /// Adds lines to the configuration.
    pub fn rc(self, lines: &str) -> Line {
        self.with(|case| case.rc(lines))
    }

    /// Expects one call of sendmail with these recipients, in any order.
    pub fn to<const N: usize>(mut self, recipients: [&str; N]) -> Line {
        self.to = recipients.map(str::to_owned).to_vec();
        self
    }

    /// Expects these options of sendmail, instead of `-i`.
    pub fn options<const N: usize>(mut self, options: [&str; N]) -> Line {
        self.options = options.map(str::to_owned).to_vec();
        self
    }

    /// Expects the sender in the envelope, and this From field.
    pub fn sender(self, address: &str, field: &str) -> Line {
        self.options(["-i", "-f", address]).field("From", field)
    }

    /// Expects one header field of this name, with this unfolded text.
    pub fn field(mut self, name: &'static str, text: &str) -> Line {
        self.fields.push((name, text.to_owned()));
        self
    }

    /// Expects this decoded subject.
    pub fn subject(self, text: &str) -> Line {
        self.field("Subject", text)
    }

    /// Expects no header field of this name.
    pub fn without(mut self, name: &'static str) -> Line {
        self.absent.push(name);
        self
    }

    /// Expects no MIME fields of our own: the message is handed on as it came.
    pub fn handed_on(mut self) -> Line {
        self.mime = false;
        self
    }

    /// Expects this decoded body; otherwise it is [`BODY`].
    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> Line {
        self.body = Some(bytes.as_ref().to_vec());
        self
    }

    /// Expects an attachment, after those named before.
    pub fn attached(mut self, name: &'static str, bytes: &'static [u8]) -> Line {
        self.attachments.push((name, bytes));
        self
    }

    /// Expects that nothing is sent, this status, and a line of this text on standard error.
    pub fn refused(self, status: i32, text: &str) -> Line {
        self.with(|case| case.status(status).says(text))
    }

    /// Expects a hint.
    pub fn hint(self, text: &str) -> Line {
        self.with(|case| case.hints(text))
    }

    /// Expects a warning of this text on standard error.
    pub fn warns(self, text: &str) -> Line {
        self.with(|case| case.says(text))
    }

    /// Expects that the message is kept.
    pub fn kept(self) -> Line {
        self.with(|case| case.keeps(1))
    }

    /// Runs the line; what sendmail got is for the caller to check.
    #[track_caller]
    pub fn run_any(self) -> Ran {
        self.case.run()
    }

    /// Runs the line and checks it.
    #[track_caller]
    pub fn run(self) -> Ran {
        let ran = self.case.run();
        if self.to.is_empty() {
            ran.nothing_sent();
            return ran;
        }
        let call = ran.call();
        let mut got = call.recipients();
        let mut expected: Vec<&str> = self.to.iter().map(String::as_str).collect();
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected, "recipients");
        assert_eq!(call.options(), self.options, "options of sendmail");
        let letter = call.letter();
        for (name, text) in &self.fields {
            let got = match *name {
                "Subject" if letter.field("Subject").contains("=?") => letter.subject(),
                name => letter.field(name),
            };
            assert_eq!(got, *text, "{name}");
        }
        for name in &self.absent {
            assert_eq!(letter.fields(name), [] as [&str; 0], "{name}");
        }
        if self.mime {
            letter.assert_fit_for_the_wire();
        }
        assert_body(&letter, self.body.as_deref().unwrap_or(BODY.as_bytes()));
        let expected: Vec<(String, Vec<u8>)> = self
            .attachments
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
            .collect();
        assert_eq!(letter.attachments(), expected, "attachments");
        ran
    }
}

fn assert_body(letter: &Letter, expected: &[u8]) {
    assert!(letter.bytes.is_ascii(), "8-bit bytes on the wire");
    assert!(
        letter
            .bytes
            .split(|byte| *byte == b'\n')
            .all(|line| line.len() <= 998)
    );
    assert!(letter.fields("Bcc").is_empty(), "Bcc on the wire");
    let got = letter.body();
    assert!(
        got == expected,
        "the body is {:?}, expected {:?}",
        shortened(&got),
        shortened(expected)
    );
}

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}

/// Runs all lines and tells of every one that is not as expected.
pub fn check(lines: impl IntoIterator<Item = Line>) {
    let mut wrong = Vec::new();
    for line in lines {
        let text = line.text.clone();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| line.run())) {
            let why = match panic.downcast_ref::<String>() {
                Some(why) => why.clone(),
                None => panic
                    .downcast_ref::<&str>()
                    .copied()
                    .unwrap_or("?")
                    .to_owned(),
            };
            wrong.push(format!(
                "{text}\n    {}",
                why.trim_end().replace('\n', "\n    ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} lines are not as expected:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
