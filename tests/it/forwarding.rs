//! Forwarded messages: their text in an editor, and the pictures of their HTML.

use crate::case::{Case, Ran};
use crate::sendmail::FakeSendmail;

const FROM: &str = "From ada@example.org Mon Nov 16 08:00:00 2026\n";
const PLAIN: &str = "From: ada@example.org\nSubject: disks\n\nsecret line\nopen line\n\n";
/// HTML with a picture that it shows, one that it does not name, and a file.
const PICTURES: &str = "From: ada@example.org\nSubject: pictures\nMIME-Version: 1.0\n\
    Content-Type: multipart/mixed; boundary=m\n\n--m\n\
    Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n\
    <p>look</p><img src=\"cid:logo@x.org\"><img src='cid:odd id@x'>\n--r\n\
    Content-Type: image/png; name=logo.png\nContent-ID: <logo@x.org>\nContent-Disposition: inline\n\
    Content-Transfer-Encoding: base64\n\niVBORw0K\n--r\n\
    Content-Type: image/gif; name=odd.gif\nContent-ID:  <odd id@x>\n\
    Content-Transfer-Encoding: base64\n\nR0lGODlh\n--r--\n--m\n\
    Content-Type: image/jpeg; name=photo.jpg\nContent-ID: <photo@x.org>\n\
    Content-Transfer-Encoding: base64\n\n/9j/4AAQ\n--m--\n\n";

fn reader(message: &str) -> Case {
    Case::new()
        .args(["-n", "-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", format!("{FROM}{message}"))
        .sendmail(FakeSendmail::accepting())
        .any_stdout()
        .may_change("cwd/box")
}

fn sent(ran: &Ran) -> String {
    String::from_utf8(ran.call().stdin.clone()).unwrap()
}

/// Returns the fields of the part with this file name.
fn fields_of<'a>(message: &'a str, name: &str) -> &'a str {
    let parts = message.split("\n--").map(|part| part.split("\n\n").next());
    let mut found = parts.flatten().filter(|fields| fields.contains(name));
    found.next().unwrap_or_else(|| panic!("{name}: {message}"))
}

#[test]
fn pictures_of_html_stay_pictures() {
    let text = sent(
        &reader(PICTURES)
            .stdin("forward 1 dan@example.net\nsee\n")
            .run(),
    );
    let logo = fields_of(&text, "logo.png");
    assert!(logo.contains("\nContent-ID: <logo@x.org>\n"), "{text}");
    assert!(logo.contains("\nContent-Disposition: inline;"), "{text}");
    // An identifier that a URL cannot hold, and a picture that is a file of its own.
    for name in ["odd.gif", "photo.jpg"] {
        let fields = fields_of(&text, name);
        assert!(!fields.contains("Content-ID"), "{text}");
        assert!(
            fields.contains("\nContent-Disposition: attachment;"),
            "{text}"
        );
    }
    for bytes in ["iVBORw0K", "R0lGODlh", "/9j/4AAQ"] {
        assert!(text.contains(bytes), "{text}");
    }
    // As an attachment the message is as it was.
    let whole = reader(PICTURES).rc("set forward-as-attachment\n");
    let text = sent(&whole.stdin("forward 1 dan@example.net\nsee\n").run());
    assert!(text.contains(PICTURES.trim_end()), "{text}");
    // None goes along where the user wants no attachments.
    let none = reader(PICTURES).rc("set noforward-attachments\n");
    let text = sent(&none.stdin("forward 1 dan@example.net\nsee\n").run());
    assert!(!text.contains("Content-ID"), "{text}");
}

// K66 T10
#[test]
fn a_forwarded_text_can_be_edited() {
    // An editor that takes a line out, and says what it was given.
    let editor = "#!/bin/sh\n/bin/cat \"$1\" >seen\n/bin/sed /secret/d seen >\"$1\"\n";
    let begins =
        "mine\n\n-------- Original message --------\nFrom: ada@example.org\nSubject: disks\n\n";
    for escape in ["~e", "~v"] {
        let case = reader(PLAIN)
            .args(["-~"])
            .file("cwd/ed", editor)
            .mode("cwd/ed", 0o755)
            .rc("set editor=[DIR]/cwd/ed visual=[DIR]/cwd/ed\n");
        let ran = case
            .stdin(format!(
                "forward 1 dan@example.net\nmine\n{escape}\nbelow\n~.\nx\n"
            ))
            .leaves("cwd/seen", format!("{begins}secret line\nopen line\n"))
            .run();
        let body = ran.call().letter().text();
        assert_eq!(body, format!("{begins}open line\nbelow\n"), "{escape}");
    }
    // Without an editor it follows what is typed, and ~p shows it.
    let case = reader(PLAIN).args(["-~"]);
    let ran = case
        .stdin("forward 1 dan@example.net\nmine\n~p\nmore\n~.\nx\n")
        .stdout_contains(&format!("\n{begins}secret line\nopen line\n(continue)\n"))
        .run();
    let body = ran.call().letter().text();
    assert!(
        body.starts_with("mine\nmore\n\n-------- Original"),
        "{body}"
    );
    assert!(body.ends_with("secret line\nopen line\n"), "{body}");
    // At a terminal likewise; an editor that fails leaves the text and what is behind it.
    for (program, says, expected) in [
        (editor, "(continue)", format!("{begins}open line\n")),
        (
            "#!/bin/sh\n:>\"$1\"\nexit 3\n",
            "exit status 3",
            format!("{begins}secret line\nopen line\n"),
        ),
    ] {
        let case = reader(PLAIN)
            .file("cwd/ed", program)
            .mode("cwd/ed", 0o755)
            .rc("set noask editor=[DIR]/cwd/ed\n")
            .may_change("cwd/seen");
        let ran = case.at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("forward 1 dan@example.net\nmine\n~e\n");
            // Keys that are typed while the editor runs are its own.
            terminal.sees(says);
            terminal.types("~.\n");
            terminal.types("x\n");
        });
        assert_eq!(ran.call().letter().text(), expected);
    }
}
