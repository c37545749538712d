//! The keeper: a thread that folds the write-ahead log in and writes snapshots, so that the writer never waits for
//! either. It reads the log through a connection of its own and keeps no state between snapshots.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::policy::Policy;
use rusqlite::Connection;

use super::{DATABASE, StoreError, replay, schema, snapshot};

/// How often the keeper looks. At full load the log grows by some 40 MiB in this time.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Keeper {
    head: Arc<AtomicU64>,
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

struct Work {
    dir: PathBuf,
    epoch: u64,
    policy: Policy,
    every: u64,
    head: Arc<AtomicU64>,
    conn: Connection,
    /// Head at the last look.
    seen: u64,
    /// Sequence number of the newest snapshot known.
    snapshot: u64,
}

impl Keeper {
    pub(super) fn start(dir: &Path, epoch: u64, policy: &Policy, every: u64) -> Result<Self, StoreError> {
        let conn = schema::open_for_writing(&dir.join(DATABASE), None)?;
        let newest = snapshot::list(dir).first().and_then(|path| path.file_stem()?.to_str()?.parse().ok());
        let head = Arc::new(AtomicU64::new(0));
        let (stop, stopped) = sync_channel(1);
        let mut work = Work {
            dir: dir.to_owned(),
            epoch,
            policy: policy.clone(),
            every: every.max(1),
            head: head.clone(),
            conn,
            seen: 0,
            snapshot: newest.unwrap_or(0),
        };
        let thread = std::thread::Builder::new()
            .name("store-keeper".to_owned())
            .spawn(move || work.run(&stopped))
            .map_err(|source| StoreError::io(dir, "start the keeper thread for", source))?;
        Ok(Self { head, stop, thread })
    }

    pub(super) fn note_head(&self, seq: u64) {
        self.head.store(seq, Ordering::Relaxed);
    }

    pub(super) fn stop(self) {
        // The thread may have ended already; both calls then say so, and there is nothing to do about it.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

impl Work {
    fn run(&mut self, stopped: &Receiver<()>) {
        loop {
            match stopped.recv_timeout(LOOK_EVERY) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let head = self.head.load(Ordering::Relaxed);
            if head == self.seen {
                continue;
            }
            self.seen = head;
            if let Err(error) = self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                tracing::warn!(%error, "write-ahead log not folded in");
            }
            if head >= self.snapshot + self.every {
                match self.write_snapshot() {
                    Ok(seq) => self.snapshot = seq,
                    // The next attempt comes after as many events again: a full disk is not hammered.
                    Err(error) => {
                        self.snapshot = head;
                        tracing::warn!(error = error.chain(), "snapshot not written");
                    }
                }
            }
        }
    }

    fn write_snapshot(&self) -> Result<u64, StoreError> {
        let state = replay::load(&self.conn, &self.dir, self.epoch, &self.policy)?;
        snapshot::write(&self.dir, self.epoch, self.policy.utc_offset_minutes, &state)?;
        Ok(state.seq)
    }
}
