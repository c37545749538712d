//! Connections for reading one views' file.
//!
//! What should be here: lending them out. What should not: what is read.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};

use super::file::ViewsError;
use crate::log::sqlite::file::connect_at_rest;

use crate::lock::lock;

/// Connections kept for reading.
const IDLE_MAX: usize = 8;

/// Whether a server may write the file while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Meanwhile,
    /// Its folder is at rest, and stays as it is to the byte.
    ByNobody,
}

/// Connections for reading one file.
#[derive(Debug)]
pub struct Pool {
    path: PathBuf,
    written: Written,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    #[must_use]
    pub fn new(path: PathBuf, written: Written) -> Self {
        Self { path, written, idle: Mutex::new(Vec::new()) }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives `read` a connection. Not within a transaction: pieces of runs never change, and a long one would pin the
    /// write-ahead log.
    pub fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, ViewsError>) -> Result<T, ViewsError> {
        let idle = lock(&self.idle).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let result = read(&conn);
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_MAX {
            idle.push(conn);
        }
        result
    }

    fn connect(&self) -> Result<Connection, ViewsError> {
        let failed = |source| ViewsError::sql(&self.path, "open", source);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = match self.written {
            Written::Meanwhile => Connection::open_with_flags(&self.path, flags),
            Written::ByNobody => connect_at_rest(&self.path),
        };
        let conn = conn.map_err(failed)?;
        conn.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
        conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8192;").map_err(failed)?;
        conn.set_prepared_statement_cache_capacity(32);
        Ok(conn)
    }
}
