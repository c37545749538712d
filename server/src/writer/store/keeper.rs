//! The keeper: a thread that folds the write-ahead log in, writes snapshots, moves rows of the earlier format, takes its
//! lists out and counts anew what of it was a guess, so that the writer never waits for any of it. It keeps no state
//! between snapshots.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Options;
use super::anew::{CountedAnew, Recount};
use crate::clock;
use crate::events::replay;
use crate::folder::StoreError;
use crate::lasting::Lasting;
use crate::lock::lock;
use crate::log::sqlite::leaving::Leaving;
use crate::log::sqlite::moving::Mover;
use crate::log::{LogError, Read, shelf};
use crate::stored::policy::Genesis;
use crate::stored::state;

/// How often the keeper looks. At full load the log grows by some 40 MiB in this time.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Rest between two bites of moving or taking out: at most half of a core, and the writer's own syncs come first.
const MOVE_PAUSE: Duration = Duration::from_millis(5);
/// Snapshots in a row that may fail before the hall says that it is not well.
const FAILURES_MAX: u32 = 3;

#[cfg(test)]
mod tests;

/// How the keeper does, for everyone outside its thread.
#[derive(Debug, Default)]
pub struct Health {
    /// Attempts in a row that failed, other than to fold the write-ahead log in.
    failures: AtomicU32,
    /// Attempts in a row to fold the write-ahead log in that failed: a snapshot that succeeds says nothing about them.
    unfolded: AtomicU32,
    pub(super) anew: CountedAnew,
    /// Snapshots of events that the log does not have, in words.
    aside: Mutex<Option<String>>,
}

impl Health {
    /// What is wrong with the keeping; none while all is well.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let failures = self.failures.load(Ordering::Relaxed).max(self.unfolded.load(Ordering::Relaxed));
        let words = "the store is not kept: its log is not folded in or snapshots cannot be written";
        let failing = (failures >= FAILURES_MAX).then(|| format!("{words} ({failures} attempts failed)"));
        let said: Vec<String> =
            failing.into_iter().chain(self.anew.words()).chain(lock(&self.aside).clone()).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// The state is not what a replay of its log makes: it is not kept, so that the next start reads the replay's.
    pub(crate) fn differs(&self) {
        self.anew.differ();
    }

    /// Snapshots were set aside; said until the next start.
    pub(super) fn set_aside(&self, aside: &shelf::Aside) {
        *lock(&self.aside) = Some(aside.words());
    }

    fn went(&self, well: bool) {
        Self::count(&self.failures, well);
    }

    fn count(failures: &AtomicU32, well: bool) {
        if well {
            failures.store(0, Ordering::Relaxed);
        } else {
            failures.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("gridhall_keeper_failures_total").increment(1);
        }
    }
}

/// How far the log has come: the last event, and its local day.
#[derive(Debug, Default)]
struct Head {
    seq: AtomicU64,
    day: AtomicU32,
}

pub(super) struct Keeper {
    head: Arc<Head>,
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
    pub(super) health: Arc<Health>,
}

struct Work {
    dir: PathBuf,
    log: Box<dyn Read>,
    genesis: Genesis,
    sections: &'static [state::Known],
    every: u64,
    head: Arc<Head>,
    health: Arc<Health>,
    /// Head at the last look.
    seen: u64,
    /// The newest snapshot known, or where the last attempt at one was.
    last: Option<shelf::Kept>,
    mover: Option<Mover>,
    /// Lists of an earlier version in the log's file.
    leaving: Option<Leaving>,
    /// Counts what is a guess anew.
    recount: Option<Recount>,
    trouble: Troubles,
}

/// What is tried again at every look until it succeeds.
#[derive(Default)]
struct Troubles {
    moving: Lasting,
    leaving: Lasting,
    counting: Lasting,
    folding: Lasting,
}

impl Keeper {
    pub(super) fn start(
        dir: &Path,
        log: Box<dyn Read>,
        genesis: &Genesis,
        options: &Options,
        counts_are_guessed: bool,
    ) -> Result<Self, StoreError> {
        let (head, health) = (Arc::new(Head::default()), Arc::new(Health::default()));
        let recount = counts_are_guessed
            .then(|| Recount::begin(&*log, dir, genesis, options.sections, &health.anew))
            .transpose()?;
        let (stop, stopped) = sync_channel(1);
        let mut work = Work {
            dir: dir.to_owned(),
            log,
            genesis: genesis.clone(),
            sections: options.sections,
            every: options.snapshot_every,
            head: head.clone(),
            health: health.clone(),
            seen: 0,
            last: shelf::list(dir).pop(),
            mover: Mover::open(dir)?,
            leaving: Leaving::open(dir)?,
            recount,
            trouble: Troubles::default(),
        };
        let thread = std::thread::Builder::new()
            .name("store-keeper".to_owned())
            .spawn(move || {
                // A hall without its keeper looks alive and grows its write-ahead log until the disk is full.
                let _guard = AbortOnPanic;
                work.run(&stopped);
            })
            .map_err(|source| StoreError::io(dir, "start the keeper thread for", source))?;
        Ok(Self { head, stop, thread, health })
    }

    pub(super) fn note_head(&self, seq: u64, day: u32) {
        self.head.day.store(day, Ordering::Relaxed);
        self.head.seq.store(seq, Ordering::Release);
    }

    pub(super) fn stop(self) {
        // The thread may have ended already; both calls then say so, and there is nothing to do about it.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("keeper panicked, process stops");
            std::process::abort();
        }
    }
}

