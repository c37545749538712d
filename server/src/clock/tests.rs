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
}

#[test]
fn a_clock_that_is_set_back_is_believed_once_it_has_stood() {
    let mut trust = Trust::new(None, Duration::ZERO, Some(Duration::from_secs(600)));
    let base = 40 * 24 * HOUR_S;
    assert_eq!(believed(&mut trust, base, 0), base);
    assert_eq!(believed(&mut trust, base - HOUR_S + 1, 1), base - HOUR_S + 1, "within the hour");
    trust.believe(UtcMillis(base * 1_000), Duration::from_secs(2));
    let back = base - 10 * 24 * HOUR_S;
    assert_eq!(believed(&mut trust, back, 3), base + 1, "time goes on");
    assert_eq!(believed(&mut trust, back + 599, 602), base + 600);
    assert_eq!(believed(&mut trust, base + 601, 603), base + 601, "set right: it was never believed");
    assert_eq!(believed(&mut trust, back, 604), base + 602);
    assert_eq!(believed(&mut trust, back + 600, 1_204), back + 600, "it has stood");
}

/// Six leaps of 59 minutes within five seconds made a limit of four hours overdue for good.
#[test]
fn small_leaps_are_believed_until_together_they_are_more_than_an_hour() {
    for sign in [1, -1] {
        let mut trust = Trust::new(Some(UtcMillis(0)), Duration::ZERO, Some(Duration::from_secs(600)));
        let leap = sign * 59 * 60;
        assert_eq!(believed(&mut trust, leap + 1, 1), leap + 1);
        assert_eq!(believed(&mut trust, 2 * leap + 2, 2), leap + 2, "doubted");
        assert_eq!(believed(&mut trust, leap + 3, 3), leap + 3, "and set right");
        assert_eq!(believed(&mut trust, 2 * leap + 700, 700), 2 * leap + 700, "the first has stood since");
    }
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

/// A clock whose wall time is what `said` holds, in milliseconds.
fn clock_of(said: &Arc<AtomicI64>) -> Clock {
    let wall = said.clone();
    let read: Box<dyn Fn() -> UtcMillis + Send + Sync> =
        Box::new(move || UtcMillis(wall.load(Ordering::Relaxed)));
    Clock::from(read)
}

const START: UtcMillis = UtcMillis(1_795_226_400_000);
const DAY_MS: i64 = 24 * HOUR_S * 1_000;

#[test]
fn beyond_2199_a_clock_goes_on_by_the_last_time_that_was_believed() {
    let said = Arc::new(AtomicI64::new(START.0));
    let clock = clock_of(&said);
    let mut watch = Watch::new(clock.clone(), None, Some(Duration::from_secs(600)));
    assert_eq!(watch.read(false).believed, START);
    for beyond in [UtcMillis::END.0, i64::MAX] {
        said.store(beyond, Ordering::Relaxed);
        assert!(clock.is_off() && (0..60_000).contains(&clock.now().since(START)), "{:?}", clock.now());
        assert!((0..60_000).contains(&watch.read(true).given.since(START)), "nobody can call it right");
    }
    said.store(START.0 + 5_000, Ordering::Relaxed);
    assert!(!clock.is_off());
    assert_eq!(clock.now().since(START), 5_000);
    // One that never said a time that can be goes by what the hall knew, once it is told.
    said.store(UtcMillis::END.0, Ordering::Relaxed);
    let clock = clock_of(&said);
    let mut watch = Watch::new(clock.clone(), None, Some(Duration::from_secs(600)));
    assert_eq!((clock.now(), watch.read(false).given), (UtcMillis::END, UtcMillis::END));
    said.store(START.0, Ordering::Relaxed);
    assert_eq!(watch.read(false).believed, START, "what cannot be was not believed meanwhile");
    said.store(UtcMillis::END.0, Ordering::Relaxed);
    clock.knew(START, false);
    assert!((0..60_000).contains(&clock.now().since(START)));
}

/// A wandering clock said 2150 once and 2262 from then on; the hall went on from 2150 and believed it after a while.
#[test]
fn a_doubted_reading_is_not_what_a_hall_goes_on_from() {
    let said = Arc::new(AtomicI64::new(START.0));
    let clock = clock_of(&said);
    let mut watch = Watch::new(clock.clone(), None, Some(Duration::from_millis(20)));
    watch.read(false);
    for year in [2_150, 2_262] {
        said.store((year - 1_970) * 365 * DAY_MS, Ordering::Relaxed);
        let _ = clock.now();
        watch.read(false);
    }
    std::thread::sleep(Duration::from_millis(40));
    for _ in 0..2 {
        assert!((0..60_000).contains(&watch.read(false).believed.since(START)));
        assert!((0..60_000).contains(&clock.now().since(START)));
    }
}

#[test]
fn while_the_clock_is_doubted_everybody_goes_by_what_is_believed() {
    let said = Arc::new(AtomicI64::new(START.0));
    let clock = clock_of(&said);
    let mut watch = Watch::new(clock.clone(), None, Some(Duration::from_secs(600)));
    watch.read(false);
    assert!(!clock.is_doubted());
    let near = |at: UtcMillis| (0..60_000).contains(&at.since(START));
    // Before the writer has looked, and after.
    for looks in [false, true] {
        said.store(START.0 - 10 * DAY_MS, Ordering::Relaxed);
        if looks {
            let now = watch.read(false);
            assert!(near(now.given) && now.given == now.believed && now.doubted_ms < -9 * DAY_MS, "{now:?}");
        }
        let present = clock.present();
        assert!(present.is_doubted && near(present.now) && near(present.believed), "{present:?}");
        said.store(START.0 + 10 * DAY_MS, Ordering::Relaxed);
        if looks {
            let now = watch.read(false);
            assert!(near(now.believed) && now.given.since(START) == 10 * DAY_MS, "{now:?}");
        }
        let present = clock.present();
        assert!(present.is_doubted && near(present.believed), "{present:?}");
        assert_eq!(present.now.since(START), 10 * DAY_MS);
        said.store(START.0, Ordering::Relaxed);
        watch.read(false);
        assert!(!clock.is_doubted());
    }
}
