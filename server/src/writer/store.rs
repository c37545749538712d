//! The store: a hall's log with the state it makes, and its keeper.
//!
//! What should be here: how they are opened, kept together and closed. What should not: the log itself (`log`), what its
//! events make (`events`), the stored forms (`stored`), rules about cases (`domain`), in which order commands are taken
//! (`crate::writer`). One process owns a folder; within it one thread writes and any number read.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::state::State;
use uuid::Uuid;

use crate::events::{Newest, Reader, genesis, replay};
use crate::folder::{self, DATABASE, LOCK, StoreError};
use crate::log::seal::Secret;
use crate::log::sqlite::SqliteLog;
use crate::log::{Blob, Group, Log, Read, shelf};
use crate::stored;
use crate::stored::command::import_namespace;
use crate::stored::policy::{Genesis, genesis_blob};

mod append;
mod keeper;
mod anew;

pub(crate) use append::Sent;
pub use append::{Pending, Remembered};
pub use keeper::Health;

/// By this among its blobs a store says that it is a demonstration's. Kept for ever as it is.
const DEMONSTRATION: &[u8] = b"gridhall: a demonstration's store";

/// What an operator or a test may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events between two snapshots of the state, beside the one of each day. A start replays at most this many and what
    /// came meanwhile.
    pub snapshot_every: u64,
    /// How long keys that people and machines make are remembered; for ever without a number, as those of imported rows
    /// are always.
    pub keys_kept_days: Option<u32>,
    /// Largest size of the database in pages of 4 KiB; none leaves it to the disk.
    pub pages_max: Option<u32>,
    /// Newest events that the feed is led through at a start, at most. In a large city 2,048 are the better part of an hour, and a
    /// tenth of a second of the start.
    pub newest_max: u64,
    /// In which forms the state is kept: those of this build, unless a test speaks for one to come.
    pub sections: &'static [stored::state::Known],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshot_every: 50_000,
            keys_kept_days: None,
            pages_max: None,
            newest_max: 2_048,
            sections: &stored::state::SECTIONS,
        }
    }
}

/// The open store: the one holder of the log that writes.
pub struct Store {
    log: Box<dyn Log>,
    dir: PathBuf,
    genesis: Genesis,
    options: Options,
    /// What was believed at the last append, where its time was doubted.
    believed: Option<UtcMillis>,
    keeper: Option<keeper::Keeper>,
    /// Until the writer has told them.
    newest: Option<Newest>,
    /// Held while the store is open, so that a second process is refused.
    _lock: File,
}

impl Store {
    /// Opens the store in `dir`, making a new one where there is none, and rebuilds the state from the newest
    /// snapshot and the events after it. `policy` is what a new store begins with; one that has begun follows its log.
    pub fn open(dir: &Path, policy: &Policy) -> Result<(Self, State), StoreError> {
        Self::open_with(dir, policy, Options::default())
    }

    pub fn open_with(dir: &Path, policy: &Policy, options: Options) -> Result<(Self, State), StoreError> {
        let lock = lock(dir)?;
        let path = dir.join(DATABASE);
        let mut log = SqliteLog::open(dir, shelf::any(dir) || folder::was_served(dir), options.pages_max)?;
        let aside = shelf::set_aside(dir, log.head()?.seq)?;
        let genesis = begin(&mut log, dir, policy)?;
        let (replay::Beginning { state, counts_are_guessed }, newest) =
            replay::begin(&log, dir, &genesis, options.sections, options.newest_max)?;
        let keeper = keeper::Keeper::start(dir, log.reader()?, &genesis, &options, counts_are_guessed)?;
        keeper.note_head(state.seq, day_of(&state));
        if let Some(aside) = aside {
            keeper.health.set_aside(&aside);
        }
        tracing::info!(path = %path.display(), epoch = format!("{:016x}", log.epoch()), seq = state.seq, "store open");
        let store = Self {
            believed: log.believed()?.map(UtcMillis),
            log: Box::new(log),
            dir: dir.to_owned(),
            genesis,
            options,
            keeper: Some(keeper),
            newest,
            _lock: lock,
        };
        Ok((store, state))
    }

    /// The newest events that were read after a snapshot, once.
    pub(crate) fn take_newest(&mut self) -> Option<Newest> {
        self.newest.take()
    }

