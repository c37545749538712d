//! The file itself: whether it is ours, and how it is opened.
//!
//! A file is judged by its first 100 bytes before SQLite opens it, so that a foreign, newer or torn file is refused
//! without being touched.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::schema;
use crate::engine::{self, Failure};
use crate::log::LogError;

/// Name of the database in the data folder.
pub const DATABASE: &str = "gridhall.db";
/// `GRHL`: what `file` and SQLite's header say the file is.
pub(super) const APPLICATION_ID: u32 = 0x4752_484C;

pub(super) const PAGE_BYTES: u32 = 4_096;
/// Up to this size every start checks the whole file; beyond it `gridhall check` does.
pub(crate) const QUICK_CHECK_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long a handle waits for another one's write.
const BUSY: Duration = Duration::from_secs(5);

/// What the data folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A store of this format.
    Store(u32),
}

/// Wraps what SQLite said, telling a full disk and a damaged file from everything else.
pub(crate) fn failed(place: &Path, doing: &'static str, source: rusqlite::Error) -> LogError {
    let place = place.to_owned();
    match Failure::of(doing, source) {
        Failure::Full => LogError::Full { place },
        Failure::Damaged(what) => LogError::Damaged { place, what },
        Failure::Other(source) => LogError::Engine { place, doing, source: Box::new(source) },
    }
}

/// Whether a file could not be opened where it lies, of what was said of it before.
pub(crate) fn was_out_of_reach(error: &LogError) -> bool {
    match error {
        LogError::Engine { source, .. } => source.downcast_ref().is_some_and(engine::is_out_of_reach),
        LogError::NotWritable { .. }
        | LogError::Foreign { .. }
        | LogError::Newer { .. }
        | LogError::Older { .. }
        | LogError::Damaged { .. }
        | LogError::Missing { .. }
        | LogError::Full { .. }
        | LogError::Stale { .. }
        | LogError::OutOfOrder { .. }
        | LogError::Io { .. } => false,
    }
}

/// Looks at the file without opening it as a database. `kept_beside` says that something in the folder belongs to a
/// database that is no longer there.
pub fn probe(dir: &Path, kept_beside: bool) -> Result<Found, LogError> {
    let path = dir.join(DATABASE);
    let wal_bytes = std::fs::metadata(beside(&path, "-wal")).map_or(0, |meta| meta.len());
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return if wal_bytes > 0 || kept_beside {
                Err(LogError::damaged(
                    &path,
                    "the database file is gone, but what belongs to it (write-ahead log, snapshots, lists or positions) is there",
                ))
            } else {
                Ok(Found::Nothing)
            };
        }
        Err(source) => return Err(LogError::io(&path, "read", source)),
    };
    let bytes = file.metadata().map_err(|source| LogError::io(&path, "read the size of", source))?.len();
    let mut header = [0; 100];
    if file.read_exact(&mut header).is_err() {
        let what = format!("it has {bytes} bytes, less than its header needs");
        return Err(LogError::damaged(&path, what));
    }
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if &header[..16] != b"SQLite format 3\0" || word(68) != APPLICATION_ID {
        return Err(LogError::Foreign { place: path });
    }
    let format = word(60);
    if format > schema::FORMAT {
        return Err(LogError::Newer { place: path, is: format, knows: schema::FORMAT });
    }
    let expected = u64::from(word(28)) * u64::from(PAGE_BYTES);
    if wal_bytes == 0 && bytes < expected {
        let what = format!("it has {bytes} bytes of {expected}, so its end was cut off");
        return Err(LogError::damaged(&path, what));
    }
    Ok(Found::Store(format))
}

/// The file SQLite keeps beside the database, by its ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes a new, empty store. It appears under its name only when it is complete.
pub fn create(dir: &Path) -> Result<(), LogError> {
    let made = dir.join(format!("{DATABASE}.new"));
    let path = dir.join(DATABASE);
    let conn = create_as(&made)?;
    conn.close().map_err(|(_, source)| failed(&made, "create", source))?;
    std::fs::rename(&made, &path).map_err(|source| LogError::io(&made, "rename", source))?;
    sync_folder(dir)
}

