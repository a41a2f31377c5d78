//! What POSIX asks of a terminal: prompts, questions, interrupts.

use super::mailbox;
use crate::case::{Case, Ran};
use crate::sendmail::FakeSendmail;

const INTERRUPT: &str = "\x03";
const END: &str = "\x04";

fn typing(rc: &str) -> Case {
    Case::new()
        .sendmail(FakeSendmail::accepting())
        .rc(rc)
        .env("PATH", "[DIR]/bin:/usr/bin:/bin")
        .lets_keep()
        .any_status()
}

fn reading(rc: &str) -> Case {
    typing(rc)
        .file("cwd/box", mailbox())
        .args(["-n", "-N", "-f", "box"])
        .may_change("cwd/box")
}

fn text(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.call().stdin).into_owned()
}

// var:ask
#[test]
fn a_subject_is_asked_for() {
    let ran = typing("")
        .args(["-n", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.sees("Subject: ");
            terminal.types("typed\r");
            terminal.waits();
            terminal.types("text\r");
            terminal.waits();
            terminal.types(END);
        });
    assert!(text(&ran).contains("Subject: typed\n"));
}

// var:askcc var:askbcc
#[test]
fn copies_are_asked_for_where_the_variables_say_so() {
    let ran = typing("set askcc askbcc\n")
        .args(["-n", "-s", "x", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.waits();
            terminal.types("text\r");
            terminal.waits();
            terminal.types(END);
            terminal.sees("Cc: ");
            terminal.types("copy@x.example\r");
            terminal.sees("Bcc: ");
            terminal.types("hidden@x.example\r");
        });
    assert!(text(&ran).contains("Cc: copy@x.example\n"));
    assert!(ran.call().argv.contains(&"hidden@x.example".to_owned()));
}

// var:dot
#[test]
fn a_dot_ends_the_text_where_dot_is_set() {
    let ran = typing("set dot\n")
        .args(["-n", "-s", "x", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.waits();
            terminal.types("text\r.\r");
        });
    assert!(text(&ran).contains("\ntext\n"));
}

#[test]
fn two_interrupts_end_the_text_and_keep_it() {
    let ran = typing("")
        .args(["-n", "-s", "x", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.waits();
            terminal.types("a text\r");
            terminal.waits();
            terminal.types(INTERRUPT);
            terminal.sees("(Interrupt -- one more to kill letter)");
            terminal.waits();
            terminal.types(INTERRUPT);
        });
    ran.nothing_sent();
    assert_ne!(ran.output.code(), 0);
    let kept = String::from_utf8_lossy(&ran.read("home/dead.letter")).into_owned();
    assert!(kept.contains("a text\n"), "{kept}");
}

// var:ignore
#[test]
fn an_interrupt_is_an_at_sign_where_ignore_is_set() {
    let ran = typing("set ignore\n")
        .args(["-n", "-s", "x", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.waits();
            terminal.types("gone");
            terminal.types(INTERRUPT);
            terminal.sees("@");
            terminal.waits();
            terminal.types("text\r");
            terminal.waits();
            terminal.types(END);
        });
    assert!(text(&ran).contains("text\n"));
}

// var:ignoreeof
#[test]
fn ignoreeof_wants_a_tilde_dot() {
    let ran = typing("set ignoreeof\n")
        .args(["-n", "-s", "x", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.waits();
            terminal.types("text\r");
            terminal.waits();
            terminal.types(END);
            terminal.waits();
            terminal.types("more\r~.\r");
        });
    assert!(text(&ran).contains("text\nmore\n"));
}

#[test]
fn the_reader_prompts_and_a_long_message_goes_through_the_pager() {
    reading("set crt=3 PAGER='sed s/^/paged:/'\n").at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.types("p 1\r");
        terminal.sees("paged:line 1 of one");
        terminal.sees("? ");
        terminal.types("x\r");
    });
}

#[test]
fn an_interrupt_at_the_prompt_gives_a_new_one() {
    reading("").at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.types("d 1-");
        terminal.sees("d 1-");
        terminal.types(INTERRUPT);
        terminal.sees("? ");
        terminal.types("=\r");
        terminal.sees("3");
        terminal.sees("? ");
        terminal.types("x\r");
    });
}

#[test]
fn an_escape_that_fails_leaves_the_text_as_it_was() {
    let ran = typing("")
        .args(["-n", "-s", "x", "ops@x.example"])
        .at_terminal(|terminal| {
            terminal.waits();
            terminal.types("one\r~|false\r");
            terminal.waits();
            terminal.types("~Z\r");
            terminal.sees("unknown escape");
            terminal.waits();
            terminal.types("two\r");
            terminal.waits();
            terminal.types(END);
        });
    assert!(text(&ran).contains("\none\ntwo\n"));
}
