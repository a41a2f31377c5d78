//! The mailrc reader: `set`, `alias`, `if`, `source`, `account` and their kin.
//!
//! Errors name file and line and do not stop the rest (design decision D21). A file that
//! someone else could have written is not read at all.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::config::{Origin, Problem, Settings};
use crate::sys::user;

/// How deep `source` may nest.
const SOURCE_DEPTH: usize = 8;

/// How large an rc file may be, in bytes.
const MAX_SIZE: u64 = 4 << 20;

/// What conditions in an rc file ask about, and what `~` stands for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Whether a message is sent, rather than a mailbox read.
    pub sending: bool,
    /// Whether standard input is a terminal.
    pub terminal: bool,
    /// The home directory.
    pub home: Option<&'a Path>,
}

/// Reads an rc file into the settings; a file that does not exist is no problem.
pub fn read_file(settings: &mut Settings, path: &Path, context: &Context<'_>) {
    match Reader::new(settings, context).file(path, 0) {
        Ok(()) => {}
        Err(problem)
            if problem.what.ends_with("No such file or directory")
                || problem.what.ends_with("Not a directory") => {}
        Err(problem) => settings.problems.push(problem),
    }
}

/// Reads the text of an rc file into the settings; `path` is what its problems name.
///
/// Files that it names with `source` are read from the file system.
pub fn read_text(settings: &mut Settings, path: &Path, text: &str, context: &Context<'_>) {
    Reader::new(settings, context).text(path, text, 0);
}

/// Applies lines that were kept for later, as those of an account.
pub fn apply_lines(settings: &mut Settings, lines: Vec<(Origin, String)>, context: &Context<'_>) {
    let mut reader = Reader::new(settings, context);
    for (origin, line) in lines {
        reader.line(&line, &origin, 0);
    }
}

/// Applies one `NAME`, `NAME=VALUE` or `noNAME`, as `set` and `-S` take it.
pub fn apply_set(settings: &mut Settings, word: &str, origin: Origin) -> Result<(), String> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name.trim_end(), value),
        None => (word, ""),
    };
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("\"{word}\" is no variable"));
    }
    match name.strip_prefix("no") {
        Some(rest) if !word.contains('=') && super::variables::row_of(name).is_none() => {
            settings.unset(rest, origin);
        }
        _ => settings.set(name, value, origin),
    }
    Ok(())
}

/// What a name is followed by in an rc file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Set,
    Unset,
    Alias,
    Unalias,
    Alternates,
    Source,
    Ignore,
    Retain,
    Unignore,
    Unretain,
    If,
    Elif,
    Else,
    Endif,
    Account,
    /// A command for the reader, kept for it.
    Reader,
    /// A command that rc files must not hold (features.md K47).
    NotHere,
}

/// The commands by name and the length of their shortest abbreviation, as POSIX has them;
/// the first match counts.
const COMMANDS: &[(&str, usize, Command)] = &[
    ("set", 2, Command::Set),
    ("unset", 3, Command::Unset),
    ("alias", 1, Command::Alias),
    ("group", 1, Command::Alias),
    ("unalias", 3, Command::Unalias),
    ("alternates", 3, Command::Alternates),
    ("source", 2, Command::Source),
    ("ignore", 2, Command::Ignore),
    ("discard", 2, Command::Ignore),
    ("retain", 3, Command::Retain),
    ("unignore", 5, Command::Unignore),
    ("unretain", 5, Command::Unretain),
    ("if", 1, Command::If),
    ("elif", 3, Command::Elif),
    ("else", 2, Command::Else),
    ("endif", 2, Command::Endif),
    ("account", 2, Command::Account),
    ("edit", 1, Command::NotHere),
    ("hold", 2, Command::NotHere),
    ("preserve", 3, Command::NotHere),
    ("mail", 1, Command::NotHere),
    ("reply", 1, Command::NotHere),
    ("respond", 1, Command::NotHere),
    ("Reply", 1, Command::NotHere),
    ("shell", 2, Command::NotHere),
    ("visual", 1, Command::NotHere),
    ("Copy", 1, Command::NotHere),
    ("followup", 2, Command::NotHere),
    ("Followup", 1, Command::NotHere),
];

