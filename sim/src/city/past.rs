//! What happened before the demonstration began: the same weekdays of weeks before, yesterday and today up to now,
//! taken over with their histories so that curves, stages and boards look as they would on any day.

use domain::case::{Stage, Step};
use domain::clock::{Limit, WorkCalendar};
use domain::command::{Command, History, KnownStep};
use domain::moment::{DAY_MS, HOUR_MS, UtcMillis, UtcOffset};
use rand::Rng;

use super::cases::{Planned, Planner};
use super::figures;

/// The server's rules that decide when a dispatch is late.
#[derive(Debug, Clone)]
pub struct Rules {
    pub offset: UtcOffset,
    pub dispatch_limit: Limit,
    pub calendar: WorkCalendar,
}

/// A case of the past with the command that takes it over.
pub struct Past {
    pub planned: Planned,
    pub opened: UtcMillis,
    /// The stage it waits in now; none when closed.
    pub stage: Option<Stage>,
    pub command: Command,
}

impl Rules {
    /// When the dispatch limit of a case filed then runs out.
    #[must_use]
    pub fn due(&self, filed: UtcMillis) -> UtcMillis {
        // A limit that never runs out makes nothing late.
        self.calendar.due(filed, self.dispatch_limit, self.offset).unwrap_or(UtcMillis::END)
    }

    /// What is known at `now` of a planned case: every step it has taken, and with the last one its closing.
    fn past(&self, planned: &Planned, opened: UtcMillis, now: UtcMillis) -> History {
        let mut past = History::since(opened, Stage::Accept);
        let mut at = opened;
        // From stage to stage by the step that does its work, whatever other steps there are.
        while let Some(step) = Step::out_of(past.stage).filter(|_| past.closed.is_none()) {
            at = self.leaves(planned, past.stage, at);
            if at > now {
                break;
            }
            if step.closes() {
                past.closed = Some(at);
            } else {
                past.stage = step.stage_after(past.stage);
                past.steps.push(KnownStep { step, at });
            }
        }
        past
    }

    /// When the case leaves a stage it entered at `entered`. A late dispatch counts from the due time.
    #[must_use]
    pub fn leaves(&self, planned: &Planned, stage: Stage, entered: UtcMillis) -> UtcMillis {
        let stay = planned.stays_ms[stage as usize];
        if planned.late && stage == Stage::Dispatch {
            self.due(entered).max(entered).plus(stay)
        } else {
            entered.plus(stay)
        }
    }
}

/// No day is like another: each has this much more or less than a usual one, and each of its hours too.
const DAY_SPREAD: f64 = 0.02;
const HOUR_SPREAD: f64 = 0.08;
/// By so much the weeks before differ, the last first: a usual day lies between them.
const WEEKS: [f64; 4] = [0.94, 1.06, 0.97, 1.03];

/// How much of a past there is.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Cases of a usual day.
    pub cases_a_day: f64,
    /// Weeks before today, 0 to 4. With none, yesterday and today alone.
    pub weeks: u8,
    /// Every day of these weeks, where otherwise there is the same weekday alone: what days to come are held against, too.
    pub every_day: bool,
}

/// All cases reported since yesterday's midnight and on days of the weeks before, each with the day before it, oldest first: what
/// was reported in an evening is closed the next morning, and a usual morning has its share of that too.
pub fn before(planner: &mut Planner<'_>, rules: &Rules, now: UtcMillis, extent: Extent) -> Vec<Past> {
    let last = i64::from(extent.weeks) * 7 + 1;
    let is_there = |back: &i64| *back < 2 || extent.every_day || matches!(back % 7, 0 | 1);
    let days: Vec<i64> = (0..=last).rev().filter(is_there).collect();
    on_days(planner, rules, now, extent.cases_a_day, days)
}

/// All cases reported since midnight `days` ago, oldest first.
pub fn since_days_ago(planner: &mut Planner<'_>, rules: &Rules, now: UtcMillis, days: usize) -> Vec<Past> {
    on_days(planner, rules, now, figures::CASES_PER_DAY, (0..=days as i64).rev())
}

/// All cases reported on the days so many before the present one, oldest first.
fn on_days(
    planner: &mut Planner<'_>,
    rules: &Rules,
    now: UtcMillis,
    cases_a_day: f64,
    days: impl IntoIterator<Item = i64>,
) -> Vec<Past> {
    let today = now.local(rules.offset).date.midnight(rules.offset);
    let mut past = Vec::new();
    for back in days {
        // Today and yesterday are usual days.
        // The day before one of the weeks before is as that one.
        let week = usize::try_from((back - 2) / 7).unwrap_or(0);
        let week = if back < 2 { 1.0 } else { WEEKS.get(week).copied().unwrap_or(1.0) };
        past.extend(one_day(planner, rules, today.plus(-back * DAY_MS), now, week * cases_a_day));
    }
    past.sort_by_key(|case| case.opened);
    past
}

/// The cases of the day that begins at `midnight`, as far as it has passed.
fn one_day(
    planner: &mut Planner<'_>,
    rules: &Rules,
    midnight: UtcMillis,
    now: UtcMillis,
    cases_a_day: f64,
) -> Vec<Past> {
    let day_weight: f64 = figures::HOURS.iter().sum();
    let day = 1.0 + planner.random().random_range(-DAY_SPREAD..DAY_SPREAD);
    let mut past = Vec::new();
    let mut owed = 0.0;
    for (hour, weight) in figures::HOURS.into_iter().enumerate() {
        let start = midnight.plus(hour as i64 * HOUR_MS);
        if start > now {
            break;
        }
        let spread = day * (1.0 + planner.random().random_range(-HOUR_SPREAD..HOUR_SPREAD));
        let expected = cases_a_day * weight / day_weight * spread;
        // What is less than a case counts towards the next hour's.
        let count = (owed + expected).floor();
        owed += expected - count;
        for _ in 0..count as usize {
            let opened = start.plus(planner.random().random_range(0..HOUR_MS));
            let planned = planner.next_case();
            if opened < now {
                past.push(one(planned, rules, opened, now));
            }
        }
    }
    past
}

fn one(planned: Planned, rules: &Rules, opened: UtcMillis, now: UtcMillis) -> Past {
    let history = rules.past(&planned, opened, now);
    let stage = history.closed.is_none().then_some(history.stage);
    let command = Command::TakeOverCase { report: planned.report.clone(), history };
    Past { planned, opened, stage, command }
}
