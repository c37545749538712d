//! How gently the views are laid out: half of a core at most, and not at all while the event log's commits are slow.
//!
//! What should be here: when to wait. What should not: what is done meanwhile.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::{self, Instant};
use crate::lock::lock;

/// Commits slower than this are held up by somebody: dirty pages of the views stall the log's sync.
pub const COMMIT_P99_MAX: Duration = Duration::from_millis(15);
/// Commits looked back at.
const COMMITS_KEPT: usize = 256;
/// Older commits say nothing about the disk as it is.
const COMMITS_AGE_MAX: Duration = Duration::from_secs(60);
/// How long a build waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// A build that is held up goes on after this long all the same, a little: a slow disk must not keep views away for ever.
const HELD_UP_MAX: Duration = Duration::from_secs(20);

/// How long the last commits of the event log took.
#[derive(Debug, Clone, Default)]
pub struct CommitTimes(Arc<Mutex<VecDeque<(Instant, Duration)>>>);

impl CommitTimes {
    pub fn note(&self, took: Duration) {
        let mut times = lock(&self.0);
        if times.len() == COMMITS_KEPT {
            times.pop_front();
        }
        times.push_back((clock::instant(), took));
    }

    /// The time that one commit in a hundred exceeded lately; none where nothing was committed.
    #[must_use]
    pub fn p99(&self) -> Option<Duration> {
        let times = lock(&self.0);
        let recent = times.iter().filter(|(at, _)| at.elapsed() <= COMMITS_AGE_MAX);
        let mut recent: Vec<Duration> = recent.map(|(_, took)| *took).collect();
        drop(times);
        recent.sort_unstable();
        let place = (recent.len() * 99).div_ceil(100).checked_sub(1)?;
        recent.get(place).copied()
    }
}

/// What a build asks before it goes on.
pub type Gauge = Arc<dyn Fn() -> Option<Duration> + Send + Sync>;

/// The pace of one thread.
pub struct Pace {
    gauge: Gauge,
    stop: Arc<AtomicBool>,
    /// Said when the pace holds the build up, and when it goes on.
    held_up: Box<dyn FnMut(bool) + Send>,
    /// Whether more waits to be laid down than memory should hold: then there is no waiting.
    hurry: Box<dyn Fn() -> bool + Send>,
    worked_since: Instant,
}

impl Pace {
    #[must_use]
    pub fn new(gauge: Gauge, stop: Arc<AtomicBool>, held_up: Box<dyn FnMut(bool) + Send>) -> Self {
        Self { gauge, stop, held_up, hurry: Box::new(|| false), worked_since: clock::instant() }
    }

    /// Waits for nothing while `hurry` says so.
    #[must_use]
    pub fn unless(self, hurry: impl Fn() -> bool + Send + 'static) -> Self {
        Self { hurry: Box::new(hurry), ..self }
    }

    /// Without any wait: for tests and tools that lay out a store of their own.
    #[must_use]
    pub fn full() -> Self {
        Self::new(Arc::new(|| None), Arc::new(AtomicBool::new(true)), Box::new(|_| {}))
    }

    /// Waits as long as was worked since the last time, and while commits are slow. Returns at once when the thread is
    /// to stop.
    pub fn breathe(&mut self) {
        let worked = self.worked_since.elapsed();
        let since = clock::instant();
        self.wait(worked);
        let slow = |pace: &Self| (pace.gauge)().is_some_and(|p99| p99 > COMMIT_P99_MAX) && !(pace.hurry)();
        if slow(self) {
            (self.held_up)(true);
            while slow(self) && since.elapsed() < HELD_UP_MAX && !self.stop.load(Ordering::Relaxed) {
                self.wait(LOOK_AGAIN);
            }
            (self.held_up)(false);
        }
        self.worked_since = clock::instant();
    }

    fn wait(&self, time: Duration) {
        let until = clock::instant() + time;
        while !self.stop.load(Ordering::Relaxed) && !(self.hurry)() {
            let left = until.saturating_duration_since(clock::instant());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK_AGAIN));
        }
    }

    /// Whether the thread is to stop.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_commit_in_a_hundred_is_no_slow_disk_and_two_are() {
        let times = CommitTimes::default();
        assert_eq!(times.p99(), None);
        (0..99).for_each(|_| times.note(Duration::from_millis(2)));
        times.note(Duration::from_millis(80));
        assert_eq!(times.p99(), Some(Duration::from_millis(2)));
        times.note(Duration::from_millis(90));
        assert!(times.p99() > Some(COMMIT_P99_MAX));
    }

    #[test]
    fn a_build_waits_as_long_as_it_worked_and_while_commits_are_slow() {
        let slow = Arc::new(Mutex::new(vec![Duration::from_millis(40), Duration::from_millis(40)]));
        let asked = slow.clone();
        let gauge: Gauge = Arc::new(move || asked.lock().unwrap().pop());
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        let held_up = Box::new(move |now| heard.lock().unwrap().push(now));
        let mut pace = Pace::new(gauge, Arc::default(), held_up);
        std::thread::sleep(Duration::from_millis(30));
        let began = clock::instant();
        pace.breathe();
        assert!(began.elapsed() >= Duration::from_millis(30), "half a core at most");
        assert_eq!(*said.lock().unwrap(), [true, false]);
    }

    /// What is closed faster than it is laid down must not pile up in memory.
    #[test]
    fn a_build_that_falls_behind_waits_for_nothing() {
        let gauge: Gauge = Arc::new(|| Some(Duration::from_secs(1)));
        let mut pace = Pace::new(gauge, Arc::default(), Box::new(|_| {})).unless(|| true);
        std::thread::sleep(Duration::from_millis(40));
        let began = clock::instant();
        pace.breathe();
        assert!(began.elapsed() < Duration::from_millis(30));
    }

    #[test]
    fn a_build_that_is_to_stop_waits_for_nothing() {
        let gauge: Gauge = Arc::new(|| Some(Duration::from_secs(1)));
        let mut pace = Pace::new(gauge, Arc::new(AtomicBool::new(true)), Box::new(|_| {}));
        std::thread::sleep(Duration::from_millis(20));
        let began = clock::instant();
        pace.breathe();
        assert!(began.elapsed() < Duration::from_millis(15));
    }
}
