//! What files, editors and commands do to a message that is being typed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Extent, Typist, unspooled};
use crate::compose::attachment;
use crate::config::mailrc;
use crate::exit::{Failure, Kind};
use crate::message::MessageSource;
use crate::sanitize;
use crate::sys::child::{self, End};
use crate::sys::open::write::Target;
use crate::sys::open::{self, Unread, Use};
use crate::sys::private::{LETTERS, Private};
use crate::sys::spool::Spool;
use crate::sys::user;

impl Typist<'_> {
    /// `~!`: runs a command of the shell.
    pub(super) fn shell(&mut self, line: &[u8]) -> Result<(), Failure> {
        let command = self.shell_command(line)?;
        let end = child::foreground(command, self.session.signals);
        let done = self.succeeded(line, end);
        if self.session.terminal {
            self.show(b"!\n");
        }
        done
    }

    /// `~r`, `~<`: inserts a file, or with `!` what a command prints.
    pub(super) fn insert_input(&mut self, rest: &[u8]) -> Result<(), Failure> {
        if let Some(line) = rest.strip_prefix(b"!") {
            let line = line.trim_ascii();
            let output = self.output_of(line, None)?;
            return self.insert_spool(line, &mut output.reader());
        }
        if rest.is_empty() {
            return Err(Failure::new(Kind::Usage, "no file is named"));
        }
        let path = self.expanded(rest);
        self.insert_file(&path)
    }

    /// `~d`: inserts the dead letter file; where there is none, the one in our private place.
    pub(super) fn insert_dead_letter(&mut self) -> Result<(), Failure> {
        let name = self.session.settings.path("dead").unwrap_or_default();
        let path = mailrc::expand_home(name, self.home().as_deref());
        let is_there = !matches!(open::if_there(path.metadata()), Ok(None));
        let kept = Private::all_of(user::effective_uid())
            .into_iter()
            .map(|private| private.path().join(LETTERS))
            .find(|path| path.is_file());
        match kept {
            Some(kept) if !is_there => self.insert_file(&kept),
            _ => self.insert_file(&path),
        }
    }

    /// `~f`, `~m` and their kin: inserts messages of the open mailbox.
    pub(super) fn insert_messages(
        &mut self,
        list: &[u8],
        extent: Extent,
        indent: bool,
    ) -> Result<(), Failure> {
        let Some(messages) = self.session.messages.as_deref_mut() else {
            return Err(Failure::new(Kind::Usage, "no message to insert")
                .because("no mailbox is open while a message is only sent"));
        };
        let text = messages.text(&String::from_utf8_lossy(list), extent)?;
        let prefix = if indent {
            self.session.settings.get("indentprefix").unwrap_or("\t")
        } else {
            ""
        };
        let before = self.text.len();
        let copied = indented(prefix.as_bytes(), &text, &mut self.text);
        copied.map_err(|error| {
            self.text.truncate(before);
            unspooled(error)
        })
    }

    /// `~w`: appends the text to a file.
    pub(super) fn write(&mut self, name: &[u8]) -> Result<(), Failure> {
        if name.is_empty() {
            return Err(Failure::new(Kind::Usage, "no file is named"));
        }
        let path = self.expanded(name);
        let written = Target::find(&path, true)
            .and_then(|target| target.open_or_make())
            .and_then(|(mut file, _)| Ok(io::copy(&mut self.text.reader(), &mut file)?));
        match written {
            Ok(count) => {
                self.show(format!("\"{}\" {count}\n", shown(&path)).as_bytes());
                Ok(())
            }
            Err(error) => {
                let what = format!("cannot write to {}", shown(&path));
                Err(Failure::new(Kind::CannotCreate, what).because(error.why(&path)))
            }
        }
    }

    /// `~e`, `~v`: gives the text to an editor; it stays as it was where the editor fails.
    pub(super) fn edit(&mut self, name: u8) -> Result<(), Failure> {
        let settings = &self.session.settings;
        let environment = self.session.environment;
        let (variable, inherited) = match name {
            b'e' => ("editor", environment.editor.as_ref()),
            _ => ("visual", environment.visual.as_ref()),
        };
        let editor = settings.text(variable).map(OsString::from);
        // A screen editor that nobody sees waits for ever: without a terminal none is guessed.
        let usual = self.session.terminal.then(|| OsString::from("vi"));
        let Some(editor) = editor.or_else(|| inherited.cloned()).or(usual) else {
            return Err(Failure::new(Kind::Usage, "no editor is set"));
        };
        let unmade = |error: io::Error| {
            Failure::new(Kind::CannotCreate, "cannot make a file to edit").because(error)
        };
        // A private name in a file of mode 0600: the text is nobody else's business.
        let mut file = tempfile::Builder::new()
            .prefix("postrider-")
            .suffix(".txt")
            .tempfile()
            .map_err(unmade)?;
        io::copy(&mut self.text.reader(), &mut file).map_err(unmade)?;
        // An editor may have arguments of its own, as in `emacs -nw`: a shell splits them.
        let mut script = editor.clone();
        script.push(" \"$1\"");
        let mut command = child::command("/bin/sh");
        command
            .arg("-c")
            .arg(&script)
            .arg("sh")
            .arg(file.path())
            .stdin(self.childs_input());
        let end = child::foreground(command, self.session.signals);
        self.succeeded(editor.as_bytes(), end)?;
        // By name: many editors put a new file in place of the old one.
        let edited = File::open(file.path()).and_then(|mut file| Spool::read_from(&mut file));
        self.text = edited.map_err(|error| {
            Failure::new(Kind::NoInput, "cannot read what the editor left").because(error)
        })?;
        if self.session.terminal {
            self.show(b"(continue)\n");
        }
        Ok(())
    }

    /// `~|`: the text becomes what a command makes of it, unless it fails or prints nothing.
    pub(super) fn filter(&mut self, line: &[u8]) -> Result<(), Failure> {
        let input = self.text.to_file().map_err(unspooled)?;
        let output = self.output_of(line, Some(input))?;
        if output.is_empty() {
            let what = format!("\"{}\" printed nothing", sanitize::line(line));
            return Err(Failure::new(Kind::NoInput, what).hint("the text is as it was"));
        }
        self.text = output;
        if self.session.terminal {
            self.show(b"(continue)\n");
        }
        Ok(())
    }

    /// Returns all that a command of the shell prints.
    fn output_of(&mut self, line: &[u8], input: Option<File>) -> Result<Spool, Failure> {
        let mut command = self.shell_command(line)?;
        if let Some(input) = input {
            command.stdin(input);
        }
        match child::capture(command, self.session.signals) {
            Ok((end, output)) => self.succeeded(line, Ok(end)).map(|()| output),
            Err(error) => Err(not_run(line).because(error)),
        }
    }

    /// Says how a command ended. Where nobody types, the interrupt key that ended it is meant for us
    /// too, so that a loop in a shell ends.
    fn succeeded(&self, line: &[u8], end: io::Result<End>) -> Result<(), Failure> {
        if let Ok(End::Interrupted(signal)) = end
            && !self.session.terminal
        {
            self.session.signals.remember(signal);
        }
        succeeded(line, end)
    }

    fn shell_command(&self, line: &[u8]) -> Result<Command, Failure> {
        if line.is_empty() {
            return Err(Failure::new(Kind::Usage, "no command is given"));
        }
        let shell = match self.session.settings.text("shell") {
            Some(shell) => OsString::from(shell),
            None => {
                let shell = self.session.environment.shell.clone();
                shell.unwrap_or_else(|| "/bin/sh".into())
            }
        };
        let mut command = child::command(shell);
        command
            .arg("-c")
            .arg(OsStr::from_bytes(line))
            .stdin(self.childs_input());
        Ok(command)
    }

    /// A child may talk with a person; but it must not eat the rest of a piped message.
    fn childs_input(&self) -> Stdio {
        if self.session.terminal {
            Stdio::inherit()
        } else {
            Stdio::null()
        }
    }

    fn insert_file(&mut self, path: &Path) -> Result<(), Failure> {
        let unread = |error: Unread| {
            let what = format!("cannot read {}", shown(path));
            Failure::new(error.kind(Kind::NoInput), what).because(error)
        };
        let source = attachment::source_of(path, Use::Text, self.session.signals);
        let source = source.map_err(unread)?;
        let mut reader = source.reader().map_err(|error| unread(error.into()))?;
        self.insert_spool(path.as_os_str().as_bytes(), &mut reader)
    }

    /// Inserts what a reader gives, whole or not at all, and says how much it was.
    fn insert_spool(&mut self, name: &[u8], source: &mut dyn Read) -> Result<(), Failure> {
        let name = sanitize::line(name).into_owned();
        let before = self.text.len();
        match copy_lines(source, &mut self.text) {
            Ok(lines) => {
                let bytes = self.text.len() - before;
                self.show(format!("\"{name}\" {lines}/{bytes}\n").as_bytes());
                Ok(())
            }
            Err(error) => {
                self.text.truncate(before);
                let what = format!("cannot insert {name}");
                let kind = open::kind_of(&error, Kind::NoInput);
                Err(Failure::new(kind, what).because(error))
            }
        }
    }

    fn expanded(&self, name: &[u8]) -> PathBuf {
        mailrc::expand_home(OsStr::from_bytes(name), self.home().as_deref())
    }
}

