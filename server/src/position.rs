//! Inspectors' positions (监督员位置): the newest of everyone for the screens, all of them on disk for the track.
//!
//! What should be here: checking fixes, the tick, the hand-over to the track. What should not: which screen gets a
//! frame (`live`), the form of a frame (`domain::position`), the HTTP doors.
//!
//! Modules in reading order.

use domain::code::InspectorCode;
use domain::moment::{DAY_MS, HOUR_MS, SECOND_MS, UtcMillis};
use domain::place::{Bounds, Point};
use domain::text::{TextError, TextKind, check_text};
use domain::wire::PositionRow;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

pub mod table;
pub mod track;
#[cfg(test)]
mod tests;

use table::{Step, Table};
use track::{Batch, Open, TrackError, Tracks};

/// Batches that may wait for the disk: about 16 seconds. Past that the track has a hole, which is counted; the
/// screens do not notice.
const BATCHES_WAITING_MAX: usize = 64;
/// Fixes that may wait for the next tick.
const STEPS_WAITING_MAX: usize = 50_000;

/// How positions are kept and shown.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Side of a map cell that is published on its own, in millionths of a degree.
    pub cell_e6: i32,
    /// Milliseconds between two frames. Under overload twice and four times that.
    pub tick_ms: u32,
    /// Hours after the last fix until an inspector leaves the screens.
    pub forget_hours: u16,
    /// Days a track is kept.
    pub keep_days: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cell_e6: 100_000, tick_ms: 250, forget_hours: 24, keep_days: 31 }
    }
}

/// What is accepted, from the policy.
#[derive(Debug, Clone, Copy)]
pub struct Accepts {
    pub bounds: Option<Bounds>,
    pub clock_skew_seconds: u32,
}

/// One position as a device reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    pub inspector: InspectorCode,
    pub place: Point,
    /// When the position was taken.
    pub fixed: UtcMillis,
    /// Metres per second.
    #[serde(default)]
    pub speed_mps: Option<f32>,
    /// Degrees clockwise from north.
    #[serde(default)]
    pub heading_deg: Option<f32>,
    /// Radius of confidence in metres.
    #[serde(default)]
    pub accuracy_m: Option<f32>,
    /// Which door or device it came through; 128 bytes at most.
    #[serde(default)]
    pub source: String,
}

/// Why a fix is not accepted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FixError {
    #[error("fixed: lies {0} s in the future")]
    Future(i64),
    #[error("fixed: lies more than {0} days in the past")]
    TooOld(u16),
    #[error("place: lies outside the policy's bounds")]
    OutsideBounds,
    #[error("speed_mps: {0} is not within 0 to 100")]
    Speed(f32),
    #[error("heading_deg: {0} is not within 0 to 360")]
    Heading(f32),
    #[error("accuracy_m: {0} is not within 0 to 100,000")]
    Accuracy(f32),
    #[error("source: {0}")]
    Source(TextError),
    #[error("inspector: the hall already follows 100,000 inspectors heard within `positions.forget_hours`")]
    TooManyInspectors,
}

impl FixError {
    /// For metrics and answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Future(_) => "future",
            Self::TooOld(_) => "too_old",
            Self::OutsideBounds => "outside_bounds",
            Self::Speed(_) => "speed",
            Self::Heading(_) => "heading",
            Self::Accuracy(_) => "accuracy",
            Self::Source(_) => "source",
            Self::TooManyInspectors => "too_many_inspectors",
        }
    }
}

/// One point of a track.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TrackPoint {
    pub place: Point,
    pub fixed: UtcMillis,
    pub moving: bool,
    pub heading_deg: f32,
}

/// Everyone's positions; clones share them.
#[derive(Debug, Clone)]
pub struct Positions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    accepts: Accepts,
    table: Mutex<Table>,
    waiting: Arc<Mutex<Batch>>,
    version: watch::Sender<u64>,
    degraded: AtomicU8,
    open: Open,
    path: Option<PathBuf>,
}

