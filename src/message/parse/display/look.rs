//! The layout of text: how wide, and what is broken to fit.

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The columns that HTML and `format=flowed` text are filled to.
    pub width: usize,
    /// Whether long lines of other text are broken at blanks, too, as a terminal needs it.
    pub breaks: bool,
}

impl Default for Look {
    /// Returns the layout where nothing is a terminal.
    fn default() -> Look {
        Look {
            width: 80,
            breaks: false,
        }
    }
}
