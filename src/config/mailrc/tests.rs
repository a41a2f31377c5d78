//! Tests of the mailrc interpreter.

use std::os::unix::fs::PermissionsExt;

use super::source::SOURCE_FILES;
use super::*;
use crate::config::problem::Lines;

fn context() -> Context<'static> {
    Context {
        sending: true,
        terminal: false,
        home: Some(Path::new("/home/alice")),
    }
}

fn read(text: &str) -> Settings {
    let mut settings = Settings::default();
    read_text(
        &mut settings,
        Path::new("mailrc"),
        text.as_bytes(),
        &context(),
    );
    settings
}

#[test]
fn words_are_split_as_mailx_does() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("a b\tc", &["a", "b", "c"]),
        ("from=\"Alice <a@b>\" noask", &["from=Alice <a@b>", "noask"]),
        ("'a \"b' c\\ d", &["a \"b", "c d"]),
        ("x=''", &["x="]),
        ("\"\" y", &["", "y"]),
    ];
    for (line, expected) in table {
        let words: Vec<String> = words::texts(line).unwrap().collect();
        assert_eq!(words, *expected, "{line}");
    }
    assert!(words::texts("set from=\"x").is_err());
}

#[test]
fn variables_aliases_and_lists_are_read() {
    let settings = read(
        "# comment\nset from=a@example.org noheader smtp-auth-password=x\\\n\\y\n\
         alias ops a@x 'Bob <b@x>'\nalias ops c@x\nalternates me@x\nig Received X-Foo:\n\
         set sendmail=/bin/true\nheaders\n",
    );
    assert_eq!(settings.problems, []);
    assert_eq!(settings.get("from"), Some("a@example.org"));
    assert!(!settings.is_set("header"));
    assert!(settings.is_set("save"));
    assert_eq!(settings.get("mta"), Some("/bin/true"));
    let ops: Vec<&str> = settings.aliases["ops"].iter().collect();
    assert_eq!(ops, ["a@x", "Bob <b@x>", "c@x"]);
    let ignored: Vec<&String> = settings.shown.ignored.iter().collect();
    assert_eq!(ignored, ["received", "x-foo"]);
}

#[test]
fn conditions_nest_and_the_first_branch_counts() {
    let settings = read(
        "if r\nset from=r@x\nif s\nset from=rs@x\nendif\nelse\nset from=s@x\nendif\n\
         if s\nset sender=1@x\nelif s\nset sender=2@x\nelse\nset sender=3@x\nendif\n",
    );
    assert_eq!(settings.get("from"), Some("s@x"));
    assert_eq!(settings.get("sender"), Some("1@x"));
    assert_eq!(settings.problems, []);
}

#[test]
fn a_bad_line_is_named_and_the_rest_counts() {
    let text = "blorb\nset mta-alises=x from=a@x\nset mta=\"x\nif x > 3\nset crt\nendif\nfoo\n";
    let settings = read(text);
    let problems: Vec<String> = settings
        .problems
        .iter()
        .map(|problem| problem.what.clone())
        .collect();
    assert_eq!(
        problems,
        [
            "unknown commands \"blorb\", \"foo\" (line 7)",
            "unknown variable mta-alises",
            "a quote is not closed: mta",
            "the condition \"x > 3\" is not understood and counts as false",
        ]
    );
    let weights: Vec<Weight> = settings.problems.iter().map(|p| p.weight).collect();
    assert_eq!(
        weights,
        [Weight::Line, Weight::Route, Weight::Route, Weight::Line]
    );
    assert_eq!(settings.get("from"), Some("a@x"));
}

#[test]
fn a_value_that_is_set_later_makes_good_what_was_wrong() {
    let settings = read("set tls=bogus toplines=x tls-nonesuch\nset tls=require toplines=3\n");
    let wrong: Vec<&str> = settings.problems.iter().map(|p| p.what.as_str()).collect();
    assert_eq!(wrong, ["unknown variable tls-nonesuch"]);
    assert_eq!(settings.get("tls"), Some("require"));
    let settings = read("set tls=bogus tls-nonesuch\nunset tls tls-nonesuch\n");
    assert_eq!(settings.problems, []);
    assert_eq!(settings.get("tls"), None);
}

