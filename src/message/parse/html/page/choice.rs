//! A list to choose from: the option that is chosen is shown, and how many there are. All of them, such
//! as the countries of the world, would hide the text around them.

use super::Page;
use crate::message::parse::html::attributes::Attributes;

/// The list that is open.
#[derive(Default)]
pub(super) struct Choice {
    /// The text of the option that is chosen: the first one, unless another one says that it is.
    text: String,
    chosen: usize,
    is_selected: bool,
    count: usize,
    /// Whether what follows is the text of an option.
    pub(super) in_option: bool,
}

impl Choice {
    /// Takes a piece of the text of an option.
    pub(super) fn push(&mut self, text: &str) {
        if self.chosen == self.count {
            self.text.push_str(text);
        }
    }

    fn option(&mut self, is_selected: bool) {
        self.in_option = true;
        self.count += 1;
        if self.count == 1 || (is_selected && !self.is_selected) {
            self.chosen = self.count;
            self.is_selected = is_selected;
            self.text.clear();
        }
    }
}

impl Page<'_> {
    /// Begins a list; one of which several options are visible shows all of them.
    pub(super) fn begin_choice(&mut self, attributes: &Attributes<'_>) {
        let is_open = attributes.value("multiple").is_some()
            || attributes.number("size").is_some_and(|size| size > 1);
        self.choice = (!is_open).then(Choice::default);
    }

    pub(super) fn begin_option(&mut self, attributes: &Attributes<'_>) {
        if let Some(choice) = &mut self.choice {
            choice.option(attributes.value("selected").is_some());
        }
    }

    pub(super) fn end_choice(&mut self) {
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
