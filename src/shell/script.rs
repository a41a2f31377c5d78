//! The rules for a script after one of its commands has failed.
//!
//! A script is a series of commands that no person watches: standard input that is no terminal, and
//! `-Y`. It was written
//! for a mailbox and for commands that worked; after one that did not, `d *` may hit the wrong
//! mailbox. So every change that comes later is held back, the mailbox stays as it is, and the exit
//! status is that of the failure. Commands that only show something go on.
//!
//! A command that we do not know may own the lines behind it: the text of a message, the block of
//! an `if` or of a macro. Those lines are no commands, whatever they look like, and whatever rules
//! hold.

use super::command_line;

/// Commands that read the text of a message, or input of their own, in any mailx: POSIX, s-nail,
/// heirloom, bsd-mailx and its kin, GNU mail.
const READS_TEXT: &[&str] = &[
    "mail",
    "Mail",
    "reply",
    "Reply",
    "respond",
    "Respond",
    "replyall",
    "Replyall",
    "replysender",
    "respondall",
    "respondsender",
    "followup",
    "Followup",
    "followupall",
    "followupsender",
    "Lreply",
    "Lfollowup",
    "forward",
    "Forward",
    "fwd",
    "Fwd",
    "resend",
    "Resend",
    "redirect",
    "Redirect",
    "bounce",
    "Bounce",
    "compose",
    "edit",
    "visual",
    "shell",
    "read",
    "readall",
    "readsh",
];

/// Words that s-nail and GNU mail put in front of a command.
const MODIFIERS: &[&str] = &[
    "ignerr", "wysh", "vput", "local", "global", "our", "eval", "u", "scope", "pp", "\\", "-",
];

/// The meaning of the next lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Following {
    #[default]
    Commands,
    /// Text, to the end of the input.
    Text,
    /// The block of an `if`, with so many of them open.
    Conditional(usize),
    /// A block in braces, with so many of them open.
    Braces(usize),
}

/// The state of a script.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The first command that failed.
    failed: Option<String>,
    /// The commands that were held back; each is reported once.
    reported: Vec<&'static str>,
    following: Following,
}

impl Script {
    /// Returns the first command that failed, if one did.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Remembers a command that failed.
    pub(super) fn fail(&mut self, line: &str) {
        // The first failure is the cause. Later ones often only follow from it.
        self.failed.get_or_insert_with(|| line.trim().to_owned());
    }

    /// Handles an unknown command; says which lines after it are skipped.
    pub(super) fn skip_lines_of(&mut self, line: &str) -> &'static str {
        let line = line.trim();
        if reads_text(line) {
            self.following = Following::Text;
            return "; the lines after it are skipped: they are its text";
        }
        if is_conditional(line) {
            self.following = Following::Conditional(1);
            return "; the lines up to its endif are skipped";
        }
        if line.ends_with('{') {
            self.following = Following::Braces(1);
            return "; the lines up to the closing brace are skipped";
        }
        ""
    }

    /// Returns whether a line belongs to an unknown command, as its text or its block.
    pub(super) fn skips(&mut self, line: &str) -> bool {
        let line = line.trim();
        self.following = match self.following {
            Following::Commands => return false,
            // Where the text would end depends on escapes that we do not read: all of it is text.
            Following::Text => Following::Text,
            Following::Conditional(open) if is_conditional(line) => {
                Following::Conditional(open + 1)
            }
            Following::Conditional(1) if is_end(line) => Following::Commands,
            Following::Conditional(open) if is_end(line) => Following::Conditional(open - 1),
            Following::Braces(1) if line.starts_with('}') && !line.ends_with('{') => {
                Following::Commands
            }
            Following::Braces(open) if line.starts_with('}') && !line.ends_with('{') => {
                Following::Braces(open - 1)
            }
            // `} else {` closes one block and opens another, so that it stands in neither of these
            // rows.
            Following::Braces(open) if line.ends_with('{') && !line.starts_with('}') => {
                Following::Braces(open + 1)
            }
            following => following,
        };
        true
    }

    /// Remembers that a command was held back; returns whether it is the first of its name.
    pub(super) fn hold_back(&mut self, name: &'static str) -> bool {
        let is_first = !self.reported.contains(&name);
        if is_first {
            self.reported.push(name);
        }
        is_first
    }
}

/// Returns whether a line begins with a command that reads text, or an abbreviation of one.
fn reads_text(line: &str) -> bool {
    let (word, rest) = command_line::split(line);
    // `ignerr reply` reads a text as `reply` does.
    if MODIFIERS.contains(&word) && !rest.is_empty() {
        return reads_text(rest);
    }
    // Any beginning counts, because abbreviations differ between programs. A line taken for text in
    // error is only not carried out; a text taken for commands may delete mail.
    !word.is_empty() && READS_TEXT.iter().any(|name| name.starts_with(word))
}

fn is_conditional(line: &str) -> bool {
    matches!(command_line::split(line).0, "i" | "if")
}

fn is_end(line: &str) -> bool {
    let word = command_line::split(line).0;
    word.len() >= 2 && "endif".starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_behind_an_unknown_command_belong_to_it() {
        let rows: [(&[&str], &[bool]); 8] = [
            (&["file x", "d 1"], &[false]),
            (
                &["reply 1", "d 1", "~.", ".", "q"],
                &[true, true, true, true],
            ),
            (&["ignerr m u@x", "d 1"], &[true]),
            (&["\\reply 1", "d 1"], &[true]),
            (
                &["i s", "d 1", "else", "d 2", "en", "p"],
                &[true, true, true, true, false],
            ),
            (
                &["if s", "if r", "d 1", "endif", "d 2", "endif", "p"],
                &[true, true, true, true, true, false],
            ),
            (
                &["define x {", "d 1", "if t {", "}", "d 2", "}", "p"],
                &[true, true, true, true, true, false],
            ),
            (
                &["if s {", "d 1", "} else {", "d 2", "}", "p"],
                &[true, true, true, true, true],
            ),
        ];
        for (lines, expected) in rows {
            let mut script = Script::default();
            script.skip_lines_of(lines[0]);
            for (line, expected) in lines[1..].iter().zip(expected) {
                assert_eq!(script.skips(line), *expected, "{lines:?}: {line}");
            }
        }
    }

    #[test]
    fn abbreviations_read_text_too() {
        for line in [
            "r", "R 1", "rep1", "res", "m u", "M u", "fo", "Fo", "F", "L", "e", "v", "sh",
        ] {
            assert!(reads_text(line), "{line}");
        }
        for line in [
            "file",
            "set x",
            "source f",
            "cd",
            "mv 1 f",
            "pipe 1 mail",
            "",
            "|",
        ] {
            assert!(!reads_text(line), "{line}");
        }
    }
}
