//! The views' file: whether it can be trusted, what of it stays in memory, connections for reading it.
//!
//! What should be here: opening and judging. What should not: what is written when (`layout`), questions (`scan`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::case::Case;
use domain::code::CaseId;
use domain::moment::UtcOffset;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::covered::Covered;
use super::pack::Bits;
use super::pool::{Pool, Written};
use super::run::{CaseColumn, RUN_ROWS_MAX, RunHead, Span, StepColumn};
use super::sql;
use crate::engine::{self, Failure};
use crate::stored::closed::Row;

const PAGE_BYTES: u32 = 8_192;

/// Why the views cannot be read or written. None of it is a loss: the log has everything.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    #[error(
        "disk is full: views `{path}` cannot grow; free some space, the lists go on with what is laid out"
    )]
    Full { path: PathBuf },
    #[error(
        "less than {mib} MiB are free where views `{path}` lie, and these are kept for the event log (store.reserve_mib); free some space, the lists go on with what is laid out"
    )]
    Reserved { path: PathBuf, mib: u32 },
    #[error("views `{path}` are damaged: {what}; they are made anew from the log")]
    Damaged { path: PathBuf, what: String },
    #[error("views `{path}`: cannot {doing}")]
    Sql { path: PathBuf, doing: &'static str, source: rusqlite::Error },
    #[error("cannot {doing} `{path}`")]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
    /// The log could not be read.
    #[error("cannot read the log for the views: {0}")]
    Log(String),
}

impl ViewsError {
    pub(crate) fn sql(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match Failure::of(doing, source) {
            Failure::Full => Self::Full { path },
            Failure::Damaged(what) => Self::Damaged { path, what },
            Failure::Other(source) => Self::Sql { path, doing, source },
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether the file cannot be opened where it lies, though it may be whole.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Sql { source, .. } => engine::is_out_of_reach(source),
            Self::Full { .. }
            | Self::Reserved { .. }
            | Self::Damaged { .. }
            | Self::Io { .. }
            | Self::Log(_) => false,
        }
    }

    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// A run as it is read: its head, and which of its rows have been replaced.
#[derive(Debug, PartialEq)]
pub struct Run {
    pub head: RunHead,
    pub gone: Option<Bits>,
    /// Days of the first and the last report.
    pub reported: Span,
    /// Instants of the first and the last step.
    pub stepped: Span,
}

impl Run {
    #[must_use]
    pub fn new(head: RunHead, gone: Option<Bits>) -> Self {
        let reported = Span::of(&head.cases, CaseColumn::Reported as usize);
        let stepped = Span::of(&head.steps, StepColumn::At as usize);
        Self { head, gone, reported, stepped }
    }
}

/// What views must be of to be worth anything: this store, this offset from UTC, this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belongs {
    pub epoch: u64,
    pub offset: UtcOffset,
    pub version: u32,
}

/// Everything known after opening.
#[derive(Debug)]
pub struct Opened {
    pub conn: Connection,
    pub runs: Vec<Arc<Run>>,
    pub covered: Covered,
    /// Closed cases that are in no run yet.
    pub tail: Vec<Arc<Case>>,
    /// Why an earlier file was thrown away.
    pub discarded: Option<String>,
}

/// Views that are read and never written.
#[derive(Debug)]
pub struct Frozen {
    pub pool: Arc<Pool>,
    pub runs: Vec<Arc<Run>>,
    pub covered: Covered,
    pub tail: Vec<Arc<Case>>,
}

/// Name of the views' file of a version.
#[must_use]
pub fn name(version: u32) -> String {
    format!("views-{version}.db")
}

/// Versions of views in a folder, lowest first.
#[must_use]
pub fn versions(dir: &Path) -> Vec<u32> {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = names
        .filter_map(|entry| {
            entry.file_name().to_str()?.strip_prefix("views-")?.strip_suffix(".db")?.parse().ok()
        })
        .collect();
    versions.sort_unstable();
    versions
}

/// Opens the views of this version, or makes new ones where there are none or none to be trusted. `head` is the last
/// event of the log: views that claim to know later ones belong to another past.
pub fn open(dir: &Path, belongs: Belongs, head: u64) -> Result<Opened, ViewsError> {
    for newer in versions(dir).into_iter().filter(|version| *version > belongs.version) {
        tracing::warn!(
            file = name(newer),
            reads = belongs.version,
            "views of a newer version are passed over and left alone; this version lays out its own"
        );
    }
    let path = dir.join(name(belongs.version));
    let judged = if path.exists() { load(&path, belongs, head) } else { Ok(None) };
    let reason = match judged {
        Ok(Some(opened)) => return Ok(opened),
        Ok(None) => None,
        Err(ViewsError::Damaged { what, .. }) => Some(what),
        Err(error) => return Err(error),
    };
    if let Some(what) = &reason {
        tracing::warn!(file = %path.display(), what, "views are thrown away and laid out anew from the log");
    }
    remove(&path)?;
    let conn = create(&path, belongs)?;
    Ok(Opened { conn, runs: Vec::new(), covered: Covered::default(), tail: Vec::new(), discarded: reason })
}

