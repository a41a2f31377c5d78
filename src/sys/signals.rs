//! Signals: SIGINT, SIGTERM, SIGHUP and SIGQUIT end what we do in good order, and then us.
//!
//! A handler only notes the number and writes a byte into a socket pair, so that a caller that
//! waits for standard input or for a child can wait for signals at the same time. A signal that was
//! ignored when we were started (`nohup`) stays ignored, as POSIX programs keep it. When all is
//! cleaned up `main` lets us die of the signal ([`die_of`]): a shell whose child exits with a
//! status instead goes on with its loop.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpid};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::{flag, low_level};

use crate::sys::{cores, platform};

/// The signals that ask us to stop.
const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// The signals that have arrived, and something to wait on for the next.
#[derive(Debug)]
pub struct Signals {
    /// A socket that becomes readable when a signal arrives. `None` where there was no descriptor
    /// for it: then signals are looked for every [`BETWEEN_LOOKS`].
    bell: Option<UnixStream>,
    received: Arc<AtomicUsize>,
    raised: Arc<AtomicBool>,
    ignores_interrupt: bool,
    /// Whether the interrupt key was pressed where it is to have no effect.
    ignored: Arc<AtomicBool>,
}

/// Why [`Signals::wait`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The descriptor can be read, or the other end is closed.
    Ready,
    /// This signal asks us to stop.
    Signal(u8),
    /// A child ended, or something else rang.
    Rung,
    /// The time is over.
    TimedOut,
}

impl Signals {
    /// Starts to watch SIGINT (unless it is to be ignored), SIGTERM, SIGHUP, SIGQUIT and SIGCHLD.
    ///
    /// SIGXFSZ is caught too, so that a file size limit is an error (EFBIG) and not our death.
    ///
    /// # Errors
    /// Fails when a handler cannot be set.
    pub fn watch(ignore_interrupt: bool) -> io::Result<Signals> {
        let received = Arc::new(AtomicUsize::new(0));
        let raised = Arc::new(AtomicBool::new(false));
        let pressed = Arc::new(AtomicBool::new(false));
        let ignored = platform::ignored_signals();
        let mut watched = Vec::new();
        for signal in ENDING {
            if ignored & (1 << (signal - 1)) != 0 {
                continue;
            }
            // A handler that does nothing, instead of SIG_IGN: a child would inherit SIG_IGN, and
            // an editor or pager started from `~e` could not be interrupted. A handler is reset
            // when a child is executed.
            if signal == SIGINT && ignore_interrupt {
                // It ends nothing; but the terminal has dropped the line that was being typed, and
                // the person is told.
                flag::register(signal, Arc::clone(&pressed))?;
                watched.push(signal);
                continue;
            }
            // The number first: who sees the flag must find out which signal it was.
            flag::register_usize(signal, Arc::clone(&received), signal as usize)?;
            flag::register(signal, Arc::clone(&raised))?;
            watched.push(signal);
        }
        // The default of SIGXFSZ is death with a core in the middle of an append.
        flag::register(SIGXFSZ, Arc::default())?;
        watched.push(SIGCHLD);
        // Without a descriptor for the bell the text of a mail can still be read, kept and
        // reported.
        let bell = match bell(watched.len()) {
            Ok((bell, ringers)) => {
                for (signal, ringer) in watched.into_iter().zip(ringers) {
                    low_level::pipe::register(signal, ringer)?;
                }
                Some(bell)
            }
            Err(_) => None,
        };
        Ok(Signals {
            bell,
            received,
            raised,
            ignores_interrupt: ignore_interrupt,
            ignored: pressed,
        })
    }

    /// Returns the same signals for another place that waits for children: it has no bell, which only
    /// one may listen to, and looks every [`BETWEEN_LOOKS`].
    pub(crate) fn without_bell(&self) -> Signals {
        Signals {
            bell: None,
            received: Arc::clone(&self.received),
            raised: Arc::clone(&self.raised),
            ignores_interrupt: self.ignores_interrupt,
            ignored: Arc::clone(&self.ignored),
        }
    }

    /// Returns whether the interrupt key is to have no effect (`-i`, `ignore`).
    pub(crate) fn ignores_interrupt(&self) -> bool {
        self.ignores_interrupt
    }

    /// Returns whether the interrupt key was pressed since the last call, where it is to have no
    /// effect.
    pub(crate) fn take_ignored_interrupt(&self) -> bool {
        self.ignored.swap(false, Ordering::SeqCst)
    }

