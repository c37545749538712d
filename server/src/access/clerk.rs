//! The thread that owns `access.db`: nobody else touches the file, and nobody waits for it on a thread that serves.
//!
//! What should be here: the thread, its pulse, and what is asked of it. What should not: what the file says (`memory.rs`
//! answers), and SQL (`db.rs`).

use std::future::IntoFuture;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;

use super::db::{AccessError, Db, PATIENCE};
use super::lock;
use super::memory::Memory;
use crate::clock::{self, Instant};

/// How often the thread looks whether another process has changed the file, and writes down what is owed. With the pause
/// between two questions of an open socket it makes 4 s.
const TICK: Duration = Duration::from_secs(1);
/// What a tick waits for another process that is at the file: the next tick tries again.
const TICK_PATIENCE: Duration = Duration::from_millis(100);
/// How often the thread tries whether the file can be written while nobody writes.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Who asks is answered within this time: a little longer than the thread waits for another process.
const LIMIT: Duration = Duration::from_secs(6);
/// Who asks for the newest is answered from memory after this time.
const LOOK_LIMIT: Duration = Duration::from_secs(1);
/// Questions waiting at once; more means that the file does not answer.
const WAITING_MAX: usize = 256;
/// Trouble shorter than this is another process that was at the file.
const TROUBLE_AFTER: Duration = Duration::from_secs(3);

type Work = Box<dyn FnOnce(&mut Desk) + Send>;

/// Asks the thread. The thread ends when its last clerk is dropped.
pub(super) struct Clerk {
    works: SyncSender<Work>,
    pulse: Arc<Pulse>,
}

/// What the thread works with.
pub(super) struct Desk {
    pub db: Db,
    pub memory: Arc<Memory>,
    pulse: Arc<Pulse>,
    /// The file's version that memory was read from.
    version: i64,
    /// When the file was last found writable or not.
    probed: Instant,
    ticks: u64,
}

/// How the thread does, for whoever asks from outside.
#[derive(Default)]
struct Pulse(Mutex<Felt>);

#[derive(Default)]
struct Felt {
    /// Since when it is at one piece of work.
    busy: Option<Instant>,
    /// Since when the file cannot be written, and why.
    trouble: Option<(Instant, String)>,
}

impl Pulse {
    fn begin(&self) {
        lock(&self.0).busy = Some(clock::instant());
    }

    fn end(&self) {
        lock(&self.0).busy = None;
    }

    fn wrote(&self) {
        lock(&self.0).trouble = None;
    }

    fn failed(&self, why: &AccessError) {
        let words = crate::cause::chain(why);
        let mut felt = lock(&self.0);
        match &mut felt.trouble {
            Some((_, old)) => *old = words,
            None => {
                tracing::error!(error = words, "the account file cannot be written");
                felt.trouble = Some((clock::instant(), words));
            }
        }
    }
}

impl Clerk {
    /// Reads the file into `memory` and starts the thread.
    pub fn start(db: Db, memory: Arc<Memory>) -> Result<Self, AccessError> {
        let pulse = Arc::new(Pulse::default());
        // Read first: what changes meanwhile is then read once more.
        let version = db.version()?;
        memory.load(&db)?;
        let probed = clock::instant();
        let desk = Desk { db, memory, pulse: pulse.clone(), version, probed, ticks: 0 };
        let (works, waiting) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("access".to_owned());
        thread.spawn(move || desk.work(&waiting)).map_err(AccessError::Thread)?;
        Ok(Self { works, pulse })
    }

    /// Asks the thread for something. What has not begun when nobody waits for its answer any more is not done.
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, AccessError> + Send + 'static,
    ) -> Asked<T> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |desk| {
            if !reply.is_closed() {
                let done = work(desk);
                let _ = reply.send(done);
            }
        });
        let answer = match self.works.try_send(work) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(AccessError::Slow),
            Err(TrySendError::Disconnected(_)) => Err(AccessError::Gone),
        };
        Asked { answer, late: None }
    }

    /// Has something done that nobody waits for and nobody misses.
    pub fn tell(&self, work: impl FnOnce(&mut Desk) -> Result<(), AccessError> + Send + 'static) {
        let work: Work = Box::new(move |desk| {
            if let Err(error) = work(desk) {
                desk.failed(&error);
            }
        });
        if self.works.try_send(work).is_err() {
            tracing::warn!("the account file does not keep up");
        }
    }

    /// Returns once memory holds what other processes have written before now; after a second in any case.
    pub async fn look(&self) -> Result<(), AccessError> {
        let asked = self.ask(Desk::look);
        tokio::time::timeout(LOOK_LIMIT, asked.into_future()).await.unwrap_or(Err(AccessError::Slow))
    }

    /// Why the file cannot be written, when that has lasted.
    pub fn trouble(&self) -> Option<String> {
        let felt = lock(&self.pulse.0);
        let lasts = |since: Instant| since.elapsed() >= TROUBLE_AFTER;
        match (&felt.trouble, felt.busy) {
            (Some((since, why)), _) if lasts(*since) => Some(why.clone()),
            (_, Some(since)) if lasts(since) => Some("it does not answer".to_owned()),
            _ => None,
        }
    }
}

