//! Child processes: programs that we start and wait for. Only their exit status counts as success.
#![allow(clippy::disallowed_methods)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::sys::cores;
use crate::sys::signals::{self, Signals, Woken};
use crate::sys::spool::Spool;

/// The signals of the interrupt key and the quit key.
const SIGINT: u8 = signal_hook::consts::SIGINT as u8;
const SIGQUIT: u8 = signal_hook::consts::SIGQUIT as u8;

/// Returns an empty standard input for a child.
///
/// # Errors
/// When `/dev/null` cannot be opened.
pub(crate) fn no_input() -> io::Result<File> {
    File::open("/dev/null")
}

/// Set in our children; a sendmail face that sees it never uses the sendmail route, so that a
/// `sendmail` that is Postrider itself cannot loop.
pub(crate) const SUBMITTING: &str = "POSTRIDER_SUBMITTING";

/// How much of the beginning of what a child prints is kept, in bytes.
const HEAD_KEPT: usize = 8 * 1024;

/// How much of the end of it is kept, in bytes: there a program says why it failed. What is between
/// the two is read and dropped.
const TAIL_KEPT: usize = 4 * 1024;

/// Returns a command to start this program; arguments are passed as they are, never through a
/// shell.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Starts a child.
///
/// # Errors
/// Fails when the program cannot be started.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    cores::of_before(|| command.spawn())
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
    /// It was still running when the time was over; it was asked to stop.
    TimedOut,
    /// This signal asked us to stop while it was running.
    Interrupted(u8),
    /// It was started, and the system did not let us wait for its end. Whether it did its work is
    /// unknown.
    Unknown,
}

/// A child that has ended, or that we no longer wait for.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub end: End,
    /// What it printed on standard output and standard error; of much only the beginning, a line
    /// end, and the end.
    pub output: Vec<u8>,
    /// How far the child has read its standard input, in bytes.
    pub read: u64,
}

/// Runs a child and returns what it prints on standard output; its standard error is ours.
///
/// # Errors
/// Fails when the program cannot be started.
pub(crate) fn output(
    mut command: Command,
    stdin: File,
    timeout: Option<Duration>,
    signals: &Signals,
) -> io::Result<Finished> {
    let (output, writer) = io::pipe()?;
    command.stdout(Stdio::from(writer));
    finish(command, stdin, output, timeout, signals)
}

/// Runs a child with this file as its standard input and waits for it.
///
/// The output of the child is read all the time, so that it can never block on a full pipe;
/// a grandchild that keeps the pipe open after the child's end is not waited for.
///
/// # Errors
/// Fails when the program cannot be started.
pub(crate) fn run(
    mut command: Command,
    stdin: File,
    timeout: Option<Duration>,
    signals: &Signals,
) -> io::Result<Finished> {
    // Both outputs share one pipe, so that what the child prints stays in its order.
    let (output, writer) = io::pipe()?;
    command
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer));
    finish(command, stdin, output, timeout, signals)
}

/// Runs a child that shares our terminal, and waits for it.
///
/// The interrupt and quit keys are the child's business meanwhile; other signals end the waiting.
/// A key that ended the child is returned as [`End::Interrupted`], and forgotten.
///
/// # Errors
/// Fails when the program cannot be started.
pub(crate) fn foreground(mut command: Command, signals: &Signals) -> io::Result<End> {
    let mut child = spawn(&mut command)?;
    let mut key = None;
    loop {
        // SIGCHLD may have come before we waited: so look first, and wait only for what is to come.
        if let Some(status) = child.try_wait()? {
            // A key may have been pressed between the last wait and the end of the child.
            let key = signals.received().or(key);
            // The child has answered the key; left in place, it would end our own next wait.
            signals.forget_keys();
            return Ok(match (end_of(status), key) {
                (End::Killed(signal), Some(key)) if signal == i32::from(key) => {
                    End::Interrupted(key)
                }
                (end, _) => end,
            });
        }
        match signals.wait(None, None)? {
            // The terminal sends these keys to the child as well. An editor or a pager answers them
            // in its own way, so they must not end the waiting.
            Woken::Signal(signal @ (SIGINT | SIGQUIT)) => {
                key = Some(signal);
                signals.forget_keys();
            }
            Woken::Signal(signal) => return Ok(End::Interrupted(signal)),
            Woken::Ready | Woken::Rung | Woken::TimedOut => {}
        }
    }
}

