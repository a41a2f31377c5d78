//! The manual pages: rendered, compared with the committed files, and tried.
//!
//! `man/*.in` hold the prose; a line `@NAME@` in them is replaced by what the program itself
//! knows: options from clap, variables, commands and exit statuses from their tables. To write the
//! rendered files anew: `POSTRIDER_BLESS=1 cargo test --test it documents`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::{Arg, ArgAction};
use clap_mangen::Man;
use postrider::Kind;
use postrider::door::{
    self, COLOURS, ELSEWHERE, GROUPS, Help, JsonKey, Presence, REFUSED, ROWS, Shape, ValueKind,
    mailx_command, postrider_command,
};

use crate::launch::{self, Stdin};

/// The manual pages, each with a template of the same name and `.in`.
const PAGES: [&str; 3] = ["mailx.1", "postrider.1", "postrider-mailrc.5"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a committed file with its rendered text, or writes it.
pub fn compare(path: &str, rendered: &str, stale: &mut Vec<String>) {
    let path = root().join(path);
    if std::env::var_os("POSTRIDER_BLESS").is_some() {
        fs::write(&path, rendered).unwrap();
    } else if fs::read_to_string(&path).unwrap_or_default() != rendered {
        stale.push(path.display().to_string());
    }
}

/// Fails where a committed file is not what the program says.
#[track_caller]
pub fn assert_current(stale: &[String]) {
    assert!(
        stale.is_empty(),
        "not what the program says: {stale:?}; POSTRIDER_BLESS=1 writes them anew"
    );
}

#[test]
fn the_manual_is_what_the_program_says() {
    let mut stale = Vec::new();
    for page in PAGES {
        compare(&format!("man/{page}"), &render(page), &mut stale);
    }
    assert_current(&stale);
}

#[test]
fn the_manual_is_clean_roff() {
    let groff = Path::new("/usr/bin/groff");
    if !groff.exists() {
        return launch::left_out("the manual through groff", "there is no groff");
    }
    for page in PAGES {
        let mut command = Command::new(groff);
        command.args(["-t", "-man", "-Tutf8", "-Kutf8", "-ww", "-z"]);
        let stdin = Stdin::Bytes(render(page).into_bytes());
        let output = launch::run(&mut command, stdin, Duration::from_secs(30), None);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.is_empty(), "{page}: {told}");
    }
}

#[test]
fn no_line_of_the_manual_is_wider_than_a_terminal() {
    let groff = Path::new("/usr/bin/groff");
    if !groff.exists() {
        return launch::left_out("the manual through groff", "there is no groff");
    }
    for page in PAGES {
        let mut command = Command::new(groff);
        command.args(["-t", "-man", "-Tutf8", "-Kutf8", "-P-cbou", "-rLL=80n"]);
        let stdin = Stdin::Bytes(render(page).into_bytes());
        let output = launch::run(&mut command, stdin, Duration::from_secs(30), None);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().count() > 100, "{page}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{page}: {line}");
        }
    }
}

#[test]
fn the_prose_names_only_options_that_exist() {
    let mailx = mailx_command();
    let postrider = postrider_command();
    let mut known: Vec<String> = Vec::new();
    let inner = postrider
        .get_subcommands()
        .flat_map(|outer| std::iter::once(outer).chain(outer.get_subcommands()));
    for command in std::iter::once(&mailx).chain(inner) {
        for argument in command.get_arguments() {
            known.extend(spellings(argument));
        }
    }
    known.extend(["--help", "--version", "-h", "-V", "--"].map(str::to_owned));
    // Those of the sendmail face, which clap does not know.
    let sendmail = [
        "-t", "-i", "-oi", "-F", "-bp", "-bi", "-bv", "-d0.1", "-bt", "-q", "-qf", "-qI", "-qR",
        "-qS", "-q15m", "-odi", "-oem",
    ];
    known.extend(sendmail.map(str::to_owned));
    for page in PAGES {
        let text = template(page).replace("\\-", "-").replace("\\fR", " ");
        // Options stand in bold; examples hold other programs' options too.
        let bold = text.match_indices("\\fB-").map(|(at, _)| {
            let word = &text[at + 3..];
            &word[..word.find([' ', '\\', '\n', '=', ',']).unwrap_or(word.len())]
        });
        for option in bold {
            let known = known.iter().any(|known| known == option);
            assert!(known, "{page} speaks of {option}");
        }
    }
}

