//! The only file of the server that reads the time; and how far a reading is believed.
//!
//! Two kinds of time. What a hall goes by is a [`Clock`], handed on from whoever starts the hall to whoever needs it, so that
//! another hall may go by another. How long the machine takes over something, and until when it is waited for, is no hall's:
//! an [`Instant`] is the same for everybody. [`Steady`] and [`Trust`] are pure: they are told what the clocks say.

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use domain::moment::UtcMillis;

mod driven;
mod trust;

pub use driven::{Changes, Driver};
use trust::DOUBTED_MS;
pub(crate) use trust::Trust;

/// What a hall goes by; cheap to clone. While the machine's clock is set back by more than an hour and not believed yet, or says
/// a time beyond 2199, which is wrong for certain, the hall goes on by the time that was last believed.
#[derive(Clone)]
pub struct Clock(Arc<Hands>);

struct Hands {
    /// Microseconds since 1970-01-01 UTC.
    wall_us: Box<dyn Fn() -> i64 + Send + Sync>,
    monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Microseconds that the time which was last believed is ahead of the monotonic one; `UNKNOWN` before there was any.
    ahead_us: AtomicI64,
    /// The wall clock was doubted when [`Watch`] last read it.
    doubted: AtomicBool,
    /// Who drives it, where somebody does.
    driver: Option<Driver>,
}

const UNKNOWN: i64 = i64::MIN;

impl Hands {
    fn new(
        wall_us: Box<dyn Fn() -> i64 + Send + Sync>,
        monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    ) -> Self {
        let (ahead_us, doubted) = (AtomicI64::new(UNKNOWN), AtomicBool::new(false));
        Self { wall_us, monotonic, ahead_us, doubted, driver: None }
    }

    fn monotonic_us(&self) -> i64 {
        i64::try_from((self.monotonic)().as_micros()).unwrap_or(i64::MAX)
    }
}

fn is_possible(wall_us: i64) -> bool {
    UtcMillis(wall_us.div_euclid(1_000)).is_possible()
}

impl Clock {
    /// The clock of the machine. Whoever starts something takes it, and hands it on.
    #[must_use]
    pub fn machine() -> Self {
        Self(Arc::new(Hands::new(Box::new(machine_us), Box::new(since_start))))
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> UtcMillis {
        UtcMillis(self.now_us() / 1_000)
    }

    /// The present in microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        match self.look() {
            (wall_us, None) => wall_us,
            // A clock that leapt ahead is followed: what is ahead of it goes by what is believed, and asks for that.
            (wall_us, Some(believed_us)) if is_possible(wall_us) => wall_us.max(believed_us),
            (_, Some(believed_us)) => believed_us,
        }
    }

    /// The present, for what must not rest on one reading of the wall clock.
    #[must_use]
    pub fn present(&self) -> Present {
        let (wall_us, believed_us) = self.look();
        let believed = UtcMillis(believed_us.unwrap_or(wall_us).div_euclid(1_000));
        Present { now: self.now(), believed, is_doubted: believed_us.is_some() }
    }

    /// Whether the wall clock is not believed at present.
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.look().1.is_some()
    }

    /// The wall clock, and while it is doubted what is believed in its place, in microseconds. Before anything was believed
    /// there is nothing to doubt it by.
    fn look(&self) -> (i64, Option<i64>) {
        let wall_us = (self.0.wall_us)();
        let ahead_us = self.0.ahead_us.load(Ordering::Relaxed);
        if ahead_us == UNKNOWN {
            return (wall_us, None);
        }
        let believed_us = ahead_us.saturating_add(self.0.monotonic_us());
        let leapt = wall_us.abs_diff(believed_us) > DOUBTED_MS.unsigned_abs() * 1_000;
        let is_doubted = leapt || !is_possible(wall_us) || self.0.doubted.load(Ordering::Relaxed);
        (wall_us, is_doubted.then_some(believed_us))
    }

    fn wall(&self) -> UtcMillis {
        UtcMillis((self.0.wall_us)().div_euclid(1_000))
    }

    /// Whether the machine says a time that cannot be: beyond the year 2199.
    #[must_use]
    pub fn is_off(&self) -> bool {
        !is_possible((self.0.wall_us)())
    }

    /// Tells it which time is believed now, and whether the wall clock is doubted. Nothing else makes a reading believed. A
    /// clock that is driven needs no belief.
    pub(crate) fn knew(&self, believed: UtcMillis, is_doubted: bool) {
        if self.is_driven() {
            return;
        }
        let ahead_us = believed.0.saturating_mul(1_000).saturating_sub(self.0.monotonic_us());
        self.0.ahead_us.store(ahead_us, Ordering::Relaxed);
        self.0.doubted.store(is_doubted, Ordering::Relaxed);
    }

    /// Time since some fixed moment of this process, unmoved by anyone setting the clock.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        (self.0.monotonic)()
    }
}

/// One look at the clock.
#[derive(Debug, Clone, Copy)]
pub struct Present {
    /// As [`Clock::now`].
    pub now: UtcMillis,
    /// The time that is believed: the same, unless the wall clock leapt ahead or was set back and is doubted.
    pub believed: UtcMillis,
    pub is_doubted: bool,
}

/// A time that nobody doubts.
impl From<UtcMillis> for Present {
    fn from(now: UtcMillis) -> Self {
        Self { now, believed: now, is_doubted: false }
    }
}

