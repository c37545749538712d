//! Rows of one keyed topic, with the state hash kept as they change.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::wire::{Keyed, keyed_hash};

/// Rows by id, each with the version it was changed at.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    // Boxed, so that one map in the browser's programme serves the rows of all topics.
    rows: BTreeMap<u64, (u64, Box<T>)>,
    hash: u64,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), hash: 0 }
    }
}

impl<T> Rows<T> {
    /// Takes changes over: values by key, not differences. One by one, the first ones too: what makes a map at one go sorts,
    /// and the browser's programmes would hold a sort for the rows of each topic.
    pub fn put(&mut self, changes: Vec<Keyed<T>>) {
        for Keyed { id, version, row } in changes {
            match (self.rows.entry(id), row) {
                (Entry::Occupied(mut held), Some(row)) => {
                    self.hash ^= keyed_hash(id, held.get().0) ^ keyed_hash(id, version);
                    held.insert((version, Box::new(row)));
                }
                (Entry::Occupied(held), None) => {
                    self.hash ^= keyed_hash(id, held.get().0);
                    held.remove();
                }
                (Entry::Vacant(free), Some(row)) => {
                    self.hash ^= keyed_hash(id, version);
                    free.insert((version, Box::new(row)));
                }
                (Entry::Vacant(_), None) => {}
            }
        }
    }

    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    #[must_use]
    pub fn get(&self, id: u64) -> Option<&T> {
        self.rows.get(&id).map(|(_, row)| &**row)
    }

    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values().map(|(_, row)| &**row)
    }

    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.keys().copied()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