/// Copies bytes and counts lines; what is typed next begins a line of its own.
fn copy_lines(source: &mut dyn Read, text: &mut Spool) -> io::Result<u64> {
    let mut lines = 0;
    let mut last = b'\n';
    let mut block = vec![0; 64 * 1024];
    loop {
        let count = match source.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        lines += memchr::memchr_iter(b'\n', &block[..count]).count() as u64;
        last = block[count - 1];
        text.write_all(&block[..count])?;
    }
    if last != b'\n' {
        text.write_all(b"\n")?;
        lines += 1;
    }
    Ok(lines)
}

/// Copies a text with something before each line that is not empty.
fn indented(prefix: &[u8], source: &Spool, text: &mut Spool) -> io::Result<()> {
    let mut reader = BufReader::new(source.reader());
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line != b"\n" {
            text.write_all(prefix)?;
        }
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        text.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

fn succeeded(line: &[u8], end: io::Result<End>) -> Result<(), Failure> {
    match end {
        Ok(End::Exited(0)) => Ok(()),
        Ok(End::Exited(status)) => Err(not_run(line).because(format!("exit status {status}"))),
        Ok(End::Killed(signal)) => Err(not_run(line).because(format!("killed by signal {signal}"))),
        Ok(End::Interrupted(_) | End::TimedOut) => Err(not_run(line).because("interrupted")),
        Ok(End::Unknown) => Err(not_run(line).because("nobody knows how it ended")),
        Err(error) => Err(not_run(line).because(error)),
    }
}

fn not_run(line: &[u8]) -> Failure {
    Failure::new(
        Kind::NoInput,
        format!("\"{}\" failed", sanitize::line(line)),
    )
}

fn shown(path: &Path) -> String {
    sanitize::line(path.as_os_str().as_bytes()).into_owned()
}
