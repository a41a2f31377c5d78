//! Configuration: what is set, and by whom.
//!
//! One syntax, mailrc (design decision D21), read from the system's files, the user's file and
//! the `-S` options into one [`Settings`]. It is read once and handed down; nothing below looks
//! at a file or the environment again. What a setting means is the business of who uses it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

pub mod env;
pub mod mailrc;
pub mod text;
pub mod variables;

pub use env::Environment;
use variables::ValueKind;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The compiled-in default.
    Default,
    /// This environment variable.
    Environment(&'static str),
    /// This line of this file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// This option of the command line, as typed.
    Option(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Environment(name) => write!(f, "${name}"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Option(option) => f.write_str(option),
        }
    }
}

/// The value of a variable and its origin; `None` is "unset on purpose".
#[derive(Clone, Debug)]
struct Setting {
    value: Option<String>,
    /// The value as it was written, where that is not UTF-8.
    bytes: Option<OsString>,
    origin: Origin,
}

/// Lines that are kept for later, with their place.
pub type Lines = Vec<(Origin, Vec<u8>)>;

/// Something in the configuration that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong, in lower case.
    pub what: String,
    /// What follows from it.
    pub weight: Weight,
}

/// What follows from a problem in the configuration (design decision D21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is told, and the rest counts.
    Line,
    /// It is told when a message is sent: whoever only reads needs no way out.
    WayOut,
    /// Nothing is sent (78), and that tells it: mail could go astray.
    Route,
}

/// All that is set: variables, aliases, lists.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    variables: BTreeMap<String, Setting>,
    /// Names that stand for recipients, by `alias`.
    pub aliases: BTreeMap<String, Vec<String>>,
    /// One's other addresses, by `alternates`.
    pub alternates: Vec<String>,
    /// Header fields not shown, by `ignore`, in lower case.
    pub ignored: Vec<String>,
    /// Header fields shown, by `retain`, in lower case.
    pub retained: Vec<String>,
    /// Commands for the reader found in rc files, with their place.
    pub reader_commands: Vec<(Origin, String)>,
    /// The blocks of `account NAME { … }`, as lines with their place.
    accounts: BTreeMap<String, Lines>,
    /// What was wrong on the way.
    pub problems: Vec<Problem>,
}

impl Settings {
    /// Returns the value of a variable: as set, else its default; a flag that is set is `""`.
    pub fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(
            variables::row_of(name).is_some_and(|row| row.name == name),
            "{name} is not in the table"
        );
        match self.variables.get(name) {
            Some(setting) => setting.value.as_deref(),
            None => match variables::row_of(name)?.default {
                "" => None,
                "set" => Some(""),
                default => Some(default),
            },
        }
    }

    /// Returns the value of any variable, known to us or not, as `$name` asks for it.
    pub fn any(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.value.as_deref()
    }

    /// Returns a value that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns a value that is not empty, as the bytes that were written: the name of a file.
    pub fn path(&self, name: &str) -> Option<&OsStr> {
        let text = self.text(name)?;
        let bytes = self
            .variables
            .get(name)
            .and_then(|row| row.bytes.as_deref());
        Some(bytes.unwrap_or(OsStr::new(text)))
    }

    /// Returns whether a variable is set, with or without a value.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns a whole number; a value that is none was told when it was set, and counts as none.
    pub fn number(&self, name: &str) -> Option<u64> {
        let default = || variables::row_of(name)?.default.parse().ok();
        self.text(name)?.trim().parse().ok().or_else(default)
    }

    /// Returns where a variable's value came from.
    pub fn origin(&self, name: &str) -> Origin {
        self.variables
            .get(name)
            .map_or(Origin::Default, |setting| setting.origin.clone())
    }

    /// Sets a variable; names that are another name for one of ours become ours.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>, origin: Origin) {
        let bytes = value.as_ref();
        let value = text::decode(bytes.as_bytes()).into_owned();
        let name = match variables::row_of(name) {
            Some(row) => {
                if row.kind == ValueKind::Number {
                    self.warn_if_no_number(row.name, &value, &origin);
                }
                row.name
            }
            None => {
                self.warn_if_near_a_route(name, &origin);
                name
            }
        };
        let bytes = bytes.to_str().is_none().then(|| bytes.to_owned());
        let setting = Setting {
            value: Some(value),
            bytes,
            origin,
        };
        self.variables.insert(name.to_owned(), setting);
    }

    /// Unsets a variable.
    pub fn unset(&mut self, name: &str, origin: Origin) {
        let name = variables::row_of(name).map_or(name, |row| row.name);
        let setting = Setting {
            value: None,
            bytes: None,
            origin,
        };
        self.variables.insert(name.to_owned(), setting);
    }

    /// A number that is none is told; what it guards then has its default, and the mail goes.
    fn warn_if_no_number(&mut self, name: &str, value: &str, origin: &Origin) {
        let value = value.trim();
        if !value.is_empty() && value.parse::<u64>().is_err() {
            self.problems.push(Problem {
                origin: origin.clone(),
                what: format!("{name} must be a whole number, not \"{value}\"; its default counts"),
                weight: Weight::Line,
            });
        }
    }

    /// Unknown variables are accepted, but a slip in one that guards the way out is told.
    fn warn_if_near_a_route(&mut self, name: &str, origin: &Origin) {
        if ["tls-", "smtp-", "mta"]
            .iter()
            .any(|start| name.starts_with(start))
            && !KNOWN_ELSEWHERE.contains(&name)
        {
            self.problems.push(Problem {
                origin: origin.clone(),
                what: format!("unknown variable {name}"),
                weight: Weight::WayOut,
            });
        }
    }

    /// Returns all variables that were set or unset, for display.
    pub fn changed(&self) -> impl Iterator<Item = (&str, Option<&str>, &Origin)> {
        self.variables
            .iter()
            .map(|(name, setting)| (name.as_str(), setting.value.as_deref(), &setting.origin))
    }

    /// Applies the lines of an account.
    ///
    /// Returns whether there is an account of this name.
    pub fn use_account(&mut self, name: &str, context: &mailrc::Context<'_>) -> bool {
        let Some(lines) = self.accounts.get(name).cloned() else {
            return false;
        };
        mailrc::apply_lines(self, lines, context);
        true
    }

    /// Returns whether there is an account of this name.
    pub fn has_account(&self, name: &str) -> bool {
        self.accounts.contains_key(name)
    }
}

/// Variables of s-nail and heirloom mailx whose effect we do not have and whose lack changes
/// no promise: accepted without a word, so that shared rc files stay quiet.
const KNOWN_ELSEWHERE: &[&str] = &[
    "mta-arguments",
    "mta-no-default-arguments",
    "mta-argv0",
    "mta-aliases",
    "mta-bcc-ok",
    "smtp-config",
    "smtp-auth-mechanism",
    "tls-config-file",
    "tls-config-module",
    "tls-config-pairs",
    "tls-crl-dir",
    "tls-crl-file",
    "tls-features",
    "tls-fingerprint-digest",
    "tls-rand-file",
];
