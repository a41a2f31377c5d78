//! The door to the operating system: clock, users, host, children, signals, temporary files,
//! names that survive a power cut.
//!
//! Everything else asks here, so that what depends on the machine can be seen
//! and tested in one place. This module knows no mail.

pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod cores;
pub(crate) mod disk;
pub(crate) mod host;
pub(crate) mod interrupted;
pub(crate) mod locale;
pub(crate) mod name_service;
pub(crate) mod open;
pub(crate) mod output;
pub(crate) mod platform;
pub(crate) mod private;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod signals;
pub(crate) mod spool;
pub(crate) mod stdin;
pub(crate) mod tools;
pub(crate) mod user;
pub(crate) mod zone;