impl Positions {
    /// Opens `positions.db` in `dir`, puts everyone where they were, and starts the tick. Without a folder nothing is
    /// kept. Must be called within a tokio runtime, which carries the tick.
    pub fn open(dir: Option<&Path>, settings: Settings, accepts: Accepts) -> Result<Self, TrackError> {
        let open = Open::default();
        let mut table = Table::new(settings.cell_e6);
        let path = dir.map(|dir| dir.join("positions.db"));
        let mut batches = None;
        if let Some(path) = &path {
            let (tracks, known) = Tracks::open(path, settings.keep_days, open.clone())?;
            for person in known {
                let Some(newest) = person.newest else {
                    let nowhere = Point::from_e6(0, 0).expect("the origin lies on the globe");
                    table.enter(&person.code, nowhere, UtcMillis(0));
                    continue;
                };
                if let Some(index) = table.enter(&person.code, newest.place, newest.fixed) {
                    table.put(&Step { index, ..newest });
                }
            }
            let (sender, receiver) = sync_channel(BATCHES_WAITING_MAX);
            std::thread::Builder::new()
                .name("track".to_owned())
                .spawn(move || tracks.run(&receiver))
                .map_err(TrackError::Thread)?;
            batches = Some(sender);
        }
        let waiting = Arc::new(Mutex::default());
        let tick_ms = settings.tick_ms.max(10);
        let inner = Arc::new(Inner {
            settings,
            accepts,
            table: Mutex::new(table),
            waiting: waiting.clone(),
            version: watch::Sender::new(0),
            degraded: AtomicU8::new(0),
            open,
            path,
        });
        tokio::spawn(run(Arc::downgrade(&inner), tick_ms, waiting, batches));
        Ok(Self(inner))
    }

    /// Takes fixes, each answered on its own.
    pub fn report(&self, fixes: &[Fix]) -> Vec<Result<(), FixError>> {
        let now = crate::clock::now();
        let latest = now.plus(i64::from(self.0.accepts.clock_skew_seconds) * SECOND_MS);
        let mut table = lock(&self.0.table);
        let mut waiting = lock(&self.0.waiting);
        let answers: Vec<Result<(), FixError>> = fixes
            .iter()
            .map(|fix| {
                check(fix, &self.0.accepts, self.0.settings.keep_days, now)?;
                let is_new = table.index(&fix.inspector).is_none();
                let index =
                    table.enter(&fix.inspector, fix.place, fix.fixed).ok_or(FixError::TooManyInspectors)?;
                if is_new {
                    waiting.new.push((index, fix.inspector.clone()));
                }
                let step = table.take(index, fix, latest);
                if waiting.steps.len() < STEPS_WAITING_MAX {
                    waiting.steps.push(step);
                } else {
                    metrics::counter!("gridhall_position_track_dropped_total").increment(1);
                }
                Ok(())
            })
            .collect();
        drop((table, waiting));
        for answer in &answers {
            match answer {
                Ok(()) => {
                    metrics::counter!("gridhall_position_fixes_total", "outcome" => "taken").increment(1)
                }
                Err(error) => {
                    metrics::counter!("gridhall_position_fixes_total", "outcome" => error.code())
                        .increment(1);
                }
            }
        }
        answers
    }

    /// Newest positions in order of their number, those after `after`.
    #[must_use]
    pub fn newest(&self, after: Option<u32>, limit: usize) -> Vec<PositionRow> {
        let table = lock(&self.0.table);
        let first = after.map_or(0, |after| after.saturating_add(1));
        let all = first..u32::try_from(table.people().len()).unwrap_or(u32::MAX);
        all.filter_map(|index| table.newest(index)).filter(|row| row.place.is_some()).take(limit).collect()
    }

    /// Where an inspector was between two times, oldest first. Waits for the disk.
    pub fn track(
        &self,
        inspector: &InspectorCode,
        from: UtcMillis,
        to: UtcMillis,
    ) -> Result<Vec<TrackPoint>, TrackError> {
        let Some(index) = lock(&self.0.table).index(inspector) else { return Ok(Vec::new()) };
        let mut steps = match &self.0.path {
            Some(path) => track::sealed(path, index, from, to)?,
            None => Vec::new(),
        };
        if let Some(open) = lock(&self.0.open).get(&index) {
            steps.extend(open.iter().filter(|step| (from..=to).contains(&step.fixed)).cloned());
        }
        let waiting = lock(&self.0.waiting);
        steps.extend(
            waiting
                .steps
                .iter()
                .filter(|step| step.index == index && (from..=to).contains(&step.fixed))
                .cloned(),
        );
        drop(waiting);
        steps.sort_by_key(|step| step.fixed);
        steps.dedup_by_key(|step| step.fixed);
        Ok(steps
            .into_iter()
            .map(|step| TrackPoint {
                place: step.place,
                fixed: step.fixed,
                moving: step.moving,
                heading_deg: step.heading_deg,
            })
            .collect())
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// 0 normal; 1 and 2: frames come at half and a quarter of the pace.
    #[must_use]
    pub fn degraded(&self) -> u8 {
        self.0.degraded.load(Ordering::Relaxed)
    }

    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Runs `read` on the table; must be quick.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&mut Table) -> T) -> T {
        read(&mut lock(&self.0.table))
    }
}

