//! The simulated city (模拟城市): cases, whistles and inspectors in the published volumes, through the public doors.
//!
//! Seeded and repeatable: which cases happen, where, and how long each stage takes follow from the seed alone. The
//! speed scales arrivals and stays; the server's clock and limits stay real, so late dispatches are taken over with
//! their clock nearly run.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use domain::answer::CatalogueAnswer;
use domain::case::Stage;
use domain::code::{CaseId, DepartmentCode};
use domain::command::{Command, History, KnownStep};
use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use rand::Rng;

use crate::client::{BATCH_MAX, Client, Row, RowAnswer};
use crate::schematic::Schematic;
use cases::{Planned, Planner};
use life::{Agenda, Step};
use past::Rules;

pub mod cases;
pub mod figures;
pub mod life;
pub mod past;
pub mod walkers;
pub mod years;
#[cfg(test)]
mod tests;

/// How the city runs.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// Times real time; 0.1 to 1,000.
    pub speed: f64,
    pub inspectors: usize,
    /// Cases and whistles happen; without them only inspectors walk.
    pub cases: bool,
    /// Take over yesterday and today first.
    pub past: Past,
    /// With them the same weekday of so many weeks before: what the wall holds today against.
    pub weeks: u8,
    /// Stop after this long; none runs until stopped.
    pub lasts: Option<Duration>,
}

/// When the days before are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    Never,
    /// Unless the store already has cases.
    IfEmpty,
    Always,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub taken: u64,
    pub refused: u64,
    pub fixes: u64,
    pub retries: u64,
}

/// Waits between rounds.
const ROUND: Duration = Duration::from_millis(200);
/// Steps and reports in one round at most, so that a round stays short at any speed.
const ROUND_ROWS_MAX: usize = 2_000;

/// What a sent row was for, to go on when it is answered.
enum Purpose {
    Report {
        planned: Box<Planned>,
        stage: Stage,
        opened_ms: i64,
    },
    Step,
    Whistle {
        departments: Vec<DepartmentCode>,
    },
    /// Closed before it was sent.
    Past,
}

struct City<'a> {
    client: &'a Client,
    options: Options,
    planner: Planner<'a>,
    rules: Rules,
    agenda: Agenda,
    recent: Vec<CaseId>,
    summary: Summary,
    owed_cases: f64,
    owed_whistles: f64,
}

/// Runs until `options.lasts` has passed or `stop` returns true.
pub fn run(client: &Client, options: Options, stop: &dyn Fn() -> bool) -> anyhow::Result<Summary> {
    let map = Schematic::build().context("cannot build the schematic city")?;
    let catalogue: CatalogueAnswer =
        client.get("/api/v1/catalogue").context("cannot read the server's policy")?;
    let rules = Rules {
        offset: catalogue.policy.utc_offset_minutes,
        dispatch_limit: catalogue.policy.dispatch_limit,
        calendar: catalogue.policy.calendar,
    };
    let mut city = City {
        client,
        planner: Planner::new(&map, options.seed),
        rules,
        agenda: Agenda::default(),
        recent: Vec::new(),
        summary: Summary::default(),
        owed_cases: 0.0,
        owed_whistles: 3.0,
        options: options.clone(),
    };
    let past = match options.past {
        Past::Never => false,
        Past::IfEmpty => city.store_is_empty()?,
        Past::Always => true,
    };
    if options.cases && past {
        city.take_over_past()?;
    }
    let mut walkers = walkers::Walkers::new(map, options.inspectors, options.seed, now().0);
    let started = Instant::now();
    let mut last = Instant::now();
    while !stop() && options.lasts.is_none_or(|lasts| started.elapsed() < lasts) {
        let passed = last.elapsed();
        last = Instant::now();
        if options.cases {
            city.round(passed)?;
        }
        let fixes = walkers.step(now().0);
        if !fixes.is_empty() {
            city.summary.fixes += fixes.len() as u64;
            let body = serde_json::json!({ "fixes": fixes });
            if let Err(error) = client.post::<serde_json::Value>("/api/v1/positions", &body) {
                tracing::warn!(error = format!("{error:#}"), "positions not taken");
            }
        }
        std::thread::sleep(ROUND.saturating_sub(last.elapsed()));
    }
    Ok(city.summary)
}

