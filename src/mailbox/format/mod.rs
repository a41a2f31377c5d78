//! The formats of a file of messages: what separates them, how flags and From_ lines are written,
//! and what a message looks like in it.
//!
//! [`mbox`] and [`mmdf`] scan for messages, [`gzip`] decompresses a file first. [`separator`] judges
//! a line that starts with `From `, [`from_line`] takes it apart. [`quote`] writes a message as an
//! mbox holds it, [`status`] the fields with its flags. [`torn`] knows an append that broke off.
//! Maildirs have their own folder.

pub(in crate::mailbox) mod from_line;
pub(in crate::mailbox) mod gzip;
pub(in crate::mailbox) mod mbox;
pub(in crate::mailbox) mod mmdf;
pub(in crate::mailbox) mod quote;
pub(in crate::mailbox) mod separator;
pub(in crate::mailbox) mod status;
pub(in crate::mailbox) mod torn;
