//! Inspectors' positions (监督员位置): the newest of everyone for the screens, all of them on disk for the track.
//!
//! What should be here: checking fixes, the tick, the hand-over to the track. What should not: which screen gets a
//! frame (`live`), the form of a frame (`domain::position`), the HTTP doors.
//!
//! Modules in reading order.

use arc_swap::ArcSwap;
use domain::code::InspectorCode;
use domain::moment::{HOUR_MS, UtcMillis};
use domain::place::Point;
use domain::wire::PositionRow;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

mod fix;
mod pace;
mod cells;
pub mod table;
pub mod track;
pub mod past;
#[cfg(test)]
mod tests;

use crate::clock::{self, Clock, Present};
use crate::lock::lock;
pub use fix::{Accepts, Fix, FixError, Step, TrackPoint};
use fix::{check, latest};
use pace::{Pace, Paced};
use table::Table;
pub use table::{Areas, WorksIn};
use track::{Batch, Open, TrackError, Tracks, Trouble};

/// Batches that may wait for the disk: about 16 seconds. Past that they wait before the tick.
const BATCHES_WAITING_MAX: usize = 64;
/// Fixes that may wait for the next tick. Past that they are not taken: whoever sent them keeps them.
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
    /// Days a track is kept, before the newest fixes.
    pub keep_days: u16,
    /// Milliseconds between two points of a track; fixes that lie closer move the inspector on the screens alone. 0 keeps
    /// everything.
    pub fix_interval_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cell_e6: 100_000, tick_ms: 250, forget_hours: 24, keep_days: 31, fix_interval_ms: 1_000 }
    }
}

/// Everyone's positions; clones share them.
#[derive(Debug, Clone)]
pub struct Positions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    settings: Settings,
    accepts: Arc<ArcSwap<Accepts>>,
    table: Mutex<Table>,
    pace: Mutex<Pace>,
    waiting: Arc<Mutex<Batch>>,
    version: watch::Sender<u64>,
    degraded: AtomicU8,
    open: Open,
    path: Option<PathBuf>,
    trouble: Trouble,
    /// Whose tracks are shown here, where these are the positions of the past.
    going_on: Option<Positions>,
}

impl Positions {
    /// Opens `positions.db` in `dir`, puts everyone where they were, and starts the tick. Without a folder nothing is
    /// kept. Must be called within a tokio runtime, which carries the tick.
    pub fn open(
        dir: Option<&Path>,
        settings: Settings,
        accepts: Accepts,
        clock: Clock,
    ) -> Result<Self, TrackError> {
        let open = Open::default();
        let mut table = Table::new(settings.cell_e6);
        let path = dir.map(|dir| dir.join("positions.db"));
        let (mut batches, mut trouble) = (None, Trouble::default());
        if let Some(path) = &path {
            let (tracks, known) = Tracks::open(path, settings.keep_days, open.clone())?;
            for person in known {
                let Some(newest) = person.newest else {
                    let nowhere = Point::from_e6(0, 0).expect("the origin lies on the globe");
                    table.enter(&person.code, nowhere, UtcMillis(0));
                    continue;
                };
                if let Some(index) = table.enter(&person.code, newest.place, newest.fixed) {
                    let TrackPoint { place, fixed, moving, heading_deg } = newest;
                    table.put(&Step { index, place, fixed, moving, heading_deg });
                }
            }
            trouble = tracks.trouble();
            let (sender, receiver) = sync_channel(BATCHES_WAITING_MAX);
            std::thread::Builder::new()
                .name("track".to_owned())
                .spawn(move || tracks.run(&receiver))
                .map_err(TrackError::Thread)?;
            batches = Some(sender);
        }
        let waiting = Arc::new(Mutex::default());
        let tick_ms = settings.tick_ms.max(10);
        let accepts = Arc::new(ArcSwap::from_pointee(accepts));
        let inner = Arc::new(Inner {
            pace: Mutex::new(Pace::new(settings.fix_interval_ms)),
            settings,
            accepts: accepts.clone(),
            clock: clock.clone(),
            table: Mutex::new(table),
            waiting: waiting.clone(),
            version: watch::Sender::new(0),
            degraded: AtomicU8::new(0),
            open,
            path,
            trouble,
            going_on: None,
        });
        tokio::spawn(run(Arc::downgrade(&inner), tick_ms, waiting, batches, (accepts, clock)));
        Ok(Self(inner))
    }

