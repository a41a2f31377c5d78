//! Core dumps: none of ours, because they would hold mail and passwords.
//!
//! The limit is 0 from the start, so that it holds wherever SIGQUIT or a fault strikes. Children get
//! the limit that we were started with: what they dump is not our business.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

use super::platform;

/// The limits before ours, where they were others.
static BEFORE: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();

/// Lets no core be dumped from now on.
pub(crate) fn forbid() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_CORE)
        && soft > 0
    {
        let _ = BEFORE.set((soft, hard));
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    }
}

/// Lets no core be dumped at all: a program that the kernel pipes cores to knows no limit.
pub(crate) fn forbid_all() {
    forbid();
    platform::forbid_dumps();
}

/// Starts a child with the limit that we were started with.
pub(super) fn of_before<T>(start: impl FnOnce() -> T) -> T {
    let Some(&(soft, hard)) = BEFORE.get() else {
        return start();
    };
    let _ = setrlimit(Resource::RLIMIT_CORE, soft, hard);
    let started = start();
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    started
}
