//! A TCP socket that waits in slices: between two of them a [`Watch`] says whether to go on.
//!
//! No wait here can be ended from outside, so none is longer than a slice; a signal ends one at once.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sys::platform;

/// How long is waited at most before the watch is asked.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// The shortest wait: no time at all would mean "for ever" to the kernel.
const SHORTEST: Duration = Duration::from_millis(1);

/// Looks about while a socket waits.
pub(super) trait Watch {
    /// Returns whether to go on; is asked after each [`SLICE`], and after each signal.
    fn goes_on(&self) -> bool;
}

/// The error of a wait that its watch has ended.
#[derive(Debug)]
pub(super) struct GivenUp;

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl Error for GivenUp {}

/// A connected socket.
pub(super) struct Socket {
    stream: TcpStream,
    /// How long a read waits before it returns without a byte; the kernel knows this one.
    read_slice: Duration,
    /// How long the other side may take no byte at all.
    write_limit: Duration,
}

impl Socket {
    /// Connects to an address within a limit.
    ///
    /// # Errors
    /// Those of connect(2), `TimedOut` at the limit, [`GivenUp`].
    pub(super) fn connect(
        peer: SocketAddr,
        limit: Duration,
        write_limit: Duration,
        watch: &dyn Watch,
    ) -> io::Result<Socket> {
        let end = Instant::now() + limit;
        let stream = platform::start_to_connect(peer)?;
        while !is_ready(&stream, PollFlags::POLLOUT, slice_until(end)?)? {
            ask(watch)?;
        }
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        stream.set_nonblocking(false)?;
        // We write whole turns: there is nothing that Nagle's algorithm could gather.
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(SLICE))?;
        Ok(Socket {
            stream,
            read_slice: SLICE,
            write_limit,
        })
    }

    /// Reads until a moment.
    pub(super) fn reading<'s>(&'s mut self, end: Instant, watch: &'s dyn Watch) -> Reading<'s> {
        Reading {
            socket: self,
            end,
            watch,
        }
    }

    /// Writes; each time that the other side takes a byte, it has the whole limit again.
    pub(super) fn writing<'s>(&'s mut self, watch: &'s dyn Watch) -> Writing<'s> {
        Writing {
            socket: self,
            watch,
        }
    }

    /// Returns whether a read would not wait.
    pub(super) fn is_readable(&self) -> bool {
        is_ready(&self.stream, PollFlags::POLLIN, Duration::ZERO).unwrap_or(false)
    }

    /// Returns whether there is a byte to be read, and not only the end.
    pub(super) fn has_bytes(&self) -> bool {
        self.is_readable() && matches!(self.stream.peek(&mut [0]), Ok(count) if count > 0)
    }

    /// Returns the socket itself, for what does not wait.
    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Returns the address of our end.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Lets the kernel ask a host that says nothing whether it is there.
    pub(super) fn watch_peer(&self, asked_after: Duration, gone_after: Duration) {
        // A system that cannot do it leaves the time limit of the reply.
        platform::watch_peer(&self.stream, asked_after, gone_after);
    }

    /// Says that nothing more will be written.
    pub(super) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

/// The reading side of a socket, to a moment; as [`Read`], with `TimedOut` at that moment.
pub(super) struct Reading<'s> {
    socket: &'s mut Socket,
    end: Instant,
    watch: &'s dyn Watch,
}

impl Read for Reading<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let mut has_asked = false;
        loop {
            let slice = match slice_until(self.end) {
                // The watch may have taken the rest of the time, to make a file safe: what came
                // meanwhile came in time.
                Err(_) if has_asked && self.socket.is_readable() => SHORTEST,
                slice => slice?,
            };
            if slice != self.socket.read_slice {
                self.socket.stream.set_read_timeout(Some(slice))?;
                self.socket.read_slice = slice;
            }
            match self.socket.stream.read(block) {
                Err(error) if is_end_of_slice(&error) => ask(self.watch)?,
                result => return result,
            }
            has_asked = true;
        }
    }
}

/// The writing side of a socket; as [`Write`], with `TimedOut` where no byte leaves.
pub(super) struct Writing<'s> {
    socket: &'s mut Socket,
    watch: &'s dyn Watch,
}

impl Writing<'_> {
    fn until_some_leave(
        &mut self,
        mut write: impl FnMut(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let end = Instant::now() + self.socket.write_limit;
        loop {
            match write(&mut self.socket.stream) {
                Err(error) if is_end_of_slice(&error) => ask(self.watch)?,
                result => return result,
            }
            slice_until(end)?;
        }
    }
}

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_some_leave(|stream| stream.write(bytes))
    }

    // What TLS has to send is several records, which leave in one call.
    fn write_vectored(&mut self, blocks: &[IoSlice<'_>]) -> io::Result<usize> {
        self.until_some_leave(|stream| stream.write_vectored(blocks))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks a watch.
///
/// # Errors
/// [`GivenUp`].
pub(super) fn ask(watch: &dyn Watch) -> io::Result<()> {
    if watch.goes_on() {
        Ok(())
    } else {
        Err(io::Error::other(GivenUp))
    }
}

/// Returns how long the next wait may be.
///
/// # Errors
/// `TimedOut` if it is the end.
fn slice_until(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left.clamp(SHORTEST, SLICE))
}

/// Returns whether a call ended because its slice did (what Linux says is WouldBlock), or for a signal.
fn is_end_of_slice(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    // The kernel's own time limit for a host that acknowledges nothing is no end of ours.
    error.raw_os_error() != Some(Errno::ETIMEDOUT as i32)
        && matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// Waits until a socket is ready; returns whether it is. A signal ends the wait.
fn is_ready(socket: &TcpStream, what: PollFlags, limit: Duration) -> io::Result<bool> {
    let mut sockets = [PollFd::new(socket.as_fd(), what)];
    let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
    match poll(&mut sockets, limit) {
        Err(Errno::EINTR) => Ok(false),
        result => Ok(result? > 0),
    }
}
