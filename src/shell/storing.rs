//! What storing commands do with messages and parts, and how they tell it.

/// What becomes of messages that are appended to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storing {
    /// They stay.
    Copy,
    /// They are marked as saved.
    Save,
    /// They are deleted.
    Move,
    /// Their text or their attachments are written.
    Write,
}

impl Storing {
    /// Returns the name of the command.
    pub(super) fn command(self) -> &'static str {
        match self {
            Storing::Copy => "copy",
            Storing::Save => "save",
            Storing::Move => "move",
            Storing::Write => "write",
        }
    }

    /// Returns the word that says to a person what was done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Storing::Copy => "copied",
            Storing::Save => "saved",
            Storing::Move => "moved",
            Storing::Write => "wrote",
        }
    }
}

/// Returns a number of bytes as people read it: `812 bytes`, `12 kB`, `3.4 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(value < 9.95);
    format!("{value:.decimals$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let rows = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_960, "10 kB"),
            (12_345, "12 kB"),
            (999_600, "1.0 MB"),
            (3_400_000, "3.4 MB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(size(bytes), expected);
        }
    }
}
