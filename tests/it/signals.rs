//! SIGINT, SIGTERM, SIGHUP and SIGQUIT at many points of reading, composing and submitting.
//!
//! Wherever a signal strikes: nobody has half a mail, the text is with the next hop or kept, and
//! the program dies of the signal, so that whoever started it knows. That the program ends at all, and soon, is the harness' limit.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::{Case, Ran};
use crate::launch;
use crate::letters::Letter;
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer, Step, expect, find, say};

const SIGNALS: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// Far below every time limit of the program's own that could end these runs.
const SOON: Duration = Duration::from_secs(20);

/// A pause that no client waits for.
const FOR_EVER: Step = Step::Sleep(Duration::from_secs(600));

/// Runs a test of each number on a few threads: most of these runs only wait.
fn in_parallel(count: usize, test: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    test(number);
                }
            });
        }
    });
}

/// Returns a text of so many lines, each of them telling its place.
fn text(lines: usize) -> String {
    (0..lines)
        .map(|n| format!("line {n} of the text\n"))
        .collect()
}

fn letter(data: &[u8]) -> Letter {
    let text = String::from_utf8(data.to_vec()).expect("7-bit");
    Letter::new(text.replace("\r\n", "\n").as_bytes())
}

/// Asserts what must be so after a signal in any moment: the text is whole where it is said to be.
#[track_caller]
fn assert_true(ran: &Ran, accepted: &[Letter], body: &[u8], signal: Signal) {
    let kept = ran.unsent();
    for letter in accepted.iter().chain(&kept) {
        assert_eq!(
            letter.body().escape_ascii().to_string(),
            body.escape_ascii().to_string(),
            "half a mail"
        );
    }
    let code = ran.output.code();
    match code {
        0 => {
            assert_eq!(accepted.len(), 1, "status 0 without a mail");
            assert!(kept.is_empty(), "status 0, and a kept mail");
        }
        _ => {
            assert_eq!(
                ran.output.status.signal(),
                Some(signal as i32),
                "status {code}: {}",
                ran.stderr()
            );
            assert_eq!(kept.len(), 1, "neither accepted nor kept: {}", ran.stderr());
            let said = ran.stderr();
            assert!(said.contains("[DIR]/home/dead.letter") || said.contains("in the outbox as"));
        }
    }
}

#[test]
fn while_the_text_is_read() {
    // In blocks of 16 KiB: nothing, a byte, the edges of a block, more than one.
    let sizes = [0, 1, 17, 4095, 4096, 16_383, 16_384, 16_385, 40_000, 65_536];
    in_parallel(sizes.len() * SIGNALS.len(), |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        let size = sizes[number / SIGNALS.len()];
        let given: Vec<u8> = text(4000).into_bytes()[..size].to_vec();
        let ran = Case::send(["-s", "t", "ops@example.com"])
            .stdin_stays_open(&given)
            .signal_when_waiting(signal)
            .limit(SOON)
            .status(128 + signal as i32)
            .says("before the message was complete")
            .keeps(1)
            .run();
        ran.nothing_sent();
        let mut body = given;
        if !body.is_empty() && !body.ends_with(b"\n") {
            body.push(b'\n');
        }
        assert_true(&ran, &[], &body, signal);
    });
}

#[test]
fn while_sendmail_t_reads() {
    let given = "To: ops@example.com\nSubject: t\n\nfirst part\n";
    // In the header too: what there is of it is kept.
    let sizes = [given.len(), given.len() - 3, 35, 10];
    in_parallel(sizes.len(), |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        let ran = Case::new()
            .called("sendmail")
            .args(["-t", "-i"])
            .sendmail(FakeSendmail::accepting())
            .stdin_stays_open(&given[..sizes[number]])
            .signal_when_waiting(signal)
            .limit(SOON)
            .status(128 + signal as i32)
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
    });
}

