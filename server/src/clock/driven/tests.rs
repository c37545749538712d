//! A driven clock: how far it is, who wakes, and that nobody doubts it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::*;
use crate::clock::Watch;

const START: UtcMillis = UtcMillis(1_795_226_400_000);
const HOUR_MS: i64 = 3_600_000;

/// Checks what a clock does during a time that the machine took, measured around it.
fn passes(clock: &Clock, pace: i64, during: impl FnOnce()) {
    let (outer, before) = (Instant::now(), clock.now());
    let inner = Instant::now();
    during();
    let least = i64::try_from(inner.elapsed().as_millis()).unwrap();
    let passed = clock.now().since(before);
    let most = i64::try_from(outer.elapsed().as_millis()).unwrap() + 1;
    assert!((pace * least..=pace * most).contains(&passed), "{passed} ms of {least} to {most} at {pace}");
}

#[test]
fn it_goes_at_the_pace_it_is_given_and_never_leaps_when_that_changes() {
    let (clock, driver) = Clock::driven(START, 60_000);
    let pause = || std::thread::sleep(Duration::from_millis(40));
    assert!((0..HOUR_MS).contains(&clock.now().since(START)));
    passes(&clock, 60, pause);
    let before = clock.now();
    driver.set_pace_milli(600_000);
    assert!((0..HOUR_MS).contains(&clock.now().since(before)), "it goes on from where it was");
    passes(&clock, 600, pause);
    driver.set_pace_milli(0);
    passes(&clock, 0, pause);
    assert_eq!(clock.course(), (clock.now(), 0));
    driver.jump(START.plus(-HOUR_MS));
    assert_eq!((clock.now(), driver.now()), (START.plus(-HOUR_MS), START.plus(-HOUR_MS)));
}

#[test]
fn whoever_waits_for_an_instant_of_the_hall_waits_as_long_as_the_machine_takes_to_it() {
    let (clock, driver) = Clock::driven(START, 60_000);
    let left = clock.until(START.plus(HOUR_MS)).unwrap();
    assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(60), "{left:?}");
    assert_eq!(clock.until(START), Some(Duration::ZERO));
    driver.set_pace_milli(0);
    assert_eq!(clock.until(START.plus(HOUR_MS)), None, "it stands still");
    assert_eq!(clock.until(START), Some(Duration::ZERO), "that has passed all the same");
    let (clock, _driver) = Clock::driven(START, 7);
    let left = clock.until(START.plus(1_000)).unwrap();
    std::thread::sleep(Duration::ZERO);
    assert!(7 * left.as_micros() + 7_000 >= 1_000 * 999_000, "rounded up: {left:?}");
    let machine = Clock::machine();
    let left = machine.until(machine.now().plus(5_000)).unwrap();
    assert!(left <= Duration::from_secs(5) && left > Duration::from_secs(3), "{left:?}");
}

#[tokio::test]
async fn a_change_wakes_whoever_waits() {
    let (clock, driver) = Clock::driven(START, 0);
    let waiting = clock.clone();
    let waits = tokio::spawn(async move { waiting.reached(START.plus(HOUR_MS)).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waits.is_finished());
    driver.set_pace_milli(1_000);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waits.is_finished(), "an hour is long");
    driver.jump(START.plus(HOUR_MS));
    tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap().unwrap();
}

#[test]
fn a_bell_rings_at_every_change_until_it_is_not_wanted() {
    let (clock, driver) = Clock::driven(START, 1_000);
    let rung = Arc::new(AtomicU32::new(0));
    let count = rung.clone();
    clock.ring(move || count.fetch_add(1, Ordering::Relaxed) == 0);
    driver.set_pace_milli(0);
    driver.jump(START);
    driver.set_pace_milli(5_000);
    assert_eq!(rung.load(Ordering::Relaxed), 2, "the second time it said no");
}

/// A machine's clock that was as far ahead as a minute of this one would have had its alarms held for ten minutes.
#[test]
fn the_writer_never_doubts_it_and_gives_no_time_twice_backwards() {
    let (clock, driver) = Clock::driven(START, 1_000);
    clock.knew(START.plus(-400 * 24 * HOUR_MS), false);
    let mut watch = Watch::new(clock.clone(), Some(START), Some(Duration::from_secs(600)));
    for ahead in [0, 2 * HOUR_MS, 40 * 24 * HOUR_MS] {
        driver.jump(START.plus(ahead));
        let now = watch.read(false);
        assert!((0..60_000).contains(&now.given.since(START.plus(ahead))), "{now:?}");
        assert_eq!((now.believed, now.doubted_ms), (now.given, 0));
        assert!(!clock.is_doubted());
    }
    let last = watch.read(false).given;
    driver.jump(START);
    let now = watch.read(false);
    assert_eq!((now.given, now.believed), (last, last), "events stay in order of time");
}
