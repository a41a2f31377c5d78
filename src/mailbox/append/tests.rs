use super::target::{find, open_or_create};
use super::*;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;

use crate::exit::Kind;
use crate::mailbox::lock::{LockError, LockOptions};
use crate::mailbox::{Journals, Mailbox, has_mail};
use crate::sys::child;
use crate::sys::disk::directory_of;

use proptest::prelude::*;

const FROM: &str = "From a@x Tue Jan  7 12:09:16 2003\n";

/// Gives half a message, and then fails.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::Error::other("the source broke"));
        }
        self.0.read(buffer)
    }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn folder() -> AppendOptions<'static> {
    AppendOptions {
        lock: LockOptions {
            patience: Duration::ZERO,
            ..LockOptions::default()
        },
        ..AppendOptions::folder()
    }
}

fn add(path: &Path, message: &str, options: &AppendOptions<'_>) -> Result<(), AppendError> {
    append(path, FROM.as_bytes(), &mut message.as_bytes(), options)
}

fn count(path: &Path) -> usize {
    let mailbox = Mailbox::open(path, &Journals::default(), &mut |_, _, _| {}).expect("a mailbox");
    mailbox.messages().len()
}

#[test]
fn a_blank_line_stands_between_any_two_messages() {
    let before = [
        "",
        "\n",
        "FROMTo: a\n\nbody\n\n",
        "FROMTo: a\n\nbody\n",
        "FROMTo: a\n\nbody",
        "FROMTo: a\n\n",
        "FROMTo: a\n",
        "FROMTo: a\r\n\r\nbody\r\n\r\n",
        "FROMTo: a\r\n\r\nbody\r\n",
        "FROMTo: a\n\nhalf a line that is \0",
    ];
    let directory = directory();
    let path = directory.path().join("mbox");
    for before in before {
        let before = before.replace("FROM", FROM);
        for message in [
            "To: b\n\nbody\n",
            "To: b\n\nbody",
            "To: b\n",
            "To: b\n\n",
            "To: b\n\nx\r\n",
        ] {
            fs::write(&path, &before).expect("written");
            add(&path, message, &folder()).expect("appended");
            add(&path, message, &folder()).expect("appended");
            let text = fs::read_to_string(&path).expect("text");
            assert!(text.starts_with(&before));
            let line_end = if message.ends_with('\n') { "" } else { "\n" };
            let stored = format!("{FROM}{message}{line_end}\n");
            assert!(text.ends_with(&stored), "{text:?}");
            let expected = 2 + usize::from(before.len() > 1);
            assert_eq!(count(&path), expected, "{text:?}");
        }
    }
}

#[test]
fn what_is_appended_is_quoted_or_kept_as_it_is() {
    let directory = directory();
    let message = "Content-Length: 3\nTo: b\n\nx\n\nFrom a@x Tue Jan  7 12:09:16 2003\nTo: c\n";
    let path = directory.path().join("quoted");
    add(&path, message, &folder()).expect("appended");
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!(text, format!("{FROM}To: b\n\nx\n\n>{FROM}To: c\n\n"));
    assert_eq!(count(&path), 1);

    let path = directory.path().join("stored");
    let options = AppendOptions {
        form: Form::Stored,
        ..folder()
    };
    append(
        &path,
        &FROM.as_bytes()[..FROM.len() - 1],
        &mut message.as_bytes(),
        &options,
    )
    .expect("appended");
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!(text, format!("{FROM}{message}\n"));
}

#[test]
fn a_new_mailbox_has_the_mode_that_was_asked_for_and_locks_go() {
    let directory = directory();
    for (name, options, mode) in [
        ("folder", AppendOptions::folder(), 0o600),
        ("dead", AppendOptions::dead_letters(), 0o600),
        (
            "spool",
            AppendOptions::system_mailbox(user::effective_uid(), None),
            0o660,
        ),
    ] {
        let path = directory.path().join(name);
        add(&path, "To: b\n\nx\n", &options).expect("appended");
        let metadata = fs::metadata(&path).expect("there");
        assert_eq!(metadata.mode() & 0o7777, mode, "{name}");
        assert_eq!(metadata.uid(), user::effective_uid(), "{name}");
        assert!(has_mail(&path, &Journals::default()).expect("a mailbox"));
    }
    // No lock file, no temporary file.
    assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 3);
}

