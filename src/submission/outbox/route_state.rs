//! What is known of a route to a relay: whether it is in trouble, since when, and when it is tried
//! again.
//!
//! A route without a state file works. The first failure writes the file, and the first message
//! that the relay takes removes it. So a mail that goes well costs one look for a file that is not
//! there. The files are `routes/KEY` in the outbox; each is a few lines of JSON and is replaced
//! whole. Nothing depends on them: without one a route is tried, and its trouble is found again.
//!
//! Processes do not lock these files. The last one to write wins, and all of them have seen the
//! same relay.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::renameat;
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use serde_json::{Value, json};
use twox_hash::XxHash3_128;

use super::schedule;
use crate::submission::relay_url::RelayUrl;
use crate::sys::open::names::{self, Access};
use crate::sys::{clock, random};

/// The directory of the state files in an outbox.
const DIRECTORY: &str = "routes";

/// The version of the format.
const VERSION: u64 = 1;

/// A state file is not longer.
const MAX_SIZE: u64 = 16 * 1024;

/// How much of a relay's reply is remembered, in bytes.
const MAX_REPLY: usize = 1000;

/// How long a mail does not try a route whose trouble somebody else has just seen.
const FRESH: Duration = Duration::from_secs(60);

/// The least time between two tries of a route while a young entry waits. A flush runs each minute;
/// this only slows down one that is called again and again.
const PROBE_PAUSE: Duration = Duration::from_secs(5);

/// After so many messages in a row that a relay did not take, each for its own reason as it said,
/// it is the relay that takes none.
const DEFERRED_IN_A_ROW: u32 = 3;

/// A file of a route that nobody has used for so long is removed.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is wrong with a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The relay cannot be reached, is silent, or takes no mail now.
    Unreachable,
    /// It asks for fewer connections or fewer messages.
    Throttled,
    /// The login, the password, the token or the certificate is refused, or the settings are wrong.
    Login,
    /// It answers, but has deferred the last messages one by one.
    Deferred,
}

impl Trouble {
    const ALL: [(Trouble, &'static str); 4] = [
        (Trouble::Unreachable, "unreachable"),
        (Trouble::Throttled, "throttled"),
        (Trouble::Login, "login"),
        (Trouble::Deferred, "deferred"),
    ];

    /// Returns its name in files and JSON.
    pub(crate) fn name(self) -> &'static str {
        let found = Trouble::ALL.iter().find(|(trouble, _)| *trouble == self);
        found.map_or("", |(_, name)| name)
    }

    fn of_name(name: &str) -> Option<Trouble> {
        let found = Trouble::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(trouble, _)| *trouble)
    }
}

/// What one try of a route has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// What is wrong.
    pub(crate) trouble: Trouble,
    /// The relay's words, or ours.
    pub(crate) reply: String,
    /// When the try began.
    pub(crate) began: SystemTime,
    /// When it ended.
    pub(crate) ended: SystemTime,
}

/// A route in trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteState {
    /// The route, as it is shown.
    pub(crate) route: String,
    /// What is wrong.
    pub(crate) trouble: Trouble,
    /// Since when it takes no mail.
    pub(crate) since: SystemTime,
    /// When the last try began.
    pub(crate) tried: SystemTime,
    /// When the last try ended.
    pub(crate) ended: SystemTime,
    /// When it is tried next.
    pub(crate) next: SystemTime,
    /// How often a try that was due has shown this trouble.
    pub(crate) times: u32,
    /// The last reply, or our own reason.
    pub(crate) reply: String,
}

impl RouteState {
    /// Returns the state after a try that has shown trouble.
    pub(crate) fn after(
        before: Option<&RouteState>,
        route: &str,
        sighting: Sighting,
        random: u64,
    ) -> RouteState {
        let Sighting {
            trouble,
            mut reply,
            began,
            ended,
        } = sighting;
        reply.truncate(reply.floor_char_boundary(MAX_REPLY));
        // A start in the future was written before the clock went back.
        let since = before.map_or(began, |before| before.since.min(ended));
        let same = before.filter(|before| before.trouble == trouble);
        let times = match same {
            None => 1,
            // Tries before the time that was set for one, by lines of a cron job, say nothing new.
            Some(before)
                if trouble == Trouble::Deferred || schedule::is_due(before.next, began) =>
            {
                before.times.saturating_add(1)
            }
            Some(before) => before.times,
        };
        let wait = match trouble {
            Trouble::Unreachable | Trouble::Deferred => {
                schedule::back_off(times, schedule::age(since, ended))
            }
            Trouble::Throttled => schedule::throttled(times),
            Trouble::Login => schedule::refused_login(times),
        };
        let kept = same.filter(|before| before.times == times);
        RouteState {
            route: route.to_owned(),
            trouble,
            since,
            tried: began,
            ended,
            next: match kept {
                // The time that was set stays, or lines that come all the time would put it off
                // for ever.
                Some(before) => before.next,
                None => ended + schedule::jittered(wait, random),
            },
            times,
            reply,
        }
    }

