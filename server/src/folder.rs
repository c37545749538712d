//! A data folder: what its files are called, and why one cannot be opened, read or written.
//!
//! What should not be here: what its files hold (`log`, `views`), who has it for writing (`writer::store`).

use std::path::{Path, PathBuf};

use crate::engine::{self, Failure};
use crate::log::LogError;
use crate::log::sqlite::file::{beside, was_out_of_reach};
use crate::stored;

/// Name of the database in the data folder.
pub const DATABASE: &str = "gridhall.db";
/// What else a data folder holds: accounts, tokens and paired walls; where inspectors were.
pub(crate) const BESIDE: [&str; 2] = ["access.db", "positions.db"];
/// Made by the first start of every hall, behind the log and the accounts.
pub(crate) const POSITIONS: &str = "positions.db";
pub(crate) const LOCK: &str = "gridhall.lock";

/// Where the folders of drills are, each with a store of its own: exercises are no records of the city, and belong neither to its
/// backup nor to its check.
pub const WORLDS: &str = "worlds";
/// How the name of a drill's folder begins.
const DRILL: &str = "drill-";

/// How many drills lie in a data folder.
pub(crate) fn drills(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir.join(WORLDS)).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(DRILL)).count()
}

/// Whether a database beside the log is gone or empty.
pub(crate) fn is_gone(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |meta| meta.len() == 0)
}

/// Whether a hall has run on this folder: a folder without a log is no new one then.
pub(crate) fn was_served(dir: &Path) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).any(|name| {
        let is_lists = name.starts_with("views-") && name.ends_with(".db");
        is_lists || name == POSITIONS
    })
}

/// The write-ahead log of a database that is gone or empty: SQLite would throw it away, and it is what is left. None where the
/// database is there, or nothing of it.
pub(crate) fn orphaned(path: &Path) -> Option<PathBuf> {
    let log = beside(path, "-wal");
    // Looked at first: whoever makes the database meanwhile has filled it before it has a log.
    let left = std::fs::metadata(&log).is_ok_and(|meta| meta.len() > 0);
    (left && is_gone(path)).then_some(log)
}

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "data folder `{path}` cannot be written; give this account write access to it, or choose another folder with --data-dir"
    )]
    NotWritable { path: PathBuf, source: std::io::Error },
    #[error(
        "store in `{path}` is in use by another process; stop that process, or choose another folder with --data-dir"
    )]
    InUse { path: PathBuf },
    #[error(
        "`{path}` is not a gridhall store and was not touched; move it away, or choose another folder with --data-dir"
    )]
    Foreign { path: PathBuf },
    #[error(
        "store `{path}` has format {is}, this version reads up to {knows}; it was not touched. Run the newer gridhall, or restore a backup made with this one"
    )]
    Newer { path: PathBuf, is: u32, knows: u32 },
    #[error(
        "store `{path}` is damaged: {what}; it was not touched. Keep a copy of the folder, then restore the newest backup; `gridhall check` names everything it finds"
    )]
    Damaged { path: PathBuf, what: String },
    #[error("no store in `{path}`; name the folder given to `gridhall serve --data-dir`")]
    Missing { path: PathBuf },
    #[error("disk is full: store `{path}` cannot grow; free some space, nothing was changed")]
    Full { path: PathBuf },
    #[error("store `{path}`: event {seq} cannot be read")]
    Event { path: PathBuf, seq: u64, source: stored::StoredError },
    #[error("store `{path}`: cannot {doing}")]
    Sql { path: PathBuf, doing: &'static str, source: rusqlite::Error },
    #[error("cannot {doing} `{path}`")]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
    #[error(transparent)]
    Log(LogError),
    #[error("too much is read from the log at once; try again in a second")]
    Busy,
}

/// What the log says, in the words of whoever opens a data folder.
impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::NotWritable { place: path, source } => Self::NotWritable { path, source },
            LogError::Foreign { place: path } => Self::Foreign { path },
            LogError::Newer { place: path, is, knows } => Self::Newer { path, is, knows },
            LogError::Damaged { place: path, what } => Self::Damaged { path, what },
            LogError::Missing { place: path } => Self::Missing { path },
            LogError::Full { place: path } => Self::Full { path },
            LogError::Io { place: path, doing, source } => Self::Io { path, doing, source },
            other @ (LogError::Older { .. }
            | LogError::Stale { .. }
            | LogError::OutOfOrder { .. }
            | LogError::Engine { .. }) => Self::Log(other),
        }
    }
}

impl StoreError {
    /// Wraps what SQLite said, telling a full disk and a damaged file from everything else.
    pub(crate) fn sql(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match Failure::of(doing, source) {
            Failure::Full => Self::Full { path },
            Failure::Damaged(what) => Self::Damaged { path, what },
            Failure::Other(source) => Self::Sql { path, doing, source },
        }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), doing, source }
    }

    /// Whether the disk had no room; the only failure of a write after which the store goes on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether a file cannot be opened where it lies, though it may be whole.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Sql { source, .. } => engine::is_out_of_reach(source),
            Self::Log(error) => was_out_of_reach(error),
            Self::NotWritable { .. }
            | Self::InUse { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::Full { .. }
            | Self::Event { .. }
            | Self::Io { .. }
            | Self::Busy => false,
        }
    }

    /// The error with its causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        crate::cause::chain(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hall_that_has_run_leaves_lists_and_positions() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("access.db"), "accounts may be made before").unwrap();
        assert!(!was_served(dir.path()));
        for name in ["views-2.db", POSITIONS] {
            std::fs::write(dir.path().join(name), "").unwrap();
            assert!(was_served(dir.path()), "{name}");
            std::fs::remove_file(dir.path().join(name)).unwrap();
        }
    }

    #[test]
    fn a_write_ahead_log_without_its_database_is_what_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.db");
        let log = dir.path().join("access.db-wal");
        assert!(is_gone(&path) && orphaned(&path).is_none(), "a new folder");
        std::fs::write(&log, "").unwrap();
        assert_eq!(orphaned(&path), None, "an empty log holds nothing");
        std::fs::write(&log, "pages").unwrap();
        assert_eq!(orphaned(&path).as_deref(), Some(log.as_path()));
        std::fs::write(&path, "").unwrap();
        assert_eq!(orphaned(&path).as_deref(), Some(log.as_path()), "emptied");
        std::fs::write(&path, "a page").unwrap();
        assert!(!is_gone(&path) && orphaned(&path).is_none());
    }
}
