//! The log: one line for each recipient, to syslog or a file. A failing log never stops a mail.
//!
//! `set log=syslog` (the default where its socket is there), `log=FILE`, `log=off`.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::config::{Environment, Settings, file_name};
use crate::submission::Report;
use crate::sys::open::write::{Denied, Target, make_way};
use crate::sys::platform::SYSLOG;
use crate::sys::{clock, user};
use crate::{exit, sanitize};

/// Priority of our lines: facility mail (2), severity info (6), as RFC 3164 numbers them.
const PRIORITY: u8 = 2 * 8 + 6;

/// How long one line may be, in bytes; syslog daemons cut at 1 KiB or more.
const MAX_LINE: usize = 900;

/// Writes a line for each entry of a report; returns a notice where the file that was asked for
/// cannot be written.
///
/// A log that fails never affects a mail. A failure of syslog gives no notice: syslog is the
/// default and may not be there.
pub fn write(report: &Report, settings: &Settings, environment: &Environment) -> Option<String> {
    let name = match settings.text("log") {
        None | Some("off") => return None,
        Some("syslog") => {
            drop(to_syslog(report));
            return None;
        }
        Some(_) => settings.path("log").unwrap_or_default(),
    };
    let home = environment.home_directory();
    let path = match file_name::of_setting(name, settings, home.as_deref()) {
        Ok(path) => path,
        Err(error) => {
            let why = exit::with_causes(&error);
            return Some(format!(
                "cannot write the log {}: {why}",
                sanitize::path(&name)
            ));
        }
    };
    // Where it fails the log fails as well, and says why.
    let _ = make_way(&path);
    let error = to_file(&path, report).err()?;
    let why = error.why(&path);
    Some(format!(
        "cannot write the log {}: {why}",
        sanitize::path(&path)
    ))
}

fn lines(report: &Report) -> impl Iterator<Item = String> {
    // Nothing of the message stands in the log, not even its subject: more people may read the log
    // (group adm) than the mail. The relay's words have their secrets masked already.
    let sender = report.sender.clone().unwrap_or_else(user::login_name);
    report.entries.iter().map(move |entry| {
        let mut line = format!(
            "postrider[{}]: message-id={} from={} to={} route={} outcome={}",
            std::process::id(),
            word(&report.message_id),
            word(&sender),
            word(&entry.target),
            quoted(&entry.route),
            entry.outcome.disposition.name(),
        );
        if let Some(code) = entry.outcome.code {
            let _ = write!(line, " code={code}");
        }
        let _ = write!(line, " text={}", quoted(&entry.outcome.text));
        // The text comes last and is what is cut: the fields before it are those that scripts
        // search for.
        line.truncate(line.floor_char_boundary(MAX_LINE));
        line
    })
}

/// Returns a value that holds no blank and no control.
fn word(text: &str) -> String {
    match sanitize::line(text.as_bytes()) {
        text if text.is_empty() => "-".to_owned(),
        text => text.replace(' ', "_"),
    }
}

/// Returns a value in quotes.
fn quoted(text: &str) -> String {
    let text = sanitize::line(text.as_bytes());
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn to_syslog(report: &Report) -> io::Result<()> {
    if !Path::new(SYSLOG).metadata()?.file_type().is_socket() {
        return Ok(());
    }
    let socket = UnixDatagram::unbound()?;
    // A syslog daemon that hangs would otherwise hold the mail's exit status for as long as it
    // hangs.
    socket.set_nonblocking(true)?;
    socket.connect(SYSLOG)?;
    let time = clock::local(clock::now())
        .format("%b %e %H:%M:%S")
        .to_string();
    for line in lines(report) {
        socket.send(format!("<{PRIORITY}>{time} {line}").as_bytes())?;
    }
    Ok(())
}

fn to_file(path: &Path, report: &Report) -> Result<(), Denied> {
    let (mut file, _) = Target::find(path, false)?.open_or_make()?;
    let time = clock::local(clock::now()).to_rfc3339();
    for line in lines(report) {
        // One write a line: lines of several processes do not mix.
        file.write_all(format!("{time} {line}\n").as_bytes())?;
    }
    Ok(())
}
