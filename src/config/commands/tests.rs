//! The words of the table, at the prompt and in rc files.

use super::row::Allowed;
use super::*;
use crate::config::FieldUse;

#[test]
fn abbreviations_at_the_prompt_are_those_of_posix() {
    let cases = [
        ("n", "next"),
        ("p", "print"),
        ("pr", "print"),
        ("pre", "preserve"),
        ("prev", "previous"),
        ("P", "Print"),
        ("t", "type"),
        ("typ", "type"),
        ("to", "top"),
        ("T", "Type"),
        ("h", "headers"),
        ("hel", "help"),
        ("f", "from"),
        ("si", "size"),
        ("e", "edit"),
        ("v", "visual"),
        ("pi", "pipe"),
        ("|", "|"),
        ("sh", "shell"),
        ("!", "!"),
        ("ex", "exit"),
        ("x", "xit"),
        ("d", "delete"),
        ("u", "undelete"),
        ("un", "undelete"),
        ("unread", "unread"),
        ("U", "Unread"),
        ("s", "save"),
        ("S", "Save"),
        ("c", "copy"),
        ("C", "Copy"),
        ("w", "write"),
        ("ho", "hold"),
        ("tou", "touch"),
        ("mb", "mbox"),
        ("fl", "flag"),
        ("q", "quit"),
        ("l", "list"),
        ("z", "z"),
        ("=", "="),
    ];
    for (word, name) in cases {
        assert_eq!(
            find_at_prompt(word).map(|command| command.name),
            Some(name),
            "{word}"
        );
    }
    for word in ["foo", "nextt", "N", ""] {
        assert!(find_at_prompt(word).is_none(), "{word}");
    }
}

#[test]
fn a_word_means_in_an_rc_file_what_its_row_says() {
    use RcCommand::*;
    let rows = [
        ("se", Some(Set)),
        ("set", Some(Set)),
        ("s", None),
        ("uns", Some(Unset)),
        ("a", Some(Alias)),
        ("gr", Some(Alias)),
        ("alt", Some(Alternates)),
        ("una", Some(Unalias)),
        ("so", Some(Source)),
        ("ig", Some(Ignore(FieldUse::Show))),
        ("di", Some(Ignore(FieldUse::Show))),
        ("ret", Some(Retain(FieldUse::Show))),
        ("re", Some(NotAllowed)),
        ("unig", None),
        ("unign", Some(Unignore(FieldUse::Show))),
        ("unret", Some(Unretain(FieldUse::Show))),
        ("i", Some(If)),
        ("eli", Some(Elif)),
        ("el", Some(Else)),
        ("en", Some(Endif)),
        ("e", Some(NotAllowed)),
        ("ac", Some(Account)),
        ("ho", Some(NotAllowed)),
        ("pre", Some(NotAllowed)),
        ("m", Some(NotAllowed)),
        ("r", Some(NotAllowed)),
        ("sh", Some(NotAllowed)),
        ("v", Some(NotAllowed)),
        ("C", Some(NotAllowed)),
        ("F", Some(NotAllowed)),
        ("fo", Some(NotAllowed)),
        ("folder", Some(NoEffect)),
        ("folde", None),
        ("delete", Some(NoEffect)),
        ("d", None),
        ("Print", Some(NoEffect)),
        ("flag", Some(NoEffect)),
        ("fla", None),
        ("headers", Some(NoEffect)),
        ("", None),
        ("no-such", None),
        ("headerpick", Some(HeaderPick)),
        ("headerpic", None),
        ("saveignore", Some(Ignore(FieldUse::Save))),
        ("saveignor", None),
        ("fwdretain", Some(Retain(FieldUse::Forward))),
        ("mlist", Some(MailingList { subscribed: false })),
    ];
    for (word, expected) in rows {
        assert_eq!(find_in_rc_files(word), expected, "{word}");
    }
}

#[test]
fn every_row_is_allowed_somewhere_and_its_name_is_told_once() {
    let mut names: Vec<&str> = all().map(|row| row.name).collect();
    for row in all() {
        assert!(row.enough <= row.name.len(), "{}", row.name);
        let Allowed { prompt, rc } = row.allowed;
        assert!(prompt.is_some() || rc.is_some(), "{}", row.name);
        let elsewhere = elsewhere::has(row.name).then_some(RcCommand::NoEffect);
        assert_eq!(rc.or(elsewhere), find_in_rc_files(row.name), "{}", row.name);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_row_can_be_reached_and_is_told() {
    for command in at_prompt() {
        let found = find_at_prompt(command.name).unwrap();
        assert_eq!(found.name, command.name);
        assert!(
            !matches!(command.help, Help::Text(text) if text.is_empty() || text.ends_with('.')),
            "{}",
            command.name
        );
    }
}
