//! Which days of tracks may go (保存期限): decided so that no reading of a clock that is wrong deletes anything.
//!
//! Three things must agree: the wall clock has kept pace with the monotonic one for a day, phones report about the time
//! it shows, and what goes is older than is kept before the newest of their fixes. And a day that goes costs half a day of
//! agreement, so that a clock that is wrong for a week takes two weeks of tracks with it at most, not all.

use domain::moment::{DAY_MS, HOUR_MS, UtcMillis};
use std::time::Duration;

/// A clock that keeps pace with the monotonic one, and a fix that is of now, differ by this at most.
const AGREES_MS: i64 = HOUR_MS;
/// Agreement it takes before a day goes.
const AGREED_MS: i64 = DAY_MS;
/// Agreement a day costs that goes.
const COST_MS: i64 = DAY_MS / 2;
/// A process that was away no longer than this goes on with the agreement of the one before.
const AWAY_MS: i64 = DAY_MS;

/// What is kept over a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreement {
    /// How long the clock has agreed, in milliseconds.
    pub agreed_ms: i64,
    /// The wall clock when that was noted.
    pub seen: UtcMillis,
}

/// Watches clock and fixes.
#[derive(Debug)]
pub struct Keep {
    days: u16,
    agreement: Agreement,
    /// Monotonic time of the last reading of this process.
    read: Option<Duration>,
    /// By how much the wall clock went ahead of the monotonic one since they agree.
    drift_ms: i64,
    /// The newest fix that was of its time of arrival.
    newest: Option<UtcMillis>,
}

impl Keep {
    pub fn new(days: u16, before: Agreement) -> Self {
        Self { days, agreement: before, read: None, drift_ms: 0, newest: None }
    }

    /// Notes the clocks, and the newest fix that came with them.
    pub fn note(&mut self, wall: UtcMillis, monotonic: Duration, newest: Option<UtcMillis>) {
        let passed = wall.since(self.agreement.seen);
        let (agrees, real) = match self.read {
            Some(read) => {
                let real = monotonic.saturating_sub(read).as_millis();
                let real = i64::try_from(real).unwrap_or(i64::MAX);
                // Added up, so that a clock that runs away in small steps is seen as well.
                self.drift_ms = self.drift_ms.saturating_add(passed.saturating_sub(real));
                (self.drift_ms.saturating_abs() <= AGREES_MS, real)
            }
            None => ((0..=AWAY_MS).contains(&passed), 0),
        };
        let agreed_ms = if agrees { self.agreement.agreed_ms.saturating_add(real) } else { 0 };
        if !agrees {
            (self.newest, self.drift_ms) = (None, 0);
        }
        // More than what two days cost is no credit.
        self.agreement = Agreement { agreed_ms: agreed_ms.min(AGREED_MS + COST_MS), seen: wall };
        self.read = Some(monotonic);
        let of_now = newest.filter(|fixed| fixed.since(wall).abs() <= AGREES_MS);
        self.newest = self.newest.max(of_now);
    }

    /// What lies before this may go, one day of it; none while the clock has not proved itself.
    pub fn before(&self) -> Option<UtcMillis> {
        if self.agreement.agreed_ms < AGREED_MS {
            return None;
        }
        let newest = self.newest?.min(self.agreement.seen);
        Some(newest.plus(-i64::from(self.days) * DAY_MS))
    }

    /// A day has gone.
    pub fn gone(&mut self) {
        self.agreement.agreed_ms -= COST_MS;
    }

    pub fn agreement(&self) -> Agreement {
        self.agreement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcMillis = UtcMillis(1_795_226_400_000);

    /// Runs for so many hours with fixes of the wall clock's time, a quarter of an hour each.
    fn run(keep: &mut Keep, wall: &mut UtcMillis, monotonic: &mut Duration, hours: i64) {
        for _ in 0..hours * 4 {
            *wall = wall.plus(HOUR_MS / 4);
            *monotonic += Duration::from_secs(900);
            keep.note(*wall, *monotonic, Some(wall.plus(-5_000)));
        }
    }

    #[test]
    fn a_day_goes_when_the_clock_has_agreed_for_a_day_and_two_days_at_most_in_one() {
        let mut keep = Keep::new(31, Agreement::default());
        let (mut wall, mut monotonic) = (START, Duration::from_secs(5));
        run(&mut keep, &mut wall, &mut monotonic, 24);
        assert_eq!(keep.before(), None);
        run(&mut keep, &mut wall, &mut monotonic, 1);
        assert_eq!(keep.before(), Some(wall.plus(-5_000 - 31 * DAY_MS)));
        let mut gone = 0;
        for _ in 0..10 * 24 {
            run(&mut keep, &mut wall, &mut monotonic, 1);
            if keep.before().is_some() {
                keep.gone();
                gone += 1;
            }
        }
        assert!((19..=21).contains(&gone), "{gone} in ten days");
    }

    #[test]
    fn a_clock_that_jumps_either_way_lets_nothing_go() {
        for jump_days in [32, 400, -32, -400, 2, -2] {
            let mut keep = Keep::new(31, Agreement::default());
            let (mut wall, mut monotonic) = (START, Duration::from_secs(5));
            run(&mut keep, &mut wall, &mut monotonic, 30);
            assert!(keep.before().is_some());
            wall = wall.plus(jump_days * DAY_MS);
            run(&mut keep, &mut wall, &mut monotonic, 23);
            assert_eq!(keep.before(), None, "{jump_days} days, for nearly a day");
            wall = wall.plus(-jump_days * DAY_MS);
            run(&mut keep, &mut wall, &mut monotonic, 23);
            assert_eq!(keep.before(), None, "right again");
        }
    }

    #[test]
    fn a_clock_that_runs_away_in_small_steps_lets_nothing_go() {
        let mut keep = Keep::new(31, Agreement::default());
        for quarter in 0..1_000u32 {
            // Half an hour in each quarter.
            let wall = START.plus(i64::from(quarter) * HOUR_MS / 2);
            keep.note(wall, Duration::from_secs(900) * quarter, Some(wall));
            assert_eq!(keep.before(), None);
        }
    }

    #[test]
    fn without_fixes_of_now_nothing_goes_however_long_the_clock_stands() {
        let mut keep = Keep::new(31, Agreement::default());
        for quarter in 0..1_000u32 {
            let wall = START.plus(i64::from(quarter) * HOUR_MS / 4);
            // The phones know that it is a month earlier.
            keep.note(wall, Duration::from_secs(900) * quarter, Some(wall.plus(-30 * DAY_MS)));
        }
        assert_eq!(keep.before(), None);
    }

    #[test]
    fn a_restart_goes_on_where_it_was_and_a_start_with_another_clock_begins_anew() {
        let known = Agreement { agreed_ms: AGREED_MS, seen: START };
        for (away_ms, goes_on) in
            [(HOUR_MS, true), (DAY_MS, true), (DAY_MS + 1, false), (-1, false), (400 * DAY_MS, false)]
        {
            let mut keep = Keep::new(31, known);
            let wall = START.plus(away_ms);
            keep.note(wall, Duration::from_secs(3), Some(wall));
            assert_eq!(keep.before().is_some(), goes_on, "away for {away_ms} ms");
        }
    }
}
