//! When a user was last told by mail of what does not leave the outbox: the file `noticed`.
//!
//! Its content is `SECONDS FAILED`, the time of the last note and how many entries had failed by
//! then. It is written under its lock, and before the note: a note that cannot be delivered is not
//! tried again with every mail.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use super::place::NOTICED;
use super::store::{Outbox, judge, lock};
use super::turn;
use crate::sys::open::names::{self, Access};

/// A user gets no more than one note in this time.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// The longest content that is read.
const LONGEST: u64 = 64;

impl Outbox {
    /// Returns whether so much time has passed since the last note that there may be another one.
    pub(crate) fn may_notice(&self, now: SystemTime) -> bool {
        let opened = names::open_in(self.directory(), NOTICED, Access::Read);
        opened.map_or(true, |file| is_over(read(&file).0, now))
    }

    /// Returns whether a note is due, and takes the turn to write it: the next one is due in an hour.
    ///
    /// A note is due if entries are stuck, or if more have failed than at the last note.
    ///
    /// # Errors
    /// When the file cannot be read or written: then no note is written, or each mail would bring
    /// one.
    pub(crate) fn takes_notice(
        &self,
        is_stuck: bool,
        failed: usize,
        now: SystemTime,
    ) -> io::Result<bool> {
        let directory = self.directory();
        let file = match names::open_in(directory, NOTICED, Access::ReadWrite) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match names::make_in(directory, NOTICED) {
                    // Another one has made it since, and has the turn.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
                    made => made?,
                }
            }
            opened => opened?,
        };
        judge(&file.metadata()?).map_err(io::Error::other)?;
        if !lock(&file)? {
            return Ok(false);
        }
        let (last, known) = read(&file);
        let is_new = failed as u64 > known;
        if !is_over(last, now) || !(is_stuck || is_new) {
            return Ok(false);
        }
        file.set_len(0)?;
        let content = format!("{} {failed}\n", turn::seconds(now));
        file.write_all_at(content.as_bytes(), 0)?;
        (&file).flush()?;
        Ok(true)
    }
}

/// Reads the time of the last note, and how many entries had failed by then.
fn read(file: &File) -> (Option<u64>, u64) {
    let mut text = String::new();
    // Other bytes are no time: the note is due.
    let _ = file.take(LONGEST).read_to_string(&mut text);
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let mut number = || numbers.next().and_then(Result::ok);
    (number(), number().unwrap_or(0))
}

fn is_over(last: Option<u64>, now: SystemTime) -> bool {
    last.map(turn::time).is_none_or(|last| {
        // A clock that was set back must not silence the notes for ever.
        now.duration_since(last)
            .map_or(true, |passed| passed >= PAUSE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::outbox::turn::time;

    #[test]
    fn there_is_one_note_an_hour_and_one_for_each_new_failure() {
        let directory = tempfile::tempdir().expect("a directory");
        let outbox = Outbox::at(&directory.path().join("box"));
        let noon = 1_800_000_000;
        for (seconds, is_stuck, failed, expected) in [
            (0, false, 0, false),
            (1, true, 0, true),
            (2, true, 0, false),
            (3599, true, 0, false),
            (3601, true, 0, true),
            (7300, false, 0, false),
            (7301, false, 1, true),
            (7302, false, 2, false),
            (10_902, false, 2, true),
            (20_000, false, 2, false),
            // What was dropped makes room for the next failure.
            (20_001, true, 0, true),
            (30_000, false, 1, true),
            // The clock was set back.
            (100, true, 1, true),
        ] {
            let due = outbox.takes_notice(is_stuck, failed, time(noon + seconds));
            assert_eq!(due.expect("written"), expected, "{seconds}");
        }
    }

    #[test]
    fn a_file_of_other_bytes_counts_as_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let outbox = Outbox::at(&directory.path().join("box"));
        assert!(outbox.takes_notice(true, 0, time(9)).expect("written"));
        std::fs::write(outbox.path().join(NOTICED), b"\xff\xfe oops").expect("written");
        assert!(outbox.takes_notice(true, 0, time(10)).expect("written"));
        assert!(!outbox.takes_notice(true, 0, time(11)).expect("written"));
    }
}
