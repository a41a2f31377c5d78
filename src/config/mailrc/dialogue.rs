//! Lines of a configuration that come one at a time: from the prompt of the reader, or a script.

use std::path::Path;

use super::block::{Block, Opener};
use super::trust::{Untrusted, read_trusted};
use super::{Branch, Context, Interpreter};
use crate::config::problem::Origin;
use crate::config::settings::Settings;
use crate::exit::{Failure, Kind};
use crate::sanitize;

/// What is open between two lines: conditions, and the block of an account or a macro.
#[derive(Debug, Default)]
pub(crate) struct Open {
    branches: Vec<Branch>,
    block: Option<Block>,
    opener: Option<(Opener, Origin)>,
}

impl Open {
    /// Returns whether the next line belongs to a block, or may begin one with its brace.
    pub(crate) fn takes(&self, line: &str) -> bool {
        self.block.is_some() || self.opener.is_some() && line.trim() == "{"
    }

    /// Returns whether commands count, by the conditions around them.
    pub(crate) fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    /// Carries out a line; its problems are those that [`Settings::take_new_problems`] returns.
    pub(crate) fn carry_out(
        &mut self,
        settings: &mut Settings,
        context: &Context<'_>,
        line: &[u8],
        origin: &Origin,
    ) {
        self.lend(settings, context, |interpreter| {
            interpreter.line(line, origin, 0);
            // A person sees at once what is not understood.
            interpreter.tell_unclear();
            if let Some((Opener::Account(_), _)) = &interpreter.opener {
                interpreter.end_opener();
            }
        });
    }

    /// Reports what is still open where a file ends, and closes it.
    pub(crate) fn end(&mut self, settings: &mut Settings, context: &Context<'_>, origin: &Origin) {
        self.lend(settings, context, |interpreter| interpreter.end(origin));
        *self = Open::default();
    }

    /// Lets an interpreter go on with what is open.
    fn lend(
        &mut self,
        settings: &mut Settings,
        context: &Context<'_>,
        work: impl FnOnce(&mut Interpreter<'_>),
    ) {
        let mut interpreter = Interpreter::new(settings, context);
        interpreter.branches = std::mem::take(&mut self.branches);
        interpreter.block = self.block.take();
        interpreter.opener = self.opener.take();
        work(&mut interpreter);
        self.branches = std::mem::take(&mut interpreter.branches);
        self.block = interpreter.block.take();
        self.opener = interpreter.opener.take();
    }
}

/// Returns the text of a file with commands for the reader, under the rules for rc files.
///
/// # Errors
/// Says why there is nothing to read, or nothing to be believed.
pub(crate) fn script(path: &Path) -> Result<Vec<u8>, Failure> {
    read_trusted(path).map_err(|error| {
        let (kind, why) = match error {
            Untrusted::Missing => (Kind::NoInput, "it does not exist".to_owned()),
            Untrusted::Refused(why) | Untrusted::Denied(why) => (Kind::NoPermission, why),
            Untrusted::Unusable(why) => (Kind::NoInput, why),
            Untrusted::Failed(why) => (Kind::TryLater, why),
        };
        Failure::new(kind, format!("cannot source {}", sanitize::path(&path))).because(why)
    })
}
