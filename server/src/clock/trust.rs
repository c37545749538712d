//! How far the wall clock is believed.
//!
//! What should be here: when a reading is the time, told what the clocks say. What should not: reading them, and what is done
//! while one is doubted (`clock`).

use std::time::Duration;

use domain::moment::UtcMillis;

use super::JUMP_MS;

/// A leap by more than this is not believed at once. Less is what a clock does that is set right after a night, and
/// what it makes overdue would have been within the hour.
pub(super) const DOUBTED_MS: i64 = 3_600_000;
/// A clock that is doubted stands while it keeps its pace within this.
const STANDS_MS: i64 = 60_000;

/// How far the wall clock is believed: what nothing takes back must not rest on one reading of it.
///
/// Time goes on by the monotonic clock from the last reading that was believed. A wall clock that is suddenly ahead of that, or
/// behind it, is believed once it has stood for a while, or when an operator says so. Small leaps are believed until together
/// they are as much.
#[derive(Debug)]
pub(crate) struct Trust {
    /// None: however long it stands, only an operator's word makes it believed.
    confirm_after: Option<Duration>,
    /// Wall and monotonic time of the last reading that was believed.
    base: Option<(UtcMillis, Duration)>,
    /// The first reading of the leap that is doubted.
    doubted: Option<(UtcMillis, Duration)>,
    /// How far small leaps that were believed have led, in milliseconds, and when the last was; until the clock has stood since.
    leapt: (i64, Duration),
}

impl Trust {
    /// `last` is when the hall last knew the time, before this process.
    pub(crate) fn new(last: Option<UtcMillis>, monotonic: Duration, confirm_after: Option<Duration>) -> Self {
        let base = last.map(|last| (last, monotonic));
        Self { confirm_after, base, doubted: None, leapt: (0, monotonic) }
    }

    /// The time by which alarms may go off.
    pub(crate) fn believed(&mut self, wall: UtcMillis, monotonic: Duration) -> UtcMillis {
        let Some(base) = self.base else { return self.believe(wall, monotonic) };
        let expected = after(base, monotonic);
        let leap_ms = wall.since(expected);
        if self.is_small(leap_ms, monotonic) {
            (self.base, self.doubted) = (Some((wall, monotonic)), None);
            return wall;
        }
        let Some(confirm_after) = self.confirm_after else { return expected };
        let stands = |doubted| wall.since(after(doubted, monotonic)).abs() <= STANDS_MS;
        let since = self.doubted.filter(|doubted| stands(*doubted));
        let since = since.unwrap_or_else(|| {
            let (ahead_s, minutes) = (leap_ms / 1_000, confirm_after.as_secs() / 60);
            if leap_ms > 0 {
                tracing::warn!(
                    ahead_s,
                    minutes,
                    "clock jumped ahead; alarms are held until it has stood for these minutes"
                );
            } else {
                tracing::warn!(
                    ahead_s,
                    minutes,
                    "clock was set back; the hall goes on without it until it has stood for these minutes"
                );
            }
            (wall, monotonic)
        });
        self.doubted = Some(since);
        if monotonic.saturating_sub(since.1) >= confirm_after {
            tracing::info!("clock believed: it has stood");
            return self.believe(wall, monotonic);
        }
        expected
    }

    /// Whether a leap is believed at once, alone and with those before it.
    fn is_small(&mut self, leap_ms: i64, monotonic: Duration) -> bool {
        let (before_ms, last) = self.leapt;
        let has_stood = self.confirm_after.is_some_and(|stands| monotonic.saturating_sub(last) >= stands);
        let leapt_ms = leap_ms.saturating_add(if has_stood { 0 } else { before_ms });
        let is_small = leap_ms.abs() <= DOUBTED_MS && leapt_ms.abs() <= DOUBTED_MS;
        if is_small && leap_ms.abs() >= JUMP_MS {
            self.leapt = (leapt_ms, monotonic);
        }
        is_small
    }

    /// Takes a reading as the time.
    pub(crate) fn believe(&mut self, wall: UtcMillis, monotonic: Duration) -> UtcMillis {
        (self.base, self.doubted, self.leapt) = (Some((wall, monotonic)), None, (0, monotonic));
        wall
    }
}

fn after((wall, then): (UtcMillis, Duration), monotonic: Duration) -> UtcMillis {
    wall.plus(i64::try_from(monotonic.saturating_sub(then).as_millis()).unwrap_or(i64::MAX))
}
