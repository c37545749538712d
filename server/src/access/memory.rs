//! What the account file says, in memory: whoever asks is answered from here and never waits for a disk.
//!
//! What should be here: accounts, tokens and sessions as last read, and rights that were taken away but not yet written
//! down. What should not: when the file is read or written (`clerk.rs`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use super::db::{Db, StoredAccount};
use super::session::Session;
use domain::answer::TokenAnswer;

use super::{AccessError, Account, Act, Change, lock};

/// How often, in ticks of the thread, it looks for sessions whose use is to be written down.
const KEEP_SESSIONS_EVERY: u64 = 10;

/// A digest of a token or cookie.
pub(super) type Digest = [u8; 32];

#[derive(Default)]
pub(super) struct Memory(Mutex<Known>);

#[derive(Default)]
pub(super) struct Known {
    pub accounts: HashMap<String, StoredAccount>,
    pub tokens: HashMap<Digest, TokenAnswer>,
    /// By the hash of the cookie, and on disk as well: a restart of the server signs nobody out.
    pub sessions: HashMap<Digest, Session>,
    /// The digests of tokens by their names; one that is gone from `tokens` means nothing here.
    names: HashMap<String, Digest>,
    owed: Vec<Owed>,
}

/// A right that was taken away, and that the file still gives. Taking away holds at once and is written down as soon as
/// it can be; giving is written down first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owed {
    /// By its digest: a new token may have taken over the name.
    Token {
        digest: Digest,
        act: Act,
    },
    Account {
        change: Change,
        act: Act,
    },
    Session(Digest),
}

impl Owed {
    pub fn write(&self, db: &Db) -> Result<(), AccessError> {
        match self {
            Self::Token { digest, act } => {
                if db.drop_token(digest)? {
                    db.note(act)?;
                }
            }
            Self::Account { change, act } => {
                change.write(db, &act.name, act.at)?;
                db.note(act)?;
            }
            Self::Session(digest) => db.drop_session(digest)?,
        }
        Ok(())
    }
}

impl Memory {
    pub fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.0)
    }

    /// Reads everything anew. What was taken away meanwhile stays away.
    pub fn load(&self, db: &Db) -> Result<(), AccessError> {
        let (accounts, tokens, sessions) = (db.stored_accounts()?, db.stored_tokens()?, db.sessions()?);
        let mut known = self.known();
        known.accounts = accounts.into_iter().map(|stored| (stored.account.name.clone(), stored)).collect();
        known.names = tokens.iter().map(|(digest, row)| (row.name.clone(), *digest)).collect();
        known.tokens = tokens.into_iter().collect();
        let mut before = std::mem::take(&mut known.sessions);
        for stored in sessions {
            let session = match before.remove(&stored.digest) {
                Some(session) => session.found(&stored),
                None => Session::from(&stored),
            };
            known.sessions.insert(stored.digest, session);
        }
        known.sessions.extend(before.into_iter().filter(|(_, session)| session.is_unstored()));
        for owed in known.owed.clone() {
            known.apply(&owed);
        }
        known.end_orphans();
        Ok(())
    }

    pub fn account(&self, name: &str) -> Option<StoredAccount> {
        self.known().accounts.get(name).cloned()
    }

    /// Takes a token away; false when there is none of that name.
    pub fn take_token(&self, name: &str, act: &Act) -> bool {
        let mut known = self.known();
        let digest = known.token_named(name).map(|(digest, _)| digest);
        digest.is_some_and(|digest| {
            known.take(Owed::Token { digest, act: act.clone() });
            true
        })
    }

    pub fn take_account(&self, change: Change, act: &Act) {
        let mut known = self.known();
        known.take(Owed::Account { change, act: act.clone() });
        known.end_orphans();
    }

    pub fn owed(&self) -> usize {
        self.known().owed.len()
    }

    pub fn first_owed(&self) -> Option<Owed> {
        self.known().owed.first().cloned()
    }

    pub fn settled(&self, owed: &Owed) {
        let mut known = self.known();
        if let Some(at) = known.owed.iter().position(|other| other == owed) {
            known.owed.remove(at);
        }
    }

    /// Writes down when sessions were last used, and those that could not be stored. Whether anything was written.
    pub fn keep_sessions(&self, db: &Db, ticks: u64) -> Result<bool, AccessError> {
        let mut wrote = false;
        let unstored: Vec<_> = {
            let known = self.known();
            let unstored = known.sessions.iter().filter(|(_, session)| session.is_unstored());
            unstored.filter_map(|(digest, session)| session.to_store(*digest)).collect()
        };
        for (stored, hash) in unstored {
            if db.put_session(&stored, &hash)? {
                wrote = true;
                if let Some(session) = self.known().sessions.get_mut(&stored.digest) {
                    session.was_stored(stored.seen);
                }
            }
        }
        if ticks.is_multiple_of(KEEP_SESSIONS_EVERY) {
            let used: Vec<_> = {
                let known = self.known();
                let used = known.sessions.iter();
                used.filter_map(|(digest, session)| Some((*digest, session.use_to_store()?))).collect()
            };
            if !used.is_empty() {
                db.whole(|db| used.iter().try_for_each(|(digest, seen)| db.set_seen(digest, *seen)))?;
                wrote = true;
                let mut known = self.known();
                for (digest, seen) in used {
                    if let Some(session) = known.sessions.get_mut(&digest) {
                        session.was_stored(seen);
                    }
                }
            }
        }
        Ok(wrote)
    }
}

impl Known {
    pub fn token_named(&self, name: &str) -> Option<(Digest, &TokenAnswer)> {
        let digest = *self.names.get(name)?;
        Some((digest, self.tokens.get(&digest)?))
    }

    /// The account of a session, when somebody may be signed in with it.
    pub fn enabled(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name).map(|stored| &stored.account).filter(|account| account.disabled.is_none())
    }

    /// Ends a session for good.
    pub fn end_session(&mut self, digest: &Digest) {
        if self.sessions.contains_key(digest) {
            self.take(Owed::Session(*digest));
        }
    }

    fn take(&mut self, owed: Owed) {
        self.apply(&owed);
        self.owed.push(owed);
    }

    fn apply(&mut self, owed: &Owed) {
        match owed {
            Owed::Token { digest, .. } => drop(self.tokens.remove(digest)),
            Owed::Account { change, act } => match change {
                Change::Disable => {
                    if let Some(stored) = self.accounts.get_mut(&act.name) {
                        stored.account.disabled.get_or_insert(act.at);
                    }
                }
                Change::Remove => drop(self.accounts.remove(&act.name)),
                // Nothing is taken away by these.
                Change::Enable | Change::Unlock => {}
            },
            Owed::Session(digest) => drop(self.sessions.remove(digest)),
        }
    }

    /// Sessions end with their account, its password and its rights.
    fn end_orphans(&mut self) {
        let Self { accounts, sessions, .. } = self;
        sessions.retain(|_, session| {
            let stored = accounts.get(&session.account);
            let holds =
                stored.is_some_and(|stored| stored.account.disabled.is_none() && session.fits(&stored.hash));
            if !holds {
                tracing::info!(
                    account = session.account,
                    "session ended with its account's password or rights"
                );
            }
            holds
        });
    }
}