    /// Returns the signal that asked us to stop, if one did.
    pub fn received(&self) -> Option<u8> {
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            signal => u8::try_from(signal).ok(),
        }
    }

    /// Forgets an interrupt (SIGINT) that has been answered; other signals stay.
    pub fn forget_interrupt(&self) {
        self.forget(SIGINT);
    }

    /// Forgets what the interrupt key and the quit key have sent.
    pub fn forget_keys(&self) {
        self.forget(SIGINT);
        self.forget(SIGQUIT);
    }

    /// Takes a signal that was forgotten for one that asks us to stop after all.
    pub fn remember(&self, signal: u8) {
        self.received.store(usize::from(signal), Ordering::SeqCst);
        self.raised.store(true, Ordering::SeqCst);
    }

    fn forget(&self, signal: i32) {
        // Exchanged in one step: another signal that arrives just now must not be forgotten with
        // this one.
        let signal = signal as usize;
        let forgotten =
            self.received
                .compare_exchange(signal, 0, Ordering::SeqCst, Ordering::SeqCst);
        if forgotten.is_ok() {
            self.raised.store(false, Ordering::SeqCst);
        }
    }

    /// Returns a flag that turns true when a signal asks us to stop.
    pub fn raised(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.raised)
    }

    /// Returns what lets SIGTERM, SIGHUP and SIGQUIT end us while a line editor waits for keys.
    ///
    /// # Errors
    /// Fails when no socket pair or no thread can be made.
    pub fn prompt(&self) -> io::Result<Prompt> {
        let (mut bell, ringer) = UnixStream::pair()?;
        let ignored = platform::ignored_signals();
        for signal in [SIGTERM, SIGHUP, SIGQUIT] {
            if ignored & (1 << (signal - 1)) == 0 {
                low_level::pipe::register(signal, ringer.try_clone()?)?;
            }
        }
        let received = Arc::clone(&self.received);
        let prompt = Prompt {
            asking: Arc::default(),
            received: Arc::clone(&received),
        };
        let asking = Arc::clone(&prompt.asking);
        let ends_us = move || {
            while bell.read_exact(&mut [0]).is_ok() {
                let signal = received.load(Ordering::SeqCst);
                // Until the editor has stopped waiting: its handler may not be there yet, and then
                // ours takes the interrupt for a key.
                while end_asking(&asking, &received, signal) {
                    std::thread::sleep(BETWEEN_LOOKS);
                }
            }
        };
        std::thread::Builder::new().spawn(ends_us)?;
        Ok(prompt)
    }

    /// Waits until a descriptor is ready, a signal arrives, a child ends, or the deadline is over.
    ///
    /// # Errors
    /// Fails when the system cannot poll.
    pub fn wait(
        &self,
        readable: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
    ) -> io::Result<Woken> {
        self.wait_for(readable.map(|fd| (fd, PollFlags::POLLIN)), deadline)
    }

    /// Waits until a descriptor can be written, as [`Signals::wait`] waits until it can be read.
    ///
    /// # Errors
    /// Fails when the system cannot poll.
    pub fn wait_to_write(&self, writable: BorrowedFd<'_>) -> io::Result<Woken> {
        self.wait_for(Some((writable, PollFlags::POLLOUT)), None)
    }

    fn wait_for(
        &self,
        awaited: Option<(BorrowedFd<'_>, PollFlags)>,
        deadline: Option<Instant>,
    ) -> io::Result<Woken> {
        loop {
            // The signal may have come before this call. Its byte may be read already, so the
            // number is looked at before every wait.
            if let Some(signal) = self.received() {
                return Ok(Woken::Signal(signal));
            }
            let left = deadline.map(|deadline| {
                let left = deadline.saturating_duration_since(Instant::now());
                // Rounded up, so that the last wait does not spin.
                left.min(Duration::from_secs(60)) + Duration::from_millis(1)
            });
            let bell = self.bell.as_ref();
            let left = match bell {
                Some(_) => left,
                None => Some(left.unwrap_or(BETWEEN_LOOKS).min(BETWEEN_LOOKS)),
            };
            let timeout = match left {
                None => PollTimeout::NONE,
                Some(left) => PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX),
            };
            let bell = bell.map(|bell| (bell.as_fd(), PollFlags::POLLIN));
            let fds = awaited.into_iter().chain(bell);
            let mut fds: Vec<PollFd<'_>> = fds.map(|(fd, flags)| PollFd::new(fd, flags)).collect();
            match poll(&mut fds, timeout) {
                // poll(2) is never started again behind a handler. The handler has noted its
                // signal, and the loop begins with that.
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(0) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    return Ok(Woken::TimedOut);
                }
                // There is no bell, so the caller has to look itself whether its child has ended.
                Ok(0) if bell.is_none() => return Ok(Woken::Rung),
                Ok(0) => continue,
                Ok(_) => {}
            }
            let is_ready = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
            let ready = awaited.is_some() && fds.first().is_some_and(is_ready);
            // The bell is the last descriptor, if there is one.
            let rung = bell.is_some() && fds.last().is_some_and(|fd| fd.any().unwrap_or(false));
            if rung {
                self.quiet();
            }
            // A signal outranks input: a pipe that is always full would hide it otherwise.
            if let Some(signal) = self.received() {
                return Ok(Woken::Signal(signal));
            }
            if ready {
                return Ok(Woken::Ready);
            }
            if rung {
                return Ok(Woken::Rung);
            }
        }
    }

    /// Takes out the bytes that handlers have written.
    fn quiet(&self) {
        let mut bytes = [0; 64];
        while let Some(mut bell) = self.bell.as_ref()
            && matches!(bell.read(&mut bytes), Ok(count) if count > 0)
        {}
    }
}

