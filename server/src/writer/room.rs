//! A disk without room: nothing of a group happened, nothing more is tried until there is some, and the log hears of it now and
//! then.
//!
//! What should not be here: when room is looked for while nobody sends anything (`group`).

use std::sync::atomic::Ordering;

use super::WriteError;
use super::group::{Failed, Loop, abort};
use crate::clock;
use crate::folder::StoreError;
use crate::world::World;

impl<W: World> Loop<W> {
    /// Whether the disk was full and still is.
    pub(super) fn still_full(&mut self) -> bool {
        let full = self.condition.full.load(Ordering::Relaxed) && !self.store.has_room();
        self.condition.full.store(full, Ordering::Relaxed);
        full
    }

    /// Nothing is tried on a disk that was full and still is.
    pub(super) fn expect_room(&mut self) -> Result<(), WriteError> {
        if self.still_full() {
            let full = StoreError::Full { path: self.store.database() };
            self.tell(&full);
            return Err(WriteError::NotStored(full.to_string()));
        }
        Ok(())
    }

    /// Nothing of it happened, unless nobody knows what the disk has.
    pub(super) fn not_stored(&mut self, Failed(error): Failed) -> WriteError {
        if !error.is_full() {
            abort(&error);
        }
        self.tell(&error);
        self.condition.full.store(true, Ordering::Relaxed);
        self.start_over();
        WriteError::NotStored(error.to_string())
    }

    /// For the log; whoever sent a command has it as the answer.
    fn tell(&mut self, error: &StoreError) {
        if let Some(failed) = self.trouble.failed(clock::instant()) {
            tracing::error!(error = error.chain(), failed, "commands not stored");
        }
    }

    /// Puts the state back to what the disk has.
    fn start_over(&mut self) {
        let reloaded = self.store.reload();
        match reloaded {
            Ok(state) => self.state = state,
            Err(error) => abort(&error),
        }
    }
}
