//! What the outcomes of a message say of its route. Pure decisions.

use super::super::route_state::Trouble;
use crate::exit::Kind;
use crate::transport::{Disposition, Outcome, Scope};

/// What a message has shown of its route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The relay has taken it, or has refused it for good: the route works.
    Works,
    /// The relay has deferred this message, for all its recipients.
    Deferred(String),
    /// The route takes no mail now.
    Trouble(Trouble, String),
    /// Nothing: a signal or a fault of this host ended the try.
    Nothing,
}

/// Returns what these outcomes of one message show.
pub(crate) fn shown<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone) -> Shown {
    // The trouble first: a relay that takes half of the recipients and then closes the connection
    // is not asked for more now.
    if let Some((trouble, outcome)) = outcomes
        .clone()
        .find_map(|outcome| Some((trouble_of(outcome)?, outcome)))
    {
        return Shown::Trouble(trouble, outcome.text.clone());
    }
    let works = |outcome: &Outcome| {
        matches!(
            outcome.disposition,
            Disposition::Accepted | Disposition::Refused(_)
        )
    };
    if outcomes.clone().any(works) {
        return Shown::Works;
    }
    let mut later = outcomes.filter(|outcome| is_deferred(outcome));
    match later.next() {
        Some(outcome) => Shown::Deferred(outcome.text.clone()),
        None => Shown::Nothing,
    }
}

/// Returns the trouble of the route that an outcome speaks of.
pub(crate) fn trouble_of(outcome: &Outcome) -> Option<Trouble> {
    let kind = match outcome.disposition {
        Disposition::Accepted => return None,
        // The connection broke behind the dot: whether the route works, the next message tells.
        Disposition::Uncertain(_) => return None,
        Disposition::TryLater(Kind::Signal(_)) => return None,
        Disposition::Refused(kind) | Disposition::TryLater(kind) => kind,
    };
    match outcome.scope {
        Scope::Throttled => Some(Trouble::Throttled),
        Scope::Route => Some(of_kind(kind)),
        Scope::Message | Scope::Recipient => None,
    }
}

/// Returns the trouble of a route that failed so.
pub(crate) fn of_kind(kind: Kind) -> Trouble {
    match kind {
        kind if kind.may_pass() => Trouble::Unreachable,
        // A name that is not found may be one that the name service does not find today.
        Kind::NoHost | Kind::Unavailable => Trouble::Unreachable,
        _ => Trouble::Login,
    }
}

/// Returns whether the relay itself has put the message off; a full disk of ours says nothing of it.
fn is_deferred(outcome: &Outcome) -> bool {
    outcome.code.is_some() && matches!(outcome.disposition, Disposition::TryLater(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcomes_of_a_message_say_how_its_route_is() {
        let of = |disposition, code: u16, scope| {
            Outcome::new(disposition, code.to_string())
                .code(code)
                .scope(scope)
        };
        let ours = |disposition, scope| Outcome::new(disposition, "ours").scope(scope);
        let accepted = of(Disposition::Accepted, 250, Scope::Message);
        let later = Disposition::TryLater(Kind::TryLater);
        let refused = Disposition::Refused(Kind::Data);
        let trouble = |trouble, text: &str| Shown::Trouble(trouble, text.to_owned());
        let rows = [
            (vec![accepted.clone()], Shown::Works),
            (vec![of(refused, 550, Scope::Recipient)], Shown::Works),
            (
                vec![of(later, 450, Scope::Recipient), accepted.clone()],
                Shown::Works,
            ),
            (
                vec![of(later, 450, Scope::Recipient)],
                Shown::Deferred("450".to_owned()),
            ),
            (
                vec![of(later, 451, Scope::Route)],
                trouble(Trouble::Unreachable, "451"),
            ),
            (
                vec![ours(later, Scope::Route)],
                trouble(Trouble::Unreachable, "ours"),
            ),
            (
                vec![ours(Disposition::Refused(Kind::NoHost), Scope::Route)],
                trouble(Trouble::Unreachable, "ours"),
            ),
            (
                vec![of(
                    Disposition::TryLater(Kind::TryLater),
                    421,
                    Scope::Throttled,
                )],
                trouble(Trouble::Throttled, "421"),
            ),
            (
                vec![of(
                    Disposition::Refused(Kind::NoPermission),
                    535,
                    Scope::Route,
                )],
                trouble(Trouble::Login, "535"),
            ),
            (
                vec![ours(Disposition::Refused(Kind::Config), Scope::Route)],
                trouble(Trouble::Login, "ours"),
            ),
            (
                vec![accepted, ours(later, Scope::Route)],
                trouble(Trouble::Unreachable, "ours"),
            ),
            (
                vec![ours(Disposition::TryLater(Kind::Signal(15)), Scope::Route)],
                Shown::Nothing,
            ),
            (
                vec![ours(
                    Disposition::TryLater(Kind::CannotCreate),
                    Scope::Message,
                )],
                Shown::Nothing,
            ),
            (
                vec![ours(Disposition::Uncertain(Kind::TryLater), Scope::Route)],
                Shown::Nothing,
            ),
        ];
        for (outcomes, expected) in rows {
            assert_eq!(shown(outcomes.iter()), expected, "{outcomes:?}");
        }
    }
}