#[test]
fn a_source_that_breaks_leaves_the_mailbox_as_it_was() {
    let directory = directory();
    let path = directory.path().join("mbox");
    let before = format!("{FROM}To: a\n\nno line end");
    fs::write(&path, &before).expect("written");
    let long = format!("To: b\n\n{}", "x".repeat(200_000));
    for half in ["", "To: b\n", long.as_str()] {
        let mut source = Broken(half.as_bytes());
        let error = append(&path, FROM.as_bytes(), &mut source, &folder()).expect_err("broken");
        assert!(matches!(error, AppendError::Message(_)), "{error:?}");
        assert_eq!(error.kind(), Kind::Io);
        assert_eq!(fs::read_to_string(&path).expect("text"), before);
    }
    assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1);
}

#[test]
fn a_size_limit_is_an_error_and_leaves_the_mailbox_as_it_was() {
    let directory = directory();
    let path = directory.path().join("limited");
    let before = format!("{FROM}To: a\n\nbody\n\n");
    fs::write(&path, &before).expect("written");
    // Limits are those of a process, so another one has to run into them.
    let test = "mailbox::append::tests::append_a_megabyte_here";
    let status = child::command("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().expect("our name"))
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("started");
    assert!(status.success());
    assert!(directory.path().join("was-here").exists());
    assert_eq!(fs::read_to_string(&path).expect("text"), before);
}

#[test]
#[ignore = "run by the test above, in a directory and with a limit of its own"]
fn append_a_megabyte_here() {
    if !Path::new("limited").exists() {
        return;
    }
    let message = "x".repeat(1 << 20);
    let error = add(Path::new("limited"), &message, &folder()).expect_err("over the limit");
    assert!(matches!(error, AppendError::Write { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Io);
    fs::write("was-here", "").expect("written");
}

#[test]
fn what_is_no_mailbox_of_ours_is_refused_and_not_touched() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("text"), "dear diary\n").expect("written");
    fs::write(at("target"), "").expect("written");
    fs::write(at("foreign"), "\n").expect("written");
    symlink(at("target"), at("link")).expect("a link");
    symlink(at("nowhere"), at("dangling")).expect("a link");
    nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let rows = [
        ("text", folder(), "it is not an mbox"),
        (".", folder(), "it is a directory"),
        ("fifo", folder(), "it is a FIFO"),
        (
            "dangling",
            folder(),
            "it is a symbolic link to a file that does not exist",
        ),
        (
            "link",
            AppendOptions::dead_letters(),
            "it is a symbolic link",
        ),
        (
            "dangling",
            AppendOptions::dead_letters(),
            "it is a symbolic link",
        ),
        (
            "link",
            AppendOptions::system_mailbox(0, None),
            "it is a symbolic link",
        ),
        (
            "foreign",
            AppendOptions::system_mailbox(54_321, None),
            "it is another user's file",
        ),
    ];
    for (name, options, why) in rows {
        let error = add(&at(name), "To: b\n\nx\n", &options).expect_err(name);
        assert!(error.to_string().ends_with(why), "{name}: {error}");
        assert_eq!(error.kind(), Kind::CannotCreate, "{name}");
    }
    assert_eq!(
        fs::read_to_string(at("text")).expect("text"),
        "dear diary\n"
    );
    assert_eq!(fs::read_to_string(at("target")).expect("text"), "");
    assert!(!at("nowhere").exists());
    // A folder that is a link of ours is followed.
    add(&at("link"), "To: b\n\nx\n", &folder()).expect("appended");
    assert_eq!(count(&at("target")), 1);
}

#[test]
fn the_dot_lock_of_a_link_stands_beside_its_target() {
    let directory = directory();
    let target = directory.path().join("target");
    let link = directory.path().join("link");
    fs::write(&target, "").expect("written");
    symlink(&target, &link).expect("a link");
    fs::write(directory.path().join("target.lock"), "").expect("written");
    let error = add(&link, "To: b\n\nx\n", &folder()).expect_err("locked");
    assert_eq!(error.kind(), Kind::TryLater);
    assert_eq!(count(&target), 0);
}

#[test]
fn a_hard_link_in_a_sticky_directory_is_refused() {
    let directory = directory();
    let path = directory.path().join("mbox");
    fs::write(&path, "").expect("written");
    fs::hard_link(&path, directory.path().join("second")).expect("a link");
    add(&path, "To: b\n\nx\n", &folder()).expect("our own links are our affair");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("mode");
    let error = add(&path, "To: b\n\nx\n", &folder()).expect_err("refused");
    assert!(error.to_string().contains("second name"), "{error}");
    assert_eq!(count(&path), 1);
}

#[test]
fn a_missing_directory_and_a_held_lock_have_their_kinds() {
    let directory = directory();
    let error = add(&directory.path().join("no/mbox"), "x", &folder()).expect_err("missing");
    assert_eq!(error.kind(), Kind::CannotCreate);
    let path = directory.path().join("mbox");
    fs::write(&path, "").expect("written");
    let holder = File::open(&path).expect("opened");
    holder.lock().expect("locked");
    let error = add(&path, "x", &folder()).expect_err("locked");
    assert_eq!(error.kind(), Kind::TryLater);
    assert!(error.is_temporary());
}

#[test]
fn a_system_that_fails_had_the_status_of_a_file_that_cannot_be_made() {
    use Errno::{EACCES, EIO, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, ESTALE};
    let table = [
        (EIO, [Kind::TryLater; 3]),
        (EMFILE, [Kind::TryLater; 3]),
        (ENFILE, [Kind::TryLater; 3]),
        (ENOMEM, [Kind::TryLater; 3]),
        (ESTALE, [Kind::TryLater; 3]),
        (ENOSPC, [Kind::CannotCreate, Kind::CannotCreate, Kind::Io]),
        (ENOENT, [Kind::CannotCreate, Kind::CannotCreate, Kind::Io]),
        (EACCES, [Kind::NoPermission, Kind::NoPermission, Kind::Io]),
    ];
    for (errno, kinds) in table {
        let path = || PathBuf::from("mbox");
        let source = || io::Error::from_raw_os_error(errno as i32);
        let errors = [
            AppendError::Open {
                path: path(),
                source: source(),
            },
            AppendError::Create {
                path: path(),
                source: source(),
            },
            AppendError::Lock(LockError::Io {
                path: path(),
                source: source(),
            }),
        ];
        for (error, kind) in errors.iter().zip(kinds) {
            assert_eq!(error.kind(), kind, "{error:?}");
            let is_full = errno == ENOSPC && kind == Kind::CannotCreate;
            let is_temporary = kind == Kind::TryLater || is_full;
            assert_eq!(error.is_temporary(), is_temporary, "{error:?}");
        }
    }
}

#[test]
fn many_appenders_lose_nothing() {
    let directory = directory();
    let path = directory.path().join("mbox");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for number in 0..5 {
                    let message = format!("Subject: {writer}.{number}\n\nFrom {writer}\n");
                    add(path, &message, &AppendOptions::folder()).expect("appended");
                }
            });
        }
    });
    let mut subjects = Vec::new();
    Mailbox::open(&path, &Journals::default(), &mut |_, _, header| {
        subjects.push(header.to_vec())
    })
    .expect("a mailbox");
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 20);
}

