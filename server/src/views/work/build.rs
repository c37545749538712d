//! Building what is missing, the newest first: from a kept state through the log, or each case of its own events.
//!
//! What should be here: where a build begins and where it can be cut. What should not: what is written (`layout`).

use std::sync::atomic::Ordering;

use domain::case::CaseEvent;
use domain::event::Event;
use domain::state::{Changes, State};
use domain::whistle::WhistleEvent;

use super::{LOOK_EVERY, Work};
use crate::log::Subject;
use crate::views::file::ViewsError;
use crate::views::fill::Waiting;

/// Events of one page of the log.
const PAGE_EVENTS: usize = 2_000;
/// Events that are replayed without ado for a state to begin from.
const STATE_IS_WORTH: u64 = 200_000;

impl Work {
    /// Builds one piece of what is missing. Returns whether there was any.
    pub(super) fn build(&mut self) -> Result<bool, ViewsError> {
        let Some((low, high)) = self.layout.covered().gap(self.appended) else { return Ok(false) };
        self.begin_progress();
        match self.state_near(low, high)? {
            Some(state) => self.replay(state, (low, high))?,
            None => self.make_each(low.max(high.saturating_sub(self.settings.stretch_events)), high)?,
        }
        Ok(true)
    }

    /// The newest kept state before what is missing, unless replaying from there would take much longer than making every
    /// closed case of its own events: a store of before has few states, and its newest month must not wait for all others.
    fn state_near(&self, low: u64, high: u64) -> Result<Option<State>, ViewsError> {
        for mark in self.settings.source.marks()?.into_iter().filter(|mark| *mark < high) {
            let beside = low.saturating_sub(mark);
            if high - mark > self.settings.replay_events || beside > (high - low).max(STATE_IS_WORTH) {
                return Ok(None);
            }
            if let Some(state) = self.settings.source.state_at(mark)? {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    /// Lays a stretch out, each closed case and call made of its own events.
    fn make_each(&mut self, low: u64, high: u64) -> Result<(), ViewsError> {
        let mut piece = Waiting::default();
        let mut stand = low;
        while stand < high && !self.stop.load(Ordering::Relaxed) {
            let page = self.settings.source.read(stand, PAGE_EVENTS)?;
            let Some(last) = page.last() else { return Err(is_not_there(stand + 1)) };
            stand = last.seq;
            for recorded in page.iter().take_while(|recorded| recorded.seq <= high) {
                if let Some(subject) = closes(&recorded.event) {
                    let alone = self.settings.source.alone(subject, recorded.seq)?;
                    let (case, whistle) = (alone.case().cloned(), alone.whistle().cloned());
                    piece.note(Changes { case, whistle, tally: Vec::new() });
                }
            }
            if piece.is_a_bite() {
                piece.lay_down(&mut self.layout)?;
            }
            self.between_pages()?;
        }
        if stand >= high { self.finish(&mut piece, (low, high)) } else { Ok(()) }
    }

    /// What is due between two pages of a build.
    fn between_pages(&mut self) -> Result<(), ViewsError> {
        self.pace.breathe();
        if self.looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.absorb(false)?;
        self.seal()?;
        self.say_progress();
        Ok(())
    }

    /// Lays out what is missing after a state.
    fn replay(&mut self, mut state: State, (low, high): (u64, u64)) -> Result<(), ViewsError> {
        let mut from = state.seq.max(low);
        let mut piece = Waiting::default();
        while state.seq < high && !self.stop.load(Ordering::Relaxed) {
            let page = self.settings.source.read(state.seq, PAGE_EVENTS)?;
            if page.is_empty() {
                return Err(is_not_there(state.seq + 1));
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
            self.between_pages()?;
        }
        if state.seq >= high { self.finish(&mut piece, (from, high)) } else { Ok(()) }
    }

    fn finish(&mut self, piece: &mut Waiting, covers: (u64, u64)) -> Result<(), ViewsError> {
        let ids = piece.finish(&mut self.layout, covers, &mut self.pace)?;
        self.publish(&ids);
        self.say_progress();
        Ok(())
    }
}

fn is_not_there(seq: u64) -> ViewsError {
    ViewsError::Log(format!("event {seq} is not there"))
}

/// What an event closes.
fn closes(event: &Event) -> Option<Subject> {
    match event {
        Event::Case(id, CaseEvent::Stepped(stepped)) => stepped.step.closes().then_some(Subject::Case(id.0)),
        Event::Case(id, CaseEvent::TakenOver { history, .. }) => history.closed.map(|_| Subject::Case(id.0)),
        Event::Whistle(id, WhistleEvent::Closed { .. }) => Some(Subject::Whistle(id.0)),
        Event::Case(
            _,
            CaseEvent::Reported { .. }
            | CaseEvent::Claimed
            | CaseEvent::Noted { .. }
            | CaseEvent::FileAttached(_)
            | CaseEvent::Replanned { .. }
            | CaseEvent::Moved { .. },
        )
        | Event::Whistle(
            _,
            WhistleEvent::Raised { .. } | WhistleEvent::Answered { .. } | WhistleEvent::Moved { .. },
        )
        | Event::Deadline(_)
        | Event::Policy(_)
        | Event::Hall(_) => None,
    }
}
