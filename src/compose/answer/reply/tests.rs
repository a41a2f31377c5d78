//! Whom a reply goes to, for the situations that mail brings.
//!
//! What others do was seen by running bsd-mailx 8.1.2 and s-nail 14.9.24 over the same headers. By
//! default neither removes the user's own address unless it is bare; bsd-mailx sorts the recipients.

use super::*;
use crate::address::BareName;

/// The user is root at this host, and alternates are known.
const OWN: [&str; 4] = ["root", "root@vm", "root@vm.example.org", "Ops@Example.org"];

fn rules<'a>(own: &'a [String]) -> PeopleRules<'a> {
    PeopleRules {
        own,
        keeps_own: false,
        heeds_reply_to: true,
        heeds_followup_to: true,
        full_names: true,
        recipients_in_cc: false,
        names: &|_| BareName::Unknown,
        lists: &|address| address.ends_with("@known.org"),
    }
}

fn own() -> Vec<String> {
    OWN.map(str::to_owned).to_vec()
}

fn shown(list: &[OsString]) -> String {
    let list: Vec<&str> = list.iter().map(|entry| entry.to_str().unwrap()).collect();
    list.join(", ")
}

fn answer(blocks: &[&str], whom: Whom, rules: &PeopleRules<'_>) -> (String, String) {
    let blocks: Vec<String> = blocks.iter().map(|block| format!("{block}\n")).collect();
    let blocks: Vec<&[u8]> = blocks.iter().map(String::as_bytes).collect();
    let Answer { request, .. } = reply(&blocks, whom, rules);
    (shown(&request.to), shown(&request.cc))
}

