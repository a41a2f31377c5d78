//! The mailx face: `mailx`, `mail` and `Mail`.

mod attach_or_header;
pub mod dialect;
pub mod options;

pub use attach_or_header::looks_like_file;