    /// Identity of the data: kept with it, so that it survives restarts; a restored backup has a new one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    /// What keyed hashes and the keys of imported rows are made with.
    #[must_use]
    pub fn secret(&self) -> Secret {
        self.log.secret()
    }

    /// Of the keys of imported rows: the same row has the same key in every run, and nobody who may not import can make it.
    #[must_use]
    pub fn import_namespace(&self) -> Uuid {
        import_namespace(&self.log.secret())
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// How the keeping of the store goes, for those who say whether the hall is well.
    #[must_use]
    pub fn health(&self) -> Arc<Health> {
        self.keeper.as_ref().map_or_else(Arc::default, |keeper| keeper.health.clone())
    }

    /// Which time was believed when the newest events were given one that was not; none where theirs was.
    #[must_use]
    pub fn believed(&self) -> Option<UtcMillis> {
        self.believed
    }

    /// What the log began with.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Whether this is a demonstration's store (演示). It says so among its blobs, which go into every backup.
    pub fn is_demonstration(&self) -> Result<bool, StoreError> {
        Ok(self.log.blob(&Blob::of(DEMONSTRATION.to_vec()).hash)?.is_some())
    }

    /// Makes a store without events a demonstration's, for good.
    pub fn make_demonstration(&mut self) -> Result<(), StoreError> {
        Ok(self.log.append(&Group { blobs: vec![Blob::of(DEMONSTRATION.to_vec())], ..Group::default() })?)
    }

    /// A handle for reading, on connections of its own.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(&self.dir, self.genesis.policy.utc_offset_minutes)
    }

    /// Reads the state again from disk, after a write that did not happen.
    pub(crate) fn reload(&self) -> Result<State, StoreError> {
        if let Some(aside) = shelf::set_aside(&self.dir, self.log.head()?.seq)? {
            self.health().set_aside(&aside);
        }
        replay::load(&*self.log, &self.dir, &self.genesis, self.options.sections)
    }

    /// The state as a replay in the background has counted it anew, once, brought to event `seq`; none where nothing was a
    /// guess, or is not counted yet.
    pub(crate) fn counted_anew(&self, seq: u64) -> Result<Option<State>, StoreError> {
        let Some(mut state) = self.health().anew.take() else { return Ok(None) };
        let path = self.database();
        replay::each(&*self.log, &path, state.seq, |recorded| {
            if recorded.seq <= seq {
                state.apply(&recorded);
            }
            Ok(())
        })?;
        Ok(Some(state))
    }

    /// Ends cleanly: a snapshot of the state, and everything in the one file.
    pub fn close(mut self, state: &State) -> Result<(), StoreError> {
        let may_be_kept = self.health().anew.may_be_kept();
        if let Some(keeper) = self.keeper.take() {
            keeper.stop();
        }
        // Counts that are a guess must not be kept as if they were known, nor what the log does not make.
        if state.seq > 0 && may_be_kept {
            let container = stored::state::encode_as(self.log.epoch(), state, self.options.sections);
            shelf::put(&self.dir, &container, day_of(state))?;
        }
        self.log.close()?;
        tracing::info!(seq = state.seq, "store closed");
        Ok(())
    }
}

/// What the log began with. A store without any gets it here, before its first event.
fn begin(log: &mut dyn Log, dir: &Path, file: &Policy) -> Result<Genesis, StoreError> {
    if let Some(genesis) = genesis::read(&*log, dir)? {
        return Ok(genesis);
    }
    let genesis = genesis::read_or(&*log, dir, file)?;
    log.append(&Group { blobs: vec![genesis_blob(&genesis)], ..Group::default() })?;
    tracing::info!(source = genesis.policy.stated_source, "the log begins with this policy");
    Ok(genesis)
}

/// The local day of a state, as snapshots are named by it.
fn day_of(state: &State) -> u32 {
    u32::try_from(state.today.number()).unwrap_or(0)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Times the lock is asked for again, 20 ms apart.
const LOCK_RETRIES: u32 = 10;

/// Takes the folder for this process alone, making it where it is missing.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let not_writable = |source| StoreError::NotWritable { path: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(not_writable)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK))
        .map_err(not_writable)?;
    let mut taken = file.try_lock();
    // A child this process or the last one starts holds the lock with it until it runs its own programme.
    for _ in 0..LOCK_RETRIES {
        if !matches!(taken, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        taken = file.try_lock();
    }
    match taken {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(not_writable(source)),
    }
}
