//! Mailboxes: stored mail.
