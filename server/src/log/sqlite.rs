//! The log in one SQLite file: WAL, every commit synced, one writer, any number of readers.
//!
//! What should be here: the engine. What should not: what a row means. The folder's lock, which keeps a second process
//! out, is taken by whoever opens the hall; the fence here refuses a holder that has been replaced all the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::seal::Secret;
use super::{
    CommandRow, EventRow, Group, Hash, Log, LogError, PersonRow, READ_ROWS_MAX, Read, Result, Stand, Subject,
};

pub mod file;
pub mod schema;
pub mod moving;
pub mod leaving;
pub mod making;
mod rows;
mod within;

#[cfg(test)]
mod tests;

use file::failed;
use rows::int;
pub(crate) use rows::natural;

/// Pages of the write-ahead log beyond which the writer itself folds it in: 64 MiB.
const WAL_PAGES_FOLD: u64 = 16_384;
/// Pages beyond which it waits for readers to let go, half a second at most: 96 MiB.
const WAL_PAGES_WAIT: u64 = 24_576;

/// One connection and what never changes about the file.
struct Db {
    conn: Connection,
    path: PathBuf,
    epoch: u64,
    secret: Secret,
    /// The file holds keys of format 1.
    old_keys: bool,
}

impl Db {
    fn new(conn: Connection, path: &Path) -> Result<Self> {
        Ok(Self {
            epoch: schema::epoch(&conn, path)?,
            secret: schema::secret(&conn, path)?,
            old_keys: schema::has_old_keys(&conn, path)?,
            path: path.to_owned(),
            conn,
        })
    }

    fn failed<'a>(&'a self, doing: &'static str) -> impl Fn(rusqlite::Error) -> LogError + 'a {
        move |source| failed(&self.path, doing, source)
    }

    fn run(&self, doing: &'static str, sql: &str) -> Result<()> {
        let run = |conn: &Connection| conn.prepare_cached(sql)?.execute([]);
        run(&self.conn).map(|_| ()).map_err(self.failed(doing))
    }

    fn number(&self, sql: &str) -> Result<u64> {
        let ask = |conn: &Connection| conn.prepare_cached(sql)?.query_row([], |row| row.get(0));
        ask(&self.conn).map(natural).map_err(self.failed("read the head of"))
    }
}

macro_rules! read_through_db {
    ($handle:ty) => {
        impl Read for $handle {
            fn epoch(&self) -> u64 {
                self.db.epoch
            }

            fn head(&self) -> Result<Stand> {
                // One statement, so that no group stands half before and half behind it. Commands end, so that the
                // last one of the table need not be the last one there was.
                let sql = "SELECT (SELECT coalesce(max(seq), 0) FROM events),
                             (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'commands'),
                             (SELECT coalesce(max(no), 0) FROM blobs), (SELECT coalesce(max(no), 0) FROM persons)";
                let ask = |conn: &Connection| {
                    conn.prepare_cached(sql)?.query_row([], |row| {
                        let at = |column| row.get(column).map(natural);
                        Ok(Stand { seq: at(0)?, command: at(1)?, blob: at(2)?, person: at(3)? })
                    })
                };
                ask(&self.db.conn).map_err(self.db.failed("read the head of"))
            }

            fn read(&self, after: u64, limit: usize) -> Result<Vec<EventRow>> {
                let which = "seq > ?1 ORDER BY seq LIMIT ?2";
                let values = params![int(after), int(limit as u64)];
                rows::events(&self.db.conn, &self.db.path, which, values, limit)
            }

            fn of(&self, subject: Subject, before: u64, limit: usize) -> Result<Vec<EventRow>> {
                let (which, id) = match subject {
                    Subject::Case(id) => ("case_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3", id),
                    Subject::Whistle(id) => ("whistle_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3", id),
                };
                let values = params![int(id), int(before), int(limit as u64)];
                rows::events(&self.db.conn, &self.db.path, which, values, limit)
            }

            fn since(&self, stand: Stand, limit: usize) -> Result<Group> {
                let limit = limit.clamp(1, READ_ROWS_MAX);
                let (conn, path) = (&self.db.conn, &self.db.path);
                Ok(Group {
                    events: self.read(stand.seq, limit)?,
                    commands: rows::commands_after(conn, path, stand.command, limit)?,
                    blobs: rows::blobs_after(conn, path, stand.blob, limit)?,
                    persons: rows::persons_after(conn, path, stand.person, limit)?,
                    believed: None,
                })
            }

            fn remembered(&self, actor: &str, key: &[u8; 16]) -> Result<Option<CommandRow>> {
                let failed = self.db.failed("look up an idempotency key in");
                let found = rows::command_of(&self.db.conn, actor, key).map_err(&failed)?;
                if found.is_some() || !self.db.old_keys {
                    return Ok(found);
                }
                // The keeper moves old keys meanwhile: one that is in neither was moved between the two looks.
                match rows::old_key(&self.db.conn, actor, key).map_err(&failed)? {
                    None => rows::command_of(&self.db.conn, actor, key).map_err(failed),
                    found => Ok(found),
                }
            }

            fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>> {
                let found = rows::blob(&self.db.conn, hash).map_err(self.db.failed("read a blob of"))?;
                found.map(|blob| rows::verified(blob, &self.db.path).map(|blob| blob.bytes)).transpose()
            }

            fn person(&self, case: u64) -> Result<Option<PersonRow>> {
                rows::person_of(&self.db.conn, case).map_err(self.db.failed("read a person of"))
            }

            fn believed(&self) -> Result<Option<i64>> {
                schema::believed(&self.db.conn, &self.db.path)
            }

            fn secret(&self) -> Secret {
                self.db.secret
            }

            fn tend(&self) -> Result<()> {
                let sql = "PRAGMA wal_checkpoint(PASSIVE)";
                let fold = self.db.conn.query_row(sql, [], |_| Ok(()));
                fold.map_err(self.db.failed("fold the write-ahead log into"))
            }
        }
    };
}

