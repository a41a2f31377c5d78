use super::*;

use std::io::Write;

use super::journal::Body;

use std::fs::OpenOptions;

use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::mailbox::rewrite::journal::HeldPath;
use crate::mailbox::{Flags, LockOptions, Mailbox};

const A: &str = "From a Mon Nov 16 09:00:00 2026\nTo: a\n\nbody\n\n";
const B: &str = "From b Mon Nov 16 09:00:01 2026\nTo: b\nStatus: O\n\nbody\n\n";
const C: &str = "From c Mon Nov 16 09:00:02 2026\nTo: c\n\nbody\n\n";

struct Spool {
    directory: TempDir,
    journals: Journals,
}

impl Spool {
    fn new(content: &str) -> Spool {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("mbox"), content).expect("written");
        Spool {
            directory,
            journals: Journals::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mbox")
    }

    fn journal(&self) -> PathBuf {
        self.directory.path().join(".mbox.postrider-journal")
    }

    fn text(&self) -> String {
        String::from_utf8(std::fs::read(self.path()).expect("read")).expect("text")
    }

    fn open(&self) -> Mailbox {
        Mailbox::open(&self.path(), &self.journals, &mut |_, _, _| {}).expect("a mailbox")
    }

    /// What a reader sees.
    fn seen(&self) -> String {
        let mailbox = self.open();
        let mut all = Vec::new();
        for index in 0..mailbox.messages().len() {
            all.extend(mailbox.read(index).expect("a message"));
        }
        String::from_utf8(all).expect("text")
    }

    fn options(&self) -> CommitOptions<'_> {
        CommitOptions {
            lock: LockOptions {
                patience: Duration::from_millis(10),
                ..LockOptions::default()
            },
            journals: &self.journals,
            removes_empty: false,
        }
    }

    fn append(&self, text: &str) {
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.path())
            .expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// No lock and no journal is left.
    fn is_tidy(&self) -> bool {
        let names = std::fs::read_dir(self.directory.path()).expect("listed");
        names.count() == 1
    }
}

fn delete(indices: &[usize]) -> Changes {
    let mut changes = Changes::default();
    indices.iter().for_each(|index| changes.delete(*index));
    changes
}

fn read_and_old() -> Flags {
    let mut flags = Flags::READ;
    flags.insert(Flags::OLD);
    flags
}

#[test]
fn changes_are_written_and_mail_that_arrived_is_kept() {
    let spool = Spool::new(&[A, B].concat());
    let mailbox = spool.open();
    spool.append(C);
    let mut changes = delete(&[0]);
    changes.set_flags(1, read_and_old());
    let committed = mailbox
        .commit(&changes, &spool.options())
        .expect("committed");
    let expected = [&B.replace("Status: O", "Status: RO"), C].concat();
    assert_eq!(spool.text(), expected);
    let found = (
        committed.deleted,
        committed.flagged,
        committed.arrived,
        committed.remaining,
    );
    assert_eq!(found, (1, 1, 1, 2));
    assert!(spool.is_tidy());
}

#[test]
fn what_another_reader_deleted_is_gone_and_not_something_else() {
    let spool = Spool::new(&[A, B, C].concat());
    let (ours, theirs) = (spool.open(), spool.open());
    theirs
        .commit(&delete(&[0, 1]), &spool.options())
        .expect("committed");
    let committed = ours
        .commit(&delete(&[1, 2]), &spool.options())
        .expect("committed");
    assert_eq!(
        (committed.deleted, committed.gone, committed.remaining),
        (1, 1, 0)
    );
    assert_eq!(spool.text(), "");
}

#[test]
fn a_mailbox_that_became_another_one_is_left_alone() {
    let spool = Spool::new(&[A, B].concat());
    let mailbox = spool.open();
    std::fs::write(spool.path(), C).expect("written");
    let error = mailbox.commit(&delete(&[0]), &spool.options()).unwrap_err();
    assert!(matches!(error, CommitError::Changed { .. }), "{error}");
    assert_eq!(spool.text(), C);
    assert!(mailbox.read(0).is_err());
}

