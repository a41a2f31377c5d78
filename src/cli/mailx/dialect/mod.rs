//! The dialects of mailx: five programs answer to that name, and each takes its options in its
//! own way. [`normalise`] turns any of them into glued long options (`--name=value`) with the
//! operands behind `--`.
//!
//! clap reads no command line of mailx: building its definitions for every mail takes more time
//! than all the rest of reading a command line. Names and arities come from the
//! [`table`](super::table), whose tests hold it against clap's definitions. Help, manual and
//! completions come from clap.
//!
//! [`normalise`] is a pure function: what it must know of the world comes in a [`Probe`]. The
//! rules are POSIX's, and where that is silent what most of the mailx programs do. Arguments are
//! bytes; messages repeat the user's spelling.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::attach_or_header::{self, Meaning, looks_like_file};
use super::table::OPTIONS;
use crate::cli::usage;
use crate::config::nearest;
use crate::exit::Failure;
use crate::sanitize;

/// The questions that the rules ask about files, commands and the environment.
pub struct Probe<'a> {
    /// Whether this names a file that is there, and no directory.
    pub is_file: &'a dyn Fn(&OsStr) -> bool,
    /// Whether this is a command of the configuration.
    pub is_command: &'a dyn Fn(&str) -> bool,
    /// Whether options are only allowed before operands.
    pub posixly_correct: bool,
}

/// How an option takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arity {
    Flag,
    Value,
    /// Only in the same word, or after `=`.
    Optional,
}

/// How the table says that an option has no letter, or no name.
const NONE: &str = "-";

/// One option of the table.
#[derive(Clone, Copy)]
struct OptionRow {
    letters: &'static str,
    /// Its name in the result, if it has one, and its other names, separated by commas.
    names: &'static str,
    arity: Arity,
}

impl OptionRow {
    /// Reads a line of [`OPTIONS`].
    fn of(line: &'static str) -> Option<OptionRow> {
        let mut columns = line.split(' ');
        Some(OptionRow {
            letters: columns.next()?,
            names: columns.next()?,
            arity: match columns.next()? {
                "flag" => Arity::Flag,
                "value" => Arity::Value,
                "optional" => Arity::Optional,
                _ => return None,
            },
        })
    }

    fn rows() -> impl Iterator<Item = OptionRow> {
        OPTIONS.lines().filter_map(OptionRow::of)
    }

    fn by_letter(letter: char) -> Option<OptionRow> {
        OptionRow::rows().find(|row| row.letters != NONE && row.letters.contains(letter))
    }

    /// Finds a long option by its name or an unambiguous beginning of it, as getopt_long does.
    fn by_name(name: &str) -> Result<OptionRow, Failure> {
        if let Some(row) = OptionRow::rows().find(|row| row.all_names().any(|n| n == name)) {
            return Ok(row);
        }
        // As getopt_long does: an exact name wins, although it may begin another one.
        let begins = |row: &OptionRow| row.all_names().any(|n| n.starts_with(name));
        let mut matches = OptionRow::rows().filter(begins);
        match (matches.next(), matches.next()) {
            (Some(row), None) if !name.is_empty() => Ok(row),
            (Some(_), Some(_)) if !name.is_empty() => {
                Err(usage(format!("option --{name} is ambiguous")))
            }
            _ => {
                let names = OptionRow::rows()
                    .flat_map(|row| row.names.split(',').filter(|name| *name != NONE));
                let names: Vec<&str> = names.collect();
                let hint = match nearest(name, names) {
                    Some(near) => format!("did you mean --{near}? --help lists the options"),
                    None => "--help lists the options".to_owned(),
                };
                Err(usage(format!("unknown option --{name}")).hint(hint))
            }
        }
    }

    fn all_names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split(',').filter(|name| *name != NONE)
    }

    /// Returns the name it gets in the result; options that only have a letter have none.
    fn long(&self) -> &'static str {
        self.all_names().next().unwrap_or_default()
    }
}