#[test]
fn a_reply_to_all_goes_to_the_author_and_the_other_recipients() {
    let rows: &[(&str, &str, &str)] = &[
        ("From: ada@x.org\nTo: root@vm\n", "ada@x.org", ""),
        // bsd-mailx and s-nail keep `root@vm`, and send it to the one who replies.
        (
            "From: ada@x.org\nTo: root, bob@y.org\nCc: cy@z.org\n",
            "ada@x.org, bob@y.org",
            "cy@z.org",
        ),
        // bsd-mailx sends this to list@l.org alone, s-nail to ada and bob and not to the list.
        (
            "From: ada@x.org\nReply-To: list@l.org\nTo: bob@y.org\nCc: cy@z.org\n",
            "list@l.org, bob@y.org",
            "cy@z.org",
        ),
        // The same in both.
        (
            "From: ada@x.org\nTo: ada@x.org, ADA@X.ORG, bob@y.org\nCc: bob@y.org, cy@z.org\n",
            "ada@x.org, bob@y.org",
            "cy@z.org",
        ),
        // By default s-nail and bsd-mailx pass over Mail-Followup-To.
        (
            "From: ada@x.org\nMail-Followup-To: l@l.org\nTo: bob@y.org\n",
            "l@l.org",
            "",
        ),
        (
            "From: ada@x.org\nMail-Followup-To: root@vm\nTo: bob@y.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        (
            "From: ada@x.org\nMail-Followup-To: \nTo: bob@y.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        // Both take the From_ line.
        (
            "From env@e.org Mon Nov 16 09:00:00 2026\nTo: bob@y.org\n",
            "env@e.org, bob@y.org",
            "",
        ),
        // A mail of one's own: s-nail too answers its recipients; bsd-mailx adds root.
        (
            "From: root\nTo: bob@y.org\nCc: cy@z.org\n",
            "bob@y.org",
            "cy@z.org",
        ),
        ("From: root\nTo: root@vm\n", "root", ""),
        ("From: root\nCc: cy@z.org\n", "cy@z.org", ""),
        // bsd-mailx writes `undisclosed-recipients:;` into the To field.
        (
            "From: ada@x.org\nTo: undisclosed-recipients:;\n",
            "ada@x.org",
            "",
        ),
        // bsd-mailx writes `cy@z.org;` and `team:`, s-nail leaves the group out.
        (
            "From: ada@x.org\nTo: team: bob@y.org, cy@z.org;\n",
            "ada@x.org, bob@y.org, cy@z.org",
            "",
        ),
        (
            "From: \"Doe, John\" <j@x.org>\nTo: bob@y.org\n",
            "\"Doe, John\" <j@x.org>, bob@y.org",
            "",
        ),
        // The quotes are missing, as in much real mail.
        (
            "From: Doe, John <j@x.org>\nTo: bob@y.org\n",
            "\"Doe, John\" <j@x.org>, bob@y.org",
            "",
        ),
        // bsd-mailx writes `@` as a recipient.
        (
            "From: ada@x.org\nTo: bob@y.org, <@>, cy@z.org\n",
            "ada@x.org, bob@y.org, cy@z.org",
            "",
        ),
        // bsd-mailx hands `|touch` and `/tmp/pwned` to sendmail as recipients.
        (
            "From: ada@x.org\nReply-To: |touch /tmp/pwned\nTo: bob@y.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        (
            "From: ada@x.org\nReply-To: \"|touch /tmp/pwned\"\nTo: /tmp/x, bob@y.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        (
            "From: =?utf-8?q?Ad=C3=A4?= <ada@x.org>\nTo: bob@y.org\n",
            "\"Adä\" <ada@x.org>, bob@y.org",
            "",
        ),
        (
            "From: =?utf-8?q?Doe=2C_J=C3=B6rg?= <j@x.org>\n",
            "\"Doe, Jörg\" <j@x.org>",
            "",
        ),
        ("From: J\u{f6}rg <j@x.org>\n", "\"Jörg\" <j@x.org>", ""),
        // s-nail takes the From_ line where the From field has two authors.
        (
            "From: ada@x.org, eve@x.org\nTo: bob@y.org\n",
            "ada@x.org, eve@x.org, bob@y.org",
            "",
        ),
        (
            "From: ada@x.org\nSender: sec@x.org\nTo: bob@y.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        (
            "From: ada@x.org (Ada Lovelace)\n",
            "\"Ada Lovelace\" <ada@x.org>",
            "",
        ),
        (
            "From: ada@x.org\nTo: OPS@EXAMPLE.ORG, bob@y.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        (
            "From: ada@x.org\nTo: bob@y.org\nTo: cy@z.org\n",
            "ada@x.org, bob@y.org, cy@z.org",
            "",
        ),
        (
            "From: ada@x.org\nTo: bob@y.org,\n\tcy@z.org\n",
            "ada@x.org, bob@y.org, cy@z.org",
            "",
        ),
        (
            "From: ada@x.org\nTo: bob@y.org,\r\n cy@z.org\r\n",
            "ada@x.org, bob@y.org, cy@z.org",
            "",
        ),
        // Blind copies of a message that root has sent stay blind.
        (
            "From: ada@x.org\nTo: bob@y.org\nBcc: cy@z.org\n",
            "ada@x.org, bob@y.org",
            "",
        ),
        (
            "From: <ada@x.org>\nTo: ada@b\u{fc}cher.example, ada@xn--bcher-kva.example\n",
            "ada@x.org, ada@bücher.example",
            "",
        ),
        ("From: @relay.org:ada@x.org\nTo: \n", "", ""),
        ("From: \nTo: \n", "", ""),
        ("Subject: x\n", "", ""),
    ];
    let own = own();
    for (block, to, cc) in rows {
        let found = answer(&[block], Whom::All, &rules(&own));
        assert_eq!(found, ((*to).to_owned(), (*cc).to_owned()), "{block}");
    }
}

#[test]
fn a_reply_to_the_author_goes_to_nobody_else() {
    let rows: &[(&str, &str)] = &[
        (
            "From: ada@x.org\nTo: bob@y.org\nCc: cy@z.org\n",
            "ada@x.org",
        ),
        // bsd-mailx and s-nail answer ada here; RFC 5322 section 3.6.2 asks for the list.
        ("From: ada@x.org\nReply-To: list@l.org\n", "list@l.org"),
        (
            "From: ada@x.org\nReply-To: a@l.org, b@l.org\n",
            "a@l.org, b@l.org",
        ),
        ("From: ada@x.org\nReply-To: undisclosed:;\n", "ada@x.org"),
        ("From: ada@x.org\nMail-Followup-To: l@l.org\n", "ada@x.org"),
        ("From: ada@x.org, eve@x.org\n", "ada@x.org, eve@x.org"),
        // s-nail has "No recipients specified" here.
        ("From: root\nTo: bob@y.org\n", "root"),
        ("Sender: sec@x.org\nTo: bob@y.org\n", "sec@x.org"),
        (
            "From MAILER-DAEMON Mon Nov 16 09:00:00 2026\n",
            "MAILER-DAEMON",
        ),
    ];
    let own = own();
    for (block, to) in rows {
        let found = answer(&[block], Whom::Authors, &rules(&own));
        assert_eq!(found, ((*to).to_owned(), String::new()), "{block}");
    }
    let found = answer(
        &[
            "From: ada@x.org\n",
            "From: bob@y.org\n",
            "From: ADA@x.org\n",
        ],
        Whom::Authors,
        &rules(&own),
    );
    assert_eq!(found.0, "ada@x.org, bob@y.org");
}

#[test]
fn each_rule_can_be_switched() {
    let own = own();
    let block = "From: Ada <ada@x.org>\nReply-To: list@l.org\nMail-Followup-To: f@l.org\n\
        To: root@vm, Bob <bob@y.org>\nCc: cy@z.org\n";
    let with = |change: &dyn Fn(&mut PeopleRules<'_>)| {
        let mut rules = rules(&own);
        change(&mut rules);
        let (to, cc) = answer(&[block], Whom::All, &rules);
        format!("{to} / {cc}")
    };
    assert_eq!(with(&|_| ()), "f@l.org / ");
    assert_eq!(
        with(&|rules| rules.heeds_followup_to = false),
        "list@l.org, \"Bob\" <bob@y.org> / cy@z.org"
    );
    assert_eq!(
        with(&|rules| {
            rules.heeds_followup_to = false;
            rules.heeds_reply_to = false;
        }),
        "\"Ada\" <ada@x.org>, \"Bob\" <bob@y.org> / cy@z.org"
    );
    assert_eq!(
        with(&|rules| {
            rules.heeds_followup_to = false;
            rules.keeps_own = true;
        }),
        "list@l.org, root@vm, \"Bob\" <bob@y.org> / cy@z.org"
    );
    assert_eq!(
        with(&|rules| {
            rules.heeds_followup_to = false;
            rules.recipients_in_cc = true;
            rules.full_names = false;
        }),
        "list@l.org / bob@y.org, cy@z.org"
    );
}

#[test]
fn bare_names_and_what_is_no_address_are_told() {
    let own = own();
    let block = b"From: team\nTo: bob, |cmd, a@b@c, \x1b[31m<\n\n";
    let answer = reply(&[block], Whom::All, &rules(&own));
    assert!(answer.request.received_names.contains("team"));
    assert!(answer.request.received_names.contains("bob"));
    assert!(answer.left_out_count >= 2, "{:?}", answer.left_out);
    let told = answer.left_out.join(" ");
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn thirty_thousand_recipients_take_linear_time() {
    let people: Vec<String> = (0..30_000).map(|n| format!("P {n} <p{n}@x.org>")).collect();
    let block = format!(
        "From: ada@x.org\nTo: {}\nCc: {}\n\n",
        people.join(",\n "),
        people.join(", ")
    );
    let own = own();
    let start = std::time::Instant::now();
    let answer = reply(&[block.as_bytes()], Whom::All, &rules(&own));
    assert!(answer.request.to.len() == 30_001);
    assert!(answer.request.cc.is_empty());
    // A quadratic search would take minutes here.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
