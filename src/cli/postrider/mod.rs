//! The postrider face: subcommands with long options.

pub mod options;
