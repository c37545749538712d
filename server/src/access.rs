//! Who is at the door: accounts, sessions, tokens, one-time links, kiosk pairing.
//!
//! What should be here: proving identity, from memory. What should not: which command a role allows (`domain::role`),
//! routes (`http::session`), waiting for the account file (`clerk.rs` has a thread for it).

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use domain::answer::ClaimAnswer;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::role::Role;
use domain::scope::Scope;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

mod actor;
use crate::clock::{Clock, Present};
use crate::lock::lock;

mod attempts;
mod clerk;
mod db;
mod first;
mod kiosk;
mod memory;
mod noted;
mod pass;
mod people;
mod places;
mod secret;
mod session;
mod sight;

pub use actor::{Actor, Proof};
use attempts::NoAttempt;
pub use clerk::Asked;
pub use db::{AccessError, Account, Act, COMMAND_LINE, NewToken};
pub use first::First;
pub use kiosk::{Kiosk, PairingRefused};
pub use noted::{Doer, Taken};
pub use pass::{Pass, lost};
pub use people::{Change, NewAccount};
pub use secret::Secret;
pub use sight::{PathOf, Sight};

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
    clerk: clerk::Clerk,
    memory: Arc<memory::Memory>,
    attempts: Arc<attempts::Attempts>,
    once: Mutex<HashMap<[u8; 32], (String, UtcMillis)>>,
    pairing: Arc<kiosk::Pairing>,
    verifier: Arc<secret::Verifier>,
    hashing: Arc<Semaphore>,
    /// Sign-ins under way or waiting.
    signing_in: places::Places,
    /// Whether supervision and disposal may be in one hand here, as the policy says.
    powers_together: AtomicBool,
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
    #[error("cannot sign in")]
    Broken(#[from] AccessError),
}

impl Access {
    /// Opens `access.db` in the data folder, making it when absent, and starts the thread that owns it.
    pub fn open(dir: &Path, config: Config) -> Result<Self, AccessError> {
        let db = db::Db::open(&dir.join("access.db"))?;
        let memory = Arc::<memory::Memory>::default();
        let clerk = clerk::Clerk::start(db, memory.clone())?;
        Ok(Self(Arc::new(Inner {
            config,
            clerk,
            memory,
            attempts: Arc::default(),
            once: Mutex::default(),
            pairing: Arc::default(),
            verifier: Arc::default(),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            signing_in: places::Places::new(SIGN_INS_WAITING_MAX + HASHES_AT_ONCE),
            powers_together: AtomicBool::new(false),
        })))
    }

    /// Says whether supervision and disposal may be in one hand, as the policy in force has it. Until then they may not.
    pub fn set_powers_together(&self, together: bool) {
        self.0.powers_together.store(together, Ordering::Relaxed);
    }