    /// Another policy says what is accepted from now on.
    pub fn accept(&self, accepts: Accepts) {
        self.0.accepts.store(Arc::new(accepts));
    }

    /// Takes fixes, each answered on its own. One that is thinned is answered as taken. While the clock is doubted they are judged
    /// by the time that is believed, or by the machine's own where theirs says the same; what fits neither is kept by who sent it
    /// ([`FixError::ClockDoubted`]).
    pub fn report(&self, fixes: &[Fix]) -> Vec<Result<(), FixError>> {
        let (present, monotonic) = (self.0.clock.present(), self.0.clock.monotonic());
        let latest = latest(present.now, &self.0.accepts.load());
        let mut table = lock(&self.0.table);
        let mut pace = lock(&self.0.pace);
        let mut waiting = lock(&self.0.waiting);
        fixes
            .iter()
            .map(|fix| {
                let outcome =
                    self.take(fix, present, latest, monotonic, (&mut table, &mut pace, &mut waiting));
                let word = outcome.as_ref().map_or_else(FixError::code, |paced| match paced {
                    Paced::Thin => "thinned",
                    Paced::Take | Paced::TooMany => "taken",
                });
                metrics::counter!("gridhall_position_fixes_total", "outcome" => word).increment(1);
                outcome.map(drop)
            })
            .collect()
    }

    fn take(
        &self,
        fix: &Fix,
        present: Present,
        latest: UtcMillis,
        monotonic: Duration,
        (table, pace, waiting): (&mut Table, &mut Pace, &mut Batch),
    ) -> Result<Paced, FixError> {
        check(fix, &self.0.accepts.load(), self.0.settings.keep_days, present)?;
        let (known, people) = (table.index(&fix.inspector), table.people().len());
        let entered = table.enter(&fix.inspector, fix.place, fix.fixed);
        let index = entered.ok_or(FixError::TooManyInspectors)?;
        if known.is_none() {
            waiting.new.push((index, fix.inspector.clone()));
            pace.renew(index);
            if (index as usize) < people {
                // A late fix of the one before must not stand in the track of the one after.
                waiting.steps.retain(|step| step.index != index);
            }
        }
        if self.0.trouble.is_there() || waiting.steps.len() >= STEPS_WAITING_MAX {
            // Screens go on; it is sent again for the track, and counts against nobody's pace.
            table.take(index, fix, latest);
            return Err(FixError::NotStored);
        }
        let paced = pace.take(index, fix.fixed, monotonic);
        if paced == Paced::TooMany {
            return Err(FixError::TooFast);
        }
        // Screens show the newest there is; a track needs no more than it has.
        let step = table.take(index, fix, latest);
        if paced == Paced::Thin {
            return Ok(paced);
        }
        waiting.steps.push(step);
        Ok(paced)
    }

    /// Newest positions in order of their number, those after `after`.
    #[must_use]
    pub fn newest(&self, after: Option<u32>, limit: usize) -> Vec<PositionRow> {
        let table = lock(&self.0.table);
        let first = after.map_or(0, |after| after.saturating_add(1));
        let all = first..u32::try_from(table.people().len()).unwrap_or(u32::MAX);
        all.filter_map(|index| table.newest(index)).filter(|row| row.place.is_some()).take(limit).collect()
    }