/// Turns a command line of any dialect into glued long options, `--`, and operands.
///
/// `arguments` is without the program's name.
///
/// # Errors
/// Says in one line what cannot be understood, and maybe what to write instead.
pub fn normalise(arguments: &[OsString], probe: &Probe<'_>) -> Result<Vec<OsString>, Failure> {
    let mut pass = Pass {
        attachments: 0,
        next_type: None,
        next_name: None,
        next_encoding: None,
        probe,
        words: arguments.iter().cloned().collect(),
        options: Vec::new(),
        operands: Vec::new(),
    };
    pass.run()?;
    if let Some(value) = pass.next_type.take() {
        // No attachment came after it: it is the type of the text.
        pass.push("content-type", Some(&value));
    }
    if let Some(value) = pass.next_encoding.take() {
        pass.push("encoding", Some(&value));
    }
    let mut result = pass.options;
    result.push("--".into());
    result.extend(pass.operands);
    Ok(result)
}

struct Pass<'a> {
    /// How many attachments there are so far, and the type, name and encoding given for the next
    /// one.
    attachments: usize,
    next_type: Option<OsString>,
    next_name: Option<OsString>,
    next_encoding: Option<OsString>,
    probe: &'a Probe<'a>,
    words: VecDeque<OsString>,
    options: Vec<OsString>,
    operands: Vec<OsString>,
}

