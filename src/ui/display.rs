//! The look of messages: the variables for header lines and for the fields that are shown.

use chrono::{DateTime, FixedOffset};

use super::Size;
use super::dates::Dates;
use crate::config::colours::Palette;
use crate::config::headline::{Layout, date_format};
use crate::config::{RETAINED, Settings};
use crate::message::parse::display::{IGNORED, Look};
use crate::sanitize;
use crate::sys::clock;

/// The format of a date with its time, as `datefield` without a value has it.
const ISO: &str = "%Y-%m-%d %H:%M";

/// The flag letters that `attrlist` replaces, in its order.
const LETTERS: &str = "NUR *PMFAT";

/// How header lines and messages are shown; the same for the reader and for reports.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    /// Whether a form feed follows each message shown (`page`).
    pub page: bool,
    /// Whether header lines show the recipient of messages that the user has sent (`showto`).
    pub showto: bool,
    /// The user's own addresses, in any case: by them `showto` knows who has sent a message.
    pub own_addresses: Vec<String>,
    /// Whether the user asked for display names instead of addresses (`showname`): then message
    /// lists find them too.
    pub showname: bool,
    /// Whether header lines show display names.
    pub names: bool,
    /// Header fields hidden, in lower case (`ignore`).
    pub ignore: Vec<String>,
    /// Header fields shown, in lower case and in this order (`retain`); if not empty, `ignore` does
    /// not count.
    pub retain: Vec<String>,
    /// Whether the From_ line is shown above the fields. People at a terminal see the author and the
    /// date there already.
    pub from_line: bool,
    /// How text is laid out.
    pub look: Look,
    /// How header lines are laid out (`headline`).
    pub layout: Layout,
    /// How header lines show dates (`datefield`).
    pub dates: Dates,
    /// The flag letters instead of `NUR *PMFAT` (`attrlist`).
    pub letters: Vec<char>,
    /// The least width of the numbers of messages.
    pub number_width: usize,
    /// What is coloured, and how; nothing, unless a person looks at a terminal that has colours.
    pub palette: Palette,
    /// Columns for text: those of the terminal, else 80.
    pub columns: usize,
    /// Columns after which a header line is cut.
    pub edge: usize,
    /// Shows a time in the zone of the user; the default keeps the sender's.
    pub zone: fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>,
}

impl Display {
    /// Returns what the settings say; `own_addresses` is asked only if they are needed.
    pub(crate) fn of(
        settings: &Settings,
        size: Size,
        own_addresses: impl FnOnce() -> Vec<String>,
    ) -> Display {
        let layout = settings.text("headline").and_then(Layout::parse);
        let layout = layout.unwrap_or(if size.is_terminal {
            Layout::for_people()
        } else {
            Layout::Bsd
        });
        // People at a terminal see names, unless they chose bsd-mailx's columns.
        let names = size.is_terminal && layout != Layout::Bsd && !settings.is_unset("showname");
        let now = clock::local(clock::now());
        let dates = match settings.get("datefield") {
            Some(format) => Dates {
                is_sent: true,
                format: date_format(if format.is_empty() { ISO } else { format }),
                format_of_old: settings
                    .get("datefield-markout-older")
                    .and_then(|format| date_format(if format.is_empty() { "%F" } else { format })),
                now,
            },
            None => Dates {
                is_sent: layout != Layout::Bsd,
                now,
                ..Dates::default()
            },
        };
        let mut display = Display {
            dates,
            letters: settings
                .text("attrlist")
                .unwrap_or_default()
                .chars()
                .collect(),
            page: settings.is_set("page"),
            showto: settings.is_set("showto"),
            showname: settings.is_set("showname"),
            names: names || settings.is_set("showname"),
            from_line: layout == Layout::Bsd,
            layout,
            columns: size.columns,
            edge: size.edge,
            zone: |time| clock::local(time.into()),
            ..Display::default()
        };
        display
            .ignore
            .extend(settings.shown.ignored.iter().cloned());
        display.retain = settings.shown.chosen(RETAINED);
        if display.showto {
            display.own_addresses = own_addresses();
        }
        display
    }

    /// Lays text out for a terminal, where the output is one, and under POSIX's rules shows the From_
    /// line and all header fields that are not ignored, unless `retain` names some.
    pub(crate) fn suited(mut self, is_terminal: bool, posix: bool, settings: &Settings) -> Display {
        self.look = Look {
            width: self.columns,
            breaks: is_terminal,
        };
        if settings.shown.retained.is_none() && posix {
            self.retain.clear();
        }
        self.from_line |= posix;
        self
    }
}

impl Display {
    /// Returns the flag letter that is shown for one of ours.
    pub(crate) fn attribute(&self, letter: char) -> char {
        let at = LETTERS.chars().position(|ours| ours == letter);
        let shown = at.and_then(|at| self.letters.get(at)).copied();
        shown
            .filter(|c| !sanitize::is_forbidden(*c) && !matches!(c, '\t' | '\n'))
            .unwrap_or(letter)
    }
}

impl Default for Display {
    /// Returns what holds where nothing is set and nothing is a terminal.
    fn default() -> Self {
        Display {
            layout: Layout::Bsd,
            dates: Dates::default(),
            letters: Vec::new(),
            number_width: 3,
            palette: Palette::default(),
            page: false,
            showto: false,
            own_addresses: Vec::new(),
            showname: false,
            names: false,
            ignore: IGNORED.iter().map(|&name| name.to_owned()).collect(),
            retain: RETAINED.iter().map(|&name| name.to_owned()).collect(),
            from_line: true,
            look: Look::default(),
            columns: 80,
            edge: 80,
            zone: |time| time,
        }
    }
}
