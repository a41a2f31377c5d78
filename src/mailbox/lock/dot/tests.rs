use super::*;

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::content::STALE;
use super::held::REFRESH;
use super::lock_file::{in_words, shell_word};
use super::stale::{GUARD, give_back, move_aside};
use crate::sys::{child, random};

struct Spool(tempfile::TempDir);

impl Spool {
    fn new() -> Spool {
        Spool(tempfile::tempdir().expect("a directory"))
    }

    fn mailbox(&self) -> PathBuf {
        self.0.path().join("mbox")
    }

    fn lock(&self) -> PathBuf {
        self.0.path().join("mbox.lock")
    }

    fn request(&self) -> DotAnswer {
        request(&self.mailbox(), None).expect("an answer")
    }

    fn age(&self, age: Duration) {
        let file = File::options()
            .write(true)
            .open(self.lock())
            .expect("opened");
        file.set_modified(clock::now() - age).expect("times");
    }
}

#[test]
fn the_lock_names_us_and_goes_with_its_guard() {
    let spool = Spool::new();
    let DotAnswer::Granted(held) = spool.request() else {
        panic!("free");
    };
    let text = fs::read_to_string(spool.lock()).expect("content");
    assert_eq!(
        text.lines().next(),
        Some(std::process::id().to_string().as_str())
    );
    let here = System::this();
    assert_eq!(text.lines().nth(1), Some(here.line().as_str()));
    assert_eq!(text.lines().nth(2), here.machine.as_deref());
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    assert!(id.trim().is_empty() || !text.contains(id.trim()), "{text}");
    let DotAnswer::Busy(Some(file)) = spool.request() else {
        panic!("held");
    };
    assert_eq!(file.pid, Some(std::process::id()));
    assert_eq!(fs::read_dir(spool.0.path()).expect("listed").count(), 1);
    drop(held);
    assert_eq!(fs::read_dir(spool.0.path()).expect("listed").count(), 0);
}

#[test]
fn stale_locks_are_removed_and_others_are_not() {
    let dead = {
        // A child that has been waited for: its pid was in use just now.
        let mut child = child::command("true").spawn().expect("started");
        child.wait().expect("waited");
        child.id()
    };
    let (us, here, old) = (std::process::id(), System::this().line(), STALE * 2);
    let rows = [
        (format!("{dead}\n{here}\n"), Duration::ZERO, true),
        (format!("{us}\n{here}\n"), old, false),
        (
            format!("{dead}\nother-host boot ns\n"),
            Duration::ZERO,
            false,
        ),
        (format!("{dead}\n"), Duration::ZERO, false),
        (format!("{dead}\n"), old, true),
        (String::new(), Duration::ZERO, false),
        (String::new(), old, true),
        ("-1\n".to_owned(), STALE / 2, false),
    ];
    for (content, age, is_stale) in rows {
        let spool = Spool::new();
        fs::write(spool.lock(), &content).expect("written");
        spool.age(age);
        let is_granted = matches!(spool.request(), DotAnswer::Granted(_));
        assert_eq!(is_granted, is_stale, "{content:?} {age:?}");
        assert_eq!(spool.lock().exists(), !is_stale, "{content:?} {age:?}");
    }
}

