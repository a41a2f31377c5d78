use super::*;
use crate::address::{BareName, readings};

/// Shows entries as `name|address`, errors as `!text: reason`.
fn shown(text: &str) -> Vec<String> {
    show(parse_list(text))
}

fn show(list: Vec<Result<NamedAddress, AddressError>>) -> Vec<String> {
    list.into_iter()
        .map(|entry| match entry {
            Ok(named) => match named.name() {
                Some(name) => format!("{name}|{}", named.address()),
                None => named.address().to_string(),
            },
            Err(error) => format!("!{}: {}", error.text, error.reason),
        })
        .collect()
}

#[test]
fn lists_as_people_write_them() {
    let table: &[(&str, &[&str])] = &[
        ("root", &["root"]),
        ("a@x.org", &["a@x.org"]),
        ("a@x,b@x", &["a@x", "b@x"]),
        ("a@x, b@x,", &["a@x", "b@x"]),
        ("a@x,,b@x", &["a@x", "b@x"]),
        ("a@x b@x\tc@x", &["a@x", "b@x", "c@x"]),
        ("a@x;b@x ; c@x", &["a@x", "b@x", "c@x"]),
        ("Ada L <a@x>", &["Ada L|a@x"]),
        ("Ada L<a@x>, root", &["Ada L|a@x", "root"]),
        ("\"Doe, John\" <j@x>, b@x", &["Doe, John|j@x", "b@x"]),
        ("\"a \\\"b\\\" c\" <j@x>", &["a \"b\" c|j@x"]),
        ("a@x (Ada (the) first)", &["Ada (the) first|a@x"]),
        ("<a@x>", &["a@x"]),
        ("<a@x> (Ada)", &["Ada|a@x"]),
        ("(note) a@x", &["a@x"]),
        ("team: a@x, Bob <b@x>;", &["a@x", "Bob|b@x"]),
        ("team: a@x; c@x", &["a@x", "c@x"]),
        (
            "my team: a@x, b@x; c@x, d: e@x;",
            &["a@x", "b@x", "c@x", "e@x"],
        ),
        ("undisclosed-recipients:;", &[]),
        ("u@[IPv6:2001:db8::1]", &["u@[IPv6:2001:db8::1]"]),
        ("\"ada\"@x", &["ada@x"]),
        ("\"a,b\"@x", &["\"a,b\"@x"]),
        ("\"a.b\"@x", &["a.b@x"]),
        ("\"a..b\"@x", &["\"a..b\"@x"]),
        ("\".a\"@x, <\"a.\"@x>", &["\".a\"@x", "\"a.\"@x"]),
        ("\"\"@x", &["\"\"@x"]),
        ("\"a@b\"@x", &["\"a@b\"@x"]),
        ("a @ x", &["a@x"]),
        ("Jörg <j@bücher.example>", &["Jörg|j@bücher.example"]),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text), *expected, "{text}");
    }
}

#[test]
fn a_bad_entry_is_named_and_the_others_stay() {
    let table: &[(&str, &[&str])] = &[
        ("", &["!: it is empty"]),
        (" , ", &["! , : it is empty"]),
        (
            "a@x, b@, c@x",
            &["a@x", "!b@: a part before or after '@' is missing", "c@x"],
        ),
        ("a@x, -oQ/tmp", &["a@x", "!-oQ/tmp: it starts with '-'"]),
        ("\"open, b@x", &["!\"open: a quote is not closed", "b@x"]),
        ("(open, b@x", &["!(open: a comment is not closed", "b@x"]),
        ("Ada <a@x, b@x", &["!Ada <a@x: '<' is not closed", "b@x"]),
        ("Ada <>", &["!Ada <>: it is empty"]),
        (
            "Ada <a@x> B <b@x>",
            &["!Ada <a@x> B <b@x>: a comma is missing between two addresses"],
        ),
        ("<a@x> b", &["!<a@x> b: there is text after '>'"]),
        (
            "\"Ada L\" a@x",
            &["!\"Ada L\" a@x: the address after a name needs '<' and '>'"],
        ),
        (
            "a@x\nBcc: b@x",
            &["!a@x\nBcc: b@x: it contains a control character"],
        ),
        ("Bcc: b@x", &["!Bcc: b@x: the group is not closed with ';'"]),
        (
            "a: b: c@x;",
            &[
                "!b:: its local part contains one of ( ) [ ] : ; , \" \\",
                "c@x",
            ],
        ),
        (
            "Ada <a@x, B <b@x>",
            &["!Ada <a@x: '<' is not closed", "B|b@x"],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text), *expected, "{text}");
    }
    assert!(parse_list("Ada <a\n@x>")[0].is_err());
}

