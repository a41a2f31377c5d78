//! Random numbers from the kernel, which cannot be guessed.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Returns a number that was not given before and cannot be guessed.
///
/// The keys of [`RandomState`] come from the kernel's random source; hashing a fresh pair of
/// keys gives 64 bits of it without a dependency.
pub(crate) fn number() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u128(super::clock::since_epoch().as_nanos());
    hasher.finish()
}
