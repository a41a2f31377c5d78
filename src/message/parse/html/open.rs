//! The elements that are open: what an end tag ends, in constant time a tag.

use super::tag::{COUNT, Tag};

/// How many elements may be open; deeper ones are counted only.
const MAX_OPEN: usize = 100_000;
const NONE: u32 = u32::MAX;

/// What an element inherits to those within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inherited {
    /// It and all within it is not shown.
    pub(super) is_gone: bool,
    /// `visibility: hidden`.
    pub(super) is_invisible: bool,
    /// `font-size: 0`.
    pub(super) is_tiny: bool,
    pub(super) blanks: Blanks,
}

impl Inherited {
    pub(super) fn is_shown(self) -> bool {
        !self.is_gone && !self.is_invisible && !self.is_tiny
    }
}

/// What happens to blanks and line ends (CSS `white-space`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Blanks {
    /// Any number of them is one blank.
    #[default]
    Folded,
    /// They stay, and lines are not wrapped.
    Kept,
    /// They stay, and lines are wrapped.
    Wrapped,
    /// Line ends stay.
    Lines,
}

/// An element that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) tag: Tag,
    /// Whether its beginning was shown, so that its end is, too.
    pub(super) has_begun: bool,
    /// Whether it began a level of the filler.
    pub(super) has_level: bool,
    /// What holds again behind it.
    before: Inherited,
    /// The open element of the same tag before it.
    same: u32,
    /// The wall around it.
    wall: u32,
    /// The block around it.
    block: u32,
}

/// The stack of open elements.
pub(super) struct OpenElements {
    stack: Vec<Open>,
    last: [u32; COUNT],
    wall: u32,
    block: u32,
    deeper: usize,
    pub(super) inherited: Inherited,
}

impl OpenElements {
    pub(super) fn new() -> OpenElements {
        OpenElements {
            stack: Vec::new(),
            last: [NONE; COUNT],
            wall: NONE,
            block: NONE,
            deeper: 0,
            inherited: Inherited::default(),
        }
    }

    /// Opens an element; `false` if it is too deep to be known.
    pub(super) fn push(&mut self, tag: Tag, inherited: Inherited) -> bool {
        if self.stack.len() >= MAX_OPEN {
            self.deeper += 1;
            return false;
        }
        let at = self.stack.len() as u32;
        self.stack.push(Open {
            tag,
            has_begun: false,
            has_level: false,
            before: self.inherited,
            same: self.last[tag as usize],
            wall: self.wall,
            block: self.block,
        });
        self.last[tag as usize] = at;
        if tag.is_wall() {
            self.wall = at;
        }
        if tag.is_block() {
            self.block = at;
        }
        self.inherited = inherited;
        true
    }

    /// Closes the innermost element.
    pub(super) fn pop(&mut self) -> Option<Open> {
        let open = self.stack.pop()?;
        self.last[open.tag as usize] = open.same;
        self.wall = open.wall;
        self.block = open.block;
        self.inherited = open.before;
        Some(open)
    }

    /// Notes that the beginning of the innermost element is shown.
    pub(super) fn note_begin(&mut self) {
        if let Some(open) = self.stack.last_mut() {
            open.has_begun = true;
        }
    }

    /// Notes that the innermost element began a level.
    pub(super) fn note_level(&mut self) {
        if let Some(open) = self.stack.last_mut() {
            open.has_level = true;
        }
    }

    /// Returns how many elements are open above the innermost one of a tag, itself included; `None`
    /// if it is not open, or outside of the table cell that is open.
    pub(super) fn depth_of(&self, tag: Tag) -> Option<usize> {
        let at = self.last[tag as usize];
        let is_within = at != NONE && (self.wall == NONE || at >= self.wall);
        is_within.then(|| self.stack.len() - at as usize)
    }

    /// Returns how many elements are open above the innermost table, itself included.
    pub(super) fn depth_of_table(&self) -> Option<usize> {
        let at = self.last[Tag::Table as usize];
        (at != NONE).then(|| self.stack.len() - at as usize)
    }

    /// Returns the depth of an element of a table, within the innermost table.
    pub(super) fn depth_in_table(&self, tag: Tag) -> Option<usize> {
        let (at, table) = (self.last[tag as usize], self.last[Tag::Table as usize]);
        let is_within = at != NONE && (table == NONE || at > table);
        is_within.then(|| self.stack.len() - at as usize)
    }

    /// Returns the depth of a tag if no element of the others is open within it.
    pub(super) fn depth_unless_within(&self, tag: Tag, others: &[Tag]) -> Option<usize> {
        let at = self.last[tag as usize];
        let is_nearer = |other: &Tag| {
            let other = self.last[*other as usize];
            other != NONE && other > at
        };
        let depth = self.depth_of(tag)?;
        (!others.iter().any(is_nearer)).then_some(depth)
    }

    /// Whether a block is open within the innermost element of a tag.
    pub(super) fn holds_block(&self, tag: Tag) -> bool {
        let at = self.last[tag as usize];
        self.block != NONE && at != NONE && self.block > at
    }

    /// Returns whether this end tag belongs to an element that is too deep to be known.
    pub(super) fn ends_deeper(&mut self) -> bool {
        let is_deeper = self.deeper > 0;
        self.deeper = self.deeper.saturating_sub(1);
        is_deeper
    }

    /// Ends the hiding of an inline element that cannot be closed: blocks are open within it.
    pub(super) fn show_again(&mut self, tag: Tag) {
        let at = self.last[tag as usize] as usize;
        let Some(open) = self.stack.get(at) else {
            return;
        };
        let hides = self
            .stack
            .get(at + 1)
            .is_some_and(|inner| inner.before != open.before);
        if hides {
            let before = open.before;
            for inner in &mut self.stack[at + 1..] {
                inner.before.is_gone = before.is_gone;
                inner.before.is_invisible &= before.is_invisible;
                inner.before.is_tiny &= before.is_tiny;
            }
            self.inherited.is_gone = before.is_gone;
            self.inherited.is_invisible &= before.is_invisible;
            self.inherited.is_tiny &= before.is_tiny;
        }
    }
}