#[test]
fn files_and_commands_only_with_expandaddr() {
    let refused = parse_list("|cat >x, /tmp/box, \"|cmd\", </etc/x>, a@x");
    assert_eq!(refused.len(), 5);
    assert!(refused[..4].iter().all(|entry| {
        entry
            .as_ref()
            .is_err_and(|error| error.reason == NOT_EXPANDED)
    }));
    assert!(refused[4].is_ok());
    let taken = parse_recipients("| cat >x; y, /tmp/box, \"|tee a,b\", a@x", true, None);
    let taken: Vec<_> = taken.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken[0], Recipient::Command("cat >x; y".into()));
    assert_eq!(taken[1], Recipient::File("/tmp/box".into()));
    assert_eq!(taken[2], Recipient::Command("tee a,b".into()));
    assert!(matches!(&taken[3], Recipient::Address(a) if a.address().as_str() == "a@x"));
}

#[test]
fn hostile_lists_cost_no_more_than_their_length() {
    let nested = format!("{}{} a@x", "(".repeat(50_000), ")".repeat(50_000));
    assert_eq!(shown(&nested), ["a@x"]);
    let many = "user@example.org, ".repeat(60_000);
    assert_eq!(parse_list(&many).len(), 60_000);
    assert_eq!(parse_list(&"a@x ".repeat(60_000)).len(), 60_000);
    let long = format!("{}@x, b@x", "a".repeat(100_000));
    let found = parse_list(&long);
    assert!(found[0].is_err() && found[1].is_ok());
    for (list, separator) in [("a@x,", ","), ("a@x ", " "), ("<a@x>;", ";")] {
        let found = parse_list(&list.repeat(MAX_RECIPIENTS + 3));
        let (rest, others) = found.split_last().expect("entries");
        // Words without commas are no entries before they end.
        let expected = match separator {
            " " => 0,
            "," => MAX_RECIPIENTS,
            _ => MAX_RECIPIENTS + 1,
        };
        assert_eq!(others.len(), expected);
        let rest = rest.as_ref().expect_err("no address");
        assert!(is_rest(rest) && rest.text.starts_with(&list[..1]));
    }
    for open in ["(", "<", "\"", "\\\"", "<a,", "\"\\", "a:", "@ ", ":;"] {
        assert!(!parse_list(&open.repeat(60_000)).is_empty());
    }
}
fn known(name: &str) -> BareName {
    match name {
        "root" | "alice" | "bob" | "mail" => BareName::Known,
        "Mail" | "Ldap" => BareName::Unclear,
        _ => BareName::Unknown,
    }
}

fn people(text: &str) -> Vec<String> {
    show(parse_people(text, &known))
}

