//! The file itself: whether it is ours, its tables, its settings.
//!
//! A file is judged by its first 100 bytes before SQLite opens it, so that a foreign, newer or torn file is refused
//! without being touched.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{DATABASE, StoreError, snapshot};

/// `GRHL`: what `file` and SQLite's header say the file is.
const APPLICATION_ID: u32 = 0x4752_484C;
/// Version of the tables below and of what stands in them. 2: events of form 2; the tables are those of 1.
pub const FORMAT: u32 = 2;

const PAGE_BYTES: u32 = 4_096;
/// Up to this size every start checks the whole file; beyond it `gridhall check` does.
const QUICK_CHECK_BYTES_MAX: u64 = 256 * 1024 * 1024;

pub(super) const TABLES: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  key BLOB NOT NULL,
  form INTEGER NOT NULL,
  name TEXT NOT NULL,
  case_id INTEGER,
  whistle_id INTEGER,
  body TEXT NOT NULL,
  crc INTEGER NOT NULL
);
CREATE INDEX events_case ON events(case_id, seq) WHERE case_id IS NOT NULL;
CREATE INDEX events_whistle ON events(whistle_id, seq) WHERE whistle_id IS NOT NULL;

CREATE TABLE keys(
  key BLOB PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE cases(
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL,
  class TEXT NOT NULL,
  source TEXT NOT NULL,
  address TEXT NOT NULL,
  has_place INTEGER NOT NULL,
  reported_day INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  due INTEGER NOT NULL,
  open INTEGER NOT NULL,
  filed_day INTEGER,
  dispatched_day INTEGER,
  closed_day INTEGER,
  dispatched_late INTEGER NOT NULL,
  department TEXT,
  claimed_by TEXT,
  version INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX cases_due ON cases(due, id) WHERE open = 1;
CREATE INDEX cases_reported ON cases(reported_day, id);
CREATE INDEX cases_filed ON cases(filed_day, id) WHERE filed_day IS NOT NULL;
CREATE INDEX cases_closed ON cases(closed_day, id) WHERE closed_day IS NOT NULL;
CREATE TABLE case_areas(area TEXT NOT NULL, case_id INTEGER NOT NULL, PRIMARY KEY(area, case_id)) WITHOUT ROWID;

CREATE TABLE whistles(
  id INTEGER PRIMARY KEY,
  level INTEGER NOT NULL,
  open INTEGER NOT NULL,
  raised_day INTEGER NOT NULL,
  area_path TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX whistles_open ON whistles(id) WHERE open = 1;
";

pub(super) enum Found {
    Nothing,
    Store,
}

/// Looks at the file without opening it as a database.
pub(super) fn probe(dir: &Path) -> Result<Found, StoreError> {
    let path = dir.join(DATABASE);
    let damaged = |what: &str| Err(StoreError::Damaged { path: path.clone(), what: what.to_owned() });
    let wal_bytes = std::fs::metadata(dir.join(format!("{DATABASE}-wal"))).map_or(0, |meta| meta.len());
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return if wal_bytes > 0 || snapshot::any(dir) {
                damaged("the database file is gone, but its log or snapshots are there")
            } else {
                Ok(Found::Nothing)
            };
        }
        Err(source) => return Err(StoreError::io(&path, "read", source)),
    };
    let bytes = file.metadata().map_err(|source| StoreError::io(&path, "read the size of", source))?.len();
    let mut header = [0; 100];
    if file.read_exact(&mut header).is_err() {
        return damaged(&format!("it has {bytes} bytes, less than its header needs"));
    }
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if &header[..16] != b"SQLite format 3\0" || word(68) != APPLICATION_ID {
        return Err(StoreError::Foreign { path });
    }
    if word(60) > FORMAT {
        return Err(StoreError::Newer { path, is: word(60), knows: FORMAT });
    }
    let expected = u64::from(word(28)) * u64::from(PAGE_BYTES);
    if wal_bytes == 0 && bytes < expected {
        return damaged(&format!("it has {bytes} bytes of {expected}, so its end was cut off"));
    }
    Ok(Found::Store)
}

/// Makes a new, empty store. It appears under its name only when it is complete.
pub(super) fn create(dir: &Path) -> Result<(), StoreError> {
    let made = dir.join(format!("{DATABASE}.new"));
    let path = dir.join(DATABASE);
    let failed = |source| StoreError::sql(&made, "create", source);
    match std::fs::remove_file(&made) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(StoreError::NotWritable { path: dir.to_owned(), source }),
    }
    let conn = Connection::open(&made).map_err(failed)?;
    let settings = format!(
        "PRAGMA page_size = {PAGE_BYTES}; PRAGMA synchronous = FULL; PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {FORMAT};"
    );
    conn.execute_batch(&settings).map_err(failed)?;
    conn.execute_batch(&format!("BEGIN; {TABLES} COMMIT;")).map_err(failed)?;
    set_meta(&conn, &made, "epoch", &format!("{:016x}", rand::random::<u64>()))?;
    conn.close().map_err(|(_, source)| failed(source))?;
    std::fs::rename(&made, &path).map_err(|source| StoreError::io(&made, "rename", source))?;
    sync_folder(dir)
}