/// Commands of mailx programs that belong to the reader; kept for it, or known to be harmless.
pub const READER_COMMANDS: &[&str] = &[
    "cd",
    "chdir",
    "charsetalias",
    "colour",
    "commandalias",
    "copy",
    "define",
    "delete",
    "digmsg",
    "echo",
    "environ",
    "exit",
    "file",
    "filetype",
    "folder",
    "folders",
    "from",
    "fwddiscard",
    "fwdignore",
    "fwdretain",
    "headerpick",
    "headers",
    "help",
    "history",
    "list",
    "mbox",
    "mimetype",
    "mlist",
    "mlsubscribe",
    "next",
    "Print",
    "print",
    "quit",
    "save",
    "saveignore",
    "saveretain",
    "savediscard",
    "setenv",
    "shortcut",
    "size",
    "sort",
    "spamham",
    "thread",
    "top",
    "touch",
    "Type",
    "type",
    "unaccount",
    "undelete",
    "unfwdretain",
    "unsetenv",
    "unshortcut",
    "varshow",
    "wysh",
    "write",
    "xit",
    "bind",
    "localopts",
    "call",
    "ghost",
    "memberof",
];

/// Returns whether a word is the name of a command an rc file or `-E 'command'` may hold.
pub fn is_command(word: &str) -> bool {
    command_of(word).is_some()
}

fn command_of(word: &str) -> Option<Command> {
    COMMANDS
        .iter()
        .find(|(name, shortest, _)| word.len() >= *shortest && name.starts_with(word))
        .map(|(_, _, command)| *command)
        .or_else(|| READER_COMMANDS.contains(&word).then_some(Command::Reader))
}

/// The state of one nested `if`.
#[derive(Clone, Copy, Debug)]
struct Branch {
    /// Lines count now.
    active: bool,
    /// A branch of this `if` has counted already.
    taken: bool,
    /// The lines around this `if` count.
    outer: bool,
}

struct Reader<'a> {
    settings: &'a mut Settings,
    context: Context<'a>,
    branches: Vec<Branch>,
    /// The account whose block is being read.
    account: Option<(String, Vec<(Origin, String)>)>,
}

