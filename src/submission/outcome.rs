//! What a failure of our own means for the copies that it holds up.

use crate::exit::{self, Failure, Kind};
use crate::sys::user;
use crate::transport::{Disposition, Outcome};

/// Returns the outcome of a copy that could not even be handed to a transport.
pub(super) fn outcome_of_failure(failure: Failure) -> Outcome {
    let disposition = match failure.kind {
        // A full disk, an I/O error or a service that is away or talks nonsense passes; a missing
        // password or a wrong setting does not, and trying again would hide it.
        kind @ (Kind::CannotCreate | Kind::Io | Kind::TryLater | Kind::Protocol) => {
            Disposition::TryLater(kind)
        }
        kind => Disposition::Refused(kind),
    };
    let mut outcome = Outcome::new(disposition, exit::with_causes(&failure));
    outcome.needs_root = failure.needs_root && user::effective_uid() != 0;
    outcome.hint = failure.hint;
    outcome
}
