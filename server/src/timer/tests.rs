//! The steady clock. The timer itself is tested with the writer.

use std::time::Duration;

use domain::moment::UtcMillis;

use super::Steady;

#[test]
fn small_step_back_is_held_and_a_large_one_followed() {
    let mut steady = Steady::default();
    let mut now = |wall, seconds| steady.now(UtcMillis(wall), Duration::from_secs(seconds)).0;
    assert_eq!(now(100_000, 0), 100_000);
    assert_eq!(now(97_000, 1), 100_000, "set back by 3 s: time stands still");
    assert_eq!(now(99_500, 2), 100_000, "still behind what was given");
    assert_eq!(now(100_500, 3), 100_500, "caught up");
    assert_eq!(now(3_700_000, 4), 3_700_000, "set forward by an hour: followed");
    assert_eq!(now(101_500, 5), 101_500, "set back by an hour: followed");
}
