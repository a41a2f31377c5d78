//! From the process's arguments to its exit status: which face was called, and what happened.

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::cli::{mailx, postrider, sendmail};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::sys::cores;
use crate::sys::zone;

/// Runs the program: reads arguments and environment, does the work, returns the worst failure.
///
/// A panic that comes this far is a fault of our own: 70, and one line that says so.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Option<Kind> {
    cores::forbid();
    let arguments: Vec<OsString> = arguments.collect();
    let (face, rest) = face(&arguments);
    let mut diagnostics = Diagnostics::new(face.name());
    let result = caught(|| match &face {
        Face::Mailx(_) => mailx::run(rest, &mut diagnostics),
        Face::Sendmail(name) => sendmail::run(name, rest, &mut diagnostics),
        Face::Postrider => postrider::run(rest, &mut diagnostics),
    });
    if let Err(fault) = result {
        diagnostics.fail(&fault);
    }
    // A time zone that cannot be used was noticed when a date was written; it is reported once.
    if let Some(complaint) = zone::complaint() {
        diagnostics.say(complaint);
    }
    diagnostics.worst()
}

/// Runs this; a panic becomes a failure that says why, and where in the sources.
fn caught(work: impl FnOnce()) -> Result<(), Failure> {
    let place = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&place);
    let hook = panic::take_hook();
    let ours = thread::current().id();
    panic::set_hook(Box::new(move |panic| {
        // A panic of another thread ends that thread only; if the thread is needed, joining it
        // panics here.
        if thread::current().id() != ours {
            return;
        }
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        *noted = panic.location().map(ToString::to_string);
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    result.map_err(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("the reason is unknown");
        let place = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        let cause = match place {
            Some(place) => format!("{why} ({place})"),
            None => why.to_owned(),
        };
        Failure::new(
            Kind::Software,
            "this is a bug in Postrider, please report it",
        )
        .because(cause)
    })
}

/// Which program we are called as.
enum Face {
    /// `mailx`, `mail`, `Mail`.
    Mailx(String),
    /// `sendmail`, `mailq`, `newaliases`.
    Sendmail(String),
    /// `postrider SUBCOMMAND`.
    Postrider,
}

impl Face {
    fn name(&self) -> &str {
        match self {
            Face::Mailx(name) | Face::Sendmail(name) => name,
            Face::Postrider => "postrider",
        }
    }
}

/// Finds the face by the program's name, or by the first word.
fn face(arguments: &[OsString]) -> (Face, &[OsString]) {
    let name = arguments
        .first()
        .and_then(|program| Path::new(program).file_name())
        .unwrap_or_default();
    let rest = arguments.get(1..).unwrap_or_default();
    match (name.to_str(), rest.first().and_then(|word| word.to_str())) {
        (Some(name @ ("mailx" | "mail" | "Mail")), _) => (Face::Mailx(name.to_owned()), rest),
        (Some(name @ ("sendmail" | "mailq" | "newaliases")), _) => {
            (Face::Sendmail(name.to_owned()), rest)
        }
        (_, Some("sendmail")) => (Face::Sendmail("sendmail".to_owned()), &rest[1..]),
        (_, Some("mailx")) => (Face::Mailx("mailx".to_owned()), &rest[1..]),
        _ => (Face::Postrider, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_that_says_where() {
        let fault = caught(|| panic!("there is no {}", "road")).unwrap_err();
        assert_eq!(fault.kind, Kind::Software);
        let text = crate::exit::with_causes(&fault);
        assert!(
            text.contains("please report it: there is no road"),
            "{text}"
        );
        assert!(text.contains(&format!("({}:", file!())), "{text}");
    }
}
