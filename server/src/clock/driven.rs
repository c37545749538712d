//! A clock that somebody drives: as fast as they say, standing still, or taken to another instant.
//!
//! What should be here: how far such a clock is, and waking whoever waits by it. What should not: who may drive it, and
//! which paces are allowed (`http::world`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::moment::UtcMillis;
use domain::world::PACE_REAL;
use tokio::sync::watch;

use super::{Clock, Hands, since_start};
use crate::lock::lock;

/// Where the hall's time stands.
#[derive(Debug, Clone, Copy)]
struct Course {
    /// The hall's time at `since`, in microseconds since 1970-01-01 UTC.
    hall_us: i64,
    /// Of the machine's monotonic time.
    since: Duration,
    pace_milli: u32,
}

impl Course {
    fn us_at(self, monotonic: Duration) -> i64 {
        let passed = monotonic.saturating_sub(self.since).as_micros();
        let passed = passed.saturating_mul(u128::from(self.pace_milli)) / u128::from(PACE_REAL);
        self.hall_us.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

/// Called at each change, on the thread of whoever changes the clock; answers whether it wants to be called again.
type Bell = Box<dyn Fn() -> bool + Send + Sync>;

struct Drive {
    course: Mutex<Course>,
    changes: watch::Sender<()>,
    bells: Mutex<Vec<Bell>>,
}

/// Drives one hall's clock; clones drive the same.
#[derive(Clone)]
pub struct Driver(Arc<Drive>);

impl Driver {
    fn new(start: UtcMillis, pace_milli: u32) -> Self {
        let hall_us = start.0.saturating_mul(1_000);
        let course = Mutex::new(Course { hall_us, since: since_start(), pace_milli });
        Self(Arc::new(Drive { course, changes: watch::Sender::new(()), bells: Mutex::default() }))
    }

    /// The hall's time.
    #[must_use]
    pub fn now(&self) -> UtcMillis {
        UtcMillis(self.now_us().div_euclid(1_000))
    }

    pub(super) fn now_us(&self) -> i64 {
        lock(&self.0.course).us_at(since_start())
    }

    /// In thousandths of the pace at which time passes.
    #[must_use]
    pub fn pace_milli(&self) -> u32 {
        lock(&self.0.course).pace_milli
    }

    /// Time and pace of one moment.
    pub(super) fn course(&self) -> (UtcMillis, u32) {
        let course = *lock(&self.0.course);
        (UtcMillis(course.us_at(since_start()).div_euclid(1_000)), course.pace_milli)
    }

    /// From now on the clock goes at this pace, in thousandths; 0 stops it where it is.
    pub fn set_pace_milli(&self, pace_milli: u32) {
        self.change(|course, monotonic| {
            (course.hall_us, course.since) = (course.us_at(monotonic), monotonic);
            course.pace_milli = pace_milli;
        });
    }

    /// Takes the clock to another instant, from where it goes on at its pace. A hall whose writer has given later times
    /// already gives no earlier ones after it.
    pub fn jump(&self, at: UtcMillis) {
        self.change(|course, monotonic| {
            (course.hall_us, course.since) = (at.0.saturating_mul(1_000), monotonic);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Course, Duration)) {
        change(&mut lock(&self.0.course), since_start());
        self.0.changes.send_replace(());
        lock(&self.0.bells).retain(|bell| bell());
    }

    /// How long the machine takes until the hall's clock says `at`; none while it stands still before that.
    fn until(&self, at: UtcMillis) -> Option<Duration> {
        let course = *lock(&self.0.course);
        let left = at.0.saturating_mul(1_000).saturating_sub(course.us_at(since_start())).max(0);
        if left == 0 {
            return Some(Duration::ZERO);
        }
        let pace = i128::from(course.pace_milli);
        // Rounded up: whoever wakes then finds the instant reached.
        let us = (i128::from(left) * i128::from(PACE_REAL) + pace - 1).checked_div(pace)?;
        Some(Duration::from_micros(u64::try_from(us).unwrap_or(u64::MAX)))
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Driver").field(&self.course()).finish()
    }
}

/// Tells whenever a clock is driven otherwise; never for one that nobody drives.
pub struct Changes(Option<watch::Receiver<()>>);

impl Changes {
    /// Returns at the next change, or at once for one since the last call.
    pub async fn next(&mut self) {
        if let Some(changes) = &mut self.0
            && changes.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

impl Clock {
    /// A clock that begins at `start` and goes at a pace in thousandths, with what drives it. It is never doubted: whoever
    /// drives it knows what it says.
    #[must_use]
    pub fn driven(start: UtcMillis, pace_milli: u32) -> (Self, Driver) {
        let driver = Driver::new(start, pace_milli);
        let hand = driver.clone();
        let mut hands = Hands::new(Box::new(move || hand.now_us()), Box::new(since_start));
        hands.driver = Some(driver.clone());
        (Self(Arc::new(hands)), driver)
    }

    pub(super) fn is_driven(&self) -> bool {
        self.0.driver.is_some()
    }

    /// The present, and the pace at which it goes on, in thousandths.
    #[must_use]
    pub fn course(&self) -> (UtcMillis, u32) {
        self.0.driver.as_ref().map_or_else(|| (self.now(), PACE_REAL), Driver::course)
    }

    /// How long the machine takes until the hall's instant `at`, as the clock goes now: nothing when it has passed, none
    /// while the clock stands still before it.
    #[must_use]
    pub fn until(&self, at: UtcMillis) -> Option<Duration> {
        match &self.0.driver {
            Some(driver) => driver.until(at),
            None => Some(Duration::from_millis(at.since(self.now()).max(0).unsigned_abs())),
        }
    }

    /// For whoever waits by this clock: it may be driven otherwise meanwhile.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes(self.0.driver.as_ref().map(|driver| driver.0.changes.subscribe()))
    }

    /// As [`Clock::changes`], for a thread: `bell` is called at each change until it answers false.
    pub(crate) fn ring(&self, bell: impl Fn() -> bool + Send + Sync + 'static) {
        if let Some(driver) = &self.0.driver {
            lock(&driver.0.bells).push(Box::new(bell));
        }
    }

    /// Returns once the hall's clock has reached `at`, however it is driven meanwhile.
    pub async fn reached(&self, at: UtcMillis) {
        let mut changes = self.changes();
        while self.now() < at {
            let left = self.until(at);
            let pass = async {
                match left {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = pass => {}
                () = changes.next() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
