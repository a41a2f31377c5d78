//! Words, blanks and line ends: they go to the cell that is open, or to the page.

use super::Page;

impl Page<'_> {
    pub(super) fn folded(&mut self, text: &str) {
        const BLANKS: u64 = 1 << b' ' | 1 << b'\n' | 1 << b'\t' | 1 << b'\x0c' | 1 << b'\r';
        let is_blank = |b: u8| b <= b' ' && BLANKS >> b & 1 != 0;
        let mut rest = text;
        loop {
            let bytes = rest.as_bytes();
            let start = bytes.iter().position(|&b| !is_blank(b));
            if start != Some(0) && !bytes.is_empty() {
                self.blank();
            }
            let Some(start) = start else { return };
            let len = bytes[start..].iter().position(|&b| is_blank(b));
            let end = len.map_or(bytes.len(), |len| start + len);
            self.shown_word(&rest[start..end]);
            rest = &rest[end..];
        }
    }

    /// Writes a word, or blanks that do not fold.
    pub(super) fn shown_word(&mut self, word: &str) {
        // Previews are filled with characters that show as nothing.
        let shows_nothing = |c| {
            matches!(
                c,
                '\u{a0}' | '\u{200b}'..='\u{200d}' | '\u{ad}' | '\u{34f}' | '\u{feff}' | '\u{2060}'
            )
        };
        if word.as_bytes()[0] < 0xc2 || self.is_in_word() || !word.chars().all(shows_nothing) {
            return self.word(word);
        }
        let blanks = word.chars().filter(|&c| c == '\u{a0}').count();
        self.gap(blanks);
        if let Some(link) = &mut self.link {
            link.blank();
        }
    }

    /// Asks for blanks that do not fold; in a cell, which has its own place, for one that does.
    fn gap(&mut self, blanks: usize) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.blank(),
            _ => self.filler.gap(blanks),
        }
    }

    fn is_in_word(&self) -> bool {
        match &self.grid {
            Some(grid) if !grid.is_empty() => grid.is_in_word(),
            _ => self.filler.is_in_word(),
        }
    }

    pub(super) fn kept(&mut self, text: &str) {
        let text = match text.strip_prefix('\n') {
            Some(rest) if std::mem::take(&mut self.skips_line_end) => rest,
            _ => text,
        };
        self.skips_line_end = false;
        self.leave_grid();
        if let Some(link) = &mut self.link {
            link.word(text);
        }
        self.filler.preformatted(text);
    }

    /// Takes text whose line ends stay, and maybe its blanks.
    pub(super) fn lines(&mut self, text: &str, keeps_blanks: bool) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.leave_grid();
                self.hard_break();
            }
            if !keeps_blanks {
                self.folded(line);
                continue;
            }
            let mut is_after_blank = number > 0 || !self.is_in_word();
            for (number, word) in line.split([' ', '\t']).enumerate() {
                if number > 0 {
                    if is_after_blank {
                        self.gap(1);
                    } else {
                        self.blank();
                    }
                    is_after_blank = true;
                }
                if !word.is_empty() {
                    self.word(word);
                    is_after_blank = false;
                }
            }
        }
    }

    pub(super) fn word(&mut self, text: &str) {
        if let Some(link) = &mut self.link {
            link.word(text);
        }
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => {
                grid.word(text);
                self.bound_grid();
            }
            _ => self.filler.word(text),
        }
    }

    pub(super) fn glue(&mut self, text: &str) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.glue(text),
            _ => self.filler.glue(text),
        }
    }

    pub(super) fn blank(&mut self) {
        if let Some(link) = &mut self.link {
            link.blank();
        }
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.blank(),
            _ => self.filler.blank(),
        }
    }

    pub(super) fn hard_break(&mut self) {
        self.leave_grid();
        self.filler.hard_break();
    }

    pub(super) fn line_break(&mut self) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.line_break(),
            _ => self.filler.line_break(),
        }
    }

    pub(super) fn block(&mut self) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.block(),
            _ => self.filler.block(),
        }
    }

    pub(super) fn paragraph(&mut self) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.paragraph(),
            _ => self.filler.paragraph(),
        }
    }
}
