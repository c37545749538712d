//! The old tables of lists: where they stand, and how they follow the log.
//!
//! They are derived, on a connection of their own whose commits are not synced: those of the log are, and a table that
//! is behind after a crash is brought up to the log at the start. What they cover stands in the same transaction.

use std::path::{Path, PathBuf};

use domain::moment::UtcOffset;
use domain::policy::Policy;
use rusqlite::Connection;

use super::{Projection, StoreError, int, natural, projection, schema};
use crate::log::sqlite::file;

/// The tables and how far they have come.
pub(super) struct Lists {
    conn: Connection,
    path: PathBuf,
    offset: UtcOffset,
    /// What could not be written yet: the disk was full.
    waiting: Projection,
}

/// In `meta`: the last event whose changes stand in the tables.
pub(super) const COVERED: &str = "lists_seq";

impl Lists {
    /// Opens the tables beside a log that is open already. Of another version or offset, they are emptied.
    pub(super) fn open(path: &Path, policy: &Policy, pages_max: Option<u32>) -> Result<Self, StoreError> {
        let conn = file::open_for_writing(path, pages_max)?;
        file::settle(&conn, path)?;
        let failed = |source| StoreError::sql(path, "set up the lists of", source);
        conn.execute_batch("PRAGMA synchronous = NORMAL").map_err(failed)?;
        conn.execute_batch(schema::LISTS).map_err(failed)?;
        let offset = policy.utc_offset_minutes;
        let wanted = format!("{} {}", projection::PROJECTION, offset.0);
        if schema::meta(&conn, path, "projection")?.as_ref() != Some(&wanted) {
            let transaction = conn.unchecked_transaction().map_err(failed)?;
            transaction.execute_batch(projection::EMPTY).map_err(failed)?;
            schema::set_meta(&transaction, path, COVERED, "0")?;
            schema::set_meta(&transaction, path, "projection", &wanted)?;
            transaction.commit().map_err(failed)?;
        }
        Ok(Self { conn, path: path.to_owned(), offset, waiting: Projection::default() })
    }

    /// The last event whose changes stand in the tables. Before there was such a mark they stood with the log.
    pub(super) fn covered(&self, head: u64) -> Result<u64, StoreError> {
        let text = schema::meta(&self.conn, &self.path, COVERED)?;
        Ok(text.map_or(head, |text| natural(text.parse().unwrap_or(0))))
    }

    /// Writes what a group changed, and what waited. Failing is no harm to what was acknowledged: the next group tries
    /// again, and the next start at the latest.
    pub(super) fn follow(&mut self, changed: Projection, head: u64) {
        self.waiting.merge(changed);
        match self.write(head) {
            Ok(()) => self.waiting = Projection::default(),
            Err(error) => tracing::warn!(error = error.chain(), "lists are behind the log"),
        }
    }

    /// Writes a stretch while the tables are brought up to the log.
    pub(super) fn catch_up(&mut self, changed: Projection, covered: u64) -> Result<(), StoreError> {
        self.waiting = changed;
        self.write(covered)?;
        self.waiting = Projection::default();
        Ok(())
    }

    fn write(&self, covered: u64) -> Result<(), StoreError> {
        let failed = |source| StoreError::sql(&self.path, "write cases to", source);
        let transaction = self.conn.unchecked_transaction().map_err(failed)?;
        projection::write(&transaction, &self.waiting, self.offset).map_err(failed)?;
        schema::set_meta(&transaction, &self.path, COVERED, &int(covered).to_string())?;
        transaction.commit().map_err(failed)
    }
}
