use std::path::PathBuf;

use tempfile::TempDir;

use crate::mailbox::format::mbox;
use crate::mailbox::{
    AppendOptions, Changes, CommitOptions, Journals, LockOptions, Mailbox, append, has_mail,
};

const A: &[u8] = b"From a@x Mon Nov 16 09:00:00 2026\nTo: a\n\nbody\n\n";
const B: &[u8] = b"From b@x Mon Nov 16 09:00:01 2026\nTo: b\nStatus: RO\n\nbody\n\n";
const C: &[u8] = b"From c@x Mon Nov 16 09:00:02 2026\nTo: c\n\nbody\n\n";
const MARKED: &[u8] = b"\0rom d@x Mon Nov 16 09:00:03 2026\nTo: d\n\nhalf of a mess";

const MARK_LENGTH: usize = b"\0rom ".len();

struct Spool {
    directory: TempDir,
}

impl Spool {
    fn new(content: &[u8]) -> Spool {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = Spool { directory };
        std::fs::write(spool.path(), content).expect("written");
        spool
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mbox")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).expect("read")
    }

    fn open(&self) -> Mailbox {
        let opened = Mailbox::open(&self.path(), &Journals::default(), &mut |_, _, _| {});
        opened.unwrap_or_else(|error| {
            let bytes = self.bytes();
            let nuls = bytes.iter().take_while(|byte| **byte == 0).count();
            let rest = String::from_utf8_lossy(&bytes[nuls..]);
            panic!("{error}: {nuls} NULs, {} bytes: {rest:.200}", bytes.len())
        })
    }

    fn seen(&self) -> Vec<Vec<u8>> {
        all(&self.open())
    }

    fn append(&self, text: &[u8]) {
        let mut message: &[u8] = text;
        append(
            &self.path(),
            b"From new@x Mon Nov 16 10:00:00 2026",
            &mut message,
            &AppendOptions::folder(),
        )
        .expect("appended");
    }

    fn delete(&self, index: usize) {
        let mut changes = Changes::default();
        changes.delete(index);
        let options = CommitOptions {
            lock: LockOptions::default(),
            journals: &Journals::default(),
            removes_empty: false,
        };
        self.open().commit(&changes, &options).expect("committed");
    }
}

fn all(mailbox: &Mailbox) -> Vec<Vec<u8>> {
    let messages = 0..mailbox.messages().len();
    messages
        .map(|index| mailbox.read(index).expect("a message"))
        .collect()
}

/// Fills up to a page's end, and so many pages more.
fn nuls_to_page(before: usize, more: usize) -> Vec<u8> {
    vec![0; before.next_multiple_of(4096) - before + more * 4096]
}

/// A tail of a mailbox, what is no message in it, and whether the next writer cuts it.
struct Row {
    name: &'static str,
    whole: Vec<Vec<u8>>,
    tail: Vec<u8>,
    /// The messages behind the tail.
    behind: Vec<Vec<u8>>,
    is_cut: bool,
}

/// Name, tail, the messages behind it, and whether it is cut.
type Tail<'a> = (&'static str, Vec<u8>, &'a [&'a [u8]], bool);

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for whole in [vec![], vec![A], vec![A, B]] {
        let before: usize = whole.iter().map(|message| message.len()).sum();
        let text = b"of a message whose first page is lost\nmore of it";
        let page = [MARKED, &vec![b'x'; 4096 - before - MARKED.len()]].concat();
        let tails: [Tail<'_>; 10] = [
            ("NULs", vec![0; 300], &[], true),
            ("many NULs", vec![0; 200_000], &[], true),
            ("NULs to a page's end", nuls_to_page(before, 1), &[], true),
            ("a mark", MARKED.to_vec(), &[], true),
            ("a From_ line that is cut", MARKED[..12].to_vec(), &[], true),
            (
                "a page, then NULs",
                [&page[..], &[0; 5000]].concat(),
                &[],
                true,
            ),
            (
                "a page, NULs, text",
                [&page[..], &[0; 4096], text].concat(),
                &[],
                true,
            ),
            (
                "a message with a mark, then another",
                [MARKED, b"a@x\n\ntext\n\n", MARKED].concat(),
                &[],
                true,
            ),
            ("a mark, then mail", MARKED.to_vec(), &[C, A], false),
            ("NULs, then mail", vec![0; 300], &[C], false),
        ];
        for (name, tail, behind, is_cut) in tails {
            rows.push(Row {
                name,
                whole: whole.iter().map(|message| message.to_vec()).collect(),
                tail,
                behind: behind.iter().map(|message| message.to_vec()).collect(),
                is_cut,
            });
        }
    }
    rows
}

