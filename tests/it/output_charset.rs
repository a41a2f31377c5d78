//! One rule at every door: what people read is in the charset that the locale names, and UTF-8 where
//! it names none; JSON is always UTF-8.

use crate::case::Case;
use crate::doors::{assert_rule, table, unless};
use crate::sendmail::FakeSendmail;

const MAIL: &str = "From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe_=E2=82=AC?=\n\
    Content-Type: text/plain; charset=utf-8\nStatus: RO\n\nGr\u{f6}\u{df}e \u{20ac}\n\n";

fn reader(name: &str, args: &[&str]) -> Case {
    Case::new()
        .called(name)
        .args(args)
        .file("cwd/b\u{f6}x", MAIL)
}

/// Doors for people; each shows an ö.
fn doors() -> Vec<(&'static str, Case)> {
    let sending = |args: &[&str]| {
        let case = Case::new().args(args).stdin("a line\n");
        case.sendmail(FakeSendmail::accepting())
    };
    vec![
        ("headers", reader("mailx", &["-H", "-f", "b\u{f6}x"])),
        (
            "print",
            reader("mailx", &["-f", "b\u{f6}x"]).stdin("p\nx\n"),
        ),
        (
            "top",
            reader("mailx", &["-f", "b\u{f6}x"]).stdin("top\nx\n"),
        ),
        (
            "from",
            reader("mailx", &["-f", "b\u{f6}x"]).stdin("f 1\nx\n"),
        ),
        (
            "complaint of the reader",
            reader("mailx", &["-f", "b\u{f6}x"]).stdin("\u{f6}\nx\n"),
        ),
        (
            "quit",
            reader("mailx", &["-f", "b\u{f6}x"]).stdin("d 1\nq\n"),
        ),
        ("list", reader("postrider", &["list", "--file", "b\u{f6}x"])),
        (
            "show",
            reader("postrider", &["show", "1", "--file", "b\u{f6}x"]),
        ),
        (
            "dry run",
            reader(
                "postrider",
                &["delete", "1", "--dry-run", "--file", "b\u{f6}x"],
            ),
        ),
        ("no mailbox", Case::new().args(["-f", "n\u{f6}"])),
        (
            "missing attachment",
            sending(&["-s", "t", "-a", "n\u{f6}", "a@x.example"]),
        ),
        (
            "explanation",
            sending(&[
                "--explain",
                "-s",
                "t",
                "-S",
                "indentprefix=\u{f6}",
                "a@x.example",
            ]),
        ),
        (
            "escapes",
            sending(&["-~", "-s", "t", "a@x.example"]).stdin("~s Gr\u{f6}\n~p\n~x\n"),
        ),
    ]
}

/// Returns standard output and error in the locale.
fn shown(case: Case, locale: &str) -> Vec<u8> {
    let mut case = case
        .env("LC_ALL", locale)
        .any_stdout()
        .any_stderr()
        .any_status();
    for changed in ["home", "cwd"] {
        case = case.may_change(changed);
    }
    let ran = case.run();
    [ran.output.stdout, ran.output.stderr].concat()
}

#[test]
fn a_latin_1_locale_gets_latin_1_at_every_door() {
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|found| found == part);
    // The bytes that must be there, and those that must not.
    type Expected = (&'static [u8], &'static [&'static [u8]]);
    let latin: Expected = (b"\xf6", &[b"\xc3", b"\x80"]);
    let utf8: Expected = ("\u{f6}".as_bytes(), &[]);
    let locales = ["de_DE.ISO-8859-1", "C"];
    let inputs = [
        (locales[0], (locales[0], latin)),
        (locales[1], (locales[1], utf8)),
    ];
    assert_rule(table(&inputs, doors), |((locale, (part, none)), case)| {
        let bytes = shown(case, locale);
        let is_right = has(&bytes, part) && !none.iter().any(|part| has(&bytes, part));
        unless(is_right, bytes.escape_ascii().to_string())
    });
}

#[test]
fn what_the_charset_lacks_is_shown_by_its_number() {
    let bytes = shown(
        reader("mailx", &["-H", "-f", "b\u{f6}x"]),
        "de_DE.ISO-8859-1",
    );
    let text = bytes.escape_ascii().to_string();
    assert!(text.contains("Gr\\xf6\\xdfe <U+20AC>"), "{text}");
}

#[test]
fn json_is_utf_8_in_every_locale() {
    let lists = ["list", "show"].map(|command| {
        let number = (command == "show").then_some("1");
        reader("postrider", &[command, "--json", "--file", "b\u{f6}x"]).args(number)
    });
    let receipt = Case::send([
        "--json",
        "-s",
        "Gr\u{f6}",
        "-r",
        "j@x.example",
        "a@x.example",
    ])
    .stdin("x\n");
    for case in lists.into_iter().chain([receipt]) {
        let bytes = shown(case, "de_DE.ISO-8859-1");
        assert!(!bytes.is_empty() && String::from_utf8(bytes).is_ok());
    }
}
