//! Relays in turn: what one of them does not take now goes to the next.
//!
//! A recipient goes to the next relay only where it is certain that this one does not have the
//! message: no connection, a failed session, or a 4yz before the message was sent. From the final
//! dot on the answer stands, whatever it is, so no recipient gets the message twice. A refusal for
//! good stands as well: it would be a riddle if the mail took another way each time.

use std::sync::Arc;

use super::relay_list::RelayList;
use super::relay_url::RelayUrl;
use crate::address::EnvelopeAddress;
use crate::transport::{Disposition, Outcome, Scope};

/// Submits to the relays in turn until each recipient has an answer that stands.
///
/// `submit` takes these recipients to one relay and returns an outcome each, in their order; for a
/// relay whose route is known to be down it returns "try later" for the route at once. `goes_on` is
/// asked before each further relay: false after a signal. Of several relays each outcome names the
/// one that gave it.
pub(super) fn in_turn(
    relays: &RelayList,
    recipients: &[EnvelopeAddress],
    mut submit: impl FnMut(&Arc<RelayUrl>, &[EnvelopeAddress]) -> Vec<Outcome>,
    mut goes_on: impl FnMut(&RelayUrl) -> bool,
) -> Vec<Outcome> {
    let mut all = relays.iter();
    let Some(first) = all.next() else {
        return Vec::new();
    };
    let mut outcomes = submit(first, recipients);
    if all.len() == 0 {
        return outcomes;
    }
    for outcome in &mut outcomes {
        name(outcome, first);
    }
    for url in all {
        let pending: Vec<usize> = (0..outcomes.len())
            .filter(|at| is_for_another(&outcomes[*at]))
            .collect();
        if pending.is_empty() || !goes_on(url) {
            break;
        }
        let targets: Vec<EnvelopeAddress> =
            pending.iter().map(|at| recipients[*at].clone()).collect();
        for (at, mut outcome) in pending.into_iter().zip(submit(url, &targets)) {
            name(&mut outcome, url);
            outcomes[at] = after(&outcomes[at], outcome);
        }
    }
    outcomes
}

/// Returns whether another relay may be tried without a second copy.
fn is_for_another(outcome: &Outcome) -> bool {
    matches!(outcome.disposition, Disposition::TryLater(_)) && outcome.scope != Scope::Message
}

/// Writes into an outcome which relay gave it.
fn name(outcome: &mut Outcome, url: &RelayUrl) {
    let place = url.place();
    // A failure of the network names the relay already; a reply is as the relay wrote it.
    if !outcome.is_accepted() && !outcome.text.starts_with(&place) {
        outcome.text = format!("{place}: {}", outcome.text);
    }
    outcome.relay = Some(format!("relay {url}").into());
}

/// Returns the outcome of a further try, with the reasons of those before it.
fn after(before: &Outcome, mut outcome: Outcome) -> Outcome {
    if !outcome.is_accepted() {
        outcome.text = format!("{}; {}", before.text, outcome.text);
        if outcome.hint.is_none() {
            outcome.hint.clone_from(&before.hint);
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::exit::Kind;

    fn later(scope: Scope) -> Outcome {
        Outcome::new(Disposition::TryLater(Kind::TryLater), "later").scope(scope)
    }

    fn taken() -> Outcome {
        Outcome::new(Disposition::Accepted, "250 ok").code(250)
    }

    /// Returns the outcomes of two recipients, and who was tried with how many.
    fn tried(first: [Outcome; 2], second: &Outcome) -> (Vec<Outcome>, Vec<(String, usize)>) {
        let list = RelayList::parse("submission://a.example,smtp://[::1]").expect("a list");
        let recipients = ["x@example.org", "y@example.org"]
            .map(|text| EnvelopeAddress::new(text).expect("an address"));
        let tries = RefCell::new(Vec::new());
        let submit = |url: &Arc<RelayUrl>, targets: &[EnvelopeAddress]| {
            tries.borrow_mut().push((url.host.clone(), targets.len()));
            if url.host == "a.example" {
                first.to_vec()
            } else {
                vec![second.clone(); targets.len()]
            }
        };
        let outcomes = in_turn(&list, &recipients, submit, |_| true);
        (outcomes, tries.into_inner())
    }

    #[test]
    fn the_next_relay_gets_what_the_first_certainly_does_not_have() {
        let refused = || Outcome::new(Disposition::Refused(Kind::Data), "550 no");
        let login =
            || Outcome::new(Disposition::Refused(Kind::NoPermission), "535 no").scope(Scope::Route);
        let uncertain = || Outcome::new(Disposition::Uncertain(Kind::TryLater), "lost");
        let table = [
            ([later(Scope::Route), later(Scope::Route)], 2),
            ([later(Scope::Throttled), later(Scope::Throttled)], 2),
            ([later(Scope::Recipient), taken()], 1),
            ([taken(), later(Scope::Recipient)], 1),
            ([taken(), taken()], 0),
            ([refused(), refused()], 0),
            ([login(), login()], 0),
            // After the final dot, by word or by silence.
            ([later(Scope::Message), later(Scope::Message)], 0),
            ([uncertain(), uncertain()], 0),
            ([refused(), later(Scope::Recipient)], 1),
        ];
        for (first, count) in table {
            let (outcomes, tries) = tried(first.clone(), &taken());
            assert_eq!(tries[0], ("a.example".to_owned(), 2));
            let second = tries.get(1).map_or(0, |(_, count)| *count);
            assert_eq!(second, count, "{first:?}");
            for (outcome, before) in outcomes.iter().zip(&first) {
                let relay = outcome.relay.as_deref();
                if is_for_another(before) {
                    assert_eq!(outcome.disposition, Disposition::Accepted);
                    assert_eq!(relay, Some("relay smtp://[::1]:25"));
                } else {
                    assert_eq!(outcome.disposition, before.disposition);
                    assert_eq!(relay, Some("relay submission://a.example:587"));
                }
            }
        }
    }

    #[test]
    fn the_reasons_of_all_relays_are_told() {
        let mut down = later(Scope::Route).hint("try another port");
        down.text = "a.example:587: cannot connect".to_owned();
        let greylisted = Outcome::new(Disposition::TryLater(Kind::TryLater), "450 wait");
        let (outcomes, _) = tried([down.clone(), down], &greylisted.scope(Scope::Recipient));
        for outcome in outcomes {
            assert_eq!(
                outcome.text,
                "a.example:587: cannot connect; [::1]:25: 450 wait"
            );
            assert_eq!(outcome.hint.as_deref(), Some("try another port"));
        }
    }

    #[test]
    fn one_relay_alone_is_not_named_and_a_signal_ends_the_turn() {
        let recipients = [EnvelopeAddress::new("x@example.org").expect("an address")];
        let list = RelayList::parse("submission://a.example").expect("a list");
        let outcomes = in_turn(
            &list,
            &recipients,
            |_, _| vec![later(Scope::Route)],
            |_| true,
        );
        assert_eq!(outcomes, [later(Scope::Route)]);
        let list = RelayList::parse("submission://a.example,smtp://b.example").expect("a list");
        let outcomes = in_turn(
            &list,
            &recipients,
            |_, _| vec![later(Scope::Route)],
            |_| false,
        );
        assert_eq!(outcomes[0].text, "a.example:587: later");
    }
}
