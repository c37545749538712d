//! Whether a log is the one its backup was made of: the same past, and not only the same name.
//!
//! An epoch names a store, and a copy of the store keeps it: a folder that was copied back, or a machine that was set back to
//! yesterday, goes on under the same epoch with other events. What is in the last segment tells them apart.
//!
//! What should not be here: whether the segments are sound and hang together (`segment`).

use std::collections::BTreeMap;
use std::path::Path;

use crate::log::segment::{self, Link};
use crate::log::{Group, PersonRow, Read, Result, Stand};

/// Rows asked of the log at a time.
const PAGE: usize = 2_000;

/// What of the backup is not in the log, in words; none where the log is the one it was made of. Looked at are all rows of the
/// newest segment that has events, and of those behind it.
pub(super) fn differing(log: &dyn Read, segments: &Path, end: Link) -> Result<Option<String>> {
    let head = log.head()?;
    let behind = [
        ("key", head.command, end.stand.command),
        ("adopted list or policy", head.blob, end.stand.blob),
        ("person", head.person, end.stand.person),
    ];
    if let Some((kind, ..)) = behind.into_iter().find(|(_, log, backup)| log < backup) {
        return Ok(Some(format!("its newest {kind}")));
    }
    for number in (1..=end.number).rev() {
        let mut found = None;
        let sealed = segment::verify(&segment::path_of(segments, number), |group| {
            if found.is_none() {
                found = other(log, head, &group)?;
            }
            Ok(())
        })?;
        if found.is_some() || sealed.from.seq < sealed.to.seq {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The first of these rows that the log, which ends at `head`, has otherwise, or not at all.
fn other(log: &dyn Read, head: Stand, kept: &Group) -> Result<Option<String>> {
    let before = |first: Option<u64>, head| first.map_or(head, |number| number.saturating_sub(1));
    let mut at = Stand {
        seq: before(kept.events.first().map(|row| row.seq), head.seq),
        command: before(kept.commands.first().map(|row| row.no), head.command),
        blob: before(kept.blobs.first().map(|row| row.no), head.blob),
        person: before(kept.persons.first().map(|row| row.no), head.person),
    };
    let end = at.after(kept);
    let mut held = Group::default();
    while at != end {
        let page = log.since(at, PAGE)?;
        let next = at.after(&page).at_most(end);
        if next == at {
            break;
        }
        at = next;
        held.events.extend(page.events);
        held.commands.extend(page.commands);
        held.blobs.extend(page.blobs);
        held.persons.extend(page.persons);
    }
    let event = first(&kept.events, &held.events, |row| row.seq, PartialEq::eq, Missing::Differs);
    // Keys end, and what opens a person goes with an erasure: neither is another past.
    let command = first(&kept.commands, &held.commands, |row| row.no, PartialEq::eq, Missing::MayEnd);
    let blob = first(&kept.blobs, &held.blobs, |row| row.no, PartialEq::eq, Missing::Differs);
    let same_person =
        |one: &PersonRow, other: &PersonRow| (one.case, &one.sealed) == (other.case, &other.sealed);
    let person = first(&kept.persons, &held.persons, |row| row.no, same_person, Missing::Differs);
    let words = event.map(|no| format!("event {no}"));
    let words = words.or_else(|| command.map(|no| format!("key {no}")));
    let words = words.or_else(|| blob.map(|no| format!("adopted list or policy {no}")));
    Ok(words.or_else(|| person.map(|no| format!("person {no}"))))
}

impl Stand {
    /// Each kind no further than in `end`.
    fn at_most(self, end: Self) -> Self {
        Self {
            seq: self.seq.min(end.seq),
            command: self.command.min(end.command),
            blob: self.blob.min(end.blob),
            person: self.person.min(end.person),
        }
    }
}

/// What it means that the log lacks a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Differs,
    MayEnd,
}

/// The number of the first row in `kept` that `held` has otherwise, or lacks where it must not.
fn first<T>(
    kept: &[T],
    held: &[T],
    number: impl Fn(&T) -> u64,
    same: impl Fn(&T, &T) -> bool,
    missing: Missing,
) -> Option<u64> {
    let held: BTreeMap<u64, &T> = held.iter().map(|row| (number(row), row)).collect();
    let differs = |row: &&T| match held.get(&number(row)) {
        Some(there) => !same(row, there),
        None => missing == Missing::Differs,
    };
    kept.iter().find(differs).map(number)
}
