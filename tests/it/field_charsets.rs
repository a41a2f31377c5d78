//! One value of a header field everywhere: 8-bit fields are read by the charset of the text.

use serde_json::Value;

use crate::case::Case;
use crate::doors::{assert_rule, table, unless};
use crate::sendmail::FakeSendmail;

/// The bytes of a word, the Content-Type of its message, and the word.
type Input = (&'static [u8], &'static str, &'static str);

const INPUTS: &[(&str, Input)] = &[
    (
        "windows-1251",
        (
            b"\xcf\xf0\xe8\xe2\xe5\xf2",
            "text/plain; charset=windows-1251",
            "Привет",
        ),
    ),
    (
        "koi8-r",
        (
            b"\xf0\xd2\xc9\xd7\xc5\xd4",
            "text/html; charset=\"KOI8-R\"",
            "Привет",
        ),
    ),
    (
        "shift_jis",
        (b"\x93\xfa\x96{", "text/plain; charset=Shift_JIS", "日本"),
    ),
    (
        "UTF-8 with another label",
        (
            "Größe".as_bytes(),
            "text/plain; charset=iso-8859-1",
            "Größe",
        ),
    ),
];

/// The ways by which a field is read: arguments, keys at the prompt, and where the word shall be.
type Door = (
    &'static [&'static str],
    &'static str,
    fn(&str, &str) -> bool,
);

const DOORS: &[(&str, Door)] = &[
    (
        "show",
        (&["show", "1"], "", |out, word| {
            out.contains(&format!("Subject: {word}z\n"))
                && out.contains(&format!("From: {word} <a@x.org>\n"))
        }),
    ),
    (
        "list",
        (&["list"], "", |out, word| {
            out.contains(&format!(" {word}z\n"))
        }),
    ),
    (
        "list, names",
        (
            &["read"],
            "set headline=postrider showname\nh\nx\n",
            |out, word| out.contains(&format!(" {word} ")),
        ),
    ),
    ("list --json", (&["list", "--json"], "", json_says)),
    ("show --json", (&["show", "1", "--json"], "", json_says)),
    ("search subject", (&["search", "subject:WORD"], "", finds)),
    (
        "search subject by case",
        (&["search", "subject:word"], "", finds),
    ),
    ("search from", (&["search", "from:WORD"], "", finds)),
    ("search header", (&["search", "header:WORD"], "", finds)),
    ("search text", (&["search", "text:WORD"], "", finds)),
    (
        "search a message within",
        (&["search", "body:WORD"], "", |out, _| out.contains(" 4 ")),
    ),
    ("prompt: /text", (&["read"], "f /WORD\nx\n", finds)),
    (
        "sort",
        (
            &["read"],
            "set noheader\nsort subject\nf *\nx\n",
            |out, _| numbers(out) == [2, 4, 5, 1, 3],
        ),
    ),
    (
        "thread",
        (&["read"], "set noheader\nthread\nf *\nx\n", |out, _| {
            numbers(out) == [1, 3, 2, 4, 5]
        }),
    ),
];

fn finds(out: &str, word: &str) -> bool {
    numbers(out).contains(&1) && out.contains(&format!("{word}z"))
}

/// Returns the numbers of the last header lines.
fn numbers(out: &str) -> Vec<usize> {
    let number = |line: &str| line.get(2..)?.split_whitespace().next()?.parse().ok();
    let mut found: Vec<usize> = out.lines().filter_map(number).collect();
    found.drain(..found.len().saturating_sub(5));
    found
}

fn json_says(out: &str, word: &str) -> bool {
    let Some(object) = out
        .lines()
        .next()
        .and_then(|line| serde_json::from_str::<Value>(line).ok())
    else {
        return false;
    };
    let is_utf_8 = word == "Größe";
    let in_fields = object["fields"].as_array().is_none_or(|fields| {
        fields
            .iter()
            .any(|field| field["body"] == format!("{word}z"))
    });
    in_fields
        && object["subject"] == format!("{word}z")
        && object["from"] == format!("{word} <a@x.org>")
        && object["from_name"] == word
        && object.get("subject_raw").is_none() == is_utf_8
}

/// Returns five messages: one with 8-bit fields, another one, an answer to the first by subject, one
/// that holds a message with such fields, and one whose subject comes before that of the first.
fn mailbox((bytes, media_type, word): Input) -> Vec<u8> {
    let mut mbox = b"From a@x.org Mon Nov 16 09:00:00 2026\nFrom: ".to_vec();
    mbox.extend_from_slice(bytes);
    mbox.extend_from_slice(b" <a@x.org>\nMessage-ID: <1@x.org>\nSubject: ");
    mbox.extend_from_slice(bytes);
    mbox.extend_from_slice(format!("z\nContent-Type: {media_type}\n\none\n\n").as_bytes());
    let answer = format!(
        "From b@x.org Mon Nov 16 10:00:00 2026\nFrom: b@x.org\nSubject: a\n\ntwo\n\n\
        From b@x.org Mon Nov 16 11:00:00 2026\nFrom: b@x.org\nSubject: Re: {word}z\n\nthree\n\n\
        From b@x.org Mon Nov 16 12:00:00 2026\nFrom: b@x.org\nSubject: b\n\
        Content-Type: message/rfc822\n\nSubject: "
    );
    mbox.extend_from_slice(answer.as_bytes());
    mbox.extend_from_slice(bytes);
    let last = format!(
        "z\nContent-Type: {media_type}\n\nfour\n\n\
        From b@x.org Mon Nov 16 13:00:00 2026\nFrom: b@x.org\nSubject: {word}y\n\nfive\n\n"
    );
    mbox.extend_from_slice(last.as_bytes());
    mbox
}

#[test]
fn eight_bit_fields_are_the_same_words_at_every_door() {
    let doors = || DOORS.iter().map(|&(name, door)| (name, door)).collect();
    assert_rule(table(INPUTS, doors), |(input, (args, keys, holds))| {
        let word = input.2;
        let fill = |text: &str| {
            let text = text.replace("WORD", word);
            text.replace("word", &word.to_lowercase())
        };
        let ran = Case::new()
            .called("postrider")
            .args(args.iter().map(|arg| fill(arg)))
            .args(match args[0] {
                "read" => &["box"][..],
                _ => &["--file", "box"],
            })
            .file("cwd/box", mailbox(input))
            .stdin(fill(keys))
            .may_change("cwd/box")
            .any_status()
            .any_stdout()
            .any_stderr()
            .run();
        let out = ran.stdout();
        unless(holds(&out, word), format!("{out}{}", ran.stderr()))
    });
}

#[test]
fn an_answer_names_what_the_charset_of_the_text_says() {
    let inputs: Vec<(String, Input)> = INPUTS
        .iter()
        .map(|&(name, input)| (name.to_owned(), input))
        .collect();
    assert_rule(inputs, |input| {
        let word = input.2;
        let ran = Case::new()
            .called("postrider")
            .args(["reply", "1", "--quote", "--file", "box"])
            .file("cwd/box", mailbox(input))
            .stdin("yes\n")
            .sendmail(FakeSendmail::accepting())
            .may_change("cwd/box")
            .any_stderr()
            .run();
        let letter = ran.call().letter();
        let found = [letter.subject(), letter.text(), letter.head()];
        let [subject, text, _] = &found;
        let is_right = *subject == format!("Re: {word}z")
            && text.contains(&format!("{word} <a@x.org> wrote:"));
        unless(is_right, found.join("\n"))
    });
}
