//! The deadline timer: one thread that sleeps until the next deadline or local midnight and has the writer record
//! what has passed.
//!
//! It decides nothing. `decide` finds which deadlines have passed, and recording one takes it from the set in the
//! same transaction, so a restart cannot fire it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::command::Command;
use domain::event::By;
use domain::moment::UtcMillis;
use uuid::Uuid;

use crate::clock::{self, Clock, HOLD_MS};
use crate::lasting::Lasting;
use crate::stored::command::fresh_key;
use crate::world::World;
use crate::writer::{Envelope, Outcome, Shared, WriteError, Writer};

#[cfg(test)]
mod tests;

/// Longest sleep: how late a deadline can be seen after someone set the clock forward.
const SLEEP_MAX: Duration = Duration::from_millis(500);
/// Wait after the writer was too busy or the disk full.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Why the timer wakes early.
pub(crate) enum Ring {
    /// The next deadline is another one, or comes at another pace.
    Changed,
    Stop,
}

/// When the timer must wake, and its bell.
pub(crate) struct Wake {
    /// Milliseconds UTC of the next deadline or local midnight.
    pub(crate) at: AtomicI64,
    pub(crate) bell: SyncSender<Ring>,
}

/// The timer's way in. It does not keep the writer alive.
pub(crate) struct Door<W>(pub(crate) std::sync::Weak<Shared<W>>);

impl<W: World> Door<W> {
    /// Has recorded what has passed. None once every other door is gone.
    fn pass_deadlines(&self, key: Uuid) -> Option<Outcome> {
        let writer = Writer::of(self.0.upgrade()?);
        let envelope = Envelope {
            world: W::default(),
            key,
            by: By::timer(),
            department: None,
            scope: domain::scope::Scope::All,
            seen: None,
            command: Command::PassDeadlines,
        };
        writer.send_many_blocking(vec![envelope]).pop()
    }
}

pub(crate) struct Timer {
    bell: SyncSender<Ring>,
    thread: JoinHandle<()>,
}

impl Timer {
    pub(crate) fn start<W: World>(
        door: Door<W>,
        wake: Arc<Wake>,
        rings: Receiver<Ring>,
        clock: Clock,
    ) -> Self {
        let bell = wake.bell.clone();
        let driven = Arc::downgrade(&wake);
        // A full box has a bell in it already.
        clock.ring(move || driven.upgrade().map(|wake| drop(wake.bell.try_send(Ring::Changed))).is_some());
        let thread = std::thread::Builder::new()
            .name("deadline-timer".to_owned())
            .spawn(move || run(&|key| door.pass_deadlines(key), &wake, &rings, &clock))
            .expect("a thread can be started at the start of the process");
        Self { bell, thread }
    }

    pub(crate) fn stop(self) {
        // Both fail only when the thread has already ended.
        let _ = self.bell.send(Ring::Stop);
        let _ = self.thread.join();
    }
}

/// `pass` has recorded what has passed, under a key, and answers nothing once the writer is gone.
fn run(pass: &dyn Fn(Uuid) -> Option<Outcome>, wake: &Wake, rings: &Receiver<Ring>, clock: &Clock) {
    let mut pause = Duration::ZERO;
    let mut trouble = Lasting::default();
    let mut last = clock.now();
    // Set back, perhaps over midnight: the log must learn which day it is. At the start too: who knows what the clock
    // did since the server stopped.
    let mut set_back = true;
    loop {
        // Of a clock that stands still nobody knows when.
        let left = clock.until(UtcMillis(wake.at.load(Ordering::Acquire))).unwrap_or(SLEEP_MAX);
        let sleep = left.min(SLEEP_MAX).max(pause);
        match rings.recv_timeout(sleep) {
            Ok(Ring::Changed) => continue,
            Ok(Ring::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let due = wake.at.load(Ordering::Acquire);
        let now = clock.now();
        set_back |= last.since(now) > HOLD_MS;
        last = now;
        // The writer looks at a clock that is doubted, so that it is known how long it has stood.
        if now.0 < due && !set_back && !clock.is_doubted() {
            continue;
        }
        pause = match pass(fresh_key(now)) {
            None | Some(Err(WriteError::Stopped | WriteError::Past)) => return,
            Some(Ok(answer)) => {
                if let Some(failed) = trouble.over() {
                    tracing::info!(failed, "deadlines are recorded again");
                }
                set_back = false;
                let recorded = answer.last_seq >= answer.first_seq;
                if recorded && due > 0 && now.0 >= due {
                    metrics::histogram!("gridhall_deadline_late_seconds").record((now.0 - due) as f64 / 1e3);
                }
                // Nothing to tell although something is due: the writer does not believe the clock yet.
                if recorded { Duration::ZERO } else { SLEEP_MAX }
            }
            Some(Err(error)) => {
                if let Some(failed) = trouble.failed(clock::instant()) {
                    tracing::warn!(%error, failed, "deadlines not recorded; tried again, and told once a minute");
                }
                RETRY_AFTER
            }
        };
    }
}
