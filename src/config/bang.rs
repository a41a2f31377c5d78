//! The shell commands of `!` and `~!`, and the last of them.

use super::Settings;
use crate::exit::{Failure, Kind};

/// Returns a shell command with each `!` replaced by the last command, if the variable `bang` is
/// set (POSIX mailx); `\!` is a `!`. The result is the last command from now on.
///
/// # Errors
/// A `!` is to be replaced, and no command was run before.
pub(crate) fn expand(settings: &mut Settings, line: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut command = Vec::with_capacity(line.len());
    if settings.is_set("bang") {
        let mut bytes = line.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' if bytes.peek() == Some(&b'!') => command.extend(bytes.next()),
                b'!' => match &settings.last_command {
                    Some(last) => command.extend_from_slice(last),
                    None => {
                        let what = "\"!\" stands for the last command, and there is none";
                        return Err(Failure::new(Kind::Usage, what).hint("write \\! for a !"));
                    }
                },
                byte => command.push(byte),
            }
        }
    } else {
        command.extend_from_slice(line);
    }
    settings.last_command = Some(command.clone());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    #[test]
    fn a_bang_is_the_last_command_only_where_it_is_set() {
        let mut settings = Settings::default();
        let run = |settings: &mut Settings, line: &str| {
            expand(settings, line.as_bytes())
                .map(|command| String::from_utf8(command).expect("text"))
                .map_err(|failure| failure.what)
        };
        assert_eq!(run(&mut settings, "echo !").as_deref(), Ok("echo !"));
        settings.last_command = None;
        settings.set("bang", "", Origin::Default);
        assert!(run(&mut settings, "echo !").is_err());
        for (line, expected) in [
            ("echo a\\!b", "echo a!b"),
            ("!; !", "echo a!b; echo a!b"),
            ("date", "date"),
            ("! -u\\n", "date -u\\n"),
        ] {
            assert_eq!(run(&mut settings, line).as_deref(), Ok(expected), "{line}");
        }
    }
}
