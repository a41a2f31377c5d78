//! The errors of clap, as one line and a hint in our own form.
//!
//! The line is made of the error's kind and context, never of the words that clap makes of them.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::usage;
use crate::diagnostics::Diagnostics;
use crate::exit::Failure;

/// Prints help and version to standard output, and reports anything else as a failure.
pub(super) fn report(error: &clap::Error, diagnostics: &mut Diagnostics) {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            diagnostics.print(&error.to_string());
        }
        _ => diagnostics.fail(&failure(error)),
    }
}

/// Returns the failure of a command line that clap has refused.
fn failure(error: &clap::Error) -> Failure {
    match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            usage("a subcommand is missing").hint("postrider --help lists the subcommands")
        }
        ErrorKind::MissingRequiredArgument => missing(error),
        ErrorKind::InvalidValue if !words(error, ContextKind::ValidValue).is_empty() => {
            let valid = words(error, ContextKind::ValidValue);
            usage(what(error)).hint(format!("it is one of: {}", valid.join(", ")))
        }
        _ => {
            let list = "postrider --help lists the subcommands and options";
            let near = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg]
                .into_iter()
                .find_map(|kind| words(error, kind).into_iter().next());
            usage(what(error)).hint(match near {
                Some(near) => format!("did you mean {near}? {list}"),
                None => list.to_owned(),
            })
        }
    }
}

/// Returns the failure for a missing argument; clap names a group by all its members.
fn missing(error: &clap::Error) -> Failure {
    let names = words(error, ContextKind::InvalidArg);
    let is_missing = |member: &str| names.iter().any(|name| name.contains(member));
    // Only the group of chosen messages has --all. What is left is the group of marks.
    if is_missing("<N>") || is_missing("<N|EXPRESSION>") {
        usage("the number of the message is missing")
            .hint("postrider list prints the numbers; $ or last is the last message")
    } else if is_missing("<RECIPIENT>") {
        usage("the recipients are missing").hint("give the recipients after the number")
    } else if is_missing("--all") {
        usage("the messages to change are missing").hint(
            "name messages (postrider list prints the numbers), or use --all or a filter such as --from",
        )
    } else if is_missing("--unflag") {
        usage("the mark to set is missing")
            .hint("use --read, --unread, --flag, --unflag, --answered or --unanswered")
    } else {
        usage(format!("'{}' is missing", names.join("', '")))
            .hint("postrider SUBCOMMAND --help lists what it takes")
    }
}

/// Returns the error in one line.
fn what(error: &clap::Error) -> String {
    let argument = words(error, ContextKind::InvalidArg).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument => format!("unknown argument '{argument}'"),
        ErrorKind::InvalidSubcommand => {
            let name = words(error, ContextKind::InvalidSubcommand).join(", ");
            format!("unknown subcommand '{name}'")
        }
        ErrorKind::ArgumentConflict => {
            let others = words(error, ContextKind::PriorArg).join("', '");
            format!("'{argument}' cannot be used together with '{others}'")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = words(error, ContextKind::InvalidValue).join(", ");
            // A parser of ours gives its reason as the source. clap itself gives an empty value
            // where the option stands last.
            match (error.source(), value.is_empty()) {
                (Some(why), _) => format!("invalid value '{value}' for '{argument}': {why}"),
                (None, true) => {
                    format!("the value for '{argument}' is missing")
                }
                (None, false) => format!("invalid value '{value}' for '{argument}'"),
            }
        }
        ErrorKind::TooManyValues => format!("'{argument}' takes no value"),
        _ if argument.is_empty() => error.kind().to_string(),
        kind => format!("{argument}: {kind}"),
    }
}

/// Returns the words that clap gives for something of an error.
fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::postrider::options::PostriderArguments;

    #[test]
    fn a_complaint_says_all_in_one_line() {
        for (line, expected) in [
            ("", "a subcommand is missing"),
            ("list --blorb", "unknown argument '--blorb'"),
            ("list --json=3", "'--json' takes no value"),
            ("list --bl\norb", "unknown argument '--bl\norb'"),
            ("blorb", "unknown subcommand 'blorb'"),
            ("show", "the number of the message is missing"),
            ("reply", "the number of the message is missing"),
            ("forward 1", "the recipients are missing"),
            ("delete", "the messages to change are missing"),
            ("mark --read", "the messages to change are missing"),
            ("mark 1", "the mark to set is missing"),
            ("ses-password", "'<REGION>' is missing"),
            ("generate man", "'<NAME>' is missing"),
            ("generate completion", "'<SHELL>' is missing"),
            ("generate man mutt", "invalid value 'mutt' for '<NAME>'"),
            (
                "show --json --raw 1",
                "'--json' cannot be used together with '--raw'",
            ),
            (
                "mark 1 --read --unread",
                "'--read' cannot be used together with '--unread'",
            ),
            (
                "delete --older-than 3q",
                "invalid value '3q' for '--older-than <AGE>': an age is a number with a unit m, h, d, w or y, such as 30d",
            ),
            ("list --file", "the value for '--file <FILE>' is missing"),
        ] {
            let words =
                std::iter::once("postrider").chain(line.split(' ').filter(|w| !w.is_empty()));
            let error = PostriderArguments::try_parse_from(words).unwrap_err();
            let failure = failure(&error);
            assert_eq!(failure.what, expected, "{line}");
            assert!(failure.hint.is_some(), "{line}");
        }
    }
}
