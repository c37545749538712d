//! What lists are answered from, as one value that never changes: open cases, what was closed lately, runs of the views.
//! A reader takes the newest one and holds nobody up; the writer and the views' thread each make the next.
//!
//! What should be here: how one value becomes the next at little cost. What should not: questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use domain::case::Case;
use domain::code::{CaseId, WhistleId};
use domain::state::{Changes, State};
use domain::whistle::Whistle;

use super::past::Ceiling;
use crate::lock::lock;
use crate::views::{Pool, Run};

/// Parts of the open cases that are copied on their own. A group of commands touches some of them; with 50,000 open cases
/// one has 200.
const SHARDS: usize = 256;
/// Closed cases of one batch: the newest batch is copied for every group that closes some.
const BATCH_CASES: usize = 256;

/// Open cases, each in its part by its id.
#[derive(Debug, Clone)]
pub struct OpenCases {
    shards: Vec<Arc<Vec<Arc<Case>>>>,
    len: usize,
}

impl Default for OpenCases {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); SHARDS], len: 0 }
    }
}

impl OpenCases {
    fn shard(id: CaseId) -> usize {
        (id.0 % SHARDS as u64) as usize
    }

    #[must_use]
    pub fn get(&self, id: CaseId) -> Option<&Arc<Case>> {
        let shard = &self.shards[Self::shard(id)];
        shard.binary_search_by_key(&id, |case| case.id).ok().map(|at| &shard[at])
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    fn put(&mut self, case: Arc<Case>) {
        let shard = Arc::make_mut(&mut self.shards[Self::shard(case.id)]);
        match shard.binary_search_by_key(&case.id, |known| known.id) {
            Ok(at) => shard[at] = case,
            Err(at) => {
                shard.insert(at, case);
                self.len += 1;
            }
        }
    }

    fn remove(&mut self, id: CaseId) {
        let shard = &mut self.shards[Self::shard(id)];
        if let Ok(at) = shard.binary_search_by_key(&id, |known| known.id) {
            Arc::make_mut(shard).remove(at);
            self.len -= 1;
        }
    }
}

/// What was closed and is in no run yet, in the order of the log.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    batches: Vec<Arc<Vec<Arc<Case>>>>,
    pub whistles: Arc<Vec<Arc<Whistle>>>,
}

impl Recent {
    /// All of them, the newest last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Case>> {
        self.batches.iter().flat_map(|batch| batch.iter())
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.len()).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    #[must_use]
    pub fn get(&self, id: CaseId) -> Option<&Arc<Case>> {
        self.iter().rev().find(|case| case.id == id)
    }

    fn push(&mut self, case: Arc<Case>) {
        match self.batches.last_mut() {
            Some(batch) if batch.len() < BATCH_CASES => Arc::make_mut(batch).push(case),
            Some(_) | None => self.batches.push(Arc::new(vec![case])),
        }
    }

    fn retain(&mut self, keep: impl Fn(&Case) -> bool) {
        for batch in &mut self.batches {
            if !batch.iter().all(|case| keep(case)) {
                Arc::make_mut(batch).retain(|case| keep(case));
            }
        }
        self.batches.retain(|batch| !batch.is_empty());
    }
}

/// Everything lists are answered from.
#[derive(Debug, Clone, Default)]
pub struct Stand {
    /// The last event all of it knows.
    pub seq: u64,
    pub open: OpenCases,
    pub recent: Recent,
    /// Open whistle calls.
    pub whistles: Arc<BTreeMap<WhistleId, Arc<Whistle>>>,
    pub runs: Arc<Vec<Arc<Run>>>,
    /// Where the runs are read; none where there are no views yet.
    pub pool: Option<Arc<Pool>>,
    /// Cases in memory that stand in runs as well: opened again since. Memory has the newer word.
    pub masked: Arc<BTreeSet<u64>>,
    /// How far what memory does not have is asked.
    pub ceiling: Ceiling,
    /// The largest id of a case ever seen: an open case with a smaller one that was not open was opened again.
    last_case: u64,
    /// Every closing of the log is in memory or in the runs.
    pub whole: bool,
}

/// The present stand, changed by two and read by all.
#[derive(Debug, Default)]
pub struct Present {
    stand: ArcSwap<Stand>,
    /// Held while the next stand is made, by the writer for a group, by the views' thread for a swap of pointers.
    turn: Mutex<()>,
}

impl Present {
    #[must_use]
    pub fn load(&self) -> Arc<Stand> {
        self.stand.load_full()
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Stand) -> T) -> T {
        let _turn = lock(&self.turn);
        let mut next = Stand::clone(&self.stand.load());
        let told = change(&mut next);
        self.stand.store(Arc::new(next));
        told
    }
}

impl Stand {
    /// Takes over what the state holds.
    pub fn start(&mut self, state: &State) {
        let mut open = OpenCases::default();
        state.cases.values().for_each(|case| open.put(Arc::new(case.clone())));
        self.recent.retain(|case| !state.cases.contains_key(&case.id));
        let whistles = state.whistles.iter().map(|(id, whistle)| (*id, Arc::new(whistle.clone())));
        self.whistles = Arc::new(whistles.collect());
        self.seq = state.seq;
        let last_open = open.iter().map(|case| case.id.0).max();
        let last_recent = self.recent.iter().map(|case| case.id.0).max();
        let last_run = self.runs.iter().map(|run| run.head.ids().1.max(0) as u64).max();
        self.last_case = last_open.max(last_recent).max(last_run).unwrap_or(0);
        self.open = open;
    }

