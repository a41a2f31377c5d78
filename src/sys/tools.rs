//! The programs a user has chosen: the shell that runs commands, and two editors.
//!
//! The escapes of a message that is typed run them, and the reader's commands may. The caller says
//! what each is set to; here they are started, waited for, and believed by their exit status.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::child::{self, End};
use super::open::read::open;
use super::open::{Opened, Unread, Use};
use super::signals::Signals;
use super::spool::Spool;
use crate::exit::{Failure, Kind};
use crate::sanitize;

/// Which of the two editors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextEditor {
    /// The line editor, of `~e` and `edit`.
    Line,
    /// The screen editor, of `~v` and `visual`.
    Screen,
}

/// The programs a user has chosen.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The shell that runs commands.
    pub shell: OsString,
    /// The line editor that is set.
    pub editor: Option<OsString>,
    /// The screen editor that is set.
    pub visual: Option<OsString>,
    /// Whether a person types at our standard input.
    pub terminal: bool,
}

/// The file that an editor has left, in a directory of its own; both go with this value.
#[derive(Debug)]
pub(crate) struct EditedFile {
    path: PathBuf,
    _directory: TempDir,
}

impl EditedFile {
    /// Returns whether it still has the text that the editor was given.
    pub(crate) fn is_unchanged(&self, text: &Spool) -> bool {
        let edited = edited(&self.path);
        edited.is_ok_and(|edited| has_same_bytes(&edited, text).unwrap_or(false))
    }
}

impl Tools {
    /// Returns a command that has the shell run a line.
    ///
    /// # Errors
    /// When the line is empty.
    pub(crate) fn shell_command(&self, line: &[u8]) -> Result<Command, Failure> {
        if line.is_empty() {
            return Err(Failure::new(Kind::Usage, "no command is given"));
        }
        let mut command = child::command(&self.shell);
        command
            .arg("-c")
            .arg(OsStr::from_bytes(line))
            .stdin(self.childs_input());
        Ok(command)
    }

    /// Runs a command that shares our terminal; messages show it as `name`.
    ///
    /// # Errors
    /// When it cannot be started or does not exit with 0.
    pub(crate) fn run(
        &self,
        name: &[u8],
        command: Command,
        signals: &Signals,
    ) -> Result<(), Failure> {
        let program = command.get_program().to_owned();
        let end = child::foreground(command, signals).map_err(|error| not_run(&program, error))?;
        self.succeeded(name, end, signals)
    }