#[test]
fn a_planted_lock_is_not_followed_and_not_removed() {
    let spool = Spool::new();
    let victim = spool.0.path().join("victim");
    fs::write(&victim, "1\n").expect("written");
    symlink(&victim, spool.lock()).expect("a link");
    let why = |expected: &str| match spool.request() {
        DotAnswer::Busy(Some(file)) => {
            assert!(file.to_string().starts_with(expected), "{file}");
            file.removal()
        }
        other => panic!("{other:?}"),
    };
    let lock = crate::sanitize::path(&spool.lock()).to_string();
    assert_eq!(why("a symbolic link of "), format!("rm -- {lock}"));
    assert!(spool.lock().is_symlink());
    assert_eq!(fs::read_to_string(&victim).expect("content"), "1\n");
    fs::remove_file(spool.lock()).expect("removed");
    nix::unistd::mkfifo(&spool.lock(), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    assert_eq!(why("a FIFO of "), format!("rm -- {lock}"));
    fs::remove_file(spool.lock()).expect("removed");
    fs::create_dir(spool.lock()).expect("made");
    assert_eq!(why("a directory of "), format!("rmdir -- {lock}"));
    fs::write(spool.lock().join("x"), "").expect("written");
    assert_eq!(why("a directory of "), format!("rm -r -- {lock}"));
    fs::remove_dir_all(spool.lock()).expect("removed");
    fs::write(spool.lock(), "1").expect("written");
    fs::set_permissions(spool.lock(), Permissions::from_mode(0o000)).expect("mode");
    assert_eq!(why("a file of "), format!("rm -- {lock}"));
}

#[test]
fn the_age_and_the_line_to_type_are_readable() {
    let rows = [
        (0, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7_199, "119 minutes"),
        (7_200, "2 hours"),
        (172_800, "2 days"),
    ];
    for (seconds, text) in rows {
        assert_eq!(in_words(Duration::from_secs(seconds)), text);
    }
    let rows: [(&[u8], &str); 5] = [
        (b"/var/mail/a.lock", "/var/mail/a.lock"),
        (b"my box.lock", "'my box.lock'"),
        (b"it's.lock", r"'it'\''s.lock'"),
        (b"gr\xc3\xb6\xc3\x9fe.lock", "'gr\u{f6}\u{df}e.lock'"),
        (b"a\n\xff'.lock", r"$'a\012\377\'.lock'"),
    ];
    for (path, word) in rows {
        assert_eq!(
            shell_word(Path::new(std::ffi::OsStr::from_bytes(path))),
            word
        );
    }
}

#[test]
fn a_lock_of_the_boot_before_is_dead_only_where_everything_says_so() {
    let spool = Spool::new();
    let here = System {
        host: "here".to_owned(),
        boot: "b2".to_owned(),
        namespace: "pid:[1]".to_owned(),
        machine: Some("m".to_owned()),
        started: Some(clock::now() - Duration::from_secs(60)),
    };
    // It was made a minute and a half ago, which is no age.
    let before = Duration::from_secs(90);
    let after = Duration::from_secs(30);
    let rows = [
        ("4711\nhere b1 pid:[1]\nm\n", before, true),
        ("4711\nhere b1 pid:[7]\nm\n", before, true),
        // A clone that was started since, or a clock that was put back.
        ("4711\nhere b1 pid:[1]\nm\n", after, false),
        ("4711\nhere b1 pid:[1]\nother\n", before, false),
        ("4711\nhere b1 pid:[1]\n", before, false),
        ("4711\nthere b1 pid:[1]\nm\n", before, false),
        ("4711\nhere  pid:[1]\nm\n", before, false),
        // Another container of this host.
        ("4711\nhere b2 pid:[7]\nm\n", before, false),
        ("4711\n", before, false),
        ("", before, false),
        ("\0\0\0\0\0\0", before, false),
    ];
    for (content, age, is_dead) in rows {
        fs::write(spool.lock(), content).expect("written");
        spool.age(age);
        let read = || {
            LockContent::read(&spool.lock())
                .expect("read")
                .expect("there")
        };
        assert!(read().is_local, "the tests run on a local file system");
        assert_eq!(read().is_stale(&here), is_dead, "{content:?} {age:?}");
        let on_nfs = LockContent {
            is_local: false,
            ..read()
        };
        assert!(!on_nfs.is_stale(&here), "{content:?}");
        for strange in [
            System {
                machine: None,
                ..here.clone()
            },
            System {
                started: None,
                ..here.clone()
            },
            System {
                boot: String::new(),
                ..here.clone()
            },
        ] {
            assert!(!read().is_stale(&strange), "{content:?} {strange:?}");
        }
    }
}

#[test]
fn what_the_killed_have_left_beside_a_lock_is_removed_and_nothing_else() {
    let spool = Spool::new();
    let dead = {
        let mut child = child::command("true").spawn().expect("started");
        child.wait().expect("waited");
        format!("{}\n{}\n", child.id(), System::this().line())
    };
    let alive = format!("{}\n{}\n", std::process::id(), System::this().line());
    let rows = [
        (
            "mbox.lock.0123456789abcdef",
            dead.as_str(),
            Duration::ZERO,
            false,
        ),
        ("mbox.lock.0123456789abcde0", "", STALE * 2, false),
        (
            ".mbox.lock.postrider-0123456789abcdef",
            "",
            STALE * 2,
            false,
        ),
        ("mbox.lock.0123456789abcde1", "", Duration::ZERO, true),
        (
            "mbox.lock.0123456789abcde2",
            alive.as_str(),
            STALE * 2,
            true,
        ),
        ("mbox.lock.0123456789abcde", "", STALE * 2, true),
        ("mbox.lock.0123456789abcdefg", "", STALE * 2, true),
        ("mbox.lock.old", "", STALE * 2, true),
        (
            "other.lock.0123456789abcdef",
            dead.as_str(),
            STALE * 2,
            true,
        ),
    ];
    for (name, content, age, _) in rows {
        let path = spool.0.path().join(name);
        fs::write(&path, content).expect("written");
        let file = File::options().write(true).open(&path).expect("opened");
        file.set_modified(clock::now() - age).expect("times");
    }
    fs::create_dir(spool.0.path().join("mbox.lock.0123456789abcde3")).expect("made");
    assert!(matches!(spool.request(), DotAnswer::Granted(_)));
    for (name, content, _, stays) in rows {
        let path = spool.0.path().join(name);
        assert_eq!(path.exists(), stays, "{name} {content:?}");
    }
    assert!(spool.0.path().join("mbox.lock.0123456789abcde3").exists());
}

#[test]
fn a_live_lock_that_took_the_place_of_the_stale_one_gets_its_name_back() {
    for others in [replace, |path: &Path, stale: &LockContent| {
        move_aside(path, &path.with_extension("lock.0123456789abcdef"), stale)
    }] {
        let spool = Spool::new();
        fs::write(spool.lock(), "1\n").expect("written");
        spool.age(STALE * 2);
        let judged = LockContent::read(&spool.lock())
            .expect("read")
            .expect("there");
        fs::remove_file(spool.lock()).expect("removed");
        assert!(others(&spool.lock(), &judged).expect("free").is_none());
        fs::write(spool.lock(), "2\n").expect("written");
        assert!(others(&spool.lock(), &judged).expect("taken").is_none());
        assert_eq!(fs::read_to_string(spool.lock()).expect("there"), "2\n");
        // The stale one itself, but its holder lives and has touched it.
        spool.age(Duration::ZERO);
        assert!(others(&spool.lock(), &judged).expect("taken").is_none());
        assert_eq!(fs::read_to_string(spool.lock()).expect("there"), "2\n");
        assert_eq!(fs::read_dir(spool.0.path()).expect("listed").count(), 1);
    }
}

#[test]
fn a_live_lock_is_never_lost_to_those_who_replace_stale_ones() {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    let spool = Spool::new();
    let path = spool.lock();
    let holders = AtomicU32::new(0);
    let is_over = AtomicBool::new(false);
    let replaced = AtomicU32::new(0);
    let kernel_lock = std::sync::Mutex::new(());
    let hold = || {
        assert_eq!(
            holders.fetch_add(1, Ordering::SeqCst),
            0,
            "two hold the lock"
        );
        std::thread::yield_now();
        assert_eq!(
            holders.fetch_sub(1, Ordering::SeqCst),
            1,
            "two hold the lock"
        );
    };
    std::thread::scope(|scope| {
        // Other programs: link(2), and unlink by name. Every second time they die with it.
        let other = |number: u32| {
            let own = spool.0.path().join(format!("other-{number}"));
            let mut held = 0;
            while held < 40 {
                fs::write(&own, "99\n").expect("written");
                if fs::hard_link(&own, &path).is_ok() {
                    hold();
                    held += 1;
                    if held % 2 == 0 {
                        fs::remove_file(&path).expect("ours, or one that keeps our place");
                    } else {
                        let file = File::options().write(true).open(&own);
                        let file = file.expect("opened");
                        file.set_modified(clock::now() - STALE * 2).expect("times");
                    }
                }
                fs::remove_file(&own).expect("removed");
            }
        };
        let others = [0, 1].map(|number| scope.spawn(move || other(number)));
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    // The kernel lock keeps our own processes apart. There is time between the
                    // look and what is done.
                    let _kernel_lock = kernel_lock.lock().expect("nobody panicked");
                    let Ok(Some(found)) = LockContent::read(&path) else {
                        continue;
                    };
                    if found.is_stale(&System::this()) {
                        std::thread::sleep(Duration::from_micros(50));
                        if let Some(lock) = replace(&path, &found).expect("an answer") {
                            hold();
                            replaced.fetch_add(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                }
            });
        }
        let ended = others.map(|other| other.join());
        is_over.store(true, Ordering::SeqCst);
        for ended in ended {
            ended.expect("no two held it");
        }
    });
    assert!(replaced.load(Ordering::SeqCst) > 10, "nothing was tried");
}

