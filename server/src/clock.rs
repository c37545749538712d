//! The only file of the server that reads the time; and how far a reading is believed.
//!
//! Two kinds of time. What a hall goes by is a [`Clock`], handed on from whoever starts the hall to whoever needs it, so that
//! another hall may go by another. How long the machine takes over something, and until when it is waited for, is no hall's:
//! an [`Instant`] is the same for everybody. [`Steady`] and [`Trust`] are pure: they are told what the clocks say.

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::moment::UtcMillis;

/// What a hall goes by; cheap to clone. A machine whose clock says a time beyond 2199 is broken for certain: the hall then goes
/// on by the time it last knew.
#[derive(Clone)]
pub struct Clock(Arc<Hands>);

struct Hands {
    /// Microseconds since 1970-01-01 UTC.
    wall_us: Box<dyn Fn() -> i64 + Send + Sync>,
    monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Microseconds that the last possible wall time was ahead of the monotonic one; `UNKNOWN` before there was any.
    ahead_us: AtomicI64,
}

const UNKNOWN: i64 = i64::MIN;

impl Hands {
    fn new(
        wall_us: Box<dyn Fn() -> i64 + Send + Sync>,
        monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    ) -> Self {
        Self { wall_us, monotonic, ahead_us: AtomicI64::new(UNKNOWN) }
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
        let (wall_us, monotonic_us) = ((self.0.wall_us)(), self.0.monotonic_us());
        if is_possible(wall_us) {
            self.0.ahead_us.store(wall_us - monotonic_us, Ordering::Relaxed);
            return wall_us;
        }
        match self.0.ahead_us.load(Ordering::Relaxed) {
            UNKNOWN => wall_us,
            ahead_us => ahead_us.saturating_add(monotonic_us),
        }
    }

    /// Whether the machine says a time that cannot be: beyond the year 2199.
    #[must_use]
    pub fn is_off(&self) -> bool {
        !is_possible((self.0.wall_us)())
    }

    /// Tells it a time that the hall knew, for a machine that has said none that can be.
    pub(crate) fn knew(&self, then: UtcMillis) {
        let ahead_us = then.0.saturating_mul(1_000).saturating_sub(self.0.monotonic_us());
        // Where it knows better already, that stays.
        let _ = self.0.ahead_us.compare_exchange(UNKNOWN, ahead_us, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Time since some fixed moment of this process, unmoved by anyone setting the clock.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        (self.0.monotonic)()
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
}

impl Watch {
    /// `last` and `confirm_after` as for [`Trust::new`].
    pub(crate) fn new(clock: Clock, last: Option<UtcMillis>, confirm_after: Option<Duration>) -> Self {
        let trust = Trust::new(last, clock.monotonic(), confirm_after);
        Self { clock, steady: Steady::default(), trust, off: false }
    }

    /// Reads the clocks. `believe`: an operator has said that the wall clock is right.
    pub(crate) fn read(&mut self, believe: bool) -> Now {
        self.tell();
        let (wall, monotonic) = (self.clock.now(), self.clock.monotonic());
        let given = self.steady.now(wall, monotonic);
        if believe {
            self.trust.believe(given, monotonic);
        }
        Now { given, believed: self.trust.believed(given, monotonic) }
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
/// A clock set back further is followed: an hour set by mistake must not freeze the hall for an hour.
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
}

/// A jump ahead by more than this is not believed at once. Less is what a clock does that is set right after a night, and
/// what it makes overdue would have been within the hour.
const DOUBTED_MS: i64 = 3_600_000;
/// A clock that is doubted stands while it keeps its pace within this.
const STANDS_MS: i64 = 60_000;

/// How far the wall clock is believed: an act that nothing takes back must not rest on one reading of it.
///
/// Time goes on by the monotonic clock from the last reading that was believed. A wall clock that is suddenly ahead of that
/// is believed once it has stood for a while, or when an operator says so. One that is set back is believed at once: it
/// makes nothing due.
#[derive(Debug)]
pub(crate) struct Trust {
    /// None: however long it stands, only an operator's word makes it believed.
    confirm_after: Option<Duration>,
    /// Wall and monotonic time of the last reading that was believed.
    base: Option<(UtcMillis, Duration)>,
    /// The first reading of the jump that is doubted.
    doubted: Option<(UtcMillis, Duration)>,
}

impl Trust {
    /// `last` is when the hall last knew the time, before this process.
    pub(crate) fn new(last: Option<UtcMillis>, monotonic: Duration, confirm_after: Option<Duration>) -> Self {
        Self { confirm_after, base: last.map(|last| (last, monotonic)), doubted: None }
    }

    /// The time by which alarms may go off; never later than the wall clock.
    pub(crate) fn believed(&mut self, wall: UtcMillis, monotonic: Duration) -> UtcMillis {
        let Some(base) = self.base else { return self.believe(wall, monotonic) };
        let expected = after(base, monotonic);
        if wall.since(expected) <= DOUBTED_MS {
            return self.believe(wall, monotonic);
        }
        let Some(confirm_after) = self.confirm_after else { return expected };
        let stands = |doubted| wall.since(after(doubted, monotonic)).abs() <= STANDS_MS;
        let since = self.doubted.filter(|doubted| stands(*doubted));
        let since = since.unwrap_or_else(|| {
            let ahead_s = wall.since(expected) / 1_000;
            let minutes = confirm_after.as_secs() / 60;
            tracing::warn!(
                ahead_s,
                minutes,
                "clock jumped ahead; alarms are held until it has stood for these minutes"
            );
            (wall, monotonic)
        });
        self.doubted = Some(since);
        if monotonic.saturating_sub(since.1) >= confirm_after {
            tracing::info!("clock believed: it has stood");
            return self.believe(wall, monotonic);
        }
        expected
    }

    /// Takes a reading as the time.
    pub(crate) fn believe(&mut self, wall: UtcMillis, monotonic: Duration) -> UtcMillis {
        (self.base, self.doubted) = (Some((wall, monotonic)), None);
        wall
    }
}

fn after((wall, then): (UtcMillis, Duration), monotonic: Duration) -> UtcMillis {
    wall.plus(i64::try_from(monotonic.saturating_sub(then).as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
