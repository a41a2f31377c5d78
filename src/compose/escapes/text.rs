//! What files, editors and commands do to a message that is being typed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Extent, Typist, unspooled};
use crate::compose::attachment;
use crate::compose::unicode;
use crate::config::{self, file_name};
use crate::exit::{Failure, Kind};
use crate::message::MessageSource;
use crate::sanitize;
use crate::sys::open::write::Target;
use crate::sys::open::{self, Unread, Use};
use crate::sys::private::{LETTERS, Private};
use crate::sys::spool::Spool;
use crate::sys::tools::{TextEditor, Tools};
use crate::sys::user;

impl Typist<'_> {
    /// `~!`: runs a command of the shell.
    pub(super) fn shell(&mut self, line: &[u8]) -> Result<(), Failure> {
        let tools = self.tools();
        let command = tools.shell_command(line)?;
        let done = tools.run(line, command, self.session.signals);
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
            return Err(Failure::new(Kind::Usage, "no file was given"));
        }
        let path = self.typed(rest, "read")?;
        self.insert_file(&path)
    }

    /// `~d`: inserts the dead letter file; where there is none, the one in our private place.
    pub(super) fn insert_dead_letter(&mut self) -> Result<(), Failure> {
        let name = self.session.settings.path("dead").unwrap_or_default();
        let path = file_name::of_setting(name, self.session.settings, self.home().as_deref());
        let is_there = match &path {
            Ok(path) => !matches!(open::if_there(path.metadata()), Ok(None)),
            Err(_) => false,
        };
        // A letter that could not be put into `dead` was put into the private place.
        let kept = Private::all_of(user::effective_uid())
            .into_iter()
            .map(|private| private.path().join(LETTERS))
            .find(|path| path.is_file());
        match kept {
            Some(kept) if !is_there => self.insert_file(&kept),
            _ => {
                let what = format!("cannot read {}", sanitize::path(&name));
                let path = path.map_err(|error| error.failure(what))?;
                self.insert_file(&path)
            }
        }
    }

    /// `~f`, `~F`, `~m`, `~M`: inserts messages of the open mailbox.
    pub(super) fn insert_messages(
        &mut self,
        list: &[u8],
        extent: Extent,
        indent: bool,
    ) -> Result<(), Failure> {
        let Some(messages) = self.session.messages.as_deref_mut() else {
            return Err(
                Failure::new(Kind::Usage, "no message to insert").because("no mailbox is open")
            );
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
            return Err(Failure::new(Kind::Usage, "no file was given"));
        }
        let path = self.typed(name, "write to")?;
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
    pub(super) fn edit(&mut self, editor: TextEditor) -> Result<(), Failure> {
        let edited = self
            .tools()
            .edit(editor, &self.text, self.session.signals)?;
        self.replace(edited);
        Ok(())
    }

    /// `~|`: the text becomes what a command makes of it, unless it fails or prints nothing.
    pub(super) fn filter(&mut self, line: &[u8]) -> Result<(), Failure> {
        // A file and no pipe: the command may print before it has read everything, and two full
        // pipes would wait for each other for ever.
        let input = self.text.to_file().map_err(unspooled)?;
        let output = self.output_of(line, Some(input))?;
        if output.is_empty() {
            let what = format!("\"{}\" printed nothing", sanitize::line(line));
            return Err(Failure::new(Kind::NoInput, what).hint("the text is unchanged"));
        }
        self.replace(output);
        Ok(())
    }

    /// Replaces the text of the message, and shows that typing continues.
    fn replace(&mut self, text: Spool) {
        self.text = text;
        if self.session.terminal {
            self.show(b"(continue)\n");
        }
    }

    /// Returns all that a command of the shell prints.
    fn output_of(&self, line: &[u8], input: Option<File>) -> Result<Spool, Failure> {
        let output = self.tools().output_of(line, input, self.session.signals)?;
        unicode::as_utf_8(output).map_err(unspooled)
    }

    /// Returns the shell and the editors from the settings, which `~:` may have changed.
    fn tools(&self) -> Tools {
        let session = &self.session;
        config::tools(session.settings, session.environment, session.terminal)
    }

    fn insert_file(&mut self, path: &Path) -> Result<(), Failure> {
        let unread = |error: Unread| {
            let what = format!("cannot read {}", shown(path));
            Failure::new(error.kind(Kind::NoInput), what).because(error)
        };
        let source = attachment::source_of(path, Use::Text, self.session.signals);
        let source = source.map_err(unread)?;
        let mut reader = source.reader().map_err(|error| unread(error.into()))?;
        let text = Spool::read_from(&mut reader).and_then(unicode::as_utf_8);
        let text = text.map_err(|error| unread(error.into()))?;
        self.insert_spool(path.as_os_str().as_bytes(), &mut text.reader())
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

    /// Returns the file that was typed to do this with.
    pub(super) fn typed(&self, name: &[u8], verb: &str) -> Result<PathBuf, Failure> {
        let home = self.home();
        let path = file_name::typed(
            OsStr::from_bytes(name),
            self.session.settings,
            home.as_deref(),
        );
        path.map_err(|error| error.failure(format!("cannot {verb} {}", sanitize::line(name))))
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
        // A prefix of blanks would leave blanks at the end of empty lines.
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

fn shown(path: &Path) -> String {
    sanitize::line(path.as_os_str().as_bytes()).into_owned()
}
