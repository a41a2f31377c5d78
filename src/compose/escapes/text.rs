//! What files, editors and commands do to a message that is being typed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Extent, Typist, header};
use crate::compose::spooling::unspooled;
use crate::compose::unicode;
use crate::compose::{attachment, input};
use crate::config::{self, bang, file_name};
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
        let line = bang::expand(self.session.settings, line)?;
        let tools = self.tools();
        let command = tools.shell_command(&line)?;
        let done = tools.run(&line, command, self.session.signals);
        if self.session.terminal {
            self.show(b"!\n");
        }
        done
    }

    /// `~r`, `~<`: inserts a file, or with `!` what a command prints; `~R` indents it.
    pub(super) fn insert_input(&mut self, rest: &[u8], indent: bool) -> Result<(), Failure> {
        if let Some(line) = rest.strip_prefix(b"!") {
            let line = line.trim_ascii();
            let output = self.output_of(line, None)?;
            return self.insert_spool(line, output, indent);
        }
        if rest.is_empty() {
            return Err(Failure::new(Kind::Usage, "no file was given"));
        }
        let path = self.typed(rest, "read")?;
        self.insert_file(&path, indent)
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
            Some(kept) if !is_there => self.insert_file(&kept, false),
            _ => {
                let what = format!("cannot read {}", sanitize::path(&name));
                let path = path.map_err(|error| error.failure(what))?;
                self.insert_file(&path, false)
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
        let text = if indent { self.indented(&text)? } else { text };
        let before = self.text.len();
        let copied = copy_lines(&mut text.reader(), &mut self.text);
        copied.map(drop).map_err(|error| {
            self.text.truncate(before);
            unspooled(error)
        })
    }

    /// Returns a text with the variable `indentprefix` before each line that is not empty.
    fn indented(&self, text: &Spool) -> Result<Spool, Failure> {
        let prefix = self.session.settings.get("indentprefix").unwrap_or("\t");
        let mut result = Spool::new();
        indented(prefix.as_bytes(), text, &mut result).map_err(unspooled)?;
        Ok(result)
    }

    /// `~w`: appends the text to a file.
    pub(super) fn write(&mut self, name: &[u8]) -> Result<(), Failure> {
        if name.is_empty() {
            return Err(Failure::new(Kind::Usage, "no file was given"));
        }
        let path = self.typed(name, "write to")?;
        let written = Target::find(&path, true)
            .and_then(|target| target.open_or_make())
            .and_then(|(mut file, _)| {
                let mut counted = Counted(&mut file, 0);
                Ok((io::copy(&mut self.text.reader(), &mut counted)?, counted.1))
            });
        match written {
            Ok((bytes, lines)) => {
                self.show(format!("\"{}\" {lines}/{bytes}\n", shown(&path)).as_bytes());
                Ok(())
            }
            Err(error) => {
                let what = format!("cannot write to {}", shown(&path));
                Err(Failure::new(Kind::CannotCreate, what).because(error.why(&path)))
            }
        }
    }

    /// `~e`, `~v`: gives the text to an editor, and what would stand behind it; it stays as it was where
    /// the editor fails.
    pub(super) fn edit(&mut self, editor: TextEditor) -> Result<(), Failure> {
        let before = self.text.len();
        if let Some(behind) = self.session.behind.as_ref() {
            input::add_below(&mut self.text, behind).map_err(unspooled)?;
        }
        let edited = self.edit_text(editor);
        match &edited {
            Ok(()) => *self.session.behind = None,
            Err(_) => self.text.truncate(before),
        }
        edited
    }

    fn edit_text(&mut self, editor: TextEditor) -> Result<(), Failure> {
        let is_set = self.session.settings.is_set("editheaders");
        // A template has its header in the text.
        let given = self.given(is_set && !self.session.request.template)?;
        let text = given.text.as_ref().unwrap_or(&self.text);
        let edited = self.tools().edit(editor, text, self.session.signals)?;
        self.take_back(edited, &given)
    }

    /// `~|`: the text becomes what a command makes of it, unless it fails or prints nothing; `~||`
    /// gives the header to the command too.
    pub(super) fn filter(&mut self, line: &[u8]) -> Result<(), Failure> {
        let (line, has_header) = match line.strip_prefix(b"|") {
            Some(line) => (line.trim_ascii(), !self.session.request.template),
            None => (line, false),
        };
        let given = self.given(has_header)?;
        let text = given.text.as_ref().unwrap_or(&self.text);
        // A file and no pipe: the command may print before it has read everything, and two full
        // pipes would wait for each other for ever.
        let input = text.to_file().map_err(unspooled)?;
        let output = self.output_of(line, Some(input))?;
        if output.is_empty() {
            let what = format!("\"{}\" printed nothing", sanitize::line(line));
            return Err(Failure::new(Kind::NoInput, what).hint("the text is unchanged"));
        }
        self.take_back(output, &given)
    }

    /// Returns what a program gets: the text, or a copy of it behind the header.
    fn given(&self, has_header: bool) -> Result<Given, Failure> {
        if !has_header {
            return Ok(Given::default());
        }
        let header = header::text_of(self.session.request);
        let mut text = Spool::new();
        text.write_all(&header)
            .and_then(|()| io::copy(&mut self.text.reader(), &mut text))
            .map_err(unspooled)?;
        let text = Some(text);
        Ok(Given { header, text })
    }

    /// Takes back what a program has made of what it was given.
    fn take_back(&mut self, text: Spool, given: &Given) -> Result<(), Failure> {
        if given.text.is_none() {
            self.replace(text);
            return Ok(());
        }
        let mut bytes = Vec::new();
        text.reader().read_to_end(&mut bytes).map_err(unspooled)?;
        // A header that is as it was says nothing new: what was typed stays as it was typed.
        let body = if bytes.starts_with(&given.header) {
            given.header.len()
        } else {
            header::take(self.session.request, &bytes)
        };
        let body = text.tail(body as u64).map_err(unspooled)?;
        self.replace(body);
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

    fn insert_file(&mut self, path: &Path, indent: bool) -> Result<(), Failure> {
        let unread = |error: Unread| {
            let what = format!("cannot read {}", shown(path));
            Failure::new(error.kind(Kind::NoInput), what).because(error)
        };
        let source = attachment::source_of(path, Use::Text, self.session.signals);
        let source = source.map_err(unread)?;
        let mut reader = source.reader().map_err(|error| unread(error.into()))?;
        let text = Spool::read_from(&mut reader).and_then(unicode::as_utf_8);
        let text = text.map_err(|error| unread(error.into()))?;
        self.insert_spool(path.as_os_str().as_bytes(), text, indent)
    }

    /// Inserts a text, whole or not at all, and says how much it was.
    fn insert_spool(&mut self, name: &[u8], text: Spool, indent: bool) -> Result<(), Failure> {
        let text = if indent { self.indented(&text)? } else { text };
        let name = sanitize::line(name).into_owned();
        let before = self.text.len();
        match copy_lines(&mut text.reader(), &mut self.text) {
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

/// What a program gets to change.
#[derive(Default)]
struct Given {
    /// The header in front of the text, if it has one.
    header: Vec<u8>,
    /// The header and the text; `None` is the text alone.
    text: Option<Spool>,
}

/// A writer that counts lines.
struct Counted<'w>(&'w mut dyn Write, usize);

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.write(bytes)?;
        self.1 += memchr::memchr_iter(b'\n', &bytes[..count]).count();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
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
