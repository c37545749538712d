//! Writing: one transaction for a group of commands, from `begin` to `commit`.

use domain::command::Command;
use domain::event::Recorded;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::sync::atomic::Ordering;
use uuid::Uuid;

use super::{Store, StoreError, int, natural, projection, stored};
use crate::store::projection::Projection;

/// What identifies the content of a command: the start of the SHA-256 of its stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    #[must_use]
    pub fn of(command: &Command) -> Self {
        let digest = Sha256::digest(stored::command::encode(command));
        let mut start = [0; 16];
        start.copy_from_slice(&digest[..16]);
        Self(start)
    }
}

/// What an idempotency key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    pub fingerprint: Fingerprint,
    pub first_seq: u64,
    /// Below `first_seq` when the command changed nothing.
    pub last_seq: u64,
}

/// Pages of the write-ahead log beyond which the writer itself folds it in: 64 MiB.
const WAL_PAGES_MAX: u64 = 16_384;

impl Store {
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.run("begin a transaction in", "BEGIN IMMEDIATE")
    }

    /// Makes everything since `begin` durable.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        self.run("commit to", "COMMIT")
    }

    /// Forgets everything since `begin`. SQLite may have rolled back already.
    pub(crate) fn rollback(&mut self) -> Result<(), StoreError> {
        if self.conn.is_autocommit() { Ok(()) } else { self.run("roll back in", "ROLLBACK") }
    }

    fn run(&self, doing: &'static str, sql: &str) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(|_| ())
            .map_err(|source| StoreError::sql(&self.database(), doing, source))
    }

    fn failed<'a>(&'a self, doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + 'a {
        move |source| StoreError::sql(&self.database(), doing, source)
    }

    pub(crate) fn remembered(&self, key: &Uuid) -> Result<Option<Remembered>, StoreError> {
        let failed = self.failed("look up an idempotency key in");
        let sql = "SELECT fingerprint, first_seq, last_seq FROM keys WHERE key = ?1";
        let mut statement = self.conn.prepare_cached(sql).map_err(&failed)?;
        let found = statement.query_row([key.as_bytes().as_slice()], |row| {
            Ok(Remembered {
                fingerprint: Fingerprint(row.get(0)?),
                first_seq: natural(row.get(1)?),
                last_seq: natural(row.get(2)?),
            })
        });
        found.optional().map_err(failed)
    }

    pub(crate) fn remember(&self, key: &Uuid, what: Remembered) -> Result<(), StoreError> {
        let failed = self.failed("write an idempotency key to");
        let mut statement =
            self.conn.prepare_cached("INSERT INTO keys VALUES(?1, ?2, ?3, ?4)").map_err(&failed)?;
        let values = params![
            key.as_bytes().as_slice(),
            what.fingerprint.0.as_slice(),
            int(what.first_seq),
            int(what.last_seq)
        ];
        statement.execute(values).map(|_| ()).map_err(failed)
    }

    pub(crate) fn append(&self, key: &Uuid, recorded: &Recorded) -> Result<(), StoreError> {
        let failed = self.failed("append an event to");
        let event = &recorded.event;
        let body = stored::encode(&recorded.by, event);
        let actor = &recorded.by.name;
        let crc = crc(recorded.seq, recorded.at.0, actor, key.as_bytes(), event.name(), &body);
        let sql = "INSERT INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let mut statement = self.conn.prepare_cached(sql).map_err(&failed)?;
        statement
            .execute(params![
                int(recorded.seq),
                recorded.at.0,
                actor,
                key.as_bytes().as_slice(),
                stored::form(event),
                event.name(),
                event.case().map(|case| int(case.0)),
                event.whistle().map(|whistle| int(whistle.0)),
                body,
                crc
            ])
            .map(|_| ())
            .map_err(failed)
    }

    /// Writes cases and whistles as they stand after the group.
    pub(crate) fn project(&self, changed: &Projection) -> Result<(), StoreError> {
        projection::write(&self.conn, changed, self.offset).map_err(self.failed("write cases to"))
    }

    /// The number of a case, open or closed.
    pub(crate) fn number_of(&self, case: u64) -> Result<Option<String>, StoreError> {
        let failed = self.failed("look up a case in");
        let mut statement =
            self.conn.prepare_cached("SELECT number FROM cases WHERE id = ?1").map_err(&failed)?;
        statement.query_row([int(case)], |row| row.get(0)).optional().map_err(failed)
    }

    /// Case and whistle of an event, for an answer that is given again.
    pub(crate) fn subject_of(&self, seq: u64) -> Result<(Option<u64>, Option<u64>), StoreError> {
        let failed = self.failed("look up an event in");
        let sql = "SELECT case_id, whistle_id FROM events WHERE seq = ?1";
        let mut statement = self.conn.prepare_cached(sql).map_err(&failed)?;
        let found = statement.query_row([int(seq)], |row| {
            let (case, whistle): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok((case.map(natural), whistle.map(natural)))
        });
        Ok(found.optional().map_err(failed)?.unwrap_or_default())
    }

    /// Folds the write-ahead log in when the keeper could not keep up; what it left is little.
    pub(crate) fn bound_wal(&self) -> Result<(), StoreError> {
        if self.wal_pages.load(Ordering::Relaxed) < WAL_PAGES_MAX {
            return Ok(());
        }
        self.conn
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(self.failed("fold the write-ahead log into"))
    }

    /// Whether there is room again, tried by a write that changes nothing else.
    pub(crate) fn has_room(&mut self) -> bool {
        let path = self.database();
        self.begin().is_ok()
            && super::schema::set_meta(&self.conn, &path, "room", &"x".repeat(8_192)).is_ok()
            && super::schema::set_meta(&self.conn, &path, "room", "").is_ok()
            && self.commit().is_ok()
            || {
                let _ = self.rollback();
                false
            }
    }

    /// Tells the keeper how far the log has come.
    pub(crate) fn note_head(&self, seq: u64) {
        if let Some(keeper) = &self.keeper {
            keeper.note_head(seq);
        }
    }

    #[must_use]
    pub fn options(&self) -> &super::Options {
        &self.options
    }
}

/// The checksum kept with each event: SQLite does not notice changed bytes inside a value.
pub(super) fn crc(seq: u64, at: i64, actor: &str, key: &[u8], name: &str, body: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.to_le_bytes());
    for part in [actor.as_bytes(), key, name.as_bytes(), body.as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}
