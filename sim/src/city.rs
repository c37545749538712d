//! The simulated city (模拟城市): cases, whistles and inspectors in the published volumes, through the public doors.
//!
//! Seeded and repeatable: which cases happen, where, and how long each stage takes follow from the seed alone. When they happen is
//! the hall's time (`time`), at whatever pace it goes; how often the city sends and how long it waits is the machine's.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::answer::CatalogueAnswer;
use domain::case::Stage;
use domain::code::{CaseId, DepartmentCode};
use domain::command::Command;
use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use domain::whistle::WhistleCall;
use domain::world::{PACE_REAL, SetClock, WorldAnswer};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::client::{BATCH_MAX, Client, Row, RowAnswer};
use crate::schematic::Schematic;
use cases::{Planned, Planner};
use course::Leg;
use life::{Agenda, Step};
use past::{Extent, Rules};
use time::Time;

mod again;
pub mod cases;
pub mod course;
pub mod figures;
pub mod life;
pub mod past;
pub mod scene;
pub mod time;
pub mod walkers;
pub mod years;
#[cfg(test)]
mod tests;

/// How the city runs.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// Cases of a usual day.
    pub cases_a_day: f64,
    pub inspectors: usize,
    /// Cases and whistles happen; without them only inspectors walk.
    pub cases: bool,
    /// Take over yesterday and today first.
    pub past: Past,
    /// With them the same weekday of so many weeks before: what the wall holds today against.
    pub weeks: u8,
    /// And every other day of these weeks: what the wall holds the days to come against.
    pub every_day: bool,
    /// With the past, an underpass has just been flooded.
    pub flood: bool,
    /// Times as fast as real the hall's clock goes once the past is there; none leaves it as it is.
    pub pace: Option<f64>,
    /// Stop after this long, counted from then; none runs until stopped.
    pub lasts: Option<Duration>,
}

/// When the days before are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    Never,
    /// Unless the store already has cases: then what is open is taken up where it stands.
    IfEmpty,
    Always,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub taken: u64,
    pub refused: u64,
    /// How many were refused for each reason, by its code.
    pub reasons: BTreeMap<String, u64>,
    pub fixes: u64,
    pub retries: u64,
}

/// Between rounds as much of the hall's time passes, in seconds, as far as these waits allow.
const ROUND_HALL_S: f64 = 10.0;
const ROUND_MIN: Duration = Duration::from_millis(15);
const ROUND_MAX: Duration = Duration::from_millis(200);
/// Cases that a call may be about.
const RECENT_MAX: usize = 200;
/// What happens in more of the hall's time than this, in milliseconds, is not caught up with: somebody has slept.
const CAUGHT_UP_MS: i64 = HOUR_MS;
/// Steps and reports in one round at most, so that a round stays short at any speed.
const ROUND_ROWS_MAX: usize = 2_000;

