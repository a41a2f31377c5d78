//! Messages as `print` shows them, and the way of long text to the pager.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::Stdio;

use super::{Display, Screen};
use crate::exit::plain;
use crate::message::parse::display::{self, FieldChoice};
use crate::sanitize;
use crate::sys::{child, locale};

/// Gives a message as `print` shows it, a piece at a time: its number, its From_ line, header
/// fields, text.
///
/// Without a number it is the last message, which was found without counting the others.
/// `bytes` is the message without the quoting of an mbox; `all` shows hidden header fields too.
pub(crate) fn each(
    number: Option<usize>,
    bytes: &[u8],
    all: bool,
    display: &Display,
    give: &mut dyn FnMut(&str),
) {
    let choice = if all {
        FieldChoice::All
    } else {
        FieldChoice::Lists {
            retain: &display.retain,
            ignore: &display.ignore,
        }
    };
    match number {
        Some(number) => give(&format!("Message {number}:\n")),
        None => give("Last message:\n"),
    }
    display::each_of_message(bytes, choice, &mut |text| {
        give(&sanitize::text(text.as_bytes()));
    });
    give("\n");
    if display.page {
        give("\u{c}");
    }
}

/// Shows text that is safe already; through the pager of this name if it has more than `crt` lines.
pub(crate) fn show(
    screen: &mut Screen<'_>,
    text: &str,
    crt: Option<usize>,
    name: &OsStr,
    pager: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) {
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    if crt.is_none_or(|crt| lines <= crt) {
        return screen.safe(text);
    }
    // The pager writes to the terminal itself: what came before must be out.
    screen.flush();
    // A pager that is missing must not hide the mail: the text goes out unpaged.
    if let Err(error) = pager(&locale::encode(text)) {
        let why = plain(&error);
        screen.say(&format!(
            "cannot run the pager {}: {why}",
            sanitize::path(&name)
        ));
        screen.safe(text);
    }
}

/// Shows text by a program, which the shell runs, as POSIX has it.
///
/// # Errors
/// The program could not be run, or could not be given the text.
pub(crate) fn through(program: &OsStr, text: &[u8]) -> io::Result<()> {
    // POSIX: PAGER is a command for the shell, so it may have arguments (`less -R`).
    let mut command = child::command("/bin/sh");
    command.arg("-c").arg(program).stdin(Stdio::piped());
    let mut child = child::spawn(&mut command)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A user who quits the pager early has seen enough.
        match stdin.write_all(text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    // The shell has said on stderr what it could not run; the text is still to be shown.
    match child.wait()?.code() {
        Some(126 | 127) => Err(io::Error::other("the shell could not run it")),
        _ => Ok(()),
    }
}
