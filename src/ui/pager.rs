//! Long text on its way to the pager, a piece at a time.
//!
//! The pager starts as soon as the text is longer than the limit, and gets what comes later as it is
//! made: a mailbox of a gigabyte is never held as text. A pager that cannot be run, or that fails
//! before it has read anything, hides no mail: the text is shown without it.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::{Child, Stdio};

use unicode_width::UnicodeWidthChar;

use super::Screen;
use crate::exit::plain;
use crate::sanitize;
use crate::sys::{child, locale};

/// How much of what the pager was given is kept, in bytes, until it is certain that the pager reads:
/// more than a pipe holds (64 KiB on Linux), so that what is dropped has been read.
const KEPT: usize = 256 * 1024;

/// From how much text on the pager is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Never: the output is no terminal, or no pager is wanted.
    Never,
    /// For any text.
    Always,
    /// For more lines than this.
    Lines(usize),
    /// For text that takes more rows of a terminal of this many columns.
    Rows {
        /// Rows that may be used.
        rows: usize,
        /// Columns of the terminal; longer lines take several rows.
        columns: usize,
    },
}

/// The program that shows long text, and what it finds in its environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    /// A command for the shell, as POSIX has it: it may have arguments (`less -R`).
    pub(crate) command: OsString,
    /// Variables that are set for it.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

impl Program {
    /// Returns whether it knows that colours take no room. The `more` of util-linux counts them as
    /// text and breaks the line too early.
    fn knows_colours(&self) -> bool {
        let command = self.command.to_string_lossy();
        let name = command.split_whitespace().next().unwrap_or_default();
        !matches!(name.rsplit('/').next(), Some("more" | "pg"))
    }

    /// Writes text to it, with colours if it knows them.
    fn write(&self, child: &mut Child, text: &str) -> io::Result<()> {
        let Some(stdin) = &mut child.stdin else {
            return Ok(());
        };
        let text = if self.knows_colours() {
            Cow::Borrowed(text)
        } else {
            without_colours(text)
        };
        stdin.write_all(&locale::encode(&text))
    }
}

/// Text that is being shown.
pub(crate) struct Pages {
    limit: Limit,
    program: Program,
    /// What was not written yet, or might have to be written again without the pager.
    held: String,
    /// Lines or rows of the text so far.
    height: usize,
    /// The columns that are used in the last line.
    column: usize,
    state: State,
}

enum State {
    /// The text may still fit.
    Holding,
    /// It is written without a pager.
    Direct,
    /// The pager shows it.
    Paged(Child),
    /// The pager was left: nobody wants the rest.
    Left,
}

impl Pages {
    pub(crate) fn new(limit: Limit, program: Program) -> Pages {
        let state = match limit {
            Limit::Never => State::Direct,
            _ => State::Holding,
        };
        Pages {
            limit,
            program,
            held: String::new(),
            height: 0,
            column: 0,
            state,
        }
    }

    /// Shows a piece of text that is safe already.
    pub(crate) fn give(&mut self, screen: &mut Screen<'_>, piece: &str) {
        match &mut self.state {
            State::Direct => screen.safe(piece),
            State::Left => {}
            State::Holding => {
                self.held.push_str(piece);
                if self.is_long(piece) {
                    self.start(screen);
                }
            }
            State::Paged(child) => {
                if self.held.len() <= KEPT {
                    self.held.push_str(piece);
                }
                let written = self.program.write(child, piece);
                self.settle(screen, written);
            }
        }
    }

    /// Returns whether nobody wants more text: the pager was left, or the output is closed.
    pub(crate) fn is_over(&self, screen: &Screen<'_>) -> bool {
        matches!(self.state, State::Left) || screen.is_closed()
    }

    /// Shows what is left, and waits for the pager's end.
    pub(crate) fn end(mut self, screen: &mut Screen<'_>) {
        match &mut self.state {
            State::Holding if self.limit == Limit::Always && !self.held.is_empty() => {
                self.start(screen);
            }
            State::Holding => screen.safe(&self.held),
            _ => {}
        }
        if let State::Paged(child) = &mut self.state {
            drop(child.stdin.take());
            self.wait(screen);
        }
    }

    /// Counts the lines or rows of a piece; returns whether the text is too long for the screen.
    fn is_long(&mut self, piece: &str) -> bool {
        let limit = match self.limit {
            Limit::Never => return false,
            Limit::Always => return true,
            Limit::Lines(lines) => {
                self.height += memchr::memchr_iter(b'\n', piece.as_bytes()).count();
                lines
            }
            Limit::Rows { rows, columns } => {
                let columns = columns.max(1);
                let mut in_sequence = false;
                for c in piece.chars() {
                    match c {
                        '\n' => {
                            self.height += 1 + self.column.saturating_sub(1) / columns;
                            self.column = 0;
                        }
                        '\t' => self.column = (self.column / 8 + 1) * 8,
                        // Our own colours take no room; nothing else that is safe has an ESC.
                        '\x1b' => in_sequence = true,
                        'm' if in_sequence => in_sequence = false,
                        _ if in_sequence => {}
                        c => self.column += c.width().unwrap_or(0),
                    }
                }
                rows
            }
        };
        self.height > limit
    }

    /// Starts the pager with what was held.
    fn start(&mut self, screen: &mut Screen<'_>) {
        // The pager writes to the terminal itself: what came before must be out.
        screen.flush();
        let mut command = child::command("/bin/sh");
        command.arg("-c").arg(&self.program.command);
        command.envs(self.program.environment.iter().copied());
        match child::spawn(command.stdin(Stdio::piped())) {
            Ok(mut child) => {
                let written = self.program.write(&mut child, &self.held);
                self.state = State::Paged(child);
                self.settle(screen, written);
            }
            Err(error) => self.go_without(screen, &plain(&error)),
        }
    }

