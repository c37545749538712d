//! Years of the city, deed by deed in the order of time: who does what with which case, and when. A pure function of
//! seed, volume and end; nothing is kept but the cases that are open.
//!
//! What should be here: when things happen. What should not: what comes of them (`domain`), where they are written.

use std::collections::{BinaryHeap, VecDeque};

use domain::case::Stage;
use domain::code::{CaseId, DepartmentCode};
use domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMillis, UtcOffset};
use domain::whistle::WhistleCall;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::cases::{Planned, Planner};
use super::figures;
use crate::schematic::Schematic;

/// How much happens, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub seed: u64,
    /// Reports, exactly.
    pub cases: u64,
    pub days: u32,
    /// The last moment; the first one lies `days` before.
    pub until: UtcMillis,
    pub offset: UtcOffset,
}

/// One thing that somebody does.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    pub at: UtcMillis,
    pub by: Seat,
    pub act: Act,
}

/// Cases and whistles are numbered from 1 in the order in which they come up.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Report(Box<Planned>),
    Claim(CaseId),
    Note(CaseId, &'static str),
    /// The case leaves this stage; the department is who disposes of it.
    Leave(CaseId, Stage, DepartmentCode),
    Call(WhistleCall),
    Respond(u64, DepartmentCode),
    EndCall(u64),
}

/// Who sits there. What a supervisor of cases does and what a dispatcher does are different people's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seat {
    /// A phone on the street, or another system.
    Machine,
    /// 监督: accepts, files, checks and closes.
    Supervisor(u8),
    /// 派遣
    Dispatcher(u8),
    Department(DepartmentCode),
}

/// Seats of each kind.
const SEATS: u8 = 12;
/// Yearly growth of what is reported; an example.
const GROWTH: f64 = 0.04;
/// More in summer than in winter by so much either way; an example.
const SEASON: f64 = 0.12;
/// Days of rest against others; an example.
const REST: f64 = 0.75;
/// No day is like another, and no hour.
const DAY_SPREAD: f64 = 0.08;
const HOUR_SPREAD: f64 = 0.1;
/// Cases that wait for weeks with a department (挂账, disputes), and how long on average; an example. With the volume of
/// the bulletin they are most of the five thousand that are open at any time.
const LONG_SHARE: f64 = 0.02;
const LONG_DAYS_MEAN: f64 = 20.0;
const LONG_DAYS_MAX: f64 = 120.0;
/// Cases that somebody takes in hand before dispatching them, and those with a note.
const CLAIMED: f64 = 0.5;
const NOTED: f64 = 0.25;
/// How long after its limit a late dispatch still takes.
const LATE_MS: std::ops::Range<i64> = 5 * MINUTE_MS..3 * HOUR_MS;
const NOTES: [&str; 4] = [
    "已电话联系责任单位",
    "现场已放置警示标志，等待施工队",
    "与案件反映人核实地点",
    "责任单位申请延长，待批",
];

/// A deed to come. The earliest stands at the top of the heap; those of one moment in the order they were planned.
struct Next {
    at: UtcMillis,
    order: u64,
    by: Seat,
    act: Act,
    /// What follows, latest first.
    then: Vec<(UtcMillis, Seat, Act)>,
}

/// The years as an iterator. `due` says when the dispatch limit of a case filed then runs out.
pub struct Years<'a, D> {
    planner: Planner<'a>,
    random: StdRng,
    span: Span,
    due: D,
    first: UtcMillis,
    /// Sum of the weights of all hours before each, and of all of them at the end.
    weights: Vec<f64>,
    hour: usize,
    /// Reports of the hour that has begun.
    arrivals: VecDeque<UtcMillis>,
    calls: VecDeque<UtcMillis>,
    coming: BinaryHeap<Next>,
    cases: u64,
    whistles: u64,
    order: u64,
}

