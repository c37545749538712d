//! Adoption and what follows: codes, replanning, areas; held against recounts written without the product's calendar.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{Desk, START, report};
use super::*;
use crate::adoption::PolicyHash;
use crate::case::{CaseEvent, Step};
use crate::catalogue::Class;
use crate::clock::calendar::{DayKind, Span};
use crate::clock::{Clock, ClockOf, Counts, Limit, LimitKind, Phase, Unit};
use crate::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::rejection::{PolicyProblem, Rejection};
use crate::tally::Period;
use crate::{command::Command, event::By};

mod areas;
mod weights;

impl Desk {
    pub(super) fn adopt(&mut self, policy: &Policy) -> Result<bool, Rejection> {
        let hash = PolicyHash([self.state.in_force().version as u8 + 1; 32]);
        let event = self.state.adopting(Arc::new(policy.clone()), hash, None)?;
        let Some(event) = event else { return Ok(false) };
        let recorded = Recorded { seq: self.state.seq + 1, at: self.now, by: By::named("周敏"), event };
        self.state.apply(&recorded);
        self.log.push(recorded);
        Ok(true)
    }

    fn replanned(&self) -> usize {
        let is = |recorded: &&Recorded| matches!(recorded.event, Event::Case(_, CaseEvent::Replanned { .. }));
        self.log.iter().filter(is).count()
    }

    fn alarms(&self, name: &str) -> usize {
        self.log.iter().filter(|recorded| recorded.event.name() == name).count()
    }

    /// A case of a class whose limit is one working day, at disposal.
    fn at_disposal(&mut self, class: &str) -> CaseId {
        self.send(Command::ReportCase { report: report("530102001", class), at: None }).unwrap();
        let id = self.last_case.id;
        for step in [Step::ACCEPT, Step::FILE] {
            self.send(step.take(id)).unwrap();
        }
        self.send(dispatch(id)).unwrap();
        id
    }

    fn replay(&self) -> State {
        let mut rebuilt = State::new(&self.policy);
        self.log.iter().for_each(|recorded| drop(rebuilt.apply(recorded)));
        rebuilt
    }
}

fn dispatch(id: CaseId) -> Command {
    Step::DISPATCH.take_for(id, "urban".parse().unwrap())
}

/// As [`Desk::new`], with a class whose disposal is a working day.
fn desk() -> Desk {
    let mut desk = Desk::new();
    let mut policy = desk.policy.clone();
    let limit = Some(Limit::new(1, LimitKind::WORK_DAY));
    policy.classes.push(Class {
        code: "W01".parse().unwrap(),
        disposal_limit: limit,
        ..policy.classes[0].clone()
    });
    desk.policy = policy;
    desk.state = State::new(&desk.policy);
    desk.log.clear();
    desk.send(Command::PassDeadlines).unwrap();
    desk
}

fn day_off(policy: &Policy, days: impl IntoIterator<Item = i64>) -> Policy {
    let mut policy = policy.clone();
    let today = START.local(policy.utc_offset_minutes).date;
    policy.calendar.exceptions.extend(days.into_iter().map(|day| (today.plus_days(day), DayKind::Off)));
    policy
}

/// When a limit runs out, counted minute by minute.
fn counted(policy: &Policy, clock: &Clock) -> UtcMillis {
    let limit = clock.limit.unwrap();
    let minutes = match limit.unit {
        Unit::Minute => 1,
        Unit::Hour => 60,
        Unit::Day if limit.counts == Counts::Through => 24 * 60,
        Unit::Day => i64::from(policy.calendar.work_day_minutes),
    };
    let (mut left, mut at) = (i64::from(limit.amount) * minutes, clock.started);
    let offset = i64::from(policy.utc_offset_minutes.0) * MINUTE_MS;
    let works = |at: UtcMillis| {
        let local = at.0 + offset;
        let (day, minute) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS) / MINUTE_MS);
        let is_work_day = match policy.calendar.exceptions.get(&Date::from_days(day)) {
            Some(DayKind::Work) => true,
            Some(DayKind::Off) => false,
            // 1970-01-01 was a Thursday.
            None => policy.calendar.weekdays.contains(&((day + 3).rem_euclid(7) as u8)),
        };
        is_work_day
            && policy.calendar.spans.iter().any(|span| (span.from as i64..span.to as i64).contains(&minute))
    };
    while left > 0 {
        if limit.counts == Counts::Through || works(at) {
            left -= 1;
        }
        at = at.plus(MINUTE_MS);
    }
    at
}

