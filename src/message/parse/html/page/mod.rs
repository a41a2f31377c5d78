//! Elements and text of a document, written as text.

mod choice;
mod elements;
mod tables;
mod words;

use choice::Choice;

use super::attributes::Attributes;
use super::grid::Grid;
use super::layout::Layout;
use super::links::{Links, OpenLink};
use super::open::{Blanks, OpenElements};
use super::style;
use super::tag::Tag;
use super::tokens::Sink;
use crate::message::parse::filler::Filler;

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
    /// The rows of the table around it, while the innermost one may be no more than the frame of a cell.
    outer: Option<Grid>,
    /// A line end that begins preformatted text is not part of it.
    skips_line_end: bool,
    images: usize,
    choice: Option<Choice>,
}

impl Sink for Page<'_> {
    fn start(&mut self, tag: Tag, attributes: &Attributes<'_>) {
        self.skips_line_end = false;
        if tag == Tag::Body {
            return;
        }
        if let Some(choice) = &mut self.choice {
            // What else begins in a list, whose end may be missing, is no text of an option.
            choice.in_option = false;
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
            self.begin(tag, attributes, style);
        } else {
            self.block();
        }
    }

    fn end(&mut self, tag: Tag) {
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

    fn text(&mut self, text: &str) {
        if !self.open.inherited.is_shown() {
            return;
        }
        if let Some(choice) = self.choice.as_mut().filter(|choice| choice.in_option) {
            return choice.push(text);
        }
        match self.open.inherited.blanks {
            Blanks::Folded => self.folded(text),
            Blanks::Kept => self.kept(text),
            Blanks::Wrapped => self.lines(text, true),
            Blanks::Lines => self.lines(text, false),
        }
    }
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
            outer: None,
            skips_line_end: false,
            images: 0,
            choice: None,
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
            for (place, target) in self.links.listed().iter().enumerate() {
                self.filler.block();
                self.filler.unbroken(&format!("[{}] ", place + 1));
                self.filler.unbroken(target);
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

    /// Closes as many elements.
    fn close(&mut self, depth: usize) {
        for _ in 0..depth {
            let Some(open) = self.open.pop() else { return };
            self.ended(open);
        }
    }
}
