//! Taking over counts that were made anew from the log.

use super::State;
use crate::tally::TallyKey;

/// What the counts of a replay say of those that were here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recounted {
    /// Cells that were counted otherwise.
    pub changed: Vec<TallyKey>,
    /// Everything else is the same in both states, as it must be.
    pub same: bool,
}

impl State {
    /// Takes the counts of a state that was replayed from the log to the same event.
    pub fn take_counts(&mut self, mut replayed: Self) -> Recounted {
        let exact = (std::mem::take(&mut replayed.tally), std::mem::take(&mut replayed.aside));
        let guess = (std::mem::take(&mut self.tally), std::mem::take(&mut self.aside));
        let same = *self == replayed;
        let keys = exact.0.iter().map(|(key, _)| key).chain(guess.0.iter().map(|(key, _)| key));
        let mut changed: Vec<TallyKey> =
            keys.filter(|key| exact.0.get(key) != guess.0.get(key)).cloned().collect();
        changed.sort_unstable();
        changed.dedup();
        (self.tally, self.aside) = exact;
        Recounted { changed, same }
    }
}