/// What every test ends with: due times as counted, deadlines those of the clocks, and a replay that is the same.
fn holds(desk: &Desk) {
    assert!(!desk.state.has_stale());
    let policy = desk.state.policy();
    let mut deadlines = BTreeSet::new();
    for case in desk.state.cases.values() {
        for clock in case.running().filter(|clock| clock.limit.is_some()) {
            assert_eq!(clock.due, counted(policy, clock), "{} of case {}", clock.of.key(), case.id);
        }
        deadlines.extend(deadlines_of(case));
    }
    let of_cases = |deadline: &&Deadline| matches!(deadline.2, Subject::Case(_));
    let kept: BTreeSet<Deadline> = desk.state.deadlines.iter().filter(of_cases).cloned().collect();
    assert_eq!(kept, deadlines);
    assert_eq!(desk.replay(), desk.state);
    assert_eq!(State::from(Kept::from(desk.state.clone())), desk.state, "a snapshot keeps everything");
}

#[test]
fn running_clocks_follow_an_adopted_calendar_and_fire_once_by_it() {
    let mut desk = desk();
    let id = desk.at_disposal("W01");
    let was = desk.state.cases[&id].clock(ClockOf::Disposal).unwrap().due;
    desk.adopt(&day_off(&desk.policy.clone(), [1, 2])).unwrap();
    assert_eq!(desk.state.to_replan().clocks, 1);
    desk.send(Command::PassDeadlines).unwrap();
    let clock = desk.state.cases[&id].clock(ClockOf::Disposal).unwrap().clone();
    assert_eq!((clock.due, clock.planned), (was.plus(2 * DAY_MS), 1));
    holds(&desk);
    desk.pass(2 * DAY_MS - HOUR_MS);
    assert_eq!(desk.alarms("deadline_passed"), 0, "the old due time is past and says nothing");
    desk.pass(DAY_MS + 2 * HOUR_MS);
    assert_eq!((desk.alarms("deadline_nearing"), desk.alarms("deadline_passed")), (1, 1));
    holds(&desk);
}

/// The timer slept over the old due time, the adoption and all: the first thing that happens is the replanning.
#[test]
fn nothing_passes_by_a_due_time_of_another_policy() {
    let mut desk = desk();
    let id = desk.at_disposal("W01");
    desk.adopt(&day_off(&desk.policy.clone(), [1, 2])).unwrap();
    desk.now = desk.now.plus(DAY_MS + HOUR_MS);
    desk.send(Command::PassDeadlines).unwrap();
    assert_eq!((desk.alarms("deadline_passed"), desk.replanned()), (0, 1));
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 0);
    assert_eq!(desk.state.cases[&id].clock(ClockOf::Disposal).unwrap().phase, Phase::Running);
    holds(&desk);
}

#[test]
fn a_step_is_judged_by_the_due_time_that_holds() {
    let mut desk = desk();
    let id = desk.at_disposal("W01");
    desk.adopt(&day_off(&desk.policy.clone(), [1, 2])).unwrap();
    desk.now = desk.now.plus(DAY_MS + HOUR_MS);
    desk.send(Step::DISPOSE.take_with(id, "清")).unwrap();
    assert!(!desk.last_case.last_step().unwrap().late, "two days were holidays");
    assert_eq!(desk.replanned(), 1);
    holds(&desk);
}

#[test]
fn an_alarm_that_came_too_early_is_taken_back_and_comes_again() {
    let mut desk = desk();
    let id = desk.at_disposal("W01");
    desk.pass(DAY_MS + HOUR_MS);
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 1);
    desk.adopt(&day_off(&desk.policy.clone(), [1, 2])).unwrap();
    desk.send(Command::PassDeadlines).unwrap();
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 0);
    holds(&desk);
    desk.pass(2 * DAY_MS);
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 1);
    let dues: BTreeSet<UtcMillis> = desk
        .log
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::Deadline(event) if event.alarm == crate::clock::Alarm::Due => Some(event.due),
            Event::Deadline(_) | Event::Case(..) | Event::Whistle(..) | Event::Policy(_) | Event::Hall(_) => {
                None
            }
        })
        .collect();
    assert_eq!(dues.len(), desk.alarms("deadline_passed"), "each due time once");
    let before = desk.replanned();
    // A calendar that knows nothing of the holidays again: what is past now stays past and says nothing twice.
    desk.adopt(&desk.policy.clone()).unwrap();
    desk.pass(HOUR_MS);
    assert_eq!((desk.replanned(), desk.alarms("deadline_passed")), (before + 1, 2));
    assert_eq!(desk.state.cases[&id].clock(ClockOf::Disposal).unwrap().phase, Phase::Overdue);
    holds(&desk);
}

