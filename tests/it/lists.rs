//! Message lists, searches, orders: what a person types at the prompt, and which messages it means.

use crate::case::Case;

/// Six messages: 1 new, 2 read, 3 old, 4 flagged and read, 5 answered, 6 a draft.
fn six() -> String {
    let message = |number: u32, from: &str, subject: &str, more: &str, body: &str| {
        format!(
            "From {address} Mon Nov {day:2} 09:00:00 2026\nFrom: {from}\nTo: list@example.org\n\
             Date: Mon, {day} Nov 2026 09:00:00 +0000\nSubject: {subject}\nMessage-ID: <{number}@x>\n{more}\n{body}\n\n",
            address = from.split(['<', '>']).nth(1).unwrap_or(from),
            day = number * 2,
        )
    };
    [
        message(
            1,
            "Alice A <alice@example.org>",
            "Disk full",
            "",
            "sda1 97%",
        ),
        message(
            2,
            "bob@example.net",
            "Backup: ok",
            "Status: RO\nX-Host: web2\n",
            "all is well",
        ),
        message(
            3,
            "Carol <carol@example.org>",
            "=?utf-8?q?Gr=C3=B6=C3=9Fe?=",
            "Status: O\nCc: boss@example.com\n",
            "the disk\nis there",
        ),
        message(
            4,
            "alice@example.com",
            "Re: Disk full",
            "Status: RO\nX-Status: F\nReferences: <1@x>\n",
            "fixed",
        ),
        message(
            5,
            "root",
            "Re: Backup: ok",
            "Status: RO\nX-Status: A\nContent-Transfer-Encoding: base64\n",
            "R3LDtsOfZSB6w6RobHQ=",
        ),
        message(
            6,
            "dave@example.org",
            "cron output",
            "Status: RO\nX-Status: T\nContent-Type: text/html\n",
            &format!("<p>Hello <b>wor</b>ld {}</p>", "x ".repeat(500)),
        ),
    ]
    .concat()
}

/// Returns `mailx -N` over the six messages with these commands from a pipe.
fn commands(lines: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", six())
        .stdin(format!("{lines}\nx\n"))
}

/// Returns the numbers of the header lines that are printed.
fn numbers(output: &str) -> String {
    let is_header_line = |line: &&str| line.contains(" Mon Nov ") && line.starts_with([' ', '>']);
    let lines = output.lines().filter(is_header_line);
    let numbers = lines.map(|line| line[2..6].trim().to_owned());
    numbers.collect::<Vec<_>>().join(" ")
}

/// Holds lists against the messages that `from` shows for them; commands may stand before it, and a
/// variable that is set before these.
#[track_caller]
fn names(rows: &[(&str, &str)]) {
    for (list, expected) in rows {
        let (variable, list) = match list.split_once(": ") {
            Some((variable, list)) => (variable, list),
            None => ("quiet", *list),
        };
        let line = match list.rsplit_once('\n') {
            Some((before, list)) => format!("{before}\necho ---\nfrom {list}"),
            None => format!("from {list}"),
        };
        let ran = commands(&line)
            .args(["-S", variable])
            .may_change("cwd/out")
            .any_stdout()
            .any_stderr()
            .any_status()
            .run();
        let stdout = ran.stdout();
        let last = stdout.rsplit_once("---\n");
        let shown = numbers(last.map_or(&*stdout, |(_, last)| last));
        assert_eq!(shown, *expected, "{list}: {}", ran.stderr());
    }
}

/// Holds searches against the messages that `search` shows.
#[track_caller]
fn finds(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let ran = commands(&format!("search {text}"))
            .any_stdout()
            .any_stderr()
            .any_status()
            .run();
        assert_eq!(
            numbers(&ran.stdout()),
            *expected,
            "{text}: {}",
            ran.stderr()
        );
    }
}

// L01 L02 L03 L09
#[test]
fn numbers_ranges_and_their_ends() {
    names(&[
        ("3", "3"),
        ("2-4", "2 3 4"),
        ("4-2", "2 3 4"),
        (".-$", "1 2 3 4 5 6"),
        ("3-$", "3 4 5 6"),
        ("^-2", "1 2"),
        ("5-*", "5 6"),
        ("*", "1 2 3 4 5 6"),
        ("^ $", "1 6"),
        ("1 3,5-6 3", "1 3 5 6"),
        ("6 1", "1 6"),
    ]);
}

