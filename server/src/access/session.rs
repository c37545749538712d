//! Sessions of people: opened by a sign-in, ended by sign-out, idleness or age, and kept across restarts.

use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use domain::role::{holds_both_powers, without_powers};

use super::clerk::Asked;
use super::db::{StoredAccount, StoredSession};
use super::memory::{Digest, Known};
use super::{Access, AccessError, Actor, Proof, Secret, secret};
use crate::clock::Present;

/// Sessions held at most; the oldest unused one gives way.
const SESSIONS_MAX: usize = 10_000;
/// How often the last request of a session is written down; finer would be a write a request.
const STORE_EVERY_MS: i64 = 5 * MINUTE_MS;

#[derive(Debug, Clone)]
pub struct Session {
    pub account: String,
    csrf: String,
    opened: UtcMillis,
    last_seen: UtcMillis,
    /// The `last_seen` that is on disk; none for a session that could not be stored yet.
    stored: Option<UtcMillis>,
    /// The account's password as it was at sign-in, for a session that could not be stored yet.
    hash: Option<String>,
}

impl From<&StoredSession> for Session {
    fn from(stored: &StoredSession) -> Self {
        Self {
            account: stored.account.clone(),
            csrf: stored.csrf.clone(),
            opened: stored.opened,
            last_seen: stored.seen,
            stored: Some(stored.seen),
            hash: None,
        }
    }
}

impl Session {
    fn stored_as(&self, digest: Digest) -> StoredSession {
        let (account, csrf) = (self.account.clone(), self.csrf.clone());
        StoredSession { digest, account, csrf, opened: self.opened, seen: self.last_seen }
    }

    /// Found in the file, which knows an older use of it than memory.
    pub fn found(self, stored: &StoredSession) -> Self {
        Self { stored: Some(stored.seen), hash: None, ..self }
    }

    pub fn is_unstored(&self) -> bool {
        self.stored.is_none()
    }

    /// Whether it has been open or unused for too long. What a clock that was ahead has put into the future is of now, as soon as
    /// the clock is believed again.
    fn is_over(&mut self, present: Present, idle_ms: i64, whole_ms: i64) -> bool {
        let believed = present.believed;
        if !present.is_doubted {
            (self.opened, self.last_seen) = (self.opened.min(believed), self.last_seen.min(believed));
        }
        believed.since(self.last_seen) > idle_ms || believed.since(self.opened) > whole_ms
    }

    /// Whether it may go on with an account of this password. One that the file knows ends there with the password.
    pub fn fits(&self, hash: &str) -> bool {
        self.hash.as_ref().is_none_or(|own| own == hash)
    }

    /// What is to be stored of one that could not be stored yet, with the password it needs.
    pub fn to_store(&self, digest: Digest) -> Option<(StoredSession, String)> {
        Some((self.stored_as(digest), self.hash.clone()?))
    }

    /// The last use, when it is time to write it down. A clock set back puts what was written in the future; it is then
    /// written again.
    pub fn use_to_store(&self) -> Option<UtcMillis> {
        let stored = self.stored?;
        (!(0..=STORE_EVERY_MS).contains(&self.last_seen.since(stored))).then_some(self.last_seen)
    }

    pub fn was_stored(&mut self, seen: UtcMillis) {
        self.stored = Some(seen);
        self.hash = None;
    }
}

impl Access {
    /// Opens a session of an account whose password was looked at when it was as it is in `stored`; none when it has been
    /// disabled, removed or given another one meanwhile. Where the file cannot be written it holds in memory until it can.
    pub(super) async fn open_session(
        &self,
        stored: StoredAccount,
        present: Present,
    ) -> Result<Option<Secret>, AccessError> {
        // In the file by what is believed, so that no restart takes a clock that was wrong for the time; here by the clock, or
        // whoever signs in while one that is right is still doubted would be signed out as soon as it is believed.
        let (now, believed) = (present.now, present.believed);
        let cookie = Secret::random();
        let digest = cookie.digest();
        let mut session = Session {
            account: stored.account.name,
            csrf: Secret::random().expose().to_owned(),
            opened: now,
            last_seen: now,
            stored: None,
            hash: None,
        };
        let opened = self.0.clerk.ask(move |desk| {
            let kept = StoredSession { opened: believed, seen: believed, ..session.stored_as(digest) };
            match desk.db.put_session(&kept, &stored.hash) {
                Ok(true) => {
                    desk.wrote();
                    session.stored = Some(believed);
                }
                Ok(false) => return Ok(false),
                Err(error) => {
                    desk.failed(&error);
                    session.hash = Some(stored.hash);
                }
            }
            Ok(desk.memory.known().insert_session(digest, session))
        });
        Ok(opened.await?.then_some(cookie))
    }

    /// Ends a session: at once in memory, and then in the file.
    pub fn sign_out(&self, cookie: &str) -> Asked<()> {
        self.0.memory.known().end_session(&secret::digest(cookie));
        self.0.clerk.ask(super::clerk::Desk::settle).or_late(Some(()))
    }

    /// The actor of a session, which counts as used by this. While the clock is doubted one that seems over is refused and not ended.
    pub(super) fn by_session(&self, digest: &Digest, present: Present) -> Option<Actor> {
        let idle_ms = i64::from(self.0.config.session_idle_minutes) * MINUTE_MS;
        let whole_ms = i64::from(self.0.config.session_hours) * HOUR_MS;
        let mut known = self.0.memory.known();
        let session = known.sessions.get_mut(digest)?;
        if session.is_over(present, idle_ms, whole_ms) {
            if !present.is_doubted {
                known.end_session(digest);
            }
            return None;
        }
        session.last_seen = present.now;
        let (account, csrf) = (session.account.clone(), session.csrf.clone());
        let account = known.enabled(&account)?;
        let withheld = holds_both_powers(&account.roles) && !self.powers_together();
        Some(Actor {
            name: account.name.clone(),
            roles: if withheld { without_powers(&account.roles) } else { account.roles.clone() },
            department: account.department.clone(),
            scope: account.sees(),
            may: None,
            powers_withheld: withheld,
            by: Proof::Session { csrf },
        })
    }
}

impl Known {
    /// Keeps a session; false when its account is not as it was at sign-in.
    fn insert_session(&mut self, digest: Digest, session: Session) -> bool {
        let fits = self.enabled(&session.account).is_some()
            && self.accounts.get(&session.account).is_some_and(|stored| session.fits(&stored.hash));
        if !fits && session.is_unstored() {
            return false;
        }
        if self.sessions.len() >= SESSIONS_MAX
            && let Some(oldest) =
                self.sessions.iter().min_by_key(|(_, session)| session.last_seen).map(|(key, _)| *key)
        {
            self.end_session(&oldest);
        }
        self.sessions.insert(digest, session);
        true
    }
}
