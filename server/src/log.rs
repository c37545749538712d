//! The log: the truth of a hall and nothing else, behind a trait that more than one engine can keep.
//!
//! What should be here: rows, their order, durability, who may append. What should not: what a row means (`stored`),
//! rules (`domain`), anything derived (`views`), SQL outside an engine's own folder. A row is opaque: the log carries
//! bodies it cannot read. Rows never change, so everybody reads by "after this one, so many at most", and no read
//! holds the engine for longer than [`READ_MS_MAX`].

mod error;
pub mod row;
pub mod seal;
pub mod memory;
pub mod sqlite;
pub mod container;
pub mod shelf;
pub mod files;
pub mod segment;
pub mod backup;
pub mod restore;
pub mod check;

#[cfg(test)]
mod conformance;

pub use error::LogError;
pub use row::{Blob, CommandRow, EventRow, Group, Hash, Line, PersonRow, Stand, Subject};

/// Most rows of one read; [`READ_BYTES_MAX`] may end it earlier.
pub const READ_ROWS_MAX: usize = 5_000;
/// Bytes of bodies after which a read ends: a page of the longest events is no burden for memory.
pub const READ_BYTES_MAX: usize = 8 << 20;
/// A read that has gone on for so long ends with what it has, one row at least: a long read would keep the engine
/// from folding its write-ahead log in.
pub const READ_MS_MAX: u64 = 500;

type Result<T> = std::result::Result<T, LogError>;

/// What anybody may read of a log. A handle is for one thread; each thread takes one of its own.
pub trait Read: Send {
    /// Identity of the data. It survives restarts; a restored backup has a new one.
    fn epoch(&self) -> u64;

    /// How far each kind of row has come.
    fn head(&self) -> Result<Stand>;

    /// Events after `after` in order, at most `limit`; empty only at the head.
    fn read(&self, after: u64, limit: usize) -> Result<Vec<EventRow>>;

    /// Events of one subject before `before`, newest first, at most `limit`.
    fn of(&self, subject: Subject, before: u64, limit: usize) -> Result<Vec<EventRow>>;

    /// Everything after `stand`, of each kind at most `limit`: what a backup takes.
    fn since(&self, stand: Stand, limit: usize) -> Result<Group>;

    /// What a key of an actor stands for. A key belongs to its actor: nobody else's is found.
    fn remembered(&self, actor: &str, key: &[u8; 16]) -> Result<Option<CommandRow>>;

    /// The bytes with this SHA-256.
    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>>;

    /// The person of a case; without a key once it has been erased.
    fn person(&self, case: u64) -> Result<Option<PersonRow>>;

    /// What the last appended group said that was believed; none where its time was.
    fn believed(&self) -> Result<Option<i64>>;

    /// The secret of this store: what makes keyed hashes and the keys of imported rows unguessable.
    fn secret(&self) -> seal::Secret;

    /// Lets the engine do on this thread what it puts off while it writes: folding its write-ahead log in.
    fn tend(&self) -> Result<()>;
}

/// The log as its one writer holds it.
pub trait Log: Read {
    /// Appends a group: all of it is durable when this returns, or nothing of it is there. One without rows says whether the
    /// time is believed. Events must follow the head without a gap. A holder that somebody else has taken over from is refused ([`LogError::Stale`]).
    fn append(&mut self, group: &Group) -> Result<()>;

    /// Deletes the key of a case's person; what it sealed cannot be read again. Whether there was one.
    fn erase(&mut self, case: u64) -> Result<bool>;

    /// Forgets up to `limit` commands before `at` whose keys may end; gives how many.
    fn forget(&mut self, at: i64, limit: usize) -> Result<usize>;

    /// A handle for reading, for another thread.
    fn reader(&self) -> Result<Box<dyn Read>>;

    /// Whether there is room again, tried by a write that changes nothing else.
    fn has_room(&mut self) -> bool;

    /// Ends cleanly. Nothing is lost without it; the next start is quicker.
    fn close(&mut self) -> Result<()>;
}

/// Reads every event after `after` and hands it to `each`, page by page; a gap is damage.
pub fn each_event<E: From<LogError>>(
    log: &dyn Read,
    after: u64,
    mut each: impl FnMut(&EventRow) -> std::result::Result<(), E>,
) -> std::result::Result<u64, E> {
    let mut stand = after;
    loop {
        let page = log.read(stand, READ_ROWS_MAX)?;
        if page.is_empty() {
            return Ok(stand);
        }
        for row in &page {
            row.follows(stand)?;
            each(row)?;
            stand = row.seq;
        }
    }
}
