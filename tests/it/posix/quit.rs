//! Where messages go when the reader is left.

use super::{CHECK, Check, walk};

// K10 K17 K21 K26 K36 MB01 MB02 MB03 MB04 var:hold var:keep var:keepsave var:append
#[test]
fn by_posix_own_rules() {
    walk(&[
        Check {
            clause: "read messages go to MBOX",
            input: "p 3\nq\n",
            left: Some("abde"),
            files: &[("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "messages that were not read stay",
            input: "f *\nq\n",
            files: &[("BOX", "of five")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "new ones become old",
            input: "q\n",
            files: &[("BOX", "Status: O\n\nline 1 of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "hold: read messages stay",
            rc: "set hold\n",
            input: "p 3\nq\n",
            left: Some("abcde"),
            no_files: &[("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "the hold command: this message stays",
            input: "p 3\nhold 3\nq\n",
            files: &[("BOX", "of three")],
            no_files: &[("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "preserve: the same",
            input: "p 3\npreserve 3\nq\n",
            files: &[("BOX", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "ho, pre: abbreviations",
            input: "p 3\nho 3\np 4\npre 4\nq\n",
            files: &[("BOX", "of three"), ("BOX", "of four")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "hold takes a deletion back",
            input: "d 3\nhold 3\nq\n",
            files: &[("BOX", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "the mbox command: this message goes",
            input: "mbox 4\nq\n",
            files: &[("home/mbox", "of four")],
            no_files: &[("BOX", "of four")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "mb: the abbreviation",
            input: "mb 4\nq\n",
            files: &[("home/mbox", "of four")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "touch: as if it had been read",
            input: "touch 5\nq\n",
            files: &[("home/mbox", "of five")],
            no_files: &[("BOX", "of five")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "tou: the abbreviation",
            input: "tou 5\nq\n",
            files: &[("home/mbox", "of five")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "saved messages are dropped",
            input: "save 3 out\nq\n",
            left: Some("abde"),
            files: &[("cwd/out", "of three")],
            no_files: &[("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "keepsave: saved messages stay or go to MBOX",
            rc: "set keepsave\n",
            input: "save 3 out\nq\n",
            files: &[("cwd/out", "of three"), ("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "an empty mailbox is removed",
            input: "d *\nq\n",
            no_files: &[("BOX", "")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "keep: it is truncated",
            rc: "set keep\n",
            input: "d *\nq\n",
            files: &[("BOX", "")],
            left: Some(""),
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "the end of the input is quit",
            input: "d 2\n",
            no_files: &[("BOX", "of two")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "append: MBOX grows at its end",
            rc: "set append\n",
            input: "p 3\nq\n",
            files: &[("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "MBOX names another file",
            rc: "set MBOX=[DIR]/home/folder\n",
            input: "p 3\nq\n",
            files: &[("home/folder", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "MBOX of the environment",
            env: &[("MBOX", "[DIR]/home/folder")],
            input: "p 3\nq\n",
            files: &[("home/folder", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "exit: nothing moves",
            input: "p 3\nmbox 4\nd 1\nx\n",
            left: Some("abcde"),
            no_files: &[("home/mbox", "")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "quit of another mailbox: read messages stay",
            input: "p 3\nq\n",
            left: Some("abcde"),
            no_files: &[("home/mbox", "")],
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "quit of another mailbox: deleted ones go",
            input: "d 3\nq\n",
            left: Some("abde"),
            is_strict: true,
            ..CHECK
        },
    ]);
}

// MB02
#[test]
fn by_our_defaults() {
    walk(&[
        Check {
            clause: "hold: read messages stay",
            input: "p 3\nq\n",
            left: Some("abcde"),
            no_files: &[("home/mbox", "")],
            is_system: true,
            ..CHECK
        },
        Check {
            clause: "nohold: read messages go to MBOX",
            rc: "set nohold\n",
            input: "p 3\nq\n",
            files: &[("home/mbox", "of three")],
            no_files: &[("BOX", "of three")],
            is_system: true,
            ..CHECK
        },
        Check {
            clause: "keepsave: saved messages stay",
            input: "save 3 out\nq\n",
            left: Some("abcde"),
            is_system: true,
            ..CHECK
        },
        Check {
            clause: "nokeepsave: saved messages go",
            rc: "set nokeepsave\n",
            input: "save 3 out\nq\n",
            left: Some("abde"),
            is_system: true,
            ..CHECK
        },
        Check {
            clause: "deleted messages go",
            input: "d 2 3\nq\n",
            left: Some("ade"),
            is_system: true,
            ..CHECK
        },
        Check {
            clause: "an emptied system mailbox is not left with old bytes",
            input: "d *\nq\n",
            no_files: &[("BOX", "of one")],
            is_system: true,
            ..CHECK
        },
    ]);
}