/// A handle for reading.
pub struct SqliteReader {
    db: Db,
}

/// The writing handle.
pub struct SqliteLog {
    db: Db,
    fence: u64,
    /// Pages in the write-ahead log after the last commit.
    wal_pages: Arc<AtomicU64>,
}

read_through_db!(SqliteReader);
read_through_db!(SqliteLog);

impl SqliteReader {
    /// Whether rows of an earlier format are still being moved.
    pub fn is_moving(&self) -> Result<bool> {
        moving::is_moving(&self.db.conn, &self.db.path)
    }

    /// Persons that were erased: their number and their case.
    pub fn erased(&self) -> Result<Vec<(u64, u64)>> {
        let sql = "SELECT no, case_id FROM persons WHERE key IS NULL ORDER BY no";
        let ask = |conn: &Connection| -> rusqlite::Result<Vec<(u64, u64)>> {
            let mut statement = conn.prepare_cached(sql)?;
            statement.query_map([], |row| Ok((natural(row.get(0)?), natural(row.get(1)?))))?.collect()
        };
        ask(&self.db.conn).map_err(self.db.failed("read the persons of"))
    }

    /// Whether any event came through this door. No index knows: where none did, every event is looked at.
    pub fn came_through(&self, door: &str) -> Result<bool> {
        let sql = "SELECT EXISTS(SELECT 1 FROM events WHERE door = ?1)";
        let ask = self.db.conn.query_row(sql, [door], |row| row.get(0));
        ask.map_err(self.db.failed("read the doors of"))
    }

    /// Opens the file in `dir` beside a server or without one; nothing is written to it.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_by(dir, file::open_for_reading)
    }

    /// Opens the file of a folder that nobody writes to meanwhile; nothing in the folder changes.
    pub(crate) fn open_at_rest(dir: &Path) -> Result<Self> {
        Self::open_by(dir, file::open_at_rest)
    }

    fn open_by(dir: &Path, connect: fn(&Path) -> Result<Connection>) -> Result<Self> {
        let path = dir.join(file::DATABASE);
        match file::probe(dir, false)? {
            file::Found::Nothing => return Err(LogError::Missing { place: dir.to_owned() }),
            file::Found::Store(_) => {}
        }
        let conn = connect(&path)?;
        match schema::format(&conn, &path)? {
            schema::FORMAT => Ok(Self { db: Db::new(conn, &path)? }),
            is if is < schema::FORMAT => Err(LogError::Older { place: path, is }),
            is => Err(LogError::Newer { place: path, is, knows: schema::FORMAT }),
        }
    }
}

impl SqliteLog {
    /// Opens the file in `dir`, making a new one where there is none and bringing an older one up to date, and takes it
    /// over from whoever held it. `kept_beside` says that the folder holds what belongs to a database.
    pub fn open(dir: &Path, kept_beside: bool, pages_max: Option<u32>) -> Result<Self> {
        let path = dir.join(file::DATABASE);
        if file::probe(dir, kept_beside)? == file::Found::Nothing {
            file::create(dir)?;
        }
        let mut conn = file::open_for_writing(&path, pages_max)?;
        let is = schema::format(&conn, &path)?;
        if is > schema::FORMAT {
            return Err(LogError::Newer { place: path, is, knows: schema::FORMAT });
        }
        file::quick_check(&conn, &path)?;
        file::settle(&conn, &path)?;
        schema::upgrade(&conn, &path)?;
        let wal_pages = Arc::new(AtomicU64::new(0));
        let seen = wal_pages.clone();
        conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            seen.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
        .map_err(|source| failed(&path, "watch the write-ahead log of", source))?;
        let mut log = Self { db: Db::new(conn, &path)?, fence: 0, wal_pages };
        log.take_over()?;
        Ok(log)
    }

    /// Raises the fence: whoever held the log before is refused from now on.
    fn take_over(&mut self) -> Result<()> {
        self.db.run("begin a transaction in", "BEGIN IMMEDIATE")?;
        let fence = self.present_fence()? + 1;
        schema::set_meta(&self.db.conn, &self.db.path, "fence", &fence.to_string())?;
        self.db.run("commit to", "COMMIT")?;
        self.fence = fence;
        Ok(())
    }

