//! What the start and the end of an element show.

use super::Page;
use super::choice::Choice;
use crate::message::parse::html::attributes::Attributes;
use crate::message::parse::html::open::{Blanks, Inherited, Open};
use crate::message::parse::html::style::Style;
use crate::message::parse::html::tag::Tag;

/// How long a line across is.
const RULE: &str = "----------------------------------------";

impl Page<'_> {
    /// Shows the start of an element that has an end.
    pub(super) fn begin(&mut self, tag: Tag, attributes: &Attributes<'_>, style: Style) {
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
            Tag::Table => self.table(attributes),
            Tag::Row => self.row(attributes, style),
            Tag::Cell | Tag::HeadCell => self.cell(tag, attributes, style),
            Tag::Link => {
                // Links cannot be nested (HTML section 4.5.1): the next one ends the one before.
                self.close_link();
                let href = attributes.value("href");
                self.link = href.and_then(|href| self.links.open(href));
            }
            Tag::Button | Tag::TextArea => self.blank(),
            Tag::Select => {
                self.blank();
                self.begin_choice(attributes);
            }
            Tag::Option => {
                self.blank();
                self.begin_option(attributes);
            }
            Tag::QuotedWords => self.word("\""),
            Tag::Superscript => self.word("^"),
            _ => {}
        }
    }

    /// Shows the end of an element.
    pub(super) fn ended(&mut self, open: Open) {
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
                None if self.tables.is_empty() => self.filler.blank(),
                None => self.filler.block(),
            },
            Tag::Button | Tag::TextArea => self.blank(),
            Tag::Select => {
                self.end_choice();
                self.blank();
            }
            Tag::Option => {
                if let Some(choice) = &mut self.choice {
                    choice.in_option = false;
                }
                self.blank();
            }
            Tag::QuotedWords => self.glue("\""),
            _ => {}
        }
    }

    /// Shows an element that has no end.
    pub(super) fn void(&mut self, tag: Tag, attributes: &Attributes<'_>, inherited: Inherited) {
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

    pub(super) fn image(&mut self, attributes: &Attributes<'_>) {
        self.images += 1;
        if let Some(link) = &mut self.link {
            link.has_image = true;
        }
        self.bracketed(attributes.value("alt").unwrap_or_default());
    }

    pub(super) fn input(&mut self, attributes: &Attributes<'_>) {
        let kind = attributes.value("type").unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
        if is(&["hidden"]) {
            return;
        }
        self.blank();
        let text = if is(&["image"]) { "alt" } else { "value" };
        if is(&["checkbox", "radio"]) {
            // A field shows what it holds: what is ticked beforehand is part of what the mail says.
            if attributes.value("checked").is_some() {
                self.word("[x]");
            }
        } else if !is(&["password", "color", "range", "file"]) {
            self.bracketed(attributes.value(text).unwrap_or_default());
        }
        self.blank();
    }

    /// Shows words that stand for something else, if there are any.
    pub(super) fn bracketed(&mut self, text: &str) {
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

    pub(super) fn list(&mut self, first: Option<i64>) {
        self.leave_grid();
        if self.lists.is_empty() {
            self.paragraph();
        } else {
            self.block();
        }
        self.lists.push(first);
    }

    pub(super) fn item(&mut self, attributes: &Attributes<'_>) {
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
    pub(super) fn level(&mut self, rest: &str, mark: Option<String>) {
        self.filler.enter(rest, mark);
        self.open.note_level();
    }

    /// Ends a link: its number stands behind its text, unless the text says where it leads.
    pub(super) fn close_link(&mut self) {
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
            // Behind a word, the number would say that the word is the link.
            self.blank();
            self.word(&mark);
            self.blank();
        }
    }

    /// Begins a list; one of which several options are visible shows all of them.
    fn begin_choice(&mut self, attributes: &Attributes<'_>) {
        let is_open = attributes.value("multiple").is_some()
            || attributes.number("size").is_some_and(|size| size > 1);
        self.choice = (!is_open).then(Choice::default);
    }

    fn begin_option(&mut self, attributes: &Attributes<'_>) {
        if let Some(choice) = &mut self.choice {
            choice.option(attributes.value("selected").is_some());
        }
    }

    fn end_choice(&mut self) {
        let Some(choice) = self.choice.take() else {
            return;
        };
        self.bracketed(&choice.text);
        if choice.count > 1 {
            self.blank();
            self.word(&format!("({}", choice.chosen));
            self.blank();
            self.word("of");
            self.blank();
            self.word(&format!("{})", choice.count));
        }
    }
}
