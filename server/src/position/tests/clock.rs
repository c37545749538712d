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
