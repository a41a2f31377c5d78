//! Environment variables: every one that Postrider looks at, read once at the start.
//!
//! The environment is a short, fixed list of names, not a name space: nothing in it can switch
//! on tilde escapes or prompts, or set a variable that is not listed here.
#![allow(clippy::disallowed_methods)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::sys::{locale, user};

pub(crate) use crate::sys::child::SUBMITTING;
/// The environment as it was when we were started.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `HOME`: where `~/.mailrc` and `~/dead.letter` are.
    pub(crate) home: Option<PathBuf>,
    /// `MAILRC`: the user's configuration file instead of `~/.mailrc`.
    pub(crate) mailrc: Option<PathBuf>,
    /// `MAIL`: the system mailbox.
    pub(crate) mail: Option<PathBuf>,
    /// `MBOX`: where read mail is moved.
    pub(crate) mbox: Option<OsString>,
    /// `DEAD`: the file that keeps unsent mail.
    pub(crate) dead: Option<PathBuf>,
    /// `REPLYTO`: the Reply-To address, as bsd-mailx takes it.
    pub(crate) replyto: Option<OsString>,
    /// `PAGER`: the program that shows long messages.
    pub(crate) pager: Option<OsString>,
    /// Whether `LESS` is set: the options of the pager less.
    pub(crate) has_less: bool,
    /// Whether `LESSCHARSET` is set: the charset that less shows.
    pub(crate) has_less_charset: bool,
    /// Whether `TERM` names a terminal without sequences: `dumb`, or none.
    pub(crate) is_dumb: bool,
    /// Whether `NO_COLOR` asks for text without colours (no-color.org).
    pub(crate) no_color: bool,
    /// `LISTER`: the program that lists the files of `folder`.
    pub(crate) lister: Option<OsString>,
    /// `SHELL`: the shell that runs commands; `/bin/sh` without it. `install` names its files.
    pub(crate) shell: Option<OsString>,
    /// `EDITOR`: the editor of `~e`.
    pub(crate) editor: Option<OsString>,
    /// `VISUAL`: the editor of `~v`.
    pub(crate) visual: Option<OsString>,
    /// `COLUMNS`: the width of the screen.
    pub(crate) columns: Option<u16>,
    /// `LINES`: the height of the screen.
    pub(crate) lines: Option<u16>,
    /// `LC_ALL`, else `LC_CTYPE`, else `LANG`: the locale of text.
    pub(crate) locale: Option<OsString>,
    /// `POSIXLY_CORRECT`: POSIX's own defaults, and options only before operands.
    pub(crate) posixly_correct: bool,
    /// `SOURCE_DATE_EPOCH`: the time that generated dates show.
    pub(crate) source_date_epoch: Option<i64>,
    /// Where state is kept: `XDG_STATE_HOME` if that is absolute; with `HOME`, `~/.local/state` else.
    pub(crate) state_home: Option<PathBuf>,
    /// `CREDENTIALS_DIRECTORY`: where systemd puts the credentials of a service.
    pub(crate) credentials_directory: Option<PathBuf>,
    /// `NETRC`: the file of logins instead of `~/.netrc`.
    pub(crate) netrc: Option<PathBuf>,
    /// `DESTDIR`: the directory that `postrider install` takes for `/`.
    pub(crate) destdir: Option<PathBuf>,
    /// `PATH`: where the shell looks for commands.
    pub(crate) search_path: Option<OsString>,
    /// `SSL_CERT_FILE`: certificates to trust instead of the system's.
    pub(crate) ssl_cert_file: Option<PathBuf>,
    /// [`SUBMITTING`]: we are the child of a submission of our own.
    pub(crate) submitting: Option<PathBuf>,
    /// We were called as sendmail.
    pub(crate) as_sendmail: bool,
}

impl Environment {
    /// Returns whether this sendmail has called us: to call it again would be a loop. As a
    /// sendmail that was called by a submission we call none at all.
    pub(crate) fn was_called_by(&self, sendmail: &Path) -> bool {
        let caller = self.submitting.as_deref();
        caller == Some(sendmail) || (self.as_sendmail && caller.is_some())
    }

    /// Returns the home directory: `HOME`, else the passwd file's.
    pub(crate) fn home_directory(&self) -> Option<PathBuf> {
        let own = || user::current().map(|user| user.home);
        self.home.clone().or_else(own)
    }

