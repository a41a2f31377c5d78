//! The program with a person in front of it.

use crate::case::Case;
use crate::mailboxes;
use crate::sendmail::FakeSendmail;

const END_OF_INPUT: &str = "\x04";
const INTERRUPT: &str = "\x03";

fn reading(mbox: impl AsRef<[u8]>) -> Case {
    let case = Case::new().file("cwd/box", mbox).args(["-f", "box"]);
    // What was new is old afterwards.
    case.may_change("cwd/box")
}

#[test]
fn the_reader_prompts_and_ends_with_the_input() {
    for (name, prompt) in [("mailx", "? "), ("mail", "& ")] {
        reading(mailboxes::ONE)
            .called(name)
            .at_terminal(|terminal| {
                terminal.sees("Disk almost full");
                terminal.sees(prompt);
                terminal.types("p\n");
                terminal.sees("Subject: ");
                terminal.sees(prompt);
                terminal.types(END_OF_INPUT);
            });
    }
}

#[test]
fn an_interrupt_takes_back_the_line_and_quit_leaves() {
    reading(mailboxes::ONE).at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.types("nonsense");
        terminal.sees("nonsense");
        terminal.types(INTERRUPT);
        terminal.sees("? ");
        terminal.types("=\n");
        terminal.sees("1");
        terminal.sees("? ");
        terminal.types("q\n");
    });
}

#[test]
fn what_is_typed_ahead_or_pasted_is_carried_out_to_its_end() {
    let one = mailboxes::ONE.replacen("\n\n", "\nStatus: O\n\n", 1);
    let left = [&one, mailboxes::TWO].concat();
    for keys in ["d 2\rd 3\ru 2\rq\r", "d 3\n=\nq\n"] {
        let text = [mailboxes::ONE, mailboxes::TWO, mailboxes::ONE].concat();
        reading(text)
            .leaves("cwd/box", &left)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types(keys);
            });
    }
}

#[test]
fn a_pager_that_is_not_there_hides_no_message() {
    reading(mailboxes::ONE)
        .args(["-S", "crt=1"])
        .env("PAGER", "no-such-pager")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("p\n");
            terminal.sees("cannot run the pager no-such-pager: ");
            terminal.sees("/dev/sda1 97%");
            terminal.types("q\n");
        });
}

#[test]
fn a_console_that_knows_no_sequences_gets_none() {
    let ran = reading(mailboxes::ONE)
        .env("TERM", "dumb")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("q\n");
        });
    assert!(!ran.stdout().contains('\x1b'), "{:?}", ran.stdout());
}

#[test]
fn a_message_typed_at_a_terminal_ends_with_the_input() {
    // The system's mail.rc may set dot, as Debian's does.
    let ran = Case::send(["-n", "-s", "typed", "ops@example.com"]).at_terminal(|terminal| {
        terminal.types("one\n.\ntwo\n");
        terminal.types(END_OF_INPUT);
    });
    assert_eq!(ran.call().letter().body(), b"one\n.\ntwo\n");
}

#[test]
fn with_set_dot_it_ends_at_a_dot() {
    let ran = Case::send(["-n", "-s", "typed", "ops@example.com"])
        .rc("set dot")
        .at_terminal(|terminal| terminal.types("one\n..\n.\n"));
    assert_eq!(ran.call().letter().body(), b"one\n..\n");
}

#[test]
fn a_second_interrupt_while_typing_keeps_the_text_and_sends_nothing() {
    let ran = Case::send(["-n", "-s", "typed", "ops@example.com"])
        .status(130)
        .keeps(1)
        .at_terminal(|terminal| {
            terminal.waits();
            // Nothing on the screen tells that the line was read.
            terminal.types_and_is_read("one\n");
            terminal.types(INTERRUPT);
            terminal.sees("(Interrupt -- one more to kill letter)");
            terminal.types(INTERRUPT);
        });
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), b"one\n");
}

#[test]
fn a_sendmail_that_fails_is_told_at_the_terminal_too() {
    Case::new()
        .args(["-n", "-s", "typed", "ops@example.com"])
        .sendmail(FakeSendmail::exiting(69))
        .status(69)
        .keeps(1)
        .at_terminal(|terminal| {
            terminal.types("one\n");
            terminal.types(END_OF_INPUT);
            terminal.sees("cannot send to ops@example.com");
        });
}

#[test]
fn escape_sequences_of_a_mail_do_not_reach_the_terminal() {
    // A title, the clipboard, the answerback, a C1 introducer, and a bell.
    let evil = "\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b[c\u{9b}31m\x05end";
    let mbox = format!(
        "From evil@example.org Mon Nov 16 09:00:00 2026\n\
         From: =?utf-8?q?=1B=5D0=3Btitle=07?= <evil@example.org>\n\
         Subject: {evil}\nX-Evil: {evil}\n\n{evil}\n\n"
    );
    // What the line editor writes itself is let through: nothing of it ends in these.
    let assert_harmless = |shown: &str| {
        for bad in ["\x1b]", "\x07", "\x1b[c", "\u{9b}", "\x05"] {
            assert!(!shown.contains(bad), "{bad:?} in {shown:?}");
        }
    };
    let ran = reading(&mbox).at_terminal(|terminal| {
        terminal.sees("]52");
        terminal.sees("? ");
        terminal.types("P\n");
        terminal.sees("X-Evil");
        terminal.sees("? ");
        terminal.types("f\n");
        terminal.sees("]52");
        terminal.sees("? ");
        terminal.types("x\n");
    });
    assert_harmless(&ran.stdout());
    for (way, last) in [("-H", "]52"), ("-p", "end")] {
        let ran = Case::new()
            .file("cwd/box", &mbox)
            .args([way, "-f", "box"])
            .at_terminal(|terminal| terminal.sees(last));
        assert!(!ran.stdout().contains('\x1b'), "{:?}", ran.stdout());
        assert_harmless(&ran.stdout());
    }
}
