//! The program; everything is in the library.

use std::process::ExitCode;

use postrider::door::{die_of, run};

fn main() -> ExitCode {
    let worst = run(std::env::args_os());
    // All is dropped by now: locks are free, the terminal is set back.
    if let Some(postrider::Kind::Signal(signal)) = worst {
        die_of(signal);
    }
    ExitCode::from(worst.map_or(0, postrider::Kind::status))
}
