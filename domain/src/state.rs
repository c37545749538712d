//! The state of the hall and the two functions that change it: `decide` may refuse, `apply` cannot fail.
//!
//! What should be here: open cases, open whistles, tallies, deadlines. What should not: closed cases (the store
//! has them), how events are kept, who is connected.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, Phase, Stage};
use crate::catalogue::Catalogue;
use crate::code::{CaseId, WhistleId};
use crate::command::{DeadlineOf, Event, History, Recorded};
use crate::moment::{Date, UtcMillis, UtcOffset};
use crate::policy::Policy;
use crate::tally::{Counted, Measure, Tally, TallyKey};
use crate::whistle::Whistle;

mod belongs;
mod check;
mod days;
mod decide;
mod define;
mod whistles;

pub use decide::decide;
use whistles::counted_whistle;

/// Whether a deadline is about to pass or has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    Nearing,
    Due,
}

/// One entry of the ordered set of deadlines: when, what happens then, and for what.
pub type Deadline = (UtcMillis, Alarm, DeadlineOf);

/// Everything the rules need to know, rebuilt from the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Codes of the policy and those defined through events.
    pub catalogue: Catalogue,
    /// Open cases.
    pub cases: BTreeMap<CaseId, Case>,
    /// Open whistles.
    pub whistles: BTreeMap<WhistleId, Whistle>,
    pub tally: Tally,
    /// Cells of periods that `today` no longer keeps: they come back when the clock was ahead and is set right.
    aside: Tally,
    /// The last days turned to, the newest last; `aside` reaches back to the earliest of them.
    turns: Vec<Date>,
    /// All running deadlines in order; the timer sleeps until the first.
    pub deadlines: BTreeSet<Deadline>,
    /// Sequence number of the last event applied.
    pub seq: u64,
    /// The local day as the log knows it.
    pub today: Date,
    offset: UtcOffset,
    last_case: u64,
    last_whistle: u64,
    /// Last running number of each day for case numbers. The newest days are kept, and not the last alone: a clock
    /// that is set back must not give a number twice.
    numbers_of_days: BTreeMap<Date, u32>,
}

/// What one event changed, as it stands afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    pub case: Option<Case>,
    pub whistle: Option<Whistle>,
    /// Keys of cells that changed, possibly more than once.
    pub tally: Vec<TallyKey>,
}

