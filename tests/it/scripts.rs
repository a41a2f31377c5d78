//! Scripts for the reader: after a command that fails nothing is changed any more.

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};
use crate::sendmail::FakeSendmail;

/// Commands of other mailx programs, and of POSIX, that the reader does not know.
///
/// s-nail's are those of its `list`; the rest is from the manuals of bsd-mailx, heirloom mailx,
/// OpenBSD's and NetBSD's mail, and GNU mail. Those that the reader learns leave the list.
const OF_OTHERS: &[&str] = &[
    // POSIX
    "if s",
    "if t",
    "i s",
    "else",
    "el",
    "endif",
    "en",
    // s-nail
    "Pipe 1 cat",
    "Seen 1",
    "Top 1",
    "Z",
    "addrcodec e x",
    "bind",
    "cache 1",
    "call x",
    "call_if x",
    "certsave 1",
    "charsetalias",
    "collapse 1",
    "colour",
    "connect",
    "csop",
    "cwd",
    "decrypt 1 f",
    "Decrypt 1 f",
    "define x {",
    "digmsg",
    "disconnect",
    "dotmove",
    "echoerr x",
    "echon x",
    "echoerrn x",
    "elif s",
    "environ set x=1",
    "errors",
    "eval d 1",
    "filetype",
    "imap x",
    "imapcodec",
    "localopts yes",
    "mailcap",
    "mimetype",
    "mimeview 1",
    "mtaaliases",
    "netrc",
    "noop",
    "read x",
    "readall x",
    "readctl",
    "readsh x",
    "remove f",
    "rename f g",
    "return",
    "shcodec",
    "shift",
    "shortcut",
    "sleep 0",
    "source_if f",
    "spamclear 1",
    "spamforget 1",
    "spamham 1",
    "spamrate 1",
    "spamset 1",
    "spamspam 1",
    "tls",
    "unaccount x",
    "unbind",
    "uncharsetalias x",
    "uncollapse 1",
    "uncolour",
    "undefine x",
    "unfiletype x",
    "unmimetype",
    "unshortcut x",
    "unthread",
    "urlcodec",
    "varshow x",
    "verify 1",
    "vexpr + 1 1",
    "vpospar",
    "wysh set x",
    "xcall x",
    "\\reply 1",
    // heirloom, BSD, GNU
    "incorporate",
    "decode 1",
    "setenv x=1",
    "unsetenv x",
    "summary",
    "copyretain",
    "bounce 1 u@x",
    "smopts",
    "expandaddr x",
    "mimeignore",
    "tset",
    "detach",
    "imapconnect",
    "junk 1",
    "good 1",
    "unjunk 1",
    "ungood 1",
    "scoring",
    "classify 1",
    "defines",
    "undef x",
    "kill 1",
    "unkill 1",
    "sendmail x",
    "variable x",
    // mistakes
    "nonsense",
    "D 1",
    "größe 1",
    "\u{1b}[A",
    "{",
    "}",
    "@",
    "&",
    "~.",
];

fn both() -> String {
    format!("{ONE}{TWO}")
}

/// Returns `mailx -N ARGS -f box` with these commands from a pipe; the mailbox must stay as it is.
fn script(args: &[&str], text: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet"])
        .args(args)
        .args(["-f", "box"])
        .file("cwd/box", both())
        .file("cwd/arch", TWO)
        .stdin(text)
}

#[test]
fn a_command_that_only_others_know_destroys_nothing() {
    let end = "d *\ns * sv\nmb *\nflag 1\nd 2\nq\n";
    for command in OF_OTHERS {
        script(&[], &format!("{command}\n{end}"))
            .status(64)
            .any_stdout()
            .any_stderr()
            .run();
    }
    // Two at once, the end of the input as q, and the same from -Y.
    for commands in OF_OTHERS.chunks(10) {
        let args: Vec<&str> = commands.iter().flat_map(|c| ["-Y", *c]).collect();
        script(&args, "d *\n")
            .status(64)
            .any_stdout()
            .any_stderr()
            .run();
    }
}

