//! Who is at the door: accounts, sessions, tokens, one-time links, kiosk pairing.
//!
//! What should be here: proving identity. What should not: which command a role allows (`domain::role`), routes
//! (`http::access`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use domain::code::DepartmentCode;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::role::Role;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

mod attempts;
mod db;
mod kiosk;
mod noted;
mod pass;
mod people;
mod secret;
mod session;

use attempts::NoAttempt;
pub use db::{AccessError, Account, Act, TokenRow};
pub use kiosk::{Claim, PairingRefused};
pub use noted::Doer;
pub use pass::{Pass, lost};
pub use people::Change;
pub use secret::Secret;

/// Whoever sends a request, once proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Name in the event log: the account's or the token's.
    pub name: String,
    pub roles: Vec<Role>,
    /// The one department the account acts for.
    pub department: Option<DepartmentCode>,
    /// How it was proved.
    pub by: Proof,
}

/// How an actor was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A session cookie: writes need the CSRF token, sockets the right Origin.
    Session { csrf: String },
    /// A bearer token in a header: a browser does not send it by itself.
    Token,
}

impl Actor {
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// How accounts and sessions behave.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A session ends after this long without a request, in minutes. 5 to 10,080. Default 720, a shift.
    pub session_idle_minutes: u32,
    /// A session ends this long after sign-in, in hours. Default 24.
    pub session_hours: u32,
    /// Failed sign-ins under one name before it is locked for a while, whoever tries. 1 to 100. Default 5.
    pub failures_before_lock: u32,
    /// How long it stays locked, in minutes. 1 to 1,440. Default 5.
    pub lock_minutes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { session_idle_minutes: 720, session_hours: 24, failures_before_lock: 5, lock_minutes: 5 }
    }
}

/// The account of the first start.
const FIRST_ACCOUNT: &str = "admin";
/// One-time links live this long.
const ONCE_MS: i64 = 30 * MINUTE_MS;

/// Whether a one-time link still counts; never longer than twice its time, however far the clock was set back.
fn still_valid(until: UtcMillis, now: UtcMillis) -> bool {
    (1..=2 * ONCE_MS).contains(&until.since(now))
}
/// Argon2 takes 19 MiB and a whole core; more at once would be a way to exhaust both.
const HASHES_AT_ONCE: usize = 2;
/// Sign-ins that may wait for their check: a few seconds of work.
const SIGN_INS_WAITING_MAX: usize = 64;

struct Inner {
    config: Config,
    db: Mutex<db::Db>,
    /// By the hash of the cookie, and on disk as well: a restart of the server signs nobody out.
    sessions: Mutex<HashMap<[u8; 32], session::Session>>,
    attempts: attempts::Attempts,
    once: Mutex<HashMap<[u8; 32], (String, UtcMillis)>>,
    pairing: kiosk::Pairing,
    verifier: Arc<secret::Verifier>,
    hashing: Arc<Semaphore>,
    /// Sign-ins under way or waiting.
    signing_in: Semaphore,
}

/// The door. Cheap to clone.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

/// Why a sign-in failed. The words do not say whether the account exists.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("name or password is wrong")]
    Wrong,
    #[error("too many failed attempts; try again in {seconds} s")]
    Locked { seconds: i64 },
    #[error("too many are signing in; try again in a few seconds")]
    Busy,
    #[error("cannot check the password")]
    Broken(#[source] AccessError),
}

impl Access {
    /// Opens `access.db` in the data folder, making it when absent.
    pub fn open(dir: &Path, config: Config) -> Result<Self, AccessError> {
        let db = db::Db::open(&dir.join("access.db"))?;
        let sessions = session::stored_sessions(&db)?;
        Ok(Self(Arc::new(Inner {
            config,
            db: Mutex::new(db),
            sessions: Mutex::new(sessions),
            attempts: attempts::Attempts::default(),
            once: Mutex::default(),
            pairing: kiosk::Pairing::default(),
            verifier: Arc::default(),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            signing_in: Semaphore::new(SIGN_INS_WAITING_MAX + HASHES_AT_ONCE),
        })))
    }