    /// Runs the shell for a person; its exit status says nothing.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run_shell(&self, signals: &Signals) -> Result<(), Failure> {
        let mut command = child::command(&self.shell);
        command.stdin(self.childs_input());
        let end = child::foreground(command, signals);
        let end = end.map_err(|error| not_run(&self.shell, error))?;
        match end {
            End::Exited(_) => Ok(()),
            end => self.succeeded(self.shell.as_bytes(), end, signals),
        }
    }

    /// Returns all that a command of the shell prints; `input` is what it reads, if not the
    /// terminal.
    ///
    /// # Errors
    /// When the line is empty, or the command cannot be started or does not exit with 0.
    pub(crate) fn output_of(
        &self,
        line: &[u8],
        input: Option<File>,
        signals: &Signals,
    ) -> Result<Spool, Failure> {
        let mut command = self.shell_command(line)?;
        if let Some(input) = input {
            command.stdin(input);
        }
        match child::capture(command, signals) {
            Ok((end, output)) => self.succeeded(line, end, signals).map(|()| output),
            Err(error) => Err(not_run(&self.shell, error)),
        }
    }

    /// Gives a text to an editor and returns what the editor made of it.
    ///
    /// # Errors
    /// When no editor is set, the editor does not exit with 0, its file cannot be made or read, or
    /// the editor has left it empty.
    pub(crate) fn edit(
        &self,
        editor: TextEditor,
        text: &Spool,
        signals: &Signals,
    ) -> Result<Spool, Failure> {
        let file = self.show_in_editor(editor, text, signals)?;
        let unread = || {
            Failure::new(Kind::NoInput, "cannot read the edited text").hint("the text is unchanged")
        };
        // By name, not by descriptor: many editors put a new file in place of the old one.
        let edited = edited(&file.path).map_err(|error| unread().because(error))?;
        // A full disk leaves an empty file, and not every editor says so by its exit status.
        if edited.is_empty() && !text.is_empty() {
            return Err(unread().because("it is empty"));
        }
        Ok(edited)
    }

    /// Gives a copy of a text to an editor, and returns the file that the editor has left.
    ///
    /// # Errors
    /// When no editor is set, the editor does not exit with 0, or its file cannot be made.
    pub(crate) fn show_in_editor(
        &self,
        editor: TextEditor,
        text: &Spool,
        signals: &Signals,
    ) -> Result<EditedFile, Failure> {
        let set = match editor {
            TextEditor::Line => &self.editor,
            TextEditor::Screen => &self.visual,
        };
        // A screen editor without a terminal would wait for ever, so none is guessed there.
        let usual = self.terminal.then(|| OsString::from("vi"));
        let Some(editor) = set.clone().or(usual) else {
            return Err(Failure::new(Kind::Usage, "no editor is set"));
        };
        let unmade = |error: io::Error| {
            Failure::new(
                Kind::CannotCreate,
                "cannot create a temporary file for the editor",
            )
            .because(error)
        };
        // The text is private: nobody else may enter the directory, in which editors leave swap
        // and backup files, too. All of it is removed with the result.
        let directory = tempfile::Builder::new()
            .prefix("postrider-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(unmade)?;
        let path = directory.path().join("message.txt");
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(unmade)?;
        io::copy(&mut text.reader(), &mut file).map_err(unmade)?;
        drop(file);
        // An editor may have arguments of its own, as in `emacs -nw`: a shell splits them. The
        // file's name is an argument of that shell and never part of its script.
        let mut script = editor.clone();
        script.push(" \"$1\"");
        let mut command = child::command("/bin/sh");
        command
            .arg("-c")
            .arg(&script)
            .arg("sh")
            .arg(&path)
            .stdin(self.childs_input());
        self.run(editor.as_bytes(), command, signals)?;
        Ok(EditedFile {
            path,
            _directory: directory,
        })
    }

    /// A child may talk with a person; but it must not eat the rest of a piped message.
    fn childs_input(&self) -> Stdio {
        if self.terminal {
            Stdio::inherit()
        } else {
            Stdio::null()
        }
    }

    /// Turns the end of a command into a result.
    fn succeeded(&self, name: &[u8], end: End, signals: &Signals) -> Result<(), Failure> {
        // The interrupt key ends only the command where a person types. Anywhere else the signal
        // is meant for us too: otherwise a loop in a script would go on after it.
        if let End::Interrupted(signal) = end
            && !self.terminal
        {
            signals.remember(signal);
        }
        match end {
            End::Exited(0) => Ok(()),
            End::Exited(status) => Err(failed(name).because(format!("exit status {status}"))),
            End::Killed(signal) => Err(failed(name).because(format!("killed by signal {signal}"))),
            End::Interrupted(_) | End::TimedOut => Err(failed(name).because("interrupted")),
            End::Unknown => Err(failed(name).because("its exit status is unknown")),
        }
    }
}

/// Reads the file of an editor. A FIFO or a device under that name is refused, not waited for, and
/// a link leads to no text of ours.
fn edited(path: &Path) -> Result<Spool, Unread> {
    if path.symlink_metadata()?.is_symlink() {
        return Err(Unread::Refused("it is a symbolic link".to_owned()));
    }
    match open(path, Use::Text)? {
        Opened::Regular(mut file, _) => Ok(Spool::read_from(&mut file)?),
        Opened::Empty | Opened::Stream(..) => {
            Err(Unread::Refused("it is not a regular file".to_owned()))
        }
    }
}