#[test]
fn where_names_cannot_be_exchanged_no_two_of_ours_hold_the_lock() {
    use std::sync::atomic::{AtomicU32, Ordering};

    let spool = Spool::new();
    let path = spool.lock();
    let holders = AtomicU32::new(0);
    let replaced = AtomicU32::new(0);
    // No kernel lock keeps these apart.
    let one = || {
        let mut held = 0;
        while held < 60 {
            let lock = match make(&path) {
                Ok(lock) => Some(lock),
                Err(_) => match LockContent::read(&path) {
                    Ok(Some(found)) if found.is_stale(&System::this()) => {
                        std::thread::sleep(Duration::from_micros(50));
                        let aside = with_suffix(&path, format!(".{:016x}", random::number()));
                        let lock = move_aside(&path, &aside, &found).expect("an answer");
                        replaced.fetch_add(u32::from(lock.is_some()), Ordering::SeqCst);
                        lock
                    }
                    _ => None,
                },
            };
            let Some(lock) = lock.filter(DotLock::has_name) else {
                std::thread::yield_now();
                continue;
            };
            let before = holders.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(20));
            holders.fetch_sub(1, Ordering::SeqCst);
            assert_eq!(before, 0, "two hold the lock");
            held += 1;
            // Every second time its holder dies.
            if held % 2 == 0
                && let Maker::Us(file) = &lock.made_by
            {
                let dead = format!("{}\n", std::process::id());
                file.set_len(0).expect("cut");
                (&mut &*file).write_all(dead.as_bytes()).expect("written");
                let old = clock::now() - STALE * 2;
                file.set_modified(old).expect("times");
                std::mem::forget(lock);
            }
        }
    };
    std::thread::scope(|scope| {
        let all = [(); 4].map(|()| scope.spawn(one));
        for ended in all.map(|one| one.join()) {
            ended.expect("no two held it");
        }
    });
    assert!(replaced.load(Ordering::SeqCst) > 10, "nothing was tried");
}

