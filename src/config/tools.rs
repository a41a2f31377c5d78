//! The shell and the editors, as variables or the environment name them.

use std::ffi::OsString;

use super::{Environment, Settings};
use crate::sys::tools::Tools;

/// Returns the programs a user has chosen; `terminal` says whether a person types.
///
/// A variable goes before the environment, as POSIX mailx has it; an editor that neither names is
/// left to [`Tools`].
pub(crate) fn tools(settings: &Settings, environment: &Environment, terminal: bool) -> Tools {
    let chosen = |variable: &str, inherited: &Option<OsString>| {
        let set = settings.text(variable).map(OsString::from);
        set.or_else(|| inherited.clone())
    };
    let shell = chosen("shell", &environment.shell);
    Tools {
        shell: shell.unwrap_or_else(|| "/bin/sh".into()),
        editor: chosen("editor", &environment.editor),
        visual: chosen("visual", &environment.visual),
        terminal,
    }
}
