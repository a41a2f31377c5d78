//! The configuration file, from outside.

use crate::case::Case;

/// Returns a mail with this configuration, to this recipient.
fn with(rc: &str, recipient: &str) -> Case {
    Case::send(["-s", "t", recipient]).rc(rc).stdin("x\n")
}

#[test]
fn aliases_are_replaced_and_followed() {
    let ran = with(
        "alias ops alice@x.org bob@x.org\nalias all ops carol@x.org",
        "all",
    )
    .run();
    assert_eq!(
        ran.call().recipients(),
        ["alice@x.org", "bob@x.org", "carol@x.org"]
    );
}

#[test]
fn an_alias_that_names_itself_ends() {
    let ran = with("alias a b c@x.org\nalias b a", "a")
        .any_stderr()
        .any_status();
    let ran = ran.may_change("home/dead.letter").run();
    assert!(ran.calls().len() <= 1);
}

#[test]
fn from_and_replyto_are_used() {
    let ran = with(
        "set from=\"Night <night@x.org>\" replyto=day@x.org",
        "ops@x.org",
    )
    .run();
    assert_eq!(ran.call().letter().field("From"), "Night <night@x.org>");
    assert_eq!(ran.call().letter().field("Reply-To"), "day@x.org");
}

#[test]
fn the_command_line_wins() {
    let ran = Case::send(["-S", "from=later@x.org", "-s", "t", "ops@x.org"])
        .rc("set from=earlier@x.org")
        .stdin("x\n")
        .run();
    assert_eq!(ran.call().letter().field("From"), "later@x.org");
}

#[test]
fn another_file_can_be_sourced() {
    let ran = with("source [DIR]/home/more", "ops")
        .file("home/more", "alias ops a@x.org\n")
        .run();
    assert_eq!(ran.call().recipients(), ["a@x.org"]);
}

#[test]
fn if_chooses_by_mode() {
    let ran = with(
        "if s\nset from=send@x.org\nelse\nset from=receive@x.org\nendif",
        "ops@x.org",
    );
    assert_eq!(ran.run().call().letter().field("From"), "send@x.org");
}

#[test]
fn unset_takes_back() {
    let ran = with("set from=a@x.org\nunset from", "ops@x.org").run();
    assert!(ran.call().letter().fields("From").is_empty());
    let ran = with("set from=a@x.org\nset nofrom", "ops@x.org").run();
    assert!(ran.call().letter().fields("From").is_empty());
}

#[test]
fn an_odd_line_is_named_and_does_not_stop_a_mail() {
    let ran = with("nonsense here", "ops@x.org").says("[DIR]/rc").run();
    assert_eq!(ran.call().recipients(), ["ops@x.org"]);
}

#[test]
fn unknown_variables_are_silent_but_not_those_of_the_route() {
    with("set nonesuch=1 colour-disable bsdcompat", "ops@x.org").run();
    with("set tls-nonesuch=1", "ops@x.org")
        .says("tls-nonesuch")
        .run();
    with("set smtp-nonesuch=1", "ops@x.org")
        .says("smtp-nonesuch")
        .run();
}

#[test]
fn files_and_commands_are_recipients_only_when_asked_for() {
    with("alias ops |cat", "ops")
        .status(65)
        .says("|cat")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn a_file_that_others_can_write_is_ignored_and_named() {
    let case = with("", "ops@x.org").file("home/loose", "set from=evil@x.org\n");
    let ran = case
        .mode("home/loose", 0o666)
        .env("MAILRC", "[DIR]/home/loose");
    let ran = ran
        .args(["-S", "mta=[DIR]/mta/sendmail"])
        .says("[DIR]/home/loose")
        .run();
    assert!(ran.call().letter().fields("From").is_empty());
}

#[test]
fn dev_null_is_an_empty_configuration() {
    Case::send(["-S", "mta=[DIR]/mta/sendmail", "-n", "-s", "t", "ops@x.org"])
        .env("MAILRC", "/dev/null")
        .stdin("x\n")
        .run()
        .call();
}

#[test]
fn a_password_in_a_file_that_others_can_read_is_refused() {
    // Nothing listens there: the refusal comes first.
    with(
        "set mta=smtp://me:s3cret@127.0.0.1:1\nset from=a@x.org",
        "ops@x.org",
    )
    .mode("rc", 0o644)
    .status(78)
    .any_stderr()
    .keeps(1)
    .run();
}
