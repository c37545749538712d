//! The store of a stopped server: asked without a trace, and opened by whoever is about to change it.
//!
//! What should not be here: what is asked and changed (`cameras.rs`, `policy.rs`), how a store is opened (`writer::store`).

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use anyhow::Context;
use domain::state::State;

use crate::config::Config;
use crate::events::{genesis, replay};
use crate::folder::{DATABASE, LOCK, StoreError};
use crate::log::sqlite::SqliteReader;
use crate::stored::state;
use crate::writer::store::Store;

/// A store as it was left. Looking at it changes nothing in its folder: no format, no policy it begins with, no holder. While
/// this lives, no server starts on it.
pub(super) struct AtRest {
    pub(super) log: SqliteReader,
    pub(super) state: State,
    dir: PathBuf,
    /// None in a folder that no server has held yet.
    _lock: Option<File>,
}

impl AtRest {
    /// The store in the data folder; none where there is none. One of an older format is refused in words, and a server in the
    /// folder too.
    pub(super) fn look(config: &Config) -> anyhow::Result<Option<Self>> {
        let dir = &config.store.dir;
        if !dir.join(DATABASE).exists() {
            return Ok(None);
        }
        let lock = hold(config)?;
        let log = SqliteReader::open_at_rest(dir).map_err(StoreError::from)?;
        let genesis = genesis::read_or(&log, dir, &config.load_policy()?)?;
        let state = replay::load(&log, dir, &genesis, &state::SECTIONS)?;
        Ok(Some(Self { log, state, dir: dir.clone(), _lock: lock }))
    }

    /// Opens the store for writing. What was written since it was looked at, nobody has looked at: that is refused.
    pub(super) fn open(self, config: &Config) -> anyhow::Result<(Store, State)> {
        let (seq, dir) = (self.state.seq, self.dir.clone());
        drop(self);
        let (store, state) = open(config)?;
        anyhow::ensure!(
            state.seq == seq,
            "somebody wrote to `{}` meanwhile; nothing was changed, ask again",
            dir.display()
        );
        Ok((store, state))
    }
}

/// Keeps servers out while the folder is read; whoever reads beside is let in.
fn hold(config: &Config) -> anyhow::Result<Option<File>> {
    let dir = &config.store.dir;
    let file = match File::open(dir.join(LOCK)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(source).with_context(|| format!("cannot read `{}`", dir.display())),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(with_advice(StoreError::InUse { path: dir.clone() })),
        Err(TryLockError::Error(source)) => {
            Err(source).with_context(|| format!("cannot lock `{}`", dir.display()))
        }
    }
}

/// Opens the store for writing, and makes one where there is none.
pub(super) fn open(config: &Config) -> anyhow::Result<(Store, State)> {
    Store::open(&config.store.dir, &config.load_policy()?).map_err(with_advice)
}

/// Whoever has a running hall in mind is told how it is asked.
fn with_advice(error: StoreError) -> anyhow::Error {
    let in_use = matches!(error, StoreError::InUse { .. });
    let error = anyhow::Error::new(error);
    if !in_use {
        return error;
    }
    error.context("this folder has a server; name it with --server URL, and a token with --token-file FILE")
}
