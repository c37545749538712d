//! One case or one whistle call made of its own events alone (单案重算), whatever else the log holds.
//!
//! What should not be here: where its events come from (the log), more than one of them.

use super::State;
use crate::case::Case;
use crate::event::Recorded;
use crate::moment::UtcOffset;
use crate::whistle::Whistle;

/// Takes the events of one case or call in their order and says how it stands after the last of them, closed or not.
#[derive(Debug)]
pub struct Alone {
    state: State,
    case: Option<Case>,
    whistle: Option<Whistle>,
}

impl Alone {
    /// Before the first event.
    #[must_use]
    pub fn new(offset: UtcOffset) -> Self {
        Self { state: State::empty(offset), case: None, whistle: None }
    }

    /// Takes the next event about it; the numbers between belong to others.
    pub fn take(&mut self, recorded: &Recorded) {
        self.state.seq = recorded.seq - 1;
        let changes = self.state.apply(recorded);
        self.case = changes.case.or(self.case.take());
        self.whistle = changes.whistle.or(self.whistle.take());
    }

    #[must_use]
    pub fn case(&self) -> Option<&Case> {
        self.case.as_ref()
    }

    #[must_use]
    pub fn whistle(&self) -> Option<&Whistle> {
        self.whistle.as_ref()
    }

    /// The case, with the deadlines it has running.
    pub(super) fn into_case(self) -> Option<(Case, std::collections::BTreeSet<crate::clock::Deadline>)> {
        Some((self.case?, self.state.deadlines))
    }
}
