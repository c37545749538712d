//! How often an inspector may report (上报频率): what is closer together than the settings say is thinned on the track, and
//! nobody sends more than a phone can have stored.
//!
//! Pure; time is an argument.

use domain::moment::UtcMillis;
use std::time::Duration;

/// Fixes one inspector may send at once: what a phone has stored on a shift without a network, one a second for five
/// hours.
const BURST: f64 = 18_000.0;
/// And after that, a second.
const PER_SECOND: f64 = 2.0;

/// One inspector's budget.
#[derive(Debug, Clone, Default)]
struct Budget {
    spent: f64,
    /// Monotonic time of the last fix.
    at: Duration,
    /// The newest fix that was taken last.
    taken: Option<UtcMillis>,
}

/// What becomes of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paced {
    Take,
    /// Too close to the one before to be a point of the track.
    Thin,
    /// More than a phone sends.
    TooMany,
}

/// Everyone's budget, by number.
#[derive(Debug)]
pub struct Pace {
    interval_ms: i64,
    budgets: Vec<Budget>,
}

impl Pace {
    pub fn new(interval_ms: u32) -> Self {
        Self { interval_ms: i64::from(interval_ms), budgets: Vec::new() }
    }

    /// The number is somebody else's from now on.
    pub fn renew(&mut self, index: u32) {
        if let Some(budget) = self.budgets.get_mut(index as usize) {
            *budget = Budget::default();
        }
    }

    pub fn take(&mut self, index: u32, fixed: UtcMillis, monotonic: Duration) -> Paced {
        let index = index as usize;
        if self.budgets.len() <= index {
            self.budgets.resize_with(index + 1, Budget::default);
        }
        let budget = &mut self.budgets[index];
        let passed = monotonic.saturating_sub(budget.at).as_secs_f64();
        budget.at = monotonic;
        budget.spent = (budget.spent - passed * PER_SECOND).max(0.0);
        // Counted before it is thinned: the same fix a million times is a flood as well.
        if budget.spent + 1.0 > BURST {
            return Paced::TooMany;
        }
        budget.spent += 1.0;
        if budget.taken.is_some_and(|taken| fixed.since(taken).abs() < self.interval_ms) {
            return Paced::Thin;
        }
        budget.taken = Some(fixed);
        Paced::Take
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcMillis = UtcMillis(1_795_226_400_000);

    #[test]
    fn one_a_second_is_taken_and_what_lies_between_is_thinned() {
        let mut pace = Pace::new(1_000);
        let taken: Vec<i64> = (0..40i64)
            .map(|number| number * 250)
            .filter(|ms| {
                let now = Duration::from_millis(ms.unsigned_abs());
                pace.take(0, START.plus(*ms), now) == Paced::Take
            })
            .collect();
        assert_eq!(taken, (0..10).map(|second| second * 1_000).collect::<Vec<_>>());
        assert_eq!(pace.take(0, START.plus(9_000), Duration::from_secs(60)), Paced::Thin, "sent again");
        assert_eq!(pace.take(1, START, Duration::from_secs(60)), Paced::Take, "somebody else");
        let mut all = Pace::new(0);
        assert!((0..9).all(|_| all.take(0, START, Duration::ZERO) == Paced::Take));
    }

    #[test]
    fn a_stored_shift_is_taken_at_once_and_a_flood_is_not() {
        let mut pace = Pace::new(1_000);
        let now = Duration::from_secs(1_000);
        let mut send = |number: i64, now| pace.take(3, START.plus(number * 1_000), now);
        assert!((0..18_000).all(|number| send(number, now) == Paced::Take));
        let more = (18_000..100_000).filter(|number| send(*number, now) != Paced::TooMany).count();
        assert_eq!(more, 0);
        let later = now + Duration::from_secs(10);
        let more = (100_000..100_100).filter(|number| send(*number, later) == Paced::Take).count();
        assert_eq!(more, 20);
        pace.renew(3);
        assert_eq!(pace.take(3, START, now), Paced::Take);
    }
}