#[test]
fn every_variable_of_the_environment_is_told() {
    let source = fs::read_to_string(root().join("src/config/env.rs")).unwrap();
    let pages = PAGES.map(template).concat();
    let names = source
        .match_indices("(\"")
        .map(|(at, _)| &source[at + 2..at + 2 + source[at + 2..].find('"').unwrap()])
        .filter(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        });
    let mut count = 0;
    for name in names {
        count += 1;
        assert!(pages.contains(name), "{name} is not in the manual");
    }
    assert!(count > 10, "{count}");
}

#[test]
fn variables_without_effect_are_said_to_have_none() {
    let mut sources = String::new();
    read_sources(&root().join("src"), &mut sources);
    for row in ROWS {
        let asked = sources.contains(&format!("(\"{}\"", row.name));
        let says_none = door::help_of_variable(row).starts_with("Accepted, no effect: ");
        assert_ne!(asked, says_none, "{}", row.name);
    }
}

/// Reads all sources but the tables of variables and commands.
fn read_sources(directory: &Path, into: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let tables = ["config/variables.rs", "config/commands/table.rs"];
        if path.is_dir() {
            read_sources(&path, into);
        } else if !tables.iter().any(|table| path.ends_with(table)) {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// Returns all spellings of an option, with their dashes.
fn spellings(argument: &Arg) -> Vec<String> {
    let short = argument.get_short_and_visible_aliases().unwrap_or_default();
    let long = argument.get_long().into_iter();
    let aliases = argument.get_all_aliases().unwrap_or_default();
    let mut all: Vec<String> = short.iter().map(|c| format!("-{c}")).collect();
    all.extend(long.chain(aliases).map(|name| format!("--{name}")));
    all
}

fn template(page: &str) -> String {
    fs::read_to_string(root().join(format!("man/{page}.in"))).unwrap()
}

/// Renders a page: its template, with every `@NAME@` line replaced.
fn render(page: &str) -> String {
    let mut text = format!(".\\\" Rendered from {page}.in; do not edit.\n");
    for line in template(page).lines() {
        match line {
            "@MAILX-OPTIONS@" => text.push_str(&mailx_options()),
            "@SUBCOMMANDS@" => text.push_str(&subcommands()),
            "@COMMANDS@" => text.push_str(&commands()),
            "@VARIABLES@" => text.push_str(&variables()),
            "@COLOURS@" => text.push_str(&colours()),
            "@REFUSED@" => text.push_str(&refused()),
            "@ELSEWHERE@" => text.push_str(&elsewhere()),
            "@ESCAPES@" => text.push_str(&escapes()),
            "@STATUSES@" => text.push_str(&statuses()),
            "@JSON@" => text.push_str(&json_objects()),
            _ if line.starts_with('@') => panic!("{page}.in: unknown {line}"),
            _ => {
                let line = line.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
                text.push_str(&line.replace("@ORDER@", &order()));
                text.push('\n');
            }
        }
    }
    text
}

/// The JSON objects with their keys and an example each.
fn json_objects() -> String {
    let mut text = String::new();
    for (name, about, keys, example) in door::json_objects() {
        writeln!(text, ".SS JSON: {name}").unwrap();
        writeln!(text, "{}", bold_quoted(about)).unwrap();
        for key in keys {
            let (name, _, _, about) = door::json_key(key);
            if about.is_empty() {
                continue;
            }
            writeln!(text, ".TP").unwrap();
            write!(text, "\\fB{name}\\fR").unwrap();
            let raw = format!("{name}_raw");
            if keys.iter().any(|other| door::json_key(other).0 == raw) {
                write!(text, ", \\fB{raw}\\fR").unwrap();
            }
            writeln!(text, " ({})\n{about}", type_of(key)).unwrap();
        }
        let example = in_lines(example).replace('\\', "\\e").replace('-', "\\-");
        writeln!(text, ".PP\n.EX\n{example}\n.EE").unwrap();
    }
    text
}

/// Breaks JSON into lines that a terminal of 80 columns shows whole, between two values.
fn in_lines(json: &str) -> String {
    const WIDTH: usize = 72;
    let (mut text, mut width, mut piece) = (String::new(), 0, String::new());
    let (mut is_text, mut is_escaped) = (false, false);
    let mut pieces = Vec::new();
    for character in json.chars() {
        piece.push(character);
        is_text ^= character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        if !is_text && character == ',' {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    pieces.push(piece);
    for piece in pieces {
        let length = piece.chars().count();
        if width > 0 && width + length > WIDTH {
            text.push('\n');
            width = 0;
        }
        text.push_str(&piece);
        width += length;
    }
    text
}

/// Returns the type of a key's value, in words.
fn type_of(key: &JsonKey) -> String {
    let (_, shape, presence, _) = door::json_key(key);
    let shape = match shape {
        Shape::Text => "string".to_owned(),
        Shape::Time => "string, RFC 3339".to_owned(),
        Shape::Base64 => "string, base64".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Texts => "array of strings".to_owned(),
        Shape::Numbers => "array of numbers".to_owned(),
        Shape::Objects(name) => format!("array of objects, see {name}"),
    };
    match presence {
        Presence::Always => shape,
        Presence::OrNull => format!("{shape}, or null"),
        Presence::Sometimes => format!("{shape}, or left out"),
    }
}

/// The options of the mailx face under their headings.
fn mailx_options() -> String {
    let command = mailx_command();
    let mut headings: Vec<&str> = Vec::new();
    for argument in command.get_arguments() {
        let heading = argument.get_help_heading();
        headings.extend(heading.filter(|heading| !headings.contains(heading)));
    }
    let mut text = String::new();
    for heading in headings {
        let of_heading = command
            .get_arguments()
            .filter(|argument| argument.get_help_heading() == Some(heading));
        writeln!(text, ".SS {heading}").unwrap();
        text.push_str(&options(of_heading));
    }
    text
}

/// The subcommands of the postrider face, each with its own options, and then those of all.
fn subcommands() -> String {
    let command = postrider_command();
    // Of a subcommand with subcommands of its own only these are commands.
    let mut all: Vec<(String, &clap::Command)> = Vec::new();
    for outer in command.get_subcommands() {
        let inner = outer.get_subcommands();
        let named =
            inner.map(|inner| (format!("{} {}", outer.get_name(), inner.get_name()), inner));
        all.extend(named);
        if !outer.has_subcommands() {
            all.push((outer.get_name().to_owned(), outer));
        }
    }
    let says = |command: &clap::Command, argument: &Arg| {
        let mut others = command.get_arguments();
        others.any(|other| {
            other.get_id() == argument.get_id()
                && other.get_help().map(ToString::to_string)
                    == argument.get_help().map(ToString::to_string)
        })
    };
    // The other faces read their own command lines, and some subcommands read no configuration.
    let reads_configuration = |command: &clap::Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_id() == "no_system_rc")
    };
    let is_common = |argument: &Arg| {
        let mut others = all
            .iter()
            .filter(|(_, command)| reads_configuration(command));
        others.all(|(_, command)| says(command, argument))
    };
    let mut text = String::new();
    for (name, subcommand) in &all {
        writeln!(text, ".SS postrider {name}").unwrap();
        let about = subcommand.get_long_about().or(subcommand.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        writeln!(text, "{}", bold_quoted(&sentence(&about))).unwrap();
        let own = subcommand
            .get_arguments()
            .filter(|argument| !is_common(argument));
        text.push_str(&options(own));
    }
    text.push_str(".SS Options of every subcommand that reads the configuration\n");
    let send = command.find_subcommand("send").expect("it is there");
    text.push_str(&options(send.get_arguments().filter(|a| is_common(a))));
    text
}

/// Renders options by `clap_mangen`.
fn options<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    // A command of their own, in the order of the source.
    let arguments = arguments.enumerate().map(|(at, argument)| {
        let mut help = argument
            .get_long_help()
            .or(argument.get_help())
            .map(|help| sentence(&help.to_string()))
            .unwrap_or_default();
        let also = argument.get_visible_aliases().unwrap_or_default();
        for name in also {
            write!(help, " Also --{name}.").unwrap();
        }
        if matches!(argument.get_action(), ArgAction::Append) {
            help.push_str(" May be repeated.");
        }
        argument
            .clone()
            .display_order(at)
            // The dialect takes the value as the next word, too.
            .require_equals(false)
            .help(help.clone())
            .long_help(help)
    });
    let command = clap::Command::new("x")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(arguments);
    let mut bytes = Vec::new();
    Man::new(command)
        .render_options_section(&mut bytes)
        .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with(".TP"))
        .map(|line| {
            if line.starts_with('.') {
                line.to_owned()
            } else {
                bold_quoted(line).replace("\\*(Aq", "\\(aq")
            }
        });
    lines.map(|line| line + "\n").collect()
}

/// Turns help text into running sentences: its paragraphs joined, each with its full stop.
fn sentence(help: &str) -> String {
    let paragraphs = help.split("\n\n").map(|paragraph| {
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.ends_with('.') || text.is_empty() {
            text
        } else {
            text + "."
        }
    });
    paragraphs.collect::<Vec<_>>().join(" ")
}

/// Writes `quoted` words in bold.
fn bold_quoted(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        match at % 2 {
            1 => write!(out, "\\fB{part}\\fR").unwrap(),
            _ => out.push_str(part),
        }
    }
    out
}