    /// Looks at how a write to the pager went.
    fn settle(&mut self, screen: &mut Screen<'_>, written: io::Result<()>) {
        match written {
            Ok(()) => {}
            // A user who quits the pager early has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.wait(screen),
            Err(error) => {
                self.wait(screen);
                screen.say(&format!(
                    "cannot write to the pager {}: {}",
                    sanitize::path(&self.program.command),
                    plain(&error)
                ));
            }
        }
    }

    /// Waits for the pager's end, and tells where it has shown nothing.
    fn wait(&mut self, screen: &mut Screen<'_>) {
        let State::Paged(child) = &mut self.state else {
            return;
        };
        let ended = child.wait();
        self.state = State::Left;
        let status = match ended {
            Ok(status) => status,
            Err(error) => return self.go_without(screen, &plain(&error)),
        };
        let pager = sanitize::path(&self.program.command).into_owned();
        match status.code() {
            Some(0) => {}
            // The shell has said on stderr what it could not run; the text is still to be shown.
            Some(126 | 127) => self.go_without(screen, "the shell could not run it"),
            Some(status) => screen.say(&format!("the pager {pager} ended with status {status}")),
            None => screen.say(&format!("the pager {pager} was killed")),
        }
    }

    fn go_without(&mut self, screen: &mut Screen<'_>, why: &str) {
        let pager = sanitize::path(&self.program.command).into_owned();
        screen.say(&format!("cannot run the pager {pager}: {why}"));
        screen.safe(&std::mem::take(&mut self.held));
        self.state = State::Direct;
    }
}

/// Returns safe text without our own colours, which have the only ESC in it.
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split('\x1b');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, text) = piece.split_once('m').unwrap_or_default();
        plain.push_str(text);
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows pieces, and returns what is on the screen and in the file that the pager wrote.
    fn show(limit: Limit, pager: &str, pieces: &[&str]) -> (String, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("paged");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut screen = Screen::new(&mut out, &mut err, "mailx");
        let program = Program {
            command: pager.replace("FILE", file.to_str().unwrap()).into(),
            environment: vec![("LESS", "FRX")],
        };
        let mut pages = Pages::new(limit, program);
        for piece in pieces {
            pages.give(&mut screen, piece);
        }
        pages.end(&mut screen);
        out.extend_from_slice(&err);
        (
            String::from_utf8(out).unwrap(),
            std::fs::read_to_string(file).unwrap_or_default(),
        )
    }

    #[test]
    fn only_what_is_longer_than_the_limit_goes_to_the_pager() {
        let rows = |rows| Limit::Rows { rows, columns: 4 };
        for (limit, pieces, paged) in [
            (Limit::Never, &["1\n2\n3\n"][..], false),
            (Limit::Always, &["1\n"], true),
            (Limit::Lines(2), &["1\n", "2\n"], false),
            (Limit::Lines(2), &["1\n", "2\n", "3\n"], true),
            (rows(2), &["1234\n", "2\n"], false),
            (rows(2), &["123", "45\n", "2\n"], true),
            (rows(2), &["\x1b[31m1234\x1b[0m\n", "日本\n"], false),
            (rows(2), &["日本語\n", "2\n"], true),
        ] {
            let (shown, seen) = show(limit, "cat >FILE", pieces);
            let text = pieces.concat();
            let expected = if paged { ("", &*text) } else { (&*text, "") };
            assert_eq!((&*shown, &*seen), expected, "{limit:?} {pieces:?}");
        }
    }

    #[test]
    fn more_gets_no_colours_because_it_counts_them_as_text() {
        let text = "\x1b[1mnew\x1b[0m\nplain \x1b[33mmm\x1b[0m\n";
        let dir = tempfile::tempdir().unwrap();
        for (name, seen) in [("more", "new\nplain mm\n"), ("less", text)] {
            let pager = dir.path().join(name);
            std::os::unix::fs::symlink("/usr/bin/tee", &pager).unwrap();
            let command = format!("{} FILE >/dev/null", pager.to_str().unwrap());
            assert_eq!(show(Limit::Always, &command, &[text]).1, seen, "{name}");
        }
    }

    #[test]
    fn a_pager_that_cannot_be_run_hides_nothing() {
        let long = "line\n".repeat(50_000);
        for pieces in [&["a\n"][..], &["a\n", &long, "end\n"]] {
            let (shown, _) = show(Limit::Always, "no-such-pager 2>&-", pieces);
            let (text, told) = shown.split_at(pieces.concat().len());
            assert_eq!(text, pieces.concat());
            assert!(
                told.contains("cannot run the pager no-such-pager"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_pager_that_fails_or_is_killed_is_told_and_one_that_is_left_is_not() {
        let long = "line\n".repeat(100_000);
        for (pager, told) in [
            ("head -n 1 >FILE", ""),
            ("false", "mailx: the pager false ended with status 1\n"),
            ("kill -9 $$", "mailx: the pager kill -9 $$ was killed\n"),
        ] {
            assert_eq!(show(Limit::Always, pager, &[&long, "end\n"]).0, told);
        }
        let (_, seen) = show(Limit::Always, "echo $LESS >FILE; cat >/dev/null", &["x\n"]);
        assert_eq!(seen, "FRX\n");
    }
}