/// Runs a child as [`foreground`] does and returns all that it prints on standard output.
///
/// Its output is a file, not a pipe: a grandchild that keeps it open is not waited for.
///
/// # Errors
/// Fails when the program cannot be started or there is no place for its output.
pub(crate) fn capture(mut command: Command, signals: &Signals) -> io::Result<(End, Spool)> {
    let mut output = tempfile::tempfile()?;
    command.stdout(Stdio::from(output.try_clone()?));
    let end = foreground(command, signals)?;
    output.rewind()?;
    Ok((end, Spool::read_from(&mut output)?))
}

/// Starts the child and waits for its end and for what it prints.
fn finish(
    mut command: Command,
    stdin: File,
    mut output: io::PipeReader,
    timeout: Option<Duration>,
    signals: &Signals,
) -> io::Result<Finished> {
    // A duplicate shares its offset with the child's descriptor: it shows how far the child has
    // read, and so whether a child that failed can have taken the mail.
    let mut offset = stdin.try_clone()?;
    // The interrupt key signals every process of the terminal's foreground. Where it is to have no
    // effect (`-i`) the child that has the mail must not die of it either; s-nail and bsd-mailx let
    // their children ignore it. Our own handler would be reset when the child is executed; a
    // blocked signal stays blocked, unless the child is a script of a shell that unblocks all, as
    // dash does. Such a child dies as it does without `-i`, and the text is kept.
    let held = signals.ignores_interrupt().then(signals::hold_interrupt);
    let mut child = spawn(command.stdin(Stdio::from(stdin)))?;
    drop(held);
    // The command holds our ends of the pipe: without dropping it, its end would never be seen.
    drop(command);
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut kept = Kept::default();
    // It runs, and may have done all its work: an error from here on is no "could not be started".
    let end = wait(&mut child, &mut output, &mut kept, deadline, signals).unwrap_or(End::Unknown);
    drain(&mut output, &mut kept, signals);
    Ok(Finished {
        end,
        output: kept.bytes(),
        read: offset.stream_position().unwrap_or(0),
    })
}

/// Waits for the child's end, reading what it prints meanwhile.
fn wait(
    child: &mut Child,
    output: &mut io::PipeReader,
    kept: &mut Kept,
    deadline: Option<Instant>,
    signals: &Signals,
) -> io::Result<End> {
    let mut open = true;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(end_of(status));
        }
        let readable = open.then(|| output.as_fd());
        match signals.wait(readable, deadline)? {
            Woken::Ready => open = keep(output, kept),
            Woken::Rung => {}
            Woken::Signal(signal) => return Ok(End::Interrupted(signal)),
            Woken::TimedOut => {
                // It must not go on with a mail that is reported as not sent.
                stop(child);
                return Ok(End::TimedOut);
            }
        }
    }
}

