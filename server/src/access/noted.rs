//! What is done to tokens and kiosks together with the record of it: both or neither.
//!
//! What should not be here: accounts (`people.rs`), and who may do it (`http::session`, the command line).

use domain::moment::UtcMillis;
use domain::role::Role;

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

impl Access {
    /// As [`Access::make_token`], with a record. `replace` revokes a token of that name first.
    pub fn make_token_noted(
        &self,
        doer: Doer<'_>,
        name: &str,
        role: Role,
        replace: bool,
    ) -> Result<Secret, AccessError> {
        check_token_name(name)?;
        let secret = Secret::random();
        self.db().whole(|db| {
            if replace && db.revoke(name)? {
                db.note(&doer.act("token revoked", name))?;
            }
            db.put_token(name, &secret.digest(), role, doer.now)?;
            db.note(&doer.act("token made", name))
        })?;
        Ok(secret)
    }

    /// Revokes a token; false when there is none of that name.
    pub fn revoke(&self, doer: Doer<'_>, name: &str) -> Result<bool, AccessError> {
        self.db().whole(|db| {
            let revoked = db.revoke(name)?;
            if revoked {
                db.note(&doer.act("token revoked", name))?;
            }
            Ok(revoked)
        })
    }

    /// An operator approves the code shown on the wall; the kiosk then gets a token of that name.
    pub fn approve_pairing(
        &self,
        doer: Doer<'_>,
        code: &str,
        name: &str,
        wall: &str,
    ) -> Result<(), PairingRefused> {
        db::check_name(name).map_err(PairingRefused::Broken)?;
        self.db().whole(|db| {
            if db.is_taken(name)? {
                return Err(PairingRefused::Broken(AccessError::Taken(name.to_owned())));
            }
            db.note(&doer.act("kiosk paired", name))?;
            self.0.pairing.approve(code, name, wall, doer.now)
        })
    }
}
