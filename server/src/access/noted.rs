//! What is done to tokens and kiosks together with the record of it: both or neither.
//!
//! What should not be here: accounts (`people.rs`), and who may do it (`http::session`, the command line).

use domain::answer::TokenAnswer;
use domain::grant::Grant;
use domain::moment::UtcMillis;
use domain::role::Role;

use super::clerk::Asked;
use super::db::NewToken;
use super::kiosk::Kiosk;
use super::{Access, AccessError, Act, PairingRefused, Secret, check_token_name, db};

/// Who does something, and when.
#[derive(Debug, Clone, Copy)]
pub struct Doer<'a> {
    /// An account, or `command line` and the account of the machine.
    pub by: &'a str,
    pub now: UtcMillis,
}

impl Doer<'_> {
    fn act(self, act: &str, name: &str) -> Act {
        Act { at: self.now, by: self.by.to_owned(), act: act.to_owned(), name: name.to_owned() }
    }
}

/// How a right was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Everywhere and for good.
    Written,
    /// In this server at once; the file cannot be written yet and will be as soon as it can. A restart before that would
    /// give the right back.
    InForce {
        /// Why it cannot be written.
        why: String,
    },
}

impl Access {
    /// Makes a named token and returns its secret, which is shown once and stored only as a hash. Without a record: for
    /// tests and tools.
    pub fn make_token(&self, name: &str, role: Role, now: UtcMillis) -> Asked<Secret> {
        let new = NewToken::wide(name, role);
        self.0.clerk.ask(move |desk| {
            check_token_name(&new.name)?;
            let secret = Secret::random();
            desk.change(|db| db.put_token(&new, &secret.digest(), now))?;
            Ok(secret)
        })
    }

    /// As [`Access::make_token`], with a record. `replace` revokes a token of that name first.
    pub fn make_token_noted(&self, doer: Doer<'_>, new: NewToken, replace: bool) -> Asked<Secret> {
        let (now, together) = (doer.now, self.powers_together());
        let (revoked, made) = (doer.act("token revoked", &new.name), doer.act("token made", &new.name));
        self.0.clerk.ask(move |desk| {
            check_token(&new, together)?;
            let secret = Secret::random();
            desk.change(|db| {
                if replace && db.revoke(&new.name)? {
                    db.note(&revoked)?;
                }
                db.put_token(&new, &secret.digest(), now)?;
                db.note(&made)
            })?;
            Ok(secret)
        })
    }

    /// Revokes a token: at once in this server, and then in the file; none when there is none of that name.
    pub fn revoke(&self, doer: Doer<'_>, name: &str) -> Asked<Option<Taken>> {
        let (act, name) = (doer.act("token revoked", name), name.to_owned());
        let taken = self.0.memory.take_token(&name, &act);
        let late = taken.then(|| Some(Taken::InForce { why: AccessError::Slow.to_string() }));
        let asked = self.0.clerk.ask(move |desk| {
            if !taken {
                // Another process may just have made it.
                desk.look()?;
                if !desk.memory.take_token(&name, &act) {
                    return Ok(None);
                }
            }
            Ok(Some(match desk.settle() {
                Ok(()) => Taken::Written,
                Err(error) => Taken::InForce { why: crate::cause::chain(&error) },
            }))
        });
        asked.or_late(late)
    }

    /// All tokens, without secrets.
    pub fn tokens(&self) -> Asked<Vec<TokenAnswer>> {
        self.0.clerk.ask(|desk| desk.db.tokens())
    }

    /// An operator approves the code shown on the wall; the kiosk then gets a token of that name.
    pub async fn approve_pairing(
        &self,
        doer: Doer<'_>,
        code: &str,
        kiosk: Kiosk,
    ) -> Result<(), PairingRefused> {
        db::check_name(&kiosk.name)?;
        kiosk.scope.check().map_err(|error| AccessError::Scope(error.to_string()))?;
        let act = doer.act("kiosk paired", &kiosk.name);
        let (code, by, now) = (code.to_owned(), doer.by.to_owned(), doer.now);
        let pairing = self.0.pairing.clone();
        let asked = self.0.clerk.ask(move |desk| {
            let approved = desk.db.whole(|db| {
                if db.is_taken(&kiosk.name)? {
                    return Err(PairingRefused::Broken(AccessError::Taken(kiosk.name.clone())));
                }
                db.note(&act)?;
                pairing.approve(&code, kiosk, &by, now)
            });
            Ok(approved)
        });
        asked.await?
    }

    /// The kiosk asks whether it was approved. On approval: its cookie and its wall. Where its token cannot be written,
    /// it may ask again.
    pub async fn claim_pairing(
        &self,
        claim: &str,
        now: UtcMillis,
    ) -> Result<Option<(Secret, String)>, PairingRefused> {
        let Some(kiosk) = self.0.pairing.approved(claim, now)? else { return Ok(None) };
        let wall = kiosk.wall.clone();
        let (pairing, claim) = (self.0.pairing.clone(), claim.to_owned());
        let asked = self.0.clerk.ask(move |desk| {
            // Asked twice at once, it is paired once.
            if !pairing.is_waiting(&claim) {
                return Ok(Err(PairingRefused::Expired));
            }
            let secret = Secret::random();
            let new = NewToken { scope: kiosk.scope, ..NewToken::wide(&kiosk.name, Role::Kiosk) };
            desk.change(|db| db.put_token(&new, &secret.digest(), now))?;
            pairing.use_up(&claim);
            Ok(Ok(secret))
        });
        Ok(Some((asked.await??, wall)))
    }
}

/// A machine's token says what it may, and does not hold both powers where they are kept apart.
fn check_token(new: &NewToken, together: bool) -> Result<(), AccessError> {
    check_token_name(&new.name)?;
    new.scope.check().map_err(|error| AccessError::Scope(error.to_string()))?;
    let invalid = |problem: &str| Err(AccessError::May(problem.to_owned()));
    match (&new.may, new.role == Role::Machine) {
        (None, true) => return invalid("is missing: say what the machine may do"),
        (Some(_), false) => return invalid("is said of machines alone"),
        (Some(may), true) if may.is_empty() => return invalid("is empty: say what the machine may do"),
        (Some(may), true) if Grant::holds_both_powers(may) && !together => {
            return Err(AccessError::BothPowers(new.name.clone()));
        }
        (Some(_), true) | (None, false) => {}
    }
    if new.department.is_some() && new.role != Role::Machine {
        return invalid("department is said of machines alone");
    }
    Ok(())
}
