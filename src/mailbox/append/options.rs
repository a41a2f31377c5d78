//! How a message is appended, and to whose mailbox.

use crate::mailbox::format::quote::Form;
use crate::mailbox::lock::LockOptions;

/// How a message is appended.
#[derive(Clone, Copy, Debug)]
pub struct AppendOptions<'a> {
    /// How to lock.
    pub lock: LockOptions<'a>,
    /// In which form the message comes.
    pub form: Form,
    /// The mode of a mailbox that is created; the umask does not count.
    pub mode: u32,
    /// Whose mailbox it must be.
    pub owner: Owner,
    /// Whether the path may be a symbolic link; in a directory where others may write, only a link
    /// of ours or root's.
    pub follows_links: bool,
}

/// Whose mailbox it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Any user's. A mailbox that is created is ours; hard links are accepted if it is ours.
    Any,
    /// Ours; another user's is refused.
    Us,
    /// This user's; another's is refused. A mailbox that is created is given to user and group.
    User {
        /// The user.
        uid: u32,
        /// The group: that of the spool, `mail`.
        gid: Option<u32>,
    },
}

impl AppendOptions<'_> {
    /// A folder of the user (`save`, `copy`, `record`): created with mode 0600, links are followed.
    pub fn folder() -> Self {
        AppendOptions {
            lock: LockOptions::default(),
            form: Form::default(),
            mode: 0o600,
            owner: Owner::Any,
            follows_links: true,
        }
    }

    /// Dead letters: created with mode 0600, ours, and no link.
    pub fn dead_letters() -> Self {
        AppendOptions {
            owner: Owner::Us,
            follows_links: false,
            ..AppendOptions::folder()
        }
    }

    /// A system mailbox as an MDA creates it: mode 0660, the user's, of the group of the spool.
    pub fn system_mailbox(uid: u32, gid: Option<u32>) -> Self {
        AppendOptions {
            mode: 0o660,
            owner: Owner::User { uid, gid },
            follows_links: false,
            ..AppendOptions::folder()
        }
    }
}