    /// Returns whether the route takes no mail.
    pub(crate) fn is_down(&self) -> bool {
        self.trouble != Trouble::Deferred || self.times >= DEFERRED_IN_A_ROW
    }

    /// Returns whether a mail that is sent now goes straight to the outbox: somebody has tried the
    /// route less than a minute ago. A configuration that was changed since then is tried.
    pub(crate) fn holds_back(&self, now: SystemTime, changed: Option<SystemTime>) -> bool {
        let last = self.tried.max(self.ended);
        let is_fresh = now.duration_since(last).is_ok_and(|passed| passed < FRESH);
        self.is_down() && is_fresh && !self.is_changed_since(changed)
    }

    /// Returns whether a flush tries the route now. `young` says that an entry waits which somebody
    /// may still look for.
    pub(crate) fn may_try(
        &self,
        now: SystemTime,
        young: bool,
        changed: Option<SystemTime>,
    ) -> bool {
        if !self.is_down() || schedule::is_due(self.next, now) || self.is_changed_since(changed) {
            return true;
        }
        // Who asks for less is not asked each minute, and more wrong passwords lock an account.
        let is_patient = matches!(self.trouble, Trouble::Unreachable | Trouble::Deferred);
        // Since the last try that came to its end: one that was killed has shown nothing.
        let passed = now.duration_since(self.ended);
        young && is_patient && passed.map_or(true, |passed| passed >= PROBE_PAUSE)
    }

    /// Says what is wrong, and when the route is tried next.
    pub(crate) fn told(&self) -> String {
        let what = match self.trouble {
            Trouble::Unreachable => "takes no mail",
            Trouble::Throttled => "asks for less mail",
            Trouble::Login => "does not let us in",
            Trouble::Deferred => "has put off the last messages",
        };
        let since = clock::local(self.since).format("%Y-%m-%d %H:%M");
        let next = clock::local(self.next).format("%H:%M");
        format!(
            "the relay {what} since {since}; next try at {next}: {}",
            self.reply
        )
    }

    fn is_changed_since(&self, changed: Option<SystemTime>) -> bool {
        changed.is_some_and(|changed| changed > self.tried)
    }

    fn to_json(&self) -> String {
        let value = json!({
            "version": VERSION,
            "route": self.route,
            "trouble": self.trouble.name(),
            "since": milliseconds(self.since),
            "tried": milliseconds(self.tried),
            "ended": milliseconds(self.ended),
            "next": milliseconds(self.next),
            "times": self.times,
            "reply": self.reply,
        });
        format!("{value}\n")
    }

    fn of_json(bytes: &[u8]) -> Option<RouteState> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        if value.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let time = |name: &str| {
            let since_epoch = Duration::from_millis(value.get(name)?.as_u64()?);
            UNIX_EPOCH.checked_add(since_epoch)
        };
        Some(RouteState {
            route: value.get("route")?.as_str()?.to_owned(),
            trouble: Trouble::of_name(value.get("trouble")?.as_str()?)?,
            since: time("since")?,
            tried: time("tried")?,
            ended: time("ended")?,
            next: time("next")?,
            times: u32::try_from(value.get("times")?.as_u64()?).ok()?,
            reply: value.get("reply")?.as_str()?.to_owned(),
        })
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// The name of a route's state file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RouteKey(String);

impl RouteKey {
    /// Returns the name for a relay and a login: what another login meets says nothing of this one.
    pub(crate) fn of(url: &RelayUrl, login: Option<&str>) -> RouteKey {
        let login = url.user.as_deref().or(login).unwrap_or_default();
        let text = format!("{url}\0{login}");
        RouteKey(format!("{:032x}", XxHash3_128::oneshot(text.as_bytes())))
    }

    fn is_name(name: &str) -> bool {
        name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// The state files of an outbox.
#[derive(Debug)]
pub(crate) struct RouteStates<'a> {
    /// The directory of the outbox.
    outbox: &'a File,
}

impl<'a> RouteStates<'a> {
    /// Returns the state files in the directory of an outbox.
    pub(crate) fn of(outbox: &'a File) -> RouteStates<'a> {
        RouteStates { outbox }
    }

    /// Returns the state of a route that is in trouble.
    ///
    /// A file that cannot be read, or is none of ours, counts as none: the route is tried.
    pub(crate) fn read(&self, key: &RouteKey) -> Option<RouteState> {
        let name = format!("{DIRECTORY}/{}", key.0);
        let file = names::open_in(self.outbox, name.as_str(), Access::Read).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut bytes).ok()?;
        RouteState::of_json(&bytes)
    }

