//! Every kind of sender in every field and every configuration: what holds for all of them.

use std::io::Read;

use super::*;
use crate::compose::premade::{self, Handover};
use crate::compose::render::{Style, render};
use crate::config::{Environment, Origin};
use crate::message::Wire;
use crate::message::premade::{PremadeHeader, Reading};
use crate::sys::spool::Spool;

const FROM: &[&str] = &[
    "",
    "From:\n",
    "From: <>\n",
    "From: root\n",
    "From: root (Cron Daemon)\n",
    "From: \"(Cron Daemon)\" <root>\n",
    "From: Cron Daemon\n",
    "From: Dämon <root@localhost>\n",
    "From: =?utf-8?Q?D=C3=A4mon?= <root@db1>\n",
    "From: www-data@db1.example.org\n",
    "From: root@@x\n",
    "From: bob@fileserver\n",
    "From: root, bob\n",
    "From: root, Ada <ada@example.com>\n",
    "From: ada@example.com\n",
    "From: Alerts <alerts@Example.ORG>\n",
    "From: a@[192.0.2.7]\n",
    "From: nobody: ;\n",
];
const OTHERS: &[&str] = &[
    "",
    "Sender: root\nReply-To: root\n",
    "Sender: Web <www-data@localhost>\nReturn-Path: <root>\n",
    "Sender: w@example.net\nReply-To: c@example.net\nReply-To: d@example.net\n",
    "Sender:\nReply-To: ,\nCc: <>\nResent-From: root\nResent-To: root@localhost\n",
    "Resent-Sender: root\nErrors-To: root\nDisposition-Notification-To: root, e@example.net\n",
];
const ENVELOPE: &[Option<&str>] = &[
    None,
    Some("<>"),
    Some("root"),
    Some("root@db1.example.org"),
    Some("b@example.net"),
];
const SETTINGS: &[&[(&str, &str)]] = &[
    &[],
    &[("from", "alerts@example.org")],
    &[("from", "Host 7 <alerts@example.org>"), ("from-force", "")],
    &[("sender", "bounces@example.org")],
    &[
        ("from", "alerts@example.org"),
        ("sender", "bounces@example.org"),
    ],
    &[("sender", "bounces@example.org"), ("from-force", "")],
    &[("from", "alerts@example.org, ops@example.org")],
];

/// A message as a relay sees it.
struct Seen {
    envelope: ReversePath,
    header: PremadeHeader,
    text: String,
}

impl Seen {
    fn addresses(&self, names: &[&str]) -> Vec<EnvelopeAddress> {
        let fields = self.header.iter();
        let fields = fields.filter(|field| names.iter().any(|name| field.is(name)));
        let lists = fields.flat_map(|field| {
            let text = String::from_utf8(field.value().into_owned()).expect("7-bit");
            crate::address::parse_list(&text)
        });
        lists
            .map(|entry| entry.unwrap_or_else(|error| panic!("{error:?}\n{}", self.text)))
            .map(|named| named.address().clone())
            .collect()
    }
}

fn settings(rows: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in [("hostname", "db1.example.org")].iter().chain(rows) {
        settings.set(name, value, Origin::Option("-S".to_owned()));
    }
    settings
}

/// Hands a message over and returns what a relay sees.
fn seen(text: &str, sender: Option<&str>, settings: &Settings, identity: &Identity) -> Seen {
    let handover = Handover {
        recipients: vec!["ops@example.com".into()],
        sender: sender.map(Into::into),
        is_of_sendmail: true,
        is_ours: true,
        ..Handover::default()
    };
    let source = Spool::read_from(&mut text.as_bytes()).unwrap();
    let composed = premade::compose(&handover, source, settings, &Environment::default()).unwrap();
    assert!(composed.failures.is_empty(), "{text}");
    let members = AliasMembers::new(settings, identity, &[]);
    let relayed = relayed(&composed.draft, identity, settings, &members).unwrap();
    let style = Style {
        wire: Wire::SevenBit,
        default_from: None,
        changes: &relayed.changes,
        limit: None,
        leading: Vec::new(),
    };
    let message = render(&composed.draft, &style).unwrap().message;
    let mut text = String::new();
    message.reader().read_to_string(&mut text).unwrap();
    Seen {
        envelope: relayed.envelope,
        header: PremadeHeader::read(&message, Reading::default()).unwrap(),
        text,
    }
}

/// The fields that a relay may judge as senders, and those that every relay parses.
const SENDERS: &[&str] = &["From", "Sender", "Resent-From", "Resent-Sender"];

