//! Accounts of people: made, changed, disabled, unlocked, removed; each act is kept.
//!
//! What should not be here: signing in (`access.rs`), and which commands an account may send (`domain::role`).

use domain::code::DepartmentCode;
use domain::moment::UtcMillis;
use domain::role::Role;

use super::{Access, AccessError, Account, Act, db, lock, secret};

/// What is done to an account that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// 停用: nobody signs in with it, and its sessions end.
    Disable,
    /// 启用
    Enable,
    /// 解锁: wrong passwords are forgotten.
    Unlock,
    /// 删除: it is gone, and its sessions end. What it did stays in the event log under its name.
    Remove,
}

impl Change {
    /// In the record of acts.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Disable => "account disabled",
            Self::Enable => "account enabled",
            Self::Unlock => "account unlocked",
            Self::Remove => "account removed",
        }
    }
}

impl Access {
    /// Adds an account or gives it another password, roles and department. Whoever has the role `department` belongs to
    /// one, and nobody else does.
    pub fn put_account(
        &self,
        name: &str,
        password: &str,
        roles: &[Role],
        department: Option<&DepartmentCode>,
        now: UtcMillis,
    ) -> Result<(), AccessError> {
        db::check_name(name)?;
        db::check_password(password)?;
        let invalid = |problem: &str| Err(AccessError::Invalid(problem.to_owned()));
        match (roles.contains(&Role::Department), department) {
            (true, None) => return invalid("an account with the role department belongs to one department"),
            (false, Some(_)) => {
                return invalid("only an account with the role department belongs to a department");
            }
            (true, Some(_)) | (false, None) => {}
        }
        let hash = secret::hash_password(password)?;
        self.db().whole(|db| {
            let before = db.account(name)?;
            if !roles.contains(&Role::Admin) {
                before.as_ref().map_or(Ok(()), |before| check_not_last(db, before))?;
            }
            db.put_account(db::Wanted { name, roles, department }, &hash, now)?;
            db.drop_sessions_of(name)
        })?;
        self.end_sessions_of(name);
        Ok(())
    }

    pub fn account(&self, name: &str) -> Result<Option<Account>, AccessError> {
        self.db().account(name)
    }

    pub fn accounts(&self) -> Result<Vec<Account>, AccessError> {
        self.db().accounts()
    }

    /// Changes an account and keeps a record of it. A server in another process ends the sessions within 4 s.
    pub fn change_account(
        &self,
        name: &str,
        change: Change,
        by: &str,
        now: UtcMillis,
    ) -> Result<(), AccessError> {
        let act = Act { at: now, by: by.to_owned(), act: change.done().to_owned(), name: name.to_owned() };
        self.db().whole(|db| {
            let Some(account) = db.account(name)? else {
                return Err(AccessError::Invalid(format!("no account `{name}`")));
            };
            let ends = match change {
                Change::Disable | Change::Remove => true,
                Change::Enable | Change::Unlock => false,
            };
            if ends {
                check_not_last(db, &account)?;
            }
            match change {
                Change::Disable => db.set_disabled(name, Some(account.disabled.unwrap_or(now)))?,
                Change::Enable => db.set_disabled(name, None)?,
                Change::Unlock => db.unlock(name, now)?,
                Change::Remove => db.remove_account(name)?,
            };
            if ends {
                db.drop_sessions_of(name)?;
            }
            db.note(&act)
        })?;
        match change {
            Change::Disable | Change::Remove => self.end_sessions_of(name),
            Change::Unlock => self.0.attempts.forgive(name),
            Change::Enable => {}
        }
        Ok(())
    }

    /// Keeps a record of something done to an account or token.
    pub fn note(&self, by: &str, act: &str, name: &str, now: UtcMillis) -> Result<(), AccessError> {
        let act = Act { at: now, by: by.to_owned(), act: act.to_owned(), name: name.to_owned() };
        self.db().note(&act)
    }

    /// What was done to accounts and tokens, oldest first.
    pub fn acts(&self) -> Result<Vec<Act>, AccessError> {
        self.db().acts()
    }

    fn end_sessions_of(&self, name: &str) {
        lock(&self.0.sessions).retain(|_, session| session.account != name);
    }
}

fn check_not_last(db: &db::Db, account: &Account) -> Result<(), AccessError> {
    if is_last_administrator(db, account)? {
        let problem = format!("`{}` is the only administrator; make another one first", account.name);
        return Err(AccessError::Invalid(problem));
    }
    Ok(())
}

/// Whether nobody could manage accounts in the browser any more without this one.
fn is_last_administrator(db: &db::Db, account: &Account) -> Result<bool, AccessError> {
    let manages = |account: &Account| account.roles.contains(&Role::Admin) && account.disabled.is_none();
    if !manages(account) {
        return Ok(false);
    }
    Ok(!db.accounts()?.iter().any(|other| other.name != account.name && manages(other)))
}
