//! Sends mail from another program, as `postrider send` does it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::compose::{self, Request};
use crate::config::{Environment, Settings, mailrc};
use crate::exit::{Failure, Kind};
use crate::submission::{self, Report, Surroundings};
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::transport::Silent;

/// Sends messages with one configuration.
#[derive(Debug)]
pub struct Mailer {
    settings: Settings,
    environment: Environment,
}

impl Mailer {
    /// Returns a mailer with this configuration, in the lines of postrider-mailrc(5).
    ///
    /// No configuration file is read. The home directory, in which unsent mail is kept unless the
    /// configuration says otherwise, is that of the process.
    ///
    /// # Errors
    /// 78 when a line of the configuration is wrong.
    pub fn new(configuration: &str) -> Result<Mailer, Failure> {
        let environment = Environment::read();
        let home = environment.home_directory();
        let context = mailrc::Context {
            sending: true,
            terminal: false,
            home: home.as_deref(),
        };
        let mut settings = Settings::default();
        let name = Path::new("configuration");
        mailrc::read_text(&mut settings, name, configuration.as_bytes(), &context);
        match settings.problems.first() {
            Some(problem) => Err(Failure::new(Kind::Config, problem.what.clone())),
            None => Ok(Mailer {
                settings,
                environment,
            }),
        }
    }

    /// Sends a message with this text; a recipient that cannot be reached now does not stop the others.
    ///
    /// The report has the outcome of each copy. What no next hop has accepted waits in the outbox or is
    /// kept as a dead letter, and the report says where. While it sends, SIGINT, SIGTERM, SIGHUP
    /// and SIGQUIT interrupt the sending and do not end the process.
    ///
    /// # Errors
    /// When the text cannot be read, or nothing may leave: an attachment is missing, a header field is
    /// wrong, there is no recipient, or the configuration for sending is wrong. Nothing was sent or kept
    /// then.
    pub fn send(&self, request: &Request, text: &mut dyn Read) -> Result<Report, Failure> {
        let signals = Signals::watch(false).map_err(|error| {
            Failure::new(Kind::Software, "cannot watch for signals").because(error)
        })?;
        let body = Spool::read_from(text)
            .map_err(|error| Failure::new(Kind::Io, "cannot read the text").because(error))?;
        let (settings, environment) = (&self.settings, &self.environment);
        let mut composed = compose::compose(request, body, settings, environment, &signals);
        if composed.obstacle().is_some() {
            let bad = composed.bad_recipients.into_iter().map(|bad| bad.failure);
            let mut failures = composed.failures.drain(..).chain(bad);
            return Err(failures.next().expect("an obstacle is one of them"));
        }
        let around = Surroundings {
            settings,
            environment,
            signals: &signals,
            observer: Arc::new(Silent),
            terminal: false,
        };
        submission::send(&composed.draft, &composed.bad_recipients, &around)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_before_anything_is_sent() {
        let error = Mailer::new("set mta=test\nfrobnicate\n").expect_err("no such command");
        assert_eq!(error.kind, Kind::Config);
        let directory = tempfile::tempdir().expect("a directory");
        let out = directory.path().join("out.mbox");
        // Nothing of a test goes to the dead letters of its user.
        let line = format!("set nosave mta=test://{}", out.to_str().expect("UTF-8"));
        let mailer = Mailer::new(&line).expect("a configuration");
        for (to, attach, kind) in [
            ("", None, Kind::Data),
            ("ops@", None, Kind::Data),
            ("ops@example.com", Some("/no/such/file"), Kind::NoInput),
        ] {
            let attach = attach.map(|path| compose::AttachRequest {
                path: path.into(),
                ..Default::default()
            });
            let request = Request {
                to: vec![to.into()],
                attachments: attach.into_iter().collect(),
                ..Request::default()
            };
            let error = mailer.send(&request, &mut &b"x\n"[..]).expect_err(to);
            assert_eq!(error.kind, kind, "{to:?}: {error}");
            assert!(!out.exists());
        }
    }
}
