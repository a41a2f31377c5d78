//! The options that every subcommand has, which configuration they ask for, and what is done with it.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use crate::cli::settings::{self, Inputs};
use crate::config::Environment;
use crate::diagnostics::Diagnostics;
use crate::flow;
use crate::flow::sending::{self, SendOptions};
use crate::submission::Surroundings;

/// Options that every subcommand has.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CommonArguments {
    /// Set a variable; noNAME unsets it
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub set: Vec<OsString>,

    /// Use this account of the configuration
    #[arg(long, value_name = "NAME")]
    pub account: Option<OsString>,

    /// Read this configuration file instead of the user's
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Do not read the system's configuration files
    #[arg(long)]
    pub no_system_rc: bool,

    /// Report what is done, and show the dialogue with the relay
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl CommonArguments {
    /// Returns which configuration the command line asks for.
    pub(in crate::cli) fn inputs(&self, sending: bool) -> Inputs<'_> {
        Inputs {
            no_system_rc: self.no_system_rc,
            no_user_rc: false,
            user_file: self.config.as_deref(),
            set_option: "--set",
            set: &self.set,
            account: self.account.as_deref(),
            commands: &[],
            verbose: self.verbose,
            sending,
            terminal: io::stdin().is_terminal(),
            is_repeated: false,
        }
    }
}

/// Reads the configuration that is asked for, and does something with all that belongs to it.
///
/// Nothing is done with a part of it: the relay, or the place of the outbox, may stand in what could
/// not be read.
pub(super) fn with_configuration(
    inputs: &Inputs<'_>,
    options: &SendOptions,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
    work: impl FnOnce(&Surroundings<'_>, &mut Diagnostics),
) {
    let settings = match settings::read_whole(inputs, environment, diagnostics) {
        Ok(settings) => settings,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let signals = match flow::watch_signals(false) {
        Ok(signals) => signals,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let around = sending::surroundings(&signals, options, &settings, environment, diagnostics);
    work(&around, diagnostics);
}
