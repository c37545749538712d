//! Laying out a history that somebody has at hand, closing by closing: for tools that make a store of their own.
//!
//! What should be here: batches and runs in the order of the log. What should not: where the cases come from.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use domain::case::Case;
use domain::code::CaseId;
use domain::whistle::Whistle;

use super::file::{Belongs, ViewsError};
use super::layout::{LAY_DOWN_BYTES, Layout};
use super::pace::Pace;
use super::run::RUN_ROWS_MAX;

/// What a case takes in the file, about.
const CASE_BYTES: usize = 1_024;

/// Takes closed cases and calls in the order of the log; nobody else may have the file open.
#[derive(Debug)]
pub struct Filler {
    layout: Layout,
    pace: Pace,
    waiting: Waiting,
    /// Everything up to here is laid out.
    covered: u64,
}

/// Closed cases on their way into the file.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) cases: Vec<Case>,
    pub(super) whistles: Vec<Arc<Whistle>>,
    pub(super) bytes: usize,
    /// Those that are laid down and in no run yet.
    pub(super) ids: BTreeSet<CaseId>,
    pub(super) again: BTreeSet<CaseId>,
}

impl Waiting {
    /// Takes in what one event changed.
    pub(super) fn note(&mut self, changes: domain::state::Changes) {
        if let Some(case) = changes.case.filter(|case| !case.is_open()) {
            self.closed(case);
        }
        if let Some(whistle) = changes.whistle.filter(|whistle| whistle.closed.is_some()) {
            self.bytes += CASE_BYTES;
            self.whistles.push(Arc::new(whistle));
        }
    }

    fn closed(&mut self, case: Case) {
        self.bytes += CASE_BYTES + case.report.description.len() + case.report.address.len();
        self.cases.push(case);
    }

    pub(super) fn is_a_bite(&self) -> bool {
        self.bytes >= LAY_DOWN_BYTES
    }

    pub(super) fn lay_down(&mut self, layout: &mut Layout) -> Result<(), ViewsError> {
        let done = layout.lay_down(&self.cases, &self.whistles)?;
        self.ids.extend(done.ids);
        self.again.extend(done.again);
        self.cases.clear();
        self.whistles.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Makes what is laid down a run, and says that its stretch is whole.
    pub(super) fn finish(
        &mut self,
        layout: &mut Layout,
        covers: (u64, u64),
        pace: &mut Pace,
    ) -> Result<Vec<CaseId>, ViewsError> {
        self.lay_down(layout)?;
        let ids: Vec<CaseId> = std::mem::take(&mut self.ids).into_iter().collect();
        layout.seal(&ids, &std::mem::take(&mut self.again), Some(covers), pace)?;
        Ok(ids)
    }
}

impl Filler {
    /// Begins where the file in `dir` ends; `head` is the last event of the log so far.
    pub fn open(dir: &Path, belongs: Belongs, head: u64) -> Result<Self, ViewsError> {
        let layout = Layout::open(dir, belongs, head)?.layout;
        let covered = layout.covered().newest();
        Ok(Self { layout, pace: Pace::full(), waiting: Waiting::default(), covered })
    }

    /// Takes in what the event with this sequence number changed.
    pub fn note(&mut self, seq: u64, changes: domain::state::Changes) -> Result<(), ViewsError> {
        self.waiting.note(changes);
        if self.waiting.is_a_bite() {
            self.waiting.lay_down(&mut self.layout)?;
        }
        if self.waiting.ids.len() >= RUN_ROWS_MAX {
            self.finish(seq)?;
        }
        Ok(())
    }

    /// Everything up to `head` was given.
    pub fn finish(&mut self, head: u64) -> Result<(), ViewsError> {
        self.waiting.finish(&mut self.layout, (self.covered, head), &mut self.pace)?;
        self.covered = head;
        Ok(())
    }
}
