//! Taking over counts that were made anew from the log.

use super::State;
use crate::tally::TallyKey;

/// What the counts of a replay say of those that were here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recounted {
    /// Cells that were counted otherwise.
    pub changed: Vec<TallyKey>,
    /// Codes were others. A state that begins from what the first format kept does not know which of its codes an event has
    /// defined since and which its policy had then; a replay does.
    pub codes: bool,
    /// What else is kept of the state and is not the same in both, as it must be: by the names of its parts.
    pub differs: Vec<&'static str>,
}

impl State {
    /// Takes the counts and codes of a state that was replayed from the log to the same event.
    pub fn take_counts(&mut self, mut replayed: Self) -> Recounted {
        let exact = (std::mem::take(&mut replayed.tally), std::mem::take(&mut replayed.aside));
        let guess = (std::mem::take(&mut self.tally), std::mem::take(&mut self.aside));
        let codes = self.catalogue != replayed.catalogue;
        if codes {
            self.catalogue = std::mem::take(&mut replayed.catalogue);
            replayed.catalogue.clone_from(&self.catalogue);
            self.look_for_stale();
        }
        let differs = self.differs(&replayed);
        let keys = exact.0.iter().map(|(key, _)| key).chain(guess.0.iter().map(|(key, _)| key));
        let mut changed: Vec<TallyKey> =
            keys.filter(|key| exact.0.get(key) != guess.0.get(key)).cloned().collect();
        changed.sort_unstable();
        changed.dedup();
        (self.tally, self.aside) = exact;
        Recounted { changed, codes, differs }
    }
}
