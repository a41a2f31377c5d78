//! The outbox: messages that no next hop has accepted yet, kept until one does.
//!
//! The store ([`store`], [`entry`], [`state`]) knows files only. It knows no routes and no settings but
//! the limits and the place that it is given; what is tried, and when, is decided by whoever holds an
//! [`Entry`]: the mail that is sent, or a [`flush`], which asks [`turn`] for the entries and
//! [`route_state`] for the routes. All waits are in [`schedule`].
//!
//! # Files of a place
//! A place is a directory of one user, of mode 0700 ([`place`]).
//!
//! | name | meaning |
//! |---|---|
//! | `sending` | the slot ([`slot`]): a short message that is just being sent, or nothing. It does not count for the limits ([`caps`]) |
//! | `ID.new` | being written, under the lock of its writer. Without a lock its writer is dead: it is adopted if it is complete, and else named as torn and moved to `failed` after 36 hours |
//! | `ID.q` | waits, complete |
//! | `ID.dot` | its final dot may have been written. Locked: somebody sends it. Not locked: it is uncertain whether the message has arrived |
//! | `ID.st` | what became of it so far ([`state`]); none before the first try has failed |
//! | `failed/ID.q`, `failed/ID.st` | given up, refused, or torn; nothing sends it by itself |
//! | `lock` | the lock of the one flusher |
//! | `noticed` | when the user was last told by mail of what does not leave |
//! | `routes/KEY` | the trouble of a route ([`route_state`]); a route without a file works |
//!
//! An ID begins with the time of arrival, so the order of the names is the order of arrival.
//!
//! # Promises
//! An entry is whole, in the slot or by the name `ID.q`, before anybody is waited for, so the death of
//! its writer loses nothing. That costs no sync: a message that is accepted at once leaves the disk as
//! it came. Whoever tells the user that a message is kept calls [`Entry::make_durable`] before: from
//! then on it has a name of its own.
//!
//! # Locks
//! They are flock(2) on open files, asked for without waiting, and die with their owner. That a file
//! is there never means that it is locked.

mod caps;
pub(crate) mod dropped;
mod entry;
pub(crate) mod flush;
mod held;
mod listing;
mod merge;
mod noticed;
mod page;
mod place;
pub(crate) mod route_state;
pub(crate) mod schedule;
mod slot;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod turn;

pub(crate) use caps::{Limits, Room};
pub(crate) use entry::{EntryEnvelope, Id, SUBJECT, merge_key};
pub(crate) use flush::along::troubles;
pub(crate) use held::Entry;
pub(crate) use listing::{Condition, Listed, Listing};
pub(super) use place::is_automatic;
pub(crate) use state::{EntryState, Standing, TargetState};
pub(crate) use store::Outbox;