/// The time between two looks where there is no bell.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How many descriptors the bell leaves free. A text that cannot be sent is kept with them.
const SPARE: usize = 4;

/// Returns a bell and as many that ring it; fails where only the last descriptors are left.
fn bell(count: usize) -> io::Result<(UnixStream, Vec<UnixStream>)> {
    let (bell, ringer) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    // A handler that blocks on a full socket would never return. A byte that is lost does no harm,
    // because others are waiting there.
    ringer.set_nonblocking(true)?;
    let ringers = (0..count + SPARE).map(|_| ringer.try_clone());
    let mut ringers: Vec<UnixStream> = ringers.collect::<io::Result<_>>()?;
    ringers.truncate(count);
    Ok((bell, ringers))
}

/// Dies of a signal, as if there were no handler for it, and without a core.
///
/// Returns where that cannot be: the first process of a container is not killed by its own signals.
pub fn die_of(signal: u8) {
    if getpid() == Pid::from_raw(1) {
        return;
    }
    cores::forbid_all();
    let _ = low_level::emulate_default_handler(i32::from(signal));
}

/// Blocks signals: one that would end or stop us arrives when this value is dropped.
///
/// It guards short steps that must not be left half done. Only signals of this thread are blocked.
#[derive(Debug)]
#[must_use]
pub(crate) struct Held(Option<SigSet>);

/// Blocks the signals that would end or stop us.
pub(crate) fn hold() -> Held {
    // SIGTSTP too: a reader that is stopped here would keep the lock until somebody continues it.
    // SIGPIPE would end us by its default where it is not ignored.
    hold_these(&[
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGTSTP,
        Signal::SIGPIPE,
    ])
}

/// Blocks all signals; a thread that is started meanwhile never gets any.
pub(crate) fn hold_all() -> Held {
    Held(SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
}

/// Blocks the interrupt key's signal; a child that is started meanwhile never sees it.
pub(crate) fn hold_interrupt() -> Held {
    hold_these(&[Signal::SIGINT])
}

fn hold_these(signals: &[Signal]) -> Held {
    let signals: SigSet = signals.iter().copied().collect();
    Held(signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // It was the mask before, so it can be set.
            let _ = before.thread_set_mask();
        }
    }
}

/// The prompt of a line editor.
///
/// The editor sets the terminal to give single keys and waits in the kernel, where no [`Signals`]
/// reach it. So while it waits for a command SIGTERM, SIGHUP and SIGQUIT do what they do without a
/// handler, with the terminal as it was before: nothing is half done at a prompt. While it waits for
/// a line of a text they end the waiting, so that the text can be kept.
#[derive(Debug)]
pub struct Prompt {
    asking: Arc<Mutex<Asked>>,
    received: Arc<AtomicUsize>,
}

/// What a line editor waits for.
#[derive(Debug, Default)]
enum Asked {
    #[default]
    Nothing,
    /// A command. The settings of the terminal are to be restored, if it has any.
    Command(Option<Termios>),
    /// A line of a text.
    Text,
}

/// Ends what a line editor waits for because of a signal; returns whether it still waits.
fn end_asking(asking: &Mutex<Asked>, received: &AtomicUsize, signal: usize) -> bool {
    let asking = asking.lock().unwrap_or_else(PoisonError::into_inner);
    match &*asking {
        Asked::Nothing => false,
        Asked::Command(terminal) => {
            // A terminal that is gone needs no setting back.
            if let Some(terminal) = terminal {
                let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, terminal);
            }
            die_of(u8::try_from(signal).unwrap_or(0));
            false
        }
        Asked::Text => {
            received.store(signal, Ordering::SeqCst);
            // The line editor has a handler for the interrupt key alone, while it waits.
            let _ = kill(getpid(), Signal::SIGINT);
            true
        }
    }
}

impl Prompt {
    /// Runs a line editor that asks for a command.
    pub fn during<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.set(Asked::Command(tcgetattr(io::stdin()).ok()));
        let answer = ask();
        self.set(Asked::Nothing);
        answer
    }

    /// Runs a line editor that asks for a line of a text; none where a signal asks us to stop.
    pub fn during_text<T>(&self, ask: impl FnOnce() -> T) -> Option<T> {
        self.set(Asked::Text);
        // Looked at behind that: a signal that comes now wakes the editor.
        let answer = (self.received.load(Ordering::SeqCst) == 0).then(ask);
        self.set(Asked::Nothing);
        answer
    }

    fn set(&self, asked: Asked) {
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }
}
