//! Pairing a wall kiosk (大屏配对): the wall shows six digits, an operator approves them, the kiosk gets a narrow token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use domain::answer::ClaimAnswer;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::scope::Scope;

use super::db::AccessError;
use super::lock;
use super::secret::{Secret, digest};

/// A code is valid this long.
const CODE_MS: i64 = 10 * MINUTE_MS;
/// Kiosks waiting at once; beyond it the one that has waited longest gives way.
const PENDING_MAX: usize = 500;
/// Kiosks of one address waiting at once; beyond it that address's own oldest gives way. A proxy is one address.
const PENDING_OF_PEER_MAX: usize = 50;
/// A code younger than this gives way to nobody.
const YOUNG_MS: i64 = MINUTE_MS;
/// Operators whose wrong codes are remembered; there are never so many.
const OPERATORS_MAX: usize = 1_000;
/// Wrong codes of one operator in one code's lifetime before approving pauses: 100 of 10⁶ guesses.
const WRONG_MAX: u32 = 100;

#[derive(Debug, thiserror::Error)]
pub enum PairingRefused {
    #[error("too many approved kiosks have not come yet; try again in a few minutes")]
    Full,
    #[error("no kiosk shows this code, or it has expired")]
    UnknownCode,
    #[error("too many wrong codes; try again in a few minutes")]
    Guessing,
    #[error("this pairing has expired; ask for a new code")]
    Expired,
    #[error("another kiosk of this name was approved and has not come yet; choose another name")]
    NamePending,
    #[error("cannot pair the kiosk")]
    Broken(#[from] AccessError),
}

/// What a kiosk is once it is approved.
#[derive(Debug, Clone)]
pub struct Kiosk {
    /// In lists and logs.
    pub name: String,
    /// Which wall it shows.
    pub wall: String,
    /// What may be seen on it.
    pub scope: Scope,
}

struct Pending {
    code: String,
    expires: UtcMillis,
    approved: Option<Kiosk>,
    peer: IpAddr,
}

impl Pending {
    /// Whether the code still counts; never longer than twice its time, however far the clock was set back.
    fn is_valid(&self, now: UtcMillis) -> bool {
        (1..=2 * CODE_MS).contains(&self.expires.since(now))
    }

    /// Makes room by forgetting the oldest of those that were not approved and are not young: somebody may be walking
    /// from such a wall to a desk.
    fn forget_oldest(
        pending: &mut HashMap<[u8; 32], Self>,
        now: UtcMillis,
        among: impl Fn(&Self) -> bool,
    ) -> Result<(), PairingRefused> {
        let waiting = pending.iter().filter(|(_, kiosk)| {
            kiosk.approved.is_none() && CODE_MS - kiosk.expires.since(now) >= YOUNG_MS && among(kiosk)
        });
        let oldest = waiting.min_by_key(|(_, kiosk)| kiosk.expires).map(|(claim, _)| *claim);
        pending.remove(&oldest.ok_or(PairingRefused::Full)?);
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct Pairing {
    pending: Mutex<HashMap<[u8; 32], Pending>>,
    /// Wrong codes by operator, and since when they are counted: one who mistypes keeps nobody else from approving.
    wrong: Mutex<HashMap<String, (u32, UtcMillis)>>,
}

impl Pairing {
    pub fn ask(&self, peer: IpAddr, now: UtcMillis) -> Result<ClaimAnswer, PairingRefused> {
        let mut pending = lock(&self.pending);
        pending.retain(|_, kiosk| kiosk.is_valid(now));
        if pending.values().filter(|kiosk| kiosk.peer == peer).count() >= PENDING_OF_PEER_MAX {
            Pending::forget_oldest(&mut pending, now, |kiosk| kiosk.peer == peer)?;
        } else if pending.len() >= PENDING_MAX {
            Pending::forget_oldest(&mut pending, now, |_| true)?;
        }
        let code = loop {
            let code = format!("{:06}", rand::random_range(0..1_000_000));
            if pending.values().all(|kiosk| kiosk.code != code) {
                break code;
            }
        };
        let claim = Secret::random();
        let expires = now.plus(CODE_MS);
        pending.insert(claim.digest(), Pending { code: code.clone(), expires, approved: None, peer });
        Ok(ClaimAnswer { code, claim: claim.expose().to_owned(), expires, lasts_ms: CODE_MS })
    }

    /// `by` is the operator who has typed the code.
    pub fn approve(
        &self,
        code: &str,
        approved: Kiosk,
        by: &str,
        now: UtcMillis,
    ) -> Result<(), PairingRefused> {
        let mut wrongs = lock(&self.wrong);
        wrongs.retain(|_, wrong| (0..=CODE_MS).contains(&now.since(wrong.1)));
        if wrongs.len() >= OPERATORS_MAX && !wrongs.contains_key(by) {
            return Err(PairingRefused::Guessing);
        }
        let wrong = wrongs.entry(by.to_owned()).or_insert((0, now));
        if wrong.0 >= WRONG_MAX {
            return Err(PairingRefused::Guessing);
        }
        let mut pending = lock(&self.pending);
        let same_name = |kiosk: &Pending| {
            kiosk.is_valid(now) && kiosk.approved.as_ref().is_some_and(|taken| taken.name == approved.name)
        };
        if pending.values().any(same_name) {
            return Err(PairingRefused::NamePending);
        }
        let waits =
            |kiosk: &&mut Pending| kiosk.code == code && kiosk.is_valid(now) && kiosk.approved.is_none();
        match pending.values_mut().find(waits) {
            Some(kiosk) => {
                kiosk.approved = Some(approved);
                Ok(())
            }
            None => {
                wrong.0 += 1;
                Err(PairingRefused::UnknownCode)
            }
        }
    }

    /// What it is, once approved.
    pub fn approved(&self, claim: &str, now: UtcMillis) -> Result<Option<Kiosk>, PairingRefused> {
        match lock(&self.pending).get(&digest(claim)) {
            Some(kiosk) if kiosk.is_valid(now) => Ok(kiosk.approved.clone()),
            _ => Err(PairingRefused::Expired),
        }
    }

    pub fn is_waiting(&self, claim: &str) -> bool {
        lock(&self.pending).contains_key(&digest(claim))
    }

    /// The kiosk has its token.
    pub fn use_up(&self, claim: &str) {
        lock(&self.pending).remove(&digest(claim));
    }
}