impl<'a> Reader<'a> {
    fn new(settings: &'a mut Settings, context: &Context<'a>) -> Reader<'a> {
        Reader {
            settings,
            context: *context,
            branches: Vec::new(),
            account: None,
        }
    }

    fn file(&mut self, path: &Path, depth: usize) -> Result<(), Problem> {
        let text = read_trusted(path).map_err(|what| Problem {
            origin: Origin::File {
                path: path.to_owned(),
                line: 0,
            },
            what,
            concerns_route: false,
        })?;
        self.text(path, &text, depth);
        Ok(())
    }

    fn text(&mut self, path: &Path, text: &str, depth: usize) {
        let origin = |line| Origin::File {
            path: path.to_owned(),
            line,
        };
        let outer_branches = std::mem::take(&mut self.branches);
        let mut pending = String::new();
        let mut first_line = 0;
        for (number, line) in text.lines().enumerate() {
            if pending.is_empty() {
                first_line = number + 1;
            }
            pending.push_str(line.strip_suffix('\r').unwrap_or(line));
            // A line that ends in an odd number of backslashes goes on in the next one.
            let slashes = pending.len() - pending.trim_end_matches('\\').len();
            if slashes % 2 == 1 {
                pending.pop();
                continue;
            }
            let line = std::mem::take(&mut pending);
            self.line(&line, &origin(first_line), depth);
        }
        self.line(&pending, &origin(first_line), depth);
        if !self.branches.is_empty() {
            self.problem(&origin(first_line), "\"if\" without \"endif\"", false);
        }
        if self.account.take().is_some() {
            self.problem(
                &origin(first_line),
                "\"account\" without its closing brace",
                false,
            );
        }
        self.branches = outer_branches;
    }

    fn problem(&mut self, origin: &Origin, what: impl Into<String>, concerns_route: bool) {
        self.settings.problems.push(Problem {
            origin: origin.clone(),
            what: what.into(),
            concerns_route,
        });
    }

    fn line(&mut self, line: &str, origin: &Origin, depth: usize) {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some((_, lines)) = &mut self.account {
            if line.trim_end() != "}" {
                lines.push((origin.clone(), line.to_owned()));
            } else if let Some((name, lines)) = self.account.take() {
                self.settings.accounts.insert(name, lines);
            }
            return;
        }
        let end = line.find(char::is_whitespace).unwrap_or(line.len());
        let (word, rest) = (&line[..end], line[end..].trim());
        let command = command_of(word);
        if self.conditional(command, rest, origin) || !self.is_active() {
            return;
        }
        match command {
            Some(command) => self.command(command, line, rest, origin, depth),
            None => self.problem(origin, format!("unknown command \"{word}\""), false),
        }
    }

    fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    /// Handles `if`, `elif`, `else`, `endif`; returns whether the line was one of them.
    fn conditional(&mut self, command: Option<Command>, rest: &str, origin: &Origin) -> bool {
        match command {
            Some(Command::If) => {
                let outer = self.is_active();
                let holds = outer && self.condition(rest, origin);
                self.branches.push(Branch {
                    active: holds,
                    taken: holds,
                    outer,
                });
            }
            Some(Command::Elif | Command::Else) => {
                let Some(branch) = self.branches.last().copied() else {
                    self.problem(origin, "\"else\" without \"if\"", false);
                    return true;
                };
                let open = branch.outer && !branch.taken;
                let holds =
                    open && (command == Some(Command::Else) || self.condition(rest, origin));
                if let Some(branch) = self.branches.last_mut() {
                    branch.active = holds;
                    branch.taken |= holds;
                }
            }
            Some(Command::Endif) => {
                if self.branches.pop().is_none() {
                    self.problem(origin, "\"endif\" without \"if\"", false);
                }
            }
            _ => return false,
        }
        true
    }

    /// Evaluates `s`, `r`, `t` and their words; what is not understood does not hold.
    fn condition(&mut self, text: &str, origin: &Origin) -> bool {
        let (negated, word) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        let holds = match word.to_ascii_lowercase().as_str() {
            "s" | "send" => self.context.sending,
            "r" | "receive" => !self.context.sending,
            "t" | "term" | "terminal" | "tty" => self.context.terminal,
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                let what = format!("condition \"{text}\" is not understood and does not hold");
                self.problem(origin, what, false);
                return false;
            }
        };
        holds != negated
    }

    fn command(&mut self, command: Command, line: &str, rest: &str, origin: &Origin, depth: usize) {
        let words = match words(rest) {
            Ok(words) => words,
            Err(what) => {
                let concerns_route = ["mta", "smtp", "sendmail", "tls", "ssl", "password"]
                    .iter()
                    .any(|name| rest.contains(name));
                return self.problem(origin, what, concerns_route);
            }
        };
        match command {
            Command::Set => self.set(&words, origin),
            Command::Unset => {
                for name in &words {
                    self.settings.unset(name, origin.clone());
                }
            }
            Command::Alias => {
                if let Some((name, members)) = words.split_first() {
                    let alias = self.settings.aliases.entry(name.clone()).or_default();
                    alias.extend(members.iter().cloned());
                }
            }
            Command::Unalias => self
                .settings
                .aliases
                .retain(|name, _| !words.contains(name)),
            Command::Alternates => self.settings.alternates = words,
            Command::Source => self.source(&words, origin, depth),
            Command::Ignore => add_fields(&mut self.settings.ignored, &words),
            Command::Retain => add_fields(&mut self.settings.retained, &words),
            Command::Unignore => remove_fields(&mut self.settings.ignored, &words),
            Command::Unretain => remove_fields(&mut self.settings.retained, &words),
            Command::Account => self.begin_account(&words, origin),
            Command::Reader => {
                let command = (origin.clone(), line.to_owned());
                self.settings.reader_commands.push(command);
            }
            Command::NotHere => {
                let what = format!("\"{line}\" is not allowed in this file");
                self.problem(origin, what, false);
            }
            Command::If | Command::Elif | Command::Else | Command::Endif => {}
        }
    }

    fn set(&mut self, words: &[String], origin: &Origin) {
        for word in words {
            if let Err(what) = apply_set(self.settings, word, origin.clone()) {
                self.problem(origin, what, false);
            }
        }
    }

    fn begin_account(&mut self, words: &[String], origin: &Origin) {
        match words {
            [name, brace] if brace == "{" => self.account = Some((name.clone(), Vec::new())),
            _ => self.problem(origin, "account needs a name and \"{\"", false),
        }
    }

    fn source(&mut self, words: &[String], origin: &Origin, depth: usize) {
        let [name] = words else {
            return self.problem(origin, "source needs one file name", false);
        };
        if depth >= SOURCE_DEPTH {
            return self.problem(origin, "source is nested too deep", false);
        }
        let path = expand_home(name, self.context.home);
        if let Err(problem) = self.file(&path, depth + 1) {
            let what = format!("cannot source {}: {}", path.display(), problem.what);
            self.problem(origin, what, false);
        }
    }
}