#[test]
fn growing_needs_room_before_anything_is_touched() {
    let spool = Spool::new(&[A, B, C].concat());
    let mut changes = Changes::default();
    changes.set_flags(0, read_and_old());
    spool
        .open()
        .commit(&changes, &spool.options())
        .expect("committed");
    assert_eq!(
        spool.text(),
        [&A.replace("To: a\n", "To: a\nStatus: RO\n"), B, C].concat()
    );
    assert!(spool.is_tidy());
}

#[test]
fn planted_journals_are_named_and_ignored() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    type Plant<'a> = (&'static str, &'a dyn Fn(&Path));
    let rows: [Plant<'_>; 4] = [
        ("a symbolic link", &|path| {
            symlink("/etc/passwd", path).expect("a link")
        }),
        ("a file with a second name (hard link)", &|path| {
            let other = path.with_extension("other");
            std::fs::write(&other, "x").expect("written");
            std::fs::set_permissions(&other, PermissionsExt::from_mode(0o600)).expect("mode");
            std::fs::hard_link(&other, path).expect("a link");
        }),
        ("a file that other users may read or write", &|path| {
            std::fs::write(path, "x").expect("written");
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).expect("mode");
        }),
        ("a FIFO", &|path| {
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        }),
    ];
    for (why, plant) in rows {
        let spool = Spool::new(&[A, B].concat());
        plant(&spool.journal());
        let mailbox = spool.open();
        let notices: Vec<String> = mailbox.notices().iter().map(Notice::to_string).collect();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].ends_with(why), "{notices:?}");
        mailbox
            .commit(&delete(&[0]), &spool.options())
            .expect("committed");
        assert_eq!(spool.text(), B);
    }
}

#[test]
fn a_foreign_rewrite_after_a_crash_is_left_alone_and_the_journal_rescued() {
    let spool = Spool::new(&[A, B, C].concat());
    crash(&spool, &delete(&[0]), false, 0, 0);
    std::fs::write(spool.path(), B).expect("written");
    let notices = recover(&spool.path(), &spool.options()).expect("recovered");
    let [Notice::Overwritten { kept }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert!(kept.exists());
    assert_eq!(spool.text(), B);
    assert!(!spool.journal().exists());
}

#[test]
fn what_root_rescues_beside_a_mailbox_belongs_to_its_owner() {
    use std::os::unix::fs::{MetadataExt, chown};

    if crate::sys::user::effective_uid() != 0 {
        return;
    }
    let spool = Spool::new(&[A, B, C].concat());
    crash(&spool, &delete(&[0]), false, 0, 0);
    std::fs::write(spool.path(), B).expect("written");
    for path in [spool.directory.path(), &spool.path(), &spool.journal()] {
        chown(path, Some(54_321), Some(54_322)).expect("given away");
    }
    let notices = recover(&spool.path(), &spool.options()).expect("recovered");
    let [Notice::Overwritten { kept }] = &notices[..] else {
        panic!("{notices:?}");
    };
    let metadata = std::fs::metadata(kept).expect("kept");
    assert_eq!(kept.parent(), Some(spool.directory.path()));
    let owner = (metadata.uid(), metadata.gid(), metadata.mode() & 0o777);
    assert_eq!(owner, (54_321, 54_322, 0o600));
    assert!(metadata.len() > 0);
}

/// Starts to write changes, and stops when the journal has its name and so many steps are done:
/// windows, or blocks of `block` bytes. Returns whether there was a journal.
fn crash(spool: &Spool, changes: &Changes, whole: bool, steps: usize, resized: u8) -> bool {
    let mailbox = spool.open();
    let locked = LockedMailbox::begin(&spool.path(), &spool.options()).expect("a locked");
    let plan = locked
        .plan(mailbox.messages(), changes, true)
        .expect("a plan");
    if plan.is_empty() {
        return false;
    }
    let file = Arc::new(locked.lock.file().try_clone().expect("a file"));
    let view = PatchedFile::of_plan(Arc::clone(&file), &plan);
    let whole = whole || !plan.never_overtakes() || only_cuts(&plan);
    let draft = if whole {
        NewJournal::whole(&plan, &view)
    } else {
        NewJournal::windows(&plan, 7)
    };
    let spot = HeldPath::at(&spool.journal()).expect("a spot");
    let journal = Journal::create(&spot, &locked.subject, &draft, &file);
    let journal = journal.expect("a journal");
    let (old, new) = (plan.old_size(), plan.new_size());
    if new > old && resized == 0 {
        return true;
    }
    if new > old {
        file.set_len(new).expect("longer");
    }
    let mut done = 0;
    match &journal.header().body {
        Body::Whole { extents, .. } => {
            let mut at = journal.body_at();
            'all: for extent in extents {
                for place in extent.place..extent.place + extent.len {
                    if done == steps * 7 && resized < 2 {
                        break 'all;
                    }
                    let mut byte = [0];
                    journal.file().read_exact_at(&mut byte, at).expect("read");
                    file.write_all_at(&byte, place).expect("written");
                    at += 1;
                    done += 1;
                }
            }
        }
        Body::Windows { plan, .. } => {
            let mut buffer = journal.buffer();
            let mut last = journal.last_window().expect("a window");
            let mut output = Output::new(plan, last.place + last.len);
            while done < steps || resized >= 2 {
                let mut bytes = vec![0; last.len as usize];
                journal
                    .file()
                    .read_exact_at(&mut bytes, last.at)
                    .expect("read");
                file.write_all_at(&bytes, last.place).expect("written");
                let window = Journal::window_of(&mut buffer);
                let Some((place, len)) = output.next(&*file, window).expect("read") else {
                    break;
                };
                last = journal
                    .add_window(&last, place, len, &mut buffer)
                    .expect("added");
                done += 1;
            }
        }
    }
    if resized >= 2 && new < old {
        journal.mark_resizing().expect("marked");
    }
    if resized == 2 && new < old {
        file.set_len(new).expect("cut");
    }
    if resized > 2 && new < old {
        // The disk has the last block of the cut, and not yet the new length.
        let block = 512 << (resized - 3);
        let end = (new + 1).next_multiple_of(block).min(old);
        let zeros = vec![0; (end - new) as usize];
        file.write_all_at(&zeros, new).expect("written");
    }
    true
}

