//! Answering: what the settings make of the messages that a reply, a forward or a resent message is
//! made of. The reader and the postrider face share it.
//!
//! Who types or pipes the text, and what becomes of the mail, is for `sending` and its callers.

use std::ffi::OsString;
use std::io::{self, Write};

use super::sending::SendFlow;
use crate::address::NamedAddress;
use crate::compose::answer::{self, Answer, Heading, PeopleRules, Whom};
use crate::compose::premade::{self, Redirection};
use crate::compose::spooling::unspooled;
use crate::compose::{Carried, Request};
use crate::config::{KnownNames, Settings};
use crate::exit::{Failure, Kind};
use crate::submission::identity::{self, Identity};
use crate::sys::spool::Spool;
use crate::sys::user;

/// How a message is quoted or forwarded, as the settings say it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ForwardOptions {
    /// As an attachment, and not as text (`forward-as-attachment`).
    pub as_attachment: bool,
    /// Leave out what was attached to it (`noforward-attachments`).
    pub without_attachments: bool,
}

impl ForwardOptions {
    /// Returns what the settings say.
    pub(crate) fn of(settings: &Settings) -> ForwardOptions {
        ForwardOptions {
            as_attachment: settings.is_set("forward-as-attachment"),
            without_attachments: !settings.is_set("forward-attachments"),
        }
    }
}

/// Returns a reply to messages with these header blocks, each with its From_ line if it has one.
///
/// # Errors
/// 65 when the messages name nobody to whom a reply could go.
pub(crate) fn reply(blocks: &[&[u8]], whom: Whom, settings: &Settings) -> Result<Answer, Failure> {
    let names = KnownNames::new(settings);
    let lists = settings.lists.finder();
    let answer = answer::reply(
        blocks,
        whom,
        &PeopleRules {
            own: &identity::own_addresses(settings),
            // metoo is set by default, for aliases: only somebody who sets it wants his own replies.
            keeps_own: settings.any("metoo").is_some(),
            heeds_reply_to: settings.get("reply-to-honour") == Some("yes"),
            heeds_followup_to: settings.get("followup-to-honour") == Some("yes"),
            full_names: settings.is_set("fullnames"),
            recipients_in_cc: settings.is_set("recipients-in-cc"),
            names: &|name| names.ask(name),
            lists: &|address| lists.is_subscribed(address).is_some(),
        },
    );
    if answer.request.to.is_empty() && whom == Whom::Lists {
        let what = "the message names no mailing list to reply to";
        return Err(Failure::new(Kind::Data, what)
            .hint("use reply, or name the list with mlist ADDRESS first"));
    }
    if answer.request.to.is_empty() {
        let what = "the message has no address that a reply could go to";
        return Err(
            Failure::new(Kind::Data, what).hint("use mail ADDRESS to write to another address")
        );
    }
    Ok(answer)
}

/// Returns what is to be told of a reply: entries of the message that cannot be recipients.
pub(crate) fn left_out_of(answer: &Answer) -> Option<String> {
    let shown: Vec<String> = answer
        .left_out
        .iter()
        .map(|entry| format!("\"{entry}\""))
        .collect();
    let more = answer.left_out_count - answer.left_out.len();
    match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!(
            "these are not addresses and do not get the reply: {}",
            shown.join(", ")
        )),
        (false, more) => Some(format!(
            "these are not addresses and do not get the reply: {} and {more} more",
            shown.join(", ")
        )),
    }
}

/// Returns what `quote` puts above a quoted text; `None` if nothing is to be quoted.
pub(crate) fn heading(settings: &Settings) -> Option<Heading> {
    Some(match settings.get("quote")? {
        "noheading" => Heading::None,
        "headers" => Heading::Fields,
        "allheaders" => Heading::AllFields,
        _ => Heading::Attribution,
    })
}

/// Returns the quoted text of messages, below this heading each.
///
/// # Errors
/// Fails when the text cannot be spooled.
pub(crate) fn quoted(
    messages: &[Vec<u8>],
    heading: Heading,
    settings: &Settings,
) -> Result<Spool, Failure> {
    // POSIX's prefix is a tab, for ~m; in a reply people expect the other one.
    let prefix = settings.any("indentprefix").unwrap_or("> ");
    spooled(|emit| {
        for (place, message) in messages.iter().enumerate() {
            if place > 0 {
                emit("\n");
            }
            answer::quoted(message, heading, prefix, emit);
        }
    })
}

/// Returns the request of a mail that forwards these messages, and the text that comes behind the user's own.
///
/// # Errors
/// Fails when the text cannot be spooled.
pub(crate) fn forward(
    messages: &[Vec<u8>],
    options: ForwardOptions,
    settings: &Settings,
) -> Result<(Request, Spool), Failure> {
    let mut request = messages
        .first()
        .map(|message| answer::forward(message))
        .unwrap_or_default();
    if options.as_attachment {
        let whole = messages.iter().map(|message| answer::attached(message));
        request.carried = whole.collect();
        return Ok((request, Spool::new()));
    }
    if !options.without_attachments {
        let parts = messages
            .iter()
            .map(|message| answer::forwarded_parts(message));
        request.carried = parts.flatten().collect::<Vec<Carried>>();
    }
    let text = spooled(|emit| {
        for (place, message) in messages.iter().enumerate() {
            if place > 0 {
                emit("\n");
            }
            answer::inline_text(message, &settings.forwarded, emit);
        }
    })?;
    Ok((request, text))
}

/// Sends a message on to others as it is, with the fields that say who did so; or without them.
///
/// Returns whether a next hop has accepted it for somebody.
///
/// # Errors
/// 73 when the message cannot be spooled.
pub(crate) fn resend(
    flow: &mut SendFlow<'_>,
    message: &[u8],
    recipients: &[OsString],
    with_fields: bool,
) -> Result<bool, Failure> {
    let (settings, environment) = (flow.around.settings, flow.around.environment);
    let author = with_fields.then(|| default_author(settings));
    let content = answer::without_mailbox_fields(message);
    let composed = Spool::read_from(&mut &content[..])
        .and_then(|source| {
            let redirection = Redirection {
                recipients: recipients.to_vec(),
                author,
            };
            premade::redirect(&redirection, source, settings, environment)
        })
        .map_err(unspooled)?;
    Ok(flow.send_composed(&composed))
}

/// Returns who sends a mail of this user, where the message itself does not say it.
fn default_author(settings: &Settings) -> NamedAddress {
    let names = KnownNames::new(settings);
    let from = settings.text("from").unwrap_or_default();
    let named = crate::address::parse_people(from, &|name| names.ask(name))
        .into_iter()
        .find_map(Result::ok);
    named.unwrap_or_else(|| Identity::find(settings).default_from(false, &user::login_name(), None))
}

/// Spools a text that a function emits piece by piece.
///
/// # Errors
/// 73 when it cannot be spooled.
pub(crate) fn spooled(make: impl FnOnce(&mut dyn FnMut(&str))) -> Result<Spool, Failure> {
    let mut spool = Spool::new();
    let mut result: io::Result<()> = Ok(());
    make(&mut |piece| {
        if result.is_ok() {
            result = spool.write_all(piece.as_bytes());
        }
    });
    result.map_err(unspooled)?;
    Ok(spool)
}
