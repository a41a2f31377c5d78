//! Sending: composes a message, submits it, keeps it if it was not accepted, and reports the
//! result.
//!
//! The caller reads the text.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use super::unsent;
use crate::compose::input::Input;
use crate::compose::{self, Composed, Request};
use crate::config::{Environment, Settings};
use crate::diagnostics::{self, Diagnostics, Verbose};
use crate::exit::{Failure, Kind, with_causes};
use crate::report;
use crate::report::receipt::{Receipt, Verdict};
use crate::sanitize;
use crate::submission::{self, Kept, SubmissionPlan, Surroundings, outbox};
use crate::sys::clock;
use crate::sys::signals::Signals;

/// How a message is sent.
#[derive(Debug, Default)]
pub(crate) struct SendOptions {
    /// Do not send a message that has neither body nor attachments.
    pub discard_empty: bool,
    /// Send nothing: the message to standard output, the plan to standard error.
    pub dry_run: bool,
    /// Send nothing: message and plan to standard error.
    pub debug: bool,
    /// Print a receipt as JSON on standard output.
    pub json: bool,
    /// Send nothing: every decision to standard output.
    pub explain: bool,
    /// `-v`, how often.
    pub verbose: u8,
}

/// Returns what a submission is to know of its surroundings.
pub(crate) fn surroundings<'a>(
    signals: &'a Signals,
    options: &SendOptions,
    settings: &'a Settings,
    environment: &'a Environment,
    diagnostics: &Diagnostics,
) -> Surroundings<'a> {
    Surroundings {
        settings,
        environment,
        signals,
        observer: Arc::new(Verbose {
            program: diagnostics.program().to_owned(),
            dialogue: options.verbose > 0 || settings.is_set("verbose"),
            waits: options.verbose > 0 || io::stderr().is_terminal(),
        }),
        terminal: io::stdin().is_terminal(),
    }
}

/// The things that each step of sending needs beside the message.
pub(crate) struct SendFlow<'a> {
    /// How the message is sent.
    pub options: &'a SendOptions,
    /// Settings, environment and signals.
    pub around: &'a Surroundings<'a>,
    /// Where failures are printed and remembered.
    pub diagnostics: &'a mut Diagnostics,
}

