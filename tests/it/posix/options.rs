//! Options, operands and exit statuses.

use super::{CHECK, Check, walk};

#[test]
fn options_of_receive_mode() {
    walk(&[
        Check {
            clause: "-e: exit 0 if there is mail",
            is_bare: true,
            args: &["-e"],
            is_system: true,
            ..CHECK
        },
        Check {
            clause: "-e: nothing is written",
            is_bare: true,
            args: &["-e"],
            is_system: true,
            left: Some("abcde"),
            lacks: &["alpha"],
            ..CHECK
        },
        Check {
            clause: "-e -f: of that file",
            is_bare: true,
            args: &["-e", "-f", "box"],
            ..CHECK
        },
        Check {
            clause: "-e: above 0 without mail",
            is_bare: true,
            args: &["-e", "-u", "nobody"],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "-f without a file: MBOX",
            is_bare: true,
            args: &["-n", "-H", "-f"],
            env: &[("MBOX", "[DIR]/cwd/box")],
            sees: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "-f file: that file",
            is_bare: true,
            args: &["-n", "-H", "-f", "box"],
            sees: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "-f with options between it and the operand",
            is_bare: true,
            args: &["-f", "-n", "-H", "box"],
            sees: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "-F -r name: recorded in a file named after the first recipient",
            is_bare: true,
            args: &["-n", "-F", "-s", "hello", "ops@x.example"],
            input: "text\n",
            mails: 1,
            files: &[("cwd/ops", "Subject: hello")],
            ..CHECK
        },
        Check {
            clause: "-H: a header summary only",
            is_bare: true,
            args: &["-n", "-H", "-f", "box"],
            sees: &["alpha", "bravo", "charlie", "delta", "echo"],
            lacks: &["line 1 of"],
            left: Some("abcde"),
            ..CHECK
        },
        Check {
            clause: "-H does not change the mailbox",
            is_bare: true,
            args: &["-n", "-H"],
            is_system: true,
            no_files: &[("BOX", "Status: O\n\nline 1 of three")],
            ..CHECK
        },
        Check {
            clause: "-i: interrupts are ignored (accepted)",
            is_bare: true,
            args: &["-i", "-n", "-N", "-f", "box"],
            input: "x\n",
            ..CHECK
        },
        Check {
            clause: "-n: no system start-up file (accepted)",
            is_bare: true,
            args: &["-n", "-N", "-f", "box"],
            input: "x\n",
            ..CHECK
        },
        Check {
            clause: "-N: no initial header summary",
            is_bare: true,
            args: &["-n", "-N", "-f", "box"],
            input: "x\n",
            lacks: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "without -N: a header summary at the start",
            is_bare: true,
            args: &["-n", "-f", "box"],
            input: "x\n",
            sees: &["charlie", "delta", "echo"],
            ..CHECK
        },
        Check {
            clause: "options in one word: -fin",
            is_bare: true,
            args: &["-finN", "box"],
            input: "=\nx\n",
            sees: &["3"],
            ..CHECK
        },
        Check {
            clause: "-u user: that user's mailbox",
            is_bare: true,
            args: &["-n", "-e", "-u", "nobody"],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "the system mailbox is the default",
            is_bare: true,
            args: &["-n", "-H"],
            is_system: true,
            sees: &["alpha", "echo"],
            ..CHECK
        },
    ]);
}

#[test]
fn options_and_operands_of_send_mode() {
    walk(&[
        Check {
            clause: "-s subject",
            is_bare: true,
            args: &["-n", "-s", "disk full", "ops@x.example"],
            input: "text\n",
            mails: 1,
            sent: &["Subject: disk full\n", "text\n"],
            ..CHECK
        },
        Check {
            clause: "an operand is a recipient",
            is_bare: true,
            args: &["-n", "-s", "x", "ops@x.example"],
            input: "text\n",
            mails: 1,
            sent: &["ops@x.example"],
            ..CHECK
        },
        Check {
            clause: "several operands",
            is_bare: true,
            args: &["-n", "-s", "x", "ops@x.example", "dev@x.example"],
            input: "text\n",
            mails: 1,
            sent: &["ops@x.example", "dev@x.example"],
            ..CHECK
        },
        Check {
            clause: "without -s and terminal: no prompt",
            is_bare: true,
            args: &["-n", "ops@x.example"],
            input: "text\n",
            mails: 1,
            lacks: &["Subject"],
            ..CHECK
        },
        Check {
            clause: "-- ends the options",
            is_bare: true,
            args: &["-n", "-s", "x", "--", "ops@x.example"],
            input: "text\n",
            mails: 1,
            sent: &["ops@x.example"],
            ..CHECK
        },
        Check {
            clause: "the input is the message, to its end",
            is_bare: true,
            args: &["-n", "-s", "x", "ops@x.example"],
            input: "one\n.\ntwo\n",
            mails: 1,
            sent: &["one\n.\ntwo\n"],
            ..CHECK
        },
        Check {
            clause: "an alias of the start-up file stands for its members",
            is_bare: true,
            args: &["-n", "-s", "x", "team"],
            rc: "alias team ops@x.example dev@x.example\n",
            input: "text\n",
            mails: 1,
            sent: &["ops@x.example", "dev@x.example"],
            ..CHECK
        },
        Check {
            clause: "an alias of aliases",
            is_bare: true,
            args: &["-n", "-s", "x", "all"],
            rc: "alias all team\nalias team ops@x.example\n",
            input: "text\n",
            mails: 1,
            sent: &["ops@x.example"],
            ..CHECK
        },
    ]);
}

#[test]
fn exit_statuses() {
    walk(&[
        Check {
            clause: "0 after success",
            input: "p 1\nx\n",
            ..CHECK
        },
        Check {
            clause: "above 0 for an unknown option",
            is_bare: true,
            args: &["-n", "-j", "ops@x.example"],
            input: "",
            status: -1,
            ..CHECK
        },
        Check {
            clause: "above 0 for -s without an argument",
            is_bare: true,
            args: &["-n", "-s"],
            input: "",
            status: -1,
            ..CHECK
        },
        Check {
            clause: "above 0 for a mailbox that is not there",
            is_bare: true,
            args: &["-n", "-f", "missing"],
            input: "x\n",
            status: -1,
            no_files: &[("cwd/missing", "")],
            ..CHECK
        },
        Check {
            clause: "above 0 where a message cannot be sent",
            is_bare: true,
            args: &["-n", "-s", "x", "-S", "sendmail=/no/such", "ops@x.example"],
            input: "text\n",
            status: -1,
            files: &[("home/dead.letter", "text")],
            ..CHECK
        },
        Check {
            clause: "a script goes on after an unknown command",
            is_strict: true,
            input: "nonsense\np 1\nx\n",
            sees: &["line 1 of one"],
            says: &["nonsense"],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "diagnostics go to standard error",
            input: "nonsense\nx\n",
            lacks: &["nonsense"],
            says: &["nonsense"],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "above 0 without any mail",
            is_bare: true,
            args: &["-n", "-u", "nobody"],
            input: "x\n",
            status: -1,
            ..CHECK
        },
    ]);
}
