//! Building what is missing: from a kept state through the log, piece by piece.
//!
//! What should be here: where a build begins and where it can be cut. What should not: what is written (`layout`).

use std::sync::atomic::Ordering;

use super::{LOOK_EVERY, Work};
use crate::views::file::ViewsError;
use crate::views::fill::Waiting;

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
        let mut piece = Waiting::default();
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
            if piece.is_a_bite() {
                piece.lay_down(&mut self.layout)?;
            }
            if piece.ids.len() + piece.cases.len() >= self.settings.piece_cases && state.seq > from {
                self.finish(&mut piece, (from, state.seq.min(high)))?;
                from = state.seq;
            }
            self.pace.breathe();
            if self.looked.elapsed() >= LOOK_EVERY {
                self.absorb(false)?;
                self.seal()?;
                self.say_progress();
            }
        }
        if state.seq >= high {
            self.finish(&mut piece, (from, high))?;
        }
        Ok(true)
    }

    fn finish(&mut self, piece: &mut Waiting, covers: (u64, u64)) -> Result<(), ViewsError> {
        let ids = piece.finish(&mut self.layout, covers, &mut self.pace)?;
        self.publish(&ids);
        self.say_progress();
        Ok(())
    }
}