    fn present_fence(&self) -> Result<u64> {
        let text = schema::meta(&self.db.conn, &self.db.path, "fence")?.unwrap_or_default();
        text.parse().map_err(|_| LogError::damaged(&self.db.path, format!("its fence `{text}` is no number")))
    }

    /// Refuses a holder that has been replaced.
    fn held(&self) -> Result<()> {
        let now = self.present_fence()?;
        if now == self.fence {
            return Ok(());
        }
        Err(LogError::Stale { place: self.db.path.clone(), held: self.fence, now })
    }

    /// Runs `write` within a transaction that is durable on return, or leaves nothing.
    fn transaction<T>(&mut self, write: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.db.run("begin a transaction in", "BEGIN IMMEDIATE")?;
        let written = self.held().and_then(|()| write(self));
        match written.and_then(|value| self.db.run("commit to", "COMMIT").map(|()| value)) {
            Ok(value) => {
                self.bound_wal();
                Ok(value)
            }
            Err(error) => {
                // SQLite may have rolled back already. Where it cannot, the next `BEGIN` says so.
                if !self.db.conn.is_autocommit() {
                    self.db.run("roll back in", "ROLLBACK")?;
                }
                Err(error)
            }
        }
    }

    fn write(&self, group: &Group) -> Result<()> {
        let conn = &self.db.conn;
        let head = self.db.number("SELECT coalesce(max(seq), 0) FROM events")?;
        rows::follow(&group.events, head, &self.db.path)?;
        insert_rows(conn, group).map_err(self.db.failed("append to"))?;
        schema::set_believed(conn, &self.db.path, group.believed)
    }

    /// Folds the write-ahead log in when whoever tends it could not keep up; what they left is little.
    fn bound_wal(&self) {
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages < WAL_PAGES_FOLD {
            return;
        }
        let mode = if pages < WAL_PAGES_WAIT { "PASSIVE" } else { "RESTART" };
        let fold = self.db.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
        if let Err(error) = fold {
            let error = failed(&self.db.path, "fold the write-ahead log into", error);
            if error.is_full() {
                // The group is durable already: whoever sent it must not hear that it is not.
                tracing::error!(error = error.chain(), "write-ahead log not folded in");
            } else {
                abort(&error);
            }
        }
    }
}

/// Inserts the rows of a group within the caller's transaction.
pub(crate) fn insert_rows(conn: &Connection, group: &Group) -> rusqlite::Result<()> {
    group.events.iter().try_for_each(|row| rows::insert_event(conn, row))?;
    group.commands.iter().try_for_each(|row| rows::insert_command(conn, row))?;
    group.blobs.iter().try_for_each(|row| rows::insert_blob(conn, row))?;
    group.persons.iter().try_for_each(|row| rows::insert_person(conn, row))
}

/// After a failed sync nobody knows what the disk has; the process ends, and a restart reads it.
fn abort(error: &LogError) -> ! {
    tracing::error!(
        error = error.chain(),
        "log failed, process stops; start it again to read what the disk has"
    );
    std::process::abort();
}

impl Log for SqliteLog {
    fn append(&mut self, group: &Group) -> Result<()> {
        self.transaction(|log| log.write(group))
    }

    fn erase(&mut self, case: u64) -> Result<bool> {
        self.transaction(|log| {
            let sql = "UPDATE persons SET key = NULL WHERE case_id = ?1 AND key IS NOT NULL";
            let erased = log.db.conn.execute(sql, [int(case)]).map_err(log.db.failed("erase a person of"))?;
            Ok(erased > 0)
        })
    }

    fn forget(&mut self, at: i64, limit: usize) -> Result<usize> {
        self.transaction(|log| {
            let sql = "DELETE FROM commands WHERE no IN
                         (SELECT no FROM commands WHERE lasting = 0 AND at < ?1 ORDER BY at LIMIT ?2)";
            let values = params![at, int(limit as u64)];
            log.db.conn.execute(sql, values).map_err(log.db.failed("forget keys of"))
        })
    }

    fn reader(&self) -> Result<Box<dyn Read>> {
        let path = &self.db.path;
        let conn = file::open_for_writing(path, None)?;
        let set = "PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = ON; PRAGMA cache_size = -16384;";
        conn.execute_batch(set).map_err(|source| failed(path, "open", source))?;
        conn.busy_timeout(Duration::from_secs(1)).map_err(|source| failed(path, "open", source))?;
        Ok(Box::new(SqliteReader { db: Db::new(conn, path)? }))
    }

    fn has_room(&mut self) -> bool {
        // Written and taken back in two commits: a page that can be had for this can be had for a command.
        let put = |log: &Self, value: &str| schema::set_meta(&log.db.conn, &log.db.path, "room", value);
        self.transaction(|log| put(log, &"x".repeat(8_192))).is_ok()
            && self.transaction(|log| put(log, "")).is_ok()
    }

    fn close(&mut self) -> Result<()> {
        let fold = self.db.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        fold.map_err(self.db.failed("fold the write-ahead log into"))
    }
}
