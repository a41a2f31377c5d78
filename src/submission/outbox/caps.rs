//! The limits of an outbox: a relay that is down for days must not fill the disk.
//!
//! They are looked at before an entry is written. What is beyond them is refused with the limit and
//! its variable, and becomes a dead letter if it cannot be sent at once.

use std::io;

use nix::fcntl::AtFlags;
use nix::sys::stat::fstatat;
use nix::sys::statvfs::fstatvfs;

use super::entry::PAGE;
use super::held::Suffix;
use super::store::{Outbox, names_of};
use crate::config::Settings;

/// How much an outbox may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many messages (`outbox-max-count`).
    pub count: u64,
    /// How many bytes (`outbox-max-size`).
    pub size: u64,
    /// How much of the free space of its disk, in percent (`outbox-max-share`).
    pub share: u64,
}

impl Limits {
    /// Returns the limits that are set.
    pub(crate) fn of(settings: &Settings) -> Limits {
        let number = |name| settings.number(name).unwrap_or(u64::MAX);
        Limits {
            count: number("outbox-max-count"),
            size: settings.size("outbox-max-size").unwrap_or(u64::MAX),
            share: number("outbox-max-share"),
        }
    }

    /// Returns whether a message may be written into the slot where no other one is in the outbox: it
    /// takes no room that the slot has not already, so the free space of the disk is not asked. If it
    /// has to wait, it is one page more than the limit says, and the next one is asked about.
    pub(super) fn allow_the_slot(&self) -> bool {
        self.count > 0 && self.size >= PAGE as u64 && self.share > 0
    }
}

/// Whether an outbox takes one more message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// It does.
    For {
        /// Whether other messages are in it.
        others: bool,
    },
    /// It does not, and this is why.
    None(String),
}

impl Outbox {
    /// Returns whether a message of this size may be entered.
    ///
    /// # Errors
    /// When the outbox cannot be looked at.
    pub(crate) fn room(&self, limits: Limits, size: u64) -> io::Result<Room> {
        let directory = self.directory();
        let (mut count, mut held) = (0_u64, 0_u64);
        for name in names_of(directory)? {
            let name = name?.0;
            if Suffix::parse(&name).is_none() {
                continue;
            }
            count += 1;
            // There may be any number of names; one too many is enough to know.
            if count >= limits.count {
                let most = limits.count;
                let why = format!("it has {most} messages already (outbox-max-count)");
                return Ok(Room::None(why));
            }
            // One that is gone since takes no room.
            if let Ok(found) = fstatat(directory, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                held = held.saturating_add(u64::try_from(found.st_size).unwrap_or(0));
            }
        }
        let new = held.saturating_add(size);
        if new > limits.size {
            let most = limits.size;
            let why = format!("it would have more than {most} bytes (outbox-max-size)");
            return Ok(Room::None(why));
        }
        let disk = fstatvfs(directory).map_err(io::Error::from)?;
        // Elsewhere the number has 32 bits.
        #[allow(clippy::useless_conversion)]
        let free = u64::from(disk.blocks_available()).saturating_mul(disk.fragment_size());
        // What it holds was free before.
        let room = u128::from(free.saturating_add(held)) * u128::from(limits.share) / 100;
        if u128::from(new) > room {
            let share = limits.share;
            let why = format!(
                "it would take more than {share} % of the free space of its disk (outbox-max-share)"
            );
            return Ok(Room::None(why));
        }
        Ok(Room::For { others: count > 0 })
    }
}
