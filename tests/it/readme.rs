//! The examples of README and manual: every `sh` block is run as it stands, every configuration
//! is read, in a world that has what they speak of.
//!
//! A block that cannot be run says why in a comment in front of it: `<!-- not run: … -->`.

use std::fs;

use crate::case::{Case, program};
use crate::documents::{document, examples, pages, sessions};
use crate::launch;
use crate::mailboxes;
use crate::sendmail::FakeSendmail;

/// A block of a document.
struct Block {
    language: String,
    text: String,
    /// Why it is not run.
    left_out: Option<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut left_out = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(Block {
                language: language.to_owned(),
                text: body.join("\n"),
                left_out: left_out.take(),
            });
        } else if let Some(reason) = line.strip_prefix("<!-- not run: ") {
            left_out = Some(reason.trim_end_matches(" -->").to_owned());
        } else if !line.is_empty() {
            left_out = None;
        }
    }
    found
}

/// Returns a case with the files that examples speak of, a sendmail that accepts, and the
/// program where cargo would have built it.
fn world() -> Case {
    let case = Case::new().sendmail(FakeSendmail::accepting());
    let user = case.user();
    let case = case
        .file("cwd/report.pdf", b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n")
        .file("cwd/build.log", "one\ntwo\nthree\n")
        .file("cwd/archive.mbox", mailboxes::ONE)
        .file(&format!("spool/{user}"), mailboxes::ONE);
    built(case)
}

/// Puts the program where `cargo build --release` would have, and a `cargo` that leaves it there.
fn built(case: Case) -> Case {
    let release = case.path("cwd/target/release");
    fs::create_dir_all(&release).unwrap();
    launch::install_executable(program(), &release.join("postrider"));
    launch::install_script(
        &case.path("bin/cargo"),
        "#!/bin/sh\ncase \"$*\" in 'build --release --locked') ;; *) exit 1 ;; esac\n",
    );
    case
}

/// Writes a system's configuration that keeps the tests out of the machine's log.
fn without_log(case: Case) -> Case {
    case.file("sys/etc/postrider.rc", "set log=off\n")
}

/// Runs a script with the programs that every machine has; it must end well at every line.
fn script(case: Case, text: &str) -> Case {
    let text = format!("set -e\nPATH=$PATH:/usr/bin:/bin\n{text}\n");
    ["cwd", "home", "spool", "mta"]
        .iter()
        .fold(case.within(&text), |case, path| case.may_change(path))
        .any_stdout()
        .any_stderr()
}

#[test]
fn the_installation_with_cargo_works_for_a_plain_user() {
    let all = blocks(&document("README.md"));
    let block = all
        .into_iter()
        .find(|block| block.text.contains("cargo install"));
    let command = block.expect("the README says it").text;
    // Its user is never root, for whom it would be installed below the machine's /usr/local.
    let ran = script(
        Case::new().nobody().env("PATH", "[DIR]/home/.local/bin:[DIR]/home/.cargo/bin"),
        &format!(
            "mkdir -p ~/.cargo/bin\n\
             cargo() {{ test \"$*\" = 'install --path . --locked' && cp ../bin/postrider ~/.cargo/bin/; }}\n\
             {command}\n\
             test \"$(readlink ~/.local/bin/mail)\" = \"$HOME/.cargo/bin/postrider\"\n\
             mail --version\n\
             test -f ~/.local/share/man/man1/mail.1 && test -f ~/.local/share/man/man5/postrider-mailrc.5\n\
             postrider install --uninstall\n\
             test ! -e ~/.local && test -x ~/.cargo/bin/postrider"
        ),
    )
    .run();
    assert!(
        ran.stdout()
            .contains("installed [DIR]/home/.local/bin/mail -> ")
    );
}

fn is_first(text: &str) -> bool {
    text.contains("cargo build")
}

#[test]
fn the_blocks_of_the_readme_run() {
    let mut count = 0;
    for block in blocks(&document("README.md")) {
        if block.language != "sh" || block.left_out.is_some() || is_first(&block.text) {
            continue;
        }
        count += 1;
        script(world(), &block.text).run();
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn every_other_block_says_why_it_is_not_run() {
    for block in blocks(&document("README.md")) {
        match block.left_out {
            Some(reason) => assert!(reason.len() > 10, "{reason}"),
            None => assert!(
                ["sh", "mailrc"].contains(&block.language.as_str()),
                "{}",
                block.text
            ),
        }
    }
}

#[test]
fn the_examples_of_the_manual_run() {
    let mut count = 0;
    for text in pages().flat_map(examples) {
        count += 1;
        script(world(), &text).run();
    }
    assert!(count >= 5, "{count}");
}

/// Returns a mailbox that has what the examples of reading speak of.
fn mailbox_of_sessions() -> String {
    let mut text = mailboxes::ONE.to_owned() + mailboxes::TWO;
    text.push_str(
        "From cron@example.org Wed Nov 18 09:00:00 2026\n\
         From: cron@example.org\nTo: root@example.org\nSubject: backup: report\n\
         Date: Wed, 18 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=x\n\n\
         --x\n\ndisk full\n\n--x\nContent-Type: application/pdf; name=a.pdf\n\n%PDF\n\n--x--\n\n",
    );
    text + mailboxes::ONE + mailboxes::TWO
}

#[test]
fn what_the_examples_of_reading_type_is_understood() {
    let mut all = sessions("mailx.1");
    all.extend(sessions("postrider-mailrc.5"));
    assert!(all.len() >= 15, "{}", all.len());
    for text in all {
        let case = world()
            .file("cwd/box.mbox", mailbox_of_sessions())
            .file("cwd/commands", format!("{text}\n"))
            .file("home/Mail/backups", "");
        for program in ["bin/gpg", "bin/pdftotext"] {
            launch::install_script(&case.path(program), "#!/bin/sh\ncat >/dev/null\n");
        }
        let line = "mailx -~ -N -S folder=~/Mail -f box.mbox <commands";
        let ran = script(case, line).run();
        assert!(!ran.stderr().contains("nknown"), "{text}\n{}", ran.stderr());
    }
}

fn first_command() -> String {
    let blocks = blocks(&document("README.md"));
    let first = blocks.into_iter().find(|block| is_first(&block.text));
    first.expect("the README has its first command").text
}

#[test]
fn the_first_command_works_as_root_without_any_mta() {
    let what = "the first command of the README on a machine without MTA";
    let Some(case) = Case::new().private(what) else {
        return;
    };
    let ran = script(built(without_log(case)), &first_command())
        .env("MAILRC", "")
        .env("DEAD", "")
        .stdout_contains("Subject: Hello")
        .stdout_contains("It works.")
        .stderr("")
        .run();
    assert!(ran.path("spool/root").exists());
}

#[test]
fn the_first_command_works_for_a_plain_user_with_a_mailbox_of_ones_own() {
    let what = "the first command of the README for a plain user";
    let command = first_command();
    let case = if launch::is_root() {
        let Some(case) = Case::new().private(what) else {
            return;
        };
        let case = built(without_log(case)).env("MAILRC", "");
        launch::give_to_nobody(&case.path("home"));
        let become_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        script(
            case,
            &format!(
                "exec {become_nobody} /bin/sh -ec '{}'",
                command.replace('\'', "'\\''")
            ),
        )
    } else {
        let case = Case::new().rc("set mta=local");
        if crate::local::unaliased(&case).is_none() {
            return;
        }
        script(built(case), &command)
    };
    let ran = case
        .env("MAIL", "[DIR]/home/inbox")
        .stdout_contains("Subject: Hello")
        .stdout_contains("It works.")
        .stderr("")
        .run();
    assert!(ran.path("home/inbox").exists());
}

#[test]
fn the_configurations_of_the_documents_are_read_without_a_word() {
    let readme = blocks(&document("README.md"));
    let readme = readme
        .into_iter()
        .filter(|block| block.language == "mailrc");
    let mut all: Vec<String> = readme.map(|block| block.text).collect();
    let page = document("man/postrider-mailrc.5");
    for part in page.split(".\\\" config\n.EX\n").skip(1) {
        let text = part.split("\n.EE").next().expect("a part");
        all.push(text.replace("\\-", "-"));
    }
    assert!(all.len() >= 4, "{}", all.len());
    for text in all {
        let mta = if text.contains(" smtp=") {
            "set mta=auto\n"
        } else {
            ""
        };
        let account: &[&str] = if text.contains("account private") {
            &["--account", "private"]
        } else {
            &[]
        };
        let ran = Case::new()
            .called("postrider")
            .file("cwd/rc", format!("{mta}{text}\n"))
            .mode("cwd/rc", 0o600)
            .args(["send", "--no-system-rc", "--config", "rc", "--dry-run"])
            .args(account)
            .args(["ops@elsewhere.example"])
            .stdin("x\n")
            .any_stdout()
            .stderr_contains("ops@elsewhere.example: relay s")
            .run();
        assert_eq!(ran.stderr().lines().count(), 1, "{}", ran.stderr());
    }
}

/// Returns the configurations for providers, each with the paragraph before it.
fn recipes() -> Vec<(String, String)> {
    let text = document("README.md");
    let (_, text) = text
        .split_once("\n### Relays of providers\n")
        .expect("it is there");
    let text = text.split("\n## ").next().expect("a part");
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\n```mailrc\n") {
        let (recipe, after) = after.split_once("\n```").expect("it ends");
        let paragraph = before
            .trim_end()
            .rsplit("\n\n")
            .next()
            .expect("a paragraph");
        found.push((paragraph.to_owned(), recipe.to_owned()));
        rest = after;
    }
    found
}

#[test]
fn each_recipe_for_a_provider_is_what_its_relay_wants() {
    const HOME: &str = "[DIR]/home";
    // What the paragraph begins with; the relay, the login there, and what it sees of cron's mail.
    let table = [
        (
            "Amazon SES",
            "submission://email-smtp.eu-central-1.amazonaws.com:587",
            "login at email-smtp.eu-central-1.amazonaws.com as AKIAIOSFODNN7EXAMPLE, \
             with the password in /etc/postrider/ses",
            "alerts@example.com",
        ),
        (
            "Exchange Online",
            "submission://smtp.office365.com:587",
            "login at smtp.office365.com as alerts@contoso.com, \
             with a token from login.microsoftonline.com",
            "alerts@contoso.com",
        ),
        (
            "Gmail",
            "submission://smtp.gmail.com:587",
            "login at smtp.gmail.com as me@gmail.com, with the password in ~/.gmail-password",
            "me@gmail.com",
        ),
        (
            "Google Workspace",
            "submission://smtp.gmail.com:587",
            "login at smtp.gmail.com as alerts@example.com, \
             with a token from the service that the key file names",
            "alerts@example.com",
        ),
        (
            "SendGrid",
            "submission://smtp.sendgrid.net:587",
            "login at smtp.sendgrid.net as apikey, with the password in /etc/postrider/sendgrid",
            "alerts@example.com",
        ),
        (
            "A Postfix",
            "submission://mail.example.com:587",
            "login at mail.example.com as db1, with the password in /etc/postrider/password",
            "db1@example.com",
        ),
        (
            "A smart host",
            "smtp://smarthost.example.com:25",
            "no login is set for smarthost.example.com",
            "db1@example.com",
        ),
    ];
    let recipes = recipes();
    assert_eq!(recipes.len(), table.len());
    for ((paragraph, recipe), (name, relay, login, from)) in recipes.iter().zip(table) {
        assert!(paragraph.starts_with(name), "{paragraph}");
        let lines = recipe.lines().count();
        assert!((3..=5).contains(&lines), "{name}: {lines} lines");
        let ran = Case::new()
            .file("cwd/rc", format!("{recipe}\n"))
            .env("MAILRC", "[DIR]/cwd/rc")
            .mode("cwd/rc", 0o600)
            .args([
                "-n",
                "--explain",
                "-r",
                "root",
                "-s",
                "t",
                "ops@elsewhere.example",
            ])
            .stdin("x\n")
            .any_stdout()
            .any_stderr()
            .run();
        let text = format!("{}{}", ran.stdout(), ran.stderr()).replace(HOME, "~");
        for told in [
            format!("recipient ops@elsewhere.example: relay {relay}"),
            login.to_owned(),
            format!("\"root\" becomes \"{from}\""),
        ] {
            assert!(text.contains(&told), "{name}: no {told:?} in\n{text}");
        }
    }
}

#[test]
fn the_readme_lists_every_exit_status() {
    let text = document("README.md");
    for (kind, _) in postrider::door::statuses() {
        let status = kind.map_or(0, postrider::Kind::status);
        assert!(text.contains(&format!("\n| {status} | ")), "{status}");
    }
}
