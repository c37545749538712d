//! The accounts of the first start (初始账号): who manages, and who supervises and who dispatches, apart.

use domain::moment::UtcMillis;
use domain::role::{Role, holds_both_powers};

use super::clerk::Asked;
use super::{Access, Secret, db, secret};

/// The account that manages the others.
pub(super) const ADMINISTRATOR: &str = "admin";

/// An account that was made, with its password in the clear.
pub struct First {
    pub name: &'static str,
    pub password: Secret,
}

impl Access {
    /// Makes the first accounts with random passwords when there is no account at all: `admin`, `supervisor` and
    /// `dispatcher`, or `admin` alone with all of it where the powers may be in one hand.
    pub fn bootstrap(&self, now: UtcMillis) -> Asked<Vec<First>> {
        let wanted: &[(&str, &[Role])] = if self.powers_together() {
            &[(ADMINISTRATOR, &[Role::Admin, Role::Supervisor, Role::Dispatcher])]
        } else {
            &[
                (ADMINISTRATOR, &[Role::Admin]),
                ("supervisor", &[Role::Supervisor]),
                ("dispatcher", &[Role::Dispatcher]),
            ]
        };
        self.0.clerk.ask(move |desk| {
            if desk.db.account_count()? > 0 {
                return Ok(Vec::new());
            }
            let mut made = Vec::new();
            let mut hashes = Vec::new();
            for (name, _) in wanted {
                let password = Secret::random();
                hashes.push(secret::hash_password(password.expose())?);
                made.push(First { name, password });
            }
            desk.change(|db| {
                wanted.iter().zip(&hashes).try_for_each(|((name, roles), hash)| {
                    db.put_account(db::Wanted { name, roles, department: None, scope: None }, hash, now)
                })
            })?;
            Ok(made)
        })
    }

    /// Whether there is no account at all.
    #[must_use]
    pub fn has_no_account(&self) -> bool {
        self.0.memory.known().accounts.is_empty()
    }

    /// Names of accounts that hold supervision and disposal in one hand and may use neither, because the powers are kept
    /// apart here; and of machines' tokens from before they were narrow.
    #[must_use]
    pub fn to_mend(&self) -> (Vec<String>, Vec<String>) {
        let known = self.0.memory.known();
        let accounts = known.accounts.values().map(|stored| &stored.account);
        let both = accounts.filter(|account| holds_both_powers(&account.roles) && !self.powers_together());
        let mut both: Vec<String> = both.map(|account| account.name.clone()).collect();
        let wide = known.tokens.values().filter(|token| token.wide).map(|token| token.name.clone());
        let mut wide: Vec<String> = wide.collect();
        both.sort();
        wide.sort();
        (both, wide)
    }
}