impl<'a, D: Fn(UtcMillis) -> UtcMillis> Years<'a, D> {
    #[must_use]
    pub fn new(city: &Schematic, span: Span, due: D) -> Self {
        let first = span.until.plus(-i64::from(span.days) * DAY_MS);
        // Of its own, so that how many come does not change what they are.
        let mut random = StdRng::seed_from_u64(span.seed ^ 0x7965_6172);
        let weights = weights(&mut random, &span, first);
        Self {
            planner: Planner::new(city, span.seed),
            random,
            span,
            due,
            first,
            weights,
            hour: 0,
            arrivals: VecDeque::new(),
            calls: VecDeque::new(),
            coming: BinaryHeap::new(),
            cases: 0,
            whistles: 0,
            order: 0,
        }
    }

    /// Reports so far.
    #[must_use]
    pub fn reported(&self) -> u64 {
        self.cases
    }

    /// Lays out the hour that begins; false after the last one.
    fn begin_hour(&mut self) -> bool {
        let hours = self.weights.len() - 1;
        if self.hour == hours {
            return false;
        }
        let all = self.weights[hours];
        let begins = self.first.plus(self.hour as i64 * HOUR_MS);
        let mut spread = |total: f64| {
            // Rounded sums and not rounded hours: in the end it is exactly the total.
            let up_to = |hour: usize| (total * self.weights[hour] / all).round() as u64;
            let count = up_to(self.hour + 1) - up_to(self.hour);
            let mut times: Vec<UtcMillis> =
                (0..count).map(|_| begins.plus(self.random.random_range(0..HOUR_MS))).collect();
            times.sort_unstable();
            times
        };
        self.arrivals = spread(self.span.cases as f64).into();
        let calls = self.span.cases as f64 * figures::WHISTLES_PER_DAY / figures::CASES_PER_DAY;
        self.calls = spread(calls).into();
        self.hour += 1;
        true
    }

    fn plan(&mut self, at: UtcMillis, by: Seat, act: Act, then: Vec<(UtcMillis, Seat, Act)>) {
        self.order += 1;
        self.coming.push(Next { at, order: self.order, by, act, then });
    }

    /// A report, and everything that will come of it.
    fn report(&mut self, at: UtcMillis) {
        self.cases += 1;
        let case = CaseId(self.cases);
        let planned = self.planner.next_case();
        let mut then = self.steps(case, &planned, at);
        then.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        self.plan(at, Seat::Machine, Act::Report(Box::new(planned)), then);
    }

    fn steps(&mut self, case: CaseId, planned: &Planned, reported: UtcMillis) -> Vec<(UtcMillis, Seat, Act)> {
        let [supervisor, dispatcher] = [0, 1].map(|_| self.random.random_range(1..=SEATS));
        let mut steps = Vec::with_capacity(10);
        let mut at = reported;
        for stage in Stage::ALL {
            let entered = at;
            at = entered.plus(planned.stays_ms[stage as usize]);
            let by = match stage {
                Stage::Dispatch => {
                    if planned.late {
                        let after = self.random.random_range(LATE_MS);
                        at = (self.due)(entered).plus(after).max(at);
                    }
                    if self.random.random_bool(CLAIMED) {
                        let taken = between(&mut self.random, entered, at);
                        steps.push((taken, Seat::Dispatcher(dispatcher), Act::Claim(case)));
                    }
                    Seat::Dispatcher(dispatcher)
                }
                Stage::Dispose => {
                    if self.random.random_bool(LONG_SHARE) {
                        let days = -LONG_DAYS_MEAN * self.random.random_range(f64::EPSILON..1.0_f64).ln();
                        at = at.plus((days.min(LONG_DAYS_MAX) * DAY_MS as f64) as i64);
                    }
                    if self.random.random_bool(NOTED) {
                        let text = NOTES[self.random.random_range(0..NOTES.len())];
                        let noted = between(&mut self.random, entered, at);
                        steps.push((noted, Seat::Dispatcher(dispatcher), Act::Note(case, text)));
                    }
                    Seat::Department(planned.department.clone())
                }
                Stage::Feedback => Seat::Department(planned.department.clone()),
                Stage::Accept | Stage::File | Stage::Check | Stage::Close => Seat::Supervisor(supervisor),
            };
            steps.push((at, by, Act::Leave(case, stage, planned.department.clone())));
        }
        steps
    }

