//! `/usr/sbin/sendmail` that is Postrider itself: never a loop, never a lost mail.

use std::time::Duration;

use crate::case::{Case, program};
use crate::launch;

/// Returns a mail whose `mta` is this path.
fn by(mta: &str) -> Case {
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin("the text\n")
        .rc(&format!("set mta={mta}"))
        .limit(Duration::from_secs(20))
}

#[test]
fn a_symbolic_link_to_us_is_no_mta() {
    by("[DIR]/cwd/sendmail")
        .link("cwd/sendmail", "[DIR]/bin/postrider")
        .fails()
        .says("[DIR]/cwd/sendmail")
        .keeps(1)
        .run();
}

#[test]
fn a_hard_link_to_us_is_no_mta() {
    // Asked for once so that the program is in place to be linked to.
    let case = by("[DIR]/cwd/sendmail").lacking("-e", "cwd/sendmail");
    std::fs::hard_link(case.path("bin/postrider"), case.path("cwd/sendmail")).unwrap();
    case.fails().says("[DIR]/cwd/sendmail").keeps(1).run();
}

#[test]
fn a_copy_of_us_is_no_mta() {
    let case = by("[DIR]/cwd/sendmail").lacking("-e", "cwd/sendmail");
    // Not as `install_executable` does it, which makes a link where it can.
    launch::locked(|| std::fs::copy(program(), case.path("cwd/sendmail"))).unwrap();
    case.fails()
        .says("[DIR]/cwd/sendmail is Postrider itself")
        .keeps(1)
        .run();
}

#[test]
fn another_program_of_our_size_is_an_mta() {
    let case = by("[DIR]/cwd/sendmail");
    let size = std::fs::metadata(program()).unwrap().len();
    let script = "#!/bin/sh\n/bin/cat >/dev/null\nexit 0\n";
    launch::install_script(&case.path("cwd/sendmail"), script);
    let file = std::fs::File::options()
        .write(true)
        .open(case.path("cwd/sendmail"))
        .unwrap();
    // A shell reads no further than `exit`.
    file.set_len(size).unwrap();
    drop(file);
    case.run();
}

#[test]
fn a_wrapper_around_us_is_no_mta() {
    for face in ["sendmail", "mailx"] {
        let case = by("[DIR]/cwd/sendmail");
        let program = case.path("bin").join(face);
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", program.display());
        launch::install_script(&case.path("cwd/sendmail"), &script);
        let ran = case.fails().any_stderr().may_change("home").run();
        assert_eq!(ran.dead().len(), 1, "the parent keeps, the child does not");
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

#[test]
fn the_sendmail_face_called_by_us_never_calls_a_sendmail() {
    Case::send(["-i", "--", "ops@example.com"])
        .called("sendmail")
        .env("POSTRIDER_SUBMITTING", "1")
        .stdin("Subject: t\n\nx\n")
        .status(78)
        .any_stderr()
        .may_change("home")
        .run()
        .nothing_sent();
}

#[test]
fn auto_passes_over_ourselves() {
    let Some(case) = Case::new().private("mta=auto with /usr/sbin/sendmail being Postrider") else {
        return;
    };
    let case = case.lacking("-e", "mta/sendmail");
    std::os::unix::fs::symlink(case.path("bin/postrider"), case.path("mta/sendmail")).unwrap();
    case.args(["-s", "t", "ops@example.com"])
        .stdin("the text\n")
        .status(69)
        .any_stderr()
        .keeps(1)
        .limit(Duration::from_secs(20))
        .run();
}
