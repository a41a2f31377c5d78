//! A list to choose from: the option that is chosen is shown, and how many there are. All of them, such
//! as the countries of the world, would hide the text around them.

/// The list that is open.
#[derive(Default)]
pub(super) struct Choice {
    /// The text of the option that is chosen: the first one, unless another one says that it is.
    pub(super) text: String,
    /// Which one that is, and how many there are.
    pub(super) chosen: usize,
    pub(super) count: usize,
    is_selected: bool,
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

    /// Begins an option.
    pub(super) fn option(&mut self, is_selected: bool) {
        self.in_option = true;
        self.count += 1;
        if self.count == 1 || (is_selected && !self.is_selected) {
            self.chosen = self.count;
            self.is_selected = is_selected;
            self.text.clear();
        }
    }
}
