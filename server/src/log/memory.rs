//! The log in memory: for drills, replays and tests. It forgets everything with its last handle.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::seal::Secret;
use super::{
    Blob, CommandRow, EventRow, Group, Hash, Log, LogError, PersonRow, READ_BYTES_MAX, READ_ROWS_MAX, Read,
    Result, Stand, Subject,
};

use crate::lock::lock;

/// Where it says it is kept, in errors.
const PLACE: &str = "memory";

#[derive(Default)]
struct Rows {
    fence: u64,
    events: Vec<EventRow>,
    /// Sequence numbers by case and by whistle.
    cases: HashMap<u64, Vec<u64>>,
    whistles: HashMap<u64, Vec<u64>>,
    commands: BTreeMap<u64, CommandRow>,
    keys: HashMap<([u8; 16], String), u64>,
    blobs: BTreeMap<u64, Blob>,
    hashes: HashMap<Hash, u64>,
    persons: BTreeMap<u64, PersonRow>,
    person_of: HashMap<u64, u64>,
    believed: Option<i64>,
    stand: Stand,
}

/// What all handles of one log share.
#[derive(Clone)]
pub struct Memory {
    epoch: u64,
    secret: Secret,
    rows: Arc<Mutex<Rows>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { epoch: rand::random(), secret: Secret::random(), rows: Arc::default() }
    }
}

impl Memory {
    /// Takes the log over from whoever held it.
    #[must_use]
    pub fn hold(&self) -> MemoryLog {
        let mut rows = self.rows();
        rows.fence += 1;
        MemoryLog { memory: self.clone(), fence: rows.fence }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        lock(&self.rows)
    }
}

/// The writing handle.
pub struct MemoryLog {
    memory: Memory,
    fence: u64,
}

/// Up to `limit` rows and as many bytes as one read may have.
fn page<'a, T: Clone + 'a>(
    rows: impl Iterator<Item = &'a T>,
    limit: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut bytes = 0;
    let mut found = Vec::new();
    for row in rows.take(limit.clamp(1, READ_ROWS_MAX)) {
        bytes += size(row);
        found.push(row.clone());
        if bytes >= READ_BYTES_MAX {
            break;
        }
    }
    found
}

fn event_bytes(row: &EventRow) -> usize {
    row.body.len() + 200
}

impl Read for Memory {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn head(&self) -> Result<Stand> {
        Ok(self.rows().stand)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<EventRow>> {
        let rows = self.rows();
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(rows.events.len());
        Ok(page(rows.events[from..].iter(), limit, event_bytes))
    }

    fn of(&self, subject: Subject, before: u64, limit: usize) -> Result<Vec<EventRow>> {
        let rows = self.rows();
        let seqs = match subject {
            Subject::Case(id) => rows.cases.get(&id),
            Subject::Whistle(id) => rows.whistles.get(&id),
        };
        let seqs = seqs.map_or(&[][..], Vec::as_slice);
        let seqs = &seqs[..seqs.partition_point(|seq| *seq < before)];
        let events = seqs.iter().rev().filter_map(|seq| rows.events.get(usize::try_from(seq - 1).ok()?));
        Ok(page(events, limit, event_bytes))
    }

    fn since(&self, stand: Stand, limit: usize) -> Result<Group> {
        let events = self.read(stand.seq, limit)?;
        let rows = self.rows();
        let commands = rows.commands.range(stand.command + 1..).map(|(_, row)| row);
        let blobs = rows.blobs.range(stand.blob + 1..).map(|(_, row)| row);
        let persons = rows.persons.range(stand.person + 1..).map(|(_, row)| row);
        Ok(Group {
            events,
            commands: page(commands, limit, |row| row.answer.len() + 150),
            blobs: page(blobs, limit, |row| row.bytes.len() + 100),
            persons: page(persons, limit, |row| row.sealed.len() + 100),
            believed: None,
        })
    }

    fn remembered(&self, actor: &str, key: &[u8; 16]) -> Result<Option<CommandRow>> {
        let rows = self.rows();
        let no = rows.keys.get(&(*key, actor.to_owned()));
        Ok(no.and_then(|no| rows.commands.get(no)).cloned())
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>> {
        let rows = self.rows();
        let blob = rows.hashes.get(hash).and_then(|no| rows.blobs.get(no));
        Ok(blob.map(|blob| blob.bytes.clone()))
    }

    fn person(&self, case: u64) -> Result<Option<PersonRow>> {
        let rows = self.rows();
        Ok(rows.person_of.get(&case).and_then(|no| rows.persons.get(no)).cloned())
    }

    fn believed(&self) -> Result<Option<i64>> {
        Ok(self.rows().believed)
    }

    fn secret(&self) -> Secret {
        self.secret
    }

    fn tend(&self) -> Result<()> {
        Ok(())
    }
}

impl Read for MemoryLog {
    fn epoch(&self) -> u64 {
        self.memory.epoch()
    }