    /// Where an inspector was between two times, oldest first, the first `limit` points. Waits for the disk.
    pub fn track(
        &self,
        inspector: &InspectorCode,
        from: UtcMillis,
        to: UtcMillis,
        limit: usize,
    ) -> Result<Vec<TrackPoint>, TrackError> {
        if let Some(going_on) = &self.0.going_on {
            return going_on.track(inspector, from, to.min(self.0.clock.now()), limit);
        }
        // What is not sealed first: a seal meanwhile makes points double, not missing.
        let index = lock(&self.0.table).index(inspector);
        let waiting: Vec<TrackPoint> = lock(&self.0.waiting)
            .steps
            .iter()
            .filter(|step| Some(step.index) == index)
            .map(Step::point)
            .collect();
        let open = lock(&self.0.open).get(inspector).cloned().unwrap_or_default();
        let mut points: Vec<TrackPoint> = waiting.into_iter().chain(open).collect();
        points.retain(|point| (from..=to).contains(&point.fixed));
        if let Some(path) = &self.0.path {
            points.extend(track::sealed(path, inspector, from, to, limit)?);
        }
        points.sort_by_key(|point| point.fixed);
        points.dedup_by_key(|point| point.fixed);
        points.truncate(limit);
        Ok(points)
    }

    /// Why positions are not taken at present; none while all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.why()
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

    /// Tells where everybody works; until then nobody is seen by those who see a part.
    pub fn set_works_in(&self, works_in: WorksIn) {
        lock(&self.0.table).set_works_in(works_in);
    }

    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Runs `read` on the table; must be quick.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&mut Table) -> T) -> T {
        read(&mut lock(&self.0.table))
    }
}

/// The tick: until the last `Positions` is dropped.
async fn run(
    inner: std::sync::Weak<Inner>,
    tick_ms: u32,
    waiting: Arc<Mutex<Batch>>,
    batches: Option<SyncSender<Batch>>,
    (accepts, clock): (Arc<ArcSwap<Accepts>>, Clock),
) {
    let mut load = Load::default();
    let mut ticks = tokio::time::interval(Duration::from_millis(u64::from(tick_ms)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0u64;
    loop {
        let due = ticks.tick().await;
        let Some(inner) = inner.upgrade() else {
            // What came in since the last tick; the thread writes it before it ends.
            return hand_over(&waiting, batches.as_ref(), &clock, &accepts.load());
        };
        count += 1;
        let level = inner.degraded.load(Ordering::Relaxed);
        if !count.is_multiple_of(1 << level) {
            continue;
        }
        let Present { now, believed, .. } = clock.present();
        {
            let mut table = lock(&inner.table);
            let told = table.tick(now);
            let forget = i64::from(inner.settings.forget_hours) * HOUR_MS;
            // What is forgotten stays so: by the time that is believed.
            let before = believed.plus(-forget);
            let forgotten = if count.is_multiple_of(240) { table.forget(before, now) } else { 0 };
            if told + forgotten > 0 {
                inner.version.send_replace(table.version());
            }
        }
        hand_over(&waiting, batches.as_ref(), &clock, &accepts.load());
        let spent = clock::instant().saturating_duration_since(due.into());
        let level = load.level(level, spent > Duration::from_millis(u64::from(tick_ms) / 2));
        inner.degraded.store(level, Ordering::Relaxed);
    }
}

/// Gives what came in to the disk; what it has no room for waits where it is.
fn hand_over(waiting: &Mutex<Batch>, batches: Option<&SyncSender<Batch>>, clock: &Clock, accepts: &Accepts) {
    let mut waiting = lock(waiting);
    let Some(batches) = batches.filter(|_| !waiting.is_empty()) else {
        // Nobody keeps a track.
        *waiting = Batch::default();
        return;
    };
    let (now, mut batch) = (clock.present().believed, std::mem::take(&mut *waiting));
    (batch.at, batch.monotonic, batch.latest) = (now, clock.monotonic(), latest(now, accepts));
    if let Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) = batches.try_send(batch) {
        *waiting = batch;
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
