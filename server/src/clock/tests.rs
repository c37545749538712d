//! How far a reading is believed.

use super::*;

const HOUR_S: i64 = 3_600;

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

/// What is believed, in seconds, of readings of wall and monotonic clock in seconds.
fn believed(trust: &mut Trust, wall_s: i64, monotonic_s: u64) -> i64 {
    trust.believed(UtcMillis(wall_s * 1_000), Duration::from_secs(monotonic_s)).0 / 1_000
}

#[test]
fn a_jump_ahead_is_believed_once_it_has_stood() {
    let mut trust = Trust::new(None, Duration::ZERO, Some(Duration::from_secs(600)));
    assert_eq!(believed(&mut trust, 1_000_000, 0), 1_000_000, "a first start knows no better");
    assert_eq!(believed(&mut trust, 1_000_000 + HOUR_S, 1), 1_000_000 + HOUR_S, "within the hour");
    let (base, ahead) = (1_000_000 + HOUR_S, 31 * 24 * HOUR_S);
    assert_eq!(believed(&mut trust, base + ahead, 2), base + 1);
    assert_eq!(believed(&mut trust, base + ahead + 599, 601), base + 600, "time goes on meanwhile");
    assert_eq!(believed(&mut trust, base + ahead + 600, 602), base + ahead + 600);
    assert_eq!(believed(&mut trust, base + ahead + 700, 702), base + ahead + 700, "believed from then on");
    assert_eq!(believed(&mut trust, base, 703), base, "set back: at once");
}

#[test]
fn a_clock_that_jumps_about_or_is_set_right_was_never_believed() {
    let mut trust = Trust::new(Some(UtcMillis(0)), Duration::ZERO, Some(Duration::from_secs(600)));
    for minute in 0..100 {
        let wall = if minute % 8 == 7 { 90 * 24 * HOUR_S } else { 30 * 24 * HOUR_S };
        let now_s = minute * 60;
        assert_eq!(believed(&mut trust, wall + now_s, now_s.unsigned_abs()), now_s, "after minute {minute}");
    }
    assert_eq!(believed(&mut trust, 6_001, 6_001), 6_001, "right again");
    let mut trust = Trust::new(Some(UtcMillis(0)), Duration::ZERO, Some(Duration::from_secs(600)));
    assert_eq!(believed(&mut trust, 50_000, 1), 1);
    trust.believe(UtcMillis(50_000_000), Duration::from_secs(1));
    assert_eq!(believed(&mut trust, 50_001, 2), 50_001, "an operator has said so");
}

#[test]
fn who_looks_once_never_believes_a_jump_however_long_it_stands() {
    let mut trust = Trust::new(Some(UtcMillis(0)), Duration::ZERO, None);
    assert_eq!(believed(&mut trust, HOUR_S, 0), HOUR_S, "within the hour");
    for passed in [1, 600, 100_000] {
        let wall = 31 * 24 * HOUR_S + passed;
        assert_eq!(believed(&mut trust, wall, passed.unsigned_abs()), HOUR_S + passed);
    }
}

#[test]
fn beyond_2199_a_clock_goes_on_by_the_last_time_that_can_be() {
    let said = Arc::new(AtomicI64::new(1_795_226_400_000));
    let wall = said.clone();
    let read: Box<dyn Fn() -> UtcMillis + Send + Sync> =
        Box::new(move || UtcMillis(wall.load(Ordering::Relaxed)));
    let clock = Clock::from(read);
    let known = clock.now();
    for beyond in [UtcMillis::END.0, i64::MAX] {
        said.store(beyond, Ordering::Relaxed);
        assert!(clock.is_off() && (0..60_000).contains(&clock.now().since(known)), "{:?}", clock.now());
    }
    said.store(known.0 + 5_000, Ordering::Relaxed);
    assert!(!clock.is_off());
    assert_eq!(clock.now().since(known), 5_000);
    // One that never said a time that can be goes by what the hall knew, once it is told.
    said.store(UtcMillis::END.0, Ordering::Relaxed);
    let wall = said.clone();
    let read: Box<dyn Fn() -> UtcMillis + Send + Sync> =
        Box::new(move || UtcMillis(wall.load(Ordering::Relaxed)));
    let clock = Clock::from(read);
    assert_eq!(clock.now(), UtcMillis::END);
    clock.knew(known);
    clock.knew(UtcMillis(0));
    assert!((0..60_000).contains(&clock.now().since(known)));
}