#[test]
fn each_held_back_command_is_named_once() {
    script(&[], "nonsense\nd 1\nd 2\ns 1 sv\np 2\nq\n")
        .status(64)
        .stdout_contains("all is well")
        .stderr(
            "Unknown command: \"nonsense\"\n\
             mailx: \"d 1\" is not carried out, because \"nonsense\" failed\n\
             mailx: \"s 1 sv\" is not carried out, because \"nonsense\" failed\n\
             mailx: box stays as it is, because \"nonsense\" failed\n\
             hint: correct this command and run the script again\n",
        )
        .run();
}

#[test]
fn a_wrong_list_is_a_failure_and_one_that_matches_nothing_is_none() {
    for wrong in [
        "s 99 sv", "d 99", "p 99", "d 0", "d 1-9", "c :x f", "d 'open", "d 3-", "d /", "w",
        "w 9 f", "z x", "q now", "x now", "= 1", "99", "1-9", "h 9", "f :y", "top 9", "size 9",
        "flag 9", "u 9", "d -", "d 2\nd +",
    ] {
        script(&[], &format!("{wrong}\nd *\nq\n"))
            .status(64)
            .any_stderr()
            .run();
    }
    for nothing in [
        "d /nobody",
        "d nobody",
        "d :f",
        "s /nobody sv",
        "u 1",
        "u",
        "2\n+",
        "1\n-",
        "2\nn",
        "z",
        "z-",
        "d 1\nd 1",
        "w nobody f",
        "p :d",
        "# d 9",
    ] {
        script(&[], &format!("{nothing}\nd 1 $\nd *\nq\n"))
            .leaves("cwd/box", "")
            .any_stdout()
            .any_stderr()
            .run();
    }
}

#[test]
fn a_message_that_was_deleted_before_it_was_saved_is_not_lost() {
    for command in ["s 1 sv", "c 1 sv", "w 1 sv", "S 1", "C 1", "mb 1"] {
        script(&[], &format!("d 1\n{command}\nq\n"))
            .status(64)
            .any_stderr()
            .any_stdout()
            .run();
    }
    // What is asked for twice is done once.
    script(&[], "d 1\nd 1\nq\n")
        .any_stderr()
        .any_stdout()
        .leaves("cwd/box", TWO)
        .run();
}

#[test]
fn commands_for_the_reader_are_not_dropped_where_none_is_started() {
    for args in [&["-H"][..], &["-p"], &["-e"], &["-L", "1"]] {
        script(args, "")
            .args(["-Y", "d 1"])
            .status(64)
            .says("the reader is not started")
            .run();
    }
    Case::send(["-Y", "d 1", "-s", "s", "bob"])
        .stdin("text\n")
        .status(64)
        .says("the reader is not started")
        .run();
}

#[test]
fn a_command_that_fails_holds_back_what_follows_with_its_own_status() {
    for (command, status) in [
        ("s 1 no/such/sv", 73),
        ("c 1 no/such/sv", 73),
        ("w 1 no/such/sv", 73),
        ("s 1 arch/sv", 73),
        ("w 1 ./", 1),
    ] {
        script(&[], &format!("{command}\nd *\nq\n"))
            .status(status)
            .any_stdout()
            .any_stderr()
            .run();
    }
    // What was marked before stays unwritten, too: leaving is what changes the mailbox.
    script(&[], "d 2\ns 1 no/such/sv\nd 1\n")
        .status(73)
        .any_stderr()
        .run();
}

