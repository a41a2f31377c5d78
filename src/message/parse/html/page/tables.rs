//! Tables: whose rows are kept, and whose cells are written at once.

use super::Page;
use crate::message::parse::html::attributes::Attributes;
use crate::message::parse::html::grid::{CellStyle, Grid, MAX_CELL, MAX_KEPT};
use crate::message::parse::html::style::Style;
use crate::message::parse::html::tag::Tag;

impl Page<'_> {
    pub(super) fn table(&mut self, attributes: &Attributes<'_>) {
        self.leave_outer();
        let has_border = attributes.number("border").is_some_and(|width| width > 0);
        let mut grid = Grid::new(has_border);
        if self.grid.as_ref().is_some_and(Grid::is_at_start_of_cell) {
            self.outer = self.grid.take();
            grid.begin_row(false);
        } else {
            self.leave_grid();
            self.block();
        }
        self.tables.push(false);
        self.grid = Some(grid);
    }

    /// Lets the table around the innermost one only arrange it: that is more than the frame of a cell.
    fn leave_outer(&mut self) {
        let Some(outer) = self.outer.take() else {
            return;
        };
        if let Some(is_loose) = self.tables.iter_mut().nth_back(1) {
            *is_loose = true;
        }
        outer.write_open(&mut self.filler);
    }

    pub(super) fn row(&mut self, attributes: &Attributes<'_>, style: Style) {
        let is_bottom = style.is_bottom || is_bottom(attributes);
        match (&mut self.grid, self.tables.last()) {
            (Some(grid), _) => grid.begin_row(is_bottom),
            (None, Some(_)) => {
                self.filler.block();
                let mut grid = Grid::default();
                grid.begin_row(is_bottom);
                self.grid = Some(grid);
            }
            (None, None) => self.filler.block(),
        }
    }

    pub(super) fn end_row(&mut self) {
        let is_loose = self.tables.last().copied().unwrap_or_default();
        if is_loose && let Some(grid) = self.grid.take() {
            grid.loose(&mut self.filler);
        }
        if self.grid.is_none() {
            self.filler.block();
        }
    }

    pub(super) fn cell(&mut self, tag: Tag, attributes: &Attributes<'_>, style: Style) {
        let span = |name| {
            let span = attributes.number(name).unwrap_or(1);
            usize::try_from(span).unwrap_or(1).clamp(1, 1000)
        };
        if self.outer.is_some() && self.grid.as_ref().is_some_and(Grid::is_full_column) {
            self.leave_outer();
        }
        let is_right = style.is_right
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
                    is_bottom: style.is_bottom || is_bottom(attributes),
                });
            }
            None if self.tables.is_empty() => self.filler.blank(),
            None => self.filler.block(),
        }
    }

    pub(super) fn end_table(&mut self) {
        if self.outer.is_some()
            && let Some(text) = self
                .grid
                .take_if(|grid| grid.is_column())
                .map(Grid::into_text)
        {
            self.tables.pop();
            self.grid = self.outer.take();
            if let Some(grid) = &mut self.grid {
                grid.take_column(&text);
            }
            return self.bound_grid();
        }
        self.leave_outer();
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
    pub(super) fn leave_grid(&mut self) {
        self.leave_outer();
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

    pub(super) fn is_in_rows(&self) -> bool {
        self.grid.as_ref().is_some_and(|grid| !grid.is_empty())
    }

    /// Writes a part of a table that is too long to be kept.
    pub(super) fn bound_grid(&mut self) {
        let Some(grid) = &mut self.grid else { return };
        if grid.cell_bytes() > MAX_CELL {
            self.leave_grid();
        } else if grid.bytes() > MAX_KEPT {
            if self.outer.is_some() || !grid.has_rows_before() {
                self.leave_grid();
            } else {
                grid.write_part(&mut self.filler);
            }
        }
    }
}

fn is_bottom(attributes: &Attributes<'_>) -> bool {
    let align = attributes.value("valign");
    align.is_some_and(|align| align.eq_ignore_ascii_case("bottom"))
}
