//! What only one kind of system has: the one place that asks which system this is.
//!
//! `linux.rs` has what Linux offers; `other.rs` has what a system without it does instead, with the
//! same names and the same promises, or an answer that its callers know from old kernels and odd
//! file systems. Everything else of the program is POSIX. `contrib/PORTING.md` lists what a port
//! loses by each of them, and what was never tried.

#[cfg(target_os = "linux")]
mod linux;
// Its tests show on Linux that the answers are such that the callers go on.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code, unreachable_pub))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::*;

/// A lock of a whole file by fcntl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeLock {
    /// Others may read, too.
    Shared,
    /// Nobody else has one.
    Exclusive,
    /// There is none any more.
    Released,
}
