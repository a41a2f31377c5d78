//! Converting texts before a mail is composed: terminal output as plain text, HTML beside plain
//! text and plain text beside HTML, pictures beside HTML.

pub(in crate::message) mod html;
pub(in crate::message) mod pictures;
pub(in crate::message) mod plain;
