//! Tables: the cells of one table, until it is known how they are laid out.
//!
//! A table whose rows fit is shown in aligned columns; one that is too wide, in columns of wrapped
//! cells if it says that it holds data. All others only arrange other text: a row of short cells
//! is a line, and every other cell a block.

use unicode_width::UnicodeWidthStr;

use crate::message::parse::filler::Filler;

/// Between two columns.
const GAP: usize = 2;
/// How many columns a table may have; another one is not aligned.
const MAX_COLUMNS: usize = 64;
/// How much of a table is kept at once, in bytes.
pub(super) const MAX_KEPT: usize = 64 * 1024;
/// The longest text of a cell that is kept, in bytes: longer ones are no data.
pub(super) const MAX_CELL: usize = 4000;
/// The width that counts where lines are not wrapped.
const UNWRAPPED: usize = 100;
/// The longest cell before a long one in the same line.
const SHORT: usize = 24;

/// A cell: its lines, in words divided by one blank.
#[derive(Default)]
struct Cell {
    text: String,
    /// Whether there is more in it than blanks.
    has_words: bool,
    column: usize,
    span: usize,
    is_right: bool,
    /// Whether its lines stand at the bottom of the row.
    is_bottom: bool,
}

impl Cell {
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text
            .split('\n')
            .map(move |line| line.trim_matches(is_blank))
    }

    fn is_empty(&self) -> bool {
        !self.has_words
    }

    /// Whether it has one line.
    fn is_flat(&self) -> bool {
        memchr::memchr(b'\n', self.text.as_bytes()).is_none()
    }

    fn push(&mut self, text: &str) {
        self.has_words = self.has_words || !text.chars().all(is_blank);
        self.text.push_str(text);
    }

    fn width(&self) -> usize {
        self.lines().map(columns).max().unwrap_or(0)
    }
}

/// What a start tag says of its cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellStyle {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) is_right: bool,
    pub(super) is_bottom: bool,
}

/// The rows of a table so far.
#[derive(Default)]
pub(super) struct Grid {
    rows: Vec<Vec<Cell>>,
    in_cell: bool,
    /// Whether the cells of the last row stand at its bottom.
    is_bottom: bool,
    /// Whether it says that it holds data: by a head cell, or a border.
    pub(super) is_data: bool,
    bytes: usize,
    /// How many rows more a cell above reaches down, for each column.
    spans: Vec<usize>,
    /// Widths of the columns of rows that were written before.
    least: Vec<usize>,
    blank: bool,
    /// Line ends before the next word of the cell.
    breaks: usize,
    is_wide: bool,
}

