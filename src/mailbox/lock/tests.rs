use super::*;

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::thread;

struct Fixture {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Fixture {
    fn new() -> Fixture {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("mbox");
        fs::write(&path, "").expect("written");
        Fixture { directory, path }
    }

    fn open(&self) -> File {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path)
            .expect("opened")
    }

    fn lock(&self, patience: Duration) -> Result<MailboxLock, LockError> {
        let options = LockOptions {
            patience,
            ..LockOptions::default()
        };
        MailboxLock::acquire(&self.path, self.open(), &options)
    }

    fn dot_lock(&self) -> PathBuf {
        self.directory.path().join("mbox.lock")
    }
}

#[test]
fn all_three_locks_are_taken_and_given_back() {
    let fixture = Fixture::new();
    let other = fixture.open();
    let lock = fixture.lock(Duration::ZERO).expect("free");
    assert!(lock.has_dot_lock());
    assert!(fixture.dot_lock().exists());
    assert_eq!(kernel::lock_fcntl(&other), KernelAnswer::Busy);
    assert_eq!(kernel::lock_flock(&other), KernelAnswer::Busy);
    drop(lock);
    assert!(!fixture.dot_lock().exists());
    assert_eq!(kernel::lock_fcntl(&other), KernelAnswer::Granted);
    assert_eq!(kernel::lock_flock(&other), KernelAnswer::Granted);
}

#[test]
fn any_lock_of_another_keeps_us_out_and_leaves_none_of_ours() {
    let fixture = Fixture::new();
    let other = fixture.open();
    for held in ["fcntl", "dot", "flock"] {
        match held {
            "fcntl" => assert_eq!(kernel::lock_fcntl(&other), KernelAnswer::Granted),
            "dot" => {
                fs::write(fixture.dot_lock(), format!("{}\n", std::process::id())).expect("written")
            }
            _ => assert_eq!(kernel::lock_flock(&other), KernelAnswer::Granted),
        }
        let error = fixture.lock(Duration::ZERO).expect_err(held);
        assert!(error.is_temporary(), "{held}");
        let LockError::Busy { holder, .. } = &error else {
            panic!("{error}");
        };
        // An OFD lock has no pid.
        let pid = (held != "fcntl").then(std::process::id);
        assert_eq!(holder.pid, pid, "{held}");
        let text = error.to_string();
        let expected = pid.map_or("another program".to_owned(), |pid| {
            format!("process {pid} (")
        });
        assert!(text.contains(&expected), "{held}: {text}");

        let third = fixture.open();
        if held != "fcntl" {
            assert_eq!(kernel::lock_fcntl(&third), KernelAnswer::Granted, "{held}");
        }
        if held != "flock" {
            assert_eq!(kernel::lock_flock(&third), KernelAnswer::Granted, "{held}");
        }
        assert_eq!(fixture.dot_lock().exists(), held == "dot");
        kernel::release(&other);
        let _ = fs::remove_file(fixture.dot_lock());
    }
}

#[test]
fn waiting_ends_when_the_holder_goes_or_the_caller_says_so() {
    let fixture = Fixture::new();
    let first = fixture.lock(Duration::ZERO).expect("free");
    let told = RefCell::new(Vec::new());
    let waiting = |holder: &Holder| {
        told.borrow_mut().push(holder.clone());
        false
    };
    let options = LockOptions {
        patience: Duration::from_secs(3600),
        waiting: Some(&waiting),
        ..LockOptions::default()
    };
    let error = MailboxLock::acquire(&fixture.path, fixture.open(), &options);
    assert!(matches!(error, Err(LockError::Busy { .. })));
    assert_eq!(told.borrow().len(), 1);
    thread::scope(|scope| {
        let second = scope.spawn(|| fixture.lock(Duration::from_secs(60)).map(drop));
        drop(first);
        second.join().expect("no panic").expect("free at last");
    });
}

#[test]
fn a_replaced_mailbox_is_noticed() {
    let fixture = Fixture::new();
    let file = fixture.open();
    fs::rename(&fixture.path, fixture.directory.path().join("old")).expect("renamed");
    let lock = |file: File| MailboxLock::acquire(&fixture.path, file, &LockOptions::default());
    let old = file.try_clone().expect("cloned");
    assert!(matches!(lock(old), Err(LockError::Replaced { .. })));
    fs::write(&fixture.path, "").expect("written");
    assert!(matches!(lock(file), Err(LockError::Replaced { .. })));
    assert!(!fixture.dot_lock().exists());
    assert!(lock(fixture.open()).is_ok());
}