#[test]
fn a_name_with_a_comma_is_one_person_and_an_account_is_a_recipient() {
    let table: &[(&str, &[&str])] = &[
        ("Doe, John <j@x>", &["Doe, John|j@x"]),
        ("Doe,John<j@x>", &["Doe, John|j@x"]),
        ("Doe, John, Dr. <j@x>", &["Doe, John, Dr.|j@x"]),
        (
            "Doe, John <j@x>; Roe, Jane <r@y>",
            &["Doe, John|j@x", "Roe, Jane|r@y"],
        ),
        (
            "Doe, John <j@x>, Roe, Jane <r@y>",
            &["Doe, John|j@x", "Roe, Jane|r@y"],
        ),
        (
            "Doe, John <j@x>;Roe, Jane <r@y>;",
            &["Doe, John|j@x", "Roe, Jane|r@y"],
        ),
        ("van der Berg, Jan <j@x>", &["van der Berg, Jan|j@x"]),
        ("O'Neil, Pat (IT) <p@x>", &["O'Neil, Pat|p@x"]),
        ("Müller, Jörg <j@x>", &["Müller, Jörg|j@x"]),
        ("\"Doe\", John <j@x>", &["Doe, John|j@x"]),
        ("\"Doe, John\" <j@x>", &["Doe, John|j@x"]),
        (
            "\"Doe, John\" <j@x>, \"Roe, Jane\" <r@y>",
            &["Doe, John|j@x", "Roe, Jane|r@y"],
        ),
        ("Doe, root <j@x>", &["Doe, root|j@x"]),
        ("Doe, John <j@x>, root", &["Doe, John|j@x", "root"]),
        ("team: Doe, John <j@x>;", &["Doe, John|j@x"]),
        // Recipients, as ever.
        ("root, John <j@x>", &["root", "John|j@x"]),
        ("alice, bob, John <j@x>", &["alice", "bob", "John|j@x"]),
        ("alice bob, John <j@x>", &["alice", "bob", "John|j@x"]),
        ("root, Doe, John <j@x>", &["root", "Doe, John|j@x"]),
        ("Doe, root, John <j@x>", &["Doe", "root", "John|j@x"]),
        ("a@x, Doe, John <j@x>", &["a@x", "Doe, John|j@x"]),
        ("a@x, John <j@x>", &["a@x", "John|j@x"]),
        ("Doe; John <j@x>", &["Doe", "John|j@x"]),
        ("Doe, <j@x>", &["Doe", "j@x"]),
        ("Doe, John", &["Doe", "John"]),
        ("ops, oncall", &["ops", "oncall"]),
        ("Doe, John j@x", &["Doe", "John", "j@x"]),
        ("Doe (x), John <j@x>", &["x|Doe", "John|j@x"]),
        ("Doe, John <j@x", &["Doe", "!John <j@x: '<' is not closed"]),
    ];
    for (text, expected) in table {
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(people(text), expected, "{text}");
    }
}

#[test]
fn what_may_be_a_person_or_recipients_is_refused_with_both_readings() {
    for (text, refused, others) in [
        ("ops, John <j@x>", "ops, John <j@x>", 0),
        ("Mail, John <j@x>", "Mail, John <j@x>", 0),
        ("Doe root, John <j@x>", "Doe root, John <j@x>", 0),
        ("doe, john <j@x>", "doe, john <j@x>", 0),
        ("Doe, ops, John <j@x>", "Doe, ops, John <j@x>", 0),
        ("Ldap, John <j@x>, a@x", "Ldap, John <j@x>", 1),
        ("root, ops, John <j@x>", "ops, John <j@x>", 1),
        ("A, B, C, D <d@x>", "A, B, C, D <d@x>", 0),
    ] {
        let found = parse_people(text, &known);
        let (bad, good): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_err);
        assert_eq!((bad.len(), good.len()), (1, others), "{text}");
        let error = bad
            .into_iter()
            .next()
            .and_then(Result::err)
            .expect("an error");
        assert_eq!(error.text, refused);
        let hint = readings(&error).expect("both readings");
        // Each reading is what it says.
        let quoted: Vec<&str> = hint.split('\'').collect();
        let one = parse_people(quoted[1], &known);
        assert!(one.len() == 1 && one[0].is_ok(), "{hint}");
        let several = parse_people(quoted[3], &known);
        assert!(
            several.len() > 1 && several.iter().all(Result::is_ok),
            "{hint}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_a_list_of_sound_addresses_and_errors(
        text in "([ab@.,;:<>()\"\\\\|/ \t\n\r-]|ö|\\PC){0,40}",
    ) {
        let known = |name: &str| if name == "a" { BareName::Known } else { BareName::Unknown };
        for (expandaddr, names) in [(false, None), (true, None), (true, Some(&known as BareNames<'_>))] {
            for recipient in parse_recipients(&text, expandaddr, names).into_iter().flatten() {
                let Recipient::Address(named) = recipient else {
                    assert!(expandaddr);
                    continue;
                };
                let address = named.address().as_str();
                assert_eq!(EnvelopeAddress::new(address).as_ref(), Ok(named.address()));
                assert!(!address.starts_with(['|', '/', '-']));
                let name = named.name().unwrap_or_default();
                assert!(!name.chars().any(char::is_control));
            }
        }
    }
}
