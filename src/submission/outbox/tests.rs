//! Tests of the store: what is written comes back, whatever lies beside it is told right, and no lock
//! is waited for.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use nix::sys::stat::Mode;
use tempfile::TempDir;

use super::held::Suffix;
use super::slot::Entered;
use super::*;
use crate::message::MessageSource;

const LIMITS: Limits = Limits {
    count: 1000,
    size: 1 << 30,
    share: 10,
};

const HEADER: &[u8] = b"Subject: disk\nMessage-ID: <1@host>\n\n";

struct World {
    directory: TempDir,
    outbox: Outbox,
}

impl World {
    fn new() -> World {
        let directory = tempfile::tempdir().expect("a directory");
        let outbox = Outbox::at(&directory.path().join("outbox"));
        World { directory, outbox }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("outbox").join(name)
    }

    fn enter(&self, body: &str) -> Entry {
        self.entered(body).entry
    }

    fn entered(&self, body: &str) -> Entered {
        let size = (HEADER.len() + body.len()) as u64;
        let body = &mut body.as_bytes();
        let entered = self.outbox.enter(LIMITS, size, &envelope(), HEADER, body);
        entered.expect("entered")
    }

    /// Enters a message into a file of its own.
    fn enter_file(&self, body: &str) -> Entry {
        let (id, mut body) = (Id::new(), body.as_bytes());
        let entered = self.outbox.enter_as(id, &envelope(), HEADER, &mut body);
        entered.expect("entered")
    }

    /// Enters a message that waits; returns its ID and its file.
    fn waiting(&self, body: &str) -> (Id, PathBuf) {
        let entry = self.enter(body);
        entry.back_to_queue().expect("named");
        let id = entry.id().clone();
        self.die(entry);
        let path = self.path(&format!("{id}.q"));
        (id, path)
    }

    /// Lets go of an entry, as its sender does when it dies.
    fn die(&self, entry: Entry) {
        drop(entry);
        self.wait_for_locks();
    }

