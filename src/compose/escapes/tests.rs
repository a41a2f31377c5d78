//! The interpreter on plain readers and writers: what is typed, and what becomes of it.

use std::collections::VecDeque;
use std::io::Read;

use super::*;
use crate::config::{Origin, mailrc};

/// Typed lines, and between them what a terminal can do besides.
struct Script(VecDeque<Event>);

impl Script {
    /// `^C` and `^D` are the keys; what is behind the last line is an end of file.
    fn of(text: &str) -> Script {
        let events = text
            .split_inclusive('\n')
            .map(|line| match line.trim_end() {
                "^C" => Event::Interrupt,
                "^D" => Event::End,
                _ => Event::Line(line.as_bytes().to_vec()),
            });
        Script(events.collect())
    }
}

impl TypedLines for Script {
    fn next(&mut self) -> Event {
        self.0.pop_front().unwrap_or(Event::End)
    }
}

/// A mailbox of one message.
struct OneMessage;

impl Messages for OneMessage {
    fn text(&mut self, list: &str, extent: Extent) -> Result<Spool, Failure> {
        let text = match (list, extent) {
            ("" | "1", Extent::Shown) => "Subject: s\n\nbody\n",
            ("" | "1", Extent::Whole) => "Received: r\nSubject: s\n\nbody\n",
            ("" | "1", Extent::Body) => "body\n",
            ("" | "1", Extent::Quoted) => "a wrote:\n> body\n",
            _ => return Err(Failure::new(Kind::Nothing, "no such message")),
        };
        Spool::read_from(&mut text.as_bytes()).map_err(unspooled)
    }

