//! `postrider resend`: its options, and what they mean.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::options::CommonArguments;
use crate::cli::settings;
use crate::config::Environment;
use crate::diagnostics::Diagnostics;
use crate::flow;
use crate::flow::resend::{self, ResendRequest};
use crate::flow::sending::{self, SendOptions};

/// Options of `resend`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ResendArguments {
    /// The file with unsent messages; by default every place where Postrider keeps them
    #[arg(value_name = "FILE")]
    pub file: Option<OsString>,

    /// Messages in it: numbers, ranges (2-5), last, senders, or /TEXT in the subject
    #[arg(value_name = "LIST")]
    pub lists: Vec<String>,

    /// Print each message and its routes; send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print the result as one JSON object a message
    #[arg(long)]
    pub json: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Runs the subcommand.
pub(super) fn run(
    arguments: ResendArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let inputs = arguments.common.inputs(true);
    let settings = match settings::read(&inputs, environment, diagnostics) {
        Ok((settings, None)) => settings,
        Ok((_, Some(failure))) | Err(failure) => return diagnostics.fail(&failure),
    };
    let signals = match flow::watch_signals(false) {
        Ok(signals) => signals,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let options = SendOptions {
        dry_run: arguments.dry_run,
        json: arguments.json,
        verbose: arguments.common.verbose,
        ..SendOptions::default()
    };
    let around = sending::surroundings(&signals, &options, &settings, environment, diagnostics);
    let request = ResendRequest {
        file: arguments.file.map(PathBuf::from),
        lists: arguments.lists,
    };
    resend::resend(&request, &options, &around, diagnostics);
}