#[test]
fn the_text_of_a_message_is_no_command() {
    for compose in [
        "reply 1",
        "r",
        "R 1",
        "m u@x",
        "mail u@x",
        "Mail u@x",
        "fo 1",
        "F 1",
        "forward 1 u@x",
    ] {
        for (option, text) in [
            ("nosave", "d 2\nq\n"),
            ("posix", "~.\nd *\nq\n"),
            ("dot", ".\np *\n"),
        ] {
            let ran = script(&["-S", option], &format!("{compose}\n{text}"))
                .sendmail(FakeSendmail::accepting())
                .any_stdout()
                .may_change("cwd")
                .run();
            let letter = ran.call().letter();
            assert!(letter.body().starts_with(text.as_bytes()), "{compose}");
            let left = String::from_utf8(ran.read("cwd/box")).unwrap();
            assert_eq!(left.matches("\nMessage-ID: ").count(), 2, "{compose}");
        }
    }
}

#[test]
fn the_block_of_an_if_is_not_carried_out() {
    for block in [
        "if s\nd *\np *\nendif\n",
        "if s\np *\nelse\nendif\n",
        "if t\nif s\np 1\nendif\np 2\nen\n",
        "i s\np 1\nelif t\np 2\nendif\n",
        "define x {\np 1\n}\n",
    ] {
        script(&[], &format!("{block}=\nx\n")).stdout("1\n").run();
    }
}

#[test]
fn posix_goes_on_with_the_status() {
    for (name, set) in [("POSIXLY_CORRECT", ""), ("", "posix")] {
        let case = script(&["-S", "keep"], "nonsense\nd 1\nq\n");
        let case = match name {
            "" => case.rc(&format!("set {set}")),
            _ => case.env(name, "1"),
        };
        case.status(64)
            .stderr("Unknown command: \"nonsense\"\n")
            .leaves("cwd/box", TWO)
            .any_stdout()
            .run();
    }
}

#[test]
fn errexit_ends_at_once_with_the_status_of_the_failure() {
    script(&["-S", "errexit"], "d 1\nnonsense\np 2\nq\n")
        .stderr("Unknown command: \"nonsense\"\n")
        .status(64)
        .run();
    script(&["-S", "errexit"], "d 1\nd nobody\np 2\nq\n")
        .stderr("No applicable messages\n")
        .status(1)
        .run();
}

#[test]
fn a_system_mailbox_moves_and_drops_nothing_after_a_failure() {
    let case = Case::new()
        .args(["-N", "-S", "quiet"])
        .rc("unset hold keepsave");
    let path = format!("spool/{}", case.user());
    case.file(&path, both())
        .stdin("p 1\ns 2 sv\nnonsense\ntouch 1\nmb 2\n")
        .status(64)
        .leaves("cwd/sv", TWO)
        .any_stdout()
        .any_stderr()
        .run();
}

#[test]
fn commands_of_the_command_line_and_of_the_pipe_are_one_script() {
    script(&["-Y", "nonsense"], "d *\nq\n")
        .status(64)
        .any_stderr()
        .run();
    script(&["-Y", "d 99", "-Y", "d *"], "q\n")
        .status(64)
        .any_stderr()
        .run();
    script(&["-Y", "nonsense", "-Y", "d *", "-Y", "q"], "")
        .status(64)
        .any_stderr()
        .run();
    script(&["-Y", "reply 9", "-Y", "d *", "-Y", "q"], "d *\nq\n")
        .status(64)
        .any_stderr()
        .run();
}

#[test]
fn a_name_of_commandalias_is_no_other_command() {
    // It names a command we have, one we lack, one that takes the next lines, and itself.
    for (alias, script, status, left) in [
        ("d 'copy 1'", "d arch\nq\n", 0, 2),
        ("d Lreply", "d 1\nd *\nq\n", 65, 2),
        ("d verify", "d 1\nd *\nq\n", 64, 2),
        ("d Lreply", "p 1\nq\n", 0, 2),
        ("d 'reply 1'", "d\ndelete *\nq\n", 0, 2),
        ("w d", "w 1\nq\n", 0, 1),
        ("d d", "d 1\nq\n", 0, 1),
    ] {
        let ran = Case::new()
            .sendmail(FakeSendmail::accepting())
            .file("cwd/box", [ONE, TWO].concat())
            .rc(&format!("commandalias {alias}"))
            .args(["-S", "quiet", "-N", "-f", "box"])
            .stdin(script)
            .status(status)
            .any_stdout()
            .any_stderr()
            .may_change("cwd/arch")
            .may_change("cwd/box")
            .run();
        let text = std::fs::read_to_string(ran.path("cwd/box")).expect("it is there");
        let count = text.matches("\nMessage-ID: ").count();
        assert_eq!(count, left, "{alias}: {script}");
        let is_copied = ran.path("cwd/arch").exists();
        assert_eq!(is_copied, alias.contains("copy"), "{alias}: {script}");
    }
}

