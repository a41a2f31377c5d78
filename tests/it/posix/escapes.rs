//! The escapes of a text that is typed (here by `-~`; at a terminal: `terminal`).

use super::{CHECK, Check, walk};

// T01 T02 T03 T04 T05 T06 T07 T08 T10 T14 T15 T16 T17 T18 T23 var:sign var:Sign var:escape
#[test]
fn in_send_mode() {
    walk(&[
        Check {
            clause: "~~: a line that begins with a tilde",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~~text\n",
            sent: &["\n~text\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~.: the end",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~.\ntwo\n",
            sent: &["one\n"],
            unsent: &["two"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~!command: the shell",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~!echo from the shell\ntext\n",
            sees: &["from the shell"],
            sent: &["text"],
            unsent: &["from the shell"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~:command: a command",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~:set toplines=7\n~:set\ntext\n",
            sees: &["toplines=\"7\""],
            sent: &["text"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~_: the same",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~_echo hello\ntext\n",
            sees: &["hello"],
            unsent: &["hello"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~?: a summary",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~?\ntext\n",
            sees: &["~"],
            sent: &["text"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~a: the variable sign",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~a\n",
            rc: "set sign='the sign'\n",
            sent: &["the sign\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~A: the variable Sign",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~A\n",
            rc: "set Sign='the other'\n",
            sent: &["the other\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "\\t and \\n in sign",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~a\n",
            rc: "set sign='a\\tb\\nc'\n",
            sent: &["a\tb\nc\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~b: blind copies",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~b hidden@x.example\ntext\n",
            sent: &["hidden@x.example"],
            unsent: &["Bcc:"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~c: copies",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~c copy@x.example\ntext\n",
            sent: &["Cc: copy@x.example"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~t: recipients",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~t more@x.example\ntext\n",
            sent: &["more@x.example"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~s: the subject",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~s another one\ntext\n",
            sent: &["Subject: another one\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~r file: its text",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~r taken\n",
            sent: &["taken\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~< file: the same",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~< taken\n",
            sent: &["taken\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~r !command: its output",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~r !echo from a command\n",
            sent: &["from a command\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~<!command: the same",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~<!echo from a command\n",
            sent: &["from a command\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~i variable: its value",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "~i folder\n",
            rc: "set folder=/some/where\n",
            sent: &["/some/where\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~w file: the text so far",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\ntwo\n~w out\n",
            files: &[("cwd/out", "one\ntwo\n")],
            sent: &["one\ntwo\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~|command: the text through a filter",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~|tr a-z A-Z\n",
            sent: &["ONE\n"],
            unsent: &["\none\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~p: the text so far",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~p\ntwo\n",
            sees: &["one"],
            sent: &["one\ntwo\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~q: given up, and kept",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~q\n",
            mails: 0,
            status: -1,
            files: &[("home/dead.letter", "one")],
            ..CHECK
        },
        Check {
            clause: "~x: given up, not kept",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~x\n",
            mails: 0,
            status: -1,
            no_files: &[("home/dead.letter", "one")],
            ..CHECK
        },
        Check {
            clause: "~e: the editor",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~e\n",
            rc: "set EDITOR='sed -i s/one/edited/'\n",
            sent: &["edited\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "~v: the other editor",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "one\n~v\n",
            rc: "set VISUAL='sed -i s/one/visual/'\n",
            sent: &["visual\n"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "escape: another character",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "|~text\n@s new\nmore\n",
            rc: "set escape=@\n",
            sent: &["Subject: new\n", "more"],
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "a tilde inside of a line is itself",
            is_bare: true,
            args: &["-n", "-~", "-s", "subj", "ops@x.example"],
            input: "a ~s line\n",
            sent: &["a ~s line\n"],
            mails: 1,
            ..CHECK
        },
    ]);
}

#[test]
fn without_a_request_a_piped_text_has_none() {
    walk(&[
        Check {
            clause: "a tilde is text",
            is_bare: true,
            args: &["-n", "-s", "subj", "ops@x.example"],
            input: "~s other\n~.\nend\n",
            mails: 1,
            sent: &["~s other\n~.\nend\n", "Subject: subj\n"],
            ..CHECK
        },
        Check {
            clause: "a dot is text",
            is_bare: true,
            args: &["-n", "-s", "subj", "ops@x.example"],
            rc: "set dot\n",
            input: "one\n.\ntwo\n",
            mails: 1,
            sent: &["one\n.\ntwo\n"],
            ..CHECK
        },
    ]);
}

// T11 T12 var:indentprefix
#[test]
fn in_the_reader() {
    walk(&[
        Check {
            clause: "~m: messages, indented",
            args: &["-~"],
            input: "mail x@y.example\n~m 1\n~.\nx\n",
            mails: 1,
            sent: &["\tline 1 of one\n"],
            ..CHECK
        },
        Check {
            clause: "~m: with indentprefix",
            args: &["-~"],
            rc: "set indentprefix='> '\n",
            input: "mail x@y.example\n~m 1\n~.\nx\n",
            mails: 1,
            sent: &["> line 1 of one\n"],
            ..CHECK
        },
        Check {
            clause: "~m alone: the current message",
            args: &["-~"],
            input: "mail x@y.example\n~m\n~.\nx\n",
            mails: 1,
            sent: &["\tline 1 of three\n"],
            ..CHECK
        },
        Check {
            clause: "~f: messages as they are",
            args: &["-~"],
            input: "mail x@y.example\n~f 2\n~.\nx\n",
            mails: 1,
            sent: &["\nline 1 of two\n"],
            unsent: &["\tline 1 of two"],
            ..CHECK
        },
        Check {
            clause: "~M: with all fields, indented",
            args: &["-~"],
            input: "mail x@y.example\n~M 1\n~.\nx\n",
            mails: 1,
            sent: &["\tX-Extra: extra-one\n"],
            ..CHECK
        },
        Check {
            clause: "~F: with all fields",
            args: &["-~"],
            input: "mail x@y.example\n~F 1\n~.\nx\n",
            mails: 1,
            sent: &["\nX-Extra: extra-one\n"],
            ..CHECK
        },
        Check {
            clause: "~.: commands go on behind it",
            args: &["-~"],
            input: "mail x@y.example\ntext\n~.\np 1\nx\n",
            mails: 1,
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "~q in the reader: back to the commands",
            args: &["-~"],
            input: "mail x@y.example\ntext\n~q\np 1\nx\n",
            mails: 0,
            sees: &["line 1 of one"],
            files: &[("home/dead.letter", "text")],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "a reply with its own text",
            args: &["-~"],
            input: "reply 1\n~s changed\ntext\n~.\nx\n",
            mails: 1,
            sent: &["Subject: changed\n", "text\n"],
            ..CHECK
        },
    ]);
}
