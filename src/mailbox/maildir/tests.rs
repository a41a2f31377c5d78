use super::*;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use tempfile::TempDir;

use crate::mailbox::change::{Changes, CommitOptions};
use crate::mailbox::format::quote::Form;
use crate::mailbox::lock::LockOptions;
use crate::mailbox::{Journals, Mailbox};

const TEXT: &str = "Subject: one\n\nbody\n";

fn maildir() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["new", "cur", "tmp"] {
        fs::create_dir(directory.path().join(name)).expect("made");
    }
    directory
}

/// Puts messages there, each with its name as its subject.
fn put(directory: &TempDir, names: &[&str]) {
    for name in names {
        let text = format!("Subject: {name}\n\nbody\n");
        fs::write(directory.path().join(name), text).expect("written");
    }
}

fn open(directory: &TempDir) -> (Mailbox, Vec<String>) {
    let mut subjects = Vec::new();
    let journals = Journals::default();
    let mailbox = Mailbox::open(directory.path(), &journals, &mut |index, _, header| {
        assert_eq!(index, subjects.len());
        let text = String::from_utf8_lossy(header);
        let subject = text.lines().next().unwrap_or_default();
        subjects.push(subject.trim_start_matches("Subject: ").to_owned());
    })
    .expect("a Maildir");
    (mailbox, subjects)
}

fn commit(mailbox: &Mailbox, changes: &Changes) -> crate::mailbox::Committed {
    let options = CommitOptions {
        lock: LockOptions::default(),
        journals: &Journals::default(),
        removes_empty: true,
    };
    mailbox.commit(changes, &options).expect("written")
}

/// Returns the files, sorted.
fn names(directory: &TempDir) -> Vec<String> {
    let mut names = Vec::new();
    for place in ["cur", "new", "tmp"] {
        for entry in fs::read_dir(directory.path().join(place)).expect("a directory") {
            let name = entry.expect("a name").file_name();
            names.push(format!("{place}/{}", name.to_string_lossy()));
        }
    }
    names.sort();
    names
}

fn opened(path: &Path) -> fs::File {
    fs::File::open(path).expect("opened")
}

#[test]
fn messages_come_in_the_order_of_their_delivery_with_their_flags() {
    let directory = maildir();
    put(
        &directory,
        &[
            "cur/10.b:2,RS",
            "cur/10.a:2,",
            "new/9.M20P1Q1.h",
            "new/9.M3P1Q1.h",
            "cur/letter",
            "cur/20.x:2,DFTPab",
            "new/20.y:2,S",
            "cur/.hidden",
            "tmp/1.t",
        ],
    );
    let (mailbox, subjects) = open(&directory);
    assert_eq!(
        subjects,
        [
            "new/9.M3P1Q1.h",
            "new/9.M20P1Q1.h",
            "cur/10.a:2,",
            "cur/10.b:2,RS",
            "cur/20.x:2,DFTPab",
            "new/20.y:2,S",
            "cur/letter",
        ]
    );
    let flags: Vec<String> = mailbox
        .messages()
        .iter()
        .map(|message| {
            let flags = message.flags;
            let all = [
                (flags.is_read(), 'R'),
                (flags.is_old(), 'O'),
                (flags.is_answered(), 'A'),
                (flags.is_flagged(), 'F'),
                (flags.is_draft(), 'T'),
                (flags.is_deleted(), 'D'),
            ];
            all.iter().filter(|(is, _)| *is).map(|(_, l)| *l).collect()
        })
        .collect();
    assert_eq!(flags, ["", "", "O", "ROA", "OFTD", "R", "O"]);
    let text = "Subject: cur/10.b:2,RS\n\nbody\n";
    let message = &mailbox.messages()[3];
    assert_eq!(message.len, text.len() as u64);
    assert_eq!((message.lines, message.from_line_len), (Some(3), 0));
    assert_eq!(mailbox.read(3).expect("bytes"), text.as_bytes());
    assert_eq!(
        mailbox.read_header(3).expect("bytes"),
        b"Subject: cur/10.b:2,RS\n\n"
    );
    let (header, mut rest) = mailbox.open_message(3).expect("there");
    let mut streamed = String::from_utf8(header).expect("text");
    io::Read::read_to_string(&mut rest, &mut streamed).expect("bytes");
    assert_eq!(streamed, text);
    assert!(crate::mailbox::has_mail(directory.path(), &Journals::default()).expect("a Maildir"));
}

