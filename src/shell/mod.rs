//! The interactive reader: a loop over commands from a terminal, a pipe or a file.
//!
//! Takes a mailbox that is open already, settings and a screen; knows nothing of
//! where they come from. The reader owns the settings: what they say is looked up again for the
//! command after a change. Commands mark messages in memory; only `save` and its
//! like write at once, and only leaving by `q` changes the mailbox. `x` changes
//! nothing, and nor do the ends that nobody asked for: a signal, a terminal that
//! is gone, an output that is full, a script that has failed. Results
//! go to `out`, complaints to `err` (POSIX), and neither ends the loop; the end of
//! input is `q`.
//!
//! # Where things are
//! - [`run`] and [`search`] are the two ways in; [`batch`] changes messages without a dialogue.
//! - `input` reads a line, `command` divides it, `dispatch` carries it out by the table of
//!   `config::commands`; `script` says which lines of a failed script still count.
//! - `reader` is the state. The commands are its methods, in `show`, `marking`, `store` and `quit`. A
//!   new command is a row of `config::commands`, an arm in `dispatch`, and a method in one of them.
//! - `mark` is what was done to a message, `commit` writes it into the mailbox.

use crate::exit::{Failure, Kind};
use crate::selection::Sight;

pub(crate) mod batch;
mod command;
mod commit;
mod complaint;
mod dispatch;
mod file;
mod input;
mod mark;
mod marking;
pub(crate) mod options;
mod quit;
mod reader;
mod script;
mod show;
mod store;
mod unread;

pub(crate) use input::CommandInput;
pub(crate) use reader::Reader;

use input::CommandSource;

/// Shows the header lines of a message list, or only finds out whether it names any (`-L`).
///
/// Returns [`Kind::Nothing`] if it names none.
///
/// # Errors
/// The list cannot be understood (64), or the output cannot be written.
pub(crate) fn search(
    mut reader: Reader<'_, '_>,
    text: &str,
    silent: bool,
) -> Result<Option<Kind>, Failure> {
    reader.report_notices();
    let found = match reader.choose(text, Sight::Present) {
        Ok(found) => found,
        Err(error) if error.is_nothing() => Vec::new(),
        Err(error) => {
            let what = format!("-L {text}: {error}");
            return Err(Failure::new(Kind::Usage, what));
        }
    };
    let nothing = found.is_empty().then_some(Kind::Nothing);
    let kind = reader.worst.or(reader.report_unread()).or(nothing);
    if !silent && !found.is_empty() {
        reader.execute(&format!("from {text}"));
    }
    reader.screen.finish()?;
    Ok(kind)
}

/// Reads and runs commands until one leaves or the input ends.
///
/// `first` are commands that come before those of the input. Returns what went wrong, if anything
/// did that changes the exit status; it was told already.
///
/// # Errors
/// The output cannot be written, or the commands cannot be read ([`Kind::Io`]).
pub(crate) fn run(
    mut reader: Reader<'_, '_>,
    first: &[String],
    input: CommandInput<'_>,
) -> Result<Option<Kind>, Failure> {
    reader.report_notices();
    reader.in_script |= !first.is_empty();
    reader.failure = None;
    reader.greet();
    reader.record_failure("headers");
    for line in first {
        if !reader.is_quitting {
            reader.run_line(line);
        }
    }
    reader.end_script_at_terminal();
    let mut source = CommandSource::new(input, reader.around.signals)?;
    let mut has_ended = false;
    while !reader.is_quitting && !reader.screen.is_closed() {
        reader.screen.flush();
        match source.line(&mut reader) {
            Ok(Some(line)) => {
                has_ended = false;
                reader.run_line(&line);
            }
            Ok(None) => {
                reader.carry_out("quit");
                // Where leaving fails a person may try something else; but an input that ends
                // twice has nobody behind it.
                reader.is_quitting |= has_ended;
                has_ended = true;
            }
            Err(failure) => {
                reader.stop_on_signal();
                if !reader.is_quitting {
                    return Err(failure);
                }
            }
        }
    }
    if reader.screen.has_lost_its_reader() && !reader.is_quitting {
        reader.report_unfinished(&mut source)?;
    }
    reader.screen.finish()?;
    Ok(reader.worst)
}

#[cfg(test)]
mod tests;