#[test]
fn while_an_attachment_comes_slowly() {
    in_parallel(SIGNALS.len(), |number| {
        let signal = SIGNALS[number];
        let case = Case::send(["-s", "t", "--attach", "pipe", "ops@example.com"])
            .fifo("cwd/pipe")
            .stdin("the text\n");
        // A writer who has begun and does not end.
        let mut writer = File::options()
            .read(true)
            .write(true)
            .open(case.path("cwd/pipe"))
            .unwrap();
        writer.write_all(b"half an attachment").unwrap();
        let ran = case
            .signal_when_waiting_for("cwd/pipe", signal)
            .limit(SOON)
            .fails()
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
        let kept = &ran.unsent()[0];
        assert_eq!(kept.text(), "the text\n");
        let died_of = ran.output.status.signal();
        assert_eq!(died_of, Some(signal as i32), "{}", ran.stderr());
        drop(writer);
    });
}

#[test]
fn while_sendmail_has_the_mail() {
    let sendmails = [
        FakeSendmail::new().step("hang"),
        FakeSendmail::new().step("read 100").step("hang"),
        FakeSendmail::accepting().step("hang"),
        FakeSendmail::accepting()
            .step("chatter 100000")
            .step("hang"),
    ];
    in_parallel(sendmails.len() * SIGNALS.len(), |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        let body = text(3000);
        let ran = Case::new()
            .args(["-s", "t", "ops@example.com"])
            .sendmail(sendmails[number / SIGNALS.len()].clone())
            .stdin(&body)
            .signal_at("mta/calls/0001/hanging", signal)
            .limit(SOON)
            .fails()
            .any_stderr()
            .keeps(1)
            .run();
        assert_true(&ran, &[], body.as_bytes(), signal);
        assert_eq!(ran.calls().len(), 1);
    });
}

#[test]
fn while_the_relay_is_silent() {
    let steps = [
        say("220 relay.test"),
        expect("EHLO"),
        say("250 relay.test"),
        expect("MAIL"),
        say("250 ok"),
        expect("RCPT"),
        say("250 ok"),
        expect("DATA"),
        say("354 go on"),
        Step::ExpectData,
    ];
    // Silent from here on, once the client has sent this.
    let points: [(usize, &[u8]); 5] = [
        (2, b"EHLO"),
        (4, b"MAIL"),
        (6, b"RCPT"),
        (8, b"DATA\r\n"),
        (10, b"\r\n.\r\n"),
    ];
    in_parallel(points.len() * SIGNALS.len(), |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        let (silent, sent) = points[number / SIGNALS.len()];
        let mut script = steps[..silent].to_vec();
        script.push(FOR_EVER);
        let server = Arc::new(SmtpServer::scripted(script));
        let watched = Arc::clone(&server);
        let body = text(50);
        let ran = Case::new()
            .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
            .rc("set hostname=client.example.org")
            .args(["-s", "t", "ops@example.com"])
            .stdin(&body)
            .signal_when(
                move || {
                    let sessions = watched.sessions();
                    sessions
                        .iter()
                        .any(|session| find(&session.received, sent).is_some())
                },
                signal,
            )
            .limit(SOON)
            .fails()
            .any_stderr()
            .queues(1)
            .run();
        assert_true(&ran, &[], body.as_bytes(), signal);
        // Before the dot nobody can have it; after the dot nobody can know.
        let uncertain = ran.stderr().contains("uncertain");
        assert_eq!(uncertain, silent == 10, "{}", ran.stderr());
    });
}

#[test]
fn before_the_relay_has_greeted() {
    in_parallel(SIGNALS.len(), |number| {
        let signal = SIGNALS[number];
        let server = Arc::new(SmtpServer::scripted(vec![FOR_EVER]));
        let watched = Arc::clone(&server);
        let ran = Case::new()
            .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
            .rc("set hostname=client.example.org")
            .args(["-s", "t", "ops@example.com"])
            .stdin("the text\n")
            .signal_when(move || !watched.sessions().is_empty(), signal)
            .limit(SOON)
            .fails()
            .any_stderr()
            .queues(1)
            .run();
        assert_true(&ran, &[], b"the text\n", signal);
    });
}

