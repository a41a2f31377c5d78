//! What a reader wants of the text.

/// How the text of a document is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The columns of a line; `None` does not wrap.
    pub width: Option<usize>,
    /// Whether links have numbers, and their targets stand at the end.
    pub links: bool,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            width: None,
            links: true,
        }
    }
}
