//! The completions: generated from the options, compared with the committed files.
//!
//! clap_complete knows options and subcommands; what stands behind them, and what it writes so that
//! a shell misreads it, is said here. `.ci/completions.py` tries the files in the three shells. To
//! write them anew: `POSTRIDER_BLESS=1 cargo test --test it completions`.

use std::fmt::Write as _;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;
use postrider::door::{mailx_command, postrider_command};

use crate::documents::{assert_current, compare};

/// The names by which `mailx` is called.
const NAMES: [&str; 3] = ["mailx", "mail", "Mail"];

/// What stands behind an option, by the name that its value has in the help.
const HINTS: [(&str, ValueHint); 27] = [
    ("ADDRESS", ValueHint::EmailAddress),
    ("AGE", ValueHint::Other),
    ("COMMAND", ValueHint::Other),
    ("DATE", ValueHint::Other),
    ("DIR", ValueHint::DirPath),
    ("EXPRESSION", ValueHint::Other),
    ("FIELD", ValueHint::Other),
    ("FIELD: ADDRESS", ValueHint::Other),
    ("FILE", ValueHint::FilePath),
    ("FILE|ACCOUNT", ValueHint::FilePath),
    ("FILE|HEADER", ValueHint::FilePath),
    ("ID", ValueHint::Other),
    ("LETTERS", ValueHint::Other),
    ("LIST", ValueHint::Other),
    ("N", ValueHint::Other),
    ("N|EXPRESSION", ValueHint::Other),
    ("NAME", ValueHint::Other),
    ("NAME[=VALUE]", ValueHint::Other),
    ("PART", ValueHint::Other),
    ("RECIPIENT", ValueHint::EmailAddress),
    ("REGION", ValueHint::Other),
    ("SHELL", ValueHint::Other),
    ("SIZE", ValueHint::Other),
    ("TEXT", ValueHint::Other),
    ("TYPE", ValueHint::Other),
    ("USER", ValueHint::Username),
    ("ARGUMENTS", ValueHint::Other),
];

/// Options with few values that make sense, by their long names.
const VALUES: [(&str, &[&str]); 3] = [
    ("content-type", &["text/plain", "text/html"]),
    ("encoding", &["base64", "quoted-printable", "7bit", "8bit"]),
    ("resource-files", &["s", "u", "su", "/"]),
];

/// Returns what stands behind an option.
fn hint(argument: &Arg) -> ValueHint {
    let names = argument.get_value_names().unwrap_or_default();
    let name = names.first().expect("a value has a name").as_str();
    let row = HINTS.iter().find(|(known, _)| *known == name);
    row.unwrap_or_else(|| panic!("nothing says how {name} is completed"))
        .1
}

/// Adds what stands behind its options to a command and its subcommands.
fn hinted(command: Command, shell: Shell) -> Command {
    let command = command.mut_args(|argument| {
        if !argument.get_action().takes_values() {
            return argument;
        }
        let long = argument.get_long();
        if let Some((_, values)) = VALUES.iter().find(|(name, _)| Some(*name) == long) {
            return argument.value_parser(PossibleValuesParser::new(*values));
        }
        match (hint(&argument), shell) {
            (ValueHint::EmailAddress, Shell::Zsh) => argument.value_hint(ValueHint::EmailAddress),
            // Only zsh knows addresses; the others know the users here.
            (ValueHint::EmailAddress, _) => argument.value_hint(ValueHint::Username),
            (hint, _) => argument.value_hint(hint),
        }
    });
    command.mut_subcommands(|subcommand| hinted(subcommand, shell))
}

/// Returns a command without the options that its help hides.
fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|it| !it.is_hide_set());
    Command::new("mailx")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(arguments.cloned())
}

/// Returns the completion of a face for a shell.
fn completion(face: &str, shell: Shell) -> String {
    let command = match face {
        "mailx" => visible(&mailx_command()),
        _ => postrider_command(),
    };
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut hinted(command, shell), face, &mut bytes);
    let text = String::from_utf8(bytes).expect("clap_complete writes UTF-8");
    match shell {
        Shell::Bash => for_bash(face, &text),
        Shell::Zsh => for_zsh(face, &text),
        _ => for_fish(face, &text),
    }
}

/// Says where packages install a file, so that the shell finds it by the name of the command.
fn installed_as(face: &str, place: &str, end: &str) -> String {
    let names = if face == "mailx" {
        &NAMES[..]
    } else {
        &["postrider"]
    };
    let files: Vec<String> = names.iter().map(|name| format!("{name}{end}")).collect();
    format!(
        "# Install in {place} as {}: it is found by the name of the command.\n",
        files.join(", ")
    )
}

