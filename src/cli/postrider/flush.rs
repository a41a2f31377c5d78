//! `postrider outbox flush`: its options, and the settings that each message is sent with.

use std::ffi::OsStr;

use clap::Args;

use super::common::{CommonArguments, with_configuration};
use crate::cli::settings::{self, Inputs};
use crate::config::{Environment, Settings};
use crate::diagnostics::Diagnostics;
use crate::exit::Failure;
use crate::flow::flushing::{self, Telling};
use crate::flow::outbox::{self, FlushChoice};
use crate::flow::sending::SendOptions;
use crate::submission::outbox::flush::FlushRequest;

/// Options of `outbox flush`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutboxFlushArguments {
    /// Messages: their IDs, or the beginning or end of an ID; without any, all of them
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,

    /// Try only what is due, and print only what somebody has to mend; for timers
    #[arg(short, long)]
    pub quiet: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Runs the subcommand.
pub(super) fn run(
    arguments: &OutboxFlushArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let telling = match (arguments.quiet, arguments.common.verbose) {
        (true, _) => Telling::Quiet,
        (false, 0) => Telling::Normal,
        (false, _) => Telling::Verbose,
    };
    let inputs = arguments.common.inputs(true);
    let choice = match (arguments.ids.is_empty(), arguments.quiet) {
        (false, _) => FlushChoice::Named(arguments.ids.clone()),
        (true, true) => FlushChoice::Due,
        (true, false) => FlushChoice::All,
    };
    flush(&inputs, &choice, telling, environment, diagnostics);
}

/// Flushes the outboxes of the user with the configuration that a command line asks for.
pub(in crate::cli) fn flush(
    inputs: &Inputs<'_>,
    choice: &FlushChoice,
    telling: Telling,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let options = SendOptions {
        verbose: inputs.verbose,
        ..SendOptions::default()
    };
    with_configuration(
        inputs,
        &options,
        environment,
        diagnostics,
        |around, diagnostics| {
            let ids = match outbox::chosen_ids(choice, around, diagnostics) {
                // No message is what was looked for, and no ID would mean all of them.
                Ok(Some(ids)) if ids.is_empty() => return,
                Ok(ids) => ids.unwrap_or_default(),
                Err(failure) => return diagnostics.fail(&failure),
            };
            let request = FlushRequest {
                is_scheduled: *choice == FlushChoice::Due,
                ids,
            };
            let configure = |account: Option<&str>| -> Result<Settings, Failure> {
                let Some(account) = account else {
                    return Ok(around.settings.clone());
                };
                // An account's block sets variables that others of the files may depend on, so all of it is
                // read again.
                let inputs = Inputs {
                    account: Some(OsStr::new(account)),
                    is_repeated: true,
                    ..inputs.clone()
                };
                let mut silent = Diagnostics::new("");
                settings::read_whole(&inputs, environment, &mut silent)
            };
            flushing::flush(&request, telling, around, &configure, diagnostics);
        },
    );
}
