//! A note of ours in the user's own mailbox on this host: about mail that does not leave.
//!
//! It goes through no route: whatever keeps other mail from leaving would keep the note as well.

use std::time::Duration;

use super::Surroundings;
use super::dispatch::local_of;
use super::identity::Identity;
use crate::address::EnvelopeAddress;
use crate::compose::Draft;
use crate::compose::render::{Style, render};
use crate::exit::{self, Kind};
use crate::message::{self, HeaderName, HeaderValue, Wire};
use crate::sys::spool::Spool;
use crate::sys::{clock, random, user};
use crate::transport::local;
use crate::transport::{Disposition, Outcome};

/// How long the lock of the mailbox is waited for: the mail that brought us here waits as well.
const PATIENCE: Duration = Duration::from_secs(1);

/// Delivers a note to the user whose process this is.
pub(crate) fn deliver(subject: &str, text: &str, around: &Surroundings<'_>) -> Outcome {
    let failed = |why: String| Outcome::new(Disposition::TryLater(Kind::TryLater), why);
    let login = user::login_name();
    let Ok(address) = EnvelopeAddress::new(login.as_str()) else {
        return failed(format!(
            "the login name {login} is not a valid mailbox name"
        ));
    };
    let body = match Spool::read_from(&mut text.as_bytes()) {
        Ok(body) => body,
        Err(error) => return failed(exit::with_causes(&error)),
    };
    let time = clock::message_time(around.environment.source_date_epoch);
    let now = clock::since_epoch().as_secs() as i64;
    let host = around.settings.host_name();
    let draft = Draft {
        to: vec![address.into()],
        subject: Some(HeaderValue::from_free_text(subject.as_bytes()).0),
        fields: vec![(
            HeaderName::known("Auto-Submitted"),
            HeaderValue::from_free_text(b"auto-generated").0.into(),
        )],
        body,
        date: message::date(time.timestamp(), time.offset().local_minus_utc()),
        message_id: message::message_id(now, random::number(), &host),
        boundary_seed: format!("{:016x}", random::number()),
        ..Draft::default()
    };
    let identity = Identity::find(around.settings);
    let style = Style {
        wire: Wire::EightBit,
        default_from: Some(identity.default_from(false, &login, Some("Postrider"))),
        changes: &[],
        limit: None,
        leading: Vec::new(),
    };
    let rendered = match render(&draft, &style) {
        Ok(rendered) => rendered,
        Err(error) => return failed(exit::with_causes(&error)),
    };
    let local = match local_of(around) {
        Ok(local) => local,
        Err(failure) => return failed(exit::with_causes(&failure)),
    };
    let mut wait = around.wait();
    wait.patience = wait.patience.min(PATIENCE);
    local::deliver(&local, &login, &login, &rendered.message, &wait)
}
