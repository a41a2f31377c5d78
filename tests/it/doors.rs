//! "One rule at every door": the pattern of the tests that hold a rule wherever it applies.
//!
//! A *door* is one of the ways into the program by which the rule could be passed over: an option, a
//! variable, a command, a face. An *input* is what is tried there. A cell of the table is one run,
//! and a test fails once, with all the cells in which the rule is broken: whoever mends the rule
//! sees whether it is missing at one door, for one input, or everywhere.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

/// How many cells run at the same time. Most of them wait for a lock or a peer now and then.
const AT_ONCE: usize = 4;

/// Asserts that a rule holds in every cell; `check` says how it is broken.
///
/// A `check` that panics, as a case does whose expectations fail, has broken the rule as well.
#[track_caller]
pub fn assert_rule<C: Send>(
    cells: impl IntoIterator<Item = (String, C)>,
    check: impl Fn(C) -> Result<(), String> + Sync,
) {
    let mut waiting: Vec<(String, C)> = cells.into_iter().collect();
    let count = waiting.len();
    assert!(count > 0, "a table without cells holds no rule");
    // The first comes out first.
    waiting.reverse();
    let waiting = Mutex::new(waiting);
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(count) {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("cells").pop();
                    let Some((name, cell)) = next else { return };
                    let verdict = catch_unwind(AssertUnwindSafe(|| check(cell)));
                    if let Err(why) = verdict.unwrap_or_else(|panic| Err(text_of(&*panic))) {
                        broken.lock().expect("cells").push(format!("{name}: {why}"));
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().expect("cells");
    broken.sort();
    assert!(
        broken.is_empty(),
        "the rule is broken in {} of {count} cells:\n{}",
        broken.len(),
        broken.join("\n---\n"),
    );
}

/// Returns the cells of a table: every input at every door, each door made anew.
pub fn table<I: Clone, D>(
    inputs: &[(&str, I)],
    doors: impl Fn() -> Vec<(&'static str, D)>,
) -> Vec<(String, (I, D))> {
    let cells = inputs.iter().flat_map(|(input, value)| {
        let name = move |door| format!("{door} / {input}");
        let doors = doors().into_iter();
        doors.map(move |(door, one)| (name(door), (value.clone(), one)))
    });
    cells.collect()
}

/// Returns an error with the text, unless the rule holds.
pub fn unless(holds: bool, text: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text.into()) }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}

#[test]
#[should_panic(
    expected = "broken in 3 of 6 cells:\na / 1: odd\n---\na / 3: odd\n---\nb / 3: panics"
)]
fn all_broken_cells_are_told_at_once() {
    let inputs = [("1", 1), ("2", 2), ("3", 3)];
    let cells = table(&inputs, || vec![("a", 'a'), ("b", 'b')]);
    assert_rule(cells, |(number, door)| match (number, door) {
        (3, 'b') => panic!("panics"),
        (1, 'b') => Ok(()),
        _ => unless(number % 2 == 0, "odd"),
    });
}

#[test]
#[should_panic(expected = "a table without cells")]
fn a_table_without_cells_is_noticed() {
    assert_rule(Vec::<(String, ())>::new(), |()| Ok(()));
}