impl State {
    /// The state before the first event.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            catalogue: policy.catalogue(),
            cases: BTreeMap::new(),
            whistles: BTreeMap::new(),
            tally: Tally::default(),
            aside: Tally::default(),
            turns: Vec::new(),
            deadlines: BTreeSet::new(),
            seq: 0,
            today: Date::from_days(0),
            offset: policy.utc_offset_minutes,
            last_case: 0,
            last_whistle: 0,
            numbers_of_days: BTreeMap::new(),
        }
    }

    /// Takes over the codes of a policy that was changed since the state was stored. Codes defined by events stay.
    pub fn adopt(&mut self, policy: &Policy) {
        let defined = std::mem::replace(&mut self.catalogue, policy.catalogue());
        for area in defined.area_order.iter().filter_map(|code| defined.areas.get(code)) {
            if !self.catalogue.areas.contains_key(&area.code) {
                self.catalogue.define(crate::catalogue::Entry::Area(area.clone()));
            }
        }
        let catalogue = &mut self.catalogue;
        for (code, class) in defined.classes {
            catalogue.classes.entry(code).or_insert(class);
        }
        for (code, source) in defined.sources {
            catalogue.sources.entry(code).or_insert(source);
        }
        for (code, department) in defined.departments {
            catalogue.departments.entry(code).or_insert(department);
        }
    }

    /// When the timer must next wake up for a deadline.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UtcMillis> {
        self.deadlines.first().map(|(at, ..)| *at)
    }

    /// Applies what happened. Cannot fail: `decide` has checked the command the event came from.
    pub fn apply(&mut self, recorded: &Recorded) -> Changes {
        debug_assert_eq!(recorded.seq, self.seq + 1, "events are applied in order and once");
        self.seq = recorded.seq;
        let mut changes = Changes::default();
        match &recorded.event {
            Event::CatalogueDefined { entries } => {
                entries.iter().cloned().for_each(|entry| self.catalogue.define(entry));
            }
            Event::DayTurned { date } => self.turn_day(*date, &mut changes),
            Event::WhistleRaised { .. } | Event::WhistleAnswered { .. } | Event::WhistleClosed { .. } => {
                self.apply_whistle(recorded, &mut changes);
            }
            Event::DeadlineNearing { of, due } => self.apply_alarm(of, *due, Alarm::Nearing, &mut changes),
            Event::DeadlinePassed { of, due } => self.apply_alarm(of, *due, Alarm::Due, &mut changes),
            Event::CaseReported { .. } | Event::CaseTakenOver { .. } => {
                let case = self.enter(recorded);
                self.count_entry(&case, &mut changes);
                self.keep(case, recorded.seq, &mut changes);
            }
            Event::CaseAccepted { case }
            | Event::CaseFiled { case, .. }
            | Event::CaseDispatched { case, .. }
            | Event::DisposalFinished { case, .. }
            | Event::FeedbackGiven { case, .. }
            | Event::CheckPassed { case, .. }
            | Event::CaseClosed { case, .. }
            | Event::CaseClaimed { case }
            | Event::CaseNoted { case, .. } => self.apply_step(*case, recorded, &mut changes),
        }
        changes
    }

    /// The case a report or a take-over makes.
    fn enter(&mut self, recorded: &Recorded) -> Case {
        let (id, number, report, area_path, seen, history, dispatch_clock) = match &recorded.event {
            Event::CaseReported { case, number, report, area_path, seen } => {
                (*case, number, report, area_path, *seen, None, None)
            }
            Event::CaseTakenOver { case, number, report, area_path, history, dispatch_clock } => {
                (*case, number, report, area_path, history.opened, Some(*history), *dispatch_clock)
            }
            _ => unreachable!("only called for the two events that make a case"),
        };
        self.last_case = self.last_case.max(id.0);
        self.count_number(recorded.at.local(self.offset).date);
        let stage = history.map_or(Stage::Accept, |history| history.stage);
        let stage =
            if history.is_some_and(|history| history.closed.is_some()) { Stage::Close } else { stage };
        Case {
            id,
            number: number.clone(),
            report: report.clone(),
            area_path: area_path.clone(),
            stage,
            reported: seen,
            stage_since: seen,
            filed: (stage > Stage::File).then_some(seen),
            dispatched: (stage > Stage::Dispatch).then_some(seen),
            closed: history.and_then(|history| history.closed),
            dispatch_clock,
            disposal_clock: history.and_then(|history| disposal_clock_taken_over(&history)),
            department: None,
            claimed_by: None,
            version: recorded.seq,
        }
    }

    fn count_entry(&mut self, case: &Case, changes: &mut Changes) {
        self.count_flow(case, Measure::Reported, case.reported, changes);
        if let Some(filed) = case.filed {
            self.count_flow(case, Measure::Filed, filed, changes);
        }
        if let Some(dispatched) = case.dispatched {
            self.count_flow(case, Measure::Dispatched, dispatched, changes);
        }
        if let Some(closed) = case.closed {
            self.count_flow(case, Measure::Closed, closed, changes);
        } else {
            self.move_standing([None; 3], case, changes);
        }
    }

    fn apply_step(&mut self, id: CaseId, recorded: &Recorded, changes: &mut Changes) {
        let Some(mut case) = self.cases.remove(&id) else {
            debug_assert!(false, "decide lets only steps of open cases pass");
            return;
        };
        let before = standing(&case);
        self.forget_deadlines(&case);
        let at = recorded.at;
        let mut flows: Vec<Measure> = Vec::new();
        match &recorded.event {
            Event::CaseClaimed { .. } => case.claimed_by = Some(recorded.actor.clone()),
            Event::CaseAccepted { .. } => enter_stage(&mut case, Stage::File, at),
            Event::CaseFiled { dispatch_clock, .. } => {
                case.filed = Some(at);
                case.dispatch_clock = Some(*dispatch_clock);
                enter_stage(&mut case, Stage::Dispatch, at);
                flows.push(Measure::Filed);
            }
            Event::CaseDispatched { department, disposal_clock, .. } => {
                case.dispatched = Some(at);
                case.department = Some(department.clone());
                case.disposal_clock = Some(*disposal_clock);
                enter_stage(&mut case, Stage::Dispose, at);
                flows.push(Measure::Dispatched);
                if case.dispatch_clock.is_some_and(|clock| at > clock.due) {
                    flows.push(Measure::DispatchedLate);
                }
            }
            Event::DisposalFinished { .. } => enter_stage(&mut case, Stage::Feedback, at),
            Event::FeedbackGiven { .. } => enter_stage(&mut case, Stage::Check, at),
            Event::CheckPassed { .. } => enter_stage(&mut case, Stage::Close, at),
            Event::CaseClosed { .. } => {
                case.closed = Some(at);
                flows.push(Measure::Closed);
            }
            // A note changes nothing but the time line.
            _ => {}
        }
        for measure in flows {
            self.count_flow(&case, measure, at, changes);
        }
        self.move_standing(before, &case, changes);
        self.keep(case, recorded.seq, changes);
    }

    fn apply_alarm(&mut self, of: &DeadlineOf, due: UtcMillis, alarm: Alarm, changes: &mut Changes) {
        let phase = match alarm {
            Alarm::Nearing => Phase::Nearing,
            Alarm::Due => Phase::Overdue,
        };
        match of {
            DeadlineOf::Dispatch(id) | DeadlineOf::Disposal(id) => {
                let Some(mut case) = self.cases.remove(id) else { return };
                let before = standing(&case);
                self.forget_deadlines(&case);
                let clock = match of {
                    DeadlineOf::Dispatch(_) => &mut case.dispatch_clock,
                    DeadlineOf::Disposal(_) | DeadlineOf::Response(..) => &mut case.disposal_clock,
                };
                if let Some(clock) = clock.as_mut().filter(|clock| clock.due == due) {
                    clock.phase = clock.phase.max(phase);
                }
                self.move_standing(before, &case, changes);
                self.keep(case, self.seq, changes);
            }
            DeadlineOf::Response(id, department) => {
                self.deadlines.remove(&(due, alarm, of.clone()));
                let Some(mut whistle) = self.whistles.remove(id) else { return };
                if let Some(called) =
                    whistle.called.iter_mut().find(|called| called.department == *department)
                {
                    called.late = true;
                    self.tally.shift(Measure::WhistleLate, 1, &counted_whistle(&whistle), &mut changes.tally);
                }
                self.keep_whistle(whistle, self.seq, changes);
            }
        }
    }

    fn keep(&mut self, mut case: Case, seq: u64, changes: &mut Changes) {
        case.version = seq;
        changes.case = Some(case.clone());
        if case.is_open() {
            self.deadlines.extend(deadlines_of(&case));
            self.cases.insert(case.id, case);
        }
    }

    fn forget_deadlines(&mut self, case: &Case) {
        for deadline in deadlines_of(case) {
            self.deadlines.remove(&deadline);
        }
    }

    /// Counts a case that stood for `before` as what it stands for now. Cells that stay are not touched.
    fn move_standing(&mut self, before: Standing, case: &Case, changes: &mut Changes) {
        let after = standing(case);
        let of = counted(case);
        for measure in before.into_iter().flatten().filter(|measure| !after.contains(&Some(*measure))) {
            self.tally.shift(measure, -1, &of, &mut changes.tally);
        }
        for measure in after.into_iter().flatten().filter(|measure| !before.contains(&Some(*measure))) {
            self.tally.shift(measure, 1, &of, &mut changes.tally);
        }
    }

    fn count_flow(&mut self, case: &Case, measure: Measure, at: UtcMillis, changes: &mut Changes) {
        self.count_flow_of(&counted(case), measure, at, changes);
    }
}