/// Whom mail is delivered to by root.
const OTHER: (u32, u32) = (54_321, 54_322);

fn others() -> AppendOptions<'static> {
    AppendOptions {
        lock: LockOptions::default(),
        ..AppendOptions::system_mailbox(OTHER.0, Some(OTHER.1))
    }
}

/// Asserts that a mailbox is as an MDA makes it, and that nothing else is left beside it.
fn assert_is_theirs(path: &Path) {
    let metadata = fs::metadata(path).expect("there");
    assert_eq!((metadata.uid(), metadata.gid()), OTHER);
    assert_eq!(metadata.mode() & 0o7777, 0o660);
    assert_eq!(metadata.nlink(), 1);
    let names = fs::read_dir(directory_of(path)).expect("listed");
    let names: Vec<_> = names
        .map(|name| name.expect("a name").file_name())
        .collect();
    assert_eq!(names, [path.file_name().expect("a name")]);
}

#[test]
fn first_deliveries_at_the_same_moment_all_arrive() {
    if user::effective_uid() != 0 {
        // Nobody else can give a mailbox away.
        return;
    }
    // Without the lock: waiting for it takes too long to meet often.
    for _ in 0..200 {
        let directory = directory();
        let path = directory.path().join("mbox");
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    open_or_create(&find(&path, &others()).expect("found"), &others())
                        .expect("opened");
                });
            }
        });
        assert_is_theirs(&path);
    }
}

