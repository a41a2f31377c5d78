//! The input for a journal: the plan of a rewrite, and whether the journal holds all written bytes
//! or one window at a time.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::header::Body;
use super::witness::Witness;
use crate::mailbox::rewrite::output::{Extent, Output};
use crate::mailbox::rewrite::patched::PatchedFile;
use crate::mailbox::rewrite::plan::RewritePlan;

/// The plan of a new journal.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct NewJournal<'a> {
    /// Where the first byte changes.
    pub start: u64,
    /// The size of the mailbox before.
    pub old_size: u64,
    /// Its size afterwards.
    pub new_size: u64,
    /// The content of its body.
    pub body: NewBody<'a>,
}

/// The content of a new journal's body.
#[derive(Clone, Debug)]
pub(in crate::mailbox) enum NewBody<'a> {
    /// Everything that is written.
    Whole {
        /// Where it belongs.
        extents: Vec<Extent>,
        /// The new mailbox.
        content: &'a PatchedFile,
    },
    /// A window at a time.
    Windows {
        /// What is written.
        plan: &'a RewritePlan,
        /// How large a window is at most.
        size: u32,
    },
}

impl<'a> NewJournal<'a> {
    /// Returns a journal for all that a plan writes; `content` is the new mailbox.
    pub(in crate::mailbox) fn whole(
        plan: &RewritePlan,
        content: &'a PatchedFile,
    ) -> NewJournal<'a> {
        let body = NewBody::Whole {
            extents: Output::extents(plan),
            content,
        };
        NewJournal::of(plan, body)
    }

    /// Returns a journal for a plan that [never overtakes](RewritePlan::never_overtakes) itself.
    pub(in crate::mailbox) fn windows(plan: &'a RewritePlan, size: u32) -> NewJournal<'a> {
        NewJournal::of(plan, NewBody::Windows { plan, size })
    }

    /// Returns the body as the header of the journal describes it; the hash of a whole body is
    /// known only when that is written.
    pub(super) fn stored_body(&self) -> Body {
        match &self.body {
            NewBody::Whole { extents, .. } => Body::Whole {
                extents: extents.clone(),
                hash: 0,
            },
            NewBody::Windows { plan, size } => {
                // A window larger than all that is written would only take room on the disk.
                let most = u32::try_from(plan.end() - plan.start()).unwrap_or(u32::MAX);
                Body::Windows {
                    plan: (*plan).clone(),
                    size: (*size).min(most).max(1),
                }
            }
        }
    }

    /// Returns the samples that prove that the maker of the journal could read the mailbox.
    pub(super) fn witness(&self, mailbox: &File) -> io::Result<Witness> {
        let old = (mailbox, self.old_size);
        match &self.body {
            NewBody::Whole { content, .. } => Witness::take(old, (*content, self.new_size)),
            NewBody::Windows { plan, .. } => {
                let content = PatchedFile::of_plan(Arc::new(mailbox.try_clone()?), plan);
                Witness::take(old, (&content, self.new_size))
            }
        }
    }

    fn of(plan: &RewritePlan, body: NewBody<'a>) -> NewJournal<'a> {
        NewJournal {
            start: plan.start(),
            old_size: plan.old_size(),
            new_size: plan.new_size(),
            body,
        }
    }
}
