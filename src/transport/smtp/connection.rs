//! The connection: bytes to and from one relay, in clear or through TLS.
//!
//! The connection knows replies and time limits, but no command. Each reply has one
//! time limit for all of it, so that a server that sends a byte now and then does not
//! hold us for ever.

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use rustls::ClientConnection;

use super::mask::Mask;
use super::reply::{Assembly, MAX_LINE, Reply, ReplyError};
use super::socket::{GivenUp, Socket, Watch, ask};
use super::tls::{Client, Terms, TlsError};
use super::tls_words;
use crate::exit::plain;

/// After how long without a sign of life a host is asked whether it is there.
const ASKED_AFTER: Duration = Duration::from_secs(10);

/// After how long without an acknowledgement a host counts as gone. A shorter interruption of the
/// network is survived: giving up in it may deliver the message twice.
const GONE_AFTER: Duration = Duration::from_secs(30);

/// The errors of a connection.
#[derive(Debug)]
pub(super) enum WireError {
    /// Nothing, or not all of it, came in time.
    Timeout,
    /// The other side has closed the connection.
    Closed,
    /// The watch has ended the wait; what that means is the watch's to say.
    GivenUp,
    /// The network failed.
    Io(io::Error),
    /// The answer is not an SMTP reply.
    Reply(ReplyError),
    /// TLS could not be started.
    Tls(TlsError),
    /// Clear text came after the reply to STARTTLS; taking it for an answer inside TLS would let
    /// anybody on the way put words into the relay's mouth (RFC 3207 section 6).
    Injected,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Timeout => f.write_str("no answer in time"),
            WireError::Closed => f.write_str("connection closed by the relay"),
            WireError::GivenUp => write!(f, "{GivenUp}"),
            // After the handshake rustls hands its errors on inside one of the network.
            WireError::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(tls) => f.write_str(&tls_words::failure(tls)),
                None => f.write_str(&plain(error)),
            },
            WireError::Reply(error) => write!(f, "{error}"),
            WireError::Tls(error) => write!(f, "{error}"),
            WireError::Injected => {
                f.write_str("the relay sent unencrypted data after its reply to STARTTLS")
            }
        }
    }
}

impl Error for WireError {}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> WireError {
        // The kernel's own words: the relay's host has acknowledged nothing for too long. No limit of
        // ours has passed then.
        if error.raw_os_error() == Some(Errno::ETIMEDOUT as i32) {
            return WireError::Io(error);
        }
        if error.get_ref().is_some_and(|inner| inner.is::<GivenUp>()) {
            return WireError::GivenUp;
        }
        match error.kind() {
            // What Linux says when SO_RCVTIMEO or SO_SNDTIMEO ran out is WouldBlock.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => WireError::Timeout,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => WireError::Closed,
            _ => WireError::Io(error),
        }
    }
}

/// A connection to a relay.
pub(super) struct Connection {
    socket: Socket,
    /// What makes TLS of the socket's bytes, if the connection has gone over to it.
    tls: Option<Box<ClientConnection>>,
    /// Whether a write has failed: what TLS still holds of it must never leave. It may have the final
    /// dot in it, of which nobody would believe then that it has not left.
    has_failed_to_write: bool,
    /// Bytes that were read but are not yet part of a reply.
    buffer: Vec<u8>,
    peer: SocketAddr,
    /// The secrets that replies must not show.
    mask: Arc<Mask>,
}

impl Connection {
    /// Connects to one address.
    pub(super) fn open(
        peer: SocketAddr,
        connect: Duration,
        write: Duration,
        mask: Arc<Mask>,
        watch: &dyn Watch,
    ) -> Result<Connection, WireError> {
        Ok(Connection {
            socket: Socket::connect(peer, connect, write, watch)?,
            tls: None,
            has_failed_to_write: false,
            buffer: Vec::new(),
            peer,
            mask,
        })
    }

    /// Returns the address of the relay.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns our own address, as the relay may know it.
    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns whether what we send is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns a text without what must not be shown.
    pub(super) fn masked(&self, text: &str) -> String {
        self.mask.text(text)
    }

