//! The commands that give a copy of messages to an editor: `edit` and `visual`.
//!
//! The mailbox stays as it is: what an editor makes of its copy is dropped (POSIX mailx).

use super::complaint::CommandResult;
use super::reader::Reader;
use crate::exit::{Failure, Kind};
use crate::sys::spool::Spool;
use crate::sys::tools::TextEditor;

impl Reader<'_, '_> {
    /// Gives a copy of each message to the line editor.
    pub(super) fn edit(&mut self, list: &str) -> CommandResult {
        self.edit_by(TextEditor::Line, list)
    }

    /// Gives a copy of each message to the screen editor.
    pub(super) fn visual(&mut self, list: &str) -> CommandResult {
        self.edit_by(TextEditor::Screen, list)
    }

    fn edit_by(&mut self, editor: TextEditor, list: &str) -> CommandResult {
        for message in self.messages(list)? {
            if self.is_interrupted() {
                break;
            }
            // The bytes of the mail itself, escape sequences and all: an editor shows them.
            match self.edit_copy(editor, message) {
                Ok(is_unchanged) => {
                    if !is_unchanged && self.around.stdin_is_terminal {
                        let what = format!(
                            "{}: the copy is dropped; the message is as it was",
                            message + 1
                        );
                        self.say(&what);
                    }
                    self.marks[message].read();
                    self.go_to(message);
                }
                Err(failure) => {
                    self.fail(&failure);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives a copy of a message to an editor; returns whether the editor has left it as it was.
    fn edit_copy(&self, editor: TextEditor, message: usize) -> Result<bool, Failure> {
        let bytes = self.content(message)?;
        let text = Spool::read_from(&mut bytes.as_slice()).map_err(|error| {
            let what = "cannot copy the message for the editor";
            Failure::new(Kind::CannotCreate, what).because(error)
        })?;
        let (tools, signals) = self.tools()?;
        let file = tools.show_in_editor(editor, &text, signals)?;
        Ok(file.is_unchanged(&text))
    }
}
