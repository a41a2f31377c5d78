//! The redo journal of a rewrite (design decision D14).

use std::path::PathBuf;

/// Where a journal may lie beside the mailbox's own directory, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journals {
    /// `$XDG_STATE_HOME/postrider/journal` of the user, `/var/lib/postrider/journal` of root.
    pub directories: Vec<PathBuf>,
}