impl Pass<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        while let Some(word) = self.words.pop_front() {
            let bytes = word.as_bytes();
            if bytes == b"--" {
                return self.after_double_dash();
            }
            if bytes == b"-." {
                // s-nail's end of options: every following word is a recipient.
                self.operands.extend(self.words.drain(..));
                return Ok(());
            }
            if let Some(long) = bytes.strip_prefix(b"--") {
                self.long(long)?;
            } else if bytes.len() > 1 && bytes[0] == b'-' {
                self.cluster(&bytes[1..])?;
            } else {
                self.operands.push(word);
                if self.probe.posixly_correct {
                    // POSIX Utility Syntax Guideline 9: all options precede operands.
                    self.operands.extend(self.words.drain(..));
                }
            }
        }
        Ok(())
    }

    /// Rule R7: what may follow `--`.
    fn after_double_dash(&mut self) -> Result<(), Failure> {
        // No recipient came before: `--` ends the options, as POSIX has it, and a recipient may
        // begin with `-`.
        if self.operands.is_empty() {
            self.operands.extend(self.words.drain(..));
            return Ok(());
        }
        while let Some(word) = self.words.pop_front() {
            match word.as_bytes() {
                // bsd-mailx passes what follows `--` on to sendmail, so scripts set the sender
                // there.
                b"-f" | b"-r" => {
                    let value = self.value_of("-f after --")?;
                    self.push("from", Some(&value));
                }
                b"-F" => {
                    // The heirloom idiom passes a full name to sendmail.
                    let value = self.value_of("-F after --")?;
                    self.push("full-name", Some(&value));
                }
                [b'-', ..] => {
                    let what = format!("{} is not allowed after --", sanitize::path(&word));
                    let hint = "after recipients and --, only -f ADDRESS, -F NAME and more recipients are allowed";
                    return Err(usage(what).hint(hint));
                }
                _ => self.operands.push(word),
            }
        }
        Ok(())
    }

    fn long(&mut self, text: &[u8]) -> Result<(), Failure> {
        let (name, value) = match text.iter().position(|&b| b == b'=') {
            Some(equals) => (&text[..equals], Some(&text[equals + 1..])),
            None => (text, None),
        };
        let name = String::from_utf8_lossy(name).into_owned();
        match name.as_str() {
            // s-nail's long name of `-.`.
            "end-options" => {
                self.operands.extend(self.words.drain(..));
                return Ok(());
            }
            // GNU mail's way of saying what holds here, unless its opposite came before.
            "mime" | "no-alternative" => {
                let undone = if name == "mime" {
                    "--no-mime"
                } else {
                    "--alternative"
                };
                self.options.retain(|option| option != undone);
                return Ok(());
            }
            // GNU mail: an interrupt ends the program. It always does here.
            "quit" => return Ok(()),
            "batch-mode" => return Err(no_batch_mode("--batch-mode")),
            _ => {}
        }
        let row = OptionRow::by_name(&name)?;
        let (long, arity) = (row.long(), row.arity);
        match (arity, value) {
            (Arity::Flag, Some(_)) => Err(usage(format!("option --{name} takes no value"))),
            // An optional value must be glued: the next word may be a recipient.
            (Arity::Flag, None) | (Arity::Optional, None) => {
                self.push(long, None);
                Ok(())
            }
            (_, Some(value)) => {
                self.long_value(long, OsStr::from_bytes(value));
                Ok(())
            }
            (Arity::Value, None) => {
                let value = self.value_of(&format!("--{name}"))?;
                self.long_value(long, &value);
                Ok(())
            }
        }
    }

    /// Pushes a long option; GNU mail's `--content-type`, `--content-name` and `--encoding` are for
    /// the attachment that follows.
    fn long_value(&mut self, long: &str, value: &OsStr) {
        match long {
            "content-type" => self.next_type = Some(value.to_owned()),
            "content-name" => self.next_name = Some(value.to_owned()),
            "encoding" => self.next_encoding = Some(value.to_owned()),
            // GNU mail passes an open descriptor. Its path in /dev/fd is opened as any attachment
            // is.
            "attach-fd" => {
                let mut path = OsString::from("/dev/fd/");
                path.push(value);
                self.attach(&path);
            }
            "attach" => self.attach(value),
            _ => self.push(long, Some(value)),
        }
    }

    /// Pushes an attachment with what was said of it before.
    fn attach(&mut self, value: &OsStr) {
        // GNU mail says type, name and encoding in front of the file. They are passed on with the
        // number of the attachment, so that options keep their order and no attachment gets those
        // of another.
        self.push("attach", Some(value));
        for (what, told) in [
            ("type", self.next_type.take()),
            ("name", self.next_name.take()),
            ("encoding", self.next_encoding.take()),
        ] {
            if let Some(told) = told {
                let mut row = OsString::from(format!("{}:{what}=", self.attachments));
                row.push(told);
                self.push("attachment", Some(&row));
            }
        }
        self.attachments += 1;
    }

    /// Handles `-xyz`: flags in a row, the last of which may take the rest or the next word.
    fn cluster(&mut self, letters: &[u8]) -> Result<(), Failure> {
        let mut rest = letters;
        while let Some((&letter, tail)) = rest.split_first() {
            rest = self.letter(letter as char, tail, letters)?;
        }
        Ok(())
    }

    /// Handles one letter of a cluster; returns the letters after it, unless they are its value.
    fn letter<'w>(
        &mut self,
        letter: char,
        tail: &'w [u8],
        cluster: &[u8],
    ) -> Result<&'w [u8], Failure> {
        // First the letters that mean different things to the programs called mailx: what stands
        // behind them decides which one the caller had in mind. The table knows one meaning only.
        match letter {
            // s-nail: disconnected, and a buffering long gone. Accepted without effect.
            'D' | 'B' => return Ok(tail),
            '#' => return Err(no_batch_mode("-#")),
            // SysV's hop count: it counts relays, and a mail starts here. Accepted without effect.
            'h' if self.is_hop_count(tail) => {
                if tail.is_empty() {
                    self.words.pop_front();
                }
                return Ok(&[]);
            }
            // GNU mail's flag: interrupts end us, as they always do.
            'q' if !self.is_quote_file(tail) => return Ok(tail),
            // GNU mail's flag: MIME is always on.
            'M' if !self.is_media_type(tail) => return Ok(tail),
            // HP-UX's flag: no MIME fields. Accepted without effect; --no-mime is for that.
            'm' if tail.is_empty() && self.is_option_next() => return Ok(tail),
            'E' => return self.discard_empty_or_execute(tail).map(|()| &[][..]),
            _ => {}
        }
        let row = OptionRow::by_letter(letter).ok_or_else(|| unknown_letter(letter, cluster))?;
        let long = row.long();
        match row.arity {
            Arity::Flag => {
                self.push(long, None);
                Ok(tail)
            }
            // -f takes no value here: POSIX has the file as an operand, so -fin works.
            Arity::Optional if letter == 'f' => {
                self.push("file", None);
                Ok(tail)
            }
            // Only a colon begins a value (-H:u): in -HN a flag follows.
            Arity::Optional => match tail.strip_prefix(b"=").unwrap_or(tail) {
                value @ [b':', ..] => {
                    self.push(long, Some(OsStr::from_bytes(value)));
                    Ok(&[])
                }
                _ => {
                    self.push(long, None);
                    Ok(tail)
                }
            },
            Arity::Value => {
                let value = match tail {
                    [] => self.value_of(&format!("-{letter}"))?,
                    _ => OsString::from_vec(tail.to_vec()),
                };
                self.value(letter, long, &value);
                Ok(&[])
            }
        }
    }

    /// Pushes an option with a value; rules R1 and R2 decide what `-a` and `-A` mean.
    fn value(&mut self, letter: char, long: &str, value: &OsStr) {
        match letter {
            'a' => match attach_or_header::meaning(value, self.probe.is_file) {
                Meaning::Header => self.push("header", Some(value)),
                Meaning::Attach => self.attach(value),
            },
            // Rule R2: GNU mail attaches by -A, s-nail names an account. A file that is there is
            // attached.
            'A' if (self.probe.is_file)(value) => self.attach(value),
            'A' => self.push("account", Some(value)),
            _ => self.push(long, Some(value)),
        }
    }

    /// Returns what follows an option letter: the rest of its word, or else the next word; empty if
    /// there is none.
    fn word_behind<'w>(&'w self, tail: &'w [u8]) -> &'w OsStr {
        if tail.is_empty() {
            let next = self.words.front();
            next.map(OsString::as_os_str).unwrap_or_default()
        } else {
            OsStr::from_bytes(tail)
        }
    }

    /// Whether the next word is an option, and no file of that name is there.
    fn is_option_next(&self) -> bool {
        let next = self.words.front();
        next.is_some_and(|word| {
            word.len() > 1 && word.as_bytes().starts_with(b"-") && !(self.probe.is_file)(word)
        })
    }

    /// Whether what follows `-h` is a number.
    fn is_hop_count(&self, tail: &[u8]) -> bool {
        let word = self.word_behind(tail).as_bytes();
        !word.is_empty() && word.iter().all(u8::is_ascii_digit)
    }

    /// Rule R5: whether what follows `-q` is a file to begin the text with.
    fn is_quote_file(&self, tail: &[u8]) -> bool {
        let word = self.word_behind(tail);
        // A file that is missing must not become a recipient: the text would go without it.
        let is_missing = || !word.as_bytes().contains(&b'@') && looks_like_file(word.as_bytes());
        word == "-" || (!word.is_empty() && ((self.probe.is_file)(word) || is_missing()))
    }

    /// Rule R6: whether what follows `-M` looks like a media type.
    fn is_media_type(&self, tail: &[u8]) -> bool {
        let word = self.word_behind(tail).as_bytes();
        // A type has one slash (`text/html`). A word that begins with `/` or `.` is a path.
        let slashes = word.iter().filter(|&&b| b == b'/').count();
        matches!(word, b"html" | b"plain")
            || (slashes == 1 && !word.starts_with(b"/") && !word.starts_with(b"."))
    }

    /// Rule R4: `-E` is a flag, unless one word holds a blank and begins with a known command.
    fn discard_empty_or_execute(&mut self, tail: &[u8]) -> Result<(), Failure> {
        // s-nail gives a command as one quoted word with its arguments; bsd-mailx and GNU mail have
        // a flag here. A word without a blank is taken for a recipient, even if a command has its
        // name.
        let is_command = |word: &[u8]| {
            let text = String::from_utf8_lossy(word);
            match text.trim_start().split_once(char::is_whitespace) {
                Some((first, _)) => (self.probe.is_command)(first),
                None => false,
            }
        };
        if is_command(tail) {
            self.push("command", Some(OsStr::from_bytes(tail)));
            return Ok(());
        }
        if tail.is_empty()
            && self
                .words
                .front()
                .is_some_and(|word| is_command(word.as_bytes()))
        {
            let command = self.words.pop_front().unwrap_or_default();
            self.push("command", Some(&command));
            return Ok(());
        }
        self.push("discard-empty-messages", None);
        self.cluster(tail)
    }

    fn value_of(&mut self, option: &str) -> Result<OsString, Failure> {
        self.words
            .pop_front()
            .ok_or_else(|| usage(format!("option {option} needs a value")))
    }

    fn push(&mut self, name: &str, value: Option<&OsStr>) {
        let mut option = OsString::from("--");
        option.push(name);
        if let Some(value) = value {
            option.push("=");
            option.push(value);
        }
        self.options.push(option);
    }
}

fn no_batch_mode(option: &str) -> Failure {
    usage(format!("{option} (s-nail's batch mode) is not supported")).hint(
        "commands for a mailbox can be piped without it; -~ enables escapes in a piped message",
    )
}

fn unknown_letter(letter: char, cluster: &[u8]) -> Failure {
    let shown = if letter.is_ascii_graphic() {
        letter.to_string()
    } else {
        String::from_utf8_lossy(cluster).into_owned()
    };
    usage(format!("unknown option -{shown}")).hint("--help lists the options")
}

#[cfg(test)]
mod tests;