#[test]
fn an_empty_leftover_of_roots_is_finished_and_no_other_file_of_roots() {
    if user::effective_uid() != 0 {
        return;
    }
    let make = |path: &Path, content: &str| {
        fs::write(path, content).expect("written");
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("mode");
    };
    let refused = |path: &Path, why: &str| {
        let error = add(path, "To: b\n\nx\n", &others()).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(fs::metadata(path).expect("there").uid(), 0);
    };
    let directory = directory();
    let path = directory.path().join("mbox");
    make(&path, "");
    add(&path, "To: b\n\nx\n", &others()).expect("delivered");
    assert_eq!(count(&path), 1);
    assert_is_theirs(&path);

    make(&directory.path().join("full"), "\n");
    refused(&directory.path().join("full"), "another user's file");
    make(&directory.path().join("two"), "");
    fs::hard_link(directory.path().join("two"), directory.path().join("names")).expect("a link");
    refused(&directory.path().join("two"), "another user's file");
    // A mailbox of another user than the recipient is nobody's leftover, however empty.
    let foreign = directory.path().join("foreign");
    make(&foreign, "");
    std::os::unix::fs::chown(&foreign, Some(1), None).expect("given away");
    let error = add(&foreign, "To: b\n\nx\n", &others()).expect_err("not theirs");
    assert!(error.to_string().contains("another user's file"), "{error}");
    // And for a folder that may be anybody's nothing is given away.
    let folder_path = directory.path().join("folder");
    make(&folder_path, "");
    add(&folder_path, "To: b\n\nx\n", &folder()).expect("appended");
    assert_eq!(fs::metadata(&folder_path).expect("there").uid(), 0);
}

#[test]
fn the_second_name_that_a_killed_maker_left_is_no_hard_link_of_others() {
    let directory = directory();
    let path = directory.path().join("mbox");
    add(&path, "To: a\n\nx\n", &folder()).expect("appended");
    let second = crate::sys::disk::temporary_of(&path);
    fs::hard_link(&path, &second).expect("a link");
    // In a spool any second name is refused, but for this one.
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("mode");
    add(&path, "To: b\n\nx\n", &folder()).expect("appended");
    assert_eq!(count(&path), 2);
    assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1);
    // What only looks like it stays.
    fs::write(&second, "other").expect("written");
    fs::hard_link(&path, directory.path().join("own")).expect("a link");
    add(&path, "To: c\n\nx\n", &folder()).expect_err("refused");
    assert!(second.exists());
}

/// Pieces of which messages and the ends of mailboxes are made.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "From a@x Tue Jan  7 12:09:16 2003\n",
        ">From a@x Tue Jan  7 12:09:16 2003\r\n",
        "From - \n",
        "From ",
        ">",
        "To: b\n",
        "Content-Length: 70\n",
        "Lines: 1\n folded\n",
        "text",
        "\n",
        "\r\n",
        "\r",
        "\0\u{e9}",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_append_adds_exactly_one_message_and_changes_no_byte_before(
        before in prop::collection::vec(piece(), 0..12),
        message in prop::collection::vec(piece(), 0..12),
    ) {
        let directory = directory();
        let path = directory.path().join("mbox");
        let before = format!("{FROM}To: a\n{}", before.concat());
        fs::write(&path, &before).expect("written");
        let count_before = count(&path);
        add(&path, &message.concat(), &folder()).expect("appended");
        let text = fs::read_to_string(&path).expect("text");
        prop_assert!(text.starts_with(&before));

        let mailbox = Mailbox::open(&path, &Journals::default(), &mut |_, _, _| {}).expect("a mailbox");
        let messages = mailbox.messages();
        // Ending a half line may make a blank line of it, and a separator of the line before; and a
        // length that ended at the end of the file no longer does, so that it hides nothing more.
        if before.ends_with('\n') && !before.contains("Content-Length") {
            prop_assert_eq!(messages.len(), count_before + 1, "{:?}", text);
        }
        let last = messages.last().expect("a message");
        prop_assert!(last.offset >= before.len() as u64, "{:?}", text);
        prop_assert!(last.offset <= before.len() as u64 + 2, "{:?}", text);
        let bytes = mailbox.read(messages.len() - 1).expect("bytes");
        prop_assert!(bytes.starts_with(FROM.as_bytes()), "{:?}", text);
    }
}