#[test]
fn a_lock_that_cannot_get_its_name_back_stays_beside_it_and_its_holder_knows() {
    let spool = Spool::new();
    let DotAnswer::Granted(held) = spool.request() else {
        panic!("free");
    };
    assert!(held.has_name());
    let aside = spool.0.path().join("mbox.lock.0123456789abcdef");
    fs::rename(spool.lock(), &aside).expect("moved");
    give_back(&aside, &spool.lock());
    assert!(held.has_name() && !aside.exists());
    fs::rename(spool.lock(), &aside).expect("moved");
    fs::write(spool.lock(), "2\n").expect("written");
    give_back(&aside, &spool.lock());
    assert!(!held.has_name() && aside.exists());
    drop(held);
    assert_eq!(fs::read_to_string(spool.lock()).expect("there"), "2\n");
}

#[test]
fn a_stale_guard_keeps_nobody_away() {
    let spool = Spool::new();
    fs::write(spool.lock(), "1\n").expect("written");
    spool.age(STALE * 2);
    let judged = LockContent::read(&spool.lock())
        .expect("read")
        .expect("there");
    let guard = with_suffix(&spool.lock(), GUARD);
    fs::write(&guard, "1\n").expect("written");
    let aside = with_suffix(&spool.lock(), ".0123456789abcdef");
    let attempt = || move_aside(&spool.lock(), &aside, &judged).expect("an answer");
    assert!(attempt().is_none(), "another is at it");
    let file = File::options().write(true).open(&guard).expect("opened");
    file.set_modified(clock::now() - STALE * 2).expect("times");
    assert!(attempt().is_none() && !guard.exists());
    assert!(attempt().is_some_and(|lock| lock.has_name()));
}

