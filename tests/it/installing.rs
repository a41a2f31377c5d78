//! `postrider generate` and `postrider install`: what a machine gets of the program.

use crate::case::Case;
use crate::documents::document;

fn postrider<const N: usize>(args: [&str; N]) -> Case {
    Case::new().called("postrider").args(args)
}

#[test]
fn generate_prints_the_files_that_packages_install() {
    for (arguments, file) in [
        (&["man", "mailx"][..], "man/mailx.1"),
        (&["man", "mail"], "man/mailx.1"),
        (&["man", "Mail"], "man/mailx.1"),
        (&["man", "postrider"], "man/postrider.1"),
        (&["man", "sendmail"], "man/postrider.1"),
        (&["man", "mailq"], "man/postrider.1"),
        (&["man", "newaliases"], "man/postrider.1"),
        (&["man", "postrider-mailrc"], "man/postrider-mailrc.5"),
        (&["completion", "bash"], "completions/postrider.bash"),
        (&["completion", "zsh"], "completions/_postrider"),
        (&["completion", "fish"], "completions/postrider.fish"),
        (&["completion", "bash", "mailx"], "completions/mailx.bash"),
        (&["completion", "bash", "mail"], "completions/mailx.bash"),
        (&["completion", "zsh", "Mail"], "completions/_mailx"),
        (&["completion", "fish", "mailx"], "completions/mailx.fish"),
    ] {
        // Bytes are bytes, whatever the locale is.
        postrider(["generate"])
            .args(arguments)
            .env("LC_ALL", "C")
            .stdout(document(file))
            .run();
    }
}

#[test]
fn generate_says_what_it_does_not_have() {
    let (subcommands, help) = ("lists the subcommands", "--help lists what it takes");
    let shells = "it is one of: bash, zsh, fish";
    for (arguments, says, hints) in [
        (&[][..], "a subcommand is missing", subcommands),
        (&["pages"], "unknown subcommand 'pages'", subcommands),
        (&["man"], "'<NAME>' is missing", help),
        (
            &["man", "mutt"],
            "invalid value 'mutt' for '<NAME>'",
            "it is one of: postrider, sendmail, mailq, newaliases, mailx, mail, Mail, postrider-mailrc",
        ),
        (&["completion"], "'<SHELL>' is missing", help),
        (
            &["completion", "csh"],
            "invalid value 'csh' for '<SHELL>'",
            shells,
        ),
        (
            &["completion", "bash", "sendmail"],
            "invalid value 'sendmail' for '[COMMAND]'",
            "it is one of: postrider, mailx, mail, Mail",
        ),
    ] {
        postrider(["generate"])
            .args(arguments)
            .status(64)
            .says(says)
            .hints(hints)
            .run();
    }
}