/// Returns whether two texts have the same bytes.
fn has_same_bytes(one: &Spool, other: &Spool) -> io::Result<bool> {
    let mut readers = (BufReader::new(one.reader()), BufReader::new(other.reader()));
    loop {
        let (ours, theirs) = (readers.0.fill_buf()?, readers.1.fill_buf()?);
        let count = ours.len().min(theirs.len());
        if count == 0 || ours[..count] != theirs[..count] {
            return Ok(ours.is_empty() && theirs.is_empty());
        }
        readers.0.consume(count);
        readers.1.consume(count);
    }
}

/// Returns the failure for a program that could not be started: this program is missing, and not
/// the command it was to run.
fn not_run(program: &OsStr, error: io::Error) -> Failure {
    let what = format!("cannot run {}", sanitize::path(&program));
    Failure::new(Kind::NoInput, what).because(error)
}

fn failed(name: &[u8]) -> Failure {
    Failure::new(
        Kind::NoInput,
        format!("\"{}\" failed", sanitize::line(name)),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn tools(editor: Option<&str>) -> Tools {
        Tools {
            shell: OsString::from("/bin/sh"),
            editor: editor.map(OsString::from),
            visual: None,
            terminal: false,
        }
    }

    fn spool(text: &str) -> Spool {
        Spool::read_from(&mut text.as_bytes()).expect("spooled")
    }

    fn text_of(spool: &Spool) -> String {
        let mut text = String::new();
        spool.reader().read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn an_editor_may_have_arguments_and_put_a_new_file_in_place_of_the_old_one() {
        let signals = Signals::watch(false).expect("signals");
        for (editor, expected) in [
            ("sed -i s/one/two/", Ok("two\n")),
            ("true", Ok("one\n")),
            ("false", Err("\"false\" failed")),
            ("rm", Err("cannot read the edited text")),
            // A full disk leaves an empty file.
            (": >", Err("cannot read the edited text")),
            (
                "f() { rm \"$1\"; mkdir \"$1\"; }; f",
                Err("cannot read the edited text"),
            ),
            (
                "f() { ln -sf /etc/passwd \"$1\"; }; f",
                Err("cannot read the edited text"),
            ),
            (
                "f() { kill -9 $$; }; f",
                Err("\"f() { kill -9 $$; }; f\" failed"),
            ),
            // Reading a FIFO that nobody writes to would never end.
            (
                "f() { rm \"$1\"; mkfifo \"$1\"; }; f",
                Err("cannot read the edited text"),
            ),
        ] {
            let text = tools(Some(editor)).edit(TextEditor::Line, &spool("one\n"), &signals);
            let text = text.map(|text| text_of(&text));
            let text = text.map_err(|failure| failure.what.clone());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(text, expected, "{editor}");
        }
        let unset = tools(None).edit(TextEditor::Screen, &spool("one\n"), &signals);
        assert_eq!(unset.expect_err("none").what, "no editor is set");
    }

    #[test]
    fn a_command_without_a_terminal_does_not_read_our_standard_input() {
        let signals = Signals::watch(false).expect("signals");
        let output = tools(None).output_of(b"cat; echo end", None, &signals);
        assert_eq!(text_of(&output.expect("printed")), "end\n");
        let input = spool("in\n").to_file().expect("a file");
        let output = tools(None).output_of(b"cat", Some(input), &signals);
        assert_eq!(text_of(&output.expect("printed")), "in\n");
        let shellless = Tools {
            shell: OsString::from("/no/shell"),
            ..tools(None)
        };
        let failure = shellless
            .output_of(b"date", None, &signals)
            .expect_err("none");
        assert_eq!(failure.what, "cannot run /no/shell");
        let failure = tools(None).output_of(b"exit 3", None, &signals);
        assert_eq!(failure.expect_err("3").what, "\"exit 3\" failed");
    }
}