fn for_bash(face: &str, text: &str) -> String {
    let mut made = installed_as(face, "/usr/share/bash-completion/completions", "");
    // clap_complete has files for users.
    let mut users = false;
    let mut recipients = face == "mailx";
    for line in text.lines() {
        let name = line.trim_start().strip_suffix(')').unwrap_or_default();
        if name.starts_with('-') {
            users = takes_users(name);
        } else if name.starts_with("postrider") {
            recipients = name == "postrider__subcmd__send";
        }
        let line = match line.trim_start() {
            r#"COMPREPLY=($(compgen -f "${cur}"))"# if users => {
                line.replace("compgen -f", "compgen -u --")
            }
            // The operands are recipients, and most of those without a domain are users.
            r#"COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )"# if recipients => {
                line.replace("compgen -W", "compgen -u -W")
            }
            _ => line.to_owned(),
        };
        writeln!(made, "{line}").expect("writing to a String");
    }
    if face == "mailx" {
        let options = "-o bashdefault -o default";
        let names = NAMES[1..].join(" ");
        writeln!(made, "\ncomplete -F _mailx {options} {names}").expect("writing to a String");
    }
    made
}

/// Returns whether an option takes users, as bash sees it.
fn takes_users(name: &str) -> bool {
    let faces = [mailx_command(), postrider_command()];
    let mut arguments = faces.iter().flat_map(|face| {
        let inner = face.get_subcommands().flat_map(Command::get_arguments);
        face.get_arguments().chain(inner)
    });
    arguments.any(|argument| {
        let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
        let shorts = argument.get_short_and_visible_aliases().unwrap_or_default();
        let is_named = longs.iter().any(|long| format!("--{long}") == name)
            || shorts.iter().any(|short| format!("-{short}") == name);
        is_named
            && argument.get_action().takes_values()
            && matches!(
                hint(argument),
                ValueHint::Username | ValueHint::EmailAddress
            )
    })
}

fn for_zsh(face: &str, text: &str) -> String {
    let place = "/usr/share/zsh/vendor-completions or site-functions";
    let files = format!("# Install in {place} as _{face}.\n");
    // A bare `:` would end the option's name.
    let text = text.replace("'-:", "'-\\:");
    if face != "mailx" {
        return text.replacen('\n', &format!("\n{files}"), 1);
    }
    let names = NAMES.join(" ");
    // zsh's own _mail says `mailx=mail Mail=mail`, which replaces what another file said of them
    // whatever the order is. A pattern is asked before; with _compskip nothing is asked after it.
    text.replacen(
        "#compdef mailx\n",
        &format!("#compdef {names} -p {names}\n{files}"),
        1,
    )
    .replacen(
        "    local ret=1\n",
        "    local ret=1\n    _compskip=all\n",
        1,
    )
    .replace(
        "compdef _mailx mailx\n",
        &format!("compdef _mailx {names} -p {names}\n"),
    )
}

fn for_fish(face: &str, text: &str) -> String {
    let mut made = installed_as(face, "/usr/share/fish/vendor_completions.d", ".fish");
    for line in text.lines() {
        // A bare `~` is the home directory there, and a bare `?` matches names of files.
        let line = line
            .replace(" -s ~ ", " -s '~' ")
            .replace(" -s ? ", " -s '?' ");
        writeln!(made, "{line}").expect("writing to a String");
    }
    let users = r#"-a "(__fish_complete_users)""#;
    match face {
        "mailx" => {
            writeln!(made, "complete -c mailx {users}").expect("writing to a String");
            for name in &NAMES[1..] {
                writeln!(made, "complete -c {name} -w mailx").expect("writing to a String");
            }
        }
        _ => {
            let send = r#"-n "__fish_postrider_using_subcommand send""#;
            writeln!(made, "complete -c postrider {send} {users}").expect("writing to a String");
        }
    }
    made
}

#[test]
fn the_completions_are_what_the_program_takes() {
    let mut stale = Vec::new();
    for face in ["mailx", "postrider"] {
        for (shell, file) in [
            (Shell::Bash, format!("{face}.bash")),
            (Shell::Zsh, format!("_{face}")),
            (Shell::Fish, format!("{face}.fish")),
        ] {
            let text = completion(face, shell);
            compare(&format!("completions/{file}"), &text, &mut stale);
        }
    }
    assert_current(&stale);
}

#[test]
fn no_option_in_fish_is_a_pattern_or_a_home_directory() {
    for face in ["mailx", "postrider"] {
        let text = completion(face, Shell::Fish);
        for line in text.lines().filter(|line| line.starts_with("complete ")) {
            let options = line.split(" -s ").skip(1);
            let odd = options.filter(|rest| rest.starts_with(['~', '?', '*', '$', '(']));
            assert_eq!(odd.count(), 0, "{line}");
        }
    }
}
