use super::*;

use crate::mailbox::format::mbox::{Options, scan};
use crate::mailbox::format::mmdf;

fn index(text: &[u8]) -> Vec<MessageRef> {
    let scan = scan(
        text,
        text.len() as u64,
        Options::default(),
        &mut |_, _, _| {},
    );
    scan.expect("an mbox").messages
}

fn plan(text: &[u8], changes: &Changes) -> RewritePlan {
    RewritePlan::new(text, text.len() as u64, &index(text), changes, 0).expect("memory")
}

/// Returns what a plan makes of a text.
fn carried_out(plan: &RewritePlan, text: &[u8]) -> Vec<u8> {
    let mut out = text[..plan.start() as usize].to_vec();
    for piece in plan.pieces() {
        match piece {
            Piece::Copy { from, len } => {
                out.extend_from_slice(&text[from as usize..(from + len) as usize]);
            }
            Piece::Text(text) => out.extend_from_slice(text),
        }
    }
    if plan.new_size() == plan.old_size() {
        out.extend_from_slice(&text[plan.end() as usize..]);
    }
    out
}

const A: &str = "From a Mon Nov 16 09:00:00 2026\nTo: a\n\nbody\n\n";
const B: &str = "From b Mon Nov 16 09:00:01 2026\nTo: b\nStatus: O\n\nbody\n\n";
const C: &str = "From c Mon Nov 16 09:00:02 2026\nTo: c\n\nbody\n\n";

#[test]
fn deletions_leave_the_others_as_they_are() {
    let text = [A, B, C].concat();
    let rows: [(&[usize], String); 7] = [
        (&[0], [B, C].concat()),
        (&[1], [A, C].concat()),
        (&[2], [A, B].concat()),
        (&[0, 1], C.to_owned()),
        (&[0, 2], B.to_owned()),
        (&[1, 2], A.to_owned()),
        (&[0, 1, 2], String::new()),
    ];
    for (deleted, expected) in rows {
        let mut changes = Changes::default();
        deleted.iter().for_each(|index| changes.delete(*index));
        let plan = plan(text.as_bytes(), &changes);
        let out = carried_out(&plan, text.as_bytes());
        assert_eq!(
            String::from_utf8(out).expect("text"),
            expected,
            "{deleted:?}"
        );
        assert_eq!(plan.new_size(), expected.len() as u64);
        assert!(plan.never_overtakes());
    }
}

#[test]
fn a_delimiter_between_two_mmdf_messages_stays_for_the_other() {
    const D: &str = "\u{1}\u{1}\u{1}\u{1}\n";
    const X: &str = "To: x\n\n";
    const Y: &str = "To: y\n\n";
    const Z: &str = "To: z\n\n";
    let careful = [D, X, D, D, Y, D, D, Z, D].concat();
    let careless = [D, X, D, Y, D, Z, D].concat();
    let rows: [(&str, &[usize], &[&str]); 9] = [
        (&careful, &[0], &[D, Y, D, D, Z, D]),
        (&careful, &[1], &[D, X, D, D, Z, D]),
        (&careful, &[2], &[D, X, D, D, Y, D]),
        (&careful, &[0, 1, 2], &[]),
        (&careless, &[0], &[D, Y, D, Z, D]),
        (&careless, &[1], &[D, X, D, Z, D]),
        (&careless, &[2], &[D, X, D, Y, D]),
        (&careless, &[0, 1], &[D, Z, D]),
        (&careless, &[1, 2], &[D, X, D]),
    ];
    for (text, deleted, expected) in rows {
        let bytes = text.as_bytes();
        let size = bytes.len() as u64;
        let found = mmdf::scan(
            bytes,
            size,
            Options {
                skip_torn: false,
                ..Options::default()
            },
            &mut |_, _, _| {},
        )
        .expect("memory");
        let mut changes = Changes::default();
        deleted.iter().for_each(|index| changes.delete(*index));
        let framing = D.len() as u64;
        let plan =
            RewritePlan::new(bytes, size, &found.messages, &changes, framing).expect("memory");
        let out = carried_out(&plan, bytes);
        let out = String::from_utf8(out).expect("text");
        assert_eq!(out, expected.concat(), "{text:?} {deleted:?}");
        assert!(plan.never_overtakes());
    }
}