    /// Returns whether the relay has sent something before a command.
    ///
    /// To be asked before each command: a reply that is here by then was given before its command,
    /// and is no answer to it. A closed connection says nothing; the next write or read reports it.
    pub(super) fn has_spoken(&mut self) -> bool {
        if !self.buffer.is_empty() {
            return true;
        }
        let Some(tls) = &mut self.tls else {
            return self.socket.has_bytes();
        };
        // What is here may be a ticket of TLS 1.3, or half a record. Errors come again at the next
        // read.
        if self.socket.is_readable() {
            let _ = tls.read_tls(self.socket.stream());
        }
        let state = tls.process_new_packets();
        state.is_ok_and(|state| state.plaintext_bytes_to_read() > 0)
    }

    /// Sends bytes, in clear in one write. If that fails, the last of them have not left and never will.
    pub(super) fn send(&mut self, bytes: &[u8], watch: &dyn Watch) -> Result<(), WireError> {
        if self.has_failed_to_write {
            return Err(WireError::Closed);
        }
        let sent = self.write(bytes, watch);
        self.has_failed_to_write = sent.is_err();
        Ok(sent?)
    }

    fn write(&mut self, mut bytes: &[u8], watch: &dyn Watch) -> io::Result<()> {
        let mut writing = self.socket.writing(watch);
        let Some(tls) = &mut self.tls else {
            return write_all(&mut writing, bytes, watch);
        };
        while !bytes.is_empty() {
            // It takes as much as it can hold; what it holds leaves before it gets more.
            let taken = tls.writer().write(bytes)?;
            bytes = &bytes[taken..];
            flush(tls, &mut writing, watch)?;
        }
        Ok(())
    }

    /// Reads one reply, all of it within the limit.
    pub(super) fn reply(&mut self, limit: Duration, watch: &dyn Watch) -> Result<Reply, WireError> {
        let end = Instant::now() + limit;
        // The limit is one moment for the whole reply. A limit for each read would start again with
        // every byte, and a server that sends one byte a minute would hold us for days.
        let mask = Arc::clone(&self.mask);
        let mut assembly = Assembly::new(&mask);
        loop {
            let line = self.line(end, watch)?;
            if let Some(reply) = assembly.take(&line).map_err(WireError::Reply)? {
                return Ok(reply);
            }
            // What comes bit by bit may never let a slice of the wait end: so here, and wherever a
            // read was not enough, the watch is asked.
            ask(watch)?;
        }
    }

    /// Reads one line with its line end.
    fn line(&mut self, end: Instant, watch: &dyn Watch) -> Result<Vec<u8>, WireError> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let rest = self.buffer.split_off(searched + at + 1);
                return Ok(mem::replace(&mut self.buffer, rest));
            }
            // Without this bound a server that never ends its line would fill our memory within the
            // time limit.
            if self.buffer.len() >= MAX_LINE {
                return Err(WireError::Reply(ReplyError::LongLine));
            }
            if self.buffer.len() > searched {
                ask(watch)?;
            }
            searched = self.buffer.len();
            self.fill(end, watch)?;
        }
    }

    /// Reads what has come, at least one byte.
    fn fill(&mut self, end: Instant, watch: &dyn Watch) -> Result<(), WireError> {
        // More than one line may come at once, from a pipelining relay; what is behind the first
        // line end stays in the buffer for the next reply.
        let mut block = [0; MAX_LINE];
        let count = match &mut self.tls {
            None => self.socket.reading(end, watch).read(&mut block)?,
            Some(tls) => {
                let may_write = !self.has_failed_to_write;
                read_through(tls, &mut self.socket, end, watch, may_write, &mut block)?
            }
        };
        if count == 0 {
            return Err(WireError::Closed);
        }
        self.buffer.extend_from_slice(&block[..count]);
        Ok(())
    }

    /// Goes over to TLS; to be called after a 220 to STARTTLS, or first of all.
    ///
    /// `show` gets what was agreed on, a line a fact.
    pub(super) fn start_tls(
        mut self,
        terms: &Terms<'_>,
        limit: Duration,
        watch: &dyn Watch,
        show: impl FnMut(String),
    ) -> Result<Connection, WireError> {
        if !self.buffer.is_empty() {
            // Bytes that came in clear together with the reply to STARTTLS. They would otherwise be
            // the first "reply" inside TLS, for instance a forged list of capabilities.
            return Err(WireError::Injected);
        }
        // RFC 3207 section 4.2 knows no STARTTLS inside TLS; a caller that asks for it has what it
        // wants already.
        if self.tls.is_some() {
            return Ok(self);
        }
        let end = Instant::now() + limit;
        let mut client = Client::new(terms).map_err(WireError::Tls)?;
        handshake(&mut client, &mut self.socket, end, watch)?;
        client.agreed().into_iter().for_each(show);
        self.tls = Some(Box::new(client.connection));
        Ok(self)
    }

    /// Lets the kernel watch whether the relay's host is still there, from now on.
    ///
    /// A host that was switched off or cut off says nothing, and neither does a relay that filters a
    /// message for minutes. Only the kernel can tell them apart: it asks the other kernel.
    pub(super) fn watch_peer(&self) {
        self.socket.watch_peer(ASKED_AFTER, GONE_AFTER);
    }

    /// Says that nothing more will be sent.
    pub(super) fn finish(&mut self, watch: &dyn Watch) {
        if let Some(tls) = self.tls.as_mut().filter(|_| !self.has_failed_to_write) {
            // The alert tells the relay that the end is ours and not an attacker's truncation (RFC
            // 8446 section 6.1).
            tls.send_close_notify();
            // All is said and done: whether the close arrives changes nothing.
            let _ = flush(tls, &mut self.socket.writing(watch), watch);
        }
        self.socket.finish();
    }
}

