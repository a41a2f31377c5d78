//! The command that shows what was typed, and says whether it is kept.

use super::complaint::{CommandResult, Complaint};
use super::history::KEPT;
use super::reader::Reader;
use crate::sanitize;

impl Reader<'_, '_> {
    /// Shows the commands that were typed, or turns their keeping off and on, or forgets them.
    pub(super) fn show_history(&mut self, argument: &str) -> CommandResult {
        let count = match argument.trim() {
            "" => KEPT,
            "off" => {
                self.history.is_off = true;
                return Ok(());
            }
            "on" => {
                self.history.is_off = false;
                return Ok(());
            }
            "clear" => {
                self.history.clear();
                return Ok(());
            }
            number => number.parse().map_err(|_| {
                Complaint::wrong(format!(
                    "history: \"{number}\" is not understood: use a number, off, on or clear"
                ))
            })?,
        };
        let lines = self.history.lines();
        let first = lines.len().saturating_sub(count);
        let text: String = lines
            .enumerate()
            .skip(first)
            .map(|(at, line)| format!("{:5} {line}\n", at + 1))
            .collect();
        self.show_paged(&sanitize::text(text.as_bytes()));
        Ok(())
    }
}
