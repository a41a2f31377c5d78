//! What a flush of root does first: it takes the mail that users have left in the drop directory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use super::event::Event;
use crate::exit::{Failure, Kind};
use crate::submission::Surroundings;
use crate::submission::identity::Identity;
use crate::submission::outbox::dropped::{self, Collector};
use crate::submission::outbox::{self, Limits, Listing, Outbox, Room};
use crate::sys::user;

/// Takes the mail of the drop directory into root's outbox. Does nothing for other users.
///
/// # Errors
/// When root's outbox cannot be opened.
pub(super) fn collect(base: &Surroundings<'_>, tell: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    if user::effective_uid() != 0 || !outbox::is_automatic(base.settings) {
        return Ok(());
    }
    let unread = |error: io::Error| {
        let failure = Failure::new(Kind::Io, "cannot collect the drop directory");
        failure.because(error)
    };
    let found = match dropped::look() {
        // Root's outbox is not there yet: it is made, and the drop directory beside it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Outbox::open(base)?;
            dropped::look()
        }
        found => found,
    };
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(()),
        // Root's outbox had to be made at another place: nobody can leave anything.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // The outbox itself is flushed all the same.
        Err(error) => {
            tell(Event::Fault(unread(error)));
            return Ok(());
        }
    };
    let Some(outbox) = Outbox::open(base)? else {
        return Ok(());
    };
    // The limits of an outbox hold for each user; that of the disk for all together.
    let limits = Limits::of(base.settings);
    let of_disk = Limits {
        count: u64::MAX,
        size: u64::MAX,
        ..limits
    };
    // Read when the first message is there: most flushes find none.
    let usage: RefCell<Option<HashMap<u32, (u64, u64)>>> = RefCell::default();
    let refuses = |uid: u32, bytes: u64| {
        let mut usage = usage.borrow_mut();
        let usage = usage.get_or_insert_with(|| of_users(&outbox.list().unwrap_or_default()));
        let (count, size) = usage.entry(uid).or_default();
        if *count >= limits.count || *size + bytes > limits.size {
            return Some(format!(
                "user {uid} has {count} messages with {size} bytes in the outbox (outbox-max-count, outbox-max-size)"
            ));
        }
        if let Ok(Room::None(why)) = outbox.room(of_disk, bytes) {
            return Some(format!("the outbox does not take it: {why}"));
        }
        *count += 1;
        *size += bytes;
        None
    };
    let collector = Collector {
        outbox: &outbox,
        own_names: &|| Identity::find(base.settings).own_names,
        refuses: &refuses,
    };
    match collector.collect(found) {
        Ok(collected) => {
            for id in collected.ids {
                tell(Event::Collected(id));
            }
            for notice in collected.rejected {
                tell(Event::Rejected(notice));
            }
            for notice in collected.left {
                tell(Event::Notice(notice));
            }
        }
        Err(error) => tell(Event::Fault(unread(error))),
    }
    Ok(())
}

/// Counts entries and bytes of each user.
fn of_users(listing: &Listing) -> HashMap<u32, (u64, u64)> {
    let mut users: HashMap<u32, (u64, u64)> = HashMap::new();
    for listed in &listing.entries {
        if let Some(envelope) = &listed.envelope {
            let (count, size) = users.entry(envelope.uid).or_default();
            *count += 1;
            *size += listed.size;
        }
    }
    users
}