#[test]
fn an_empty_maildir_has_no_mail_and_another_directory_is_none() {
    let directory = maildir();
    put(&directory, &["tmp/1.t", "cur/.x"]);
    assert!(open(&directory).1.is_empty());
    let journals = Journals::default();
    assert!(!crate::mailbox::has_mail(directory.path(), &journals).expect("a Maildir"));
    assert!(is_maildir(directory.path()));
    fs::remove_dir(directory.path().join("new")).expect("removed");
    assert!(!is_maildir(directory.path()));
    let error = Mailbox::open(directory.path(), &journals, &mut |_, _, _| {});
    let text = error.expect_err("a directory").to_string();
    assert!(text.ends_with("is a directory"), "{text}");
    // A link instead of a directory would lead out of it.
    symlink("cur", directory.path().join("new")).expect("a link");
    assert!(!is_maildir(directory.path()));
}

#[test]
fn what_is_no_file_is_left_out_and_told() {
    let directory = maildir();
    put(&directory, &["new/1.a", "tmp/secret"]);
    let at = |name: &str| directory.path().join(name);
    symlink(at("tmp/secret"), at("cur/2.link:2,")).expect("a link");
    nix::unistd::mkfifo(&at("new/3.fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    fs::create_dir(at("cur/4.directory")).expect("made");
    let (mailbox, subjects) = open(&directory);
    assert_eq!(subjects, ["new/1.a"]);
    let mut skipped = mailbox.notices().to_vec();
    skipped.sort_by_key(ToString::to_string);
    let expected = [
        ("cur/2.link:2,", "it is a symbolic link"),
        ("cur/4.directory", "it is a directory"),
        ("new/3.fifo", "it is a FIFO"),
    ]
    .map(|(name, why)| Notice::LeftOut {
        path: at(name),
        why: why.to_owned(),
    });
    assert_eq!(skipped, expected);
}

#[test]
fn changes_are_renames_and_unlinks_and_touch_nothing_else() {
    let directory = maildir();
    put(
        &directory,
        &[
            "new/1.a",
            "new/2.b",
            "cur/3.c:2,PSx",
            "cur/4.d:2,",
            "cur/5.e:1,q",
            "new/6.f",
        ],
    );
    let (mailbox, _) = open(&directory);
    let mut changes = Changes::default();
    let flags = |list: &[Flags]| {
        let mut all = Flags::NONE;
        list.iter().for_each(|flag| all.insert(*flag));
        all
    };
    changes.delete(0);
    changes.set_flags(1, Flags::OLD);
    changes.set_flags(2, flags(&[Flags::OLD, Flags::FLAGGED]));
    changes.delete(3);
    changes.set_flags(4, flags(&[Flags::OLD, Flags::READ, Flags::ANSWERED]));
    let inode = |name: &str| {
        fs::metadata(directory.path().join(name))
            .expect("there")
            .ino()
    };
    let before = inode("new/2.b");
    let committed = commit(&mailbox, &changes);
    assert_eq!(
        names(&directory),
        ["cur/2.b:2,", "cur/3.c:2,FPx", "cur/5.e:1,q:2,RS", "new/6.f"]
    );
    assert_eq!(inode("cur/2.b:2,"), before);
    assert_eq!((committed.deleted, committed.flagged), (2, 3));
    assert_eq!(
        (committed.remaining, committed.arrived, committed.gone),
        (4, 0, 0)
    );
    assert!(!committed.is_removed && committed.flags_left_out == 0);
    let (mailbox, subjects) = open(&directory);
    assert_eq!(
        subjects,
        ["new/2.b", "cur/3.c:2,PSx", "cur/5.e:1,q", "new/6.f"]
    );
    assert!(mailbox.messages()[2].flags.is_answered());
}

#[test]
fn what_others_do_meanwhile_is_found_and_stays() {
    let directory = maildir();
    put(
        &directory,
        &["new/1.a", "new/2.b", "new/3.c", "cur/4.d:2,", "cur/5.e:2,F"],
    );
    let (mailbox, _) = open(&directory);
    let at = |name: &str| directory.path().join(name);
    fs::rename(at("new/1.a"), at("cur/1.a:2,S")).expect("renamed");
    fs::rename(at("new/2.b"), at("cur/2.b:2,R")).expect("renamed");
    fs::remove_file(at("new/3.c")).expect("removed");
    fs::rename(at("cur/4.d:2,"), at("cur/4.d:2,Fz")).expect("renamed");
    fs::rename(at("cur/5.e:2,F"), at("cur/5.e:2,")).expect("renamed");
    put(&directory, &["new/6.f", "cur/7.g:2,S"]);
    assert!(mailbox.is_changed());
    assert_eq!(
        mailbox.read(0).expect("bytes"),
        b"Subject: new/1.a\n\nbody\n"
    );
    let error = mailbox.read(2).expect_err("it is gone");
    assert_eq!(error.to_string(), "another program has removed the message");
    let mut changes = Changes::default();
    changes.delete(0);
    let mut read = Flags::READ;
    read.insert(Flags::OLD);
    changes.set_flags(1, read);
    changes.delete(2);
    changes.set_flags(3, read);
    // It had F and keeps it as far as we know; that another program took it away stays.
    let mut flagged = read;
    flagged.insert(Flags::FLAGGED);
    changes.set_flags(4, flagged);
    let committed = commit(&mailbox, &changes);
    assert_eq!(
        names(&directory),
        [
            "cur/2.b:2,RS",
            "cur/4.d:2,FSz",
            "cur/5.e:2,S",
            "cur/7.g:2,S",
            "new/6.f"
        ]
    );
    assert_eq!((committed.deleted, committed.flagged), (1, 3));
    assert_eq!(
        (committed.remaining, committed.arrived, committed.gone),
        (5, 2, 1)
    );
}

#[test]
fn a_name_in_use_is_never_taken() {
    let directory = maildir();
    put(&directory, &["new/1.a", "cur/1.a:2,S", "cur/2.b:2,"]);
    // Two messages of one unique part, which no deliverer makes, are two messages.
    let (mailbox, subjects) = open(&directory);
    assert_eq!(subjects, ["new/1.a", "cur/1.a:2,S", "cur/2.b:2,"]);
    let mut changes = Changes::default();
    let mut read = Flags::READ;
    read.insert(Flags::OLD);
    changes.set_flags(0, read);
    let committed = commit(&mailbox, &changes);
    assert_eq!((committed.flagged, committed.names_taken), (0, 1));
    assert_eq!(names(&directory), ["cur/1.a:2,S", "cur/2.b:2,", "new/1.a"]);
    // A name too long for the file system costs the flag, not the message.
    let long = format!("new/3.{}", "l".repeat(252));
    put(&directory, &[&long]);
    let (mailbox, subjects) = open(&directory);
    assert_eq!(subjects[3], long);
    let mut changes = Changes::default();
    changes.set_flags(3, read);
    assert_eq!(commit(&mailbox, &changes).flags_left_out, 1);
    assert_eq!(open(&directory).1.len(), 4);
}

#[test]
fn one_file_under_two_names_is_one_message() {
    // What a rename by link and unlink leaves behind when it breaks off.
    /// The names of one file, the flags that it has, the name that is left.
    type Row = (&'static [&'static str], Flags, &'static str);
    let rows: [Row; 4] = [
        (&["new/1.a", "cur/1.a:2,S"], Flags::READ, "cur/1.a:2,S"),
        (
            &["cur/1.a:2,RS", "cur/1.a:2,S"],
            Flags::ANSWERED,
            "cur/1.a:2,RS",
        ),
        (
            &["cur/1.a:2,FS", "cur/1.a:2,RS"],
            Flags::ANSWERED,
            "cur/1.a:2,RS",
        ),
        (
            &["new/1.a", "cur/1.a:2,", "cur/1.a:2,F"],
            Flags::FLAGGED,
            "cur/1.a:2,F",
        ),
    ];
    for (doubles, flag, left) in rows {
        let doubled = || {
            let directory = maildir();
            put(&directory, &[doubles[0], "new/2.b"]);
            let at = |name: &str| directory.path().join(name);
            for double in &doubles[1..] {
                fs::hard_link(at(doubles[0]), at(double)).expect("linked");
            }
            directory
        };
        let directory = doubled();
        let (mailbox, subjects) = open(&directory);
        assert_eq!(subjects, [doubles[0], "new/2.b"]);
        assert!(mailbox.messages()[0].flags.contains(flag), "{doubles:?}");
        assert_eq!(names(&directory).len(), doubles.len() + 1, "a reader wrote");
        // The next writer removes the others, whatever it has to do.
        let mut changes = Changes::default();
        changes.delete(1);
        assert_eq!(commit(&mailbox, &changes).remaining, 1);
        assert_eq!(names(&directory), [left]);

        // What is deleted is gone under all its names.
        let directory = doubled();
        let (mailbox, _) = open(&directory);
        let mut changes = Changes::default();
        changes.delete(0);
        let committed = commit(&mailbox, &changes);
        assert_eq!(
            (committed.deleted, committed.remaining, committed.arrived),
            (1, 1, 0)
        );
        assert_eq!(names(&directory), ["new/2.b"]);

        // Flags that go do not come back from another name.
        let directory = doubled();
        let (mailbox, _) = open(&directory);
        let mut changes = Changes::default();
        changes.set_flags(0, Flags::OLD);
        let committed = commit(&mailbox, &changes);
        assert_eq!((committed.flagged, committed.remaining), (1, 2));
        assert_eq!(names(&directory), ["cur/1.a:2,", "new/2.b"]);
    }
}

#[test]
fn what_is_deleted_stays_away_though_another_program_gave_it_a_second_name() {
    let directory = maildir();
    put(&directory, &["new/1.a", "new/2.b"]);
    let (mailbox, _) = open(&directory);
    let at = |name: &str| directory.path().join(name);
    fs::hard_link(at("new/1.a"), at("cur/1.a:2,S")).expect("linked");
    fs::hard_link(at("new/2.b"), directory.path().join("backup")).expect("linked");
    let mut changes = Changes::default();
    changes.delete(0);
    changes.delete(1);
    let committed = commit(&mailbox, &changes);
    assert_eq!((committed.deleted, committed.remaining), (2, 0));
    assert!(names(&directory).is_empty() && at("backup").exists());
}

#[test]
fn a_change_that_broke_off_is_finished_and_takes_no_name_of_another_file() {
    let directory = maildir();
    put(&directory, &["new/1.a", "cur/2.b:2,", "cur/2.b:2,S"]);
    let (mailbox, subjects) = open(&directory);
    assert_eq!(subjects, ["new/1.a", "cur/2.b:2,", "cur/2.b:2,S"]);
    let at = |name: &str| directory.path().join(name);
    fs::hard_link(at("new/1.a"), at("cur/1.a:2,S")).expect("linked");
    let mut changes = Changes::default();
    let mut read = Flags::READ;
    read.insert(Flags::OLD);
    changes.set_flags(0, read);
    changes.set_flags(1, read);
    let committed = commit(&mailbox, &changes);
    assert_eq!((committed.flagged, committed.names_taken), (1, 1));
    assert_eq!(
        names(&directory),
        ["cur/1.a:2,S", "cur/2.b:2,", "cur/2.b:2,S"]
    );
}

#[test]
fn a_message_that_cannot_be_read_hides_no_other() {
    if crate::sys::user::effective_uid() == 0 {
        // Root reads everything; a name that loops through a link is refused before.
        return;
    }
    let directory = maildir();
    put(&directory, &["new/1.a", "new/2.b"]);
    let locked = directory.path().join("new/1.a");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("changed");
    let (mailbox, subjects) = open(&directory);
    assert_eq!(subjects, ["new/2.b"]);
    assert!(
        mailbox.notices()[0]
            .to_string()
            .contains("it cannot be read: ")
    );
}

fn deliver(directory: &TempDir, messages: &[(&str, Form)]) -> Result<(), DeliveryError> {
    let mut delivery = Delivery::begin(opened(directory.path()), None)?;
    for (text, form) in messages {
        delivery.add(&mut text.as_bytes(), *form)?;
    }
    delivery.finish()
}

#[test]
fn a_delivery_is_in_new_and_a_filed_message_in_cur() {
    let directory = maildir();
    fs::remove_dir(directory.path().join("tmp")).expect("removed");
    let filed = "Status: RO\nTo: a\nX-Status: A\n folded\n\nStatus: x\n\n";
    deliver(
        &directory,
        &[
            (TEXT, Form::Message),
            ("Status: R\n\nFrom here\n\n", Form::Message),
            (filed, Form::Filed),
            (filed, Form::Stored),
            ("To: a\r\n\r\nbody\r\n\r\n", Form::Stored),
            ("", Form::Stored),
        ],
    )
    .expect("delivered");
    let (mailbox, _) = open(&directory);
    let texts: Vec<String> = (0..mailbox.messages().len())
        .map(|index| String::from_utf8(mailbox.read(index).expect("bytes")).expect("text"))
        .collect();
    assert_eq!(
        texts,
        [
            TEXT,
            "Status: R\n\nFrom here\n\n",
            "To: a\n\nStatus: x\n\n",
            "To: a\n\nStatus: x\n",
            "To: a\r\n\r\nbody\r\n",
            "",
        ]
    );
    let flags: Vec<_> = mailbox.messages().iter().map(|m| m.flags).collect();
    let mut filed = Flags::OLD;
    filed.insert(Flags::READ);
    filed.insert(Flags::ANSWERED);
    let new = Flags::NONE;
    assert_eq!(flags, [new, new, filed, filed, new, new]);
    assert!(
        names(&directory)
            .iter()
            .all(|name| !name.starts_with("tmp/"))
    );
    let file = names(&directory)[0].clone();
    let mode = fs::metadata(directory.path().join(file))
        .expect("there")
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn long_messages_keep_every_byte_wherever_the_blocks_end() {
    for shift in 0..6 {
        for (form, end) in [
            (Form::Stored, "\n\n"),
            (Form::Stored, "\r\n\r\n"),
            (Form::Filed, "\n\n"),
        ] {
            let directory = maildir();
            let mut text = "To: a\n\n".to_owned();
            text.push_str(&"x\n\n".repeat(64 * 1024 * 2 / 3 + 2)[shift..]);
            text.push('y');
            text.push_str(end);
            deliver(&directory, &[(&text, form)]).expect("delivered");
            let (mailbox, _) = open(&directory);
            let cut = if form == Form::Stored {
                end.len() / 2
            } else {
                0
            };
            let bytes = mailbox.read(0).expect("bytes");
            assert!(
                bytes == text.as_bytes()[..text.len() - cut],
                "{shift} {form:?} {end:?}"
            );
        }
    }
}

/// Fails in the middle of a message.
struct Broken(&'static [u8]);

impl io::Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.len() {
            0 => Err(io::Error::other("the source broke")),
            _ => io::Read::read(&mut self.0, buffer),
        }
    }
}

#[test]
fn of_several_messages_all_are_delivered_or_none() {
    let directory = maildir();
    let mut delivery = Delivery::begin(opened(directory.path()), None).expect("a Maildir");
    delivery
        .add(&mut TEXT.as_bytes(), Form::Message)
        .expect("written");
    assert_eq!(open(&directory).1.len(), 0);
    let error = delivery.add(&mut Broken(b"To: a\n\nhalf"), Form::Message);
    assert!(matches!(error, Err(DeliveryError::Message(_))));
    drop(delivery);
    assert!(names(&directory).is_empty());

    // The second cannot get its place: the first goes back.
    let mut delivery = Delivery::begin(opened(directory.path()), None).expect("a Maildir");
    delivery
        .add(&mut TEXT.as_bytes(), Form::Message)
        .expect("written");
    delivery
        .add(&mut TEXT.as_bytes(), Form::Message)
        .expect("written");
    let second = names(&directory)
        .into_iter()
        .max_by_key(|name| {
            name.split('Q')
                .nth(1)
                .and_then(|rest| rest.split('.').next()?.parse::<u64>().ok())
        })
        .expect("two");
    fs::create_dir(directory.path().join(second.replace("tmp/", "new/"))).expect("made");
    assert!(matches!(delivery.finish(), Err(DeliveryError::Write(_))));
    assert_eq!(names(&directory).len(), 1);
    assert!(open(&directory).1.is_empty());
}

#[test]
fn a_tmp_that_root_makes_belongs_to_the_owner_of_the_maildir() {
    if crate::sys::user::effective_uid() != 0 {
        return;
    }
    let directory = maildir();
    let give = |uid| std::os::unix::fs::chown(directory.path(), Some(uid), Some(uid));
    give(54_321).expect("given away");
    let owner = || {
        let tmp = fs::metadata(directory.path().join("tmp")).expect("there");
        (tmp.uid(), tmp.gid())
    };
    fs::remove_dir(directory.path().join("tmp")).expect("removed");
    drop(
        Delivery::begin(File::open(directory.path()).expect("opened"), Some(54_321))
            .expect("theirs"),
    );
    assert_eq!(owner(), (54_321, 54_321));
    // What is left of a delivery that was killed before that.
    std::os::unix::fs::chown(directory.path().join("tmp"), Some(0), Some(0)).expect("root's");
    drop(
        Delivery::begin(File::open(directory.path()).expect("opened"), Some(54_321))
            .expect("theirs"),
    );
    assert_eq!(owner(), (54_321, 54_321));
}

#[test]
fn another_users_maildir_is_refused() {
    let directory = maildir();
    let us = crate::sys::user::effective_uid();
    assert!(Delivery::begin(opened(directory.path()), Some(us)).is_ok());
    let error = Delivery::begin(opened(directory.path()), Some(us + 1)).expect_err("not theirs");
    assert!(matches!(
        error,
        DeliveryError::Refused("another user's directory")
    ));
}

#[test]
fn a_message_that_goes_to_an_mbox_gets_a_from_line_and_keeps_its_text() {
    let directory = maildir();
    let at = |name: &str| directory.path().join(name);
    let text = "Return-Path: <a@x.example>\nSubject: one\n\nFrom here\n\n";
    fs::write(at("new/1795344592.a"), text).expect("written");
    fs::write(
        at("new/99999999999999999.b"),
        "Return-Path: <>\nDate: Tue, 07 Jan 2003 12:09:16 +0000\n\n",
    )
    .expect("written");
    fs::write(at("new/letter"), "From: C <c@x.example>\nDate: never\n\n").expect("written");
    let (mailbox, _) = open(&directory);
    let now = crate::sys::clock::message_time(Some(0));
    let lines: Vec<String> = (0..3)
        .map(|index| {
            let block = mailbox.read_header(index).expect("read");
            String::from_utf8(mailbox.from_line(index, &block, || now)).expect("text")
        })
        .collect();
    assert!(
        lines[0].starts_with("From a@x.example ") && lines[0].ends_with(" 2026\n"),
        "{lines:?}"
    );
    assert_eq!(lines[1], "From MAILER-DAEMON Tue Jan  7 12:09:16 2003\n");
    assert_eq!(lines[2], "From c@x.example Thu Jan  1 00:00:00 1970\n");

    let (mbox, back) = (at("mbox"), maildir());
    assert_eq!(mailbox.form(), Form::Filed);
    let options = crate::mailbox::AppendOptions {
        form: mailbox.form(),
        ..crate::mailbox::AppendOptions::folder()
    };
    let line = lines[0].as_bytes();
    crate::mailbox::append(
        &mbox,
        line,
        &mut &mailbox.read(0).expect("there")[..],
        &options,
    )
    .expect("appended");
    crate::mailbox::append(
        back.path(),
        line,
        &mut &mailbox.read(0).expect("there")[..],
        &options,
    )
    .expect("appended");
    assert_eq!(
        fs::read_to_string(&mbox).expect("text"),
        lines[0].clone() + &text.replace("From here", ">From here") + "\n"
    );
    assert_eq!(open(&back).0.read(0).expect("bytes"), text.as_bytes());
    let mbox = Mailbox::open(&mbox, &Journals::default(), &mut |_, _, _| {}).expect("an mbox");
    assert_eq!(mbox.form(), Form::Stored);
    let block = mbox.read_header(0).expect("read");
    assert_eq!(mbox.from_line(0, &block, || now), line);
}
