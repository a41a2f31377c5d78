//! The manual pages and the completions, as they are in the program.
//!
//! The files of `man/` and `completions/` are made from the options and tables of the program
//! (`tests/it/documents.rs`, `tests/it/completions.rs`). They stand in the program as they are: a start
//! does not touch them, and a package compresses the whole program.

/// A manual page.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its name, without the section.
    pub name: &'static str,
    /// Its section.
    pub section: &'static str,
    /// Its text, in roff.
    pub text: &'static str,
    /// The other names of the commands that it describes.
    pub commands: &'static [&'static str],
}

/// The manual pages.
pub(crate) const PAGES: [Page; 3] = [
    Page {
        name: "postrider",
        section: "1",
        text: include_str!("../../man/postrider.1"),
        commands: &["sendmail", "mailq", "newaliases"],
    },
    Page {
        name: "mailx",
        section: "1",
        text: include_str!("../../man/mailx.1"),
        commands: &["mail", "Mail"],
    },
    Page {
        name: "postrider-mailrc",
        section: "5",
        text: include_str!("../../man/postrider-mailrc.5"),
        commands: &[],
    },
];

/// The completions of a command, for each shell.
#[derive(Debug)]
pub(crate) struct Completions {
    /// The command.
    pub name: &'static str,
    /// Its other names.
    pub commands: &'static [&'static str],
    pub bash: &'static str,
    pub zsh: &'static str,
    pub fish: &'static str,
}

/// The completions. `sendmail` has none: people do not type its command line.
pub(crate) const COMPLETIONS: [Completions; 2] = [
    Completions {
        name: "postrider",
        commands: &[],
        bash: include_str!("../../completions/postrider.bash"),
        zsh: include_str!("../../completions/_postrider"),
        fish: include_str!("../../completions/postrider.fish"),
    },
    Completions {
        name: "mailx",
        commands: &["mail", "Mail"],
        bash: include_str!("../../completions/mailx.bash"),
        zsh: include_str!("../../completions/_mailx"),
        fish: include_str!("../../completions/mailx.fish"),
    },
];

/// Returns the manual page of this name, or of the command of this name.
pub(crate) fn page(name: &str) -> Option<&'static Page> {
    let mut pages = PAGES.iter();
    pages.find(|page| page.name == name || page.commands.contains(&name))
}

/// Returns the completions of the command of this name.
pub(crate) fn completions(command: &str) -> Option<&'static Completions> {
    let mut all = COMPLETIONS.iter();
    all.find(|one| one.name == command || one.commands.contains(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_its_page_and_its_completions() {
        for (command, title) in [
            ("postrider", ".TH POSTRIDER 1 "),
            ("sendmail", ".TH POSTRIDER 1 "),
            ("mailq", ".TH POSTRIDER 1 "),
            ("mailx", ".TH MAILX 1 "),
            ("mail", ".TH MAILX 1 "),
            ("Mail", ".TH MAILX 1 "),
            ("postrider-mailrc", ".TH POSTRIDER-MAILRC 5 "),
        ] {
            let page = page(command).expect(command);
            assert!(page.text.contains(title), "{command}");
            assert!(title.ends_with(&format!(" {} ", page.section)));
        }
        for (command, function) in [("postrider", "_postrider"), ("Mail", "_mailx")] {
            let found = completions(command).expect(command);
            assert!(found.bash.contains(&format!("{function}()")));
            assert!(found.zsh.starts_with("#compdef "));
            assert!(found.fish.contains("complete -c "));
        }
        assert!(page("mailrc").is_none() && completions("sendmail").is_none());
    }
}
