//! Postrider: a mailx-style mail user agent (library part).
#![forbid(unsafe_code)]

pub mod address;
pub mod exit;
pub mod mailbox;
pub mod message;
pub mod report;
pub mod sanitize;
pub mod shell;
pub mod sys;
pub mod transport;
pub mod ui;
