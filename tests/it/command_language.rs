//! The command language of the reader: what is set, conditions, files of commands, help.

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

/// Returns `mailx -N -f box` with two messages and these commands from a pipe.
fn script(text: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", format!("{ONE}{TWO}"))
        .stdin(text)
}

/// Runs commands, which must print this, complain of nothing and change nothing.
#[track_caller]
fn prints(commands: &str, expected: &str) {
    script(&format!("{commands}\nx\n")).stdout(expected).run();
}

/// Runs commands, which must end with this status, complain of this and change nothing.
#[track_caller]
fn complains(commands: &str, status: i32, expected: &str) {
    script(&format!("{commands}\nx\n"))
        .status(status)
        .any_stdout()
        .stderr(expected)
        .run();
}

// K01 K37
#[test]
fn aliases_are_defined_added_to_listed_and_forgotten() {
    prints(
        "alias ops alice@x.org\na ops 'Bob B <bob@x.org>'\ngroup w ops\nalias ops\nalias\n\
         unalias ops\na",
        "ops\talice@x.org Bob B <bob@x.org>\n\
         ops\talice@x.org Bob B <bob@x.org>\nw\tops\nw\tops\n",
    );
    prints("alias a b\nalias c d\nunalias *\nalias", "");
}

// K02 K65
#[test]
fn alternates_are_named_listed_and_forgotten() {
    prints(
        "alternates me@x.org Me@Y.org\nalt\nunalternates ME@X.ORG\nalt\nunalt *\nalt",
        "me@x.org\nMe@Y.org\nMe@Y.org\n",
    );
}

// K03
#[test]
fn the_working_directory_changes_and_the_mailbox_stays() {
    let read = ONE.replacen("\n\n", "\nStatus: RO\n\n", 1);
    script("cd ../spool\ns 1 saved\ncd\nc 2 there\nchdir nowhere\n")
        .file("spool/x", "")
        .any_stdout()
        .status(66)
        .any_stderr()
        .leaves("spool/saved", ONE)
        .leaves("home/there", TWO)
        .run();
    script("cd ../spool\np 1\nq\n")
        .any_stdout()
        .leaves("cwd/box", format!("{read}{TWO}"))
        .run();
}

// K06 K29 K65
#[test]
fn header_fields_are_hidden_and_shown() {
    prints(
        "ignore to Date\ndiscard message-id\nignore\nunignore date\nig\nretain From: subject\nret\nunret *\nret",
        "date\nmessage-id\nto\nmessage-id\nto\nfrom\nsubject\n",
    );
    script("retain subject\np 1\nx\n")
        .stdout_contains("Subject: Disk almost full\n\n/dev/sda1")
        .run();
}

// K08
#[test]
fn echo_prints_its_words_at_the_prompt_and_in_a_file() {
    prints(
        "echo a  'b  c' \\$x \"d\" # no comment here",
        "a b  c $x d # no comment here\n",
    );
    script("echo two\nx\n")
        .rc("echo one  'x y'\n")
        .stdout("one x y\ntwo\n")
        .run();
}

