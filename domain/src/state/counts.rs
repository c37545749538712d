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

#[cfg(test)]
mod tests {
    use super::super::tests::{Desk, report};
    use crate::command::Command;
    use crate::state::{Kept, State};

    /// Method: a policy with areas elsewhere than the log's open cases have them, replayed, and begun from what a snapshot keeps.
    #[test]
    fn what_follows_from_what_is_kept_is_no_difference_and_anything_kept_is_named() {
        let mut desk = Desk::new();
        desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
        let mut replayed = desk.state.clone();
        replayed.catalogue.areas.values_mut().for_each(|area| area.parent = None);
        let mut begun = State::from(Kept::from(replayed.clone()));
        assert!(begun.has_stale() && !replayed.has_stale() && begun != replayed);
        assert_eq!(begun.take_counts(replayed.clone()).differs, [""; 0]);
        begun.cases.clear();
        assert_eq!(begun.take_counts(replayed).differs, ["open cases"]);
    }

    /// A code that an event has defined may be another in a snapshot of the first format: the replay's holds.
    #[test]
    fn codes_are_taken_from_the_replay_and_open_cases_are_looked_at_again() {
        let mut desk = Desk::new();
        desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
        let mut replayed = desk.state.clone();
        replayed.catalogue.areas.values_mut().for_each(|area| area.parent = None);
        let mut begun = desk.state.clone();
        let taken = begun.take_counts(replayed.clone());
        assert!(taken.codes && begun.has_stale());
        assert_eq!((taken.differs, &begun.catalogue), (Vec::new(), &replayed.catalogue));
        assert!(!begun.take_counts(replayed).codes);
    }
}