#[test]
fn at_any_moment_of_a_submission() {
    // By sendmail and by a relay that takes its time, a few milliseconds further on each time.
    in_parallel(40, |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        let moment = Duration::from_micros(1500 * (number as u64 / 2));
        let body = text(20_000);
        let begun = std::cell::Cell::new(None);
        let case = |case: Case, has_begun: Box<dyn Fn() -> bool + Send>| {
            case.args(["-s", "t", "ops@example.com"])
                .stdin(&body)
                .signal_when(
                    move || {
                        if begun.get().is_none() && has_begun() {
                            begun.set(Some(std::time::Instant::now()));
                        }
                        begun.get().is_some_and(|begun| begun.elapsed() >= moment)
                    },
                    signal,
                )
                .limit(SOON)
                .any_status()
                .any_stderr()
                .may_change("home/dead.letter")
        };
        if number % 2 == 0 {
            let world = Case::new().sendmail(FakeSendmail::accepting());
            let calls = world.path("mta/calls/0001");
            let ran = case(world, Box::new(move || calls.exists())).run();
            let status = ran.output.code();
            let letters: Vec<Letter> = match status {
                0 => vec![ran.call().letter()],
                _ => Vec::new(),
            };
            assert_true(&ran, &letters, body.as_bytes(), signal);
        } else {
            let server = Arc::new(SmtpServer::accepting(Behaviour::default()));
            let watched = Arc::clone(&server);
            let world = Case::new()
                .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
                .rc("set hostname=client.example.org");
            let ran = case(world, Box::new(move || !watched.sessions().is_empty())).run();
            let accepted: Vec<Letter> = server
                .messages()
                .iter()
                .map(|message| letter(&message.data))
                .collect();
            assert_true(&ran, &accepted, body.as_bytes(), signal);
        }
    });
}

#[test]
fn as_soon_as_the_program_runs() {
    // Before the handlers are there a signal kills: then nothing was read, nothing is anywhere. No
    // event tells these moments from each other, so they are tried by the clock.
    in_parallel(20, |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        let ran = Case::send(["-s", "t", "ops@example.com"])
            .stdin("the text\n")
            .signal_after(Duration::from_micros(700 * number as u64), signal)
            .limit(SOON)
            .any_status()
            .any_stderr()
            .may_change("home/dead.letter")
            .run();
        let code = ran.output.code();
        assert!([0, 75, 128 + signal as i32].contains(&code), "{code}");
        let kept = ran.unsent();
        for kept in &kept {
            assert!(b"the text\n".starts_with(&kept.body()[..]));
        }
        if code == 0 {
            assert_eq!(ran.call().letter().body(), b"the text\n");
        }
    });
}

/// Returns what runs the program inside a shell script.
fn sh(script: &str) -> [&str; 4] {
    ["/bin/sh", "-c", script, "sh"]
}

#[test]
fn a_core_is_never_left() {
    let script = "ulimit -c unlimited; exec \"$@\"";
    for args in [&["-s", "t", "ops@example.com"][..], &["-N", "-f", "box"]] {
        Case::send([])
            .args(args)
            .file("cwd/box", crate::mailboxes::ONE)
            .wrapped(sh(script))
            .stdin_stays_open("")
            .signal_when_waiting(Signal::SIGQUIT)
            .limit(SOON)
            .status(128 + Signal::SIGQUIT as i32)
            .any_stdout()
            .any_stderr()
            .may_change("home/dead.letter")
            .run();
    }
}

#[test]
fn what_others_wrote_is_limited_as_before() {
    // A child gets the limit that we were started with.
    let ran = Case::new()
        .args(["-s", "t", "-S", "expandaddr", "|ulimit -c >limit"])
        .wrapped(sh("ulimit -S -c 1234; exec \"$@\""))
        .stdin("the text\n")
        .may_change("cwd/limit")
        .run();
    let limit = std::fs::read_to_string(ran.path("cwd/limit")).unwrap();
    assert_eq!(limit.trim(), "1234");
}