    /// Makes the account `admin` with a random password when there is no account at all, and returns the password.
    pub fn bootstrap(&self, now: UtcMillis) -> Result<Option<Secret>, AccessError> {
        let db = self.db();
        if db.account_count()? > 0 {
            return Ok(None);
        }
        let password = Secret::random();
        let roles = [Role::Admin, Role::Supervisor, Role::Dispatcher];
        let wanted = db::Wanted { name: FIRST_ACCOUNT, roles: &roles, department: None };
        db.put_account(wanted, &secret::hash_password(password.expose())?, now)?;
        Ok(Some(password))
    }

    /// A link that signs `account` in once, within half an hour.
    pub fn one_time(&self, account: &str, now: UtcMillis) -> Secret {
        let secret = Secret::random();
        let mut once = lock(&self.0.once);
        once.retain(|_, (_, until)| still_valid(*until, now));
        once.insert(secret.digest(), (account.to_owned(), now.plus(ONCE_MS)));
        secret
    }

    /// Signs in with a one-time secret; it cannot be used again.
    pub fn redeem(&self, secret: &str, now: UtcMillis) -> Result<Option<Secret>, AccessError> {
        let redeemed = lock(&self.0.once).remove(&secret::digest(secret));
        match redeemed.filter(|(_, until)| still_valid(*until, now)) {
            None => Ok(None),
            Some((account, _)) => {
                let account = self.db().account_with_hash(&account)?;
                Ok(account.and_then(|(account, hash)| self.open_session(account, &hash, now)))
            }
        }
    }

    /// Checks name and password and opens a session.
    pub async fn sign_in(&self, name: &str, password: &str, now: UtcMillis) -> Result<Secret, SignInError> {
        let _place = self.0.signing_in.try_acquire().map_err(|_| SignInError::Busy)?;
        let rule = attempts::Rule {
            failures: self.0.config.failures_before_lock,
            minutes: self.0.config.lock_minutes,
        };
        let begun = match self.0.attempts.begin(name, rule, now) {
            Err(NoAttempt::Locked { since, .. }) if self.was_unlocked(name, since, now)? => {
                self.0.attempts.forgive(name);
                self.0.attempts.begin(name, rule, now)
            }
            begun => begun,
        };
        let attempt = begun.map_err(|refused| match refused {
            NoAttempt::Locked { until, .. } => {
                SignInError::Locked { seconds: (until.since(now) + 999) / 1_000 }
            }
            NoAttempt::Pending => SignInError::Busy,
        })?;
        let account = self.db().account_with_hash(name).map_err(SignInError::Broken)?;
        let hash = account.as_ref().map(|(_, hash)| hash.clone());
        // An unknown name takes as long as a wrong password.
        let fits = self.check(password.to_owned(), hash).await?;
        let locked = attempt.end(fits, rule, now);
        let Some((account, hash)) = account else { return Err(SignInError::Wrong) };
        if locked != account.locked {
            self.db().set_locked(name, locked).map_err(SignInError::Broken)?;
        }
        if locked.is_some() {
            tracing::warn!(account = name, "account locked after wrong passwords");
        }
        let opened = if fits { self.open_session(account, &hash, now) } else { None };
        opened.ok_or(SignInError::Wrong)
    }

    /// Whether an administrator has ended a lock that began at `since`, perhaps in another process. What a clock that was
    /// ahead has put into the future ends no lock.
    fn was_unlocked(&self, name: &str, since: UtcMillis, now: UtcMillis) -> Result<bool, SignInError> {
        let unlocked = self.db().unlocked(name).map_err(SignInError::Broken)?;
        Ok(unlocked.is_some_and(|at| (since..=now).contains(&at)))
    }

