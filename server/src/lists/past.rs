//! Lists as they were (复盘): what was open then and was closed since from a memory of their own, what had been closed by then
//! from the views and the memory of the hall that goes on.
//!
//! A case that is closed never changes again, and its number is given when it is reported. So what had been closed by then are those
//! among the closed cases of today whose number was given by then, without those that were open then: these memory has. No column of
//! the views is asked for it, and no count is a guess. What should not be here: how a page is made (`page`).

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::state::State;

use super::Lists;
use super::stand::{Present, Stand};

/// Up to where the hall that goes on is asked.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// Of the hall that goes on.
    going_on: Lists,
    /// Largest numbers given by then.
    last_case: u64,
    last_whistle: u64,
    /// Open then: memory has them, wherever they went.
    open: Arc<BTreeSet<u64>>,
}

/// How far the views and the newest closings of a stand are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    pub last_case: u64,
    pub last_whistle: u64,
}

impl Default for Ceiling {
    /// Everything there is.
    fn default() -> Self {
        Self { last_case: u64::MAX, last_whistle: u64::MAX }
    }
}

impl Past {
    /// The stand of then: `own` is what memory has of it.
    pub(super) fn stand(&self, own: &Stand) -> Stand {
        let now = self.going_on.present().load();
        let mut stand = own.clone();
        (stand.runs, stand.pool, stand.whole) = (now.runs.clone(), now.pool.clone(), now.whole);
        stand.ceiling = Ceiling { last_case: self.last_case, last_whistle: self.last_whistle };
        stand.masked = self.open.clone();
        let was_closed =
            |case: &domain::case::Case| case.id.0 <= self.last_case && !self.open.contains(&case.id.0);
        let closed_by_then = now.recent.iter().filter(|case| was_closed(case)).cloned().collect();
        stand.begin_with(closed_by_then);
        let known: BTreeSet<u64> = own.whistles.keys().map(|id| id.0).collect();
        let earlier = now.recent.whistles.iter().filter(|whistle| {
            whistle.id.0 <= self.last_whistle
                && !known.contains(&whistle.id.0)
                && !own.recent.whistles.iter().any(|own| own.id == whistle.id)
        });
        stand.recent.whistles =
            Arc::new(earlier.chain(own.recent.whistles.iter()).cloned().collect::<Vec<_>>());
        stand
    }

    pub(super) fn going_on(&self) -> &Lists {
        &self.going_on
    }
}

impl Lists {
    /// The lists of the hall that goes on, as they were at a state of its past.
    #[must_use]
    pub fn of_past(going_on: &Self, state: &State) -> Self {
        let (last_case, last_whistle) = state.last_numbers();
        let open = Arc::new(state.cases.keys().map(|id| id.0).collect());
        let past = Past { going_on: going_on.clone(), last_case, last_whistle, open };
        Self::over(state.policy().utc_offset_minutes, Arc::<Present>::default(), Some(past))
    }
}
