//! The hall's time between two heartbeats: carried on by the hearer's own clock, at the pace at which the hall goes.
//!
//! Pure: what the hearer's clock says is an argument, in milliseconds since some moment of its own, never running backwards.

use crate::moment::UtcMillis;
use crate::world::PACE_REAL;

/// More than a network's jitter, in milliseconds of the hearer's clock: a time that differs by more is taken over at once.
const JITTER_MS: f64 = 500.0;
/// Below that, the part of a difference that a heartbeat takes away: digits do not stutter.
const GLIDE: f64 = 0.1;

/// Where the hall's time stands, and how it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// The hall's time at `own_ms`, in milliseconds UTC.
    hall_ms: f64,
    own_ms: f64,
    pace_milli: u32,
}

impl Course {
    /// The hall's clock said `hall` when the hearer's said `own_ms`.
    #[must_use]
    pub fn new(hall: UtcMillis, pace_milli: u32, own_ms: f64) -> Self {
        Self { hall_ms: hall.0 as f64, own_ms, pace_milli }
    }

    fn pace(self) -> f64 {
        f64::from(self.pace_milli) / f64::from(PACE_REAL)
    }

    fn ms_at(self, own_ms: f64) -> f64 {
        self.hall_ms + (own_ms - self.own_ms) * self.pace()
    }

    /// The hall's time when the hearer's clock says `own_ms`.
    #[must_use]
    pub fn at(self, own_ms: f64) -> UtcMillis {
        UtcMillis(self.ms_at(own_ms) as i64)
    }

    /// In thousandths of the pace at which time passes.
    #[must_use]
    pub fn pace_milli(self) -> u32 {
        self.pace_milli
    }

    /// Goes on from what the hall has just said.
    #[must_use]
    pub fn heard(self, hall: UtcMillis, pace_milli: u32, own_ms: f64) -> Self {
        let said = Self::new(hall, pace_milli, own_ms);
        let expected_ms = self.ms_at(own_ms);
        let off_ms = said.hall_ms - expected_ms;
        if pace_milli != self.pace_milli || off_ms.abs() > JITTER_MS * said.pace() {
            return said;
        }
        Self { hall_ms: expected_ms + off_ms * GLIDE, ..said }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIXTY: u32 = 60 * PACE_REAL;

    #[test]
    fn time_goes_on_between_heartbeats_at_the_halls_pace() {
        let real = Course::new(UtcMillis(10_000), PACE_REAL, 500.0);
        assert_eq!([real.at(500.0), real.at(1_500.0)], [UtcMillis(10_000), UtcMillis(11_000)]);
        let fast = Course::new(UtcMillis(10_000), SIXTY, 500.0);
        assert_eq!(fast.at(1_500.0), UtcMillis(70_000));
        let stands = Course::new(UtcMillis(10_000), 0, 500.0);
        assert_eq!(stands.at(90_000.0), UtcMillis(10_000));
    }

    #[test]
    fn another_pace_holds_from_the_moment_it_is_heard() {
        let course = Course::new(UtcMillis(0), PACE_REAL, 0.0).heard(UtcMillis(1_000), SIXTY, 1_000.0);
        assert_eq!([course.at(1_000.0), course.at(2_000.0)], [UtcMillis(1_000), UtcMillis(61_000)]);
        let paused = course.heard(UtcMillis(61_000), 0, 2_000.0);
        assert_eq!(paused.at(9_000.0), UtcMillis(61_000));
    }

    /// At sixty times, twenty milliseconds on the way are more than a second of the hall's: no reason to jump.
    #[test]
    fn what_a_message_took_on_its_way_is_glided_over_and_a_clock_that_was_set_is_followed_at_once() {
        for pace in [PACE_REAL, SIXTY] {
            let factor = f64::from(pace / PACE_REAL);
            let course = Course::new(UtcMillis(0), pace, 0.0);
            let late = course.heard(UtcMillis((factor * 980.0) as i64), pace, 1_000.0);
            let behind_ms = factor * 1_000.0 - late.at(1_000.0).0 as f64;
            assert!((behind_ms - factor * 2.0).abs() <= 1.0, "{behind_ms} at {pace}");
            let set = UtcMillis((factor * 9_000.0) as i64);
            assert_eq!(course.heard(set, pace, 1_000.0).at(1_000.0), set);
        }
        let still = Course::new(UtcMillis(50_000), 0, 0.0);
        assert_eq!(still.heard(UtcMillis(10), 0, 1_000.0).at(2_000.0), UtcMillis(10), "taken elsewhere");
    }
}