#[test]
fn of_several_messages_all_are_appended_or_none() {
    let directory = directory();
    let path = directory.path().join("mbox");
    let incoming = |message: &'static [u8]| Incoming {
        from_line: FROM.as_bytes().to_vec(),
        message: Box::new(message),
        form: Form::Stored,
    };
    let stored = b"To: a\n\n>From here\n\n";
    let mut both = [stored, stored]
        .map(|message| Ok(incoming(message)))
        .into_iter();
    assert!(append_all(&path, &mut both, &folder()).expect("appended"));
    let whole = fs::read(&path).expect("bytes");
    assert_eq!(
        whole,
        [FROM.as_bytes(), stored, FROM.as_bytes(), stored].concat()
    );
    let broken = Incoming {
        message: Box::new(Broken(b"To: a\n\nhalf")),
        ..incoming(b"")
    };
    for bad in [Ok(broken), Err(io::Error::other("it is gone"))] {
        let mut three = [Ok(incoming(stored)), bad, Ok(incoming(stored))].into_iter();
        let error = append_all(&path, &mut three, &folder()).expect_err("half a message");
        assert!(matches!(error, AppendError::Message(_)), "{error}");
        assert_eq!(fs::read(&path).expect("bytes"), whole);
    }
    assert!(!append_all(&path, &mut std::iter::empty(), &folder()).expect("nothing"));
}

#[test]
fn a_maildir_gets_a_file_and_another_directory_is_refused() {
    let directory = directory();
    let path = directory.path().join("box");
    for name in ["box/new", "box/cur", "plain"] {
        fs::create_dir_all(directory.path().join(name)).expect("made");
    }
    add(&path, "To: a\n\nFrom here\n", &folder()).expect("delivered");
    add(&path, "To: b\n\nbody\n", &AppendOptions::dead_letters()).expect("delivered");
    let stored = AppendOptions {
        form: Form::Stored,
        ..folder()
    };
    add(&path, "To: c\nStatus: RO\n\nbody\n\n", &stored).expect("delivered");
    let mailbox = Mailbox::open(&path, &Journals::default(), &mut |_, _, _| {}).expect("a Maildir");
    let texts: Vec<_> = (0..3)
        .map(|index| mailbox.read(index).expect("bytes"))
        .collect();
    assert_eq!(
        texts,
        [
            &b"To: a\n\nFrom here\n"[..],
            b"To: b\n\nbody\n",
            b"To: c\n\nbody\n"
        ]
    );
    assert!(mailbox.messages()[2].flags.is_read() && mailbox.messages()[0].flags.is_new());
    let foreign = AppendOptions {
        owner: Owner::User {
            uid: user::effective_uid() + 1,
            gid: None,
        },
        ..folder()
    };
    let error = add(&path, "To: d\n\n", &foreign).expect_err("not theirs");
    let text = format!(
        "cannot append to {}: it is another user's directory",
        crate::sanitize::path(&path)
    );
    assert_eq!(error.to_string(), text);
    let error = append(&path, b"", &mut Broken(b"To: e\n\nhalf"), &folder());
    assert!(matches!(error, Err(AppendError::Message(_))));
    assert_eq!(count(&path), 3);
    let plain = directory.path().join("plain");
    let error = add(&plain, "To: d\n\n", &folder()).expect_err("a directory");
    let text = format!(
        "cannot append to {}: it is a directory",
        crate::sanitize::path(&plain)
    );
    assert_eq!(error.to_string(), text);
}