impl SendFlow<'_> {
    /// Composes a message with this text and sends it, keeps what was not accepted, and reports.
    ///
    /// `refusal` says why nothing may be sent; the text is kept then. Returns whether a next hop has
    /// accepted the message for somebody.
    pub(crate) fn send(
        &mut self,
        request: &Request,
        text: Input,
        refusal: Option<&Failure>,
    ) -> bool {
        let around = self.around;
        let (settings, environment) = (around.settings, around.environment);
        let compose = |body| compose::compose(request, body, settings, environment, around.signals);
        if let Some(failure) = text.failure {
            self.diagnostics.fail(&failure);
            // The person who typed the message has given it up, so nothing is kept.
            if text.forget {
                if self.options.json {
                    let why = with_causes(&failure);
                    self.report_unsent(&compose(text.body), &why, &Kept::NotNeeded);
                }
                return false;
            }
            // The request may be wrong as well; what counts now is that the text is kept.
            let mut composed = compose(text.body);
            composed.is_cut = true;
            let kept = submission::keep_composed(&composed, around);
            self.diagnostics.kept_in_part(&kept);
            self.diagnostics.note_signal(around.signals);
            self.report_unsent(&composed, &with_causes(&failure), &kept);
            return false;
        }
        let is_empty = text.body.is_empty() && !request.has_attachments() && request.html.is_none();
        // A refusal comes first: whether an empty message is wanted may depend on settings that
        // could not be read.
        if is_empty && refusal.is_none() {
            if self.discards_empty() {
                if self.options.json {
                    let why = "the message is empty, and empty messages are not sent";
                    self.report_unsent(&compose(text.body), why, &Kept::NotNeeded);
                }
                return false;
            }
            if let Some(text) = settings.text("nullbodymsg") {
                diagnostics::line(text);
            }
        }
        let composed = compose(text.body);
        if let Some(refusal) = refusal {
            self.refuse(&composed, refusal);
            return false;
        }
        self.send_composed(&composed)
    }

    /// Sends a message that was composed, keeps what was not accepted, and reports; returns whether a
    /// next hop has accepted it for somebody.
    pub(crate) fn send_composed(&mut self, composed: &Composed) -> bool {
        for warning in &composed.warnings {
            self.diagnostics.warn(&warning.text, warning.hint);
        }
        if self.options.explain {
            self.explain(composed);
        } else if self.options.dry_run {
            self.dry_run(composed);
        } else {
            return self.submit(composed);
        }
        false
    }

    /// Prints why nothing may be sent, and keeps the mail.
    pub(crate) fn refuse(&mut self, composed: &Composed, refusal: &Failure) {
        self.diagnostics.fail(refusal);
        self.keep_unsent(composed, refusal);
    }

    /// Returns whether a message without body and attachments is not to be sent: by `-E`, or by the
    /// variables of s-nail, bsd-mailx and GNU mail for it.
    fn discards_empty(&self) -> bool {
        let settings = self.around.settings;
        self.options.discard_empty
            || settings.is_set("skipemptybody")
            || !settings.is_set("nullbody")
    }

    /// Returns whether messages are shown on standard error and not sent (`-d`, `debug`).
    fn is_debug(&self) -> bool {
        self.options.debug || self.around.settings.is_set("debug")
    }

    /// Sends what may leave, keeps the rest, and reports; returns whether a next hop has accepted the
    /// message for somebody.
    pub(crate) fn submit(&mut self, composed: &Composed) -> bool {
        let around = self.around;
        if self.is_debug() {
            self.dry_run(composed);
            return false;
        }
        // A message that is not as it was asked for, for want of an attachment for instance, does
        // not leave: the recipient could not see that something is missing.
        if let Some(failure) = composed.obstacle() {
            self.fail_all(composed);
            self.keep_unsent(composed, failure);
            return false;
        }
        match submission::send(&composed.draft, &composed.bad_recipients, around) {
            Ok(report) => {
                // Bad recipients are named although the others have got the message.
                self.fail_all(composed);
                let is_verbose = around.settings.is_set("verbose");
                self.diagnostics.report(&report, is_verbose);
                // The signal comes after the report: it only counts where something failed.
                self.diagnostics.note_signal(around.signals);
                let mut entries = report.entries.iter();
                let is_accepted = entries.all(|entry| entry.outcome.is_accepted());
                unsent::hint(is_accepted, around, self.diagnostics);
                if !is_accepted {
                    unsent::note(around, self.diagnostics);
                }
                self.print_receipt(|| Receipt::of_report(&report, &composed.bad_recipients));
                report
                    .entries
                    .iter()
                    .any(|entry| entry.outcome.is_accepted())
            }
            Err(failure) => {
                self.diagnostics.fail(&failure);
                self.fail_all(composed);
                self.keep_unsent(composed, &failure);
                false
            }
        }
    }

    /// Prints and remembers the errors of a message.
    pub(super) fn fail_all(&mut self, composed: &Composed) {
        for failure in composed.all_failures() {
            self.diagnostics.fail(failure);
        }
    }

    /// Keeps a mail that is not even tried, and says where; `why` was printed already.
    fn keep_unsent(&mut self, composed: &Composed, why: &Failure) {
        let kept = submission::keep_composed(composed, self.around);
        if composed.is_cut {
            self.diagnostics.kept_in_part(&kept)
        } else {
            self.diagnostics.kept(&kept)
        }
        self.diagnostics.note_signal(self.around.signals);
        self.report_unsent(composed, &with_causes(why), &kept);
    }

    /// Prints the receipt of a mail that is not even tried; where it is kept was printed already.
    fn report_unsent(&mut self, composed: &Composed, why: &str, kept: &Kept) {
        self.print_receipt(|| Receipt::of_unsent(composed, why, kept));
    }

    /// Prints the receipt, if one is asked for.
    pub(super) fn print_receipt(&mut self, receipt: impl FnOnce() -> Receipt) {
        let dry_run = self.options.dry_run || self.options.explain || self.is_debug();
        if self.options.json {
            print_receipt(receipt(), dry_run, self.diagnostics);
        }
    }

    /// Prints every decision: routes and why, rewrites of addresses, settings and their origins.
    fn explain(&mut self, composed: &Composed) {
        self.fail_all(composed);
        let plan = match submission::plan(&composed.draft, self.around) {
            Ok(plan) => plan,
            Err(failure) => return self.unplanned(composed, &failure),
        };
        let troubles = outbox::troubles(&plan, self.around);
        let settings = self.around.settings;
        let text = report::explain::explain(&composed.draft, &plan, &troubles, settings);
        // Standard output is for the program that reads the receipt.
        if self.options.json {
            text.lines().for_each(diagnostics::line);
        } else {
            self.diagnostics.print(&text);
        }
        self.print_receipt(|| Receipt::of_plan(composed, &plan));
    }

    /// Reports why no way could be looked for, where nothing is to be sent.
    fn unplanned(&mut self, composed: &Composed, failure: &Failure) {
        self.diagnostics.fail(failure);
        self.report_unsent(composed, &with_causes(failure), &Kept::NotNeeded);
    }

    /// Shows the exact message and the route of each recipient.
    pub(super) fn dry_run(&mut self, composed: &Composed) {
        self.fail_all(composed);
        if let Some(failure) = composed.obstacle() {
            return self.report_unsent(composed, &with_causes(failure), &Kept::NotNeeded);
        }
        let plan = match submission::plan(&composed.draft, self.around) {
            Ok(plan) => plan,
            Err(failure) => return self.unplanned(composed, &failure),
        };
        for notice in &plan.notices {
            self.diagnostics.say(notice);
        }
        for copy in &plan.copies {
            // The outcome of a copy without a route is its reason, which is not said twice.
            let (way, kind) = match &copy.route {
                Ok(route) => {
                    let way = submission::name_of(route);
                    (format!("{way} ({})", copy.reason), None)
                }
                Err(outcome) => (format!("no route: {}", outcome.text), outcome.kind()),
            };
            let line = format!("{}: {way}", copy.target);
            self.diagnostics.say(&line);
            if let Some(kind) = kind {
                self.diagnostics.note_line(kind, &line, None);
            }
        }
        for picture in report::explain::shown_files(&composed.draft) {
            self.diagnostics.say(&sanitize::line(picture.as_bytes()));
        }
        if let Err(failure) = self.show_message(composed, &plan) {
            self.diagnostics.fail(&failure);
        }
        self.print_receipt(|| Receipt::of_plan(composed, &plan));
    }

    /// Shows the message as it would leave: it is prepared for its route as for a real submission.
    fn show_message(&self, composed: &Composed, plan: &SubmissionPlan) -> Result<(), Failure> {
        let message = submission::render_for_dry_run(&composed.draft, plan, self.around)?;
        let mut reader = message.reader();
        let written = if self.is_debug() {
            io::copy(&mut reader, &mut io::stderr().lock()).map(drop)
        } else if self.options.json {
            Ok(())
        } else {
            let mut out = io::stdout().lock();
            io::copy(&mut reader, &mut out).and_then(|_| out.flush())
        };
        written.map_err(|error| Failure::new(Kind::Io, "cannot write the message").because(error))
    }
}

/// Prints a receipt with the verdict of what was reported so far.
pub(crate) fn print_receipt(receipt: Receipt, dry_run: bool, diagnostics: &mut Diagnostics) {
    let (error, hint) = diagnostics.told();
    let verdict = Verdict {
        time: clock::local(clock::now()).to_rfc3339(),
        status: diagnostics.worst().map_or(0, Kind::status),
        dry_run,
        error,
        hint,
    };
    diagnostics.print_bytes(&receipt.line(&verdict));
}
