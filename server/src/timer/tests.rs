//! When the timer asks which day it is. Deadlines are tested with the writer.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::moment::UtcMillis;

use super::{Ring, Wake, run};
use crate::clock::Clock;
use crate::writer::{Answer, WriteError};

const NOTHING: Answer =
    Answer { first_seq: 1, last_seq: 0, replayed: false, case: None, whistle: None, number: None };

/// Nothing is due for a long time, and the clock stands: what was set back while the server was stopped is asked for all
/// the same, and once more after a refusal.
#[test]
fn which_day_it_is_is_asked_at_the_start_until_it_is_answered() {
    let (bell, rings) = sync_channel(1);
    let wake = Wake { at: AtomicI64::new(i64::MAX), bell: bell.clone() };
    let (asked, said) = sync_channel(2);
    let timer = std::thread::spawn(move || {
        let outcomes = RefCell::new(vec![Ok(NOTHING), Err(WriteError::Busy)]);
        let send = |_| {
            asked.send(()).ok()?;
            outcomes.borrow_mut().pop()
        };
        let stands: Box<dyn Fn() -> UtcMillis + Send + Sync> = Box::new(|| UtcMillis(1_000_000));
        run(&send, &wake, &rings, &stands.into());
    });
    for time in ["at the start", "after the refusal"] {
        said.recv_timeout(Duration::from_secs(20))
            .unwrap_or_else(|error| panic!("not asked {time}: {error}"));
    }
    bell.send(Ring::Stop).unwrap();
    timer.join().unwrap();
}

/// Five tries within a few seconds: two lines.
#[test]
fn a_disk_that_stays_full_is_told_once_and_when_there_is_room_again() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let (bell, rings) = sync_channel(1);
    let wake = Wake { at: AtomicI64::new(i64::MAX), bell: bell.clone() };
    let full = || Err(WriteError::NotStored("disk is full".to_owned()));
    let outcomes = RefCell::new(vec![Ok(NOTHING), full(), full(), full(), full()]);
    let send = |_| {
        let outcome = outcomes.borrow_mut().pop();
        if outcomes.borrow().is_empty() {
            bell.send(Ring::Stop).unwrap();
        }
        outcome
    };
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(log.reopen().unwrap()));
    tracing::subscriber::with_default(lines.finish(), || {
        let stands: Box<dyn Fn() -> UtcMillis + Send + Sync> = Box::new(|| UtcMillis(1_000_000));
        run(&send, &wake, &rings, &stands.into());
    });
    let log = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    let holds = |line: &str, words: &[&str]| words.iter().all(|word| line.contains(word));
    assert!(holds(lines[0], &["WARN", "not recorded", "disk is full", "failed=1"]), "{log}");
    assert!(holds(lines[1], &["INFO", "recorded again", "failed=3"]), "{log}");
}

/// Method: a minute of the hall's is a tenth of a second at six hundred times; the longest sleep is half a second. One quick round
/// of several is enough on a busy machine.
#[test]
fn the_timer_goes_by_the_halls_pace_and_hears_of_another_one() {
    let quick = Duration::from_millis(350);
    let rounds = (0..8).map(|round| {
        let (bell, rings) = sync_channel(1);
        let start = UtcMillis(1_795_226_400_000);
        let (clock, driver) = Clock::driven(start, if round % 2 == 0 { 600_000 } else { 1_000 });
        let wake = Arc::new(Wake { at: AtomicI64::new(start.0 + 60_000), bell: bell.clone() });
        let ringing = wake.clone();
        clock.ring(move || ringing.bell.try_send(Ring::Changed).is_ok());
        let (asked, said) = channel();
        let mut began = Instant::now();
        let timer = std::thread::spawn(move || {
            let send = |_| {
                if clock.now().0 >= wake.at.load(Ordering::Relaxed) {
                    wake.at.store(i64::MAX, Ordering::Relaxed);
                }
                asked.send(clock.now()).ok()?;
                // The day has turned: after nothing to tell it waits half a second.
                Some(Ok(Answer { last_seq: 1, ..NOTHING }))
            };
            run(&send, &wake, &rings, &clock);
        });
        if driver.pace_milli() == 1_000 {
            // Half a second after its start it asks which day it is; then the pace changes under its next sleep.
            said.recv_timeout(Duration::from_secs(20)).unwrap();
            began = Instant::now();
            driver.set_pace_milli(600_000);
        }
        let at = said.recv_timeout(Duration::from_secs(20)).unwrap();
        let took = began.elapsed();
        bell.send(Ring::Stop).unwrap();
        timer.join().unwrap();
        (at >= start.plus(60_000), took)
    });
    let rounds: Vec<(bool, Duration)> = rounds.collect();
    assert!(rounds.iter().all(|(reached, _)| *reached), "{rounds:?}");
    for kind in [0, 1] {
        let took = rounds.iter().skip(kind).step_by(2).map(|(_, took)| took).min();
        assert!(took < Some(&quick), "{rounds:?}");
    }
}
