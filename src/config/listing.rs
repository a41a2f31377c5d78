//! What `set`, `alias`, `ignore` and their like list when they are given nothing to set.

use std::fmt::Write;

use super::commands::RcCommand;
use super::settings::Settings;
use super::variables::{self, ValueKind};
use crate::sanitize;

/// Returns what a command without arguments lists, safe to show; `None` if it does something else.
///
/// # Errors
/// Says that there is nothing of that name.
pub(crate) fn listed(
    settings: &Settings,
    command: RcCommand,
    text: &str,
) -> Option<Result<String, String>> {
    let text = text.trim();
    let lines = |words: &mut dyn Iterator<Item = &str>| {
        words
            .map(|word| format!("{}\n", sanitize::message(word)))
            .collect()
    };
    let mut list = String::new();
    match command {
        RcCommand::Set if text.is_empty() => list = variables_of(settings),
        RcCommand::Alias if !text.contains(|c: char| c.is_whitespace() || c == '=') => {
            let is_asked = |name: &&String| text.is_empty() || *name == text;
            let names = settings.aliases.keys().filter(is_asked);
            for name in names {
                let members = settings.aliases.get(name);
                let members: Vec<&str> = members.into_iter().flat_map(|m| m.iter()).collect();
                // Writing to a string cannot fail.
                let _ = writeln!(list, "{name}\t{}", members.join(" "));
            }
            if list.is_empty() && !text.is_empty() {
                return Some(Err(format!("\"{text}\": there is no such alias")));
            }
            list = sanitize::text(list.as_bytes()).into_owned();
        }
        RcCommand::Alternates if text.is_empty() => {
            list = lines(&mut settings.alternates.iter().map(String::as_str));
        }
        RcCommand::Ignore(what) if text.is_empty() => {
            let fields = settings.fields(what);
            list = lines(&mut fields.ignored.iter().map(String::as_str));
        }
        RcCommand::Retain(what) if text.is_empty() => {
            let fields = settings.fields(what);
            list = lines(&mut fields.retained.iter().flatten().map(String::as_str));
        }
        RcCommand::MailingList { subscribed } if text.is_empty() => {
            list = lines(&mut settings.lists.names(subscribed));
        }
        RcCommand::Account if text.is_empty() => {
            list = lines(&mut settings.account_names());
        }
        RcCommand::CommandAlias if !text.contains(char::is_whitespace) => {
            let names = settings.command_aliases();
            let is_asked = |(name, _): &(&str, &str)| text.is_empty() || *name == text;
            for (name, meant) in names.filter(is_asked) {
                let _ = writeln!(list, "{name}\t{meant}");
            }
            list = sanitize::text(list.as_bytes()).into_owned();
        }
        _ => return None,
    }
    Some(Ok(list))
}

/// Returns the variables that are set, sorted, with a note where we do not know them.
fn variables_of(settings: &Settings) -> String {
    let mut list = std::collections::BTreeMap::new();
    for row in variables::ROWS {
        if let Some(value) = settings.get(row.name) {
            let shown = match row.kind {
                ValueKind::Secret => "(secret)".to_owned(),
                ValueKind::Route => sanitize::message(&masked(value)),
                _ => sanitize::message(value),
            };
            list.insert(row.name, (shown, String::new()));
        }
    }
    for (name, value) in settings.changed() {
        if variables::row_of(name).is_none()
            && let Some(value) = value
        {
            // A variable of another program may hold a password as well.
            let is_secret = name.contains("password") || name.contains("secret");
            let shown = if is_secret {
                "(secret)".to_owned()
            } else {
                sanitize::message(&masked(value))
            };
            let place = settings.origin(name);
            list.insert(name, (shown, format!("  # unknown here, set by {place}")));
        }
    }
    let mut text = String::new();
    for (name, (value, note)) in list {
        let name = sanitize::message(name);
        let _ = match &*value {
            "" => writeln!(text, "{name}{note}"),
            value => writeln!(text, "{name}=\"{value}\"{note}"),
        };
    }
    text
}

/// Returns a text without the password of a URL in it.
fn masked(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((login, host)) if login.contains(':') => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:…@{host}")
        }
        _ => text.to_owned(),
    }
}
