//! The interface for the program's own files: `main`, tests, documents, benches and fuzz targets.
//! It is not a stable interface.

use std::collections::BTreeMap;
use std::path::Path;

use clap::CommandFactory;

use crate::address::alias::Members;
use crate::cli::mailx::options::MailxArguments;
use crate::cli::postrider::options::PostriderArguments;
use crate::compose::escapes;
use crate::config::mailrc::{self, Context};
use crate::config::variables::Row;
use crate::config::{Origin, Settings, words};
use crate::exit;
use crate::message;
use crate::report::schema;

pub use crate::cli::mailx::dialect::{Probe, normalise};
pub use crate::config::colours::ROWS as COLOURS;
pub use crate::config::commands::{GROUPS, Help};
pub use crate::config::elsewhere::ELSEWHERE;
pub use crate::config::variables::{REFUSED, ROWS, ValueKind};
use crate::exit::Kind;
pub use crate::report::schema::{JsonKey, Presence, Shape};
pub use crate::run::run;
pub use crate::sys::signals::die_of;

/// Returns the options of `mailx`, for manual and completions.
pub fn mailx_command() -> clap::Command {
    MailxArguments::command()
}

/// Returns the options of `postrider`, for manual and completions.
pub fn postrider_command() -> clap::Command {
    PostriderArguments::command()
}

/// Returns what the manual says of a variable.
pub fn help_of_variable(row: &Row) -> &'static str {
    row.doc
}

/// Returns the JSON objects, for the manual: name, what prints it, keys, and an example.
pub fn json_objects()
-> impl Iterator<Item = (&'static str, &'static str, &'static [JsonKey], &'static str)> {
    let objects = schema::OBJECTS.iter();
    objects.map(|object| (object.name, object.about, object.keys, object.example))
}

/// Returns what the table says of a key of a JSON object: its name, its type, whether it is there,
/// and what it says.
pub fn json_key(key: &JsonKey) -> (&'static str, Shape, Presence, &'static str) {
    (key.name, key.shape, key.presence, key.about)
}

/// Returns the tilde escapes and their help, for the manual.
pub fn escapes() -> &'static [(&'static str, &'static str)] {
    escapes::ESCAPES
}

/// Returns the exit statuses and their meaning, for the manual; `None` is success.
pub fn statuses() -> &'static [(Option<Kind>, &'static str)] {
    exit::STATUSES
}

/// Returns whether a composed message carries files of this body as attachments, for the fuzz target.
pub fn has_uuencode(body: &[u8]) -> bool {
    message::analyse(body).is_ok_and(|analysis| !analysis.uu_blocks.is_empty())
}

/// Splits a line of an rc file into words, for the fuzz target.
///
/// # Errors
/// Says that a quote is not closed.
pub fn words_of_line(line: &str) -> Result<Vec<String>, String> {
    Ok(words::texts(line)?.collect())
}

/// The settings that the text of an rc file makes, for the fuzz target.
#[derive(Debug)]
pub struct Mailrc {
    settings: Settings,
    context: Context<'static>,
}

impl Mailrc {
    /// Reads the text of an rc file that is called `mailrc`.
    pub fn read(text: &[u8], sending: bool, terminal: bool) -> Mailrc {
        // No home: `source ~/x` must find nothing on the machine that fuzzes.
        let context = Context {
            sending,
            terminal,
            home: None,
        };
        let mut settings = Settings::default();
        mailrc::read_text(&mut settings, Path::new("mailrc"), text, &context);
        Mailrc { settings, context }
    }

    /// Applies an account; returns whether there is one of this name.
    pub fn use_account(&mut self, name: &str) -> bool {
        mailrc::use_account(&mut self.settings, name, &self.context)
    }

    /// Returns what each problem is, with its file and line if it has them.
    pub fn problems(&self) -> impl Iterator<Item = (&str, Option<(&Path, usize)>)> {
        self.settings.problems.iter().map(|problem| {
            let place = match &problem.origin {
                Origin::File { path, line } => Some((path.as_path(), *line)),
                _ => None,
            };
            (problem.what.as_str(), place)
        })
    }

    /// Returns the variables that were set or unset.
    pub fn changed(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.settings.changed()
    }

    /// Returns the value of any variable.
    pub fn any(&self, name: &str) -> Option<&str> {
        self.settings.any(name)
    }

    /// Returns the aliases.
    pub fn aliases(&self) -> &BTreeMap<String, Members> {
        &self.settings.aliases
    }
}
