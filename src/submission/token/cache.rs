//! The cache of tokens: a file for each in a directory of its user alone, until shortly before the
//! token's end.
//!
//! The directory is `postrider/tokens` in the state directory. Where that is not the user's own (a
//! `HOME` that somebody else handed on, an account without a home) it is `tokens` in the user's
//! place in `/var/tmp`. A file is named by what its token is for, is written beside its name and
//! renamed, and never synced: a token that is lost is asked for again.
//!
//! Anything else under the name (another user's file, one that others may read, half a file, a link)
//! is no token, and is replaced.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, unlinkat};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::config::Environment;
use crate::sys::disk::make_directories;
use crate::sys::open::names::{self, Access};
use crate::sys::private::Private;
use crate::sys::{clock, user};
use crate::transport::smtp::Secret;

/// The directory of the tokens.
const DIRECTORY: &str = "tokens";

/// How large a file may be, in bytes.
const LARGEST: u64 = 128 * 1024;

/// How much of its lifetime a token is not used any more, at most: a message takes its time.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The place of one token.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    /// `postrider` in the state directory.
    state: Option<PathBuf>,
    name: String,
}

impl Cache {
    /// Returns the place of the token that all these together say what it is for.
    pub(super) fn of(environment: &Environment, purpose: &[&str]) -> Cache {
        // Each part with its length, so that no two lists are the same text.
        let mut text = String::new();
        for part in purpose {
            text.push_str(&format!("{}:{part}", part.len()));
        }
        let hash = digest(&SHA256, text.as_bytes());
        let name = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}"));
        Cache {
            state: environment
                .state_directory()
                .map(|state| state.join("postrider")),
            name: name.collect(),
        }
    }

    /// Returns the token, if there is one that is still good.
    pub(super) fn get(&self) -> Option<Secret> {
        let file = names::open_in(self.open()?.directory(), self.name.as_str(), Access::Read);
        self.read(file.ok()?)
    }

    fn read(&self, mut file: File) -> Option<Secret> {
        let found = file.metadata().ok()?;
        let is_ours = found.is_file()
            && found.uid() == user::effective_uid()
            && found.mode() & 0o077 == 0
            && found.nlink() == 1
            && found.len() <= LARGEST;
        if !is_ours {
            return None;
        }
        let mut bytes = Zeroizing::new(Vec::new());
        (&mut file).take(LARGEST).read_to_end(&mut bytes).ok()?;
        let kept: Value = serde_json::from_slice(&bytes).ok()?;
        let number = |name: &str| kept.get(name).and_then(Value::as_u64);
        let now = clock::since_epoch().as_secs();
        // A clock that was put back makes a token of the future; nothing is known of its age.
        let is_good = number("version") == Some(1)
            && kept.get("for").and_then(Value::as_str) == Some(&self.name)
            && number("from")? <= now
            && now < number("until")?;
        let token = kept.get("token").and_then(Value::as_str)?;
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        (is_good && is_token).then(|| Secret::new(token))
    }

    /// Keeps a token that is good for so long.
    ///
    /// # Errors
    /// When there is no place for it: the next mail asks for another one, then.
    pub(super) fn put(&self, token: &Secret, lifetime: Duration) -> io::Result<()> {
        let now = clock::since_epoch().as_secs();
        let margin = MARGIN.min(lifetime / 10);
        let kept = json!({
            "version": 1,
            "for": self.name,
            "from": now,
            "until": now + (lifetime - margin).as_secs(),
            "token": token.reveal(),
        });
        let text = Zeroizing::new(kept.to_string());
        let place = self.make()?;
        let directory = place.directory();
        let new = format!("{}.new", self.name);
        // What a program has left that was killed here.
        let _ = unlinkat(directory, new.as_str(), UnlinkatFlags::NoRemoveDir);
        let mut file = names::make_in(directory, new.as_str())?;
        let written = file.write_all(text.as_bytes());
        let done = written.and_then(|()| {
            Ok(renameat(
                directory,
                new.as_str(),
                directory,
                self.name.as_str(),
            )?)
        });
        if done.is_err() {
            let _ = unlinkat(directory, new.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        done
    }

    fn open(&self) -> Option<Private> {
        let own = self
            .own_state()
            .and_then(|state| Private::open_below(state, DIRECTORY).ok());
        own.or_else(|| {
            let places = Private::all_of(user::effective_uid());
            places.iter().find_map(|place| place.open(DIRECTORY).ok())
        })
    }

    fn make(&self) -> io::Result<Private> {
        if let Some(state) = self.own_state() {
            let made =
                make_directories(state, 0o700).and_then(|()| Private::make_below(state, DIRECTORY));
            if made.is_ok() {
                return made;
            }
        }
        Private::make()?.make_directory(DIRECTORY)
    }

    /// Returns the state directory, if what there is of it belongs to us: root with the `HOME` of a
    /// user must leave nothing there.
    fn own_state(&self) -> Option<&Path> {
        let state = self.state.as_deref()?;
        let mut above = state;
        loop {
            match fs::metadata(above) {
                Ok(found) => {
                    let is_ours = found.is_dir() && found.uid() == user::effective_uid();
                    return is_ours.then_some(state);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return None,
            }
            above = above.parent()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn cache(directory: &Path) -> Cache {
        Cache {
            state: Some(directory.join("state/postrider")),
            name: "0123".to_owned(),
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_token_is_kept_for_its_user_alone_and_until_before_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path());
        let token = Secret::new("abc");
        assert_eq!(cache.get(), None);
        cache.put(&token, HOUR).unwrap();
        assert_eq!(cache.get(), Some(token.clone()));
        let place = directory.path().join("state/postrider/tokens");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&place), mode(&place.join("0123"))), (0o700, 0o600));
        let kept: Value = serde_json::from_slice(&fs::read(place.join("0123")).unwrap()).unwrap();
        let seconds = kept["until"].as_u64().unwrap() - kept["from"].as_u64().unwrap();
        assert_eq!(seconds, 3300);
        // A short one keeps nine tenths; one of a second is over at once.
        cache.put(&token, Duration::from_secs(1)).unwrap();
        assert_eq!(cache.get(), None);
        cache.put(&Secret::new("new"), HOUR).unwrap();
        assert_eq!(cache.get(), Some(Secret::new("new")));
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_kept_token_is_ignored_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path());
        let token = Secret::new("abc");
        cache.put(&token, HOUR).unwrap();
        let file = directory.path().join("state/postrider/tokens/0123");
        let good = fs::read_to_string(&file).unwrap();
        let other = directory.path().join("other");
        let changed = |name: &str, value: Value| {
            let mut kept: Value = serde_json::from_str(&good).unwrap();
            kept[name] = value;
            kept.to_string()
        };
        let future = json!(clock::since_epoch().as_secs() + 1000);
        let spoiled: Vec<Box<dyn Fn()>> = vec![
            Box::new(|| fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap()),
            Box::new(|| fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap()),
            Box::new(|| fs::hard_link(&file, &other).unwrap()),
            Box::new(|| fs::write(&file, "").unwrap()),
            Box::new(|| fs::write(&file, &good[..good.len() / 2]).unwrap()),
            Box::new(|| fs::write(&file, vec![b'{'; 200_000]).unwrap()),
            Box::new(|| fs::write(&file, changed("version", json!(2))).unwrap()),
            Box::new(|| fs::write(&file, changed("for", json!("4567"))).unwrap()),
            Box::new(|| fs::write(&file, changed("until", json!(-1))).unwrap()),
            Box::new(|| fs::write(&file, changed("until", json!(1))).unwrap()),
            Box::new(|| fs::write(&file, changed("from", future.clone())).unwrap()),
            Box::new(|| fs::write(&file, changed("token", json!("a\u{1}b"))).unwrap()),
            Box::new(|| fs::write(&file, changed("token", json!(null))).unwrap()),
            Box::new(|| {
                fs::rename(&file, &other).unwrap();
                symlink(&other, &file).unwrap();
            }),
            Box::new(|| {
                fs::remove_file(&file).unwrap();
                nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
            }),
        ];
        for (number, spoil) in spoiled.iter().enumerate() {
            spoil();
            assert_eq!(cache.get(), None, "{number}");
            cache.put(&token, HOUR).unwrap();
            assert_eq!(cache.get(), Some(token.clone()), "{number}");
            let _ = fs::remove_file(&other);
        }
    }

    #[test]
    fn a_directory_that_others_may_use_holds_no_token() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path());
        cache.put(&Secret::new("abc"), HOUR).unwrap();
        let place = directory.path().join("state/postrider/tokens");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Private::open_below(place.parent().unwrap(), DIRECTORY).is_err());
    }

    #[test]
    fn each_purpose_has_its_own_place() {
        let environment = Environment::default();
        let name = |purpose: &[&str]| Cache::of(&environment, purpose).name;
        assert_eq!(name(&["a", "b"]), name(&["a", "b"]));
        let all = [
            name(&["a", "b"]),
            name(&["ab", ""]),
            name(&["", "ab"]),
            name(&["a", "b", ""]),
            name(&["1:a"]),
        ];
        let unique: std::collections::HashSet<&String> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
    }
}
