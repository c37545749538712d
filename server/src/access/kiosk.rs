//! Pairing a wall kiosk (大屏配对): the wall shows six digits, an operator approves them, the kiosk gets a narrow token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use domain::moment::{MINUTE_MS, UtcMillis};
use serde::Serialize;

use super::db::AccessError;
use super::lock;
use super::secret::{Secret, digest};

/// A code is valid this long.
const CODE_MS: i64 = 10 * MINUTE_MS;
/// Kiosks waiting at once; beyond it the one that has waited longest gives way.
const PENDING_MAX: usize = 500;
/// Kiosks of one address waiting at once; beyond it that address's own oldest gives way. A proxy is one address.
const PENDING_OF_PEER_MAX: usize = 50;
/// Wrong codes in one code's lifetime before approving pauses: 100 of 10⁶ guesses.
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

/// What a kiosk gets when it asks.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Claim {
    /// Six digits to show on the wall.
    pub code: String,
    /// Kept by the kiosk and sent when it asks again; never shown.
    pub claim: String,
    pub expires: UtcMillis,
    /// How long the code is valid from now on, for a kiosk whose own clock is wrong.
    pub lasts_ms: i64,
}

struct Pending {
    code: String,
    expires: UtcMillis,
    approved: Option<(String, String)>,
    peer: IpAddr,
}

impl Pending {
    /// Whether the code still counts; never longer than twice its time, however far the clock was set back.
    fn is_valid(&self, now: UtcMillis) -> bool {
        (1..=2 * CODE_MS).contains(&self.expires.since(now))
    }

    /// Makes room by forgetting the oldest of those that were not approved.
    fn forget_oldest(
        pending: &mut HashMap<[u8; 32], Self>,
        among: impl Fn(&Self) -> bool,
    ) -> Result<(), PairingRefused> {
        let waiting = pending.iter().filter(|(_, kiosk)| kiosk.approved.is_none() && among(kiosk));
        let oldest = waiting.min_by_key(|(_, kiosk)| kiosk.expires).map(|(claim, _)| *claim);
        pending.remove(&oldest.ok_or(PairingRefused::Full)?);
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct Pairing {
    pending: Mutex<HashMap<[u8; 32], Pending>>,
    wrong: Mutex<(u32, UtcMillis)>,
}

impl Pairing {
    pub fn ask(&self, peer: IpAddr, now: UtcMillis) -> Result<Claim, PairingRefused> {
        let mut pending = lock(&self.pending);
        pending.retain(|_, kiosk| kiosk.is_valid(now));
        if pending.values().filter(|kiosk| kiosk.peer == peer).count() >= PENDING_OF_PEER_MAX {
            Pending::forget_oldest(&mut pending, |kiosk| kiosk.peer == peer)?;
        } else if pending.len() >= PENDING_MAX {
            Pending::forget_oldest(&mut pending, |_| true)?;
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
        Ok(Claim { code, claim: claim.expose().to_owned(), expires, lasts_ms: CODE_MS })
    }

    pub fn approve(&self, code: &str, name: &str, wall: &str, now: UtcMillis) -> Result<(), PairingRefused> {
        let mut wrong = lock(&self.wrong);
        if !(0..=CODE_MS).contains(&now.since(wrong.1)) {
            *wrong = (0, now);
        }
        if wrong.0 >= WRONG_MAX {
            return Err(PairingRefused::Guessing);
        }
        let mut pending = lock(&self.pending);
        let same_name = |kiosk: &Pending| {
            kiosk.is_valid(now) && kiosk.approved.as_ref().is_some_and(|(taken, _)| taken == name)
        };
        if pending.values().any(same_name) {
            return Err(PairingRefused::NamePending);
        }
        let waits =
            |kiosk: &&mut Pending| kiosk.code == code && kiosk.is_valid(now) && kiosk.approved.is_none();
        match pending.values_mut().find(waits) {
            Some(kiosk) => {
                kiosk.approved = Some((name.to_owned(), wall.to_owned()));
                Ok(())
            }
            None => {
                wrong.0 += 1;
                Err(PairingRefused::UnknownCode)
            }
        }
    }

    /// Name and wall once approved.
    pub fn approved(&self, claim: &str, now: UtcMillis) -> Result<Option<(String, String)>, PairingRefused> {
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