impl City<'_> {
    fn store_is_empty(&self) -> anyhow::Result<bool> {
        let page: domain::answer::PageAnswer<serde_json::Value> =
            self.client.get("/api/v1/cases?limit=1").context("cannot see whether the store is empty")?;
        Ok(page.items.is_empty())
    }

    fn take_over_past(&mut self) -> anyhow::Result<()> {
        let now = now();
        let past = past::before(&mut self.planner, &self.rules, now, self.options.weeks);
        tracing::info!(cases = past.len(), "taking over what was before");
        let mut rows = Vec::new();
        for case in past {
            let purpose = match case.stage {
                None => Purpose::Past,
                Some(stage) => {
                    Purpose::Report { planned: Box::new(case.planned), stage, opened_ms: case.opened.0 }
                }
            };
            rows.push((Row::new(case.command), purpose));
        }
        while !rows.is_empty() {
            let batch = rows.drain(..rows.len().min(BATCH_MAX)).collect();
            self.send(batch)?;
        }
        Ok(())
    }

    fn round(&mut self, passed: Duration) -> anyhow::Result<()> {
        let now = now();
        let mut rows: Vec<(Row, Purpose)> = Vec::new();
        for step in self.agenda.due(now.0, ROUND_ROWS_MAX) {
            rows.extend(step.command().map(|command| (Row::new(command), Purpose::Step)));
        }
        let hour = usize::from(now.local(self.rules.offset).hour());
        let share_of_day = figures::HOURS[hour] / figures::HOURS.iter().sum::<f64>() / 3_600.0;
        let seconds = passed.as_secs_f64() * self.options.speed;
        self.owed_cases += figures::CASES_PER_DAY * share_of_day * seconds;
        self.owed_whistles += figures::WHISTLES_PER_DAY * share_of_day * seconds;
        while self.owed_cases >= 1.0 && rows.len() < 2 * ROUND_ROWS_MAX {
            self.owed_cases -= 1.0;
            let planned = self.planner.next_case();
            rows.push(self.arrival(planned, now));
        }
        while self.owed_whistles >= 1.0 {
            self.owed_whistles -= 1.0;
            let whistle = self.whistle();
            rows.push(whistle);
        }
        while !rows.is_empty() {
            let batch = rows.drain(..rows.len().min(BATCH_MAX)).collect();
            self.send(batch)?;
        }
        Ok(())
    }

    fn arrival(&mut self, planned: Planned, now: UtcMillis) -> (Row, Purpose) {
        if !planned.late {
            let command = Command::ReportCase { report: planned.report.clone(), at: None };
            let purpose =
                Purpose::Report { planned: Box::new(planned), stage: Stage::Accept, opened_ms: now.0 };
            return (Row::new(command), purpose);
        }
        // A late case comes in with its clock nearly run: otherwise nothing would be late for hours.
        let ahead = self.planner.random().random_range(-5 * MINUTE_MS..25 * MINUTE_MS) as f64;
        let due = now.plus((ahead / self.options.speed.max(1.0)) as i64);
        let opened = self.rules.opened_for(due);
        let history = History {
            steps: vec![KnownStep { step: domain::case::Step::FILE, at: opened }],
            ..History::since(opened, Stage::Dispatch)
        };
        let command = Command::TakeOverCase { report: planned.report.clone(), history };
        let purpose =
            Purpose::Report { planned: Box::new(planned), stage: Stage::Dispatch, opened_ms: opened.0 };
        (Row::new(command), purpose)
    }

    fn whistle(&mut self) -> (Row, Purpose) {
        let random = self.planner.random();
        let case = self.recent.get(random.random_range(0..self.recent.len().max(1))).copied();
        let case = case.filter(|_| self.planner.random().random_bool(0.3));
        let call = self.planner.next_call(case);
        let departments = call.called.clone();
        (Row::new(Command::RaiseWhistle { call }), Purpose::Whistle { departments })
    }

    /// Sends rows until they are answered; a lost answer is asked for again with the same keys.
    fn send(&mut self, batch: Vec<(Row, Purpose)>) -> anyhow::Result<()> {
        let (mut rows, mut purposes): (Vec<Row>, Vec<Purpose>) = batch.into_iter().unzip();
        let mut failures = 0;
        while !rows.is_empty() {
            let answers = match self.client.commands(&rows) {
                Ok(answers) => answers,
                Err(error) if failures < 150 => {
                    failures += 1;
                    self.summary.retries += 1;
                    tracing::warn!(error = format!("{error:#}"), "commands not answered, sending again");
                    std::thread::sleep(Duration::from_millis(400));
                    continue;
                }
                Err(error) => return Err(error.context("the server does not answer")),
            };
            let mut again = (Vec::new(), Vec::new());
            for ((row, purpose), answer) in rows.into_iter().zip(purposes).zip(answers) {
                match answer {
                    RowAnswer::Refused(refused) if refused.status == 503 => {
                        again.0.push(row);
                        again.1.push(purpose);
                    }
                    RowAnswer::Refused(refused) => {
                        self.summary.refused += 1;
                        tracing::warn!(command = row.command.name(), refused.code, refused.title, "refused");
                    }
                    RowAnswer::Taken(taken) => {
                        self.summary.taken += 1;
                        self.follow(purpose, taken);
                    }
                }
            }
            if !again.0.is_empty() {
                self.summary.retries += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            (rows, purposes) = again;
        }
        Ok(())
    }

    fn follow(&mut self, purpose: Purpose, taken: crate::client::Taken) {
        match purpose {
            Purpose::Step | Purpose::Past => {}
            Purpose::Report { planned, stage, opened_ms } => {
                if let Some(case) = taken.case {
                    self.plan_steps(case, &planned, stage, opened_ms);
                }
            }
            Purpose::Whistle { departments } => {
                if let Some(whistle) = taken.whistle {
                    self.plan_whistle(whistle, departments);
                }
            }
        }
    }

    fn plan_steps(&mut self, case: CaseId, planned: &Planned, from: Stage, opened_ms: i64) {
        if self.recent.len() < 200 {
            self.recent.push(case);
        }
        let now = now();
        let speed = self.options.speed;
        let mut at = now.0;
        for stage in Stage::ALL.into_iter().filter(|stage| *stage >= from) {
            let stay = planned.stays_ms[stage as usize] as f64 / speed;
            // A case that is already on its way has part of this stay behind it.
            let stay =
                if stage == from && opened_ms < now.0 - 1_000 && !planned.late { stay * 0.5 } else { stay };
            if planned.late && stage == Stage::Dispatch {
                at = at.max(self.rules.due(UtcMillis(opened_ms)).0);
            }
            at += stay as i64;
            self.agenda.add(at, Step::Leave { case, stage, department: planned.department.clone() });
        }
    }

    fn plan_whistle(&mut self, whistle: domain::code::WhistleId, departments: Vec<DepartmentCode>) {
        let speed = self.options.speed.max(1.0);
        let now = now().0;
        let mut last = now;
        for department in departments {
            let random = self.planner.random();
            // One in eight misses the half hour, whatever the speed: the limit is real.
            let at = if random.random_bool(0.125) {
                now + 30 * MINUTE_MS + random.random_range(MINUTE_MS..20 * MINUTE_MS)
            } else {
                now + (random.random_range(3 * MINUTE_MS..29 * MINUTE_MS) as f64 / speed) as i64
            };
            last = last.max(at);
            self.agenda.add(at, Step::Respond { whistle, department });
        }
        let closes = last + (2.0 * HOUR_MS as f64 / speed) as i64;
        self.agenda.add(closes, Step::CloseWhistle { whistle });
    }
}

/// The present; the one place of the city that reads a clock.
fn now() -> UtcMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
