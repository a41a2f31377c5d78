//! What is shown of a message that is being typed: the escapes, and the message so far.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;

use super::{Typist, joined, overview, show};
use crate::compose::spooling::unspooled;
use crate::exit::Failure;
use crate::sanitize;
use crate::sys::spool::Spool;

impl Typist<'_> {
    /// `~?`: shows the escapes.
    pub(super) fn help(&mut self) {
        self.show(overview().as_bytes());
    }

    /// Shows header and text, and that typing goes on.
    pub(super) fn print(&mut self) -> Result<(), Failure> {
        let request = &*self.session.request;
        let mut shown = "-------\nMessage contains:\n".to_owned();
        for (name, value) in [
            ("To", joined(&request.to)),
            ("Cc", joined(&request.cc)),
            ("Bcc", joined(&request.bcc)),
            ("Subject", joined(request.subject.as_slice())),
        ] {
            if !value.is_empty() {
                shown.push_str(&format!("{name}: {value}\n"));
            }
        }
        for header in &request.headers {
            shown.push_str(&format!("{}\n", sanitize::line(header.as_bytes())));
        }
        for wanted in &request.attachments {
            let path = sanitize::line(wanted.path.as_bytes());
            shown.push_str(&format!("(attached: {path})\n"));
        }
        // Those of a forwarded message.
        for part in &request.carried {
            let name = sanitize::line(part.name.as_bytes());
            shown.push_str(&format!("(attached: {name})\n"));
        }
        shown.push('\n');
        show(self.session.out, shown.as_bytes());
        // The text may come from a file or a command (`~r`), so each line passes the filter for
        // terminals.
        show_text(self.session.out, &self.text)?;
        if let Some(behind) = self.session.behind.as_ref() {
            if !self.text.is_empty() {
                show(self.session.out, b"\n");
            }
            show_text(self.session.out, behind)?;
        }
        self.show(b"(continue)\n");
        Ok(())
    }
}

/// Shows a text, made safe for the terminal.
fn show_text(out: &mut dyn Write, text: &Spool) -> Result<(), Failure> {
    let mut reader = BufReader::new(text.reader());
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(unspooled)? > 0 {
        show(out, sanitize::text(&line).as_bytes());
        line.clear();
    }
    Ok(())
}
