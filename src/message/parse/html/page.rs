//! Elements and text of a document, written as text.

use super::Layout;
use super::grid::{CellStyle, Grid, MAX_CELL, MAX_KEPT};
use super::links::{Links, OpenLink};
use super::open::{Blanks, Inherited, Open, OpenElements};
use super::style;
use super::tag::Tag;
use super::tokens::Attributes;
use crate::message::parse::filler::Filler;

/// How long a line across is.
const RULE: &str = "----------------------------------------";

/// The page so far.
pub(super) struct Page<'e> {
    filler: Filler<'e>,
    open: OpenElements,
    links: Links,
    lists_links: bool,
    link: Option<OpenLink>,
    /// The lists that are open: the next number, if they count.
    lists: Vec<Option<i64>>,
    /// The tables that are open: whether they only arrange other text.
    tables: Vec<bool>,
    /// The rows of the innermost table, while its cells are simple.
    grid: Option<Grid>,
    /// A line end that begins preformatted text is not part of it.
    skips_line_end: bool,
    images: usize,
}

impl<'e> Page<'e> {
    pub(super) fn new(layout: &Layout, emit: &'e mut dyn FnMut(&str)) -> Page<'e> {
        Page {
            filler: Filler::new(layout.width, emit),
            open: OpenElements::new(),
            links: Links::default(),
            lists_links: layout.links,
            link: None,
            lists: Vec::new(),
            tables: Vec::new(),
            grid: None,
            skips_line_end: false,
            images: 0,
        }
    }

    /// Takes a start tag.
    pub(super) fn start(&mut self, tag: Tag, attributes: &Attributes) {
        self.skips_line_end = false;
        if tag == Tag::Body {
            return;
        }
        self.end_implied(tag);
        let mut inherited = self.open.inherited;
        if tag == Tag::Table {
            // Browsers begin tables with their own blanks (HTML section 15.3.8).
            inherited.blanks = Blanks::Folded;
        }
        if tag == Tag::Preformatted {
            inherited.blanks = Blanks::Kept;
        }
        inherited.is_gone |= tag == Tag::Hidden || attributes.hidden;
        let style = style::apply(attributes.style(), &mut inherited);
        if inherited.is_gone {
            if !tag.is_void() {
                self.open.push(tag, inherited);
            }
            return;
        }
        if tag.is_void() {
            self.void(tag, attributes, inherited);
            return;
        }
        // What is too deep to be known begins nothing that has an end.
        if self.open.push(tag, inherited) {
            self.begin(tag, attributes, style.is_right);
        } else {
            self.block();
        }
    }

    /// Takes an end tag.
    pub(super) fn end(&mut self, tag: Tag) {
        self.skips_line_end = false;
        match tag {
            Tag::Body => return,
            Tag::Break => return self.line_break(),
            // A paragraph that is not open begins and ends here.
            Tag::Paragraph if self.open.depth_of(tag).is_none() => {
                return self.paragraph();
            }
            Tag::Link => self.close_link(),
            _ => {}
        }
        if tag.is_void() || self.open.ends_deeper() {
            return;
        }
        let depth = match tag {
            Tag::Table => self.open.depth_of_table(),
            Tag::Cell | Tag::HeadCell | Tag::Row | Tag::RowGroup => self.open.depth_in_table(tag),
            _ => self.open.depth_of(tag),
        };
        let Some(depth) = depth else { return };
        if !tag.is_block() && self.open.holds_block(tag) {
            self.open.show_again(tag);
            return;
        }
        self.close(depth);
    }

    /// Takes text between tags.
    pub(super) fn text(&mut self, text: &str) {
        if !self.open.inherited.is_shown() {
            return;
        }
        match self.open.inherited.blanks {
            Blanks::Folded => self.folded(text),
            Blanks::Kept => self.kept(text),
            Blanks::Wrapped => self.lines(text, true),
            Blanks::Lines => self.lines(text, false),
        }
    }

    /// Ends the page; the targets of its links follow.
    pub(super) fn finish(mut self) {
        self.close_link();
        self.close(usize::MAX);
        self.end_table();
        if !self.filler.has_begun() && self.images > 0 {
            let plural = if self.images == 1 { "" } else { "s" };
            self.filler
                .word(&format!("[{} image{plural} without a text]", self.images));
        }
        if self.lists_links {
            self.filler.paragraph();
            for (number, target) in self.links.listed() {
                self.filler.block();
                self.filler.unbroken(&format!("[{number}] {target}"));
            }
        }
        self.filler.finish();
    }

    /// Closes what a start tag ends without saying so.
    fn end_implied(&mut self, tag: Tag) {
        const LISTS: &[Tag] = &[Tag::UnorderedList, Tag::OrderedList];
        const CELLS: [Tag; 2] = [Tag::Cell, Tag::HeadCell];
        if tag.ends_paragraph()
            && let Some(depth) = self.open.depth_of(Tag::Paragraph)
        {
            self.close(depth);
        }
        let depth = match tag {
            Tag::Item => self.open.depth_unless_within(Tag::Item, LISTS),
            Tag::Term | Tag::Description => {
                let within = &[Tag::DefinitionList];
                let depth = |tag| self.open.depth_unless_within(tag, within);
                depth(Tag::Term).max(depth(Tag::Description))
            }
            Tag::Option => self.open.depth_of(Tag::Option),
            Tag::Cell | Tag::HeadCell => {
                let depths = CELLS.map(|cell| self.open.depth_in_table(cell));
                depths.into_iter().max().flatten()
            }
            Tag::Row | Tag::RowGroup => {
                let tags = [Tag::Cell, Tag::HeadCell, Tag::Row];
                let depths = tags.map(|tag| self.open.depth_in_table(tag));
                depths.into_iter().max().flatten()
            }
            _ => None,
        };
        if let Some(depth) = depth {
            self.close(depth);
        }
    }

    /// Shows the start of an element that has an end.
    fn begin(&mut self, tag: Tag, attributes: &Attributes, is_right: bool) {
        self.open.note_begin();
        match tag {
            Tag::Block => self.block(),
            Tag::Paragraph | Tag::Heading => self.paragraph(),
            Tag::Quote => {
                self.leave_grid();
                self.paragraph();
                self.level("> ", None);
            }
            Tag::UnorderedList => self.list(None),
            Tag::OrderedList => self.list(Some(attributes.number("start").unwrap_or(1))),
            Tag::Item => self.item(attributes),
            Tag::DefinitionList => {
                self.leave_grid();
                self.paragraph();
            }
            Tag::Term => self.block(),
            Tag::Description => {
                self.leave_grid();
                self.block();
                self.level("    ", None);
            }
            Tag::Preformatted => {
                self.leave_grid();
                self.paragraph();
                self.skips_line_end = true;
            }
            Tag::Table => {
                self.leave_grid();
                self.block();
                self.tables.push(false);
                let has_border = attributes.number("border").is_some_and(|width| width > 0);
                self.grid = Some(Grid::new(has_border));
            }
            Tag::Row => self.row(),
            Tag::Cell | Tag::HeadCell => self.cell(tag, attributes, is_right),
            Tag::Link => {
                // Links cannot be nested (HTML section 4.5.1): the next one ends the one before.
                self.close_link();
                let href = attributes.value("href");
                self.link = href.and_then(|href| self.links.open(href));
            }
            Tag::Button | Tag::Option | Tag::Select | Tag::TextArea => self.blank(),
            Tag::QuotedWords => self.word("\""),
            Tag::Superscript => self.word("^"),
            _ => {}
        }
    }

    /// Shows the end of an element.
    fn ended(&mut self, open: Open) {
        if open.has_level {
            self.filler.leave();
        }
        if !open.has_begun {
            return;
        }
        match open.tag {
            Tag::Block | Tag::Term | Tag::Description | Tag::Item => self.block(),
            Tag::Paragraph | Tag::Heading | Tag::Quote | Tag::DefinitionList => self.paragraph(),
            Tag::Preformatted => self.paragraph(),
            Tag::UnorderedList | Tag::OrderedList => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.paragraph();
                } else {
                    self.block();
                }
            }
            Tag::Table => self.end_table(),
            Tag::Row => self.end_row(),
            Tag::Cell | Tag::HeadCell => match &mut self.grid {
                Some(grid) => grid.end_cell(),
                None if self.tables.is_empty() => self.filler.gap(2),
                None => self.filler.block(),
            },
            Tag::Button | Tag::Option | Tag::Select | Tag::TextArea => self.blank(),
            Tag::QuotedWords => self.glue("\""),
            _ => {}
        }
    }

    /// Closes as many elements.
    fn close(&mut self, depth: usize) {
        for _ in 0..depth {
            let Some(open) = self.open.pop() else { return };
            self.ended(open);
        }
    }

    /// Shows an element that has no end.
    fn void(&mut self, tag: Tag, attributes: &Attributes, inherited: Inherited) {
        match tag {
            Tag::Break if self.open.inherited.blanks == Blanks::Kept => self.hard_break(),
            Tag::Break => self.line_break(),
            Tag::Rule => {
                self.leave_grid();
                let room = self.filler.room().unwrap_or(RULE.len());
                self.filler.block();
                self.filler.unbroken(&RULE[..room.min(RULE.len())]);
                self.filler.block();
            }
            Tag::Base => {
                if let Some(href) = attributes.value("href") {
                    self.links.set_base(href);
                }
            }
            Tag::WordBreak => self.word("\u{200b}"),
            Tag::Image | Tag::Area | Tag::Input if !inherited.is_shown() => {}
            Tag::Image => self.image(attributes),
            Tag::Area => {
                let link = attributes
                    .value("href")
                    .and_then(|href| self.links.open(href));
                if let Some(link) = link {
                    self.close_link();
                    self.blank();
                    self.link = Some(link);
                    self.bracketed(attributes.value("alt").unwrap_or_default());
                    self.close_link();
                    self.blank();
                }
            }
            Tag::Input => self.input(attributes),
            _ => {}
        }
    }

    fn image(&mut self, attributes: &Attributes) {
        self.images += 1;
        if let Some(link) = &mut self.link {
            link.has_image = true;
        }
        self.bracketed(attributes.value("alt").unwrap_or_default());
    }

    fn input(&mut self, attributes: &Attributes) {
        let kind = attributes.value("type").unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
        if is(&["hidden"]) {
            return;
        }
        self.blank();
        let text = if is(&["image"]) { "alt" } else { "value" };
        if !is(&["password", "checkbox", "radio", "color", "range", "file"]) {
            self.bracketed(attributes.value(text).unwrap_or_default());
        }
        self.blank();
    }

    /// Shows words that stand for something else, if there are any.
    fn bracketed(&mut self, text: &str) {
        let mut words = text.split_whitespace().peekable();
        if words.peek().is_none() {
            return;
        }
        self.word("[");
        while let Some(word) = words.next() {
            self.word(word);
            if words.peek().is_some() {
                self.blank();
            }
        }
        self.word("]");
    }

    fn list(&mut self, first: Option<i64>) {
        self.leave_grid();
        if self.lists.is_empty() {
            self.paragraph();
        } else {
            self.block();
        }
        self.lists.push(first);
    }

    fn item(&mut self, attributes: &Attributes) {
        self.leave_grid();
        self.block();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let own = attributes.number("value").unwrap_or(*number);
                *number = own.saturating_add(1);
                format!("{own}. ")
            }
            _ => "* ".to_owned(),
        };
        let rest = &"                        "[..mark.len().min(24)];
        self.level(rest, Some(mark));
    }

    /// Begins a level that ends with the element.
    fn level(&mut self, rest: &str, mark: Option<String>) {
        self.filler.enter(rest, mark);
        self.open.note_level();
    }

    fn row(&mut self) {
        match (&mut self.grid, self.tables.last()) {
            (Some(grid), _) => grid.begin_row(),
            (None, Some(_)) => {
                self.filler.block();
                let mut grid = Grid::default();
                grid.begin_row();
                self.grid = Some(grid);
            }
            (None, None) => self.filler.block(),
        }
    }

    fn end_row(&mut self) {
        let is_loose = self.tables.last().copied().unwrap_or_default();
        if is_loose && let Some(grid) = self.grid.take() {
            grid.loose(&mut self.filler);
        }
        if self.grid.is_none() {
            self.filler.block();
        }
    }

    fn cell(&mut self, tag: Tag, attributes: &Attributes, is_right: bool) {
        let span = |name| {
            let span = attributes.number(name).unwrap_or(1);
            usize::try_from(span).unwrap_or(1).clamp(1, 1000)
        };
        let is_right = is_right
            || attributes
                .value("align")
                .is_some_and(|align| align.eq_ignore_ascii_case("right"));
        match &mut self.grid {
            Some(grid) => {
                grid.is_data |= tag == Tag::HeadCell;
                grid.begin_cell(CellStyle {
                    columns: span("colspan"),
                    rows: span("rowspan"),
                    is_right,
                });
            }
            None if self.tables.is_empty() => self.filler.gap(2),
            None => self.filler.block(),
        }
    }

    fn end_table(&mut self) {
        let is_loose = self.tables.pop().unwrap_or_default();
        match self.grid.take() {
            Some(grid) if is_loose => grid.loose(&mut self.filler),
            Some(grid) => {
                grid.write(&mut self.filler);
            }
            None => {}
        }
        self.filler.block();
    }

    /// Lets the innermost table only arrange what it holds: a cell of it has blocks.
    fn leave_grid(&mut self) {
        // A caption, and what else stands before the first row, is no cell.
        if self.is_in_rows()
            && let Some(grid) = self.grid.take()
        {
            if let Some(is_loose) = self.tables.last_mut() {
                *is_loose = true;
            }
            grid.write_open(&mut self.filler);
        }
    }

    fn is_in_rows(&self) -> bool {
        self.grid.as_ref().is_some_and(|grid| !grid.is_empty())
    }

    fn folded(&mut self, text: &str) {
        let is_blank = |b: u8| matches!(b, b' ' | b'\n' | b'\t' | b'\x0c' | b'\r');
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
    fn shown_word(&mut self, word: &str) {
        // Previews are filled with characters that show as nothing.
        let shows_nothing = |c| {
            matches!(
                c,
                '\u{a0}' | '\u{200b}'..='\u{200d}' | '\u{ad}' | '\u{34f}' | '\u{feff}' | '\u{2060}'
            )
        };
        if word.as_bytes()[0] >= 0xc2 && word.chars().all(shows_nothing) {
            let blanks = word.chars().filter(|&c| c == '\u{a0}').count();
            match &mut self.grid {
                Some(grid) if !grid.is_empty() => grid.blank(),
                _ => self.filler.gap(blanks),
            }
            if let Some(link) = &mut self.link {
                link.blank();
            }
            return;
        }
        self.word(word);
    }

    fn kept(&mut self, text: &str) {
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
    fn lines(&mut self, text: &str, keeps_blanks: bool) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.leave_grid();
                self.hard_break();
            }
            if !keeps_blanks {
                self.folded(line);
                continue;
            }
            for (number, word) in line.split([' ', '\t']).enumerate() {
                if number > 0 && word.is_empty() {
                    self.filler.gap(1);
                } else if number > 0 {
                    self.blank();
                }
                if !word.is_empty() {
                    self.word(word);
                }
            }
        }
    }

    fn word(&mut self, text: &str) {
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

    /// Writes a part of a table that is too long to be kept.
    fn bound_grid(&mut self) {
        let Some(grid) = &mut self.grid else { return };
        if grid.cell_bytes() > MAX_CELL {
            self.leave_grid();
        } else if grid.bytes() > MAX_KEPT {
            if grid.has_rows_before() {
                grid.write_part(&mut self.filler);
            } else {
                self.leave_grid();
            }
        }
    }

    fn glue(&mut self, text: &str) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.glue(text),
            _ => self.filler.glue(text),
        }
    }

    fn blank(&mut self) {
        if let Some(link) = &mut self.link {
            link.blank();
        }
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.blank(),
            _ => self.filler.blank(),
        }
    }

    fn hard_break(&mut self) {
        self.leave_grid();
        self.filler.hard_break();
    }

    fn line_break(&mut self) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.line_break(),
            _ => self.filler.line_break(),
        }
    }

    fn block(&mut self) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.line_break(),
            _ => self.filler.block(),
        }
    }

    fn paragraph(&mut self) {
        match &mut self.grid {
            Some(grid) if !grid.is_empty() => grid.line_break(),
            _ => self.filler.paragraph(),
        }
    }

    /// Ends a link: its number stands behind its text, unless the text says where it leads.
    fn close_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        if !self.lists_links {
            return;
        }
        let Some(mark) = self.links.close(&link) else {
            return;
        };
        if !link.is_empty() {
            self.glue(&mark);
        } else if link.has_image {
            self.word(&format!("[image]{mark}"));
        } else {
            self.word(&mark);
        }
    }
}
