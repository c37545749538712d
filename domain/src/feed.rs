//! The client's half of the live feed: what a screen holds of the keyed topics and of the event log, and whether it is
//! right.
//!
//! What should be here: applying snapshots and deltas, the state hash, where to resume, how long to wait before coming
//! back. What should not: sockets, timers, drawing. Positions are held in `position::CellView`.

use std::collections::BTreeMap;

use crate::tally::Tally;
use crate::whistle::Whistle;
use crate::wire::{
    EventLine, Hex64, Keyed, OverdueRow, Payload, ServerMessage, Snapshot, Topic, keyed_hash, tally_hash,
};

/// What a message did to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The state moved on.
    Advanced,
    /// Already known, or not for this state.
    Ignored,
    /// The message starts beyond where the state stands: subscribe anew from [`Held::version`].
    Gap,
    /// Start from a new snapshot.
    StartAnew,
    /// The state hash differs from the server's at the same version: start from a new snapshot and say so.
    Diverged,
}

/// One topic as a screen holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held<T> {
    /// None before the first snapshot.
    pub epoch: Option<Hex64>,
    /// Version reached.
    pub version: u64,
    pub rows: T,
}

impl<T: Default> Default for Held<T> {
    fn default() -> Self {
        Self { epoch: None, version: 0, rows: T::default() }
    }
}

/// State that deltas and snapshots change.
pub trait Rows: Default {
    /// Takes over the payload; returns false when it belongs to another topic.
    fn put(&mut self, payload: &Payload) -> bool;
    /// The state hash; none for the event log, which has sequence numbers instead.
    fn hash(&self) -> Option<u64>;
    /// Whether a state that stands at 0 may take a delta from 0, and deltas may start before the state.
    const KEYED: bool;
}

impl<T: Rows> Held<T> {
    /// Takes over a snapshot; returns false when it is of another topic.
    pub fn start(&mut self, snapshot: &Snapshot) -> bool {
        let mut rows = T::default();
        if !rows.put(&snapshot.payload) {
            return false;
        }
        *self = Self { epoch: Some(snapshot.epoch), version: snapshot.version, rows };
        true
    }

    /// Applies what the server said, as far as it is about `topic`.
    pub fn apply(&mut self, topic: &Topic, message: &ServerMessage) -> Applied {
        match message {
            ServerMessage::Delta { topic: about, epoch, from, to, payload } if about == topic => {
                self.delta(*epoch, *from, *to, payload)
            }
            ServerMessage::Resync { topic: about, .. } if about == topic => Applied::StartAnew,
            ServerMessage::Heartbeat { hashes, .. } => {
                let own = self.rows.hash();
                let theirs = hashes.iter().find(|(about, version, _)| {
                    about == topic && *version == self.version && self.epoch.is_some()
                });
                match (own, theirs) {
                    (Some(own), Some((.., theirs))) if theirs.0 != own => Applied::Diverged,
                    _ => Applied::Ignored,
                }
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::Delta { .. }
            | ServerMessage::Resync { .. }
            | ServerMessage::Refused { .. } => Applied::Ignored,
        }
    }

    fn delta(&mut self, epoch: Hex64, from: u64, to: u64, payload: &Payload) -> Applied {
        if from == 0 && (T::KEYED || self.epoch.is_none()) {
            // Everything: what was held is forgotten.
            let mut rows = T::default();
            if !rows.put(payload) {
                return Applied::StartAnew;
            }
            *self = Self { epoch: Some(epoch), version: to, rows };
            return Applied::Advanced;
        }
        if self.epoch != Some(epoch) {
            return Applied::StartAnew;
        }
        if to <= self.version {
            return Applied::Ignored;
        }
        if from != self.version {
            return Applied::Gap;
        }
        if !self.rows.put(payload) {
            return Applied::StartAnew;
        }
        self.version = to;
        Applied::Advanced
    }
}

impl Rows for Tally {
    const KEYED: bool = true;

    fn put(&mut self, payload: &Payload) -> bool {
        let Payload::Tally(cells) = payload else { return false };
        cells.iter().for_each(|(key, value)| self.set(key.clone(), *value));
        true
    }

    fn hash(&self) -> Option<u64> {
        Some(self.iter().fold(0, |hash, (key, value)| hash ^ tally_hash(key, value)))
    }
}

/// Rows by id, each with the version it was changed at.
pub type ById<T> = BTreeMap<u64, (u64, T)>;

fn put_keyed<T: Clone>(rows: &mut ById<T>, changed: &[Keyed<T>]) {
    for keyed in changed {
        match &keyed.row {
            Some(row) => drop(rows.insert(keyed.id, (keyed.version, row.clone()))),
            None => drop(rows.remove(&keyed.id)),
        }
    }
}

fn hash_keyed<T>(rows: &ById<T>) -> u64 {
    rows.iter().fold(0, |hash, (id, (version, _))| hash ^ keyed_hash(*id, *version))
}

impl Rows for ById<OverdueRow> {
    const KEYED: bool = true;

    fn put(&mut self, payload: &Payload) -> bool {
        let Payload::Overdue(changed) = payload else { return false };
        put_keyed(self, changed);
        true
    }

    fn hash(&self) -> Option<u64> {
        Some(hash_keyed(self))
    }
}

impl Rows for ById<Whistle> {
    const KEYED: bool = true;

    fn put(&mut self, payload: &Payload) -> bool {
        let Payload::Whistle(changed) = payload else { return false };
        put_keyed(self, changed);
        true
    }

    fn hash(&self) -> Option<u64> {
        Some(hash_keyed(self))
    }
}

/// Lines of the event log a screen keeps.
pub const LINES_KEPT: usize = 200;

/// The newest lines of the event log, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lines(pub Vec<EventLine>);

impl Rows for Lines {
    const KEYED: bool = false;

    fn put(&mut self, payload: &Payload) -> bool {
        let Payload::Case(lines) = payload else { return false };
        self.0.extend(lines.iter().cloned());
        self.0.drain(..self.0.len().saturating_sub(LINES_KEPT));
        true
    }

    fn hash(&self) -> Option<u64> {
        None
    }
}

const RETRY_MIN_MS: f64 = 250.0;
/// However long the server was away, every screen has everything again within two seconds. Five hundred screens that
/// knock twice a second cost a server that is down nothing, and one that is up less than their frames.
const RETRY_MAX_MS: f64 = 1_000.0;

/// How long a client that lost its server waits before attempt `attempt`; `random` is within 0 to 1. Full jitter:
/// anything between the shortest wait and a limit that doubles, so that 500 screens do not return at once.
#[must_use]
pub fn retry_ms(attempt: u32, random: f64) -> u32 {
    let limit = (RETRY_MIN_MS * f64::from(1u32 << attempt.min(8))).clamp(2.0 * RETRY_MIN_MS, RETRY_MAX_MS);
    (RETRY_MIN_MS + random * (limit - RETRY_MIN_MS)) as u32
}

#[cfg(test)]
mod tests {
    use super::retry_ms;

    #[test]
    fn retries_stay_between_a_quarter_and_a_whole_second() {
        for attempt in 0..40 {
            assert!(retry_ms(attempt, 0.0) == 250 && retry_ms(attempt, 0.999_999) <= 1_000);
        }
        assert!(retry_ms(0, 0.999) <= 500 && retry_ms(9, 0.999) > 990);
    }
}