/// What a sent row was for, to go on when it is answered.
enum Purpose {
    Report {
        planned: Box<Planned>,
        stage: Stage,
        opened: UtcMillis,
        /// Its departments are called together at once.
        calls: bool,
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
    time: Time,
    options: Options,
    planner: Planner<'a>,
    /// Which cases take a side path: drawn apart, so that the cases themselves follow from the seed as they did.
    paths: StdRng,
    rules: Rules,
    agenda: Agenda,
    /// Cases that came in last, with when they close: a call may be about one of them.
    recent: VecDeque<(CaseId, UtcMillis)>,
    summary: Summary,
    owed_cases: f64,
    owed_whistles: f64,
    /// Calls that are raised in the next round.
    calls: Vec<WhistleCall>,
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
        time: Time::of_hall(client)?,
        planner: Planner::new(&map, options.seed),
        paths: StdRng::seed_from_u64(!options.seed),
        rules,
        agenda: Agenda::default(),
        recent: VecDeque::new(),
        summary: Summary::default(),
        owed_cases: 0.0,
        owed_whistles: 3.0,
        calls: Vec::new(),
        options: options.clone(),
    };
    let past = match options.past {
        Past::Never => false,
        Past::IfEmpty => city.store_is_empty()?,
        Past::Always => true,
    };
    if options.cases && past {
        city.take_over_past()?;
    } else if options.cases && options.past == Past::IfEmpty {
        city.take_up_open()?;
    }
    if let Some(pace) = options.pace {
        set_pace(client, pace)?;
    }
    let mut last = city.time.now();
    let mut walkers = walkers::Walkers::new(map, options.inspectors, options.seed, last.0);
    let started = Instant::now();
    while !stop() && options.lasts.is_none_or(|lasts| started.elapsed() < lasts) {
        let (round, now) = (Instant::now(), city.time.now());
        if options.cases {
            city.round(now, now.since(last).clamp(0, CAUGHT_UP_MS))?;
        }
        last = last.max(now);
        let fixes = walkers.step(now.0, started.elapsed());
        if !fixes.is_empty() {
            city.summary.fixes += fixes.len() as u64;
            let body = serde_json::json!({ "fixes": fixes });
            if let Err(error) = client.post::<serde_json::Value>("/api/v1/positions", &body) {
                tracing::warn!(error = format!("{error:#}"), "positions not taken");
            }
        }
        std::thread::sleep(wait(city.time.pace()).saturating_sub(round.elapsed()));
    }
    Ok(city.summary)
}

fn set_pace(client: &Client, pace: f64) -> anyhow::Result<()> {
    let pace_milli = Some((pace * f64::from(PACE_REAL)).round() as u32);
    let answer = client.post::<WorldAnswer>("/api/v1/world/clock", &SetClock { pace_milli, at: None });
    answer.map(drop).context("cannot set the pace of the hall's clock")
}

fn raised(call: WhistleCall) -> (Row, Purpose) {
    let departments = call.called.clone();
    (Row::new(Command::RaiseWhistle { call }), Purpose::Whistle { departments })
}

/// How long a round lasts at a pace.
fn wait(pace: f64) -> Duration {
    Duration::try_from_secs_f64(ROUND_HALL_S / pace).unwrap_or(ROUND_MAX).clamp(ROUND_MIN, ROUND_MAX)
}

