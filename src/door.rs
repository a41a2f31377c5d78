//! What the program's own files need beside the library: `main`, tests, documents, benches and fuzz
//! targets. Nothing in it is promised.

pub use crate::cli::mailx::dialect::{Probe, normalise};
pub use crate::compose::escapes::ESCAPES;
pub use crate::config::commands::{Help, at_prompt};
pub use crate::config::mailrc;
pub use crate::config::variables::{REFUSED, ROWS, ValueKind};
pub use crate::config::words::texts as words_of_line;
pub use crate::config::{Origin, Settings};
pub use crate::exit::{Kind, STATUSES};
pub use crate::run::run;
pub use crate::sys::signals::die_of;

/// Returns the options of `mailx`, for manual and completions.
pub fn mailx_command() -> clap::Command {
    <crate::cli::mailx::options::MailxArguments as clap::CommandFactory>::command()
}

/// Returns the options of `postrider`, for manual and completions.
pub fn postrider_command() -> clap::Command {
    <crate::cli::postrider::options::PostriderArguments as clap::CommandFactory>::command()
}
