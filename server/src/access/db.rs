//! `access.db`: accounts, tokens and sessions on disk. One thread uses it (`clerk.rs`); everybody else asks that one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::moment::UtcMillis;
use domain::role::Role;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};
use serde::Serialize;

/// What can go wrong with accounts and tokens.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("cannot use the account file `{path}`")]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error(
        "the account file has version {found}; this program knows version {VERSION}, use a newer gridhall"
    )]
    Version { found: i64 },
    #[error("cannot read or write accounts")]
    Sql(#[from] rusqlite::Error),
    #[error("cannot hash the password: {0}")]
    Hash(String),
    #[error("{0}")]
    Invalid(String),
    #[error("`{0}` is taken; names of accounts and tokens are unique")]
    Taken(String),
    #[error("the account file does not answer; try again in a few seconds")]
    Slow,
    #[error("the thread of the account file has ended")]
    Gone,
    #[error("cannot start the thread of the account file")]
    Thread(#[source] std::io::Error),
}

mod accounts;

pub use accounts::{Account, Act};
pub(super) use accounts::{StoredAccount, Wanted};

const VERSION: i64 = 2;
/// How long one waits for another process that is at the file.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
CREATE TABLE account (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL,          -- comma separated
    created_ms INTEGER NOT NULL,  -- UTC
    department TEXT,              -- code of the one department the account acts for
    disabled_ms INTEGER,          -- UTC, since when nobody signs in with it
    locked_ms INTEGER,            -- UTC, until when after wrong passwords
    unlocked_ms INTEGER           -- UTC, when an administrator last ended a lock
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
    created_ms INTEGER NOT NULL   -- UTC
) STRICT;
CREATE TABLE session (
    digest BLOB PRIMARY KEY,      -- SHA-256 of the cookie
    account TEXT NOT NULL,
    csrf TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,   -- UTC
    seen_ms INTEGER NOT NULL      -- UTC, within minutes
) STRICT;
";

/// From version 1 to 2.
const MIGRATION: &str = "
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

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TokenRow {
    pub name: String,
    pub role: Role,
    pub created: UtcMillis,
}

/// The file, open.
pub(super) struct Db(Connection);

impl Db {
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let open = || -> Result<Connection, rusqlite::Error> {
            let connection = Connection::open(path)?;
            // First: the command line may be at the file as well.
            connection.busy_timeout(PATIENCE)?;
            write_ahead(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(connection)
        };
        let connection = open().map_err(|source| AccessError::Open { path: path.to_owned(), source })?;
        bring_up(&connection)?;
        restrict(path);
        Ok(Self(connection))
    }

    pub fn put_token(
        &self,
        name: &str,
        digest: &[u8; 32],
        role: Role,
        now: UtcMillis,
    ) -> Result<(), AccessError> {
        let made = self.0.execute(
            "INSERT INTO token SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM account WHERE name = ?1)
             ON CONFLICT (name) DO NOTHING",
            params![name, digest.as_slice(), join(&[role]), now.0],
        )?;
        if made == 0 { Err(AccessError::Taken(name.to_owned())) } else { Ok(()) }
    }

    /// Whether an account or a token has this name.
    pub fn is_taken(&self, name: &str) -> Result<bool, AccessError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM token WHERE name = ?1)
            OR EXISTS (SELECT 1 FROM account WHERE name = ?1)";
        Ok(self.0.query_row(sql, [name], |row| row.get(0))?)
    }

    /// All tokens by their digests.
    pub fn stored_tokens(&self) -> Result<Vec<([u8; 32], TokenRow)>, AccessError> {
        let mut statement = self.0.prepare_cached("SELECT name, role, created_ms, digest FROM token")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(3)?, token_row(row)?)))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        // A row that cannot be read opens no door; the others do.
        Ok(rows.into_iter().filter_map(|(digest, row)| Some((digest.try_into().ok()?, row?))).collect())
    }

    pub fn drop_token(&self, digest: &[u8; 32]) -> Result<bool, AccessError> {
        Ok(self.0.execute("DELETE FROM token WHERE digest = ?1", [digest.as_slice()])? > 0)
    }

    /// Changes whenever another process has changed the file.
    pub fn version(&self) -> Result<i64, AccessError> {
        Ok(self.0.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// How long to wait for another process that is at the file.
    pub fn be_patient(&self, patience: Duration) -> Result<(), AccessError> {
        Ok(self.0.busy_timeout(patience)?)
    }

    /// Whether nobody holds the file and it may be written, without writing anything.
    pub fn probe(&self) -> Result<(), AccessError> {
        Ok(Transaction::new_unchecked(&self.0, TransactionBehavior::Immediate)?.rollback()?)
    }

    pub fn tokens(&self) -> Result<Vec<TokenRow>, AccessError> {
        let mut statement = self.0.prepare("SELECT name, role, created_ms FROM token ORDER BY name")?;
        let rows = statement.query_map([], token_row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().flatten().collect())
    }

    pub fn revoke(&self, name: &str) -> Result<bool, AccessError> {
        Ok(self.0.execute("DELETE FROM token WHERE name = ?1", [name])? > 0)
    }
}

/// Turns the write-ahead log on. SQLite does not wait by itself where two do so to a new file at once.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let began = Instant::now();
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
fn bring_up(connection: &Connection) -> Result<(), AccessError> {
    let version = |on: &Connection| on.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    if version(connection)? == VERSION {
        return Ok(());
    }
    let work = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    match version(&work)? {
        0 => work.execute_batch(SCHEMA)?,
        1 => work.execute_batch(MIGRATION)?,
        VERSION => return Ok(()),
        found => return Err(AccessError::Version { found }),
    }
    work.pragma_update(None, "user_version", VERSION)?;
    Ok(work.commit()?)
}

fn token_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<TokenRow>> {
    let role = row.get::<_, String>(1)?.parse().ok();
    let (name, created) = (row.get(0)?, UtcMillis(row.get(2)?));
    Ok(role.map(|role| TokenRow { name, role, created }))
}

/// A session as it survives a restart.
pub(super) struct StoredSession {
    pub digest: [u8; 32],
    pub account: String,
    pub csrf: String,
    pub opened: UtcMillis,
    pub seen: UtcMillis,
}

impl Db {
    /// Keeps a session of an account that is as it was when its password was looked at; false when it is not.
    pub fn put_session(&self, session: &StoredSession, hash: &str) -> Result<bool, AccessError> {
        let made = self.0.execute(
            "INSERT INTO session SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (
               SELECT 1 FROM account WHERE name = ?2 AND password_hash = ?6 AND disabled_ms IS NULL)",
            params![
                session.digest.as_slice(),
                session.account,
                session.csrf,
                session.opened.0,
                session.seen.0,
                hash
            ],
        )?;
        Ok(made > 0)
    }

    /// Notes when a session was last used.
    pub fn set_seen(&self, digest: &[u8; 32], seen: UtcMillis) -> Result<(), AccessError> {
        let mut statement = self.0.prepare_cached("UPDATE session SET seen_ms = ?2 WHERE digest = ?1")?;
        statement.execute(params![digest.as_slice(), seen.0])?;
        Ok(())
    }

    pub fn drop_session(&self, digest: &[u8; 32]) -> Result<(), AccessError> {
        self.0.execute("DELETE FROM session WHERE digest = ?1", [digest.as_slice()])?;
        Ok(())
    }

    pub fn drop_sessions_of(&self, account: &str) -> Result<(), AccessError> {
        self.0.execute("DELETE FROM session WHERE account = ?1", [account])?;
        Ok(())
    }

    pub fn sessions(&self) -> Result<Vec<StoredSession>, AccessError> {
        let mut statement =
            self.0.prepare("SELECT digest, account, csrf, opened_ms, seen_ms FROM session")?;
        let rows = statement.query_map([], |row| {
            Ok(StoredSession {
                digest: row.get(0)?,
                account: row.get(1)?,
                csrf: row.get(2)?,
                opened: UtcMillis(row.get(3)?),
                seen: UtcMillis(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Accounts are nobody else's business on the machine.
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(path = %path.display(), %error, "cannot restrict the account file to its owner");
    }
}

fn join(roles: &[Role]) -> String {
    roles
        .iter()
        .filter_map(|role| serde_json::to_value(role).ok()?.as_str().map(str::to_owned))
        .collect::<Vec<_>>()
        .join(",")
}

fn split(roles: &str) -> Vec<Role> {
    roles.split(',').filter_map(|role| role.parse().ok()).collect()
}

/// Names stand in the event log and tell people apart there: 1 to 64 characters, all of them seen, none of them turning
/// the direction of writing.
pub(super) fn check_name(name: &str) -> Result<(), AccessError> {
    let length = name.chars().count();
    let invalid = |problem: &str| Err(AccessError::Invalid(problem.to_owned()));
    if !(1..=64).contains(&length) || name.trim() != name || name == "system" {
        return invalid("a name has 1 to 64 characters, no space at its ends, and is not `system`");
    }
    if let Some(bad) = name.chars().find(|c| is_unseen(*c)) {
        return invalid(&format!("a name is made of visible characters; U+{:04X} is none", u32::from(bad)));
    }
    Ok(())
}

/// Control characters, spaces other than the plain one, marks of writing direction, and what Unicode calls
/// `Default_Ignorable_Code_Point`: two names that look the same must be the same.
fn is_unseen(c: char) -> bool {
    let ignorable = matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}');
    ignorable || c.is_control() || (c.is_whitespace() && c != ' ')
}

/// Length counts more than classes of characters.
pub(super) fn check_password(password: &str) -> Result<(), AccessError> {
    let length = password.chars().count();
    if !(10..=200).contains(&length) {
        return Err(AccessError::Invalid(format!(
            "the password has {length} characters; expected 10 to 200"
        )));
    }
    Ok(())
}