/// Returns three messages; the one in the middle is long, and says this in every line.
fn around(word: &str) -> String {
    let lines = format!("{word} {word} {word}\n").repeat(300);
    [A, &B.replace("body\n", &lines), C].concat()
}

/// A journal must prove that its maker could read the mailbox: not only what stands around the
/// changes, which may be mail that he has sent.
#[test]
fn a_journal_whose_maker_did_not_know_the_mailbox_was_believed() {
    let mut flags = Changes::default();
    flags.set_flags(0, read_and_old());
    for (what, changes) in [("deleting", delete(&[0])), ("flags", flags)] {
        for whole in [false, true] {
            for (steps, resized) in [(0, 0), (20, 0), (200, 0), (9999, 2)] {
                // In windows of seven bytes, each of them synced, it would take minutes.
                if steps > 200 && !whole {
                    continue;
                }
                let guessed = around("guess");
                let spool = Spool::new(&guessed);
                assert!(crash(&spool, &changes, whole, steps, resized));
                // In its place, as it was made for this inode: the mailbox as it really is.
                let real = around("truth");
                std::fs::write(spool.path(), &real).expect("written");
                let what = format!("{what} {whole} {steps} {resized}");
                let notices = recover(&spool.path(), &spool.options()).expect("recovered");
                assert!(spool.text() == real, "{what}: {notices:?}");
                assert!(spool.seen() == real, "{what}");
            }
        }
    }
}

