//! Accounts of people on disk, and what was done to accounts and tokens.

use domain::code::DepartmentCode;
use domain::moment::UtcMillis;
use domain::role::Role;
use domain::scope::Scope;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Serialize;

use super::{AccessError, Db, department_of, join, scope_of, scope_text, split};

#[derive(Debug, Clone, Serialize)]
pub struct Account {
    pub name: String,
    pub roles: Vec<Role>,
    /// The one department it acts for.
    pub department: Option<DepartmentCode>,
    /// What it may see, where that was said.
    pub scope: Option<Scope>,
    /// Since when nobody signs in with it.
    pub disabled: Option<UtcMillis>,
    /// Until when it is locked after wrong passwords.
    pub locked: Option<UtcMillis>,
}

impl Account {
    /// What it sees: what was said, else what its roles see. A department sees its own cases, everybody else the city.
    #[must_use]
    pub fn sees(&self) -> Scope {
        if let Some(scope) = &self.scope {
            return scope.clone();
        }
        let department_alone = self.roles.iter().all(|role| *role == Role::Department);
        match (&self.department, department_alone) {
            (_, false) => Scope::All,
            (Some(department), true) => Scope::department(department.clone()),
            (None, true) => Scope::nothing(),
        }
    }
}

/// An account with what only the door needs to know of it.
#[derive(Debug, Clone)]
pub(in crate::access) struct StoredAccount {
    pub account: Account,
    pub hash: String,
    /// When an administrator last ended a lock.
    pub unlocked: Option<UtcMillis>,
}

/// Something done to accounts and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    pub at: UtcMillis,
    /// An account, or `command line` and the account of the machine.
    pub by: String,
    pub act: String,
    /// The account or token.
    pub name: String,
}

/// Acts kept at most.
const ACTS_MAX: i64 = 100_000;

/// How an account is to be from now on.
#[derive(Debug, Clone, Copy)]
pub(in crate::access) struct Wanted<'a> {
    pub name: &'a str,
    pub roles: &'a [Role],
    pub department: Option<&'a DepartmentCode>,
    pub scope: Option<&'a Scope>,
}

impl Db {
    pub fn account_count(&self) -> Result<i64, AccessError> {
        Ok(self.0.query_row("SELECT count(*) FROM account", [], |row| row.get(0))?)
    }

    pub fn put_account(&self, wanted: Wanted<'_>, hash: &str, now: UtcMillis) -> Result<(), AccessError> {
        let department = wanted.department.map(DepartmentCode::as_str);
        let scope = wanted.scope.map(scope_text).transpose()?;
        let made = self.0.execute(
            "INSERT INTO account (name, password_hash, roles, created_ms, department, scope)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM token WHERE name = ?1)
             ON CONFLICT (name) DO UPDATE
             SET password_hash = ?2, roles = ?3, department = ?5, scope = ?6, locked_ms = NULL, unlocked_ms = ?4",
            params![wanted.name, hash, join(wanted.roles), now.0, department, scope],
        )?;
        if made == 0 { Err(AccessError::Taken(wanted.name.to_owned())) } else { Ok(()) }
    }

    pub fn account(&self, name: &str) -> Result<Option<Account>, AccessError> {
        let sql = format!("SELECT {COLUMNS} FROM account WHERE name = ?1");
        Ok(self.0.query_row(&sql, [name], account_row).optional()?)
    }

    pub fn accounts(&self) -> Result<Vec<Account>, AccessError> {
        Ok(self.stored_accounts()?.into_iter().map(|stored| stored.account).collect())
    }

    /// All accounts, by name.
    pub fn stored_accounts(&self) -> Result<Vec<StoredAccount>, AccessError> {
        let sql = format!("SELECT {COLUMNS}, password_hash, unlocked_ms FROM account ORDER BY name");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| {
            let unlocked = row.get::<_, Option<i64>>("unlocked_ms")?.map(UtcMillis);
            Ok(StoredAccount { account: account_row(row)?, hash: row.get("password_hash")?, unlocked })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// From now on nobody signs in with the account; one that is disabled stays so since when it was. False when there
    /// is no such account.
    pub fn disable(&self, name: &str, now: UtcMillis) -> Result<bool, AccessError> {
        let sql = "UPDATE account SET disabled_ms = coalesce(disabled_ms, ?2) WHERE name = ?1";
        Ok(self.0.execute(sql, params![name, now.0])? > 0)
    }

    pub fn enable(&self, name: &str) -> Result<bool, AccessError> {
        Ok(self.0.execute("UPDATE account SET disabled_ms = NULL WHERE name = ?1", [name])? > 0)
    }

    pub fn remove_account(&self, name: &str) -> Result<bool, AccessError> {
        Ok(self.0.execute("DELETE FROM account WHERE name = ?1", [name])? > 0)
    }

    /// Notes until when the account is locked, for lists.
    pub fn set_locked(&self, name: &str, until: Option<UtcMillis>) -> Result<(), AccessError> {
        let sql = "UPDATE account SET locked_ms = ?2 WHERE name = ?1";
        self.0.execute(sql, params![name, until.map(|at| at.0)])?;
        Ok(())
    }

    /// Ends a lock, also that of a server in another process, which asks for it. False when there is no such account.
    pub fn unlock(&self, name: &str, now: UtcMillis) -> Result<bool, AccessError> {
        let sql = "UPDATE account SET locked_ms = NULL, unlocked_ms = ?2 WHERE name = ?1";
        Ok(self.0.execute(sql, params![name, now.0])? > 0)
    }

    /// Does all of `work` or nothing.
    pub fn whole<T, E: From<AccessError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let begun = Transaction::new_unchecked(&self.0, TransactionBehavior::Immediate);
        let transaction = begun.map_err(AccessError::from)?;
        let done = work(self)?;
        transaction.commit().map_err(AccessError::from)?;
        Ok(done)
    }

    /// Notes an act for good; the oldest of very many go.
    pub fn note(&self, act: &Act) -> Result<(), AccessError> {
        self.0.execute(
            "INSERT INTO act (at_ms, by, act, name) VALUES (?1, ?2, ?3, ?4)",
            params![act.at.0, act.by, act.act, act.name],
        )?;
        self.0.execute("DELETE FROM act WHERE number <= (SELECT max(number) FROM act) - ?1", [ACTS_MAX])?;
        Ok(())
    }

    /// Oldest first.
    pub fn acts(&self) -> Result<Vec<Act>, AccessError> {
        let mut statement = self.0.prepare("SELECT at_ms, by, act, name FROM act ORDER BY number")?;
        let rows = statement.query_map([], |row| {
            Ok(Act { at: UtcMillis(row.get(0)?), by: row.get(1)?, act: row.get(2)?, name: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What [`account_row`] reads.
const COLUMNS: &str = "name, roles, department, scope, disabled_ms, locked_ms";

fn account_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(UtcMillis));
    Ok(Account {
        name: row.get("name")?,
        roles: split(&row.get::<_, String>("roles")?),
        department: department_of(row)?,
        scope: row.get::<_, Option<String>>("scope")?.map(|text| scope_of(&text)),
        disabled: time("disabled_ms")?,
        locked: time("locked_ms")?,
    })
}
