//! The tables of format 2, and the step from format 1 in place.
//!
//! What a release has shipped here is never changed: a new table or column is a new format, and a step to it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::file::failed;
use crate::log::LogError;
use crate::log::seal::Secret;

/// Version of the tables below and of what events say in them. Which names of events and which of their fields a format has,
/// `stored/tests/format-N.txt` lists.
pub const FORMAT: u32 = 2;
/// The last format that had other tables.
const TABLES_SINCE: u32 = 2;

/// Times are milliseconds UTC. Sequence numbers and ids begin at 1.
pub(crate) const EVENTS: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  -- The key of its command in rows of format 1; empty since commands have a table.
  key BLOB NOT NULL,
  form INTEGER NOT NULL,
  name TEXT NOT NULL,
  case_id INTEGER,
  whistle_id INTEGER,
  body TEXT NOT NULL,
  crc INTEGER NOT NULL,
  -- Empty in rows of format 1.
  roles TEXT NOT NULL DEFAULT '',
  door TEXT NOT NULL DEFAULT '',
  -- The line: NULL in rows of format 1 and where no case is concerned. `areas` is `|finest|…|city|`.
  number TEXT,
  class TEXT,
  areas TEXT,
  -- Place of the audit chain, NULL until it is used.
  chain BLOB
);
CREATE INDEX events_case ON events(case_id, seq) WHERE case_id IS NOT NULL;
CREATE INDEX events_whistle ON events(whistle_id, seq) WHERE whistle_id IS NOT NULL;
";

/// What format 2 has besides: made by the step from format 1 as well.
pub(crate) const BESIDE: &str = "
CREATE TABLE commands(
  -- Their order, so that a backup finds new ones.
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  key BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  -- Version of the form the fingerprint was taken of.
  form INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  -- Below first_seq when the command changed nothing.
  last_seq INTEGER NOT NULL,
  answer TEXT NOT NULL,
  -- 1: kept for ever (an imported row); 0: may end by policy.
  lasting INTEGER NOT NULL
);
CREATE UNIQUE INDEX commands_key ON commands(key, actor);
CREATE INDEX commands_ending ON commands(at) WHERE lasting = 0;

CREATE TABLE blobs(
  no INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  bytes BLOB NOT NULL
);

CREATE TABLE persons(
  no INTEGER PRIMARY KEY,
  case_id INTEGER NOT NULL UNIQUE,
  sealed BLOB NOT NULL,
  -- NULL once erased.
  key BLOB
);
CREATE INDEX persons_erased ON persons(no) WHERE key IS NULL;
";

/// What the events of format 1 lack. SQLite adds columns without touching rows.
const COLUMNS_SINCE_1: &str = "
ALTER TABLE events ADD COLUMN roles TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN door TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN number TEXT;
ALTER TABLE events ADD COLUMN class TEXT;
ALTER TABLE events ADD COLUMN areas TEXT;
ALTER TABLE events ADD COLUMN chain BLOB;
";

/// In `meta` while rows of format 1 stand where they stood then: how far they have been moved.
pub(crate) const MOVED_TO: &str = "moved_to";

/// The version the file says it has. Asked of SQLite and not of the file's first bytes: the newest may be in the
/// write-ahead log alone.
pub(crate) fn format(conn: &Connection, path: &Path) -> Result<u32, LogError> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|source| failed(path, "read the format of", source))
}

/// Brings an older file to [`FORMAT`], in one small transaction whatever the file's size; refuses a newer one.
pub(crate) fn upgrade(conn: &Connection, path: &Path) -> Result<(), LogError> {
    upgrade_to(FORMAT, conn, path)
}

fn upgrade_to(to: u32, conn: &Connection, path: &Path) -> Result<(), LogError> {
    let is = format(conn, path)?;
    match is {
        _ if is == to => {
            drop_old_keys(conn, path)?;
            // Killed between the step and its folding in, the file's first page is still the older one.
            return if meta(conn, path, MOVED_TO)?.is_some() { fold(conn, path) } else { Ok(()) };
        }
        1..TABLES_SINCE => {}
        // The tables are the same: from here on it says more in them than an older gridhall understands.
        TABLES_SINCE.. if is < to => {}
        _ => return Err(LogError::Newer { place: path.to_owned(), is, knows: to }),
    }
    let failed = |source| failed(path, "bring up to date", source);
    let transaction = conn.unchecked_transaction().map_err(failed)?;
    if is < TABLES_SINCE {
        tables_since_1(&transaction, path)?;
    }
    transaction.pragma_update(None, "user_version", to).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    fold(conn, path)?;
    tracing::info!(path = %path.display(), from = is, to, "store brought up to date");
    Ok(())
}