/// Writes all bytes. One that takes them bit by bit never lets a slice of the wait end: so the watch is
/// asked between two bits.
fn write_all(writing: &mut impl Write, mut bytes: &[u8], watch: &dyn Watch) -> io::Result<()> {
    loop {
        match writing.write(bytes)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => bytes = &bytes[count..],
        }
        if bytes.is_empty() {
            return Ok(());
        }
        ask(watch)?;
    }
}

/// Writes what TLS has for the other side, as [`write_all`].
fn flush(
    tls: &mut ClientConnection,
    writing: &mut impl Write,
    watch: &dyn Watch,
) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(writing)?;
        if tls.wants_write() {
            ask(watch)?;
        }
    }
    Ok(())
}

/// Reads at least one byte out of TLS, or nothing at its end.
fn read_through(
    tls: &mut ClientConnection,
    socket: &mut Socket,
    end: Instant,
    watch: &dyn Watch,
    may_write: bool,
    block: &mut [u8],
) -> io::Result<usize> {
    let mut has_read = false;
    loop {
        match tls.reader().read(block) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        if mem::replace(&mut has_read, true) {
            ask(watch)?;
        }
        // An answer to a change of keys, without which the other side may wait. But what is here is
        // read first: one that takes no byte of ours any more may say why.
        if may_write && tls.wants_write() && !socket.is_readable() {
            flush(tls, &mut socket.writing(watch), watch)?;
        }
        // At the end of the bytes the next turn says whether it was announced.
        tls.read_tls(&mut socket.reading(end, watch))?;
        if let Err(error) = tls.process_new_packets() {
            // The alert names the reason to the server; losing it changes nothing.
            if may_write {
                let _ = flush(tls, &mut socket.writing(watch), watch);
            }
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
    }
}

/// Runs the handshake, all of it before the end.
fn handshake(
    client: &mut Client,
    socket: &mut Socket,
    end: Instant,
    watch: &dyn Watch,
) -> Result<(), WireError> {
    while client.connection.is_handshaking() || client.connection.wants_write() {
        // Writing comes first: the server does not answer before it has our whole flight, and
        // reading then would wait until the limit.
        if client.connection.wants_write() {
            flush(&mut client.connection, &mut socket.writing(watch), watch)?;
            continue;
        }
        if client
            .connection
            .read_tls(&mut socket.reading(end, watch))?
            == 0
        {
            return Err(WireError::Closed);
        }
        ask(watch)?;
        if let Err(error) = client.connection.process_new_packets() {
            // The alert names the reason to the server; losing it changes nothing.
            let _ = flush(&mut client.connection, &mut socket.writing(watch), watch);
            return Err(WireError::Tls(client.explain(error)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_gone_is_told_from_a_limit_that_has_passed() {
        let gone = WireError::from(io::Error::from_raw_os_error(Errno::ETIMEDOUT as i32));
        assert!(matches!(gone, WireError::Io(_)), "{gone:?}");
        let ours = [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock];
        for kind in ours {
            let limit = WireError::from(io::Error::from(kind));
            assert!(matches!(limit, WireError::Timeout), "{limit:?}");
        }
        let closed = [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::BrokenPipe,
        ];
        for kind in closed {
            let closed = WireError::from(io::Error::from(kind));
            assert!(matches!(closed, WireError::Closed), "{closed:?}");
        }
    }
}