#[test]
fn a_command_of_x_that_fails_ends_the_run_before_anything_is_done() {
    for wrong in [
        "nonsense",
        "file arch",
        "d 1",
        "reply 1",
        "source nowhere",
        "if s",
        "set 'x",
        "call nothing",
    ] {
        for args in [
            &["-X", wrong][..],
            &["-X", "set crt=1", "-X", wrong, "-Y", "d *"],
        ] {
            script(args, "d *\nq\n").status(64).any_stderr().run();
        }
        script(&["-X", wrong, "-H"], "")
            .status(64)
            .any_stderr()
            .run();
        script(&["-X", wrong, "-e"], "")
            .status(64)
            .any_stderr()
            .run();
    }
    script(&["-X", "nonsense"], "d 1\nq\n")
        .env("POSIXLY_CORRECT", "1")
        .status(64)
        .says("command 'nonsense': unknown command \"nonsense\"")
        .leaves("cwd/box", TWO)
        .any_stdout()
        .run();
    // They are one script: an `if` holds for those behind it.
    let conditional = ["-X", "if s", "-X", "nonsense", "-X", "endif"];
    script(&conditional, "d 1\nq\n")
        .leaves("cwd/box", TWO)
        .any_stdout()
        .run();
}

#[test]
fn a_message_does_not_leave_after_a_command_of_x_that_fails() {
    let ran = Case::send(["-X", "nonsense", "-s", "t", "ops@example.com"])
        .stdin("the text\n")
        .status(64)
        .says("command 'nonsense': unknown command \"nonsense\"")
        .keeps(1)
        .run();
    ran.nothing_sent();
    let ran = Case::send(["-X", "headerpick type", "-s", "t", "ops@example.com"])
        .stdin("the text\n")
        .run();
    assert_eq!(ran.call().letter().subject(), "t");
}

#[test]
fn a_failure_and_a_signal_leave_the_mailbox_as_it_is() {
    let ran = script(&[], "")
        .stdin_stays_open("nonsense\nd *\n")
        .signal_when_waiting(Signal::SIGTERM)
        .status(128 + Signal::SIGTERM as i32)
        .any_stderr()
        .run();
    assert!(ran.stderr().contains("interrupted; box stays as it is"));
}

#[test]
fn a_person_goes_on_after_a_mistake() {
    let case = |args: &[&str]| {
        Case::new()
            .args(["-N", "-S", "quiet"])
            .args(args)
            .args(["-f", "box"])
            .file("cwd/box", both())
    };
    case(&[]).leaves("cwd/box", TWO).at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.types("nonsense\n");
        terminal.sees("Unknown command");
        terminal.sees("? ");
        terminal.types("d 1\nq\n");
    });
    // What the failed -Y has marked nobody has seen.
    let old = both().replacen("\n\n", "\nStatus: O\n\n", 1);
    case(&["-Y", "d 2", "-Y", "nonsense", "-Y", "d 1"])
        .leaves("cwd/box", old)
        .status(64)
        .at_terminal(|terminal| {
            terminal.sees("\"d 1\" is not carried out");
            terminal.sees("no message is marked, because \"nonsense\" failed");
            terminal.sees("? ");
            terminal.types("q\n");
        });
}
