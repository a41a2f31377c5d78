//! Mail, replies and follow-ups, and their headers.

use super::{CHECK, Check, walk};

// K13 K20 K27 K28 var:flipr var:record var:outfolder var:debug var:metoo
#[test]
fn to_whom() {
    walk(&[
        Check {
            clause: "mail: to the addresses",
            input: "mail x@y.example z@y.example\ntext\n",
            mails: 1,
            sent: &["x@y.example", "z@y.example", "text\n"],
            ..CHECK
        },
        Check {
            clause: "m: the abbreviation",
            input: "m x@y.example\ntext\n",
            mails: 1,
            sent: &["x@y.example"],
            ..CHECK
        },
        Check {
            clause: "reply: to the sender and all recipients",
            input: "reply 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example", "team@t.example", "boss@t.example"],
            ..CHECK
        },
        Check {
            clause: "respond: the same",
            input: "respond 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example", "team@t.example"],
            ..CHECK
        },
        Check {
            clause: "r: the abbreviation",
            input: "r 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example", "team@t.example"],
            ..CHECK
        },
        Check {
            clause: "reply alone: the current message",
            input: "reply\ntext\n",
            mails: 1,
            sent: &["Subject: Re: charlie"],
            ..CHECK
        },
        Check {
            clause: "Reply: to the sender alone",
            input: "Reply 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example"],
            unsent: &["team@t.example", "boss@t.example"],
            ..CHECK
        },
        Check {
            clause: "Respond, R: the same",
            input: "R 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example"],
            unsent: &["team@t.example"],
            ..CHECK
        },
        Check {
            clause: "Reply to several: their senders, the subject of the first",
            input: "Reply 1 2\ntext\n",
            mails: 1,
            sent: &["ann@a.example", "bob@b.example", "Re: alpha"],
            unsent: &["Re: bravo"],
            ..CHECK
        },
        Check {
            clause: "flipr: reply and Reply change places",
            rc: "set flipr\n",
            input: "reply 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example"],
            unsent: &["team@t.example"],
            ..CHECK
        },
        Check {
            clause: "flipr: Reply to all",
            rc: "set flipr\n",
            input: "Reply 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example", "team@t.example"],
            ..CHECK
        },
        Check {
            clause: "the subject begins with Re: ",
            input: "reply 2\ntext\n",
            mails: 1,
            sent: &["Subject: Re: bravo\n"],
            ..CHECK
        },
        Check {
            clause: "the text is the input",
            input: "reply 2\nfirst\nsecond\n",
            mails: 1,
            sent: &["first\nsecond\n"],
            ..CHECK
        },
        Check {
            clause: "In-Reply-To names the message",
            input: "reply 2\ntext\n",
            mails: 1,
            sent: &["In-Reply-To: <1@a.example>"],
            ..CHECK
        },
        Check {
            clause: "metoo: one's own address stays in an alias",
            rc: "set from=me@h.example metoo\nalias crew me@h.example x@c.example\n",
            input: "mail crew\ntext\n",
            mails: 1,
            sent: &["me@h.example", "x@c.example"],
            ..CHECK
        },
        Check {
            clause: "followup: the reply is recorded in a file named after the author",
            input: "followup 1\ntext\n",
            mails: 1,
            files: &[("cwd/ann", "text")],
            sent: &["ann@a.example"],
            ..CHECK
        },
        Check {
            clause: "fo: the abbreviation",
            input: "fo 4\ntext\n",
            mails: 1,
            files: &[("cwd/dave", "text")],
            ..CHECK
        },
        Check {
            clause: "Followup: to the senders alone, recorded",
            input: "Followup 1\ntext\n",
            mails: 1,
            files: &[("cwd/ann", "text")],
            unsent: &["team@t.example"],
            ..CHECK
        },
        Check {
            clause: "F: the abbreviation",
            input: "F 4\ntext\n",
            mails: 1,
            files: &[("cwd/dave", "text")],
            unsent: &["team@t.example"],
            ..CHECK
        },
        Check {
            clause: "followup overrides record",
            rc: "set record=[DIR]/home/sent\n",
            input: "followup 1\ntext\n",
            mails: 1,
            files: &[("cwd/ann", "text")],
            no_files: &[("home/sent", "text")],
            ..CHECK
        },
        Check {
            clause: "record: sent mail is kept there",
            rc: "set record=[DIR]/home/sent\n",
            input: "mail x@y.example\ntext\n",
            mails: 1,
            files: &[("home/sent", "text")],
            ..CHECK
        },
        Check {
            clause: "record also of send mode",
            is_bare: true,
            args: &["-n", "-s", "x", "ops@x.example"],
            rc: "set record=[DIR]/home/sent\n",
            input: "text\n",
            mails: 1,
            files: &[("home/sent", "text")],
            ..CHECK
        },
        Check {
            clause: "outfolder: record is in the folder directory",
            rc: "set folder=bak outfolder record=sent\n",
            input: "mail x@y.example\ntext\n",
            mails: 1,
            files: &[("home/bak/sent", "text")],
            ..CHECK
        },
        Check {
            clause: "debug: nothing is delivered",
            rc: "set debug\n",
            input: "mail x@y.example\ntext\n",
            mails: 0,
            ..CHECK
        },
    ]);
}
