//! Built-in delivery: a mail to a user of this machine, without any MTA.

use crate::case::Case;
use crate::letters::letters;

/// Returns a mail to oneself by built-in delivery, and the file where it will be; `None`, loudly,
/// where the machine's aliases send our mail elsewhere.
fn to_oneself(body: &str) -> Option<(Case, String)> {
    let case = Case::new().rc("set mta=local
set hostname=host.example.test");
    let user = unaliased(&case)?;
    let path = format!("spool/{user}");
    let case = case.args(["-s", "t", &user]).stdin(body);
    Some((case.may_change("spool"), path))
}

/// Returns the name of the case's user, if mail to that name stays with it.
pub fn unaliased(case: &Case) -> Option<String> {
    let user = case.user();
    let aliases = std::fs::read_to_string("/etc/aliases").unwrap_or_default();
    let alias = format!("{user}:");
    if aliases.lines().any(|line| line.starts_with(&alias)) {
        let why = format!("/etc/aliases sends mail of {user} elsewhere");
        crate::launch::left_out("delivery to oneself", &why);
        return None;
    }
    Some(user)
}

#[test]
fn a_mail_to_oneself_is_in_the_spool() {
    let Some((case, path)) = to_oneself("From the start\n.\n>From quoted\nlast\n") else {
        return;
    };
    let ran = case.run();
    let spool = ran.read(&path);
    let text = String::from_utf8(spool.clone()).unwrap();
    assert!(text.starts_with("From "), "{text}");
    assert!(
        text.lines()
            .next()
            .unwrap()
            .ends_with("Mon Nov 16 09:00:00 2026"),
        "{text}"
    );
    assert!(text.ends_with("last\n\n"), "{text}");
    assert!(
        text.contains("\n>From the start\n") && text.contains("\n>>From quoted\n"),
        "{text}"
    );
    let found = letters(&spool);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].body(), b"From the start\n.\n>From quoted\nlast\n");
    assert!(
        found[0].field("From").contains("host.example.test"),
        "{text}"
    );
}

#[test]
fn text_stays_greppable() {
    let Some((case, path)) = to_oneself("Größe: 5 €\n") else {
        return;
    };
    let ran = case.run();
    assert!(
        String::from_utf8(ran.read(&path))
            .unwrap()
            .contains("\nGröße: 5 €\n")
    );
}

#[test]
fn the_second_mail_comes_behind_the_first_and_both_are_read() {
    let Some((case, path)) = to_oneself("first\n") else {
        return;
    };
    let ran = case.run();
    let first = ran.read(&path);
    let user = path.trim_start_matches("spool/").to_owned();
    let ran = ran
        .again()
        .rc("set mta=local\nset hostname=host.example.test")
        .args(["-s", "second", &user])
        .stdin("second\n")
        .may_change("spool")
        .run();
    assert!(ran.read(&path).starts_with(&first));
    assert_eq!(letters(&ran.read(&path)).len(), 2);
    let ran = ran.again().args(["-H"]).any_stdout().run();
    assert_eq!(ran.stdout().lines().count(), 2, "{}", ran.stdout());
}

#[test]
fn no_lock_stays_behind() {
    let Some((case, path)) = to_oneself("x\n") else {
        return;
    };
    let ran = case.run();
    let left: Vec<_> = std::fs::read_dir(ran.path("spool"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(left, [ran.path(&path)]);
}

#[test]
fn an_unknown_user_is_said_and_the_mail_kept() {
    Case::new()
        .rc("set mta=local\nset hostname=host.example.test")
        .args(["-s", "t", "no-such-user"])
        .stdin("x\n")
        .status(67)
        .says("no-such-user")
        .keeps(1)
        .run();
}

#[test]
fn a_remote_address_has_no_way_out() {
    let Some(case) = Case::new().private("a machine without any MTA") else {
        return;
    };
    case.args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .status(69)
        .says("ops@example.com")
        .hints("set ")
        .keeps(1)
        .run();
}

#[test]
fn a_plain_user_without_the_right_is_told_and_the_mail_kept() {
    let case = Case::new()
        .nobody()
        .rc("set mta=local\nset hostname=host.example.test");
    let (case, user) = if crate::launch::is_root() {
        (case, "root".to_owned())
    } else {
        // A spool that we may not write to.
        let user = case.user();
        (case.mode("spool", 0o555), user)
    };
    case.lacking("-w", "spool")
        .args(["-s", "t", &user])
        .stdin("x\n")
        .status(77)
        .says("spool")
        .hints("")
        .keeps(1)
        .run();
}

#[test]
fn ones_own_mailbox_in_ones_own_directory_is_enough() {
    let case = Case::new()
        .nobody()
        .env("MAIL", "[DIR]/home/inbox")
        .rc("set mta=local\nset hostname=host.example.test");
    let Some(user) = unaliased(&case) else { return };
    let ran = case
        .lacking(
            "-w",
            if crate::launch::is_root() {
                "spool"
            } else {
                "home/nowhere"
            },
        )
        .args(["-s", "t", &user])
        .stdin("to myself\n")
        .may_change("home/inbox")
        .run();
    assert_eq!(letters(&ran.read("home/inbox"))[0].body(), b"to myself\n");
}

#[test]
fn a_symbolic_link_in_the_spool_is_not_followed() {
    let Some((case, path)) = to_oneself("x\n") else {
        return;
    };
    let ran = case
        .file("cwd/precious", "precious\n")
        .link(&path, "[DIR]/cwd/precious")
        .fails()
        .any_stderr()
        .keeps(1)
        .run();
    assert_eq!(ran.read("cwd/precious"), b"precious\n");
}

#[test]
fn a_fresh_machine_sends_to_the_current_user_and_reads() {
    let Some(case) = Case::new().private("a fresh machine without any MTA") else {
        return;
    };
    let ran = case
        .args(["-s", "hello", "root"])
        .stdin("first mail\n")
        .any_stderr()
        .may_change("spool")
        .run();
    assert_eq!(letters(&ran.read("spool/root"))[0].body(), b"first mail\n");
    let Some(case) = ran.again().private("a fresh machine without any MTA") else {
        return;
    };
    case.args(["-H"]).stdout_contains("hello").run();
}
