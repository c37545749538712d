//! A store that is made of rows at hand: of a backup, or of a history that a tool has thought up.
//!
//! What should be here: a file without a name, which nobody else has open, filled without a sync and synced once. What
//! should not: where the rows come from. Until the file has its name there is no store, so that whoever is killed
//! half-way leaves none.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::file::{self, failed};
use super::{rows, schema};
use crate::log::seal::Secret;
use crate::log::{Group, LogError, Result};

/// A file that is being filled.
pub struct Making {
    conn: Connection,
    made: PathBuf,
    dir: PathBuf,
    /// The last event written.
    head: u64,
}

/// A file that is filled and synced.
#[must_use = "without its name it is no store"]
pub struct Made {
    made: PathBuf,
    dir: PathBuf,
}

impl Making {
    /// Begins a store in `dir`, which must hold none; what an attempt before left is written over. It gets an epoch of
    /// its own, and `secret` where it goes on with what another store has marked.
    pub fn begin(dir: &Path, secret: Option<&str>) -> Result<Self> {
        let made = dir.join(format!("{}.new", file::DATABASE));
        let conn = file::create_as(&made)?;
        if let Some(secret) = secret {
            schema::set_meta(&conn, &made, "secret", secret)?;
        }
        conn.execute_batch(
            "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; \
             PRAGMA cache_size = -65536;",
        )
        .map_err(|source| failed(&made, "set up", source))?;
        conn.set_prepared_statement_cache_capacity(64);
        Ok(Self { conn, made, dir: dir.to_owned(), head: 0 })
    }

    pub fn epoch(&self) -> Result<u64> {
        schema::epoch(&self.conn, &self.made)
    }

    pub fn secret(&self) -> Result<Secret> {
        schema::secret(&self.conn, &self.made)
    }

    /// Writes a group; events must follow those before without a gap.
    pub fn write(&mut self, group: &Group) -> Result<()> {
        let head = rows::follow(&group.events, self.head, &self.made)?;
        let write = |conn: &Connection| -> rusqlite::Result<()> {
            conn.execute_batch("BEGIN")?;
            super::insert_rows(conn, group)?;
            conn.execute_batch("COMMIT")
        };
        write(&self.conn).map_err(|source| failed(&self.made, "write to", source))?;
        self.head = head;
        Ok(())
    }

    /// Everything is written: all of it goes to the disk.
    pub fn finish(self) -> Result<Made> {
        let Self { conn, made, dir, .. } = self;
        conn.close().map_err(|(_, source)| failed(&made, "close", source))?;
        let synced = std::fs::File::open(&made).and_then(|file| file.sync_all());
        synced.map_err(|source| LogError::io(&made, "sync", source))?;
        Ok(Made { made, dir })
    }
}

impl Made {
    /// Gives it its name: from now on it is the store of its folder.
    pub fn name(self) -> Result<()> {
        let database = self.dir.join(file::DATABASE);
        std::fs::rename(&self.made, &database).map_err(|source| LogError::io(&database, "name", source))?;
        file::sync_folder(&self.dir)
    }
}

impl std::fmt::Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Making").field("made", &self.made).finish_non_exhaustive()
    }
}