    /// Returns all routes in trouble, by name.
    pub(crate) fn all(&self) -> Vec<RouteState> {
        let names = self.names();
        let mut states: Vec<RouteState> = names
            .into_iter()
            .filter(|name| RouteKey::is_name(name))
            .filter_map(|name| self.read(&RouteKey(name)))
            .filter(RouteState::is_down)
            .collect();
        states.sort_by(|one, other| one.route.cmp(&other.route));
        states
    }

    /// Writes the state of a route.
    ///
    /// # Errors
    /// When the file cannot be made. The caller goes on: without the file the next mail finds the
    /// trouble again.
    pub(crate) fn write(&self, key: &RouteKey, state: &RouteState) -> io::Result<()> {
        match mkdirat(self.outbox, DIRECTORY, Mode::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let directory = names::directory_in(self.outbox, DIRECTORY)?;
        let temporary = format!("{}.{:016x}", key.0, random::number());
        let mut file = names::make_in(&directory, temporary.as_str())?;
        let written = file.write_all(state.to_json().as_bytes()).and_then(|()| {
            let moved = renameat(&directory, temporary.as_str(), &directory, key.0.as_str());
            Ok(moved?)
        });
        if written.is_err() {
            // What is left is swept by a later flush.
            let _ = remove(&directory, &temporary);
        }
        written
    }

    /// Removes the state of a route: it takes mail.
    pub(crate) fn clear(&self, key: &RouteKey) {
        // Whoever finds the file that could not be removed tries the route and learns the truth.
        let _ = remove(self.outbox, &format!("{DIRECTORY}/{}", key.0));
    }

    /// Removes files of routes that nobody uses any more, and what killed processes have left.
    pub(crate) fn sweep(&self, now: SystemTime) {
        let Ok(directory) = names::directory_in(self.outbox, DIRECTORY) else {
            return;
        };
        for name in self.names() {
            let found = names::look_in(&directory, name.as_str());
            let changed = found.map(|found| {
                let seconds = u64::try_from(found.mtime()).unwrap_or(0);
                UNIX_EPOCH + Duration::from_secs(seconds)
            });
            if changed.is_ok_and(|changed| schedule::age(changed, now) > FORGOTTEN) {
                let _ = remove(&directory, &name);
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let opened = names::directory_in(self.outbox, DIRECTORY);
        let Ok(Ok(names)) = opened.map(names::names_in) else {
            return Vec::new();
        };
        let names = names.filter_map(|name| String::from_utf8(name.ok()?.0).ok());
        names.filter(|name| !name.starts_with('.')).collect()
    }
}

fn remove(directory: impl AsFd, name: &str) -> nix::Result<()> {
    unlinkat(directory, name, UnlinkatFlags::NoRemoveDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_secs(1_800_000_000);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + NOON + Duration::from_secs(seconds)
    }

    fn seen(trouble: Trouble, began: u64, ended: u64) -> Sighting {
        Sighting {
            trouble,
            reply: "451 later".to_owned(),
            began: at(began),
            ended: at(ended),
        }
    }

    /// Returns the state after tries of these seconds, without chance.
    fn after(trouble: Trouble, tries: &[u64]) -> RouteState {
        let mut state: Option<RouteState> = None;
        for &second in tries {
            let sighting = seen(trouble, second, second);
            state = Some(RouteState::after(
                state.as_ref(),
                "smtp://r:25",
                sighting,
                200,
            ));
        }
        state.unwrap()
    }

    #[test]
    fn a_try_before_its_time_changes_no_schedule() {
        // Lines of a cron job, each 61 seconds after the other, against waits of 1, 2, 4, 8 minutes.
        let tries: Vec<u64> = (0..20).map(|n| n * 61).collect();
        let mut last = after(Trouble::Unreachable, &tries[..1]);
        let mut waits = vec![last.next];
        for n in 2..=tries.len() {
            let state = after(Trouble::Unreachable, &tries[..n]);
            assert_eq!(state.since, at(0));
            assert_eq!(state.tried, at(tries[n - 1]));
            if state.next != last.next {
                waits.push(state.next);
            }
            last = state;
        }
        // Set at 0, 61, 183, 427 and 915 seconds: the first try at or behind the time before.
        let expected = [60, 61 + 120, 183 + 240, 427 + 480, 915 + 900];
        assert_eq!(waits, expected.map(at));
    }

    #[test]
    fn a_line_does_not_try_what_was_tried_less_than_a_minute_ago() {
        let silent = RouteState::after(None, "smtp://r:25", seen(Trouble::Unreachable, 0, 30), 200);
        let deferred = |times| after(Trouble::Deferred, &vec![0; times]);
        let login = after(Trouble::Login, &[0]);
        let rows = [
            (&silent, 31, None, true),
            (&silent, 59, None, true),
            // Counted from the end: a line that waited half a minute for silence has just told it.
            (&silent, 89, None, true),
            (&silent, 90, None, false),
            (&silent, 40, Some(31), false),
            (&silent, 40, Some(0), true),
            (&login, 59, None, true),
            (&login, 60, None, false),
            (&login, 20, Some(10), false),
            (&deferred(1), 1, None, false),
            (&deferred(2), 1, None, false),
            (&deferred(3), 1, None, true),
        ];
        for (state, now, changed, held) in rows {
            let changed = changed.map(at);
            assert_eq!(state.holds_back(at(now), changed), held, "{now} {state:?}");
        }
        // The clock went back by a day.
        assert!(!silent.holds_back(at(0) - Duration::from_secs(86_400), None));
    }

    #[test]
    fn a_flush_tries_each_minute_while_an_entry_is_young() {
        let down = after(Trouble::Unreachable, &[0, 60, 180, 420, 900]);
        assert_eq!(down.next, at(900 + 900));
        let throttled = after(Trouble::Throttled, &[0, 60]);
        assert_eq!(throttled.next, at(360));
        let login = after(Trouble::Login, &[0]);
        let rows = [
            (&down, 901, false, false),
            (&down, 904, true, false),
            (&down, 905, true, true),
            (&down, 1799, false, false),
            (&down, 1800, false, true),
            (&throttled, 200, true, false),
            (&throttled, 360, false, true),
            (&login, 899, true, false),
            (&login, 900, false, true),
            (&after(Trouble::Deferred, &[0, 0]), 0, false, true),
        ];
        for (state, now, young, tried) in rows {
            assert_eq!(
                state.may_try(at(now), young, None),
                tried,
                "{now} {state:?}"
            );
        }
        assert!(login.may_try(at(10), false, Some(at(5))));
        // Clocks that went back, by a minute and by years.
        assert!(down.may_try(at(0), true, None));
        assert!(down.may_try(UNIX_EPOCH, false, None));
    }

    #[test]
    fn another_trouble_begins_anew_and_the_outage_does_not() {
        let down = after(Trouble::Unreachable, &[0, 60, 180]);
        let sighting = seen(Trouble::Login, 1000, 1001);
        let login = RouteState::after(Some(&down), "smtp://r:25", sighting, 200);
        assert_eq!((login.times, login.since), (1, at(0)));
        assert_eq!(login.next, at(1001 + 900));
        // Six hours into an outage the waits are an hour.
        let sighting = seen(Trouble::Unreachable, 6 * 3600, 6 * 3600);
        let long = RouteState::after(Some(&login), "smtp://r:25", sighting, 200);
        assert_eq!(long.next, at(7 * 3600));
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = File::open(directory.path()).unwrap();
        let states = RouteStates::of(&outbox);
        let url = RelayUrl::parse("submission://me@relay.example").unwrap();
        let key = RouteKey::of(&url, None);
        // The login of the URL counts first, as for the session; another login has its own state.
        assert_eq!(key, RouteKey::of(&url, Some("you")));
        let bare = RelayUrl::parse("submission://relay.example").unwrap();
        assert_eq!(key, RouteKey::of(&bare, Some("me")));
        assert_ne!(key, RouteKey::of(&bare, Some("you")));
        assert_eq!(states.read(&key), None);
        let mut state = after(Trouble::Throttled, &[0]);
        state.reply = "421 «zu viele»\u{1b}[2J".to_owned();
        states.write(&key, &state).unwrap();
        assert_eq!(states.read(&key), Some(state.clone()));
        assert_eq!(states.all(), [state.clone()]);
        states.sweep(crate::sys::clock::now());
        assert_eq!(states.all().len(), 1);
        states.clear(&key);
        assert_eq!(states.read(&key), None);
        states.clear(&key);
        assert!(states.all().is_empty());
    }

    #[test]
    fn a_file_that_is_none_of_ours_counts_as_no_state() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = File::open(directory.path()).unwrap();
        let states = RouteStates::of(&outbox);
        let url = RelayUrl::parse("relay.example").unwrap();
        let key = RouteKey::of(&url, None);
        states.write(&key, &after(Trouble::Login, &[0])).unwrap();
        let path = directory.path().join(DIRECTORY).join(&key.0);
        let whole = std::fs::read(&path).unwrap();
        let of_future = String::from_utf8(whole.clone())
            .unwrap()
            .replace("\"version\":1", "\"version\":2");
        for bytes in [
            &b""[..],
            b"{}",
            b"\xff",
            &whole[..whole.len() / 2],
            of_future.as_bytes(),
            &vec![b'['; 100_000],
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(states.read(&key), None);
        }
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        assert_eq!(states.read(&key), None);
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(states.read(&key), None);
        // It can be replaced all the same.
        states.write(&key, &after(Trouble::Login, &[0])).unwrap();
        assert!(states.read(&key).is_some());
    }
}
