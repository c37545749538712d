//! Whether a log is whole: every row read once, in order, in pages. Memory does not grow with history.
//!
//! What should be here: what can be said of a log without knowing what its rows mean. What should not: whether what was
//! derived from it agrees (`crate::check`). Every finding is listed; none stops the others where it can be passed.

use super::{LogError, READ_ROWS_MAX, Read, Stand, seal};

/// Findings of one kind listed one by one.
pub const LISTED_MAX: usize = 20;

/// What was looked at and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub head: Stand,
    pub events: u64,
    pub commands: u64,
    pub blobs: u64,
    pub persons: u64,
    pub erased: u64,
    /// What is wrong; empty for a sound log.
    pub problems: Vec<String>,
    /// More that was wrong than is listed.
    pub unlisted: u64,
}

impl Findings {
    fn wrong(&mut self, what: String) {
        if self.problems.len() < LISTED_MAX {
            self.problems.push(what);
        } else {
            self.unlisted += 1;
        }
    }
}

/// Reads everything up to the present head.
pub fn check(log: &dyn Read) -> Result<Findings, LogError> {
    let head = log.head()?;
    let mut found = Findings { head, ..Findings::default() };
    let mut stand = Stand::default();
    loop {
        let group = match log.since(stand, READ_ROWS_MAX) {
            Ok(group) => group,
            // Whatever follows cannot be told from what is damaged.
            Err(error @ LogError::Damaged { .. }) => {
                found.wrong(error.chain());
                return Ok(found);
            }
            Err(error) => return Err(error),
        };
        if group.is_empty() {
            return Ok(found);
        }
        for row in &group.events {
            if row.seq != found.events + 1 && row.seq <= head.seq {
                found.wrong(format!("event {} is missing; event {} follows", found.events + 1, row.seq));
            }
            found.events = row.seq;
        }
        for row in &group.commands {
            found.commands += 1;
            // A server may have gone on meanwhile; what was there when the check began must fit.
            if row.no <= head.command && row.last > head.seq {
                found.wrong(format!(
                    "key {} stands for events up to {}, beyond the last one",
                    row.no, row.last
                ));
            }
            if row.last + 1 < row.first {
                found.wrong(format!("key {} stands for events {} to {}", row.no, row.first, row.last));
            }
        }
        found.blobs += group.blobs.len() as u64;
        for row in &group.persons {
            found.persons += 1;
            match &row.key {
                None => found.erased += 1,
                Some(key) => {
                    if seal::open(key, row.case, &row.sealed).is_none() {
                        found.wrong(format!("person of case {} does not open with its key", row.case));
                    }
                }
            }
        }
        stand = stand.after(&group);
    }
}
