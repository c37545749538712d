//! The views' thread as others hold it: started, asked how far it is, told of damage, stopped.
//!
//! What should be here: its settings and its handle. What should not: what it does (`work`).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;

use super::file::{Belongs, ViewsError};
use super::pace::Gauge;
use super::progress::Progress;
use super::reserve::Reserve;
use super::source::Source;
use super::work::Work;
use crate::clock::Clock;
use crate::lists::Present;

/// Closed cases in memory after which they become a run.
const SEAL_CASES: usize = 4_096;
/// Cases of a build that become one piece: so much is lost at most when it is killed, and a month is about as much.
const PIECE_CASES: usize = 50_000;
/// Events replayed from a kept state at most: about a month. Beyond that closed cases are made each of their own events.
const REPLAY_EVENTS: u64 = 2_000_000;
/// Events looked at for one piece that is made so.
const STRETCH_EVENTS: u64 = 200_000;

/// Older versions of views whose files this version still reads, newest first.
/// Version 1 had bodies in the domain's own types.
const READS_OLDER: &[u32] = &[1];

/// What the thread is told at its start.
pub struct Settings {
    pub dir: PathBuf,
    pub belongs: Belongs,
    pub source: Box<dyn Source>,
    pub gauge: Gauge,
    pub clock: Clock,
    /// Bytes laid down and read without any break: for tools that have the machine for themselves.
    pub full_speed: bool,
    /// Room that is left to the event log.
    pub reserve: Reserve,
    /// Whether the event log is refused for room.
    pub refused: Box<dyn Fn() -> bool + Send>,
    /// Older versions that are served while this one is built.
    pub reads_older: Vec<u32>,
    /// Cases of a run as they come, and of a piece of a build.
    pub seal_cases: usize,
    pub piece_cases: usize,
    /// Events between a kept state and what is missing, and of a stretch that is built without one.
    pub replay_events: u64,
    pub stretch_events: u64,
}

impl Settings {
    #[must_use]
    pub fn new(dir: PathBuf, belongs: Belongs, source: Box<dyn Source>, gauge: Gauge, clock: Clock) -> Self {
        Self {
            dir,
            belongs,
            source,
            gauge,
            clock,
            full_speed: false,
            reserve: Reserve::none(),
            refused: Box::new(|| false),
            reads_older: READS_OLDER.to_vec(),
            seal_cases: SEAL_CASES,
            piece_cases: PIECE_CASES,
            replay_events: REPLAY_EVENTS,
            stretch_events: STRETCH_EVENTS,
        }
    }
}

/// The running thread.
pub struct Builder {
    stop: Arc<AtomicBool>,
    suspect: Arc<AtomicBool>,
    progress: Arc<ArcSwap<Progress>>,
    thread: Option<JoinHandle<()>>,
}

impl Builder {
    /// Opens the views and starts the thread. `present` knows the state already; on return it has what is laid out.
    pub fn start(settings: Settings, present: Arc<Present>) -> Result<Self, ViewsError> {
        let (stop, suspect) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let progress = Arc::new(ArcSwap::from_pointee(Progress::default()));
        let mut work = Work::open(settings, present, stop.clone(), suspect.clone(), progress.clone())?;
        if let Err(error) = work.catch_up() {
            tracing::warn!(%error, "what was closed last is laid out in the background");
        }
        let path = work.path();
        let thread = std::thread::Builder::new()
            .name("views".to_owned())
            .spawn(move || work.run())
            .map_err(|source| ViewsError::Io { path, doing: "start the thread of", source })?;
        Ok(Self { stop, suspect, progress, thread: Some(thread) })
    }

    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.load_full()
    }

    /// Told when a reader found damage: the file is thrown away and laid out anew.
    pub fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Ends after what is in hand; everything closed so far is laid down.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that has panicked has said so; there is nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        self.end();
    }
}
