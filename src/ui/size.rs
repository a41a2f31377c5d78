//! The size of the screen.

use std::io::{self, IsTerminal};

use crate::config::Environment;

/// What is shown on: a terminal of this size, or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Columns for text: `$COLUMNS`, else those of the terminal, else 80.
    pub columns: usize,
    /// Rows: `$LINES`, else those of the terminal, else 24.
    pub rows: usize,
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Columns after which a header line is cut. A pipe without `$COLUMNS` has no edge: what reads
    /// it gets whole subjects.
    pub edge: usize,
}

impl Default for Size {
    /// Returns what holds where nothing says otherwise: 80 columns and 24 rows.
    fn default() -> Size {
        Size {
            columns: 80,
            rows: 24,
            is_terminal: false,
            edge: 80,
        }
    }
}

/// Measures the screen; `$COLUMNS` and `$LINES` outrank the terminal (POSIX).
pub(crate) fn measure(environment: &Environment) -> Size {
    let is_terminal = io::stdout().is_terminal();
    let size = terminal_size::terminal_size().filter(|_| is_terminal);
    let positive = |number: Option<u16>| number.filter(|number| *number > 0).map(usize::from);
    let columns = positive(environment.columns).or(positive(size.map(|(width, _)| width.0)));
    let rows = positive(environment.lines).or(positive(size.map(|(_, height)| height.0)));
    Size {
        columns: columns.unwrap_or(80),
        rows: rows.unwrap_or(24),
        is_terminal,
        edge: columns.unwrap_or(if is_terminal { 80 } else { usize::MAX }),
    }
}