// L03 L10
#[test]
fn deleted_messages_are_passed_over() {
    names(&[
        ("d 6 1\n$", "5"),
        ("d 6 1\n^", "2"),
        ("d 2 3\n*", "1 4 5 6"),
        ("d 2 3\n1-4", "1 4"),
        ("d 2 3\n:d", "2 3"),
        ("d 1 4\nalice", ""),
        ("d 2 3\nu 2-5\n*", "1 2 3 4 5 6"),
        ("d *\nu $\n*", "6"),
    ]);
    // `$` goes on: three times the last one.
    commands("d $\nd $\nd $\nf *")
        .stdout_contains("  3 carol")
        .run();
    commands("d 2\np 2")
        .stderr("2: Inappropriate message\n")
        .run();
}

// L04 L17
#[test]
fn the_next_and_the_previous_message() {
    names(&[
        ("p 3\n+", "4"),
        ("p 3\n-", "2"),
        ("p 3\nd 4\n+", "6"),
        ("p 3\nd 4\n.-$", "5 6"),
        ("d 1-5\nf 6\nu -\n*", "5 6"),
    ]);
    commands("p $\nf +")
        .any_stdout()
        .stderr("Referencing beyond EOF\n")
        .status(64)
        .run();
    // The last message of a list is current; after `delete` the first one behind it, else the last before.
    for (line, current) in [
        ("f 2 4", "4"),
        ("size 2\n=", "1"),
        ("d 2-3\n=", "4"),
        ("d 5-6\n=", "4"),
        ("p 2\nd 4\n=", "5"),
        ("seen 3\n=", "3"),
    ] {
        let ran = commands(&format!("{line}\n=")).any_stdout().run();
        assert_eq!(ran.stdout().lines().last(), Some(current), "{line}");
    }
}

// L05 var:allnet
#[test]
fn senders_are_found_by_a_part_of_their_address() {
    names(&[
        ("alice", "1 4"),
        ("ALICE@EXAMPLE.ORG", "1"),
        ("bob root", "2 5"),
        ("example", "1 2 3 4 6"),
        ("nobody", ""),
        // The local part alone.
        ("allnet: alice@elsewhere", "1 4"),
        ("allnet: ali", ""),
    ]);
}

// L06 L13 var:searchheaders
#[test]
fn subjects_and_other_fields_are_searched() {
    names(&[
        ("/disk", "1 4"),
        ("/GRÖSSE", ""),
        ("/GRÖß", "3"),
        ("'/disk full'", "1 4"),
        ("/ok\n/", "2 5"),
        ("/backup:", "2 5"),
        ("searchheaders: /x-host:WEB", "2"),
        ("searchheaders: /to:boss", "3"),
        ("searchheaders: /To:boss", ""),
        ("searchheaders: /:backup", "2 5"),
        ("x-host:/^web[0-9]$/", "2"),
        ("subject:/^re:/", "4 5"),
        ("header:web2", "2"),
        ("to:boss", "3"),
        ("cc:boss", "3"),
        ("from:carol", "3"),
        ("'from:Alice A'", "1"),
        ("message-id:4@x", "4"),
    ]);
}

// L07 L08 L16
#[test]
fn states_choose() {
    names(&[
        (":n", "1"),
        (":o", "3"),
        (":r", "2 4 5 6"),
        (":u", "1 3"),
        (":a", "5"),
        (":f", "4"),
        (":t", "6"),
        (":af", "4 5"),
        ("d 2\n:d", "2"),
        ("copy 3 out\nsave 2 out\n:s", "2"),
        ("is:unread", "1 3"),
        ("", "1"),
        ("p 3\n", "3"),
    ]);
    for (list, complaint) in [
        (":x", "Unknown message type: \":x\"\n"),
        (":", "Unknown message type: \":\"\n"),
        (":L", "Unknown message type: \":L\"\n"),
        (
            "is:lost",
            "\"is:lost\": a state is answered, deleted, draft, flagged, new, old, read, saved, tagged or unread\n",
        ),
    ] {
        commands(&format!("f {list}"))
            .stderr(complaint)
            .status(64)
            .run();
    }
    commands("f :d").stderr("No applicable messages\n").run();
}

// K71
#[test]
fn tagged_messages_are_a_list() {
    names(&[
        ("tag 2 4\n:T", "2 4"),
        ("tag 2 4\nuntag 2\n:T", "4"),
        (":T", ""),
    ]);
}

