//! The rows of a log, as every engine keeps them and every backup carries them.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LogError;

/// SHA-256 of a blob: its name.
pub type Hash = [u8; 32];

/// What stands in lines of catch-up and decides whose area an event is in, so that neither asks anything derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The case's number as read out on the floor.
    pub number: String,
    pub class: String,
    /// Codes from the finest area up, with `|` before, between and behind.
    pub areas: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    pub seq: u64,
    /// Milliseconds UTC.
    pub at: i64,
    pub actor: String,
    /// What the actor was then: roles, separated by commas. Empty in rows of the first format.
    pub roles: String,
    /// Through which door it came. Empty in rows of the first format.
    pub door: String,
    /// The idempotency key of its command, in rows of the first format; empty since commands have rows of their own.
    pub key: Vec<u8>,
    pub name: String,
    /// Version of the body's form.
    pub form: i64,
    pub case: Option<u64>,
    pub whistle: Option<u64>,
    /// None in rows of the first format and where no case is concerned.
    pub line: Option<Line>,
    pub body: String,
    pub crc: u32,
    /// Place of the audit chain; nothing is written here yet.
    pub chain: Option<Hash>,
}

impl EventRow {
    /// The checksum of the row. Rows of the first format are covered as they were then; whatever came later is covered
    /// where it is present.
    #[must_use]
    pub fn sum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.seq.to_le_bytes());
        hasher.update(&self.at.to_le_bytes());
        for part in [self.actor.as_bytes(), &self.key, self.name.as_bytes(), self.body.as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        if self.is_of_first_format() {
            return hasher.finalize();
        }
        hasher.update(&self.form.to_le_bytes());
        for id in [self.case, self.whistle] {
            hasher.update(&id.map_or(0, |id| id + 1).to_le_bytes());
        }
        let line = self.line.as_ref().map_or([""; 3], |line| [&line.number, &line.class, &line.areas]);
        for part in [self.roles.as_str(), self.door.as_str()].into_iter().chain(line) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize()
    }

    /// Written before rows said roles and door: its door is empty, which no row since has.
    #[must_use]
    pub fn is_of_first_format(&self) -> bool {
        self.door.is_empty() && self.roles.is_empty() && self.line.is_none()
    }

    /// With its checksum set.
    #[must_use]
    pub fn summed(mut self) -> Self {
        self.crc = self.sum();
        self
    }

    /// Refuses a row whose bytes are not those that were written.
    pub fn verified(self, place: &Path) -> Result<Self, LogError> {
        if self.sum() == self.crc {
            Ok(self)
        } else {
            Err(LogError::damaged(place, format!("event {} does not agree with its checksum", self.seq)))
        }
    }

    /// Refuses a gap.
    pub fn follows(&self, stand: u64) -> Result<(), LogError> {
        if self.seq == stand + 1 {
            return Ok(());
        }
        let what = format!("event {} is missing; event {} follows", stand + 1, self.seq);
        Err(LogError::damaged(Path::new("the log"), what))
    }
}

/// What one idempotency key of one actor stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRow {
    /// Order of commands; given by the log when it is appended.
    pub no: u64,
    /// Milliseconds UTC.
    pub at: i64,
    pub actor: String,
    pub key: [u8; 16],
    /// What identifies the content, and the version of the form it was taken of.
    pub fingerprint: [u8; 16],
    pub form: i64,
    /// Sequence numbers of its events; `last` is below `first` when it changed nothing.
    pub first: u64,
    pub last: u64,
    /// The answer as it was given, in a stored form; empty for keys of the first format.
    pub answer: String,
    /// Kept for ever: the key of an imported row. Others may end by policy.
    pub lasting: bool,
}

/// Bytes by their hash: adopted policies, shapes, lists of cameras.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Order of blobs; given by the log when it is appended.
    pub no: u64,
    pub hash: Hash,
    pub bytes: Vec<u8>,
}

impl Blob {
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { no: 0, hash: Sha256::digest(&bytes).into(), bytes }
    }
}

/// Who reported a case, sealed by a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Order of persons; given by the log when it is appended.
    pub no: u64,
    pub case: u64,
    pub sealed: Vec<u8>,
    /// None once the person has been erased.
    pub key: Option<[u8; 32]>,
}

/// What is appended together, and what a backup reads together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub events: Vec<EventRow>,
    pub commands: Vec<CommandRow>,
    pub blobs: Vec<Blob>,
    pub persons: Vec<PersonRow>,
    /// Which time was believed, in milliseconds UTC, when the time of these rows was doubted. Of this machine and its clock: no
    /// backup carries it.
    pub believed: Option<i64>,
}

impl Group {
    /// It has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.commands.is_empty() && self.blobs.is_empty() && self.persons.is_empty()
    }
}

/// How far a reader, or the log itself, has come in each kind of row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    pub seq: u64,
    pub command: u64,
    pub blob: u64,
    pub person: u64,
}

impl Stand {
    /// The stand after a group that was read from here.
    #[must_use]
    pub fn after(self, group: &Group) -> Self {
        Self {
            seq: group.events.last().map_or(self.seq, |row| row.seq),
            command: group.commands.last().map_or(self.command, |row| row.no),
            blob: group.blobs.last().map_or(self.blob, |row| row.no),
            person: group.persons.last().map_or(self.person, |row| row.no),
        }
    }
}

/// Whose events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Case(u64),
    Whistle(u64),
}
