//! The address fields of a premade header, each at its place.

use super::header::{PremadeHeader, RawField, made_field};
use crate::message::{FieldBody, HeaderName};

impl PremadeHeader {
    /// Puts this body into the field at this place, counted as [`PremadeHeader::iter`] counts.
    ///
    /// The field keeps its place: blocks of Resent- fields would be torn apart by another one.
    pub fn replace(&mut self, place: usize, body: impl Into<FieldBody>) {
        let field = &mut self.fields[place];
        // A name that is no name of ours stays with its field as it was written.
        if let Ok(name) = HeaderName::new(field.name()) {
            *field = made_field(&name, &body.into());
        }
    }

    /// Removes the fields at these places, which are in order.
    pub fn remove_places(&mut self, places: &[usize]) {
        let mut place = 0;
        self.fields.retain(|_: &RawField| {
            let is_removed = places.binary_search(&place).is_ok();
            place += 1;
            !is_removed
        });
    }
}