/// Makes a rename in `dir` durable.
pub(super) fn sync_folder(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(|source| StoreError::io(dir, "sync", source))
}

pub(super) fn open_for_writing(path: &Path, pages_max: Option<u32>) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::sql(path, "open", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    // A store that is refused is not touched: without this, closing would fold the write-ahead log into it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    conn.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(64);
    if let Some(pages) = pages_max {
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(failed)?;
    }
    Ok(conn)
}

/// Settings of the writing connection, set once the file is known to be sound.
pub(super) fn settle(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::sql(path, "set up", source);
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let what = format!("its journal mode is `{mode}`, and this file system does not allow `wal`");
        return Err(StoreError::Damaged { path: path.to_owned(), what });
    }
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -65536; \
         PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )
    .map_err(failed)
}

/// Marks a file of an earlier format as one of this: from the first event in a new form on an older gridhall must refuse
/// it. The tables are the same, so this is all.
pub(super) fn upgrade(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::sql(path, "raise the format of", source);
    let is: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if is < FORMAT {
        conn.pragma_update(None, "user_version", FORMAT).map_err(failed)?;
        tracing::info!(path = %path.display(), from = is, to = FORMAT, "store format raised");
    }
    // An older gridhall judges by the file alone, not by the write-ahead log; the last start may have ended in between.
    if header_format(path)? < FORMAT {
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    }
    Ok(())
}

/// The format as the first bytes of the file have it.
fn header_format(path: &Path) -> Result<u32, StoreError> {
    let mut header = [0; 64];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|source| StoreError::io(path, "read the header of", source))?;
    Ok(u32::from_be_bytes([header[60], header[61], header[62], header[63]]))
}

/// Walks the whole file when it is small enough to do so at every start.
pub(super) fn quick_check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if bytes > QUICK_CHECK_BYTES_MAX {
        return Ok(());
    }
    let said: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| StoreError::sql(path, "check", source))?;
    if said == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged { path: path.to_owned(), what: said.replace('\n', "; ") })
    }
}

pub(super) fn epoch(conn: &Connection, path: &Path) -> Result<u64, StoreError> {
    let text = meta(conn, path, "epoch")?.unwrap_or_default();
    u64::from_str_radix(&text, 16).map_err(|_| StoreError::Damaged {
        path: path.to_owned(),
        what: format!("its epoch `{text}` is not a number"),
    })
}

pub(super) fn meta(conn: &Connection, path: &Path, name: &str) -> Result<Option<String>, StoreError> {
    use rusqlite::OptionalExtension;
    conn.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(|source| StoreError::sql(path, "read", source))
}

pub(super) fn set_meta(conn: &Connection, path: &Path, name: &str, value: &str) -> Result<(), StoreError> {
    conn.execute("INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2", [name, value])
        .map_err(|source| StoreError::sql(path, "write", source))?;
    Ok(())
}