#[test]
fn a_line_that_is_not_understood_and_may_name_the_way_out_stops_mail() {
    for line in [
        "set mta (x) smtp://relay.example",
        "set = mta",
        "set notls=1",
        "set from=a@x smtp-auth-user=\"x",
        "unset \"tls",
    ] {
        let settings = read(line);
        let weights: Vec<Weight> = settings.problems.iter().map(|p| p.weight).collect();
        assert!(
            weights.contains(&Weight::Route),
            "{line}: {:?}",
            settings.problems
        );
    }
    for line in ["set prompt (x)", "set nohold=1", "set from=\"x"] {
        let settings = read(line);
        assert_eq!(settings.problems.len(), 1, "{line}");
        assert_eq!(settings.problems[0].weight, Weight::Line, "{line}");
    }
}

#[test]
fn accounts_apply_only_when_chosen() {
    let mut settings = read("account work {\nset from=w@x\n}\nset from=h@x\n");
    assert_eq!(settings.get("from"), Some("h@x"));
    assert!(use_account(&mut settings, "work", &context()));
    assert_eq!(settings.get("from"), Some("w@x"));
    assert!(!use_account(&mut settings, "other", &context()));
}

#[test]
fn a_file_that_others_can_write_is_ignored_and_said_so() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "set from=evil@x\n").unwrap();
    std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o666)).unwrap();
    let mut settings = Settings::default();
    read_file(&mut settings, file.path(), &context());
    assert_eq!(settings.get("from"), None);
    assert!(settings.problems[0].what.contains("every user may write"));
}

#[test]
fn files_that_each_source_ten_others_end_and_nothing_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let path = |level: usize| directory.path().join(level.to_string());
    for level in 0..8 {
        let line = format!("source {}\n", crate::sanitize::path(&path(level + 1)));
        std::fs::write(path(level), line.repeat(10)).unwrap();
    }
    std::fs::write(path(8), "set from=a@x\n").unwrap();
    let mut settings = Settings::default();
    read_file(&mut settings, &path(0), &context());
    assert_eq!(settings.get("from"), Some("a@x"));
    // The lines behind the limit are passed over, at every level that is open.
    assert!(settings.sourced.files < SOURCE_FILES + 8 * 10);
    let told: Vec<_> = settings
        .problems
        .iter()
        .map(|p| (&*p.what, p.weight))
        .collect();
    let what = "source has read 256 files or 4 MB: the rest is ignored";
    assert_eq!(told, [(what, Weight::Route)]);
}

#[test]
fn files_that_are_sourced_are_limited_by_their_bytes_too() {
    let directory = tempfile::tempdir().unwrap();
    let big = directory.path().join("big");
    std::fs::write(&big, "#\n".repeat(1_000_000)).unwrap();
    let lines = format!("source {}\n", crate::sanitize::path(&big)).repeat(20);
    let mut settings = Settings::default();
    read_text(
        &mut settings,
        directory.path(),
        lines.as_bytes(),
        &context(),
    );
    assert_eq!(settings.sourced.bytes, 6_000_000);
    assert_eq!(settings.problems.len(), 1);
}

#[test]
fn a_file_that_sources_itself_ends() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        format!("source {}\n", crate::sanitize::path(&file.path())),
    )
    .unwrap();
    let mut settings = Settings::default();
    read_file(&mut settings, file.path(), &context());
    assert_eq!(settings.problems.len(), 1);
    assert_eq!(
        settings.problems[0].what,
        "source lines are nested too deep"
    );
}

#[test]
fn a_command_of_the_reader_has_no_effect_and_its_place_is_returned() {
    let mut settings = Settings::default();
    let line = |number: usize, text: &str| {
        let origin = Origin::Option(number.to_string());
        (origin, text.as_bytes().to_owned())
    };
    let applied = |settings: &mut Settings, lines: Lines| apply_lines(settings, lines, &context());
    let lines = vec![line(1, "set from=a@x"), line(2, "ignore x")];
    assert_eq!(applied(&mut settings, lines), None);
    let lines = vec![
        line(1, "if r"),
        line(2, "headers"),
        line(3, "endif"),
        line(4, "delete 1"),
        line(5, "top"),
    ];
    assert_eq!(
        applied(&mut settings, lines),
        Some(Origin::Option("4".to_owned()))
    );
    assert_eq!(settings.problems, []);
}