    /// Waits until nobody has a lock: a child that another test starts has the descriptors of this
    /// process until it runs its program.
    fn wait_for_locks(&self) {
        for name in self.names() {
            let file = File::open(self.path(&name)).expect("opened");
            while file.try_lock_shared().is_err() {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Returns the names in the outbox.
    fn names(&self) -> Vec<String> {
        let read = fs::read_dir(self.path("")).expect("read");
        let mut names: Vec<String> = read
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }

    fn conditions(&self) -> Vec<Condition> {
        let listing = self.outbox.list().expect("listed");
        listing
            .entries
            .into_iter()
            .map(|entry| entry.condition)
            .collect()
    }
}

fn envelope() -> EntryEnvelope {
    EntryEnvelope {
        uid: 7,
        login: Some("alice".to_owned()),
        face: "mailx".to_owned(),
        sender: Some(String::new()),
        full_name: Some("Größe \"x\"\n".to_owned()),
        recipients: vec!["ops@example.com".to_owned(), "root".to_owned()],
        account: None,
        route: Some("smtp://relay".to_owned()),
        message_id: "<1@host>".to_owned(),
        subject: Some("disk".to_owned()),
        merge: None,
        signed: false,
    }
}

fn text_of(entry: &Entry) -> Vec<u8> {
    let mut text = Vec::new();
    let message = entry.message();
    message
        .reader()
        .expect("a reader")
        .read_to_end(&mut text)
        .expect("read");
    assert_eq!(text.len() as u64, message.len());
    text
}

#[test]
fn what_is_entered_comes_back_byte_for_byte() {
    let world = World::new();
    // Below one block, at its end, and over several of them.
    for length in [0, 1, 60_000, 65_536, 200_000] {
        let body = "x".repeat(length);
        let (id, path) = world.waiting(&body);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let entry = world.outbox.lock(&id).expect("sound").expect("free");
        assert_eq!(entry.envelope(), &envelope());
        assert_eq!(entry.state(), &EntryState::default());
        assert_eq!(text_of(&entry), [HEADER, body.as_bytes()].concat());
        entry.finish().expect("removed");
        assert!(world.names().is_empty());
    }
}

#[test]
fn ids_are_in_order_of_arrival_and_nothing_else_is_one() {
    let ids: Vec<Id> = (0..100).map(|_| Id::new()).collect();
    for id in &ids {
        assert_eq!(Id::parse(id.as_str()).as_ref(), Some(id));
    }
    let now = crate::sys::clock::since_epoch();
    assert!(now - ids[0].arrival() < Duration::from_secs(60));
    assert!(ids[0].arrival() <= ids[99].arrival());
    for wrong in [
        "",
        "x",
        "../../etc/passwd",
        "0000000000000001-1",
        "0000000000000001-1-0000000",
        "0000000000000001-1-0000000G",
        "0000000000000001-1-00000000-1",
        "000000000000001-1-00000000",
        "0000000000000001--00000000",
        "0000000000000001-12345678901-00000000",
        "+000000000000001-1-00000000",
    ] {
        assert_eq!(Id::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_lock_is_never_waited_for_and_dies_with_its_owner() {
    let world = World::new();
    let entry = world.enter_file("x");
    let id = entry.id().clone();
    assert!(
        world.outbox.lock(&id).expect("sound").is_none(),
        "we have it"
    );
    assert_eq!(world.conditions(), [Condition::Sending]);
    world.die(entry);
    assert_eq!(world.conditions(), [Condition::Waiting]);
    let entry = world.outbox.lock(&id).expect("sound").expect("free");
    entry.finish().expect("removed");
    assert!(world.outbox.lock(&id).expect("gone").is_none());
    let flusher = world.outbox.lock_flusher().expect("made").expect("free");
    assert!(world.outbox.lock_flusher().expect("there").is_none());
    drop(flusher);
    assert!(world.outbox.lock_flusher().expect("there").is_some());
}

#[test]
fn the_name_says_whether_the_dot_may_be_out() {
    let world = World::new();
    let entry = world.enter_file("x");
    let (id, file) = (entry.id().clone(), entry.file().clone());
    file.about_to_dot().expect("renamed");
    assert!(entry.is_uncertain());
    assert_eq!(world.names(), [format!("{id}.dot")]);
    drop(file);
    world.die(entry);
    assert_eq!(world.conditions(), [Condition::Uncertain]);
    let entry = world.outbox.lock(&id).expect("sound").expect("free");
    assert!(entry.is_uncertain());
    entry.back_to_queue().expect("renamed");
    assert_eq!(world.names(), [format!("{id}.q")]);
    entry.file().about_to_dot().expect("a further try");
}

#[test]
fn the_state_comes_back_and_decides_who_gets_the_message() {
    let world = World::new();
    let mut entry = world.enter("x");
    let id = entry.id().clone();
    let to = |recipient: &str, target: &str, standing| TargetState {
        recipient: recipient.to_owned(),
        target: target.to_owned(),
        standing,
        reply: "250 \u{e9}\u{1b}[2J\"".to_owned(),
        time: 1_800_000_000,
    };
    let state = entry.state_mut();
    state.attempts = 3;
    state.next = Some(u64::MAX >> 1);
    state.held = Some(String::new());
    state.set_targets([
        to("root", "a@example.com", Standing::Accepted),
        to("root", "b@example.com", Standing::Waiting),
        to("ops@example.com", "ops@example.com", Standing::Waiting),
        to("ops@example.com", "ops@example.com", Standing::Refused),
    ]);
    state.note_reply(5, "root", "451 later");
    let saved = state.clone();
    entry.save_state().expect("written");
    entry.save_state().expect("and replaced");
    drop(entry);
    let entry = world.outbox.lock(&id).expect("sound").expect("free");
    assert_eq!(entry.state(), &saved);
    let state = entry.state();
    assert_eq!(state.targets.len(), 3);
    for (recipient, target, done) in [
        ("root", "a@example.com", true),
        ("root", "b@example.com", false),
        ("root", "new@example.com", false),
        ("ops@example.com", "ops@example.com", true),
        // The settings lead it elsewhere now: it was refused there, or has arrived.
        ("ops@example.com", "other@example.com", true),
        ("unknown", "unknown", false),
    ] {
        assert_eq!(
            state.done().has(recipient, target),
            done,
            "{recipient} {target}"
        );
    }
    assert!(!state.is_all_done(["root", "ops@example.com"]));
    assert!(!state.is_all_done(["unknown"]));
    assert_eq!(world.conditions(), [Condition::Sending]);
    world.die(entry);
    assert_eq!(world.conditions(), [Condition::Held]);
    let entry = world.outbox.lock(&id).expect("sound").expect("free");
    entry.finish().expect("removed");
    assert!(world.names().is_empty(), "the sidecar goes with its entry");
}

#[test]
fn what_has_failed_is_put_away_and_can_come_back() {
    let world = World::new();
    let mut entry = world.enter("x");
    let id = entry.id().clone();
    entry.state_mut().reason = Some("550 no".to_owned());
    entry.fail().expect("moved");
    assert_eq!(world.names(), ["failed"]);
    assert!(world.outbox.list().expect("listed").entries.is_empty());
    let failed = world.outbox.list_failed().expect("listed").entries;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].condition, Condition::Failed);
    assert_eq!(failed[0].state.reason.as_deref(), Some("550 no"));
    assert!(world.outbox.lock(&id).expect("none").is_none());
    let entry = world.outbox.lock_failed(&id).expect("sound").expect("free");
    entry.revive().expect("moved");
    assert_eq!(world.conditions(), [Condition::Waiting]);
    assert_eq!(
        world.names(),
        [format!("{id}.q"), format!("{id}.st"), "failed".to_owned()]
    );
}

#[test]
fn every_damage_is_told_and_no_damaged_entry_is_sent() {
    let world = World::new();
    let (_, sound) = world.waiting("0123456789");
    let whole = fs::read(&sound).expect("read");
    // Cut at any place, and with any byte changed.
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        for bytes in [&whole[..at], &changed] {
            let id = Id::new();
            let path = world.path(&format!("{id}.q"));
            fs::write(&path, bytes).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("closed");
            let error = world.outbox.lock(&id).expect_err("damaged").to_string();
            assert!(error.contains(id.as_str()), "{error}");
            fs::remove_file(&path).expect("removed");
        }
    }
    let id = Id::new();
    let path = world.path(&format!("{id}.q"));
    let later = String::from_utf8(whole)
        .expect("text")
        .replacen(" 01 ", " 02 ", 1);
    fs::write(&path, later).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("closed");
    let error = world
        .outbox
        .lock(&id)
        .expect_err("of the future")
        .to_string();
    assert!(error.contains("has format 2"), "{error}");
    assert!(matches!(&world.conditions()[1], Condition::Torn(why) if why.contains("format 2")));
}

#[test]
fn what_is_no_file_of_ours_is_told_and_never_followed() {
    let world = World::new();
    let (_, sound) = world.waiting("text");
    let secret = world.directory.path().join("secret");
    fs::copy(&sound, &secret).expect("copied");
    type Make<'a> = &'a dyn Fn(&PathBuf);
    let make: [(&str, Make<'_>); 5] = [
        ("is not a regular file", &|path| {
            symlink(&secret, path).expect("a link")
        }),
        ("is not a regular file", &|path| {
            nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO")
        }),
        ("is not a regular file", &|path| {
            fs::create_dir(path).expect("a directory")
        }),
        ("has a second name (hard link)", &|path| {
            fs::hard_link(&secret, path).expect("a link")
        }),
        ("can be read or written by other users", &|path| {
            fs::copy(&sound, path).expect("copied");
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).expect("opened");
        }),
    ];
    for (why, make) in make {
        for suffix in [Suffix::Queued, Suffix::Dot] {
            let id = Id::new();
            let path = world.path(&suffix.name(&id));
            make(&path);
            let listed = world.outbox.list().expect("listed").entries;
            let listed = listed
                .into_iter()
                .find(|entry| entry.id == id)
                .expect("listed");
            assert_eq!(listed.condition, Condition::Torn(why.to_owned()));
            let error = world.outbox.lock(&id).expect_err("refused").to_string();
            assert!(error.contains(why), "{error}");
            assert!(world.outbox.adopt().expect("looked").is_empty());
            assert!(
                path.symlink_metadata().is_ok(),
                "nothing is removed by itself"
            );
            if path.symlink_metadata().expect("there").is_dir() {
                fs::remove_dir(&path).expect("removed");
            } else {
                assert!(world.outbox.remove_torn(&id, false).expect("removed"));
            }
            assert!(path.symlink_metadata().is_err());
        }
    }
    assert!(secret.exists());
}

#[test]
fn orphans_that_are_complete_are_adopted_and_torn_ones_are_kept() {
    let world = World::new();
    let (id, path) = world.waiting("whole");
    let orphan = world.path(&format!("{id}.new"));
    fs::rename(&path, &orphan).expect("renamed");
    let (torn, path) = world.waiting("torn");
    let torn_path = world.path(&format!("{torn}.new"));
    fs::rename(&path, &torn_path).expect("renamed");
    let file = File::options()
        .write(true)
        .open(&torn_path)
        .expect("opened");
    file.set_len(200).expect("cut");
    let conditions = world.conditions();
    assert_eq!(conditions[0], Condition::New);
    assert_eq!(conditions[1], Condition::Torn("is not complete".to_owned()));
    // One whose writer lives is nobody else's.
    let held = File::open(&orphan).expect("opened");
    held.try_lock().expect("locked");
    assert!(world.outbox.adopt().expect("looked").is_empty());
    drop(held);
    let adopted = world.outbox.adopt().expect("looked");
    assert_eq!(adopted, std::slice::from_ref(&id));
    assert!(world.outbox.lock(&id).expect("sound").is_some());
    assert!(torn_path.exists(), "its writer may be at work");
    let old = crate::sys::clock::now() - Duration::from_secs(37 * 60 * 60);
    file.set_modified(old).expect("old");
    drop(file);
    assert!(world.outbox.adopt().expect("looked").is_empty());
    assert!(!torn_path.exists());
    let failed = world.outbox.list_failed().expect("listed").entries;
    assert_eq!(failed[0].id, torn);
    assert!(matches!(failed[0].condition, Condition::Torn(_)));
}

#[test]
fn an_orphan_with_another_checksum_is_put_away_like_a_torn_one() {
    let world = World::new();
    let (id, path) = world.waiting("whole");
    let orphan = world.path(&format!("{id}.new"));
    let mut bytes = fs::read(&path).expect("read");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(&path, bytes).expect("written");
    fs::rename(&path, &orphan).expect("renamed");
    assert!(world.outbox.adopt().expect("looked").is_empty());
    assert!(orphan.exists(), "its writer may be at work");
    let old = crate::sys::clock::now() - Duration::from_secs(37 * 60 * 60);
    let file = File::options().write(true).open(&orphan).expect("opened");
    file.set_modified(old).expect("old");
    assert!(world.outbox.adopt().expect("looked").is_empty());
    assert!(!orphan.exists());
    assert_eq!(world.outbox.list_failed().expect("listed").entries.len(), 1);
}

#[test]
fn a_damaged_sidecar_holds_the_message_back() {
    let world = World::new();
    let (id, _) = world.waiting("x");
    let sidecar = world.path(&format!("{id}.st"));
    for bytes in ["", "{", "[]", r#"{"version":2}"#, r#"{"version":1}"#] {
        fs::write(&sidecar, bytes).expect("written");
        fs::set_permissions(&sidecar, fs::Permissions::from_mode(0o600)).expect("closed");
        let error = world.outbox.lock(&id).expect_err("damaged").to_string();
        assert!(error.contains(&format!("{id}.st")), "{error}");
        assert!(matches!(world.conditions()[..], [Condition::Torn(_)]));
    }
}

#[test]
fn a_listing_is_bounded_and_names_what_is_strange() {
    let world = World::new();
    let (first, _) = world.waiting("x");
    for number in 0..20_050 {
        let name = format!("9{number:015}-1-00000000.q");
        File::create(world.path(&name)).expect("made");
    }
    for number in 0..50 {
        File::create(world.path(&format!("note{number}"))).expect("made");
    }
    let listing = world.outbox.list().expect("listed");
    assert_eq!(listing.entries.len(), 20_000);
    assert_eq!(listing.entries[0].id, first);
    assert_eq!(listing.left_out, 51);
    assert_eq!((listing.strange.len(), listing.strange_count), (10, 50));
    assert_eq!(world.outbox.ids().expect("listed").len(), 20_000);
}

#[test]
fn short_messages_that_leave_at_once_share_one_file_which_is_wiped() {
    let world = World::new();
    let slot = world.path("sending");
    for number in 0..3 {
        let text = format!("secret {number}\n");
        let entry = world.enter(&text);
        assert_eq!(world.names(), ["sending"]);
        assert_eq!(text_of(&entry), [HEADER, text.as_bytes()].concat());
        entry.file().about_to_dot().expect("marked");
        assert!(entry.is_uncertain());
        assert_eq!(text_of(&entry), [HEADER, text.as_bytes()].concat());
        // It leaves just now: nobody else does anything with it.
        assert!(world.conditions().is_empty());
        assert!(world.outbox.adopt().expect("looked").is_empty());
        entry.finish().expect("removed");
        assert!(fs::read(&slot).expect("read").iter().all(|byte| *byte == 0));
        assert!(world.outbox.is_empty().expect("looked"));
    }
    assert_eq!(world.names(), ["sending"]);
    // One that does not fit has a file of its own.
    let large = world.enter(&"x".repeat(4000));
    assert_eq!(world.names(), [&format!("{}.q", large.id()), "sending"]);
    large.finish().expect("removed");
    assert_eq!(world.names(), ["sending"]);
}

#[test]
fn what_is_left_in_the_slot_by_its_sender_is_an_entry_like_any_other() {
    for (is_used, is_dotted) in [(false, false), (false, true), (true, false), (true, true)] {
        let world = World::new();
        if is_used {
            world
                .enter("a longer one before")
                .finish()
                .expect("removed");
        }
        let entry = world.enter("text");
        if is_dotted {
            entry.file().about_to_dot().expect("marked");
        }
        world.die(entry);
        assert!(!world.outbox.is_empty().expect("looked"));
        let listed = world.outbox.list().expect("listed").entries;
        let (id, condition) = (&listed[0].id, &listed[0].condition);
        let age = crate::sys::clock::since_epoch() - id.arrival();
        assert!(age < Duration::from_secs(60), "{id}");
        let adopted = world.outbox.adopt().expect("looked");
        if is_dotted {
            assert_eq!(*condition, Condition::Uncertain);
            assert!(adopted.is_empty());
        } else {
            assert_eq!(*condition, Condition::Waiting);
            assert_eq!(adopted, std::slice::from_ref(id));
        }
        let entry = world.outbox.lock(id).expect("sound").expect("free");
        assert_eq!(text_of(&entry), [HEADER, b"text"].concat());
        assert_eq!(entry.is_uncertain(), is_dotted);
        // The next one does not write over it.
        let next = world.enter("next");
        assert_eq!(text_of(&entry), [HEADER, b"text"].concat());
        next.finish().expect("removed");
        entry.finish().expect("removed");
        assert_eq!(world.names(), ["sending"]);
    }
}

#[test]
fn the_next_sender_finds_what_the_last_one_left_in_the_slot() {
    let world = World::new();
    world.die(world.enter("left"));
    let entered = world.entered("next");
    assert!(entered.has_company);
    let next = entered.entry;
    // It waits, so the mail that is accepted takes it along; that one is in a slot of its own.
    assert_eq!(world.conditions(), [Condition::Waiting]);
    assert!(world.names().contains(&"sending".to_owned()));
    next.finish().expect("removed");
    // A piece of one, after a power cut, is no message.
    world.enter("piece").finish().expect("removed");
    let file = File::options()
        .write(true)
        .open(world.path("sending"))
        .expect("opened");
    std::os::unix::fs::FileExt::write_all_at(&file, b"postrider-outbox 01 0000", 0)
        .expect("written");
    assert_eq!(
        world.conditions()[1],
        Condition::Torn("has a damaged first line".to_owned())
    );
    assert!(!world.outbox.is_empty().expect("looked"));
    assert!(world.outbox.adopt().expect("looked").is_empty());
    assert_eq!(
        world.conditions()[1],
        Condition::Torn("has a damaged first line".to_owned())
    );
}

#[test]
fn the_file_of_another_sender_is_never_taken_for_the_slot_of_this_one() {
    // Somebody removes the file, and another sender makes a new one.
    let world = World::new();
    let mut first = world.enter("first");
    fs::remove_file(world.path("sending")).expect("removed");
    let second = world.enter("second");
    assert_eq!(world.names(), ["sending"]);
    assert!(first.make_durable().is_err() && first.save_state().is_err());
    assert!(first.leave_uncertain().is_err());
    first.finish().expect("wiped");
    assert_eq!(text_of(&second), [HEADER, b"second"].concat());
    second.make_durable().expect("synced");
    assert_eq!(world.names(), [format!("{}.q", second.id())]);
    // A wipe that was cut short left the mark.
    let world = World::new();
    world.enter("before").finish().expect("wiped");
    let file = File::options()
        .write(true)
        .open(world.path("sending"))
        .expect("opened");
    std::os::unix::fs::FileExt::write_all_at(&file, b".", 4095).expect("written");
    let entry = world.enter("text");
    assert!(!entry.is_uncertain());
    world.die(entry);
    assert_eq!(world.conditions(), [Condition::Waiting]);
}

#[test]
fn what_is_left_in_a_slot_that_others_can_read_is_listed_and_stays() {
    let world = World::new();
    world.die(world.enter("text"));
    let slot = world.path("sending");
    fs::set_permissions(&slot, fs::Permissions::from_mode(0o640)).expect("opened");
    let why = "can be read or written by other users".to_owned();
    assert_eq!(world.conditions(), [Condition::Torn(why)]);
    assert!(!world.outbox.is_empty().expect("looked"));
    assert!(world.outbox.adopt().expect("looked").is_empty());
    let entry = world.enter("next");
    assert!(world.names().contains(&format!("{}.q", entry.id())));
    fs::set_permissions(&slot, fs::Permissions::from_mode(0o600)).expect("closed");
    assert_eq!(world.outbox.adopt().expect("looked").len(), 1);
}

#[test]
fn what_waits_or_is_promised_leaves_the_slot_under_its_own_id() {
    type Keep = fn(&mut Entry);
    let keep: [(Keep, &str); 6] = [
        (|entry| entry.make_durable().expect("synced"), "q"),
        (|entry| entry.back_to_queue().expect("named"), "q"),
        (|entry| entry.leave_uncertain().expect("named"), "dot"),
        (|entry| entry.save_state().expect("written"), "q"),
        (
            |entry| {
                entry.file().about_to_dot().expect("marked");
                entry.make_durable().expect("synced");
            },
            "dot",
        ),
        (
            |entry| {
                entry.file().about_to_dot().expect("marked");
                entry.back_to_queue().expect("named");
            },
            "q",
        ),
    ];
    for (keep, suffix) in keep {
        let world = World::new();
        world
            .enter("a longer one before")
            .finish()
            .expect("removed");
        let mut entry = world.enter("text");
        keep(&mut entry);
        let id = entry.id().clone();
        assert!(world.names().contains(&format!("{id}.{suffix}")));
        assert!(!world.names().contains(&"sending".to_owned()));
        world.die(entry);
        let entry = world.outbox.lock(&id).expect("sound").expect("free");
        assert_eq!(text_of(&entry), [HEADER, b"text"].concat());
        assert_eq!(entry.is_uncertain(), suffix == "dot");
        entry.finish().expect("removed");
    }
    let world = World::new();
    let entry = world.enter("text");
    let id = entry.id().clone();
    entry.fail().expect("moved");
    let failed = world.outbox.list_failed().expect("listed").entries;
    assert_eq!(failed[0].id, id);
}

#[test]
fn what_is_no_file_of_ours_is_not_used_as_the_slot() {
    let world = World::new();
    let other = world.directory.path().join("other");
    fs::write(&other, "").expect("written");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).expect("closed");
    type Make<'a> = &'a dyn Fn(&PathBuf);
    let make: [Make<'_>; 6] = [
        &|path| symlink(&other, path).expect("a link"),
        &|path| nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO"),
        &|path| fs::create_dir(path).expect("a directory"),
        &|path| fs::hard_link(&other, path).expect("a link"),
        &|path| {
            fs::write(path, "").expect("written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).expect("opened");
        },
        &|path| {
            fs::write(path, [0; 5000]).expect("written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("closed");
        },
    ];
    let slot = world.path("sending");
    for make in make {
        make(&slot);
        let before = slot.symlink_metadata().expect("there").len();
        let entry = world.enter("text");
        assert!(world.names().contains(&format!("{}.q", entry.id())));
        assert_eq!(world.conditions(), [Condition::Sending]);
        assert!(world.outbox.adopt().expect("looked").is_empty());
        entry.finish().expect("removed");
        let found = slot.symlink_metadata().expect("there");
        assert_eq!(found.len(), before);
        assert!(fs::read(&other).expect("read").is_empty());
        let strange = world.outbox.list().expect("listed").strange;
        assert_eq!(strange.is_empty(), found.is_file());
        if found.is_dir() {
            fs::remove_dir(&slot).expect("removed");
        } else {
            fs::remove_file(&slot).expect("removed");
        }
    }
}

#[test]
fn senders_at_once_never_share_a_file() {
    let world = World::new();
    thread::scope(|scope| {
        for sender in 0..8 {
            let world = &world;
            scope.spawn(move || {
                for number in 0..60 {
                    let text = format!("{sender} {number}\n");
                    let entry = world.enter(&text);
                    thread::yield_now();
                    assert_eq!(text_of(&entry), [HEADER, text.as_bytes()].concat());
                    match number % 10 {
                        // Dead while it sends, by the slot or by a file.
                        8 => {}
                        9 => entry.back_to_queue().expect("named"),
                        _ => entry.finish().expect("removed"),
                    }
                }
            });
        }
    });
    world.wait_for_locks();
    assert_eq!(world.outbox.list().expect("listed").entries.len(), 8 * 12);
}

#[test]
fn a_stamp_in_the_slot_says_that_nobody_waits_until_the_directory_changes() {
    let world = World::new();
    let directory = world.outbox.directory();
    let pass = |has_company: bool| {
        let entered = world.entered("text");
        assert_eq!(entered.has_company, has_company);
        entered.entry.finish().expect("removed");
        let page = fs::read(world.path("sending")).expect("read");
        assert!(page[0] == 0 && page[17..].iter().all(|byte| *byte == 0));
        page[1..17] != [0; 16]
    };
    let change = |time| directory.set_modified(time).expect("changed");
    let ago = |seconds| crate::sys::clock::now() - Duration::from_secs(seconds);
    // A change of just now could be followed by another one of the same time.
    assert!(!pass(false) && !pass(false));
    let stamped = ago(60);
    change(stamped);
    assert!(pass(false) && pass(false));
    // An entry that came and left the time as it was is not seen: no name is read.
    let waiting = world.enter_file("waits");
    change(stamped);
    assert!(pass(false));
    change(ago(50));
    assert!(!pass(true) && !pass(true));
    waiting.finish().expect("removed");
    let to_come = crate::sys::clock::now() + Duration::from_secs(60);
    change(to_come);
    assert!(!pass(false));
    change(ago(20));
    assert!(pass(false));
    // What is refused by a limit is refused behind a stamp, too.
    for limits in [
        Limits {
            size: 100,
            ..LIMITS
        },
        Limits { share: 0, ..LIMITS },
    ] {
        let body = &mut &b"text"[..];
        let entered = world.outbox.enter(limits, 400, &envelope(), HEADER, body);
        assert!(entered.is_err(), "{limits:?}");
        assert!(world.outbox.is_empty().expect("looked"));
    }
}