impl Grid {
    pub(super) fn new(is_data: bool) -> Grid {
        Grid {
            is_data,
            ..Grid::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns how long the text of the open cell is.
    pub(super) fn cell_bytes(&self) -> usize {
        self.cell().map_or(0, |cell| cell.text.len())
    }

    fn cell(&self) -> Option<&Cell> {
        self.rows.last().and_then(|row| row.last())
    }

    /// Returns whether what comes next belongs to the last word.
    pub(super) fn is_in_word(&self) -> bool {
        self.cell_bytes() > 0 && self.in_cell && !self.blank && self.breaks == 0
    }

    /// Returns whether a cell is open, and nothing in it yet.
    pub(super) fn is_at_start_of_cell(&self) -> bool {
        self.in_cell && self.cell_bytes() == 0
    }

    /// Returns whether another cell would make it more than a column.
    pub(super) fn is_full_column(&self) -> bool {
        let mut cells = self.rows.iter().flatten();
        self.bytes > MAX_CELL || cells.any(|cell| !cell.is_empty())
    }

    /// Returns whether its only cell with words has short lines without a gap: with others beside it, it
    /// may be a column of data.
    pub(super) fn is_column(&self) -> bool {
        let mut cells = self.rows.iter().flatten().filter(|cell| !cell.is_empty());
        let is_narrow = |line: &str| (1..=SHORT).contains(&columns(line));
        let first = cells.next();
        first.is_some_and(|cell| cell.lines().all(is_narrow)) && cells.next().is_none()
    }

    /// Returns the text of its only cell with words.
    pub(super) fn into_text(self) -> String {
        let mut cells = self.rows.into_iter().flatten();
        let cell = cells.find(|cell| !cell.is_empty());
        cell.map(|cell| cell.text).unwrap_or_default()
    }

    /// Takes the text of a table that begins the open cell, as lines of their own.
    pub(super) fn take_column(&mut self, text: &str) {
        self.word(text);
        self.block();
    }

    pub(super) fn begin_row(&mut self, is_bottom: bool) {
        self.in_cell = false;
        self.is_bottom = is_bottom;
        self.rows.push(Vec::new());
        self.bytes += size_of::<Vec<Cell>>();
        for left in &mut self.spans {
            *left = left.saturating_sub(1);
        }
    }

    pub(super) fn begin_cell(&mut self, style: CellStyle) {
        if self.rows.is_empty() {
            self.begin_row(false);
        }
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        let mut column = row.last().map_or(0, |cell| cell.column + cell.span);
        while self.spans.get(column).is_some_and(|&left| left > 0) {
            column += 1;
        }
        let span = style.columns.clamp(1, MAX_COLUMNS);
        self.is_wide |= column + span > MAX_COLUMNS;
        if style.rows > 1 && !self.is_wide {
            self.spans.resize(self.spans.len().max(column + span), 0);
            // This row counts, too: the next one takes it off.
            self.spans[column..column + span].fill(style.rows);
        }
        row.push(Cell {
            column,
            span,
            is_right: style.is_right,
            is_bottom: style.is_bottom || self.is_bottom,
            ..Cell::default()
        });
        self.bytes += size_of::<Cell>();
        self.in_cell = true;
        self.blank = false;
        self.breaks = 0;
    }

    pub(super) fn end_cell(&mut self) {
        self.in_cell = false;
    }

    pub(super) fn word(&mut self, text: &str) {
        if !self.in_cell {
            self.begin_cell(CellStyle {
                columns: 1,
                rows: 1,
                is_right: false,
                is_bottom: false,
            });
        }
        let (blank, breaks) = (self.blank, self.breaks);
        let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) else {
            return;
        };
        if !cell.text.is_empty() {
            if breaks > 0 {
                cell.text.extend(std::iter::repeat_n('\n', breaks));
            } else if blank {
                cell.text.push(' ');
            }
        }
        self.blank = false;
        self.breaks = 0;
        cell.push(text);
        self.bytes += text.len() + 1;
    }

    /// Appends to the last word of the cell.
    pub(super) fn glue(&mut self, text: &str) {
        match self.rows.last_mut().and_then(|row| row.last_mut()) {
            Some(cell) if self.in_cell && !cell.text.is_empty() => cell.push(text),
            _ => self.word(text),
        }
        self.bytes += text.len();
    }

    pub(super) fn blank(&mut self) {
        self.blank = true;
    }

    pub(super) fn line_break(&mut self) {
        self.breaks = (self.breaks + 1).min(2);
    }

    pub(super) fn block(&mut self) {
        self.breaks = self.breaks.max(1);
    }

    pub(super) fn paragraph(&mut self) {
        self.breaks = 2;
    }

    /// Writes what is kept as blocks, and leaves the open cell open: its text goes on.
    pub(super) fn write_open(self, filler: &mut Filler<'_>) {
        let (in_cell, blank, breaks) = (self.in_cell, self.blank, self.breaks);
        let mut rows = self.rows;
        let last = rows.pop();
        for row in &rows {
            loose(row, filler);
        }
        let mut last = last.unwrap_or_default();
        let open = if in_cell { last.pop() } else { None };
        loose(&last, filler);
        let Some(open) = open else { return };
        filler.block();
        if !open.is_empty() {
            words(&open, filler);
            if breaks > 0 {
                (0..breaks).for_each(|_| filler.line_break());
            } else if blank {
                filler.blank();
            }
        }
    }

    /// Writes the rows that are complete, aligned, and keeps the last one: the table is too long.
    pub(super) fn write_part(&mut self, filler: &mut Filler<'_>) {
        let Some(last) = self.rows.pop() else { return };
        let mut part = Grid {
            rows: std::mem::take(&mut self.rows),
            is_data: self.is_data,
            is_wide: self.is_wide,
            least: std::mem::take(&mut self.least),
            ..Grid::default()
        };
        self.bytes = last
            .iter()
            .map(|cell| cell.text.len() + size_of::<Cell>())
            .sum();
        self.rows.push(last);
        part.drop_empty_rows();
        self.least = part.write_rows(filler);
    }

    pub(super) fn has_rows_before(&self) -> bool {
        self.rows.len() > 1
    }

    /// Writes the rows as they are best read.
    pub(super) fn write(mut self, filler: &mut Filler<'_>) {
        self.drop_empty_rows();
        if self.rows.len() < 2 {
            // There is nothing that it could be aligned with.
            return self.loose(filler);
        }
        self.write_rows(filler);
    }

    fn drop_empty_rows(&mut self) {
        self.rows
            .retain(|row| row.iter().any(|cell| !cell.is_empty()));
    }

    /// Writes rows with words; returns the widths of the columns.
    fn write_rows(self, filler: &mut Filler<'_>) -> Vec<usize> {
        let widths = self.widths();
        let used = widths.iter().filter(|&&width| width > 0).count();
        let is_aligned = !self.is_wide && used > 1 && self.rows.len() > 1;
        let total = total(&widths);
        match filler.room() {
            _ if !is_aligned => self.loose(filler),
            Some(room) if total > room => {
                let narrow = self.is_data.then(|| self.narrow(&widths, room)).flatten();
                match narrow {
                    Some(narrow) => self.aligned(filler, &narrow, true),
                    None => self.loose(filler),
                }
            }
            None if total * self.rows.len() > 8 * self.bytes + 4096 => self.loose(filler),
            _ => self.aligned(filler, &widths, false),
        }
        widths
    }

    /// Writes rows that only arrange text.
    pub(super) fn loose(&self, filler: &mut Filler<'_>) {
        for row in &self.rows {
            loose(row, filler);
        }
        filler.block();
    }

    /// Returns the widths of the columns by the cells of one column; a wider cell may reach over
    /// others.
    fn widths(&self) -> Vec<usize> {
        let mut widths = self.least.clone();
        if self.is_wide {
            return widths;
        }
        for cell in self.rows.iter().flatten().filter(|cell| !cell.is_empty()) {
            let end = cell.column + cell.span;
            widths.resize(widths.len().max(end), 0);
            if cell.span == 1 {
                widths[cell.column] = widths[cell.column].max(cell.width());
            }
        }
        // A cell over several columns that do not have room for it: the last one grows, unless it
        // stands alone in its row.
        for row in &self.rows {
            let is_alone = row.iter().filter(|cell| !cell.is_empty()).count() < 2;
            for cell in row.iter().filter(|cell| cell.span > 1 && !cell.is_empty()) {
                let end = cell.column + cell.span;
                let has = total(&widths[cell.column..end]);
                let needed = cell.width();
                if !is_alone && needed > has {
                    widths[end - 1] += needed - has;
                }
            }
        }
        widths
    }

    /// Returns widths that fit, in which the cells are wrapped; `None` if words would not fit.
    fn narrow(&self, widths: &[usize], room: usize) -> Option<Vec<usize>> {
        let mut least = vec![0usize; widths.len()];
        for cell in self.rows.iter().flatten().filter(|cell| cell.span == 1) {
            let longest = cell
                .text
                .split([' ', '\n'])
                .map(UnicodeWidthStr::width)
                .max();
            // East Asian text can be broken in words.
            let longest = longest.unwrap_or(0);
            let longest = if cell.text.is_ascii() {
                longest
            } else {
                longest.min(12)
            };
            least[cell.column] = least[cell.column].max(longest);
        }
        let needed = total(&least);
        if needed > room {
            return None;
        }
        let wanted: usize = widths
            .iter()
            .zip(&least)
            .map(|(w, l)| w.saturating_sub(*l))
            .sum();
        let left = room - needed;
        let share = |(&width, &least): (&usize, &usize)| {
            least
                + (width.saturating_sub(least) * left)
                    .checked_div(wanted)
                    .unwrap_or(0)
        };
        Some(widths.iter().zip(&least).map(share).collect())
    }

    fn aligned(&self, filler: &mut Filler<'_>, widths: &[usize], wraps: bool) {
        filler.paragraph();
        let mut starts = Vec::with_capacity(widths.len());
        let mut at = 0;
        for width in widths {
            starts.push(at);
            at += if *width > 0 { width + GAP } else { 0 };
        }
        for row in &self.rows {
            let mut cells = row.iter().filter(|cell| !cell.is_empty());
            if let (Some(only), None) = (cells.next(), cells.next())
                && (only.span > 1 || only.width() > widths[only.column])
            {
                filler.block();
                words(only, filler);
                continue;
            }
            let lines: Vec<Vec<String>> = row
                .iter()
                .map(|cell| {
                    let end = (cell.column + cell.span).min(widths.len());
                    let columns = widths.get(cell.column..end).map_or(1, total);
                    cell_lines(cell, wraps.then_some(columns.max(1)))
                })
                .collect();
            let height = lines.iter().map(Vec::len).max().unwrap_or(0);
            for number in 0..height {
                filler.block();
                let mut at = 0;
                for (cell, lines) in row.iter().zip(&lines) {
                    let above = if cell.is_bottom {
                        height - lines.len()
                    } else {
                        0
                    };
                    let line = number.checked_sub(above).and_then(|line| lines.get(line));
                    let Some(text) = line.filter(|text| !text.is_empty()) else {
                        continue;
                    };
                    let width = columns(text);
                    let mut start = starts.get(cell.column).copied().unwrap_or(at);
                    if cell.is_right && cell.span == 1 {
                        start += widths[cell.column].saturating_sub(width);
                    }
                    if at > 0 && start <= at {
                        start = at + GAP;
                    }
                    filler.unbroken(&" ".repeat(start - at));
                    filler.unbroken(text);
                    at = start + width;
                }
            }
        }
        filler.paragraph();
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}')
}

/// Returns the columns of a line.
fn columns(line: &str) -> usize {
    if line.is_ascii() {
        line.len()
    } else {
        line.width()
    }
}

fn total(widths: &[usize]) -> usize {
    let used = widths.iter().filter(|&&width| width > 0);
    let sum: usize = used.map(|width| width + GAP).sum();
    sum.saturating_sub(GAP)
}

/// Returns the lines of a cell, wrapped to a width.
fn cell_lines(cell: &Cell, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return cell.lines().map(str::to_owned).collect();
    };
    let mut text = String::new();
    let mut add = |piece: &str| text.push_str(piece);
    let mut filler = Filler::new(Some(width), &mut add);
    words(cell, &mut filler);
    filler.finish();
    text.lines().map(str::to_owned).collect()
}