    /// Takes in what one event changed.
    pub fn note(&mut self, seq: u64, changes: &Changes) {
        self.seq = seq;
        if let Some(case) = &changes.case {
            let was_open = self.open.get(case.id).is_some();
            if case.is_open() {
                if !was_open && case.id.0 <= self.last_case {
                    self.recent.retain(|known| known.id != case.id);
                    Arc::make_mut(&mut self.masked).insert(case.id.0);
                }
                self.open.put(Arc::new(case.clone()));
            } else {
                self.open.remove(case.id);
                self.recent.push(Arc::new(case.clone()));
            }
            self.last_case = self.last_case.max(case.id.0);
        }
        if let Some(whistle) = &changes.whistle {
            let whistles = Arc::make_mut(&mut self.whistles);
            if whistle.closed.is_none() {
                whistles.insert(whistle.id, Arc::new(whistle.clone()));
            } else {
                whistles.remove(&whistle.id);
                Arc::make_mut(&mut self.recent.whistles).push(Arc::new(whistle.clone()));
            }
        }
    }

    /// Puts closed cases in front that the views have and no run has yet.
    pub fn begin_with(&mut self, tail: Vec<Arc<Case>>) {
        let later = std::mem::take(&mut self.recent.batches);
        self.recent.batches = tail.chunks(BATCH_CASES).map(|batch| Arc::new(batch.to_vec())).collect();
        self.recent.batches.extend(later);
    }

    /// Lets go of closed cases that stand in the runs now, by the event that closed them.
    pub fn settled(&mut self, sealed: &BTreeMap<CaseId, u64>) {
        let stands = |case: &Case| sealed.get(&case.id).is_some_and(|version| *version >= case.version);
        if !sealed.is_empty() {
            self.recent.retain(|case| !stands(case));
        }
        if self.masked.iter().any(|id| sealed.contains_key(&CaseId(*id))) {
            let open = &self.open;
            let recent: BTreeSet<CaseId> = self.recent.iter().map(|case| case.id).collect();
            let still = |id: CaseId| open.get(id).is_some() || recent.contains(&id);
            Arc::make_mut(&mut self.masked).retain(|id| still(CaseId(*id)));
        }
    }
}

impl Stand {
    /// Masks those of the cases that memory has a newer word of: they stand in runs of an older stretch of the log.
    pub fn mask_known(&mut self, cases: &[CaseId]) {
        let recent: BTreeSet<CaseId> = self.recent.iter().map(|case| case.id).collect();
        let newer: Vec<u64> = cases
            .iter()
            .filter(|id| self.open.get(**id).is_some() || recent.contains(id))
            .map(|id| id.0)
            .collect();
        if !newer.is_empty() {
            Arc::make_mut(&mut self.masked).extend(newer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(case: &Case) -> Changes {
        Changes { case: Some(case.clone()), ..Changes::default() }
    }

    fn open_case(n: u64) -> Case {
        Case { closed: None, ..crate::views::tests::closed_case(n) }
    }

    #[test]
    fn a_reader_keeps_what_it_took_while_the_next_stand_is_made() {
        let present = Present::default();
        present.change(|stand| stand.note(1, &changed(&open_case(0))));
        let before = present.load();
        present.change(|stand| stand.note(2, &changed(&crate::views::tests::closed_case(0))));
        assert_eq!((before.seq, before.open.len(), before.recent.len()), (1, 1, 0));
        let after = present.load();
        assert_eq!((after.seq, after.open.len(), after.recent.len()), (2, 0, 1));
    }

    /// Untouched parts are shared: a group costs what it changes.
    #[test]
    fn one_change_copies_one_part() {
        let mut stand = Stand::default();
        (0..2_000).for_each(|n| stand.note(n + 1, &changed(&open_case(n))));
        let mut next = stand.clone();
        next.note(2_001, &changed(&open_case(77)));
        let shared = stand.open.shards.iter().zip(&next.open.shards);
        assert_eq!(shared.filter(|(before, after)| !Arc::ptr_eq(before, after)).count(), 1);
    }

    #[test]
    fn a_case_that_is_opened_again_hides_what_the_runs_say_until_it_is_in_a_newer_one() {
        let mut stand = Stand::default();
        stand.note(1, &changed(&open_case(4)));
        let closed = Case { version: 2, ..crate::views::tests::closed_case(4) };
        stand.note(2, &changed(&closed));
        stand.settled(&BTreeMap::from([(closed.id, 2)]));
        assert!(stand.recent.is_empty() && stand.masked.is_empty());
        stand.note(3, &changed(&Case { version: 3, ..open_case(4) }));
        assert!(stand.masked.contains(&closed.id.0));
        stand.note(4, &changed(&Case { version: 4, ..closed.clone() }));
        stand.settled(&BTreeMap::from([(closed.id, 2)]));
        assert_eq!(stand.recent.len(), 1, "the earlier closing is not this one");
        stand.settled(&BTreeMap::from([(closed.id, 4)]));
        assert!(stand.recent.is_empty() && stand.masked.is_empty());
    }
}
