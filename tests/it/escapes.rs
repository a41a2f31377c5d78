//! Tilde escapes: for who types at a terminal, for who asks for them by an option, for nobody else.

use nix::sys::signal::Signal;

use crate::case::Case;

const TO: &str = "ops@example.com";

#[test]
fn piped_text_is_never_an_escape() {
    let text = "~! echo ran >[DIR]/cwd/ran\n~s other\n~x\n~.\n.\n~q\nlast\n";
    for option in [&[][..], &["-S", "escape=~"], &["-i"], &["-S", "dot"]] {
        let ran = Case::send(["-s", "data", TO])
            .args(option)
            .rc("set escape=~ dot ignoreeof ask askcc askbcc interactive")
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env("EDITOR", "true")
            .env("escape", "~")
            .env("interactive", "1")
            .stdin(text)
            .run();
        let letter = ran.call().letter();
        assert_eq!(letter.body(), text.as_bytes(), "{option:?}");
        assert_eq!(letter.subject(), "data", "{option:?}");
    }
}

#[test]
fn an_option_switches_them_on_for_piped_text() {
    for option in ["-~", "-I", "--enable-cmd-escapes"] {
        let ran = Case::send([option, "-s", "old", TO])
            .rc("set ask askcc dot sign=Bye")
            .stdin("~s new\n~c boss@example.com\n~r !echo output\n.\n~~text\n~a\n~.\nlost\n")
            .stdout("\"echo output\" 1/7\n")
            .run();
        let call = ran.call();
        assert_eq!(call.recipients(), [TO, "boss@example.com"], "{option}");
        let letter = call.letter();
        assert_eq!(letter.subject(), "new", "{option}");
        assert_eq!(letter.field("Cc"), "boss@example.com", "{option}");
        assert_eq!(letter.body(), b"output\n.\n~text\nBye\n", "{option}");
    }
}

#[test]
fn a_command_does_not_eat_the_rest_of_a_piped_message() {
    let ran = Case::send(["-~", "-s", "t", TO])
        .stdin("one\n~! read line\ntwo\n")
        .any_status()
        .says("\"read line\" failed")
        .says("not sent")
        .keeps(1)
        .run();
    assert_eq!(ran.dead()[0].body(), b"one\ntwo\n");
}

#[test]
fn an_empty_message_whose_part_is_missing_is_not_dropped_in_silence() {
    let ran = Case::send(["-~", "-E", "-s", "report", TO])
        .stdin("~r missing\n")
        .status(66)
        .says("cannot read missing: No such file or directory")
        .says("an escape failed, so the message is not sent")
        .keeps(1)
        .run();
    ran.nothing_sent();
}

#[test]
fn a_piped_message_does_not_leave_without_its_part() {
    let ran = Case::send(["-~", "-s", "report", TO])
        .stdin("one\n~r missing\ntwo\n")
        .status(66)
        .says("cannot read missing: No such file or directory")
        .says("an escape failed, so the message is not sent")
        .keeps(1)
        .run();
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), b"one\ntwo\n");
}

#[test]
fn giving_up_keeps_the_text_or_forgets_it() {
    let ran = Case::send(["-~", "-s", "t", TO])
        .stdin("one\n~q\ntwo\n")
        .status(1)
        .says("the message was cancelled")
        .keeps(1)
        .run();
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), b"one\n");
    let ran = Case::send(["-~", "-s", "t", TO])
        .stdin("one\n~x\ntwo\n")
        .status(1)
        .says("the message was cancelled")
        .run();
    ran.nothing_sent();
}

#[test]
fn a_file_in_front_is_seen_by_escapes() {
    let ran = Case::send(["-~", "-q", "quoted", "-s", "t", TO])
        .file("cwd/quoted", "b\n")
        .stdin("a\n~| while read l; do echo \"<$l>\"; done\n")
        .run();
    assert_eq!(ran.call().letter().body(), b"<b>\n<a>\n");
}

#[test]
fn settings_made_on_the_way_count() {
    let ran = Case::send(["-~", "-s", "t", TO])
        .stdin(
            "~:set from=typed@example.org\n~:alias team a@example.com b@example.com\n~b team\nx\n",
        )
        .run();
    let call = ran.call();
    assert_eq!(call.recipients(), [TO, "a@example.com", "b@example.com"]);
    assert_eq!(call.letter().field("From"), "typed@example.org");
}

#[test]
fn attachments_are_added() {
    let ran = Case::send(["-~", "-s", "t", TO])
        .file("cwd/a b.txt", "attached\n")
        .stdin("text\n~@ 'a b.txt'\n")
        .run();
    let message = String::from_utf8(ran.call().stdin).unwrap();
    assert!(message.contains("a b.txt"), "{message}");
}

#[test]
fn who_types_is_asked_and_may_escape() {
    let ran = Case::send(["-n", TO])
        .rc("set askcc")
        .at_terminal(|terminal| {
            terminal.sees("Subject: ");
            terminal.types("typed\n");
            terminal.types("one\n~p\n");
            terminal.sees("(continue)");
            terminal.types("~zap\n");
            terminal.sees("unknown escape");
            terminal.types("~.\n");
            terminal.sees("Cc: ");
            terminal.types("boss@example.com\n");
        });
    let call = ran.call();
    assert_eq!(call.recipients(), [TO, "boss@example.com"]);
    assert_eq!(call.letter().subject(), "typed");
    assert_eq!(call.letter().body(), b"one\n");
}

#[test]
fn the_second_interrupt_kills_the_letter() {
    let ran = Case::send(["-n", "-s", "t", TO])
        .status(128 + Signal::SIGINT as i32)
        .keeps(1)
        .at_terminal(|terminal| {
            terminal.types("one\n~p\n");
            terminal.sees("(continue)");
            terminal.types("\u{3}");
            terminal.sees("(Interrupt -- one more to kill letter)");
            terminal.types("two\n~p\n");
            terminal.sees("(continue)");
            terminal.types("\u{3}");
            terminal.sees("(Interrupt -- one more to kill letter)");
            terminal.types("\u{3}");
        });
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), b"one\ntwo\n");
}
