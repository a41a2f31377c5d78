//! Answers: what a reply, a forward and a resent message take from the messages that they answer.
//!
//! Pure: the header blocks and bytes of messages and the user's own names come in, a
//! [`Request`](super::Request) and texts go out. Nothing of a received message is trusted: a name
//! in it is no alias of ours, a recipient in it is never a file or a command, and a control
//! character in it reaches neither a header nor a terminal. All of it takes linear time.

mod forward;
mod people;
mod quote;
mod references;
mod reply;
mod subject;

pub(crate) use forward::{attached, forward, forwarded_parts, inline_text, without_mailbox_fields};
pub(crate) use people::PeopleRules;
pub(crate) use quote::{Heading, quoted};
pub(crate) use reply::{Answer, Whom, reply};
