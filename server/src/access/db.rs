//! `access.db`: accounts, tokens and sessions on disk. One thread uses it (`clerk.rs`); everybody else asks that one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::answer::TokenAnswer;
use domain::code::DepartmentCode;
use domain::grant::Grant;
use domain::moment::UtcMillis;
use domain::role::Role;
use domain::scope::Scope;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::engine::has_no_room;
use crate::folder::orphaned;

/// What can go wrong with accounts and tokens.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("cannot use the account file `{path}`")]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("disk is full: the account file `{path}` cannot be opened; nothing was changed")]
    NoRoom { path: PathBuf },
    #[error(
        "the account file has version {found}; this program knows version {VERSION}, use a newer gridhall"
    )]
    Version { found: i64 },
    #[error(
        "the account file `{}` is gone or empty, but what was last written to it lies in `{}`; nothing was changed. Keep a copy of the folder; \
         then put `access.db` of the newest backup there and move that file away",
        path.display(), log.display()
    )]
    Orphaned { path: PathBuf, log: PathBuf },
    #[error("cannot read or write accounts")]
    Sql(#[from] rusqlite::Error),
    #[error("cannot hash the password: {0}")]
    Hash(String),
    #[error("{0}")]
    Invalid(String),
    #[error("`{0}` is taken; names of accounts and tokens are unique")]
    Taken(String),
    #[error("may {0}")]
    May(String),
    #[error("the scope {0}")]
    Scope(String),
    #[error("{0}: {WHY_APART}")]
    BothPowers(String),
    #[error("the account file does not answer; try again in a few seconds")]
    Slow,
    #[error("the thread of the account file has ended")]
    Gone,
    #[error("cannot start the thread of the account file")]
    Thread(#[source] std::io::Error),
}

impl AccessError {
    /// Why the file at `path` cannot be opened.
    fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if has_no_room(&source) { Self::NoRoom { path } } else { Self::Open { path, source } }
    }
}

use schema::{VERSION, bring_up, restrict, write_ahead};

/// 监管分离
const WHY_APART: &str = "supervision (supervisor) and disposal (dispatcher, department) are separate powers, and whoever \
    dispatches does not judge the result; give them to two, or state in the policy's `powers_together` on whose decision \
    this centre keeps them in one hand";

mod accounts;
mod schema;

pub use accounts::{Account, Act};
pub(super) use accounts::{StoredAccount, Wanted};

/// How long one waits for another process that is at the file.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How a token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub name: String,
    pub role: Role,
    /// What can be seen with it; of an inspector's, where the inspector works.
    pub scope: Scope,
    /// What a machine may do with it. None only in tests and tools: all that machines may.
    pub may: Option<BTreeSet<Grant>>,
    /// The one department a machine acts for.
    pub department: Option<DepartmentCode>,
}

impl NewToken {
    /// One that sees everything, and of a machine does everything.
    #[must_use]
    pub fn wide(name: &str, role: Role) -> Self {
        Self { name: name.to_owned(), role, scope: Scope::All, may: None, department: None }
    }
}

/// The file, open.
pub(super) struct Db(Connection);

impl Db {
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        if let Some(log) = orphaned(path) {
            return Err(AccessError::Orphaned { path: path.to_owned(), log });
        }
        let open = || -> Result<Connection, rusqlite::Error> {
            let connection = Connection::open(path)?;
            // First: the command line may be at the file as well.
            connection.busy_timeout(PATIENCE)?;
            write_ahead(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(connection)
        };
        let connection = open().map_err(|source| AccessError::of(path, source))?;
        bring_up(&connection)?;
        restrict(path);
        Ok(Self(connection))
    }

    pub fn put_token(&self, new: &NewToken, digest: &[u8; 32], now: UtcMillis) -> Result<(), AccessError> {
        let may = new.may.as_ref().map(|may| {
            let names: Vec<&str> = may.iter().map(|grant| grant.name()).collect();
            names.join(",")
        });
        let made = self.0.execute(
            "INSERT INTO token (name, digest, role, created_ms, scope, may, department)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM account WHERE name = ?1)
             ON CONFLICT (name) DO NOTHING",
            params![
                new.name,
                digest.as_slice(),
                join(&[new.role]),
                now.0,
                scope_text(&new.scope)?,
                may,
                new.department.as_ref().map(DepartmentCode::as_str)
            ],
        )?;
        if made == 0 { Err(AccessError::Taken(new.name.clone())) } else { Ok(()) }
    }

    /// Whether an account or a token has this name.
    pub fn is_taken(&self, name: &str) -> Result<bool, AccessError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM token WHERE name = ?1)
            OR EXISTS (SELECT 1 FROM account WHERE name = ?1)";
        Ok(self.0.query_row(sql, [name], |row| row.get(0))?)
    }

    /// All tokens by their digests.
    pub fn stored_tokens(&self) -> Result<Vec<([u8; 32], TokenAnswer)>, AccessError> {
        let mut statement = self.0.prepare_cached("SELECT * FROM token")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>("digest")?, token_row(row)?)))?;
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

    pub fn tokens(&self) -> Result<Vec<TokenAnswer>, AccessError> {
        let mut statement = self.0.prepare("SELECT * FROM token ORDER BY name")?;
        let rows = statement.query_map([], token_row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().flatten().collect())
    }

    pub fn revoke(&self, name: &str) -> Result<bool, AccessError> {
        Ok(self.0.execute("DELETE FROM token WHERE name = ?1", [name])? > 0)
    }
}

fn token_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<TokenAnswer>> {
    let Some(role) = row.get::<_, String>("role")?.parse().ok() else { return Ok(None) };
    let may = row.get::<_, Option<String>>("may")?;
    // A word that a newer version wrote grants nothing here.
    let may = may.map(|may| may.split(',').filter_map(|grant| grant.parse().ok()).collect());
    Ok(Some(TokenAnswer {
        name: row.get("name")?,
        role,
        created: UtcMillis(row.get("created_ms")?),
        scope: row.get::<_, Option<String>>("scope")?.map_or(Scope::All, |text| scope_of(&text)),
        wide: role == Role::Machine && may.is_none(),
        may,
        department: department_of(row)?,
    }))
}

/// A scope that cannot be read shows nothing.
fn scope_of(text: &str) -> Scope {
    serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::error!(%error, "a scope in the account file cannot be read; nothing is seen with it");
        Scope::nothing()
    })
}

fn scope_text(scope: &Scope) -> Result<String, AccessError> {
    serde_json::to_string(scope).map_err(|error| AccessError::Invalid(error.to_string()))
}

fn department_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<DepartmentCode>> {
    Ok(row.get::<_, Option<String>>("department")?.and_then(|code| code.parse().ok()))
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

/// How the log's name of whoever works on the machine itself begins.
pub const COMMAND_LINE: &str = "command line";

/// Names stand in the event log and tell people apart there: 1 to 64 characters, all of them seen, none of them turning
/// the direction of writing.
pub(super) fn check_name(name: &str) -> Result<(), AccessError> {
    let length = name.chars().count();
    let invalid = |problem: &str| Err(AccessError::Invalid(problem.to_owned()));
    if !(1..=64).contains(&length) || name.trim() != name {
        return invalid("a name has 1 to 64 characters and no space at its ends");
    }
    if name == "system" || name.starts_with(COMMAND_LINE) {
        return invalid(
            "a name is not `system`, and does not begin with `command line`: acts of the hall itself have these",
        );
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
