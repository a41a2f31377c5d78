//! Start-up files and the environment.

use super::{CHECK, Check, walk};

// K47
#[test]
fn start_up_files() {
    walk(&[
        Check {
            clause: "MAILRC names the file",
            rc: "set autoprint\n",
            input: "d 3\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "blank lines and comments",
            rc: "\n# comment\n\nset autoprint\n",
            input: "d 3\nx\n",
            sees: &["of four"],
            ..CHECK
        },
        Check {
            clause: "a command that is not allowed is told",
            rc: "reply 1\nset autoprint\n",
            input: "d 3\nx\n",
            says: &["reply"],
            ..CHECK
        },
        Check {
            clause: "! is not allowed",
            rc: "!echo bad\n",
            input: "x\n",
            lacks: &["bad"],
            says: &["!"],
            ..CHECK
        },
        Check {
            clause: "edit, visual, shell, hold, preserve, mail, Copy, followup are not allowed",
            rc: "edit\nvisual\nshell\nhold 1\npreserve 1\nmail x\nCopy 1\nfollowup 1\n",
            input: "q\n",
            says: &["edit", "visual", "shell", "hold", "preserve"],
            left: Some("abcde"),
            ..CHECK
        },
        Check {
            clause: "an error does not keep the rest from being read",
            rc: "set =\nnonsense line\nset autoprint\n",
            input: "d 3\nx\n",
            sees: &["of four"],
            says: &["nonsense"],
            ..CHECK
        },
        Check {
            clause: "a quoted value",
            rc: "set indentprefix=\"> \"\n",
            input: "set\nx\n",
            sees: &["> "],
            ..CHECK
        },
        Check {
            clause: "set without a value is empty",
            rc: "set crt=\n",
            input: "x\n",
            ..CHECK
        },
        Check {
            clause: "source in a start-up file of one that is not there",
            rc: "source /no/such/file\n",
            input: "x\n",
            says: &["/no/such/file"],
            ..CHECK
        },
        Check {
            clause: "echo in a start-up file",
            rc: "echo hello there\n",
            input: "x\n",
            sees: &["hello there"],
            ..CHECK
        },
        Check {
            clause: "alias in a start-up file for mail",
            rc: "alias crew x@c.example\n",
            input: "mail crew\ntext\n",
            mails: 1,
            sent: &["x@c.example"],
            ..CHECK
        },
        Check {
            clause: "if s in send mode",
            is_bare: true,
            args: &["-n", "ops@x.example"],
            rc: "if s\nset record=[DIR]/home/sent\nendif\n",
            input: "text\n",
            mails: 1,
            files: &[("home/sent", "text")],
            ..CHECK
        },
        Check {
            clause: "-n leaves MAILRC",
            rc: "set autoprint\n",
            input: "d 3\nx\n",
            sees: &["of four"],
            ..CHECK
        },
        Check {
            clause: "DEAD names the dead letter",
            is_bare: true,
            args: &["-n", "-~", "ops@x.example"],
            env: &[("DEAD", "[DIR]/home/out")],
            input: "one\n~q\n",
            status: -1,
            files: &[("home/out", "one")],
            ..CHECK
        },
        Check {
            clause: "MBOX of the environment",
            env: &[("MBOX", "[DIR]/home/folder")],
            input: "1\nsave\nx\n",
            files: &[("home/folder", "of one")],
            ..CHECK
        },
        Check {
            clause: "EDITOR of the environment",
            env: &[("EDITOR", "cat")],
            input: "edit 1\nx\n",
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "VISUAL of the environment",
            env: &[("VISUAL", "cat")],
            input: "visual 1\nx\n",
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "SHELL of the environment runs !",
            env: &[("SHELL", "/bin/sh")],
            input: "!echo $0\nx\n",
            sees: &["sh"],
            ..CHECK
        },
        Check {
            clause: "LISTER of the environment lists folders",
            env: &[("LISTER", "echo listed")],
            rc: "set folder=bak\n",
            input: "folders\nx\n",
            sees: &["listed"],
            ..CHECK
        },
    ]);
}
