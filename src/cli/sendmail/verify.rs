//! `sendmail -bv ADDRESS…`: how mail to each address would go, and nothing is sent.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;

use crate::address::EnvelopeAddress;
use crate::compose::premade::{self, Handover};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::submission::route::{Route, RoutedCopy};
use crate::submission::{self, Surroundings};
use crate::sys::spool::Spool;

/// Prints a line for each address, after aliases; the exit status is that of the worst.
pub(super) fn verify(
    addresses: &[OsString],
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let mut hints = BTreeSet::new();
    for address in addresses {
        if let Err(error) = verify_one(address, around, &mut hints, diagnostics) {
            let failure = Failure::new(Kind::Io, "cannot spool the message");
            diagnostics.fail(&failure.because(error));
        }
    }
    // Each once: many addresses may lack the same relay.
    for hint in hints {
        diagnostics.hint(&hint);
    }
}

fn verify_one(
    address: &OsString,
    around: &Surroundings<'_>,
    hints: &mut BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> io::Result<()> {
    let handover = Handover {
        recipients: vec![address.clone()],
        ..Handover::default()
    };
    let composed = premade::compose(&handover, Spool::new(), around.settings, around.environment)?;
    for failure in composed.all_failures() {
        diagnostics.fail(failure);
    }
    // Without a recipient that is one the failures have said all.
    if composed.draft.recipients().next().is_none() {
        return Ok(());
    }
    let plan = match submission::plan(&composed.draft, around) {
        Ok(plan) => plan,
        Err(failure) => {
            diagnostics.fail(&failure);
            return Ok(());
        }
    };
    for notice in &plan.notices {
        diagnostics.say(notice);
    }
    // An alias of the mailrc is expanded before the routes are found; the word that was typed tells
    // which one it was.
    let typed = EnvelopeAddress::new(address.to_string_lossy()).ok();
    for copy in &plan.copies {
        let line = line_of(copy, typed.as_ref().unwrap_or(&copy.recipient));
        diagnostics.print(&format!("{}\n", sanitize::line(line.as_bytes())));
        if let Err(outcome) = &copy.route {
            if let Some(kind) = outcome.kind() {
                diagnostics.note(kind);
            }
            hints.extend(outcome.hint.clone());
        }
    }
    Ok(())
}

/// Returns the line of one copy, in the form in which Sendmail answers.
fn line_of(copy: &RoutedCopy, typed: &EnvelopeAddress) -> String {
    let target = &copy.target;
    let who = if typed == target {
        target.to_string()
    } else {
        format!("{typed} -> {target}")
    };
    let way = match copy.route.as_deref() {
        Ok(Route::Sendmail(path)) => {
            format!(
                "mailer sendmail, program {}, user {target}",
                sanitize::path(&path)
            )
        }
        Ok(Route::Relay(list)) => format!("mailer relay, host {list}, user {target}"),
        Ok(Route::Local(name)) => format!("mailer local, user {name}"),
        Ok(Route::Test(None)) => "mailer test, to standard output".to_owned(),
        Ok(Route::Test(Some(path))) => format!("mailer test, file {}", sanitize::path(&path)),
        Err(outcome) => return format!("{who}... not deliverable: {}", outcome.text),
    };
    format!("{who}... deliverable: {way}")
}
