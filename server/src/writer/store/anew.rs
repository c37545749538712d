//! Counting anew: where counts were kept in a form that did not know all of today's, a replay from the last state in which
//! nothing is a guess goes on in the background while the hall serves, and the writer takes its counts when it has come
//! to the end.
//!
//! What should be here: the replay in bites, and its handing over. What should not: what is a guess (`stored::state`).

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::state::State;

use crate::events::replay;
use crate::folder::{DATABASE, StoreError};
use crate::lock::lock;
use crate::log::{LogError, READ_ROWS_MAX, Read, shelf};
use crate::stored::policy::Genesis;
use crate::stored::state;

/// So near to the head the writer itself goes the rest of the way: some milliseconds, once.
const NEAR_EVENTS: u64 = 500;

/// What the keeper and the writer share of it.
#[derive(Debug, Default)]
pub(super) struct CountedAnew {
    /// Counts are a guess until the writer has taken better ones.
    wanted: AtomicBool,
    seq: AtomicU64,
    of: AtomicU64,
    is_ready: AtomicBool,
    /// More than the counts was another than the replay's.
    differs: AtomicBool,
    state: Mutex<Option<State>>,
}

impl CountedAnew {
    /// Whether the present counts are a guess.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// Whether the present state may be kept: neither a guess nor another than its log makes.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.is_wanted() && !self.differs.load(Ordering::Acquire)
    }

    /// The state is not what a replay of its log makes.
    pub(super) fn differ(&self) {
        self.differs.store(true, Ordering::Release);
    }

    pub(super) fn words(&self) -> Option<String> {
        if self.differs.load(Ordering::Acquire) {
            return Some("the state is not what a replay of its log makes: start anew".to_owned());
        }
        let (seq, of) = (self.seq.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed));
        self.is_wanted().then(|| {
            format!(
                "counts of before this version are counted anew, {seq} of {of} events; until then their base counts are a guess"
            )
        })
    }

    pub(super) fn give(&self, state: State) {
        *lock(&self.state) = Some(state);
        self.is_ready.store(true, Ordering::Release);
    }

    /// Taken once; from then on nothing is a guess.
    pub(super) fn take(&self) -> Option<State> {
        if !self.is_ready.swap(false, Ordering::AcqRel) {
            return None;
        }
        let state = lock(&self.state).take();
        self.wanted.store(false, Ordering::Release);
        state
    }
}

/// The replay on its way.
pub(super) struct Recount {
    state: State,
    /// Where the last state was kept, so that the next start goes on from there.
    kept: u64,
    /// Head of the log when it began: what is kept at its end is no older than any snapshot that is a guess, or that one
    /// would be begun from again.
    floor: u64,
    sections: &'static [state::Known],
}

impl Recount {
    pub(super) fn begin(
        log: &dyn Read,
        dir: &Path,
        genesis: &Genesis,
        sections: &'static [state::Known],
        said: &CountedAnew,
    ) -> Result<Self, LogError> {
        let head = log.head()?.seq;
        let state = replay::exact_start(log, dir, genesis, head, sections);
        said.of.store(head, Ordering::Relaxed);
        said.seq.store(state.seq, Ordering::Relaxed);
        said.wanted.store(true, Ordering::Release);
        tracing::info!(from = state.seq, to = head, "counts of before are a guess and are counted anew");
        Ok(Self { kept: state.seq, floor: head, state, sections })
    }

    /// Goes on by a page; true when it is as near to `head` as the writer wants it, and kept.
    pub(super) fn bite(
        &mut self,
        log: &dyn Read,
        dir: &Path,
        head: u64,
        said: &CountedAnew,
    ) -> Result<bool, StoreError> {
        // Nobody may have told the keeper of the head yet.
        let head = head.max(said.of.load(Ordering::Relaxed));
        let path = dir.join(DATABASE);
        for row in log.read(self.state.seq, READ_ROWS_MAX)? {
            row.follows(self.state.seq)?;
            self.state.apply(&replay::recorded(&row, &path, &log)?);
        }
        said.seq.store(self.state.seq, Ordering::Relaxed);
        said.of.store(head.max(self.state.seq), Ordering::Relaxed);
        let near = self.state.seq >= self.floor && self.state.seq + NEAR_EVENTS >= head;
        if near || self.state.seq >= self.kept + shelf::KEEP_EVERY {
            shelf::put(
                dir,
                &state::encode_as(log.epoch(), &self.state, self.sections),
                super::day_of(&self.state),
            )?;
            self.kept = self.state.seq;
        }
        Ok(near)
    }

    pub(super) fn into_state(self) -> State {
        self.state
    }
}
