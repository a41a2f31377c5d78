//! The configuration file, from outside.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

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

// var:from var:replyto
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
    for name in [
        "tls-nonesuch",
        "smtp-nonesuch",
        "mta_arguments",
        "ssl-nonesuch",
    ] {
        with(&format!("set {name}=1"), "ops@x.org")
            .status(78)
            .says(&format!("[DIR]/rc:4: unknown variable {name}"))
            .keeps(1)
            .any_stderr()
            .run()
            .nothing_sent();
    }
}

#[test]
fn a_macro_of_another_file_that_sets_the_way_out_stops_mail() {
    let define = "define relay {\nset tls=require\n}\n";
    let case = || Case::send(["-s", "t", "ops@x.org"]).stdin("x\n");
    for case in [
        case().rc(define).args(["-X", "call relay"]),
        case().rc(define).args(["-E", "call relay"]),
        case()
            .file("cwd/more", define)
            .rc("source [DIR]/cwd/more\ncall relay"),
        case()
            .file("cwd/more", "call relay\n")
            .rc(&format!("{define}source [DIR]/cwd/more")),
        case()
            .rc(&format!("{define}account work {{\ncall relay\n}}"))
            .args(["-A", "work"]),
    ] {
        case.status(78)
            .says("\"call relay\" has no effect: call is not supported")
            .any_stderr()
            .keeps(1)
            .run()
            .nothing_sent();
    }
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

#[test]
fn a_configuration_that_is_named_and_missing_is_told() {
    for missing in ["[DIR]/home/nowhere", "[DIR]/rc/below-a-file"] {
        let ran = with("", "ops@x.org")
            .args(["-S", "mta=[DIR]/mta/sendmail"])
            .env("MAILRC", missing)
            .says(missing)
            .run();
        assert_eq!(ran.call().recipients(), ["ops@x.org"], "{missing}");
    }
    // Nobody named ~/.mailrc, and an empty variable is none.
    with("", "ops@x.org")
        .args(["-S", "mta=[DIR]/mta/sendmail"])
        .env("MAILRC", "")
        .run()
        .call();
}

#[test]
fn a_number_that_is_none_is_told_and_the_mail_goes() {
    let ran = with(
        "set screen=abc\nset toplines=7 sendmail-timeout=1m\nset crt= smtp-timeout=5s",
        "ops@x.org",
    )
    .args(["-S", "lock-timeout=soon"])
    .says(
        "[DIR]/rc:4: screen must be a whole number of at least 1, not \"abc\"; the default is used",
    )
    .says("-S lock-timeout must be a time such as 30, 30s, 5m or 1h, not \"soon\"")
    .run();
    assert_eq!(ran.call().recipients(), ["ops@x.org"]);
    let ran = with("set max-size=big", "ops@x.org")
        .says("[DIR]/rc:4: max-size must be a size such as 500K or 10M, or a number of bytes, not \"big\"")
        .run();
    assert_eq!(ran.call().recipients(), ["ops@x.org"]);
}

#[test]
fn the_largest_numbers_are_numbers() {
    let most = u64::MAX;
    let rc =
        format!("set sendmail-timeout={most} screen={most} toplines={most} lock-timeout={most}");
    with(&rc, "ops@x.org").run().call();
    let rc = format!(
        "set mta=smtp://127.0.0.1:1 smtp-timeout={most} smtp-deadline={most} smtp-connect-timeout={most}"
    );
    with(&rc, "ops@x.org")
        .status(75)
        .says("127.0.0.1:1")
        .queues(1)
        .run();
}

#[test]
fn slips_about_the_way_out_do_not_bother_who_reads() {
    let mailbox = "From a Mon Nov 16 09:00:00 2026\nSubject: s\n\nx\n";
    let rc = "set tls-nonesuch=1\nset mta=\"unclosed\nset nonsense=x\nblorb";
    Case::new()
        .args(["-H", "-f", "box"])
        .file("cwd/box", mailbox)
        .rc(rc)
        .says("unknown command \"blorb\"")
        .stdout_contains("s")
        .run();
    with(rc, "ops@x.org")
        .status(78)
        .says("unknown variable tls-nonesuch")
        .says("unknown command \"blorb\"")
        .says("a quote is not closed: mta")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn names_of_files_are_bytes() {
    let name = OsStr::from_bytes(b"caf\xe9");
    let rc = [
        b"set mta=[DIR]/mta/sendmail log=off\nset from=J\xf6rg@x.org\n".as_slice(),
        b"unset from\nset from=\"J\xc3\xb6rg <j@x.org>\" folder=[DIR]/home/\xe9\nset record=+caf\xe9\n",
    ]
    .concat();
    let case = Case::send(["-s", "t", "ops@x.org"]).stdin("x\n");
    let directory = case.path("");
    let directory = directory.to_str().unwrap().trim_end_matches('/').to_owned();
    let rc = replaced(&rc, b"[DIR]", directory.as_bytes());
    let folder = OsStr::from_bytes(b"home/\xe9");
    let copy = Path::new(folder).join(name);
    fs::create_dir(case.path("").join(folder)).unwrap();
    let ran = case
        .file("home/rc", rc)
        .env("MAILRC", "[DIR]/home/rc")
        .may_change("home")
        .run();
    // Each line has its own charset: one in Latin-1 does not spoil one in UTF-8.
    assert_eq!(
        ran.call().letter().field("From"),
        "=?utf-8?Q?J=C3=B6rg?= <j@x.org>"
    );
    let kept = fs::read(Path::new(&directory).join(&copy)).unwrap();
    assert!(kept.ends_with(b"\n\nx\n\n"), "{}", kept.escape_ascii());
}

#[test]
fn copies_files_and_dead_letters_have_names_of_bytes() {
    let name = |prefix: &[u8]| OsStr::from_bytes(&[prefix, b"-\xe9"].concat()).to_owned();
    let case = Case::send([]).stdin("x\n");
    let ran = case
        .args([OsStr::from_bytes(b"-Tfcc: fcc-\xe9")])
        .args([OsStr::from_bytes(b"-aFcc: header-\xe9")])
        .args([OsStr::from_bytes(b"-Srecord=record-\xe9")])
        .args(["-S", "expandaddr", "-s", "t", "ops@x.org"])
        .args([OsStr::from_bytes(b"[DIR]/cwd/to-\xe9")])
        .may_change("cwd")
        .run();
    for prefix in [&b"fcc"[..], b"header", b"record", b"to"] {
        let path = ran.path("cwd").join(name(prefix));
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.ends_with(b"\n\nx\n\n"), "{}", path.display());
    }
    let dead = OsStr::from_bytes(b"home/dead-\xe9");
    let ran = Case::new()
        .args(["-s", "t", "ops@x.org"])
        .env("DEAD", OsStr::from_bytes(b"[DIR]/home/dead-\xe9"))
        .stdin("x\n")
        .fails()
        .any_stderr()
        .may_change("home")
        .run();
    assert!(
        fs::read(ran.path("").join(dead))
            .unwrap()
            .ends_with(b"\n\nx\n\n")
    );
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut done = Vec::new();
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        done.extend_from_slice(&rest[..at]);
        done.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    done.extend_from_slice(rest);
    done
}

#[test]
fn ones_own_names_leave_a_group_only_without_metoo() {
    let user = with("", "all").user();
    let alias = format!("alias all {user} me@x.org bob@x.org\nalternates Me@X.org");
    let everybody = [user.as_str(), "me@x.org", "bob@x.org"];
    let ran = with(&alias, "all").run();
    assert_eq!(ran.call().recipients(), everybody);
    let ran = with(&format!("{alias}\nset nometoo"), "all").run();
    assert_eq!(ran.call().recipients(), ["bob@x.org"]);
    // Named by itself, and as the only member of a group, one gets the mail.
    let ran = with(&format!("{alias}\nset nometoo\nalias mine {user}"), "mine")
        .args(["me@x.org"])
        .run();
    assert_eq!(ran.call().recipients(), [user.as_str(), "me@x.org"]);
}