    fn command(&mut self, line: &str, settings: &mut Settings) -> Result<bool, Failure> {
        match line {
            "quit" => Err(Failure::new(Kind::Usage, "quit is not allowed here")),
            "headers" => {
                settings.set("sign", "from the reader", Origin::Default);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// What became of a typed message.
struct Typed {
    text: String,
    ending: Ending,
    request: Request,
    shown: String,
    told: Vec<String>,
    settings: Settings,
}

fn typed(terminal: bool, variables: &[&str], text: &str) -> Typed {
    let mut settings = Settings::default();
    for word in variables {
        mailrc::apply_set(&mut settings, word, Origin::Default).unwrap();
    }
    let mut request = Request::default();
    if terminal {
        request.to.push("u".into());
    }
    let (mut shown, mut told) = (Vec::new(), Vec::new());
    let mut mailbox = OneMessage;
    let mut behind = None;
    let session = Typing {
        request: &mut request,
        settings: &mut settings,
        environment: &Environment::default(),
        signals: &Signals::watch(false).unwrap(),
        lines: &mut Script::of(text),
        out: &mut shown,
        tell: &mut |failure: &Failure| told.push(crate::exit::with_causes(failure)),
        behind: &mut behind,
        messages: variables
            .contains(&"reading")
            .then_some(&mut mailbox as &mut dyn Messages),
        terminal,
    };
    let (spool, ending) = compose(session, Spool::new());
    let mut text = String::new();
    spool.reader().read_to_string(&mut text).unwrap();
    Typed {
        text,
        ending,
        request,
        shown: String::from_utf8(shown).unwrap(),
        told,
        settings,
    }
}

#[test]
fn lines_become_text() {
    let table: &[(&[&str], &str, &str)] = &[
        (&[], "a\nb\n", "a\nb\n"),
        (&[], "no end", "no end"),
        (&[], "~~.\n~~~\na ~. b\n", "~.\n~~\na ~. b\n"),
        (&[], "a\n~.\nb\n", "a\n"),
        (&["escape=!"], "!.x\n~.\n!!a\n!.\nb\n", "~.\n!a\n"),
        (&["escape=§"], "§§a\n§.\nb\n", "§a\n"),
        (&["escape="], "~.\n~~\n", "~.\n~~\n"),
        (&["sign=a\\tb\\nc"], "~a\n", "a\tb\nc\n"),
        (&["Sign=S"], "~A\n", "S\n"),
        (&["foo=bar"], "~i foo\n~I foo\n", "bar\nbar"),
        (&[], "~:set sign=x\n~_ set Sign=y\n~a\n~A\n", "x\ny\n"),
        (&[], "~r !printf 'a\\nb'\nc\n", "a\nb\nc\n"),
        (&[], "~< !echo a; echo b\n", "a\nb\n"),
        (&[], "b\na\n~| sort\nc\n", "a\nb\nc\n"),
        (&[], "a\n~| sort; false\nb\n", "a\nb\n"),
        (&[], "a\n~| cat >/dev/null\nb\n", "a\nb\n"),
        (&["EDITOR=sed -i s/a/x/"], "a\n~e\nb\n", "x\nb\n"),
        (&["VISUAL=sed -i s/a/x/"], "a\n~v\n", "x\n"),
        (&["EDITOR=false"], "a\n~e\nb\n", "a\nb\n"),
        (&["reading"], "~f\n", "Subject: s\n\nbody\n"),
        (&["reading"], "~m 1\n", "\tSubject: s\n\n\tbody\n"),
        (
            &["reading", "indentprefix=> "],
            "~M\n",
            "> Received: r\n> Subject: s\n\n> body\n",
        ),
        (
            &["reading"],
            "~u\n~U 1\n~Q\n",
            "body\n\tbody\na wrote:\n> body\n",
        ),
        (
            &["reading"],
            "~:headers\n~_set Sign=x\n~a\n~A\n",
            "from the reader\nx\n",
        ),
        (&["bang"], "~!true\n~:!test ! = true\na\n", "a\n"),
        (&[], "~R !printf 'a\\n\\nb'\n", "\ta\n\n\tb\n"),
        (
            &["editheaders", "EDITOR=sed -i 's/^Subject:.*/&x/; s/^a/b/'"],
            "a\n~s S\n~e\n",
            "b\n",
        ),
        (&[], "Subject: text\n~|| cat\n", "Subject: text\n"),
    ];
    for (variables, text, expected) in table {
        let typed = typed(false, variables, text);
        assert_eq!(typed.text, *expected, "{text}");
        assert!(matches!(typed.ending, Ending::Complete), "{text}");
    }
}

#[test]
fn what_fails_is_one_line_and_typing_goes_on() {
    let table: &[(&[&str], &str, &str)] = &[
        (&[], "~", "nothing follows the escape character"),
        (&[], "~zap", "unknown escape \"zap\""),
        (&[], "~r", "no file was given"),
        (
            &[],
            "~r /nowhere",
            "cannot read /nowhere: No such file or directory",
        ),
        (&[], "~r /", "cannot read /: it is a directory"),
        (&[], "~r !exit 3", "\"exit 3\" failed: exit status 3"),
        (
            &[],
            "~! kill -9 $$",
            "\"kill -9 $$\" failed: killed by signal 9",
        ),
        (&[], "~!", "no command is given"),
        (&[], "~|", "no command is given"),
        (&[], "~| true", "\"true\" printed nothing"),
        (&[], "~w", "no file was given"),
        (&[], "~t", "no recipient was given"),
        (
            &[],
            "~@ /nowhere",
            "cannot attach /nowhere: No such file or directory",
        ),
        (
            &[],
            "~a",
            "cannot insert the variable \"sign\": it is not set",
        ),
        (
            &["password=hunter2"],
            "~i smtp-auth-password",
            "cannot insert the variable \"smtp-auth-password\": it is secret",
        ),
        (
            &[],
            "~:headers",
            "cannot execute \"headers\" while a message is composed",
        ),
        (
            &[],
            "~:blorb",
            "cannot execute \"blorb\" while a message is composed: unknown command \"blorb\"",
        ),
        (&[], "~f", "no message to insert: no mailbox is open"),
        (&["reading"], "~m 7", "no such message"),
        (&["reading"], "~:quit", "quit is not allowed here"),
        (
            &["bang"],
            "~! !",
            "\"!\" stands for the last command, and there is none",
        ),
        (
            &[],
            "~^ header list",
            "~^ takes the number of an attachment, not \"header list\"",
        ),
        (&[], "~^ 1", "there is no attachment \"1\""),
        (&[], "~+", "no file was given"),
        (
            &[],
            "~+ a b c d",
            "more than a file, its type and its encoding was given",
        ),
        (&[], "~H", "~H needs a terminal"),
        (
            &["EDITOR=: >"],
            "~e",
            "cannot read the edited text: it is empty",
        ),
        (
            &["EDITOR=rm"],
            "~e",
            "cannot read the edited text: No such file or directory",
        ),
        (&[], "~h", "~h needs a terminal"),
        (&[], "~v", "no editor is set"),
    ];
    for (variables, line, expected) in table {
        let typed = typed(false, variables, &format!("before\n{line}\nafter\n"));
        assert_eq!(typed.told, [*expected], "{line}");
        assert_eq!(typed.text, "before\nafter\n", "{line}");
        assert!(matches!(typed.ending, Ending::Complete), "{line}");
        assert!(typed.settings.problems.is_empty(), "{line}");
    }
}

#[test]
fn recipients_subject_and_attachments_change() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let text = format!("~t a b\n~t c\n~c d\n~b e\n~s one\n~s two words\n~@ '{path}'\n~@\n~p\n");
    let typed = typed(false, &[], &text);
    assert_eq!(typed.told, [""; 0]);
    assert_eq!(typed.request.to, ["a b", "c"]);
    assert_eq!(typed.request.cc, ["d"]);
    assert_eq!(typed.request.bcc, ["e"]);
    assert_eq!(typed.request.subject, Some("two words".into()));
    assert_eq!(typed.request.attachments[0].path, path);
    let shown = format!(
        "  1 {path}\n-------\nMessage contains:\nTo: a b, c\nCc: d\nBcc: e\nSubject: two words\n\
         (attached: {path})\n\n(continue)\n"
    );
    assert_eq!(typed.shown, shown);
}

#[test]
fn what_is_shown_cannot_drive_the_terminal() {
    let typed = typed(false, &[], "~s \u{1b}]0;x\u{7}\n\u{1b}[2J\n~p\n");
    assert!(!typed.shown.contains('\u{1b}'), "{:?}", typed.shown);
    assert_eq!(typed.text, "\u{1b}[2J\n");
}

#[test]
fn files_are_read_and_written() {
    let directory = tempfile::tempdir().unwrap();
    let [input, output] = ["in", "out"].map(|name| directory.path().join(name));
    std::fs::write(&input, "one\ntwo").unwrap();
    std::fs::write(&output, "old\n").unwrap();
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let typed = typed(
        false,
        &[&format!("dead={input}")],
        &format!("~r {input}\nthree\n~w {output}\n~d\n"),
    );
    assert_eq!(typed.told, [""; 0]);
    assert_eq!(typed.text, "one\ntwo\nthree\none\ntwo\n");
    assert_eq!(
        std::fs::read_to_string(output).unwrap(),
        "old\none\ntwo\nthree\n"
    );
    assert_eq!(
        typed.shown,
        format!("\"{input}\" 2/8\n\"{output}\" 3/14\n\"{input}\" 2/8\n")
    );
}

#[test]
fn only_a_terminal_is_asked() {
    let variables = ["ask", "askcc", "askbcc"];
    let piped = typed(false, &variables, "one\ntwo\n");
    assert_eq!(
        (piped.text.as_str(), piped.shown.as_str()),
        ("one\ntwo\n", "")
    );

    let asked = typed(true, &variables, "the subject\ntext\n~.\nc@x\n\n");
    assert_eq!(asked.text, "text\n");
    assert_eq!(asked.request.subject, Some("the subject".into()));
    assert_eq!(asked.request.cc, ["c@x"]);
    assert!(asked.request.bcc.is_empty());
    assert_eq!(asked.shown, "Subject: Cc: Bcc: ");

    let given = typed(true, &["noask", "askcc"], "~c d@x\n~s s\ntext\n");
    assert_eq!(given.shown, "");
    assert_eq!(given.text, "text\n");

    let all = typed(true, &["noask"], "~s old\n~h\na@x\n\n\nb@x\ntext\n");
    assert_eq!(all.shown, "To (u): Subject (old): Cc: Bcc: ");
    assert_eq!(all.request.to, ["a@x"]);
    assert_eq!(all.request.subject, Some("old".into()));
    assert_eq!(all.request.bcc, ["b@x"]);
}

#[test]
fn dot_and_ignoreeof_are_for_terminals() {
    let table: &[(bool, &[&str], &str, &str)] = &[
        (false, &["dot", "ignoreeof"], "a\n.\nb\n", "a\n.\nb\n"),
        (true, &["noask"], "a\n.\nb\n", "a\n.\nb\n"),
        (true, &["noask", "dot"], "a\n.\nb\n", "a\n"),
        (true, &["noask"], "a\n^D\nb\n", "a\n"),
        (true, &["noask", "ignoreeof"], "a\n^D\nb\n.\nc\n", "a\nb\n"),
        // A terminal that is gone has only ends; that must come to an end.
        (true, &["noask", "ignoreeof"], "a\n", "a\n"),
    ];
    for (terminal, variables, text, expected) in table {
        assert_eq!(typed(*terminal, variables, text).text, *expected, "{text}");
    }
}

#[test]
fn giving_up_takes_two_interrupts_or_an_escape() {
    let once = typed(true, &["noask"], "a\n^C\nb\n^C\nc\n");
    assert!(matches!(once.ending, Ending::Complete));
    assert_eq!(once.text, "a\nb\nc\n");
    assert!(
        once.shown
            .contains("(Interrupt -- one more to kill letter)")
    );

    let table = [(true, "a\n^C\n^C\nb\n", 130), (false, "a\n^C\nb\n", 130)];
    for (terminal, text, status) in table {
        let Typed { ending, text, .. } = typed(terminal, &["noask"], text);
        assert!(matches!(ending, Ending::Broken(failure) if failure.kind.status() == status));
        assert_eq!(text, "a\n");
    }
    let quit = typed(false, &[], "a\n~q\nb\n").ending;
    assert!(matches!(quit, Ending::Broken(failure) if failure.kind.status() == 1));
    let exit = typed(false, &[], "a\n~x\nb\n").ending;
    assert!(matches!(exit, Ending::GivenUp(failure) if failure.kind.status() == 1));
}

#[test]
fn every_escape_that_is_told_is_one() {
    for (form, _) in ESCAPES {
        let names = form.split(' ').filter(|word| word.starts_with('~'));
        for name in names {
            let name: String = name.chars().take(2).collect();
            let told = typed(false, &[], &format!("{name}\n")).told;
            let unknown = told.iter().any(|line| line.contains("unknown escape"));
            assert!(!unknown, "{name}: {told:?}");
        }
    }
}

#[test]
fn the_header_comes_back_from_the_editor_and_from_a_filter() {
    let variables = [
        "editheaders",
        "EDITOR=sed -i -e s/^Cc:/Cc:\\ c@x/ -e s/^Subject:.*/Subject:\\ new/",
    ];
    let edited = typed(false, &variables, "~s old\n~t a@x\n~b b@x\ntext\n~e\n");
    assert_eq!(edited.told, [""; 0]);
    assert_eq!(edited.request.subject, Some("new".into()));
    assert_eq!(edited.request.to, ["a@x"]);
    assert_eq!(edited.request.cc, ["c@x"]);
    assert_eq!(edited.request.bcc, ["b@x"]);
    assert_eq!(edited.text, "text\n");

    let filtered = typed(false, &[], "~s old\ntext\n~|| tr a-z A-Z\n~R r@x\n");
    assert_eq!(filtered.request.subject, Some("OLD".into()));
    assert_eq!(filtered.request.headers, ["Reply-To: r@x"]);
    assert_eq!(filtered.text, "TEXT\n");
}

#[test]
fn who_types_decides_at_the_end() {
    let asks = ["noask", "asksend", "askattach", "noaskatend", "askcc"];
    let sent = typed(
        true,
        &asks,
        "c@x\na\n~.\n/etc/passwd\n\nwhat\n\nb\n~.\n\nYES\n",
    );
    assert!(matches!(sent.ending, Ending::Complete));
    assert_eq!(sent.text, "a\nb\n");
    assert_eq!(sent.request.cc, ["c@x"]);
    assert_eq!(sent.request.attachments.len(), 1);
    for answer in ["no\n", "^D\n"] {
        let kept = typed(true, &["noask", "asksend"], &format!("a\n~.\n{answer}"));
        assert!(matches!(kept.ending, Ending::Broken(failure) if failure.kind.status() == 1));
        assert_eq!(kept.text, "a\n");
    }
}

#[test]
fn an_ignored_interrupt_is_an_at_sign() {
    let typed = typed(true, &["noask", "ignore"], "a\n^C\n^C\n^C\nb\n");
    assert!(matches!(typed.ending, Ending::Complete));
    assert_eq!(
        (typed.text.as_str(), typed.shown.as_str()),
        ("a\nb\n", "@\n@\n@\n")
    );
}

#[test]
fn the_fields_of_the_sender_are_asked_for_and_taken_away() {
    let typed = typed(true, &["noask"], "~H\nme@x\nr@x\n\n~H\n-\n\ns@x\ntext\n");
    assert_eq!(typed.request.from, None);
    assert_eq!(typed.request.headers, ["Reply-To: r@x", "Sender: s@x"]);
    assert_eq!(
        typed.shown,
        "From: Reply-To: Sender: From (me@x): Reply-To (r@x): Sender: "
    );
}

// var:editalong
#[test]
fn an_editor_opens_before_the_first_line() {
    for (which, expected) in [("editalong", "e\nb\n"), ("editalong=visual", "v\nb\n")] {
        let variables = ["noask", which, "EDITOR=echo e >", "VISUAL=echo v >"];
        assert_eq!(typed(true, &variables, "b\n").text, expected);
        assert_eq!(typed(false, &variables, "b\n").text, "b\n");
    }
}
