//! Writing changes into an mbox.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;

use super::change::{Change, Changes, CommitError, CommitOptions, Committed};
use super::lock::MailboxLock;
use super::open::Mailbox;
use super::plan::{Piece, Plan};

impl Mailbox {
    /// Writes changes into the mailbox, under all locks.
    ///
    /// Mail that arrived since it was opened is kept. The mailbox is to be opened anew afterwards:
    /// its index is that of before.
    ///
    /// # Errors
    /// [`CommitError`] says why nothing was changed.
    pub fn commit(
        &self,
        changes: &Changes,
        options: &CommitOptions<'_>,
    ) -> Result<Committed, CommitError> {
        let path = self.path();
        let write = |source: io::Error| CommitError::Write {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(write)?;
        let lock = MailboxLock::acquire(path, file, &options.lock).map_err(CommitError::Lock)?;
        let size = lock.file().metadata().map_err(write)?.len();
        let plan = Plan::new(lock.file(), size, self.messages(), changes, 0).map_err(write)?;
        let mut tail = Vec::new();
        for piece in plan.pieces() {
            match piece {
                Piece::Copy { from, len } => {
                    let at = tail.len();
                    tail.resize(at + len as usize, 0);
                    lock.file()
                        .read_exact_at(&mut tail[at..], from)
                        .map_err(write)?;
                }
                Piece::Text(text) => tail.extend_from_slice(text),
            }
        }
        lock.file()
            .write_all_at(&tail, plan.start())
            .map_err(write)?;
        lock.file().set_len(plan.new_size()).map_err(write)?;
        lock.file().sync_all().map_err(write)?;
        let deleted = changes
            .iter()
            .filter(|(_, change)| *change == Change::Delete)
            .count();
        Ok(Committed {
            deleted,
            flagged: plan.flagged(),
            left: self.messages().len() - deleted,
            ..Committed::default()
        })
    }
}
