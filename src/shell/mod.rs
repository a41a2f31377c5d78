//! The interactive reader: a loop over commands from a terminal, a pipe or a file.
//!
//! The reader takes a mailbox that is open already, settings and a screen; it does not know where
//! they come from. It owns the settings: after a change the next command reads them anew. Commands
//! mark messages in memory. Only `save`, `copy`, `move` and `write` write at once, and only leaving by `q`
//! or `file` changes the mailbox. `x` changes nothing, and neither does an end that the user did not ask for:
//! a signal, a terminal that is gone, an output that is full, a script that has failed. Results go
//! to standard output, complaints to standard error (POSIX), and neither ends the loop; the end of
//! the input is `q`.
//!
//! # Where things are
//! - [`run`] and [`search`] are the two ways in; [`batch`] changes messages without a dialogue.
//! - `input` reads a line, `command_line` divides it, `dispatch` carries it out by the table of
//!   `config::commands`; `script` says which lines of a failed script still count, `sourced` has the
//!   files of `source`. At a terminal `completion` and `history` serve the line editor.
//! - `reader` is the state. The commands are its methods: what shows messages is in `show`, `parts`,
//!   `summary`, `listing` and `order`, what marks them in `marking` and `undo`, what writes files in
//!   `store`, and the rest in `settings`, `help`, `recall`, `editing` and `piping`. A new command is a
//!   row of `config::commands`, an arm in `dispatch`, and a method in one of them.
//! - `mark` is what was done to a message; `quit` decides what that means when the mailbox is left, and
//!   `commit` writes it. `folder` leaves a mailbox for another one, `newmail` takes up new messages.
//! - The commands that send (`reply`, `mail`, `forward`) are in `answer`, which calls `flow::answering`
//!   and `flow::sending`; `text` reads what is typed for them.

use crate::exit::{Failure, Kind};
use crate::report::unreadable;
use crate::selection::Sight;

mod answer;
pub(crate) mod batch;
mod command_line;
mod commit;
mod complaint;
mod completion;
mod dispatch;
mod editing;
pub(crate) mod extract;
mod folder;
mod help;
mod history;
mod input;
mod listing;
mod mark;
mod marking;
mod newmail;
pub(crate) mod options;
mod order;
mod paging;
mod parts;
mod piping;
mod plain_file;
mod quit;
mod reader;
mod recall;
mod script;
mod settings;
mod show;
mod sourced;
mod store;
mod storing;
mod summary;
mod text;
mod undo;

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
    // A header that could not be read outranks "nothing found": the message may match.
    let nothing = found.is_empty().then_some(Kind::Nothing);
    let kind = reader.worst.or(reader.report_unread()).or(nothing);
    if !silent && !found.is_empty() {
        reader.execute(&format!("from {text}"), &mut CommandSource::empty());
    }
    reader.screen.finish()?;
    Ok(kind)
}

/// Reads and runs commands until one leaves or the input ends.
///
/// `first` are commands that come before those of the input. Returns the worst failure that counts
/// for the exit status; it was reported already.
///
/// # Errors
/// The output cannot be written, or the commands cannot be read ([`Kind::Io`]).
pub(crate) fn run<'s>(
    mut reader: Reader<'_, 's>,
    first: &[String],
    input: CommandInput<'s>,
) -> Result<Option<Kind>, Failure> {
    reader.report_notices();
    reader.say_echoes();
    // The commands of -Y are a script, at a terminal too: D24 holds until they have ended.
    reader.in_script |= !first.is_empty();
    reader.failure = None;
    reader.autosort();
    reader.greet();
    reader.record_failure("headers");
    // A text that belongs to a command of -Y stands in the input.
    let mut source = CommandSource::new(input, reader.around.signals);
    for line in first {
        if !reader.is_quitting {
            reader.run_line(line, &mut source);
            // The lines of a file that it names come before the next command of -Y.
            while source.sourced.is_open() && !reader.is_quitting {
                if let Some(line) = source.line(&mut reader)? {
                    reader.run_line(&line, &mut source);
                }
            }
        }
    }
    reader.end_script_at_terminal();
    let mut has_ended = false;
    while !reader.is_quitting && !reader.screen.is_closed() {
        // What a command has printed is seen before the next one is waited for.
        reader.look_for_mail();
        reader.screen.flush();
        match source.line(&mut reader) {
            Ok(Some(line)) => {
                has_ended = false;
                reader.run_line(&line, &mut source);
            }
            Ok(None) => {
                reader.end_commands();
                reader.carry_out("quit", &mut source);
                // Where quitting fails a person may try something else. An input that ends twice in
                // a row has no person behind it.
                reader.is_quitting |= has_ended;
                has_ended = true;
            }
            Err(failure) => {
                // A signal breaks off a read: then the signal is the reason, and not the error.
                reader.stop_on_signal();
                if !reader.is_quitting {
                    return Err(failure);
                }
            }
        }
    }
    // The loop has ended because the output is closed, and not by `q`: nothing was written into the
    // mailbox.
    if reader.screen.has_lost_its_reader() && !reader.is_quitting {
        reader.report_unfinished(&mut source)?;
    }
    reader.screen.finish()?;
    Ok(reader.worst)
}

#[cfg(test)]
mod tests;