#[test]
fn batches_leave_room_between_them_and_the_first_due_come_first() {
    let mut desk = desk();
    let ids: Vec<CaseId> = (0..700).map(|_| desk.at_disposal("W01")).collect();
    desk.adopt(&day_off(&desk.policy.clone(), [1, 2])).unwrap();
    desk.send(Command::PassDeadlines).unwrap();
    assert_eq!(desk.replanned(), replan::CLOCKS_PER_COMMAND_MAX);
    assert!(desk.state.has_stale());
    desk.send(Step::DISPOSE.take_with(ids[699], "清")).unwrap();
    desk.send(Command::PassDeadlines).unwrap();
    assert_eq!(desk.replanned(), 700);
    holds(&desk);
}

#[test]
fn a_code_the_policy_no_longer_has_is_readable_and_refused_for_what_is_new() {
    let mut desk = desk();
    let id = desk.at_disposal("P01");
    let mut policy = desk.policy.clone();
    policy.classes.retain(|class| class.code.as_str() != "P01");
    policy.areas.retain(|area| area.code.as_str() != "530103");
    desk.adopt(&policy).unwrap();
    let refused = |desk: &mut Desk, area: &str, class: &str| {
        desk.send(Command::ReportCase { report: report(area, class), at: None }).unwrap_err().code()
    };
    assert_eq!(refused(&mut desk, "530102", "P01"), "retired_code");
    assert_eq!(refused(&mut desk, "530103", "E01"), "retired_code");
    assert!(desk.state.catalogue.classes[&"P01".parse().unwrap()].retired);
    desk.send(Step::DISPOSE.take_with(id, "清")).unwrap();
    // A second adoption knows nothing of them at all, and they stay retired; a third has one back.
    policy.forecast_minutes = 20;
    desk.adopt(&policy).unwrap();
    assert_eq!(refused(&mut desk, "530102", "P01"), "retired_code");
    let again = desk.policy.clone();
    desk.adopt(&again).unwrap();
    desk.send(Command::ReportCase { report: report("530103", "P01"), at: None }).unwrap();
    holds(&desk);
}

#[test]
fn a_policy_that_would_break_what_was_counted_or_what_stays_readable_is_refused() {
    let mut desk = desk();
    let refused = |desk: &mut Desk, change: &dyn Fn(&mut Policy)| {
        let mut policy = desk.policy.clone();
        change(&mut policy);
        match desk.adopt(&policy) {
            Err(Rejection::PolicyRefused { problem }) => problem,
            other => panic!("{other:?}"),
        }
    };
    let offset = refused(&mut desk, &|policy| policy.utc_offset_minutes.0 = 60);
    assert_eq!(offset, PolicyProblem::Offset { is: 480, wanted: 60 });
    let unsound = refused(&mut desk, &|policy| policy.forecast_minutes = 0);
    assert!(matches!(unsound, PolicyProblem::Unsound(_)));
    // The street stays readable in a district that would become a grid.
    let level = refused(&mut desk, &|policy| {
        policy.areas.truncate(3);
        policy.areas[1].level = crate::catalogue::AreaLevel::Grid;
    });
    assert!(matches!(level, PolicyProblem::Level { area, .. } if area == "530102001"));
    assert_eq!(desk.state.in_force().version, 0);
    holds(&desk);
}

const AREAS: [&str; 4] = ["5301", "530102", "530103", "530102001"];

#[derive(Debug, Clone)]
enum Act {
    Report(usize, usize),
    Step(usize),
    Raise(usize),
    Respond(u64),
    CloseCall(u64),
    Pass(i64),
    Sleep(i64),
    Adopt { off: Vec<i64>, work: Vec<i64>, parent: bool, without: Option<usize>, until: u16 },
}

