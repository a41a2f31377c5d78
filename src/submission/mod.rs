//! Submission: the one pipeline of a mail out.
pub mod aliases;
pub mod mta;
pub mod route;
