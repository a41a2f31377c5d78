//! Writing a message: from fields, a text and files to the bytes of one MIME message.
//!
//! [`composition`] decides which parts the message has, [`analysis`] reads each source once, [`plan`]
//! and [`attachment`] choose charset and transfer encoding by what was read, and [`entity`] reads
//! each source again and writes it. [`fields`] and [`parameter`] render header fields,
//! [`label`] decides between a charset that was given and the one that the bytes have,
//! [`media_type`] knows the types. The encodings themselves are in [`encode`](super::encode).

pub(in crate::message) mod analysis;
pub(in crate::message) mod attachment;
pub(in crate::message) mod composition;
pub(in crate::message) mod entity;
pub(in crate::message) mod fields;
pub(in crate::message) mod label;
pub(in crate::message) mod media_type;
pub(in crate::message) mod parameter;
pub(in crate::message) mod plan;