/// Removes a views' file with what SQLite keeps beside it.
pub fn remove(path: &Path) -> Result<(), ViewsError> {
    for ending in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(ViewsError::Io { path: path.to_owned(), doing: "remove", source }),
        }
    }
    Ok(())
}

fn create(path: &Path, belongs: Belongs) -> Result<Connection, ViewsError> {
    let failed = |source| ViewsError::sql(path, "create", source);
    let conn = Connection::open(path).map_err(failed)?;
    let settings = format!(
        "PRAGMA page_size = {PAGE_BYTES}; PRAGMA application_id = {}; PRAGMA user_version = {};",
        sql::APPLICATION_ID,
        belongs.version
    );
    conn.execute_batch(&settings).map_err(failed)?;
    settle(&conn).map_err(failed)?;
    conn.execute_batch(&format!("BEGIN; {} COMMIT;", sql::TABLES)).map_err(failed)?;
    put_meta(&conn, "epoch", &format!("{:016x}", belongs.epoch)).map_err(failed)?;
    put_meta(&conn, "offset", &belongs.offset.0.to_string()).map_err(failed)?;
    Ok(conn)
}

/// A sync at every checkpoint and none at a commit: what is lost with the power is laid out again from the log. The
/// write-ahead log is folded in every 4 MiB, so that the event log's own syncs wait behind no more than that.
fn settle(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 512; \
         PRAGMA cache_size = -8192; PRAGMA temp_store = FILE; PRAGMA trusted_schema = OFF;",
    )
}

fn put_meta(conn: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql::META_PUT)?.execute([name, value]).map(|_| ())
}

/// Reads what is there. `Damaged` means that it is not to be trusted, whatever the reason.
fn load(path: &Path, belongs: Belongs, head: u64) -> Result<Option<Opened>, ViewsError> {
    probe(path, belongs.version)?;
    let failed = |source| ViewsError::sql(path, "open", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    settle(&conn).map_err(failed)?;
    let (runs, covered, tail) = contents(&conn, path, belongs, head)?;
    Ok(Some(Opened { conn, runs, covered, tail, discarded: None }))
}

/// Views of an older version that this one still reads: they serve, frozen, while the new ones are laid out.
pub fn open_frozen(dir: &Path, belongs: Belongs, head: u64, written: Written) -> Result<Frozen, ViewsError> {
    let path = dir.join(name(belongs.version));
    probe(&path, belongs.version)?;
    let pool = Pool::new(path.clone(), written);
    let (runs, covered, tail) = pool.with(|conn| contents(conn, &path, belongs, head))?;
    Ok(Frozen { pool: Arc::new(pool), runs, covered, tail })
}

type Contents = (Vec<Arc<Run>>, Covered, Vec<Arc<Case>>);

fn contents(conn: &Connection, path: &Path, belongs: Belongs, head: u64) -> Result<Contents, ViewsError> {
    let meta = |name: &str| -> rusqlite::Result<Option<String>> {
        conn.prepare_cached(sql::META_GET)?.query_row([name], |row| row.get(0)).optional()
    };
    let unreadable = |source: rusqlite::Error| {
        // A table that is not there is as bad as a torn page.
        if source.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) {
            return ViewsError::damaged(path, format!("its tables are not there ({source})"));
        }
        ViewsError::sql(path, "read", source)
    };
    if meta("epoch").map_err(unreadable)? != Some(format!("{:016x}", belongs.epoch)) {
        return Err(ViewsError::damaged(path, "they belong to another store"));
    }
    if meta("offset").map_err(unreadable)? != Some(belongs.offset.0.to_string()) {
        return Err(ViewsError::damaged(path, "they were laid out for another offset from UTC"));
    }
    let covered = Covered::read(conn).map_err(unreadable)?;
    if covered.newest() > head {
        let what = format!("they know event {}, and the log ends at {head}", covered.newest());
        return Err(ViewsError::damaged(path, what));
    }
    Ok((runs(conn, path)?, covered, tail(conn, path)?))
}

/// Judges a file by its first 100 bytes, before SQLite opens it.
fn probe(path: &Path, version: u32) -> Result<(), ViewsError> {
    use std::io::Read;
    let mut header = [0; 100];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(ViewsError::damaged(path, "the file is shorter than its header"));
        }
        Err(source) => return Err(ViewsError::Io { path: path.to_owned(), doing: "read", source }),
    }
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if &header[..16] != b"SQLite format 3\0" || word(68) != sql::APPLICATION_ID {
        return Err(ViewsError::damaged(path, "the file is not one of gridhall's views"));
    }
    if word(60) != version {
        let what = format!("the file says version {}, its name {version}", word(60));
        return Err(ViewsError::damaged(path, what));
    }
    Ok(())
}

