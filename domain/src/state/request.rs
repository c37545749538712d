//! New due times of a disposal that was extended or resumed, and suspensions that end by themselves.
//!
//! A due time follows from where a clock began, how much counts and when it stood still, never from the due time before: so the calendar
//! in force holds for all of it, and the limit keeps its own unit.

use super::replan::reached;
use super::{State, start};
use crate::case::event::Replanned;
use crate::case::request::Part;
use crate::case::{Case, CaseEvent, Step, Stepped};
use crate::clock::{Alarm, Clock, ClockOf, Deadline, Phase, Subject};
use crate::event::Event;
use crate::moment::UtcMillis;

/// What a step's part in a request does to due times: none where it moves none.
pub(super) fn moved(state: &State, case: &Case, step: Step, now: UtcMillis) -> Option<Event> {
    // A part that is overdue stays so: the fact of lateness is kept, whatever the whole is given.
    let counts = |clock: &&Clock| step.part.moves(clock.of) && clock.phase != Phase::Overdue;
    let clocks = case.running().filter(counts).filter_map(|clock| {
        let mut turned = clock.clone();
        step.part.turn(&mut turned, now);
        // One that cannot be told stays what it was.
        let anew = match turned.limit {
            Some(_) => start::anew(state.in_force(), &turned)?,
            None => shifted(&turned)?,
        };
        let phase = clock.phase.min(reached(&anew, now));
        let (of, was) = (clock.of, clock.due);
        let (nearing, due, provisional) = (anew.nearing, anew.due, anew.provisional);
        Some(Replanned { of, was, nearing, due, phase, provisional })
    });
    let clocks: Vec<Replanned> = clocks.collect();
    let planned = state.in_force().version;
    (!clocks.is_empty()).then_some(Event::Case(case.id, CaseEvent::Replanned { planned, clocks }))
}

/// A clock of which only the due time is known, later by as long as it stood still last.
fn shifted(clock: &Clock) -> Option<Clock> {
    let pause = clock.paused.last()?;
    let ms = pause.to?.since(pause.from);
    Some(Clock { nearing: clock.nearing.plus(ms), due: clock.due.plus(ms), ..clock.clone() })
}

/// What happens instead of an alarm when a suspension has run out: the case is resumed.
pub(super) fn resumed(state: &State, deadline: &Deadline, now: UtcMillis) -> Option<Vec<Event>> {
    let (_, Alarm::Due, Subject::Case(id), ClockOf::Suspension) = deadline else { return None };
    let case = state.cases.get(id)?;
    let step = Step::all().find(|step| step.part == Part::Resumes)?;
    let stepped = Stepped { step, note: String::new(), department: None, started: Vec::new() };
    let resumed = Event::Case(*id, CaseEvent::Stepped(stepped));
    Some(std::iter::once(resumed).chain(moved(state, case, step, now)).collect())
}
