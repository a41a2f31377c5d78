//! Tests of the dialects: a command line, and the long options that it means.

use super::*;
use crate::cli::mailx::options::MailxArguments;

fn normalised(line: &[&str], posixly_correct: bool) -> Result<Vec<String>, Failure> {
    let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
    let probe = Probe {
        is_file: &|name| name == "report.pdf" || name == "file:with colon",
        is_command: &|word| word == "set",
        posixly_correct,
    };
    normalise(&arguments, &probe).map(|words| {
        words
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect()
    })
}

#[test]
fn each_rule_gives_its_long_options() {
    let table: &[(&[&str], &[&str])] = &[
        (&["-s", "t", "u@x"], &["--subject=t", "--", "u@x"]),
        (
            &["-ins", "t", "u@x"],
            &["--ignore", "--no-system-rc", "--subject=t", "--", "u@x"],
        ),
        (&["-sSUBJ", "u@x"], &["--subject=SUBJ", "--", "u@x"]),
        (&["-s", "-x", "u@x"], &["--subject=-x", "--", "u@x"]),
        // R1
        (
            &["-a", "report.pdf", "u"],
            &["--attach=report.pdf", "--", "u"],
        ),
        (&["-a", "X-A: b", "u"], &["--header=X-A: b", "--", "u"]),
        (&["-a", "From : b", "u"], &["--header=From : b", "--", "u"]),
        (
            &["-a", "file:with colon", "u"],
            &["--attach=file:with colon", "--", "u"],
        ),
        (&["-a", "missing", "u"], &["--attach=missing", "--", "u"]),
        // R2
        (
            &["-A", "report.pdf", "u"],
            &["--attach=report.pdf", "--", "u"],
        ),
        (&["-A", "work", "u"], &["--account=work", "--", "u"]),
        // R4
        (&["-E", "u@x"], &["--discard-empty-messages", "--", "u@x"]),
        (
            &["-Es", "t", "u"],
            &["--discard-empty-messages", "--subject=t", "--", "u"],
        ),
        (
            &["-E", "set nullbody", "u"],
            &["--command=set nullbody", "--", "u"],
        ),
        (&["-Eset x", "u"], &["--command=set x", "--", "u"]),
        // R6
        (
            &["-M", "text/html", "u"],
            &["--content-type=text/html", "--", "u"],
        ),
        (&["-Mhtml", "u"], &["--content-type=html", "--", "u"]),
        (&["-M", "u@x"], &["--", "u@x"]),
        // R7
        (&["--", "-x", "u"], &["--", "-x", "u"]),
        (
            &["u", "--", "-f", "from@x", "v"],
            &["--from=from@x", "--", "u", "v"],
        ),
        // R8
        (
            &["u@x", "-s", "t", "v@x"],
            &["--subject=t", "--", "u@x", "v@x"],
        ),
        (
            &["u@x", "-a", "report.pdf"],
            &["--attach=report.pdf", "--", "u@x"],
        ),
        // reading
        (&["-f", "box"], &["--file", "--", "box"]),
        (
            &["-fin", "box"],
            &["--file", "--ignore", "--no-system-rc", "--", "box"],
        ),
        (&["-H:u", "-f"], &["--headers=:u", "--file", "--"]),
        (&["-HN"], &["--headers", "--no-summary", "--"]),
        (&["--file=box"], &["--file=box", "--"]),
        // long names of the others, and beginnings of names
        (&["--subj", "t", "u"], &["--subject=t", "--", "u"]),
        (&["--append=X: y", "u"], &["--header=X: y", "--", "u"]),
        // R5
        (
            &["-q", "report.pdf", "u"],
            &["--quote-file=report.pdf", "--", "u"],
        ),
        (&["-q", "u@x"], &["--", "u@x"]),
        (&["-q", "u@x.gz"], &["--", "u@x.gz"]),
        (
            &["-q", "gone.txt", "u@x"],
            &["--quote-file=gone.txt", "--", "u@x"],
        ),
        (
            &["-q/tmp/gone", "u@x"],
            &["--quote-file=/tmp/gone", "--", "u@x"],
        ),
        // O33, O35, O37
        (&["-h", "3", "u"], &["--", "u"]),
        (&["-DB", "u"], &["--", "u"]),
        (&["-.", "-x", "u"], &["--", "-x", "u"]),
        (
            &[
                "--content-type=text/csv",
                "--attach",
                "x",
                "--content-type",
                "text/html",
                "u",
            ],
            &[
                "--attach=x",
                "--attachment=0:type=text/csv",
                "--content-type=text/html",
                "--",
                "u",
            ],
        ),
        (&["--exec", "set x", "u"], &["--command=set x", "--", "u"]),
        (&["-", "u"], &["--", "-", "u"]),
    ];
    for (line, expected) in table {
        assert_eq!(normalised(line, false).unwrap(), *expected, "{line:?}");
    }
}

#[test]
fn posix_stops_at_the_first_operand() {
    assert_eq!(
        normalised(&["-s", "t", "u@x", "-s", "v"], true).unwrap(),
        ["--subject=t", "--", "u@x", "-s", "v"]
    );
}

#[test]
fn errors_speak_the_users_spelling() {
    let table: &[(&[&str], &str)] = &[
        (&["-s"], "option -s needs a value"),
        (&["--subject"], "option --subject needs a value"),
        (&["-y"], "unknown option -y"),
        (&["--blorb"], "unknown option --blorb"),
        (&["--ignore=x"], "option --ignore takes no value"),
        (&["u", "--", "-x"], "-x is not allowed after --"),
        (&["u", "--", "-f"], "option -f after -- needs a value"),
    ];
    for (line, expected) in table {
        assert_eq!(normalised(line, false).unwrap_err().what, *expected);
    }
}

#[test]
fn what_the_dialect_decides_still_has_its_row_for_the_documents() {
    for letter in ['a', 'A', 'E', 'M', 'f', 'r', 'H'] {
        assert!(OptionRow::by_letter(letter).is_some(), "-{letter}");
    }
}

#[test]
fn clap_accepts_what_normalise_makes() {
    use clap::Parser;
    let words = normalised(&["-ins", "t", "-S", "x=y", "u@x", "-c", "c@x,d@x"], false).unwrap();
    let words = std::iter::once("mailx".to_owned()).chain(words);
    let parsed = MailxArguments::try_parse_from(words).unwrap();
    assert_eq!(parsed.subject.as_deref(), Some(OsStr::new("t")));
    assert_eq!(parsed.operands, ["u@x"]);
    assert_eq!(parsed.cc, ["c@x,d@x"]);
}