/// Makes the journal one of the first format, which had no samples.
fn make_old(spool: &Spool) {
    let bytes = std::fs::read(spool.journal()).expect("read");
    let len = u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes"));
    let header = &bytes[40..40 + len as usize];
    let path = 57 + 2 + usize::from(u16::from_le_bytes([header[57], header[58]]));
    let mut behind = path;
    for _ in 0..2 {
        let count = u16::from_le_bytes([header[behind], header[behind + 1]]);
        behind += 2 + usize::from(count);
    }
    let old = [&header[..path], &header[behind..]].concat();
    let body = (40 + u64::from(len)).next_multiple_of(4096) as usize;
    let mut out = b"postrider redo 1".to_vec();
    out.extend_from_slice(&bytes[16..24]);
    out.extend_from_slice(&(old.len() as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&twox_hash::XxHash3_64::oneshot(&old).to_le_bytes());
    out.extend_from_slice(&old);
    out.resize(out.len().next_multiple_of(4096), 0);
    out.extend_from_slice(&bytes[body..]);
    std::fs::write(spool.journal(), out).expect("written");
}

#[test]
fn a_journal_of_before_an_upgrade_counts_where_nobody_else_can_have_put_it() {
    use std::os::unix::fs::PermissionsExt;
    for (mode, counts) in [
        (0o700, true),
        (0o755, true),
        (0o775, false),
        (0o1777, false),
    ] {
        let spool = Spool::new(&[A, B, C].concat());
        assert!(crash(&spool, &delete(&[0]), false, 3, 0));
        make_old(&spool);
        let half = spool.text();
        let directory = spool.directory.path();
        std::fs::set_permissions(directory, PermissionsExt::from_mode(mode)).expect("mode");
        let mut notices = spool.open().notices().to_vec();
        notices.extend(recover(&spool.path(), &spool.options()).expect("recovered"));
        if counts {
            assert_eq!(spool.text(), [B, C].concat(), "{mode:o}");
            continue;
        }
        assert_eq!(spool.text(), half, "{mode:o}");
        let [Notice::Planted { why, .. }] = notices[..] else {
            panic!("{mode:o}: {notices:?}");
        };
        assert_eq!(
            why,
            "a journal of an earlier version that another user may have put there"
        );
    }
}

fn message() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just(""),
        Just("Status: O\n"),
        Just("Status: RO\n"),
        Just("X-Status: A\n"),
        Just("Content-Length: 5\n"),
    ];
    let line = prop_oneof![
        Just("text\n"),
        Just(">From here\n"),
        Just("From there on it is text\n"),
        Just("\n"),
        Just("From x Mon Nov 16 09:00:00 2026\n"),
    ];
    let id = 0..1_000_000_u32;
    (id, field, prop::collection::vec(line, 0..6)).prop_map(|(id, field, lines)| {
        format!(
            "From a Mon Nov 16 09:00:00 2026\nMessage-ID: <{id}@x>\n{field}\n{}\n",
            lines.concat()
        )
    })
}

