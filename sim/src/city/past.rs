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
    /// When the dispatch limit of a case opened then runs out.
    #[must_use]
    pub fn due(&self, opened: UtcMillis) -> UtcMillis {
        // A limit that never runs out makes nothing late.
        self.calendar.due(opened, self.dispatch_limit, self.offset).unwrap_or(UtcMillis::END)
    }

    /// The latest opening whose limit has run out by `due`.
    #[must_use]
    pub fn opened_for(&self, due: UtcMillis) -> UtcMillis {
        let (mut early, mut late) = (due.plus(-40 * DAY_MS), due);
        while late.since(early) > 1_000 {
            let middle = early.plus(late.since(early) / 2);
            if self.due(middle) > due { late = middle } else { early = middle }
        }
        early
    }

    /// What is known at `now` of a planned case: every step it has taken, and with the last one its closing.
    fn past(&self, planned: &Planned, opened: UtcMillis, now: UtcMillis) -> History {
        let mut past = History::since(opened, Stage::Accept);
        let mut at = opened;
        // From stage to stage by the step that does its work, whatever other steps there are.
        while let Some(step) = Step::out_of(past.stage).filter(|_| past.closed.is_none()) {
            at = self.leaves(planned, past.stage, opened, at);
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
    fn leaves(&self, planned: &Planned, stage: Stage, opened: UtcMillis, entered: UtcMillis) -> UtcMillis {
        let stay = planned.stays_ms[stage as usize];
        if planned.late && stage == Stage::Dispatch {
            self.due(opened).max(entered).plus(stay)
        } else {
            entered.plus(stay)
        }
    }
}

/// No day is like another: each has this much more or less than the published volume, and each of its hours too.
const DAY_SPREAD: f64 = 0.05;
const HOUR_SPREAD: f64 = 0.08;

/// All cases reported since yesterday's midnight and on the same weekday of `weeks` weeks before, oldest first.
pub fn before(planner: &mut Planner<'_>, rules: &Rules, now: UtcMillis, weeks: u8) -> Vec<Past> {
    let days = (1..=i64::from(weeks)).map(|week| week * 7).chain([1, 0]);
    on_days(planner, rules, now, days)
}

/// All cases reported since midnight `days` ago, oldest first.
pub fn since_days_ago(planner: &mut Planner<'_>, rules: &Rules, now: UtcMillis, days: usize) -> Vec<Past> {
    on_days(planner, rules, now, (0..=days as i64).rev())
}

/// All cases reported on the days so many before the present one, oldest first.
fn on_days(
    planner: &mut Planner<'_>,
    rules: &Rules,
    now: UtcMillis,
    days: impl Iterator<Item = i64>,
) -> Vec<Past> {
    let today = now.local(rules.offset).date.midnight(rules.offset);
    let mut past = Vec::new();
    for back in days {
        past.extend(one_day(planner, rules, today.plus(-back * DAY_MS), now));
    }
    past.sort_by_key(|case| case.opened);
    past
}

/// The cases of the day that begins at `midnight`, as far as it has passed.
fn one_day(planner: &mut Planner<'_>, rules: &Rules, midnight: UtcMillis, now: UtcMillis) -> Vec<Past> {
    let day_weight: f64 = figures::HOURS.iter().sum();
    let day = 1.0 + planner.random().random_range(-DAY_SPREAD..DAY_SPREAD);
    let mut past = Vec::new();
    for (hour, weight) in figures::HOURS.into_iter().enumerate() {
        let start = midnight.plus(hour as i64 * HOUR_MS);
        if start > now {
            break;
        }
        let spread = day * (1.0 + planner.random().random_range(-HOUR_SPREAD..HOUR_SPREAD));
        let expected = figures::CASES_PER_DAY * weight / day_weight * spread;
        for _ in 0..expected.round() as usize {
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
