//! The escapes and their help, for `~?` and the manual.

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