/// A wall clock that somebody else sets; the monotonic one is the machine's.
impl From<Box<dyn Fn() -> UtcMillis + Send + Sync>> for Clock {
    fn from(wall: Box<dyn Fn() -> UtcMillis + Send + Sync>) -> Self {
        let wall_us = Box::new(move || wall().0.saturating_mul(1_000));
        Self(Arc::new(Hands::new(wall_us, Box::new(since_start))))
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

#[allow(clippy::disallowed_methods)]
fn machine_us() -> i64 {
    // A clock before 1970 is a broken machine; counting from zero is then as good as any answer.
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn since_start() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// A moment of the machine, by the clock that nobody sets: from here on it is measured, or until then waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(tokio::time::Instant);

/// This moment.
#[must_use]
pub fn instant() -> Instant {
    Instant(tokio::time::Instant::now())
}

impl Instant {
    /// How long it is ago.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// From `earlier` until this one; nothing when it is the earlier one.
    #[must_use]
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// For those who sleep until then.
    pub fn reached(self) -> tokio::time::Sleep {
        tokio::time::sleep_until(self.0)
    }
}

impl From<tokio::time::Instant> for Instant {
    fn from(at: tokio::time::Instant) -> Self {
        Self(at)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(at: std::time::Instant) -> Self {
        Self(at.into())
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0 + later)
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}

/// Waits for `work` until a moment; none when it was not done by then.
pub async fn by<F: IntoFuture>(until: Instant, work: F) -> Option<F::Output> {
    tokio::time::timeout_at(until.0, work).await.ok()
}

/// The time of one group of commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// What events are given.
    pub given: UtcMillis,
    /// What alarms go by; not later.
    pub believed: UtcMillis,
    /// How far the wall clock is ahead of what is believed, in milliseconds; negative where it is behind, 0 where it is believed.
    pub doubted_ms: i64,
}

impl Now {
    /// What is believed in place of the time that is given; none while that is believed itself.
    pub(crate) fn instead(self) -> Option<UtcMillis> {
        (self.believed != self.given).then_some(self.believed)
    }
}

/// The writer's clock: what it gives events, and how far it is believed.
pub(crate) struct Watch {
    clock: Clock,
    steady: Steady,
    trust: Trust,
    /// The machine said a time that cannot be, at the last reading.
    off: bool,
    /// The last time given by a clock that is driven.
    given: UtcMillis,
}

impl Watch {
    /// `last` and `confirm_after` as for [`Trust::new`].
    pub(crate) fn new(clock: Clock, last: Option<UtcMillis>, confirm_after: Option<Duration>) -> Self {
        let trust = Trust::new(last, clock.monotonic(), confirm_after);
        let given = last.unwrap_or(UtcMillis::EARLIEST);
        Self { clock, steady: Steady::default(), trust, off: false, given }
    }

    /// Reads the clocks. `believe`: an operator has said that the wall clock is right.
    pub(crate) fn read(&mut self, believe: bool) -> Now {
        if self.clock.is_driven() {
            // Nobody set it by mistake. Where it was taken back, events stay in order of time all the same.
            self.given = self.given.max(self.clock.now());
            return Now { given: self.given, believed: self.given, doubted_ms: 0 };
        }
        self.tell();
        let monotonic = self.clock.monotonic();
        let wall = if self.off { self.clock.now() } else { self.clock.wall() };
        if !wall.is_possible() {
            // Nothing is known: such a time is neither believed nor doubted.
            return Now { given: wall, believed: wall, doubted_ms: 0 };
        }
        let wall = self.steady.now(wall, monotonic);
        if believe {
            self.trust.believe(wall, monotonic);
        }
        let believed = self.trust.believed(wall, monotonic);
        // Ahead, events follow the wall clock, since a hall that was stopped for days is ahead and right. Set back, they go on
        // by what is believed: what was given an earlier time would be overdue for good as soon as the clock is right.
        let given = self.steady.gave(wall.max(believed));
        self.clock.knew(believed, believed != wall);
        Now { given, believed, doubted_ms: wall.since(believed) }
    }

    fn tell(&mut self) {
        let was = std::mem::replace(&mut self.off, self.clock.is_off());
        match (was, self.off) {
            (false, true) => tracing::error!(
                "the machine's clock says a time beyond 2199; the hall goes on by the time it last knew, set the clock right"
            ),
            (true, false) => tracing::info!("the machine's clock says a time that can be"),
            (true, true) | (false, false) => {}
        }
    }
}

/// A wall clock that was set back by at most this is waited for, so that events stay in order of time.
pub(crate) const HOLD_MS: i64 = 5_000;
/// A difference between wall and monotonic time that is worth a line in the log.
const JUMP_MS: i64 = 2_000;

/// The time events are given: the wall clock, but never a little backwards.
///
/// A clock set back further is followed as far as it is believed ([`Trust`]): it must not freeze the hall for an hour.
#[derive(Debug, Default)]
pub(crate) struct Steady {
    last: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: UtcMillis,
    monotonic: Duration,
    given: UtcMillis,
}

impl Steady {
    pub(crate) fn now(&mut self, wall: UtcMillis, monotonic: Duration) -> UtcMillis {
        let mut given = wall;
        if let Some(last) = self.last {
            let passed_ms = i64::try_from((monotonic - last.monotonic).as_millis()).unwrap_or(i64::MAX);
            let jump_ms = wall.since(last.wall).saturating_sub(passed_ms);
            if jump_ms.abs() >= JUMP_MS {
                tracing::warn!(jump_ms, "wall clock was set; deadlines fire in their order");
            }
            if wall < last.given && last.given.since(wall) <= HOLD_MS {
                given = last.given;
            }
        }
        self.last = Some(Reading { wall, monotonic, given });
        given
    }

    /// What was given in the end.
    fn gave(&mut self, given: UtcMillis) -> UtcMillis {
        self.last.iter_mut().for_each(|last| last.given = given);
        given
    }
}

#[cfg(test)]
mod tests;
