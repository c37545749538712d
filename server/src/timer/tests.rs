//! When the timer asks which day it is. Deadlines are tested with the writer.

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use domain::moment::UtcMillis;

use super::{Ring, Wake, run};
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
