//! The sendmail face: `sendmail`, `mailq` and `newaliases`.

pub mod dialogue;
pub mod options;