    fn powers_together(&self) -> bool {
        self.0.powers_together.load(Ordering::Relaxed)
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
    pub async fn redeem(
        &self,
        secret: &str,
        present: impl Into<Present>,
    ) -> Result<Option<Secret>, AccessError> {
        let present = present.into();
        let now = present.now;
        let redeemed = lock(&self.0.once).remove(&secret::digest(secret));
        let Some((account, _)) = redeemed.filter(|(_, until)| still_valid(*until, now)) else {
            return Ok(None);
        };
        self.see_others().await;
        match self.0.memory.account(&account) {
            Some(stored) => self.open_session(stored, present).await,
            None => Ok(None),
        }
    }

    /// Checks name and password and opens a session. `sender` is where it comes from.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        sender: IpAddr,
        present: impl Into<Present>,
    ) -> Result<Secret, SignInError> {
        let present = present.into();
        let now = present.now;
        let _place = self.0.signing_in.take(sender).ok_or(SignInError::Busy)?;
        self.see_others().await;
        let stored = self.0.memory.account(name);
        let unlocked = stored.as_ref().and_then(|stored| stored.unlocked);
        let rule = attempts::Rule {
            failures: self.0.config.failures_before_lock,
            minutes: self.0.config.lock_minutes,
        };
        let begun = match self.0.attempts.begin(name, rule, now) {
            // An administrator has ended the lock, perhaps in another process. What a clock that was ahead has put into
            // the future ends no lock.
            Err(NoAttempt::Locked { since, .. })
                if unlocked.is_some_and(|at| (since..=now).contains(&at)) =>
            {
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
        let hash = stored.as_ref().map(|stored| stored.hash.clone());
        // An unknown name takes as long as a wrong password.
        let fits = self.check(password.to_owned(), hash).await?;
        let locked = attempt.end(fits, rule, now);
        let Some(stored) = stored else { return Err(SignInError::Wrong) };
        if locked != stored.account.locked {
            self.note_lock(name, locked);
        }
        if locked.is_some() {
            tracing::warn!(account = name, "account locked after wrong passwords");
        }
        let opened = if fits { self.open_session(stored, present).await? } else { None };
        opened.ok_or(SignInError::Wrong)
    }

    /// Memory holds what other processes have just written; where the file does not answer, what it said before counts.
    async fn see_others(&self) {
        if let Err(error) = self.0.clerk.look().await {
            tracing::warn!(%error, "the account file was not looked at");
        }
    }

    /// For lists alone, so nobody waits for it.
    fn note_lock(&self, name: &str, until: Option<UtcMillis>) {
        if let Some(stored) = self.0.memory.known().accounts.get_mut(name) {
            stored.account.locked = until;
        }
        let name = name.to_owned();
        self.0.clerk.tell(move |desk| desk.db.set_locked(&name, until));
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
    pub fn by_cookie(&self, cookie: &str, present: impl Into<Present>) -> Option<Actor> {
        let digest = secret::digest(cookie);
        if let Some(actor) = self.by_session(&digest, present.into()) {
            return Some(actor);
        }
        let mut actor = self.by_digest(&digest)?;
        // A kiosk only reads, so its fixed token of the page is as good as a fresh one.
        actor.by = Proof::Session { csrf: String::new() };
        actor.has(Role::Kiosk).then_some(actor)
    }

    /// The actor behind a bearer token.
    pub fn by_token(&self, token: &str) -> Option<Actor> {
        self.by_digest(&secret::digest(token))
    }

    /// As [`Access::by_token`], and looks into the file where nobody is known: another process may just have made it.
    pub async fn find_token(&self, token: &str) -> Result<Option<Actor>, AccessError> {
        if let Some(actor) = self.by_token(token) {
            return Ok(Some(actor));
        }
        self.0.clerk.look().await?;
        Ok(self.by_token(token))
    }

    /// As [`Access::by_cookie`], and looks into the file where nobody is known.
    pub async fn find_cookie(&self, cookie: &str, present: Present) -> Result<Option<Actor>, AccessError> {
        if let Some(actor) = self.by_cookie(cookie, present) {
            return Ok(Some(actor));
        }
        self.0.clerk.look().await?;
        Ok(self.by_cookie(cookie, present))
    }

    /// What a socket opened with this cookie rests on.
    #[must_use]
    pub fn pass_of_cookie(&self, cookie: &str, clock: &Clock) -> Pass {
        Pass::new(self.clone(), secret::digest(cookie), clock.clone())
    }

    /// What a socket opened with this bearer token rests on.
    #[must_use]
    pub fn pass_of_token(&self, token: &str, clock: &Clock) -> Pass {
        Pass::new(self.clone(), secret::digest(token), clock.clone())
    }

    /// Whether a session or token with this digest is still good.
    fn holds(&self, digest: &[u8; 32], present: Present) -> bool {
        self.by_session(digest, present).is_some() || self.0.memory.known().tokens.contains_key(digest)
    }

    fn by_digest(&self, digest: &[u8; 32]) -> Option<Actor> {
        let known = self.0.memory.known();
        let row = known.tokens.get(digest)?;
        Some(Actor {
            name: row.name.clone(),
            roles: vec![row.role],
            department: row.department.clone(),
            scope: row.scope.clone(),
            may: row.may.clone(),
            powers_withheld: false,
            by: Proof::Token,
        })
    }

    /// Where an inspector works, as their token says; none for one without a token.
    #[must_use]
    pub fn works_in(&self, inspector: &str) -> Option<Scope> {
        let known = self.0.memory.known();
        let (_, token) = known.token_named(inspector)?;
        (token.role == Role::Inspector).then(|| token.scope.clone())
    }

    /// What can be seen with the token of this name.
    #[must_use]
    pub fn token_scope(&self, name: &str) -> Option<Scope> {
        self.0.memory.known().token_named(name).map(|(_, token)| token.scope.clone())
    }

    /// Why the account file cannot be written, when that has lasted for seconds.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.clerk.trouble()
    }

    /// A new kiosk asks to be paired and shows the code.
    pub fn ask_pairing(&self, peer: IpAddr, now: UtcMillis) -> Result<ClaimAnswer, PairingRefused> {
        self.0.pairing.ask(peer, now)
    }

    /// Returns when all that was done before is in the file; for the end of a server.
    pub async fn settle(&self) {
        if let Err(error) = self.0.clerk.ask(clerk::Desk::settle).await {
            tracing::error!(%error, "rights that were taken away are not written down");
        }
    }
}

fn check_token_name(name: &str) -> Result<(), AccessError> {
    db::check_name(name)?;
    // The first start makes an account of this name.
    if name == first::ADMINISTRATOR { Err(AccessError::Taken(name.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