fn runs(conn: &Connection, path: &Path) -> Result<Vec<Arc<Run>>, ViewsError> {
    let failed = |source| ViewsError::sql(path, "read the runs of", source);
    let mut runs = Vec::new();
    let mut statement = conn.prepare_cached(sql::RUN_AFTER).map_err(failed)?;
    let mut after = -1_i64;
    loop {
        let row = statement.query_row([after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let Some((no, crc, body)): Option<(i64, u32, Vec<u8>)> = row.optional().map_err(failed)? else {
            break;
        };
        let head: RunHead = (crc32fast::hash(&body) == crc)
            .then(|| postcard::from_bytes(&body).ok())
            .flatten()
            .filter(|head: &RunHead| head.is_whole() && i64::from(head.no) == no)
            .ok_or_else(|| {
                ViewsError::damaged(path, format!("the head of run {no} is not what was written"))
            })?;
        let gone = gone(conn, &head).map_err(failed)?;
        runs.push(Arc::new(Run::new(head, gone)));
        after = no;
    }
    Ok(runs)
}

/// Whether a run still stands as it was read: a server merges runs, and closes cases again.
pub(super) fn is_present(conn: &Connection, path: &Path, run: &Run) -> Result<bool, ViewsError> {
    let failed = |source| ViewsError::sql(path, "read the runs of", source);
    let no = i64::from(run.head.no);
    let mut statement = conn.prepare_cached(sql::RUN_AFTER).map_err(failed)?;
    let next = statement.query_row([no - 1], |row| row.get::<_, i64>(0)).optional().map_err(failed)?;
    Ok(next == Some(no) && gone(conn, &run.head).map_err(failed)? == run.gone)
}

fn gone(conn: &Connection, head: &RunHead) -> rusqlite::Result<Option<Bits>> {
    let (from, to) = gone_keys(head.no);
    let mut bits: Option<Bits> = None;
    let mut after = from - 1;
    loop {
        let mut statement = conn.prepare_cached(sql::GONE_AFTER)?;
        let keys: Vec<i64> = statement.query_map([after], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let here: Vec<i64> = keys.into_iter().take_while(|key| *key < to).collect();
        let Some(last) = here.last() else { return Ok(bits) };
        after = *last;
        let bits = bits.get_or_insert_with(|| Bits::new(head.rows as usize));
        here.iter().for_each(|key| bits.set((key - from) as usize));
    }
}

/// Keys of the replaced rows of a run, the end excluded.
pub(super) fn gone_keys(run: u32) -> (i64, i64) {
    let rows = RUN_ROWS_MAX as i64;
    (i64::from(run) * rows, (i64::from(run) + 1) * rows)
}

fn tail(conn: &Connection, path: &Path) -> Result<Vec<Arc<Case>>, ViewsError> {
    let failed = |source| ViewsError::sql(path, "read the newest closed cases of", source);
    let mut tail = Vec::new();
    let mut after = -1_i64;
    loop {
        let mut statement = conn.prepare_cached(sql::TAIL_AFTER).map_err(failed)?;
        let ids = statement.query_map([after], |row| row.get(0)).map_err(failed)?;
        let ids: Vec<i64> = ids.collect::<Result<_, _>>().map_err(failed)?;
        let Some(last) = ids.last() else { return Ok(tail) };
        after = *last;
        for id in ids {
            let case = body(conn, path, CaseId(id as u64))?;
            tail.push(Arc::new(case.ok_or_else(|| {
                ViewsError::damaged(path, format!("closed case {id} is named and not there"))
            })?));
        }
    }
}

/// A case as it was closed.
pub(crate) fn body(conn: &Connection, path: &Path, id: CaseId) -> Result<Option<Case>, ViewsError> {
    let failed = |source| ViewsError::sql(path, "read a case of", source);
    let mut statement = conn.prepare_cached(sql::CASE_BODY).map_err(failed)?;
    let mut rows = statement.query([id.0 as i64]).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
    let bytes = row.get_ref(0).map_err(failed)?.as_blob().unwrap_or_default();
    unpack(path, id, bytes).map(Some)
}

/// Rows of bodies end in a checksum: SQLite does not notice changed bytes inside a value.
pub(super) fn unpack<T: Row>(path: &Path, of: impl std::fmt::Display, bytes: &[u8]) -> Result<T, ViewsError> {
    let damaged =
        |why: &str| ViewsError::damaged(path, format!("the row of {of} is not what was written{why}"));
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or_else(|| damaged(""))?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return Err(damaged(""));
    }
    T::read(body).map_err(|error| damaged(&format!(" ({error})")))
}

pub(super) fn packed<T: Row>(value: &T) -> Vec<u8> {
    let mut bytes = value.written();
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}