/// Escapes text for roff.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let quoted = bold_quoted(&escaped);
    if quoted.starts_with(['.', '\'']) {
        format!("\\&{quoted}")
    } else {
        quoted
    }
}

/// The commands of the reader in their groups, with the abbreviation in bold.
fn commands() -> String {
    let mut text = String::new();
    for group in GROUPS {
        let rows: Vec<_> = group.rows.iter().filter(|row| row.is_at_prompt()).collect();
        if rows.is_empty() {
            continue;
        }
        writeln!(text, ".SS {}", roff(group.title)).unwrap();
        let mut rows = rows.into_iter().peekable();
        while let Some(command) = rows.next() {
            let Help::Text(help) = command.help else {
                continue;
            };
            let mut names = vec![command_name(command.name, command.enough)];
            while let Some(alias) = rows.next_if(|next| next.help == Help::Alias) {
                names.push(command_name(alias.name, alias.enough));
            }
            let synopsis = command.arguments.synopsis();
            writeln!(text, ".TP\n{} \\fI{}\\fR", names.join(", "), roff(synopsis)).unwrap();
            writeln!(text, "{}", roff(&sentence(help))).unwrap();
            more_of_command(&mut text, command.more);
        }
    }
    text
}

/// Appends what the table says of a command besides its help line; examples stand behind four blanks.
fn more_of_command(text: &mut String, more: &str) {
    let mut was_example = false;
    for line in more.lines() {
        match line.strip_prefix("    ") {
            Some(example) => {
                // A backquote in an example is one.
                let example = example.replace('\\', "\\e").replace('-', "\\-");
                let example = example.replace('`', "\\(ga");
                writeln!(text, ".RS\n.EX\n{example}\n.EE\n.RE").unwrap();
            }
            None if was_example => writeln!(text, ".IP\n{}", roff(line)).unwrap(),
            None => writeln!(text, "{}", roff(line)).unwrap(),
        }
        was_example = line.starts_with("    ");
    }
}