/// Returns a case whose sendmail ends behind the signal, which is to be sent when it has begun.
fn slow() -> Case {
    let case = Case::new()
        .rc("set mta=[DIR]/cwd/slow")
        .may_change("cwd/begun")
        .then_makes("cwd/behind");
    launch::install_script(
        &case.path("cwd/slow"),
        "#!/bin/sh\n: >begun\nuntil [ -e behind ]; do /bin/sleep 0.02; done\n\
         exec /bin/cat >/dev/null\n",
    );
    case
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    in_parallel(SIGNALS.len(), |number| {
        let signal = SIGNALS[number];
        let ignoring = "trap '' INT TERM HUP QUIT; exec \"$@\"";
        slow()
            .args(["-s", "t", "ops@example.com"])
            .wrapped(sh(ignoring))
            .stdin("the text\n")
            .signal_at("cwd/begun", signal)
            .limit(SOON)
            .run();
    });
    // -i is the same for an interrupt.
    slow()
        .args(["-i", "-s", "t", "ops@example.com"])
        .stdin("the text\n")
        .signal_at("cwd/begun", Signal::SIGINT)
        .limit(SOON)
        .run();
}

#[test]
fn while_a_lock_is_waited_for() {
    // Local delivery, the copy of a message that is sent, leaving the reader, deleting.
    type World = fn(Case) -> Case;
    let doors: [World; 4] = [
        |case| {
            let path = format!("spool/{}", case.user());
            let lock = format!("{path}.lock");
            let case = case.rc("set mta=local");
            let user = case.user();
            case.args(["-s", "t", &user])
                .file(&path, crate::mailboxes::ONE)
                .file(&lock, "0\n")
                .stdin("the text\n")
                .queues(1)
        },
        |case| {
            case.args(["-s", "t", "-S", "record=[DIR]/cwd/sent", "ops@example.com"])
                .sendmail(FakeSendmail::accepting())
                .file("cwd/sent", crate::mailboxes::ONE)
                .file("cwd/sent.lock", "0\n")
                .stdin("the text\n")
        },
        |case| {
            case.args(["-N", "-f", "box"])
                .file("cwd/box", crate::mailboxes::ONE)
                .file("cwd/box.lock", "0\n")
                .stdin("d 1\nq\n")
        },
        |case| {
            case.called("postrider")
                .args(["delete", "1", "--file", "box"])
                .file("cwd/box", crate::mailboxes::ONE)
                .file("cwd/box.lock", "0\n")
        },
    ];
    in_parallel(doors.len() * SIGNALS.len(), |number| {
        let signal = SIGNALS[number % SIGNALS.len()];
        doors[number / SIGNALS.len()](Case::new())
            .signal_when_said("waiting for another program", signal)
            .limit(SOON)
            .status(128 + signal as i32)
            .any_stdout()
            .any_stderr()
            .run();
    });
}

#[test]
fn while_nobody_reads_the_output() {
    in_parallel(SIGNALS.len(), |number| {
        let signal = SIGNALS[number];
        // More than a pipe holds, into one that stays open and is not read.
        Case::new()
            .args(["-N", "-S", "quiet", "-f", "box"])
            .file("cwd/box", crate::mailboxes::ONE.repeat(2000))
            .fifo("cwd/pipe")
            .wrapped(sh("exec \"$@\" 1<>pipe"))
            .stdin("p *\np *\nd *\nq\n")
            .signal_when_blocked_by("cwd/pipe", signal)
            .limit(SOON)
            .status(128 + signal as i32)
            .any_stderr()
            .run();
    });
}