    /// A whistle call, its responses and its end.
    fn call(&mut self, at: UtcMillis) {
        self.whistles += 1;
        let whistle = self.whistles;
        let call = self.planner.next_call(None);
        let mut then = Vec::with_capacity(call.called.len() + 1);
        let mut last = at;
        for department in &call.called {
            // One in eight misses the half hour.
            let late = self.random.random_bool(0.125);
            let wait = if late { 31 * MINUTE_MS..60 * MINUTE_MS } else { 3 * MINUTE_MS..29 * MINUTE_MS };
            let responds = at.plus(self.random.random_range(wait));
            last = last.max(responds);
            let act = Act::Respond(whistle, department.clone());
            then.push((responds, Seat::Department(department.clone()), act));
        }
        let ends = last.plus(self.random.random_range(HOUR_MS..5 * HOUR_MS));
        then.push((ends, Seat::Dispatcher(1), Act::EndCall(whistle)));
        then.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        self.plan(at, Seat::Dispatcher(1), Act::Call(call), then);
    }

    /// When the next report or call comes up that is not planned yet; hours are laid out as far as that takes.
    fn next_arrival(&mut self) -> Option<UtcMillis> {
        while self.arrivals.is_empty() && self.calls.is_empty() {
            if !self.begin_hour() {
                return None;
            }
        }
        self.arrivals.front().into_iter().chain(self.calls.front()).min().copied()
    }
}

impl<D: Fn(UtcMillis) -> UtcMillis> Iterator for Years<'_, D> {
    type Item = Deed;

    fn next(&mut self) -> Option<Deed> {
        // Numbers are given as things come up, so that one is planned only when its time has come.
        while let Some(at) = self.next_arrival() {
            if self.coming.peek().is_some_and(|next| next.at < at) {
                break;
            }
            if self.arrivals.front() == Some(&at) {
                self.arrivals.pop_front();
                self.report(at);
            } else {
                self.calls.pop_front();
                self.call(at);
            }
        }
        let Next { at, by, act, mut then, .. } = self.coming.pop()?;
        if at > self.span.until {
            return None;
        }
        if let Some((at, by, act)) = then.pop() {
            self.plan(at, by, act, then);
        }
        Some(Deed { at, by, act })
    }
}

/// Sums of what the hours weigh, up to each and up to the end.
fn weights(random: &mut StdRng, span: &Span, first: UtcMillis) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    let mut today = None;
    let mut day = 1.0;
    for hour in 0..span.days as usize * 24 {
        let local = first.plus(hour as i64 * HOUR_MS).local(span.offset);
        if today != Some(local.date) {
            today = Some(local.date);
            day = day_weight(random, hour as f64 / 24.0, local.date.weekday());
        }
        let spread = 1.0 + random.random_range(-HOUR_SPREAD..HOUR_SPREAD);
        sum += figures::HOURS[usize::from(local.hour())] * day * spread;
        sums.push(sum);
    }
    sums
}

/// `day` counts from the first one; Monday is 0.
fn day_weight(random: &mut StdRng, day: f64, weekday: u8) -> f64 {
    let year = day / 365.25;
    let season = 1.0 + SEASON * (std::f64::consts::TAU * year).sin();
    let rest = if weekday >= 5 { REST } else { 1.0 };
    (1.0 + GROWTH * year) * season * rest * (1.0 + random.random_range(-DAY_SPREAD..DAY_SPREAD))
}

fn between(random: &mut StdRng, from: UtcMillis, to: UtcMillis) -> UtcMillis {
    from.plus(random.random_range(0..=to.since(from).max(0)))
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Next {}

#[cfg(test)]
mod tests;