/// The state measures a case is counted in.
type Standing = [Option<Measure>; 3];

/// What a case stands for now; nothing once it is closed.
fn standing(case: &Case) -> Standing {
    if !case.is_open() {
        return [None; 3];
    }
    let clock = case.running_clock().and_then(|(stage, clock)| match (stage, clock.phase) {
        (Stage::Dispatch, Phase::Nearing) => Some(Measure::NearingDispatch),
        (Stage::Dispatch, Phase::Overdue) => Some(Measure::OverdueDispatch),
        (Stage::Dispose, Phase::Overdue) => Some(Measure::OverdueDisposal),
        _ => None,
    });
    [Some(Measure::Open), Some(Measure::At(case.stage)), clock]
}

fn enter_stage(case: &mut Case, stage: Stage, at: UtcMillis) {
    case.stage = stage;
    case.stage_since = at;
}

fn counted(case: &Case) -> Counted<'_> {
    Counted { areas: &case.area_path, source: Some(&case.report.source), class: Some(&case.report.class) }
}

/// The deadlines an open case has running.
fn deadlines_of(case: &Case) -> Vec<Deadline> {
    let Some((stage, clock)) = case.running_clock() else { return Vec::new() };
    let of = match stage {
        Stage::Dispatch => DeadlineOf::Dispatch(case.id),
        _ => DeadlineOf::Disposal(case.id),
    };
    let nearing = (clock.nearing, Alarm::Nearing, of.clone());
    let due = (clock.due, Alarm::Due, of);
    match clock.phase {
        Phase::Running => vec![nearing, due],
        Phase::Nearing => vec![due],
        Phase::Overdue => Vec::new(),
    }
}

fn disposal_clock_taken_over(history: &History) -> Option<crate::case::Clock> {
    let due = history.due?;
    Some(crate::case::Clock {
        started: history.opened,
        nearing: due,
        due,
        limit: None,
        phase: Phase::Running,
    })
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