#[test]
fn a_configuration_with_more_entries_than_there_is_room_for_stops_mail_and_says_so() {
    let many = |form: &str| -> String {
        // All but the members of one line are two entries a line.
        let count = crate::config::settings::MAX_ENTRIES / if form.ends_with('x') { 1 } else { 2 };
        (0..count + 10)
            .map(|at| form.replace('N', &at.to_string()))
            .collect()
    };
    let one_line = |command: &str| format!("{command}{}\n", many(" uN@x"));
    let account = format!("account a {{\n{}}}\n", many("set vN=x\n"));
    let table = [
        many("set vN=x\n"),
        many("alias aN u@x\n"),
        one_line("alias all"),
        one_line("alternates"),
        one_line("ignore"),
        account,
    ];
    for text in &table {
        let settings = read(text);
        let what = "the configuration has more than 100000 entries: the rest is ignored";
        let told = settings
            .problems
            .iter()
            .filter(|problem| problem.what == what && problem.weight == Weight::Route);
        assert_eq!(told.count(), 1, "{}", &text[..40]);
    }
    // One variable set again and again is one entry; a command without effect is none.
    for form in ["set v=N\n", "headers N\n"] {
        assert_eq!(read(&many(form)).problems, []);
    }
}

#[test]
fn wrong_lines_without_end_are_told_up_to_a_limit_and_none_is_made_good_by_it() {
    let mut text = "set =\n".repeat(5_000);
    text.push_str("set tls=maybe\nset tls=require\n");
    let settings = read(&text);
    assert_eq!(settings.problems.len(), 1_002);
    let last = &settings.problems[1_001];
    assert_eq!(last.what, "there are more errors here that are not shown");
    assert_eq!(last.weight, Weight::Route);
}

#[test]
fn a_line_that_is_not_understood_and_may_set_the_way_out_stops_mail() {
    let stops = |text: &str| {
        let problems = read(text).problems;
        problems
            .iter()
            .any(|problem| problem.weight == Weight::Route)
    };
    for text in [
        "vput csop mta trim x",
        "environ set smtp=relay",
        "eval set tls=require",
        "local set mta=/bin/true",
        "sett smtp=relay",
        "SET smtp=relay",
        "smtp=relay",
        "export mta=/bin/true",
        "define f {\nset tls=require\n}\ncall f",
        "define f {\nset tls=require",
        "define f {\nset tls=require\n}\neval call f",
        "define f {\nset tls=require\n}\ndefine g {\ncall f\n}\ncall g",
        "define g {\ncall f\n}\ndefine f {\ncall g\nset tls=require\n}\ncall g",
        "if $x == 1\nset tls=require\nendif",
        "if $x == 1\nset from=a@b\nelse\nset smtp=relay\nendif",
        "if $x == 1\nif s\nset tls=require\nendif\nendif",
        "if r\nelif $x\nset tls=require\nendif",
        "account x {\nset from=a@b\nset smtp=relay",
        "if r\nset from=a@b\nset smtp=relay",
    ] {
        assert!(stops(text), "{text}");
    }
    for text in [
        "wysh set from=a@b",
        "echo tls=require",
        "local set x=y",
        "seet header",
        "define f {\nset tls=require\n}",
        "define f {\nset from=a@b\n}\ncall f",
        "define f {\ncall f\n}\ncall f",
        "if $x == 1\nset from=a@b\nendif",
        "if r\nset tls=require\nendif",
        "account x {\nset tls=require\n}",
        "account x {\nset from=a@b",
        "if s\nset smtp=relay",
    ] {
        assert!(!stops(text), "{text}");
    }
    // What a macro holds is not carried out where it stands.
    assert_eq!(read("define f {\nset from=a@b\n}").get("from"), None);
}

#[test]
fn commands_of_a_line_and_lines_of_accounts_in_use_are_limited() {
    let line = "wysh set a; ".repeat(5_000);
    let account = format!("account w {{\n{}}}\n", "set v=x\n".repeat(1_000));
    let accounts = account + &"account w\n".repeat(1_000);
    for (text, what) in [
        (line, "more than 1000 commands on one line"),
        (accounts, "the configuration has more than 100000 entries"),
    ] {
        let problems = read(&text).problems;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].what.starts_with(what), "{}", problems[0].what);
        assert_eq!(problems[0].weight, Weight::Route);
    }
}
