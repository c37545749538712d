//! What a snapshot keeps of the state, piece by piece, and the state made of the pieces again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alone, State};
use crate::adoption::{InForce, ListInForce};
use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::clock::Deadline;
use crate::code::{CaseId, WhistleId};
use crate::event::Recorded;
use crate::moment::{Date, UtcOffset};
use crate::tally::Tally;
use crate::whistle::Whistle;

/// Everything the state holds. Taken apart and put together without `..`, so that a new field stops the build where
/// somebody must say how it is kept and whether its default is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub catalogue: Catalogue,
    pub cases: BTreeMap<CaseId, Case>,
    pub whistles: BTreeMap<WhistleId, Whistle>,
    pub tally: Tally,
    pub aside: Tally,
    pub turns: Vec<Date>,
    /// Its body is named by its hash where the state is kept.
    pub in_force: InForce,
    /// Named by its hash alone.
    pub cameras: Option<ListInForce>,
    pub deadlines: BTreeSet<Deadline>,
    pub seq: u64,
    pub today: Date,
    pub offset: UtcOffset,
    pub last_case: u64,
    pub last_whistle: u64,
    pub numbers_of_days: BTreeMap<Date, u32>,
}

impl From<State> for Kept {
    fn from(state: State) -> Self {
        let State {
            catalogue,
            cases,
            whistles,
            tally,
            aside,
            turns,
            in_force,
            cameras,
            // Follows from everything else.
            stale: _,
            stale_whistles: _,
            deadlines,
            seq,
            today,
            offset,
            last_case,
            last_whistle,
            numbers_of_days,
        } = state;
        Self {
            catalogue,
            cases,
            whistles,
            tally,
            aside,
            turns,
            in_force,
            cameras,
            deadlines,
            seq,
            today,
            offset,
            last_case,
            last_whistle,
            numbers_of_days,
        }
    }
}

impl From<Kept> for State {
    fn from(kept: Kept) -> Self {
        let Kept {
            catalogue,
            cases,
            whistles,
            tally,
            aside,
            turns,
            in_force,
            cameras,
            deadlines,
            seq,
            today,
            offset,
            last_case,
            last_whistle,
            numbers_of_days,
        } = kept;
        let mut state = Self {
            catalogue,
            cases,
            whistles,
            tally,
            aside,
            turns,
            in_force,
            cameras,
            stale: BTreeSet::new(),
            stale_whistles: BTreeSet::new(),
            deadlines,
            seq,
            today,
            offset,
            last_case,
            last_whistle,
            numbers_of_days,
        };
        state.look_for_stale();
        state
    }
}

impl State {
    /// The parts of what is kept that are not the same in both, by name. What follows from them, such as which cases a policy
    /// gives other due times, is found anew at every start and is none.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Vec<&'static str> {
        let Self {
            catalogue,
            cases,
            whistles,
            tally,
            aside,
            turns,
            in_force,
            cameras,
            stale: _,
            stale_whistles: _,
            deadlines,
            seq,
            today,
            offset,
            last_case,
            last_whistle,
            numbers_of_days,
        } = self;
        let parts = [
            ("codes", *catalogue == other.catalogue),
            ("open cases", *cases == other.cases),
            ("open whistle calls", *whistles == other.whistles),
            ("counts", *tally == other.tally && *aside == other.aside),
            ("days", (turns, today) == (&other.turns, &other.today)),
            ("the policy in force", *in_force == other.in_force),
            ("the list of cameras", *cameras == other.cameras),
            ("deadlines", *deadlines == other.deadlines),
            ("the number of the last event", *seq == other.seq),
            ("the offset from UTC", *offset == other.offset),
            ("the last numbers", (last_case, last_whistle) == (&other.last_case, &other.last_whistle)),
            ("the numbers of days", *numbers_of_days == other.numbers_of_days),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(part, _)| part).collect()
    }

    /// Whether days are counted with this offset.
    #[must_use]
    pub fn counts_with(&self, offset: UtcOffset) -> bool {
        self.offset == offset
    }

    /// One case and its deadlines folded from its own events alone, whatever else the log holds. The events are those about
    /// it, in order.
    #[must_use]
    pub fn folded(&self, events: impl Iterator<Item = Recorded>) -> Option<(Case, BTreeSet<Deadline>)> {
        let mut alone = Alone::new(self.offset);
        for recorded in events {
            alone.take(&recorded);
        }
        alone.into_case()
    }

    pub(super) fn empty(in_force: InForce, offset: UtcOffset) -> Self {
        Self {
            catalogue: Catalogue::default(),
            cases: BTreeMap::new(),
            whistles: BTreeMap::new(),
            tally: Tally::default(),
            aside: Tally::default(),
            turns: Vec::new(),
            in_force,
            cameras: None,
            stale: BTreeSet::new(),
            stale_whistles: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            seq: 0,
            today: Date::from_days(0),
            offset,
            last_case: 0,
            last_whistle: 0,
            numbers_of_days: BTreeMap::new(),
        }
    }
}
