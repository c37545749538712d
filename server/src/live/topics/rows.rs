//! Rows of one topic as they are handed out, shared with it.
//!
//! What should not be here: which rows there are, and who may read them (`topics`).

use std::sync::Arc;

use domain::tally::TallyKey;
use domain::whistle::Whistle;
use domain::wire::{EventLine, OpenCase, OverdueRow, WhoRow};

use crate::live::digest::Cell;

/// Rows of a topic, shared with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    Tally(Vec<(Arc<TallyKey>, u64, Option<Cell>)>),
    Overdue(Vec<(u64, u64, Option<Arc<OverdueRow>>)>),
    Open(Vec<(u64, u64, Option<Arc<OpenCase>>)>),
    Whistle(Vec<(u64, u64, Option<Arc<Whistle>>)>),
    Who(Vec<(u64, u64, Option<Arc<WhoRow>>)>),
    Lines { since: u64, lines: Vec<Arc<EventLine>> },
}

impl Rows {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Tally(rows) => rows.len(),
            Self::Overdue(rows) => rows.len(),
            Self::Open(rows) => rows.len(),
            Self::Whistle(rows) => rows.len(),
            Self::Who(rows) => rows.len(),
            Self::Lines { lines, .. } => lines.len(),
        }
    }

    /// Adds rows of the same topic; the later of two rows of a key counts.
    pub fn append(&mut self, more: Self) {
        // By the first alone, so that a new topic stops the build here.
        match self {
            Self::Tally(rows) => {
                let Self::Tally(more) = more else { return mixed() };
                rows.extend(more);
            }
            Self::Overdue(rows) => {
                let Self::Overdue(more) = more else { return mixed() };
                rows.extend(more);
            }
            Self::Open(rows) => {
                let Self::Open(more) = more else { return mixed() };
                rows.extend(more);
            }
            Self::Whistle(rows) => {
                let Self::Whistle(more) = more else { return mixed() };
                rows.extend(more);
            }
            Self::Who(rows) => {
                let Self::Who(more) = more else { return mixed() };
                rows.extend(more);
            }
            Self::Lines { lines, .. } => {
                let Self::Lines { lines: more, .. } = more else { return mixed() };
                lines.extend(more);
            }
        }
    }

    /// The same for a client that was told up to `told` and misses nothing until these begin.
    #[must_use]
    pub fn told_from(self, told: u64) -> Self {
        match self {
            Self::Lines { lines, .. } => Self::Lines { since: told, lines },
            rows @ (Self::Tally(_) | Self::Overdue(_) | Self::Open(_) | Self::Whistle(_) | Self::Who(_)) => {
                rows
            }
        }
    }

    /// Each key once, as it stands last, and those that are gone left out: what a snapshot says.
    #[must_use]
    pub fn settled(self) -> Self {
        match self {
            Self::Tally(rows) => Self::Tally(settled(rows)),
            Self::Overdue(rows) => Self::Overdue(settled(rows)),
            Self::Open(rows) => Self::Open(settled(rows)),
            Self::Whistle(rows) => Self::Whistle(settled(rows)),
            Self::Who(rows) => Self::Who(settled(rows)),
            lines @ Self::Lines { .. } => lines,
        }
    }
}

fn mixed() {
    debug_assert!(false, "rows of two topics");
}

type Row<K, V> = (K, u64, Option<V>);

fn settled<K: Clone + Ord, V>(rows: Vec<Row<K, V>>) -> Vec<Row<K, V>> {
    let last: std::collections::BTreeMap<K, (u64, Option<V>)> =
        rows.into_iter().map(|(key, version, value)| (key, (version, value))).collect();
    let rows = last.into_iter().map(|(key, (version, value))| (key, version, value));
    rows.filter(|(_, _, value)| value.is_some()).collect()
}
