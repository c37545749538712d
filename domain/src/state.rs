//! The state of the hall and the two functions that change it: `decide` may refuse, `apply` cannot fail.
//!
//! What should be here: open cases, open whistles, tallies, deadlines. What should not: closed cases (the store
//! has them), how events are kept, who is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::adoption::{InForce, ListInForce, Took};
use crate::case::{Case, CaseEvent};
use crate::catalogue::Catalogue;
use crate::clock::{Deadline, Subject};
use crate::code::{CaseId, WhistleId};
use crate::event::{DeadlineEvent, Event, HallEvent, PolicyEvent, Recorded};
use crate::moment::{Date, UtcMillis, UtcOffset};
use crate::policy::Policy;
use crate::tally::{Counted, Measure, Tally, TallyKey};
use crate::whistle::Whistle;

mod adopt;
mod alone;
mod belongs;
mod cameras;
mod check;
mod counts;
mod days;
mod decide;
mod define;
mod hands;
mod kept;
pub mod replan;
mod request;
mod seen;
mod start;
mod steps;
mod whistles;

pub use alone::Alone;
pub use counts::Recounted;
pub use decide::decide;
pub use hands::{Sender, decide_for};
pub use kept::Kept;

/// Everything the rules need to know, rebuilt from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The policy the rules follow. It comes from the log alone.
    in_force: InForce,
    /// The list of cameras adopted last; none before the first.
    cameras: Option<ListInForce>,
    /// Open cases that the policy in force gives other due times or other areas, by [`replan::place`]. They follow by events.
    stale: BTreeSet<(UtcMillis, CaseId)>,
    /// Open whistle calls that lie in other areas by the policy in force. They follow by events.
    stale_whistles: BTreeSet<WhistleId>,
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
            in_force: InForce::genesis(Arc::new(policy.clone())),
            cameras: None,
            stale: BTreeSet::new(),
            stale_whistles: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            seq: 0,
            today: Date::from_days(0),
            offset: policy.utc_offset_minutes,
            last_case: 0,
            last_whistle: 0,
            numbers_of_days: BTreeMap::new(),
        }
    }

    /// The largest numbers that a case and a whistle call have been given; 0 where there was none.
    #[must_use]
    pub fn last_numbers(&self) -> (u64, u64) {
        (self.last_case, self.last_whistle)
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
            Event::Case(id, event) => self.apply_case(*id, event, recorded, &mut changes),
            Event::Whistle(id, event) => self.apply_whistle(*id, event, recorded, &mut changes),
            Event::Deadline(event) => self.apply_deadline(event, &mut changes),
            Event::Policy(PolicyEvent::Defined { entries }) => self.define(entries),
            Event::Policy(PolicyEvent::Adopted(adopted)) => self.take_in(adopted, Took::of(recorded)),
            Event::Hall(HallEvent::DayTurned { date }) => self.turn_day(*date, &mut changes),
            Event::Hall(HallEvent::CamerasAdopted(adopted)) => {
                self.take_cameras(adopted, Took::of(recorded));
            }
        }
        changes
    }

    fn apply_case(&mut self, id: CaseId, event: &CaseEvent, recorded: &Recorded, changes: &mut Changes) {
        match event {
            CaseEvent::Reported { number, report, area_path, seen } => {
                let case = steps::reported(id, number, report, area_path, *seen);
                self.enter(case, recorded, changes);
            }
            CaseEvent::TakenOver { number, report, area_path, history, started } => {
                let past = steps::Past { history, started, recorded };
                let case = steps::taken_over(id, number, report, area_path, &past);
                self.enter(case, recorded, changes);
            }
            CaseEvent::Stepped(stepped) => {
                self.change(id, recorded.seq, changes, |case| steps::take(case, stepped, recorded));
            }
            CaseEvent::Claimed => self.change(id, recorded.seq, changes, |case| {
                case.claimed_by = Some(recorded.by.name.clone());
                Vec::new()
            }),
            // A note changes nothing but the time line, and how many it holds.
            CaseEvent::Noted { .. } => self.change(id, recorded.seq, changes, |case| {
                case.notes = case.notes.saturating_add(1);
                Vec::new()
            }),
            CaseEvent::FileAttached(_) => self.change(id, recorded.seq, changes, |case| {
                case.files = case.files.saturating_add(1);
                Vec::new()
            }),
            CaseEvent::Replanned { planned, clocks } => self.change(id, recorded.seq, changes, |case| {
                replan::replan(case, *planned, clocks);
                Vec::new()
            }),
            CaseEvent::Moved { area_path } => self.change(id, recorded.seq, changes, |case| {
                case.area_path.clone_from(area_path);
                Vec::new()
            }),
        }
    }

    /// A case begins here.
    fn enter(&mut self, case: Case, recorded: &Recorded, changes: &mut Changes) {
        self.last_case = self.last_case.max(case.id.0);
        self.count_number(recorded.at.local(self.offset).date);
        let of = counted(&case);
        for (measure, at) in steps::entry_flows(&case) {
            self.count_flow_of(&of, measure, at, changes);
        }
        for (stage, delta, at) in steps::entry_moves(&case, recorded) {
            self.count_move_of(&of, (stage, delta), at, changes);
        }
        for measure in standing(&case) {
            self.tally.shift(measure, 1, &of, &mut changes.tally);
        }
        if case.is_open() && replan::is_stale(self, &case) {
            self.stale.insert(replan::place(&case));
        }
        self.keep(case, recorded.seq, changes);
    }

    fn apply_deadline(&mut self, event: &DeadlineEvent, changes: &mut Changes) {
        let DeadlineEvent { alarm, of, subject, due } = event;
        match subject {
            Subject::Case(id) => self.change(*id, self.seq, changes, |case| {
                let clock = case.clocks.iter_mut().find(|clock| clock.is_running() && clock.of == *of);
                if let Some(clock) = clock.filter(|clock| clock.due == *due) {
                    clock.phase = clock.phase.max(alarm.phase());
                }
                Vec::new()
            }),
            Subject::Whistle(id, department) => self.miss_response(*id, department, *due, changes),
        }
    }

    /// Changes an open case, and with it its deadlines and what it is counted in. `how` says what is counted besides, and
    /// when it happened.
    fn change(
        &mut self,
        id: CaseId,
        seq: u64,
        changes: &mut Changes,
        how: impl FnOnce(&mut Case) -> Vec<(Measure, UtcMillis)>,
    ) {
        // A closed case is in no state any more: a deadline of one that was closed in the same instant says nothing.
        let Some(mut case) = self.cases.remove(&id) else { return };
        let (stood, was) = (standing(&case), counted(&case));
        for deadline in deadlines_of(&case) {
            self.deadlines.remove(&deadline);
        }
        let waited = case.stage;
        let was_stale = !self.stale.is_empty() && self.stale.remove(&replan::place(&case));
        let flows = how(&mut case);
        let (stands, is) = (standing(&case), counted(&case));
        for (measure, at) in flows {
            self.count_flow_of(&is, measure, at, changes);
        }
        // Nothing but a step takes a case out of its stage.
        if let Some(at) = case.steps.last().map(|taken| taken.at)
            && (case.stage != waited || !case.is_open())
        {
            self.count_move_of(&was, (waited, -1), at, changes);
            let came = case.is_open().then_some((case.stage, 1));
            came.into_iter().for_each(|came| self.count_move_of(&is, came, at, changes));
        }
        // What was counted is taken back where it was counted: the change may have moved the case to another area or class.
        let moved = was != is;
        for measure in stood.iter().filter(|measure| moved || !stands.contains(measure)) {
            self.tally.shift(*measure, -1, &was, &mut changes.tally);
        }
        for measure in stands.iter().filter(|measure| moved || !stood.contains(measure)) {
            self.tally.shift(*measure, 1, &is, &mut changes.tally);
        }
        if was_stale && case.is_open() && replan::is_stale(self, &case) {
            self.stale.insert(replan::place(&case));
        }
        self.keep(case, seq, changes);
    }

    fn keep(&mut self, mut case: Case, seq: u64, changes: &mut Changes) {
        case.version = seq;
        changes.case = Some(case.clone());
        if case.is_open() {
            self.deadlines.extend(deadlines_of(&case));
            self.cases.insert(case.id, case);
        }
    }
}

/// The state measures an open case is counted in: that it is open, its stage, and what its running clocks make of it.
/// Nothing once it is closed.
fn standing(case: &Case) -> Vec<Measure> {
    if !case.is_open() {
        return Vec::new();
    }
    let clocks = case.running().filter_map(|clock| Measure::of_clock(clock.of, clock.phase));
    [Measure::Open, Measure::At(case.stage)].into_iter().chain(clocks).collect()
}

fn counted(case: &Case) -> Counted {
    Counted {
        areas: case.area_path.clone(),
        source: Some(case.report.source.clone()),
        class: Some(case.report.class.clone()),
        base: i64::from(case.report.base_count),
    }
}

/// The deadlines an open case has running.
fn deadlines_of(case: &Case) -> impl Iterator<Item = Deadline> + '_ {
    let id = case.id;
    case.running().flat_map(move |clock| {
        let of = clock.of;
        clock.alarms().map(move |(at, alarm)| (at, alarm, Subject::Case(id), of))
    })
}

#[cfg(test)]
mod adopt_tests;
#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod loop_tests;
#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod defect_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod side_tests;
#[cfg(test)]
pub(crate) mod tests;
