//! The thread of a channel: it takes one message after the other, and keeps the connection between
//! them.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::delivery::Delivery;
use super::job::{Event, Job};
use super::session::{Farewell, SmtpSession};
use super::verdict::{Stop, undecided};
use crate::transport::Outcome;

/// How many messages one connection takes; large services close one that takes more.
const MESSAGES: usize = 100;

/// What a worker is told to do.
pub(super) enum Command {
    /// Take this message.
    Take(Box<Job>),
    /// Send QUIT, say so by dropping this, and end.
    Leave(Sender<()>),
}

/// Starts a worker; it ends when its commands do. `is_open` tells whether it keeps a connection.
///
/// # Errors
/// Fails when no thread can be started.
pub(super) fn start(is_open: Arc<AtomicBool>) -> io::Result<Sender<Command>> {
    let (sender, commands) = mpsc::channel();
    // A thread, because neither `getaddrinfo` nor a blocking read can be interrupted portably. It
    // owns copies of all it needs, and the handle is dropped, not joined: a worker that hangs in a
    // read must not hold back the report.
    thread::Builder::new()
        .name("smtp".to_owned())
        .spawn(move || work(&commands, &is_open))?;
    Ok(sender)
}

fn work(commands: &Receiver<Command>, is_open: &AtomicBool) {
    let mut kept = None;
    let mut leaving = None;
    while let Ok(command) = commands.recv() {
        let job = match command {
            Command::Take(job) => Arc::new(*job),
            Command::Leave(left) => {
                leaving = Some(left);
                break;
            }
        };
        let rest = deliver(&job, &mut kept);
        // QUIT leaves before the outcome is reported, and its reply is waited for afterwards: the
        // outcome is final, whatever becomes of QUIT.
        let farewell = match kept.take_if(|_| job.is_last) {
            Some(session) => session.quit(),
            None => Farewell::default(),
        };
        is_open.store(kept.is_some(), Ordering::SeqCst);
        // If the receiver is gone, the waiting thread has given up and reported an outcome already.
        let _ = job.events.send(Event::Done(rest));
        farewell.hear();
    }
    let farewell = kept.map(SmtpSession::quit).unwrap_or_default();
    drop(leaving);
    farewell.hear();
}

/// Takes one message to the relay, over the connection that is kept or a new one; keeps the
/// connection if it is of further use. Returns the outcome of those recipients that have none.
fn deliver(job: &Arc<Job>, kept: &mut Option<SmtpSession>) -> Outcome {
    let mut delivery = Delivery::new(job);
    loop {
        let mut session = match next_session(job, kept) {
            Ok(session) => session,
            Err(outcome) => return outcome,
        };
        match session.transact(&mut delivery) {
            Ok(()) if delivery.is_done() => {
                *kept = Some(session);
                return undecided(&job.relay);
            }
            Ok(()) => {
                *kept = Some(session);
                // If nobody hears it, the next final dot finds that out.
                let settled = delivery.take_settled();
                let _ = job.events.send(Event::NextTransaction(settled));
            }
            Err(Stop::Polite(outcome)) => {
                *kept = Some(session);
                return outcome;
            }
            // A relay may close a connection that was idle, or took enough messages (RFC 5321
            // section 3.8). Nothing of this message was taken, and a new connection is the answer.
            Err(Stop::Broken(_)) if session.was_lost_between_messages() => {}
            Err(Stop::Broken(outcome)) => return outcome,
        }
    }
}

/// Returns the session for the next transaction: the one that is kept, if the relay takes more
/// messages over it, or a new one.
fn next_session(job: &Arc<Job>, kept: &mut Option<SmtpSession>) -> Result<SmtpSession, Outcome> {
    if let Some(mut session) = mem::take(kept) {
        if session.takes_more_than(MESSAGES) {
            session.continue_with(job);
            return Ok(session);
        }
        session.quit().hear();
    }
    SmtpSession::open(job)
}
