//! The variables that the other walks do not have.

use super::{CHECK, Check, walk};

// var:asksub var:crt var:header var:onehop var:page var:prompt var:quiet var:save var:screen var:sendwait var:showto var:toplines var:folder
#[test]
fn of_the_reader() {
    walk(&[
        Check {
            clause: "asksub, ask: no question without a terminal",
            rc: "set ask asksub askcc askbcc\n",
            input: "mail x@y.example\ntext\n",
            mails: 1,
            sent: &["text"],
            ..CHECK
        },
        Check {
            clause: "autoprint off is the default",
            input: "d 3\nx\n",
            lacks: &["of four"],
            ..CHECK
        },
        Check {
            clause: "crt: no pager without a terminal",
            rc: "set crt=2 PAGER='echo paged'\n",
            input: "p 1\nx\n",
            lacks: &["paged"],
            sees: &["line 8 of one"],
            ..CHECK
        },
        Check {
            clause: "header off: no summary at the start",
            is_bare: true,
            args: &["-n", "-f", "box"],
            rc: "set noheader\n",
            input: "x\n",
            lacks: &["alpha", "charlie"],
            ..CHECK
        },
        Check {
            clause: "header on: a summary at the start",
            is_bare: true,
            args: &["-n", "-f", "box"],
            input: "x\n",
            sees: &["charlie"],
            ..CHECK
        },
        Check {
            clause: "indentprefix is a tab by default",
            args: &["-~"],
            input: "mail x@y.example\n~m 1\n~.\nx\n",
            mails: 1,
            sent: &["\tline 1 of one"],
            ..CHECK
        },
        Check {
            clause: "onehop: accepted",
            rc: "set onehop\n",
            input: "p 1\nx\n",
            sees: &["of one"],
            ..CHECK
        },
        Check {
            clause: "page: a form feed behind each message of a pipe",
            rc: "set page\n",
            input: "pipe 1-2 cat\nx\n",
            sees: &["of one", "\u{c}", "of two", "\u{c}"],
            ..CHECK
        },
        Check {
            clause: "prompt: not without a terminal",
            rc: "set prompt='hey '\n",
            input: "p 1\nx\n",
            lacks: &["hey "],
            ..CHECK
        },
        Check {
            clause: "quiet: no banner",
            is_bare: true,
            args: &["-n", "-f", "box"],
            rc: "set quiet\n",
            input: "x\n",
            lacks: &["5 messages"],
            ..CHECK
        },
        Check {
            clause: "without quiet a banner",
            is_bare: true,
            args: &["-n", "-f", "box"],
            input: "x\n",
            sees: &["5 messages"],
            ..CHECK
        },
        Check {
            clause: "save off: no dead letter",
            is_bare: true,
            args: &["-n", "-~", "ops@x.example"],
            rc: "set nosave\n",
            input: "one\n~q\n",
            status: -1,
            no_files: &[("home/dead.letter", "one")],
            ..CHECK
        },
        Check {
            clause: "screen: so many header lines",
            rc: "set screen=2\n",
            input: "h 1\nx\n",
            sees: &["alpha", "bravo"],
            lacks: &["charlie"],
            ..CHECK
        },
        Check {
            clause: "sendwait: the mail is sent before the next command",
            rc: "set sendwait\n",
            input: "mail x@y.example\ntext\n",
            mails: 1,
            ..CHECK
        },
        Check {
            clause: "showto: the recipient of one's own mail",
            rc: "set showto\nalternates ann@a.example\n",
            input: "f 1\nx\n",
            sees: &["root@h.example"],
            ..CHECK
        },
        Check {
            clause: "toplines: so many lines",
            rc: "set toplines=2\n",
            input: "top 1\nx\n",
            lacks: &["line 4 of one"],
            ..CHECK
        },
        Check {
            clause: "toplines is 5 by default",
            input: "top 1\nx\n",
            lacks: &["line 8 of one"],
            ..CHECK
        },
        Check {
            clause: "folder: relative to HOME",
            rc: "set folder=bak\n",
            input: "save 1 +x1\nx\n",
            files: &[("home/bak/x1", "of one")],
            ..CHECK
        },
        Check {
            clause: "folder: an absolute path",
            rc: "set folder=[DIR]/home/bak\n",
            input: "save 1 +x1\nx\n",
            files: &[("home/bak/x1", "of one")],
            ..CHECK
        },
        Check {
            clause: "record: relative to the current directory",
            rc: "set record=other\n",
            input: "mail x@y.example\ntext\n",
            mails: 1,
            files: &[("cwd/other", "text")],
            ..CHECK
        },
        Check {
            clause: "ignoreeof: no effect without a terminal",
            rc: "set ignoreeof\n",
            input: "d 2\n",
            left: Some("acde"),
            ..CHECK
        },
        Check {
            clause: "dot: no effect without a terminal",
            rc: "set dot\n",
            input: "mail x@y.example\none\n.\ntwo\n",
            mails: 1,
            sent: &["one\n.\ntwo\n"],
            ..CHECK
        },
        Check {
            clause: "metoo off: one's own address leaves an alias of several",
            is_strict: true,
            rc: "set from=me@h.example\nalias crew me@h.example x@c.example\n",
            input: "mail crew\ntext\n",
            mails: 1,
            sent: &["x@c.example"],
            ..CHECK
        },
        Check {
            clause: "keep off: an empty system mailbox is removed",
            input: "d *\nq\n",
            no_files: &[("BOX", "")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "variables without a name in the table are accepted",
            rc: "set nosuchthing=1\n",
            input: "p 1\nx\n",
            sees: &["of one"],
            ..CHECK
        },
        Check {
            clause: "unset of what is not set is no error",
            input: "unset nosuchthing\np 1\nx\n",
            sees: &["of one"],
            ..CHECK
        },
    ]);
}
