//! `postrider outbox`: its subcommands, their options, and what they mean.

use clap::{ArgGroup, Args, Subcommand};

use super::common::{CommonArguments, with_configuration};
use super::flush::{self, OutboxFlushArguments};
use crate::config::Environment;
use crate::diagnostics::Diagnostics;
use crate::flow::outbox::{self, EntryChange, Which};
use crate::flow::sending::SendOptions;
use crate::report::json;
use crate::submission::Surroundings;

/// What is done with the outbox.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// List the messages that wait to be sent
    ///
    /// Messages that have failed for good are listed too, after the others. The exit status is 0 if there
    /// are no entries, 1 if there are any, and 2 if one of them is older than an hour.
    List(OutboxListArguments),
    /// Show one message of the outbox, its recipients and every reply
    Show(OutboxShowArguments),
    /// Send the messages that wait
    ///
    /// Each message is sent with the configuration of now. Messages that are held stay. The exit
    /// status is that of the worst message that failed for good; it is 75 if messages still wait,
    /// but not with --quiet.
    Flush(OutboxFlushArguments),
    /// Make messages due now, even if they are held or have failed
    ///
    /// The next flush tries them. A message that had failed gets one more try.
    Retry(OutboxNamesArguments),
    /// Hold messages: nothing sends them until they are released
    Hold(OutboxNamesArguments),
    /// Release messages that are held
    Release(OutboxNamesArguments),
    /// Delete messages without sending them
    ///
    /// The program does not ask. A message that is being sent at this moment is not deleted.
    Drop(OutboxDropArguments),
}

/// Options of `outbox list`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutboxListArguments {
    /// Print one JSON object a message
    #[arg(long)]
    pub json: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Options of `outbox show`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutboxShowArguments {
    /// The message: its ID, the beginning or end of the ID, or its number in the list
    #[arg(value_name = "ID")]
    pub id: String,

    /// Print the bytes exactly as they are in the outbox
    #[arg(long)]
    pub raw: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Which messages of the outbox to change.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("entries").required(true).multiple(true))]
pub(crate) struct OutboxNamesArguments {
    /// Messages: their IDs, or the beginning or end of an ID
    #[arg(value_name = "ID", group = "entries")]
    pub ids: Vec<String>,

    /// Choose all messages of the outbox
    #[arg(long, group = "entries", conflicts_with = "ids")]
    pub all: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Options of `outbox drop`.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("entries").required(true).multiple(true))]
pub(crate) struct OutboxDropArguments {
    /// Messages: their IDs, or the beginning or end of an ID
    #[arg(value_name = "ID", group = "entries")]
    pub ids: Vec<String>,

    /// Choose all messages of the outbox
    #[arg(long, group = "entries", conflicts_with = "ids")]
    pub all: bool,

    /// Choose the messages that have failed
    #[arg(long, group = "entries", conflicts_with_all = ["ids", "all"])]
    pub failed: bool,

    /// Options that every subcommand has
    #[command(flatten)]
    pub common: CommonArguments,
}

/// Runs a subcommand.
pub(super) fn run(
    command: &OutboxCommand,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    match command {
        OutboxCommand::List(arguments) => {
            within(
                &arguments.common,
                environment,
                diagnostics,
                |around, told| {
                    outbox::list(arguments.json, around, told);
                },
            );
            // The statuses of a list that is complete come without a line.
            if arguments.json
                && let Some(kind) = diagnostics.worst()
                && let (Some(error), hint) = diagnostics.told()
            {
                let object = json::error(&error, hint.as_deref(), kind.status());
                diagnostics.print_bytes(&object);
            }
        }
        OutboxCommand::Show(arguments) => {
            within(
                &arguments.common,
                environment,
                diagnostics,
                |around, told| {
                    outbox::show(&arguments.id, arguments.raw, around, told);
                },
            );
        }
        OutboxCommand::Flush(arguments) => flush::run(arguments, environment, diagnostics),
        OutboxCommand::Retry(names) => names.run(EntryChange::Retry, environment, diagnostics),
        OutboxCommand::Hold(names) => names.run(EntryChange::Hold, environment, diagnostics),
        OutboxCommand::Release(names) => names.run(EntryChange::Release, environment, diagnostics),
        OutboxCommand::Drop(arguments) => {
            let which = match (arguments.all, arguments.failed) {
                (true, _) => Which::All,
                (_, true) => Which::Failed,
                _ => Which::Named(arguments.ids.clone()),
            };
            within(
                &arguments.common,
                environment,
                diagnostics,
                |around, told| {
                    outbox::change(EntryChange::Drop, &which, around, told);
                },
            );
        }
    }
}

impl OutboxNamesArguments {
    fn run(&self, change: EntryChange, environment: &Environment, diagnostics: &mut Diagnostics) {
        let which = if self.all {
            Which::All
        } else {
            Which::Named(self.ids.clone())
        };
        within(&self.common, environment, diagnostics, |around, told| {
            outbox::change(change, &which, around, told);
        });
    }
}

/// Does something with the outbox of the configuration that is asked for.
fn within(
    common: &CommonArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
    work: impl FnOnce(&Surroundings<'_>, &mut Diagnostics),
) {
    let options = SendOptions {
        verbose: common.verbose,
        ..SendOptions::default()
    };
    with_configuration(
        &common.inputs(false),
        &options,
        environment,
        diagnostics,
        work,
    );
}
