//! Replanning (改期): after another policy has come into force, running clocks get the due times it gives them, and open
//! cases and whistle calls the areas they lie in by it, each by an event.
//!
//! A limit stays what it was when its clock began, and so do extensions and pauses; the calendar and the forecast window are those
//! in force. Clocks that have stopped are facts. Alarms that passed under the old due time are taken back where the new one has not come yet.

use super::{State, start};
use crate::case::event::Replanned;
use crate::case::{Case, CaseEvent};
use crate::clock::{Clock, Phase, Subject};
use crate::code::{AreaCode, CaseId};
use crate::event::Event;
use crate::moment::UtcMillis;
use crate::whistle::{Whistle, WhistleEvent};

/// Clocks replanned and calls moved by one command: the city's commands go on between them.
pub const CLOCKS_PER_COMMAND_MAX: usize = 500;

/// Where a case stands in the queue of those to be replanned: first whose clock ends first.
pub(super) fn place(case: &Case) -> (UtcMillis, CaseId) {
    let first = case.running().map(|clock| clock.due).min();
    (first.unwrap_or(UtcMillis(i64::MAX)), case.id)
}

/// Whether the policy in force gives a case other due times or other areas than it has.
pub(super) fn is_stale(state: &State, case: &Case) -> bool {
    is_elsewhere(state, case) || case.running().any(|clock| planned_anew(state, clock).is_some())
}

fn is_elsewhere(state: &State, case: &Case) -> bool {
    lies_elsewhere(state, &case.report.area, &case.area_path)
}

/// Whether the policy in force has a call in other areas than it lies in.
pub(super) fn is_call_elsewhere(state: &State, call: &Whistle) -> bool {
    lies_elsewhere(state, &call.call.area, &call.area_path)
}

fn lies_elsewhere(state: &State, area: &AreaCode, path: &[AreaCode]) -> bool {
    // A code nobody knows any more, of an old log, lies where it lay.
    state.catalogue.areas.contains_key(area) && !state.catalogue.is_path(area, path)
}

/// The clock as the policy in force plans it, where that is another due time than it has.
fn planned_anew(state: &State, clock: &Clock) -> Option<Clock> {
    if clock.planned >= state.in_force.version {
        return None;
    }
    // A due time without a limit is another system's word; one of a clock that stands still is told when it goes on; one that cannot be
    // told stays what was promised.
    let anew = start::anew(&state.in_force, clock)?;
    let is_same = (anew.due, anew.nearing, anew.provisional) == (clock.due, clock.nearing, clock.provisional);
    (!is_same).then_some(anew)
}

impl State {
    /// Whether open cases or calls wait for being replanned.
    #[must_use]
    pub fn has_stale(&self) -> bool {
        !self.stale.is_empty() || !self.stale_whistles.is_empty()
    }

    /// How many running clocks `is_stale` would move, and how many cases and calls lie elsewhere: what an adoption sets going.
    #[must_use]
    pub fn to_replan(&self) -> ToReplan {
        let cases = self.stale.iter().filter_map(|(_, id)| self.cases.get(id));
        let mut all = ToReplan { whistles: self.stale_whistles.len(), ..ToReplan::default() };
        for case in cases {
            all.cases += usize::from(is_elsewhere(self, case));
            all.clocks += case.running().filter(|clock| planned_anew(self, clock).is_some()).count();
        }
        all
    }

    pub(super) fn is_stale(&self, subject: &Subject) -> bool {
        match subject {
            // Their limit is in minutes counted through, which no calendar moves.
            Subject::Whistle(..) => false,
            Subject::Case(id) => {
                !self.stale.is_empty()
                    && self.cases.get(id).is_some_and(|case| self.stale.contains(&place(case)))
            }
        }
    }
}

/// What waits for being replanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToReplan {
    /// Running clocks that get another due time.
    pub clocks: usize,
    /// Open cases that come to lie in other areas.
    pub cases: usize,
    /// Open whistle calls that do.
    pub whistles: usize,
}

impl ToReplan {
    /// Whether everything has followed.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// The events of the next cases in the queue, then of the next calls.
pub(super) fn batch(state: &State, now: UtcMillis) -> Vec<Event> {
    let (mut events, mut clocks) = (Vec::new(), 0);
    for case in state.stale.iter().filter_map(|(_, id)| state.cases.get(id)) {
        if clocks >= CLOCKS_PER_COMMAND_MAX {
            break;
        }
        clocks += case.running().count().max(1);
        events.extend(of_case(state, case, now));
    }
    let room = CLOCKS_PER_COMMAND_MAX.saturating_sub(clocks);
    let calls = state.stale_whistles.iter().filter_map(|id| state.whistles.get(id));
    events.extend(calls.take(room).filter_map(|call| of_whistle(state, call)));
    events
}

/// What has to happen to a call before anything else does; nothing where it lies as the policy in force has it.
pub(super) fn of_whistle(state: &State, call: &Whistle) -> Option<Event> {
    let area_path = state.stale_whistles.contains(&call.id).then(|| state.catalogue.path(&call.call.area))?;
    Some(Event::Whistle(call.id, WhistleEvent::Moved { area_path }))
}

/// What has to happen to a case before anything else does; nothing where it stands as the policy in force has it.
pub(super) fn of_case(state: &State, case: &Case, now: UtcMillis) -> Vec<Event> {
    let mut events = Vec::new();
    if !state.stale.contains(&place(case)) {
        return events;
    }
    if is_elsewhere(state, case) {
        let area_path = state.catalogue.path(&case.report.area);
        events.push(Event::Case(case.id, CaseEvent::Moved { area_path }));
    }
    let clocks = case.running().filter_map(|clock| {
        let anew = planned_anew(state, clock)?;
        Some(Replanned {
            of: clock.of,
            was: clock.due,
            nearing: anew.nearing,
            due: anew.due,
            // What has passed and is not passed any more; what passes anew is for the deadlines to say.
            phase: clock.phase.min(reached(&anew, now)),
            provisional: anew.provisional,
        })
    });
    let clocks: Vec<Replanned> = clocks.collect();
    if !clocks.is_empty() {
        let planned = state.in_force.version;
        events.push(Event::Case(case.id, CaseEvent::Replanned { planned, clocks }));
    }
    events
}

/// How far a clock has come by `now`.
pub(super) fn reached(clock: &Clock, now: UtcMillis) -> Phase {
    match now {
        now if now >= clock.due => Phase::Overdue,
        now if now >= clock.nearing => Phase::Nearing,
        _ => Phase::Running,
    }
}

/// A case's running clocks as they were replanned.
pub(super) fn replan(case: &mut Case, planned: u64, clocks: &[Replanned]) {
    for anew in clocks {
        let running = case.clocks.iter_mut().find(|clock| clock.is_running() && clock.of == anew.of);
        if let Some(clock) = running {
            let Replanned { of: _, was: _, nearing, due, phase, provisional } = *anew;
            (clock.nearing, clock.due, clock.phase) = (nearing, due, phase);
            (clock.provisional, clock.planned) = (provisional, planned);
        }
    }
}
