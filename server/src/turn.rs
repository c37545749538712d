//! Whose turn it is to read (读取排队): what a desk waits for has places of its own beside searches and those who read on
//! and on, and nobody waits without end.
//!
//! What should not be here: what is read, and how long one read may take.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Reads of desks at the same time; with two cores more would only wait for each other.
pub const DESK_MAX: usize = 4;
/// Other reads at the same time: they may take their whole time, and no desk waits for them.
pub const LONG_MAX: usize = 2;
/// Reads of a kind that may wait for their turn; past that the asker is told to come back.
pub const WAITING_MAX: usize = 256;
/// How long a read waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a read is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A page that somebody looks at.
    Desk,
    /// A search, a count, a stretch of the log: whoever asks for these may ask again at once, for ever.
    Long,
}

/// The places there are.
#[derive(Debug)]
pub struct Turns {
    desk: Places,
    long: Places,
}

#[derive(Debug)]
struct Places {
    free: Semaphore,
    waiting: AtomicUsize,
}

impl Places {
    fn of(count: usize) -> Self {
        Self { free: Semaphore::new(count), waiting: AtomicUsize::new(0) }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self { desk: Places::of(DESK_MAX), long: Places::of(LONG_MAX) }
    }
}

/// Counted among those that wait, until it is dropped: an asker who goes away waits no longer.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    /// A place, held until it is dropped; none when too many wait, or it would take too long.
    pub async fn take(&self, reading: Reading) -> Option<SemaphorePermit<'_>> {
        let places = match reading {
            Reading::Desk => &self.desk,
            Reading::Long => &self.long,
        };
        let before = places.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&places.waiting);
        if before >= WAITING_MAX {
            return None;
        }
        let turn = tokio::time::timeout(PATIENCE, places.free.acquire()).await.ok()?;
        Some(turn.expect("the semaphores are never closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method: everything that may be read at length is, and as many wait for it as may wait.
    #[tokio::test(start_paused = true)]
    async fn whoever_reads_on_and_on_keeps_no_desk_waiting() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..LONG_MAX {
            held.push(turns.take(Reading::Long).await.expect("a place"));
        }
        let began = tokio::time::Instant::now();
        let desk = turns.take(Reading::Desk).await;
        assert!(desk.is_some() && began.elapsed().is_zero());
        assert!(turns.take(Reading::Long).await.is_none(), "nobody waits without end");
        assert!(began.elapsed() >= PATIENCE);
        held.pop();
        assert!(turns.take(Reading::Long).await.is_some());
        assert_eq!(turns.long.waiting.load(Ordering::Relaxed), 0);
    }
}
