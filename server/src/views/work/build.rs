//! Building what is missing: from a kept state through the log, piece by piece.
//!
//! What should be here: where a build begins and where it can be cut. What should not: what is written (`layout`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::case::Case;
use domain::code::CaseId;
use domain::whistle::Whistle;

use super::{LOOK_EVERY, Work};
use crate::views::file::ViewsError;
use crate::views::layout::LAY_DOWN_BYTES;

/// Events of one page of the log.
const PAGE_EVENTS: usize = 2_000;

impl Work {
    /// Builds one piece of what is missing. Returns whether there was any.
    pub(super) fn build(&mut self) -> Result<bool, ViewsError> {
        let Some((low, high)) = self.layout.covered().gap(self.appended) else { return Ok(false) };
        self.begin_progress();
        let mut state = None;
        for mark in self.settings.source.marks()?.into_iter().filter(|mark| *mark < high) {
            state = self.settings.source.state_at(mark)?;
            if state.is_some() {
                break;
            }
        }
        let mut state = state.ok_or_else(|| ViewsError::Log("no state to begin from".to_owned()))?;
        let mut from = state.seq.max(low);
        let mut piece = Piece::default();
        while state.seq < high && !self.stop.load(Ordering::Relaxed) {
            let page = self.settings.source.read(state.seq, PAGE_EVENTS)?;
            if page.is_empty() {
                return Err(ViewsError::Log(format!("event {} is not there", state.seq + 1)));
            }
            for recorded in page.iter().take_while(|recorded| recorded.seq <= high) {
                let changes = state.apply(recorded);
                if recorded.seq > from {
                    piece.note(changes);
                }
            }
            if piece.bytes >= LAY_DOWN_BYTES {
                self.lay_down(&mut piece)?;
            }
            if piece.ids.len() + piece.cases.len() >= self.settings.piece_cases && state.seq > from {
                self.finish(&mut piece, (from, state.seq.min(high)))?;
                from = state.seq;
            }
            self.pace.breathe();
            if self.looked.elapsed() >= LOOK_EVERY {
                self.absorb(false)?;
                self.say_progress();
            }
        }
        if state.seq >= high {
            self.finish(&mut piece, (from, high))?;
        }
        Ok(true)
    }

    fn lay_down(&mut self, piece: &mut Piece) -> Result<(), ViewsError> {
        let done = self.layout.lay_down(&piece.cases, &piece.whistles)?;
        piece.ids.extend(done.ids);
        piece.again.extend(done.again);
        piece.cases.clear();
        piece.whistles.clear();
        piece.bytes = 0;
        Ok(())
    }

    fn finish(&mut self, piece: &mut Piece, covers: (u64, u64)) -> Result<(), ViewsError> {
        self.lay_down(piece)?;
        let ids: Vec<CaseId> = std::mem::take(&mut piece.ids).into_iter().collect();
        self.layout.seal(&ids, &std::mem::take(&mut piece.again), Some(covers), &mut self.pace)?;
        self.publish(&ids);
        self.say_progress();
        Ok(())
    }
}

/// Closed cases of a stretch on their way into the file.
#[derive(Default)]
struct Piece {
    cases: Vec<Case>,
    whistles: Vec<Arc<Whistle>>,
    bytes: usize,
    ids: BTreeSet<CaseId>,
    again: BTreeSet<CaseId>,
}

/// What a case takes in the file, about.
const CASE_BYTES: usize = 1_024;

impl Piece {
    fn note(&mut self, changes: domain::state::Changes) {
        if let Some(case) = changes.case.filter(|case| !case.is_open()) {
            self.bytes += CASE_BYTES + case.report.description.len() + case.report.address.len();
            self.cases.push(case);
        }
        if let Some(whistle) = changes.whistle.filter(|whistle| whistle.closed.is_some()) {
            self.bytes += CASE_BYTES;
            self.whistles.push(Arc::new(whistle));
        }
    }
}
