use super::*;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use crate::exit::Kind;

const ONE: &str = "From a@x Tue Jan  7 12:09:16 2003\nSubject: one\n\nbody\n";

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(path: &Path) -> Result<Mailbox, OpenError> {
    Mailbox::open(path, &Journals::default(), &mut |_, _, _| {})
}

#[test]
fn messages_can_be_read_whole_by_header_and_streamed() {
    let directory = directory();
    let path = directory.path().join("mbox");
    fs::write(&path, format!("{ONE}\n{ONE}")).expect("written");
    let mut seen = Vec::new();
    let mailbox = Mailbox::open(&path, &Journals::default(), &mut |index, _, header| {
        seen.push((index, header.to_vec()));
    })
    .expect("a mailbox");
    assert_eq!(mailbox.path(), path);
    assert_eq!(mailbox.size(), 2 * ONE.len() as u64 + 1);
    assert_eq!(mailbox.messages().len(), 2);
    assert_eq!(mailbox.read(1).expect("bytes"), ONE.as_bytes());
    assert_eq!(mailbox.read_header(1).expect("bytes"), seen[1].1);
    let (header, mut rest) = mailbox.open_message(1).expect("there");
    let mut text = String::from_utf8(header).expect("text");
    rest.read_to_string(&mut text).expect("bytes");
    assert_eq!(text, ONE);
}

#[test]
fn an_empty_file_is_a_mailbox_without_messages() {
    let directory = directory();
    let path = directory.path().join("empty");
    fs::write(&path, "").expect("written");
    assert!(open(&path).expect("a mailbox").messages().is_empty());
    assert!(!has_mail(&path, &Journals::default()).expect("a mailbox"));
}

#[test]
fn what_is_no_mailbox_is_named() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("text"), "hello\n").expect("written");
    fs::write(at("gzip"), "\x1f\u{8b}").expect("written");
    nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let _listener = UnixListener::bind(at("socket")).expect("a socket");
    let rows = [
        ("missing", "cannot open {}", Kind::NoInput),
        ("text/below", "cannot open {}", Kind::NoInput),
        (".", "cannot open {}: it is a directory", Kind::NoInput),
        ("fifo", "cannot open {}: it is a FIFO", Kind::NoInput),
        ("socket", "cannot open {}: it is a socket", Kind::NoInput),
        ("text", "cannot open {}: it is not an mbox", Kind::NoInput),
        ("gzip", "cannot open {}: it is not an mbox", Kind::NoInput),
    ];
    for (name, text, kind) in rows {
        let path = at(name);
        let text = text.replace("{}", &crate::sanitize::path(&path));
        for error in [
            open(&path).err(),
            has_mail(&path, &Journals::default()).err(),
        ] {
            let error = error.expect(name);
            assert_eq!(error.to_string(), text, "{name}");
            assert_eq!(error.kind(), kind, "{name}");
            assert_eq!(
                error.is_missing(),
                name.starts_with("missing") || name.contains('/')
            );
        }
    }
}

#[test]
fn a_link_is_followed_except_where_others_can_plant_it() {
    let directory = directory();
    let path = directory.path().join("mbox");
    let link = directory.path().join("link");
    fs::write(&path, ONE).expect("written");
    symlink(&path, &link).expect("a link");
    assert_eq!(open(&link).expect("a mailbox").messages().len(), 1);
    let sticky = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(directory.path(), sticky).expect("mode");
    let error = open(&link).expect_err("refused");
    assert!(error.to_string().contains("a symbolic link"), "{error}");
    assert!(has_mail(&link, &Journals::default()).is_err());
    assert_eq!(open(&path).expect("a mailbox").messages().len(), 1);
}

#[test]
fn has_mail_looks_past_blank_lines_only() {
    let directory = directory();
    let path = directory.path().join("mbox");
    for (text, expected) in [
        (ONE.to_owned(), Some(true)),
        (format!("{}{ONE}", "\r\n".repeat(5000)), Some(true)),
        ("\n".repeat(10_000), Some(false)),
        ("\n\nno mail\n".to_owned(), None),
        (
            "\x01\x01\x01\x01\nTo: b\n\n\x01\x01\x01\x01\n".to_owned(),
            Some(true),
        ),
    ] {
        fs::write(&path, &text).expect("written");
        assert_eq!(
            has_mail(&path, &Journals::default()).ok(),
            expected,
            "{:?}",
            &text[..8]
        );
    }
}

#[test]
fn a_foreign_lock_is_not_waited_for_long_and_a_torn_message_is_left_out() {
    let directory = directory();
    let path = directory.path().join("mbox");
    fs::write(
        &path,
        format!("{ONE}\nFrom a@x Tue Jan  7 12:09:16 2003\nTo: half"),
    )
    .expect("written");
    let writer = File::open(&path).expect("opened");
    writer.lock().expect("locked");
    let mailbox = open(&path).expect("a mailbox");
    assert_eq!(mailbox.notices(), [Notice::Torn]);
    assert_eq!(mailbox.messages().len(), 1);
    writer.unlock().expect("unlocked");
    let mailbox = open(&path).expect("a mailbox");
    assert_eq!(mailbox.notices(), []);
    assert_eq!(mailbox.messages().len(), 2);
}

#[test]
fn reading_leaves_no_lock_and_no_file_behind() {
    let directory = directory();
    let path = directory.path().join("mbox");
    fs::write(&path, ONE).expect("written");
    let mailbox = open(&path).expect("a mailbox");
    let writer = File::open(&path).expect("opened");
    writer.try_lock().expect("nobody holds it");
    assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1);
    assert_eq!(mailbox.messages().len(), 1);
}