fn check(fix: &Fix, accepts: &Accepts, keep_days: u16, now: UtcMillis) -> Result<(), FixError> {
    // Both differences saturate, so that no number a device may send is the negative of another.
    let (ahead_ms, age_ms) = (fix.fixed.since(now), now.since(fix.fixed));
    if ahead_ms > i64::from(accepts.clock_skew_seconds) * SECOND_MS {
        return Err(FixError::Future(ahead_ms / SECOND_MS));
    }
    if age_ms > i64::from(keep_days) * DAY_MS {
        return Err(FixError::TooOld(keep_days));
    }
    if accepts.bounds.is_some_and(|bounds| !bounds.contains(fix.place)) {
        return Err(FixError::OutsideBounds);
    }
    let within = |value: Option<f32>, most: f32| value.filter(|value| !(0.0..=most).contains(value));
    within(fix.speed_mps, 100.0).map_or(Ok(()), |speed| Err(FixError::Speed(speed)))?;
    within(fix.heading_deg, 360.0).map_or(Ok(()), |heading| Err(FixError::Heading(heading)))?;
    within(fix.accuracy_m, 100_000.0).map_or(Ok(()), |accuracy| Err(FixError::Accuracy(accuracy)))?;
    check_text(&fix.source, TextKind::Id).map_err(FixError::Source)
}

/// The tick: until the last `Positions` is dropped.
async fn run(
    inner: std::sync::Weak<Inner>,
    tick_ms: u32,
    waiting: Arc<Mutex<Batch>>,
    batches: Option<SyncSender<Batch>>,
) {
    let mut load = Load::default();
    let mut ticks = tokio::time::interval(Duration::from_millis(u64::from(tick_ms)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0u64;
    loop {
        let due = ticks.tick().await;
        let Some(inner) = inner.upgrade() else {
            // What came in since the last tick; the thread writes it before it ends.
            return hand_over(&waiting, batches.as_ref(), crate::clock::now());
        };
        count += 1;
        let level = inner.degraded.load(Ordering::Relaxed);
        if !count.is_multiple_of(1 << level) {
            continue;
        }
        let now = crate::clock::now();
        {
            let mut table = lock(&inner.table);
            let told = table.tick(now);
            let forget = i64::from(inner.settings.forget_hours) * HOUR_MS;
            let forgotten = if count.is_multiple_of(240) { table.forget(now.plus(-forget), now) } else { 0 };
            if told + forgotten > 0 {
                inner.version.send_replace(table.version());
            }
        }
        hand_over(&waiting, batches.as_ref(), now);
        let spent = Instant::now().saturating_duration_since(due);
        let level = load.level(level, spent > Duration::from_millis(u64::from(tick_ms) / 2));
        inner.degraded.store(level, Ordering::Relaxed);
    }
}

fn hand_over(waiting: &Mutex<Batch>, batches: Option<&SyncSender<Batch>>, now: UtcMillis) {
    let mut batch = std::mem::take(&mut *lock(waiting));
    let Some(batches) = batches.filter(|_| !batch.is_empty()) else { return };
    batch.at = now;
    let steps = batch.steps.len();
    if let Err(error) = batches.try_send(batch) {
        metrics::counter!("gridhall_position_track_dropped_total").increment(steps as u64);
        // New inspectors must not be lost with the steps: their numbers are taken.
        let (std::sync::mpsc::TrySendError::Full(batch) | std::sync::mpsc::TrySendError::Disconnected(batch)) =
            error;
        lock(waiting).new.extend(batch.new);
    }
}

/// How long ticks have been late or on time.
#[derive(Debug, Default)]
struct Load {
    late: u8,
    calm: u8,
}

impl Load {
    /// The next level: up after four late ticks, down after forty on time.
    fn level(&mut self, level: u8, late: bool) -> u8 {
        (self.late, self.calm) = if late { (self.late + 1, 0) } else { (0, self.calm + 1) };
        if self.late >= 4 {
            *self = Self::default();
            return (level + 1).min(2);
        }
        if self.calm >= 40 {
            *self = Self::default();
            return level.saturating_sub(1);
        }
        level
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
