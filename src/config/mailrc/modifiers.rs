//! Modifiers before a command: `\`, `wysh`, `ignerr`, `local` and the others of s-nail.

/// A line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command<'a> {
    /// The command.
    pub(super) word: &'a str,
    /// The rest of the line after it.
    pub(super) rest: &'a str,
    /// `\`: the word is not another name for a command.
    pub(super) is_literal: bool,
    /// `wysh`: the words are quoted as in the shell.
    pub(super) is_shell: bool,
    /// `local`: the change ends with the block.
    pub(super) is_local: bool,
    /// `vput`: the command's result goes into a variable.
    pub(super) is_put: bool,
}

/// Takes a line apart, whose first character is not a blank.
pub(super) fn split(line: &str) -> Command<'_> {
    let mut command = Command {
        word: "",
        rest: line,
        is_literal: false,
        is_shell: false,
        is_local: false,
        is_put: false,
    };
    loop {
        let line = command.rest.trim_start();
        let line = match line.strip_prefix('\\') {
            Some(line) => {
                command.is_literal = true;
                line
            }
            None => line,
        };
        // s-nail ends a command with `;` as well: `else;set x`.
        let end = if line.starts_with(['!', '|']) {
            Some(1)
        } else {
            line.find(|c: char| c.is_whitespace() || c == ';')
        };
        let (word, rest) = line.split_at(end.unwrap_or(line.len()));
        (command.word, command.rest) = (word, rest.trim());
        // Alone on its line such a word is no modifier: bsd-mailx has `u` for `undelete`.
        let begins_word = |c: char| c.is_alphanumeric() || c == '\\';
        if !command.rest.starts_with(begins_word) {
            return command;
        }
        match word {
            "wysh" => command.is_shell = true,
            // Inside a block s-nail quotes as with `wysh` behind `local`.
            "local" => (command.is_local, command.is_shell) = (true, true),
            "vput" => command.is_put = true,
            "ignerr" | "global" | "scope" | "u" => {}
            _ => return command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_taken_off_the_command() {
        // The line, then command and rest, then which of \ wysh local vput stood there.
        for (line, word, rest, marks) in [
            ("set a=b", "set", "a=b", ""),
            ("wysh set a=b", "set", "a=b", "w"),
            (r"\set a=b", "set", "a=b", r"\"),
            (r"\wysh set a=b", "set", "a=b", r"\w"),
            (r"wysh \set a=b", "set", "a=b", r"\w"),
            ("ignerr wysh set a", "set", "a", "w"),
            ("local set a", "set", "a", "wl"),
            ("vput csop x trim y", "csop", "x trim y", "v"),
            ("u set a", "set", "a", ""),
            ("u", "u", "", ""),
            ("wysh", "wysh", "", ""),
            ("u = 3", "u", "= 3", ""),
            ("else;set a", "else", ";set a", ""),
            ("", "", "", ""),
        ] {
            let command = split(line);
            assert_eq!((command.word, command.rest), (word, rest), "{line}");
            let found = [
                (command.is_literal, '\\'),
                (command.is_shell, 'w'),
                (command.is_local, 'l'),
                (command.is_put, 'v'),
            ];
            let found = found.iter().filter(|(is_set, _)| *is_set);
            let found: String = found.map(|(_, mark)| mark).collect();
            assert_eq!(found, marks, "{line}");
        }
    }
}
