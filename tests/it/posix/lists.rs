//! Message lists.

use super::{CHECK, Check, walk};

// L01 L02 L03 L04 L09 L16
#[test]
fn numbers_ranges_and_signs() {
    walk(&[
        Check {
            clause: "n: that message",
            input: "p 2\nx\n",
            sees: &["line 1 of two"],
            lacks: &["of one", "of three"],
            ..CHECK
        },
        Check {
            clause: "a number alone prints",
            input: "4\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "+: the next undeleted one",
            input: "p +\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "+ passes over deleted ones",
            input: "d 4\n3\np +\nx\n",
            sees: &["line 1 of five"],
            lacks: &["of four"],
            ..CHECK
        },
        Check {
            clause: "-: the one before",
            input: "p -\nx\n",
            sees: &["line 1 of two"],
            ..CHECK
        },
        Check {
            clause: "^: the first undeleted one",
            input: "p ^\nx\n",
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "^ passes over deleted ones",
            input: "d 1\np ^\nx\n",
            sees: &["line 1 of two"],
            lacks: &["of one"],
            ..CHECK
        },
        Check {
            clause: "$: the last one",
            input: "p $\nx\n",
            sees: &["line 1 of five"],
            ..CHECK
        },
        Check {
            clause: "*: all",
            input: "f *\nx\n",
            sees: &["alpha", "bravo", "charlie", "delta", "echo"],
            ..CHECK
        },
        Check {
            clause: "n-m: a range",
            input: "f 2-4\nx\n",
            sees: &["bravo", "charlie", "delta"],
            lacks: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "a range with ends of signs",
            input: "f ^-2\nx\n",
            sees: &["alpha", "bravo"],
            lacks: &["charlie"],
            ..CHECK
        },
        Check {
            clause: "a range up to $",
            input: "f 4-$\nx\n",
            sees: &["delta", "echo"],
            lacks: &["charlie"],
            ..CHECK
        },
        Check {
            clause: "a range with .",
            input: "f .-5\nx\n",
            sees: &["charlie", "delta", "echo"],
            lacks: &["bravo"],
            ..CHECK
        },
        Check {
            clause: ".: the current one",
            input: "p .\nx\n",
            sees: &["line 1 of three"],
            ..CHECK
        },
        Check {
            clause: "without a list: the current one",
            input: "p\nx\n",
            sees: &["line 1 of three"],
            ..CHECK
        },
        Check {
            clause: "several lists are a union",
            input: "f 1 5\nx\n",
            sees: &["alpha", "echo"],
            lacks: &["bravo", "charlie", "delta"],
            ..CHECK
        },
        Check {
            clause: "in the order of the mailbox, each once",
            input: "f 5 1 5\nx\n",
            sees: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "without a blank behind the command",
            input: "f2-3\nx\n",
            sees: &["bravo", "charlie"],
            lacks: &["alpha", "delta"],
            ..CHECK
        },
    ]);
}

// L05 L06 L07 L10 var:allnet
#[test]
fn by_address_subject_and_state() {
    walk(&[
        Check {
            clause: "address: messages of that sender",
            input: "f ann@a.example\nx\n",
            sees: &["alpha", "charlie"],
            lacks: &["bravo", "delta", "echo"],
            ..CHECK
        },
        Check {
            clause: "address: as the header summary shows it, a part too",
            input: "f dave\nx\n",
            sees: &["delta"],
            lacks: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "address: in any case",
            input: "f BOB\nx\n",
            sees: &["bravo"],
            lacks: &["alpha"],
            ..CHECK
        },
        Check {
            clause: "allnet: the local part alone",
            rc: "set allnet\n",
            input: "f bob@other.example\nx\n",
            sees: &["bravo"],
            lacks: &["alpha"],
            ..CHECK
        },
        Check {
            clause: "/string: in the subject, in any case",
            input: "f /ALPH\nx\n",
            sees: &["alpha"],
            lacks: &["bravo"],
            ..CHECK
        },
        Check {
            clause: "/string of several words is one word with quotes",
            input: "f '/no such'\nx\n",
            says: &["No applicable messages"],
            ..CHECK
        },
        Check {
            clause: ":n new ones",
            input: "f :n\nx\n",
            sees: &["charlie", "delta", "echo"],
            lacks: &["alpha", "bravo"],
            ..CHECK
        },
        Check {
            clause: ":o old ones (not read, not new)",
            input: "f :o\nx\n",
            sees: &["bravo"],
            lacks: &["alpha", "charlie"],
            ..CHECK
        },
        Check {
            clause: ":r read ones",
            input: "f :r\nx\n",
            sees: &["alpha"],
            lacks: &["bravo", "charlie"],
            ..CHECK
        },
        Check {
            clause: ":u unread ones",
            input: "f :u\nx\n",
            sees: &["bravo", "charlie", "delta", "echo"],
            lacks: &["alpha"],
            ..CHECK
        },
        Check {
            clause: ":d deleted ones, for undelete",
            input: "d 2 4\nu :d\nf *\nx\n",
            sees: &["bravo", "delta"],
            ..CHECK
        },
        Check {
            clause: "a list that names nothing",
            input: "f nobody\nx\n",
            says: &["No applicable messages"],
            ..CHECK
        },
        Check {
            clause: "a number that is not there",
            input: "p 9\nx\n",
            says: &["9: Invalid message number"],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "a deleted message is not printed",
            input: "d 2\np 2\nx\n",
            lacks: &["of two"],
            says: &["2"],
            ..CHECK
        },
        Check {
            clause: "state and number together are a union",
            input: "f :r 5\nx\n",
            sees: &["alpha", "echo"],
            lacks: &["bravo"],
            ..CHECK
        },
    ]);
}