    /// Runs on a thread that may block. Whoever hangs up meanwhile does not make room for another one.
    async fn check(&self, password: String, hash: Option<String>) -> Result<bool, SignInError> {
        let permit = self.0.hashing.clone().acquire_owned().await.map_err(|_| SignInError::Busy)?;
        let verifier = self.0.verifier.clone();
        let check = tokio::task::spawn_blocking(move || {
            let fits = verifier.fits(&password, hash.as_deref());
            drop(permit);
            fits
        });
        check.await.map_err(|_| SignInError::Busy)
    }

    /// The actor behind a session cookie, which may also hold a kiosk's token.
    pub fn by_cookie(&self, cookie: &str, now: UtcMillis) -> Option<Actor> {
        let digest = secret::digest(cookie);
        if let Some(actor) = self.by_session(&digest, now) {
            return Some(actor);
        }
        let mut actor = self.by_digest(&digest)?;
        // A kiosk only reads, so its fixed token of the page is as good as a fresh one.
        actor.by = Proof::Session { csrf: String::new() };
        actor.has(Role::Kiosk).then_some(actor)
    }

    /// What a socket opened with this cookie rests on.
    #[must_use]
    pub fn pass_of_cookie(&self, cookie: &str) -> Pass {
        Pass::new(self.clone(), secret::digest(cookie))
    }

    /// What a socket opened with this bearer token rests on.
    #[must_use]
    pub fn pass_of_token(&self, token: &str) -> Pass {
        Pass::new(self.clone(), secret::digest(token))
    }

    /// Whether a session or token with this digest is still good. A token that cannot be looked up counts as good:
    /// a disk that fails for a moment must not darken every wall.
    fn holds(&self, digest: &[u8; 32], now: UtcMillis) -> bool {
        self.by_session(digest, now).is_some() || self.db().token(digest).map_or(true, |row| row.is_some())
    }

    /// The actor behind a bearer token.
    pub fn by_token(&self, token: &str) -> Option<Actor> {
        self.by_digest(&secret::digest(token))
    }

    fn by_digest(&self, digest: &[u8; 32]) -> Option<Actor> {
        match self.db().token(digest) {
            Ok(row) => row.map(|row| Actor {
                name: row.name,
                roles: vec![row.role],
                department: None,
                by: Proof::Token,
            }),
            Err(error) => {
                tracing::error!(%error, "cannot look up a token");
                None
            }
        }
    }

    /// Makes a named token and returns its secret, which is shown once and stored only as a hash.
    pub fn make_token(&self, name: &str, role: Role, now: UtcMillis) -> Result<Secret, AccessError> {
        check_token_name(name)?;
        let secret = Secret::random();
        self.db().put_token(name, &secret.digest(), role, now)?;
        Ok(secret)
    }

    pub fn tokens(&self) -> Result<Vec<TokenRow>, AccessError> {
        self.db().tokens()
    }

    /// A new kiosk asks to be paired and shows the code.
    pub fn ask_pairing(&self, peer: IpAddr, now: UtcMillis) -> Result<Claim, PairingRefused> {
        self.0.pairing.ask(peer, now)
    }

    /// The kiosk asks whether it was approved. On approval: its cookie and its wall.
    pub fn claim_pairing(
        &self,
        claim: &str,
        now: UtcMillis,
    ) -> Result<Option<(Secret, String)>, PairingRefused> {
        let Some((name, wall)) = self.0.pairing.claim(claim, now)? else { return Ok(None) };
        let secret = self.make_token(&name, Role::Kiosk, now).map_err(PairingRefused::Broken)?;
        Ok(Some((secret, wall)))
    }

    fn db(&self) -> std::sync::MutexGuard<'_, db::Db> {
        lock(&self.0.db)
    }
}

fn check_token_name(name: &str) -> Result<(), AccessError> {
    db::check_name(name)?;
    // The first start makes an account of this name.
    if name == FIRST_ACCOUNT { Err(AccessError::Taken(name.to_owned())) } else { Ok(()) }
}

/// A poisoned lock only means that another request panicked; the maps stay consistent at every step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
