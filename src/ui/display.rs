//! The look of messages: the variables for header lines and for the fields that are shown.

use chrono::{DateTime, FixedOffset};

use super::Size;
use crate::config::{RETAINED, Settings};
use crate::message::parse::display::{IGNORED, Look};
use crate::sys::clock;

/// How header lines and messages are shown; the same for the reader and for reports.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    /// Whether a form feed follows each message shown (`page`).
    pub page: bool,
    /// Whether header lines show the recipient of messages that the user has sent (`showto`).
    pub showto: bool,
    /// The user's own addresses, in any case: by them `showto` knows who has sent a message.
    pub own_addresses: Vec<String>,
    /// Whether header lines show display names instead of addresses (`showname`).
    pub showname: bool,
    /// Header fields hidden, in lower case (`ignore`).
    pub ignore: Vec<String>,
    /// Header fields shown, in lower case and in this order (`retain`); if not empty, `ignore` does
    /// not count.
    pub retain: Vec<String>,
    /// How text is laid out.
    pub look: Look,
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
        let mut display = Display {
            page: settings.is_set("page"),
            showto: settings.is_set("showto"),
            showname: settings.is_set("showname"),
            columns: size.columns,
            edge: size.edge,
            zone: |time| clock::local(time.into()),
            ..Display::default()
        };
        display.ignore.extend(settings.ignored.iter().cloned());
        match &settings.retained {
            Some(retained) => display.retain.clone_from(retained),
            // A field that somebody ignores is not shown because it stands in our own list.
            None => {
                let ignored = &settings.ignored;
                display.retain.retain(|name| !ignored.contains(name));
                if display.retain.is_empty() {
                    // A list without names would show all fields: here none shall be shown.
                    display.retain.push(String::new());
                }
            }
        }
        if display.showto {
            display.own_addresses = own_addresses();
        }
        display
    }

    /// Lays text out for a terminal, where the output is one, and under POSIX's rules shows all
    /// header fields that are not ignored, unless `retain` names some.
    pub(crate) fn suited(mut self, is_terminal: bool, posix: bool, settings: &Settings) -> Display {
        self.look = Look {
            width: self.columns,
            breaks: is_terminal,
        };
        if settings.retained.is_none() && (posix || settings.is_set("posix")) {
            self.retain.clear();
        }
        self
    }
}

impl Default for Display {
    /// Returns what holds where nothing is set and nothing is a terminal.
    fn default() -> Self {
        Display {
            page: false,
            showto: false,
            own_addresses: Vec::new(),
            showname: false,
            ignore: IGNORED.iter().map(|&name| name.to_owned()).collect(),
            retain: RETAINED.iter().map(|&name| name.to_owned()).collect(),
            look: Look::default(),
            columns: 80,
            edge: 80,
            zone: |time| time,
        }
    }
}