fn tables_since_1(conn: &Connection, path: &Path) -> Result<(), LogError> {
    let failed = |source| failed(path, "bring up to date", source);
    conn.execute_batch(COLUMNS_SINCE_1).map_err(failed)?;
    conn.execute_batch(BESIDE).map_err(failed)?;
    set_meta(conn, path, "secret", &hex(Secret::random().expose()))?;
    set_meta(conn, path, "fence", "0")?;
    set_meta(conn, path, MOVED_TO, "0")
}

/// An older programme judges the file by its first page: the new version must be there, not only in the log.
fn fold(conn: &Connection, path: &Path) -> Result<(), LogError> {
    let fold = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    fold.map_err(|source| failed(path, "bring up to date", source))
}

/// The table of keys of format 1, once it is empty.
fn drop_old_keys(conn: &Connection, path: &Path) -> Result<(), LogError> {
    if meta(conn, path, MOVED_TO)?.is_none() && has_old_keys(conn, path)? {
        conn.execute_batch("DROP TABLE keys").map_err(|source| failed(path, "bring up to date", source))?;
    }
    Ok(())
}

/// Gives a new store its epoch, its secret and its first fence.
pub(crate) fn make_identity(conn: &Connection, path: &Path) -> Result<(), LogError> {
    set_meta(conn, path, "epoch", &format!("{:016x}", rand::random::<u64>()))?;
    set_meta(conn, path, "secret", &hex(Secret::random().expose()))?;
    set_meta(conn, path, "fence", "0")
}

/// Whether keys of format 1 are in the file.
pub(crate) fn has_old_keys(conn: &Connection, path: &Path) -> Result<bool, LogError> {
    conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'keys'", [], |row| row.get(0))
        .map_err(|source| failed(path, "read", source))
}

pub(crate) fn epoch(conn: &Connection, path: &Path) -> Result<u64, LogError> {
    let text = meta(conn, path, "epoch")?.unwrap_or_default();
    u64::from_str_radix(&text, 16)
        .map_err(|_| LogError::damaged(path, format!("its epoch `{text}` is not a number")))
}

pub(crate) fn secret(conn: &Connection, path: &Path) -> Result<Secret, LogError> {
    let text = meta(conn, path, "secret")?.unwrap_or_default();
    let secret = unhex(&text).map(Secret::new);
    secret.ok_or_else(|| LogError::damaged(path, "its secret is missing or cut off"))
}

pub(crate) fn meta(conn: &Connection, path: &Path, name: &str) -> Result<Option<String>, LogError> {
    let failed = |source| failed(path, "read", source);
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = ?1").map_err(failed)?;
    statement.query_row([name], |row| row.get(0)).optional().map_err(failed)
}

pub(crate) fn set_meta(conn: &Connection, path: &Path, name: &str, value: &str) -> Result<(), LogError> {
    conn.execute("INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2", [name, value])
        .map_err(|source| failed(path, "write", source))?;
    Ok(())
}

/// In `meta` while the newest rows have a time that is doubted: the one that was believed then.
const BELIEVED: &str = "believed";

pub(crate) fn believed(conn: &Connection, path: &Path) -> Result<Option<i64>, LogError> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| LogError::damaged(path, format!("the time it believed, `{text}`, is no number")))
    };
    meta(conn, path, BELIEVED)?.map(parse).transpose()
}

pub(crate) fn set_believed(conn: &Connection, path: &Path, at: Option<i64>) -> Result<(), LogError> {
    if let Some(at) = at {
        return set_meta(conn, path, BELIEVED, &at.to_string());
    }
    let end =
        |conn: &Connection| conn.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([BELIEVED]);
    end(conn).map(|_| ()).map_err(|source| failed(path, "write", source))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from 64 digits.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Raising [`FORMAT`] for a name of an event alone is a number more: an older store is brought to it, a newer one refused.
    #[test]
    fn a_format_with_the_same_tables_is_a_number_more() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(EVENTS).unwrap();
        conn.execute_batch(BESIDE).unwrap();
        conn.pragma_update(None, "user_version", FORMAT).unwrap();
        let path = Path::new("a");
        for to in [FORMAT + 1, FORMAT + 3] {
            upgrade_to(to, &conn, path).unwrap();
            assert_eq!(format(&conn, path).unwrap(), to);
            assert_eq!(meta(&conn, path, MOVED_TO).unwrap(), None, "no row is moved for it");
        }
        let refused = upgrade_to(FORMAT + 2, &conn, path).unwrap_err();
        assert!(
            matches!(refused, LogError::Newer { is, knows, .. } if (is, knows) == (FORMAT + 3, FORMAT + 2))
        );
    }
}