/// Makes an empty store under a name of its own, instead of whatever is there, and gives its connection.
pub(crate) fn create_as(made: &Path) -> Result<Connection, LogError> {
    let failed = |source| failed(made, "create", source);
    match std::fs::remove_file(made) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(LogError::NotWritable { place: made.to_owned(), source }),
    }
    let conn = Connection::open(made).map_err(failed)?;
    let settings = format!(
        "PRAGMA page_size = {PAGE_BYTES}; PRAGMA synchronous = FULL; PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {};",
        schema::FORMAT
    );
    conn.execute_batch(&settings).map_err(failed)?;
    conn.execute_batch(&format!("BEGIN; {} {} COMMIT;", schema::EVENTS, schema::BESIDE)).map_err(failed)?;
    schema::make_identity(&conn, made)?;
    Ok(conn)
}

/// Makes a rename in `dir` durable.
pub(crate) fn sync_folder(dir: &Path) -> Result<(), LogError> {
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(|source| LogError::io(dir, "sync", source))
}

/// Opens the file to write to it. Nothing is written yet.
pub(crate) fn open_for_writing(path: &Path, pages_max: Option<u32>) -> Result<Connection, LogError> {
    let failed = |source| failed(path, "open", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    // A store that is refused is not touched: without this, closing would fold the write-ahead log into it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    conn.busy_timeout(BUSY).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(64);
    if let Some(pages) = pages_max {
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(failed)?;
    }
    Ok(conn)
}

/// Settings of a writing connection, set once the file is known to be sound. What is taken out is overwritten: the words
/// of a person who was moved or erased must not lie in a page that looks empty.
pub(crate) fn settle(conn: &Connection, path: &Path) -> Result<(), LogError> {
    let failed = |source| failed(path, "set up", source);
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let what = format!("its journal mode is `{mode}`, and this file system does not allow `wal`");
        return Err(LogError::damaged(path, what));
    }
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -65536; \
         PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;",
    )
    .map_err(failed)
}

/// Opens the file for reading alone, in this process or another.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    for_reading(Connection::open_with_flags(path, flags), path)
}

/// As [`open_for_reading`], by [`connect_at_rest`].
pub(crate) fn open_at_rest(path: &Path) -> Result<Connection, LogError> {
    for_reading(connect_at_rest(path), path)
}

fn for_reading(conn: rusqlite::Result<Connection>, path: &Path) -> Result<Connection, LogError> {
    let failed = |source| failed(path, "open", source);
    let conn = conn.map_err(failed)?;
    conn.busy_timeout(BUSY).map_err(failed)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
        .map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Opens a file that nobody writes meanwhile, and leaves it and its folder as they are, to the byte. SQLite else makes a
/// write-ahead log and an index of it even to read. What a killed process left in the log is read from there, by the index
/// that process left; without an index one is made.
pub(crate) fn connect_at_rest(path: &Path) -> rusqlite::Result<Connection> {
    let left = |ending| std::fs::metadata(beside(path, ending)).map_or(0, |meta| meta.len());
    let how = match (left("-wal"), left("-shm")) {
        (0, _) => "immutable=1",
        (_, 0) => "mode=ro",
        (_, _) => "readonly_shm=1",
    };
    let not_a_path = || rusqlite::Error::InvalidPath(path.to_owned());
    let whole = std::path::absolute(path).map_err(|_| not_a_path())?;
    let mut address = url::Url::from_file_path(whole).map_err(|()| not_a_path())?;
    address.set_query(Some(how));
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(address.as_str(), flags)
}

/// Walks the whole file when it is small enough to do so at every start.
pub(crate) fn quick_check(conn: &Connection, path: &Path) -> Result<(), LogError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if bytes > QUICK_CHECK_BYTES_MAX {
        return Ok(());
    }
    let said: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| failed(path, "check", source))?;
    if said == "ok" { Ok(()) } else { Err(LogError::damaged(path, said.replace('\n', "; "))) }
}