fn add_fields(fields: &mut Vec<String>, words: &[String]) {
    for word in words {
        let word = word.trim_end_matches(':').to_ascii_lowercase();
        if !fields.contains(&word) {
            fields.push(word);
        }
    }
}

fn remove_fields(fields: &mut Vec<String>, words: &[String]) {
    fields.retain(|field| {
        !words
            .iter()
            .any(|word| word == "*" || word.eq_ignore_ascii_case(field))
    });
}

/// Returns a file name with `~` replaced by the home directory.
pub fn expand_home(name: &str, home: Option<&Path>) -> PathBuf {
    match (name.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(&rest[1..]),
        _ => PathBuf::from(name),
    }
}

/// Splits a line into words: blanks separate, `'…'` and `"…"` keep them, `\x` is x.
///
/// # Errors
/// Says that a quote is not closed.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut in_word = false;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => word.push(c),
            (_, '\\') => {
                in_word = true;
                word.extend(chars.next());
            }
            (Some(_), _) => word.push(c),
            (None, '"' | '\'') => {
                in_word = true;
                quote = Some(c);
            }
            (None, _) if c.is_whitespace() => {
                if std::mem::take(&mut in_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, _) => {
                in_word = true;
                word.push(c);
            }
        }
    }
    if quote.is_some() {
        // A secret may follow the `=`.
        let shown = line.split('=').next().unwrap_or_default();
        return Err(format!("a quote is not closed: {shown}"));
    }
    if in_word {
        words.push(word);
    }
    Ok(words)
}