impl City<'_> {
    fn store_is_empty(&self) -> anyhow::Result<bool> {
        let page: domain::answer::PageAnswer<serde_json::Value> =
            self.client.get("/api/v1/cases?limit=1").context("cannot see whether the store is empty")?;
        Ok(page.items.is_empty())
    }

    fn take_over_past(&mut self) -> anyhow::Result<()> {
        let now = self.time.now();
        let Options { cases_a_day, weeks, every_day, .. } = self.options;
        let extent = Extent { cases_a_day, weeks, every_day };
        let past = past::before(&mut self.planner, &self.rules, now, extent);
        tracing::info!(cases = past.len(), "taking over what was before");
        let mut rows = Vec::new();
        for case in past {
            let purpose = match case.stage {
                None => Purpose::Past,
                Some(stage) => {
                    let planned = Box::new(case.planned);
                    Purpose::Report { planned, stage, opened: case.opened, calls: false }
                }
            };
            rows.push((Row::new(case.command), purpose));
        }
        if let Some((planned, opened, command)) =
            scene::flood(&self.planner, now).filter(|_| self.options.flood)
        {
            let planned = Box::new(planned);
            let purpose = Purpose::Report { planned, stage: Stage::Dispatch, opened, calls: true };
            rows.push((Row::new(command), purpose));
        }
        while !rows.is_empty() {
            let batch = rows.drain(..rows.len().min(BATCH_MAX)).collect();
            self.send(batch)?;
        }
        Ok(())
    }

    fn round(&mut self, now: UtcMillis, passed_ms: i64) -> anyhow::Result<()> {
        let mut rows: Vec<(Row, Purpose)> = Vec::new();
        for step in self.agenda.due(now.0, ROUND_ROWS_MAX) {
            rows.push((Row::new(step.command()), Purpose::Step));
        }
        let hour = usize::from(now.local(self.rules.offset).hour());
        let share_of_day = figures::HOURS[hour] / figures::HOURS.iter().sum::<f64>() / 3_600.0;
        let seconds = passed_ms as f64 / 1_000.0;
        let scale = self.options.cases_a_day / figures::CASES_PER_DAY;
        self.owed_cases += self.options.cases_a_day * share_of_day * seconds;
        self.owed_whistles += scale * figures::WHISTLES_PER_DAY * share_of_day * seconds;
        while self.owed_cases >= 1.0 && rows.len() < 2 * ROUND_ROWS_MAX {
            self.owed_cases -= 1.0;
            let planned = Box::new(self.planner.next_case());
            let command = Command::ReportCase { report: planned.report.clone(), at: None };
            let purpose = Purpose::Report { planned, stage: Stage::Accept, opened: now, calls: false };
            rows.push((Row::new(command), purpose));
        }
        while self.owed_whistles >= 1.0 {
            self.owed_whistles -= 1.0;
            let whistle = self.whistle(now);
            rows.push(whistle);
        }
        while !rows.is_empty() {
            let batch = rows.drain(..rows.len().min(BATCH_MAX)).collect();
            self.send(batch)?;
        }
        Ok(())
    }

    fn whistle(&mut self, now: UtcMillis) -> (Row, Purpose) {
        if let Some(call) = self.calls.pop() {
            return raised(call);
        }
        // About none that closes in this round: the rows before have closed it.
        let stays_open = |(_, closes): &&(CaseId, UtcMillis)| *closes > now.plus(10 * MINUTE_MS);
        let open: Vec<CaseId> = self.recent.iter().filter(stays_open).map(|(case, _)| *case).collect();
        let random = self.planner.random();
        let case = open.get(random.random_range(0..open.len().max(1))).copied();
        let case = case.filter(|_| self.planner.random().random_bool(0.3));
        raised(self.planner.next_call(case))
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
                        *self.summary.reasons.entry(refused.code.clone()).or_default() += 1;
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
            Purpose::Report { planned, stage, opened, calls } => {
                if let Some(case) = taken.case {
                    self.plan_steps(case, &planned, stage, opened);
                    self.calls.extend(calls.then(|| scene::call(&planned, case)));
                }
            }
            Purpose::Whistle { departments } => {
                if let Some(whistle) = taken.whistle {
                    self.plan_whistle(whistle, departments);
                }
            }
        }
    }

    fn plan_steps(&mut self, case: CaseId, planned: &Planned, from: Stage, opened: UtcMillis) {
        let before = Stage::ALL.into_iter().filter(|stage| *stage < from);
        let entered = before.fold(opened, |at, stage| self.rules.leaves(planned, stage, at));
        self.plan_from(case, planned, from, entered);
    }

    /// The way of a case from a stage that it entered, or is taken up in, then.
    fn plan_from(&mut self, case: CaseId, planned: &Planned, from: Stage, entered: UtcMillis) {
        // What is there already has had its side paths, as far as anybody knows.
        let path = if from == Stage::Accept { course::draw(&mut self.paths) } else { None };
        let in_time = Planned { late: false, ..planned.clone() };
        let mut at = entered;
        for Leg { stage, step, again } in course::course(from, path) {
            at = self.rules.leaves(if again { &in_time } else { planned }, stage, at);
            self.agenda.add(at.0, Step::Leave { case, step, department: planned.department.clone() });
        }
        self.recent.push_back((case, at));
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    fn plan_whistle(&mut self, whistle: domain::code::WhistleId, departments: Vec<DepartmentCode>) {
        let now = self.time.now().0;
        let mut last = now;
        for department in departments {
            let random = self.planner.random();
            // One in eight misses the half hour.
            let at = if random.random_bool(0.125) {
                now + 30 * MINUTE_MS + random.random_range(MINUTE_MS..20 * MINUTE_MS)
            } else {
                now + random.random_range(3 * MINUTE_MS..29 * MINUTE_MS)
            };
            last = last.max(at);
            self.agenda.add(at, Step::Respond { whistle, department });
        }
        self.agenda.add(last + 2 * HOUR_MS, Step::CloseWhistle { whistle });
    }
}
