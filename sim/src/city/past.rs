//! What happened before the demonstration began: yesterday and today up to now, taken over with their histories so
//! that curves, stages and boards look as they would on any day.

use domain::calendar::WorkCalendar;
use domain::case::Stage;
use domain::command::{Command, History};
use domain::moment::{DAY_MS, HOUR_MS, UtcMillis, UtcOffset};
use rand::Rng;

use super::cases::{Planned, Planner};
use super::figures;
use domain::calendar::Limit;

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
        self.calendar.due(opened, self.dispatch_limit, self.offset)
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

    /// Where a planned case stands at `now`, and when it closed if it has.
    fn standing(&self, planned: &Planned, opened: UtcMillis, now: UtcMillis) -> (Option<Stage>, UtcMillis) {
        let mut at = opened;
        for stage in Stage::ALL {
            at = self.leaves(planned, stage, opened, at);
            if at > now {
                return (Some(stage), at);
            }
        }
        (None, at)
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

/// All cases reported since yesterday's midnight, oldest first.
pub fn since_yesterday(planner: &mut Planner<'_>, rules: &Rules, now: UtcMillis) -> Vec<Past> {
    since_days_ago(planner, rules, now, 1)
}

/// All cases reported since midnight `days` ago, oldest first.
pub fn since_days_ago(planner: &mut Planner<'_>, rules: &Rules, now: UtcMillis, days: usize) -> Vec<Past> {
    let today = now.local(rules.offset).date.midnight(rules.offset);
    let day_weight: f64 = figures::HOURS.iter().sum();
    let mut past = Vec::new();
    for hour in 0..24 * (days + 1) {
        let start = today.plus(-(days as i64) * DAY_MS + hour as i64 * HOUR_MS);
        if start > now {
            break;
        }
        let expected = figures::CASES_PER_DAY * figures::HOURS[hour % 24] / day_weight;
        for _ in 0..expected.round() as usize {
            let opened = start.plus(planner.random().random_range(0..HOUR_MS));
            let planned = planner.next_case();
            if opened < now {
                past.push(one(planned, rules, opened, now));
            }
        }
    }
    past.sort_by_key(|case| case.opened);
    past
}

fn one(planned: Planned, rules: &Rules, opened: UtcMillis, now: UtcMillis) -> Past {
    let (stage, at) = rules.standing(&planned, opened, now);
    let closed = stage.is_none().then_some(at);
    let history = History { opened, stage: stage.unwrap_or(Stage::Close), closed, due: None };
    let command = Command::TakeOverCase { report: planned.report.clone(), history };
    Past { planned, opened, stage, command }
}
