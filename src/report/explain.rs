//! The explanation of how a mail would be sent, and why (`--explain`).

use std::fmt::Write as _;

use crate::compose::Draft;
use crate::config::variables::{ROWS, ValueKind};
use crate::config::{Origin, Settings, unknown_variable};
use crate::message::{MediaType, MessageSource};
use crate::sanitize;
use crate::submission::outbox::route_state::RouteState;
use crate::submission::relay_list::RelayList;
use crate::submission::relayed::Rewriting;
use crate::submission::{self, SubmissionPlan};

/// Returns the explanation, safe for a terminal: a line a fact, grouped by what it is about.
pub(crate) fn explain(
    draft: &Draft,
    plan: &SubmissionPlan,
    troubles: &[RouteState],
    settings: &Settings,
) -> String {
    let mut text = String::new();
    for copy in &plan.copies {
        let way = match &copy.route {
            Ok(route) => format!("{}, because {}", submission::name_of(route), copy.reason),
            Err(outcome) => format!("no route, because {}", outcome.text),
        };
        line(&mut text, &format!("recipient {}: {way}", copy.recipient));
        if copy.target != copy.recipient {
            let what = format!(
                "address {} becomes {} in the envelope",
                copy.recipient, copy.target
            );
            line(&mut text, &what);
        }
    }
    for trouble in troubles {
        line(&mut text, &format!("{}: {}", trouble.route, trouble.told()));
    }
    for file in &draft.files {
        line(
            &mut text,
            &format!(
                "recipient {}: a file, because expandaddr is set",
                sanitize::path(&file)
            ),
        );
    }
    for command in &draft.commands {
        line(
            &mut text,
            &format!(
                "recipient |{}: a command, because expandaddr is set",
                sanitize::path(&command)
            ),
        );
    }
    for picture in shown_files(draft) {
        line(&mut text, &picture);
    }
    identity(&mut text, draft, plan);
    for login in plan.logins(settings) {
        line(&mut text, &login);
    }
    for notice in plan.notices.iter().chain(&plan.hint) {
        line(&mut text, notice);
    }
    set_variables(&mut text, settings);
    text
}

/// Returns a line for each file that the HTML of the message shows.
pub(crate) fn shown_files(draft: &Draft) -> impl Iterator<Item = String> {
    // Without HTML of ours, a picture with an identifier belongs to a forwarded message.
    let has_html =
        draft.html.is_some() || draft.content_type.as_ref().is_some_and(MediaType::is_html);
    draft.attachments.iter().filter_map(move |file| {
        let id = file.content_id.as_ref().filter(|_| has_html)?;
        let (name, size) = (&file.name, file.source.len());
        let how = if file.is_taken_along {
            "attached as a picture of the HTML"
        } else {
            "attached by an option, and shown in the HTML"
        };
        Some(format!(
            "picture {name} ({size} bytes): {how} as cid:{}",
            id.as_str()
        ))
    })
}

/// Names each variable that is set, and where it was set; defaults are in the manual.
fn set_variables(text: &mut String, settings: &Settings) {
    for row in ROWS {
        let origin = settings.origin(row.name);
        let value = match settings.get(row.name) {
            None if origin == Origin::Default => continue,
            None => "unset".to_owned(),
            // An explanation is pasted into tickets: it never shows a secret, and a route only
            // without its login.
            Some(_) if row.kind == ValueKind::Secret => "(secret)".to_owned(),
            Some("") => "set".to_owned(),
            Some(value) if row.kind == ValueKind::Route => masked(value),
            Some(value) => value.to_owned(),
        };
        line(text, &format!("setting {}: {value} ({origin})", row.name));
    }
    // Their values are not shown: a variable of another program may hold a password.
    for (name, origin) in settings.unknown() {
        line(text, &unknown_variable(name, origin));
    }
}

/// Explains the sender of the mail.
fn identity(text: &mut String, draft: &Draft, plan: &SubmissionPlan) {
    let identity = &plan.identity;
    let relayed = plan.relayed.as_ref();
    match (draft.envelope_sender.as_ref(), relayed) {
        (Some(sender), _) => line(
            text,
            &format!("sender {sender}: given by an option, a header field or a variable"),
        ),
        (None, Some(relayed)) => line(
            text,
            &format!("sender: none was given; a relay sees {}", relayed.envelope),
        ),
        (None, None) => line(text, "sender: none was given; sendmail chooses it"),
    }
    for rewriting in plan.rewritings() {
        line(text, &rewritten(rewriting));
    }
    let qualified = if identity.is_qualified {
        "qualified"
    } else {
        "not qualified"
    };
    line(text, &format!("host {} ({qualified})", identity.host));
    line(
        text,
        &format!(
            "bare names become NAME@{} in mail that leaves this host",
            identity.qualify_domain
        ),
    );
}

/// Tells a change that is made for a relay, and why.
fn rewritten(rewriting: &Rewriting) -> String {
    let Rewriting {
        what,
        old,
        new,
        why,
    } = rewriting;
    match (old.as_str(), new.as_str()) {
        ("", "") => format!("for the relay the {what} is left out, because {why}"),
        (old, "") => format!("for the relay the {what} \"{old}\" is left out, because {why}"),
        ("", new) => format!("for the relay the {what} is \"{new}\", because {why}"),
        (old, new) => {
            format!("for the relay the {what} \"{old}\" becomes \"{new}\", because {why}")
        }
    }
}

/// Shows the value of a route without a login in it.
fn masked(value: &str) -> String {
    // Only a URL with `@` can hold a login. A URL with one that cannot be parsed is not shown at
    // all.
    if !value.contains('@') {
        return value.to_owned();
    }
    RelayList::parse(value).map_or_else(|_| "(not shown)".to_owned(), |list| list.to_string())
}

fn line(text: &mut String, words: &str) {
    let _ = writeln!(text, "{}", sanitize::line(words.as_bytes()));
}
