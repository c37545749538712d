//! The tables of `access.db`, and how those of earlier versions are brought up.
//!
//! What should not be here: what is read from and written to them.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::{AccessError, PATIENCE};
use crate::clock;

pub(super) const VERSION: i64 = 3;

const SCHEMA: &str = "
CREATE TABLE account (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL,          -- comma separated
    created_ms INTEGER NOT NULL,  -- UTC
    department TEXT,              -- code of the one department the account acts for
    disabled_ms INTEGER,          -- UTC, since when nobody signs in with it
    locked_ms INTEGER,            -- UTC, until when after wrong passwords
    unlocked_ms INTEGER,          -- UTC, when an administrator last ended a lock
    scope TEXT                    -- JSON of what it may see; none: what its roles see
) STRICT;
CREATE TABLE act (                -- what was done to accounts and tokens
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,       -- UTC
    by TEXT NOT NULL,
    act TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;
CREATE TABLE token (
    name TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,  -- SHA-256 of the secret
    role TEXT NOT NULL,
    created_ms INTEGER NOT NULL,  -- UTC
    scope TEXT,                   -- JSON of what can be seen with it; none: everything
    may TEXT,                     -- comma separated, what a machine may; none: all that machines may
    department TEXT               -- code of the one department a machine acts for
) STRICT;
CREATE TABLE session (
    digest BLOB PRIMARY KEY,      -- SHA-256 of the cookie
    account TEXT NOT NULL,
    csrf TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,   -- UTC
    seen_ms INTEGER NOT NULL      -- UTC, within minutes
) STRICT;
";

/// From version 2 to 3. What was made before keeps what it had.
const TO_3: &str = "
ALTER TABLE account ADD COLUMN scope TEXT;
ALTER TABLE token ADD COLUMN scope TEXT;
ALTER TABLE token ADD COLUMN may TEXT;
ALTER TABLE token ADD COLUMN department TEXT;
";

/// From version 1 to 2.
const TO_2: &str = "
ALTER TABLE account ADD COLUMN department TEXT;
ALTER TABLE account ADD COLUMN disabled_ms INTEGER;
ALTER TABLE account ADD COLUMN locked_ms INTEGER;
ALTER TABLE account ADD COLUMN unlocked_ms INTEGER;
CREATE TABLE act (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL,
    act TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;
";

/// Turns the write-ahead log on. SQLite does not wait by itself where two do so to a new file at once.
pub(super) fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let began = clock::instant();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && began.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
}

/// Makes the tables, or brings those of an older version up. The version is read within the lock: another process may
/// be doing the same.
pub(super) fn bring_up(connection: &Connection) -> Result<(), AccessError> {
    let version = |on: &Connection| on.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    if version(connection)? == VERSION {
        return Ok(());
    }
    let work = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    match version(&work)? {
        0 => work.execute_batch(SCHEMA)?,
        1 => work.execute_batch(&[TO_2, TO_3].concat())?,
        2 => work.execute_batch(TO_3)?,
        VERSION => return Ok(()),
        found => return Err(AccessError::Version { found }),
    }
    work.pragma_update(None, "user_version", VERSION)?;
    Ok(work.commit()?)
}

/// Accounts are nobody else's business on the machine.
pub(super) fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(path = %path.display(), %error, "cannot restrict the account file to its owner");
    }
}
