//! Positions as they were (复盘): read from the tracks of the hall that goes on, shown by a table of their own.
//!
//! What should be here: who stood where at an instant, who moved in a stretch. What should not: when that is shown (`replay`).
//! Tracks are kept for `positions.keep_days`; of what is older nothing is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::code::InspectorCode;
use domain::moment::{HOUR_MS, UtcMillis};
use tokio::sync::watch;

use super::track::{self, TrackError, Trouble};
use super::{Accepts, Batch, Inner, Positions, Step, TrackPoint};
use crate::clock::Clock;
use crate::lock::lock;
use crate::position::pace::Pace;
use crate::position::table::Table;

/// Who was where, and when.
pub type Seen = (InspectorCode, TrackPoint);

impl Positions {
    /// Nobody's, to show in them what `going_on` has on its tracks. Nothing is kept. Must be called within a tokio runtime,
    /// which carries the tick.
    #[must_use]
    pub fn of_past(going_on: &Self, accepts: Accepts, clock: Clock) -> Self {
        let settings = going_on.settings().clone();
        let accepts = Arc::new(arc_swap::ArcSwap::from_pointee(accepts));
        let waiting = Arc::new(std::sync::Mutex::<Batch>::default());
        let tick_ms = settings.tick_ms.max(10);
        let inner = Arc::new(Inner {
            pace: std::sync::Mutex::new(Pace::new(settings.fix_interval_ms)),
            table: std::sync::Mutex::new(Table::new(settings.cell_e6)),
            settings,
            accepts: accepts.clone(),
            clock: clock.clone(),
            waiting: waiting.clone(),
            version: watch::Sender::new(0),
            degraded: std::sync::atomic::AtomicU8::new(0),
            open: track::Open::default(),
            path: None,
            trouble: Trouble::default(),
            going_on: Some(going_on.clone()),
        });
        tokio::spawn(super::run(Arc::downgrade(&inner), tick_ms, waiting, None, (accepts, clock)));
        Self(inner)
    }

    /// Where everybody stood at an instant who had been heard within `positions.forget_hours` before it. Waits for the disk.
    pub fn stood(&self, at: UtcMillis) -> Result<Vec<Seen>, TrackError> {
        let since = at.plus(-i64::from(self.settings().forget_hours) * HOUR_MS);
        let mut newest: BTreeMap<InspectorCode, TrackPoint> = BTreeMap::new();
        if let Some(path) = &self.0.path {
            newest.extend(track::stood(path, since, at)?);
        }
        for (code, point) in self.unsealed(since, at) {
            match newest.get(&code) {
                Some(known) if known.fixed >= point.fixed => {}
                Some(_) | None => drop(newest.insert(code, point)),
            }
        }
        Ok(newest.into_iter().collect())
    }

    /// Who moved after `after` up to `upto`, in order of time; of each at most one point in `every_ms`. Waits for the disk.
    pub fn moved(&self, after: UtcMillis, upto: UtcMillis, every_ms: i64) -> Result<Vec<Seen>, TrackError> {
        let mut last: BTreeMap<(InspectorCode, i64), TrackPoint> = BTreeMap::new();
        let mut take = |(code, point): Seen| {
            let place = (code, point.fixed.0.div_euclid(every_ms.max(1)));
            match last.get(&place) {
                Some(known) if known.fixed >= point.fixed => {}
                Some(_) | None => drop(last.insert(place, point)),
            }
        };
        let from = after.plus(1);
        if let Some(path) = &self.0.path {
            track::moved(path, from, upto, &mut take)?;
        }
        self.unsealed(from, upto).into_iter().for_each(&mut take);
        let mut moved: Vec<Seen> = last.into_iter().map(|((code, _), point)| (code, point)).collect();
        moved.sort_by_key(|(_, point)| point.fixed);
        Ok(moved)
    }

    /// What is on no track yet.
    fn unsealed(&self, from: UtcMillis, to: UtcMillis) -> Vec<Seen> {
        let within = |point: &TrackPoint| (from..=to).contains(&point.fixed);
        let mut seen = Vec::new();
        {
            let table = lock(&self.0.table);
            let waiting = lock(&self.0.waiting);
            let steps = waiting.steps.iter().map(|step| (step.index, step.point()));
            for (index, point) in steps.filter(|(_, point)| within(point)) {
                seen.extend(table.people().get(index as usize).map(|person| (person.code.clone(), point)));
            }
        }
        for (code, points) in lock(&self.0.open).iter() {
            seen.extend(
                points.iter().filter(|point| within(point)).map(|point| (code.clone(), point.clone())),
            );
        }
        seen
    }

    /// Shows people where they were. What is older than what is shown of somebody is passed over.
    pub fn show(&self, seen: &[Seen]) {
        let mut table = lock(&self.0.table);
        for (code, point) in seen {
            let Some(index) = table.enter(code, point.place, point.fixed) else { continue };
            if table.people()[index as usize].fixed <= point.fixed {
                let TrackPoint { place, fixed, moving, heading_deg } = point.clone();
                table.put(&Step { index, place, fixed, moving, heading_deg });
            }
        }
    }
}
