//! Postrider: a mailx-style mail user agent (library part).
#![forbid(unsafe_code)]

pub mod address;
pub mod cli;
pub mod config;
pub mod exit;
pub mod mailbox;
pub mod message;
pub mod submission;
pub mod sys;
pub mod transport;
