//! Positions go by the clock they are given, whatever the machine's says.

use super::*;
use crate::position::{Positions, Settings};

#[tokio::test]
async fn a_hall_of_another_time_takes_positions_of_that_time() {
    let then = START.plus(10 * 365 * 86_400_000);
    let clock: Box<dyn Fn() -> UtcMillis + Send + Sync> = Box::new(move || then);
    let accepts = Accepts { bounds: None, clock_skew_seconds: 300 };
    let positions = Positions::open(None, Settings::default(), accepts, clock.into()).unwrap();
    let report = |fixed| positions.report(&[fix(1, 25.0, 102.7, fixed)]).remove(0);
    assert_eq!(report(then), Ok(()));
    assert!(matches!(report(Clock::machine().now()), Err(FixError::TooOld(_))));
}

/// By a clock that was wrong for a moment positions were dropped for good, and phones let go of them.
#[tokio::test]
async fn by_a_clock_that_is_doubted_no_position_is_refused_for_good() {
    let said = Arc::new(std::sync::atomic::AtomicI64::new(START.0));
    let wall = said.clone();
    let read: Box<dyn Fn() -> UtcMillis + Send + Sync> =
        Box::new(move || UtcMillis(wall.load(std::sync::atomic::Ordering::Relaxed)));
    let clock = Clock::from(read);
    clock.knew(START, false);
    let accepts = Accepts { bounds: None, clock_skew_seconds: 300 };
    let positions = Positions::open(None, Settings::default(), accepts, clock).unwrap();
    let mut number = 0;
    let mut report = |fixed| {
        number += 1;
        positions.report(&[fix(number, 25.0, 102.7, fixed)]).remove(0)
    };
    for days in [-26 * 365, 400] {
        let wrong = START.plus(days * 86_400_000);
        said.store(wrong.0, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(report(START), Ok(()), "{days}: what fits the time that is believed is taken");
        // A clock that is set back is not what goes on meanwhile, so nothing can agree with it.
        let agrees = if days > 0 { Ok(()) } else { Err(FixError::ClockDoubted) };
        assert_eq!(report(wrong), agrees, "{days}: two clocks say the same");
        assert_eq!(
            report(wrong.plus(-3_600_000)),
            Err(FixError::ClockDoubted),
            "{days}: the clock may prove right"
        );
        said.store(START.0, std::sync::atomic::Ordering::Relaxed);
        assert!(matches!(report(wrong), Err(FixError::Future(_) | FixError::TooOld(_))), "{days}");
    }
}