#[test]
fn the_interrupt_key_ends_the_loop_of_a_shell_too() {
    let each = "for i in 1 2 3; do \"$@\" </dev/null; done; echo went on";
    // What writes is no shell: one that is about to start a program can lose the key's signal.
    let from_pipe = "for i in 1 2 3; do /usr/bin/tail -f slowly | \"$@\"; done; echo went on";
    for shell in ["/bin/bash", "/bin/dash"] {
        // Sendmail has the mail.
        let case = Case::new()
            .args(["-s", "t", "ops@example.com"])
            .sendmail(FakeSendmail::accepting().step("hang"))
            .wrapped([shell, "-c", each, shell]);
        let hanging = case.path("mta/calls/0001/hanging");
        let ran = case
            .status(128 + Signal::SIGINT as i32)
            .may_change("home/dead.letter")
            .at_terminal(|terminal| {
                while !hanging.exists() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                terminal.types("\x03");
            });
        assert_eq!(ran.calls().len(), 1, "{shell}");

        // The relay is silent.
        let server = SmtpServer::scripted(vec![FOR_EVER]);
        Case::new()
            .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
            .rc("set hostname=client.example.org")
            .args(["-s", "t", "ops@example.com"])
            .wrapped([shell, "-c", each, shell])
            .status(128 + Signal::SIGINT as i32)
            .queues(1)
            .at_terminal(|terminal| {
                while server.sessions().is_empty() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                terminal.types("\x03");
            });

        // The text comes slowly; commands do.
        for args in [
            &["-s", "t", "ops@example.com"][..],
            &["-N", "-S", "quiet", "-f", "box"],
        ] {
            let case = Case::send([])
                .args(args)
                .file("cwd/slowly", "p\n")
                .file("cwd/box", crate::mailboxes::ONE);
            case.wrapped([shell, "-c", from_pipe, shell])
                .status(128 + Signal::SIGINT as i32)
                .may_change("home/dead.letter")
                .at_terminal(|terminal| {
                    terminal.waits_having_read(2);
                    terminal.types("\x03");
                });
        }

        // A message is typed: twice.
        let typed = "for i in 1 2 3; do \"$@\"; done; echo went on";
        Case::send(["-n", "-s", "t", "ops@example.com"])
            .wrapped([shell, "-c", typed, shell])
            .status(128 + Signal::SIGINT as i32)
            .may_change("home/dead.letter")
            .at_terminal(|terminal| {
                terminal.waits();
                terminal.types_and_is_read("one\n");
                terminal.types("\x03");
                terminal.sees("one more to kill letter");
                terminal.types("\x03");
            });
    }
}

#[test]
fn giving_a_message_up_is_no_signal() {
    for (escape, kept) in [("~x", 0), ("~q", 1)] {
        let ran = Case::send(["-~", "-s", "t", "ops@example.com"])
            .stdin(format!("one\n{escape}\n"))
            .status(1)
            .any_stderr()
            .may_change("home/dead.letter")
            .run();
        ran.nothing_sent();
        assert_eq!(ran.path("home/dead.letter").exists(), kept == 1, "{escape}");
    }
}

#[test]
fn the_key_that_ends_a_command_of_a_piped_text_ends_us_too() {
    for (name, status) in [("INT", 130), ("QUIT", 131)] {
        // The key's signal goes to the command and to us.
        let both = format!("kill -{name} $PPID; kill -{name} $$");
        for escape in ["~!", "~r !", "~|"] {
            Case::send(["-~", "-s", "t", "ops@example.com"])
                .stdin(format!("one\n{escape}{both}\ntwo\n"))
                .status(status)
                .any_stderr()
                .keeps(1)
                .run()
                .nothing_sent();
        }
        // A command that only ends by itself is no key.
        Case::send(["-~", "-s", "t", "ops@example.com"])
            .stdin(format!("one\n~!kill -{name} $$\ntwo\n"))
            .status(66)
            .says("killed by signal")
            .says("not sent")
            .keeps(1)
            .run();
    }
}