/// Writes a name as manuals of mailx do: `n[ext]`.
fn command_name(name: &str, enough: usize) -> String {
    match name.split_at(enough.min(name.len())) {
        (name, "") => format!("\\fB{}\\fR", roff(name)),
        (head, tail) => format!("\\fB{}\\fR[\\fB{}\\fR]", roff(head), roff(tail)),
    }
}

fn colours() -> String {
    let mut text = String::new();
    for row in COLOURS {
        let (name, doc, default) = (row.name, row.doc, row.default);
        writeln!(
            text,
            ".TP\n\\fB{name}\\fR\n{}; by default {default}.",
            sentence(doc).trim_end_matches('.')
        )
        .unwrap();
    }
    text
}

fn variables() -> String {
    let mut text = String::new();
    for row in ROWS {
        let value = match row.kind {
            ValueKind::Switch => "",
            ValueKind::SwitchOrNumber => "[=NUMBER]",
            ValueKind::Text | ValueKind::Word => "=TEXT",
            ValueKind::Headline | ValueKind::DateFormat => "=FORMAT",
            ValueKind::Colours => "[=LIST]",
            ValueKind::Number(_) => "=NUMBER",
            ValueKind::Duration(_) => "=TIME",
            ValueKind::Size => "=SIZE",
            ValueKind::Host => "=HOST",
            ValueKind::Path => "=FILE",
            ValueKind::Address => "=ADDRESS",
            ValueKind::Route => "=ROUTE",
            ValueKind::Secret => "=SECRET",
            ValueKind::OneOf(_) => "=VALUE",
            ValueKind::OneOfOrPath(_) => "=VALUE|FILE",
            ValueKind::Arguments => "=WORDS",
            ValueKind::Targets => "[=LIST]",
        };
        write!(text, ".TP\n\\fB{}\\fR", roff(row.name)).unwrap();
        match value.strip_prefix('=') {
            Some(kind) => write!(text, "=\\fI{kind}\\fR").unwrap(),
            None => text.push_str(value),
        }
        if row.is_way_out {
            text.push_str(" \\fB*\\fR");
        }
        match row.default {
            "" => {}
            "set" => text.push_str(" (set by default)"),
            "\t" => text.push_str(" (default: a tab)"),
            default => write!(text, " (default: {})", roff(default)).unwrap(),
        }
        writeln!(text, "\n{}", roff(door::help_of_variable(row))).unwrap();
        if matches!(
            row.kind,
            ValueKind::OneOf(_)
                | ValueKind::OneOfOrPath(_)
                | ValueKind::Number(1..)
                | ValueKind::Duration(_)
                | ValueKind::Size
                | ValueKind::Targets
        ) {
            writeln!(text, "Values: {}.", roff(&row.kind.accepted())).unwrap();
        }
        match row.aliases {
            [] => {}
            names => {
                let names: Vec<String> = names
                    .iter()
                    .map(|n| format!("\\fB{}\\fR", roff(n)))
                    .collect();
                writeln!(text, "Also called {}.", names.join(", ")).unwrap();
            }
        }
    }
    text
}