impl Desk {
    fn work(mut self, waiting: &Receiver<Work>) {
        let mut ticked = clock::instant();
        loop {
            let next = waiting.recv_timeout(TICK.saturating_sub(ticked.elapsed()));
            self.pulse.begin();
            let over = matches!(next, Err(RecvTimeoutError::Disconnected));
            // Whoever asked is told that there is no answer; a transaction rolls itself back.
            let done = std::panic::catch_unwind(AssertUnwindSafe(|| {
                if let Ok(work) = next {
                    work(&mut self);
                }
                if over || ticked.elapsed() >= TICK {
                    ticked = clock::instant();
                    self.tick();
                }
            }));
            if done.is_err() {
                tracing::error!("work on the account file panicked");
            }
            if over {
                return;
            }
            self.pulse.end();
        }
    }

    /// What is to be done without anybody asking.
    fn tick(&mut self) {
        self.ticks += 1;
        if let Err(error) = self.db.be_patient(TICK_PATIENCE).and_then(|()| self.tend()) {
            self.pulse.failed(&error);
        }
        if let Err(error) = self.db.be_patient(PATIENCE) {
            tracing::error!(%error, "cannot set how long to wait for other processes");
        }
        metrics::gauge!("gridhall_access_owed").set(self.memory.owed() as f64);
        metrics::gauge!("gridhall_access_unwritable").set(match lock(&self.pulse.0).trouble {
            Some(_) => 1.0,
            None => 0.0,
        });
    }

    fn tend(&mut self) -> Result<(), AccessError> {
        self.look()?;
        self.settle()?;
        if self.memory.keep_sessions(&self.db, self.ticks)? {
            self.wrote();
        }
        if self.probed.elapsed() >= PROBE_EVERY {
            self.probed = clock::instant();
            self.db.probe()?;
            // Only a write proves that a full disk has room again.
            if self.memory.owed() == 0 {
                self.wrote();
            }
        }
        Ok(())
    }

    /// Reads the file again when another process has changed it.
    pub fn look(&mut self) -> Result<(), AccessError> {
        let version = self.db.version()?;
        if version != self.version {
            self.memory.load(&self.db)?;
            self.version = version;
        }
        Ok(())
    }

    /// Writes down what was taken away in memory, in its order.
    pub fn settle(&mut self) -> Result<(), AccessError> {
        while let Some(owed) = self.memory.first_owed() {
            if let Err(error) = self.db.whole(|db| owed.write(db)) {
                self.pulse.failed(&error);
                return Err(error);
            }
            self.memory.settled(&owed);
            self.wrote();
        }
        Ok(())
    }

    /// Does all of `work` in the file or nothing, and then reads it again.
    pub fn change<T, E: From<AccessError>>(
        &mut self,
        work: impl FnOnce(&Db) -> Result<T, E>,
    ) -> Result<T, E> {
        let done = self.db.whole(work)?;
        self.memory.load(&self.db)?;
        self.wrote();
        Ok(done)
    }

    pub fn wrote(&mut self) {
        self.probed = clock::instant();
        self.pulse.wrote();
    }

    pub fn failed(&self, why: &AccessError) {
        self.pulse.failed(why);
    }
}

/// What was asked of the thread: await it where others are served, [`Asked::wait`] on a thread of one's own.
#[must_use = "an answer nobody waits for may mean that nothing is done"]
pub struct Asked<T> {
    answer: Result<oneshot::Receiver<Result<T, AccessError>>, AccessError>,
    /// The answer when the thread gives none in time.
    late: Option<T>,
}

impl<T> Asked<T> {
    /// What holds already, should the file not answer.
    pub(super) fn or_late(self, late: Option<T>) -> Self {
        Self { late, ..self }
    }

    /// For the command line: waits as long as it takes. Panics on a thread that serves others.
    pub fn wait(self) -> Result<T, AccessError> {
        self.answer?.blocking_recv().unwrap_or(Err(AccessError::Gone))
    }
}

impl<T: Send + 'static> IntoFuture for Asked<T> {
    type Output = Result<T, AccessError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answered = match self.answer {
                Ok(answer) => match tokio::time::timeout(LIMIT, answer).await {
                    Ok(answered) => answered.unwrap_or(Err(AccessError::Gone)),
                    Err(_) => Err(AccessError::Slow),
                },
                Err(error) => Err(error),
            };
            match (answered, self.late) {
                (Err(AccessError::Slow | AccessError::Gone), Some(late)) => Ok(late),
                (answered, _) => answered,
            }
        })
    }
}
