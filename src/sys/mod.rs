//! The door to the operating system: clock, users, host, children, signals, temporary files,
//! names that survive a power cut.
//!
//! Everything else asks here, so that what depends on the machine can be seen
//! and tested in one place. This module knows no mail.

pub mod child;
pub mod clock;
pub mod cores;
pub mod disk;
pub mod host;
pub mod locale;
pub mod name_service;
pub mod open;
pub mod output;
pub mod private;
pub mod random;
pub mod signals;
pub mod spool;
pub mod stdin;
pub mod user;
pub mod zone;