/// The variables of other programs that are refused by name.
fn refused() -> String {
    let mut text = String::new();
    for row in REFUSED {
        writeln!(
            text,
            ".TP\n\\fB{}\\fR\n{}",
            roff(row.name),
            roff(row.instead)
        )
        .unwrap();
    }
    text
}

/// The commands of other programs that have no effect.
fn elsewhere() -> String {
    let is_ours = |name: &str| {
        GROUPS
            .iter()
            .any(|group| group.rows.iter().any(|row| row.name == name))
    };
    let names = ELSEWHERE.iter().filter(|name| !is_ours(name));
    let names: Vec<String> = names.map(|name| roff(name)).collect();
    format!("{}.\n", names.join(",\n"))
}

fn statuses() -> String {
    let mut text = String::new();
    for (kind, meaning) in door::statuses() {
        let status = kind.map_or(0, Kind::status);
        writeln!(text, ".TP\n\\fB{status}\\fR\n{}", roff(meaning)).unwrap();
    }
    text
}

/// The tilde escapes.
fn escapes() -> String {
    let mut text = String::new();
    for (form, help) in door::escapes() {
        let [form, help] = [form, help].map(|text| roff(text).replace('~', "\\(ti"));
        writeln!(text, ".TP\n\\fB{form}\\fR\n{help}.").unwrap();
    }
    text
}

/// The exit statuses from the worst to the least.
fn order() -> String {
    let mut kinds: Vec<Kind> = door::statuses()
        .iter()
        .filter_map(|(kind, _)| *kind)
        .collect();
    kinds.sort_unstable();
    let numbers: Vec<String> = kinds.iter().map(|kind| kind.status().to_string()).collect();
    numbers.join(" ") + " 0"
}

/// Returns the examples of a page that say `.\" run` in front, as shell text.
pub fn examples(page: &str) -> Vec<String> {
    let text = template(page);
    let mut found = Vec::new();
    for part in text.split(".\\\" run\n").skip(1) {
        let block = part
            .strip_prefix(".EX\n")
            .and_then(|rest| rest.split_once("\n.EE"))
            .unwrap_or_else(|| panic!("{page}.in: `run` needs .EX and .EE: {part}"));
        let plain = block.0.replace("\\-", "-").replace("\\&", "");
        found.push(plain.replace("\\(aq", "'").replace("\\e", "\\"));
    }
    found
}

/// Returns what the examples of reading type, each a session: dialogues of the page, blocks that say
/// `.\" commands` in front, and the examples of the table of commands.
pub fn sessions(page: &str) -> Vec<String> {
    let text = template(page);
    let plain = |text: &str| {
        let text = text.replace("\\-", "-").replace("\\(ga", "`");
        let text = text.replace("\\(ti", "~").replace("\\fB", "");
        text.replace("\\fR", "")
    };
    let mut found = Vec::new();
    for part in text.split(".\\\" commands\n.EX\n").skip(1) {
        found.push(plain(part.split("\n.EE").next().expect("a part")));
    }
    for part in text.split(".EX\n").skip(1) {
        let block = part.split("\n.EE").next().expect("a part");
        if !block.contains("? \\fB") {
            continue;
        }
        let lines = block.lines().filter(|line| !line.starts_with("$ "));
        let lines = lines.map(|line| plain(line.strip_prefix("? ").unwrap_or(line)));
        found.push(lines.collect::<Vec<_>>().join("\n"));
    }
    // The table belongs to this page only.
    let groups = if page == "mailx.1" { GROUPS } else { &[] };
    for row in groups.iter().flat_map(|group| group.rows) {
        let lines = row
            .more
            .lines()
            .filter_map(|line| line.strip_prefix("    "));
        let lines: Vec<&str> = lines.collect();
        // Those of `file` are names, and no commands.
        if !lines.is_empty() && row.name != "file" {
            found.push(lines.join("\n"));
        }
    }
    found
}

/// Returns the templates with examples.
pub fn pages() -> impl Iterator<Item = &'static str> {
    PAGES.into_iter()
}

/// Returns a committed document.
pub fn document(path: &str) -> String {
    let path: PathBuf = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
