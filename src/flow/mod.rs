//! The two flows of the program: a mail on its way out, and a mailbox that is read.

pub mod reading;
pub mod sending;
