//! The order in which messages are shown: that of the mailbox, sorted, or by threads.

/// An order of the messages; messages and places count from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The message at each place.
    sequence: Vec<u32>,
    /// The place of each message.
    places: Vec<u32>,
    /// How deep the message at each place is in its thread; empty if there are no threads.
    depths: Vec<u8>,
}

impl Order {
    /// Returns the order that has these messages one after the other, each once.
    ///
    /// `depths` says how deep the message at each place is in its thread; it is empty without threads.
    pub(crate) fn new(sequence: Vec<u32>, depths: Vec<u8>) -> Order {
        let mut places = vec![0; sequence.len()];
        for (place, &message) in (0..).zip(&sequence) {
            places[message as usize] = place;
        }
        Order {
            sequence,
            places,
            depths,
        }
    }

    /// Returns the message at a place; beyond the end the place itself.
    pub(crate) fn at(&self, place: usize) -> usize {
        self.sequence
            .get(place)
            .map_or(place, |&message| message as usize)
    }

    /// Returns the place of a message; one that has arrived since stands behind the others.
    pub(crate) fn place(&self, message: usize) -> usize {
        self.places
            .get(message)
            .map_or(message, |&place| place as usize)
    }

    /// Returns the order from the last message to the first; threads keep theirs within, the last one comes first.
    pub(crate) fn reversed(self) -> Order {
        let mut sequence = Vec::with_capacity(self.sequence.len());
        let mut depths = Vec::with_capacity(self.depths.len());
        let mut end = self.sequence.len();
        for start in (0..self.sequence.len()).rev() {
            if self.depths.get(start).is_none_or(|&depth| depth == 0) {
                sequence.extend_from_slice(&self.sequence[start..end]);
                depths.extend_from_slice(self.depths.get(start..end).unwrap_or_default());
                end = start;
            }
        }
        Order::new(sequence, depths)
    }

    /// Returns whether the messages are in threads.
    pub(crate) fn has_threads(&self) -> bool {
        !self.depths.is_empty()
    }

    /// Returns how deep a message is in its thread: 0 for the first one.
    pub(crate) fn depth(&self, message: usize) -> usize {
        let depth = self.depths.get(self.place(message));
        depth.copied().unwrap_or(0).into()
    }

    /// Returns the place behind the thread that begins at a place.
    pub(crate) fn thread_end(&self, place: usize) -> usize {
        let Some(&depth) = self.depths.get(place) else {
            return place + 1;
        };
        let rest = &self.depths[place + 1..];
        let end = rest.iter().position(|&other| other <= depth);
        place + 1 + end.unwrap_or(rest.len())
    }
}