#[test]
fn what_an_index_of_mmdf_does_not_have_stays() {
    const D: &str = "\u{1}\u{1}\u{1}\u{1}\n";
    const X: &str = "To: x\n\n";
    const Y: &str = "To: y\n\n";
    // The last one has no delimiter behind it: somebody may still be writing.
    let rows = [
        ([D, X, D, D, Y].concat(), [D, D, Y].concat()),
        ([D, X, D, Y].concat(), [D, Y].concat()),
        ([D, X, D, "\n"].concat(), String::new()),
    ];
    for (text, expected) in rows {
        let bytes = text.as_bytes();
        let size = bytes.len() as u64;
        let found = mmdf::scan(
            bytes,
            size,
            Options {
                skip_torn: true,
                ..Options::default()
            },
            &mut |_, _, _| {},
        )
        .expect("memory");
        let mut changes = Changes::default();
        changes.delete(0);
        let framing = D.len() as u64;
        let plan =
            RewritePlan::new(bytes, size, &found.messages, &changes, framing).expect("memory");
        let out = String::from_utf8(carried_out(&plan, bytes)).expect("text");
        assert_eq!(out, expected, "{text:?}");
        let left = mmdf::scan(
            out.as_bytes(),
            out.len() as u64,
            Options {
                skip_torn: false,
                ..Options::default()
            },
            &mut |_, _, _| {},
        );
        let left = left.expect("memory").messages.len();
        assert_eq!(left, usize::from(text.contains(Y)), "{text:?}");
    }
}

#[test]
fn a_deletion_at_the_end_writes_nothing() {
    let text = [A, B, C].concat();
    let mut changes = Changes::default();
    changes.delete(1);
    changes.delete(2);
    let plan = plan(text.as_bytes(), &changes);
    assert_eq!(plan.pieces().count(), 0);
    assert_eq!(
        (plan.start(), plan.new_size()),
        (A.len() as u64, A.len() as u64)
    );
    assert!(!plan.is_empty());
}

#[test]
fn flags_change_their_lines_and_what_lies_behind_moves() {
    let text = [A, B, C].concat();
    let mut changes = Changes::default();
    let mut read = Flags::READ;
    read.insert(Flags::OLD);
    changes.set_flags(1, read);
    let grown = plan(text.as_bytes(), &changes);
    let out = String::from_utf8(carried_out(&grown, text.as_bytes())).expect("text");
    assert_eq!(out, [A, &B.replace("Status: O", "Status: RO"), C].concat());
    assert!(!grown.never_overtakes());
    assert_eq!(grown.flagged(), 1);

    // A deletion before it makes room.
    changes.delete(0);
    let plan = plan(text.as_bytes(), &changes);
    let out = String::from_utf8(carried_out(&plan, text.as_bytes())).expect("text");
    assert_eq!(out, [&B.replace("Status: O", "Status: RO"), C].concat());
    assert!(plan.never_overtakes());
}

#[test]
fn a_change_of_the_same_length_writes_only_itself() {
    let text = [A, &B.replace("Status: O", "Status: R"), C].concat();
    let mut changes = Changes::default();
    changes.set_flags(1, Flags::OLD);
    let plan = plan(text.as_bytes(), &changes);
    let pieces: Vec<_> = plan.pieces().collect();
    assert_eq!(pieces, [Piece::Text(b"O")]);
    assert_eq!(plan.end(), plan.start() + 1);
    assert_eq!(
        carried_out(&plan, text.as_bytes()),
        [A, B, C].concat().as_bytes()
    );
}

#[test]
fn what_says_the_same_already_is_no_change() {
    let text = [A, B].concat();
    let mut changes = Changes::default();
    changes.set_flags(0, Flags::NONE);
    changes.set_flags(1, Flags::OLD);
    assert!(plan(text.as_bytes(), &changes).is_empty());
}

#[test]
fn the_message_before_gets_the_blank_line_that_it_lacks() {
    // `b` has no blank line before it, and would be taken for text were `a` to lose `b`'s date line.
    let a = A.strip_suffix('\n').expect("a blank line");
    let text = [a, B, C].concat();
    let mut changes = Changes::default();
    changes.delete(1);
    let plan = plan(text.as_bytes(), &changes);
    assert_eq!(
        carried_out(&plan, text.as_bytes()),
        [A, C].concat().as_bytes()
    );
    assert!(plan.never_overtakes());
}
