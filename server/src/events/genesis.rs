//! The policy a store began with: put into the log once, and read from there ever after.
//!
//! A file that says something else at a later start changes nothing: policies come into force by an event.
//!
//! What should be here: which policy that is, or would be. What should not: putting it into the log (`writer::store`).

use std::path::Path;

use domain::policy::Policy;

use super::replay;
use crate::folder::{DATABASE, StoreError};
use crate::log::{Read, shelf};
use crate::stored::policy::{self, Genesis};
use crate::stored::state;

/// What the log began with; none in one that no server of this version has opened yet.
pub(crate) fn read(log: &dyn Read, dir: &Path) -> Result<Option<Genesis>, StoreError> {
    let damaged = |problem: crate::stored::StoredError| StoreError::Damaged {
        path: dir.join(DATABASE),
        what: format!("the policy it began with cannot be read: {}", crate::cause::chain(&problem)),
    };
    policy::genesis(log)?.transpose().map_err(damaged)
}

/// As [`read`], and for a store that has none yet what it would begin with: `file`, and the codes that an older store's newest
/// snapshot knows.
pub(crate) fn read_or(log: &dyn Read, dir: &Path, file: &Policy) -> Result<Genesis, StoreError> {
    if let Some(genesis) = read(log, dir)? {
        return Ok(genesis);
    }
    let mut genesis = Genesis::of(file);
    let head = log.head()?.seq;
    let known = state::known(&state::SECTIONS);
    let codes = shelf::newest(dir, log.epoch(), head, &known, state::catalogue);
    if let Some(codes) = codes.or_else(|| replay::former(log, dir, (0, head), state::catalogue)) {
        let own = file.catalogue();
        genesis.kept = codes.entries().filter(|entry| own.like(entry).is_none()).collect();
    }
    Ok(genesis)
}
