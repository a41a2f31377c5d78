//! The escapes and their help: for the manual, and for one screen of `~?` and `help escapes`.

use std::fmt::Write;

/// The escapes in few words, which fit beside each other on a screen of 24 rows and 80 columns.
const BRIEF: [(&str, &str); 28] = [
    ("~~TEXT", "text that begins with ~"),
    ("~.", "end the message"),
    ("~?", "show the escapes"),
    ("~!COMMAND", "run a shell command"),
    ("~:COMMAND", "a command of the reader"),
    ("~a ~A", "insert sign, or Sign"),
    ("~i NAME", "insert a variable"),
    ("~t NAMES", "add recipients to To"),
    ("~c NAMES", "add recipients to Cc"),
    ("~b NAMES", "add recipients to Bcc"),
    ("~s TEXT", "set the subject"),
    ("~h ~H", "ask for header fields"),
    ("~R ADDRESS", "set Reply-To"),
    ("~@ [FILES]", "attach files; or list"),
    ("~+ FILE [TYPE]", "attach a file"),
    ("~^ NUMBER", "remove an attachment"),
    ("~d", "insert the dead letters"),
    ("~r FILE", "insert a file"),
    ("~R FILE", "insert a file, indented"),
    ("~w FILE", "append the text to it"),
    ("~e ~v", "edit the text"),
    ("~|COMMAND", "pipe the text through it"),
    ("~f ~F LIST", "insert messages"),
    ("~m ~M LIST", "insert them, indented"),
    ("~u ~U LIST", "insert their text"),
    ("~p", "show the message"),
    ("~q", "cancel, keep the text"),
    ("~x", "cancel, discard the text"),
];

/// Returns the escapes in two columns, on one screen.
pub(crate) fn overview() -> String {
    let mut text = String::from("At the beginning of a line of a message that you type:\n");
    let (left, right) = BRIEF.split_at(BRIEF.len().div_ceil(2));
    for (at, (form, help)) in left.iter().enumerate() {
        let mut line = format!("{form:<14} {help:<24}");
        if let Some((form, help)) = right.get(at) {
            // Writing to a string cannot fail.
            let _ = write!(line, " {form:<14} {help}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(
        "~r !COMMAND inserts what a command prints, ~|| also pipes the header. ~F and ~M\n\
         insert all header fields, ~U indents, ~Q quotes as a reply does. mailx(1) has\n\
         more: see \"At a terminal\" there.\n",
    );
    text
}

/// The escapes, as typed with the usual escape character, and what they do.
pub(crate) const ESCAPES: &[(&str, &str)] = &[
    ("~~TEXT", "A line that begins with ~"),
    ("~.", "End the message"),
    ("~?", "Show the escapes"),
    ("~!COMMAND", "Run a shell command"),
    (
        "~:COMMAND",
        "Execute a command of the reader or the configuration (also ~_)",
    ),
    ("~a ~A", "Insert the variable sign; ~A the variable Sign"),
    (
        "~i NAME",
        "Insert the value of a variable (~I: without a new line)",
    ),
    ("~t NAMES", "Add recipients to To"),
    ("~c NAMES", "Add recipients to Cc"),
    ("~b NAMES", "Add recipients to Bcc"),
    ("~s TEXT", "Set the subject"),
    (
        "~h ~H",
        "Ask for To, Subject, Cc and Bcc; ~H for From, Reply-To and Sender",
    ),
    ("~R ADDRESS", "Set the Reply-To field"),
    (
        "~@ [FILES]",
        "Attach files; without a name, list the attachments (also ~l)",
    ),
    ("~+ FILE [TYPE]", "Attach one file, with this content type"),
    ("~^ NUMBER", "Remove an attachment"),
    ("~d", "Insert the dead letter file"),
    (
        "~r FILE",
        "Insert a file (also ~<); ~r !COMMAND inserts the output of a command",
    ),
    ("~R FILE", "Insert a file, indented"),
    ("~w FILE", "Append the text to a file"),
    (
        "~e ~v",
        "Edit the text with the editor; ~v with the visual editor",
    ),
    (
        "~|COMMAND",
        "Pipe the text through a command, and replace it by the output; ~|| with the header",
    ),
    ("~f ~F LIST", "Insert messages; ~F with all header fields"),
    (
        "~m ~M LIST",
        "Insert messages, indented; ~M with all header fields",
    ),
    (
        "~u ~U LIST",
        "Insert the text of messages; ~U indented, ~Q as a reply quotes it",
    ),
    ("~p", "Show the message"),
    ("~q", "Cancel the message and keep its text"),
    ("~x", "Cancel the message and discard its text"),
];

#[cfg(test)]
mod tests {
    use super::{BRIEF, ESCAPES, overview};

    #[test]
    fn the_screen_has_every_escape_of_the_manual_and_fits() {
        let names = |table: &[(&'static str, &str)]| -> Vec<&'static str> {
            table.iter().map(|(form, _)| *form).collect()
        };
        assert_eq!(names(&BRIEF), names(ESCAPES));
        let text = overview();
        assert!(text.lines().count() <= 20, "{text}");
        assert!(text.lines().all(|line| line.len() < 80), "{text}");
    }
}