/// Returns a message that ends so many bytes before the end of a page.
fn up_to_border(left: usize) -> Vec<u8> {
    let line = vec![b'x'; 4096 - left - A.len() - 1];
    [&A[..A.len() - 1], &line, b"\n\n"].concat()
}

/// The mark may begin in one page and end in the next, which is not there.
#[test]
fn the_beginning_of_a_mark_before_a_page_that_is_missing_is_no_message() {
    for shown in 1..MARK_LENGTH {
        for behind in [
            &[][..],
            &[0; 60][..],
            &[&[0; 4096][..], b"text\nmore\n"].concat()[..],
        ] {
            let whole = up_to_border(shown);
            let spool = Spool::new(&[&whole[..], &MARKED[..shown], behind].concat());
            assert_eq!(
                spool.seen(),
                std::slice::from_ref(&whole),
                "{shown} {}",
                behind.len()
            );
            spool.append(b"To: new\n\ntext\n");
            assert_eq!(spool.bytes()[..whole.len()], whole, "{shown}");
            assert!(
                spool.bytes()[whole.len()..].starts_with(b"From new@x "),
                "{shown}"
            );
        }
    }
}

#[test]
fn few_nuls_are_no_message_where_a_page_ends_with_them() {
    for count in [1, 2, 20, 32, 33] {
        let whole = up_to_border(count);
        let spool = Spool::new(&[&whole[..], &vec![0; count]].concat());
        assert_eq!(spool.seen(), std::slice::from_ref(&whole), "{count}");
        spool.append(b"To: new\n\ntext\n");
        let new = spool.bytes().split_off(whole.len());
        assert!(new.starts_with(b"From new@x "), "{count}");

        let spool = Spool::new(&[&whole[..], &vec![0; count], C].concat());
        assert_eq!(spool.seen(), [whole.clone(), C.to_vec()], "{count}");
    }
}

/// NULs that another program has stored belong to a message, wherever they end.
#[test]
fn nuls_within_a_message_are_its_own() {
    let start = [&A[..A.len() - 1], b"text\n"].concat();
    for end in [4096, 8192, 5000] {
        let body = [&start[..], &vec![0; end - start.len()], b"text\n\n"].concat();
        let spool = Spool::new(&body);
        assert_eq!(spool.seen(), std::slice::from_ref(&body), "{end}");
        spool.append(b"To: new\n\ntext\n");
        assert!(spool.bytes().starts_with(&body), "{end}");
    }
}

#[test]
fn what_nobody_was_told_of_is_no_message_through_any_door() {
    for row in rows() {
        let name = format!("{} behind {}", row.name, row.whole.len());
        let messages = [&row.whole[..], &row.behind].concat();
        let content = [row.whole.concat(), row.tail.clone(), row.behind.concat()].concat();
        let fresh = || Spool::new(&content);
        assert_eq!(fresh().seen(), messages, "{name}");
        let spool = fresh();
        let has = has_mail(&spool.path(), &Journals::default()).expect("looked");
        assert_eq!(has, !messages.is_empty(), "-e: {name}");
        let end = Mailbox::open_end(&spool.path(), &Journals::default()).expect("a mailbox");
        assert_eq!(all(&end).last(), messages.last(), "the last one: {name}");
        assert_eq!(spool.bytes(), content, "reading writes nothing: {name}");
        let blocks = [1, 7, 64, 1000, 5000];
        let is_long = content.len() > 20_000;
        for block in blocks.into_iter().skip(if is_long { 3 } else { 0 }) {
            let options = mbox::Options {
                block,
                ..mbox::Options::default()
            };
            let (source, size) = (&content[..], content.len() as u64);
            let found = mbox::scan(source, size, options, &mut |_, _, _| {}).expect("an mbox");
            let found: Vec<&[u8]> = found
                .messages
                .iter()
                .map(|found| &content[found.offset as usize..(found.offset + found.len) as usize])
                .collect();
            assert_eq!(found, messages, "in blocks of {block}: {name}");
        }

        for text in [
            &b"To: new\n\nbody\n"[..],
            &[b"To: new\n\n", &[b'y'; 100_000][..], b"\n"].concat(),
        ] {
            let spool = fresh();
            spool.append(text);
            let new = [b"From new@x Mon Nov 16 10:00:00 2026\n", text, b"\n"].concat();
            let mut expected = messages.clone();
            expected.push(new);
            assert_eq!(spool.seen(), expected, "append: {name}");
            if row.is_cut {
                assert_eq!(spool.bytes(), expected.concat(), "append cuts: {name}");
            }
        }

        for index in 0..messages.len() {
            let spool = fresh();
            spool.delete(index);
            let mut expected = messages.clone();
            expected.remove(index);
            assert_eq!(spool.seen(), expected, "delete {index}: {name}");
            if row.is_cut {
                assert_eq!(
                    spool.bytes(),
                    expected.concat(),
                    "delete {index} cuts: {name}"
                );
            }
        }
    }
}