impl Work {
    fn run(&mut self, stopped: &Receiver<()>) {
        self.clear_former();
        let mut worked = Duration::ZERO;
        loop {
            let moves = self.mover.is_some() || self.leaving.is_some();
            let busy = moves || self.recount.is_some();
            let pause = if busy { MOVE_PAUSE.max(worked) } else { LOOK_EVERY };
            match stopped.recv_timeout(pause) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let began = clock::instant();
            self.look(moves);
            worked = began.elapsed().min(LOOK_EVERY);
        }
    }

    /// Does what there is to do. `moves`: rows are moved or taken out, so that there is something to fold in.
    fn look(&mut self, moves: bool) {
        if self.mover.is_some() {
            self.move_on();
        } else {
            self.take_out();
        }
        self.count_on();
        let head = self.head.seq.load(Ordering::Acquire);
        if head == self.seen && !moves {
            return;
        }
        self.seen = head;
        self.tend();
        let day = self.head.day.load(Ordering::Relaxed);
        // A snapshot made of a guess would say that it is none.
        if self.recount.is_none() && shelf::is_due(self.last.as_ref(), head, day, self.every) {
            self.snapshot(head, day);
        }
    }

    /// Counts a bite of what is a guess.
    fn count_on(&mut self) {
        let Some(recount) = &mut self.recount else { return };
        let head = self.head.seq.load(Ordering::Acquire);
        match recount.bite(&*self.log, &self.dir, head, &self.health.anew) {
            Ok(false) => over(&mut self.trouble.counting, "counts of before are counted again"),
            Ok(true) => {
                let recount = self.recount.take().expect("it was there a moment ago");
                tracing::info!(seq = head, "counts of before are counted anew");
                self.last = shelf::list(&self.dir).pop();
                self.health.anew.give(recount.into_state());
                self.clear_former();
            }
            Err(error) => {
                self.health.went(false);
                failed(
                    &mut self.trouble.counting,
                    &error.chain(),
                    "counts of before not counted anew; tried again",
                );
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }

    /// Snapshots of the first format go once nobody needs them any more.
    fn clear_former(&self) {
        if self.mover.is_some() || self.recount.is_some() {
            return;
        }
        if let Err(error) = shelf::clear_former(&self.dir) {
            tracing::warn!(error = error.chain(), "snapshots of the earlier format not removed");
        }
    }

    /// A disk that cannot be synced has lost what nobody knows; anything else is tried again.
    fn tend(&mut self) {
        match self.log.tend() {
            Ok(()) => {
                Health::count(&self.health.unfolded, true);
                over(&mut self.trouble.folding, "write-ahead log is folded in again");
            }
            Err(error) if error.is_full() => {
                Health::count(&self.health.unfolded, false);
                failed(&mut self.trouble.folding, &error.chain(), "write-ahead log not folded in");
            }
            Err(error) => abort(&error),
        }
    }

    fn move_on(&mut self) {
        let Some(mover) = &mut self.mover else { return };
        match mover.bite(|_, _| Ok(())) {
            Ok(true) => over(&mut self.trouble.moving, "rows of the earlier format are moved again"),
            Ok(false) => {
                tracing::info!("rows of the earlier format are moved");
                self.mover = None;
                self.clear_former();
            }
            Err(error) => {
                // A full disk, or a writer that held the file for long: the next look tries again.
                self.health.went(false);
                failed(
                    &mut self.trouble.moving,
                    &error.chain(),
                    "rows of the earlier format not moved; tried again",
                );
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }

    /// A bite of the lists of an earlier version.
    fn take_out(&mut self) {
        let Some(leaving) = &mut self.leaving else { return };
        match leaving.bite() {
            Ok(true) => over(&mut self.trouble.leaving, "lists of the earlier version are taken out again"),
            Ok(false) => {
                tracing::info!("lists of the earlier version are taken out of the log's file");
                self.leaving = None;
            }
            Err(error) => {
                self.health.went(false);
                failed(
                    &mut self.trouble.leaving,
                    &error.chain(),
                    "lists of the earlier version not taken out; tried again",
                );
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }

    fn snapshot(&mut self, head: u64, day: u32) {
        match self.write_snapshot() {
            Ok(kept) => {
                self.health.went(true);
                self.last = Some(kept);
            }
            // The next attempt comes after as many events again: a full disk is not hammered.
            Err(error) => {
                self.health.went(false);
                self.last = Some(shelf::Kept { path: PathBuf::new(), seq: head, day });
                tracing::warn!(error = error.chain(), "snapshot not written");
            }
        }
    }

    fn write_snapshot(&self) -> Result<shelf::Kept, StoreError> {
        // Nobody else writes snapshots meanwhile, and the log only grows.
        if let Some(aside) = shelf::set_aside(&self.dir, self.log.head()?.seq)? {
            self.health.set_aside(&aside);
        }
        let state = replay::load(&*self.log, &self.dir, &self.genesis, self.sections)?;
        let day = super::day_of(&state);
        shelf::put(&self.dir, &state::encode_as(self.log.epoch(), &state, self.sections), day)?;
        Ok(shelf::Kept {
            path: shelf::folder(&self.dir).join(shelf::name(state.seq, day)),
            seq: state.seq,
            day,
        })
    }
}

fn failed(trouble: &mut Lasting, error: &str, words: &str) {
    if let Some(failed) = trouble.failed(clock::instant()) {
        tracing::warn!(error, failed, "{words}");
    }
}

fn over(trouble: &mut Lasting, words: &str) {
    if let Some(failed) = trouble.over() {
        tracing::info!(failed, "{words}");
    }
}

fn abort(error: &LogError) -> ! {
    tracing::error!(error = error.chain(), "write-ahead log cannot be folded in, process stops");
    std::process::abort();
}