fn act() -> impl Strategy<Value = Act> {
    let adopt = (
        proptest::collection::vec(0..12i64, 0..4),
        proptest::collection::vec(0..12i64, 0..3),
        any::<bool>(),
        proptest::option::of(0..3usize),
        prop_oneof![Just(1_080u16), Just(1_020), Just(1_065)],
    );
    let adopt = adopt.prop_map(|(off, work, parent, without, until)| Act::Adopt {
        off,
        work,
        parent,
        without,
        until,
    });
    prop_oneof![
        3 => (0..4usize, 0..3usize).prop_map(|(area, class)| Act::Report(area, class)),
        6 => (0..12usize).prop_map(Act::Step),
        1 => (0..4usize).prop_map(Act::Raise),
        1 => (1..4u64).prop_map(Act::Respond),
        1 => (1..4u64).prop_map(Act::CloseCall),
        2 => (1..2_000i64).prop_map(Act::Pass),
        1 => (1..3_000i64).prop_map(Act::Sleep),
        2 => adopt,
    ]
}

proptest! {
    /// Method: any commands with any adoptions between them; afterwards every due time is recounted minute by minute, no due
    /// time of a clock has passed twice, and the log alone makes the same state.
    #[test]
    fn any_adoptions_among_any_commands_leave_what_the_log_says(acts in proptest::collection::vec(act(), 1..40)) {
        let mut desk = desk();
        let began = desk.policy.clone();
        for act in acts {
            match act {
                Act::Report(area, class) => {
                    let area = AREAS[area];
                    let _ = desk.send(Command::ReportCase { report: report(area, ["E01", "P01", "W01"][class]), at: None });
                }
                Act::Step(nth) => {
                    let found = desk.state.cases.values().nth(nth).map(|case| (case.id, case.stage));
                    if let Some((id, stage)) = found {
                        let step = Step::out_of(stage).unwrap();
                        let command = if step == Step::DISPATCH { dispatch(id) } else { step.take(id) };
                        desk.send(command).unwrap();
                    }
                }
                Act::Raise(area) => drop(desk.send(areas::call(AREAS[area]))),
                Act::Respond(call) => drop(desk.send(areas::respond(WhistleId(call)))),
                Act::CloseCall(call) => drop(desk.send(areas::close(WhistleId(call)))),
                Act::Pass(minutes) => desk.pass(minutes * MINUTE_MS),
                Act::Sleep(minutes) => desk.now = desk.now.plus(minutes * MINUTE_MS),
                Act::Adopt { off, work, parent, without, until } => {
                    let mut policy = began.clone();
                    let today = desk.now.local(policy.utc_offset_minutes).date;
                    let days = |days: Vec<i64>, kind| days.into_iter().map(move |day| (today.plus_days(day), kind));
                    policy.calendar.exceptions.extend(days(off, DayKind::Off));
                    policy.calendar.exceptions.extend(days(work, DayKind::Work));
                    policy.calendar.spans[1] = Span { from: 840, to: until };
                    if parent {
                        policy.areas[3].parent = Some("530103".parse().unwrap());
                    }
                    if let Some(without) = without {
                        policy.classes.remove(without);
                        policy.conditions.retain(|condition| policy.classes.iter().any(|class| class.code == condition.class));
                    }
                    desk.adopt(&policy).unwrap();
                }
            }
        }
        desk.pass(MINUTE_MS);
        while desk.state.has_stale() {
            desk.send(Command::PassDeadlines).unwrap();
        }
        holds(&desk);
        for call in desk.state.whistles.values() {
            prop_assert_eq!(&call.area_path, &desk.state.catalogue.path(&call.call.area));
        }
        areas::holds(&desk);
        let mut open = 0;
        for case in desk.state.cases.values() {
            open += 1;
            for clock in case.running() {
                let reached = match desk.now {
                    now if now >= clock.due => Phase::Overdue,
                    now if now >= clock.nearing => Phase::Nearing,
                    _ => Phase::Running,
                };
                prop_assert_eq!(clock.phase, reached, "no alarm is missing, and none stands that has not come");
            }
        }
        prop_assert_eq!(desk.city(Measure::Open, Period::Now), open);
    }
}