/// Writes a row of a table that only arranges text.
fn loose(row: &[Cell], filler: &mut Filler<'_>) {
    let cells: Vec<&Cell> = row.iter().filter(|cell| !cell.is_empty()).collect();
    let Some((last, before)) = cells.split_last() else {
        return;
    };
    let room = filler.room().unwrap_or(UNWRAPPED);
    let widths: Vec<usize> = cells.iter().map(|cell| cell.width()).collect();
    let is_line = cells.iter().all(|cell| cell.is_flat()) && total(&widths) <= room;
    let is_labelled = before.iter().all(|cell| cell.is_flat())
        && total(&widths[..before.len()]) <= SHORT.min(room / 2);
    filler.block();
    if let Some(height) = lines_of_all(&cells)
        && total(&widths) <= room
    {
        columns_of(&cells, &widths, height, filler);
    } else if is_line || is_labelled {
        for cell in before {
            words(cell, filler);
            filler.gap(GAP);
        }
        words(last, filler);
    } else {
        for cell in cells {
            filler.block();
            words(cell, filler);
        }
    }
    filler.block();
}

/// Returns how many lines the cells of a row have, if that is more than one and the same for all: they
/// are the columns of a table that was written as one row.
fn lines_of_all(cells: &[&Cell]) -> Option<usize> {
    let mut counts = cells.iter().map(|cell| {
        let has_gap = cell.lines().any(str::is_empty);
        (!has_gap).then(|| cell.lines().count())
    });
    let first = counts.next()??;
    let is_same = counts.all(|count| count == Some(first));
    (first > 2 && cells.len() > 1 && is_same).then_some(first)
}

/// Writes cells with as many lines each beside each other.
fn columns_of(cells: &[&Cell], widths: &[usize], height: usize, filler: &mut Filler<'_>) {
    let lines: Vec<Vec<&str>> = cells.iter().map(|cell| cell.lines().collect()).collect();
    for number in 0..height {
        filler.block();
        let mut gap = 0;
        for (lines, width) in lines.iter().zip(widths) {
            let text = lines[number];
            filler.unbroken(&" ".repeat(gap));
            filler.unbroken(text);
            gap = GAP + width - columns(text);
        }
    }
    filler.block();
}

/// Writes the words of a cell.
fn words(cell: &Cell, filler: &mut Filler<'_>) {
    for (number, line) in cell.lines().enumerate() {
        if number > 0 {
            filler.line_break();
        }
        let mut rest = line;
        loop {
            let end = rest.bytes().position(|b| b == b' ');
            filler.word(&rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { break };
            filler.blank();
            rest = &rest[end + 1..];
        }
    }
}
