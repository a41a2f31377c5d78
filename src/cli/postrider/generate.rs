//! `postrider generate`: its arguments, and what it prints.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use crate::diagnostics::Diagnostics;
use crate::install::documents::{self, COMPLETIONS, PAGES};

/// The shells that have completions.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// What is printed.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum GenerateCommand {
    /// Print a manual page
    ///
    /// It is in roff, as man reads it: `postrider generate man mailx | man -l -`.
    Man {
        /// The page: mailx, postrider or postrider-mailrc; or a command that it describes, such as mail or sendmail
        #[arg(value_name = "NAME", value_parser = pages(), hide_possible_values = true)]
        name: String,
    },
    /// Print the completions of a command for a shell
    Completion {
        /// The shell: bash, zsh or fish
        #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(SHELLS), hide_possible_values = true)]
        shell: String,

        /// The command: postrider, if nothing is given, or mailx, whose completions are those of mail and Mail too
        #[arg(value_name = "COMMAND", value_parser = commands(), default_value = "postrider", hide_default_value = true, hide_possible_values = true)]
        command: String,
    },
}

fn pages() -> PossibleValuesParser {
    let pages = PAGES.iter();
    let names =
        pages.flat_map(|page| std::iter::once(page.name).chain(page.commands.iter().copied()));
    PossibleValuesParser::new(names.collect::<Vec<_>>())
}

fn commands() -> PossibleValuesParser {
    let all = COMPLETIONS.iter();
    let names = all.flat_map(|one| std::iter::once(one.name).chain(one.commands.iter().copied()));
    PossibleValuesParser::new(names.collect::<Vec<_>>())
}

/// Runs the subcommand.
pub(super) fn run(command: &GenerateCommand, diagnostics: &mut Diagnostics) {
    let text = match command {
        GenerateCommand::Man { name } => documents::page(name).map(|page| page.text),
        GenerateCommand::Completion { shell, command } => {
            documents::completions(command).map(|found| match shell.as_str() {
                "bash" => found.bash,
                "zsh" => found.zsh,
                _ => found.fish,
            })
        }
    };
    // Whoever asks for them writes them to a file: they are in UTF-8, whatever the locale is.
    let text = text.expect("clap lets only known names pass");
    diagnostics.print_bytes(text.as_bytes());
}
