//! Which stretches of the log are laid out. They grow at the top while the hall runs and from the newest month downward
//! while views are built, so there may be gaps; whole is one stretch from the first event.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::sql;

/// Stretches after `low` up to and including `high`; they neither touch nor overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered(BTreeMap<u64, u64>);

impl Covered {
    pub(super) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let mut covered = Self::default();
        let mut statement = conn.prepare_cached(sql::COVERED_AFTER)?;
        let mut after = -1_i64;
        while let Some((low, high)) = statement
            .query_row([after], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?
        {
            covered.add(low as u64, high as u64);
            after = low;
        }
        Ok(covered)
    }

    /// Writes a stretch beside what is known, within the caller's transaction.
    pub(super) fn write(&self, conn: &Connection, low: u64, high: u64) -> rusqlite::Result<Self> {
        let mut after = self.clone();
        after.add(low, high);
        for low in self.0.keys().filter(|low| !after.0.contains_key(low)) {
            conn.prepare_cached(sql::COVERED_DROP)?.execute([*low as i64])?;
        }
        for (low, high) in after.0.iter().filter(|(low, high)| self.0.get(low) != Some(high)) {
            conn.prepare_cached(sql::COVERED_PUT)?.execute([*low as i64, *high as i64])?;
        }
        Ok(after)
    }

    pub fn add(&mut self, low: u64, high: u64) {
        if low > high {
            return;
        }
        let touching: Vec<u64> =
            self.0.iter().filter(|(from, to)| **from <= high && **to >= low).map(|(from, _)| *from).collect();
        let (mut low, mut high) = (low, high);
        for from in touching {
            let to = self.0.remove(&from).unwrap_or(from);
            low = low.min(from);
            high = high.max(to);
        }
        self.0.insert(low, high);
    }

    /// The last event that is laid out; 0 where none is.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.0.values().next_back().copied().unwrap_or(0)
    }

    /// Whether an event lies within what is laid out.
    #[must_use]
    pub fn has(&self, seq: u64) -> bool {
        self.0.range(..seq).next_back().is_some_and(|(_, high)| *high >= seq)
    }

    /// The uppermost stretch up to `head` that is missing.
    #[must_use]
    pub fn gap(&self, head: u64) -> Option<(u64, u64)> {
        let mut top = head;
        for (low, high) in self.0.iter().rev() {
            if *high < top {
                return Some((*high, top));
            }
            top = top.min(*low);
        }
        (top > 0).then_some((0, top))
    }

    /// Events laid out up to `head`.
    #[must_use]
    pub fn events(&self, head: u64) -> u64 {
        self.0.iter().map(|(low, high)| (*high).min(head).saturating_sub(*low)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stretches_are_what_their_events_are(parts in proptest::collection::vec((0_u64..60, 0_u64..12), 0..20)) {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(sql::TABLES).unwrap();
            let mut covered = Covered::default();
            let mut events = std::collections::BTreeSet::new();
            for (low, length) in parts {
                covered = covered.write(&conn, low, low + length).unwrap();
                events.extend(low + 1..=low + length);
            }
            let head = 80;
            prop_assert!((1..=head).all(|event| covered.has(event) == events.contains(&event)));
            prop_assert_eq!(&Covered::read(&conn).unwrap(), &covered);
            prop_assert_eq!(covered.events(head), events.len() as u64);
            let top_missing = (1..=head).rev().find(|event| !events.contains(event));
            prop_assert_eq!(covered.gap(head).map(|(_, high)| high), top_missing);
            if let Some((low, high)) = covered.gap(head) {
                prop_assert!((low + 1..=high).all(|event| !events.contains(&event)));
            }
        }
    }
}
