//! Reports the skipped lines of each file in one line.

use crate::config::problem::{Origin, Problem, Weight};
use crate::config::settings::Settings;

/// How many words or lines of a kind are shown.
const SHOWN: usize = 5;

/// The reason for skipping a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Passed {
    /// A command that nobody knows.
    Unknown,
    /// A command that must not stand in a file.
    NotAllowed,
    /// A condition that is not understood.
    Condition,
}

/// The lines that were skipped in one file, for each reason.
#[derive(Debug, Default)]
pub(super) struct Told([Option<Group>; 3]);

/// The problem that tells of one kind.
#[derive(Debug)]
struct Group {
    origin: Origin,
    /// How the problem is worded now.
    what: String,
    /// What is shown: the words, and where all but the first of them stand.
    shown: Vec<String>,
}

/// Returns a line as it is shown: what is behind its `=`, or in a URL, may be a secret.
pub(super) fn masked(line: &str) -> String {
    let ends = ["=", "://"].map(|mark| line.find(mark).map(|at| at + mark.len()));
    match ends.into_iter().flatten().min() {
        Some(end) if end < line.len() => format!("{}…", &line[..end]),
        _ => line.to_owned(),
    }
}

/// Words it.
fn wording(kind: Passed, shown: &[String], are_more: bool) -> String {
    let mut list = shown.join(", ");
    if are_more {
        list.push_str(" and others");
    }
    match (kind, shown.len()) {
        (Passed::Unknown, 1) => format!("unknown command {list}"),
        (Passed::Unknown, _) => format!("unknown commands {list}"),
        (Passed::NotAllowed, 1) => format!("{list} is not allowed in this file"),
        (Passed::NotAllowed, _) => format!("{list} are not allowed in this file"),
        (Passed::Condition, 1) => {
            format!("the condition {list} is not understood and counts as false")
        }
        (Passed::Condition, _) => {
            format!("the conditions {list} are not understood and count as false")
        }
    }
}

impl Told {
    /// Tells of something that is passed over; the rest of its kind in this file joins it.
    pub(super) fn add(
        &mut self,
        settings: &mut Settings,
        kind: Passed,
        origin: &Origin,
        what: &str,
    ) {
        let group = &mut self.0[kind as usize];
        let Some(group) = group else {
            let shown = vec![format!("\"{what}\"")];
            let what = wording(kind, &shown, false);
            *group = Some(Group {
                origin: origin.clone(),
                what: what.clone(),
                shown,
            });
            let problem = Problem::of_line(origin, what, Weight::Line);
            return settings.add_problem(problem);
        };
        if group.shown.len() > SHOWN {
            return;
        }
        group.shown.push(match origin {
            Origin::File { line, .. } => format!("\"{what}\" (line {line})"),
            _ => format!("\"{what}\""),
        });
        let is_full = group.shown.len() > SHOWN;
        let listed = &group.shown[..group.shown.len().min(SHOWN)];
        let new = wording(kind, listed, is_full);
        let old = std::mem::replace(&mut group.what, new);
        let is_it = |problem: &&mut Problem| problem.origin == group.origin && problem.what == old;
        if let Some(problem) = settings.problems.iter_mut().find(is_it) {
            problem.what.clone_from(&group.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (line, expected) in [
            ("blorb", "blorb"),
            ("call relay", "call relay"),
            ("x=", "x="),
            ("smtp-auth-password=secret", "smtp-auth-password=…"),
            ("eval set mta=smtp://me:secret@h", "eval set mta=…"),
            ("smtp://me:secret@h", "smtp://…"),
            ("mta smtp://me:secret@h?a=b", "mta smtp://…"),
        ] {
            assert_eq!(masked(line), expected);
        }
    }
}