#[test]
fn a_lock_that_somebody_replaced_stays() {
    let spool = Spool::new();
    let DotAnswer::Granted(held) = spool.request() else {
        panic!("free");
    };
    fs::remove_file(spool.lock()).expect("removed");
    fs::write(spool.lock(), "1\n").expect("written");
    drop(held);
    assert!(spool.lock().exists());
}

#[test]
fn a_lock_is_touched_when_a_minute_has_passed() {
    let spool = Spool::new();
    let DotAnswer::Granted(mut held) = spool.request() else {
        panic!("free");
    };
    let modified = || {
        fs::metadata(spool.lock())
            .expect("there")
            .modified()
            .expect("time")
    };
    spool.age(STALE);
    let before = modified();
    held.refresh();
    assert_eq!(modified(), before);
    held.touched -= REFRESH;
    held.refresh();
    assert!(modified() > before);
}

#[test]
fn where_there_is_no_right_the_helper_is_asked() {
    let spool = Spool::new();
    for (status, expected) in [
        ("exit 0", "granted"),
        ("exit 4", "busy"),
        ("exit 5", "none"),
    ] {
        let helper = spool.0.path().join("helper");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {0}/log\n{status}\n",
            crate::sanitize::path(&spool.0.path())
        );
        // Not renamed into place: a process forked meanwhile may hold it open for writing.
        let mut answer = DotAnswer::Unsupported;
        for _ in 0..100 {
            fs::write(&helper, &script).expect("written");
            fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .expect("mode");
            answer = ask_helper(&spool.lock(), Some(&helper));
            if !matches!(answer, DotAnswer::Unsupported) || expected == "none" {
                break;
            }
        }
        let found = match answer {
            DotAnswer::Granted(_) => "granted",
            DotAnswer::Busy(_) => "busy",
            DotAnswer::Unsupported => "none",
        };
        assert_eq!(found, expected);
    }
    let log = fs::read_to_string(spool.0.path().join("log")).expect("log");
    let lock = spool.lock();
    assert!(log.contains(&format!("-l -p -q -r 0 {}\n", crate::sanitize::path(&lock))));
    assert!(
        log.contains(&format!("-u {}\n", crate::sanitize::path(&lock))),
        "{log}"
    );
    let missing = Path::new("/nonexistent/dotlockfile");
    assert!(matches!(
        ask_helper(&lock, Some(missing)),
        DotAnswer::Unsupported
    ));
    assert!(matches!(ask_helper(&lock, None), DotAnswer::Unsupported));
}
