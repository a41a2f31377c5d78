//! Runs mail-parser so that a panic in it does not end the program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs a parser of foreign bytes; a panic in it is `None` and prints nothing.
pub(super) fn quietly<T>(parse: impl FnOnce() -> T) -> Option<T> {
    // The hook is the process's and set once; the flag is the thread's, so that a panic elsewhere is
    // printed as ever.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    // Restored and not cleared: calls may be nested.
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(parse));
    QUIET.set(before);
    result.ok()
}