// L11
#[test]
fn the_message_before_the_parent_the_last_list_and_the_thread() {
    names(&[
        ("p 4\np 2\n;", "4"),
        ("p 4\n,", "1"),
        ("f 2 4\n`", "2 4"),
        ("search from:alice\n`", "1 4"),
        ("thread\n&1", "1 4"),
        ("&1", "1 4"),
        ("p 4\n&", "4"),
        ("sort reverse-date\n&1", "4 1"),
    ]);
    for (list, complaint) in [
        (";", "No message was current before\n"),
        ("`", "No message list was used before\n"),
        (
            ",",
            "The message that the current one answers is not here\n",
        ),
    ] {
        commands(&format!("f {list}"))
            .stderr(complaint)
            .status(64)
            .run();
    }
}

// L12
#[test]
fn searches_as_s_nail_has_them() {
    names(&[
        ("@disk", "1 4"),
        ("@f,c@boss", "3"),
        ("@from@^carol", "3"),
        ("@~f@^carol@example", "3"),
        ("@~f@\\.org$", "1 3 6"),
        ("@>@sda1", "1"),
        ("@=@web2", "2"),
        ("@<@web2", "2"),
        ("@x-host@", "2"),
        ("@@re:", "4 5"),
    ]);
}

// L13
#[test]
fn bodies_are_searched_decoded() {
    names(&[
        (":/97%/", "1"),
        ("body:größe", "5"),
        // HTML without its tags, text across a line end.
        ("'body:hello world'", "6"),
        ("'body:disk is there'", "3"),
        ("body:/^fixed$/", "4"),
        ("body:R3LDt", ""),
        ("body:<p>", ""),
        ("text:web2", "2"),
    ]);
}

// L15
#[test]
fn the_number_of_a_part_is_no_message() {
    commands("d 4.1")
        .stderr("\"4.1\" names a part of a message; this command takes whole messages\n")
        .status(64)
        .run();
}

// L14
#[test]
fn dates_ages_and_sizes_narrow_a_list() {
    names(&[
        ("since:2026-11-06", "3 4 5 6"),
        ("before:2026-11-06", "1 2"),
        ("on:6-Nov-2026", "3"),
        ("on:6 before:2000-01-01", ""),
        ("since:2026-11-04 before:2026-11-09", "2 3 4"),
        ("on:2026-11-06T09:00", "3"),
        ("on:2026-11-06T09:01", ""),
        ("newer:100000d alice", "1 4"),
        ("older:100000d", ""),
        ("larger:1k", "6"),
        ("smaller:1k alice", "1 4"),
        (":r /disk since:2026-11-08", "4 5 6"),
    ]);
    for (list, why) in [
        ("since:soon", "a date is"),
        ("on:2026-02-30", "a date is"),
        // An age without its unit: everything before the 7th would be deleted.
        ("before:7", "a date is"),
        ("older:3", "an age is"),
        ("larger:big", "a size is"),
        ("from:", "name what to look for"),
        ("subject:/(/", "bad regular expression"),
        ("subject:/(a{1000}){1000}/", "it is too big"),
    ] {
        let case = commands(&format!("d {list}\nq")).stderr_contains(why);
        case.any_stderr().status(64).run();
    }
}

// K68
#[test]
fn searches_have_and_or_not_and_parentheses() {
    finds(&[
        ("from:alice and :r", "4"),
        ("from:alice & :r", "4"),
        ("alice & /disk & :n", "1"),
        ("root or bob", "2 5"),
        ("bob | :n", "1 2"),
        ("not :r", "1 3"),
        ("!:r", "1 3"),
        ("! :r alice", "1"),
        (":r and not (alice or bob)", "5 6"),
        ("(:n or :f) from:alice", "1 4"),
        ("(from:bob or from:root) /backup", "2 5"),
        ("not not :n", "1"),
        ("subject:/(disk|cron)/", "1 4 6"),
        ("(subject:/(disk|cron)/)", "1 4 6"),
        ("2-5 and from:alice", "4"),
        ("body:größe or cc:boss", "3 5"),
        // The words of a list are a union, as in `from`.
        (":n /ok", "1 2 5"),
        // What is quoted is no operator.
        ("'subject:full' and alice", "1 4"),
    ]);
    for (text, complaint) in [
        (
            "",
            "search: name what to look for, such as from:cron and older:7d\n",
        ),
        ("(alice", "Unbalanced parentheses in the search\n"),
        ("alice)", "Unbalanced parentheses in the search\n"),
        (
            "alice and",
            "\"and, or, not\" needs something to search for on each side\n",
        ),
        (
            "or alice",
            "\"or\" needs something to search for on each side\n",
        ),
        (
            "not",
            "\"not\" needs something to search for on each side\n",
        ),
    ] {
        commands(&format!("search {text}"))
            .stderr(complaint)
            .status(64)
            .run();
    }
    let deep = format!("search {}alice{}", "(".repeat(5000), ")".repeat(5000));
    commands(&deep)
        .stderr("Too many parentheses within each other\n")
        .status(64)
        .run();
}