#[test]
fn a_body_with_nuls_keeps_them() {
    let message = |body: &[u8]| [b"From a@x Mon Nov 16 09:00:00 2026\nTo: a\n\n", body].concat();
    let long = vec![0; 600];
    let pages = vec![0; 9000];
    let bodies: [Vec<u8>; 8] = [
        // At the end of a body: without and with its line end.
        [&b"text"[..], &long].concat(),
        [&b"text"[..], &long, b"\n\n"].concat(),
        [&b"text\n"[..], &long, b"\n\n"].concat(),
        [&b"text\n"[..], &long, b"more\n\n"].concat(),
        [&b"text\n"[..], &pages, b"\0more\n\n"].concat(),
        b"text\n\0\0\0\0".to_vec(),
        // What Sendmail's mail.local leaves behind a body without its line end.
        b"te\0est\n\n".to_vec(),
        b"text\n\0romance\n\n".to_vec(),
    ];
    for body in bodies {
        let first = message(&body);
        let spool = Spool::new(&first);
        assert_eq!(
            spool.seen(),
            std::slice::from_ref(&first),
            "{:?}",
            String::from_utf8_lossy(&body)
        );
        spool.append(b"To: new\n\nbody\n");
        let bytes = spool.bytes();
        assert!(
            bytes.starts_with(&first),
            "{:?}",
            String::from_utf8_lossy(&body)
        );
        let seen = spool.seen();
        assert_eq!(seen.len(), 2, "{:?}", String::from_utf8_lossy(&body));
        assert!(seen[0].starts_with(&first));
    }
}

#[test]
fn a_long_message_counts_only_when_all_of_it_is_there() {
    use std::io::Read;

    /// Says what the mailbox holds each time that more of the message is asked for.
    struct Watching<'a> {
        text: &'a [u8],
        spool: &'a Spool,
        found: &'a mut Vec<(u64, usize)>,
    }
    impl Read for Watching<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let copy = Spool::new(&self.spool.bytes());
            self.found
                .push((copy.bytes().len() as u64, copy.seen().len()));
            let want = buffer.len().min(40_000);
            self.text.read(&mut buffer[..want])
        }
    }
    let text = [&b"To: new\n\n"[..], &b"a line of it\n".repeat(30_000)].concat();
    let spool = Spool::new(A);
    let mut found = Vec::new();
    let mut message = Watching {
        text: &text,
        spool: &spool,
        found: &mut found,
    };
    append(
        &spool.path(),
        b"From new@x Mon Nov 16 10:00:00 2026",
        &mut message,
        &AppendOptions::folder(),
    )
    .expect("appended");
    // It grew while it was written, and was never half a message to a reader.
    assert!(
        found
            .iter()
            .filter(|(size, _)| *size > A.len() as u64)
            .count()
            > 2,
        "{found:?}"
    );
    assert!(
        found.iter().all(|(_, messages)| *messages == 1),
        "{found:?}"
    );
    let expected = [A, b"From new@x Mon Nov 16 10:00:00 2026\n", &text, b"\n"].concat();
    assert!(spool.bytes() == expected);
}
