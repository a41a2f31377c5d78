//! `postrider resend`: its options, and what they mean.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::common::{CommonArguments, with_configuration};
use super::flush;
use crate::config::Environment;
use crate::diagnostics::Diagnostics;
use crate::flow::flushing::Telling;
use crate::flow::outbox::{self, FlushChoice};
use crate::flow::resend::{self, ResendRequest};
use crate::flow::sending::SendOptions;

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
    let options = SendOptions {
        dry_run: arguments.dry_run,
        json: arguments.json,
        verbose: arguments.common.verbose,
        ..SendOptions::default()
    };
    with_configuration(
        &inputs,
        &options,
        environment,
        diagnostics,
        |around, diagnostics| {
            // Without a file everything is meant that was not sent, and so is what has failed in the outbox.
            let revived = if arguments.file.is_none() {
                outbox::revive_failed(arguments.dry_run, around, diagnostics)
            } else {
                Vec::new()
            };
            let request = ResendRequest {
                file: arguments.file.map(PathBuf::from),
                lists: arguments.lists,
                has_others: !revived.is_empty(),
            };
            resend::resend(&request, &options, around, diagnostics);
            if !revived.is_empty() && !arguments.dry_run {
                // Standard output is for the receipts.
                let telling = if arguments.json {
                    Telling::Quiet
                } else {
                    Telling::Normal
                };
                let choice = FlushChoice::Named(revived);
                flush::flush(&inputs, &choice, telling, environment, diagnostics);
            }
        },
    );
}
