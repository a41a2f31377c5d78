//! Reading a file of messages while other programs may write to it.
//!
//! A reader holds no lock while its user reads, so that mail can be delivered and other readers can
//! rewrite the mailbox. [`snapshot`] finds the messages of a file at one moment, [`stamp`] shows
//! whether it has changed since, [`open_file`] reads messages from it later, and [`realign`] finds
//! the messages of an old index in the changed file. [`ahead`] reads small messages in blocks.

mod ahead;
pub(in crate::mailbox) mod open_file;
pub(in crate::mailbox) mod realign;
pub(in crate::mailbox) mod snapshot;
pub(in crate::mailbox) mod stamp;
