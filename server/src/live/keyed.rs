//! One keyed topic: newest value of every key, which keys changed after a version, and the state hash.
//!
//! Pure: no locks, no clock. Memory is bounded by the keys that exist and by a fixed number of tombstones.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Keys that are gone but remembered, so that a client which still has them can be told. Past that the oldest are
/// forgotten and clients from before then start anew.
const TOMBSTONES_MAX: usize = 20_000;

/// Values of one keyed topic.
#[derive(Debug)]
pub struct Keyed<K, V> {
    /// Version of the last change.
    head: u64,
    /// A client that stands below may have keys whose removal is forgotten.
    horizon: u64,
    hash: u64,
    rows: HashMap<K, Row<V>>,
    /// Every change in order of version; an entry counts when its row still has this version.
    log: VecDeque<(u64, K)>,
    tombstones: usize,
}

#[derive(Debug)]
struct Row<V> {
    version: u64,
    value: Option<V>,
    /// This key's part of the hash.
    part: u64,
}

/// A stretch of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch<K, V> {
    pub to: u64,
    /// Key, version, value; none when the key is gone.
    pub rows: Vec<(K, u64, Option<V>)>,
}

/// The client stands below the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFarBehind;

impl<K: Clone + Eq + Hash, V: Clone> Keyed<K, V> {
    /// The state at `version`, from which on every change is known.
    pub fn start(version: u64, rows: impl IntoIterator<Item = (K, u64, V, u64)>) -> Self {
        let mut keyed = Self {
            head: version,
            horizon: version,
            hash: 0,
            rows: HashMap::new(),
            log: VecDeque::new(),
            tombstones: 0,
        };
        for (key, row_version, value, part) in rows {
            keyed.hash ^= part;
            keyed.rows.insert(key, Row { version: row_version, value: Some(value), part });
        }
        keyed
    }

    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The present value.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)?.value.as_ref()
    }

    /// Sets or, with none, removes a key. Versions must not fall. `part` is the key's part of the hash.
    pub fn set(&mut self, key: K, version: u64, value: Option<V>, part: u64) {
        debug_assert!(version >= self.head, "changes come in order of version");
        let previous = self.rows.get(&key);
        let (was_there, was_known) = (previous.is_some_and(|row| row.value.is_some()), previous.is_some());
        if value.is_none() && !was_there {
            return;
        }
        let part = if value.is_some() { part } else { 0 };
        self.hash ^= previous.map_or(0, |row| row.part) ^ part;
        match (&value, was_there) {
            (None, _) => self.tombstones += 1,
            (Some(_), false) if was_known => self.tombstones -= 1,
            (Some(_), _) => {}
        }
        self.head = self.head.max(version);
        self.log.push_back((version, key.clone()));
        self.rows.insert(key, Row { version, value, part });
        self.forget();
    }

    /// Everything, as at [`Keyed::head`].
    pub fn all(&self) -> Stretch<K, V> {
        let rows = self.rows.iter().filter_map(|(key, row)| {
            row.value.as_ref().map(|value| (key.clone(), row.version, Some(value.clone())))
        });
        Stretch { to: self.head, rows: rows.collect() }
    }

    /// How many keys have a value.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len() - self.tombstones
    }

    /// Keys changed after `from` and not after `upto`, at most about `rows_max` of them: a stretch ends between two
    /// versions. A key changed again later comes with the later stretch.
    pub fn since(&self, from: u64, upto: u64, rows_max: usize) -> Result<Stretch<K, V>, TooFarBehind> {
        if from < self.horizon {
            return Err(TooFarBehind);
        }
        let begin = self.log.partition_point(|(version, _)| *version <= from);
        let mut rows: Vec<(K, u64, Option<V>)> = Vec::new();
        for (version, key) in self.log.range(begin..) {
            if *version > upto {
                break;
            }
            if rows.len() >= rows_max && rows.last().is_some_and(|(_, last, _)| last != version) {
                let to = rows.last().map_or(from, |(_, last, _)| *last);
                return Ok(Stretch { to, rows });
            }
            if let Some(row) = self.rows.get(key).filter(|row| row.version == *version) {
                rows.push((key.clone(), row.version, row.value.clone()));
            }
        }
        Ok(Stretch { to: upto.max(from), rows })
    }

    fn forget(&mut self) {
        if self.log.len() > 2 * self.rows.len() + 1_024 {
            let rows = &self.rows;
            self.log.retain(|(version, key)| rows.get(key).is_some_and(|row| row.version == *version));
        }
        if self.tombstones > TOMBSTONES_MAX {
            let gone: Vec<(u64, K)> = self
                .log
                .iter()
                .filter(|(version, key)| {
                    self.rows.get(key).is_some_and(|row| row.value.is_none() && row.version == *version)
                })
                .take(TOMBSTONES_MAX / 2)
                .cloned()
                .collect();
            for (version, key) in gone {
                self.rows.remove(&key);
                self.tombstones -= 1;
                self.horizon = self.horizon.max(version);
            }
        }
    }
}