#[test]
fn what_holds_for_every_message_at_a_relay() {
    for rows in SETTINGS {
        let settings = settings(rows);
        let mut identity = Identity::find(&settings);
        identity.own_names.push("db1".to_owned());
        let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
        let (is_named, is_only) = (names.contains(&"from"), names.contains(&"from-force"));
        // The other fields take turns, so that each meets every envelope and most From fields.
        let senders = FROM
            .iter()
            .flat_map(|from| ENVELOPE.iter().map(move |sender| (from, sender)));
        for ((from, sender), other) in senders.zip(OTHERS.iter().cycle()) {
            let text = format!("{from}{other}To: root\nSubject: x\n\nhi\n");
            let one = seen(&text, *sender, &settings, &identity);
            let what = format!(
                "{rows:?} {sender:?}\n{text}\n{:?}\n{}",
                one.envelope, one.text
            );
            // A text that is no list of addresses stays where nothing is there to replace it.
            if !is_named && !is_only && from.contains("@@") {
                continue;
            }
            let authors = one.addresses(&["From"]);
            assert!(
                !authors.is_empty() && one.header.count("From") == 1,
                "{what}"
            );
            assert!(
                authors.len() == 1 || one.header.count("Sender") == 1 || !is_named,
                "{what}"
            );
            assert_eq!(one.header.count("Return-Path"), 0, "{what}");
            assert!(one.header.count("Reply-To") <= 1, "{what}");
            assert_eq!(
                one.envelope == ReversePath::Null,
                *sender == Some("<>"),
                "{what}"
            );
            for field in one.header.iter() {
                assert!(!field.value().is_empty(), "{what}");
            }
            let senders = one.addresses(SENDERS);
            let envelope = one.envelope.address();
            for address in senders.iter().chain(envelope) {
                let domain = address.domain().unwrap_or_default();
                let is_kept = domain == "fileserver" && !is_named && !is_only;
                assert!(domain.contains('.') || is_kept, "{address} {what}");
                if is_named {
                    assert!(!domain.ends_with("db1.example.org"), "{address} {what}");
                }
                if is_only {
                    assert!(
                        domain.eq_ignore_ascii_case("example.org"),
                        "{address} {what}"
                    );
                }
            }
            // A full address that was given is where it was, or takes the answers.
            let replies = one.addresses(&["Reply-To"]);
            for given in ["ada@example.com", "a@[192.0.2.7]"] {
                if from.contains(given) {
                    let is_there = |list: &[EnvelopeAddress]| {
                        list.iter().any(|address| address.as_str() == given)
                    };
                    let has_replies =
                        other.contains("Reply-To: r") || other.contains("Reply-To: c");
                    assert!(
                        is_there(&authors) != is_only
                            && (!is_only || has_replies || is_there(&replies)),
                        "{what}"
                    );
                }
            }
            // A second relay, or a second try, finds nothing to change.
            let envelope = one.envelope.to_string();
            let again = seen(&one.text, Some(&envelope), &settings, &identity);
            assert_eq!(again.text, one.text, "{what}");
            assert_eq!(again.envelope, one.envelope, "{what}");
        }
    }
}

#[test]
fn a_wrong_sender_in_the_settings_is_told_with_its_place() {
    for (name, value) in [("from", "Backup <root@@x>"), ("sender", "a b@@c")] {
        let settings = settings(&[(name, value)]);
        let identity = Identity::find(&settings);
        let failure = Senders::read(&settings, &identity).unwrap_err();
        assert_eq!(failure.kind, crate::exit::Kind::Config, "{name}");
        assert!(failure.to_string().contains(name), "{failure}");
    }
}

proptest::proptest! {
    #[test]
    fn a_relay_that_takes_one_sender_sees_no_other_whatever_the_fields_hold(
        from in "[a-c@<>,;:\"()\\\\ .=?é\u{1}\t-]{0,40}",
        sender in "[a-c@<>,;:\"() .\n]{0,20}",
        reply in "[a-c@<>,; .]{0,20}",
    ) {
        let settings = settings(&[("from", "alerts@example.org"), ("from-force", "")]);
        let identity = Identity::find(&settings);
        let sender = sender.replace('\n', "\n ");
        let text = format!("From: {from}\nSender: {sender}x\nReply-To: {reply}\nTo: root\n\nhi\n");
        let one = seen(&text, Some("a@example.net"), &settings, &identity);
        let authors = one.addresses(&["From", "Sender"]);
        let is_ours = |address: &EnvelopeAddress| address.as_str() == "alerts@example.org";
        assert!(!authors.is_empty() && authors.iter().all(is_ours), "{}", one.text);
        assert!(one.envelope.address().is_some_and(is_ours));
        assert_eq!(one.header.count("From"), 1, "{}", one.text);
    }
}