    /// Returns the directories in which a shell looks for commands.
    pub(crate) fn search_path(&self) -> impl Iterator<Item = PathBuf> {
        let path = self.search_path.as_deref().unwrap_or_default();
        std::env::split_paths(path)
    }

    /// Returns whether a shell finds a command of this name.
    pub(crate) fn has_command(&self, name: &str) -> bool {
        self.search_path()
            .any(|directory| directory.join(name).is_file())
    }

    /// Returns where state is kept: `XDG_STATE_HOME`, else `~/.local/state`, with whichever home
    /// directory [`Environment::home_directory`] returns.
    pub(crate) fn state_directory(&self) -> Option<PathBuf> {
        let default = || Some(self.home_directory()?.join(".local/state"));
        self.state_home.clone().or_else(default)
    }

    /// Reads the process's environment; the locale that it names holds for all that is shown.
    ///
    /// Where `HOME` is set, the home and state directories are those that `dirs` names. Without
    /// `HOME`, `dirs` would ask the C library's name service, which may load modules that a static
    /// build does not have: then [`crate::sys::user`] is asked, and only when somebody needs to know.
    pub(crate) fn read() -> Environment {
        let mut environment = Environment::from_lookup(variable);
        if environment.home.is_some() {
            environment.home = dirs::home_dir();
            environment.state_home = dirs::state_dir();
        }
        locale::choose(environment.locale.as_deref());
        environment
    }

    /// Reads the process's environment for the sendmail face.
    ///
    /// `HOME` counts only if it belongs to the user we act as. A cron daemon that was started with
    /// `HOME=/root` hands that on to the sendmail of every user, and `sudo -E` hands on the user's to
    /// root's: without this rule the mail would be composed with another user's configuration, or
    /// kept nowhere.
    pub(crate) fn read_as_sendmail() -> Environment {
        let mut environment = Environment {
            as_sendmail: true,
            ..Environment::read()
        };
        let uid = user::effective_uid();
        let is_ours = |home: &PathBuf| fs::metadata(home).is_ok_and(|found| found.uid() == uid);
        if !environment.home.as_ref().is_some_and(is_ours) {
            environment.home = None;
            environment.state_home = Environment::from_lookup(variable).state_home;
        }
        environment
    }

    /// Reads an environment by a function from name to value; empty values count as not set.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Environment {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let path = |name: &str| get(name).map(PathBuf::from);
        let number = |name: &str| get(name)?.to_str()?.parse().ok();
        Environment {
            home: path("HOME"),
            mailrc: path("MAILRC"),
            mail: path("MAIL"),
            mbox: get("MBOX"),
            dead: path("DEAD"),
            replyto: get("REPLYTO"),
            pager: get("PAGER"),
            has_less: lookup("LESS").is_some(),
            has_less_charset: get("LESSCHARSET").is_some(),
            is_dumb: get("TERM").is_none_or(|term| term == "dumb"),
            no_color: get("NO_COLOR").is_some(),
            lister: get("LISTER"),
            shell: get("SHELL"),
            editor: get("EDITOR"),
            visual: get("VISUAL"),
            columns: number("COLUMNS"),
            lines: number("LINES"),
            // The order of POSIX: LC_ALL overrides the category, and LANG is what is left.
            locale: get("LC_ALL")
                .or_else(|| get("LC_CTYPE"))
                .or_else(|| get("LANG")),
            // An empty value counts too, as for getopt(3).
            posixly_correct: lookup("POSIXLY_CORRECT").is_some(),
            source_date_epoch: get("SOURCE_DATE_EPOCH")
                .and_then(|value| value.to_str()?.parse().ok()),
            // XDG Base Directory Specification: a relative path is invalid and is ignored.
            state_home: path("XDG_STATE_HOME").filter(|path| path.is_absolute()),
            credentials_directory: path("CREDENTIALS_DIRECTORY"),
            netrc: path("NETRC"),
            destdir: path("DESTDIR"),
            search_path: get("PATH"),
            ssl_cert_file: path("SSL_CERT_FILE"),
            submitting: path(SUBMITTING),
            as_sendmail: false,
        }
    }
}

/// Returns a variable of the environment that a user refers to by its name.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