    fn head(&self) -> Result<Stand> {
        self.memory.head()
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<EventRow>> {
        self.memory.read(after, limit)
    }

    fn of(&self, subject: Subject, before: u64, limit: usize) -> Result<Vec<EventRow>> {
        self.memory.of(subject, before, limit)
    }

    fn since(&self, stand: Stand, limit: usize) -> Result<Group> {
        self.memory.since(stand, limit)
    }

    fn remembered(&self, actor: &str, key: &[u8; 16]) -> Result<Option<CommandRow>> {
        self.memory.remembered(actor, key)
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>> {
        self.memory.blob(hash)
    }

    fn person(&self, case: u64) -> Result<Option<PersonRow>> {
        self.memory.person(case)
    }

    fn believed(&self) -> Result<Option<i64>> {
        self.memory.believed()
    }

    fn secret(&self) -> Secret {
        self.memory.secret()
    }

    fn tend(&self) -> Result<()> {
        self.memory.tend()
    }
}

/// A row with this number stands there already.
fn taken(what: &'static str) -> LogError {
    let source = format!("{what} is there already");
    LogError::Engine { place: PathBuf::from(PLACE), doing: "append to", source: source.into() }
}

impl Rows {
    /// Refuses what an engine with unique columns would refuse, before anything is changed.
    fn check(&self, group: &Group) -> Result<()> {
        for (row, expected) in group.events.iter().zip(self.stand.seq + 1..) {
            if row.seq != expected {
                return Err(LogError::OutOfOrder { place: PathBuf::from(PLACE), expected, is: row.seq });
            }
        }
        let mut keys = std::collections::HashSet::new();
        for row in &group.commands {
            let key = (row.key, row.actor.clone());
            if self.keys.contains_key(&key) || !keys.insert(key) {
                return Err(taken("an idempotency key"));
            }
        }
        let mut cases = std::collections::HashSet::new();
        for row in &group.persons {
            if self.person_of.contains_key(&row.case) || !cases.insert(row.case) {
                return Err(taken("a person of the case"));
            }
        }
        Ok(())
    }

    fn write(&mut self, group: &Group) {
        for row in &group.events {
            self.stand.seq = row.seq;
            if let Some(case) = row.case {
                self.cases.entry(case).or_default().push(row.seq);
            }
            if let Some(whistle) = row.whistle {
                self.whistles.entry(whistle).or_default().push(row.seq);
            }
            self.events.push(row.clone());
        }
        for row in &group.commands {
            let no = next(&mut self.stand.command, row.no);
            self.keys.insert((row.key, row.actor.clone()), no);
            self.commands.insert(no, CommandRow { no, ..row.clone() });
        }
        for row in group.blobs.iter().filter(|row| !self.hashes.contains_key(&row.hash)).collect::<Vec<_>>() {
            let no = next(&mut self.stand.blob, row.no);
            self.hashes.insert(row.hash, no);
            self.blobs.insert(no, Blob { no, ..row.clone() });
        }
        for row in &group.persons {
            let no = next(&mut self.stand.person, row.no);
            self.person_of.insert(row.case, no);
            self.persons.insert(no, PersonRow { no, ..row.clone() });
        }
        self.believed = group.believed;
    }
}

/// The number a row gets: its own when it has one.
fn next(last: &mut u64, given: u64) -> u64 {
    *last = if given > 0 { given } else { *last + 1 };
    *last
}

impl MemoryLog {
    fn held(&self) -> Result<MutexGuard<'_, Rows>> {
        let rows = self.memory.rows();
        if rows.fence == self.fence {
            return Ok(rows);
        }
        let (place, held, now) = (Path::new(PLACE).to_owned(), self.fence, rows.fence);
        Err(LogError::Stale { place, held, now })
    }
}

impl Log for MemoryLog {
    fn append(&mut self, group: &Group) -> Result<()> {
        let mut rows = self.held()?;
        rows.check(group)?;
        rows.write(group);
        Ok(())
    }

    fn erase(&mut self, case: u64) -> Result<bool> {
        let mut rows = self.held()?;
        let Some(no) = rows.person_of.get(&case).copied() else { return Ok(false) };
        Ok(rows.persons.get_mut(&no).is_some_and(|person| person.key.take().is_some()))
    }

    fn forget(&mut self, at: i64, limit: usize) -> Result<usize> {
        let mut rows = self.held()?;
        let mut ending: Vec<(i64, u64)> = rows
            .commands
            .values()
            .filter(|row| !row.lasting && row.at < at)
            .map(|row| (row.at, row.no))
            .collect();
        ending.sort_unstable();
        ending.truncate(limit);
        for (_, no) in &ending {
            if let Some(row) = rows.commands.remove(no) {
                rows.keys.remove(&(row.key, row.actor));
            }
        }
        Ok(ending.len())
    }

    fn reader(&self) -> Result<Box<dyn Read>> {
        Ok(Box::new(self.memory.clone()))
    }

    fn has_room(&mut self) -> bool {
        true
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