#[test]
fn messages_are_read_where_another_program_has_put_them() {
    let directory = directory();
    let path = directory.path().join("mbox");
    let [one, two, three] = ["one", "two", "three"].map(|text| ONE.replace("one", text) + "\n");
    fs::write(&path, format!("{one}{two}{three}")).expect("written");
    let mailbox = open(&path).expect("a mailbox");
    let (_, mut rest) = mailbox.open_message(1).expect("there");
    // The first is gone, the last marked, and there is mail.
    let marked = three.replace("\n\nbody", "\nStatus: RO\n\nbody");
    fs::write(&path, format!("{two}{marked}{one}").replace("one", "new")).expect("written");
    let error = rest.read_to_end(&mut Vec::new()).expect_err("moved");
    assert_eq!(
        error.to_string(),
        "another program is rewriting the mailbox"
    );
    assert_eq!(mailbox.read(1).expect("bytes"), two.as_bytes());
    assert_eq!(mailbox.read(2).expect("bytes"), marked.as_bytes());
    assert_eq!(
        mailbox.read_header(2).expect("bytes").len(),
        marked.len() - "body\n\n".len()
    );
    let error = mailbox.read(0).expect_err("gone");
    assert_eq!(error.to_string(), "another program has removed the message");
    // And once more, to where they were.
    fs::write(&path, format!("{one}{two}{three}")).expect("written");
    for (index, text) in [one, two, three].iter().enumerate() {
        let (mut bytes, mut rest) = mailbox.open_message(index).expect("there");
        rest.read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes, text.as_bytes());
    }
}

#[test]
fn lines_that_were_not_counted_are_counted_when_they_are_asked_for() {
    let directory = directory();
    let path = directory.path().join("mbox");
    for text in [
        format!("{ONE}\n{ONE}"),
        format!("{ONE}\n{ONE}no end"),
        format!("{ONE}\n{ONE}\n"),
    ] {
        fs::write(&path, text).expect("written");
        let (counted, index) = (
            open(&path),
            Mailbox::open_index(&path, &Journals::default()),
        );
        let (counted, index) = (counted.expect("a mailbox"), index.expect("a mailbox"));
        for message in 0..2 {
            assert_eq!(index.messages()[message].lines, None);
            let lines = counted.messages()[message].lines.expect("counted");
            assert_eq!(index.lines(message).expect("read"), lines);
            assert_eq!(counted.lines(message).expect("known"), lines);
        }
    }
}

#[test]
fn headers_read_one_after_another_are_those_of_their_messages() {
    let directory = directory();
    let path = directory.path().join("mbox");
    // Runs of small messages, with large bodies and a header larger than a block among them.
    let text = |number: usize| {
        let field = if number == 700 { 300_000 } else { number % 90 };
        let lines = if number % 250 == 249 {
            40_000
        } else {
            number % 40
        };
        let (field, body) = ("x".repeat(field), "words\n".repeat(lines));
        ONE.replace("one", &format!("{number} {field}")) + &body + "\n"
    };
    let texts: Vec<String> = (0..1500).map(text).collect();
    fs::write(&path, texts.concat()).expect("written");
    let mailbox = Mailbox::open_index(&path, &Journals::default()).expect("a mailbox");
    assert_eq!(mailbox.messages().len(), texts.len());
    let check = |message: usize, with_lines: bool| {
        let text = &texts[message];
        let header = mailbox.read_header(message).expect("read");
        let end = text.find("\n\n").expect("a header") + 2;
        assert!(header == text.as_bytes()[..end], "{message}");
        if with_lines {
            let lines = text.lines().count();
            assert_eq!(mailbox.lines(message).expect("read") as usize, lines);
        }
    };
    (0..1500).for_each(|message| check(message, false));
    (0..1500).for_each(|message| check(message, true));
    (0..1500).rev().for_each(|message| check(message, true));
    (0..1500).for_each(|at| check(at * 7919 % 1500, at % 3 == 0));
}

#[test]
fn a_change_behind_a_block_read_ahead_is_noticed() {
    let directory = directory();
    let path = directory.path().join("mbox");
    let text = |number: usize| ONE.replace("one", &format!("{number} of many")) + "\n";
    let all: Vec<String> = (0..1000).map(text).collect();
    fs::write(&path, all.concat()).expect("written");
    let mailbox = open(&path).expect("a mailbox");
    let is_right = |message: usize| {
        let header = mailbox.read_header(message).expect("read");
        assert!(all[message].as_bytes().starts_with(&header), "{message}");
    };
    (0..500).for_each(is_right);
    // The first ten go, in the same file.
    fs::write(&path, all[10..].concat()).expect("written");
    (500..1000).for_each(is_right);
    std::thread::sleep(std::time::Duration::from_millis(5));
    let error = mailbox.read_header(9).expect_err("gone");
    assert_eq!(error.to_string(), "another program has removed the message");
    (10..1000).for_each(is_right);
    // And one more, of those that the new block holds.
    let rest = [&all[10..995], &all[996..]].concat();
    fs::write(&path, rest.concat()).expect("written");
    std::thread::sleep(std::time::Duration::from_millis(5));
    let error = mailbox.read_header(995).expect_err("gone");
    assert_eq!(error.to_string(), "another program has removed the message");
    is_right(996);
    // Mail that arrives changes the file, and none of these.
    fs::write(&path, rest.concat() + &all[0]).expect("written");
    std::thread::sleep(std::time::Duration::from_millis(5));
    (10..995).chain(996..1000).for_each(is_right);
}