/// Reads an rc file that nobody else could have written.
fn read_trusted(path: &Path) -> Result<String, String> {
    let plain = |error: std::io::Error| {
        let text = error.to_string();
        text.split(" (os error")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    // O_NONBLOCK: a FIFO is refused, not waited for.
    let file = File::options()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
        .map_err(plain)?;
    let metadata = file.metadata().map_err(plain)?;
    if metadata.file_type().is_char_device() {
        return Ok(String::new());
    }
    if let Some(reason) = distrust(&metadata) {
        return Err(format!("this file is ignored: {reason}"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_SIZE).read_to_end(&mut bytes).map_err(plain)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => encoding_rs::WINDOWS_1252
            .decode(error.as_bytes())
            .0
            .into_owned(),
    })
}

/// Returns why an rc file must not be believed, if it must not.
pub fn distrust(metadata: &Metadata) -> Option<&'static str> {
    let us = user::effective_uid();
    if !metadata.is_file() {
        return Some("it is not a regular file");
    }
    if metadata.uid() != us && metadata.uid() != 0 {
        return Some("it belongs to another user");
    }
    if metadata.mode() & 0o002 != 0 {
        return Some("everybody may write to it");
    }
    let is_private = || {
        metadata.gid() == 0
            || user::by_uid(metadata.uid())
                .is_some_and(|owner| user::is_private_group(metadata.gid(), &owner))
    };
    if metadata.mode() & 0o020 != 0 && !is_private() {
        return Some("a group may write to it");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn context() -> Context<'static> {
        Context {
            sending: true,
            terminal: false,
            home: Some(Path::new("/home/alice")),
        }
    }

    fn read(text: &str) -> Settings {
        let mut settings = Settings::default();
        read_text(&mut settings, Path::new("mailrc"), text, &context());
        settings
    }

    #[test]
    fn words_are_split_as_mailx_does() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a b\tc", &["a", "b", "c"]),
            ("from=\"Alice <a@b>\" noask", &["from=Alice <a@b>", "noask"]),
            ("'a \"b' c\\ d", &["a \"b", "c d"]),
            ("x=''", &["x="]),
            ("\"\" y", &["", "y"]),
        ];
        for (line, expected) in table {
            assert_eq!(words(line).unwrap(), *expected, "{line}");
        }
        assert!(words("set from=\"x").is_err());
    }

    #[test]
    fn variables_aliases_and_lists_are_read() {
        let settings = read(
            "# comment\nset from=a@example.org noheader smtp-auth-password=x\\\n\\y\n\
             alias ops a@x 'Bob <b@x>'\nalias ops c@x\nalternates me@x\nig Received X-Foo:\n\
             set sendmail=/bin/true\nheaders\n",
        );
        assert_eq!(settings.problems, []);
        assert_eq!(settings.get("from"), Some("a@example.org"));
        assert!(!settings.is_set("header"));
        assert!(settings.is_set("save"));
        assert_eq!(settings.get("mta"), Some("/bin/true"));
        assert_eq!(settings.aliases["ops"], ["a@x", "Bob <b@x>", "c@x"]);
        assert_eq!(settings.ignored, ["received", "x-foo"]);
        assert_eq!(settings.reader_commands.len(), 1);
    }

    #[test]
    fn conditions_nest_and_the_first_branch_counts() {
        let settings = read(
            "if r\nset from=r@x\nif s\nset from=rs@x\nendif\nelse\nset from=s@x\nendif\n\
             if s\nset sender=1@x\nelif s\nset sender=2@x\nelse\nset sender=3@x\nendif\n",
        );
        assert_eq!(settings.get("from"), Some("s@x"));
        assert_eq!(settings.get("sender"), Some("1@x"));
        assert_eq!(settings.problems, []);
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_counts() {
        let settings = read("blorb\nset mta-alises=x from=a@x\nset mta=\"x\nif x > 3\nendif\n");
        let problems: Vec<String> = settings
            .problems
            .iter()
            .map(|problem| problem.what.clone())
            .collect();
        assert_eq!(
            problems,
            [
                "unknown command \"blorb\"",
                "unknown variable mta-alises",
                "a quote is not closed: mta",
                "condition \"x > 3\" is not understood and does not hold",
            ]
        );
        assert!(settings.problems[2].concerns_route);
        assert_eq!(settings.get("from"), Some("a@x"));
    }

    #[test]
    fn accounts_apply_only_when_chosen() {
        let mut settings = read("account work {\nset from=w@x\n}\nset from=h@x\n");
        assert_eq!(settings.get("from"), Some("h@x"));
        assert!(settings.use_account("work", &context()));
        assert_eq!(settings.get("from"), Some("w@x"));
        assert!(!settings.use_account("other", &context()));
    }

    #[test]
    fn a_file_that_others_can_write_is_ignored_and_said_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "set from=evil@x\n").unwrap();
        std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o666)).unwrap();
        let mut settings = Settings::default();
        read_file(&mut settings, file.path(), &context());
        assert_eq!(settings.get("from"), None);
        assert!(settings.problems[0].what.contains("everybody may write"));
    }

    #[test]
    fn a_file_that_sources_itself_ends() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("source {}\n", file.path().display())).unwrap();
        let mut settings = Settings::default();
        read_file(&mut settings, file.path(), &context());
        assert_eq!(settings.problems.len(), 1);
        assert_eq!(settings.problems[0].what, "source is nested too deep");
    }
}
