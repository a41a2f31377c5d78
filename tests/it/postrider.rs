//! The face with subcommands, where it says what is missing.

use std::time::Duration;

use crate::case::Case;

#[test]
fn show_says_what_it_needs() {
    let show = |arguments: &[&str]| {
        Case::new()
            .called("postrider")
            .args(["show"])
            .args(arguments)
    };
    for arguments in [&[][..], &["--raw"], &["--json", "--file", "[DIR]/cwd/box"]] {
        show(arguments)
            .status(64)
            .says("the number of the message is missing")
            .hints("postrider list")
            .run();
    }
    // A word is a search.
    show(&["first"])
        .file("cwd/box", crate::mailboxes::ONE)
        .args(["--file", "[DIR]/cwd/box"])
        .status(1)
        .any_stderr()
        .run();
}

#[test]
fn a_message_to_nobody_is_refused_before_its_text_is_read() {
    for (name, arguments) in [
        ("postrider", &["send", "--subject", "s"][..]),
        ("postrider", &["send", "--header", "X-To: a@x.org"]),
        ("postrider", &["send", "--header", "To:"]),
        ("mailx", &["-s", "s"]),
        ("mailx", &["-s", "s", "-T", "fcc: cwd/copy"]),
    ] {
        // Standard input never ends: whoever read it would wait for its end.
        Case::new()
            .called(name)
            .args(arguments)
            .stdin_stays_open("a text\n")
            .limit(Duration::from_secs(10))
            .status(64)
            .says("there is no recipient")
            .hints("after the options")
            .run();
    }
}