// K16
#[test]
fn help_is_an_overview_or_explains_one_command() {
    let overview = script("?\nx\n")
        .stdout_contains("Show messages")
        .run()
        .stdout();
    assert!(overview.lines().count() <= 23, "{overview}");
    assert!(
        overview.lines().all(|line| line.chars().count() <= 80),
        "{overview}"
    );
    prints("help version", "ve[rsion]: Show the version\n");
    script("help p\nhelp type\nx\n")
        .stdout_contains("p[rint], t[ype] [messages]: Show messages\n")
        .run();
    for topic in ["lists", "variables", "escapes"] {
        let text = script(&format!("help {topic}\nx\n"))
            .any_stdout()
            .run()
            .stdout();
        let lines = text.lines().count();
        // The greeting and the last line are two of them; a prompt follows.
        assert!((5..=23).contains(&lines), "{topic}: {lines}\n{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
    script("help escapes\nx\n")
        .stdout_contains("~.             end the message")
        .run();
    script("help toplines\nx\n")
        .stdout_contains("variable toplines: ")
        .run();
    complains("help nosuch", 64, "There is no help for \"nosuch\"\n");
}

// K18
#[test]
fn conditions_nest_and_skip_what_does_not_count() {
    prints(
        "if r\necho a\nif s\necho b\nelse\necho c\nendif\nelse\necho d\nif r\necho e\nendif\nendif\necho f",
        "a\nc\nf\n",
    );
    prints("i t\necho a\nel\necho b\nen", "b\n");
    prints(
        "if terminal\necho a\nelif receive\necho b\nelse\necho c\nendif",
        "b\n",
    );
    prints("set n=3\nif $n -gt 2\necho more\nendif", "more\n");
    prints("if s\nd *\nif r\nd *\nendif\nd 1\nendif\necho end", "end\n");
    // What is not understood counts as false, and a script changes nothing any more.
    complains(
        "if blorb\nd *\nendif",
        64,
        "the condition \"blorb\" is not understood and counts as false\n",
    );
    complains(
        "endif\nd *",
        64,
        "\"endif\" without \"if\"\nmailx: \"d *\" is not carried out, because \"endif\" failed\n",
    );
}

#[test]
fn an_if_without_an_end_changes_nothing_and_is_told() {
    script("if s\nd *\nq\n")
        .status(64)
        .any_stdout()
        .stderr(
            "\"if\" without \"endif\"\n\
             mailx: box stays as it is, because \"if\" failed\n\
             hint: correct this command and run the script again\n",
        )
        .run();
}

// K19
#[test]
fn list_names_every_command() {
    let text = script("list\nx\n")
        .stdout_contains("Commands are:\n")
        .run()
        .stdout();
    for name in ["next", "alias", "retain", "source", "unset", "if", "help"] {
        assert!(
            text.contains(&format!("{name},")) || text.contains(&format!("{name}\n")),
            "{name}"
        );
    }
}

// K31 K39
#[test]
fn variables_are_set_listed_and_unset() {
    let text =
        script("set toplines=7 x-y='a b' nohold\nset empty=\nset\nunset toplines x-y\nset\nx\n")
            .any_stdout()
            .run()
            .stdout();
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.split(['=', ' ']).next().unwrap())
        .collect();
    let second = names.iter().rposition(|name| *name == "append").unwrap();
    assert!(
        names[..second].is_sorted() && names[second..].is_sorted(),
        "{text}"
    );
    assert!(text.contains("toplines=\"7\"\n"), "{text}");
    assert!(
        text.contains("x-y=\"a b\"  # unknown here, set by prompt\n"),
        "{text}"
    );
    assert!(text.contains("empty  # unknown here"), "{text}");
    assert!(!names.contains(&"hold"), "{text}");
    // The default is what counts again.
    assert!(!names[second..].contains(&"x-y"), "{text}");
}

#[test]
fn a_secret_is_not_listed() {
    let text = script("set smtp-auth-password=swordfish mta=smtps://me:swordfish@x.org\nset\nx\n")
        .stdout_contains("password=\"(secret)\"")
        .run()
        .stdout();
    assert!(!text.contains("swordfish"), "{text}");
}

// K34
#[test]
fn a_file_of_commands_is_carried_out_in_place() {
    script("source f\necho 3\nx\n")
        .file(
            "cwd/f",
            "echo 1\n# a comment\nif s\necho no\nendif\nsource g\necho 2",
        )
        .file("cwd/g", "echo \\\n  g\n")
        .stdout("1\ng\n2\n3\n")
        .run();
    script("source 'echo echo out|'\nx\n").stdout("out\n").run();
    // From -Y it comes before the next command, too.
    script("")
        .args(["-Y", "source f", "-Y", "echo 2", "-Y", "x"])
        .file("cwd/f", "echo 1\n")
        .stdout("1\n2\n")
        .run();
}

#[test]
fn a_file_of_commands_that_fails_is_named_with_its_line() {
    script("source f\nd *\nq\n")
        .file("cwd/f", "echo 1\nblorb\nd 1\n")
        .status(64)
        .stdout("1\n")
        .stderr(
            "f:2: Unknown command: \"blorb\"\n\
             mailx: \"d 1\" is not carried out, because \"blorb\" failed\n\
             mailx: box stays as it is, because \"blorb\" failed\n\
             hint: correct this command and run the script again\n",
        )
        .run();
    complains(
        "source nowhere",
        66,
        "cannot source nowhere: it does not exist\n",
    );
    complains("source", 64, "source needs one file name\n");
}

#[test]
fn files_of_commands_that_name_themselves_come_to_an_end() {
    script("source f\nd *\nq\n")
        .file("cwd/f", "source f\nsource f\n")
        .status(64)
        .any_stderr()
        .any_stdout()
        .run();
}

// K44 K45
#[test]
fn comments_are_passed_over_and_the_number_is_told() {
    script("# d *\n#d *\n2\n=\nx\n")
        .stdout_contains("all is well\n\n2\n")
        .run();
}

// K46
#[test]
fn what_is_wrong_is_told_and_the_status_says_so() {
    complains(
        "delte 1",
        64,
        "Unknown command: \"delte\"; did you mean \"delete\"?\n",
    );
    complains("blorb", 64, "Unknown command: \"blorb\"\n");
    complains("p 9", 64, "9: Invalid message number\n");
    complains("p nobody", 0, "No applicable messages\n");
    complains("set 'a", 64, "a quote is not closed: 'a\n");
    complains(
        "set toplines=many",
        64,
        "toplines must be a whole number, not \"many\"; the default is used\n",
    );
    complains(
        "alias a=b",
        78,
        "alias needs a name and its recipients, with blanks between them\n",
    );
}

// K47
#[test]
fn a_file_may_not_hold_what_posix_names() {
    for command in [
        "edit 1",
        "hold 1",
        "mail x",
        "preserve 1",
        "reply 1",
        "Reply 1",
        "respond 1",
        "shell",
        "visual 1",
        "Copy 1",
        "followup 1",
        "Followup 1",
        "!echo x >made",
    ] {
        script("x\n")
            .rc(&format!("{command}\n"))
            .any_stdout()
            .stderr_contains("is not allowed in this file")
            .run();
    }
}

// K72
#[test]
fn the_version_is_told() {
    prints(
        "version",
        concat!("Postrider ", env!("CARGO_PKG_VERSION"), "\n"),
    );
}

// K73
#[test]
fn accounts_and_command_aliases_work_and_macros_are_never_run() {
    prints(
        "account work {\nset toplines=9\n}\naccount home {\nset toplines=8\n}\naccount\naccount work\n\
         if $toplines == 9\necho work\nendif",
        "home\nwork\nwork\n",
    );
    prints(
        "commandalias hello echo hi\nhello you\ncommandalias\nuncommandalias hello",
        "hi you\nhello\techo hi\n",
    );
    prints("define x {\nd *\necho no\n}\necho end", "end\n");
    complains(
        "define x {\nd *\n}\ncall x",
        64,
        "call: macros are not run\n",
    );
    complains("account nosuch", 78, "there is no account \"nosuch\"\n");
}

// L01
#[test]
fn a_line_goes_on_behind_a_backslash_and_lists_need_no_blank() {
    prints("echo a \\\nb", "a b\n");
    prints("size1-2\nsize2", "1: 9/201\n2: 10/229\n2: 10/229\n");
}

/// Ten scripts whose first command fails: what follows must change nothing, and it is told.
#[test]
fn scripts_are_safe() {
    for failing in [
        "source nowhere",
        "cd nowhere",
        "set toplines=x",
        "alias a=b",
        "if blorb\nendif",
        "call x",
        "account nosuch",
        "folder=x",
        "else",
        "unknown",
        "help nosuch",
        "elif s",
        "source",
        "define",
        "set 'open",
        "echo 'open",
    ] {
        for change in ["d *", "s * sv", "hold *", "flag 1", "w 1 out"] {
            script(&format!("{failing}\n{change}\nq\n"))
                .fails()
                .any_stdout()
                .stderr_contains("is not carried out, because \"")
                .run();
        }
        // POSIX lets a script go on, and the status tells.
        script(&format!("{failing}\nd *\nq\n"))
            .env("POSIXLY_CORRECT", "1")
            .fails()
            .any_stdout()
            .any_stderr()
            .may_change("cwd/box")
            .run();
    }
}

// var:posix
#[test]
fn posix_lets_a_script_go_on() {
    script("set posix keep\nblorb\nd *\nq\n")
        .status(64)
        .any_stdout()
        .any_stderr()
        .leaves("cwd/box", "")
        .run();
}

// Each variable of the reader takes effect at the next command, wherever it was set.
// var:autoprint var:showto var:toplines var:screen
#[test]
fn a_variable_counts_from_any_place_it_is_set_at() {
    // Settings, commands, and the beginning or a part of the output.
    let rows: [(&str, &str, &str); 7] = [
        ("showto", "f 1", "root@example.org"),
        ("toplines=1", "top 1", "Message 1:\nFrom alice"),
        ("screen=1", "h", ">N  1 alice"),
        ("autoprint", "d 1", "all is well"),
        ("allnet", "f bob", "bob@example.org"),
        ("nohold", "f 2", "bob"),
        ("keepsave", "f 1", "alice"),
    ];
    for (setting, command, expected) in rows {
        let with = |rc: &str, option: &[&str], line: &str| {
            Case::new()
                .args(["-N", "-S", "quiet"])
                .args(["-S", "from=alice@example.org"])
                .args(option)
                .args(["-f", "box"])
                .file("cwd/box", format!("{ONE}{TWO}"))
                .rc(rc)
                .stdin(format!("{line}{command}\nx\n"))
                .stdout_contains(expected)
                .any_stderr()
                .run()
                .stdout()
        };
        let rc = with(&format!("set {setting}\n"), &[], "");
        let option = with("", &["-S", setting], "");
        let prompt = with("", &[], &format!("set {setting}\n"));
        assert_eq!(rc, option, "{setting}");
        assert_eq!(rc, prompt, "{setting}");
    }
}

// var:errexit
#[test]
fn errexit_ends_a_script_and_ignerr_lets_a_command_fail() {
    script("set errexit\np 9\necho no\n")
        .status(64)
        .stderr("9: Invalid message number\n")
        .run();
    script("set errexit\nignerr p 9\nignerr blorb\necho yes\nx\n")
        .stdout("yes\n")
        .stderr("9: Invalid message number\nUnknown command: \"blorb\"\n")
        .run();
}

// var:onehop var:sendwait
#[test]
fn what_mail_systems_decide_is_accepted() {
    prints("set onehop sendwait noonehop nosendwait\necho ok", "ok\n");
}

// K64
#[test]
fn the_header_lists_of_other_programs_are_accepted() {
    script("ret\nx\n")
        .rc(
            "headerpick type retain subject from\nsaveignore received\nsaveretain subject\n\
             fwdignore received\nfwdretain subject\nheaderpick save ignore x\n",
        )
        .stdout_contains("subject\n")
        .run();
    script("headerpick type ignore to\nig\nx\n")
        .stdout_contains("to\n")
        .run();
}

#[test]
fn the_text_of_a_reply_that_is_not_written_is_no_command() {
    script("if s\nreply 1\nendif\nd *\n.\nq\n")
        .status(64)
        .stderr_contains("\"if\" without \"endif\"")
        .any_stdout()
        .run();
}

#[test]
fn any_bytes_and_long_lines_are_borne() {
    let long = "x".repeat(1 << 20);
    let mut text = Vec::new();
    for line in [
        format!("echo {long}"),
        format!("p {}", "9".repeat(1 << 20)),
        long.clone(),
        format!("set a={long}"),
        format!("commandalias y {long}\ny"),
        format!("if {long}\nendif"),
        format!("alias {long} b"),
        "\0\0".to_owned(),
        "p \0".to_owned(),
        "if s\n".repeat(10_000),
        "set toplines=1\nalias a b\nignore x\n".repeat(5_000),
    ] {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    text.extend_from_slice(b"\xff\xfe \x80\nd *\nq\n");
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", format!("{ONE}{TWO}"))
        .stdin(text)
        .limit(std::time::Duration::from_secs(60))
        .status(64)
        .any_stdout()
        .any_stderr()
        .run();
}

#[test]
fn commands_and_lists_of_other_programs_are_answered_by_ours() {
    let rows = [
        (
            "setenv A=b",
            64,
            "set it in the shell that starts the reader",
        ),
        ("decode 1", 64, "use print, which decodes every message"),
        ("summary", 64, "use file"),
        (
            "shortcut a b",
            64,
            "use +NAME for a mailbox, after set folder=DIRECTORY",
        ),
        (
            "collapse",
            64,
            "use thread, and &3 for the thread of message 3",
        ),
        ("verify 1", 64, "use pipe with gpg or openssl"),
        ("bounce 1 a@x", 64, "they are its text; use resend"),
        (
            "p (from nobody)",
            64,
            "\"(from nobody)\": write from:nobody",
        ),
        ("delete (unseen)", 64, "\"(unseen)\": write :u"),
        (
            "f (or (from a) (from b))",
            64,
            "write such as from:alice, subject:disk",
        ),
        ("print 1[1]", 64, "\"1[1]\": write 1.1 for a part"),
        (
            "search (from nobody)",
            64,
            "\"(from nobody)\": write from:nobody",
        ),
        (
            "search (from:nobody or subject:none)",
            0,
            "No applicable messages",
        ),
        ("p nobody", 0, "No applicable messages"),
    ];
    for (typed, status, says) in rows {
        script(&format!("{typed}\n"))
            .status(status)
            .stderr_contains(says)
            .any_stderr()
            .any_stdout()
            .may_change("cwd/box")
            .run();
    }
    script("help ~s\nx\n").stdout_contains("~s TEXT").run();
    prints(
        "help ignerr",
        "ignerr command: Carry out a command whose failure does not count\n    \
         ignerr source ~/.mail.local\n",
    );
    prints(
        "help source_if",
        "source_if: a command of other programs; write ignerr source FILE, or use it in\n\
         a start-up file\n",
    );
    prints(
        "help setenv",
        "setenv: a command of other programs; set it in the shell that starts the\nreader\n",
    );
}
