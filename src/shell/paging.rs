//! The way of a command's text to the screen, through the pager where it is long.

use super::reader::Reader;
use crate::ui::pager::{Limit, Pages};

impl Reader<'_, '_> {
    /// Returns pages for text that goes to the pager where it is longer than `crt` says.
    pub(super) fn pages(&self) -> Pages {
        Pages::new(self.options.crt, self.options.pager.clone())
    }

    /// Returns pages for text that always goes to the pager, at a terminal.
    pub(super) fn always_paged(&self) -> Pages {
        let limit = if self.around.stdout_is_terminal {
            Limit::Always
        } else {
            Limit::Never
        };
        Pages::new(limit, self.options.pager.clone())
    }

    /// Shows text that is safe already.
    pub(super) fn show_paged(&mut self, text: &str) {
        let mut pages = self.pages();
        pages.give(&mut self.screen, text);
        pages.end(&mut self.screen);
    }
}