/// Asks a child to stop, and kills it if it has not ended within a second.
fn stop(child: &mut Child) {
    // SIGTERM first, so that the child can remove its temporary files. The number cannot be that of
    // another process, because the child has not been waited for.
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
    for _ in 0..50 {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The beginning and the end of what a child prints.
#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Whether something between them was dropped.
    is_cut: bool,
}

impl Kept {
    fn add(&mut self, bytes: &[u8]) {
        let room = HEAD_KEPT.saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(rest);
        // Bytes that do not fit are read and dropped: a child that writes into a full pipe would
        // stand still.
        let surplus = self.tail.len().saturating_sub(TAIL_KEPT);
        self.is_cut |= surplus > 0;
        self.tail.drain(..surplus);
    }

    fn bytes(mut self) -> Vec<u8> {
        if self.is_cut {
            self.head.push(b'\n');
        }
        self.head.append(&mut self.tail);
        self.head
    }
}

/// Reads once; returns whether there may be more.
fn keep(output: &mut io::PipeReader, kept: &mut Kept) -> bool {
    let mut block = [0; 4096];
    match output.read(&mut block) {
        Ok(0) => false,
        Ok(count) => {
            kept.add(&block[..count]);
            true
        }
        Err(error) => error.kind() == io::ErrorKind::Interrupted,
    }
}

/// Reads the bytes that are still in the pipe, without waiting for a grandchild that keeps it open.
fn drain(output: &mut io::PipeReader, kept: &mut Kept, signals: &Signals) {
    // Bounded: a grandchild that prints without end would keep us here for ever.
    for _ in 0..1000 {
        match signals.wait(Some(output.as_fd()), Some(Instant::now())) {
            Ok(Woken::Ready) => {
                if !keep(output, kept) {
                    return;
                }
            }
            Ok(Woken::Rung) => {}
            _ => return,
        }
    }
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Killed(signal),
        // wait(2) reports stopped children only where it is asked to, so this does not happen.
        (None, None) => End::Exited(-1),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn run_shell(script: &str, input: &[u8], timeout: Option<Duration>) -> Finished {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input).unwrap();
        file.rewind().unwrap();
        let mut shell = command("/bin/sh");
        shell.args(["-c", script]);
        run(shell, file, timeout, &Signals::watch(false).unwrap()).unwrap()
    }

    #[test]
    fn exit_status_signal_and_words_come_back() {
        let finished = run_shell("cat >/dev/null; echo no room >&2; exit 73", b"mail", None);
        assert_eq!(finished.end, End::Exited(73));
        assert_eq!(finished.output, b"no room\n");
        assert_eq!(finished.read, 4);
        assert_eq!(run_shell("kill -9 $$", b"mail", None).end, End::Killed(9));
    }

    #[test]
    fn an_interrupt_that_is_to_be_ignored_does_not_kill_the_child_that_has_the_mail() {
        for (ignore, blocked) in [(false, 0), (true, 1 << (SIGINT - 1))] {
            let mut grep = command("grep");
            grep.args(["SigBlk:", "/proc/self/status"]);
            let signals = Signals::watch(ignore).unwrap();
            let finished = run(grep, no_input().unwrap(), None, &signals).unwrap();
            let mask = String::from_utf8(finished.output).unwrap();
            let mask = mask.trim_start_matches("SigBlk:").trim();
            assert_eq!(u64::from_str_radix(mask, 16), Ok(blocked), "-i: {ignore}");
        }
    }

    #[test]
    fn a_chatty_child_that_never_reads_does_not_block_us() {
        let finished = run_shell("head -c 300000 /dev/zero >&2; exit 75", b"mail", None);
        assert_eq!(finished.end, End::Exited(75));
        assert_eq!(finished.output.len(), HEAD_KEPT + 1 + TAIL_KEPT);
        assert_eq!(finished.read, 0);
    }

    #[test]
    fn the_end_of_much_output_is_kept_and_little_is_kept_whole() {
        for count in [0, 100, HEAD_KEPT, HEAD_KEPT + TAIL_KEPT] {
            let mut kept = Kept::default();
            let all = vec![b'x'; count];
            for part in all.chunks(1000) {
                kept.add(part);
            }
            assert_eq!(kept.bytes(), all);
        }
        let finished = run_shell("yes | head -n 20000; printf 'the reason'", b"", None);
        assert!(finished.output.ends_with(b"\nthe reason"));
        assert!(finished.output.starts_with(b"y\ny\n"));
    }

    #[test]
    fn a_hanging_child_is_stopped_and_a_grandchild_is_not_waited_for() {
        let timeout = Some(Duration::from_millis(100));
        assert_eq!(run_shell("exec sleep 60", b"", timeout).end, End::TimedOut);
        let finished = run_shell("sleep 5 & echo queued", b"", None);
        assert_eq!(finished.end, End::Exited(0));
        assert_eq!(finished.output, b"queued\n");
    }
}