fn changes(count: usize) -> impl Strategy<Value = Changes> {
    prop::collection::vec(0..5_u8, count).prop_map(|choices| {
        let mut changes = Changes::default();
        for (index, choice) in choices.into_iter().enumerate() {
            match choice {
                0 => changes.delete(index),
                1 => changes.set_flags(index, read_and_old()),
                2 => changes.set_flags(index, Flags::NONE),
                _ => {}
            }
        }
        changes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Wherever a rewrite breaks off: readers see it complete, the next writer completes it, and
    /// mail that arrived in between is there.
    #[test]
    fn a_rewrite_that_broke_off_is_completed(
        texts in prop::collection::vec(message(), 1..7),
        choices in changes(16),
        whole in any::<bool>(),
        steps in 0..40_usize,
        resized in 0..7_u8,
        arrived in 0..3_usize,
    ) {
        let spool = Spool::new(&texts.concat());
        // What the same changes make of it when nothing breaks off.
        let undisturbed = Spool::new(&texts.concat());
        let mailbox = undisturbed.open();
        let mut wanted = Changes::default();
        choices.iter().filter(|(index, _)| *index < mailbox.messages().len()).for_each(
            |(index, change)| match change {
                Change::Delete => wanted.delete(index),
                Change::Flags(flags) => wanted.set_flags(index, flags),
            },
        );
        let committed = mailbox.commit(&wanted, &undisturbed.options());
        if matches!(committed, Err(CommitError::Refused { .. })) {
            return Ok(());
        }
        committed.expect("committed");
        prop_assert!(undisturbed.is_tidy());
        let mut expected = undisturbed.text();

        if !crash(&spool, &wanted, whole, steps, resized) {
            return Ok(());
        }
        prop_assert_eq!(&spool.seen(), &expected);
        for number in 0..arrived {
            let mail = C.replace("To: c", &format!("To: c{number}"));
            spool.append(&mail);
            expected.push_str(&mail);
        }
        prop_assert_eq!(&spool.seen(), &expected);
        let notices = recover(&spool.path(), &spool.options()).expect("recovered");
        prop_assert_eq!(notices, [Notice::Completed]);
        prop_assert_eq!(&spool.text(), &expected);
        prop_assert!(spool.is_tidy());
    }
}

#[test]
fn a_delivery_completes_what_broke_off_before() {
    use crate::mailbox::{AppendOptions, append};
    let spool = Spool::new(&[A, B].concat());
    let mut changes = Changes::default();
    changes.set_flags(0, read_and_old());
    // Longer already, and nothing written: the end of the file is zeros.
    assert!(crash(&spool, &changes, true, 0, 1));
    let options = AppendOptions::folder();
    append(
        &spool.path(),
        b"From d",
        &mut &b"To: d\n\nx\n"[..],
        &options,
    )
    .expect("appended");
    let expected = [
        &A.replace("To: a\n", "To: a\nStatus: RO\n"),
        B,
        "From d\nTo: d\n\nx\n\n",
    ];
    assert_eq!(spool.text(), expected.concat());
    assert!(spool.is_tidy());
}

#[test]
fn a_journal_of_a_mailbox_that_was_replaced_is_rescued() {
    let spool = Spool::new(&[A, B, C].concat());
    crash(&spool, &delete(&[0]), true, 1, 0);
    // Restored or rewritten by a program that makes a new file: the same bytes, another inode.
    let torn = spool.text();
    let copy = spool.directory.path().join("copy");
    std::fs::write(&copy, &torn).expect("written");
    std::fs::rename(&copy, spool.path()).expect("renamed");
    let notices = recover(&spool.path(), &spool.options()).expect("recovered");
    let [Notice::Overwritten { kept }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(
        std::fs::read_to_string(kept).expect("read"),
        [B, C].concat()
    );
    assert_eq!(spool.text(), torn);
}

#[test]
fn a_journal_goes_with_its_directory() {
    let mut spool = Spool::new(&[A, B, C].concat());
    crash(&spool, &delete(&[0]), false, 1, 0);
    let other = tempfile::tempdir().expect("a directory");
    for name in ["mbox", ".mbox.postrider-journal"] {
        let from = spool.directory.path().join(name);
        std::fs::rename(from, other.path().join(name)).expect("renamed");
    }
    spool.directory = other;
    let notices = recover(&spool.path(), &spool.options()).expect("recovered");
    assert_eq!(notices, [Notice::Completed]);
    assert_eq!(spool.text(), [B, C].concat());
}

#[test]
fn mail_that_arrives_without_a_lock_is_never_cut_off() {
    let spool = Spool::new(&[A, B].concat());
    let mailbox = spool.open();
    let locked = LockedMailbox::begin(&spool.path(), &spool.options()).expect("a locked");
    let plan = locked
        .plan(mailbox.messages(), &delete(&[1]), true)
        .expect("a plan");
    std::fs::write(spool.path(), [A, B, C].concat()).expect("written");
    assert!(!locked.write_at_once(&plan).expect("looked at"));
    give_back(locked.lock.file(), plan.old_size());
    assert_eq!(spool.text(), [A, B, C].concat());
}

#[test]
fn the_last_message_can_be_deleted_without_an_index_of_the_others() {
    // The last one has no blank line before it, so that a scan must show that the others stay.
    let joined = [A, B.trim_end_matches('\n'), "\n", C].concat();
    let spool = Spool::new(&joined);
    let mailbox = Mailbox::open_end(&spool.path(), &spool.journals).expect("a mailbox");
    let last = mailbox.messages().len() - 1;
    let committed = mailbox.commit(&delete(&[last]), &spool.options());
    assert_eq!(committed.expect("committed").deleted, 1);
    assert_eq!(spool.text(), &joined[..joined.len() - C.len()]);
}

/// Returns a mailbox of messages with bodies of these sizes.
fn sized(sizes: &[usize]) -> String {
    let message = |(number, size): (usize, &usize)| {
        format!(
            "From a Mon Nov 16 09:00:00 2026\nMessage-ID: <{number}@x>\nStatus: RO\n\n{}\n\n",
            "x".repeat(*size)
        )
    };
    sizes.iter().enumerate().map(message).collect()
}

#[test]
fn zeros_behind_a_cut_that_is_not_on_disk_yet_are_no_other_program() {
    // Deleted in the middle (whole, windows) and at the end; the old end within and behind the block.
    for (index, whole, size) in [
        (1, true, 100),
        (1, false, 100),
        (1, true, 70_000),
        (2, true, 100),
        (2, true, 70_000),
    ] {
        {
            let texts = sized(&[300, size, size]);
            for resized in [3, 6, 10] {
                let spool = Spool::new(&texts);
                let undisturbed = Spool::new(&texts);
                undisturbed
                    .open()
                    .commit(&delete(&[index]), &undisturbed.options())
                    .expect("committed");
                let expected = undisturbed.text();
                assert!(crash(&spool, &delete(&[index]), whole, 0, resized));
                assert_eq!(spool.text().len(), texts.len());
                assert_eq!(spool.seen(), expected, "{index} {whole} {size} {resized}");
                let notices = recover(&spool.path(), &spool.options()).expect("recovered");
                assert_eq!(notices, [Notice::Completed]);
                assert_eq!(spool.text(), expected);
                assert!(spool.is_tidy());
            }
        }
    }
}

#[test]
fn deleting_at_the_end_goes_without_a_journal_only_between_two_blocks() {
    let rows = [
        (0, true),
        (65_536, true),
        (131_072, true),
        (4096, false),
        (65_537, false),
    ];
    for (new_size, at_once) in rows {
        let mut texts = vec![sized(&[300])];
        if new_size > 0 {
            let excess = sized(&[0]).len();
            texts.insert(0, sized(&[new_size - excess]));
        }
        let spool = Spool::new(&texts.concat());
        let mailbox = spool.open();
        let last = mailbox.messages().len() - 1;
        let locked = LockedMailbox::begin(&spool.path(), &spool.options()).expect("a locked");
        let plan = locked
            .plan(mailbox.messages(), &delete(&[last]), true)
            .expect("a plan");
        assert_eq!(plan.new_size(), new_size as u64);
        assert_eq!(
            locked.write_at_once(&plan).expect("written"),
            at_once,
            "{new_size}"
        );
        drop(locked);
        if !at_once {
            let committed = mailbox.commit(&delete(&[last]), &spool.options());
            assert_eq!(committed.expect("committed").deleted, 1);
        }
        assert_eq!(spool.text(), texts[..texts.len() - 1].concat());
        assert!(spool.is_tidy());
    }
}

#[test]
fn mail_behind_a_cut_is_kept_where_the_bytes_before_it_stayed_in_place() {
    // One flag more and one less: nothing between them and the end moves.
    let texts = [
        sized(&[100]).replace("RO", "O"),
        sized(&[100, 90_000, 100])[..].replace("0@x", "9@x"),
    ]
    .concat();
    let mut changes = delete(&[3]);
    let mut old = Flags::NONE;
    old.insert(Flags::OLD);
    changes.set_flags(0, read_and_old());
    changes.set_flags(1, old);
    let spool = Spool::new(&texts);
    assert!(crash(&spool, &changes, true, 0, 2));
    let cut = spool.text();
    assert!(cut.len() < texts.len());
    // Longer than what was deleted, and as mail begins where the old end was.
    let mail = sized(&[500]).replace("0@x", "mail@x").replace('x', "F");
    spool.append(&mail);
    assert_eq!(spool.seen(), [&cut, &mail[..]].concat());
    let notices = recover(&spool.path(), &spool.options()).expect("recovered");
    assert_eq!(notices, [Notice::Completed]);
    assert_eq!(spool.text(), [&cut, &mail[..]].concat());
}
