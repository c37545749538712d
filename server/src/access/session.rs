//! Sessions of people: opened by a sign-in, ended by sign-out, idleness or age, and kept across restarts.

use std::collections::HashMap;

use domain::code::DepartmentCode;
use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use domain::role::Role;

use super::{Access, AccessError, Account, Actor, Proof, Secret, db, lock, secret};

/// Sessions held at most; the oldest unused one gives way.
const SESSIONS_MAX: usize = 10_000;
/// How often the last request of a session is written down; finer would be a write a request.
const STORE_EVERY_MS: i64 = 5 * MINUTE_MS;
/// How often a session is looked for on disk: `gridhall account` ends sessions from another process. With the pause
/// between two questions of an open socket it makes 4 s.
const CONFIRM_EVERY_MS: i64 = 1_000;

#[derive(Debug, Clone)]
pub struct Session {
    pub account: String,
    roles: Vec<Role>,
    department: Option<DepartmentCode>,
    csrf: String,
    opened: UtcMillis,
    last_seen: UtcMillis,
    /// The `last_seen` that is on disk; none for a session that could not be stored, which holds until a restart.
    stored: Option<UtcMillis>,
    /// The account's password as it was at sign-in, for a session that could not be stored.
    hash: Option<String>,
    /// When it was last found on disk.
    confirmed: UtcMillis,
}

impl Session {
    fn stored_as(&self, digest: [u8; 32]) -> db::StoredSession {
        let (account, csrf) = (self.account.clone(), self.csrf.clone());
        db::StoredSession { digest, account, csrf, opened: self.opened, seen: self.last_seen }
    }
}

/// Sessions of accounts that still exist, with the roles they have now.
pub fn stored_sessions(db: &db::Db) -> Result<HashMap<[u8; 32], Session>, AccessError> {
    let mut sessions = HashMap::new();
    for stored in db.sessions()? {
        let account = db.account(&stored.account)?.filter(|account| account.disabled.is_none());
        let Some(account) = account else { continue };
        let session = Session {
            account: stored.account,
            roles: account.roles,
            department: account.department,
            csrf: stored.csrf,
            opened: stored.opened,
            last_seen: stored.seen,
            stored: Some(stored.seen),
            hash: None,
            confirmed: UtcMillis(0),
        };
        sessions.insert(stored.digest, session);
    }
    Ok(sessions)
}

impl Access {
    /// Opens a session of an account whose password was `hash` when the sign-in began; none when it has been disabled,
    /// removed or given another one meanwhile.
    pub(super) fn open_session(&self, account: Account, hash: &str, now: UtcMillis) -> Option<Secret> {
        let cookie = Secret::random();
        let csrf = Secret::random().expose().to_owned();
        let mut session = Session {
            account: account.name,
            roles: account.roles,
            department: account.department,
            csrf,
            opened: now,
            last_seen: now,
            stored: None,
            hash: None,
            confirmed: now,
        };
        let stored = self.db().put_session(&session.stored_as(cookie.digest()), hash);
        match stored {
            Ok(true) => session.stored = Some(now),
            Ok(false) => return None,
            Err(error) => {
                tracing::error!(%error, "session not stored");
                self.db().is_unchanged(&session.account, hash).ok().filter(|unchanged| *unchanged)?;
                session.hash = Some(hash.to_owned());
            }
        }
        let mut sessions = lock(&self.0.sessions);
        if sessions.len() >= SESSIONS_MAX
            && let Some(oldest) =
                sessions.iter().min_by_key(|(_, session)| session.last_seen).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(cookie.digest(), session);
        Some(cookie)
    }

    pub fn sign_out(&self, cookie: &str) {
        let digest = secret::digest(cookie);
        lock(&self.0.sessions).remove(&digest);
        self.forget(&digest);
    }

    fn forget(&self, digest: &[u8; 32]) {
        if let Err(error) = self.db().drop_session(digest) {
            tracing::error!(%error, "session not forgotten");
        }
    }

    /// The actor of a session, which counts as used by this.
    pub(super) fn by_session(&self, digest: &[u8; 32], now: UtcMillis) -> Option<Actor> {
        let idle_ms = i64::from(self.0.config.session_idle_minutes) * MINUTE_MS;
        let whole_ms = i64::from(self.0.config.session_hours) * HOUR_MS;
        let mut sessions = lock(&self.0.sessions);
        let session = sessions.get_mut(digest)?;
        if now.since(session.last_seen) > idle_ms || now.since(session.opened) > whole_ms {
            sessions.remove(digest);
            drop(sessions);
            self.forget(digest);
            return None;
        }
        session.last_seen = now;
        let actor = Actor {
            name: session.account.clone(),
            roles: session.roles.clone(),
            department: session.department.clone(),
            by: Proof::Session { csrf: session.csrf.clone() },
        };
        // A clock set back puts what was done in the future; it is then done again.
        if (0..CONFIRM_EVERY_MS).contains(&now.since(session.confirmed)) {
            return Some(actor);
        }
        session.confirmed = now;
        let due = session.stored.is_some_and(|stored| !(0..=STORE_EVERY_MS).contains(&now.since(stored)));
        if due {
            session.stored = Some(now);
        }
        let unstored = session.hash.clone();
        drop(sessions);
        let found = match unstored {
            Some(hash) => self.db().is_unchanged(&actor.name, &hash),
            None => self.db().find_session(digest, due.then_some(now)),
        };
        match found {
            Ok(true) => Some(actor),
            Ok(false) => {
                lock(&self.0.sessions).remove(digest);
                tracing::info!(account = actor.name, "session ended with its account's password or rights");
                None
            }
            Err(error) => {
                tracing::error!(%error, "session not looked up");
                Some(actor)
            }
        }
    }
}
