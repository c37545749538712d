//! Accounts of people: made, changed, disabled, unlocked, removed; each act is kept.
//!
//! What should not be here: signing in (`access.rs`), and which commands an account may send (`domain::role`).

use domain::code::DepartmentCode;
use domain::moment::UtcMillis;
use domain::role::{Role, holds_both_powers};
use domain::scope::Scope;

use super::clerk::Asked;
use super::{Access, AccessError, Account, Act, Taken, db, secret};

/// How an account is to be from now on.
#[derive(Clone)]
pub struct NewAccount {
    pub name: String,
    pub password: String,
    pub roles: Vec<Role>,
    /// The one department it acts for.
    pub department: Option<DepartmentCode>,
    /// What it may see; none is what its roles see.
    pub scope: Option<Scope>,
}

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

impl Change {
    /// Whether nobody is signed in with the account afterwards.
    fn ends(self) -> bool {
        match self {
            Self::Disable | Self::Remove => true,
            Self::Enable | Self::Unlock => false,
        }
    }

    pub(super) fn write(self, db: &db::Db, name: &str, now: UtcMillis) -> Result<(), AccessError> {
        match self {
            Self::Disable => db.disable(name, now)?,
            Self::Enable => db.enable(name)?,
            Self::Unlock => db.unlock(name, now)?,
            Self::Remove => db.remove_account(name)?,
        };
        if self.ends() {
            db.drop_sessions_of(name)?;
        }
        Ok(())
    }
}

impl Access {
    /// As [`Access::set_account`], with the scope that the roles have.
    pub fn put_account(
        &self,
        name: &str,
        password: &str,
        roles: &[Role],
        department: Option<&DepartmentCode>,
        now: UtcMillis,
    ) -> Asked<()> {
        let (name, password) = (name.to_owned(), password.to_owned());
        let (roles, department) = (roles.to_vec(), department.cloned());
        self.set_account(NewAccount { name, password, roles, department, scope: None }, now)
    }

    /// Adds an account or gives it another password, roles, department and scope. Whoever has the role `department`
    /// belongs to one, and nobody else does; supervision and disposal are two accounts. The password is hashed by the
    /// thread of the account file.
    pub fn set_account(&self, new: NewAccount, now: UtcMillis) -> Asked<()> {
        let together = self.powers_together();
        self.0.clerk.ask(move |desk| {
            let NewAccount { name, password, roles, department, scope } = &new;
            let wanted = db::Wanted { name, roles, department: department.as_ref(), scope: scope.as_ref() };
            check_wanted(wanted, password, together)?;
            let hash = secret::hash_password(password)?;
            desk.change(|db| {
                let before = db.account(name)?;
                if !roles.contains(&Role::Admin) {
                    before.as_ref().map_or(Ok(()), |before| check_not_last(db, before))?;
                }
                db.put_account(wanted, &hash, now)?;
                db.drop_sessions_of(name)
            })
        })
    }

    pub fn account(&self, name: &str) -> Asked<Option<Account>> {
        let name = name.to_owned();
        self.0.clerk.ask(move |desk| desk.db.account(&name))
    }

    pub fn accounts(&self) -> Asked<Vec<Account>> {
        self.0.clerk.ask(|desk| desk.db.accounts())
    }

    /// Changes an account and keeps a record of it. A server in another process ends the sessions within 4 s. Where the
    /// file cannot be written, what takes a right away holds in memory until it can.
    pub fn change_account(&self, name: &str, change: Change, by: &str, now: UtcMillis) -> Asked<Taken> {
        let act = Act { at: now, by: by.to_owned(), act: change.done().to_owned(), name: name.to_owned() };
        let attempts = self.0.attempts.clone();
        self.0.clerk.ask(move |desk| {
            let changed = desk.change(|db| {
                let Some(account) = db.account(&act.name)? else {
                    return Err(AccessError::Invalid(format!("no account `{}`", act.name)));
                };
                if change.ends() {
                    check_not_last(db, &account)?;
                }
                change.write(db, &act.name, now)?;
                db.note(&act)
            });
            match changed {
                Ok(()) => {
                    if change == Change::Unlock {
                        attempts.forgive(&act.name);
                    }
                    Ok(Taken::Written)
                }
                Err(error @ AccessError::Sql(_)) if change.ends() => {
                    check_not_last(&desk.db, &desk.db.account(&act.name)?.ok_or(AccessError::Gone)?)?;
                    desk.memory.take_account(change, &act);
                    desk.failed(&error);
                    Ok(Taken::InForce { why: crate::cause::chain(&error) })
                }
                Err(error) => Err(error),
            }
        })
    }

    /// Keeps a record of something done to an account or token.
    pub fn note(&self, by: &str, act: &str, name: &str, now: UtcMillis) -> Asked<()> {
        let act = Act { at: now, by: by.to_owned(), act: act.to_owned(), name: name.to_owned() };
        self.0.clerk.ask(move |desk| desk.db.whole(|db| db.note(&act)))
    }

    /// What was done to accounts and tokens, oldest first.
    pub fn acts(&self) -> Asked<Vec<Act>> {
        self.0.clerk.ask(|desk| desk.db.acts())
    }
}

fn check_wanted(wanted: db::Wanted<'_>, password: &str, together: bool) -> Result<(), AccessError> {
    db::check_name(wanted.name)?;
    db::check_password(password)?;
    if holds_both_powers(wanted.roles) && !together {
        return Err(AccessError::BothPowers(wanted.name.to_owned()));
    }
    wanted.scope.map_or(Ok(()), Scope::check).map_err(|error| AccessError::Scope(error.to_string()))?;
    let invalid = |problem: &str| Err(AccessError::Invalid(problem.to_owned()));
    match (wanted.roles.contains(&Role::Department), wanted.department) {
        (true, None) => invalid("an account with the role department belongs to one department"),
        (false, Some(_)) => invalid("only an account with the role department belongs to a department"),
        (true, Some(_)) | (false, None) => Ok(()),
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