// K68
#[test]
fn deleted_messages_are_found_with_d_only() {
    let rows = [
        (":d and alice", "4"),
        ("alice", "1"),
        ("not bob", "1 3 5 6"),
        (":d or bob", "2 4"),
    ];
    for (search, expected) in rows {
        let ran = commands(&format!("d 4\nsearch {search}"))
            .any_stdout()
            .run();
        assert_eq!(numbers(&ran.stdout()), expected, "{search}");
    }
}

// K68 var:autosort
#[test]
fn sorted_messages_keep_their_numbers() {
    for (sort, expected) in [
        ("sort date", "1 2 3 4 5 6"),
        ("sort reverse-date", "6 5 4 3 2 1"),
        ("sort from", "4 1 2 3 6 5"),
        ("sort subject", "2 5 6 1 4 3"),
        ("sort size", "1 2 4 5 3 6"),
        ("sort thread", "1 4 2 5 3 6"),
        ("thread", "1 4 2 5 3 6"),
        ("sort status", "1 3 2 4 5 6"),
        ("sort subject\nunsort", "1 2 3 4 5 6"),
        ("sort subject\nsort none", "1 2 3 4 5 6"),
    ] {
        let ran = commands(&format!("{sort}\nf *")).any_stdout().run();
        assert_eq!(numbers(&ran.stdout()), expected, "{sort}");
        // Where header lines are wanted, they are shown in the new order.
        let case = Case::new()
            .args(["-S", "quiet", "-f", "box"])
            .file("cwd/box", six())
            .stdin(format!("{sort}\nx\n"))
            .any_stdout()
            .run();
        assert!(numbers(&case.stdout()).ends_with(expected), "{sort}");
    }
    // Ranges, `+`, `$` and `next` follow the order.
    names(&[
        ("thread\n1-2", "1 4 2"),
        ("thread\nf 1\n+", "4"),
        ("thread\n$", "6"),
        ("sort reverse-date\n^", "6"),
        ("sort reverse-date\nf 4\nd 4\n.", "3"),
    ]);
    let case = |lines: &str| commands(lines).any_stdout().run().stdout();
    assert!(case("thread\nf 1\np\nn").contains("Message 4:"));
    assert!(case("thread\nf 4").contains("-> Re: Disk full"));
    assert_eq!(
        case("sort"),
        "Not sorted: the order is that of the mailbox\n"
    );
    commands("sort colour")
        .stderr_contains(
            "sort: \"colour\" is not one of date, from, size, status, subject, thread, to",
        )
        .any_stderr()
        .status(64)
        .run();
    // mutt's name of the variable and its values are known too.
    for (set, expected) in [
        ("autosort=subject", "2 5 6 1 4 3"),
        ("sort=subject", "2 5 6 1 4 3"),
        ("sort=threads", "1 4 2 5 3 6"),
        ("sort=reverse-date-sent", "6 5 4 3 2 1"),
        ("sort=mailbox-order", "1 2 3 4 5 6"),
    ] {
        let sorted = Case::new()
            .args(["-S", "quiet", "-S", set, "-f", "box"])
            .file("cwd/box", six())
            .stdin("x\n")
            .any_stdout()
            .run();
        assert_eq!(numbers(&sorted.stdout()), expected, "{set}");
    }
}

#[test]
fn numbers_out_of_range_and_long_lists_are_told_or_done() {
    for number in ["0", "7", "99999999999999999999999999", "1-7", "7-9"] {
        let case = commands(&format!("d {number}\nq"));
        case.stderr_contains("Invalid message number")
            .any_stderr()
            .status(64)
            .run();
    }
    for bad in ["3-", "1--2--3", "--3", "@"] {
        let case = commands(&format!("d {bad}\nq"));
        case.stderr_contains("Bad message list")
            .any_stderr()
            .status(64)
            .run();
    }
    let many = "1 3-4 ".repeat(50_000);
    let ran = commands(&format!("f {many}")).any_stdout().run();
    assert_eq!(numbers(&ran.stdout()), "1 3 4");
    let texts: String = (0..50_000).map(|n| format!("u{n} ")).collect();
    commands(&format!("d {texts}"))
        .stderr("Too many texts and filters: there may be 1000 of them\n")
        .status(64)
        .run();
}
